//! What several programs on one way do together, as bridges in a row: put together beforehand, so that a message is walked
//! once and not once for each.
//!
//! Of a member that one program keeps, renames or looks into, the next says what becomes of what came of it. Where rules do
//! more than that, both are done one after the other, for that value alone ([`Splice::Both`]). What is put together holds for
//! messages of which all comes over: whoever carries one and sees anything else does the programs one by one.

use super::splice::{Act, Cases, MemberRule, Members, Move, Named, Onward, Splice};
use super::writes::{first, only, writes};
use super::{Action, Argument, Body, Branch, Otherwise, Pair, Program, Rule, Source, Transform};
use crate::json::query::{Condition, Origin};
use crate::mapping::path::{Anchor, FieldPath, Literal, Part, Term};
use std::sync::Arc;

/// What a program does together with as many of those behind it as can be put together; none: it stands alone.
pub(super) fn join(program: &Program, others: &[Arc<Program>]) -> Option<Onward> {
    let (mut splice, mut count) = (program.splice.get()?.clone(), 1);
    for other in others {
        let Some(next) = other.splice.get().filter(|_| other.rules.iter().all(stays_inside)) else { break };
        splice = both(&splice, next);
        count += 1;
    }
    (count > 1 && program.rules.iter().all(is_of_body)).then_some(Onward { count, splice })
}

/// Whether a rule is about the body alone.
fn is_of_body(rule: &Rule) -> bool {
    match &rule.action {
        Action::Pair(pair) => pair.target.part == Part::Body,
        _ => true,
    }
}

/// Whether a rule and all in it read below their own scope alone, and of the body: what stands elsewhere in the message is that of
/// another release there.
fn stays_inside(rule: &Rule) -> bool {
    let all = |rules: &[Rule]| rules.iter().all(stays_inside);
    let branches = |branches: &[Branch]| {
        branches.iter().all(|branch| is_own_condition(branch.condition.as_ref()) && all(&branch.rules))
    };
    let body = |body: &Body| match body {
        Body::Rules(rules) => all(rules),
        Body::Rows(rows) => branches(rows),
    };
    match &rule.action {
        Action::Pair(pair) => {
            is_of_body(rule)
                && is_own_source(&pair.source)
                && is_own_condition(pair.condition.as_ref())
                && pair.transforms.iter().all(is_own_transform)
        }
        Action::Group(group) => {
            is_own(&group.source) && is_own_condition(group.condition.as_ref()) && all(&group.rules)
        }
        Action::Each(each) => {
            is_own(&each.source) && is_own_condition(each.condition.as_ref()) && body(&each.body)
        }
        Action::OneOf(one_of) => {
            let is_other_own = match &one_of.otherwise {
                Otherwise::Rules(rules) => all(rules),
                Otherwise::Nothing | Otherwise::Refuse(_) => true,
            };
            is_other_own && branches(&one_of.branches)
        }
        Action::Join(_) | Action::Append(_) | Action::Gather(_) => false,
    }
}

fn is_own(path: &FieldPath) -> bool {
    path.part == Part::Body && path.anchor == Anchor::Scope
}

fn is_own_source(source: &Source) -> bool {
    match source {
        Source::Path(path) => is_own(path),
        Source::Query(query) => query.reads().iter().all(|read| read.origin == Origin::Scope),
        Source::Constant(_) => true,
        Source::Script(script) => script.inputs.iter().all(|(_, source)| is_own_source(source)),
    }
}

fn is_own_condition(condition: Option<&Condition>) -> bool {
    condition.is_none_or(|condition| condition.reads().iter().all(|read| read.origin == Origin::Scope))
}

fn is_own_transform(transform: &Transform) -> bool {
    match transform {
        Transform::Convert(convert) => match &convert.argument {
            None => true,
            Some(Argument::Source(path)) => is_own(path),
            Some(Argument::Target(_)) => false,
        },
        Transform::Script(script) => script.inputs.iter().all(|(_, source)| is_own_source(source)),
        Transform::Codes(_) => true,
        Transform::Ref { .. } | Transform::Key { .. } => false,
    }
}

