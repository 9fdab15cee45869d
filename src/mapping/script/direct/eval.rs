//! The walk.

use super::super::{Call, exact};
use super::{
    operate::{are_alike, operand, operate},
    tree::{Block, Body, Chain, Comparison, Expression, Operator, Statement, Step, StepKind},
    value::{Elements, Heap, TEXT_BYTES_GUESS, Val},
};
use crate::{
    json::{Kind, Node},
    mapping::value::Value,
};

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

#[inline]
fn known<T>(value: Option<T>) -> Walked<T> {
    value.ok_or(Stop::Engine)
}

struct Walk<'c, 'd> {
    call: Call<'c, 'd>,
    functions: &'d [Option<Body>],
    heap: Heap<'d>,
    /// Frames of functions, and arguments on their way.
    stack: Vec<Val<'d>>,
    /// Where the frame of the function under way begins.
    frame: usize,
    depth: u32,
    returned: Val<'d>,
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
        heap: Heap::new(FUEL, call.facts),
        // The script itself keeps nothing on the stack unless it declares or calls something.
        stack: if body.is_simple() { Vec::new() } else { Vec::with_capacity(STACK_GUESS) },
        frame: 0,
        depth: 0,
        returned: Val::Unit,
    };
    let value = walk.function(body, 0).ok()?;
    walk.heap.into_value(value)
}

