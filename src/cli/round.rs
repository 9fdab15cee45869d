//! Round trips as `segue test` tells them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::output::say;
use crate::{
    cases::round::Round,
    mapping::{
        direction::Direction,
        program::Origin,
        round::{Loss, Report, Verdict},
    },
};

/// Prints what is lost, and with `all` what is claimed of every use and what is not.
pub fn tell(rounds: &[Round], all: bool) {
    for round in rounds {
        let report = &round.report;
        if all {
            say(&format!("round trip {}: {}", round.name(), counted(report)));
            report
                .scripts
                .iter()
                .for_each(|rule| say(&format!("  not claimed, a script: {}", rule_of(rule))));
            report
                .untried
                .iter()
                .for_each(|rule| say(&format!("  not reached by any document: {}", rule_of(rule))));
            for (rule, direction, reason) in &report.accepted {
                say(&format!("  not claimed {direction}: {}: {reason}", rule_of(rule)));
            }
        } else if !report.losses.is_empty() {
            say(&format!("round trip {}", round.name()));
        }
        for loss in &report.losses {
            for line in lines(loss) {
                say(&format!("  {line}"));
            }
        }
    }
}

/// Rules that say `lossy:` where nothing was lost, in none of the directions and round trips that they say it of.
pub fn needless(rounds: &[Round]) -> Vec<String> {
    let mut found = BTreeMap::new();
    for round in rounds {
        for (rule, direction, _) in &round.report.accepted {
            let is_it = |(own, way): &(Origin, Direction)| {
                *way == *direction && (&own.file, own.line) == (&rule.file, rule.line)
            };
            let is_needless = round.report.needless.iter().any(is_it);
            *found.entry((&rule.file, rule.line, rule_of(rule))).or_insert(true) &= is_needless;
        }
    }
    let told = found.into_iter().filter(|(_, is_needless)| *is_needless);
    told.map(|((.., rule), _)| {
        format!("{rule} says `lossy`, and nothing was lost of any document: perhaps it can go")
    })
    .collect()
}

/// One line for all of them.
pub fn summary(rounds: &[Round], seed: u64) -> String {
    let count = |verdict| rounds.iter().filter(|round| round.report.verdict() == verdict).count();
    let documents: usize = rounds.iter().map(|round| round.report.documents).sum();
    format!(
        "{} round trips: {} proved, {} tested, {} lost; {documents} documents, seed {seed}",
        rounds.len(),
        count(Verdict::Proved),
        count(Verdict::Tested),
        count(Verdict::Lost),
    )
}

/// What is lost, as the faults of a case are told.
pub fn faults(round: &Round) -> Vec<String> {
    round.report.losses.iter().map(|loss| lines(loss).join("\n")).collect()
}

fn counted(report: &Report) -> String {
    format!(
        "{}: {} places proved, {} tested, {} documents, {} refused",
        report.verdict().as_str(),
        report.proved,
        report.tested,
        report.documents,
        report.refused,
    )
}

fn rule_of(rule: &Origin) -> String {
    format!("{}:{} {}", rule.file, rule.line, rule.address)
}

fn lines(loss: &Loss) -> Vec<String> {
    let rule = loss
        .rule
        .as_ref()
        .map_or_else(|| "the mapping".to_owned(), |rule| format!("{}:{}", rule.file, rule.line));
    let back =
        loss.other.as_ref().map(|rule| format!(", back by {}:{}", rule.file, rule.line)).unwrap_or_default();
    let mut lines = vec![format!(
        "{rule}{back}: {} {} {}: {} comes back as {}",
        loss.direction,
        loss.kind.as_str(),
        loss.place,
        loss.sent,
        loss.came
    )];
    if let Some([sent, made, back]) = &loss.example {
        lines.extend([format!("  sent {sent}"), format!("  made {made}"), format!("  back {back}")]);
    }
    lines
}

/// One round trip, as JSON.
pub fn as_json(round: &Round) -> Value {
    let place = |rule: &Origin| json!({ "file": &*rule.file, "line": rule.line, "column": rule.column, "address": &*rule.address });
    let report = &round.report;
    let losses = report.losses.iter().map(|loss| {
        json!({
            "direction": loss.direction.as_str(),
            "kind": loss.kind.as_str(),
            "rule": loss.rule.as_ref().map(place),
            "back": loss.other.as_ref().map(place),
            "place": loss.place,
            "sent": loss.sent,
            "came": loss.came,
            "documents": loss.example,
        })
    });
    let accepted = report.accepted.iter().map(|(rule, direction, reason)| {
        json!({ "rule": place(rule), "direction": direction.as_str(), "reason": reason })
    });
    json!({
        "mapping": &*round.mapping,
        "there": round.there,
        "back": round.back,
        "partners": round.partners,
        "verdict": report.verdict().as_str(),
        "placesProved": report.proved,
        "placesTested": report.tested,
        "documents": report.documents,
        "refused": report.refused,
        "scripts": report.scripts.iter().map(place).collect::<Vec<_>>(),
        "lossy": accepted.collect::<Vec<_>>(),
        "notReached": report.untried.iter().map(place).collect::<Vec<_>>(),
        "losses": losses.collect::<Vec<_>>(),
    })
}
