//! Everything compiled together: settings, contracts, mappings of all partners. Immutable, replaced whole.
//!
//! `config` and `mapping` each know how to read and check their own files; here they meet. A plan is valid as a
//! whole or there is none: [`load()`] returns it, or all diagnostics of all files at once. What has not changed since
//! the plan before (by content) is taken over compiled.

mod abroad;
mod backend;
pub mod bridges;
mod build;
mod callers;
mod check_routes;
mod check_sets;
mod choose;
pub mod comparison;
mod edge;
mod exposer;
mod handle;
mod interface;
mod load;
mod notifications;
mod partner;
mod pool;
mod products;
mod receiver;
mod releases;
mod route;
mod schema;
mod sets;
mod show;
mod spread;
#[cfg(test)]
mod tests;

pub use abroad::Abroad;
pub use callers::Shown;
pub use choose::{Asked, BackendRoute, NoRoute, Target};
pub use edge::{Crossing, Edge, Telling, Told};
pub use exposer::{Exposer, Notifier};
pub use handle::PlanHandle;
pub use interface::BackendInterface;
pub use load::{Built, CODES, load, load_changed, load_edited, load_partner, load_read};
pub use partner::{MappedOperation, PartnerPlan, Served};
pub use receiver::{Received, Receiver, Understanding, Watcher};
pub use route::{Route, RouteError};
pub use schema::ContractSchema;
pub use sets::Edits;
pub use show::effective_mapping;

use std::{
    collections::BTreeMap,
    ops::Bound,
    path::Path,
    sync::{Arc, OnceLock},
};

use crate::{
    config::{self, Settings, Side, secret::Lookup},
    ids::{BackendId, PartnerId},
    legacy::BackendSettings,
    mapping::{self, operation::OperationProgram},
    openapi,
    sonata::Function,
    text::{self, Diagnostics, FileSet, Meaning, Sources},
};

/// Every diagnostic code with its meaning, in the order of the codes: those of reading YAML, configuration, mappings,
/// interfaces and the plan.
#[must_use]
pub fn meanings() -> Vec<&'static Meaning> {
    let rooms = [text::code::CODES, config::code::CODES, mapping::diagnostic::CODES, openapi::CODES, CODES];
    let mut all: Vec<&Meaning> = rooms.into_iter().flatten().collect();
    all.sort_by_key(|meaning| meaning.code);
    all
}

/// One valid state of configuration and mappings.
#[derive(Clone)]
pub struct Plan {
    generation: u64,
    hash: String,
    settings: Settings,
    backends: BTreeMap<BackendId, Arc<BackendSettings>>,
    partners: BTreeMap<PartnerId, Arc<PartnerPlan>>,
    /// What callers are known by.
    callers: Arc<callers::Both>,
    /// What our procurement systems are offered.
    exposed: exposer::Table,
    /// What legacy systems send; made when one does.
    received: OnceLock<receiver::Table>,
    /// What the next plan takes over of the partners.
    made: Arc<build::Made>,
    own_products: products::OwnProducts,
    interfaces: interface::Interfaces,
    /// What the next plan need not read again.
    read: Arc<ReadPlan>,
}

/// What a plan was read from.
struct ReadPlan {
    config: config::Kept,
    mappings: config::ReadBefore,
    /// The texts that places speak of.
    sources: Sources,
}

impl Plan {
    /// How many plans were built since the start, this one included.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Hash over the content of every file that it was built from, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Makes settings of texts as the plan after this one needs them: what has not changed is not read again.
    #[must_use]
    pub fn load_set(&self, files: FileSet, lookup: &Lookup<'_>) -> config::Loaded {
        config::load_set_again(files, lookup, self.read.sources.renewed(), &self.read.config)
    }

    /// Whether the files still are what the plan was read from.
    #[must_use]
    pub fn is_current(&self, config: &Path) -> bool {
        let mut faults = Diagnostics::new();
        let (_, read) = sets::read_mappings_again(
            &self.settings,
            &self.read.mappings,
            &config::Changed::Anywhere,
            &mut faults,
        );
        faults.is_empty() && read.is_same(&self.read.mappings) && self.read.config.is_current(config)
    }

    /// Whether nobody was still writing when the files were read. Where at most one of them had changed since the plan before,
    /// it is looked at again; where several had, somebody may be at work on all of them.
    #[must_use]
    pub fn is_settled(&self, config: &Path) -> bool {
        let (own, mappings) = (self.read.config.reading(), &self.read.mappings);
        if own.changes() + mappings.changes() > 1 {
            return self.is_current(config);
        }
        own.is_at_rest(config) && mappings.is_at_rest(&self.settings.gateway.mappings)
    }

