use serde_json::{Value, json};

use super::*;

/// An order of a port at an endpoint.
pub(super) fn port(line_no: u32) -> Value {
    json!({
        "hdr": { "custRef": "BO-1", "projRef": "X", "acct": "00-1", "cNm": "J. Example" },
        "packNo": "K-77", "lineNo": line_no, "act": "N", "termM": 12, "renew": "J", "wishDate": "01.12.2026", "expr": "N",
        "links": 1, "speed": "100BASE_T", "conn": "RJ45", "lag": "N", "frame": 1522, "dvlan": 4094, "oam": "J", "meg": "J", "l2cp": "A",
        "adr": [ { "lineNo": line_no, "typ": "R", "adrNo": "G-100001", "role": "I" } ],
        "ctc": [ { "lineNo": 0, "typ": "K", "nm": "K. Example" }, { "lineNo": line_no, "typ": "T", "nm": "T. Example", "tel": "1" } ],
        "txt": [ { "lineNo": line_no, "nr": 1, "t": "ring twice", "by": "J. Example" } ]
    })
}

#[tokio::test]
async fn an_order_goes_through_its_states_and_installs_an_asset() {
    let mut desk = Caller::new().await;
    let answer = desk.good("POST", "/orders/uni", port(20)).await;
    assert_eq!(
        answer,
        json!({
            "rc": 0, "no": "P-2001", "packNo": "K-77", "lineNo": 20, "sku": "UNI-O", "act": "N", "st": 10, "cdat": "01.10.2026",
            "wishDate": "01.12.2026", "planDate": "01.12.2026", "expr": "N", "termM": 12, "renew": "J", "cur": "EUR", "chgNos": [],
            "desk": { "nm": "Order Desk", "tel": "+49 30 555 0100", "mail": "desk@acme.example" },
            "chg": [ { "lineNo": 20, "txt": "Port", "mrc": 9900, "nrc": 75000, "per": "M" } ],
            "txt": [ { "lineNo": 20, "nr": 1, "t": "ring twice", "by": "J. Example", "side": "K", "dat": "01.10.2026" } ],
            "msg": []
        })
    );
    let mut seen = Vec::new();
    for _ in 0..4 {
        desk.good("POST", "/sim/advance", json!({ "no": "P-2001", "days": 1 })).await;
        seen.push(desk.get("/orders/P-2001").await["st"].as_u64().unwrap());
    }
    assert_eq!(seen, [20, 30, 40, 40]);
    let done = desk.get("/orders/P-2001").await;
    assert_eq!((&done["assetNo"], &done["doneDate"]), (&json!("A5001"), &json!("04.10.2026")));
    let mut change = port(10);
    change["act"] = "D".into();
    change["assetNo"] = "A5001".into();
    desk.good("POST", "/orders/uni", change.clone()).await;
    desk.advance("P-2002", 9).await;
    assert_eq!(desk.get("/sim/assets").await.get("A5001"), None);
    change["lineNo"] = 30.into();
    change["adr"] = json!([]);
    change["ctc"] = json!([]);
    change["txt"] = json!([]);
    let (status, answer) = desk.call("POST", "/orders/uni", change).await;
    assert_eq!((status, complaints(&answer)), (404, vec![("E18", "assetNo")]));
}

#[tokio::test]
async fn a_folder_without_open_orders_can_be_thrown_away() {
    let mut desk = Caller::new().await;
    desk.good("POST", "/packs", json!({ "hdr": {}, "packNo": "K-77" })).await;
    desk.good("POST", "/orders/uni", port(20)).await;
    assert_eq!(desk.call("DELETE", "/packs/K-77", Value::Null).await.0, 409);
    desk.good("POST", "/orders/P-2001/storno", json!({})).await;
    desk.good("DELETE", "/packs/K-77", Value::Null).await;
    assert_eq!(desk.call("GET", "/packs/K-77", Value::Null).await.0, 404);
    assert_eq!(desk.get("/packs").await["meta"]["count"], 0);
    assert_eq!(desk.call("DELETE", "/packs/K-77", Value::Null).await.0, 404);
}

