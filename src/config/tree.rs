//! Settings whose form is the integrator's own, as a document that mappings read.

use crate::{
    json::{Builder, Document, Slot, number},
    text::yaml::{Node, Style, Value},
};

/// A free-form YAML value as JSON.
///
/// Unquoted, `true` and `false` are booleans, JSON numbers (`12`, `1.10`, not `007`) are numbers with their text,
/// `~`, `null` and nothing are null; all else is text.
pub(super) fn document(node: &Node) -> Document {
    let mut builder = Builder::new();
    let root = value(node, &mut builder);
    builder.finish(root)
}

/// What stands for settings that are not there.
pub(super) fn empty() -> Document {
    let mut builder = Builder::new();
    let root = builder.object();
    builder.finish(root)
}

fn value<'n>(node: &'n Node, builder: &mut Builder<'n>) -> Slot {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_null() => builder.null(),
        Value::Scalar(scalar) if scalar.style == Style::Plain => match scalar.text.as_str() {
            "true" => builder.boolean(true),
            "false" => builder.boolean(false),
            text if number::is_number(text) => builder.number(text),
            text => builder.string(text),
        },
        Value::Scalar(scalar) => builder.string(scalar.text.as_str()),
        Value::Sequence(elements) => {
            let array = builder.array();
            for element in elements {
                let slot = value(element, builder);
                builder.push(array, slot);
            }
            array
        }
        Value::Mapping(entries) => {
            let object = builder.object();
            for entry in entries {
                let slot = value(&entry.value, builder);
                builder.set(object, entry.key.as_str(), slot);
            }
            object
        }
    }
}
