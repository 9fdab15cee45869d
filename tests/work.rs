//! What people answer (`manual`): kept, listed, answered by command and by the admin port, told to the partner.

use std::net::SocketAddr;

use segue::simulate::bss::fault::{Fault, Kind};
use serde_json::{Value, json};

use super::{
    cli,
    notifications::Listener,
    support::{
        Answer, Bed, CANCEL_QUOTE, Folders, JSON, ORDER, QUOTE, Setup, bounded, deferred, order, quote, until,
    },
};

const HUB: &str = "/mefApi/sonata/productOrderingManagement/v10/hub";

/// A gateway whose partner globex has more in its file.
async fn bed(more: &str) -> Bed {
    let folders = Folders::new(&Setup::default()).await;
    let path = "config/partners/globex.yaml";
    folders.write(path, &format!("{}{more}", folders.read(path)));
    Bed::on(folders).await
}

impl Bed {
    async fn work(&self) -> Vec<Value> {
        let told = self.admin("GET", "/work").await.json();
        let work = told["work"].as_array().unwrap().clone();
        assert_eq!(told["total"], work.len(), "{told}");
        work
    }

    /// The id of the one piece of work.
    async fn piece(&self) -> String {
        let work = self.work().await;
        assert_eq!(work.len(), 1, "{work:?}");
        work[0]["id"].as_str().unwrap().to_owned()
    }

    async fn answer(&self, id: &str, body: &Value) -> Answer {
        let (to, path) = (self.gateway.admin_address(), format!("/work/{id}/answer"));
        self.client.send(to, "POST", &path, &[JSON], body.to_string().into()).await
    }

