//! Partners compiled from their files: every set is read once and compiled once without overlays, every partner from
//! that, side by side; and what has not changed since the plan before is taken over.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    ContractSchema, backend, check_routes, check_sets,
    choose::BackendRoute,
    edge,
    interface::Interfaces,
    load::{NO_MAPPING, NO_PRODUCT, hash_of},
    notifications,
    partner::{self, PartnerPlan},
    pool::Pool,
    products::OwnProducts,
    releases,
    sets::{OverlayFile, overlay_files, own_overlay, subset},
    spread::spread,
};
use crate::{
    config::{self, Partner, Settings},
    format::Format,
    ids::{BackendId, PartnerId},
    mapping::compile::{
        BaseSet, CompileOptions, CompiledSet, Effective, OverlaySource, read_overlays, read_set_files,
    },
    sonata::{Contract, Products, Release, catalogue},
    text::{Diagnostic, Diagnostics, FileSet, FileText, Hint, SourceId, Sources, Spanned},
};

/// What partners are compiled for, beside their own files.
pub(super) struct World<'w> {
    interfaces: &'w Interfaces,
    own_products: &'w OwnProducts,
    mappings: &'w FileSet,
    /// Formats of the backends that are configured.
    formats: BTreeMap<BackendId, Format>,
    /// Of all this but the mappings.
    hash: blake3::Hash,
}

impl<'w> World<'w> {
    pub fn new(
        settings: &Settings,
        interfaces: &'w Interfaces,
        own_products: &'w OwnProducts,
        mappings: &'w FileSet,
    ) -> Self {
        let formats = settings.backends.iter().map(|(id, backend)| (id.clone(), backend.format.clone()));
        let formats: BTreeMap<BackendId, Format> = formats.collect();
        let mut hasher = blake3::Hasher::new();
        if let Some(products) = own_products.hash() {
            hasher.update(products.as_bytes());
        }
        for (id, format) in &formats {
            hasher.update(format!("\0{id}\0{}", format.word()).as_bytes());
        }
        interfaces.hash_into(&mut hasher);
        Self { interfaces, own_products, mappings, formats, hash: hasher.finalize() }
    }
}

/// All partners, and what the next plan takes over of them.
#[derive(Default)]
pub(super) struct Made {
    partners: BTreeMap<PartnerId, Arc<MadePartner>>,
    /// Sets as they were read, by name.
    sets: BTreeMap<String, ReadSet>,
    /// What they share.
    pub(super) pool: Arc<Pool>,
    /// Sets without overlays, by the hash of all that went into them.
    pub(super) bases: HashMap<blake3::Hash, Arc<BaseSet>>,
    /// How many parts (operations, and shapes with the types that they name) were compiled, those of sets without
    /// overlay included, and for how many partners.
    pub parts_compiled: usize,
    pub partners_compiled: usize,
}

#[derive(Clone)]
struct ReadSet {
    /// Of its texts.
    hash: blake3::Hash,
    /// None where it cannot be read.
    set: Option<Effective>,
    told: Diagnostics,
}

/// A partner, with what it was made from and what was told of it.
struct MadePartner {
    /// None where something is an error.
    plan: Option<Arc<PartnerPlan>>,
    told: Diagnostics,
    /// What the sets without overlay tell of it as well.
    shared: Vec<(blake3::Hash, Vec<usize>)>,
    from: From,
    /// What its overlays are among the sources, in their order.
    overlays: Vec<Option<SourceId>>,
}

/// What a partner is made from.
#[derive(Clone)]
struct From {
    settings: Arc<Partner>,
    world: blake3::Hash,
    sets: Vec<SetFrom>,
}

#[derive(Clone, PartialEq)]
struct SetFrom {
    name: Arc<str>,
    set: blake3::Hash,
    overlays: Vec<(Arc<str>, Arc<FileText>)>,
    /// Whether the last of the overlays lies on no other.
    is_whole: bool,
}

impl From {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.settings, &other.settings) && self.world == other.world && self.sets == other.sets
    }
}

impl Made {
    /// The plans of all partners that have one.
    pub fn plans(&self) -> BTreeMap<PartnerId, Arc<PartnerPlan>> {
        let plans = self.partners.iter();
        plans.filter_map(|(id, made)| Some((id.clone(), Arc::clone(made.plan.as_ref()?)))).collect()
    }
}

/// Partners that are compiled together: the overlays of so many are in memory as they were read.
const JOBS_AT_ONCE: usize = 64;

