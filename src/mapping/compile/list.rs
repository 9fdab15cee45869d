//! Lists: how they are paged at the legacy system, and where their filters are settled.

use super::Compiler;
use super::coverage::plain;
use super::operation::Making;
use super::writers::Places;
use crate::json::query::Query;
use crate::mapping::diagnostic as code;
use crate::mapping::operation::{Call, Order, Paging, PagingWay, Settled, TemplatePart, Total};
use crate::mapping::path::{FieldPath, Part, Step};
use crate::mapping::raw::{self, Conduct, Text};
use crate::mapping::schema::{Kind, Lookup};
use crate::text::{Diagnostic, Hint, Span, suggest};
use std::collections::BTreeSet;

/// Elements of a legacy page where the mapping does not say.
const PAGE_ITEMS: u64 = 100;

impl<'c> Compiler<'c> {
    /// The paging of a list, and whether it is read by one call.
    pub(super) fn list_paging(&mut self, making: &Making<'c>) -> Option<Paging> {
        let (operation, id) = (making.operation, &making.operation.id);
        let fault = |message: String, at: Span| Diagnostic::error(code::PAGING, message).at(at);
        if making.facts.list && operation.conduct == Conduct::Legacy {
            match operation.calls.as_slice() {
                [call] if call.each.is_none() && call.condition.is_none() => {}
                _ => self.out.push(fault(format!("`{id}` is a list, which one call reads"), id.span())),
            }
        }
        let raw = operation.paging.as_ref()?;
        if !making.facts.list {
            self.out.push(fault(format!("`{id}` is no list"), raw.span).hint("take `paging` out"));
            return None;
        }
        if let (Some(link), Some(call)) = (&raw.link, operation.calls.first())
            && !call.call.as_str().starts_with("GET ")
        {
            self.out.push(fault("a link can only be followed by GET".to_owned(), link.span()));
        }
        self.paging(raw)
    }

    fn paging(&mut self, raw: &raw::Paging) -> Option<Paging> {
        let way = self.paging_way(raw);
        let total = match &raw.total {
            None => None,
            Some(text) => Some(self.total(text)?),
        };
        let names = [&raw.page, &raw.offset, &raw.cursor, &raw.size];
        let names: Vec<&Text> = names.into_iter().flatten().collect();
        if let Some(again) = names
            .iter()
            .rev()
            .find(|name| names.iter().filter(|other| other.as_str() == name.as_str()).count() > 1)
        {
            let fault = Diagnostic::error(code::PAGING, "two parameters have one name");
            self.out.push(fault.at(again.span()));
        }
        Some(Paging {
            way: way?,
            size: raw.size.as_ref().map(|text| text.as_str().into()),
            items: raw.items.unwrap_or(PAGE_ITEMS),
            total,
        })
    }

    fn paging_way(&mut self, raw: &raw::Paging) -> Option<PagingWay> {
        let ways = [&raw.page, &raw.offset, &raw.cursor, &raw.link];
        if ways.iter().filter(|way| way.is_some()).count() != 1 {
            let message = "paging names one of `page`, `offset`, `cursor` and `link`";
            let hint = "`page: pageNo` counts pages, `offset: skip` counts elements; leave `paging` out where one \
                        reply is the whole list";
            self.out.push(Diagnostic::error(code::PAGING, message).at(raw.span).hint(hint));
            return None;
        }
        if raw.first.is_some() && raw.page.is_none() && raw.offset.is_none() {
            let fault = Diagnostic::error(code::PAGING, "`first` goes with `page` or `offset`");
            self.out.push(fault.at(raw.span).hint("take it out: nothing is counted here"));
        }
        if raw.next.is_some() != raw.cursor.is_some() {
            let fault = Diagnostic::error(code::PAGING, "`cursor` and `next` go together").at(raw.span);
            self.out.push(
                fault.hint("`cursor: after` is the parameter, `next: $.meta.next` is where a reply has it"),
            );
            return None;
        }
        let (name, first) = (|text: &Text| text.as_str().into(), raw.first.unwrap_or(1));
        if let Some(page) = &raw.page {
            return Some(PagingWay::Page { parameter: name(page), first });
        }
        if let Some(offset) = &raw.offset {
            return Some(PagingWay::Record { parameter: name(offset), first });
        }
        if let (Some(cursor), Some(next)) = (&raw.cursor, &raw.next) {
            return Some(PagingWay::Cursor { parameter: name(cursor), next: self.reply_query(next)? });
        }
        let relation = raw.link.as_ref()?;
        let is_token = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        if relation.as_str().is_empty() || !is_token(relation.as_str()) {
            let fault = Diagnostic::error(code::PAGING, format!("`{relation}` is no relation of a link"));
            self.out.push(fault.at(relation.span()).hint("write `link: next`"));
            return None;
        }
        Some(PagingWay::Link { relation: relation.as_str().to_ascii_lowercase().into() })
    }

