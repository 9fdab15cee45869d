//! `segue record`: exchanges of a running Segue become cases.
//!
//! The running program masks what it hands out; what is written here is what comes back. A case starts from an empty
//! store and counts its ids, so it is played before it is kept: its calls and its answer are those of that play, and where
//! the play is another exchange than the recorded one there is no case.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;

use super::{
    RecordArguments,
    message::load,
    output::{complain, say},
};
use crate::{
    cases::{
        compare::compare,
        differ::operation_of,
        form::{self, Case},
        message::{Body, ResponseFile},
        play::{Played, play},
        record::tells_of_people,
        update::update,
    },
    plan::{Plan, PlanHandle},
    workbench::find_operation,
};

/// Cases of one name at most.
const NAMES_MAX: usize = 1000;
/// Length of the text of a UUID.
const UUID_BYTES: usize = 36;

/// Asks for a recording, waits for it, and writes the cases.
pub fn run(config: &Path, arguments: &RecordArguments) -> anyhow::Result<ExitCode> {
    let Some(plan) = load(config, None) else { return Ok(ExitCode::FAILURE) };
    // As the partner calls them, which is how exchanges are known by.
    let wanted = arguments.operation.iter();
    let wanted: Vec<String> = wanted
        .map(|name| Ok(find_operation(&plan, &arguments.partner, name)?.name()))
        .collect::<anyhow::Result<_>>()?;
    if let Some(name) = arguments.name.as_deref().filter(|name| !is_name(name)) {
        bail!("`{name}` is no name of a case: letters, digits, dashes and dots");
    }
    let mappings = plan.settings().gateway.mappings.clone();
    let cases = form::find(&mappings)?.into_iter().map(|case| (case.name.clone(), case)).collect();
    let mut writer = Writer { arguments, plan: PlanHandle::new(plan), mappings, cases, ids: BTreeMap::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = runtime.block_on(ask(arguments, &wanted))?;
    let exchanges = told["exchanges"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lost = 0usize;
    for exchange in exchanges {
        match runtime.block_on(writer.write(exchange)) {
            Ok(name) => say(&format!("wrote {name}")),
            Err(error) => {
                lost += 1;
                complain(&format!("no case: {error:#}"));
            }
        }
    }
    let ended = told["ended"].as_str().unwrap_or_default();
    say(&format!(
        "{} exchanges recorded (ended by {ended}), {} cases written",
        exchanges.len(),
        exchanges.len() - lost
    ));
    let is_good = lost == 0 && !exchanges.is_empty();
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
}

/// What the running program answers.
async fn ask(arguments: &RecordArguments, wanted: &[String]) -> anyhow::Result<Value> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("partner", &arguments.partner);
    for operation in wanted {
        query.append_pair("operation", operation);
    }
    query
        .append_pair("count", &arguments.count.to_string())
        .append_pair("seconds", &arguments.seconds.to_string());
    let address = format!("http://{}/record?{}", arguments.admin, query.finish());
    let request = Request::builder().method(Method::POST).uri(address).body(Empty::<Bytes>::new())?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let answer = client.request(request).await.with_context(|| format!("no Segue at {}", arguments.admin))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.context("the recording")?.to_bytes();
    let told: Value = serde_json::from_slice(&body).context("the recording")?;
    if !status.is_success() {
        bail!("not recorded: {}", told["error"].as_str().unwrap_or("the admin listener refuses"));
    }
    Ok(told)
}

/// Writes one case after the other.
struct Writer<'a> {
    arguments: &'a RecordArguments,
    plan: PlanHandle,
    mappings: PathBuf,
    cases: BTreeMap<String, Case>,
    /// Ids of the running program with those that stand for them in cases, and the case that made them.
    ids: BTreeMap<String, (String, String)>,
}

