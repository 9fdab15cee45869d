//! Groups: objects, arrays element by element, joined arrays, rows.

use super::Compiler;
use super::condition::OnSide;
use super::form::Body;
use super::lower::{Here, Sides, Use};
use super::writers::{Elements, place};
use crate::json::query::Condition;
use crate::mapping::direction::Direction;
use crate::mapping::path::{Anchor, FieldPath, Part, Step, Term};
use crate::mapping::program::{
    self, Action, Append, Each, Gather, Group, Join, JoinTarget, Key, KeyForm, Numbering, Take,
};
use crate::mapping::raw::{Branch, KeySpec, Rule, Text};
use crate::mapping::schema::Kind;

/// What is tested and what is written, of a condition.
type Tested = (Option<Condition>, Box<[Term]>);

impl<'c> Compiler<'c> {
    /// Rules inside an object or for elements.
    pub(super) fn lower_group(
        &mut self,
        rule: &'c Rule,
        sides: &Sides,
        body: Body<'c>,
        here: &Here<'c>,
        us: &mut Use,
    ) -> Option<program::Rule> {
        let condition = self.lower_condition(rule.condition.as_ref(), &sides.place, us).ok()?;
        let inner = self.inner(rule, sides, here, us);
        us.keyed_steps(here.base(us), &sides.target);
        us.terms(inner.base(us), &condition.1);
        let joined = rule.join.is_some() || sides.sonata.every != sides.legacy.every;
        let action = if joined {
            self.lower_joined(rule, sides, body, condition, &inner, us)
        } else if sides.source.every {
            self.lower_each(rule, sides, body, condition, here, &inner, us)
        } else {
            let program::Body::Rules(rules) = self.lower_body(body, &inner, us) else { return None };
            if rules.is_empty() && !Self::required(rule, us) {
                return None;
            }
            Action::Group(program::Shared::new(Group {
                condition: condition.0,
                source: sides.source.clone(),
                target: sides.target.clone(),
                required: Self::required(rule, us),
                also: condition.1,
                rules,
            }))
        };
        Some(self.rule(rule, sides.required, action, here, us))
    }

