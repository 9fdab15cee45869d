//! Filters of a list, applied to what would be answered.
//!
//! A mapping hands on what the legacy system can filter by; what it cannot, or filters more widely, is settled here.
//! What can be settled nowhere is refused: no filter is dropped. An entity without the attribute does not pass.

use jiff::Timestamp;

use crate::{
    json::Node,
    mapping::operation::Settled,
    sonata::{
        Function,
        check::{QueryCode, QueryFault},
        filter::{Comparison, Filter, Place, filter_of},
    },
};

/// The filters of one request that are applied here.
#[derive(Debug, Default)]
pub struct Filters<'q> {
    /// Those that read one place, by its first member: they hold of one element of it together.
    together: Vec<(&'q str, Vec<Condition<'q>>)>,
    /// Those that read any of several places.
    apart: Vec<Condition<'q>>,
}

/// A filter and the values of which any will do.
#[derive(Debug)]
struct Condition<'q> {
    name: &'q str,
    filter: Filter<'q>,
    values: Vec<&'q str>,
}

impl<'q> Filters<'q> {
    /// The filters of a query that are to be applied here. `settled` says where the filters of the operation are.
    ///
    /// # Errors
    /// The filters that can be settled nowhere.
    pub fn of(
        function: Function,
        query: &'q [(String, String)],
        settled: &[(Box<str>, Settled)],
    ) -> Result<Self, Vec<QueryFault>> {
        let (mut conditions, mut faults) = (Vec::<Condition<'q>>::new(), Vec::new());
        for (name, value) in query {
            let Some(filter) = filter_of(function, name) else { continue };
            let place = settled.iter().find(|(own, _)| **own == **name).map(|(_, settled)| *settled);
            match place.unwrap_or(Settled::Here) {
                Settled::There => {}
                Settled::Nowhere => {
                    let reason = format!("query parameter {name} cannot be applied to this list");
                    faults.push(QueryFault { code: QueryCode::InvalidQuery, reason });
                }
                Settled::Here => match conditions.iter_mut().find(|condition| condition.name == name) {
                    Some(condition) => condition.values.push(value),
                    None => conditions.push(Condition { name, filter, values: vec![value] }),
                },
            }
        }
        if faults.is_empty() { Ok(Self::grouped(conditions)) } else { Err(faults) }
    }

    fn grouped(conditions: Vec<Condition<'q>>) -> Self {
        let mut filters = Self::default();
        for condition in conditions {
            let first = match condition.filter.places.as_slice() {
                [one] => one.members.first().copied(),
                _ => None,
            };
            let Some(first) = first else {
                filters.apart.push(condition);
                continue;
            };
            match filters.together.iter_mut().find(|(own, _)| *own == first) {
                Some((_, group)) => group.push(condition),
                None => filters.together.push((first, vec![condition])),
            }
        }
        filters
    }

    /// Whether nothing is applied here.
    pub fn is_empty(&self) -> bool {
        self.together.is_empty() && self.apart.is_empty()
    }

    /// Whether an entity passes.
    pub fn passes(&self, entity: Node<'_>) -> bool {
        let apart = |condition: &Condition<'_>| {
            condition.filter.places.iter().any(|place| condition.holds(entity, place, &place.members))
        };
        let together = |(first, group): &(&str, Vec<Condition<'_>>)| {
            let holds = |node: Node<'_>| group.iter().all(|condition| condition.holds_below(node));
            match entity.get(first) {
                Some(node) if node.is_array() => node.elements().any(holds),
                Some(node) => holds(node),
                None => false,
            }
        };
        self.together.iter().all(together) && self.apart.iter().all(apart)
    }
}

