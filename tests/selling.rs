//! The simulated Seller over real sockets, in every release: what it takes, answers and tells is what the release's
//! contract says.

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

use super::support::{Http, JSON, bounded, until};

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 21);

fn local() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Asserts that a body is what the contract says, without members that it does not know.
fn assert_fits(release: Release, function: Function, ty: TypeId, body: &Value, what: &str) {
    let contract = catalogue().contract(release, function).unwrap();
    let document = Document::from_text(&body.to_string()).unwrap();
    let products = catalogue().products(release);
    let found = check::check(document.root(), contract, ty, &Options::new(&products));
    assert!(found.is_valid(), "{release} {what}: {:?}\n{body:#}", found.faults);
    assert!(found.unknown.is_empty(), "{release} {what}: unknown members\n{body:#}");
}

struct Shop {
    release: Release,
    seller: seller::Running,
    client: Http,
}

impl Shop {
    async fn open(release: Release) -> Self {
        let spoken = seller::Release::named(release.as_str()).unwrap();
        let settings = seller::Settings { release: spoken, ..seller::Settings::on(TODAY) };
        Self { release, seller: seller::start(local(), settings).await.unwrap(), client: Http::new() }
    }

    /// Calls an operation, the request and the answer held against the contract.
    async fn call(&self, function: Function, id: &str, entity: &str, body: &Value) -> Value {
        let contract = catalogue().contract(self.release, function).unwrap();
        let operation = contract.operation(id).unwrap_or_else(|| panic!("{} has no {id}", self.release));
        if let Some(request) = operation.request {
            assert_fits(self.release, function, request, body, &format!("request of {id}"));
        }
        let path = format!("{}{}", contract.base_path(), operation.path_text().replace("{id}", entity));
        let text = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let to = self.seller.local_addr;
        let answer = self.client.send(to, operation.method.as_str(), &path, &[JSON], text).await;
        let response = operation.response(answer.status).unwrap_or_else(|| panic!("{id}: {answer:?}"));
        assert!(answer.status < 300, "{} {id}: {answer:?}", self.release);
        let Some(expected) = response.body else { return Value::Null };
        assert_fits(self.release, function, expected.value, &answer.json(), &format!("answer of {id}"));
        answer.json()
    }
}

fn contact(role: &str) -> Value {
    json!({ "role": role, "name": "Ann", "number": "+49 30 1", "emailAddress": "ann@buyer.example" })
}

async fn trade(release: Release) {
    let shop = Shop::open(release).await;
    let heard: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let own = Arc::clone(&heard);
    let hear: listener::Heard = Arc::new(move |path, message| {
        own.lock().unwrap().push((path.to_owned(), message.to_owned()));
    });
    let listener = listener::start(local(), hear).await.unwrap();
    let hub = json!({ "callback": format!("http://{}", listener.local_addr) });
    for function in [Function::QUOTE, Function::ORDER] {
        shop.call(function, "registerListener", "", &hub).await;
    }
    let address = if release.as_str() == "kylie" {
        let place = json!({ "@type": "GeographicAddress_Query",
            "fieldedAddressRepresentation": [ { "city": "Bonn", "countryCode": "DE" } ] });
        json!({ "instantSyncValidation": true, "submittedGeographicAddress": place })
    } else {
        let place =
            json!({ "@type": "FieldedAddress", "streetName": "Am Markt", "city": "Bonn", "country": "DE" });
        json!({ "provideAlternative": false, "submittedGeographicAddress": place })
    };
    let found = shop.call(Function::ADDRESS, "createGeographicAddressValidation", "", &address).await;
    let id = found["bestMatchGeographicAddress"]["id"].as_str().unwrap();
    shop.call(Function::ADDRESS, "retrieveGeographicAddress", id, &Value::Null).await;

    let wanted = json!({ "externalId": "q", "buyerRequestedQuoteLevel": "firm", "instantSyncQuote": false,
        "relatedContactInformation": [contact("buyerContactInformation")],
        "quoteItem": [ { "id": "1", "action": "delete", "product": { "id": "p" } } ] });
    let quote = shop.call(Function::QUOTE, "createQuote", "", &wanted).await;
    let id = quote["id"].as_str().unwrap();
    let wanted = json!({ "externalId": "o", "relatedContactInformation": [contact("buyerContactInformation")],
        "productOrderItem": [ { "id": "1", "action": "delete", "product": { "id": "p" },
            "requestedCompletionDate": "2026-12-01T00:00:00.000Z" } ] });
    let order = shop.call(Function::ORDER, "createProductOrder", "", &wanted).await;
    for state in ["inProgress", "approved.orderable"] {
        shop.seller.seller.step();
        let quote = shop.call(Function::QUOTE, "retrieveQuote", id, &Value::Null).await;
        assert_eq!(quote["state"], state);
        let order_id = order["id"].as_str().unwrap();
        shop.call(Function::ORDER, "retrieveProductOrder", order_id, &Value::Null).await;
    }
    let decline = if release.as_str() == "kylie" { "declineQuote" } else { "rejectQuote" };
    shop.call(Function::QUOTE, decline, "", &json!({ "quoteId": id, "reason": "dear" })).await;
    let quote = shop.call(Function::QUOTE, "retrieveQuote", id, &Value::Null).await;
    assert_eq!(quote["state"], "declined");
    until(async || heard.lock().unwrap().len() == 5).await;
    for (path, message) in heard.lock().unwrap().iter() {
        let function =
            if path.contains("/quoteStateChangeEvent") { Function::QUOTE } else { Function::ORDER };
        let contract = events::listener(release, function).unwrap();
        let below = path.strip_prefix(&contract.base_path()).unwrap_or_else(|| panic!("{release}: {path}"));
        let operation = contract.operations.iter().find(|one| one.path_text() == below).unwrap();
        let event: Value = serde_json::from_str(message).unwrap();
        assert_fits(release, contract.function, operation.request.unwrap(), &event, path);
    }
}

#[tokio::test]
async fn a_seller_of_any_release_keeps_to_its_contract() {
    for release in catalogue().releases() {
        bounded(trade(release)).await;
    }
}
