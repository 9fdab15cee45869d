use super::*;
use crate::sonata::Polymorphism;
use std::collections::BTreeSet;

#[test]
fn every_embedded_file_is_a_contract() {
    let mut operations = 0;
    for row in CONTRACTS {
        let file = facts::read(row.facts.text).unwrap();
        let contract = Contract::compile(&file).unwrap_or_else(|error| panic!("{}: {error}", row.function));
        assert_eq!(contract.function.name(), row.function);
        let keys: BTreeSet<&str> = contract.operations.iter().map(|o| o.operation_id.as_str()).collect();
        assert_eq!(keys.len(), contract.operations.len(), "operationIds are unique within {}", row.function);
        operations += contract.operations.len();
    }
    assert_eq!((CONTRACTS.len(), operations), (20, 114));
    assert_eq!(catalogue().operations(Release::Grace).count(), operations);
    ProductTypes::compile(&facts::read(GRACE_PRODUCTS.text).unwrap()).unwrap();
    assert_eq!(catalogue().products(Release::Grace).urns().count(), 20);
}

/// Numbers are given out before types are compiled: they must be those that the types then have.
#[test]
fn an_outline_numbers_types_as_they_are_compiled() {
    for row in CONTRACTS {
        let file = facts::read(row.facts.text).unwrap();
        let contract = Contract::outline(&file, row.facts.text).unwrap();
        assert!(contract.types.get().is_none(), "{}: nobody asked for a type", row.function);
        for (operation, facts) in contract.operations.iter().zip(&file.operations) {
            let place = format!("{}.{}", row.function, operation.operation_id);
            let named = |id: TypeId, expression: &facts::Expression| match expression {
                facts::Expression::Named(name) => {
                    assert_eq!(contract.types().named(name), Some(id), "{place}");
                }
                facts::Expression::Array(_) => assert!(contract.view(id).item().is_some(), "{place}"),
                facts::Expression::Scalar(_) => assert!(contract.view(id).item().is_none(), "{place}"),
            };
            operation.request.iter().zip(&facts.request).for_each(|(id, facts)| named(*id, facts));
            for (parameter, facts) in operation.query.iter().zip(&facts.query) {
                named(parameter.value, &facts.value);
                assert!(parameter.repeatable || contract.view(parameter.value).item().is_none(), "{place}");
            }
            for (response, facts) in operation.responses.iter().zip(&facts.responses) {
                let (Some(body), Some(facts)) = (response.body, &facts.body) else { continue };
                named(body.value, facts);
                assert_eq!(contract.view(body.value).item().map(TypeView::id), body.item, "{place}");
            }
        }
        let whole = Contract::compile(&file).unwrap();
        let request =
            |contract: &Contract| contract.operations.iter().map(|one| one.request).collect::<Vec<_>>();
        assert_eq!(request(&contract), request(&whole), "{}", row.function);
    }
}

#[test]
fn products_are_compiled_when_a_type_is_asked_for() {
    let file = facts::read(GRACE_PRODUCTS.text).unwrap();
    let outline = ProductTypes::outline(&file, GRACE_PRODUCTS.text).unwrap();
    let products = Products::new(vec![Arc::new(outline)]);
    assert!(products.known("access-eline-ovc").unwrap().view().member("enniEp").is_some());
}

/// What cannot be compiled lets nothing through.
#[test]
fn without_types_nothing_is_right() {
    let file = facts::read(CONTRACTS.first().unwrap().facts.text).unwrap();
    let contract = Contract::outline(&file, "facts of another age").unwrap();
    let request = contract.operations.iter().find_map(|operation| operation.request).unwrap();
    let document = crate::json::Document::from_text("{}").unwrap();
    let products = Products::default();
    let checked = crate::sonata::check::check(
        document.root(),
        &contract,
        request,
        &crate::sonata::Options::new(&products),
    );
    assert!(!checked.is_valid());
}

#[test]
fn every_file_of_facts_is_embedded() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sonata/facts/grace");
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, CONTRACTS.len() + 1);
}

#[test]
fn paths_are_found_and_methods_told() {
    let order = catalogue().contract(Release::Grace, Function::ORDER).unwrap();
    assert_eq!(order.base_path(), "/mefApi/sonata/productOrderingManagement/v10");
    let found = |method: Method, path: &str| match order.find(&method, path) {
        Found::Operation(operation, values) => {
            let values = values.iter().map(|(name, value)| format!("{name}={value}"));
            let words: Vec<String> = [operation.operation_id.clone()].into_iter().chain(values).collect();
            words.join(" ")
        }
        Found::OtherMethods(methods) => format!("{methods:?}"),
        Found::Nothing => "nothing".to_owned(),
    };
    assert_eq!(found(Method::POST, "/productOrder"), "createProductOrder");
    assert_eq!(found(Method::PATCH, "/productOrder/a%20b"), "patchProductOrder id=a%20b");
    assert_eq!(found(Method::DELETE, "/productOrder/1"), "[GET, PATCH]");
    for path in ["/productOrder/", "/productOrder/1/", "/", "", "productOrder", "/x"] {
        assert_eq!(found(Method::GET, path), "nothing", "{path}");
    }
    assert_eq!(catalogue().by_segment(Release::Grace, "quoteManagement").unwrap().function, Function::QUOTE);
}

#[test]
fn types_are_read_through_views() {
    let quote = catalogue().contract(Release::Grace, Function::QUOTE).unwrap();
    let create = quote.view_named("Quote_Create").unwrap();
    let item = create.member("quoteItem").unwrap();
    assert!(item.required);
    assert_eq!(item.value.items_bounds().0, 1);
    let product = item.value.item().unwrap().member("product").unwrap().value;
    let configuration = product.member("productConfiguration").unwrap().value;
    assert_eq!(configuration.polymorphism(), Polymorphism::Product("@type"));
    let place = product.member("place").unwrap().value.item().unwrap();
    assert_eq!(place.polymorphism(), Polymorphism::Cases("@type"));
    assert!(place.member("city").is_none());
    assert!(place.member_as("city", Some("FieldedAddress")).unwrap().required);
    assert!(place.member_as("role", Some("FieldedAddress")).unwrap().required, "inherited");
    let level = create.member("buyerRequestedQuoteLevel").unwrap().value;
    assert_eq!(level.enum_values().collect::<Vec<_>>(), ["budgetary", "firm"]);
}

#[test]
fn products_are_found_by_urn_alias_and_short_name() {
    let products = catalogue().products(Release::Grace);
    let urn = "urn:mef:lso:spec:cantata-sonata:carrier-ethernet-subscriber-uni:v1.0.0:all";
    let alias = "urn:mef:lso:spec:sonata:carrier-ethernet-subscriber-uni:v1.0.0:all";
    assert!(products.resolve(alias).is_none());
    assert!(products.resolve("carrier-ethernet-subscriber-uni").is_none(), "no short names in messages");
    let to = |target: &str| [(alias.to_owned(), target.to_owned())];
    assert_eq!(products.clone().with_aliases(to("nothing")).unwrap_err(), ["nothing"]);
    for target in [urn, "carrier-ethernet-subscriber-uni"] {
        let products = products.clone().with_aliases(to(target)).unwrap();
        assert_eq!(products.resolve(alias).unwrap().urn(), urn);
        assert!(products.is_product(alias, "carrier-ethernet-subscriber-uni"));
        assert_eq!(products.spellings(urn).collect::<Vec<_>>(), [urn, alias]);
    }
}