impl<'d> Walk<'_, 'd> {
    /// Runs a function whose arguments are the stack from `frame` on, and takes them from it.
    fn function(&mut self, body: &'d Body, frame: usize) -> Walked<Val<'d>> {
        if self.depth >= CALLS_MAX || self.stack.len() != frame + body.parameters {
            return Err(Stop::Engine);
        }
        self.stack.resize(frame + body.places, Val::Unit);
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
        if let [only] = &**block {
            return self.statement(only);
        }
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

    #[inline(never)]
    fn set(&mut self, place: usize, operator: Option<Operator>, expression: &'d Expression) -> Walked<()> {
        let mut value = self.value(expression)?;
        if let Some(operator) = operator {
            let own = *self.place(place)?;
            if !are_alike(own, value) {
                return Err(Stop::Engine);
            }
            value = known(operate(operator, own, value, &mut self.heap))?;
        }
        *self.place(place)? = value;
        Ok(())
    }

    #[inline(never)]
    fn repeat(&mut self, place: usize, elements: &'d Expression, block: &'d Block) -> Walked<()> {
        let array = self.value(elements)?;
        let made = match known(self.heap.elements(array))? {
            Elements::Given(node) => return self.repeat_given(place, node, block),
            Elements::Made(elements) => elements.to_vec(),
        };
        for element in made {
            self.heap.share(element);
            if !self.round(place, element, block)? {
                break;
            }
        }
        Ok(())
    }

    fn repeat_given(&mut self, place: usize, array: Node<'d>, block: &'d Block) -> Walked<()> {
        for element in array.elements() {
            let element = known(self.heap.opened(element))?;
            if !self.round(place, element, block)? {
                break;
            }
        }
        Ok(())
    }

    /// One round of a loop; whether there may be another.
    fn round(&mut self, place: usize, element: Val<'d>, block: &'d Block) -> Walked<bool> {
        known(self.heap.take(1))?;
        *self.place(place)? = element;
        match self.block(block) {
            Ok(_) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    #[inline]
    fn place(&mut self, place: usize) -> Walked<&mut Val<'d>> {
        known(self.stack.get_mut(self.frame + place))
    }

    fn truth(&mut self, expression: &'d Expression) -> Walked<bool> {
        if let Expression::Is(comparison) = expression {
            return self.is(comparison);
        }
        match self.value(expression)? {
            Val::Bool(truth) => Ok(truth),
            _ => Err(Stop::Engine),
        }
    }

    /// Nothing is made of what a variable holds to compare it.
    fn is(&mut self, comparison: &'d Comparison) -> Walked<bool> {
        known(self.heap.take(3))?;
        let own = *self.place(comparison.place)?;
        if let (Some(name), Val::Part(node), Some(text)) = (&comparison.member, own, &comparison.text)
            && let Some(member) = node.get(name)
            && member.kind() == Kind::String
        {
            known(self.heap.take_text(member.raw().len()))?;
            return Ok(member.is_text(text) == comparison.is);
        }
        let own = match &comparison.member {
            Some(name) => known(self.heap.member(own, name))?,
            None => own,
        };
        let Some(text) = &comparison.text else { return Ok(own.is_unit() == comparison.is) };
        let equal = known(operate(Operator::Equal, own, Val::Text(text), &mut self.heap))?;
        Ok(matches!(equal, Val::Bool(true)) == comparison.is)
    }

    #[inline(never)]
    fn operation(&mut self, operator: Operator, operands: &'d (Expression, Expression)) -> Walked<Val<'d>> {
        known(self.heap.take(1))?;
        let left = self.value(&operands.0)?;
        if let Operator::Equal | Operator::NotEqual = operator
            && let Some(equal) = self.beside_literal(left, &operands.1)
        {
            return Ok(Val::Bool(equal == (operator == Operator::Equal)));
        }
        let right = self.value(&operands.1)?;
        known(operate(operator, left, right, &mut self.heap))
    }

    /// What most conditions are: equality with a text or `()` that the script writes out.
    #[inline]
    fn beside_literal(&self, left: Val<'d>, right: &Expression) -> Option<bool> {
        match right {
            Expression::Unit => Some(left.is_unit()),
            Expression::Text(right) => self.heap.text(left).map(|left| *left == **right),
            _ => None,
        }
    }

    fn value(&mut self, expression: &'d Expression) -> Walked<Val<'d>> {
        known(self.heap.take(1))?;
        match expression {
            Expression::Unit => Ok(Val::Unit),
            Expression::Bool(truth) => Ok(Val::Bool(*truth)),
            Expression::Integer(integer) => Ok(Val::Integer(*integer)),
            Expression::Decimal(decimal) => Ok(Val::Decimal(*decimal)),
            Expression::Text(text) => {
                known(self.heap.take_text(text.len()))?;
                Ok(Val::Text(text))
            }
            Expression::Input(_) | Expression::Value | Expression::Index | Expression::Facts => {
                known(self.given(expression))
            }
            Expression::Local(place) => {
                let value = *self.place(*place)?;
                self.heap.share(value);
                Ok(value)
            }
            Expression::Coalesce(terms) => self.coalesce(terms),
            Expression::Operation(operator, operands) => self.operation(*operator, operands),
            Expression::Own(place, arguments) => self.own(*place, arguments),
            Expression::Chain(chain) => self.chain(chain),
            Expression::Block(block) => self.block(block),
            Expression::Is(_) | Expression::And(_) | Expression::Or(_) | Expression::Not(_) => {
                self.logic(expression).map(Val::Bool)
            }
            other => self.made(other),
        }
    }

    #[inline(never)]
    fn logic(&mut self, expression: &'d Expression) -> Walked<bool> {
        match expression {
            Expression::Is(comparison) => self.is(comparison),
            Expression::And(terms) => terms.iter().try_fold(true, |all, term| Ok(all && self.truth(term)?)),
            Expression::Or(terms) => terms.iter().try_fold(false, |any, term| Ok(any || self.truth(term)?)),
            Expression::Not(operand) => self.truth(operand).map(|truth| !truth),
            _ => Err(Stop::Engine),
        }
    }

    #[inline(never)]
    fn coalesce(&mut self, terms: &'d [Expression]) -> Walked<Val<'d>> {
        let mut value = Val::Unit;
        for term in terms {
            value = self.value(term)?;
            if !value.is_unit() {
                break;
            }
        }
        Ok(value)
    }

    #[inline(never)]
    fn own(&mut self, place: usize, arguments: &'d [Expression]) -> Walked<Val<'d>> {
        let frame = self.push(arguments)?;
        let functions = self.functions;
        let body = known(functions.get(place).and_then(Option::as_ref))?;
        self.function(body, frame)
    }

    /// Values that are made of others.
    #[inline(never)]
    fn made(&mut self, expression: &'d Expression) -> Walked<Val<'d>> {
        match expression {
            Expression::Array(elements) => {
                let mut array = Vec::with_capacity(elements.len());
                for element in elements {
                    array.push(self.element(element)?);
                }
                Ok(self.heap.array(array))
            }
            Expression::Object(members) => {
                let mut object = Vec::with_capacity(members.len());
                for (name, value) in members {
                    object.push((&**name, self.element(value)?));
                }
                Ok(self.heap.object(object))
            }
            Expression::Push(place, element) => {
                let element = self.element(element)?;
                let array = *self.place(*place)?;
                *self.place(*place)? = known(self.heap.push(array, element))?;
                Ok(Val::Unit)
            }
            Expression::Template(parts) => {
                let mut text = String::with_capacity(TEXT_BYTES_GUESS);
                for part in parts {
                    self.show(part, &mut text)?;
                    known(self.heap.take_text(text.len()))?;
                }
                Ok(self.heap.made(text))
            }
            Expression::Padded(_) => {
                let mut text = String::new();
                self.show(expression, &mut text)?;
                known(self.heap.changed(text))
            }
            Expression::Negate(number) => {
                let number = known(operand(self.value(number)?))?;
                let negated = exact::subtract(0.into(), number);
                known(negated.ok().as_ref().and_then(Val::of_dynamic))
            }
            Expression::Native(native, arguments) => {
                let start = self.push(arguments)?;
                let value = native.call(self.stack.get(start..).unwrap_or_default(), &mut self.heap);
                self.stack.truncate(start);
                known(value)
            }
            _ => Err(Stop::Engine),
        }
    }

    /// Appends a value as it stands in a text.
    fn show(&mut self, expression: &'d Expression, out: &mut String) -> Walked<()> {
        match expression {
            Expression::Text(text) => {
                out.push_str(text);
                known(self.heap.take(1))
            }
            Expression::Padded(padded) => {
                let value = self.value(&padded.of)?;
                let start = out.len();
                known(self.heap.show(value, out))?;
                let length = out.get(start..).map_or(0, |shown| shown.chars().count());
                for _ in length..padded.length {
                    out.insert(start, padded.fill);
                }
                known(self.heap.take(2))
            }
            other => {
                let value = self.value(other)?;
                known(self.heap.show(value, out))
            }
        }
    }

    /// What a script was given, opened when it is read.
    #[inline(never)]
    fn given(&mut self, expression: &Expression) -> Option<Val<'d>> {
        match expression {
            Expression::Input(place) => match self.call.inputs.get(*place) {
                Some(value) => self.heap.of(value),
                None => Some(Val::Unit),
            },
            Expression::Value => self.heap.of(self.call.value),
            Expression::Index => match self.call.index {
                Some(index) => index.try_into().ok().map(Val::Integer),
                None => Some(Val::Unit),
            },
            Expression::Facts => Some(Val::Facts),
            _ => None,
        }
    }

    /// An element of an array that a script makes: arrays in arrays are left to the engine, which counts them.
    fn element(&mut self, expression: &'d Expression) -> Walked<Val<'d>> {
        known(self.heap.take(2))?;
        match self.value(expression)? {
            Val::Array(_) | Val::List(_) => Err(Stop::Engine),
            element => {
                let bytes = self.heap.text(element).map_or(0, str::len);
                known(self.heap.take_text(bytes))?;
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

    #[inline(never)]
    fn chain(&mut self, chain: &'d Chain) -> Walked<Val<'d>> {
        let start = self.stack.len();
        if !chain.arguments.is_empty() {
            self.push(&chain.arguments)?;
        }
        // What a variable holds is only looked at: no other variable will stand for it.
        let mut value = match &chain.base {
            Expression::Local(place) => *self.place(*place)?,
            base => self.value(base)?,
        };
        let mut argument = start;
        for step in &chain.steps {
            if step.optional && value.is_unit() {
                break;
            }
            value = match (&step.kind, value) {
                (StepKind::Property(name), Val::Part(node)) => {
                    known(self.heap.take(1))?;
                    match node.get(name) {
                        Some(member) => known(self.heap.of_node(member))?,
                        None => Val::Unit,
                    }
                }
                _ => self.step(step, value, &mut argument)?,
            };
        }
        if !chain.arguments.is_empty() {
            self.stack.truncate(start);
        }
        Ok(value)
    }

    #[inline(never)]
    fn step(&mut self, step: &'d Step, value: Val<'d>, argument: &mut usize) -> Walked<Val<'d>> {
        known(self.heap.take(1))?;
        match &step.kind {
            StepKind::Property(name) => known(self.heap.member(value, name)),
            StepKind::Index => {
                let index = *known(self.stack.get(*argument))?;
                *argument += 1;
                known(match (value, index) {
                    (Val::Array(_) | Val::List(_), Val::Integer(index)) => {
                        usize::try_from(index).ok().and_then(|index| self.heap.element(value, index))
                    }
                    (_, Val::Text(name)) => self.heap.member(value, name),
                    (_, Val::Made(_)) => {
                        let name = self.heap.text(index).map(str::to_owned);
                        name.and_then(|name| self.heap.member(value, &name))
                    }
                    _ => None,
                })
            }
            StepKind::Method(native, count) => {
                let top = self.stack.len();
                self.stack.push(value);
                for place in *argument..*argument + count {
                    let value = *known(self.stack.get(place))?;
                    self.stack.push(value);
                }
                *argument += count;
                let value = native.call(self.stack.get(top..).unwrap_or_default(), &mut self.heap);
                self.stack.truncate(top);
                known(value)
            }
        }
    }
}