impl Writer<'_> {
    /// Writes the case of one exchange, if it is played as it was recorded; its name.
    async fn write(&mut self, exchange: &Value) -> anyhow::Result<String> {
        let operation = exchange["operation"].as_str().context("an exchange without operation")?;
        let folder = self.folder(&self.plan.load(), operation)?;
        let name = self.name(&folder, operation)?;
        let (kept, written) = (folder.join(&name), folder.join(format!(".{name}")));
        fs::create_dir_all(&written).with_context(|| written.display().to_string())?;
        let case = self.written(exchange, &written, &kept).await;
        let ended = case.and_then(|case| {
            fs::rename(&written, &kept).with_context(|| kept.display().to_string())?;
            Ok(Case { folder: kept.clone(), ..case })
        });
        if ended.is_err() {
            let _ = fs::remove_dir_all(&written);
        }
        let case = ended
            .with_context(|| format!("{operation} at {}", exchange["clock"].as_str().unwrap_or_default()))?;
        let name = case.name.clone();
        self.cases.insert(name.clone(), case);
        Ok(name)
    }

    /// Where cases of the operation lie: with others of its function, else beside the mapping set that serves it.
    fn folder(&self, plan: &Plan, operation: &str) -> anyhow::Result<PathBuf> {
        let found = find_operation(plan, &self.arguments.partner, operation)?;
        let (partner, function) = (found.partner, found.contract.function);
        let of_function = |case: &&Case| {
            let own = operation_of(plan, case);
            own.is_some_and(|own| own.split('.').next() == Some(function.name()))
        };
        if let Some(beside) = self.cases.values().find(of_function).and_then(|case| case.folder.parent()) {
            return Ok(beside.to_owned());
        }
        let sets = partner.mapped(function, &found.meant.operation_id);
        let set = sets.first().map(|(set, _)| set.to_string());
        let set =
            set.or_else(|| partner.mappings().next().map(ToString::to_string)).context("no mapping set")?;
        Ok(self.mappings.join(set).join("cases").join(function.name()))
    }

    /// A name that no case has yet.
    fn name(&self, folder: &Path, operation: &str) -> anyhow::Result<String> {
        let id = operation.split_once('.').map_or(operation, |(_, id)| id);
        let own = self.arguments.name.as_deref().unwrap_or("recorded");
        let base = if own.contains('.') { own.to_owned() } else { format!("{id}.{own}") };
        let mut names =
            std::iter::once(base.clone()).chain((2..NAMES_MAX).map(|number| format!("{base}-{number}")));
        names.find(|name| !folder.join(name).exists()).context("there are too many cases of this name")
    }

    async fn written(&mut self, exchange: &Value, folder: &Path, kept: &Path) -> anyhow::Result<Case> {
        let files = exchange["files"].as_object().context("an exchange without files")?;
        let mut after: Vec<String> = Vec::new();
        let mut recorded: BTreeMap<String, String> = BTreeMap::new();
        for (file, text) in files {
            let text = self.with_own_ids(text.as_str().unwrap_or_default(), &mut after);
            let is_input = file.starts_with('1') || file.starts_with('3');
            if is_input {
                fs::write(folder.join(file), &text)?;
            }
            recorded.insert(file.clone(), text);
        }
        let clock = exchange["clock"].as_str().context("an exchange without clock")?;
        fs::write(folder.join("case.yaml"), self.settings(kept, exchange, clock, &after))?;
        let read = |folder: &Path| -> anyhow::Result<Case> {
            let name = kept.iter().rev().take(2).filter_map(|part| part.to_str()).collect::<Vec<_>>();
            let name = name.into_iter().rev().collect::<Vec<_>>().join("/");
            Ok(Case { name, ..form::read(folder)? })
        };
        let played = play(&read(folder)?, &self.cases, &self.plan, None).await?;
        let answer =
            ResponseFile::parse(recorded.get("4-sonata-response.json").map_or("{}", String::as_str))?;
        Self::is_the_same(&played, &answer, files.len().saturating_sub(2) / 2)?;
        let case = read(folder)?;
        update(&case, &played)?;
        let case = read(folder)?;
        let again = play(&case, &self.cases, &self.plan, None).await?;
        if let Some(fault) = again.faults.first() {
            bail!("played again it is another exchange: {fault}");
        }
        self.learn_ids(&answer, &played, &case.name);
        self.tell_differences(&answer, &played, &case.name);
        Ok(case)
    }

    /// The text with the ids that stand for those of the running program; the cases that made them come before.
    fn with_own_ids(&self, text: &str, after: &mut Vec<String>) -> String {
        let mut text = text.to_owned();
        for (real, (own, case)) in &self.ids {
            if text.contains(real.as_str()) {
                text = text.replace(real.as_str(), own);
                if !after.contains(case) {
                    after.push(case.clone());
                }
            }
        }
        text
    }

    fn settings(&self, kept: &Path, exchange: &Value, clock: &str, after: &[String]) -> String {
        // As its neighbours name the schema of their kind.
        let beside =
            kept.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        let first = |path: PathBuf| {
            fs::read_to_string(path.join("case.yaml")).ok()?.lines().next().map(str::to_owned)
        };
        let mut lines = beside.filter_map(|entry| first(entry.path()));
        let header = lines.find(|line| line.starts_with("# yaml-language-server:")).map(|line| line + "\n");
        let operation = exchange["operation"].as_str().unwrap_or_default();
        let after =
            if after.is_empty() { String::new() } else { format!("after: [ {} ]\n", after.join(", ")) };
        format!(
            "{}description: \"Recorded, with people masked: {operation}.\"\npartner: {}\nclock: {clock}\n{after}",
            header.unwrap_or_default(),
            self.arguments.partner,
        )
    }

    /// Whether the case is the exchange that was recorded, as far as can be told without comparing ids.
    fn is_the_same(played: &Played, answer: &ResponseFile, calls: usize) -> anyhow::Result<()> {
        if played.answer.status == answer.status && played.calls.len() == calls {
            return Ok(());
        }
        let (is, was) = (played.answer.status, answer.status);
        bail!(
            "played from an empty store it is another exchange (status {is} with {} calls, not {was} with {calls}): it \
             needs what was there before; record what made that in one go with it (--operation of both, --count)",
            played.calls.len(),
        )
    }

    /// Notes which id of a case stands for which of the running program.
    fn learn_ids(&mut self, answer: &ResponseFile, played: &Played, case: &str) {
        let ids = |file: &ResponseFile| uuids(&String::from_utf8_lossy(&file.body.bytes()));
        let (real, own) = (ids(answer), ids(&played.answer));
        if real.len() == own.len() {
            for (real, own) in real.into_iter().zip(own).filter(|(real, own)| real != own) {
                self.ids.entry(real).or_insert((own, case.to_owned()));
            }
        }
    }

    /// What the case answers otherwise than the running program did: a mask that decided something, or another plan.
    fn tell_differences(&self, answer: &ResponseFile, played: &Played, case: &str) {
        let text = self.with_own_ids(&answer.print(), &mut Vec::new());
        let Ok(answer) = ResponseFile::parse(&text) else { return };
        if let (Body::Json(was), Body::Json(is)) = (&answer.body, &played.answer.body) {
            for one in compare(was.root(), is.root(), &[]) {
                let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
                let (was, is) = (side(&one.expected), side(&one.actual));
                // What the mapping writes by itself was masked where it was recorded, and is not where it is played.
                if tells_of_people(&one.pointer) && has_form_of(&is, &was) {
                    continue;
                }
                say(&format!("  {case} answers {} otherwise than was recorded: {was} -> {is}", one.pointer));
            }
        }
    }
}

