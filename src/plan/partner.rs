//! One partner's part of the plan: its release, its routes and how each operation is served.

use std::{collections::HashMap, sync::Arc};

use http::Method;

use super::route::{Route, RouteError, split_path};
use crate::{
    config::{Partner, Switch},
    format::Names,
    ids::{BackendId, PartnerId},
    json::query::Condition,
    mapping::{
        compile::CompiledSet,
        operation::{Handling, OperationProgram},
    },
    sonata::{Contract, Found, Function, Products, Release, catalogue},
};

/// How an operation is served.
#[derive(Debug, Clone)]
pub enum Served {
    /// By legacy calls.
    Mapped(Arc<MappedOperation>),
    /// By people: `manual`.
    Manual,
    /// Not at all: `off`.
    Off,
    /// Not at all: the mapping set does not have it.
    Unmapped,
}

/// An operation as the partner's mapping carries it out.
#[derive(Debug, Clone)]
pub struct MappedOperation {
    /// The calls, their messages and the answer.
    pub program: Arc<OperationProgram>,
    /// Attributes whose mapped value wins over what the Buyer sent (`echo: false`), as custody names them.
    pub echo_off: Vec<Box<str>>,
    /// Its backend, whatever the partner's routes say.
    pub backend: Option<BackendId>,
    /// What the mapping set says once about the elements of its XML.
    pub names: Arc<Names>,
}

/// One backend among those of a partner, with the condition under which it is the one.
#[derive(Debug, Clone)]
pub struct BackendRoute {
    /// Tested on the request's body; none always holds.
    pub condition: Option<Condition>,
    /// The backend.
    pub backend: BackendId,
}

/// A partner, ready to be served.
#[derive(Clone)]
pub struct PartnerPlan {
    settings: Partner,
    contracts: Vec<&'static Contract>,
    products: HashMap<Release, Products>,
    served: HashMap<Function, HashMap<&'static str, Served>>,
    routes: Vec<BackendRoute>,
}

impl PartnerPlan {
    pub(super) fn new(
        settings: Partner,
        contracts: Vec<&'static Contract>,
        products: HashMap<Release, Products>,
        compiled: &CompiledSet,
        routes: Vec<BackendRoute>,
    ) -> Self {
        let served = contracts.iter().map(|contract| {
            let ids = contract.operations.iter().map(|operation| operation.operation_id.as_str());
            let rows = ids.map(|id| (id, serve(&settings, compiled, contract.function, id)));
            (contract.function, rows.collect())
        });
        let served = served.collect();
        Self { settings, contracts, products, served, routes }
    }

    /// The same partner with other programs in the place of those of these operations.
    pub(super) fn with(&self, programs: Vec<(Function, &'static str, OperationProgram)>) -> Self {
        let mut changed = self.clone();
        for (function, operation_id, program) in programs {
            let operations = changed.served.get_mut(&function);
            let served = operations.and_then(|operations| operations.get_mut(operation_id));
            if let Some(Served::Mapped(mapped)) = served {
                let changed =
                    MappedOperation { program: Arc::new(program), ..MappedOperation::clone(mapped) };
                *mapped = Arc::new(changed);
            }
        }
        changed
    }

    /// The partner's name.
    #[must_use]
    pub fn id(&self) -> &PartnerId {
        &self.settings.id
    }

    /// The partner's settings.
    #[must_use]
    pub fn settings(&self) -> &Partner {
        &self.settings
    }

    /// The release that a function is on.
    #[must_use]
    pub fn release(&self, function: Function) -> Release {
        self.settings.releases.of(function)
    }

    /// Product schemas of the function's release, with the partner's aliases.
    #[must_use]
    pub fn products(&self, function: Function) -> Option<&Products> {
        self.products.get(&self.release(function))
    }

    /// The contract of a function in the partner's release.
    #[must_use]
    pub fn contract(&self, function: Function) -> Option<&'static Contract> {
        self.contracts.iter().copied().find(|contract| contract.function == function)
    }

    /// How an operation is served.
    #[must_use]
    pub fn served(&self, function: Function, operation_id: &str) -> &Served {
        self.served
            .get(&function)
            .and_then(|operations| operations.get(operation_id))
            .unwrap_or(&Served::Unmapped)
    }

    /// All operations of the partner's releases, in the order of the catalogue.
    pub fn operations(&self) -> impl Iterator<Item = (Function, &'static str, &Served)> {
        self.contracts.iter().flat_map(|contract| {
            contract.operations.iter().map(|operation| {
                let id = operation.operation_id.as_str();
                (contract.function, id, self.served(contract.function, id))
            })
        })
    }

    /// The operation that a method and a path mean.
    ///
    /// # Errors
    /// [`RouteError`] where the path is none of the partner's releases, or not with this method.
    pub fn route<'p>(&self, method: &Method, path: &'p str) -> Result<Route<'p>, RouteError> {
        let parts = split_path(&self.settings.base_path, path).ok_or(RouteError::NoSuchPath)?;
        let mut contracts = self.contracts.iter().copied();
        let contract = contracts
            .find(|contract| contract.segment == parts.segment && contract.major() == parts.major)
            .ok_or(RouteError::NoSuchPath)?;
        match contract.find(method, parts.rest) {
            Found::Operation(operation, values) => Ok(Route::new(contract, operation, values)),
            Found::OtherMethods(methods) => {
                let allow: Vec<&str> = methods.into_iter().map(Method::as_str).collect();
                Err(RouteError::MethodNotAllowed { allow: allow.join(", ") })
            }
            Found::Nothing => Err(RouteError::NoSuchPath),
        }
    }

    /// All backends that a request may go to by the partner's routes.
    pub fn backends(&self) -> impl Iterator<Item = &BackendId> {
        self.routes.iter().map(|route| &route.backend)
    }

    /// The backend for a request: the first whose condition holds.
    #[must_use]
    pub fn backend(&self, body: Option<crate::json::Node<'_>>) -> Option<&BackendId> {
        let mut routes = self.routes.iter();
        let route = routes.find(|route| match (&route.condition, body) {
            (None, _) => true,
            (Some(condition), Some(body)) => condition.holds(body, body),
            (Some(_), None) => false,
        });
        route.map(|route| &route.backend)
    }
}

/// The partner's switches stand before what the mapping set says.
fn serve(settings: &Partner, compiled: &CompiledSet, function: Function, operation_id: &str) -> Served {
    match settings.operations.switch(function, operation_id) {
        Switch::Off => return Served::Off,
        Switch::Manual => return Served::Manual,
        Switch::On => {}
    }
    match compiled.operations.get(&format!("{}.{operation_id}", function.name())) {
        None => Served::Unmapped,
        Some(operation) => match operation.program.handling {
            Handling::Legacy => Served::Mapped(Arc::new(MappedOperation {
                program: Arc::clone(&operation.program),
                echo_off: operation.not_echoed.iter().cloned().collect(),
                backend: operation.backend.as_ref().and_then(|(name, _)| BackendId::parse(name).ok()),
                names: Arc::clone(&compiled.names),
            })),
            Handling::Manual => Served::Manual,
            Handling::Off => Served::Off,
        },
    }
}

/// The contracts of a partner: for every function that of its release.
pub(super) fn contracts(settings: &Partner) -> Vec<&'static Contract> {
    let functions = Function::all().filter(|function| !function.is_notification());
    functions.filter_map(|function| catalogue().contract(settings.releases.of(function), function)).collect()
}
