//! A set compiled part by part: what a partner's overlay does not reach is taken over from the set without it.
//!
//! A part is the survey of a shape for the types that it names, or an operation. Each begins without memory of the
//! others and keeps what only all of them together can tell: places that one message lacks and another has, names that
//! are used. So the parts of one compilation can stand beside those of another.

use super::again::MadeProgram;
use super::over::Over;
use super::reach::{self, Reach};
use super::scope::Parameters;
use super::values::Scripts;
use super::{
    CompileOptions, CompiledOperation, CompiledSet, Compiler, Effective, HashMap, HashSet, OverlaySource,
    Sight, Spans,
};
use crate::json::query::Condition;
use crate::mapping::codes::CodeTable;
use crate::mapping::convert::Converter;
use crate::mapping::exposed::{Expose, Notify};
use crate::mapping::news::{Receive, Watch};
use crate::mapping::path::FieldPath;
use crate::mapping::program::Tables;
use crate::mapping::raw;
use crate::mapping::schema::Schema;
use crate::text::{Code, Diagnostic, Diagnostics, Severity, SourceId, Sources, Span};
use foldhash::quality::FixedState;
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;

/// A mapping set compiled without overlay, kept so that those of partners are compiled from it.
pub struct BaseSet {
    name: String,
    set: Effective,
    /// None where something is an error.
    compiled: Option<Arc<CompiledSet>>,
    parts: Vec<Arc<Part>>,
    reach: Vec<Reach>,
    told: Vec<Diagnostic>,
    /// Where each of `told` stands in it, by a hash of its content.
    places: HashMap<u64, usize>,
    known: Known,
    together: Together,
}

/// What compiling the same set with an overlay takes over.
#[derive(Default, Clone)]
pub(super) struct Known {
    pub tables: HashMap<String, KnownTable>,
    pub scripts: Scripts,
    /// Converters by their texts.
    pub converters: HashMap<String, Arc<Converter>>,
    /// Products without schema that were told where the set names them.
    pub named: HashSet<String>,
    pub paths: HashMap<SourceId, Arc<str>>,
    /// Legacy words, and what each is a word of.
    pub words: Arc<HashSet<(String, String)>>,
    /// What was told of attributes that answers lack.
    pub lacking: HashSet<(Option<Span>, String)>,
    /// Conditions by their texts.
    pub conditions: Arc<Conditions>,
    /// Paths by their texts.
    pub field_paths: Arc<HashMap<String, FieldPath>>,
    /// What rules were made of.
    pub spans: Arc<Spans>,
    /// Parameters of the operations of functions.
    pub parameters: HashMap<String, Parameters>,
}

/// Conditions that were read, by their texts.
type Conditions = HashMap<String, Condition>;

/// What all parts of a set tell together.
#[derive(Default)]
pub(super) struct Together {
    /// How many parts meet what is looked for in several messages.
    met: HashMap<u64, usize>,
    /// How many parts use a shape or table.
    used: HashMap<Used, usize>,
    /// Products without schema that some part told.
    unchecked: HashSet<String>,
}

/// A table as it is written, and what it is compiled to.
#[derive(Clone)]
pub(super) struct KnownTable {
    raw: Arc<raw::CodeTable>,
    pub table: Arc<CodeTable>,
    /// The one that programs name: that of the set without overlay, in whose place [`Self::table`] stands.
    pub named: Arc<CodeTable>,
}

impl Known {
    /// Whether a table is compiled as it is written.
    pub fn holds(&self, table: &Arc<raw::CodeTable>) -> bool {
        self.tables.get(table.name.as_str()).is_some_and(|known| Arc::ptr_eq(&known.raw, table))
    }

    /// Takes a table that was compiled.
    pub fn take(&mut self, raw: &Arc<raw::CodeTable>, table: CodeTable) {
        let (name, table) = (raw.name.as_str(), Arc::new(table));
        let before = self.tables.get(name).map(|known| Arc::clone(&known.named));
        let named = before.unwrap_or_else(|| Arc::clone(&table));
        self.tables.insert(name.to_owned(), KnownTable { raw: Arc::clone(raw), table, named });
    }

