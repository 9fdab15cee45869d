//! Writing places of the target: finding or creating what leads there, and taking back what was in vain.

use super::run::{Run, Trouble, Wrote};
use crate::json::{Kind, Name, Slot, number};
use crate::mapping::path::{Anchor, FieldPath, Literal, Part, Step, Term, push_token};
use crate::mapping::program::Constant;
use crate::mapping::value::Value;

/// What is written: the scope of a rule on the target side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'t> {
    pub slot: Slot,
    /// Its JSON Pointer while tracing; else empty.
    pub pointer: &'t str,
}

/// The outermost thing that writing one place brought into being.
#[derive(Clone, Copy, Debug)]
pub(super) enum Created<'m> {
    Member { object: Slot, name: &'m Name },
    LastElement { array: Slot },
}

/// What a place must hold for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Object,
    Array,
}

impl Container {
    #[inline]
    fn for_step(step: &Step) -> Self {
        match step {
            Step::Member(_) => Self::Object,
            Step::Index(_) | Step::Keyed(_) => Self::Array,
        }
    }

    #[inline]
    fn kind(self) -> Kind {
        match self {
            Self::Object => Kind::Object,
            Self::Array => Kind::Array,
        }
    }
}

impl<'m> Run<'m> {
    /// What a scope's slot stands for by now.
    #[inline]
    pub fn current(&self, slot: Slot) -> Slot {
        if self.replaced.is_empty() {
            return slot;
        }
        // Nearly always empty: only rules with target `.` that write a value fill it.
        self.replaced.iter().rev().find(|(scope, _)| *scope == slot).map_or(slot, |(_, with)| *with)
    }

