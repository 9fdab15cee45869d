//! What stands between a partner that speaks another release and mappings, which are written for grace: for each
//! function whose messages or events differ, the programs that carry them over.
//!
//! The partner's contract decides at the wire, that of grace everywhere behind it. Where both are the same there is no
//! edge, and a partner without edges pays for none.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use super::bridges::{self, Line};
use crate::{
    config::Partner,
    json::Builder,
    mapping::{bridge::carry, program::Program, value::Value},
    sonata::{
        Contract, Function, Operation, Release, catalogue,
        events::{EVENTS, EventFacts, listener},
    },
};

/// The release in whose words sets, custody and events are.
pub(super) const WRITTEN: Release = Release::GRACE;

/// One function of a partner on another release.
#[derive(Debug)]
pub struct Edge {
    /// The partner's contract.
    pub spoken: &'static Contract,
    /// The contract of what is behind the edge.
    pub written: &'static Contract,
    /// By the partner's operationId; what is missing does not come over.
    crossings: BTreeMap<&'static str, Crossing>,
    /// By the name of the path at the listener of [`Edge::written`]; none where both releases tell the same.
    told: Option<BTreeMap<&'static str, Told>>,
    /// The contract of the partner's listener.
    pub listener: Option<&'static Contract>,
    /// What stands before the id in an address behind the edge, and before the edge, from the base path on: those of renamed
    /// resources, then what is left.
    pub addresses: Vec<(String, String)>,
}

/// One operation on both sides of an edge.
#[derive(Debug)]
pub struct Crossing {
    /// What it is behind the edge.
    pub operation: &'static Operation,
    /// Programs that carry its request there, in order.
    pub request: Vec<Arc<Program>>,
    /// Programs that carry its answer back, in order.
    pub answer: Vec<Arc<Program>>,
}

/// One event as a partner's release tells it.
#[derive(Debug)]
pub struct Told {
    /// What stands behind `/listener/`.
    pub path: String,
    /// Its `eventType`.
    pub event_type: String,
    /// How we call it.
    pub event: &'static EventFacts,
    /// The operation of the partner's listener.
    pub operation: &'static Operation,
    /// Programs that carry its message to the partner, in order.
    pub message: Vec<Arc<Program>>,
}

/// Of each function the edge, once one was asked for; none where nothing differs.
type Known = HashMap<(Release, Function), Option<Arc<Edge>>>;

impl Edge {
    /// What stands between a function in a release and the mapping; none where nothing has to, or where only one of the
    /// releases has the function.
    #[must_use]
    pub fn of(release: Release, function: Function) -> Option<Arc<Self>> {
        // What the program brings along does not change, so it is put together once.
        static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let edge = known.entry((release, function)).or_insert_with(|| Self::new(release, function));
        edge.clone()
    }

    fn new(release: Release, function: Function) -> Option<Arc<Self>> {
        let spoken = catalogue().contract(release, function)?;
        let written = catalogue().contract(WRITTEN, function)?;
        let (own, other) = (listener(release, function), listener(WRITTEN, function));
        let tells_same = match (own, other) {
            (Some(own), Some(other)) => own.is_same_as(other),
            (None, _) | (_, None) => true,
        };
        if spoken.is_same_as(written) && tells_same {
            return None;
        }
        let line = Line::between(release, WRITTEN)?;
        let crossings = spoken.operations.iter().filter_map(|operation| {
            let crossed = line.operation(function.name(), &operation.operation_id)?;
            let counterpart = written.operation(&crossed.operation_id)?;
            let (request, answer) = (crossed.request, crossed.answer);
            Some((operation.operation_id.as_str(), Crossing { operation: counterpart, request, answer }))
        });
        let crossings: BTreeMap<_, _> = crossings.collect();
        // Nothing is told of what is not offered.
        let told = own.zip(other).filter(|_| !tells_same || crossings.is_empty());
        let told = told.map(|(own, other)| events(release, function, own, other));
        let addresses = addresses((written, spoken), &crossings);
        Some(Arc::new(Self { spoken, written, crossings, told, listener: own, addresses }))
    }

    /// An operation by the partner's operationId; none where it does not come over.
    #[must_use]
    pub fn crossing(&self, operation_id: &str) -> Option<&Crossing> {
        self.crossings.get(operation_id)
    }

