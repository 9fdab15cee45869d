//! From what Rhai parsed to the tree that is walked; none wherever a word is not known.

use rhai::{AST, ASTFlags, BinaryExpr, Expr, FnCallExpr, Stmt};

use super::{
    native,
    tree::{Block, Body, Chain, Comparison, Expression, Operator, Padded, Statement, Step, StepKind},
};
use crate::mapping::script::compile::{FACTS, INDEX, VALUE};

/// Most places of a frame; the engine's own limit is beyond.
const PLACES_MAX: usize = 64;
/// Most characters of a text that is padded where it stands.
const PADDING_MAX: usize = 64;

/// The source of a function: its parameters and the statements of its body, if those parse by themselves.
pub(in crate::mapping::script) struct Source {
    pub parameters: Vec<String>,
    pub ast: Option<AST>,
}

/// Lowers the statements of a function with these parameters, or of a script with these inputs.
pub(super) fn body(
    statements: &[Stmt],
    parameters: &[String],
    inputs: &[&str],
    signatures: &[(String, usize)],
) -> Option<Body> {
    let mut lowering = Lowering {
        inputs,
        signatures,
        names: parameters.to_vec(),
        places: parameters.len(),
        calls: Vec::new(),
    };
    let statements = lowering.block(statements)?;
    (lowering.places <= PLACES_MAX).then_some(Body {
        parameters: parameters.len(),
        places: lowering.places,
        statements,
        calls: lowering.calls,
    })
}

struct Lowering<'s> {
    inputs: &'s [&'s str],
    signatures: &'s [(String, usize)],
    /// Variables in sight, by place; the last of a name counts.
    names: Vec<String>,
    places: usize,
    calls: Vec<usize>,
}

