//! YAML to [`Operation`].

use super::read::{self, required_text, sequence, text, texts, wrong};
use super::read_rule::{condition, named, rules};
use super::recover::recover;
use super::{
    Answer, AnswerFrom, Body, Call, Complete, Conduct, On, Operation, Paging, Rule, Statuses, Text, Undo,
};
use crate::mapping::diagnostic as code;
use crate::text::{
    Diagnostic, Diagnostics,
    yaml::{Fields, Node, Value},
};

/// Most calls at a time that `parallel:` may ask for.
const PARALLEL_MAX: u64 = 64;

/// Most elements of a legacy page that `items:` may name.
const PAGE_ITEMS_MAX: u64 = 10_000;

/// Reads `operations:`.
pub fn operations(node: &Node, out: &mut Diagnostics) -> Vec<Operation> {
    named(node, "operations", out).into_iter().filter_map(|(id, node)| operation(id, node, out)).collect()
}

fn operation(id: Text, node: &Node, out: &mut Diagnostics) -> Option<Operation> {
    if node.as_mapping().is_none() {
        let words = &[("manual", Conduct::Manual), ("off", Conduct::Off)];
        let conduct = crate::text::yaml::choice_of(node, id.as_str(), words, out)?;
        return Some(Operation {
            id,
            conduct,
            calls: Vec::new(),
            answer: None,
            on: Vec::new(),
            paging: None,
            complete: None,
            expires: None,
            backend: None,
            exact: Vec::new(),
            order: None,
        });
    }
    let mut fields = Fields::of(node, "an operation", out)?;
    let several = fields.entry("calls");
    let calls = match several {
        Some(entry) => {
            if let Some(one) = fields.entry("call") {
                let fault = Diagnostic::error(code::FORM, "`call` and `calls` exclude each other");
                out.push(fault.at(one.key_span).hint("make it one entry of `calls`"));
            }
            let nodes = sequence(&entry.value, "calls", out);
            if nodes.is_empty() {
                out.push(Diagnostic::error(code::FORM, "`calls` is empty").at(entry.value.span));
            }
            nodes.iter().filter_map(|node| named_call(node, out)).collect()
        }
        None => call(&mut fields, node, out).into_iter().collect(),
    };
    let operation = Operation {
        id,
        conduct: Conduct::Legacy,
        calls,
        answer: fields.take("answer").and_then(|node| answer(node, out)),
        on: fields.take("on").map(|node| on_list(node, out)).unwrap_or_default(),
        paging: fields.take("paging").and_then(|node| paging(node, out)),
        complete: fields.take("complete").and_then(|node| complete(node, out)),
        expires: fields.take("expires").and_then(|node| undo(node, out)),
        backend: text(&mut fields, "backend", out),
        exact: texts(&mut fields, "exact", out),
        order: text(&mut fields, "order", out),
    };
    read::refuse_later(&mut fields, &["is"], out);
    fields.finish(out);
    Some(operation)
}

fn named_call(node: &Node, out: &mut Diagnostics) -> Option<Call> {
    let mut fields = Fields::of(node, "a call", out)?;
    if fields.take("name").is_none() {
        fields.missing("name", out);
    }
    let on = fields.take("on").map(|node| on_list(node, out)).unwrap_or_default();
    let call = call(&mut fields, node, out);
    fields.finish(out);
    call.map(|call| Call { on, ..call })
}

fn call(fields: &mut Fields<'_>, node: &Node, out: &mut Diagnostics) -> Option<Call> {
    let address = required_text(fields, "call", out);
    let parallel = fields.entry("parallel").and_then(|entry| {
        let count = crate::text::yaml::integer_of(&entry.value, "parallel", 1..=PARALLEL_MAX, out)?;
        Some((count, entry.value.span))
    });
    let call = Call {
        span: node.span,
        name: node.get("name").and_then(Node::as_scalar).map(Text::of),
        each: text(fields, "each", out),
        condition: fields.take("if").and_then(|node| condition(node, out)),
        after: texts(fields, "after", out),
        parallel,
        request: fields.take("request").and_then(|node| body(node, "request", out)),
        legacy_id: text(fields, "legacy_id", out),
        on: Vec::new(),
        undo: fields.take("undo").and_then(|node| undo(node, out)),
        recover: fields.take("recover").and_then(|node| recover(node, out)),
        cache: text(fields, "cache", out),
        call: address?,
    };
    Some(call)
}

pub(super) fn body(node: &Node, what: &str, out: &mut Diagnostics) -> Option<Body> {
    if let Some(fault) = read::rules_without_key(node, &format!("`{what}`")) {
        out.push(fault);
        return None;
    }
    if node.as_mapping().is_none() {
        return read::text_of(node, what, out).map(Body::Shape);
    }
    let mut fields = Fields::of(node, what, out)?;
    let body = body_of(&mut fields, node, out);
    if body.is_none() {
        out.push(wrong(node, format!("`{what}` is a shape or `{{ fields: […] }}`")));
    }
    fields.finish(out);
    body
}

pub(super) fn body_of(fields: &mut Fields<'_>, node: &Node, out: &mut Diagnostics) -> Option<Body> {
    let inline = fields.take("fields").map(|rules_node| Body::Fields(node.span, rules(rules_node, out)));
    let shape = text(fields, "shape", out);
    if let (Some(shape), Some(_)) = (&shape, &inline) {
        let fault = Diagnostic::error(code::FORM, "`shape` and `fields` exclude each other here");
        out.push(fault.at(shape.span()));
    }
    let body = inline.or(shape.map(Body::Shape));
    let Some(at) = text(fields, "at", out) else { return body };
    body.map(|body| Body::Fields(node.span, vec![inside(at, node, body)]))
}

