//! Which attribute a filter of a list reads: facts of the standard that the interface files say in words only.
//!
//! A filter is mostly named by the attribute that it reads (`state`, `region.country`), and by `.gt` and `.lt` where
//! it bounds a time. The others are in a table here, beside the duties of `entity`.

use super::Function;

/// How a filter's value is compared with the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same text.
    Equal,
    /// A later time.
    After,
    /// An earlier time.
    Before,
}

/// A place that a filter reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'f> {
    /// Members from the entity; arrays on the way are looked through.
    pub members: Vec<&'f str>,
    /// A member beside the last one, and the texts of which it must have one.
    pub only: Option<(&'static str, &'static [&'static str])>,
}

/// What a filter asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter<'f> {
    /// How the value is compared.
    pub comparison: Comparison,
    /// The places of which any may hold.
    pub places: Vec<Place<'f>>,
}

/// Query parameters of lists that say who asks and which part is wanted.
const OTHERS: [&str; 4] = ["buyerId", "sellerId", "offset", "limit"];

struct Row {
    function: Function,
    /// The filter, with `.gt` or `.lt` where only that one reads this.
    name: &'static str,
    members: &'static [&'static str],
    only: Option<(&'static str, &'static [&'static str])>,
}

const fn row(function: Function, name: &'static str, members: &'static [&'static str]) -> Row {
    Row { function, name, members, only: None }
}

/// A place by what it refers to: `@type` tells a site from an address.
const fn referring(
    function: Function,
    name: &'static str,
    members: &'static [&'static str],
    types: &'static [&'static str],
) -> Row {
    Row { function, name, members, only: Some(("@type", types)) }
}

const ADDRESS: &[&str] = &["GeographicAddressRef"];
const SITE: &[&str] = &["GeographicSiteRef"];
/// As the interface file has the role, and as its neighbours spell such roles.
const SITE_CONTACT: &[&str] = &["serviceSiteContactName", "serviceSiteContact"];

/// Filters whose attribute does not carry their name; a name that stands twice reads either place.
static ROWS: [Row; 30] = [
    row(Function::ORDER, "productOrderId", &["productOrder", "productOrderId"]),
    row(Function::ORDER, "productOrderId", &["productOrderItem", "productOrderId"]),
    row(Function::ORDER, "productOrderItemId", &["productOrderItem", "productOrderItemId"]),
    row(Function::ORDER, "itemRequestedCompletionDate", &["productOrderItem", "requestedCompletionDate"]),
    row(Function::ORDER, "itemExpectedCompletionDate", &["productOrderItem", "expectedCompletionDate"]),
    row(Function::INVENTORY, "productSpecificationId", &["productSpecification", "id"]),
    row(Function::INVENTORY, "productOfferingId", &["productOffering", "id"]),
    row(Function::INVENTORY, "geographicalSiteId", &["relatedSite", "id"]),
    row(Function::INVENTORY, "relatedProductId", &["productRelationship", "id"]),
    row(Function::INVENTORY, "billingAccountId", &["billingAccount", "id"]),
    row(Function::INVENTORY, "productOrderId", &["productOrderItem", "productOrderId"]),
    row(Function::SITE, "geographicAddress.id", &["place", "id"]),
    row(Function::SITE, "streetNr", &["place", "streetNr"]),
    row(Function::SITE, "streetName", &["place", "streetName"]),
    row(Function::SITE, "streetType", &["place", "streetType"]),
    row(Function::SITE, "city", &["place", "city"]),
    row(Function::SITE, "postcode", &["place", "postcode"]),
    row(Function::SITE, "country", &["place", "country"]),
    Row {
        only: Some(("role", SITE_CONTACT)),
        ..row(Function::SITE, "serviceSiteContactName", &["relatedContactInformation", "name"])
    },
    row(Function::TROUBLE_TICKET, "relatedEntityId", &["relatedEntity", "id"]),
    row(Function::TROUBLE_TICKET, "relatedEntityType", &["relatedEntity", "@referredType"]),
    row(Function::WORK_ORDER, "relatedEntityId", &["relatedEntity", "id"]),
    row(Function::WORK_ORDER, "relatedEntityType", &["relatedEntity", "@referredType"]),
    referring(Function::WORK_ORDER, "geographicalSiteId", &["place", "id"], SITE),
    referring(Function::WORK_ORDER, "geographicalAddressId", &["place", "id"], ADDRESS),
    row(Function::APPOINTMENT, "workOrderId", &["workOrder", "id"]),
    referring(Function::APPOINTMENT, "geographicSiteId", &["relatedPlace", "id"], SITE),
    referring(Function::APPOINTMENT, "geographicAddressId", &["relatedPlace", "id"], ADDRESS),
    // An appointment is within the bounds as a whole.
    row(Function::APPOINTMENT, "validFor.gt", &["validFor", "startDateTime"]),
    row(Function::APPOINTMENT, "validFor.lt", &["validFor", "endDateTime"]),
];

