//! What the Buyer sends, in the words of its release.

use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};

use super::super::release::{Age, Release};
use super::scenario::{Item, Scenario};

/// How many things it orders.
pub(super) fn count(scenario: &Scenario) -> usize {
    scenario.items.as_ref().map_or(2, Vec::len)
}

const PORT: &str = "urn:mef:lso:spec:sonata:carrier-ethernet-operator-uni:v5.0.0:all";
const LINE: &str = "urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all";

fn contact(role: &str) -> Value {
    json!({ "role": role, "name": "Ada Buyer", "number": "+44 20 7946 0000", "emailAddress": "ada@globex.example" })
}

/// The address, as `@type` has it before kylie, or as its only representation.
fn place() -> Value {
    json!({ "streetName": "Elbchaussee", "streetNr": "7", "postcode": "22765", "city": "Hamburg",
            "stateOrProvince": "Hamburg" })
}

fn submitted(release: Release) -> Value {
    let mut place = place();
    if release.is_new() {
        place["countryCode"] = json!("DE");
        return json!({ "@type": "GeographicAddress_Query", "fieldedAddressRepresentation": [place] });
    }
    place["@type"] = json!("FieldedAddress");
    place["country"] = json!("Germany");
    place
}

fn installed_at(release: Release) -> Value {
    let role = "INSTALL_LOCATION";
    let mut place = submitted(release);
    if release.is_new() {
        return json!({ "role": role, "place": place });
    }
    place["role"] = json!(role);
    place
}

/// So many days after a day, at noon.
fn after(today: Date, days: i64) -> String {
    let day = today.checked_add(days.days()).unwrap_or(today);
    format!("{day}T12:00:00Z")
}

pub(super) fn address(release: Release) -> Value {
    let submitted = submitted(release);
    if release.is_new() {
        return json!({ "instantSyncValidation": true, "submittedGeographicAddress": submitted });
    }
    json!({ "provideAlternative": true, "submittedGeographicAddress": submitted })
}

fn port(release: Release) -> Value {
    json!({
        "productOffering": { "id": "UNI-100" },
        "productConfiguration": {
            "@type": PORT, "linkAggregation": "NONE", "maximumServiceFrameSize": 1600, "defaultCeVlanId": 1,
            "maximumNumberOfEndPoints": 8, "maximumNumberOfCeVlanIdsPerEndPoint": 64, "linkOam": "ENABLED",
            "meg": "DISABLED", "l2cpAddressSet": "CTB2",
            "listOfPhysicalLinks": [ { "id": "L1", "physicalLink": "1000BASE_LX", "uniConnectorType": "LC",
                                       "synchronousEthernet": "DISABLED" } ]
        },
        "place": [ installed_at(release) ]
    })
}

fn line() -> Value {
    json!({
        "productOffering": { "id": "OVC-100" },
        "productConfiguration": {
            "@type": LINE, "maximumFrameSize": 1600, "ceVlanIdPreservation": "PRESERVE",
            "cTagPcpPreservation": "ENABLED", "cTagDeiPreservation": "DISABLED",
            "listOfClassOfServiceNames": [ "gold" ], "availableMegLevel": "5", "ovcL2cpAddressSet": "CTB",
            "uniEp": {
                "identifier": "GX-HH-1",
                "ovcEndPointMap": { "mapType": "FORM_U", "ovcEndPointMapFormU": [ 101, 102 ] },
                "ingressBandwidthProfilePerClassOfServiceName": [ {
                    "classOfServiceName": "gold",
                    "bwpFlow": { "cir": { "irValue": 50, "irUnits": "MBPS" }, "eir": { "irValue": 50, "irUnits": "MBPS" },
                                 "colorMode": "COLOR_BLIND", "couplingFlag": false }
                } ]
            },
            "enniEp": {
                "identifier": "GX-ENNI-1",
                "ovcEndPointMap": { "mapType": "FORM_E", "ovcEndPointMapFormE": [ 2001 ] }
            }
        },
        "productRelationship": [ { "relationshipType": "CONNECTS_TO_ENNI", "id": "GX-ENNI-1" } ]
    })
}

