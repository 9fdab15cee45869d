//! Several legacy systems behind one partner, over real sockets: which of them gets a request, what stays where it was
//! made, and lists that they keep together.

use std::{cell::Cell, net::SocketAddr, sync::Arc};

use segue::{
    app, plan,
    simulate::bss::{self, fault::Fault},
};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::{
    lists::{Double, told},
    support::{
        Bed, CANCEL_QUOTE, Folders, Http, ORDER, PRODUCT, QUOTE, Setup, bounded, deferred, order, quote,
    },
};

const OVC: &str = "urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all";
/// What the second mapping set says otherwise.
const TRIAL: &str =
    "{ legacy: hdr.t, script: trial(text), in: { text: description }, if: \"@.description\" }";
const CATEGORY: &str = "/mefApi/sonata/productCatalog/v2/category";

/// Folders with the backends `old` and `new`; the partner has these lines more.
async fn folders(old: SocketAddr, new: SocketAddr, lines: &str) -> Folders {
    let folders = Folders::new(&Setup::default()).await;
    for (name, address) in [("old", old), ("new", new)] {
        let text = format!("backend: {name}\nbase_url: \"http://{address}\"\n");
        folders.write(&format!("config/backends/{name}.yaml"), &text);
    }
    folders.edit("config/partners/globex.yaml", "routes: [ { backend: acme } ]\n", lines);
    // The same language with another word in it.
    for name in ["address", "codes", "order", "quote", "set"] {
        let text = folders.read(&format!("mappings/tiny/{name}.yaml"));
        folders.write(
            &format!("mappings/young/{name}.yaml"),
            &text.replace(TRIAL, "{ legacy: hdr.t, value: YOUNG }"),
        );
    }
    folders.write("mappings/young/functions.rhai", &folders.read("mappings/tiny/functions.rhai"));
    folders
}

/// A gateway between two simulated systems.
struct Two {
    bed: Bed,
    new: bss::Running,
    /// Numbers of the last entries that were looked at.
    seen: Cell<(u64, u64)>,
}

impl Two {
    async fn start(lines: &str) -> Self {
        let settings = bss::Settings::on(jiff::civil::date(2026, 10, 1));
        let new = bss::start(SocketAddr::from(([127, 0, 0, 1], 0)), settings).await.unwrap();
        let folders = folders(SocketAddr::from(([127, 0, 0, 1], 1)), new.local_addr, lines).await;
        let old = format!("backend: old\nbase_url: \"http://{}\"\n", folders.bss.local_addr);
        folders.write("config/backends/old.yaml", &old);
        let gateway = app::start(&folders.config()).await.unwrap();
        Self { bed: Bed { folders, gateway, client: Http::new() }, new, seen: Cell::default() }
    }

    /// What each system was asked since the last time, the old one first.
    fn asked(&self) -> (Vec<String>, Vec<String>) {
        let since = |bss: &bss::Running, seen: u64| {
            let entries: Vec<_> = bss.bss.journal().into_iter().filter(|entry| entry.n > seen).collect();
            let last = entries.last().map_or(seen, |entry| entry.n);
            (entries.iter().map(|entry| format!("{} {}", entry.method, entry.path)).collect(), last)
        };
        let (seen_old, seen_new) = self.seen.get();
        let ((old, last_old), (new, last_new)) =
            (since(&self.bed.folders.bss, seen_old), since(&self.new, seen_new));
        self.seen.set((last_old, last_new));
        (old, new)
    }

