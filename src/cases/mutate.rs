//! Asking whether the cases hold the mapping: one rule at a time is changed, and a case must notice.
//!
//! A change is only asked of cases that can notice it: those that run the operation's mapping in the rule's
//! direction, by themselves or by a case before them. Which do is found out by trying: a case that neither a mapping
//! that refuses everything nor one that writes nothing disturbs does not run it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::Method;

use super::{
    form::Case,
    play::{PlayError, play},
};
use crate::{
    ids::PartnerId,
    mapping::{
        mutate::{Mutant, Way, mutants, mutated, probed},
        operation::OperationProgram,
    },
    plan::{Plan, PlanHandle},
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

/// Changes every rule of every mapped operation (or those whose place or address contains `filter`), and plays the
/// cases that use the operation until one is not what it says. All cases are taken to pass with the mapping as it
/// is. Runs on `threads` threads, each with a runtime of its own.
///
/// # Errors
/// A case that cannot be played at all.
pub fn mutate(
    plan: &Plan,
    cases: &BTreeMap<String, Case>,
    filter: Option<&str>,
    threads: usize,
) -> Result<Report, PlayError> {
    let mapped = mapped(plan);
    let rules = rules(&mapped, filter);
    let stage = Stage { plan, cases, mapped: &mapped };
    let own: Vec<(&Case, Vec<usize>)> =
        cases.values().map(|case| (case, stage.operations_of(case))).collect();
    let runs = in_parallel(threads, &own, |player, (case, operations)| {
        let runs = operations.iter().map(|index| player.runs(&stage, case, *index));
        Ok(runs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    })?;
    let runs: BTreeMap<&str, BTreeSet<Run>> =
        own.iter().map(|(case, _)| case.name.as_str()).zip(runs).collect();
    let mut all: Vec<(&Case, BTreeSet<Run>)> =
        cases.values().map(|case| (case, with_before(case, cases, &runs))).collect();
    // What needs fewer cases before it is asked first: it costs less.
    all.sort_by_key(|(case, _)| case.after.len());
    let order = Mutex::new(all);
    let noticed = in_parallel(threads, &rules, |player, rule| player.is_noticed(&stage, rule, &order))?;
    let mut report = Report::default();
    for (rule, noticed) in rules.into_iter().zip(noticed) {
        report.mutants += 1;
        if !noticed {
            report.survivors.push((rule.mutant, rule.address));
        }
    }
    Ok(report)
}

/// An operation's mapping in one direction; without direction, the operation at all.
type Run = (usize, Option<Way>);

/// An operation as a partner's mapping carries it out.
struct Mapped {
    partner: PartnerId,
    mapping: Arc<str>,
    function: Function,
    operation_id: &'static str,
    program: Arc<OperationProgram>,
}

/// One change, and the operations that it is made in.
struct Changed {
    mutant: Mutant,
    address: Arc<str>,
    operations: Vec<usize>,
}

/// What all threads share.
struct Stage<'s> {
    plan: &'s Plan,
    cases: &'s BTreeMap<String, Case>,
    mapped: &'s [Mapped],
}

/// One thread's runtime.
pub(super) struct Player(pub(super) tokio::runtime::Runtime);

fn mapped(plan: &Plan) -> Vec<Mapped> {
    let mut all = Vec::new();
    for partner in plan.partners() {
        for (function, operation_id, _) in partner.operations() {
            for (mapping, mapped) in partner.mapped(function, operation_id) {
                all.push(Mapped {
                    partner: partner.id().clone(),
                    mapping: Arc::clone(mapping),
                    function,
                    operation_id,
                    program: mapped.whole().program,
                });
            }
        }
    }
    all
}

fn rules(mapped: &[Mapped], filter: Option<&str>) -> Vec<Changed> {
    let mut rules: BTreeMap<Mutant, Changed> = BTreeMap::new();
    for (index, one) in mapped.iter().enumerate() {
        for (mutant, address) in mutants(&one.program) {
            if filter.is_some_and(|filter| !format!("{mutant} {address}").contains(filter)) {
                continue;
            }
            let fresh = || Changed { mutant: mutant.clone(), address, operations: Vec::new() };
            let operations = &mut rules.entry(mutant.clone()).or_insert_with(fresh).operations;
            // What partners share is changed for the first of them: for the others it is one and the same rule.
            let first = operations.first().and_then(|first| mapped.get(*first));
            let is_of_first = first.is_none_or(|first| first.partner == one.partner);
            if is_of_first && operations.last() != Some(&index) {
                operations.push(index);
            }
        }
    }
    rules.into_values().collect()
}

/// What playing a case runs: its own operation, and those of the cases before it.
fn with_before(
    case: &Case,
    cases: &BTreeMap<String, Case>,
    runs: &BTreeMap<&str, BTreeSet<Run>>,
) -> BTreeSet<Run> {
    let (mut found, mut waiting, mut seen) = (BTreeSet::new(), vec![case], BTreeSet::new());
    while let Some(case) = waiting.pop() {
        if seen.insert(&case.name) {
            waiting.extend(case.after.iter().filter_map(|name| cases.get(name)));
            found.extend(runs.get(case.name.as_str()).into_iter().flatten());
        }
    }
    found
}

/// Does the work of every element on the threads; results in the order of the elements.
pub(super) fn in_parallel<T: Sync, R: Send>(
    threads: usize,
    elements: &[T],
    work: impl Fn(&Player, &T) -> Result<R, PlayError> + Sync,
) -> Result<Vec<R>, PlayError> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(elements.len())));
    let one_thread = || -> Result<(), PlayError> {
        let player = Player::new()?;
        while let (index, Some(element)) = next_of(&next, elements) {
            let result = work(&player, element)?;
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(one_thread)).collect();
        let ended = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(PlayError::Setup("a thread of cases panicked".to_owned())))
        });
        ended.collect::<Result<Vec<()>, PlayError>>()
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

