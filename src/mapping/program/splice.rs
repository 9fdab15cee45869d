//! What is known beforehand of a program that leaves most of a message as it is, as the bridges' do.
//!
//! The rules of such a program nearly all say of one member that it stays. Here they are put the other way round: for
//! each member that a message may have what becomes of it. So a message is walked by what is in it, only where something in
//! there may change, and what stays is copied in pieces. What rules say besides that is done by the rules
//! themselves, as ever; and of a list of rules that cannot be put so there is no splice.

use super::joined::join;
use super::whole::{Hoist, Whole, hoisted, whole};
use super::writes::{first, only, writes};
use super::{
    Action, Argument, Body, Branch, CodesUse, Each, Group, JoinTarget, OneOf, Otherwise, Pair, Program,
};
use super::{Rule, Source, Transform};
use crate::json::query::{self, Step as QueryStep};
use crate::json::{Name, Names};
use crate::mapping::direction::Direction;
use crate::mapping::path::{Anchor, FieldPath, Part, Step, Term};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The splice of a program, if it has one. It follows from the rules, so programs are compared without it.
#[derive(Clone, Default)]
pub struct Spliced {
    own: Option<Splice>,
    onward: Option<Onward>,
}

/// What a program and those that come after it on a way do together.
#[derive(Debug, Clone)]
pub struct Onward {
    /// How many programs that are.
    pub count: usize,
    /// What they do.
    pub splice: Splice,
}

/// What becomes of a value. Cloning shares.
#[derive(Debug, Clone)]
pub enum Splice {
    /// It stays as it is.
    Whole,
    /// An object, member by member.
    Members(Arc<Members>),
    /// An array, element by element.
    Elements(Arc<Self>),
    /// One of several, by what the value says.
    Choice(Arc<Choice>),
    /// A text of a table of codes.
    Codes(CodesUse),
    /// One of several, by the text of a member.
    Cases(Arc<Cases>),
    /// The first, and then of what came of it the second.
    Both(Arc<(Self, Self)>),
}

/// One of several, by the text of a member; made of choices that follow each other.
#[derive(Debug)]
pub struct Cases {
    /// The name of the member.
    pub member: Box<str>,
    /// Its texts, and what is done with each; none: the rules shall tell.
    pub cases: Box<[(Box<str>, Option<Splice>)]>,
    /// What is done with other texts, and without any; none: the rules shall tell.
    pub otherwise: Option<Splice>,
}

/// What becomes of the members of an object. Those that are not named are left out.
#[derive(Debug)]
pub struct Members {
    /// The numbers of [`Members::all`].
    pub names: Names,
    /// By the number of the name.
    pub all: Box<[MemberRule]>,
    /// The [`MemberRule::must`] of all of them.
    pub musts: u64,
    /// Terms that are written; each is one member.
    pub terms: Box<[Term]>,
    /// Rules that do not hang on one member, in order.
    pub others: Box<[Rule]>,
    /// Members without any of which these rules do nothing; none: they may do something all the same.
    pub others_on: Option<Box<[Name]>>,
    /// What is made of the object itself, after that.
    pub wholes: Box<[Whole]>,
    /// Whether they are those of several programs. What the absence of a member demands of each is not put together.
    pub is_joined: bool,
}

/// What becomes of one member.
#[derive(Debug, Clone)]
pub struct MemberRule {
    /// A bit of its own if something has to be done where the member is absent or null.
    pub must: u64,
    /// What becomes of it.
    pub act: Act,
}

/// What becomes of one member where it stands.
#[derive(Debug, Clone)]
pub enum Act {
    /// It stays; `null` only if so said.
    Keep(Rule, bool),
    /// It stays under its name, and what is in it is looked at.
    Inside(Rule, Splice),
    /// The same of the elements of an array.
    Every(Rule, Splice),
    /// It, or what is in it, is written elsewhere; what is in that is looked at, too.
    Move(Box<Move>),
    /// Its members, or those of what is in it, become members of the object that it is a member of.
    Hoist(Box<Hoist>),
    /// This rule reads it, and does nothing without it.
    Run(Rule),
    /// It becomes the value of the term of this number.
    Term(usize),
}

