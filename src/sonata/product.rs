//! Products: schemas that a `@type` chooses while a message is read.
//!
//! The standard binds product schemas by URN at run time: `productConfiguration` is open in the interface file,
//! and its `@type` names the schema that the rest must conform to. A partner may write other URNs for the same
//! products; its aliases are part of [`Products`].

use super::{Types, TypesError, compile::Numbers, facts, types::TypeId, view::TypeView};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

/// Compiled product schemas of one source.
#[derive(Debug)]
pub struct ProductTypes {
    /// Roots by URN.
    roots: BTreeMap<Arc<str>, TypeId>,
    /// The types, once they were asked for.
    types: OnceLock<Types>,
    /// The facts that they are compiled from then; nothing where they are there.
    facts: &'static str,
}

impl ProductTypes {
    /// URNs of the products.
    pub fn urns(&self) -> impl Iterator<Item = &str> {
        self.roots.keys().map(AsRef::as_ref)
    }

    /// Compiles a file of facts.
    ///
    /// # Errors
    /// The type that does not hold together.
    pub fn compile(file: &facts::File) -> Result<Self, TypesError> {
        let types = Types::compile(&file.types, &[])?;
        Ok(Self { types: types.into(), ..Self::outline(file, "")? })
    }

    /// Everything but the types, which are compiled when they are first asked for.
    pub(super) fn outline(file: &facts::File, text: &'static str) -> Result<Self, TypesError> {
        let numbers = Numbers::new(&file.types)?;
        let mut roots = BTreeMap::new();
        for product in &file.products {
            roots.insert(product.urn.as_str().into(), numbers.named(&product.type_name)?);
        }
        Ok(Self { roots, types: OnceLock::new(), facts: text })
    }

    fn types(&self) -> &Types {
        self.types.get_or_init(|| {
            let file = facts::read(self.facts).ok();
            // A test compiles what is embedded.
            file.and_then(|file| Types::compile(&file.types, &[]).ok()).unwrap_or_else(Types::none)
        })
    }
}

/// The schema of one product. Cloning shares.
#[derive(Debug, Clone)]
pub struct ProductSchema {
    source: Arc<ProductTypes>,
    urn: Arc<str>,
    root: TypeId,
}

impl ProductSchema {
    /// The standard's URN of it, whatever alias it was found by.
    pub fn urn(&self) -> &str {
        &self.urn
    }

    /// The product's name within its URN, such as `access-eline-ovc`.
    pub fn short_name(&self) -> &str {
        short_name(&self.urn)
    }

    /// Its types.
    pub fn types(&self) -> &Types {
        self.source.types()
    }

    /// The type of a configuration, `@type` not counted.
    pub fn root(&self) -> TypeId {
        self.root
    }

    /// The type of a configuration as data to read.
    pub fn view(&self) -> TypeView<'_> {
        TypeView::new(self.types(), self.root)
    }
}

/// Product schemas in reach, with a partner's aliases.
#[derive(Debug, Clone, Default)]
pub struct Products {
    sources: Vec<Arc<ProductTypes>>,
    /// URN as the partner writes it, to that of the product.
    aliases: BTreeMap<String, String>,
}

impl Products {
    /// Products of these sources; the first source that knows a URN wins.
    pub fn new(sources: Vec<Arc<ProductTypes>>) -> Self {
        Self { sources, aliases: BTreeMap::new() }
    }

    /// The same with products of another source, which are looked at first.
    #[must_use]
    pub fn with_source(mut self, source: Arc<ProductTypes>) -> Self {
        self.sources.insert(0, source);
        self
    }

    /// The same with those of others behind them: what both have is this one's, and a short name means what they mean.
    #[must_use]
    pub fn with_later(mut self, others: &Self) -> Self {
        for source in &others.sources {
            if self.sources.iter().all(|known| !Arc::ptr_eq(known, source)) {
                self.sources.push(source.clone());
            }
        }
        self
    }