/// The first, and then the second of what came of it.
fn both(first: &Splice, second: &Splice) -> Splice {
    let together = match (first, second) {
        (Splice::Whole, then) => Some(then.clone()),
        (own, Splice::Whole) => Some(own.clone()),
        (Splice::Elements(own), Splice::Elements(then)) => Some(Splice::Elements(Arc::new(both(own, then)))),
        (Splice::Choice(_) | Splice::Cases(_), then) => of_cases(first, then),
        (Splice::Members(own), Splice::Members(then)) => {
            members(own, then).map(|members| Splice::Members(Arc::new(members)))
        }
        (Splice::Members(own), Splice::Choice(_) | Splice::Cases(_)) => of_members(own, first, second),
        _ => None,
    };
    together.unwrap_or_else(|| Splice::Both(Arc::new((first.clone(), second.clone()))))
}

/// What is told apart by the text of a member, as [`Cases`].
fn cases_of(splice: &Splice) -> Option<Cases> {
    match splice {
        Splice::Cases(cases) => {
            let Cases { member, cases, otherwise } = &**cases;
            Some(Cases { member: member.clone(), cases: cases.clone(), otherwise: otherwise.clone() })
        }
        Splice::Choice(choice) => {
            let (member, texts) = choice.by.as_ref()?;
            let branches = choice.branches.iter().cloned();
            // Where no branch holds and nothing is said, nothing is written: that is left to the rules.
            let cases = texts.iter().cloned().zip(branches).collect();
            Some(Cases { member: member.clone(), cases, otherwise: choice.otherwise.clone() })
        }
        _ => None,
    }
}

/// The second after each case of the first.
fn of_cases(first: &Splice, second: &Splice) -> Option<Splice> {
    let own = cases_of(first)?;
    let cases = own.cases.iter().map(|(text, splice)| {
        let joined = splice.as_ref().and_then(|splice| after_case(splice, (&own.member, Some(text)), second));
        (text.clone(), joined)
    });
    let cases = cases.collect();
    let otherwise = own.otherwise.as_ref().and_then(|splice| match splice {
        Splice::Whole => Some(second.clone()),
        other => after_case(other, (&own.member, None), second),
    });
    Some(Splice::Cases(Arc::new(Cases { member: own.member.clone(), cases, otherwise })))
}

/// The second after what is done where a member has a text; none: the rules shall tell.
fn after_case(splice: &Splice, (member, text): (&str, Option<&str>), second: &Splice) -> Option<Splice> {
    let Some(then) = cases_of(second).filter(|then| *then.member == *member) else {
        return Some(both(splice, second));
    };
    let text = match splice {
        Splice::Whole => text?.into(),
        Splice::Members(members) => text_after(members, member, text)?,
        _ => return Some(both(splice, second)),
    };
    match then.cases.iter().find(|(own, _)| **own == *text) {
        Some((_, next)) => next.as_ref().map(|next| both(splice, next)),
        None => then.otherwise.as_ref().map(|next| both(splice, next)),
    }
}

