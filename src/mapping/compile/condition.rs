//! `if:`, per side: what is tested where a side is read, and what is written where it is written.

use super::scope::{Place, Scope};
use super::{Compiler, Product, steps};
use crate::json::Name;
use crate::json::query::{self, Condition, QueryError};
use crate::mapping::diagnostic as code;
use crate::mapping::path::{FieldPath, Literal, Term};
use crate::mapping::raw::{self, Text};
use crate::mapping::schema::Kind;
use crate::text::{Diagnostic, Hint, Slips, suggest};
use std::sync::Arc;

/// What goes wrong in a condition or query, and what was meant.
pub(super) const QUERY_SLIPS: Slips<'_> = Slips {
    written: &[
        ("===", "=="),
        ("=!", "!="),
        ("=", "=="),
        (" eq ", " == "),
        (" ne ", " != "),
        ("<>", "!="),
        (" and ", " && "),
        (" or ", " || "),
        ("&", "&&"),
        ("|", "||"),
        ("..", "."),
        (" not ", " !"),
    ],
    missing: &["'", ".", "@.", "]", ")", "@", "?", "(", "["],
};

/// Which side of a rule is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum OnSide {
    /// `sonata:`
    Sonata,
    /// `legacy:`
    Legacy,
}

/// The condition texts of one side.
pub(super) struct Parts<'r> {
    /// Short names of products (Sonata side only).
    pub products: &'r [Text],
    /// The written condition.
    pub text: Option<&'r Text>,
}

impl Parts<'_> {
    /// Whether nothing is said for the side.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty() && self.text.is_none()
    }
}

/// What `if:` says for one side; a text without a side is for the side that is read.
pub(super) fn parts(condition: &raw::Condition, side: OnSide, read: OnSide) -> Parts<'_> {
    match condition {
        raw::Condition::Read(text) => Parts { products: &[], text: (side == read).then_some(text) },
        raw::Condition::Sides { products, sonata, legacy, .. } => match side {
            OnSide::Sonata => Parts { products, text: sonata.as_ref() },
            OnSide::Legacy => Parts { products: &[], text: legacy.as_ref() },
        },
    }
}

