//! Calls as they are written: a method, an address, and places in it that are filled when the call is made.

use super::Compiler;
use super::scope::{Found, Scope};
use crate::mapping::diagnostic as code;
use crate::mapping::operation::{CallTarget, Template, TemplatePart};
use crate::mapping::path::{Anchor, FieldPath, Part};
use crate::mapping::raw::Text;
use crate::text::{Diagnostic, Hint, suggest};
use std::ops::Range;

/// Methods that a call may have.
pub(super) const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// What placeholders of a call may speak of.
pub(super) struct Speaks<'n> {
    /// Names of the calls of the operation, in order.
    pub calls: &'n [String],
    /// Index of the call itself; only calls before it have a reply.
    pub own: usize,
    /// Whether it takes another back, whose reply is `{reply.…}`.
    pub undo: bool,
    /// Whether it is made per item.
    pub each: bool,
    /// The Sonata side of the request that it is made for.
    pub scope: &'n Scope,
    /// Whether it is what is watched, which knows its cursor and nothing else.
    pub is_watch: bool,
}

impl Compiler<'_> {
    /// Reads `POST /v2/offers/{legacy.id}?full=yes`.
    pub(super) fn call_target(&mut self, text: &Text, speaks: &Speaks<'_>) -> Option<CallTarget> {
        let whole = text.as_str();
        let Some((method, address)) = whole.split_once(' ') else {
            let fault = Diagnostic::error(code::CALL, "a call is a method and an address").at(text.span());
            self.out.push(fault.hint("write `POST /v2/offers`, or the like"));
            return None;
        };
        if method == "SOAP" {
            return self.soap_target(text, whole.len() - address.trim_start().len());
        }
        if !METHODS.contains(&method) {
            let near = suggest(method, METHODS.iter().copied());
            let hint = near.map_or_else(|| METHODS.join(", ").into(), Hint::meant);
            let fault = Diagnostic::error(code::CALL, format!("there is no method `{method}`"));
            self.out.push(fault.at(text.part(0..method.len())).hint(hint));
            return None;
        }
        let start = whole.len() - address.trim_start().len();
        if !whole[start..].starts_with('/') {
            let fault = Diagnostic::error(code::CALL, "the address of a call begins with `/`");
            let fault = fault.at(text.part(start..whole.len()));
            self.out.push(fault.hint("the host is the backend's: its `base_url` stands in front"));
            return None;
        }
        let mark = split_query(whole, start);
        let path = self.template(text, start..mark.unwrap_or(whole.len()), speaks);
        let mut query = Vec::new();
        if let Some(mark) = mark {
            for range in parts(whole, mark + 1..whole.len(), '&') {
                let (name, value) = match whole[range.clone()].find('=') {
                    Some(at) => (range.start..range.start + at, range.start + at + 1..range.end),
                    None => (range.clone(), range.end..range.end),
                };
                query.push(self.template(text, value, speaks).map(|value| (whole[name].into(), value)));
            }
        }
        // All of them were read before the first fault ends it.
        let query = query.into_iter().collect::<Option<Vec<_>>>()?;
        Some(CallTarget { method: method.into(), path: path?, query: query.into(), soap: None })
    }

    /// Reads `SOAP CreateTicket`.
    fn soap_target(&mut self, text: &Text, start: usize) -> Option<CallTarget> {
        let whole = text.as_str();
        let operation = whole[start..].trim_end();
        if !crate::format::is_name(operation) {
            let fault = Diagnostic::error(code::CALL, "a SOAP call names an operation");
            let fault = fault.at(text.part(start..whole.len()));
            self.out.push(fault.hint("write `SOAP CreateTicket`; the path is that of the backend"));
            return None;
        }
        let (path, query) = (Box::default(), Box::default());
        Some(CallTarget { method: "POST".into(), path, query, soap: Some(operation.into()) })
    }

    fn template(&mut self, text: &Text, range: Range<usize>, speaks: &Speaks<'_>) -> Option<Template> {
        let whole = text.as_str();
        let mut list = Vec::new();
        let mut at = range.start;
        let mut good = true;
        while at < range.end {
            let open = whole[at..range.end].find('{').map(|open| at + open);
            let literal = at..open.unwrap_or(range.end);
            if !literal.is_empty() {
                good &= self.literal_part(text, literal.clone());
                list.push(TemplatePart::Literal(whole[literal].into()));
            }
            let Some(open) = open else { break };
            let Some(close) = whole[open..range.end].find('}').map(|close| open + close) else {
                let fault = Diagnostic::error(code::CALL, "this brace is not closed");
                self.out.push(fault.at(text.part(open..open + 1)));
                return None;
            };
            match self.placeholder(text, open + 1..close, speaks) {
                Some(part) => list.push(part),
                None => good = false,
            }
            at = close + 1;
        }
        good.then(|| list.into())
    }

    /// Text between placeholders goes out as it stands.
    fn literal_part(&mut self, text: &Text, range: Range<usize>) -> bool {
        let bad =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '}' | '"' | '<' | '>' | '\\');
        let Some(at) = text.as_str()[range.clone()].find(bad) else { return true };
        let start = range.start + at;
        let fault = Diagnostic::error(code::CALL, "this cannot stand in an address");
        self.out.push(fault.at(text.part(start..start + 1)).hint("write it percent-encoded: a blank is %20"));
        false
    }

    /// `{facts.…}`; the members begin at a byte of the text.
    fn fact_placeholder(&mut self, text: &Text, at: usize, members: &str) -> Option<TemplatePart> {
        let (first, second) = fact(members, at);
        let missing = if members.split('.').any(str::is_empty) {
            Some((at..at + members.len(), "a name of `facts` is missing here".to_owned(), None))
        } else if ["legacy", "request"].contains(&&text.as_str()[first.clone()]) {
            Some((first, "this is not known before a reply".to_owned(), None))
        } else {
            self.missing_fact(text.as_str(), &first, second.as_ref())
        };
        let Some((at, message, hint)) = missing else {
            return Some(TemplatePart::Fact(members.split('.').map(Into::into).collect()));
        };
        let fault = Diagnostic::error(code::PLACEHOLDER, message).at(text.part(at));
        self.out.push(fault.maybe_hint(hint));
        None
    }

    /// `{cursor}`: what is watched is no partner's, and has nothing else.
    fn watch_placeholder(&mut self, text: &Text, range: Range<usize>) -> Option<TemplatePart> {
        let name = &text.as_str()[range.clone()];
        if name == "cursor" {
            return Some(TemplatePart::Cursor);
        }
        let near = suggest(name, ["cursor"].into_iter()).map(Hint::meant);
        let hint = near.unwrap_or_else(|| "what is watched is no partner's: known is {cursor}".into());
        let fault = Diagnostic::error(code::PLACEHOLDER, format!("`{{{name}}}` is not known here"));
        self.out.push(fault.at(text.part(range)).hint(hint));
        None
    }

    fn placeholder(&mut self, text: &Text, range: Range<usize>, speaks: &Speaks<'_>) -> Option<TemplatePart> {
        let schema = self.schema;
        let name = &text.as_str()[range.clone()];
        if speaks.is_watch {
            return self.watch_placeholder(text, range);
        }
        match name {
            "correlation" if self.side == super::Side::Buyer => return Some(TemplatePart::LegacyId),
            "legacy.id" => return Some(TemplatePart::LegacyId),
            "item.legacy.id" => return Some(TemplatePart::ItemLegacyId),
            _ => {}
        }
        if let Some(members) = name.strip_prefix("facts.") {
            return self.fact_placeholder(text, range.start + "facts.".len(), members);
        }
        let mut fail = |message: String, hint: Option<Hint>| {
            let fault = Diagnostic::error(code::PLACEHOLDER, message).at(text.part(range.clone()));
            self.out.push(fault.maybe_hint(hint));
            None
        };
        let named = name.strip_prefix("calls.").unwrap_or(name);
        let (first, rest) = named.split_once('.').unwrap_or((named, ""));
        let call = match speaks.calls.iter().position(|call| call == first && !rest.is_empty()) {
            Some(call) => Some(Some(call)),
            None if first == "reply" && !rest.is_empty() => Some(None),
            None if name.starts_with("calls.") => {
                let near = suggest(first, speaks.calls.iter().map(String::as_str));
                let place = range.start + "calls.".len();
                let put =
                    |near: &str| Hint::meant(near).putting_at(text.part(place..place + first.len()), near);
                return fail(format!("there is no call `{first}`"), near.map(put));
            }
            None => None,
        };
        match call {
            Some(None) if !speaks.undo => fail(
                "`reply` is known in `undo` only".to_owned(),
                Some("name the call: `{customer.no}`".into()),
            ),
            Some(Some(call)) if call >= speaks.own && !speaks.undo => {
                fail(format!("the call `{first}` is not made before this one"), None)
            }
            Some(call) => match FieldPath::parse(rest) {
                Ok(path) => Some(TemplatePart::Reply { call, path: root(path) }),
                Err(error) => fail(error.message, None),
            },
            None => {
                let request = match first {
                    "query" | "path" | "header" => format!("{first}:{rest}"),
                    _ => name.to_owned(),
                };
                let path = FieldPath::parse(&request).ok().filter(|path| !path.every);
                let found = path.as_ref().map(|path| speaks.scope.resolve(schema, path, &mut Vec::new()));
                if let (Some(path), Some(Found::Place(..))) = (path, found) {
                    return Some(TemplatePart::Request(path));
                }
                let start = range.start..range.start + first.len();
                let word = |near: &str| Hint::meant(near).putting_at(text.part(start.clone()), near);
                let whole = suggest(name, ["legacy.id", "item.legacy.id"].into_iter()).map(Hint::meant);
                let known_calls = speaks.calls.iter().take(speaks.own).map(String::as_str);
                let firsts = ["facts", "query", "path", "header"].into_iter().chain(known_calls);
                let firsts = firsts.chain(speaks.undo.then_some("reply"));
                let hint = whole.or_else(|| suggest(first, firsts).map(word));
                fail(format!("`{{{name}}}` is not known here"), hint.or(Some(known(speaks).into())))
            }
        }
    }
}

