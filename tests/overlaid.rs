//! A set with an overlay, put together from the set without it, is the set with the overlay compiled as a whole: the same programs,
//! tables and diagnostics, whatever the overlay changes.
//!
//! Seeded overlays change, remove and add rules anywhere in the demonstration's mapping set, and rows of its tables; most are
//! right, some are wrong. `SEGUE_OVERLAYS=500 SEGUE_SEED=1 cargo test --test suite overlaid` tries more of them.

use crate::mistakes::Dice;
use segue::{
    mapping::{
        compile::{self, BaseSet, CompileOptions, CompiledSet, Effective},
        raw::{CodeSide, Rule},
    },
    plan::ContractSchema,
    sonata::{Release, catalogue},
    text::{Diagnostic, Diagnostics, FileSet, Sources},
};
use std::{fmt::Write as _, path::Path};

/// Overlays that the suite tries.
const COUNT: usize = 16;
const SEED: u64 = 11;
/// Changes in one overlay, at most.
const CHANGES_MAX: usize = 4;
/// Rules that one changed rule makes to be lowered at most: itself and those that it stands in, in each message.
const LOWERED_MAX: usize = 100;
const FILES: [&str; 7] =
    ["set.yaml", "codes.yaml", "common.yaml", "functions.rhai", "address.yaml", "quote.yaml", "order.yaml"];

fn schema() -> ContractSchema {
    let contracts = catalogue()
        .functions(Release::GRACE)
        .filter_map(|function| catalogue().contract(Release::GRACE, function));
    ContractSchema::new(contracts.collect(), catalogue().products(Release::GRACE))
}

/// A rule that an overlay can address: its shape, its group in that, and its own address.
struct Site {
    shape: String,
    within: String,
    own: String,
    is_pair: bool,
}

fn sites(set: &Effective) -> Vec<Site> {
    fn gather(rules: &[Rule], shape: &str, within: &str, all: &mut Vec<Site>) {
        for rule in rules {
            let Some(own) = rule.sonata.as_ref().or(rule.legacy.as_ref()) else { continue };
            let own = own.as_str().to_owned();
            let inner = if within.is_empty() { own.clone() } else { format!("{within}.{own}") };
            let is_pair = rule.fields.is_none() && rule.shape.is_none() && rule.one_of.is_none();
            gather(rule.fields.as_deref().unwrap_or_default(), shape, &inner, all);
            all.push(Site { shape: shape.to_owned(), within: within.to_owned(), own, is_pair });
        }
    }
    let mut all = Vec::new();
    for (_, shape) in &set.shapes {
        gather(&shape.fields, shape.name.as_str(), "", &mut all);
    }
    all
}

/// An overlay of so many changes, taken by the dice.
fn overlay(set: &Effective, sites: &[Site], dice: &mut Dice) -> String {
    let mut text = "extends: acme\n".to_owned();
    let table = dice.one(&set.tables).filter(|_| dice.below(3) == 0);
    if let Some((table, row)) = table.and_then(|table| Some((table, table.rows.first()?)))
        && let CodeSide::Values(values) = &row.sonata
    {
        let (name, value) = (table.name.as_str(), values[0].as_str());
        let change = match dice.below(3) {
            0 => format!("change: [ {{ sonata: {value:?}, legacy: \"ZZ\" }} ]"),
            1 => "add: [ { sonata: \"another\", legacy: \"ZZ\" } ]".to_owned(),
            _ => format!("remove: [ {value:?} ]"),
        };
        let _ = writeln!(text, "codes:\n  {name}:\n    {change}");
    }
    let mut changes: Vec<(&str, String)> = Vec::new();
    for number in 0..=dice.below(CHANGES_MAX) {
        let Some(site) = dice.one(sites) else { continue };
        let Site { within, own, .. } = site;
        let within = if within.is_empty() { String::new() } else { format!("in: {within:?}, ") };
        let change = match dice.below(if site.is_pair { 5 } else { 3 }) {
            0 => format!("{{ {within}remove: {own:?} }}"),
            1 => format!("{{ {within}after: {own:?}, add: {{ legacy: added.no{number}, value: X }} }}"),
            2 => format!("{{ {within}change: {{ sonata: {own:?}, legacy: other.place{number} }} }}"),
            3 => format!("{{ {within}change: {{ legacy: {own:?}, value: Z{number} }} }}"),
            _ => format!("{{ {within}change: {{ sonata: {own:?}, required: request }} }}"),
        };
        changes.push((&site.shape, change));
    }
    changes.sort();
    let mut last = "shapes:";
    for (shape, change) in &changes {
        if last != *shape {
            let head = if last == "shapes:" { "shapes:\n" } else { "" };
            let _ = writeln!(text, "{head}  {shape}:");
            last = shape;
        }
        let _ = writeln!(text, "    - {change}");
    }
    text
}

