//! The one place that turns what happened into a status and a problem body.
//!
//! Every match is exhaustive. What the partner is told is public text, made here or by the mapping; what the
//! operator needs is the error's own `Display`, which never leaves the log.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use super::{
    Gateway,
    error::{Complaint, ExchangeError, SellerProblem},
    wire::{Answer, render},
};
use crate::{
    mapping::{
        apply::{Failure, Fault as MappingFault},
        path::Part,
        problem::TroubleCode,
        program::FailureCode,
    },
    plan::NoRoute,
    sonata::{
        Fault, FaultCode, Operation,
        problem::{Problem, ProblemCode},
    },
    telemetry::metrics::Outcome,
};

/// Seconds after which a partner may try again when a legacy system is down (`Retry-After`).
const RETRY_AFTER_S: &str = "30";

/// Seconds after which a request that is still at work may be sent again (`Retry-After`).
const REPEAT_AFTER_S: &str = "2";

/// The answer in place of a failed exchange, and the problem's code for the log.
pub fn answer(error: &ExchangeError, operation: Option<&Operation>) -> (Answer, &'static str) {
    let problem = problem(error);
    let problem = match operation {
        Some(operation) => problem.fit(operation),
        None => problem,
    };
    let mut headers = HeaderMap::new();
    match error {
        ExchangeError::MethodNotAllowed { allow } => {
            if let Ok(allow) = HeaderValue::from_str(allow) {
                headers.insert(header::ALLOW, allow);
            }
        }
        ExchangeError::Legacy { .. } => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        // What is asked for has to be said (RFC 9110).
        ExchangeError::UnknownPartner => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        ExchangeError::InProgress => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(REPEAT_AFTER_S));
        }
        _ => {}
    }
    let code = problem.code().as_str();
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (Answer { status, body: problem.to_document().bytes(), headers }, code)
}

/// The answer of a request that found no permit: it is refused before anything is read.
pub fn overloaded(gateway: &Gateway) -> Response<Full<Bytes>> {
    let none = crate::telemetry::metrics::NONE;
    let nothing = std::time::Duration::ZERO;
    gateway.metrics.exchange(none, none, Outcome::Overload, nothing, nothing);
    let problem =
        Problem::new(ProblemCode::TooManyUsers, "Too many requests are in progress. Try again later.");
    render(Answer {
        status: StatusCode::FORBIDDEN,
        body: problem.to_document().bytes(),
        headers: HeaderMap::new(),
    })
}

