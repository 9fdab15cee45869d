//! One partner's part of the plan: its release, its routes and how each operation is served.

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::Hash as _,
    sync::Arc,
};

use http::Method;

use super::{
    choose::{BackendRoute, Target},
    edge::{self, Edge, Edges},
    exposer::{Bought, Exposer, Notifier, exposers, notifiers},
    pool::{Alike, Keepers, Pool},
    receiver::{Receiver, Watcher, receivers},
    route::{Route, RouteError, split_path},
};
use crate::{
    config::{Partner, Side, Switch},
    format::Names,
    ids::{BackendId, PartnerId},
    legacy::BackendSettings,
    mapping::{
        compile::CompiledSet,
        operation::{Answer, Handling, OperationProgram},
        program::{Origin, Shared, Tables},
    },
    notify,
    sonata::{
        Contract, Found, Function, Products, Release, catalogue,
        entity::{Act, duty_of},
        events::{HubAct, functions_with_events, listener},
        rules::{RuleBook, Rules},
    },
};

/// How an operation is served.
#[derive(Debug, Clone)]
pub enum Served {
    /// By legacy calls.
    Mapped(Arc<MappedOperation>),
    /// By the gateway itself, with what it keeps.
    Gateway,
    /// By people: `manual`.
    Manual,
    /// Not at all: `off`.
    Off,
    /// Not at all: the mapping set does not have it.
    Unmapped,
    /// Not at all: no route is for it.
    Unrouted,
}

impl Served {
    /// The mapping, where legacy calls serve it.
    #[must_use]
    pub fn mapped(&self) -> Option<&Arc<MappedOperation>> {
        match self {
            Self::Mapped(operation) => Some(operation),
            Self::Gateway | Self::Manual | Self::Off | Self::Unmapped | Self::Unrouted => None,
        }
    }

    /// How it is told in a word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Mapped(_) => "legacy",
            Self::Gateway => "gateway",
            Self::Manual => "manual",
            Self::Off => "off",
            Self::Unmapped => "unmapped",
            Self::Unrouted => "no route",
        }
    }
}

/// An operation as the partner's mapping carries it out.
#[derive(Debug, Clone)]
pub struct MappedOperation {
    /// The calls, their messages and the answer.
    pub program: Arc<OperationProgram>,
    /// Attributes whose mapped value wins over what the Buyer sent (`echo: false`), as custody names them.
    pub echo_off: Arc<[Box<str>]>,
    /// Its backend, whatever the partner's routes say.
    pub backend: Option<BackendId>,
    /// What the mapping set says once about the elements of its XML.
    pub names: Arc<Names>,
    /// Tables in the place of those that the program names.
    pub tables: Tables,
}

impl MappedOperation {
    /// The same with its tables in the program, for whoever looks into that and does not run it.
    #[must_use]
    pub fn whole(&self) -> Self {
        let program = if self.tables.is_empty() {
            Arc::clone(&self.program)
        } else {
            Arc::new(self.program.with_tables(&self.tables))
        };
        Self { program, tables: Tables::NONE, ..self.clone() }
    }
}

impl MappedOperation {
    /// An operation that calls nothing and maps nothing.
    #[must_use]
    pub fn nothing(operation_id: &str) -> Self {
        let program = OperationProgram {
            operation_id: operation_id.into(),
            origin: Origin { file: "".into(), line: 0, column: 0, address: operation_id.into() },
            handling: Handling::Legacy,
            calls: Box::default(),
            answer: Answer::Empty,
            on: Shared::default(),
            paging: None,
            filters: Box::default(),
            order: None,
            complete: None,
            expires: None,
        };
        Self {
            program: Arc::new(program),
            echo_off: Arc::default(),
            backend: None,
            names: Arc::default(),
            tables: Tables::NONE,
        }
    }
}

