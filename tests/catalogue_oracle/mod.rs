//! The catalogue against the raw interface files, by an oracle that shares no code with importer and checker.
//!
//! The oracle reads the `OpenAPI` and product files with serde-saphyr, turns them into draft-07 JSON Schema and lets
//! the jsonschema crate decide. Documents are generated from the raw schemas and mutated; on each of them the
//! checker, which runs on facts, must give the same verdict. Operations are compared as tables.
//!
//! What differs on purpose, and so is built into the oracle: a `@type` that is none of the listed ones, or names
//! no known product, is a fault (plain JSON Schema accepts it).
//!
//! Skipped, with a line that says so, where `../shared/sonata-sdk` is not there.

mod fixtures;
mod generate;
mod raw;

use generate::{Random, add_unknown, generate, mutate};
use raw::{RawParameter, Sdk};
use segue::{
    json::Document,
    sonata::{
        Body, Contract, Function, ProductTypes, Products, QueryParameter, Release, catalogue, check, facts,
    },
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Documents generated and documents mutated, for each type; fewer for releases whose files say mostly the same.
const DOCUMENTS_PER_TYPE: u32 = 60;
const DOCUMENTS_PER_TYPE_OF_OTHERS: u32 = 12;
const MUTANTS_PER_DOCUMENT: u32 = 3;

/// The data beside the package, or none and a line that says so.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared/{name} is not here");
    None
}

#[derive(Default)]
struct Counts {
    types: usize,
    valid: usize,
    invalid: usize,
    /// Members that no type describes: put in, and seen.
    unknown: usize,
    unknown_seen: usize,
    /// Whether one difference is enough.
    first_only: bool,
    /// Documents for each type.
    documents: u32,
}

/// What the checker says: faults, and pointers of unknown members.
struct Ours {
    faults: Vec<String>,
    unknown: Vec<String>,
    /// Text of the document without them.
    stripped: String,
}

impl Ours {
    fn of(document: &Document, checked: &check::Checked) -> Self {
        Self {
            faults: checked.faults.iter().map(ToString::to_string).collect(),
            unknown: checked.unknown.iter().map(|id| document.node(*id).pointer()).collect(),
            stripped: check::strip(document, &checked.unknown).text().to_owned(),
        }
    }
}

impl Counts {
    /// Runs one type through generated and mutated documents; `ours` gives the faults.
    fn run(
        &mut self,
        name: &str,
        schema: &Value,
        seed: u64,
        ours: &dyn Fn(&Document) -> Ours,
    ) -> Result<(), String> {
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .should_validate_formats(true)
            .build(schema)
            .map_err(|error| format!("{name}: {error}"))?;
        let mut random = Random::new(seed);
        let mut valid = 0;
        for _ in 0..self.documents {
            let document = generate(schema, &mut random);
            for mutant in 0..=MUTANTS_PER_DOCUMENT {
                let mut value = document.clone();
                for _ in 0..mutant.min(2) {
                    mutate(&mut value, &mut random);
                }
                let expected = validator.is_valid(&value);
                let document = Document::from_text(&value.to_string()).map_err(|error| error.to_string())?;
                let Ours { faults, unknown, .. } = ours(&document);
                if mutant == 0 && expected {
                    // The two forms of billie's map of end points require nothing, not even what tells them apart: a
                    // list that one form refuses is a member that the other does not know.
                    if unknown.iter().any(|pointer| !pointer.contains("/ovcEndPointMap/")) {
                        return Err(format!("{name}: not known {unknown:#?}\n{value:#}"));
                    }
                    if unknown.is_empty() {
                        self.unknown(&mut value, &mut random, ours)
                            .map_err(|error| format!("{name}: {error}"))?;
                    }
                }
                if expected != faults.is_empty() {
                    let theirs: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
                    return Err(format!("{name}: raw {theirs:#?}\nfacts {faults:#?}\n{value:#}"));
                }
                if expected {
                    valid += 1;
                } else {
                    self.invalid += 1;
                }
            }
        }
        if valid == 0 {
            return Err(format!("{name}: no valid document was generated"));
        }
        self.types += 1;
        self.valid += valid;
        Ok(())
    }
}

impl Counts {
    /// Adds an unknown member: it must be the one that is seen, unless it is in an object that may hold anything.
    fn unknown(
        &mut self,
        value: &mut Value,
        random: &mut Random,
        ours: &dyn Fn(&Document) -> Ours,
    ) -> Result<(), String> {
        let before = value.clone();
        let Some(pointer) = add_unknown(value, random) else { return Ok(()) };
        let document = Document::from_text(&value.to_string()).map_err(|error| error.to_string())?;
        let found = ours(&document);
        self.unknown += 1;
        if found.unknown == [pointer.as_str()] {
            self.unknown_seen += 1;
            let stripped: Value = serde_json::from_str(&found.stripped).map_err(|error| error.to_string())?;
            if stripped != before {
                return Err(format!("stripped of {pointer} it is {stripped:#}"));
            }
        } else if !found.unknown.is_empty() {
            return Err(format!("{pointer} was put in, seen is {:#?}", found.unknown));
        }
        Ok(())
    }
}

