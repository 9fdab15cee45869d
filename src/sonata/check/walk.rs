//! The walk itself.

use super::{Checked, Options, ProductFaults, UnknownMembers, alternatives, format, unique};
use crate::{
    json::{self, Document, Node, NodeId, number},
    sonata::{
        Fault, FaultCode, ProductSchema, TypeId, Types,
        facts::Range,
        fault::bounded,
        types::{ArrayRules, Choice, Kind, NumberRules, ObjectRules, TextRules, Type},
    },
};

/// Characters of a sender's value that a reason may hold.
const EXCERPT_CHARS_MAX: usize = 40;
/// Characters of a member's name in a reason; the standard's longest has 60.
const NAME_CHARS_MAX: usize = 64;
/// Names that a reason lists.
const LIST_MAX: usize = 8;

/// Checks a value against a type.
pub(super) fn run(node: Node<'_>, types: &Types, ty: TypeId, options: &Options<'_>) -> Checked {
    let mut walk = Walk::new(options);
    walk.value(node, types, ty);
    walk.finish(node)
}

/// Checks a configuration against its product's schema.
pub(super) fn run_product(node: Node<'_>, product: &ProductSchema, options: &Options<'_>) -> Checked {
    let mut walk = Walk::new(options);
    walk.named_product(node, product, "@type", None);
    walk.finish(node)
}

/// What is wrong, before it becomes text.
pub(super) struct Finding {
    pub node: NodeId,
    /// Member of the node that the finding is about, if it is not there.
    pub missing: Option<Box<str>>,
    pub code: FaultCode,
    pub reason: String,
}

/// State of one walk. Alternatives are tried with a walk of their own.
pub(super) struct Walk<'o> {
    pub options: &'o Options<'o>,
    pub findings: Vec<Finding>,
    pub unknown: Vec<NodeId>,
    /// Findings in products, where they are only told.
    told: Vec<Finding>,
    /// Findings beyond the limit.
    pub more: bool,
    /// Product configurations in which nothing was found.
    products: Vec<NodeId>,
    /// How many product configurations were met.
    met: usize,
    /// Whether only the question is asked, not what is wrong: the first fault ends the walk, and is not written down.
    asks_only: bool,
    /// The answer to that question: something is wrong.
    failed: bool,
}

/// Names that are known besides the type's own: those of the type that chose it.
#[derive(Clone, Copy)]
struct Around<'r> {
    choice_member: Option<&'r str>,
    base: Option<&'r ObjectRules>,
}

impl<'o> Walk<'o> {
    pub(super) fn new(options: &'o Options<'o>) -> Self {
        Self {
            options,
            findings: Vec::new(),
            unknown: Vec::new(),
            told: Vec::new(),
            more: false,
            products: Vec::new(),
            met: 0,
            asks_only: false,
            failed: false,
        }
    }

    /// Whether a value is of a type, and then which members of it no type describes.
    pub(super) fn ask(
        options: &'o Options<'o>,
        node: Node<'_>,
        types: &Types,
        id: TypeId,
    ) -> Option<Vec<NodeId>> {
        let mut walk = Self { asks_only: true, ..Self::new(options) };
        walk.value(node, types, id);
        (!walk.failed).then_some(walk.unknown)
    }

    /// Whether only the question is asked whether anything is wrong.
    pub(super) fn asks_only(&self) -> bool {
        self.asks_only
    }

    fn finish(mut self, node: Node<'_>) -> Checked {
        let document = node.document();
        // One unknown member may be met twice where two types hold of one object.
        self.unknown.sort_unstable();
        self.unknown.dedup();
        if self.options.unknown_members == UnknownMembers::Reject {
            for id in std::mem::take(&mut self.unknown) {
                let name = document.node(id).name().unwrap_or_default();
                let name = bounded(&name, EXCERPT_CHARS_MAX);
                self.find(document.node(id), FaultCode::UnexpectedProperty, || {
                    format!("{name} is not known here")
                });
                self.unknown.push(id);
            }
        }
        let faults = told(document, self.findings);
        let product_findings = told(document, self.told);
        Checked { faults, unknown: self.unknown, product_findings, more: self.more, products: self.products }
    }

    #[cold]
    fn find(&mut self, node: Node<'_>, code: FaultCode, reason: impl FnOnce() -> String) {
        self.add(node, None, code, reason);
    }

    #[cold]
    #[inline(never)]
    pub(super) fn add(
        &mut self,
        node: Node<'_>,
        missing: Option<&str>,
        code: FaultCode,
        reason: impl FnOnce() -> String,
    ) {
        if self.asks_only {
            self.failed = true;
            return;
        }
        if self.findings.len() >= self.options.faults_max.max(1) {
            self.more = true;
            return;
        }
        let missing = missing.map(Into::into);
        self.findings.push(Finding { node: node.id(), missing, code, reason: reason() });
    }

