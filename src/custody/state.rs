//! Legal states: what a mapping proposes, what may follow, what a parent's state is.

use std::fmt;

use super::{Finding, FindingCode};
use crate::{
    json::Node,
    sonata::{
        entity::EntityKind,
        state::{StateMachine, machine},
    },
};

/// The state machines of one entity: its own and its items'.
#[derive(Debug, Clone, Copy)]
pub struct Machines {
    /// Its own, where the standard gives it one.
    pub own: Option<&'static StateMachine>,
    /// Its items'.
    pub item: Option<&'static StateMachine>,
}

impl Machines {
    /// Those of an entity. A budgetary quote has others than a firm one: `document` is the Buyer's message or the
    /// entity, which both say what was asked for.
    #[must_use]
    pub fn of(kind: EntityKind, document: Option<Node<'_>>) -> Self {
        let level = document.and_then(|node| node.get("buyerRequestedQuoteLevel"));
        if kind == EntityKind::Quote && level.is_some_and(|level| level.is_text("budgetary")) {
            return Self { own: machine("quoteBudgetary"), item: machine("quoteItemBudgetary") };
        }
        let (own, item) = kind.facts().machines;
        Self { own: machine(own), item: machine(item) }
    }
}

/// The states in which an entity has ended: nothing follows. Of a quote, those of firm and of budgetary ones.
pub fn ended(kind: EntityKind) -> Vec<&'static str> {
    let (own, _) = kind.facts().machines;
    let budgetary = (kind == EntityKind::Quote).then(|| machine("quoteBudgetary")).flatten();
    let machines: Vec<&StateMachine> = machine(own).into_iter().chain(budgetary).collect();
    let mut states: Vec<&str> = machines.iter().flat_map(|machine| machine.states()).collect();
    states.sort_unstable();
    states.dedup();
    let is_end =
        |state: &&str| machines.iter().all(|machine| !machine.has(state) || machine.is_terminal(state));
    states.retain(is_end);
    states
}

/// A request that its entity's state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the entity is in state {from}, from which it cannot become {to}")]
pub struct Illegal {
    /// The state that it is in; empty when it has none.
    pub from: String,
    /// The state that was asked for.
    pub to: &'static str,
}

/// Whether a Buyer's request may move the entity (MEF 115 R53, R54): one step, no detours.
///
/// # Errors
/// [`Illegal`] names both states; its text is safe to show.
pub fn may_move(kind: EntityKind, entity: Node<'_>, to: &'static str) -> Result<(), Illegal> {
    let attribute = kind.facts().state.unwrap_or("state");
    let from = entity.get(attribute).and_then(Node::as_str).unwrap_or_default();
    match Machines::of(kind, Some(entity)).own {
        Some(machine) if !machine.may_move(&from, to) => Err(Illegal { from: from.into_owned(), to }),
        _ => Ok(()),
    }
}

/// The states that an entity or item goes through now; the last is the one it is in, none means that it stays.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) states: Vec<String>,
    pub(super) finding: Option<Finding>,
}

/// Finds the legal way from the state that was to the one that is proposed, the missing steps put in.
///
/// What is illegal is a finding, never a failure: the legacy system has acted, and the old state stays.
pub(super) fn decide(
    machine: &StateMachine,
    before: Option<&str>,
    proposed: Option<&str>,
    what: &dyn fmt::Display,
) -> Way {
    let known = |state: &&str| machine.has(state);
    let unknown = proposed.filter(|state| !machine.has(state)).map(|_| {
        Finding::new(
            FindingCode::UnknownState,
            format!("{what}: a state that {} does not have", machine.entity),
        )
    });
    let proposed = proposed.filter(known);
    let first = || machine.initial().first().map(|state| vec![(*state).to_owned()]).unwrap_or_default();
    let Some(before) = before.filter(known) else {
        let Some(to) = proposed else { return Way { states: first(), finding: unknown } };
        return match from_start(machine, to) {
            Some(states) => Way { states, finding: None },
            None => Way { states: first(), finding: Some(illegal(machine, what, "creation", to)) },
        };
    };
    let Some(to) = proposed else { return Way { states: Vec::new(), finding: unknown } };
    match machine.steps(before, to) {
        Some(states) => Way { states: owned(&states), finding: None },
        None => Way { states: Vec::new(), finding: Some(illegal(machine, what, before, to)) },
    }
}

