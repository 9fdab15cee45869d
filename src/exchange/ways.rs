//! Where an exchange goes: what the partner's routes say of its request, and what is known of the entity that it names.

use std::sync::Arc;

use super::{error::ExchangeError, subject::Subject};
use crate::{
    ids::BackendId,
    legacy::BackendSettings,
    plan::{Asked, MappedOperation, NoRoute, PartnerPlan, Plan, Served},
    sonata::entity::{Act, Duty},
};

/// One way to a legacy system.
pub struct Way {
    /// How it is spoken to.
    pub operation: Arc<MappedOperation>,
    /// The legacy system.
    pub backend: Arc<BackendSettings>,
    /// The route's own backend, by whose ids an answer names other entities. An operation with a backend of its own,
    /// such as a ticket system, speaks of what is at home there.
    pub home: BackendId,
}

impl Way {
    fn new(
        plan: &Plan,
        operation: &Arc<MappedOperation>,
        backend: &BackendId,
        home: &BackendId,
    ) -> Result<Self, ExchangeError> {
        let missing = || ExchangeError::Internal(format!("backend `{backend}` is not configured"));
        let settings = plan.backend(backend).cloned().ok_or_else(missing)?;
        Ok(Self { operation: Arc::clone(operation), backend: settings, home: home.clone() })
    }
}

/// Where an operation goes.
pub struct Ways {
    /// The way; of a list the first.
    pub first: Way,
    /// Of a list those that keep other parts of it; else other legacy systems that may know what the first does not:
    /// a public catalogue's, where nothing is kept of who has what.
    pub others: Vec<Way>,
}

/// Where an operation goes: to the backend that keeps what it names, else by what it says; a list to all that may keep
/// something of it.
///
/// # Errors
/// No route takes it, or it is not served by way of the route that does.
pub fn of(
    plan: &Plan,
    partner: &PartnerPlan,
    asked: &Asked<'_>,
    duty: &Duty,
    subject: Option<&Subject>,
) -> Result<Ways, ExchangeError> {
    if duty.act == Act::List || (duty.act == Act::Retrieve && duty.kind.has_legacy_ids()) {
        return of_all(plan, partner, asked);
    }
    of_one(plan, partner, asked, duty, subject).map(|first| Ways { first, others: Vec::new() })
}

fn of_one(
    plan: &Plan,
    partner: &PartnerPlan,
    asked: &Asked<'_>,
    duty: &Duty,
    subject: Option<&Subject>,
) -> Result<Way, ExchangeError> {
    let kept = subject.and_then(|subject| subject.backend.as_ref());
    if let Some(kept) = kept.filter(|_| subject.is_some_and(|subject| !subject.kind.has_legacy_ids())) {
        let target = partner.keeper(asked.function, asked.operation_id, kept);
        let target = target.ok_or_else(|| unreachable_backend(kept))?;
        let operation = mapped(&target.served)?;
        let own = operation.backend.as_ref();
        let home = if own.is_some() { &target.home } else { kept };
        // What is made at a backend of its own is not made where the entity is that it belongs to.
        let backend = own.filter(|_| duty.act == Act::Create).unwrap_or(kept);
        return Way::new(plan, operation, backend, home);
    }
    let target = match duty.act {
        Act::Create | Act::Ask => partner.choose(asked),
        _ => partner.possible(asked).and_then(|found| {
            let first = found.first().map(|(target, _)| *target);
            first.ok_or(NoRoute::Operation)
        }),
    };
    let target = target.map_err(ExchangeError::NotRouted)?;
    Way::new(plan, mapped(&target.served)?, &target.backend, &target.home)
}

/// Every backend that may keep something of what is asked for, in the order of the routes.
fn of_all(plan: &Plan, partner: &PartnerPlan, asked: &Asked<'_>) -> Result<Ways, ExchangeError> {
    let found = partner.possible(asked).map_err(ExchangeError::NotRouted)?;
    let mut ways =
        found.into_iter().map(|(target, operation)| Way::new(plan, operation, &target.backend, &target.home));
    let first = ways.next().ok_or(ExchangeError::NotServed)??;
    Ok(Ways { first, others: ways.collect::<Result<_, _>>()? })
}

/// The mapping of an operation that legacy calls serve.
///
/// # Errors
/// Nobody serves it, or people do.
pub fn mapped(served: &Served) -> Result<&Arc<MappedOperation>, ExchangeError> {
    match served {
        Served::Mapped(operation) => Ok(operation),
        Served::Manual => Err(ExchangeError::Manual),
        Served::Off | Served::Unmapped | Served::Unrouted => Err(ExchangeError::NotServed),
    }
}

fn unreachable_backend(backend: &BackendId) -> ExchangeError {
    ExchangeError::Internal(format!(
        "backend `{backend}` keeps the entity and no route leads there; add `{{ backend: {backend}, new: false }}`"
    ))
}
