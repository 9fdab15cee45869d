//! Values on their way into a script and out of it.
//!
//! Scalars become Rhai's own; objects stay where they are as a [`Part`] of the document, opened one member
//! at a time, because building a whole message as Rhai maps costs ten times what five expressions cost.
//! Arrays become Rhai arrays of such values, so that `map` and `filter` work on them. Absent and null are
//! both `()`.

use rhai::{Array, Dynamic, Engine, EvalAltResult, INT, ImmutableString, Map};
use rust_decimal::Decimal;

use super::{
    exact::{Raised, raise},
    limits, meter,
};
use crate::{
    json::{Document, Kind, Node, NodeId},
    mapping::{convert::number::Exact, value::Value},
};

/// An object of a document, or a number that no arithmetic can take; it only passes through a script.
#[derive(Clone)]
pub(super) struct Part {
    document: Document,
    id: NodeId,
}

/// How a part is called in messages.
pub(super) const PART_NAME: &str = "object";

impl Part {
    fn node(&self) -> Node<'_> {
        self.document.node(self.id)
    }

    fn member(&mut self, name: &str) -> Raised<Dynamic> {
        self.node().get(name).map_or(Ok(Dynamic::UNIT), from_node)
    }

    fn keys(&mut self) -> Raised<Array> {
        if !meter::work(self.node().len() * 8) {
            return raise("the step limit is used up");
        }
        Ok(self.node().members().map(|(name, _)| Dynamic::from(name.into_owned())).collect())
    }

    fn values(&mut self) -> Raised<Array> {
        self.node().members().map(|(_, value)| from_node(value)).collect()
    }
}

/// Registers what a script may do with a part.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Part>(PART_NAME);
    engine.register_indexer_get(|part: &mut Part, name: &str| part.member(name));
    engine.register_fn("keys", Part::keys);
    engine.register_fn("values", Part::values);
    engine.register_fn("len", |part: &mut Part| INT::try_from(part.node().len()).unwrap_or(INT::MAX));
    engine.register_fn("is_empty", |part: &mut Part| part.node().is_empty());
    engine.register_fn("contains", |part: &mut Part, name: &str| part.node().get(name).is_some());
    engine.register_fn("==", |a: Part, b: Part| a.node().eq_value(b.node()));
    engine.register_fn("!=", |a: Part, b: Part| !a.node().eq_value(b.node()));
    // Rhai would write the name of the Rust type.
    engine.register_fn("to_string", |_: &mut Part| {
        meter::refuse("an object cannot be written into a text");
        ImmutableString::new()
    });
}

/// A value for a script.
///
/// # Errors
/// When an array or text is larger than a script may hold.
pub(super) fn into_script(value: &Value<'_>) -> Raised<Dynamic> {
    match value {
        Value::Absent | Value::Null => Ok(Dynamic::UNIT),
        Value::Node(node) => from_node(*node),
        Value::Bool(truth) => Ok(Dynamic::from_bool(*truth)),
        Value::Number(text) => match number(text) {
            Some(number) => Ok(number),
            None => raise("a number has more digits than scripts can compute with"),
        },
        Value::Text(text) => self::text(text),
        Value::Array(elements) => {
            check(elements.len(), limits::ARRAY_ELEMENTS_MAX, "array")?;
            elements.iter().map(into_script).collect::<Raised<Array>>().map(Dynamic::from_array)
        }
        Value::Object(members) => {
            check(members.len(), limits::MAP_MEMBERS_MAX, "object")?;
            let mut map = Map::new();
            for (name, value) in members {
                map.insert(name.as_ref().into(), into_script(value)?);
            }
            Ok(Dynamic::from_map(map))
        }
    }
}

fn from_node(node: Node<'_>) -> Raised<Dynamic> {
    let part = || Dynamic::from(Part { document: node.document().clone(), id: node.id() });
    match node.kind() {
        Kind::Null => Ok(Dynamic::UNIT),
        Kind::Bool => Ok(Dynamic::from_bool(node.as_bool().unwrap_or_default())),
        Kind::Number => Ok(node.number().and_then(number).unwrap_or_else(part)),
        Kind::String => text(&node.as_str().unwrap_or_default()),
        Kind::Object => Ok(part()),
        Kind::Array => {
            check(node.len(), limits::ARRAY_ELEMENTS_MAX, "array")?;
            if !meter::work(node.len() * 8) {
                return raise("the step limit is used up");
            }
            node.elements().map(from_node).collect::<Raised<Array>>().map(Dynamic::from_array)
        }
    }
}

