//! The one engine that compiles and runs every script.
//!
//! Packages are chosen one by one: the core package has `sleep`, which no limit stops. Where Rhai's own
//! function rounds, guesses or changes a text in place, ours is registered over it.

use std::sync::LazyLock;

use rhai::{
    Array, Dynamic, Engine, INT, ImmutableString, OptimizationLevel, def_package,
    module_resolvers::DummyModuleResolver,
    packages::{
        ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
        BasicMathPackage, BasicStringPackage, LogicPackage, MoreStringPackage, Package,
    },
};
use rust_decimal::Decimal;

use super::{
    bridge::{self, Part},
    exact::{self, Raised, raise},
    limits, meter,
};

/// Words of Rhai that a mapping has no use for; a script with one does not compile.
pub(super) const DISABLED: &[&str] = &[
    "eval",
    "print",
    "debug",
    "import",
    "export",
    "Fn",
    "call",
    "curry",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "type_of",
];

def_package! {
    /// The packages in one module: the engine looks for a function in one module after the other.
    Packages(_module) :
        ArithmeticPackage,
        LogicPackage,
        BasicStringPackage,
        MoreStringPackage,
        BasicArrayPackage,
        BasicMapPackage,
        BasicMathPackage,
        BasicIteratorPackage,
        BasicFnPackage
    {}
}

static ENGINE: LazyLock<Engine> = LazyLock::new(build);

/// The engine.
pub(super) fn engine() -> &'static Engine {
    &ENGINE
}

fn build() -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(Packages::new().as_shared_module());
    engine.set_module_resolver(DummyModuleResolver::new());
    for word in DISABLED {
        engine.disable_symbol(*word);
    }
    // Constants are folded with Rhai's own operators, which round.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_fast_operators(false);
    engine.set_strict_variables(true);
    engine.set_max_call_levels(limits::CALL_LEVELS_MAX);
    engine.set_max_expr_depths(limits::EXPRESSION_DEPTH_MAX, limits::FUNCTION_EXPRESSION_DEPTH_MAX);
    engine.set_max_string_size(limits::TEXT_BYTES_MAX);
    engine.set_max_array_size(limits::ARRAY_ELEMENTS_MAX);
    engine.set_max_map_size(limits::MAP_MEMBERS_MAX);
    engine.set_max_variables(limits::VARIABLES_MAX);
    engine.set_max_functions(limits::FUNCTIONS_MAX);
    engine.set_max_modules(0);
    engine.set_max_operations(meter::STEPS_MAX);
    engine.on_progress(|_| if meter::step() { None } else { Some(Dynamic::UNIT) });
    exact::register(&mut engine);
    bridge::register(&mut engine);
    refuse_nothing(&mut engine);
    refuse_unlike(&mut engine);
    texts(&mut engine);
    numbers(&mut engine);
    engine
}

/// `()` in arithmetic, texts and comparisons of size: Rhai takes it for nothing at all, so that an absent
/// input would go unnoticed.
fn refuse_nothing(engine: &mut Engine) {
    const MESSAGE: &str = "a value is absent here; write `value ?? \"\"` or ask `value == ()` first";
    macro_rules! refuse {
        ($operator:ident, $($other:ty),+) => {
            $(
                engine.register_fn($operator, |_: (), _: $other| -> Raised<Dynamic> { raise(MESSAGE) });
                engine.register_fn($operator, |_: $other, _: ()| -> Raised<Dynamic> { raise(MESSAGE) });
            )+
            engine.register_fn($operator, |_: (), _: ()| -> Raised<Dynamic> { raise(MESSAGE) });
        };
    }
    for operator in ["+", "-", "*", "/", "%", "<", "<=", ">", ">="] {
        refuse!(operator, INT, Decimal, ImmutableString, char, bool, Part);
    }
    engine.register_fn("+=", |_: &mut ImmutableString, (): ()| -> Raised<()> { raise(MESSAGE) });
    // Rhai cannot fail inside a text template, so the evaluation is ended.
    engine.register_fn("to_string", |(): ()| {
        meter::refuse(MESSAGE);
        ImmutableString::new()
    });
}

/// Comparing a number with a text is never meant; Rhai says no without a word.
fn refuse_unlike(engine: &mut Engine) {
    const MESSAGE: &str = "a number is compared with a text; write parse_decimal(text) or number.to_string()";
    const PART: &str = "an object has no such operator; name the member that is meant";
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        engine.register_fn(operator, |_: INT, _: ImmutableString| -> Raised<bool> { raise(MESSAGE) });
        engine.register_fn(operator, |_: ImmutableString, _: INT| -> Raised<bool> { raise(MESSAGE) });
        engine.register_fn(operator, |_: Decimal, _: ImmutableString| -> Raised<bool> { raise(MESSAGE) });
        engine.register_fn(operator, |_: ImmutableString, _: Decimal| -> Raised<bool> { raise(MESSAGE) });
    }
    macro_rules! refuse {
        ($operator:ident, $($other:ty),+) => {
            $(
                engine.register_fn($operator, |_: Part, _: $other| -> Raised<Dynamic> { raise(PART) });
                engine.register_fn($operator, |_: $other, _: Part| -> Raised<Dynamic> { raise(PART) });
            )+
            engine.register_fn($operator, |_: Part, _: Part| -> Raised<Dynamic> { raise(PART) });
        };
    }
    for operator in ["+", "-", "*", "/", "%", "<", "<=", ">", ">="] {
        refuse!(operator, INT, Decimal, ImmutableString, char, bool);
    }
    engine.register_fn("+=", |_: &mut ImmutableString, _: Part| -> Raised<()> { raise(PART) });
}