impl Condition<'_> {
    /// Whether it holds below the first member of its only place.
    fn holds_below(&self, node: Node<'_>) -> bool {
        let place = self.filter.places.first();
        place.is_some_and(|place| self.holds(node, place, place.members.get(1..).unwrap_or_default()))
    }

    /// Whether any node at the place holds; arrays on the way are looked through.
    fn holds(&self, node: Node<'_>, place: &Place<'_>, rest: &[&str]) -> bool {
        if node.is_array() {
            return node.elements().any(|element| self.holds(element, place, rest));
        }
        let Some((name, rest)) = rest.split_first() else {
            return self.values.iter().any(|value| compare(node, self.filter.comparison, value));
        };
        let is_meant = |(member, texts): (&str, &[&str])| {
            let own = node.get(member);
            own.is_some_and(|own| texts.iter().any(|text| own.is_text(text)))
        };
        if rest.is_empty() && !place.only.is_none_or(is_meant) {
            return false;
        }
        node.get(name).is_some_and(|member| self.holds(member, place, rest))
    }
}

fn compare(node: Node<'_>, comparison: Comparison, value: &str) -> bool {
    if comparison == Comparison::Equal {
        return match node.as_str() {
            Some(text) => text == value,
            None => node.raw() == value,
        };
    }
    let (Some(own), Some(bound)) = (node.as_str().and_then(|text| time(&text)), time(value)) else {
        return false;
    };
    if comparison == Comparison::After { own > bound } else { own < bound }
}

