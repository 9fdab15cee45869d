//! Every file in `tests/diagnostics` is a case: texts in, rendered diagnostics out.
//!
//! A case begins with a line of what it shows. Texts follow, each after `>>> PATH`; what is expected stands after
//! `===`. Cases named `yaml-*` are read as YAML, those named `config-*` as a configuration folder, in which files
//! that the case does not give are harmless ones, and `>>> PATH absent` takes one away, those named `map-*` as a
//! mapping set of grace, `partner.yaml` as the overlay on it (`base-…/` those that it lies on), `openapi/acme.yaml` as the interface of its backend. `UPDATE_EXPECT=1 cargo test diagnostics` writes what comes out.

use segue::{
    config::{self, secret::Lookup},
    mapping::{
        compile::{CompileOptions, compile},
        diagnostic,
        schema::Interface,
    },
    openapi,
    plan::{BackendInterface, ContractSchema},
    sonata::{Release, catalogue},
    text::{Diagnostics, FileSet, Sources, yaml},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
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

fn read_mapping(case: &Case<'_>) -> String {
    let release = Release::parse("grace").unwrap();
    let contracts =
        catalogue().functions(release).filter_map(|function| catalogue().contract(release, function));
    let schema = ContractSchema::new(contracts.collect(), catalogue().products(release));
    let (overlay, files): (Vec<_>, Vec<_>) = case
        .files
        .iter()
        .copied()
        .partition(|(path, _)| *path == "partner.yaml" || path.starts_with("base-"));
    let (openapi, files): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(path, _)| path.starts_with("openapi/"));
    let (set, overlay) = (FileSet::of("acme", files), FileSet::of("", overlay));
    let mut sources = Sources::new();
    let mut out = Diagnostics::new();
    let mut options = CompileOptions::default();
    if !openapi.is_empty() {
        let (files, title) = (FileSet::of("", openapi), "the interface of `acme`");
        let read = BackendInterface::read(title, &files, "openapi/acme.yaml", &mut sources, &mut out);
        options.interfaces.extend(read.map(|read| ("acme".to_owned(), Arc::new(read) as Arc<dyn Interface>)));
    }
    let partner = overlay.get("partner.yaml").is_some().then_some((&overlay, "partner.yaml"));
    let compiled = compile(&set, partner, &schema, &options, &mut sources, &mut out);
    assert_eq!(compiled.is_none(), out.has_errors());
    out.render_text(&sources)
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
            Some("map") => read_mapping(&case),
            _ => panic!("{name}: the name begins with what it is read as: `yaml-`, `config-` or `map-`"),
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
    // These need a file system, or a text too long to read: their pages show them, as those of whole plans (P).
    const ELSEWHERE: &[&str] = &["Y101", "Y102", "Y103", "C100", "C101", "O103"];
    let rooms = [segue::text::code::CODES, config::code::CODES, diagnostic::CODES, openapi::CODES];
    let unseen = rooms.into_iter().flatten().map(|row| row.code.0);
    let unseen: Vec<_> = unseen.filter(|code| !seen.contains(*code) && !ELSEWHERE.contains(code)).collect();
    assert!(unseen.is_empty(), "no case in tests/diagnostics shows {unseen:?}");
}