    /// The tables that stand in the place of those that programs name.
    fn replaced(&self) -> Tables {
        let other = self.tables.values().filter(|known| !Arc::ptr_eq(&known.table, &known.named));
        let mut pairs: Vec<_> = other.collect();
        pairs.sort_by(|one, other| one.raw.name.as_str().cmp(other.raw.name.as_str()));
        Tables::new(pairs.iter().map(|known| (Arc::clone(&known.named), Arc::clone(&known.table))).collect())
    }
}

/// A shape or a table by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Used {
    Shape(Box<str>),
    Table(Box<str>),
}

/// What came of one part.
#[derive(Default)]
pub(super) struct Part {
    told: Vec<Diagnostic>,
    /// Products without schema, with what is told of the first place of each.
    unchecked: Vec<(String, Diagnostic)>,
    /// Hashes of what this part met of what is looked for in several messages.
    met: HashSet<u64>,
    /// What it did not meet, how far it came, and what is told if no other part meets it.
    unmet: Vec<(u64, usize, Diagnostic)>,
    used: BTreeSet<Used>,
    made: Option<(Arc<str>, CompiledOperation)>,
    receives: Vec<Arc<Receive>>,
    watches: Vec<Arc<Watch>>,
    exposes: Vec<Arc<Expose>>,
    notifies: Vec<Arc<Notify>>,
    programs: Vec<MadeProgram>,
}

impl Part {
    /// What was made of its messages, in order.
    pub fn programs(&self) -> &[MadeProgram] {
        &self.programs
    }

    /// Whether it is about messages that somebody sends by himself.
    fn talks(&self) -> bool {
        !(self.receives.is_empty()
            && self.watches.is_empty()
            && self.exposes.is_empty()
            && self.notifies.is_empty())
    }

    /// Whether a place that this one did not meet is one that the other met, so that both cannot be put together.
    fn contradicts(&self, other: &Self) -> bool {
        self.unmet.iter().any(|(hash, ..)| other.met.contains(hash))
    }

    /// This part, of the rules that an overlay changes, with what the other found of the rest.
    fn with_rest(mut self, other: &Self) -> Self {
        self.told.extend(other.told.iter().cloned());
        self.unchecked.extend(other.unchecked.iter().cloned());
        self.met.extend(&other.met);
        let known: HashSet<u64> = self.unmet.iter().map(|(hash, ..)| *hash).collect();
        let rest = other.unmet.iter().filter(|(hash, ..)| !known.contains(hash) && !self.met.contains(hash));
        self.unmet.extend(rest.cloned());
        self.used.extend(other.used.iter().cloned());
        self
    }
}

/// A partner's set, compiled from the one without its overlay.
pub struct Overlaid {
    /// The set; none where something is an error.
    pub compiled: Option<Arc<CompiledSet>>,
    /// What the set without overlay does not tell.
    pub told: Diagnostics,
    /// What it shares of [`BaseSet::told`], by index.
    pub shared: Vec<usize>,
    /// Operations and shapes that were compiled for it, and not taken over.
    pub parts_compiled: usize,
    /// Rules that were lowered for it, in each message that has them, and not taken over.
    pub rules_lowered: usize,
}

impl BaseSet {
    /// Checks and compiles a set that was read; `name` is that which overlays must name in `extends:`.
    #[must_use]
    pub fn new(
        set: Effective,
        name: &str,
        schema: &dyn Schema,
        options: &CompileOptions,
        sources: &Sources,
    ) -> Self {
        let mut told = Diagnostics::new();
        let (compiled, parts, known, together) = whole(&set, schema, options, sources, true, &mut told);
        told.sort(sources);
        let compiled = compiled.filter(|_| !told.has_errors()).map(Arc::new);
        let told: Vec<Diagnostic> = told.iter().cloned().collect();
        let places = told.iter().enumerate().map(|(index, one)| (hash_of(&key(one)), index)).collect();
        let reach = reach::of_parts(&set);
        Self { name: name.to_owned(), set, compiled, parts, reach, told, places, known, together }
    }