    /// Everything that a type says of a value.
    #[inline]
    pub(super) fn value(&mut self, node: Node<'_>, types: &Types, id: TypeId) {
        let type_ = types.get(id);
        if type_.is_simple {
            return self.simple(node, type_);
        }
        self.value_around(node, types, id, Around { choice_member: None, base: None });
    }

    /// What a type says of a value that has no parts.
    #[inline(never)]
    fn simple(&mut self, node: Node<'_>, type_: &Type) {
        if self.failed || !self.kind(node, type_) {
            return;
        }
        if let Some(rules) = &type_.text {
            self.text(node, rules);
        }
        if let Some(rules) = &type_.number {
            self.number(node, rules);
        }
    }

    fn value_around(&mut self, node: Node<'_>, types: &Types, id: TypeId, around: Around<'_>) {
        let type_ = types.get(id);
        if self.failed || !self.kind(node, type_) {
            return;
        }
        match node.kind() {
            json::Kind::Object => {
                if let Some(rules) = &type_.object {
                    self.object(node, types, type_, rules, around);
                }
            }
            json::Kind::Array => {
                if let Some(rules) = &type_.array {
                    self.array(node, types, rules);
                }
            }
            json::Kind::String => {
                if let Some(rules) = &type_.text {
                    self.text(node, rules);
                }
            }
            json::Kind::Number => {
                if let Some(rules) = &type_.number {
                    self.number(node, rules);
                }
            }
            json::Kind::Null | json::Kind::Bool => {}
        }
        self.all_of(node, types, &type_.all_of, around);
        for group in &type_.one_of {
            let describes = type_.object.as_ref().is_some_and(|rules| !rules.members.is_empty());
            alternatives::check(self, node, types, group, !describes);
        }
    }

    /// What several types say of one value. A member is unknown only if none of them describes it.
    fn all_of(&mut self, node: Node<'_>, types: &Types, others: &[TypeId], around: Around<'_>) {
        match others {
            [] => return,
            [only] => return self.value_around(node, types, *only, around),
            _ => {}
        }
        let mut unknown: Option<Vec<NodeId>> = None;
        for other in others {
            let mut walk = Self { asks_only: self.asks_only, ..Self::new(self.options) };
            walk.value_around(node, types, *other, around);
            self.failed |= walk.failed;
            self.take(walk.findings, walk.more);
            unknown = Some(match unknown {
                Some(others) => others.into_iter().filter(|id| walk.unknown.contains(id)).collect(),
                None => walk.unknown,
            });
        }
        self.unknown.extend(unknown.into_iter().flatten());
    }

    /// Takes over what another walk over part of the message found.
    pub(super) fn take(&mut self, findings: Vec<Finding>, more: bool) {
        let room = self.options.faults_max.max(1).saturating_sub(self.findings.len());
        self.more |= more || findings.len() > room;
        self.findings.extend(findings.into_iter().take(room));
    }

    #[inline]
    fn kind(&mut self, node: Node<'_>, type_: &Type) -> bool {
        let holds = type_.kinds.has(node.kind())
            && (type_.kind != Kind::Integer || node.number().is_some_and(number::is_integer));
        if !holds {
            self.wrong_kind(node, type_.kind);
        }
        holds
    }

    #[cold]
    fn wrong_kind(&mut self, node: Node<'_>, kind: Kind) {
        self.find(node, FaultCode::InvalidValue, || {
            let found = match node.kind() {
                json::Kind::Number => bounded(node.raw(), EXCERPT_CHARS_MAX),
                json::Kind::Null => "null".to_owned(),
                other => with_article(other.name()),
            };
            format!("{} must be {}, not {found}", label(node), with_article(kind.name()))
        });
    }

