use serde_json::json;

use super::*;

fn visit(job: &str, from: &str, to: &str) -> Value {
    json!({ "jobNo": job, "von": format!("05.10.2026 {from}"), "bis": format!("05.10.2026 {to}") })
}

#[tokio::test]
async fn a_visit_is_agreed_moved_and_called_off() {
    let mut desk = Caller::new().await;
    let question =
        json!({ "jobNo": "J-6001", "wish": [{ "von": "01.10.2026 00:00", "bis": "05.10.2026 12:00" }] });
    let free = desk.good("POST", "/fs/slots", question.clone()).await;
    // The 1st is today, the 2nd too soon, then comes a weekend.
    let hours = json!([{ "von": "05.10.2026 08:00", "bis": "05.10.2026 10:00" },
                       { "von": "05.10.2026 10:00", "bis": "05.10.2026 12:00" }]);
    assert_eq!(free["slots"], hours);
    let agreed = desk.good("POST", "/fs/visits", visit("J-6001", "08:00", "10:00")).await;
    let path = format!("/fs/visits/{}", agreed["visitNo"].as_str().unwrap());
    let job = desk.get("/fs/jobs/J-6001").await;
    assert_eq!(
        (&job["st"], &job["plan"], &job["visits"][0]),
        (&json!("P"), &agreed["von"], &agreed["visitNo"])
    );
    let later = json!({ "von": "06.10.2026 13:00", "bis": "06.10.2026 15:00" });
    assert_eq!(desk.good("PUT", &path, later).await["von"], "06.10.2026 13:00");
    assert_eq!(desk.get("/fs/jobs/J-6001").await["plan"], "06.10.2026 13:00");
    assert_eq!(desk.good("DELETE", &path, Value::Null).await["st"], "S");
    assert_eq!(desk.get("/fs/jobs/J-6001").await["st"], "O");
    assert_eq!(desk.good("POST", "/fs/slots", question).await["slots"], hours);
    for (method, body) in [("PUT", json!({})), ("DELETE", Value::Null)] {
        assert_eq!(desk.call(method, &path, body).await.0, 409, "{method}");
    }
    assert_eq!(desk.get("/fs/visits?jobNo=J-6001&st=S&from=06.10.2026").await["meta"]["count"], 1);
}

#[tokio::test]
async fn what_is_refused() {
    let mut desk = Caller::new().await;
    desk.good("POST", "/fs/visits", visit("J-6001", "08:00", "10:00")).await;
    for (message, status, told) in [
        (visit("J-6004", "08:00", "10:00"), 409, ("E32", "von")),
        (visit("J-6004", "09:00", "11:00"), 409, ("E32", "von")),
        (visit("J-6001", "10:00", "12:00"), 409, ("E30", "jobNo")),
        (visit("J-6003", "10:00", "12:00"), 409, ("E30", "jobNo")),
        (visit("J-1", "10:00", "12:00"), 404, ("E10", "jobNo")),
        (visit("J-6004", "12:00", "10:00"), 400, ("E33", "bis")),
        (visit("J-6004", "8:00", "10:00"), 400, ("E03", "von")),
        (visit("J-6004", "08:00", "24:00"), 400, ("E03", "bis")),
    ] {
        let (told_status, answer) = desk.call("POST", "/fs/visits", message.clone()).await;
        assert_eq!((told_status, complaints(&answer)), (status, vec![told]), "{message}");
    }
}

#[tokio::test]
async fn an_ordered_port_opens_a_job_where_it_will_be() {
    let mut desk = Caller::new().await;
    let order = json!({
        "hdr": { "acct": "4712" }, "packNo": "F-1", "lineNo": 10, "act": "N", "termM": 12, "speed": "1000BASE_LX",
        "adr": [{ "typ": "F", "role": "I", "str": "Elbchaussee", "nr": "7", "plz": "22765", "ort": "Hamburg", "land": "DEU" }]
    });
    desk.good("POST", "/orders/uni", order).await;
    let jobs = desk.get("/fs/jobs?acct=4712").await;
    assert_eq!((&jobs["meta"]["count"], &jobs["items"][0]["packNo"]), (&json!(1), &json!("F-1")));
    assert_eq!(jobs["items"][0]["adr"][0]["str"], "Elbchaussee");
}
