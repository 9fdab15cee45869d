//! Operators on two values that Rhai has an answer for.

use std::{borrow::Cow, cmp::Ordering};

use rust_decimal::Decimal;

use super::super::exact::{self, Operand};
use super::{
    tree::Operator,
    value::{Fuel, Val},
};

/// The value of an operation; none where the engine has to say, as of everything that fails.
pub(super) fn operate<'d>(
    operator: Operator,
    left: &Val<'d>,
    right: &Val<'d>,
    fuel: &mut Fuel,
) -> Option<Val<'d>> {
    match operator {
        Operator::Equal => equal(left, right).map(Val::Bool),
        Operator::NotEqual => equal(left, right).map(|equal| Val::Bool(!equal)),
        Operator::Less => order(left, right).map(|order| Val::Bool(order.is_lt())),
        Operator::LessOrEqual => order(left, right).map(|order| Val::Bool(order.is_le())),
        Operator::Greater => order(left, right).map(|order| Val::Bool(order.is_gt())),
        Operator::GreaterOrEqual => order(left, right).map(|order| Val::Bool(order.is_ge())),
        Operator::Add if matches!((left, right), (Val::Text(_), _) | (_, Val::Text(_))) => {
            concatenate(left, right, fuel)
        }
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
            compute(operator, left, right)
        }
    }
}

fn compute<'d>(operator: Operator, left: &Val<'d>, right: &Val<'d>) -> Option<Val<'d>> {
    if let (Val::Integer(left), Val::Integer(right)) = (left, right) {
        let result = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Subtract => left.checked_sub(*right),
            Operator::Multiply => left.checked_mul(*right),
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
pub(super) fn operand(value: &Val<'_>) -> Option<Operand> {
    match value {
        Val::Integer(integer) => Some((*integer).into()),
        Val::Decimal(decimal) => Some((*decimal).into()),
        _ => None,
    }
}

fn equal(left: &Val<'_>, right: &Val<'_>) -> Option<bool> {
    Some(match (left, right) {
        (Val::Unit, Val::Unit) => true,
        (Val::Unit, _) | (_, Val::Unit) => false,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (Val::Text(left), Val::Text(right)) => left == right,
        (Val::Part(left), Val::Part(right)) => left.eq_value(*right),
        (left, right) => compare_numbers(left, right)?.is_eq(),
    })
}

fn order(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    match (left, right) {
        (Val::Text(left), Val::Text(right)) => Some(left.cmp(right)),
        (left, right) => compare_numbers(left, right),
    }
}

fn compare_numbers(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    Some(match (left, right) {
        (Val::Integer(left), Val::Integer(right)) => left.cmp(right),
        (Val::Decimal(left), Val::Decimal(right)) => left.cmp(right),
        (Val::Integer(left), Val::Decimal(right)) => Decimal::from(*left).cmp(right),
        (Val::Decimal(left), Val::Integer(right)) => left.cmp(&Decimal::from(*right)),
        _ => return None,
    })
}

fn concatenate<'d>(left: &Val<'d>, right: &Val<'d>, fuel: &mut Fuel) -> Option<Val<'d>> {
    let (left, right) = (left.shown()?, right.shown()?);
    fuel.text(left.len() + right.len())?;
    Some(Val::Text(Cow::Owned([left, right].concat())))
}