/// A partner, ready to be served.
#[derive(Clone)]
pub struct PartnerPlan {
    settings: Arc<Partner>,
    notifications: Option<Arc<notify::Settings>>,
    /// What everything behind an edge works by.
    contracts: Vec<&'static Contract>,
    /// Where the partner's own contract is another one.
    edges: Edges,
    products: HashMap<Release, Products>,
    served: Vec<(Function, Arc<OfFunction>)>,
    rules: Arc<RuleBook>,
    pub(super) routes: Vec<BackendRoute>,
    /// The backends that keep entities of a kind.
    pub(super) keepers: Arc<Keepers>,
    receivers: Vec<Receiver>,
    watchers: Vec<Watcher>,
    endpoint: Option<Arc<BackendSettings>>,
    exposers: Vec<Exposer>,
    notifiers: Vec<Notifier>,
}

/// A partner's settings, how it is told of what changes, and where it is called.
pub(super) type Terms = (Arc<Partner>, Option<Arc<notify::Settings>>, Option<Arc<BackendSettings>>);

/// The ways of all operations of one function.
pub(super) type OfFunction = Vec<(&'static str, Arc<Ways>)>;

/// All ways of one operation.
#[derive(Debug, Clone)]
pub(super) struct Ways {
    /// The best of them.
    served: Served,
    /// One for each route, in order.
    targets: Vec<Target>,
}

impl Ways {
    fn new(targets: Vec<Target>, function: Function, operation_id: &str) -> Self {
        let begins = duty_of(function, operation_id)
            .is_none_or(|duty| duty.about.is_none() && matches!(duty.act, Act::Create | Act::Ask));
        let reaches =
            |target: &&Target| if begins { target.is_named } else { target.served.mapped().is_some() };
        let mut reached = targets.iter().filter(reaches);
        let best = reached.clone().find(|target| target.served.mapped().is_some());
        let best = best.or_else(|| reached.next()).or_else(|| targets.iter().find(|target| target.is_named));
        Self { served: best.map_or(Served::Unrouted, |target| target.served.clone()), targets }
    }

    /// Those of an operation on subscriptions, which no legacy system has to do with.
    fn of_hub(switch: Switch, notifications: Option<&notify::Settings>, function: Function) -> Self {
        let is_told = notifications.is_some_and(|notifications| notifications.tells(function));
        let is_on = switch != Switch::Off;
        let served = if is_told && is_on { Served::Gateway } else { Served::Off };
        Self { served, targets: Vec::new() }
    }
}

impl PartnerPlan {
    pub(super) fn new(
        (settings, notifications, endpoint): Terms,
        contracts: &[&'static Contract],
        products: HashMap<Release, Products>,
        compiled: &HashMap<Arc<str>, Arc<CompiledSet>>,
        routes: Vec<BackendRoute>,
        pool: &Pool,
    ) -> Self {
        // What we buy, the partner is not served.
        let sells = settings.side == Side::Seller;
        let functions = contracts.iter().filter(|_| sells).map(|contract| contract.function);
        let edges = Edges::of(functions.map(|function| (settings.releases.of(function), function)));
        let contracts = edge::written(&settings, contracts);
        let served = contracts.iter().filter(|_| sells).map(|contract| {
            let ids = contract.operations.iter().map(|operation| operation.operation_id.as_str());
            let edge = edges.find(contract.function);
            let ways = |id| {
                let spoken = edge.and_then(|edge| edge.spoken_as(id)).unwrap_or(id);
                let switch = settings.operations.switch(contract.function, spoken);
                match HubAct::of(id) {
                    Some(_) => Ways::of_hub(switch, notifications.as_deref(), contract.function),
                    None => ways(switch, compiled, &routes, contract.function, (id, spoken)),
                }
            };
            let rows: OfFunction = ids.map(|id| (id, pool.ways.one(ways(id)))).collect();
            (contract.function, pool.functions.one(rows))
        });
        let served = served.collect();
        let release = |function| settings.releases.of(function);
        let bought = Bought { release: &release, contracts: &contracts };
        let notifiers = if sells { Vec::new() } else { notifiers(&bought, compiled, &routes) };
        let ((receivers, watchers), exposers) = if sells {
            (receivers(&contracts, compiled, &routes), Vec::new())
        } else {
            (Default::default(), exposers(&bought, compiled, &routes))
        };
        let rules = RuleBook::of(&settings.rules.levels, |function| settings.releases.of(function));
        let keepers = Arc::default();
        let mut plan = Self {
            settings,
            notifications,
            contracts,
            edges,
            products,
            served,
            rules,
            routes,
            keepers,
            receivers,
            watchers,
            endpoint,
            exposers,
            notifiers,
        };
        plan.keepers = pool.keepers.one(plan.find_keepers());
        plan
    }

    fn find_keepers(&self) -> Keepers {
        let mut all = Keepers::new();
        for (function, id, _) in self.operations() {
            let Some(duty) = duty_of(function, id).filter(|duty| duty.act != Act::Ask) else { continue };
            let keepers = all.entry(duty.kind).or_default();
            let targets = self.targets(function, id).iter();
            for target in targets.filter(|target| target.is_listed && target.served.mapped().is_some()) {
                if !keepers.contains(&target.backend) {
                    keepers.push(target.backend.clone());
                }
            }
        }
        all
    }

    /// The same partner with other programs in the place of those of these operations of these mapping sets.
    pub(super) fn with(&self, programs: Vec<(Arc<str>, Function, &'static str, OperationProgram)>) -> Self {
        let mut changed = self.clone();
        for (mapping, function, operation_id, program) in programs {
            let operations = changed.served.iter_mut().find(|(own, _)| *own == function);
            let operations = operations.map(|(_, operations)| Arc::make_mut(operations));
            let ways = operations.into_iter().flatten().find(|(id, _)| *id == operation_id);
            let Some((_, ways)) = ways else { continue };
            let ways = Arc::make_mut(ways);
            let program = Arc::new(program);
            let targets = ways.targets.iter_mut().filter(|target| target.mapping == mapping);
            for target in targets {
                let Some(mapped) = target.served.mapped() else { continue };
                let changed =
                    MappedOperation { program: Arc::clone(&program), ..MappedOperation::clone(mapped) };
                target.served = Served::Mapped(Arc::new(changed));
            }
            *ways = Ways::new(std::mem::take(&mut ways.targets), function, operation_id);
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

    /// How the partner is told of what changes, if it is.
    #[must_use]
    pub fn notifications(&self) -> Option<&Arc<notify::Settings>> {
        self.notifications.as_ref()
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

    /// What stands between the partner and its mapping, where its release has other messages or events of a function.
    #[must_use]
    pub fn edge(&self, function: Function) -> Option<&Arc<Edge>> {
        self.edges.find(function)
    }

    /// The operation behind the edge, if there is one, that an operation of the partner's release means; none where it does
    /// not come over.
    #[must_use]
    pub fn meant<'p>(&'p self, function: Function, operation_id: &'p str) -> Option<&'p str> {
        match self.edge(function) {
            None => Some(operation_id),
            Some(edge) => Some(&edge.crossing(operation_id)?.operation.operation_id),
        }
    }

    /// All that stands between the partner and its mappings.
    pub fn edges(&self) -> impl Iterator<Item = &Arc<Edge>> {
        self.edges.iter()
    }

    /// The contracts of its functions, as everything behind an edge works by them.
    pub(super) fn contracts(&self) -> &[&'static Contract] {
        &self.contracts
    }

    /// The contract by which a function is worked on: that of the partner's release, or behind an edge that of its mapping.
    #[must_use]
    pub fn contract(&self, function: Function) -> Option<&'static Contract> {
        self.contracts.iter().copied().find(|contract| contract.function == function)
    }

    /// What the guides ask of an operation's messages, as far as the partner's settings want that looked at.
    #[must_use]
    pub fn rules(&self, function: Function, operation_id: &str) -> &Rules {
        self.rules.rules(function, operation_id)
    }

    /// How an operation is served, by the best of its ways.
    #[must_use]
    pub fn served(&self, function: Function, operation_id: &str) -> &Served {
        self.ways(function, operation_id).map_or(&Served::Unmapped, |ways| &ways.served)
    }

    fn ways(&self, function: Function, operation_id: &str) -> Option<&Ways> {
        let (_, operations) = self.served.iter().find(|(own, _)| *own == function)?;
        operations.iter().find(|(id, _)| *id == operation_id).map(|(_, ways)| &**ways)
    }

    /// The ways of an operation, one for each route, in order.
    #[must_use]
    pub fn targets(&self, function: Function, operation_id: &str) -> &[Target] {
        self.ways(function, operation_id).map_or(&[], |ways| &ways.targets)
    }

    /// Every mapping of an operation, one for each mapping set that has it.
    pub fn mapped(&self, function: Function, operation_id: &str) -> Vec<(&Arc<str>, &Arc<MappedOperation>)> {
        let mut found: Vec<(&Arc<str>, &Arc<MappedOperation>)> = Vec::new();
        for target in self.targets(function, operation_id) {
            if let Some(operation) = target.served.mapped()
                && found.iter().all(|(mapping, _)| *mapping != &target.mapping)
            {
                found.push((&target.mapping, operation));
            }
        }
        found
    }

    /// The messages that its legacy systems send.
    #[must_use]
    pub fn receivers(&self) -> &[Receiver] {
        &self.receivers
    }

    /// What its legacy systems are asked for again and again.
    #[must_use]
    pub fn watchers(&self) -> &[Watcher] {
        &self.watchers
    }

    /// What our procurement system is offered of it.
    #[must_use]
    pub fn exposers(&self) -> &[Exposer] {
        &self.exposers
    }

    /// Its events that our procurement system is told of.
    #[must_use]
    pub fn notifiers(&self) -> &[Notifier] {
        &self.notifiers
    }

    /// Where it tells us of an event: the operation of the listener that a path means, and the function that it is about.
    #[must_use]
    pub fn listener(&self, path: &str) -> Option<(Function, Route<'static>)> {
        let parts = split_path(&self.settings.base_path, path)?;
        let mut listeners = functions_with_events()
            .filter_map(|function| Some((function, listener(self.release(function), function)?)));
        let (function, contract) = listeners
            .find(|(_, contract)| contract.segment == parts.segment && contract.major() == parts.major)?;
        match contract.find(&Method::POST, parts.rest) {
            Found::Operation(operation, _) => Some((function, Route::to(contract, operation))),
            Found::OtherMethods(_) | Found::Nothing => None,
        }
    }

    /// Where it is called, where it sells to us.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Arc<BackendSettings>> {
        self.endpoint.as_ref()
    }

    /// Whether it buys from us.
    #[must_use]
    pub fn is_buyer(&self) -> bool {
        self.settings.side == Side::Seller
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &[BackendRoute] {
        &self.routes
    }

    /// The mapping sets, in the order of the routes.
    pub fn mappings(&self) -> impl Iterator<Item = &Arc<str>> {
        let routes = self.routes.iter().enumerate();
        let first = routes.filter(|(index, route)| {
            self.routes.iter().take(*index).all(|before| before.mapping != route.mapping)
        });
        first.map(|(_, route)| &route.mapping)
    }

    /// The contracts that the partner speaks.
    fn spoken(&self) -> impl Iterator<Item = &'static Contract> {
        let own = |contract: &&'static Contract| {
            self.edges.find(contract.function).map_or(*contract, |edge| edge.spoken)
        };
        self.contracts.iter().map(own)
    }

    /// All operations of its contracts, in the order of the catalogue.
    pub fn operations(&self) -> impl Iterator<Item = (Function, &'static str, &Served)> {
        self.contracts.iter().flat_map(|contract| {
            contract.operations.iter().map(|operation| {
                let id = operation.operation_id.as_str();
                (contract.function, id, self.served(contract.function, id))
            })
        })
    }

    /// The operation that a method and a path mean, in the partner's own release.
    ///
    /// # Errors
    /// [`RouteError`] where the path is none of the partner's releases, or not with this method.
    pub fn route<'p>(&self, method: &Method, path: &'p str) -> Result<Route<'p>, RouteError> {
        let parts = split_path(&self.settings.base_path, path).ok_or(RouteError::NoSuchPath)?;
        let contract = self
            .spoken()
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
}

impl Served {
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mapped(own), Self::Mapped(other)) => {
                Arc::ptr_eq(&own.program, &other.program)
                    && Arc::ptr_eq(&own.names, &other.names)
                    && own.tables.is_like(&other.tables)
                    && own.echo_off == other.echo_off
                    && own.backend == other.backend
            }
            (own, other) => own.as_str() == other.as_str(),
        }
    }
}