/// The same of a message of our own legacy system.
pub fn overloaded_for_legacy() -> Response<Full<Bytes>> {
    render(Answer {
        status: StatusCode::SERVICE_UNAVAILABLE,
        body: Bytes::from_static(br#"{"error":"too many messages are in progress"}"#),
        headers: HeaderMap::new(),
    })
}

/// The answer of an exchange that goes on after its caller's time is over; it is counted and told when it ends.
pub fn late() -> Response<Full<Bytes>> {
    render(answer(&ExchangeError::Deadline, None).0)
}

fn problem(error: &ExchangeError) -> Problem {
    use ExchangeError as E;
    let internal = || Problem::new(ProblemCode::InternalError, "The request could not be processed.");
    match error {
        E::UnknownPartner => {
            Problem::new(ProblemCode::MissingCredentials, "The request carries no known credentials.")
        }
        E::NoSuchPath => Problem::new(ProblemCode::NotFound, "There is no such resource."),
        E::MethodNotAllowed { .. } => {
            Problem::new(ProblemCode::MethodNotAllowed, "The resource does not have this method.")
        }
        E::Query(faults) => Problem::query(faults).unwrap_or_else(internal),
        E::Body(reason) => Problem::new(ProblemCode::InvalidBody, reason),
        E::Contract(faults) => Problem::unprocessable(faults.clone()),
        E::NotFound => Problem::new(ProblemCode::NotFound, "There is no such entity."),
        E::Conflict { pointer, reason } => {
            let pointer = pointer.as_deref().unwrap_or_default();
            Problem::unprocessable(vec![Fault::new(FaultCode::OtherIssue, pointer, reason)])
        }
        E::InProgress => {
            Problem::new(ProblemCode::Conflict, "The same request was sent before and is still in progress.")
        }
        E::OtherRequest { by_external_id: true } => {
            let reason = "another request was sent before with this externalId";
            Problem::unprocessable(vec![Fault::new(FaultCode::InvalidValue, "/externalId", reason)])
        }
        E::OtherRequest { by_external_id: false } => {
            let reason = "Another request was sent before with the same key in its header.";
            Problem::unprocessable(vec![Fault::new(FaultCode::OtherIssue, "", reason)])
        }
        E::NotRouted(NoRoute::Party { parameter }) => {
            let reason = format!("query parameter {parameter} names a party that this is not offered to");
            Problem::new(ProblemCode::InvalidQuery, &reason)
        }
        E::NotRouted(NoRoute::Body { pointer, reason }) => {
            Problem::unprocessable(vec![Fault::new(FaultCode::InvalidValue, pointer.as_str(), *reason)])
        }
        E::NotServed | E::NotSold { .. } | E::Manual | E::NotRouted(NoRoute::Operation) => {
            Problem::new(ProblemCode::NotImplemented, "The operation is not offered here.")
        }
        E::Refused(failures) => refused(failures),
        E::LegacyProblem(told) => {
            let pointer = told.pointer.as_deref().unwrap_or_default();
            Problem::unprocessable(vec![Fault::new(fault_code(told.code), pointer, &told.reason)])
        }
        E::LegacyStatus { .. } | E::LegacyFault { .. } | E::LegacyGarbage { .. } | E::Legacy { .. } => {
            Problem::new(ProblemCode::InternalError, "A system behind this one cannot answer now.")
        }
        E::Seller(problem) => resold(problem),
        E::Mapping(_) | E::AnswerContract(_) | E::Store(_) | E::Panicked(_) | E::Internal(_) => internal(),
        E::Deadline => Problem::new(ProblemCode::InternalError, "The request could not be answered in time."),
    }
}

/// The status that our own legacy system gets for a message of its own, and a word for the log.
pub fn for_legacy(error: &ExchangeError) -> (StatusCode, &'static str) {
    use ExchangeError as E;
    match error {
        E::UnknownPartner => (StatusCode::UNAUTHORIZED, "unknownCaller"),
        E::NoSuchPath | E::NotFound => (StatusCode::NOT_FOUND, "notFound"),
        E::MethodNotAllowed { .. } => (StatusCode::METHOD_NOT_ALLOWED, "methodNotAllowed"),
        E::Query(_) | E::Body(_) => (StatusCode::BAD_REQUEST, "invalidBody"),
        E::Contract(_)
        | E::Conflict { .. }
        | E::OtherRequest { .. }
        | E::Refused(_)
        | E::LegacyProblem(_)
        | E::Mapping(_)
        | E::AnswerContract(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalidValue"),
        E::NotServed | E::NotSold { .. } | E::NotRouted(_) | E::Manual => {
            (StatusCode::NOT_IMPLEMENTED, "notImplemented")
        }
        // Worth another try: nothing is wrong with the message.
        E::Store(_) | E::Deadline | E::InProgress => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        E::LegacyStatus { .. }
        | E::LegacyFault { .. }
        | E::LegacyGarbage { .. }
        | E::Legacy { .. }
        | E::Seller(_)
        | E::Panicked(_)
        | E::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internalError"),
    }
}

/// What our own procurement system is told when it cannot be given what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// HTTP status.
    pub status: u16,
    /// A word for it.
    pub code: TroubleCode,
    /// Why, in one sentence.
    pub reason: String,
    /// What is wrong with the message, entry by entry.
    pub faults: Vec<TroubleAt>,
}

/// One thing that is wrong with a message of our procurement system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TroubleAt {
    /// The standard's code.
    pub code: String,
    /// Why.
    pub reason: String,
    /// JSON Pointer into the message, where it is about a place of it.
    pub at: Option<String>,
}

/// What our own procurement system is told. It is ours, so it may know more than a partner: whose fault it is, and whether
/// it is worth trying again (502, 503, 504).
pub fn trouble(error: &ExchangeError) -> Trouble {
    use ExchangeError as E;
    let told =
        |status: u16, code: TroubleCode, reason: String| Trouble { status, code, reason, faults: Vec::new() };
    let of_faults = |faults: Vec<TroubleAt>| {
        let reason = faults.first().map(|fault| fault.reason.clone()).unwrap_or_default();
        Trouble { status: 422, code: TroubleCode::InvalidMessage, reason, faults }
    };
    match error {
        E::UnknownPartner => told(401, TroubleCode::UnknownCaller, error.to_string()),
        E::NoSuchPath => told(404, TroubleCode::NotFound, error.to_string()),
        E::MethodNotAllowed { .. } => told(405, TroubleCode::MethodNotAllowed, error.to_string()),
        E::NotFound => told(404, TroubleCode::NotFound, "there is no such thing".to_owned()),
        E::Query(faults) => {
            let faults = faults.iter();
            let at = faults.map(|fault| TroubleAt { reason: fault.reason.clone(), ..TroubleAt::default() });
            of_faults(at.collect())
        }
        E::Body(reason) => told(400, TroubleCode::InvalidBody, reason.clone()),
        E::Contract(faults) => of_faults(faults.iter().map(of_fault).collect()),
        E::Refused(failures) => match problem(error).faults() {
            [] => told(500, TroubleCode::InternalError, "the message could not be processed".to_owned()),
            faults => {
                debug_assert!(!failures.is_empty(), "what is refused says why");
                of_faults(faults.iter().map(of_fault).collect())
            }
        },
        E::Conflict { pointer, reason } => of_faults(vec![TroubleAt {
            code: FaultCode::OtherIssue.as_str().to_owned(),
            reason: reason.clone(),
            at: pointer.clone(),
        }]),
        E::LegacyProblem(told) => of_faults(vec![TroubleAt {
            code: fault_code(told.code).as_str().to_owned(),
            reason: told.reason.clone(),
            at: told.pointer.clone(),
        }]),
        E::Seller(problem) => of_seller(problem),
        E::InProgress => {
            told(409, TroubleCode::InProgress, "the same was asked before and has not ended".to_owned())
        }
        E::OtherRequest { .. } => told(
            409,
            TroubleCode::OtherRequest,
            "something else was asked before under the same number".to_owned(),
        ),
        E::NotServed | E::NotSold { .. } | E::NotRouted(_) | E::Manual => {
            told(501, TroubleCode::NotImplemented, error.to_string())
        }
        E::Legacy { error: failed, .. } => {
            let status = if failed.retry_is_safe() { 503 } else { 504 };
            told(
                status,
                TroubleCode::SellerUnavailable,
                failed.kind.to_string().replace("legacy system", "Seller"),
            )
        }
        E::LegacyStatus { .. } | E::LegacyFault { .. } | E::LegacyGarbage { .. } => {
            told(502, TroubleCode::SellerFailed, "the Seller's answer cannot be read".to_owned())
        }
        E::Mapping(_) | E::AnswerContract(_) => {
            told(502, TroubleCode::SellerFailed, "the Seller's answer cannot be told in our terms".to_owned())
        }
        E::Store(_) | E::Deadline => told(503, TroubleCode::Unavailable, error.to_string()),
        E::Panicked(_) | E::Internal(_) => {
            told(500, TroubleCode::InternalError, "the message could not be processed".to_owned())
        }
    }
}

