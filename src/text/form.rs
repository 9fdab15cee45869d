//! What a kind of file may hold, as data: for editors, which read it as a JSON Schema.
//!
//! A [`Form`] is to an editor what a reader over [`super::yaml::Fields`] is to the program. The two are held
//! together by a test (`cli/schema.rs`): every key that a reader asks for stands in the form of what it reads, and
//! the other way round. A form says less than a reader: what depends on other files is left to `segue check`.

use serde_json::{Map, Value, json};

/// The schema language that is written.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// One mapping of a file.
#[derive(Debug, Clone)]
pub struct Form {
    /// Its name among the forms of one schema.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// Its keys, in the order in which they are usually written.
    pub keys: Vec<Key>,
    /// What stands under keys of the author's own; none: there are no others.
    pub others: Option<Kind>,
    /// Of each of these lists exactly one key stands there.
    pub one_of: Vec<&'static [&'static str]>,
    /// Of each of these lists at least one key stands there.
    pub any_of: Vec<&'static [&'static str]>,
}

/// One key of a form.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it says, for whoever writes it.
    pub about: String,
    /// What stands there.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
}

/// What may stand under a key.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text, quoted or not.
    Text,
    /// One of these words.
    Words(Vec<String>),
    /// A text that this regular expression fits.
    Pattern(String),
    /// `true` or `false`.
    Boolean,
    /// A whole number from the first to the second.
    Integer(u64, u64),
    /// A mapping of this form.
    Is(&'static str),
    /// A list.
    List(Box<Kind>),
    /// A list that is not empty.
    Some(Box<Kind>),
    /// A mapping with keys of the author's own.
    Named(Box<Kind>),
    /// Any of these.
    Either(Vec<Kind>),
    /// Nothing written.
    Nothing,
    /// Whatever the author wants.
    Any,
    /// Known, and refused by this version.
    Later,
}

impl Form {
    /// A form without keys yet.
    pub fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, keys: Vec::new(), others: None, one_of: Vec::new(), any_of: Vec::new() }
    }

    /// The same with a key more.
    #[must_use]
    pub fn may(mut self, name: &'static str, kind: Kind, about: impl Into<String>) -> Self {
        self.keys.push(Key { name, about: about.into(), kind, required: false });
        self
    }

    /// The same with a key more that must be there.
    #[must_use]
    pub fn must(mut self, name: &'static str, kind: Kind, about: impl Into<String>) -> Self {
        self.keys.push(Key { name, about: about.into(), kind, required: true });
        self
    }

    /// The same with keys that this version refuses.
    #[must_use]
    pub fn later(self, names: &[&'static str]) -> Self {
        let about = "Part of the language, not available in this version.";
        names.iter().fold(self, |form, name| form.may(name, Kind::Later, about))
    }

    /// The same with keys of the author's own.
    #[must_use]
    pub fn others(self, kind: Kind) -> Self {
        Self { others: Some(kind), ..self }
    }

    /// The same, with exactly one of these keys.
    #[must_use]
    pub fn one_of(mut self, names: &'static [&'static str]) -> Self {
        self.one_of.push(names);
        self
    }

    /// The same, with at least one of these keys.
    #[must_use]
    pub fn any_of(mut self, names: &'static [&'static str]) -> Self {
        self.any_of.push(names);
        self
    }
}

impl Kind {
    /// One of some words.
    pub fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self::Words(words.into_iter().map(str::to_owned).collect())
    }

    /// A list of these.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// One of these, or a list of them.
    #[must_use]
    pub fn or_list(self) -> Self {
        Self::Either(vec![self.clone(), self.list()])
    }

    /// A mapping of names to these.
    #[must_use]
    pub fn named(self) -> Self {
        Self::Named(Box::new(self))
    }

    /// A mapping of a form, or nothing but comments.
    pub fn section(form: &'static str) -> Self {
        Self::Either(vec![Self::Is(form), Self::Nothing])
    }
}

/// What a file is: the first of these that has any of the keys; a form without keys takes what is left.
pub type Choice = (&'static [&'static str], &'static str);

/// The JSON Schema (2020-12) of files that are any of `choices`, with their forms under `$defs`.
#[must_use]
pub fn schema(title: &str, about: &str, choices: &[Choice], forms: &[Form]) -> Value {
    let definitions: Map<String, Value> =
        forms.iter().map(|form| (form.name.to_owned(), definition(form))).collect();
    let mut value = json!({ "$schema": DIALECT, "title": title, "description": about, "type": "object" });
    if let Some(object) = value.as_object_mut() {
        object.append(&mut chosen(choices));
        object.insert("$defs".to_owned(), Value::Object(definitions));
    }
    value
}

