//! A partner's changes, put over the rules of a set by address.

use super::effective::Effective;
use crate::mapping::diagnostic as code;
use crate::mapping::path::FieldPath;
use crate::mapping::raw::{self, Branch, Change, CodeRow, CodeSide, CodesChange, OverlayFile, Rule, Text};
use crate::text::{Diagnostic, Diagnostics, Hint, suggest};
use std::sync::Arc;

/// Applies all changes; those that hit nothing, or several rules, are told.
pub(super) fn apply(set: &mut Effective, overlay: &OverlayFile, name: &str, out: &mut Diagnostics) {
    // What lies on another overlay is for the set that that one is for.
    let is_other = |extends: &&Text| extends.as_str() != name && !extends.as_str().contains('/');
    if let Some(extends) = overlay.extends.as_ref().filter(is_other) {
        let message = format!("this overlay is used with the mapping set `{name}`");
        out.push(
            Diagnostic::error(code::EXTENDS, message)
                .at(extends.span())
                .hint(Hint::from(format!("write `extends: {name}`")).putting(name)),
        );
    }
    for product in &overlay.products {
        let products = &mut Arc::make_mut(&mut set.set).products;
        products.retain(|own| own.name.as_str() != product.name.as_str());
        products.push(product.clone());
    }
    for change in &overlay.codes {
        codes(set, change, out);
    }
    for (shape, changes) in &overlay.shapes {
        let names: Vec<String> = set.shapes.iter().map(|(_, shape)| shape.name.as_str().to_owned()).collect();
        match set.shapes.iter_mut().find(|(_, own)| own.name.as_str() == shape.as_str()) {
            Some((_, own)) => {
                let own = Arc::make_mut(own);
                for change in changes {
                    self::change(&mut own.fields, change, out);
                }
            }
            None => misses(shape, "shape", names.iter().map(String::as_str), out),
        }
    }
    operations(set, overlay, out);
}

fn misses<'a>(what: &Text, kind: &str, known: impl Iterator<Item = &'a str>, out: &mut Diagnostics) {
    let hint = suggest(what.as_str(), known).map(Hint::meant);
    let message = format!("the mapping set has no {kind} `{what}`");
    out.push(Diagnostic::error(code::MISSES, message).at(what.span()).maybe_hint(hint));
}

fn codes(set: &mut Effective, change: &CodesChange, out: &mut Diagnostics) {
    let names: Vec<String> = set.tables.iter().map(|table| table.name.as_str().to_owned()).collect();
    let Some(table) = set.tables.iter_mut().find(|table| table.name.as_str() == change.table.as_str()) else {
        return misses(&change.table, "code table", names.iter().map(String::as_str), out);
    };
    let table = Arc::make_mut(table);
    let of = |row: &CodeRow| match &row.sonata {
        CodeSide::Values(texts) => texts.clone(),
        CodeSide::Absent(_) => Vec::new(),
    };
    let has = |row: &CodeRow, code: &str| of(row).iter().any(|text| text.as_str() == code);
    let known: Vec<Text> = table.rows.iter().flat_map(of).collect();
    let known = || known.iter().map(Text::as_str);
    for row in &change.change {
        let CodeSide::Values(texts) = &row.sonata else { continue };
        let own = table.rows.iter_mut().find(|own| texts.iter().any(|text| has(own, text.as_str())));
        match (own, texts.first()) {
            (Some(own), _) => *own = row.clone(),
            (None, Some(first)) => misses(first, "row for", known(), out),
            (None, None) => {}
        }
    }
    for text in &change.remove {
        let before = table.rows.len();
        table.rows.retain(|row| !has(row, text.as_str()));
        if table.rows.len() == before {
            misses(text, "row for", known(), out);
        }
    }
    table.rows.extend(change.add.iter().cloned());
}

fn operations(set: &mut Effective, overlay: &OverlayFile, out: &mut Diagnostics) {
    for operation in &overlay.operations {
        let (function, id) = match operation.id.as_str().split_once('.') {
            Some((function, id)) => (Some(function), id),
            None => (None, operation.id.as_str()),
        };
        let named = |own: &(Arc<str>, Arc<raw::Operation>)| {
            own.1.id.as_str() == id && function.is_none_or(|function| *own.0 == *function)
        };
        match set.operations.iter().filter(|own| named(own)).count() {
            0 => {
                let named = |(of, own): &(Arc<str>, Arc<raw::Operation>)| match function {
                    Some(_) => format!("{of}.{}", own.id),
                    None => own.id.as_str().to_owned(),
                };
                let known: Vec<String> = set.operations.iter().map(named).collect();
                misses(&operation.id, "operation", known.iter().map(String::as_str), out);
            }
            1 => {
                if let Some(own) = set.operations.iter_mut().find(|own| named(own)) {
                    let id = Text::at(own.1.id.as_str(), operation.id.span());
                    let backend = operation.backend.clone().or_else(|| own.1.backend.clone());
                    own.1 = Arc::new(raw::Operation { id, backend, ..operation.clone() });
                }
            }
            _ => {
                let message = format!("several functions have an operation `{id}`");
                let fault = Diagnostic::error(code::AMBIGUOUS, message).at(operation.id.span());
                out.push(fault.hint(format!("name the function: `order.{id}`")));
            }
        }
    }
}