/// One partner that is to be compiled.
struct Job {
    from: From,
    contracts: Vec<&'static Contract>,
    products: HashMap<Release, Products>,
    routes: Vec<BackendRoute>,
    sets: Vec<JobSet>,
    told: Diagnostics,
}

struct JobSet {
    name: Arc<str>,
    /// What it is written in.
    release: Release,
    base: blake3::Hash,
    overlays: Vec<OverlaySource>,
    /// Whether an overlay could not be read.
    is_broken: bool,
}

/// Makes all partners; what `before` has of the same texts is taken over.
pub(super) fn partners(
    world: &World<'_>,
    settings: &Settings,
    before: Option<&Made>,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Made {
    let pool = before.map(|before| Arc::clone(&before.pool)).unwrap_or_default();
    let made = Made { pool, ..Made::default() };
    let mut builder = Builder { world, before, made, wanted: Vec::new(), sources };
    if before.is_none() {
        edge::prepare(settings.partners.values().map(|partner| &**partner));
    }
    let mut jobs = Vec::new();
    for (id, partner) in &*settings.partners {
        let known = before.and_then(|before| before.partners.get(id));
        if let Some(known) = known.filter(|known| builder.is_plainly(partner, &known.from)) {
            builder.keep(id, known);
            continue;
        }
        let from = builder.from(partner);
        if let Some(known) = known.filter(|made| made.from.is(&from)) {
            builder.keep(id, known);
        } else {
            match builder.job(from) {
                Ok(job) => jobs.push(job),
                Err(told) => out.append(told),
            }
        }
        if jobs.len() >= JOBS_AT_ONCE {
            builder.run(&mut jobs);
        }
    }
    builder.run(&mut jobs);
    let made = builder.made;
    made.tell(out);
    made
}

impl Made {
    /// Tells what was told of everything, and what sets without overlay tell once.
    fn tell(&self, out: &mut Diagnostics) {
        for set in self.sets.values() {
            out.append(set.told.clone());
        }
        let mut shared: HashMap<blake3::Hash, Vec<bool>> =
            self.bases.iter().map(|(hash, base)| (*hash, vec![false; base.told().len()])).collect();
        for partner in self.partners.values() {
            if !partner.told.is_empty() {
                out.append(partner.told.clone());
            }
            for (base, indices) in &partner.shared {
                let Some(told) = shared.get_mut(base) else { continue };
                for index in indices {
                    told.get_mut(*index).into_iter().for_each(|is_told| *is_told = true);
                }
            }
        }
        for (hash, base) in &self.bases {
            let told = base.told().iter().zip(shared.get(hash).into_iter().flatten());
            told.filter(|(_, is_told)| **is_told).for_each(|(one, _)| out.push(one.clone()));
        }
    }
}

struct Builder<'b> {
    world: &'b World<'b>,
    before: Option<&'b Made>,
    made: Made,
    /// Sets without overlay that are to be compiled.
    wanted: Vec<Wanted>,
    sources: &'b mut Sources,
}

/// A set without overlay that is to be compiled, as its first partner needs it.
struct Wanted {
    key: blake3::Hash,
    name: String,
    set: Effective,
    contracts: Vec<&'static Contract>,
    products: Products,
    options: CompileOptions,
}

