//! What goes on after an answer: quotes expire, orders accept them, slow work is followed, also across a restart.

use bytes::Bytes;
use segue::{
    ids::{PartnerId, SonataId},
    store::{Entity, Kind, Queue},
};
use serde_json::{Value, json};

use super::support::{
    Answer, Bed, Folders, JSON, ORDER, QUOTE, Setup, bounded, deferred, order, quote, until,
};

/// What the tests' mapping sets have beside their operations.
const TOLD: &str = r#"
function: quote
receives:
  PUT /bss/offers/{no}:
    updates: quote
    legacy_id: "path:no"
    fields:
      - { sonata: state, legacy: status, codes: quote-state }
      - { sonata: validFor.endDateTime, legacy: until }
"#;

async fn folders(edits: &[(&str, &str, &str)]) -> Folders {
    let folders = Folders::new(&Setup::default()).await;
    // Acme's interface says what Acme tells, which is something else.
    folders.edit("config/backends/acme.yaml", "openapi: openapi/acme.yaml\n", "");
    folders.write("mappings/tiny/told.yaml", TOLD);
    for (path, from, to) in edits {
        folders.edit(path, from, to);
    }
    folders
}

async fn bed(edits: &[(&str, &str, &str)]) -> Bed {
    Bed::on(folders(edits).await).await
}

impl Bed {
    /// A message of the legacy system about an offer.
    async fn offer(&self, number: &str, body: &Value) -> Answer {
        let (to, path) = (self.gateway.internal_address().unwrap(), format!("/bss/offers/{number}"));
        self.client.send(to, "PUT", &path, &[JSON], Bytes::from(body.to_string())).await
    }