    /// The set without overlay; none where something is an error.
    #[must_use]
    pub fn compiled(&self) -> Option<&Arc<CompiledSet>> {
        self.compiled.as_ref()
    }

    /// How many parts it has.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// What is to be said of it.
    #[must_use]
    pub fn told(&self) -> &[Diagnostic] {
        &self.told
    }

    /// The set with overlays on it, the first nearest to the set. Schema and options are those of the base.
    #[must_use]
    pub fn with(
        &self,
        overlays: &[OverlaySource],
        schema: &dyn Schema,
        options: &CompileOptions,
        sources: &Sources,
    ) -> Overlaid {
        let mut told = Diagnostics::new();
        let set = self.set.with(&self.name, overlays, &mut told);
        let touched: Vec<usize> = self.touched(&set);
        let is_like = !told.has_errors() && Arc::ptr_eq(&set.set, &self.set.set);
        if !is_like || !(self.compiled.is_some() || self.errs_beside(&touched)) {
            let (compiled, parts, ..) = whole(&set, schema, options, sources, false, &mut told);
            let compiled = compiled.filter(|_| !told.has_errors()).map(Arc::new);
            return self.overlaid(compiled, &told, Vec::new(), parts.len());
        }
        if touched.is_empty() && same(&set.tables, &self.set.tables) {
            return self.overlaid(self.compiled.clone(), &told, (0..self.told.len()).collect(), 0);
        }
        let mut compiler = Compiler::new(&set, schema, options, sources, told, self.known.clone());
        compiler.over = Some(Over::new(&self.set, &set, &self.parts, &self.reach));
        compiler.check_tables();
        compiler.check_once();
        // What names of XML are for nothing is told of the set.
        if set.operations.iter().any(|(_, operation)| compiler.wire(operation).is_xml()) {
            compiler.check_xml();
        }
        let mut parts = self.parts.clone();
        let mut operations = Vec::new();
        for index in &touched {
            if let (Some(part), Some(mut made)) = (parts.get_mut(*index), compiler.part_again(*index)) {
                // What is shared in the end is copied where others have it meanwhile.
                made.programs.clear();
                operations.extend(made.made.take());
                *part = Arc::new(made);
            }
        }
        let rules_lowered = compiler.rules_lowered;
        let (mut told, tables) = (compiler.out, compiler.known.replaced());
        let again: Vec<&Part> = touched.iter().filter_map(|index| Some(&**parts.get(*index)?)).collect();
        again.iter().flat_map(|part| &part.told).for_each(|one| told.push(one.clone()));
        let compiled = self.compiled.as_deref().map(|base| put_over(base, &again, operations, &tables));
        self.tell_together(&set, &parts, &touched, &mut told);
        let shared = self.untouched_told(&touched);
        let compiled = compiled.filter(|_| !told.has_errors()).map(Arc::new);
        Overlaid { rules_lowered, ..self.overlaid(compiled, &told, shared, touched.len()) }
    }

    /// Whether all errors of the set are those of parts that an overlay leaves alone, so that it mends none of them.
    fn errs_beside(&self, touched: &[usize]) -> bool {
        let lacks = |part: &Part| part.unmet.iter().any(|(hash, ..)| !self.together.met.contains_key(hash));
        if touched.iter().filter_map(|index| self.parts.get(*index)).any(|part| lacks(part)) {
            return false;
        }
        let mut told: HashMap<u64, bool> = HashMap::default();
        for (index, part) in self.parts.iter().enumerate() {
            let is_touched = touched.contains(&index);
            for one in part.told.iter().chain(part.unmet.iter().map(|(.., fault)| fault)) {
                *told.entry(hash_of(&key(one))).or_insert(true) &= !is_touched;
            }
        }
        let errors = self.told.iter().filter(|one| one.severity == Severity::Error);
        errors.into_iter().all(|one| told.get(&hash_of(&key(one))) == Some(&true))
    }

