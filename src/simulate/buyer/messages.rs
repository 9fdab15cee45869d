//! What the Buyer sends.

use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};

/// How many things it orders.
pub(super) const ITEMS: usize = 2;

const PORT: &str = "urn:mef:lso:spec:sonata:carrier-ethernet-operator-uni:v5.0.0:all";
const LINE: &str = "urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all";

fn contact(role: &str) -> Value {
    json!({ "role": role, "name": "Ada Buyer", "number": "+44 20 7946 0000", "emailAddress": "ada@globex.example" })
}

fn place() -> Value {
    json!({ "@type": "FieldedAddress", "streetName": "Elbchaussee", "streetNr": "7", "postcode": "22765",
            "city": "Hamburg", "country": "Germany", "stateOrProvince": "Hamburg" })
}

fn installed_at() -> Value {
    let mut place = place();
    place["role"] = json!("INSTALL_LOCATION");
    place
}

/// So many days after a day, at noon.
fn after(today: Date, days: i64) -> String {
    let day = today.checked_add(days.days()).unwrap_or(today);
    format!("{day}T12:00:00Z")
}

pub(super) fn address() -> Value {
    json!({ "provideAlternative": true, "submittedGeographicAddress": place() })
}

fn port() -> Value {
    json!({
        "productOffering": { "id": "UNI-100" },
        "productConfiguration": {
            "@type": PORT, "linkAggregation": "NONE", "maximumServiceFrameSize": 1600, "defaultCeVlanId": 1,
            "maximumNumberOfEndPoints": 8, "maximumNumberOfCeVlanIdsPerEndPoint": 64, "linkOam": "ENABLED",
            "meg": "DISABLED", "l2cpAddressSet": "CTB2",
            "listOfPhysicalLinks": [ { "id": "L1", "physicalLink": "1000BASE_LX", "uniConnectorType": "LC",
                                       "synchronousEthernet": "DISABLED" } ]
        },
        "place": [ installed_at() ]
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

/// The two items, each with what `with` has for it; the line names its port under `relation`.
fn items(relation: &str, with: impl Fn(&str) -> Value) -> Value {
    let item = |id: &str, product: Value| {
        let mut item = json!({ "id": id, "action": "add", "product": product });
        for (name, value) in with(id).as_object().into_iter().flatten() {
            item[name] = value.clone();
        }
        item
    };
    let mut line = item("line", line());
    line[relation] = json!([ { "relationshipType": "CONNECTS_TO_UNI", "id": "port" } ]);
    json!([line, item("port", port())])
}

fn term() -> Value {
    json!({ "name": "two years", "duration": { "amount": 24, "units": "calendarMonths" }, "endOfTermAction": "autoRenew" })
}

pub(super) fn qualification() -> Value {
    json!({
        "externalId": "GX-P-1", "instantSyncQualification": true,
        "relatedContactInformation": [ contact("buyerContactInformation") ],
        "productOfferingQualificationItem": items("qualificationItemRelationship", |_| Value::Null),
    })
}

pub(super) fn quote(qualification: &str, today: Date) -> Value {
    let item = |id: &str| {
        json!({
            "requestedQuoteItemTerm": term(),
            "productOfferingQualificationItem": { "productOfferingQualificationId": qualification, "id": id },
            "relatedContactInformation": [ contact("quoteItemTechnicalContact"), contact("quoteItemLocationContact") ],
        })
    };
    json!({
        "externalId": "GX-Q-1", "buyerRequestedQuoteLevel": "firm", "instantSyncQuote": false,
        "requestedQuoteCompletionDate": after(today, 14),
        "relatedContactInformation": [ contact("buyerContactInformation") ],
        "quoteItem": items("quoteItemRelationship", item),
    })
}

pub(super) fn order(quote: &str, today: Date) -> Value {
    let roles = ["buyerProductOrderItemContact", "buyerImplementationContact", "buyerTechnicalContact"];
    let item = |id: &str| {
        json!({
            "requestedCompletionDate": after(today, 90), "requestedItemTerm": term(),
            "billingAccount": { "id": "4711" }, "quoteItem": { "quoteId": quote, "id": id },
            "relatedContactInformation": roles.map(contact),
        })
    };
    json!({
        "externalId": "GX-O-1", "relatedContactInformation": [ contact("productOrderContact") ],
        "productOrderItem": items("productOrderItemRelationship", item),
    })
}

pub(super) fn ticket(product: &str) -> Value {
    json!({
        "externalId": "GX-T-1", "ticketType": "assistance", "observedImpact": "down", "priority": "critical",
        "severity": "significant", "description": "The port is dark.",
        "relatedContactInformation": [ contact("reporterContact") ],
        "relatedEntity": [ { "@referredType": "Product", "id": product, "role": "affected" } ],
    })
}