/// A time; of a plain date its first moment, in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let of_date = || {
        let date = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10)?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    text.parse::<Timestamp>().ok().or_else(of_date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    const ORDER: &str = r#"{"state":"inProgress","externalId":"a b","orderDate":"2026-11-21T10:00:00Z","expediteIndicator":true,
        "productOrderItem":[
            {"requestedCompletionDate":"2026-12-01T00:00:00Z","expectedCompletionDate":"2026-12-20T00:00:00Z"},
            {"requestedCompletionDate":"2026-12-24T00:00:00Z"}],
        "productOrder":{"productOrderId":"o-1"}}"#;
    const PRODUCT: &str = r#"{"status":"active","productSpecification":{"id":"s-1"},"relatedSite":[{"id":"g-1"},{"id":"g-2"}],
        "productRelationship":[{"id":"p-2"}],"productOrderItem":[{"productOrderId":"o-1"}],"startDate":"2026-11-21"}"#;
    const WORK: &str = r#"{"appointmentRequired":true,
        "place":[{"@type":"GeographicAddressRef","id":"1"},{"@type":"GeographicSiteRef","id":"2"}],
        "relatedEntity":[{"@referredType":"Product","id":"p"},{"@referredType":"ProductOrder","id":"o"}]}"#;
    const SITE: &str = r#"{"name":"n","place":[{"city":"Bonn","streetNr":"1"},{"city":"Köln","streetNr":"2"}],
        "relatedContactInformation":[{"role":"serviceSiteContactName","name":"Ann"},{"role":"other","name":"Bob"}]}"#;
    const OFFERING: &str =
        r#"{"region":[{"country":"DE"},{"country":"FR"}],"marketSegment":["a","b"],"category":[{"id":"c"}]}"#;

    type Row = (Function, &'static str, &'static [(&'static str, &'static str)], bool);

    static ROWS: [Row; 31] = [
        (Function::ORDER, ORDER, &[("state", "inProgress")], true),
        (Function::ORDER, ORDER, &[("state", "completed")], false),
        (Function::ORDER, ORDER, &[("state", "completed"), ("state", "inProgress")], true),
        (Function::ORDER, ORDER, &[("externalId", "a b"), ("projectId", "p")], false),
        (
            Function::ORDER,
            ORDER,
            &[("orderDate.gt", "2026-11-21T09:59:59Z"), ("orderDate.lt", "2026-11-21T11:00:00+01:00")],
            false,
        ),
        (
            Function::ORDER,
            ORDER,
            &[("orderDate.gt", "2026-11-21T09:59:59Z"), ("orderDate.lt", "2026-11-21T12:00:00+01:00")],
            true,
        ),
        (Function::ORDER, ORDER, &[("itemRequestedCompletionDate.gt", "2026-12-20T00:00:00Z")], true),
        (Function::ORDER, ORDER, &[("itemExpectedCompletionDate.gt", "2026-12-21T00:00:00Z")], false),
        // One item is meant, not two of which each has half.
        (
            Function::ORDER,
            ORDER,
            &[
                ("itemRequestedCompletionDate.gt", "2026-12-02T00:00:00Z"),
                ("itemRequestedCompletionDate.lt", "2026-12-23T00:00:00Z"),
            ],
            false,
        ),
        (Function::ORDER, ORDER, &[("productOrderId", "o-1"), ("offset", "7"), ("buyerId", "x")], true),
        (Function::ORDER, ORDER, &[("expediteIndicator", "true")], true),
        (Function::INVENTORY, PRODUCT, &[("productSpecificationId", "s-1"), ("status", "active")], true),
        (Function::INVENTORY, PRODUCT, &[("productSpecificationId", "s-2")], false),
        (Function::INVENTORY, PRODUCT, &[("geographicalSiteId", "g-2"), ("relatedProductId", "p-2")], true),
        (Function::INVENTORY, PRODUCT, &[("billingAccountId", "a")], false),
        (Function::INVENTORY, PRODUCT, &[("productOrderId", "o-1")], true),
        (Function::INVENTORY, PRODUCT, &[("startDate.gt", "2026-11-20T23:59:59Z")], true),
        (Function::INVENTORY, PRODUCT, &[("startDate.gt", "2026-11-21T00:00:00Z")], false),
        (Function::WORK_ORDER, WORK, &[("geographicalSiteId", "2")], true),
        (Function::WORK_ORDER, WORK, &[("geographicalSiteId", "1")], false),
        (
            Function::WORK_ORDER,
            WORK,
            &[("geographicalAddressId", "1"), ("appointmentRequired", "true")],
            true,
        ),
        (
            Function::WORK_ORDER,
            WORK,
            &[("relatedEntityId", "o"), ("relatedEntityType", "ProductOrder")],
            true,
        ),
        (Function::WORK_ORDER, WORK, &[("relatedEntityId", "o"), ("relatedEntityType", "Product")], false),
        (Function::SITE, SITE, &[("city", "Köln"), ("streetNr", "2"), ("name", "n")], true),
        (Function::SITE, SITE, &[("city", "Köln"), ("streetNr", "1")], false),
        (Function::SITE, SITE, &[("serviceSiteContactName", "Ann")], true),
        (Function::SITE, SITE, &[("serviceSiteContactName", "Bob")], false),
        (Function::CATALOG, OFFERING, &[("region.country", "FR"), ("category.id", "c")], true),
        (Function::CATALOG, OFFERING, &[("region.country", "PL")], false),
        (Function::CATALOG, OFFERING, &[("marketSegment", "z"), ("marketSegment", "b")], true),
        (Function::CATALOG, OFFERING, &[("agreement", "x")], false),
    ];

    #[test]
    fn filters_pass_what_they_say() {
        for (function, entity, filters, expected) in ROWS {
            let entity = Document::from_text(entity).unwrap();
            let query: Vec<_> = filters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let filters = Filters::of(function, &query, &[]).unwrap();
            assert_eq!(filters.passes(entity.root()), expected, "{filters:?}");
        }
    }

    #[test]
    fn what_is_settled_elsewhere_is_not_looked_at_and_nowhere_is_refused() {
        let entity = Document::from_text(PRODUCT).unwrap();
        let query = [("status".to_owned(), "none".to_owned()), ("externalId".to_owned(), "x".to_owned())];
        let settled = |there, other| [("status".into(), there), ("externalId".into(), other)];
        let filters =
            Filters::of(Function::INVENTORY, &query, &settled(Settled::There, Settled::There)).unwrap();
        assert!(filters.is_empty() && filters.passes(entity.root()));
        let filters =
            Filters::of(Function::INVENTORY, &query, &settled(Settled::There, Settled::Here)).unwrap();
        assert!(!filters.is_empty() && !filters.passes(entity.root()));
        let faults =
            Filters::of(Function::INVENTORY, &query, &settled(Settled::Nowhere, Settled::Here)).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].reason.contains("status"), "{faults:?}");
    }
}
