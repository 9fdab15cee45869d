//! The pages of `docs/codes`: every code has one, its wrong example gives that code alone, its right one nothing.
//!
//! A page is a section `## CODE: meaning`, a reason, the wrong example, a `text` block with what is said about it, the
//! right one. A block of an example is a file by the path behind its fence (`PATH +`: lines added to the file that is
//! there anyway, `PATH absent`: no such file), or `rule`: rules of a shape. What an example does not give is a harmless
//! configuration with one mapping; a right example has the files of the wrong one that it does not give anew.
//! `⟨N×…⟩` in it stands for N times what is in it. `UPDATE_EXPECT=1 cargo test codes` writes meanings and what is said.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use segue::{
    plan,
    sonata::Release,
    text::{Diagnostics, Sources},
};

const FILES: &[&str] = &["yaml", "config", "mapping", "script", "interface", "plan"];

const BASE: &[(&str, &str)] = &[
    ("config/segue.yaml", "reload: { watch: false }\n"),
    ("config/backends/acme.yaml", "backend: acme\nbase_url: \"https://bss.example\"\n"),
    (
        "config/partners/globex.yaml",
        "partner: globex\nidentify: { loopback: true }\nside: seller\nrelease: grace\nmapping: acme\n\
         routes: [ { backend: acme } ]\n",
    ),
    (
        "mappings/acme/set.yaml",
        "language: 1\nproducts: { access-eline-ovc: \"urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all\" }\n",
    ),
    ("mappings/acme/quote.yaml", RULE),
];

/// The mapping of the base; `rule` blocks stand in place of its only rule.
const RULE: &str = "function: quote\nshapes:\n  quote:\n    sonata: [ Quote_Create ]\n    fields:\n      \
                    - { sonata: externalId, legacy: ref }\noperations:\n  \
                    createQuote: { call: POST /v2/offers, request: quote }\n";

type Block<'p> = (&'p str, &'p str);

/// A page: code, meaning, reason, wrong, what is said, right.
#[derive(Default)]
struct Page<'p> {
    code: &'p str,
    meaning: &'p str,
    why: &'p str,
    wrong: Vec<Block<'p>>,
    told: Option<&'p str>,
    right: Vec<Block<'p>>,
}

fn parse(section: &str) -> Page<'_> {
    let (heading, rest) = section.split_once('\n').unwrap();
    let (code, meaning) = heading.split_once(": ").unwrap_or((heading, ""));
    let mut parts = rest.split("\n```");
    let why = parts.next().unwrap().trim();
    let mut page = Page { code, meaning, why, ..Page::default() };
    let fences: Vec<&str> = parts.collect();
    for pair in fences.chunks(2) {
        let (info, text) = pair[0].split_once('\n').unwrap_or((pair[0], ""));
        match info.split_once(' ') {
            None if info == "text" => page.told = Some(text),
            Some(("yaml", path)) if page.told.is_none() => page.wrong.push((path, text)),
            Some(("yaml", path)) => page.right.push((path, text)),
            _ => panic!("{code}: a block is `yaml PATH`, `yaml rule` or `text`, not `{info}`"),
        }
    }
    page
}

fn written(page: &Page<'_>, meaning: &str, told: Option<&str>) -> String {
    let mut text = format!("\n## {}: {meaning}\n\n{}\n", page.code, page.why);
    let blocks = |text: &mut String, blocks: &[Block<'_>]| {
        for (path, block) in blocks {
            let _ = write!(text, "\n```yaml {path}\n{block}\n```\n");
        }
    };
    blocks(&mut text, &page.wrong);
    if let Some(told) = told {
        let _ = write!(text, "\n```text\n{told}\n```\n");
    }
    blocks(&mut text, &page.right);
    text
}

/// The text with what `⟨N×…⟩` stands for.
fn repeated(text: &str) -> String {
    let mut parts = text.split('⟨');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (marked, rest) = part.split_once('⟩').expect("`⟨` is closed by `⟩`");
        let (count, what) = marked.split_once('×').expect("`⟨N×…⟩`");
        whole.push_str(&what.repeat(count.parse().unwrap()));
        whole.push_str(rest);
    }
    whole
}

