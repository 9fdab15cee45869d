//! Rules for what both contracts have, put beside those that are written.
//!
//! Types of both releases are walked side by side. Where they are the same all the way down, one pair carries the whole
//! value; where they are not, there is a group with rules for its members, and so on. What one release has and the other has
//! not must be spoken of: a rule carries it, makes it up or drops it.

use super::super::condition::{OnSide, equalities, parts};
use super::super::form::every;
use super::super::scope::{Found, Place, Required, Scope};
use super::super::steps;
use super::Shores;
use super::claims::Claims;
use super::read::BridgeSource;
use super::root_place;
use crate::json::query;
use crate::mapping::bridge::{Bridge, Fate, Note, Way};
use crate::mapping::diagnostic as code;
use crate::mapping::path::{FieldPath, Literal};
use crate::mapping::raw::{BridgeFile, Condition, ElseBranch, OperationRule, Phases, Rule, Text, TypeRule};
use crate::mapping::schema::{Member, Schema, TypeId};
use crate::text::{Diagnostic, Diagnostics, Hint, Span, suggest};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Types may stand in each other this deep; beyond, a value is carried as it is.
const DEPTH_MAX: usize = 24;

/// The rules of one function in the making.
pub(super) struct Weaver<'w> {
    pub shores: &'w Shores<'w>,
    pub told: Diagnostics,
    pub notes: Vec<Note>,
    pub function: String,
    pub files: Vec<&'w BridgeFile>,
    pub source: &'w BridgeSource,
    /// Whether two types are the same, as far as it is known.
    pub same: HashMap<(TypeId, TypeId), bool>,
    /// Pairs of types in the order in which they were found to be the same.
    pub trail: Vec<(TypeId, TypeId)>,
    /// Places that no pair of types had so far, of any function.
    pub missing: HashMap<Span, Option<(usize, Diagnostic)>>,
    /// Members that nobody speaks of, which were told.
    pub lost: HashSet<(String, String, bool)>,
    /// Rules of products, by what stands in `@type` at either release.
    pub products: HashMap<(String, String), Vec<Rule>>,
    /// Pairs of types whose lengths were compared.
    pub limited: HashSet<(TypeId, TypeId)>,
    /// Whether the members of a product are walked. What is required there is the contracts' word, and what becomes of a
    /// fault in it the partner's.
    pub is_product: bool,
}

/// A place on either side.
#[derive(Clone)]
pub(super) struct Both {
    pub older: Place,
    pub newer: Place,
}

/// What is claimed on either side.
#[derive(Clone, Default)]
pub(super) struct Claimed {
    older: Claims,
    newer: Claims,
}

impl Claimed {
    fn add(&mut self, rules: &[Rule]) {
        self.older.rules(rules, OnSide::Sonata);
        self.newer.rules(rules, OnSide::Legacy);
    }

    /// A member as a whole, on both sides.
    pub fn member(&mut self, name: &str) {
        self.older.member(name);
        self.newer.member(name);
    }
}

impl<'w> Weaver<'w> {
    pub fn new(function: &str, source: &'w BridgeSource, shores: &'w Shores<'w>) -> Self {
        let is_own = |file: &&BridgeFile| file.function.as_ref().is_none_or(|own| own.as_str() == function);
        Self {
            shores,
            told: Diagnostics::new(),
            notes: Vec::new(),
            function: function.to_owned(),
            files: source.files.iter().filter(is_own).collect(),
            source,
            same: HashMap::new(),
            trail: Vec::new(),
            missing: HashMap::new(),
            lost: HashSet::new(),
            products: HashMap::new(),
            limited: HashSet::new(),
            is_product: false,
        }
    }

