//! Every hole of the engine that is known, closed: each test fails without its fix.

#![expect(clippy::needless_pass_by_value, reason = "tables of values read better without `&`")]

use std::time::Instant;

use super::*;
use crate::json::Document;

fn facts() -> Value<'static> {
    Value::Object(vec![("partner".into(), Value::text("globex")), ("status".into(), Value::integer(404))])
}

fn run_with(
    text: &str,
    functions: &Functions,
    value: &Value<'static>,
) -> Result<Value<'static>, ScriptFailure> {
    let script = Script::compile(text, &["a"], functions).unwrap_or_else(|error| panic!("{text}: {error}"));
    let (inputs, facts) = ([value.clone()], facts());
    let result = script.run(Call { inputs: &inputs, value, index: Some(2), facts: &facts });
    result.map(Value::into_owned)
}

fn run(text: &str, value: &Value<'static>) -> Result<Value<'static>, ScriptFailure> {
    run_with(text, &Functions::default(), value)
}

fn json(value: Value<'_>) -> String {
    if value.is_absent() {
        return "absent".to_owned();
    }
    let mut builder = crate::json::Builder::new();
    let slot = value.build(&mut builder);
    builder.finish(slot).text().to_owned()
}

fn gives(text: &str, value: Value<'static>, wanted: &str) {
    match run(text, &value) {
        Ok(result) => assert_eq!(json(result), wanted, "{text}"),
        Err(failure) => panic!("{text}: {failure:?}"),
    }
}

fn fails(text: &str, value: Value<'static>, kind: ScriptFailureKind, part: &str) {
    match run(text, &value) {
        Ok(result) => panic!("{text} gives {}", json(result)),
        Err(failure) => {
            assert_eq!(failure.kind, kind, "{text}: {failure:?}");
            assert!(failure.message.contains(part), "{text}: {failure:?}");
        }
    }
}

#[test]
fn every_listed_function_does_what_its_example_shows() {
    for function in FUNCTIONS {
        if function.is_statement() {
            let functions = Functions::compile(&format!("fn shown() {{ {} }}", function.gives)).unwrap();
            let result = run_with("shown()", &functions, &Value::Absent);
            assert_eq!(result.map(json), Ok("true".to_owned()), "{}", function.name);
        } else {
            assert!(function.example.contains(function.name), "{}", function.name);
            gives(function.example, Value::Absent, function.gives);
        }
    }
}

#[test]
fn numbers_stay_exact() {
    let number = |text: &'static str| Value::Number(text.into());
    gives("value", number("1.10"), "1.10");
    gives("value", number("12345678901234567890"), "12345678901234567890");
    gives("value + 1", number("9007199254740993"), "9007199254740994");
    gives("value + 1", number("9223372036854775807"), "9223372036854775808");
    gives("0.1 + 0.2", Value::Absent, "0.3");
    gives("value + 0.2", number("1e2"), "100.2");
    gives("10 / 4", Value::Absent, "2.5");
    gives("10 / 5", Value::Absent, "2");
    gives("value * 2", number("1.10"), "2.20");
    gives("2 == 2.0 && 1 < 1.5", Value::Absent, "true");
    gives("-value", number("1.10"), "-1.10");
    for text in ["1.0 / 3", "1 / 3", "0.12345678901234567 * 0.98765432109876543", "2 ** 100", "1 / 0"] {
        fails(text, Value::Absent, ScriptFailureKind::Fault, "");
    }
    fails("value + 1", number("12345678901234567890123456789012345"), ScriptFailureKind::Fault, "digits");
    fails(
        r#"parse_decimal("0.12345678901234567890123456789012345")"#,
        Value::Absent,
        ScriptFailureKind::Fault,
        "28",
    );
    let functions = Functions::compile("fn f(x) { x /= 3; x } fn g(x) { x += 0.5; x }").unwrap();
    assert!(run_with("f(1.0)", &functions, &Value::Absent).is_err(), "op-assignment must not round");
    assert_eq!(run_with("g(1)", &functions, &Value::Absent).map(json), Ok("1.5".to_owned()));
    let literal = Script::compile("0.12345678901234567890123456789012345", &[], &Functions::default());
    assert_eq!(literal.unwrap_err().message, "a number has at most 28 digits");
}

#[test]
fn a_number_that_cannot_be_computed_passes_through() {
    let document = Document::from_text(r#"{"n": 12345678901234567890123456789012345}"#).unwrap();
    let script = Script::compile("a.n", &["a"], &Functions::default()).unwrap();
    let (inputs, facts) = ([Value::Node(document.root())], facts());
    let call = Call { inputs: &inputs, value: &Value::Absent, index: None, facts: &facts };
    assert_eq!(json(script.run(call).unwrap()), "12345678901234567890123456789012345");
}

#[test]
fn absent_values_cannot_be_mistaken() {
    for text in [
        r#"a + "x""#,
        r#""x" + a"#,
        "a + 1",
        "1 - a",
        "a < 3",
        "3 >= a",
        "a < a",
        "`x${a}`",
        "if a { 1 } else { 2 }",
        "a.b",
        "a && true",
        "!a",
    ] {
        fails(text, Value::Absent, ScriptFailureKind::Fault, "");
    }
    gives("a ?? 7", Value::Null, "7");
    gives("a == ()", Value::Absent, "true");
    gives("a != ()", Value::integer(1), "true");
    gives(r#"a == "x""#, Value::Absent, "false");
    gives("a?.b", Value::Absent, "absent");
    gives("if a == () { 1 } else { 2 }", Value::Null, "1");
    gives("()", Value::Absent, "absent");
}

#[test]
fn unlike_values_are_not_compared() {
    for text in [r#"1.10 == "1.10""#, r#"1 == "1""#, r#""1" != 1"#, r#"1 < "2""#] {
        fails(text, Value::Absent, ScriptFailureKind::Fault, "compared with a text");
    }
}

#[test]
fn parts_of_documents_are_opened_lazily_and_given_back() {
    let document = Document::from_text(
        r#"{"o": {"default": 1, "e": "\u00e9", "n": null, "l": [{"x": 1.10}, {"x": 2}]}, "t": true}"#,
    )
    .unwrap();
    let facts = Value::Object(vec![("request".into(), Value::Node(document.root()))]);
    let inputs = [Value::Node(document.root())];
    let eval = |text: &str| {
        let script = Box::leak(Box::new(Script::compile(text, &["a"], &Functions::default()).unwrap()));
        script.run(Call { inputs: &inputs, value: &Value::Absent, index: None, facts: &facts })
    };
    for (text, wanted) in [
        (r#"a.o["default"] + 1"#, "2"),
        ("a.o.e", r#""é""#),
        ("a.o.n == () && a.o.none == ()", "true"),
        ("a.o.none?.deeper", "absent"),
        ("a.o.l.map(|line| line.x)", "[1.10,2]"),
        ("a.o.l.filter(|line| line.x > 1.5).len()", "1"),
        ("a.o.l[0]", r#"{"x": 1.10}"#),
        ("a.o.keys()", r#"["default","e","n","l"]"#),
        (r#"a.o.contains("e") && "e" in a.o"#, "true"),
        ("facts.request.t", "true"),
        ("a.o == a.o", "true"),
        ("#{ kept: a.o.l[1], n: 1 }", r#"{"kept":{"x": 2},"n":1}"#),
    ] {
        assert_eq!(eval(text).map(json), Ok(wanted.to_owned()), "{text}");
    }
    let node = eval("a.o").unwrap();
    assert!(matches!(node, Value::Node(node) if node.raw().contains(r"\u00e9")), "the very node comes back");
    for text in [r#"a.o + "x""#, r#""x" + a.o"#, "`x${a.o}`", "a.t.x", "a.o < 1"] {
        let failure = eval(text).map(json).expect_err(text);
        assert!(!failure.message.contains("segue::"), "{text}: {failure:?}");
    }
}

/// Each of these runs away in its own manner.
const RUNAWAYS: &[&str] = &[
    "fn f() { loop {} }",
    "fn f() { let x = 0; while true { x += 1; } }",
    "fn f() { f() }",
    "fn f() { try { loop {} } catch { 1 } }",
    "fn f() { loop { try { loop {} } catch { 1 } } }",
    "fn f() { let s = \"x\"; loop { s += s; } }",
    "fn f() { let s = \"x\"; loop { s = `${s}${s}`; } }",
    "fn f() { let a = [1]; loop { a += a; } }",
    "fn f() { let a = []; loop { a.push(\"0123456789\"); } }",
    "fn f() { let a = []; for i in range(0, 1000) { a.push(i); } loop { a.map(|x| x + 1); } }",
    "fn f() { let a = []; for i in range(0, 1000) { a.push(1000 - i); } loop { a.sort(|x, y| x - y); } }",
    "fn f() { let a = [3, 2, 1]; a.sort(|x, y| { loop {} }); a }",
    "fn f() { try { [1, 2].map(|x| { loop {} }); } catch {} 1 }",
    "fn f() { let a = []; for i in range(0, 900) { a.push(1000 - i); } loop { a.sort(); a.reverse(); } }",
    "fn f() { let s = \"\".pad(30000, \"x\"); loop { s.replace(\"x\", \"y\"); } }",
    "fn f() { let s = \"\".pad(30000, \"x\"); loop { try { s.split(\"x\"); } catch {} } }",
    "fn f() { let s = \"\".pad(30000, \"x\"); loop { for c in s {} } }",
    "fn f() { \"\".pad(1000000000, \"x\") }",
    "fn f() { let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1; } }",
    "fn f() { for i in range(0, 1000000000) {} }",
    "fn f() { let a = [3, 2, 1]; a.sort(|x, y| { loop {} }) }",
    "fn f() { try { [1, 2].map(|x| { loop {} }) } catch { } }",
    "fn f() { let m = #{}; let i = 0; loop { m.set(`k${i}`, i); i += 1; } }",
    "fn f() { let a = [0]; loop { a[0] = a; } }",
    "fn f() { let a = [0, 0]; loop { a[0] = a; a[1] = a; } }",
    "fn f() { let m = #{}; loop { m.a = m; } }",
    "fn f() { let m = #{}; loop { m.a = m; m.b = m; } }",
    "fn f() { let m = #{}; loop { m[\"a\"] = m; m[\"b\"] = m; } }",
    "fn f() { let m = #{}; loop { m.set(\"a\", m); m.set(\"b\", m); } }",
    "fn f() { let a = [0, 0]; loop { a.set(0, a); a.set(1, a); } }",
    "fn f() { let a = [0]; loop { a = a.map(|x| a); } }",
    "fn f() { let a = [\"\".pad(30000, \"x\")]; loop { a[0] += \"x\"; a.push(a[0]); } }",
];

#[test]
fn runaways_end_cleanly_and_soon() {
    for source in RUNAWAYS {
        let functions = Functions::compile(source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        #[expect(clippy::disallowed_methods, reason = "a bound on real time is what is tested")]
        let begin = Instant::now();
        let result = run_with("f()", &functions, &Value::Absent);
        let took = begin.elapsed();
        let failure = result.map(json).expect_err(source);
        println!("{took:?} {source}: {}", failure.message);
        assert!(took.as_secs() < 20, "{source} takes {took:?}");
        assert_ne!(failure.kind, ScriptFailureKind::Thrown, "{source}");
        gives("1 + 1", Value::Absent, "2");
    }
}

#[test]
fn deep_calls_and_expressions_do_not_exhaust_a_small_stack() {
    let depth = 6;
    let deep = format!("fn f(n) {{ {}f(n + 1){} }}", "(1 + ".repeat(depth), ")".repeat(depth));
    let worker = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        let functions = Functions::compile(&deep).unwrap();
        let failure = run_with("f(0)", &functions, &Value::Absent).map(json).unwrap_err();
        assert_eq!(failure.kind, ScriptFailureKind::Limit, "{failure:?}");
        let text = format!("{}1{}", "(".repeat(500), ")".repeat(500));
        assert!(Script::compile(&text, &[], &Functions::default()).is_err());
    });
    worker.unwrap().join().unwrap();
}

#[test]
fn evaluations_on_other_threads_do_not_share_their_budget() {
    let functions = Functions::compile(RUNAWAYS[0]).unwrap();
    let mut threads = Vec::new();
    for worker in 0..4 {
        let functions = functions.clone();
        threads.push(std::thread::spawn(move || {
            for _ in 0..5 {
                if worker % 2 == 0 {
                    assert!(run_with("f()", &functions, &Value::Absent).is_err());
                } else {
                    gives("[1, 2, 3].map(|x| x * 2)", Value::Absent, "[2,4,6]");
                }
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn what_is_not_listed_cannot_be_called() {
    for text in [
        "sleep(1)",
        "timestamp()",
        "eval(\"1\")",
        "print(1)",
        "debug(1)",
        "import \"x\"",
        "Fn(\"sleep\")",
        "exit()",
        "parse_json(\"{}\")",
        "value.to_json()",
        "sqrt(2.0)",
        "get_fn_metadata_list()",
        "type_of(1)",
        "\"a\".to_blob()",
        "blob()",
        "(|x| x).call(1)",
        "a.crop(1)",
        "`${sleep(1)}`",
    ] {
        let error = Script::compile(text, &["a"], &Functions::default()).expect_err(text);
        assert!(text[error.offset..].starts_with(char::is_alphabetic), "{text}: {error:?}");
    }
}

#[test]
fn mistakes_are_told_when_compiled() {
    let functions = Functions::compile("fn prio(level) { if level == \"firm\" { 1 } else { 9 } }").unwrap();
    let compile = |text: &str| Script::compile(text, &["level"], &functions);
    for (text, offset, message, hint) in [
        ("levle + 1", 0, "'levle' is not known", "did you mean `level`?"),
        ("1 + other", 4, "'other' is not known", "input"),
        ("piro(level)", 0, "no function 'piro'", "did you mean `prio`?"),
        ("prio(level, 1)", 0, "takes 1 arguments, not 2", ""),
        ("level.sub_string()", 6, "takes 2 to 3", ""),
        ("level.default", 5, "'default' is a word of Rhai", "[\"default\"]"),
        ("level?.case", 6, "'case' is a word of Rhai", "[\"case\"]"),
        ("[1].push(2)", 4, "changes a variable", "functions.rhai"),
        ("1 +", 3, "", ""),
        ("é + level +", 0, "", ""),
        ("let x = 1; x", 0, "", ""),
        ("if level { throw \"x\" } else { 1 }", 11, "'throw'", "functions.rhai"),
    ] {
        let error = compile(text).expect_err(text);
        assert_eq!(error.offset, offset, "{text}: {error:?}");
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.hint.map_or(hint.is_empty(), |own| own.as_str().contains(hint)), "{text}");
    }
    assert!(Script::compile("1", &["value"], &functions).is_err());
    for source in
        ["fn f() { g() }", "let x = 1;", "fn f() {", "fn len(x) { 1 }", "fn f(x) { y }", "fn f(x) { x } f(1)"]
    {
        assert!(Functions::compile(source).is_err(), "{source}");
    }
}

#[test]
fn a_name_that_only_its_declaration_has_is_the_slip() {
    let text = "fn f(x) {\n  let Copy = #{};\n  copy.a = x;\n  copy\n}";
    let error = Functions::compile(text).unwrap_err();
    assert_eq!(&text[error.offset..error.offset + error.length], "Copy", "{error:?}");
    assert_eq!(error.hint.unwrap().as_str(), "did you mean `copy`?");
    // Where the other stands once as well, that is the slip, as Rhai says.
    let text = "fn f(x) {\n  let copy = x;\n  copi\n}";
    let error = Functions::compile(text).unwrap_err();
    assert_eq!(&text[error.offset..error.offset + error.length], "copi", "{error:?}");
}

/// The words are Rhai's: this fails when a version adds one.
#[test]
fn every_word_that_cannot_be_a_property_has_its_hint() {
    for word in super::compile::RESERVED {
        let error = Script::compile(&format!("value.{word}"), &[], &Functions::default()).expect_err(word);
        assert!(error.hint.is_some(), "{word}");
        let quoted = format!("value[\"{word}\"]");
        assert!(Script::compile(&quoted, &[], &Functions::default()).is_ok(), "{word}");
    }
}

#[test]
fn names_and_reads_are_known() {
    let script = Script::compile("value + index", &["x"], &Functions::default()).unwrap();
    assert_eq!(script.reads(), Reads { value: true, index: true, facts: false });
    let script = Script::compile("x.value + 1", &["x"], &Functions::default()).unwrap();
    assert_eq!(script.reads(), Reads::default());
    assert_eq!(script.inputs().collect::<Vec<_>>(), ["x"]);
    gives("index", Value::Absent, "2");
    gives("facts.partner", Value::Absent, "\"globex\"");
    gives("`${value} ${facts.status}`", Value::text("x"), "\"x 404\"");
}

#[test]
fn failures_have_their_place() {
    let functions = Functions::compile("// café\nfn f(x) {\n  let y = x + 1;\n  y / 0\n}").unwrap();
    let failure = run_with("\n é + f(2)".replace('é', "1").as_str(), &functions, &Value::Absent).unwrap_err();
    assert_eq!(failure.offset, Some(6), "{failure:?}");
    let (name, offset) = failure.function.unwrap();
    assert_eq!(name, "f");
    assert!(functions.0.text[offset..].starts_with("/ 0"), "{}", &functions.0.text[offset..]);
    let failure = run("\"é\" + (1 / 0)", &Value::Absent).unwrap_err();
    assert_eq!((failure.offset, failure.function), (Some(10), None));
    let failure = run("[1].map(|x| x / 0)", &Value::Absent).unwrap_err();
    assert_eq!(failure.offset, Some(14), "{failure:?}");
    let functions = Functions::compile("fn f() { throw \"not sold\"; }").unwrap();
    let failure = run_with("f()", &functions, &Value::Absent).unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (ScriptFailureKind::Thrown, "not sold"));
}

#[test]
fn the_usual_expression_takes_few_steps() {
    let evaluation = meter::Evaluation::begin();
    let mut scope = Scope::new();
    let ast = engine::engine().compile_expression("1 + 2 * 3").unwrap();
    let _ = engine::engine().eval_ast_with_scope::<Dynamic>(&mut scope, &ast);
    assert!(evaluation.spent() < 20, "{}", evaluation.spent());
}
