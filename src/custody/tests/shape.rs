use super::{assert_same, doc};
use crate::{
    custody::{patched, project},
    sonata::{Function, Release, catalogue},
};

#[test]
fn a_patch_changes_what_it_names() {
    let base = doc(r#"{"externalId":"1","note":[{"id":"a"}],"keep":1.10,
        "productOrderItem":[{"id":"1","endCustomerName":"x","product":{"a":1}},{"id":"2"}]}"#);
    let patch = doc(r#"{"externalId":"2","note":[{"id":"a"},{"id":"b"}],
        "productOrderItem":[{"id":"1","endCustomerName":"y"},{"id":"9"}]}"#);
    let got = patched(&base, &patch, Some("productOrderItem"));
    assert_same(
        &got,
        r#"{"externalId":"2","note":[{"id":"a"},{"id":"b"}],"keep":1.10,
        "productOrderItem":[{"id":"1","endCustomerName":"y","product":{"a":1}},{"id":"2"}]}"#,
    );
    assert_same(&patched(&base, &doc("{}"), Some("productOrderItem")), base.text());
}

#[test]
fn a_summary_has_only_its_own_members() {
    let contract = catalogue().contract(Release::GRACE, Function::QUOTE).unwrap();
    let quote =
        doc(r#"{"id":"1","state":"inProgress","unknown":1,"quoteDate":"d","quoteItem":[{"id":"1","zzz":2,
        "action":"add","product":{"productConfiguration":{"@type":"u","any":1}}}]}"#);
    let find = project(quote.root(), contract.view_named("Quote_Find").unwrap());
    assert_same(&find, r#"{"id":"1","state":"inProgress","quoteDate":"d"}"#);
    let whole = project(quote.root(), contract.view_named("Quote").unwrap());
    assert_same(
        &whole,
        r#"{"id":"1","state":"inProgress","quoteDate":"d","quoteItem":[{"id":"1",
        "action":"add","product":{"productConfiguration":{"@type":"u","any":1}}}]}"#,
    );
    // Nothing to take away: the same text, white space and all.
    let spaced = doc(r#"{ "id" : "1", "state": "inProgress" }"#);
    assert_eq!(project(spaced.root(), contract.view_named("Quote").unwrap()).text(), spaced.text());
}

#[test]
fn a_derived_type_keeps_what_it_adds() {
    let contract = catalogue().contract(Release::GRACE, Function::ADDRESS).unwrap();
    let address = doc(r#"{"@type":"FieldedAddress","city":"Berlin","country":"DE","zzz":1}"#);
    let got = project(address.root(), contract.view_named("GeographicAddress").unwrap());
    assert_same(&got, r#"{"@type":"FieldedAddress","city":"Berlin","country":"DE"}"#);
}
