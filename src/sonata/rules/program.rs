//! What a partner's settings leave of the rules for one operation, ready to be run.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use super::{
    Facts, Level, RELEASE, Rule, Stage, all,
    test::{Case, Test, Wrong},
};
use crate::{
    json::Node,
    sonata::{Fault, Function, Release},
};

/// A rule that a message breaks, once for each place.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The rule.
    pub rule: &'static Rule,
    /// What is to become of it.
    pub level: Level,
    /// Code, place and reason, as a partner may see them.
    pub fault: Fault,
}

/// The rules of one operation.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    query: Vec<Group>,
    request: Vec<Group>,
    change: Vec<Group>,
    answer: Vec<Group>,
}

/// Tests of the same nodes, so that these are found once.
#[derive(Debug, Clone)]
struct Group {
    each: Vec<&'static str>,
    tests: Vec<(&'static Rule, Level, &'static Test)>,
}

/// The rules of all operations, under one partner's settings.
#[derive(Debug, Default)]
pub struct RuleBook(HashMap<Function, HashMap<&'static str, Rules>>);

/// Nothing is asked.
static NOTHING: Rules =
    Rules { query: Vec::new(), request: Vec::new(), change: Vec::new(), answer: Vec::new() };

/// The book of a partner that sets nothing and speaks the tables' release: one for all of those.
static DEFAULT: LazyLock<Arc<RuleBook>> =
    LazyLock::new(|| Arc::new(RuleBook::build(&BTreeMap::new(), |_| true)));

impl RuleBook {
    /// The book under these levels; rules without one have their default. `release` tells what a function speaks.
    #[must_use]
    pub fn of(levels: &BTreeMap<&'static str, Level>, release: impl Fn(Function) -> Release) -> Arc<Self> {
        let speaks = |function: Function| release(function) == RELEASE;
        if levels.is_empty() && Function::all().all(speaks) {
            return Arc::clone(&DEFAULT);
        }
        Arc::new(Self::build(levels, speaks))
    }

    fn build(levels: &BTreeMap<&'static str, Level>, speaks: impl Fn(Function) -> bool) -> Self {
        let mut book = Self::default();
        for rule in all() {
            let level = levels.get(rule.id).copied().unwrap_or(rule.default);
            let functions =
                rule.functions.iter().filter(|function| level != Level::Off && speaks(**function));
            for function in functions {
                for test in rule.tests() {
                    for operation in test.operations {
                        book.0
                            .entry(*function)
                            .or_default()
                            .entry(operation)
                            .or_default()
                            .add(rule, level, test);
                    }
                }
            }
        }
        book
    }

    /// The rules of an operation.
    #[must_use]
    pub fn rules(&self, function: Function, operation_id: &str) -> &Rules {
        let operations = self.0.get(&function);
        operations.and_then(|operations| operations.get(operation_id)).unwrap_or(&NOTHING)
    }
}

impl Rules {
    fn add(&mut self, rule: &'static Rule, level: Level, test: &'static Test) {
        let groups = match test.stage {
            Stage::Query => &mut self.query,
            Stage::Request => &mut self.request,
            Stage::Change => &mut self.change,
            Stage::Answer => &mut self.answer,
        };
        let each: Vec<&str> = test.each.split('.').filter(|step| !step.is_empty()).collect();
        match groups.iter_mut().find(|group| group.each == each) {
            Some(group) => group.tests.push((rule, level, test)),
            None => groups.push(Group { each, tests: vec![(rule, level, test)] }),
        }
    }

    /// Whether there is nothing to look at.
    #[inline]
    #[must_use]
    pub fn is_empty(&self, stage: Stage) -> bool {
        self.groups(stage).is_empty()
    }

    fn groups(&self, stage: Stage) -> &[Group] {
        match stage {
            Stage::Query => &self.query,
            Stage::Request => &self.request,
            Stage::Change => &self.change,
            Stage::Answer => &self.answer,
        }
    }

    /// What a message breaks, in the order of the rules. Pointers begin at the root of the message's document.
    #[must_use]
    pub fn broken(&self, stage: Stage, message: Node<'_>, facts: &Facts<'_>) -> Vec<Broken> {
        let (mut broken, mut wrong) = (Vec::new(), Wrong::new());
        for group in self.groups(stage) {
            visit(message, &group.each, &mut |node| {
                let case = Case { node, message, facts };
                for (rule, level, test) in &group.tests {
                    if !test.when.iter().all(|when| case.holds(when)) {
                        continue;
                    }
                    case.look(&test.must, &mut wrong);
                    for (code, pointer) in wrong.drain(..) {
                        // One paragraph may ask for several contacts; that they are missing is said once.
                        let is_told =
                            |told: &Broken| told.rule.id == rule.id && told.fault.pointer == pointer;
                        if broken.last().is_some_and(is_told) {
                            continue;
                        }
                        let fault = Fault::new(code, pointer, format!("{} ({})", rule.asks, rule.cited()));
                        broken.push(Broken { rule, level: *level, fault });
                    }
                }
            });
        }
        broken
    }
}

/// Every node at a place; `*` is every element.
fn visit<'n>(node: Node<'n>, steps: &[&str], found: &mut impl FnMut(Node<'n>)) {
    match steps {
        [] => found(node),
        ["*", rest @ ..] => node.elements().for_each(|element| visit(element, rest, found)),
        [name, rest @ ..] => {
            if let Some(child) = node.get(name) {
                visit(child, rest, found);
            }
        }
    }
}
