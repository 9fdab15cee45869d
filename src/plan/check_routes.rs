//! What only the standard and the mapping sets can show to be wrong with a partner's routes.

use std::collections::HashMap;

use super::{
    ContractSchema, PartnerPlan, Served,
    load::{CONDITION, NO_OPERATION, NO_PRODUCT, TWO_WAYS},
};
use crate::{
    config::{OperationName, Partner, Route},
    json::query::{Read, ReadStep, Step},
    mapping::schema::{Kind, Lookup, Schema as _, TypeId, Types as _},
    sonata::{
        Contract, Products, Release,
        entity::{Act, duty_of},
    },
    text::{Diagnostic, Diagnostics, Hint, Spanned, suggest},
};

/// The operations that a partner's file names exist.
pub(super) fn operations(settings: &Partner, contracts: &[&'static Contract], out: &mut Diagnostics) {
    let switched = settings.operations.iter().map(|(function, id, _)| (function, id));
    let named = settings.routes.iter().flat_map(|route| &route.operations);
    let named = named.map(|name: &OperationName| (name.function, name.operation_id.as_ref()));
    for (function, operation) in switched.chain(named) {
        let Some(operation) = operation else { continue };
        let contract = contracts.iter().find(|contract| contract.function == function);
        if contract.is_some_and(|contract| contract.operation(&operation.value).is_some()) {
            continue;
        }
        let near = contract.and_then(|contract| {
            suggest(&operation.value, contract.operations.iter().map(|one| one.operation_id.as_str()))
        });
        let message = format!("`{}` has no operation `{}`", function.name(), operation.value);
        let hint = near.map(|near| Hint::meant(near).putting(format!("{}.{near}", function.name())));
        out.push(Diagnostic::error(NO_OPERATION, message).at(operation.span).maybe_hint(hint));
    }
}

/// The products of routes and agreements exist, and the conditions of routes read what some request has.
pub(super) fn words(
    settings: &Partner,
    contracts: &[&'static Contract],
    products: &HashMap<Release, Products>,
    out: &mut Diagnostics,
) {
    products_exist(&settings.rules.types, products, out);
    for route in &settings.routes {
        products_exist(&route.products, products, out);
        if let Some(condition) = &route.condition {
            let types = Requests::of(route, settings, contracts, products);
            for read in condition.value.reads() {
                if let Err(near) = types.have(&read) {
                    let message = format!("no request that this route may take has `{read}`");
                    let hint = near.map(|near| format!("did you mean `{near}`?"));
                    let fault = Diagnostic::error(CONDITION, message).at(condition.span).maybe_hint(hint);
                    out.push(fault);
                }
            }
        }
    }
}

fn products_exist(named: &[Spanned<String>], products: &HashMap<Release, Products>, out: &mut Diagnostics) {
    for name in named {
        let has = |products: &Products| {
            products.urns().any(|urn| {
                urn == name.value || products.resolve(urn).is_some_and(|one| one.short_name() == name.value)
            })
        };
        if products.values().any(has) {
            continue;
        }
        let known: Vec<String> = products
            .values()
            .flat_map(|products| products.urns().filter_map(|urn| products.resolve(urn)))
            .map(|product| product.short_name().to_owned())
            .collect();
        let near = suggest(&name.value, known.iter().map(String::as_str));
        let hint = near.map(Hint::meant);
        let message = format!("`{}` is no product of the partner's releases", name.value);
        out.push(Diagnostic::error(NO_PRODUCT, message).at(name.span).maybe_hint(hint));
    }
}

/// The types of the requests that a route may take.
struct Requests {
    schema: ContractSchema,
    types: Vec<TypeId>,
}

impl Requests {
    fn of(
        route: &Route,
        settings: &Partner,
        contracts: &[&'static Contract],
        products: &HashMap<Release, Products>,
    ) -> Self {
        let products = products.get(&settings.releases.default.value).cloned();
        let schema =
            ContractSchema::new(contracts.to_vec(), products.unwrap_or_else(|| Products::new(Vec::new())));
        let operations =
            contracts.iter().flat_map(|contract| contract.operations.iter().map(move |one| (contract, one)));
        let taken = operations.filter(|(contract, one)| {
            route.operations.is_empty()
                || route.operations.iter().any(|name| name.names(contract.function, &one.operation_id))
        });
        let types = taken.filter_map(|(contract, one)| {
            let name = one.request.and_then(|request| contract.view(request).name())?;
            schema.root(contract.function.name(), name)
        });
        let types = types.collect();
        Self { schema, types }
    }

    /// Whether one of them has the place; else the member that may have been meant.
    fn have(&self, read: &Read) -> Result<(), Option<String>> {
        let mut near = None;
        for ty in &self.types {
            match self.walk(*ty, &read.steps) {
                Ok(()) => return Ok(()),
                Err(found) => near = near.or(found),
            }
        }
        Err(near)
    }

    fn walk(&self, mut ty: TypeId, steps: &[ReadStep]) -> Result<(), Option<String>> {
        for step in steps {
            if self.schema.is_configuration(ty) || self.schema.kind(ty) == Kind::Any {
                return Ok(());
            }
            match step {
                ReadStep::One(Step::Name(name)) => match self.schema.member(ty, name, None) {
                    Lookup::Found(member) => ty = member.ty,
                    Lookup::Open => return Ok(()),
                    Lookup::Missing => {
                        let members = self.schema.members(ty, None);
                        let names = members.iter().map(|(name, _)| name.as_str());
                        return Err(suggest(name, names).map(str::to_owned));
                    }
                },
                ReadStep::One(Step::Index(_)) | ReadStep::Any => match self.schema.element(ty) {
                    Some(element) => ty = element,
                    // All members of an object: which they are is not asked.
                    None if matches!(step, ReadStep::Any) => return Ok(()),
                    None => return Err(None),
                },
            }
        }
        Ok(())
    }
}

/// What works and is perhaps not meant: a backend that is spoken to in two ways, and lists that not every backend is
/// asked for, or whose orders do not fit together.
pub(super) fn sets(plan: &PartnerPlan, out: &mut Diagnostics) {
    let routes = plan.routes();
    for (index, route) in routes.iter().enumerate() {
        let backend = &route.settings.backend;
        let mut before =
            routes.iter().take(index).filter(|other| other.settings.backend.value == backend.value);
        if let Some(other) = before.find(|other| other.mapping != route.mapping) {
            let message = format!(
                "backend `{}` is spoken to by `{}` and by `{}`",
                backend.value, other.mapping, route.mapping
            );
            let hint = format!("what it keeps already is asked for by `{}`", other.mapping);
            out.push(Diagnostic::warning(TWO_WAYS, message).at(backend.span).hint(hint));
        }
    }
    for (function, id, served) in plan.operations() {
        let is_list = duty_of(function, id).is_some_and(|duty| duty.act == Act::List);
        if !is_list || served.mapped().is_none() {
            continue;
        }
        let name = format!("{}.{id}", function.name());
        let listed = || plan.targets(function, id).iter().filter(|target| target.is_listed);
        for target in listed().filter(|target| matches!(target.served, Served::Unmapped)) {
            let message = format!("`{name}` is answered without what `{}` keeps", target.home);
            let hint = format!(
                "the mapping set `{}` does not have it; write `{id}: off` there if that is meant",
                target.mapping
            );
            out.push(told_at(plan, target.route, message).hint(hint));
        }
        let mut orders = listed().filter_map(|target| Some((target, &target.served.mapped()?.program.order)));
        if let Some((first, order)) = orders.next()
            && let Some((other, _)) =
                orders.find(|(other, own)| *own != order && other.backend != first.backend)
        {
            let message = format!(
                "`{name}` is answered one backend after the other: `{}` and `{}` differ in `order`",
                first.mapping, other.mapping
            );
            out.push(told_at(plan, other.route, message).hint("give both lists the same `order`"));
        }
    }
}

fn told_at(plan: &PartnerPlan, route: usize, message: String) -> Diagnostic {
    let fault = Diagnostic::warning(TWO_WAYS, message);
    match plan.routes().get(route) {
        Some(route) => fault.at(route.settings.backend.span),
        None => fault,
    }
}
