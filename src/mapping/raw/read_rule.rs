//! YAML to [`Rule`].

use super::read::{key, pairs, sequence, text, text_of, texts, word, wrong};
use super::{
    Branch, Condition, Default, Directed, ElseBranch, Inputs, KeySpec, Lossy, Numbered, Only, Otherwise,
    Phases, Refuse, Rule, ScriptText, Text, read,
};
use crate::mapping::diagnostic as code;
use crate::text::{
    Diagnostic, Diagnostics, Hint, Span,
    yaml::{Fields, Node, Value},
};

/// Groups may nest this deep; a message of the standard needs a third of it.
const DEPTH_MAX: usize = 24;

/// Words of `only:`.
pub(super) const ONLY: &[(&str, Only)] = &[
    ("request", Only::Request),
    ("answer", Only::Answer),
    ("to_legacy", Only::ToLegacy),
    ("to_sonata", Only::ToSonata),
];

/// The rules of `fields:`.
pub(super) fn rules(node: &Node, out: &mut Diagnostics) -> Vec<Rule> {
    rules_at(node, 0, out)
}

fn rules_at(node: &Node, depth: usize, out: &mut Diagnostics) -> Vec<Rule> {
    if depth > DEPTH_MAX {
        let message = format!("groups nest deeper than {DEPTH_MAX}");
        out.push(Diagnostic::error(code::FORM, message).at(node.span).hint("name an inner part as a shape"));
        return Vec::new();
    }
    sequence(node, "fields", out).iter().filter_map(|node| rule(node, depth, out)).collect()
}

/// One rule that stands by itself, as in an overlay.
pub(super) fn single(node: &Node, out: &mut Diagnostics) -> Option<Rule> {
    rule(node, 0, out)
}

fn rule(node: &Node, depth: usize, out: &mut Diagnostics) -> Option<Rule> {
    let mut fields = Fields::of(node, "a rule", out)?;
    let f = &mut fields;
    let rule = Rule {
        span: node.span,
        keys: keys(node),
        name: text(f, "name", out),
        sonata: text(f, "sonata", out),
        legacy: text(f, "legacy", out),
        from: text(f, "from", out),
        value: f.take("value").cloned(),
        codes: text(f, "codes", out),
        otherwise: f.take("otherwise").map(otherwise),
        convert: text(f, "convert", out),
        accept: text(f, "accept", out),
        script: f.take("script").and_then(|node| script(node, out)),
        inputs: f.take("in").map_or(Inputs::None, |node| inputs(node, out)),
        shape: text(f, "shape", out),
        fields: f.take("fields").map(|node| rules_at(node, depth + 1, out)),
        one_of: f.entry("one_of").map(|entry| {
            let (branches, otherwise) = branches(&entry.value, "one_of", depth, out);
            (entry.key_span, branches, otherwise)
        }),
        rows: f.entry("rows").map(|entry| (entry.key_span, branches(&entry.value, "rows", depth, out).0)),
        row_key: texts(f, "row_key", out),
        key: f.take("key").and_then(|node| key_spec(node, out)),
        join: f.entry("join").map(|entry| (entry.key_span, pairs(&entry.value, "join", out))),
        take_first: word(f, "take", &[("first", true)], out).map(|(_, span)| span),
        condition: f.take("if").and_then(|node| condition(node, out)),
        only: word(f, "only", ONLY, out),
        required: f.entry("required").and_then(|e| Some((phases(&e.value, out)?, e.value.span))),
        default: f.take("default").map(default).unwrap_or_default(),
        omit_on_error: word(f, "on_error", &[("fail", false), ("omit", true)], out).map(|(omit, _)| omit),
        echo: f.boolean("echo", out),
        drop: text(f, "drop", out),
        lossy: f.take("lossy").and_then(|node| lossy(node, out)),
    };
    fields.finish(out);
    Some(rule)
}

fn keys(node: &Node) -> Vec<(Box<str>, Span)> {
    let entries = node.as_mapping().unwrap_or_default();
    entries.iter().map(|entry| (entry.key.as_str().into(), entry.key_span)).collect()
}

