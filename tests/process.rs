//! The program itself: how it starts, refuses to, is told by signals, and what a sudden death leaves.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use segue::{
    ids::PartnerId,
    simulate::bss::fault::{Fault, Kind},
    store::{self, Store},
};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    lists::{self, Double},
    support::{Folders, Http, JSON, PRODUCT, QUOTE, Setup, bounded, quote, until},
};

/// The program under test; killed when the test is over.
pub struct Program {
    child: Child,
    pub sonata: SocketAddr,
    pub admin: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folders: &Folders) -> Command {
    of(Command::new(env!("CARGO_BIN_EXE_segue")), folders)
}

fn of(mut command: Command, folders: &Folders) -> Command {
    command.arg("--config").arg(folders.config()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Program {
    /// Starts it and waits until it says where it serves.
    pub fn start(folders: &Folders) -> Self {
        Self::by(folders, command)
    }

    fn by(folders: &Folders, command: impl FnOnce(&Folders) -> Command) -> Self {
        let text = folders.read("config/segue.yaml");
        if !text.contains("log_format") {
            folders.write("config/segue.yaml", &format!("{text}telemetry: {{ log_format: json }}\n"));
        }
        let mut child = command(folders).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = Vec::new();
        let serving = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it does not serve: {told:?}") };
            match serde_json::from_str::<Value>(&line) {
                Ok(line) if line["message"] == "serving" => break line,
                _ => told.push(line),
            }
        };
        // What it logs later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let address = |name: &str| serving[name].as_str().unwrap().parse().unwrap();
        Self { child, sonata: address("sonata"), admin: address("admin") }
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_configuration_refuses_to_start_and_tells_all_of_it() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        folders.edit("config/partners/rival.yaml", "side: seller", "side: saler");
        folders.edit("config/backends/acme.yaml", "base_url", "base_ulr");
        folders.edit("config/segue.yaml", "store:", "stroe:");
        let output = command(&folders).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        for place in ["rival.yaml:3:", "acme.yaml:2:", "segue.yaml:5:"] {
            assert!(text.contains(place), "{place}: {text}");
        }

        let folders = Folders::new(&Setup::default()).await;
        folders.edit("mappings/tiny/quote.yaml", "codes: level", "codes: levle");
        folders.edit("mappings/tiny/order.yaml", "externalId", "externalIdd");
        let output = command(&folders).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("quote.yaml:") && text.contains("order.yaml:") && text.contains('^'), "{text}");

        let folders = Folders::new(&Setup::default()).await;
        folders.edit(
            "config/segue.yaml",
            "sonata: { address: \"127.0.0.1:0\" }",
            "sonata: { address: \"0.0.0.0:0\" }",
        );
        let output = command(&folders).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        // Each of the partners that have no other way to show who they are.
        for partner in ["globex", "rival", "several"] {
            assert!(text.contains("loopback") && text.contains(&format!("{partner}.yaml:2:")), "{text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_finishes_what_is_in_flight() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        let mut program = Program::start(&folders);
        let (client, to) = (Http::new(), program.sonata);
        folders.bss.bss.arrange(Fault { latency_ms: 1500, ..Fault::of(Kind::Late) });
        let slow = tokio::spawn(async move {
            client.send(to, "POST", QUOTE, &[JSON], quote("slow").to_string().into()).await
        });
        until(async || folders.bss.bss.journal().len() == 1).await;
        program.signal("-TERM");
        // It stops accepting while the slow one is still on its way.
        until(async || tokio::net::TcpStream::connect(to).await.is_err()).await;
        assert!(!slow.is_finished());
        let ready = Http::new().send(program.admin, "GET", "/ready", &[], bytes::Bytes::new()).await;
        assert_eq!((ready.status, &ready.json()["listeners"]), (503, &"draining".into()), "{ready:?}");
        let answer = slow.await.unwrap();
        assert_eq!((answer.status, answer.member("externalId")), (201, "slow".to_owned()), "{answer:?}");
        assert_eq!(program.ended().await.code(), Some(0));
    })
    .await;
}

/// The largest file that the program may write becomes one byte: to the store that is a full disk. Without
/// `prlimit` (not a Linux) there is nothing to see here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_write_unreadies_until_it_can() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        let program = Program::by(&folders, |folders| {
            // Too large a write is then an error, not a signal that ends the program.
            let mut shell = Command::new("sh");
            shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_segue")]);
            of(shell, folders)
        });
        let limit = |bytes: &str| {
            let id = program.child.id().to_string();
            let limited = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={bytes}")]).status();
            limited.is_ok_and(|status| status.success())
        };
        let client = Http::new();
        let ready = async || client.send(program.admin, "GET", "/ready", &[], "".into()).await;
        let send = async |id: &str| {
            let body = quote(id).to_string();
            client.send(program.sonata, "POST", QUOTE, &[JSON], body.into()).await
        };
        let kept = send("before").await.member("id");
        if !limit("1:unlimited") {
            println!("skipped: there is no prlimit");
            return;
        }
        send("full").await.assert_problem("nothing can be kept", 500, "internalError");
        let answer = ready().await;
        assert_eq!((answer.status, &answer.json()["ready"]), (503, &false.into()), "{answer:?}");
        assert_ne!(answer.json()["store"], "ok", "{answer:?}");
        assert_eq!(folders.bss.bss.journal().len(), 1, "nothing is done that could not be kept");
        let read = client.send(program.sonata, "GET", &format!("{QUOTE}/{kept}"), &[], "".into()).await;
        assert_eq!(read.status, 200, "reading goes on: {read:?}");
        assert!(limit("unlimited:unlimited"));
        until(async || ready().await.status == 200).await;
        assert_eq!(send("after").await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_has_an_end_and_forgets_nothing() {
    bounded(async {
        let folders = Folders::new(&Setup { limits: "drain_ms_max: 200", ..Setup::default() }).await;
        let mut program = Program::start(&folders);
        let (client, to) = (Http::new(), program.sonata);
        folders.bss.bss.arrange(Fault { latency_ms: 60_000, ..Fault::of(Kind::Late) });
        let cut = tokio::spawn(async move {
            client.try_send(to, "POST", QUOTE, &[JSON], quote("cut").to_string().into()).await
        });
        until(async || folders.bss.bss.journal().len() == 1).await;
        let told = Instant::now();
        program.signal("-TERM");
        assert_eq!(program.ended().await.code(), Some(0));
        assert!(told.elapsed() < Duration::from_secs(40), "{:?}", told.elapsed());
        assert!(cut.await.unwrap().is_err());
        let store = Store::open(&folders.path("data/segue.db"), store::Limits::default(), None).unwrap();
        let open = store.unfinished(&PartnerId::parse("globex").unwrap(), i64::MAX, 10).await.unwrap();
        assert_eq!(open.len(), 1);
    })
    .await;
}

/// A list is walked page by page: what a hundred thousand rows need is what a thousand need. Where the system does not
/// tell what a process has used (not a Linux), there is nothing to see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_is_walked_in_little_memory() {
    /// More than this, in KiB, must not come on top, a second plan among it: rows that were held would be 40 MiB.
    const GROWTH_KIB_MAX: u64 = 20 * 1024;
    bounded(async {
        let (few, many) = (Double::start(1_000).await, Double::start(100_000).await);
        let setup =
            Setup { limits: "calls_max: 10000, exchange_deadline_ms_max: 110000", ..Setup::default() };
        let paging = ("/page", "page: p, size: n, items: 100, total: $.meta.count");
        let folders = lists::folders(&few, paging, &setup).await;
        let program = Program::start(&folders);
        let peak = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let client = Http::new();
        // None is terminated, which only the mapped rows tell: all are read.
        let walk = async || {
            let path = format!("{PRODUCT}?status=terminated");
            let answer = client.send(program.sonata, "GET", &path, &[], "".into()).await;
            assert_eq!(
                (answer.status, answer.headers["x-total-count"].as_bytes()),
                (200, &b"0"[..]),
                "{answer:?}"
            );
        };
        walk().await;
        let Some(before) = peak() else { return };
        folders.edit("config/backends/acme.yaml", &few.address.to_string(), &many.address.to_string());
        let reloaded = client.send(program.admin, "POST", "/reload", &[], "".into()).await;
        assert_eq!(reloaded.status, 200, "{reloaded:?}");
        walk().await;
        let after = peak().unwrap();
        assert_eq!(many.asked().len(), 1_000);
        println!("peak memory: {before} KiB, and {after} KiB after a hundred times as many rows");
        assert!(after < before + GROWTH_KIB_MAX, "{before} KiB, then {after} KiB");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_sudden_death() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        let client = Http::new();
        let mut program = Program::start(&folders);
        let mut ids = Vec::new();
        for number in 0..5 {
            let body = quote(&format!("k{number}")).to_string();
            let answer = client.send(program.sonata, "POST", QUOTE, &[JSON], body.into()).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            ids.push(answer.member("id"));
        }
        program.signal("-KILL");
        assert_eq!(program.ended().await.code(), None);
        let program = Program::start(&folders);
        for (number, id) in ids.iter().enumerate() {
            let answer = client.send(program.sonata, "GET", &format!("{QUOTE}/{id}"), &[], "".into()).await;
            assert_eq!(
                (answer.status, answer.member("externalId")),
                (200, format!("k{number}")),
                "{answer:?}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sighup_reads_the_files_again() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        let mut program = Program::start(&folders);
        let client = Http::new();
        let generation = async || {
            client.send(program.admin, "GET", "/plan", &[], "".into()).await.json()["generation"].clone()
        };
        assert_eq!(generation().await, 1);
        program.signal("-HUP");
        until(async || generation().await == 2).await;
        program.signal("-INT");
        assert_eq!(program.ended().await.code(), Some(0));
        // A port that is taken is a reason not to start, and the message says which.
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        folders.edit(
            "config/segue.yaml",
            "admin: { address: \"127.0.0.1:0\" }",
            &format!("admin: {{ address: \"{address}\" }}"),
        );
        let mut child = command(&folders).spawn().unwrap();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{text}");
        assert!(text.contains("the admin listener"), "{text}");
    })
    .await;
}
