//! The manual of the mapping language is held to what there is: its rules compile, its excerpts are in the shipped
//! files, its tables have everything.

use std::path::Path;

use segue::{
    mapping::{
        compile::{CompileOptions, compile},
        convert::{CONVERTERS, Converter},
        script::FUNCTIONS,
    },
    plan::ContractSchema,
    sonata::{Release, catalogue},
    text::{Diagnostics, FileSet, Sources},
};

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
        .functions(Release::Grace)
        .filter_map(|function| catalogue().contract(Release::Grace, function));
    let schema = ContractSchema::new(contracts.collect(), catalogue().products(Release::Grace));
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

#[test]
fn a_rule_that_is_wrong_would_be_told() {
    assert!(compiled("- { sonata: externalID, legacy: x }").is_err());
}

#[test]
fn the_manual_has_every_converter() {
    let manual = read("mappings/README.md");
    let table = section(&manual, "Table of converters");
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let shown: Vec<Converter> = cells
        .flat_map(|cell| {
            format!("`{cell}").split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        })
        .map(|text| Converter::parse(&text).unwrap_or_else(|error| panic!("{text}: {error:?}")))
        .collect();
    for entry in CONVERTERS {
        let there = shown.iter().any(|converter| converter.name() == entry.name);
        assert!(there, "the manual does not have the converter {}", entry.name);
    }
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
