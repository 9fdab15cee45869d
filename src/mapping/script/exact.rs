//! Arithmetic that never rounds: an exact result of at most 28 digits, or an error.
//!
//! Rhai's own operators round silently: `10/4` is 2 and `1.0/3` ends after 28 digits. Every pair of number
//! types is registered, because for a missing pair Rhai falls back on its own.

use rhai::{Dynamic, Engine, EvalAltResult, INT, Position};
use rust_decimal::Decimal;

/// Most digits of a result, trailing zeros of the fraction counted.
pub const DIGITS_MAX: u32 = 28;
/// Largest exponent of `**`.
const POWER_MAX: INT = 1_000;

pub(super) type Raised<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn raise<T>(message: impl Into<String>) -> Raised<T> {
    Err(Box::new(EvalAltResult::ErrorArithmetic(message.into(), Position::NONE)))
}

fn too_long<T>() -> Raised<T> {
    raise(format!("the exact result has more than {DIGITS_MAX} digits; round the operands first"))
}

/// A number as mantissa and decimals.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    mantissa: i128,
    scale: u32,
    integer: bool,
}

impl From<INT> for Operand {
    fn from(number: INT) -> Self {
        Self { mantissa: i128::from(number), scale: 0, integer: true }
    }
}

impl From<Decimal> for Operand {
    fn from(number: Decimal) -> Self {
        Self { mantissa: number.mantissa(), scale: number.scale(), integer: false }
    }
}