/// `{ shape: ticket, at: CreateTicket.Ticket }`: everything at one place of the legacy message.
fn inside(at: Text, node: &Node, body: Body) -> Rule {
    let mut rule = Rule::between(node.span, Text::at(".", at.span()), at);
    match body {
        Body::Shape(name) => rule.shape = Some(name),
        Body::Fields(_, rules) => rule.fields = Some(rules),
    }
    rule
}

fn complete(node: &Node, out: &mut Diagnostics) -> Option<Complete> {
    let mut fields = Fields::of(node, "complete", out)?;
    let each = text(&mut fields, "each", out);
    let mut read = |name| fields.take(name).and_then(|node| body(node, name, out));
    let (request, answer) = (read("request"), read("answer"));
    let mut must = |name| required_text(&mut fields, name, out);
    let (poll, every, give_up, until) = (must("poll"), must("every"), must("give_up"), must("until"));
    fields.finish(out);
    let (poll, every, give_up, until) = (poll?, every?, give_up?, until?);
    Some(Complete { span: node.span, each, poll, request, answer, every, give_up, until })
}

fn undo(node: &Node, out: &mut Diagnostics) -> Option<Undo> {
    let mut fields = Fields::of(node, "undo", out)?;
    let call = required_text(&mut fields, "call", out);
    let request = fields.take("request").and_then(|node| body(node, "request", out));
    fields.finish(out);
    Some(Undo { call: call?, request })
}

fn answer(node: &Node, out: &mut Diagnostics) -> Option<Answer> {
    if let Some(fault) = read::rules_without_key(node, "`answer`") {
        out.push(fault);
        return None;
    }
    if node.as_mapping().is_none() {
        let shape = read::text_of(node, "answer", out)?;
        return Some(Answer { span: node.span, from: AnswerFrom::Reply, body: Some(Body::Shape(shape)) });
    }
    let mut fields = Fields::of(node, "answer", out)?;
    let body = body_of(&mut fields, node, out);
    let each = text(&mut fields, "each", out);
    let from = match each {
        None => AnswerFrom::Reply,
        Some(each) if each.as_str() == "calls" => {
            let into = required_text(&mut fields, "into", out);
            AnswerFrom::Calls { into: into? }
        }
        Some(each) => AnswerFrom::Elements { each, legacy_id: text(&mut fields, "legacy_id", out) },
    };
    if body.is_none() && !matches!(from, AnswerFrom::Reply) {
        fields.missing("shape", out);
    }
    fields.finish(out);
    Some(Answer { span: node.span, from, body })
}

fn on_list(node: &Node, out: &mut Diagnostics) -> Vec<On> {
    let mut list = Vec::new();
    for node in sequence(node, "on", out) {
        let Some(mut fields) = Fields::of(node, "an entry of `on`", out) else { continue };
        let entry = On {
            span: node.span,
            statuses: fields.take("status").map(|node| statuses(node, out)).unwrap_or_default(),
            condition: text(&mut fields, "if", out),
            fault: text(&mut fields, "fault", out),
            text: text(&mut fields, "text", out),
            problem: text(&mut fields, "problem", out),
            at: text(&mut fields, "at", out),
            reason: text(&mut fields, "reason", out),
            answer: fields.take("answer").cloned(),
        };
        fields.finish(out);
        match (&entry.problem, &entry.answer) {
            (Some(problem), Some(_)) => {
                let fault = Diagnostic::error(code::ON_ENTRY, "`problem` and `answer` exclude each other");
                out.push(fault.at(problem.span()));
            }
            (None, None) => {
                let fault =
                    Diagnostic::error(code::ON_ENTRY, "this entry says neither `problem` nor `answer`");
                out.push(
                    fault.at(node.span).hint("add `problem: otherIssue`, or `answer: { … }` as the reply"),
                );
            }
            _ => {}
        }
        let criteria = ["status", "if", "fault", "text"].iter().any(|key| node.get(key).is_some());
        if !criteria {
            let fault = Diagnostic::error(code::ON_ENTRY, "this entry would take every reply");
            out.push(fault.at(node.span).hint("add `status:`, `if:`, `fault:` or `text:`"));
        }
        list.push(entry);
    }
    list
}

pub(super) fn statuses(node: &Node, out: &mut Diagnostics) -> Statuses {
    let nodes = match &node.value {
        Value::Sequence(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut list = Vec::new();
    for node in nodes {
        let Some(text) = read::text_of(node, "status", out) else { continue };
        let range = match text.as_str() {
            "4xx" => Some((400, 499)),
            "5xx" => Some((500, 599)),
            "2xx" => Some((200, 299)),
            "3xx" => Some((300, 399)),
            word => word.parse::<u16>().ok().filter(|s| (100..=599).contains(s)).map(|s| (s, s)),
        };
        list.extend(range);
        if range.is_none() {
            let fault = Diagnostic::error(code::ON_ENTRY, format!("`{text}` is no status"));
            out.push(fault.at(text.span()).hint("write a status such as 404, or 4xx"));
        }
    }
    Statuses(list)
}

fn paging(node: &Node, out: &mut Diagnostics) -> Option<Paging> {
    let mut fields = Fields::of(node, "paging", out)?;
    let paging = Paging {
        span: node.span,
        page: text(&mut fields, "page", out),
        offset: text(&mut fields, "offset", out),
        cursor: text(&mut fields, "cursor", out),
        next: text(&mut fields, "next", out),
        link: text(&mut fields, "link", out),
        size: text(&mut fields, "size", out),
        items: fields.integer("items", 1..=PAGE_ITEMS_MAX, out),
        first: fields.integer("first", 0..=1, out),
        total: text(&mut fields, "total", out),
    };
    fields.finish(out);
    Some(paging)
}
