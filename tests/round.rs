//! Round trips: what is lost is found, what is not lost is not told, and the shipped mappings lose nothing unsaid.

use std::{collections::BTreeMap, path::Path};

use segue::{
    cases::{form, round::rounds},
    json::Document,
    mapping::{
        compile::{CompileOptions, compile},
        direction::Direction,
        operation::{Answer, OperationProgram},
        round::{Example, LossKind, Report, Use, Verdict, examine},
        schema::Schema as _,
        value::Value,
    },
    plan::{self, ContractSchema},
    sonata::{Release, catalogue},
    text::{Diagnostics, FileSet, Sources},
};

const CODES: &str = "
level: [ { sonata: firm, legacy: F }, { sonata: budgetary, legacy: B } ]
roles: [ { sonata: [ a, b ], legacy: X }, { sonata: c, legacy: C } ]
spelled: [ { sonata: a, legacy: [ X, Y ] }, { sonata: b, legacy: Z } ]
open: { rows: [ { sonata: a, legacy: A } ], otherwise: { to_legacy: O, to_sonata: other } }
";

fn schema() -> ContractSchema {
    let contracts = catalogue()
        .functions(Release::GRACE)
        .filter_map(|function| catalogue().contract(Release::GRACE, function));
    ContractSchema::new(contracts.collect(), catalogue().products(Release::GRACE))
}

/// The rules of one shape, read both ways by createQuote.
fn compiled(rules: &str) -> OperationProgram {
    let rules = rules.trim().replace('\n', "\n      ");
    let quote = format!(
        "function: quote\nshapes:\n  q:\n    sonata: [ Quote_Create, Quote ]\n    fields:\n      {rules}\n\
         operations: {{ createQuote: {{ call: POST /x, request: q, answer: q }} }}\n"
    );
    let texts =
        [("set.yaml", "language: 1\nrelease: grace\n"), ("codes.yaml", CODES), ("quote.yaml", &quote)];
    let files = FileSet::of("mappings/x", texts);
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let set = compile(&files, None, &schema(), &CompileOptions::default(), &mut sources, &mut out);
    let set = set.unwrap_or_else(|| panic!("{}", out.render_text(&sources)));
    OperationProgram::clone(&set.operations["quote.createQuote"].program)
}

fn tried(rules: &str, examples: &[Example], seed: u64) -> Option<Report> {
    let operation = compiled(rules);
    let Answer::Reply(back) = &operation.answer else { panic!("{operation:?}") };
    let schema = schema();
    let request = schema.root("quote", "Quote_Create").unwrap();
    let facts = Value::Object(Vec::new());
    let own = Use {
        there: operation.calls[0].request.as_ref().unwrap(),
        back,
        sonata: Some((&schema, request)),
        legacy: &[],
        each: None,
        facts: &facts,
    };
    examine(&own, examples, seed)
}

fn report(rules: &str) -> Report {
    tried(rules, &[], 1).unwrap_or_else(|| panic!("nothing is claimed of {rules}"))
}

