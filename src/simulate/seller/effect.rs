//! What comes with a state: dates, prices, and other things that begin or go on.

use super::kind::Kind;
use super::{State, bill, order, poq, quote, ticket};

/// What the thing itself says from now on, before anybody is told.
pub(super) fn before(state: &mut State, kind: &Kind, id: &str) {
    match kind.name {
        "quote" => quote::stands(state, id),
        "productOrder" => order::stands(state, id),
        "productOfferingQualification" => poq::stands(state, id),
        "troubleTicket" | "incident" => ticket::stands(state, kind, id),
        _ => {}
    }
}

/// What follows elsewhere, after everybody was told.
pub(super) fn after(state: &mut State, kind: &Kind, id: &str) {
    match kind.name {
        "productOrder" => {
            order::follows(state, id);
            bill::follows(state, id);
        }
        "cancelProductOrder" => order::cancelled(state, id),
        "modifyProductOrderItemRequestedDeliveryDate" => order::modified(state, id),
        "troubleTicket" => ticket::follows(state, id),
        _ => {}
    }
}
