//! Faults, codes, pointers and unknown members, on the embedded contracts.

use super::*;
use crate::sonata::{FaultCode, Function, Release, catalogue};

const UNI: &str = "urn:mef:lso:spec:sonata:carrier-ethernet-operator-uni:v5.0.0:all";
const IP_UNI: &str = "urn:mef:lso:spec:cantata-sonata:ip-uni:v1.0.0:all";

fn checked(function: Function, type_name: &str, text: &str, unknown: UnknownMembers) -> (Document, Checked) {
    let document = Document::from_text(text).unwrap();
    let contract = catalogue().contract(Release::GRACE, function).unwrap();
    let products = catalogue().products(Release::GRACE);
    let options = Options { unknown_members: unknown, ..Options::new(&products) };
    let checked = check(document.root(), contract, contract.types().named(type_name).unwrap(), &options);
    (document, checked)
}

/// Codes and pointers, in order.
fn faults(function: Function, type_name: &str, text: &str) -> Vec<(FaultCode, String)> {
    let (_, checked) = checked(function, type_name, text, UnknownMembers::Ignore);
    checked.faults.into_iter().map(|fault| (fault.code, fault.pointer)).collect()
}

fn quote(item: &str) -> String {
    format!(
        r#"{{"buyerRequestedQuoteLevel":"firm","instantSyncQuote":false,
        "relatedContactInformation":[{{"emailAddress":"a","name":"b","number":"1","role":"r"}}],
        "quoteItem":[{{"id":"1","action":"add","product":{item}}}]}}"#
    )
}

#[test]
fn all_faults_at_once_in_document_order() {
    use FaultCode::{InvalidFormat, InvalidValue, MissingProperty};
    let text = r#"{"buyerRequestedQuoteLevel":"maybe","instantSyncQuote":"false",
        "requestedQuoteCompletionDate":"2023-02-30T00:00:00Z","relatedContactInformation":[{}],
        "quoteItem":[]}"#;
    let at = |code, pointer: &str| (code, pointer.to_owned());
    let expected = [
        at(InvalidValue, "/buyerRequestedQuoteLevel"),
        at(InvalidValue, "/instantSyncQuote"),
        at(InvalidFormat, "/requestedQuoteCompletionDate"),
        at(MissingProperty, "/relatedContactInformation/0/emailAddress"),
        at(MissingProperty, "/relatedContactInformation/0/name"),
        at(MissingProperty, "/relatedContactInformation/0/number"),
        at(MissingProperty, "/relatedContactInformation/0/role"),
        at(MissingProperty, "/quoteItem"),
    ];
    assert_eq!(faults(Function::QUOTE, "Quote_Create", text), expected);
    assert_eq!(faults(Function::QUOTE, "Quote_Create", "[]"), [at(InvalidValue, "")]);
}

