//! One application of one program: its state, its rules, its failures.

use std::sync::LazyLock;

use super::join::Joined;
use super::keys::KeyTable;
use super::target::{Created, Target};
use super::{Applied, Failure, Fault, Input};
use crate::json::query::Condition;
use crate::json::{Builder, Document, Node, Seen, Slot};
use crate::mapping::path::{Anchor, FieldPath, Part, Step};
use crate::mapping::program::{Action, FailureCode, OnFailure, Origin, Phase, Program, Rule};
use crate::mapping::trace::{Outcome, Row};

/// Stands in for a body that a message does not have.
static EMPTY: LazyLock<Document> = LazyLock::new(|| {
    let mut builder = Builder::new();
    let root = builder.object();
    builder.finish(root)
});

/// What is read: the scope of a rule on the source side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'m> {
    /// `@`
    pub node: Node<'m>,
    /// `$`
    pub root: Node<'m>,
    /// Where the innermost element stands in its array; none outside of arrays.
    pub index: Option<usize>,
}

impl<'m> Scope<'m> {
    pub fn at(self, node: Node<'m>) -> Self {
        Self { node, ..self }
    }

    pub fn element(self, node: Node<'m>, index: usize) -> Self {
        Self { node, index: Some(index), ..self }
    }
}

/// What a rule wrote; of several rules the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrote {
    Nothing,
    /// Constants and defaults only: they stay only beside something from the message.
    Constant,
    Message,
}

/// Why a rule could not do its work; becomes a [`Failure`] where the rule is known.
#[derive(Debug)]
pub(super) struct Trouble<'m> {
    pub code: FailureCode,
    pub fault: Fault,
    pub message: String,
    pub blame: Blame<'m>,
}

/// The place of the source message that is to blame.
#[derive(Clone, Copy, Debug)]
pub(super) enum Blame<'m> {
    /// What the rule reads.
    Source,
    Node(Node<'m>),
    Path(&'m FieldPath),
}

impl<'m> Trouble<'m> {
    pub fn sender(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, fault: Fault::Sender, message: message.into(), blame: Blame::Source }
    }

    pub fn mapping(message: impl Into<String>) -> Self {
        Self { fault: Fault::Mapping, ..Self::sender(FailureCode::OtherIssue, message) }
    }

    pub fn at(self, node: Node<'m>) -> Self {
        Self { blame: Blame::Node(node), ..self }
    }

    pub fn at_path(self, path: &'m FieldPath) -> Self {
        Self { blame: Blame::Path(path), ..self }
    }
}

/// So many rules read one object that it is worth knowing beforehand which members it does not have.
const SEEN_RULES_MIN: usize = 6;
/// Places that are written between the beginning and the end of a group, that most messages do with.
const CREATED_GUESS: usize = 64;

pub(super) struct Run<'m> {
    pub program: &'m Program,
    pub input: &'m Input<'m>,
    pub builder: Builder<'m>,
    /// The outermost target.
    pub root: Slot,
    /// Scopes that a rule wrote as a whole (target `.`): the scope's slot, and what stands in for it.
    pub replaced: Vec<(Slot, Slot)>,
    /// What constants created, newest last, to be taken back where nothing else of their group wrote.
    pub created: Vec<Created<'m>>,
    /// Settled keys by group.
    pub keys: Vec<Option<KeyTable<'m>>>,
    /// Arrays that joins have looked into.
    pub joined: Vec<Joined<'m>>,
    /// A list for the next join, so that most joins allocate none.
    pub spare: Vec<(usize, Node<'m>)>,
    pub applied: Applied,
    pub trace: Option<Vec<Row>>,
    /// Whether an answer does without what cannot be mapped, even where its contract requires it.
    pub leaves_out: bool,
    failures: Vec<Failure>,
    values: usize,
    comparisons: usize,
    steps: u64,
    /// A limit was reached, or all failures that may be told are there.
    exhausted: bool,
}

impl<'m> Run<'m> {
    pub fn new(program: &'m Program, input: &'m Input<'m>, trace: Option<Vec<Row>>) -> Self {
        Self {
            created: Vec::with_capacity(CREATED_GUESS),
            ..Self::with(program, input, trace, Builder::new())
        }
    }

    /// For reading, or for writing little: nothing is put aside for what might be written.
    pub fn reading(program: &'m Program, input: &'m Input<'m>) -> Self {
        Self::with(program, input, None, Builder::default())
    }

