//! `segue map`.

use std::{path::Path, process::ExitCode};

use super::{
    message::{MessageArguments, rehearse, status},
    output::say,
};
use crate::{cases::message::print_node, format, mapping::apply::Applied};

/// Prints what the mapping makes of the message of standard input.
pub fn run(config: &Path, arguments: &MessageArguments) -> anyhow::Result<ExitCode> {
    let Some(outcome) = rehearse(config, arguments)? else { return Ok(ExitCode::FAILURE) };
    for message in &outcome.messages {
        if let Ok(applied) = &message.result {
            say(&message.name);
            print(applied, message.wire.as_deref());
        }
    }
    Ok(status(&outcome))
}

fn print(applied: &Applied, wire: Option<&str>) {
    for (name, value) in &applied.headers {
        say(&format!("{name}: {value}"));
    }
    if let Some(wire) = wire {
        // XML by the line, as cases have it; what is none stays as it is.
        let lines = format::lines(wire).unwrap_or_else(|_| vec![wire.to_owned()]);
        say(&lines.join("\n"));
    } else if let Some(body) = &applied.body {
        let mut text = String::new();
        print_node(&mut text, body.root(), 0);
        say(&text);
    }
}
