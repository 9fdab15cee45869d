//! Published message bodies against the verdict that their index gives.

use super::{catalogue, faults, shared};
use segue::{
    json::Document,
    sonata::{Contract, Function, Products, Release, TypeId, check},
};
use serde_json::Value;
use std::fs;

/// The products of a release, and what the published examples write for one of another namespace.
fn products_of(release: Release) -> Products {
    let products = catalogue().products(release);
    let other = "cantata-sonata:carrier-ethernet-subscriber-uni";
    let urns = products.urns().filter(|urn| urn.contains(other));
    let aliases: Vec<(String, String)> =
        urns.map(|urn| (urn.replace("cantata-sonata", "sonata"), urn.to_owned())).collect();
    products.with_aliases(aliases).unwrap()
}

/// Operation of a fixture: its function's, or that of the function's notifications.
fn body_type(release: Release, fixture: &Value) -> Option<(Function, TypeId)> {
    let function = fixture["function"].as_str().unwrap();
    let names = match function {
        "workforce" => vec!["appointment", "workOrder", "appointmentNotification", "workOrderNotification"],
        other => vec![other],
    };
    let functions = names.iter().flat_map(|name| {
        let function = Function::parse(name);
        function.into_iter().chain(function.and_then(Function::notification))
    });
    let id = fixture["operationId"].as_str()?;
    for function in functions {
        let operation = catalogue().contract(release, function).and_then(|contract| contract.operation(id));
        if let Some(operation) = operation {
            let ty = match fixture["role"].as_str().unwrap() {
                "request" => operation.request,
                _ => operation.success_body().map(|body| body.value),
            };
            return Some((function, ty?));
        }
    }
    None
}

/// Whether the index finds the body valid; the URN of another namespace is an alias, and unknown members are none
/// of its concern.
fn is_valid(fixture: &Value) -> bool {
    let none = |errors: &Value| errors.as_array().is_none_or(Vec::is_empty);
    let product_errors = fixture["validation"]["productErrors"].as_array();
    let mut others =
        product_errors.into_iter().flatten().filter(|error| !error.as_str().unwrap().contains("ALIAS "));
    none(&fixture["validation"]["apiErrors"]) && others.next().is_none()
}

fn unknown(contract: &Contract, ty: TypeId, products: &Products, document: &Document) -> Vec<String> {
    let found = check::check(document.root(), contract, ty, &check::Options::new(products));
    let pointers = found.unknown.iter().map(|id| document.node(*id).pointer());
    // The index does not look into products.
    pointers.filter(|pointer| !pointer.contains("/productConfiguration/")).collect()
}

#[test]
fn published_bodies_get_the_verdict_of_their_index() {
    let Some(folder) = shared("fixtures") else { return };
    let index: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(folder.join("index.json")).unwrap()).unwrap();
    let (mut valid, mut invalid, mut differing) = (0, 0, Vec::new());
    for fixture in &index {
        let is_body = matches!(fixture["role"].as_str(), Some("request" | "response"));
        if fixture["usable"] != true || !is_body {
            continue;
        }
        let release = Release::parse(fixture["release"].as_str().unwrap()).unwrap();
        let products = products_of(release);
        let Some((function, ty)) = body_type(release, fixture) else { continue };
        let file = fixture["file"].as_str().unwrap();
        let document = Document::from_text(&fs::read_to_string(folder.join(file)).unwrap()).unwrap();
        let contract = catalogue().contract(release, function).unwrap();
        let found = faults(contract, ty, &products, &document);
        let expected = is_valid(fixture);
        let theirs: Vec<&str> = fixture["validation"]["unknownProperties"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let ours = unknown(contract, ty, &products, &document);
        if expected && theirs != ours {
            differing.push(format!("{file}: unknown by index {theirs:#?}, by facts {ours:#?}"));
        }
        if expected == found.is_empty() {
            *(if expected { &mut valid } else { &mut invalid }) += 1;
        } else {
            differing.push(format!("{file}: index {}, facts {found:#?}", fixture["verdict"]));
        }
    }
    println!("fixtures: {valid} valid, {invalid} invalid");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(valid > 160 && invalid > 60);
}
