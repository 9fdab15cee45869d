//! Sellers on other releases than mappings are written in: Acme's purchasing buys of them through the shapes that are
//! written for grace, over real sockets.

use segue::{
    json::Document,
    plan,
    simulate::seller,
    sonata::{Options, ProductFaults, Release, catalogue, check},
};
use serde_json::{Value, json};

use super::{
    buying::{Market, TODAY, folder, later, offer},
    following::remapped,
    life::ports,
    support::{Folders, bounded, until},
};

const UMBRELLA: &str = "config/partners/umbrella.yaml";

/// The same partner on another release, whose guides' rules are not those of grace.
fn on(folders: &Folders, release: &str) {
    folders.edit(UMBRELLA, "release: { default: grace }", &format!("release: {{ default: {release} }}"));
    let text = folders.read(UMBRELLA);
    let (before, rest) = text.split_once("\nrules:\n").unwrap();
    let after = rest.split_once("\n\n").unwrap().1;
    folders.write(UMBRELLA, &format!("{before}\n\n{after}"));
}

/// A gateway that buys of a Seller on a release, which tells by itself or has to be asked.
async fn market(release: &str, has_hub: bool) -> Market {
    let [sonata] = ports();
    let own = seller::Release::named(release).unwrap();
    let settings = seller::Settings { release: own, has_hub, ..seller::Settings::on(TODAY) };
    Market::with(settings, if has_hub { 2 } else { 0 }, |folders| {
        on(folders, release);
        folders.edit(
            "config/segue.yaml",
            "sonata: { address: \"127.0.0.1:0\"",
            &format!("sonata: {{ address: \"{sonata}\""),
        );
        if !has_hub {
            let polling = "polling: { every_ms: 1000, give_up_days: 1 }\nrelease: {";
            folders.edit(UMBRELLA, "release: {", polling);
        }
    })
    .await
}

/// Everything that the Seller got is of its release, subscriptions included.
fn assert_spoken(market: &Market, release: &str) {
    let release = Release::parse(release).unwrap();
    for one in market.seller.seller.seen() {
        assert!((200..300).contains(&one.status) || one.status == 422, "{one:?}");
        let path = one.path.split('?').next().unwrap();
        let functions = catalogue().functions(release).filter_map(|own| catalogue().contract(release, own));
        let mut all = functions.flat_map(|own| own.operations.iter().map(move |operation| (own, operation)));
        let is_this = |text: &str| {
            let (mut own, mut asked) = (text.split('/'), path.split('/'));
            own.by_ref().zip(asked.by_ref()).all(|(own, asked)| own == asked || own.starts_with('{'))
                && text.split('/').count() == path.split('/').count()
        };
        let (contract, operation) = all
            .find(|(own, operation)| {
                operation.method.as_str() == one.method
                    && is_this(&format!("{}{}", own.base_path(), operation.path_text()))
            })
            .unwrap_or_else(|| panic!("{release}: {} {}", one.method, one.path));
        let Some(ty) = operation.request else { continue };
        let document = Document::from_text(&one.body.to_string()).unwrap();
        // Of a product purchasing says what Acme's words can say, and kylie brings no products along.
        let products = catalogue().products(release).with_later(&catalogue().products(Release::GRACE));
        let options = Options { product_faults: ProductFaults::Tell, ..Options::new(&products) };
        let found = check::check(document.root(), contract, ty, &options);
        assert!(found.is_valid(), "{release} {}: {:?}\n{:#}", one.path, found.faults, one.body);
    }
}

/// What purchasing was told at a path.
fn told(market: &Market, path: &str) -> Vec<Value> {
    let journal = market.bed.folders.bss.bss.journal();
    let own = journal.into_iter().filter(|entry| entry.path == path);
    own.map(|entry| serde_json::from_slice(&entry.body).unwrap()).collect()
}

