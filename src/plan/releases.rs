//! Which release a mapping set and a partner speak, function by function, and where the two do not meet.
//!
//! A set is written in the words of one release, and compiled against its contracts. A partner's release decides what
//! is asked and answered at the wire. Where both contracts are the same, however they are numbered, nothing stands
//! between them; where they differ, the partner cannot be served, and is told so before it is.

use std::collections::BTreeSet;

use super::load::{NOT_BRIDGED, NOT_MAPPED_IN};
use crate::{
    config::{Partner, Switch},
    mapping::compile::{CompiledSet, Effective},
    notify,
    sonata::{Contract, Function, Release, catalogue, events},
    text::{Diagnostic, Diagnostics, Span},
};

/// The release that a set is written in; grace where it does not say, or names none.
pub(super) fn of_set(set: &Effective) -> Release {
    let named = set.set.release.as_ref().and_then(|text| Release::parse(text.as_str()));
    named.unwrap_or(Release::GRACE)
}

/// The contracts that a set of a release is compiled against.
pub(super) fn contracts(release: Release) -> Vec<&'static Contract> {
    let functions = catalogue().functions(release).filter(|function| !function.is_notification());
    functions.filter_map(|function| catalogue().contract(release, function)).collect()
}

/// Functions that a set has operations of, by its compiled names.
fn functions(compiled: &CompiledSet) -> BTreeSet<Function> {
    let names = compiled.operations.keys().filter_map(|name| name.split_once('.'));
    names.filter_map(|(function, _)| Function::parse(function)).collect()
}

/// The functions of a set that this version cannot map in the words of its release: what it knows of entities, their
/// states and their events is said of grace's contracts.
pub(super) fn written(compiled: &CompiledSet, out: &mut Diagnostics) {
    let Some((text, span)) = &compiled.release else { return };
    let Some(release) = Release::parse(text) else { return };
    for function in functions(compiled) {
        if are_same(contract(release, function), contract(Release::GRACE, function)) {
            continue;
        }
        let message = format!("`{function}` cannot be mapped in the words of {release}");
        let hint = "entities, states and events are known as grace has them: write the set for grace";
        out.push(Diagnostic::error(NOT_MAPPED_IN, message).at(*span).hint(hint));
    }
}

/// The functions of a set that a partner speaks in another contract than the set is written in.
pub(super) fn spoken(
    settings: &Partner,
    (name, release): (&str, Release),
    compiled: &CompiledSet,
    told_of: Option<&notify::Settings>,
    out: &mut Diagnostics,
) {
    for function in functions(compiled) {
        let (own, own_span) = speaks(settings, function);
        // What the partner's release does not have, it does not ask for.
        let Some(asked) = contract(own, function) else { continue };
        let is_asked = asked.operations.iter().any(|operation| {
            let key = format!("{function}.{}", operation.operation_id);
            let is_on = settings.operations.switch(function, &operation.operation_id) == Switch::On;
            is_on && compiled.operations.contains_key(key.as_str())
        });
        let is_told = told_of.is_some_and(|told| told.tells(function));
        let what = if !are_same(Some(asked), contract(release, function)) {
            "its messages"
        } else if is_told && !are_same(events::listener(own, function), events::listener(release, function)) {
            "its events"
        } else {
            continue;
        };
        if !is_asked {
            continue;
        }
        let message = format!(
            "{what} of `{function}` are other ones in {own}, which the partner speaks, than in {release}, \
             which `{name}` is written in, and nothing carries them over"
        );
        let names: Vec<&str> = catalogue().sharing(release, function).map(Release::as_str).collect();
        let hint = format!(
            "the same contract is in {}; or switch its operations off in `operations:`",
            names.join(", ")
        );
        out.push(Diagnostic::error(NOT_BRIDGED, message).at(own_span).hint(hint));
    }
}

/// The release of a function, and where the partner's file says it.
fn speaks(settings: &Partner, function: Function) -> (Release, Span) {
    let releases = &settings.releases;
    let named = releases.functions.get(&function).unwrap_or(&releases.default);
    (named.value, named.span)
}

fn contract(release: Release, function: Function) -> Option<&'static Contract> {
    catalogue().contract(release, function)
}

fn are_same(one: Option<&Contract>, other: Option<&Contract>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same_as(other),
        (None, None) => true,
        _ => false,
    }
}