/// `if` one has the keys of a choice, `then` it is that, `else` the others are asked.
fn chosen(choices: &[Choice]) -> Map<String, Value> {
    let Some(((keys, form), rest)) = choices.split_first() else { return Map::new() };
    let then = json!({ "$ref": format!("#/$defs/{form}") });
    let value = if keys.is_empty() {
        then
    } else {
        json!({ "if": any_required(keys), "then": then, "else": chosen(rest) })
    };
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn any_required(keys: &[&str]) -> Value {
    let required: Vec<Value> = keys.iter().map(|key| json!({ "required": [key] })).collect();
    json!({ "anyOf": required })
}

fn definition(form: &Form) -> Value {
    let properties: Map<String, Value> = form
        .keys
        .iter()
        .map(|key| {
            let mut value = of(&key.kind);
            if let Some(object) = value.as_object_mut() {
                object.insert("description".to_owned(), key.about.clone().into());
            }
            (key.name.to_owned(), value)
        })
        .collect();
    let others = form.others.as_ref().map_or(Value::Bool(false), of);
    let mut value = json!({
        "type": "object",
        "description": form.about,
        "properties": properties,
        "additionalProperties": others,
    });
    let required: Vec<&str> = form.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let one_of = form.one_of.iter().map(|keys| {
        let each: Vec<Value> = keys.iter().map(|key| json!({ "required": [key] })).collect();
        json!({ "oneOf": each })
    });
    let all: Vec<Value> = one_of.chain(form.any_of.iter().map(|keys| any_required(keys))).collect();
    if let Some(object) = value.as_object_mut() {
        if !required.is_empty() {
            object.insert("required".to_owned(), required.into());
        }
        if !all.is_empty() {
            object.insert("allOf".to_owned(), all.into());
        }
    }
    value
}

/// An editor types scalars as YAML does; the program reads all of them as texts.
fn of(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": [ "string", "number", "boolean" ] }),
        Kind::Words(words) => {
            json!({ "enum": words.iter().flat_map(|word| typed(word)).collect::<Vec<_>>() })
        }
        Kind::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Is(form) => json!({ "$ref": format!("#/$defs/{form}") }),
        Kind::List(of_each) => json!({ "type": "array", "items": of(of_each) }),
        Kind::Some(of_each) => json!({ "type": "array", "items": of(of_each), "minItems": 1 }),
        Kind::Named(of_each) => json!({ "type": "object", "additionalProperties": of(of_each) }),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(of).collect::<Vec<_>>() }),
        Kind::Nothing => json!({ "type": "null" }),
        Kind::Any => json!({}),
        Kind::Later => json!({ "not": {}, "deprecated": true }),
    }
}

/// A word, quoted and as YAML types it without quotes, where that is something else: `1.1` is a number then.
fn typed(word: &str) -> Vec<Value> {
    let bare = match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => {
            let number = word.parse::<f64>().ok();
            number.filter(|_| word.starts_with(|c: char| c.is_ascii_digit())).map(|number| json!(number))
        }
    };
    std::iter::once(word.into()).chain(bare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_choice_that_fits_is_taken() {
        let forms = [
            Form::new("a", "An a.").must("x", Kind::Boolean, "Whether."),
            Form::new("b", "A b.").others(Kind::Text),
        ];
        let schema = schema("t", "d", &[(&["x"], "a"), (&[], "b")], &forms);
        let check = jsonschema::draft202012::new(&schema).unwrap();
        for (text, good) in [
            (r#"{ "x": true }"#, true),
            (r#"{ "x": 1 }"#, false),
            (r#"{ "x": true, "y": 1 }"#, false),
            (r#"{ "y": 1 }"#, true),
            (r#"{ "y": [] }"#, false),
            ("[]", false),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(check.is_valid(&value), good, "{text}");
        }
    }

    #[test]
    fn words_are_typed_as_yaml_types_them() {
        let words = of(&Kind::words(["true", "1.1", "V2"]));
        assert_eq!(words, json!({ "enum": ["true", true, "1.1", 1.1, "V2"] }));
    }

    #[test]
    fn one_key_of_some() {
        let forms =
            [Form::new("a", "An a.").may("x", Kind::Text, "").may("y", Kind::Text, "").one_of(&["x", "y"])];
        let schema = schema("t", "d", &[(&[], "a")], &forms);
        let check = jsonschema::draft202012::new(&schema).unwrap();
        for (text, good) in [("{}", false), (r#"{"x":"1"}"#, true), (r#"{"x":"1","y":"1"}"#, false)] {
            assert_eq!(check.is_valid(&serde_json::from_str(text).unwrap()), good, "{text}");
        }
    }
}
