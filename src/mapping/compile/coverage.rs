//! Required attributes of an answer: which of them no rule, echo or custody ever provides, or only sometimes.
//!
//! Warnings, not errors: at run time the answer is checked against the contract in any case, and policy decides
//! what becomes of one that lacks something.

use super::Compiler;
use crate::mapping::coverage::built::{Has, ObjectId, Objects, objects};
use crate::mapping::diagnostic as code;
use crate::mapping::path::{FieldPath, Step};
use crate::mapping::program::{Origin, Program};
use crate::mapping::schema::{Kind, Lookup, OperationFacts, TypeId};
use crate::text::{Diagnostic, Span};

/// Members are followed so deep.
const DEPTH_MAX: usize = 16;

/// Arrays to which both sides add elements of their own, so that the Buyer's complete none of ours.
const SHARED: [&str; 2] = ["relatedContactInformation", "note"];

/// One answer.
struct Provided<'p> {
    objects: Objects<'p>,
    facts: &'p OperationFacts,
    /// Where what the answer says stands in the mapping.
    at: Span,
}

/// A place of an answer.
#[derive(Clone)]
struct Here {
    /// Member names joined by dots, from `$`.
    place: String,
    /// What rules build there.
    object: Option<ObjectId>,
    /// The type that the Buyer's message has there, which the answer repeats.
    echo: Option<TypeId>,
    /// Types that this is in.
    depth: usize,
}

impl Compiler<'_> {
    /// Tells which required attributes of an answer nothing provides, or only rules under conditions. `into` is where
    /// what the program builds stands in the answer, if it is not the answer itself.
    pub(super) fn check_provided(
        &mut self,
        ty: TypeId,
        function: &str,
        facts: &OperationFacts,
        (program, into): (&Program, Option<&FieldPath>),
        at: Span,
    ) {
        let provided = Provided { objects: objects(program), facts, at };
        let mut echo = facts.echo.as_ref().and_then(|name| self.schema.root(function, name));
        let (mut ty, mut place) = (ty, "$".to_owned());
        for step in into.map(|into| &*into.steps).unwrap_or_default() {
            let Step::Member(name) = step else { return };
            let Lookup::Found(member) = self.schema.member(ty, name, None) else { return };
            (ty, place) = (member.ty, format!("{place}.{name}"));
            echo = self.echoed(echo, name);
        }
        if into.is_some() {
            let Some(element) = self.schema.element(ty) else { return };
            (ty, echo) = (element, echo.and_then(|echo| self.schema.element(echo)));
        }
        self.provided(ty, &Here { place, object: Some(0), echo, depth: 0 }, &provided);
    }

    fn echoed(&self, echo: Option<TypeId>, name: &str) -> Option<TypeId> {
        match self.schema.member(echo?, name, None) {
            Lookup::Found(member) => Some(member.ty),
            Lookup::Missing | Lookup::Open => None,
        }
    }

    fn provided(&mut self, ty: TypeId, here: &Here, answer: &Provided<'_>) {
        let objects = &answer.objects;
        let is_open = here.object.is_some_and(|object| objects.is_open(object));
        if is_open || here.depth > DEPTH_MAX || self.schema.is_configuration(ty) {
            return;
        }
        match self.schema.kind(ty) {
            Kind::Array => return self.elements_provided(ty, here, answer),
            Kind::Object => {}
            _ => return,
        }
        let kinds = here.object.map(|object| objects.kinds(object)).unwrap_or_default();
        let variants = self.schema.variants(ty);
        if variants.is_empty() {
            return self.members_provided(ty, None, here, answer);
        }
        // Which of the derived types it is, must be said; that it is said is a required attribute of its own.
        for kind in kinds.into_iter().filter(|kind| variants.iter().any(|known| known == kind)) {
            self.members_provided(ty, Some(kind), here, answer);
        }
    }

    fn elements_provided(&mut self, ty: TypeId, here: &Here, answer: &Provided<'_>) {
        let Some(element) = self.schema.element(ty) else { return };
        let shared = SHARED.iter().any(|name| here.place.ends_with(&format!(".{name}")));
        let own = here.object.map(|array| answer.objects.elements(array)).unwrap_or_default();
        let echo = here.echo.and_then(|echo| self.schema.element(echo));
        if own.is_empty() {
            let none = Here { object: None, echo, depth: here.depth + 1, ..here.clone() };
            if echo.is_some() {
                self.provided(element, &none, answer);
            }
            return;
        }
        for object in own {
            let echo = echo.filter(|_| !shared);
            let inner = Here { object: Some(object), echo, depth: here.depth + 1, ..here.clone() };
            self.provided(element, &inner, answer);
        }
    }

    fn members_provided(&mut self, ty: TypeId, kind: Option<&str>, here: &Here, answer: &Provided<'_>) {
        for (name, member) in self.schema.members(ty, kind) {
            let place = format!("{}.{name}", here.place);
            let echo = self.echoed(here.echo, &name);
            let has = here.object.map_or(Has::Never, |object| answer.objects.has(object, &name, kind));
            if member.required && echo.is_none() && !answer.facts.custody.contains(&name) {
                self.tell_provided(has, &name, here, answer);
            }
            let inside = here.object.and_then(|object| answer.objects.member(object, &name));
            if inside.is_some() || (echo.is_some() && here.place == "$") {
                let inner = Here { place, object: inside, echo, depth: here.depth + 1 };
                self.provided(member.ty, &inner, answer);
            }
        }
    }

    fn tell_provided(&mut self, has: Has<'_>, name: &str, here: &Here, answer: &Provided<'_>) {
        let shown = format!("{}.{name}", here.place);
        let shown = shown.trim_start_matches("$.");
        let made = here.object.filter(|object| *object != 0);
        let by = made.and_then(|object| answer.objects.origin(object)).and_then(|by| self.span_of(by));
        let fault = match (has, by) {
            (Has::Always, _) => return,
            (Has::Sometimes(by), _) => {
                let message = format!(
                    "the contract requires `{shown}` in this answer, and it is written under a condition only"
                );
                let at = self.span_of(by).unwrap_or(answer.at);
                let hint = "add a rule for the other cases, such as an `else` of the `one_of`";
                Diagnostic::warning(code::PROVIDED_SOMETIMES, message).at(at).hint(hint)
            }
            (Has::Never, Some(by)) => {
                let message = format!("what is made here lacks `{shown}`, which the contract requires");
                let hint = format!("add a rule for `{name}` beside it, or a constant");
                Diagnostic::warning(code::LACKS, message).at(by).hint(hint)
            }
            (Has::Never, None) => {
                let message =
                    format!("the contract requires `{shown}` in this answer, and nothing provides it");
                let hint = "add a rule for it, or a constant";
                Diagnostic::warning(code::NOT_PROVIDED, message).at(answer.at).hint(hint)
            }
        };
        // A shape may be used by several answers.
        if self.known.lacking.insert((fault.span, fault.message.clone())) {
            self.out.push(fault);
        }
    }

    /// The words of the mapping that a rule was made of.
    fn span_of(&self, origin: &Origin) -> Option<Span> {
        let at = (origin.file.clone(), origin.line, origin.column);
        self.spans.get(&at).or_else(|| self.known.spans.get(&at)).copied()
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
