use serde_json::json;

use super::*;

#[tokio::test]
async fn the_list_falls_into_groups() {
    let mut desk = Caller::new().await;
    let groups = desk.get("/v2/groups").await;
    assert_eq!(groups["meta"]["count"], 3);
    for group in groups["items"].as_array().unwrap() {
        for number in group["arts"].as_array().unwrap() {
            let article = desk.get(&format!("/v2/articles/{}", number.as_str().unwrap())).await;
            assert_eq!(article["grps"][0], group["grpNo"]);
            let sku = article["sku"].as_str().unwrap();
            assert_eq!(desk.get(&format!("/v2/makes/{sku}")).await["needs"], article["needs"]);
        }
    }
    for (query, count) in
        [("st=V", 5), ("grp=K3", 3), ("sku=UNI-O,EPL", 3), ("land=CHE", 7), ("st=V&land=AUT", 4)]
    {
        assert_eq!(desk.get(&format!("/v2/articles?{query}")).await["meta"]["count"], count, "{query}");
    }
    for path in ["/v2/groups/K9", "/v2/articles/7", "/v2/makes/UNI"] {
        assert_eq!(desk.call("GET", path, Value::Null).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_ready_made_has_a_price_for_each_term() {
    let mut desk = Caller::new().await;
    let ready = desk.good("POST", "/v2/avail", json!({ "act": "N", "adrNo": "G-100001" })).await;
    assert_eq!(ready["opts"].as_array().unwrap().len(), 4);
    for option in ready["opts"].as_array().unwrap() {
        let question = json!({ "act": "N", "confNo": option["confNo"] });
        let prices = desk.good("POST", "/v2/prices", question).await;
        let lines = |rows: &Value| -> Vec<i64> {
            rows.as_array().unwrap().iter().map(|row| row["lineNo"].as_i64().unwrap()).collect()
        };
        assert_eq!((lines(&prices["terms"]), lines(&prices["chg"])), (vec![10, 20, 30], vec![10, 20, 30]));
    }
    let change = json!({ "act": "C", "confNo": "F-008", "assetNo": "A4711" });
    let prices = desk.good("POST", "/v2/prices", change).await;
    assert_eq!((prices["terms"].as_array().unwrap().len(), &prices["chg"][0]["nrc"]), (1, &json!(5_000)));
}

#[tokio::test]
async fn questions_that_name_what_there_is_not() {
    let mut desk = Caller::new().await;
    for (path, question, status, told) in [
        ("/v2/avail", json!({}), 400, ("E02", "act")),
        ("/v2/avail", json!({ "act": "C" }), 400, ("E02", "assetNo")),
        ("/v2/avail", json!({ "act": "N", "sku": "EPL" }), 400, ("E21", "sku")),
        ("/v2/avail", json!({ "act": "N", "adrNo": "G-1" }), 404, ("E04", "adrNo")),
        ("/v2/avail", json!({ "act": "C", "assetNo": "A1" }), 404, ("E18", "assetNo")),
        ("/v2/prices", json!({ "act": "N" }), 404, ("E10", "confNo")),
        ("/v2/prices", json!({ "act": "N", "confNo": "F-021" }), 404, ("E10", "confNo")),
        ("/v2/prices", json!({ "act": "C", "confNo": "F-011", "assetNo": "A4711" }), 409, ("E30", "confNo")),
    ] {
        let (told_status, answer) = desk.call("POST", path, question).await;
        assert_eq!((told_status, complaints(&answer)), (status, vec![told]), "{path}");
    }
}
