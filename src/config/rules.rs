//! `rules` and `agreed` of a partner: how strict we are about single paragraphs of the guides, and what was agreed on
//! that they ask for.

use std::collections::BTreeMap;

use super::{Releases, code};
use crate::{
    sonata::rules::{Agreed, Level, Rule, all, find},
    text::{
        Diagnostic, Diagnostics, Hint, Span, Spanned, suggest,
        yaml::{Fields, Node, Value, choice_of, text_of},
    },
};

/// What `policy: { on_demand: true }` asks for.
const ON_DEMAND: [&str; 2] = ["115:grace:onDemand.level", "115:grace:onDemand.feasibility"];

/// Rules of one partner.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Levels that are not a rule's default, by the rule's id.
    pub levels: BTreeMap<&'static str, Level>,
    /// What was agreed on.
    pub agreed: Agreed,
    /// The product types in it, with their place: whether they exist is for the `plan` to say.
    pub types: Vec<Spanned<String>>,
}

impl Rules {
    /// What holds of a rule.
    #[must_use]
    pub fn level(&self, rule: &Rule) -> Level {
        self.levels.get(rule.id).copied().unwrap_or(rule.default)
    }

    pub(super) fn read(
        fields: &mut Fields<'_>,
        releases: Option<&Releases>,
        on_demand: bool,
        out: &mut Diagnostics,
    ) -> Self {
        let mut rules = Self::default();
        if on_demand {
            rules.levels.extend(ON_DEMAND.map(|id| (id, Level::Reject)));
        }
        for entry in fields.mapping("rules", out).unwrap_or_default() {
            let level = choice_of(&entry.value, &entry.key, &Level::WORDS, out);
            let Some(rule) = named(&entry.key, entry.key_span, releases, out) else { continue };
            rules.levels.extend(level.map(|level| (rule.id, level)));
        }
        rules.agree(fields.take("agreed"), out);
        rules
    }

    fn agree(&mut self, node: Option<&Node>, out: &mut Diagnostics) {
        let mut fields = Fields::section(node, "`agreed`", out);
        self.agreed.spatial_references = texts(&mut fields, "spatial_references", out);
        self.agreed.postcode_countries = texts(&mut fields, "postcode_countries", out);
        for entry in fields.mapping("offering_types", out).unwrap_or_default() {
            let mut types = Vec::new();
            let nodes = match &entry.value.value {
                Value::Sequence(nodes) => nodes.as_slice(),
                _ => std::slice::from_ref(&entry.value),
            };
            for node in nodes {
                let Some(scalar) = text_of(node, &entry.key, out) else { continue };
                self.types.push(Spanned::new(scalar.text.clone(), scalar.span()));
                types.push(scalar.text.clone());
            }
            self.agreed.offering_types.push((entry.key.clone(), types));
        }
        fields.finish(out);
    }
}

fn texts(fields: &mut Fields<'_>, key: &'static str, out: &mut Diagnostics) -> Vec<String> {
    let nodes = fields.sequence(key, true, out).unwrap_or_default();
    nodes.iter().filter_map(|node| text_of(node, key, out)).map(|scalar| scalar.text.clone()).collect()
}

/// The rule of an id, if the settings decide over it.
fn named(id: &str, span: Span, releases: Option<&Releases>, out: &mut Diagnostics) -> Option<&'static Rule> {
    let Some(rule) = find(id) else {
        let near = suggest(id, all().iter().filter(|rule| rule.is_checked()).map(|rule| rule.id));
        let hint = near.map_or_else(|| "`segue rules` lists them".into(), Hint::meant);
        out.push(Diagnostic::error(code::UNKNOWN_NAME, format!("`{id}` is no rule")).at(span).hint(hint));
        return None;
    };
    let mut wrong = |message: String| {
        let fault = Diagnostic::error(code::BAD_RULE, message).at(span);
        out.push(fault.hint("remove it; `segue rules` tells what can be set"));
    };
    if let Some((part, _)) = rule.kept_by() {
        wrong(format!("`{id}` always holds: it is kept by {part}"));
        return None;
    }
    if let Some(why) = rule.not_checked() {
        wrong(format!("`{id}` is not checked: {why}"));
        return None;
    }
    let spoken = |releases: &Releases| {
        let mut functions = rule.functions.iter();
        functions.any(|function| rule.is_of(*function, releases.of(*function)))
    };
    if let (Some(releases), Some(function)) =
        (releases.filter(|releases| !spoken(releases)), rule.functions.first())
    {
        let (own, other) = (rule.release(), releases.of(*function));
        wrong(format!("`{id}` is of release {own}, and {function} of this partner speaks {other}"));
        return None;
    }
    Some(rule)
}
