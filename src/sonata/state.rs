//! State machines of the standard's entities: which states there are, and which follows which.
//!
//! From the state diagrams and tables of the Developer Guides in the edition of grace. A mapping proposes a state;
//! [`StateMachine::steps`] finds the legal way to it, and [`StateMachine::may_move`] judges one step.

use std::collections::VecDeque;

/// The states of one kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateMachine {
    /// The entity, such as `quoteFirm`.
    pub entity: &'static str,
    /// The attribute that holds the state: `state` or `status`, or `lifecycleStatus`.
    pub attribute: &'static str,
    /// Each state with those that may follow; first the states in which an entity may be created.
    rows: &'static [(&'static str, &'static [&'static str])],
    /// States in which an entity may be created when it is answered at once.
    immediate: &'static [&'static str],
}

/// Stands before creation in the tables.
const START: &str = "";

macro_rules! machine {
    ($entity:literal, $attribute:literal, start [$($first:literal)*] immediate [$($now:literal)*]
     $($from:literal => [$($to:literal)*])*) => {
        StateMachine {
            entity: $entity,
            attribute: $attribute,
            rows: &[(START, &[$($first),*]), $(($from, &[$($to),*])),*],
            immediate: &[$($now),*],
        }
    };
}

/// All state machines.
pub static MACHINES: &[StateMachine] = &[
    // MEF 87
    machine!("poq", "state", start ["acknowledged"] immediate ["done.ready" "terminatedWithError"]
        "acknowledged" => ["inProgress"]
        "inProgress" => ["done.ready" "terminatedWithError" "done.unableToProvide"]
        "done.ready" => [] "done.unableToProvide" => [] "terminatedWithError" => []),
    machine!("poqItem", "state", start ["acknowledged"] immediate ["done.ready" "terminatedWithError"]
        "acknowledged" => ["inProgress"]
        "inProgress" => ["done.ready" "done.abandoned" "terminatedWithError"]
        "done.ready" => [] "done.abandoned" => [] "terminatedWithError" => []),
    // MEF 115
    machine!("quoteFirm", "state", start ["acknowledged"]
        immediate ["approved.orderable" "approved.orderableAlternate" "unableToProvide"]
        "acknowledged" => ["inProgress" "rejected"]
        "inProgress" => ["inProgress.draft" "cancelled" "approved.orderable" "approved.orderableAlternate"
                         "unableToProvide"]
        "inProgress.draft" => ["cancelled" "approved.orderable" "approved.orderableAlternate" "unableToProvide"]
        "approved.orderable" => ["declined" "accepted" "expired"]
        "approved.orderableAlternate" => ["declined" "accepted" "expired"]
        "accepted" => [] "declined" => [] "expired" => [] "cancelled" => [] "rejected" => []
        "unableToProvide" => []),
    machine!("quoteBudgetary", "state", start ["acknowledged"] immediate ["answered" "unableToProvide"]
        "acknowledged" => ["inProgress" "rejected"]
        "inProgress" => ["cancelled" "answered" "unableToProvide"]
        "answered" => ["expired"]
        "expired" => [] "cancelled" => [] "rejected" => [] "unableToProvide" => []),
    machine!("quoteItemFirm", "state", start ["acknowledged"]
        immediate ["approved.orderable" "approved.orderableAlternate" "unableToProvide" "abandoned"]
        "acknowledged" => ["inProgress" "rejected" "abandoned"]
        "inProgress" => ["inProgress.draft" "abandoned" "unableToProvide" "approved.orderable"
                         "approved.orderableAlternate"]
        "inProgress.draft" => ["abandoned" "unableToProvide" "approved.orderable" "approved.orderableAlternate"]
        "approved.orderable" => [] "approved.orderableAlternate" => [] "rejected" => [] "abandoned" => []
        "unableToProvide" => []),
    machine!("quoteItemBudgetary", "state", start ["acknowledged"]
        immediate ["answered" "unableToProvide" "abandoned"]
        "acknowledged" => ["inProgress" "rejected" "abandoned"]
        "inProgress" => ["abandoned" "unableToProvide" "answered"]
        "answered" => [] "rejected" => [] "abandoned" => [] "unableToProvide" => []),
    // MEF 123
    machine!("productOrder", "state", start ["acknowledged"] immediate []
        "acknowledged" => ["inProgress" "rejected"]
        "inProgress" => ["pending.assessingModification" "completed" "failed" "partial" "held.assessingCharge"
                         "assessingCancellation" "pendingCancellation"]
        "pending.assessingModification" => ["inProgress"]
        "held.assessingCharge" => ["inProgress"]
        "assessingCancellation" => ["inProgress" "pendingCancellation"]
        "pendingCancellation" => ["cancelled"]
        "completed" => [] "failed" => [] "partial" => [] "cancelled" => [] "rejected" => []),
    machine!("productOrderItem", "state", start ["acknowledged"] immediate []
        "acknowledged" => ["inProgress" "rejected" "rejected.validated" "rejected.unassessed"]
        "inProgress" => ["completed" "failed" "held" "pending"]
        "held" => ["inProgress" "failed"]
        "pending" => ["inProgress" "failed" "cancelled"]
        "completed" => [] "failed" => [] "cancelled" => [] "rejected" => [] "rejected.validated" => []
        "rejected.unassessed" => []),
    machine!("cancelProductOrder", "state", start ["acknowledged"] immediate []
        "acknowledged" => ["rejected" "done" "inProgress.assessingCharge"]
        "inProgress.assessingCharge" => ["done" "done.declined"]
        "done" => [] "done.declined" => [] "rejected" => []),
    machine!("modifyProductOrderItemRequestedDeliveryDate", "state", start ["acknowledged"] immediate []
        "acknowledged" => ["rejected" "done" "inProgress.assessingCharge"]
        "inProgress.assessingCharge" => ["done" "done.declined"]
        "done" => [] "done.declined" => [] "rejected" => []),
    machine!("charge", "state", start ["awaitingResponse"] immediate []
        "awaitingResponse" => ["completed" "withdrawnBySeller" "timeout"]
        "completed" => [] "withdrawnBySeller" => [] "timeout" => []),
    machine!("chargeItem", "state", start ["awaitingResponse"] immediate []
        "awaitingResponse" => ["acceptedByBuyer" "declinedByBuyer" "withdrawnBySeller"]
        "acceptedByBuyer" => [] "declinedByBuyer" => [] "withdrawnBySeller" => []),
    // MEF 116
    machine!("product", "status", start ["active" "pendingActive"] immediate []
        "pendingActive" => ["active" "cancelled"]
        "active" => ["active.pendingChange" "suspended" "pendingTerminate"]
        "active.pendingChange" => ["active"]
        "suspended" => ["active" "suspendedPendingTerminate"]
        "pendingTerminate" => ["active" "terminated"]
        "suspendedPendingTerminate" => ["suspended" "terminated"]
        "terminated" => [] "cancelled" => []),
    // MEF 124
    machine!("troubleTicket", "status", start ["acknowledged"] immediate []
        "acknowledged" => ["inProgress" "assessingCancellation"]
        "inProgress" => ["resolved" "pending" "assessingCancellation"]
        "pending" => ["assessingCancellation" "inProgress"]
        "resolved" => ["closed" "reopened"]
        "reopened" => ["inProgress"]
        "assessingCancellation" => ["cancelled"]
        "closed" => [] "cancelled" => []),
    machine!("incident", "status", start ["created"] immediate []
        "created" => ["inProgress" "closed"]
        "inProgress" => ["closed"]
        "closed" => []),
    // MEF 137; a confirmed appointment is rescheduled without leaving its state
    machine!("appointment", "status", start ["confirmed"] immediate []
        "confirmed" => ["confirmed" "inProgress" "cancelled"]
        "inProgress" => ["completed" "missed" "failed"]
        "completed" => [] "missed" => [] "failed" => [] "cancelled" => []),
    machine!("workOrder", "state", start ["open"] immediate []
        "open" => ["planned" "inProgress" "cancelled"]
        "planned" => ["inProgress" "cancelled" "open"]
        "inProgress" => ["completed" "unableToComplete"]
        "completed" => [] "unableToComplete" => [] "cancelled" => []),
    // MEF 141
    machine!("customerBill", "state", start ["generated"] immediate []
        "generated" => ["settled" "paymentDue"]
        "paymentDue" => ["settled"]
        "settled" => []),
    machine!("customerBillItem", "state", start ["generated"] immediate []
        "generated" => ["settled" "disputeBeingInvestigated" "withDrawn" "credit" "paymentDue"]
        "disputeBeingInvestigated" => ["withDrawn" "credit" "paymentDue"]
        "paymentDue" => ["settled"]
        "credit" => ["settled"]
        "settled" => [] "withDrawn" => []),
    // MEF 142
    machine!("productOffering", "lifecycleStatus", start ["announced" "inTest"] immediate []
        "inTest" => ["rejected" "announced"]
        "announced" => ["orderable" "onHold"]
        "onHold" => ["announced" "endOfSale"]
        "orderable" => ["endOfSale"]
        "endOfSale" => ["endOfSupport" "obsolete"]
        "endOfSupport" => ["obsolete"]
        "obsolete" => [] "rejected" => []),
    machine!("productSpecification", "lifecycleStatus", start ["published"] immediate []
        "published" => ["obsolete"]
        "obsolete" => []),
];