/// What is written under another name than it is read by.
#[derive(Debug, Clone)]
pub struct Move {
    /// The rule.
    pub rule: Rule,
    /// The element of the member that is meant; none: the member itself.
    pub element: Option<usize>,
    /// The name that is written, once, by this rule alone.
    pub name: Name,
    /// Whether it is the one element of an array there.
    pub is_wrapped: bool,
    /// What becomes of it.
    pub inner: Splice,
}

/// The name of a member, and the text of it that each branch asks for.
pub type Discriminator = (Box<str>, Box<[Box<str>]>);

/// One of several, by what a value says.
#[derive(Debug)]
pub struct Choice {
    /// The rule.
    pub rule: Rule,
    /// Where all conditions ask for a text of one and the same member: its name and the text of each branch.
    pub by: Option<Discriminator>,
    /// Of each branch of the rule; none: its rules are run.
    pub branches: Box<[Option<Splice>]>,
    /// Of `else`; none: what the rule says is done.
    pub otherwise: Option<Splice>,
}

impl Program {
    /// The same, which copies what it leaves as it is in pieces where it can.
    #[must_use]
    pub fn spliced(mut self) -> Self {
        let splice =
            if self.rules.iter().all(is_local) { splice(&self.rules, &[], self.direction) } else { None };
        self.splice = Spliced { own: splice, onward: None };
        self
    }

    /// The same as the first of several on one way, knowing what it does together with those that can be put together.
    #[must_use]
    pub fn followed_by(&self, others: &[Arc<Self>]) -> Self {
        Self { splice: Spliced { onward: join(self, others), ..self.splice.clone() }, ..self.clone() }
    }
}

impl Spliced {
    /// The splice.
    #[must_use]
    pub fn get(&self) -> Option<&Splice> {
        self.own.as_ref()
    }

    /// What the program does together with those that follow it on a way; none where nothing is known of that.
    #[must_use]
    pub fn onward(&self) -> Option<&Onward> {
        self.onward.as_ref()
    }
}

impl PartialEq for Spliced {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Spliced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.own.is_some() { "spliced" } else { "not spliced" })
    }
}

/// Whether a rule and all in it write below their own scope and read nothing that was written.
fn is_local(rule: &Rule) -> bool {
    let is_below = |path: &FieldPath| path.anchor == Anchor::Scope || path.part != Part::Body;
    match &rule.action {
        Action::Pair(pair) => is_below(&pair.target) && pair.transforms.iter().all(is_blind),
        Action::Group(group) => is_below(&group.target) && group.rules.iter().all(is_local),
        Action::Each(each) => each.key.is_none() && is_below(&each.target) && is_local_body(&each.body),
        Action::Join(join) => {
            let (JoinTarget::One(target) | JoinTarget::Every(target)) = &join.target;
            is_below(target) && is_local_body(&join.body)
        }
        Action::OneOf(one_of) => {
            let is_other_local = match &one_of.otherwise {
                Otherwise::Rules(rules) => rules.iter().all(is_local),
                Otherwise::Nothing | Otherwise::Refuse(_) => true,
            };
            is_other_local && one_of.branches.iter().all(is_local_branch)
        }
        Action::Append(_) | Action::Gather(_) => false,
    }
}

fn is_local_body(body: &Body) -> bool {
    match body {
        Body::Rules(rules) => rules.iter().all(is_local),
        Body::Rows(branches) => branches.iter().all(is_local_branch),
    }
}

fn is_local_branch(branch: &Branch) -> bool {
    branch.rules.iter().all(is_local)
}

fn is_blind(transform: &Transform) -> bool {
    match transform {
        Transform::Convert(convert) => !matches!(convert.argument, Some(Argument::Target(_))),
        Transform::Ref { .. } | Transform::Key { .. } => false,
        Transform::Codes(_) | Transform::Script(_) => true,
    }
}

