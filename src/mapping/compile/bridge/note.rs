//! What is told and noted of what does not come over as it is.

use super::super::scope::Place;
use super::weave::{Both, Weaver};
use crate::mapping::bridge::{Fate, Note, Way};
use crate::mapping::diagnostic as code;
use crate::mapping::raw::{CodeSide, Rule, Text};
use crate::mapping::schema::Schema;
use crate::text::{Diagnostic, Span, yaml::Node};

impl Weaver<'_> {
    /// A member of one side only that nobody speaks of.
    pub fn lose(&mut self, both: &Both, name: &str, required: bool, way: Way, at: Span) {
        let sides = [
            (&self.source.older, type_name(self.shores.older, &both.older)),
            (&self.source.newer, type_name(self.shores.newer, &both.newer)),
        ];
        let [(has, ty), (lacks, counterpart)] = match (way, sides) {
            (Way::Up, sides) => sides,
            (Way::Down, [older, newer]) => [newer, older],
        };
        if !self.lost.insert((ty.clone(), name.to_owned(), way == Way::Up)) {
            return;
        }
        let fault = if required {
            let message =
                format!("{has} requires `{name}` of {ty}, and {counterpart} of {lacks} does not have it");
            let hint = format!("add `{{ {has}: {name}, value: … }}`, or a rule that carries it");
            Diagnostic::error(code::BRIDGE_LACKS, message).hint(hint)
        } else {
            let message = format!("{has} has `{name}` of {ty}, and {counterpart} of {lacks} has not");
            let hint = format!("add `{{ {has}: {name}, drop: \"why\" }}`, or a rule that carries it");
            Diagnostic::error(code::BRIDGE_LOST, message).hint(hint)
        };
        self.told.push(fault.at(at));
    }

    /// Notes what a written rule says does not come over as it is.
    pub fn note(&mut self, rule: &Rule, both: &Both) {
        let place = rule.sonata.as_ref().or(rule.legacy.as_ref()).map_or(".", Text::as_str).to_owned();
        let on_older = rule.sonata.is_some();
        if let Some(reason) = &rule.drop {
            let way = if on_older { Way::Up } else { Way::Down };
            self.noted(both, &place, way, Fate::Dropped, reason.as_str());
            return;
        }
        for way in [Way::Up, Way::Down] {
            if let Some(reason) = rule.lossy.as_ref().and_then(|lossy| lossy.of(way.direction())) {
                self.noted(both, &place, way, Fate::Dropped, reason.as_str());
            }
            if let Some(text) = rule.default.request.as_ref().and_then(Node::as_text) {
                self.noted(both, &place, way, Fate::Synthesised, &format!("`{text}` where it is absent"));
            }
        }
        self.note_codes(rule, both, &place);
        if rule.required.is_some() {
            for (way, side) in [(Way::Up, &rule.sonata), (Way::Down, &rule.legacy)] {
                let place = side.as_ref().map_or(".", Text::as_str);
                self.noted(both, place, way, Fate::Refused, "it must be there");
            }
        }
        let is_made = rule.value.is_some() || rule.script.is_some() || rule.from.is_some();
        if is_made && rule.sonata.is_some() != rule.legacy.is_some() {
            let way = if on_older { Way::Down } else { Way::Up };
            let value = rule.value.as_ref().and_then(Node::as_text);
            let words = value.map_or_else(|| "computed".to_owned(), |text| format!("`{text}`"));
            self.noted(both, &place, way, Fate::Synthesised, &words);
        }
    }

    /// Notes codes of a rule's table that have no counterpart, or share one with others.
    fn note_codes(&mut self, rule: &Rule, both: &Both, place: &str) {
        let Some(name) = &rule.codes else { return };
        let mut tables = self.files.iter().flat_map(|file| &file.tables);
        let Some(table) = tables.find(|table| table.name.as_str() == name.as_str()) else { return };
        for row in &table.rows {
            for (way, from, to) in
                [(Way::Up, &row.sonata, &row.legacy), (Way::Down, &row.legacy, &row.sonata)]
            {
                let CodeSide::Values(values) = from else { continue };
                let (fate, words, reason) = match to {
                    CodeSide::Absent(_) => {
                        (Fate::Refused, values.as_slice(), "it has no counterpart".to_owned())
                    }
                    CodeSide::Values(others) => {
                        let (Some(other), Some(rest)) = (others.first(), values.get(1..)) else { continue };
                        (Fate::Dropped, rest, format!("it becomes `{other}`"))
                    }
                };
                if !words.is_empty() {
                    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                    self.noted(both, place, way, fate, &format!("{}: {reason}", words.join(", ")));
                }
            }
        }
    }

    /// Notes that something does not come over as it is.
    pub fn noted(&mut self, both: &Both, place: &str, way: Way, fate: Fate, reason: &str) {
        let on_newer =
            matches!((way, fate), (Way::Down, Fate::Dropped | Fate::Refused) | (Way::Up, Fate::Synthesised));
        let name = if on_newer {
            type_name(self.shores.newer, &both.newer)
        } else {
            type_name(self.shores.older, &both.older)
        };
        let note = Note {
            function: self.function.as_str().into(),
            type_name: name.into(),
            place: place.into(),
            way,
            fate,
            reason: reason.into(),
        };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn type_name(schema: &dyn Schema, place: &Place) -> String {
    let named = place.ty.and_then(|ty| schema.name(ty)).unwrap_or_else(|| "the message".to_owned());
    match place.discriminator() {
        Some(derived) => derived.rsplit(':').nth(2).unwrap_or(derived).to_owned(),
        None => named,
    }
}