/// The state machine of an entity. Firm and budgetary quotes, and their items, have their own.
pub fn machine(entity: &str) -> Option<&'static StateMachine> {
    MACHINES.iter().find(|machine| machine.entity == entity)
}

impl StateMachine {
    /// All states, in the order of the tables.
    pub fn states(&self) -> impl Iterator<Item = &'static str> {
        self.rows.iter().map(|(state, _)| *state).filter(|state| *state != START)
    }

    /// States in which an entity is created when the answer is deferred; the first is the usual one.
    pub fn initial(&self) -> &'static [&'static str] {
        self.after(START).unwrap_or_default()
    }

    /// States in which an entity may be created besides when it is answered at once.
    pub fn immediate(&self) -> &'static [&'static str] {
        self.immediate
    }

    /// Whether an entity may be created in this state.
    pub fn may_start(&self, state: &str) -> bool {
        self.initial().contains(&state) || self.immediate.contains(&state)
    }

    /// Whether nothing follows; false for what is no state.
    pub fn is_terminal(&self, state: &str) -> bool {
        state != START && self.after(state).is_some_and(<[_]>::is_empty)
    }

    /// Whether this is one of the states.
    pub fn has(&self, state: &str) -> bool {
        state != START && self.after(state).is_some()
    }

    /// Whether one state may follow the other at once.
    pub fn may_move(&self, from: &str, to: &str) -> bool {
        from != START && self.after(from).is_some_and(|next| next.contains(&to))
    }

    /// The fewest steps from a state to another, the goal last; empty if they are the same, `None` if there is no
    /// legal way.
    pub fn steps(&self, from: &str, to: &str) -> Option<Vec<&'static str>> {
        if from == to && self.has(from) {
            return Some(Vec::new());
        }
        let mut ways = VecDeque::from([(from, Vec::new())]);
        let mut seen = vec![from];
        while let Some((at, way)) = ways.pop_front() {
            for next in self.after(at).filter(|_| at != START)?.iter().copied() {
                let way: Vec<&'static str> = way.iter().copied().chain([next]).collect();
                if next == to {
                    return Some(way);
                }
                if !seen.contains(&next) {
                    seen.push(next);
                    ways.push_back((next, way));
                }
            }
        }
        None
    }

    fn after(&self, state: &str) -> Option<&'static [&'static str]> {
        self.rows.iter().find(|(own, _)| *own == state).map(|(_, next)| *next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonata::{Function, Release, catalogue};

    #[test]
    fn tables_are_coherent() {
        for machine in MACHINES {
            let states: Vec<&str> = machine.states().collect();
            for (index, state) in states.iter().enumerate() {
                assert!(!states[..index].contains(state), "{} has {state} twice", machine.entity);
            }
            for state in machine.rows.iter().flat_map(|(_, next)| *next).chain(machine.immediate) {
                assert!(machine.has(state), "{} has no row for {state}", machine.entity);
            }
            let starts = machine.initial().iter().chain(machine.immediate);
            for state in &states {
                let reached = starts.clone().any(|start| machine.steps(start, state).is_some());
                assert!(reached, "{}: {state} is never reached", machine.entity);
            }
        }
    }

    #[test]
    fn states_are_those_of_the_contracts() {
        let rows = [
            (Function::QUOTE, "Quote", &["quoteFirm", "quoteBudgetary"][..]),
            (Function::QUOTE, "QuoteItem", &["quoteItemFirm", "quoteItemBudgetary"]),
            (Function::ORDER, "ProductOrder", &["productOrder"]),
            (Function::ORDER, "ProductOrderItem", &["productOrderItem"]),
            (Function::ORDER, "CancelProductOrder", &["cancelProductOrder"]),
            (Function::ORDER, "MEFProductOrderCharge", &["charge"]),
            (Function::ORDER, "MEFProductOrderChargeItem", &["chargeItem"]),
            (Function::POQ, "ProductOfferingQualification", &["poq"]),
            (Function::POQ, "ProductOfferingQualificationItem", &["poqItem"]),
            (Function::INVENTORY, "MEFProduct", &["product"]),
            (Function::TROUBLE_TICKET, "TroubleTicket", &["troubleTicket"]),
            (Function::TROUBLE_TICKET, "Incident", &["incident"]),
            (Function::APPOINTMENT, "Appointment", &["appointment"]),
            (Function::WORK_ORDER, "WorkOrder", &["workOrder"]),
            (Function::BILLING, "CustomerBill", &["customerBill"]),
            (Function::BILLING, "CustomerBillItem", &["customerBillItem"]),
            (Function::CATALOG, "ProductOffering", &["productOffering"]),
            (Function::CATALOG, "ProductSpecification", &["productSpecification"]),
        ];
        for (function, type_name, entities) in rows {
            let contract = catalogue().contract(Release::GRACE, function).unwrap();
            let view = contract.view_named(type_name).unwrap_or_else(|| panic!("{type_name}"));
            let mut ours: Vec<&str> = Vec::new();
            let mut attribute = "";
            for entity in entities {
                let machine = machine(entity).unwrap();
                attribute = machine.attribute;
                ours.extend(machine.states());
            }
            let member = view.member(attribute).unwrap_or_else(|| panic!("{type_name}.{attribute}"));
            let mut theirs: Vec<&str> = member.value.enum_values().collect();
            ours.sort_unstable();
            ours.dedup();
            theirs.sort_unstable();
            assert_eq!(ours, theirs, "{type_name}");
        }
    }

    #[test]
    fn steps_are_the_fewest_legal_ones() {
        let quote = machine("quoteFirm").unwrap();
        assert_eq!(
            quote.steps("acknowledged", "accepted").unwrap(),
            ["inProgress", "approved.orderable", "accepted"]
        );
        assert_eq!(quote.steps("accepted", "accepted").unwrap(), [""; 0]);
        assert_eq!(quote.steps("accepted", "cancelled"), None);
        assert_eq!(quote.steps("nonsense", "accepted"), None);
        assert!(quote.is_terminal("expired") && !quote.is_terminal("inProgress") && !quote.is_terminal("x"));
        assert!(quote.may_start("acknowledged") && quote.may_start("approved.orderable"));
        assert!(!quote.may_start("accepted") && !quote.may_move("", "acknowledged"));
    }

    /// Names of the digest's machines, and ours. `immediate` starts of items are not in its list.
    const DIGEST: &[(&str, &str)] = &[
        ("POQ", "poq"),
        ("POQItem", "poqItem"),
        ("QuoteFirm", "quoteFirm"),
        ("QuoteBudgetary", "quoteBudgetary"),
        ("QuoteItemFirm", "quoteItemFirm"),
        ("QuoteItemBudgetary", "quoteItemBudgetary"),
        ("ProductOrder", "productOrder"),
        ("ProductOrderItem", "productOrderItem"),
        ("CancelProductOrder_and_ModifyRequestedDeliveryDate", "cancelProductOrder"),
        ("CancelProductOrder_and_ModifyRequestedDeliveryDate", "modifyProductOrderItemRequestedDeliveryDate"),
        ("Charge", "charge"),
        ("ChargeItem", "chargeItem"),
        ("Product", "product"),
        ("TroubleTicket", "troubleTicket"),
        ("Incident", "incident"),
        ("Appointment", "appointment"),
        ("WorkOrder", "workOrder"),
        ("CustomerBill", "customerBill"),
        ("CustomerBillItem", "customerBillItem"),
        ("ProductOffering(catalog)", "productOffering"),
        ("ProductSpecification(catalog)", "productSpecification"),
    ];

    #[test]
    fn transitions_are_those_of_the_digest() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/design/sonata-states.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: ../shared/design/sonata-states.json is not here");
            return;
        };
        let digest: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (theirs, ours) in DIGEST {
            let machine = machine(ours).unwrap();
            let rows = digest[theirs]["t"].as_array().unwrap();
            let text = |row: &serde_json::Value, index: usize| row[index].as_str().unwrap_or("").to_owned();
            let mut moves = 0;
            for row in rows {
                let (from, to) = (text(row, 0), text(row, 1));
                if from == "start" {
                    assert!(machine.may_start(&to), "{ours} starts as {to}");
                } else {
                    assert!(machine.may_move(&from, &to), "{ours}: {from} to {to}");
                    moves += 1;
                }
            }
            let own: usize = machine.states().map(|state| machine.after(state).unwrap().len()).sum();
            assert_eq!(own, moves, "{ours} has moves that the digest does not have");
            let terminal = digest[theirs]["terminal"].as_array().unwrap();
            assert!(terminal.iter().all(|state| machine.is_terminal(state.as_str().unwrap())), "{ours}");
            assert_eq!(machine.states().filter(|state| machine.is_terminal(state)).count(), terminal.len());
        }
        assert_eq!(DIGEST.len(), MACHINES.len());
    }
}
