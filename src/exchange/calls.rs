//! Before the first call: every request that needs no earlier reply is mapped, and every element has found its call.

use std::collections::BTreeSet;

use super::{
    error::{ExchangeError, SellerProblem},
    facts::{Known, find, scalar_node},
    reply::Reply,
    request::Received,
};
use crate::{
    format::{self, Format, FormatError, Names, Outgoing},
    json::{Document, Node},
    mapping::{
        apply::{self, Applied, Failure, Fault, Input, KeyPair, KeyText, NeededReference, References},
        operation::{Call, CallTarget, OperationProgram, TemplatePart},
        path::{FieldPath, Part},
        program::{FailureCode, Tables},
        trace::{Row, property_path},
    },
    sonata::entity::Act,
};

/// What the requests of an operation are mapped from.
pub struct Origin<'m> {
    /// The request, read and checked.
    pub received: &'m Received,
    /// What is stored of the entity that the operation names.
    pub stored: Option<&'m Document>,
    /// What scripts see.
    pub facts: &'m Known<'m>,
    /// Legacy ids of entities that the message names.
    pub references: &'m References,
    /// Keys that earlier messages left.
    pub remembered: &'m [KeyPair],
    /// Code tables of the partner's own.
    pub tables: &'m Tables,
    /// The legacy id of the entity that the operation names.
    pub legacy_id: Option<&'m str>,
    /// The item of that entity that the request names outside of any array.
    pub item_id: Option<&'m str>,
    /// Most calls of one exchange.
    pub calls_max: usize,
    /// How messages look.
    pub wire: Wire<'m>,
}

/// How the messages of an operation look at its legacy system.
#[derive(Debug, Clone, Copy)]
pub struct Wire<'m> {
    /// The backend's format.
    pub format: &'m Format,
    /// What the mapping set says of its elements.
    pub names: &'m Names,
}

impl Wire<'_> {
    /// A document as a message of this call.
    ///
    /// # Errors
    /// The format cannot say it: the sender's fault where another value would do, else the mapping's.
    pub fn encode(&self, call: &Call, document: Option<&Document>) -> Result<Option<Outgoing>, Failure> {
        format::encode(self.format, self.names, call.target.soap.as_deref(), document).map_err(|error| {
            let (pointer, what, value) = match error {
                FormatError::Unsayable { pointer, what, value } => (pointer, what.to_owned(), value),
                other => (String::new(), other.to_string(), false),
            };
            Failure {
                origin: call.origin.clone(),
                fault: if value { Fault::Sender } else { Fault::Mapping },
                code: FailureCode::InvalidValue,
                part: Part::Body,
                source_pointer: String::new(),
                target: pointer,
                message: what,
            }
        })
    }
}

/// One call with the element that it is for.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'m> {
    /// Index in the operation.
    pub index: usize,
    /// The call.
    pub call: &'m Call,
    /// The element, and its position in its array.
    pub element: Option<(usize, Node<'m>)>,
}

/// One call, mapped.
#[derive(Debug)]
pub struct Prepared<'m> {
    /// What it is.
    pub planned: Planned<'m>,
    /// The message; none: nothing but the address.
    pub message: Option<Outgoing>,
    /// Path and query, where something else than the template says them: the page of a list.
    pub address: Option<String>,
    /// Query parameters that the mapping wrote.
    pub query: Vec<(String, String)>,
    /// Headers that the mapping wrote.
    pub headers: Vec<(String, String)>,
    /// Pairs of keys to remember.
    pub keys: Vec<KeyPair>,
}

impl Prepared<'_> {
    /// The name in the journal and in the log: `uni[2]`.
    pub fn name(&self) -> String {
        match self.planned.element {
            Some((position, _)) => format!("{}[{position}]", self.planned.call.name),
            None => String::from(&*self.planned.call.name),
        }
    }

    /// Whether it changes something at the legacy system. All calls of SOAP are posted: there it is what the
    /// operation does that decides.
    pub fn changes(&self, act: Act) -> bool {
        let target = &self.planned.call.target;
        match &target.soap {
            Some(_) => !matches!(act, Act::List | Act::Retrieve | Act::Ask),
            None => !matches!(&*target.method, "GET" | "HEAD"),
        }
    }
}

