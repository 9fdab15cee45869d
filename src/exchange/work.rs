//! What the middle of an exchange works on, and what follows from it.

use std::{borrow::Cow, sync::LazyLock};

use http::{HeaderMap, HeaderValue, StatusCode};

use super::{
    call::Calling,
    calls::{Origin, Wire},
    error::ExchangeError,
    facts::Known,
    once::Once,
    references,
    request::{Received, json_limits},
    story::Story,
    subject::Subject,
    ways::Way,
};
use crate::{
    custody::{self, Owner},
    ids::{BackendId, LegacyId, SonataId},
    json::{Document, Limits, Node},
    legacy::BackendSettings,
    mapping::apply::References,
    plan::{MappedOperation, PartnerPlan, Route},
    sonata::{
        Fault, FaultCode,
        entity::{Act, Duty, EntityKind},
    },
    telemetry::TraceContext,
};

/// Before they are resolved.
static NOTHING: LazyLock<References> = LazyLock::new(References::new);

/// One operation, read and routed, before anything is mapped.
#[derive(Clone, Copy)]
pub struct Work<'w> {
    /// The partner.
    pub partner: &'w PartnerPlan,
    /// Contract and operation.
    pub route: &'w Route<'w>,
    /// The mapping.
    pub operation: &'w MappedOperation,
    /// What the operation does to entities.
    pub duty: &'static Duty,
    /// The request.
    pub received: &'w Received,
    /// Whose entities it may see.
    pub owner: &'w Owner,
    /// The legacy system.
    pub backend: &'w BackendSettings,
    /// The backend by whose ids an answer names other entities.
    pub home: &'w BackendId,
    /// The entity that the operation names.
    pub subject: Option<&'w Subject>,
    /// What names the request, so that it has one effect however often it is sent.
    pub once: Option<&'w Once>,
}

impl<'w> Work<'w> {
    /// The same at another legacy system.
    pub fn by(&self, way: &'w Way) -> Self {
        Self { operation: &way.operation, backend: &way.backend, home: &way.home, ..*self }
    }

    /// The Buyer may only move an entity where its state machine allows it (section 4 of the guides).
    ///
    /// # Errors
    /// 422 at what names the entity.
    pub fn may_move(&self) -> Result<(), ExchangeError> {
        let (Act::Move { state }, Some(subject)) = (self.duty.act, self.subject) else { return Ok(()) };
        let Some(document) = &subject.document else { return Ok(()) };
        custody::may_move(subject.kind, document.root(), state).map_err(|illegal| ExchangeError::Conflict {
            pointer: self.duty.about.map(|(_, members)| pointer(members)),
            reason: illegal.to_string(),
        })
    }

    /// The id of the entity that the operation makes or answers.
    ///
    /// # Errors
    /// None in practice: a new id is within the bounds of one.
    pub fn entity_id(&self, story: &Story<'_>) -> Result<Option<SonataId>, ExchangeError> {
        match self.duty.act {
            Act::Create => references::new_id(story).map(Some),
            Act::Retrieve | Act::Update | Act::Move { .. } => {
                Ok(self.subject.map(|subject| subject.id.clone()))
            }
            Act::List | Act::Ask => Ok(None),
        }
    }

    /// What is stored of the entity itself, and the entity that it belongs to.
    pub fn relations(&self) -> (Option<&'w Subject>, Option<&'w Subject>) {
        match self.duty.act {
            Act::Create => (None, self.subject),
            _ => (self.subject, self.subject.and_then(|subject| subject.parent.as_deref())),
        }
    }

