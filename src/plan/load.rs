//! From folders to a plan: every text is read once, everything wrong is told at once.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use super::{
    Plan, ReadPlan,
    backend::backends,
    build::{self, World},
    callers::Both,
    interface::Interfaces,
    products::OwnProducts,
    sets::{Edits, read_mappings_again},
};
use crate::{
    config::{self, Changed, ReadBefore, Settings},
    sonata::catalogue,
    text::{Code, Diagnostics, FileSet, Meaning, Sources},
};

/// `P101`: a partner names a mapping set that is not there.
pub(super) const NO_MAPPING: Code = Code("P101");
/// `P102`: an alias stands for, or a route names, a product that the release does not have.
pub(super) const NO_PRODUCT: Code = Code("P102");
/// `P103`: the release is one that this version does not have.
pub(super) const NO_RELEASE: Code = Code("P103");
/// `P104`: `operations:` of the partner or of a route names an operation that the partner's release does not have.
pub(super) const NO_OPERATION: Code = Code("P104");
/// `P105`: an operation names a backend that is not configured.
pub(super) const NO_BACKEND: Code = Code("P105");
// `P106` was said of URLs that C120 says it of; codes are never used again.
/// `P107`: a product schema is none that messages can be checked against.
pub(super) const BAD_PRODUCT: Code = Code("P107");
/// `P108`: a file below `products/` that no product is or needs.
pub(super) const UNUSED_FILE: Code = Code("P108");
/// `P109`: a product schema takes the place of one of the catalogue.
pub(super) const REPLACES: Code = Code("P109");

/// `P116`: a partner speaks a function in another contract than its mapping set, and nothing carries it over.
pub(super) const NOT_BRIDGED: Code = Code("P116");
/// `P117`: a mapping set is written in the words of a release in which a function cannot be mapped.
pub(super) const NOT_MAPPED_IN: Code = Code("P117");

/// `P112`: the condition of a route reads what no request has.
pub(super) const CONDITION: Code = Code("P112");
/// `P113`: the mapping sets of a partner's routes do not fit together.
pub(super) const TWO_WAYS: Code = Code("P113");
/// `P111`: a call in another format than its backend has.
pub(super) const FORMAT: Code = Code("P111");
/// `P114`: a backend names an interface file that is not there.
pub(super) const NO_INTERFACE: Code = Code("P114");
/// `P115`: backends without an interface file.
pub(super) const NOT_CHECKED: Code = Code("P115");
/// `P110`: trust, certificate or key towards a backend cannot be used.
pub(super) const BAD_KEYS: Code = Code("P110");

/// Codes of this room with their meanings.
pub const CODES: &[Meaning] = &[
    Meaning::new(NO_MAPPING, "A partner names a mapping set that is not there."),
    Meaning::new(
        NO_PRODUCT,
        "An alias stands for, or a route names, a product that the release does not have.",
    ),
    Meaning::new(NO_RELEASE, "The release is one that this version does not have."),
    Meaning::new(NO_OPERATION, "`operations:` names an operation that the release does not have."),
    Meaning::new(NO_BACKEND, "An operation names a backend that is not configured."),
    Meaning::new(BAD_KEYS, "Trust, certificate or key towards a backend cannot be used."),
    Meaning::new(BAD_PRODUCT, "A product schema is none that messages can be checked against."),
    Meaning::new(UNUSED_FILE, "A file below `products/` that no product is or needs."),
    Meaning::new(REPLACES, "A product schema takes the place of a published one."),
    Meaning::new(CONDITION, "The condition of a route reads what no request has."),
    Meaning::new(TWO_WAYS, "The mapping sets of a partner's routes do not fit together."),
    Meaning::new(FORMAT, "A call is in another format than its backend."),
    Meaning::new(NO_INTERFACE, "A backend names an interface file that is not there."),
    Meaning::new(NOT_BRIDGED, "A partner speaks a function in another contract than its mapping set."),
    Meaning::new(NOT_MAPPED_IN, "A function cannot be mapped in the words of that release."),
    Meaning::new(NOT_CHECKED, "Backends without an interface file: mappings are not checked against them."),
];

/// What came of loading.
pub struct Built {
    /// The plan; none if any diagnostic is an error.
    pub plan: Option<Plan>,
    /// Everything that is to be said.
    pub diagnostics: Diagnostics,
    /// The texts that diagnostics point into.
    pub sources: Sources,
}

/// Reads and compiles everything below `config` and the mappings folder that it names. What `previous` compiled
/// from the same texts is taken over.
#[must_use]
pub fn load(config: &Path, previous: Option<&Plan>) -> Built {
    load_edited(config, previous, &Edits::default())
}

/// As [`load`], with no other partner than this one, if there is one of this name: for who asks of one partner only, and
/// need not wait until all of them are compiled and carried over. All of the configuration is read and must be right; what
/// is wrong with the overlays of others is not seen.
#[must_use]
pub fn load_partner(config: &Path, name: &str) -> Built {
    let mut loaded = config::load(config);
    if let Some(settings) = &mut loaded.settings
        && let Some((id, partner)) = settings.partners.get_key_value(name)
    {
        settings.partners = Arc::new([(id.clone(), Arc::clone(partner))].into());
    }
    let (mappings, read) = read(&mut loaded, &ReadBefore::default(), &Changed::Anywhere);
    build(loaded, &mappings, read, None)
}