/// The text that a member has afterwards, if that is known.
fn text_after(members: &Members, member: &str, text: Option<&str>) -> Option<Box<str>> {
    match &entry(members, member)?.act {
        Act::Keep(..) => text.map(Into::into),
        Act::Term(index) => match &members.terms.get(*index)?.value {
            Literal::Text(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Cases after what is done to members, where it leaves the member alone by which they are told apart, or sets it.
fn of_members(own: &Members, first: &Splice, second: &Splice) -> Option<Splice> {
    let then = cases_of(second)?;
    match &entry(own, &then.member)?.act {
        Act::Keep(..) => {
            let after = |splice: &Option<Splice>| splice.as_ref().map(|splice| both(first, splice));
            let cases = then.cases.iter().map(|(text, splice)| (text.clone(), after(splice))).collect();
            let otherwise = after(&then.otherwise);
            Some(Splice::Cases(Arc::new(Cases { member: then.member.clone(), cases, otherwise })))
        }
        Act::Term(_) => {
            let text = text_after(own, &then.member, None)?;
            let found = then.cases.iter().find(|(known, _)| *known == text).map(|(_, splice)| splice);
            found.unwrap_or(&then.otherwise).as_ref().map(|splice| both(first, splice))
        }
        _ => None,
    }
}

fn entry<'m>(members: &'m Members, name: &str) -> Option<&'m MemberRule> {
    members.all.get(members.names.find(name.as_bytes())?)
}

/// Members after members; none where what is done does not hang on single members.
fn members(own: &Members, then: &Members) -> Option<Members> {
    let is_of_members = |members: &Members| members.others.is_empty() && members.wholes.is_empty();
    if !(is_of_members(own) && is_of_members(then)) {
        return None;
    }
    let mut joining = Joining::default();
    for (name, rule) in own.named() {
        match &rule.act {
            Act::Run(run) => joining.run(name, rule, run, then)?,
            Act::Hoist(_) => return None,
            Act::Term(index) => joining.term(name, own.terms.get(*index)?, then)?,
            act => joining.act(name, rule, act, then)?,
        }
    }
    // What the second demands of a member that the first never writes.
    let made: Vec<&str> = own.named().filter_map(|(name, rule)| made(own, name, rule)).collect();
    for (name, rule) in then.named() {
        if made.contains(&name) || own.all.iter().any(|rule| writes_many(rule, name)) {
            continue;
        }
        match &rule.act {
            Act::Term(index) if own.names.find(name.as_bytes()).is_none() => {
                joining.write(name, then.terms.get(*index)?.clone())?;
            }
            _ if rule.must != 0 => return None,
            _ => {}
        }
    }
    let Joining { named, terms } = joining;
    Some(Members { is_joined: true, ..named.with(&terms) })
}

/// Members that are being put together.
#[derive(Default)]
struct Joining<'n> {
    named: Named<'n>,
    terms: Vec<Term>,
}

impl<'n> Joining<'n> {
    /// Adds a term that is always written.
    fn write(&mut self, name: &'n str, term: Term) -> Option<()> {
        self.terms.push(term);
        self.named.add(name, true, Act::Term(self.terms.len() - 1))
    }

    /// What a rule writes, where the second keeps all of it.
    fn run(&mut self, name: &'n str, rule: &MemberRule, run: &Rule, then: &Members) -> Option<()> {
        let keeps = |name: &&str| {
            entry(then, name).is_some_and(|next| next.must == 0 && matches!(next.act, Act::Keep(..)))
        };
        writes(run)?.iter().all(keeps).then_some(())?;
        self.named.add(name, rule.must != 0, Act::Run(run.clone()))
    }

    /// What becomes of a term.
    fn term(&mut self, name: &'n str, term: &Term, then: &Members) -> Option<()> {
        match entry(then, only(term)?).map(|next| &next.act) {
            None => Some(()),
            Some(Act::Keep(..)) => self.write(name, term.clone()),
            Some(Act::Term(index)) => self.write(name, then.terms.get(*index)?.clone()),
            Some(_) => None,
        }
    }

    /// What becomes of a member that the first keeps, renames or looks into.
    fn act(&mut self, name: &'n str, rule: &MemberRule, act: &Act, then: &Members) -> Option<()> {
        let is_kept = matches!(act, Act::Keep(..));
        match entry(then, written(name, act)) {
            // Of what is left out in the end the first may still tell that it is not as it has to be.
            None => (is_kept && rule.must == 0).then_some(()),
            Some(MemberRule { act: Act::Term(index), .. }) => {
                is_kept.then_some(())?;
                self.write(name, then.terms.get(*index)?.clone())
            }
            Some(next) => {
                self.named.add(name, rule.must != 0 || next.must != 0, after(act, &next.act, name)?)
            }
        }
    }
}

/// The name that a member is written under, by what is no term and no rule.
fn written<'a>(name: &'a str, act: &'a Act) -> &'a str {
    match act {
        Act::Move(moved) => &moved.name,
        _ => name,
    }
}

/// The one name that an entry writes.
fn made<'m>(members: &'m Members, name: &'m str, rule: &'m MemberRule) -> Option<&'m str> {
    match &rule.act {
        Act::Run(_) | Act::Hoist(_) => None,
        Act::Term(index) => only(members.terms.get(*index)?),
        act => Some(written(name, act)),
    }
}

