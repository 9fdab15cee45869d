//! Checking the query of a request against the operation's parameters.

use super::{format, words::some_of};
use crate::{
    json::number,
    sonata::{
        Contract, Operation, QueryParameter, TypeId, TypeView,
        fault::bounded,
        types::{Kind, Type},
    },
};
use std::borrow::Cow;

/// What is wrong with a query: codes of `Error400Code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryCode {
    /// A parameter that must be given is not.
    MissingQueryParameter,
    /// A parameter without value.
    MissingQueryValue,
    /// An unknown or repeated parameter, or a value that it does not take.
    InvalidQuery,
}

impl QueryCode {
    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingQueryParameter => "missingQueryParameter",
            Self::MissingQueryValue => "missingQueryValue",
            Self::InvalidQuery => "invalidQuery",
        }
    }
}

/// One thing that is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryFault {
    /// What kind of thing.
    pub code: QueryCode,
    /// Why; may be shown to the partner.
    pub reason: String,
}

/// Checks decoded name and value pairs. Nothing comes back if nothing is wrong.
///
/// `buyerId` and `sellerId` are known wherever the operation declares them; whether they must or must not be there
/// is for the partner's settings to say.
pub fn check_query(
    contract: &Contract,
    operation: &Operation,
    pairs: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Vec<QueryFault> {
    let mut faults = Vec::new();
    let mut fault = |code, reason| faults.push(QueryFault { code, reason });
    for (index, (name, value)) in pairs.iter().enumerate() {
        let shown = bounded(name, 40);
        let Some(parameter) = operation.query.iter().find(|parameter| parameter.name == **name) else {
            fault(QueryCode::InvalidQuery, format!("unknown query parameter {shown}"));
            continue;
        };
        if !parameter.repeatable && pairs.iter().take(index).any(|(other, _)| other == name) {
            fault(QueryCode::InvalidQuery, format!("query parameter {shown} is given twice"));
        } else if value.is_empty() {
            fault(QueryCode::MissingQueryValue, format!("query parameter {shown} has no value"));
        } else if let Some(expected) = wrong(contract, parameter, value) {
            let value = bounded(value, 40);
            fault(
                QueryCode::InvalidQuery,
                format!("query parameter {shown} is \"{value}\", must be {expected}"),
            );
        }
    }
    let is_given = |parameter: &QueryParameter| pairs.iter().any(|(name, _)| *name == parameter.name);
    for parameter in operation.query.iter().filter(|parameter| parameter.required && !is_given(parameter)) {
        let reason = format!("query parameter {} is required", parameter.name);
        fault(QueryCode::MissingQueryParameter, reason);
    }
    faults
}

/// What the value should be, if it is not.
fn wrong(contract: &Contract, parameter: &QueryParameter, value: &str) -> Option<String> {
    let element = contract.view(parameter.value).item().map_or(parameter.value, TypeView::id);
    let expected = wrong_type(contract, element, value);
    let counts = matches!(parameter.name.as_str(), "offset" | "limit");
    expected.or_else(|| (counts && value.starts_with('-')).then(|| "0 or more".to_owned()))
}

fn wrong_type(contract: &Contract, id: TypeId, value: &str) -> Option<String> {
    let type_: &Type = contract.types().get(id);
    let is_of_kind = match type_.kind {
        Kind::Any | Kind::String => true,
        Kind::Boolean => matches!(value, "true" | "false"),
        // A query has no spellings of numbers but the plain one.
        Kind::Integer => value.parse::<i64>().is_ok() && !value.starts_with('+'),
        Kind::Number => number::is_number(value),
        Kind::Array | Kind::Object => false,
    };
    if !is_of_kind {
        return Some(type_.kind.name().to_owned());
    }
    if let Some(rules) = &type_.text {
        if !rules.values.is_empty() && !rules.values.iter().any(|own| **own == *value) {
            return Some(format!("one of {}", some_of(rules.values.iter().map(AsRef::as_ref))));
        }
        if let Some(format) = rules.format.filter(|format| !format::holds(*format, value)) {
            return Some(format!("a {}", format.name()));
        }
    }
    type_.all_of.iter().find_map(|other| wrong_type(contract, *other, value))
}