/// The kinds of loss that are told, each with the line of its rule (the first rule stands in line 6).
fn losses(rules: &str) -> Vec<(LossKind, u32)> {
    let report = report(rules);
    let mut found: Vec<_> = report
        .losses
        .iter()
        .map(|loss| (loss.kind, loss.rule.as_ref().map_or(0, |rule| rule.line)))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn seeded_losses_are_found_at_their_rule() {
    use LossKind::{Code, Condition, Element, Key, Value};
    for (what, rules, wanted) in [
        (
            "a table that gives two codes one",
            "- { sonata: description, legacy: d }\n- { sonata: projectId, legacy: typ, codes: roles }",
            vec![(Code, 7)],
        ),
        (
            "a table that takes any other code",
            "- { sonata: projectId, legacy: typ, codes: open }",
            vec![(Code, 6)],
        ),
        (
            "a converter that cuts off, in one of two rules",
            "- { sonata: description, legacy: d, convert: truncate(4), only: request }\n\
             - { sonata: description, legacy: d, only: answer }",
            vec![(Value, 6)],
        ),
        (
            "two targets in one place",
            "- sonata: \"relatedContactInformation[*]\"\n  legacy: \"c[*]\"\n  fields:\n    - one_of:\n        \
             - if: { sonata: \"@.role == 'a'\", legacy: \"@.typ == 'X'\" }\n          \
             fields: [ { sonata: number, legacy: n } ]\n        \
             - if: { sonata: \"@.role == 'b'\", legacy: \"@.typ == 'X'\" }\n          \
             fields: [ { sonata: emailAddress, legacy: n } ]",
            vec![(Condition, 10)],
        ),
        (
            "a condition that cannot be written",
            "- sonata: \"relatedContactInformation[*]\"\n  legacy: \"c[*]\"\n  fields:\n    \
             - { sonata: name, legacy: nm }\n    \
             - { sonata: number, legacy: n, if: { sonata: \"@.name != 'x'\", legacy: \"@.kind == 'P' || @.kind > 3\" } }",
            vec![(Value, 10)],
        ),
        (
            "a key that need not be different",
            "- sonata: \"note[*]\"\n  legacy: \"n[*]\"\n  key: { sonata: author, legacy: by }\n  \
             fields: [ { sonata: text, legacy: t } ]",
            vec![(Key, 6)],
        ),
        (
            "a join by what need not be different",
            "- sonata: \"quoteItem[*]\"\n  legacy: \"l[*]\"\n  key: { sonata: id, legacy: no }\n  fields:\n    \
             - { sonata: agreementName, legacy: a }\n    \
             - { sonata: \"note[*]\", legacy: \"$.n[*]\", join: { a: a }, fields: [ { sonata: text, legacy: t } ] }",
            vec![(Element, 11)],
        ),
        (
            "keys that are counted and not remembered",
            "- sonata: \"quoteItem[*]\"\n  legacy: \"l[*]\"\n  key: { sonata: id, legacy: no, number: { start: 10, step: 10 } }\n  \
             fields: [ { sonata: agreementName, legacy: a } ]",
            vec![(Value, 6)],
        ),
        (
            "elements of which one is taken",
            "- { sonata: \"note[*]\", legacy: rem, take: first, fields: [ { sonata: text, legacy: t } ] }",
            vec![(Element, 6)],
        ),
        (
            "elements that a condition passes over",
            "- sonata: \"note[*]\"\n  legacy: \"n[*]\"\n  only: request\n  fields: [ { sonata: text, legacy: t } ]\n\
             - sonata: \"note[*]\"\n  legacy: \"n[*]\"\n  only: answer\n  if: \"@.side == 'A'\"\n  \
             fields: [ { sonata: text, legacy: t } ]",
            vec![(Element, 6)],
        ),
    ] {
        let found = losses(rules);
        for (kind, line) in &wanted {
            assert!(found.contains(&(*kind, *line)), "{what}: {found:?}\n{:#?}", report(rules).losses);
        }
        let report = report(rules);
        assert_eq!(report.verdict(), Verdict::Lost, "{what}");
    }
}

#[test]
fn the_smallest_document_is_shown() {
    let report = report(
        "- { sonata: externalId, legacy: x }\n- { sonata: projectId, legacy: typ, codes: open }\n\
         - { sonata: description, legacy: d }",
    );
    let loss = &report.losses[0];
    assert_eq!((loss.place.as_str(), loss.direction), ("/projectId", Direction::ToLegacy));
    assert_eq!((loss.sent.as_str(), loss.came.as_str()), ("\"something else\"", "\"other\""));
    let [sent, made, back] = loss.example.as_ref().unwrap();
    assert_eq!(sent, "{\"projectId\":\"something else\"}");
    assert_eq!(made, "{\"typ\":\"O\"}");
    assert_eq!(back, "{\"projectId\":\"other\"}");
}

#[test]
fn what_comes_back_is_proved_or_tested() {
    for (rules, verdict, counts) in [
        (
            "- { sonata: externalId, legacy: x }\n- { sonata: buyerRequestedQuoteLevel, legacy: lv, codes: level }\n\
             - sonata: \"quoteItem[*]\"\n  legacy: \"l[*]\"\n  key: { sonata: id, legacy: no }\n  \
             fields: [ { sonata: agreementName, legacy: a, convert: prefix('A-') } ]",
            Verdict::Proved,
            (4, 0),
        ),
        (
            "- { sonata: projectId, legacy: typ, codes: spelled }\n\
             - { sonata: requestedQuoteCompletionDate, legacy: w, convert: \"date('%d.%m.%Y', end-of-day, 'Europe/Berlin')\", accept: loss-of-time }",
            Verdict::Tested,
            (0, 2),
        ),
        (
            "- { sonata: \"relatedContactInformation[?@.role=='a']\", legacy: a, fields: [ { sonata: name, legacy: nm } ] }\n\
             - { sonata: \"relatedContactInformation[?@.role=='b']\", legacy: b, fields: [ { sonata: name, legacy: nm } ] }",
            Verdict::Tested,
            (2, 0),
        ),
        (
            "- sonata: \"quoteItem[*]\"\n  legacy: \"l[*]\"\n  \
             key: { sonata: id, legacy: no, number: { start: 10, step: 10 }, remember: true }\n  fields:\n    \
             - { sonata: \"note[*]\", legacy: \"$.n[*]\", join: { no: no }, fields: [ { sonata: text, legacy: t } ] }\n    \
             - { sonata: \"quoteItemRelationship[?@.relationshipType=='X'].id\", legacy: r, convert: key(quoteItem) }\n    \
             - { sonata: product.id, legacy: p, convert: ref(product) }",
            Verdict::Tested,
            (4, 0),
        ),
    ] {
        let report = report(rules);
        assert_eq!(report.verdict(), verdict, "{rules}\n{report:#?}");
        assert_eq!((report.proved, report.tested), counts, "{rules}");
        assert!(report.documents > 20 && report.untried.is_empty(), "{rules}\n{report:#?}");
    }
}

#[test]
fn scripts_and_what_says_that_it_is_lossy_are_not_claimed() {
    let rules = "- { sonata: externalId, legacy: x }\n\
                 - { sonata: description, legacy: d, script: { to_legacy: value.to_upper(), to_sonata: value } }\n\
                 - { sonata: projectId, legacy: typ, codes: open, lossy: { to_legacy: \"there is one word\" } }";
    let found = report(rules);
    assert_eq!(found.scripts.iter().map(|rule| rule.line).collect::<Vec<_>>(), [7]);
    assert_eq!(found.accepted.len(), 1);
    assert_eq!(
        (found.accepted[0].0.line, found.accepted[0].1, &*found.accepted[0].2),
        (8, Direction::ToLegacy, "there is one word")
    );
    assert_eq!(found.needless, [], "the word is lost");
    let exact = rules.replace("codes: open", "codes: level");
    let found = report(&exact);
    let needless: Vec<_> = found.needless.iter().map(|(rule, direction)| (rule.line, *direction)).collect();
    assert_eq!(needless, [(8, Direction::ToLegacy)]);
    let found = report(rules);
    // Of the other direction it is still claimed.
    let directions: Vec<_> = found.losses.iter().map(|loss| (loss.direction, loss.kind)).collect();
    assert_eq!(directions, [(Direction::ToSonata, LossKind::Code)]);
    let both = rules.replace("{ to_legacy: \"there is one word\" }", "\"there is one word\"");
    assert_eq!(report(&both).verdict(), Verdict::Proved);
    assert!(
        tried("- { sonata: externalId, legacy: x, only: request }", &[], 1).is_none(),
        "nothing comes back"
    );
}

#[test]
fn a_seed_makes_the_same_documents_and_cases_count() {
    let rules = "- { sonata: description, legacy: d, convert: truncate(70), only: request }\n\
                 - { sonata: description, legacy: d, only: answer }";
    // What is made up is shorter than that.
    let of = |seed, examples: &[Example]| tried(rules, examples, seed).unwrap();
    assert_eq!(of(7, &[]).verdict(), Verdict::Tested);
    let text =
        "a description that is longer than seventy characters, and longer than anything that is made up";
    let body = Document::from_text(&format!("{{\"description\":\"{text}\"}}")).unwrap();
    let case = [Example { direction: Direction::ToLegacy, body }];
    let found = of(7, &case);
    assert_eq!((found.verdict(), found.documents), (Verdict::Lost, of(7, &[]).documents + 1));
    assert!(found.losses[0].example.as_ref().unwrap()[0].contains("seventy"));
    let lossy = "- { sonata: projectId, legacy: typ, codes: open }";
    let shown = |seed| tried(lossy, &[], seed).unwrap().losses;
    assert_eq!(shown(3), shown(3));
}

#[test]
fn the_shipped_mappings_lose_nothing_unsaid() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let built = plan::load(&config, None);
    let plan = built.plan.unwrap_or_else(|| panic!("{}", built.diagnostics.render_text(&built.sources)));
    let mappings = plan.settings().gateway.mappings.clone();
    let cases = form::find(&mappings).unwrap().into_iter().map(|case| (case.name.clone(), case));
    let found = rounds(&plan, &cases.collect::<BTreeMap<_, _>>(), None, 1);
    assert!(found.len() >= 10, "{}", found.len());
    for round in &found {
        assert_ne!(round.report.verdict(), Verdict::Lost, "{}: {:#?}", round.name(), round.report.losses);
        // Of many branches some rule may be missed by the documents of one seed.
        let claims = round.report.proved + round.report.tested;
        let untried = &round.report.untried;
        assert!(untried.len() * 20 <= claims, "{}: {untried:?}", round.name());
        assert!(round.report.documents >= 20, "{}: {:?}", round.name(), round.report);
    }
}
