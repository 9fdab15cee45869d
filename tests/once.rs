//! One effect for one request, however often it is sent.

use bytes::Bytes;
use segue::simulate::bss::fault::{Fault, Kind};
use serde_json::{Value, json};

use super::support::{
    Answer, Bed, CANCEL_QUOTE, Folders, JSON, ORDER, QUOTE, Setup, deferred, order, postgres::on_each, quote,
    until,
};

const KEY: &str = "x-idempotency-key";

async fn folders() -> Folders {
    let folders = Folders::new(&Setup::default()).await;
    for partner in ["globex", "rival", "several"] {
        let path = format!("config/partners/{partner}.yaml");
        let text = folders.read(&path);
        folders
            .write(&path, &format!("{text}idempotency: {{ key_header: {KEY}, external_id: [ quote ] }}\n"));
    }
    folders
}

impl Bed {
    /// A request that names itself.
    async fn keyed(&self, key: &str, path: &str, body: &Value) -> Answer {
        let to = self.gateway.sonata_address();
        self.client.send(to, "POST", path, &[JSON, (KEY, key)], Bytes::from(body.to_string())).await
    }

    /// What the legacy system was asked to change.
    fn changes(&self) -> usize {
        self.received().iter().filter(|entry| entry.method != "GET").count()
    }
}

