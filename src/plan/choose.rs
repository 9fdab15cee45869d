//! Which of a partner's routes takes a request.
//!
//! A request that begins something goes by what it says; one about an entity goes to the backend that keeps it; a
//! list goes to all that may keep something of it. No route at all is told, never made up for.

use std::sync::Arc;

use super::{MappedOperation, PartnerPlan, Served};
use crate::{
    config,
    ids::BackendId,
    json::{
        Node,
        query::{ReadStep, Step},
    },
    sonata::{
        Function, Products,
        entity::{EntityKind, duty_of},
    },
};

/// One of a partner's routes, with the mapping set that its backend is spoken to by.
#[derive(Debug, Clone)]
pub struct BackendRoute {
    /// As configured.
    pub settings: config::Route,
    /// The mapping set.
    pub mapping: Arc<str>,
}

/// How an operation is served by way of one route.
#[derive(Debug, Clone)]
pub struct Target {
    /// The route's backend.
    pub home: BackendId,
    /// Where it goes: the route's backend, unless the mapping names another.
    pub backend: BackendId,
    /// The route's mapping set.
    pub mapping: Arc<str>,
    /// What the set has of it.
    pub served: Served,
    /// Index of the route.
    pub(super) route: usize,
    /// Whether the route's `operations` name it.
    pub(super) is_named: bool,
    /// Whether they name it or, where it is a list, what makes something of its kind.
    pub(super) is_listed: bool,
}

impl Target {
    pub(super) fn new(
        (index, route): (usize, &BackendRoute),
        served: Served,
        function: Function,
        (operation_id, spoken): (&str, &str),
    ) -> Self {
        let names = &route.settings.operations;
        let is_named = names.is_empty() || names.iter().any(|name| name.names(function, spoken));
        let kind = |id: &str| duty_of(function, id).map(|duty| duty.kind);
        let of_kind = |name: &config::OperationName| {
            let id = name.operation_id.as_ref().map(|id| id.value.as_str());
            name.function == function && id.is_some_and(|id| kind(id) == kind(operation_id))
        };
        let home = route.settings.backend.value.clone();
        let own = served.mapped().and_then(|operation| operation.backend.clone());
        Self {
            backend: own.unwrap_or_else(|| home.clone()),
            home,
            mapping: Arc::clone(&route.mapping),
            served,
            route: index,
            is_named,
            is_listed: is_named || names.iter().any(of_kind),
        }
    }
}

/// A request, as routes look at it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its function.
    pub function: Function,
    /// Its operation.
    pub operation_id: &'a str,
    /// `buyerId` of its query.
    pub buyer: Option<&'a str>,
    /// `sellerId` of its query.
    pub seller: Option<&'a str>,
    /// Its body.
    pub body: Option<Node<'a>>,
}

/// Why no route takes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    /// No route is for the operation.
    Operation,
    /// None is for this legal entity.
    Party {
        /// The query parameter that names it.
        parameter: &'static str,
    },
    /// None is for what the body says.
    Body {
        /// JSON Pointer to what decided.
        pointer: String,
        /// What the sender is told.
        reason: &'static str,
    },
}

impl PartnerPlan {
    /// The way of a request that begins something: the first route all of whose words hold.
    ///
    /// # Errors
    /// Why none takes it. Of several reasons, the one that came closest.
    pub fn choose(&self, asked: &Asked<'_>) -> Result<&Target, NoRoute> {
        let mut refused = NoRoute::Operation;
        let (mut products, mut is_mixed) = (None, false);
        for target in self.targets(asked.function, asked.operation_id) {
            let Some(route) = self.routes.get(target.route).map(|route| &route.settings) else { continue };
            if !route.takes_new || !target.is_named {
                continue;
            }
            if let Some(parameter) = foreign_party(route, asked) {
                if refused == NoRoute::Operation {
                    refused = NoRoute::Party { parameter };
                }
                continue;
            }
            if let Some(pointer) = unmet(route, asked.body) {
                if !matches!(refused, NoRoute::Body { .. }) {
                    refused = NoRoute::Body { pointer, reason: "what this asks for is not offered" };
                }
                continue;
            }
            if route.products.is_empty() {
                // Part of it is another route's: the whole would go to the wrong system.
                if is_mixed {
                    continue;
                }
                return Ok(target);
            }
            let products =
                products.get_or_insert_with(|| products_of(asked.body, self.products(asked.function)));
            match taken(route, products) {
                Taken::All => return Ok(target),
                Taken::None(pointer) if !matches!(refused, NoRoute::Body { .. }) => {
                    refused = NoRoute::Body { pointer, reason: "this product is not offered" };
                }
                Taken::Part(pointer) if !is_mixed => {
                    is_mixed = true;
                    let reason = "this product cannot be asked for together with those before it";
                    refused = NoRoute::Body { pointer, reason };
                }
                Taken::None(_) | Taken::Part(_) => {}
            }
        }
        Err(refused)
    }

