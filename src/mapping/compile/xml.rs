//! What is said once about XML (`namespaces:`, `lists:`), and whether the paths of its messages are those of XML.

use super::coverage::plain;
use super::form::excluded;
use super::steps::word_in;
use super::writers::Places;
use super::{Compiler, HashSet};
use crate::format::{Names, Namespace, is_name, is_text};
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::path::{FieldPath, Part, Step};
use crate::mapping::program::Phase;
use crate::mapping::raw::{
    AnswerFrom, Body, Branch, Call, Condition, ElseBranch, Inputs, Operation, Rule, Text,
};
use crate::text::{Diagnostic, Hint, Span, suggest};
use std::collections::BTreeSet;

impl Compiler<'_> {
    /// Namespaces and lists of the set; what is wrong with them is told.
    pub(super) fn xml_names(&mut self) -> Names {
        let set = &self.set.set;
        let mut seen = HashSet::default();
        let (mut spaces, mut rest) = (Vec::new(), false);
        for namespace in &set.namespaces {
            if let Some(uri) =
                namespace.uri.as_ref().filter(|uri| uri.as_str().is_empty() || !is_text(uri.as_str()))
            {
                let fault = Diagnostic::error(code::XML_NAME, "this is no namespace").at(uri.span());
                self.out.push(fault.hint("elements of no namespace have an entry without `uri`"));
            }
            if namespace.elements.is_empty() && std::mem::replace(&mut rest, true) {
                let message = "another namespace already has all elements that no entry names";
                self.out.push(Diagnostic::error(code::TWICE, message).at(namespace.span));
            }
            for element in &namespace.elements {
                if !seen.insert(element.as_str()) {
                    let message = format!("`{element}` is in another namespace already");
                    self.out.push(Diagnostic::error(code::TWICE, message).at(element.span()));
                }
            }
            spaces.push(Namespace {
                uri: namespace.uri.as_ref().map(|uri| uri.as_str().into()).unwrap_or_default(),
                elements: namespace.elements.iter().map(|element| element.as_str().into()).collect(),
            });
        }
        let named = set.namespaces.iter().flat_map(|namespace| &namespace.elements).chain(&set.lists);
        for name in named.filter(|name| !is_name(name.as_str())) {
            let fault = Diagnostic::error(code::XML_NAME, format!("`{name}` is no name of an XML element"));
            self.out.push(fault.at(name.span()).hint("names stand without prefix"));
        }
        Names::new(spaces, set.lists.iter().map(|name| name.as_str().into()))
    }

    /// Checks the legacy paths of all messages that are XML, and tells what `namespaces:` and `lists:` name in vain.
    pub(super) fn check_xml(&mut self) {
        let set = self.set;
        let lists = set.set.lists.iter().map(Text::as_str).collect();
        let mut walk = Walk { lists, ..Walk::default() };
        for (_, operation) in &set.operations {
            let wire = self.wire(operation);
            walk.operation(self, operation, wire);
        }
        let elements = set.set.namespaces.iter().map(|namespace| &namespace.elements);
        for list in elements.chain([&set.set.lists]) {
            // What is named already was not meant again.
            let free = |word: &&str| list.iter().all(|name| name.as_str() != *word);
            let known: BTreeSet<&str> = walk.words.iter().copied().filter(free).collect();
            for name in list.iter().filter(|name| !walk.words.contains(name.as_str())) {
                let near = suggest(name.as_str(), known.iter().copied()).map(Hint::meant);
                let hint = near.unwrap_or_else(|| "take it out, or correct its spelling".into());
                let fault =
                    Diagnostic::warning(code::UNUSED_NAME, format!("no rule has an element `{name}`"));
                self.out.push(fault.at(name.span()).hint(hint));
            }
        }
    }

    /// What the messages of an operation are.
    pub(super) fn wire(&self, operation: &Operation) -> Wire {
        let is_xml = |name: &str| self.xml_backends.iter().any(|xml| xml == name);
        let plain = match operation.backend.as_ref().or(self.set.set.backend.as_ref()) {
            Some(name) => is_xml(name.as_str()),
            None => !self.routes.is_empty() && self.routes.iter().all(|name| is_xml(name)),
        };
        let soap = operation.calls.iter().any(|call| call.call.as_str().starts_with("SOAP "));
        match (soap, plain) {
            (true, _) => Wire::Soap,
            (false, true) => Wire::Xml,
            (false, false) => Wire::Other,
        }
    }

    /// Tells where the request of a call, which writes these places, would have several elements outermost.
    pub(super) fn check_root(&mut self, operation: &Operation, call: &Call, written: &Places) {
        let Some(body) = call.request.as_ref().filter(|_| self.wire(operation).is_xml()) else { return };
        let places = written.iter().map(|place| plain(place));
        let roots: BTreeSet<String> = places
            .filter_map(|place| Some(place.strip_prefix("$.")?.split('.').next()?.to_owned()))
            .collect();
        let mut names = roots.iter();
        let (Some(one), Some(other)) = (names.next(), names.next()) else { return };
        let message = format!("`{one}` and `{other}` would stand outermost, and XML has one root element");
        let soap = call.call.as_str().strip_prefix("SOAP ").filter(|name| is_name(name));
        let root = soap.unwrap_or("ELEMENT");
        let (at, hint) = match body {
            Body::Shape(name) => {
                let put = format!("{{ shape: {name}, at: {root} }}");
                let hint = Hint::from(format!("say in which element they stand: `request: {put}`"));
                (name.span(), if soap.is_some() { hint.putting(put) } else { hint })
            }
            Body::Fields(span, _) => {
                (*span, format!("say in which element they stand: `at: {root}` beside `fields:`").into())
            }
        };
        self.out.push(Diagnostic::error(code::XML_FORM, message).at(at).hint(hint));
    }
}