/// `if:` of a rule, a branch or a call.
pub(super) fn condition(node: &Node, out: &mut Diagnostics) -> Option<Condition> {
    if node.as_mapping().is_none() {
        return text_of(node, "if", out).map(Condition::Read);
    }
    let mut fields = Fields::of(node, "if", out)?;
    let condition = Condition::Sides {
        span: node.span,
        products: texts(&mut fields, "product", out),
        sonata: text(&mut fields, "sonata", out),
        legacy: text(&mut fields, "legacy", out),
    };
    fields.finish(out);
    Some(condition)
}

fn branches(
    node: &Node,
    what: &'static str,
    depth: usize,
    out: &mut Diagnostics,
) -> (Vec<Branch>, Option<ElseBranch>) {
    let nodes = sequence(node, what, out);
    let mut list = Vec::new();
    let mut otherwise = None;
    for (index, node) in nodes.iter().enumerate() {
        let Some(mut fields) = Fields::of(node, "a branch", out) else { continue };
        if what == "one_of"
            && let Some(entry) = fields.entry("else")
        {
            if index + 1 < nodes.len() {
                let fault = Diagnostic::error(code::FORM, "`else` is not the last branch");
                let hint = Hint::from("move it to the end: order decides");
                let next = nodes.get(index + 1).filter(|_| index + 2 == nodes.len());
                let hint = next.map_or(hint.clone(), |next| hint.swapping(node.span, next.span));
                out.push(fault.at(entry.key_span).hint(hint));
            }
            otherwise = else_branch(&entry.value, depth, out);
        } else {
            let branch = Branch {
                span: node.span,
                condition: fields.take("if").and_then(|node| condition(node, out)),
                shape: text(&mut fields, "shape", out),
                fields: fields.take("fields").map(|node| rules_at(node, depth + 1, out)).unwrap_or_default(),
            };
            if keys(node).iter().all(|(key, _)| &**key == "if") {
                let fault = Diagnostic::error(code::FORM, "this branch does not say what is mapped");
                let hint = "give it `shape:` or `fields:`, with `fields: []` where nothing is";
                out.push(fault.at(node.span).hint(hint));
            }
            list.push(branch);
        }
        fields.finish(out);
    }
    (list, otherwise)
}

fn else_branch(node: &Node, depth: usize, out: &mut Diagnostics) -> Option<ElseBranch> {
    let mut fields = Fields::of(node, "else", out)?;
    let rules = fields.take("fields").map(|node| rules_at(node, depth + 1, out));
    let branch = match rules {
        Some(rules) => Some(ElseBranch::Fields(rules)),
        None => read::required_text(&mut fields, "refuse", out).map(|code| {
            let (at, reason) = (text(&mut fields, "at", out), text(&mut fields, "reason", out));
            ElseBranch::Refuse(Box::new(Refuse { code, at, reason }))
        }),
    };
    fields.finish(out);
    branch
}

fn key_spec(node: &Node, out: &mut Diagnostics) -> Option<KeySpec> {
    let mut fields = Fields::of(node, "key", out)?;
    let sonata = read::required_text(&mut fields, "sonata", out);
    let legacy = read::required_text(&mut fields, "legacy", out);
    let number = fields.take("number").and_then(|node| numbered(node, out));
    let remember = fields.boolean("remember", out).unwrap_or(false);
    fields.finish(out);
    Some(KeySpec { span: node.span, sonata: sonata?, legacy: legacy?, number, remember })
}

fn numbered(node: &Node, out: &mut Diagnostics) -> Option<Numbered> {
    const LARGEST: u64 = 1_000_000_000;
    let mut fields = Fields::of(node, "number", out)?;
    let start = fields.integer("start", 0..=LARGEST, out).unwrap_or(1);
    let step = fields.integer("step", 1..=LARGEST, out).unwrap_or(1);
    fields.finish(out);
    Some(Numbered { start: i64::try_from(start).ok()?, step: i64::try_from(step).ok()? })
}

