//! Rules between the query parameters of an operation in two releases.

use super::super::scope::Place;
use super::weave::{Both, Weaver};
use crate::mapping::bridge::Way;
use crate::mapping::diagnostic as code;
use crate::mapping::raw::{Rule, Text};
use crate::mapping::schema::{OperationFacts, TypeId};
use crate::text::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};

impl Weaver<'_> {
    /// The rules between the query parameters of an operation; none where they are the same.
    pub fn query(
        &mut self,
        written: Vec<Rule>,
        own: &OperationFacts,
        other: &OperationFacts,
        id: &str,
    ) -> Option<Vec<Rule>> {
        let (olds, news) = (parameters(own), parameters(other));
        let (older, newer) = (
            spoken_of(&written, |rule| rule.sonata.as_ref()),
            spoken_of(&written, |rule| rule.legacy.as_ref()),
        );
        let mut is_same = written.is_empty();
        let mut rules = written;
        for (name, ty) in olds.iter().filter(|(name, _)| !older.contains(*name)) {
            let Some(counterpart) = news.get(name).filter(|_| !newer.contains(name)) else {
                is_same = false;
                self.parameter_lost(id, name, Way::Up);
                continue;
            };
            let path = Text::at(&format!("query:{name}"), self.begin());
            let rule = Rule::between(self.begin(), path.clone(), path);
            let both = Both { older: Place::of(*ty), newer: Place::of(*counterpart) };
            let differs = ty.zip(*counterpart).is_some_and(|(own, other)| !self.same(own, other));
            is_same &= !differs;
            rules.extend(if differs { self.meet(rule, &both, 0) } else { Some(rule) });
        }
        for name in news.keys().filter(|name| !olds.contains_key(*name) && !newer.contains(*name)) {
            is_same = false;
            self.parameter_lost(id, name, Way::Down);
        }
        (!is_same).then_some(rules)
    }

    fn parameter_lost(&mut self, id: &str, name: &str, way: Way) {
        let side = if way == Way::Up { &self.source.older } else { &self.source.newer };
        let message = format!("only {side} has the query parameter `{name}` of `{id}`");
        let at = self.operation(id).map_or(self.begin(), |rule| rule.id.span());
        let hint =
            format!("add `{{ {side}: \"query:{name}\", drop: \"why\" }}` to the `fields:` of the operation");
        self.told.push(Diagnostic::error(code::BRIDGE_LOST, message).at(at).hint(hint));
    }
}

fn parameters(facts: &OperationFacts) -> BTreeMap<String, Option<TypeId>> {
    facts.query.iter().cloned().zip(facts.query_types.iter().copied()).collect()
}

/// The parameters that rules speak of on one side.
fn spoken_of(rules: &[Rule], side: fn(&Rule) -> Option<&Text>) -> BTreeSet<String> {
    let names = rules.iter().filter_map(side).filter_map(|text| text.as_str().strip_prefix("query:"));
    names.map(str::to_owned).collect()
}
