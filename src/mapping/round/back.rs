//! There and back: what is sent is made of a document, what comes back of that, and both are held against each other.

use super::{
    claims::Trimmed,
    fill::Filled,
    tree::{Leaf, Seg, Tree, joined, pointer},
};
use crate::{
    json::{Document, Kind, Node, number},
    mapping::{
        apply::{Applied, Failure, Fault, Input, KeyPair, References, apply, references},
        direction::Direction,
        program::Program,
        value::Value,
    },
};

/// Most values without counterpart that are taken out of one document.
const REFUSED_MAX: usize = 12;
/// What the id of an entity gets on the other side.
const FOREIGN: char = '~';

/// Something that did not come back as it went.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// Where it was in the document that was made up.
    pub place: Vec<Seg>,
    /// The claim that does not hold; [`super::TERM`] for what a condition writes; none where no single one is known.
    pub claim: Option<usize>,
    /// What went.
    pub sent: String,
    /// What came back.
    pub came: String,
    /// Whether elements went and did not come back.
    pub is_element: bool,
}

/// A document, what was made of it, and what came back.
#[derive(Debug)]
pub(super) struct Trip {
    pub between: Option<Document>,
    pub back: Option<Document>,
    pub differences: Vec<Difference>,
}

/// Why nothing was compared.
#[derive(Debug)]
pub(super) enum Refused {
    /// The values of these places have no counterpart.
    Values(Vec<Failure>),
    /// The mapping itself failed.
    Mapping(Failure),
}

/// What both ways have beside documents.
pub(super) struct Road<'r> {
    pub trimmed: &'r Trimmed,
    pub facts: &'r Value<'r>,
    /// Members to the array of whose elements one is the Sonata scope.
    pub base: &'r [Seg],
}

impl Road<'_> {
    fn programs(&self, direction: Direction) -> (&Program, &Program) {
        match direction {
            Direction::ToLegacy => (&self.trimmed.there, &self.trimmed.back),
            Direction::ToSonata => (&self.trimmed.back, &self.trimmed.there),
        }
    }

    fn apply(
        &self,
        program: &Program,
        body: &Document,
        scope: &[Seg],
        remembered: &[KeyPair],
    ) -> Result<Applied, Vec<Failure>> {
        let none = References::new();
        let root = body.root();
        let scope_node = root.resolve(&pointer(scope));
        let index = scope.last().map(|_| 0);
        let asking =
            Input { scope: scope_node, index, remembered, ..Input::new(Some(root), self.facts, &none) };
        let mut known = References::new();
        for needed in references(program, &asking) {
            let other = match needed.id.strip_prefix(FOREIGN) {
                Some(own) => own.to_owned(),
                None => format!("{FOREIGN}{}", needed.id),
            };
            known.insert(&needed.kind, needed.id, other);
        }
        let input =
            Input { scope: scope_node, index, remembered, ..Input::new(Some(root), self.facts, &known) };
        apply(program, &input)
    }

    /// Sends a document and takes it back. Values without counterpart are taken out of it first: they are refused,
    /// which loses nothing.
    pub fn trip(&self, filled: &mut Filled, direction: Direction) -> Result<Trip, Refused> {
        for _ in 0..REFUSED_MAX {
            match self.once(filled, direction) {
                Err(Refused::Values(failures)) => {
                    let before = filled.tree.leaves().len();
                    for failure in &failures {
                        take_out(&mut filled.tree, &failure.source_pointer);
                    }
                    filled.tree.prune();
                    if filled.tree.leaves().len() == before || filled.tree.get(&filled.scope).is_none() {
                        return Err(Refused::Values(failures));
                    }
                }
                other => return other,
            }
        }
        Err(Refused::Values(Vec::new()))
    }

    /// The same without taking anything out.
    pub fn once(&self, filled: &Filled, direction: Direction) -> Result<Trip, Refused> {
        let (away, home) = self.programs(direction);
        let sent = filled.tree.document();
        let applied = self.apply(away, &sent, &filled.scope, &[]).map_err(|failures| {
            let own = failures.iter().find(|failure| failure.fault == Fault::Mapping).cloned();
            own.map_or(Refused::Values(failures), Refused::Mapping)
        })?;
        let Some(between) = applied.body else {
            return Ok(Trip { between: None, back: None, differences: compare(self.trimmed, filled, None) });
        };
        let (received, scope) = match direction {
            Direction::ToLegacy => (between.clone(), Vec::new()),
            Direction::ToSonata => self.wrapped(&between),
        };
        match self.apply(home, &received, &scope, &applied.keys) {
            Ok(back) => {
                let differences = compare(self.trimmed, filled, back.body.as_ref());
                Ok(Trip { between: Some(between), back: back.body, differences })
            }
            Err(failures) => {
                let unread = failures.iter().filter_map(|failure| unread(self.trimmed, failure, direction));
                let differences = unread.collect();
                Ok(Trip { between: Some(between), back: None, differences })
            }
        }
    }

    /// What comes of a legacy message is one element of the whole Sonata message where elements are mapped alone.
    fn wrapped(&self, document: &Document) -> (Document, Vec<Seg>) {
        if self.base.is_empty() {
            return (document.clone(), Vec::new());
        }
        let own = Value::Node(document.root()).into_owned();
        let inner = Value::Array(vec![own]);
        let whole = self.base.iter().rev().fold(inner, |value, seg| match seg {
            Seg::Name(name) => Value::Object(vec![(name.to_string().into(), value)]),
            Seg::At(_) => value,
        });
        (super::tree::document(whole), joined(self.base, Seg::At(0)))
    }
}