fn next_of<'e, T>(next: &AtomicUsize, elements: &'e [T]) -> (usize, Option<&'e T>) {
    let index = next.fetch_add(1, Ordering::Relaxed);
    (index, elements.get(index))
}

impl Stage<'_> {
    /// The operation that a case calls, as each mapping set of its partner has it.
    fn operations_of(&self, case: &Case) -> Vec<usize> {
        let Ok(method) = Method::from_bytes(case.request.method.as_bytes()) else { return Vec::new() };
        let path = case.request.path.split('?').next().unwrap_or_default();
        let Some(partner) = self.plan.partner(&case.partner) else { return Vec::new() };
        let Ok(route) = partner.route(&method, path) else { return Vec::new() };
        let is_own = |one: &Mapped| {
            one.partner == *partner.id()
                && one.function == route.function()
                && one.operation_id == route.operation.operation_id
        };
        let mapped = self.mapped.iter().enumerate().filter(|(_, one)| is_own(one));
        mapped.map(|(index, _)| index).collect()
    }

    /// The plan with other programs for some operations; none where nothing is other.
    fn with(
        &self,
        operations: &[usize],
        change: impl Fn(&OperationProgram) -> Option<OperationProgram>,
    ) -> Option<PlanHandle> {
        let mut changed: Option<Plan> = None;
        for one in operations.iter().filter_map(|index| self.mapped.get(*index)) {
            if let Some(program) = change(&one.program) {
                let programs = vec![(Arc::clone(&one.mapping), one.function, one.operation_id, program)];
                changed = Some(changed.as_ref().unwrap_or(self.plan).with_programs(&one.partner, programs));
            }
        }
        changed.map(PlanHandle::new)
    }
}

fn ask_first(order: &Mutex<Vec<(&Case, BTreeSet<Run>)>>, case: &Case) {
    let mut order = order.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(place) = order.iter().position(|(other, _)| other.name == case.name) {
        order[..=place].rotate_right(1);
    }
}

impl Player {
    fn new() -> Result<Self, PlayError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map(Self).map_err(|error| PlayError::Setup(error.to_string()))
    }

    fn fails(&self, stage: &Stage<'_>, case: &Case, plan: &PlanHandle) -> Result<bool, PlayError> {
        let played = self.0.block_on(play(case, stage.cases, plan, None))?;
        Ok(!played.faults.is_empty())
    }

    /// In which directions a case runs the mapping of its own operation.
    fn runs(&self, stage: &Stage<'_>, case: &Case, operation: usize) -> Result<BTreeSet<Run>, PlayError> {
        let mut runs = BTreeSet::from([(operation, None)]);
        for way in [Way::ToLegacy, Way::ToSonata] {
            for refuses in [true, false] {
                let plan = stage.with(&[operation], |program| Some(probed(program, way, refuses)));
                if let Some(plan) = plan
                    && self.fails(stage, case, &plan)?
                {
                    runs.insert((operation, Some(way)));
                    break;
                }
            }
        }
        Ok(runs)
    }

    /// Whether a case notices the change. Rules stand beside rules of their kind: the case that noticed one is
    /// asked first for the next.
    fn is_noticed(
        &self,
        stage: &Stage<'_>,
        rule: &Changed,
        order: &Mutex<Vec<(&Case, BTreeSet<Run>)>>,
    ) -> Result<bool, PlayError> {
        let Some(plan) = stage.with(&rule.operations, |program| mutated(program, &rule.mutant)) else {
            return Ok(true);
        };
        let way = rule.mutant.change.is_of_program().then_some(rule.mutant.direction);
        let concerned =
            |runs: &BTreeSet<Run>| rule.operations.iter().any(|operation| runs.contains(&(*operation, way)));
        let cases: Vec<&Case> = {
            let order = order.lock().unwrap_or_else(PoisonError::into_inner);
            order.iter().filter(|(_, runs)| concerned(runs)).map(|(case, _)| *case).collect()
        };
        for case in cases {
            if self.fails(stage, case, &plan)? {
                ask_first(order, case);
                return Ok(true);
            }
        }
        Ok(false)
    }
}
