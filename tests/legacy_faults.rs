//! What must happen when the legacy system is slow, down or wrong: the partner gets an answer in time, the next
//! request is fine, and nothing that may have been done is forgotten.

use std::time::Duration;

use segue::{
    ids::PartnerId,
    simulate::bss::{
        self,
        fault::{Fault, Kind},
    },
    store::{Entity, JournalEntry, Kind as EntityKind, ListFilter, Step},
};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, time::Instant};

use super::support::{Bed, Folders, JSON, ORDER, QUOTE, Setup, bounded, order, quote, until};

fn globex() -> PartnerId {
    PartnerId::parse("globex").unwrap()
}

impl Bed {
    /// The journals of exchanges that need attention.
    async fn unfinished(&self) -> Vec<Vec<JournalEntry>> {
        let store = self.gateway.store();
        let mut all = Vec::new();
        for exchange in store.unfinished(&globex(), i64::MAX, 100).await.unwrap() {
            all.push(store.journal(&globex(), &exchange).await.unwrap());
        }
        all
    }

    /// The kept quotes, newest last.
    async fn quotes(&self) -> Vec<Entity> {
        let filter = ListFilter { limit: 100, ..ListFilter::default() };
        let page = self.gateway.store().list(&globex(), &EntityKind::new("quote"), filter).await;
        page.unwrap().entities
    }
}