    fn text(&mut self, node: Node<'_>, rules: &TextRules) {
        let Some(text) = node.as_str() else { return };
        if !rules.values.is_empty() && !rules.values.iter().any(|value| **value == *text) {
            self.find(node, FaultCode::InvalidValue, || {
                let known = rules.values.iter().map(AsRef::as_ref);
                format!("{} is {}, not one of {}", label(node), excerpt(&text), some_of(known))
            });
        }
        if let Some(format) = rules.format.filter(|format| !format::holds(*format, &text)) {
            self.find(node, FaultCode::InvalidFormat, || {
                format!("{} is {}, no {}", label(node), excerpt(&text), format.name())
            });
        }
        if rules.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&text)) {
            self.find(node, FaultCode::InvalidFormat, || {
                format!("{} is {}, not of the required pattern", label(node), excerpt(&text))
            });
        }
        // Between a byte and four bytes stand for a character: mostly that is enough to know.
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let (least, most) = (rules.length.min.unwrap_or(0), rules.length.max.unwrap_or(u32::MAX));
        if bytes.div_ceil(4) < least || bytes > most {
            let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            if length < least || length > most {
                self.find(node, FaultCode::InvalidValue, || {
                    format!("{} has {length} characters, must have {}", label(node), between(rules.length))
                });
            }
        }
    }

    fn number(&mut self, node: Node<'_>, rules: &NumberRules) {
        let Some(own) = node.number() else { return };
        let exact = number::Exact::of(own);
        let is_low = rules.min.as_ref().is_some_and(|min| exact.compare(min).is_lt());
        let is_high = rules.max.as_ref().is_some_and(|max| exact.compare(max).is_gt());
        if is_low || is_high {
            let (word, bound) = if is_low { ("at least", &rules.min) } else { ("at most", &rules.max) };
            self.find(node, FaultCode::InvalidValue, || {
                let own = bounded(own, EXCERPT_CHARS_MAX);
                format!(
                    "{} is {own}, must be {word} {}",
                    label(node),
                    bound.as_ref().map_or("", |bound| bound.text())
                )
            });
        }
    }

    fn array(&mut self, node: Node<'_>, types: &Types, rules: &ArrayRules) {
        let length = u32::try_from(node.len()).unwrap_or(u32::MAX);
        let (least, most) = (rules.size.min.unwrap_or(0), rules.size.max.unwrap_or(u32::MAX));
        if length < least || length > most {
            let code = if length == 0 { FaultCode::MissingProperty } else { FaultCode::InvalidValue };
            self.find(node, code, || {
                format!("{} has {length} elements, must have {}", label(node), between(rules.size))
            });
        }
        if rules.unique && !unique::holds(node) {
            self.find(node, FaultCode::InvalidValue, || format!("{} has equal elements", label(node)));
        }
        for element in node.elements() {
            self.value(element, types, rules.item);
        }
    }

    fn object(
        &mut self,
        node: Node<'_>,
        types: &Types,
        type_: &Type,
        rules: &ObjectRules,
        around: Around<'_>,
    ) {
        let chosen = rules.choice.as_ref().is_some_and(|choice| self.choose(node, types, rules, choice));
        if chosen {
            return;
        }
        let required = self.members(node, types, rules, &|name| is_known(name, types, type_, around));
        if required < rules.required_count {
            for member in rules.members.iter().filter(|member| member.required) {
                if node.get(&member.name).is_none() {
                    let name = &member.name;
                    self.add(node, Some(name), FaultCode::MissingProperty, || format!("{name} is required"));
                }
            }
        }
        if rules.members_min as usize > node.len() {
            self.find(node, FaultCode::MissingProperty, || {
                format!("{} must have at least {} members", label(node), rules.members_min)
            });
        }
    }

    /// Checks the members that are there; how many of the required ones that are.
    #[inline(never)]
    fn members(
        &mut self,
        node: Node<'_>,
        types: &Types,
        rules: &ObjectRules,
        is_known: &dyn Fn(&str) -> bool,
    ) -> u32 {
        let mut required = 0;
        for value in node.values() {
            let member = match value.plain_name() {
                Some(name) => rules.member_of(name),
                None => rules.member(&value.name().unwrap_or_default()),
            };
            let Some(member) = member else {
                if !is_known(&value.name().unwrap_or_default()) {
                    self.unknown.push(value.id());
                }
                continue;
            };
            required += u32::from(member.required);
            self.value(value, types, member.value);
        }
        required
    }

    /// Follows a choice; false if there is none to follow, so that the base alone holds.
    fn choose(&mut self, node: Node<'_>, types: &Types, base: &ObjectRules, choice: &Choice) -> bool {
        let (Choice::Cases(member, _) | Choice::Product(member)) = choice;
        let chosen = node.get(member).and_then(|chosen| Some((chosen, chosen.as_str()?)));
        let Some((chosen, text)) = chosen else {
            // Without a text there is no choice. Where there must be one, the base says so, and which of the
            // other members are known cannot be said.
            let must_choose = base.member(member).is_some_and(|member| member.required);
            if must_choose {
                self.base_only(node, types, base);
            }
            return must_choose;
        };
        match choice {
            Choice::Cases(_, cases) => {
                if let Some((_, derived)) = cases.iter().find(|(value, _)| **value == *text) {
                    let around = Around { choice_member: Some(member), base: Some(base) };
                    self.value_around(node, types, *derived, around);
                    return true;
                }
                self.find(chosen, FaultCode::InvalidValue, || {
                    let known = cases.iter().map(|(value, _)| value.as_ref());
                    format!("{member} is {}, not one of {}", excerpt(&text), some_of(known))
                });
                // Members of which type is not known are not unknown: only what the base says can be checked.
                self.base_only(node, types, base);
                true
            }
            Choice::Product(_) => {
                self.base_only(node, types, base);
                let accepted = self.options.accepted.get(self.met);
                self.met += 1;
                if accepted.is_some_and(|accepted| accepted.raw() == node.raw()) {
                    return true;
                }
                match self.options.products.resolve(&text) {
                    Some(product) if self.options.product_faults == ProductFaults::Tell => {
                        let mut walk = Self::new(self.options);
                        walk.named_product(node, &product, member, Some(base));
                        let room = self.options.faults_max.saturating_sub(self.told.len());
                        self.told.extend(walk.findings.into_iter().take(room));
                        self.unknown.extend(walk.unknown);
                    }
                    Some(product) => {
                        let before = (self.findings.len(), self.unknown.len());
                        self.named_product(node, &product, member, Some(base));
                        if (self.findings.len(), self.unknown.len()) == before && !self.more && !self.failed {
                            self.products.push(node.id());
                        }
                    }
                    None => self.find(chosen, FaultCode::InvalidValue, || {
                        format!("{member} is {}, which is no known product", excerpt(&text))
                    }),
                }
                true
            }
        }
    }

    fn base_only(&mut self, node: Node<'_>, types: &Types, base: &ObjectRules) {
        for member in &base.members {
            match node.get(&member.name) {
                Some(value) => self.value(value, types, member.value),
                None if member.required => {
                    let name = &member.name;
                    self.add(node, Some(name), FaultCode::MissingProperty, || format!("{name} is required"));
                }
                None => {}
            }
        }
    }

    fn named_product(
        &mut self,
        node: Node<'_>,
        product: &ProductSchema,
        member: &str,
        base: Option<&ObjectRules>,
    ) {
        let around = Around { choice_member: Some(member), base };
        self.value_around(node, product.types(), product.root(), around);
    }
}