#[test]
fn polymorphism_by_type() {
    use FaultCode::{InvalidValue, MissingProperty};
    let place = |place: &str| quote(&format!(r#"{{"place":[{place}]}}"#));
    let place_faults = |text: &str| faults(Function::QUOTE, "Quote_Create", &place(text));
    let base = "/quoteItem/0/product/place/0";
    assert_eq!(
        place_faults(r#"{"@type":"Cave","role":"x"}"#),
        [(InvalidValue, format!("{base}/@type"))],
        "an unknown type is one fault; what it would require is not guessed"
    );
    assert_eq!(place_faults(r#"{"role":"x"}"#), [(MissingProperty, format!("{base}/@type"))]);
    assert_eq!(
        place_faults(r#"{"@type":"FieldedAddress","role":"x","city":"c","streetName":"s"}"#),
        [(MissingProperty, format!("{base}/country"))]
    );
    assert_eq!(
        place_faults(r#"{"@type":"FieldedAddress","city":"c","streetName":"s","country":"c"}"#),
        [(MissingProperty, format!("{base}/role"))],
        "the base holds too"
    );
    let untyped = place(r#"{"role":"x","city":"c"}"#);
    let (_, found) = checked(Function::QUOTE, "Quote_Create", &untyped, UnknownMembers::Reject);
    assert_eq!(
        (found.faults.len(), found.unknown.len()),
        (1, 0),
        "what no type could be told for is not unknown"
    );
}

#[test]
fn products_are_checked_by_their_schema() {
    use FaultCode::{InvalidValue, MissingProperty};
    let configuration = |text: &str| {
        faults(Function::QUOTE, "Quote_Create", &quote(&format!(r#"{{"productConfiguration":{text}}}"#)))
    };
    let base = "/quoteItem/0/product/productConfiguration";
    assert_eq!(configuration(&format!(r#"{{"@type":"{UNI}","maximumServiceFrameSize":1600}}"#)), []);
    assert_eq!(
        configuration(&format!(r#"{{"@type":"{UNI}","maximumServiceFrameSize":1521}}"#)),
        [(InvalidValue, format!("{base}/maximumServiceFrameSize"))]
    );
    assert_eq!(configuration(r#"{"@type":"urn:x"}"#), [(InvalidValue, format!("{base}/@type"))]);
    assert_eq!(configuration("{}"), [(MissingProperty, format!("{base}/@type"))]);
    assert_eq!(configuration(r#"{"@type":3}"#), [(InvalidValue, format!("{base}/@type"))]);
}

#[test]
fn product_faults_may_be_told_only() {
    let configuration = format!(r#"{{"@type":"{UNI}","maximumServiceFrameSize":1521,"x":1}}"#);
    let text = quote(&format!(r#"{{"productConfiguration":{configuration}}},"action":3"#));
    let text = text.replace(r#""action":"add","#, "");
    let document = Document::from_text(&text).unwrap();
    let contract = catalogue().contract(Release::GRACE, Function::QUOTE).unwrap();
    let products = catalogue().products(Release::GRACE);
    let options = Options { product_faults: ProductFaults::Tell, ..Options::new(&products) };
    let ty = contract.types().named("Quote_Create").unwrap();
    let found = check(document.root(), contract, ty, &options);
    let pointers = |faults: &[Fault]| faults.iter().map(|fault| fault.pointer.clone()).collect::<Vec<_>>();
    assert_eq!(pointers(&found.faults), ["/quoteItem/0/action"]);
    let base = "/quoteItem/0/product/productConfiguration";
    assert_eq!(pointers(&found.product_findings), [format!("{base}/maximumServiceFrameSize")]);
    assert_eq!(found.unknown.len(), 1, "unknown members are still seen");
}

#[test]
fn unknown_members_are_listed_stripped_or_refused() {
    let text = quote(&format!(
        r#"{{"productConfiguration":{{"@type":"{UNI}","frameSize":1,"listOfPhysicalLinks":[{{"id":"a","x":[1.10]}}]}},"colour":{{"a":1}}}}"#
    ));
    let (document, found) = checked(Function::QUOTE, "Quote_Create", &text, UnknownMembers::Strip);
    let pointers: Vec<String> = found.unknown.iter().map(|id| document.node(*id).pointer()).collect();
    let base = "/quoteItem/0/product";
    let expected = [
        format!("{base}/productConfiguration/frameSize"),
        format!("{base}/productConfiguration/listOfPhysicalLinks/0/x"),
        format!("{base}/colour"),
    ];
    assert_eq!(pointers, expected);
    assert!(found.is_valid(), "{:?}", found.faults);
    let stripped = strip(&document, &found.unknown);
    assert!(stripped.text().contains(r#""listOfPhysicalLinks":[{"id":"a"}]"#), "{}", stripped.text());
    assert!(!stripped.text().contains("colour"));
    let (_, refused) = checked(Function::QUOTE, "Quote_Create", &text, UnknownMembers::Reject);
    let refused: Vec<_> = refused.faults.into_iter().map(|fault| (fault.code, fault.pointer)).collect();
    assert_eq!(refused, expected.map(|pointer| (FaultCode::UnexpectedProperty, pointer)));
}

#[test]
fn derived_types_know_their_base_and_open_objects_everything() {
    let text = quote(
        r#"{"place":[{"@type":"GeographicSiteRef","role":"r","id":"1","city":"x","@schemaLocation":"http://a/b"}]}"#,
    );
    let (document, found) = checked(Function::QUOTE, "Quote_Create", &text, UnknownMembers::Ignore);
    let pointers: Vec<String> = found.unknown.iter().map(|id| document.node(*id).pointer()).collect();
    assert_eq!(pointers, ["/quoteItem/0/product/place/0/city"]);
    assert!(found.is_valid(), "{:?}", found.faults);
}

#[test]
fn alternatives_report_the_one_that_was_meant() {
    let product = catalogue().product(Release::GRACE, IP_UNI).unwrap();
    let products = catalogue().products(Release::GRACE);
    let type_faults = |type_name: &str, text: &str| {
        let document = Document::from_text(text).unwrap();
        let options = Options::new(&products);
        let ty = product.types().named(type_name).unwrap();
        let found = walk::run(document.root(), product.types(), ty, &options);
        found.faults.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect::<Vec<_>>()
    };
    let address = |text: &str| type_faults("Ipv4OrIpv6Address", text);
    assert!(address(r#""10.0.0.1""#).is_empty() && address(r#""::1""#).is_empty());
    assert_eq!(address(r#""10.0.0""#), ["invalidFormat "]);
    assert_eq!(address("4"), ["invalidValue "]);
    let map = |text: &str| type_faults("CarrierEthernetEvcEpCommon.ingressClassOfServiceMap", text);
    assert!(map(r#"{"mapType":"ENDPOINT","map_M":"low"}"#).is_empty());
    // All alternatives describe the same members; the `mapType` tells which was meant.
    assert_eq!(map(r#"{"mapType":"ENDPOINT","map_M":"low","l2cp_P":{}}"#), ["invalidValue /l2cp_P"]);
    assert_eq!(map(r#"{"mapType":"DSCP","map_M":"low"}"#), ["invalidValue /map_M"]);
    assert_eq!(map(r#"{"mapType":"VLAN","map_M":"low"}"#), ["invalidValue /mapType"]);
    assert_eq!(map(r#"{"map_M":true}"#), ["invalidValue "]);
    assert_eq!(type_faults("Ipv4OrIpv6Prefix", "{}"), ["missingProperty "]);
    let both = r#"{"ipv4Prefix":{"ipv4Address":"10.0.0.0","prefixLength":8},"ipv6Prefix":{"ipv6Address":"::","prefixLength":8}}"#;
    let both = type_faults("Ipv4OrIpv6Prefix", both);
    assert!(both.contains(&"invalidValue ".to_owned()), "{both:?}");
}

#[test]
fn faults_are_bounded_in_number_and_text() {
    let long = "x".repeat(5000);
    let text = format!(r#"{{"buyerRequestedQuoteLevel":"{long}","{long}":1}}"#);
    let (_, found) = checked(Function::QUOTE, "Quote_Create", &text, UnknownMembers::Reject);
    assert!(found.faults.iter().all(|fault| fault.reason.chars().count() <= 255));
    assert!(found.faults.iter().all(|fault| !fault.reason.contains(&"x".repeat(41))));

    let contacts = vec!["{}"; 200].join(",");
    let text = format!(r#"{{"relatedContactInformation":[{contacts}]}}"#);
    let (_, found) = checked(Function::QUOTE, "Quote_Create", &text, UnknownMembers::Ignore);
    assert_eq!((found.faults.len(), found.more), (Options::FAULTS_MAX, true));
}

#[test]
fn queries() {
    let contract = catalogue().contract(Release::GRACE, Function::QUOTE).unwrap();
    let operation = contract.operation("listQuote").unwrap();
    let code = |query: &str| {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let faults = check_query(contract, operation, &pairs);
        faults.iter().map(|fault| fault.code.as_str()).collect::<Vec<_>>().join(" ")
    };
    let cases = [
        ("", ""),
        ("state=accepted&offset=0&limit=10&buyerId=b&quoteDate.gt=2024-01-01T00:00:00Z", ""),
        ("state=done", "invalidQuery"),
        ("State=accepted", "invalidQuery"),
        ("state=", "missingQueryValue"),
        ("state", "missingQueryValue"),
        ("offset=-1", "invalidQuery"),
        ("limit=1.0", "invalidQuery"),
        ("limit=+1", "invalidQuery"),
        ("limit=99999999999999999999", "invalidQuery"),
        ("quoteDate.gt=2024-01-01", "invalidQuery"),
        ("state=accepted&state=declined", "invalidQuery"),
        ("x=1&y=2", "invalidQuery invalidQuery"),
    ];
    for (query, expected) in cases {
        assert_eq!(code(query), expected, "{query}");
    }
    let catalog = catalogue().contract(Release::GRACE, Function::CATALOG).unwrap();
    let operation = catalog.operation("listProductOffering").unwrap();
    let pairs: Vec<_> = form_urlencoded::parse(b"marketSegment=A&marketSegment=B").collect();
    assert_eq!(check_query(catalog, operation, &pairs), [], "MEF 142 repeats filters");
}

#[test]
fn what_passed_is_accepted_again_only_as_it_was() {
    let text = include_str!("../../../benches/reference/quote-request.json");
    let contract = catalogue().contract(Release::GRACE, Function::QUOTE).unwrap();
    let products = catalogue().products(Release::GRACE);
    let ty = contract.types().named("Quote_Create").unwrap();
    let document = Document::from_text(text).unwrap();
    let checked = |document: &Document, options: &Options<'_>| check(document.root(), contract, ty, options);
    let plain = Options::new(&products);
    let first = checked(&document, &plain);
    assert_eq!((first.is_valid(), first.passed.is_empty()), (true, false), "{:?}", first.faults);
    let accepted = Some(Accepted { document: &document, passed: &first.passed });
    assert!(checked(&document, &Options { accepted, ..plain }).is_valid());

    // The same number of bytes, too small; an unknown member; the same where faults of products are only told.
    let wrong = Document::from_text(&text.replace("1526", "1501")).unwrap();
    let open = Document::from_text(&text.replace("\"units\"", "\"unit\": 1, \"units\"")).unwrap();
    let tell = Options { product_faults: ProductFaults::Tell, ..plain };
    for options in [plain, Options { accepted, ..plain }] {
        assert_eq!(checked(&wrong, &options).faults.len(), 1);
        assert_eq!(checked(&open, &options).unknown.len(), 1);
    }
    let told = checked(&wrong, &tell);
    assert_eq!((told.faults.len(), told.product_findings.len()), (0, 1));
    for (document, passed) in [(&wrong, &told.passed), (&open, &checked(&open, &plain).passed)] {
        let accepted = Some(Accepted { document, passed });
        let again = checked(document, &Options { accepted, ..tell });
        assert_eq!(again.product_findings.len() + again.unknown.len(), 1, "it never passed");
    }
    // Nothing is looked into that is said to have passed.
    let accepted = Some(Accepted { document: &wrong, passed: &first.passed });
    assert!(checked(&wrong, &Options { accepted, ..plain }).is_valid());
}