/// Something that was written and cannot be read.
fn unread(trimmed: &Trimmed, failure: &Failure, direction: Direction) -> Option<Difference> {
    let claim = trimmed.claims.iter().position(|claim| match direction {
        Direction::ToLegacy => claim.back == failure.origin,
        Direction::ToSonata => claim.there == failure.origin,
    });
    if claim.and_then(|claim| trimmed.claims.get(claim)).is_some_and(|claim| !claim.holds(direction)) {
        return None;
    }
    let came = format!("nothing: {}", failure.message);
    Some(Difference {
        place: Vec::new(),
        claim,
        sent: failure.source_pointer.clone(),
        came,
        is_element: false,
    })
}

/// Takes out the value at a pointer, or the pinned ones' whole element.
fn take_out(tree: &mut Tree, at: &str) {
    let mut place = Vec::new();
    for token in at.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let seg = match (tree.get(&place), name.parse()) {
            (Some(Tree::Array { .. }), Ok(index)) => Seg::At(index),
            _ => Seg::Name(name.as_str().into()),
        };
        place.push(seg);
        if tree.get(&place).is_none() {
            place.pop();
            break;
        }
    }
    if !place.is_empty() {
        tree.remove(&place);
    }
}

fn compare(trimmed: &Trimmed, filled: &Filled, back: Option<&Document>) -> Vec<Difference> {
    let mut compare = Compare { trimmed, found: Vec::new() };
    let Some(tree) = filled.tree.get(&filled.scope) else { return Vec::new() };
    let mut place = filled.scope.clone();
    compare.tree(tree, back.map(Document::root), &mut place);
    compare.found
}

struct Compare<'c> {
    trimmed: &'c Trimmed,
    found: Vec<Difference>,
}

fn claimed(tree: &Tree) -> bool {
    tree.any(&mut |leaf| leaf.claim.is_some())
}

