//! The manual of the mapping language is held to what there is: its rules compile, its excerpts are in the shipped
//! files, its tables have everything.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use segue::{
    mapping::{
        compile::{CompileOptions, compile},
        convert::{Class, ConvertErrorKind, Entry, ParameterKind, converters},
        script::FUNCTIONS,
    },
    plan::ContractSchema,
    sonata::{Release, catalogue},
    text::{Diagnostics, FileSet, Sources},
};

use super::cli::run;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands behind the backticks of a block, and the block.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push((info.to_owned(), block.join("\n")));
    }
    blocks
}

fn section<'t>(text: &'t str, title: &str) -> &'t str {
    let start = text.find(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}")) + 1;
    let end = text[start..].find("\n## ").map_or(text.len(), |end| start + end);
    &text[start..end]
}

/// Rules by themselves, as those of a quote, with the code tables, functions and common shapes of the shipped set.
fn compiled(rules: &str) -> Result<(), String> {
    let indented = rules.replace('\n', "\n      ");
    let operation = "operations: { createQuote: { call: POST /x, request: manual, answer: manual } }";
    let file = format!(
        "function: quote\nshapes:\n  manual:\n    sonata: [ Quote_Create, Quote ]\n    fields:\n      {indented}\n{operation}\n"
    );
    let shipped = ["set.yaml", "codes.yaml", "common.yaml", "functions.rhai"];
    let texts: Vec<_> = shipped.iter().map(|name| (*name, read(&format!("mappings/acme/{name}")))).collect();
    let all = texts.iter().map(|(name, text)| (*name, text.as_str())).chain([("manual.yaml", file.as_str())]);
    let files = FileSet::of("mappings/acme", all);
    let contracts = catalogue()
        .functions(Release::GRACE)
        .filter_map(|function| catalogue().contract(Release::GRACE, function));
    let schema = ContractSchema::new(contracts.collect(), catalogue().products(Release::GRACE));
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let done = compile(&files, None, &schema, &CompileOptions::default(), &mut sources, &mut out);
    done.map(drop).ok_or_else(|| out.render_text(&sources))
}

#[test]
fn every_example_of_the_manual_compiles_or_is_shipped() {
    let manual = read("mappings/README.md");
    let (mut rules, mut excerpts) = (0, 0);
    for (info, block) in blocks(&manual) {
        match info.strip_prefix("yaml") {
            None => {}
            // Tried by `a_system_of_your_own_is_mapped_as_shown`.
            Some(file) if file.starts_with(" file ") => {}
            Some(" rules") => {
                rules += 1;
                compiled(&block).unwrap_or_else(|told| panic!("{block}\n{told}"));
            }
            Some(path) => {
                excerpts += 1;
                let path = format!("mappings/{}", path.trim());
                let file = read(&path);
                let mut rest = file.lines();
                for line in block.lines() {
                    let found = rest.any(|own| own.trim_end() == line.trim_end());
                    assert!(found, "{path} does not have, in this order: {line}");
                }
            }
        }
    }
    assert!(rules >= 3 && excerpts >= 15, "{rules} rules, {excerpts} excerpts");
}

/// The files that the manual writes from nothing are checked without a word, lose nothing, and map the messages beside
/// them as it says.
#[test]
fn a_system_of_your_own_is_mapped_as_shown() {
    let blocks = blocks(&read("mappings/README.md"));
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for (info, block) in &blocks {
        let Some((_, path)) = info.split_once(" file ") else { continue };
        let text = files.entry(path).or_default();
        // What stands in two blocks is one file, with an empty line between.
        if !text.is_empty() {
            text.push('\n');
        }
        writeln!(text, "{block}").unwrap();
    }
    assert!(files.len() >= 7, "{:?}", files.keys());
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in &files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let config = folder.path().join("config");
    let (status, out, err) = run(&config, &["check"], "");
    assert_eq!(status, 0, "{out}{err}");
    assert!([&out, &err].iter().any(|told| told.contains("4 operations mapped, 0 warnings")), "{out}{err}");
    let (status, out, err) = run(&config, &["fmt", "--check"], "");
    assert_eq!(status, 0, "{out}{err}");
    let (status, out, err) = run(&config, &["test"], "");
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.contains("1 proved, 0 tested, 0 lost"), "{out}{err}");
    let shown = |info: &str| {
        let block = blocks.iter().find(|(own, _)| own == info);
        block.map_or_else(|| panic!("no block {info}"), |(_, block)| block.as_str())
    };
    for (direction, message) in [("to_legacy", "request"), ("to_sonata", "reply")] {
        let words =
            ["map", "--partner", "watten", "--operation", "quote.createQuote", "--direction", direction];
        let (status, out, err) = run(&config, &words, shown(&format!("json {message}")));
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        let (_, body) = out.split_once('\n').unwrap_or_default();
        assert_eq!(body.trim_end(), shown(&format!("json {direction}")), "{direction}");
    }
}

