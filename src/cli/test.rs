//! `segue test`.

use std::{collections::BTreeMap, path::Path, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use serde_json::json;

use super::{
    TestArguments, TestFormat,
    junit::{self, Outcome},
    output::{complain, say},
    round,
};
use crate::{
    cases::{
        form::{self, Case},
        mutate::mutate,
        play::{Played, play},
        round::rounds,
        stand::Stand,
        update::update,
    },
    exchange::ports::LegacyPort,
    mapping::round::Verdict,
    plan::{self, PlanHandle},
};

/// Plays the cases and prints where they are not what they say.
pub fn run(config: &Path, arguments: &TestArguments) -> anyhow::Result<ExitCode> {
    let built = plan::load(config, None);
    let Some(plan) = built.plan else {
        complain(built.diagnostics.render_text(&built.sources).trim_end());
        return Ok(ExitCode::FAILURE);
    };
    let mappings = plan.settings().gateway.mappings.clone();
    let plan = PlanHandle::new(plan);
    let cases: BTreeMap<String, Case> =
        form::find(&mappings)?.into_iter().map(|case| (case.name.clone(), case)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if !arguments.mutate {
        let outcomes = runtime.block_on(play_all(arguments, &plan, &cases))?;
        return finish(arguments, &plan, &cases, outcomes);
    }
    let failing = runtime.block_on(failing(&plan, &cases))?;
    if failing > 0 {
        say(&format!("{failing} cases fail with the mapping as it is: mend them first"));
        return Ok(ExitCode::FAILURE);
    }
    mutate_all(arguments, &plan, &cases)
}

/// How many cases do not pass: they would notice every change.
async fn failing(plan: &PlanHandle, cases: &BTreeMap<String, Case>) -> anyhow::Result<usize> {
    let mut failing = 0usize;
    for case in cases.values() {
        let played = play(case, cases, plan, None).await.with_context(|| case.name.clone())?;
        if !played.faults.is_empty() {
            failing += 1;
            tell(case, &played);
        }
    }
    Ok(failing)
}

fn mutate_all(
    arguments: &TestArguments,
    plan: &PlanHandle,
    cases: &BTreeMap<String, Case>,
) -> anyhow::Result<ExitCode> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let report = mutate(&plan.load(), cases, arguments.filter.as_deref(), threads)?;
    for (mutant, address) in &report.survivors {
        say(&format!("{mutant} {address}: {}, no case noticed", mutant.change.as_str()));
    }
    say(&format!("{} mutants, {} survived", report.mutants, report.survivors.len()));
    Ok(if report.survivors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The cases that were played, and how many findings there were in how many of them.
struct Outcomes<'c> {
    played: Vec<Outcome<'c>>,
    findings: usize,
    with_findings: usize,
}

async fn play_all<'c>(
    arguments: &TestArguments,
    plan: &PlanHandle,
    cases: &'c BTreeMap<String, Case>,
) -> anyhow::Result<Outcomes<'c>> {
    let wanted = |case: &&Case| arguments.filter.as_deref().is_none_or(|filter| case.name.contains(filter));
    let mut all = Outcomes { played: Vec::new(), findings: 0, with_findings: 0 };
    for case in cases.values().filter(wanted) {
        let stand: Option<Arc<dyn LegacyPort>> = if arguments.update {
            Some(Stand::start(case.clock.to_zoned(jiff::tz::TimeZone::UTC).date()).await?)
        } else {
            None
        };
        let mut played = play(case, cases, plan, stand).await.with_context(|| case.name.clone())?;
        all.findings += played.findings.len();
        all.with_findings += usize::from(!played.findings.is_empty());
        let is_text = arguments.format == TestFormat::Text;
        if arguments.findings && !played.findings.is_empty() {
            say(&format!("case {}", case.name));
            tell_findings(&played);
        }
        if arguments.update {
            update(case, &played)?.iter().for_each(|line| say(line));
            played.faults.clear();
        } else if is_text && !played.faults.is_empty() {
            tell(case, &played);
            if !arguments.findings {
                tell_findings(&played);
            }
        }
        all.played.push(Outcome { case: case.name.as_str().into(), faults: played.faults });
    }
    Ok(all)
}

/// Tries the round trips, and tells what came of everything.
fn finish(
    arguments: &TestArguments,
    plan: &PlanHandle,
    cases: &BTreeMap<String, Case>,
    mut all: Outcomes<'_>,
) -> anyhow::Result<ExitCode> {
    let tried = if arguments.update {
        Vec::new()
    } else {
        rounds(&plan.load(), cases, arguments.filter.as_deref(), arguments.seed)
    };
    if let Some(filter) = &arguments.filter
        && all.played.is_empty()
        && tried.is_empty()
    {
        anyhow::bail!("no case and no round trip has `{filter}` in its name");
    }
    let failed = all.played.iter().filter(|outcome| !outcome.faults.is_empty()).count();
    let lost = tried.iter().filter(|round| round.report.verdict() == Verdict::Lost).count();
    match arguments.format {
        TestFormat::Text => {
            round::tell(&tried, arguments.round_trips);
            for line in round::needless(&tried) {
                say(&line);
            }
            let Outcomes { played, findings, with_findings } = &all;
            let passed = played.len() - failed;
            if !tried.is_empty() {
                say(&round::summary(&tried, arguments.seed));
            }
            say(&format!("{passed} passed, {failed} failed, {findings} findings in {with_findings} cases"));
        }
        TestFormat::Junit => {
            all.played.extend(tried.iter().map(|round| Outcome {
                case: format!("round trips/{}", round.name()).into(),
                faults: round::faults(round),
            }));
            say(&junit::report(&all.played));
        }
        TestFormat::Json => {
            let cases =
                all.played.iter().map(|outcome| json!({ "case": &*outcome.case, "faults": outcome.faults }));
            let report = json!({
                "cases": cases.collect::<Vec<_>>(),
                "seed": arguments.seed,
                "roundTrips": tried.iter().map(round::as_json).collect::<Vec<_>>(),
            });
            say(&serde_json::to_string_pretty(&report).context("the report")?);
        }
    }
    Ok(if failed + lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(case: &Case, played: &Played) {
    say(&format!("case {}", case.name));
    played.faults.iter().for_each(|fault| say(&format!("  {fault}")));
}

fn tell_findings(played: &Played) {
    played.findings.iter().for_each(|finding| say(&format!("  finding {finding}")));
}
