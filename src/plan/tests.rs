//! What is shared and what is compiled again: counted, not timed.

use super::{Built, PartnerPlan, Plan, load, load_changed, longest_prefix};
use crate::{config::Changed, mapping::operation::OperationProgram, sonata::Function};
use std::{cell::RefCell, collections::BTreeMap, fs, path::Path, sync::Arc};

/// A set of three functions whose partners have overlays of their own.
struct Bed(tempfile::TempDir, RefCell<Changed>);

const FILES: [&str; 7] =
    ["set.yaml", "codes.yaml", "common.yaml", "functions.rhai", "address.yaml", "quote.yaml", "order.yaml"];

impl Bed {
    fn new(partners: &[&str]) -> Self {
        let bed = Self(tempfile::tempdir().unwrap(), RefCell::new(Changed::nowhere()));
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in FILES {
            bed.write(
                &format!("mappings/acme/{file}"),
                &fs::read_to_string(root.join("mappings/acme").join(file)).unwrap(),
            );
        }
        bed.write("config/segue.yaml", "listeners:\n  sonata: { address: \"127.0.0.1:0\" }\n  admin: { address: \"127.0.0.1:0\" }\nstore: { embedded: ../data/segue.db }\nmappings: ../mappings\n");
        let backend = fs::read_to_string(root.join("config/backends/acme.yaml")).unwrap();
        bed.write("config/backends/acme.yaml", &backend.replace("\nopenapi:", "\n# openapi:"));
        for name in partners {
            bed.partner(name);
        }
        bed
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        let folder = path.parent().unwrap();
        if !folder.exists() {
            self.1.borrow_mut().also(folder.to_owned());
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(&path, text).unwrap();
        self.1.borrow_mut().also(path);
    }

    fn remove(&self, path: &str) {
        let path = self.0.path().join(path);
        fs::remove_file(&path).unwrap();
        self.1.borrow_mut().also(path);
    }

    /// What changed since this was asked, as a watch would tell it.
    fn changed(&self) -> Changed {
        self.1.replace(Changed::nowhere())
    }

    fn change(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.0.path().join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        self.write(path, &text.replacen(from, to, 1));
    }

    fn partner(&self, name: &str) {
        self.write(&format!("config/partners/{name}.yaml"), &format!(
            "partner: {name}\nidentify: {{ loopback: true }}\nside: seller\nbase_path: /{name}\nrelease: {{ default: grace }}\nmapping: acme\nroutes: [ {{ backend: acme }} ]\nsettings: {{ account: \"1\", currency: EUR, desk: {{ name: D, emailAddress: d@s.example, number: \"1\" }} }}\n"
        ));
    }

    fn overlay(&self, name: &str, body: &str) {
        self.write(&format!("mappings/partners/{name}/acme.yaml"), &format!("extends: acme\n{body}"));
    }

    fn load(&self, previous: Option<&Plan>) -> Built {
        load(&self.0.path().join("config"), previous)
    }

    fn plan(&self, previous: Option<&Plan>) -> Plan {
        let built = self.load(previous);
        let told = built.diagnostics.render_text(&built.sources);
        built.plan.unwrap_or_else(|| panic!("{told}"))
    }
}

const CHANNEL: &str = "shapes: { quote: [ { change: { legacy: hdr.channel, value: X } } ] }\n";
const CODES: &str = "codes: { contact-role: { add: [ { sonata: extra, legacy: T } ] } }\n";

fn program<'p>(plan: &'p Plan, partner: &str, function: &str, id: &str) -> &'p Arc<OperationProgram> {
    let partner: &'p PartnerPlan = plan.partner(partner).unwrap();
    &partner.served(Function::parse(function).unwrap(), id).mapped().unwrap().program
}

/// All programs of a plan as text, their tables in them.
fn programs(plan: &Plan) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for partner in plan.partners() {
        for (function, id, _) in partner.operations() {
            for (_, mapped) in partner.mapped(function, id) {
                let whole = mapped.whole();
                let key = format!("{} {}.{id}", partner.id(), function.name());
                all.insert(key, format!("{:?} {:?} {:?}", whole.program, whole.echo_off, whole.backend));
            }
        }
    }
    all
}