/// As [`load`], with these texts in the place of what the mappings folder has: what would be if they were saved.
#[must_use]
pub fn load_edited(config: &Path, previous: Option<&Plan>, edits: &Edits) -> Built {
    let Some(plan) = previous else {
        let mut loaded = config::load(config);
        let (mut mappings, read) = read(&mut loaded, &ReadBefore::default(), &Changed::Anywhere);
        edits.apply(&mut mappings);
        return build(loaded, &mappings, read, previous);
    };
    again(config, plan, &Changed::Anywhere, edits)
}

/// As [`load`] for the plan after another, where it is known what has changed since that one was read.
#[must_use]
pub fn load_changed(config: &Path, previous: &Plan, changed: &Changed) -> Built {
    again(config, previous, changed, &Edits::default())
}

fn again(config: &Path, plan: &Plan, changed: &Changed, edits: &Edits) -> Built {
    let mut loaded = config::load_again(config, plan.read.sources.renewed(), &plan.read.config, changed);
    // What was told of lies in the folder that was watched.
    let is_there = |settings: &Settings| settings.gateway.mappings == plan.settings.gateway.mappings;
    let changed = if loaded.settings.as_ref().is_some_and(is_there) { changed } else { &Changed::Anywhere };
    let (mut mappings, read) = read(&mut loaded, &plan.read.mappings, changed);
    edits.apply(&mut mappings);
    build(loaded, &mappings, read, Some(plan))
}

/// The mappings of what was loaded; nothing where there are no settings.
fn read(loaded: &mut config::Loaded, before: &ReadBefore, changed: &Changed) -> (FileSet, ReadBefore) {
    match &loaded.settings {
        Some(settings) => read_mappings_again(settings, before, changed, &mut loaded.diagnostics),
        None => Default::default(),
    }
}

/// The same of texts that were read before: a configuration, and the files of the mappings folder that it names. Where
/// `previous` is given, the configuration was read again from what that plan was.
#[must_use]
pub fn load_read(loaded: config::Loaded, mappings: &FileSet, previous: Option<&Plan>) -> Built {
    build(loaded, mappings, ReadBefore::default(), previous)
}

fn build(loaded: config::Loaded, mappings: &FileSet, read: ReadBefore, previous: Option<&Plan>) -> Built {
    let config::Loaded { mut sources, files, settings, mut diagnostics, kept } = loaded;
    let Some(settings) = settings else { return Built { plan: None, diagnostics, sources } };
    let hash = hash_of(&[&files, mappings]);
    let generation = previous.map_or(1, |plan| plan.generation + 1);
    // What was read with other sources has places that mean nothing here.
    let previous = previous.filter(|plan| sources.continues(&plan.read.sources));
    let known = previous.map(|plan| &plan.own_products);
    let own_products = OwnProducts::load(&files, known, &mut sources, &mut diagnostics);
    let known = previous.map(|plan| &plan.interfaces);
    let interfaces = Interfaces::load(&files, &settings, known, &mut sources, &mut diagnostics);
    let world = World::new(&settings, &interfaces, &own_products, mappings);
    let known = previous.map(|plan| &*plan.made);
    let made = build::partners(&world, &settings, known, &mut sources, &mut diagnostics);
    let backends = backends(&settings, &mut diagnostics);
    sources.forget_unread();
    diagnostics.sort(&sources);
    let partners = made.plans();
    // What callers are known by is said by the settings alone.
    let same = previous.filter(|plan| Arc::ptr_eq(&plan.settings.partners, &settings.partners));
    let callers = same.map(|plan| Arc::clone(&plan.callers));
    let plan = (!diagnostics.has_errors()).then(|| Plan {
        generation,
        hash: hash.to_hex().to_string(),
        backends,
        settings,
        callers: callers.unwrap_or_else(|| Arc::new(Both::of(&partners))),
        exposed: super::exposer::table(&partners),
        received: OnceLock::new(),
        partners,
        made: Arc::new(made),
        own_products,
        interfaces,
        read: Arc::new(ReadPlan { config: kept, mappings: read, sources: sources.clone() }),
    });
    Built { plan, diagnostics, sources }
}

/// A hash over all texts and their paths.
pub(super) fn hash_of(sets: &[&FileSet]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for set in sets {
        for (path, file) in set.files() {
            // The length keeps "a" + "bc" apart from "ab" + "c".
            hasher.update(&(path.len() as u64).to_le_bytes()).update(path.as_bytes());
            hasher.update(file.hash().as_bytes());
        }
        // Files do not go from one folder to the other.
        hasher.update(&[0xff]);
    }
    hasher.finalize()
}

/// The releases that there are, as a hint.
pub(super) fn known_releases() -> String {
    let names: Vec<String> = catalogue().releases().map(|release| release.to_string()).collect();
    format!("this version has: {}", names.join(", "))
}
