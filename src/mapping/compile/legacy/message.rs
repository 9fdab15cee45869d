//! One message of one call: where a rule stands on both of its sides.

use super::super::scope::{Place, Scope};
use crate::mapping::direction::Direction;
use crate::mapping::path::FieldPath;
use crate::mapping::program::Phase;
use crate::mapping::raw::Text;
use crate::mapping::schema::{CallFacts, Interface, ParameterFacts, Schema, TypeId};
use std::sync::Arc;

/// One message, read or written, and where a rule of it stands.
#[derive(Clone)]
pub(super) struct Message<'c> {
    pub api: Arc<dyn Interface>,
    pub phase: Phase,
    pub direction: Direction,
    pub sonata: Scope,
    pub legacy: Scope,
    pub query: Arc<[ParameterFacts]>,
    pub headers: Arc<[ParameterFacts]>,
    /// Whether the legacy system asks: what the call takes beside its body is read.
    pub is_asked: bool,
    /// Texts that stand in for those of a reply: of documents that `on:` answers from.
    pub also: Arc<[String]>,
    /// Shapes that rules stand in, outermost first.
    pub shapes: Vec<&'c str>,
}

impl<'c> Message<'c> {
    /// A message whose legacy body has this type.
    pub fn new(
        api: &Arc<dyn Interface>,
        phase: Phase,
        direction: Direction,
        sonata: Scope,
        body: Option<TypeId>,
    ) -> Self {
        let (api, legacy) = (Arc::clone(api), Scope::message(body));
        let (query, headers, also, shapes) = (Arc::default(), Arc::default(), Arc::default(), Vec::new());
        Self { api, phase, direction, sonata, legacy, query, headers, is_asked: false, also, shapes }
    }

    /// What the call takes beside its body.
    pub fn parameters(&mut self, facts: &CallFacts) {
        self.query = facts.query.clone().into();
        self.headers = facts.headers.clone().into();
    }

    /// What the legacy system says beside the body when it asks.
    pub fn asked(&mut self, facts: &CallFacts) {
        self.parameters(facts);
        self.is_asked = true;
    }

    /// The body is not described by the interface.
    pub fn untyped(&mut self) {
        self.legacy = Scope::message(None);
    }

    /// Whether the legacy side is written.
    pub fn writes(&self) -> bool {
        self.direction == Direction::ToLegacy
    }

    /// A group in this message.
    pub fn inside(&self, sonata: Place, legacy: Place) -> Self {
        Self { sonata: self.sonata.at(sonata), legacy: self.legacy.at(legacy), ..self.clone() }
    }

    /// Inside a shape.
    pub fn within(&self, name: &'c str) -> Self {
        let mut inner = self.clone();
        inner.shapes.push(name);
        inner
    }

    /// The Sonata place of a rule; none where this message does not have it, so that the rule is not in it.
    pub fn sonata_place(&self, schema: &dyn Schema, text: &Text) -> Option<Place> {
        let path = FieldPath::parse(text.as_str()).ok()?;
        self.sonata.find(schema, &path).map(|(place, _)| place)
    }
}
