//! YAML to [`Expose`] and [`Problems`].

use super::read::{self, required_text, text, wrong};
use super::read_operation::{body, body_of};
use super::read_rule::named;
use super::{Body, Expose, Notify, Problems, Seller, Text};
use crate::mapping::diagnostic as code;
use crate::text::{
    Diagnostic, Diagnostics,
    yaml::{Fields, Node},
};

/// Reads `exposes:` of a file of this function.
pub(super) fn exposes(node: &Node, function: Option<&Text>, out: &mut Diagnostics) -> Vec<Expose> {
    let entries = named(node, "exposes", out);
    entries.into_iter().filter_map(|(call, node)| expose(call, node, function, out)).collect()
}

fn expose(call: Text, node: &Node, function: Option<&Text>, out: &mut Diagnostics) -> Option<Expose> {
    let mut fields = Fields::of(node, "an entry of `exposes`", out)?;
    let operation = required_text(&mut fields, "operation", out);
    let seller = fields.take("seller").map_or(Seller::Only, |node| seller(node, out));
    let request = fields.take("request").and_then(|node| body(node, "request", out));
    let (answer, each) = fields.take("answer").map(|node| answer(node, out)).unwrap_or_default();
    let status = fields.integer("status", 200..=299, out);
    let correlation = text(&mut fields, "correlation", out);
    let wait = text(&mut fields, "wait", out);
    fields.finish(out);
    let function = function.cloned();
    Some(Expose {
        span: node.span,
        call,
        function,
        operation,
        seller,
        request,
        answer,
        each,
        status,
        correlation,
        wait,
    })
}

/// `seller: supplier`, or `seller: { account: supplier }`.
fn seller(node: &Node, out: &mut Diagnostics) -> Seller {
    if node.as_mapping().is_none() {
        return read::text_of(node, "seller", out).map_or(Seller::Only, Seller::Name);
    }
    let mut pairs = read::pairs(node, "seller", out);
    if pairs.len() > 1 {
        let message = "a Seller is named by one setting";
        out.push(Diagnostic::error(code::EXPOSES, message).at(node.span).hint("leave one of them"));
    }
    if let Some((setting, place)) = pairs.pop() {
        return Seller::Setting(setting, place);
    }
    out.push(wrong(node, "`seller` is a place of the message, or a setting of partners with one"));
    Seller::Only
}

fn answer(node: &Node, out: &mut Diagnostics) -> (Option<Body>, Option<Text>) {
    if node.as_mapping().is_none() {
        return (read::text_of(node, "answer", out).map(Body::Shape), None);
    }
    let Some(mut fields) = Fields::of(node, "answer", out) else { return (None, None) };
    let body = body_of(&mut fields, node, out);
    let each = text(&mut fields, "each", out);
    fields.finish(out);
    (body, each)
}

/// Reads `notifies:` of a file of this function.
pub(super) fn notifies(node: &Node, function: Option<&Text>, out: &mut Diagnostics) -> Vec<Notify> {
    let entries = named(node, "notifies", out).into_iter();
    let read = |(event, node): (Text, &Node)| {
        let mut fields = Fields::of(node, "an entry of `notifies`", out)?;
        let follow = required_text(&mut fields, "follow", out);
        let call = required_text(&mut fields, "call", out);
        let request = fields.require("request", out).and_then(|node| body(node, "request", out));
        fields.finish(out);
        Some(Notify { event, function: function.cloned(), follow, call, request })
    };
    entries.filter_map(read).collect()
}

/// Reads `problems:`.
pub(super) fn problems(node: &Node, out: &mut Diagnostics) -> Option<Problems> {
    let mut fields = Fields::of(node, "problems", out)?;
    let status = fields.integer("status", 400..=599, out);
    let body = body_of(&mut fields, node, out);
    if body.is_none() {
        fields.missing("shape", out);
    }
    fields.finish(out);
    Some(Problems { span: node.span, status, body: body? })
}
