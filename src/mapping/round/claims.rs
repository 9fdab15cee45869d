//! What is claimed of two programs that are each other's way back: which places come back, by which rules.
//!
//! Of both programs only what carries values is kept: no script, nothing that a rule gives up in so many words, of the
//! way back nothing that the way there never writes. Whether something *must* be there is no matter of coming back,
//! so nothing is required and nothing is made up.

use std::collections::BTreeSet;

use super::walk::{self, At, Bases, Carried, Carries, DIRECTIONS, Terms, carried, terms};
use crate::mapping::{
    direction::Direction,
    program::{Action, Body, Branch, Origin, Otherwise, Pair, Program, Rule, Shared, Source, Transform},
};

/// Two rules, or one that is read both ways, by which a place comes back.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// The rule to the legacy side.
    pub there: Origin,
    /// The rule back.
    pub back: Origin,
    /// The place on the Sonata side by its member names.
    pub sonata: String,
    /// The place on the legacy side by its member names.
    pub legacy: String,
    /// What is done to the value on its way there.
    pub to_legacy: Vec<Transform>,
    /// What is done to it on its way back.
    pub to_sonata: Vec<Transform>,
    /// Whether the rules say that what leaves to the legacy side, to the Sonata side, does not come back.
    lossy: [bool; 2],
}

/// Two programs made ready to be tried.
#[derive(Clone, Debug)]
pub(super) struct Trimmed {
    pub there: Program,
    pub back: Program,
    pub bases: Bases,
    pub claims: Vec<Claim>,
    /// Places that terms write along on the way back: by a condition on the other side.
    pub sonata_terms: Terms,
    /// The same on the way there.
    pub legacy_terms: Terms,
    /// Rules of which nothing is claimed because they are scripts.
    pub scripts: Vec<Origin>,
    /// Rules that say themselves that they give something up, and why.
    pub accepted: Vec<(Origin, Direction, Box<str>)>,
}

impl Claim {
    /// Whether one rule is both.
    pub fn is_pair(&self) -> bool {
        (self.there.line, self.there.column) == (self.back.line, self.back.column)
            && self.there.file == self.back.file
    }

    /// Whether it is claimed of what leaves in a direction.
    pub fn holds(&self, direction: Direction) -> bool {
        DIRECTIONS.iter().zip(self.lossy).any(|(own, lossy)| *own == direction && !lossy)
    }

    /// Whether it is by this rule, on the way there or back.
    pub fn is_by(&self, rule: &Origin) -> bool {
        is_same(&self.there, rule) || is_same(&self.back, rule)
    }

    /// What is done to a value that leaves in this direction.
    pub fn transforms(&self, direction: Direction) -> &[Transform] {
        match direction {
            Direction::ToLegacy => &self.to_legacy,
            Direction::ToSonata => &self.to_sonata,
        }
    }
}

impl Trimmed {
    /// The same, with what rules say themselves that they give up claimed all the same.
    pub fn claiming_all(&self) -> Self {
        let claims = self.claims.iter().map(|claim| Claim { lossy: [false; 2], ..claim.clone() });
        Self { claims: claims.collect(), ..self.clone() }
    }

    /// The rules that take the elements of an array in a direction, and that bring them back.
    pub fn rules_of(&self, direction: Direction, array: &str) -> (Option<Origin>, Option<Origin>) {
        let (away, home) = match direction {
            Direction::ToLegacy => (&self.there, &self.back),
            Direction::ToSonata => (&self.back, &self.there),
        };
        let (mut taken, mut brought) = (None, None);
        walk::each_rule(away, &self.bases, &mut |rule, at| {
            if walk::arrays(rule).is_some_and(|(source, _)| at.source(source) == array) {
                taken.get_or_insert_with(|| rule.origin.clone());
            }
        });
        walk::each_rule(home, &self.bases, &mut |rule, at| {
            if walk::arrays(rule).is_some_and(|(_, target)| at.target(target) == array) {
                brought.get_or_insert_with(|| rule.origin.clone());
            }
        });
        (taken, brought)
    }
}

/// Whether two rules are one, perhaps by way of several shapes.
pub(super) fn is_same(one: &Origin, other: &Origin) -> bool {
    (one.line, one.column) == (other.line, other.column) && one.file == other.file
}

