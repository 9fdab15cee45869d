//! The compiler of the mapping language: files to checked, lowered programs.
//!
//! Four steps, each of which tells everything wrong that it sees and goes on: [`read_set_files`] reads the files,
//! [`Effective::with`] puts a partner's overlay over them, the survey checks every shape against each message type it
//! is for, and the lowering makes one program per operation, phase and direction. What may be sent to whom, and
//! when, is not decided here: `exchange` runs what comes out.

mod after;
mod again;
mod bridge;
mod condition;
mod coverage;
mod effective;
mod exposed;
mod facts;
mod form;
mod legacy;
mod list;
mod literal;
mod load;
mod lower;
mod lower_array;
mod lower_pair;
mod mend;
mod news;
mod once;
mod operation;
mod over;
mod overlay;
mod parts;
mod reach;
mod recover;
mod reply;
mod scope;
mod show;
mod steps;
mod survey;
mod tables;
mod template;
mod twins;
mod usual;
mod values;
mod watch;
mod writers;
mod xml;

pub use bridge::{Shores, compile_bridge};
pub use effective::Effective;
pub use load::{OVERLAYS_MAX, OverlaySource, overlay_path, read_overlays, read_set_files};
pub use parts::{BaseSet, Overlaid};
pub use show::{RECEIVES, WATCH, show};

use super::exposed::{Expose, Notify};
use super::news::{Receive, Watch};
use super::operation::OperationProgram;
use super::path::FieldPath;
use super::program::Tables;
use super::raw::{self, Text};
use super::schema::{Interface, Schema};
use crate::format::Names;
use crate::text::{Diagnostic, Diagnostics, FileSet, Hint, Slips, SourceId, Sources, Span};
use foldhash::fast::RandomState;
use std::{
    borrow::Cow,
    collections::{self, BTreeMap},
    sync::Arc,
};

/// A map that is filled anew for each partner. Its keys are written by who runs the program: no defence against keys that were
/// chosen to stand together is paid for.
type HashMap<K, V> = collections::HashMap<K, V, RandomState>;
/// As [`HashMap`], of keys alone.
type HashSet<K> = collections::HashSet<K, RandomState>;

/// What goes wrong in a path, and what was meant.
const PATH_SLIPS: Slips<'_> = Slips {
    written: &[
        ("[]", "[*]"),
        ("..", "."),
        ("/", "."),
        ("*", "[*]"),
        ("[*", "[*]"),
        ("*]", "[*]"),
        ("=", "=="),
        (" and ", " && "),
        ("and", "&&"),
        ("&", "&&"),
    ],
    missing: &["]", "'", "@.", "?", ".", "@", "["],
};

/// What we are to the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// Requests come in Sonata and go to the legacy system.
    #[default]
    Seller,
    /// Requests come from our own procurement system and go out in Sonata.
    Buyer,
}

/// What a mapping set is compiled for.
#[derive(Debug, Clone, Default)]
pub struct CompileOptions {
    /// What we are to the partner.
    pub side: Side,
    /// Texts of `@type` that this partner uses for a product: the alias, and the product's own `@type` or its
    /// short name in the set.
    pub aliases: Vec<(String, String)>,
    /// Backends that speak XML without SOAP: paths of messages to them are those of XML.
    pub xml_backends: Vec<String>,
    /// Interfaces of backends by their names; messages to other backends are not checked on the legacy side.
    pub interfaces: BTreeMap<String, Arc<dyn Interface>>,
    /// Backends that this partner's routes may lead to; none: the one that the set names.
    pub routes: Vec<String>,
    /// Names of the partner's settings, which `facts.settings` has; none: not known.
    pub settings: Option<Vec<String>>,
}

/// One operation, compiled.
#[derive(Debug, Clone)]
pub struct CompiledOperation {
    /// The calls, their messages and the answer.
    pub program: Arc<OperationProgram>,
    /// Sonata places whose mapped value wins over what the Buyer sent (`echo: false`): member names from the answer's
    /// root, joined by dots, without indices and conditions.
    pub not_echoed: Arc<[Box<str>]>,
    /// Its backend, whatever the partner's routes say, and where that is written.
    pub backend: Option<(Box<str>, Span)>,
    /// Tables in the place of those that the program names.
    pub tables: Tables,
}

