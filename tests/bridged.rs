//! Partners on other releases, over real sockets: the shipped demonstration with "wayne" on billie and "stark" on kylie,
//! both through the mapping set that is written for grace.

use std::path::Path;

use segue::{
    app,
    cases::form,
    simulate::bss::fault::{Fault, Kind},
};
use serde_json::{Value, json};

use super::{
    demonstration::shipped_folders,
    notifications::Listener,
    support::{Answer, Bed, Folders, Http, JSON, bounded, until},
};

const WAYNE: &str = "/wayne/mefApi/sonata";
const STARK: &str = "/stark/mefApi/sonata";

/// A gateway on the shipped files, with both partners.
async fn both() -> Bed {
    let folders = shipped_folders().await;
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["wayne", "stark"] {
        let path = format!("config/partners/{name}.yaml");
        folders.write(&path, &std::fs::read_to_string(package.join(&path)).unwrap());
    }
    served(folders).await
}

async fn served(folders: Folders) -> Bed {
    let gateway = app::start(&folders.config()).await.unwrap();
    Bed { folders, gateway, client: Http::new() }
}

/// The body of a shipped case's request.
fn shipped(case: &str) -> Value {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases");
    serde_json::from_slice(&form::read(&cases.join(case)).unwrap().request.body.bytes()).unwrap()
}

/// A place as kylie has it.
fn place_of_kylie(street: &str, country: &str) -> Value {
    json!({
        "role": "INSTALL_LOCATION",
        "place": {
            "@type": "GeographicAddress_Query",
            "fieldedAddressRepresentation": [ {
                "streetName": street, "streetNr": "7", "postcode": "22765", "city": "Hamburg",
                "countryCode": country, "stateOrProvince": "Hamburg", "poBox": "1001", "language": "de"
            } ]
        }
    })
}

/// What all of these members of a message are in another, member by member and element by element.
fn assert_has(message: &Value, sent: &Value, place: &str) {
    match sent {
        Value::Object(members) => {
            for (name, value) in members {
                assert_has(&message[name], value, &format!("{place}/{name}"));
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                assert_has(&message[index], element, &format!("{place}/{index}"));
            }
        }
        scalar => assert_eq!(message, scalar, "at {place}"),
    }
}

/// A quote as billie has it: with what later releases do not have.
fn quote_of_billie() -> Value {
    let mut quote = shipped("quote/createQuote.one");
    quote["quoteItem"][0]["product"]["place"][0]["geographicSubAddress"] =
        json!({ "id": "HL-SUB-7", "buildingName": "Speicher", "levelType": "floor", "levelNumber": "2" });
    quote
}

/// A quote as kylie has it.
fn quote_of_kylie() -> Value {
    let mut quote = shipped("quote/createQuote.one");
    quote["quoteItem"][0]["product"]["place"][0] = place_of_kylie("Elbchaussee", "DE");
    quote["quoteItem"][0]["requestedQuoteItemTerm"]["duration"]["units"] = json!("months");
    quote
}

