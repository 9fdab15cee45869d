use serde_json::json;

use super::*;

#[tokio::test]
async fn bills_of_the_account_by_page() {
    let mut desk = Caller::new().await;
    let page = desk.get("/bill/invoices?acct=4711&pageSize=2").await;
    assert_eq!((&page["meta"]["count"], page["items"].as_array().unwrap().len()), (&json!(4), 2));
    assert_eq!(
        (&page["items"][0]["von"], &page["items"][0]["bis"]),
        (&json!("01.07.2026"), &json!("31.07.2026"))
    );
    for (query, count) in
        [("acct=4799", 1), ("acct=4711&st=F,B", 2), ("acct=4711&typ=D", 1), ("acct=4711&vonAb=01.09.2026", 2)]
    {
        let page = desk.get(&format!("/bill/invoices?{query}")).await;
        assert_eq!(page["meta"]["count"], count, "{query}");
    }
}

#[tokio::test]
async fn sums_of_a_bill_follow_from_its_positions() {
    let mut desk = Caller::new().await;
    let bill = desk.get("/bill/invoices/R-7002").await;
    let mut net = 0;
    for no in bill["pos"].as_array().unwrap() {
        let position = desk.get(&format!("/bill/positions/{}", no.as_str().unwrap())).await;
        net += position["net"].as_i64().unwrap();
    }
    assert_eq!(bill["net"], net + bill["fee"].as_i64().unwrap());
    assert_eq!(bill["gross"], bill["net"].as_i64().unwrap() + bill["tax"][0]["amt"].as_i64().unwrap());
}

#[tokio::test]
async fn what_is_wrong_is_said_in_plain_text() {
    let mut desk = Caller::new().await;
    for (path, status, text) in [
        ("/bill/invoices", 400, "ACCOUNT MISSING\r\n"),
        ("/bill/invoices?acct=4711&vonAb=1.7.26", 400, "BAD DATE\r\n"),
        ("/bill/invoices?acct=4711&pageNo=0", 400, "BAD PAGE\r\n"),
        ("/bill/invoices/R-1", 404, "INVOICE NOT ON FILE\r\n"),
        ("/bill/positions/R-7002-9", 404, "POSITION NOT ON FILE\r\n"),
    ] {
        let (told, headers, body) = desk.raw("GET", path, Bytes::new()).await.unwrap();
        assert_eq!((told, body.as_ref()), (status, text.as_bytes()), "{path}");
        assert_eq!(headers["content-type"], "text/plain", "{path}");
    }
}