fn owned(states: &[&str]) -> Vec<String> {
    states.iter().map(|state| (*state).to_owned()).collect()
}

fn from_start(machine: &StateMachine, to: &str) -> Option<Vec<String>> {
    if machine.may_start(to) {
        return Some(vec![to.to_owned()]);
    }
    machine.initial().iter().find_map(|first| {
        let steps = machine.steps(first, to)?;
        let mut states = vec![(*first).to_owned()];
        states.extend(owned(&steps));
        Some(states)
    })
}

fn illegal(machine: &StateMachine, what: &dyn fmt::Display, from: &str, to: &str) -> Finding {
    let message = format!("{what}: {to} cannot follow {from} in {}", machine.entity);
    Finding::new(FindingCode::IllegalState, message)
}

/// A parent's state, as its items' states give it (MEF 87 R48 to R50; MEF 115 R52 and Tables 9, 10; MEF 123
/// section 6).
///
/// `None` where the items do not decide: the parent then stays as it is.
pub(super) fn aggregate(kind: EntityKind, items: &[String]) -> Option<&'static str> {
    let items = Items(items);
    match kind {
        _ if items.0.is_empty() => None,
        EntityKind::ProductOfferingQualification => Some(qualification(items)),
        EntityKind::Quote => Some(quote(items)),
        EntityKind::ProductOrder => Some(order(items)),
        EntityKind::Charge => Some(charge(items)),
        // No other kind has items with states of their own.
        _ => None,
    }
}

/// The states of all items.
#[derive(Clone, Copy)]
struct Items<'a>(&'a [String]);

impl Items<'_> {
    fn all(self, states: &[&str]) -> bool {
        self.0.iter().all(|state| states.contains(&state.as_str()))
    }

    fn any(self, states: &[&str]) -> bool {
        self.0.iter().any(|state| states.contains(&state.as_str()))
    }
}

/// MEF 87 R48 to R50.
fn qualification(items: Items<'_>) -> &'static str {
    if items.any(&["terminatedWithError"]) {
        "terminatedWithError"
    } else if items.all(&["done.ready"]) {
        "done.ready"
    } else if items.all(&["done.ready", "done.abandoned"]) {
        "done.unableToProvide"
    } else if items.all(&["acknowledged"]) {
        "acknowledged"
    } else {
        "inProgress"
    }
}

fn quote(items: Items<'_>) -> &'static str {
    if items.any(&["rejected"]) {
        "rejected"
    } else if items.any(&["unableToProvide", "abandoned"]) {
        "unableToProvide"
    } else if items.all(&["approved.orderable"]) {
        "approved.orderable"
    } else if items.all(&["approved.orderable", "approved.orderableAlternate"]) {
        "approved.orderableAlternate"
    } else if items.all(&["answered"]) {
        "answered"
    } else if items.any(&["inProgress.draft"]) {
        "inProgress.draft"
    } else if items.all(&["acknowledged"]) {
        "acknowledged"
    } else {
        "inProgress"
    }
}

fn order(items: Items<'_>) -> &'static str {
    if items.any(&["rejected", "rejected.validated", "rejected.unassessed"]) {
        "rejected"
    } else if items.all(&["completed"]) {
        "completed"
    } else if items.all(&["failed"]) {
        "failed"
    } else if items.all(&["cancelled"]) {
        "cancelled"
    } else if items.all(&["completed", "failed", "cancelled"]) {
        "partial"
    } else if items.any(&["held"]) {
        "held.assessingCharge"
    } else if items.any(&["pending"]) {
        "pending.assessingModification"
    } else if items.all(&["acknowledged"]) {
        "acknowledged"
    } else {
        "inProgress"
    }
}

fn charge(items: Items<'_>) -> &'static str {
    if items.all(&["withdrawnBySeller"]) {
        "withdrawnBySeller"
    } else if items.any(&["awaitingResponse"]) {
        "awaitingResponse"
    } else {
        "completed"
    }
}
