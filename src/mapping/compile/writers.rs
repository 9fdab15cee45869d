//! Who writes what in one program: two rules that write one place are told, branches of one `one_of` apart.

use crate::mapping::diagnostic as code;
use crate::mapping::path::{Anchor, FieldPath, Part, Step, Term};
use crate::mapping::raw::{Rule, Text};
use crate::text::{Diagnostic, Diagnostics, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Branches that a rule stands in: which `one_of` or `rows`, and which branch of it.
pub(super) type Branches = Vec<(u32, u32)>;

/// A group that writes elements of an array: its branches, its key members, its place.
type Elements = (Branches, Option<(String, String)>, Span);

/// The places that one program writes.
#[derive(Debug, Default)]
pub(super) struct Writers {
    places: BTreeMap<String, Vec<(Branches, Span)>>,
    /// Arrays that groups write element by element.
    elements: BTreeMap<String, Vec<Elements>>,
    /// Places that are written along with others: terms of keyed elements and conditions.
    along: BTreeSet<String>,
}

impl Writers {
    /// Notes that a rule writes a place.
    pub fn write(
        &mut self,
        place: String,
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
        others.push((branches.clone(), at));
    }

    /// Notes that a group writes the elements of an array; two groups merge by equal keys only.
    pub fn elements(
        &mut self,
        place: String,
        branches: &Branches,
        rule: &Rule,
        sources: &Sources,
    ) -> Option<Diagnostic> {
        let text = |text: &Text| text.as_str().to_owned();
        let key = rule.key.as_ref().map(|key| (text(&key.sonata), text(&key.legacy)));
        let others = self.elements.entry(place).or_default();
        let clash = others.iter().find(|(other, own, span)| {
            *span != rule.span && !exclusive(other, branches) && (*own != key || key.is_none())
        });
        let fault = clash.map(|(_, _, other)| {
            let at = rule.key.as_ref().map_or(rule.key_span("fields"), |key| key.span);
            let fault =
                Diagnostic::error(code::KEYS_DIFFER, "another group writes the elements of this array")
                    .at(at);
            fault.hint(format!(
                "the other is at {}; give both the same `key:`, or make them one",
                sources.place(*other)
            ))
        });
        others.push((branches.clone(), key, rule.span));
        fault
    }

    /// Notes terms that are written into the object at a place.
    pub fn along(&mut self, place: &str, terms: &[Term]) {
        self.along.extend(terms.iter().map(|term| format!("{place}.{}", term.members.join("."))));
    }

    /// Notes a place that is written along with others.
    pub fn copied(&mut self, place: String) {
        self.along.insert(place);
    }

    /// The places that are written, as absolute texts.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.places.keys().chain(&self.along).map(String::as_str)
    }
}

fn exclusive(one: &Branches, other: &Branches) -> bool {
    one.iter().any(|(of, branch)| other.iter().any(|(other_of, other)| of == other_of && branch != other))
}

impl Writers {
    /// Notes what keyed elements on the way of a path write.
    pub fn keyed(&mut self, base: &str, path: &FieldPath) {
        for (index, step) in path.steps.iter().enumerate() {
            if let Step::Keyed(terms) = step {
                let steps = path.steps[..=index].into();
                let element = place(base, &FieldPath { steps, every: false, ..path.clone() });
                self.along(&element, terms);
            }
        }
    }
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