fn ten_to(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

/// The number as a value of the script: an integer where both operands were and it fits.
fn number(mut mantissa: i128, mut scale: u32, integer: bool) -> Raised<Dynamic> {
    while scale > DIGITS_MAX && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    let limit = ten_to(DIGITS_MAX).unwrap_or(i128::MAX);
    if scale > DIGITS_MAX || mantissa >= limit || mantissa <= -limit {
        return too_long();
    }
    if integer
        && scale == 0
        && let Ok(number) = INT::try_from(mantissa)
    {
        return Ok(Dynamic::from_int(number));
    }
    match Decimal::try_from_i128_with_scale(mantissa, scale) {
        Ok(number) => Ok(Dynamic::from_decimal(number)),
        Err(_) => too_long(),
    }
}

/// Both mantissas over the larger number of decimals.
fn aligned(left: Operand, right: Operand) -> Option<(i128, i128, u32)> {
    let scale = left.scale.max(right.scale);
    let lift = |operand: Operand| operand.mantissa.checked_mul(ten_to(scale - operand.scale)?);
    Some((lift(left)?, lift(right)?, scale))
}

pub(super) fn add(left: Operand, right: Operand) -> Raised<Dynamic> {
    let Some((a, b, scale)) = aligned(left, right) else { return too_long() };
    a.checked_add(b).map_or_else(too_long, |sum| number(sum, scale, left.integer && right.integer))
}

pub(super) fn subtract(left: Operand, right: Operand) -> Raised<Dynamic> {
    add(left, Operand { mantissa: -right.mantissa, ..right })
}

pub(super) fn multiply(left: Operand, right: Operand) -> Raised<Dynamic> {
    let product = left.mantissa.checked_mul(right.mantissa);
    product.map_or_else(too_long, |product| {
        number(product, left.scale + right.scale, left.integer && right.integer)
    })
}

/// The quotient where it has an end within the digits: the reduced divisor has no factor but 2 and 5.
pub(super) fn divide(left: Operand, right: Operand) -> Raised<Dynamic> {
    if right.mantissa == 0 {
        return raise("division by zero");
    }
    let endless = || raise("the division has no exact result; write divide(a, b, decimals) to round it");
    let common = gcd(left.mantissa.unsigned_abs(), right.mantissa.unsigned_abs());
    let Ok(common) = i128::try_from(common) else { return too_long() };
    let (mut dividend, mut divisor) = (left.mantissa / common, right.mantissa / common);
    if divisor < 0 {
        (dividend, divisor) = (-dividend, -divisor);
    }
    let mut places = 0;
    while divisor % 10 == 0 {
        divisor /= 10;
        places += 1;
    }
    while divisor > 1 {
        let factor = match divisor {
            even if even % 2 == 0 => 5,
            five if five % 5 == 0 => 2,
            _ => return endless(),
        };
        divisor /= 10 / factor;
        places += 1;
        let Some(lifted) = dividend.checked_mul(factor) else { return too_long() };
        dividend = lifted;
    }
    let scale = i64::from(left.scale) - i64::from(right.scale) + places;
    match u32::try_from(scale) {
        Ok(scale) => number(dividend, scale, left.integer && right.integer),
        Err(_) => match ten_to(u32::try_from(-scale).unwrap_or(u32::MAX))
            .and_then(|ten| dividend.checked_mul(ten))
        {
            Some(whole) => number(whole, 0, left.integer && right.integer),
            None => too_long(),
        },
    }
}

/// The quotient rounded to this many decimals, halves away from zero: rounding only where it is asked for.
pub(super) fn divide_rounded(left: Operand, right: Operand, decimals: INT) -> Raised<Dynamic> {
    let Some(decimals) = u32::try_from(decimals).ok().filter(|decimals| *decimals <= DIGITS_MAX) else {
        return raise(format!("decimals go from 0 to {DIGITS_MAX}"));
    };
    if right.mantissa == 0 {
        return raise("division by zero");
    }
    let lift = |mantissa: i128, places: u32| ten_to(places).and_then(|ten| mantissa.checked_mul(ten));
    let (Some(dividend), Some(divisor)) =
        (lift(left.mantissa, right.scale + decimals), lift(right.mantissa, left.scale))
    else {
        return too_long();
    };
    let (whole, rest) = (dividend / divisor, dividend % divisor);
    let up = rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs();
    let sign = if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
    number(if up { whole + sign } else { whole }, decimals, decimals == 0)
}

fn gcd(left: u128, right: u128) -> u128 {
    let (mut a, mut b) = (left, right);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

pub(super) fn remainder(left: Operand, right: Operand) -> Raised<Dynamic> {
    if right.mantissa == 0 {
        return raise("division by zero");
    }
    let Some((a, b, scale)) = aligned(left, right) else { return too_long() };
    number(a % b, scale, left.integer && right.integer)
}

fn power(left: Operand, right: Operand) -> Raised<Dynamic> {
    let exponent = match INT::try_from(right.mantissa) {
        Ok(exponent) if right.scale == 0 && (0..=POWER_MAX).contains(&exponent) => exponent,
        _ => return raise(format!("the exponent of ** has to be a whole number from 0 to {POWER_MAX}")),
    };
    let (mut mantissa, mut scale) = (1_i128, 0_u32);
    for _ in 0..exponent {
        let Some(product) = mantissa.checked_mul(left.mantissa) else { return too_long() };
        (mantissa, scale) = (product, scale + left.scale);
        if mantissa == 0 {
            return number(0, 0, left.integer);
        }
    }
    number(mantissa, scale, left.integer)
}

type Work = fn(Operand, Operand) -> Raised<Dynamic>;

/// Registers the arithmetic operators, and the comparisons of an integer with a decimal.
pub(super) fn register(engine: &mut Engine) {
    let operators: [(&str, &str, Work); 6] = [
        ("+", "+=", add),
        ("-", "-=", subtract),
        ("*", "*=", multiply),
        ("/", "/=", divide),
        ("%", "%=", remainder),
        ("**", "**=", power),
    ];
    for (operator, assigning, work) in operators {
        engine.register_fn(operator, move |a: INT, b: INT| work(a.into(), b.into()));
        engine.register_fn(operator, move |a: INT, b: Decimal| work(a.into(), b.into()));
        engine.register_fn(operator, move |a: Decimal, b: INT| work(a.into(), b.into()));
        engine.register_fn(operator, move |a: Decimal, b: Decimal| work(a.into(), b.into()));
        engine.register_fn(assigning, move |a: &mut Dynamic, b: INT| assign(a, b.into(), work));
        engine.register_fn(assigning, move |a: &mut Dynamic, b: Decimal| assign(a, b.into(), work));
    }
    engine.register_fn("-", |a: INT| subtract(0.into(), a.into()));
    engine.register_fn("-", |a: Decimal| subtract(Decimal::ZERO.into(), a.into()));
    compare(engine);
}

/// `a += b`; what is no number has its own operator or none.
fn assign(target: &mut Dynamic, right: Operand, work: Work) -> Raised<()> {
    let left: Operand = if let Ok(number) = target.as_int() {
        number.into()
    } else if let Ok(number) = target.as_decimal() {
        number.into()
    } else {
        return raise(format!("{} and a number cannot be computed", target.type_name()));
    };
    *target = work(left, right)?;
    Ok(())
}

fn compare(engine: &mut Engine) {
    type Test = fn(&Decimal, &Decimal) -> bool;
    let tests: [(&str, Test); 6] = [
        ("==", |a, b| a == b),
        ("!=", |a, b| a != b),
        ("<", |a, b| a < b),
        ("<=", |a, b| a <= b),
        (">", |a, b| a > b),
        (">=", |a, b| a >= b),
    ];
    for (operator, test) in tests {
        engine.register_fn(operator, move |a: INT, b: Decimal| test(&Decimal::from(a), &b));
        engine.register_fn(operator, move |a: Decimal, b: INT| test(&a, &Decimal::from(b)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Operand {
        Decimal::from_str_exact(text).unwrap().into()
    }

    fn shown(result: Raised<Dynamic>) -> Option<String> {
        result.ok().map(|value| value.to_string())
    }

    #[test]
    fn results_are_exact_or_refused() {
        let check = |work: Work, a: &str, b: &str, wanted: Option<&str>| {
            assert_eq!(shown(work(decimal(a), decimal(b))).as_deref(), wanted, "{a} {b}");
        };
        check(add, "0.1", "0.2", Some("0.3"));
        check(add, "1.10", "1", Some("2.10"));
        check(add, "9999999999999999999999999999", "1", None);
        check(subtract, "1", "0.0000000000000000000000000001", Some("0.9999999999999999999999999999"));
        check(subtract, "10", "0.0000000000000000000000000001", None);
        check(multiply, "0.1", "0.10", Some("0.010"));
        check(multiply, "12345678901234.5", "12345678901234.5", None);
        check(multiply, "0.00000000000000000005", "0.00000000000000000020", None);
        check(divide, "10", "4", Some("2.5"));
        check(divide, "1", "3", None);
        check(divide, "1.0", "0.125", Some("8"));
        check(divide, "600", "0.2", Some("3000"));
        check(divide, "1", "0", None);
        check(remainder, "7.5", "2", Some("1.5"));
        check(power, "1.5", "2", Some("2.25"));
        check(power, "2", "0.5", None);
        check(power, "10", "28", None);
        assert_eq!(shown(divide(10.into(), 5.into())).as_deref(), Some("2"));
        assert_eq!(shown(add(INT::MAX.into(), 1.into())).as_deref(), Some("9223372036854775808"));
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        for (a, b, decimals, wanted) in [
            ("1", "3", 2, "0.33"),
            ("2", "3", 2, "0.67"),
            ("-1", "8", 2, "-0.13"),
            ("1", "8", 2, "0.13"),
            ("5", "2", 0, "3"),
        ] {
            assert_eq!(shown(divide_rounded(decimal(a), decimal(b), decimals)).as_deref(), Some(wanted));
        }
        assert!(
            divide_rounded(1.into(), 0.into(), 2).is_err() && divide_rounded(1.into(), 1.into(), 29).is_err()
        );
    }

    proptest! {
        #[test]
        fn dividing_back_gives_the_factor(a in -1_000_000_000_i64..1_000_000_000, b in 1..1_000_000_000_i64) {
            let product = multiply(a.into(), b.into()).unwrap().as_int().unwrap();
            let quotient = divide(product.into(), b.into()).unwrap().as_int().unwrap();
            prop_assert_eq!(quotient, a);
        }
    }
}