/// The products, by the ids of their items: those of the scenario, or a line and its port.
fn products(release: Release, scenario: &Scenario) -> Vec<(String, Value, Value)> {
    let Some(items) = &scenario.items else {
        let relations = json!([ { "relationshipType": "CONNECTS_TO_UNI", "id": "port" } ]);
        return vec![("line".to_owned(), line(), relations), ("port".to_owned(), port(release), Value::Null)];
    };
    let product = |item: &Item| {
        let mut product = json!({ "productOffering": { "id": item.offering } });
        if !item.configuration.is_null() {
            product["productConfiguration"] = item.configuration.clone();
        }
        if item.installed {
            product["place"] = json!([installed_at(release)]);
        }
        let relation = |(kind, id): (&String, &String)| json!({ "relationshipType": kind, "id": id });
        let relations: Value = item.relations.iter().map(relation).collect();
        (item.id.clone(), product, if item.relations.is_empty() { Value::Null } else { relations })
    };
    items.iter().map(product).collect()
}

/// The items, each with what `with` has for it; what they are connected to stands under `relation`.
fn items((release, scenario): (Release, &Scenario), relation: &str, with: impl Fn(&str) -> Value) -> Value {
    let item = |(id, product, relations): (String, Value, Value)| {
        let mut item = json!({ "id": id, "action": "add", "product": product });
        for (name, value) in with(&id).as_object().into_iter().flatten() {
            item[name] = value.clone();
        }
        if !relations.is_null() {
            item[relation] = relations;
        }
        item
    };
    products(release, scenario).into_iter().map(item).collect()
}

fn term(release: Release) -> Value {
    let units = if release.is_new() { "months" } else { "calendarMonths" };
    json!({ "name": "two years", "duration": { "amount": 24, "units": units }, "endOfTermAction": "autoRenew" })
}

pub(super) fn qualification(own: (Release, &Scenario)) -> Value {
    json!({
        "externalId": "GX-P-1", "instantSyncQualification": true, "provideAlternative": false,
        "relatedContactInformation": [ contact("buyerContactInformation") ],
        "productOfferingQualificationItem": items(own, "qualificationItemRelationship", |_| Value::Null),
    })
}

/// Without a qualification where none was asked for.
pub(super) fn quote(own: (Release, &Scenario), qualification: &str, today: Date) -> Value {
    let item = |id: &str| {
        let mut item = json!({
            "requestedQuoteItemTerm": term(own.0),
            "relatedContactInformation": [ contact("quoteItemTechnicalContact"), contact("quoteItemLocationContact") ],
        });
        if !qualification.is_empty() {
            item["productOfferingQualificationItem"] =
                json!({ "productOfferingQualificationId": qualification, "id": id });
        }
        item
    };
    json!({
        "externalId": "GX-Q-1", "buyerRequestedQuoteLevel": "firm", "instantSyncQuote": false,
        "requestedQuoteCompletionDate": after(today, 14),
        "relatedContactInformation": [ contact("buyerContactInformation") ],
        "quoteItem": items(own, "quoteItemRelationship", item),
    })
}

/// Without a quote where none was asked for.
pub(super) fn order(own: (Release, &Scenario), quote: &str, today: Date) -> Value {
    let roles = ["buyerProductOrderItemContact", "buyerImplementationContact", "buyerTechnicalContact"];
    let item = |id: &str| {
        let mut item = json!({
            "requestedCompletionDate": after(today, 90), "requestedItemTerm": term(own.0),
            "billingAccount": { "id": "4711" }, "relatedContactInformation": roles.map(contact),
        });
        if !quote.is_empty() {
            item["quoteItem"] = json!({ "quoteId": quote, "id": id });
        }
        item
    };
    json!({
        "externalId": "GX-O-1", "relatedContactInformation": [ contact("productOrderContact") ],
        "productOrderItem": items(own, "productOrderItemRelationship", item),
    })
}

pub(super) fn ticket(release: Release, product: &str) -> Value {
    let mut ticket = json!({
        "externalId": "GX-T-1", "ticketType": "assistance", "priority": "critical",
        "severity": "significant", "description": "The port is dark.",
        "relatedContactInformation": [ contact("reporterContact") ],
        "relatedEntity": [ { "@referredType": "Product", "id": product, "role": "affected" } ],
    });
    if release.age > Age::Billie {
        ticket["observedImpact"] = json!("down");
    }
    ticket
}
