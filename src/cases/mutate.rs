//! Asking whether the cases hold the mapping: one rule at a time is changed, and a case must notice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use http::Method;

use super::{
    form::Case,
    play::{PlayError, play},
};
use crate::{
    ids::PartnerId,
    mapping::{
        mutate::{Mutant, mutants, mutated},
        operation::OperationProgram,
    },
    plan::{Plan, PlanHandle, Served},
    sonata::Function,
};

/// What came of changing every rule.
#[derive(Debug, Default)]
pub struct Report {
    /// How many changes were tried.
    pub mutants: usize,
    /// Those that no case noticed, in the order of files and lines, with the address of the rule.
    pub survivors: Vec<(Mutant, Arc<str>)>,
}

/// An operation as a partner's mapping carries it out.
struct Mapped {
    partner: PartnerId,
    function: Function,
    operation_id: &'static str,
    program: Arc<OperationProgram>,
}

/// Changes every rule of every mapped operation (or those whose place or address contains a text), and plays the cases that use the operation until one is not what
/// it says. All cases are taken to pass with the mapping as it is.
///
/// # Errors
/// A case that cannot be played at all.
pub async fn mutate(
    plan: &Plan,
    cases: &BTreeMap<String, Case>,
    filter: Option<&str>,
) -> Result<Report, PlayError> {
    let mapped = mapped(plan);
    let mut rules: BTreeMap<Mutant, (Arc<str>, Vec<usize>)> = BTreeMap::new();
    for (index, one) in mapped.iter().enumerate() {
        for (mutant, address) in mutants(&one.program) {
            if filter.is_some_and(|filter| !format!("{mutant} {address}").contains(filter)) {
                continue;
            }
            let uses = &mut rules.entry(mutant).or_insert((address, Vec::new())).1;
            if uses.last() != Some(&index) {
                uses.push(index);
            }
        }
    }
    let uses = cases.values().map(|case| (case, operations_of(case, cases, plan, &mapped)));
    let mut players: Vec<(&Case, BTreeSet<usize>)> = uses.collect();
    let mut report = Report::default();
    for (mutant, (address, indices)) in rules {
        let Some(plan) = with(plan, &mapped, &indices, &mutant) else { continue };
        let handle = PlanHandle::new(plan);
        report.mutants += 1;
        let mut noticed = None;
        for (place, (case, operations)) in players.iter().enumerate() {
            if indices.iter().any(|index| operations.contains(index))
                && !play(case, cases, &handle, None).await?.faults.is_empty()
            {
                noticed = Some(place);
                break;
            }
        }
        match noticed {
            // Rules stand beside rules of their kind: the case that noticed this one is asked first for the next.
            Some(place) => players[..=place].rotate_right(1),
            None => report.survivors.push((mutant, address)),
        }
    }
    Ok(report)
}

fn mapped(plan: &Plan) -> Vec<Mapped> {
    let mut all = Vec::new();
    for partner in plan.partners() {
        for (function, operation_id, served) in partner.operations() {
            if let Served::Mapped(mapped) = served {
                let (partner, program) = (partner.id().clone(), Arc::clone(&mapped.program));
                all.push(Mapped { partner, function, operation_id, program });
            }
        }
    }
    all
}

/// The operations that playing a case takes: its own, and those of the cases before it.
fn operations_of(
    case: &Case,
    cases: &BTreeMap<String, Case>,
    plan: &Plan,
    mapped: &[Mapped],
) -> BTreeSet<usize> {
    let (mut found, mut waiting, mut seen) = (BTreeSet::new(), vec![case], BTreeSet::new());
    while let Some(case) = waiting.pop() {
        if !seen.insert(&case.name) {
            continue;
        }
        waiting.extend(case.after.iter().filter_map(|name| cases.get(name)));
        let method = Method::from_bytes(case.request.method.as_bytes()).ok();
        let path = case.request.path.split('?').next().unwrap_or_default();
        let Some(partner) = plan.loopback_partner(path) else { continue };
        let Some(route) = method.and_then(|method| partner.route(&method, path).ok()) else { continue };
        found.extend(mapped.iter().position(|one| {
            one.partner == *partner.id()
                && one.function == route.function()
                && one.operation_id == route.operation.operation_id
        }));
    }
    found
}

/// The plan with one rule changed wherever it was compiled.
fn with(plan: &Plan, mapped: &[Mapped], indices: &[usize], mutant: &Mutant) -> Option<Plan> {
    let mut changed: Option<Plan> = None;
    for one in indices.iter().filter_map(|index| mapped.get(*index)) {
        if let Some(program) = mutated(&one.program, mutant) {
            let programs = vec![(one.function, one.operation_id, program)];
            changed = Some(changed.as_ref().unwrap_or(plan).with_programs(&one.partner, programs));
        }
    }
    changed
}