    fn with(
        program: &'m Program,
        input: &'m Input<'m>,
        trace: Option<Vec<Row>>,
        mut builder: Builder<'m>,
    ) -> Self {
        let root = builder.object();
        Self {
            program,
            input,
            builder,
            root,
            replaced: Vec::new(),
            created: Vec::new(),
            keys: program.key_groups.iter().map(|_| None).collect(),
            joined: Vec::new(),
            spare: Vec::new(),
            applied: Applied::default(),
            trace,
            leaves_out: false,
            failures: Vec::new(),
            values: 0,
            comparisons: 0,
            steps: 0,
            exhausted: false,
        }
    }

    pub fn finish(mut self) -> (Result<Applied, Vec<Failure>>, Vec<Row>) {
        let scope = outermost(self.input);
        let wrote = self.rules(&self.program.rules, scope, Target { slot: self.root, pointer: "" });
        let rows = self.trace.take().unwrap_or_default();
        if self.exhausted && self.failures.is_empty() {
            // Reached where no rule could tell: nothing half done may leave.
            self.failures.push(self.exhaustion());
        }
        if !self.failures.is_empty() {
            return (Err(self.failures), rows);
        }
        let root = self.current(self.root);
        if wrote > Wrote::Nothing && (root != self.root || !self.builder.is_empty(root)) {
            self.applied.body = Some(self.builder.finish(root));
        }
        (Ok(self.applied), rows)
    }

    /// The failures, if there are some.
    pub fn failed(&mut self) -> Option<Vec<Failure>> {
        (!self.failures.is_empty()).then(|| std::mem::take(&mut self.failures))
    }

    pub fn rules(&mut self, rules: &'m [Rule], scope: Scope<'m>, target: Target<'_>) -> Wrote {
        let mut wrote = Wrote::Nothing;
        let in_earnest = self.trace.is_none();
        let seen = if rules.len() >= SEEN_RULES_MIN { Seen::of(scope.node) } else { Seen::ALL };
        for rule in rules {
            if self.exhausted {
                break;
            }
            wrote = wrote.max(match &rule.action {
                Action::Pair(pair) if in_earnest && rule.marks.is_plain => {
                    self.plain(rule, pair, (scope, seen), target)
                }
                Action::Pair(pair) => self.pair(rule, pair, scope, target),
                Action::Group(group) => self.group(rule, group, scope, target),
                Action::Each(each) => self.each(rule, each, scope, target),
                Action::Join(join) => self.join(rule, join, scope, target),
                Action::Append(append) => self.append(rule, append, scope, target),
                Action::Gather(gather) => self.gather(rule, gather, scope, target),
                Action::OneOf(one_of) => self.one_of(rule, one_of, scope, target),
            });
        }
        wrote
    }

    fn exhaustion(&self) -> Failure {
        Failure {
            origin: Origin { file: (*self.program.name).into(), line: 1, column: 1, address: "".into() },
            fault: Fault::Mapping,
            code: FailureCode::OtherIssue,
            part: Part::Body,
            source_pointer: String::new(),
            target: String::new(),
            message: "a limit of the mapping was reached".to_owned(),
        }
    }

    /// The same with what another run has spent of the limits, which they share.
    pub fn after(self, other: &Run<'_>) -> Self {
        Self { values: other.values, comparisons: other.comparisons, steps: other.steps, ..self }
    }

    /// Counts what was spent since [`Self::after`].
    pub fn count_on(&mut self, other: &Run<'_>) {
        (self.values, self.comparisons, self.steps) = (other.values, other.comparisons, other.steps);
    }

    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// How many failures and findings there are, to see whether a part of the program added one.
    pub fn complaints(&self) -> usize {
        self.failures.len() + self.applied.findings.len()
    }

