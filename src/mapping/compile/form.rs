//! Which of the language's forms a rule has, and which keys go with it.

use super::Side;
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::path::FieldPath;
use crate::mapping::program::Phase;
use crate::mapping::raw::{Branch, ElseBranch, Only, Rule, ScriptText, Text};
use crate::text::{Diagnostic, Diagnostics, yaml::Node};

/// A rule by its form.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form<'r> {
    /// Two places that say the same.
    Pair {
        /// The Sonata place.
        sonata: &'r Text,
        /// The legacy place.
        legacy: &'r Text,
    },
    /// A place that is written from something else than its counterpart.
    Given {
        /// Whether the place is on the Sonata side.
        on_sonata: bool,
        /// The place.
        target: &'r Text,
        /// What is written.
        source: Given<'r>,
    },
    /// Rules inside an object, or for the elements of an array.
    Group {
        /// The Sonata place.
        sonata: &'r Text,
        /// The legacy place.
        legacy: &'r Text,
        /// The rules.
        body: Body<'r>,
    },
    /// Branches that exclude each other.
    OneOf {
        /// The branches.
        branches: &'r [Branch],
        /// Where none holds.
        otherwise: Option<&'r ElseBranch>,
    },
    /// Nothing: the place has no counterpart, and the rule says so.
    Drop,
}

/// What a one-sided rule writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'r> {
    /// A constant.
    Value(&'r Node),
    /// What a query selects.
    Query(&'r Text),
    /// What a script computes.
    Script,
}

/// The rules of a group.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'r> {
    /// Written there.
    Fields(&'r [Rule]),
    /// A shape.
    Shape(&'r Text),
    /// One element per branch.
    Rows(&'r [Branch]),
}

/// The directions in which a rule may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ways {
    /// From Sonata to legacy.
    pub to_legacy: bool,
    /// Back.
    pub to_sonata: bool,
}

impl Ways {
    /// Both.
    pub const BOTH: Self = Self { to_legacy: true, to_sonata: true };

    /// One only.
    pub fn only(direction: Direction) -> Self {
        Self { to_legacy: direction == Direction::ToLegacy, to_sonata: direction == Direction::ToSonata }
    }

    /// Whether the direction is among them.
    pub fn has(self, direction: Direction) -> bool {
        match direction {
            Direction::ToLegacy => self.to_legacy,
            Direction::ToSonata => self.to_sonata,
        }
    }

    /// Whether both are.
    pub fn both(self) -> bool {
        self.to_legacy && self.to_sonata
    }

    /// The directions, in order.
    pub fn list(self) -> impl Iterator<Item = Direction> {
        [Direction::ToLegacy, Direction::ToSonata].into_iter().filter(move |direction| self.has(*direction))
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { to_legacy: self.to_legacy && other.to_legacy, to_sonata: self.to_sonata && other.to_sonata }
    }
}

impl Side {
    /// Which way messages of a phase travel.
    pub(super) fn direction(self, phase: Phase) -> Direction {
        let outward = matches!(phase, Phase::Request);
        if outward == (self == Side::Seller) { Direction::ToLegacy } else { Direction::ToSonata }
    }
}

fn ways_of(only: Only, side: Side) -> Ways {
    Ways::only(match only {
        Only::Request => side.direction(Phase::Request),
        Only::Answer => side.direction(Phase::Answer),
        Only::ToLegacy => Direction::ToLegacy,
        Only::ToSonata => Direction::ToSonata,
    })
}

/// The directions that a rule leaves of those that its surroundings have.
pub(super) fn ways(rule: &Rule, form: &Form<'_>, inherited: Ways, side: Side) -> Ways {
    let mut ways = inherited;
    if let Some((only, _)) = rule.only {
        ways = ways.and(ways_of(only, side));
    }
    if let Some(ScriptText::Directed(_, Some((only, _)))) = &rule.script {
        ways = ways.and(ways_of(*only, side));
    }
    if let Form::Given { on_sonata, .. } = form {
        let direction = if *on_sonata { Direction::ToSonata } else { Direction::ToLegacy };
        ways = ways.and(Ways::only(direction));
    }
    ways
}

/// Whether `only:` keeps a rule out of a phase or direction.
pub(super) fn excluded(rule: &Rule, phase: Phase, direction: Direction) -> bool {
    let excludes = |only: Only| match only {
        Only::Request => phase != Phase::Request,
        Only::Answer => phase == Phase::Request,
        Only::ToLegacy => direction != Direction::ToLegacy,
        Only::ToSonata => direction != Direction::ToSonata,
    };
    let script = match &rule.script {
        Some(ScriptText::Directed(_, only)) => *only,
        _ => None,
    };
    rule.only.is_some_and(|(only, _)| excludes(only)) || script.is_some_and(|(only, _)| excludes(only))
}

/// The form of a rule; what does not go together is told.
pub(super) fn form<'r>(rule: &'r Rule, out: &mut Diagnostics) -> Option<Form<'r>> {
    if rule.drop.is_some() {
        return Some(Form::Drop);
    }
    if let Some((span, branches, otherwise)) = &rule.one_of {
        if let Some(text) = rule.sonata.as_ref().or(rule.legacy.as_ref()) {
            let fault = Diagnostic::error(code::KEYS_CLASH, "`one_of` has no place of its own");
            let hint = "put the paths into the branches, or `one_of` into the `fields` of a group";
            out.push(fault.at(text.span()).hint(hint));
        }
        if branches.is_empty() {
            out.push(Diagnostic::error(code::FORM, "`one_of` has no branch").at(*span));
        }
        idle(rule, Kind::OneOf, out);
        return Some(Form::OneOf { branches, otherwise: otherwise.as_ref() });
    }
    if rule.sonata.is_none() && rule.legacy.is_none() {
        let fault = Diagnostic::error(code::NO_SIDE, "this rule names no place").at(rule.span);
        out.push(fault.hint("write `sonata:` and `legacy:`"));
        return None;
    }
    match body(rule, out) {
        Some(body) => group(rule, body, out),
        None => plain(rule, out),
    }
}