fn assert_in_progress(answer: &Answer) {
    answer.assert_faults("a repeat while the first is at work", &[("otherIssue", "")]);
    assert!(answer.text().contains("still in progress"), "{answer:?}");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_again_gets_the_first_answer() {
    on_each(folders, async |bed| {
        // By its header, whatever the externalId is; orders have none in the settings.
        let first = bed.keyed("k1", ORDER, &order("o1", 2)).await;
        assert_eq!(first.status, 201, "{first:?}");
        let calls = bed.changes();
        let again = bed.keyed("k1", ORDER, &order("o1", 2)).await;
        assert_eq!((again.status, again.text()), (201, first.text()));
        assert_eq!(bed.changes(), calls);
        // Another body, and the same key of another operation and of another partner.
        let other = bed.keyed("k1", ORDER, &order("o2", 2)).await;
        other.assert_faults("another body", &[("otherIssue", "")]);
        assert_eq!(bed.changes(), calls);
        let rival = bed.keyed("k1", &format!("/rival{ORDER}"), &order("o1", 2)).await;
        assert_eq!(rival.status, 201, "{rival:?}");
        assert_ne!(rival.member("id"), first.member("id"));
        // A long key is a key like any other.
        let long = "k".repeat(3000);
        let made = bed.keyed(&long, ORDER, &order("o1", 1)).await;
        assert_eq!(bed.keyed(&long, ORDER, &order("o1", 1)).await.text(), made.text());
        let longer = bed.keyed(&format!("{long}k"), ORDER, &order("o1", 1)).await;
        assert_ne!(longer.member("id"), made.member("id"));
        // Without a key every request is the first.
        let calls = bed.changes();
        for _ in 0..2 {
            assert_eq!(bed.post(ORDER, &order("o1", 1)).await.status, 201);
        }
        assert_eq!(bed.changes(), calls + 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_external_id_names_what_is_made() {
    on_each(folders, async |bed| {
        let first = bed.post(QUOTE, &quote("q1")).await;
        assert_eq!(first.status, 201, "{first:?}");
        // Also under a new key of the header.
        assert_eq!(bed.keyed("k9", QUOTE, &quote("q1")).await.text(), first.text());
        assert_eq!(bed.changes(), 1);
        let mut other = quote("q1");
        other["description"] = json!("another");
        bed.post(QUOTE, &other).await.assert_faults("another body", &[("invalidValue", "/externalId")]);
        assert_eq!(bed.changes(), 1);
        // Different Buyers number as they like.
        let path = |buyer: &str| format!("/several{QUOTE}?buyerId={buyer}");
        let (b1, b2) = (bed.post(&path("b1"), &quote("q1")).await, bed.post(&path("b2"), &quote("q1")).await);
        assert_eq!((b1.status, b2.status), (201, 201), "{b1:?} {b2:?}");
        assert_ne!(b1.member("id"), b2.member("id"));
        // What was refused before anything was done is no first request.
        let mut broken = quote("q2");
        broken["quoteItem"] = json!([]);
        assert_eq!(bed.post(QUOTE, &broken).await.status, 422);
        assert_eq!(bed.post(QUOTE, &quote("q2")).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_moves_an_entity_is_known_again() {
    on_each(folders, async |bed| {
        let mut later = quote("moved");
        deferred(&mut later);
        let made = bed.post(QUOTE, &later).await;
        assert_eq!(made.member("state"), "inProgress", "{made:?}");
        let body = json!({ "quoteId": made.member("id") });
        let first = bed.keyed("c1", CANCEL_QUOTE, &body).await;
        assert_eq!(first.status, 200, "{first:?}");
        let calls = bed.changes();
        // The quote is cancelled: only as the same request may it be cancelled again.
        assert_eq!(bed.keyed("c1", CANCEL_QUOTE, &body).await.text(), first.text());
        assert_eq!(bed.keyed("c2", CANCEL_QUOTE, &body).await.status, 422);
        assert_eq!(bed.changes(), calls);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_at_once_one_is_the_first() {
    on_each(folders, async |bed| {
        bed.arrange(Fault { latency_ms: 1500, method: "POST".to_owned(), ..Fault::of(Kind::Late) });
        let (q, second) = (quote("race"), async {
            until(async || bed.changes() == 1).await;
            bed.post(QUOTE, &quote("race")).await
        });
        let (first, second) = tokio::join!(bed.post(QUOTE, &q), second);
        assert_eq!(first.status, 201, "{first:?}");
        assert_in_progress(&second);
        assert_eq!(bed.post(QUOTE, &q).await.text(), first.text());
        // At the very same moment only the store knows who was first.
        let body = order("race", 1);
        let all = futures_util::future::join_all((0..12).map(|_| bed.keyed("race", ORDER, &body))).await;
        let made: Vec<&Answer> = all.iter().filter(|answer| answer.status == 201).collect();
        assert!(!made.is_empty() && made.iter().all(|one| one.text() == made[0].text()), "{all:?}");
        all.iter().filter(|answer| answer.status != 201).for_each(assert_in_progress);
        assert_eq!(bed.changes(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_without_effect_may_be_tried_again() {
    on_each(folders, async |bed| {
        // Refused, and for another try of the same request not.
        bed.arrange(Fault { status: 400, method: "POST".to_owned(), ..Fault::of(Kind::Status) });
        let failed = bed.keyed("f1", QUOTE, &quote("f1")).await;
        assert!(failed.status >= 400, "{failed:?}");
        let made = bed.keyed("f1", QUOTE, &quote("f1")).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(bed.keyed("f1", QUOTE, &quote("f1")).await.text(), made.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_had_an_effect_is_not_tried_again_also_after_a_restart() {
    on_each(folders, async |bed| {
        let kept = bed.post(QUOTE, &quote("kept")).await;
        bed.arrange(Fault { acts: true, method: "POST".to_owned(), ..Fault::of(Kind::Drop) });
        let unclear = bed.post(QUOTE, &quote("unclear")).await;
        unclear.assert_problem("an answer that was lost", 500, "internalError");
        let calls = bed.changes();
        assert_in_progress(&bed.post(QUOTE, &quote("unclear")).await);
        let bed = bed.again().await;
        assert_in_progress(&bed.post(QUOTE, &quote("unclear")).await);
        assert_eq!(bed.post(QUOTE, &quote("kept")).await.text(), kept.text());
        assert_eq!(bed.changes(), calls);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_another_one_overtook_is_kept_all_the_same() {
    on_each(folders, async |bed| {
        let mut later = quote("overtaken");
        deferred(&mut later);
        let made = bed.post(QUOTE, &later).await;
        let path = format!("{QUOTE}/{}", made.member("id"));
        // While the answer to the cancellation is under way, a look-up tells that the quote is cancelled.
        bed.arrange(Fault { latency_ms: 1500, method: "DELETE".to_owned(), ..Fault::of(Kind::Late) });
        let body = json!({ "quoteId": made.member("id") });
        let (cancelled, read) = tokio::join!(bed.post(CANCEL_QUOTE, &body), async {
            until(async || bed.received().iter().any(|entry| entry.method == "DELETE")).await;
            bed.get(&path).await
        });
        assert_eq!(read.member("state"), "cancelled", "{read:?}");
        assert_eq!(cancelled.status, 200, "{cancelled:?}");
        let read = bed.get(&path).await.json();
        let steps: Vec<_> =
            read["stateChange"].as_array().into_iter().flatten().map(|one| &one["state"]).collect();
        assert_eq!(steps.last(), Some(&&json!("cancelled")), "{read}");
        assert_eq!(bed.admin("GET", "/attention").await.json()["total"], 0);
    })
    .await;
}
