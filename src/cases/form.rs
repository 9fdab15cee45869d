//! Reading a case's folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::message::{MessageError, RequestFile, ResponseFile};
use crate::json::Document;
use crate::text::{
    Diagnostics, Sources,
    form::{Form, Kind},
    yaml::{self, Fields, text_of},
};

/// What `case.yaml` may hold, for editors: the form beside its reader.
#[must_use]
pub fn forms() -> Vec<Form> {
    let texts = || Kind::Text.or_list();
    let form = Form::new("case", "case.yaml: an exchange that is played; its messages stand beside it.")
        .may("description", Kind::Any, "What the case shows.")
        .must("partner", Kind::Text, "The partner that calls.")
        .must("clock", Kind::Text, "The time of everything, such as 2026-11-21T10:00:00Z.")
        .may("after", texts(), "Cases that are played before, in the same store.")
        .may("ignore", texts(), "JSON Pointers that are not compared; `*` is any one step.");
    vec![form]
}

/// Folders that one search looks into; more is no mapping folder.
const FOLDERS_MAX: usize = 50_000;
/// What a legacy system sends by itself.
const MESSAGE: &str = "1-legacy-message.json";

/// What our procurement system asks for.
const BOUGHT: &str = "1-legacy-request.json";

/// What that changes and tells.
pub const TOLD: &str = "5-sonata-told.json";

/// Calls of one case.
const CALLS_MAX: usize = 26;

/// One case, read.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its folder below `cases`, such as `quote/createQuote.two-items`.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The partner that calls.
    pub partner: String,
    /// The time at which everything happens.
    pub clock: Timestamp,
    /// Cases of the same folder of cases that are played before, on the same store.
    pub after: Vec<String>,
    /// JSON Pointers of members that are not compared, in requests and in the answer; `*` is any one step.
    pub ignore: Vec<String>,
    /// What the partner sends, or the legacy system.
    pub request: RequestFile,
    /// Whether it is a message of the legacy system, by itself.
    pub is_message: bool,
    /// Whether our procurement system asks, and a Seller answers.
    pub is_bought: bool,
    /// What such a message must change and tell; none in a case that is being written.
    pub told: Option<Document>,
    /// The calls that must be made, in order, with what answers them.
    pub calls: Vec<CaseCall>,
    /// What who sent it must get; none in a case that is being written.
    pub answer: Option<ResponseFile>,
}

/// One call of a case.
#[derive(Debug, Clone)]
pub struct CaseCall {
    /// Empty for a single call, else `a`, `b` …
    pub letter: String,
    /// What must be sent; none in a case that is being written.
    pub request: Option<RequestFile>,
    /// What answers it; none in a case that is being written.
    pub response: Option<ResponseFile>,
}

/// Why a folder is no case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A file is no message.
    #[error("{path}: {error}")]
    Message {
        /// The file.
        path: String,
        /// Why.
        error: MessageError,
    },
    /// `case.yaml` says something that a case does not have; rendered diagnostics.
    #[error("{0}")]
    Settings(String),
}

/// All cases below a mappings folder, in the order of their folders: those of mapping sets and of partners.
///
/// # Errors
/// The first folder that is no case.
pub fn find(mappings: &Path) -> Result<Vec<Case>, CaseError> {
    let (mut folders, mut waiting, mut seen) = (Vec::new(), vec![mappings.to_owned()], 0);
    while let Some(folder) = waiting.pop() {
        seen += 1;
        if seen > FOLDERS_MAX {
            break;
        }
        if folder.join("case.yaml").is_file() {
            folders.push(folder);
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))? {
            let path = entry.map_err(|error| unreadable(&folder, error))?.path();
            if path.is_dir() {
                waiting.push(path);
            }
        }
    }
    folders.sort();
    folders.iter().map(|folder| read(folder)).collect()
}

