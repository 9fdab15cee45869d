//! The house rules that a machine can hold.
//!
//! Who may know whom is the table in ARCHITECTURE.md, read here; every path of every file under `src/` is held
//! against it. Sizes are a ratchet: the bounds below may only fall. Each failure says how to mend it.

mod tokens;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};
use tokens::{Kind, Token};

/// Longest file in lines, its tests apart.
const FILE_LINES_MAX: usize = 600;
/// Nine files in ten are not longer, in lines.
const FILE_LINES_NINE_IN_TEN_MAX: usize = 400;
/// Longest function in lines, from its `fn` to its last brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Nine functions in ten are not longer, in lines.
const FUNCTION_LINES_NINE_IN_TEN_MAX: usize = 25;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files below a folder of the repository whose ending is among these, as paths from the repository.
fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root().join(&folder)) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn fail_if_any(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}\n  {}", faults.join("\n  "));
}

/// Whom a room may know.
enum Knows {
    All,
    These(BTreeSet<String>),
}

/// The table of ARCHITECTURE.md: rows of room, job, and those it knows.
fn table() -> BTreeMap<String, Knows> {
    let mut table: BTreeMap<String, Knows> = BTreeMap::new();
    for line in read("ARCHITECTURE.md").lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [room, _, knows] = cells[..] else { continue };
        let Some(room) = room.strip_prefix('`').and_then(|room| room.strip_suffix('`')) else { continue };
        let words = |text: &str| -> BTreeSet<String> {
            let parts = text.split(',').map(|word| word.trim().trim_matches('`').to_owned());
            parts.filter(|word| !word.is_empty()).collect()
        };
        let knows = match knows {
            "all" => Knows::All,
            "nobody" => Knows::These(BTreeSet::new()),
            _ => match knows.strip_prefix("all above") {
                Some(but) => {
                    let but = words(but.trim().strip_prefix("but").unwrap_or_default());
                    Knows::These(table.keys().filter(|room| !but.contains(*room)).cloned().collect())
                }
                None => Knows::These(words(knows)),
            },
        };
        table.insert(room.to_owned(), knows);
    }
    assert!(table.len() > 5, "ARCHITECTURE.md has no table of rooms with the columns room, job, knows");
    table
}

#[test]
fn rooms_know_only_whom_they_may() {
    let table = table();
    let mut faults = Vec::new();
    for path in files("src", &["rs"]) {
        let module = tokens::module_of(&path);
        // The crate root and the binary wire the rooms.
        let Some(room) = module.first() else { continue };
        let Some(knows) = table.get(room) else {
            faults.push(format!(
                "{path}: the room `{room}` has no row in the table of ARCHITECTURE.md; add one"
            ));
            continue;
        };
        for (line, other) in tokens::rooms_named(&read(&path), &module) {
            let may = match knows {
                Knows::All => true,
                Knows::These(rooms) => rooms.contains(&other),
            };
            if other != *room && !may {
                faults.push(format!(
                    "{path}:{line}: `{room}` must not know `{other}`; hand in what is needed, through a trait or as \
                     a value, or change the table in ARCHITECTURE.md and say why"
                ));
            }
        }
    }
    fail_if_any("who may know whom:", &faults);
    for (room, knows) in &table {
        let Knows::These(rooms) = knows else { continue };
        for other in rooms {
            assert!(table.contains_key(other), "ARCHITECTURE.md: `{room}` knows `{other}`, which is no room");
        }
    }
}

/// Whether a file holds nothing but tests.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs")
}

fn distribution(what: &str, mut sizes: Vec<(usize, String)>) -> (usize, Vec<(usize, String)>) {
    sizes.sort();
    let at = |share: usize| sizes.get(sizes.len() * share / 100).map_or(0, |(size, _)| *size);
    let longest = sizes.last().map_or(0, |(size, _)| *size);
    println!("{what}: {}, median {}, nine in ten {}, longest {longest} lines", sizes.len(), at(50), at(90));
    (at(90), sizes)
}

