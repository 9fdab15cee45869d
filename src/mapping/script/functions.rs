//! What a script may call: one table for the compiler, the manual and the tests.
//!
//! Rhai looks a function up when it is called; a name that is not in this table or in the set's own
//! functions is told when mappings are loaded instead. It is also the fence: a function of Rhai that is not
//! listed cannot be reached, whatever the packages hold.

/// One function, with the object before a dot counted as its first argument.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Fewest and most arguments.
    pub arguments: (usize, usize),
    /// An expression that shows it; empty where it changes a variable and has no value.
    pub example: &'static str,
    /// The expression's value, as JSON; without an expression, statements that end in `true`.
    pub gives: &'static str,
}

const fn function(
    name: &'static str,
    fewest: usize,
    most: usize,
    example: &'static str,
    gives: &'static str,
) -> Function {
    Function { name, arguments: (fewest, most), example, gives }
}

/// Every function, texts first.
pub const FUNCTIONS: &[Function] = &[
    function("len", 1, 1, r#""Käse".len()"#, "4"),
    function("bytes", 1, 1, r#""Käse".bytes()"#, "5"),
    function("is_empty", 1, 1, r#""".is_empty()"#, "true"),
    function("contains", 2, 2, r#""abc".contains("b")"#, "true"),
    function("starts_with", 2, 2, r#""abc".starts_with("ab")"#, "true"),
    function("ends_with", 2, 2, r#""abc".ends_with("ab")"#, "false"),
    function("index_of", 2, 3, r#""abc".index_of("c")"#, "2"),
    function("sub_string", 2, 3, r#""abcdef".sub_string(1, 3)"#, "\"bcd\""),
    function("trim", 1, 1, r#"" a ".trim()"#, "\"a\""),
    function("to_upper", 1, 1, r#""abc".to_upper()"#, "\"ABC\""),
    function("to_lower", 1, 1, r#""ABC".to_lower()"#, "\"abc\""),
    function("replace", 3, 3, r#""a-b-c".replace("-", "")"#, "\"abc\""),
    function("split", 1, 2, r#""a;b".split(";")"#, r#"["a","b"]"#),
    function("join", 2, 2, r#"["a", "b"].join("; ")"#, "\"a; b\""),
    function("pad", 3, 3, r#""7".pad(3, "x")"#, "\"7xx\""),
    function("pad_left", 3, 3, r#""7".pad_left(3, "0")"#, "\"007\""),
    function("to_string", 1, 1, "(1.10).to_string()", "\"1.10\""),
    function("parse_int", 1, 2, r#"parse_int("007")"#, "7"),
    function("parse_decimal", 1, 1, r#"parse_decimal("1.10")"#, "1.10"),
    function("to_decimal", 1, 1, "to_decimal(3) + 0.5", "3.5"),
    function("to_int", 1, 1, "(2.9).to_int()", "2"),
    function("abs", 1, 1, "abs(-3)", "3"),
    function("sign", 1, 1, "sign(-3)", "-1"),
    function("min", 2, 2, "min(3, 2)", "2"),
    function("max", 2, 2, "max(3, 2)", "3"),
    function("is_odd", 1, 1, "is_odd(3)", "true"),
    function("is_even", 1, 1, "is_even(3)", "false"),
    function("is_zero", 1, 1, "is_zero(0)", "true"),
    function("floor", 1, 1, "floor(2.9)", "2"),
    function("ceiling", 1, 1, "ceiling(2.1)", "3"),
    function("round", 1, 2, "round(2.347, 2)", "2.35"),
    function("round_up", 2, 2, "round_up(2.341, 2)", "2.35"),
    function("round_down", 2, 2, "round_down(2.349, 2)", "2.34"),
    function("round_half_up", 2, 2, "round_half_up(2.345, 2)", "2.35"),
    function("round_half_down", 2, 2, "round_half_down(2.345, 2)", "2.34"),
    function("divide", 3, 3, "divide(10, 3, 2)", "3.33"),
    function("map", 2, 2, "[1, 2].map(|x| x * 2)", "[2,4]"),
    function("filter", 2, 2, "[1, 2, 3].filter(|x| x > 1)", "[2,3]"),
    function("find", 2, 3, "[1, 2, 3].find(|x| x > 1)", "2"),
    function("some", 2, 2, "[1, 2].some(|x| x > 1)", "true"),
    function("all", 2, 2, "[1, 2].all(|x| x > 1)", "false"),
    function("reduce", 2, 3, "[1, 2, 3].reduce(|sum, x| sum + x, 0)", "6"),
    function("extract", 2, 3, "[1, 2, 3].extract(1)", "[2,3]"),
    function("keys", 1, 1, "#{ b: 1, a: 2 }.keys()", r#"["a","b"]"#),
    function("values", 1, 1, "#{ b: 1, a: 2 }.values()", "[2,1]"),
    function("get", 2, 2, "[1, 2].get(-1)", "2"),
    function("pop", 1, 1, "[1, 2].pop()", "2"),
    function("shift", 1, 1, "[1, 2].shift()", "1"),
    function("remove", 2, 2, "[1, 2].remove(0)", "1"),
    // These change a variable and have no value: of use in the set's own functions only.
    function("push", 2, 2, "", "let a = [1]; a.push(2); a == [1, 2]"),
    function("insert", 3, 3, "", "let a = [1]; a.insert(0, 2); a == [2, 1]"),
    function("reverse", 1, 1, "", "let a = [1, 2]; a.reverse(); a == [2, 1]"),
    function("sort", 1, 2, "", "let a = [2, 1]; a.sort(); a == [1, 2]"),
    function("set", 3, 3, "", "let a = #{}; a.set(\"b\", 1); a.b == 1"),
    function("range", 2, 3, "", "let n = 0; for i in range(0, 3) { n += i; } n == 3"),
];

impl Function {
    /// Whether it changes a variable and has no value, so that only functions have a use for it.
    #[must_use]
    pub fn is_statement(&self) -> bool {
        self.example.is_empty()
    }
}

/// The function of this name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}