/// What is left in the journal of a fault.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Left {
    /// Nothing was done, and the journal says so.
    Nothing,
    /// Something may have been done; there was no answer to keep.
    Intent,
    /// Something may have been done; the answer is kept as it came.
    Answer,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_the_legacy_system_ends_in_an_answer() {
    bounded(async {
        let setup = Setup {
            timeouts: "answer_ms: 1500",
            limits: "exchange_deadline_ms_max: 20000",
            ..Setup::default()
        };
        let bed = Bed::with(setup).await;
        let of = Fault::of;
        let acts = |kind| Fault { acts: true, ..Fault::of(kind) };
        let status = |status, acts| Fault { status, acts, ..Fault::of(Kind::Status) };
        let gone = Some("internalError");
        let rows = [
            ("late", QUOTE, Fault { latency_ms: 10_000, ..of(Kind::Late) }, gone, Left::Intent),
            ("dropped", QUOTE, acts(Kind::Drop), gone, Left::Intent),
            ("cut in the body", QUOTE, of(Kind::Short), gone, Left::Intent),
            ("dripping", QUOTE, Fault { pause_ms: 100, ..of(Kind::Drip) }, gone, Left::Intent),
            ("huge", QUOTE, Fault { bytes: 6 << 20, ..of(Kind::Huge) }, gone, Left::Intent),
            ("a wrong length", QUOTE, of(Kind::Length), gone, Left::Answer),
            ("garbage", QUOTE, acts(Kind::Garbage), gone, Left::Answer),
            ("a page", QUOTE, acts(Kind::Html), gone, Left::Answer),
            ("its own error", QUOTE, status(500, true), gone, Left::Answer),
            ("a refusal without a word in the mapping", QUOTE, status(400, false), gone, Left::Nothing),
            ("a refusal with one", QUOTE, status(409, false), None, Left::Nothing),
            ("200 with an error", QUOTE, of(Kind::Rc8), None, Left::Nothing),
            ("a line of text", QUOTE, of(Kind::Text), None, Left::Answer),
            ("200 with an error, without a word in the mapping", ORDER, of(Kind::Rc8), gone, Left::Answer),
        ];
        let mut seen = 0;
        for (what, path, fault, code, left) in rows {
            bed.arrange(fault);
            let body = if path == QUOTE { quote(what) } else { order(what, 1) };
            let started = Instant::now();
            let answer = bed.post(path, &body).await;
            assert!(started.elapsed() < Duration::from_secs(15), "{what} took {:?}", started.elapsed());
            match code {
                Some(code) => answer.assert_problem(what, 500, code),
                None => answer.assert_faults(
                    what,
                    &[("otherIssue", if what == "a refusal with one" { "/externalId" } else { "" })],
                ),
            }
            let journals = bed.unfinished().await;
            assert_eq!(journals.len(), seen + usize::from(left != Left::Nothing), "{what}: {journals:?}");
            if let Some(journal) = journals.last().filter(|_| left != Left::Nothing) {
                assert_eq!(journal[0].step, Step::Intent, "{what}: {journal:?}");
                let kept =
                    journal.iter().find(|entry| entry.step == Step::Answered && !entry.call.is_empty());
                assert_eq!(
                    kept.is_some_and(|entry| entry.reply.is_some()),
                    left == Left::Answer,
                    "{what}: {journal:?}"
                );
            }
            seen = journals.len();
            bed.assert_recovered(what).await;
        }
        let metrics = bed.admin("GET", "/metrics").await.text();
        for outcome in ["answer_timeout", "closed", "too_large"] {
            assert!(
                metrics.lines().any(|line| line.starts_with("segue_legacy") && line.contains(outcome)),
                "{outcome}: {metrics}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_but_good_answers_are_taken() {
    bounded(async {
        let bed = Bed::start().await;
        for kind in [Kind::Gzip, Kind::Drip, Kind::Late] {
            bed.arrange(Fault { pause_ms: 1, latency_ms: 20, ..Fault::of(kind) });
            let answer = bed.post(QUOTE, &quote(kind.name())).await;
            assert_eq!(
                (answer.status, answer.member("externalId")),
                (201, kind.name().to_owned()),
                "{answer:?}"
            );
        }
        assert!(bed.unfinished().await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_system_that_is_down_is_told_and_comes_back() {
    bounded(async {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let folders = Folders::new(&Setup::default()).await;
        let other = folders.bss.local_addr.to_string();
        folders.edit("config/backends/acme.yaml", &other, &address.to_string());
        let bed = Bed::on(folders).await;
        let answer = bed.post(QUOTE, &quote("down")).await;
        answer.assert_problem("down", 500, "internalError");
        assert!(answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
        assert!(bed.unfinished().await.is_empty(), "nothing was sent");
        let today = jiff::civil::date(2026, 10, 1);
        let running = bss::start(address, bss::Settings::on(today)).await.unwrap();
        bed.assert_recovered("down").await;
        assert_eq!(running.bss.journal().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deadline_ends_the_wait_and_forgets_nothing() {
    bounded(async {
        let bed = Bed::with(Setup { limits: "exchange_deadline_ms_max: 2000", ..Setup::default() }).await;
        bed.arrange(Fault { latency_ms: 20_000, ..Fault::of(Kind::Late) });
        let started = Instant::now();
        let answer = bed.post(QUOTE, &quote("deadline")).await;
        answer.assert_problem("deadline", 500, "internalError");
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
        let journals = bed.unfinished().await;
        assert_eq!((journals.len(), journals[0][0].step), (1, Step::Intent));
        bed.assert_recovered("the deadline").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_nothing_half_done() {
    bounded(async {
        let bed = Bed::start().await;
        bed.arrange(Fault { latency_ms: 300, ..Fault::of(Kind::Late) });
        let body = quote("gone").to_string();
        let mut caller = tokio::net::TcpStream::connect(bed.gateway.sonata_address()).await.unwrap();
        let head = format!(
            "POST {QUOTE} HTTP/1.1\r\nhost: x\r\n{}: {}\r\ncontent-length: {}\r\n\r\n{body}",
            JSON.0,
            JSON.1,
            body.len()
        );
        caller.write_all(head.as_bytes()).await.unwrap();
        until(async || bed.received().len() == 1).await;
        drop(caller);
        until(async || !bed.quotes().await.is_empty()).await;
        let kept = bed.quotes().await;
        assert_eq!(kept[0].legacy_id.as_ref().unwrap().as_str(), bed.received()[0].made[0]);
        assert!(bed.unfinished().await.is_empty());
        let again = bed.get(&format!("{QUOTE}/{}", kept[0].id)).await;
        assert_eq!((again.status, again.member("externalId")), (200, "gone".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_ordered_before_a_failure_is_taken_back() {
    bounded(async {
        let bed = Bed::with(Setup { timeouts: "answer_ms: 1500", ..Setup::default() }).await;
        let refusal = Fault { status: 400, path: "/orders/uni".into(), ..Fault::of(Kind::Status) };
        bed.arrange(Fault { skip: 1, ..refusal.clone() });
        bed.post(ORDER, &order("one of two", 2)).await.assert_problem("a refusal", 500, "internalError");
        let undone: Vec<_> =
            bed.received().into_iter().filter(|entry| entry.path.ends_with("/storno")).collect();
        assert_eq!((undone.len(), undone[0].status), (1, 200), "{undone:?}");
        assert!(bed.unfinished().await.is_empty(), "all was taken back");

        // Side by side: one is refused, of the other nobody knows. The refusal must not hide that.
        bed.arrange(refusal.clone());
        bed.arrange(Fault { latency_ms: 10_000, path: "/orders/uni".into(), ..Fault::of(Kind::Late) });
        bed.post(ORDER, &order("refused and late", 2)).await.assert_problem("both", 500, "internalError");
        assert_eq!(bed.unfinished().await.len(), 1);

        // Not taken back: what is left stays for attention, with its number.
        bed.arrange(Fault { skip: 1, ..refusal });
        bed.arrange(Fault { count: 1, status: 503, path: "/orders/O".into(), ..Fault::of(Kind::Status) });
        bed.arrange(Fault { count: 1, status: 503, path: "/orders/P".into(), ..Fault::of(Kind::Status) });
        bed.post(ORDER, &order("stuck", 2)).await.assert_problem("stuck", 500, "internalError");
        let journals = bed.unfinished().await;
        assert_eq!(journals.len(), 2, "{journals:?}");
        let kept = journals[1].iter().find(|entry| entry.step == Step::Answered).unwrap();
        let made = bed.received().into_iter().rfind(|entry| !entry.made.is_empty()).unwrap();
        assert!(String::from_utf8_lossy(kept.reply.as_ref().unwrap()).contains(&made.made[0]));
        let open = bed.admin("GET", "/attention").await.json();
        assert_eq!(open["total"], 2, "{open}");
        let stuck = &open["attention"][1];
        let answered = |call: &&serde_json::Value| call["step"] == "answered";
        assert_eq!(stuck["calls"].as_array().unwrap().iter().filter(answered).count(), 1, "{stuck}");
        assert!(stuck["why"].as_str().unwrap().contains("not taken back"), "{stuck}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_mapped_is_kept_and_mapped_when_it_can() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        let good = "item-state:\n  - { sonata: approved.orderable, legacy: [ A1, A2 ] }";
        let bad = "item-state:\n  - { sonata: approved.orderable, legacy: [ A2 ] }";
        folders.edit("mappings/tiny/codes.yaml", good, bad);
        let bed = Bed::on(folders).await;
        bed.post(QUOTE, &quote("kept")).await.assert_problem(
            "a state without counterpart",
            500,
            "internalError",
        );
        let kept = bed.quotes().await;
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].legacy_id.as_ref().unwrap().as_str(), bed.received()[0].made[0]);
        assert!(kept[0].legacy.is_some() && kept[0].document.is_none());
        assert_eq!(bed.unfinished().await.len(), 1);
        let path = format!("{QUOTE}/{}", kept[0].id);
        bed.get(&path).await.assert_problem("still without", 500, "internalError");

        bed.folders.edit("mappings/tiny/codes.yaml", bad, good);
        assert_eq!(bed.admin("POST", "/reload").await.status, 200);
        let answer = bed.get(&path).await;
        assert_eq!(
            (answer.status, answer.member("state")),
            (200, "approved.orderable".to_owned()),
            "{answer:?}"
        );
        assert_eq!(answer.json()["quoteItem"][0]["product"], json!(super::support::uni(1522)));
    })
    .await;
}
