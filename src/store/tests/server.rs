//! A PostgreSQL server for the tests of one process, where the machine has one; it ends with the process. Nothing of the
//! crate is known here: the tests outside of it take this file, too.

use std::{
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Set where the tests of this adapter must not be skipped.
const REQUIRED: &str = "SEGUE_POSTGRES_REQUIRED";

/// How long the server may take to come up.
const START: Duration = Duration::from_mins(1);

pub struct Server {
    port: u16,
    /// PEM: the authority of its certificate.
    pub ca: String,
    databases: AtomicUsize,
    /// Its standard input ends with this process, and with it the server.
    _child: Child,
}

/// The server; `None`, said once, where the machine has none.
pub fn get() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Server> {
    let Some(bin) = programs() else {
        #[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting of the program")]
        let is_required = std::env::var_os(REQUIRED).is_some();
        assert!(!is_required, "{REQUIRED} is set, and there is no PostgreSQL server");
        // Past the capture of the test harness: who runs the tests should know.
        let told = b"skipped: the tests with PostgreSQL, as there is no server (initdb)\n";
        std::io::stderr().write_all(told).unwrap();
        return None;
    };
    let port = free_port();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/tests/server.sh");
    let child = Command::new("sh")
        .arg(script)
        .arg(bin)
        .args([port.to_string(), made.cert.pem(), made.signing_key.serialize_pem()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Some(Server { port, ca: made.cert.pem(), databases: AtomicUsize::new(0), _child: child })
}

/// A port that nobody listens at. The system gives those from 32,768 on to whoever asks for any, listeners and calls alike:
/// one of these would be some other test's by the time that `initdb` has ended.
fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    (first..first + 2_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// The folder of `initdb` and `postgres`, of the newest version.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    let has_both = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    folders.into_iter().rfind(has_both)
}

impl Server {
    /// Where a database is.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://segue:unused@localhost:{}/{database}", self.port)
    }

    /// A connection of the tests' own.
    pub async fn client(&self, database: &str) -> tokio_postgres::Client {
        let mut waited = Duration::ZERO;
        loop {
            match tokio_postgres::connect(&self.url(database), tokio_postgres::NoTls).await {
                Ok((client, driver)) => {
                    tokio::spawn(driver);
                    return client;
                }
                Err(error) if waited > START => panic!("the server does not come up: {error}"),
                Err(_) => {
                    waited += Duration::from_millis(50);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// A new database.
    pub async fn database(&self) -> String {
        let name = format!("segue{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.client("postgres").await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        name
    }
}
