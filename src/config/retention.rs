//! `retention:` how long entities are kept after they have ended.

use std::{collections::BTreeMap, time::Duration};

use super::{custody, number::Number};
use crate::{
    sonata::entity::EntityKind,
    text::{
        Diagnostics,
        yaml::{Fields, Node},
    },
};

/// Days.
const BOUNDS: (u64, u64) = (1, 36_500);

/// One for each kind that has a state, in the order of the kinds.
pub(super) const NUMBERS: &[Number] = &[
    Number::new("product_offering_qualification_days", 1095, BOUNDS, "qualifications"),
    Number::new("quote_days", 1095, BOUNDS, "quotes; one that was ordered stays with its order"),
    Number::new("product_order_days", 3650, BOUNDS, "orders"),
    Number::new(
        "cancel_product_order_days",
        3650,
        BOUNDS,
        "cancellations of orders; they stay with their order",
    ),
    Number::new("charge_days", 3650, BOUNDS, "charges; they stay with their order"),
    Number::new(
        "modify_product_order_item_requested_delivery_date_days",
        3650,
        BOUNDS,
        "changes of delivery dates; they stay with their order",
    ),
    Number::new("product_days", 3650, BOUNDS, "products of the inventory"),
    Number::new("trouble_ticket_days", 1095, BOUNDS, "trouble tickets"),
    Number::new("incident_days", 1095, BOUNDS, "incidents"),
    Number::new("customer_bill_days", 3650, BOUNDS, "bills"),
    Number::new("customer_bill_item_days", 3650, BOUNDS, "positions of bills"),
    Number::new("work_order_days", 1095, BOUNDS, "work orders"),
    Number::new("appointment_days", 1095, BOUNDS, "appointments"),
];

/// How long entities of each kind are kept after their last change, once they have ended. A kind that is not in it is kept
/// for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention(pub BTreeMap<EntityKind, Duration>);

impl Retention {
    pub(super) fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`retention`", out);
        let days = custody::kinds().zip(NUMBERS).map(|(kind, number)| (kind, number.days(&mut fields, out)));
        let kept = Self(days.collect());
        fields.finish(out);
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_has_a_state_has_a_retention_under_its_name() {
        let mut names = Vec::new();
        for kind in custody::kinds() {
            let mut name = String::new();
            for letter in kind.name().chars() {
                if letter.is_uppercase() {
                    name.push('_');
                }
                name.extend(letter.to_lowercase());
            }
            names.push(format!("{name}_days"));
        }
        assert_eq!(NUMBERS.iter().map(|number| number.key).collect::<Vec<_>>(), names);
    }
}
