use serde_json::{Value, json};

use super::*;

/// The offer of the guide to this system: a new line and a changed port.
fn offer() -> Value {
    json!({
        "hdr": { "custRef": "B-1001", "projRef": "X", "channel": "WEB", "lvl": "F", "wishDate": "28.10.2026", "cur": "EUR",
                 "cNm": "J. Example", "cTel": "12-345-6789", "cMail": "j@buyer.example" },
        "lines": [
            { "lineNo": 10, "act": "N", "sku": "EVPLA", "artNo": "000073", "termM": 12, "renew": "J", "mtu": 1526, "cos": "low",
              "kbpsA": 70000, "vlanA": "1,2", "enni": "E-17", "uniLine": 20 },
            { "lineNo": 20, "act": "C", "sku": "UNI-O", "assetNo": "A4711", "speed": "100BASE_T", "frame": 1522 }
        ],
        "adr": [ { "lineNo": 20, "typ": "F", "str": "Example St", "nr": "20", "plz": "10279", "ort": "Berlin", "land": "DEU" } ],
        "txt": [ { "lineNo": 0, "nr": 1, "t": "call before access" } ]
    })
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut offer = offer();
    *offer.pointer_mut(pointer).unwrap() = value;
    offer
}

#[tokio::test]
async fn an_offer_is_answered_at_once_with_prices_by_line() {
    let mut desk = Caller::new().await;
    let answer = desk.good("POST", "/v2/offers", offer()).await;
    assert_eq!(
        answer,
        json!({
            "rc": 0, "offerNo": "O-1001", "status": "A1", "lvl": "F", "cur": "EUR", "cdat": "01.10.2026",
            "doneDate": "01.10.2026", "validTo": "31.10.2026",
            "desk": { "nm": "Order Desk", "tel": "+49 30 555 0100", "mail": "desk@acme.example" },
            "lines": [
                { "lineNo": 20, "st": "A1", "termM": 12, "renew": "N", "leadDays": 5, "survey": "N" },
                { "lineNo": 10, "st": "A1", "termM": 12, "renew": "J", "leadDays": 30, "survey": "N" }
            ],
            "chg": [
                { "lineNo": 20, "txt": "Port", "mrc": 9900, "nrc": 5000, "per": "M" },
                { "lineNo": 10, "txt": "Line", "mrc": 12550, "nrc": 50000, "per": "M" },
                { "lineNo": 10, "txt": "CoS", "mrc": 1000, "nrc": 0, "per": "M" }
            ],
            "msg": []
        })
    );
    assert_eq!(desk.get("/v2/offers/O-1001").await, answer);
}

#[tokio::test]
async fn an_offer_for_later_is_worked_on_step_by_step() {
    let mut desk = Caller::new().await;
    let mut message = offer();
    message["hdr"]["mode"] = "D".into();
    let answer = desk.good("POST", "/v2/offers", message).await;
    assert_eq!((answer["status"].as_str(), answer["planDate"].as_str()), (Some("C"), Some("06.10.2026")));
    assert_eq!((answer["chg"].clone(), answer["lines"][0]["st"].clone()), (json!([]), json!("C")));
    let mut seen = Vec::new();
    for _ in 0..3 {
        desk.advance("O-1001", 1).await;
        let answer = desk.get("/v2/offers/O-1001").await;
        seen.push((
            answer["status"].clone(),
            answer["lines"][1]["st"].clone(),
            answer["chg"].as_array().unwrap().len(),
        ));
    }
    assert_eq!(
        seen,
        [(json!("B"), json!("B"), 0), (json!("A1"), json!("A1"), 3), (json!("A1"), json!("A1"), 3)]
    );
}

#[tokio::test]
async fn what_is_asked_decides_what_is_offered() {
    let mut desk = Caller::new().await;
    let cases = [
        ("/hdr/lvl", json!("B"), "A3", "B", "A3", "A3"),
        ("/lines/0/termM", json!(60), "A2", "F", "A2", "A1"),
        ("/lines/0/kbpsA", json!(10_000_001), "X", "F", "X", "Z"),
        ("/adr/0/plz", json!("00000"), "X", "F", "Z", "X"),
        ("/adr/0/nr", json!(""), "A1", "S", "A1", "A1"),
    ];
    for (pointer, value, status, level, line_10, line_20) in cases {
        let answer = desk.good("POST", "/v2/offers", changed(pointer, value)).await;
        let seen = [&answer["status"], &answer["lvl"], &answer["lines"][1]["st"], &answer["lines"][0]["st"]];
        assert_eq!(seen, [status, level, line_10, line_20], "{pointer}: {answer}");
    }
}