    /// Opens the object or array at a path, creating what is missing on the way.
    pub fn open(
        &mut self,
        target: Target<'_>,
        path: &'m FieldPath,
        container: Container,
    ) -> Result<Slot, Trouble<'m>> {
        let scope = if path.anchor == Anchor::Root { self.root } else { target.slot };
        let mut at = self.current(scope);
        if path.steps.is_empty() {
            if self.builder.kind(at) == container.kind() {
                return Ok(at);
            }
            // A scope begins as an object; one that nothing was written to may become an array.
            if container == Container::Object || !self.builder.is_empty(at) {
                return Err(conflict(path));
            }
            at = self.make(container)?;
            self.replaced.push((scope, at));
            return Ok(at);
        }
        let mut fresh = true;
        for (index, step) in path.steps.iter().enumerate() {
            let next = path.steps.get(index + 1).map_or(container, Container::for_step);
            at = self
                .enter(at, step, next, &mut fresh)
                .map_err(|trouble| trouble.unwrap_or_else(|| conflict(path)))?;
        }
        Ok(at)
    }

    /// One step of [`Run::open`]. `fresh` is true until something was created. No trouble: a conflict.
    fn enter(
        &mut self,
        at: Slot,
        step: &'m Step,
        next: Container,
        fresh: &mut bool,
    ) -> Result<Slot, Option<Trouble<'m>>> {
        if let Step::Member(name) = step {
            return self.enter_member(at, name, next, fresh);
        }
        if self.builder.kind(at) != Kind::Array {
            return Err(None);
        }
        let (found, created) = match step {
            Step::Member(_) => return Err(None),
            Step::Index(index) => {
                if *index > self.builder.len(at) {
                    return Err(Some(Trouble::mapping(format!(
                        "element {index} is written before those below it"
                    ))));
                }
                (self.builder.at(at, *index), Created::LastElement { array: at })
            }
            Step::Keyed(terms) => {
                (self.find_keyed(at, terms).map_err(Some)?, Created::LastElement { array: at })
            }
        };
        if let Some(slot) = found {
            return if self.builder.kind(slot) == next.kind() { Ok(slot) } else { Err(None) };
        }
        let slot = self.make(next).map_err(Some)?;
        if let Step::Keyed(terms) = step {
            if next == Container::Array {
                return Err(None);
            }
            self.terms(terms, slot).map_err(Some)?;
        }
        self.builder.push(at, slot);
        if std::mem::take(fresh) {
            self.created.push(created);
        }
        Ok(slot)
    }

    /// A step by the name of a member, which most are.
    fn enter_member(
        &mut self,
        at: Slot,
        name: &'m Name,
        next: Container,
        fresh: &mut bool,
    ) -> Result<Slot, Option<Trouble<'m>>> {
        if let Some(slot) = self.builder.get_known(at, name) {
            return if self.builder.kind(slot) == next.kind() { Ok(slot) } else { Err(None) };
        }
        let slot = self.make(next).map_err(Some)?;
        if self.builder.set_known(at, name, slot).is_none() {
            return Err(None);
        }
        if std::mem::take(fresh) {
            self.created.push(Created::Member { object: at, name });
        }
        Ok(slot)
    }

    fn make(&mut self, container: Container) -> Result<Slot, Trouble<'m>> {
        self.count_value()?;
        Ok(match container {
            Container::Object => self.builder.object(),
            Container::Array => self.builder.array(),
        })
    }

    /// Writes a value at a path of the body.
    pub fn put(&mut self, target: Target<'_>, path: &'m FieldPath, value: Slot) -> Result<(), Trouble<'m>> {
        self.count_value()?;
        let scope = if path.anchor == Anchor::Root { self.root } else { target.slot };
        let Some((last, leading)) = path.steps.split_last() else {
            self.replaced.push((scope, value));
            return Ok(());
        };
        let mut at = self.current(scope);
        let mut fresh = true;
        let mut steps = leading.iter().peekable();
        while let Some(step) = steps.next() {
            let next = Container::for_step(steps.peek().copied().unwrap_or(last));
            at = self
                .enter(at, step, next, &mut fresh)
                .map_err(|trouble| trouble.unwrap_or_else(|| conflict(path)))?;
        }
        if let Step::Member(name) = last {
            match self.builder.set_known(at, name, value) {
                Some(true) if fresh => self.created.push(Created::Member { object: at, name }),
                Some(_) => {}
                None => return Err(conflict(path)),
            }
            return Ok(());
        }
        if self.builder.kind(at) != Kind::Array {
            return Err(conflict(path));
        }
        let created = match last {
            Step::Member(_) => None,
            Step::Index(index) => self.put_element(at, *index, value)?,
            Step::Keyed(terms) => {
                let index = self.keyed_index(at, terms)?.unwrap_or(self.builder.len(at));
                if self.builder.kind(value) != Kind::Object {
                    return Err(conflict(path));
                }
                self.terms(terms, value)?;
                self.put_element(at, index, value)?
            }
        };
        if let Some(created) = created
            && fresh
        {
            self.created.push(created);
        }
        Ok(())
    }

    fn put_element(
        &mut self,
        array: Slot,
        index: usize,
        value: Slot,
    ) -> Result<Option<Created<'m>>, Trouble<'m>> {
        if self.builder.replace(array, index, value) {
            return Ok(None);
        }
        if index != self.builder.len(array) {
            return Err(Trouble::mapping(format!("element {index} is written before those below it")));
        }
        self.builder.push(array, value);
        Ok(Some(Created::LastElement { array }))
    }

    /// Writes terms into an object.
    pub fn terms(&mut self, terms: &'m [Term], object: Slot) -> Result<(), Trouble<'m>> {
        let object = self.current(object);
        for term in terms {
            let Some((last, leading)) = term.members.split_last() else { continue };
            let mut at = object;
            let mut fresh = true;
            for name in leading {
                at = if let Some(slot) = self.builder.get_known(at, name) {
                    slot
                } else {
                    let slot = self.make(Container::Object)?;
                    self.builder.set_known(at, name, slot);
                    if std::mem::take(&mut fresh) {
                        self.created.push(Created::Member { object: at, name });
                    }
                    slot
                };
            }
            self.count_value()?;
            let value = self.literal(&term.value);
            let Some(is_new) = self.builder.set_known(at, last, value) else {
                return Err(Trouble::mapping(format!(
                    "`{last}` cannot be written: something else stands there"
                )));
            };
            if fresh && is_new {
                self.created.push(Created::Member { object: at, name: last });
            }
        }
        Ok(())
    }

    pub fn literal(&mut self, literal: &'m Literal) -> Slot {
        match literal {
            Literal::Null => self.builder.null(),
            Literal::Bool(value) => self.builder.boolean(*value),
            Literal::Number(text) => self.builder.number(&**text),
            Literal::Text(text) => self.builder.string(&**text),
            Literal::EmptyArray => self.builder.array(),
            Literal::EmptyObject => self.builder.object(),
        }
    }

    fn find_keyed(&mut self, array: Slot, terms: &'m [Term]) -> Result<Option<Slot>, Trouble<'m>> {
        Ok(self.keyed_index(array, terms)?.and_then(|index| self.builder.at(array, index)))
    }

    fn keyed_index(&mut self, array: Slot, terms: &'m [Term]) -> Result<Option<usize>, Trouble<'m>> {
        self.count_comparisons(self.builder.len(array))?;
        for index in 0..self.builder.len(array) {
            let Some(element) = self.builder.at(array, index) else { break };
            if terms.iter().all(|term| self.has_term(element, term)) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn has_term(&mut self, element: Slot, term: &Term) -> bool {
        let found = term.members.iter().try_fold(element, |at, name| self.builder.get(at, name));
        let Some(slot) = found else { return false };
        match &term.value {
            Literal::Null => self.builder.kind(slot) == Kind::Null,
            Literal::Bool(value) => self.builder.bool_value(slot) == Some(*value),
            Literal::Number(text) => {
                self.builder.number_text(slot).is_some_and(|own| number::equal(own, text))
            }
            Literal::Text(text) => self.builder.text(slot).is_some_and(|own| *own == **text),
            Literal::EmptyArray => self.builder.kind(slot) == Kind::Array && self.builder.is_empty(slot),
            Literal::EmptyObject => self.builder.kind(slot) == Kind::Object && self.builder.is_empty(slot),
        }
    }

    /// What has been written at a path, if anything.
    pub fn written(&mut self, target: Target<'_>, path: &FieldPath) -> Option<Slot> {
        let scope = if path.anchor == Anchor::Root { self.root } else { target.slot };
        path.steps.iter().try_fold(self.current(scope), |at, step| match step {
            Step::Member(name) => self.builder.get_known(at, name),
            Step::Index(index) => self.builder.at(at, *index),
            Step::Keyed(_) => None,
        })
    }

    /// Closes a group: keeps what it created if it wrote from the message, else takes it all back.
    #[inline]
    pub fn close(&mut self, mark: usize, rows: usize, wrote: Wrote) -> Wrote {
        if wrote == Wrote::Message {
            self.created.truncate(mark);
            return wrote;
        }
        self.take_back(mark, rows);
        Wrote::Nothing
    }

    fn take_back(&mut self, mark: usize, rows: usize) {
        while self.created.len() > mark {
            match self.created.pop() {
                Some(Created::Member { object, name }) => drop(self.builder.remove(object, name)),
                Some(Created::LastElement { array }) => {
                    let last = self.builder.len(array).saturating_sub(1);
                    self.builder.remove_at(array, last);
                }
                None => break,
            }
        }
        self.unmark(rows);
    }

    /// A constant as a value.
    pub fn constant(constant: &'m Constant) -> Value<'m> {
        match constant {
            Constant::Document(document) => Value::Node(document.root()),
            Constant::Literal(literal) => Self::literal_value(literal),
        }
    }

    pub fn literal_value(literal: &'m Literal) -> Value<'m> {
        match literal {
            Literal::Null => Value::Null,
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Number(text) => Value::Number((&**text).into()),
            Literal::Text(text) => Value::Text((&**text).into()),
            Literal::EmptyArray => Value::Array(Vec::new()),
            Literal::EmptyObject => Value::Object(Vec::new()),
        }
    }

    /// The JSON Pointer of a place that is or was to be written; empty unless tracing.
    pub fn target_pointer(&mut self, target: Target<'_>, path: &'m FieldPath) -> String {
        if self.trace.is_none() {
            return String::new();
        }
        let root = path.anchor == Anchor::Root;
        let mut pointer = if root { String::new() } else { target.pointer.to_owned() };
        let mut at = Some(self.current(if root { self.root } else { target.slot }));
        for step in path.steps.iter() {
            match step {
                Step::Member(name) => {
                    push_token(&mut pointer, name);
                    at = at.and_then(|at| self.builder.get(at, name));
                }
                Step::Index(index) => {
                    push_token(&mut pointer, &index.to_string());
                    at = at.and_then(|at| self.builder.at(at, *index));
                }
                Step::Keyed(terms) => {
                    let index = at.and_then(|at| self.keyed_index(at, terms).ok().flatten());
                    let shown = index.map_or_else(|| "-".to_owned(), |index| index.to_string());
                    push_token(&mut pointer, &shown);
                    at = at.zip(index).and_then(|(at, index)| self.builder.at(at, index));
                }
            }
        }
        if path.part == Part::Body { pointer } else { super::run::place(path.part, &pointer) }
    }
}

fn conflict<'m>(path: &FieldPath) -> Trouble<'m> {
    Trouble::mapping(format!(
        "`{path}` cannot be written: another rule wrote something of another kind there"
    ))
}
