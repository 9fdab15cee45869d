//! Required attributes of an answer: which of them no rule, echo or custody ever provides.
//!
//! A warning, not an error: at run time the answer is checked against the contract in any case, and policy decides
//! what becomes of one that lacks something.

use super::Compiler;
use super::writers::Writers;
use crate::mapping::diagnostic as code;
use crate::mapping::schema::{Kind, Lookup, OperationFacts, TypeId};
use crate::text::{Diagnostic, Span};
use std::collections::BTreeSet;

/// What provides attributes of one answer.
struct Provided<'p> {
    written: BTreeSet<String>,
    facts: &'p OperationFacts,
}

impl Provided<'_> {
    fn touches(&self, place: &str) -> bool {
        self.written.iter().any(|written| {
            written == place || written.strip_prefix(place).is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// Whether a rule carries over something that holds this place as a whole.
    fn within(&self, place: &str) -> bool {
        self.written
            .iter()
            .any(|written| place.strip_prefix(written.as_str()).is_some_and(|rest| rest.starts_with('.')))
    }
}

impl Compiler<'_> {
    /// Tells which required attributes of an answer nothing provides.
    pub(super) fn check_provided(
        &mut self,
        ty: TypeId,
        function: &str,
        facts: &OperationFacts,
        writers: &Writers,
        at: Span,
    ) {
        let echo = facts.echo.as_ref().and_then(|name| self.schema.root(function, name));
        let provided = Provided { written: writers.plain(), facts };
        self.walk(ty, echo, "$", &provided, at);
    }

    fn walk(&mut self, ty: TypeId, echo: Option<TypeId>, place: &str, provided: &Provided<'_>, at: Span) {
        if self.schema.is_configuration(ty) || !self.schema.variants(ty).is_empty() {
            return;
        }
        match self.schema.kind(ty) {
            Kind::Array => {
                let Some(element) = self.schema.element(ty) else { return };
                let echo = echo.and_then(|echo| self.schema.element(echo));
                return self.walk(element, echo, place, provided, at);
            }
            Kind::Object => {}
            _ => return,
        }
        for (name, member) in self.schema.members(ty, None) {
            let inner = format!("{place}.{name}");
            let echoed = echo.map(|echo| self.schema.member(echo, &name, None));
            let echoed = match echoed {
                Some(Lookup::Found(member)) => Some(member.ty),
                _ => None,
            };
            let touched = provided.touches(&inner);
            let custody = provided.facts.custody.contains(&name);
            if member.required && !touched && !provided.within(&inner) && echoed.is_none() && !custody {
                let shown = inner.trim_start_matches("$.");
                let message =
                    format!("the contract requires `{shown}` in this answer, and nothing provides it");
                let fault = Diagnostic::warning(code::NOT_PROVIDED, message).at(at);
                self.out.push(fault.hint("add a rule for it, or a constant"));
            }
            if touched || (echoed.is_some() && place == "$") {
                self.walk(member.ty, echoed, &inner, provided, at);
            }
        }
    }
}

impl Writers {
    /// The written places by their member names alone: no elements, no terms.
    pub(super) fn plain(&self) -> BTreeSet<String> {
        self.places().map(plain).collect()
    }
}

/// The member names of an absolute place.
pub(super) fn plain(place: &str) -> String {
    let mut text = String::new();
    let mut depth = 0usize;
    let mut quote = None;
    let mut apart = false;
    for character in place.chars() {
        match (quote, character) {
            (Some(end), c) => quote = Some(end).filter(|end| *end != c),
            (None, '\'' | '"') if depth > 0 => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, '#') => apart = true,
            (None, c) => {
                apart &= c.is_ascii_digit();
                if !apart && depth == 0 {
                    text.push(c);
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn only_names_stay() {
        assert_eq!(plain("$.quoteItem[*].place[?@.role=='a]'].x"), "$.quoteItem.place.x");
        assert_eq!(plain("$.quoteItem[*].price[*]#12.name"), "$.quoteItem.price.name");
    }
}
