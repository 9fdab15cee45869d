//! Every case that is shipped beside the mappings is played, as `segue test` does.

use segue::{
    cases::{
        form::{self, Case},
        mutate::mutate,
        play::play,
    },
    plan::{self, PlanHandle},
};
use std::{collections::BTreeMap, path::Path};

/// Bodies of createQuote and createProductOrder that must be mediated; there are at least so many cases of them.
/// The number may only grow.
const VALID_CREATES_MIN: usize = 54;
/// Bodies of the same operations that must be refused, or that the legacy system or the network refuses.
const FAULTY_CREATES_MIN: usize = 121;
/// Changes of single rules that no case notices. The number may only shrink; `segue test --mutate` lists them.
///
/// Those of today change nothing that a partner or a legacy system sees: the last of the kinds of address that the
/// contract knows is tested though no other is left; one that only decides which finding the operator gets, where a
/// quote's line says no product and nothing is written either way; and an order's id, which is one and the same with
/// Acme and in Sonata.
const SURVIVORS_MAX: usize = 3;

/// Cases in which the operator is told something, how much, and why it must be; beside those called `odd-…`, where the
/// legacy system says what nobody knows. Everything else is answered as the standard has it, with nothing left out.
/// `segue test --findings` prints them.
#[rustfmt::skip]
const FINDINGS: [(&str, usize, &str); 17] = [
    ("billing/retrieveCustomerBillItem", 1, "what was bought otherwise has no order, which grace requires"),
    ("billing/retrieveCustomerBillItem.credited", 1, "the same"),
    ("billing/retrieveCustomerBillItem.disputed", 1, "the same"),
    ("billing/retrieveCustomerBillItem.usage", 1, "the same"),
    ("buying/createQuote.one", 1, "the Seller does not repeat what the product is"),
    ("buying/retrieveQuote.own-number", 1, "the Seller does not repeat what the product is"),
    ("inventory/retrieveProduct.wayne", 5, "billie requires of a port what Acme does not say"),
    ("order/retrieveCharge.several", 1, "a cancellation that this partner did not ask for"),
    ("order/retrieveProductOrder.unknown-state", 1, "a state that nobody knows"),
    ("order/told.backwards", 1, "what is done cannot be in work again"),
    ("poq/retrieveProductOfferingQualification.back", 2, "a state that cannot follow"),
    ("quote/createQuote.deleted-told", 8, "an article that nobody knows; of three others Acme has no column for what their types require"),
    ("quote/createQuote.hooli-loose", 1, "a value that the product's schema does not allow, which this partner's policy lets pass"),
    ("ticket/listTroubleTicket", 1, "an open ticket has no date of resolution, which grace requires of lists"),
    ("ticket/retrieveIncident.about-order", 1, "what is neither product nor order is left out"),
    ("ticket/told.notice-ended", 1, "the same"),
    ("ticket/told.notice-new", 1, "the same"),
];

/// Paragraphs of the guides that the messages of the cases break, and how often: requests that this partner may send
/// so, and answers for which Acme does not know what the guides want.
#[rustfmt::skip]
const RULE_FINDINGS: [(&str, usize, &str); 27] = [
    ("115:grace:R18", 1, "globex may"),
    ("115:grace:R19", 1, "globex may"),
    ("115:grace:R20", 1, "globex may"),
    ("115:grace:R23", 4, "globex may"),
    ("115:grace:R24", 2, "globex may"),
    ("115:grace:R34", 1, "Acme answers a survey with a price that binds nobody"),
    ("115:grace:R42", 1, "globex may"),
    ("115:grace:R43", 5, "globex may"),
    ("115:grace:R51.firm", 1, "a quote that was cancelled has no date of it"),
    ("116:grace:R14", 19, "Acme has one desk, and no contacts of the Buyer"),
    ("121:grace:R12", 14, "this partner wants no alternatives"),
    ("122:grace:R10", 12, "sites are asked for by name and by customer"),
    ("123:grace:R13", 3, "globex may"),
    ("123:grace:R14", 97, "Acme asks for one contact"),
    ("123:grace:R24", 1, "Acme hurries what nobody asked to be"),
    ("123:grace:R25", 1, "the same"),
    ("123:grace:R30", 1, "globex may"),
    ("123:grace:R32", 4, "globex may"),
    ("123:grace:R33", 57, "globex may"),
    ("123:grace:R34", 51, "Acme has a term of its own"),
    ("123:grace:R42", 12, "the same"),
    ("123:grace:R50", 4, "Acme moves dates without a word"),
    ("123:grace:R95", 2, "globex may"),
    ("124:grace:R28", 3, "Acme closes tickets without a word"),
    ("137:grace:R18", 13, "Acme does not say who comes"),
    ("87:grace:R18", 1, "globex may"),
    ("87:grace:R28", 1, "a colour that nobody knows"),
];

fn shipped() -> Option<(PlanHandle, BTreeMap<String, Case>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = plan::load(&root.join("config"), None);
    let Some(plan) = built.plan else { panic!("{}", built.diagnostics.render_text(&built.sources)) };
    let cases = form::find(&root.join("mappings")).expect("every folder with a case.yaml is a case");
    if cases.is_empty() {
        println!("skipped: there are no cases yet");
        return None;
    }
    let cases = cases.into_iter().map(|case| (case.name.clone(), case)).collect();
    Some((PlanHandle::new(plan), cases))
}

