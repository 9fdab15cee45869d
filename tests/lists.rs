//! Lists against a legacy system that pages in each way, over real sockets: which pages are asked for, what is
//! answered, and what the headers say. Its rows are made when they are asked for, so that a list may be a million long.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::Barrier,
};

use super::support::{Answer, Bed, Folders, PRODUCT, Setup, bounded};

/// A legacy system with this many rows; what it was asked, and how many rows it gave in all.
#[derive(Clone)]
pub struct Double {
    rows: u64,
    /// What its numbers begin with.
    prefix: &'static str,
    /// How long it thinks, in milliseconds.
    late_ms: u64,
    pub address: SocketAddr,
    asked: Arc<Mutex<(Vec<String>, u64)>>,
    /// Answers when as many were asked as meet here.
    meets: Option<Arc<Barrier>>,
}

impl Double {
    pub async fn start(rows: u64) -> Self {
        Self::named("A", rows, 0).await
    }

    /// One whose rows have numbers that begin so, and which thinks for this long, in milliseconds.
    pub async fn named(prefix: &'static str, rows: u64, late_ms: u64) -> Self {
        Self::with(prefix, rows, late_ms, None).await
    }

    /// One that answers only when the others that meet here are asked as well.
    pub async fn meeting(prefix: &'static str, rows: u64, meets: &Arc<Barrier>) -> Self {
        Self::with(prefix, rows, 0, Some(Arc::clone(meets))).await
    }

    async fn with(prefix: &'static str, rows: u64, late_ms: u64, meets: Option<Arc<Barrier>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let double = Self { rows, prefix, late_ms, address, asked: Arc::default(), meets };
        let own = double.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().serve(stream));
            }
        });
        double
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        loop {
            let (mut first, mut line) = (String::new(), String::new());
            if stream.read_line(&mut first).await.unwrap_or(0) == 0 {
                return;
            }
            let mut body_bytes = 0;
            while stream.read_line(&mut line).await.unwrap_or(0) > 2 {
                let length = line.to_ascii_lowercase();
                if let Some(length) = length.strip_prefix("content-length:") {
                    body_bytes = length.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; body_bytes];
            stream.read_exact(&mut body).await.unwrap();
            let target = first.split(' ').nth(1).unwrap().to_owned();
            tokio::time::sleep(Duration::from_millis(self.late_ms)).await;
            if let Some(meets) = &self.meets {
                meets.wait().await;
            }
            let (link, body) = self.answer(&target);
            self.asked.lock().unwrap().0.push(target);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-all: {}\r\n{link}content-length: {}\r\n\r\n",
                self.rows,
                body.len()
            );
            if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// Headers and body for a target.
    fn answer(&self, target: &str) -> (String, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let number = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| *key == name).and_then(|(_, value)| value.parse::<u64>().ok())
        };
        let size = number("n").unwrap_or(100);
        let start = match path {
            "/page" => (number("p").unwrap() - 1) * size,
            "/capped" => (number("p").unwrap() - 1) * 50,
            "/offset" => number("skip").unwrap(),
            "/cursor" | "/link" => number("after").unwrap_or(0),
            _ => 0,
        };
        let size = match path {
            "/all" => self.rows,
            "/capped" => 50,
            _ => size,
        };
        let end = self.rows.min(start + size);
        // Those of the second system were made a second after those of the first.
        let later = u64::from(self.prefix != "A");
        let rows = (start..end).map(|no| {
            let second = (2 * no + later) % 3600;
            let made = format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60);
            json!({ "no": format!("{}{no}", self.prefix), "st": "active", "made": made })
        });
        let rows: Vec<_> = rows.collect();
        self.asked.lock().unwrap().1 += rows.len() as u64;
        let next = match path {
            // One element alone, as a program says it that knows no list of one.
            "/alone" => {
                return (String::new(), json!({ "items": { "no": "A0", "st": "active" } }).to_string());
            }
            "/circle" => Some(7),
            _ => (end < self.rows).then_some(end),
        };
        let link = match (path, next) {
            ("/link", Some(next)) => format!("link: </link?after={next}&n={size}>; rel=\"next\"\r\n"),
            ("/away", _) => "link: <http://127.0.0.1:1/link?after=1>; rel=next\r\n".to_owned(),
            _ => String::new(),
        };
        (link, json!({ "items": rows, "meta": { "count": self.rows, "next": next } }).to_string())
    }

    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap().0)
    }

    fn given(&self) -> u64 {
        std::mem::take(&mut self.asked.lock().unwrap().1)
    }
}

/// A gateway whose listProduct makes this call and pages so.
async fn bed(double: &Double, call: &str, paging: &str) -> Bed {
    let folders = folders(double, (call, paging), &Setup::default()).await;
    Bed::on(folders).await
}

