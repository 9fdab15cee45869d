//! Making up a document that the rules of a program read: for each place a value of its type and of the converter's
//! or table's domain, for each condition what makes it hold.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use super::{
    chance::Chance,
    claims::{Claim, Trimmed, is_same},
    leaf::{candidates, expected},
    proof,
    tree::{Leaf, Seg, Tree, joined, names},
};
use crate::{
    json::query::Condition,
    mapping::{
        direction::Direction,
        path::{FieldPath, Step},
        program::{
            Action, Argument, Body, Branch, Each, Gather, Join, JoinTarget, KeyForm, KeyGroupId, OneOf,
            Origin, Otherwise, Pair, Program, Rule, Source, Take, Transform,
        },
        schema::{Lookup, TypeId, Types},
        value::Value,
    },
};

/// Most values of one document that is made up.
const LEAVES_MAX: usize = 400;

/// A document that was made up.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    pub tree: Tree,
    /// Where the scope of the program is.
    pub scope: Vec<Seg>,
}

/// Claims by the rule that reads the place.
pub(super) type ByRule = HashMap<(Arc<str>, u32, u32, String), usize>;

/// A rule and the place that it reads, as [`ByRule`] has it.
pub(super) fn mark(origin: &Origin, place: String) -> (Arc<str>, u32, u32, String) {
    (Arc::clone(&origin.file), origin.line, origin.column, place)
}

pub(super) fn by_rule(claims: &[Claim], direction: Direction) -> ByRule {
    let mut found = ByRule::new();
    for (index, claim) in claims.iter().enumerate().filter(|(_, claim)| claim.holds(direction)) {
        let (origin, place) = match direction {
            Direction::ToLegacy => (&claim.there, &claim.sonata),
            Direction::ToSonata => (&claim.back, &claim.legacy),
        };
        found.entry(mark(origin, place.clone())).or_insert(index);
    }
    found
}

/// What documents of one side are made up from.
pub(super) struct Recipe<'r> {
    pub program: &'r Program,
    pub trimmed: &'r Trimmed,
    pub by_rule: &'r ByRule,
    /// Types of the message; the first that has a place says what it is.
    pub types: &'r [(&'r dyn Types, TypeId)],
    /// The array of whose elements one is the scope.
    pub each: Option<&'r FieldPath>,
}

