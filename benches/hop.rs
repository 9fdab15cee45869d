//! What mediation costs beside a bare pass-through, in one run on loopback.
//!
//! `cargo bench --bench hop` starts, each as its own process: an upstream that answers 3 KB at once, a bare hyper
//! pass-through in front of it, Debian's nginx in front of it where installed, the simulated BSS, and Segue in
//! front of the BSS, several times with other settings. A fixed number of requests goes to each in turn, round
//! after round; CPU time is what the operating system counted for that process alone. Quote the ratios: the
//! absolute figures are the machine's. Figures are void if the bare hop costs more than 1.3 times nginx's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

mod reference;

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener as StdListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};

const ROUNDS: usize = 5;
const REQUESTS_A_ROUND: u32 = 4_000;
const CONNECTIONS: u32 = 8;
const ANSWER_BYTES: usize = 3 * 1024;
/// Until a peer has done what it put off: the store takes into its database what is left when nothing comes for a while.
const REST: Duration = Duration::from_millis(400);
/// Rows that the simulated BSS keeps, so that it does not grow while it is measured beside others.
const BSS_ROWS: &str = "1000";

fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words.get(1).map(String::as_str) {
        Some("--upstream") => current_thread(upstream(words[2].parse().unwrap())),
        Some("--pass") => current_thread(pass(words[2].parse().unwrap(), words[3].parse().unwrap())),
        // For a profiler: the same load on something that was started by hand.
        Some("--load") => {
            let (address, requests) = (words[2].parse().unwrap(), words[3].parse().unwrap());
            current_thread(async move {
                let done = load(address, QUOTE_PATH, &Bytes::from(reference::request()), requests).await;
                println!("failed {}", done.failed);
            });
        }
        _ if words.iter().any(|word| word == "--bench") => compare(),
        // `cargo test --benches` must not run a load.
        _ => {}
    }
}

fn current_thread(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

async fn upstream(address: SocketAddr) {
    let answer = Bytes::from(format!("{{\"pad\":\"{}\"}}", "x".repeat(ANSWER_BYTES - 10)));
    serve(address, move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            request.into_body().collect().await.unwrap();
            Response::builder().header("content-type", "application/json").body(Full::new(answer)).unwrap()
        }
    })
    .await;
}

/// The bare hop: body in, body out, streamed; no layer of any gateway.
async fn pass(address: SocketAddr, upstream: SocketAddr) {
    let client: Client<HttpConnector, Incoming> = Client::builder(TokioExecutor::new()).build_http();
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let client = client.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            *request.uri_mut() = format!("http://{upstream}{path}").parse().unwrap();
            client.request(request)
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn serve<F, R>(address: SocketAddr, answer: F)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request);
            async move { Ok::<_, std::convert::Infallible>(answer.await) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// A process of this run, ended with it.
struct Peer {
    name: &'static str,
    address: SocketAddr,
    path: &'static str,
    child: Child,
    /// Per request: of the whole process, and of Segue's store threads alone.
    cpu_us: Vec<(f64, f64)>,
    failed: usize,
    /// Size of the last answer's body.
    answer_bytes: usize,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const QUOTE_PATH: &str = "/mefApi/sonata/quoteManagement/v8/quote";

/// One way to run Segue.
struct Setting {
    name: &'static str,
    /// Whether the store is on a RAM disk, so that its fsync costs nothing.
    ram: bool,
    log_level: &'static str,
    /// The bare hop and nginx have one thread; so has Segue, unless its own default is asked for.
    one_worker: bool,
}

const SETTINGS: [Setting; 4] = [
    Setting { name: "segue, RAM disk", ram: true, log_level: "info", one_worker: true },
    Setting { name: "segue, RAM disk, log warn", ram: true, log_level: "warn", one_worker: true },
    Setting { name: "segue, disk", ram: false, log_level: "info", one_worker: true },
    Setting { name: "segue, RAM disk, all cores", ram: true, log_level: "info", one_worker: false },
];

fn compare() {
    let folder = tempfile::tempdir().unwrap();
    let ram = tempfile::tempdir_in("/dev/shm").ok();
    let me = std::env::current_exe().unwrap();
    let segue = Path::new(env!("CARGO_BIN_EXE_segue"));
    let body = Bytes::from(reference::request());

    let upstream = free_address();
    let _upstream =
        start("upstream", upstream, "/", Command::new(&me).arg("--upstream").arg(upstream.to_string()));
    let bss = free_address();
    let mut simulate = Command::new(segue);
    simulate
        .args(["simulate", "bss", "--journal", "0", "--rows", BSS_ROWS, "--address"])
        .arg(bss.to_string());
    let _bss = start("bss", bss, "/", &mut simulate);

    let mut peers = Vec::new();
    let hop = free_address();
    peers.push(start(
        "bare hop",
        hop,
        "/quote",
        Command::new(&me).arg("--pass").arg(hop.to_string()).arg(upstream.to_string()),
    ));
    peers.extend(start_nginx(folder.path(), upstream));
    for setting in &SETTINGS {
        let place = if setting.ram { ram.as_ref() } else { Some(&folder) };
        if let Some(place) = place {
            peers.push(start_segue(setting, segue, folder.path(), place.path(), bss));
        }
    }

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for round in 0..=ROUNDS {
        for peer in &mut peers {
            let before = cpu_us(peer.child.id());
            let done = runtime.block_on(load(peer.address, peer.path, &body, REQUESTS_A_ROUND));
            std::thread::sleep(REST);
            // The first round warms pools, caches and the plan.
            if round > 0 {
                let (after, requests) = (cpu_us(peer.child.id()), f64::from(REQUESTS_A_ROUND));
                peer.cpu_us.push(((after.0 - before.0) / requests, (after.1 - before.1) / requests));
                peer.failed += done.failed;
                peer.answer_bytes = done.answer_bytes;
            }
        }
    }
    print(&mut peers, body.len());
}

fn print(peers: &mut [Peer], body_bytes: usize) {
    println!(
        "{REQUESTS_A_ROUND} requests a round over {CONNECTIONS} connections, {ROUNDS} rounds, request {body_bytes} bytes"
    );
    let mut hop = None;
    for peer in peers {
        peer.cpu_us.sort_by(|left, right| left.0.total_cmp(&right.0));
        let (median, store) = peer.cpu_us[peer.cpu_us.len() / 2];
        let hop = *hop.get_or_insert(median);
        print!(
            "{:<28} {:>8.1} us CPU a request (min {:.1}, max {:.1})  {:>5.2} x the bare hop",
            peer.name,
            median,
            peer.cpu_us[0].0,
            peer.cpu_us[peer.cpu_us.len() - 1].0,
            median / hop,
        );
        if store > 0.0 {
            print!(", {:.2} x without the store's threads ({store:.1} us)", (median - store) / hop);
        }
        println!("  answer {} bytes, failed {}", peer.answer_bytes, peer.failed);
    }
}

/// What came of a load.
#[derive(Default)]
struct Done {
    failed: usize,
    /// Of the last answer's body.
    answer_bytes: usize,
}

async fn load(address: SocketAddr, path: &'static str, body: &Bytes, requests: u32) -> Done {
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let body = body.clone();
        tasks.push(tokio::task::spawn(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let mut done = Done::default();
            for _ in 0..requests / CONNECTIONS {
                let request = Request::post(path)
                    .header("host", "localhost")
                    .header("content-type", "application/json;charset=utf-8")
                    .body(Full::new(body.clone()))
                    .unwrap();
                let answer = sender.send_request(request).await.unwrap();
                done.failed += usize::from(!answer.status().is_success());
                done.answer_bytes = answer.into_body().collect().await.unwrap().to_bytes().len();
            }
            done
        }));
    }
    let mut all = Done::default();
    for task in tasks {
        let done = task.await.unwrap();
        all = Done { failed: all.failed + done.failed, ..done };
    }
    all
}