/// Its folders.
pub async fn folders(double: &Double, (call, paging): (&str, &str), setup: &Setup) -> Folders {
    let folders = Folders::new(setup).await;
    let bss = folders.bss.local_addr.to_string();
    folders.edit("config/backends/acme.yaml", &bss, &double.address.to_string());
    // The double is no Acme.
    folders.edit("config/backends/acme.yaml", "openapi: openapi/acme.yaml\n", "");
    folders.edit("config/partners/globex.yaml", "mapping: tiny", "mapping: lists");
    folders.write("mappings/lists/set.yaml", "language: 1\nrelease: grace\nbackend: acme\n");
    let paging = if paging.is_empty() { String::new() } else { format!("    paging: {{ {paging} }}\n") };
    folders.write(
        "mappings/lists/inventory.yaml",
        &format!(
            "function: inventory\noperations:\n  listProduct:\n    call: GET {call}\n    request: {{ fields: [ {{ sonata: \
             \"query:productOfferingId\", legacy: \"query:art\" }} ] }}\n    answer: {{ each: \"items[*]\", legacy_id: no, \
             fields: [ {{ sonata: status, legacy: st }}, {{ sonata: externalId, legacy: no }} ] }}\n{paging}"
        ),
    );
    folders
}

/// Ids, total, number and throttling of an answer; the legacy ids stand in `externalId`.
pub fn told(answer: &Answer) -> (Vec<String>, Option<String>, String, String) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let rows = answer.json();
    let rows = rows.as_array().unwrap().iter().map(|row| row["externalId"].as_str().unwrap().to_owned());
    (
        rows.collect(),
        header("x-total-count"),
        header("x-result-count").unwrap(),
        header("x-pagination-throttled").unwrap(),
    )
}

struct Row {
    rows: u64,
    call: &'static str,
    paging: &'static str,
    query: &'static str,
    /// First row and how many.
    answer: (u64, u64),
    total: Option<u64>,
    throttled: bool,
    asked: &'static [&'static str],
}

const PAGE: &str = "page: p, size: n, total: $.meta.count";
const OFFSET: &str = "offset: skip, size: n, first: 0, total: $.meta.count";
const CURSOR: &str = "cursor: after, size: n, next: $.meta.next";
const MILLION: u64 = 1_000_000;

