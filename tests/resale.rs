//! A supply chain: carrier A sells on what carrier B sells. Sonata in at A, mapped, Sonata out to B, whose legacy system knows
//! nothing of either; both are gateways of their own.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use segue::{
    cases::form,
    simulate::{bss, listener},
};
use serde_json::{Value, json};

use super::{
    demonstration::shipped_around,
    support::{Bed, Folders, QUOTE, bounded, deferred, until},
};

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 21);

/// How A speaks to whom it buys from: nearly as it is spoken to. Of places only those matter where something is installed,
/// contacts go with their items' own, and A adds a fifth to what it is asked.
const RESALE: &str = r#"
function: quote
shapes:
  quote:
    sonata: [ Quote_Create, Quote ]
    fields:
      - { sonata: externalId, legacy: externalId, only: request }
      - { sonata: buyerRequestedQuoteLevel, legacy: buyerRequestedQuoteLevel, only: request }
      - { sonata: instantSyncQuote, legacy: instantSyncQuote, only: request }
      - { sonata: requestedQuoteCompletionDate, legacy: requestedQuoteCompletionDate, only: request }
      - { sonata: "relatedContactInformation[*]", legacy: "relatedContactInformation[*]", only: request, shape: contact }
      - { sonata: state, legacy: state, only: answer }
      - { sonata: quoteLevel, legacy: quoteLevel, only: answer }
      - { sonata: validFor.endDateTime, legacy: validFor.endDateTime, only: answer }
      - sonata: "quoteItem[*]"
        legacy: "quoteItem[*]"
        fields:
          - { sonata: id, legacy: id }
          - { sonata: state, legacy: state, only: answer }
          - { sonata: action, legacy: action, only: request }
          - { sonata: product.productOffering.id, legacy: product.productOffering.id, only: request }
          - { sonata: product.productConfiguration, legacy: product.productConfiguration, only: request }
          - sonata: "product.place[*]"
            legacy: "product.place[*]"
            if: "@.role == 'INSTALL_LOCATION'"
            only: request
            fields:
              - { sonata: "['@type']", legacy: "['@type']" }
              - { sonata: role, legacy: role }
              - { sonata: streetName, legacy: streetName }
              - { sonata: streetNr, legacy: streetNr }
              - { sonata: postcode, legacy: postcode }
              - { sonata: city, legacy: city }
              - { sonata: country, legacy: country }
          - sonata: requestedQuoteItemTerm
            legacy: requestedQuoteItemTerm
            only: request
            fields:
              - { sonata: name, legacy: name }
              - { sonata: endOfTermAction, legacy: endOfTermAction }
              - { sonata: duration.amount, legacy: duration.amount }
              - { sonata: duration.units, legacy: duration.units }
          - { sonata: "relatedContactInformation[*]", legacy: "relatedContactInformation[*]", only: request, shape: contact }
          - { sonata: subjectToFeasibilityCheck, legacy: subjectToFeasibilityCheck, only: answer }
          - sonata: "quoteItemPrice[*]"
            legacy: "quoteItemPrice[*]"
            only: answer
            fields:
              - { sonata: name, legacy: name }
              - { sonata: priceType, legacy: priceType }
              - { sonata: recurringChargePeriod, legacy: recurringChargePeriod }
              - { sonata: price.dutyFreeAmount.unit, legacy: price.dutyFreeAmount.unit }
              - { sonata: price.dutyFreeAmount.value, script: "amount * 6 / 5", in: { amount: price.dutyFreeAmount.value } }
  contact:
    fields:
      - { sonata: role, legacy: role }
      - { sonata: name, legacy: name }
      - { sonata: number, legacy: number }
      - { sonata: emailAddress, legacy: emailAddress }
