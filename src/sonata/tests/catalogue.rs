use super::*;
use crate::sonata::{Polymorphism, ProductTypes};
use std::collections::BTreeSet;

/// Every contract that is embedded, once, with its path and facts.
fn embedded() -> Vec<(&'static str, facts::File, &'static str)> {
    let files = shelf::FILES.iter().filter(|(path, _)| !path.ends_with("/products"));
    files.map(|(path, text)| (*path, facts::read(text).unwrap(), *text)).collect()
}

#[test]
fn every_embedded_file_is_a_contract() {
    for (path, file, _) in embedded() {
        let contract = Contract::compile(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(path.ends_with(&format!("/{}", contract.function)), "{path}");
        let keys: BTreeSet<&str> = contract.operations.iter().map(|o| o.operation_id.as_str()).collect();
        assert_eq!(keys.len(), contract.operations.len(), "operationIds are unique within {path}");
    }
    for (path, text) in shelf::FILES.iter().filter(|(path, _)| path.ends_with("/products")) {
        ProductTypes::compile(&facts::read(text).unwrap()).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

/// What the digest counts, release by release; products by what the SDK has of them.
#[test]
fn releases_have_their_functions_operations_and_products() {
    let counts = Release::all().map(|release| {
        let (functions, operations) =
            (catalogue().functions(release).count(), catalogue().operations(release).count());
        (release.as_str(), functions, operations, catalogue().products(release).urns().count())
    });
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [
            ("billie", 11, 63, 37),
            ("celine", 11, 68, 18),
            ("dolly", 15, 83, 18),
            ("ella", 17, 94, 20),
            ("fergie", 20, 114, 20),
            ("grace", 20, 114, 20),
            ("kylie", 23, 127, 0),
        ]
    );
    assert_eq!(catalogue().releases().count(), 7);
}

/// Every line of the index is understood, and names a file that is there; every file is named.
#[test]
fn the_index_names_every_file() {
    let mut lines = shelf::INDEX.lines();
    assert_eq!(lines.next(), Some(shelf::HEADER));
    let mut named = BTreeSet::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let release = Release::parse(words[0]).unwrap_or_else(|| panic!("{line}"));
        named.insert(words[words.len() - 1]);
        match words[..] {
            [_, shelf::PRODUCTS, _] => assert!(shelf::products(release).is_some(), "{line}"),
            [_, function, version, segment, _] => {
                let contract = catalogue().contract(release, Function::parse(function).unwrap());
                let contract = contract.unwrap_or_else(|| panic!("{line}"));
                assert_eq!((contract.version.as_str(), contract.segment.as_str()), (version, segment));
            }
            _ => panic!("{line}"),
        }
    }
    let files: BTreeSet<&str> = shelf::FILES.iter().map(|(path, _)| *path).collect();
    assert_eq!(named, files);
}

#[test]
fn equal_contracts_are_shared_whatever_their_version() {
    let sharing = |release: &str, function| {
        let names = catalogue().sharing(Release::parse(release).unwrap(), function).map(Release::as_str);
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(sharing("grace", Function::ADDRESS), "billie celine dolly ella fergie grace");
    assert_eq!(sharing("grace", Function::QUOTE), "dolly ella fergie grace");
    assert_eq!(sharing("celine", Function::INVENTORY), "billie celine");
    assert_eq!(sharing("ella", Function::ORDER), "ella fergie grace");
    assert_eq!(sharing("kylie", Function::ORDER), "kylie");
    assert_eq!(sharing("celine", Function::BILLING), "");
    let of =
        |release: &str, function| catalogue().contract(Release::parse(release).unwrap(), function).unwrap();
    let (billie, grace) = (of("billie", Function::ADDRESS), of("grace", Function::ADDRESS));
    assert!(billie.is_same_as(grace) && std::ptr::eq(billie.types(), grace.types()));
    assert_eq!((billie.version.as_str(), grace.version.as_str()), ("7.0.0-RC", "7.0.1"));
    assert!(!of("celine", Function::QUOTE).is_same_as(of("dolly", Function::QUOTE)));
    // The same contract at another place.
    let listener = Function::ORDER.notification().unwrap();
    assert!(of("celine", listener).is_same_as(of("grace", listener)));
    assert_eq!(of("celine", listener).base_path(), "/mefApi/sonata/productOrderingManagement/v8");
    assert_eq!(of("grace", listener).base_path(), "/mefApi/sonata/productOrderingNotification/v10");
}

/// Numbers are given out before types are compiled: they must be those that the types then have.
#[test]
fn an_outline_numbers_types_as_they_are_compiled() {
    for (path, file, text) in embedded() {
        let contract = Contract::outline(&file, text).unwrap();
        assert!(contract.types.types.get().is_none(), "{path}: nobody asked for a type");
        for (operation, facts) in contract.operations.iter().zip(&file.operations) {
            let place = format!("{path}.{}", operation.operation_id);
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
        assert_eq!(request(&contract), request(&whole), "{path}");
    }
}

#[test]
fn products_are_compiled_when_a_type_is_asked_for() {
    let text = shelf::text("grace/products");
    let outline = ProductTypes::outline(&facts::read(text).unwrap(), text).unwrap();
    let products = Products::new(vec![Arc::new(outline)]);
    assert!(products.known("access-eline-ovc").unwrap().view().member("enniEp").is_some());
}

/// What cannot be compiled lets nothing through.
#[test]
fn without_types_nothing_is_right() {
    let file = facts::read(shelf::text("dolly/quote")).unwrap();
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
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sonata/facts");
    let mut files = BTreeSet::new();
    for release in Release::all() {
        for file in std::fs::read_dir(folder.join(release.as_str())).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            files.insert(format!("{release}/{}", name.strip_suffix(".facts").unwrap()));
        }
    }
    assert!(shelf::FILES.iter().map(|(path, _)| *path).eq(files.iter().map(String::as_str)));
}

#[test]
fn paths_are_found_and_methods_told() {
    let order = catalogue().contract(Release::GRACE, Function::ORDER).unwrap();
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
}

#[test]
fn types_are_read_through_views() {
    let quote = catalogue().contract(Release::GRACE, Function::QUOTE).unwrap();
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
    let products = catalogue().products(Release::GRACE);
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
        assert_eq!(products.aliases().collect::<Vec<_>>(), [(alias, urn)]);
    }
}
