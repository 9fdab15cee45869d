//! Laws over programs nobody would write: whatever the rules and the message, mapping ends, says the same twice and
//! makes valid JSON.

use proptest::prelude::*;

use super::*;
use crate::mapping::apply::{apply_traced, references};

const PLACES: [&str; 9] = ["a", "b", "a.b", "$.a", "$.b.a", ".", "a[0]", "b[?@.a==1]", "b[?@.a==1].b"];
const ARRAYS: [&str; 6] = ["a[*]", "b[*]", "$.a[*]", "$.b.a[*]", "[*]", "b[?@.a==1].b[*]"];
const CONDITIONS: [&str; 4] = ["", "@.a == 1", "@.b", "$.a[?@.b == 1]"];

/// A rule to be, which can be cloned and shown.
#[derive(Clone, Debug)]
enum Spec {
    Pair(&'static str, &'static str, bool),
    Constant(&'static str),
    Key(&'static str, &'static str),
    Group(&'static str, &'static str, &'static str, Vec<Spec>),
    Each(&'static str, &'static str, bool, Vec<Spec>),
    Join(&'static str, Result<&'static str, &'static str>, Vec<Spec>),
    Append(&'static str, &'static str, Vec<Spec>),
    Gather(&'static str, &'static str, &'static str, Vec<Spec>),
    OneOf(&'static str, Vec<Spec>),
}

fn of(names: &'static [&'static str]) -> impl Strategy<Value = &'static str> + Clone {
    proptest::sample::select(names)
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let leaf = prop_oneof![
        (of(&PLACES), of(&PLACES), any::<bool>()).prop_map(|(s, t, required)| Spec::Pair(s, t, required)),
        of(&PLACES).prop_map(Spec::Constant),
        (of(&PLACES), of(&PLACES)).prop_map(|(s, t)| Spec::Key(s, t)),
    ];
    let rule = leaf.prop_recursive(4, 24, 4, |inner| {
        let rules = || proptest::collection::vec(inner.clone(), 0..4);
        let either = prop_oneof![of(&PLACES), of(&ARRAYS)];
        prop_oneof![
            (of(&CONDITIONS), of(&PLACES), of(&PLACES), rules())
                .prop_map(|(c, s, t, r)| Spec::Group(c, s, t, r)),
            (of(&ARRAYS), of(&ARRAYS), any::<bool>(), rules())
                .prop_map(|(s, t, k, r)| Spec::Each(s, t, k, r)),
            (of(&ARRAYS), of(&PLACES), rules()).prop_map(|(s, t, r)| Spec::Join(s, Ok(t), r)),
            (of(&ARRAYS), of(&ARRAYS), rules()).prop_map(|(s, t, r)| Spec::Join(s, Err(t), r)),
            (either, of(&ARRAYS), rules()).prop_map(|(s, t, r)| Spec::Append(s, t, r)),
            (of(&ARRAYS), of(&ARRAYS), of(&CONDITIONS), rules())
                .prop_map(|(s, t, c, r)| Spec::Gather(s, t, c, r)),
            (of(&CONDITIONS), rules()).prop_map(|(c, r)| Spec::OneOf(c, r)),
        ]
    });
    proptest::collection::vec(rule, 0..6)
}

fn built(specs: &[Spec]) -> Vec<Rule> {
    specs.iter().map(build).collect()
}

fn build(spec: &Spec) -> Rule {
    match spec {
        Spec::Pair(source, target, required) => pair_with(source, target, |pair| pair.required = *required),
        Spec::Constant(target) => constant("k", target),
        Spec::Key(source, target) => pair_with(source, target, |pair| {
            pair.transforms = Box::new([
                Transform::Key { group: KeyGroupId(0), each: true },
                Transform::Ref { kind: "x".into(), each: true },
            ]);
        }),
        Spec::Group(test, source, target, rules) => {
            group_if(test, "@.c=='C'", (source, target), built(rules))
        }
        Spec::Each(source, target, keyed, rules) => each_with(source, target, built(rules), |each| {
            each.key = keyed.then(|| key("a", "b", KeyForm::Text, Some((1, 1))));
        }),
        Spec::Join(source, target, rules) => {
            let target = match target {
                Ok(place) => JoinTarget::One(path(place)),
                Err(array) => JoinTarget::Every(path(array)),
            };
            rule(
                "join",
                Action::Join(Shared::new(join(source, ("a", "b"), target, Body::Rules(built(rules).into())))),
            )
        }
        Spec::Append(source, target, rules) => append(source, target, ("a", "a"), built(rules)),
        Spec::Gather(source, target, test, rules) => {
            let gather = Gather {
                source: path(source),
                target: path(target),
                row_key: Box::new([path("a")]),
                copy: Box::default(),
                required: false,
                branches: vec![branch(test, "@.c=='C'", built(rules)), branch("", "", built(rules))].into(),
            };
            rule("gather", Action::Gather(Shared::new(gather)))
        }
        Spec::OneOf(test, rules) => {
            let branches = vec![branch(test, "@.d.e==1", built(rules))].into();
            rule("one_of", Action::OneOf(Shared::new(OneOf { branches, otherwise: Otherwise::Nothing })))
        }
    }
}

/// Messages made of the members that the rules speak of.
fn message() -> impl Strategy<Value = String> {
    (value(), value()).prop_map(|(a, b)| format!(r#"{{"a":{a},"b":{b}}}"#))
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("\"1\"".to_owned()),
        Just("null".to_owned()),
        Just("2.0".to_owned())
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!(r#"{{"a":{a},"b":{b}}}"#)),
            inner.clone().prop_map(|a| format!(r#"{{"a":{a}}}"#)),
            proptest::collection::vec(inner, 0..3).prop_map(|all| format!("[{}]", all.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_program_on_any_message(specs in specs(), body in message(), is_answer in any::<bool>()) {
        let mut rules = built(&specs);
        rules.iter_mut().step_by(2).for_each(|rule| rule.on_failure = OnFailure::Omit);
        let program = if is_answer { answer(rules) } else { request(rules) };
        let document = Document::from_text(&body).unwrap();
        let (facts, none) = (Value::Object(Vec::new()), References::new());
        let input = Input::new(Some(document.root()), &facts, &none);
        let plain = apply(&program, &input);
        let (traced, _) = apply_traced(&program, &input);
        prop_assert_eq!(shown(&plain), shown(&traced));
        references(&program, &input);
        match plain {
            Ok(Applied { body: Some(made), .. }) => {
                let again = Document::from_text(made.text());
                prop_assert!(again.is_ok(), "{}", made.text());
            }
            Ok(_) => {}
            Err(failures) => prop_assert!(!failures.is_empty() && failures.len() <= Limits::default().failures_max),
        }
    }
}
