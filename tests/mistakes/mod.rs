//! Seeded mistakes: single slips in the shipped mappings and configuration, each of which the checker must refuse at
//! its line, most with the hint that makes it good.
//!
//! Every place of every file offers mistakes of its kinds; the dice, which begin with a seed, take from each kind in
//! turn, and within a kind from each file in turn. A mistake that leaves the same tree of texts is none. It is refused
//! if something is told on its line that was not told before; a hint is the fix if its replacement gives back the
//! tree that was there. `SEGUE_MISTAKES=500 SEGUE_SEED=1 cargo test --test suite mistakes -- --nocapture` prints the report.

mod inner;
mod sites;
mod slip;

use segue::{
    config::{self, secret::Lookup},
    mapping::{
        convert::Converter,
        schema::{Schema, TypeId, Types},
    },
    plan::{self, ContractSchema, Plan},
    sonata::{Release, catalogue},
    text::{Diagnostic, Diagnostics, FileSet, Severity, Sources, yaml},
};
use sites::{File, Kind, Mistake, Words};
pub use slip::Dice;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::Path,
};

/// Mistakes that the suite makes; the report of the release has 500 and more.
const COUNT: usize = 64;
const SEED: u64 = 4;
/// Percent of them that are refused at their line, and of the hints that are the fix, at least. Below the 98 and 85 of the
/// whole report, as one of so few weighs more than a percent.
const REFUSED_MIN: f64 = 95.0;
const FIXES_MIN: f64 = 82.0;

/// Everything that is read, and what becomes of a change.
struct Shipped {
    files: Vec<File>,
    /// With all partners.
    whole: World,
    /// With one partner that has no overlay: the set is compiled once, and not for each way in which partners speak.
    plain: World,
}

/// Files that are compiled together.
struct World {
    config: FileSet,
    mappings: FileSet,
    plan: Plan,
    /// What is told of it as it is, without places.
    before: HashSet<String>,
}

/// The partner that the set is compiled for alone.
const PLAIN: &str = "partners/globex.yaml";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Shipped {
    fn read() -> Self {
        let config = config::load(&root().join("config")).files;
        let wanted = |path: &str| {
            let depth = path.matches('/').count();
            let ending = Path::new(path).extension();
            let is_text = ending.is_some_and(|ending| ending == "yaml" || ending == "rhai");
            is_text && depth == if path.starts_with("partners/") { 2 } else { 1 }
        };
        let mappings = config::files::read_folder(&root().join("mappings"), wanted, &mut Diagnostics::new());
        let of = |prefix: &str, set: &FileSet| {
            let files = set.iter().filter(|(path, _)| !path.starts_with("openapi/"));
            let files = files.map(|(path, text)| File {
                path: format!("{prefix}/{path}"),
                text: text.to_string(),
                meaning: meaning(path, text),
            });
            files.collect::<Vec<_>>()
        };
        let mut files = of("config", &config);
        files.extend(of("mappings", &mappings));
        let (mut one, mut set) = (config.clone(), mappings.clone());
        let is_partner = |path: &&str| path.starts_with("partners/");
        for (path, _) in config.iter().filter(|(path, _)| is_partner(path) && *path != PLAIN) {
            one.remove(path);
        }
        for (path, _) in mappings.iter().filter(|(path, _)| is_partner(path)) {
            set.remove(path);
        }
        Self { files, whole: World::new(config, mappings), plain: World::new(one, set) }
    }
}

impl World {
    fn new(config: FileSet, mappings: FileSet) -> Self {
        let folder = root().join("config");
        let loaded = config::load_set(config.clone(), &Lookup::of_process(&folder));
        let built = plan::load_read(loaded, &mappings, None);
        let before = built.diagnostics.iter().map(|one| one.message.clone()).collect();
        Self { config, mappings, plan: built.plan.expect("what is shipped is good"), before }
    }

    /// What is told with one file changed, and the texts that it speaks of.
    fn told(&self, path: &str, text: &str) -> (Vec<Diagnostic>, Sources) {
        let (mut config, mut mappings) = (self.config.clone(), self.mappings.clone());
        match path.split_once('/') {
            Some(("config", path)) => config.insert(path, text),
            Some((_, path)) => mappings.insert(path, text),
            None => {}
        }
        let folder = root().join("config");
        let loaded = self.plan.load_set(config, &Lookup::of_process(&folder));
        let built = plan::load_read(loaded, &mappings, Some(&self.plan));
        let told = built.diagnostics.iter().filter(|one| one.severity != Severity::Note);
        (told.filter(|one| !self.before.contains(&one.message)).cloned().collect(), built.sources)
    }
}

