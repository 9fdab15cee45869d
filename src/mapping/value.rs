//! What travels between two documents while a rule is applied.
//!
//! Most values are only carried: they stay the [`Node`] that was received, so number text, escapes and
//! member order leave as they came. A value becomes one of the other variants when a converter, a code
//! table, a constant or a script makes it. Unlike a document it has no position and no limits of its own,
//! and unlike JSON it knows *absent*.

use std::borrow::Cow;

use crate::json::{Builder, Kind, Node, Slot};

/// Longest part of a sender's value that a message repeats, in characters.
pub const EXCERPT_CHARS_MAX: usize = 40;

/// A value on its way from one side to the other.
#[derive(Debug, Clone)]
pub enum Value<'d> {
    /// Nothing there: writes nothing.
    Absent,
    /// A node of the message being read, carried as it is.
    Node(Node<'d>),
    /// JSON `null`.
    Null,
    /// JSON `true` or `false`.
    Bool(bool),
    /// Canonical JSON number text; `1.10` stays `1.10`.
    Number(Cow<'d, str>),
    /// A text without JSON escapes.
    Text(Cow<'d, str>),
    /// Members in the order in which they are written.
    Object(Vec<(Cow<'d, str>, Value<'d>)>),
    /// Elements in order.
    Array(Vec<Value<'d>>),
}

impl<'d> Value<'d> {
    /// A text.
    pub fn text(text: impl Into<Cow<'d, str>>) -> Self {
        Self::Text(text.into())
    }

    /// An integer.
    #[must_use]
    pub fn integer(number: i64) -> Self {
        Self::Number(number.to_string().into())
    }

    /// The node, or [`Value::Absent`] where there is none.
    #[must_use]
    pub fn of(node: Option<Node<'d>>) -> Self {
        node.map_or(Self::Absent, Self::Node)
    }

    /// The JSON kind; `None` for an absent value.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Absent => return None,
            Self::Node(node) => node.kind(),
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::String,
            Self::Object(_) => Kind::Object,
            Self::Array(_) => Kind::Array,
        })
    }

    /// The kind in words, for messages: `a text`, `an object`, `nothing`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.kind() {
            None => "nothing",
            Some(Kind::Null) => "null",
            Some(Kind::Bool) => "a boolean",
            Some(Kind::Number) => "a number",
            Some(Kind::String) => "a text",
            Some(Kind::Array) => "an array",
            Some(Kind::Object) => "an object",
        }
    }

    /// Whether nothing is there. `null` is not absent.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether JSON `null` is there.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind() == Some(Kind::Null)
    }

    /// Whether nothing or `null` is there, which is one and the same unless the target allows `null`.
    #[must_use]
    pub fn is_absent_or_null(&self) -> bool {
        self.is_absent() || self.is_null()
    }

    /// The text without escapes, where the value is a text.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text.as_ref())),
            Self::Node(node) => node.as_str(),
            _ => None,
        }
    }

    /// The number text as written, where the value is a number.
    #[must_use]
    pub fn as_number(&self) -> Option<&str> {
        match self {
            Self::Number(number) => Some(number.as_ref()),
            Self::Node(node) => node.number(),
            _ => None,
        }
    }

    /// The truth value, where the value is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            Self::Node(node) => node.as_bool(),
            _ => None,
        }
    }

    /// The written form of a text, number or boolean: what code tables and keys compare by.
    #[must_use]
    pub fn as_scalar_text(&self) -> Option<Cow<'_, str>> {
        if let Some(number) = self.as_number() {
            return Some(Cow::Borrowed(number));
        }
        match self.as_bool() {
            Some(true) => Some(Cow::Borrowed("true")),
            Some(false) => Some(Cow::Borrowed("false")),
            None => self.as_text(),
        }
    }

    /// The member of an object, or [`Value::Absent`] where there is no such member or no object.
    #[must_use]
    pub fn member(&self, name: &str) -> Value<'d> {
        match self {
            Self::Node(node) => Self::of(node.get(name)),
            Self::Object(members) => members
                .iter()
                .find(|(member, _)| member == name)
                .map_or(Self::Absent, |(_, value)| value.clone()),
            _ => Self::Absent,
        }
    }

    /// The elements of an array in order; `None` where the value is no array.
    #[must_use]
    pub fn elements(&self) -> Option<Vec<Value<'d>>> {
        match self {
            Self::Node(node) if node.kind() == Kind::Array => Some(node.elements().map(Self::Node).collect()),
            Self::Array(elements) => Some(elements.clone()),
            _ => None,
        }
    }

    /// The members of an object in order; `None` where the value is no object.
    #[must_use]
    pub fn members(&self) -> Option<Vec<(Cow<'d, str>, Value<'d>)>> {
        match self {
            Self::Node(node) if node.kind() == Kind::Object => {
                Some(node.members().map(|(name, value)| (name, Self::Node(value))).collect())
            }
            Self::Object(members) => Some(members.clone()),
            _ => None,
        }
    }

    /// Whether both are the same JSON value; numbers are compared by their written form.
    #[must_use]
    pub fn same(&self, other: &Value<'_>) -> bool {
        if self.kind() != other.kind() {
            return false;
        }
        match self.kind() {
            None | Some(Kind::Null) => true,
            Some(Kind::Array) => {
                let (Some(left), Some(right)) = (self.elements(), other.elements()) else { return false };
                left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| left.same(right))
            }
            Some(Kind::Object) => {
                let (Some(left), Some(right)) = (self.members(), other.members()) else { return false };
                left.len() == right.len() && left.iter().all(|(name, value)| value.same(&other.member(name)))
            }
            Some(_) => self.as_scalar_text() == other.as_scalar_text(),
        }
    }

    /// Writes the value; a node is spliced as it was received. Absent elements and members are left out, an
    /// absent value itself is written as `null`: ask [`Value::is_absent`] before.
    pub fn build(self, builder: &mut Builder<'d>) -> Slot {
        match self {
            Self::Absent | Self::Null => builder.null(),
            Self::Node(node) => builder.copy(node),
            Self::Bool(truth) => builder.boolean(truth),
            Self::Number(number) => builder.number(number),
            Self::Text(text) => builder.string(text),
            Self::Object(members) => {
                let object = builder.object();
                for (name, value) in members {
                    if !value.is_absent() {
                        let slot = value.build(builder);
                        builder.set(object, name, slot);
                    }
                }
                object
            }
            Self::Array(elements) => {
                let array = builder.array();
                for value in elements {
                    if !value.is_absent() {
                        let slot = value.build(builder);
                        builder.push(array, slot);
                    }
                }
                array
            }
        }
    }

    /// The value without borrows from the message; node text is copied, number text stays as written.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Absent => Value::Absent,
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Number(number) => Value::Number(Cow::Owned(number.into_owned())),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            ),
            Self::Array(elements) => Value::Array(elements.into_iter().map(Value::into_owned).collect()),
            Self::Node(node) => owned(node),
        }
    }

    /// A bounded excerpt for messages: a quoted text, a number, or the kind of anything larger.
    #[must_use]
    pub fn excerpt(&self) -> String {
        match self.kind() {
            Some(Kind::String) => self.as_text().map_or_else(String::new, |text| quoted(&text)),
            Some(Kind::Number) => self.as_number().map_or_else(String::new, shortened),
            Some(Kind::Bool) => self.as_scalar_text().map_or_else(String::new, Cow::into_owned),
            _ => self.kind_name().to_owned(),
        }
    }
}

impl<'d> From<Node<'d>> for Value<'d> {
    fn from(node: Node<'d>) -> Self {
        Self::Node(node)
    }
}

fn owned(node: Node<'_>) -> Value<'static> {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(node.as_bool().unwrap_or_default()),
        Kind::Number => Value::Number(Cow::Owned(node.number().unwrap_or_default().to_owned())),
        Kind::String => Value::Text(Cow::Owned(node.as_str().unwrap_or_default().into_owned())),
        Kind::Array => Value::Array(node.elements().map(owned).collect()),
        Kind::Object => Value::Object(
            node.members().map(|(name, value)| (Cow::Owned(name.into_owned()), owned(value))).collect(),
        ),
    }
}

/// A text in quotes with control characters shown as `·`, cut at [`EXCERPT_CHARS_MAX`] characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", shortened(text))
}

fn shortened(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(EXCERPT_CHARS_MAX)
        .map(|character| if character.is_control() { '·' } else { character })
        .collect();
    if text.chars().nth(EXCERPT_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}
