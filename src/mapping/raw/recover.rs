//! `recover:` of a call as written, and how it is read.

use super::read::{pairs, required_text, text};
use super::read_operation::{body, statuses};
use super::{Body, On, Text};
use crate::text::{
    Diagnostics, Span,
    yaml::{Fields, Node, Value},
};

/// How it is found out whether a call was made of which nobody knows how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recover {
    /// The whole value.
    pub span: Span,
    /// Method and address of the look-up.
    pub call: Text,
    /// What is sent with it.
    pub request: Option<Body>,
    /// The array of its reply in which what was made stands.
    pub each: Option<Text>,
    /// Holds of what was made.
    pub condition: Option<Text>,
    /// Places of what was made, each with the place of what was sent that has the same value.
    pub same: Vec<(Text, Text)>,
    /// Replies that say for sure that nothing was made.
    pub none: Vec<On>,
    /// Where the reply says how many it would have.
    pub total: Option<Text>,
    /// The call whose reply stands for that of the call.
    pub read: Option<Text>,
    /// Time after which it is believed that nothing was made.
    pub sure_after: Option<Text>,
}

/// Reads `recover:`.
pub(super) fn recover(node: &Node, out: &mut Diagnostics) -> Option<Recover> {
    let mut fields = Fields::of(node, "recover", out)?;
    let call = required_text(&mut fields, "call", out);
    let recover = Recover {
        span: node.span,
        request: fields.take("request").and_then(|node| body(node, "request", out)),
        each: text(&mut fields, "each", out),
        condition: text(&mut fields, "if", out),
        same: fields.take("same").map(|node| pairs(node, "same", out)).unwrap_or_default(),
        none: fields.take("none").map(|node| none(node, out)).unwrap_or_default(),
        total: text(&mut fields, "total", out),
        read: text(&mut fields, "read", out),
        sure_after: text(&mut fields, "sure_after", out),
        call: call?,
    };
    fields.finish(out);
    Some(recover)
}

/// One entry of criteria, or a list of them.
fn none(node: &Node, out: &mut Diagnostics) -> Vec<On> {
    let nodes = match &node.value {
        Value::Sequence(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut list = Vec::new();
    for node in nodes {
        let Some(mut fields) = Fields::of(node, "an entry of `none`", out) else { continue };
        list.push(On {
            span: node.span,
            statuses: fields.take("status").map(|node| statuses(node, out)).unwrap_or_default(),
            condition: text(&mut fields, "if", out),
            fault: text(&mut fields, "fault", out),
            text: text(&mut fields, "text", out),
            problem: None,
            at: None,
            reason: None,
            answer: None,
        });
        fields.finish(out);
    }
    list
}
