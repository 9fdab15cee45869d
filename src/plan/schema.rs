//! Answers the mapping checker's questions from the catalogue of one release.

use crate::{
    mapping::schema::{
        CallFacts, FilterFacts, Interface, Kind, KindFacts, Limits, Lookup, Member, NoCall, OperationFacts,
        Schema, TypeId, Types,
    },
    sonata::{
        self, Contract, Function, Products, TypeView,
        entity::{Act, Duty, EntityKind, retrieval_of},
        events::events_of,
    },
};

/// The contracts of one mapping set, one per function, and the product schemas in reach.
#[derive(Debug)]
pub struct ContractSchema {
    title: String,
    /// Whether members of which nothing is said but that they are required are members.
    has_bare: bool,
    contracts: Vec<&'static Contract>,
    products: Products,
}

/// Where the number of a type says, above the type's own 32 bits, whether it is one of products.
const PRODUCT_SHIFT: u32 = 32;
/// Where it says in which table the type stands.
const TABLE_SHIFT: u32 = PRODUCT_SHIFT + 1;

/// Which table of types a type stands in, by index: that of a contract, or of a source of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    Contract(u32),
    Product(u32),
}

impl ContractSchema {
    /// A schema over these contracts; `products` carries the aliases that count.
    #[must_use]
    pub fn new(contracts: Vec<&'static Contract>, products: Products) -> Self {
        let (title, has_bare) = ("the contract".to_owned(), false);
        Self { title, has_bare, contracts, products }
    }

    /// The same as a side of a bridge: with the release's name in messages, and with members of which the contract says
    /// nothing but that they are required, as a few of the standard do.
    #[must_use]
    pub fn shore(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), has_bare: true, ..self }
    }

    fn contract(&self, function: &str) -> Option<(Home, &'static Contract)> {
        let function = Function::parse(function)?;
        let mut all = (0..).zip(&self.contracts);
        let found = all.find(|(_, contract)| contract.function == function);
        found.map(|(index, contract)| (Home::Contract(index), *contract))
    }

    /// The number of a type says where it stands: schemas of the same contracts and products give it the same one.
    fn number(home: Home, view: TypeView<'_>) -> TypeId {
        let (table, is_product) = match home {
            Home::Contract(index) => (index, 0),
            Home::Product(index) => (index, 1),
        };
        TypeId(u64::from(table) << TABLE_SHIFT | is_product << PRODUCT_SHIFT | u64::from(view.id().number()))
    }

    /// Looks at a type.
    fn look<R>(&self, ty: TypeId, look: impl FnOnce(Home, TypeView<'_>) -> R) -> Option<R> {
        let id = sonata::TypeId::of(u32::try_from(ty.0 & u64::from(u32::MAX)).ok()?);
        let table = u32::try_from(ty.0 >> TABLE_SHIFT).ok()?;
        let index = usize::try_from(table).ok()?;
        if ty.0 >> PRODUCT_SHIFT & 1 == 0 {
            return Some(look(Home::Contract(table), self.contracts.get(index)?.view(id)));
        }
        Some(look(Home::Product(table), TypeView::new(self.products.types(index)?, id)))
    }
}

/// The query parameters that filter a list, and what they read.
fn filters(operation: &sonata::Operation) -> Vec<FilterFacts> {
    let facts = operation.query.iter().filter_map(|parameter| {
        let filter = sonata::filter::filter_of(operation.function, &parameter.name)?;
        let places = filter.places.iter().map(|place| place.members.join("."));
        Some(FilterFacts { name: parameter.name.clone(), places: places.collect() })
    });
    facts.collect()
}

/// Type of the message whose attributes an answer repeats: its own request, or for a kept entity the one that made
/// it.
fn repeated(contract: &Contract, request: Option<sonata::TypeId>, duty: Duty) -> Option<sonata::TypeId> {
    if duty.echoes() {
        return request;
    }
    let makes = |operation: &&sonata::Operation| {
        let other = sonata::entity::duty_of(contract.function, &operation.operation_id);
        other.is_some_and(|other| other.kind == duty.kind && other.act == Act::Create)
    };
    contract.operations.iter().find(makes)?.request
}

/// Whether only alternatives have the member, and not of one type.
fn ambiguous(view: TypeView<'_>, name: &str) -> bool {
    if view.members().any(|member| member.name == name) {
        return false;
    }
    let mut types = view.alternatives().filter_map(|one| one.member(name)).map(|member| member.value.id());
    types.next().is_some_and(|first| types.any(|other| other != first))
}

impl Schema for ContractSchema {
    fn functions(&self) -> Vec<String> {
        self.contracts.iter().map(|contract| contract.function.name().to_owned()).collect()
    }

