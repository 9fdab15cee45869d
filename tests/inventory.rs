//! Products that a request changes or ends are looked up in the inventory first: what comes of it when that is not a
//! product.

use segue::simulate::bss::fault::{Fault, Kind};
use serde_json::{Value, json};

use super::support::{Bed, Folders, PRODUCT, QUOTE, Setup, bounded, quote};

/// The inventory of the tests; what `on:` says of a look-up stands at its end.
const INVENTORY: &str = "function: inventory\noperations:\n  listProduct:\n    call: GET /v2/assets\n    \
    answer: { each: \"items[*]\", legacy_id: assetNo, fields: [ { sonata: status, value: active } ] }\n    \
    paging: { page: pageNo, size: pageSize, first: 1, total: $.meta.count }\n  \
    retrieveProduct:\n    call: \"GET /v2/assets/{legacy.id}\"\n    \
    answer: { fields: [ { sonata: status, value: active } ] }\n    on: ";

async fn bed(setup: Setup, on: &str) -> Bed {
    let folders = Folders::new(&setup).await;
    folders.write("mappings/tiny/inventory.yaml", &format!("{INVENTORY}{on}\n"));
    Bed::on(folders).await
}

/// A quote that ends these products.
fn ending(products: &[&str]) -> Value {
    let items = products.iter().enumerate();
    let items: Vec<Value> = items
        .map(|(index, id)| json!({ "id": format!("i{index}"), "action": "delete", "product": { "id": id } }))
        .collect();
    let mut ending = quote("ending");
    ending["quoteItem"] = Value::Array(items);
    ending
}

/// The products that the partner has.
async fn products(bed: &Bed) -> Vec<String> {
    bed.get(PRODUCT).await.ids()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_product_that_is_not_found_is_gone() {
    const GONE: &str = "{ status: 404, problem: referenceNotFound, reason: \"Not there.\" }";
    const CLOSED: &str = "{ status: 409, problem: otherIssue, reason: \"The inventory is closed.\" }";
    bounded(async {
        for (on, status, expected) in [
            (format!("[ {GONE}, {CLOSED} ]"), 404, Ok(("referenceNotFound", "not in the inventory"))),
            (format!("[ {GONE}, {CLOSED} ]"), 409, Ok(("otherIssue", "The inventory is closed."))),
            (format!("[ {CLOSED} ]"), 404, Ok(("referenceNotFound", "not in the inventory"))),
            (format!("[ {CLOSED} ]"), 400, Err("internalError")),
            (format!("[ {CLOSED} ]"), 503, Err("internalError")),
        ] {
            let what = format!("{on} and {status}");
            let bed = bed(Setup::default(), &on).await;
            let own = products(&bed).await;
            let path = "/v2/assets/".to_owned();
            bed.arrange(Fault { status, path, count: 0, ..Fault::of(Kind::Status) });
            let answer = bed.post(QUOTE, &ending(&[&own[0]])).await;
            match expected {
                Ok((code, reason)) => {
                    answer.assert_faults(&what, &[(code, "/quoteItem/0/product/id")]);
                    assert!(answer.text().contains(reason), "{what}: {answer:?}");
                }
                Err(code) => answer.assert_problem(&what, 500, code),
            }
            assert!(bed.received().iter().all(|entry| entry.method == "GET"), "{what}: something was quoted");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_products_than_there_may_be_calls_are_refused_before_any_is_looked_for() {
    bounded(async {
        let bed = bed(Setup { limits: "calls_max: 2", ..Setup::default() }, "[]").await;
        let own = products(&bed).await;
        let before = bed.received().len();
        let answer = bed.post(QUOTE, &ending(&[&own[0], &own[1], "unknown"])).await;
        answer.assert_problem("three", 400, "invalidBody");
        assert!(answer.text().contains("3 products, 2 are allowed"), "{answer:?}");
        assert_eq!(bed.received().len(), before);
        let answer = bed.post(QUOTE, &ending(&[&own[0], &own[1], &own[0]])).await;
        assert_ne!(answer.status, 400, "one twice is one: {answer:?}");
    })
    .await;
}