/// Whether one text may be another one masked: letters for letters, digits for digits, all else the same.
fn has_form_of(text: &str, masked: &str) -> bool {
    let form = |c: char| match c {
        c if c.is_alphabetic() => 'a',
        c if c.is_ascii_digit() => '0',
        c => c,
    };
    let is_text = text.starts_with('"') && text.len() > 2;
    is_text && text.chars().map(form).eq(masked.chars().map(form))
}

/// The UUIDs of a text in their order.
fn uuids(text: &str) -> Vec<String> {
    let is_uuid = |word: &str| word.len() == UUID_BYTES && word.matches('-').count() == 4;
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    words.filter(|word| is_uuid(word)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_their_order() {
        let (one, two) = ("01a1fd1d-c5ed-70b6-b899-c9e68e5c867c", "00000000-0000-0000-0000-000000000003");
        let text = format!(r#"{{"id":"{one}","href":"http://a/b/{two}","no":"4711-1"}}"#);
        assert_eq!(uuids(&text), [one, two]);
    }

    #[test]
    fn a_masked_text_keeps_its_form() {
        assert!(has_form_of("\"desk@acme.example\"", "\"qwer@tzui.xcvbnmk\""));
        assert!(has_form_of("\"Straße 12\"", "\"Xwfyqo 93\""));
        for (is, was) in
            [("\"held\"", "\"assessed\""), ("12", "34"), ("true", "null"), ("\"A-1\"", "\"A1-\"")]
        {
            assert!(!has_form_of(is, was), "{is} {was}");
        }
    }

    #[test]
    fn names_of_cases_are_names_of_folders() {
        for name in ["a", "createQuote.real", "a-1"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "../a", "a/b", ".a", "a b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