    /// What the controls of the legacy system do.
    async fn control(&self, path: &str, body: &Value) {
        let to = self.folders.bss.local_addr;
        let answer = self.client.send(to, "POST", path, &[JSON], Bytes::from(body.to_string())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn kept(&self, kind: &'static str, id: &str) -> Entity {
        let (partner, id) = (PartnerId::parse("globex").unwrap(), SonataId::parse(id).unwrap());
        self.gateway.store().entity(&partner, &Kind::new(kind), &id).await.unwrap().unwrap()
    }

    /// Waits until an entity is in a state.
    async fn becomes(&self, kind: &'static str, id: &str, state: &str) -> Value {
        until(async || self.kept(kind, id).await.state.as_deref() == Some(state)).await;
        serde_json::from_slice(&self.kept(kind, id).await.document.unwrap()).unwrap()
    }

    /// Open tasks of a queue.
    async fn open(&self, queue: Queue) -> u64 {
        let partner = PartnerId::parse("globex").unwrap();
        self.gateway.store().tasks(&partner, queue, false, (0, 10)).await.unwrap().total
    }

    /// A quote that is not answered at once: its id, and its number at the legacy system.
    async fn deferred(&self) -> (String, String) {
        let mut asked = quote("deferred");
        deferred(&mut asked);
        let made = self.post(QUOTE, &asked).await;
        assert_eq!(made.member("state"), "inProgress", "{made:?}");
        let numbers = self.received().into_iter().filter(|entry| entry.path == "/v2/offers");
        (made.member("id"), numbers.flat_map(|entry| entry.made).last().unwrap())
    }
}

fn states(document: &Value) -> Vec<String> {
    let steps = document["stateChange"].as_array().unwrap().iter();
    steps.map(|step| step["state"].as_str().unwrap().to_owned()).collect()
}

/// A time so many milliseconds from now.
#[expect(clippy::disallowed_methods, reason = "the gateway runs by the clock of the machine")]
fn in_ms(ms: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_millis(ms)).to_string()
}

const EXPIRES: (&str, &str, &str) = (
    "mappings/tiny/quote.yaml",
    "    legacy_id: offerNo\n    on:",
    "    legacy_id: offerNo\n    expires: { call: \"DELETE /v2/offers/{legacy.id}\" }\n    on:",
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_expires_and_what_was_reserved_is_given_back() {
    bounded(async {
        let bed = bed(&[EXPIRES]).await;
        let (id, number) = bed.deferred().await;
        assert_eq!(bed.open(Queue::Timer).await, 0);
        let until = in_ms(600_000);
        assert_eq!(bed.offer(&number, &json!({ "status": "A1", "until": until })).await.status, 204);
        assert_eq!(bed.open(Queue::Timer).await, 1);
        // The time is brought forward: the timer goes with it.
        assert_eq!(bed.offer(&number, &json!({ "until": in_ms(300) })).await.status, 204);
        assert_eq!(bed.kept("quote", &id).await.state.as_deref(), Some("approved.orderable"));
        let document = bed.becomes("quote", &id, "expired").await;
        assert_eq!(
            states(&document),
            ["acknowledged", "inProgress", "approved.orderable", "expired"],
            "{document}"
        );
        let given_back = async || {
            let path = format!("/v2/offers/{number}");
            bed.received().iter().any(|entry| entry.method == "DELETE" && entry.path == path)
        };
        super::support::until(given_back).await;
        super::support::until(async || bed.open(Queue::Continue).await == 0).await;
        assert_eq!(bed.open(Queue::Timer).await, 0);
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_expires_while_nobody_serves() {
    bounded(async {
        let bed = bed(&[]).await;
        let (id, number) = bed.deferred().await;
        assert_eq!(bed.offer(&number, &json!({ "status": "A1", "until": in_ms(200) })).await.status, 204);
        bed.gateway.stop().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let bed = Bed::on(bed.folders).await;
        let document = bed.becomes("quote", &id, "expired").await;
        assert_eq!(states(&document).last().unwrap(), "expired");
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_accepts_its_quote_once_and_while_it_holds() {
    const PLACE: &str = "/productOrderItem/0/quoteItem/quoteId";
    bounded(async {
        let bed = bed(&[]).await;
        let ordered = |quote: &str| {
            let mut asked = order("of-a-quote", 1);
            asked["productOrderItem"][0]["quoteItem"] = json!({ "quoteId": quote, "id": "a" });
            asked
        };
        let orders = || bed.received().iter().filter(|entry| entry.path.starts_with("/orders")).count();
        let (id, number) = bed.deferred().await;
        bed.post(ORDER, &ordered(&id)).await.assert_faults("not ready", &[("otherIssue", PLACE)]);
        bed.post(ORDER, &ordered("unknown")).await.assert_faults("unknown", &[("referenceNotFound", PLACE)]);
        // The legacy system says that it is over, and no timer has run yet.
        let past = json!({ "status": "A1", "until": in_ms(-1000) });
        assert_eq!(bed.offer(&number, &past).await.status, 204);
        bed.post(ORDER, &ordered(&id)).await.assert_faults("expired", &[("otherIssue", PLACE)]);
        assert_eq!(orders(), 0, "nothing may reach the legacy system");

        let made = bed.post(QUOTE, &quote("at-once")).await;
        assert_eq!(made.member("state"), "approved.orderable", "{made:?}");
        let id = made.member("id");
        let made = bed.post(ORDER, &ordered(&id)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let document = bed.becomes("quote", &id, "accepted").await;
        assert_eq!(states(&document), ["approved.orderable", "accepted"], "{document}");
        bed.post(ORDER, &ordered(&id)).await.assert_faults("ordered before", &[("otherIssue", PLACE)]);
        assert_eq!((orders(), bed.open(Queue::Timer).await), (1, 0));
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

const COMPLETE: (&str, &str, &str) = (
    "mappings/tiny/quote.yaml",
    "    legacy_id: offerNo\n    on:",
    "    legacy_id: offerNo\n    complete: { poll: \"GET /v2/offers/{legacy.id}\", every: 1s, give_up: 90d, until: \"@.status != 'C' && @.status != 'B'\" }\n    on:",
);

const ITEMS: (&str, &str, &str) = (
    "mappings/tiny/order.yaml",
    "    answer: {",
    "    complete: { each: item, poll: \"GET /orders/{item.legacy.id}\", every: 1s, give_up: 90d, until: \"@.st == 40 || @.st == 90\" }\n    answer: {",
);

const STATES: (&str, &str, &str) = (
    "mappings/tiny/codes.yaml",
    "    - { sonata: inProgress, legacy: [ 20, 30 ] }\n",
    "    - { sonata: inProgress, legacy: [ 20, 30, 35 ] }\n    - { sonata: completed, legacy: 40 }\n    - { sonata: failed, legacy: 90 }\n",
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_work_is_followed_until_it_is_done_also_by_another_process() {
    bounded(async {
        let bed = bed(&[COMPLETE, ITEMS, STATES]).await;
        let (id, _) = bed.deferred().await;
        let made = bed.post(ORDER, &order("slow", 2)).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(bed.open(Queue::Poll).await, 3);
        let at_once = bed.post(QUOTE, &quote("at-once")).await;
        assert_eq!((at_once.status, bed.open(Queue::Poll).await), (201, 3), "what is done is not followed");

        bed.control("/sim/advance", &json!({ "steps": 20 })).await;
        let document = bed.becomes("quote", &id, "approved.orderable").await;
        assert_eq!(states(&document), ["acknowledged", "inProgress", "approved.orderable"], "{document}");
        let bed = bed.again().await;
        let document = bed.becomes("productOrder", &made.member("id"), "completed").await;
        assert_eq!(states(&document), ["acknowledged", "inProgress", "completed"], "{document}");
        until(async || bed.open(Queue::Poll).await == 0).await;
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_gateway_keeps_is_answered_without_the_legacy_system() {
    bounded(async {
        let folders = folders(&[]).await;
        let own = folders.read("config/partners/globex.yaml");
        folders.write("config/partners/globex.yaml", &format!("{own}custody: {{ quote: gateway }}\n"));
        let bed = Bed::on(folders).await;
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            ids.push(bed.post(QUOTE, &quote(name)).await.member("id"));
        }
        let (slow, number) = bed.deferred().await;
        assert_eq!(bed.offer(&number, &json!({ "status": "X" })).await.status, 204);
        let asked = bed.received().len();

        let one = bed.get(&format!("{QUOTE}/{slow}")).await;
        assert_eq!((one.status, one.member("state").as_str()), (200, "unableToProvide"), "{one:?}");
        bed.get(&format!("{QUOTE}/unknown")).await.assert_problem("unknown", 404, "notFound");
        bed.get(&format!("/rival{QUOTE}/{slow}")).await.assert_problem("another's", 404, "notFound");
        let all = [&ids[0], &ids[1], &ids[2], &slow];
        let rows: [(&str, &[&String], &str); 7] = [
            ("", &all, "4"),
            ("?offset=1&limit=2", &all[1..3], "4"),
            ("?state=approved.orderable", &all[..3], "3"),
            ("?externalId=b", &all[1..2], "1"),
            ("?state=unableToProvide&externalId=b", &[], "0"),
            ("?quoteDate.gt=2020-01-01T00:00:00Z&limit=1", &all[..1], "4"),
            ("?quoteDate.lt=2020-01-01T00:00:00Z", &[], "0"),
        ];
        for (query, expected, total) in rows {
            let listed = bed.get(&format!("{QUOTE}{query}")).await;
            assert_eq!(listed.status, 200, "{query}: {listed:?}");
            assert_eq!(listed.ids().iter().collect::<Vec<_>>(), expected, "{query}");
            assert_eq!(listed.headers["x-total-count"], total, "{query}");
        }
        assert_eq!(bed.received().len(), asked, "the legacy system was asked");
        bed.gateway.stop().await.unwrap();
    })
    .await;
}
