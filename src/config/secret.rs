//! Secrets, which a configuration only refers to.
//!
//! `{ env: NAME }` or `{ file: PATH }`, the path relative to the configuration folder. This is the only place of
//! the program that reads the environment.

use super::code;
use crate::{
    telemetry::Secret,
    text::{
        Diagnostic, Diagnostics, Span,
        yaml::{Fields, Node, Value},
    },
};
use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
};

/// Longest secret, in bytes: it must fit into a header.
const SECRET_BYTES_MAX: usize = 8192;

/// Secrets that everybody tries first.
const WELL_KNOWN: &[&str] = &[
    "123456",
    "12345678",
    "admin",
    "apikey",
    "changeit",
    "changeme",
    "default",
    "demo",
    "example",
    "guest",
    "letmein",
    "passw0rd",
    "password",
    "placeholder",
    "qwerty",
    "replaceme",
    "root",
    "s3cret",
    "secret",
    "test",
    "todo",
    "token",
    "yourpassword",
    "yoursecret",
    "xxx",
    "xxxx",
];

/// Where secrets are looked up.
pub struct Lookup<'a> {
    folder: PathBuf,
    environment: Box<Environment<'a>>,
}

/// The value of a variable.
type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl<'a> Lookup<'a> {
    /// Files below a folder, variables from anywhere; for tests.
    pub fn new(folder: &Path, environment: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self { folder: folder.to_owned(), environment: Box::new(environment) }
    }

    /// Files below a folder, variables of this process.
    pub fn of_process(folder: &Path) -> Lookup<'static> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that resolves references to the environment"
        )]
        let environment = |name: &str| std::env::var(name).ok();
        Lookup { folder: folder.to_owned(), environment: Box::new(environment) }
    }

    /// The configuration folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Resolves a reference; a literal secret, one that is missing and one that everybody knows are told.
    pub(super) fn resolve(&self, node: &Node, what: &str, out: &mut Diagnostics) -> Option<Secret> {
        self.resolve_as(node, what, false, out)
    }

    /// Resolves a reference to a private key, which has several lines.
    pub(super) fn resolve_key(&self, node: &Node, what: &str, out: &mut Diagnostics) -> Option<Secret> {
        self.resolve_as(node, what, true, out)
    }

    fn resolve_as(&self, node: &Node, what: &str, lines: bool, out: &mut Diagnostics) -> Option<Secret> {
        if matches!(&node.value, Value::Scalar(scalar) if !scalar.is_absent()) {
            let message = format!("`{what}` stands in the file itself");
            let hint = "move it out, write { env: NAME } or { file: secrets/NAME }, and regard it as known to others";
            out.push(Diagnostic::error(code::LITERAL_SECRET, message).at(node.span).hint(hint));
            return None;
        }
        let mut fields = Fields::of(node, &format!("`{what}`"), out)?;
        let (env, file) = (fields.scalar("env", out), fields.scalar("file", out));
        fields.finish(out);
        let (found, from, span) = match (env, file) {
            (Some(env), None) => {
                let from = format!("the environment variable `{}`", env.text);
                ((self.environment)(&env.text), from, env.span())
            }
            (None, Some(file)) => {
                let path = self.folder.join(&file.text);
                (read_file(&path), format!("the file `{}`", path.display()), file.span())
            }
            _ => {
                let message = format!("`{what}` is one reference");
                let fault = Diagnostic::error(code::ONE_OF, message).at(node.span);
                out.push(fault.hint("write either { env: NAME } or { file: secrets/NAME }"));
                return None;
            }
        };
        usable(found, &from, span, lines, out)
    }
}

impl fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").field("folder", &self.folder).finish_non_exhaustive()
    }
}

fn read_file(path: &Path) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(SECRET_BYTES_MAX as u64 + 2).read_to_string(&mut text).ok()?;
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(end);
    Some(text)
}

fn usable(
    found: Option<String>,
    from: &str,
    span: Span,
    lines: bool,
    out: &mut Diagnostics,
) -> Option<Secret> {
    let mut refuse = |code, message: String, hint: &str| {
        out.push(Diagnostic::error(code, message).at(span).hint(hint));
        None
    };
    let Some(text) = found.filter(|text| !text.is_empty()) else {
        return refuse(
            code::SECRET_MISSING,
            format!("{from} is not there or empty"),
            "set it before the start",
        );
    };
    let letters: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    if WELL_KNOWN.contains(&letters.as_str()) || letters.is_empty() {
        let message = format!("{from} holds a well-known default");
        return refuse(code::SECRET_WELL_KNOWN, message, "choose a secret that nobody can guess");
    }
    if text.len() > SECRET_BYTES_MAX
        || text.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\r')))
    {
        let message = format!("{from} holds a secret that cannot be sent");
        let hint = format!("one line of at most {SECRET_BYTES_MAX} bytes without control characters");
        return refuse(code::SECRET_UNUSABLE, message, &hint);
    }
    Some(Secret::new(text))
}
