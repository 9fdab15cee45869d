//! What a partner on one release gets of a mapping that is written for another: operations, attributes and products.

use std::collections::BTreeSet;

use super::bridges::Line;
use crate::{
    mapping::bridge::{Bridge, Fate, Note},
    sonata::{Function, Release, catalogue},
};

/// What becomes of everything that a partner's release has, and of what is answered to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The release that the partner speaks.
    pub partner: Release,
    /// The release that the mapping is written for.
    pub mapping: Release,
    /// The functions of the partner's release, in the order of the standard.
    pub functions: Vec<Compared>,
    /// The products of both releases.
    pub products: Vec<Product>,
}

/// A function of the partner's release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The function.
    pub function: Function,
    /// Its operations by their operationId.
    pub operations: Vec<(String, Outcome)>,
    /// What is left out, made up or refused of messages.
    pub losses: Vec<Loss>,
}

/// What becomes of an operation or a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is the same in both releases.
    Same,
    /// It comes over under this name.
    Carried(String),
    /// It does not come over: between which two releases it ends, and why.
    Refused {
        /// The older and the newer release; none: the other release has no such function.
        between: Option<(String, String)>,
        /// Why.
        reason: String,
    },
}

/// Something that does not come over as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Whether it is on the way to the partner, and not from there.
    pub is_back: bool,
    /// The two neighbouring releases between which it is, the older one first.
    pub between: (String, String),
    /// The type that it stands in.
    pub type_name: String,
    /// Its place in there.
    pub place: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, or what is written.
    pub reason: String,
}

/// A product by what stands in `@type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// What stands there where it begins.
    pub urn: String,
    /// Whether it begins at the mapping.
    pub is_back: bool,
    /// What becomes of it; what has no counterpart is carried as it is, and the other release does not know it.
    pub outcome: Outcome,
}

impl Comparison {
    /// Compares two releases; none where there is no line between them.
    #[must_use]
    pub fn between(partner: Release, mapping: Release) -> Option<Self> {
        let (line, reverse) = (Line::between(partner, mapping)?, Line::between(mapping, partner)?);
        let functions =
            catalogue().functions(partner).filter_map(|function| compared(&line, partner, function));
        let mut own = products(&line, partner, mapping, false);
        own.extend(products(&reverse, mapping, partner, true));
        Some(Self { partner, mapping, functions: functions.collect(), products: own })
    }

    /// As lines of text.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for Compared { function, operations, losses } in &self.functions {
            lines.extend(
                operations.iter().map(|(id, outcome)| format!("{function}.{id}: {}", words(outcome))),
            );
            lines.extend(losses.iter().map(told));
        }
        for Product { urn, is_back, outcome } in &self.products {
            let what = if matches!(outcome, Outcome::Refused { .. }) { ", carried as it is" } else { "" };
            lines.push(format!("product {}, {urn}: {}{what}", way(*is_back), words(outcome)));
        }
        lines
    }
}

fn compared(line: &Line, partner: Release, function: Function) -> Option<Compared> {
    let contract = catalogue().contract(partner, function)?;
    let ids = contract.operations.iter().map(|operation| operation.operation_id.as_str());
    let operations = ids.map(|id| (id.to_owned(), operation(line, function.name(), id))).collect();
    let mut losses = Vec::new();
    for is_back in [false, true] {
        let notes = line.notes(is_back).filter(|(_, note)| *note.function == *function.name());
        losses.extend(notes.map(|(bridge, note)| loss(is_back, bridge, note)));
    }
    Some(Compared { function, operations, losses })
}

fn operation(line: &Line, function: &str, id: &str) -> Outcome {
    let Some(crossed) = line.operation(function, id) else {
        let (bridge, reason) = line.missing(function, id).unzip();
        return Outcome::Refused {
            between: bridge.map(releases),
            reason: reason.unwrap_or("the other release has no such function").to_owned(),
        };
    };
    let is_same = crossed.request.is_empty() && crossed.answer.is_empty() && *crossed.operation_id == *id;
    if is_same { Outcome::Same } else { Outcome::Carried(crossed.operation_id.into()) }
}

fn products(line: &Line, from: Release, to: Release, is_back: bool) -> Vec<Product> {
    let others = catalogue().products(to);
    let others: BTreeSet<&str> = others.urns().collect();
    let outcome = |urn: &str| {
        // Until billie a product has one `@type` for each function, which its last part names.
        let function =
            urn.rsplit(':').next().filter(|part| Function::parse(part).is_some()).unwrap_or("order");
        match line.product(function, urn) {
            Err((bridge, reason)) => {
                Outcome::Refused { between: Some(releases(bridge)), reason: reason.to_owned() }
            }
            Ok(other) if *other != *urn => Outcome::Carried(other.into()),
            Ok(_) if others.is_empty() || others.contains(urn) => Outcome::Same,
            Ok(_) => {
                Outcome::Refused { between: None, reason: "the other release does not have it".to_owned() }
            }
        }
    };
    let own = catalogue().products(from);
    own.urns().map(|urn| Product { urn: urn.to_owned(), is_back, outcome: outcome(urn) }).collect()
}

fn loss(is_back: bool, bridge: &Bridge, note: &Note) -> Loss {
    Loss {
        is_back,
        between: releases(bridge),
        type_name: note.type_name.to_string(),
        place: note.place.to_string(),
        fate: note.fate,
        reason: note.reason.to_string(),
    }
}

fn releases(bridge: &Bridge) -> (String, String) {
    (bridge.older.to_string(), bridge.newer.to_string())
}

fn way(is_back: bool) -> &'static str {
    if is_back { "to the partner" } else { "from the partner" }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Same => "same".to_owned(),
        Outcome::Carried(name) => format!("carried as {name}"),
        Outcome::Refused { between: Some((older, newer)), reason } => {
            format!("refused ({older} to {newer}: {reason})")
        }
        Outcome::Refused { between: None, reason } => format!("refused ({reason})"),
    }
}

fn told(loss: &Loss) -> String {
    let Loss { is_back, between: (older, newer), type_name, place, fate, reason } = loss;
    let fate = if *fate == Fate::Refused { "refused unless it fits" } else { fate.as_str() };
    format!("  {}, {older}-{newer}: {type_name}.{place} {fate}: {reason}", way(*is_back))
}
