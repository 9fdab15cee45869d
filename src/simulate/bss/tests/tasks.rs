use serde_json::{Value, json};

use super::orders::port;
use super::*;

async fn two_ports() -> Caller {
    let mut desk = Caller::new().await;
    desk.good("POST", "/orders/uni", port(10)).await;
    desk.good("POST", "/orders/uni", port(20)).await;
    desk
}

#[tokio::test]
async fn a_folder_just_received_is_cancelled_for_nothing() {
    let mut desk = two_ports().await;
    let why = json!({ "why": "no need", "whyTyp": "K", "ctc": [ { "lineNo": 0, "typ": "S", "nm": "J. Example" } ] });
    let storno = desk.good("POST", "/packs/K-77/storno", why).await;
    assert_eq!(
        (&storno["stoNo"], &storno["st"], &storno["whyTyp"]),
        (&json!("S-3001"), &json!("E"), &json!("K"))
    );
    let pack = desk.get("/packs/K-77").await;
    assert_eq!((&pack["st"], &pack["offDate"]), (&json!(95), &json!("01.10.2026")));
    assert_eq!(desk.call("POST", "/packs/K-77/storno", json!({})).await.0, 409);
    assert_eq!(desk.get("/stornos/S-3001").await, storno);
    assert_eq!(desk.get("/stornos?packNo=K-77&st=E").await["meta"]["count"], 1);
    assert_eq!(desk.get("/stornos?no=P-2001").await["meta"]["count"], 0);
}

#[tokio::test]
async fn a_checked_order_is_cancelled_against_a_charge() {
    for (ok, standing, order) in [("J", "E", 95), ("N", "A", 20)] {
        let mut desk = two_ports().await;
        desk.advance("P-2001", 1).await;
        let storno = desk.good("POST", "/orders/P-2001/storno", Value::Null).await;
        assert_eq!((&storno["st"], &storno["chgNo"]), (&json!("K"), &json!("C-5001")));
        // Nothing goes on while the answer is open, and a second cancellation is refused.
        desk.advance("P-2001", 1).await;
        assert_eq!(desk.get("/orders/P-2001").await["st"], 20);
        assert_eq!(desk.call("POST", "/packs/K-77/storno", json!({})).await.0, 409);
        let charge = desk.get("/charges/C-5001").await;
        assert_eq!(
            charge,
            json!({
                "rc": 0, "chgNo": "C-5001", "no": "P-2001", "packNo": "K-77", "stoNo": "S-3001", "st": "O", "cdat": "01.10.2026",
                "dueDate": "15.10.2026", "cur": "EUR",
                "pos": [ { "posNo": 1, "typ": "STO", "act": "N", "block": "J", "mrc": 0, "nrc": 15000, "per": "M", "ok": "O", "txt": [] } ]
            })
        );
        let answer = json!({ "pos": [ { "posNo": 1, "ok": ok, "txt": [ { "t": "so be it" } ] } ] });
        let answered = desk.good("POST", "/charges/C-5001/answer", answer.clone()).await;
        assert_eq!((&answered["st"], &answered["pos"][0]["ok"]), (&json!("E"), &json!(ok)));
        assert_eq!(desk.get("/stornos/S-3001").await["st"], standing);
        assert_eq!(desk.get("/orders/P-2001").await["st"], order);
        assert_eq!(desk.get("/orders/P-2002").await["st"], 10);
        assert_eq!(desk.call("POST", "/charges/C-5001/answer", answer).await.0, 409);
    }
}

#[tokio::test]
async fn tasks_can_name_what_they_are_about() {
    let mut desk = two_ports().await;
    let wish = desk
        .good("POST", "/wishes", json!({ "packNo": "K-77", "lineNo": 20, "wishDate": "15.12.2026" }))
        .await;
    assert_eq!((&wish["no"], &wish["st"]), (&json!("P-2002"), &json!("E")));
    let storno =
        desk.good("POST", "/stornos", json!({ "packNo": "K-77", "lineNo": 10, "why": "no need" })).await;
    assert_eq!((&storno["no"], &storno["st"]), (&json!("P-2001"), &json!("E")));
    let storno = desk.good("POST", "/stornos", json!({ "packNo": "K-77" })).await;
    assert_eq!((storno.get("no"), &storno["st"]), (None, &json!("E")));
    assert_eq!(desk.get("/packs/K-77").await["st"], 95);
    for path in ["/stornos", "/wishes"] {
        let (status, answer) = desk.call("POST", path, json!({})).await;
        assert_eq!((status, complaints(&answer)), (400, vec![("E02", "packNo")]));
        let (status, answer) = desk.call("POST", path, json!({ "packNo": "K-77", "lineNo": 90 })).await;
        assert_eq!((status, complaints(&answer)), (404, vec![("E10", "lineNo")]));
        assert_eq!(desk.call("POST", path, json!({ "no": "P-9", "wishDate": "15.12.2026" })).await.0, 404);
    }
    assert_eq!(desk.call("POST", "/stornos", json!({ "packNo": "K-9" })).await.0, 404);
}

#[tokio::test]
async fn from_the_work_on_it_is_too_late_to_cancel() {
    let mut desk = two_ports().await;
    desk.advance("P-2001", 2).await;
    for path in ["/orders/P-2001/storno", "/packs/K-77/storno"] {
        let (status, answer) = desk.call("POST", path, json!({})).await;
        assert_eq!((status, complaints(&answer)), (409, vec![("E30", "no")]));
    }
    assert_eq!(desk.call("POST", "/orders/P-9/storno", json!({})).await.0, 404);
    assert_eq!(desk.call("POST", "/packs/K-9/storno", json!({})).await.0, 404);
}

