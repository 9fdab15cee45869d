//! What a partner's settings leave of the rules for one operation, ready to be run.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use foldhash::fast::RandomState;

use super::{
    Facts, Level, RELEASE, Rule, Stage, all,
    test::{Asked, Case, Place, Test, Wrong},
};
use crate::{
    json::Node,
    sonata::{Fault, FaultCode, Function, Release},
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
    query: Looks,
    request: Looks,
    change: Looks,
    answer: Looks,
}

/// What is looked at in one message.
#[derive(Debug, Clone)]
struct Looks {
    /// Conditions on the message as a whole, each once: they are asked once for a message, not for every node.
    whole: Vec<Asked>,
    groups: Vec<Group>,
}

/// Looks at the same nodes, so that these are found once.
#[derive(Debug, Clone)]
struct Group {
    each: Vec<&'static str>,
    looks: Vec<Look>,
}

/// One test, its places split.
#[derive(Debug, Clone)]
struct Look {
    rule: &'static Rule,
    level: Level,
    test: &'static Test,
    /// Bits of the conditions in [`Looks::whole`] that must hold.
    whole: u64,
    /// The other conditions.
    own: Vec<Asked>,
    place: Option<Place>,
}

/// The rules of all operations, under one partner's settings.
#[derive(Debug, Default)]
pub struct RuleBook(HashMap<Function, HashMap<&'static str, Rules, RandomState>, RandomState>);

/// Nothing is asked.
static NOTHING: Rules =
    Rules { query: Looks::NONE, request: Looks::NONE, change: Looks::NONE, answer: Looks::NONE };

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
        let looks = match test.stage {
            Stage::Query => &mut self.query,
            Stage::Request => &mut self.request,
            Stage::Change => &mut self.change,
            Stage::Answer => &mut self.answer,
        };
        looks.add(rule, level, test);
    }

    /// Whether there is nothing to look at.
    #[inline]
    #[must_use]
    pub fn is_empty(&self, stage: Stage) -> bool {
        self.looks(stage).groups.is_empty()
    }

    fn looks(&self, stage: Stage) -> &Looks {
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
        let looks = self.looks(stage);
        let held = looks.held(&Case { node: message, message, facts });
        let (mut broken, mut wrong) = (Vec::new(), Wrong::new());
        for group in &looks.groups {
            if group.looks.iter().all(|look| look.whole & !held != 0) {
                continue;
            }
            visit(message, &group.each, &mut |node| {
                let case = Case { node, message, facts };
                for look in group.looks.iter().filter(|look| look.whole & !held == 0) {
                    look.at(&case, &mut wrong);
                    for (code, pointer) in wrong.drain(..) {
                        look.tell(code, pointer, &mut broken);
                    }
                }
            });
        }
        broken
    }
}

impl Default for Looks {
    fn default() -> Self {
        Self::NONE
    }
}

impl Looks {
    const NONE: Self = Self { whole: Vec::new(), groups: Vec::new() };

    fn add(&mut self, rule: &'static Rule, level: Level, test: &'static Test) {
        let each: Vec<&str> = test.each.split('.').filter(|step| !step.is_empty()).collect();
        let (mut whole, mut own) = (0, Vec::new());
        for when in test.when {
            let asked = Asked::read(when);
            match self.place_of(&asked, each.is_empty()) {
                Some(place) => whole |= 1 << place,
                None => own.push(asked),
            }
        }
        let look = Look { rule, level, test, whole, own, place: test.must.place() };
        match self.groups.iter_mut().find(|group| group.each == each) {
            Some(group) => group.looks.push(look),
            None => self.groups.push(Group { each, looks: vec![look] }),
        }
    }

    /// Where a condition on the whole message stands, which is noted; none of another, or where as many are noted as
    /// there are bits.
    fn place_of(&mut self, asked: &Asked, is_of_message: bool) -> Option<usize> {
        // Of the message itself all conditions are, but what is written differently need not be found to be the same.
        if !(is_of_message || asked.is_of_whole()) {
            return None;
        }
        let known = self.whole.iter().position(|known| known.when == asked.when);
        let place = known.or_else(|| {
            self.whole.push(asked.clone());
            Some(self.whole.len() - 1)
        });
        place.filter(|place| *place < u64::BITS as usize)
    }

    /// The bits of the conditions on the whole message that hold.
    fn held(&self, message: &Case<'_>) -> u64 {
        let bits = self.whole.iter().take(u64::BITS as usize).enumerate();
        bits.fold(0, |held, (place, asked)| held | u64::from(message.holds(asked)) << place)
    }
}

impl Look {
    /// What is wrong at a node, the conditions on the whole message holding.
    fn at(&self, case: &Case<'_>, wrong: &mut Wrong) {
        if self.own.iter().all(|asked| case.holds(asked)) {
            let at = self.place.as_ref().and_then(|place| case.found(place));
            case.look(&self.test.must, at, wrong);
        }
    }

    #[cold]
    fn tell(&self, code: FaultCode, pointer: String, broken: &mut Vec<Broken>) {
        // One paragraph may ask for several contacts; that they are missing is said once.
        let is_told = |told: &Broken| told.rule.id == self.rule.id && told.fault.pointer == pointer;
        if broken.last().is_some_and(is_told) {
            return;
        }
        let reason = format!("{} ({})", self.rule.asks, self.rule.cited());
        let fault = Fault::new(code, pointer, reason);
        broken.push(Broken { rule: self.rule, level: self.level, fault });
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
