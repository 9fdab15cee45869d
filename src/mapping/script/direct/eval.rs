//! The walk.

use std::{borrow::Cow, rc::Rc};

use super::super::{Call, exact};
use super::{
    operate::{operand, operate},
    tree::{Block, Body, Chain, Expression, Operator, Statement, Step, StepKind},
    value::{Fuel, Val},
};
use crate::{json::Node, mapping::value::Value};

/// What one walk may spend: a step takes 1, 16 bytes of text 1, an element of an array 2.
///
/// Below every limit of the engine: texts stay under 32 KiB, arrays under 1 024 elements, steps under 50 000.
pub(super) const FUEL: u32 = 1_600;
/// Places that most scripts do with.
const STACK_GUESS: usize = 16;
/// Nested calls of functions; the engine allows more.
const CALLS_MAX: u32 = 16;

/// Why a statement does not end where it stands.
enum Stop {
    /// The engine has to say.
    Engine,
    /// [`Walk::returned`] leaves the function.
    Return,
    Break,
    Continue,
}

type Walked<T> = Result<T, Stop>;

fn known<T>(value: Option<T>) -> Walked<T> {
    value.ok_or(Stop::Engine)
}

/// What most conditions are: equality with a text or `()` that the script writes out.
fn beside_literal(operator: Operator, left: &Val<'_>, right: &Expression) -> Option<bool> {
    let equal = match (left, right) {
        (Val::Text(left), Expression::Text(right)) => **left == **right,
        (left, Expression::Unit) => left.is_unit(),
        _ => return None,
    };
    match operator {
        Operator::Equal => Some(equal),
        Operator::NotEqual => Some(!equal),
        _ => None,
    }
}

struct Walk<'c, 'd> {
    call: Call<'c, 'd>,
    functions: &'d [Option<Body>],
    /// Frames of functions, and arguments on their way.
    stack: Vec<Val<'d>>,
    /// Where the frame of the function under way begins.
    frame: usize,
    depth: u32,
    returned: Val<'d>,
    fuel: Fuel,
}

/// The value of a script; none where the engine has to say.
pub(super) fn run<'d>(
    body: &'d Body,
    call: Call<'_, 'd>,
    functions: &'d [Option<Body>],
) -> Option<Value<'d>> {
    let mut walk = Walk {
        call,
        functions,
        stack: Vec::with_capacity(STACK_GUESS),
        frame: 0,
        depth: 0,
        returned: Val::Unit,
        fuel: Fuel(FUEL),
    };
    walk.function(body, 0).ok()?.into_value()
}