    fn operations(&self, function: &str) -> Vec<String> {
        let contract = self.contract(function).map(|(_, contract)| contract);
        let operations = contract.into_iter().flat_map(|contract| contract.operations.iter());
        operations.map(|operation| operation.operation_id.clone()).collect()
    }

    fn operation(&self, function: &str, operation_id: &str) -> Option<OperationFacts> {
        let (home, contract) = self.contract(function)?;
        let operation = contract.operation(operation_id)?;
        let name = |id| contract.view(id).name().map(str::to_owned);
        let body = operation.success_body();
        let duty = sonata::entity::duty_of(contract.function, operation_id);
        Some(OperationFacts {
            request: operation.request.and_then(name),
            answer: body.and_then(|body| name(body.item.unwrap_or(body.value))),
            list: match duty {
                Some(duty) => duty.act == Act::List,
                None => body.is_some_and(sonata::Body::is_array),
            },
            is_array: body.is_some_and(sonata::Body::is_array),
            query: operation.query.iter().map(|parameter| parameter.name.clone()).collect(),
            query_types: {
                let value = |parameter: &sonata::QueryParameter| {
                    let view = contract.view(parameter.value);
                    Some(Self::number(home, view.item().unwrap_or(view)))
                };
                operation.query.iter().map(value).collect()
            },
            filters: match duty.map(|duty| duty.act) {
                Some(Act::List) => filters(operation),
                _ => Vec::new(),
            },
            makes: duty.is_some_and(|duty| duty.act == Act::Create),
            kept: duty.is_some_and(|duty| duty.kind.is_made_by_buyer()),
            path: operation
                .path
                .iter()
                .filter_map(|segment| match segment {
                    sonata::Segment::Parameter(name) => Some(name.clone()),
                    sonata::Segment::Literal(_) => None,
                })
                .collect(),
            echo: duty.and_then(|duty| repeated(contract, operation.request, *duty)).and_then(name),
            custody: duty.map(|duty| duty.kept().map(str::to_owned).collect()).unwrap_or_default(),
        })
    }

    fn type_names(&self, function: &str) -> Vec<String> {
        let contract = self.contract(function).map(|(_, contract)| contract);
        contract.into_iter().flat_map(|contract| contract.types().names()).map(str::to_owned).collect()
    }

    fn product_types(&self) -> Vec<String> {
        self.products.urns().map(str::to_owned).collect()
    }

    fn product_type_names(&self) -> Vec<String> {
        self.products.type_names().map(str::to_owned).collect()
    }

    fn events(&self, function: &str) -> Vec<String> {
        let of = |kind: EntityKind| events_of(kind).filter(|event| event.function.name() == function);
        EntityKind::all().flat_map(of).map(|event| event.event_type.to_owned()).collect()
    }

    fn entities(&self) -> Vec<String> {
        EntityKind::all().map(|kind| kind.name().to_owned()).collect()
    }

    fn entity(&self, name: &str) -> Option<KindFacts> {
        let (kind, items) = EntityKind::named(name)?;
        let (function, retrieve) = retrieval_of(kind)?;
        Some(KindFacts {
            kind: kind.name().to_owned(),
            function: function.name().to_owned(),
            retrieve: retrieve.to_owned(),
            items: items.map(str::to_owned),
            has_items: kind.facts().items.map(str::to_owned),
            is_public: kind.has_legacy_ids(),
        })
    }

    fn root(&self, function: &str, name: &str) -> Option<TypeId> {
        let (home, contract) = self.contract(function)?;
        contract.view_named(name).map(|view| Self::number(home, view))
    }
}

impl Types for ContractSchema {
    fn title(&self) -> &str {
        &self.title
    }

    fn kind(&self, ty: TypeId) -> Kind {
        let kind = self.look(ty, |_, view| match view.kind() {
            sonata::Kind::Any => Kind::Any,
            sonata::Kind::String => Kind::Text,
            sonata::Kind::Number => Kind::Number,
            sonata::Kind::Integer => Kind::Integer,
            sonata::Kind::Boolean => Kind::Boolean,
            sonata::Kind::Array => Kind::Array,
            sonata::Kind::Object => Kind::Object,
        });
        kind.unwrap_or(Kind::Any)
    }

    fn element(&self, ty: TypeId) -> Option<TypeId> {
        self.look(ty, |home, view| view.item().map(|item| Self::number(home, item))).flatten()
    }