    /// The ways of a list: every backend that may keep something of it, each once, in the order of the routes.
    /// What only a body could tell counts as possible.
    ///
    /// # Errors
    /// Why there is none.
    pub fn possible(&self, asked: &Asked<'_>) -> Result<Vec<(&Target, &Arc<MappedOperation>)>, NoRoute> {
        let mut refused = NoRoute::Operation;
        let mut found: Vec<(&Target, &Arc<MappedOperation>)> = Vec::new();
        for target in
            self.targets(asked.function, asked.operation_id).iter().filter(|target| target.is_listed)
        {
            let Some(route) = self.routes.get(target.route).map(|route| &route.settings) else { continue };
            let Some(operation) = target.served.mapped() else { continue };
            if let Some(parameter) = foreign_party(route, asked) {
                refused = NoRoute::Party { parameter };
            } else if found.iter().all(|(other, _)| other.backend != target.backend) {
                found.push((target, operation));
            }
        }
        if found.is_empty() { Err(refused) } else { Ok(found) }
    }

    /// The way of an operation on what a backend keeps: the first route to it, whatever its words say. Where the
    /// partner has one mapping set, a backend that no route names is spoken to by that.
    #[must_use]
    pub fn keeper(&self, function: Function, operation_id: &str, backend: &BackendId) -> Option<&Target> {
        let targets = self.targets(function, operation_id);
        let mapped = || targets.iter().filter(|target| target.served.mapped().is_some());
        mapped()
            .find(|target| target.backend == *backend)
            .or_else(|| mapped().find(|target| target.home == *backend))
            .or_else(|| targets.iter().find(|target| target.home == *backend))
            .or_else(|| mapped().next().filter(|_| self.mappings().nth(1).is_none()))
    }

    /// The backends that keep entities of a kind, as far as the mapping sets know operations on them.
    pub fn keepers(&self, kind: EntityKind) -> &[BackendId] {
        self.keepers.get(&kind).map_or(&[], Vec::as_slice)
    }
}

/// The query parameter that names a legal entity which the route is not for.
fn foreign_party(route: &config::Route, asked: &Asked<'_>) -> Option<&'static str> {
    let foreign = |own: &[String], given: Option<&str>| {
        !own.is_empty() && !given.is_some_and(|given| own.iter().any(|own| own == given))
    };
    if foreign(&route.buyers, asked.buyer) {
        return Some("buyerId");
    }
    foreign(&route.sellers, asked.seller).then_some("sellerId")
}

/// Where the route's condition does not hold: what it reads first, as far as that can be pointed at.
fn unmet(route: &config::Route, body: Option<Node<'_>>) -> Option<String> {
    let condition = &route.condition.as_ref()?.value;
    if body.is_some_and(|body| condition.holds(body, body)) {
        return None;
    }
    let mut pointer = String::new();
    for step in condition.reads().first().iter().flat_map(|read| &read.steps) {
        match step {
            ReadStep::One(Step::Name(name)) => {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            _ => break,
        }
    }
    Some(pointer)
}

/// A product of a body: where its type stands, its URN and its short name.
type Product = (String, String, String);

enum Taken {
    All,
    /// Nothing of it, with the place of the first product.
    None(String),
    /// Some of it, with the place of the first product that is not where the one before it is.
    Part(String),
}

fn taken(route: &config::Route, products: &[Product]) -> Taken {
    let is_own =
        |(_, urn, short): &Product| route.products.iter().any(|own| own.value == *urn || own.value == *short);
    let place = |product: Option<&Product>| product.map(|(place, ..)| place.clone()).unwrap_or_default();
    let Some(first) = products.first() else { return Taken::None(String::new()) };
    match products.iter().find(|product| is_own(product) != is_own(first)) {
        Some(other) => Taken::Part(place(Some(other))),
        None if is_own(first) => Taken::All,
        None => Taken::None(place(Some(first))),
    }
}

/// All product configurations of a body by the product that their `@type` means.
fn products_of(body: Option<Node<'_>>, products: Option<&Products>) -> Vec<Product> {
    let mut found = Vec::new();
    if let (Some(body), Some(products)) = (body, products) {
        gather(body, products, &mut found);
    }
    found
}

/// As deep as a parsed document is, which is bounded.
fn gather(node: Node<'_>, products: &Products, found: &mut Vec<Product>) {
    if let Some(named) = node.get("productConfiguration").and_then(|own| own.get("@type"))
        && let Some(product) = named.as_str().and_then(|text| products.resolve(&text))
    {
        found.push((named.pointer(), product.urn().to_owned(), product.short_name().to_owned()));
    }
    for (name, member) in node.members() {
        if name != "productConfiguration" {
            gather(member, products, found);
        }
    }
    node.elements().for_each(|element| gather(element, products, found));
}