#[test]
fn partners_share_what_their_overlays_leave_alone() {
    let bed = Bed::new(&["one", "two", "three"]);
    bed.overlay("one", CHANNEL);
    bed.overlay("two", &CHANNEL.replace('X', "Y"));
    bed.overlay("three", CODES);
    let plan = bed.plan(None);
    let of = |partner, id| program(&plan, partner, if id == "createQuote" { "quote" } else { "order" }, id);
    assert!(Arc::ptr_eq(of("one", "createProductOrder"), of("two", "createProductOrder")));
    assert!(!Arc::ptr_eq(of("one", "createQuote"), of("two", "createQuote")));
    // Another table changes no program, only what stands in the place of the table.
    assert!(Arc::ptr_eq(of("three", "createProductOrder"), of("two", "createProductOrder")));
    let mapped = |partner: &str| {
        let partner = plan.partner(partner).unwrap();
        partner.served(Function::parse("order").unwrap(), "createProductOrder").mapped().unwrap().clone()
    };
    assert!(!mapped("three").tables.is_empty() && mapped("two").tables.is_empty());
    assert_ne!(format!("{:?}", mapped("three").whole().program), format!("{:?}", mapped("two").program));
    // Of a program that differs, the answer does not.
    let answer = |partner| format!("{:p}", answer_of(of(partner, "createQuote")));
    assert_eq!(answer("one"), answer("two"));
    // What partners do not differ in is kept once, ways included.
    let ways = |partner: &str, function| {
        let partner = plan.partner(partner).unwrap();
        partner.targets(Function::parse(function).unwrap(), "createProductOrder").as_ptr()
    };
    assert_eq!(ways("one", "order"), ways("two", "order"));
}