/// The files of an example; those of `before` stay where it does not give them anew.
fn put(before: &BTreeMap<String, String>, blocks: &[Block<'_>]) -> BTreeMap<String, String> {
    let base = |path: &str| BASE.iter().find(|(own, _)| *own == path).map_or("", |(_, text)| text);
    let mut files = before.clone();
    for (path, text) in blocks {
        let text = &repeated(text);
        if let Some(path) = path.strip_suffix(" absent") {
            files.remove(path);
        } else if let Some(path) = path.strip_suffix(" +") {
            files.insert(path.to_owned(), format!("{}{text}\n", base(path)));
        } else if *path == "rule" {
            let rules: Vec<String> = text.lines().map(|line| format!("      {line}")).collect();
            let rule = "      - { sonata: externalId, legacy: ref }";
            files.insert("mappings/acme/quote.yaml".to_owned(), RULE.replace(rule, &rules.join("\n")));
        } else {
            files.insert((*path).to_owned(), format!("{text}\n"));
        }
    }
    files
}

/// What is said of files, with their paths as the pages have them.
/// That a backend has no interface file is a note on all of them, and left out but on its own page.
fn load(files: &BTreeMap<String, String>, code: &str) -> (Diagnostics, String) {
    let (sources, diagnostics, root) = build(files);
    let mut shown = Diagnostics::new();
    diagnostics
        .iter()
        .filter(|one| one.code.0 != "P115" || code == "P115")
        .for_each(|one| shown.push(one.clone()));
    let diagnostics = shown;
    let text = rendered(&diagnostics, &sources);
    (diagnostics, text.replace(&format!("{root}config/../"), "").replace(&root, ""))
}

/// A bridge of which an example gives a file, with the others that the program brings along.
fn bridge(files: &BTreeMap<String, String>) -> Option<(Sources, Diagnostics, String)> {
    let below = |path: &str| path.strip_prefix("mappings/bridges/").map(str::to_owned);
    let (path, text) = files.iter().find_map(|(path, text)| Some((below(path)?, text)))?;
    let (pair, file) = path.split_once('/')?;
    let (older, newer) = pair.split_once('-')?;
    let pair = (Release::parse(older)?, Release::parse(newer)?);
    let mut all = plan::bridges::shipped_files(pair.0, pair.1)?;
    all.insert(file, text.as_str());
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    plan::bridges::compile(pair, &all, &mut sources, &mut out);
    Some((sources, out, String::new()))
}

/// The texts of a configuration, what is said of them, and the folder that they were in.
fn build(files: &BTreeMap<String, String>) -> (Sources, Diagnostics, String) {
    if let Some(built) = bridge(files) {
        return built;
    }
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let plan::Built { diagnostics, sources, .. } = plan::load(&folder.path().join("config"), None);
    let root = format!("{}/", folder.path().display());
    (sources, diagnostics, root)
}

/// Without the count at the end.
fn rendered(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let text = diagnostics.render_text(sources);
    text.rsplit_once("\n\n").map_or(String::new(), |(text, _)| text.to_owned())
}

fn check(page: &Page<'_>, faults: &mut Vec<String>) -> String {
    let base = BASE.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let wrong = put(&base, &page.wrong);
    let (diagnostics, told) = load(&wrong, page.code);
    let codes: Vec<&str> = diagnostics.iter().map(|one| one.code.0).collect();
    if codes.is_empty() || codes.iter().any(|code| *code != page.code) {
        faults.push(format!("{}: the wrong example gives {codes:?}:\n{told}", page.code));
    }
    accept_fixes(page, &wrong, faults);
    let (diagnostics, text) = load(&put(&wrong, &page.right), page.code);
    if page.right.is_empty() || !diagnostics.is_empty() {
        faults.push(format!("{}: the right example gives\n{text}", page.code));
    }
    told
}

/// The fixes that the wrong example is told, applied one after the other, leave nothing that is wrong.
fn accept_fixes(page: &Page<'_>, wrong: &BTreeMap<String, String>, faults: &mut Vec<String>) {
    let mut files = wrong.clone();
    let mut applied = Vec::new();
    for _ in 0..8 {
        let (sources, told, _) = build(&files);
        let Some(fix) = told.iter().find_map(|one| one.fix(&sources)) else {
            if !applied.is_empty() && told.iter().any(|one| one.code.0 != "P115") {
                faults.push(format!(
                    "{}: after its fixes {applied:?}:\n{}",
                    page.code,
                    told.render_text(&sources)
                ));
            }
            return;
        };
        let shown = sources.path(fix.span.source);
        let Some((_, text)) = files.iter_mut().find(|(path, _)| shown.ends_with(path.as_str())) else {
            return faults.push(format!("{}: its fix is in no file: {shown}", page.code));
        };
        text.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.text);
        applied.push(fix.text);
    }
    faults.push(format!("{}: its fixes have no end: {applied:?}", page.code));
}

fn updating() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not of the program")]
    let update = std::env::var("UPDATE_EXPECT");
    update.is_ok()
}

#[test]
fn every_code_has_a_page_whose_examples_do_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes");
    let mut missing: BTreeMap<&str, &str> =
        plan::meanings().iter().map(|one| (one.code.0, one.text)).collect();
    assert!(missing.len() > 100, "{}", missing.len());
    let mut faults = Vec::new();
    for name in FILES {
        let path = folder.join(format!("{name}.md"));
        let text = fs::read_to_string(&path).unwrap();
        let mut sections = text.split("\n## ");
        let mut whole = sections.next().unwrap().to_owned();
        for section in sections {
            let page = parse(section);
            let Some(meaning) = missing.remove(page.code) else {
                faults.push(format!("{name}.md: `{}` is no code, or has two pages", page.code));
                continue;
            };
            if page.why.is_empty() {
                faults.push(format!("{}: the page does not say why", page.code));
            }
            let told = Some(check(&page, &mut faults));
            if !updating() && (page.meaning != meaning || page.told != told.as_deref()) {
                let told = told.as_deref().unwrap_or_default();
                faults.push(format!("{}: it means `{meaning}`, and is told\n{told}", page.code));
            }
            whole.push_str(&written(&page, meaning, told.as_deref()));
        }
        if updating() {
            fs::write(path, whole).unwrap();
        }
    }
    assert!(missing.is_empty(), "no page in docs/codes: {missing:?}");
    assert!(faults.is_empty(), "{}\nUPDATE_EXPECT=1 takes what came out", faults.join("\n"));
}
