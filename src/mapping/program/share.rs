//! What a program has like another one is taken from that, so that programs of partners differ in memory where they
//! differ; and code tables that stand in the place of those of a program.

use super::{Action, Body, Branch, Otherwise, Program, Rule, Shared, Transform};
use crate::mapping::codes::CodeTable;
use crate::mapping::operation::{Answer, Call, OperationProgram};
use std::sync::Arc;

/// Code tables in the place of others, so that a program is the same for all whose tables differ.
///
/// Read by whoever runs a program; [`OperationProgram::with_tables`] puts them in for whoever looks into it.
#[derive(Clone, Debug, Default)]
pub struct Tables(Option<Arc<[Replaced]>>);

/// A table of programs, and what stands in its place.
type Replaced = (Arc<CodeTable>, Arc<CodeTable>);

impl Tables {
    /// All tables stay as they are.
    pub const NONE: Self = Self(None);

    /// The second of each pair stands in the place of the first.
    #[must_use]
    pub fn new(replaced: Vec<Replaced>) -> Self {
        Self((!replaced.is_empty()).then(|| replaced.into()))
    }

    /// Whether all tables stay as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the same tables stand in the place of the same.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let list = |own: &Self| own.0.as_deref().map_or(0, <[Replaced]>::len);
        let pairs = self.0.iter().flat_map(|all| all.iter()).zip(other.0.iter().flat_map(|all| all.iter()));
        let same = |(own, other): (&Replaced, &Replaced)| {
            Arc::ptr_eq(&own.0, &other.0) && Arc::ptr_eq(&own.1, &other.1)
        };
        list(self) == list(other) && pairs.into_iter().all(same)
    }

    /// What is read in the place of a table.
    #[must_use]
    pub fn of<'t>(&'t self, table: &'t Arc<CodeTable>) -> &'t Arc<CodeTable> {
        let Some(replaced) = &self.0 else { return table };
        replaced.iter().find(|(known, _)| Arc::ptr_eq(known, table)).map_or(table, |(_, own)| own)
    }
}

impl OperationProgram {
    /// The same with these tables in it.
    #[must_use]
    pub fn with_tables(&self, tables: &Tables) -> Self {
        let mut own = self.clone();
        own.each_program(&mut |program| {
            let program = Arc::make_mut(program);
            put_in(&mut program.rules, tables);
        });
        own
    }

    /// The same, its parts taken from another one where they are like that one's.
    #[must_use]
    pub fn sharing(mut self, other: &Arc<Self>) -> Arc<Self> {
        for (own, other) in self.calls.iter_mut().zip(&other.calls) {
            share_call(own, other);
        }
        share(&mut self.on, &other.on);
        share_option(&mut self.expires, other.expires.as_ref());
        if let (Some(own), Some(other)) = (&mut self.complete, &other.complete)
            && own.poll == other.poll
        {
            own.poll = Arc::clone(&other.poll);
        }
        match (&mut self.answer, &other.answer) {
            (Answer::Reply(own), Answer::Reply(other))
            | (Answer::Each { program: own, .. }, Answer::Each { program: other, .. })
            | (Answer::Calls { program: own, .. }, Answer::Calls { program: other, .. }) => {
                share_program(own, other);
            }
            _ => {}
        }
        if self == **other { Arc::clone(other) } else { Arc::new(self) }
    }

    fn each_program<W: FnMut(&mut Arc<Program>)>(&mut self, work: &mut W) {
        for call in self.calls.iter_mut().chain(self.expires.as_deref_mut()) {
            call.request.iter_mut().for_each(&mut *work);
            call.undo.iter_mut().filter_map(|undo| undo.request.as_mut()).for_each(&mut *work);
            if let Some(recover) = call.recover.as_deref_mut() {
                for asked in [Some(&mut recover.find), recover.read.as_mut()].into_iter().flatten() {
                    Arc::make_mut(asked).each_program(work);
                }
            }
        }
        if let Some(complete) = &mut self.complete {
            Arc::make_mut(&mut complete.poll).each_program(work);
        }
        match &mut self.answer {
            Answer::Empty => {}
            Answer::Reply(program) | Answer::Each { program, .. } | Answer::Calls { program, .. } => {
                work(program);
            }
        }
    }
}