fn faults(
    contract: &Contract,
    ty: segue::sonata::TypeId,
    products: &Products,
    document: &Document,
) -> Vec<String> {
    let options = check::Options::new(products);
    let checked = check::check(document.root(), contract, ty, &options);
    checked.faults.iter().map(ToString::to_string).collect()
}

/// Every request and response body of every operation of an API.
fn compare_bodies(
    sdk: &Sdk,
    api: &Value,
    contract: &Contract,
    products: &Products,
    counts: &mut Counts,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    let options = check::Options::new(products);
    for raw in raw::operations(api) {
        let operation = contract.operation(&raw.id).unwrap();
        let request = raw.request.map(|schema| (schema, operation.request.unwrap(), "request".to_owned()));
        let responses = raw.responses.into_iter().filter_map(|(status, schema)| {
            let body = operation.response(status).unwrap().body;
            Some((schema?, body.unwrap().value, status.to_string()))
        });
        for (schema, ty, what) in request.into_iter().chain(responses) {
            if !seen.insert(schema.to_string()) {
                continue;
            }
            if counts.first_only && !problems.is_empty() {
                return problems;
            }
            let schema = sdk.schema(api, &schema);
            let name = format!("{}.{} {what}", contract.function, raw.id);
            let ours = |document: &Document| {
                Ours::of(document, &check::check(document.root(), contract, ty, &options))
            };
            problems.extend(counts.run(&name, &schema, seen.len() as u64, &ours).err());
        }
    }
    problems
}

fn compare_products(sdk: &Sdk, products: &Products, counts: &mut Counts) -> Vec<String> {
    let mut problems = Vec::new();
    let options = check::Options::new(products);
    for (index, urn) in sdk.products.keys().enumerate() {
        let product = products.resolve(urn).unwrap();
        let ours = |document: &Document| {
            Ours::of(document, &check::check_product(document.root(), &product, &options))
        };
        if counts.first_only && !problems.is_empty() {
            break;
        }
        let schema = sdk.product_schema(urn);
        let mut rounds = 0..4;
        let problem =
            rounds.find_map(|round| counts.run(urn, &schema, (index * 10 + round) as u64, &ours).err());
        problems.extend(problem);
    }
    problems
}

/// Bodies and products of a release. An API whose file is another release's as well is held with that whose copy is
/// kept.
fn hold(release: &str) {
    let Some(folder) = shared("sonata-sdk") else { return };
    let mut sdk = Sdk::read(&folder, release);
    let release = Release::parse(release).unwrap();
    let mut products = catalogue().products(release);
    // The data has no products of kylie; others are plugged in.
    let has_products = !sdk.products.is_empty();
    if !has_products {
        assert_eq!(products.urns().count(), 0);
        sdk = sdk.with_products_of(Sdk::read(&folder, "grace"));
        products = catalogue().products(Release::GRACE);
    }
    let urns: Vec<&str> = sdk.products.keys().map(String::as_str).collect();
    assert_eq!(urns, products.urns().collect::<Vec<_>>());
    let functions: Vec<&str> = catalogue().functions(release).map(Function::name).collect();
    assert_eq!(functions.len(), sdk.apis.len());
    let documents = if release == Release::GRACE { DOCUMENTS_PER_TYPE } else { DOCUMENTS_PER_TYPE_OF_OTHERS };
    let mut bodies = Counts { documents, ..Counts::default() };
    let mut problems = Vec::new();
    for (function, api) in &sdk.apis {
        if !sdk.sources[function].starts_with(release.as_str()) {
            continue;
        }
        let contract = catalogue().contract(release, Function::parse(function).unwrap()).unwrap();
        problems.extend(compare_bodies(&sdk, api, contract, &products, &mut bodies));
    }
    report(&format!("{release} bodies"), &bodies, &problems);
    if has_products {
        let mut counts = Counts { documents: DOCUMENTS_PER_TYPE, ..Counts::default() };
        let problems = compare_products(&sdk, &products, &mut counts);
        report(&format!("{release} products"), &counts, &problems);
    }
}

macro_rules! verdicts {
    ($($release:ident)*) => { $(
        #[test]
        fn $release() {
            super::hold(stringify!($release));
        }
    )* };
}

mod bodies_and_products_get_the_verdict_of_the_raw_schema {
    verdicts!(billie celine dolly ella fergie grace kylie);
}

/// The facts of a file with something changed wherever it stands.
fn changed(file: &str, from: &str, to: &str) -> facts::File {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sonata/facts");
    let text = fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no line {from:?}");
    facts::read(&text.replace(from, to)).unwrap()
}

fn first_only() -> Counts {
    Counts { first_only: true, documents: DOCUMENTS_PER_TYPE, ..Counts::default() }
}