    /// Counts a written value against the limit.
    #[inline]
    pub fn count_value(&mut self) -> Result<(), Trouble<'m>> {
        self.values += 1;
        if self.values <= self.input.limits.values_max { Ok(()) } else { self.too_many_values() }
    }

    #[cold]
    fn too_many_values(&mut self) -> Result<(), Trouble<'m>> {
        self.exhausted = true;
        Err(Trouble::mapping(format!("more than {} values would be written", self.input.limits.values_max)))
    }

    /// Whether a condition holds; one that looks at the root is counted as a search of the message.
    #[inline]
    pub fn holds(&mut self, scope: Scope<'m>, condition: Option<&Condition>) -> bool {
        condition.is_none_or(|condition| self.holds_there(scope, condition))
    }

    fn holds_there(&mut self, scope: Scope<'m>, condition: &Condition) -> bool {
        if condition.from_root() {
            // Beyond the limit the run is exhausted, which `finish` tells.
            let _ = self.count_comparisons(scope.root.document().node_count());
        }
        condition.holds(scope.node, scope.root)
    }

    /// Counts a look into an array or query from the root, which is made anew for every element of a group.
    #[inline]
    pub fn count_search(&mut self, path: &FieldPath, scope: Scope<'m>) -> Result<(), Trouble<'m>> {
        if path.anchor == Anchor::Scope {
            return Ok(());
        }
        if path.steps.iter().any(|step| matches!(step, Step::Keyed(_))) {
            self.count_comparisons(scope.root.document().node_count())
        } else {
            Ok(())
        }
    }

    /// Counts comparisons of elements against the limit.
    pub fn count_comparisons(&mut self, more: usize) -> Result<(), Trouble<'m>> {
        self.comparisons = self.comparisons.saturating_add(more);
        if self.comparisons <= self.input.limits.comparisons_max {
            return Ok(());
        }
        self.exhausted = true;
        let max = self.input.limits.comparisons_max;
        Err(Trouble::mapping(format!("more than {max} comparisons of elements would be made")))
    }

    /// Counts steps of scripts against the limit.
    pub fn count_steps(&mut self, more: u64) -> Result<(), Trouble<'m>> {
        self.steps = self.steps.saturating_add(more);
        if self.steps <= self.input.limits.steps_max {
            return Ok(());
        }
        self.exhausted = true;
        let max = self.input.limits.steps_max;
        Err(Trouble::mapping(format!("the scripts of one message take more than {max} steps")))
    }

    /// Records that a rule failed: the exchange fails, or the attribute is omitted.
    ///
    /// A limit is never a matter of one attribute: it always fails.
    pub fn fail(
        &mut self,
        (origin, on_failure): (&Origin, OnFailure),
        trouble: Trouble<'m>,
        (scope, source): (Scope<'m>, Option<&'m FieldPath>),
        (path, target): (Option<&'m FieldPath>, Target<'_>),
    ) {
        let (part, source_pointer) = match trouble.blame {
            Blame::Node(node) => (Part::Body, node.pointer()),
            Blame::Path(path) => (path.part, path.pointer(scope.node, scope.root)),
            Blame::Source => match source {
                Some(path) => (path.part, path.pointer(scope.node, scope.root)),
                None => (Part::Body, scope.node.pointer()),
            },
        };
        let may_omit = on_failure == OnFailure::Omit || self.leaves_out;
        let omit = may_omit && self.program.phase == Phase::Answer && !self.exhausted;
        if self.trace.is_some() {
            let at = path.map_or_else(|| target.pointer.to_owned(), |path| self.target_pointer(target, path));
            let outcome = if omit { Outcome::Omitted } else { Outcome::Failed };
            let outcome = outcome(trouble.message.clone());
            self.record(origin, (place(part, &source_pointer), String::new()), at, outcome);
        }
        let failure = Failure {
            origin: origin.clone(),
            fault: trouble.fault,
            code: trouble.code,
            part,
            source_pointer,
            target: path.map(ToString::to_string).unwrap_or_default(),
            message: trouble.message,
        };
        let max = self.input.limits.failures_max.max(1);
        if !omit {
            if self.failures.len() < max {
                self.failures.push(failure);
            }
            self.exhausted |= self.failures.len() >= max;
        } else if self.applied.findings.len() < max {
            self.applied.findings.push(failure);
        }
    }

    /// Adds a row to the trace; the caller has seen that there is one.
    pub fn record(
        &mut self,
        origin: &Origin,
        (source, value): (String, String),
        target: String,
        outcome: Outcome,
    ) {
        if let Some(rows) = &mut self.trace {
            rows.push(Row { origin: origin.clone(), source, value, target, outcome });
        }
    }
}

/// Reads a place of the body; ambiguity is the sender's.
pub(super) fn read<'m>(path: &'m FieldPath, scope: Scope<'m>) -> Result<Option<Node<'m>>, Trouble<'m>> {
    path.read(scope.node, scope.root).map_err(|_| {
        let message = "two elements are there where one is expected";
        Trouble::sender(FailureCode::InvalidValue, message).at_path(path)
    })
}

/// The scope that a program begins with.
pub(super) fn outermost<'m>(input: &Input<'m>) -> Scope<'m> {
    let root = input.body.unwrap_or_else(|| EMPTY.root());
    Scope { node: input.scope.unwrap_or(root), root, index: input.index }
}

/// A pointer as a trace shows it: with its part, unless that is the body.
pub(super) fn place(part: Part, pointer: &str) -> String {
    match part {
        Part::Body => pointer.to_owned(),
        Part::Query => format!("query:{pointer}"),
        Part::Path => format!("path:{pointer}"),
        Part::Header => format!("header:{pointer}"),
    }
}