fn body<'r>(rule: &'r Rule, out: &mut Diagnostics) -> Option<Body<'r>> {
    let fields = rule.fields.as_deref().map(Body::Fields);
    let shape = rule.shape.as_ref().map(Body::Shape);
    let rows = rule.rows.as_ref().map(|(_, branches)| Body::Rows(branches));
    let bodies: Vec<_> = [fields, shape, rows].into_iter().flatten().collect();
    if bodies.len() > 1 {
        let fault = Diagnostic::error(code::KEYS_CLASH, "`fields`, `shape` and `rows` exclude each other");
        out.push(fault.at(rule.key_span("shape")).hint("make it one rule for each"));
    }
    bodies.first().copied()
}

fn group<'r>(rule: &'r Rule, body: Body<'r>, out: &mut Diagnostics) -> Option<Form<'r>> {
    idle(rule, Kind::Group, out);
    let (Some(sonata), Some(legacy)) = (&rule.sonata, &rule.legacy) else {
        let (side, has) =
            if rule.sonata.is_none() { ("sonata", &rule.legacy) } else { ("legacy", &rule.sonata) };
        let at = has.as_ref().map_or(rule.span, Text::span);
        let fault = Diagnostic::error(code::NO_SIDE, "a group stands at a place on both sides").at(at);
        out.push(
            fault.hint(format!("add `{side}: .` if its rules have their places in the scope of this rule")),
        );
        return None;
    };
    Some(Form::Group { sonata, legacy, body })
}

fn plain<'r>(rule: &'r Rule, out: &mut Diagnostics) -> Option<Form<'r>> {
    idle(rule, Kind::Pair, out);
    let sources = [
        rule.value.as_ref().map(Given::Value),
        rule.from.as_ref().map(Given::Query),
        rule.script
            .as_ref()
            .filter(|_| rule.sonata.is_none() || rule.legacy.is_none())
            .map(|_| Given::Script),
    ];
    let given: Vec<_> = sources.into_iter().flatten().collect();
    match (&rule.sonata, &rule.legacy, given.first()) {
        (Some(sonata), Some(legacy), None) => Some(Form::Pair { sonata, legacy }),
        (Some(_), Some(_), Some(_)) => {
            let at = rule.key_span(if rule.from.is_some() { "from" } else { "value" });
            let fault =
                Diagnostic::error(code::KEYS_CLASH, "a pair reads its other side; it takes no second source");
            out.push(fault.at(at).hint("leave out the side that is not written"));
            None
        }
        (sonata, legacy, Some(source)) => {
            if given.len() > 1 {
                let fault =
                    Diagnostic::error(code::KEYS_CLASH, "`value`, `from` and `script` exclude each other");
                out.push(fault.at(rule.key_span(if rule.script.is_some() { "script" } else { "from" })));
            }
            let target = sonata.as_ref().or(legacy.as_ref())?;
            Some(Form::Given { on_sonata: sonata.is_some(), target, source: *source })
        }
        (sonata, legacy, None) => {
            let at = sonata.as_ref().or(legacy.as_ref()).map_or(rule.span, Text::span);
            let other = if sonata.is_some() { "legacy" } else { "sonata" };
            let fault = Diagnostic::error(code::NO_SOURCE, "nothing says what is written here").at(at);
            out.push(
                fault.hint(format!(
                    "add `{other}:`, `value:`, `from:` or `script:`, or `drop:` with a reason"
                )),
            );
            None
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pair,
    Group,
    OneOf,
}

/// Keys that have no effect on this form.
fn idle(rule: &Rule, kind: Kind, out: &mut Diagnostics) {
    let pair = kind == Kind::Pair;
    let group = kind == Kind::Group;
    let has_key = rule.keys.iter().any(|(name, _)| &**name == "key");
    let arrays = group && has_key && every(rule.sonata.as_ref()) && every(rule.legacy.as_ref());
    let keys = [
        ("codes", pair),
        ("convert", pair),
        ("value", pair),
        ("from", pair),
        ("script", pair),
        ("default", pair),
        ("accept", pair && rule.convert.is_some()),
        ("otherwise", pair && rule.codes.is_some()),
        ("in", pair && rule.script.is_some()),
        ("key", arrays && rule.join.is_none()),
        ("join", group),
        ("take", group),
        ("row_key", group && rule.rows.is_some()),
    ];
    for (name, at) in &rule.keys {
        if keys.iter().any(|(key, fits)| **key == **name && !fits) {
            let fault =
                Diagnostic::error(code::KEY_IDLE, format!("`{name}` has no effect on this rule")).at(*at);
            out.push(fault.hint(goes_with(name)));
        }
    }
}

fn goes_with(name: &str) -> &'static str {
    match name {
        "accept" => "it goes with `convert:`",
        "otherwise" => "it goes with `codes:`",
        "in" => "it goes with `script:`",
        "key" => "it goes with a group whose paths end in `[*]` on both sides",
        "join" | "take" => "it goes with a group, with `fields:`, `shape:` or `rows:`",
        "row_key" => "it goes with `rows:`",
        _ => "it goes with a rule for a single place",
    }
}

/// Whether a path ends in `[*]`.
pub(super) fn every(text: Option<&Text>) -> bool {
    text.and_then(|text| FieldPath::parse(text.as_str()).ok()).is_some_and(|path| path.every)
}
