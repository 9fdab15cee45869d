//! `segue work`: what people have to do for the partners of a running Segue.

use std::{io::Read as _, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;

use super::output::say;

/// `segue work`.
#[derive(Debug, Args)]
pub(super) struct WorkArguments {
    /// Admin listener of the running Segue.
    #[arg(long, global = true, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    admin: SocketAddr,
    #[command(subcommand)]
    command: WorkCommand,
}

#[derive(Debug, Subcommand)]
enum WorkCommand {
    /// List it, oldest first.
    List {
        /// Only this partner's.
        #[arg(long)]
        partner: Option<String>,
    },
    /// Show one piece with the entity that it is about, as JSON.
    Show {
        /// Its id.
        id: String,
    },
    /// Give the answer: as much of the entity in Sonata as there is to say. All that is wrong with it is told.
    Answer {
        /// The id of the piece.
        id: String,
        /// A file with JSON, such as `{ "state": "inProgress" }`; `-` or nothing: standard input.
        file: Option<PathBuf>,
    },
    /// Take from the list what there is no answer to.
    Done {
        /// The id of the piece.
        id: String,
    },
}

/// Asks the running program and prints what it answers.
pub(super) fn run(arguments: &WorkArguments) -> anyhow::Result<ExitCode> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let (method, path, body) = match &arguments.command {
        WorkCommand::List { partner: None } => (Method::GET, "/work".to_owned(), Bytes::new()),
        WorkCommand::List { partner: Some(partner) } => {
            (Method::GET, format!("/work?partner={}", encoded(partner)), Bytes::new())
        }
        WorkCommand::Show { id } => (Method::GET, format!("/work/{}", encoded(id)), Bytes::new()),
        WorkCommand::Answer { id, file } => {
            (Method::POST, format!("/work/{}/answer", encoded(id)), read(file.as_ref())?)
        }
        WorkCommand::Done { id } => (Method::POST, format!("/work/{}/done", encoded(id)), Bytes::new()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (status, told) = runtime.block_on(ask(arguments.admin, method, &path, body))?;
    if let Some(faults) = told["faults"].as_array() {
        for fault in faults {
            let text = |name: &str| fault[name].as_str().unwrap_or_default();
            let place = [text("code"), text("at")].join(" ");
            say(&format!("{}: {}", place.trim_end(), text("reason")));
        }
        say(&format!("{} faults; nothing was kept", faults.len()));
        return Ok(ExitCode::from(1));
    }
    if !status.is_success() {
        bail!("{}", told["error"].as_str().unwrap_or("the admin listener refuses"));
    }
    match &arguments.command {
        WorkCommand::List { .. } => {
            let rows = told["work"].as_array().map(Vec::as_slice).unwrap_or_default();
            for row in rows {
                say(&line(row));
            }
            say(&format!("{} to do", told["total"]));
        }
        WorkCommand::Show { .. } => say(&serde_json::to_string_pretty(&told)?),
        WorkCommand::Answer { .. } => {
            let state = told["state"].as_str().unwrap_or("-");
            let left = if told["isDone"].as_bool() == Some(true) { "done" } else { "stays on the list" };
            say(&format!("{state}: {left}"));
        }
        WorkCommand::Done { .. } => say("done"),
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: Option<&PathBuf>) -> anyhow::Result<Bytes> {
    if let Some(file) = file.filter(|file| file.as_os_str() != "-") {
        return Ok(std::fs::read(file).with_context(|| file.display().to_string())?.into());
    }
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text).context("standard input")?;
    Ok(text.into())
}

async fn ask(
    admin: SocketAddr,
    method: Method,
    path: &str,
    body: Bytes,
) -> anyhow::Result<(StatusCode, Value)> {
    let request = Request::builder().method(method).uri(format!("http://{admin}{path}"));
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Full::new(body))?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let answer = client.request(request).await.with_context(|| format!("no Segue at {admin}"))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.context("the answer")?.to_bytes();
    Ok((status, serde_json::from_slice(&body).context("the answer")?))
}

fn line(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let (since, id, partner, operation) = (text("since"), text("id"), text("partner"), text("operation"));
    let (kind, entity, state) = (text("kind"), text("entity"), text("state"));
    let note = row["note"].as_str().map(|note| format!(": {note}")).unwrap_or_default();
    let test = if row["isTest"].as_bool() == Some(true) { "  TEST" } else { "" };
    format!("{since}  {id}  {partner}  {operation}  {kind}/{entity}  {state}{test}{note}")
}