/// A mapping set, compiled for one partner.
#[derive(Debug, Clone, Default)]
pub struct CompiledSet {
    /// By `function.operationId`.
    pub operations: BTreeMap<Arc<str>, CompiledOperation>,
    /// What the legacy system tells us.
    pub receives: Vec<Arc<Receive>>,
    /// What we ask it for.
    pub watches: Vec<Arc<Watch>>,
    /// What our procurement system is offered.
    pub exposes: Vec<Arc<Expose>>,
    /// What it is told by itself.
    pub notifies: Vec<Arc<Notify>>,
    /// Tables in the place of those that the programs of what it tells name.
    pub tables: Tables,
    /// Release that the set says it is written against.
    pub release: Option<(String, Span)>,
    /// Backend that the set names.
    pub backend: Option<(String, Span)>,
    /// What is said once about the elements of its XML.
    pub names: Arc<Names>,
}

/// Reads, checks and compiles a mapping set with a partner's overlay.
///
/// `files` are those of the set's folder, `overlay` is the partner's file in its folder, by its path there. What
/// is wrong is pushed to `out`; with an error among it there is no result.
pub fn compile(
    files: &FileSet,
    overlay: Option<(&FileSet, &str)>,
    schema: &dyn Schema,
    options: &CompileOptions,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<CompiledSet> {
    let mut told = Diagnostics::new();
    let set = read_set_files(files, sources, &mut told);
    let overlays = overlay.map(|(files, path)| read_overlays(files, path, sources, &mut told));
    let overlays = overlays.unwrap_or_default();
    let name = files.root().rsplit('/').next().unwrap_or_default();
    let compiled = set.and_then(|set| {
        let set = set.with(name, &overlays, &mut told);
        parts::whole(&set, schema, options, sources, false, &mut told).0
    });
    told.sort(sources);
    let failed = told.has_errors();
    out.append(told);
    compiled.filter(|_| !failed)
}

/// A product by its short name: the texts of its `@type`, the written one first.
#[derive(Debug, Clone)]
struct Product {
    types: Vec<String>,
}

/// What a place is known by when it is looked for in several message types.
type Sight = (Span, Cow<'static, str>);

/// What rules were made of, by file, line and column of their origins.
type Spans = HashMap<(Arc<str>, u32, u32), Span>;

/// The state of one compilation.
struct Compiler<'c> {
    schema: &'c dyn Schema,
    set: &'c Effective,
    side: Side,
    sources: &'c Sources,
    out: Diagnostics,
    products: BTreeMap<String, Product>,
    /// What does not belong to one part alone.
    known: parts::Known,
    tables_used: HashSet<&'c str>,
    shapes_used: HashSet<&'c str>,
    /// Places that no message type had so far, with what is told if none has.
    missing: HashMap<Sight, Option<(usize, Diagnostic)>>,
    surveyed: HashSet<survey::Surveyed<'c>>,
    xml_backends: Vec<String>,
    interfaces: BTreeMap<String, Arc<dyn Interface>>,
    routes: Vec<String>,
    settings: Option<Vec<String>>,
    /// Products without schema, with what is told of their first place.
    unchecked: Vec<(String, Diagnostic)>,
    /// Rules that stand a second time: nothing else is said of them.
    copied: HashSet<Span>,
    /// What rules were made of, by file, line and column of their origins.
    spans: Spans,
    /// The set without overlay, of which only what differs is compiled again.
    over: Option<over::Over<'c>>,
    /// Whether what rules are lowered to is kept, for overlays that leave them alone.
    keeps_lowered: bool,
    /// Rules that were lowered, in each message that has them.
    rules_lowered: usize,
    /// The newer release, where the rules are those of a bridge.
    opposite: Option<Arc<dyn Interface>>,
    /// Names of the values in the address of what the legacy system sends, where such a message is compiled.
    address: Option<Vec<String>>,
    /// The part that is compiled.
    part: usize,
    /// What was made of the messages of that part, in order.
    programs: Vec<again::MadeProgram>,
}

impl<'c> Compiler<'c> {
    fn new(
        set: &'c Effective,
        schema: &'c dyn Schema,
        options: &CompileOptions,
        sources: &'c Sources,
        mut out: Diagnostics,
        mut known: parts::Known,
    ) -> Self {
        let products = products(set, options);
        known.scripts.read(set.functions.as_ref(), &mut out);
        Self {
            schema,
            set,
            side: options.side,
            sources,
            out,
            products,
            known,
            tables_used: HashSet::default(),
            shapes_used: HashSet::default(),
            missing: HashMap::default(),
            surveyed: HashSet::default(),
            xml_backends: options.xml_backends.clone(),
            interfaces: options.interfaces.clone(),
            routes: options.routes.clone(),
            settings: options.settings.clone(),
            unchecked: Vec::new(),
            copied: HashSet::default(),
            spans: HashMap::default(),
            over: None,
            keeps_lowered: false,
            rules_lowered: 0,
            opposite: None,
            address: None,
            part: 0,
            programs: Vec::new(),
        }
    }

    /// Notes whether a message type has a place; told at the end where none has. Of several types the one that has
    /// most of the path is told, and of equals one that has a word like the one that is not there: that is the one that
    /// was meant.
    fn sighted(&mut self, what: Sight, missing: Option<(usize, Diagnostic)>) {
        let Some((depth, fault)) = missing else {
            self.missing.insert(what, None);
            return;
        };
        let is_mended = |fault: &Diagnostic| fault.hint.as_ref().is_some_and(Hint::is_change);
        match self.missing.entry(what).or_insert_with(|| Some((depth, fault.clone()))) {
            Some(known) if (known.0, is_mended(&known.1)) < (depth, is_mended(&fault)) => {
                *known = (depth, fault);
            }
            _ => {}
        }
    }

    /// Whether a rule is what it was without the overlay, so that nothing new can be said of it.
    fn keeps(&mut self, rule: &raw::Rule) -> bool {
        self.over.as_mut().is_some_and(|over| over.keeps(rule))
    }

    /// Tells once of a product that it has no schema.
    fn tell_unchecked(&mut self, product: &str, fault: impl FnOnce() -> Diagnostic) {
        let is_known = self.known.named.contains(product);
        if !is_known && self.unchecked.iter().all(|(known, _)| known != product) {
            self.unchecked.push((product.to_owned(), fault()));
        }
    }

    /// Parses a field path; what is wrong with it is told.
    fn path(&mut self, text: &Text) -> Option<FieldPath> {
        if let Some(path) = self.field_path(text.as_str()) {
            return Some(path);
        }
        match FieldPath::parse(text.as_str()) {
            Ok(path) => Some(path),
            Err(error) => {
                let fault = Diagnostic::error(super::diagnostic::PATH, error.message);
                let at = text.word_at(error.offset);
                let good = |tried: &str| FieldPath::parse(tried).is_ok();
                let is_parameter =
                    ["query:", "path:", "header:"].iter().any(|part| text.as_str().starts_with(part));
                let mended = if is_parameter { None } else { text.mended(error.offset, PATH_SLIPS, good) };
                self.out.push(fault.at(at).maybe_hint(mended.or(error.hint)));
                None
            }
        }
    }

    /// The path of a file as diagnostics show it, shared.
    fn file(&mut self, source: SourceId) -> Arc<str> {
        self.known.paths.entry(source).or_insert_with(|| self.sources.path(source).into()).clone()
    }
}

fn products(set: &Effective, options: &CompileOptions) -> BTreeMap<String, Product> {
    let mut products = BTreeMap::new();
    for product in &set.set.products {
        let mut types: Vec<String> = product.types.iter().map(|ty| ty.as_str().to_owned()).collect();
        for (alias, own) in &options.aliases {
            let same = product.name.as_str() == own || types.iter().any(|ty| ty == own);
            if same && !types.contains(alias) {
                types.push(alias.clone());
            }
        }
        products.insert(product.name.as_str().to_owned(), Product { types });
    }
    products
}
