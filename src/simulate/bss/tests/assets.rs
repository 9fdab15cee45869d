//! Sites, checks and the installed base.

use serde_json::{Value, json};

use super::Caller;

fn order(article: &str, line_no: i64, columns: &Value) -> Value {
    let mut message = json!({
        "hdr": { "acct": "77-1", "custRef": "R-1" }, "packNo": "F-1", "lineNo": line_no, "act": "N", "artNo": article
    });
    message.as_object_mut().unwrap().extend(columns.as_object().unwrap().clone());
    message
}

#[tokio::test]
async fn the_base_grows_changes_and_keeps_what_ended() {
    let mut desk = Caller::new().await;
    let place = json!([{ "typ": "R", "adrNo": "G-100003" }]);
    desk.good("POST", "/orders/unis", order("P-9", 10, &json!({ "frame": 9000, "adr": place }))).await;
    let line = json!({ "uniLine": 10, "uniAssetZ": "A4713", "cirA": 20_000, "kbpsA": 50_000 });
    desk.good("POST", "/orders/evc", order("L-9", 20, &line)).await;
    assert_eq!(desk.get("/v2/assets?acct=77-1").await["meta"]["count"], 0);
    desk.advance("F-1", 3).await;

    let port = desk.get("/v2/assets/A5001").await;
    assert_eq!(
        (&port["st"], &port["sku"], &port["siteNo"], &port["frame"]),
        (&json!("A"), &json!("UNI-S"), &json!("ST-203"), &json!(9000))
    );
    let line = desk.get("/v2/assets/A5002").await;
    assert_eq!((&line["uniAsset"], &line["uniAssetZ"]), (&json!("A5001"), &json!("A4713")), "{line}");
    assert_eq!((&line["packNo"], &line["lineNo"]), (&json!("F-1"), &json!(20)));
    assert_eq!(desk.get("/v2/assets?acct=77-1&sku=EPL").await["items"][0]["assetNo"], "A5002");
    assert_eq!(desk.get("/v2/assets?uses=A5001").await["meta"]["count"], 1);

    let change = json!({
        "hdr": { "acct": "77-1" }, "packNo": "F-2", "lineNo": 10, "act": "C", "assetNo": "A5002", "cirA": 40_000
    });
    desk.good("POST", "/orders/evc", change).await;
    assert_eq!(desk.get("/v2/assets/A5002").await["st"], "U");
    desk.advance("F-2", 3).await;
    let line = desk.get("/v2/assets/A5002").await;
    assert_eq!((&line["st"], &line["cirA"], &line["kbpsA"]), (&json!("A"), &json!(40_000), &json!(50_000)));

    let end = json!({ "hdr": {}, "packNo": "F-3", "lineNo": 10, "act": "D", "assetNo": "A5002" });
    desk.good("POST", "/orders/end", end).await;
    assert_eq!(desk.get("/v2/assets?st=K").await["items"][0]["assetNo"], "A5002");
    desk.advance("F-3", 3).await;
    let line = desk.get("/v2/assets/A5002").await;
    assert_eq!((&line["st"], &line["endDate"]), (&json!("E"), &json!("01.10.2026")));
    let late = json!({ "hdr": {}, "packNo": "F-4", "lineNo": 10, "act": "D", "assetNo": "A5002" });
    assert_eq!(desk.call("POST", "/orders/end", late).await.0, 404);
    assert_eq!(desk.call("GET", "/v2/assets/A1", Value::Null).await.0, 404);

    desk.good("POST", "/sim/assets", json!({ "no": "A1", "sku": "IPU", "blocked": true })).await;
    assert_eq!(desk.get("/v2/assets?st=G&pageSize=5").await["items"][0]["assetNo"], "A1");
}

#[tokio::test]
async fn sites_are_found_by_any_column() {
    let mut desk = Caller::new().await;
    assert_eq!(desk.get("/v2/sites").await["meta"]["count"], 7);
    for query in ["bez=zurich%20west", "adrNo=G-100006", "ort=Z%C3%BCrich&land=CHE", "plz=8001"] {
        let found = desk.get(&format!("/v2/sites?{query}")).await;
        assert_eq!(
            (&found["meta"]["count"], &found["items"][0]["siteNo"]),
            (&json!(1), &json!("ST-206")),
            "{query}"
        );
    }
    assert_eq!(desk.get("/v2/sites/ST-203").await["kunde"], "Harbour Trade Bank");
    assert_eq!(desk.call("GET", "/v2/sites/ST-999", Value::Null).await.0, 404);
}

fn check(mode: &str, adr: &Value) -> Value {
    json!({
        "hdr": { "custRef": "Q-1", "mode": mode, "alt": "J" },
        "lines": [
            { "lineNo": 10, "act": "N", "sku": "INET-B", "artNo": "007", "kbpsUp": 20_000_000 },
            { "lineNo": 20, "act": "N", "sku": "IPU" },
            { "lineNo": 30, "act": "N", "sku": "UNI-O" }
        ],
        "adr": adr
    })
}

#[tokio::test]
async fn a_check_is_worked_on_and_answered_by_line() {
    let mut desk = Caller::new().await;
    let adr = json!([
        { "lineNo": 20, "typ": "F", "str": "Weg", "ort": "Kiel", "land": "DEU" },
        { "lineNo": 30, "typ": "F", "str": "Weg", "nr": "1", "plz": "00000", "ort": "Kiel", "land": "DEU" }
    ]);
    let asked = desk.good("POST", "/v2/checks", check("D", &adr)).await;
    assert_eq!((&asked["st"], &asked["lines"][0]["erg"]), (&json!("N"), &Value::Null));
    desk.advance("V-601", 1).await;
    assert_eq!(desk.get("/v2/checks/V-601").await["st"], "W");
    desk.advance("V-601", 1).await;
    let done = desk.get("/v2/checks/V-601").await;
    let codes: Vec<_> = done["lines"].as_array().unwrap().iter().map(|line| &line["erg"]).collect();
    assert_eq!((&done["st"], codes), (&json!("F"), vec![&json!(3), &json!(2), &json!(3)]));
    assert_eq!((&done["alt"][0]["lineNo"], &done["alt"][0]["kbps"]), (&json!(10), &json!(10_000_000)));
    assert_eq!(desk.get("/v2/checks?st=F&custRef=Q-1").await["meta"]["count"], 1);
}

#[tokio::test]
async fn a_place_that_does_not_exist_ends_the_whole_check() {
    let mut desk = Caller::new().await;
    let adr = json!([{ "lineNo": 20, "typ": "F", "str": "Weg", "nr": "1", "ort": "Nowhere", "land": "DEU" }]);
    let done = desk.good("POST", "/v2/checks", check("S", &adr)).await;
    let standing: Vec<_> = done["lines"].as_array().unwrap().iter().map(|line| &line["st"]).collect();
    assert_eq!((&done["st"], standing), (&json!("E"), vec![&json!("V"), &json!("E"), &json!("V")]));
    assert_eq!(done["msg"][0]["lineNo"], 20);
}
