use std::io::Read as _;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const OFFER: &str = r#"{"hdr":{},"lines":[{"lineNo":10,"act":"N","sku":"IPU"}]}"#;

async fn faulty(desk: &mut Caller, fault: Value) -> hyper::Result<(u16, HeaderMap, Bytes)> {
    desk.good("POST", "/sim/faults", fault).await;
    desk.raw("POST", "/v2/offers", OFFER.into()).await
}

async fn offers(desk: &mut Caller) -> u64 {
    desk.get("/v2/offers").await["meta"]["count"].as_u64().unwrap()
}

#[tokio::test]
async fn an_answer_can_be_replaced_before_or_after_the_effect() {
    let mut desk = Caller::new().await;
    let cases = [
        (json!({ "kind": "status", "status": 503 }), 503, "application/json", "E99"),
        (json!({ "kind": "html" }), 200, "text/html", "<html>"),
        (json!({ "kind": "text" }), 503, "text/plain", "SYSTEM DOWN"),
        (json!({ "kind": "rc8" }), 200, "application/json", r#""rc":8"#),
        (json!({ "kind": "garbage" }), 200, "application/json", "O-1"),
    ];
    let mut made = 0;
    for (mut fault, status, media_type, part) in cases {
        for acts in [false, true] {
            fault["acts"] = acts.into();
            let (got, headers, body) = faulty(&mut desk, fault.clone()).await.unwrap();
            made += u64::from(acts);
            assert_eq!((got, headers["content-type"].to_str().unwrap()), (status, media_type));
            assert!(String::from_utf8_lossy(&body).contains(part), "{body:?}");
            assert_eq!(offers(&mut desk).await, made, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_connection_can_be_dropped_or_cut_within_the_body() {
    let mut desk = Caller::new().await;
    assert!(faulty(&mut desk, json!({ "kind": "drop" })).await.is_err());
    desk.reconnect().await;
    assert_eq!(offers(&mut desk).await, 0);
    assert!(faulty(&mut desk, json!({ "kind": "drop", "acts": true })).await.is_err());
    desk.reconnect().await;
    assert_eq!(offers(&mut desk).await, 1);
    assert!(faulty(&mut desk, json!({ "kind": "short" })).await.is_err());
    desk.reconnect().await;
    assert_eq!(offers(&mut desk).await, 2);
}

#[tokio::test]
async fn a_body_can_drip_be_compressed_or_huge_and_is_still_the_answer() {
    let mut desk = Caller::new().await;
    let (_, _, dripped) = faulty(&mut desk, json!({ "kind": "drip", "pause_ms": 0 })).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&dripped).unwrap()["offerNo"], "O-1001");
    let (_, headers, packed) = faulty(&mut desk, json!({ "kind": "gzip" })).await.unwrap();
    assert_eq!(headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_ref()).read_to_string(&mut text).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["offerNo"], "O-1002");
    let (_, _, huge) = faulty(&mut desk, json!({ "kind": "huge", "bytes": 1_000_000 })).await.unwrap();
    assert!(huge.len() > 1_000_000);
    assert_eq!(serde_json::from_slice::<Value>(&huge).unwrap()["offerNo"], "O-1003");
    let (_, _, late) = faulty(&mut desk, json!({ "kind": "late", "latency_ms": 1 })).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&late).unwrap()["offerNo"], "O-1004");
}

#[tokio::test]
async fn a_wrong_length_leaves_the_rest_on_the_wire() {
    let mut desk = Caller::new().await;
    desk.good("POST", "/sim/faults", json!({ "kind": "length" })).await;
    let mut stream = TcpStream::connect(desk.running.local_addr).await.unwrap();
    let request = format!(
        "POST /v2/offers HTTP/1.1\r\nhost: acme\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{OFFER}",
        OFFER.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len() / 2)), "{answer}");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["offerNo"], "O-1001");
}

#[tokio::test]
async fn faults_meet_only_what_they_name_and_can_be_sent_along() {
    let mut desk = Caller::new().await;
    let fault = json!({ "kind": "status", "path": "/orders", "count": 0 });
    desk.good("POST", "/sim/faults", fault).await;
    assert_eq!(desk.call("GET", "/orders", Value::Null).await.0, 500);
    assert_eq!(desk.call("GET", "/orders/P-1", Value::Null).await.0, 500);
    assert_eq!(desk.call("GET", "/v2/offers", Value::Null).await.0, 200);
    assert_eq!(desk.get("/sim/faults").await["faults"][0]["kind"], "status");
    desk.good("DELETE", "/sim/faults", Value::Null).await;
    assert_eq!(desk.call("GET", "/orders", Value::Null).await.0, 200);
    assert_eq!(desk.call("POST", "/sim/faults", json!({ "kind": "nap" })).await.0, 400);
    let request = Request::builder().uri("/orders").header("host", "acme");
    let request = request.header("x-sim-fault", r#"{"kind":"status","status":418}"#);
    desk.sender.ready().await.unwrap();
    let response = desk.sender.send_request(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 418);
}

#[tokio::test]
async fn the_journal_tells_what_arrived_and_what_came_of_it() {
    let mut desk = Caller::new().await;
    faulty(&mut desk, json!({ "kind": "drop", "acts": true })).await.unwrap_err();
    desk.reconnect().await;
    desk.call("POST", "/v2/offers", json!({ "hdr": {} })).await;
    desk.raw("POST", "/v2/offers?x=1", "no json".into()).await.unwrap();
    desk.get("/v2/offers").await;
    let journal = desk.get("/sim/journal").await;
    assert_eq!(journal["count"], 4);
    assert_eq!(
        journal["entries"][0],
        json!({ "n": 1, "method": "POST", "path": "/v2/offers", "body": serde_json::from_str::<Value>(OFFER).unwrap(),
                "status": 0, "made": ["O-1001"], "fault": "drop" })
    );
    assert_eq!((&journal["entries"][1]["status"], &journal["entries"][1]["made"]), (&json!(400), &json!([])));
    assert_eq!(
        (&journal["entries"][2]["path"], &journal["entries"][2]["body"]),
        (&json!("/v2/offers?x=1"), &json!("no json"))
    );
    assert_eq!(desk.get("/sim/journal?made=J").await["entries"].as_array().unwrap().len(), 1);
    assert_eq!(desk.get("/sim/journal?path=/orders").await["entries"], json!([]));
    assert_eq!(desk.running.bss.journal().len(), 4);
    assert_eq!(desk.good("DELETE", "/sim/journal", Value::Null).await, json!({ "count": 0, "entries": [] }));
}

#[tokio::test]
async fn a_desk_that_stops_closes_its_door_and_its_connections() {
    let mut desk = Caller::with(Settings { journal_entries_max: 0, ..Settings::on(opening()) }).await;
    desk.get("/v2/offers").await;
    assert_eq!(desk.get("/sim/journal").await, json!({ "count": 1, "entries": [] }));
    let address = desk.running.local_addr;
    desk.running.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    assert!(desk.sender.ready().await.is_err());
}
