//! What a partner's legacy systems tell of themselves, ready to be understood.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    choose::BackendRoute,
    partner::{MappedOperation, PartnerPlan},
};
use crate::{
    ids::{BackendId, PartnerId},
    mapping::{
        compile::CompiledSet,
        news::{News, Receive, Segment, Watch},
        operation::{Answer, Handling, OperationProgram},
        program::Shared,
    },
    sonata::{
        Contract, Operation,
        entity::{Duty, EntityKind, duty_of, retrieval_of},
    },
};

/// How what is told of a kind of entity is understood: as the answer to a look-up of it would be.
#[derive(Debug, Clone)]
pub struct Understanding {
    /// The kind.
    pub kind: EntityKind,
    /// What a look-up does, as custody sees it.
    pub duty: &'static Duty,
    /// The contract of the look-up.
    pub contract: &'static Contract,
    /// The look-up.
    pub operation: &'static Operation,
    /// Its mapping: no call, and the message in the place of the reply.
    pub mapped: Arc<MappedOperation>,
}

/// A message that a legacy system sends, and who may send it.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Method, path and what it says.
    pub receive: Arc<Receive>,
    /// How it is understood.
    pub understanding: Understanding,
    /// The backends that may send it: those that speak the mapping set, or the one that is named there.
    pub backends: Vec<BackendId>,
}

/// The entries of all partners by method and path: of what partners have alike each is looked at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// By the first segment of the path.
    named: HashMap<Box<str>, Vec<Received>>,
    /// Those that begin with a value.
    others: Vec<Received>,
}

/// One method and path, and who receives it.
#[derive(Debug, Clone)]
pub struct Received {
    /// One of the entries, for its method and path.
    pub receive: Arc<Receive>,
    /// The partners, each with which of its receivers it is, in the order of both.
    pub by: Vec<(PartnerId, usize)>,
}

impl Table {
    /// That of all partners.
    pub(super) fn of(partners: &BTreeMap<PartnerId, Arc<PartnerPlan>>) -> Self {
        let mut table = Self::default();
        for (id, partner) in partners {
            for (index, receiver) in partner.receivers().iter().enumerate() {
                let receive = &receiver.receive;
                let rows = match receive.path.first() {
                    Some(Segment::Literal(name)) => table.named.entry(name.clone()).or_default(),
                    _ => &mut table.others,
                };
                let is_same = |row: &&mut Received| {
                    Arc::ptr_eq(&row.receive, receive)
                        || (&row.receive.method, &row.receive.path) == (&receive.method, &receive.path)
                };
                match rows.iter_mut().find(is_same) {
                    Some(row) => row.by.push((id.clone(), index)),
                    None => {
                        rows.push(Received { receive: Arc::clone(receive), by: vec![(id.clone(), index)] });
                    }
                }
            }
        }
        table
    }

    /// Those that a path may mean.
    pub(super) fn under(&self, path: &str) -> impl Iterator<Item = &Received> {
        let first = path.strip_prefix('/').and_then(|path| path.split('/').next());
        let named = first.and_then(|name| self.named.get(name));
        named.into_iter().flatten().chain(&self.others)
    }
}

/// A list that a legacy system is asked for again and again, for everybody whose entities it may speak of.
#[derive(Debug, Clone)]
pub struct Watcher {
    /// The mapping set that it stands in.
    pub set: Arc<str>,
    /// What is asked, and what is said then.
    pub watch: Arc<Watch>,
    /// How it is understood.
    pub understanding: Understanding,
    /// The backends that are asked: those that speak the mapping set, or the one that is named there.
    pub backends: Vec<BackendId>,
}

/// What the legacy systems of these routes tell, and what they are asked for.
pub(super) fn receivers(
    contracts: &[&'static Contract],
    compiled: &HashMap<Arc<str>, Arc<CompiledSet>>,
    routes: &[BackendRoute],
) -> (Vec<Receiver>, Vec<Watcher>) {
    let (mut list, mut watchers) = (Vec::new(), Vec::new());
    let mut sets: Vec<&Arc<str>> = routes.iter().map(|route| &route.mapping).collect();
    sets.dedup();
    for (index, name) in sets.iter().enumerate() {
        let Some(set) = compiled.get(*name).filter(|_| !sets.iter().take(index).any(|set| set == name))
        else {
            continue;
        };
        let homes = routes.iter().filter(|route| route.mapping == **name);
        let homes: Vec<BackendId> = homes.map(|route| route.settings.backend.value.clone()).collect();
        for receive in &set.receives {
            let own = receive.backend.as_ref().and_then(|name| BackendId::parse(name).ok());
            let Some(understanding) = understanding(contracts, set, &receive.news) else { continue };
            let backends = own.map_or_else(|| homes.clone(), |own| vec![own]);
            list.push(Receiver { receive: Arc::clone(receive), understanding, backends });
        }
        for watch in &set.watches {
            let own = watch.backend.as_ref().and_then(|name| BackendId::parse(name).ok());
            let Some(understanding) = understanding(contracts, set, &watch.news) else { continue };
            let backends = own.map_or_else(|| homes.clone(), |own| vec![own]);
            let (set, watch) = (Arc::clone(name), Arc::clone(watch));
            watchers.push(Watcher { set, watch, understanding, backends });
        }
    }
    (list, watchers)
}

/// How a message is understood; none where the partner's releases do not have what it speaks of.
fn understanding(contracts: &[&'static Contract], set: &CompiledSet, news: &News) -> Option<Understanding> {
    let (kind, program) = (EntityKind::parse(&news.kind)?, &news.program);
    let program = OperationProgram {
        operation_id: retrieval_of(kind)?.1.into(),
        origin: news.origin.clone(),
        handling: Handling::Legacy,
        calls: Box::default(),
        answer: Answer::Reply(Arc::clone(program)),
        on: Shared::default(),
        paging: None,
        filters: Box::default(),
        order: None,
        complete: None,
        expires: None,
    };
    let mapped = MappedOperation {
        program: Arc::new(program),
        echo_off: news.not_echoed.iter().cloned().collect(),
        backend: None,
        names: Arc::clone(&set.names),
        tables: set.tables.clone(),
    };
    Understanding::new(contracts, kind, mapped)
}

impl Understanding {
    /// How the reply of a call is understood that an operation's mapping makes about what it made.
    #[must_use]
    pub fn of(
        partner: &PartnerPlan,
        kind: EntityKind,
        own: &MappedOperation,
        program: &Arc<OperationProgram>,
    ) -> Option<Self> {
        let mapped = MappedOperation { program: Arc::clone(program), ..own.clone() };
        Self::new(partner.contracts(), kind, mapped)
    }

    fn new(contracts: &[&'static Contract], kind: EntityKind, mapped: MappedOperation) -> Option<Self> {
        let (function, id) = retrieval_of(kind)?;
        let contract = contracts.iter().copied().find(|contract| contract.function == function)?;
        let operation = contract.operation(id)?;
        Some(Self { kind, duty: duty_of(function, id)?, contract, operation, mapped: Arc::new(mapped) })
    }
}
