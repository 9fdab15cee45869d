//! A script as it is walked: what Rhai parsed, with every name already resolved to a place.

use rhai::INT;
use rust_decimal::Decimal;

use super::native::Native;

/// Something that has a value.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Unit,
    Bool(bool),
    Integer(INT),
    Decimal(Decimal),
    Text(Box<str>),
    /// A named input, by its place.
    Input(usize),
    /// `value`
    Value,
    /// `index`
    Index,
    /// `facts`
    Facts,
    /// A variable or parameter, by its place in the frame of its function.
    Local(usize),
    Array(Box<[Expression]>),
    /// An object, its members in the order of their names.
    Object(Box<[(Box<str>, Expression)]>),
    Template(Box<[Expression]>),
    /// `anything.to_string().pad_left(2, "0")`
    Padded(Box<Padded>),
    And(Box<[Expression]>),
    Or(Box<[Expression]>),
    Coalesce(Box<[Expression]>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Operation(Operator, Box<(Expression, Expression)>),
    /// Whether a variable, or a member of it, is (`true`) or is not what the script writes out: most conditions.
    Is(Box<Comparison>),
    /// A function of [`super::native`].
    Native(Native, Box<[Expression]>),
    /// A function of the set, by its place.
    Own(usize, Box<[Expression]>),
    Chain(Box<Chain>),
    /// `array.push(value)` on a variable.
    Push(usize, Box<Expression>),
    Block(Block),
}

/// `variable.property == "text"`, `variable != ()`
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    /// The variable, by its place.
    pub place: usize,
    /// The member that is looked at; none: the variable itself.
    pub member: Option<Box<str>>,
    /// What it is compared with; none: `()`.
    pub text: Option<Box<str>>,
    /// Whether it is to be that.
    pub is: bool,
}

/// `base.property?.method(argument)[index]`
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub base: Expression,
    /// Of all steps, in their order: Rhai evaluates them before the base.
    pub arguments: Box<[Expression]>,
    pub steps: Box<[Step]>,
}

/// A value as text, with characters before it up to a length.
#[derive(Debug, Clone)]
pub(super) struct Padded {
    pub of: Expression,
    /// In characters.
    pub length: usize,
    pub fill: char,
}

#[derive(Debug, Clone)]
pub(super) struct Step {
    /// `?.` and `?[`: the whole chain is `()` where `()` stands before it.
    pub optional: bool,
    pub kind: StepKind,
}

#[derive(Debug, Clone)]
pub(super) enum StepKind {
    Property(Box<str>),
    /// Takes one of the chain's arguments.
    Index,
    /// Takes this many of the chain's arguments.
    Method(Native, usize),
}

pub(super) type Block = Box<[Statement]>;

#[derive(Debug, Clone)]
pub(super) enum Statement {
    Nothing,
    Expression(Expression),
    Block(Block),
    If(Box<(Expression, Block, Block)>),
    Let(usize, Expression),
    Set(usize, Option<Operator>, Expression),
    For(usize, Expression, Block),
    Return(Option<Expression>),
    Throw,
    Break,
    Continue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// The operator of this sign.
    pub fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "+" => Self::Add,
            "-" => Self::Subtract,
            "*" => Self::Multiply,
            "/" => Self::Divide,
            "%" => Self::Remainder,
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// A function of the set, or the expression of a script.
#[derive(Debug, Clone)]
pub(super) struct Body {
    /// Parameters; they are the first places of the frame.
    pub parameters: usize,
    /// Places of the frame.
    pub places: usize,
    pub statements: Block,
    /// Functions of the set that it calls.
    pub calls: Vec<usize>,
}

impl Body {
    /// Whether it is one expression that calls nothing, so that it needs no place to keep a value in.
    pub fn is_simple(&self) -> bool {
        self.places == 0 && self.calls.is_empty()
    }
}
