//! Rules for what both contracts have, put beside those that are written.
//!
//! Types of both releases are walked side by side. Where they are the same all the way down, one pair carries the whole
//! value; where they are not, there is a group with rules for its members, and so on. What one release has and the other has
//! not must be spoken of: a rule carries it, makes it up or drops it.

use super::super::condition::{OnSide, equalities, parts};
use super::super::scope::{Found, Place, Scope};
use super::super::steps;
use super::Shores;
use super::claims::Claims;
use super::read::BridgeSource;
use super::root_place;
use crate::json::query;
use crate::mapping::bridge::{Bridge, Fate, Note, Way};
use crate::mapping::diagnostic as code;
use crate::mapping::path::{FieldPath, Literal};
use crate::mapping::raw::{
    Branch, BridgeFile, Condition, ElseBranch, OperationRule, ProductRule, Refuse, Rule, Text, TypeRule,
};
use crate::mapping::schema::{Kind, Member, OperationFacts, Schema, TypeId};
use crate::text::{Diagnostic, Diagnostics, Hint, Span, suggest};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The member that names a derived type or a product.
const TYPE: &str = "@type";
/// Types may stand in each other this deep; beyond, a value is carried as it is.
const DEPTH_MAX: usize = 24;

/// The rules of one function in the making.
pub(super) struct Weaver<'w> {
    pub shores: &'w Shores<'w>,
    pub told: Diagnostics,
    pub notes: Vec<Note>,
    function: String,
    files: Vec<&'w BridgeFile>,
    source: &'w BridgeSource,
    /// Whether two types are the same, as far as it is known.
    same: HashMap<(TypeId, TypeId), bool>,
    /// Pairs of types in the order in which they were found to be the same.
    trail: Vec<(TypeId, TypeId)>,
    /// Places that no pair of types had so far.
    missing: HashMap<Span, Option<(usize, Diagnostic)>>,
    /// Members that nobody speaks of, which were told.
    lost: HashSet<(String, String, bool)>,
    /// Types that were compared, so that rules for others are known to be idle.
    met: HashSet<Span>,
}

/// A place on either side.
#[derive(Clone)]
struct Both {
    older: Place,
    newer: Place,
}

/// What is claimed on either side.
#[derive(Clone, Default)]
struct Claimed {
    older: Claims,
    newer: Claims,
}

impl Claimed {
    fn add(&mut self, rules: &[Rule]) {
        self.older.rules(rules, OnSide::Sonata);
        self.newer.rules(rules, OnSide::Legacy);
    }

