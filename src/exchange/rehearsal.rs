//! One message mapped as an exchange would, with nothing kept and nothing sent: what `segue map` and `segue trace`
//! show.
//!
//! What only the store knows has a stand-in: an id is its own counterpart on the other side, an entity that is made
//! has a fixed id, nothing was stored before.

use jiff::Timestamp;

use super::{
    bridge::{before, query_came_over},
    calls::{ITEM_LEGACY_IDS, Origin, Planned, Wire},
    error::ExchangeError,
    facts::{EntityFacts, Known, StoryTexts, facts, with_reply},
    reply::{Reading, Reply, Sender, understand},
    request::Received,
    subject::Subject,
};
use crate::{
    format::Format,
    ids::{LegacyId, SonataId},
    json::{Document, Limits, Node},
    legacy::LegacyReply,
    mapping::{
        apply::{self, Applied, Failure, Input, KeyPair, KeyText, NeededReference, References},
        bridge::{self, Request},
        operation,
        trace::Row,
    },
    plan::{Crossing, MappedOperation, PartnerPlan},
    sonata::{
        Contract, Fault, Operation, Options, check,
        check::{QueryFault, check_query},
        entity::duty_of,
    },
};

/// Stands in for the id of what an operation makes.
const NEW_ID: &str = "00000000-0000-0000-0000-000000000001";

/// A partner's operation, and the parts of a message beside its body.
pub struct Rehearsal<'r> {
    /// The partner.
    pub partner: &'r PartnerPlan,
    /// Contract and operation of the partner's release.
    pub spoken: (&'static Contract, &'static Operation),
    /// Contract and operation that the mapping is written for; the same where no bridge stands between.
    pub route: (&'static Contract, &'static Operation),
    /// The mapping.
    pub mapped: &'r MappedOperation,
    /// How messages look at the operation's backend.
    pub format: &'r Format,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// Path parameters, decoded.
    pub path: Vec<(String, String)>,
    /// The time that mappings see.
    pub now: Timestamp,
}

/// One message that was mapped.
#[derive(Debug)]
pub struct Rehearsed {
    /// `POST /lines?x=y` of a call; `answer`, or `answer[2]` of one element of a list.
    pub name: String,
    /// What came of it.
    pub result: Result<Applied, Vec<Failure>>,
    /// The text that a call sends, where its backend speaks something else than JSON.
    pub wire: Option<String>,
    /// What every rule did.
    pub rows: Vec<Row>,
}