    fn member(&self, ty: TypeId, name: &str, discriminator: Option<&str>) -> Lookup {
        let lookup = self.look(ty, |home, view| {
            let found = match discriminator {
                Some(_) => view.member_as(name, discriminator),
                None => view.member(name).or_else(|| {
                    let mut derived =
                        view.derived_names().filter_map(|case| view.member_as(name, Some(case)));
                    derived.next()
                }),
            };
            match found {
                // The alternatives that have it say different things of it: nothing holds for all of them.
                Some(_) if ambiguous(view, name) => Lookup::Open,
                Some(member) => {
                    Lookup::Found(Member { ty: Self::number(home, member.value), required: member.required })
                }
                None if view.is_open() => Lookup::Open,
                None => {
                    let mut bare = view.bare_members().filter(|member| self.has_bare && member.name == name);
                    bare.next().map_or(Lookup::Missing, |member| {
                        Lookup::Found(Member { ty: Self::number(home, member.value), required: true })
                    })
                }
            }
        });
        lookup.unwrap_or(Lookup::Open)
    }

    fn members(&self, ty: TypeId, discriminator: Option<&str>) -> Vec<(String, Member)> {
        let all = self.look(ty, |home, view| {
            let derived = discriminator.and_then(|value| view.derived(value)).unwrap_or(view);
            let bare = derived.bare_members().filter(|_| self.has_bare);
            let members = derived.members().chain(bare).map(|member| {
                let ty = Self::number(home, member.value);
                (member.name.to_owned(), Member { ty, required: member.required })
            });
            members.collect()
        });
        all.unwrap_or_default()
    }

    fn variants(&self, ty: TypeId) -> Vec<String> {
        self.look(ty, |_, view| view.derived_names().map(str::to_owned).collect()).unwrap_or_default()
    }

    fn variant(&self, ty: TypeId, value: &str) -> Option<TypeId> {
        self.look(ty, |home, view| view.derived(value).map(|one| Self::number(home, one))).flatten()
    }

    fn values(&self, ty: TypeId) -> Vec<String> {
        self.look(ty, |_, view| view.enum_values().map(str::to_owned).collect()).unwrap_or_default()
    }

    fn format(&self, ty: TypeId) -> Option<String> {
        self.look(ty, |_, view| view.format().map(|format| format.name().to_owned())).flatten()
    }

    fn is_configuration(&self, ty: TypeId) -> bool {
        let by_product = |view: TypeView<'_>| matches!(view.polymorphism(), sonata::Polymorphism::Product(_));
        self.look(ty, |_, view| by_product(view)).unwrap_or(false)
    }

    fn limits(&self, ty: TypeId) -> Limits {
        let limits = |view: TypeView<'_>| {
            let (items_min, items_max) = view.items_bounds();
            Limits { length_max: view.length_max(), items_min, items_max }
        };
        self.look(ty, |_, view| limits(view)).unwrap_or_default()
    }

    fn name(&self, ty: TypeId) -> Option<String> {
        self.look(ty, |_, view| view.name().map(str::to_owned)).flatten()
    }

    fn alternatives(&self, ty: TypeId) -> Vec<TypeId> {
        let all =
            self.look(ty, |home, view| view.alternatives().map(|one| Self::number(home, one)).collect());
        all.unwrap_or_default()
    }

    fn product(&self, type_urn: &str) -> Option<TypeId> {
        let product = self.products.resolve(type_urn)?;
        let source = u32::try_from(self.products.source(&product)?).ok()?;
        Some(Self::number(Home::Product(source), product.view()))
    }
}

/// Of a release as the side of a bridge that stands in the place of a legacy system: types, and no calls.
impl Interface for ContractSchema {
    fn call(&self, _method: &str, _path: &str) -> Result<CallFacts, NoCall> {
        Err(NoCall::Path { near: None })
    }

    fn schema(&self, _reference: &str) -> Option<TypeId> {
        None
    }

    fn references(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonata::{Release, catalogue};

    #[test]
    fn a_type_has_the_same_number_whatever_was_asked_before() {
        let schema = || {
            let contracts = catalogue()
                .functions(Release::GRACE)
                .filter_map(|function| catalogue().contract(Release::GRACE, function));
            ContractSchema::new(contracts.collect(), catalogue().products(Release::GRACE))
        };
        let (one, other) = (schema(), schema());
        let roots = |schema: &ContractSchema, function: &str| {
            let names = schema.type_names(function);
            names.iter().map(|name| schema.root(function, name)).collect::<Vec<_>>()
        };
        let products = |schema: &ContractSchema| {
            schema.product_types().iter().map(|urn| schema.product(urn)).collect::<Vec<_>>()
        };
        let first = (roots(&one, "quote"), roots(&one, "order"), products(&one));
        let (last, middle, begin) = (products(&other), roots(&other, "order"), roots(&other, "quote"));
        assert!(first.0.iter().chain(&first.2).all(Option::is_some));
        assert_eq!(first, (begin, middle, last));
        // A type of a product is not taken for one of a contract.
        let product = first.2.into_iter().flatten().next().unwrap();
        assert!(!first.0.contains(&Some(product)));
    }
}
