//! What holds of every request and every answer.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::doc;
use crate::{
    custody::{Completing, complete, echo},
    json::{Document, Node},
    sonata::entity::EntityKind,
};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z\"\\\\é]{0,4}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[abcd]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// An object with members, and items with ids out of few, in some state or none.
fn message() -> impl Strategy<Value = Value> {
    let state = prop::sample::select(vec!["acknowledged", "inProgress", "completed", "failed", "nonsense"]);
    let item = (prop::sample::select(vec!["1", "2", "3"]), value(), prop::option::of(state.clone()));
    let items = prop::collection::vec(item, 0..4);
    (prop::collection::btree_map("[abcd]", value(), 0..4), items, prop::option::of(state)).prop_map(
        |(members, items, state)| {
            let mut root: Map<String, Value> = members.into_iter().collect();
            let mut seen = Vec::new();
            let mut list = Vec::new();
            for (id, extra, state) in items {
                if seen.contains(&id) {
                    continue;
                }
                seen.push(id);
                let mut item = Map::from_iter([("id".to_owned(), id.into()), ("extra".to_owned(), extra)]);
                item.extend(state.map(|state| ("state".to_owned(), state.into())));
                list.push(Value::Object(item));
            }
            root.insert("productOrderItem".to_owned(), list.into());
            root.extend(state.map(|state| ("state".to_owned(), state.into())));
            Value::Object(root)
        },
    )
}

fn parse(value: &Value) -> Document {
    doc(&value.to_string())
}

/// Whether all that the Buyer sent stands in the answer: objects may have more members, all else is equal.
fn repeats(request: Node<'_>, answer: Node<'_>) -> bool {
    if request.is_object() && answer.is_object() {
        return request
            .members()
            .all(|(name, value)| answer.get(&name).is_some_and(|answer| repeats(value, answer)));
    }
    request.eq_value(answer)
}

fn order<'a>(
    request: &'a Document,
    mapped: &'a Document,
    kept: Option<&'a Document>,
    now: &'a str,
) -> Completing<'a> {
    Completing {
        is_part: false,
        kind: EntityKind::ProductOrder,
        request: Some(request),
        mapped: Some(mapped),
        kept,
        id: "o-1",
        href: None,
        now,
        seller: None,
        echo_off: &[],
    }
}

proptest! {
    #[test]
    fn an_echo_repeats_the_request(request in message(), mapped in message()) {
        let (request, mapped) = (parse(&request), parse(&mapped));
        let answer = echo(&request, Some(&mapped), &[]);
        prop_assert!(repeats(request.root(), answer.root()), "{}\n{}", request.text(), answer.text());
        prop_assert!(echo(&request, None, &[]).root().eq_value(request.root()));
    }

    #[test]
    fn an_entity_has_the_buyers_items_in_their_order(request in message(), mapped in message()) {
        let (request, mapped) = (parse(&request), parse(&mapped));
        let done = complete(&order(&request, &mapped, None, "T1"));
        let ids = |document: &Document| -> Vec<String> {
            let items = document.root().get("productOrderItem").unwrap();
            items.elements().map(|item| item.get("id").unwrap().raw().to_owned()).collect()
        };
        prop_assert_eq!(ids(&request), ids(&done.document));
        for (item, asked) in done.document.root().get("productOrderItem").unwrap().elements().zip(
            request.root().get("productOrderItem").unwrap().elements()
        ) {
            prop_assert!(repeats(asked.get("extra").unwrap(), item.get("extra").unwrap()));
        }
    }

    #[test]
    fn the_same_answer_again_changes_nothing_and_history_only_grows(
        request in message(), first in message(), second in message()
    ) {
        let (request, first, second) = (parse(&request), parse(&first), parse(&second));
        let made = complete(&order(&request, &first, None, "T1")).document;
        let again = complete(&order(&request, &first, Some(&made), "T2"));
        prop_assert!(!again.changed, "{}\n{}", made.text(), again.document.text());
        let renewed = complete(&order(&request, &second, Some(&made), "T2")).document;
        let history = |document: &Document| -> Vec<String> {
            let history = document.root().get("stateChange").unwrap();
            history.elements().map(|change| change.raw().to_owned()).collect()
        };
        prop_assert!(history(&renewed).starts_with(&history(&made)));
    }
}
