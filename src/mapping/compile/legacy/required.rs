//! Members of a message that the interface requires, and no rule writes, or only sometimes.

use super::super::Compiler;
use super::super::coverage::plain;
use super::super::writers::Places;
use crate::mapping::diagnostic as code;
use crate::mapping::program::Phase;
use crate::mapping::schema::{Interface, Kind, TypeId};
use crate::text::{Diagnostic, Span};
use std::{collections::BTreeSet, sync::Arc};

/// What a diagnostic calls a message that is written.
fn word_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Request => "request",
        Phase::Answer => "answer",
        Phase::Event => "message",
    }
}

impl Compiler<'_> {
    /// Tells which required members of a body nothing writes, or only rules with a condition; `sure` are the places
    /// that are written without one, `phase` is what the body is to the legacy system.
    pub(super) fn check_required(
        &mut self,
        ty: TypeId,
        (written, sure): (&Places, &BTreeSet<String>),
        (phase, at): (Phase, Span),
        api: &Arc<dyn Interface>,
    ) {
        let written: BTreeSet<String> = written.iter().map(|place| plain(place)).collect();
        self.walk_required(ty, "$", (&written, sure), (phase, at), api);
    }

    fn walk_required(
        &mut self,
        ty: TypeId,
        place: &str,
        (written, sure): (&BTreeSet<String>, &BTreeSet<String>),
        (phase, at): (Phase, Span),
        api: &Arc<dyn Interface>,
    ) {
        match api.kind(ty) {
            Kind::Array => {
                if let Some(element) = api.element(ty) {
                    self.walk_required(element, place, (written, sure), (phase, at), api);
                }
                return;
            }
            Kind::Object => {}
            _ => return,
        }
        for (name, member) in api.members(ty, None) {
            let inner = format!("{place}.{name}");
            let shown = inner.trim_start_matches("$.");
            let below = |one: &String| one.strip_prefix(&*inner).is_some_and(|rest| rest.starts_with('.'));
            let touched = written.contains(&inner) || written.iter().any(below);
            if touched {
                let is_sure = sure.contains(&inner) || sure.iter().any(below);
                if member.required && !is_sure {
                    let message = format!(
                        "{} requires `{shown}` in this {}, and it is written under a condition only",
                        api.title(),
                        word_of(phase)
                    );
                    let fault = Diagnostic::warning(code::LEGACY_SOMETIMES, message).at(at);
                    self.out.push(
                        fault.hint("add a rule for the other cases, such as an `else` of the `one_of`"),
                    );
                }
                // What is carried over as a whole is not looked into; what is not always there, lacks nothing when
                // it is not.
                if is_sure && (!written.contains(&inner) || written.iter().any(below)) {
                    self.walk_required(member.ty, &inner, (written, sure), (phase, at), api);
                }
            } else if member.required {
                let message = format!(
                    "{} requires `{shown}` in this {}, and no rule writes it",
                    api.title(),
                    word_of(phase)
                );
                let fault = Diagnostic::warning(code::LEGACY_REQUIRED, message).at(at);
                self.out.push(fault.hint("add a rule for it, or a constant"));
            }
        }
    }
}
