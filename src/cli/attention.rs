//! `segue attention`: exchanges of a running Segue that may have done something, and of which nobody knows how they ended.

use std::{net::SocketAddr, process::ExitCode};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::{Args, Subcommand, ValueEnum};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;

use super::output::say;

/// `segue attention`.
#[derive(Debug, Args)]
pub(super) struct AttentionArguments {
    /// Admin listener of the running Segue.
    #[arg(long, global = true, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    admin: SocketAddr,
    #[command(subcommand)]
    command: AttentionCommand,
}

#[derive(Debug, Subcommand)]
enum AttentionCommand {
    /// List them, oldest first.
    List {
        /// Only this partner's.
        #[arg(long)]
        partner: Option<String>,
    },
    /// Show one with its calls.
    Show {
        /// The id of the exchange.
        exchange: String,
    },
    /// Say what the legacy system really did, so that it needs no more attention.
    Settle {
        /// The id of the exchange.
        exchange: String,
        /// What was done.
        #[arg(long, value_enum)]
        effect: Effect,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Effect {
    /// Nothing, or it was taken back by hand: the Buyer may send the request again.
    None,
    /// It was done and stays: a repeat of the request is still refused.
    Made,
}

/// Asks the running program and prints what it answers.
pub(super) fn run(arguments: &AttentionArguments) -> anyhow::Result<ExitCode> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let (method, path) = match &arguments.command {
        AttentionCommand::List { partner: None } => (Method::GET, "/attention".to_owned()),
        AttentionCommand::List { partner: Some(partner) } => {
            (Method::GET, format!("/attention?partner={}", encoded(partner)))
        }
        AttentionCommand::Show { exchange } => (Method::GET, format!("/attention/{}", encoded(exchange))),
        AttentionCommand::Settle { exchange, effect } => {
            let effect = match effect {
                Effect::None => "none",
                Effect::Made => "made",
            };
            (Method::POST, format!("/attention/{}/settle?effect={effect}", encoded(exchange)))
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = runtime.block_on(ask(arguments.admin, method, &path))?;
    match &arguments.command {
        AttentionCommand::List { .. } => {
            let rows = told["attention"].as_array().map(Vec::as_slice).unwrap_or_default();
            for row in rows {
                say(&line(row));
            }
            say(&format!("{} need attention", rows.len()));
        }
        AttentionCommand::Show { .. } => say(&shown(&told)),
        AttentionCommand::Settle { .. } => say("settled"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the admin listener; what it refuses is an error.
pub(super) async fn ask(admin: SocketAddr, method: Method, path: &str) -> anyhow::Result<Value> {
    let request =
        Request::builder().method(method).uri(format!("http://{admin}{path}")).body(Empty::<Bytes>::new())?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let answer = client.request(request).await.with_context(|| format!("no Segue at {admin}"))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.context("the answer")?.to_bytes();
    let told: Value = serde_json::from_slice(&body).context("the answer")?;
    if !status.is_success() {
        bail!("{}", told["error"].as_str().unwrap_or("the admin listener refuses"));
    }
    Ok(told)
}

fn line(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let (since, exchange, partner) = (text("since"), text("exchange"), text("partner"));
    let test = if row["isTest"].as_bool() == Some(true) { "TEST  " } else { "" };
    let (operation, backend, why) = (text("operation"), text("backend"), text("why"));
    format!("{since}  {exchange}  {partner}  {test}{operation}  {backend}: {why}")
}

fn shown(one: &Value) -> String {
    let mut lines = vec![line(one)];
    for call in one["calls"].as_array().into_iter().flatten() {
        let crc = call["requestCrc32"].as_str().unwrap_or("-");
        let mut text = format!("  {} {} (CRC-32 of the request: {crc})", call["call"], call["step"]);
        if let Some(status) = call["status"].as_u64() {
            let bytes = call["replyBytes"].as_u64().unwrap_or(0);
            text = format!("{text}, status {status}, {bytes} bytes");
        }
        lines.push(text.replace('"', ""));
    }
    if one["lookedInto"].as_bool() == Some(true) {
        lines.push("  the mapping says how it is looked up: that is tried by itself".to_owned());
    }
    if one["repeatsRefused"].as_bool() == Some(true) {
        lines.push(
            "  a repeat of the request is refused until this is settled with `--effect none`".to_owned(),
        );
    }
    lines.join("\n")
}
