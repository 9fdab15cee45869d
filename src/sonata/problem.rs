//! Problem bodies: how the standard tells the other party that something went wrong.
//!
//! A [`Problem`] is decided without regard to the operation; [`Problem::fit`] then turns what the operation's
//! response set lacks into what it has. 422 is a list with one entry per fault, everything else one object. There
//! is no 429, 502, 503 or 504 in the releases that Segue knows: overload is 403 `tooManyUsers`, a dead legacy
//! system 500 `internalError`.

use super::{
    Fault, FaultCode, Operation, REASON_CHARS_MAX,
    check::{QueryCode, QueryFault},
    fault::bounded,
};
use crate::json::{Builder, Document, Slot};

/// Longest `message`, in characters. The standard has no bound.
const MESSAGE_CHARS_MAX: usize = 2000;

/// What a problem is: a status and its code (`Error400Code` to `Error501`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemCode {
    /// 400: a query parameter that must be given is not.
    MissingQueryParameter,
    /// 400: a query parameter has no value.
    MissingQueryValue,
    /// 400: the query is wrong in another way.
    InvalidQuery,
    /// 400: the body cannot be read.
    InvalidBody,
    /// 401: no credentials.
    MissingCredentials,
    /// 401: wrong or expired credentials.
    InvalidCredentials,
    /// 403: known, but not allowed to do this.
    AccessDenied,
    /// 403: this requester is not served.
    ForbiddenRequester,
    /// 403: more at a time than is served.
    TooManyUsers,
    /// 404: nothing is there.
    NotFound,
    /// 405: not with this method.
    MethodNotAllowed,
    /// 408: the request took too long to arrive.
    TimeOut,
    /// 409: the entity's state does not allow it.
    Conflict,
    /// 422: the request can be read but not accepted; the faults say why.
    Unprocessable,
    /// 500: it is our fault, or that of what we depend on.
    InternalError,
    /// 501: this operation is not offered.
    NotImplemented,
}

impl ProblemCode {
    /// All codes.
    pub const ALL: [ProblemCode; 16] = [
        Self::MissingQueryParameter,
        Self::MissingQueryValue,
        Self::InvalidQuery,
        Self::InvalidBody,
        Self::MissingCredentials,
        Self::InvalidCredentials,
        Self::AccessDenied,
        Self::ForbiddenRequester,
        Self::TooManyUsers,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TimeOut,
        Self::Conflict,
        Self::Unprocessable,
        Self::InternalError,
        Self::NotImplemented,
    ];

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::MissingQueryParameter
            | Self::MissingQueryValue
            | Self::InvalidQuery
            | Self::InvalidBody => 400,
            Self::MissingCredentials | Self::InvalidCredentials => 401,
            Self::AccessDenied | Self::ForbiddenRequester | Self::TooManyUsers => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TimeOut => 408,
            Self::Conflict => 409,
            Self::Unprocessable => 422,
            Self::InternalError => 500,
            Self::NotImplemented => 501,
        }
    }

    /// The code on the wire. Entries of a 422 have their fault's code instead.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingQueryParameter => "missingQueryParameter",
            Self::MissingQueryValue => "missingQueryValue",
            Self::InvalidQuery => "invalidQuery",
            Self::InvalidBody => "invalidBody",
            Self::MissingCredentials => "missingCredentials",
            Self::InvalidCredentials => "invalidCredentials",
            Self::AccessDenied => "accessDenied",
            Self::ForbiddenRequester => "forbiddenRequester",
            Self::TooManyUsers => "tooManyUsers",
            Self::NotFound => "notFound",
            Self::MethodNotAllowed => "methodNotAllowed",
            Self::TimeOut => "timeOut",
            Self::Conflict => "conflict",
            Self::Unprocessable => "otherIssue",
            Self::InternalError => "internalError",
            Self::NotImplemented => "notImplemented",
        }
    }
}

/// What goes wrong, as the other party is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: ProblemCode,
    reason: String,
    message: Option<String>,
    /// Of a 422 alone, and then never empty.
    faults: Vec<Fault>,
}

impl Problem {
    /// A problem with one reason, which is cut to [`REASON_CHARS_MAX`] characters and must be fit for the partner's
    /// eyes.
    pub fn new(code: ProblemCode, reason: &str) -> Self {
        if code == ProblemCode::Unprocessable {
            return Self::unprocessable(vec![Fault::new(FaultCode::OtherIssue, "", reason)]);
        }
        Self { code, reason: bounded(reason, REASON_CHARS_MAX), message: None, faults: Vec::new() }
    }

