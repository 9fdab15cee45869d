//! The simulated Seller over real sockets, in every release: what it takes, answers and tells is what the release's
//! contract says, in every function that the release has; and what a scenario and the controls change.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use segue::{
    json::Document,
    simulate::{listener, seller},
    sonata::{Function, Options, Release, TypeId, catalogue, check, events},
};
use serde_json::{Value, json};

use super::support::{Answer, Http, JSON, bounded, until};

pub const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 21);

pub fn local() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Asserts that a body is what the contract says, without members that it does not know.
pub fn assert_fits(release: Release, function: Function, ty: TypeId, body: &Value, what: &str) {
    let contract = catalogue().contract(release, function).unwrap();
    // Contracts of work orders require attributes that they do not describe.
    let is_odd = function.name().starts_with("workOrder") && ["dolly", "kylie"].contains(&release.as_str());
    let strays = if is_odd { 2 } else { 0 };
    let document = Document::from_text(&body.to_string()).unwrap();
    let products = catalogue().products(release);
    let found = check::check(document.root(), contract, ty, &Options::new(&products));
    assert!(found.is_valid(), "{release} {what}: {:?}\n{body:#}", found.faults);
    assert!(found.unknown.len() <= strays, "{release} {what}: unknown members\n{body:#}");
}

/// Events as they came: path and message.
pub type Heard = Arc<Mutex<Vec<(String, Value)>>>;

pub async fn hearing() -> (listener::Running, Heard) {
    let heard: Heard = Arc::default();
    let own = Arc::clone(&heard);
    let hear: listener::Heard = Arc::new(move |path, message| {
        own.lock().unwrap().push((path.to_owned(), serde_json::from_str(message).unwrap()));
    });
    (listener::start(local(), hear).await.unwrap(), heard)
}

struct Shop {
    release: Release,
    seller: seller::Running,
    client: Http,
}

impl Shop {
    async fn open(release: Release, scenario: &str) -> Self {
        let spoken = seller::Release::named(release.as_str()).unwrap();
        let scenario = Arc::new(seller::Scenario::read(scenario).unwrap());
        Self::with(seller::Settings { release: spoken, scenario, ..seller::Settings::on(TODAY) }).await
    }

    async fn with(settings: seller::Settings) -> Self {
        let release = catalogue().releases().find(|one| one.as_str() == settings.release.name).unwrap();
        Self { release, seller: seller::start(local(), settings).await.unwrap(), client: Http::new() }
    }

    /// Whether its release has a function.
    fn has(&self, function: Function) -> bool {
        catalogue().contract(self.release, function).is_some()
    }

    /// Calls an operation, whatever comes of it.
    async fn ask(&self, function: Function, id: &str, path: (&str, &str), body: &Value) -> Answer {
        let contract = catalogue().contract(self.release, function).unwrap();
        let operation = contract.operation(id).unwrap_or_else(|| panic!("{} has no {id}", self.release));
        let (entity, query) = path;
        let path =
            format!("{}{}{query}", contract.base_path(), operation.path_text().replace("{id}", entity));
        let text = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let to = self.seller.local_addr;
        let answer = self.client.send(to, operation.method.as_str(), &path, &[JSON], text).await;
        if let Some(response) = operation.response(answer.status)
            && let Some(expected) = response.body
        {
            let what = format!("answer of {id}: {}", answer.status);
            assert_fits(self.release, function, expected.value, &answer.json(), &what);
        }
        answer
    }

