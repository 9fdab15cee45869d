//! What changing rules finds: a mapping of every form of change, one case, and exactly the rules that it does not hold.

use segue::{
    cases::{
        form::{Case, CaseCall},
        message::{RequestFile, ResponseFile},
        mutate::mutate,
        play::play,
    },
    mapping::mutate::{mutants, mutated},
    plan::{self, Plan, PlanHandle, Served},
};
use std::{collections::BTreeMap, fs, path::Path};

const CODES: &str = "level:
  - { sonata: firm, legacy: F }
  - { sonata: budgetary, legacy: B }
state:
  - { sonata: inProgress, legacy: [ B, C ] }
  - { sonata: cancelled, legacy: Z }
";

const QUOTE: &str = r#"function: quote
shapes:
  quote:
    sonata: [ Quote_Create, Quote ]
    fields:
      - { sonata: buyerRequestedQuoteLevel, legacy: lvl, codes: level, only: request }
      - { sonata: instantSyncQuote, legacy: mode, convert: "boolean(S, D)", only: request }
      - { sonata: description, legacy: text, only: request }
      - { sonata: projectId, legacy: project, only: request, default: { request: none } }
      - { legacy: channel, value: SONATA }
      - { sonata: state, legacy: st, codes: state, only: answer }
      - sonata: quoteItem[*]
        legacy: lines[*]
        key: { sonata: id, legacy: no, number: { start: 10, step: 10 }, remember: true }
        only: request
        fields:
          - one_of:
              - { if: { sonata: "@.action == 'add'", legacy: "@.act == 'N'" }, fields: [ { sonata: agreementName, legacy: agreed } ] }
              - { if: { sonata: "@.action == 'modify'", legacy: "@.act == 'C'" }, fields: [] }
              - else: { refuse: invalidValue, at: action, reason: "Not offered." }
operations:
  createQuote:
    call: POST /offers
    request: quote
    answer: quote
    legacy_id: no
    on: [ { status: 409, problem: otherIssue, at: externalId, reason: "Asked before." } ]
"#;

const REQUEST: &str = r#"{ "POST": "/mefApi/sonata/quoteManagement/v8/quote", "body": {
  "buyerRequestedQuoteLevel": "firm", "instantSyncQuote": false,
  "quoteItem": [ { "id": "a", "action": "add", "agreementName": "frame", "product": {} } ] } }"#;

fn plan() -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("config/segue.yaml", "mappings: ../mappings\n");
    write("config/backends/b.yaml", "backend: b\nbase_url: \"http://127.0.0.1:1\"\n");
    write(
        "config/partners/p.yaml",
        "partner: p\nidentify: { loopback: true }\nside: seller\nrelease: grace\nmapping: m\nroutes: [ { backend: b } ]\n\
         rules: { \"115:grace:R18\": off, \"115:grace:R19\": off, \"115:grace:R23\": off, \"115:grace:R42\": off, \"115:grace:R43\": off }\n",
    );
    write("mappings/m/set.yaml", "language: 1\nrelease: grace\n");
    write("mappings/m/codes.yaml", CODES);
    write("mappings/m/quote.yaml", QUOTE);
    let built = plan::load(&folder.path().join("config"), None);
    built.plan.unwrap_or_else(|| panic!("{}", built.diagnostics.render_text(&built.sources)))
}

/// The case as it is played with the mapping as it is.
fn case(plan: &Plan) -> Case {
    let mut case = Case {
        name: "create".to_owned(),
        folder: "create".into(),
        partner: "p".to_owned(),
        clock: "2026-10-01T00:00:00Z".parse().unwrap(),
        after: Vec::new(),
        ignore: Vec::new(),
        request: RequestFile::parse(REQUEST).unwrap(),
        is_message: false,
        is_bought: false,
        told: None,
        calls: vec![CaseCall {
            letter: String::new(),
            request: None,
            response: Some(
                ResponseFile::parse(r#"{ "status": 201, "body": { "no": "1", "st": "C" } }"#).unwrap(),
            ),
        }],
        answer: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let played =
        runtime.block_on(play(&case, &BTreeMap::new(), &PlanHandle::new(plan.clone()), None)).unwrap();
    assert_eq!(played.answer.status, 201, "{:?}", played.answer);
    case.calls[0].request = Some(played.calls[0].0.clone());
    case.answer = Some(played.answer);
    case
}

#[test]
fn exactly_the_rules_that_no_case_holds_survive() {
    let plan = plan();
    let cases = BTreeMap::from([("create".to_owned(), case(&plan))]);
    let report = mutate(&plan, &cases, None, 2).unwrap();
    let survivors = report.survivors.iter().map(|(mutant, address)| {
        let (_, line, column) = &mutant.place;
        format!("{line}:{column} {address}: {}", mutant.change.as_str())
    });
    let survivors: Vec<String> = survivors.collect();
    let expected = [
        // Absent from the only message, and an item that nobody modifies or refuses.
        "8:9 description: dropped",
        "17:13 quoteItem[*]: refusal dropped",
        "18:17 quoteItem[*]: condition dropped",
        "19:17 quoteItem[*]: dropped",
        "19:17 quoteItem[*]: condition dropped",
        "19:17 quoteItem[*]: terms of its condition dropped",
        // No reply with that status.
        "27:11 createQuote on: dropped",
    ];
    assert_eq!(survivors, expected, "of {} mutants", report.mutants);
    let one = mutate(&plan, &cases, Some("description"), 1).unwrap();
    assert_eq!((one.mutants, one.survivors.len()), (1, 1));
}

#[test]
fn every_change_that_is_listed_can_be_made() {
    let shipped = plan::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"), None).plan.unwrap();
    let mut changes = BTreeMap::new();
    for plan in [plan(), shipped] {
        for partner in plan.partners() {
            for (_, id, served) in partner.operations() {
                let Served::Mapped(mapped) = served else { continue };
                for (mutant, address) in mutants(&mapped.program) {
                    let changed = mutated(&mapped.program, &mutant);
                    assert!(changed.is_some(), "{id}: {mutant} {address}: {}", mutant.change.as_str());
                    *changes.entry(mutant.change).or_insert(0) += 1;
                }
            }
        }
    }
    assert_eq!(changes.len(), 11, "every kind of change occurs: {changes:?}");
}
