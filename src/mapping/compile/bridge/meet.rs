//! Where values of two types meet: derived types, products, elements.

use super::super::scope::Place;
use super::weave::{Both, Claimed, Weaver, narrowed};
use crate::mapping::bridge::{Fate, Way};
use crate::mapping::diagnostic as code;
use crate::mapping::raw::{Branch, Condition, ElseBranch, ProductRule, Refuse, Rule, Text, TypeRule};
use crate::mapping::schema::{Kind, Schema};
use crate::text::{Diagnostic, Span};

/// The member that names a derived type or a product.
const TYPE: &str = "@type";

impl<'w> Weaver<'w> {
    /// What becomes of a value of one type where the other has another.
    pub fn meet(&mut self, rule: Rule, both: &Both, depth: usize) -> Option<Rule> {
        let (Some(own), Some(other)) = (both.older.ty, both.newer.ty) else { return Some(rule) };
        if let Some(entry) = self.type_rule(own, other) {
            return self.said(rule, entry, both, depth);
        }
        if self.same(own, other) {
            return Some(rule);
        }
        match (self.shores.older.kind(own), self.shores.newer.kind(other)) {
            (Kind::Object, Kind::Object) => {
                let fields = self.object(both, &[], &Claimed::default(), rule.span, depth);
                (!fields.is_empty()).then_some(Rule { fields: Some(fields), ..rule })
            }
            (Kind::Array, Kind::Array) => self.elements(rule, both, depth),
            _ => {
                self.tell_types(&rule, (own, other), both);
                Some(rule)
            }
        }
    }

    /// What an entry of `types:` says of a value.
    fn said(&mut self, rule: Rule, entry: &TypeRule, both: &Both, depth: usize) -> Option<Rule> {
        let Rule { span, sonata, legacy, .. } = rule.clone();
        // What is said of a type stands for every value of it, and is no copy of itself.
        let said = Rule { span, sonata, legacy, keys: Vec::new(), ..entry.rule.clone() };
        self.note(&said, both);
        if said.drop.is_some() {
            return None;
        }
        if said.codes.is_some() || said.convert.is_some() || said.script.is_some() {
            return Some(Rule { required: rule.required, default: rule.default, ..said });
        }
        let fields = self.body_of(entry);
        let fields = self.object(both, &fields, &Claimed::default(), entry.span, depth);
        (!fields.is_empty()).then_some(Rule { fields: Some(fields), ..rule })
    }

    /// The same for the elements of arrays.
    fn elements(&mut self, mut rule: Rule, both: &Both, depth: usize) -> Option<Rule> {
        let inner = Both {
            older: both.older.element(self.shores.older).unwrap_or_default(),
            newer: both.newer.element(self.shores.newer).unwrap_or_default(),
        };
        for side in [&mut rule.sonata, &mut rule.legacy].into_iter().flatten() {
            let words = if side.as_str() == "." { "[*]".into() } else { format!("{side}[*]") };
            *side = Text::at(&words, side.span());
        }
        self.meet(rule, &inner, depth + 1)
    }

