//! Values of one message against the types of the interface: constants, codes, converters, and what is only carried.

use super::super::Compiler;
use super::super::form::every;
use super::super::literal::{constant, enum_text};
use super::super::scope::{Found, Place};
use super::super::steps::{missing_range, word_in};
use super::super::values::{codes_of, meets, near_value};
use super::message::Message;
use crate::mapping::codes::CodeType;
use crate::mapping::convert::{Converter, Form};
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::path::{FieldPath, Literal, Part};
use crate::mapping::program::{Constant, Phase};
use crate::mapping::raw::{CodeSide, Rule, Text};
use crate::mapping::schema::{Interface, Kind, TypeId};
use crate::text::{Diagnostic, Hint, Span, yaml::Node};
use std::sync::Arc;

/// Formats of dates and times, and what a converter's format must begin with to write them.
const FORMATS: &[(&str, &[&str])] =
    &[("date", &["%Y-%m-%d", "%F"]), ("date-time", &["%Y-%m-%dT%H:%M", "%FT%T", "%FT%H:%M"])];

impl<'c> Compiler<'c> {
    /// Checks what happens to the value of a pair between its two places.
    pub(super) fn legacy_pair(
        &mut self,
        rule: &'c Rule,
        (sonata, place): (&Text, &Place),
        (legacy, counterpart): (&Text, &Place),
        at: &Message<'c>,
    ) {
        if let Some(node) =
            rule.default.request.as_ref().filter(|_| at.writes() && at.phase == Phase::Request)
        {
            self.legacy_constant(node, legacy, counterpart, at);
        }
        let ty = match (counterpart.ty, at.api.single()) {
            (Some(ty), _) => ty,
            (None, Some(ty)) if rule.convert.is_none() && self.is_single(place) => ty,
            _ => return,
        };
        if rule.codes.is_some() {
            return self.legacy_codes(rule, legacy, ty, at);
        }
        if let Some(text) = &rule.convert {
            let own = place.ty.map(|ty| self.schema.kind(ty));
            let elements = every(Some(sonata)) != every(Some(legacy));
            return self.legacy_convert(rule, text, (legacy, ty), own, at, elements);
        }
        if rule.script.is_none() && every(Some(sonata)) == every(Some(legacy)) {
            self.legacy_carried(rule, (sonata, place), (legacy, ty), at);
        }
    }

    fn is_single(&self, place: &Place) -> bool {
        let kind = place.ty.map(|ty| self.schema.kind(ty));
        kind.is_some_and(|kind| !matches!(kind, Kind::Object | Kind::Array | Kind::Any))
    }

    /// A value that is carried as it is.
    fn legacy_carried(
        &mut self,
        rule: &Rule,
        (sonata, place): (&Text, &Place),
        (legacy, ty): (&Text, TypeId),
        at: &Message<'c>,
    ) {
        let Some(own) = place.ty else { return };
        let (from, to) = (self.schema.kind(own), at.api.kind(ty));
        let is_number = |kind: Kind| matches!(kind, Kind::Number | Kind::Integer);
        let fits = from == to || from == Kind::Any || to == Kind::Any || (is_number(from) && is_number(to));
        if !fits && is_body(legacy) && is_body(sonata) {
            let title = at.api.title();
            let (ours, from_kind, to_kind) = (self.schema.title(), from.as_str(), to.as_str());
            let message = format!("{ours} has {from_kind} here, and {title} has {to_kind}");
            let hint = match (from, to) {
                (Kind::Text, Kind::Number | Kind::Integer) => Some("add `convert: string`"),
                (Kind::Text, Kind::Boolean) => Some("add `codes:`, with a table of `legacy_type: boolean`"),
                (Kind::Integer, Kind::Text) => Some("add `convert: integer`"),
                (Kind::Number, Kind::Text) => Some("add `convert: decimal`"),
                (Kind::Boolean, Kind::Text) => Some("add `convert: \"boolean(Y, N)\"`, with its two words"),
                _ => None,
            };
            let fault = Diagnostic::error(code::LEGACY_TYPES, message).at(legacy.span());
            let usual = self.usual_converter(rule, (Some(from), Some(to)));
            self.out.push(fault.maybe_hint(usual.or(hint.map(Into::into))));
            return;
        }
        let (ours, theirs) = (self.schema.values(own), at.api.values(ty));
        if ours.is_empty() || theirs.is_empty() {
            return;
        }
        let (read, written, who) = if at.writes() {
            (&ours, &theirs, at.api.title())
        } else {
            (&theirs, &ours, self.schema.title())
        };
        if let Some(lost) = read.iter().find(|value| !written.contains(value)) {
            let message = format!("`{lost}` is read here, and {who} does not allow it");
            let fault = Diagnostic::error(code::LEGACY_VALUE, message).at(legacy.span());
            self.out.push(fault.hint("give the pair a code table: `codes: NAME`"));
        }
    }

