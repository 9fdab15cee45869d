//! What another configuration changes on the wire: the cases of both, played with both.
//!
//! Nothing is held against what a case expects: it gives the partner's request and the legacy system's answers, and
//! what two plans make of them is compared. A case that stands in both folders and says the same is played once.

use std::collections::BTreeMap;

use http::Method;

use super::{
    compare::compare,
    form::Case,
    message::{Body, RequestFile},
    mutate::in_parallel,
    play::{PlayError, Played, play},
};
use crate::plan::{PartnerPlan, Plan, PlanHandle};

/// Differences of one exchange that are kept; the rest of it is like them.
const CHANGES_MAX: usize = 200;
/// Longest value that is told, in characters.
const VALUE_CHARS_MAX: usize = 120;

/// A configuration with its cases.
pub struct Side {
    /// The plan.
    pub plan: PlanHandle,
    /// Its cases by name.
    pub cases: BTreeMap<String, Case>,
}

/// Where something is other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where {
    /// A legacy call as a whole: made by one of the two only.
    Call,
    /// Method and address of a legacy call.
    Address,
    /// A header of a legacy call.
    CallHeader,
    /// A member of a legacy call's body.
    CallBody,
    /// The status that the partner gets.
    Status,
    /// A header that the partner gets.
    AnswerHeader,
    /// A member of the partner's answer.
    AnswerBody,
}

impl Where {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "legacy call",
            Self::Address => "legacy address",
            Self::CallHeader => "legacy header",
            Self::CallBody => "legacy request",
            Self::Status => "answer status",
            Self::AnswerHeader => "answer header",
            Self::AnswerBody => "answer",
        }
    }
}

/// One difference of one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub at: Where,
    /// JSON Pointer of the member, name of the header; else empty.
    pub place: String,
    /// What is there with the old configuration.
    pub old: Option<String>,
    /// What is there with the new one.
    pub new: Option<String>,
}

/// Exchanges of one operation that differ in the same way: elements of arrays count as one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The first of them.
    pub change: Change,
    /// The case that it is of.
    pub example: String,
    /// How many cases differ so.
    pub cases: usize,
}

/// What is other of one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    /// How it is served with the old configuration; none where the partner is not there.
    pub old: Option<String>,
    /// The same with the new one.
    pub new: Option<String>,
    /// Cases that were played.
    pub played: usize,
    /// Cases that differ.
    pub differing: usize,
    /// How.
    pub changes: Vec<Changed>,
}

impl Operation {
    /// Whether nothing is other.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.old == self.new && self.changes.is_empty()
    }
}

/// A partner and an operation `function.operationId`; none for a request that means no operation.
pub type Key = (String, Option<String>);

/// Compares two configurations on `threads` threads, for all partners or one.
///
/// # Errors
/// A case that cannot be played at all.
pub fn differ(
    old: &Side,
    new: &Side,
    partner: Option<&str>,
    threads: usize,
) -> Result<BTreeMap<Key, Operation>, PlayError> {
    let mut found: BTreeMap<Key, Operation> = BTreeMap::new();
    let (old_plan, new_plan) = (old.plan.load(), new.plan.load());
    let is_wanted = |name: &str| partner.is_none_or(|wanted| wanted == name);
    for (plan, is_new) in [(&old_plan, false), (&new_plan, true)] {
        for partner in plan.partners().filter(|partner| is_wanted(partner.id().as_str())) {
            for (name, served) in served(partner) {
                let operation = found.entry((partner.id().as_str().to_owned(), Some(name))).or_default();
                *(if is_new { &mut operation.new } else { &mut operation.old }) = Some(served);
            }
        }
    }
    let played = cases(old, new);
    let played: Vec<&(&Case, &Side)> = played.iter().filter(|(case, _)| is_wanted(&case.partner)).collect();
    let in_both =
        |case: &Case| old_plan.partner(&case.partner).zip(new_plan.partner(&case.partner)).is_some();
    let changes = in_parallel(threads, &played, |player, (case, side)| {
        // Of a partner that only one of the two has there is nothing to compare.
        if !in_both(case) {
            return Ok(None);
        }
        let one = |plan| player.0.block_on(play(case, &side.cases, plan, None));
        Ok(Some(changes(&one(&old.plan)?, &one(&new.plan)?)))
    })?;
    for ((case, _), changes) in played.into_iter().zip(changes) {
        let Some(changes) = changes else { continue };
        let name = operation_of(&old_plan, case).or_else(|| operation_of(&new_plan, case));
        let operation = found.entry((case.partner.clone(), name)).or_default();
        operation.played += 1;
        operation.differing += usize::from(!changes.is_empty());
        gather(operation, &case.name, changes);
    }
    Ok(found)
}

