//! `receives:`: messages of the legacy system, each with what it says of which entity.

use super::Compiler;
use super::again::MadeProgram;
use super::lower::Use;
use super::scope::Scope;
use super::steps::span_of;
use crate::mapping::diagnostic as code;
use crate::mapping::news::{News, Receive, Segment};
use crate::mapping::path::{FieldPath, Part, Step};
use crate::mapping::program::Phase;
use crate::mapping::raw::{self, Text};
use crate::mapping::schema::KindFacts;
use crate::text::{Diagnostic, Hint, suggest};
use std::sync::Arc;

/// What a message of a legacy system is sent by.
const SENDING: &[&str] = &["POST", "PUT", "PATCH", "DELETE"];

/// What answers a message that does not say it: nothing more is told.
const STATUS: u16 = 204;

impl<'c> Compiler<'c> {
    /// Compiles everything that is received.
    pub(super) fn receives(&mut self) -> Vec<Arc<Receive>> {
        let mut list: Vec<Arc<Receive>> = Vec::new();
        let set = self.set;
        for raw in set.receives.iter() {
            let address = self.address(&raw.call, SENDING);
            let names = address.as_ref().map(|(_, path)| parameters(path)).unwrap_or_default();
            self.address = Some(names.iter().map(|name| (*name).to_owned()).collect());
            let news = self.news(&raw.news, &raw.call, &names);
            self.address = None;
            let (Some((method, path)), Some((news, scope))) = (address, news) else { continue };
            self.check_received(&raw.call, raw.backend.as_ref(), &raw.news, &scope);
            if list.iter().any(|other| *other.method == *method && same(&other.path, &path)) {
                let fault = Diagnostic::error(code::TWICE, "another entry receives this already");
                self.out.push(fault.at(raw.call.span()));
                continue;
            }
            let status = raw.status.and_then(|status| u16::try_from(status).ok()).unwrap_or(STATUS);
            let backend = raw.backend.as_ref().map(|text| text.as_str().into());
            list.push(Arc::new(Receive { method: method.into(), path: path.into(), status, news, backend }));
        }
        list
    }

    /// `PUT /bss/orders/{no}`: a method and the segments of a path.
    pub(super) fn address(&mut self, text: &Text, methods: &[&str]) -> Option<(String, Vec<Segment>)> {
        let fault = |message: String| Diagnostic::error(code::CALL, message).at(text.span());
        let Some((method, path)) = text.as_str().split_once(' ') else {
            let hint = "write `POST /bss/charges`, or the like";
            self.out.push(fault("what is received is a method and a path".to_owned()).hint(hint));
            return None;
        };
        if !methods.contains(&method) {
            let near = suggest(method, methods.iter().copied());
            let hint = near.map_or_else(|| methods.join(", ").into(), Hint::meant);
            self.out.push(fault(format!("nothing is received by `{method}`")).hint(hint));
            return None;
        }
        let segments: Option<Vec<Segment>> =
            path.trim().strip_prefix('/').and_then(|path| path.split('/').map(segment).collect());
        let Some(segments) = segments else {
            let hint = "write segments behind `/`, a value as a whole segment: `/bss/orders/{no}`";
            self.out.push(fault(format!("`{path}` is no path")).hint(hint));
            return None;
        };
        Some((method.to_owned(), segments))
    }

