//! Joins, appends, rows and gathering: arrays that belong together.

use super::*;
use crate::mapping::program::ScriptUse;
use crate::mapping::script::{Functions, Script};

fn lines(rules: Vec<Rule>) -> Rule {
    each_with("quoteItem[*]", "lines[*]", rules, |each| {
        each.key = Some(key("id", "lineNo", KeyForm::Number, Some((10, 10))));
    })
}

fn items(rules: Vec<Rule>) -> Rule {
    each_with("lines[*]", "quoteItem[*]", rules, |each| {
        each.key = Some(key("lineNo", "id", KeyForm::Text, None));
    })
}

#[test]
fn what_belongs_to_the_scope_is_joined_from_elsewhere_and_appended_there() {
    let place = "product.place[?@.role=='INSTALL_LOCATION']";
    let target = JoinTarget::One(path(place));
    let back = join("$.adr[*]", ("lineNo", "lineNo"), target, Body::Rules([pair("ort", "city")].into()));
    check(
        &answer(vec![items(vec![pair("st", "state"), rule("adr", Action::Join(Shared::new(back)))])]),
        &[
            (
                r#"{"lines":[{"lineNo":10,"st":"A"},{"lineNo":20,"st":"B"}],"adr":[{"lineNo":20.0,"ort":"Berlin"}]}"#,
                r#"{"quoteItem":[{"id":"10","state":"A"},{"id":"20","state":"B","product":{"place":[{"role":"INSTALL_LOCATION","city":"Berlin"}]}}]}"#,
            ),
            (
                r#"{"lines":[{"lineNo":10}],"adr":[{"lineNo":"10","ort":"X"}]}"#,
                r#"{"quoteItem":[{"id":"10"}]}"#,
            ),
            (
                r#"{"lines":[{"lineNo":10}],"adr":[{"lineNo":10,"ort":"X"},{"lineNo":10,"ort":"Y"}]}"#,
                "/adr/1 invalidValue: two elements belong to one that has room for one",
            ),
        ],
    );
    let there =
        append(place, "$.adr[*]", ("lineNo", "lineNo"), vec![constant("F", "typ"), pair("city", "ort")]);
    check(
        &request(vec![lines(vec![there, pair("action", "act")])]),
        &[(
            r#"{"quoteItem":[{"id":"1","action":"add"},{"id":"2","product":{"place":[{"role":"INSTALL_LOCATION","city":"Berlin"}]}},
                {"id":"3","product":{"place":[{"role":"INSTALL_LOCATION"}]}}]}"#,
            r#"{"lines":[{"lineNo":10,"act":"add"},{"lineNo":20},{"lineNo":30}],"adr":[{"lineNo":20,"typ":"F","ort":"Berlin"}]}"#,
        )],
    );
}

#[test]
fn the_first_that_belongs_can_be_taken() {
    let mut first = join(
        "$.adr[*]",
        ("n", "n"),
        JoinTarget::One(path("place")),
        Body::Rules([pair("ort", "city")].into()),
    );
    first.take = Take::First;
    first.condition = condition("@.ort != 'A'");
    check(
        &answer(vec![rule("adr", Action::Join(Shared::new(first)))]),
        &[(
            r#"{"n":1,"adr":[{"n":1,"ort":"A"},{"n":1,"ort":"B"},{"n":1,"ort":"C"}]}"#,
            r#"{"place":{"city":"B"}}"#,
        )],
    );
}