fn answer_of(program: &OperationProgram) -> *const crate::mapping::program::Program {
    match &program.answer {
        crate::mapping::operation::Answer::Reply(program) => Arc::as_ptr(program),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reload_compiles_what_an_edit_reaches_and_equals_a_cold_start() {
    let bed = Bed::new(&["one", "two", "three"]);
    bed.overlay("one", CHANNEL);
    bed.overlay("two", CODES);
    let first = bed.plan(None);
    let whole = first.made.bases.values().map(|base| base.parts()).sum::<usize>();
    assert_eq!((first.made.partners_compiled, first.made.bases.len()), (3, 1));
    let mut before = first;
    let mut changed = bed.changed();
    let mut step = |what: &str, partners: Option<usize>, parts: Option<std::ops::Range<usize>>| {
        changed.and(bed.changed());
        let cold = bed.load(None);
        // What is told of, and everything looked at; the last one goes on.
        let told = load_changed(&bed.0.path().join("config"), &before, &changed);
        let mut last = None;
        for warm in [bed.load(Some(&before)), told] {
            assert_eq!(
                cold.diagnostics.render_text(&cold.sources),
                warm.diagnostics.render_text(&warm.sources),
                "{what}"
            );
            assert_eq!(cold.plan.is_some(), warm.plan.is_some(), "{what}");
            let (Some(cold), Some(warm)) = (&cold.plan, warm.plan) else { return };
            assert_eq!(cold.hash(), warm.hash(), "{what}");
            assert_eq!(programs(cold), programs(&warm), "{what}");
            last = Some(warm);
        }
        let Some(warm) = last else { return };
        changed = Changed::nowhere();
        assert!(warm.is_current(&bed.0.path().join("config")), "{what}");
        if let Some(partners) = partners {
            assert_eq!(warm.made.partners_compiled, partners, "{what}");
        }
        if let Some(parts) = parts {
            assert!(parts.contains(&warm.made.parts_compiled), "{what}: {} parts", warm.made.parts_compiled);
        }
        before = warm;
    };
    step("nothing", Some(0), Some(0..1));
    bed.overlay("one", &CHANNEL.replace('X', "Z"));
    step("an overlay", Some(1), Some(1..whole / 2));
    bed.change("mappings/acme/quote.yaml", "legacy: hdr.channel", "legacy: hdr.chanel");
    step("a slip in the set", None, None);
    bed.change("mappings/acme/quote.yaml", "legacy: hdr.chanel", "legacy: hdr.channel");
    step("its mending", Some(0), Some(0..1));
    bed.change("mappings/acme/quote.yaml", "function: quote", "# a line more\nfunction: quote");
    step("a line of the set", Some(3), None);
    bed.overlay("three", "shapes: { quote: [ { change: { legacy: hdr.nowhere, value: X } } ] }\n");
    step("an overlay that hits nothing", None, None);
    bed.overlay("three", "shapes: { quote: [ { remove: hdr.channel } ] }\n");
    step("one that removes", Some(1), None);
    bed.partner("four");
    step("a partner more", Some(1), Some(0..1));
    bed.remove("mappings/partners/one/acme.yaml");
    step("an overlay less", Some(1), Some(0..1));
    bed.remove("config/partners/two.yaml");
    step("a partner less", Some(0), Some(0..1));
    bed.write("config/partners/five.yaml", "partner: five\nidentify: { loopback: true }\n");
    step("a partner that is wrong", None, None);
}

#[test]
fn an_overlay_is_compiled_to_what_the_whole_would_be() {
    let bed = Bed::new(&["one"]);
    for overlay in [
        CHANNEL.to_owned(),
        CODES.to_owned(),
        format!("{CODES}{CHANNEL}"),
        "operations: { createQuote: manual }\n".to_owned(),
    ] {
        bed.overlay("one", &overlay);
        let overlaid = programs(&bed.plan(None));
        // A product makes everything anew.
        bed.overlay("one", &format!("{overlay}products: {{ another: \"urn:another\" }}\n"));
        let whole = programs(&bed.plan(None));
        for (name, program) in &overlaid {
            assert_eq!(whole.get(name), Some(program), "{overlay} {name}");
        }
        assert_eq!(overlaid.len(), whole.len());
    }
}

#[test]
fn an_error_in_a_set_is_told_under_an_overlay_as_it_is_by_the_whole() {
    let bed = Bed::new(&["one", "two"]);
    bed.change("mappings/acme/address.yaml", "sonata: provideAlternative", "sonata: provideAlternativ");
    // Beside the fault; on the table that other parts have too; and where the fault is.
    let at_fault = "operations: { createGeographicAddressValidation: manual }\n";
    for overlay in [CHANNEL, CODES, at_fault] {
        let told = || {
            let built = bed.load(None);
            assert!(built.plan.is_none(), "{overlay}");
            built.diagnostics.render_text(&built.sources)
        };
        bed.overlay("one", overlay);
        let overlaid = told();
        // A product makes everything anew.
        bed.overlay("one", &format!("{overlay}products: {{ another: \"urn:another\" }}\n"));
        assert_eq!(overlaid, told(), "{overlay}");
    }
}

#[test]
fn the_longest_key_wins_that_a_path_begins_with() {
    let keys = ["", "/a", "/ab", "/ab/c", "/ab/ca", "/b", "/\u{e9}", "/z"];
    let all: BTreeMap<String, &str> = keys.iter().map(|key| ((*key).to_owned(), *key)).collect();
    for path in [
        "", "/", "/a", "/a/x", "/ab/b", "/ab/c/d", "/ab/caa", "/ab/cb", "/aaa", "/b", "/\u{ea}", "/\u{e9}x",
        "x",
    ] {
        let expected = keys.iter().filter(|key| path.starts_with(**key)).max_by_key(|key| key.len());
        assert_eq!(longest_prefix(&all, path), expected, "{path}");
    }
    let some = BTreeMap::from([("/a".to_owned(), 1), ("/ab/c".to_owned(), 2)]);
    assert_eq!(
        ["/ab/cd", "/ab/d", "/b", "/", "/0"].map(|path| longest_prefix(&some, path).copied()),
        [Some(2), Some(1), None, None, None]
    );
}