    /// The partner's name of an operation behind the edge.
    #[must_use]
    pub fn spoken_as(&self, operation_id: &str) -> Option<&'static str> {
        let mut all = self.crossings.iter();
        all.find(|(_, crossing)| crossing.operation.operation_id == operation_id).map(|(own, _)| *own)
    }

    /// All that the partner may be told, where that is not what we tell.
    pub fn all_told(&self) -> Option<impl Iterator<Item = &Told>> {
        self.told.as_ref().map(BTreeMap::values)
    }

    /// How the partner is told of an event, as far as that is another way than ours.
    #[must_use]
    pub fn told(&self, event: &EventFacts) -> Telling<'_> {
        match &self.told {
            None => Telling::Same,
            Some(told) => told.get(event.path).map_or(Telling::Not, Telling::As),
        }
    }
}

/// The [`Edge::addresses`] of two contracts.
fn addresses(
    (written, spoken): (&Contract, &'static Contract),
    crossings: &BTreeMap<&'static str, Crossing>,
) -> Vec<(String, String)> {
    let (ours, theirs) = (written.base_path(), spoken.base_path());
    let of = |operation: &Operation| operation.path_text().strip_suffix("{id}").map(str::to_owned);
    let renamed = spoken.operations.iter().filter_map(|spoken| {
        let crossing = crossings.get(spoken.operation_id.as_str())?;
        Some((of(crossing.operation)?, of(spoken)?)).filter(|(written, spoken)| written != spoken)
    });
    let renamed = renamed.map(|(written, spoken)| (format!("{ours}{written}"), format!("{theirs}{spoken}")));
    renamed.chain(std::iter::once((format!("{ours}/"), format!("{theirs}/")))).collect()
}

/// How a partner is told of an event.
#[derive(Debug, Clone, Copy)]
pub enum Telling<'e> {
    /// As we tell it.
    Same,
    /// In the words of its own release.
    As(&'e Told),
    /// Not at all: its release does not have it.
    Not,
}

/// The events of a function that a release has, by the path that we tell them at.
fn events(
    release: Release,
    function: Function,
    own: &'static Contract,
    other: &'static Contract,
) -> BTreeMap<&'static str, Told> {
    let (Some(line), Some(telling)) = (Line::between(WRITTEN, release), function.notification()) else {
        return BTreeMap::new();
    };
    let at = |contract: &'static Contract, path: &str| {
        contract.operations.iter().find(|one| one.path_text() == path)
    };
    let ours = EVENTS.iter().filter(|event| event.function == function);
    let told = ours.filter_map(|event| {
        let operation = at(other, &format!("/listener/{}", event.path))?;
        let crossed = line.operation(telling.name(), &operation.operation_id)?;
        let counterpart = own.operation(&crossed.operation_id)?;
        let path = counterpart.path_text().strip_prefix("/listener/")?.to_owned();
        let event_type = event_type(event, &crossed.request)?;
        let message = crossed.request;
        Some((event.path, Told { path, event_type, event, operation: counterpart, message }))
    });
    told.collect()
}

/// What a type of event is called after these steps.
fn event_type(event: &EventFacts, steps: &[Arc<Program>]) -> Option<String> {
    let mut builder = Builder::new();
    let inner = builder.object();
    for name in ["id", "href"].into_iter().chain(event.item).chain(event.element) {
        let value = builder.string("1");
        builder.set(inner, name, value);
    }
    let root = builder.object();
    let texts = [("eventId", "1"), ("eventTime", "2000-01-01T00:00:00Z"), ("eventType", event.event_type)];
    for (name, text) in texts {
        let value = builder.string(text);
        builder.set(root, name, value);
    }
    builder.set(root, "event", inner);
    let message = builder.finish(root);
    // From kylie on an event says which state was reached.
    let reached = ["state", "status"].map(|name| (name.into(), Value::text("acknowledged".to_owned())));
    let within = |name: &'static str, value| Value::Object(vec![(name.into(), value)]);
    let known = within("entity", within("document", Value::Object(reached.into())));
    let carried = carry(steps, &message, &known).ok()?;
    let told = carried.body.as_ref().unwrap_or(&message).root().get("eventType")?.as_str()?.into_owned();
    Some(told)
}