    fn member(&mut self, name: &str) {
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
            met: HashSet::new(),
        }
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
        match reason {
            Some(reason) => {
                bridge.absent.push((function.into(), id.into(), way, reason.as_str().into()));
            }
            None => {
                let (has, lacks) = match way {
                    Way::Up => (&self.source.older, &self.source.newer),
                    Way::Down => (&self.source.newer, &self.source.older),
                };
                let message = format!("{has} has the operation `{function}.{id}`, {lacks} has not");
                let at = rule.map_or(self.begin(), |rule| rule.is.as_ref().unwrap_or(&rule.id).span());
                let hint = format!("add `operations: {{ {id}: {{ drop: \"why\" }} }}`, or `is:` with its name there");
                self.told.push(Diagnostic::error(code::BRIDGE_OPERATION, message).at(at).hint(hint));
            }
        }
    }

    fn begin(&self) -> Span {
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
            return None;
        }
        let rules = written.map(|entry| self.body_of(entry)).unwrap_or_default();
        let at = written.map_or(self.begin(), |entry| entry.span);
        Some(self.object(&both, &rules, &Claimed::default(), at, 0))
    }

    /// The rules between the query parameters of an operation; none where they are the same.
    pub fn query(
        &mut self,
        written: Vec<Rule>,
        own: &OperationFacts,
        other: &OperationFacts,
        id: &str,
    ) -> Option<Vec<Rule>> {
        let names = |facts: &OperationFacts| -> BTreeMap<String, Option<TypeId>> {
            facts.query.iter().cloned().zip(facts.query_types.iter().copied()).collect()
        };
        let (olds, news) = (names(own), names(other));
        let claimed = |side: fn(&Rule) -> Option<&Text>| -> BTreeSet<String> {
            let texts = written.iter().filter_map(side).filter_map(|text| text.as_str().strip_prefix("query:"));
            texts.map(str::to_owned).collect()
        };
        let (older, newer) = (claimed(|rule| rule.sonata.as_ref()), claimed(|rule| rule.legacy.as_ref()));
        let mut rules = written;
        let is_plain = rules.is_empty();
        let mut is_same = is_plain;
        for (name, ty) in &olds {
            match news.get(name).filter(|_| !older.contains(name) && !newer.contains(name)) {
                Some(counterpart) => {
                    let path = Text::at(&format!("query:{name}"), self.begin());
                    let rule = Rule::between(self.begin(), path.clone(), path);
                    let both = Both { older: Place::of(*ty), newer: Place::of(*counterpart) };
                    let differs = ty.zip(*counterpart).is_some_and(|(own, other)| !self.same(own, other));
                    is_same &= !differs;
                    rules.extend(if differs { self.meet(rule, &both, 0) } else { Some(rule) });
                }
                None if !older.contains(name) => {
                    is_same = false;
                    self.parameter_lost(id, name, Way::Up);
                }
                None => {}
            }
        }
        for name in news.keys().filter(|name| !olds.contains_key(*name) && !newer.contains(*name)) {
            is_same = false;
            self.parameter_lost(id, name, Way::Down);
        }
        (!is_same).then_some(rules)
    }

    fn parameter_lost(&mut self, id: &str, name: &str, way: Way) {
        let side = if way == Way::Up { &self.source.older } else { &self.source.newer };
        let message = format!("only {side} has the query parameter `{name}` of `{id}`");
        let at = self.operation(id).map_or(self.begin(), |rule| rule.id.span());
        let hint = format!("add `{{ {side}: \"query:{name}\", drop: \"why\" }}` to the `fields:` of the operation");
        self.told.push(Diagnostic::error(code::BRIDGE_LOST, message).at(at).hint(hint));
    }

    /// What is said of a pair of types.
    fn type_rule(&self, older: TypeId, newer: TypeId) -> Option<&'w TypeRule> {
        let (own, other) = (self.shores.older.name(older)?, self.shores.newer.name(newer)?);
        self.files.iter().flat_map(|file| &file.types).find(|entry| entry.meets(&own, &other))
    }

    /// The rules of a shape, of what is said of a type, or of a group.
    fn body_of(&mut self, entry: &TypeRule) -> Vec<Rule> {
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
    fn object(
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
        let chosen = found.iter().any(|rule| rule.one_of.is_some()) && self.is_chosen(both);
        for rule in found.iter().filter(|rule| !chosen || rule.one_of.is_none()) {
            claimed.add(std::slice::from_ref(rule));
        }
        let mut rules = Vec::new();
        for rule in found {
            rules.extend(self.written(rule, both, &claimed, chosen.then_some(at), depth));
        }
        if chosen {
            return rules;
        }
        if self.is_configuration(both) {
            rules.extend(self.products(both, at, depth));
        } else if self.is_chosen(both) {
            rules.push(self.variants(both, &claimed, at, depth));
        } else {
            rules.extend(self.rest(both, &claimed, at, depth));
        }
        rules
    }

    fn is_chosen(&self, both: &Both) -> bool {
        let open = |schema: &dyn Schema, place: &Place| {
            place.discriminator().is_none()
                && place.ty.is_some_and(|ty| !schema.variants(ty).is_empty())
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

    fn place_of(&self, text: Option<&Text>, both: &Both, side: OnSide) -> Place {
        let path = text.and_then(|text| FieldPath::parse(text.as_str()).ok());
        match path.map(|path| self.place(&path, both, side)) {
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
        let inner = Both {
            older: self.place_of(Some(&sonata), both, OnSide::Sonata),
            newer: self.place_of(Some(&legacy), both, OnSide::Legacy),
        };
        let inner = narrowed(&inner, rule.condition.as_ref());
        if rule.fields.is_none() && rule.shape.is_none() {
            let is_carried = rule.codes.is_none() && rule.convert.is_none() && rule.script.is_none();
            return if is_carried { self.meet(rule, &inner, depth + 1) } else { Some(rule) };
        }
        let fields = self.fields_of(&rule).unwrap_or_default();
        let in_place = sonata.as_str() == "." || legacy.as_str() == ".";
        let fields = if in_place {
            let found: Vec<Rule> = fields.iter().filter_map(|one| self.found(one, &inner)).collect();
            found
                .into_iter()
                .filter_map(|one| self.written(one, &inner, &Claimed::default(), None, depth + 1))
                .collect()
        } else {
            self.object(&inner, &fields, &Claimed::default(), rule.span, depth + 1)
        };
        (!fields.is_empty()).then_some(Rule { fields: Some(fields), shape: None, ..rule })
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
            let inner = narrowed(both, branch.condition.as_ref());
            if let Some(shape) = branch.shape.take() {
                let named = Rule { shape: Some(shape.clone()), ..Rule::between(branch.span, shape.clone(), shape) };
                branch.fields.extend(self.fields_of(&named).unwrap_or_default());
            }
            branch.fields = match rest {
                Some(at) => {
                    let mut claimed = claimed.clone();
                    claimed.older.condition(branch.condition.as_ref(), OnSide::Sonata);
                    claimed.newer.condition(branch.condition.as_ref(), OnSide::Legacy);
                    self.object(&inner, &branch.fields, &claimed, at, depth + 1)
                }
                None => {
                    let found: Vec<Rule> =
                        branch.fields.iter().filter_map(|one| self.found(one, &inner)).collect();
                    found
                        .into_iter()
                        .filter_map(|one| self.written(one, &inner, &Claimed::default(), None, depth + 1))
                        .collect()
                }
            };
        }
        if let Some(ElseBranch::Fields(rules)) = otherwise {
            let found: Vec<Rule> = rules.iter().filter_map(|one| self.found(one, both)).collect();
            *rules = found
                .into_iter()
                .filter_map(|one| self.written(one, both, &Claimed::default(), None, depth + 1))
                .collect();
        }
        rule
    }

    /// Rules for what both have and nothing claims.
    fn rest(&mut self, both: &Both, claimed: &Claimed, at: Span, depth: usize) -> Vec<Rule> {
        let olds = members(self.shores.older, &both.older);
        let news = members(self.shores.newer, &both.newer);
        let mut rules = Vec::new();
        for (name, own) in &olds {
            let claim = (claimed.older.of(name).cloned(), claimed.newer.of(name).cloned());
            if claim.0.as_ref().is_some_and(Claims::is_whole) {
                continue;
            }
            let other = news.get(name).filter(|_| !claim.1.as_ref().is_some_and(Claims::is_whole));
            let Some(other) = other else {
                if claim.0.is_none() {
                    self.lose(both, name, own.required, Way::Up, at);
                }
                continue;
            };
            let path = Text::at(&spelled(name), at);
            let rule = Rule::between(at, path.clone(), path);
            let inner = Both {
                older: self.below(&both.older, name, OnSide::Sonata),
                newer: self.below(&both.newer, name, OnSide::Legacy),
            };
            if own.required != other.required {
                let way = if other.required { Way::Up } else { Way::Down };
                self.noted(both, name, way, Fate::Refused, "it is required there, and may be absent here");
            }
            if claim == (None, None) {
                rules.extend(self.meet(rule, &inner, depth + 1));
                continue;
            }
            let below =
                Claimed { older: claim.0.unwrap_or_default(), newer: claim.1.unwrap_or_default() };
            let fields = self.object(&inner, &[], &below, at, depth + 1);
            if !fields.is_empty() {
                rules.push(Rule { fields: Some(fields), ..rule });
            }
        }
        for (name, other) in &news {
            let is_claimed = claimed.newer.of(name).is_some();
            let is_carried = olds.contains_key(name) && !claimed.older.of(name).is_some_and(Claims::is_whole);
            if !is_claimed && !is_carried {
                self.lose(both, name, other.required, Way::Down, at);
            }
        }
        rules
    }

    fn below(&self, place: &Place, name: &str, side: OnSide) -> Place {
        let schema = self.schema(side);
        place.member(schema, name, &mut Vec::new()).map(|(place, _)| place).unwrap_or_default()
    }

    fn schema(&self, side: OnSide) -> &'w dyn Schema {
        match side {
            OnSide::Sonata => self.shores.older,
            OnSide::Legacy => self.shores.newer,
        }
    }

    /// A member of one side only that nobody speaks of.
    fn lose(&mut self, both: &Both, name: &str, required: bool, way: Way, at: Span) {
        let (has, lacks, place, schema): (_, _, _, &dyn Schema) = match way {
            Way::Up => (&self.source.older, &self.source.newer, &both.older, self.shores.older),
            Way::Down => (&self.source.newer, &self.source.older, &both.newer, self.shores.newer),
        };
        let ty = type_name(schema, place);
        if !self.lost.insert((ty.clone(), name.to_owned(), way == Way::Up)) {
            return;
        }
        let (code, message, hint) = if required {
            (
                code::BRIDGE_LACKS,
                format!("{has} requires `{name}` of {ty}, and nothing says what is written there"),
                format!("add `{{ {has}: {name}, value: … }}`, or a rule that carries it"),
            )
        } else {
            (
                code::BRIDGE_LOST,
                format!("{has} has `{name}` of {ty}, {lacks} has not, and no rule speaks of it"),
                format!("add `{{ {has}: {name}, drop: \"why\" }}`, or a rule that carries it"),
            )
        };
        self.told.push(Diagnostic::error(code, message).at(at).hint(hint));
    }

    /// What becomes of a value of one type where the other has another.
    fn meet(&mut self, mut rule: Rule, both: &Both, depth: usize) -> Option<Rule> {
        let (Some(own), Some(other)) = (both.older.ty, both.newer.ty) else { return Some(rule) };
        let told = rule.span;
        if let Some(entry) = self.type_rule(own, other) {
            self.met.insert(entry.span);
            self.note(&Rule { sonata: rule.sonata.clone(), legacy: rule.legacy.clone(), ..entry.rule.clone() }, both);
            if entry.rule.drop.is_some() {
                return None;
            }
            let said = entry.rule.clone();
            if said.codes.is_some() || said.convert.is_some() || said.script.is_some() {
                let (span, sonata, legacy) = (rule.span, rule.sonata, rule.legacy);
                let (required, default) = (rule.required, rule.default);
                return Some(Rule { span, sonata, legacy, required, default, ..said });
            }
            let fields = self.body_of(entry);
            rule.fields = Some(self.object(both, &fields, &Claimed::default(), entry.span, depth));
            return Some(rule).filter(|rule| rule.fields.as_ref().is_some_and(|fields| !fields.is_empty()));
        }
        if self.same(own, other) {
            return Some(rule);
        }
        match (self.shores.older.kind(own), self.shores.newer.kind(other)) {
            (Kind::Object, Kind::Object) => {
                rule.fields = Some(self.object(both, &[], &Claimed::default(), told, depth));
                Some(rule).filter(|rule| rule.fields.as_ref().is_some_and(|fields| !fields.is_empty()))
            }
            (Kind::Array, Kind::Array) => {
                let element = |schema: &dyn Schema, place: &Place| place.element(schema).unwrap_or_default();
                let inner = Both {
                    older: element(self.shores.older, &both.older),
                    newer: element(self.shores.newer, &both.newer),
                };
                for side in [&mut rule.sonata, &mut rule.legacy].into_iter().flatten() {
                    let words = if side.as_str() == "." { "[*]".into() } else { format!("{side}[*]") };
                    *side = Text::at(&words, side.span());
                }
                self.meet(rule, &inner, depth + 1)
            }
            // The compiler tells of kinds and words that do not fit.
            _ => Some(rule),
        }
    }

    /// One branch for each derived type that both have.
    fn variants(&mut self, both: &Both, claimed: &Claimed, at: Span, depth: usize) -> Rule {
        let names = |schema: &dyn Schema, place: &Place| -> Vec<String> {
            place.ty.map(|ty| schema.variants(ty)).unwrap_or_default()
        };
        let (olds, news) = (names(self.shores.older, &both.older), names(self.shores.newer, &both.newer));
        let mut branches = Vec::new();
        for name in olds.iter().filter(|name| news.contains(name)) {
            let condition = of_type(&[name.as_str()], &[name.as_str()], at);
            let inner = narrowed(both, Some(&condition));
            let mut claimed = claimed.clone();
            claimed.member(TYPE);
            let said = self.said_of_variant(both, name);
            let rules = said.map(|entry| self.body_of(entry)).unwrap_or_default();
            let at = said.map_or(at, |entry| entry.span);
            let fields = self.object(&inner, &rules, &claimed, at, depth + 1);
            branches.push(Branch { span: at, condition: Some(condition), fields, shape: None });
        }
        for (lonely, way) in [(&olds, Way::Up), (&news, Way::Down)] {
            let others = if way == Way::Up { &news } else { &olds };
            for name in lonely.iter().filter(|name| !others.contains(name)) {
                self.noted(both, TYPE, way, Fate::Refused, &format!("`{name}` has no counterpart"));
            }
        }
        choice(branches, Some("what `@type` says has no counterpart in the other release"), at)
    }

    /// What is said of a derived type that both have.
    fn said_of_variant(&self, both: &Both, name: &str) -> Option<&'w TypeRule> {
        let own = self.shores.older.variant(both.older.ty?, name)?;
        let other = self.shores.newer.variant(both.newer.ty?, name)?;
        self.type_rule(own, other)
    }

    /// One branch for each product whose `@type` differs, and one for all others.
    fn products(&mut self, both: &Both, at: Span, depth: usize) -> Vec<Rule> {
        let products: Vec<&'w ProductRule> = self.files.iter().flat_map(|file| &file.products).collect();
        let dot = Text::at(".", at);
        let carried = Rule::between(at, dot.clone(), dot);
        if products.is_empty() {
            return vec![carried];
        }
        let mut branches = Vec::new();
        for product in products {
            let texts = |names: &'w [Text]| names.iter().map(Text::as_str).collect::<Vec<_>>();
            let (olds, news) = (texts(&product.older), texts(&product.newer));
            let condition = of_type(&olds, &news, product.span);
            let type_of = |schema: &dyn Schema, names: &[&str]| schema.product(names.first().copied()?);
            let (own, other) = (type_of(self.shores.older, &olds), type_of(self.shores.newer, &news));
            let mut claimed = Claimed::default();
            claimed.member(TYPE);
            let mut inner = narrowed(both, Some(&condition));
            let mut fields = vec![written_type(product.span, &olds, &news)];
            if let (Some(own), Some(other)) = (own, other) {
                inner = Both { older: Place::of(Some(own)), newer: Place::of(Some(other)) };
                fields.clear();
                fields.extend(self.object(&inner, &product.fields, &claimed, product.span, depth + 1));
            } else {
                let _ = &inner;
                self.unknown_product(product, own.is_none());
            }
            branches.push(Branch { span: product.span, condition: Some(condition), fields, shape: None });
        }
        let mut rule = choice(branches, None, at);
        if let Some((_, _, otherwise)) = &mut rule.one_of {
            *otherwise = Some(ElseBranch::Fields(vec![carried]));
        }
        vec![rule]
    }

    fn unknown_product(&mut self, product: &ProductRule, is_older: bool) {
        let names = if is_older { &product.older } else { &product.newer };
        let Some(name) = names.first() else { return };
        if self.lost.insert((name.as_str().to_owned(), TYPE.to_owned(), is_older)) {
            let message = format!("no schema is known of the product `{name}`: its attributes cannot be carried");
            self.told.push(Diagnostic::error(code::BRIDGE_PRODUCT, message).at(name.span()));
        }
    }

    /// Whether two types are the same all the way down, and nothing is said of any in them.
    pub fn same(&mut self, older: TypeId, newer: TypeId) -> bool {
        if let Some(known) = self.same.get(&(older, newer)) {
            return *known;
        }
        let before = self.trail.len();
        self.trail.push((older, newer));
        self.same.insert((older, newer), true);
        let is = self.type_rule(older, newer).is_none() && self.is_same(older, newer);
        if !is {
            // What was found on the way may rest upon this one.
            for pair in self.trail.drain(before..) {
                self.same.remove(&pair);
            }
            self.same.insert((older, newer), false);
        }
        is
    }

    fn is_same(&mut self, older: TypeId, newer: TypeId) -> bool {
        let Shores { older: olds, newer: news, .. } = self.shores;
        let kind = olds.kind(older);
        if kind != news.kind(newer) || sorted(olds.values(older)) != sorted(news.values(newer)) {
            return false;
        }
        match kind {
            Kind::Array => match (olds.element(older), news.element(newer)) {
                (Some(own), Some(other)) => self.same(own, other),
                (own, other) => own.is_none() && other.is_none(),
            },
            Kind::Object => self.same_objects(older, newer),
            _ => true,
        }
    }

    fn same_objects(&mut self, older: TypeId, newer: TypeId) -> bool {
        let Shores { older: olds, newer: news, .. } = self.shores;
        let is_product = olds.is_configuration(older);
        if is_product != news.is_configuration(newer) {
            return false;
        }
        if is_product {
            return self.files.iter().all(|file| file.products.is_empty());
        }
        let (variants, others) = (sorted(olds.variants(older)), sorted(news.variants(newer)));
        if variants != others {
            return false;
        }
        let is_said = |name: &String| {
            let pair = olds.variant(older, name).zip(news.variant(newer, name));
            pair.is_some_and(|(own, other)| self.type_rule(own, other).is_some())
        };
        if variants.iter().any(is_said) {
            return false;
        }
        let (own, other) = (olds.alternatives(older), news.alternatives(newer));
        if own.len() != other.len() || own.iter().zip(&other).any(|(own, other)| !self.same(*own, *other)) {
            return false;
        }
        let cases = std::iter::once(None).chain(variants.iter().map(Some));
        for case in cases.collect::<Vec<_>>() {
            let case = case.map(String::as_str);
            let mut own: Vec<_> = olds.members(older, case);
            let mut other: Vec<_> = news.members(newer, case);
            own.sort_by(|one, two| one.0.cmp(&two.0));
            other.sort_by(|one, two| one.0.cmp(&two.0));
            let is_same = own.len() == other.len()
                && own.iter().zip(&other).all(|((name, own), (other_name, other))| {
                    name == other_name
                        && own.required == other.required
                        && self.same(own.ty, other.ty)
                });
            if !is_same {
                return false;
            }
        }
        true
    }

    /// Notes what a written rule says does not come over as it is.
    fn note(&mut self, rule: &Rule, both: &Both) {
        let place = rule.sonata.as_ref().or(rule.legacy.as_ref()).map_or(".", Text::as_str).to_owned();
        let on_older = rule.sonata.is_some();
        if let Some(reason) = &rule.drop {
            let way = if on_older { Way::Up } else { Way::Down };
            self.noted(both, &place, way, Fate::Dropped, reason.as_str());
            return;
        }
        if let Some(reason) = &rule.lossy {
            for way in [Way::Up, Way::Down] {
                if let Some(reason) = reason.of(way.direction()) {
                    self.noted(both, &place, way, Fate::Dropped, reason.as_str());
                }
            }
        }
        if let Some(text) = rule.default.request.as_ref().and_then(|node| node.as_text()) {
            for way in [Way::Up, Way::Down] {
                self.noted(both, &place, way, Fate::Synthesised, &format!("`{text}` where it is absent"));
            }
        }
        let is_one_sided = rule.sonata.is_some() != rule.legacy.is_some();
        let is_made = rule.value.is_some() || rule.script.is_some() || rule.from.is_some();
        if is_one_sided && is_made {
            let way = if on_older { Way::Down } else { Way::Up };
            let words = rule.value.as_ref().and_then(|node| node.as_text()).map_or_else(
                || "computed".to_owned(),
                |text| format!("`{text}`"),
            );
            self.noted(both, &place, way, Fate::Synthesised, &words);
        }
    }

    fn noted(&mut self, both: &Both, place: &str, way: Way, fate: Fate, reason: &str) {
        let on_newer = matches!((way, fate), (Way::Down, Fate::Dropped | Fate::Refused) | (Way::Up, Fate::Synthesised));
        let name = if on_newer {
            type_name(self.shores.newer, &both.newer)
        } else {
            type_name(self.shores.older, &both.older)
        };
        let note = Note {
            function: self.function.as_str().into(),
            type_name: name.into(),
            place: place.into(),
            way,
            fate,
            reason: reason.into(),
        };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Tells of places that no types had, and of entries for types that never meet.
    pub fn finish(&mut self) {
        for (_, fault) in std::mem::take(&mut self.missing).into_values().flatten() {
            self.told.push(fault);
        }
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn type_name(schema: &dyn Schema, place: &Place) -> String {
    let named = place.ty.and_then(|ty| schema.name(ty)).unwrap_or_else(|| "the message".to_owned());
    match place.discriminator() {
        Some(derived) => derived.rsplit(':').nth(2).unwrap_or(derived).to_owned(),
        None => named,
    }
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
fn narrowed(both: &Both, condition: Option<&Condition>) -> Both {
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

/// The condition that `@type` is one of these, the first of which is written.
fn of_type(older: &[&str], newer: &[&str], at: Span) -> Condition {
    let text = |names: &[&str]| {
        let terms: Vec<String> = names.iter().map(|name| format!("@['{TYPE}'] == '{name}'")).collect();
        Some(Text::at(&terms.join(" || "), at))
    };
    Condition::Sides { span: at, products: Vec::new(), sonata: text(older), legacy: text(newer) }
}

/// The pair of a product's `@type`, where its condition cannot write it.
fn written_type(at: Span, _: &[&str], _: &[&str]) -> Rule {
    let path = Text::at(TYPE, at);
    Rule::between(at, path.clone(), path)
}

fn choice(branches: Vec<Branch>, refuse: Option<&str>, at: Span) -> Rule {
    let dot = Text::at(".", at);
    let otherwise = refuse.map(|reason| {
        let (code, reason) = (Text::at("invalidValue", at), Some(Text::at(reason, at)));
        ElseBranch::Refuse(Box::new(Refuse { code, at: None, reason }))
    });
    let one_of = Some((at, branches, otherwise));
    Rule { sonata: None, legacy: None, one_of, ..Rule::between(at, dot.clone(), dot) }
}
