//! What our procurement system is offered of a partner that sells to us.

use std::{collections::HashMap, sync::Arc};

use super::choose::BackendRoute;
use crate::{
    format::Names,
    ids::BackendId,
    mapping::{compile::CompiledSet, exposed::Expose, program::Tables},
    sonata::{
        Contract, Operation,
        entity::{Duty, duty_of},
    },
};

/// A message of our procurement system, and the partner's operation that it becomes.
#[derive(Debug, Clone)]
pub struct Exposer {
    /// Method, path, and what becomes of it.
    pub expose: Arc<Expose>,
    /// The contract of the partner's release.
    pub contract: &'static Contract,
    /// The operation.
    pub operation: &'static Operation,
    /// What it does to entities.
    pub duty: &'static Duty,
    /// The procurement system.
    pub backend: BackendId,
    /// What the mapping set says once about the elements of its XML.
    pub names: Arc<Names>,
    /// Tables in the place of those that the programs name.
    pub tables: Tables,
}

/// What the procurement systems of these routes are offered.
pub(super) fn exposers(
    contracts: &[&'static Contract],
    compiled: &HashMap<Arc<str>, Arc<CompiledSet>>,
    routes: &[BackendRoute],
) -> Vec<Exposer> {
    let mut list = Vec::new();
    for route in routes {
        let Some(set) = compiled.get(&route.mapping) else { continue };
        for expose in &set.exposes {
            let contract =
                contracts.iter().copied().find(|contract| contract.function.name() == &*expose.function);
            let found = contract.and_then(|contract| {
                let operation = contract.operation(&expose.operation_id)?;
                Some((contract, operation, duty_of(contract.function, &operation.operation_id)?))
            });
            let Some((contract, operation, duty)) = found else { continue };
            list.push(Exposer {
                expose: Arc::clone(expose),
                contract,
                operation,
                duty,
                backend: route.settings.backend.value.clone(),
                names: Arc::clone(&set.names),
                tables: set.tables.clone(),
            });
        }
    }
    list
}
