//! A document in the making, with what is claimed of each of its values.

use crate::{
    json::{Builder, Document},
    mapping::{
        path::{Anchor, FieldPath, Literal, Part, Step, Term},
        value::Value,
    },
};

/// One step to a part of a [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Seg {
    /// A member.
    Name(Box<str>),
    /// An element.
    At(usize),
}

/// A value and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub value: Value<'static>,
    /// What has to come back: the value, or its canonical form.
    pub expected: Value<'static>,
    /// The claim that it will; none: nothing is claimed.
    pub claim: Option<usize>,
    /// Whether conditions, keys or joins need it as it is.
    pub is_pinned: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Tree {
    Leaf(Leaf),
    Object(Vec<(Box<str>, Tree)>),
    Array {
        elements: Vec<Tree>,
        /// Whether elements are told apart by their members, so that their order says nothing.
        is_set: bool,
    },
}

impl Leaf {
    pub fn new(value: Value<'static>, claim: Option<usize>) -> Self {
        Self { expected: value.clone(), value, claim, is_pinned: false }
    }

    pub fn pinned(value: Value<'static>, claim: Option<usize>) -> Self {
        Self { is_pinned: true, ..Self::new(value, claim) }
    }
}

/// The value of a constant.
pub(super) fn literal(literal: &Literal) -> Value<'static> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(truth) => Value::Bool(*truth),
        Literal::Number(text) => Value::Number(text.to_string().into()),
        Literal::Text(text) => Value::text(text.to_string()),
        Literal::EmptyArray => Value::Array(Vec::new()),
        Literal::EmptyObject => Value::Object(Vec::new()),
    }
}

/// A pointer as RFC 6901 has it.
pub(super) fn pointer(place: &[Seg]) -> String {
    let mut text = String::new();
    for seg in place {
        match seg {
            Seg::Name(name) => crate::mapping::path::push_token(&mut text, name),
            Seg::At(index) => crate::mapping::path::push_token(&mut text, &index.to_string()),
        }
    }
    text
}

/// Member names only, joined by dots behind `$`.
pub(super) fn names(place: &[Seg]) -> String {
    place.iter().fold(String::from("$"), |text, seg| match seg {
        Seg::Name(name) => format!("{text}.{name}"),
        Seg::At(_) => text,
    })
}

pub(super) fn joined(place: &[Seg], more: Seg) -> Vec<Seg> {
    place.iter().cloned().chain([more]).collect()
}

impl Tree {
    pub fn object() -> Self {
        Self::Object(Vec::new())
    }

    pub fn get(&self, place: &[Seg]) -> Option<&Self> {
        place.iter().try_fold(self, |tree, seg| match (tree, seg) {
            (Self::Object(members), Seg::Name(name)) => {
                members.iter().find(|(own, _)| own == name).map(|(_, tree)| tree)
            }
            (Self::Array { elements, .. }, Seg::At(index)) => elements.get(*index),
            _ => None,
        })
    }

    pub fn get_mut(&mut self, place: &[Seg]) -> Option<&mut Self> {
        place.iter().try_fold(self, |tree, seg| match (tree, seg) {
            (Self::Object(members), Seg::Name(name)) => {
                members.iter_mut().find(|(own, _)| own == name).map(|(_, tree)| tree)
            }
            (Self::Array { elements, .. }, Seg::At(index)) => elements.get_mut(*index),
            _ => None,
        })
    }

    /// Puts something where nothing is, or in the place of what is there. False where the place cannot be.
    pub fn put(&mut self, place: &[Seg], tree: Self) -> bool {
        if let Some(there) = self.get_mut(place) {
            *there = tree;
            return true;
        }
        let Some((last, above)) = place.split_last() else { return false };
        match (self.get_mut(above), last) {
            (Some(Self::Object(members)), Seg::Name(name)) => members.push((name.clone(), tree)),
            (Some(Self::Array { elements, .. }), Seg::At(index)) if *index == elements.len() => {
                elements.push(tree);
            }
            _ => return false,
        }
        true
    }

    pub fn remove(&mut self, place: &[Seg]) -> Option<Self> {
        let (last, above) = place.split_last()?;
        match (self.get_mut(above)?, last) {
            (Self::Object(members), Seg::Name(name)) => {
                let at = members.iter().position(|(own, _)| own == name)?;
                Some(members.remove(at).1)
            }
            (Self::Array { elements, .. }, Seg::At(index)) if *index < elements.len() => {
                Some(elements.remove(*index))
            }
            _ => None,
        }
    }

    /// The container at a place, made where nothing is. False where something else is.
    pub fn open(&mut self, place: &[Seg], empty: Self) -> bool {
        match self.get(place) {
            Some(there) => std::mem::discriminant(there) == std::mem::discriminant(&empty),
            None => self.put(place, empty),
        }
    }

