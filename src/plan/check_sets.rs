//! What a mapping set names must be there, and what it calls must speak its format.

use std::collections::BTreeMap;

use super::load::{FORMAT, NO_BACKEND, NO_RELEASE, known_releases};
use crate::{
    format::Format,
    ids::BackendId,
    mapping::compile::CompiledSet,
    sonata::Release,
    text::{Diagnostic, Diagnostics, Hint},
};

/// Formats of the backends that are configured.
type Formats = BTreeMap<BackendId, Format>;

/// The release and the backend that a set names must be there.
fn names(formats: &Formats, compiled: &CompiledSet, out: &mut Diagnostics) {
    if let Some((release, span)) =
        compiled.release.as_ref().filter(|(text, _)| Release::parse(text).is_none())
    {
        let near = crate::text::suggest(release, Release::all().map(Release::as_str));
        let message = format!("release `{release}` is not part of this version");
        let hint = near.map_or_else(|| known_releases().into(), Hint::meant);
        out.push(Diagnostic::error(NO_RELEASE, message).at(*span).hint(hint));
    }
    let unknown = |backend: &str| formats.keys().all(|known| known.as_str() != backend);
    if let Some((backend, span)) = compiled.backend.as_ref().filter(|(backend, _)| unknown(backend)) {
        let near = crate::text::suggest(backend, formats.keys().map(BackendId::as_str));
        let message = format!("`{backend}`, the backend of the mapping set, is not configured");
        let fault = Diagnostic::error(NO_BACKEND, message).at(*span);
        out.push(fault.maybe_hint(near.map(Hint::meant)));
    }
}

/// The backends that operations name must be there, and speak SOAP exactly where calls do.
pub(super) fn formats(
    formats: &Formats,
    compiled: &CompiledSet,
    routed: &[&BackendId],
    out: &mut Diagnostics,
) {
    names(formats, compiled, out);
    super::releases::written(compiled, out);
    for (name, operation) in &compiled.operations {
        let named = operation.backend.as_ref();
        let id = named.and_then(|(backend, _)| BackendId::parse(backend).ok());
        if let (Some((backend, span)), true) = (named, id.as_ref().is_none_or(|id| !formats.contains_key(id)))
        {
            let known = formats.keys().map(BackendId::as_str);
            let hint = crate::text::suggest(backend, known).map(Hint::meant);
            let message = format!("`{backend}`, the backend of `{name}`, is not configured");
            out.push(Diagnostic::error(NO_BACKEND, message).at(*span).maybe_hint(hint));
            continue;
        }
        let backends: Vec<&BackendId> = match &id {
            Some(id) => vec![id],
            None => routed.to_vec(),
        };
        for call in &operation.program.calls {
            let soap = call.target.soap.is_some();
            let speaks = |id: &BackendId| matches!(formats.get(id), Some(Format::Soap(_)));
            let other = backends.iter().find(|id| formats.contains_key(**id) && speaks(id) != soap);
            if let Some(id) = other {
                let (what, hint) = if soap {
                    (
                        "does not speak SOAP",
                        "write a method and an address, or `format: soap` in the backend's file",
                    )
                } else {
                    ("speaks SOAP", "write `call: SOAP OPERATION`")
                };
                let message = format!("{}: `{name}` calls backend `{id}`, which {what}", call.origin);
                out.push(Diagnostic::error(FORMAT, message).hint(hint));
            }
        }
    }
}