impl Target {
    fn is_like(&self, other: &Self) -> bool {
        let plain = |one: &Self| (one.route, one.is_named, one.is_listed);
        plain(self) == plain(other)
            && (&self.home, &self.backend, &self.mapping) == (&other.home, &other.backend, &other.mapping)
            && self.served.is_like(&other.served)
    }
}

impl Alike for Ways {
    fn sign(&self, hasher: &mut DefaultHasher) {
        for target in &self.targets {
            (&target.home, target.route, target.served.as_str()).hash(hasher);
            if let Some(operation) = target.served.mapped() {
                Arc::as_ptr(&operation.program).hash(hasher);
            }
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.targets.len() == other.targets.len()
            && self.served.is_like(&other.served)
            && self.targets.iter().zip(&other.targets).all(|(own, other)| own.is_like(other))
    }
}

impl Alike for OfFunction {
    fn sign(&self, hasher: &mut DefaultHasher) {
        for (id, ways) in self {
            (*id, Arc::as_ptr(ways)).hash(hasher);
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        let mut pairs = self.iter().zip(other);
        self.len() == other.len()
            && pairs.all(|(own, other)| own.0 == other.0 && Arc::ptr_eq(&own.1, &other.1))
    }
}

/// The ways of an operation. The mappings of routes that share a set are shared.
fn ways(
    switch: Switch,
    compiled: &HashMap<Arc<str>, Arc<CompiledSet>>,
    routes: &[BackendRoute],
    function: Function,
    (operation_id, spoken): (&str, &str),
) -> Ways {
    let mut known: HashMap<&str, Served> = HashMap::new();
    let targets = routes.iter().enumerate().map(|(index, route)| {
        let served = known.entry(&route.mapping).or_insert_with(|| match compiled.get(&route.mapping) {
            Some(compiled) => serve(switch, compiled, function, operation_id),
            None => Served::Unmapped,
        });
        Target::new((index, route), served.clone(), function, (operation_id, spoken))
    });
    Ways::new(targets.collect(), function, operation_id)
}

/// The partner's switches stand before what the mapping set says.
fn serve(switch: Switch, compiled: &CompiledSet, function: Function, operation_id: &str) -> Served {
    match switch {
        Switch::Off => return Served::Off,
        Switch::Manual => return Served::Manual,
        Switch::On => {}
    }
    match compiled.operations.get(format!("{}.{operation_id}", function.name()).as_str()) {
        None => Served::Unmapped,
        Some(operation) => match operation.program.handling {
            Handling::Legacy => Served::Mapped(Arc::new(MappedOperation {
                program: Arc::clone(&operation.program),
                echo_off: Arc::clone(&operation.not_echoed),
                backend: operation.backend.as_ref().and_then(|(name, _)| BackendId::parse(name).ok()),
                names: Arc::clone(&compiled.names),
                tables: operation.tables.clone(),
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