#[tokio::test]
async fn every_fault_of_a_message_is_told_at_its_place() {
    let mut desk = Caller::new().await;
    let cases = [
        ("/lines/0/sku", json!("007"), "E17", "lines/10"),
        ("/lines/0/act", json!("add"), "E03", "lines/10/act"),
        ("/lines/0/act", Value::Null, "E02", "lines/10/act"),
        ("/lines/0/kbpsA", json!(70000.5), "E03", "lines/10/kbpsA"),
        ("/lines/0/mtu", json!(1525), "E03", "lines/10/mtu"),
        ("/lines/0/vlanA", json!("1-5"), "E06", "lines/10/vlanA"),
        ("/lines/0/renew", json!("R"), "E02", "lines/10/rollM"),
        ("/lines/0/lineNo", json!(15), "E09", "lines/15"),
        ("/lines/0/lineNo", json!(20), "E11", "lines/20"),
        ("/lines/1/assetNo", Value::Null, "E19", "lines/20/assetNo"),
        ("/adr/0/land", json!("Germany"), "E03", "adr/20/land"),
        ("/adr/0/land", json!("de1"), "E07", "adr/20/land"),
        ("/adr/0/ort", Value::Null, "E02", "adr/20/ort"),
        ("/adr/0/lineNo", json!(30), "E08", "adr/30"),
        ("/hdr/wishDate", json!("2026-10-28"), "E03", "hdr/wishDate"),
        ("/hdr/cur", json!("XXX"), "E03", "hdr/cur"),
        ("/hdr", Value::Null, "E02", "hdr"),
        ("/lines", json!([]), "E02", "lines"),
        ("/txt/0/t", json!(7), "E03", "txt/1/t"),
    ];
    for (pointer, value, code, place) in cases {
        let (status, answer) = desk.call("POST", "/v2/offers", changed(pointer, value)).await;
        assert_eq!(status, 400, "{pointer}");
        assert!(complaints(&answer).contains(&(code, place)), "{pointer}: {answer}");
    }
    let mut message = changed("/lines/0/sku", json!("007"));
    message["lines"][1]["act"] = "X".into();
    message["hdr"]["lvl"] = "Q".into();
    let (_, answer) = desk.call("POST", "/v2/offers", message).await;
    assert_eq!(complaints(&answer), [("E03", "hdr/lvl"), ("E17", "lines/10"), ("E03", "lines/20/act")]);
    let (status, _, body) = desk.raw("POST", "/v2/offers", "{".into()).await.unwrap();
    assert_eq!((status, body), (400, r#"{"err":[{"code":"E01","t":"not readable"}]}"#.into()));
    assert_eq!(desk.get("/v2/offers").await["meta"]["count"], 0);
}

#[tokio::test]
async fn an_asset_has_to_be_known_and_of_the_article() {
    let mut desk = Caller::new().await;
    let (status, answer) = desk.call("POST", "/v2/offers", changed("/lines/1/assetNo", json!("A1"))).await;
    assert_eq!((status, complaints(&answer)), (404, vec![("E18", "lines/20")]));
    let (status, answer) = desk.call("POST", "/v2/offers", changed("/lines/1/assetNo", json!("A4712"))).await;
    assert_eq!((status, complaints(&answer)), (400, vec![("E20", "lines/20")]));
    desk.good("POST", "/sim/assets", json!({ "no": "A1", "sku": "UNI-O" })).await;
    desk.good("POST", "/v2/offers", changed("/lines/1/assetNo", json!("A1"))).await;
}

#[tokio::test]
async fn a_blocked_account_is_refused_with_200() {
    let mut desk = Caller::new().await;
    let mut message = offer();
    message["hdr"]["acct"] = "X-12".into();
    assert_eq!(desk.good("POST", "/v2/offers", message).await, json!({ "rc": 8, "t": "account blocked" }));
    assert_eq!(desk.get("/v2/offers").await["meta"]["count"], 0);
}

#[tokio::test]
async fn offers_are_withdrawn_before_and_declined_after_they_are_offered() {
    let mut desk = Caller::new().await;
    let mut message = offer();
    message["hdr"]["mode"] = "D".into();
    desk.good("POST", "/v2/offers", message).await;
    let (status, answer) = desk.call("POST", "/v2/offers/O-1001/decline", json!({ "why": "too dear" })).await;
    assert_eq!((status, complaints(&answer)), (409, vec![("E30", "no")]));
    assert_eq!(desk.good("DELETE", "/v2/offers/O-1001", Value::Null).await["status"], "Z");
    assert_eq!(desk.call("DELETE", "/v2/offers/O-1001", Value::Null).await.0, 409);
    desk.good("POST", "/v2/offers", offer()).await;
    assert_eq!(desk.call("DELETE", "/v2/offers/O-1002", Value::Null).await.0, 409);
    assert_eq!(
        desk.good("POST", "/v2/offers/O-1002/decline", json!({ "why": "too dear" })).await["status"],
        "Y"
    );
    assert_eq!(desk.call("DELETE", "/v2/offers/O-9", Value::Null).await.0, 404);
    assert_eq!(desk.call("GET", "/v2/offers/1002", Value::Null).await.0, 404);
}

#[tokio::test]
async fn lists_come_by_page_and_by_state() {
    let mut desk = Caller::new().await;
    for number in 0..5 {
        let level = if number % 2 == 0 { "F" } else { "B" };
        desk.good("POST", "/v2/offers", changed("/hdr/lvl", json!(level))).await;
    }
    let page = desk.get("/v2/offers?pageNo=2&pageSize=2").await;
    assert_eq!(page["meta"], json!({ "count": 5, "pageNo": 2, "pageSize": 2 }));
    assert_eq!(page["items"][0]["offerNo"], "O-1003");
    assert_eq!(
        page["items"][1],
        json!({ "offerNo": "O-1004", "status": "A3", "lvl": "B", "custRef": "B-1001", "projRef": "X",
                "cdat": "01.10.2026", "wishDate": "28.10.2026", "doneDate": "01.10.2026" })
    );
    assert_eq!(desk.get("/v2/offers?st=A3,X").await["meta"]["count"], 2);
    assert_eq!(desk.get("/v2/offers?st=A3&lvl=F").await["meta"]["count"], 0);
    assert_eq!(desk.get("/v2/offers?from=02.10.2026").await["meta"]["count"], 0);
    assert_eq!(desk.get("/v2/offers?from=01.10.2026&to=01.10.2026").await["meta"]["count"], 5);
    assert_eq!(desk.get("/v2/offers?pageNo=9").await["items"], json!([]));
    for query in ["pageNo=0", "pageSize=x", "from=2026-10-01"] {
        let (status, answer) = desk.call("GET", &format!("/v2/offers?{query}"), Value::Null).await;
        assert_eq!((status, complaints(&answer)[0].0), (400, "E05"), "{query}");
    }
}
