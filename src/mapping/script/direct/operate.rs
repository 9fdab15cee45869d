//! Operators on two values that Rhai has an answer for.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::super::exact::{self, Operand};
use super::{
    tree::Operator,
    value::{Heap, TEXT_BYTES_GUESS, Val},
};

/// The value of an operation; none where the engine has to say, as of everything that fails.
pub(super) fn operate<'d>(
    operator: Operator,
    left: Val<'d>,
    right: Val<'d>,
    heap: &mut Heap<'d>,
) -> Option<Val<'d>> {
    match operator {
        Operator::Equal => equal(left, right, heap).map(Val::Bool),
        Operator::NotEqual => equal(left, right, heap).map(|equal| Val::Bool(!equal)),
        Operator::Less => order(left, right, heap).map(|order| Val::Bool(order.is_lt())),
        Operator::LessOrEqual => order(left, right, heap).map(|order| Val::Bool(order.is_le())),
        Operator::Greater => order(left, right, heap).map(|order| Val::Bool(order.is_gt())),
        Operator::GreaterOrEqual => order(left, right, heap).map(|order| Val::Bool(order.is_ge())),
        Operator::Add if is_text(left) || is_text(right) => concatenate(left, right, heap),
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
            compute(operator, left, right)
        }
    }
}

fn is_text(value: Val<'_>) -> bool {
    matches!(value, Val::Text(_) | Val::Made(_))
}

/// Whether both are texts or both are numbers: then an operator that assigns means the same as one that does not.
pub(super) fn are_alike(left: Val<'_>, right: Val<'_>) -> bool {
    (is_text(left) && is_text(right)) || (operand(left).is_some() && operand(right).is_some())
}

fn compute<'d>(operator: Operator, left: Val<'d>, right: Val<'d>) -> Option<Val<'d>> {
    if let (Val::Integer(left), Val::Integer(right)) = (left, right) {
        let result = match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            _ => None,
        };
        if let Some(result) = result {
            return Some(Val::Integer(result));
        }
    }
    let work = match operator {
        Operator::Add => exact::add,
        Operator::Subtract => exact::subtract,
        Operator::Multiply => exact::multiply,
        Operator::Divide => exact::divide,
        Operator::Remainder => exact::remainder,
        _ => return None,
    };
    Val::of_dynamic(&work(operand(left)?, operand(right)?).ok()?)
}

/// A number for exact arithmetic.
pub(super) fn operand(value: Val<'_>) -> Option<Operand> {
    match value {
        Val::Integer(integer) => Some(integer.into()),
        Val::Decimal(decimal) => Some(decimal.into()),
        _ => None,
    }
}

fn equal<'d>(left: Val<'d>, right: Val<'d>, heap: &Heap<'d>) -> Option<bool> {
    Some(match (left, right) {
        (Val::Unit, Val::Unit) => true,
        (Val::Unit, _) | (_, Val::Unit) => false,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (Val::Part(left), Val::Part(right)) => left.eq_value(right),
        (left, right) => match (heap.text(left), heap.text(right)) {
            (Some(left), Some(right)) => left == right,
            _ => compare_numbers(left, right)?.is_eq(),
        },
    })
}

fn order<'d>(left: Val<'d>, right: Val<'d>, heap: &Heap<'d>) -> Option<Ordering> {
    match (heap.text(left), heap.text(right)) {
        (Some(left), Some(right)) => Some(left.cmp(right)),
        _ => compare_numbers(left, right),
    }
}

fn compare_numbers(left: Val<'_>, right: Val<'_>) -> Option<Ordering> {
    Some(match (left, right) {
        (Val::Integer(left), Val::Integer(right)) => left.cmp(&right),
        (Val::Decimal(left), Val::Decimal(right)) => left.cmp(&right),
        (Val::Integer(left), Val::Decimal(right)) => Decimal::from(left).cmp(&right),
        (Val::Decimal(left), Val::Integer(right)) => left.cmp(&Decimal::from(right)),
        _ => return None,
    })
}

fn concatenate<'d>(left: Val<'d>, right: Val<'d>, heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let mut text = String::with_capacity(TEXT_BYTES_GUESS);
    heap.show(left, &mut text)?;
    heap.show(right, &mut text)?;
    heap.changed(text)
}
