//! What our procurement system is offered of a partner that sells to us.

use std::{collections::HashMap, sync::Arc};

use super::choose::BackendRoute;
use crate::{
    format::Names,
    ids::BackendId,
    mapping::{
        compile::CompiledSet,
        exposed::{Expose, Notify},
        program::Tables,
    },
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

/// An event of the partner that our procurement system is told of.
#[derive(Debug, Clone)]
pub struct Notifier {
    /// The event, and where it is told.
    pub notify: Arc<Notify>,
    /// The look-up that follows it, and what becomes of its answer.
    pub exposer: Exposer,
}

/// What the procurement systems of these routes are told by themselves.
pub(super) fn notifiers(
    contracts: &[&'static Contract],
    compiled: &HashMap<Arc<str>, Arc<CompiledSet>>,
    routes: &[BackendRoute],
) -> Vec<Notifier> {
    let sets = routes.iter().filter_map(|route| Some((route, compiled.get(&route.mapping)?)));
    let all = sets.flat_map(|(route, set)| set.notifies.iter().map(move |notify| (route, set, notify)));
    let made = all.filter_map(|(route, set, notify)| {
        let exposer = exposer(contracts, set, route, &notify.follow)?;
        Some(Notifier { notify: Arc::clone(notify), exposer })
    });
    made.collect()
}

/// What the procurement systems of these routes are offered.
pub(super) fn exposers(
    contracts: &[&'static Contract],
    compiled: &HashMap<Arc<str>, Arc<CompiledSet>>,
    routes: &[BackendRoute],
) -> Vec<Exposer> {
    let sets = routes.iter().filter_map(|route| Some((route, compiled.get(&route.mapping)?)));
    let all = sets.flat_map(|(route, set)| set.exposes.iter().map(move |expose| (route, set, expose)));
    all.filter_map(|(route, set, expose)| exposer(contracts, set, route, expose)).collect()
}

fn exposer(
    contracts: &[&'static Contract],
    set: &CompiledSet,
    route: &BackendRoute,
    expose: &Arc<Expose>,
) -> Option<Exposer> {
    let contract =
        contracts.iter().copied().find(|contract| contract.function.name() == &*expose.function)?;
    let operation = contract.operation(&expose.operation_id)?;
    Some(Exposer {
        expose: Arc::clone(expose),
        contract,
        operation,
        duty: duty_of(contract.function, &operation.operation_id)?,
        backend: route.settings.backend.value.clone(),
        names: Arc::clone(&set.names),
        tables: set.tables.clone(),
    })
}