fn phases(node: &Node, out: &mut Diagnostics) -> Option<Phases> {
    const WORDS: &[(&str, Phases)] = &[
        ("request", Phases { request: true, answer: false }),
        ("answer", Phases { request: false, answer: true }),
        ("true", Phases { request: true, answer: false }),
        ("false", Phases { request: false, answer: false }),
    ];
    let nodes = match &node.value {
        Value::Sequence(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut phases = Phases::default();
    for node in nodes {
        let one = crate::text::yaml::choice_of(node, "required", WORDS, out)?;
        phases = Phases { request: phases.request | one.request, answer: phases.answer | one.answer };
    }
    Some(phases)
}

/// The entries of a mapping all of whose keys are among some words.
fn only_keys<'n>(node: &'n Node, words: &[&str]) -> Option<&'n Node> {
    let entries = node.as_mapping()?;
    (!entries.is_empty() && entries.iter().all(|entry| words.contains(&entry.key.as_str()))).then_some(node)
}

fn default(node: &Node) -> Default {
    match only_keys(node, &["request", "answer"]) {
        Some(phases) => {
            Default { request: phases.get("request").cloned(), answer: phases.get("answer").cloned() }
        }
        None => Default { request: Some(node.clone()), answer: None },
    }
}

/// `otherwise:` of a rule or a table.
pub(super) fn otherwise(node: &Node) -> Otherwise {
    match only_keys(node, &["to_legacy", "to_sonata"]) {
        Some(directions) => Otherwise::Directed(Directed {
            to_legacy: directions.get("to_legacy").cloned(),
            to_sonata: directions.get("to_sonata").cloned(),
        }),
        None => Otherwise::Plain(node.clone()),
    }
}

fn script(node: &Node, out: &mut Diagnostics) -> Option<ScriptText> {
    if node.as_mapping().is_none() {
        return text_of(node, "script", out).map(ScriptText::Plain);
    }
    let mut fields = Fields::of(node, "script", out)?;
    let directed = Directed {
        to_legacy: text(&mut fields, "to_legacy", out),
        to_sonata: text(&mut fields, "to_sonata", out),
    };
    let only = word(&mut fields, "only", ONLY, out);
    fields.finish(out);
    if directed.to_legacy.is_none() && directed.to_sonata.is_none() {
        out.push(
            wrong(node, "`script` is an expression, or one per direction")
                .hint("write `script: \"…\"`, or `script: { to_legacy: \"…\", to_sonata: \"…\" }`"),
        );
        return None;
    }
    Some(ScriptText::Directed(directed, only))
}

/// A reason, or one per direction.
fn lossy(node: &Node, out: &mut Diagnostics) -> Option<Lossy> {
    if node.as_mapping().is_none() {
        return text_of(node, "lossy", out).map(Lossy::Both);
    }
    let mut fields = Fields::of(node, "lossy", out)?;
    let lossy = Lossy::Directed(text(&mut fields, "to_legacy", out), text(&mut fields, "to_sonata", out));
    fields.finish(out);
    Some(lossy)
}

fn inputs(node: &Node, out: &mut Diagnostics) -> Inputs {
    let directed = only_keys(node, &["to_legacy", "to_sonata"]).and_then(Node::as_mapping);
    match directed.filter(|entries| entries.iter().all(|entry| entry.value.as_mapping().is_some())) {
        Some(_) => {
            let mut read = |name: &str| node.get(name).map(|node| pairs(node, "in", out));
            Inputs::Directed(Directed { to_legacy: read("to_legacy"), to_sonata: read("to_sonata") })
        }
        None => Inputs::Plain(pairs(node, "in", out)),
    }
}

/// Entries of a mapping with free keys, as names and nodes.
pub(super) fn named<'n>(node: &'n Node, what: &str, out: &mut Diagnostics) -> Vec<(Text, &'n Node)> {
    if node.as_mapping().is_none() {
        out.push(wrong(node, format!("`{what}` is a mapping")));
    }
    let entries = node.as_mapping().unwrap_or_default();
    entries.iter().map(|entry| (key(entry), &entry.value)).collect()
}
