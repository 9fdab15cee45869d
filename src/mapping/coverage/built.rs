//! Which objects a program builds, and which members each of them has in every case, or only in some.
//!
//! An object is what rules write below one place: the element of a keyed step, of a group or of a branch is one of its
//! own. What is said of it is said for when it is there: rules that make an object together are one part of it.

use crate::mapping::path::{Anchor, FieldPath, Literal, Part as Of, Step, Term};
use crate::mapping::program::{
    Action, Body, Branch, Constant, Each, Join, JoinTarget, OneOf, Origin, Otherwise, Pair, Program, Rule,
    Source,
};
use std::collections::{BTreeMap, BTreeSet};

/// The member that says what an object is.
const TYPE: &str = "@type";

/// Index of an object among those of a program; the outermost is 0.
pub(in crate::mapping) type ObjectId = usize;

/// How surely an object has a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Has<'p> {
    /// Wherever the object is, as long as there is a value.
    Always,
    /// Only by rules under conditions; one of them.
    Sometimes(&'p Origin),
    /// No rule writes it.
    Never,
}

/// What leads from an object to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Member(Box<str>),
    /// Elements that are one and the same have one label.
    Element(String),
}

/// What some rules write together.
#[derive(Debug)]
struct Part<'p> {
    /// The conditions that it stands under: it is written where all of them hold.
    under: Vec<u32>,
    /// Whether rules of its own make it, and not only branches in it.
    own: bool,
    /// The `@type` that it writes.
    kind: Option<String>,
    members: BTreeMap<Box<str>, (bool, &'p Origin)>,
    /// The part of the same object that it stands in.
    outer: Option<usize>,
    by: &'p Origin,
}

#[derive(Debug, Default)]
struct Object<'p> {
    parts: Vec<Part<'p>>,
    /// Carried over as a whole: what it has inside is not known.
    is_open: bool,
}

/// The objects that a program builds.
#[derive(Debug)]
pub(in crate::mapping) struct Objects<'p> {
    all: Vec<Object<'p>>,
    below: BTreeMap<(ObjectId, Way), ObjectId>,
    elements: usize,
    conditions: u32,
}

/// Where rules stand: an object, and which part of it they write.
#[derive(Clone)]
struct At {
    object: ObjectId,
    part: usize,
    /// The conditions of the part.
    under: Vec<u32>,
}

/// What a program builds.
pub(in crate::mapping) fn objects(program: &Program) -> Objects<'_> {
    let (all, below) = (vec![Object::default()], BTreeMap::new());
    let mut objects = Objects { all, below, elements: 0, conditions: 0 };
    if let Some(first) = program.rules.first() {
        let at = objects.part(0, None, Vec::new(), &first.origin);
        objects.rules(&program.rules, &at);
    }
    objects
}

impl<'p> Objects<'p> {
    /// The object of a member.
    pub fn member(&self, object: ObjectId, name: &str) -> Option<ObjectId> {
        self.below.get(&(object, Way::Member(name.into()))).copied()
    }

    /// The elements of an array, each kind of them once.
    pub fn elements(&self, array: ObjectId) -> Vec<ObjectId> {
        let of =
            self.below.iter().filter(|((object, way), _)| *object == array && matches!(way, Way::Element(_)));
        of.map(|(_, element)| *element).collect()
    }

    /// Whether what is inside is not known.
    pub fn is_open(&self, object: ObjectId) -> bool {
        self.all.get(object).is_none_or(|object| object.is_open)
    }

