//! From the parser's tree to ours, refusing what RFC 9535 does not have or we do not run.

use jsonpath_rust::parser::{
    errors::JsonPathError,
    model::{
        Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal as Written, Segment,
        Selector as Selected, SingularQuery, SingularQuerySegment, Test, TestFunction,
    },
    parse_json_path,
};
use pest::error::InputLocation;

use super::{
    QueryError,
    expression::{Expression, Literal, Operand, Operator},
    path::{Origin, Path, Plural, Selector, Singular, Step},
    pattern::Pattern,
    scan::Scanned,
};

/// Runs the parser on a text whose first `added` bytes are not the writer's.
pub(super) fn parse(text: &str, added: usize) -> Result<JpQuery, QueryError> {
    parse_json_path(text).map_err(|error| match error {
        JsonPathError::PestError(error) => {
            let at = match error.location {
                InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
            };
            let end = text.len() - usize::from(added > 0);
            let message = match text.get(at..end).and_then(|rest| rest.chars().next()) {
                Some(found) => format!("unexpected `{found}`"),
                None => "something is missing at the end".to_owned(),
            };
            QueryError::new(at.min(end).saturating_sub(added), message)
        }
        JsonPathError::MaxNestingDepthExceeded(_) => QueryError::new(0, "nested too deep"),
        other => QueryError::new(0, other.to_string()),
    })
}

/// Lowers one query; takes numbers and places of functions from the scan as it meets them.
pub(super) struct Lowering<'s> {
    numbers: std::slice::Iter<'s, Box<str>>,
    functions: std::slice::Iter<'s, usize>,
}

type Lowered<T> = Result<T, QueryError>;

impl<'s> Lowering<'s> {
    pub(super) fn new(scanned: &'s Scanned) -> Self {
        Self { numbers: scanned.numbers.iter(), functions: scanned.functions.iter() }
    }

    /// The filter of `$[?filter]`, and nothing else.
    pub(super) fn only_filter(&mut self, segments: &[Segment]) -> Lowered<Expression> {
        match segments {
            [Segment::Selector(Selected::Filter(filter))] => self.filter(filter),
            _ => Err(QueryError::new(0, "not one condition")),
        }
    }

    pub(super) fn path(&mut self, origin: Origin, segments: &[Segment]) -> Lowered<Path> {
        let segments = segments.iter().map(|segment| self.segment(segment)).collect::<Lowered<Vec<_>>>()?;
        let step = |selectors: &Vec<Selector>| match selectors.as_slice() {
            [Selector::Step(step)] => Some(step.clone()),
            _ => None,
        };
        match segments.iter().map(step).collect() {
            Some(steps) => Ok(Path::Singular(Singular { origin, steps })),
            None => Ok(Path::Plural(Plural { origin, segments })),
        }
    }

    fn segment(&mut self, segment: &Segment) -> Lowered<Vec<Selector>> {
        match segment {
            Segment::Selector(selector) => Ok(vec![self.selector(selector)?]),
            Segment::Selectors(selectors) => {
                selectors.iter().map(|selector| self.selector(selector)).collect()
            }
            Segment::Descendant(_) => Err(QueryError::new(0, "`..` is not supported")),
        }
    }

    fn selector(&mut self, selector: &Selected) -> Lowered<Selector> {
        Ok(match selector {
            Selected::Name(name) => Selector::Step(Step::Name(name.as_str().into())),
            Selected::Index(index) => Selector::Step(Step::Index(*index)),
            Selected::Wildcard => Selector::All,
            Selected::Slice(start, end, step) => {
                Selector::Slice { start: *start, end: *end, step: step.unwrap_or(1) }
            }
            Selected::Filter(filter) => Selector::Filter(self.filter(filter)?),
        })
    }

    fn filter(&mut self, filter: &Filter) -> Lowered<Expression> {
        Ok(match filter {
            Filter::Or(terms) => Expression::Or(self.filters(terms)?),
            Filter::And(terms) => Expression::And(self.filters(terms)?),
            Filter::Atom(FilterAtom::Filter { expr, not }) => negated(self.filter(expr)?, *not),
            Filter::Atom(FilterAtom::Test { expr, not }) => negated(self.test(expr)?, *not),
            Filter::Atom(FilterAtom::Comparison(comparison)) => self.comparison(comparison)?,
        })
    }

    fn filters(&mut self, filters: &[Filter]) -> Lowered<Vec<Expression>> {
        filters.iter().map(|filter| self.filter(filter)).collect()
    }

    fn test(&mut self, test: &Test) -> Lowered<Expression> {
        match test {
            Test::RelQuery(segments) => self.path(Origin::Scope, segments).map(Expression::Exists),
            Test::AbsQuery(query) => self.path(Origin::Root, &query.segments).map(Expression::Exists),
            Test::Function(function) => match &**function {
                TestFunction::Match(text, pattern) => self.matches(text, pattern, true),
                TestFunction::Search(text, pattern) => self.matches(text, pattern, false),
                _ => Err(QueryError::new(
                    self.function(),
                    "the result of this function must be compared with something",
                )),
            },
        }
    }