    pub(super) fn total(&mut self, text: &Text) -> Option<Total> {
        if !text.as_str().starts_with("header:") {
            return self.reply_query(text).map(Total::Body);
        }
        let path = self.path(text)?;
        match path.steps.first() {
            Some(Step::Member(name)) => Some(Total::Header((**name).into())),
            _ => None,
        }
    }

    /// A query on a reply.
    fn reply_query(&mut self, text: &Text) -> Option<Query> {
        self.check_query(text, None);
        Query::parse(text.as_str()).ok()
    }

    /// Where each filter of a list is settled.
    pub(super) fn filters(
        &mut self,
        making: &Making<'c>,
        calls: &[Call],
        written: &Places,
    ) -> Box<[(Box<str>, Settled)]> {
        let sent = sent(calls);
        let exact = &making.operation.exact;
        for name in exact {
            self.check_exact(name, making, &sent);
        }
        if making.facts.filters.is_empty() {
            return Box::default();
        }
        let written = plain_places(written);
        let filters = making.facts.filters.iter().map(|filter| {
            let is_exact = exact.iter().any(|name| name.as_str() == filter.name);
            let is_sent = sent.contains(filter.name.as_str());
            let is_carried = making.facts.kept
                || filter.places.iter().any(|place| {
                    let is_custody = making.facts.custody.contains(place);
                    is_custody || is_written(&written, &format!("$.{place}"))
                });
            let settled = match (is_exact, is_carried, is_sent) {
                (true, _, _) | (false, false, true) => Settled::There,
                (false, true, _) => Settled::Here,
                (false, false, false) => Settled::Nowhere,
            };
            (filter.name.as_str().into(), settled)
        });
        filters.collect()
    }

    /// What a list comes sorted by: a single value of what is answered, which the answer has.
    pub(super) fn order(&mut self, making: &Making<'c>, written: &Places) -> Option<Order> {
        let text = making.operation.order.as_ref()?;
        let fault = |message: String| Diagnostic::error(code::PAGING, message).at(text.span());
        if !making.facts.list {
            self.out.push(fault(format!("`{}` is no list", making.operation.id)).hint("take `order` out"));
            return None;
        }
        let (is_falling, place) = match text.as_str().strip_prefix('-') {
            Some(place) => (true, place),
            None => (false, text.as_str()),
        };
        let mut ty = making.facts.answer.as_ref().and_then(|name| self.schema.root(making.function, name))?;
        for name in place.split('.') {
            match self.schema.member(ty, name, None) {
                Lookup::Found(member) => ty = member.ty,
                Lookup::Missing | Lookup::Open => {
                    let members = self.schema.members(ty, None);
                    let near = suggest(name, members.iter().map(|(name, _)| name.as_str()));
                    let hint = near.map(Hint::meant);
                    self.out.push(fault(format!("what is answered has no `{name}`")).maybe_hint(hint));
                    return None;
                }
            }
        }
        if matches!(self.schema.kind(ty), Kind::Object | Kind::Array) {
            self.out.push(fault(format!("`{place}` is no single value")));
            return None;
        }
        let is_told = making.facts.kept
            || making.facts.custody.iter().any(|own| own == place)
            || is_written(&plain_places(written), &format!("$.{place}"));
        if !is_told {
            self.out.push(fault(format!("the answer has no `{place}`")).hint("add a rule that writes it"));
        }
        Some(Order { members: place.split('.').map(Into::into).collect(), is_falling })
    }

    fn check_exact(&mut self, name: &Text, making: &Making<'_>, sent: &BTreeSet<&str>) {
        let known = || making.facts.filters.iter().map(|filter| filter.name.as_str());
        let fault = |message: String| Diagnostic::error(code::FILTER, message).at(name.span());
        if !known().any(|own| own == name.as_str()) {
            let near = suggest(name.as_str(), known()).map(Hint::meant);
            let message = format!("`{}` has no filter `{name}`", making.operation.id);
            self.out.push(fault(message).maybe_hint(near));
        } else if !sent.contains(name.as_str()) {
            let hint = format!("add `{{ sonata: \"query:{name}\", legacy: \"query:…\" }}` to `request`");
            self.out.push(fault(format!("the filter `{name}` is not sent")).hint(hint));
        }
    }
}

/// Places by names of members alone.
fn plain_places(written: &Places) -> BTreeSet<String> {
    written.iter().map(|place| plain(place)).collect()
}

/// Whether a rule writes the place, something in it, or something that holds it as a whole.
fn is_written(written: &BTreeSet<String>, place: &str) -> bool {
    let holds =
        |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    written.iter().any(|own| own == place || holds(own, place) || holds(place, own))
}

/// The query parameters that the calls hand on.
fn sent(calls: &[Call]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for call in calls {
        names.extend(call.request.iter().flat_map(|program| program.query_parameters()));
        let parts =
            call.target.path.iter().chain(call.target.query.iter().flat_map(|(_, template)| template));
        names.extend(parts.filter_map(|part| match part {
            TemplatePart::Request(FieldPath { part: Part::Query, steps, .. }) => match steps.first() {
                Some(Step::Member(name)) => Some(&**name),
                _ => None,
            },
            _ => None,
        }));
    }
    names
}