    /// The item that the request names outside of any array.
    ///
    /// # Errors
    /// 422 `referenceNotFound` where the entity does not have it.
    pub fn item_id(&self) -> Result<Option<Cow<'w, str>>, ExchangeError> {
        let (Some(body), Some(members)) = (&self.received.body, self.duty.item) else { return Ok(None) };
        let named = members.iter().try_fold(body.root(), |node, member| node.get(member));
        let Some(id) = named.and_then(Node::as_str) else { return Ok(None) };
        let stored =
            self.subject.and_then(|subject| Some((subject.kind.facts().items?, subject.document.as_ref()?)));
        let items = stored.and_then(|(items, document)| document.root().get(items));
        let has_id = |item: Node<'_>| item.get("id").and_then(Node::as_str).as_ref() == Some(&id);
        if items.is_some_and(|items| !items.elements().any(has_id)) {
            let fault = Fault::new(FaultCode::ReferenceNotFound, pointer(members), "there is no such item");
            return Err(ExchangeError::Contract(vec![fault]));
        }
        Ok(Some(id))
    }

    /// What the legacy system made and no longer has is not there. What the Buyer made must be: that a legacy system
    /// lost it is a failure.
    pub fn or_not_found(&self, error: ExchangeError) -> ExchangeError {
        match error {
            ExchangeError::LegacyStatus { status: 404, .. }
                if self.duty.act == Act::Retrieve && !self.duty.kind.is_made_by_buyer() =>
            {
                ExchangeError::NotFound
            }
            error => error,
        }
    }

    /// The URL under which the partner finds an entity.
    pub fn href(&self, story: &Story<'_>, id: &SonataId) -> String {
        let public_url = &story.plan.settings().gateway.listeners.sonata.url;
        let paths = [&*self.partner.settings().base_path, &self.route.contract.base_path()];
        custody::href(public_url, paths, self.duty.kind, id.as_str())
    }

    /// Function and operation, as the journal names them.
    pub fn operation_name(&self) -> String {
        [self.route.function().name(), ".", &self.route.operation.operation_id].concat()
    }

    /// What the requests are mapped from, as far as it is known before references are resolved: no keys that are
    /// remembered, no item, as many calls as the gateway allows.
    pub fn origin<'o>(&self, story: &Story<'_>, facts: &'o Known<'o>) -> Origin<'o>
    where
        'w: 'o,
    {
        Origin {
            received: self.received,
            stored: self.stored(),
            facts,
            references: &NOTHING,
            remembered: &[],
            tables: &self.operation.tables,
            legacy_id: self.subject.and_then(|subject| subject.legacy_id.as_ref()).map(LegacyId::as_str),
            item_id: None,
            calls_max: story.plan.settings().gateway.limits.calls_max,
            wire: self.wire(),
        }
    }

    /// What the calls of this exchange share.
    pub fn calling<'c>(
        &'c self,
        story: &Story<'_>,
        origin: &'c Origin<'w>,
        headers: &HeaderMap,
    ) -> Calling<'c, 'w> {
        let mut forwarded = self.backend.forwarded(headers);
        if self.backend.forward.iter().any(|name| name == "traceparent")
            && let Ok(value) = HeaderValue::from_str(story.trace.text(&mut [0; TraceContext::TEXT_BYTES]))
        {
            forwarded.insert("traceparent", value);
        }
        let limits = json_limits(&story.plan.settings().gateway.limits);
        let limits = Limits { bytes_max: self.backend.response_bytes_max, ..limits };
        Calling { program: &self.operation.program, origin, backend: self.backend, forwarded, limits }
    }

    /// Where ids of a kind are looked up: a backend that keeps the kind knows its own only, for the same id means another
    /// thing at the next one. What it does not keep it may know by the ids of another system.
    pub fn sources(&self, kind: EntityKind) -> &[BackendId] {
        let own = &self.backend.id;
        match self.partner.keepers(kind) {
            keepers if keepers.is_empty() || keepers.contains(own) => std::slice::from_ref(own),
            keepers => keepers,
        }
    }

    /// How the operation's messages look at its legacy system.
    pub fn wire(&self) -> Wire<'w> {
        Wire { format: &self.backend.format, names: &self.operation.names }
    }

    /// The status that the operation promises.
    pub fn success_status(&self) -> StatusCode {
        StatusCode::from_u16(self.route.operation.success_status).unwrap_or(StatusCode::OK)
    }

    /// The document that is stored of the entity that the operation names.
    pub fn stored(&self) -> Option<&'w Document> {
        self.subject.and_then(|subject| subject.document.as_ref())
    }
}

fn pointer(members: &[&str]) -> String {
    format!("/{}", members.join("/"))
}
