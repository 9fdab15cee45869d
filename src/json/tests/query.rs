//! Queries in table form; the documents and most rows are those of RFC 9535's own examples.

use crate::json::{
    Document, Node,
    query::{Condition, Literal, Query},
};

const STORE: &str = r#"{ "store": { "book": [
  { "category": "reference", "author": "N", "title": "S", "price": 8.95 },
  { "category": "fiction", "author": "E", "title": "H", "price": 12.99 },
  { "category": "fiction", "author": "M", "title": "D", "isbn": "0-553", "price": 8.99 },
  { "category": "fiction", "author": "J", "title": "L", "isbn": "0-395", "price": 22.99 } ],
  "bicycle": { "color": "red", "price": 399 } } }"#;

const FILTERS: &str = r#"{ "a": [3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}],
  "o": {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}}, "e": "f" }"#;

const NUMBERS: &str =
    "[9007199254740993, 9007199254740992, 12345678901234567890, 12345678901234567891, 1.10, 1e2,
  0.1234567890123456789, -0.0]";

fn selected(document: &str, query: &str) -> String {
    let document = Document::from_text(document).unwrap();
    let query = Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let nodes = query.select(document.root(), document.root());
    assert_eq!(
        query.first(document.root(), document.root()).map(Node::id),
        nodes.first().copied().map(Node::id)
    );
    nodes.iter().map(|node| node.raw()).collect::<Vec<_>>().join(" ")
}

const ODD_NAMES: &str = r#"{"o": {"j j": {"k.k": 3}}, "'": {"@": 2}}"#;

const LETTERS: &str = r#"["a", "b", "c", "d", "e", "f", "g"]"#;

const NESTED: &str = r#"{"a": [[5, 3], [{"j": 4}, {"k": 6}]], "n": null, "o": [null], "nn": [{"null": 1}]}"#;