/// Compiles what stands between these partners' releases and our words, side by side, before one after the other is asked for.
pub(super) fn prepare<'p>(partners: impl Iterator<Item = &'p Partner>) {
    let named = partners.flat_map(|settings| {
        let releases = &settings.releases;
        std::iter::once(&releases.default).chain(releases.functions.values()).map(|named| named.value)
    });
    let mut releases: BTreeSet<Release> = named.collect();
    releases.retain(|release| {
        let differs = |function| {
            let (own, ours) =
                (catalogue().contract(*release, function), catalogue().contract(WRITTEN, function));
            own.zip(ours).is_some_and(|(own, ours)| !own.is_same_as(ours))
        };
        catalogue().functions(*release).any(differs)
    });
    if !releases.is_empty() {
        bridges::prepare(&releases, WRITTEN);
    }
}

/// The contracts by which everything behind a partner's edges works.
pub(super) fn written(settings: &Partner, contracts: &[&'static Contract]) -> Vec<&'static Contract> {
    let behind = |contract: &&'static Contract| {
        let edge = Edge::of(settings.releases.of(contract.function), contract.function);
        edge.map_or(*contract, |edge| edge.written)
    };
    contracts.iter().map(behind).collect()
}

/// The edges of a partner, by function.
#[derive(Debug, Clone, Default)]
pub struct Edges(Option<Arc<[Arc<Edge>]>>);

impl Edges {
    /// Those of these contracts of a partner, each with its release.
    pub(super) fn of(contracts: impl Iterator<Item = (Release, Function)>) -> Self {
        let all: Vec<Arc<Edge>> =
            contracts.filter_map(|(release, function)| Edge::of(release, function)).collect();
        Self((!all.is_empty()).then(|| all.into()))
    }

    /// The edge of a function.
    #[must_use]
    pub fn find(&self, function: Function) -> Option<&Arc<Edge>> {
        self.0.as_ref()?.iter().find(|edge| edge.spoken.function == function)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Edge>> {
        self.0.iter().flat_map(|all| all.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonata::events::functions_with_events;

    /// Events of ours that a release does not have, or that no bridge carries to it.
    const UNTOLD: [(&str, usize); 7] =
        [("billie", 3), ("celine", 0), ("dolly", 0), ("ella", 0), ("fergie", 9), ("grace", 0), ("kylie", 10)];

    #[test]
    fn what_is_behind_an_edge_is_known_by_both_names() {
        for release in catalogue().releases() {
            let mut untold = 0;
            for function in catalogue().functions(release).filter(|function| !function.is_notification()) {
                let Some(edge) = Edge::of(release, function) else { continue };
                assert_eq!((edge.spoken.function, edge.written.function), (function, function));
                for (own, crossing) in &edge.crossings {
                    let id = crossing.operation.operation_id.as_str();
                    assert_eq!(edge.spoken_as(id), Some(*own), "{release} {function}");
                }
                let events = EVENTS.iter().filter(|event| event.function == function);
                untold += events.filter(|event| matches!(edge.told(event), Telling::Not)).count();
            }
            let expected = UNTOLD.iter().find(|(name, _)| *name == release.as_str()).map(|row| row.1);
            assert_eq!(Some(untold), expected, "{release}");
        }
        assert!(functions_with_events().all(|function| Edge::of(Release::GRACE, function).is_none()));
    }

    #[test]
    fn events_have_the_names_of_their_release() {
        let named = |release: &str, function, path: &str| {
            let edge = Edge::of(Release::parse(release).unwrap(), function).unwrap();
            let event = EVENTS.iter().find(|event| event.path == path).unwrap();
            match edge.told(event) {
                Telling::As(told) => format!("{} {}", told.path, told.event_type),
                other => format!("{other:?}"),
            }
        };
        let modify = "modifyProductOrderItemRequestedDeliveryDateStateChangeEvent";
        let older = "modifyProductOrderItemCompletionDateStateChangeEvent";
        assert_eq!(named("billie", Function::ORDER, modify), format!("{older} {older}"));
        assert_eq!(named("billie", Function::QUOTE, "quoteStateChangeEvent"), "Same");
        let set = "productOrderItemExpectedCompletionDateSet";
        assert_eq!(named("kylie", Function::ORDER, set), format!("{set}Event {set}Event"));
        let quote = "quoteStateChangeEvent";
        assert_eq!(named("kylie", Function::QUOTE, quote), format!("{quote} {quote}"));
        assert_eq!(named("kylie", Function::POQ, "poqCreateEvent"), "Not");
    }
}
