//! The workbench over HTTP: what is asked of a mapping that is not saved yet, and that asking changes nothing.

use bytes::Bytes;
use serde_json::{Value, json};

use super::support::{Answer, Bed, JSON, QUOTE, bounded, quote};

async fn ask(bed: &Bed, task: &str, question: &Value) -> Answer {
    send(bed, task, JSON, question.to_string()).await
}

async fn send(bed: &Bed, task: &str, media_type: (&str, &str), body: String) -> Answer {
    let path = format!("/workbench/{task}");
    bed.client.send(bed.gateway.admin_address(), "POST", &path, &[media_type], Bytes::from(body)).await
}

fn saved(bed: &Bed, path: &str) -> String {
    bed.folders.read(&format!("mappings/{path}"))
}

fn message(body: &Value) -> Value {
    json!({ "partner": "globex", "operation": "quote.createQuote", "direction": "to_legacy", "body": body })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsaved_mapping_is_checked_tried_and_counted() {
    bounded(async {
        let bed = Bed::start().await;
        let plan = bed.admin("GET", "/plan").await.json();
        let text = saved(&bed, "tiny/quote.yaml");

        let good = ask(&bed, "check", &json!({})).await.json();
        assert_eq!((&good["good"], &good["diagnostics"]), (&json!(true), &json!([])), "{good}");
        let broken = text
            .replace("sonata: externalId, legacy: hdr.custRef", "sonata: externalID, legacy: hdr.custRef");
        assert_ne!(broken, text);
        let told = ask(&bed, "check", &json!({ "files": { "tiny/quote.yaml": broken } })).await.json();
        assert_eq!(told["good"], false);
        let first = &told["diagnostics"][0];
        assert!(first["file"].as_str().unwrap().ends_with("tiny/quote.yaml"), "{told}");
        assert!(first["hint"].as_str().unwrap().contains("externalId"), "{told}");
        let gone = ask(&bed, "check", &json!({ "files": { "tiny/codes.yaml": null } })).await.json();
        assert_eq!(gone["good"], false, "{gone}");

        // Digits are kept on the way through.
        let edited = text.replace("- { legacy: sku, value: UNI-O }", "- { legacy: sku, value: EVPLA }");
        let files = json!({ "tiny/quote.yaml": edited });
        let mut body = quote("w");
        body["externalId"] = json!("007");
        let mut question = message(&body);
        let before = ask(&bed, "map", &question).await.json();
        assert_eq!(before["messages"][0]["body"]["lines"][0]["sku"], "UNI-O", "{before}");
        question["files"] = files;
        let after = ask(&bed, "map", &question).await.json();
        assert_eq!(after["good"], true, "{after}");
        assert_eq!(after["messages"][0]["name"], "POST /v2/offers");
        assert_eq!(after["messages"][0]["body"]["lines"][0]["sku"], "EVPLA", "{after}");
        assert_eq!(after["messages"][0]["rules"], Value::Null);
        let traced = ask(&bed, "trace", &question).await.json();
        let rules = traced["messages"][0]["rules"].as_array().unwrap();
        let sku = rules.iter().find(|rule| rule["target"] == "/lines/0/sku").unwrap();
        assert_eq!((&sku["outcome"], &sku["value"]), (&json!("constant"), &json!("'EVPLA'")), "{sku}");
        assert!(sku["rule"].as_str().unwrap().contains("tiny/quote.yaml:"), "{sku}");

        question["files"]["tiny/quote.yaml"] = text
            .replace(
                "      - { sonata: externalId, legacy: hdr.custRef }
",
                "",
            )
            .into();
        let covered =
            |answer: &Value| answer["operations"][0]["never"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        let ask_coverage = json!({ "partner": "globex", "operation": "quote.createQuote" });
        let all = ask(&bed, "coverage", &ask_coverage).await.json();
        let less = ask(
            &bed,
            "coverage",
            &json!({
                "partner": "globex", "operation": "quote.createQuote", "files": question["files"].clone(),
            }),
        )
        .await
        .json();
        assert_eq!(covered(&less), covered(&all) + 1, "{less}");

        assert_eq!(bed.admin("GET", "/plan").await.json(), plan, "nothing is installed");
        assert_eq!(saved(&bed, "tiny/quote.yaml"), text, "nothing is saved");
        assert_eq!(bed.received().len(), 0, "nothing is sent");
        assert_eq!(bed.post(QUOTE, &quote("s")).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_told_what_an_exchange_would_tell_it() {
    bounded(async {
        let bed = Bed::start().await;
        let mut body = quote("w");
        body["buyerRequestedQuoteLevel"] = json!("sure");
        let told = ask(&bed, "map", &message(&body)).await.json();
        assert_eq!(told["good"], false);
        assert_eq!(told["refusals"][0]["code"], "invalidValue", "{told}");
        assert_eq!(told["refusals"][0]["pointer"], "/buyerRequestedQuoteLevel", "{told}");
        // Sent as text, so that no tool on the way rewrites a digit.
        let reply = r#"{ "offerNo": "1", "status": "A1", "lines": [ { "lineNo": 10, "st": "A1" } ], "hdr": { "custRef": "a \u20ac" } }"#;
        let question = json!({
            "partner": "globex", "operation": "quote.createQuote", "direction": "to_sonata", "text": reply,
            "now": "2026-01-02T03:04:05Z",
        });
        let answer = ask(&bed, "map", &question).await.json();
        assert_eq!(answer["messages"][0]["name"], "answer", "{answer}");
        assert_eq!(answer["messages"][0]["body"]["externalId"], "a €", "{answer}");
        let mut refused = question.clone();
        refused["status"] = json!(409);
        let answer = ask(&bed, "map", &refused).await.json();
        assert_eq!(answer["refusals"][0]["reason"], "Asked before.", "{answer}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_questions_are_refused_with_a_reason() {
    bounded(async {
        let bed = Bed::start().await;
        let ask_of = |word: &str, value: Value| {
            let mut question = message(&quote("w"));
            question[word] = value;
            question.to_string()
        };
        let form = ("content-type", "application/x-www-form-urlencoded");
        let rows = [
            ("map", JSON, "{".to_owned(), 400, "EOF"),
            ("map", JSON, "[{}]".to_owned(), 400, "send a JSON object"),
            ("map", JSON, r#"{"partnr":"globex"}"#.to_owned(), 400, "partnr"),
            (
                "map",
                JSON,
                r#"{"partner":"globex","operation":"quote.createQuote"}"#.to_owned(),
                422,
                "direction",
            ),
            ("map", JSON, ask_of("partner", json!("globx")), 422, "globex"),
            ("map", JSON, ask_of("operation", json!("quote.creatQuote")), 422, "quote.createQuote"),
            ("map", JSON, ask_of("operation", json!("quote.retrieveQuote")), 422, "path id="),
            ("map", JSON, ask_of("direction", json!("to_sonat")), 422, "to_sonata"),
            ("map", JSON, ask_of("now", json!("noon")), 422, "noon"),
            ("map", JSON, ask_of("text", json!("{}")), 422, "not both"),
            ("check", JSON, r#"{"files":{"../secrets/a.yaml":""}}"#.to_owned(), 422, "../secrets/a.yaml"),
            ("check", JSON, r#"{"files":{"tiny/cases/a.yaml":""}}"#.to_owned(), 422, "tiny/cases/a.yaml"),
            ("check", form, "{}".to_owned(), 415, "application/json"),
            (
                "check",
                JSON,
                format!("{{\"files\":{{\"a/b.yaml\":\"{}\"}}}}", "x".repeat(4 << 20)),
                400,
                "4194304",
            ),
        ];
        for (task, media_type, body, status, word) in rows {
            let shown = body.chars().take(80).collect::<String>();
            let answer = send(&bed, task, media_type, body).await;
            assert_eq!(answer.status, status, "{task} {shown}: {answer:?}");
            let text = answer.json()["error"].as_str().unwrap().to_owned();
            assert!(text.contains(word), "{task} {shown}: {text}");
        }
        let answer = bed.admin("GET", "/workbench/check").await;
        assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "POST"));
        assert_eq!(bed.admin("POST", "/workbench/paint").await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_questions_than_are_worked_on_are_told_to_come_back() {
    bounded(async {
        let bed = Bed::start().await;
        let mut questions = tokio::task::JoinSet::new();
        for _ in 0..24 {
            let (client, to) = (bed.client.clone(), bed.gateway.admin_address());
            questions.spawn(async move {
                client.send(to, "POST", "/workbench/check", &[JSON], Bytes::from_static(b"{}")).await
            });
        }
        let answers = questions.join_all().await;
        let of = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!(of(200) + of(503), answers.len(), "{answers:?}");
        assert!(of(200) >= 1 && of(503) >= 1, "{answers:?}");
        let told = answers.iter().find(|answer| answer.status == 503).unwrap();
        assert_eq!(told.headers["retry-after"], "1");
        assert_eq!(ask(&bed, "check", &json!({})).await.status, 200, "the permits come back");
    })
    .await;
}
