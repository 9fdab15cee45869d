//! Members of a request that the interface requires and no rule writes.

use super::super::Compiler;
use super::super::coverage::plain;
use crate::mapping::diagnostic as code;
use crate::mapping::schema::{Interface, Kind, TypeId};
use crate::text::{Diagnostic, Span};
use std::{collections::BTreeSet, sync::Arc};

impl Compiler<'_> {
    /// Tells which required members of a request body nothing writes.
    pub(super) fn check_required(
        &mut self,
        ty: TypeId,
        written: &BTreeSet<String>,
        at: Span,
        api: &Arc<dyn Interface>,
    ) {
        let written: BTreeSet<String> = written.iter().map(|place| plain(place)).collect();
        self.walk_required(ty, "$", &written, at, api);
    }

    fn walk_required(
        &mut self,
        ty: TypeId,
        place: &str,
        written: &BTreeSet<String>,
        at: Span,
        api: &Arc<dyn Interface>,
    ) {
        match api.kind(ty) {
            Kind::Array => {
                if let Some(element) = api.element(ty) {
                    self.walk_required(element, place, written, at, api);
                }
                return;
            }
            Kind::Object => {}
            _ => return,
        }
        for (name, member) in api.members(ty, None) {
            let inner = format!("{place}.{name}");
            let below = |one: &String| one.strip_prefix(&*inner).is_some_and(|rest| rest.starts_with('.'));
            let touched = written.contains(&inner) || written.iter().any(below);
            if touched {
                // What is carried over as a whole is not looked into.
                if !written.contains(&inner) || written.iter().any(below) {
                    self.walk_required(member.ty, &inner, written, at, api);
                }
            } else if member.required {
                let shown = inner.trim_start_matches("$.");
                let message =
                    format!("{} requires `{shown}` in this request, and no rule writes it", api.title());
                let fault = Diagnostic::warning(code::LEGACY_REQUIRED, message).at(at);
                self.out.push(fault.hint("add a rule for it, or a constant"));
            }
        }
    }
}
