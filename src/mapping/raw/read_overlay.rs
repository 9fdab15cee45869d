//! YAML to [`OverlayFile`].

use super::read::{self, required_text, sequence, text, texts};
use super::read_rule::{named, single};
use super::read_set::{products, rows};
use super::{Change, CodesChange, OverlayFile, Text, operations};
use crate::mapping::diagnostic as code;
use crate::text::{
    Diagnostic, Diagnostics,
    yaml::{Fields, Node},
};

/// Reads a partner's overlay.
pub fn read_overlay(node: &Node, out: &mut Diagnostics) -> Option<OverlayFile> {
    let mut fields = Fields::of(node, "an overlay", out)?;
    let extends = required_text(&mut fields, "extends", out);
    let products = fields.take("products").map(|node| products(node, out)).unwrap_or_default();
    let mut codes = Vec::new();
    if let Some(node) = fields.take("codes") {
        for (table, node) in named(node, "codes", out) {
            codes.extend(codes_change(table, node, out));
        }
    }
    let mut shapes = Vec::new();
    if let Some(node) = fields.take("shapes") {
        for (shape, node) in named(node, "shapes", out) {
            let nodes = sequence(node, "the changes of a shape", out);
            shapes.push((shape, nodes.iter().filter_map(|node| change(node, out)).collect()));
        }
    }
    let operations = fields.take("operations").map(|node| operations(node, out)).unwrap_or_default();
    read::refuse_later(&mut fields, &["receives", "watch", "exposes", "notifies"], out);
    fields.finish(out);
    Some(OverlayFile { extends, products, codes, shapes, operations })
}

fn codes_change(table: Text, node: &Node, out: &mut Diagnostics) -> Option<CodesChange> {
    let mut fields = Fields::of(node, "the change of a code table", out)?;
    let change = CodesChange {
        table,
        change: fields.take("change").map(|node| rows(node, out)).unwrap_or_default(),
        add: fields.take("add").map(|node| rows(node, out)).unwrap_or_default(),
        remove: texts(&mut fields, "remove", out),
    };
    fields.finish(out);
    Some(change)
}

fn change(node: &Node, out: &mut Diagnostics) -> Option<Change> {
    let mut fields = Fields::of(node, "a change", out)?;
    let within = text(&mut fields, "in", out);
    let after = text(&mut fields, "after", out);
    let remove = text(&mut fields, "remove", out);
    let add = fields.take("add").and_then(|node| single(node, out));
    let alter = fields.take("change").and_then(|node| single(node, out));
    let words = ["remove", "add", "change"].iter().filter(|word| node.get(word).is_some()).count();
    fields.finish(out);
    if words != 1 {
        let fault = Diagnostic::error(code::CHANGE, "a change is one of `add`, `change` and `remove`");
        out.push(fault.at(node.span).hint("write one entry for each"));
        return None;
    }
    if let (Some(after), None) = (&after, node.get("add")) {
        let fault = Diagnostic::error(code::CHANGE, "`after` goes with `add` only").at(after.span());
        out.push(fault);
    }
    match (remove, add, alter) {
        (Some(address), ..) => Some(Change::Remove { within, address }),
        (_, Some(rule), _) => Some(Change::Add { within, after, rule: Box::new(rule) }),
        (.., Some(rule)) => Some(Change::Alter { within, rule: Box::new(rule) }),
        _ => None,
    }
}