/// What these rules do to a value, with terms that are written as well.
pub(super) fn splice(rules: &[Rule], terms: &[Term], way: Direction) -> Option<Splice> {
    if let ([rule], []) = (rules, terms) {
        match &rule.action {
            Action::Pair(pair) if pair.source_is(FieldPath::is_scope) && !pair.null_allowed => {
                if let Some(carried) = carried(pair) {
                    return pair.target.is_scope().then_some(carried);
                }
            }
            Action::OneOf(one_of) => return Some(choice(rule, one_of, way)),
            Action::Each(each) if is_array_itself(each) => {
                return elements(each, way).map(|inner| Splice::Elements(Arc::new(inner)));
            }
            _ => {}
        }
    }
    members(&flat(rules, way), terms, way).map(|members| Splice::Members(Arc::new(members)))
}

/// The rules, with those of groups at the same place in the place of the group, where that comes to the same: where they
/// write nothing that a group of only that would take back.
fn flat(rules: &[Rule], way: Direction) -> Vec<Rule> {
    let mut all = Vec::with_capacity(rules.len());
    for rule in rules {
        match &rule.action {
            Action::Group(group)
                if is_in_place(group) && group.rules.iter().all(|rule| is_quiet(rule, way)) =>
            {
                all.extend(flat(&group.rules, way));
            }
            _ => all.push(rule.clone()),
        }
    }
    all
}

fn is_in_place(group: &Group) -> bool {
    let is_plain = group.condition.is_none() && group.also.is_empty() && !group.required;
    is_plain && group.source.is_scope() && group.target.is_scope()
}

/// Whether a rule writes something of the message or nothing.
fn is_quiet(rule: &Rule, way: Direction) -> bool {
    match &rule.action {
        Action::Pair(pair) => {
            let is_read = pair.source_is(|path| path.part == Part::Body);
            is_read && pair.default.is_none() && !reads_absent(pair, way)
        }
        Action::Group(group) => {
            !group.target.is_scope()
                || (is_in_place(group) && group.rules.iter().all(|rule| is_quiet(rule, way)))
        }
        Action::Each(_) | Action::Join(_) => true,
        Action::Append(_) | Action::Gather(_) | Action::OneOf(_) => false,
    }
}

/// What becomes of the value of a pair that does nothing but write it, as it is or by a table.
fn carried(pair: &Pair) -> Option<Splice> {
    let is_plain = pair.condition.is_none() && pair.also.is_empty();
    match &*pair.transforms {
        [] if is_plain => Some(Splice::Whole),
        [Transform::Codes(codes)] if is_plain && !codes.all => Some(Splice::Codes(codes.clone())),
        _ => None,
    }
}

fn is_array_itself(each: &Each) -> bool {
    let is_scope = |path: &FieldPath| path.anchor == Anchor::Scope && path.steps.is_empty();
    is_scope(&each.source) && is_scope(&each.target) && !each.required
}

fn elements(each: &Each, way: Direction) -> Option<Splice> {
    let is_plain = each.condition.is_none() && each.also.is_empty() && each.key.is_none();
    match &each.body {
        Body::Rules(rules) if is_plain => splice(rules, &[], way),
        _ => None,
    }
}

pub(super) fn choice(rule: &Rule, one_of: &OneOf, way: Direction) -> Splice {
    let branches = one_of.branches.iter().map(|branch| splice(&branch.rules, &branch.also, way));
    let otherwise = match &one_of.otherwise {
        Otherwise::Rules(rules) => splice(rules, &[], way),
        Otherwise::Nothing | Otherwise::Refuse(_) => None,
    };
    let (rule, branches, by) = (rule.clone(), branches.collect(), discriminator(&one_of.branches));
    Splice::Choice(Arc::new(Choice { rule, by, branches, otherwise }))
}

/// The member whose text alone decides, and the texts.
fn discriminator(branches: &[Branch]) -> Option<Discriminator> {
    let texts = branches.iter().map(|branch| {
        let condition = branch.condition.as_ref().filter(|condition| condition.is_equalities_only())?;
        let [one] = *condition.equalities() else { return None };
        let (query::Origin::Scope, [QueryStep::Name(name)]) = (one.path.origin, &*one.path.steps) else {
            return None;
        };
        let query::Literal::Text(text) = one.literal else { return None };
        Some((name.clone(), text.clone()))
    });
    let texts: Vec<(Box<str>, Box<str>)> = texts.collect::<Option<_>>()?;
    let member = texts.first()?.0.clone();
    texts
        .iter()
        .all(|(name, _)| *name == member)
        .then(|| (member, texts.into_iter().map(|(_, text)| text).collect()))
}

