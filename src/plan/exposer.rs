//! What our procurement system is offered of a partner that sells to us.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    PartnerPlan,
    abroad::{Abroad, AtSeller},
    choose::BackendRoute,
    edge::{Edge, Telling, WRITTEN},
};
use crate::{
    format::Names,
    ids::{BackendId, PartnerId},
    mapping::{
        compile::CompiledSet,
        exposed::{Expose, Notify},
        news::Segment,
        program::Tables,
    },
    sonata::{
        Contract, Function, Operation, Release, catalogue,
        entity::{Act, Duty, duty_of},
        events,
    },
};

/// A message of our procurement system, and the partner's operation that it becomes.
#[derive(Debug, Clone)]
pub struct Exposer {
    /// Method, path, and what becomes of it.
    pub expose: Arc<Expose>,
    /// The contract of what mappings and custody work by: the partner's own, or where a bridge leads to it that of our words.
    pub contract: &'static Contract,
    /// The operation.
    pub operation: &'static Operation,
    /// What it is in the partner's release, or why it is nothing there.
    pub abroad: AtSeller,
    /// What it does to entities.
    pub duty: &'static Duty,
    /// The look-up of what it makes, its answer read in the same way; none where it makes nothing that can be looked up.
    pub again: Option<Arc<Exposer>>,
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
    /// Its `eventType` in the partner's release.
    pub event_type: Box<str>,
    /// The look-up that follows it, and what becomes of its answer.
    pub exposer: Exposer,
}

/// The entries of all partners by the first segment of their paths, in the order of partners and of their files.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    named: HashMap<Box<str>, Vec<(PartnerId, usize)>>,
    /// Those that begin with a value.
    others: Vec<(PartnerId, usize)>,
}

/// The table of all partners.
pub(super) fn table(partners: &BTreeMap<PartnerId, Arc<PartnerPlan>>) -> Table {
    let mut table = Table::default();
    for (id, partner) in partners {
        for (index, exposer) in partner.exposers().iter().enumerate() {
            let list = match exposer.expose.path.first() {
                Some(Segment::Literal(name)) => table.named.entry(name.clone()).or_default(),
                _ => &mut table.others,
            };
            list.push((id.clone(), index));
        }
    }
    table
}

impl Table {
    /// Those that a path may mean.
    pub(super) fn under<'t>(&'t self, path: &str) -> impl Iterator<Item = &'t (PartnerId, usize)> + use<'t> {
        let first = path.strip_prefix('/').and_then(|path| path.split('/').next());
        let named = first.and_then(|name| self.named.get(name));
        named.into_iter().flatten().chain(&self.others)
    }
}

/// What is bought of a partner, as far as its plan needs it: its releases, and the contracts by which mappings work.
pub(super) struct Bought<'b> {
    /// The release that a function is on.
    pub release: &'b dyn Fn(Function) -> Release,
    pub contracts: &'b [&'static Contract],
}

/// What the procurement systems of these routes are told by themselves; nothing that the partner cannot tell, or that could
/// not be looked up there.
pub(super) fn notifiers(
    bought: &Bought<'_>,
    compiled: &HashMap<Arc<str>, Arc<CompiledSet>>,
    routes: &[BackendRoute],
) -> Vec<Notifier> {
    let sets = routes.iter().filter_map(|route| Some((route, compiled.get(&route.mapping)?)));
    let all = sets.flat_map(|(route, set)| set.notifies.iter().map(move |notify| (route, set, notify)));
    let made = all.filter_map(|(route, set, notify)| {
        let exposer = exposer(bought, set, route, &notify.follow)?;
        let function = exposer.contract.function;
        let event_type = told_as((bought.release)(function), function, &notify.event)?;
        let exposer = Some(exposer).filter(|exposer| exposer.abroad.is_ok())?;
        Some(Notifier { notify: Arc::clone(notify), event_type: event_type.into(), exposer })
    });
    made.collect()
}

/// What an event of ours is called in a release; none where that does not have it.
pub(super) fn told_as(release: Release, function: Function, event: &str) -> Option<String> {
    events::listener(release, function)?;
    let Some(edge) = Edge::of(release, function) else { return Some(event.to_owned()) };
    match edge.told(events::event(function, event)?) {
        Telling::Same => Some(event.to_owned()),
        Telling::As(told) => Some(told.event_type.clone()),
        Telling::Not => None,
    }
}

/// What the procurement systems of these routes are offered.
pub(super) fn exposers(
    bought: &Bought<'_>,
    compiled: &HashMap<Arc<str>, Arc<CompiledSet>>,
    routes: &[BackendRoute],
) -> Vec<Exposer> {
    let sets = routes.iter().filter_map(|route| Some((route, compiled.get(&route.mapping)?)));
    let all = sets.flat_map(|(route, set)| set.exposes.iter().map(move |expose| (route, set, expose)));
    all.filter_map(|(route, set, expose)| exposer(bought, set, route, expose)).collect()
}

fn exposer(
    bought: &Bought<'_>,
    set: &CompiledSet,
    route: &BackendRoute,
    expose: &Arc<Expose>,
) -> Option<Exposer> {
    let own = bought.contracts.iter().copied().find(|one| one.function.name() == &*expose.function);
    // What the partner's release does not have is refused with the reason, so it is known here.
    let contract = own.or_else(|| catalogue().contract(WRITTEN, Function::parse(&expose.function)?))?;
    let operation = contract.operation(&expose.operation_id)?;
    let duty = duty_of(contract.function, &operation.operation_id)?;
    let abroad = |operation| Abroad::of((bought.release)(contract.function), contract.function, operation);
    let made = Exposer {
        expose: Arc::clone(expose),
        contract,
        operation,
        abroad: abroad(operation),
        duty,
        again: None,
        backend: route.settings.backend.value.clone(),
        names: Arc::clone(&set.names),
        tables: set.tables.clone(),
    };
    let again = look_up(contract, duty).map(|(operation, duty)| Exposer {
        operation,
        duty,
        abroad: abroad(operation),
        ..made.clone()
    });
    Some(Exposer { again: again.map(Arc::new), ..made })
}

/// The operation that looks up what another one makes.
fn look_up(contract: &'static Contract, of: &Duty) -> Option<(&'static Operation, &'static Duty)> {
    let mut all = contract.operations.iter().filter(|_| of.act == Act::Create);
    all.find_map(|operation| {
        let duty = duty_of(contract.function, &operation.operation_id)?;
        (duty.kind == of.kind && duty.act == Act::Retrieve).then_some((operation, duty))
    })
}