/// How each operation is served: in a word, and by which backend and mapping set.
fn served(partner: &PartnerPlan) -> Vec<(String, String)> {
    let all = partner.operations().map(|(function, id, served)| {
        let ways = partner.targets(function, id).iter().filter(|way| way.served.mapped().is_some());
        let ways: Vec<String> = ways.map(|way| format!("{} by {}", way.backend, way.mapping)).collect();
        let ways = if ways.is_empty() { String::new() } else { format!(" ({})", ways.join(", ")) };
        (format!("{}.{id}", function.name()), format!("{}{ways}", served.as_str()))
    });
    all.collect()
}

/// The cases of both, each once with the side whose it is.
fn cases<'s>(old: &'s Side, new: &'s Side) -> Vec<(&'s Case, &'s Side)> {
    let mut all: Vec<(&Case, &Side)> = new.cases.values().map(|case| (case, new)).collect();
    let others = old.cases.values().filter(|case| {
        let twin = new.cases.get(&case.name);
        !twin.is_some_and(|twin| is_same(case, twin, old, new))
    });
    all.extend(others.map(|case| (case, old)));
    all
}

/// Whether two cases put the same in, and so do those before them.
fn is_same(left: &Case, right: &Case, old: &Side, new: &Side) -> bool {
    let answers = |case: &Case| -> Vec<Option<String>> {
        case.calls
            .iter()
            .map(|call| call.response.as_ref().map(super::message::ResponseFile::print))
            .collect()
    };
    let before = |name: &String| {
        old.cases
            .get(name)
            .zip(new.cases.get(name))
            .is_some_and(|(left, right)| is_same(left, right, old, new))
    };
    left.partner == right.partner
        && left.clock == right.clock
        && left.after == right.after
        && left.request.print() == right.request.print()
        && answers(left) == answers(right)
        && !left.after.contains(&left.name)
        && left.after.iter().all(before)
}

/// The operation that a case asks for, as `function.operationId`; none where it means none, or its partner is not there.
#[must_use]
pub fn operation_of(plan: &Plan, case: &Case) -> Option<String> {
    let path = case.request.path.split('?').next().unwrap_or_default();
    let method = Method::from_bytes(case.request.method.as_bytes()).ok()?;
    let route = plan.partner(&case.partner)?.route(&method, path).ok()?;
    Some(format!("{}.{}", route.contract.function.name(), route.operation.operation_id))
}

/// Puts the changes of one case to those that are like them.
fn gather(operation: &mut Operation, case: &str, changes: Vec<Change>) {
    let mut seen: Vec<(Where, String)> = Vec::new();
    for change in changes {
        let key = (change.at, pattern(&change.place));
        if seen.contains(&key) {
            continue;
        }
        let mut known = operation.changes.iter_mut();
        match known.find(|known| (known.change.at, pattern(&known.change.place)) == key) {
            Some(known) => known.cases += 1,
            None => operation.changes.push(Changed { change, example: case.to_owned(), cases: 1 }),
        }
        seen.push(key);
    }
}

/// A place with `*` for the positions in arrays.
fn pattern(place: &str) -> String {
    let is_position = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    place.split('/').map(|step| if is_position(step) { "*" } else { step }).collect::<Vec<_>>().join("/")
}

/// What is other on the wire between two exchanges.
fn changes(old: &Played, new: &Played) -> Vec<Change> {
    let mut found = Vec::new();
    for (old, new) in pairs(old, new) {
        match (old, new) {
            (Some(old), Some(new)) => of_call(old, new, &mut found),
            (old, new) => found.push(change(Where::Call, "", old.map(line), new.map(line))),
        }
    }
    let status = |played: &Played| Some(played.answer.status.to_string());
    if old.answer.status != new.answer.status {
        found.push(change(Where::Status, "", status(old), status(new)));
    }
    of_headers(Where::AnswerHeader, &old.answer.headers, &new.answer.headers, &mut found);
    of_bodies(Where::AnswerBody, &old.answer.body, &new.answer.body, &mut found);
    found.truncate(CHANGES_MAX);
    found
}

/// A call of the old configuration beside the one of the new that takes its place.
type Pair<'p> = (Option<&'p RequestFile>, Option<&'p RequestFile>);

/// Whether two calls may be such a pair.
type Fits<'f> = &'f dyn Fn(&RequestFile, &RequestFile) -> bool;

