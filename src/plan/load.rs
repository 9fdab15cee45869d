//! From folders to a plan: every text is read once, everything wrong is told at once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

use super::{
    ContractSchema, Plan,
    backend::backends,
    check_routes,
    choose::BackendRoute,
    interface::Interfaces,
    notifications,
    partner::{self, PartnerPlan},
    products::OwnProducts,
    sets::{Edits, OverlayFile, PartnerFiles, partner_files, read_mappings},
};
use crate::{
    config::{self, Partner},
    format::Format,
    ids::BackendId,
    mapping::compile::{CompileOptions, CompiledSet, compile},
    sonata::{Contract, Products, Release, catalogue},
    text::{Code, Diagnostic, Diagnostics, FileSet, Hint, Meaning, Sources, Spanned},
};

/// Mapping sets as compiled for partners, by the hash of all that went into them.
pub(super) type CompiledSets = HashMap<blake3::Hash, Arc<CompiledSet>>;

/// The mapping sets that a partner's routes speak, by name.
type PartnerSets = HashMap<Arc<str>, Arc<CompiledSet>>;

/// `P101`: a partner names a mapping set that is not there.
const NO_MAPPING: Code = Code("P101");
/// `P102`: an alias stands for, or a route names, a product that the release does not have.
pub(super) const NO_PRODUCT: Code = Code("P102");
/// `P103`: the release is one that this version does not have.
const NO_RELEASE: Code = Code("P103");
/// `P104`: `operations:` of the partner or of a route names an operation that the partner's release does not have.
pub(super) const NO_OPERATION: Code = Code("P104");
/// `P105`: an operation names a backend that is not configured.
const NO_BACKEND: Code = Code("P105");
// `P106` was said of URLs that C120 says it of; codes are never used again.
/// `P107`: a product schema is none that messages can be checked against.
pub(super) const BAD_PRODUCT: Code = Code("P107");
/// `P108`: a file below `products/` that no product is or needs.
pub(super) const UNUSED_FILE: Code = Code("P108");
/// `P109`: a product schema takes the place of one of the catalogue.
pub(super) const REPLACES: Code = Code("P109");

/// `P112`: the condition of a route reads what no request has.
pub(super) const CONDITION: Code = Code("P112");
/// `P113`: the mapping sets of a partner's routes do not fit together.
pub(super) const TWO_WAYS: Code = Code("P113");
/// `P111`: a call in another format than its backend has.
const FORMAT: Code = Code("P111");
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

/// As [`load`], with these texts in the place of what the mappings folder has: what would be if they were saved.
#[must_use]
pub fn load_edited(config: &Path, previous: Option<&Plan>, edits: &Edits) -> Built {
    let mut loaded = config::load(config);
    let mut mappings = match &loaded.settings {
        Some(settings) => read_mappings(settings, &mut loaded.diagnostics),
        None => FileSet::default(),
    };
    edits.apply(&mut mappings);
    load_read(loaded, &mappings, previous)
}

/// The same of texts that were read before: a configuration, and the files of the mappings folder that it names.
#[must_use]
pub fn load_read(loaded: config::Loaded, mappings: &FileSet, previous: Option<&Plan>) -> Built {
    let config::Loaded { mut sources, files, settings, mut diagnostics } = loaded;
    let Some(settings) = settings else { return Built { plan: None, diagnostics, sources } };
    let hash = hash_of(&[&files, mappings]);
    let known = previous.map(|plan| &plan.own_products);
    let own_products = OwnProducts::load(&files, known, &mut sources, &mut diagnostics);
    let known = previous.map(|plan| &plan.interfaces);
    let interfaces = Interfaces::load(&files, &settings, known, &mut sources, &mut diagnostics);
    let mut builder = Builder {
        interfaces: &interfaces,
        own_products: &own_products,
        mappings,
        previous,
        compiled: HashMap::new(),
        told: BTreeSet::new(),
        sources: &mut sources,
        out: &mut diagnostics,
        formats: settings.backends.iter().map(|(id, backend)| (id.clone(), backend.format.clone())).collect(),
    };
    let partners: BTreeMap<_, _> = settings
        .partners
        .iter()
        .filter_map(|(id, partner)| Some((id.clone(), Arc::new(builder.partner(partner)?))))
        .collect();
    let backends = backends(&settings, builder.out);
    let compiled = builder.compiled;
    diagnostics.sort(&sources);
    let plan = (!diagnostics.has_errors()).then(|| Plan {
        generation: previous.map_or(1, |plan| plan.generation + 1),
        hash: hash.to_hex().to_string(),
        backends,
        settings,
        partners,
        compiled,
        own_products,
        interfaces,
    });
    Built { plan, diagnostics, sources }
}