fn writes_many(rule: &MemberRule, name: &str) -> bool {
    matches!(&rule.act, Act::Run(run) if writes(run).is_none_or(|written| written.contains(&name)))
}

/// What becomes of a member by the second, after the first; none where that cannot be said.
fn after(own: &Act, then: &Act, name: &str) -> Option<Act> {
    let elements = |splice: &Splice| Splice::Elements(Arc::new(splice.clone()));
    Some(match (own, then) {
        (Act::Keep(rule, own), Act::Keep(_, then)) => Act::Keep(rule.clone(), *own && *then),
        (Act::Keep(..), Act::Run(run)) => {
            reads_only(run, name).then_some(())?;
            Act::Run(run.clone())
        }
        (Act::Keep(..), then) => then.clone(),
        (Act::Inside(..) | Act::Every(..) | Act::Move(_), Act::Keep(..)) => own.clone(),
        (Act::Inside(rule, splice), Act::Inside(_, next)) => Act::Inside(rule.clone(), both(splice, next)),
        (Act::Inside(rule, splice), Act::Every(_, next)) => {
            Act::Inside(rule.clone(), both(splice, &elements(next)))
        }
        (Act::Every(rule, splice), Act::Every(_, next)) => Act::Every(rule.clone(), both(splice, next)),
        (Act::Every(rule, splice), Act::Inside(_, next)) => {
            Act::Inside(rule.clone(), both(&elements(splice), next))
        }
        (Act::Inside(_, splice), Act::Move(next)) if next.element.is_none() => moved(next, splice),
        (Act::Every(_, splice), Act::Move(next)) if next.element.is_none() => moved(next, &elements(splice)),
        (Act::Move(own), Act::Inside(_, next)) if !own.is_wrapped => inner(own, both(&own.inner, next)),
        (Act::Move(own), Act::Inside(_, Splice::Elements(next))) => inner(own, both(&own.inner, next)),
        (Act::Move(own), Act::Every(_, next)) if own.is_wrapped => inner(own, both(&own.inner, next)),
        (Act::Move(own), Act::Every(_, next)) => inner(own, both(&own.inner, &elements(next))),
        (Act::Move(own), Act::Move(next))
            if if own.is_wrapped { next.element == Some(0) } else { next.element.is_none() } =>
        {
            let joined = Move { element: own.element, ..Move::clone(next) };
            Act::Move(Box::new(Move { inner: both(&own.inner, &next.inner), ..joined }))
        }
        _ => return None,
    })
}

fn moved(next: &Move, before: &Splice) -> Act {
    Act::Move(Box::new(Move { inner: both(before, &next.inner), ..next.clone() }))
}

fn inner(own: &Move, inner: Splice) -> Act {
    Act::Move(Box::new(Move { inner, ..own.clone() }))
}

/// Whether a rule reads nothing of its scope but one member.
fn reads_only(rule: &Rule, name: &str) -> bool {
    let Action::Pair(pair) = &rule.action else { return false };
    let Pair { condition: None, source: Source::Path(source), transforms, .. } = &**pair else {
        return false;
    };
    let is_blind = |transform: &Transform| match transform {
        Transform::Convert(convert) => convert.argument.is_none(),
        Transform::Script(script) => script.inputs.is_empty(),
        Transform::Codes(_) => true,
        Transform::Ref { .. } | Transform::Key { .. } => false,
    };
    first(source) == Some(name) && transforms.iter().all(is_blind)
}
