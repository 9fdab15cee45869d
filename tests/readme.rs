//! The README's own exchange is played: what it shows is what happens.

use std::{collections::BTreeMap, path::Path};

use segue::{
    cases::{
        compare::compare,
        form::Case,
        message::{Body, RequestFile},
        play::play,
        stand::Stand,
    },
    json::{Document, Kind, Node},
    plan::{self, PlanHandle},
};

/// The text between two marks of the README.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = &text[text.find(before).unwrap_or_else(|| panic!("no {before:?}")) + before.len()..];
    &rest[..rest.find(after).unwrap()]
}

/// Whether everything that the README shows is there; ids and times are the moment's, and it says that it shortens.
fn shows(shown: Node<'_>, actual: Node<'_>, place: &str, missing: &mut Vec<String>) {
    match shown.kind() {
        Kind::Object => {
            for (name, value) in shown.members() {
                match actual.get(&name) {
                    Some(other) => shows(value, other, &format!("{place}/{name}"), missing),
                    None => missing.push(format!("{place}/{name}")),
                }
            }
        }
        Kind::Array => {
            for (index, value) in shown.elements().enumerate() {
                match actual.at(index) {
                    Some(other) => shows(value, other, &format!("{place}/{index}"), missing),
                    None => missing.push(format!("{place}/{index}")),
                }
            }
        }
        _ if place == "/id" || place.ends_with("/changeDate") => {}
        _ if shown.raw() != actual.raw() => missing.push(format!("{place}: {}", actual.raw())),
        _ => {}
    }
}

#[tokio::test]
async fn the_readme_tells_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let request = Document::from_text(between(&readme, "-d '", "}'"))
        .or_else(|_| Document::from_text(&format!("{}}}", between(&readme, "-d '", "}'"))));
    let call = Document::from_text(between(&readme, "POST /v2/offers\n", "```")).unwrap();
    let answer = between(&readme, "shortened):\n\n```json\n", "```");
    let answer = Document::from_text(answer).unwrap();

    let built = plan::load(&root.join("config"), None);
    let plan = PlanHandle::new(
        built.plan.unwrap_or_else(|| panic!("{}", built.diagnostics.render_text(&built.sources))),
    );
    let today = jiff::civil::date(2026, 11, 21);
    let stand = Stand::start(today).await.unwrap();
    let case = Case {
        name: "readme".to_owned(),
        folder: root.to_owned(),
        partner: "globex".to_owned(),
        clock: "2026-11-21T07:59:09.293Z".parse().unwrap(),
        after: Vec::new(),
        ignore: Vec::new(),
        request: RequestFile {
            method: "POST".to_owned(),
            path: "/mefApi/sonata/quoteManagement/v8/quote".to_owned(),
            headers: Vec::new(),
            body: Body::Json(request.unwrap()),
        },
        is_message: false,
        is_bought: false,
        told: None,
        calls: Vec::new(),
        answer: None,
    };
    let played = play(&case, &BTreeMap::new(), &plan, Some(stand)).await.unwrap();
    let Body::Json(got) = &played.answer.body else { panic!("{:?}", played.answer) };
    assert_eq!(played.answer.status, 201, "{}", got.text());
    let Body::Json(sent) = &played.calls[0].0.body else { panic!("no call") };
    assert_eq!(played.calls[0].0.path, "/v2/offers");
    assert_eq!(compare(call.root(), sent.root(), &[]), [], "the call that the README shows");
    let mut missing = Vec::new();
    shows(answer.root(), got.root(), "", &mut missing);
    assert_eq!(missing, [""; 0], "the answer that the README shows");
}
