//! Names that somebody gave: found, or refused with the nearest that there is.

use super::Misuse;
use crate::{
    plan::{PartnerPlan, Plan},
    sonata::{Contract, Function, Operation, catalogue},
    text::suggest,
};

/// Refuses a name that is none of those known.
///
/// # Errors
/// [`Misuse`], with the nearest name.
pub fn known<'k>(what: &str, name: &str, names: impl Iterator<Item = &'k str>) -> Result<(), Misuse> {
    let names: Vec<&str> = names.collect();
    if names.contains(&name) {
        return Ok(());
    }
    // `retrieveQuote` is `quote.retrieveQuote`, and `quote` asks for those of the function.
    let (heads, tails): (Vec<&str>, Vec<&str>) =
        names.iter().map(|name| name.split_once('.').unwrap_or((name, name))).unzip();
    let whole = |tail: &str| tails.iter().position(|own| *own == tail).and_then(|at| names.get(at).copied());
    let near =
        suggest(name, names.iter().copied()).or_else(|| suggest(name, tails.iter().copied()).and_then(whole));
    let asked = name.split_once('.').map_or(name, |(head, _)| head);
    let of_head = names.iter().zip(&heads).filter(|(_, head)| **head == asked).map(|(name, _)| *name);
    let shown: Vec<&str> = of_head.collect();
    let shown = if shown.is_empty() { names } else { shown };
    Err(Misuse(match near {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{name}`; there are: {}", shown.join(", ")),
    }))
}

/// A partner of the plan.
///
/// # Errors
/// [`Misuse`], with the nearest name.
pub fn find_partner<'p>(plan: &'p Plan, name: &str) -> Result<&'p PartnerPlan, Misuse> {
    known("partner", name, plan.partners().map(|partner| partner.id().as_str()))?;
    plan.partner(name).map(AsRef::as_ref).ok_or_else(|| Misuse(format!("there is no partner `{name}`")))
}

/// An operation `function.operationId` of a partner's releases.
///
/// # Errors
/// [`Misuse`], with the nearest name.
pub fn find_operation<'p>(
    plan: &'p Plan,
    partner: &str,
    name: &str,
) -> Result<(&'p PartnerPlan, &'static Contract, &'static Operation), Misuse> {
    let partner = find_partner(plan, partner)?;
    let names = partner.operations().map(|(function, id, _)| format!("{}.{id}", function.name()));
    let names: Vec<String> = names.collect();
    known("operation", name, names.iter().map(String::as_str))?;
    let found = name.split_once('.').and_then(|(function, id)| {
        let function = Function::parse(function)?;
        let contract = catalogue().contract(partner.release(function), function)?;
        Some((partner, contract, contract.operation(id)?))
    });
    found.ok_or_else(|| Misuse(format!("there is no operation `{name}`")))
}
