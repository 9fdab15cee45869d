//! `segue fmt`: the shipped files are formatted, and formatting changes nothing that a file says. Values are read here
//! by other code than ours.

use std::{fs, path::Path};

use segue::text::{
    Diagnostics, Sources,
    yaml::{LayoutError, laid_out},
};

use crate::{
    cli::{copy, root, run, segue},
    schema::{shipped, value},
};

fn laid(text: &str) -> Result<String, LayoutError> {
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let id = sources.add("a.yaml", text);
    laid_out(&sources, id, &mut out)
}

/// What is right of the fixtures: texts of diagnostics, blocks of the manual, files of the tests.
fn fixtures() -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(root().join("tests/diagnostics")).unwrap() {
        let case = fs::read_to_string(entry.unwrap().path()).unwrap();
        let input = case.split("\n===\n").next().unwrap_or_default().to_owned();
        texts.extend(
            input.split("\n>>> ").skip(1).filter_map(|part| Some(part.split_once('\n')?.1.to_owned())),
        );
    }
    for folder in ["tests/schema", "tests/support/tiny", "tests/schema/config/backends", "tests/mapping"] {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        let paths = entries.map(|entry| entry.unwrap().path());
        let yaml = paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        texts.extend(yaml.map(|path| fs::read_to_string(path).unwrap()));
    }
    let manual = fs::read_to_string(root().join("mappings/README.md")).unwrap();
    let blocks = manual.split("\n```").skip(1).step_by(2);
    texts.extend(blocks.filter_map(|block| Some(block.strip_prefix("yaml")?.split_once('\n')?.1.to_owned())));
    texts
}

#[test]
fn shipped_files_are_formatted() {
    let (status, out, err) = segue(&["fmt", "--check"], "");
    assert_eq!(status, 0, "run `cargo run -- fmt`\n{out}{err}");
    assert!(out.lines().last().unwrap().ends_with(" files, 0 not formatted, 0 refused"), "{out}");
}

#[test]
fn formatting_changes_no_value_and_nothing_twice() {
    let shipped = shipped().into_iter().map(|path| fs::read_to_string(path).unwrap());
    let (mut taken, mut odd) = (0, 0);
    for text in shipped.chain(fixtures()) {
        // As an editor without manners would leave it.
        let untidy = text.replace("{ ", "{").replace(" }", "}").replace("\n\n", "\n\n\n");
        for text in [text, untidy] {
            let Ok(once) = laid(&text) else {
                odd += 1;
                continue;
            };
            taken += 1;
            assert_eq!(value(&text), value(&once), "{text}");
            assert_eq!(laid(&once).as_ref(), Ok(&once), "{text}");
        }
    }
    assert!(taken > 1500 && odd < 400, "{taken} formatted, {odd} broken");
}

#[test]
fn files_are_written_whole_and_broken_ones_are_left() {
    let (_folder, config) = copy();
    let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
    let (untidy, broken) = (config.join("segue.yaml"), config.join("backends/acme.yaml"));
    write(&untidy, "# head\r\nmappings:   ../mappings\r\nreload: {watch: false}\r\n");
    write(&broken, "backend: acme\nbase_url: [\n");
    let (status, out, err) = run(&config, &["fmt", "--check"], "");
    assert_eq!(status, 1, "{out}{err}");
    assert!(fs::read_to_string(&untidy).unwrap().contains("{watch"));
    let (status, out, err) = run(&config, &["fmt"], "");
    assert_eq!(status, 1, "a broken file fails: {out}{err}");
    assert_eq!(
        fs::read_to_string(&untidy).unwrap(),
        "# head\nmappings: ../mappings\nreload: { watch: false }\n"
    );
    assert_eq!(fs::read_to_string(&broken).unwrap(), "backend: acme\nbase_url: [\n");
    assert!(err.contains("acme.yaml:") && out.contains("1 formatted, 1 refused"), "{out}{err}");
    let left: Vec<_> = fs::read_dir(&config).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().starts_with('.')), "{left:?}");
    let (status, out, _) = run(&config, &["fmt", untidy.to_str().unwrap()], "");
    assert_eq!((status, out.as_str()), (0, "1 files, 0 formatted, 0 refused\n"));
    assert_eq!(run(&config, &["fmt", "no-such-file.yaml"], "").0, 2);
}

#[test]
fn what_is_no_yaml_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("request.json");
    fs::write(&path, "{ \"a\": 1 }").unwrap();
    let (status, _, err) = segue(&["fmt", path.to_str().unwrap()], "");
    assert_eq!((status, err.contains("is no YAML file")), (2, true), "{err}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{ \"a\": 1 }");
}
