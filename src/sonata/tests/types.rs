//! Compiling types: inheritance, what holds together, and what is refused.

use super::*;
use crate::{
    json::Document,
    sonata::{Products, check},
};
use std::sync::Arc;

fn compile(types: &str) -> Result<Types, TypesError> {
    let file = facts::read(&format!("facts 1\n{types}")).unwrap();
    Types::compile(&file.types, &[])
}

/// Faults, and pointers of unknown members, of a body against the type `T`.
fn checked(types: &str, body: &str) -> (Vec<String>, Vec<String>) {
    let file = facts::read(&format!("facts 1\nproduct urn:t T\n{types}")).unwrap();
    let types = crate::sonata::ProductTypes::compile(&file).unwrap();
    let products = Products::new(vec![Arc::new(types)]);
    let document = Document::from_text(body).unwrap();
    let product = products.resolve("urn:t").unwrap();
    let found = check::check_product(document.root(), &product, &check::Options::new(&products));
    let faults = found.faults.iter().map(|fault| format!("{} {}", fault.code, fault.pointer));
    (faults.collect(), found.unknown.iter().map(|id| document.node(*id).pointer()).collect())
}

#[test]
fn what_does_not_hold_together_is_refused() {
    let refused = [
        ("object A\nobject A\n", "A"),
        ("object A\n  b B\n", "B"),
        ("object A : B\n", "B"),
        ("object A : A\n", "A"),
        ("object A : B\nobject B : A\n", "B"),
        ("value A string pattern (\n", "("),
        ("value A integer min x\n", "x"),
        ("object A\n  + oneof B\n", "B"),
        ("object A\n  + when @type X A\n", "A"),
        ("object A : B\nvalue B string\n", "B"),
    ];
    for (types, name) in refused {
        assert_eq!(compile(types).map(|_| ()).unwrap_err().name, name, "{types}");
    }
    assert!(compile("object A\n  b [A]\n  c A\n").is_ok(), "types may recur");
    assert!(compile("value A B\nvalue B A\n").is_ok(), "a circle of names means nothing, and ends");
}

#[test]
fn members_of_two_bases_both_hold() {
    let types = "object T : A B\n  c string\nobject A\n  x! string\n  y O\nobject B\n  x string length 2..\n  y P\n\
                 object O\n  o integer\nobject P\n  p integer\n";
    assert_eq!(checked(types, r#"{"x":"ab","c":""}"#), (vec![], vec![]));
    assert_eq!(checked(types, r#"{"x":"a"}"#).0, ["invalidValue /x"]);
    assert_eq!(checked(types, r#"{"c":"a"}"#).0, ["missingProperty /x"]);
    let (faults, unknown) = checked(types, r#"{"x":"ab","y":{"o":1,"p":"2","q":3}}"#);
    assert_eq!((faults, unknown), (vec!["invalidValue /y/p".to_owned()], vec!["/y/q".to_owned()]));
}

#[test]
fn a_derived_type_inherits_members_and_no_choice() {
    let types = "object T\n  @type! string\n  own integer\n  + when @type D D\nobject D : T\n  d! string\n";
    assert_eq!(checked(types, r#"{"@type":"D","d":"x","own":1}"#), (vec![], vec![]));
    assert_eq!(checked(types, r#"{"@type":"D","own":"1"}"#).0, ["missingProperty /d", "invalidValue /own"]);
    assert_eq!(checked(types, r#"{"@type":"E","d":"x"}"#).0, ["invalidValue /@type"]);
    let direct = format!("{}object E\n  e D\n", types.replace("object T", "object U").replace(": T", ": U"));
    let direct = direct.replace("object E", "object T");
    assert_eq!(checked(&direct, r#"{"e":{"@type":"anything","d":"x"}}"#), (vec![], vec![]));
}

#[test]
fn alternatives_describe_members_where_the_type_does_not() {
    let types = "value T any\n  + oneof A B\nobject A\n  a! integer\nobject B\n  b! integer\n";
    assert_eq!(checked(types, r#"{"a":1,"b":"x"}"#), (vec![], vec!["/b".to_owned()]));
    assert_eq!(checked(types, r#"{"a":1,"b":1}"#).0, ["invalidValue "]);
    assert_eq!(checked(types, r#"{"a":"1"}"#).0, ["invalidValue /a"]);
    assert_eq!(checked(types, "{}").0, ["missingProperty "]);
    let partial = "object T\n  a integer\n  b integer\n  + oneof A B\npartial A\n  + require a\npartial B\n  + require b\n";
    assert_eq!(checked(partial, r#"{"a":1,"c":1}"#), (vec![], vec!["/c".to_owned()]));
    assert_eq!(checked(partial, r#"{"c":1}"#).0, ["missingProperty "]);
}

#[test]
fn numbers_are_exact() {
    let types = "object T\n  n number min 0 max 0.3\n  i integer\n";
    assert_eq!(checked(types, r#"{"n":0.3,"i":1e2}"#).0, [""; 0]);
    assert_eq!(
        checked(types, r#"{"n":0.30000000000000000001,"i":1.5}"#).0,
        ["invalidValue /n", "invalidValue /i"]
    );
    assert_eq!(checked(types, r#"{"n":-1e-400,"i":12345678901234567890.0}"#).0, ["invalidValue /n"]);
}
