//! The two streams of a command; the only place that writes to them.

use std::io::Write as _;

/// Writes a line to standard output. A closed pipe ends the output, not the program.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes a line to standard error.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