#[test]
fn files_and_functions_stay_short() {
    let mut file_sizes = Vec::new();
    let mut function_sizes = Vec::new();
    for path in files("src", &["rs"]) {
        if is_test_file(&path) {
            continue;
        }
        let text = read(&path);
        let tokens = tokens::of(&text);
        let tests = tokens::test_lines(&tokens);
        file_sizes.push((text.lines().count() - tests.len(), path.clone()));
        for (line, lines) in tokens::functions(&tokens) {
            if !tests.contains(&line) {
                function_sizes.push((lines, format!("{path}:{line}")));
            }
        }
    }
    let mut faults = Vec::new();
    let (nine_in_ten, sizes) = distribution("files", file_sizes);
    for (lines, path) in sizes.iter().filter(|(lines, _)| *lines > FILE_LINES_MAX) {
        faults
            .push(format!("{path} has {lines} lines, more than {FILE_LINES_MAX}: give a part its own file"));
    }
    if nine_in_ten > FILE_LINES_NINE_IN_TEN_MAX {
        faults.push(format!(
            "files grow: nine in ten have up to {nine_in_ten} lines, {FILE_LINES_NINE_IN_TEN_MAX} is the mark"
        ));
    }
    let (nine_in_ten, sizes) = distribution("functions", function_sizes);
    for (lines, place) in sizes.iter().filter(|(lines, _)| *lines > FUNCTION_LINES_MAX) {
        faults.push(format!(
            "{place}: a function of {lines} lines, more than {FUNCTION_LINES_MAX}: keep the decisions here, move the \
             work into functions of its own"
        ));
    }
    if nine_in_ten > FUNCTION_LINES_NINE_IN_TEN_MAX {
        faults.push(format!(
            "functions grow: nine in ten have up to {nine_in_ten} lines, {FUNCTION_LINES_NINE_IN_TEN_MAX} is the mark"
        ));
    }
    fail_if_any("sizes:", &faults);
}

#[test]
fn nothing_is_left_undone() {
    let markers = ["FIX\u{4d}E", "TO\u{44}O:", "X\u{58}X:"];
    let macros = ["todo", "unimplemented", "dbg"];
    let mut faults = Vec::new();
    for path in ["src", "tests", "benches", "fuzz"].iter().flat_map(|folder| files(folder, &["rs"])) {
        let text = read(&path);
        for (number, line) in text.lines().enumerate() {
            for marker in markers.iter().filter(|marker| line.contains(**marker)) {
                faults.push(format!(
                    "{path}:{}: `{marker}`: do it, or write an issue and leave it out here",
                    number + 1
                ));
            }
        }
        for pair in tokens::of(&text).windows(2) {
            if pair[0].kind == Kind::Word && macros.contains(&pair[0].text) && pair[1].text == "!" {
                faults
                    .push(format!("{path}:{}: `{}!`: write what belongs there", pair[0].line, pair[0].text));
            }
        }
    }
    fail_if_any("left undone:", &faults);
}

#[test]
fn every_dependency_says_why() {
    let mut faults = Vec::new();
    let mut in_dependencies = false;
    let mut above = "";
    let text = read("Cargo.toml");
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies");
        } else if in_dependencies && line.contains('=') && !line.starts_with([' ', '#', ']']) {
            let reason = above.strip_prefix("# ").is_some_and(|reason| reason.len() > 10);
            if !reason {
                faults.push(format!(
                    "Cargo.toml:{}: write the reason in a comment line above `{line}`",
                    number + 1
                ));
            }
        }
        above = line;
    }
    fail_if_any("dependencies:", &faults);
}

#[test]
fn shipped_files_name_no_machine() {
    let strange = ["/home/", "/root/", "/tmp/", "/work/", "/Users/", "C:\\", "../shared"];
    let mut faults = Vec::new();
    for path in
        ["config", "mappings", "deploy"].iter().flat_map(|f| files(f, &["yaml", "yml", "rhai", "json", "md"]))
    {
        for (number, line) in read(&path).lines().enumerate() {
            for part in strange.iter().filter(|part| line.contains(**part)) {
                faults.push(format!(
                    "{path}:{}: `{part}` exists on one machine only: use a relative path",
                    number + 1
                ));
            }
        }
    }
    fail_if_any("machine paths:", &faults);
}

