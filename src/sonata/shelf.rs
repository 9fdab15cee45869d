//! The embedded files of facts, and the index that says which of them a release takes.
//!
//! Index and files are written by the importer. A file is stored once, below the oldest release that has it; those
//! after it whose contract is the same name it too. A line of the index:
//!
//! ```text
//! fergie order 10.0.0 productOrderingManagement ella/order
//! ```
//! that is release, function, version and segment of the path, and file; or release, `products` and file.

use super::{Contract, Function, Release, facts, product::ProductTypes};
use std::sync::{Arc, LazyLock, OnceLock};

/// First line of the index; the number is that of the form.
pub(super) const HEADER: &str = "releases 1";

/// What stands in the place of a function where a line is about products.
pub(super) const PRODUCTS: &str = "products";

macro_rules! embedded {
    ($($path:literal)*) => { &[$(($path, include_str!(concat!("facts/", $path, ".facts")))),*] };
}

/// The files by path.
pub(super) static FILES: &[(&str, &str)] = embedded!(
    "billie/address"
    "billie/inventory"
    "billie/order"
    "billie/orderNotification"
    "billie/poq"
    "billie/poqNotification"
    "billie/products"
    "billie/quote"
    "billie/quoteNotification"
    "billie/site"
    "billie/troubleTicket"
    "billie/troubleTicketNotification"
    "celine/order"
    "celine/orderNotification"
    "celine/products"
    "celine/quote"
    "celine/troubleTicket"
    "celine/troubleTicketNotification"
    "dolly/appointment"
    "dolly/appointmentNotification"
    "dolly/inventory"
    "dolly/order"
    "dolly/products"
    "dolly/quote"
    "dolly/troubleTicket"
    "dolly/troubleTicketNotification"
    "dolly/workOrder"
    "dolly/workOrderNotification"
    "ella/appointment"
    "ella/billing"
    "ella/billingNotification"
    "ella/order"
    "ella/products"
    "ella/troubleTicket"
    "ella/workOrder"
    "fergie/availabilityPricing"
    "fergie/billing"
    "fergie/billingNotification"
    "fergie/catalog"
    "fergie/catalogNotification"
    "fergie/products"
    "grace/availabilityPricing"
    "grace/catalog"
    "grace/products"
    "kylie/address"
    "kylie/addressNotification"
    "kylie/appointment"
    "kylie/appointmentNotification"
    "kylie/availabilityPricing"
    "kylie/billing"
    "kylie/billingNotification"
    "kylie/catalog"
    "kylie/catalogNotification"
    "kylie/impairment"
    "kylie/impairmentNotification"
    "kylie/inventory"
    "kylie/order"
    "kylie/orderNotification"
    "kylie/poq"
    "kylie/poqNotification"
    "kylie/quote"
    "kylie/quoteNotification"
    "kylie/site"
    "kylie/troubleTicket"
    "kylie/troubleTicketNotification"
    "kylie/workOrder"
    "kylie/workOrderNotification"
);

/// The embedded index.
pub(super) static INDEX: &str = include_str!("facts/releases");

/// One contract of a release.
pub(super) struct Row {
    pub release: Release,
    pub function: Function,
    version: &'static str,
    segment: &'static str,
    /// Path of its file.
    pub facts: &'static str,
    contract: OnceLock<Option<Contract>>,
}

/// A file, and what is made of it when it is first asked for.
struct Held<C> {
    path: &'static str,
    made: OnceLock<Option<Arc<C>>>,
}

struct Shelf {
    rows: Vec<Row>,
    contracts: Vec<Held<Contract>>,
    products: Vec<(Release, &'static str)>,
    product_files: Vec<Held<ProductTypes>>,
}

static SHELF: LazyLock<Shelf> = LazyLock::new(|| Shelf::of(INDEX));

/// The text of a file; nothing if it is not embedded, which a test holds.
pub(super) fn text(path: &str) -> &'static str {
    FILES.iter().find(|(known, _)| *known == path).map(|(_, text)| *text).unwrap_or_default()
}

/// The contracts of a release, in the order of the index.
pub(super) fn rows(release: Release) -> impl Iterator<Item = &'static Row> {
    SHELF.rows.iter().filter(move |row| row.release == release)
}

/// The products of a release.
pub(super) fn products(release: Release) -> Option<&'static Arc<ProductTypes>> {
    let (_, path) = SHELF.products.iter().find(|(known, _)| *known == release)?;
    SHELF.product_files.iter().find(|held| held.path == *path)?.get(ProductTypes::outline)
}

impl Row {
    /// The contract, read when it is first asked for.
    pub fn contract(&'static self) -> Option<&'static Contract> {
        let published = || {
            let held = SHELF.contracts.iter().find(|held| held.path == self.facts)?;
            Some(held.get(Contract::outline)?.as_published(self.version, self.segment))
        };
        self.contract.get_or_init(published).as_ref()
    }
}

impl<C> Held<C> {
    fn get<E>(&self, make: impl FnOnce(&facts::File, &'static str) -> Result<C, E>) -> Option<&Arc<C>> {
        let made = self.made.get_or_init(|| {
            let text = text(self.path);
            make(&facts::read(text).ok()?, text).ok().map(Arc::new)
        });
        made.as_ref()
    }
}

impl Shelf {
    /// Reads an index. Lines that are not understood are left out; a test holds that there are none.
    fn of(index: &'static str) -> Self {
        let mut rows = Vec::new();
        let mut products = Vec::new();
        for line in index.lines().skip(1) {
            let words: Vec<&str> = line.split(' ').collect();
            let (Some(release), words) =
                (words.first().and_then(|name| Release::parse(name)), words.get(1..))
            else {
                continue;
            };
            match words {
                Some([PRODUCTS, path]) => products.push((release, *path)),
                Some([name, version, segment, facts]) => {
                    let Some(function) = Function::parse(name) else { continue };
                    rows.push(Row { release, function, version, segment, facts, contract: OnceLock::new() });
                }
                _ => {}
            }
        }
        let contracts = held(rows.iter().map(|row| row.facts));
        let product_files = held(products.iter().map(|(_, path)| *path));
        Self { rows, contracts, products, product_files }
    }
}

/// One for every path, whatever it is named by.
fn held<C>(paths: impl Iterator<Item = &'static str>) -> Vec<Held<C>> {
    let paths: std::collections::BTreeSet<&str> = paths.collect();
    paths.into_iter().map(|path| Held { path, made: OnceLock::new() }).collect()
}