/// Document, query, raw texts of what it selects.
const SELECTIONS: &[(&str, &str, &str)] = &[
    (STORE, "$.store.book[*].author", r#""N" "E" "M" "J""#),
    (STORE, "$.store.*.price", "399"),
    (STORE, "$.store.book[0,1].title", r#""S" "H""#),
    (STORE, "$.store.book[:2].title", r#""S" "H""#),
    (STORE, "$.store.book[-1].title", r#""L""#),
    (STORE, "$.store.book[?@.isbn].title", r#""D" "L""#),
    (STORE, "$.store.book[?@.price<10].title", r#""S" "D""#),
    (STORE, "$.store.book[?(@.price < 10 && @.category == 'fiction')].title", r#""D""#),
    (STORE, "$.store.book[?@.price > $.store.book[1].price].title", r#""L""#),
    (STORE, "$.store.book[?@.nothing == @.none].title", r#""S" "H" "D" "L""#),
    (ODD_NAMES, "$.o['j j']", r#"{"k.k": 3}"#),
    (ODD_NAMES, "$.o['j j']['k.k']", "3"),
    (ODD_NAMES, r#"$.o["j j"]["k.k"]"#, "3"),
    (ODD_NAMES, r#"$["'"]["@"]"#, "2"),
    (ODD_NAMES, r"$['\'']['\u0040']", "2"),
    (ODD_NAMES, "$ ['o'] [ 'j j' ]", r#"{"k.k": 3}"#),
    (ODD_NAMES, "$", ODD_NAMES),
    (LETTERS, "$[1]", r#""b""#),
    (LETTERS, "$[-2]", r#""f""#),
    (LETTERS, "$[7]", ""),
    (LETTERS, "$[-8]", ""),
    (LETTERS, "$[1:3]", r#""b" "c""#),
    (LETTERS, "$[5:]", r#""f" "g""#),
    (LETTERS, "$[1:5:2]", r#""b" "d""#),
    (LETTERS, "$[5:1:-2]", r#""f" "d""#),
    (LETTERS, "$[::-1]", r#""g" "f" "e" "d" "c" "b" "a""#),
    (LETTERS, "$[::0]", ""),
    (LETTERS, "$[-3:-1]", r#""e" "f""#),
    (LETTERS, "$[-99:2]", r#""a" "b""#),
    (LETTERS, "$[99:-99:-3]", r#""g" "d" "a""#),
    (LETTERS, "$[0, 3]", r#""a" "d""#),
    (LETTERS, "$[0:2, 5]", r#""a" "b" "f""#),
    (LETTERS, "$[0, 0]", r#""a" "a""#),
    (FILTERS, "$.a[?@.b == 'kilo']", r#"{"b": "kilo"}"#),
    (FILTERS, "$.a[?(@.b == 'kilo')]", r#"{"b": "kilo"}"#),
    (FILTERS, "$.a[?@>3.5]", "5 4 6"),
    (FILTERS, "$.a[?@.b]", r#"{"b": "j"} {"b": "k"} {"b": {}} {"b": "kilo"}"#),
    (FILTERS, "$.a[?!@.b]", "3 5 1 2 4 6"),
    (FILTERS, "$[?@.*].p", "1"),
    (FILTERS, "$.a[?@<2 || @.b == \"k\"]", r#"1 {"b": "k"}"#),
    (FILTERS, "$.a[?match(@.b, \"[jk]\")]", r#"{"b": "j"} {"b": "k"}"#),
    (FILTERS, "$.a[?search(@.b, \"[jk]\")]", r#"{"b": "j"} {"b": "k"} {"b": "kilo"}"#),
    (FILTERS, "$.o[?@>1 && @<4]", "2 3"),
    (FILTERS, "$.o[?@.u || @.x]", r#"{"u": 6}"#),
    (FILTERS, "$.a[?@.b == $.x]", "3 5 1 2 4 6"),
    (FILTERS, "$.a[?@ == @]", r#"3 5 1 2 4 6 {"b": "j"} {"b": "k"} {"b": {}} {"b": "kilo"}"#),
    (FILTERS, "$.a[?@.b > 'j']", r#"{"b": "k"} {"b": "kilo"}"#),
    (FILTERS, "$[?count(@.*) == 10].*.b", r#""j" "k" {} "kilo""#),
    (FILTERS, "$.a[?length(@.b) < 2]", r#"{"b": "j"} {"b": "k"} {"b": {}}"#),
    (FILTERS, "$.o[?value(@.*) == 6]", r#"{"u": 6}"#),
    (FILTERS, "$['a'][0,?@.b=='k',1:3]", r#"3 {"b": "k"} 5 1"#),
    (NESTED, "$.a[?@[?@.j]][1].k", "6"),
    (NESTED, "$.a[*][*]", r#"5 3 {"j": 4} {"k": 6}"#),
    (NESTED, "$.n", "null"),
    (NESTED, "$.n[0]", ""),
    (NESTED, "$.n.d", ""),
    (NESTED, "$.o[?@==null]", "null"),
    (NESTED, "$.o[0]", "null"),
    (NESTED, "$.nn[?@.null==1]", r#"{"null": 1}"#),
    (NUMBERS, "$[?@ == 9007199254740993]", "9007199254740993"),
    (NUMBERS, "$[?@ == 12345678901234567890]", "12345678901234567890"),
    (NUMBERS, "$[?@ > 12345678901234567890]", "12345678901234567891"),
    (NUMBERS, "$[?@ == 1.1]", "1.10"),
    (NUMBERS, "$[?100 == @]", "1e2"),
    (NUMBERS, "$[?@ == 1E+2]", "1e2"),
    (NUMBERS, "$[?@ == 0]", "-0.0"),
    (NUMBERS, "$[?@ == -0]", "-0.0"),
    (NUMBERS, "$[?@ > 0.1234567890123456788 && @ < 0.1234567890123456790]", "0.1234567890123456789"),
];

#[test]
fn queries_select_what_the_standard_says() {
    for (document, query, expected) in SELECTIONS {
        assert_eq!(selected(document, query), *expected, "{query}");
    }
}

const CONDITIONS: &[(&str, bool)] = &[
    ("$.absent1 == $.absent2", true),
    ("$.absent1 <= $.absent2", true),
    ("$.absent == 'g'", false),
    ("$.absent1 != $.absent2", false),
    ("$.absent != 'g'", true),
    ("1 <= 2", true),
    ("1 > 2", false),
    ("13 == '13'", false),
    ("'a' <= 'b'", true),
    ("'a' > 'b'", false),
    ("$.obj == $.arr", false),
    ("$.obj != $.arr", true),
    ("$.obj == $.obj", true),
    ("$.arr == $.arr", true),
    ("$.obj == 17", false),
    ("$.obj <= $.arr", false),
    ("$.obj < $.arr", false),
    ("$.obj <= $.obj", true),
    ("1 <= $.arr", false),
    ("1 >= $.arr", false),
    ("1 != $.arr", true),
    ("true <= true", true),
    ("true > true", false),
    ("null == null", true),
    ("@.n == null", true),
    ("@.absent == null", false),
    ("@.n", true),
    ("!@.absent && !(@.n && @.absent)", true),
    ("@.t == true || @.absent", true),
    ("@.t == false", false),
    ("@.t", true),
    ("length(@.s) == 4", true),
    ("length(@.obj) == 1 && length(@.arr) == 2 && length(@.e) == 0", true),
    ("length(@.two) == length(@.absent)", true),
    ("length('\\ud83d\\ude00') == 1", true),
    ("length(value(@['s'])) == 4", true),
    ("count(@.*) == 7", true),
    ("count(@['n','t']) >= 2.0", true),
    ("value(@.arr[?@ > 2]) == 3", true),
    ("value(@.arr[*]) == value(@.absent[*])", true),
    ("match(@.s, 'caf.')", true),
    ("match(@.s, 'af')", false),
    ("match(@.s, 'x|caf.')", true),
    ("search(@.s, 'af')", true),
    ("!search(@.s, '^af')", true),
    ("search(@.two, '2')", false),
    ("search('a\\nb', 'a.b')", false),
    ("search('a\\rb', 'a.b')", false),
    ("search('a.b', 'a[.]b') && search('a.b', 'a\\\\.b') && !search('axb', 'a\\\\.b')", true),
    ("@.arr[0] == @.two", true),
    ("@['two'] < 2.00000000000000000001", true),
    (" @.two\n==\t2 ", true),
    ("@.two==2&&@.t==true||@.absent==1", true),
];

#[test]
fn conditions_hold_by_the_table_of_the_standard() {
    let document = Document::from_text(
        r#"{"obj": {"x": "y"}, "arr": [2, 3], "n": null, "t": true, "s": "caf\u00e9", "two": 2, "e": []}"#,
    )
    .unwrap();
    for (text, expected) in CONDITIONS {
        let condition = Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(condition.holds(document.root(), document.root()), *expected, "{text}");
    }
}

#[test]
fn scope_and_root_are_told_apart() {
    let document = Document::from_text(r#"{"want": 2, "rows": [{"n": 1}, {"n": 2}], "n": 9}"#).unwrap();
    let row = document.root().resolve("/rows/1").unwrap();
    let condition = Condition::parse("@.n == $.want").unwrap();
    assert!(condition.holds(row, document.root()) && !condition.holds(document.root(), document.root()));
    let query = Query::parse("@.n").unwrap();
    assert_eq!(query.first(row, document.root()).unwrap().raw(), "2");
    assert_eq!(Query::parse("$.n").unwrap().first(row, document.root()).unwrap().raw(), "9");
    assert_eq!(Query::parse("@").unwrap().select(row, document.root())[0].id(), row.id());
}

/// Text, place of the trouble, part of the message.
const REFUSED_QUERIES: &[(&str, usize, &str)] = &[
    ("", 0, "begins with"),
    ("a.b", 0, "begins with"),
    ("$.a..b", 3, "`..` is not supported"),
    ("$..*", 1, "`..` is not supported"),
    ("$[?@..b]", 4, "`..` is not supported"),
    ("$.a.@type", 3, "write `['@type']`"),
    ("$.a b", 4, "operator is missing"),
    ("$. a", 2, "white space after `.`"),
    ("$.a-b", 3, "['a-name']"),
    ("$.", 2, "member name must follow"),
    ("$.1a", 2, "member name must follow"),
    ("$.a[", 4, "not closed"),
    ("$.a]", 3, "unexpected `]`"),
    ("$.a['b]", 4, "string is not closed"),
    ("$.a[b]", 4, "`b` means nothing here"),
    ("$.a[01]", 4, "unexpected `0`"),
    ("$a", 1, "`a` means nothing here"),
    ("$.a )", 4, "unexpected `)`"),
    ("$.é[?@ = 1]", 8, "write `==`"),
    ("$[9007199254740992]", 2, "unexpected"),
];

const REFUSED_CONDITIONS: &[(&str, usize, &str)] = &[
    ("", 0, "missing at the end"),
    ("@.a in ['x']", 4, "operator is missing"),
    ("@.a = 1", 4, "write `==`"),
    ("@.a == 1][0", 8, "unexpected `]`"),
    ("@.a == 1, 2", 8, "a condition has no list"),
    ("@.a == x", 7, "`x` means nothing here"),
    ("@.a == 01", 8, "malformed number"),
    ("@.a == 1.", 9, "malformed number"),
    ("@.a == 'x", 7, "string is not closed"),
    ("@.a ==", 6, "missing at the end"),
    ("@.a && (@.b", 11, "not closed"),
    ("@.* == 1", 4, "unexpected `=`"),
    ("in(@.a, @.b)", 0, "unknown function `in`"),
    ("@.x && size(@.a) == 1", 7, "unknown function `size`"),
    ("@.x && length(@.a)", 7, "must be compared"),
    ("length(@.*) == 1", 0, "path to one value"),
    ("count(1) == 1", 0, "expected a node"),
    ("match(@.a, 'x') == true", 0, "is not comparable"),
    ("@.x || match(@.a, @.b)", 7, "pattern must be a text"),
    ("@.x || match(@.a, '(')", 7, "pattern is not understood: unclosed group"),
    ("search(@.a, 'a)|(b')", 0, "pattern is not understood"),
    ("@.a ~= 'x'", 5, "write `==`"),
    ("@.a & @.b", 4, "unexpected `&`"),
];

#[test]
fn what_is_refused_says_where_and_why() {
    for (text, offset, message) in REFUSED_QUERIES {
        let error = Query::parse(text).expect_err(text);
        assert!(error.message.contains(message), "{text}: {error}");
        assert_eq!(error.offset, *offset, "{text}: {error}");
    }
    for (text, offset, message) in REFUSED_CONDITIONS {
        let error = Condition::parse(text).expect_err(text);
        assert!(error.message.contains(message), "{text}: {error}");
        assert_eq!(error.offset, *offset, "{text}: {error}");
    }
    assert!(Query::parse(&format!("$.{}", "a".repeat(5000))).is_err());
    assert!(Condition::parse(&"(".repeat(1000)).is_err());
}

#[test]
fn reads_are_listed_from_outside() {
    let cases = [
        ("$.a['b c'][0]", vec!["$['a']['b c'][0]"]),
        ("$.a[*].b", vec!["$['a'][*]['b']"]),
        (
            "$.a[?@.x == $.y && count(@.z[*]) > 1]['p','q']",
            vec!["$['a'][*]['x']", "$['y']", "$['a'][*]['z'][*]", "$['a'][*]['p']", "$['a'][*]['q']"],
        ),
        ("@.a[?@.b[?@.c]]", vec!["@['a'][*]['b'][*]['c']", "@['a'][*]['b'][*]", "@['a'][*]"]),
    ];
    for (query, expected) in cases {
        let reads: Vec<String> =
            Query::parse(query).unwrap().reads().iter().map(ToString::to_string).collect();
        assert_eq!(reads, expected, "{query}");
    }
    let condition = Condition::parse("@.a == 1 || !search(@.b, 'x') && length(@.c) == $.d").unwrap();
    let reads: Vec<String> = condition.reads().iter().map(ToString::to_string).collect();
    assert_eq!(reads, ["@['a']", "@['b']", "@['c']", "$['d']"]);
}

#[test]
fn equality_terms_can_be_written() {
    let cases = [
        ("@.role == 'X'", "@['role']=X", true),
        ("@.role=='X' && @['@type'] == \"Y\"", "@['role']=X @['@type']=Y", true),
        ("(@.a == 1.10 && (true == @.b)) && null == $.c.d", "@['a']=1.10 @['b']=true $['c']['d']=null", true),
        ("@.a == 1 && @.b != 2", "@['a']=1", false),
        ("@.a == 1 || @.b == 2", "", false),
        ("!(@.a == 1)", "", false),
        ("@.a == @.b", "", false),
    ];
    for (text, expected, only) in cases {
        let condition = Condition::parse(text).unwrap();
        let terms: Vec<String> = condition
            .equalities()
            .iter()
            .map(|term| {
                let literal = match term.literal {
                    Literal::Null => "null".to_owned(),
                    Literal::Bool(value) => value.to_string(),
                    Literal::Number(text) | Literal::Text(text) => text.to_string(),
                };
                format!("{}={literal}", term.path)
            })
            .collect();
        assert_eq!((terms.join(" ").as_str(), condition.is_equalities_only()), (expected, only), "{text}");
    }
}

#[test]
fn singular_queries_are_known_as_such() {
    assert_eq!(Query::parse("$.a['b'][-1]").unwrap().singular().unwrap().to_string(), "$['a']['b'][-1]");
    assert!(Query::parse("$").unwrap().singular().unwrap().steps.is_empty());
    for plural in ["$.*", "$[0,1]", "$[0:1]", "$[?@.a]"] {
        assert!(Query::parse(plural).unwrap().singular().is_none(), "{plural}");
    }
}