fn spend(bytes: usize) -> Raised<()> {
    if meter::work(bytes) { Ok(()) } else { raise("the step limit is used up") }
}

fn fits(bytes: usize) -> Raised<()> {
    if bytes > limits::TEXT_BYTES_MAX {
        return raise(format!("a text of more than {} bytes", limits::TEXT_BYTES_MAX));
    }
    spend(bytes)
}

fn joined(left: &str, right: &str) -> Raised<ImmutableString> {
    fits(left.len() + right.len())?;
    Ok([left, right].concat().into())
}

fn parts<'t>(parts: impl Iterator<Item = &'t str>) -> Raised<Array> {
    let mut array = Array::new();
    for part in parts {
        if array.len() >= limits::ARRAY_ELEMENTS_MAX {
            return raise(format!("an array of more than {} elements", limits::ARRAY_ELEMENTS_MAX));
        }
        spend(part.len() + 16)?;
        array.push(Dynamic::from(ImmutableString::from(part)));
    }
    Ok(array)
}

/// Texts are values here: what changes them in place in Rhai returns the changed text instead, and what
/// makes long ones is counted before they are made.
fn texts(engine: &mut Engine) {
    engine.register_fn("+", |a: ImmutableString, b: ImmutableString| joined(&a, &b));
    engine.register_fn("+=", |a: &mut ImmutableString, b: ImmutableString| -> Raised<()> {
        *a = joined(a, &b)?;
        Ok(())
    });
    engine.register_fn("trim", |text: ImmutableString| -> ImmutableString { text.trim().into() });
    engine.register_fn("to_upper", |text: ImmutableString| -> Raised<ImmutableString> {
        spend(text.len())?;
        Ok(text.to_uppercase().into())
    });
    engine.register_fn("to_lower", |text: ImmutableString| -> Raised<ImmutableString> {
        spend(text.len())?;
        Ok(text.to_lowercase().into())
    });
    engine.register_fn("replace", |text: ImmutableString, from: ImmutableString, to: ImmutableString| {
        replace(&text, &from, &to)
    });
    engine.register_fn("split", |text: ImmutableString, by: ImmutableString| -> Raised<Array> {
        if by.is_empty() { raise("split needs a separator") } else { parts(text.split(by.as_str())) }
    });
    engine.register_fn("split", |text: ImmutableString| parts(text.split_whitespace()));
    engine.register_fn("pad", |text: ImmutableString, length: INT, fill: ImmutableString| {
        pad(&text, length, &fill)
    });
    engine.register_fn("pad_left", |text: ImmutableString, length: INT, fill: ImmutableString| {
        pad_left(&text, length, &fill)
    });
    engine.register_fn("join", |elements: Array, by: ImmutableString| join(&elements, &by));
}

fn replace(text: &str, from: &str, to: &str) -> Raised<ImmutableString> {
    if from.is_empty() {
        return raise("replace needs a text to look for");
    }
    let found = text.matches(from).count();
    fits(text.len() - found * from.len() + found * to.len())?;
    Ok(text.replace(from, to).into())
}

fn filling(text: &str, length: INT, fill: &str) -> Raised<String> {
    let wanted = usize::try_from(length).unwrap_or(0).saturating_sub(text.chars().count());
    fits(wanted.saturating_mul(fill.len().max(1)).saturating_add(text.len()))?;
    Ok(fill.chars().cycle().take(wanted).collect())
}

fn pad(text: &str, length: INT, fill: &str) -> Raised<ImmutableString> {
    Ok(format!("{text}{}", filling(text, length, fill)?).into())
}

fn pad_left(text: &str, length: INT, fill: &str) -> Raised<ImmutableString> {
    Ok(format!("{}{text}", filling(text, length, fill)?).into())
}

fn join(elements: &Array, by: &str) -> Raised<ImmutableString> {
    let mut text = String::new();
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            text.push_str(by);
        }
        match element.as_immutable_string_ref() {
            Ok(part) => text.push_str(&part),
            Err(_) if element.is_int() || element.is_decimal() || element.is_bool() => {
                text.push_str(&element.to_string());
            }
            Err(kind) => return raise(format!("join takes texts and numbers, not {kind}")),
        }
        fits(text.len())?;
    }
    Ok(text.into())
}

fn numbers(engine: &mut Engine) {
    // Rhai's own rounds beyond 28 digits.
    engine.register_fn("parse_decimal", |text: ImmutableString| match Decimal::from_str_exact(text.trim()) {
        Ok(number) => Ok(Dynamic::from_decimal(number)),
        Err(_) => raise("parse_decimal: the text is no decimal number of at most 28 digits"),
    });
    engine.register_fn("to_decimal", |number: INT| Decimal::from(number));
    engine.register_fn("to_decimal", |number: Decimal| number);
    engine.register_fn("to_int", |number: INT| number);
    engine.register_fn("round", |number: INT, _: INT| number);
    // A whole number is rounded already; what a script gets depends on how the message writes it.
    for name in ["floor", "ceiling", "round"] {
        engine.register_fn(name, |number: INT| number);
    }
    engine.register_fn("divide", |a: INT, b: INT, decimals: INT| {
        exact::divide_rounded(a.into(), b.into(), decimals)
    });
    engine.register_fn("divide", |a: INT, b: Decimal, decimals: INT| {
        exact::divide_rounded(a.into(), b.into(), decimals)
    });
    engine.register_fn("divide", |a: Decimal, b: INT, decimals: INT| {
        exact::divide_rounded(a.into(), b.into(), decimals)
    });
    engine.register_fn("divide", |a: Decimal, b: Decimal, decimals: INT| {
        exact::divide_rounded(a.into(), b.into(), decimals)
    });
}
