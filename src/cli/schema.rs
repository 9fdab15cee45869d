//! `segue schema`: what mapping and configuration files may hold, as a JSON Schema for editors.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::Value;

use super::output::say;
use crate::{
    cases, config, mapping,
    sonata::{Function, Release},
    text::form::{Choice, Form, schema},
};

/// Which files a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Files {
    /// set.yaml, codes.yaml, files of functions, overlays, and case.yaml.
    Mapping,
    /// segue.yaml, backends and partners.
    Config,
}

/// Prints the schema.
pub fn run(files: Files) -> anyhow::Result<ExitCode> {
    say(&serde_json::to_string_pretty(&of(files)).context("the schema")?);
    Ok(ExitCode::SUCCESS)
}

fn of(files: Files) -> Value {
    let (choices, forms) = parts(files);
    match files {
        Files::Mapping => schema(
            "Segue mapping files",
            "A file of a mapping set, a partner's overlay on one, or a case beside them. Which of these a file is shows in \
             its first keys: `language` (set.yaml), `extends` (an overlay), `function`, `shapes` or `operations` (a \
             function's file), `partner` and `clock` (case.yaml); anything else is codes.yaml.",
            &choices,
            &forms,
        ),
        Files::Config => schema(
            "Segue configuration files",
            "A file of the configuration folder: `partner` begins one of partners/, `backend` one of backends/; \
             anything else is segue.yaml.",
            &choices,
            &forms,
        ),
    }
}

fn parts(files: Files) -> (Vec<Choice>, Vec<Form>) {
    match files {
        Files::Config => (config::forms::FILES.to_vec(), config::forms::forms()),
        Files::Mapping => {
            let functions = Function::all().filter(|function| !function.is_notification());
            let standard = mapping::forms::Standard {
                releases: Release::all().map(|release| release.as_str().to_owned()).collect(),
                functions: functions.map(|function| function.name().to_owned()).collect(),
            };
            let mut choices = mapping::forms::FILES.to_vec();
            choices.extend::<[Choice; 2]>([(&["partner", "clock"], "case"), (&[], "codes")]);
            let mut forms = mapping::forms::forms(&standard);
            forms.extend(cases::form::forms());
            (choices, forms)
        }
    }
}

#[cfg(test)]
mod tests {
    //! Readers and forms know the same keys, words and bounds: what readers ask for is noted while they read files in
    //! which every word of the language stands, and held against the forms.

    use std::{
        collections::{BTreeMap, BTreeSet},
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::{
        config::secret::Lookup,
        mapping::raw,
        text::{
            Diagnostics, Sources,
            form::Kind,
            yaml::{
                self, Node, Value,
                asked::{What, during},
            },
        },
    };

    /// What was asked of a node, by the place of the node.
    type Asked = Vec<((u32, u32), What)>;

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema")
    }

    fn load(text: &str) -> (Sources, Node) {
        let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
        let id = sources.add("a.yaml", text);
        let node = yaml::load(&sources, id, &mut out);
        assert!(!out.has_errors(), "{}", out.render_text(&sources));
        (sources, node.unwrap())
    }