    /// A 422 with one entry per fault; without faults a single `otherIssue`.
    pub fn unprocessable(faults: Vec<Fault>) -> Self {
        match faults.first() {
            Some(first) => {
                let reason = first.reason.clone();
                Self { code: ProblemCode::Unprocessable, reason, message: None, faults }
            }
            None => Self::new(ProblemCode::Unprocessable, "the request cannot be accepted"),
        }
    }

    /// A 400 for the first of these faults; the others stand in `message`. `None` without faults.
    pub fn query(faults: &[QueryFault]) -> Option<Self> {
        let (first, others) = faults.split_first()?;
        let code = match first.code {
            QueryCode::MissingQueryParameter => ProblemCode::MissingQueryParameter,
            QueryCode::MissingQueryValue => ProblemCode::MissingQueryValue,
            QueryCode::InvalidQuery => ProblemCode::InvalidQuery,
        };
        Some(Self::new(code, &first.reason).with_others(others.iter().map(|fault| fault.reason.clone())))
    }

    /// The same with more detail for the partner.
    #[must_use]
    pub fn with_message(mut self, message: &str) -> Self {
        self.message = Some(bounded(message, MESSAGE_CHARS_MAX));
        self
    }

    fn with_others(self, others: impl Iterator<Item = String>) -> Self {
        let others: Vec<String> = others.collect();
        if others.is_empty() { self } else { self.with_message(&others.join("; ")) }
    }

    /// What it is.
    pub fn code(&self) -> ProblemCode {
        self.code
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.code.status()
    }

    /// Why, in one sentence; of a 422, that of the first fault.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Entries of a 422; empty for others.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The nearest problem whose status the operation may answer.
    ///
    /// | lacking | becomes |
    /// |---|---|
    /// | 405, 501 | itself: allowed everywhere |
    /// | 404 | 422 `referenceNotFound`, else 400 |
    /// | 409 | 422 `otherIssue`, else 400 |
    /// | 422 of what is not there (`referenceNotFound` only) | 404, else 400 |
    /// | 422 of state (`otherIssue` only) | 409, else 400 |
    /// | 422 | 400 |
    /// | 408 and whatever else | 500 |
    ///
    /// A 400 is `invalidBody` where the operation has a body, otherwise `invalidQuery`.
    #[must_use]
    pub fn fit(self, operation: &Operation) -> Self {
        let status = self.status();
        if operation.has_status(status) || matches!(status, 405 | 501) {
            return self;
        }
        match self.code {
            ProblemCode::NotFound if operation.has_status(422) => {
                self.into_fault(FaultCode::ReferenceNotFound)
            }
            ProblemCode::Conflict if operation.has_status(422) => self.into_fault(FaultCode::OtherIssue),
            ProblemCode::Unprocessable if operation.has_status(404) && self.is_missing() => {
                self.into_single(ProblemCode::NotFound)
            }
            ProblemCode::Unprocessable if operation.has_status(409) && self.is_state() => {
                self.into_single(ProblemCode::Conflict)
            }
            ProblemCode::NotFound | ProblemCode::Conflict | ProblemCode::Unprocessable
                if operation.has_status(400) =>
            {
                let has_body = operation.request.is_some();
                self.into_single(if has_body { ProblemCode::InvalidBody } else { ProblemCode::InvalidQuery })
            }
            _ => self.into_single(ProblemCode::InternalError),
        }
    }

    /// Whether it is all about what the entity's state allows.
    fn is_state(&self) -> bool {
        self.faults.iter().all(|fault| fault.code == FaultCode::OtherIssue)
    }

    /// Whether it only says that something is not there.
    fn is_missing(&self) -> bool {
        let missing = |fault: &Fault| fault.code == FaultCode::ReferenceNotFound && fault.pointer.is_empty();
        self.faults.iter().all(missing)
    }

    fn into_fault(self, code: FaultCode) -> Self {
        Self { message: self.message, ..Self::unprocessable(vec![Fault::new(code, "", &self.reason)]) }
    }

    /// As one object: the first fault is the reason, with its place; the others become the message.
    fn into_single(self, code: ProblemCode) -> Self {
        let told = |fault: &Fault| match fault.pointer.as_str() {
            "" => fault.reason.clone(),
            pointer => format!("{} (at {pointer})", fault.reason),
        };
        let mut faults = self.faults.iter().map(told);
        let single = Self::new(code, &faults.next().unwrap_or(self.reason));
        let single = single.with_others(faults);
        Self { message: single.message.or(self.message), ..single }
    }