    /// One branch for each derived type that both have.
    pub fn variants(&mut self, both: &Both, claimed: &Claimed, at: Span, depth: usize) -> Rule {
        let names = |schema: &dyn Schema, place: &Place| -> Vec<String> {
            place.ty.map(|ty| schema.variants(ty)).unwrap_or_default()
        };
        let (olds, news) = (names(self.shores.older, &both.older), names(self.shores.newer, &both.newer));
        let mut branches = Vec::new();
        for name in olds.iter().filter(|name| news.contains(name)) {
            let condition = of_type(name, name, at);
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
    pub fn products(&mut self, at: Span, depth: usize) -> Vec<Rule> {
        let products: Vec<&'w ProductRule> = self.counterparts().collect();
        let dot = Text::at(".", at);
        let carried = Rule::between(at, dot.clone(), dot);
        if products.is_empty() {
            return vec![carried];
        }
        let branches = products.into_iter().flat_map(|product| self.product(product, depth)).collect();
        let mut rule = choice(branches, None, at);
        if let Some((_, _, otherwise)) = &mut rule.one_of {
            *otherwise = Some(ElseBranch::Fields(vec![carried]));
        }
        vec![rule]
    }

    /// Products that both releases have, as far as they are spoken of.
    pub fn counterparts(&self) -> impl Iterator<Item = &'w ProductRule> + use<'w> {
        let all = self.files.clone().into_iter().flat_map(|file| &file.products);
        all.filter(|product| product.drop.is_none())
    }

    /// A branch for each spelling of a product: the first is written, all are read.
    fn product(&mut self, product: &ProductRule, depth: usize) -> Vec<Branch> {
        let (olds, news, at) = (&product.older, &product.newer, product.span);
        let (Some(old), Some(new)) = (olds.first(), news.first()) else { return Vec::new() };
        let own = self.shores.older.product(old.as_str());
        let other = self.shores.newer.product(new.as_str());
        let (Some(_), Some(_)) = (own, other) else {
            self.unknown_product(product, own.is_none());
            return Vec::new();
        };
        let inner = Both { older: Place::of(own), newer: Place::of(other) };
        let key = (old.as_str().to_owned(), new.as_str().to_owned());
        let fields = self.products.get(&key).cloned().unwrap_or_else(|| {
            let mut claimed = Claimed::default();
            claimed.member(TYPE);
            self.is_product = true;
            let said = own.zip(other).and_then(|(own, other)| self.type_rule(own, other));
            let mut fields = said.map(|entry| self.body_of(entry)).unwrap_or_default();
            fields.extend(product.fields.iter().cloned());
            let fields = self.object(&inner, &fields, &claimed, at, depth + 1);
            self.is_product = false;
            self.products.insert(key, fields.clone());
            fields
        });
        let firsts = olds.iter().map(|old| (old, new));
        let pairs = firsts.chain(news.iter().skip(1).map(|new| (old, new)));
        let branch = |(old, new): (&Text, &Text)| {
            let condition = Some(of_type(old.as_str(), new.as_str(), at));
            Branch { span: at, condition, fields: fields.clone(), shape: None }
        };
        pairs.map(branch).collect()
    }

    /// Tells of products whose schemas differ, or that only one release has, and that no entry of `products:` speaks of.
    pub fn check_products(&mut self) {
        let (olds, news) = (self.shores.older.product_types(), self.shores.newer.product_types());
        if olds.is_empty() || news.is_empty() {
            return;
        }
        let all = || self.source.files.iter().flat_map(|file| &file.products);
        let is_spoken = |urn: &String, is_older: bool| {
            let mut names = all().flat_map(|entry| if is_older { &entry.older } else { &entry.newer });
            names.any(|name| name.as_str() == urn)
        };
        for (is_older, own, others) in [(true, &olds, &news), (false, &news, &olds)] {
            for urn in own.iter().filter(|urn| !is_spoken(urn, is_older)) {
                let pair = (self.shores.older.product(urn), self.shores.newer.product(urn));
                let is_shared = others.contains(urn);
                if is_shared
                    && let (Some(old), Some(new)) = pair
                    && self.same(old, new)
                {
                    continue;
                }
                let (older, newer) = (&self.source.older, &self.source.newer);
                let (side, other) = if is_older { (older, newer) } else { (newer, older) };
                let message = if is_shared {
                    format!("the product `{urn}` has other attributes in {other} than in {side}")
                } else {
                    format!("{side} has the product `{urn}`, {other} has not")
                };
                let hint = format!(
                    "add `products: [ {{ {side}: \"{urn}\", {other}: … }} ]`, or in place of the other `drop: \"why\"`"
                );
                self.told.push(Diagnostic::error(code::BRIDGE_PRODUCT, message).at(self.begin()).hint(hint));
            }
        }
    }

    fn unknown_product(&mut self, product: &ProductRule, is_older: bool) {
        let names = if is_older { &product.older } else { &product.newer };
        let Some(name) = names.first() else { return };
        if self.lost.insert((name.as_str().to_owned(), TYPE.to_owned(), is_older)) {
            let message =
                format!("no schema is known of the product `{name}`: its attributes cannot be carried");
            self.told.push(Diagnostic::error(code::BRIDGE_PRODUCT, message).at(name.span()));
        }
    }
}

/// The condition that `@type` is this, which is also what writes it.
fn of_type(older: &str, newer: &str, at: Span) -> Condition {
    let text = |name: &str| Some(Text::at(&format!("@['{TYPE}'] == '{name}'"), at));
    Condition::Sides { span: at, products: Vec::new(), sonata: text(older), legacy: text(newer) }
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