/// Reads one case.
///
/// # Errors
/// The first file that is not what a case has.
pub fn read(folder: &Path) -> Result<Case, CaseError> {
    let mut case = settings(folder)?;
    let message = folder.join(MESSAGE);
    case.is_message = message.is_file();
    let bought = folder.join(BOUGHT);
    case.is_bought = bought.is_file();
    let sent = match (case.is_message, case.is_bought) {
        (true, _) => message,
        (_, true) => bought,
        _ => folder.join("1-sonata-request.json"),
    };
    case.request = request(&sent)?;
    let told = folder.join(TOLD);
    if told.is_file() {
        let document = Document::from_text(&text(&told)?).map_err(|error| CaseError::Message {
            path: told.display().to_string(),
            error: MessageError::Json(error.to_string()),
        })?;
        case.told = Some(document);
    }
    let letters =
        (0..CALLS_MAX).map(|index| String::from(char::from(b'a' + u8::try_from(index).unwrap_or(25))));
    for letter in std::iter::once(String::new()).chain(letters) {
        let (sent, answered) = (call_file(&case, 2, &letter), call_file(&case, 3, &letter));
        if sent.is_file() || answered.is_file() {
            let request = sent.is_file().then(|| request(&sent)).transpose()?;
            let response = answered.is_file().then(|| response(&answered)).transpose()?;
            case.calls.push(CaseCall { letter, request, response });
        }
    }
    let answer = folder.join(answer_file(&case));
    case.answer = answer.is_file().then(|| response(&answer)).transpose()?;
    Ok(case)
}

/// The file of the answer: to the partner, or to the legacy system that sent a message.
#[must_use]
pub fn answer_file(case: &Case) -> &'static str {
    match (case.is_message, case.is_bought) {
        (true, _) => "4-legacy-answer.json",
        (_, true) => "4-legacy-response.json",
        _ => "4-sonata-response.json",
    }
}

/// The file of a call: `2` what is sent, `3` what answers it.
#[must_use]
pub fn call_file(case: &Case, number: u8, letter: &str) -> PathBuf {
    case.folder.join(format!("{}.json", call_name(case, number, letter)))
}

/// The name of that file, without its ending.
#[must_use]
pub fn call_name(case: &Case, number: u8, letter: &str) -> String {
    let called = if case.is_bought { "sonata" } else { "legacy" };
    let kind = if number == 2 { "request" } else { "response" };
    format!("{number}{letter}-{called}-{kind}")
}

fn settings(folder: &Path) -> Result<Case, CaseError> {
    let path = folder.join("case.yaml");
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let id = sources.add(&path.display().to_string(), text(&path)?);
    let node = yaml::load(&sources, id, &mut out);
    let fields = node.as_ref().and_then(|node| Fields::of(node, "case.yaml", &mut out));
    let case = fields.and_then(|fields| read_settings(fields, folder, &mut out));
    match case {
        Some(case) if !out.has_errors() => Ok(case),
        _ => Err(CaseError::Settings(out.render_text(&sources))),
    }
}

fn read_settings(mut fields: Fields<'_>, folder: &Path, out: &mut Diagnostics) -> Option<Case> {
    fields.allow("description");
    let partner = fields.require_text("partner", out).map(str::to_owned);
    let clock = fields.require_scalar("clock", out);
    let clock = clock.and_then(|scalar| {
        let parsed = scalar.text.parse::<Timestamp>();
        if parsed.is_err() {
            let message = "the clock is a time such as 2026-11-21T10:00:00Z";
            out.push(
                crate::text::Diagnostic::error(crate::text::code::WRONG_KIND, message).at(scalar.span()),
            );
        }
        parsed.ok()
    });
    let mut texts = |key: &'static str, out: &mut Diagnostics| -> Vec<String> {
        let nodes = fields.sequence(key, true, out).unwrap_or_default();
        nodes.iter().filter_map(|node| text_of(node, key, out)).map(|scalar| scalar.text.clone()).collect()
    };
    let after = texts("after", out);
    let ignore = texts("ignore", out);
    fields.finish(out);
    Some(Case {
        name: name_of(folder),
        folder: folder.to_owned(),
        partner: partner?,
        clock: clock?,
        after,
        ignore,
        request: RequestFile::default(),
        is_message: false,
        is_bought: false,
        told: None,
        calls: Vec::new(),
        answer: None,
    })
}

/// The folder below `cases`.
fn name_of(folder: &Path) -> String {
    let parts: Vec<&str> = folder.iter().filter_map(|part| part.to_str()).collect();
    let below = parts.iter().rposition(|part| *part == "cases").map_or(0, |index| index + 1);
    parts.get(below..).unwrap_or_default().join("/")
}

fn text(path: &Path) -> Result<String, CaseError> {
    fs::read_to_string(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: std::io::Error) -> CaseError {
    CaseError::Read { path: path.display().to_string(), error }
}

fn request(path: &Path) -> Result<RequestFile, CaseError> {
    RequestFile::parse(&text(path)?)
        .map_err(|error| CaseError::Message { path: path.display().to_string(), error })
}

fn response(path: &Path) -> Result<ResponseFile, CaseError> {
    ResponseFile::parse(&text(path)?)
        .map_err(|error| CaseError::Message { path: path.display().to_string(), error })
}
