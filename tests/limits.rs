//! Limits of callers: how many, how slow, how long; and what many at once must not mix up.

use std::{collections::BTreeSet, time::Duration};

use segue::simulate::bss::fault::{Fault, Kind};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

use super::support::{Bed, JSON, QUOTE, Setup, bounded, quote, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_exchange_more_than_allowed_is_refused_at_once() {
    bounded(async {
        let bed = Bed::with(Setup { limits: "in_flight_max: 2", ..Setup::default() }).await;
        let to = bed.gateway.sonata_address();
        bed.arrange(Fault { latency_ms: 6000, count: 2, ..Fault::of(Kind::Late) });
        let mut slow = JoinSet::new();
        for number in 0..2 {
            let client = bed.client.clone();
            let body = quote(&format!("slow{number}")).to_string();
            slow.spawn(async move { client.send(to, "POST", QUOTE, &[JSON], body.into()).await });
        }
        until(async || bed.received().len() == 2).await;
        let started = Instant::now();
        let answer = bed.post(QUOTE, &quote("one more")).await;
        answer.assert_problem("one more", 403, "tooManyUsers");
        assert!(started.elapsed() < Duration::from_secs(5), "not at once: {:?}", started.elapsed());
        while let Some(done) = slow.join_next().await {
            assert_eq!(done.unwrap().status, 201);
        }
        bed.assert_recovered("overload").await;
    })
    .await;
}

/// Writes the pieces with a pause between them and reads until the other side closes. How long that took.
async fn slowly(bed: &Bed, pieces: Vec<Vec<u8>>, pause: Duration) -> (Duration, Vec<u8>) {
    let mut stream = TcpStream::connect(bed.gateway.sonata_address()).await.unwrap();
    let started = Instant::now();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let writing = async {
        for piece in pieces {
            if write.write_all(&piece).await.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = writing => {}
        // A reset is an end as well.
        _ = read.read_to_end(&mut answer) => {}
    }
    (started.elapsed(), answer)
}

fn head(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_senders_are_cut_off() {
    bounded(async {
        let limits = "header_read_ms_max: 300, body_read_ms_max: 400";
        let bed = Bed::with(Setup { limits, ..Setup::default() }).await;
        let body = quote("slow").to_string();
        let start = head(QUOTE, body.len());
        let by_bytes = |text: &str| text.bytes().map(|byte| vec![byte]).collect::<Vec<_>>();
        let pause = Duration::from_millis(50);

        let (took, answer) = slowly(&bed, by_bytes(&start), pause).await;
        assert!(took < Duration::from_secs(5) && !answer.starts_with(b"HTTP/1.1 2"), "{took:?}");

        let mut pieces = vec![format!("{start}\r\n").into_bytes()];
        pieces.extend(by_bytes(&body));
        let (took, answer) = slowly(&bed, pieces, pause).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalidBody"), "{answer}");
        assert!(bed.received().is_empty());
        bed.assert_recovered("slow senders").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_more_than_is_read_is_told_that_the_connection_ends() {
    bounded(async {
        let bed = Bed::start().await;
        let small = QUOTE.replace("/quote", "/quotes");
        for (path, length, ends) in
            [(small.as_str(), 50_000_000, true), (QUOTE, 50_000_000, true), (&small, 10, false)]
        {
            let mut stream = TcpStream::connect(bed.gateway.sonata_address()).await.unwrap();
            stream.write_all(format!("{}\r\n", head(path, length)).as_bytes()).await.unwrap();
            let sent = vec![b'x'; length.min(20 << 20)];
            // The gateway stops reading at some point; what was sent by then does not matter.
            let _ = tokio::time::timeout(Duration::from_secs(5), stream.write_all(&sent)).await;
            let mut answer = vec![0; 300];
            let read = stream.read(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
            assert!(answer.starts_with("http/1.1 40"), "{path}: {answer}");
            assert_eq!(answer.contains("connection: close"), ends, "{path} {length}: {answer}");
        }
        bed.assert_recovered("huge bodies").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_is_cut_off() {
    bounded(async {
        let bed = Bed::with(Setup { limits: "answer_write_ms_max: 300", ..Setup::default() }).await;
        let mut large = quote("large");
        let note = json!({ "id": "1", "author": "a", "date": "2026-10-01T00:00:00Z", "source": "buyer", "text": "x".repeat(200_000) });
        large["note"] = json!([note, note, note, note]);
        let body = large.to_string();
        // The answer echoes the note. Many at once fill what the kernel buffers, and nobody reads.
        let request = format!("{}\r\n{body}", head(QUOTE, body.len()));
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(bed.gateway.sonata_address()).await.unwrap();
        let (read, mut write) = stream.into_split();
        let started = Instant::now();
        let ended = async {
            while write.write_all(request.as_bytes()).await.is_ok() {}
        };
        ended.await;
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
        drop(read);
        bed.assert_recovered("a slow reader").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creates_side_by_side_do_not_mix() {
    bounded(async {
        let bed = Bed::start().await;
        let to = bed.gateway.sonata_address();
        let mut all = JoinSet::new();
        for number in 0..64 {
            let client = bed.client.clone();
            let name = format!("n{number}");
            all.spawn(async move {
                let body = quote(&name).to_string();
                (name, client.send(to, "POST", QUOTE, &[JSON], body.into()).await)
            });
        }
        let mut ids = BTreeSet::new();
        while let Some(done) = all.join_next().await {
            let (name, answer) = done.unwrap();
            assert_eq!((answer.status, answer.member("externalId")), (201, name), "{answer:?}");
            assert!(ids.insert(answer.member("id")), "an id twice");
        }
        let made: BTreeSet<String> = bed.received().into_iter().flat_map(|entry| entry.made).collect();
        assert_eq!((ids.len(), made.len(), bed.received().len()), (64, 64, 64));
        let list = bed.get(&format!("{QUOTE}?limit=100")).await;
        let listed: BTreeSet<String> = list.ids().into_iter().collect();
        assert_eq!(listed, ids);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_and_plan_tell_no_secrets() {
    bounded(async {
        let bed = Bed::start().await;
        let id = bed.post(QUOTE, &quote("counted")).await.member("id");
        bed.get(&format!("{QUOTE}/{id}")).await;
        bed.get(&format!("{QUOTE}/nothing-there?color=red")).await;
        assert_eq!(bed.admin("POST", "/reload").await.status, 200);
        let metrics = bed.admin("GET", "/metrics").await.text();
        for family in [
            "segue_exchanges_total",
            "segue_exchange_duration_seconds",
            "segue_partner_exchanges_total",
            "segue_legacy_calls_total",
            "segue_plan_generation",
            "segue_reloads_total",
            "segue_store",
        ] {
            assert!(metrics.lines().any(|line| line.starts_with(family)), "{family}: {metrics}");
        }
        assert!(metrics.contains("operation=\"createQuote\""), "{metrics}");
        for secret in [id.as_str(), "nothing-there", "http:", "/mefApi", "127.0.0.1", "counted"] {
            let told =
                metrics.lines().filter(|line| !line.starts_with('#')).find(|line| line.contains(secret));
            assert_eq!(told, None, "{secret}");
        }
        let plan = bed.admin("GET", "/plan").await.json();
        assert_eq!(plan["generation"], 2);
        let operations = plan["partners"][0]["operations"].as_array().unwrap();
        let served = |name: &str| {
            operations.iter().find(|one| one["operationId"] == name).map(|one| one["served"].clone())
        };
        assert_eq!(served("createQuote"), Some(json!("legacy")));
        assert_eq!(served("rejectQuote"), Some(json!("unmapped")));
        assert_eq!(bed.admin("GET", "/reload").await.status, 405);
        assert_eq!(bed.admin("GET", "/none").await.status, 404);
    })
    .await;
}
