//! Making one change.

use std::sync::Arc;

use super::{Change, Mutant, Way};
use crate::{
    json::query::Condition,
    mapping::{
        codes::{CodeTable, Row},
        direction::Direction,
        path::{Anchor, FieldPath, Literal, Part, Step, Term},
        program::{
            Action, Body, Branch, CodesUse, Constant, Key, Marks, OnFailure, Origin, Otherwise, Pair,
            Program, Rule, RuleBody, Shared, Source, Transform,
        },
    },
};

/// One change under way.
pub(super) struct Edit<'m> {
    pub mutant: &'m Mutant,
    /// Whether anything was changed so far.
    pub changed: bool,
}

impl Edit<'_> {
    pub fn is_at(&self, origin: &Origin, direction: Way) -> bool {
        let (file, line, column) = &self.mutant.place;
        self.mutant.direction == direction
            && origin.line == *line
            && origin.column == *column
            && origin.file == *file
    }

    pub fn program(&mut self, program: &mut Arc<Program>) {
        let direction = program.direction;
        if self.mutant.direction != direction.into() {
            return;
        }
        let mut copy = Program::clone(program);
        let before = std::mem::replace(&mut self.changed, false);
        self.rules(&mut copy.rules, direction);
        if self.changed {
            copy.mark();
            *program = Arc::new(copy);
        }
        self.changed |= before;
    }

    fn rules(&mut self, rules: &mut Shared<[Rule]>, direction: Direction) {
        if self.mutant.change == Change::Dropped {
            let before = rules.len();
            let kept = std::mem::take(rules).into_iter();
            *rules = kept.filter(|rule| !self.is_at(&rule.origin, direction.into())).collect();
            self.changed |= rules.len() < before;
        }
        for rule in rules {
            let here = self.is_at(&rule.origin, direction.into());
            self.rule(rule, here, direction);
        }
    }

    fn branches(&mut self, branches: &mut Shared<[Branch]>, direction: Direction) {
        if self.mutant.change == Change::Dropped {
            let before = branches.len();
            let kept = std::mem::take(branches).into_iter();
            *branches = kept.filter(|branch| !self.is_at(&branch.origin, direction.into())).collect();
            self.changed |= branches.len() < before;
        }
        for branch in branches {
            let here = self.is_at(&branch.origin, direction.into());
            self.scope(here, &mut branch.condition, Some(&mut branch.also));
            self.rules(&mut branch.rules, direction);
        }
    }

    fn body(&mut self, body: &mut Body, direction: Direction) {
        match body {
            Body::Rules(rules) => self.rules(rules, direction),
            Body::Rows(branches) => self.branches(branches, direction),
        }
    }

    fn rule(&mut self, rule: &mut Rule, here: bool, direction: Direction) {
        match &mut rule.action {
            Action::Pair(pair) => {
                let pair = &mut **pair;
                self.scope(here, &mut pair.condition, Some(&mut pair.also));
                if here {
                    self.pair(pair, direction);
                }
            }
            Action::Group(group) => {
                let group = &mut **group;
                self.scope(here, &mut group.condition, Some(&mut group.also));
                self.rules(&mut group.rules, direction);
            }
            Action::Each(each) => {
                let each = &mut **each;
                self.scope(here, &mut each.condition, Some(&mut each.also));
                if here {
                    self.numbering(each.key.as_mut());
                }
                self.body(&mut each.body, direction);
            }
            Action::Join(join) => {
                let join = &mut **join;
                self.scope(here, &mut join.condition, Some(&mut join.also));
                self.body(&mut join.body, direction);
            }
            Action::Append(append) => {
                let append = &mut **append;
                self.scope(here, &mut append.condition, Some(&mut append.also));
                self.rules(&mut append.rules, direction);
            }
            Action::Gather(gather) => self.branches(&mut gather.branches, direction),
            Action::OneOf(one_of) => {
                self.branches(&mut one_of.branches, direction);
                match &mut one_of.otherwise {
                    Otherwise::Rules(rules) => self.rules(rules, direction),
                    Otherwise::Refuse(_) if here && self.mutant.change == Change::RefusalDropped => {
                        one_of.otherwise = Otherwise::Nothing;
                        self.changed = true;
                    }
                    Otherwise::Refuse(_) | Otherwise::Nothing => {}
                }
            }
        }
    }

    fn scope(&mut self, here: bool, condition: &mut Option<Condition>, also: Option<&mut Box<[Term]>>) {
        match (here, self.mutant.change, also) {
            (true, Change::ConditionDropped, _) => self.changed |= condition.take().is_some(),
            (true, Change::TermsDropped, Some(also)) => self.changed |= !std::mem::take(also).is_empty(),
            _ => {}
        }
    }

    fn numbering(&mut self, key: Option<&mut Key>) {
        let numbering = key.and_then(|key| key.number.as_mut());
        if let (Change::NumberingChanged, Some(numbering)) = (self.mutant.change, numbering) {
            numbering.start += 1;
            self.changed = true;
        }
    }

    fn pair(&mut self, pair: &mut Pair, direction: Direction) {
        match self.mutant.change {
            Change::ConstantChanged => {
                if let Source::Constant(constant) = &mut pair.source {
                    *constant = other(constant);
                    self.changed = true;
                }
            }
            Change::DefaultDropped => self.changed |= pair.default.take().is_some(),
            Change::ConverterDropped => {
                let before = pair.transforms.len();
                let all = std::mem::take(&mut pair.transforms).into_iter();
                pair.transforms = all.filter(|transform| matches!(transform, Transform::Codes(_))).collect();
                self.changed |= pair.transforms.len() < before;
            }
            Change::CodesShifted => {
                for transform in &mut pair.transforms {
                    if let Transform::Codes(CodesUse { table, .. }) = transform {
                        *table = Arc::new(shifted(table, direction));
                        self.changed = true;
                    }
                }
            }
            _ => {}
        }
    }
}

