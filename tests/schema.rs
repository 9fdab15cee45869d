//! What editors are told of the files: the schemas that are shipped, the line by which a file names its own, and that
//! the schemas take what is right and refuse what is wrong. YAML is read here as editors read it, by other code than
//! ours.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::cli::{root, segue};

/// What the first line of a file begins with.
const HEADER: &str = "# yaml-language-server: $schema=";

/// The schema of a shipped file.
fn update() -> bool {
    #[expect(clippy::disallowed_methods, reason = "asked for by who runs the tests")]
    std::env::var("UPDATE_EXPECT").is_ok()
}

fn schema_of(path: &Path) -> &'static str {
    if path.starts_with(root().join("config")) { "config" } else { "mapping" }
}

/// Every file of the demonstration that a schema describes.
/// Files of bridges are not among them: their keys are the names of their releases.
pub fn shipped() -> Vec<PathBuf> {
    let (mut files, mut waiting) = (Vec::new(), vec![root().join("config"), root().join("mappings")]);
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !["openapi", "products", "secrets", "bridges"].contains(&name.as_str()) {
                waiting.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 500, "{}", files.len());
    files
}

fn validator(which: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(root().join(format!("schemas/{which}.json"))).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{which}: {error}"));
    jsonschema::draft202012::new(&schema).unwrap()
}

/// As YAML 1.2 types it, which editors follow: `off` is a text.
pub fn value(text: &str) -> Value {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_shipped_schemas_are_what_the_command_prints() {
    for which in ["mapping", "config"] {
        let (status, out, err) = segue(&["schema", which], "");
        assert_eq!(status, 0, "{err}");
        let path = root().join(format!("schemas/{which}.json"));
        if update() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &out).unwrap();
        }
        let shipped = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(shipped, out, "{}: UPDATE_EXPECT=1 writes it anew", path.display());
    }
    assert_eq!(segue(&["schema", "mappings"], "").0, 2);
}

#[test]
fn every_shipped_file_names_its_schema() {
    let mut lacking = Vec::new();
    for path in shipped() {
        let below = path.strip_prefix(root()).unwrap();
        let up = "../".repeat(below.components().count() - 1);
        let line = format!("{HEADER}{up}schemas/{}.json", schema_of(&path));
        let text = fs::read_to_string(&path).unwrap();
        if text.lines().next() == Some(&line) {
            continue;
        }
        if update() {
            let rest = text
                .strip_prefix(HEADER)
                .and_then(|rest| rest.split_once('\n'))
                .map_or(&*text, |(_, rest)| rest);
            fs::write(&path, format!("{line}\n{rest}")).unwrap();
        } else {
            lacking.push(format!("{}: {line}", below.display()));
        }
    }
    assert!(
        lacking.is_empty(),
        "without their first line (UPDATE_EXPECT=1 writes it):\n{}",
        lacking.join("\n")
    );
}

#[test]
fn every_shipped_file_is_valid() {
    // The other tests of this file write what this one reads.
    if update() {
        return;
    }
    let (mapping, config) = (validator("mapping"), validator("config"));
    let mut faults = Vec::new();
    let every_word = [
        "set.yaml",
        "codes.yaml",
        "overlay.yaml",
        "function.yaml",
        "cases/every-word/case.yaml",
        "config/segue.yaml",
        "config/backends/acme.yaml",
        "config/backends/key.yaml",
        "config/backends/token.yaml",
        "config/partners/globex.yaml",
        "config/partners/other.yaml",
    ];
    let every_word = every_word.map(|name| root().join("tests/schema").join(name));
    for path in shipped().into_iter().chain(every_word) {
        let is_config = schema_of(&path) == "config" || path.starts_with(root().join("tests/schema/config"));
        let found = value(&fs::read_to_string(&path).unwrap());
        if let Err(error) = (if is_config { &config } else { &mapping }).validate(&found) {
            faults.push(format!("{} at {}: {error}", path.display(), error.instance_path()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn wrong_files_are_refused() {
    let (mapping, config) = (validator("mapping"), validator("config"));
    let text = fs::read_to_string(root().join("tests/schema/wrong.txt")).unwrap();
    let mut rows = 0;
    for row in text.split("\n---\n") {
        let (which, file) = row.trim_start().split_once('\n').unwrap();
        let validator = match which {
            "mapping" => &mapping,
            "config" => &config,
            other => panic!("{other}: neither mapping nor config"),
        };
        assert!(!validator.is_valid(&value(file)), "taken as right:\n{file}");
        rows += 1;
    }
    assert!(rows >= 30, "{rows}");
}