pub(super) struct Fill<'r> {
    pub recipe: &'r Recipe<'r>,
    pub tree: Tree,
    pub chance: Chance,
    /// Whether everything is there that can be.
    pub is_full: bool,
    /// Places that must have nothing, or not this.
    pub forbidden: Vec<(Vec<Seg>, Option<Value<'static>>)>,
    /// What has to hold of the document in the end.
    pub held: Vec<(Vec<Seg>, &'r Condition, bool)>,
    keys: Vec<(Vec<Seg>, KeyGroupId)>,
    group_keys: HashMap<KeyGroupId, Vec<Value<'static>>>,
    leaves: usize,
    next_key: usize,
    /// The branch that the next `one_of` begins with: each document takes others.
    turn: usize,
}

/// A document of this recipe; none where its conditions cannot be met together.
pub(super) fn fill(recipe: &Recipe<'_>, seed: u64, (turn, is_full): (usize, bool)) -> Option<Filled> {
    let mut fill = Fill {
        recipe,
        tree: Tree::object(),
        chance: Chance::new(seed),
        is_full,
        forbidden: Vec::new(),
        held: Vec::new(),
        keys: Vec::new(),
        group_keys: HashMap::new(),
        leaves: 0,
        next_key: 1,
        turn,
    };
    let mut scope = Vec::new();
    if let Some(each) = recipe.each {
        let array = fill.tree.locate(&[], &each.array())?;
        fill.tree.open(&array, Tree::Array { elements: Vec::new(), is_set: false });
        scope = joined(&array, Seg::At(0));
        fill.tree.put(&scope, Tree::object());
    }
    fill.rules(&recipe.program.rules, &scope);
    fill.settle_keys();
    fill.tree.prune();
    fill.tree.get(&scope)?;
    if fill.tree.len(&[]) == 0 || !fill.is_as_meant() {
        return None;
    }
    Some(Filled { tree: fill.tree, scope })
}

impl<'r> Fill<'r> {
    fn direction(&self) -> Direction {
        self.recipe.program.direction
    }

    /// Whether an optional part is made.
    fn wants(&mut self) -> bool {
        self.leaves < LEAVES_MAX && (self.is_full || self.chance.below(4) > 0)
    }

    fn is_as_meant(&self) -> bool {
        let document = self.tree.document();
        let root = document.root();
        self.held.iter().all(|(scope, condition, holds)| {
            let node = root.resolve(&super::tree::pointer(scope));
            node.is_some_and(|node| condition.holds(node, root) == *holds)
        })
    }

    /// The type of a place, as far as the document made so far says.
    pub fn typed(&self, place: &[Seg]) -> Option<(&'r dyn Types, TypeId)> {
        self.recipe.types.iter().find_map(|(types, root)| self.typed_by(*types, *root, place))
    }

    fn typed_by(&self, types: &'r dyn Types, root: TypeId, place: &[Seg]) -> Option<(&'r dyn Types, TypeId)> {
        let mut ty = root;
        for (depth, seg) in place.iter().enumerate() {
            match seg {
                Seg::At(_) => ty = types.element(ty)?,
                Seg::Name(name) => {
                    let mark = joined(place.get(..depth)?, Seg::Name("@type".into()));
                    let mark = match self.tree.get(&mark) {
                        Some(Tree::Leaf(leaf)) => leaf.value.as_text().map(Cow::into_owned),
                        _ => None,
                    };
                    if let (true, Some(urn)) = (types.is_configuration(ty), mark.as_deref())
                        && let Some(product) = types.product(urn)
                    {
                        ty = product;
                    }
                    ty = match types.member(ty, name, mark.as_deref()) {
                        Lookup::Found(member) => member.ty,
                        Lookup::Missing | Lookup::Open => return None,
                    };
                }
            }
        }
        Some((types, ty))
    }

    /// The claim on a place that a rule reads.
    pub fn claim(&self, rule: &Rule, place: &[Seg]) -> Option<usize> {
        self.recipe.by_rule.get(&mark(&rule.origin, names(place))).copied()
    }

    /// A value that a condition, a key or a join needs.
    pub fn pin(&mut self, place: &[Seg], value: Value<'static>) -> bool {
        let name = names(place);
        let written = match self.direction() {
            Direction::ToLegacy => &self.recipe.trimmed.sonata_terms,
            Direction::ToSonata => &self.recipe.trimmed.legacy_terms,
        };
        let claims = &self.recipe.trimmed.claims;
        let direction = self.direction();
        let of_side = |claim: &Claim| match direction {
            Direction::ToLegacy => claim.sonata == name && claim.holds(direction),
            Direction::ToSonata => claim.legacy == name && claim.holds(direction),
        };
        let claim = claims.iter().position(of_side);
        let claim = claim.or_else(|| written.contains_key(&name).then_some(super::TERM));
        self.leaves += 1;
        self.tree.put(place, Tree::Leaf(Leaf::pinned(value, claim)))
    }

    fn rules(&mut self, rules: &'r [Rule], scope: &[Seg]) {
        for rule in rules {
            match &rule.action {
                Action::Pair(pair) => self.pair(rule, pair, scope),
                Action::Group(group) => {
                    if !group.source.is_scope() && !self.wants() {
                        continue;
                    }
                    let Some(place) = self.tree.locate(scope, &group.source) else { continue };
                    if !self.tree.open(&place, Tree::object()) {
                        continue;
                    }
                    if self.meet(group.condition.as_ref(), &place) {
                        self.rules(&group.rules, &place);
                    }
                }
                Action::Each(each) => self.each(rule, each, scope),
                Action::Join(join) => self.join(join, scope),
                Action::Append(append) if append.source.every => {
                    self.elements(&append.source, append.condition.as_ref(), scope, |fill, place| {
                        fill.rules(&append.rules, place);
                    });
                }
                Action::Append(append) => {
                    if !self.wants() {
                        continue;
                    }
                    let Some(place) = self.tree.locate(scope, &append.source) else { continue };
                    if self.tree.open(&place, Tree::object()) && self.meet(append.condition.as_ref(), &place)
                    {
                        self.rules(&append.rules, &place);
                    }
                }
                Action::Gather(gather) => self.gather(gather, scope),
                Action::OneOf(one_of) => self.one_of(one_of, scope),
            }
        }
    }

    fn pair(&mut self, rule: &'r Rule, pair: &'r Pair, scope: &[Seg]) {
        let Source::Path(path) = &pair.source else { return };
        if !self.wants() || !self.meet(pair.condition.as_ref(), scope) {
            return;
        }
        let Some(place) = self.tree.locate(scope, path) else { return };
        let claim = self.claim(rule, &place);
        match self.tree.get_mut(&place) {
            // What a condition or another rule put there comes back by this rule as well.
            Some(Tree::Leaf(leaf)) => {
                leaf.claim = leaf.claim.or(claim);
                return;
            }
            Some(Tree::Object(members)) if members.is_empty() && path.steps.is_empty() => {}
            Some(_) => return,
            None => {}
        }
        if let Some(Transform::Key { group, .. }) = pair.transforms.first() {
            self.keys.push((place.clone(), *group));
        }
        let forbidden = |own: &[Seg], value: &Option<Value<'static>>, made: Option<&Value<'static>>| {
            own == place && value.as_ref().is_none_or(|value| made.is_some_and(|made| made.same(value)))
        };
        let mut found = candidates(&pair.transforms, self.direction(), self.typed(&place));
        found.retain(|made| !self.forbidden.iter().any(|(own, value)| forbidden(own, value, Some(made))));
        let chosen = self.chance.below(found.len().max(1));
        let Some(value) = found.into_iter().nth(chosen) else { return };
        let mut leaf = Leaf::new(value, claim);
        if let Some(claim) = claim.and_then(|claim| self.recipe.trimmed.claims.get(claim)) {
            leaf.expected = expected(claim, self.direction(), &leaf.value);
        }
        self.leaves += 1;
        self.tree.put(&place, Tree::Leaf(leaf));
        self.argument(pair, scope);
    }

    /// What a converter needs beside its value, on the side that is read.
    fn argument(&mut self, pair: &'r Pair, scope: &[Seg]) {
        let arguments = pair.transforms.iter().filter_map(|transform| match transform {
            Transform::Convert(convert) => convert.argument.as_ref(),
            _ => None,
        });
        for argument in arguments {
            if let Argument::Source(path) = argument
                && let Some(place) = self.tree.locate(scope, path)
                && self.tree.get(&place).is_none()
            {
                self.pin(&place, Value::text(super::CURRENCY));
            }
        }
    }

    /// Elements of an array that meet a condition: those that are there where nothing is asked of them, else new ones.
    fn elements(
        &mut self,
        path: &FieldPath,
        condition: Option<&'r Condition>,
        scope: &[Seg],
        mut make: impl FnMut(&mut Self, &[Seg]),
    ) {
        let Some(array) = self.array(path, scope) else { return };
        let there = self.tree.len(&array);
        if there > 0 && condition.is_none() {
            for index in 0..there {
                make(self, &joined(&array, Seg::At(index)));
            }
            return;
        }
        let count = 1 + self.chance.below(3);
        for _ in 0..count {
            if let Some(place) = self.element(&array)
                && self.meet(condition, &place)
            {
                make(self, &place);
            }
        }
    }

    fn array(&mut self, path: &FieldPath, scope: &[Seg]) -> Option<Vec<Seg>> {
        if !self.wants() {
            return None;
        }
        let place = self.tree.locate(scope, &path.array())?;
        let empty_scope = matches!(self.tree.get(&place), Some(Tree::Object(members)) if members.is_empty());
        if empty_scope && path.steps.is_empty() {
            self.tree.put(&place, Tree::Array { elements: Vec::new(), is_set: false });
        }
        self.tree.open(&place, Tree::Array { elements: Vec::new(), is_set: false }).then_some(place)
    }

    fn element(&mut self, array: &[Seg]) -> Option<Vec<Seg>> {
        let place = joined(array, Seg::At(self.tree.len(array)));
        self.tree.put(&place, Tree::object()).then_some(place)
    }

    fn each(&mut self, rule: &'r Rule, each: &'r Each, scope: &[Seg]) {
        self.elements(&each.source, each.condition.as_ref(), scope, |fill, place| {
            if let Some(key) = &each.key {
                fill.key(rule, key.group, &key.source, place);
            }
            fill.body(&each.body, place);
        });
    }

    /// A key that no other element has.
    fn key(&mut self, rule: &'r Rule, group: KeyGroupId, path: &FieldPath, scope: &[Seg]) {
        let Some(place) = self.tree.locate(scope, path) else { return };
        if self.tree.get(&place).is_none() {
            let value = match self.direction() {
                Direction::ToLegacy => Value::text(format!("item-{}", self.next_key)),
                // In the form in which it is written there.
                Direction::ToSonata if self.writes_number(rule) => {
                    Value::Number((self.next_key * 10).to_string().into())
                }
                Direction::ToSonata => Value::text(format!("row-{}", self.next_key)),
            };
            self.next_key += 1;
            self.pin(&place, value);
        }
        let claim = self.claim(rule, &place);
        if let Some(Tree::Leaf(leaf)) = self.tree.get_mut(&place) {
            leaf.claim = leaf.claim.or(claim);
            leaf.is_pinned = true;
            self.group_keys.entry(group).or_default().push(leaf.value.clone());
        }
    }

    /// Whether the legacy keys of a group are numbers.
    fn writes_number(&self, rule: &Rule) -> bool {
        proof::keys(self.recipe.trimmed)
            .into_iter()
            .find(|(own, _)| is_same(&own.origin, &rule.origin))
            .is_some_and(|(_, key)| key.number.is_some() || key.form == KeyForm::Number)
    }

    /// `key(group)` refers to elements that may have come later.
    fn settle_keys(&mut self) {
        for (place, group) in std::mem::take(&mut self.keys) {
            let known = self.group_keys.get(&group).map(Vec::as_slice).unwrap_or_default();
            let chosen = known.get(self.chance.below(known.len().max(1))).cloned();
            match (chosen, self.tree.get_mut(&place)) {
                (Some(key), Some(Tree::Leaf(leaf))) => {
                    leaf.value = key.clone();
                    leaf.expected = key;
                }
                _ => {
                    self.tree.remove(&place);
                }
            }
        }
    }

    fn body(&mut self, body: &'r Body, place: &[Seg]) {
        match body {
            Body::Rules(rules) => self.rules(rules, place),
            Body::Rows(branches) => {
                for branch in branches {
                    let takes = self.wants();
                    if self.hold(branch.condition.as_ref(), place, takes) && takes {
                        self.rules(&branch.rules, place);
                    }
                }
            }
        }
    }

    fn join(&mut self, join: &'r Join, scope: &[Seg]) {
        let Some(array) = self.array(&join.source, scope) else { return };
        let mut wanted = Vec::new();
        for (theirs, ours) in &join.on {
            let Some(place) = self.tree.locate(scope, ours) else { return };
            if self.tree.get(&place).is_none() {
                let value = Value::text(format!("row-{}", self.next_key));
                self.next_key += 1;
                self.pin(&place, value);
            }
            let Some(Tree::Leaf(leaf)) = self.tree.get_mut(&place) else { return };
            leaf.is_pinned = true;
            wanted.push((theirs, leaf.value.clone()));
        }
        let count = match (&join.target, join.take) {
            (_, Take::First) => 2,
            (JoinTarget::One(_), Take::All) => 1,
            (JoinTarget::Every(_), Take::All) => 1 + self.chance.below(2),
        };
        for _ in 0..count {
            let Some(place) = self.element(&array) else { return };
            for (theirs, value) in &wanted {
                if let Some(at) = self.tree.locate(&place, theirs) {
                    self.pin(&at, value.clone());
                }
            }
            if self.meet(join.condition.as_ref(), &place) {
                self.body(&join.body, &place);
            }
        }
    }

    fn gather(&mut self, gather: &'r Gather, scope: &[Seg]) {
        let Some(array) = self.array(&gather.source, scope) else { return };
        let rows = 1 + self.chance.below(2);
        for _ in 0..rows {
            let mut first: Option<Vec<Seg>> = None;
            for branch in &gather.branches {
                let Some(place) = self.element(&array) else { return };
                if !self.meet(branch.condition.as_ref(), &place) {
                    continue;
                }
                for path in &gather.row_key {
                    self.row_key(path, first.as_deref(), &place);
                }
                self.rules(&branch.rules, &place);
                first.get_or_insert(place);
            }
        }
    }

    /// Elements of one row have one key, those of another row another.
    fn row_key(&mut self, path: &FieldPath, first: Option<&[Seg]>, place: &[Seg]) {
        let Some(at) = self.tree.locate(place, path) else { return };
        let known = first.and_then(|first| {
            let place = self.tree.locate(first, path)?;
            match self.tree.get(&place) {
                Some(Tree::Leaf(leaf)) => Some(leaf.value.clone()),
                _ => None,
            }
        });
        let value = known.unwrap_or_else(|| Value::text(format!("row-{}", self.next_key)));
        self.next_key += 1;
        self.pin(&at, value);
    }

    fn one_of(&mut self, one_of: &'r OneOf, scope: &[Seg]) {
        let more = usize::from(matches!(one_of.otherwise, Otherwise::Rules(_)));
        let count = one_of.branches.len() + more;
        let begin = self.turn;
        self.turn += 1;
        for turn in 0..count {
            let index = (begin + turn) % count;
            let before = (self.tree.clone(), self.forbidden.clone(), self.held.len());
            let branch: Option<&'r Branch> = one_of.branches.get(index);
            let earlier = one_of.branches.get(..index).unwrap_or(&one_of.branches);
            let taken = branch.is_none_or(|branch| self.meet(branch.condition.as_ref(), scope))
                && earlier.iter().all(|other| self.hold(other.condition.as_ref(), scope, false));
            if taken {
                match (branch, &one_of.otherwise) {
                    (Some(branch), _) => self.rules(&branch.rules, scope),
                    (None, Otherwise::Rules(rules)) => self.rules(rules, scope),
                    (None, _) => {}
                }
                return;
            }
            (self.tree, self.forbidden) = (before.0, before.1);
            self.held.truncate(before.2);
        }
    }

    /// Makes a condition hold at a scope, where that is possible.
    fn meet(&mut self, condition: Option<&'r Condition>, scope: &[Seg]) -> bool {
        self.hold(condition, scope, true)
    }
}

/// Steps of a path that a condition reads.
pub(super) fn segs(steps: &[crate::json::query::Step]) -> Option<Vec<Seg>> {
    let one = |step: &crate::json::query::Step| match step {
        crate::json::query::Step::Name(name) => Some(Seg::Name(name.clone())),
        crate::json::query::Step::Index(index) => usize::try_from(*index).ok().map(Seg::At),
    };
    steps.iter().map(one).collect()
}

/// Whether a path has a keyed step.
pub(super) fn is_keyed(path: &FieldPath) -> bool {
    path.steps.iter().any(|step| matches!(step, Step::Keyed(_)))
}
