//! By what a partner's repeated requests are known again.

use super::{Releases, code, headers, words};
use crate::{
    sonata::{
        Function, catalogue,
        entity::{Act, duty_of},
    },
    text::{
        Diagnostic, Diagnostics,
        yaml::{Fields, Node, text_of},
    },
};
use http::HeaderName;

/// By what a partner's repeated requests are known again; by nothing unless said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Idempotency {
    /// The header whose value names a request: of every request that makes, changes or moves an entity.
    pub key_header: Option<HeaderName>,
    /// Functions in which the `externalId` of a create message names it.
    pub external_id: Vec<Function>,
}

impl Idempotency {
    pub(super) fn read(node: Option<&Node>, releases: Option<&Releases>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`idempotency`", out);
        let header = fields.take("key_header").map_or(&[][..], std::slice::from_ref);
        let key_header = headers::forwarded(("key_header", "what names a request"), header, out).pop();
        let mut external_id: Vec<Function> = Vec::new();
        for node in fields.sequence("external_id", true, out).unwrap_or_default() {
            let Some(scalar) = text_of(node, "external_id", out) else { continue };
            let Some(function) = words::function(&scalar.text, node.span, out) else { continue };
            if releases.is_some_and(|releases| !has_external_id(function, releases)) {
                let message =
                    format!("no request of `{}` that makes something has an externalId", scalar.text);
                out.push(Diagnostic::error(code::UNKNOWN_NAME, message).at(node.span).hint("remove it"));
            } else if external_id.contains(&function) {
                let message = format!("`{}` stands twice", scalar.text);
                out.push(Diagnostic::error(code::TWICE, message).at(node.span));
            } else {
                external_id.push(function);
            }
        }
        fields.finish(out);
        Self { key_header, external_id }
    }
}

/// Whether a create message of the function may have one. Of a release that is not at hand nothing is known.
fn has_external_id(function: Function, releases: &Releases) -> bool {
    let Some(contract) = catalogue().contract(releases.of(function), function) else { return true };
    let makes = contract.operations.iter().filter(|operation| {
        duty_of(function, &operation.operation_id).is_some_and(|duty| duty.act == Act::Create)
    });
    let mut requests = makes.filter_map(|operation| operation.request);
    requests.any(|request| contract.view(request).member("externalId").is_some())
}
