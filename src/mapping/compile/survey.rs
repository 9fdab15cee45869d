//! The check of every rule against every message type that its shape is for.
//!
//! Nothing is made here. A shape is surveyed for each type in its `sonata:` list and wherever operations and other
//! shapes use it; a place that one type lacks is fine as long as another has it.

use super::condition::{OnSide, parts};
use super::form::{Body, Form, Given, Ways, form, ways};
use super::scope::{Found, Parameters, Place, Scope};
use super::{Compiler, steps};
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::program::FailureCode;
use crate::mapping::raw::{self, Branch, ElseBranch, KeySpec, Rule, Shape, Text};
use crate::text::{Diagnostic, Diagnostics, Hint, suggest};

/// What has been surveyed: a shape at a place, for some directions.
pub(super) type Surveyed<'c> = (&'c str, Place, Place, Ways);

/// Where the survey is.
#[derive(Clone)]
pub(super) struct At<'c> {
    pub scope: Scope,
    pub ways: Ways,
    /// Shapes that are being surveyed, outermost first.
    pub shapes: Vec<&'c str>,
}

impl At<'_> {
    /// Outermost rules of a message.
    pub fn message(scope: Scope, ways: Ways) -> Self {
        Self { scope, ways, shapes: Vec::new() }
    }

    fn inside(&self, place: Place, ways: Ways) -> Self {
        Self { scope: self.scope.at(place), ways, shapes: self.shapes.clone() }
    }
}

impl<'c> Compiler<'c> {
    /// Surveys a shape for the types that it names.
    pub(super) fn survey(&mut self, function: &str, shape: &'c Shape) {
        for name in &shape.sonata {
            let Some(ty) = self.schema.root(function, name.as_str()) else {
                self.unknown_type(function, name);
                continue;
            };
            let scope = self.shape_scope(ty, function);
            self.survey_rules(&shape.fields, &At::message(scope, Ways::BOTH).within(&shape.name));
        }
    }

    fn shape_scope(&mut self, ty: crate::mapping::schema::TypeId, function: &str) -> Scope {
        let (query, path) = self.parameters(function);
        Scope { query: Some(query), path: Some(path), ..Scope::message(Some(ty)) }
    }

    /// The parameters of the query and of the path of all operations of a function.
    fn parameters(&mut self, function: &str) -> Parameters {
        if let Some(known) = self.known.parameters.get(function) {
            return known.clone();
        }
        let (mut query, mut path) = (Vec::new(), Vec::new());
        for operation in self.schema.operations(function) {
            if let Some(facts) = self.schema.operation(function, &operation) {
                query.extend(facts.query.into_iter().zip(facts.query_types));
                path.extend(facts.path.into_iter().map(|name| (name, None)));
            }
        }
        let parameters: Parameters = (query.into(), path.into());
        self.known.parameters.insert(function.to_owned(), parameters.clone());
        parameters
    }

    fn unknown_type(&mut self, function: &str, name: &Text) {
        let names = self.schema.type_names(function);
        let near = suggest(name.as_str(), names.iter().map(String::as_str));
        let message = match function {
            "" => format!("`{name}` is a message type of some function, and this file names none"),
            function => format!("{function} has no message type `{name}`"),
        };
        let hint = match (near, function) {
            (Some(near), _) => Some(Hint::meant(near)),
            (None, "") => Some(
                "begin the file with `function: quote`, or the like; shapes for several functions leave `sonata:` out"
                    .into(),
            ),
            (None, _) => None,
        };
        self.out.push(Diagnostic::error(code::UNKNOWN_TYPE, message).at(name.span()).maybe_hint(hint));
    }

