//! What the program holds in memory, and what a quote costs it in instructions, beside other builds of it.
//!
//! `cargo bench --bench memory` starts the program on the demonstration, and tells what it holds once it is ready and
//! after two thousand quotes. `cargo bench --bench memory -- FOLDER PROGRAM…` takes configuration and mappings of
//! another folder, such as the work tree of an older commit, and measures other builds on them as well, so that all do
//! the same. `--instructions` counts them with valgrind, from socket to socket and of all threads. Nothing below the
//! folder is written.
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
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const QUOTES: usize = 2_000;
/// Quotes before instructions are counted, and those that are.
const COUNTED: (usize, usize) = (50, 200);
const RUNS: usize = 5;
/// Until what was put off is done: a start reads its files once more, and freed memory is given back after a while.
const REST: Duration = Duration::from_millis(1_500);
/// Whether it serves.
const READY: &str = "GET /ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const START_MAX: Duration = Duration::from_mins(2);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` must not run a load.
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let counts = words.iter().any(|word| word == "--instructions");
    let mut paths = words.iter().filter(|word| !word.starts_with("--")).map(PathBuf::from);
    let folder = paths.next().unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).canonicalize().unwrap();
    let own = PathBuf::from(env!("CARGO_BIN_EXE_segue"));
    let bss = free_address();
    let mut simulate = Command::new(&own);
    simulate.args(["simulate", "bss", "--journal", "0", "--rows", "1000", "--address"]).arg(bss.to_string());
    let _bss = Ended(simulate.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    while TcpStream::connect(bss).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    for program in std::iter::once(own).chain(paths) {
        let bed = Bed { folder: &folder, program: &program, bss };
        println!("{}", program.display());
        if counts {
            bed.count();
        } else {
            bed.weigh();
        }
    }
}

/// A program and what it is to serve.
struct Bed<'b> {
    folder: &'b Path,
    program: &'b Path,
    bss: SocketAddr,
}

impl Bed<'_> {
    /// Medians of several runs, as the allocator's arenas differ from one to the next.
    fn weigh(&self) {
        let mut rows: [Vec<f64>; 4] = Default::default();
        for _ in 0..RUNS {
            let served = self.start(Command::new(self.program));
            std::thread::sleep(REST);
            let start = served.memory_mib();
            served.quote(QUOTES);
            std::thread::sleep(REST);
            let loaded = served.memory_mib();
            for (row, value) in rows.iter_mut().zip([start.0, start.1, loaded.0, loaded.1]) {
                row.push(value);
            }
        }
        let [start, start_own, loaded, loaded_own] = rows.map(|mut row| {
            row.sort_by(f64::total_cmp);
            row[row.len() / 2]
        });
        println!("  at the start       {start:6.1} MiB resident, {start_own:6.1} MiB anonymous");
        println!("  after {QUOTES} quotes  {loaded:6.1} MiB resident, {loaded_own:6.1} MiB anonymous");
    }

    /// The same start and end for both runs: what they differ by is the quotes.
    fn count(&self) {
        let of = |quotes: usize| {
            let mut command = Command::new("valgrind");
            command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(self.program);
            let served = self.start(command);
            served.quote(quotes);
            std::thread::sleep(REST);
            served.stop_and_read_count()
        };
        let (few, many) = (of(COUNTED.0), of(COUNTED.0 + COUNTED.1));
        println!("  {:.0} instructions a quote", (many - few) / COUNTED.1 as f64);
    }

    /// The program on the folder's configuration with addresses and a store of its own, ready.
    fn start(&self, mut command: Command) -> Served {
        let place = tempfile::tempdir().unwrap();
        let (sonata, admin) = (free_address(), free_address());
        let config = place.path().join("config");
        copy_folder(&self.folder.join("config"), &config);
        let gateway = format!(
            "listeners:\n  sonata: {{ address: \"{sonata}\" }}\n  admin: {{ address: \"{admin}\" }}\n\
             store: {{ embedded: \"{}/segue.db\" }}\nmappings: \"{}\"\n\
             telemetry: {{ log_level: info, log_format: json }}\n",
            place.path().display(),
            self.folder.join("mappings").display(),
        );
        fs::write(config.join("segue.yaml"), gateway).unwrap();
        for backend in fs::read_dir(config.join("backends")).unwrap() {
            let path = backend.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replace("127.0.0.1:8081", &self.bss.to_string())).unwrap();
        }
        let log = place.path().join("log");
        command.arg("--config").arg(&config).arg("serve");
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut served = Served { child: Ended(child), sonata, log, _place: place };
        let started = Instant::now();
        while exchange(admin, READY) != Some(200) {
            let ended = served.child.0.try_wait().unwrap();
            let is_late = started.elapsed() > START_MAX;
            assert!(ended.is_none() && !is_late, "{}", fs::read_to_string(&served.log).unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
        served
    }
}

/// A program that serves.
struct Served {
    child: Ended,
    sonata: SocketAddr,
    log: PathBuf,
    _place: tempfile::TempDir,
}

impl Served {
    fn quote(&self, times: usize) {
        let body = reference::request();
        let request = format!(
            "POST /mefApi/sonata/quoteManagement/v8/quote HTTP/1.1\r\nhost: a\r\n\
             content-type: application/json;charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.sonata).unwrap();
        stream.set_nodelay(true).unwrap();
        for _ in 0..times {
            assert_eq!(sent(&mut stream, &request), Some(201));
        }
    }

    /// All that is resident, and the part of it that is the program's own.
    fn memory_mib(&self) -> (f64, f64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).unwrap();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<f64>().unwrap()
        };
        (kib("VmRSS:") / 1024.0, kib("RssAnon:") / 1024.0)
    }

    /// What valgrind says at the end.
    fn stop_and_read_count(mut self) -> f64 {
        Command::new("kill").arg(self.child.0.id().to_string()).status().unwrap();
        self.child.0.wait().unwrap();
        let log = fs::read_to_string(&self.log).unwrap();
        let line = log.lines().find_map(|line| line.split("Collected : ").nth(1)).unwrap();
        line.trim().parse().unwrap()
    }
}

/// Ended with this bench.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The status of one exchange on a connection of its own; none if nobody answers.
fn exchange(address: SocketAddr, request: &str) -> Option<u16> {
    sent(&mut TcpStream::connect(address).ok()?, request)
}

/// Sends a request and reads its answer whole, which must tell its length.
fn sent(stream: &mut TcpStream, request: &str) -> Option<u16> {
    stream.write_all(request.as_bytes()).ok()?;
    let (mut answer, mut part) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        answer.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length: usize = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
        if body.len() >= length {
            return head.split(' ').nth(1)?.parse().ok();
        }
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
