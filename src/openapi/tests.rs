//! Interfaces as vendors write them.

use super::*;
use crate::text::{Diagnostics, FileSet, Sources};

fn read(files: &[(&str, &str)]) -> (Option<Api>, String) {
    let files = FileSet::of("", files.iter().copied());
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let api = Api::read(&files, "openapi/a.yaml", &mut sources, &mut out);
    (api, out.render_text(&sources))
}

fn schemas(text: &str) -> (Api, String) {
    let indented = format!("    {}", text.replace('\n', "\n    "));
    let (api, told) =
        read(&[("openapi/a.yaml", &format!("openapi: 3.1.0\ncomponents:\n  schemas:\n{indented}"))]);
    (api.unwrap(), told)
}

fn named<'a>(api: &'a Api, name: &str) -> &'a Type {
    api.ty(api.schemas().find(|(known, _)| *known == name).unwrap().1).unwrap()
}

fn member<'a>(api: &'a Api, ty: &'a Type, name: &str) -> &'a Type {
    api.ty(ty.member(name).unwrap().ty).unwrap()
}

#[test]
fn kinds_are_those_that_all_alternatives_have() {
    for (schema, kind) in [
        ("{ type: string }", Kind::Text),
        ("{ type: [ string, 'null' ] }", Kind::Text),
        ("{ type: [ string, integer ] }", Kind::Any),
        ("{ type: [ number, integer ] }", Kind::Number),
        ("{ properties: { a: {} } }", Kind::Object),
        ("{ items: {} }", Kind::Array),
        ("{}", Kind::Any),
        ("true", Kind::Any),
        ("{ oneOf: [ { type: string }, { type: 'null' } ] }", Kind::Text),
        ("{ oneOf: [ { type: string }, { type: boolean } ] }", Kind::Any),
        ("{ oneOf: [ { type: string }, {} ] }", Kind::Any),
        ("{ allOf: [ { type: object }, { properties: { a: {} } } ] }", Kind::Object),
        ("{ type: file }", Kind::Any),
    ] {
        let (api, told) = schemas(&format!("A: {schema}"));
        assert_eq!((named(&api, "A").kind, told.as_str()), (kind, ""), "{schema}");
    }
}

#[test]
fn members_come_together_and_say_when_others_may_stand_there() {
    let (api, told) = schemas(
        "Base: { type: object, required: [ a ], properties: { a: { type: string }, kind: { type: string } } }\n\
         Sum: { allOf: [ { $ref: '#/components/schemas/Base' } ], required: [ b ], properties: { b: { type: integer }, kind: { enum: [ S ] } } }\n\
         Either: { oneOf: [ { required: [ a, x ], properties: { a: {}, x: { type: string } } }, { required: [ a ], properties: { a: {}, x: { type: integer } } } ] }\n\
         Open: { type: object }\n\
         Wide: { type: object, properties: { a: {} }, additionalProperties: true }\n\
         Shut: { type: object, additionalProperties: false }\n\
         Map: { type: object, additionalProperties: { type: integer } }\n\
         Half: { anyOf: [ { $ref: '#/components/schemas/Base' }, { type: object } ] }",
    );
    assert_eq!(told, "");
    let names =
        |ty: &Type| ty.members.iter().map(|one| (one.name.to_string(), one.required)).collect::<Vec<_>>();
    let sum = named(&api, "Sum");
    assert_eq!(names(sum), [("b".to_owned(), true), ("kind".to_owned(), false), ("a".to_owned(), true)]);
    let either = named(&api, "Either");
    assert_eq!(names(either), [("a".to_owned(), true), ("x".to_owned(), false)]);
    assert_eq!(member(&api, either, "x").kind, Kind::Any);
    for (name, rest) in
        [("Base", Rest::Closed), ("Sum", Rest::Closed), ("Open", Rest::Open), ("Wide", Rest::Open)]
    {
        assert_eq!(named(&api, name).rest, rest, "{name}");
    }
    assert_eq!((named(&api, "Shut").rest, named(&api, "Half").rest), (Rest::Closed, Rest::Open));
    assert!(matches!(named(&api, "Map").rest, Rest::Of(ty) if api.ty(ty).unwrap().kind == Kind::Integer));
}

#[test]
fn values_are_those_of_all_alternatives_or_none() {
    for (schema, values) in [
        ("{ enum: [ A, B, null ] }", vec!["A", "B"]),
        ("{ enum: [ 'null' ] }", vec!["null"]),
        ("{ const: A }", vec!["A"]),
        ("{ enum: [ A, { b: c } ] }", vec![]),
        ("{ oneOf: [ { type: string, enum: [ A ] }, { type: string, const: B } ] }", vec!["A", "B"]),
        ("{ oneOf: [ { type: string, enum: [ A ] }, { type: string } ] }", vec![]),
        ("{ allOf: [ { enum: [ A, B ] }, { enum: [ B, C ] } ] }", vec!["B"]),
    ] {
        let (api, _) = schemas(&format!("A: {schema}"));
        let found: Vec<&str> = named(&api, "A").values.iter().map(|value| &**value).collect();
        assert_eq!(found, values, "{schema}");
    }
}