/// The life of a quote and of an order at a Seller, in purchasing's own words from beginning to end.
async fn trades(release: &str, has_hub: bool) {
    let market = market(release, has_hub).await;
    let made = market.ask("POST", "/purchase/offers", &offer("P-1")).await;
    assert_eq!(made.status, 201, "{release}: {made:?}");
    let (said, number) = (made.json(), made.member("offerNo"));
    assert_eq!((&said["status"], &said["chg"][0]["mrc"]), (&json!("A1"), &json!(12950)), "{said}");
    assert_eq!((&said["lines"][0]["lineNo"], &said["chg"][0]["per"]), (&json!(10), &json!("M")), "{said}");
    for name in ["P-1", number.as_str()] {
        let read = market.ask("GET", &format!("/purchase/umbrella/offers/{name}"), &Value::Null).await;
        assert_eq!((read.status, read.member("offerNo")), (200, number.clone()), "{release}: {read:?}");
    }
    let rows = market.ask("GET", "/purchase/umbrella/offers?st=A1", &Value::Null).await;
    assert_eq!(rows.json()["items"][0]["custRef"], "P-1", "{release}: {rows:?}");
    let no = json!({ "why": "dear" });
    let declined = market.ask("POST", "/purchase/umbrella/offers/P-1/decline", &no).await;
    assert_eq!(declined.status, 204, "{release}: {declined:?}");

    // What takes its time is told, or asked for.
    let made = market.ask("POST", "/purchase/offers", &later(offer("P-2"))).await;
    assert_eq!(made.status, 201, "{release}: {made:?}");
    let path = "/purchase/offers/P-2";
    market.seller.seller.step();
    until(async || told(&market, path).iter().any(|one| one["status"] == "B")).await;
    market.seller.seller.step();
    until(async || told(&market, path).iter().any(|one| one["status"] == "A1")).await;

    let (asked, _) = folder("P-20");
    let made = market.ask("POST", "/purchase/packs", &asked).await;
    assert_eq!(made.status, 201, "{release}: {made:?}");
    let (bought, path) = (made.json(), "/purchase/packs/P-20");
    for (line, sent) in bought["orders"].as_array().unwrap().iter().zip(asked["orders"].as_array().unwrap()) {
        for name in ["lineNo", "sku", "artNo", "wishDate", "uniLine", "vlanA", "cirA", "speed"] {
            assert_eq!(line[name], sent[name], "{release}: {name}");
        }
    }
    market.seller.seller.step();
    until(async || told(&market, path).iter().any(|one| one["st"] == 20)).await;
    market.seller.seller.step();
    until(async || told(&market, path).iter().any(|one| one["st"] == 40)).await;
    let read = market.ask("GET", "/purchase/umbrella/packs/P-20", &Value::Null).await;
    assert_eq!((read.status, &read.json()["st"]), (200, &json!(40)), "{release}: {read:?}");
    assert_spoken(&market, release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_seller_sells_and_tells() {
    bounded(trades("billie", true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_seller_without_a_hub_sells() {
    bounded(trades("billie", false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_seller_sells_and_tells() {
    bounded(trades("kylie", true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_seller_without_a_hub_sells() {
    bounded(trades("kylie", false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_where_purchasing_wrote_it_whatever_the_seller_speaks() {
    bounded(async {
        for release in ["billie", "kylie"] {
            let market = market(release, false).await;
            let told = async |change: fn(&mut Value)| {
                let mut asked = offer("P-3");
                change(&mut asked);
                let answer = market.ask("POST", "/purchase/offers", &asked).await;
                let first = answer.json()["err"][0].clone();
                (answer.status, first["code"].clone(), first["pos"].clone())
            };
            let row = |code: &str, pos: &str| (422, json!(code), json!(pos));
            // By the Seller, in its own words at its own places.
            let elsewhere = told(|offer| offer["adr"][0]["land"] = json!("AUT")).await;
            assert_eq!(elsewhere, row("invalidValue", "/adr/0/land"), "{release}");
            assert_eq!(market.seen().len(), 1, "{release}");
            // By its contract, before anything is sent.
            let (status, code, _) = told(|offer| {
                offer["hdr"].as_object_mut().unwrap().remove("lvl");
            })
            .await;
            assert_eq!((status, code), (422, json!("missingProperty")), "{release}");
            assert_eq!(market.seen().len(), 1, "{release}: nothing was sent");
            // What was refused may be asked again.
            let made = market.ask("POST", "/purchase/offers", &offer("P-3")).await;
            assert_eq!(made.status, 201, "{release}: {made:?}");
        }
    })
    .await;
}

/// An entry that only some releases have anything for.
const BILLS: &str = r#"
function: billing
exposes:
  GET /purchase/{supplier}/bills/{no}:
    operation: retrieveCustomerBill
    seller: "path:supplier"
    request: { fields: [ { legacy: "path:no", sonata: "path:id" } ] }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_seller_does_not_have_is_told_at_load_and_refused_with_the_reason() {
    bounded(async {
        let own = seller::Release::named("billie").unwrap();
        let settings = seller::Settings { release: own, has_hub: false, ..seller::Settings::on(TODAY) };
        let market = Market::with(settings, 0, |folders| {
            on(folders, "billie");
            folders.edit(UMBRELLA, "release: {", "polling: { every_ms: 1000 }\nrelease: {");
            remapped(folders, "mappings/acme/buying.yaml", "function: quote\n", "function: quote\n");
            // Acme's purchasing asks for no bills.
            folders.edit(
                "config/backends/acme.yaml",
                "openapi: openapi/acme.yaml ",
                "# openapi: openapi/acme.yaml ",
            );
            folders.write("mappings/acme/buying-bill.yaml", BILLS);
        })
        .await;
        let refused = market.ask("GET", "/purchase/umbrella/bills/B-1", &Value::Null).await;
        assert_eq!((refused.status, &refused.json()["rc"]), (501, &json!(8)), "{refused:?}");
        assert!(refused.text().contains("billie has no such function"), "{refused:?}");
        let nobody = market.ask("GET", "/purchase/nobody/bills/B-1", &Value::Null).await;
        assert_eq!(nobody.status, 422, "{nobody:?}");
        assert!(market.seen().is_empty(), "{:?}", market.seen());
        let built = plan::load(&market.bed.folders.config(), None);
        let told: Vec<_> = built.diagnostics.iter().filter(|one| one.code.0 == "P116").collect();
        let [told] = told.as_slice() else { panic!("{told:?}") };
        let expected = "`billing.retrieveCustomerBill` cannot be asked of a Seller on billie";
        assert!(told.message.starts_with(expected), "{told:?}");
    })
    .await;
}
