//! Which parameters of the caller's query a program reads: what of a list's filters reaches the legacy system.

use super::{Action, Argument, Body, Branch, Otherwise, Program, Rule, Source, Transform};
use crate::mapping::path::{FieldPath, Part, Step};
use std::collections::BTreeSet;

impl Program {
    /// Names of the query parameters that some rule reads.
    pub fn query_parameters(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        rules(&self.rules, &mut names);
        names
    }
}

fn rules<'p>(list: &'p [Rule], names: &mut BTreeSet<&'p str>) {
    for rule in list {
        match &rule.action {
            Action::Pair(pair) => {
                source(&pair.source, names);
                pair.transforms.iter().for_each(|one| transform(one, names));
            }
            Action::Group(group) => {
                path(&group.source, names);
                rules(&group.rules, names);
            }
            Action::Each(each) => {
                path(&each.source, names);
                body(&each.body, names);
            }
            Action::Join(join) => body(&join.body, names),
            Action::Append(append) => rules(&append.rules, names),
            Action::Gather(gather) => branches(&gather.branches, names),
            Action::OneOf(one_of) => {
                branches(&one_of.branches, names);
                if let Otherwise::Rules(list) = &one_of.otherwise {
                    rules(list, names);
                }
            }
        }
    }
}

fn body<'p>(body: &'p Body, names: &mut BTreeSet<&'p str>) {
    match body {
        Body::Rules(list) => rules(list, names),
        Body::Rows(list) => branches(list, names),
    }
}

fn branches<'p>(list: &'p [Branch], names: &mut BTreeSet<&'p str>) {
    for branch in list {
        rules(&branch.rules, names);
    }
}

fn transform<'p>(transform: &'p Transform, names: &mut BTreeSet<&'p str>) {
    match transform {
        Transform::Script(script) => script.inputs.iter().for_each(|(_, one)| source(one, names)),
        Transform::Convert(convert) => {
            if let Some(Argument::Source(place)) = &convert.argument {
                path(place, names);
            }
        }
        Transform::Codes(_) | Transform::Ref { .. } | Transform::Key { .. } => {}
    }
}

fn source<'p>(from: &'p Source, names: &mut BTreeSet<&'p str>) {
    match from {
        Source::Path(place) => path(place, names),
        Source::Script(script) => script.inputs.iter().for_each(|(_, one)| source(one, names)),
        Source::Query(_) | Source::Constant(_) => {}
    }
}

fn path<'p>(path: &'p FieldPath, names: &mut BTreeSet<&'p str>) {
    if let (Part::Query, Some(Step::Member(name))) = (path.part, path.steps.first()) {
        names.insert(name);
    }
}
