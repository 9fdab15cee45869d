//! What a thousand partners cost: memory, the start, a reload.
//!
//! `cargo bench --bench partners` writes a configuration of so many partners whose overlays all differ (three rules, one
//! of them a script, and one table each) over one mapping set of twenty operations, and runs the program on it: how
//! long it takes until it serves, what it holds, how long after a change of one overlay the new plan is live, and what a
//! thousand reloads do to a program under load. `partners COUNT` takes another number of partners.
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
    let partners = words.iter().find_map(|word| word.parse().ok()).unwrap_or(PARTNERS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let alone = Bed::new(1);
        let (start, program) = alone.start().await;
        let alone_kib = program.resident_kib();
        println!("1 partner: {} ms to start, {alone_kib} KiB resident", start.as_millis());
        drop(program);
        let bed = Bed::new(partners);
        let (start, program) = bed.start().await;
        let kib = program.resident_kib();
        let each = (kib - alone_kib) as f64 / (partners.max(2) - 1) as f64;
        println!("{partners} partners: {} ms to start", start.as_millis());
        println!("resident {:.1} MiB, {each:.1} KiB for each partner more", kib as f64 / 1024.0);
        program.edit_and_reload(&bed).await;
        program.reload_under_load(&bed, partners).await;
    });
}

/// A configuration on disk, and the legacy system of it: a process of its own, so that what it keeps is not counted.
struct Bed {
    folder: tempfile::TempDir,
    bss: Child,
    sonata: SocketAddr,
    admin: SocketAddr,
}

impl Bed {
    fn new(partners: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bss = free_address();
        let mut simulate = Command::new(env!("CARGO_BIN_EXE_segue"));
        simulate
            .args(["simulate", "bss", "--journal", "0", "--rows", "1000", "--address"])
            .arg(bss.to_string());
        let simulated = simulate.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let bed = Self { folder, bss: simulated, sonata: free_address(), admin: free_address() };
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
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
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
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

    async fn reload_under_load(&self, bed: &Bed, partners: usize) {
        let (stop, done, failed) =
            (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = Vec::new();
        for connection in 0..CONNECTIONS {
            let (client, sonata) = (self.client.clone(), self.sonata);
            let (stop, done, failed) = (Arc::clone(&stop), Arc::clone(&done), Arc::clone(&failed));
            tasks.push(tokio::spawn(async move {
                let body = Bytes::from(reference::request());
                let mut number = connection;
                while !stop.load(Ordering::Relaxed) {
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
        let before = self.resident_kib();
        let mut samples = Vec::new();
        for edition in 0..RELOADS {
            bed.overlay(edition % partners, EDITS + 1 + edition);
            assert_eq!(self.admin("POST", "/reload").await, Some(200));
            if edition % (RELOADS / 10) == RELOADS / 10 - 1 {
                samples.push(self.resident_kib() / 1024);
            }
        }
        stop.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.unwrap();
        }
        println!(
            "{RELOADS} reloads under load: {} exchanges, {} failed; resident {} MiB before, then {samples:?}",
            done.load(Ordering::Relaxed),
            failed.load(Ordering::Relaxed),
            before / 1024,
        );
    }
}

fn free_address() -> SocketAddr {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