#[test]
fn every_shipped_case_is_what_it_says() {
    let Some((plan, cases)) = shipped() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut failed, mut findings) = (Vec::new(), Vec::new());
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases.values() {
        let played = runtime.block_on(play(case, &cases, &plan, None)).unwrap();
        let (of_rules, others): (Vec<&str>, Vec<&str>) =
            played.findings.iter().map(String::as_str).partition(|finding| finding.contains(":grace:"));
        for rule in of_rules.iter().filter_map(|finding| finding.split(": ").next()) {
            *rules.entry(rule.to_owned()).or_default() += 1;
        }
        if !others.is_empty() && !case.name.contains(".odd-") {
            findings.push((case.name.as_str(), others.len()));
        }
        if !played.faults.is_empty() {
            failed.push(format!("{}\n  {}", case.name, played.faults.join("\n  ")));
        }
    }
    println!("{} cases played", cases.len());
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
    assert_eq!(findings, FINDINGS.map(|(case, count, _)| (case, count)));
    let rules: Vec<(&str, usize)> = rules.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
    assert_eq!(rules, RULE_FINDINGS.map(|(rule, count, _)| (rule, count)));
}

/// A case that expects anything must be able to fail: its answer is compared to the letter.
#[test]
fn a_case_with_another_answer_fails() {
    let Some((plan, cases)) = shipped() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut case =
        cases.values().find(|case| case.calls.len() == 1 && case.after.is_empty()).unwrap().clone();
    if let Some(answer) = &mut case.answer {
        answer.status += 1;
    }
    let played = runtime.block_on(play(&case, &cases, &plan, None)).unwrap();
    assert_eq!(played.faults.len(), 1, "{:?}", played.faults);
    let called = case.calls.pop().unwrap();
    let played = runtime.block_on(play(&case, &cases, &plan, None)).unwrap();
    assert!(played.faults.iter().any(|fault| fault.contains("a call that the case does not have")));
    case.calls = vec![called.clone(), called];
    let played = runtime.block_on(play(&case, &cases, &plan, None)).unwrap();
    assert!(played.faults.iter().any(|fault| fault.contains("was not sent")));
}

#[test]
fn there_are_enough_bodies_of_both_kinds() {
    let Some((_, cases)) = shipped() else { return };
    let create = |case: &&Case| {
        let path = case.request.path.split('?').next().unwrap_or_default();
        case.request.method == "POST" && (path.ends_with("/quote") || path.ends_with("/productOrder"))
    };
    let (mut valid, mut faulty) = (0, 0);
    for case in cases.values().filter(create) {
        match case.answer.as_ref().map(|answer| answer.status) {
            Some(201) => valid += 1,
            Some(_) => faulty += 1,
            None => panic!("{} has no answer", case.name),
        }
    }
    println!("{valid} valid and {faulty} faulty bodies of createQuote and createProductOrder");
    assert!(valid >= VALID_CREATES_MIN, "{valid} valid bodies");
    assert!(faulty >= FAULTY_CREATES_MIN, "{faulty} faulty bodies");
}

/// Every operation that is mapped has a case that it answers well, and one that is refused or fails.
#[test]
fn every_mapped_operation_has_a_good_and_a_fault_case() {
    let Some((plan, cases)) = shipped() else { return };
    let plan = plan.load();
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for partner in plan.partners() {
        for (function, id, served) in partner.operations() {
            if matches!(served, plan::Served::Mapped(_)) {
                seen.insert(format!("{}.{id}", function.name()), (0, 0));
            }
        }
    }
    for case in cases.values() {
        let path = case.request.path.split('?').next().unwrap_or_default();
        let method = case.request.method.parse().unwrap();
        let route = plan.partner(&case.partner).and_then(|partner| partner.route(&method, path).ok());
        let Some(route) = route else { continue };
        let name = format!("{}.{}", route.function().name(), route.operation.operation_id);
        let Some((good, bad)) = seen.get_mut(&name) else { continue };
        match case.answer.as_ref().map_or(0, |answer| answer.status) {
            200..300 => *good += 1,
            _ => *bad += 1,
        }
    }
    let lacking: Vec<_> = seen.iter().filter(|(_, (good, bad))| *good == 0 || *bad == 0).collect();
    assert!(lacking.is_empty(), "(good, bad) cases: {lacking:?}");
}

#[test]
fn changed_rules_are_noticed() {
    let Some((plan, cases)) = shipped() else { return };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let report = mutate(&plan.load(), &cases, None, threads).unwrap();
    let lines = report
        .survivors
        .iter()
        .map(|(mutant, address)| format!("{mutant} {address}: {}, no case noticed", mutant.change.as_str()));
    let lines: Vec<String> = lines.collect();
    println!("{} mutants, {} survived\n{}", report.mutants, lines.len(), lines.join("\n"));
    assert!(lines.len() <= SURVIVORS_MAX, "{} survived:\n{}", lines.len(), lines.join("\n"));
}
