//! `segue events`: what is on its way to a partner's listeners, and what was given up.

use std::{net::SocketAddr, process::ExitCode};

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use super::{attention::ask, output::say};

/// `segue events`.
#[derive(Debug, Args)]
pub struct EventsArguments {
    /// Admin listener of the running Segue.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090", global = true)]
    admin: SocketAddr,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List events that wait, or that were given up.
    List {
        /// The partner.
        #[arg(long)]
        partner: String,
        /// Those that were given up.
        #[arg(long)]
        dead: bool,
        /// Events to skip.
        #[arg(long, default_value_t = 0)]
        offset: u64,
        /// Most events.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=500))]
        limit: u64,
        /// How the table is printed.
        #[arg(long, value_enum, default_value_t = super::Format::Text)]
        format: super::Format,
    },
    /// Print one event with its message and the reason of the last failure.
    Show {
        /// The partner.
        #[arg(long)]
        partner: String,
        /// Its id, as `list` prints it.
        id: String,
    },
    /// Have events that were given up tried again.
    Replay {
        /// The partner.
        #[arg(long)]
        partner: String,
        /// All that were given up.
        #[arg(long, conflicts_with = "ids", required_unless_present = "ids")]
        all: bool,
        /// Their ids, as `list` prints them.
        ids: Vec<String>,
    },
}

/// Asks the running program and prints what it says.
pub fn run(arguments: &EventsArguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ask = |method: Method, path: &str, pairs: &[(&str, &str)]| {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        runtime.block_on(ask(arguments.admin, method, &format!("{path}?{query}")))
    };
    match &arguments.command {
        Command::List { partner, dead, offset, limit, format } => {
            let numbers = (dead.to_string(), offset.to_string(), limit.to_string());
            let pairs: [(&str, &str); 4] =
                [("partner", partner), ("dead", &numbers.0), ("offset", &numbers.1), ("limit", &numbers.2)];
            let told = ask(Method::GET, "/events", &pairs)?;
            match format {
                super::Format::Json => say(&serde_json::to_string_pretty(&told)?),
                super::Format::Text => print(&told, *dead),
            }
        }
        Command::Show { partner, id } => {
            let told = ask(Method::GET, "/events", &[("partner", partner), ("id", id)])?;
            say(&serde_json::to_string_pretty(&told)?);
        }
        Command::Replay { partner, all, ids } => {
            let mut pairs: Vec<(&str, &str)> = vec![("partner", partner)];
            pairs.extend(ids.iter().map(|id| ("id", id.as_str())));
            if *all {
                pairs.push(("all", "true"));
            }
            let told = ask(Method::POST, "/events/replay", &pairs)?;
            say(&format!("{} events are tried again", told["replayed"]));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(told: &Value, is_dead: bool) {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or("-").to_owned();
    for event in told["events"].as_array().into_iter().flatten() {
        let when = if is_dead { "dead" } else { "due" };
        say(&format!(
            "{}  {} {}  {}  {}  {}",
            text(event, "id"),
            when,
            text(event, when),
            text(event, "eventType"),
            text(event, "entity"),
            text(event, "note"),
        ));
    }
    say(&format!("{} events {}", told["total"], if is_dead { "were given up" } else { "wait" }));
}