/// Where a rule is: the index at every level, lists counted through branches as they come.
type Position = Vec<(usize, usize)>;

fn change(rules: &mut Vec<Rule>, change: &Change, out: &mut Diagnostics) {
    match change {
        Change::Remove { within, address } => {
            let Some(at) = find(rules, within.as_ref(), address, out) else { return };
            if let Some((list, index)) = list_at(rules, &at) {
                list.remove(index);
            }
        }
        Change::Alter { within, rule } => {
            let Some(address) = rule.sonata.as_ref().or(rule.legacy.as_ref()).or(rule.name.as_ref()) else {
                let fault = Diagnostic::error(code::CHANGE, "this change does not say which rule it is for")
                    .at(rule.span);
                out.push(fault.hint("give the `sonata:`, `legacy:` or `name:` of the rule that is meant"));
                return;
            };
            let Some(at) = find(rules, within.as_ref(), address, out) else { return };
            if let Some(own) = list_at(rules, &at).and_then(|(list, index)| list.get_mut(index)) {
                alter(own, rule);
            }
        }
        Change::Add { within, after, rule } => add(rules, within.as_ref(), after.as_ref(), rule, out),
    }
}

fn add(
    rules: &mut Vec<Rule>,
    within: Option<&Text>,
    after: Option<&Text>,
    rule: &Rule,
    out: &mut Diagnostics,
) {
    if let Some(after) = after {
        let Some(at) = find(rules, within, after, out) else { return };
        if let Some((list, index)) = list_at(rules, &at) {
            list.insert(index + 1, rule.clone());
        }
        return;
    }
    let Some(within) = within else { return rules.push(rule.clone()) };
    let Some(at) = find(rules, None, within, out) else { return };
    let Some(group) = list_at(rules, &at).and_then(|(list, index)| list.get_mut(index)) else { return };
    let branches = group.one_of.as_mut().map(|(_, branches, _)| branches);
    let branches = branches.or(group.rows.as_mut().map(|(_, branches)| branches));
    if let Some(branches) = branches {
        if let Some(branch) = branch(rule, out) {
            branches.insert(0, branch);
        }
    } else if let Some(fields) = group.fields.as_mut() {
        fields.push(rule.clone());
    } else {
        let fault = Diagnostic::error(code::MISSES, "this rule has no `fields` to add to").at(within.span());
        out.push(fault.hint("change the shape that it uses, or replace the rule"));
    }
}

/// What is added to a `one_of` is one more branch, asked before the others: what differs is the narrower case.
fn branch(rule: &Rule, out: &mut Diagnostics) -> Option<Branch> {
    const OF_BRANCH: [&str; 3] = ["if", "fields", "shape"];
    let other = rule.keys.iter().find(|(key, _)| !OF_BRANCH.contains(&&**key));
    if let Some((key, span)) = other {
        let message = format!("what is added here is a branch, which has no `{key}`");
        let fault = Diagnostic::error(code::CHANGE, message).at(*span);
        out.push(fault.hint("a branch has `if`, and `fields` or `shape`"));
        return None;
    }
    Some(Branch {
        span: rule.span,
        condition: rule.condition.clone(),
        fields: rule.fields.clone().unwrap_or_default(),
        shape: rule.shape.clone(),
    })
}

/// The one rule with an address; none or several are told.
fn find(rules: &[Rule], within: Option<&Text>, address: &Text, out: &mut Diagnostics) -> Option<Position> {
    let prefix = within.map(|within| normal(within.as_str())).unwrap_or_default();
    let wanted = joined(&prefix, &normal(address.as_str()));
    let mut all = Vec::new();
    addresses(rules, "", &mut Vec::new(), &mut all);
    let hits: Vec<_> = all.iter().filter(|(own, _)| *own == wanted).collect();
    match hits.as_slice() {
        [(_, at)] => Some(at.clone()),
        [] => {
            let near = suggest(&wanted, all.iter().map(|(own, _)| own.as_str()));
            let fault = Diagnostic::error(code::MISSES, format!("the shape has no rule at `{wanted}`"));
            let hint = near.map(Hint::meant);
            out.push(fault.at(address.span()).maybe_hint(hint));
            None
        }
        several => {
            let message = format!("{} rules have the address `{wanted}`", several.len());
            let fault = Diagnostic::error(code::AMBIGUOUS, message).at(address.span());
            out.push(fault.hint("give the one that is meant a `name:` in the set, and use that"));
            None
        }
    }
}

/// The addresses of all rules with their positions; a rule with a `name:` has that as a second one.
fn addresses(rules: &[Rule], prefix: &str, at: &mut Position, all: &mut Vec<(String, Position)>) {
    lists(rules, prefix, 0, at, all);
}