#[tokio::test]
async fn each_article_has_its_endpoint_and_its_columns() {
    let mut desk = Caller::new().await;
    let articles = [
        (
            "ovc",
            "EVPLA",
            json!({ "mtu": 1526, "cos": "low,high", "vlanKeep": "P", "kbpsA": 70000, "vlanA": "1,2", "uniLine": 20 }),
        ),
        ("uni", "UNI-O", json!({ "links": 1, "frame": 1522 })),
        ("unis", "UNI-S", json!({ "virt": "P", "links": 2, "lag": "M" })),
        (
            "evc",
            "EPL",
            json!({ "mtu": 1522, "cirA": 0, "kbpsA": 70000, "kbpsZ": 70000, "uniAsset": "A4713" }),
        ),
        (
            "evpl",
            "EVPL",
            json!({ "mtu": 1522, "mapA": "L", "vlanA": "2,3", "uc": "B", "deiKeep": "N", "uniAssetZ": "A4713" }),
        ),
        (
            "lan",
            "LAN-E",
            json!({ "mapA": "L", "vlanA": "2,3", "cirA": 20000, "lanAsset": "A4714", "uniAsset": "A4713" }),
        ),
        ("inet", "INET-B", json!({ "mtu": 1500, "kbpsUp": 100_000, "mgmt": "K", "v6Len": 56 })),
        ("inetx", "INET-X", json!({ "mtu": 1500, "kbpsUp": 100_000, "vlan": 66, "uniAsset": "A4713" })),
        ("link", "LINK", json!({ "links": 2, "conn": "SC", "oam": "J" })),
        ("ipuni", "IPU", json!({ "kbpsUp": 100_000, "prot": "ICMP,DHCP" })),
    ];
    for (index, (endpoint, sku, columns)) in articles.into_iter().enumerate() {
        let line_no = 10 * (index + 1);
        let mut message = json!({ "hdr": {}, "packNo": "K-1", "lineNo": line_no, "act": "N" });
        message.as_object_mut().unwrap().extend(columns.as_object().unwrap().clone());
        let answer = desk.good("POST", &format!("/orders/{endpoint}"), message.clone()).await;
        assert_eq!((&answer["sku"], &answer["lineNo"]), (&json!(sku), &json!(line_no)));
        message["lineNo"] = 990.into();
        message["sku"] = if sku == "IPU" { "EPL".into() } else { "IPU".into() };
        let (status, answer) = desk.call("POST", &format!("/orders/{endpoint}"), message).await;
        assert_eq!((status, complaints(&answer)), (400, vec![("E17", "sku")]));
    }
    let (status, answer) = desk.call("POST", "/orders/fax", json!({})).await;
    assert_eq!((status, complaints(&answer)), (404, vec![("E00", "")]));
    let pack = desk.get("/packs/K-1").await;
    let lines: Vec<u64> =
        pack["orders"].as_array().unwrap().iter().map(|o| o["lineNo"].as_u64().unwrap()).collect();
    assert_eq!(lines, [100, 90, 80, 70, 60, 50, 40, 30, 20, 10]);
}

#[tokio::test]
async fn what_is_disconnected_says_itself_what_it_is() {
    let mut desk = Caller::new().await;
    let end = json!({ "hdr": {}, "packNo": "K-1", "lineNo": 10, "act": "D", "assetNo": "A4714", "wishDate": "01.11.2026" });
    let order = desk.good("POST", "/orders/end", end.clone()).await;
    assert_eq!((&order["sku"], &order["assetNo"]), (&json!("EPL"), &json!("A4714")));
    for (pointer, value, status, told) in [
        ("/assetNo", json!("A1"), 404, ("E18", "assetNo")),
        ("/act", json!("C"), 400, ("E02", "sku")),
        ("/assetNo", Value::Null, 400, ("E19", "assetNo")),
    ] {
        let mut wrong = end.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        let (got, answer) = desk.call("POST", "/orders/end", wrong).await;
        assert_eq!(got, status, "{answer}");
        assert!(complaints(&answer).contains(&told), "{answer}");
    }
    let line = json!({ "lineNo": 10, "act": "D", "assetNo": "A4715" });
    let offer = desk.good("POST", "/v2/offers", json!({ "hdr": {}, "lines": [ line ] })).await;
    assert_eq!(
        offer["chg"],
        json!([{ "lineNo": 10, "txt": "Disconnection", "mrc": 0, "nrc": 10000, "per": "M" }])
    );
}

