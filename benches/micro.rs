//! What each step of an exchange costs by itself, on the reference exchange of `benches/reference`.
//!
//! `cargo bench --bench micro` times them, `serde_json` beside them in the same run. Wall clocks differ from
//! machine to machine: compare ratios. `benches/instructions.sh` counts instructions instead, through
//! `--count STEP TIMES`, which runs one step that many times and nothing else.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod reference;

use std::{hint::black_box, path::Path, sync::Arc};

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use http::{Request, StatusCode};
use http_body_util::Full;
use segue::{
    custody,
    exchange::{
        Gateway,
        ports::{Calling, Clock, Ids, LegacyPort, Ports},
        seller,
    },
    json::{Builder, Document, Limits, Node, Slot},
    legacy::{BackendSettings, LegacyReply, LegacyRequest},
    mapping::{
        apply::{Input, References, apply},
        operation::{Answer, OperationProgram},
        value::Value,
    },
    plan::{PartnerPlan, Plan, PlanHandle, Served, load},
    server::{Credential, PeerIdentity},
    sonata::{
        Contract, Function, Operation, Options, Products,
        check::{Accepted, check},
    },
    store::Store,
    telemetry::Metrics,
};

/// A step under measurement: its name and what it does once.
type Step<'i> = (&'static str, Box<dyn Fn() + 'i>);

fn main() {
    let bench = Bench::new();
    let mut steps = documents(&bench);
    steps.extend(mapping(&bench));
    steps.push(("exchange", Box::new(|| bench.exchange())));
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--count") {
        count(&steps, &arguments[at + 1..]);
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("reference");
    group.throughput(Throughput::Bytes(bench.request.len() as u64));
    for (name, step) in &steps {
        group.bench_function(*name, |bencher| bencher.iter(step));
    }
    group.finish();
    criterion.final_summary();
}

