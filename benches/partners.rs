//! What a thousand partners cost: memory, the start, a reload.
//!
//! `cargo bench --bench partners` writes a configuration of so many partners whose overlays all differ (three rules, one
//! of them a script, and one table each) over one mapping set of twenty operations, and runs the program on it: how
//! long it takes until it serves, what it holds, how long after a change of one overlay the new plan is live (seen by the
//! watch, from the end of its quiet time; and asked for, which looks at all files), and what a thousand reloads do to a
//! program under load. That is held against two controls: as many exchanges without a reload, and as many reloads without
//! an exchange. The first exchanges fill what is made on first use and kept (types, read pages of the database, pages of
//! the allocator); they are behind each run with exchanges when its reloads begin. `partners COUNT` takes another number
//! of partners, `--reloads N` another number of reloads, `--program PATH` another build, `--soak` does no more than the
//! reloads.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss
)]

mod reference;

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

const PARTNERS: usize = 1_000;
const RELOADS: usize = 1_000;
const EDITS: usize = 21;
const CONNECTIONS: usize = 4;
/// Exchanges before what is held is looked at.
const WARMING: usize = 20_000;
/// Quiet time of the watch, in milliseconds.
const DEBOUNCE_MS: u64 = 100;
/// How often each run says what the program holds.
const LINES: usize = 12;
/// Growth from the third quarter of the reloads to the last that counts as none, beyond that of as many exchanges alone, in
/// percent of what is held then.
const GROWTH_PERCENT_MAX: f64 = 3.0;
const START_SECONDS_MAX: u64 = 120;
/// Files of the demonstration's mapping set that make twenty operations.
const FILES: [&str; 7] =
    ["set.yaml", "codes.yaml", "common.yaml", "functions.rhai", "address.yaml", "quote.yaml", "order.yaml"];