    fn comparison(&mut self, comparison: &Comparison) -> Lowered<Expression> {
        let operator = match comparison {
            Comparison::Eq(..) => Operator::Equal,
            Comparison::Ne(..) => Operator::NotEqual,
            Comparison::Lt(..) => Operator::Less,
            Comparison::Lte(..) => Operator::LessOrEqual,
            Comparison::Gt(..) => Operator::Greater,
            Comparison::Gte(..) => Operator::GreaterOrEqual,
        };
        let (left, right) = comparison.vals();
        let (left, right) = (self.comparable(left)?, self.comparable(right)?);
        Ok(Expression::Compare(left, operator, right))
    }

    fn comparable(&mut self, comparable: &Comparable) -> Lowered<Operand> {
        match comparable {
            Comparable::Literal(literal) => self.literal(literal).map(Operand::Literal),
            Comparable::Function(function) => self.value_function(function),
            Comparable::SingularQuery(SingularQuery::Current(steps)) => Ok(singular(Origin::Scope, steps)),
            Comparable::SingularQuery(SingularQuery::Root(steps)) => Ok(singular(Origin::Root, steps)),
        }
    }

    fn literal(&mut self, literal: &Written) -> Lowered<Literal> {
        Ok(match literal {
            Written::Null => Literal::Null,
            Written::Bool(value) => Literal::Bool(*value),
            Written::String(text) => Literal::Text(text.as_str().into()),
            Written::Int(_) | Written::Float(_) => match self.numbers.next() {
                Some(text) => Literal::Number(text.clone()),
                None => return Err(QueryError::new(0, "a number was not understood")),
            },
        })
    }

    /// A function whose result is a value.
    fn value_function(&mut self, function: &TestFunction) -> Lowered<Operand> {
        let at = self.function();
        match function {
            TestFunction::Length(argument) => Ok(Operand::Length(Box::new(self.value(argument, at)?))),
            TestFunction::Count(argument) => self.nodes(argument, at).map(Operand::Count),
            TestFunction::Value(argument) => self.nodes(argument, at).map(Operand::Value),
            TestFunction::Match(..) | TestFunction::Search(..) => {
                Err(QueryError::new(at, "the result of this function is yes or no, and cannot be compared"))
            }
            TestFunction::Custom(name, _) => Err(QueryError::new(at, format!("unknown function `{name}`"))),
        }
    }

    fn matches(&mut self, text: &FnArg, pattern: &FnArg, whole: bool) -> Lowered<Expression> {
        let at = self.function();
        let operand = self.value(text, at)?;
        let FnArg::Literal(Written::String(pattern)) = pattern else {
            return Err(QueryError::new(at, "the pattern must be a text in quotes"));
        };
        match Pattern::compile(pattern, whole) {
            Ok(pattern) => Ok(Expression::Matches(operand, pattern)),
            Err(reason) => Err(QueryError::new(at, format!("this pattern is not understood: {reason}"))),
        }
    }

    /// An argument that is a value (`ValueType` in RFC 9535 clause 2.4.1).
    fn value(&mut self, argument: &FnArg, at: usize) -> Lowered<Operand> {
        let path = match argument {
            FnArg::Literal(literal) => return self.literal(literal).map(Operand::Literal),
            FnArg::Test(test) => match &**test {
                Test::Function(function) => return self.value_function(function),
                Test::RelQuery(segments) => self.path(Origin::Scope, segments)?,
                Test::AbsQuery(query) => self.path(Origin::Root, &query.segments)?,
            },
            FnArg::Filter(_) => {
                return Err(QueryError::new(at, "this function takes a value, not a condition"));
            }
        };
        match path {
            Path::Singular(path) => Ok(Operand::Path(path)),
            Path::Plural(_) => Err(QueryError::new(
                at,
                "this function takes a path to one value; `value()` picks it from many",
            )),
        }
    }

    /// An argument that is a list of nodes (`NodesType`).
    fn nodes(&mut self, argument: &FnArg, at: usize) -> Lowered<Path> {
        if let FnArg::Test(test) = argument {
            match &**test {
                Test::RelQuery(segments) => return self.path(Origin::Scope, segments),
                Test::AbsQuery(query) => return self.path(Origin::Root, &query.segments),
                Test::Function(_) => {}
            }
        }
        Err(QueryError::new(at, "this function takes a path"))
    }

    /// Where the function that is being lowered stands: trees and texts are walked in the same order.
    fn function(&mut self) -> usize {
        self.functions.next().copied().unwrap_or(0)
    }
}

fn negated(expression: Expression, not: bool) -> Expression {
    if not { Expression::Not(Box::new(expression)) } else { expression }
}

fn singular(origin: Origin, steps: &[SingularQuerySegment]) -> Operand {
    let step = |step: &SingularQuerySegment| match step {
        SingularQuerySegment::Index(index) => Step::Index(*index),
        SingularQuerySegment::Name(name) => Step::Name(name.as_str().into()),
    };
    Operand::Path(Singular { origin, steps: steps.iter().map(step).collect() })
}