    /// A constant that is written to a legacy place.
    pub(super) fn legacy_constant(&mut self, node: &Node, legacy: &Text, place: &Place, at: &Message<'c>) {
        let Some(ty) = place.ty else { return };
        let Ok(constant) = constant(node, None) else { return };
        let (kind, title) = (at.api.kind(ty), at.api.title());
        let own = match &constant {
            Constant::Literal(Literal::Text(_)) => Kind::Text,
            Constant::Literal(Literal::Number(number)) => match kind {
                Kind::Integer if !crate::json::number::is_integer(number) => Kind::Number,
                Kind::Integer | Kind::Number => kind,
                _ => Kind::Number,
            },
            Constant::Literal(Literal::Bool(_)) => Kind::Boolean,
            Constant::Literal(Literal::EmptyArray) => Kind::Array,
            Constant::Literal(Literal::EmptyObject) => Kind::Object,
            Constant::Literal(Literal::Null) | Constant::Document(_) => return,
        };
        if kind != Kind::Any && own != kind && is_body(legacy) {
            let message =
                format!("this is written as {}, and {title} has {} here", own.as_str(), kind.as_str());
            let hint = match (own, kind, node.as_text()) {
                (Kind::Number | Kind::Integer | Kind::Boolean, Kind::Text, Some(text)) => {
                    Some(format!("quote it: `\"{text}\"`"))
                }
                (Kind::Text, _, Some(text)) if crate::json::number::is_number(text) => {
                    Some(format!("take the quotes away: `{text}`"))
                }
                _ => None,
            };
            self.out.push(Diagnostic::error(code::LEGACY_TYPES, message).at(node.span).maybe_hint(hint));
            return;
        }
        if let Constant::Literal(literal) = &constant
            && let Some(text) = enum_text(literal)
        {
            self.check_legacy_enum(text, ty, node.span, &at.api);
        }
    }

    /// Checks a literal against an enumeration of the interface.
    pub(super) fn check_legacy_enum(&mut self, text: &str, ty: TypeId, at: Span, api: &Arc<dyn Interface>) {
        if let Some(fault) = outside(text, ty, &**api, &[]) {
            self.out.push(fault.at(at));
        }
    }

    /// A code that a table or condition speaks of; told where none of its uses has it.
    pub(super) fn legacy_code(
        &mut self,
        text: &str,
        ty: TypeId,
        span: Span,
        taken: &[&str],
        at: &Message<'c>,
    ) {
        let is_ours = at.also.iter().any(|known| known == text);
        let is_open = at.api.values(ty).is_empty() && !is_ours;
        let fault = outside(text, ty, &*at.api, taken).filter(|_| !is_ours).map(|fault| fault.at(span));
        let (slip, other) = ((span, "legacy slip".into()), (span, "legacy code".into()));
        match fault {
            // A place that takes any text does not make a word good that looks like a slip at all others.
            Some(fault) if fault.hint.as_ref().is_some_and(Hint::is_change) => {
                self.sighted(slip, Some((0, fault)));
            }
            Some(fault) => self.sighted(other, Some((0, fault))),
            None => {
                self.sighted(other, None);
                if !is_open {
                    self.sighted(slip, None);
                }
            }
        }
    }

    fn legacy_codes(&mut self, rule: &'c Rule, legacy: &Text, ty: TypeId, at: &Message<'c>) {
        let Some(name) = &rule.codes else { return };
        let Some(table) = self.set.table(name.as_str()) else {
            return;
        };
        let (kind, title) = (at.api.kind(ty), at.api.title());
        let fits = match (table.legacy_type, kind) {
            (_, Kind::Any) | (CodeType::Text, Kind::Text) | (CodeType::Boolean, Kind::Boolean) => true,
            (CodeType::Number, kind) => matches!(kind, Kind::Number | Kind::Integer),
            _ => false,
        };
        if !fits && is_body(legacy) {
            let message =
                format!("the codes of `{name}` are no values of {}, which {title} has here", kind.as_str());
            let fault = Diagnostic::error(code::LEGACY_TYPES, message).at(name.span());
            let word = match kind {
                Kind::Number | Kind::Integer => Some("number"),
                Kind::Boolean => Some("boolean"),
                Kind::Text => Some("text"),
                _ => None,
            };
            self.out
                .push(fault.maybe_hint(word.map(|word| format!("write `legacy_type: {word}` in the table"))));
            return;
        }
        let taken = codes_of(&table.rows, |row| &row.legacy);
        let codes = table.rows.iter().filter_map(|row| match &row.legacy {
            CodeSide::Values(codes) => Some(codes),
            CodeSide::Absent(_) => None,
        });
        for text in codes.flatten() {
            self.legacy_code(text.as_str(), ty, text.span(), &taken, at);
        }
    }