type Http = Client<HttpConnector, Full<Bytes>>;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` must not run a load.
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let reloads = after("--reloads").and_then(|word| word.parse().ok()).unwrap_or(RELOADS);
    let first = words.first().filter(|word| !word.starts_with("--"));
    let partners = first.and_then(|word| word.parse().ok()).unwrap_or(PARTNERS);
    let built = after("--program").map_or(env!("CARGO_BIN_EXE_segue"), String::as_str);
    let only_soak = words.iter().any(|word| word == "--soak");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bed = Bed::new(partners, built);
        if !only_soak {
            start_and_edit(&bed, partners, &Bed::new(1, built)).await;
        }
        let both = bed.soak(partners, reloads, None).await;
        let exchanges = bed.soak(partners, 0, Some(both.exchanges)).await;
        bed.soak(partners, reloads, Some(0)).await;
        verdict(&both, &exchanges);
    });
}

/// How long a start takes, what is held then, and how soon a changed overlay is live.
async fn start_and_edit(bed: &Bed, partners: usize, alone: &Bed) {
    let (start, program) = alone.start().await;
    let alone_kib = program.resident_kib();
    println!("1 partner: {} ms to start, {alone_kib} KiB resident", start.as_millis());
    drop(program);
    let (start, program) = bed.start().await;
    let kib = program.resident_kib();
    let each = (kib - alone_kib) as f64 / (partners.max(2) - 1) as f64;
    println!("{partners} partners: {} ms to start", start.as_millis());
    println!("resident {:.1} MiB, {each:.1} KiB for each partner more", kib as f64 / 1024.0);
    program.edit_and_reload(bed).await;
    drop(program);
    bed.edit_and_watch().await;
}

/// A configuration on disk, and the legacy system of it: a process of its own, so that what it keeps is not counted.
struct Bed {
    folder: tempfile::TempDir,
    /// The program that is measured.
    built: PathBuf,
    bss: Child,
    sonata: SocketAddr,
    admin: SocketAddr,
}

impl Bed {
    fn new(partners: usize, built: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bss = free_address();
        let mut simulate = Command::new(built);
        simulate
            .args(["simulate", "bss", "--journal", "0", "--rows", "1000", "--address"])
            .arg(bss.to_string());
        let simulated = simulate.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (sonata, admin) = (free_address(), free_address());
        let bed = Self { folder, built: built.into(), bss: simulated, sonata, admin };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in FILES {
            let text = fs::read(root.join("mappings/acme").join(file)).unwrap();
            bed.write(&format!("mappings/acme/{file}"), &text);
        }
        let gateway = format!(
            "listeners:\n  sonata: {{ address: \"{}\" }}\n  admin: {{ address: \"{}\" }}\n  internal: {{ address: \"127.0.0.1:0\" }}\n\
             store: {{ embedded: ../data/segue.db }}\nmappings: ../mappings\nreload: {{ watch: false }}\n\
             telemetry: {{ log_level: warn }}\n",
            bed.sonata, bed.admin
        );
        bed.write("config/segue.yaml", gateway.as_bytes());
        // Without its interface file, which would find words of the functions left out missing.
        let backend = fs::read_to_string(root.join("config/backends/acme.yaml")).unwrap();
        let backend = backend.replace("\nopenapi:", "\n# openapi:");
        bed.write(
            "config/backends/acme.yaml",
            backend.replace("127.0.0.1:8081", &bss.to_string()).as_bytes(),
        );
        for number in 0..partners {
            bed.write(&format!("config/partners/{}.yaml", name(number)), settings(number).as_bytes());
            bed.overlay(number, 0);
        }
        bed
    }

    fn write(&self, path: &str, text: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn overlay(&self, number: usize, edition: usize) {
        let text = overlay(number, edition);
        self.write(&format!("mappings/partners/{}/acme.yaml", name(number)), text.as_bytes());
    }

    /// Starts the program; how long it took until it was ready.
    async fn start(&self) -> (Duration, Program) {
        let log = File::create(self.path("log")).unwrap();
        let begun = Instant::now();
        let mut command = Command::new(&self.built);
        command.arg("--config").arg(self.path("config")).arg("serve").stdout(Stdio::null()).stderr(log);
        let mut program = Program {
            child: command.spawn().unwrap(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            sonata: self.sonata,
            admin: self.admin,
        };
        while program.admin("GET", "/ready").await != Some(200) {
            let log = || fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(program.child.try_wait().unwrap().is_none(), "it ended: {}", log());
            assert!(begun.elapsed().as_secs() < START_SECONDS_MAX, "it does not serve: {}", log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (begun.elapsed(), program)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.bss.kill();
        let _ = self.bss.wait();
    }
}

fn name(number: usize) -> String {
    format!("partner{number:05}")
}

fn settings(number: usize) -> String {
    let name = name(number);
    format!(
        "partner: {name}\nidentify: {{ loopback: true }}\nside: seller\nbase_path: /{name}\n\
         release: {{ default: grace }}\nmapping: acme\nroutes: [ {{ backend: acme }} ]\n\
         settings: {{ account: \"{number}\", currency: EUR, desk: {{ name: D, emailAddress: d@s.example, number: \"1\" }} }}\n"
    )
}

/// Three rules, of which one has a script, and a table; no other partner has any of them.
fn overlay(number: usize, edition: usize) -> String {
    format!(
        "extends: acme\ncodes:\n  contact-role:\n    add: [ {{ sonata: role{number}, legacy: T }} ]\n\
         shapes:\n  quote:\n    - change: {{ legacy: hdr.channel, value: P{number}-{edition} }}\n\
         \x20   - change: {{ legacy: hdr.acct, script: \"facts.settings.account + \\\"-{number}\\\"\" }}\n\
         \x20 order-item:\n    - change: {{ legacy: hdr.channel, value: P{number} }}\n"
    )
}

/// The program while it runs.
struct Program {
    child: Child,
    client: Http,
    sonata: SocketAddr,
    admin: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    async fn admin(&self, method: &str, path: &str) -> Option<u16> {
        let request = Request::builder().method(method).uri(format!("http://{}{path}", self.admin));
        let answer = self.client.request(request.body(Full::default()).unwrap()).await.ok()?;
        let status = answer.status().as_u16();
        answer.into_body().collect().await.ok()?;
        Some(status)
    }

    fn resident_kib(&self) -> usize {
        self.status_kib("VmRSS:")
    }

    fn held(&self) -> String {
        let [all, anonymous] = ["VmRSS:", "RssAnon:"].map(|what| self.status_kib(what) as f64 / 1024.0);
        format!("{all:>6.1} MiB, of which {anonymous:.1} anonymous")
    }

    fn status_kib(&self, what: &str) -> usize {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// One overlay after the other is changed; the time from the end of the writing until the new plan is live.
    async fn edit_and_reload(&self, bed: &Bed) {
        let mut took_ms = Vec::new();
        for edition in 1..=EDITS {
            bed.overlay(0, edition);
            let begun = Instant::now();
            assert_eq!(self.admin("POST", "/reload").await, Some(200));
            took_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        took_ms.sort_by(f64::total_cmp);
        println!(
            "one overlay edited: live after {:.1} ms (median), {:.1} ms (longest)",
            took_ms[EDITS / 2],
            took_ms[EDITS - 1]
        );
    }
}

impl Bed {
    /// One overlay after the other is changed while the folders are watched; how long the program took after the quiet time,
    /// as its log says.
    async fn edit_and_watch(&self) {
        let gateway = fs::read_to_string(self.path("config/segue.yaml")).unwrap();
        let watching = gateway.replace("watch: false", &format!("debounce_ms: {DEBOUNCE_MS}"));
        self.write("config/segue.yaml", watching.replace("log_level: warn", "log_level: info").as_bytes());
        let (_, program) = self.start().await;
        // What was written last is trusted only after it was left alone; the start is behind that then.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut took_ms = Vec::new();
        for edition in 1..=EDITS {
            self.overlay(0, 1_000_000 + edition);
            let begun = Instant::now();
            while took_ms.len() < edition {
                assert!(begun.elapsed().as_secs() < START_SECONDS_MAX, "it is not reloaded");
                tokio::time::sleep(Duration::from_millis(20)).await;
                let log = fs::read_to_string(self.path("log")).unwrap();
                took_ms = log.lines().filter_map(took_us).map(|us| us / 1e3).collect();
            }
        }
        took_ms.sort_by(f64::total_cmp);
        println!(
            "one overlay edited, seen by the watch: live {:.1} ms after its quiet time (median), {:.1} ms (longest)",
            took_ms[took_ms.len() / 2],
            took_ms[took_ms.len() - 1]
        );
        drop(program);
        self.write("config/segue.yaml", gateway.as_bytes());
    }

    /// Starts the program anew, and has it do reloads and exchanges side by side: as many exchanges as there is time for
    /// where `exchanges` is none, else so many. Says what it holds on the way.
    async fn soak(&self, partners: usize, reloads: usize, exchanges: Option<usize>) -> Soak {
        let (_, program) = self.start().await;
        if exchanges != Some(0) {
            let warming = Traffic::start(&program, partners, Some(WARMING)).all().await;
            println!("{:>6} reloads, {:>8} exchanges before: {}", 0, warming.0, program.held());
        }
        let traffic = Traffic::start(&program, partners, exchanges);
        let mut soak = Soak { exchanges: 0, held_kib: vec![program.resident_kib()] };
        for line in 1..=LINES {
            if reloads == 0 {
                while traffic.done.load(Ordering::Relaxed) * LINES < exchanges.unwrap_or(0) * line {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            for edition in reloads * (line - 1) / LINES..reloads * line / LINES {
                self.overlay(edition % partners, EDITS + 1 + edition);
                assert_eq!(program.admin("POST", "/reload").await, Some(200));
            }
            soak.held_kib.push(program.resident_kib());
            println!(
                "{:>6} reloads, {:>8} exchanges: {}",
                reloads * line / LINES,
                traffic.done.load(Ordering::Relaxed),
                program.held(),
            );
        }
        let failed = traffic.end().await;
        soak.exchanges = failed.0;
        println!("{reloads} reloads beside {} exchanges, {} failed", failed.0, failed.1);
        soak
    }
}

/// What the program held, at the beginning and at each line.
struct Soak {
    exchanges: usize,
    held_kib: Vec<usize>,
}

impl Soak {
    /// How much more it held over the last quarter than over the one before, in KiB on average, and how much over the last:
    /// single lines are some percent apart without any reload.
    fn last_quarter(&self) -> (f64, f64) {
        let quarter = |from: usize| {
            let lines = &self.held_kib[1 + LINES * from / 4..=LINES * (from + 1) / 4];
            lines.iter().sum::<usize>() as f64 / lines.len() as f64
        };
        (quarter(3) - quarter(2), quarter(3))
    }
}

/// Whether reloads made the program grow, other than the exchanges beside them.
fn verdict(both: &Soak, exchanges: &Soak) {
    let ((grown, held), (alone, _)) = (both.last_quarter(), exchanges.last_quarter());
    let percent = (grown - alone.max(0.0)) / held * 100.0;
    let word = if percent <= GROWTH_PERCENT_MAX { "flat" } else { "NOT FLAT" };
    println!(
        "{word}: over the last quarter of the reloads {:.1} MiB more than over the third, {:.1} of as many exchanges alone \
         ({percent:.1} % of what it held)",
        grown / 1024.0,
        alone / 1024.0
    );
}

/// The microseconds that a line of the log tells.
fn took_us(line: &str) -> Option<f64> {
    let rest = line.split_once("took_us=")?.1;
    rest.split(' ').next()?.parse().ok()
}

/// Quotes of one partner after the other, on some connections.
struct Traffic {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Traffic {
    /// Goes on until it is ended, or until so many exchanges were begun.
    fn start(program: &Program, partners: usize, most: Option<usize>) -> Self {
        let (stop, done, failed, begun) = (Arc::default(), Arc::default(), Arc::default(), Arc::default());
        let mut traffic = Self { stop, done, failed, tasks: Vec::new() };
        let begun: Arc<AtomicUsize> = begun;
        for connection in 0..CONNECTIONS {
            let (client, sonata, begun) = (program.client.clone(), program.sonata, Arc::clone(&begun));
            let (stop, done, failed) =
                (Arc::clone(&traffic.stop), Arc::clone(&traffic.done), Arc::clone(&traffic.failed));
            traffic.tasks.push(tokio::spawn(async move {
                let body = Bytes::from(reference::request());
                let mut number = connection;
                let may = || most.is_none_or(|most| begun.fetch_add(1, Ordering::Relaxed) < most);
                while !stop.load(Ordering::Relaxed) && may() {
                    number = (number + 7) % partners;
                    let path = format!("/{}/mefApi/sonata/quoteManagement/v8/quote", name(number));
                    let request = Request::post(format!("http://{sonata}{path}"))
                        .header("content-type", "application/json;charset=utf-8")
                        .body(Full::new(body.clone()))
                        .unwrap();
                    let is_good = match client.request(request).await {
                        Ok(answer) => {
                            let created = answer.status().as_u16() == 201;
                            answer.into_body().collect().await.is_ok() && created
                        }
                        Err(_) => false,
                    };
                    done.fetch_add(1, Ordering::Relaxed);
                    failed.fetch_add(usize::from(!is_good), Ordering::Relaxed);
                }
            }));
        }
        traffic
    }

    /// How many exchanges there were, and how many of them failed.
    async fn end(self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        self.all().await
    }

    /// The same, of all that were to be made.
    async fn all(self) -> (usize, usize) {
        for task in self.tasks {
            task.await.unwrap();
        }
        (self.done.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

fn free_address() -> SocketAddr {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