    /// Ends a plan that nobody else has any more, and what its partners alone shared.
    pub fn end(self: Arc<Self>) {
        let pool = Arc::clone(&self.made.pool);
        drop(self);
        pool.purge();
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// All partners, by name.
    pub fn partners(&self) -> impl Iterator<Item = &PartnerPlan> {
        self.partners.values().map(Arc::as_ref)
    }

    /// The same, to be held on to.
    pub fn shared_partners(&self) -> impl Iterator<Item = &Arc<PartnerPlan>> {
        self.partners.values()
    }

    /// A partner by its name.
    #[must_use]
    pub fn partner(&self, id: &str) -> Option<&Arc<PartnerPlan>> {
        self.partners.get(id)
    }

    /// The partner to which we are this that a call on the Sonata listener comes from, by what it shows and the path.
    #[must_use]
    pub fn caller(&self, side: Side, path: &str, shown: Shown<'_>) -> Option<&Arc<PartnerPlan>> {
        let callers = match side {
            Side::Seller => &self.callers.buyers,
            Side::Buyer => &self.callers.sellers,
        };
        callers.find(path, shown).and_then(|id| self.partners.get(id))
    }

    /// Whether a path is below the base path of somebody who sells to us.
    #[must_use]
    pub fn is_of_sellers(&self, path: &str) -> bool {
        self.callers.sellers.reach(path)
    }

    /// Who is meant by a path on which our procurement systems ask, with its values: still percent-encoded.
    pub fn exposed<'p, 'h>(
        &'p self,
        path: &'h str,
    ) -> impl Iterator<Item = (&'p Arc<PartnerPlan>, &'p Exposer, Vec<(&'p str, &'h str)>)> {
        self.exposed.under(path).filter_map(move |(partner, index)| {
            let partner = self.partners.get(partner)?;
            let exposer = partner.exposers().get(*index)?;
            Some((partner, exposer, exposer.expose.values(path)?))
        })
    }

    /// Who may be meant by a path on which a legacy system sends something, whatever the method, with its values: still
    /// percent-encoded.
    pub fn received<'p, 'h>(
        &'p self,
        path: &'h str,
    ) -> impl Iterator<Item = (&'p Received, Vec<(&'p str, &'h str)>)> {
        let table = self.received.get_or_init(|| receiver::Table::of(&self.partners));
        table.under(path).filter_map(move |row| Some((row, row.receive.values(path)?)))
    }

    /// The same plan with other programs in the place of those of these operations of a partner's mapping sets: for asking what
    /// would happen, not for serving.
    #[must_use]
    pub fn with_programs(
        &self,
        partner: &PartnerId,
        programs: Vec<(Arc<str>, Function, &'static str, OperationProgram)>,
    ) -> Self {
        let mut changed = self.clone();
        if let Some(partner) = changed.partners.get_mut(partner) {
            *partner = Arc::new(partner.with(programs));
        }
        changed
    }

    /// A backend, as calls need it.
    #[must_use]
    pub fn backend(&self, id: &BackendId) -> Option<&Arc<BackendSettings>> {
        self.backends.get(id)
    }

    /// What the interface file of a backend says, if it has one.
    #[must_use]
    pub fn interface(&self, backend: &str) -> Option<Arc<dyn mapping::schema::Interface>> {
        self.interfaces.of_backends().remove(backend)
    }

    /// Where partners that sell to us are called.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<BackendSettings>> {
        self.partners.values().filter_map(|partner| partner.endpoint())
    }

    /// All backends.
    pub fn backends(&self) -> impl Iterator<Item = &Arc<BackendSettings>> {
        self.backends.values()
    }
}

/// What stands under the longest key that a path begins with. However many keys there are, few are looked at.
fn longest_prefix<'k, V>(all: &'k BTreeMap<String, V>, path: &str) -> Option<&'k V> {
    let mut bound = path;
    loop {
        // Of the keys that the path begins with each stands behind the shorter ones, and before the path.
        let (key, value) = all.range::<str, _>((Bound::Unbounded, Bound::Included(bound))).next_back()?;
        if bound.starts_with(key.as_str()) {
            return Some(value);
        }
        let differs = bound.char_indices().zip(key.chars()).find(|((_, own), other)| own != other);
        bound = bound.get(..differs?.0.0)?;
    }
}