impl Lowering<'_> {
    fn block(&mut self, statements: &[Stmt]) -> Option<Block> {
        let outside = self.names.len();
        let lowered = statements.iter().map(|statement| self.statement(statement)).collect();
        self.names.truncate(outside);
        lowered
    }

    fn declare(&mut self, name: &str) -> usize {
        let place = self.names.len();
        self.names.push(name.to_owned());
        self.places = self.places.max(self.names.len());
        place
    }

    fn local(&self, name: &str) -> Option<usize> {
        self.names.iter().rposition(|own| own == name)
    }

    fn statement(&mut self, statement: &Stmt) -> Option<Statement> {
        Some(match statement {
            Stmt::Noop(_) => Statement::Nothing,
            Stmt::Expr(expression) => Statement::Expression(self.outer(expression)?),
            Stmt::FnCall(call, _) => Statement::Expression(self.call(call)?),
            Stmt::Block(block) => Statement::Block(self.block(block.statements())?),
            Stmt::If(flow, _) => {
                let condition = self.outer(&flow.expr)?;
                let then = self.block(flow.body.statements())?;
                Statement::If(Box::new((condition, then, self.block(flow.branch.statements())?)))
            }
            Stmt::Var(variable, flags, _) if *flags == ASTFlags::NONE => {
                let value = self.outer(&variable.1)?;
                Statement::Let(self.declare(&variable.0.name), value)
            }
            Stmt::Assignment(assignment) => {
                let (operation, BinaryExpr { lhs, rhs }) = &**assignment;
                let Expr::Variable(variable, ..) = lhs else { return None };
                let place = self.local(&variable.1)?;
                let operator = match operation.get_op_assignment_info() {
                    Some(info) => Some(Operator::of(info.5)?),
                    None => None,
                };
                Statement::Set(place, operator, self.outer(rhs)?)
            }
            Stmt::For(for_loop, _) => {
                let (variable, None, flow) = &**for_loop else { return None };
                let elements = self.outer(&flow.expr)?;
                let outside = self.names.len();
                let place = self.declare(&variable.name);
                let block = self.block(flow.body.statements())?;
                self.names.truncate(outside);
                Statement::For(place, elements, block)
            }
            Stmt::Return(_, flags, _) if flags.contains(ASTFlags::BREAK) => Statement::Throw,
            Stmt::Return(None, ..) => Statement::Return(None),
            Stmt::Return(Some(value), ..) => Statement::Return(Some(self.outer(value)?)),
            Stmt::BreakLoop(None, flags, _) if flags.contains(ASTFlags::BREAK) => Statement::Break,
            Stmt::BreakLoop(None, ..) => Statement::Continue,
            _ => return None,
        })
    }

    /// An expression that nothing else is evaluated beside, so that it may hold statements.
    fn outer(&mut self, expression: &Expr) -> Option<Expression> {
        match expression {
            Expr::Stmt(block) => match self.block(block.statements())? {
                block if matches!(*block, [Statement::Expression(_)]) => {
                    block.into_iter().find_map(|only| match only {
                        Statement::Expression(expression) => Some(expression),
                        _ => None,
                    })
                }
                block => Some(Expression::Block(block)),
            },
            other => self.expression(other),
        }
    }

    fn all<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr>) -> Option<Box<[Expression]>> {
        expressions.into_iter().map(|expression| self.expression(expression)).collect()
    }

    fn expression(&mut self, expression: &Expr) -> Option<Expression> {
        Some(match expression {
            Expr::Unit(_) => Expression::Unit,
            Expr::BoolConstant(truth, _) => Expression::Bool(*truth),
            Expr::IntegerConstant(integer, _) => Expression::Integer(*integer),
            Expr::StringConstant(text, _) => Expression::Text(text.as_str().into()),
            Expr::DynamicConstant(value, _) => Expression::Decimal(value.as_decimal().ok()?),
            Expr::Variable(variable, ..) if variable.2.is_empty() => self.variable(&variable.1)?,
            Expr::Array(elements, _) => Expression::Array(self.all(elements)?),
            Expr::Map(map, _) => {
                let members =
                    map.0.iter().map(|(name, value)| Some((name.as_str().into(), self.expression(value)?)));
                let mut members: Vec<(Box<str>, Expression)> = members.collect::<Option<_>>()?;
                members.sort_by(|one, other| one.0.cmp(&other.0));
                Expression::Object(members.into())
            }
            Expr::InterpolatedString(parts, _) => {
                Expression::Template(parts.iter().map(|part| self.outer(part)).collect::<Option<_>>()?)
            }
            Expr::And(terms, _) => Expression::And(self.all(&**terms)?),
            Expr::Or(terms, _) => Expression::Or(self.all(&**terms)?),
            Expr::Coalesce(terms, _) => Expression::Coalesce(self.all(&**terms)?),
            Expr::FnCall(call, _) => self.call(call)?,
            Expr::Dot(..) | Expr::Index(..) => self.chain(expression)?,
            _ => return None,
        })
    }

    fn variable(&self, name: &str) -> Option<Expression> {
        if let Some(place) = self.local(name) {
            return Some(Expression::Local(place));
        }
        if let Some(place) = self.inputs.iter().position(|input| *input == name) {
            return Some(Expression::Input(place));
        }
        // Functions use none of these: they do not compile with a name that is not their own.
        match name {
            VALUE => Some(Expression::Value),
            INDEX => Some(Expression::Index),
            FACTS => Some(Expression::Facts),
            _ => None,
        }
    }

    fn call(&mut self, call: &FnCallExpr) -> Option<Expression> {
        if !call.namespace.is_empty() || call.capture_parent_scope {
            return None;
        }
        if call.op_token.is_some() {
            return self.operation(&call.name, &call.args);
        }
        let own =
            |(name, parameters): &(String, usize)| *name == *call.name && *parameters == call.args.len();
        if let Some(place) = self.signatures.iter().position(own) {
            self.calls.push(place);
            return Some(Expression::Own(place, self.all(&call.args)?));
        }
        Some(Expression::Native(native::find(&call.name, call.args.len())?, self.all(&call.args)?))
    }

    fn operation(&mut self, sign: &str, operands: &[Expr]) -> Option<Expression> {
        Some(match (sign, operands) {
            ("!", [operand]) => Expression::Not(Box::new(self.expression(operand)?)),
            ("-", [operand]) => Expression::Negate(Box::new(self.expression(operand)?)),
            (sign, [left, right]) => {
                let operands = (self.expression(left)?, self.expression(right)?);
                let operator = Operator::of(sign)?;
                match (operator, operands) {
                    // Texts that are put together are one.
                    (Operator::Add, (Expression::Template(left), Expression::Template(right))) => {
                        Expression::Template(left.into_iter().chain(right).collect())
                    }
                    (operator, operands) => match comparison(operator, &operands) {
                        Some(comparison) => Expression::Is(Box::new(comparison)),
                        None => Expression::Operation(operator, Box::new(operands)),
                    },
                }
            }
            _ => return None,
        })
    }

    /// A chain stands in Rhai's tree as `a.(b.(c))`: what is behind the first sign is the next link's left side.
    fn chain(&mut self, expression: &Expr) -> Option<Expression> {
        let (first, mut flags, mut indexing) = link(expression)?;
        let (base, mut rest) = (&first.lhs, &first.rhs);
        if let (Expr::Variable(variable, ..), Expr::MethodCall(call, _), ASTFlags::NONE) = (base, rest, flags)
            && call.name == "push"
        {
            let [element] = &*call.args else { return None };
            let element = Box::new(self.expression(element)?);
            return Some(Expression::Push(self.local(&variable.1)?, element));
        }
        let base = self.expression(base)?;
        let (mut arguments, mut steps) = (Vec::new(), Vec::new());
        loop {
            let next = link(rest).filter(|_| !(indexing && flags.contains(ASTFlags::BREAK)));
            let here = next.map_or(rest, |(link, ..)| &link.lhs);
            let kind = match here {
                index if indexing => {
                    arguments.push(self.expression(index)?);
                    StepKind::Index
                }
                Expr::Property(property, _) => StepKind::Property(property.2.as_str().into()),
                Expr::MethodCall(call, _) => {
                    arguments.extend(self.all(&call.args)?);
                    StepKind::Method(native::find(&call.name, call.args.len() + 1)?, call.args.len())
                }
                _ => return None,
            };
            steps.push(Step { optional: flags.contains(ASTFlags::NEGATED), kind });
            let Some((link, its_flags, its_indexing)) = next else { break };
            (rest, flags, indexing) = (&link.rhs, its_flags, its_indexing);
        }
        let padding = padding(&steps, &arguments);
        if padding.is_some() {
            steps.truncate(steps.len() - 2);
            arguments.truncate(arguments.len() - 2);
        }
        let chain = Chain { base, arguments: arguments.into(), steps: steps.into() };
        let whole = if chain.steps.is_empty() { chain.base } else { Expression::Chain(Box::new(chain)) };
        Some(match padding {
            Some((length, fill)) => Expression::Padded(Box::new(Padded { of: whole, length, fill })),
            None => whole,
        })
    }
}

