//! What would make a condition hold, for whoever makes up documents that meet it.

use super::{
    Condition,
    expression::{Expression, Literal, Operand, Operator},
    path::{Path, Singular},
};

/// Most ways that are told of one condition.
const WAYS_MAX: usize = 16;

/// What must be at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'c> {
    /// This value.
    Equal(&'c Literal),
    /// Another value than this, or nothing.
    Other(&'c Literal),
    /// A greater value.
    More(&'c Literal),
    /// A smaller value.
    Less(&'c Literal),
    /// Anything.
    There,
    /// Nothing.
    Nothing,
}

/// One place and what must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand<'c> {
    /// The place.
    pub path: &'c Singular,
    /// What must be there.
    pub wanted: Wanted<'c>,
}

impl Condition {
    /// Ways to make the condition hold, or not hold: in each, all demands must be met. What cannot be said by
    /// demands (`length`, `match`, a comparison of two places) demands nothing, so whoever met them tests again. At
    /// most 16 ways.
    #[must_use]
    pub fn ways(&self, holds: bool) -> Vec<Vec<Demand<'_>>> {
        ways(&self.expression, holds)
    }
}

fn ways(expression: &Expression, holds: bool) -> Vec<Vec<Demand<'_>>> {
    let mut found: Vec<Vec<Demand<'_>>> = match (expression, holds) {
        (Expression::Not(inner), _) => ways(inner, !holds),
        (Expression::Or(parts), true) | (Expression::And(parts), false) => {
            parts.iter().flat_map(|part| ways(part, holds)).collect()
        }
        (Expression::And(parts), true) | (Expression::Or(parts), false) => {
            parts.iter().fold(vec![Vec::new()], |all, part| all_with(&all, &ways(part, holds)))
        }
        (Expression::Exists(Path::Singular(path)), _) => {
            vec![vec![Demand { path, wanted: if holds { Wanted::There } else { Wanted::Nothing } }]]
        }
        (Expression::Compare(Operand::Path(path), operator, Operand::Literal(literal)), _) => {
            compared(path, *operator, literal, holds)
        }
        (Expression::Compare(Operand::Literal(literal), operator, Operand::Path(path)), _) => {
            compared(path, mirrored(*operator), literal, holds)
        }
        _ => vec![Vec::new()],
    };
    found.truncate(WAYS_MAX);
    found
}

/// Every way of the one with every way of the other.
fn all_with<'c>(all: &[Vec<Demand<'c>>], more: &[Vec<Demand<'c>>]) -> Vec<Vec<Demand<'c>>> {
    let pairs = all.iter().flat_map(|one| more.iter().map(move |other| [&one[..], &other[..]].concat()));
    pairs.take(WAYS_MAX).collect()
}

fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        same => same,
    }
}

fn compared<'c>(
    path: &'c Singular,
    operator: Operator,
    literal: &'c Literal,
    holds: bool,
) -> Vec<Vec<Demand<'c>>> {
    let wanted = match (operator, holds) {
        (Operator::Equal | Operator::LessOrEqual | Operator::GreaterOrEqual, true)
        | (Operator::NotEqual | Operator::Less | Operator::Greater, false) => Wanted::Equal(literal),
        (Operator::Equal, false) | (Operator::NotEqual, true) => Wanted::Other(literal),
        (Operator::Less, true) | (Operator::GreaterOrEqual, false) => Wanted::Less(literal),
        (Operator::Greater, true) | (Operator::LessOrEqual, false) => Wanted::More(literal),
    };
    vec![vec![Demand { path, wanted }]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, holds: bool) -> Vec<String> {
        let condition = Condition::parse(text).unwrap();
        let way = |way: &Vec<Demand<'_>>| {
            way.iter()
                .map(|demand| format!("{} {:?}", demand.path, demand.wanted))
                .collect::<Vec<_>>()
                .join(", ")
        };
        condition.ways(holds).iter().map(way).collect()
    }

    #[test]
    fn every_form_has_its_ways() {
        for (text, holds, wanted) in [
            ("@.a == 'x'", true, r#"@['a'] Equal(Text("x"))"#),
            ("@.a == 'x'", false, r#"@['a'] Other(Text("x"))"#),
            ("3 < @.a", true, r#"@['a'] More(Number("3"))"#),
            ("@.a <= 3", false, r#"@['a'] More(Number("3"))"#),
            ("!@.a", true, "@['a'] Nothing"),
            ("$.b.c", true, "$['b']['c'] There"),
            ("length(@.a) > 3", true, ""),
        ] {
            assert_eq!(shown(text, holds), [wanted], "{text}");
        }
        assert_eq!(
            shown("@.a && (@.b || @.c)", true),
            ["@['a'] There, @['b'] There", "@['a'] There, @['c'] There"]
        );
        assert_eq!(shown("@.a && @.b", false), ["@['a'] Nothing", "@['b'] Nothing"]);
        assert_eq!(shown("@.a || @.b", false), ["@['a'] Nothing, @['b'] Nothing"]);
    }
}
