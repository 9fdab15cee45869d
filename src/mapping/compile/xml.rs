//! What is said once about XML (`namespaces:`, `lists:`), and whether the paths of its messages are those of XML.

use super::Compiler;
use crate::format::{Names, Namespace, is_name, is_text};
use crate::mapping::diagnostic as code;
use crate::mapping::path::{FieldPath, Part, Step};
use crate::mapping::raw::{AnswerFrom, Body, Branch, Condition, ElseBranch, Inputs, Operation, Rule, Text};
use crate::text::Diagnostic;
use std::collections::HashSet;

impl Compiler<'_> {
    /// Namespaces and lists of the set; what is wrong with them is told.
    pub(super) fn xml_names(&mut self) -> Names {
        let set = &self.set.set;
        let mut seen = HashSet::new();
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
        let mut walk = Walk { words: HashSet::new(), told: HashSet::new() };
        for (_, operation) in &set.operations {
            let of_backend = operation.backend.as_ref().or(set.set.backend.as_ref());
            let plain =
                of_backend.is_some_and(|name| self.xml_backends.iter().any(|xml| xml == name.as_str()));
            let soap = operation.calls.iter().any(|call| call.call.as_str().starts_with("SOAP "));
            let wire = match (soap, plain) {
                (true, _) => Wire::Soap,
                (false, true) => Wire::Xml,
                (false, false) => Wire::Other,
            };
            walk.operation(self, operation, wire);
        }
        for name in set.set.namespaces.iter().flat_map(|namespace| &namespace.elements).chain(&set.set.lists)
        {
            if !walk.words.contains(name.as_str()) {
                let fault =
                    Diagnostic::warning(code::UNUSED_NAME, format!("no rule has an element `{name}`"));
                self.out.push(fault.at(name.span()).hint("take it out, or correct its spelling"));
            }
        }
    }
}

/// What the messages of an operation are, as far as paths are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wire {
    Other,
    Xml,
    Soap,
}

/// A walk through the rules of all operations.
struct Walk<'c> {
    /// Everything in paths, conditions and queries of the legacy side that may be a name.
    words: HashSet<&'c str>,
    /// Shapes that were looked at, and as what.
    told: HashSet<(&'c str, Wire)>,
}

impl<'c> Walk<'c> {
    fn operation(&mut self, compiler: &mut Compiler<'c>, operation: &'c Operation, wire: Wire) {
        for call in &operation.calls {
            self.note(call.call.as_str());
            self.note_all(call.legacy_id.iter());
            let undo = call.undo.as_ref().and_then(|undo| undo.request.as_ref());
            for body in call.request.iter().chain(undo) {
                self.body(compiler, body, wire);
            }
            self.note_all(call.on.iter().filter_map(|on| on.condition.as_ref()));
        }
        self.note_all(operation.on.iter().filter_map(|on| on.condition.as_ref()));
        if let Some(answer) = &operation.answer {
            if let AnswerFrom::Elements { each, legacy_id } = &answer.from {
                self.path(compiler, each, wire);
                self.note_all(legacy_id.iter());
            }
            if let Some(body) = &answer.body {
                self.body(compiler, body, wire);
            }
        }
    }

    fn body(&mut self, compiler: &mut Compiler<'c>, body: &'c Body, wire: Wire) {
        match body {
            Body::Shape(name) => self.shape(compiler, name, wire),
            Body::Fields(_, rules) => self.rules(compiler, rules, wire),
        }
    }

    fn shape(&mut self, compiler: &mut Compiler<'c>, name: &Text, wire: Wire) {
        let Some((_, shape)) = compiler.set.shape(name.as_str()) else { return };
        if self.told.insert((shape.name.as_str(), wire)) {
            self.rules(compiler, &shape.fields, wire);
        }
    }

    fn rules(&mut self, compiler: &mut Compiler<'c>, rules: &'c [Rule], wire: Wire) {
        for rule in rules {
            if let Some(legacy) = &rule.legacy {
                self.path(compiler, legacy, wire);
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
                self.shape(compiler, name, wire);
            }
            self.rules(compiler, rule.fields.as_deref().unwrap_or_default(), wire);
            let rows = rule.rows.iter().flat_map(|(_, branches)| branches);
            let branches = rule.one_of.iter().flat_map(|(_, branches, _)| branches);
            for branch in rows.chain(branches) {
                self.branch(compiler, branch, wire);
            }
            if let Some((_, _, Some(ElseBranch::Fields(rules)))) = &rule.one_of {
                self.rules(compiler, rules, wire);
            }
        }
    }

    fn branch(&mut self, compiler: &mut Compiler<'c>, branch: &'c Branch, wire: Wire) {
        self.note_condition(branch.condition.as_ref());
        if let Some(name) = &branch.shape {
            self.shape(compiler, name, wire);
        }
        self.rules(compiler, &branch.fields, wire);
    }

    /// A path of a message; what is no path at all is told where it is compiled.
    fn path(&mut self, compiler: &mut Compiler<'c>, text: &'c Text, wire: Wire) {
        self.note(text.as_str());
        let Ok(path) = FieldPath::parse(text.as_str()) else { return };
        if wire == Wire::Other {
            return;
        }
        if let Some(message) = misfit(&path, wire) {
            let fault = Diagnostic::error(code::XML_NAME, message).at(text.span());
            let hint = "elements stand by their names without prefix, attributes as `@name`, text as `#text`";
            compiler.out.push(fault.hint(hint));
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
