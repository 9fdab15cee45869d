//! What many partners have alike is kept once.

use std::{
    collections::{BTreeMap, HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use super::partner::{OfFunction, Ways};
use crate::{ids::BackendId, sonata::entity::EntityKind};

/// The backends that keep entities of a kind.
pub(super) type Keepers = BTreeMap<EntityKind, Vec<BackendId>>;

/// What partners share beside the programs of their mappings.
#[derive(Default)]
pub(super) struct Pool {
    pub ways: Shared<Ways>,
    pub functions: Shared<OfFunction>,
    pub keepers: Shared<Keepers>,
}

impl Pool {
    /// Lets go of what nobody has any more.
    pub fn purge(&self) {
        self.functions.purge();
        self.ways.purge();
        self.keepers.purge();
    }
}

/// What can be alike.
pub(super) trait Alike {
    /// The same number for all that are alike.
    fn sign(&self, hasher: &mut DefaultHasher);

    fn is_like(&self, other: &Self) -> bool;
}

/// Things of one sort.
pub(super) struct Shared<T>(Mutex<HashMap<u64, Vec<Arc<T>>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Alike> Shared<T> {
    /// The one that is like this, which is this if there was none.
    pub fn one(&self, new: T) -> Arc<T> {
        let mut hasher = DefaultHasher::new();
        new.sign(&mut hasher);
        // Nothing is half done under this lock, so one that panicked with it left it whole.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = all.entry(hasher.finish()).or_default();
        if let Some(known) = alike.iter().find(|known| known.is_like(&new)) {
            return Arc::clone(known);
        }
        let new = Arc::new(new);
        alike.push(Arc::clone(&new));
        new
    }
}

impl<T> Shared<T> {
    fn purge(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, alike| {
            alike.retain(|one| Arc::strong_count(one) > 1);
            !alike.is_empty()
        });
    }
}

impl Alike for Keepers {
    fn sign(&self, hasher: &mut DefaultHasher) {
        self.len().hash(hasher);
    }

    fn is_like(&self, other: &Self) -> bool {
        self == other
    }
}
