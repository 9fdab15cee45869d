//! A PostgreSQL server for the tests of this process, where the machine has one; it ends with the process.
//!
//! `src/store/tests/server.rs` is the same for the tests inside the crate, which a test outside of it cannot reach; both start
//! it by one script.

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

use super::Folders;

/// Set where the tests with this server must not be skipped.
const REQUIRED: &str = "SEGUE_POSTGRES_REQUIRED";

/// How long the server may take to come up.
const START: Duration = Duration::from_mins(1);

pub struct Server {
    port: u16,
    databases: AtomicUsize,
    /// Its standard input ends with this process, and with it the server.
    _child: Child,
}

/// The server; `None`, said once, where the machine has none.
pub fn get() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

/// The stores on which a test runs: the embedded one, and the server where there is one.
pub fn stores() -> Vec<Option<&'static Server>> {
    [None].into_iter().chain(get().map(Some)).collect()
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
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let child = Command::new("sh")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/tests/server.sh"))
        .arg(bin)
        .args([port.to_string(), made.cert.pem(), made.signing_key.serialize_pem()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Some(Server { port, databases: AtomicUsize::new(0), _child: child })
}

/// The folder of `initdb` and `postgres`, of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<PathBuf> =
        versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
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

    /// A connection of the test's own.
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

    /// The name of a new database.
    pub async fn database(&self) -> String {
        let name = format!("segue{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.client("postgres").await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        name
    }

    /// Has a test's gateway keep everything in a database, in the place of the embedded store.
    pub fn setting(&self, database: &str, folders: &Folders) {
        folders.write("config/secrets/store", &format!("{}\n", self.url(database)));
        let postgres = "store: { postgres: { url: { file: secrets/store } } }";
        folders.edit("config/segue.yaml", "store: { embedded: ../data/segue.db }", postgres);
    }
}
