//! A failure inside one exchange: 500 for that one, nothing for the others, and a log that names the place.

use std::{path::Path, sync::Arc};

use http::HeaderValue;
use segue::{
    exchange::{
        Gateway,
        ports::{Calling, Clock, Ids, LegacyPort, Ports},
        stack,
    },
    legacy::{BackendSettings, Backends, LegacyRequest},
    plan::{self, PlanHandle},
    server::{self, Listener},
    store::Store,
    telemetry::Metrics,
};
use serde_json::json;
use tokio::{sync::oneshot, time::Instant};

use super::support::{Bed, Folders, Http, JSON, QUOTE, Setup, bounded, capture, quote};

/// Line and column of a text in the mapping set, as the log names them.
fn place(file: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tiny").join(file);
    let content = std::fs::read_to_string(path).unwrap();
    let (line, found) = content.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
    format!("{file}:{}:{}", line + 1, found.find(text).unwrap() + 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_that_fails_or_runs_away_ends_its_own_exchange_only() {
    bounded(async {
        capture::install();
        let bed = Bed::start().await;
        let to = bed.gateway.sonata_address();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..24u32 {
            let client = bed.client.clone();
            let mut body = quote(&format!("s{number}"));
            let trial = ["well", "fail", "loop"][number as usize % 3];
            body["description"] = json!(trial);
            tasks.spawn(async move {
                let trace = format!("00-{:032x}-{:016x}-01", 0xfa11_0000 + number, 1);
                let headers = [JSON, ("traceparent", trace.as_str())];
                (number, client.send(to, "POST", QUOTE, &headers, body.to_string().into()).await)
            });
        }
        let rule = place("quote.yaml", "{ legacy: hdr.t");
        while let Some(done) = tasks.join_next().await {
            let (number, answer) = done.unwrap();
            if number % 3 == 0 {
                assert_eq!(answer.status, 201, "{answer:?}");
                continue;
            }
            answer.assert_problem("a failing script", 500, "internalError");
            assert!(!answer.text().contains("script") && !answer.text().contains("rhai"), "{answer:?}");
            let trace = format!("{:032x}", 0xfa11_0000 + number);
            let lines = capture::lines(&[&trace, "globex", "createQuote", "mappings/tiny/", &rule, "hdr.t"]);
            assert_eq!(lines.len(), 1, "{:?} {rule}", capture::lines(&[&trace]));
        }
        let metrics = bed.admin("GET", "/metrics").await.text();
        assert!(metrics.lines().any(|line| line.starts_with("segue_mapping_errors_total{")), "{metrics}");
        // What a script throws is for the Buyer.
        let mut body = quote("refused");
        body["description"] = json!("refuse");
        bed.post(QUOTE, &body)
            .await
            .assert_faults("a script that refuses", &[("invalidValue", "/description")]);
        assert_eq!(bed.received().len(), 8);
    })
    .await;
}

/// A way to the legacy system with a defect: it panics for some requests.
struct Defect(Backends);

impl LegacyPort for Defect {
    fn call<'c>(
        &'c self,
        backend: &'c BackendSettings,
        request: LegacyRequest,
        deadline: Instant,
    ) -> Calling<'c> {
        let body = request.body.clone().map(|(_, body)| body).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&body).contains("panic"), "a defect in the port");
        LegacyPort::call(&self.0, backend, request, deadline)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_its_own_exchange_only() {
    bounded(async {
        capture::install();
        let folders = Folders::new(&Setup::default()).await;
        let built = plan::load(&folders.config(), None);
        let metrics = Arc::new(Metrics::new().unwrap());
        let gateway = Arc::new(Gateway {
            plan: PlanHandle::new(built.plan.unwrap()),
            store: Store::memory().unwrap(),
            legacy: Arc::new(Defect(Backends::new(Arc::clone(&metrics)))),
            metrics: Arc::clone(&metrics),
            ports: Ports { clock: Clock::System, ids: Ids::Random },
            recorder: Arc::default(),
        });
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let to = listener.address();
        let (service, unfinished) = stack::sonata(gateway, 64);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server::serve(
            listener,
            service,
            async { drop(stopped.await) },
            server::Limits::default(),
        ));
        let client = Http::new();
        let trace = HeaderValue::from_static("00-0000000000000000000000000defec70-0000000000000001-01");
        for _ in 0..3 {
            let headers = [JSON, ("traceparent", trace.to_str().unwrap())];
            let body = quote("panic").to_string();
            let (bad, good) = tokio::join!(
                client.send(to, "POST", QUOTE, &headers, body.into()),
                client.send(to, "POST", QUOTE, &[JSON], quote("good").to_string().into()),
            );
            bad.assert_problem("a panic", 500, "internalError");
            assert!(!bad.text().contains("defect"), "{bad:?}");
            assert_eq!(good.status, 201, "{good:?}");
        }
        let operation = place("quote.yaml", "createQuote:").rsplit_once(':').unwrap().0.to_owned();
        let lines =
            capture::lines(&["0defec70", "globex", "createQuote", "a defect in the port", &operation]);
        assert_eq!(lines.len(), 3, "{operation}: {:?}", capture::lines(&["0defec70"]));
        assert!(metrics.render().contains("segue_in_flight 0\n"), "{}", metrics.render());
        drop(stop);
        served.await.unwrap();
        unfinished.done().await;
    })
    .await;
}
