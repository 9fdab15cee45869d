//! Keys: how the elements of two arrays know each other.

use std::collections::HashSet;

use super::run::{Run, Scope, Trouble, read};
use crate::json::{Kind, Node, NodeId, Slot, number};
use crate::mapping::direction::Direction;
use crate::mapping::program::{Action, Each, FailureCode, Key, KeyForm, KeyGroupId, Rule};
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
    fn of(value: &Value<'_>) -> Option<Self> {
        match value.kind()? {
            Kind::String => value.as_text().map(|text| Self::Text((*text).into())),
            Kind::Number => value.as_number().map(|text| Self::Number(text.into())),
            _ => None,
        }
    }

    fn as_key(&self) -> KeyRef<'_> {
        match self {
            Self::Text(text) => KeyRef::Text(text.as_ref().into()),
            Self::Number(text) => KeyRef::Number(text.as_ref()),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text.as_ref().into()),
            Self::Number(text) => Value::Number(text.as_ref().into()),
        }
    }
}

/// A key that is compared: texts by content, numbers by exact value.
#[derive(Clone, Debug)]
enum KeyRef<'k> {
    Text(std::borrow::Cow<'k, str>),
    Number(&'k str),
}

impl<'k> KeyRef<'k> {
    fn of(node: Node<'k>) -> Option<Self> {
        match node.kind() {
            Kind::String => node.as_str().map(Self::Text),
            Kind::Number => node.number().map(Self::Number),
            _ => None,
        }
    }

    fn same(&self, other: &KeyRef<'_>) -> bool {
        match (self, other) {
            (Self::Text(left), KeyRef::Text(right)) => left == right,
            (Self::Number(left), KeyRef::Number(right)) => number::equal(left, right),
            _ => false,
        }
    }
}

/// The settled keys of one source array.
#[derive(Debug)]
pub(super) struct KeyTable<'m> {
    array: NodeId,
    /// One per source element, in its order.
    pub entries: Vec<KeyEntry<'m>>,
}

/// The keys of one element, and the target element that it has become.
#[derive(Debug)]
pub(super) struct KeyEntry<'m> {
    pub source: Option<Node<'m>>,
    /// None where settling failed, which has been told.
    pub target: Option<Value<'m>>,
    pub slot: Option<Slot>,
}

