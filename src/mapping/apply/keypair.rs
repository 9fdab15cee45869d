//! Keys that are kept from one message of an entity to the next.

use crate::json::{Builder, Document, Kind, Node, number};
use crate::mapping::value::Value;

/// A pair of keys of one element, one per side, to be kept for later messages of the entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// Name of the keyed group ([`crate::mapping::program::Program::key_groups`]).
    pub group: Box<str>,
    /// The key on the Sonata side.
    pub sonata: KeyText,
    /// The key on the legacy side.
    pub legacy: KeyText,
}

/// A key: a JSON string or number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// A string, unescaped.
    Text(Box<str>),
    /// A number, as its JSON text.
    Number(Box<str>),
}

impl KeyText {
    /// The key as JSON text, as a store keeps it: `"1"`, `10`.
    pub fn to_json(&self) -> String {
        match self {
            Self::Number(text) => text.to_string(),
            Self::Text(text) => {
                let mut builder = Builder::new();
                let root = builder.string(&**text);
                builder.finish(root).text().to_owned()
            }
        }
    }

    /// The key of a JSON text; none where it is no string or number.
    pub fn from_json(json: &str) -> Option<Self> {
        let document = Document::from_text(json).ok()?;
        Self::of(&Value::Node(document.root()))
    }

    pub(super) fn of(value: &Value<'_>) -> Option<Self> {
        match value.kind()? {
            Kind::String => value.as_text().map(|text| Self::Text((*text).into())),
            Kind::Number => value.as_number().map(|text| Self::Number(text.into())),
            _ => None,
        }
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text.as_ref().into()),
            Self::Number(text) => Value::Number(text.as_ref().into()),
        }
    }

    /// Whether the node is this key: JSON equality.
    pub(super) fn is(&self, node: Node<'_>) -> bool {
        match self {
            Self::Text(text) => node.is_text(text),
            Self::Number(text) => node.number().is_some_and(|own| number::equal(own, text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_being_stored() {
        let keys =
            [KeyText::Text("a\"\\\n ä".into()), KeyText::Text("10".into()), KeyText::Number("10.0".into())];
        for key in keys {
            assert_eq!(KeyText::from_json(&key.to_json()), Some(key));
        }
        assert_eq!(KeyText::from_json("{}"), None);
        assert_eq!(KeyText::from_json("x"), None);
    }
}