#[tokio::test]
async fn the_wished_date_moves_and_hurry_costs() {
    let mut desk = two_ports().await;
    let wish = desk.good("POST", "/orders/P-2001/wish", json!({ "wishDate": "15.12.2026" })).await;
    assert_eq!((&wish["wishNo"], &wish["st"], &wish["expr"]), (&json!("W-4001"), &json!("E"), &json!("N")));
    assert_eq!(desk.get("/orders/P-2001").await["planDate"], "15.12.2026");
    let hurry =
        desk.good("POST", "/orders/P-2001/wish", json!({ "wishDate": "05.10.2026", "expr": "J" })).await;
    assert_eq!((&hurry["st"], &hurry["chgNo"]), (&json!("K"), &json!("C-5001")));
    assert_eq!(desk.get("/charges/C-5001").await["wishNo"], "W-4002");
    assert_eq!(desk.get("/orders/P-2001").await["planDate"], "15.12.2026");
    desk.good("POST", "/charges/C-5001/answer", json!({ "pos": [ { "posNo": 1, "ok": "J" } ] })).await;
    let order = desk.get("/orders/P-2001").await;
    assert_eq!((&order["planDate"], &order["expr"]), (&json!("05.10.2026"), &json!("J")));
    assert_eq!(desk.get("/wishes/W-4002").await["st"], "E");
    assert_eq!(desk.get("/wishes?no=P-2001&expr=J").await["meta"]["count"], 1);
    for (message, code, place) in [
        (json!({}), "E02", "wishDate"),
        (json!({ "wishDate": "30.09.2026" }), "E14", "wishDate"),
        (json!({ "wishDate": 5 }), "E03", "wishDate"),
    ] {
        let (status, answer) = desk.call("POST", "/orders/P-2001/wish", message).await;
        assert_eq!(status, 400);
        assert!(complaints(&answer).contains(&(code, place)), "{answer}");
    }
    desk.advance("P-2001", 9).await;
    assert_eq!(desk.call("POST", "/orders/P-2001/wish", json!({ "wishDate": "15.12.2026" })).await.0, 409);
}

#[tokio::test]
async fn a_charge_that_comes_up_holds_the_order_until_it_is_answered() {
    for (ok, after) in [("J", 30), ("N", 90)] {
        let mut desk = two_ports().await;
        desk.advance("P-2001", 2).await;
        desk.good("POST", "/sim/charges", json!({ "no": "P-2001", "typ": "BAU", "nrc": 90000 })).await;
        desk.advance("P-2001", 5).await;
        let order = desk.get("/orders/P-2001").await;
        assert_eq!((&order["st"], &order["chgNos"]), (&json!(35), &json!(["C-5001"])));
        for (message, code, place) in [
            (json!({ "pos": [] }), "E40", "pos/1"),
            (json!({ "pos": [ { "posNo": 1, "ok": "J" }, { "posNo": 2, "ok": "J" } ] }), "E08", "pos/2"),
            (json!({ "pos": [ { "posNo": 1, "ok": "yes" } ] }), "E03", "pos/1/ok"),
        ] {
            let (status, answer) = desk.call("POST", "/charges/C-5001/answer", message).await;
            assert_eq!((status, complaints(&answer)), (400, vec![(code, place)]));
        }
        desk.good("POST", "/charges/C-5001/answer", json!({ "pos": [ { "posNo": 1, "ok": ok } ] })).await;
        assert_eq!(desk.get("/orders/P-2001").await["st"], after);
    }
}

#[tokio::test]
async fn an_order_placed_in_a_hurry_is_charged_when_work_begins() {
    let mut desk = Caller::new().await;
    let mut message = port(10);
    message["expr"] = "J".into();
    desk.good("POST", "/orders/uni", message).await;
    desk.advance("P-2001", 9).await;
    assert_eq!(desk.get("/orders/P-2001").await["st"], 35);
    assert_eq!(desk.get("/charges/C-5001").await["pos"][0]["typ"], "EXP");
    desk.good("POST", "/charges/C-5001/answer", json!({ "pos": [ { "posNo": 1, "ok": "J" } ] })).await;
    desk.advance("P-2001", 9).await;
    assert_eq!(desk.get("/orders/P-2001").await["st"], 40);
}

#[tokio::test]
async fn a_charge_can_be_too_late_or_taken_back() {
    let mut desk = two_ports().await;
    desk.good("POST", "/sim/charges", json!({ "no": "P-2001", "typ": "SON", "nrc": 1 })).await;
    desk.good("POST", "/sim/charges", json!({ "no": "P-2002", "typ": "SON", "nrc": 1 })).await;
    desk.good("DELETE", "/sim/charges/C-5002", Value::Null).await;
    desk.good("POST", "/sim/advance", json!({ "steps": 0, "days": 14 })).await;
    assert_eq!(desk.get("/charges/C-5001").await["st"], "O");
    desk.good("POST", "/sim/advance", json!({ "steps": 0, "days": 1 })).await;
    let late = desk.get("/charges/C-5001").await;
    assert_eq!((&late["st"], &late["pos"][0]["ok"]), (&json!("T"), &json!("N")));
    let back = desk.get("/charges/C-5002").await;
    assert_eq!((&back["st"], &back["pos"][0]["ok"]), (&json!("Z"), &json!("Z")));
    assert_eq!(desk.get("/charges?st=T,Z&dueTo=15.10.2026&packNo=K-77").await["meta"]["count"], 2);
    assert_eq!(
        desk.get("/charges?no=P-2002").await["items"],
        json!([{ "chgNo": "C-5002", "no": "P-2002", "packNo": "K-77", "lineNo": 20, "st": "Z", "cdat": "01.10.2026", "dueDate": "15.10.2026" }])
    );
}
