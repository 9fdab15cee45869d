//! A partner's overlay as written.

use super::{CodeRow, Operation, ProductName, Rule, Text};

/// What is different for one partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayFile {
    /// The mapping set that it changes, or `PARTNER/SET`: another overlay, which it changes further.
    pub extends: Option<Text>,
    /// Short names of products, besides those of the set or in their place.
    pub products: Vec<ProductName>,
    /// Changes of code tables.
    pub codes: Vec<CodesChange>,
    /// Changes of shapes, by name.
    pub shapes: Vec<(Text, Vec<Change>)>,
    /// Operations, by operationId or `function.operationId`.
    pub operations: Vec<Operation>,
}

/// Changes of one code table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodesChange {
    /// The table.
    pub table: Text,
    /// Rows that replace those of the same Sonata value.
    pub change: Vec<CodeRow>,
    /// Rows that are new.
    pub add: Vec<CodeRow>,
    /// Sonata values whose rows go.
    pub remove: Vec<Text>,
}

/// One change of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A rule that goes, by its address.
    Remove {
        /// The group, else the shape's outermost rules.
        within: Option<Text>,
        /// The address.
        address: Text,
    },
    /// A rule that is new.
    Add {
        /// The group, else the shape's outermost rules. In a `one_of` or `rows`, the rule is one more branch, the first.
        within: Option<Text>,
        /// The rule behind which it goes, else at the end.
        after: Option<Text>,
        /// The rule.
        rule: Box<Rule>,
    },
    /// Keys of a rule that are replaced; the rule is found by its address, which is that of `rule`.
    Alter {
        /// The group, else the shape's outermost rules.
        within: Option<Text>,
        /// The keys as a rule of their own.
        rule: Box<Rule>,
    },
}