/// What both sides enumerate.
fn words(shipped: &Shipped) -> Words {
    let release = Release::parse("grace").unwrap();
    let contracts =
        catalogue().functions(release).filter_map(|function| catalogue().contract(release, function));
    let schema = ContractSchema::new(contracts.collect(), catalogue().products(release));
    let mut sonata = BTreeSet::new();
    let mut open: Vec<TypeId> = Vec::new();
    for function in schema.functions() {
        open.extend(schema.type_names(&function).iter().filter_map(|name| schema.root(&function, name)));
    }
    let products: Vec<String> = catalogue().products(release).urns().map(str::to_owned).collect();
    open.extend(products.iter().filter_map(|urn| schema.product(urn)));
    let mut seen = HashSet::new();
    while let Some(ty) = open.pop() {
        if seen.insert(ty) {
            sonata.extend(schema.values(ty));
            sonata.extend(schema.variants(ty));
            open.extend(schema.element(ty));
            open.extend(schema.members(ty, None).into_iter().map(|(_, member)| member.ty));
        }
    }
    let mut legacy = BTreeSet::new();
    for (path, text) in shipped.whole.config.iter().filter(|(path, _)| path.starts_with("openapi/")) {
        let mut sources = Sources::new();
        let id = sources.add(path, text.clone());
        enumerated(&yaml::load(&sources, id, &mut Diagnostics::new()).unwrap(), &mut legacy);
    }
    Words { sonata, legacy, undescribed: undescribed(shipped) }
}

fn enumerated(node: &yaml::Node, words: &mut BTreeSet<String>) {
    for entry in node.as_mapping().unwrap_or_default() {
        let list = entry.value.as_sequence().filter(|_| entry.key == "enum");
        words.extend(list.unwrap_or_default().iter().filter_map(yaml::Node::as_text).map(str::to_owned));
        enumerated(&entry.value, words);
    }
    for node in node.as_sequence().unwrap_or_default() {
        enumerated(node, words);
    }
}

/// Tables that only files for backends without an interface use.
fn undescribed(shipped: &Shipped) -> BTreeSet<String> {
    let (mut with, mut without) = (BTreeSet::new(), BTreeSet::new());
    for file in shipped.files.iter().filter(|file| file.path.starts_with("mappings/acme/")) {
        let named = file.text.match_indices("codes: ").map(|(at, _)| {
            let rest = &file.text[at + 7..];
            rest[..rest.find([',', '\n', ' ', '}']).unwrap_or(rest.len())].to_owned()
        });
        let soap = file.text.contains("\nbackend: acme-tickets");
        if soap { without.extend(named) } else { with.extend(named) }
    }
    without.difference(&with).cloned().collect()
}

