//! Where an exchange goes: what the partner's routes say of its request, and what is known of the entity that it names.

use std::sync::Arc;

use super::{
    error::ExchangeError,
    inventory,
    request::Received,
    story::Story,
    subject::{self, Subject},
};
use crate::{
    custody::{self, Owner},
    ids::BackendId,
    json::Node,
    legacy::BackendSettings,
    plan::{Asked, MappedOperation, NoRoute, PartnerPlan, Plan, Route, Served},
    sonata::{
        Function,
        entity::{Act, Duty, EntityKind},
    },
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
    named: &Named,
) -> Result<Ways, ExchangeError> {
    if duty.act == Act::List || (duty.act == Act::Retrieve && duty.kind.has_legacy_ids()) {
        return of_all(plan, partner, asked);
    }
    of_one(plan, partner, asked, duty, named).map(|first| Ways { first, others: Vec::new() })
}

fn of_one(
    plan: &Plan,
    partner: &PartnerPlan,
    asked: &Asked<'_>,
    duty: &Duty,
    named: &Named,
) -> Result<Way, ExchangeError> {
    let subject = named.subject.as_ref();
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
    if let Some(products) = &named.products {
        let name = (asked.function, asked.operation_id);
        let way = keeper(plan, partner, name, &products.backend).ok_or(ExchangeError::NotServed)?;
        if let Some(pointer) = &products.added {
            let target = partner.choose(asked).map_err(ExchangeError::NotRouted)?;
            if target.backend != way.backend.id {
                return Err(apart(pointer.clone()));
            }
        }
        return Ok(way);
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

/// The way of an operation that is answered here: it calls nothing.
///
/// # Errors
/// None in practice: a partner has a route, and its backend is configured.
pub fn nowhere(plan: &Plan, partner: &PartnerPlan, route: &Route<'_>) -> Result<Way, ExchangeError> {
    let missing = || ExchangeError::Internal("the partner has no route".to_owned());
    let home = partner.routes().first().ok_or_else(missing)?;
    let operation = MappedOperation::nothing(&route.operation.operation_id);
    let backend = &home.settings.backend.value;
    Way::new(plan, &Arc::new(operation), backend, backend)
}

/// The way of an operation on what a backend keeps; none where no legacy call serves it there.
pub fn keeper(
    plan: &Plan,
    partner: &PartnerPlan,
    (function, operation_id): (Function, &str),
    backend: &BackendId,
) -> Option<Way> {
    let target = partner.keeper(function, operation_id, backend)?;
    Way::new(plan, target.served.mapped()?, backend, backend).ok()
}

/// What a request names that is kept already.
#[derive(Default)]
pub struct Named {
    /// The entity that it is about.
    pub subject: Option<Subject>,
    /// The products that it changes or ends.
    pub products: Option<Products>,
}

/// Products that a request changes or ends; all are at one backend.
pub struct Products {
    /// Which.
    backend: BackendId,
    /// JSON Pointer to the first item that does something else.
    added: Option<String>,
}

/// What a request names that is kept already.
///
/// # Errors
/// 404 or 422 for what this partner does not have; 422 where the products that it names are at several backends.
pub async fn named(
    story: &Story<'_>,
    owner: &Owner,
    partner: &PartnerPlan,
    duty: &Duty,
    received: &Received,
) -> Result<Named, ExchangeError> {
    if duty.act == Act::List {
        return Ok(Named::default());
    }
    let subject = subject::find(story, owner, partner, duty, received).await?;
    let mut homes = partner.routes().iter().map(|route| &route.settings.backend.value);
    let first = homes.next();
    let products = match &received.body {
        Some(body) if duty.act == Act::Create && homes.any(|home| Some(home) != first) => {
            products(story, owner, partner, duty, body.root()).await?
        }
        _ => None,
    };
    Ok(Named { subject, products })
}

async fn products(
    story: &Story<'_>,
    owner: &Owner,
    partner: &PartnerPlan,
    duty: &Duty,
    body: Node<'_>,
) -> Result<Option<Products>, ExchangeError> {
    // What is wrong with them is told when they are held against the inventory.
    let items = custody::repeating(duty.kind, body).unwrap_or_default();
    let mut home: Option<BackendId> = None;
    let backends = subject::keepers(partner, EntityKind::Product);
    let found = inventory::products(story, owner, &backends, &items).await?;
    for item in &items {
        let product = found.get(&item.product);
        let Some(backend) = product.and_then(|product| product.backend.as_ref()) else { continue };
        if home.get_or_insert_with(|| backend.clone()) != backend {
            return Err(apart(format!("{}/id", item.pointer)));
        }
    }
    Ok(home.map(|backend| Products { backend, added: first_added(duty, body) }))
}

/// Where the first item is that adds a product.
fn first_added(duty: &Duty, body: Node<'_>) -> Option<String> {
    let array = duty.kind.facts().items?;
    let mut elements = body.get(array)?.elements();
    let index = elements.position(|item| item.get("action").is_some_and(|action| action.is_text("add")))?;
    Some(format!("/{array}/{index}"))
}

fn apart(pointer: String) -> ExchangeError {
    let reason = "this cannot be asked for together with the products of the other items";
    ExchangeError::NotRouted(NoRoute::Body { pointer, reason })
}

/// The mapping of an operation that legacy calls serve.
///
/// # Errors
/// Nobody serves it, or people do.
pub fn mapped(served: &Served) -> Result<&Arc<MappedOperation>, ExchangeError> {
    match served {
        Served::Mapped(operation) => Ok(operation),
        Served::Manual => Err(ExchangeError::Manual),
        Served::Gateway | Served::Off | Served::Unmapped | Served::Unrouted => Err(ExchangeError::NotServed),
    }
}

fn unreachable_backend(backend: &BackendId) -> ExchangeError {
    ExchangeError::Internal(format!(
        "backend `{backend}` keeps the entity and no route leads there; add `{{ backend: {backend}, new: false }}`"
    ))
}
