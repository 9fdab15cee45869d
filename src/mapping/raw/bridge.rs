//! A file of a bridge as written.

use super::{CodeTable, Rule, Shape, Text};
use crate::text::Span;

/// One file of a bridge between two neighbouring releases.
///
/// In its rules the older release stands where a mapping has the Sonata side, the newer one where it has the legacy side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeFile {
    /// The older release and the newer one.
    pub releases: (Text, Text),
    /// The function whose messages it carries over; none: its types and shapes are those of every function.
    pub function: Option<Text>,
    /// `drop:`, why nothing of the function goes over.
    pub drop: Option<Text>,
    /// `copy: rest`: what both contracts have and no rule names is carried as it is.
    pub copy_rest: Option<Span>,
    /// What is done wherever a type meets another.
    pub types: Vec<TypeRule>,
    /// Rules that types and other shapes use.
    pub shapes: Vec<Shape>,
    /// Code tables.
    pub tables: Vec<CodeTable>,
    /// Operations that differ in more than their messages.
    pub operations: Vec<OperationRule>,
    /// Products whose `@type` differs.
    pub products: Vec<ProductRule>,
}

/// One entry of `types:`: what is done wherever a value of one type meets one of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRule {
    /// The whole entry.
    pub span: Span,
    /// Types of the older release.
    pub older: Vec<Text>,
    /// Types of the newer release; one for all, or one for each of the older.
    pub newer: Vec<Text>,
    /// What is done, without places.
    pub rule: Rule,
}

impl TypeRule {
    /// Whether it is for this pair of types.
    pub fn meets(&self, older: &str, newer: &str) -> bool {
        let is_one_each = self.older.len() == self.newer.len();
        self.older.iter().enumerate().filter(|(_, name)| name.as_str() == older).any(|(index, _)| {
            if is_one_each {
                self.newer.get(index).is_some_and(|name| name.as_str() == newer)
            } else {
                self.newer.iter().any(|name| name.as_str() == newer)
            }
        })
    }
}

/// One entry of `operations:` or `events:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRule {
    /// Its operationId in the older release, or in the newer one if only that has it.
    pub id: Text,
    /// Its operationId in the newer release, where that is another.
    pub is: Option<Text>,
    /// Why the other release has none.
    pub drop: Option<Text>,
    /// Rules between the query parameters.
    pub fields: Vec<Rule>,
}

/// One entry of `products:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRule {
    /// The whole entry.
    pub span: Span,
    /// What stands in `@type` at the older release; the first is written. Empty where only the newer one has the product.
    pub older: Vec<Text>,
    /// What stands there at the newer one; empty where only the older one has the product.
    pub newer: Vec<Text>,
    /// `drop:`, why the product has no counterpart: its configuration is carried as it is.
    pub drop: Option<Text>,
    /// Rules inside of the product's configuration.
    pub fields: Vec<Rule>,
}
