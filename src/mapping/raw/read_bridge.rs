//! YAML to the files of a bridge.
//!
//! The rules of a bridge are those of mappings, with releases for sides. So a file is read with the names of its releases put
//! into the words of the language, and everything behind that is one reader and one compiler.

use super::read::{self, sequence, text, texts, wrong};
use super::read_rule::{named, rules, single};
use super::read_set::{shapes, table};
use super::{BridgeFile, OperationRule, ProductRule, Rule, Text, TypeRule};
use crate::mapping::diagnostic as code;
use crate::text::{
    Diagnostic, Diagnostics, Hint,
    yaml::{Entry, Fields, Node, Value},
};

/// Words of the language in which a release's name stands for a side, and what stands there in a mapping.
const SIDES: [&str; 2] = ["sonata", "legacy"];
/// Keys whose values are the mapping's own data.
const DATA: [&str; 2] = ["value", "in"];

/// Reads one file of a bridge.
pub fn read_bridge(node: &Node, out: &mut Diagnostics) -> Option<BridgeFile> {
    let releases = releases(node, out)?;
    let node = &sided(node, [releases.0.as_str(), releases.1.as_str()], out);
    let mut fields = Fields::of(node, "a bridge", out)?;
    fields.allow("bridge");
    let function = text(&mut fields, "function", out);
    let drop = text(&mut fields, "drop", out);
    let copy_rest = read::word(&mut fields, "copy", &[("rest", ())], out).map(|((), span)| span);
    let types = fields.take("types").map(|node| types(node, out)).unwrap_or_default();
    let shapes = fields.take("shapes").map(|node| shapes(node, out)).unwrap_or_default();
    let tables = fields.take("codes").map(|node| named(node, "codes", out)).unwrap_or_default();
    let tables = tables.into_iter().map(|(name, node)| table(name, node, out)).collect();
    let mut operations = Vec::new();
    for key in ["operations", "events"] {
        let Some(entry) = fields.entry(key) else { continue };
        if function.is_none() {
            let fault = Diagnostic::error(code::NO_FUNCTION, format!("`{key}` belong to a function"));
            out.push(fault.at(entry.key_span).hint("begin the file with `function: order`, or the like"));
        }
        operations.extend(
            named(&entry.value, key, out).into_iter().filter_map(|(id, node)| operation(id, node, out)),
        );
    }
    let products = fields.take("products").map(|node| products(node, out)).unwrap_or_default();
    fields.finish(out);
    let mut file =
        BridgeFile { releases, function, drop, copy_rest, types, shapes, tables, operations, products };
    let bodies = file.types.iter_mut().map(|entry| &mut entry.rule);
    let bodies = bodies.chain(file.products.iter_mut().flat_map(|product| &mut product.fields));
    bodies.chain(file.shapes.iter_mut().flat_map(|shape| &mut shape.fields)).for_each(in_every_phase);
    Some(file)
}

fn releases(node: &Node, out: &mut Diagnostics) -> Option<(Text, Text)> {
    let Some(named) = node.get("bridge") else {
        let mut fields = Fields::of(node, "a bridge", out)?;
        let _ = fields.require("bridge", out);
        return None;
    };
    let names: Vec<Text> =
        sequence(named, "bridge", out).iter().filter_map(|node| read::text_of(node, "bridge", out)).collect();
    if let [older, newer] = names.as_slice()
        && older.as_str() != newer.as_str()
    {
        return Some((older.clone(), newer.clone()));
    }
    let fault = wrong(named, "`bridge` names two releases, the older one first");
    out.push(fault.hint("write `bridge: [ grace, kylie ]`"));
    None
}

/// The same tree with the words of mappings in the place of the names of the releases.
fn sided(node: &Node, names: [&str; 2], out: &mut Diagnostics) -> Node {
    let value = match &node.value {
        Value::Scalar(scalar) => Value::Scalar(scalar.clone()),
        Value::Sequence(nodes) => Value::Sequence(nodes.iter().map(|node| sided(node, names, out)).collect()),
        Value::Mapping(entries) => {
            Value::Mapping(entries.iter().map(|entry| sided_entry(entry, names, out)).collect())
        }
    };
    Node { span: node.span, value }
}