fn share_call(own: &mut Call, other: &Call) {
    if let (Some(own), Some(other)) = (&mut own.request, &other.request) {
        share_program(own, other);
    }
    share(&mut own.target, &other.target);
    share_option(&mut own.recover, other.recover.as_ref());
    share_option(&mut own.undo, other.undo.as_ref());
    if let (Some(own), Some(other)) = (&mut own.undo, &other.undo)
        && !own.is(other)
    {
        share_call(own, other);
    }
}

fn share<T: ?Sized + PartialEq>(own: &mut Shared<T>, other: &Shared<T>) {
    if own == other {
        *own = other.clone();
    }
}

fn share_option<T: PartialEq>(own: &mut Option<Shared<T>>, other: Option<&Shared<T>>) {
    if let (Some(own), Some(other)) = (own, other) {
        share(own, other);
    }
}

fn share_program(own: &mut Arc<Program>, other: &Arc<Program>) {
    if own == other {
        *own = Arc::clone(other);
    } else {
        share_rules(&mut Arc::make_mut(own).rules, &other.rules);
    }
}

fn share_rules(own: &mut Shared<[Rule]>, other: &Shared<[Rule]>) {
    if own == other {
        *own = other.clone();
        return;
    }
    for rule in own.iter_mut() {
        let Some(like) = other.iter().find(|like| like.origin == rule.origin) else { continue };
        if rule == like {
            *rule = like.clone();
            continue;
        }
        match (&mut rule.action, &like.action) {
            (Action::Group(own), Action::Group(like)) => share_rules(&mut own.rules, &like.rules),
            (Action::Each(own), Action::Each(like)) => share_body(&mut own.body, &like.body),
            (Action::Join(own), Action::Join(like)) => share_body(&mut own.body, &like.body),
            (Action::Append(own), Action::Append(like)) => share_rules(&mut own.rules, &like.rules),
            (Action::Gather(own), Action::Gather(like)) => share_branches(&mut own.branches, &like.branches),
            (Action::OneOf(own), Action::OneOf(like)) => {
                share_branches(&mut own.branches, &like.branches);
                if let (Otherwise::Rules(own), Otherwise::Rules(like)) = (&mut own.otherwise, &like.otherwise)
                {
                    share_rules(own, like);
                }
            }
            _ => {}
        }
    }
}

fn share_body(own: &mut Body, other: &Body) {
    match (own, other) {
        (Body::Rules(own), Body::Rules(other)) => share_rules(own, other),
        (Body::Rows(own), Body::Rows(other)) => share_branches(own, other),
        _ => {}
    }
}

fn share_branches(own: &mut Shared<[Branch]>, other: &Shared<[Branch]>) {
    if own == other {
        *own = other.clone();
        return;
    }
    for branch in own.iter_mut() {
        if let Some(like) = other.iter().find(|like| like.origin == branch.origin) {
            share_rules(&mut branch.rules, &like.rules);
        }
    }
}

fn put_in(rules: &mut Shared<[Rule]>, tables: &Tables) {
    for rule in rules.iter_mut() {
        match &mut rule.action {
            Action::Pair(pair) => {
                for transform in &mut pair.transforms {
                    if let Transform::Codes(codes) = transform {
                        codes.table = Arc::clone(tables.of(&codes.table));
                    }
                }
            }
            Action::Group(group) => put_in(&mut group.rules, tables),
            Action::Each(each) => put_in_body(&mut each.body, tables),
            Action::Join(join) => put_in_body(&mut join.body, tables),
            Action::Append(append) => put_in(&mut append.rules, tables),
            Action::Gather(gather) => put_in_branches(&mut gather.branches, tables),
            Action::OneOf(one_of) => {
                put_in_branches(&mut one_of.branches, tables);
                if let Otherwise::Rules(rules) = &mut one_of.otherwise {
                    put_in(rules, tables);
                }
            }
        }
    }
}

fn put_in_body(body: &mut Body, tables: &Tables) {
    match body {
        Body::Rules(rules) => put_in(rules, tables),
        Body::Rows(branches) => put_in_branches(branches, tables),
    }
}

fn put_in_branches(branches: &mut Shared<[Branch]>, tables: &Tables) {
    branches.iter_mut().for_each(|branch| put_in(&mut branch.rules, tables));
}
