//! A bound address, and accepting that survives a full file table.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::{TcpListener, TcpStream};

use crate::telemetry::{Metrics, metrics::InFlight};

/// First and longest pause after a failed accept, in milliseconds.
const BACK_OFF_MS: (u64, u64) = (5, 1000);

/// A bound socket that is not served yet, so that the caller can learn a port that the system chose.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    metrics: Option<Arc<Metrics>>,
}

impl Listener {
    /// Binds the address; port 0 lets the system choose.
    ///
    /// # Errors
    /// The system's own, such as an address in use.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, metrics: None })
    }

    /// Counts the open connections of this listener; without it they are not counted.
    #[must_use]
    pub fn counted(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Counts one connection as open until the guard is dropped.
    pub(super) fn count(&self) -> Option<InFlight> {
        self.metrics.as_ref().map(|metrics| metrics.connection())
    }

    /// The address as bound, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection.
    ///
    /// An error of one connection is skipped. An error of the process, such as no free file descriptor, would
    /// come back at once and for as long as it lasts: it is logged and waited out.
    pub(super) async fn accept(&self) -> (TcpStream, SocketAddr) {
        let mut pause_ms = BACK_OFF_MS.0;
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    // Answers are written whole; waiting for more bytes to send only delays them.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
                }
                Err(error) if of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, listener = %self.address, pause_ms, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                    pause_ms = (pause_ms * 2).min(BACK_OFF_MS.1);
                }
            }
        }
    }
}

fn of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_table_is_waited_out() {
        let emfile = io::Error::from_raw_os_error(24);
        assert!(!of_one_connection(&emfile), "{emfile}");
        assert!(of_one_connection(&io::Error::from(io::ErrorKind::ConnectionAborted)));
    }
}
