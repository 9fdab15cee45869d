//! The Buyer side over real sockets: Acme's purchasing asks in its own terms, a simulated Seller answers in Sonata.

use std::path::Path;

use bytes::Bytes;
use segue::{cases::form, ids::PartnerId, simulate::seller};
use serde_json::{Value, json};

use super::{
    demonstration::shipped_folders,
    life::ports,
    support::{Answer, Bed, Folders, Http, JSON, bounded, until},
};

/// The day of the shipped cases.
pub const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 21);

/// A gateway and the Seller that it buys from.
pub struct Market {
    pub bed: Bed,
    pub seller: seller::Running,
}

impl Market {
    /// One whose Seller can tell: we listen where the configuration says so.
    async fn told() -> Self {
        let [sonata] = ports();
        Self::open(seller::Settings::on(TODAY), |folders| {
            folders.edit(
                "config/segue.yaml",
                "sonata: { address: \"127.0.0.1:0\"",
                &format!("sonata: {{ address: \"{sonata}\""),
            );
        })
        .await
    }

    /// It subscribes as soon as it serves: for quotes, and for orders.
    pub async fn open(settings: seller::Settings, change: impl FnOnce(&Folders)) -> Self {
        Self::with(settings, 2, change).await
    }

    /// The same once so many listeners are known at the Seller.
    pub async fn with(settings: seller::Settings, listeners: usize, change: impl FnOnce(&Folders)) -> Self {
        let folders = shipped_folders().await;
        let seller = seller::start(([127, 0, 0, 1], 0).into(), settings).await.unwrap();
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let umbrella = std::fs::read_to_string(package.join("config/partners/umbrella.yaml")).unwrap();
        let umbrella = umbrella.replace("127.0.0.1:8084", &seller.local_addr.to_string());
        folders.write("config/partners/umbrella.yaml", &umbrella);
        change(&folders);
        let gateway = segue::app::start(&folders.config()).await.unwrap();
        until(async || seller.seller.listeners() == listeners).await;
        Self { bed: Bed { folders, gateway, client: Http::new() }, seller }
    }

    /// What purchasing asks for.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let to = self.bed.gateway.internal_address().unwrap();
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        self.bed.client.send(to, method, path, &[JSON], body).await
    }

    /// What the Seller was asked, subscriptions apart.
    pub fn seen(&self) -> Vec<seller::Seen> {
        self.seller.seller.seen().into_iter().filter(|seen| !seen.path.contains("/hub")).collect()
    }
}

/// The very message that the Seller side sends Acme's order desk for a Buyer's quote, with the Seller's name in it.
pub fn offer(own: &str) -> Value {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases/quote");
    let case = form::read(&cases.join("createQuote.one")).unwrap();
    let mut body: Value =
        serde_json::from_slice(&case.calls[0].request.as_ref().unwrap().body.bytes()).unwrap();
    body["hdr"]["supplier"] = json!("umbrella");
    body["hdr"]["custRef"] = json!(own);
    body
}