/// What members these rules name; none where they write something else than members of their scope.
fn members(rules: &[Rule], terms: &[Term], way: Direction) -> Option<Members> {
    let terms_written: Vec<&str> = terms.iter().map(only).collect::<Option<_>>()?;
    let written: Vec<Vec<&str>> = rules.iter().map(writes).collect::<Option<_>>()?;
    let triggers: Vec<Option<&str>> = rules.iter().map(trigger).collect();
    let writers = counted(written.iter().flatten().chain(&terms_written).copied());
    let readers = counted(triggers.iter().flatten().copied());
    let (mut named, mut others, mut wholes) = (Named::default(), Vec::new(), Vec::new());
    for (index, name) in terms_written.iter().enumerate() {
        // Rules that write it too come later, and win.
        (writers.get(name) == Some(&1) && !readers.contains_key(name)).then_some(())?;
        named.add(name, true, Act::Term(index))?;
    }
    for ((rule, written), trigger) in rules.iter().zip(&written).zip(&triggers) {
        let is_alone = written.iter().all(|name| writers.get(name) == Some(&1));
        match trigger.filter(|name| is_alone && readers.get(name) == Some(&1)) {
            Some(name) => named.add(name, acts_on_absence(rule, way), act(rule, way))?,
            None => match whole(rule, way).filter(|_| is_alone) {
                Some(whole) => wholes.push(whole),
                None => others.push(rule.clone()),
            },
        }
    }
    let others_on = hangs_on(&others, way);
    Some(Members { others: others.into(), others_on, wholes: wholes.into(), ..named.with(terms) })
}

/// How often each name is there.
fn counted<'n>(names: impl Iterator<Item = &'n str>) -> HashMap<&'n str, usize> {
    let mut counts = HashMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

impl Members {
    /// The members with their names.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &MemberRule)> {
        self.names.texts().zip(&self.all)
    }
}

/// Members that have to be there, at most: each has a bit. With more the rules are run one by one.
const MUSTS_MAX: u32 = u64::BITS;

/// Members in the making.
#[derive(Default)]
pub(super) struct Named<'n> {
    names: Vec<&'n str>,
    all: Vec<MemberRule>,
    musts: u32,
}

impl<'n> Named<'n> {
    /// Adds one; none beyond [`MUSTS_MAX`].
    pub(super) fn add(&mut self, name: &'n str, is_must: bool, act: Act) -> Option<()> {
        if is_must && self.musts == MUSTS_MAX {
            return None;
        }
        let must = if is_must { 1 << self.musts } else { 0 };
        self.musts += u32::from(is_must);
        self.names.push(name);
        self.all.push(MemberRule { must, act });
        Some(())
    }

    pub(super) fn with(self, terms: &[Term]) -> Members {
        Members {
            names: Names::new(self.names),
            musts: self.all.iter().fold(0, |musts, member| musts | member.must),
            all: self.all.into(),
            terms: terms.into(),
            others: Box::default(),
            others_on: None,
            wholes: Box::default(),
            is_joined: false,
        }
    }
}

/// Members without any of which these rules do nothing.
fn hangs_on(rules: &[Rule], way: Direction) -> Option<Box<[Name]>> {
    let names = rules.iter().map(|rule| trigger(rule).filter(|_| !acts_on_absence(rule, way)));
    let mut names: Vec<&str> = names.collect::<Option<_>>()?;
    names.sort_unstable();
    names.dedup();
    Some(names.into_iter().map(Name::new).collect())
}

/// The member of its scope on which a rule hangs: without it nothing is done, but what absence demands.
fn trigger(rule: &Rule) -> Option<&str> {
    let source = match &rule.action {
        Action::Pair(pair) => match &pair.source {
            Source::Path(path) => path,
            _ => return None,
        },
        Action::Group(group) => &group.source,
        Action::Each(each) => &each.source,
        _ => return None,
    };
    first(source)
}

