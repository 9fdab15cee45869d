//! Names of the standard that a configuration mentions.

use super::code;
use crate::{
    sonata::{Function, Release},
    text::{Diagnostic, Diagnostics, Hint, Span, suggest},
};

/// A release of the standard. Whether its facts are at hand is for the `plan` to say.
pub(super) fn release(text: &str, span: Span, out: &mut Diagnostics) -> Option<Release> {
    let release = Release::parse(text);
    if release.is_none() {
        unknown(text, "release of the standard", Release::all().map(Release::as_str), span, out);
    }
    release
}

/// A function that a partner calls; its notification API goes with it.
pub(super) fn function(text: &str, span: Span, out: &mut Diagnostics) -> Option<Function> {
    let function = Function::parse(text).filter(|function| !function.is_notification());
    if function.is_none() {
        let known = Function::all().filter(|function| !function.is_notification()).map(Function::name);
        unknown(text, "function of the standard", known, span, out);
    }
    function
}

fn unknown(
    text: &str,
    what: &str,
    known: impl Iterator<Item = &'static str>,
    span: Span,
    out: &mut Diagnostics,
) {
    let known: Vec<&str> = known.collect();
    let hint = match suggest(text, known.iter().copied()) {
        Some(near) => Hint::meant(near),
        None => format!("known: {}", known.join(", ")).into(),
    };
    out.push(Diagnostic::error(code::UNKNOWN_NAME, format!("`{text}` is no {what}")).at(span).hint(hint));
}
