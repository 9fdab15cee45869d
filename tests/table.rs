//! What must happen when something is wrong with a request: over real sockets, row by row.

use std::io::Write as _;

use serde_json::{Value, json};

use super::support::{
    ADDRESS, Bed, CANCEL_QUOTE, JSON, ORDER, QUOTE, Setup, bounded, deferred, order, quote,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_is_mediated_there_and_back() {
    bounded(async {
        let bed = Bed::start().await;
        let made = bed.post(QUOTE, &quote("Q-1")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let body = made.json();
        assert_eq!((&body["externalId"], &body["state"]), (&json!("Q-1"), &json!("approved.orderable")), "{made:?}");
        assert_eq!(body["quoteItem"][0]["product"], quote("Q-1")["quoteItem"][0]["product"]);
        let sent: Value = serde_json::from_slice(&bed.received()[0].body).unwrap();
        assert_eq!(sent["hdr"], json!({ "custRef": "Q-1", "lvl": "F", "mode": "S" }));
        assert_eq!(sent["lines"], json!([ { "lineNo": 10, "act": "N", "sku": "UNI-O", "frame": 1522 } ]));

        let id = made.member("id");
        let again = bed.get(&format!("{QUOTE}/{id}")).await;
        assert_eq!((again.status, again.member("id")), (200, id.clone()), "{again:?}");
        let list = bed.get(&format!("{QUOTE}?externalId=Q-1")).await;
        assert_eq!((list.status, &list.json()[0]["id"]), (200, &json!(&id)), "{list:?}");
        let mut slow = quote("Q-2");
        deferred(&mut slow);
        let id = bed.post(QUOTE, &slow).await.member("id");
        let cancelled = bed.post(CANCEL_QUOTE, &json!({ "quoteId": id })).await;
        assert_eq!(cancelled.status, 200, "{cancelled:?}");
        let after = bed.get(&format!("{QUOTE}/{id}")).await;
        assert_eq!(after.member("state"), "cancelled", "{after:?}");

        let ordered = bed.post(ORDER, &order("O-1", 2)).await;
        assert_eq!((ordered.status, ordered.json()["productOrderItem"].as_array().unwrap().len()), (201, 2), "{ordered:?}");
        let address = json!({ "provideAlternative": false, "submittedGeographicAddress":
            { "@type": "FieldedAddress", "streetName": "Example St", "city": "Berlin", "postcode": "10115", "country": "Germany" } });
        let checked = bed.post(ADDRESS, &address).await;
        assert_eq!(checked.status, 200, "{checked:?}");
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_document_is_refused_with_its_place() {
    bounded(async {
        let bed = Bed::with(Setup { limits: "body_bytes_max: 2048, depth_max: 8", ..Setup::default() }).await;
        let deep = format!("{{\"note\":{}{}}}", "[".repeat(20), "]".repeat(20));
        let large = format!("{{\"externalId\":\"{}\"}}", "x".repeat(4096));
        let duplicate = quote("d").to_string().replacen("\"action\"", "\"id\":\"b\",\"action\"", 1);
        let mut not_utf8 = quote("u").to_string().into_bytes();
        let place = not_utf8.windows(3).position(|three| three == b"\"u\"").unwrap();
        not_utf8[place + 1] = 0xff;
        let rows: [(&str, &str, Vec<u8>, &str); 8] = [
            ("not JSON", JSON.1, b"{\"externalId\": nope}".to_vec(), "externalId"),
            ("cut off", JSON.1, b"{\"externalId\": \"x\"".to_vec(), ""),
            ("empty", JSON.1, Vec::new(), ""),
            ("media type", "text/plain", quote("m").to_string().into_bytes(), "application/json"),
            ("too large", JSON.1, large.into_bytes(), "2048"),
            ("too deep", JSON.1, deep.into_bytes(), "note"),
            ("duplicate member", JSON.1, duplicate.into_bytes(), "quoteItem/0"),
            ("invalid UTF-8", JSON.1, not_utf8, "externalId"),
        ];
        let to = bed.gateway.sonata_address();
        for (what, media_type, body, place) in rows {
            let answer =
                bed.client.send(to, "POST", QUOTE, &[("content-type", media_type)], body.into()).await;
            answer.assert_problem(what, 400, "invalidBody");
            assert!(answer.member("reason").contains(place), "{what}: the reason names {place}: {answer:?}");
        }
        let answer = bed.client.send(to, "POST", QUOTE, &[], quote("n").to_string().into()).await;
        answer.assert_problem("no media type", 400, "invalidBody");
        let zipped = [JSON, ("content-encoding", "br")];
        let answer = bed.client.send(to, "POST", QUOTE, &zipped, quote("z").to_string().into()).await;
        answer.assert_problem("unknown encoding", 400, "invalidBody");
        let pack = |body: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        };
        let zipped = [JSON, ("content-encoding", "gzip")];
        let bomb = pack(format!("{{\"externalId\":\"{}\"}}", "x".repeat(60_000)).as_bytes());
        assert!(bomb.len() < 2048);
        let answer = bed.client.send(to, "POST", QUOTE, &zipped, bomb.into()).await;
        answer.assert_problem("too large once unpacked", 400, "invalidBody");
        assert!(bed.received().is_empty(), "{:?}", bed.received());
        let good = pack(quote("packed").to_string().as_bytes());
        assert_eq!(bed.client.send(to, "POST", QUOTE, &zipped, good.into()).await.status, 201);
    })
    .await;
}

/// What is wrong, the body, and the code and place of each fault.
type Row = (&'static str, Value, Vec<(&'static str, &'static str)>);

fn changed(pointer: &str, value: Value) -> Value {
    let mut body = quote("c");
    if let Some(place) = body.pointer_mut(pointer) {
        *place = value;
        return body;
    }
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_the_contract_is_told_fault_by_fault() {
    bounded(async {
        let bed = Bed::start().await;
        let config = "/quoteItem/0/product/productConfiguration";
        let rows: Vec<Row> = vec![
            ("missing", changed("/quoteItem/0", json!({ "id": "a" })), vec![("missingProperty", "/quoteItem/0/action")]),
            ("wrong type", changed("/instantSyncQuote", json!("yes")), vec![("invalidValue", "/instantSyncQuote")]),
            ("unknown enum", changed("/buyerRequestedQuoteLevel", json!("gold")), vec![("invalidValue", "/buyerRequestedQuoteLevel")]),
            (
                "bad date",
                changed("/requestedQuoteCompletionDate", json!("2026-13-01T00:00:00Z")),
                vec![("invalidFormat", "/requestedQuoteCompletionDate")],
            ),
            (
                "product payload",
                changed(&format!("{config}/maximumServiceFrameSize"), json!(12)),
                vec![("invalidValue", "/quoteItem/0/product/productConfiguration/maximumServiceFrameSize")],
            ),
            (
                "unknown @type",
                changed(config, json!({ "@type": "urn:none" })),
                vec![("invalidValue", "/quoteItem/0/product/productConfiguration/@type")],
            ),
            (
                "several",
                json!({ "instantSyncQuote": 1, "quoteItem": [ { "id": "a", "action": "zap" }, { "action": "add" } ] }),
                vec![
                    ("missingProperty", "/buyerRequestedQuoteLevel"),
                    ("invalidValue", "/instantSyncQuote"),
                    ("invalidValue", "/quoteItem/0/action"),
                    ("missingProperty", "/quoteItem/1/id"),
                ],
            ),
        ];
        for (what, body, faults) in rows {
            let answer = bed.post(QUOTE, &body).await;
            answer.assert_faults(what, &faults);
        }
        assert!(bed.received().is_empty(), "{:?}", bed.received());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_are_unknown_or_foreign_are_not_found() {
    bounded(async {
        let bed = Bed::start().await;
        let id = bed.post(QUOTE, &quote("mine")).await.member("id");
        let calls = bed.received().len();
        for (what, path) in [
            ("unknown", format!("{QUOTE}/none")),
            ("another partner's", format!("/rival{QUOTE}/{id}")),
            ("another partner's, several", format!("/several{QUOTE}/{id}?buyerId=b1")),
        ] {
            bed.get(&path).await.assert_problem(what, 404, "notFound");
        }
        for (what, path, id) in [
            ("unknown in the body", CANCEL_QUOTE.to_owned(), "none"),
            ("foreign in the body", format!("/rival{CANCEL_QUOTE}"), id.as_str()),
        ] {
            let answer = bed.post(&path, &json!({ "quoteId": id })).await;
            answer.assert_faults(what, &[("referenceNotFound", "/quoteId")]);
        }
        let mut referring = order("r", 1);
        referring["productOrderItem"][0]["quoteItem"] = json!({ "id": "a", "quoteId": "none" });
        let answer = bed.post(ORDER, &referring).await;
        answer.assert_faults(
            "unknown reference",
            &[("referenceNotFound", "/productOrderItem/0/quoteItem/quoteId")],
        );
        assert_eq!(bed.received().len(), calls);
        let list = bed.get(&format!("/rival{QUOTE}")).await;
        assert_eq!((list.status, list.json()), (200, json!([])));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_methods_and_queries_are_those_of_the_standard() {
    bounded(async {
        let bed = Bed::start().await;
        for path in [
            "/",
            "/nothing",
            "/mefApi/sonata/quoteManagement/v7/quote",
            "/mefApi/sonata/quoteManagement/v8/quotes",
        ] {
            bed.get(path).await.assert_problem(path, 404, "notFound");
        }
        for (method, path, allow) in [("DELETE", QUOTE, "GET, POST"), ("GET", CANCEL_QUOTE, "POST")] {
            let answer = bed.send(method, path, "").await;
            assert_eq!(
                (answer.status, answer.headers["allow"].to_str().unwrap()),
                (405, allow),
                "{answer:?}"
            );
        }
        let several = format!("/several{QUOTE}");
        for (what, path, code) in [
            ("unknown parameter", format!("{QUOTE}?color=red"), "invalidQuery"),
            ("forbidden buyerId", format!("{QUOTE}?buyerId=b1"), "invalidQuery"),
            ("forbidden sellerId", format!("{QUOTE}?sellerId=s1"), "invalidQuery"),
            ("missing buyerId", several.clone(), "missingQueryParameter"),
            ("another buyerId", format!("{several}?buyerId=b3"), "invalidQuery"),
            ("a value that is none", format!("{QUOTE}?state=nowhere"), "invalidQuery"),
        ] {
            bed.get(&path).await.assert_problem(what, 400, code);
            if !what.starts_with("a value") {
                bed.post(&path, &quote("q")).await.assert_problem(what, 400, code);
            }
        }
        assert!(bed.received().is_empty());
        let unmapped = bed.get(&format!("{ORDER}/x")).await;
        unmapped.assert_problem("an operation that is not mapped", 501, "notImplemented");
        let made = bed.post(&format!("{several}?buyerId=b1"), &quote("b")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("{several}/{}", made.member("id"));
        bed.get(&format!("{path}?buyerId=b2")).await.assert_problem("the other Buyer's", 404, "notFound");
        assert_eq!(bed.get(&format!("{path}?buyerId=b1")).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_counterpart_is_told_at_the_buyers_own_path() {
    bounded(async {
        let bed = Bed::start().await;
        let level = changed("/buyerRequestedQuoteLevel", json!("budgetary"));
        let term = json!({ "name": "t", "endOfTermAction": "roll", "duration": { "amount": 3, "units": "calendarDays" } });
        let action =
            changed("/quoteItem/0", json!({ "id": "a", "action": "delete", "product": { "id": "p" } }));
        for (what, body, place) in [
            ("code without counterpart", level, "/buyerRequestedQuoteLevel"),
            ("code without counterpart in an item", action, "/quoteItem/0/action"),
            ("out of the converter's range", changed("/quoteItem/0/requestedQuoteItemTerm", term), "/quoteItem/0/requestedQuoteItemTerm/duration"),
        ] {
            bed.post(QUOTE, &body).await.assert_faults(what, &[("invalidValue", place)]);
        }
        let mut mixed = order("m", 2);
        mixed["productOrderItem"][1]["product"]["productConfiguration"] =
            json!({ "@type": "urn:mef:lso:spec:cantata-sonata:ip-uni:v1.0.0:all" });
        let answer = bed.post(ORDER, &mixed).await;
        answer.assert_faults("an item that no call takes", &[("invalidValue", "/productOrderItem/1")]);
        assert!(bed.received().is_empty(), "{:?}", bed.received());
    })
    .await;
}