#[test]
fn no_rule_is_lowered_again_that_an_overlay_leaves_alone() {
    let (set, sources, _) = demonstration();
    let options = CompileOptions::default();
    let base = BaseSet::new(set, "acme", &schema(), &options, &sources);
    let lowered = |text: &str| {
        let own = FileSet::of("mappings/partners/globex", [("acme.yaml", text)]);
        let (mut mine, mut read) = (sources.clone(), Diagnostics::new());
        let overlays = compile::read_overlays(&own, "acme.yaml", &mut mine, &mut read);
        let over = base.with(&overlays, &schema(), &options, &mine);
        assert!(over.compiled.is_some() && over.parts_compiled > 0, "{}", over.told.render_text(&mine));
        over.rules_lowered
    };
    // One rule of a message, and of one that each product line of an order has around it.
    let channel = |shape: &str| {
        format!(
            "extends: acme\nshapes: {{ {shape}: [ {{ change: {{ legacy: hdr.channel, value: P }} }} ] }}\n"
        )
    };
    let (one, many) = (lowered(&channel("quote")), lowered(&channel("order-item")));
    assert!((1..=LOWERED_MAX).contains(&one), "{one}");
    assert!((1..=LOWERED_MAX).contains(&many), "{many}");
}

/// Everything that a set does, as text.
fn shown(set: &CompiledSet) -> String {
    let mut text = String::new();
    for (name, operation) in &set.operations {
        let whole = operation.program.with_tables(&operation.tables);
        let _ = writeln!(text, "{name} {whole:?} {:?} {:?}", operation.not_echoed, operation.backend);
    }
    text
}

fn told(all: impl IntoIterator<Item = Diagnostic>, sources: &Sources) -> String {
    let mut out = Diagnostics::new();
    all.into_iter().for_each(|one| out.push(one));
    out.sort(sources);
    out.render_text(sources)
}

/// The demonstration's mapping set, as far as it is tried.
fn demonstration() -> (Effective, Sources, FileSet) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme");
    let texts = FILES.map(|file| (file, std::fs::read_to_string(folder.join(file)).unwrap()));
    let files = FileSet::of("mappings/acme", texts.iter().map(|(file, text)| (*file, text.as_str())));
    let mut sources = Sources::new();
    let set = compile::read_set_files(&files, &mut sources, &mut Diagnostics::new()).unwrap();
    (set, sources, files)
}

/// A number of the environment, or the usual one.
#[expect(clippy::disallowed_methods, reason = "how much is tried")]
fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |value| value.parse().unwrap())
}

#[test]
fn put_over_the_set_without_it_an_overlay_is_as_compiled_whole() {
    let (set, sources, files) = demonstration();
    let options = CompileOptions::default();
    let base = BaseSet::new(set.clone(), "acme", &schema(), &options, &sources);
    assert!(base.compiled().is_some(), "{}", told(base.told().iter().cloned(), &sources));
    let mut dice = Dice::new(number("SEGUE_SEED", SEED));
    let (sites, count) = (sites(&set), usize::try_from(number("SEGUE_OVERLAYS", COUNT as u64)).unwrap());
    let mut good = 0;
    for _ in 0..count {
        let text = overlay(&set, &sites, &mut dice);
        let own = FileSet::of("mappings/partners/globex", [("acme.yaml", text.as_str())]);
        let (mut mine, mut read) = (sources.clone(), Diagnostics::new());
        let overlays = compile::read_overlays(&own, "acme.yaml", &mut mine, &mut read);
        assert!(read.is_empty(), "{}\n{text}", read.render_text(&mine));
        let over = base.with(&overlays, &schema(), &options, &mine);
        let (mut all, mut out) = (Sources::new(), Diagnostics::new());
        let options = CompileOptions::default();
        let whole =
            compile::compile(&files, Some((&own, "acme.yaml")), &schema(), &options, &mut all, &mut out);
        let shared = over.shared.iter().map(|index| base.told()[*index].clone());
        let (own, other) =
            (told(shared.chain(over.told.iter().cloned()), &mine), told(out.iter().cloned(), &all));
        let (more, less) = (beside(&own, &other), beside(&other, &own));
        assert!(more.is_empty() && less.is_empty(), "{text}\nput over: {more}\nwhole: {less}");
        let (over, whole) = (over.compiled.as_deref().map(shown), whole.as_ref().map(shown));
        good += usize::from(whole.is_some());
        assert!(over == whole, "{text}\n{}", first_difference(over.as_deref(), whole.as_deref()));
    }
    println!("{count} overlays, {good} without error");
    assert!(good * 4 >= count, "hardly any overlay is right: {good} of {count}");
}

/// Diagnostics that the other does not have. What is told of the words of the whole set is told also where an overlay takes
/// out what they are like: the set goes on having both.
fn beside(own: &str, other: &str) -> String {
    let is_left =
        |one: &&str| ["[M610]", "[M512]", " warnings", " errors"].iter().any(|word| one.contains(word));
    let own = own.split("\n\n").filter(|one| !is_left(one));
    let own = own.filter(|one| !other.split("\n\n").any(|known| known == *one));
    own.collect::<Vec<_>>().join("\n\n")
}

/// Where two texts begin to differ.
fn first_difference(one: Option<&str>, other: Option<&str>) -> String {
    let (one, other) = (one.unwrap_or("nothing"), other.unwrap_or("nothing"));
    let at = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let near = |text: &str| text.chars().skip(at.saturating_sub(400)).take(800).collect::<String>();
    format!("{}\n{}", near(one), near(other))
}