fn lists(rules: &[Rule], prefix: &str, list: usize, at: &mut Position, all: &mut Vec<(String, Position)>) {
    for (index, rule) in rules.iter().enumerate() {
        at.push((list, index));
        let own = address(prefix, rule);
        let place = rule.sonata.is_some() || rule.legacy.is_some();
        if place {
            all.push((own.clone(), at.clone()));
        }
        if let Some(name) = &rule.name {
            all.push((joined(prefix, name.as_str()), at.clone()));
        }
        let prefix = if place { own.as_str() } else { prefix };
        for (number, inner) in inner(rule).enumerate() {
            lists(inner, prefix, number, at, all);
        }
        at.pop();
    }
}

/// The rules inside a rule, list by list: its fields, its branches, its else.
pub(super) fn inner(rule: &Rule) -> impl Iterator<Item = &Vec<Rule>> {
    let branches = rule.one_of.iter().flat_map(|(_, branches, _)| branches);
    let rows = rule.rows.iter().flat_map(|(_, branches)| branches);
    let otherwise = rule.one_of.iter().filter_map(|(_, _, otherwise)| match otherwise {
        Some(crate::mapping::raw::ElseBranch::Fields(rules)) => Some(rules),
        _ => None,
    });
    rule.fields.iter().chain(branches.chain(rows).map(|branch| &branch.fields)).chain(otherwise)
}

fn inner_mut(rule: &mut Rule) -> impl Iterator<Item = &mut Vec<Rule>> {
    let (branches, otherwise) = match &mut rule.one_of {
        Some((_, branches, otherwise)) => (Some(branches), otherwise.as_mut()),
        None => (None, None),
    };
    let otherwise = otherwise.and_then(|otherwise| match otherwise {
        crate::mapping::raw::ElseBranch::Fields(rules) => Some(rules),
        crate::mapping::raw::ElseBranch::Refuse(_) => None,
    });
    let branches = branches.into_iter().flatten();
    let rows = rule.rows.iter_mut().flat_map(|(_, branches)| branches);
    rule.fields.iter_mut().chain(branches.chain(rows).map(|branch| &mut branch.fields)).chain(otherwise)
}

/// The list that a position is in, and its index there.
fn list_at<'r>(rules: &'r mut Vec<Rule>, at: &[(usize, usize)]) -> Option<(&'r mut Vec<Rule>, usize)> {
    let ((_, index), rest) = at.split_first()?;
    let Some((list, _)) = rest.first() else { return Some((rules, *index)) };
    let inner = inner_mut(rules.get_mut(*index)?).nth(*list)?;
    list_at(inner, rest)
}

/// The address of a rule: that of its group, then its Sonata path, else its legacy path, else its name.
pub(super) fn address(prefix: &str, rule: &Rule) -> String {
    let sonata = rule.sonata.as_ref().filter(|sonata| sonata.as_str() != "." || rule.legacy.is_none());
    let own = sonata.or(rule.legacy.as_ref()).or(rule.name.as_ref());
    joined(prefix, &own.map(|own| normal(own.as_str())).unwrap_or_default())
}

fn joined(prefix: &str, own: &str) -> String {
    match (prefix, own) {
        ("", own) => own.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, own) if own.starts_with('[') => format!("{prefix}{own}"),
        (prefix, own) => format!("{prefix}.{own}"),
    }
}

/// A path as it is compared: `a['b']` and `a.b` are one address.
fn normal(text: &str) -> String {
    // Plain names are written as they are read.
    let is_plain = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let list = text.strip_suffix("[*]").unwrap_or(text);
    if text == "." || list.strip_prefix("$.").unwrap_or(list).split('.').all(is_plain) {
        return text.to_owned();
    }
    FieldPath::parse(text).map_or_else(|_| text.to_owned(), |path| path.to_string())
}

/// Puts the keys of a change over those of a rule. What says where a value comes from replaces whatever said so.
fn alter(own: &mut Rule, change: &Rule) {
    let source = change.codes.is_some()
        || change.convert.is_some()
        || change.script.is_some()
        || change.value.is_some()
        || change.from.is_some();
    if source {
        const SOURCES: [&str; 8] =
            ["codes", "otherwise", "convert", "accept", "script", "in", "value", "from"];
        own.keys.retain(|(key, _)| !SOURCES.contains(&&**key));
        (own.codes, own.otherwise, own.convert, own.accept, own.script) = (None, None, None, None, None);
        (own.value, own.from, own.inputs) = (None, None, crate::mapping::raw::Inputs::None);
    }
    let change = change.clone();
    own.span = change.span;
    own.keys.retain(|(key, _)| !change.keys.iter().any(|(other, _)| key == other));
    own.keys.extend(change.keys.iter().cloned());
    macro_rules! over {
        ($($key:ident),*) => { $( if change.$key.is_some() { own.$key = change.$key; } )* };
    }
    over!(name, sonata, legacy, from, value, codes, otherwise, convert, accept, script, shape, fields);
    over!(one_of, rows, key, join, take_first, condition, only, required, omit_on_error, echo, drop, lossy);
    if !matches!(change.inputs, crate::mapping::raw::Inputs::None) {
        own.inputs = change.inputs;
    }
    if !change.row_key.is_empty() {
        own.row_key = change.row_key;
    }
    if change.default.request.is_some() || change.default.answer.is_some() {
        own.default = change.default;
    }
}