impl Compare<'_> {
    fn tree(&mut self, tree: &Tree, node: Option<Node<'_>>, place: &mut Vec<Seg>) {
        match tree {
            Tree::Leaf(leaf) => self.leaf(leaf, node, place),
            Tree::Object(members) => {
                for (name, inner) in members {
                    place.push(Seg::Name(name.clone()));
                    self.tree(inner, node.and_then(|node| node.get(name)), place);
                    place.pop();
                }
            }
            Tree::Array { elements, is_set } => {
                let there: Vec<Node<'_>> = node.map(|node| node.elements().collect()).unwrap_or_default();
                if *is_set { self.set(elements, &there, place) } else { self.array(elements, &there, place) }
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf, node: Option<Node<'_>>, place: &[Seg]) {
        if leaf.claim.is_none() || node.is_some_and(|node| same(&leaf.expected, node)) {
            return;
        }
        let came = node.map_or_else(|| "nothing".to_owned(), |node| excerpt(&Value::Node(node)));
        let sent = excerpt(&leaf.value);
        self.found.push(Difference {
            place: place.to_vec(),
            claim: leaf.claim,
            sent,
            came,
            is_element: false,
        });
    }

    /// Elements in order. Where fewer or more came back, those of which something is claimed must be among them, in
    /// their order: of others nobody says that they come back.
    fn array(&mut self, elements: &[Tree], there: &[Node<'_>], place: &mut Vec<Seg>) {
        if elements.len() == there.len() {
            for (index, (tree, node)) in elements.iter().zip(there).enumerate() {
                place.push(Seg::At(index));
                self.tree(tree, Some(*node), place);
                place.pop();
            }
            return;
        }
        let mut rest = there;
        let mut lost = None;
        for (index, tree) in elements.iter().enumerate().filter(|(_, tree)| claimed(tree)) {
            place.push(Seg::At(index));
            let found = rest.iter().position(|node| {
                let mut alone = Compare { trimmed: self.trimmed, found: Vec::new() };
                alone.tree(tree, Some(*node), place);
                alone.found.is_empty()
            });
            place.pop();
            match found.and_then(|at| rest.get(at + 1..)) {
                Some(behind) => rest = behind,
                None => {
                    lost.get_or_insert(tree);
                }
            }
        }
        let more = elements.iter().find(|tree| claimed(tree)).filter(|_| there.len() > elements.len());
        if let Some(tree) = lost.or(more) {
            let mut claim = None;
            tree.any(&mut |leaf| {
                claim = claim.or(leaf.claim.filter(|claim| *claim != super::TERM));
                claim.is_some()
            });
            let count = |count: usize| format!("{count} element{}", if count == 1 { "" } else { "s" });
            let (sent, came) = (count(elements.len()), count(there.len()));
            self.found.push(Difference { place: place.clone(), claim, sent, came, is_element: true });
        }
    }

    /// Elements whose order says nothing: each with the one that is most like it.
    fn set(&mut self, elements: &[Tree], there: &[Node<'_>], place: &mut Vec<Seg>) {
        for (index, tree) in elements.iter().enumerate() {
            if !claimed(tree) {
                continue;
            }
            place.push(Seg::At(index));
            let mut best: Option<Vec<Difference>> = None;
            for node in there.iter().map(|node| Some(*node)).chain([None]) {
                let mut alone = Compare { trimmed: self.trimmed, found: Vec::new() };
                alone.tree(tree, node, place);
                if best.as_ref().is_none_or(|best| alone.found.len() < best.len()) {
                    best = Some(alone.found);
                }
            }
            self.found.extend(best.unwrap_or_default());
            place.pop();
        }
    }
}

/// JSON equality, numbers by their value.
fn same(expected: &Value<'_>, node: Node<'_>) -> bool {
    match (expected, node.kind()) {
        (Value::Number(text), Kind::Number) => node.number().is_some_and(|own| number::equal(own, text)),
        (Value::Array(elements), Kind::Array) => {
            elements.len() == node.len()
                && elements.iter().zip(node.elements()).all(|(one, node)| same(one, node))
        }
        (Value::Object(members), Kind::Object) => {
            let left_out = members.iter().filter(|(_, value)| !value.is_absent()).count();
            left_out == node.len()
                && members.iter().all(|(name, value)| node.get(name).is_some_and(|node| same(value, node)))
        }
        _ => expected.same(&Value::Node(node)),
    }
}

/// A value as a report shows it.
pub(super) fn excerpt(value: &Value<'_>) -> String {
    const CHARS_MAX: usize = 120;
    let text = super::tree::document(value.clone().into_owned()).text().to_owned();
    if text.chars().count() <= CHARS_MAX {
        return text;
    }
    text.chars().take(CHARS_MAX).chain(['…']).collect()
}