/// A rule that fails on every message.
pub(super) fn refusal(origin: &Origin) -> Rule {
    let nowhere = FieldPath {
        part: Part::Body,
        anchor: Anchor::Root,
        steps: [Step::Member("\u{0}".into())].into(),
        every: false,
    };
    let pair = Pair {
        condition: None,
        source: Source::Path(nowhere.clone()),
        transforms: Box::default(),
        default: None,
        required: true,
        null_allowed: false,
        target: nowhere,
        also: Box::default(),
    };
    Rule::new(RuleBody {
        origin: origin.clone(),
        on_failure: OnFailure::Fail,
        action: Action::Pair(Shared::new(pair)),
        lossy: crate::mapping::program::Lossy::default(),
        marks: Marks::default(),
    })
}

/// A constant that is not this one.
fn other(constant: &Constant) -> Constant {
    let text = |text: &str| Literal::Text(format!("{text}~").into());
    Constant::Literal(match constant {
        Constant::Literal(Literal::Bool(value)) => Literal::Bool(!value),
        Constant::Literal(Literal::Number(number)) => {
            let next = number.parse::<i64>().map_or(0, |number| number.wrapping_add(1));
            Literal::Number(next.to_string().into())
        }
        Constant::Literal(Literal::Text(was)) => text(was),
        Constant::Literal(Literal::Null | Literal::EmptyArray | Literal::EmptyObject)
        | Constant::Document(_) => text(""),
    })
}

/// The table with every row writing what the next one writes; with a single value to write, nothing.
fn shifted(table: &CodeTable, direction: Direction) -> CodeTable {
    let written = |row: &Row| match direction {
        Direction::ToLegacy => row.legacy.clone(),
        Direction::ToSonata => row.sonata.clone(),
    };
    let mut rows = table.rows().to_vec();
    let places: Vec<usize> = (0..rows.len()).filter(|place| !written(&rows[*place]).is_empty()).collect();
    let values: Vec<Vec<String>> = places.iter().map(|place| written(&rows[*place])).collect();
    let first = values.first().cloned().unwrap_or_default();
    let single = values.iter().all(|value| value.first() == first.first());
    for (index, place) in places.iter().enumerate() {
        // The next row that writes something else: neighbours may be alike.
        let mut next = (1..values.len()).map(|step| &values[(index + step) % values.len()]);
        let next = next.find(|value| value.first() != values[index].first());
        let value = if single { Vec::new() } else { next.cloned().unwrap_or_default() };
        match direction {
            Direction::ToLegacy => rows[*place].legacy = value,
            Direction::ToSonata => rows[*place].sonata = value,
        }
    }
    CodeTable::new(rows, table.writes(Direction::ToSonata), table.writes(Direction::ToLegacy))
}