impl Rehearsal<'_> {
    /// What is wrong with a request in the eyes of the standard, as this partner is held to it.
    pub fn check(&self, body: Option<&Document>) -> (Vec<QueryFault>, Vec<Fault>) {
        let (contract, operation) = self.spoken;
        let pairs: Vec<_> =
            self.query.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect();
        let query = check_query(contract, operation, &pairs);
        let products = self.partner.products(contract.function);
        let (Some(products), Some(ty), Some(body)) = (products, operation.request, body) else {
            return (query, Vec::new());
        };
        let policy = &self.partner.settings().policy;
        let options = Options {
            unknown_members: policy.unknown_members,
            product_faults: policy.product_payload,
            ..Options::new(products)
        };
        (query, check(body.root(), contract, ty, &options).faults)
    }

    /// The requests of all calls, or of the one of this name.
    ///
    /// # Errors
    /// No call takes an element, or a call's address cannot be made.
    pub fn to_legacy(
        &self,
        body: Option<Document>,
        call: Option<&str>,
    ) -> Result<Vec<Rehearsed>, ExchangeError> {
        let texts = StoryTexts::new(NEW_ID, self.now);
        let Request { body, query } = self.over(Request { body, query: self.query.clone() }, &texts)?;
        let received = Received {
            sent: None,
            query,
            path: self.path.clone(),
            headers: apply::Headers::default(),
            body,
            passed: Vec::new(),
        };
        let subject = self.subject(received.body.as_ref().map(Document::root));
        let facts = facts(self.partner, self.route, &texts, Some(entity(subject.as_ref())));
        let item_id = self.item_id(received.body.as_ref());
        let nothing = References::new();
        let origin = Origin {
            received: &received,
            stored: None,
            facts: &facts,
            references: &nothing,
            remembered: &[],
            tables: &self.mapped.tables,
            legacy_id: subject.as_ref().map(|subject| subject.id.as_str()),
            item_id: item_id.as_deref(),
            calls_max: usize::MAX,
            wire: self.wire(),
        };
        let planned = origin.plan(&self.mapped.program)?;
        let references = own_counterparts(&origin.references(&planned));
        let remembered = item_ids(&planned, item_id.as_deref());
        let origin = Origin { references: &references, remembered: &remembered, ..origin };
        let wanted = planned.iter().filter(|one| call.is_none_or(|name| *one.call.name == *name));
        wanted.map(|one| rehearse(&origin, one)).collect()
    }

    fn crossing(&self) -> Option<&Crossing> {
        self.partner.edge(self.spoken.0.function)?.crossing(&self.spoken.1.operation_id)
    }

    /// A request as the bridges before the mapping make it.
    fn over(&self, request: Request, texts: &StoryTexts) -> Result<Request, ExchangeError> {
        let Some(crossing) = self.crossing() else { return Ok(request) };
        let known = facts(self.partner, self.spoken, texts, None);
        let steps = crossing.request.as_slice();
        let mut carried = bridge::carry_request(steps, &request, &known).map_err(|(step, failures)| {
            let steps = steps.get(..step).unwrap_or_default();
            ExchangeError::Refused(before(steps, &request, &known, failures))
        })?;
        query_came_over((self.route.1, steps), (&request, &mut carried), &known)?;
        Ok(carried)
    }

    /// An answer, or one element of a list, as the bridges behind the mapping make it.
    fn back(&self, mut rehearsed: Rehearsed, is_element: bool) -> Rehearsed {
        let Some(crossing) = self.crossing().filter(|crossing| !crossing.answer.is_empty()) else {
            return rehearsed;
        };
        let texts = StoryTexts::new(NEW_ID, self.now);
        let known = facts(self.partner, self.spoken, &texts, None);
        let Ok(applied) = &mut rehearsed.result else { return rehearsed };
        let Some(body) = &applied.body else { return rehearsed };
        let list = is_element.then(|| list_of(body)).flatten();
        let told = bridge::carry_in_part(&crossing.answer, list.as_ref().unwrap_or(body), &known);
        match told {
            Ok(carried) => {
                applied.findings.extend(carried.findings);
                let first = |list: &Document| list.root().elements().next().and_then(document_of);
                applied.body = match carried.body {
                    Some(list) if is_element => first(&list),
                    other => other,
                };
            }
            Err((_, failures)) => rehearsed.result = Err(failures),
        }
        rehearsed
    }

    fn answer<'m>(
        &'m self,
        program: &'m crate::mapping::program::Program,
        name: String,
        reply: &'m Reply,
        facts: &'m Known<'m>,
        element: Option<(usize, Node<'m>)>,
    ) -> Rehearsed {
        let nothing = References::new();
        let input = |references| Input {
            scope: element.map(|(_, element)| element),
            index: element.map(|(index, _)| index),
            headers: &reply.headers,
            tables: &self.mapped.tables,
            ..Input::new(reply.document.as_ref().map(Document::root), facts, references)
        };
        let references = own_counterparts(&apply::references(program, &input(&nothing)));
        let (result, rows) = apply::apply_traced(program, &input(&references));
        self.back(Rehearsed { name, result, wire: None, rows }, element.is_some())
    }

    /// The answer that a reply of this call becomes: one message, of a list one per element.
    ///
    /// # Errors
    /// The reply is no answer but a problem, by its status or by what `on:` says.
    pub fn to_sonata(
        &self,
        call: Option<&str>,
        reply: &LegacyReply,
    ) -> Result<Vec<Rehearsed>, ExchangeError> {
        let program = &self.mapped.program;
        let index = match call {
            Some(name) => program.calls.iter().position(|call| *call.name == *name),
            None => program.calls.len().checked_sub(1),
        };
        let limits = Limits { bytes_max: usize::MAX, ..Limits::default() };
        let sender = Sender { scope: None, root: None };
        let reading = Reading { wire: self.wire(), limits: &limits };
        let reply = understand(program, (index.unwrap_or(0), None), reply.clone(), reading, sender)?;
        let texts = StoryTexts::new(NEW_ID, self.now);
        let subject = self.subject(None);
        let facts = facts(self.partner, self.route, &texts, Some(entity(subject.as_ref())));
        let facts = with_reply(&facts, None, &reply);
        let root = reply.document.as_ref().map(Document::root);
        match &program.answer {
            operation::Answer::Empty => Ok(Vec::new()),
            operation::Answer::Reply(program) | operation::Answer::Calls { program, .. } => {
                Ok(vec![self.answer(program, "answer".to_owned(), &reply, &facts, None)])
            }
            operation::Answer::Each { elements, program, .. } => {
                let array = root.and_then(|root| elements.array().read(root, root).ok().flatten());
                let elements = array.into_iter().flat_map(Node::elements).enumerate();
                let one = |(index, element)| {
                    self.answer(program, format!("answer[{index}]"), &reply, &facts, Some((index, element)))
                };
                Ok(elements.map(one).collect())
            }
        }
    }

    fn wire(&self) -> Wire<'_> {
        Wire { format: self.format, names: &self.mapped.names }
    }

    /// The entity that the operation names, as if its id were its legacy id.
    fn subject(&self, body: Option<Node<'_>>) -> Option<Subject> {
        let (contract, operation) = self.route;
        let duty = duty_of(contract.function, &operation.operation_id)?;
        let of_path = || Some((duty.kind, self.path.first()?.1.clone()));
        let of_body = || {
            let (kind, members) = duty.about?;
            let node = members.iter().try_fold(body?, |node, member| node.get(member))?;
            Some((kind, node.as_str()?.into_owned()))
        };
        let (kind, id) = of_path().or_else(of_body)?;
        Some(Subject {
            kind,
            id: SonataId::parse(&id).ok()?,
            legacy_id: Some(LegacyId::parse(&id).ok()?),
            backend: None,
            entity: None,
            document: None,
            request: None,
            sent: None,
            parent: None,
            keys: Vec::new(),
        })
    }

    fn item_id(&self, body: Option<&Document>) -> Option<String> {
        let (contract, operation) = self.route;
        let members = duty_of(contract.function, &operation.operation_id)?.item?;
        let node = members.iter().try_fold(body?.root(), |node, member| node.get(member))?;
        node.as_str().map(std::borrow::Cow::into_owned)
    }
}