operations:
  createQuote:
    call: POST /mefApi/sonata/quoteManagement/v8/quote
    request: quote
    answer: quote
    legacy_id: id
    complete:
      poll: "GET /mefApi/sonata/quoteManagement/v8/quote/{legacy.id}"
      every: 1s
      give_up: 90d
      until: "@.state != 'acknowledged' && @.state != 'inProgress'"
  retrieveQuote: { call: "GET /mefApi/sonata/quoteManagement/v8/quote/{legacy.id}", answer: quote }
"#;

const RETAIL: &str = r#"
partner: retail
identify: { loopback: true }
side: seller
release: grace
mapping: resale
routes: [ { backend: carrier-b } ]
policy: { product_payload: warn }
rules: { "115:grace:R18": warn, "115:grace:R19": warn, "115:grace:R20": warn, "115:grace:R42": warn, "115:grace:R43": warn }
notifications: { allow: [ "http://LISTENER" ] }
"#;

const CARRIER_B: &str = r#"
partner: carrier-b
identify: { loopback: true }
side: buyer
base_path: /carrier-b
endpoint: { base_url: "http://SELLER" }
polling: { every_ms: 1000 }
release: grace
mapping: own
routes: [ { backend: own } ]
"#;

/// Two carriers, and what A's Buyer was told.
struct Chain {
    a: Bed,
    b: Bed,
    told: Arc<Mutex<Vec<Value>>>,
    listener: listener::Running,
}

impl Chain {
    async fn open() -> Self {
        let steps = bss::Settings { step_ms: Some(200), ..bss::Settings::on(TODAY) };
        let b = Bed::on(shipped_around(steps).await).await;
        b.folders.bss.bss.call_back(&format!("http://{}", b.gateway.internal_address().unwrap()));

        let told = Arc::new(Mutex::new(Vec::new()));
        let own = Arc::clone(&told);
        let heard: listener::Heard =
            Arc::new(move |_, message| own.lock().unwrap().push(serde_json::from_str(message).unwrap()));
        let listener = listener::start(([127, 0, 0, 1], 0).into(), heard).await.unwrap();

        // A has a procurement system of its own, of which this test has no use.
        let idle = bss::start(([127, 0, 0, 1], 0).into(), bss::Settings::on(TODAY)).await.unwrap();
        let folders = Folders::around(idle);
        folders.write(
            "config/segue.yaml",
            "listeners:\n  sonata: { address: \"127.0.0.1:0\" }\n  internal: { address: \"127.0.0.1:0\" }\n  admin: { address: \"127.0.0.1:0\" }\n\
             store: { embedded: data/segue.db }\nmappings: ../mappings\nreload: { watch: false }\n",
        );
        let own = format!("backend: own\nbase_url: \"http://{}\"\n", folders.bss.local_addr);
        folders.write("config/backends/own.yaml", &own);
        let retail = RETAIL.replace("LISTENER", &listener.local_addr.to_string());
        folders.write("config/partners/retail.yaml", &retail);
        let carrier = CARRIER_B.replace("SELLER", &b.gateway.sonata_address().to_string());
        folders.write("config/partners/carrier-b.yaml", &carrier);
        for (set, backend) in [("resale", "carrier-b"), ("own", "own")] {
            let text = format!("language: 1\nrelease: grace\nbackend: {backend}\n");
            folders.write(&format!("mappings/{set}/set.yaml"), &text);
        }
        folders.write("mappings/resale/quote.yaml", RESALE);
        Self { a: Bed::on(folders).await, b, told, listener }
    }
}