    /// Calls an operation, the request and the answer held against the contract.
    async fn call(&self, function: Function, id: &str, path: (&str, &str), body: &Value) -> Value {
        let contract = catalogue().contract(self.release, function).unwrap();
        let operation = contract.operation(id).unwrap_or_else(|| panic!("{} has no {id}", self.release));
        if let Some(request) = operation.request {
            assert_fits(self.release, function, request, body, &format!("request of {id}"));
        }
        let answer = self.ask(function, id, path, body).await;
        assert!(answer.status < 300, "{} {id}: {answer:?}", self.release);
        assert!(operation.response(answer.status).is_some(), "{} {id}: {answer:?}", self.release);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    async fn make(&self, function: Function, id: &str, body: &Value) -> (String, Value) {
        let made = self.call(function, id, ("", ""), body).await;
        (made["id"].as_str().unwrap().to_owned(), made)
    }

    async fn look(&self, function: Function, id: &str, entity: &str) -> Value {
        self.call(function, id, (entity, ""), &Value::Null).await
    }

    async fn list(&self, function: Function, id: &str, query: &str) -> Value {
        self.call(function, id, ("", query), &Value::Null).await
    }

    async fn control(&self, path: &str, body: &Value) -> Answer {
        let text = Bytes::from(body.to_string());
        self.client.send(self.seller.local_addr, "POST", path, &[JSON], text).await
    }

    fn is(&self, name: &str) -> bool {
        self.release.as_str() == name
    }

    /// Whether its orders have versions.
    fn with_version(&self, mut body: Value) -> Value {
        if self.is("billie") || self.is("celine") {
            body["orderVersion"] = json!("1");
        }
        body
    }
}

fn contact(role: &str) -> Value {
    json!({ "role": role, "name": "Ann", "number": "+49 30 1", "emailAddress": "ann@buyer.example" })
}

fn contacts() -> Value {
    json!([contact("buyerContactInformation")])
}

fn item(id: &str) -> Value {
    json!({ "id": id, "action": "add", "product": { "productOffering": { "id": "UNI-100" } } })
}

fn quote(is_instant: bool) -> Value {
    json!({ "externalId": "q", "buyerRequestedQuoteLevel": "firm", "instantSyncQuote": is_instant,
        "relatedContactInformation": contacts(), "quoteItem": [item("1"), item("2")] })
}

fn order(external: &str, quote: Option<&str>) -> Value {
    let items = ["1", "2"].map(|id| {
        let mut item = item(id);
        item["requestedCompletionDate"] = json!("2026-12-01T00:00:00.000Z");
        if let Some(quote) = quote {
            item["quoteItem"] = json!({ "quoteId": quote, "id": id });
        }
        item
    });
    json!({ "externalId": external, "relatedContactInformation": contacts(), "productOrderItem": items })
}

/// Addresses and sites.
async fn places(shop: &Shop) {
    let (validation, is_new) = ("createGeographicAddressValidation", shop.is("kylie"));
    let address = if is_new {
        let place = json!({ "@type": "GeographicAddress_Query",
            "fieldedAddressRepresentation": [ { "city": "Bonn", "countryCode": "DE" } ] });
        json!({ "instantSyncValidation": true, "submittedGeographicAddress": place })
    } else {
        let place =
            json!({ "@type": "FieldedAddress", "streetName": "Am Markt", "city": "Bonn", "country": "DE" });
        json!({ "provideAlternative": false, "submittedGeographicAddress": place })
    };
    let found = shop.call(Function::ADDRESS, validation, ("", ""), &address).await;
    let id = found["bestMatchGeographicAddress"]["id"].as_str().unwrap();
    shop.look(Function::ADDRESS, "retrieveGeographicAddress", id).await;
    let mut elsewhere = address.clone();
    let country = if is_new { "/fieldedAddressRepresentation/0/countryCode" } else { "/country" };
    *elsewhere["submittedGeographicAddress"].pointer_mut(country).unwrap() = json!("AT");
    let refused = shop.ask(Function::ADDRESS, validation, ("", ""), &elsewhere).await;
    let at = format!("/submittedGeographicAddress{country}");
    assert_eq!((refused.status, &refused.json()[0]["propertyPath"]), (422, &json!(at)));

    let asked = if is_new {
        json!({ "place": { "@type": "GeographicAddressRef", "id": "address-0001" } })
    } else {
        Value::Null
    };
    let query = if is_new { "" } else { "?siteType=public" };
    let sites = shop.call(Function::SITE, "listGeographicSite", ("", query), &asked).await;
    shop.look(Function::SITE, "retrieveGeographicSite", sites[0]["id"].as_str().unwrap()).await;
}

/// From a qualification to products, by one's own clock's steps.
async fn buy(shop: &Shop) -> Value {
    let wanted = json!({ "instantSyncQualification": false, "provideAlternative": false,
        "relatedContactInformation": contacts(), "productOfferingQualificationItem": [item("1")] });
    let (poq, _) = shop.make(Function::POQ, "createProductOfferingQualification", &wanted).await;
    let (offer, _) = shop.make(Function::QUOTE, "createQuote", &quote(false)).await;
    shop.seller.seller.step();
    shop.seller.seller.step();
    let found = shop.look(Function::POQ, "retrieveProductOfferingQualification", &poq).await;
    assert_eq!(found["productOfferingQualificationItem"][0]["serviceabilityConfidence"], "green");
    assert_eq!(
        shop.list(Function::POQ, "listProductOfferingQualification", "?limit=1").await[0]["id"],
        poq.as_str()
    );
    let found = shop.look(Function::QUOTE, "retrieveQuote", &offer).await;
    assert_eq!(
        (&found["state"], &found["quoteItem"][1]["state"]),
        (&json!("approved.orderable"), &found["state"])
    );

    let (bought, _) = shop.make(Function::ORDER, "createProductOrder", &order("o", Some(&offer))).await;
    assert_eq!(shop.look(Function::QUOTE, "retrieveQuote", &offer).await["state"], "accepted");
    let change =
        shop.with_version(json!({ "productOrderItem": [ { "id": "1", "endCustomerName": "Eve" } ] }));
    let changed = shop.call(Function::ORDER, "patchProductOrder", (&bought, ""), &change).await;
    assert_eq!(changed["productOrderItem"][0]["endCustomerName"], "Eve");
    shop.seller.seller.step();
    shop.look(Function::ORDER, "retrieveProductOrder", &bought).await;
    shop.seller.seller.step();
    let done = shop.look(Function::ORDER, "retrieveProductOrder", &bought).await;
    assert_eq!(done["state"], "completed", "{done}");
    let conflict = shop.ask(Function::ORDER, "patchProductOrder", (&bought, ""), &change).await;
    assert_eq!(conflict.status, 409, "{conflict:?}");
    let query = format!("?productOrderId={bought}&limit=1&offset=1");
    let products = shop.list(Function::INVENTORY, "listProduct", &query).await;
    assert_eq!(products.as_array().unwrap().len(), 1);
    shop.look(Function::INVENTORY, "retrieveProduct", products[0]["id"].as_str().unwrap()).await;
    products[0]["id"].clone()
}

/// What changes an order: a cancellation, another date, a charge.
async fn change_orders(shop: &Shop) {
    let (first, _) = shop.make(Function::ORDER, "createProductOrder", &order("o2", None)).await;
    let cancel = json!({ "productOrder": { "productOrderId": first }, "relatedContactInformation": contacts(),
        "cancellationReason": "too late" });
    let (task, _) =
        shop.make(Function::ORDER, "createCancelProductOrder", &shop.with_version(cancel.clone())).await;
    let again =
        shop.ask(Function::ORDER, "createCancelProductOrder", ("", ""), &shop.with_version(cancel)).await;
    assert_eq!((again.status, &again.json()[0]["code"]), (422, &json!("otherIssue")));
    for _ in 0..3 {
        shop.seller.seller.step();
        shop.look(Function::ORDER, "retrieveProductOrder", &first).await;
    }
    let over = shop.look(Function::ORDER, "retrieveProductOrder", &first).await;
    assert_eq!((&over["state"], &over["cancellationReason"]), (&json!("cancelled"), &json!("too late")));
    let task = shop.look(Function::ORDER, "retrieveCancelProductOrder", &task).await;
    assert_eq!(task["state"], "done");
    shop.list(Function::ORDER, "listCancelProductOrder", &format!("?productOrderId={first}")).await;

    let (second, _) = shop.make(Function::ORDER, "createProductOrder", &order("o3", None)).await;
    let own = if shop.is("billie") {
        "ModifyProductOrderItemCompletionDate"
    } else {
        "ModifyProductOrderItemRequestedDeliveryDate"
    };
    let wish = json!({ "productOrderItem": { "productOrderId": second, "productOrderItemId": "2" },
        "requestedCompletionDate": "2026-12-24T00:00:00Z" });
    let (task, _) = shop.make(Function::ORDER, &format!("create{own}"), &shop.with_version(wish)).await;
    shop.seller.seller.step();
    assert_eq!(shop.look(Function::ORDER, &format!("retrieve{own}"), &task).await["state"], "done");
    shop.list(Function::ORDER, &format!("list{own}"), "?state=done").await;
    shop.seller.seller.step();
    let moved = shop.look(Function::ORDER, "retrieveProductOrder", &second).await;
    assert_eq!(
        (&moved["state"], &moved["productOrderItem"][1]["requestedCompletionDate"]),
        (&json!("inProgress"), &json!("2026-12-24T00:00:00Z"))
    );

    let new = json!({ "order": second, "item": "1", "once": 90, "blocking": true });
    let charge = shop.control("/sim/charges", &new).await.json();
    let id = charge["id"].as_str().unwrap();
    assert_eq!(
        shop.look(Function::ORDER, "retrieveProductOrder", &second).await["state"],
        "held.assessingCharge"
    );
    shop.look(Function::ORDER, "retrieveCharge", id).await;
    shop.list(Function::ORDER, "listCharge", "").await;
    let accepted = json!({ "chargeItem": [ { "id": "1", "acceptanceIndicator": "accepted" } ] });
    let answered = shop.call(Function::ORDER, "patchCharge", (id, ""), &accepted).await;
    assert_eq!(
        (&answered["state"], &answered["chargeItem"][0]["state"]),
        (&json!("completed"), &json!("acceptedByBuyer"))
    );
    shop.seller.seller.step();
    shop.seller.seller.step();
    assert_eq!(shop.look(Function::ORDER, "retrieveProductOrder", &second).await["state"], "completed");
}

/// Tickets, incidents, and who is sent.
async fn mend(shop: &Shop, product: &Value) {
    let tickets = Function::TROUBLE_TICKET;
    let mut trouble = json!({ "description": "down", "priority": "high", "severity": "extensive",
        "ticketType": "assistance", "relatedContactInformation": [contact("reporterContact")],
        "relatedEntity": [ { "@referredType": "Product", "role": "affected", "id": product } ] });
    if !shop.is("billie") {
        trouble["observedImpact"] = json!("down");
    }
    let (ticket, _) = shop.make(tickets, "createTroubleTicket", &trouble).await;
    shop.list(tickets, "listTroubleTicket", "?status=acknowledged").await;
    shop.call(tickets, "patchTroubleTicket", (&ticket, ""), &json!({ "priority": "low" })).await;
    shop.seller.seller.step();
    shop.seller.seller.step();
    let found = shop.look(tickets, "retrieveTroubleTicket", &ticket).await;
    assert_eq!((&found["status"], &found["priority"]), (&json!("resolved"), &json!("low")));
    shop.call(tickets, "reopenTroubleTicket", (&ticket, ""), &json!({ "reason": "still down" })).await;
    shop.seller.seller.step();
    shop.seller.seller.step();
    shop.call(tickets, "closeTroubleTicket", (&ticket, ""), &Value::Null).await;
    let again = shop.ask(tickets, "cancelTroubleTicket", (&ticket, ""), &Value::Null).await;
    assert_eq!(again.status, 422, "{again:?}");
    if !shop.is("billie") {
        let begun = shop.control("/sim/incidents", &json!({ "priority": "high" })).await.json();
        shop.list(tickets, "listIncident", "?priority=high").await;
        shop.look(tickets, "retrieveIncident", begun["id"].as_str().unwrap()).await;
    }
    if shop.has(Function::WORK_ORDER) {
        let work = shop.list(Function::WORK_ORDER, "listWorkOrder", "?state=open").await;
        let work = work["id"].as_str().unwrap();
        let at = json!({ "startDateTime": "2026-12-01T08:00:00Z", "endDateTime": "2026-12-01T10:00:00Z" });
        let mut slots = json!({ "requestedTimeSlot": [ { "validFor": at } ] });
        if !shop.is("dolly") {
            slots["workOrder"] = json!({ "id": work });
        }
        shop.call(Function::APPOINTMENT, "createSearchTimeSlot", ("", ""), &slots).await;
        let asked =
            json!({ "validFor": at, "workOrder": { "id": work }, "relatedContactInformation": contacts() });
        let (appointment, _) = shop.make(Function::APPOINTMENT, "createAppointment", &asked).await;
        assert_eq!(shop.look(Function::WORK_ORDER, "retrieveWorkOrder", work).await["state"], "planned");
        shop.list(Function::APPOINTMENT, "listAppointment", &format!("?workOrderId={work}")).await;
        let later = json!({ "note": [], "validFor": at });
        shop.call(Function::APPOINTMENT, "patchAppointment", (&appointment, ""), &later).await;
        shop.call(Function::APPOINTMENT, "cancelAppointment", (&appointment, ""), &Value::Null).await;
        assert_eq!(
            shop.look(Function::APPOINTMENT, "retrieveAppointment", &appointment).await["status"],
            "cancelled"
        );
    }
    if shop.has(Function::BILLING) {
        let bills = shop.list(Function::BILLING, "listCustomerBill", "?state=generated").await;
        let bill =
            shop.look(Function::BILLING, "retrieveCustomerBill", bills[0]["id"].as_str().unwrap()).await;
        let item = bill[0]["customerBillItem"][0]["id"].as_str().unwrap();
        shop.look(Function::BILLING, "retrieveCustomerBillItem", item).await;
    }
}

/// Holds each event against the listener's contract.
fn assert_told(release: Release, heard: &Heard) {
    for (path, event) in heard.lock().unwrap().iter() {
        let listeners = catalogue().functions(release).filter_map(|own| events::listener(release, own));
        let mut operations =
            listeners.flat_map(|one| one.operations.iter().map(move |operation| (one, operation)));
        let (contract, operation) = operations
            .find(|(contract, one)| format!("{}{}", contract.base_path(), one.path_text()) == *path)
            .unwrap_or_else(|| panic!("{release}: {path}"));
        assert_fits(release, contract.function, operation.request.unwrap(), event, path);
    }
}

async fn trade(release: Release) {
    let shop = Shop::open(release, "{}").await;
    let (listener, heard) = hearing().await;
    let hub = json!({ "callback": format!("http://{}", listener.local_addr) });
    let hubs = [
        Function::POQ,
        Function::QUOTE,
        Function::ORDER,
        Function::TROUBLE_TICKET,
        Function::APPOINTMENT,
        Function::WORK_ORDER,
        Function::BILLING,
    ];
    for function in hubs.into_iter().filter(|function| shop.has(*function)) {
        shop.call(function, "registerListener", ("", ""), &hub).await;
    }
    places(&shop).await;
    let product = buy(&shop).await;
    change_orders(&shop).await;
    mend(&shop, &product).await;
    let least = [
        ("quoteStateChangeEvent", 3),
        ("quoteItemStateChangeEvent", 4),
        ("productOrderStateChangeEvent", 12),
        ("cancelProductOrderStateChangeEvent", 1),
        ("chargeCreateEvent", 1),
        ("chargeStateChangeEvent", 1),
        ("poqStateChangeEvent", 2),
        ("troubleTicketStatusChangeEvent", 6),
        ("troubleTicketResolvedEvent", 2),
    ];
    let count = |event: &str| {
        heard.lock().unwrap().iter().filter(|(path, _)| path.ends_with(&format!("/{event}"))).count()
    };
    until(async || least.iter().all(|(event, times)| count(event) >= *times)).await;
    assert_told(release, &heard);
    for (event, times) in least {
        assert_eq!(count(event), times, "{release} {event}");
    }
}

#[tokio::test]
async fn a_seller_of_any_release_keeps_to_its_contract() {
    for release in catalogue().releases() {
        bounded(trade(release)).await;
    }
}
