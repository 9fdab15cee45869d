//! Which release a mapping set and a partner speak, function by function, and where the two do not meet.
//!
//! A set is written in the words of one release, and compiled against its contracts. A partner's release decides what
//! is asked and answered at the wire. Where both contracts are the same, however they are numbered, nothing stands
//! between them; where they differ, bridges carry messages over ([`super::edge`]), and what they do not is told here.

use std::collections::BTreeSet;

use super::{
    abroad::Abroad,
    bridges::Line,
    edge::Edge,
    exposer::told_as,
    load::{NOT_BRIDGED, NOT_MAPPED_IN},
};
use crate::{
    config::{Partner, Side, Switch},
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

/// What a partner asks for in another contract than the set is written in, and nothing carries over: a function of which
/// nothing comes over is an error, a single operation is answered 501.
pub(super) fn spoken(
    settings: &Partner,
    (name, release): (&str, Release),
    compiled: &CompiledSet,
    told_of: Option<&notify::Settings>,
    out: &mut Diagnostics,
) {
    if settings.side == Side::Buyer {
        return bought(settings, release, compiled, out);
    }
    for function in functions(compiled) {
        let (own, own_span) = speaks(settings, function);
        // What the partner's release does not have, it does not ask for.
        let Some(asked) = contract(own, function) else { continue };
        let is_told = told_of.is_some_and(|told| told.tells(function));
        let what = if !are_same(Some(asked), contract(release, function)) {
            "its messages"
        } else if is_told && !are_same(events::listener(own, function), events::listener(release, function)) {
            "its events"
        } else {
            continue;
        };
        let (is_any_carried, missing) = asked_for(settings, (own, asked), compiled);
        if missing.is_empty() {
            continue;
        }
        if is_any_carried {
            for id in missing {
                out.push(unanswered((function, id), (own, release), own_span));
            }
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

/// What a set asks of a Seller that its release does not have, or that nothing carries there: an entry of `exposes:` is refused
/// when it is asked for, an event is never told.
fn bought(settings: &Partner, written: Release, compiled: &CompiledSet, out: &mut Diagnostics) {
    let follows = compiled.notifies.iter().map(|notify| &notify.follow);
    let mut told = BTreeSet::new();
    for expose in compiled.exposes.iter().chain(follows) {
        let Some(function) = Function::parse(&expose.function) else { continue };
        let (own, span) = speaks(settings, function);
        let ours = contract(written, function).and_then(|ours| ours.operation(&expose.operation_id));
        let Some(Err(why)) = ours.map(|operation| Abroad::of(own, function, operation)) else { continue };
        if told.insert((function, &expose.operation_id)) {
            let message =
                format!("`{function}.{}` cannot be asked of a Seller on {own}: {why}", expose.operation_id);
            let hint = "who asks for it is answered 501; `segue releases` tells what comes over";
            out.push(Diagnostic::warning(NOT_BRIDGED, message).at(span).hint(hint));
        }
    }
    for notify in &compiled.notifies {
        let Some(function) = Function::parse(&notify.follow.function) else { continue };
        let (own, span) = speaks(settings, function);
        if contract(own, function).is_some() && told_as(own, function, &notify.event).is_none() {
            let message = format!("a Seller on {own} does not tell of `{}`", notify.event);
            let hint = "nothing is told of it for this partner; ask for what it would tell, by its entry of `exposes:`";
            out.push(Diagnostic::warning(NOT_BRIDGED, message).at(span).hint(hint));
        }
    }
}

/// Whether something of a function comes over that the partner may ask for and the set has, and what of that does not.
fn asked_for(
    settings: &Partner,
    (release, asked): (Release, &'static Contract),
    compiled: &CompiledSet,
) -> (bool, Vec<&'static str>) {
    let function = asked.function;
    let edge = Edge::of(release, function);
    let (mut is_any_carried, mut missing) = (false, Vec::new());
    for operation in asked.operations.iter() {
        let id = operation.operation_id.as_str();
        let crossing = edge.as_ref().and_then(|edge| edge.crossing(id));
        let meant = crossing.map_or(id, |crossing| crossing.operation.operation_id.as_str());
        let is_on = settings.operations.switch(function, id) == Switch::On;
        if !is_on || !compiled.operations.contains_key(format!("{function}.{meant}").as_str()) {
            continue;
        }
        match crossing {
            Some(_) => is_any_carried = true,
            None => missing.push(id),
        }
    }
    (is_any_carried, missing)
}

fn unanswered((function, id): (Function, &str), (own, written): (Release, Release), at: Span) -> Diagnostic {
    let line = Line::between(own, written);
    let why = line.as_ref().and_then(|line| line.missing(function.name(), id));
    let why = why.map(|(_, why)| format!(": {why}")).unwrap_or_default();
    let message =
        format!("`{function}.{id}` of {own} is answered 501, as nothing carries it over to {written}{why}");
    let hint = "switch it off in `operations:` to be told no more";
    Diagnostic::warning(NOT_BRIDGED, message).at(at).hint(hint)
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
