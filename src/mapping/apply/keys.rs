//! Keys: how the elements of two arrays know each other.

use super::KeyText;
use super::index::{Bucket, Index};
use super::keypair::KeyPair;
use super::run::{Run, Scope, Trouble, read};
use crate::json::{Kind, Node, NodeId, Slot, number};
use crate::mapping::direction::Direction;
use crate::mapping::program::{Action, Each, FailureCode, Key, KeyForm, KeyGroupId, Numbering, Rule};
use crate::mapping::value::Value;

/// The settled keys of one source array.
#[derive(Debug)]
pub(super) struct KeyTable<'m> {
    array: NodeId,
    /// One per source element, in its order.
    pub entries: Vec<KeyEntry<'m>>,
    /// The entries by source key.
    index: Index<'m>,
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
        let known = Known::of(self.remembered(key));
        let mut next = key.number.map(|number| first_number(&known, number));
        let mut entries: Vec<KeyEntry<'m>> = Vec::with_capacity(array.len());
        let mut seen = Index::of(array.len());
        for (index, element) in array.elements().enumerate() {
            let inner = scope.element(element, index);
            let (source, settled) = match source_key(key, inner, (&seen, &entries)) {
                Ok(source) => (Some(source), target_key(key, source, &known, &mut next)),
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
            if let Some(source) = source {
                seen.add(|| Bucket::of(source), index);
                if let (true, Some(target), None) = (key.remember, &target, known.target(source)) {
                    self.remember(key, source, target);
                }
            }
            entries.push(KeyEntry { source, target, slot: None });
            if self.is_exhausted() {
                break;
            }
        }
        if let Some(table) = self.keys.get_mut(group) {
            *table = Some(KeyTable { array: array.id(), entries, index: seen });
        }
    }

    pub fn entry(&mut self, group: KeyGroupId, index: usize) -> Option<&mut KeyEntry<'m>> {
        self.keys.get_mut(usize::from(group.0))?.as_mut()?.entries.get_mut(index)
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

    fn remember(&mut self, key: &'m Key, source: Node<'m>, target: &Value<'m>) {
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
        let found = self.keys.get(at).and_then(Option::as_ref).and_then(|table| {
            let own = KeyText::of(value)?;
            let candidates = table.index.candidates(|| Bucket::of_value(value));
            let mut candidates = candidates.filter_map(|at| table.entries.get(at));
            let entry = candidates.find(|entry| entry.source.is_some_and(|source| own.is(source)))?;
            entry.target.clone()
        });
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

/// What is remembered for a group, from source key to target key.
struct Known<'m> {
    pairs: Vec<(&'m KeyText, &'m KeyText)>,
    index: Index<'m>,
}

impl<'m> Known<'m> {
    fn of(pairs: impl Iterator<Item = (&'m KeyText, &'m KeyText)>) -> Self {
        let pairs: Vec<_> = pairs.collect();
        let mut index = Index::of(pairs.len());
        for (place, (source, _)) in pairs.iter().enumerate() {
            let bucket = || match source {
                KeyText::Text(text) => Bucket::Text(text.as_ref().into()),
                KeyText::Number(text) => Bucket::of_number(text),
            };
            index.add(bucket, place);
        }
        Self { pairs, index }
    }

    fn target(&self, source: Node<'_>) -> Option<&'m KeyText> {
        let candidates = self.index.candidates(|| Bucket::of(source));
        let mut candidates = candidates.filter_map(|at| self.pairs.get(at));
        candidates.find(|(from, _)| from.is(source)).map(|(_, to)| *to).or_else(|| self.retold(source))
    }

    /// A number that comes back as a text, as all does in XML, or a text that comes back as a number.
    fn retold(&self, source: Node<'_>) -> Option<&'m KeyText> {
        if self.pairs.is_empty() {
            return None;
        }
        let text = source.as_str();
        let bucket = || match &text {
            Some(text) => Bucket::of_number(text),
            None => Bucket::Text(source.raw().into()),
        };
        let mut candidates = self.index.candidates(bucket).filter_map(|at| self.pairs.get(at));
        let same = |from: &KeyText| match (from, &text) {
            (KeyText::Number(known), Some(text)) => number::is_number(text) && number::equal(known, text),
            (KeyText::Text(known), None) => **known == *source.raw(),
            _ => false,
        };
        candidates.find(|(from, _)| same(from)).map(|(_, to)| *to)
    }
}

fn source_key<'m>(
    key: &'m Key,
    scope: Scope<'m>,
    (seen, entries): (&Index<'m>, &[KeyEntry<'m>]),
) -> Result<Node<'m>, Trouble<'m>> {
    let Some(node) = read(&key.source, scope)?.filter(|node| !node.is_null()) else {
        return Err(Trouble::sender(FailureCode::MissingProperty, "the key of the element is missing"));
    };
    if !matches!(node.kind(), Kind::String | Kind::Number) {
        return Err(Trouble::sender(FailureCode::InvalidValue, "a key is a text or a number").at(node));
    }
    let mut earlier = seen.candidates(|| Bucket::of(node)).filter_map(|at| entries.get(at)?.source);
    if earlier.any(|other| other.eq_value(node)) {
        let message = format!("two elements have the key {}", Value::Node(node).excerpt());
        return Err(Trouble::sender(FailureCode::InvalidValue, message).at(node));
    }
    Ok(node)
}

fn target_key<'m>(
    key: &'m Key,
    source: Node<'m>,
    known: &Known<'m>,
    next: &mut Option<Result<i64, Trouble<'m>>>,
) -> Result<Value<'m>, Trouble<'m>> {
    if let Some(target) = known.target(source) {
        return Ok(target.value());
    }
    if let (Some(number), Some(counter)) = (key.number, next.as_mut()) {
        let Ok(own) = *counter else { return Err(numbers_ran_out()) };
        *counter = own.checked_add(number.step).ok_or_else(numbers_ran_out);
        return Ok(Value::integer(own));
    }
    if key.remember && !known.pairs.is_empty() {
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

/// Where counting begins: after the largest remembered number, in the direction of the step.
fn first_number<'m>(known: &Known<'m>, Numbering { start, step }: Numbering) -> Result<i64, Trouble<'m>> {
    let mut first = start;
    for (_, target) in &known.pairs {
        let KeyText::Number(text) = target else { continue };
        let Some(taken) = number::to_i64(text) else { continue };
        if (step > 0 && taken >= first) || (step < 0 && taken <= first) {
            first = taken.checked_add(step).ok_or_else(numbers_ran_out)?;
        }
    }
    Ok(first)
}