fn text(text: &str) -> Raised<Dynamic> {
    check(text.len(), limits::TEXT_BYTES_MAX, "text")?;
    if !meter::work(text.len()) {
        return raise("the step limit is used up");
    }
    Ok(Dynamic::from(ImmutableString::from(text)))
}

fn check(size: usize, limit: usize, what: &str) -> Raised<()> {
    if size > limit {
        return raise(format!("the {what} is too large for a script: {size} of at most {limit}"));
    }
    Ok(())
}

/// An integer where it fits, else a decimal that keeps its text; `None` beyond its digits.
pub(super) fn number(text: &str) -> Option<Dynamic> {
    if let Ok(integer) = text.parse::<INT>()
        && text != "-0"
    {
        return Some(Dynamic::from_int(integer));
    }
    if let Ok(decimal) = Decimal::from_str_exact(text) {
        return Some(Dynamic::from_decimal(decimal));
    }
    // An exponent: the same value written out.
    let plain = Exact::parse(text)?.to_text();
    Decimal::from_str_exact(&plain).ok().map(Dynamic::from_decimal)
}

/// What a script returned, and where its parts are found again.
pub(super) struct Returned<'c, 'd> {
    /// The values that were given to the script.
    pub given: Vec<&'c Value<'d>>,
}

impl<'d> Returned<'_, 'd> {
    /// The value of what a script returned; `()` is absent, a map's members come in the order of their names.
    ///
    /// # Errors
    /// When it is something that a message cannot hold, such as a function.
    pub fn value(&self, result: Dynamic) -> Result<Value<'d>, String> {
        if result.is_unit() {
            return Ok(Value::Absent);
        }
        if let Ok(truth) = result.as_bool() {
            return Ok(Value::Bool(truth));
        }
        if let Ok(integer) = result.as_int() {
            return Ok(Value::integer(integer));
        }
        if let Ok(decimal) = result.as_decimal() {
            return Ok(Value::Number(decimal.to_string().into()));
        }
        if let Ok(character) = result.as_char() {
            return Ok(Value::text(character.to_string()));
        }
        if result.is_string() {
            return Ok(Value::text(result.into_string().unwrap_or_default()));
        }
        if result.is_array() {
            let elements = result.into_array().unwrap_or_default();
            return elements
                .into_iter()
                .map(|element| self.value(element))
                .collect::<Result<_, _>>()
                .map(Value::Array);
        }
        if result.is_map() {
            let members = result.try_cast::<Map>().unwrap_or_default();
            return members
                .into_iter()
                .map(|(name, value)| Ok((name.to_string().into(), self.value(value)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object);
        }
        let kind = result.type_name();
        match result.try_cast::<Part>() {
            Some(part) => Ok(self.part(&part)),
            None => Err(format!("the script returns a {kind}, which is no value")),
        }
    }

    /// A part of a document that was given is that node again; any other is copied.
    fn part(&self, part: &Part) -> Value<'d> {
        let same = |node: &Node<'d>| std::ptr::eq(node.document().text(), part.document.text());
        match self.given.iter().find_map(|value| find(value, &same)) {
            Some(node) => Value::Node(node.document().node(part.id)),
            None => Value::Node(part.node()).into_owned(),
        }
    }
}

fn find<'d>(value: &Value<'d>, same: &impl Fn(&Node<'d>) -> bool) -> Option<Node<'d>> {
    match value {
        Value::Node(node) if same(node) => Some(*node),
        Value::Array(elements) => elements.iter().find_map(|element| find(element, same)),
        Value::Object(members) => members.iter().find_map(|(_, member)| find(member, same)),
        _ => None,
    }
}

/// The innermost error and its place: inside a function the outer one only tells of the call.
pub(super) fn innermost(error: &EvalAltResult) -> (&EvalAltResult, Option<&str>) {
    let (mut error, mut function) = (error, None);
    while let EvalAltResult::ErrorInFunctionCall(name, _, inner, _) = error {
        function = Some(name.as_str());
        error = inner;
    }
    (error, function)
}