fn start(name: &'static str, address: SocketAddr, path: &'static str, command: &mut Command) -> Peer {
    start_with(name, address, path, command, Stdio::null())
}

fn start_with(
    name: &'static str,
    address: SocketAddr,
    path: &'static str,
    command: &mut Command,
    log: Stdio,
) -> Peer {
    let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    wait_for(address, name);
    Peer { name, address, path, child, cpu_us: Vec::new(), failed: 0, answer_bytes: 0 }
}

fn start_nginx(folder: &Path, upstream: SocketAddr) -> Option<Peer> {
    let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].iter().find(|path| Path::new(path).exists())?;
    let address = free_address();
    let settings = format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log /dev/null;\n\
         events {{ worker_connections 256; }}\n\
         http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n\
         fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n\
         keepalive_requests 1000000; upstream up {{ server {upstream}; keepalive 32; }}\n\
         server {{ listen {address}; location / {{ proxy_pass http://up; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; }} }} }}\n",
        folder = folder.display()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, settings).ok()?;
    // One process: the worker of a master that is killed would be left behind.
    Some(start("nginx", address, "/quote", Command::new(nginx).arg("-c").arg(&file)))
}

/// Segue on the demonstration's settings, with other addresses and another place for the store. Its log goes to a
/// file beside the store, as that of a service does.
fn start_segue(setting: &Setting, segue: &Path, folder: &Path, place: &Path, bss: SocketAddr) -> Peer {
    let (address, admin) = (free_address(), free_address());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = folder.join(format!("config-{}", address.port()));
    copy_folder(&root.join("config"), &config);
    let store = place.join(format!("store-{}", address.port()));
    fs::create_dir_all(&store).unwrap();
    let gateway = format!(
        "listeners:\n  sonata: {{ address: \"{address}\" }}\n  admin: {{ address: \"{admin}\" }}\n  internal: {{ address: \"127.0.0.1:0\" }}\n\
         store: {{ embedded: \"{}/segue.db\" }}\nmappings: \"{}\"\n\
         telemetry: {{ log_level: {}, log_format: json }}\n",
        store.display(),
        root.join("mappings").display(),
        setting.log_level,
    );
    fs::write(config.join("segue.yaml"), gateway).unwrap();
    let backend = config.join("backends/acme.yaml");
    let text = fs::read_to_string(&backend).unwrap().replace("127.0.0.1:8081", &bss.to_string());
    fs::write(backend, text).unwrap();
    let mut command = Command::new(segue);
    command.arg("--config").arg(&config).arg("serve");
    if setting.one_worker {
        command.env("TOKIO_WORKER_THREADS", "1");
    }
    start_with(
        setting.name,
        address,
        QUOTE_PATH,
        &mut command,
        File::create(store.join("log")).unwrap().into(),
    )
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

fn free_address() -> SocketAddr {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn wait_for(address: SocketAddr, name: &str) {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "{name} does not listen on {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// CPU time of all threads of a process, and of those alone whose names begin with `store`: the one that commits and the
/// one that fills the database. A thread that ended is not counted, and
/// none of these ends while loaded.
fn cpu_us(pid: u32) -> (f64, f64) {
    let mut spent_us = (0.0, 0.0);
    for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let folder = thread.unwrap().path();
        let text = fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
        let own_ns: f64 = text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default();
        spent_us.0 += own_ns / 1e3;
        if fs::read_to_string(folder.join("comm")).is_ok_and(|name| name.starts_with("store")) {
            spent_us.1 += own_ns / 1e3;
        }
    }
    spent_us
}
