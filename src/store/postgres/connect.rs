//! Connections: how they are made, what holds in their sessions, and their prepared statements.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Client, Config, NoTls, Row, Socket, Statement,
    config::{Host, SslMode},
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
    types::ToSql,
};
use tokio_rustls::{TlsConnector, client};

use super::{super::StoreError, Settings, failed};

/// Most prepared statements of one connection; lists have a statement for each set of filters.
const STATEMENTS_MAX: usize = 128;

/// How much longer than the server itself is waited for an answer: then the network or the server is gone.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// Whether a connection commits or reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// What it commits is durable when it is answered.
    Commits,
    /// It reads, and lends tasks, of which nothing need outlive the server.
    Reads,
}

/// Where and how to connect.
pub(super) struct Connector {
    config: Config,
    tls: Option<Arc<ClientConfig>>,
    connect_max: Duration,
    statement_max: Duration,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl Connector {
    /// Reads the URL. What is wrong with it is not told in full: it may have a password.
    pub(super) fn new(settings: &Settings) -> Result<Self, StoreError> {
        let refuse = |why: &str| StoreError::Open(format!("the URL of the database {why}"));
        let mut config: Config = settings.url.reveal().parse().map_err(|_| refuse("cannot be read"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(refuse("names no host"));
        }
        match (&settings.tls, config.get_ssl_mode()) {
            (None, SslMode::Require) => {
                return Err(refuse("asks for TLS: add `tls: {}` to the store's settings"));
            }
            (None, _) => config.ssl_mode(SslMode::Disable),
            (Some(_), _) if config.get_hosts().iter().any(|host| !matches!(host, Host::Tcp(_))) => {
                return Err(refuse("leads to a socket of this machine, where there is no TLS"));
            }
            (Some(_), _) => config.ssl_mode(SslMode::Require),
        };
        if config.get_application_name().is_none() {
            config.application_name("segue");
        }
        config.connect_timeout(settings.connect_max);
        config.tcp_user_timeout(settings.statement_max + GRACE);
        config.keepalives_idle(Duration::from_secs(30));
        let Settings { tls, connect_max, statement_max, .. } = settings;
        Ok(Self { config, tls: tls.clone(), connect_max: *connect_max, statement_max: *statement_max })
    }

    /// Connects, and sets what holds for the session.
    pub(super) async fn connect(&self, role: Role) -> Result<Connection, StoreError> {
        let connecting = async {
            let client = match &self.tls {
                None => {
                    let (client, driver) = self.config.connect(NoTls).await?;
                    tokio::spawn(driver);
                    client
                }
                Some(tls) => {
                    let (client, driver) = self.config.connect(Tls(Arc::clone(tls))).await?;
                    tokio::spawn(driver);
                    client
                }
            };
            client.batch_execute(&self.session(role)).await?;
            Ok::<_, tokio_postgres::Error>(client)
        };
        let client = tokio::time::timeout(self.connect_max + GRACE, connecting).await;
        let client = client.map_err(|_| StoreError::Failed("the database does not answer".to_owned()))?;
        let client = client.map_err(|error| failed(&error))?;
        Ok(Connection { client, statements: Mutex::default(), answer_max: self.statement_max + GRACE })
    }

    /// An answered commit must be on disk, whatever the database's own setting; what waits for the standby servers stays
    /// as it is set.
    fn session(&self, role: Role) -> String {
        let statement_ms = self.statement_max.as_millis();
        let durable = match role {
            Role::Commits => {
                "SELECT set_config('synchronous_commit', 'on', false)
                    WHERE current_setting('synchronous_commit') IN ('off', 'local')"
            }
            Role::Reads => "SET synchronous_commit = off",
        };
        format!(
            "SET statement_timeout = {statement_ms}; SET idle_in_transaction_session_timeout = {statement_ms};
             SET client_min_messages = warning; {durable};"
        )
    }
}

/// One session.
pub(super) struct Connection {
    pub(super) client: Client,
    statements: Mutex<HashMap<String, Statement>>,
    answer_max: Duration,
}

type Params<'p> = &'p [&'p (dyn ToSql + Sync)];

impl Connection {
    /// Whether nothing can be asked any more.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The statement of this text, prepared once.
    pub(super) async fn prepare(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Rows.
    pub(super) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        let asked = async {
            let statement = self.prepare(sql).await?;
            self.client.query(&statement, params).await
        };
        self.answer(asked).await
    }

    /// How many rows a change met.
    pub(super) async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, StoreError> {
        let asked = async {
            let statement = self.prepare(sql).await?;
            self.client.execute(&statement, params).await
        };
        self.answer(asked).await
    }

    async fn answer<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let answered = tokio::time::timeout(self.answer_max, asked).await;
        let answered = answered.map_err(|_| StoreError::Failed("the database does not answer".to_owned()))?;
        answered.map_err(|error| failed(&error))
    }
}

/// TLS by rustls, as everywhere in the program.
#[derive(Clone)]
struct Tls(Arc<ClientConfig>);

/// TLS with one server.
struct TlsTo {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// What is read and written once TLS stands.
struct Encrypted(Box<client::TlsStream<Socket>>);

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type TlsConnect = TlsTo;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<TlsTo> {
        let name = ServerName::try_from(domain.to_owned()).map_err(io::Error::other)?;
        Ok(TlsTo { config: Arc::clone(&self.0), name })
    }
}

impl TlsConnect<Socket> for TlsTo {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move {
            let stream = TlsConnector::from(self.config).connect(self.name, stream).await?;
            Ok(Encrypted(Box::new(stream)))
        })
    }
}

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, to)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