fn reads_absent(pair: &Pair, way: Direction) -> bool {
    pair.transforms.iter().any(|one| match one {
        Transform::Convert(convert) => convert.converter.reads_absent(way),
        _ => false,
    })
}

/// Whether something is done where the member is absent.
fn acts_on_absence(rule: &Rule, way: Direction) -> bool {
    match &rule.action {
        Action::Pair(pair) => pair.required || pair.default.is_some() || reads_absent(pair, way),
        Action::Group(group) => group.required,
        Action::Each(each) => each.required,
        _ => true,
    }
}

/// What becomes of the member that a rule hangs on.
fn act(rule: &Rule, way: Direction) -> Act {
    let kept = match &rule.action {
        Action::Pair(pair) if pair.source_is(|source| is_same_member(source, &pair.target)) => {
            match carried(pair) {
                Some(Splice::Whole) => Some(Act::Keep(rule.clone(), pair.null_allowed)),
                Some(codes) if !pair.null_allowed => Some(Act::Inside(rule.clone(), codes)),
                _ => None,
            }
        }
        Action::Group(group) => inside(group, way).map(|splice| Act::Inside(rule.clone(), splice)),
        Action::Each(each) => is_same_member(&each.source, &each.target)
            .then(|| elements(each, way))
            .flatten()
            .map(|splice| Act::Every(rule.clone(), splice)),
        _ => None,
    };
    kept.or_else(|| moved(rule, way).map(|moved| Act::Move(Box::new(moved))))
        .or_else(|| hoisted(rule, way).map(|hoist| Act::Hoist(Box::new(hoist))))
        .unwrap_or_else(|| Act::Run(rule.clone()))
}

/// What is written under another name, or into an array of one, or from there.
fn moved(rule: &Rule, way: Direction) -> Option<Move> {
    let (source, target, inner) = match &rule.action {
        Action::Pair(pair) if !pair.null_allowed => match &pair.source {
            Source::Path(source) => (source, &pair.target, carried(pair)?),
            _ => return None,
        },
        Action::Group(group) if group.condition.is_none() && group.also.is_empty() => {
            (&group.source, &group.target, splice(&group.rules, &[], way)?)
        }
        _ => return None,
    };
    let (_, element) = only_step(source)?;
    let (name, index) = only_step(target)?;
    let is_one = index.is_none_or(|index| index == 0) && target.part == Part::Body;
    let (rule, name) = (rule.clone(), name.clone());
    is_one.then_some(Move { rule, element, name, is_wrapped: index.is_some(), inner })
}

/// A member, or an element of a member.
pub(super) fn only_step(path: &FieldPath) -> Option<(&Name, Option<usize>)> {
    match &*path.steps {
        _ if path.every || path.anchor == Anchor::Root => None,
        [Step::Member(name)] => Some((name, None)),
        [Step::Member(name), Step::Index(index)] => Some((name, Some(*index))),
        _ => None,
    }
}

fn inside(group: &Group, way: Direction) -> Option<Splice> {
    let is_plain = group.condition.is_none() && group.also.is_empty();
    (is_plain && is_same_member(&group.source, &group.target))
        .then(|| splice(&group.rules, &[], way))
        .flatten()
}

/// Whether both are one member of the scope, whole.
fn is_same_member(source: &FieldPath, target: &FieldPath) -> bool {
    let is_one = |path: &FieldPath| path.steps.len() == 1 && first(path).is_some();
    is_one(source) && source == target
}

impl Pair {
    fn source_is(&self, is: impl FnOnce(&FieldPath) -> bool) -> bool {
        match &self.source {
            Source::Path(path) => is(path),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, MUSTS_MAX, Named};

    #[test]
    fn there_is_a_most_of_members_that_have_to_be_there() {
        let mut named = Named::default();
        for _ in 0..MUSTS_MAX {
            assert!(named.add("a", true, Act::Term(0)).is_some());
        }
        assert!(named.add("one more", true, Act::Term(0)).is_none());
        assert!(named.add("free", false, Act::Term(0)).is_some());
        let all = named.with(&[]);
        assert_eq!((all.musts, all.all.len()), (u64::MAX, MUSTS_MAX as usize + 1));
    }
}