/// The texts of a file as a tree, told apart where their writing decides; none where there is no tree.
fn meaning(path: &str, text: &str) -> Option<String> {
    if path.ends_with("functions.rhai") {
        return Some(text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let mut sources = Sources::new();
    let id = sources.add(path, text);
    let mut out = Diagnostics::new();
    let node = yaml::load(&sources, id, &mut out)?;
    let mut shown = String::new();
    show(&node, &mut shown);
    (!out.has_errors()).then_some(shown)
}

fn show(node: &yaml::Node, shown: &mut String) {
    use std::fmt::Write as _;
    match &node.value {
        yaml::Value::Scalar(scalar) => {
            let is_word = matches!(scalar.text.as_str(), "" | "~" | "null" | "true" | "false" | "absent")
                || segue::json::number::is_number(&scalar.text);
            let is_plain = is_word && scalar.style == yaml::Style::Plain;
            let _ = write!(shown, "{}{:?},", if is_plain { "!" } else { "" }, scalar.text);
        }
        yaml::Value::Sequence(list) => {
            shown.push('[');
            for node in list {
                show(node, shown);
            }
            shown.push(']');
        }
        yaml::Value::Mapping(entries) => {
            shown.push('{');
            // Their order says nothing.
            let mut list: Vec<&yaml::Entry> = entries.iter().collect();
            list.sort_by_key(|entry| &entry.key);
            for entry in list {
                let _ = write!(shown, "{:?}:", entry.key);
                let converter = entry.value.as_text().filter(|_| entry.key == "convert");
                match converter.and_then(|text| Converter::parse(text).ok()) {
                    Some(converter) => {
                        let _ = write!(shown, "{converter:?},");
                    }
                    None => show(&entry.value, shown),
                }
            }
            shown.push('}');
        }
    }
}

/// What became of one mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Missed,
    ElsewhereOnly,
    Refused { error: bool, hint: bool, fix: bool },
}

fn line_of(text: &str, at: usize) -> usize {
    text[..text.floor_char_boundary(at)].matches('\n').count() + 1
}

/// What is told to one partner without an overlay is told to all, so a mistake of the set that has its fix there is done
/// with; whatever else is said of it is said with all partners.
fn judge(shipped: &Shipped, mistake: &Mistake) -> (Verdict, String) {
    let path = &shipped.files[mistake.file].path;
    if path.starts_with("mappings/") && !path.starts_with("mappings/partners/") {
        let judged = judge_in(&shipped.plain, shipped, mistake);
        if matches!(judged.0, Verdict::Refused { fix: true, .. }) {
            return judged;
        }
    }
    judge_in(&shipped.whole, shipped, mistake)
}

fn judge_in(world: &World, shipped: &Shipped, mistake: &Mistake) -> (Verdict, String) {
    let file = &shipped.files[mistake.file];
    let mut text = file.text.clone();
    text.replace_range(mistake.at.clone(), &mistake.text);
    let (told, sources) = world.told(&file.path, &text);
    let lines =
        line_of(&text, mistake.told.start)..=line_of(&text, mistake.told.end.max(mistake.told.start + 1) - 1);
    let here: Vec<&Diagnostic> = told
        .iter()
        .filter(|one| {
            one.span.is_some_and(|span| {
                sources.path(span.source).ends_with(&file.path)
                    && lines.contains(&sources.line_column(span).0)
            })
        })
        .collect();
    let shown: Vec<String> = told
        .iter()
        .filter(|one| here.is_empty() || here.contains(one))
        .take(3)
        .map(|one| {
            format!(
                "{} {}",
                one.span.map_or(String::new(), |span| sources
                    .place(span)
                    .replace(&format!("{}/", root().display()), "")),
                summary(one, &sources)
            )
        })
        .collect();
    let shown = shown.join(" | ");
    let error = here.iter().any(|one| one.severity == Severity::Error);
    let fixed = |one: &&Diagnostic| {
        let fix = one.fix(&sources)?;
        let mut text = sources.text(fix.span.source).to_owned();
        text.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.text);
        Some(meaning(&file.path, &text)? == *file.meaning.as_ref()?)
    };
    let first = here.iter().find(|one| one.fix(&sources).is_some());
    let verdict = match (here.is_empty(), told.is_empty()) {
        (true, true) => Verdict::Missed,
        (true, false) => Verdict::ElsewhereOnly,
        _ => Verdict::Refused {
            error,
            hint: here.iter().any(|one| one.hint.is_some()),
            fix: first.and_then(fixed).unwrap_or(false),
        },
    };
    (verdict, shown)
}

fn summary(one: &Diagnostic, sources: &Sources) -> String {
    let hint = one.hint.as_ref().map_or("", |hint| hint.as_str());
    let fix = one.fix(sources).map_or(String::new(), |fix| format!(" => {:?}", fix.text));
    format!("{} {} [{hint}]{fix}", one.code, one.message)
}

/// Takes from each kind in turn, and within a kind from each file in turn.
fn draw(mut all: Vec<Mistake>, count: usize, shipped: &Shipped, dice: &mut Dice) -> (Vec<Mistake>, usize) {
    dice.shuffle(&mut all);
    let mut seen = HashSet::new();
    let mut by_kind: BTreeMap<Kind, BTreeMap<usize, Vec<Mistake>>> = BTreeMap::new();
    for mistake in all {
        if seen.insert((mistake.file, mistake.at.clone(), mistake.text.clone())) {
            by_kind.entry(mistake.kind).or_default().entry(mistake.file).or_default().push(mistake);
        }
    }
    let (mut list, mut equal) = (Vec::new(), 0);
    let mut turns: BTreeMap<Kind, usize> = BTreeMap::new();
    while list.len() < count && !by_kind.is_empty() {
        for kind in by_kind.keys().copied().collect::<Vec<_>>() {
            let files = by_kind.get_mut(&kind).unwrap();
            let turn = turns.entry(kind).or_default();
            let Some(file) = files.keys().nth(*turn % files.len().max(1)).copied() else {
                by_kind.remove(&kind);
                continue;
            };
            *turn += 1;
            let Some(mistake) = files.get_mut(&file).unwrap().pop() else {
                files.remove(&file);
                continue;
            };
            let own = &shipped.files[mistake.file];
            let mut text = own.text.clone();
            text.replace_range(mistake.at.clone(), &mistake.text);
            if meaning(&own.path, &text) == own.meaning {
                equal += 1;
            } else if list.len() < count {
                list.push(mistake);
            }
        }
    }
    (list, equal)
}

fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not of the program")]
    let text = std::env::var(name);
    text.ok()?.parse().ok()
}

#[derive(Default)]
struct Row {
    made: usize,
    refused: usize,
    warned: usize,
    hinted: usize,
    fixed: usize,
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole.max(1)).unwrap())
}

#[test]
fn seeded_mistakes_are_refused_where_they_are_and_hints_are_the_fix() {
    let shipped = Shipped::read();
    let seed = setting("SEGUE_SEED").unwrap_or(SEED);
    let count = setting("SEGUE_MISTAKES").map_or(COUNT, |count| usize::try_from(count).unwrap());
    let mut dice = Dice::new(seed);
    let known = words(&shipped);
    let all: Vec<Mistake> = shipped
        .files
        .iter()
        .enumerate()
        .flat_map(|(index, file)| sites::mistakes(index, file, &known, &mut dice))
        .collect();
    println!("seed {seed}: {} files offer {} mistakes", shipped.files.len(), all.len());
    let (mistakes, equal) = draw(all, count, &shipped, &mut dice);
    let mut rows: BTreeMap<Kind, Row> = BTreeMap::new();
    for mistake in &mistakes {
        let row = rows.entry(mistake.kind).or_default();
        row.made += 1;
        let (verdict, shown) = judge(&shipped, mistake);
        let file = &shipped.files[mistake.file];
        let place = format!("{}:{}", file.path, line_of(&file.text, mistake.at.start));
        let from = &file.text[mistake.at.clone()];
        let what = format!("{:?} {place} {}: {from:?} -> {:?}", mistake.kind, mistake.what, mistake.text);
        match verdict {
            Verdict::Missed => println!("MISSED {what}"),
            Verdict::ElsewhereOnly => println!("ELSEWHERE {what}\n    {shown}"),
            Verdict::Refused { error, hint, fix } => {
                row.refused += 1;
                row.warned += usize::from(!error);
                row.hinted += usize::from(hint);
                row.fixed += usize::from(fix);
                if !fix {
                    println!("NO FIX {what}\n    {shown}");
                }
            }
        }
    }
    let (refused, fixes) = report(&rows, equal);
    assert!(refused >= REFUSED_MIN && fixes >= FIXES_MIN, "{refused:.1} %, {fixes:.1} %");
}

fn report(rows: &BTreeMap<Kind, Row>, equal: usize) -> (f64, f64) {
    println!(
        "{:<14}{:>6}{:>22}{:>10}{:>8}{:>8}{:>8}",
        "kind", "made", "refused at its line", "warnings", "hints", "fixes", "%"
    );
    let mut sum = Row::default();
    for (kind, row) in rows {
        line(&format!("{kind:?}"), row);
        sum.made += row.made;
        sum.refused += row.refused;
        sum.warned += row.warned;
        sum.hinted += row.hinted;
        sum.fixed += row.fixed;
    }
    line("all", &sum);
    println!(
        "{:.1} % refused at the right line; {:.1} % of the hints are the fix ({:.1} % of all mistakes); {equal} changed nothing",
        percent(sum.refused, sum.made),
        percent(sum.fixed, sum.hinted),
        percent(sum.fixed, sum.made)
    );
    (percent(sum.refused, sum.made), percent(sum.fixed, sum.hinted))
}

fn line(kind: &str, row: &Row) {
    let share = percent(row.fixed, row.hinted);
    println!(
        "{kind:<14}{:>6}{:>22}{:>10}{:>8}{:>8}{share:>8.0}",
        row.made, row.refused, row.warned, row.hinted, row.fixed
    );
}
