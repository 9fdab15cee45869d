//! The effective mapping as text, each rule with the place where it was written: `segue show`.

use super::effective::Effective;
use super::overlay::address;
use crate::mapping::raw::{
    Answer, AnswerFrom, Body, Branch, Conduct, ElseBranch, News, Operation, Rule, Text,
};
use crate::text::{Sources, Span};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What the legacy system sends by itself, by the word of the mapping language.
pub const RECEIVES: &str = "receives";

/// What it is asked for again and again, likewise.
pub const WATCH: &str = "watch";

/// The operation `function.operationId`, [`RECEIVES`] or [`WATCH`] (or all, without one) with the shapes that it uses.
pub fn show(set: &Effective, operation: Option<&str>, sources: &Sources) -> String {
    let mut shown = Shown { sources, out: String::new(), shapes: BTreeSet::new(), todo: Vec::new() };
    for (function, own) in &set.operations {
        let name = format!("{function}.{}", own.id);
        if operation.is_none_or(|wanted| wanted == name || wanted == own.id.as_str()) {
            shown.operation(&name, own);
        }
    }
    if operation.is_none_or(|wanted| wanted == RECEIVES) {
        for received in set.receives.iter() {
            shown.line(0, &format!("{RECEIVES} {}", received.call), received.call.span());
            shown.news(&received.news);
        }
    }
    if operation.is_none_or(|wanted| wanted == WATCH) {
        for watch in set.watches.iter() {
            shown.line(0, &format!("{WATCH} {}", watch.name), watch.name.span());
            shown.line(1, &format!("call: {} every {}", watch.call, watch.every), watch.call.span());
            shown.news(&watch.news);
        }
    }
    while let Some(name) = shown.todo.pop() {
        if !shown.shapes.insert(name.clone()) {
            continue;
        }
        if let Some((_, shape)) = set.shape(&name) {
            shown.line(0, &format!("shape {name}"), shape.name.span());
            shown.rules(&shape.fields, "", 1);
        }
    }
    shown.out
}

struct Shown<'s> {
    sources: &'s Sources,
    out: String,
    shapes: BTreeSet<String>,
    todo: Vec<String>,
}

impl Shown<'_> {
    fn line(&mut self, depth: usize, text: &str, at: Span) {
        let text = format!("{}{text}", "  ".repeat(depth));
        // A string takes whatever is written to it.
        let _ = writeln!(self.out, "{text:<72} # {}", self.sources.place(at));
    }

    fn operation(&mut self, name: &str, own: &Operation) {
        let conduct = match own.conduct {
            Conduct::Legacy => "",
            Conduct::Manual => ": manual",
            Conduct::Off => ": off",
        };
        self.line(0, &format!("operation {name}{conduct}"), own.id.span());
        for call in &own.calls {
            let label = call.name.as_ref().map_or("call".to_owned(), |name| format!("call {name}"));
            self.line(1, &format!("{label}: {}", call.call), call.span);
            self.body("request", call.request.as_ref());
            if let Some(undo) = &call.undo {
                self.line(2, &format!("undo: {}", undo.call), undo.call.span());
                self.body("undo request", undo.request.as_ref());
            }
            if let Some(recover) = &call.recover {
                self.line(2, &format!("recover: {}", recover.call), recover.span);
                self.body("recover request", recover.request.as_ref());
            }
        }
        if let Some(Answer { from, body, span }) = &own.answer {
            let from = match from {
                AnswerFrom::Reply => "the reply".to_owned(),
                AnswerFrom::Elements { each, .. } => format!("each {each}"),
                AnswerFrom::Calls { into } => format!("each call into {into}"),
            };
            self.line(1, &format!("answer from {from}"), *span);
            self.body("answer", body.as_ref());
        }
        if let Some(complete) = &own.complete {
            let (poll, every, until) = (&complete.poll, &complete.every, &complete.until);
            self.line(1, &format!("complete: {poll} every {every} until {until}"), complete.span);
            self.body("complete request", complete.request.as_ref());
            self.body("complete answer", complete.answer.as_ref());
        }
        if let Some(expires) = &own.expires {
            self.line(1, &format!("expires: {}", expires.call), expires.call.span());
            self.body("expires request", expires.request.as_ref());
        }
    }

    fn news(&mut self, news: &News) {
        let word = if news.creates { "creates" } else { "updates" };
        let text = |text: &Option<Text>| text.as_ref().map_or("?".to_owned(), ToString::to_string);
        let mut said = format!("{word} {} by {}", text(&news.kind), text(&news.legacy_id));
        if news.each.is_some() {
            said = format!("{said} of each {}", text(&news.each));
        }
        for (whose, path) in news.of.iter().chain(&news.whose) {
            said = format!("{said}, of {whose} {path}");
        }
        self.line(1, &said, news.span);
        self.body("told", news.body.as_ref());
    }

    fn body(&mut self, what: &str, body: Option<&Body>) {
        match body {
            Some(Body::Shape(name)) => {
                self.line(2, &format!("{what}: shape {name}"), name.span());
                self.todo.push(name.as_str().to_owned());
            }
            Some(Body::Fields(span, rules)) => {
                self.line(2, &format!("{what}: rules"), *span);
                self.rules(rules, "", 3);
            }
            None => {}
        }
    }

    fn rules(&mut self, rules: &[Rule], prefix: &str, depth: usize) {
        for rule in rules {
            self.line(depth, &headline(rule), rule.span);
            let inner = address(prefix, rule);
            if let Some(shape) = &rule.shape {
                self.todo.push(shape.as_str().to_owned());
            }
            self.rules(rule.fields.as_deref().unwrap_or_default(), &inner, depth + 1);
            if let Some((_, branches)) = &rule.rows {
                self.branches(branches, &inner, depth + 1);
            }
            if let Some((_, branches, otherwise)) = &rule.one_of {
                self.branches(branches, &inner, depth + 1);
                match otherwise {
                    Some(ElseBranch::Fields(rules)) => self.rules(rules, &inner, depth + 1),
                    Some(ElseBranch::Refuse(refuse)) => {
                        self.line(depth + 1, &format!("else refuse {}", refuse.code), refuse.code.span());
                    }
                    None => {}
                }
            }
        }
    }

    fn branches(&mut self, branches: &[Branch], prefix: &str, depth: usize) {
        for branch in branches {
            self.line(depth, "branch", branch.span);
            self.rules(&branch.fields, prefix, depth + 1);
            if let Some(shape) = &branch.shape {
                self.todo.push(shape.as_str().to_owned());
            }
        }
    }
}

