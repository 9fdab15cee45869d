//! Filters of a list, applied to what would be answered.
//!
//! A mapping hands on what the legacy system can filter by; what it cannot, or filters more widely, is settled here,
//! so that no filter is dropped. A filter on an attribute that an entity does not have is not passed.

use jiff::Timestamp;

use crate::json::Node;

/// Parameters that say who asks and which part is wanted; they filter nothing.
const OTHERS: [&str; 4] = ["buyerId", "sellerId", "offset", "limit"];

/// Filters whose attribute does not carry their name: members from the entity, items taken one by one.
const PLACES: [(&str, &[&str]); 4] = [
    ("productOrderId", &["productOrder", "productOrderId"]),
    ("productOrderItemId", &["productOrderItem", "productOrderItemId"]),
    ("itemRequestedCompletionDate", &["productOrderItem", "requestedCompletionDate"]),
    ("itemExpectedCompletionDate", &["productOrderItem", "expectedCompletionDate"]),
];

/// How the value of a filter is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    After,
    Before,
}

/// Whether an entity passes all filters; a filter given several times passes with any of its values.
#[must_use]
pub fn passes(entity: Node<'_>, query: &[(String, String)]) -> bool {
    let filters = query.iter().filter(|(name, _)| !OTHERS.contains(&name.as_str()));
    filters.clone().all(|(name, _)| {
        let mut values = filters.clone().filter(|(other, _)| other == name);
        values.any(|(_, value)| passes_one(entity, name, value))
    })
}

fn passes_one(entity: Node<'_>, name: &str, value: &str) -> bool {
    let (attribute, comparison) = match (name.strip_suffix(".gt"), name.strip_suffix(".lt")) {
        (Some(attribute), _) => (attribute, Comparison::After),
        (_, Some(attribute)) => (attribute, Comparison::Before),
        _ => (name, Comparison::Equal),
    };
    let own = [attribute];
    let place = PLACES.iter().find(|(filter, _)| *filter == attribute).map(|(_, place)| *place);
    let holds = |place: &[&str]| at(entity, place, &|node| compare(node, comparison, value));
    match place {
        // An order is named as a whole by some tasks and through its item by others.
        Some(["productOrder", "productOrderId"]) => {
            holds(&["productOrder", "productOrderId"]) || holds(&["productOrderItem", "productOrderId"])
        }
        Some(place) => holds(place),
        None => holds(&own),
    }
}

/// Whether any node at the place holds; arrays on the way are looked through.
fn at(node: Node<'_>, place: &[&str], holds: &dyn Fn(Node<'_>) -> bool) -> bool {
    if node.is_array() {
        return node.elements().any(|element| at(element, place, holds));
    }
    match place.split_first() {
        None => holds(node),
        Some((name, rest)) => node.get(name).is_some_and(|member| at(member, rest, holds)),
    }
}

fn compare(node: Node<'_>, comparison: Comparison, value: &str) -> bool {
    if comparison == Comparison::Equal {
        return match node.as_str() {
            Some(text) => text == value,
            None => node.raw() == value,
        };
    }
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let (Some(own), Some(bound)) = (node.as_str().and_then(|text| time(&text)), time(value)) else {
        return false;
    };
    if comparison == Comparison::After { own > bound } else { own < bound }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn what_passes() {
        let entity = Document::from_text(
            r#"{"state":"inProgress","externalId":"a b","orderDate":"2026-11-21T10:00:00Z","expediteIndicator":true,
                "productOrderItem":[{"requestedCompletionDate":"2026-12-01T00:00:00Z"},{}],
                "productOrder":{"productOrderId":"o-1"}}"#,
        )
        .unwrap();
        let rows = [
            (vec![("state", "inProgress")], true),
            (vec![("state", "completed")], false),
            (vec![("state", "completed"), ("state", "inProgress")], true),
            (vec![("externalId", "a b"), ("projectId", "p")], false),
            (
                vec![("orderDate.gt", "2026-11-21T09:59:59Z"), ("orderDate.lt", "2026-11-21T11:00:00+01:00")],
                false,
            ),
            (
                vec![("orderDate.gt", "2026-11-21T09:59:59Z"), ("orderDate.lt", "2026-11-21T12:00:00+01:00")],
                true,
            ),
            (vec![("itemRequestedCompletionDate.gt", "2026-11-30T00:00:00Z")], true),
            (vec![("itemExpectedCompletionDate.gt", "2026-11-30T00:00:00Z")], false),
            (vec![("productOrderId", "o-1"), ("offset", "7"), ("buyerId", "x")], true),
            (vec![("expediteIndicator", "true")], true),
        ];
        for (filters, expected) in rows {
            let query: Vec<_> = filters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(passes(entity.root(), &query), expected, "{filters:?}");
        }
    }
}