    /// The place of a path from a scope. What is on the way is made, the last step is not, unless it is keyed.
    /// None where something else stands in the way.
    pub fn locate(&mut self, scope: &[Seg], path: &FieldPath) -> Option<Vec<Seg>> {
        if path.part != Part::Body {
            return None;
        }
        let mut place = match path.anchor {
            Anchor::Scope => scope.to_vec(),
            Anchor::Root => Vec::new(),
        };
        for step in path.steps.iter() {
            let array = || Self::Array { elements: Vec::new(), is_set: false };
            match step {
                Step::Member(name) => {
                    if !self.open(&place, Self::object()) {
                        return None;
                    }
                    place.push(Seg::Name((**name).into()));
                }
                Step::Index(index) => {
                    if !self.open(&place, array()) || self.len(&place) < *index {
                        return None;
                    }
                    place.push(Seg::At(*index));
                }
                Step::Keyed(terms) => {
                    if !self.open(&place, array()) {
                        return None;
                    }
                    place = self.keyed(&place, terms)?;
                }
            }
        }
        Some(place)
    }

    fn keyed(&mut self, place: &[Seg], terms: &[Term]) -> Option<Vec<Seg>> {
        let length = self.len(place);
        let matches = |tree: &Self, index: usize| {
            terms.iter().all(|term| {
                let mut at = joined(place, Seg::At(index));
                at.extend(term.members.iter().map(|name| Seg::Name((**name).into())));
                matches!(tree.get(&at), Some(Self::Leaf(leaf)) if leaf.value.same(&literal(&term.value)))
            })
        };
        if let Some(index) = (0..length).find(|index| matches(self, *index)) {
            return Some(joined(place, Seg::At(index)));
        }
        let element = joined(place, Seg::At(length));
        self.put(&element, Self::object());
        for term in terms {
            let mut at = element.clone();
            for name in &term.members {
                if !self.open(&at, Self::object()) {
                    return None;
                }
                at.push(Seg::Name((**name).into()));
            }
            self.put(&at, Self::Leaf(Leaf::pinned(literal(&term.value), None)));
        }
        if let Some(Self::Array { is_set, .. }) = self.get_mut(place) {
            *is_set = true;
        }
        Some(element)
    }

    pub fn len(&self, place: &[Seg]) -> usize {
        match self.get(place) {
            Some(Self::Array { elements, .. }) => elements.len(),
            Some(Self::Object(members)) => members.len(),
            _ => 0,
        }
    }

    /// Every leaf below, with its place.
    pub fn leaves(&self) -> Vec<(Vec<Seg>, &Leaf)> {
        let mut found = Vec::new();
        self.walk(&mut Vec::new(), &mut |place, tree| {
            if let Self::Leaf(leaf) = tree {
                found.push((place.to_vec(), leaf));
            }
        });
        found
    }

    /// Every part, containers before what is in them.
    pub fn walk<'t>(&'t self, place: &mut Vec<Seg>, visit: &mut impl FnMut(&[Seg], &'t Self)) {
        visit(place, self);
        match self {
            Self::Leaf(_) => {}
            Self::Object(members) => {
                for (name, tree) in members {
                    place.push(Seg::Name(name.clone()));
                    tree.walk(place, visit);
                    place.pop();
                }
            }
            Self::Array { elements, .. } => {
                for (index, tree) in elements.iter().enumerate() {
                    place.push(Seg::At(index));
                    tree.walk(place, visit);
                    place.pop();
                }
            }
        }
    }

    /// Whether some leaf in it fits.
    pub fn any(&self, fits: &mut dyn FnMut(&Leaf) -> bool) -> bool {
        match self {
            Self::Leaf(leaf) => fits(leaf),
            Self::Object(members) => members.iter().any(|(_, tree)| tree.any(fits)),
            Self::Array { elements, .. } => elements.iter().any(|tree| tree.any(fits)),
        }
    }

    /// Takes out containers that nothing was put into.
    pub fn prune(&mut self) -> bool {
        match self {
            Self::Leaf(_) => true,
            Self::Object(members) => {
                members.retain_mut(|(_, tree)| tree.prune());
                !members.is_empty()
            }
            Self::Array { elements, .. } => {
                elements.retain_mut(Self::prune);
                !elements.is_empty()
            }
        }
    }

    pub fn value(&self) -> Value<'static> {
        match self {
            Self::Leaf(leaf) => leaf.value.clone(),
            Self::Object(members) => Value::Object(
                members.iter().map(|(name, tree)| (name.to_string().into(), tree.value())).collect(),
            ),
            Self::Array { elements, .. } => Value::Array(elements.iter().map(Self::value).collect()),
        }
    }

    pub fn document(&self) -> Document {
        document(self.value())
    }
}

/// A document of a value.
pub(super) fn document(value: Value<'static>) -> Document {
    let mut builder = Builder::new();
    let root = value.build(&mut builder);
    builder.finish(root)
}
