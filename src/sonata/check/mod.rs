//! Checking a message against its type: one walk, all faults at once.
//!
//! The walk runs over the document as received and gives the standard's own codes with JSON Pointers, and beside
//! them the members that no type describes, which JSON Schema cannot see because the standard closes no object.
//! It decides exactly what the raw schemas decide (`tests/catalogue_oracle.rs` holds that), with two faults more:
//! an unknown `@type` where the standard lists them, and an unknown product.
//!
//! | what is wrong | code | pointer |
//! |---|---|---|
//! | a required member is absent | `missingProperty` | where it should be |
//! | a list is empty that must not be | `missingProperty` | the list |
//! | a list is too short or long, elements repeat | `invalidValue` | the list |
//! | wrong kind, enumeration, bounds, text length | `invalidValue` | the value |
//! | wrong format or pattern | `invalidFormat` | the value |
//! | unknown `@type`, unknown product | `invalidValue` | the `@type` |
//! | none or several of alternatives | that of the alternative clearly meant, else `invalidValue` or, if only members are missing, `missingProperty` | in it, else the value |
//! | unknown member, where they are rejected | `unexpectedProperty` | the member |
//!
//! Reasons name the member and what is expected; of the sender's value they hold a short excerpt at most.

mod alternatives;
mod format;
mod query;
mod unique;
mod walk;
mod words;

pub use query::{QueryCode, QueryFault, check_query};

use super::{Contract, Fault, Products, TypeId};
use crate::json::{Builder, Document, Node, NodeId, Slot};
use std::collections::HashSet;

/// What to do with members that no type describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownMembers {
    /// They stay; nobody reads them.
    #[default]
    Ignore,
    /// They are dropped ([`strip`]).
    Strip,
    /// Each is a fault.
    Reject,
}

/// What to do with faults inside a product's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProductFaults {
    /// They are faults like any other.
    #[default]
    Refuse,
    /// They are listed apart ([`Checked::product_findings`]) and refuse nothing: many partners send what the product
    /// schemas do not allow, as most published examples do. An unknown `@type` stays a fault.
    Tell,
}

/// How to check.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Product schemas in reach.
    pub products: &'a Products,
    /// What to do with unknown members.
    pub unknown_members: UnknownMembers,
    /// What to do with faults inside product configurations.
    pub product_faults: ProductFaults,
    /// Faults reported at most; at least 1.
    pub faults_max: usize,
    /// What a check with the same contract and products found right before: a value that is met with the same text
    /// and type is not checked again. An answer repeats most of its request.
    pub accepted: Option<Accepted<'a>>,
}

/// Values of a document in which nothing was wrong.
#[derive(Debug, Clone, Copy)]
pub struct Accepted<'a> {
    /// The document.
    pub document: &'a Document,
    /// What [`Checked::passed`] says of it.
    pub passed: &'a [Passed],
}

/// A value in which nothing is wrong and nothing unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    node: NodeId,
    bytes: usize,
    ty: TypeId,
}

impl Passed {
    /// Values of fewer bytes are not noted: checking them costs no more than finding them.
    const BYTES_MIN: usize = 64;
    /// Values that are noted at most, so that looking through them takes bounded time.
    const COUNT_MAX: usize = 256;
}

impl Accepted<'_> {
    /// Whether a value of the same text passed as this type.
    fn has(&self, node: Node<'_>, ty: TypeId) -> bool {
        let raw = node.raw();
        self.passed.iter().any(|passed| {
            passed.ty == ty && passed.bytes == raw.len() && self.document.node(passed.node).raw() == raw
        })
    }
}

impl<'a> Options<'a> {
    /// Faults reported at most unless said.
    pub const FAULTS_MAX: usize = 100;

    /// Unknown members stay, product configurations must be right, at most [`Self::FAULTS_MAX`] faults.
    pub fn new(products: &'a Products) -> Self {
        Self {
            products,
            unknown_members: UnknownMembers::Ignore,
            product_faults: ProductFaults::Refuse,
            faults_max: Self::FAULTS_MAX,
            accepted: None,
        }
    }
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Faults in document order, as many as were asked for.
    pub faults: Vec<Fault>,
    /// Values of members that no type describes, in document order, whatever is done with them. What is in an
    /// unknown member is not listed again.
    pub unknown: Vec<NodeId>,
    /// Faults inside product configurations where they are only told, at most as many as faults.
    pub product_findings: Vec<Fault>,
    /// Whether there were more faults.
    pub more: bool,
    /// Values of some size in which nothing is wrong and nothing unknown, for [`Options::accepted`] of a later check.
    pub passed: Vec<Passed>,
}

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks a value against a type of a contract.
///
/// Pointers of faults begin at the root of the node's document.
pub fn check(node: Node<'_>, contract: &Contract, ty: TypeId, options: &Options<'_>) -> Checked {
    walk::run(node, contract.types(), ty, options)
}

/// Checks a product's configuration against the schema that its `@type` names, as [`check`] does where the
/// contract has a configuration.
pub fn check_product(node: Node<'_>, product: &super::ProductSchema, options: &Options<'_>) -> Checked {
    walk::run_product(node, product, options)
}

/// The document without the members whose values these are.
pub fn strip(document: &Document, unknown: &[NodeId]) -> Document {
    if unknown.is_empty() {
        return document.clone();
    }
    let unknown: HashSet<NodeId> = unknown.iter().copied().collect();
    let mut builder = Builder::new();
    let root = without(&mut builder, document.root(), &unknown);
    builder.finish(root)
}

fn without<'d>(builder: &mut Builder<'d>, node: Node<'d>, unknown: &HashSet<NodeId>) -> Slot {
    if node.is_object() {
        let object = builder.object();
        for (name, value) in node.members().filter(|(_, value)| !unknown.contains(&value.id())) {
            let value = without(builder, value, unknown);
            builder.set(object, name, value);
        }
        object
    } else if node.is_array() {
        let array = builder.array();
        for element in node.elements() {
            let element = without(builder, element, unknown);
            builder.push(array, element);
        }
        array
    } else {
        builder.copy(node)
    }
}

#[cfg(test)]
mod tests;