/// Which calls belong together: those that are equal, then those with one address, then the others in order.
fn pairs<'p>(old: &'p Played, new: &'p Played) -> Vec<Pair<'p>> {
    let left: Vec<&RequestFile> = old.calls.iter().map(|(request, _)| request).collect();
    let mut right: Vec<Option<&RequestFile>> = new.calls.iter().map(|(request, _)| Some(request)).collect();
    let mut partners: Vec<Option<&RequestFile>> = vec![None; left.len()];
    let is_equal = |one: &RequestFile, other: &RequestFile| one.print() == other.print();
    let is_near = |one: &RequestFile, other: &RequestFile| line(one) == line(other);
    let is_any = |_: &RequestFile, _: &RequestFile| true;
    let fits: [Fits<'_>; 3] = [&is_equal, &is_near, &is_any];
    for fits in fits {
        for (one, partner) in left.iter().zip(&mut partners).filter(|(_, partner)| partner.is_none()) {
            let found = right.iter_mut().find(|other| other.is_some_and(|other| fits(one, other)));
            *partner = found.and_then(Option::take);
        }
    }
    let more = right.into_iter().flatten().map(|one| (None, Some(one)));
    left.into_iter().zip(partners).map(|(one, partner)| (Some(one), partner)).chain(more).collect()
}

fn line(call: &RequestFile) -> String {
    format!("{} {}", call.method, call.path)
}

fn of_call(old: &RequestFile, new: &RequestFile, found: &mut Vec<Change>) {
    if line(old) != line(new) {
        found.push(change(Where::Address, "", Some(line(old)), Some(line(new))));
    }
    of_headers(Where::CallHeader, &old.headers, &new.headers, found);
    of_bodies(Where::CallBody, &old.body, &new.body, found);
}

fn of_headers(at: Where, old: &[(String, String)], new: &[(String, String)], found: &mut Vec<Change>) {
    // The length follows from the body.
    let by_name = |list: &[(String, String)]| -> BTreeMap<String, String> {
        list.iter().filter(|(name, _)| name != "content-length").cloned().collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
        if old.get(name) != new.get(name) {
            found.push(change(at, name, old.get(name).cloned(), new.get(name).cloned()));
        }
    }
}

fn of_bodies(at: Where, old: &Body, new: &Body, found: &mut Vec<Change>) {
    match (old, new) {
        (Body::Json(left), Body::Json(right)) | (Body::Xml(left), Body::Xml(right)) => {
            let differences = compare(left.root(), right.root(), &[]);
            found.extend(
                differences.into_iter().map(|one| change(at, &one.pointer, one.expected, one.actual)),
            );
        }
        (left, right) if left.bytes() == right.bytes() => {}
        (left, right) => {
            let text = |body: &Body| {
                let bytes = body.bytes();
                (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
            };
            found.push(change(at, "", text(left), text(right)));
        }
    }
}

fn change(at: Where, place: &str, old: Option<String>, new: Option<String>) -> Change {
    let short = |text: String| match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    };
    Change { at, place: place.to_owned(), old: old.map(short), new: new.map(short) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::message::ResponseFile;

    fn played(calls: &[(&str, &str)], status: u16, answer: &str) -> Played {
        let body = |text: &str| Body::of(&bytes::Bytes::from(text.to_owned()));
        let calls = calls.iter().map(|(path, text)| {
            let request = RequestFile {
                method: "POST".to_owned(),
                path: (*path).to_owned(),
                headers: vec![("content-length".to_owned(), text.len().to_string())],
                body: body(text),
            };
            (request, ResponseFile::default())
        });
        Played {
            calls: calls.collect(),
            answer: ResponseFile { status, body: body(answer), ..ResponseFile::default() },
            ..Played::default()
        }
    }

    fn told(old: &Played, new: &Played) -> Vec<String> {
        let side = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
        let all = changes(old, new).into_iter();
        all.map(|one| format!("{} {}: {} > {}", one.at.as_str(), one.place, side(one.old), side(one.new)))
            .collect()
    }

    #[test]
    fn calls_are_compared_with_those_that_they_are_most_like() {
        let old = played(&[("/a", r#"{"x":1}"#), ("/b", "{}")], 201, r#"{"s":"a"}"#);
        assert_eq!(told(&old, &old), Vec::<String>::new());
        let new = played(&[("/new", "{}"), ("/a", r#"{"x":2}"#), ("/b", "{}")], 201, r#"{"s":"b"}"#);
        assert_eq!(
            told(&old, &new),
            ["legacy request /x: 1 > 2", "legacy call : nothing > POST /new", r#"answer /s: "a" > "b""#]
        );
        let moved = played(&[("/c", r#"{"x":1}"#), ("/b", "{}")], 500, "no");
        assert_eq!(
            told(&old, &moved),
            ["legacy address : POST /a > POST /c", "answer status : 201 > 500", r#"answer : {"s":"a"} > no"#]
        );
    }

    #[test]
    fn places_in_arrays_count_as_one() {
        let mut operation = Operation::default();
        let of = |place: &str| change(Where::CallBody, place, None, Some("1".to_owned()));
        gather(&mut operation, "one", vec![of("/lines/0/a"), of("/lines/1/a"), of("/lines/0/b")]);
        gather(&mut operation, "two", vec![of("/lines/7/a")]);
        let rows: Vec<_> =
            operation.changes.iter().map(|one| (one.change.place.as_str(), one.cases)).collect();
        assert_eq!(rows, [("/lines/0/a", 2), ("/lines/0/b", 1)]);
        assert_eq!(operation.changes[0].example, "one");
    }

    #[test]
    fn long_values_are_cut() {
        let long = change(Where::AnswerBody, "/a", Some("ä".repeat(VALUE_CHARS_MAX + 1)), None);
        assert_eq!(long.old.unwrap().chars().count(), VALUE_CHARS_MAX + 1);
    }
}