    /// The scope inside a group.
    fn inner(&mut self, rule: &Rule, sides: &Sides, here: &Here<'c>, us: &mut Use) -> Here<'c> {
        let narrowed = self.narrowed(rule.condition.as_ref(), &sides.place);
        let mut inner = Here {
            scope: here.scope.at(narrowed),
            sonata: place(&here.sonata, &sides.sonata),
            legacy: place(&here.legacy, &sides.legacy),
            address: super::overlay::address(&here.address, rule),
            shapes: here.shapes.clone(),
            branches: here.branches.clone(),
            opposite: here.opposite.as_ref().map(|scope| {
                let place = sides.opposite.clone().unwrap_or_default();
                scope.at(Self::opposite_narrowed(rule.condition.as_ref(), place))
            }),
        };
        // Elements that two rules append to one array, or that branches make, are different elements.
        if rule.join.is_some() || rule.rows.is_some() {
            let apart = format!("#{}", us.numbered());
            match us.written() {
                OnSide::Legacy => inner.legacy.push_str(&apart),
                OnSide::Sonata if sides.sonata.every => inner.sonata.push_str(&apart),
                OnSide::Sonata => {}
            }
        }
        inner
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one rule, each used once")]
    fn lower_each(
        &mut self,
        rule: &'c Rule,
        sides: &Sides,
        body: Body<'c>,
        (condition, also): Tested,
        here: &Here<'c>,
        inner: &Here<'c>,
        us: &mut Use,
    ) -> Action {
        let required = Self::required(rule, us);
        let (source, target) = (sides.source.clone(), sides.target.clone());
        if let (Body::Rows(branches), Direction::ToLegacy) = (body, us.direction) {
            let lowered = self.lower_branches(branches, inner, us).0;
            let row_key = row_key(rule, branches, us.direction);
            let gather =
                Gather { source, target, row_key, copy: Box::default(), required, branches: lowered.into() };
            return Action::Gather(program::Shared::new(gather));
        }
        let key = rule.key.as_ref().and_then(|key| self.lower_key(key, sides, inner, us));
        if rule.rows.is_none() {
            let place = here.target(us, &sides.target);
            let elements = Elements::of(rule, &here.branches);
            us.elements(place.into(), elements, self.sources, &mut self.out);
        }
        let body = self.lower_body(body, inner, us);
        Action::Each(program::Shared::new(Each { condition, source, target, key, required, also, body }))
    }

    fn lower_key(&mut self, key: &KeySpec, sides: &Sides, inner: &Here<'c>, us: &mut Use) -> Option<Key> {
        let sonata = FieldPath::parse(key.sonata.as_str()).ok()?;
        let legacy = FieldPath::parse(key.legacy.as_str()).ok()?;
        let name = sides.sonata.steps.iter().rev().find_map(|step| match step {
            Step::Member(name) => Some(name.to_string()),
            _ => None,
        });
        let name = name.unwrap_or_else(|| "elements".to_owned());
        let arrays = (place(&inner.sonata, &sonata), place(&inner.legacy, &legacy));
        let group = us.keyed(&name, arrays);
        let place = inner.scope.find(self.schema, &sonata);
        let kind = place.and_then(|(place, _)| place.ty).map(|ty| self.schema.kind(ty));
        let form = match (us.direction, kind) {
            (Direction::ToLegacy, _) => KeyForm::Same,
            (Direction::ToSonata, Some(Kind::Number | Kind::Integer)) => KeyForm::Number,
            (Direction::ToSonata, _) => KeyForm::Text,
        };
        let number = key.number.filter(|_| us.direction == Direction::ToLegacy);
        let number = number.map(|number| Numbering { start: number.start, step: number.step });
        let (source, target) = match us.direction {
            Direction::ToLegacy => (sonata, legacy),
            Direction::ToSonata => (legacy, sonata),
        };
        let written = inner.target(us, &target);
        us.write(written.into(), &inner.branches, key.span, self.sources, &mut self.out);
        Some(Key { group, source, target, form, number, remember: key.remember })
    }

    /// Elements that belong to the scope, from an array elsewhere or to one.
    fn lower_joined(
        &mut self,
        rule: &'c Rule,
        sides: &Sides,
        body: Body<'c>,
        (condition, also): Tested,
        inner: &Here<'c>,
        us: &mut Use,
    ) -> Action {
        let required = Self::required(rule, us);
        let (source, target) = (sides.source.clone(), sides.target.clone());
        let pairs = rule.join.as_ref().map(|(_, pairs)| pairs.as_slice()).unwrap_or_default();
        // The array elsewhere is the legacy one, unless only the Sonata one is: `$.note[*]` joined to `lines`.
        let on_sonata = sides.sonata.every
            && (!sides.legacy.every
                || (sides.sonata.anchor == Anchor::Root && sides.legacy.anchor != Anchor::Root));
        let reads_elsewhere = on_sonata == (us.read() == OnSide::Sonata);
        if reads_elsewhere {
            let take = if rule.take_first.is_some() { Take::First } else { Take::All };
            let on = pairs.iter().filter_map(|(element, scope)| both(element, scope)).collect();
            let body = self.lower_body(body, inner, us);
            let target = if target.every { JoinTarget::Every(target) } else { JoinTarget::One(target) };
            return Action::Join(program::Shared::new(Join {
                condition,
                source,
                on,
                take,
                target,
                required,
                also,
                body,
            }));
        }
        let copy: Box<[_]> = pairs.iter().filter_map(|(element, scope)| both(scope, element)).collect();
        for (_, target) in &copy {
            us.along(inner.target(us, target).into());
        }
        if let Body::Rows(branches) = body {
            let lowered = self.lower_branches(branches, inner, us).0;
            let row_key = row_key(rule, branches, us.direction);
            let gather = Gather { source, target, row_key, copy, required, branches: lowered.into() };
            return Action::Gather(program::Shared::new(gather));
        }
        let program::Body::Rules(rules) = self.lower_body(body, inner, us) else {
            return Action::Gather(program::Shared::new(Gather {
                source,
                target,
                row_key: Box::default(),
                copy,
                required,
                branches: program::Shared::default(),
            }));
        };
        Action::Append(program::Shared::new(Append {
            condition,
            source,
            target,
            copy,
            required,
            also,
            rules,
        }))
    }
}

fn both(first: &Text, second: &Text) -> Option<(FieldPath, FieldPath)> {
    Some((FieldPath::parse(first.as_str()).ok()?, FieldPath::parse(second.as_str()).ok()?))
}

/// The members that say which elements are one row: the written ones, else the source paths of those pairs that
/// stand alike in every branch.
fn row_key(rule: &Rule, branches: &[Branch], direction: Direction) -> Box<[FieldPath]> {
    if !rule.row_key.is_empty() {
        return rule.row_key.iter().filter_map(|text| FieldPath::parse(text.as_str()).ok()).collect();
    }
    let Some((first, others)) = branches.split_first() else { return Box::default() };
    let alike = |pair: &&Rule| {
        let same = |other: &Rule| {
            let text = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
            text(&other.sonata) == text(&pair.sonata) && text(&other.legacy) == text(&pair.legacy)
        };
        others.iter().all(|branch| branch.fields.iter().any(same))
    };
    let source = |pair: &Rule| {
        let (source, other) = match direction {
            Direction::ToLegacy => (&pair.sonata, &pair.legacy),
            Direction::ToSonata => (&pair.legacy, &pair.sonata),
        };
        other.as_ref()?;
        FieldPath::parse(source.as_ref()?.as_str()).ok().filter(|path| path.part == Part::Body)
    };
    first.fields.iter().filter(alike).filter_map(source).collect()
}