#[test]
fn a_rule_that_is_wrong_would_be_told() {
    assert!(compiled("- { sonata: externalID, legacy: x }").is_err());
}

/// `name(argument, [optional])`, and the words of an argument that takes only some.
fn signature(entry: &Entry) -> String {
    let parameters = entry
        .parameters
        .iter()
        .map(|one| if one.required { one.name.to_owned() } else { format!("[{}]", one.name) });
    let parameters: Vec<String> = parameters.collect();
    if parameters.is_empty() {
        entry.name.to_owned()
    } else {
        format!("{}({})", entry.name, parameters.join(", "))
    }
}

fn class(entry: &Entry) -> String {
    let class = match entry.class {
        Class::Exact => "exact",
        Class::Canonical => "canonical",
        Class::OneWay => "one way",
    };
    if entry.loses.is_empty() {
        return class.to_owned();
    }
    let losses: Vec<String> = entry.loses.iter().map(|loss| format!("`{loss}`")).collect();
    format!("{class}; may give up {}", losses.join(", "))
}

fn refusal(kind: ConvertErrorKind) -> &'static str {
    match kind {
        ConvertErrorKind::WrongKind => "wrong kind",
        ConvertErrorKind::OutOfDomain => "out of domain",
        ConvertErrorKind::Half => "half",
        ConvertErrorKind::Ambiguous => "ambiguous",
        ConvertErrorKind::Overflow => "too many digits",
    }
}

/// What the manual shows of the table of converters.
fn tables_of_converters() -> String {
    let mut text =
        String::from("| converter | Sonata side | legacy side | class | domain |\n|---|---|---|---|---|\n");
    for entry in converters() {
        let cells = [
            format!("`{}`", signature(entry)),
            entry.sonata.1.to_owned(),
            entry.legacy.1.to_owned(),
            class(entry),
            entry.domain.to_owned(),
        ];
        writeln!(text, "| {} |", cells.join(" | ")).unwrap();
    }
    text.push_str(
        "\nWhat is written, whatever was read, and how a value without counterpart is refused:\n\n",
    );
    text.push_str(
        "| converter | on the Sonata side | on the legacy side | refused as |\n|---|---|---|---|\n",
    );
    for entry in converters() {
        let refused: Vec<&str> = entry.errors.iter().copied().map(refusal).collect();
        let (legacy, sonata) = entry.canonical;
        writeln!(text, "| `{}` | {sonata} | {legacy} | {} |", entry.name, refused.join(", ")).unwrap();
    }
    text.push_str(
        "\nArguments that take certain words only:\n\n| converter | argument | words |\n|---|---|---|\n",
    );
    for entry in converters() {
        for parameter in entry.parameters {
            if let ParameterKind::Word(words) = parameter.kind {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                writeln!(text, "| `{}` | {} | {} |", entry.name, parameter.name, words.join(", ")).unwrap();
            }
        }
    }
    text.push_str(
        "\nExamples, each held by a test:\n\n| `convert:` | Sonata side | legacy side |\n|---|---|---|\n",
    );
    for entry in converters() {
        for (call, legacy, sonata) in entry.examples {
            let cell =
                |value: &str| if value == "absent" { "absent".to_owned() } else { format!("`{value}`") };
            writeln!(text, "| `{call}` | {} | {} |", cell(sonata), cell(legacy)).unwrap();
        }
    }
    text
}

/// What is between the two marks is made from the table that the engine reads; `UPDATE_EXPECT=1` writes it.
#[test]
fn the_tables_of_converters_are_those_of_the_engine() {
    const MARKS: (&str, &str) = ("<!-- made from the table of converters -->\n", "<!-- end -->");
    let manual = read("mappings/README.md");
    let (before, rest) = manual.split_once(MARKS.0).expect("the mark before the tables");
    let (shown, after) = rest.split_once(MARKS.1).expect("the mark behind the tables");
    let wanted = tables_of_converters();
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not of the program")]
    let update = std::env::var("UPDATE_EXPECT").is_ok();
    if shown != wanted && update {
        let text = [before, MARKS.0, &wanted, MARKS.1, after].concat();
        std::fs::write(root().join("mappings/README.md"), text).unwrap();
        return;
    }
    assert!(shown == wanted, "the tables differ; UPDATE_EXPECT=1 writes them:\n{wanted}");
}

#[test]
fn the_manual_has_every_function() {
    let manual = read("mappings/README.md");
    let table = section(&manual, "Table of functions");
    for function in FUNCTIONS {
        let there = match function.example {
            "" => table.contains(&format!("`{}`", function.name)),
            example => table
                .lines()
                .any(|line| line.starts_with(example) && line.ends_with(&format!("// {}", function.gives))),
        };
        assert!(there, "the manual does not have the function {}", function.name);
    }
}