    /// The parts that an overlay reaches.
    fn touched(&self, set: &Effective) -> Vec<usize> {
        let shapes = set.shapes.iter().zip(&self.set.shapes).map(|(own, base)| !Arc::ptr_eq(&own.1, &base.1));
        let tables = set.tables.iter().zip(&self.set.tables).map(|(own, base)| !Arc::ptr_eq(own, base));
        let own =
            set.operations.iter().zip(&self.set.operations).map(|(own, base)| !Arc::ptr_eq(&own.1, &base.1));
        let (shapes, tables): (Vec<bool>, Vec<bool>) = (shapes.collect(), tables.collect());
        let own: Vec<bool> = shapes.iter().copied().chain(own).chain([false]).collect();
        let is_touched = |(reach, own): (&Reach, &bool)| *own || reach.meets(&shapes, &tables);
        self.reach
            .iter()
            .zip(&own)
            .enumerate()
            .filter(|(_, part)| is_touched(*part))
            .map(|(index, _)| index)
            .collect()
    }

    /// What is told of places that no part meets and of names that no part uses, where that differs from the base.
    fn tell_together(&self, set: &Effective, parts: &[Arc<Part>], touched: &[usize], told: &mut Diagnostics) {
        let (mut met, mut used) = (HashMap::default(), HashMap::default());
        for part in touched.iter().filter_map(|index| self.parts.get(*index)) {
            part.met.iter().for_each(|hash| *met.entry(*hash).or_insert(0usize) += 1);
            part.used.iter().for_each(|name| *used.entry(name).or_insert(0usize) += 1);
        }
        let made = || touched.iter().filter_map(|index| parts.get(*index));
        let is_met_still = |hash: &u64| {
            self.together.met.get(hash).copied().unwrap_or(0) > met.get(hash).copied().unwrap_or(0)
                || made().any(|part| part.met.contains(hash))
        };
        let is_lost = |(hash, count): (&u64, &usize)| {
            self.together.met.get(hash) == Some(count) && !made().any(|part| part.met.contains(hash))
        };
        let lost = met.iter().any(is_lost)
            || made().flat_map(|part| &part.unmet).any(|(hash, ..)| !is_met_still(hash));
        if lost {
            for one in missing(parts) {
                told.push(one);
            }
        }
        let is_lost = |(name, count): (&&Used, &usize)| {
            self.together.used.get(*name) == Some(count) && !made().any(|part| part.used.contains(*name))
        };
        if used.iter().any(|(name, count)| is_lost((name, count))) {
            for one in unused(set, parts) {
                told.push(one);
            }
        }
        let mut products = HashSet::default();
        for (product, one) in made().flat_map(|part| &part.unchecked) {
            if !self.together.unchecked.contains(product) && products.insert(product) {
                told.push(one.clone());
            }
        }
    }

    /// What the base tells beside the parts that an overlay touches.
    fn untouched_told(&self, touched: &[usize]) -> Vec<usize> {
        let of_touched: HashSet<usize> = touched
            .iter()
            .filter_map(|index| self.parts.get(*index))
            .flat_map(|part| &part.told)
            .filter_map(|one| self.place(one))
            .collect();
        (0..self.told.len()).filter(|index| !of_touched.contains(index)).collect()
    }

    fn place(&self, one: &Diagnostic) -> Option<usize> {
        self.places.get(&hash_of(&key(one))).copied()
    }

    /// Sorts what was told into what the base tells as well, and the rest.
    fn overlaid(
        &self,
        compiled: Option<Arc<CompiledSet>>,
        told: &Diagnostics,
        mut shared: Vec<usize>,
        parts_compiled: usize,
    ) -> Overlaid {
        let mut own = Diagnostics::new();
        for one in told {
            match self.place(one) {
                Some(place) => shared.push(place),
                None => own.push(one.clone()),
            }
        }
        shared.sort_unstable();
        shared.dedup();
        Overlaid { compiled, told: own, shared, parts_compiled, rules_lowered: 0 }
    }
}

