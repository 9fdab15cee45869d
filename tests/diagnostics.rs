//! Every file in `tests/diagnostics` is a case: texts in, rendered diagnostics out.
//!
//! A case begins with a line of what it shows. Texts follow, each after `>>> PATH`; what is expected stands after
//! `===`. Cases named `yaml-*` are read as YAML, those named `config-*` as a configuration folder, in which files
//! that the case does not give are harmless ones, and `>>> PATH absent` takes one away, those named `map-*` as a
//! mapping set of grace, `partner.yaml` as the overlay on it (`base-…/` those that it lies on), `openapi/acme.yaml` as the interface of its backend; those named `bridge-*` as in `tests/bridges`. `UPDATE_EXPECT=1 cargo test diagnostics` writes what comes out.

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
    text::{Diagnostic, Diagnostics, FileSet, Fix, Sources, yaml},
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

/// What is told of a case, and the texts that it speaks of.
type Told = (Diagnostics, Sources);

fn read(name: &str, files: &[(&str, &str)]) -> Told {
    match name.split('-').next() {
        Some("yaml") => read_yaml(files),
        Some("config") => read_config(files),
        Some("map") => read_mapping(files),
        Some("bridge") => read_bridge(files),
        _ => {
            panic!("{name}: the name begins with what it is read as: `yaml-`, `config-`, `map-` or `bridge-`")
        }
    }
}

fn read_yaml(files: &[(&str, &str)]) -> Told {
    let mut sources = Sources::new();
    let mut out = Diagnostics::new();
    for (path, text) in files {
        let id = sources.add(path, *text);
        yaml::load(&sources, id, &mut out);
    }
    (out, sources)
}

fn read_config(given: &[(&str, &str)]) -> Told {
    let mut texts = BTreeMap::from([
        ("segue.yaml", SEGUE),
        ("backends/acme.yaml", ACME),
        ("partners/globex.yaml", GLOBEX),
    ]);
    for (path, text) in given {
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
    (loaded.diagnostics, loaded.sources)
}

fn read_mapping(files: &[(&str, &str)]) -> Told {
    let release = Release::parse("grace").unwrap();
    let contracts =
        catalogue().functions(release).filter_map(|function| catalogue().contract(release, function));
    let schema = ContractSchema::new(contracts.collect(), catalogue().products(release));
    let (overlay, files): (Vec<_>, Vec<_>) =
        files.iter().copied().partition(|(path, _)| *path == "partner.yaml" || path.starts_with("base-"));
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
    (out, sources)
}

fn read_bridge(files: &[(&str, &str)]) -> Told {
    let (_, told, sources) = crate::bridges::compiled(files);
    (told, sources)
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
        let (told, sources) = read(&name, &case.files);
        let rendered = told.render_text(&sources);
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

/// What is told of a line once its first fault is mended: a second one that the case has there, which the first one hid.
const HIDDEN: &[(&str, &str)] = &[
    ("config-rules.txt", "Y104"),
    ("config-literal-secret-colon.txt", "C200"),
    ("config-literal-secret-misspelt.txt", "C200"),
    ("config-everything-at-once.txt", "C132"),
    ("config-later.txt", "Y104"),
    ("config-notifications.txt", "C133"),
    ("config-partners.txt", "C133"),
    ("map-legacy-paths.txt", "M604"),
    ("map-legacy-calls.txt", "M504"),
    ("map-paths.txt", "M202"),
    ("map-paths.txt", "M211"),
    ("map-operations.txt", "M504"),
    ("map-lists.txt", "M513"),
    ("map-overlay.txt", "Y104"),
    ("map-values.txt", "M202"),
    ("map-values.txt", "M205"),
    ("map-values.txt", "M306"),
    ("map-values.txt", "M307"),
    ("map-values.txt", "S101"),
];

/// Each fix by itself: what it is for is gone, and nothing new is told of the line that it was applied to.
#[test]
fn fixes_are_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let (mut applied, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let case = parse(&text);
        let (told, sources) = read(&name, &case.files);
        for fault in &told {
            let Some(fix) = fault.fix(&sources) else { continue };
            applied += 1;
            if let Err(why) = accepted(&name, &case, (&told, &sources), fault, &fix) {
                wrong.push(format!("{name}: {} {}: `{}`: {why}", fault.code, fault.message, fix.text));
            }
        }
    }
    assert!(wrong.is_empty(), "of {applied} fixes {} are refused:\n{}", wrong.len(), wrong.join("\n"));
    assert!(applied > 100, "{applied}");
}

fn accepted(
    name: &str,
    case: &Case<'_>,
    (told, sources): (&Diagnostics, &Sources),
    fault: &Diagnostic,
    fix: &Fix,
) -> Result<(), String> {
    let shown = sources.path(fix.span.source);
    let is_it =
        |path: &str| shown == path || shown.strip_suffix(path).is_some_and(|left| left.ends_with('/'));
    let at =
        case.files.iter().position(|(path, _)| is_it(path)).ok_or_else(|| format!("in no file: {shown}"))?;
    let mut text = case.files[at].1.to_owned();
    text.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.text);
    let mut files = case.files.clone();
    files[at].1 = &text;
    let (again, sources_again) = read(name, &files);
    let times = |list: &Diagnostics, of: &Diagnostic| {
        list.iter().filter(|own| own.code == of.code && own.message == of.message).count()
    };
    let start = |own: &Diagnostic| own.span.map(|span| span.start);
    let is_same = |own: &Diagnostic| {
        start(own) == start(fault) && own.code == fault.code && own.message == fault.message
    };
    if again.iter().any(is_same) && times(&again, fault) >= times(told, fault) {
        return Err("it is told again".to_owned());
    }
    let line =
        |sources: &Sources, at: u32| sources.text(fix.span.source)[..at as usize].matches('\n').count();
    let fixed = line(sources, fix.span.start);
    let of_line = |own: &&Diagnostic| {
        own.span.is_some_and(|span| {
            sources_again.path(span.source) == shown && line(&sources_again, span.start) == fixed
        })
    };
    let is_hidden = |own: &&Diagnostic| HIDDEN.contains(&(name, own.code.0));
    let mut new = again.iter().filter(of_line).filter(|own| !is_hidden(own));
    let new = new.find(|own| times(told, own) < times(&again, own));
    new.map_or(Ok(()), |own| Err(format!("then it is told {} {}", own.code, own.message)))
}

fn every_code_has_a_case(seen: &BTreeSet<String>) {
    // These need a file system, or a text too long to read: their pages show them, as those of whole plans (P).
    const ELSEWHERE: &[&str] = &["Y101", "Y102", "Y103", "C100", "C101", "O103"];
    let rooms = [segue::text::code::CODES, config::code::CODES, diagnostic::CODES, openapi::CODES];
    let unseen = rooms.into_iter().flatten().map(|row| row.code.0);
    let unseen: Vec<_> = unseen.filter(|code| !seen.contains(*code) && !ELSEWHERE.contains(code)).collect();
    assert!(unseen.is_empty(), "no case in tests/diagnostics shows {unseen:?}");
}
