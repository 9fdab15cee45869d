//! The desk through HTTP, on port 0, as any caller would meet it.

mod addresses;
mod assets;
mod bills;
mod faults;
mod field;
mod offers;
mod orders;
mod pricelist;
mod tasks;
mod tickets;

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::{Running, Settings, start};

/// The day on which every test opens.
fn opening() -> jiff::civil::Date {
    jiff::civil::date(2026, 10, 1)
}

/// A desk and one connection to it.
struct Caller {
    running: Running,
    sender: SendRequest<Full<Bytes>>,
}

impl Caller {
    async fn new() -> Self {
        Self::with(Settings::on(opening())).await
    }

    async fn with(settings: Settings) -> Self {
        let running = start(SocketAddr::from(([127, 0, 0, 1], 0)), settings).await.unwrap();
        let sender = connect(running.local_addr).await;
        Self { running, sender }
    }

    async fn reconnect(&mut self) {
        self.sender = connect(self.running.local_addr).await;
    }

    /// One request; gives the raw answer, or the error of the connection.
    async fn raw(&mut self, method: &str, path: &str, body: Bytes) -> hyper::Result<(u16, HeaderMap, Bytes)> {
        self.sender.ready().await?;
        let request = Request::builder().method(method).uri(path).header("host", "acme");
        let response = self.sender.send_request(request.body(Full::new(body)).unwrap()).await?;
        let (head, body) = response.into_parts();
        Ok((head.status.as_u16(), head.headers, body.collect().await?.to_bytes()))
    }

    /// One request with a JSON body; `Value::Null` sends none.
    async fn call(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let (status, _, body) = self.raw(method, path, body).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// As [`call`](Self::call), for what has to go well.
    async fn good(&mut self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    async fn get(&mut self, path: &str) -> Value {
        self.good("GET", path, Value::Null).await
    }

    async fn advance(&mut self, no: &str, steps: u32) -> Value {
        self.good("POST", "/sim/advance", serde_json::json!({ "no": no, "steps": steps })).await
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The pairs of code and place of an error answer.
fn complaints(answer: &Value) -> Vec<(&str, &str)> {
    let rows = answer["err"].as_array().unwrap().iter();
    rows.map(|row| (row["code"].as_str().unwrap(), row["pos"].as_str().unwrap_or(""))).collect()
}
