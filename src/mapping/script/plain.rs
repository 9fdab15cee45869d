//! Scripts that only name a value, such as `facts.settings.currency`: followed without the engine.
//!
//! Only what needs no thought is answered here: a text that is there. Whatever else stands at the end or on the way,
//! absent values and numbers included, is left to the engine, whose rules hold.

use super::{Call, compile, limits, scan::Token};
use crate::{json::Node, mapping::value::Value};

/// A name and the properties behind it.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    root: Root,
    properties: Box<[Box<str>]>,
}

#[derive(Debug, Clone, Copy)]
enum Root {
    Input(usize),
    Value,
    Facts,
}

impl Plain {
    /// What the tokens name, if that is all they do.
    pub(super) fn of(tokens: &[(usize, Token<'_>)], inputs: &[&str]) -> Option<Self> {
        let mut tokens = tokens.iter().map(|(_, token)| *token);
        let Token::Word(name) = tokens.next()? else { return None };
        let root = match name {
            compile::VALUE => Root::Value,
            compile::FACTS => Root::Facts,
            name => Root::Input(inputs.iter().position(|input| *input == name)?),
        };
        let mut properties = Vec::new();
        while let Some(token) = tokens.next() {
            let (Token::Sign('.'), Some(Token::Word(property))) = (token, tokens.next()) else { return None };
            properties.push(property.into());
        }
        Some(Self { root, properties: properties.into() })
    }

    /// The text that stands there.
    pub(super) fn text<'d>(&self, call: Call<'_, 'd>) -> Option<Value<'d>> {
        let root = match self.root {
            Root::Input(place) => call.inputs.get(place)?,
            Root::Value => call.value,
            Root::Facts => call.facts,
        };
        let text = follow(root, &self.properties)?;
        (text.len() <= limits::TEXT_BYTES_MAX).then_some(Value::Text(text))
    }
}

fn follow<'d>(value: &Value<'d>, properties: &[Box<str>]) -> Option<std::borrow::Cow<'d, str>> {
    match (value, properties.split_first()) {
        (Value::Node(node), _) => {
            let mut names = properties.iter().map(AsRef::as_ref);
            names.try_fold(*node, |node: Node<'d>, name: &str| node.get(name))?.as_str()
        }
        (Value::Object(members), Some((name, rest))) if members.len() <= limits::MAP_MEMBERS_MAX => {
            follow(&members.iter().rev().find(|(own, _)| **own == **name)?.1, rest)
        }
        (Value::Text(text), None) => Some(text.clone()),
        _ => None,
    }
}
