//! YAML to [`Receive`] and [`Watch`].

use super::read::{pairs, required_text, text};
use super::read_operation::body_of;
use super::read_rule::named;
use super::{News, Receive, Watch};
use crate::mapping::diagnostic as code;
use crate::text::{
    Diagnostic, Diagnostics,
    yaml::{Fields, Node},
};

/// Reads `receives:`.
pub(super) fn receives(node: &Node, out: &mut Diagnostics) -> Vec<Receive> {
    let entries = named(node, "receives", out);
    let entry = |(call, node): (super::Text, &Node)| {
        let mut fields = Fields::of(node, "an entry of `receives`", out)?;
        let news = news(&mut fields, node, out);
        let status = fields.integer("status", 200..=299, out);
        fields.finish(out);
        Some(Receive { call, news, status, backend: None })
    };
    entries.into_iter().filter_map(entry).collect()
}

/// Reads `watch:`.
pub(super) fn watches(node: &Node, out: &mut Diagnostics) -> Vec<Watch> {
    let entries = named(node, "watch", out);
    let entry = |(name, node): (super::Text, &Node)| {
        let mut fields = Fields::of(node, "an entry of `watch`", out)?;
        let (call, every) =
            (required_text(&mut fields, "call", out), required_text(&mut fields, "every", out));
        let (cursor, from) = (text(&mut fields, "cursor", out), text(&mut fields, "from", out));
        let news = news(&mut fields, node, out);
        fields.finish(out);
        Some(Watch { name, call: call?, every: every?, cursor, from, news, backend: None })
    };
    entries.into_iter().filter_map(entry).collect()
}

/// What a message says of which entity.
fn news(fields: &mut Fields<'_>, node: &Node, out: &mut Diagnostics) -> News {
    let (updates, creates) = (text(fields, "updates", out), text(fields, "creates", out));
    if updates.is_some() == creates.is_some() {
        let message = "a message says either `updates` or `creates`";
        let fault = Diagnostic::error(code::NEWS, message).at(node.span);
        out.push(fault.hint("name the kind of what it speaks of: `updates: productOrder`"));
    }
    let is_new = creates.is_some();
    let of = fields.take("of").map(|node| pairs(node, "of", out)).unwrap_or_default();
    let whose = fields.take("whose").map(|node| pairs(node, "whose", out)).unwrap_or_default();
    let body = body_of(fields, node, out);
    if body.is_none() {
        fields.missing("shape", out);
    }
    News {
        span: node.span,
        kind: updates.or(creates),
        creates: is_new,
        of,
        whose,
        legacy_id: required_text(fields, "legacy_id", out),
        each: text(fields, "each", out),
        body,
    }
}