/// The same, as one that takes its time.
pub fn later(mut offer: Value) -> Value {
    offer["hdr"]["mode"] = json!("D");
    offer["hdr"]["wishDate"] = json!("20.12.2026");
    let mut technician = offer["ctc"][0].clone();
    (technician["lineNo"], technician["typ"]) = (json!(10), json!("T"));
    offer["ctc"].as_array_mut().unwrap().push(technician);
    offer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shape_of_the_seller_side_buys() {
    bounded(async {
        let market = Market::open(seller::Settings::on(TODAY), |_| ()).await;
        let asked = offer("P-1");
        let made = market.ask("POST", "/purchase/offers", &asked).await;
        assert_eq!(made.status, 201, "{made:?}");

        // What the Seller got is what the Buyer of that case had sent, as far as Acme's words go.
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases/quote");
        let case = form::read(&cases.join("createQuote.one")).unwrap();
        let sonata: Value = serde_json::from_slice(&case.request.body.bytes()).unwrap();
        let [sent] = market.seen().try_into().unwrap();
        assert_eq!(
            (sent.method.as_str(), sent.path.as_str()),
            ("POST", "/mefApi/sonata/quoteManagement/v8/quote")
        );
        assert!(sent.headers.contains_key("x-idempotency-key"), "{sent:?}");
        for member in
            ["buyerRequestedQuoteLevel", "instantSyncQuote", "projectId", "relatedContactInformation"]
        {
            assert_eq!(sent.body[member], sonata[member], "{member}");
        }
        let (got, wanted) = (&sent.body["quoteItem"][0], &sonata["quoteItem"][0]);
        assert_eq!(got["action"], wanted["action"]);
        assert_eq!(got["product"]["place"], wanted["product"]["place"]);
        assert_eq!(got["product"]["productOffering"], wanted["product"]["productOffering"]);
        assert_eq!(got["requestedQuoteItemTerm"]["duration"], wanted["requestedQuoteItemTerm"]["duration"]);

        // The answer is an offer of Acme's: its own words, the line's own number, the price in cents.
        let offer = made.json();
        assert_eq!((&offer["status"], &offer["lvl"]), (&json!("A1"), &json!("F")));
        assert_eq!(offer["lines"][0]["lineNo"], 10);
        assert_eq!(offer["chg"][0]["mrc"], 12950);
        assert_eq!(offer["validTo"], "21.12.2026");

        // It is found by its own number and by the Seller's, and listed.
        let number = made.member("offerNo");
        for name in ["P-1", number.as_str()] {
            let read = market.ask("GET", &format!("/purchase/umbrella/offers/{name}"), &Value::Null).await;
            assert_eq!((read.status, read.member("offerNo")), (200, number.clone()), "{name}");
            assert_eq!(read.json()["lines"][0]["lineNo"], 10);
        }
        let rows = market.ask("GET", "/purchase/umbrella/offers?st=A1", &Value::Null).await.json();
        assert_eq!(rows["items"][0]["custRef"], "P-1", "{rows}");
        let over = market.ask("POST", "/purchase/umbrella/offers/P-1/cancel", &json!({})).await;
        assert_eq!((over.status, over.body.len()), (204, 0), "{over:?}");
        let again = market.ask("POST", "/purchase/umbrella/offers/P-1/cancel", &json!({})).await;
        assert_eq!((again.status, &again.json()["err"][0]["code"]), (422, &json!("otherIssue")), "{again:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_where_purchasing_wrote_it() {
    bounded(async {
        let market = Market::open(seller::Settings::on(TODAY), |_| ()).await;
        let told = async |change: fn(&mut Value)| {
            let mut asked = offer("P-2");
            change(&mut asked);
            let answer = market.ask("POST", "/purchase/offers", &asked).await;
            let first = answer.json()["err"][0].clone();
            (answer.status, first["code"].as_str().unwrap_or_default().to_owned(), first["pos"].clone())
        };
        let row = |code: &str, pos: &str| (422, code.to_owned(), json!(pos));
        // Refused by the mapping, by the partner's contract before anything is sent, and by the Seller.
        let unknown = told(|offer| offer["adr"][0]["land"] = json!("QQQ")).await;
        assert_eq!(unknown, row("invalidValue", "/adr/0/land"));
        let (status, code, _) = told(|offer| {
            offer["hdr"].as_object_mut().unwrap().remove("lvl");
        })
        .await;
        assert_eq!((status, code.as_str()), (422, "missingProperty"));
        assert_eq!(market.seen().len(), 0, "nothing was sent");
        let served = told(|offer| offer["adr"][0]["land"] = json!("AUT")).await;
        assert_eq!(served, row("invalidValue", "/adr/0/land"));
        assert_eq!(market.seen().len(), 1);
        let nobody = told(|offer| offer["hdr"]["supplier"] = json!("nobody")).await;
        assert_eq!(nobody, row("invalidValue", "/hdr/supplier"));
        let none = market.ask("GET", "/purchase/umbrella/offers/none", &Value::Null).await;
        assert_eq!((none.status, &none.json()["rc"]), (404, &json!(8)), "{none:?}");
        let wrong = market.ask("DELETE", "/purchase/umbrella/offers", &Value::Null).await;
        assert_eq!(wrong.status, 405, "{wrong:?}");
        // What was refused has no number: it may be asked again.
        let made = market.ask("POST", "/purchase/offers", &offer("P-2")).await;
        assert_eq!(made.status, 201, "{made:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_asked_again_only_where_that_is_safe_and_bought_once() {
    bounded(async {
        let market = Market::open(seller::Settings::on(TODAY), |_| ()).await;
        market.seller.seller.fail(503);
        market.seller.seller.fail(502);
        let made = market.ask("POST", "/purchase/offers", &offer("P-3")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let keys: Vec<_> =
            market.seen().iter().map(|seen| seen.headers["x-idempotency-key"].clone()).collect();
        assert_eq!(keys.len(), 3);
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
        // The same message again is the same offer, and nobody is asked; another one under its number is refused.
        let again = market.ask("POST", "/purchase/offers", &offer("P-3")).await;
        assert_eq!((again.status, again.json()), (201, made.json()));
        let mut other = offer("P-3");
        other["hdr"]["lvl"] = json!("B");
        assert_eq!(market.ask("POST", "/purchase/offers", &other).await.status, 409);
        assert_eq!(market.seen().len(), 3);

        // A Seller that is not there, and one that fails.
        for _ in 0..3 {
            market.seller.seller.fail(500);
        }
        assert_eq!(market.ask("POST", "/purchase/offers", &offer("P-4")).await.status, 502);
        let Market { bed, seller } = market;
        drop(seller);
        let to = bed.gateway.internal_address().unwrap();
        let body = Bytes::from(offer("P-5").to_string());
        let gone = bed.client.send(to, "POST", "/purchase/offers", &[JSON], body).await;
        assert_eq!((gone.status, &gone.json()["rc"]), (503, &json!(8)), "{gone:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_what_may_have_been_done_is_not_asked_again() {
    bounded(async {
        let without = |folders: &Folders| {
            folders.edit(
                "config/partners/umbrella.yaml",
                "idempotency: { key_header: x-idempotency-key }",
                "",
            );
        };
        let market = Market::open(seller::Settings::on(TODAY), without).await;
        market.seller.seller.fail(503);
        let lost = market.ask("POST", "/purchase/offers", &offer("P-6")).await;
        assert_eq!((lost.status, market.seen().len()), (502, 1), "{lost:?}");
        // Nobody knows what became of it, so it is not made a second time.
        let again = market.ask("POST", "/purchase/offers", &offer("P-6")).await;
        assert_eq!((again.status, market.seen().len()), (409, 1), "{again:?}");
        // Something was made, and the answer does not say what.
        market.seller.seller.fail(201);
        let vague = market.ask("POST", "/purchase/offers", &offer("P-7")).await;
        assert_eq!((vague.status, market.seen().len()), (502, 2), "{vague:?}");
        let (store, partner) = (market.bed.gateway.store(), PartnerId::parse("umbrella").unwrap());
        assert_eq!(store.unfinished(&partner, i64::MAX, 10).await.unwrap().len(), 2);
        // What only looks is asked again.
        market.seller.seller.fail(503);
        let listed = market.ask("GET", "/purchase/umbrella/offers", &Value::Null).await;
        assert_eq!((listed.status, market.seen().len()), (200, 4), "{listed:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_seller_sees_a_token_and_who_is_bought_for() {
    bounded(async {
        let client = Some(("acme".to_owned(), "a-secret-of-the-test".to_owned()));
        let settings = seller::Settings { client, ..seller::Settings::on(TODAY) };
        let market = Market::open(settings, |folders| {
            let umbrella = folders.read("config/partners/umbrella.yaml");
            let url = umbrella.split("base_url: \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            folders.write("config/secrets/umbrella", "a-secret-of-the-test\n");
            let credentials = format!(
                "endpoint:\n  credentials: {{ oauth2: {{ token_url: \"{url}/oauth2/token\", client_id: acme, client_secret: {{ file: secrets/umbrella }} }} }}"
            );
            folders.edit("config/partners/umbrella.yaml", "endpoint:", &credentials);
            folders.edit("config/partners/umbrella.yaml", "{ buyers: one,", "{ buyers: [ acme-de ],");
        })
        .await;
        for own in ["P-7", "P-8"] {
            let made = market.ask("POST", "/purchase/offers", &offer(own)).await;
            assert_eq!(made.status, 201, "{made:?}");
        }
        let seen = market.seen();
        assert!(seen.iter().all(|seen| seen.path.ends_with("/quote?buyerId=acme-de")), "{seen:?}");
        assert_eq!(seen[0].headers["authorization"], seen[1].headers["authorization"], "one token for both");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_seller_tells_is_followed_and_told_to_purchasing_once() {
    bounded(async {
        let market = Market::told().await;
        let bss = &market.bed.folders.bss.bss;
        let told = || bss.journal().into_iter().filter(|entry| entry.path.starts_with("/purchase/offers/"));
        // A quote that takes its time: each step is told, in order, what it says being looked up.
        let made = market.ask("POST", "/purchase/offers", &later(offer("P-9"))).await;
        assert_eq!(made.status, 201, "{made:?}");
        // The first time purchasing cannot be told, and is told again.
        bss.arrange(
            serde_json::from_value(
                json!({ "path": "/purchase/offers/P-9", "kind": "status", "status": 503, "count": 1 }),
            )
            .unwrap(),
        );
        market.seller.seller.step();
        until(async || told().count() >= 2).await;
        market.seller.seller.step();
        until(async || told().any(|entry| String::from_utf8_lossy(&entry.body).contains("\"A1\""))).await;
        assert!(told().all(|entry| entry.path == "/purchase/offers/P-9" && entry.method == "PUT"));
        let said: Value = serde_json::from_slice(&told().last().unwrap().body).unwrap();
        assert_eq!(
            (&said["offerNo"], &said["lines"][0]["lineNo"]),
            (&json!(made.member("offerNo")), &json!(10))
        );

        // The same event again counts once; one that is none is refused; so is one of somebody else.
        let before = told().count();
        let event = json!({
            "eventId": "twice", "eventTime": "2026-11-21T10:00:00Z", "eventType": "quoteStateChangeEvent",
            "event": { "id": made.member("offerNo") }
        });
        let path = "/umbrella/mefApi/sonata/quoteNotification/v8/listener/quoteStateChangeEvent";
        for _ in 0..3 {
            let heard = market.bed.post(path, &event).await;
            assert_eq!((heard.status, heard.body.len()), (204, 0), "{heard:?}");
        }
        until(async || told().count() > before).await;
        // What is told next comes after all that was to be told before.
        let mut next = event.clone();
        next["eventId"] = json!("next");
        assert_eq!(market.bed.post(path, &next).await.status, 204);
        until(async || told().count() >= before + 2).await;
        assert_eq!(told().count(), before + 2);
        next["event"] = json!({});
        assert_eq!(market.bed.post(path, &next).await.status, 400);
        // Of whom nothing is bought, nothing is heard.
        let stranger = path.replace("/umbrella", "/nobody");
        assert_eq!(market.bed.post(&stranger, &event).await.status, 404);
        assert_eq!(market.bed.post(&path.replace("v8", "v7"), &event).await.status, 404);
    })
    .await;
}

/// The messages that the Seller side sends Acme's desks for a Buyer's order of several products, as one folder, with the
/// articles and the Seller's name in it; and what the Buyer had sent.
pub fn folder(own: &str) -> (Value, Value) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases/order");
    let case = form::read(&cases.join("createProductOrder.mixed")).unwrap();
    let articles = [
        ("/orders/uni", "UNI-O"),
        ("/orders/unis", "UNI-S"),
        ("/orders/ovc", "EVPLA"),
        ("/orders/evc", "EPL"),
    ];
    let (mut folder, mut orders) = (Value::Null, Vec::new());
    for call in &case.calls {
        let request = call.request.as_ref().unwrap();
        let mut body: Value = serde_json::from_slice(&request.body.bytes()).unwrap();
        if request.path == "/packs" {
            folder = body;
        } else if let Some((_, article)) = articles.iter().find(|(path, _)| *path == request.path) {
            (body["sku"], body["termM"], body["renew"]) = (json!(article), json!(24), json!("J"));
            orders.push(body);
        }
    }
    (folder["hdr"]["supplier"], folder["hdr"]["custRef"]) = (json!("umbrella"), json!(own));
    folder["orders"] = Value::Array(orders);
    (folder, serde_json::from_slice(&case.request.body.bytes()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shapes_of_the_order_desks_order() {
    bounded(async {
        let market = Market::told().await;
        let (asked, wanted) = folder("P-20");
        let made = market.ask("POST", "/purchase/packs", &asked).await;
        assert_eq!(made.status, 201, "{made:?}");
        let [sent] = market.seen().try_into().unwrap();
        assert_eq!(sent.path, "/mefApi/sonata/productOrderingManagement/v10/productOrder");

        // Each line is the item that it was made of; items are named by their lines, which count them in tens.
        let wanted = wanted["productOrderItem"].as_array().unwrap();
        let line = |id: &Value| {
            json!(((wanted.iter().position(|item| item["id"] == *id).unwrap() + 1) * 10).to_string())
        };
        let items = sent.body["productOrderItem"].as_array().unwrap();
        assert_eq!(items.len(), 5);
        for item in items {
            let wanted = wanted.iter().find(|wanted| line(&wanted["id"]) == item["id"]).unwrap();
            assert_eq!(item["action"], wanted["action"]);
            assert_eq!(item["requestedCompletionDate"], wanted["requestedCompletionDate"]);
            assert_eq!(item["product"]["productOffering"], wanted["product"]["productOffering"]);
            assert_eq!(item["product"]["place"], wanted["product"]["place"]);
            let (of, type_of) = (&item["product"]["productConfiguration"], |of: &Value| of["@type"].clone());
            assert_eq!(type_of(of), type_of(&wanted["product"]["productConfiguration"]));
            let mut relations = wanted["productOrderItemRelationship"].clone();
            for relation in relations.as_array_mut().into_iter().flatten() {
                relation["id"] = line(&relation["id"]);
            }
            assert_eq!(item["productOrderItemRelationship"], relations);
        }

        // The folder comes back line by line, and is told when the Seller moves it.
        let bought = made.json();
        let lines: Vec<_> = bought["orders"].as_array().unwrap().iter().collect();
        let sent_lines: Vec<_> = asked["orders"].as_array().unwrap().iter().collect();
        for (line, sent) in lines.iter().zip(&sent_lines) {
            for name in
                ["lineNo", "sku", "artNo", "wishDate", "uniLine", "uniLineZ", "vlanA", "cirA", "speed"]
            {
                assert_eq!(line[name], sent[name], "{name}");
            }
            assert_eq!(line["st"], 10);
        }
        assert_eq!(lines.len(), sent_lines.len());
        let bss = &market.bed.folders.bss.bss;
        let told = || bss.journal().into_iter().filter(|entry| entry.path == "/purchase/packs/P-20");
        market.seller.seller.step();
        until(async || told().any(|entry| String::from_utf8_lossy(&entry.body).contains("\"st\":20"))).await;
        market.seller.seller.step();
        until(async || told().any(|entry| String::from_utf8_lossy(&entry.body).contains("\"st\":40"))).await;
        let read = market.ask("GET", "/purchase/umbrella/packs/P-20", &Value::Null).await;
        assert_eq!((read.status, &read.json()["st"]), (200, &json!(40)), "{read:?}");
        // The Seller's word of an item is told at the line.
        let (mut wrong, _) = folder("P-21");
        wrong["orders"][0]["adr"][0]["land"] = json!("AUT");
        let refused = market.ask("POST", "/purchase/packs", &wrong).await;
        assert_eq!((refused.status, &refused.json()["err"][0]["pos"]), (422, &json!("/orders/0/adr/0/land")));
    })
    .await;
}

/// Whether everything that is shown is there.
fn shows(shown: &Value, actual: &Value) -> bool {
    match (shown, actual) {
        (Value::Object(shown), Value::Object(_)) => shown.iter().all(|(name, one)| shows(one, &actual[name])),
        (Value::Array(shown), Value::Array(actual)) => {
            shown.len() == actual.len() && shown.iter().zip(actual).all(|(one, other)| shows(one, other))
        }
        _ => shown == actual,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_tells_what_is_bought() {
    bounded(async {
        let readme =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
        let between = |before: &str, after: &str| {
            let rest = &readme[readme.find(before).unwrap() + before.len()..];
            rest[..rest.find(after).unwrap()].to_owned()
        };
        let asked: Value = serde_json::from_str(&format!("{}}}", between("--data '", "}'"))).unwrap();
        let shown: Value =
            serde_json::from_str(&between("Purchasing reads (shortened):\n\n```json\n", "```")).unwrap();
        let market = Market::open(seller::Settings::on(TODAY), |_| ()).await;
        let made = market.ask("POST", "/purchase/offers", &asked).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert!(shows(&shown, &made.json()), "{made:?}");
    })
    .await;
}