/// `STEP TIMES`
fn count(steps: &[Step<'_>], arguments: &[String]) {
    let [name, times] = arguments else { panic!("--count STEP TIMES") };
    let (_, step) = steps.iter().find(|(known, _)| known == name).unwrap();
    for _ in 0..times.parse::<usize>().unwrap() {
        step();
    }
}

/// What all steps work on.
struct Bench {
    request: String,
    received: Document,
    replied: Document,
    value: serde_json::Value,
    partner: Arc<PartnerPlan>,
    program: Arc<OperationProgram>,
    operation: (&'static Contract, &'static Operation),
    references: References,
    gateway: Gateway,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Self {
        let request = reference::request();
        let plan = plan();
        let partner = Arc::clone(plan.partner("globex").unwrap());
        let Served::Mapped(mapped) = partner.served(Function::QUOTE, "createQuote") else { panic!() };
        let program = Arc::clone(&mapped.program);
        let contract =
            segue::sonata::catalogue().contract(partner.release(Function::QUOTE), Function::QUOTE).unwrap();
        let operation = contract.operations.iter().find(|one| one.operation_id == "createQuote").unwrap();
        let legacy = Canned(LegacyReply::new(
            StatusCode::OK,
            [(http::header::CONTENT_TYPE, "application/json".parse().unwrap())].into_iter().collect(),
            reference::answer().into(),
        ));
        let gateway = Gateway {
            plan: PlanHandle::new(plan),
            store: Store::memory().unwrap(),
            legacy: Arc::new(legacy),
            metrics: Arc::new(Metrics::new().unwrap()),
            ports: Ports { clock: Clock::System, ids: Ids::Random },
            recorder: Arc::default(),
        };
        Self {
            received: Document::from_text(&request).unwrap(),
            replied: Document::from_text(&reference::answer()).unwrap(),
            value: serde_json::from_str(&request).unwrap(),
            request,
            partner,
            program,
            operation: (contract, operation),
            references: References::new(),
            gateway,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    /// One exchange without sockets: the store is in memory, the BSS answers at once.
    fn exchange(&self) {
        let mut request = Request::post("/mefApi/sonata/quoteManagement/v8/quote")
            .header("content-type", "application/json;charset=utf-8")
            .body(Full::new(Bytes::copy_from_slice(self.request.as_bytes())))
            .unwrap();
        let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let peer = PeerIdentity { address: loopback, listener: loopback, credential: Credential::None };
        request.extensions_mut().insert(peer);
        let answer = self.runtime.block_on(seller::exchange(&self.gateway, request));
        assert_eq!(answer.status(), StatusCode::CREATED);
    }

    fn products(&self) -> &Products {
        self.partner.products(Function::QUOTE).unwrap()
    }

    fn facts(&self) -> Value<'_> {
        Value::Object(vec![("settings".into(), Value::Node(self.partner.settings().settings.root()))])
    }
}

/// The demonstration's plan.
fn plan() -> Plan {
    let built = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"), None);
    assert!(built.plan.is_some(), "{}", built.diagnostics.render_text(&built.sources));
    built.plan.unwrap()
}

/// A BSS that always says the same.
struct Canned(LegacyReply);

impl LegacyPort for Canned {
    fn call<'c>(&'c self, _: &'c BackendSettings, _: LegacyRequest, _: tokio::time::Instant) -> Calling<'c> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// Reading and writing documents.
fn documents(bench: &Bench) -> Vec<Step<'_>> {
    let limits = Limits::default();
    vec![
        (
            "parse",
            Box::new(move || {
                black_box(Document::parse(black_box(&bench.request).as_bytes().to_vec(), &limits).unwrap());
            }),
        ),
        (
            "parse-serde_json",
            Box::new(|| {
                let text = black_box(&bench.request);
                black_box(serde_json::from_slice::<serde_json::Value>(text.as_bytes()).unwrap());
            }),
        ),
        (
            "write-copied",
            Box::new(|| {
                let mut builder = Builder::new();
                let root = builder.copy(black_box(&bench.received).root());
                builder.get(root, "quoteItem");
                black_box(builder.finish(root));
            }),
        ),
        (
            "write-built",
            Box::new(|| {
                let mut builder = Builder::new();
                let root = rebuild(&mut builder, black_box(&bench.received).root());
                black_box(builder.finish(root));
            }),
        ),
        (
            "write-serde_json",
            Box::new(|| {
                black_box(serde_json::to_vec(black_box(&bench.value)).unwrap());
            }),
        ),
    ]
}

fn rebuild<'d>(builder: &mut Builder<'d>, node: Node<'d>) -> Slot {
    if node.is_object() {
        let object = builder.object();
        for (name, member) in node.members() {
            let value = rebuild(builder, member);
            builder.set(object, name, value);
        }
        object
    } else if node.is_array() {
        let array = builder.array();
        for element in node.elements() {
            let value = rebuild(builder, element);
            builder.push(array, value);
        }
        array
    } else if let Some(text) = node.as_str() {
        builder.string(text)
    } else {
        builder.copy(node)
    }
}

/// What an exchange does with documents, step by step.
fn mapping(bench: &Bench) -> Vec<Step<'_>> {
    let facts = bench.facts();
    let facts_back = bench.facts();
    let request_program = bench.program.calls[0].request.as_ref().unwrap();
    let Answer::Reply(answer_program) = &bench.program.answer else { panic!() };
    let checked = move |document: &Document, ty, accepted: Option<Accepted<'_>>| {
        let options = Options { accepted, ..Options::new(bench.products()) };
        black_box(check(black_box(document).root(), bench.operation.0, ty, &options));
    };
    let back = move || {
        let input = Input::new(Some(black_box(&bench.replied).root()), &facts_back, &bench.references);
        let applied = apply(answer_program, &input);
        applied.unwrap().body.unwrap()
    };
    let mapped = back();
    let complete = move |mapped: &Document| {
        custody::complete(&custody::Completing {
            is_part: false,
            kind: segue::sonata::entity::EntityKind::Quote,
            request: Some(&bench.received),
            mapped: Some(mapped),
            kept: None,
            id: "0198f7a0-0000-7000-8000-000000000000",
            href: Some("http://127.0.0.1:8080/mefApi/sonata/quoteManagement/v8/quote/0198f7a0"),
            now: "2026-11-21T08:00:00.000Z",
            seller: None,
            echo_off: &[],
        })
    };
    let completed = complete(&mapped).document;
    let create = bench.operation.1.request.unwrap();
    // As in an exchange: what passed in the request is not checked again where the answer repeats it.
    let passed =
        check(bench.received.root(), bench.operation.0, create, &Options::new(bench.products())).passed;
    let answered = bench.operation.1.success_body().unwrap().value;
    vec![
        ("check-request", Box::new(move || checked(&bench.received, create, None))),
        (
            "apply-request",
            Box::new(move || {
                let root = black_box(&bench.received).root();
                let input = Input::new(Some(root), &facts, &bench.references);
                black_box(apply(request_program, &input).unwrap());
            }),
        ),
        (
            "apply-answer",
            Box::new(move || {
                black_box(back());
            }),
        ),
        (
            "complete-answer",
            Box::new(move || {
                black_box(complete(black_box(&mapped)));
            }),
        ),
        (
            "check-answer",
            Box::new(move || {
                let accepted = Accepted { document: &bench.received, passed: &passed };
                checked(&completed, answered, Some(accepted));
            }),
        ),
    ]
}
