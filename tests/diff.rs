//! `segue diff`: what a change of mapping or configuration changes on the wire, told by its cases.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::cli::{copy, edit, root};

fn diff(old: &Path, new: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    let output = command.arg("diff").arg(old).arg(new).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Cases of the shipped set that the copies keep: few, so that the test is quick.
const CASES: [&str; 4] = [
    "quote/createQuote.minimal",
    "quote/createQuote.one",
    "quote/retrieveQuote.unknown",
    "address/validate.fielded",
];

/// A copy of the shipped configuration with a few cases.
fn with_cases() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, config) = copy();
    for case in CASES {
        let from = root().join("mappings/acme/cases").join(case);
        let to = config.join("../mappings/acme/cases").join(case);
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(&from).unwrap_or_else(|error| panic!("{case}: {error}")) {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    (folder, config)
}

#[test]
fn what_changes_on_the_wire_is_told_by_operation_and_place() {
    let (_old, old) = with_cases();
    let (_new, new) = with_cases();
    let (status, out, err) = diff(&old, &new, &[]);
    assert_eq!((status, out.as_str()), (0, "4 cases, 0 differ, in 0 operations\n"), "{err}");

    edit(&new.join("../mappings/partners/globex/acme.yaml"), "SONATA-GX", "SONATA-GY");
    edit(
        &new.join("../mappings/acme/quote.yaml"),
        "legacy: lvl, codes: seller-quote-level",
        "legacy: level, codes: seller-quote-level",
    );
    edit(
        &new.join("partners/globex.yaml"),
        "# operations: { quote.cancelQuote: off }",
        "operations: { quote.cancelQuote: off }",
    );
    edit(&new.join("backends/acme.yaml"), "openapi: openapi/acme.yaml", "# openapi: openapi/acme.yaml");
    let (status, out, err) = diff(&old, &new, &[]);
    assert_eq!(status, 1, "{out}{err}");
    assert!(out.contains("legacy request /hdr/channel: \"SONATA-GX\" -> \"SONATA-GY\""), "{out}");
    assert!(out.contains("answer /quoteLevel: \"firm\" -> nothing") || out.contains("/quoteLevel"), "{out}");
    assert!(out.contains("globex quote.cancelQuote\n  served: legacy (acme by acme) -> off\n"), "{out}");
    assert!(!out.contains("address."), "addresses are as they were: {out}");

    let (status, out, _) = diff(&old, &new, &["--format", "json", "--partner", "globex"]);
    assert_eq!(status, 1);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["cases"], 4);
    let operations = told["operations"].as_array().unwrap();
    let quote = operations.iter().find(|one| one["operation"] == "quote.createQuote").unwrap();
    let channel =
        quote["changes"].as_array().unwrap().iter().find(|one| one["place"] == "/hdr/channel").unwrap();
    assert_eq!((&channel["old"], &channel["cases"]), (&"\"SONATA-GX\"".into(), &2.into()));
}

#[test]
fn partners_come_and_go_and_what_is_broken_is_wrong_use() {
    let (_old, old) = with_cases();
    let (_new, new) = with_cases();
    let partner = fs::read_to_string(new.join("partners/globex.yaml")).unwrap();
    let other = partner
        .replace("partner: globex", "partner: other")
        .replace("# base_path: /globex ", "base_path: /other ");
    fs::write(new.join("partners/other.yaml"), other).unwrap();
    let (status, out, err) = diff(&old, &new, &[]);
    assert_eq!(status, 1, "{err}");
    assert!(out.contains("other quote.createQuote\n  served: not there -> legacy (acme by acme)"), "{out}");
    assert_eq!(diff(&old, &new, &["--partner", "globex"]).0, 0);
    assert_eq!(diff(&old, &new, &["--partner", "nobody"]).0, 2);
    edit(&new.join("partners/other.yaml"), "mapping: acme", "mapping: acne");
    let (status, _, err) = diff(&old, &new, &[]);
    assert_eq!(status, 2);
    assert!(err.contains("P101"), "{err}");
    assert_eq!(diff(&old, Path::new("/no/such/folder"), &[]).0, 2);
}

#[test]
fn an_unknown_partner_is_told_those_of_both_folders_once() {
    let config = root().join("config");
    let (status, _, err) = diff(&config, &config, &["--partner", "nobody"]);
    assert_eq!((status, err.matches("globex").count()), (2, 1), "{err}");
}