#[tokio::test]
async fn a_line_is_taken_once_and_an_order_on_an_offer_needs_the_offer() {
    let mut desk = Caller::new().await;
    desk.good("POST", "/orders/uni", port(10)).await;
    let (status, answer) = desk.call("POST", "/orders/uni", port(10)).await;
    assert_eq!((status, complaints(&answer)), (409, vec![("E11", "K-77/10")]));
    let mut message = port(20);
    message["offerNo"] = "O-1001".into();
    let (status, answer) = desk.call("POST", "/orders/uni", message.clone()).await;
    assert_eq!((status, complaints(&answer)), (404, vec![("E10", "offerNo")]));
    let offer = json!({ "hdr": { "mode": "D" }, "lines": [ { "lineNo": 10, "act": "N", "sku": "IPU" } ] });
    desk.good("POST", "/v2/offers", offer).await;
    assert_eq!(desk.call("POST", "/orders/uni", message.clone()).await.0, 409);
    desk.advance("O-1001", 2).await;
    desk.good("POST", "/orders/uni", message).await;
    assert_eq!(desk.get("/orders").await["meta"]["count"], 2);
}

#[tokio::test]
async fn messages_are_checked_before_anything_is_ordered() {
    let mut desk = Caller::new().await;
    let cases = [
        ("/lineNo", Value::Null, "E02", "lineNo"),
        ("/hdr", Value::Null, "E02", "hdr"),
        ("/wishDate", json!("30.09.2026"), "E14", "wishDate"),
        ("/frame", json!(1000), "E03", "frame"),
        ("/oam", json!(true), "E03", "oam"),
        ("/act", json!("C"), "E19", "assetNo"),
        ("/ctc/1/typ", json!("Q"), "E03", "ctc/20/typ"),
        ("/txt/0/lineNo", json!(90), "E08", "txt/1"),
    ];
    for (pointer, value, code, place) in cases {
        let mut message = port(20);
        *message.pointer_mut(pointer).unwrap() = value;
        let (status, answer) = desk.call("POST", "/orders/uni", message).await;
        assert_eq!(status, 400, "{pointer}");
        assert!(complaints(&answer).contains(&(code, place)), "{pointer}: {answer}");
    }
    let mut blocked = port(20);
    blocked["hdr"]["acct"] = "X1".into();
    assert_eq!(desk.good("POST", "/orders/uni", blocked).await["rc"], 8);
    assert_eq!(desk.get("/orders").await["meta"]["count"], 0);
    assert_eq!(desk.call("GET", "/packs/K-77", Value::Null).await.0, 404);
}

#[tokio::test]
async fn an_order_without_duct_fails_and_its_folder_is_partly_done() {
    let mut desk = Caller::new().await;
    desk.good("POST", "/orders/uni", port(10)).await;
    let mut message = port(20);
    message["adr"][0] = json!({ "typ": "F", "str": "A", "plz": "00000", "ort": "B", "land": "DEU" });
    desk.good("POST", "/orders/uni", message).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        desk.advance("K-77", 1).await;
        seen.push(desk.get("/packs/K-77").await["st"].as_u64().unwrap());
    }
    assert_eq!(seen, [20, 30, 45]);
    let failed = desk.get("/orders/P-2002").await;
    assert_eq!(
        (&failed["st"], &failed["msg"]),
        (&json!(90), &json!([{ "lineNo": 20, "code": "E21", "t": "no duct" }]))
    );
    assert_eq!(failed.get("planDate"), None);
}

