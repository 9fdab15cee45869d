//! The Buyer's way to the Seller.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Done, Unexpected};

/// Time before somebody who is away is asked again, in milliseconds.
const PAUSE_MS: u64 = 100;

#[derive(Debug)]
pub(super) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    seller: String,
    /// What it shows of itself.
    token: Option<String>,
    patience: Duration,
}

impl Client {
    pub fn new(seller: &str, token: Option<String>, patience: Duration) -> Self {
        let mut client = legacy::Client::builder(TokioExecutor::new());
        // A connection that is kept may be one to a Seller that was started anew meanwhile.
        client.pool_max_idle_per_host(0);
        let seller = seller.trim_end_matches('/').to_owned();
        Self { http: client.build_http(), seller, token, patience }
    }

    /// Makes something: 200 or 201, and what was made.
    pub async fn make(&self, path: &str, body: &Value) -> Done<Value> {
        self.send(&Method::POST, path, Bytes::from(body.to_string())).await
    }

    /// Does something to what is there, in words of the path.
    pub async fn change(&self, path: &str) -> Done<Value> {
        self.send(&Method::POST, path, Bytes::new()).await
    }

    /// Looks at something.
    pub async fn get(&self, path: &str) -> Done<Value> {
        self.send(&Method::GET, path, Bytes::new()).await
    }

    /// Takes something back.
    pub async fn delete(&self, path: &str) -> Done<Value> {
        self.send(&Method::DELETE, path, Bytes::new()).await
    }

    async fn send(&self, method: &Method, path: &str, body: Bytes) -> Done<Value> {
        let deadline = Instant::now() + self.patience;
        loop {
            let request = Request::builder()
                .method(method)
                .uri(format!("{}{path}", self.seller))
                .header(CONTENT_TYPE, "application/json");
            let request = match &self.token {
                Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
                None => request,
            };
            let request = request.body(Full::new(body.clone()));
            let request = request.map_err(|error| Unexpected::of(error.to_string()))?;
            let is_over = Instant::now() >= deadline;
            match self.http.request(request).await {
                Ok(response) => {
                    let (head, body) = response.into_parts();
                    let Ok(body) = body.collect().await else {
                        if method != Method::GET || is_over {
                            return Err(Unexpected::of(format!("{method} {path}: the answer was cut off")));
                        }
                        continue;
                    };
                    let bytes = body.to_bytes();
                    if !head.status.is_success() {
                        let said =
                            format!("{method} {path}: {} {}", head.status, String::from_utf8_lossy(&bytes));
                        let body = serde_json::from_slice(&bytes).unwrap_or_default();
                        return Err(Unexpected { said, answer: Some((head.status.as_u16(), body)) });
                    }
                    return Ok(serde_json::from_slice(&bytes).unwrap_or_default());
                }
                Err(error) if is_over || !(error.is_connect() || method == Method::GET) => {
                    return Err(Unexpected::of(format!("{method} {path}: {error}")));
                }
                Err(_) => sleep(Duration::from_millis(PAUSE_MS)).await,
            }
        }
    }
}