    fn legacy_convert(
        &mut self,
        rule: &Rule,
        text: &Text,
        (legacy, ty): (&Text, TypeId),
        own: Option<Kind>,
        at: &Message<'c>,
        elements: bool,
    ) {
        let Ok(converter) = Converter::parse(text.as_str()) else { return };
        self.legacy_argument(&converter, text, at);
        let words = converter.legacy_words();
        for word in &words {
            self.legacy_code(word, ty, word_in(text, word), &words, at);
        }
        if elements || !is_body(legacy) || converter.reference().is_some() {
            return;
        }
        let (kind, title) = (at.api.kind(ty), at.api.title());
        let form = converter.writes(Direction::ToLegacy);
        let many = |kind: Kind| matches!(kind, Kind::Object | Kind::Array);
        // Most converters read a number where they write a text, and the reverse.
        let fits = match at.direction {
            Direction::ToLegacy => meets(form, kind),
            Direction::ToSonata => {
                form == Form::Any
                    || kind == Kind::Any
                    || many(kind) == matches!(form, Form::Object | Form::Array)
            }
        };
        if !fits {
            let wanted = converter.entry().legacy.1;
            let message = format!(
                "`{}` has {wanted} on the legacy side, and {title} has {}",
                converter.name(),
                kind.as_str()
            );
            let hint = self.usual_converter(rule, (own, Some(kind)));
            self.out.push(Diagnostic::error(code::LEGACY_TYPES, message).at(text.span()).maybe_hint(hint));
            return;
        }
        self.legacy_format(&converter, text, ty, at);
    }

    /// The place that a converter reads beside its value.
    fn legacy_argument(&mut self, converter: &Converter, text: &Text, at: &Message<'c>) {
        let Some(argument) = converter.path_argument() else { return };
        let Ok(path) = FieldPath::parse(&argument.text) else { return };
        let span = text.part(argument.offset..argument.offset + argument.text.len());
        let missing = match at.legacy.resolve(&*at.api, &path, &mut Vec::new()) {
            Found::Place(..) => None,
            Found::Missing(missing) => {
                let within = missing_range(&argument.text, &missing).unwrap_or(0..argument.text.len());
                let at = text.part(argument.offset + within.start..argument.offset + within.end);
                let fault = Diagnostic::error(code::NO_LEGACY_PLACE, missing.message).at(at);
                Some((missing.step, fault.maybe_hint(missing.hint)))
            }
        };
        self.sighted((span, "legacy".into()), missing);
    }

    /// The format of a date or time against that which the interface names.
    fn legacy_format(&mut self, converter: &Converter, text: &Text, ty: TypeId, at: &Message<'c>) {
        let (Some(written), Some(named)) = (converter.time_format(), at.api.format(ty)) else { return };
        let Some((_, known)) = FORMATS.iter().find(|(name, _)| *name == named) else { return };
        let fits = known
            .iter()
            .any(|known| written == *known || (named == "date-time" && written.starts_with(known)));
        if !fits {
            let message =
                format!("{} has the format `{named}` here, and `{written}` is not it", at.api.title());
            let fault = Diagnostic::error(code::LEGACY_FORMAT, message).at(super::word_in(text, written));
            let example = if named == "date" { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S%:z" };
            self.out.push(fault.hint(format!("write `{example}`")));
        }
    }

    /// A key that is numbered.
    pub(super) fn legacy_number(&mut self, text: &Text, place: &Place, at: &Message<'c>) {
        let Some(kind) = place.ty.map(|ty| at.api.kind(ty)) else { return };
        if at.writes() && !matches!(kind, Kind::Any | Kind::Number | Kind::Integer) {
            let message = format!("this key is numbered, and {} has {} here", at.api.title(), kind.as_str());
            self.out.push(Diagnostic::error(code::LEGACY_TYPES, message).at(text.span()));
        }
    }
}

/// What is told of a literal that an enumeration does not have.
fn outside(text: &str, ty: TypeId, api: &dyn Interface, taken: &[&str]) -> Option<Diagnostic> {
    let values = api.values(ty);
    if values.is_empty() || values.iter().any(|value| value == text) {
        return None;
    }
    let hint = match near_value(text, &values, taken) {
        Some(near) => Hint::meant(near),
        None => format!("one of: {}", values.join(", ")).into(),
    };
    let message = format!("{} does not allow `{text}` at this place", api.title());
    Some(Diagnostic::error(code::LEGACY_VALUE, message).hint(hint))
}

/// Whether a place is in a body: everything else travels as text.
fn is_body(text: &Text) -> bool {
    FieldPath::parse(text.as_str()).is_ok_and(|path| path.part == Part::Body)
}