    /// What a message says, and the Sonata side of it.
    pub(super) fn news(
        &mut self,
        raw: &'c raw::News,
        name: &Text,
        parameters: &[&str],
    ) -> Option<(News, Scope)> {
        let named = raw.kind.as_ref()?;
        let kind = self.kind_named(named)?;
        let of = self.belongs(raw, &kind);
        let whose = self.whose(raw, &kind);
        let each = raw.each.as_ref().map(|text| self.elements(text));
        let legacy_id = raw.legacy_id.as_ref().and_then(|text| self.told_by(text, parameters));
        let of = of.map(|of| of.map(|(kind, text)| Some((kind, self.told_by(text, parameters)?))));
        let whose = whose.map(|of| of.map(|(name, text)| Some((name, self.told_by(text, parameters)?))));
        let (made, scope) = self.news_program(raw, name, &kind)?;
        let news = News {
            origin: self.origin(name.span(), name.as_str()),
            kind: kind.kind.into(),
            items: kind.items.map(Into::into),
            creates: raw.creates,
            of: of?.map_or(Some(None), |of| of.map(Some))?,
            whose: whose?.map_or(Some(None), |whose| whose.map(Some))?,
            legacy_id: legacy_id?,
            each: each.map_or(Some(None), |each| each.map(Some))?,
            program: made.program,
            not_echoed: made.not_echoed.iter().cloned().collect(),
        };
        Some((news, scope))
    }

    /// The kind that a word names.
    fn kind_named(&mut self, named: &Text) -> Option<KindFacts> {
        if let Some(kind) = self.schema.entity(named.as_str()) {
            return Some(kind);
        }
        let known = self.schema.entities();
        let items = known.iter().filter_map(|kind| self.schema.entity(kind)?.has_items);
        let names: Vec<String> = known.iter().cloned().chain(items).collect();
        if names.is_empty() {
            return None;
        }
        let near = suggest(named.as_str(), names.iter().map(String::as_str));
        let hint = near.map_or_else(|| names.join(", ").into(), Hint::meant);
        let message = format!("`{named}` is no kind of entity, and no items of one");
        self.out.push(Diagnostic::error(code::NEWS, message).at(named.span()).hint(hint));
        None
    }