/// Whether one of two places is, or is in, the other.
pub(super) fn related(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    within(one, other) || within(other, one)
}

/// Keeps of both programs what can come back, and says what is claimed of it.
pub(super) fn trimmed(there: &Program, back: &Program, bases: &Bases) -> Trimmed {
    let there_kept = keep(there, &bases.there(), &mut |_, pair, _| pair.is_none_or(carries));
    let legacy = |one: &Carried<'_>| one.target.clone();
    let written: BTreeSet<String> = carried(&there_kept, &bases.there()).iter().map(legacy).collect();
    let back_kept = keep(back, &bases.back(), &mut |_, pair, at| {
        pair.is_none_or(|pair| {
            carries(pair)
                && at.source_of(pair).is_none_or(|source| written.iter().any(|own| related(own, &source)))
        })
    });
    let mut claims = Vec::new();
    let ways_back = carried(&back_kept, &bases.back());
    for one in carried(&there_kept, &bases.there()) {
        claims.extend(ways_back.iter().filter_map(|other| claim(&one, other)));
    }
    let mut scripts = scripts(there, back, bases);
    scripts.retain(|rule| !claims.iter().any(|claim| is_same(&claim.there, rule)));
    let accepted = accepted(&[&there_kept, &back_kept], bases);
    let sonata_terms = terms(&back_kept, &bases.back());
    let legacy_terms = terms(&there_kept, &bases.there());
    let bases = bases.clone();
    Trimmed {
        there: there_kept,
        back: back_kept,
        bases,
        claims,
        sonata_terms,
        legacy_terms,
        scripts,
        accepted,
    }
}

fn claim(one: &Carried<'_>, other: &Carried<'_>) -> Option<Claim> {
    let comes_back = one.carries != Carries::Constant
        && other.carries != Carries::Constant
        && related(&one.target, other.source.as_deref()?)
        && related(one.source.as_deref()?, &other.target);
    let transforms = |carried: &Carried<'_>| match carried.carries {
        Carries::Value(pair) => pair.transforms.to_vec(),
        Carries::Key | Carries::Constant => Vec::new(),
    };
    comes_back.then(|| Claim {
        there: one.rule.origin.clone(),
        back: other.rule.origin.clone(),
        sonata: one.source.clone().unwrap_or_default(),
        legacy: other.source.clone().unwrap_or_default(),
        to_legacy: transforms(one),
        to_sonata: transforms(other),
        lossy: [0, 1]
            .map(|place: usize| [one.lossy, other.lossy].iter().any(|lossy| lossy.get(place) == Some(&true))),
    })
}

/// What rules say of themselves.
fn accepted(programs: &[&Program], bases: &Bases) -> Vec<(Origin, Direction, Box<str>)> {
    let mut found: Vec<(Origin, Direction, Box<str>)> = Vec::new();
    for program in programs {
        walk::each_rule(program, bases, &mut |rule, _| {
            for direction in DIRECTIONS {
                let known = |own: &(Origin, Direction, Box<str>)| {
                    own.1 == direction && own.0.line == rule.origin.line && own.0.file == rule.origin.file
                };
                if let Some(reason) = rule.lossy.reason(direction)
                    && !found.iter().any(known)
                {
                    found.push((rule.origin.clone(), direction, reason.into()));
                }
            }
        });
    }
    found.sort_by(|one, other| (&one.0.file, one.0.line).cmp(&(&other.0.file, other.0.line)));
    found
}

fn is_script(pair: &Pair) -> bool {
    matches!(&pair.source, Source::Script(script) if !script.inputs.is_empty())
        || pair.transforms.iter().any(|transform| matches!(transform, Transform::Script(_)))
}

/// Whether a pair takes something from one body to the other, or writes what the mapping itself says.
fn carries(pair: &Pair) -> bool {
    use crate::mapping::path::Part;
    let from_body = match &pair.source {
        Source::Path(path) => path.part == Part::Body,
        Source::Constant(_) => true,
        Source::Script(script) => script.inputs.is_empty(),
        Source::Query(_) => false,
    };
    from_body && pair.target.part == Part::Body && !is_script(pair)
}