    /// The first rule that writes into an object.
    pub fn origin(&self, object: ObjectId) -> Option<&'p Origin> {
        self.all.get(object)?.parts.first().map(|part| part.by)
    }

    /// The texts of `@type` that rules write into an object.
    pub fn kinds(&self, object: ObjectId) -> BTreeSet<&str> {
        let parts = self.all.get(object).map(|object| object.parts.as_slice()).unwrap_or_default();
        parts.iter().filter_map(|part| part.kind.as_deref()).collect()
    }

    /// How surely an object has a member, where its `@type` is `kind`.
    pub fn has(&self, object: ObjectId, name: &str, kind: Option<&str>) -> Has<'p> {
        let Some(object) = self.all.get(object) else { return Has::Never };
        let fits = |part: &&Part<'p>| kind.is_none() || part.kind.is_none() || part.kind.as_deref() == kind;
        let parts: Vec<&Part<'p>> = object.parts.iter().filter(fits).collect();
        let Some((_, origin)) = parts.iter().find_map(|part| part.members.get(name)) else {
            return Has::Never;
        };
        let has = |part: &&&Part<'p>| part.members.get(name).is_some_and(|(sure, _)| *sure);
        let made = parts.iter().filter(|part| part.own && (kind.is_none() || part.kind.is_some()));
        let always = |made: &&Part<'p>| {
            let mut having = parts.iter().filter(has);
            having.any(|having| having.under.iter().all(|one| made.under.contains(one)))
        };
        if made.into_iter().all(always) { Has::Always } else { Has::Sometimes(origin) }
    }

    fn part(&mut self, object: ObjectId, outer: Option<usize>, under: Vec<u32>, by: &'p Origin) -> At {
        let part = self.all.get(object).map_or(0, |object| object.parts.len());
        if let Some(object) = self.all.get_mut(object) {
            let (members, own_under) = (BTreeMap::new(), under.clone());
            object.parts.push(Part { under: own_under, own: false, kind: None, members, outer, by });
        }
        At { object, part, under }
    }

    /// The conditions of what is written from a part, with one more where it is not sure.
    fn under(&mut self, at: &At, sure: bool) -> Vec<u32> {
        let mut under = at.under.clone();
        if !sure {
            self.conditions += 1;
            under.push(self.conditions);
        }
        under
    }

    fn below(&mut self, object: ObjectId, way: Way) -> ObjectId {
        let next = self.all.len();
        let found = *self.below.entry((object, way)).or_insert(next);
        if found == next {
            self.all.push(Object::default());
        }
        found
    }

    /// Notes a member of a part; in the parts around it as well, where it is not sure.
    fn note(&mut self, at: &At, name: &str, sure: bool, by: &'p Origin) {
        let Some(object) = self.all.get_mut(at.object) else { return };
        let (mut index, mut sure) = (Some(at.part), sure);
        while let Some(part) = index.and_then(|index| object.parts.get_mut(index)) {
            let noted = part.members.entry(name.into()).or_insert((sure, by));
            noted.0 |= sure;
            part.own |= index == Some(at.part);
            (index, sure) = (part.outer, false);
        }
    }

    fn set_kind(&mut self, at: &At, literal: &Literal) {
        let part = self.all.get_mut(at.object).and_then(|object| object.parts.get_mut(at.part));
        if let (Some(part), Literal::Text(text)) = (part, literal) {
            part.kind = Some(text.to_string());
        }
    }

    /// Follows steps from a part; the part of the last object that is written by who follows. `sure` is whether they are
    /// followed wherever the part is there.
    fn follow(&mut self, steps: &[Step], from: &At, sure: bool, by: &'p Origin) -> At {
        let mut at = from.clone();
        let mut sure = sure;
        for step in steps {
            let under = self.under(&at, sure);
            let object = match step {
                Step::Member(name) => {
                    self.note(&at, name, sure, by);
                    self.below(at.object, Way::Member((**name).into()))
                }
                Step::Index(index) => self.below(at.object, Way::Element(index.to_string())),
                Step::Keyed(terms) => {
                    let label = terms.iter().map(|term| format!("{term:?}")).collect::<Vec<_>>().concat();
                    self.below(at.object, Way::Element(label))
                }
            };
            at = self.part(object, None, under, by);
            sure = true;
            if let Step::Keyed(terms) = step {
                self.terms(terms, &at, by);
            }
        }
        at
    }

    fn terms(&mut self, terms: &[Term], at: &At, by: &'p Origin) {
        for term in terms {
            let Some((last, way)) = term.members.split_last() else { continue };
            let way: Vec<Step> = way.iter().map(|name| Step::Member(name.clone())).collect();
            let at = self.follow(&way, at, true, by);
            self.note(&at, last, true, by);
            if **last == *TYPE {
                self.set_kind(&at, &term.value);
            }
        }
    }

    /// Where a path begins.
    fn start(&mut self, path: &FieldPath, at: &At, by: &'p Origin) -> At {
        match path.anchor {
            Anchor::Root if at.object != 0 => {
                let under = self.under(at, false);
                self.part(0, Some(0), under, by)
            }
            _ => at.clone(),
        }
    }

    /// Where the rules of a group stand whose target this is.
    fn inside(&mut self, path: &FieldPath, at: &At, sure: bool, by: &'p Origin) -> At {
        let at = self.start(path, at, by);
        if path.steps.is_empty() && !sure {
            let under = self.under(&at, false);
            return self.part(at.object, Some(at.part), under, by);
        }
        self.follow(&path.steps, &at, sure, by)
    }

    /// An element of the array that a path names.
    fn element(&mut self, path: &FieldPath, at: &At, same: bool, sure: bool, by: &'p Origin) -> At {
        let at = self.start(path, at, by);
        // The array is there, if only empty.
        let array = self.follow(&path.steps, &at, true, by);
        let label = if same {
            "*".to_owned()
        } else {
            self.elements += 1;
            format!("*{}", self.elements)
        };
        let element = self.below(array.object, Way::Element(label));
        let under = self.under(&array, sure);
        self.part(element, None, under, by)
    }

    fn rules(&mut self, rules: &'p [Rule], at: &At) {
        for rule in rules {
            self.rule(rule, at);
        }
    }

    fn rule(&mut self, rule: &'p Rule, at: &At) {
        let by = &rule.origin;
        match &rule.action {
            Action::Pair(pair) => self.pair(pair, at, by),
            Action::Group(group) => {
                let inner = self.inside(&group.target, at, group.condition.is_none(), by);
                self.terms(&group.also, &inner, by);
                self.rules(&group.rules, &inner);
            }
            Action::Each(each) => self.each(each, at, by),
            Action::Join(join) => self.join(join, at, by),
            Action::Append(append) => {
                let inner = self.element(&append.target, at, false, append.condition.is_none(), by);
                for (_, copied) in &append.copy {
                    self.place(copied, &inner, true, by);
                }
                self.terms(&append.also, &inner, by);
                self.rules(&append.rules, &inner);
            }
            Action::Gather(gather) => {
                let inner = self.element(&gather.target, at, false, true, by);
                for (_, copied) in &gather.copy {
                    self.place(copied, &inner, true, by);
                }
                self.branches(&gather.branches, None, false, &inner, by);
            }
            Action::OneOf(one_of) => self.one_of(one_of, at, by),
        }
    }

    /// A place that is written as a whole.
    fn place(&mut self, path: &FieldPath, at: &At, sure: bool, by: &'p Origin) {
        if path.part != Of::Body {
            return;
        }
        let at = self.start(path, at, by);
        let at = self.follow(&path.steps, &at, sure, by);
        if let Some(object) = self.all.get_mut(at.object) {
            object.is_open = true;
        }
    }

    fn pair(&mut self, pair: &'p Pair, at: &At, by: &'p Origin) {
        let sure = pair.condition.is_none();
        self.place(&pair.target, at, sure, by);
        self.terms(&pair.also, at, by);
        let [Step::Member(name)] = &*pair.target.steps else { return };
        if let (Source::Constant(Constant::Literal(literal)), true, TYPE) = (&pair.source, sure, &**name) {
            self.set_kind(at, literal);
        }
    }

    fn each(&mut self, each: &'p Each, at: &At, by: &'p Origin) {
        let rows = match &each.body {
            Body::Rules(_) => 1,
            Body::Rows(branches) => branches.len(),
        };
        for index in 0..rows {
            let same = each.key.is_some() && rows == 1;
            let inner = self.element(&each.target, at, same, each.condition.is_none(), by);
            if let Some(key) = &each.key {
                self.place(&key.target, &inner, true, by);
            }
            self.terms(&each.also, &inner, by);
            self.row(&each.body, index, &inner, by);
        }
    }

    fn join(&mut self, join: &'p Join, at: &At, by: &'p Origin) {
        match (&join.target, &join.body) {
            (JoinTarget::One(target), body) => {
                // Nothing need belong to the scope.
                let inner = self.inside(target, at, false, by);
                self.terms(&join.also, &inner, by);
                self.row(body, 0, &inner, by);
            }
            (JoinTarget::Every(target), body) => {
                let rows = match body {
                    Body::Rules(_) => 1,
                    Body::Rows(branches) => branches.len(),
                };
                for index in 0..rows {
                    let inner = self.element(target, at, false, false, by);
                    self.terms(&join.also, &inner, by);
                    self.row(body, index, &inner, by);
                }
            }
        }
    }

    /// One element's rules: all of them, or those of one branch.
    fn row(&mut self, body: &'p Body, index: usize, at: &At, by: &'p Origin) {
        match body {
            Body::Rules(rules) => self.rules(rules, at),
            Body::Rows(branches) => {
                if let Some(branch) = branches.get(index) {
                    self.terms(&branch.also, at, by);
                    self.rules(&branch.rules, at);
                }
            }
        }
    }

    fn one_of(&mut self, one_of: &'p OneOf, at: &At, by: &'p Origin) {
        let (otherwise, every) = match &one_of.otherwise {
            Otherwise::Nothing => (None, false),
            Otherwise::Rules(rules) => (Some(&**rules), true),
            Otherwise::Refuse(_) => (None, true),
        };
        self.branches(&one_of.branches, otherwise, every, at, by);
    }

    /// Branches of which one is taken: what all of them write, is there wherever they stand.
    fn branches(
        &mut self,
        branches: &'p [Branch],
        otherwise: Option<&'p [Rule]>,
        every: bool,
        at: &At,
        by: &'p Origin,
    ) {
        let mut parts = Vec::new();
        for branch in branches {
            let under = self.under(at, false);
            let inner = self.part(at.object, Some(at.part), under, &branch.origin);
            self.terms(&branch.also, &inner, &branch.origin);
            self.rules(&branch.rules, &inner);
            parts.push(inner.part);
        }
        if let Some(rules) = otherwise {
            let under = self.under(at, false);
            let inner = self.part(at.object, Some(at.part), under, by);
            self.rules(rules, &inner);
            parts.push(inner.part);
        }
        let Some(object) = self.all.get_mut(at.object).filter(|_| every) else { return };
        let sure = |part: usize| {
            let members = object.parts.get(part).into_iter().flat_map(|part| &part.members);
            let sure = members.filter(|(_, (sure, _))| *sure).map(|(name, (_, by))| (name.clone(), *by));
            sure.collect::<BTreeMap<Box<str>, &'p Origin>>()
        };
        let mut taken = parts.into_iter().map(sure);
        let Some(mut all) = taken.next() else { return };
        for other in taken {
            all.retain(|name, _| other.contains_key(name));
        }
        if let Some(part) = object.parts.get_mut(at.part) {
            for (name, by) in all {
                part.members.entry(name).or_insert((true, by)).0 = true;
            }
        }
    }
}