#[test]
fn an_array_can_stand_opposite_to_one_place() {
    let mut all =
        join("hits[*]", ("n", "n"), JoinTarget::One(path("best")), Body::Rules([pair("s", "score")].into()));
    all.on = Box::default();
    all.take = Take::First;
    check(
        &answer(vec![rule("hits", Action::Join(Shared::new(all)))]),
        &[(r#"{"hits":[{"s":9},{"s":8}]}"#, r#"{"best":{"score":9}}"#), (r#"{"hits":[]}"#, "nothing")],
    );
    let mut back = append("best", "hits[*]", ("n", "n"), vec![pair("score", "s")]);
    if let Action::Append(append) = &mut back.action {
        append.copy = Box::default();
    }
    check(&request(vec![back]), &[(r#"{"best":{"score":9}}"#, r#"{"hits":[{"s":9}]}"#)]);
}

#[test]
fn many_that_belong_become_an_array_and_are_appended_one_by_one() {
    let target = JoinTarget::Every(path("note[*]"));
    let back = join("$.txt[*]", ("lineNo", "lineNo"), target, Body::Rules([pair("t", "text")].into()));
    check(
        &answer(vec![items(vec![rule("txt", Action::Join(Shared::new(back)))])]),
        &[(
            r#"{"lines":[{"lineNo":1},{"lineNo":2}],"txt":[{"lineNo":2,"t":"a"},{"lineNo":3,"t":"b"},{"lineNo":2,"t":"c"},{"t":"d"}]}"#,
            r#"{"quoteItem":[{"id":"1"},{"id":"2","note":[{"text":"a"},{"text":"c"}]}]}"#,
        )],
    );
    let there = append("note[*]", "$.txt[*]", ("lineNo", "lineNo"), vec![pair("text", "t")]);
    check(
        &request(vec![lines(vec![there])]),
        &[(
            r#"{"quoteItem":[{"id":"x","note":[{"text":"a"},{},{"text":"b"}]},{"id":"y","note":[{"text":"c"}]}]}"#,
            r#"{"lines":[{"lineNo":10},{"lineNo":20}],"txt":[{"lineNo":10,"t":"a"},{"lineNo":10,"t":"b"},{"lineNo":20,"t":"c"}]}"#,
        )],
    );
}

#[test]
fn an_element_is_appended_only_beside_its_written_key() {
    let there = append("note[*]", "$.txt[*]", ("lineNo", "lineNo"), vec![pair("text", "t")]);
    check(
        &request(vec![there]),
        &[(
            r#"{"note":[{"text":"a"}]}"#,
            "/note otherIssue: `lineNo`, which joins the element, is not written yet",
        )],
    );
}

fn charges_back() -> Rule {
    let rows = [
        branch("@.mrc != 0", "@.priceType=='recurring'", vec![pair("txt", "name"), pair("mrc", "amount")]),
        branch("@.nrc != 0", "@.priceType=='nonRecurring'", vec![pair("txt", "name"), pair("nrc", "amount")]),
    ];
    let target = JoinTarget::Every(path("quoteItemPrice[*]"));
    let body = Body::Rows(rows.into());
    rule("chg", Action::Join(Shared::new(join("$.chg[*]", ("lineNo", "lineNo"), target, body))))
}

fn charges_there(row_key: &[&str]) -> Rule {
    let branches = [
        branch("@.priceType == 'recurring'", "", vec![pair("name", "txt"), pair("amount", "mrc")]),
        branch("@.priceType == 'nonRecurring'", "", vec![pair("name", "txt"), pair("amount", "nrc")]),
    ];
    let gather = Gather {
        source: path("quoteItemPrice[*]"),
        target: path("$.chg[*]"),
        row_key: row_key.iter().map(|text| path(text)).collect(),
        copy: Box::new([(path("lineNo"), path("lineNo"))]),
        required: false,
        branches: branches.into(),
    };
    rule("chg", Action::Gather(Shared::new(gather)))
}

#[test]
fn a_row_becomes_several_elements_and_they_become_the_row() {
    check(
        &answer(vec![items(vec![charges_back()])]),
        &[(
            r#"{"lines":[{"lineNo":10}],"chg":[{"lineNo":10,"txt":"Port","mrc":5,"nrc":7},{"lineNo":10,"txt":"CoS","mrc":1,"nrc":0}]}"#,
            r#"{"quoteItem":[{"id":"10","quoteItemPrice":[{"priceType":"recurring","name":"Port","amount":5},{"priceType":"nonRecurring","name":"Port","amount":7},{"priceType":"recurring","name":"CoS","amount":1}]}]}"#,
        )],
    );
    let prices = |prices: &str| format!(r#"{{"quoteItem":[{{"id":"1","quoteItemPrice":[{prices}]}}]}}"#);
    let rows = |rows: &str| format!(r#"{{"lines":[{{"lineNo":10}}],"chg":[{rows}]}}"#);
    let (port, port_once, cos, cos_once) = (
        r#"{"priceType":"recurring","name":"Port","amount":5}"#,
        r#"{"priceType":"nonRecurring","name":"Port","amount":7}"#,
        r#"{"priceType":"recurring","name":"CoS","amount":1}"#,
        r#"{"priceType":"nonRecurring","name":"CoS","amount":2}"#,
    );
    let keyed = request(vec![lines(vec![charges_there(&["name"])])]);
    let both = r#"{"lineNo":10,"txt":"Port","mrc":5,"nrc":7},{"lineNo":10,"txt":"CoS","mrc":1,"nrc":2}"#;
    check(
        &keyed,
        &[
            (&prices(&[port, cos, port_once, cos_once].join(",")), &rows(both)),
            (
                &prices(&[port, cos_once].join(",")),
                &rows(r#"{"lineNo":10,"txt":"Port","mrc":5},{"lineNo":10,"txt":"CoS","nrc":2}"#),
            ),
            (
                &prices(&[port, port].join(",")),
                &rows(r#"{"lineNo":10,"txt":"Port","mrc":5},{"lineNo":10,"txt":"Port","mrc":5}"#),
            ),
            (
                &prices(r#"{"priceType":"usage"}"#),
                "/quoteItem/0/quoteItemPrice/0 invalidValue: no branch takes this element",
            ),
        ],
    );
    let runs = request(vec![lines(vec![charges_there(&[])])]);
    check(&runs, &[(&prices(&[port, port_once, cos, cos_once].join(",")), &rows(both))]);
}

#[test]
fn rows_work_on_arrays_of_the_scope_too() {
    let rows = [
        branch("@.a != 0", "@.t=='a'", vec![pair("a", "v")]),
        branch("@.b != 0", "@.t=='b'", vec![pair("b", "v")]),
    ];
    let split = each_with("r[*]", "e[*]", vec![], |each| each.body = Body::Rows(rows.into()));
    check(
        &answer(vec![split]),
        &[
            (
                r#"{"r":[{"a":1,"b":2},{"a":0,"b":3}]}"#,
                r#"{"e":[{"t":"a","v":1},{"t":"b","v":2},{"t":"b","v":3}]}"#,
            ),
            (r#"{"r":[{"a":0,"b":0}]}"#, "nothing"),
        ],
    );
}

#[test]
fn joins_are_limited() {
    let target = JoinTarget::Every(path("n[*]"));
    let back = join("$.b[*]", ("k", "k"), target, Body::Rules([pair("v", "v")].into()));
    let program = answer(vec![each("a[*]", "x[*]", vec![rule("b", Action::Join(Shared::new(back)))])]);
    let many = vec![r#"{"k":1,"v":2}"#; 100].join(",");
    let references = References::new();
    let limits = Limits { comparisons_max: 5_000, ..Limits::default() };
    let with = With { query: &[], remembered: &[], references: &references, limits };
    let failures = run_with(&program, &format!(r#"{{"a":[{many}],"b":[{many}]}}"#), &with).unwrap_err();
    assert_eq!(failures.last().unwrap().message, "more than 5000 comparisons of elements would be made");
}

#[test]
fn conditions_that_look_through_the_message_are_limited_too() {
    let dear =
        each_with("a[*]", "x[*]", vec![pair("v", "v")], |each| each.condition = condition("$.a[?@.k == 2]"));
    let many = vec![r#"{"k":1,"v":2}"#; 100].join(",");
    let references = References::new();
    let limits = Limits { comparisons_max: 5_000, ..Limits::default() };
    let with = With { query: &[], remembered: &[], references: &references, limits };
    let failures = run_with(&request(vec![dear]), &format!(r#"{{"a":[{many}]}}"#), &with).unwrap_err();
    assert_eq!(failures[0].message, "a limit of the mapping was reached");
}

#[test]
fn scripts_of_one_message_are_limited_together() {
    let counting = "fn count(to) { let sum = 0; while sum < to { sum += 1; } sum }";
    let functions = Functions::compile(counting).unwrap();
    let used = |text: &str| ScriptUse {
        script: Arc::new(Script::compile(text, &[], &functions).unwrap()),
        inputs: Box::default(),
    };
    let count = rule("n", Action::Pair(Shared::new(blank(Source::Script(used("count(100)")), "n"))));
    let program = request(vec![each("a[*]", "x[*]", vec![pair("v", "v"), count])]);
    let many = vec![r#"{"v":2}"#; 20].join(",");
    let references = References::new();
    let told = |steps_max: u64| {
        let limits = Limits { steps_max, ..Limits::default() };
        let with = With { query: &[], remembered: &[], references: &references, limits };
        run_with(&program, &format!(r#"{{"a":[{many}]}}"#), &with)
    };
    assert!(told(100_000).is_ok());
    let failures = told(2_000).unwrap_err();
    let messages: Vec<&str> = failures.iter().map(|failure| &*failure.message).collect();
    assert_eq!(messages, ["the scripts of one message take more than 2000 steps"]);
}
