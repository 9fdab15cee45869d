//! A Buyer's listener: it takes every event, and says what it took.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// Largest event that is read, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;

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
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok((stream, _)) = listener.accept().await else {
                tokio::task::yield_now().await;
                continue;
            };
            let heard = Arc::clone(&heard);
            connections.spawn(async move {
                let service = service_fn(move |request| answer(Arc::clone(&heard), request));
                let http = hyper::server::conn::http1::Builder::new();
                // A connection that fails concerns nobody but its caller.
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Ok(Running { local_addr, task })
}

async fn answer(heard: Heard, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let status = if head.method != Method::POST || !head.uri.path().contains("/listener/") {
        StatusCode::NOT_FOUND
    } else if let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await {
        heard(head.uri.path(), &String::from_utf8_lossy(&body.to_bytes()));
        StatusCode::NO_CONTENT
    } else {
        StatusCode::BAD_REQUEST
    };
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    Ok(answer)
}
