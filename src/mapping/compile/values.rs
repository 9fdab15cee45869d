//! Checks of what happens to a value on its way: constants, code tables, converters, queries, scripts.

use super::HashMap;
use super::condition::QUERY_SLIPS;
use super::form::Ways;
use super::literal::{constant, enum_text};
use super::mend::functions_fault;
use super::scope::{Place, Scope};
use super::{Compiler, literal};
use crate::json::query::Query;
use crate::mapping::convert::{Class, Converter, Form, Reference};
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::path::{FieldPath, Literal};
use crate::mapping::program::{Constant, Phase};
use crate::mapping::raw::{CodeRow, CodeSide, Inputs, Rule, ScriptText, Text};
use crate::mapping::schema::Kind;
use crate::mapping::script::{Functions, Script, is_reserved};
use crate::text::{Diagnostic, Diagnostics, Hint, Slips, SourceId, Span, suggest, yaml::Node};
use std::sync::Arc;

/// What goes wrong in a converter, and what was meant.
const CONVERTER_SLIPS: Slips<'_> =
    Slips { written: &[("%y%y", "%Y"), ("%YY", "%Y")], missing: &[")", "'", "(", ","] };

/// Compiled scripts by the texts and input names of each.
type ByText = HashMap<(String, Vec<String>), Arc<Script>>;

/// Compiled scripts, and the functions that they may call.
#[derive(Clone, Default)]
pub(super) struct Scripts {
    /// The functions; none: not read yet.
    functions: Option<Functions>,
    /// Whether there are functions that could not be read: scripts that may call them are not looked at.
    unread: bool,
    /// Those that were there before, shared.
    shared: Arc<ByText>,
    compiled: ByText,
}

impl Scripts {
    /// Compiles the file of functions, if that was not done; what is wrong with it is told.
    pub fn read(&mut self, file: Option<&(SourceId, Arc<str>)>, out: &mut Diagnostics) {
        if self.functions.is_some() {
            return;
        }
        let compiled = file.map(|file| (file, Functions::compile(&file.1)));
        let functions = match compiled {
            Some((_, Ok(functions))) => functions,
            Some(((id, text), Err(error))) => {
                out.push(functions_fault(*id, text, error));
                self.unread = true;
                Functions::default()
            }
            None => Functions::default(),
        };
        self.functions = Some(functions);
    }

    /// Makes what was compiled cheap to clone.
    pub fn share(&mut self) {
        let mut all = ByText::clone(&self.shared);
        all.extend(std::mem::take(&mut self.compiled));
        self.shared = Arc::new(all);
    }

    /// The functions of the set.
    pub fn functions(&self) -> Functions {
        self.functions.clone().unwrap_or_default()
    }
}

/// What a converter call stands for.
pub(super) enum Conversion {
    /// The converter does it.
    Plain,
    /// `ref(kind)`, and whether for each element.
    Entity(String, bool),
    /// `key(group)`, and whether for each element.
    Key(String, bool),
}

impl Conversion {
    /// What a converter call stands for.
    pub fn of(converter: &Converter) -> Self {
        match converter.reference() {
            Some(Reference::Entity { kind, each }) => Self::Entity(kind.to_owned(), each),
            Some(Reference::Key { group, each }) => Self::Key(group.to_owned(), each),
            None => Self::Plain,
        }
    }
}