    /// The form of a mapping file, its root, and what its reader asked for.
    fn mapping_file(name: &str) -> (&'static str, Node, Asked) {
        let text = std::fs::read_to_string(fixtures().join(name)).unwrap();
        let (sources, node) = load(&text);
        let mut out = Diagnostics::new();
        let read = |form: &'static str, out: &mut Diagnostics| match form {
            "set" => drop(raw::read_set(&node, out)),
            "codes" => drop(raw::read_codes(&node, out)),
            "overlay" => drop(raw::read_overlay(&node, out)),
            _ => drop(raw::read_function(&node, out)),
        };
        let form = match name {
            "set.yaml" => "set",
            "codes.yaml" => "codes",
            "overlay.yaml" => "overlay",
            _ => "function",
        };
        let ((), asked) = during(|| read(form, &mut out));
        let unknown: Vec<_> = out.iter().filter(|one| one.code == crate::text::code::UNKNOWN_KEY).collect();
        assert!(unknown.is_empty(), "{}", out.render_text(&sources));
        (form, node, asked.into_iter().map(|(span, what)| ((span.start, span.end), what)).collect())
    }

    fn config_files() -> Vec<(&'static str, Node, Asked)> {
        let folder = fixtures().join("config");
        let mut out = Diagnostics::new();
        let files = config::files::read_config(&folder, &mut out);
        let texts: Vec<(String, String)> =
            files.iter().map(|(path, text)| (path.to_owned(), text.to_string())).collect();
        let (loaded, asked) = during(|| config::load_set(files, &Lookup::new(&folder, |_| None)));
        let unknown = |one: &&crate::text::Diagnostic| one.code == crate::text::code::UNKNOWN_KEY;
        assert!(
            !loaded.diagnostics.iter().any(|one| unknown(&one)),
            "{}",
            loaded.diagnostics.render_text(&loaded.sources)
        );
        let rows = texts.iter().map(|(path, text)| {
            let form = match path.split('/').next().unwrap() {
                "backends" => "backend",
                "partners" => "partner",
                _ => "gateway",
            };
            let of_file = asked.iter().filter(|(span, _)| loaded.sources.path(span.source).ends_with(path));
            let asked = of_file.map(|(span, what)| ((span.start, span.end), what.clone())).collect();
            (form, load(text).1, asked)
        });
        rows.collect()
    }

    fn case_file() -> (&'static str, Node, Asked) {
        let folder = fixtures().join("cases/every-word");
        let (case, asked) = during(|| cases::form::read(&folder));
        case.unwrap();
        let text = std::fs::read_to_string(folder.join("case.yaml")).unwrap();
        let asked = asked.into_iter().map(|(span, what)| ((span.start, span.end), what)).collect();
        ("case", load(&text).1, asked)
    }

    /// What the forms say of every node, by its place: the forms that it may be of, its words, its bounds.
    #[derive(Default)]
    struct Said {
        forms: BTreeMap<(u32, u32), BTreeSet<&'static str>>,
        words: BTreeMap<(u32, u32), BTreeSet<String>>,
        bounds: BTreeMap<(u32, u32), BTreeSet<(u64, u64)>>,
    }

    fn say_of<'f>(node: &Node, kind: &'f Kind, forms: &'f [Form], said: &mut Said) {
        let place = (node.span.start, node.span.end);
        match (kind, &node.value) {
            (Kind::Either(kinds), _) => {
                for kind in kinds {
                    say_of(node, kind, forms, said);
                }
            }
            (Kind::Words(words), Value::Scalar(_)) => {
                said.words.entry(place).or_default().extend(words.iter().cloned());
            }
            (Kind::Integer(least, most), Value::Scalar(_)) => {
                said.bounds.entry(place).or_default().insert((*least, *most));
            }
            (Kind::List(kind) | Kind::Some(kind), Value::Sequence(nodes)) => {
                for node in nodes {
                    say_of(node, kind, forms, said);
                }
            }
            (Kind::Named(kind), Value::Mapping(entries)) => {
                for entry in entries {
                    say_of(&entry.value, kind, forms, said);
                }
            }
            (Kind::Is(name), Value::Mapping(entries)) => {
                let form =
                    forms.iter().find(|form| form.name == *name).unwrap_or_else(|| panic!("no form {name}"));
                said.forms.entry(place).or_default().insert(form.name);
                for entry in entries {
                    let key = form.keys.iter().find(|key| key.name == entry.key);
                    if let Some(kind) = key.map(|key| &key.kind).or(form.others.as_ref()) {
                        say_of(&entry.value, kind, forms, said);
                    }
                }
            }
            _ => {}
        }
    }

    fn compare(
        name: &str,
        said: &Said,
        asked: &Asked,
        forms: &[Form],
        seen: &mut BTreeMap<&'static str, BTreeSet<String>>,
    ) {
        for (place, what) in asked {
            match what {
                What::Keys(keys) => {
                    let Some(of) = said.forms.get(place) else {
                        panic!("{name}: a mapping at {place:?} that no form describes; asked for {keys:?}")
                    };
                    // Where a mapping may be of two forms, the readers ask for the keys of both.
                    for key in keys {
                        let known = of.iter().filter(|form| {
                            let form = forms.iter().find(|one| one.name == **form).unwrap();
                            form.keys.iter().any(|own| own.name == *key)
                        });
                        let known: Vec<&&str> = known.collect();
                        assert!(!known.is_empty(), "{name}: `{key}` is no key of the form {of:?}");
                        for form in known {
                            seen.entry(form).or_default().insert((*key).to_owned());
                        }
                    }
                }
                What::Words(words) => {
                    let words: BTreeSet<String> = words.iter().map(|word| (*word).to_owned()).collect();
                    let said = said.words.get(place);
                    assert_eq!(said, Some(&words), "{name}: words at {place:?}");
                }
                What::Bounds(least, most) => {
                    let said = said.bounds.get(place).is_some_and(|said| said.contains(&(*least, *most)));
                    // `language` is read as any number, so that another version can be told.
                    assert!(
                        said || *most == u64::from(u32::MAX),
                        "{name}: bounds {least} to {most} at {place:?}"
                    );
                }
            }
        }
    }

    fn hold(files: Files, documents: &[(&'static str, Node, Asked)]) {
        let (_, forms) = parts(files);
        let mut seen = BTreeMap::new();
        for (form, node, asked) in documents {
            let mut said = Said::default();
            say_of(node, &Kind::Is(form), &forms, &mut said);
            compare(form, &said, asked, &forms, &mut seen);
        }
        // The functions of `release:` are read as keys of the author's own, and looked up in the same table.
        let by_keys = |form: &&Form| !form.keys.is_empty() && form.name != "releases";
        for form in forms.iter().filter(by_keys) {
            let asked = seen.remove(form.name).unwrap_or_default();
            let keys: BTreeSet<String> = form.keys.iter().map(|key| key.name.to_owned()).collect();
            assert_eq!(keys, asked, "the form `{}` and its readers differ (left: the form)", form.name);
        }
    }

    #[test]
    fn readers_and_forms_of_mappings_know_the_same() {
        let names = ["set.yaml", "codes.yaml", "overlay.yaml", "function.yaml"];
        let mut documents: Vec<_> = names.into_iter().map(mapping_file).collect();
        documents.push(case_file());
        hold(Files::Mapping, &documents);
    }

    #[test]
    fn readers_and_forms_of_configurations_know_the_same() {
        hold(Files::Config, &config_files());
    }
}
