//! What a partner calls a product by its own settings: no bridge knows it, so what goes over has the name of its release.

use super::rewrite::rewritten;
use crate::{json::Document, plan::PartnerPlan, sonata::Function};

/// A message with each alias of a product in the place of which its own `@type` stands.
pub fn meant(partner: &PartnerPlan, function: Function, document: &Document) -> Document {
    let Some(products) = partner.products(function) else { return document.clone() };
    let pairs: Vec<(&str, &str)> = products.aliases().collect();
    rewritten(document, "@type", &pairs, &|text, (alias, urn)| (text == alias).then(|| urn.to_owned()))
}
