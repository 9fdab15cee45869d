//! The README's own exchange is played: what it shows is what happens.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use segue::{
    cases::{
        compare::compare,
        form::Case,
        message::{Body, RequestFile},
        play::play,
        stand::Stand,
    },
    exchange::ports::LegacyPort,
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

/// A request of a partner as a case, and what it is played with.
async fn played_by(partner: &str, path: &str, body: Document) -> (Case, PlanHandle, Arc<dyn LegacyPort>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = plan::load(&root.join("config"), None);
    let plan = PlanHandle::new(
        built.plan.unwrap_or_else(|| panic!("{}", built.diagnostics.render_text(&built.sources))),
    );
    let stand = Stand::start(jiff::civil::date(2026, 11, 21)).await.unwrap();
    let case = Case {
        name: "readme".to_owned(),
        folder: root.to_owned(),
        partner: partner.to_owned(),
        clock: "2026-11-21T07:59:09.293Z".parse().unwrap(),
        after: Vec::new(),
        ignore: Vec::new(),
        request: RequestFile {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Body::Json(body),
        },
        is_message: false,
        is_bought: false,
        told: None,
        calls: Vec::new(),
        answer: None,
    };
    (case, plan, stand)
}

#[tokio::test]
async fn the_readme_tells_what_a_partner_on_another_release_gets() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = &readme[readme.find("## Partners on other releases").unwrap()..];
    let request = Document::from_text(&format!("{}}}", between(section, "-d '", "}'"))).unwrap();
    let answer = Document::from_text(between(section, "(in part):\n\n```json\n", "```")).unwrap();
    let path = between(section, "http://127.0.0.1:8080", " ");
    let (case, plan, stand) = played_by("wayne", path, request).await;
    let played = play(&case, &BTreeMap::new(), &plan, Some(stand)).await.unwrap();
    let Body::Json(got) = &played.answer.body else { panic!("{:?}", played.answer) };
    assert_eq!(played.answer.status, 201, "{}", got.text());
    let mut missing = Vec::new();
    shows(answer.root(), got.root(), "", &mut missing);
    assert_eq!(missing, [""; 0], "the answer that the README shows");

    let text = case_text(&case).replace("\"name\": \"two years\",", "");
    let (case, plan, stand) = played_by("wayne", path, Document::from_text(&text).unwrap()).await;
    let refused = play(&case, &BTreeMap::new(), &plan, Some(stand)).await.unwrap();
    let Body::Json(got) = &refused.answer.body else { panic!("{:?}", refused.answer) };
    let place = got.root().at(0).and_then(|fault| fault.get("propertyPath")).and_then(Node::as_str);
    assert_eq!(refused.answer.status, 422, "{}", got.text());
    assert!(section.contains(&format!("422 at\n`{}`", place.unwrap())), "{}", got.text());
}

fn case_text(case: &Case) -> String {
    let Body::Json(body) = &case.request.body else { panic!("{case:?}") };
    body.text().to_owned()
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

    let path = "/mefApi/sonata/quoteManagement/v8/quote";
    let (case, plan, stand) = played_by("globex", path, request.unwrap()).await;
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