/// Compiles all parts of a set. `keeps_lowered`: so that overlays can be put over it.
pub(super) fn whole(
    set: &Effective,
    schema: &dyn Schema,
    options: &CompileOptions,
    sources: &Sources,
    keeps_lowered: bool,
    out: &mut Diagnostics,
) -> (Option<CompiledSet>, Vec<Arc<Part>>, Known, Together) {
    let mut compiler = Compiler::new(set, schema, options, sources, std::mem::take(out), Known::default());
    compiler.keeps_lowered = keeps_lowered;
    compiler.check_tables();
    compiler.check_products();
    compiler.check_once();
    compiler.check_functions();
    compiler.check_xml();
    let count = set.shapes.len() + set.operations.len() + 1;
    let parts: Vec<Arc<Part>> = (0..count).filter_map(|index| compiler.part(index)).map(Arc::new).collect();
    let mut compiled = compiler.empty();
    let (mut known, mut together) = (compiler.known, Together::default());
    known.spans = Arc::new(compiler.spans);
    *out = compiler.out;
    for part in &parts {
        part.told.iter().for_each(|one| out.push(one.clone()));
        for (product, one) in &part.unchecked {
            if together.unchecked.insert(product.clone()) {
                out.push(one.clone());
            }
        }
        part.met.iter().for_each(|hash| *together.met.entry(*hash).or_insert(0) += 1);
        part.used.iter().for_each(|name| *together.used.entry(name.clone()).or_insert(0) += 1);
        if let Some((name, operation)) = &part.made {
            compiled.operations.insert(Arc::clone(name), operation.clone());
        }
        compiled.receives.extend(part.receives.iter().cloned());
        compiled.watches.extend(part.watches.iter().cloned());
        compiled.exposes.extend(part.exposes.iter().cloned());
        compiled.notifies.extend(part.notifies.iter().cloned());
    }
    missing(&parts).into_iter().chain(unused(set, &parts)).for_each(|one| out.push(one));
    known.scripts.share();
    ((!out.has_errors()).then_some(compiled), parts, known, together)
}

impl<'c> Compiler<'c> {
    /// Compiles one part of a set with an overlay: what the overlay leaves alone of it is taken over.
    fn part_again(&mut self, index: usize) -> Option<Part> {
        let set = self.set;
        let over = self.over.as_ref()?;
        let operation = |set: &'c Effective| set.operations.get(index.checked_sub(set.shapes.len())?);
        let is_own = match (operation(set), operation(over.base)) {
            (Some((_, own)), Some((_, base))) => !Arc::ptr_eq(own, base),
            _ => false,
        };
        let base = over.part(index)?;
        if !(is_own || over.loses_names) {
            let part = self.part(index)?;
            if !part.contradicts(base) {
                return Some(part.with_rest(base));
            }
        }
        let over = self.over.take();
        let part = self.part(index);
        self.over = over;
        part
    }

    /// Compiles one part: the survey of a shape for its own types, an operation, or what is received and exposed.
    fn part(&mut self, index: usize) -> Option<Part> {
        (self.part, self.programs) = (index, Vec::new());
        let set = self.set;
        let before = std::mem::take(&mut self.out);
        let (mut made, mut receives, mut watches, mut exposes) = (None, Vec::new(), Vec::new(), Vec::new());
        let mut notifies = Vec::new();
        if let Some((function, shape)) = set.shapes.get(index) {
            self.survey(function.as_deref().unwrap_or_default(), shape);
        } else if index == set.shapes.len() + set.operations.len() {
            (receives, watches) = (self.receives(), self.watches());
            (exposes, notifies) = (self.exposes(), self.notifies());
        } else {
            let (function, operation) = set.operations.get(index - set.shapes.len())?;
            let operation_id = operation.id.as_str();
            let compiled = self.operation(function, operation);
            made = compiled.map(|compiled| (format!("{function}.{operation_id}").into(), compiled));
        }
        self.surveyed.clear();
        let programs = std::mem::take(&mut self.programs);
        let mut part = Part {
            made,
            receives,
            watches,
            exposes,
            notifies,
            programs,
            unchecked: std::mem::take(&mut self.unchecked),
            ..Part::default()
        };
        for (what, missing) in std::mem::take(&mut self.missing) {
            let hash = hash_of(&what);
            match missing {
                None => {
                    part.met.insert(hash);
                }
                Some((depth, fault)) => part.unmet.push((hash, depth, fault)),
            }
        }
        let shapes = std::mem::take(&mut self.shapes_used).into_iter().map(|name| Used::Shape(name.into()));
        let tables = std::mem::take(&mut self.tables_used).into_iter().map(|name| Used::Table(name.into()));
        part.used = shapes.chain(tables).collect();
        part.told = std::mem::replace(&mut self.out, before).iter().cloned().collect();
        Some(part)
    }
}