    /// The body.
    pub fn to_document(&self) -> Document {
        let mut builder = Builder::new();
        let root = if self.code == ProblemCode::Unprocessable {
            let list = builder.array();
            for fault in &self.faults {
                let entry = self.entry(&mut builder, fault.code.as_str(), &fault.reason);
                if !fault.pointer.is_empty() {
                    let pointer = builder.string(fault.pointer.as_str());
                    builder.set(entry, "propertyPath", pointer);
                }
                builder.push(list, entry);
            }
            list
        } else {
            self.entry(&mut builder, self.code.as_str(), &self.reason)
        };
        builder.finish(root)
    }

    fn entry<'s>(&'s self, builder: &mut Builder<'s>, code: &'static str, reason: &'s str) -> Slot {
        let entry = builder.object();
        let code = builder.string(code);
        builder.set(entry, "code", code);
        let reason = builder.string(reason);
        builder.set(entry, "reason", reason);
        if let Some(message) = &self.message {
            let message = builder.string(message.as_str());
            builder.set(entry, "message", message);
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonata::{Function, Release, catalogue, check};

    fn operation(function: Function, id: &str) -> &'static Operation {
        catalogue().contract(Release::GRACE, function).unwrap().operation(id).unwrap()
    }

    #[test]
    fn every_problem_of_every_operation_is_in_its_response_set_and_valid() {
        let products = catalogue().products(Release::GRACE);
        for operation in catalogue().operations(Release::GRACE) {
            let contract = catalogue().contract(Release::GRACE, operation.function).unwrap();
            for code in ProblemCode::ALL {
                let problem = Problem::new(code, &"\u{1F600}\n".repeat(300)).fit(operation);
                let id = &operation.operation_id;
                let Some(response) = operation.response(problem.status()) else {
                    assert!(
                        matches!(problem.status(), 405 | 501),
                        "{id} {code:?} gives {}",
                        problem.status()
                    );
                    continue;
                };
                let body = response.body.unwrap();
                // Some bill operations answer plain `Error`, without code.
                let document = problem.to_document();
                let options = check::Options::new(&products);
                let checked = check::check(document.root(), contract, body.value, &options);
                assert!(checked.is_valid(), "{id} {code:?}: {:?}", checked.faults);
            }
        }
    }

    #[test]
    fn what_a_response_set_lacks_becomes_what_it_has() {
        let fault =
            |code| Problem::unprocessable(vec![Fault::new(code, "/a", "x"), Fault::new(code, "/b", "y")]);
        let patch = operation(Function::ORDER, "patchProductOrder");
        let told = fault(FaultCode::InvalidValue).fit(patch);
        assert_eq!(told.code(), ProblemCode::InvalidBody);
        assert_eq!(
            told.to_document().text(),
            r#"{"code":"invalidBody","reason":"x (at /a)","message":"y (at /b)"}"#
        );
        assert_eq!(fault(FaultCode::OtherIssue).fit(patch).code(), ProblemCode::Conflict);

        let retrieve = operation(Function::QUOTE, "retrieveQuote");
        let gone = Problem::unprocessable(vec![Fault::new(FaultCode::ReferenceNotFound, "", "gone")]);
        assert_eq!(gone.fit(retrieve).code(), ProblemCode::NotFound);

        let cancel = operation(Function::QUOTE, "cancelQuote");
        let told = Problem::new(ProblemCode::NotFound, "no such quote").fit(cancel);
        assert_eq!(told.to_document().text(), r#"[{"code":"referenceNotFound","reason":"no such quote"}]"#);
        assert_eq!(
            Problem::new(ProblemCode::Conflict, "x").fit(cancel).faults()[0].code,
            FaultCode::OtherIssue
        );
        assert_eq!(Problem::new(ProblemCode::NotImplemented, "x").fit(cancel).status(), 501);

        let list = operation(Function::QUOTE, "listQuote");
        assert_eq!(fault(FaultCode::TooManyRecords).fit(list).code(), ProblemCode::InvalidQuery);
    }

    #[test]
    fn a_422_is_a_list_with_places() {
        let faults = vec![
            Fault::new(FaultCode::MissingProperty, "/quoteItem/0/id", "id is required"),
            Fault::new(FaultCode::InvalidValue, "", "the body must be object"),
        ];
        let expected = r#"[{"code":"missingProperty","reason":"id is required","propertyPath":"/quoteItem/0/id"},{"code":"invalidValue","reason":"the body must be object"}]"#;
        assert_eq!(Problem::unprocessable(faults).to_document().text(), expected);
    }
}
