//! Every file in `tests/diagnostics` is a case: texts in, rendered diagnostics out.
//!
//! A case begins with a line of what it shows. Texts follow, each after `>>> PATH`; what is expected stands after
//! `===`. Cases named `yaml-*` are read as YAML, those named `config-*` as a configuration folder, in which files
//! that the case does not give are harmless ones, and `>>> PATH absent` takes one away. `UPDATE_EXPECT=1 cargo test diagnostics` writes what comes out.

use segue::{
    config::{self, secret::Lookup},
    text::{Diagnostics, FileSet, Sources, yaml},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const SEGUE: &str = "reload: { watch: false }\n";
const ACME: &str = "backend: acme\nbase_url: \"http://127.0.0.1:8081\"\n";
const GLOBEX: &str = "partner: globex\nidentify: { loopback: true }\nside: seller\nrelease: grace\nmapping: acme\n\
                      routes: [ { backend: acme } ]\n";

struct Case<'t> {
    intro: &'t str,
    files: Vec<(&'t str, &'t str)>,
    expected: &'t str,
}

fn parse(text: &str) -> Case<'_> {
    let (input, expected) = text.split_once("\n===\n").unwrap_or((text.trim_end(), ""));
    let mut parts = input.split("\n>>> ");
    let intro = parts.next().unwrap_or_default();
    let files = parts.map(|part| part.split_once('\n').unwrap_or((part, ""))).collect();
    Case { intro, files, expected }
}

fn read_yaml(case: &Case<'_>) -> String {
    let mut sources = Sources::new();
    let mut out = Diagnostics::new();
    for (path, text) in &case.files {
        let id = sources.add(path, *text);
        yaml::load(&sources, id, &mut out);
    }
    out.render_text(&sources)
}

fn read_config(case: &Case<'_>) -> String {
    let mut texts = BTreeMap::from([
        ("segue.yaml", SEGUE),
        ("backends/acme.yaml", ACME),
        ("partners/globex.yaml", GLOBEX),
    ]);
    for (path, text) in &case.files {
        match path.strip_suffix(" absent") {
            Some(path) => texts.remove(path),
            None => texts.insert(path, text),
        };
    }
    let files = FileSet::of("", texts);
    let environment = |name: &str| match name {
        "GOOD" => Some("9f2c-71aa-04de".to_owned()),
        "KNOWN" => Some("Change-Me".to_owned()),
        "BROKEN" => Some("two\nlines".to_owned()),
        _ => None,
    };
    let loaded = config::load_set(files, &Lookup::new(Path::new("config"), environment));
    assert_eq!(loaded.settings.is_none(), loaded.diagnostics.has_errors());
    let text = loaded.diagnostics.render_text(&loaded.sources);
    let json = loaded.diagnostics.render_json(&loaded.sources);
    assert!(!text.contains("hunter-2") && !json.contains("hunter-2"), "a secret is shown: {text}");
    text
}

fn updating() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not of the program")]
    let update = std::env::var("UPDATE_EXPECT");
    update.is_ok()
}

#[test]
fn cases_render_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let case = parse(&text);
        let rendered = match name.split('-').next() {
            Some("yaml") => read_yaml(&case),
            Some("config") => read_config(&case),
            _ => panic!("{name}: the name begins with what it is read as, `yaml-` or `config-`"),
        };
        let codes = rendered.match_indices('[').filter_map(|(at, _)| rendered.get(at + 1..at + 5));
        seen.extend(codes.map(str::to_owned));
        if rendered == case.expected {
            continue;
        }
        if updating() {
            let files: String =
                case.files.iter().flat_map(|(path, text)| ["\n>>> ", path, "\n", text]).collect();
            fs::write(&path, format!("{}{files}\n===\n{rendered}", case.intro)).unwrap();
        } else {
            wrong.push(format!("--- {name}: expected\n{}\n--- but it is\n{rendered}", case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_EXPECT=1 takes what came out", wrong.join("\n"));
    every_code_has_a_case(&seen);
}

fn every_code_has_a_case(seen: &BTreeSet<String>) {
    // These need a file system, or a text too long to read; they have tests beside the code.
    const ELSEWHERE: &[&str] = &["Y101", "Y102", "Y103", "C100", "C101"];
    for row in segue::text::code::CODES.iter().chain(config::code::CODES) {
        let code = row.code.0;
        assert!(
            seen.contains(code) || ELSEWHERE.contains(&code),
            "no case in tests/diagnostics shows {code}: {}",
            row.text
        );
    }
}