impl Compiler<'_> {
    fn kind(&self, place: Option<&Place>) -> Option<Kind> {
        place.and_then(|place| place.ty).map(|ty| self.schema.kind(ty))
    }

    /// The constant of a node at a Sonata place, or on the legacy side.
    pub(super) fn constant(&self, node: &Node, place: Option<&Place>) -> Option<Constant> {
        constant(node, self.kind(place)).ok()
    }

    /// Checks a constant against the place that it is written to.
    pub(super) fn check_constant(&mut self, node: &Node, place: Option<&Place>) {
        match constant(node, self.kind(place)) {
            Err(message) => {
                let code = if self.kind(place).is_some() { code::TYPES } else { code::CONSTANT };
                self.out.push(Diagnostic::error(code, message).at(node.span));
            }
            Ok(Constant::Literal(Literal::Null)) => {
                let fault =
                    Diagnostic::error(code::CONSTANT, "`null` counts as absent: this would write nothing");
                self.out.push(
                    fault.at(node.span).hint("quote it where it is meant as a text, else leave the rule out"),
                );
            }
            Ok(Constant::Literal(literal)) => {
                let values = self.enum_values(place);
                if let Some(text) = literal::enum_text(&literal) {
                    self.check_enum(text, &values, &[], node.span);
                }
            }
            Ok(Constant::Document(_)) => {}
        }
    }

    fn enum_values(&self, place: Option<&Place>) -> Vec<String> {
        place.and_then(|place| place.ty).map(|ty| self.schema.values(ty)).unwrap_or_default()
    }

    fn check_enum(&mut self, text: &str, values: &[String], taken: &[&str], at: Span) {
        if values.is_empty() || values.iter().any(|value| value == text) {
            return;
        }
        let hint = match near_value(text, values, taken) {
            Some(near) => Hint::meant(near),
            None => format!("one of: {}", values.join(", ")).into(),
        };
        let message = format!("{} does not allow `{text}` at this place", self.schema.title());
        self.out.push(Diagnostic::error(code::NOT_IN_ENUM, message).at(at).hint(hint));
    }

    /// Checks the defaults of a rule against the side that each phase writes.
    pub(super) fn check_defaults(&mut self, rule: &Rule, place: Option<&Place>) {
        for (phase, node) in [(Phase::Request, &rule.default.request), (Phase::Answer, &rule.default.answer)]
        {
            let Some(node) = node else { continue };
            let sonata = self.side.direction(phase) == Direction::ToSonata;
            self.check_constant(node, place.filter(|_| sonata));
        }
    }

    /// Checks the code table of a pair.
    pub(super) fn check_codes(&mut self, rule: &Rule, place: Option<&Place>, ways: Ways) {
        let Some(name) = &rule.codes else { return };
        let Some(raw) = self.set.table(name.as_str()) else {
            let near = suggest(name.as_str(), self.set.tables.iter().map(|table| table.name.as_str()));
            let values = self.enum_values(place);
            let hint = near.map_or_else(|| missing_table(name.as_str(), &values), Hint::meant);
            let fault = Diagnostic::error(code::UNKNOWN_TABLE, format!("codes.yaml has no table `{name}`"));
            self.out.push(fault.at(name.span()).hint(hint));
            return;
        };
        self.tables_used.insert(raw.name.as_str());
        if let Some(kind) = self.kind(place)
            && matches!(kind, Kind::Object | Kind::Array)
        {
            let (whose, kind) = (self.schema.title(), kind.as_str());
            let message = format!("a code is a single value, and {whose} has {kind} here");
            self.out.push(Diagnostic::error(code::TYPES, message).at(name.span()));
        }
        let values = self.enum_values(place);
        for row in &raw.rows {
            if let crate::mapping::raw::CodeSide::Values(codes) = &row.sonata {
                let taken = codes_of(&raw.rows, |row| &row.sonata);
                for text in codes {
                    self.check_enum(text.as_str(), &values, &taken, text.span());
                }
            }
        }
        for direction in ways.list() {
            self.check_readable(raw, name, direction);
        }
        if matches!(rule.otherwise, Some(crate::mapping::raw::Otherwise::Plain(_))) && ways.both() {
            let fault = Diagnostic::error(code::ONE_WAY, "this rule is used both ways; which one is meant?");
            self.out.push(
                fault
                    .at(rule.key_span("otherwise"))
                    .hint("write `otherwise: { to_legacy: …, to_sonata: … }`"),
            );
        }
    }

    /// Checks the converter of a pair.
    pub(super) fn check_convert(&mut self, rule: &Rule, place: Option<&Place>, ways: Ways) {
        let Some(text) = &rule.convert else { return };
        let converter = match Converter::parse(text.as_str()) {
            Ok(converter) => converter,
            Err(error) => {
                let at = text.part(error.offset..error.offset + error.length.max(1));
                let written = error.hint.clone();
                let fault = Diagnostic::error(code::CONVERTER, error.message);
                let known = error.hint.filter(Hint::is_change);
                let good = |tried: &str| Converter::parse(tried).is_ok();
                let hint = known.or_else(|| text.mended(error.offset, CONVERTER_SLIPS, good));
                self.out.push(fault.at(at).maybe_hint(hint.or(written)));
                return;
            }
        };
        if let Some(kind) = self.kind(place)
            && !meets(converter.writes(Direction::ToSonata), kind)
        {
            let writes = converter.entry().sonata.1;
            let message = format!(
                "`{}` stands for {writes}, and {} has {} here",
                converter.name(),
                self.schema.title(),
                kind.as_str()
            );
            let hint = self.usual_converter(rule, (Some(kind), None));
            self.out.push(Diagnostic::error(code::TYPES, message).at(text.span()).maybe_hint(hint));
        }
        self.check_stamp(text, &converter, place);
        if ways.both() && converter.class() == Class::OneWay {
            let message = format!("`{}` has no way back, and this rule is used both ways", converter.name());
            let fault = Diagnostic::error(code::ONE_WAY, message).at(text.span());
            self.out.push(fault.hint("add `only: request` or `only: answer`"));
        }
        self.check_entity(text, &converter);
        self.check_loss(rule, text, &converter, ways);
        if let Some(argument) = converter.path_argument()
            && let Err(error) = FieldPath::parse(&argument.text)
        {
            let start = argument.offset + error.offset.min(argument.text.len().saturating_sub(1));
            let fault = Diagnostic::error(code::ARGUMENT, error.message);
            let at = text.part(start..argument.offset + argument.text.len());
            self.out.push(fault.at(at).maybe_hint(error.hint));
        }
    }

    /// A date where the contract has an instant, or the other way.
    fn check_stamp(&mut self, text: &Text, converter: &Converter, place: Option<&Place>) {
        let format = place.and_then(|place| place.ty).and_then(|ty| self.schema.format(ty));
        let (Some(format), Some(stamp)) = (format, converter.stamp()) else { return };
        if format == stamp || !matches!(format.as_str(), "date" | "date-time") {
            return;
        }
        let (name, whose) = (converter.name(), self.schema.title());
        let message = format!("`{name}` stands for a {stamp} here, and {whose} has a {format}");
        let hint = match (format.as_str(), converter.name()) {
            ("date-time", _) => {
                "say which end of the day is meant, and where: `date('%d.%m.%Y', end-of-day, 'Europe/Berlin')`"
            }
            (_, "date") => "leave `start-of-day` or `end-of-day` out, and the zone",
            _ => "use `date`, or a script that takes the time away",
        };
        self.out.push(Diagnostic::error(code::TYPES, message).at(text.span()).hint(hint));
    }

    /// Whether there are entities of the kind that `ref(kind)` speaks of.
    fn check_entity(&mut self, text: &Text, converter: &Converter) {
        let Some(Reference::Entity { kind, .. }) = converter.reference() else { return };
        let known = self.schema.entities();
        if known.is_empty() || known.iter().any(|own| own == kind) {
            return;
        }
        let near = suggest(kind, known.iter().map(String::as_str)).map(Hint::meant);
        let fault = Diagnostic::error(code::CONVERTER, format!("there is no entity `{kind}`"));
        self.out.push(fault.at(super::steps::word_in(text, kind)).maybe_hint(near));
    }

    /// The hint to add a clause to a rule, behind one of its values.
    pub(super) fn adding(&self, rule: &Rule, behind: &Text, words: String, clause: &str) -> Hint {
        let (end, hint) = (behind.end(), Hint::from(words));
        if self.sources.slice(rule.span).starts_with('{') {
            return hint.putting_at(end, format!(", {clause}"));
        }
        let (_, column) = self.sources.line_column(rule.keys.first().map_or(rule.span, |(_, span)| *span));
        hint.putting_at(end, format!("\n{}{clause}", " ".repeat(column.saturating_sub(1))))
    }

    fn check_loss(&mut self, rule: &Rule, text: &Text, converter: &Converter, ways: Ways) {
        let accepted = rule.accept.as_ref();
        match (converter.loses().filter(|_| ways.both()), accepted) {
            (Some(loss), None) => {
                let message = format!("`{}` gives up information there and back", converter.name());
                let fault = Diagnostic::error(code::LOSS, message).at(text.span());
                let hint = format!("add `accept: {loss}`, or `only: request` or `only: answer`");
                self.out.push(fault.hint(self.adding(rule, text, hint, &format!("accept: {loss}"))));
            }
            (Some(loss), Some(accept)) if accept.as_str() != loss => {
                let fault =
                    Diagnostic::error(code::LOSS, format!("what is given up here is called `{loss}`"));
                let hint = Hint::from(format!("write `accept: {loss}`")).putting(loss);
                self.out.push(fault.at(accept.span()).hint(hint));
            }
            // The word is wrong even where nothing is given up.
            (None, Some(accept)) if converter.loses().is_some_and(|loss| accept.as_str() != loss) => {
                let loss = converter.loses().unwrap_or_default();
                let fault =
                    Diagnostic::error(code::LOSS, format!("what is given up here is called `{loss}`"));
                let hint = Hint::from(format!("write `accept: {loss}`")).putting(loss);
                self.out.push(fault.at(accept.span()).hint(hint));
            }
            // A rule of a shape may go one way here and the other way elsewhere: then it does give something up.
            (None, Some(accept)) if converter.loses().is_none() || rule.only.is_some() => {
                let fault = Diagnostic::warning(code::KEY_IDLE, "nothing is given up here").at(accept.span());
                self.out.push(fault.hint("take `accept:` out"));
            }
            _ => {}
        }
    }

    /// Checks a query; `scope` is that of the Sonata side, where that is what it reads.
    pub(super) fn check_query(&mut self, text: &Text, scope: Option<&Scope>) {
        match Query::parse(text.as_str()) {
            Ok(query) => {
                if let Some(scope) = scope {
                    self.check_reads(text, &query.reads(), scope);
                }
            }
            Err(error) => {
                let fault = Diagnostic::error(code::QUERY, error.message).at(text.word_at(error.offset));
                let good = |tried: &str| Query::parse(tried).is_ok();
                self.out.push(fault.maybe_hint(text.mended(error.offset, QUERY_SLIPS, good)));
            }
        }
    }

    /// Checks the scripts of a pair in the directions in which it is used.
    pub(super) fn check_pair_script(&mut self, rule: &Rule, at: &super::survey::At<'_>) {
        let Some(script) = &rule.script else { return };
        if let (ScriptText::Plain(text), true) = (script, at.ways.both()) {
            let fault = Diagnostic::error(
                code::ONE_WAY,
                "one expression has no way back, and this rule is used both ways",
            );
            let hint = "write `script: { to_legacy: \"…\", to_sonata: \"…\" }`, or add `only:`";
            self.out.push(fault.at(text.span()).hint(hint));
        }
        for direction in at.ways.list() {
            if script_text(script, direction).is_none() {
                let message =
                    format!("no script is given for the direction {direction}, in which this rule is used");
                let fault = Diagnostic::error(code::ONE_WAY, message).at(rule.key_span("script"));
                let other = direction.reverse();
                self.out.push(fault.hint(format!("add `{direction}:`, or `only: {other}`")));
            }
            self.check_script(rule, direction, true, &at.scope);
        }
    }

    /// Checks a script and its inputs in one direction.
    pub(super) fn check_script(&mut self, rule: &Rule, direction: Direction, pair: bool, scope: &Scope) {
        let Some(text) = rule.script.as_ref().and_then(|script| script_text(script, direction)) else {
            return;
        };
        let inputs = script_inputs(&rule.inputs, direction);
        let mut good = true;
        self.check_facts(text);
        for (name, path) in inputs {
            if FieldPath::parse(path.as_str()).is_err() && is_query(path) {
                self.check_query(path, (direction == Direction::ToLegacy).then_some(scope));
            } else if direction == Direction::ToLegacy {
                let _ = self.sonata_place(path, scope);
            } else {
                let _ = self.path(path);
            }
            good &= self.input_name(name, text);
        }
        if good
            && let Some(script) = self.script(text, inputs)
            && script.reads().value
            && !pair
        {
            let fault = Diagnostic::error(
                code::SCRIPT,
                "`value` is the source of a pair, and this rule has one side",
            );
            self.out.push(fault.at(text.span()).hint("name what it reads in `in: { … }`"));
        }
    }

    /// Compiles a script once for all its uses; what is wrong with it is told. Inputs whose names are taken were told
    /// before.
    pub(super) fn script(&mut self, text: &Text, inputs: &[(Text, Text)]) -> Option<Arc<Script>> {
        if self.known.scripts.unread
            || inputs.iter().any(|(name, _)| is_taken(name) || is_reserved(name.as_str()))
        {
            return None;
        }
        let names: Vec<String> = inputs.iter().map(|(name, _)| name.as_str().to_owned()).collect();
        let key = (text.as_str().to_owned(), names);
        let scripts = &self.known.scripts;
        if let Some(script) = scripts.compiled.get(&key).or_else(|| scripts.shared.get(&key)) {
            return Some(script.clone());
        }
        let names: Vec<&str> = key.1.iter().map(String::as_str).collect();
        match Script::compile(text.as_str(), &names, &self.known.scripts.functions()) {
            Ok(script) => {
                let script = Arc::new(script);
                self.known.scripts.compiled.insert(key, script.clone());
                Some(script)
            }
            Err(error) => {
                self.script_fault(text, inputs, error);
                None
            }
        }
    }
}