/// What a Seller whose things we sell on says of the partner's message. What it holds against ours (its form, our
/// credentials) and its own failures are nothing that the partner can mend.
fn resold(problem: &SellerProblem) -> Problem {
    let fault = |one: &Complaint| {
        let code = one.code.as_deref().and_then(FaultCode::parse).unwrap_or(FaultCode::OtherIssue);
        // A place that the partner did not write is none that it may know, and so are words about it.
        match &one.at {
            Some(at) => Fault::new(code, at, one.reason.as_deref().unwrap_or("This cannot be carried out.")),
            None => Fault::new(code, "", "The request cannot be carried out."),
        }
    };
    match problem.status {
        404 => Problem::new(ProblemCode::NotFound, "There is no such entity."),
        409 | 422 if !problem.complaints.is_empty() => {
            Problem::unprocessable(problem.complaints.iter().map(fault).collect())
        }
        _ => Problem::new(ProblemCode::InternalError, "A system behind this one cannot answer now."),
    }
}

/// A Seller's problem. What it holds against us and not against the message (our credentials, its own failure) is
/// nothing that who asked can mend.
fn of_seller(problem: &SellerProblem) -> Trouble {
    let (status, code) = match problem.status {
        404 => (404, TroubleCode::NotFound),
        400 | 409 | 422 => (422, TroubleCode::InvalidMessage),
        501 => (501, TroubleCode::NotImplemented),
        401 | 403 => (502, TroubleCode::SellerRefuses),
        _ => (502, TroubleCode::SellerFailed),
    };
    let own = || format!("the Seller answered with status {}", problem.status);
    let faults = problem.complaints.iter().map(|one| TroubleAt {
        code: one.code.clone().unwrap_or_default(),
        reason: one.reason.clone().unwrap_or_else(own),
        at: one.at.clone(),
    });
    let faults: Vec<TroubleAt> = faults.collect();
    let reason = faults.first().map_or_else(own, |fault| fault.reason.clone());
    Trouble { status, code, reason, faults }
}

fn of_fault(fault: &Fault) -> TroubleAt {
    let at = Some(fault.pointer.clone()).filter(|at| !at.is_empty());
    TroubleAt { code: fault.code.as_str().to_owned(), reason: fault.reason.clone(), at }
}

/// What the mapping says about the sender's message, told entry by entry; a defect of the mapping itself is ours.
fn refused(failures: &[Failure]) -> Problem {
    let of_sender: Vec<&Failure> =
        failures.iter().filter(|failure| failure.fault == MappingFault::Sender).collect();
    if of_sender.is_empty() {
        return Problem::new(ProblemCode::InternalError, "The request could not be processed.");
    }
    let faults = of_sender.into_iter().map(|failure| {
        let pointer = if failure.part == Part::Body { failure.source_pointer.as_str() } else { "" };
        Fault::new(fault_code(failure.code), pointer, &failure.message)
    });
    Problem::unprocessable(faults.collect())
}

/// A failure's code in the standard's words.
pub(super) fn fault_code(code: FailureCode) -> FaultCode {
    match code {
        FailureCode::MissingProperty => FaultCode::MissingProperty,
        FailureCode::InvalidValue => FaultCode::InvalidValue,
        FailureCode::InvalidFormat => FaultCode::InvalidFormat,
        FailureCode::ReferenceNotFound => FaultCode::ReferenceNotFound,
        FailureCode::UnexpectedProperty => FaultCode::UnexpectedProperty,
        FailureCode::TooManyRecords => FaultCode::TooManyRecords,
        FailureCode::OtherIssue => FaultCode::OtherIssue,
    }
}