impl<'d> Walk<'_, 'd> {
    /// Runs a function whose arguments are the stack from `frame` on, and takes them from it.
    fn function(&mut self, body: &'d Body, frame: usize) -> Walked<Val<'d>> {
        if self.depth >= CALLS_MAX || self.stack.len() != frame + body.parameters {
            return Err(Stop::Engine);
        }
        self.stack.resize_with(frame + body.places, || Val::Unit);
        let outer = std::mem::replace(&mut self.frame, frame);
        self.depth += 1;
        let value = match self.block(&body.statements) {
            Ok(value) => value,
            Err(Stop::Return) => std::mem::replace(&mut self.returned, Val::Unit),
            Err(_) => return Err(Stop::Engine),
        };
        self.depth -= 1;
        self.frame = outer;
        self.stack.truncate(frame);
        Ok(value)
    }

    /// The value of the last statement.
    fn block(&mut self, block: &'d Block) -> Walked<Val<'d>> {
        let mut value = Val::Unit;
        for statement in block {
            value = self.statement(statement)?;
        }
        Ok(value)
    }

    fn statement(&mut self, statement: &'d Statement) -> Walked<Val<'d>> {
        match statement {
            Statement::Nothing => {}
            Statement::Expression(expression) => return self.value(expression),
            Statement::Block(block) => return self.block(block),
            Statement::If(choice) => {
                let (condition, then, otherwise) = &**choice;
                return if self.truth(condition)? { self.block(then) } else { self.block(otherwise) };
            }
            Statement::Let(place, expression) => {
                let value = self.value(expression)?;
                *self.place(*place)? = value;
            }
            Statement::Set(place, operator, expression) => self.set(*place, *operator, expression)?,
            Statement::For(place, elements, block) => self.repeat(*place, elements, block)?,
            Statement::Return(value) => {
                self.returned = value.as_ref().map_or(Ok(Val::Unit), |value| self.value(value))?;
                return Err(Stop::Return);
            }
            Statement::Throw => return Err(Stop::Engine),
            Statement::Break => return Err(Stop::Break),
            Statement::Continue => return Err(Stop::Continue),
        }
        Ok(Val::Unit)
    }

    fn set(&mut self, place: usize, operator: Option<Operator>, expression: &'d Expression) -> Walked<()> {
        let mut value = self.value(expression)?;
        if let Some(operator) = operator {
            let own = self.place(place)?.clone();
            let alike = matches!((&own, &value), (Val::Text(_), Val::Text(_)))
                || (operand(&own).is_some() && operand(&value).is_some());
            value = known(alike.then(|| operate(operator, &own, &value, &mut self.fuel)).flatten())?;
        }
        *self.place(place)? = value;
        Ok(())
    }

    fn repeat(&mut self, place: usize, elements: &'d Expression, block: &'d Block) -> Walked<()> {
        if let Some(array) = self.given_array(elements) {
            // Nothing is made of the array as a whole: what costs is the same.
            let elements = known(u32::try_from(array.len()).ok().and_then(|count| count.checked_mul(2)))?;
            known(self.fuel.take(elements + 1))?;
            let mut elements = array.elements();
            let ended = loop {
                let Some(element) = elements.next() else { return Ok(()) };
                let element = known(Val::of_node(element, &mut self.fuel))?;
                match self.round(place, element, block) {
                    Ok(true) => {}
                    ended => break ended,
                }
            };
            // The engine opens all of an array: what it could not open is for it to tell.
            for element in elements {
                known(Val::of_node(element, &mut self.fuel))?;
            }
            return ended.map(drop);
        }
        let Val::Array(elements) = self.value(elements)? else { return Err(Stop::Engine) };
        for element in &*elements {
            if !self.round(place, element.clone(), block)? {
                break;
            }
        }
        Ok(())
    }

    /// One round of a loop; whether there may be another.
    fn round(&mut self, place: usize, element: Val<'d>, block: &'d Block) -> Walked<bool> {
        known(self.fuel.take(1))?;
        *self.place(place)? = element;
        match self.block(block) {
            Ok(_) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    /// The array of the message that an expression stands for, where it is one that was given: `lines ?? []`.
    fn given_array(&self, expression: &Expression) -> Option<Node<'d>> {
        let value = match expression {
            Expression::Coalesce(terms) => return self.given_array(terms.first()?),
            Expression::Input(place) => self.call.inputs.get(*place)?,
            Expression::Value => self.call.value,
            _ => return None,
        };
        match value {
            Value::Node(node) if node.is_array() => Some(*node),
            _ => None,
        }
    }

    fn place(&mut self, place: usize) -> Walked<&mut Val<'d>> {
        known(self.stack.get_mut(self.frame + place))
    }

    fn truth(&mut self, expression: &'d Expression) -> Walked<bool> {
        if let Expression::Operation(operator, operands) = expression
            && let Some(truth) = self.local_beside_literal(*operator, operands)
        {
            known(self.fuel.take(2))?;
            return Ok(truth);
        }
        match self.value(expression)? {
            Val::Bool(truth) => Ok(truth),
            _ => Err(Stop::Engine),
        }
    }

    /// A variable beside what the script writes out: nothing is copied to compare them.
    #[inline]
    fn local_beside_literal(&self, operator: Operator, operands: &(Expression, Expression)) -> Option<bool> {
        let Expression::Local(place) = &operands.0 else { return None };
        beside_literal(operator, self.stack.get(self.frame + place)?, &operands.1)
    }

    fn value(&mut self, expression: &'d Expression) -> Walked<Val<'d>> {
        known(self.fuel.take(1))?;
        match expression {
            Expression::Unit => Ok(Val::Unit),
            Expression::Bool(truth) => Ok(Val::Bool(*truth)),
            Expression::Integer(integer) => Ok(Val::Integer(*integer)),
            Expression::Decimal(decimal) => Ok(Val::Decimal(*decimal)),
            Expression::Text(text) => {
                known(self.fuel.text(text.len()))?;
                Ok(Val::Text(Cow::Borrowed(text)))
            }
            Expression::Input(_) | Expression::Value | Expression::Index | Expression::Facts => {
                known(self.given(expression))
            }
            Expression::Local(place) => {
                let value = self.place(*place)?.clone();
                if let Val::Text(Cow::Owned(text)) = &value {
                    known(self.fuel.text(text.len()))?;
                }
                Ok(value)
            }
            Expression::And(terms) => {
                terms.iter().try_fold(true, |all, term| Ok(all && self.truth(term)?)).map(Val::Bool)
            }
            Expression::Or(terms) => {
                terms.iter().try_fold(false, |any, term| Ok(any || self.truth(term)?)).map(Val::Bool)
            }
            Expression::Coalesce(terms) => {
                let mut value = Val::Unit;
                for term in terms {
                    value = self.value(term)?;
                    if !value.is_unit() {
                        break;
                    }
                }
                Ok(value)
            }
            Expression::Not(operand) => self.truth(operand).map(|truth| Val::Bool(!truth)),
            Expression::Operation(operator, operands) => {
                let left = self.value(&operands.0)?;
                if let Some(truth) = beside_literal(*operator, &left, &operands.1) {
                    return Ok(Val::Bool(truth));
                }
                let right = self.value(&operands.1)?;
                known(operate(*operator, &left, &right, &mut self.fuel))
            }
            Expression::Own(place, arguments) => {
                let frame = self.push(arguments)?;
                let functions = self.functions;
                let body = known(functions.get(*place).and_then(Option::as_ref))?;
                self.function(body, frame)
            }
            Expression::Chain(chain) => self.chain(chain),
            Expression::Block(block) => self.block(block),
            other => self.made(other),
        }
    }

    /// Values that are made of others.
    fn made(&mut self, expression: &'d Expression) -> Walked<Val<'d>> {
        match expression {
            Expression::Array(elements) => {
                let mut array = Vec::with_capacity(elements.len());
                for element in elements {
                    array.push(self.element(element)?);
                }
                Ok(Val::Array(Rc::new(array)))
            }
            Expression::Push(place, element) => {
                let element = self.element(element)?;
                let Val::Array(array) = self.place(*place)? else { return Err(Stop::Engine) };
                Rc::make_mut(array).push(element);
                Ok(Val::Unit)
            }
            Expression::Template(parts) => {
                let mut text = String::new();
                for part in parts {
                    text.push_str(&known(self.value(part)?.shown())?);
                    known(self.fuel.text(text.len()))?;
                }
                Ok(Val::Text(Cow::Owned(text)))
            }
            Expression::Negate(number) => {
                let number = known(operand(&self.value(number)?))?;
                let negated = exact::subtract(0.into(), number);
                known(negated.ok().as_ref().and_then(Val::of_dynamic))
            }
            Expression::Native(native, arguments) => {
                let start = self.push(arguments)?;
                let value = native.call(self.stack.get(start..).unwrap_or_default(), &mut self.fuel);
                self.stack.truncate(start);
                known(value)
            }
            _ => Err(Stop::Engine),
        }
    }

    /// What a script was given, opened when it is read.
    fn given(&mut self, expression: &Expression) -> Option<Val<'d>> {
        match expression {
            Expression::Input(place) => match self.call.inputs.get(*place) {
                Some(value) => Val::of(value, &mut self.fuel),
                None => Some(Val::Unit),
            },
            Expression::Value => Val::of(self.call.value, &mut self.fuel),
            Expression::Index => match self.call.index {
                Some(index) => index.try_into().ok().map(Val::Integer),
                None => Some(Val::Unit),
            },
            Expression::Facts => Val::of_fact(self.call.facts, &mut self.fuel),
            _ => None,
        }
    }

    /// An element of an array that a script makes: arrays in arrays are left to the engine, which counts them.
    fn element(&mut self, expression: &'d Expression) -> Walked<Val<'d>> {
        known(self.fuel.take(2))?;
        match self.value(expression)? {
            Val::Array(_) => Err(Stop::Engine),
            element => {
                if let Val::Text(text) = &element {
                    known(self.fuel.text(text.len()))?;
                }
                Ok(element)
            }
        }
    }

    /// Puts values on the stack; where the first of them stands.
    fn push(&mut self, expressions: &'d [Expression]) -> Walked<usize> {
        let start = self.stack.len();
        for expression in expressions {
            let value = self.value(expression)?;
            self.stack.push(value);
        }
        Ok(start)
    }

    fn chain(&mut self, chain: &'d Chain) -> Walked<Val<'d>> {
        let start = self.push(&chain.arguments)?;
        let (mut value, steps) = self.base(chain)?;
        let mut argument = start;
        for step in steps {
            if step.optional && value.is_unit() {
                break;
            }
            value = self.step(step, value, &mut argument)?;
        }
        self.stack.truncate(start);
        Ok(value)
    }

    /// What a chain begins with, and its steps from there on: a member of a variable is read where the variable is.
    fn base(&mut self, chain: &'d Chain) -> Walked<(Val<'d>, &'d [Step])> {
        if let (Expression::Local(place), Some((Step { kind: StepKind::Property(name), .. }, steps))) =
            (&chain.base, chain.steps.split_first())
            && let Some(object @ (Val::Part(_) | Val::Map(_))) = self.stack.get(self.frame + place)
        {
            known(self.fuel.take(2))?;
            return Ok((known(object.member(name, &mut self.fuel))?, steps));
        }
        Ok((self.value(&chain.base)?, &chain.steps))
    }

    fn step(&mut self, step: &'d Step, value: Val<'d>, argument: &mut usize) -> Walked<Val<'d>> {
        known(self.fuel.take(1))?;
        match &step.kind {
            StepKind::Property(name) => known(value.member(name, &mut self.fuel)),
            StepKind::Index => {
                let index = known(self.stack.get(*argument))?;
                *argument += 1;
                known(match (&value, index) {
                    (Val::Array(elements), Val::Integer(index)) => {
                        usize::try_from(*index).ok().and_then(|index| elements.get(index)).cloned()
                    }
                    (Val::Part(_) | Val::Map(_), Val::Text(name)) => value.member(name, &mut self.fuel),
                    _ => None,
                })
            }
            StepKind::Method(native, count) => {
                let top = self.stack.len();
                self.stack.push(value);
                for place in *argument..*argument + count {
                    let value =
                        known(self.stack.get_mut(place).map(|value| std::mem::replace(value, Val::Unit)))?;
                    self.stack.push(value);
                }
                *argument += count;
                let value = native.call(self.stack.get(top..).unwrap_or_default(), &mut self.fuel);
                self.stack.truncate(top);
                known(value)
            }
        }
    }
}