/// Whether scripts have something of this name without an input.
pub(super) fn is_taken(name: &Text) -> bool {
    matches!(name.as_str(), "value" | "index" | "facts")
}

/// The script of one direction.
pub(super) fn script_text(script: &ScriptText, direction: Direction) -> Option<&Text> {
    match (script, direction) {
        (ScriptText::Plain(text), _) => Some(text),
        (ScriptText::Directed(directed, _), Direction::ToLegacy) => directed.to_legacy.as_ref(),
        (ScriptText::Directed(directed, _), Direction::ToSonata) => directed.to_sonata.as_ref(),
    }
}

/// The inputs of one direction.
pub(super) fn script_inputs(inputs: &Inputs, direction: Direction) -> &[(Text, Text)] {
    match (inputs, direction) {
        (Inputs::None, _) => &[],
        (Inputs::Plain(list), _) => list,
        (Inputs::Directed(directed), Direction::ToLegacy) => {
            directed.to_legacy.as_deref().unwrap_or_default()
        }
        (Inputs::Directed(directed), Direction::ToSonata) => {
            directed.to_sonata.as_deref().unwrap_or_default()
        }
    }
}

/// The codes of one side of a table.
pub(super) fn codes_of<'r>(rows: &'r [CodeRow], side: impl Fn(&'r CodeRow) -> &'r CodeSide) -> Vec<&'r str> {
    let texts = rows.iter().filter_map(|row| match side(row) {
        CodeSide::Values(texts) => Some(texts),
        CodeSide::Absent(_) => None,
    });
    texts.flatten().map(Text::as_str).collect()
}

