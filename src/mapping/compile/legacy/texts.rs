//! What is known of the values of a message of XML: all of them are texts.

use crate::mapping::schema::{CallFacts, Interface, Kind, Lookup, Member, NoCall, TypeId, Types};

/// Any place of such a message.
pub(super) const PLACE: TypeId = TypeId(0);
/// A single value.
const TEXT: TypeId = TypeId(1);

/// Stands where no interface describes a message, for as much as its format tells.
#[derive(Debug)]
pub(super) struct Texts;

impl Types for Texts {
    fn title(&self) -> &'static str {
        "XML"
    }

    fn kind(&self, ty: TypeId) -> Kind {
        if ty == TEXT { Kind::Text } else { Kind::Any }
    }

    fn element(&self, ty: TypeId) -> Option<TypeId> {
        Some(ty)
    }

    fn member(&self, _: TypeId, _: &str, _: Option<&str>) -> Lookup {
        Lookup::Open
    }

    fn members(&self, _: TypeId, _: Option<&str>) -> Vec<(String, Member)> {
        Vec::new()
    }

    fn values(&self, _: TypeId) -> Vec<String> {
        Vec::new()
    }
}

impl Interface for Texts {
    fn call(&self, _: &str, _: &str) -> Result<CallFacts, NoCall> {
        Ok(CallFacts::default())
    }

    fn schema(&self, _: &str) -> Option<TypeId> {
        Some(PLACE)
    }

    fn references(&self) -> Vec<String> {
        Vec::new()
    }

    fn single(&self) -> Option<TypeId> {
        Some(TEXT)
    }
}