impl<'m> Origin<'m> {
    fn root(&self) -> Option<Node<'m>> {
        self.received.body.as_ref().map(Document::root)
    }

    /// Which calls are to be made, in the order of the operation.
    ///
    /// # Errors
    /// An element that no call takes, or more calls than allowed.
    pub fn plan(&self, program: &'m OperationProgram) -> Result<Vec<Planned<'m>>, ExchangeError> {
        let mut planned = Vec::new();
        let (mut seen, mut taken) = (Vec::new(), BTreeSet::new());
        for (index, call) in program.calls.iter().enumerate() {
            let Some(each) = &call.each else {
                let holds = call
                    .condition
                    .as_ref()
                    .is_none_or(|condition| self.root().is_some_and(|root| condition.holds(root, root)));
                if holds {
                    planned.push(Planned { index, call, element: None });
                }
                continue;
            };
            let Some((root, array)) = self.array(each)? else { continue };
            for (position, element) in array.elements().enumerate() {
                seen.push((element, call));
                let holds = |condition: &crate::json::query::Condition| condition.holds(element, root);
                if call.condition.as_ref().is_none_or(holds) {
                    taken.insert(element.id());
                    planned.push(Planned { index, call, element: Some((position, element)) });
                }
            }
        }
        let mut untaken: Vec<Failure> = Vec::new();
        for (element, call) in seen.into_iter().filter(|(element, _)| !taken.contains(&element.id())) {
            let failure = no_call(element, call);
            if untaken.iter().all(|other| other.source_pointer != failure.source_pointer) {
                untaken.push(failure);
            }
        }
        if !untaken.is_empty() {
            return Err(ExchangeError::Refused(untaken));
        }
        if planned.len() > self.calls_max {
            let message =
                format!("the request needs {} calls, {} are allowed", planned.len(), self.calls_max);
            return Err(ExchangeError::Body(message));
        }
        Ok(planned)
    }

    /// The array of `each:`: of the request, or of what is stored where the request has none.
    fn array(&self, each: &FieldPath) -> Result<Option<(Node<'m>, Node<'m>)>, ExchangeError> {
        for root in self.root().into_iter().chain(self.stored.map(Document::root)) {
            let found = each.array().read(root, root).map_err(|_| {
                ExchangeError::Internal(format!("`each` of a call finds two arrays: {each:?}"))
            })?;
            if let Some(array) = found {
                return Ok(Some((root, array)));
            }
        }
        Ok(None)
    }

    fn input<'i>(&self, planned: &Planned<'m>, facts: &'i Known<'i>) -> Input<'i>
    where
        'm: 'i,
    {
        Input {
            body: self.root().or_else(|| planned.element.map(|(_, element)| element.document().root())),
            scope: planned.element.map(|(_, element)| element),
            index: planned.element.map(|(position, _)| position),
            query: &self.received.query,
            path: &self.received.path,
            headers: &self.received.headers,
            facts,
            references: self.references,
            remembered: self.remembered,
            tables: self.tables,
            limits: apply::Limits::default(),
        }
    }

    /// The ids of other entities that the requests will ask for.
    pub fn references(&self, planned: &[Planned<'m>]) -> Vec<NeededReference> {
        let mut needed = Vec::new();
        for one in planned {
            if let Some(program) = &one.call.request {
                needed.extend(apply::references(program, &self.input(one, self.facts)));
            }
        }
        needed
    }

    /// Maps all requests; every failure of every one is told.
    ///
    /// # Errors
    /// The mapping refuses what was sent.
    pub fn prepare(&self, planned: &[Planned<'m>]) -> Result<Vec<Prepared<'m>>, ExchangeError> {
        let (mut prepared, mut failures) = (Vec::with_capacity(planned.len()), Vec::new());
        for one in planned {
            let applied = match &one.call.request {
                Some(program) => apply::apply(program, &self.input(one, self.facts)),
                None => Ok(Applied::default()),
            };
            match applied {
                Ok(applied) => match self.wire.encode(one.call, applied.body.as_ref()) {
                    Ok(message) => prepared.push(Prepared {
                        planned: *one,
                        message,
                        address: None,
                        query: applied.query,
                        headers: applied.headers,
                        keys: applied.keys,
                    }),
                    Err(failure) => failures.push(failure),
                },
                Err(told) => failures.extend(told),
            }
        }
        if failures.is_empty() { Ok(prepared) } else { Err(ExchangeError::Refused(failures)) }
    }

    /// What a Seller in the place of a legacy system complains of, at the places of the message that its request was
    /// made of.
    pub fn told_back(&self, planned: &Planned<'m>, mut problem: SellerProblem) -> SellerProblem {
        let Some(program) = &planned.call.request else { return problem };
        let input = self.input(planned, self.facts);
        for complaint in &mut problem.complaints {
            complaint.at = complaint.path.as_deref().and_then(|path| property_path(program, &input, path));
        }
        problem
    }

    /// The document that one request is made of; none where it has none or the mapping refuses.
    pub fn asked(&self, planned: &Planned<'m>) -> Option<Document> {
        apply::apply(planned.call.request.as_ref()?, &self.input(planned, self.facts)).ok()?.body
    }

    /// Maps one request and tells what every rule did.
    pub fn traced(&self, planned: &Planned<'m>) -> (Result<Applied, Vec<Failure>>, Vec<Row>) {
        match &planned.call.request {
            Some(program) => apply::apply_traced(program, &self.input(planned, self.facts)),
            None => (Ok(Applied::default()), Vec::new()),
        }
    }

    /// What takes a call back; `Err` where the mapping refuses, which is told elsewhere.
    pub fn map(&self, planned: &Planned<'m>, undo: &Call) -> Result<Option<Outgoing>, Vec<Failure>> {
        let applied = match &undo.request {
            Some(program) => apply::apply(program, &self.input(planned, self.facts))?,
            None => Applied::default(),
        };
        self.wire.encode(undo, applied.body.as_ref()).map_err(|failure| vec![failure])
    }

    /// Path and query of a call, percent-encoded.
    ///
    /// # Errors
    /// A place of the template has nothing to put there.
    pub fn address(
        &self,
        target: &CallTarget,
        query: &[(String, String)],
        element: Option<(usize, Node<'m>)>,
        replies: &[Reply],
        own: Option<&Reply>,
    ) -> Result<String, ExchangeError> {
        let fill = |part: &TemplatePart| -> Result<String, ExchangeError> {
            let missing = |what: &str| {
                ExchangeError::Internal(format!("a call's address needs {what}, which is absent"))
            };
            Ok(match part {
                TemplatePart::Literal(text) => text.to_string(),
                TemplatePart::LegacyId => {
                    self.legacy_id.ok_or_else(|| missing("the entity's legacy id"))?.to_owned()
                }
                TemplatePart::ItemLegacyId => {
                    self.item_legacy_id(element).ok_or_else(|| missing("the item's legacy id"))?
                }
                TemplatePart::Fact(names) => {
                    find(self.facts, names).ok_or_else(|| missing("a fact"))?.into_owned()
                }
                TemplatePart::Reply { call, path } => {
                    let reply = match call {
                        Some(index) => replies.iter().rev().find(|reply| reply.call == *index),
                        None => own,
                    };
                    reply
                        .and_then(|reply| place(path, reply.document.as_ref()?.root()))
                        .ok_or_else(|| missing("a reply"))?
                }
                TemplatePart::Request(path) => {
                    self.of_request(path, element).ok_or_else(|| missing("the request"))?
                }
                TemplatePart::Cursor => return Err(missing("a cursor")),
            })
        };
        let mut address = match (&target.soap, self.wire.format) {
            (Some(_), Format::Soap(soap)) => soap.path.to_string(),
            _ => String::new(),
        };
        for part in &target.path {
            match part {
                TemplatePart::Literal(text) => address.push_str(text),
                other => address.extend(percent_encoding::utf8_percent_encode(&fill(other)?, SEGMENT)),
            }
        }
        // An id that a partner made up must not climb to another resource.
        if address.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(ExchangeError::NotFound);
        }
        let mut pairs = Vec::new();
        for (name, template) in &target.query {
            let value = template.iter().map(fill).collect::<Result<String, _>>()?;
            pairs.push((name.to_string(), value));
        }
        append_query(&mut address, pairs.iter().chain(query));
        Ok(address)
    }

    /// The legacy id of the element's item, or of the item that the request names: kept among the entity's keys.
    fn item_legacy_id(&self, element: Option<(usize, Node<'m>)>) -> Option<String> {
        let of_element = element.and_then(|(_, element)| element.get("id")?.as_str());
        let id = of_element.or(self.item_id.map(std::borrow::Cow::Borrowed))?;
        let mut kept = self.remembered.iter().filter(|pair| &*pair.group == ITEM_LEGACY_IDS);
        let pair = kept.find(|pair| pair.sonata == KeyText::Text(id.as_ref().into()))?;
        match &pair.legacy {
            KeyText::Text(text) | KeyText::Number(text) => Some(text.to_string()),
        }
    }

    fn of_request(&self, path: &FieldPath, element: Option<(usize, Node<'m>)>) -> Option<String> {
        let named = |pairs: &[(String, String)]| {
            let crate::mapping::path::Step::Member(name) = path.steps.first()? else { return None };
            pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        match path.part {
            Part::Query => named(&self.received.query),
            Part::Path => named(&self.received.path),
            Part::Header => named(&self.received.headers),
            Part::Body => {
                let root = self.root()?;
                let scope = element.map_or(root, |(_, element)| element);
                let node = path.read(scope, root).ok()??;
                scalar_node(node).map(std::borrow::Cow::into_owned)
            }
        }
    }
}

/// Group of the pairs of keys that hold the legacy ids of items; no mapping can use this name.
pub const ITEM_LEGACY_IDS: &str = "{item.legacy.id}";

/// What stays as it is in a segment of a path; everything else is encoded.
pub(super) const SEGMENT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'!')
    .remove(b'@');

/// Appends `?name=value&…`, form-encoded.
pub fn append_query<'q>(address: &mut String, pairs: impl Iterator<Item = &'q (String, String)>) {
    let mut pairs = pairs.peekable();
    if pairs.peek().is_none() {
        return;
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.map(|(name, value)| (name, value)));
    address.push(if address.contains('?') { '&' } else { '?' });
    address.push_str(&query.finish());
}

/// A scalar at a place of a reply, as text.
pub fn place(path: &FieldPath, root: Node<'_>) -> Option<String> {
    scalar_node(path.read(root, root).ok()??).map(std::borrow::Cow::into_owned)
}

fn no_call(element: Node<'_>, call: &Call) -> Failure {
    Failure {
        origin: call.origin.clone(),
        fault: Fault::Sender,
        code: FailureCode::InvalidValue,
        part: Part::Body,
        source_pointer: element.pointer(),
        target: String::new(),
        message: "what this item asks for is not offered".to_owned(),
    }
}