/// The value of an enumeration that was meant: one that is near, else the only one that is not taken already.
pub(super) fn near_value<'v>(text: &str, values: &'v [String], taken: &[&str]) -> Option<&'v str> {
    let free = || values.iter().map(String::as_str).filter(|value| !taken.contains(value));
    let only = || {
        let mut free = free();
        free.next().filter(|_| !taken.is_empty() && free.next().is_none())
    };
    suggest(text, free()).or_else(only).or_else(|| suggest(text, values.iter().map(String::as_str)))
}

/// What to write where a code table is not there at all.
fn missing_table(name: &str, values: &[String]) -> Hint {
    match values {
        [] => format!("add it to codes.yaml: `{name}: [ {{ sonata: …, legacy: … }} ]`").into(),
        values => format!("add it to codes.yaml, with rows for {}", values.join(", ")).into(),
    }
}

/// Whether a text that is no field path is meant as a query.
pub(super) fn is_query(text: &Text) -> bool {
    text.as_str().starts_with(['$', '@'])
}

/// Whether what a converter stands for can be of this kind.
pub(super) fn meets(form: Form, kind: Kind) -> bool {
    match (form, kind) {
        (Form::Any, _) | (_, Kind::Any) => true,
        (Form::Scalar, kind) => !matches!(kind, Kind::Object | Kind::Array),
        (Form::Text, kind) => kind == Kind::Text,
        (Form::Number, kind) => matches!(kind, Kind::Number | Kind::Integer),
        (Form::Integer, kind) => matches!(kind, Kind::Number | Kind::Integer),
        (Form::Boolean, kind) => kind == Kind::Boolean,
        (Form::Object, kind) => kind == Kind::Object,
        (Form::Array, kind) => kind == Kind::Array,
    }
}

/// The literal of an `otherwise:` as a code of its side.
pub(super) fn code_literal(node: &Node, kind: crate::mapping::codes::CodeType) -> Result<Literal, String> {
    use crate::mapping::codes::CodeType;
    let kind = match kind {
        CodeType::Text => Kind::Text,
        CodeType::Number => Kind::Number,
        CodeType::Boolean => Kind::Boolean,
    };
    match constant(node, Some(kind))? {
        Constant::Literal(literal) if enum_text(&literal).is_some() => Ok(literal),
        _ => Err("a code is a single value".to_owned()),
    }
}