    /// Why nothing of the function goes over.
    pub fn dropped(&self) -> Option<&'w str> {
        self.files.iter().find_map(|file| file.drop.as_ref()).map(Text::as_str)
    }

    /// What is said of an operation, by its operationId in either release.
    pub fn operation(&self, id: &str) -> Option<&'w OperationRule> {
        let mut all = self.files.iter().flat_map(|file| &file.operations);
        all.find(|rule| rule.id.as_str() == id)
    }

    /// An operation that only one release has.
    pub fn lonely(&mut self, function: &str, id: &str, way: Way, bridge: &mut Bridge) {
        let rule = self.operation(id);
        let reason = rule.and_then(|rule| rule.drop.as_ref());
        if let Some(reason) = reason {
            bridge.absent.push((function.into(), id.into(), way, reason.as_str().into()));
            return;
        }
        let (has, lacks) = match way {
            Way::Up => (&self.source.older, &self.source.newer),
            Way::Down => (&self.source.newer, &self.source.older),
        };
        let message = format!("{has} has the operation `{function}.{id}`, {lacks} has not");
        let at = rule.map_or(self.begin(), |rule| rule.is.as_ref().unwrap_or(&rule.id).span());
        let hint = format!("add `operations: {{ {id}: {{ drop: \"why\" }} }}`, or `is:` with its name there");
        self.told.push(Diagnostic::error(code::BRIDGE_OPERATION, message).at(at).hint(hint));
    }

    /// Where what has no place of its own is told.
    pub fn begin(&self) -> Span {
        let own = self.files.iter().find(|file| file.function.is_some()).or(self.files.first());
        own.map_or(self.source.newer.span(), |file| file.copy_rest.unwrap_or(file.releases.1.span()))
    }

    /// The types of two messages by their names.
    pub fn roots(
        &self,
        function: &str,
        older: Option<&str>,
        newer: Option<&str>,
    ) -> (Option<TypeId>, Option<TypeId>) {
        (
            older.and_then(|name| self.shores.older.root(function, name)),
            newer.and_then(|name| self.shores.newer.root(function, name)),
        )
    }

    /// The rule that carries a message as it is.
    pub fn whole(&self) -> Rule {
        let dot = Text::at(".", self.begin());
        Rule::between(self.begin(), dot.clone(), dot)
    }

    /// The rules of a message; none where it is the same in both releases, or has no body.
    pub fn message(&mut self, older: Option<TypeId>, newer: Option<TypeId>) -> Option<Vec<Rule>> {
        let (own, other) = (older?, newer?);
        let both = Both { older: root_place(older), newer: root_place(newer) };
        let written = self.type_rule(own, other);
        if written.is_none() && self.same(own, other) {
            self.note_limits(&both, ".", (own, other));
            return None;
        }
        let rules = written.map(|entry| self.body_of(entry)).unwrap_or_default();
        let at = written.map_or(self.begin(), |entry| entry.span);
        Some(self.object(&both, &rules, &Claimed::default(), at, 0))
    }

    /// What is said of a pair of types.
    pub fn type_rule(&self, older: TypeId, newer: TypeId) -> Option<&'w TypeRule> {
        let (own, other) = (self.shores.older.name(older)?, self.shores.newer.name(newer)?);
        self.files.iter().flat_map(|file| &file.types).find(|entry| entry.meets(&own, &other))
    }

    /// The rules of a shape, of what is said of a type, or of a group.
    pub fn body_of(&mut self, entry: &TypeRule) -> Vec<Rule> {
        match &entry.rule.one_of {
            Some(_) => vec![Rule { fields: None, shape: None, ..entry.rule.clone() }],
            None => self.fields_of(&entry.rule).unwrap_or_default(),
        }
    }

    fn fields_of(&mut self, rule: &Rule) -> Option<Vec<Rule>> {
        if let Some(fields) = &rule.fields {
            return Some(fields.clone());
        }
        let name = rule.shape.as_ref()?;
        let all = || self.files.iter().flat_map(|file| &file.shapes);
        if let Some(shape) = all().find(|shape| shape.name.as_str() == name.as_str()) {
            return Some(shape.fields.clone());
        }
        let near = suggest(name.as_str(), all().map(|shape| shape.name.as_str())).map(Hint::meant);
        let fault = Diagnostic::error(code::UNKNOWN_SHAPE, format!("there is no shape `{name}`"));
        self.told.push(fault.at(name.span()).maybe_hint(near));
        Some(Vec::new())
    }

    /// Rules for an object on either side: those that are written, and the rest.
    pub fn object(
        &mut self,
        both: &Both,
        written: &[Rule],
        above: &Claimed,
        at: Span,
        depth: usize,
    ) -> Vec<Rule> {
        if depth > DEPTH_MAX {
            let dot = Text::at(".", at);
            return vec![Rule::between(at, dot.clone(), dot)];
        }
        let mut claimed = above.clone();
        let found: Vec<Rule> = written.iter().filter_map(|rule| self.found(rule, both)).collect();
        let spread: Vec<Rule> = found.iter().map(|rule| self.spread(rule)).collect();
        let chosen = found.iter().any(|rule| rule.one_of.is_some()) && self.is_chosen(both);
        for rule in spread.iter().filter(|rule| !chosen || rule.one_of.is_none()) {
            claimed.add(std::slice::from_ref(rule));
        }
        // What is written of the same object in another place chooses for itself.
        let is_spread = found.iter().any(is_in_place);
        let mut rules = Vec::new();
        for rule in found {
            rules.extend(self.written(rule, both, &claimed, chosen.then_some(at), depth));
        }
        if !chosen {
            rules.extend(self.unwritten(both, &claimed, is_spread, at, depth));
        }
        rules
    }

    fn unwritten(
        &mut self,
        both: &Both,
        claimed: &Claimed,
        is_spread: bool,
        at: Span,
        depth: usize,
    ) -> Vec<Rule> {
        if self.is_configuration(both) {
            self.products(at, depth)
        } else if self.is_chosen(both) && !is_spread {
            vec![self.variants(both, claimed, at, depth)]
        } else {
            self.rest(both, claimed, at, depth)
        }
    }

    /// Written rules at a place, without the rest.
    fn in_place(&mut self, rules: &[Rule], both: &Both, depth: usize) -> Vec<Rule> {
        let found: Vec<Rule> = rules.iter().filter_map(|rule| self.found(rule, both)).collect();
        let none = Claimed::default();
        found.into_iter().filter_map(|rule| self.written(rule, both, &none, None, depth + 1)).collect()
    }

    fn is_chosen(&self, both: &Both) -> bool {
        let open = |schema: &dyn Schema, place: &Place| {
            place.discriminator().is_none() && place.ty.is_some_and(|ty| !schema.variants(ty).is_empty())
        };
        open(self.shores.older, &both.older) || open(self.shores.newer, &both.newer)
    }

    fn is_configuration(&self, both: &Both) -> bool {
        let is = |schema: &dyn Schema, place: &Place| {
            place.discriminator().is_none() && place.ty.is_some_and(|ty| schema.is_configuration(ty))
        };
        is(self.shores.older, &both.older) && is(self.shores.newer, &both.newer)
    }

    /// A written rule whose places these types have; what they lack is told where no types have it.
    fn found(&mut self, rule: &Rule, both: &Both) -> Option<Rule> {
        let older = rule.sonata.as_ref().map(|text| self.resolve(text, both, OnSide::Sonata));
        let newer = rule.legacy.as_ref().map(|text| self.resolve(text, both, OnSide::Legacy));
        (older != Some(false) && newer != Some(false)).then(|| rule.clone())
    }

    fn resolve(&mut self, text: &Text, both: &Both, side: OnSide) -> bool {
        let Ok(path) = FieldPath::parse(text.as_str()) else {
            // The compiler tells.
            return true;
        };
        let found = self.place(&path, both, side);
        match found {
            Found::Place(..) => {
                self.missing.insert(text.span(), None);
                true
            }
            Found::Missing(missing) => {
                let step = missing.step;
                let at = steps::span_of_missing(text, &missing);
                let fault = Diagnostic::error(code::NO_SUCH_PLACE, missing.message).at(at);
                let fault = fault.maybe_hint(missing.hint);
                let known = self.missing.entry(text.span()).or_insert_with(|| Some((step, fault.clone())));
                if let Some((deepest, _)) = known
                    && *deepest < step
                {
                    *known = Some((step, fault));
                }
                false
            }
        }
    }

    fn place(&self, path: &FieldPath, both: &Both, side: OnSide) -> Found {
        let scope = |place: &Place| Scope::message(None).at(place.clone());
        match side {
            OnSide::Sonata => scope(&both.older).resolve(self.shores.older, path, &mut Vec::new()),
            OnSide::Legacy => scope(&both.newer).resolve(self.shores.newer, path, &mut Vec::new()),
        }
    }

    fn place_of(&self, text: &Text, both: &Both, side: OnSide) -> Place {
        match FieldPath::parse(text.as_str()).ok().map(|path| self.place(&path, both, side)) {
            Some(Found::Place(place, _)) => place,
            _ => Place::default(),
        }
    }

    /// A written rule, with the rest of what stands in it; `rest` is where that of branches is told.
    fn written(
        &mut self,
        rule: Rule,
        both: &Both,
        claimed: &Claimed,
        rest: Option<Span>,
        depth: usize,
    ) -> Option<Rule> {
        self.note(&rule, both);
        if rule.drop.is_some() {
            return None;
        }
        if rule.one_of.is_some() {
            return Some(self.one_of(rule, both, claimed, rest, depth));
        }
        let (Some(sonata), Some(legacy)) = (rule.sonata.clone(), rule.legacy.clone()) else {
            return Some(rule);
        };
        let (older, newer) =
            (self.place_of(&sonata, both, OnSide::Sonata), self.place_of(&legacy, both, OnSide::Legacy));
        let inner = narrowed(&Both { older, newer }, rule.condition.as_ref());
        if rule.fields.is_none() && rule.shape.is_none() {
            self.note_gap(&rule, both);
            let is_carried = rule.codes.is_none() && rule.convert.is_none() && rule.script.is_none();
            return if is_carried { self.meet(rule, &inner, depth + 1) } else { Some(rule) };
        }
        let fields = self.fields_of(&rule).unwrap_or_default();
        let fields = if is_in_place(&rule) {
            self.unspoken(&rule, &fields, &inner);
            self.in_place(&fields, &inner, depth)
        } else {
            self.object(&inner, &fields, &Claimed::default(), rule.span, depth + 1)
        };
        (!fields.is_empty()).then_some(Rule { fields: Some(fields), shape: None, ..rule })
    }

    /// Notes where a written pair may leave out what the other side requires.
    fn note_gap(&mut self, rule: &Rule, both: &Both) {
        let (Some(sonata), Some(legacy)) = (&rule.sonata, &rule.legacy) else { return };
        let required = |text: &Text, side: OnSide| {
            let path = FieldPath::parse(text.as_str()).ok()?;
            match self.place(&path, both, side) {
                Found::Place(_, required) => Some(required == Required::Yes),
                Found::Missing(_) => None,
            }
        };
        let is_open = rule.required.is_none() && rule.default.request.is_none();
        let way = match (required(sonata, OnSide::Sonata), required(legacy, OnSide::Legacy)) {
            (Some(false), Some(true)) if is_open => Way::Up,
            (Some(true), Some(false)) if is_open => Way::Down,
            _ => return,
        };
        let place = match (way, sonata.as_str() == legacy.as_str()) {
            (_, true) => sonata.as_str().to_owned(),
            (Way::Up, false) => format!("{sonata} as {legacy}"),
            (Way::Down, false) => format!("{legacy} as {sonata}"),
        };
        let reason = "it is required there, and may be absent here";
        self.noted(both, &place, way, Fate::Refused, reason);
    }

    /// Tells of members of a place inside that stands opposite to the whole, and that no rule speaks of.
    fn unspoken(&mut self, rule: &Rule, fields: &[Rule], inner: &Both) {
        let mut claimed = Claimed::default();
        let spread: Vec<Rule> = fields.iter().map(|field| self.spread(field)).collect();
        claimed.add(&spread);
        let is_at = |text: &Option<Text>| text.as_ref().is_some_and(|text| text.as_str() != ".");
        let sides = [
            (is_at(&rule.sonata), Way::Up, members(self.shores.older, &inner.older), claimed.older),
            (is_at(&rule.legacy), Way::Down, members(self.shores.newer, &inner.newer), claimed.newer),
        ];
        for (is_inside, way, members, claimed) in sides {
            for (name, member) in members.iter().filter(|_| is_inside) {
                if claimed.of(name).is_none() {
                    self.lose(inner, name, member.required, way, rule.span);
                }
            }
        }
    }

    /// A rule with the rules of shapes in it, as far as they stand at the same place.
    fn spread(&mut self, rule: &Rule) -> Rule {
        let mut rule = rule.clone();
        if is_in_place(&rule) {
            let fields = self.fields_of(&rule).unwrap_or_default();
            rule.fields = Some(fields.iter().map(|field| self.spread(field)).collect());
        }
        if let Some((_, branches, otherwise)) = &mut rule.one_of {
            for branch in branches {
                branch.fields = branch.fields.iter().map(|field| self.spread(field)).collect();
            }
            if let Some(ElseBranch::Fields(rules)) = otherwise {
                *rules = rules.iter().map(|field| self.spread(field)).collect();
            }
        }
        rule
    }

    fn one_of(
        &mut self,
        mut rule: Rule,
        both: &Both,
        claimed: &Claimed,
        rest: Option<Span>,
        depth: usize,
    ) -> Rule {
        let Some((_, branches, otherwise)) = &mut rule.one_of else { return rule };
        for branch in branches {
            if let Some(shape) = branch.shape.take() {
                let named =
                    Rule { shape: Some(shape.clone()), ..Rule::between(branch.span, shape.clone(), shape) };
                branch.fields.extend(self.fields_of(&named).unwrap_or_default());
            }
            let inner = narrowed(both, branch.condition.as_ref());
            branch.fields = match rest {
                Some(at) => {
                    let mut claimed = claimed.clone();
                    claimed.older.condition(branch.condition.as_ref(), OnSide::Sonata);
                    claimed.newer.condition(branch.condition.as_ref(), OnSide::Legacy);
                    self.object(&inner, &branch.fields, &claimed, at, depth + 1)
                }
                None => self.in_place(&branch.fields, &inner, depth),
            };
        }
        if let Some(ElseBranch::Fields(rules)) = otherwise {
            *rules = self.in_place(rules, both, depth);
        }
        rule
    }

    /// Rules for what both have and nothing claims.
    fn rest(&mut self, both: &Both, claimed: &Claimed, at: Span, depth: usize) -> Vec<Rule> {
        let olds = members(self.shores.older, &both.older);
        let news = members(self.shores.newer, &both.newer);
        let is_whole = |claims: &Claims, name: &str| claims.of(name).is_some_and(Claims::is_whole);
        let mut rules = Vec::new();
        for (name, own) in olds.iter().filter(|(name, _)| !is_whole(&claimed.older, name)) {
            match news.get(name).filter(|_| !is_whole(&claimed.newer, name)) {
                Some(other) => {
                    let rule = self.member(both, name, (*own, *other), claimed, at, depth);
                    rules.extend(rule);
                }
                None if claimed.older.of(name).is_none() => {
                    self.lose(both, name, own.required, Way::Up, at);
                }
                None => {}
            }
        }
        for (name, other) in &news {
            let is_carried = olds.contains_key(name) && !is_whole(&claimed.older, name);
            if claimed.newer.of(name).is_none() && !is_carried {
                self.lose(both, name, other.required, Way::Down, at);
            }
        }
        rules
    }

    /// The rule of a member that both have.
    fn member(
        &mut self,
        both: &Both,
        name: &str,
        (own, other): (Member, Member),
        claimed: &Claimed,
        at: Span,
        depth: usize,
    ) -> Option<Rule> {
        let path = Text::at(&spelled(name), at);
        let rule = Rule::between(at, path.clone(), path);
        let (older, newer) =
            (below(self.shores.older, &both.older, name), below(self.shores.newer, &both.newer, name));
        let inner = Both { older, newer };
        let differs = own.required != other.required;
        if differs {
            let way = if other.required { Way::Up } else { Way::Down };
            let reason = "it is required there, and may be absent here";
            self.noted(both, name, way, Fate::Refused, reason);
        }
        if let (Some(own), Some(other)) = (inner.older.ty, inner.newer.ty) {
            self.note_limits(both, name, (own, other));
        }
        let claim = (claimed.older.of(name), claimed.newer.of(name));
        if claim == (None, None) {
            let mut rule = self.meet(rule, &inner, depth + 1)?;
            // An empty array is there, and a group over one takes it for absent.
            if differs && !self.is_product && !every(rule.sonata.as_ref()) {
                rule.required = Some((Phases { request: true, answer: true }, at));
            }
            return Some(rule);
        }
        let (older, newer) = (claim.0.cloned().unwrap_or_default(), claim.1.cloned().unwrap_or_default());
        let fields = self.object(&inner, &[], &Claimed { older, newer }, at, depth + 1);
        (!fields.is_empty()).then_some(Rule { fields: Some(fields), ..rule })
    }
}

