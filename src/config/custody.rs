//! `custody:` of a partner: who answers for entities of a kind.

use std::collections::BTreeMap;

use super::code;
use crate::{
    sonata::entity::EntityKind,
    text::{
        Diagnostic, Diagnostics, Hint, suggest,
        yaml::{Fields, choice_of},
    },
};

/// Who answers when a partner retrieves or lists entities of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custody {
    /// The store.
    Gateway,
    /// The legacy system; what is kept goes with what it says.
    Legacy,
}

/// Kinds that may be kept: those with a state, which are kept as whole documents.
pub(super) fn kinds() -> impl Iterator<Item = EntityKind> {
    EntityKind::all().filter(|kind| kind.facts().state.is_some())
}

pub(super) fn read(fields: &mut Fields<'_>, out: &mut Diagnostics) -> BTreeMap<EntityKind, Custody> {
    let mut all = BTreeMap::new();
    for entry in fields.mapping("custody", out).unwrap_or_default() {
        let kind = kinds().find(|kind| kind.name() == entry.key);
        if kind.is_none() {
            let near = suggest(&entry.key, kinds().map(EntityKind::name)).map(Hint::meant);
            let message = format!("`{}` is no kind of entity that is kept", entry.key);
            out.push(Diagnostic::error(code::UNKNOWN_NAME, message).at(entry.key_span).maybe_hint(near));
        }
        let words = [("gateway", Custody::Gateway), ("legacy", Custody::Legacy)];
        let custody = choice_of(&entry.value, &entry.key, &words, out);
        all.extend(kind.zip(custody));
    }
    all
}
