//! What an operation of ours is at a Seller on another release: mapping sets, and all that is kept of what was bought, are in
//! the words of one release, and what goes to a Seller is in its own.
//!
//! The mirror of [`super::edge`]: there a partner asks and the programs lead from its release to ours, here we ask.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use super::{bridges::Line, edge::WRITTEN};
use crate::{
    mapping::program::Program,
    sonata::{Contract, Function, Operation, Release, catalogue},
};

/// An operation as a Seller has it.
#[derive(Debug)]
pub struct Abroad {
    /// The contract of its release.
    pub contract: &'static Contract,
    /// The operation.
    pub operation: &'static Operation,
    /// Programs that carry a request of ours there, in order; none where it is the same in both releases.
    pub request: Vec<Arc<Program>>,
    /// Programs that carry its answer home, in order.
    pub answer: Vec<Arc<Program>>,
}

/// What an operation of ours is at a Seller, or why it is nothing there.
pub type AtSeller = Result<Arc<Abroad>, Arc<str>>;

/// What was asked for once, by our operationId.
type Known = HashMap<(Release, Function, &'static str), AtSeller>;

impl Abroad {
    /// What an operation of ours is in a release.
    ///
    /// # Errors
    /// It is nothing there: why.
    pub fn of(release: Release, function: Function, operation: &'static Operation) -> AtSeller {
        // What the program brings along does not change, so it is put together once.
        static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let id = operation.operation_id.as_str();
        known.entry((release, function, id)).or_insert_with(|| Self::new(release, function, id)).clone()
    }

    fn new(release: Release, function: Function, id: &str) -> AtSeller {
        let none = || Arc::from(format!("{release} has no such function"));
        let contract = catalogue().contract(release, function).ok_or_else(none)?;
        let ours = catalogue().contract(WRITTEN, function);
        if ours.is_some_and(|ours| ours.is_same_as(contract)) {
            let operation = contract.operation(id).ok_or_else(none)?;
            return Ok(Arc::new(Self { contract, operation, request: Vec::new(), answer: Vec::new() }));
        }
        let line = Line::between(WRITTEN, release).ok_or_else(none)?;
        let Some(crossed) = line.operation(function.name(), id) else {
            return Err(line.missing(function.name(), id).map_or_else(none, |(_, why)| why.into()));
        };
        let operation = contract.operation(&crossed.operation_id).ok_or_else(none)?;
        Ok(Arc::new(Self { contract, operation, request: crossed.request, answer: crossed.answer }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(release: &str, function: Function, id: &str) -> Result<String, String> {
        let ours = catalogue().contract(WRITTEN, function).unwrap().operation(id).unwrap();
        let found = Abroad::of(Release::parse(release).unwrap(), function, ours);
        let found = found.map_err(|why| why.to_string())?;
        Ok(format!("{}{}", found.contract.base_path(), found.operation.path_text()))
    }

    #[test]
    fn what_is_asked_for_is_found_where_the_seller_has_it() {
        let rows = [
            ("grace", Function::QUOTE, "createQuote", "/mefApi/sonata/quoteManagement/v8/quote"),
            ("billie", Function::QUOTE, "createQuote", "/mefApi/sonata/quoteManagement/v7/quote"),
            ("kylie", Function::QUOTE, "rejectQuote", "/mefApi/sonata/quoteManagement/v10/declineQuote"),
            (
                "billie",
                Function::ORDER,
                "createModifyProductOrderItemRequestedDeliveryDate",
                "/mefApi/sonata/productOrderingManagement/v7/modifyProductOrderItemCompletionDate",
            ),
        ];
        for (release, function, id, path) in rows {
            assert_eq!(at(release, function, id).as_deref(), Ok(path), "{release} {id}");
        }
        assert_eq!(
            at("billie", Function::APPOINTMENT, "createAppointment"),
            Err("billie has no such function".to_owned())
        );
    }
}