/// What the messages of an operation are, as far as paths are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Wire {
    Other,
    Xml,
    Soap,
}

impl Wire {
    /// Whether they are XML, in an envelope or not.
    pub fn is_xml(self) -> bool {
        self != Self::Other
    }
}

/// A walk through the rules of all operations.
#[derive(Default)]
struct Walk<'c> {
    /// Everything in paths, conditions and queries of the legacy side that may be a name.
    words: HashSet<&'c str>,
    /// Shapes that were looked at, and as what.
    told: HashSet<(&'c str, Ways)>,
    /// The elements that `lists:` names.
    lists: HashSet<&'c str>,
    /// Those that it lacks, which were told.
    alone: HashSet<String>,
    /// Places of which something was told.
    spans: HashSet<Span>,
}

/// What is walked through: of which kind, and whether it is a reply, which is read.
type Ways = (Wire, Option<(Phase, Direction)>);

impl<'c> Walk<'c> {
    fn operation(&mut self, compiler: &mut Compiler<'c>, operation: &'c Operation, wire: Wire) {
        let ways = (wire, None);
        for call in &operation.calls {
            self.note(call.call.as_str());
            self.note_all(call.legacy_id.iter());
            for text in call.legacy_id.iter().filter(|_| wire.is_xml()) {
                self.listed(compiler, text, false);
            }
            let undo = call.undo.as_ref().and_then(|undo| undo.request.as_ref());
            for body in call.request.iter().chain(undo) {
                self.body(compiler, body, ways);
            }
            self.note_all(call.on.iter().filter_map(|on| on.condition.as_ref()));
        }
        self.note_all(operation.on.iter().filter_map(|on| on.condition.as_ref()));
        if let Some(answer) = &operation.answer {
            let ways = (wire, Some((Phase::Answer, compiler.side.direction(Phase::Answer))));
            if let AnswerFrom::Elements { each, legacy_id } = &answer.from {
                self.path(compiler, each, ways);
                if wire.is_xml() {
                    self.listed(compiler, each, true);
                }
                self.note_all(legacy_id.iter());
            }
            if let Some(body) = &answer.body {
                self.body(compiler, body, ways);
            }
        }
    }

    fn body(&mut self, compiler: &mut Compiler<'c>, body: &'c Body, ways: Ways) {
        match body {
            Body::Shape(name) => self.shape(compiler, name, ways),
            Body::Fields(_, rules) => self.rules(compiler, rules, ways),
        }
    }

    fn shape(&mut self, compiler: &mut Compiler<'c>, name: &Text, ways: Ways) {
        let Some((_, shape)) = compiler.set.shape(name.as_str()) else { return };
        if self.told.insert((shape.name.as_str(), ways)) {
            self.rules(compiler, &shape.fields, ways);
        }
    }

    fn rules(&mut self, compiler: &mut Compiler<'c>, rules: &'c [Rule], ways: Ways) {
        for rule in rules {
            let excluded = ways.1.is_some_and(|(phase, direction)| excluded(rule, phase, direction));
            let ways = if excluded { (ways.0, None) } else { ways };
            if let Some(legacy) = &rule.legacy {
                self.path(compiler, legacy, ways);
                let is_scope = rule.fields.is_some() || rule.shape.is_some();
                let is_read = ways.1.is_some_and(|(_, direction)| direction == Direction::ToSonata)
                    && ways.0.is_xml()
                    && (rule.sonata.is_some() || is_scope);
                if is_read {
                    self.listed(compiler, legacy, is_scope);
                }
            }
            let joined = rule.join.iter().flat_map(|(_, pairs)| pairs).flat_map(|(row, scope)| [row, scope]);
            self.note_all(rule.from.iter().chain(joined));
            self.note_all(rule.key.iter().map(|key| &key.legacy));
            self.note_condition(rule.condition.as_ref());
            match &rule.inputs {
                Inputs::None => {}
                Inputs::Plain(pairs) => self.note_all(pairs.iter().map(|(_, path)| path)),
                Inputs::Directed(directed) => {
                    let both = directed.to_legacy.iter().chain(&directed.to_sonata);
                    self.note_all(both.flatten().map(|(_, path)| path));
                }
            }
            if let Some(name) = &rule.shape {
                self.shape(compiler, name, ways);
            }
            self.rules(compiler, rule.fields.as_deref().unwrap_or_default(), ways);
            let rows = rule.rows.iter().flat_map(|(_, branches)| branches);
            let branches = rule.one_of.iter().flat_map(|(_, branches, _)| branches);
            for branch in rows.chain(branches) {
                self.branch(compiler, branch, ways);
            }
            if let Some((_, _, Some(ElseBranch::Fields(rules)))) = &rule.one_of {
                self.rules(compiler, rules, ways);
            }
        }
    }