/// A set without overlay, with parts and operations of one that an overlay changes.
fn put_over(
    base: &CompiledSet,
    again: &[&Part],
    operations: Vec<(Arc<str>, CompiledOperation)>,
    tables: &Tables,
) -> CompiledSet {
    let mut compiled = base.clone();
    if let Some(part) = again.iter().find(|part| part.talks()) {
        compiled.receives = like(&part.receives, &base.receives);
        compiled.watches = like(&part.watches, &base.watches);
        compiled.exposes = like(&part.exposes, &base.exposes);
        compiled.notifies.clone_from(&part.notifies);
        compiled.tables = tables.clone();
    }
    for (name, operation) in operations {
        let mut operation = CompiledOperation { tables: tables.clone(), ..operation };
        if let Some(known) = base.operations.get(&name) {
            operation.program = Arc::unwrap_or_clone(operation.program).sharing(&known.program);
            if operation.not_echoed == known.not_echoed {
                operation.not_echoed = Arc::clone(&known.not_echoed);
            }
        }
        compiled.operations.insert(name, operation);
    }
    compiled
}

/// What is told of places that no part meets: by the part that came farthest, the first of several.
fn missing(parts: &[Arc<Part>]) -> Vec<Diagnostic> {
    let mut farthest: HashMap<u64, (usize, &Diagnostic)> = HashMap::default();
    for (hash, depth, fault) in parts.iter().flat_map(|part| &part.unmet) {
        if parts.iter().any(|part| part.met.contains(hash)) {
            continue;
        }
        let best = farthest.entry(*hash).or_insert((*depth, fault));
        if best.0 < *depth {
            *best = (*depth, fault);
        }
    }
    farthest.into_values().map(|(_, fault)| fault.clone()).collect()
}

/// What is told of tables and shapes that no part uses.
fn unused(set: &Effective, parts: &[Arc<Part>]) -> Vec<Diagnostic> {
    use crate::mapping::diagnostic as code;
    let is_used = |name: Used| parts.iter().any(|part| part.used.contains(&name));
    let mut told = Vec::new();
    for raw in set.tables.iter().filter(|raw| !is_used(Used::Table(raw.name.as_str().into()))) {
        let message = format!("no rule uses the code table `{}`", raw.name);
        told.push(Diagnostic::warning(code::UNUSED_TABLE, message).at(raw.name.span()));
    }
    for (_, shape) in set.shapes.iter().filter(|(_, raw)| !is_used(Used::Shape(raw.name.as_str().into()))) {
        let message = format!("nothing uses the shape `{}`", shape.name);
        told.push(Diagnostic::warning(code::UNUSED_SHAPE, message).at(shape.name.span()));
    }
    told
}

/// The same, those of them taken from the others that are there as well.
fn like<T: PartialEq>(own: &[Arc<T>], others: &[Arc<T>]) -> Vec<Arc<T>> {
    own.iter().map(|own| Arc::clone(others.iter().find(|other| *other == own).unwrap_or(own))).collect()
}

fn same<T>(one: &[Arc<T>], other: &[Arc<T>]) -> bool {
    one.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other))
}

/// What two diagnostics that say the same have in common.
type Key<'d> = (Code, Severity, Option<Span>, &'d str);

fn key(one: &Diagnostic) -> Key<'_> {
    (one.code, one.severity, one.span, &one.message)
}

/// A hash that is the same in every run.
pub(super) fn hash_of<T: Hash>(what: &T) -> u64 {
    FixedState::default().hash_one(what)
}

// What is looked for in several messages is kept by its hash alone.
const _: fn(&Sight) -> u64 = hash_of::<Sight>;