    /// `segue work …`: its status and what it prints.
    async fn command(&self, words: &[&str], input: &str) -> (i32, String) {
        let (config, admin) = (self.folders.config(), self.gateway.admin_address().to_string());
        let mut all: Vec<String> = vec!["work".to_owned()];
        all.extend(words.iter().map(|word| (*word).to_owned()));
        all.extend(["--admin".to_owned(), admin]);
        let input = input.to_owned();
        let ended = tokio::task::spawn_blocking(move || {
            let words: Vec<&str> = all.iter().map(String::as_str).collect();
            cli::run(&config, &words, &input)
        });
        let (status, out, err) = ended.await.unwrap();
        (status, format!("{out}{err}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_answered_by_a_person() {
    bounded(async {
        let listener = Listener::default();
        let at = listener.start(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let bed = bed(&format!(
            "operations: {{ order: manual }}\nidempotency: {{ external_id: [ order ] }}\n\
             notifications: {{ allow: [ \"http://{at}\" ], answer_ms: 500 }}\n"
        ))
        .await;
        let hub = bed.post(HUB, &json!({ "callback": format!("http://{at}") })).await;
        assert_eq!(hub.status, 201, "{hub:?}");

        // It is checked like any other.
        let mut wrong = order("w", 2);
        wrong["productOrderItem"][0]["action"] = json!("build");
        wrong.as_object_mut().unwrap().remove("relatedContactInformation");
        assert_eq!(bed.post(ORDER, &wrong).await.status, 422);
        assert_eq!(bed.work().await, Vec::<Value>::new());

        let made = bed.post(ORDER, &order("w", 2)).await;
        assert_eq!((made.status, made.member("state")), (201, "acknowledged".to_owned()), "{made:?}");
        assert_eq!(bed.post(ORDER, &order("w", 2)).await.text(), made.text());
        assert_eq!(bed.post(ORDER, &order("w", 1)).await.status, 422);
        assert!(bed.received().is_empty());

        // It waits, whatever becomes of the program.
        let bed = bed.again().await;
        let path = format!("{ORDER}/{}", made.member("id"));
        assert_eq!(bed.get(&path).await.json(), made.json());
        assert_eq!(bed.get(ORDER).await.json().as_array().unwrap().len(), 1);
        let id = bed.piece().await;
        let (status, told) = bed.command(&["list", "--partner", "globex"], "").await;
        assert!(status == 0 && told.contains(&id) && told.contains("1 to do"), "{told}");
        let (status, told) = bed.command(&["list", "--partner", "nobody"], "").await;
        assert!(status != 0 && told.contains("no such partner"), "{told}");
        let (status, told) = bed.command(&["show", &id], "").await;
        let shown: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((status, &shown["document"]), (0, &made.json()), "{told}");
        assert_eq!(shown["operation"], "order.createProductOrder");

        // All that is wrong is told at once, and nothing is kept.
        let wrong = json!({
            "state": "forgotten",
            "productOrderItem": [ { "id": "i9", "state": "inProgress" }, { "id": "i0", "state": "acknowledged", "expediteAcceptedIndicator": "yes" } ],
            "colour": "red",
        });
        let (status, told) = bed.command(&["answer", &id], &wrong.to_string()).await;
        for part in ["a state that productOrder does not have", "nobody asked for", "colour", "expediteAcceptedIndicator", "4 faults; nothing was kept"] {
            assert!(status == 1 && told.contains(part), "{part}: {told}");
        }
        for (body, status) in [("[]", 422), ("{", 422)] {
            let to = bed.gateway.admin_address();
            let answer =
                bed.client.send(to, "POST", &format!("/work/{id}/answer"), &[JSON], body.into()).await;
            assert_eq!(answer.status, status, "{body}: {answer:?}");
        }
        assert_eq!(bed.get(&path).await.json(), made.json());
        assert_eq!(bed.admin("POST", &format!("/work/{id}/done")).await.status, 409, "the Buyer waits");

        let items = |state: &str| json!({ "productOrderItem": [ { "id": "i0", "state": state }, { "id": "i1", "state": state } ] });
        let (status, told) = bed.command(&["answer", &id], &items("inProgress").to_string()).await;
        assert!(status == 0 && told.contains("inProgress: stays on the list"), "{told}");
        assert_eq!(bed.get(&path).await.json()["state"], "inProgress");
        until(async || {
            let told = listener.got();
            told.iter().any(|one| one.path.ends_with("productOrderStateChangeEvent"))
        })
        .await;
        assert_eq!(bed.piece().await, id);
        // What cannot follow is refused, not overlooked.
        let back = bed.answer(&id, &json!({ "state": "acknowledged" })).await;
        assert_eq!((back.status, back.json()["faults"].as_array().unwrap().len()), (422, 1), "{back:?}");
        let done = bed.answer(&id, &items("completed")).await;
        assert_eq!((done.status, done.json()), (200, json!({ "state": "completed", "isDone": true })), "{done:?}");
        assert_eq!(bed.work().await, Vec::<Value>::new());
        assert_eq!(bed.answer(&id, &items("completed")).await.status, 404);
        let order = bed.get(&path).await.json();
        assert!(order["completionDate"].is_string(), "{order}");
        assert!(bed.received().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_buyer_moves_is_to_be_known() {
    bounded(async {
        let bed = bed("operations: { quote: manual }\n").await;
        // Nobody answers at once.
        let at_once = bed.post(QUOTE, &quote("now")).await;
        at_once.assert_faults("at once", &[("otherIssue", "/instantSyncQuote")]);
        let mut body = quote("later");
        deferred(&mut body);
        let made = bed.post(QUOTE, &body).await;
        assert_eq!((made.status, made.member("state")), (201, "acknowledged".to_owned()), "{made:?}");
        let asked = bed.piece().await;
        // Nobody looked at it yet: the standard does not let it be cancelled.
        assert_eq!(bed.post(CANCEL_QUOTE, &json!({ "quoteId": made.member("id") })).await.status, 422);
        let (status, told) = bed.command(&["answer", &asked], "{ \"state\": \"inProgress\" }").await;
        assert!(status == 0 && told.contains("inProgress: stays"), "{told}");
        let cancelled = bed.post(CANCEL_QUOTE, &json!({ "quoteId": made.member("id") })).await;
        assert!(cancelled.status < 300, "{cancelled:?}");
        let path = format!("{QUOTE}/{}", made.member("id"));
        assert_eq!(bed.get(&path).await.json()["state"], "cancelled");
        let told = bed.piece().await;
        assert_ne!(told, asked, "what is to be done has changed");
        assert_eq!(bed.work().await[0]["operation"], "quote.cancelQuote");
        assert_eq!(bed.post(CANCEL_QUOTE, &json!({ "quoteId": made.member("id") })).await.status, 422);
        let (status, text) = bed.command(&["done", &told], "").await;
        assert!(status == 0 && text.contains("done"), "{text}");
        assert_eq!(bed.work().await, Vec::<Value>::new());
        // What people made stays theirs, also when a legacy system serves what is new.
        bed.folders.edit("config/partners/globex.yaml", "operations: { quote: manual }\n", "");
        assert_eq!(bed.admin("POST", "/reload").await.status, 200);
        assert_eq!(bed.get(&path).await.json()["state"], "cancelled");
        assert!(bed.received().is_empty());
        assert_eq!(bed.post(QUOTE, &quote("now")).await.status, 201);
        assert_eq!(bed.received().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_back_is_work() {
    bounded(async {
        let bed = bed("").await;
        let fault = |path: &str, skip: u32, status: u16| Fault {
            path: path.to_owned(),
            method: "POST".to_owned(),
            skip,
            status,
            ..Fault::of(Kind::Status)
        };
        bed.arrange(fault("/orders/uni", 1, 400));
        bed.arrange(fault("/orders/P-", 0, 500));
        assert!(bed.post(ORDER, &order("half", 2)).await.status >= 400);
        let work = bed.work().await;
        assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("exchange")), "{work:?}");
        assert!(work[0]["note"].as_str().unwrap().contains("taken back"), "{work:?}");
        let id = work[0]["id"].as_str().unwrap();
        assert_eq!(bed.answer(id, &json!({})).await.status, 409);
        let done = bed.admin("POST", &format!("/work/{id}/done")).await;
        let exchange = work[0]["exchange"].as_str().unwrap();
        assert!(done.status == 409 && done.text().contains(exchange), "{done:?}");
        let settled = bed.admin("POST", &format!("/attention/{exchange}/settle?effect=none")).await;
        assert_eq!(settled.status, 200, "{settled:?}");
        assert_eq!(bed.work().await, Vec::<Value>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_test_makes_stays_marked() {
    bounded(async {
        let test = "policy: { test: true }\n";
        let bed = bed(&format!("operations: {{ quote: manual }}\n{test}")).await;
        let mut body = quote("trial");
        deferred(&mut body);
        let made = bed.post(QUOTE, &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(bed.post(&format!("/rival{QUOTE}"), &quote("real")).await.status, 201);
        let metrics = bed.admin("GET", "/metrics").await.text();
        assert!(metrics.contains("segue_test_exchanges_total{outcome=\"ok\"} 1\n"), "{metrics}");
        assert_eq!(bed.work().await[0]["isTest"], true);
        let (_, told) = bed.command(&["list"], "").await;
        assert!(told.contains("TEST"), "{told}");

        // It is not real because the partner has become so.
        bed.folders.edit("config/partners/globex.yaml", test, "");
        assert_eq!(bed.admin("POST", "/reload").await.status, 200);
        let id = bed.piece().await;
        assert_eq!(bed.answer(&id, &json!({ "state": "inProgress" })).await.status, 200);
        let cancelled = bed.post(CANCEL_QUOTE, &json!({ "quoteId": made.member("id") })).await;
        assert!(cancelled.status < 300, "{cancelled:?}");
        let work = bed.work().await;
        assert_eq!((&work[0]["operation"], &work[0]["isTest"]), (&json!("quote.cancelQuote"), &json!(true)));
        let mut body = quote("not");
        deferred(&mut body);
        assert_eq!(bed.post(QUOTE, &body).await.status, 201);
        assert_eq!(bed.work().await[1]["isTest"], false);
        let metrics = bed.admin("GET", "/metrics").await.text();
        assert!(metrics.contains("segue_test_exchanges_total{outcome=\"ok\"} 1\n"), "{metrics}");
    })
    .await;
}