#[rustfmt::skip]
static ROWS: [Row; 20] = [
    // One page of the legacy list holds the window, or two; nothing before it is asked for.
    Row { rows: MILLION, call: "/page", paging: PAGE, query: "?offset=500000&limit=10", answer: (500_000, 10), total: Some(MILLION), throttled: false, asked: &["/page?p=5001&n=100"] },
    Row { rows: MILLION, call: "/page", paging: PAGE, query: "?offset=150&limit=100", answer: (150, 100), total: Some(MILLION), throttled: false, asked: &["/page?p=2&n=100", "/page?p=3&n=100"] },
    Row { rows: MILLION, call: "/page", paging: PAGE, query: "", answer: (0, 100), total: Some(MILLION), throttled: true, asked: &["/page?p=1&n=100"] },
    Row { rows: 250, call: "/page", paging: PAGE, query: "?offset=240&limit=100", answer: (240, 10), total: Some(250), throttled: false, asked: &["/page?p=3&n=100"] },
    Row { rows: 250, call: "/page", paging: PAGE, query: "?offset=900&limit=10", answer: (0, 0), total: Some(250), throttled: false, asked: &["/page?p=10&n=100"] },
    Row { rows: 250, call: "/page", paging: PAGE, query: "?limit=0", answer: (0, 0), total: Some(250), throttled: false, asked: &["/page?p=1&n=100"] },
    Row { rows: 50, call: "/page", paging: "page: p, size: n, items: 20", query: "?offset=15&limit=100", answer: (15, 35), total: Some(50), throttled: false, asked: &["/page?p=1&n=20", "/page?p=2&n=20", "/page?p=3&n=20"] },
    // No total is known: that there is more is told all the same.
    Row { rows: 50, call: "/page", paging: "page: p, size: n, items: 20", query: "?limit=20", answer: (0, 20), total: None, throttled: true, asked: &["/page?p=1&n=20"] },
    Row { rows: 50, call: "/capped", paging: PAGE, query: "?limit=80", answer: (0, 50), total: Some(50), throttled: false, asked: &["/capped?p=1&n=100"] },
    Row { rows: 120, call: "/capped", paging: PAGE, query: "?limit=80", answer: (0, 80), total: Some(120), throttled: false, asked: &["/capped?p=1&n=100", "/capped?p=2&n=100"] },
    Row { rows: MILLION, call: "/offset", paging: OFFSET, query: "?offset=999990&limit=100", answer: (999_990, 10), total: Some(MILLION), throttled: false, asked: &["/offset?skip=999990&n=100"] },
    Row { rows: MILLION, call: "/offset", paging: OFFSET, query: "?offset=7&limit=3", answer: (7, 3), total: Some(MILLION), throttled: false, asked: &["/offset?skip=7&n=3"] },
    Row { rows: 250, call: "/cursor", paging: CURSOR, query: "?offset=150&limit=20", answer: (150, 20), total: None, throttled: true, asked: &["/cursor?n=100", "/cursor?after=100&n=100"] },
    Row { rows: 250, call: "/cursor", paging: CURSOR, query: "?offset=240&limit=20", answer: (240, 10), total: Some(250), throttled: false, asked: &["/cursor?n=100", "/cursor?after=100&n=100", "/cursor?after=200&n=100"] },
    Row { rows: 150, call: "/link", paging: "link: next, total: \"header:x-all\"", query: "?offset=90&limit=20", answer: (90, 20), total: Some(150), throttled: false, asked: &["/link", "/link?after=100&n=100"] },
    Row { rows: 150, call: "/link", paging: "link: next, size: n", query: "?offset=140", answer: (140, 10), total: Some(150), throttled: false, asked: &["/link?n=100", "/link?after=100&n=100"] },
    Row { rows: 150, call: "/all", paging: "", query: "?offset=120&limit=20", answer: (120, 20), total: Some(150), throttled: false, asked: &["/all"] },
    Row { rows: 150, call: "/all", paging: "", query: "", answer: (0, 100), total: Some(150), throttled: true, asked: &["/all"] },
    // A filter that the legacy system settles is sent; one that is settled here is not, and everything is read.
    Row { rows: 250, call: "/page", paging: PAGE, query: "?productOfferingId=x&limit=1", answer: (0, 1), total: Some(250), throttled: false, asked: &["/page?art=x&p=1&n=100"] },
    Row { rows: 250, call: "/page", paging: PAGE, query: "?status=active&offset=1&limit=2", answer: (1, 2), total: Some(250), throttled: false, asked: &["/page?p=1&n=100", "/page?p=2&n=100", "/page?p=3&n=100"] },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_paging_answers_the_buyers_window() {
    bounded(async {
        for row in &ROWS {
            let double = Double::start(row.rows).await;
            let bed = bed(&double, row.call, row.paging).await;
            let answer = told(&bed.get(&format!("{PRODUCT}{}", row.query)).await);
            let (first, count) = row.answer;
            let rows: Vec<String> = (first..first + count).map(|no| format!("A{no}")).collect();
            let total = row.total.map(|total| total.to_string());
            let what = format!("{} {} {}", row.call, row.paging, row.query);
            assert_eq!(answer, (rows, total, count.to_string(), row.throttled.to_string()), "{what}");
            assert_eq!(double.asked(), row.asked, "{what}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_never_ends_or_leads_away_is_an_error() {
    bounded(async {
        for (call, paging, query, calls) in [
            ("/same", "page: p, size: n", "?status=active", 2),
            ("/circle", CURSOR, "?status=active", 2),
            ("/away", "link: next", "?status=active", 1),
            ("/capped", PAGE, "?offset=200", 1),
            ("/alone", "", "", 1),
        ] {
            let double = Double::start(1000).await;
            let bed = bed(&double, call, paging).await;
            let answer = bed.get(&format!("{PRODUCT}{query}")).await;
            answer.assert_problem(call, 500, "internalError");
            assert_eq!(double.asked().len(), calls, "{call}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_entities_are_read_within_bounds_and_ids_are_kept_of_what_is_answered() {
    bounded(async {
        let double = Double::start(MILLION).await;
        let bed = bed(&double, "/page", PAGE).await;
        // A filter that only we can apply: as many pages as an exchange may ask for.
        let (rows, total, count, throttled) =
            told(&bed.get(&format!("{PRODUCT}?status=active&limit=5")).await);
        assert_eq!((rows.len(), total, count.as_str(), throttled.as_str()), (5, None, "5", "true"));
        assert_eq!((double.asked().len(), double.given()), (200, 20_000));

        let url = format!("{PRODUCT}?offset=700000&limit=5");
        let (first, second) = (bed.get(&url).await, bed.get(&url).await);
        assert_eq!(first.ids(), second.ids(), "an id was not kept");
        assert_eq!((double.asked().len(), double.given()), (2, 200));
        bed.get(&format!("{PRODUCT}?billingAccountId=x")).await.assert_problem(
            "neither",
            400,
            "invalidQuery",
        );
        assert_eq!(double.asked().len(), 0);
    })
    .await;
}