/// A rule in one line: its places and what is done between them.
fn headline(rule: &Rule) -> String {
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
    let sides = match (text(&rule.sonata), text(&rule.legacy)) {
        (Some(sonata), Some(legacy)) => format!("{sonata} <-> {legacy}"),
        (Some(sonata), None) => format!("{sonata} <-"),
        (None, Some(legacy)) => format!("-> {legacy}"),
        (None, None) if rule.one_of.is_some() => "one of".to_owned(),
        (None, None) => text(&rule.name).unwrap_or_default(),
    };
    let mut words = vec![sides];
    let mut add = |name: &str, text: Option<String>| words.extend(text.map(|text| format!("{name} {text}")));
    add("codes", text(&rule.codes));
    add("convert", text(&rule.convert));
    add("from", text(&rule.from));
    add("shape", text(&rule.shape));
    add("value", rule.value.as_ref().map(|node| node.as_text().unwrap_or("…").to_owned()));
    add("script", rule.script.as_ref().map(|_| "…".to_owned()));
    add("drop", text(&rule.drop));
    add("lossy", rule.lossy.as_ref().map(|_| "…".to_owned()));
    words.join("  ")
}

#[cfg(test)]
mod tests {
    use super::super::{read_overlays, read_set_files};
    use crate::text::{Diagnostics, FileSet, Sources};

    #[test]
    fn every_rule_has_its_origin() {
        let quote = "function: quote\nshapes:\n  quote:\n    fields:\n      - { sonata: externalId, legacy: no }\n      - { legacy: kind, value: X }\noperations: { createQuote: { call: POST /q, request: quote } }\n";
        let base = "extends: acme\nshapes:\n  quote:\n    - { change: { legacy: kind, value: Y } }\n    - { add: { legacy: base, value: B } }\n";
        let partner = "extends: base/acme\nshapes: { quote: [ { change: { legacy: kind, value: Z } } ] }\n";
        let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
        let files = FileSet::of("acme", [("set.yaml", "language: 1\n"), ("quote.yaml", quote)]);
        let set = read_set_files(&files, &mut sources, &mut out).unwrap();
        let files = FileSet::of("partners", [("globex/acme.yaml", partner), ("base/acme.yaml", base)]);
        let overlays = read_overlays(&files, "globex/acme.yaml", &mut sources, &mut out);
        let effective = set.with("acme", &overlays, &mut out);
        assert!(out.is_empty(), "{}", out.render_text(&sources));
        let shown = super::show(&effective, Some("quote.createQuote"), &sources);
        let lines: Vec<_> =
            shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let expected = [
            "operation quote.createQuote # acme/quote.yaml:7:15",
            "call: POST /q # acme/quote.yaml:7:28",
            "request: shape quote # acme/quote.yaml:7:54",
            "shape quote # acme/quote.yaml:3:3",
            "externalId <-> no # acme/quote.yaml:5:9",
            "-> kind value Z # partners/globex/acme.yaml:2:30",
            "-> base value B # partners/base/acme.yaml:5:14",
        ];
        assert_eq!(lines, expected);
    }
}
