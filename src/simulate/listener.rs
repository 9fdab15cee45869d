//! A Buyer's listener: it takes every event, and says what it took.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::http::request::Parts;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::door::{self, Answer};

/// Told of every event: its path and its message.
pub type Heard = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// A listener that listens. Dropping it closes it and every connection.
#[derive(Debug)]
pub struct Running {
    /// Where it listens; with port 0 asked for, the port that was given.
    pub local_addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens on `address` and tells `heard` of every event.
///
/// # Errors
/// Those of binding to the address.
pub async fn start(address: SocketAddr, heard: Heard) -> io::Result<Running> {
    let listener = TcpListener::bind(address).await?;
    let local_addr = listener.local_addr()?;
    let take = move |head: &Parts, body: &Bytes| answer(&heard, head, body);
    let task = tokio::spawn(door::accept(listener, take));
    Ok(Running { local_addr, task })
}

fn answer(heard: &Heard, head: &Parts, body: &Bytes) -> Answer {
    let is_event = head.method == Method::POST && head.uri.path().contains("/listener/");
    if is_event {
        heard(head.uri.path(), &String::from_utf8_lossy(body));
    }
    Answer::of(door::response(if is_event { 204 } else { 404 }, "application/json", Bytes::new()))
}