/// Findings as faults, in document order.
fn told(document: &Document, mut findings: Vec<Finding>) -> Vec<Fault> {
    findings.sort_by_key(|finding| finding.node);
    let fault = |finding: Finding| {
        let mut pointer = document.node(finding.node).pointer();
        if let Some(name) = &finding.missing {
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        }
        Fault::new(finding.code, pointer, &finding.reason)
    };
    findings.into_iter().map(fault).collect()
}

/// Whether a member that the type's own rules do not have is described elsewhere.
fn is_known(name: &str, types: &Types, type_: &Type, around: Around<'_>) -> bool {
    let in_base = || around.base.is_some_and(|base| base.member(name).is_some());
    // An object of which nothing is said may hold anything.
    let is_open = || type_.object.as_ref().is_none_or(|rules| rules.members.is_empty());
    around.choice_member == Some(name)
        || in_base()
        || is_open()
        || type_.one_of.iter().flatten().chain(&type_.all_of).any(|id| describes(types, *id, name, 0))
}

/// Whether a type, or what holds with it, has such a member.
pub(super) fn describes(types: &Types, id: TypeId, name: &str, depth: usize) -> bool {
    let type_ = types.get(id);
    type_.object.as_ref().is_some_and(|rules| rules.member(name).is_some())
        || (depth < 8
            && type_
                .one_of
                .iter()
                .flatten()
                .chain(&type_.all_of)
                .any(|id| describes(types, *id, name, depth + 1)))
}

/// What a reason calls a value: the member it stands under.
fn label(node: Node<'_>) -> String {
    match node.name() {
        Some(name) => bounded(&name, NAME_CHARS_MAX),
        None if node.id() == NodeId::ROOT => "the body".to_owned(),
        None => "the element".to_owned(),
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

fn between(range: Range) -> String {
    match (range.min.unwrap_or(0), range.max) {
        (least, None) => format!("at least {least}"),
        (least, Some(most)) if least == most => format!("exactly {least}"),
        (0, Some(most)) => format!("at most {most}"),
        (least, Some(most)) => format!("{least} to {most}"),
    }
}

fn excerpt(text: &str) -> String {
    format!("\"{}\"", bounded(text, EXCERPT_CHARS_MAX))
}

/// The first of some names, and whether there are more.
pub(super) fn some_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut text = String::new();
    for (index, name) in names.enumerate() {
        if index == LIST_MAX {
            text.push_str(", …");
            break;
        }
        text.push_str(if index == 0 { "" } else { ", " });
        text.push_str(name);
    }
    text
}
