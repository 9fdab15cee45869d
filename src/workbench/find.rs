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

/// An operation that somebody named.
#[derive(Clone, Copy)]
pub struct FoundOperation<'p> {
    /// Whose it is.
    pub partner: &'p PartnerPlan,
    /// The contract of the partner's release.
    pub contract: &'static Contract,
    /// The operation in it.
    pub operation: &'static Operation,
    /// The contract that the mapping is written for; another one where a bridge stands between.
    pub written: &'static Contract,
    /// The operation in that.
    pub meant: &'static Operation,
}

impl FoundOperation<'_> {
    /// As the partner calls it: `function.operationId`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.contract.function.name(), self.operation.operation_id)
    }

    /// As the mapping calls it.
    #[must_use]
    pub fn mapped_name(&self) -> String {
        format!("{}.{}", self.written.function.name(), self.meant.operation_id)
    }
}

/// An operation `function.operationId` of a partner's releases; by the name that the mapping has for it as well, where that is
/// another one.
///
/// # Errors
/// [`Misuse`], with the nearest name.
pub fn find_operation<'p>(plan: &'p Plan, partner: &str, name: &str) -> Result<FoundOperation<'p>, Misuse> {
    let partner = find_partner(plan, partner)?;
    let all: Vec<FoundOperation<'p>> = Function::all().flat_map(|function| of(partner, function)).collect();
    let own = all.iter().find(|one| one.name() == name);
    if let Some(found) = own.or_else(|| all.iter().find(|one| one.mapped_name() == name)) {
        return Ok(*found);
    }
    let names: Vec<String> = all.iter().map(FoundOperation::name).collect();
    known("operation", name, names.iter().map(String::as_str))?;
    Err(Misuse(format!("there is no operation `{name}`")))
}

/// The operations of a function that a partner may ask for.
fn of(partner: &PartnerPlan, function: Function) -> impl Iterator<Item = FoundOperation<'_>> {
    let contracts = catalogue().contract(partner.release(function), function).zip(partner.contract(function));
    contracts.into_iter().flat_map(move |(contract, written)| {
        contract.operations.iter().filter_map(move |operation| {
            let meant = written.operation(partner.meant(function, &operation.operation_id)?)?;
            Some(FoundOperation { partner, contract, operation, written, meant })
        })
    })
}
