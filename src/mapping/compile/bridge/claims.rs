//! The members of both sides that rules speak of, so that nothing else is carried there.

use super::super::condition::{OnSide, equalities, parts};
use crate::json::query;
use crate::mapping::path::{Anchor, FieldPath, Part, Step};
use crate::mapping::raw::{Condition, ElseBranch, Inputs, Rule, Text};
use std::collections::BTreeMap;

/// Members that rules speak of, wholly or in part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Claims(BTreeMap<String, Claims>);

impl Claims {
    /// What is claimed below a member; an empty one: all of it. None: nothing.
    pub fn of(&self, name: &str) -> Option<&Claims> {
        self.0.get(name)
    }

    /// Whether all of a place is claimed, once some of it is.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, names: &[&str]) {
        let Some((name, rest)) = names.split_first() else { return };
        let is_known = self.0.contains_key(*name);
        let below = self.0.entry((*name).to_owned()).or_default();
        if rest.is_empty() {
            below.0.clear();
        } else if !is_known || !below.is_whole() {
            below.add(rest);
        }
    }

    fn path(&mut self, text: &Text) {
        let Ok(path) = FieldPath::parse(text.as_str()) else { return };
        if path.part != Part::Body || path.anchor == Anchor::Root {
            return;
        }
        let names = path.steps.iter().map_while(|step| match step {
            Step::Member(name) => Some(&**name),
            Step::Index(_) | Step::Keyed(_) => None,
        });
        self.add(&names.collect::<Vec<_>>());
    }

    /// A member as a whole.
    pub fn member(&mut self, name: &str) {
        self.add(&[name]);
    }

    /// What some rules speak of on one side.
    pub fn rules(&mut self, rules: &[Rule], side: OnSide) {
        for rule in rules {
            self.rule(rule, side);
        }
    }

    fn rule(&mut self, rule: &Rule, side: OnSide) {
        let own = if side == OnSide::Sonata { &rule.sonata } else { &rule.legacy };
        match (own, &rule.fields) {
            (Some(path), Some(fields)) if path.as_str() == "." => self.rules(fields, side),
            (Some(path), _) => self.path(path),
            (None, _) => {}
        }
        self.inputs(&rule.inputs, side);
        if let Some((_, branches, otherwise)) = &rule.one_of {
            for branch in branches {
                self.condition(branch.condition.as_ref(), side);
                self.rules(&branch.fields, side);
            }
            if let Some(ElseBranch::Fields(rules)) = otherwise {
                self.rules(rules, side);
            }
        }
    }

    /// What a condition is written as.
    pub fn condition(&mut self, condition: Option<&Condition>, side: OnSide) {
        let Some(text) = condition.and_then(|condition| parts(condition, side, side).text) else { return };
        let Ok(condition) = query::Condition::parse(text.as_str()) else { return };
        for term in equalities(&condition) {
            self.add(&term.members.iter().map(|name| &**name).collect::<Vec<_>>());
        }
    }

    fn inputs(&mut self, inputs: &Inputs, side: OnSide) {
        let Inputs::Directed(directed) = inputs else { return };
        let own = match side {
            OnSide::Sonata => &directed.to_legacy,
            OnSide::Legacy => &directed.to_sonata,
        };
        own.iter().flatten().for_each(|(_, path)| self.path(path));
    }
}
