//! Words of reasons.

use crate::{
    json::{Node, NodeId},
    sonata::{facts::Range, fault::bounded},
};

/// Characters of a sender's value that a reason may hold.
pub(super) const EXCERPT_CHARS_MAX: usize = 40;
/// Characters of a member's name in a reason; the standard's longest has 60.
const NAME_CHARS_MAX: usize = 64;
/// Names that a reason lists.
const LIST_MAX: usize = 8;

/// What a reason calls a value: the member it stands under.
pub(super) fn label(node: Node<'_>) -> String {
    match node.name() {
        Some(name) => bounded(&name, NAME_CHARS_MAX),
        None if node.id() == NodeId::ROOT => "the body".to_owned(),
        None => "the element".to_owned(),
    }
}

pub(super) fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

pub(super) fn between(range: Range) -> String {
    match (range.min.unwrap_or(0), range.max) {
        (least, None) => format!("at least {least}"),
        (least, Some(most)) if least == most => format!("exactly {least}"),
        (0, Some(most)) => format!("at most {most}"),
        (least, Some(most)) => format!("{least} to {most}"),
    }
}

pub(super) fn excerpt(text: &str) -> String {
    format!("\"{}\"", bounded(text, EXCERPT_CHARS_MAX))
}

/// The first of some names, and whether there are more.
pub(super) fn some_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut text = String::new();
    for (index, name) in names.enumerate() {
        if index == LIST_MAX {
            text.push_str(", …");
            break;
        }
        text.push_str(if index == 0 { "" } else { ", " });
        text.push_str(name);
    }
    text
}