impl Builder<'_> {
    /// Whether a partner was made from what there is, as far as that can be seen by the texts' places in memory.
    fn is_plainly(&mut self, settings: &Arc<Partner>, from: &From) -> bool {
        let mappings = self.world.mappings;
        let is_there = |(path, file): &(Arc<str>, Arc<FileText>)| {
            mappings.file(path).is_some_and(|now| Arc::ptr_eq(now, file))
        };
        Arc::ptr_eq(settings, &from.settings)
            && self.world.hash == from.world
            && from.sets.iter().all(|set| {
                let is_same = match set.overlays.as_slice() {
                    [] => mappings.get(&own_overlay(settings, &set.name)).is_none(),
                    overlays => set.is_whole && overlays.iter().all(is_there),
                };
                is_same && self.read_set(&set.name) == set.set
            })
    }

    /// What a partner is to be made from.
    fn from(&mut self, settings: &Arc<Partner>) -> From {
        let mut sets: Vec<SetFrom> = Vec::new();
        for name in set_names(settings) {
            let files = overlay_files(self.world.mappings, settings, &name.value);
            let texts = files.as_ref().map(OverlayFile::texts);
            let overlays = texts.into_iter().flat_map(FileSet::files);
            sets.push(SetFrom {
                name: name.value.as_str().into(),
                set: self.read_set(&name.value),
                overlays: overlays.map(|(path, file)| (Arc::clone(path), Arc::clone(file))).collect(),
                is_whole: files.is_some_and(|files| files.is_whole()),
            });
        }
        From { settings: Arc::clone(settings), world: self.world.hash, sets }
    }

    /// Reads a set, if that was not done; the hash of its texts.
    fn read_set(&mut self, name: &str) -> blake3::Hash {
        if let Some(read) = self.made.sets.get(name) {
            return read.hash;
        }
        let files = subset(self.world.mappings, name);
        let hash = hash_of(&[&files]);
        let known = self.before.and_then(|before| before.sets.get(name)).filter(|known| known.hash == hash);
        let read = if let Some(known) = known {
            // What was told of them speaks of their texts.
            for (path, text) in files.iter() {
                self.sources.add(&files.shown(path), Arc::clone(text));
            }
            known.clone()
        } else {
            let mut told = Diagnostics::new();
            let set = (!files.is_empty()).then(|| read_set_files(&files, self.sources, &mut told)).flatten();
            ReadSet { hash, set: set.filter(|_| !told.has_errors()), told }
        };
        self.made.sets.insert(name.to_owned(), read);
        hash
    }

    /// Takes a partner over.
    fn keep(&mut self, id: &PartnerId, known: &Arc<MadePartner>) {
        let overlays = known.from.sets.iter().flat_map(|set| &set.overlays);
        for ((path, file), id) in overlays.zip(&known.overlays) {
            if !id.is_some_and(|id| self.sources.keep(id, file.text())) {
                self.sources.add(&self.world.mappings.shown(path), Arc::clone(file.text()));
            }
        }
        for (key, _) in &known.shared {
            if let Some(base) = self.before.and_then(|before| before.bases.get(key))
                && !self.made.bases.contains_key(key)
            {
                self.made.bases.insert(*key, Arc::clone(base));
            }
        }
        self.made.partners.insert(id.clone(), Arc::clone(known));
    }

    /// What is to be done for a partner; what is told where nothing can be.
    fn job(&mut self, from: From) -> Result<Job, Diagnostics> {
        let settings = Arc::clone(&from.settings);
        let mut told = Diagnostics::new();
        let contracts = partner::contracts(&settings);
        let written: BTreeSet<Release> =
            set_names(&settings).into_iter().filter_map(|name| self.written_in(&name.value)).collect();
        let products = self.products(&settings, &contracts, &written, &mut told);
        let Some(products) = products else { return Err(told) };
        check_routes::operations(&settings, &contracts, &mut told);
        check_routes::words(&settings, &edge::written(&settings, &contracts), &products, &mut told);
        let routes = settings.routes.iter().map(|route| BackendRoute {
            settings: route.clone(),
            mapping: route.mapping.as_ref().unwrap_or(&settings.mapping).value.as_str().into(),
        });
        let routes = routes.collect();
        let Some(default) = products.get(&settings.releases.default.value).cloned() else { return Err(told) };
        let sets: Vec<_> = set_names(&settings)
            .into_iter()
            .map(|name| self.set(&settings, name, &default, &mut told))
            .collect();
        match sets.into_iter().collect() {
            Some(sets) => Ok(Job { from, contracts, products, routes, sets, told }),
            None => Err(told),
        }
    }

    /// The release that a set is written in.
    fn written_in(&self, name: &str) -> Option<Release> {
        self.made.sets.get(name)?.set.as_ref().map(releases::of_set)
    }

    /// Products by the partner's releases; those of the releases that its sets are written in stand behind them, since
    /// the version of a product is no matter of the release of an API.
    fn products(
        &self,
        settings: &Partner,
        contracts: &[&'static Contract],
        written: &BTreeSet<Release>,
        out: &mut Diagnostics,
    ) -> Option<HashMap<Release, Products>> {
        let own = self.world.own_products;
        let mut all = HashMap::new();
        let releases = contracts.iter().map(|contract| settings.releases.of(contract.function));
        for release in releases.chain([settings.releases.default.value]) {
            if all.contains_key(&release) {
                continue;
            }
            let known = written.iter().fold(own.before(release), |known, written| {
                known.with_later(&catalogue().products(*written))
            });
            match known.with_aliases(aliases(settings)) {
                Ok(products) => {
                    all.insert(release, products);
                }
                Err(unknown) => {
                    for (_, target) in
                        settings.type_aliases.iter().filter(|(_, target)| unknown.contains(&target.value))
                    {
                        let message = format!("`{}` is no product of release {release}", target.value);
                        let urns = own.before(release);
                        let near = crate::text::suggest(&target.value, urns.urns()).map(Hint::meant);
                        out.push(Diagnostic::error(NO_PRODUCT, message).at(target.span).maybe_hint(near));
                    }
                    return None;
                }
            }
        }
        Some(all)
    }

    /// One of a partner's sets: its overlays read, and the set itself wanted without them.
    fn set(
        &mut self,
        settings: &Partner,
        named: &Spanned<String>,
        products: &Products,
        out: &mut Diagnostics,
    ) -> Option<JobSet> {
        let (mappings, name) = (self.world.mappings, &named.value);
        let read = self.made.sets.get(name)?;
        if mappings.below(&format!("{name}/")).next().is_none() {
            let sets: BTreeSet<&str> =
                mappings.iter().filter_map(|(path, _)| path.split('/').next()).collect();
            let near = crate::text::suggest(name, sets.into_iter()).map(Hint::meant);
            let message = format!("there is no mapping set `{name}` in {}", mappings.root());
            out.push(Diagnostic::error(NO_MAPPING, message).at(named.span).maybe_hint(near));
            return None;
        }
        let release = read.set.as_ref().map_or(Release::GRACE, releases::of_set);
        let key = self.key(read.hash, settings, name, release);
        let set = read.set.clone();
        let mut told = Diagnostics::new();
        let overlays = overlay_files(mappings, settings, name);
        let overlays = overlays.as_ref().map(OverlayFile::place);
        let overlays = overlays.map(|(files, path)| read_overlays(files, path, self.sources, &mut told));
        let is_broken = told.has_errors();
        out.append(told);
        let set = set?;
        if !self.made.bases.contains_key(&key) && self.wanted.iter().all(|wanted| wanted.key != key) {
            match self.before.and_then(|before| before.bases.get(&key)) {
                Some(known) => {
                    self.made.bases.insert(key, Arc::clone(known));
                }
                None => self.wanted.push(Wanted {
                    key,
                    name: name.clone(),
                    set,
                    contracts: releases::contracts(release),
                    products: products.clone(),
                    options: options(self.world, settings, name),
                }),
            }
        }
        Some(JobSet {
            name: name.as_str().into(),
            release,
            base: key,
            overlays: overlays.unwrap_or_default(),
            is_broken,
        })
    }

    /// All that the compilation of a set without overlay depends on.
    fn key(&self, set: blake3::Hash, settings: &Partner, name: &str, release: Release) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(set.as_bytes()).update(self.world.hash.as_bytes());
        hasher.update(self.world.mappings.shown(name).as_bytes());
        for (name, _) in settings.settings.root().members() {
            hasher.update(format!("\0{name}").as_bytes());
        }
        for (alias, target) in &settings.type_aliases {
            hasher.update(format!("\0{}\0{}", alias.value, target.value).as_bytes());
        }
        for backend in backends_of(settings, name) {
            hasher.update(format!("\0{backend}").as_bytes());
        }
        hasher.update(format!("\0{release}\0{}", settings.releases.default.value).as_bytes());
        hasher.finalize()
    }

    /// Compiles these partners, and the sets that they want without overlay before.
    fn run(&mut self, jobs: &mut Vec<Job>) {
        self.bases();
        let (world, sources) = (self.world, &*self.sources);
        let made = spread(jobs, |job| job.run(world, &self.made, sources));
        self.made.partners_compiled += jobs.len();
        jobs.clear();
        for (id, partner, parts) in made {
            self.made.parts_compiled += parts;
            self.made.partners.insert(id, Arc::new(partner));
        }
    }

    /// Compiles the sets that are wanted without overlay.
    fn bases(&mut self) {
        let sources = &*self.sources;
        let compiled = spread(&self.wanted, |wanted| {
            let schema = ContractSchema::new(wanted.contracts.clone(), wanted.products.clone());
            Arc::new(BaseSet::new(wanted.set.clone(), &wanted.name, &schema, &wanted.options, sources))
        });
        for (wanted, base) in self.wanted.drain(..).zip(compiled) {
            self.made.parts_compiled += base.parts();
            self.made.bases.insert(wanted.key, base);
        }
    }
}

