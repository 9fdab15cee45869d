//! Whether types of two releases are the same.

use super::Shores;
use super::weave::Weaver;
use crate::mapping::schema::{Kind, TypeId};

impl Weaver<'_> {
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
        if kind != news.kind(newer) || !same_format(olds.format(older), news.format(newer)) {
            return false;
        }
        if sorted(olds.values(older)) != sorted(news.values(newer)) {
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
            return self.counterparts().next().is_none();
        }
        let variants = sorted(olds.variants(older));
        if variants != sorted(news.variants(newer)) || self.is_said_of_variant((older, newer), &variants) {
            return false;
        }
        let (own, other) = (olds.alternatives(older), news.alternatives(newer));
        if own.len() != other.len() || own.iter().zip(&other).any(|(own, other)| !self.same(*own, *other)) {
            return false;
        }
        let mut cases = std::iter::once(None).chain(variants.iter().map(|name| Some(name.as_str())));
        cases.all(|case| self.same_members((older, newer), case))
    }

    fn is_said_of_variant(&self, (older, newer): (TypeId, TypeId), variants: &[String]) -> bool {
        let Shores { older: olds, newer: news, .. } = self.shores;
        let pair = |name: &String| olds.variant(older, name).zip(news.variant(newer, name));
        let mut pairs = variants.iter().filter_map(pair);
        pairs.any(|(own, other)| self.type_rule(own, other).is_some())
    }

    /// Whether the members of two objects are the same, of a derived type or of none.
    fn same_members(&mut self, (older, newer): (TypeId, TypeId), case: Option<&str>) -> bool {
        let (mut own, mut other) =
            (self.shores.older.members(older, case), self.shores.newer.members(newer, case));
        own.sort_by(|one, two| one.0.cmp(&two.0));
        other.sort_by(|one, two| one.0.cmp(&two.0));
        own.len() == other.len()
            && own.iter().zip(&other).all(|((name, own), (other_name, other))| {
                name == other_name && own.required == other.required && self.same(own.ty, other.ty)
            })
    }
}

/// Where only one side has a format, or only one is checked, there is nothing to say.
fn same_format(older: Option<String>, newer: Option<String>) -> bool {
    older.zip(newer).is_none_or(|(older, newer)| older == newer)
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}
