//! Product configurations: what is behind the attributes of each product that rules name.

use super::touched::{Touched, Touches};
use super::{Attribute, By, Cover, Walk};
use crate::mapping::schema::{Schema, TypeId};

/// The configuration of one product at one place of an operation's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Where the configuration stands: `quoteItem.product.productConfiguration`.
    pub place: String,
    /// Text of its `@type`; of several that mean the same product, the first.
    pub urn: String,
    /// What of it is read of a request.
    pub request: Vec<Attribute>,
    /// What of it is written to an answer.
    pub answer: Vec<Attribute>,
}

/// A place of a message that has a configuration.
pub(super) struct Configuration {
    /// `$.quoteItem.product.productConfiguration`
    pub place: String,
    /// Whether the Buyer's message has it, so that the answer repeats it.
    pub is_echoed: bool,
}

/// Adds the attributes of all products that rules name at these places. Products without a schema have none.
pub(super) fn add(
    configurations: &[Configuration],
    touches: &Touches,
    schema: &dyn Schema,
    answer: bool,
    products: &mut Vec<Product>,
) {
    for one in configurations {
        // Several texts may stand for one product.
        let mut known: Vec<(TypeId, &str, Touched)> = Vec::new();
        for ((object, urn), touched) in &touches.typed {
            let Some(ty) = schema.product(urn).filter(|_| *object == one.place) else { continue };
            match known.iter_mut().find(|(own, ..)| *own == ty) {
                Some((.., own)) => own.extend(touched.clone()),
                None => known.push((ty, urn, touched.clone())),
            }
        }
        for (ty, urn, mut touched) in known {
            for (place, touch) in &touches.untyped {
                if place.starts_with(&one.place) {
                    touched.entry(place.clone()).or_insert_with(|| touch.clone());
                }
            }
            let rows = rows(ty, &touched, one, schema, answer);
            let place = one.place.trim_start_matches("$.");
            let at = products.iter().position(|own| own.place == place && own.urn == urn);
            let at = at.unwrap_or_else(|| {
                let (place, urn) = (place.to_owned(), urn.to_owned());
                products.push(Product { place, urn, request: Vec::new(), answer: Vec::new() });
                products.len() - 1
            });
            if let Some(own) = products.get_mut(at) {
                if answer { own.answer = rows } else { own.request = rows }
            }
        }
    }
}

fn rows(
    ty: TypeId,
    touched: &Touched,
    at: &Configuration,
    schema: &dyn Schema,
    answer: bool,
) -> Vec<Attribute> {
    // What the Buyer's message repeats is repeated whole: only what rules look into is told apart.
    let mut walk = Walk::new(schema, touched, false);
    walk.members(ty, at.is_echoed.then_some(ty), &at.place, &mut Vec::new());
    let prefix = format!("{}.", at.place.trim_start_matches("$."));
    for row in &mut walk.rows {
        if let Some(own) = row.place.strip_prefix(&prefix) {
            row.place = own.to_owned();
        }
        if answer && row.by.contains(&By::Echo) {
            row.cover = Cover::Always;
        }
    }
    // `@type` decides which product it is: there is no rule for it, and none is needed.
    walk.rows.retain(|row| row.place != "@type");
    walk.rows
}