    /// What a new entity belongs to; the outer `None` where something is wrong with it.
    #[expect(clippy::option_option, reason = "wrong, absent and there are three things")]
    fn belongs<'r>(&mut self, raw: &'r raw::News, kind: &KindFacts) -> Option<Option<(Box<str>, &'r Text)>> {
        let fault = |message: &str| Diagnostic::error(code::NEWS, message).at(raw.span);
        match raw.of.as_slice() {
            [] if !raw.creates || kind.is_public || !raw.whose.is_empty() => Some(None),
            [(word, _), ..] if kind.is_public => {
                self.out.push(fault("this kind belongs to nobody").at(word.span()).hint("leave `of` out"));
                None
            }
            [] => {
                let hint = "add `of: { KIND: place }`: by what it belongs to the message says whose it is; or \
                            `whose: { account: place }`, by a setting of the partner";
                self.out.push(fault("nothing says whose the new entity is").hint(hint));
                None
            }
            [_, _, ..] => {
                self.out.push(fault("a new entity belongs to one entity").hint("leave one of them"));
                None
            }
            [(word, place)] if raw.creates => {
                if kind.items.is_some() {
                    self.out.push(fault("items do not come into being by themselves"));
                    return None;
                }
                self.kind_named(word)?;
                Some(Some((word.as_str().into(), place)))
            }
            [(word, _)] => {
                let fault = Diagnostic::error(code::KEY_IDLE, "`of` goes with `creates`").at(word.span());
                self.out.push(fault.hint("what is there already belongs where it did"));
                None
            }
        }
    }

    /// By which setting of a partner a new entity is its; the outer `None` where something is wrong with it.
    #[expect(clippy::option_option, reason = "wrong, absent and there are three things")]
    fn whose<'r>(&mut self, raw: &'r raw::News, kind: &KindFacts) -> Option<Option<(Box<str>, &'r Text)>> {
        let (word, place) = match raw.whose.as_slice() {
            [] => return Some(None),
            [one] => one,
            [_, (word, _), ..] => {
                let fault = Diagnostic::error(code::NEWS, "a new entity is a partner's by one setting");
                self.out.push(fault.at(word.span()).hint("leave one of them"));
                return None;
            }
        };
        let idle = if !raw.creates {
            "what is there already is whose it was"
        } else if kind.is_public {
            "this kind belongs to nobody"
        } else if !raw.of.is_empty() {
            "`of` says whose it is"
        } else {
            return Some(Some((word.as_str().into(), place)));
        };
        let fault = Diagnostic::error(code::KEY_IDLE, "`whose` says nothing here").at(word.span());
        self.out.push(fault.hint(idle));
        None
    }

    /// A place where the message names something: in its body, or a value of its path.
    pub(super) fn told_by(&mut self, text: &Text, parameters: &[&str]) -> Option<FieldPath> {
        let path = self.path(text)?;
        if !self.is_in_address(text, &path, parameters) {
            return None;
        }
        if path.every {
            let fault = Diagnostic::error(code::ELEMENTS, "this names several places").at(text.span());
            self.out.push(fault.hint("name the array by `each:`"));
            return None;
        }
        Some(path)
    }

    /// Tells of a rule that reads a value which the address of the message does not have.
    pub(super) fn check_address(&mut self, text: &Text, path: &FieldPath) {
        if let Some(names) = self.address.take() {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            self.is_in_address(text, path, &known);
            self.address = Some(names);
        }
    }

    fn is_in_address(&mut self, text: &Text, path: &FieldPath, parameters: &[&str]) -> bool {
        let (Part::Path, Some(Step::Member(name))) = (path.part, path.steps.first()) else { return true };
        if parameters.contains(&&**name) {
            return true;
        }
        let near = suggest(name, parameters.iter().copied()).map(Hint::meant);
        let hint = near.or_else(|| match parameters {
            [only] => Some(Hint::meant(*only)),
            _ => None,
        });
        let fault = Diagnostic::error(code::NEWS, format!("the path has no value `{{{name}}}`"));
        self.out.push(fault.at(span_of(text, 0)).maybe_hint(hint));
        false
    }

    fn news_program(
        &mut self,
        raw: &'c raw::News,
        name: &Text,
        kind: &KindFacts,
    ) -> Option<(MadeProgram, Scope)> {
        let facts = self.schema.operation(&kind.function, &kind.retrieve)?;
        let ty = facts.answer.as_ref().and_then(|name| self.schema.root(&kind.function, name));
        let mut scope = Scope::message(ty);
        scope.body = true;
        let mut base = None;
        if let Some(items) = &kind.items {
            let path = FieldPath::parse(&format!("{items}[*]")).ok()?;
            if let Some((place, _)) = scope.find(self.schema, &path) {
                scope = scope.at(place);
            }
            base = Some(path);
        }
        // A message is read as the answer of a look-up of the same entity would be.
        let us =
            Use::new(format!("{} {name}", kind.function), Phase::Answer, self.side.direction(Phase::Answer));
        let body = raw.body.as_ref()?;
        let made = self.body_program(body, &scope, us, (facts.answer.as_deref(), base.as_ref()));
        Some((made?, scope))
    }
}

/// A segment of a path; none where it is none.
fn segment(text: &str) -> Option<Segment> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
            Some(Segment::Parameter(name.into()))
        }
        None if !text.is_empty() && text.chars().all(plain) => Some(Segment::Literal(text.into())),
        _ => None,
    }
}

pub(super) fn parameters(path: &[Segment]) -> Vec<&str> {
    let names = path.iter().filter_map(|segment| match segment {
        Segment::Parameter(name) => Some(&**name),
        Segment::Literal(_) => None,
    });
    names.collect()
}

/// Whether two paths take the same requests.
pub(super) fn same(left: &[Segment], right: &[Segment]) -> bool {
    let alike = |(left, right): (&Segment, &Segment)| match (left, right) {
        (Segment::Literal(left), Segment::Literal(right)) => left == right,
        (left, right) => matches!((left, right), (Segment::Parameter(_), Segment::Parameter(_))),
    };
    left.len() == right.len() && left.iter().zip(right).all(alike)
}
