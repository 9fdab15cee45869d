//! What holds for all messages and all programs of plain rules.

use proptest::prelude::*;

use super::*;

/// JSON texts with odd spellings, to be carried as they are.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("true".to_owned()),
        Just("1.10".to_owned()),
        Just("-0".to_owned()),
        Just("1E+2".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        Just("[ ]".to_owned()),
        Just("{ }".to_owned()),
        Just(r#""\u00e9\/\n""#.to_owned()),
        any::<u64>().prop_map(|n| n.to_string()),
        "[a-zA-Z0-9 äß€']{0,8}".prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(" , "))),
            proptest::collection::vec(inner, 0..4).prop_map(|all| {
                let members = all.iter().enumerate().map(|(at, value)| format!("\"m{at}\": {value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// Names of a flat message, some of them there.
fn members() -> impl Strategy<Value = Vec<(usize, Option<String>)>> {
    proptest::collection::vec(proptest::option::of(json()), 1..8)
        .prop_map(|values| values.into_iter().enumerate().collect::<Vec<_>>())
        .prop_shuffle()
}

fn body_of(members: &[(usize, Option<String>)]) -> String {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let there = sorted.iter().filter_map(|(name, value)| Some(format!("\"s{name}\":{}", value.as_ref()?)));
    format!("{{{}}}", there.collect::<Vec<_>>().join(","))
}

proptest! {
    #[test]
    fn copies_keep_their_text_and_stand_in_the_order_of_the_rules(members in members()) {
        let rules = members.iter().map(|(name, _)| pair(&format!("s{name}"), &format!("t{name}"))).collect();
        let there = members.iter().filter_map(|(name, value)| Some(format!("\"t{name}\":{}", value.as_ref()?)));
        let there: Vec<_> = there.collect();
        let expected = if there.is_empty() { "nothing".to_owned() } else { format!("{{{}}}", there.join(",")) };
        prop_assert_eq!(shown(&run(&request(rules), &body_of(&members))), expected);
    }

    #[test]
    fn there_and_back_is_identity_for_pairs_in_groups_and_arrays(values in proptest::collection::vec(json(), 0..5)) {
        let elements: Vec<_> = values.iter().map(|value| format!("{{\"a\":{value}}}")).collect();
        let body = format!(r#"{{"x":{{"y":[{}]}}}}"#, elements.join(","));
        let there = request(vec![group("x", "p.q", vec![each("y[*]", "r[*]", vec![pair("a", "b.c")])])]);
        let back = answer(vec![group("p.q", "x", vec![each("r[*]", "y[*]", vec![pair("b.c", "a")])])]);
        let legacy = shown(&run(&there, &body));
        prop_assert_eq!(shown(&run(&back, &legacy)), body);
    }

    #[test]
    fn whatever_comes_nothing_panics_and_empty_programs_write_nothing(body in json()) {
        prop_assert_eq!(shown(&run(&request(vec![]), &body)), "nothing");
        let rules = vec![
            pair("m0", "x.y"), pair("m1", "x"), each("m2[*]", "z[*]", vec![pair(".", ".")]), pair(".", "w[?@.a==1]"),
            group("m0", "x.y", vec![pair(".", "q")]), each("[*]", "z[*]", vec![pair("m0", ".")]),
        ];
        let result = run(&request(rules), &body);
        if let Ok(Applied { body: Some(made), .. }) = &result {
            prop_assert!(Document::from_text(made.text()).is_ok());
        }
    }

    #[test]
    fn keys_join_whatever_the_order(order in Just((0..9_u32).collect::<Vec<_>>()).prop_shuffle()) {
        let lines: Vec<_> = (0..9).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
        let texts: Vec<_> = order.iter().map(|n| format!(r#"{{"n":{n},"t":"t{n}"}}"#)).collect();
        let body = format!(r#"{{"l":[{}],"x":[{}]}}"#, lines.join(","), texts.join(","));
        let one = join("$.x[*]", ("n", "n"), JoinTarget::One(path("j")), Body::Rules([pair("t", "t")].into()));
        let program = answer(vec![each("l[*]", "i[*]", vec![rule("x", Action::Join(Shared::new(one)))])]);
        let expected: Vec<_> = (0..9).map(|n| format!(r#"{{"j":{{"t":"t{n}"}}}}"#)).collect();
        prop_assert_eq!(shown(&run(&program, &body)), format!(r#"{{"i":[{}]}}"#, expected.join(",")));
    }
}