    /// The same with aliases: each maps what a partner writes as `@type` to a URN or short name.
    ///
    /// # Errors
    /// The targets that name no product, as they were written.
    pub fn with_aliases(
        mut self,
        aliases: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<String>> {
        let (mut known, mut unknown) = (BTreeMap::new(), Vec::new());
        for (alias, target) in aliases {
            match self.known(&target) {
                Some(product) => {
                    known.insert(alias, product.urn().to_owned());
                }
                None => unknown.push(target),
            }
        }
        self.aliases = known;
        if unknown.is_empty() { Ok(self) } else { Err(unknown) }
    }

    /// The aliases, each with the URN that it stands for; those that are URNs themselves mean themselves.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.aliases.iter().filter(|(alias, _)| self.by_urn(alias).is_none());
        own.map(|(alias, urn)| (alias.as_str(), urn.as_str()))
    }

    /// The product that a message means by this `@type`: a URN of the standard, or an alias.
    pub fn resolve(&self, type_urn: &str) -> Option<ProductSchema> {
        self.by_urn(type_urn).or_else(|| self.by_urn(self.aliases.get(type_urn)?))
    }

    /// The product of this URN or, where only one has it, this short name. For configuration and mappings.
    pub fn known(&self, name: &str) -> Option<ProductSchema> {
        self.by_urn(name).or_else(|| {
            // The release's own stand last and go first: a newer version beside them changes no mapping's meaning.
            let only = |source: &Arc<ProductTypes>| {
                let mut found = source.urns().filter(|urn| short_name(urn) == name);
                let urn = found.next()?.to_owned();
                if found.next().is_some() { None } else { Some(urn) }
            };
            self.by_urn(&self.sources.iter().rev().find_map(only)?)
        })
    }

    /// The types of a source of products, by the number that [`Self::source`] gave.
    pub fn types(&self, source: usize) -> Option<&Types> {
        self.sources.get(source).map(|source| source.types())
    }

    /// The source of a product of these.
    pub fn source(&self, product: &ProductSchema) -> Option<usize> {
        self.sources.iter().position(|source| Arc::ptr_eq(source, &product.source))
    }

    /// Whether this `@type` means that product; for conditions such as `product: access-eline-ovc`.
    pub fn is_product(&self, type_urn: &str, short_name: &str) -> bool {
        self.resolve(type_urn).is_some_and(|product| product.short_name() == short_name)
    }

    /// All texts that a message may write as `@type` of the product of this URN: the URN, then its aliases.
    pub fn spellings<'p>(&'p self, urn: &'p str) -> impl Iterator<Item = &'p str> {
        let is_alias = move |(_, target): &(&String, &String)| target.as_str() == urn;
        std::iter::once(urn).chain(self.aliases.iter().filter(is_alias).map(|(alias, _)| alias.as_str()))
    }

    /// URNs of all products.
    pub fn urns(&self) -> impl Iterator<Item = &str> {
        let all: BTreeSet<&str> =
            self.sources.iter().flat_map(|source| source.roots.keys().map(AsRef::as_ref)).collect();
        all.into_iter()
    }

    /// Names of the types of all products, which are compiled for this.
    pub fn type_names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().flat_map(|source| source.types().names())
    }

    fn by_urn(&self, urn: &str) -> Option<ProductSchema> {
        self.sources.iter().find_map(|source| {
            let (urn, root) = source.roots.get_key_value(urn)?;
            Some(ProductSchema { source: source.clone(), urn: urn.clone(), root: *root })
        })
    }
}

/// `urn:mef:lso:spec:<namespace>:<name>:<version>:<context>` gives `<name>`; other texts themselves.
fn short_name(urn: &str) -> &str {
    let parts: Vec<&str> = urn.rsplitn(4, ':').collect();
    match parts.as_slice() {
        [_, _, name, prefix] if prefix.starts_with("urn:") => name,
        _ => urn,
    }
}