#[test]
fn a_changed_fact_is_noticed() {
    let Some(folder) = shared("sonata-sdk") else { return };
    let sdk = Sdk::read(&folder, "grace");
    let products = catalogue().products(Release::GRACE);
    let mut unnoticed = Vec::new();
    let quote = [
        ("  quoteItem! [QuoteItem] 1..", "  quoteItem [QuoteItem] 1.."),
        ("  quoteItem! [QuoteItem] 1..", "  quoteItem! [QuoteItem]"),
        ("  amount! integer", "  amount! number"),
        ("  amount! integer", "  amount! string"),
        ("\n  approved.orderable\n", "\n"),
        ("  reason! string length ..255", "  reason! string length ..254"),
        ("  quoteDate! string format date-time", "  quoteDate! string format date"),
        ("  + when @type FieldedAddress FieldedAddress", "  + when @type FieldedAddress FormattedAddress"),
        ("object FieldedAddress : RelatedPlaceRefOrValue", "object FieldedAddress"),
        ("  + product @type\n", ""),
    ];
    for (from, to) in quote {
        let contract = Contract::compile(&changed("dolly/quote.facts", from, to)).unwrap();
        let problems = compare_bodies(&sdk, &sdk.apis["quote"], &contract, &products, &mut first_only());
        unnoticed.extend(problems.is_empty().then(|| format!("{from:?} to {to:?}")));
    }
    let product = [
        ("integer min 1522", "integer min 1523"),
        ("max 4094", "max 4095"),
        (" unique", ""),
        ("  + oneof Ipv4OrIpv6Address/1 Ipv4OrIpv6Address/2", "  + oneof Ipv4OrIpv6Address/1"),
        ("any format ipv6", "any format ipv4"),
        ("  + require ipv4Prefix", "  + require ipv6Prefix"),
        ("  uniEp! ", "  uniEp "),
        ("([-]", "([:]"),
    ];
    for (from, to) in product {
        let types = ProductTypes::compile(&changed("grace/products.facts", from, to)).unwrap();
        let products = Products::new(vec![Arc::new(types)]);
        let problems = compare_products(&sdk, &products, &mut first_only());
        unnoticed.extend(problems.is_empty().then(|| format!("{from:?} to {to:?}")));
    }
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:#?}");
}

fn parameter(contract: &Contract, own: &QueryParameter) -> RawParameter {
    let view = contract.view(own.value);
    RawParameter {
        required: own.required,
        kind: view.kind().name().to_owned(),
        format: view.format().map(|format| format.name().to_owned()),
        values: view.enum_values().map(str::to_owned).collect(),
    }
}

fn report(what: &str, counts: &Counts, problems: &[String]) {
    println!(
        "{what}: {} runs, {} valid and {} invalid documents",
        counts.types, counts.valid, counts.invalid
    );
    println!("{what}: {} of {} unknown members seen", counts.unknown_seen, counts.unknown);
    for problem in problems.iter().take(3) {
        println!("{problem}");
    }
    assert!(problems.is_empty(), "{} types differ", problems.len());
    assert!(counts.unknown_seen * 10 > counts.unknown * 9, "few objects may hold anything");
    assert!(counts.valid > counts.types && counts.invalid > counts.types);
}

#[test]
fn operations_are_those_of_the_raw_files() {
    let Some(folder) = shared("sonata-sdk") else { return };
    let mut count = 0;
    for release in catalogue().releases() {
        let sdk = Sdk::read(&folder, release.as_str());
        for (function, api) in &sdk.apis {
            let contract = catalogue().contract(release, Function::parse(function).unwrap()).unwrap();
            count += same_operations(&format!("{release} {function}"), api, contract);
        }
    }
    println!("operations: {count}");
    assert_eq!(count, 63 + 68 + 83 + 94 + 114 + 114 + 127);
}

/// Compares the tables; tells the number of operations.
fn same_operations(place: &str, api: &Value, contract: &Contract) -> usize {
    let url = api["servers"][0]["url"].as_str().unwrap();
    assert!(url.ends_with(&format!("{}/", contract.base_path())), "{place}: {url}");
    assert_eq!(api["info"]["version"], contract.version.as_str());
    let raw = raw::operations(api);
    assert_eq!(raw.len(), contract.operations.len(), "{place}");
    for raw in &raw {
        let place = format!("{place} {}", raw.id);
        let operation = contract.operation(&raw.id).unwrap();
        assert_eq!(
            (operation.method.as_str(), operation.path_text()),
            (raw.method.as_str(), raw.path.clone()),
            "{place}"
        );
        let query: BTreeMap<String, RawParameter> =
            operation.query.iter().map(|own| (own.name.clone(), parameter(contract, own))).collect();
        assert_eq!(query, raw.query, "{place}");
        let statuses: Vec<u16> = operation.responses.iter().map(|response| response.status).collect();
        assert_eq!(statuses, raw.responses.keys().copied().collect::<Vec<_>>(), "{place}");
        assert_eq!(operation.paged, raw.paged, "{place}");
        for (status, schema) in &raw.responses {
            let body = operation.response(*status).unwrap().body;
            let is_array = schema.as_ref().map(|schema| schema["type"] == "array");
            assert_eq!(body.map(Body::is_array), is_array, "{place} {status}");
        }
        assert_eq!(operation.request.is_some(), raw.request.is_some(), "{place}");
    }
    raw.len()
}
