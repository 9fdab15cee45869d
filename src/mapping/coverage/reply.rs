//! What legacy systems reply: which attributes of it are never read.

use super::touched::{self, Touches};
use super::{Attribute, Walk};
use crate::json::query::Read;
use crate::mapping::operation::{Answer, Call, CallTarget, OperationProgram, PagingWay, TemplatePart, Total};
use crate::mapping::path::FieldPath;
use crate::mapping::schema::{AnswerFacts, Interface, Kind, TypeId};

/// The reply of one call, as the backend's interface describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Name of the call.
    pub call: String,
    /// Its attributes; of each whether something of the answer, or of what is done besides, is read there.
    pub attributes: Vec<Attribute>,
}

/// What is read of the replies of an operation's calls, where `api` describes them. What scripts read by way of `facts` is
/// not seen.
pub fn replies(operation: &OperationProgram, api: &dyn Interface) -> Vec<Reply> {
    let described = operation.calls.iter().enumerate().filter_map(|(index, call)| {
        let types = bodies(call, api);
        let touches = read(operation, index, call);
        let mut walk = Walk::new(api, &touches.all, false);
        for ty in types {
            match api.kind(ty) {
                // A reply that is an array has its elements at the root's place.
                Kind::Array => walk.members(api.element(ty)?, None, "$", &mut Vec::new()),
                _ => walk.members(ty, None, "$", &mut Vec::new()),
            }
        }
        let mut attributes = walk.rows;
        attributes.sort_by(|one, other| (&one.place, other.cover).cmp(&(&other.place, one.cover)));
        attributes.dedup_by(|later, first| later.place == first.place);
        (!attributes.is_empty()).then(|| Reply { call: call.name.to_string(), attributes })
    });
    described.collect()
}

/// Types of the bodies of good replies.
fn bodies(call: &Call, api: &dyn Interface) -> Vec<TypeId> {
    let shown = |part: &TemplatePart| match part {
        TemplatePart::Literal(text) => text.to_string(),
        _ => "{}".to_owned(),
    };
    let path: String = call.target.path.iter().map(shown).collect();
    let Ok(facts) = api.call(&call.target.method, &path) else { return Vec::new() };
    let good = |answer: &&AnswerFacts| (200..300).contains(&answer.status.0);
    let mut types: Vec<TypeId> = facts.answers.iter().filter(good).filter_map(|one| one.body).collect();
    if types.is_empty() {
        let other = facts.answers.iter().filter(|one| one.status == (0, 0));
        types.extend(other.filter_map(|one| one.body));
    }
    types.sort();
    types.dedup();
    types
}

/// Everything that is read of the reply of a call.
fn read(operation: &OperationProgram, index: usize, call: &Call) -> Touches {
    let mut out = Touches::default();
    let is_last = index + 1 == operation.calls.len();
    let mut paths: Vec<(&str, &FieldPath)> = call.legacy_id.iter().map(|path| ("$", path)).collect();
    let scope = match &operation.answer {
        Answer::Each { elements, .. } => touched::names("$", elements),
        _ => "$".to_owned(),
    };
    match &operation.answer {
        Answer::Reply(program) if is_last => touched::read(program, &scope, &mut out),
        Answer::Each { legacy_id, program, .. } if is_last => {
            touched::read(program, &scope, &mut out);
            paths.extend(legacy_id.iter().map(|path| (scope.as_str(), path)));
        }
        Answer::Calls { program, .. } if call.each.is_some() => touched::read(program, &scope, &mut out),
        _ => {}
    }
    for (own, other) in operation.calls.iter().enumerate() {
        paths.extend(addressed(&other.target, index, None));
        paths.extend(other.undo.iter().flat_map(|undo| addressed(&undo.target, index, Some(own))));
    }
    let mut reads: Vec<Read> = Vec::new();
    for on in operation.on.iter().filter(|on| on.call.is_none_or(|own| own == index)) {
        if let Some(condition) = &on.condition {
            reads.extend(condition.reads());
        }
    }
    if let Some(paging) = operation.paging.as_ref().filter(|_| is_last) {
        if let Some(Total::Body(query)) = &paging.total {
            reads.extend(query.reads());
        }
        if let PagingWay::Cursor { next, .. } = &paging.way {
            reads.extend(next.reads());
        }
    }
    touched::looked_at(&paths, reads, &mut out);
    out
}

/// Places of a call's reply that an address names; `own` is the call that it takes back.
fn addressed(target: &CallTarget, index: usize, own: Option<usize>) -> Vec<(&'static str, &FieldPath)> {
    let query = target.query.iter().flat_map(|(_, template)| template.iter());
    let parts = target.path.iter().chain(query).filter_map(|part| match part {
        TemplatePart::Reply { call, path } if call.or(own) == Some(index) => Some(("$", path)),
        _ => None,
    });
    parts.collect()
}