impl Job {
    /// Compiles the partner; with how many parts were compiled.
    fn run(&self, world: &World<'_>, made: &Made, sources: &Sources) -> (PartnerId, MadePartner, usize) {
        let settings = &self.from.settings;
        let (mut told, mut shared, mut parts) = (self.told.clone(), Vec::new(), 0);
        let mut sets: HashMap<Arc<str>, Arc<CompiledSet>> = HashMap::new();
        let told_of = match &settings.notifications {
            None => Some(None),
            Some(from) => notifications::settings(from, &mut told).map(|settings| Some(Arc::new(settings))),
        };
        for set in &self.sets {
            let Some(base) = made.bases.get(&set.base) else { continue };
            let compiled = if set.overlays.is_empty() {
                shared.push((set.base, (0..base.told().len()).collect()));
                base.compiled().cloned()
            } else {
                let products = self.products.get(&settings.releases.default.value).cloned();
                let contracts = releases::contracts(set.release);
                let schema = ContractSchema::new(contracts, products.unwrap_or_default());
                let overlaid =
                    base.with(&set.overlays, &schema, &options(world, settings, &set.name), sources);
                parts += overlaid.parts_compiled;
                told.append(overlaid.told);
                shared.push((set.base, overlaid.shared));
                overlaid.compiled
            };
            if let Some(compiled) = compiled.filter(|_| !set.is_broken) {
                let backends = self.routes.iter().filter(|route| route.mapping == set.name);
                let backends: Vec<_> = backends.map(|route| &route.settings.backend.value).collect();
                check_sets::formats(&world.formats, &compiled, &backends, &mut told);
                let events = told_of.as_ref().and_then(Option::as_deref);
                releases::spoken(settings, (&set.name, set.release), &compiled, events, &mut told);
                sets.insert(Arc::clone(&set.name), compiled);
            }
        }
        let endpoint = match &settings.endpoint {
            None => Some(None),
            Some(from) => backend::endpoint(from, &mut told).map(|settings| Some(Arc::new(settings))),
        };
        let terms = told_of.zip(endpoint).filter(|_| sets.len() == self.sets.len());
        let plan = terms.map(|(told_of, endpoint)| {
            PartnerPlan::new(
                (Arc::clone(settings), told_of, endpoint),
                &self.contracts,
                self.products.clone(),
                &sets,
                self.routes.clone(),
                &made.pool,
            )
        });
        if let Some(plan) = &plan {
            check_routes::sets(plan, &mut told);
        }
        let overlays = self.from.sets.iter().flat_map(|set| &set.overlays);
        let overlays = overlays.map(|(path, _)| sources.find(&world.mappings.shown(path))).collect();
        let made = MadePartner { plan: plan.map(Arc::new), told, shared, from: self.from.clone(), overlays };
        (settings.id.clone(), made, parts)
    }
}