impl<'m> Run<'m> {
    /// Settles the keys of all elements of an array, unless a group over the same array has done so.
    pub fn settle(
        &mut self,
        rule: &'m Rule,
        each: &'m Each,
        key: &'m Key,
        array: Node<'m>,
        scope: Scope<'m>,
    ) {
        let group = usize::from(key.group.0);
        if self.keys.get(group).and_then(Option::as_ref).is_some_and(|table| table.array == array.id()) {
            return;
        }
        let mut seen = Seen::default();
        let mut next = key.number.map(|number| self.first_number(key, number.start, number.step));
        let mut entries = Vec::with_capacity(array.len());
        for (index, element) in array.elements().enumerate() {
            let inner = scope.element(element, index);
            let (source, settled) = match Self::source_key(key, inner, &mut seen) {
                Ok(source) => (Some(source), self.target_key(key, source, &mut next)),
                Err(trouble) => (None, Err(trouble)),
            };
            let target = match settled {
                Ok(target) => Some(target),
                Err(trouble) => {
                    let at = (inner, Some(&key.source));
                    let target = super::target::Target { slot: self.root, pointer: "" };
                    self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&each.target), target));
                    None
                }
            };
            if let (true, Some(source), Some(target)) = (key.remember, source, &target) {
                self.remember(key, source, target);
            }
            entries.push(KeyEntry { source, target, slot: None });
            if self.is_exhausted() {
                break;
            }
        }
        if let Some(table) = self.keys.get_mut(group) {
            *table = Some(KeyTable { array: array.id(), entries });
        }
    }

    pub fn entry(&mut self, group: KeyGroupId, index: usize) -> Option<&mut KeyEntry<'m>> {
        self.keys.get_mut(usize::from(group.0))?.as_mut()?.entries.get_mut(index)
    }

    fn source_key(key: &'m Key, scope: Scope<'m>, seen: &mut Seen<'m>) -> Result<Node<'m>, Trouble<'m>> {
        let node = read(&key.source, scope)?.filter(|node| !node.is_null());
        let Some(node) = node else {
            return Err(Trouble::sender(FailureCode::MissingProperty, "the key of the element is missing"));
        };
        match KeyRef::of(node).map(|own| seen.add(own)) {
            None => Err(Trouble::sender(FailureCode::InvalidValue, "a key is a text or a number").at(node)),
            Some(true) => Ok(node),
            Some(false) => {
                let message = format!("two elements have the key {}", Value::Node(node).excerpt());
                Err(Trouble::sender(FailureCode::InvalidValue, message).at(node))
            }
        }
    }

    fn target_key(
        &self,
        key: &'m Key,
        source: Node<'m>,
        next: &mut Option<Result<i64, Trouble<'m>>>,
    ) -> Result<Value<'m>, Trouble<'m>> {
        let mut any = false;
        let own = KeyRef::of(source);
        for (from, to) in self.remembered(key) {
            any = true;
            if own.as_ref().is_some_and(|own| own.same(&from.as_key())) {
                return Ok(to.value());
            }
        }
        if let (Some(number), Some(counter)) = (key.number, next.as_mut()) {
            let own = match counter {
                Ok(own) => *own,
                Err(_) => return Err(numbers_ran_out()),
            };
            *counter = own.checked_add(number.step).ok_or_else(numbers_ran_out);
            return Ok(Value::integer(own));
        }
        if any && key.remember {
            let message = format!("no element with the key {} is known", Value::Node(source).excerpt());
            return Err(Trouble::sender(FailureCode::InvalidValue, message).at(source));
        }
        match (key.form, source.kind()) {
            (KeyForm::Text, Kind::Number) => Ok(Value::Text(source.raw().into())),
            (KeyForm::Number, Kind::String) => {
                let text = source.as_str().unwrap_or_default();
                if number::is_number(&text) {
                    Ok(Value::Number(text))
                } else {
                    Err(Trouble::sender(FailureCode::InvalidValue, "the key is not a number").at(source))
                }
            }
            _ => Ok(Value::Node(source)),
        }
    }

    /// The remembered pairs of a key's group as (source, target).
    fn remembered(&self, key: &'m Key) -> impl Iterator<Item = (&'m KeyText, &'m KeyText)> + use<'m> {
        let name = self.program.key_groups.get(usize::from(key.group.0)).map(|name| &**name);
        let to_legacy = self.program.direction == Direction::ToLegacy;
        let pairs = self.input.remembered;
        pairs.iter().filter(move |pair| Some(&*pair.group) == name).map(move |pair| {
            if to_legacy { (&pair.sonata, &pair.legacy) } else { (&pair.legacy, &pair.sonata) }
        })
    }

    /// Where counting begins: after the largest remembered number, in the direction of the step.
    fn first_number(&self, key: &'m Key, start: i64, step: i64) -> Result<i64, Trouble<'m>> {
        let mut first = start;
        for (_, target) in self.remembered(key) {
            let KeyText::Number(text) = target else { continue };
            let Some(taken) = number::to_i64(text) else { continue };
            if (step > 0 && taken >= first) || (step < 0 && taken <= first) {
                first = taken.checked_add(step).ok_or_else(numbers_ran_out)?;
            }
        }
        Ok(first)
    }

    fn remember(&mut self, key: &'m Key, source: Node<'m>, target: &Value<'m>) {
        let own = KeyRef::of(source);
        let mut known = self.remembered(key);
        if known.any(|(from, _)| own.as_ref().is_some_and(|own| own.same(&from.as_key()))) {
            return;
        }
        let Some(group) = self.program.key_groups.get(usize::from(key.group.0)) else { return };
        let (Some(source), Some(target)) = (KeyText::of(&Value::Node(source)), KeyText::of(target)) else {
            return;
        };
        let (sonata, legacy) = match self.program.direction {
            Direction::ToLegacy => (source, target),
            Direction::ToSonata => (target, source),
        };
        self.applied.keys.push(KeyPair { group: group.clone(), sonata, legacy });
    }

    /// `key(group)`: the key on the other side of the element that has this key on the source side.
    pub fn sibling(&mut self, group: KeyGroupId, value: &Value<'m>) -> Result<Value<'m>, Trouble<'m>> {
        let at = usize::from(group.0);
        if self.keys.get(at).is_some_and(Option::is_none) {
            // Referred to before its own rule: settle it now, if it stands where its array can be found.
            self.settle_ahead(&self.program.rules, group, super::run::outermost(self.input));
        }
        let own = KeyText::of(value);
        let table = self.keys.get(at).and_then(Option::as_ref);
        let entries = table.map(|table| table.entries.as_slice()).unwrap_or_default();
        let len = entries.len();
        let found = own.as_ref().and_then(|own| {
            let own = own.as_key();
            let same = |entry: &&KeyEntry<'m>| {
                entry.source.and_then(KeyRef::of).is_some_and(|source| source.same(&own))
            };
            entries.iter().find(same).and_then(|entry| entry.target.clone())
        });
        self.count_comparisons(len)?;
        found.ok_or_else(|| {
            let message = format!("no element with the key {} is there", value.excerpt());
            Trouble::sender(FailureCode::InvalidValue, message)
        })
    }

    fn settle_ahead(&mut self, rules: &'m [Rule], group: KeyGroupId, scope: Scope<'m>) -> bool {
        for rule in rules {
            let done = match &rule.action {
                Action::Each(each) => match &each.key {
                    Some(key) if key.group == group => {
                        if let Ok(Some(array)) = read(&each.source, scope)
                            && array.is_array()
                        {
                            self.settle(rule, each, key, array, scope);
                        }
                        true
                    }
                    _ => false,
                },
                Action::Group(inner) => match read(&inner.source, scope) {
                    Ok(Some(node)) => self.settle_ahead(&inner.rules, group, scope.at(node)),
                    _ => false,
                },
                _ => false,
            };
            if done {
                return true;
            }
        }
        false
    }
}

fn numbers_ran_out<'m>() -> Trouble<'m> {
    Trouble::mapping("the numbers for keys have run out")
}

/// Keys met so far. Texts are looked up by hash, so that large arrays stay cheap; numbers, whose spelling may
/// differ, by their canonical integer where they have one.
#[derive(Default)]
struct Seen<'k> {
    few: Vec<KeyRef<'k>>,
    texts: HashSet<String>,
    integers: HashSet<i64>,
}

/// Up to here comparing all is cheaper than hashing.
const FEW: usize = 16;

impl<'k> Seen<'k> {
    /// False if the key was there already.
    fn add(&mut self, key: KeyRef<'k>) -> bool {
        if self.few.iter().any(|other| other.same(&key)) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(key);
            return true;
        }
        let integer = match &key {
            KeyRef::Text(text) => return self.texts.insert(text.clone().into_owned()),
            KeyRef::Number(text) => number::to_i64(text),
        };
        if let Some(integer) = integer {
            return self.integers.insert(integer);
        }
        // A number that is no integer is rare as a key; it is compared with all.
        self.few.push(key);
        true
    }
}