    /// A shape by name; one that is not there, or contains itself, is told.
    pub(super) fn shape(&mut self, name: &Text, open: &[&'c str]) -> Option<&'c Shape> {
        let Some((_, shape)) = self.set.shape(name.as_str()) else {
            let near = suggest(name.as_str(), self.set.shapes.iter().map(|(_, shape)| shape.name.as_str()));
            let hint = near.map(Hint::meant);
            let fault = Diagnostic::error(code::UNKNOWN_SHAPE, format!("there is no shape `{name}`"));
            self.out.push(fault.at(name.span()).maybe_hint(hint));
            return None;
        };
        if open.contains(&shape.name.as_str()) {
            let chain = open.iter().skip_while(|open| **open != shape.name.as_str());
            let chain: Vec<_> = chain.map(|name| format!("`{name}`")).collect();
            let message = format!("{} would contain itself", chain.join(" in "));
            self.out.push(Diagnostic::error(code::RECURSION, message).at(name.span()));
            return None;
        }
        self.shapes_used.insert(shape.name.as_str());
        Some(shape)
    }

    pub(super) fn survey_rules(&mut self, rules: &'c [Rule], at: &At<'c>) {
        let stated = rules.iter().find_map(|rule| {
            let ty = rule.sonata.as_ref().is_some_and(|path| path.as_str() == "@type");
            rule.value.as_ref().filter(|_| ty)?.as_text()
        });
        self.check_copies(rules);
        let mut at = at.clone();
        if let Some(stated) = stated {
            // The rules themselves say which derived type they write.
            let place = at.scope.here.clone().knowing(vec!["@type".to_owned()], stated.to_owned());
            at = at.inside(place, at.ways);
        }
        for rule in rules {
            self.survey_rule(rule, &at);
        }
    }

    fn survey_rule(&mut self, rule: &'c Rule, at: &At<'c>) {
        if self.keeps(rule) {
            return;
        }
        let mut told = Diagnostics::new();
        let form = form(rule, &mut told);
        for fault in &told {
            let lacks_side = fault.code == code::NO_SOURCE || fault.code == code::NO_SIDE;
            let hint = if lacks_side { self.usual_place(rule) } else { None };
            self.out.push(fault.clone().maybe_hint(hint));
        }
        let Some(form) = form else { return };
        let ways = ways(rule, &form, at.ways, self.side);
        let runs = ways.to_legacy || ways.to_sonata;
        let idle = (!runs).then(|| {
            let fault = Diagnostic::warning(code::NEVER_RUNS, "this rule never runs");
            let span = rule.only.map_or(rule.span, |(_, span)| span);
            let hint = Hint::from("the rule or a group around it allows neither direction");
            let clause = rule.only.map(|(_, value)| rule.key_span("only").to(value));
            (0, fault.at(span).hint(clause.map_or(hint.clone(), |clause| hint.removing(clause))))
        });
        // A shape may be used by a request here and an answer there: told only where no use runs the rule.
        self.sighted((rule.span, "runs".into()), idle);
        if !runs {
            return;
        }
        let here = At { ways, ..at.clone() };
        match form {
            Form::Drop => {
                if let Some(place) = &rule.sonata {
                    let _ = self.sonata_place(place, &here.scope);
                }
            }
            Form::Pair { sonata, legacy } => self.survey_pair(rule, sonata, legacy, &here),
            Form::Given { on_sonata, target, source } => {
                self.survey_given(rule, on_sonata, target, source, &here);
            }
            Form::Group { sonata, legacy, body } => self.survey_group(rule, sonata, legacy, body, &here),
            Form::OneOf { branches, otherwise } => {
                self.survey_condition(rule.condition.as_ref(), &here);
                self.survey_branches(branches, true, &here);
                match otherwise {
                    Some(ElseBranch::Fields(rules)) => self.survey_rules(rules, &here),
                    Some(ElseBranch::Refuse(refuse)) => self.survey_refuse(refuse, &here),
                    None => {}
                }
            }
        }
    }

    /// The place of a Sonata path; a place that this message lacks is noted.
    pub(super) fn sonata_place(&mut self, text: &Text, scope: &Scope) -> Option<Place> {
        let path = self.path(text)?;
        let mut unchecked = Vec::new();
        let found = scope.resolve(self.schema, &path, &mut unchecked);
        for product in unchecked {
            let message = format!("no schema is known of the product `{product}`: this is not checked");
            let fault = || Diagnostic::warning(code::UNKNOWN_PRODUCT, message).at(text.span());
            self.tell_unchecked(&product, fault);
        }
        match found {
            Found::Place(place, _) => {
                self.sighted((text.span(), "".into()), None);
                Some(place)
            }
            Found::Missing(missing) => {
                let at = steps::span_of_missing(text, &missing);
                let fault = Diagnostic::error(code::NO_SUCH_PLACE, missing.message);
                let fault = fault.at(at).maybe_hint(missing.hint);
                self.sighted((text.span(), "".into()), Some((missing.step, fault)));
                None
            }
        }
    }

    fn survey_group(&mut self, rule: &'c Rule, sonata: &Text, legacy: &Text, body: Body<'c>, at: &At<'c>) {
        let (place, path) = (self.sonata_place(sonata, &at.scope), self.path(legacy));
        let Some(place) = place else { return };
        self.survey_arrays(rule, sonata, legacy);
        let inner = at.inside(place, at.ways);
        self.survey_condition(rule.condition.as_ref(), &inner);
        let narrowed = self.narrowed(rule.condition.as_ref(), &inner.scope.here);
        let inner = inner.inside(narrowed, at.ways);
        if let Some(key) = &rule.key {
            self.survey_key(key, &inner);
        }
        if let (Some((span, pairs)), Some(_)) = (&rule.join, path) {
            for (element, scope) in pairs {
                let _ = (self.path(element), self.path(scope));
            }
            if pairs.is_empty() {
                let fault = Diagnostic::error(code::FORM, "`join` names no member").at(*span);
                self.out.push(
                    fault.hint("write `join: { lineNo: lineNo }`: member of the row, member of the scope"),
                );
            }
        }
        for text in &rule.row_key {
            let _ = self.sonata_place(text, &inner.scope);
        }
        match body {
            Body::Fields(rules) => self.survey_rules(rules, &inner),
            Body::Rows(branches) => self.survey_branches(branches, false, &inner),
            Body::Shape(name) => self.survey_shape(name, &inner),
        }
    }

    /// A shape in the scope of another rule.
    pub(super) fn survey_shape(&mut self, name: &Text, at: &At<'c>) {
        let Some(shape) = self.shape(name, &at.shapes) else { return };
        let key = (shape.name.as_str(), at.scope.here.clone(), at.scope.root.clone(), at.ways);
        if self.surveyed.insert(key) {
            self.survey_rules(&shape.fields, &at.clone().within(&shape.name));
        }
    }

    /// Whether the elements of both sides can meet.
    fn survey_arrays(&mut self, rule: &Rule, sonata: &Text, legacy: &Text) {
        let every = |text: &Text| super::form::every(Some(text));
        let (on_sonata, on_legacy) = (every(sonata), every(legacy));
        let (fits, hint) = if rule.join.is_some() {
            (on_sonata || on_legacy, "`join` takes elements of an array: end its path in `[*]`")
        } else if rule.rows.is_some() {
            (on_sonata && on_legacy, "rows are elements on both sides: end both paths in `[*]`")
        } else if rule.take_first.is_some() {
            (on_sonata != on_legacy, "`take: first` takes one of the elements of a path that ends in `[*]`")
        } else {
            (on_sonata == on_legacy, "end both paths in `[*]`, or add `take: first`, or `join:`")
        };
        if !fits {
            let at = if on_sonata { sonata } else { legacy };
            let fault = Diagnostic::error(code::ELEMENTS, "nothing says which element meets the other side");
            self.out.push(fault.at(at.span()).hint(hint));
        }
    }

    fn survey_key(&mut self, key: &KeySpec, inner: &At<'_>) {
        let _ = self.sonata_place(&key.sonata, &inner.scope);
        let _ = self.path(&key.legacy);
    }

    fn survey_branches(&mut self, branches: &'c [Branch], exclusive: bool, at: &At<'c>) {
        // Rows exclude each other where both sides say the same.
        self.check_reached(branches, if exclusive { at.ways } else { Ways::BOTH });
        for branch in branches {
            if branch.condition.is_none() && exclusive {
                let fault = Diagnostic::error(code::FORM, "this branch has no `if`").at(branch.span);
                self.out.push(fault.hint("say when it applies, or make it the `else`"));
            }
            if !self.survey_condition(branch.condition.as_ref(), at) {
                continue;
            }
            let narrowed = self.narrowed(branch.condition.as_ref(), &at.scope.here);
            let inner = at.inside(narrowed, at.ways);
            self.survey_rules(&branch.fields, &inner);
            if let Some(shape) = &branch.shape {
                self.survey_shape(shape, &inner);
            }
        }
    }

    fn survey_refuse(&mut self, refuse: &raw::Refuse, at: &At<'c>) {
        self.failure_code(&refuse.code);
        if let Some(text) = &refuse.at {
            let _ = self.sonata_place(text, &at.scope);
        }
    }

    /// The problem code of a word; one that the standard does not have is told.
    pub(super) fn failure_code(&mut self, word: &Text) -> Option<FailureCode> {
        let found = FailureCode::parse(word.as_str());
        if found.is_none() {
            let near = suggest(word.as_str(), FailureCode::ALL.iter().map(|code| code.as_str()));
            let all = || FailureCode::ALL.map(FailureCode::as_str).join(", ");
            let hint = near.map_or_else(|| format!("one of: {}", all()).into(), Hint::meant);
            let fault = Diagnostic::error(code::PROBLEM_CODE, format!("there is no problem code `{word}`"));
            self.out.push(fault.at(word.span()).hint(hint));
        }
        found
    }

    /// Checks a condition of a rule or branch; false where this message can never meet it.
    pub(super) fn survey_condition(&mut self, condition: Option<&'c raw::Condition>, at: &At<'c>) -> bool {
        let Some(condition) = condition else { return true };
        self.survey_sides(condition, at.ways);
        let read = if at.ways.to_legacy { OnSide::Sonata } else { OnSide::Legacy };
        let sonata = parts(condition, OnSide::Sonata, read);
        for name in sonata.products {
            let known = self.product(name);
            let missing = self.configuration(&at.scope.here).is_none().then(|| {
                let fault = Diagnostic::error(code::NO_PRODUCT_HERE, "there is no product at this place");
                (0, fault.at(name.span()).hint("test the product in the group of the item that has it"))
            });
            let lacks = missing.is_some();
            self.sighted((name.span(), "product".into()), missing);
            if lacks {
                return false;
            }
            self.unchecked_product(name, known.as_ref());
        }
        if let Some(text) = sonata.text
            && let Some(parsed) = self.condition_text(text)
        {
            self.check_reads(text, &parsed.reads(), &at.scope);
            self.check_compared(text, &parsed, &at.scope);
        }
        if let Some(text) = parts(condition, OnSide::Legacy, read).text {
            let _ = self.condition_text(text);
        }
        true
    }

    /// Tells which products of the set have no schema, where one with a near name has.
    pub(super) fn check_products(&mut self) {
        let set = self.set;
        for ty in set.set.products.iter().flat_map(|product| &product.types) {
            if self.schema.product(ty.as_str()).is_some() {
                continue;
            }
            let known = self.schema.product_types();
            let Some(near) = suggest(ty.as_str(), known.iter().map(String::as_str)) else { continue };
            self.known.named.insert(ty.as_str().to_owned());
            let message = format!("no schema is known of the product `{ty}`: its attributes are not checked");
            let fault = Diagnostic::warning(code::UNKNOWN_PRODUCT, message).at(ty.span());
            self.out.push(fault.hint(Hint::meant(near)));
        }
    }

    fn unchecked_product(&mut self, name: &Text, product: Option<&super::Product>) {
        let Some(first) = product.and_then(|product| product.types.first()) else { return };
        if self.schema.product(first).is_none() {
            let message =
                format!("no schema is known of the product `{name}`: its attributes are not checked");
            let fault = || Diagnostic::warning(code::UNKNOWN_PRODUCT, message).at(name.span());
            self.tell_unchecked(first, fault);
        }
    }

    /// A rule used both ways needs a condition for each side.
    fn survey_sides(&mut self, condition: &raw::Condition, ways: Ways) {
        if !ways.both() {
            return;
        }
        let (said, other) = match condition {
            raw::Condition::Read(_) => ("no side", "sonata: …, legacy"),
            raw::Condition::Sides { products, sonata, legacy, .. } => {
                match (products.is_empty() && sonata.is_none(), legacy.is_none()) {
                    (false, false) => return,
                    (true, true) => ("neither side", "sonata: …, legacy"),
                    (false, true) => ("the Sonata side only", "legacy"),
                    (true, false) => ("the legacy side only", "sonata"),
                }
            }
        };
        let message = format!("this rule is used both ways, and its condition names {said}");
        let hint =
            format!("add `{other}: …` inside `if: {{ }}`, or `only: request` or `only: answer` to the rule");
        self.out.push(Diagnostic::error(code::ONE_SIDED_IF, message).at(condition.span()).hint(hint));
    }

    fn survey_given(
        &mut self,
        rule: &'c Rule,
        on_sonata: bool,
        target: &Text,
        source: Given<'c>,
        at: &At<'c>,
    ) {
        let place = if on_sonata {
            let Some(place) = self.sonata_place(target, &at.scope) else { return };
            Some(place)
        } else {
            let _ = self.path(target);
            None
        };
        self.survey_condition(rule.condition.as_ref(), at);
        match source {
            Given::Value(node) => self.check_constant(node, place.as_ref()),
            Given::Query(text) => self.check_query(text, (!on_sonata).then_some(&at.scope)),
            Given::Script => {
                let direction = if on_sonata { Direction::ToSonata } else { Direction::ToLegacy };
                self.check_script(rule, direction, false, &at.scope);
            }
        }
        self.check_defaults(rule, place.as_ref());
    }

    fn survey_pair(&mut self, rule: &'c Rule, sonata: &Text, legacy: &Text, at: &At<'c>) {
        let (place, legacy_path) = (self.sonata_place(sonata, &at.scope), self.path(legacy));
        if let Some(path) = &legacy_path {
            self.check_address(legacy, path);
        }
        let Some(place) = place else { return };
        self.survey_condition(rule.condition.as_ref(), at);
        let every = |text: &Text| super::form::every(Some(text));
        if every(sonata) != every(legacy) && rule.convert.is_none() && rule.script.is_none() {
            let fault = Diagnostic::error(code::ELEMENTS, "one side is an array, the other is not");
            let span = if every(sonata) { sonata.span() } else { legacy.span() };
            self.out.push(
                fault.at(span).hint("say how they meet: `convert: one`, `convert: first`, or the like"),
            );
        }
        let whole = every(sonata) && !every(legacy);
        let typed = (!whole && legacy_path.is_some()).then_some(&place);
        self.check_codes(rule, typed, at.ways);
        self.check_convert(rule, typed, at.ways);
        self.check_pair_script(rule, at);
        self.check_defaults(rule, typed);
    }
}

impl<'c> At<'c> {
    /// Inside a shape.
    pub fn within(mut self, name: &'c Text) -> Self {
        self.shapes.push(name.as_str());
        self
    }
}
