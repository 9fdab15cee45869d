//! What an item says of the product that it changes or ends: held against the guides, and against the inventory.
//!
//! A change says again what the inventory tells of the product's offering, type, relationships and sites, and a
//! disconnection names the product and nothing else (MEF 87 R33 to R41, MEF 115 R42 to R49, MEF 123 R30 to R44).
//! What the inventory does not tell cannot be held against anybody.

use crate::{
    ids::SonataId,
    json::Node,
    sonata::{Fault, FaultCode, entity::EntityKind},
};

/// An item that changes or ends a product.
#[derive(Debug)]
pub struct Repeating<'r> {
    /// The product that it names.
    pub product: SonataId,
    /// What it says of it.
    item: Node<'r>,
    /// JSON Pointer to that.
    pub pointer: String,
    is_change: bool,
}

/// The items of a create message that change or end a product; none for what has no such items.
///
/// # Errors
/// Everything that the guides forbid in them whatever the inventory has, each at its place.
pub fn repeating(kind: EntityKind, message: Node<'_>) -> Result<Vec<Repeating<'_>>, Vec<Fault>> {
    const WITH_PRODUCTS: [EntityKind; 3] =
        [EntityKind::ProductOfferingQualification, EntityKind::Quote, EntityKind::ProductOrder];
    let items = kind.facts().items.filter(|_| WITH_PRODUCTS.contains(&kind));
    let Some((name, items)) = items.and_then(|name| Some((name, message.get(name)?))) else {
        return Ok(Vec::new());
    };
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for (index, element) in items.elements().enumerate() {
        let (Some(action), Some(item)) = (element.get("action"), element.get("product")) else { continue };
        let pointer = || format!("/{name}/{index}/product");
        let mut fault = |code, member: &str, reason: &str| {
            faults.push(Fault::new(code, format!("{}/{member}", pointer()), reason));
        };
        let id = item.get("id").and_then(Node::as_str);
        if action.is_text("add") {
            if id.is_some() {
                fault(FaultCode::UnexpectedProperty, "id", "what is added has no id yet");
            }
            continue;
        }
        let is_change = action.is_text("modify");
        if is_change && item.get("productConfiguration").is_none() {
            fault(FaultCode::MissingProperty, "productConfiguration", "a change says what is wanted");
        }
        for (member, value) in item.members().filter(|_| !is_change) {
            let only_type =
                member == "productConfiguration" && value.members().all(|(name, _)| name == "@type");
            if member != "id" && !only_type {
                fault(
                    FaultCode::UnexpectedProperty,
                    &member,
                    "what ends is named by its id and nothing else",
                );
            }
        }
        match id {
            None => fault(FaultCode::MissingProperty, "id", "which product this is about must be said"),
            // An id that cannot be one is unknown, and the mapping tells that.
            Some(id) => found.extend(SonataId::parse(&id).ok().map(|product| Repeating {
                product,
                item,
                pointer: pointer(),
                is_change,
            })),
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

impl Repeating<'_> {
    /// What differs from the product of the inventory. `same_type` says whether two spellings of `@type` are one.
    #[must_use]
    pub fn differences(&self, product: Node<'_>, same_type: impl Fn(&str, &str) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(status) = product.get("status").and_then(Node::as_str)
            && crate::sonata::state::machine("product").is_some_and(|machine| machine.is_terminal(&status))
        {
            faults.push(self.fault(FaultCode::OtherIssue, "id", &format!("the product is {status}")));
        }
        if !self.is_change {
            return faults;
        }
        let offering = ["productOffering", "id"];
        faults.extend(self.same(product, &offering, |own, other| own == other));
        let type_ = ["productConfiguration", "@type"];
        faults.extend(self.same(product, &type_, |own, other| own == other || same_type(own, other)));
        faults.extend(self.relationships(product));
        faults.extend(self.sites(product));
        faults
    }

    /// The inventory's text at a place, where it has one, must be the item's.
    fn same(&self, product: Node<'_>, place: &[&str], is_same: impl Fn(&str, &str) -> bool) -> Option<Fault> {
        let text = |node: Node<'_>| {
            place.iter().try_fold(node, |node, member| node.get(member))?.as_str().map(String::from)
        };
        let kept = text(product)?;
        let place = place.join("/");
        match text(self.item) {
            None => {
                Some(self.fault(FaultCode::MissingProperty, &place, &format!("the inventory has {kept}")))
            }
            Some(own) if is_same(&own, &kept) => None,
            Some(_) => {
                Some(self.fault(FaultCode::InvalidValue, &place, &format!("the inventory has {kept}")))
            }
        }
    }

    /// Every relationship that the inventory tells stands in the item, with the same product. Others of the item are
    /// what is wanted.
    fn relationships(&self, product: Node<'_>) -> Vec<Fault> {
        const NAME: &str = "productRelationship";
        let mut faults = Vec::new();
        for kept in elements(product, NAME) {
            let of_type = |(_, own): &(usize, Node<'_>)| {
                own.get("relationshipType").and_then(Node::as_str)
                    == kept.get("relationshipType").and_then(Node::as_str)
            };
            let own: Vec<_> = elements(self.item, NAME).enumerate().filter(of_type).collect();
            let id = |node: Node<'_>| node.get("id").and_then(Node::as_str).map(String::from);
            let name = kept.get("relationshipType").and_then(Node::as_str).unwrap_or_default();
            match own.as_slice() {
                [] => faults.push(self.fault(
                    FaultCode::MissingProperty,
                    NAME,
                    &format!("the inventory has a {name}"),
                )),
                [(index, own)] if id(*own) != id(kept) => {
                    let place = format!("{NAME}/{index}/id");
                    faults.push(self.fault(
                        FaultCode::InvalidValue,
                        &place,
                        "the inventory has another product here",
                    ));
                }
                several if !several.iter().any(|(_, own)| id(*own) == id(kept)) => {
                    faults.push(self.fault(
                        FaultCode::MissingProperty,
                        NAME,
                        &format!("the inventory has another {name}"),
                    ));
                }
                _ => {}
            }
        }
        faults
    }

    /// A site that the item names in a role is the inventory's in that role. The inventory of the standard has no
    /// addresses, so one that is written out is compared with nothing.
    fn sites(&self, product: Node<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (index, place) in elements(self.item, "place").enumerate() {
            if place.get("@type").is_none_or(|ty| !ty.is_text("GeographicSiteRef")) {
                continue;
            }
            let text = |node: Node<'_>, name: &str| node.get(name).and_then(Node::as_str).map(String::from);
            let mut in_role = elements(product, "relatedSite")
                .filter(|site| text(*site, "role") == text(place, "role"))
                .peekable();
            if in_role.peek().is_some() && !in_role.any(|site| text(site, "id") == text(place, "id")) {
                let at = format!("place/{index}/id");
                faults.push(self.fault(FaultCode::InvalidValue, &at, "the inventory has another site here"));
            }
        }
        faults
    }

    /// The product is not in the inventory.
    #[must_use]
    pub fn unknown(&self) -> Fault {
        self.fault(FaultCode::ReferenceNotFound, "id", "the product is not in the inventory")
    }

    fn fault(&self, code: FaultCode, place: &str, reason: &str) -> Fault {
        Fault::new(code, format!("{}/{place}", self.pointer), reason)
    }
}

fn elements<'n>(node: Node<'n>, name: &str) -> impl Iterator<Item = Node<'n>> + use<'n> {
    node.get(name).into_iter().flat_map(Node::elements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn order(item: &str) -> Document {
        Document::from_text(&format!(r#"{{"productOrderItem":[{item}]}}"#)).unwrap()
    }

    fn told(faults: &[Fault]) -> Vec<String> {
        faults.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect()
    }

    #[test]
    fn what_the_guides_forbid_is_told_at_its_place() {
        let rows = [
            (r#"{"action":"add","product":{}}"#, vec![]),
            (r#"{"action":"add","product":{"id":"p"}}"#, vec!["unexpectedProperty id"]),
            (
                r#"{"action":"modify","product":{}}"#,
                vec!["missingProperty productConfiguration", "missingProperty id"],
            ),
            (r#"{"action":"modify","product":{"id":"p","productConfiguration":{}}}"#, vec![]),
            (r#"{"action":"delete","product":{"id":"p","productConfiguration":{"@type":"t"}}}"#, vec![]),
            (
                r#"{"action":"delete","product":{"place":[],"productConfiguration":{"@type":"t","mtu":1}}}"#,
                vec![
                    "unexpectedProperty place",
                    "unexpectedProperty productConfiguration",
                    "missingProperty id",
                ],
            ),
        ];
        for (item, expected) in rows {
            let faults = repeating(EntityKind::ProductOrder, order(item).root()).err().unwrap_or_default();
            let told: Vec<_> =
                told(&faults).iter().map(|one| one.replace("/productOrderItem/0/product/", "")).collect();
            assert_eq!(told, expected, "{item}");
        }
        assert!(
            repeating(EntityKind::Charge, order(r#"{"action":"modify","product":{}}"#).root())
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn what_differs_from_the_inventory_is_told_and_what_it_does_not_tell_is_not() {
        let product = r#"{"status":"active","productOffering":{"id":"O"},"productConfiguration":{"@type":"long:t"},
            "productRelationship":[{"relationshipType":"R","id":"x"}],"relatedSite":[{"role":"I","id":"s"}]}"#;
        let rest = r#""productRelationship":[{"relationshipType":"N","id":"n"},{"relationshipType":"R","id":"x"}],
            "place":[{"@type":"FieldedAddress","role":"I"},{"@type":"GeographicSiteRef","role":"I","id":"s"}]"#;
        let same = format!(r#""productOffering":{{"id":"O"}},"productConfiguration":{{"@type":"t"}},{rest}"#);
        let none = r#"{"status":"active"}"#;
        let rows = [
            (product, same.clone(), vec![]),
            (none, same.replace("\"O\"", "\"P\"").replace("\"x\"", "\"y\""), vec![]),
            (r#"{"status":"terminated"}"#, same.clone(), vec!["otherIssue id"]),
            (product, same.replace("\"O\"", "\"P\""), vec!["invalidValue productOffering/id"]),
            (product, same.replace("\"t\"", "\"u\""), vec!["invalidValue productConfiguration/@type"]),
            (product, same.replace("\"x\"", "\"y\""), vec!["invalidValue productRelationship/1/id"]),
            (product, same.replace("\"R\"", "\"Q\""), vec!["missingProperty productRelationship"]),
            (product, same.replace("\"s\"", "\"z\""), vec!["invalidValue place/1/id"]),
            (
                product,
                r#""productConfiguration":{"@type":"t"}"#.to_owned(),
                vec!["missingProperty productOffering/id", "missingProperty productRelationship"],
            ),
        ];
        for (product, item, expected) in rows {
            let message = order(&format!(r#"{{"action":"modify","product":{{"id":"p",{item}}}}}"#));
            let items = repeating(EntityKind::ProductOrder, message.root()).unwrap();
            let product = Document::from_text(product).unwrap();
            let faults = items[0].differences(product.root(), |own, other| other == format!("long:{own}"));
            let told: Vec<_> =
                told(&faults).iter().map(|one| one.replace("/productOrderItem/0/product/", "")).collect();
            assert_eq!(told, expected, "{item}");
        }
    }
}