#[tokio::test]
async fn changes_are_told_once_per_mark() {
    let mut desk = Caller::new().await;
    desk.good("POST", "/orders/uni", port(10)).await;
    desk.good("POST", "/orders/uni", port(20)).await;
    let first = desk.get("/orders/changes").await;
    assert_eq!(first["orders"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap().to_owned();
    assert_eq!(desk.get(&format!("/orders/changes?since={next}")).await["orders"], json!([]));
    desk.advance("P-2001", 2).await;
    let second = desk.get(&format!("/orders/changes?since={next}")).await;
    assert_eq!((&second["orders"][0]["no"], &second["orders"][0]["st"]), (&json!("P-2001"), &json!(30)));
    assert_eq!(second["orders"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn asking_moves_the_work_on_where_that_is_set() {
    let mut desk = Caller::with(Settings { advance_on_read: true, ..Settings::on(opening()) }).await;
    desk.good("POST", "/orders/uni", port(10)).await;
    let states =
        [desk.get("/orders/P-2001").await, desk.get("/packs/K-77").await, desk.get("/orders/P-2001").await];
    assert_eq!(states.map(|answer| answer["st"].as_u64().unwrap()), [20, 30, 40]);
}

#[tokio::test]
async fn remarks_are_added_until_the_order_is_closed() {
    let mut desk = Caller::new().await;
    desk.good("POST", "/orders/uni", port(10)).await;
    desk.good("POST", "/orders/uni", port(20)).await;
    let addition = json!({
        "custRef": "BO-2", "lines": [ { "lineNo": 10, "endCust": "Example Co." } ],
        "txt": [ { "lineNo": 0, "t": "all of it", "side": "K", "dat": "02.10.2026" }, { "lineNo": 10, "t": "only this" } ]
    });
    let pack = desk.good("PUT", "/packs/K-77/info", addition.clone()).await;
    assert_eq!((&pack["custRef"], &pack["txt"][0]["t"]), (&json!("BO-2"), &json!("all of it")));
    assert_eq!(pack["orders"][1]["txt"][1]["t"], "only this");
    assert_eq!(pack["orders"][0]["txt"].as_array().unwrap().len(), 1);
    let (status, answer) =
        desk.call("PUT", "/packs/K-77/info", json!({ "txt": [ { "lineNo": 30, "t": "?" } ] })).await;
    assert_eq!((status, complaints(&answer)), (400, vec![("E08", "lines/30")]));
    let order = desk.good("PUT", "/orders/P-2001/info", json!({ "txt": [ { "t": "more" } ] })).await;
    assert_eq!(order["txt"][2]["nr"], 3);
    desk.advance("K-77", 9).await;
    assert_eq!(desk.call("PUT", "/packs/K-77/info", addition.clone()).await.0, 409);
    assert_eq!(desk.call("PUT", "/orders/P-2001/info", addition).await.0, 409);
    assert_eq!(desk.call("PUT", "/orders/P-9/info", json!({})).await.0, 404);
}

#[tokio::test]
async fn a_folder_can_be_opened_before_its_orders() {
    let mut desk = Caller::new().await;
    let message = json!({ "hdr": { "custRef": "BO-1" }, "txt": [ { "t": "by the back door" } ] });
    let pack = desk.good("POST", "/packs", message.clone()).await;
    assert_eq!((&pack["packNo"], &pack["st"], &pack["orders"]), (&json!("K-501"), &json!(10), &json!([])));
    assert_eq!(pack["txt"][0]["t"], "by the back door");
    let mut order = port(10);
    order["packNo"] = "K-501".into();
    desk.good("POST", "/orders/uni", order).await;
    assert_eq!(desk.get("/packs/K-501").await["orders"][0]["no"], "P-2001");
    let mut again = message;
    again["packNo"] = "K-501".into();
    let (status, answer) = desk.call("POST", "/packs", again).await;
    assert_eq!((status, complaints(&answer)), (409, vec![("E11", "K-501")]));
    let (status, answer) = desk.call("POST", "/packs", json!({ "packNo": 7 })).await;
    assert_eq!((status, complaints(&answer)), (400, vec![("E02", "hdr"), ("E03", "packNo")]));
}

#[tokio::test]
async fn folders_are_opened_by_the_first_order_and_listed() {
    let mut desk = Caller::new().await;
    desk.good("POST", "/orders/uni", port(10)).await;
    let mut own = port(10);
    own["packNo"] = Value::Null;
    let number = desk.good("POST", "/orders/uni", own).await["packNo"].clone();
    assert_eq!(number, "K-502");
    desk.advance("K-502", 9).await;
    let page = desk.get("/packs").await;
    assert_eq!(page["meta"]["count"], 2);
    assert_eq!(
        page["items"][1],
        json!({ "packNo": "K-502", "st": 40, "custRef": "BO-1", "projRef": "X", "cdat": "01.10.2026", "doneDate": "01.10.2026" })
    );
    assert_eq!(desk.get("/packs?st=10").await["items"][0]["packNo"], "K-77");
    assert_eq!(desk.get("/orders?packNo=K-77&sku=UNI-O&st=10,20").await["meta"]["count"], 1);
}