#[test]
fn codes_of_diagnostics_are_given_once_and_explained() {
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = Vec::new();
    for path in files("src", &["rs"]).iter().filter(|path| !is_test_file(path)) {
        let text = read(path);
        let tokens = tokens::of(&text);
        let texts: Vec<&str> = tokens.iter().map(|token| token.text).collect();
        // const NAME: Code = Code("Y100")
        for (at, row) in texts.windows(8).enumerate() {
            let ["const", name, ":", "Code", "=", "Code", "(", code] = row else { continue };
            let code = code.trim_matches('"');
            let place = format!("{path}:{}", tokens[at].line);
            let digits =
                code.get(1..).is_some_and(|rest| rest.len() == 3 && rest.bytes().all(|b| b.is_ascii_digit()));
            if !digits || !code.starts_with(|first: char| first.is_ascii_uppercase()) {
                faults.push(format!("{place}: `{code}` is no code: one letter and three digits"));
            }
            if !texts.windows(5).any(|row| row == ["Meaning", "::", "new", "(", name]) {
                faults.push(format!(
                    "{place}: {code} has no `Meaning` in the table beside it: write what to do in one line"
                ));
            }
            if let Some(first) = places.insert(code.to_owned(), place.clone()) {
                faults.push(format!("{place}: {code} is taken at {first}: give a new number"));
            }
        }
    }
    assert!(places.len() > 20, "the codes were not found; has their form changed?");
    fail_if_any("codes:", &faults);
}

/// The feature would turn numbers into private maps wherever `serde_json` meets Rhai or an untagged enum, and any
/// crate of the graph can switch it on for all.
#[test]
fn serde_json_keeps_its_own_numbers() {
    let text = "1.00000000000000000000000001";
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_ne!(
        value.to_string(),
        text,
        "a dependency enables serde_json/arbitrary_precision: find it with `cargo tree -e features -i serde_json`"
    );
}

#[test]
fn the_reader_of_this_test_sees_every_form_of_path() {
    let text = r#"
        use crate::{a::{x, y}, b, self, c as d};
        use super::super::{e, f::g};
        //! crate::no
        const S: &str = "crate::no"; const C: char = '"';
        mod tests { use super::*; use super::super::super::h; fn q<'a>(x: &'a str) { crate::i::j(x) } }
        fn r() { super::own(); super::super::k::l(); let s = r"crate::no"; /* crate::no /* */ crate::no */ }
    "#;
    let module = vec!["own".to_owned(), "inner".to_owned()];
    let rooms: Vec<String> = tokens::rooms_named(text, &module).into_iter().map(|(_, room)| room).collect();
    assert_eq!(rooms, ["a", "b", "c", "e", "f", "own", "h", "i", "own", "k"]);
    assert_eq!(tokens::module_of("src/a/b/mod.rs"), ["a", "b"]);
    assert_eq!(tokens::module_of("src/a/b.rs"), ["a", "b"]);
    assert_eq!(tokens::module_of("src/ids.rs"), ["ids"]);
    assert!(tokens::module_of("src/main.rs").is_empty());

    let text = "fn a() -> [u8; 2] {\n  1\n}\nfn b();\n#[cfg(test)]\nmod tests {\n  fn c() {}\n}\n";
    let tokens = tokens::of(text);
    assert_eq!(tokens::functions(&tokens), [(1, 3), (7, 1)]);
    assert_eq!(tokens::test_lines(&tokens).into_iter().collect::<Vec<_>>(), [5, 6, 7, 8]);
    let shown = tokens.iter().fold(String::new(), |mut all, Token { text, .. }| {
        let _ = write!(all, "{text} ");
        all
    });
    assert!(shown.starts_with("fn a ( ) -> ["), "{shown}");
}
