//! What our procurement system is told, in its own format: answers, and problems as `problems:` says.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    super::{
        error::ExchangeError,
        problem::{Trouble, TroubleAt, trouble},
        wire::Answer,
    },
    message::Way,
};
use crate::{
    format::{self, Format, Names},
    json::{Builder, Document, Slot},
    mapping::{
        apply::{self, Input, References},
        exposed::Problems,
        program::Tables,
        value::Value,
    },
};

/// How who asked is spoken to; known once it is known what was asked.
#[derive(Default)]
pub struct Telling {
    format: Format,
    names: Arc<Names>,
    tables: Option<Tables>,
    problems: Option<Arc<Problems>>,
}

impl Telling {
    /// From now on as the procurement system of this way is spoken to.
    pub fn speak(&mut self, way: &Way<'_>) {
        self.format = way.backend.format.clone();
        self.names = Arc::clone(&way.exposer.names);
        self.tables = Some(way.exposer.tables.clone());
        self.problems.clone_from(&way.exposer.expose.problems);
    }

    /// The answer in place of one that could not be given, and a word for the log.
    pub fn refusal(&self, error: &ExchangeError) -> (Answer, &'static str) {
        let trouble = trouble(error);
        let document = document(&trouble);
        let told = self.problems.as_ref().and_then(|problems| {
            let body = self.mapped(problems, &document)?;
            Some((problems.status.unwrap_or(trouble.status), body))
        });
        let (status, document) = told.unwrap_or((trouble.status, document));
        let code = trouble.code.as_str();
        let mut headers = HeaderMap::new();
        if let ExchangeError::MethodNotAllowed { allow } = error
            && let Ok(allow) = HeaderValue::from_str(allow)
        {
            headers.insert(header::ALLOW, allow);
        }
        let plain = || (document.bytes(), HeaderValue::from_static("application/json"));
        let written =
            format::encode(&self.format, &self.names, Some("Problem"), Some(&document)).ok().flatten();
        let written = written
            .and_then(|message| Some((message.body, HeaderValue::try_from(&*message.content_type).ok()?)));
        let (body, media_type) = written.unwrap_or_else(plain);
        headers.insert(header::CONTENT_TYPE, media_type);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (Answer { status, body, headers }, code)
    }

    /// The problem in the procurement system's words; none where the mapping cannot say it.
    fn mapped(&self, problems: &Problems, document: &Document) -> Option<Document> {
        let (nothing, none) = (Value::Object(Vec::new()), References::new());
        let input = Input::new(Some(document.root()), &nothing, &none);
        let input = Input { tables: self.tables.as_ref().unwrap_or(&Tables::NONE), ..input };
        match apply::apply(&problems.program, &input) {
            Ok(applied) => applied.body,
            Err(failures) => {
                let failure = failures.first().map(|failure| failure.message.as_str()).unwrap_or_default();
                tracing::warn!(failure, "a problem could not be told as `problems:` says");
                None
            }
        }
    }
}

/// A problem as `problems:` reads it, and as it is told without one.
fn document(trouble: &Trouble) -> Document {
    let mut builder = Builder::new();
    let root = builder.object();
    let status = builder.integer(i64::from(trouble.status));
    builder.set(root, "status", status);
    let text = builder.string(trouble.code.as_str());
    builder.set(root, "code", text);
    let text = builder.string(trouble.reason.as_str());
    builder.set(root, "reason", text);
    let list = builder.array();
    for fault in &trouble.faults {
        let entry = entry(&mut builder, fault);
        builder.push(list, entry);
    }
    builder.set(root, "errors", list);
    builder.finish(root)
}

fn entry<'t>(builder: &mut Builder<'t>, fault: &'t TroubleAt) -> Slot {
    let entry = builder.object();
    let (code, reason) = (Some(fault.code.as_str()), Some(fault.reason.as_str()));
    for (name, text) in [("code", code), ("reason", reason), ("propertyPath", fault.at.as_deref())] {
        if let Some(text) = text {
            let text = builder.string(text);
            builder.set(entry, name, text);
        }
    }
    entry
}

/// An answer in the procurement system's format.
///
/// # Errors
/// The format cannot say it.
pub fn message(
    way: &Way<'_>,
    status: u16,
    mut headers: HeaderMap,
    document: Option<&Document>,
) -> Result<Answer, ExchangeError> {
    let operation = Some(way.exposer.operation.operation_id.as_str());
    let written = format::encode(&way.backend.format, &way.exposer.names, operation, document);
    let written = written.map_err(|error| ExchangeError::Internal(error.to_string()))?;
    let mut body = Bytes::new();
    if let Some(message) = written {
        if let Ok(media_type) = HeaderValue::try_from(&*message.content_type) {
            headers.insert(header::CONTENT_TYPE, media_type);
        }
        body = message.body;
    }
    Ok(Answer { status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body, headers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        json::Node,
        mapping::{
            problem::{ProblemSchema, TroubleCode},
            schema::{Kind, TypeId, Types},
        },
    };

    /// Every member of a document is one that the checker knows, and the other way round.
    fn held(node: Node<'_>, ty: TypeId) {
        match ProblemSchema.kind(ty) {
            Kind::Object => {
                let known = ProblemSchema.members(ty, None);
                let written: Vec<_> =
                    node.members().map(|(name, value)| (name.into_owned(), value)).collect();
                assert_eq!(known.len(), written.len());
                for ((name, member), (own, value)) in known.iter().zip(written) {
                    assert_eq!(*name, own);
                    held(value, member.ty);
                }
            }
            Kind::Array => {
                let element = ProblemSchema.element(ty).unwrap();
                node.elements().for_each(|node| held(node, element));
            }
            Kind::Integer => assert!(node.number().is_some()),
            _ => assert!(node.as_str().is_some()),
        }
    }

    #[test]
    fn a_problem_is_what_mappings_are_checked_against() {
        let fault =
            TroubleAt { code: "invalidValue".to_owned(), reason: "no".to_owned(), at: Some("/a".to_owned()) };
        let trouble = Trouble {
            status: 422,
            code: TroubleCode::InvalidMessage,
            reason: "no".to_owned(),
            faults: vec![fault],
        };
        held(document(&trouble).root(), ProblemSchema.problem());
    }

    #[test]
    fn words_of_troubles_are_told_apart() {
        let words: std::collections::BTreeSet<_> =
            TroubleCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), TroubleCode::ALL.len());
    }
}