/// The first two names of a fact's path, by their places.
fn fact(members: &str, at: usize) -> (Range<usize>, Option<Range<usize>>) {
    let mut names = members.split('.');
    let end = at + names.next().map_or(0, str::len);
    (at..end, names.next().map(|name| end + 1..end + 1 + name.len()))
}

fn known(speaks: &Speaks<'_>) -> String {
    let item = if speaks.each { ", {item.legacy.id}" } else { "" };
    format!("known: {{legacy.id}}{item}, {{facts.settings.…}}, {{query.…}}, and paths of the request")
}

/// A path in a reply begins at its root.
fn root(path: FieldPath) -> FieldPath {
    match path.part {
        Part::Body => FieldPath { anchor: Anchor::Root, ..path },
        Part::Query | Part::Path | Part::Header => path,
    }
}

/// Where the query of an address begins, braces left out.
fn split_query(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, character) in text.char_indices().skip_while(|(at, _)| *at < start) {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '?' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Parts of a range between separators outside braces; empty ones are left out.
fn parts(text: &str, range: Range<usize>, separator: char) -> Vec<Range<usize>> {
    let mut list = Vec::new();
    let mut depth = 0usize;
    let mut start = range.start;
    for (at, character) in text[range.clone()].char_indices().map(|(at, c)| (range.start + at, c)) {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if c == separator && depth == 0 => {
                list.push(start..at);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    list.push(start..range.end);
    list.retain(|range| !range.is_empty());
    list
}

/// Milliseconds of `500ms`, `30s`, `10m`, `12h`, `90d`.
pub(super) fn duration_ms(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut_outside_braces() {
        assert_eq!(split_query("GET /a?b=c", 4), Some(6));
        assert_eq!(split_query("GET /a/{x[?@.a=='b']}", 4), None);
        let text = "a=1&b={x[?@.a=='1' && @.b=='2']}&&c";
        let cut: Vec<_> = parts(text, 0..text.len(), '&').into_iter().map(|range| &text[range]).collect();
        assert_eq!(cut, ["a=1", "b={x[?@.a=='1' && @.b=='2']}", "c"]);
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, ms) in
            [("30s", Some(30_000)), ("10m", Some(600_000)), ("5", None), ("s", None), ("2w", None)]
        {
            assert_eq!(duration_ms(text), ms, "{text}");
        }
    }
}