fn options(world: &World<'_>, settings: &Partner, name: &str) -> CompileOptions {
    let xml = world.formats.iter().filter(|(_, format)| **format == Format::Xml);
    CompileOptions {
        aliases: aliases(settings).collect(),
        xml_backends: xml.map(|(id, _)| id.to_string()).collect(),
        interfaces: world.interfaces.of_backends(),
        routes: backends_of(settings, name).map(ToString::to_string).collect(),
        settings: Some(settings.settings.root().members().map(|(name, _)| name.into_owned()).collect()),
        ..CompileOptions::default()
    }
}

fn aliases(settings: &Partner) -> impl Iterator<Item = (String, String)> {
    settings.type_aliases.iter().map(|(alias, target)| (alias.value.clone(), target.value.clone()))
}

/// The names of the sets that a partner's routes speak, each once.
fn set_names(settings: &Partner) -> Vec<&Spanned<String>> {
    let mut names = Vec::<&Spanned<String>>::new();
    for route in &settings.routes {
        let name = route.mapping.as_ref().unwrap_or(&settings.mapping);
        if names.iter().all(|known| known.value != name.value) {
            names.push(name);
        }
    }
    names
}

/// The backends that a mapping set of a partner speaks to, by its routes.
fn backends_of<'p>(settings: &'p Partner, mapping: &'p str) -> impl Iterator<Item = &'p BackendId> {
    let own = settings.mapping.value.as_str();
    let spoken = move |route: &&config::Route| {
        route.mapping.as_ref().map_or(own, |named| named.value.as_str()) == mapping
    };
    settings.routes.iter().filter(spoken).map(|route| &route.backend.value)
}