#[test]
fn types_may_contain_themselves_and_depth_ends() {
    let (api, told) = schemas(
        "Node: { type: object, properties: { next: { $ref: '#/components/schemas/Node' }, all: { type: array, items: { $ref: '#/components/schemas/Node' } } } }\n\
         Ring: { allOf: [ { $ref: '#/components/schemas/Ring' } ] }\n\
         Self: { $ref: '#/components/schemas/Self' }",
    );
    let node = named(&api, "Node");
    assert_eq!(member(&api, node, "next"), node);
    assert_eq!(api.ty(member(&api, node, "all").element.unwrap()), Some(node));
    assert_eq!((named(&api, "Ring").kind, named(&api, "Self").kind), (Kind::Any, Kind::Any));
    assert!(told.contains("warning[O103]") && !told.contains("error["), "{told}");
}

#[test]
fn references_lead_to_files_beside_and_nowhere_is_told() {
    let main = "openapi: 3.0.1\npaths:\n  /a: { $ref: 'more/paths.yaml#/~1a' }\n  /b: { get: { responses: { '200': { $ref: '#/nowhere' } } } }\n\
                components: { schemas: { X: { $ref: 'more/types.json#/X%20Y' }, Y: { $ref: 'https://other/y.yaml' }, Z: { $ref: 'gone.yaml#/Z' } } }\n";
    let paths = "/a: { post: { requestBody: { content: { application/json: { schema: { $ref: 'types.json#/X%20Y' } } } }, responses: {} } }\n";
    let types = "{\t\"X Y\": { \"type\": \"array\", \"items\": { \"type\": \"number\" } } }";
    let (api, told) = read(&[
        ("openapi/a.yaml", main),
        ("openapi/more/paths.yaml", paths),
        ("openapi/more/types.json", types),
    ]);
    let api = api.unwrap();
    let body = api.find("POST", "/a").unwrap().body.unwrap();
    assert_eq!(api.ty(body), Some(named(&api, "X")));
    assert_eq!(named(&api, "X").kind, Kind::Array);
    assert_eq!(named(&api, "Y").kind, Kind::Any);
    assert_eq!(told.matches("warning[O102]").count(), 2, "{told}");
    assert!(told.contains("openapi/a.yaml:4:"), "{told}");
}

#[test]
fn calls_are_found_by_the_path_that_says_most() {
    let text = "openapi: 3.0.3\nservers: [ { url: 'https://h/base/' }, { url: '/other' } ]\npaths:\n\
                \x20 /o/{no}: { get: {}, delete: {} }\n  /o/all: { get: {} }\n  '/o/{no}/x.{kind}': { post: {} }\n";
    let (api, told) = read(&[("openapi/a.yaml", text)]);
    let api = api.unwrap();
    assert_eq!(told, "");
    let path = |method: &str, path: &str| api.find(method, path).map(|one| one.path.to_string());
    assert_eq!(path("GET", "/o/all").unwrap(), "/o/all");
    assert_eq!(path("GET", "/o/{}").unwrap(), "/o/{no}");
    assert_eq!(path("GET", "/o/17").unwrap(), "/o/{no}");
    assert_eq!(path("GET", "/base/o/{}").unwrap(), "/o/{no}");
    assert_eq!(path("DELETE", "/other/o/{}").unwrap(), "/o/{no}");
    assert_eq!(path("POST", "/o/{}/x.pdf").unwrap(), "/o/{no}/x.{kind}");
    assert!(
        matches!(path("PUT", "/o/{}"), Err(NoCall::Method { methods, .. }) if methods == ["GET", "DELETE"])
    );
    assert_eq!(path("GET", "/oo/{}"), Err(NoCall::Path { near: Some("/o/{no}".to_owned()) }));
    assert_eq!(path("GET", "/o"), Err(NoCall::Path { near: None }));
}

#[test]
fn what_a_system_sends_is_found_where_it_is_described() {
    let text = "openapi: 3.1.0\npaths: { /o: { get: {} } }\nwebhooks:\n\
                \x20 somethingNew: { post: {} }\n  '/told/{no}': { put: { requestBody: {} } }\n";
    let (api, told) = read(&[("openapi/a.yaml", text)]);
    let api = api.unwrap();
    assert_eq!(told, "");
    assert!(api.find_sent("PUT", "/told/{nr}").unwrap().unwrap().body.is_some());
    assert!(matches!(api.find_sent("POST", "/told/1"), Some(Err(NoCall::Method { .. }))));
    assert!(matches!(api.find_sent("GET", "/o"), Some(Err(NoCall::Path { .. }))));
    assert!(matches!(api.find("PUT", "/told/1"), Err(NoCall::Path { .. })));
    let (api, _) = read(&[("openapi/a.yaml", "openapi: 3.0.3\npaths: { /o: { get: {} } }\n")]);
    assert!(api.unwrap().find_sent("PUT", "/told/1").is_none());
}

#[test]
fn what_is_none_is_told_and_not_used() {
    for text in ["swagger: '2.0'\n", "a: b\n", "openapi: 4.0.0\n"] {
        let (api, told) = read(&[("openapi/a.yaml", text)]);
        assert!(api.is_none() && told.contains("warning[O101]"), "{told}");
    }
    let members: Vec<String> = (0..TYPES_MAX + 10).map(|n| format!("    A{n}: {{}}")).collect();
    let members = members.join("\n");
    let (api, told) =
        read(&[("openapi/a.yaml", &format!("openapi: 3.0.3\ncomponents:\n  schemas:\n{members}"))]);
    assert!(api.is_some());
    assert_eq!(told.matches("O103").count(), 1, "{told}");
}
