//! The desk's part of its listener: faults, the journal, and what is told.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::door::{self, Answer};
use super::fault::{Fault, Kind};
use super::journal::Entry;
use super::reply::Reply;
use super::{Bss, Settings, alone, caller, route};

/// A desk that listens. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Running {
    /// Where it listens; with port 0 asked for, the port that was given.
    pub local_addr: SocketAddr,
    /// The desk itself, for its journal and faults.
    pub bss: Bss,
    task: JoinHandle<()>,
}

impl Running {
    /// Stops listening and closes every connection.
    pub async fn stop(mut self) {
        self.task.abort();
        // The join error is the abort that was just asked for.
        _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens a desk and lets it listen on `address`.
///
/// # Errors
/// Those of binding to the address.
pub async fn start(address: SocketAddr, settings: Settings) -> io::Result<Running> {
    let listener = TcpListener::bind(address).await?;
    let local_addr = listener.local_addr()?;
    let bss = Bss::new(&settings);
    let (own, desk, latency_ms) = (bss.clone(), bss.clone(), settings.latency_ms);
    let work = settings.step_ms.map(|step_ms| alone::run(bss.clone(), Duration::from_millis(step_ms)));
    let task = tokio::spawn(async move {
        // All three are without end, and end with the task.
        let work = async {
            match work {
                Some(work) => work.await,
                None => std::future::pending().await,
            }
        };
        let doors =
            door::accept(listener, move |head: &Parts, body: &Bytes| handle(&desk, latency_ms, head, body));
        tokio::join!(doors, caller::run(own), work);
    });
    Ok(Running { local_addr, bss, task })
}

fn handle(bss: &Bss, latency_ms: u64, head: &Parts, body: &Bytes) -> Answer {
    let path = head.uri.path();
    let asked = route::Request { method: head.method.as_str(), path, query: head.uri.query(), body };
    if path.starts_with("/sim/") {
        let reply = {
            let mut state = bss.lock();
            let reply = route::answer(&mut state, &asked);
            caller::collect(&mut state, &[]);
            reply
        };
        bss.told.notify_one();
        return Answer::of(door::response(reply.status, reply.media_type, reply.body));
    }
    let own = head
        .headers
        .get("x-sim-fault")
        .and_then(|value| serde_json::from_slice::<Fault>(value.as_bytes()).ok());
    let fault = match own {
        Some(fault) => Some(fault),
        None => bss.lock().faults.take(asked.method, path),
    };
    let mut reply = act(bss, &asked, fault.as_ref());
    match &fault {
        Some(Fault { kind: Kind::Status, status, .. }) => {
            let row = br#"{"err":[{"code":"E99","t":"system error"}]}"#.to_vec();
            reply = Reply { status: *status, media_type: "application/json", body: row, made: Vec::new() };
        }
        Some(Fault { kind: Kind::Rc8, .. }) => {
            reply = Reply::row(&serde_json::json!({ "rc": 8, "t": "day end running" }));
        }
        _ => {}
    }
    let late_ms = latency_ms.saturating_add(fault.as_ref().map_or(0, |fault| fault.latency_ms));
    Answer { response: door::response(reply.status, reply.media_type, reply.body), late_ms, fault }
}

/// Does what is asked, as far as the fault lets it, and writes it down.
fn act(bss: &Bss, asked: &route::Request<'_>, fault: Option<&Fault>) -> Reply {
    let mut state = bss.lock();
    let mut reply = match fault {
        Some(fault) if !fault.lets_act() => Reply::nothing(),
        _ => route::answer(&mut state, asked),
    };
    let made = std::mem::take(&mut reply.made);
    caller::collect(&mut state, &made);
    bss.told.notify_one();
    state.journal.write(|n| Entry {
        n,
        method: asked.method.to_owned(),
        path: asked.query.map_or_else(|| asked.path.to_owned(), |query| format!("{}?{query}", asked.path)),
        body: asked.body.clone(),
        status: fault.map_or(reply.status, |fault| status_of(fault, reply.status)),
        made,
        fault: fault.map(|fault| fault.kind.name()),
    });
    reply
}

fn status_of(fault: &Fault, own: u16) -> u16 {
    match fault.kind {
        Kind::Status => fault.status,
        Kind::Drop => 0,
        Kind::Garbage | Kind::Html | Kind::Rc8 => 200,
        Kind::Text => 503,
        _ => own,
    }
}
