//! Who writes what in one program: two rules that write one place are told, branches of one `one_of` apart.

use crate::mapping::diagnostic as code;
use crate::mapping::path::{Anchor, FieldPath, Part};
use crate::mapping::raw::{Rule, Text};
use crate::text::{Diagnostic, Diagnostics, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Branches that a rule stands in: which `one_of` or `rows`, and which branch of it.
pub(super) type Branches = Arc<[(u32, u32)]>;

/// A group that writes elements of an array.
#[derive(Debug, Clone)]
pub(super) struct Elements {
    branches: Branches,
    /// Its key members, on both sides.
    key: Option<(String, String)>,
    /// Where it is written.
    rule: Span,
    /// What is to blame where another group writes them.
    blamed: Span,
}

impl Elements {
    /// What a group in these branches writes.
    pub fn of(rule: &Rule, branches: &Branches) -> Self {
        let text = |text: &Text| text.as_str().to_owned();
        let key = rule.key.as_ref().map(|key| (text(&key.sonata), text(&key.legacy)));
        let blamed = rule.key.as_ref().map_or(rule.key_span("fields"), |key| key.span);
        Self { branches: Arc::clone(branches), key, rule: rule.span, blamed }
    }
}

/// The places that one program writes, sorted, as absolute texts.
pub(super) type Places = Arc<BTreeSet<Arc<str>>>;

/// What one program writes.
#[derive(Debug, Default)]
pub(super) struct Writers {
    /// By whom each place is written; by nobody, where it is written along with others: terms of keyed elements and
    /// conditions.
    places: BTreeMap<Arc<str>, Vec<(Branches, Span)>>,
    /// Arrays that groups write element by element.
    elements: BTreeMap<Arc<str>, Vec<Elements>>,
}

impl Writers {
    /// Notes that a rule writes a place.
    pub fn write(
        &mut self,
        place: Arc<str>,
        branches: &Branches,
        at: Span,
        sources: &Sources,
        out: &mut Diagnostics,
    ) {
        let others = self.places.entry(place).or_default();
        let other = others.iter().find(|(other, span)| *span != at && !exclusive(other, branches));
        if let Some((_, other)) = other {
            let fault =
                Diagnostic::error(code::TWO_WRITERS, "another rule of this message writes the same place");
            let hint =
                format!("the other is at {}; make them branches of one `one_of`", sources.place(*other));
            out.push(fault.at(at).hint(hint));
        }
        others.push((Arc::clone(branches), at));
    }

    /// Notes that a group writes the elements of an array; two groups merge by equal keys only.
    pub fn elements(&mut self, place: Arc<str>, own: Elements, sources: &Sources, out: &mut Diagnostics) {
        let others = self.elements.entry(place).or_default();
        let clash = others.iter().find(|other| {
            other.rule != own.rule
                && !exclusive(&other.branches, &own.branches)
                && (other.key != own.key || own.key.is_none())
        });
        if let Some(other) = clash {
            let message = "another group writes the elements of this array";
            let place = sources.place(other.rule);
            let hint = format!("the other is at {place}; give both the same `key:`, or make them one");
            out.push(Diagnostic::error(code::KEYS_DIFFER, message).at(own.blamed).hint(hint));
        }
        others.push(own);
    }

    /// Notes a place that is written along with others.
    pub fn along(&mut self, place: Arc<str>) {
        self.places.entry(place).or_default();
    }

    /// The places that are written, sorted.
    pub fn places(&self) -> impl Iterator<Item = &Arc<str>> {
        self.places.keys()
    }
}

fn exclusive(one: &Branches, other: &Branches) -> bool {
    one.iter().any(|(of, branch)| other.iter().any(|(other_of, other)| of == other_of && branch != other))
}

/// The absolute text of a place, from that of the scope.
pub(super) fn place(base: &str, path: &FieldPath) -> String {
    match path.part {
        Part::Body => {}
        Part::Query | Part::Path | Part::Header => return path.to_string(),
    }
    let steps = FieldPath { anchor: Anchor::Scope, ..path.clone() }.to_string();
    let base = if path.anchor == Anchor::Root { "$" } else { base };
    match steps.as_str() {
        "." => base.to_owned(),
        steps if steps.starts_with('[') => format!("{base}{steps}"),
        steps => format!("{base}.{steps}"),
    }
}
