//! A PostgreSQL server for the tests of one process, where the machine has one.

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

use crate::{
    store::{PostgresSettings, Store},
    telemetry::Secret,
};

/// Set where the tests of this adapter must not be skipped.
const REQUIRED: &str = "SEGUE_POSTGRES_REQUIRED";

/// How long the server may take to come up.
const START: Duration = Duration::from_mins(1);

pub(in crate::store) struct Server {
    port: u16,
    /// PEM: the authority of its certificate.
    pub(in crate::store) ca: String,
    databases: AtomicUsize,
    /// Its standard input ends with this process, and with it the server.
    _child: Child,
}

/// The server; `None`, said once, where the machine has none.
pub(in crate::store) fn get() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Server> {
    let Some(bin) = programs() else {
        #[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting of the program")]
        let is_required = std::env::var_os(REQUIRED).is_some();
        assert!(!is_required, "{REQUIRED} is set, and there is no PostgreSQL server");
        // Past the capture of the test harness: who runs the tests should know.
        let told = b"skipped: the tests of the PostgreSQL store, as there is no server (initdb)\n";
        std::io::stderr().write_all(told).unwrap();
        return None;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
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
    pub(in crate::store) fn url(&self, database: &str) -> String {
        format!("postgresql://segue:unused@localhost:{}/{database}", self.port)
    }

    /// A connection of the tests' own.
    pub(in crate::store) async fn client(&self, database: &str) -> tokio_postgres::Client {
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
    pub(in crate::store) async fn database(&self) -> String {
        let name = format!("segue{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.client("postgres").await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        name
    }

    pub(in crate::store) fn settings(&self, database: &str) -> PostgresSettings {
        PostgresSettings {
            url: Secret::new(self.url(database)),
            tls: None,
            connections_max: 4,
            connect_max: Duration::from_secs(10),
            statement_max: Duration::from_secs(30),
            queue_max: 4096,
        }
    }

    /// An instance on a database.
    pub(in crate::store) async fn instance(&self, database: &str) -> Store {
        Store::postgres(&self.settings(database), None).await.unwrap()
    }

    /// An instance on a database of its own.
    pub(in crate::store) async fn store(&self) -> Store {
        self.instance(&self.database().await).await
    }
}