/// Whether a group stands at the same place on one side, and at another on the other side or on none.
fn is_in_place(rule: &Rule) -> bool {
    let is_here = |text: &Option<Text>| text.as_ref().is_some_and(|text| text.as_str() == ".");
    (rule.fields.is_some() || rule.shape.is_some()) && (is_here(&rule.sonata) || is_here(&rule.legacy))
}

fn below(schema: &dyn Schema, place: &Place, name: &str) -> Place {
    place.member(schema, name, &mut Vec::new()).map(|(place, _)| place).unwrap_or_default()
}

/// All members at a place, those of alternatives among them.
fn members(schema: &dyn Schema, place: &Place) -> BTreeMap<String, Member> {
    let Some(ty) = place.ty else { return BTreeMap::new() };
    let mut all: BTreeMap<String, Member> = schema.members(ty, place.discriminator()).into_iter().collect();
    for alternative in schema.alternatives(ty) {
        for (name, member) in schema.members(alternative, None) {
            all.entry(name).or_insert(Member { required: false, ..member });
        }
    }
    all
}

/// A member as a path has it.
fn spelled(name: &str) -> String {
    if FieldPath::parse(name).is_ok() { name.to_owned() } else { format!("['{name}']") }
}

/// A place on either side where a condition is known to hold.
pub(super) fn narrowed(both: &Both, condition: Option<&Condition>) -> Both {
    let narrow = |place: &Place, side: OnSide| {
        let text = condition.and_then(|condition| parts(condition, side, side).text);
        let parsed = text.and_then(|text| query::Condition::parse(text.as_str()).ok());
        let mut place = place.clone();
        for term in parsed.iter().flat_map(equalities) {
            if let Literal::Text(text) = &term.value {
                let members = term.members.iter().map(ToString::to_string).collect();
                place = place.knowing(members, text.to_string());
            }
        }
        place
    };
    Both { older: narrow(&both.older, OnSide::Sonata), newer: narrow(&both.newer, OnSide::Legacy) }
}
