//! The bridges that the program brings along, and lines of them between releases that are no neighbours.
//!
//! A pair is compiled when somebody first needs it. Releases between which nothing differs for an operation cost
//! nothing: a line then has no programs for it.

use super::{ContractSchema, spread::spread};
use crate::{
    json::Document,
    mapping::{
        bridge::{Bridge, Carried, Note, ProductPair, Way, carry},
        compile::{Shores, compile_bridge},
        facts::Facts,
        program::Program,
        schema::Interface,
    },
    sonata::{Release, catalogue},
    text::{Diagnostics, FileSet, Sources},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

/// The files of one bridge: names of its releases with a `-` between them, names and texts.
struct Shipped {
    pair: &'static str,
    files: &'static [(&'static str, &'static str)],
    compiled: OnceLock<Option<Arc<Bridge>>>,
}

macro_rules! shipped {
    ($pair:literal, [$($file:literal),* $(,)?]) => {
        Shipped {
            pair: $pair,
            files: &[$((
                concat!($file, ".yaml"),
                include_str!(concat!("../../mappings/bridges/", $pair, "/", $file, ".yaml")),
            )),*],
            compiled: OnceLock::new(),
        }
    };
}

static SHIPPED: [Shipped; 6] = [
    shipped!(
        "billie-celine",
        [
            "inventory",
            "order",
            "orderNotification",
            "poq",
            "products",
            "quote",
            "troubleTicket",
            "troubleTicketNotification"
        ]
    ),
    shipped!(
        "celine-dolly",
        ["inventory", "order", "products", "quote", "troubleTicket", "troubleTicketNotification"]
    ),
    shipped!("dolly-ella", ["appointment", "order", "products", "troubleTicket", "workOrder"]),
    shipped!("ella-fergie", ["billing", "billingNotification", "products"]),
    shipped!("fergie-grace", ["availabilityPricing", "catalog", "catalogNotification", "products"]),
    shipped!(
        "grace-kylie",
        [
            "address",
            "appointment",
            "appointmentNotification",
            "availabilityPricing",
            "billing",
            "billingNotification",
            "catalog",
            "catalogNotification",
            "common",
            "inventory",
            "order",
            "orderNotification",
            "poq",
            "poqNotification",
            "quote",
            "quoteNotification",
            "site",
            "troubleTicket",
            "troubleTicketNotification",
            "workOrder",
            "workOrderNotification"
        ]
    ),
];

/// The contracts of a release as a side of a bridge.
#[must_use]
pub fn shore(release: Release) -> Arc<ContractSchema> {
    let contracts =
        catalogue().functions(release).filter_map(|function| catalogue().contract(release, function));
    Arc::new(ContractSchema::new(contracts.collect(), catalogue().products(release)).shore(release.as_str()))
}

/// Compiles the bridge between two releases from its files; what is wrong is pushed to `out`, and with an error among it
/// there is none.
pub fn compile(
    (older, newer): (Release, Release),
    files: &FileSet,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<Bridge> {
    let (older, newer) = (shore(older), shore(newer));
    let api = Arc::clone(&newer) as Arc<dyn Interface>;
    compile_bridge(files, &Shores { older: &*older, newer: &*newer, api }, sources, out)
}

/// The files of the bridge between two neighbours that the program brings along.
#[must_use]
pub fn shipped_files(older: Release, newer: Release) -> Option<FileSet> {
    let pair = format!("{older}-{newer}");
    let shipped = SHIPPED.iter().find(|shipped| shipped.pair == pair)?;
    Some(FileSet::of(&format!("bridges/{pair}"), shipped.files.iter().copied()))
}

/// The bridge between two neighbours that the program brings along.
#[must_use]
pub fn shipped(older: Release, newer: Release) -> Option<Arc<Bridge>> {
    let pair = format!("{older}-{newer}");
    let shipped = SHIPPED.iter().find(|shipped| shipped.pair == pair)?;
    let compiled = shipped.compiled.get_or_init(|| {
        let files = FileSet::of(&format!("bridges/{pair}"), shipped.files.iter().copied());
        // A test compiles all of them.
        compile((older, newer), &files, &mut Sources::new(), &mut Diagnostics::new()).map(Arc::new)
    });
    compiled.clone()
}

/// Compiles the bridges between these releases and another one that were not needed before, side by side.
pub(super) fn prepare(releases: &BTreeSet<Release>, to: Release) {
    let all: Vec<Release> = Release::all().collect();
    let is_between =
        |from: Release, pair: &[Release]| pair.iter().all(|one| from.min(to) <= *one && *one <= from.max(to));
    let pairs = all.windows(2).filter(|pair| releases.iter().any(|from| is_between(*from, pair)));
    let pairs: Vec<&[Release]> = pairs.collect();
    spread(&pairs, |pair| match pair {
        [older, newer] => shipped(*older, *newer).is_some(),
        _ => false,
    });
}

/// Neighbouring bridges in a row, from one release to another.
#[derive(Debug, Clone, Default)]
pub struct Line {
    steps: Vec<(Arc<Bridge>, Way)>,
}

/// What carries the messages of one operation from one end of a line to the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Crossed {
    /// Its operationId at the far end.
    pub operation_id: Box<str>,
    /// Programs that carry its request there, in order.
    pub request: Vec<Arc<Program>>,
    /// Programs that carry its answer back, in order.
    pub answer: Vec<Arc<Program>>,
}

impl Line {
    /// The line between two releases; without steps where they are the same, none where there is none.
    #[must_use]
    pub fn between(from: Release, to: Release) -> Option<Self> {
        let way = if from < to { Way::Up } else { Way::Down };
        let (low, high) = (from.min(to), from.max(to));
        let all: Vec<Release> = Release::all().filter(|one| low <= *one && *one <= high).collect();
        let pairs = all.windows(2).map(|pair| match pair {
            [older, newer] => Some((shipped(*older, *newer)?, way)),
            _ => None,
        });
        let mut steps: Vec<_> = pairs.collect::<Option<_>>()?;
        if way == Way::Down {
            steps.reverse();
        }
        Some(Self { steps })
    }

    /// An operation by the operationId that the near end has; none where it does not come over.
    #[must_use]
    pub fn operation(&self, function: &str, operation_id: &str) -> Option<Crossed> {
        let mut crossed = Crossed { operation_id: operation_id.into(), ..Crossed::default() };
        for (bridge, way) in &self.steps {
            let crossing = bridge.crossing(function, &crossed.operation_id, *way)?;
            crossed.operation_id = match way {
                Way::Up => crossing.newer.clone(),
                Way::Down => crossing.older.clone(),
            };
            crossed.request.extend(crossing.request.way(*way).cloned());
            crossed.answer.extend(crossing.answer.way(way.reverse()).cloned());
        }
        crossed.answer.reverse();
        join(&mut crossed.request);
        join(&mut crossed.answer);
        Some(crossed)
    }

    /// What does not come over as it is, on the way there (`false`) or back (`true`), in the order of the way.
    pub fn notes(&self, is_back: bool) -> impl Iterator<Item = (&Bridge, &Note)> {
        self.steps.iter().flat_map(move |(bridge, way)| {
            let way = if is_back { way.reverse() } else { *way };
            bridge.notes.iter().filter(move |note| note.way == way).map(move |note| (&**bridge, note))
        })
    }

    /// What stands in `@type` of a product at the far end, by what stands there at the near one.
    ///
    /// # Errors
    /// Where it has no counterpart on the way: the bridge at which that is, and why. It is carried as it is from there on.
    pub fn product(&self, function: &str, urn: &str) -> Result<Box<str>, (&Bridge, &str)> {
        let mut urn: Box<str> = urn.into();
        for (bridge, way) in &self.steps {
            let is_meant = |pair: &&ProductPair| {
                pair.function.as_deref().is_none_or(|own| own == function)
                    && pair.sides(*way).0.contains(&urn)
            };
            let Some(pair) = bridge.products.iter().find(is_meant) else { continue };
            match pair.sides(*way).1 {
                Some(counterpart) => urn = counterpart.into(),
                None => return Err((bridge, pair.reason.as_deref().unwrap_or_default())),
            }
        }
        Ok(urn)
    }

    /// Why an operation of the near end does not come over: the releases between which it ends, and the reason.
    #[must_use]
    pub fn missing(&self, function: &str, operation_id: &str) -> Option<(&Bridge, &str)> {
        let mut id: Box<str> = operation_id.into();
        for (bridge, way) in &self.steps {
            let Some(crossing) = bridge.crossing(function, &id, *way) else {
                let own = bridge.absent.iter().find(|(own, other, direction, _)| {
                    **own == *function && *other == id && direction == way
                });
                return Some((bridge, own.map_or("the other release has no such function", |own| &own.3)));
            };
            id = if *way == Way::Up { crossing.newer.clone() } else { crossing.older.clone() };
        }
        None
    }
}

/// Lets programs on one way know what they do together with those behind them.
fn join(steps: &mut [Arc<Program>]) {
    // By their places in memory: programs that the program brings along stay there.
    static KNOWN: LazyLock<Mutex<HashMap<Vec<usize>, Arc<Program>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut rest = steps;
    while let [first, behind @ ..] = rest {
        if !behind.is_empty() {
            let places = [&*first].into_iter().chain(&*behind).map(|one| Arc::as_ptr(one) as usize);
            let joined = known.entry(places.collect());
            *first = Arc::clone(joined.or_insert_with(|| Arc::new(first.followed_by(behind))));
        }
        let count = first.splice.onward().map_or(1, |onward| onward.count);
        rest = behind.get_mut(count - 1..).unwrap_or_default();
    }
}

/// Carries a document over; what comes back is the document itself where nothing has to be done.
///
/// # Errors
/// The failures of the first step that has some, and the index of the step.
pub fn carried(
    steps: &[Arc<Program>],
    document: Document,
    facts: &dyn Facts,
) -> Result<(Document, Carried), (usize, Vec<crate::mapping::apply::Failure>)> {
    if steps.is_empty() {
        return Ok((document, Carried::default()));
    }
    let mut carried = carry(steps, &document, facts)?;
    Ok((carried.body.take().unwrap_or(document), carried))
}