/// What a query parameter of a list asks; none where it is no filter.
#[must_use]
pub fn filter_of(function: Function, name: &str) -> Option<Filter<'_>> {
    if OTHERS.contains(&name) {
        return None;
    }
    let (attribute, comparison) = match (name.strip_suffix(".gt"), name.strip_suffix(".lt")) {
        (Some(attribute), _) => (attribute, Comparison::After),
        (_, Some(attribute)) => (attribute, Comparison::Before),
        _ => (name, Comparison::Equal),
    };
    let rows = ROWS.iter().filter(|row| row.function == function);
    let rows = rows.filter(|row| row.name == name || row.name == attribute);
    let mut places: Vec<Place<'_>> =
        rows.map(|row| Place { members: row.members.to_vec(), only: row.only }).collect();
    if places.is_empty() {
        places.push(Place { members: attribute.split('.').collect(), only: None });
    }
    Some(Filter { comparison, places })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonata::{Release, TypeView, catalogue};

    fn reaches(view: TypeView<'_>, members: &[&str]) -> bool {
        let view = view.item().unwrap_or(view);
        let Some((name, rest)) = members.split_first() else { return true };
        let own = view.member(name).map(|member| member.value);
        let others = view.derived_names().filter_map(|case| view.member_as(name, Some(case)));
        let others = others.map(|member| member.value);
        own.into_iter().chain(others).any(|value| reaches(value, rest))
    }

    #[test]
    fn every_filter_of_every_list_reads_an_attribute_that_some_answer_has() {
        let mut rows: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        let mut lists = 0;
        for function in Function::all() {
            let Some(contract) = catalogue().contract(Release::GRACE, function) else { continue };
            for operation in contract.operations.iter() {
                if !operation.operation_id.starts_with("list") || operation.method != http::Method::GET {
                    continue;
                }
                lists += 1;
                let bodies = contract.operations.iter().filter_map(crate::sonata::Operation::success_body);
                let views: Vec<_> =
                    bodies.map(|body| contract.view(body.item.unwrap_or(body.value))).collect();
                for parameter in &operation.query {
                    let Some(filter) = filter_of(function, &parameter.name) else { continue };
                    let reached = filter
                        .places
                        .iter()
                        .any(|place| views.iter().any(|view| reaches(*view, &place.members)));
                    assert!(reached, "{} {}: {filter:?}", operation.operation_id, parameter.name);
                    let attribute = parameter.name.trim_end_matches(".gt").trim_end_matches(".lt");
                    rows.retain(|row| *row != parameter.name && *row != attribute);
                }
            }
        }
        assert!(lists >= 14, "{lists}");
        assert_eq!(rows, Vec::<&str>::new(), "rows that no filter uses");
    }

    #[test]
    fn names_are_read() {
        let place = |members: &[&'static str]| Place { members: members.to_vec(), only: None };
        let rows = [
            (Function::QUOTE, "state", Comparison::Equal, vec![place(&["state"])]),
            (Function::QUOTE, "quoteDate.gt", Comparison::After, vec![place(&["quoteDate"])]),
            (Function::CATALOG, "region.country", Comparison::Equal, vec![place(&["region", "country"])]),
            (
                Function::BILLING,
                "billingPeriod.endDateTime.lt",
                Comparison::Before,
                vec![place(&["billingPeriod", "endDateTime"])],
            ),
            (
                Function::APPOINTMENT,
                "validFor.lt",
                Comparison::Before,
                vec![place(&["validFor", "endDateTime"])],
            ),
            (
                Function::INVENTORY,
                "productOrderId",
                Comparison::Equal,
                vec![place(&["productOrderItem", "productOrderId"])],
            ),
        ];
        for (function, name, comparison, places) in rows {
            assert_eq!(filter_of(function, name), Some(Filter { comparison, places }), "{name}");
        }
        assert_eq!(filter_of(Function::QUOTE, "offset"), None);
    }
}