impl Compiler<'_> {
    /// Parses a condition; what is wrong with it is told.
    pub(super) fn condition_text(&mut self, text: &Text) -> Option<Condition> {
        match self.condition(text.as_str()) {
            Ok(condition) => Some(condition),
            Err(error) => {
                let fault = Diagnostic::error(code::CONDITION, error.message);
                let good = |tried: &str| Condition::parse(tried).is_ok();
                let mended = text.mended(error.offset, QUERY_SLIPS, good);
                self.out.push(fault.at(text.word_at(error.offset)).maybe_hint(mended));
                None
            }
        }
    }

    /// A condition, read once.
    fn condition(&mut self, text: &str) -> Result<Condition, QueryError> {
        if let Some(known) = self.known.conditions.get(text) {
            return Ok(known.clone());
        }
        let condition = Condition::parse(text)?;
        // While a set is compiled nobody else has the map; what an overlay adds is not worth a copy of it.
        if let Some(known) = Arc::get_mut(&mut self.known.conditions) {
            known.insert(text.to_owned(), condition.clone());
        }
        Ok(condition)
    }

    /// A path, read once.
    pub(super) fn field_path(&mut self, text: &str) -> Option<FieldPath> {
        if let Some(known) = self.known.field_paths.get(text) {
            return Some(known.clone());
        }
        let path = FieldPath::parse(text).ok()?;
        // As for conditions.
        if let Some(known) = Arc::get_mut(&mut self.known.field_paths) {
            known.insert(text.to_owned(), path.clone());
        }
        Some(path)
    }

    /// The product of a short name; what is not known is told.
    pub(super) fn product(&mut self, name: &Text) -> Option<Product> {
        if let Some(product) = self.products.get(name.as_str()) {
            return Some(product.clone());
        }
        let near = suggest(name.as_str(), self.products.keys().map(String::as_str));
        let hint = near.map_or_else(|| "name its `@type` in set.yaml under `products:`".into(), Hint::meant);
        let fault = Diagnostic::error(code::PRODUCT_NAME, format!("set.yaml has no product `{name}`"));
        self.out.push(fault.at(name.span()).hint(hint));
        None
    }

    /// Member names from the scope to the product's configuration.
    pub(super) fn configuration(&self, here: &Place) -> Option<Vec<String>> {
        let candidates: [&[&str]; 3] = [&[], &["productConfiguration"], &["product", "productConfiguration"]];
        if here.ty.is_none() {
            return Some(vec!["product".to_owned(), "productConfiguration".to_owned()]);
        }
        for names in candidates {
            let mut place = here.clone();
            let found = names.iter().all(|name| match place.member(self.schema, name, &mut Vec::new()) {
                Ok((next, _)) => {
                    place = next;
                    true
                }
                Err(_) => false,
            });
            let open = place.ty.is_none_or(|ty| self.schema.kind(ty) == Kind::Any) && !names.is_empty();
            if found && (open || place.ty.is_some_and(|ty| self.schema.is_configuration(ty))) {
                return Some(names.iter().map(|name| (*name).to_owned()).collect());
            }
        }
        None
    }

    /// The condition that is tested where this side is read. `Err` where the message has no product at all, so
    /// that it can never hold.
    pub(super) fn tested(&mut self, parts: &Parts<'_>, here: &Place) -> Result<Option<Condition>, ()> {
        let mut terms = Vec::new();
        if !parts.products.is_empty() {
            let names = self.configuration(here).ok_or(())?;
            let path = names.iter().fold("@".to_owned(), |path, name| path + "." + name.as_str());
            let mut any = Vec::new();
            for name in parts.products {
                let Some(product) = self.product(name) else { continue };
                any.extend(product.types.iter().map(|ty| {
                    let ty = ty.replace('\\', "\\\\").replace('\'', "\\'");
                    format!("{path}['@type'] == '{ty}'")
                }));
            }
            terms.push(format!("({})", any.join(" || ")));
        }
        if let Some(text) = parts.text {
            if self.condition_text(text).is_none() {
                return Ok(None);
            }
            terms.push(if terms.is_empty() { text.as_str().to_owned() } else { format!("({text})") });
        }
        if terms.is_empty() {
            return Ok(None);
        }
        Ok(self.condition(&terms.join(" && ")).ok())
    }

    /// The terms that are written where this side is written, from the scope.
    pub(super) fn written(&mut self, parts: &Parts<'_>, here: &Place) -> Vec<Term> {
        let mut terms = Vec::new();
        if let [name] = parts.products
            && let (Some(product), Some(mut names)) = (self.product(name), self.configuration(here))
        {
            names.push("@type".to_owned());
            let members = names.into_iter().map(Into::into).collect();
            let ty = product.types.first().cloned().unwrap_or_default();
            terms.push(Term { members, value: Literal::Text(ty.into()) });
        }
        if let Some(condition) = parts.text.and_then(|text| self.condition_text(text)) {
            terms.extend(equalities(&condition));
        }
        terms
    }

    /// The place with what holds there when the condition of the Sonata side does.
    pub(super) fn narrowed(&mut self, condition: Option<&raw::Condition>, here: &Place) -> Place {
        let Some(condition) = condition else { return here.clone() };
        let sonata = parts(condition, OnSide::Sonata, OnSide::Sonata);
        let mut place = here.clone();
        if let [name] = sonata.products
            && let (Some(product), Some(mut names)) =
                (self.products.get(name.as_str()).cloned(), self.configuration(here))
        {
            names.push("@type".to_owned());
            place = place.knowing(names, product.types.first().cloned().unwrap_or_default());
        }
        let text = sonata.text.and_then(|text| self.condition(text.as_str()).ok());
        for term in text.iter().flat_map(equalities) {
            if let Literal::Text(text) = &term.value {
                let members = term.members.iter().map(ToString::to_string).collect();
                place = place.knowing(members, text.to_string());
            }
        }
        place
    }

    /// Checks the words that a condition compares members of the Sonata side with.
    pub(super) fn check_compared(&mut self, text: &Text, condition: &Condition, scope: &Scope) {
        for one in condition.comparisons() {
            let (Some((path, names)), query::Literal::Text(value)) = (place_of(one.path), one.literal) else {
                continue;
            };
            let start = match one.path.origin {
                query::Origin::Scope => &scope.here,
                query::Origin::Root => &scope.root,
            };
            let outside = start.allows(self.schema, &path, value).err().map(|hint| {
                let message = format!("{} does not allow `{value}` here", self.schema.title());
                let fault = Diagnostic::error(code::NOT_IN_ENUM, message);
                (names, fault.at(steps::word_in(text, value)).maybe_hint(hint))
            });
            self.sighted((text.span(), format!("{} {value}", path.join(".")).into()), outside);
        }
    }

    /// Checks what a condition reads of the Sonata side.
    pub(super) fn check_reads(&mut self, text: &Text, reads: &[query::Read], scope: &Scope) {
        for read in reads {
            let found = scope.read(self.schema, read);
            let missing = found.err().map(|(name, message, hint)| {
                Diagnostic::error(code::NO_SUCH_PLACE, message)
                    .at(steps::word_in(text, &name))
                    .maybe_hint(hint)
            });
            self.sighted(
                (text.span(), read.to_string().into()),
                missing.map(|fault| (read.steps.len(), fault)),
            );
        }
    }
}

/// The member names of a path that has nothing else, and how many they are.
fn place_of(path: &query::Singular) -> Option<(Vec<&str>, usize)> {
    let names: Option<Vec<&str>> = path
        .steps
        .iter()
        .map(|step| match step {
            query::Step::Name(name) => Some(&**name),
            query::Step::Index(_) => None,
        })
        .collect();
    names.map(|names| (names.len(), names)).map(|(count, names)| (names, count))
}

/// The equality terms of a condition that are paths of members from the scope.
pub(super) fn equalities(condition: &Condition) -> Vec<Term> {
    let term = |equality: query::Equality<'_>| {
        let names = equality.path.steps.iter().map(|step| match step {
            query::Step::Name(name) => Some((&**name).into()),
            query::Step::Index(_) => None,
        });
        let members: Option<Box<[Name]>> = names.collect();
        let members = members.filter(|members| !members.is_empty())?;
        (equality.path.origin == query::Origin::Scope)
            .then(|| Term { members, value: literal(equality.literal) })
    };
    condition.equalities().into_iter().filter_map(term).collect()
}

fn literal(literal: &query::Literal) -> Literal {
    match literal {
        query::Literal::Null => Literal::Null,
        query::Literal::Bool(truth) => Literal::Bool(*truth),
        query::Literal::Number(number) => Literal::Number(number.clone()),
        query::Literal::Text(text) => Literal::Text(text.clone()),
    }
}