    async fn reroute(&self, from: &str, to: &str) {
        self.bed.folders.edit("config/partners/globex.yaml", from, to);
        let answer = self.bed.admin("POST", "/reload").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

enum Goes {
    Old,
    New,
    /// 422 `invalidValue` at this place.
    Fault(&'static str),
    Problem(u16, &'static str),
}

struct Row {
    routes: &'static str,
    request: &'static str,
    query: &'static str,
    goes: Goes,
}

const SELLERS: &str = "{ sellers: [ s1 ], backend: new }, { backend: old }";
const UNIS: &str = "{ products: [ carrier-ethernet-operator-uni ], backend: new }, { backend: old }";
const CREATES: &str = "{ operations: [ quote.createQuote ], backend: new }";

#[rustfmt::skip]
static ROWS: [Row; 19] = [
    Row { routes: SELLERS, request: "quote", query: "?sellerId=s1", goes: Goes::New },
    Row { routes: SELLERS, request: "quote", query: "?sellerId=s2", goes: Goes::Old },
    Row { routes: "{ sellers: [ s1 ], backend: new }", request: "quote", query: "?sellerId=s2", goes: Goes::Problem(400, "invalidQuery") },
    Row { routes: "{ buyers: [ b2 ], backend: new }, { backend: old }", request: "quote", query: "?buyerId=b2", goes: Goes::New },
    Row { routes: "{ buyers: [ b2 ], backend: new }, { backend: old }", request: "quote", query: "?buyerId=b1", goes: Goes::Old },
    Row { routes: "{ operations: [ quote ], backend: new }, { backend: old }", request: "quote", query: "", goes: Goes::New },
    Row { routes: "{ operations: [ quote ], backend: new }, { backend: old }", request: "order", query: "", goes: Goes::Old },
    Row { routes: CREATES, request: "quote", query: "", goes: Goes::New },
    Row { routes: CREATES, request: "order", query: "", goes: Goes::Problem(501, "notImplemented") },
    Row { routes: UNIS, request: "quote", query: "", goes: Goes::New },
    Row { routes: UNIS, request: "alias", query: "", goes: Goes::New },
    Row { routes: UNIS, request: "ovc", query: "", goes: Goes::Old },
    // A part is the first route's: neither that nor the one for the rest may take the whole.
    Row { routes: UNIS, request: "mixed", query: "", goes: Goes::Fault("/quoteItem/1/product/productConfiguration/@type") },
    Row { routes: "{ products: [ carrier-ethernet-operator-uni ], backend: old }, { products: [ access-eline-ovc, carrier-ethernet-operator-uni ], backend: new }", request: "mixed", query: "", goes: Goes::New },
    Row { routes: "{ products: [ \"urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all\" ], backend: new }", request: "quote", query: "", goes: Goes::Fault("/quoteItem/0/product/productConfiguration/@type") },
    Row { routes: "{ if: \"@.buyerRequestedQuoteLevel == 'firm'\", backend: new }, { backend: old }", request: "quote", query: "", goes: Goes::New },
    Row { routes: "{ if: \"@.buyerRequestedQuoteLevel == 'budgetary'\", backend: new }, { backend: old }", request: "quote", query: "", goes: Goes::Old },
    Row { routes: "{ if: \"@.buyerRequestedQuoteLevel == 'budgetary'\", backend: new }", request: "quote", query: "", goes: Goes::Fault("/buyerRequestedQuoteLevel") },
    Row { routes: "{ backend: new, new: false }, { backend: old }", request: "quote", query: "", goes: Goes::Old },
];

fn body(request: &str) -> Value {
    let mut quote = quote("x");
    let ovc = json!({ "productOffering": { "id": "OVC-100" }, "productConfiguration": { "@type": OVC } });
    match request {
        "order" => return order("x", 1),
        "alias" => quote["quoteItem"][0]["product"]["productConfiguration"]["@type"] = json!("urn:ours:uni"),
        "ovc" => quote["quoteItem"][0]["product"] = ovc,
        "mixed" => {
            let items = quote["quoteItem"].as_array_mut().unwrap();
            items.push(json!({ "id": "b", "action": "add", "product": ovc }));
        }
        _ => {}
    }
    quote
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_route_whose_words_hold_takes_a_request() {
    bounded(async {
        for row in &ROWS {
            let represents = match row.query.get(..7) {
                Some("?seller") => "represents: { sellers: [ s1, s2 ] }\n",
                Some("?buyerI") => "represents: { buyers: [ b1, b2 ] }\n",
                _ => "",
            };
            let two = Two::start(&format!(
                "routes: [ {} ]\n{represents}policy: {{ product_payload: warn }}\n\
                 type_aliases: {{ \"urn:ours:uni\": carrier-ethernet-operator-uni }}\n",
                row.routes
            ))
            .await;
            let path = if row.request == "order" { ORDER } else { QUOTE };
            let answer = two.bed.post(&format!("{path}{}", row.query), &body(row.request)).await;
            let (old, new) = two.asked();
            let what = format!("{} for {}{}: {answer:?}", row.routes, row.request, row.query);
            match row.goes {
                Goes::Old | Goes::New => {
                    assert_eq!(answer.status, 201, "{what}");
                    let expected = if matches!(row.goes, Goes::Old) { (1, 0) } else { (0, 1) };
                    assert_eq!((old.len(), new.len()), expected, "{what}");
                }
                Goes::Fault(place) => answer.assert_faults(&what, &[("invalidValue", place)]),
                Goes::Problem(status, code) => answer.assert_problem(&what, status, code),
            }
            if answer.status != 201 {
                assert_eq!((old.len(), new.len()), (0, 0), "{what}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_made_before_the_migration_stays_where_it_was_made() {
    bounded(async {
        let two = Two::start("routes: [ { backend: old } ]\n").await;
        let mut slow = quote("before");
        deferred(&mut slow);
        let made = two.bed.post(QUOTE, &slow).await.member("id");
        let offered = two.bed.post(QUOTE, &quote("offered")).await.member("id");
        assert_eq!(two.asked().1.len(), 0);
        let migrated = "routes: [ { backend: new, mapping: young }, { backend: old, new: false } ]";
        two.reroute("routes: [ { backend: old } ]", migrated).await;

        let later = two.bed.post(QUOTE, &quote("after")).await.member("id");
        let body = two.new.bss.journal().pop().map(|entry| String::from_utf8(entry.body.to_vec()).unwrap());
        assert!(body.unwrap().contains("YOUNG"), "the new system is spoken to by its own set");
        let (old, new) = two.asked();
        assert_eq!((old.len(), new.as_slice()), (0, ["POST /v2/offers".to_owned()].as_slice()));

        assert_eq!(two.bed.get(&format!("{QUOTE}/{made}")).await.member("externalId"), "before");
        assert_eq!(two.bed.get(&format!("{QUOTE}/{later}")).await.member("externalId"), "after");
        let (old, new) = two.asked();
        assert_eq!((old.len(), new.len()), (1, 1), "{old:?} {new:?}");

        let listed = two.bed.get(QUOTE).await;
        assert_eq!(
            listed.ids(),
            [later.clone(), made.clone(), offered.clone()],
            "in the order of the routes"
        );
        two.asked();

        // The new system must not be told the old one's number.
        let mut ordered = order("o", 1);
        ordered["productOrderItem"][0]["quoteItem"] = json!({ "id": "a", "quoteId": offered });
        let refused = two.bed.post(ORDER, &ordered).await;
        assert_eq!((refused.status, refused.json()[0]["code"].as_str()), (422, Some("referenceNotFound")));
        assert_eq!((two.asked()), (Vec::new(), Vec::new()));

        let cancelled = two.bed.post(CANCEL_QUOTE, &json!({ "quoteId": made, "reason": "late" })).await;
        assert_eq!(cancelled.status, 200, "{cancelled:?}");
        let (old, new) = two.asked();
        assert_eq!((old.len(), new.len()), (1, 0), "{old:?} {new:?}");

        // Two sets, and no route says which of them the old system speaks: told, not guessed.
        two.reroute(migrated, "routes: [ { backend: new, mapping: young }, { backend: acme, new: false } ]")
            .await;
        two.bed.get(&format!("{QUOTE}/{made}")).await.assert_problem("no way", 500, "internalError");
        assert_eq!(two.asked(), (Vec::new(), Vec::new()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_wait_for_a_person_is_a_finding() {
    bounded(async {
        let switches = "operations: { quote: manual, appointment: manual, order: off }\n";
        let two = Two::start(&format!("routes: [ {{ backend: old }} ]\n{switches}")).await;
        let slots = "/mefApi/sonata/appointment/v2/searchTimeSlot";
        two.bed.post(slots, &json!({})).await.assert_problem("manual", 501, "notImplemented");
        two.bed.post(ORDER, &order("x", 1)).await.assert_problem("off", 501, "notImplemented");
        assert_eq!(two.asked(), (Vec::new(), Vec::new()));
        let metrics = two.bed.admin("GET", "/metrics").await.text();
        assert!(metrics.contains("segue_findings_total{code=\"manual\"} 1"), "{metrics}");
        let plan = two.bed.admin("GET", "/plan").await.json();
        let globex =
            plan["partners"].as_array().unwrap().iter().find(|one| one["partner"] == "globex").unwrap();
        let operations = globex["operations"].as_array().unwrap();
        let served = |id: &str| operations.iter().find(|one| one["operationId"] == id).unwrap().clone();
        assert_eq!(served("createQuote")["served"], "manual");
        assert_eq!(served("createProductOrder")["served"], "off");
        let address = served("createGeographicAddressValidation");
        assert_eq!(address["ways"], json!([{ "backend": "old", "mapping": "tiny" }]));
    })
    .await;
}

/// A gateway whose lists come from two systems with these calls and words in their mapping.
async fn merged(old: (&Double, &str), new: (&Double, &str), timeouts: &str) -> Bed {
    let routes = "routes: [ { backend: old, mapping: lists-old }, { backend: new, mapping: lists-new } ]\n";
    // A second route without conditions is for lists only.
    let routes =
        routes.replace("lists-new }", "lists-new, new: false }") + "policy: { product_payload: warn }\n";
    let folders = folders(old.0.address, new.0.address, &routes).await;
    for (name, (double, words)) in [("old", old), ("new", new)] {
        let backend =
            format!("backend: {name}\nbase_url: \"http://{}\"\ntimeouts: {{ {timeouts} }}\n", double.address);
        folders.write(&format!("config/backends/{name}.yaml"), &backend);
        let set = format!("mappings/lists-{name}");
        let unsorted = words.trim_start_matches("order: startDate").trim_start();
        folders.write(&format!("{set}/set.yaml"), &format!("language: 1\nrelease: grace\nbackend: {name}\n"));
        folders.write(
            &format!("{set}/inventory.yaml"),
            &format!(
                "function: inventory\noperations:\n  listProduct:\n    {words}\n    answer: {{ each: \"items[*]\", legacy_id: no, \
                 fields: [ {{ sonata: status, legacy: st }}, {{ sonata: externalId, legacy: no }}, {{ sonata: startDate, legacy: made }} ] }}\n"
            ),
        );
        folders.write(
            &format!("{set}/catalog.yaml"),
            &format!(
                "function: catalog\noperations:\n  listCategory:\n    {unsorted}\n    answer: {{ each: \"items[*]\", legacy_id: no, \
                 fields: [ {{ sonata: name, legacy: no }}, {{ sonata: description, value: {name} }} ] }}\n"
            ),
        );
        folders.write(&format!("{set}/quote.yaml"), CHANGES);
    }
    Bed::on(folders).await
}

/// A quote about products that are there.
const CHANGES: &str = "function: quote\noperations:\n  createQuote:\n    call: POST /q\n    legacy_id: meta.count\n    \
    request: { fields: [ { sonata: \"quoteItem[*]\", legacy: \"l[*]\", fields: [ { sonata: product.id, legacy: p, \
    convert: ref(product) } ] } ] }\n    answer: { fields: [ { sonata: state, value: inProgress.draft } ] }\n";

const PAGE: &str = "call: GET /page\n    paging: { page: p, size: n, items: 20, total: $.meta.count }";
const CURSOR: &str =
    "call: GET /cursor\n    paging: { cursor: after, size: n, items: 20, next: $.meta.next }";
const ALL: &str = "call: GET /all";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_lists_are_one() {
    bounded(async {
        for (first, second) in [(PAGE, CURSOR), (CURSOR, PAGE), (ALL, PAGE), (CURSOR, ALL)] {
            let (old, new) = (Double::named("A", 50, 0).await, Double::named("B", 30, 5).await);
            let bed = merged((&old, first), (&new, second), "").await;
            for (query, from, count) in [
                ("?offset=0&limit=10", 0, 10),
                ("?offset=45&limit=10", 45, 10),
                ("?offset=50&limit=10", 50, 10),
                ("?offset=75&limit=10", 75, 5),
                ("?offset=80&limit=10", 80, 0),
                ("?status=active&offset=49&limit=2", 49, 2),
                ("", 0, 80),
            ] {
                let all = (0..50).map(|no| format!("A{no}")).chain((0..30).map(|no| format!("B{no}")));
                let expected: Vec<String> = all.skip(from).take(count).collect();
                let answer = told(&bed.get(&format!("{PRODUCT}{query}")).await);
                let total = Some("80".to_owned());
                assert_eq!(
                    answer,
                    (expected, total, count.to_string(), "false".to_owned()),
                    "{first} {second} {query}"
                );
            }
            let page = format!("{PRODUCT}?offset=48&limit=4");
            assert_eq!(bed.get(&page).await.ids(), bed.get(&page).await.ids(), "ids are kept");
        }
    })
    .await;
}

/// Each of them answers only when the other is asked as well: one after the other would be never.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_read_side_by_side() {
    bounded(async {
        for words in ["", "order: startDate\n    "] {
            let words = format!("{words}{PAGE}");
            let meets = Arc::new(Barrier::new(2));
            let (old, new) = (Double::meeting("A", 20, &meets).await, Double::meeting("B", 20, &meets).await);
            let bed = merged((&old, &words), (&new, &words), "").await;
            let answer = bed.get(&format!("{PRODUCT}?limit=5")).await;
            assert_eq!(answer.status, 200, "{words}: {answer:?}");
            assert_eq!(told(&answer).1, Some("40".to_owned()), "{words}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sorted_lists_are_merged_in_their_order() {
    bounded(async {
        let (old, new) = (Double::named("A", 50, 0).await, Double::named("B", 30, 0).await);
        let sorted = |words: &str| format!("order: startDate\n    {words}");
        let bed = merged((&old, &sorted(PAGE)), (&new, &sorted(CURSOR)), "").await;
        let mut all: Vec<String> = (0..30).flat_map(|no| [format!("A{no}"), format!("B{no}")]).collect();
        all.extend((30..50).map(|no| format!("A{no}")));
        for (offset, count) in [(0, 7), (15, 10), (55, 10), (78, 2)] {
            let answer = told(&bed.get(&format!("{PRODUCT}?offset={offset}&limit={count}")).await);
            let expected = all.iter().skip(offset).take(count).cloned().collect();
            assert_eq!(answer, (expected, Some("80".to_owned()), count.to_string(), "false".to_owned()));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_both_systems_have_is_answered_once_as_the_first_tells_it() {
    bounded(async {
        // Both number their categories alike, and these numbers are what the partner sees.
        let (old, new) = (Double::named("A", 30, 0).await, Double::named("A", 50, 0).await);
        let bed = merged((&old, PAGE), (&new, PAGE), "").await;
        let answer = bed.get(CATEGORY).await;
        assert_eq!(answer.headers["x-total-count"], "50", "{answer:?}");
        let rows = answer.json();
        let told: Vec<(&str, &str)> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["id"].as_str().unwrap(), row["description"].as_str().unwrap()))
            .collect();
        assert_eq!(told.len(), 50);
        assert!(
            told[..30].iter().all(|(_, by)| *by == "old") && told[30..].iter().all(|(_, by)| *by == "new")
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_never_answered_in_part() {
    bounded(async {
        let (old, late) = (Double::named("A", 50, 0).await, Double::named("B", 30, 400).await);
        let bed = merged((&old, PAGE), (&late, PAGE), "answer_ms: 100").await;
        bed.get(PRODUCT).await.assert_problem("one is slow", 500, "internalError");
        assert!(!old.asked().is_empty());
        let bed = merged((&late, PAGE), (&old, PAGE), "answer_ms: 100").await;
        bed.get(PRODUCT).await.assert_problem("the first is slow", 500, "internalError");

        // More pages than one exchange may ask for: what is beyond is told as throttled, without a total.
        let (much, more) = (Double::named("A", 1_000_000, 0).await, Double::named("B", 30, 0).await);
        let bed = merged((&much, PAGE), (&more, PAGE), "").await;
        let (rows, total, count, throttled) = told(&bed.get(&format!("{PRODUCT}?limit=5")).await);
        assert_eq!((rows.len(), total, count.as_str(), throttled.as_str()), (5, None, "5", "true"));
        assert_eq!((much.asked().len(), more.asked().len()), (199, 1));

        let two = Two::start("routes: [ { backend: old }, { backend: new, new: false } ]\n").await;
        assert_eq!(two.bed.post(QUOTE, &quote("x")).await.status, 201);
        assert_eq!(two.bed.get(QUOTE).await.status, 200);
        two.new.bss.arrange(Fault {
            count: 1,
            ..serde_json::from_value(json!({ "kind": "status", "status": 503 })).unwrap()
        });
        two.bed.get(QUOTE).await.assert_problem("one is down", 500, "internalError");
        assert_eq!(two.bed.get(QUOTE).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_goes_where_the_product_is() {
    bounded(async {
        let (old, new) = (Double::named("A", 2, 0).await, Double::named("B", 2, 0).await);
        let bed = merged((&old, PAGE), (&new, PAGE), "").await;
        let products = bed.get(PRODUCT).await.json();
        let id = |legacy: &str| {
            let mut rows = products.as_array().unwrap().iter();
            rows.find(|row| row["externalId"] == legacy).unwrap()["id"].clone()
        };
        let changed = |number: &str, legacy: &str| json!({ "id": number, "action": "delete", "product": { "id": id(legacy) } });
        let added = json!({ "id": "b", "action": "add", "product": { "productOffering": { "id": "OVC-100" }, "productConfiguration": { "@type": OVC } } });
        let place = |place: &'static str| Some(("invalidValue", place));
        for (items, at_old, at_new, fault) in [
            (json!([ changed("a", "A0") ]), 1, 0, None),
            (json!([ changed("a", "B0"), changed("b", "B1") ]), 0, 1, None),
            (json!([ changed("a", "A0"), added ]), 1, 0, None),
            (json!([ changed("a", "A0"), changed("b", "B1") ]), 0, 0, place("/quoteItem/1/product/id")),
            (json!([ changed("a", "B0"), added ]), 0, 0, place("/quoteItem/1")),
        ] {
            old.asked();
            new.asked();
            let mut quote = quote("x");
            quote["quoteItem"] = items;
            let answer = bed.post(QUOTE, &quote).await;
            match fault {
                Some(fault) => answer.assert_faults(&quote.to_string(), &[fault]),
                None => assert_eq!(answer.status, 201, "{quote}: {answer:?}"),
            }
            assert_eq!((old.asked().len(), new.asked().len()), (at_old, at_new), "{quote}: {answer:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_that_cannot_work_are_told_with_their_place() {
    let any = SocketAddr::from(([127, 0, 0, 1], 1));
    let rows: [(&str, &[&str]); 7] = [
        (
            "{ backend: old, mapping: yung }",
            &["error[P101]", "no mapping set `yung`", "^^^^", "did you mean `young`?"],
        ),
        (
            "{ products: [ acces-eline-ovc ], backend: old }",
            &["error[P102]", "did you mean `access-eline-ovc`?"],
        ),
        (
            "{ operations: [ quote.createQuot ], backend: old }",
            &["error[P104]", "did you mean `createQuote`?"],
        ),
        (
            "{ if: \"@.quoteItem[?@.acton == 'add']\", backend: old }, { backend: new }",
            &["error[P112]", "`@['quoteItem'][*]['acton']`", "did you mean `action`?"],
        ),
        (
            "{ operations: [ order ], if: \"@.buyerRequestedQuoteLevel == 'firm'\", backend: old }",
            &["error[P112]", "no request that this route may take has `@['buyerRequestedQuoteLevel']`"],
        ),
        (
            "{ operations: [ quote ], backend: old, mapping: young }, { backend: old }",
            &["warning[P113]", "backend `old` is spoken to by `young` and by `tiny`"],
        ),
        (
            "{ backend: old }, { backend: new, mapping: little, new: false }",
            &["warning[P113]", "`quote.listQuote` is answered without what `new` keeps"],
        ),
    ];
    for (routes, expected) in rows {
        let folders = folders(any, any, &format!("routes: [ {routes} ]\n")).await;
        folders.write("mappings/little/set.yaml", "language: 1\nrelease: grace\nbackend: new\n");
        let address = folders.read("mappings/tiny/address.yaml");
        folders.write("mappings/little/address.yaml", &address);
        folders.write("mappings/little/codes.yaml", &folders.read("mappings/tiny/codes.yaml"));
        let built = plan::load(&folders.config(), None);
        let told = built.diagnostics.render_text(&built.sources);
        for text in expected {
            assert!(told.contains(text), "{text} of {routes}:\n{told}");
        }
        assert_eq!(built.plan.is_none(), expected[0].starts_with("error"), "{told}");
    }
    let folders = folders(
        any,
        any,
        "routes: [ { operations: [ quote ], backend: new, mapping: young }, { backend: old } ]\n",
    )
    .await;
    let shown = plan::effective_mapping(&folders.config(), "globex", Some("quote.createQuote")).unwrap();
    assert!(shown.contains("# mapping set young: routes[0] to new\n"), "{shown}");
    assert!(shown.contains("# mapping set tiny: routes[1] to old\n"), "{shown}");
}