    fn branch(&mut self, compiler: &mut Compiler<'c>, branch: &'c Branch, ways: Ways) {
        self.note_condition(branch.condition.as_ref());
        if let Some(name) = &branch.shape {
            self.shape(compiler, name, ways);
        }
        self.rules(compiler, &branch.fields, ways);
    }

    /// A path of a message; what is no path at all is told where it is compiled.
    fn path(&mut self, compiler: &mut Compiler<'c>, text: &'c Text, ways: Ways) {
        self.note(text.as_str());
        let Ok(path) = FieldPath::parse(text.as_str()) else { return };
        if ways.0 == Wire::Other {
            return;
        }
        if let Some(message) = misfit(&path, ways.0) {
            let fault = Diagnostic::error(code::XML_NAME, message);
            let hint = "elements stand by their names without prefix, attributes as `@name`, text as `#text`";
            self.tell(compiler, text.span(), fault.hint(hint));
        }
    }

    /// What a path of a reply takes for an array, and `lists:` does not, or the other way round.
    fn listed(&mut self, compiler: &mut Compiler<'c>, text: &'c Text, is_scope: bool) {
        let Ok(path) = FieldPath::parse(text.as_str()) else { return };
        if path.part != Part::Body {
            return;
        }
        for (index, step) in path.steps.iter().enumerate() {
            let Step::Member(name) = step else { continue };
            let (is_array, is_one) = match path.steps.get(index + 1) {
                Some(Step::Index(_) | Step::Keyed(_)) => (true, false),
                Some(Step::Member(_)) => (false, true),
                None => (path.every, is_scope && !path.every),
            };
            let is_listed = self.lists.contains(&**name);
            if is_array && !is_listed && self.alone.insert(name.to_string()) {
                let fault =
                    Diagnostic::error(code::XML_FORM, format!("one `{name}` alone would be no array"));
                let hint = format!("add `{name}` to `lists:` in set.yaml");
                self.tell(compiler, word_in(text, name), fault.hint(hint));
            }
            if is_one && is_listed {
                let message = format!("`lists:` in set.yaml makes an array of each `{name}`");
                let hint = format!("write `{name}[0]`, or take it out of `lists:`");
                let fault = Diagnostic::error(code::XML_FORM, message).hint(hint);
                self.tell(compiler, word_in(text, name), fault);
            }
        }
    }

    /// Tells something of a place once, however often its shape is used.
    fn tell(&mut self, compiler: &mut Compiler<'c>, at: Span, fault: Diagnostic) {
        if self.spans.insert(at) {
            compiler.out.push(fault.at(at));
        }
    }

    fn note_condition(&mut self, condition: Option<&'c Condition>) {
        match condition {
            None => {}
            Some(Condition::Read(text)) => self.note(text.as_str()),
            Some(Condition::Sides { legacy, .. }) => self.note_all(legacy.iter()),
        }
    }

    fn note_all(&mut self, texts: impl Iterator<Item = &'c Text>) {
        texts.for_each(|text| self.note(text.as_str()));
    }

    fn note(&mut self, text: &'c str) {
        self.words.extend(text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))));
    }
}

/// What of a path cannot stand in a message of XML.
fn misfit(path: &FieldPath, wire: Wire) -> Option<String> {
    let steps = path.steps.len();
    path.steps.iter().enumerate().find_map(|(index, step)| match step {
        _ if path.part == Part::Query && wire == Wire::Soap => Some("a call of SOAP has no query".to_owned()),
        Step::Member(_) if path.part != Part::Body => None,
        Step::Member(name) if **name == *"#text" || name.starts_with('@') => {
            let last = index + 1 == steps && !path.every;
            let good = name.strip_prefix('@').is_none_or(is_name);
            (!last || !good).then(|| format!("`{name}` is no end of a path in XML"))
        }
        Step::Member(name) => (!is_name(name)).then(|| format!("`{name}` is no name of an XML element")),
        Step::Index(_) | Step::Keyed(_) => None,
    })
}