fn sided_entry(entry: &Entry, names: [&str; 2], out: &mut Diagnostics) -> Entry {
    if DATA.contains(&entry.key.as_str()) {
        return entry.clone();
    }
    if let Some(index) = SIDES.iter().position(|side| *side == entry.key) {
        let name = names.get(index).copied().unwrap_or_default();
        let fault = Diagnostic::error(code::FORM, "in a bridge the sides have the names of its releases");
        out.push(fault.at(entry.key_span).hint(Hint::meant(name)));
    }
    let mut entry = Entry { value: sided(&entry.value, names, out), ..entry.clone() };
    for (name, side) in names.iter().zip(SIDES) {
        let way = format!("to_{name}");
        if entry.key == *name {
            side.clone_into(&mut entry.key);
        } else if entry.key == way {
            entry.key = format!("to_{side}");
        }
        if let (true, Value::Scalar(scalar)) = (entry.key == "only", &mut entry.value.value)
            && scalar.text == way
        {
            scalar.text = format!("to_{side}");
        }
    }
    entry
}

fn types(node: &Node, out: &mut Diagnostics) -> Vec<TypeRule> {
    let mut list = Vec::new();
    for node in sequence(node, "types", out) {
        let Some(entries) = node.as_mapping() else {
            out.push(wrong(node, "an entry of `types` is a mapping"));
            continue;
        };
        let mut fields = Fields::of(node, "an entry of `types`", out).unwrap_or_default();
        let (older, newer) = (texts(&mut fields, SIDES[0], out), texts(&mut fields, SIDES[1], out));
        if older.is_empty() || newer.is_empty() {
            out.push(wrong(node, "an entry of `types` names types of both releases"));
            continue;
        }
        let rest = entries.iter().filter(|entry| !SIDES.contains(&entry.key.as_str())).cloned().collect();
        let rule = single(&Node { span: node.span, value: Value::Mapping(rest) }, out);
        list.extend(rule.map(|rule| TypeRule { span: node.span, older, newer, rule }));
    }
    list
}

fn operation(id: Text, node: &Node, out: &mut Diagnostics) -> Option<OperationRule> {
    let mut fields = Fields::of(node, "an operation of a bridge", out)?;
    let operation = OperationRule {
        id,
        is: text(&mut fields, "is", out),
        drop: text(&mut fields, "drop", out),
        fields: fields.take("fields").map(|node| rules(node, out)).unwrap_or_default(),
    };
    fields.finish(out);
    Some(operation)
}

fn products(node: &Node, out: &mut Diagnostics) -> Vec<ProductRule> {
    let mut list = Vec::new();
    for node in sequence(node, "products", out) {
        let Some(mut fields) = Fields::of(node, "an entry of `products`", out) else { continue };
        let product = ProductRule {
            span: node.span,
            older: texts(&mut fields, SIDES[0], out),
            newer: texts(&mut fields, SIDES[1], out),
            drop: text(&mut fields, "drop", out),
            fields: fields.take("fields").map(|node| rules(node, out)).unwrap_or_default(),
        };
        fields.finish(out);
        match (&product.drop, product.older.is_empty(), product.newer.is_empty()) {
            (None, false, false) => list.push(product),
            (Some(_), is_newer, is_older) if is_newer != is_older && product.fields.is_empty() => {
                list.push(product);
            }
            (None, ..) => out.push(wrong(node, "a product has a `@type` on both sides")),
            (Some(_), ..) => out.push(wrong(node, "what is dropped is a product of one side, without rules")),
        }
    }
    list
}

/// Values that stand in for what is not there do so in answers as well as in requests, and what is required is in both:
/// a message goes over a bridge whoever sends it.
fn in_every_phase(rule: &mut Rule) {
    if let Some((phases, _)) = &mut rule.required {
        let any = phases.request || phases.answer;
        (phases.request, phases.answer) = (any, any);
    }
    if rule.default.answer.is_none() {
        rule.default.answer.clone_from(&rule.default.request);
    }
    rule.fields.iter_mut().flatten().for_each(in_every_phase);
    if let Some((_, branches, otherwise)) = &mut rule.one_of {
        branches.iter_mut().flat_map(|branch| &mut branch.fields).for_each(in_every_phase);
        if let Some(super::ElseBranch::Fields(rules)) = otherwise {
            rules.iter_mut().for_each(in_every_phase);
        }
    }
}