/// A quote that B's order desk knows how to answer, in the words of A's Buyer: its first place is none of B's business.
fn asked(own: &str) -> Value {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases/quote");
    let case = form::read(&cases.join("createQuote.one")).unwrap();
    let mut body: Value = serde_json::from_slice(&case.request.body.bytes()).unwrap();
    body["externalId"] = json!(own);
    let places = body["quoteItem"][0]["product"]["place"].as_array_mut().unwrap();
    let mut billing = places[0].clone();
    billing["role"] = json!("BILLING");
    places.insert(0, billing);
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_sells_on_what_another_one_sells() {
    bounded(async {
        let chain = Chain::open().await;
        let made = chain.a.post(QUOTE, &asked("R-1")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let (quote, item) = (made.json(), made.json()["quoteItem"][0].clone());
        assert_eq!(quote["state"], "approved.orderable", "{made:?}");
        assert_eq!(item["product"]["place"][0]["role"], "BILLING", "what the Buyer said is repeated");

        // B's desk was asked, with one place, and A's price is B's and a fifth more.
        let desk = chain.b.folders.bss.bss.journal();
        let offers: Vec<_> = desk.iter().filter(|entry| entry.path == "/v2/offers").collect();
        assert_eq!(offers.len(), 1);
        let offer: Value = serde_json::from_slice(&offers[0].body).unwrap();
        assert_eq!((offer["adr"].as_array().unwrap().len(), &offer["hdr"]["custRef"]), (1, &json!("R-1")));
        let listed = chain.b.get(&format!("{QUOTE}?externalId=R-1")).await.json();
        let of_b = chain.b.get(&format!("{QUOTE}/{}", listed[0]["id"].as_str().unwrap())).await.json();
        assert_ne!(of_b["id"], quote["id"], "each carrier has ids of its own");
        let amount = |quote: &Value| {
            quote["quoteItem"][0]["quoteItemPrice"][0]["price"]["dutyFreeAmount"]["value"].as_f64().unwrap()
        };
        assert!((amount(&quote) - amount(&of_b) * 1.2).abs() < 0.001, "{quote} {of_b}");

        // It is looked up at B, too.
        let read = chain.a.get(&format!("{QUOTE}/{}", quote["id"].as_str().unwrap())).await;
        assert_eq!((read.status, &read.json()["state"]), (200, &json!("approved.orderable")), "{read:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_other_one_finds_wrong_is_told_where_the_buyer_wrote_it() {
    bounded(async {
        let chain = Chain::open().await;
        // B sees one place, the second of what A's Buyer wrote.
        let mut wrong = asked("R-2");
        wrong["quoteItem"][0]["product"]["place"][1]["country"] = json!("Atlantis");
        let refused = chain.a.post(QUOTE, &wrong).await;
        refused.assert_faults(
            "a country that B does not know",
            &[("invalidValue", "/quoteItem/0/product/place/1/country")],
        );
        // Nothing was made anywhere, and the same may be asked again without the fault.
        assert_eq!(chain.b.get(&format!("{QUOTE}?externalId=R-2")).await.json(), json!([]));
        let made = chain.a.post(QUOTE, &asked("R-2")).await;
        assert_eq!(made.status, 201, "{made:?}");
        // A carrier that is away is a system that is away: nothing of it is told.
        let Chain { a, b, .. } = chain;
        b.gateway.stop().await.unwrap();
        let away = a.post(QUOTE, &asked("R-3")).await;
        away.assert_problem("B is away", 500, "internalError");
        assert!(!away.text().contains("carrier-b"), "{away:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_at_the_other_one_is_told_to_the_buyer() {
    bounded(async {
        let chain = Chain::open().await;
        let callback = format!("http://{}", chain.listener.local_addr);
        let hub = "/mefApi/sonata/quoteManagement/v8/hub";
        let registered = chain.a.post(hub, &json!({ "callback": callback })).await;
        assert_eq!(registered.status, 201, "{registered:?}");
        let mut later = asked("R-4");
        deferred(&mut later);
        let made = chain.a.post(QUOTE, &later).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.member("id");
        // B's desk works, B hears of it, A asks B, and A's Buyer hears of it under A's id.
        let path = format!("{QUOTE}/{id}");
        until(async || chain.a.get(&path).await.json()["state"] == "approved.orderable").await;
        let is_told = |one: &Value| one["event"]["id"] == *id && one["eventType"] == "quoteStateChangeEvent";
        until(async || chain.told.lock().unwrap().iter().any(is_told)).await;
    })
    .await;
}
