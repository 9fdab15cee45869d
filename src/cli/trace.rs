//! `segue trace`.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use super::{
    message::{MessageArguments, rehearse, status},
    output::say,
};
use crate::mapping::trace::{Outcome, Row};

/// Widest column but the last, in characters; what is longer pushes its own line only.
const COLUMN_CHARS_MAX: usize = 60;

/// Prints what every rule of the mapping did with the message of standard input.
pub fn run(config: &Path, arguments: &MessageArguments) -> anyhow::Result<ExitCode> {
    let Some(outcome) = rehearse(config, arguments)? else { return Ok(ExitCode::FAILURE) };
    for message in &outcome.messages {
        say(&message.name);
        for line in table(&message.rows.iter().map(cells).collect::<Vec<_>>()) {
            say(&line);
        }
    }
    Ok(status(&outcome))
}

/// Source, value, target, outcome, rule.
fn cells(row: &Row) -> [String; 5] {
    let place = |pointer: &str| if pointer.is_empty() { "-".to_owned() } else { pointer.to_owned() };
    [
        place(&row.source),
        place(&row.value),
        place(&row.target),
        word(&row.outcome),
        format!("{}:{} {}", row.origin.file, row.origin.line, row.origin.address),
    ]
}

fn word(outcome: &Outcome) -> String {
    outcome
        .reason()
        .map_or_else(|| outcome.word().to_owned(), |reason| format!("{}: {reason}", outcome.word()))
}

/// Lines with aligned columns.
fn table(rows: &[[String; 5]]) -> Vec<String> {
    let chars = |text: &String| text.chars().count();
    let width = |column: usize| {
        let wide = rows.iter().filter_map(|row| row.get(column)).map(chars);
        wide.filter(|width| *width <= COLUMN_CHARS_MAX).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..4).map(width).collect();
    let line = |row: &[String; 5]| {
        let mut line = String::from(" ");
        for (cell, width) in row.iter().zip(&widths) {
            // A string takes whatever is written to it.
            let _ = write!(line, " {cell:<width$} ");
        }
        format!("{line} {}", row[4])
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_is_in_them() {
        let row = |first: &str| [first, "v", "/t", "written", "f:1 a"].map(str::to_owned);
        let long = "x".repeat(COLUMN_CHARS_MAX + 1);
        let lines = table(&[row("/ä"), row("/long/er"), row(&long)]);
        let at = |line: &str| line.chars().position(|c| c == 'v');
        assert_eq!(at(&lines[0]), at(&lines[1]));
        assert!(lines[2].ends_with("f:1 a"));
    }
}