/// Makes, retrieves and lists something; the second and the third after a restart.
async fn trades(bed: Bed, path: &str, sent: &Value, listed_by: &str) -> (Bed, Answer) {
    let made = bed.post(path, sent).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_has(&made.json(), sent, "");
    let href = made.member("href");
    assert!(href.ends_with(&format!("{path}/{}", made.member("id"))), "{href}");
    let Bed { folders, gateway, client } = bed;
    gateway.stop().await.unwrap();
    let gateway = app::start(&folders.config()).await.unwrap();
    let bed = Bed { folders, gateway, client };
    let again = bed.get(&format!("{path}/{}", made.member("id"))).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_has(&again.json(), sent, "");
    assert_eq!(again.member("href"), href);
    let list = bed.get(&format!("{path}?{listed_by}")).await;
    assert_eq!((list.status, &list.json()[0]["id"]), (200, &json!(made.member("id"))), "{list:?}");
    (bed, again)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_release_quotes() {
    bounded(async {
        let path = &format!("{WAYNE}/quoteManagement/v7/quote");
        let (bed, _) = trades(both().await, path, &quote_of_billie(), "externalId=HL-Q-2001").await;
        // What billie does not ask for and its neighbour needs is refused where it should be; its own faults are its own.
        let mut quote = quote_of_billie();
        quote["quoteItem"][0]["requestedQuoteItemTerm"].as_object_mut().unwrap().remove("name");
        let refused = bed.post(path, &quote).await;
        refused.assert_faults(
            "a term without a name",
            &[("missingProperty", "/quoteItem/0/requestedQuoteItemTerm/name")],
        );
        quote["quoteItem"][0]["action"] = json!("buy");
        let refused = bed.post(path, &quote).await;
        refused.assert_faults("no action", &[("invalidValue", "/quoteItem/0/action")]);
        assert_eq!(bed.received().iter().filter(|call| call.method == "POST").count(), 1);
        // Paths of other releases are none of this partner's.
        assert_eq!(bed.post(&path.replace("/v7/", "/v8/"), &quote_of_billie()).await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_release_quotes() {
    bounded(async {
        let path = &format!("{STARK}/quoteManagement/v10/quote");
        let (bed, again) = trades(both().await, path, &quote_of_kylie(), "externalId=HL-Q-2001").await;
        // What is not echoed is in kylie's words too.
        let price = &again.json()["quoteItem"][0]["quoteItemPrice"][0];
        assert_eq!(price["recurringChargePeriod"], json!({ "amount": 1, "units": "months" }), "{again:?}");
        let mut quote = quote_of_kylie();
        quote["quoteItem"][0]["product"]["place"][0] = place_of_kylie("Elbchaussee", "ZZ");
        let place = "/quoteItem/0/product/place/0/place/fieldedAddressRepresentation/0/countryCode";
        bed.post(path, &quote).await.assert_faults("no country", &[("invalidValue", place)]);
        // What the legacy system finds wrong is told at the partner's own place.
        let sites =
            bed.post(&format!("{STARK}/geographicSiteManagement/v8/geographicSite"), &json!({})).await;
        sites.assert_problem("a list that does not come over", 501, "notImplemented");
        let decline = format!("{STARK}/quoteManagement/v10/declineQuote");
        let declined = bed.post(&decline, &json!({ "quoteId": again.member("id"), "reason": "dear" })).await;
        assert!((200..300).contains(&declined.status), "{declined:?}");
        // The quote was declined, and its items were not: they have no such state.
        let declined = bed.get(&format!("{path}/{}", again.member("id"))).await.json();
        let states = |of: &Value| -> Vec<String> {
            let changes = of["stateChange"].as_array().unwrap().iter();
            changes.map(|change| change["state"].as_str().unwrap().to_owned()).collect()
        };
        let (quote, item) = (states(&declined), states(&declined["quoteItem"][0]));
        assert_eq!(quote.split_last().unwrap(), (&"declined".to_owned(), &*item), "{declined}");
        assert!(!item.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_may_have_a_name_that_only_the_partner_knows() {
    bounded(async {
        let urn = "urn:mef:lso:spec:sonata:carrier-ethernet-operator-uni:v2.0.0:order";
        let bed = wayne(&format!("type_aliases: {{ \"urn:wayne:port\": \"{urn}\" }}")).await;
        let (mut order, mut named) = (order_of_billie(), 0);
        for item in order["productOrderItem"].as_array_mut().unwrap() {
            let said = &mut item["product"]["productConfiguration"]["@type"];
            if said == urn {
                *said = json!("urn:wayne:port");
                named += 1;
            }
        }
        assert_eq!(named, 1);
        // It is ordered as the product that it means, and told by the name that it was given.
        let (bed, _) = trades(bed, ORDERS, &order, "externalId=HL-O-5001").await;
        let (other, _) = trades(both().await, ORDERS, &order_of_billie(), "externalId=HL-O-5001").await;
        let port = |bed: &Bed| -> Value {
            let calls = bed.received();
            let call = calls.iter().find(|call| call.path == "/orders/uni").unwrap();
            let mut body: Value = serde_json::from_slice(&call.body).unwrap();
            // Our own id of the order, which is another one.
            body.as_object_mut().unwrap().remove("packNo").unwrap();
            body
        };
        assert_eq!(port(&bed), port(&other));
    })
    .await;
}

/// An order of billie, of a port and a line, with what later releases do not have.
fn order_of_billie() -> Value {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/partners/wayne/cases/order");
    let body = form::read(&cases.join("createProductOrder.wayne")).unwrap().request.body.bytes();
    serde_json::from_slice(&body).unwrap()
}

const ORDERS: &str = "/wayne/mefApi/sonata/productOrderingManagement/v7/productOrder";
const MODIFIES: &str =
    "/wayne/mefApi/sonata/productOrderingManagement/v7/modifyProductOrderItemCompletionDate";

async fn all_done(bed: &Bed) {
    let desk = bed.folders.bss.local_addr;
    let steps = bed.client.send(desk, "POST", "/sim/advance", &[JSON], r#"{ "steps": 20 }"#.into()).await;
    assert_eq!(steps.status, 200, "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_release_orders_several_products_and_has_all_it_sent() {
    bounded(async {
        let sent = order_of_billie();
        let (bed, again) = trades(both().await, ORDERS, &sent, "externalId=HL-O-5001").await;
        // What goes to Acme is grace's product, whatever billie calls it.
        let calls = bed.received();
        assert!(calls.iter().any(|call| call.path == "/orders/uni"), "{calls:?}");
        let path = format!("{ORDERS}/{}", again.member("id"));
        // A change is told again, with what only billie has of it.
        let change =
            json!({ "description": "Second thoughts.", "projectId": "HL-SUED", "orderVersion": "4" });
        let changed = bed.send("PATCH", &path, change.to_string()).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        let again = bed.get(&path).await;
        assert_has(&again.json(), &change, "");
        assert_eq!(again.json()["requestedCompletionDate"], sent["requestedCompletionDate"]);
        // A renamed operation answers by its own name, and is found there.
        let item = json!({ "productOrderId": again.member("id"), "productOrderItemId": "port" });
        let modify = json!({ "productOrderItem": item, "requestedCompletionDate": "2027-01-15T22:59:59Z",
            "expediteIndicator": false, "orderVersion": "4" });
        let made = bed.post(MODIFIES, &modify).await;
        assert_eq!(made.status, 201, "{made:?}");
        let href = made.member("href");
        let found = bed.get(&href[href.find("/wayne").unwrap()..]).await;
        assert_eq!((found.status, found.member("id")), (200, made.member("id")), "{found:?}");
        assert_has(&found.json(), &modify, "");
        // What is done is in billie's words too.
        all_done(&bed).await;
        let done = bed.get(&path).await;
        assert_eq!(done.member("state"), "completed", "{done:?}");
        assert_has(&done.json()["productOrderItem"], &sent["productOrderItem"], "");
        let products = bed.get(&format!("{WAYNE}/productInventory/v7/product")).await;
        assert_eq!(products.json().as_array().map(Vec::len), Some(2), "{products:?}");
        for one in products.json().as_array().unwrap() {
            let one = bed
                .get(&format!("{WAYNE}/productInventory/v7/product/{}", one["id"].as_str().unwrap()))
                .await;
            let kind = one.json()["productConfiguration"]["@type"].as_str().unwrap().to_owned();
            assert!(kind.ends_with(":v2.0.0:inventory"), "{one:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_names_itself_is_known_by_what_was_sent() {
    bounded(async {
        let bed = both().await;
        let Bed { folders, gateway, client } = bed;
        gateway.stop().await.unwrap();
        let header = "idempotency: { key_header: x-idempotency-key }\n";
        let wayne = folders.read("config/partners/wayne.yaml");
        folders.write("config/partners/wayne.yaml", &format!("{wayne}\n{header}"));
        let gateway = app::start(&folders.config()).await.unwrap();
        let bed = Bed { folders, gateway, client };
        let to = bed.gateway.sonata_address();
        let key = ("x-idempotency-key", "once");
        let send = async |body: &Value| {
            bed.client.send(to, "POST", ORDERS, &[JSON, key], body.to_string().into()).await
        };
        let mut order = order_of_billie();
        let (first, second) = (send(&order).await, send(&order).await);
        assert_eq!((first.status, second.status), (201, 201), "{second:?}");
        assert_eq!(first.json(), second.json());
        // Another request, though the bridge drops where it differs.
        order["description"] = json!("Another one.");
        send(&order).await.assert_faults("another body", &[("otherIssue", "")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_in_the_words_of_the_release() {
    bounded(async {
        let bed = both().await;
        let Bed { folders, gateway, client } = bed;
        gateway.stop().await.unwrap();
        let listener = Listener::default();
        let address = listener.start(([127, 0, 0, 1], 0).into()).await;
        for name in ["wayne", "stark"] {
            folders.edit(&format!("config/partners/{name}.yaml"), "127.0.0.1:8083", &address.to_string());
        }
        let gateway = app::start(&folders.config()).await.unwrap();
        let bed = Bed { folders, gateway, client };
        let callback = format!("http://{address}/at");
        let hub = format!("{WAYNE}/productOrderingManagement/v7/hub");
        let event = "modifyProductOrderItemCompletionDateStateChangeEvent";
        let query = format!("eventType = productOrderStateChangeEvent , {event}");
        let wanted = json!({ "callback": callback, "query": query });
        let made = bed.post(&hub, &wanted).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_has(&made.json(), &wanted, "");
        let kept = bed.get(&format!("{hub}/{}", made.member("id"))).await;
        assert_eq!((kept.status, kept.json()), (200, made.json()));
        let newer =
            bed.post(&format!("{STARK}/quoteManagement/v10/hub"), &json!({ "callback": callback })).await;
        assert_eq!(newer.status, 201, "{newer:?}");

        let order = bed.post(ORDERS, &order_of_billie()).await;
        let quote = bed.post(&format!("{STARK}/quoteManagement/v10/quote"), &quote_of_kylie()).await;
        let decline = json!({ "quoteId": quote.member("id"), "reason": "dear" });
        let declined = bed.post(&format!("{STARK}/quoteManagement/v10/declineQuote"), &decline).await;
        assert!((200..300).contains(&declined.status), "{declined:?}");
        all_done(&bed).await;
        assert_eq!(bed.get(&format!("{ORDERS}/{}", order.member("id"))).await.status, 200);
        let told = |path: &str| listener.got().into_iter().find(|got| got.path == path);
        let base = "/at/mefApi/sonata";
        let state = format!("{base}/productOrderNotification/v7/listener/productOrderStateChangeEvent");
        let ended = format!("{base}/quoteNotification/v10/listener/quoteStateChangeEvent");
        until(async || [&state, &ended].iter().all(|path| told(path).is_some())).await;
        let got = told(&state).unwrap().body;
        assert_eq!(got["event"]["href"], json!(order.member("href")), "{got}");
        // From kylie on an event says which state was reached.
        let got = told(&ended).unwrap().body;
        assert_eq!(
            (&got["event"]["state"], &got["event"]["href"]),
            (&json!("declined"), &json!(quote.member("href"))),
            "{got}"
        );
    })
    .await;
}

/// A gateway with wayne alone, whose file has more in it.
async fn wayne(more: &str) -> Bed {
    let folders = shipped_folders().await;
    let path = "config/partners/wayne.yaml";
    let own = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    folders.write(path, &format!("{own}\n{more}\n"));
    served(folders).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_answer_comes_in_the_words_of_the_release() {
    bounded(async {
        let sent = order_of_billie();
        let bed = wayne("operations: { order: manual }").await;
        let (bed, made) = trades(bed, ORDERS, &sent, "externalId=HL-O-5001").await;
        assert_eq!(made.member("state"), "acknowledged", "{made:?}");
        let work = bed.admin("GET", "/work").await.json();
        let id = work["work"][0]["id"].as_str().unwrap_or_else(|| panic!("{work}"));
        let items = [("port", "inProgress"), ("line", "inProgress")];
        let items = items.map(|(id, state)| json!({ "id": id, "state": state }));
        let answer = json!({ "state": "inProgress", "productOrderItem": items });
        let (to, path) = (bed.gateway.admin_address(), format!("/work/{id}/answer"));
        let said = bed.client.send(to, "POST", &path, &[JSON], answer.to_string().into()).await;
        assert_eq!(said.status, 200, "{said:?}");
        let told = bed.get(&format!("{ORDERS}/{}", made.member("id"))).await;
        assert_eq!((told.status, told.member("state").as_str()), (200, "inProgress"), "{told:?}");
        assert_eq!(told.json()["productOrderItem"][0]["state"], "inProgress", "{told:?}");
        assert_has(&told.json(), &sent, "");
        assert!(bed.received().iter().all(|call| call.method == "GET"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_on_the_way_is_found_and_told_as_it_was_sent() {
    bounded(async {
        let path = &format!("{WAYNE}/quoteManagement/v7/quote");
        let bed = wayne("idempotency: { external_id: [ quote ] }").await;
        // The legacy system quotes, and nobody hears it.
        bed.arrange(Fault { acts: true, method: "POST".to_owned(), ..Fault::of(Kind::Drop) });
        let sent = quote_of_billie();
        let lost = bed.post(path, &sent).await;
        assert_eq!(lost.status, 500, "{lost:?}");
        until(async || bed.admin("GET", "/attention").await.json()["attention"] == json!([])).await;
        let found = bed.post(path, &sent).await;
        assert_eq!(found.status, 201, "{found:?}");
        assert_has(&found.json(), &sent, "");
        let again = bed.get(&format!("{path}/{}", found.member("id"))).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_has(&again.json(), &sent, "");
        let calls = bed.received();
        let quoted = calls.iter().filter(|call| call.path == "/v2/offers" && !call.made.is_empty());
        assert_eq!(quoted.count(), 1, "{calls:?}");
    })
    .await;
}