/// Scripts between two places that could come back if they were something else.
fn scripts(there: &Program, back: &Program, bases: &Bases) -> Vec<Origin> {
    let ways_back = carried(back, &bases.back());
    let mut found: Vec<Origin> = Vec::new();
    for one in carried(there, &bases.there()) {
        let Carries::Value(pair) = one.carries else { continue };
        let read =
            |other: &&Carried<'_>| other.source.as_ref().is_some_and(|source| related(source, &one.target));
        let mut readers = ways_back.iter().filter(read);
        let by_script =
            |other: &Carried<'_>| matches!(other.carries, Carries::Value(pair) if is_script(pair));
        let is = if is_script(pair) { readers.next().is_some() } else { readers.any(by_script) };
        if is && !found.contains(&one.rule.origin) {
            found.push(one.rule.origin.clone());
        }
    }
    found
}

type Keeps<'k> = dyn FnMut(&Rule, Option<&Pair>, &At) -> bool + 'k;

fn keep(program: &Program, at: &At, keeps: &mut Keeps<'_>) -> Program {
    let rules = rules(&program.rules, at, keeps);
    Program::new(program.name.clone(), program.phase, program.direction, rules, program.key_groups.to_vec())
}

fn rules(list: &[Rule], at: &At, keeps: &mut Keeps<'_>) -> Vec<Rule> {
    list.iter().filter_map(|one| rule(one, at, keeps)).collect()
}

fn branches(list: &[Branch], at: &At, keeps: &mut Keeps<'_>) -> Shared<[Branch]> {
    list.iter()
        .map(|branch| Branch { rules: rules(&branch.rules, at, keeps).into(), ..branch.clone() })
        .collect()
}

fn is_empty(body: &Body) -> bool {
    match body {
        Body::Rules(rules) => rules.is_empty(),
        Body::Rows(branches) => branches.iter().all(|branch| branch.rules.is_empty()),
    }
}

fn body(own: &Body, at: &At, keeps: &mut Keeps<'_>) -> Body {
    match own {
        Body::Rules(list) => Body::Rules(rules(list, at, keeps).into()),
        Body::Rows(list) => Body::Rows(branches(list, at, keeps)),
    }
}

/// The rule without what it may not keep; none where nothing is left.
fn rule(own: &Rule, at: &At, keeps: &mut Keeps<'_>) -> Option<Rule> {
    let pair = match &own.action {
        Action::Pair(pair) => Some(&**pair),
        _ => None,
    };
    if !keeps(own, pair, at) {
        return None;
    }
    let action = match &own.action {
        Action::Pair(pair) => {
            Action::Pair(Shared::new(Pair { required: false, default: None, ..Pair::clone(pair) }))
        }
        Action::Group(group) => {
            let mut group = group.clone();
            group.rules = rules(&group.rules, &at.inside(&group.source, &group.target), keeps).into();
            group.required = false;
            if group.rules.is_empty() {
                return None;
            }
            Action::Group(group)
        }
        Action::Each(each) => {
            let mut each = each.clone();
            each.body = body(&each.body, &at.inside(&each.source, &each.target), keeps);
            each.required = false;
            if is_empty(&each.body) && each.key.is_none() {
                return None;
            }
            Action::Each(each)
        }
        Action::Join(join) => {
            let mut join = join.clone();
            join.body = body(&join.body, &at.joined(&join), keeps);
            join.required = false;
            if is_empty(&join.body) {
                return None;
            }
            Action::Join(join)
        }
        Action::Append(append) => {
            let mut append = append.clone();
            append.rules = rules(&append.rules, &at.inside(&append.source, &append.target), keeps).into();
            append.required = false;
            if append.rules.is_empty() {
                return None;
            }
            Action::Append(append)
        }
        Action::Gather(gather) => {
            let mut gather = gather.clone();
            gather.branches = branches(&gather.branches, &at.inside(&gather.source, &gather.target), keeps);
            gather.required = false;
            Action::Gather(gather)
        }
        Action::OneOf(one_of) => {
            let mut one_of = one_of.clone();
            one_of.branches = branches(&one_of.branches, at, keeps);
            if let Otherwise::Rules(list) = &one_of.otherwise {
                one_of.otherwise = Otherwise::Rules(rules(list, at, keeps).into());
            }
            Action::OneOf(one_of)
        }
    };
    let mut kept = own.clone();
    kept.action = action;
    Some(kept)
}