/// A list of one element.
fn list_of(element: &Document) -> Option<Document> {
    document(format!("[{}]", element.root().raw()))
}

fn document_of(node: Node<'_>) -> Option<Document> {
    document(node.raw().to_owned())
}

/// What we made ourselves, which has no bounds.
fn document(text: String) -> Option<Document> {
    Document::parse(text, &Limits { bytes_max: usize::MAX, ..Limits::default() }).ok()
}

fn entity(subject: Option<&Subject>) -> EntityFacts<'_> {
    let id = subject.map_or(NEW_ID, |subject| subject.id.as_str());
    EntityFacts { id, href: "", stored: subject, parent: None }
}

/// Every id as its own counterpart.
fn own_counterparts(needed: &[NeededReference]) -> References {
    let mut references = References::new();
    for need in needed {
        references.insert(&need.kind, need.id.clone(), need.id.clone());
    }
    references
}

/// Every item's id as its own legacy id.
fn item_ids(planned: &[Planned<'_>], item_id: Option<&str>) -> Vec<KeyPair> {
    let of_elements = planned.iter().filter_map(|one| one.element?.1.get("id")?.as_str());
    let ids = of_elements.chain(item_id.map(std::borrow::Cow::Borrowed));
    let pairs = ids.map(|id| KeyPair {
        group: ITEM_LEGACY_IDS.into(),
        sonata: KeyText::Text(id.as_ref().into()),
        legacy: KeyText::Text(id.as_ref().into()),
    });
    pairs.collect()
}

fn rehearse<'m>(origin: &Origin<'m>, planned: &Planned<'m>) -> Result<Rehearsed, ExchangeError> {
    let target = &planned.call.target;
    let (mut result, rows) = origin.traced(planned);
    let query = result.as_ref().map(|applied| applied.query.as_slice()).unwrap_or_default();
    let address = match origin.address(target, query, planned.element, &[], None) {
        Ok(address) => address,
        // A call that comes after another may need its reply, which is not at hand.
        Err(_) if planned.call.after.is_some() => "(needs the reply of the call before)".to_owned(),
        Err(error) => return Err(error),
    };
    let mut wire = None;
    if let Ok(applied) = &result
        && !matches!(origin.wire.format, Format::Json)
    {
        match origin.wire.encode(planned.call, applied.body.as_ref()) {
            Ok(sent) => wire = sent.map(|sent| String::from_utf8_lossy(&sent.body).into_owned()),
            Err(failure) => result = Err(vec![failure]),
        }
    }
    Ok(Rehearsed { name: format!("{} {address}", target.method), result, wire, rows })
}