/// How long a chain that ends in `.to_string().pad_left(2, "0")` makes a text, and with what.
fn padding(steps: &[Step], arguments: &[Expression]) -> Option<(usize, char)> {
    let is = |step: &Step, name| matches!(step.kind, StepKind::Method(native, _) if native.is(name));
    let ([.., to_text, pad], [.., Expression::Integer(length), Expression::Text(fill)]) = (steps, arguments)
    else {
        return None;
    };
    let is_meant = is(to_text, "to_string") && is(pad, "pad_left") && !steps.iter().any(|step| step.optional);
    let length = usize::try_from(*length).ok().filter(|length| is_meant && *length <= PADDING_MAX)?;
    let mut fill = fill.chars();
    fill.next().filter(|_| fill.next().is_none()).map(|fill| (length, fill))
}

/// The comparison of a variable or of a member of it with what is written out, if an operation is that.
fn comparison(operator: Operator, (left, right): &(Expression, Expression)) -> Option<Comparison> {
    let is = match operator {
        Operator::Equal => true,
        Operator::NotEqual => false,
        _ => return None,
    };
    let text = match right {
        Expression::Unit => None,
        Expression::Text(text) => Some(text.clone()),
        _ => return None,
    };
    let (place, member) = match left {
        Expression::Local(place) => (*place, None),
        Expression::Chain(chain) => match (&chain.base, &*chain.steps) {
            (Expression::Local(place), [Step { optional: false, kind: StepKind::Property(name) }]) => {
                (*place, Some(name.clone()))
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(Comparison { place, member, text, is })
}

/// A link of a chain, its flags and whether it is an index.
fn link(expression: &Expr) -> Option<(&BinaryExpr, ASTFlags, bool)> {
    match expression {
        Expr::Dot(link, flags, _) => Some((link, *flags, false)),
        Expr::Index(link, flags, _) => Some((link, *flags, true)),
        _ => None,
    }
}