/// The hash that [`Plan::hash`] would have if everything were read now; empty where the settings cannot be read.
#[must_use]
pub fn content_hash(config: &Path) -> String {
    let loaded = config::load(config);
    let Some(settings) = loaded.settings else { return String::new() };
    let mappings = read_mappings(&settings, &mut Diagnostics::new());
    hash_of(&[&loaded.files, &mappings]).to_hex().to_string()
}

pub(super) fn hash_of(sets: &[&FileSet]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for set in sets {
        for (path, text) in set.iter() {
            // Lengths keep "a" + "bc" apart from "ab" + "c".
            hasher.update(&(path.len() as u64).to_le_bytes()).update(path.as_bytes());
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
    }
    hasher.finalize()
}

struct Builder<'b> {
    interfaces: &'b Interfaces,
    own_products: &'b OwnProducts,
    mappings: &'b FileSet,
    previous: Option<&'b Plan>,
    compiled: CompiledSets,
    /// Diagnostics of a shared mapping set are told for its first partner only.
    told: BTreeSet<String>,
    sources: &'b mut Sources,
    out: &'b mut Diagnostics,
    /// Formats of the backends that are configured.
    formats: BTreeMap<BackendId, Format>,
}

impl Builder<'_> {
    fn partner(&mut self, settings: &Partner) -> Option<PartnerPlan> {
        let contracts = partner::contracts(settings);
        if contracts.is_empty() {
            let release = &settings.releases.default;
            let message = format!("release `{}` is not part of this version", release.value);
            self.out.push(Diagnostic::error(NO_RELEASE, message).at(release.span).hint(known_releases()));
            return None;
        }
        let products = self.products(settings, &contracts)?;
        check_routes::operations(settings, &contracts, self.out);
        check_routes::words(settings, &contracts, &products, self.out);
        let default = products.get(&settings.releases.default.value)?.clone();
        let (routes, compiled) = self.routes(settings, &contracts, &default);
        let notifications = match &settings.notifications {
            None => None,
            Some(from) => Some(Arc::new(notifications::settings(from, self.out)?)),
        };
        let told = (settings.clone(), notifications);
        let plan = PartnerPlan::new(told, contracts, products, &compiled?, routes);
        check_routes::sets(&plan, self.out);
        Some(plan)
    }

    /// The routes, and the mapping sets that they speak; none if one of those is not to be had.
    fn routes(
        &mut self,
        settings: &Partner,
        contracts: &[&'static Contract],
        products: &Products,
    ) -> (Vec<BackendRoute>, Option<PartnerSets>) {
        let (mut routes, mut names) = (Vec::new(), Vec::<&Spanned<String>>::new());
        for route in &settings.routes {
            let name = route.mapping.as_ref().unwrap_or(&settings.mapping);
            if names.iter().all(|known| known.value != name.value) {
                names.push(name);
            }
            routes.push(BackendRoute { settings: route.clone(), mapping: name.value.as_str().into() });
        }
        let compiled: Vec<_> = names
            .into_iter()
            .map(|name| Some((name, self.mapping(settings, name, contracts, products.clone())?)))
            .collect();
        let compiled: Option<Vec<_>> = compiled.into_iter().collect();
        let sets = compiled.map(|compiled| {
            let sets = compiled.into_iter().map(|(name, compiled)| {
                let name: Arc<str> = name.value.as_str().into();
                let backends = routes.iter().filter(|route| route.mapping == name);
                self.check_formats(
                    &compiled,
                    &backends.map(|route| &route.settings.backend.value).collect::<Vec<_>>(),
                );
                (name, compiled)
            });
            sets.collect()
        });
        (routes, sets)
    }

    fn products(
        &mut self,
        settings: &Partner,
        contracts: &[&'static Contract],
    ) -> Option<HashMap<Release, Products>> {
        let aliases = || {
            settings.type_aliases.iter().map(|(alias, target)| (alias.value.clone(), target.value.clone()))
        };
        let mut all = HashMap::new();
        let releases = contracts.iter().map(|contract| settings.releases.of(contract.function));
        for release in releases.chain([settings.releases.default.value]) {
            if all.contains_key(&release) {
                continue;
            }
            match self.own_products.before(release).with_aliases(aliases()) {
                Ok(products) => {
                    all.insert(release, products);
                }
                Err(unknown) => {
                    for (_, target) in
                        settings.type_aliases.iter().filter(|(_, target)| unknown.contains(&target.value))
                    {
                        let message = format!("`{}` is no product of release {release}", target.value);
                        let urns = self.own_products.before(release);
                        let near = crate::text::suggest(&target.value, urns.urns()).map(Hint::meant);
                        self.out
                            .push(Diagnostic::error(NO_PRODUCT, message).at(target.span).maybe_hint(near));
                    }
                    return None;
                }
            }
        }
        Some(all)
    }

    /// A mapping set with the partner's overlay on it, compiled or taken over.
    fn mapping(
        &mut self,
        settings: &Partner,
        named: &Spanned<String>,
        contracts: &[&'static Contract],
        products: Products,
    ) -> Option<Arc<CompiledSet>> {
        let name = &named.value;
        let PartnerFiles { set, overlay } = partner_files(self.mappings, settings, name);
        if set.is_empty() {
            let sets: BTreeSet<&str> =
                self.mappings.iter().filter_map(|(path, _)| path.split('/').next()).collect();
            let near = crate::text::suggest(name, sets.into_iter());
            let hint = near.map(Hint::meant);
            let message = format!("there is no mapping set `{name}` in {}", self.mappings.root());
            self.out.push(Diagnostic::error(NO_MAPPING, message).at(named.span).maybe_hint(hint));
            return None;
        }
        let options = CompileOptions {
            aliases: settings
                .type_aliases
                .iter()
                .map(|(alias, target)| (alias.value.clone(), target.value.clone()))
                .collect(),
            xml_backends: {
                let xml = self.formats.iter().filter(|(_, format)| **format == Format::Xml);
                xml.map(|(id, _)| id.to_string()).collect()
            },
            interfaces: self.interfaces.of_backends(),
            routes: backends_of(settings, name).map(ToString::to_string).collect(),
            settings: Some(settings.settings.root().members().map(|(name, _)| name.into_owned()).collect()),
            ..CompileOptions::default()
        };
        let key = self.key(&set, overlay.as_ref().map(OverlayFile::texts), settings, (name, contracts));
        let known = self.compiled.get(&key).or_else(|| self.previous?.compiled.get(&key)).cloned();
        if let Some(known) = known {
            self.compiled.insert(key, Arc::clone(&known));
            return Some(known);
        }
        let schema = ContractSchema::new(contracts.to_vec(), products);
        let overlay = overlay.as_ref().map(OverlayFile::place);
        let mut told = Diagnostics::new();
        let compiled = compile(&set, overlay, &schema, &options, self.sources, &mut told).map(Arc::new);
        // What a shared set says, it says for each of its partners in other copies of the texts: once is enough.
        if overlay.is_some() || compiled.is_none() || self.told.insert(name.clone()) {
            self.out.append(told);
        }
        self.compiled.insert(key, Arc::clone(compiled.as_ref()?));
        compiled
    }

    /// All that a compilation depends on.
    fn key(
        &self,
        set: &FileSet,
        overlays: Option<&FileSet>,
        settings: &Partner,
        (name, contracts): (&str, &[&'static Contract]),
    ) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(hash_of(&[set]).as_bytes());
        for (_, text) in overlays.into_iter().flat_map(FileSet::iter) {
            hasher.update(blake3::hash(text.as_bytes()).as_bytes());
        }
        if let Some(products) = self.own_products.hash() {
            hasher.update(products.as_bytes());
        }
        for (name, _) in settings.settings.root().members() {
            hasher.update(format!("\0{name}").as_bytes());
        }
        for (alias, target) in &settings.type_aliases {
            hasher.update(format!("\0{}\0{}", alias.value, target.value).as_bytes());
        }
        for (id, format) in &self.formats {
            hasher.update(format!("\0{id}\0{}", format.word()).as_bytes());
        }
        self.interfaces.hash_into(&mut hasher);
        for backend in backends_of(settings, name) {
            hasher.update(format!("\0{backend}").as_bytes());
        }
        for contract in contracts {
            let release = settings.releases.of(contract.function);
            hasher.update(format!("\0{}\0{release}", contract.function).as_bytes());
        }
        hasher.finalize()
    }

    /// The release and the backend that a set names must be there.
    fn check_set(&mut self, compiled: &CompiledSet) {
        if let Some((release, span)) =
            compiled.release.as_ref().filter(|(text, _)| Release::parse(text).is_none())
        {
            let near = crate::text::suggest(release, Release::ALL.iter().map(|known| known.as_str()));
            let message = format!("release `{release}` is not part of this version");
            let hint = near.map_or_else(|| known_releases().into(), Hint::meant);
            self.out.push(Diagnostic::error(NO_RELEASE, message).at(*span).hint(hint));
        }
        let unknown = |backend: &str| self.formats.keys().all(|known| known.as_str() != backend);
        if let Some((backend, span)) = compiled.backend.as_ref().filter(|(backend, _)| unknown(backend)) {
            let near = crate::text::suggest(backend, self.formats.keys().map(BackendId::as_str));
            let message = format!("`{backend}`, the backend of the mapping set, is not configured");
            let fault = Diagnostic::error(NO_BACKEND, message).at(*span);
            self.out.push(fault.maybe_hint(near.map(Hint::meant)));
        }
    }

    /// The backends that operations name must be there, and speak SOAP exactly where calls do.
    fn check_formats(&mut self, compiled: &CompiledSet, routed: &[&BackendId]) {
        self.check_set(compiled);
        for (name, operation) in &compiled.operations {
            let named = operation.backend.as_ref();
            let id = named.and_then(|(backend, _)| BackendId::parse(backend).ok());
            if let (Some((backend, span)), true) =
                (named, id.as_ref().is_none_or(|id| !self.formats.contains_key(id)))
            {
                let known = self.formats.keys().map(BackendId::as_str);
                let hint = crate::text::suggest(backend, known).map(Hint::meant);
                let message = format!("`{backend}`, the backend of `{name}`, is not configured");
                self.out.push(Diagnostic::error(NO_BACKEND, message).at(*span).maybe_hint(hint));
                continue;
            }
            let backends: Vec<&BackendId> = match &id {
                Some(id) => vec![id],
                None => routed.to_vec(),
            };
            for call in &operation.program.calls {
                let soap = call.target.soap.is_some();
                let speaks = |id: &BackendId| matches!(self.formats.get(id), Some(Format::Soap(_)));
                let other = backends.iter().find(|id| self.formats.contains_key(**id) && speaks(id) != soap);
                if let Some(id) = other {
                    let (what, hint) = if soap {
                        (
                            "does not speak SOAP",
                            "write a method and an address, or `format: soap` in the backend's file",
                        )
                    } else {
                        ("speaks SOAP", "write `call: SOAP OPERATION`")
                    };
                    let message = format!("{}: `{name}` calls backend `{id}`, which {what}", call.origin);
                    self.out.push(Diagnostic::error(FORMAT, message).hint(hint));
                }
            }
        }
    }
}

/// The backends that a mapping set of a partner speaks to, by its routes.
fn backends_of<'p>(settings: &'p Partner, mapping: &'p str) -> impl Iterator<Item = &'p BackendId> {
    let own = settings.mapping.value.as_str();
    let spoken = move |route: &&config::Route| {
        route.mapping.as_ref().map_or(own, |named| named.value.as_str()) == mapping
    };
    settings.routes.iter().filter(spoken).map(|route| &route.backend.value)
}

fn known_releases() -> String {
    let names: Vec<String> = catalogue().releases().map(|release| release.to_string()).collect();
    format!("this version has: {}", names.join(", "))
}
