//! The walk itself.

use super::{
    Checked, Options, Passed, ProductFaults, UnknownMembers, alternatives, format, unique,
    words::{EXCERPT_CHARS_MAX, between, excerpt, label, some_of, with_article},
};
use crate::{
    json::{self, Document, Node, NodeId, number},
    sonata::{
        Fault, FaultCode, ProductSchema, TypeId, Types,
        fault::bounded,
        types::{ArrayRules, Choice, Held, Kind, NumberRules, ObjectRules, Rest, TextRules, Type},
    },
};

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

/// What a walk is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// To tell everything that is wrong.
    Tell,
    /// Only to answer whether anything is wrong, of which nothing was found yet.
    Ask,
    /// The same, and something is wrong: the walk soon ends, and nothing is written down.
    AskedFailed,
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
    /// Findings of any kind, written down or not.
    troubles: usize,
    /// Values in which nothing was found.
    passed: Vec<Passed>,
    /// Whether the types are a product's, not the contract's.
    in_product: bool,
    aim: Aim,
}

/// Names that are known besides the type's own: those of the type that chose it.
#[derive(Clone, Copy)]
struct Around<'r> {
    choice_member: Option<&'r str>,
    base: Option<&'r ObjectRules>,
}

impl Around<'_> {
    const NOTHING: Self = Self { choice_member: None, base: None };
}

impl<'o> Walk<'o> {
    pub(super) fn new(options: &'o Options<'o>) -> Self {
        Self {
            options,
            findings: Vec::new(),
            unknown: Vec::new(),
            told: Vec::new(),
            more: false,
            troubles: 0,
            passed: Vec::new(),
            in_product: false,
            aim: Aim::Tell,
        }
    }

    /// Another walk in the same place.
    pub(super) fn another(&self) -> Self {
        Self { aim: self.aim, in_product: self.in_product, ..Self::new(self.options) }
    }

    /// Whether a value is of a type; members of it that no type describes are then added to the unknown ones.
    pub(super) fn ask(&mut self, node: Node<'_>, types: &Types, id: TypeId) -> bool {
        let before = (self.told.len(), self.unknown.len());
        let aim = std::mem::replace(&mut self.aim, Aim::Ask);
        self.value(node, types, id);
        let holds = std::mem::replace(&mut self.aim, aim) == Aim::Ask;
        self.told.truncate(before.0);
        if !holds {
            self.unknown.truncate(before.1);
        }
        holds
    }

    /// Whether only the question is asked whether anything is wrong.
    pub(super) fn asks_only(&self) -> bool {
        self.aim != Aim::Tell
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
        Checked { faults, unknown: self.unknown, product_findings, more: self.more, passed: self.passed }
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
        if self.asks_only() {
            self.aim = Aim::AskedFailed;
            return;
        }
        self.troubles += 1;
        if self.findings.len() >= self.options.faults_max.max(1) {
            self.more = true;
            return;
        }
        let missing = missing.map(Into::into);
        self.findings.push(Finding { node: node.id(), missing, code, reason: reason() });
    }

    /// Everything that a type says of a value.
    pub(super) fn value(&mut self, node: Node<'_>, types: &Types, id: TypeId) {
        self.value_around(node, types, id, &Around::NOTHING);
    }

    /// Everything that the type of a member or element says of its value.
    #[expect(clippy::inline_always, reason = "of most values a check is this")]
    #[inline(always)]
    fn held(&mut self, node: Node<'_>, types: &Types, held: Held) {
        if !held.kinds.fit(node) {
            return self.wrong_kind(node, types.get(held.value).kind);
        }
        match held.rest {
            Rest::Nothing => {}
            Rest::Simple => self.simple(node, types, held.value),
            Rest::Members => self.parts(node, types, held.value, true),
            Rest::Parts => self.parts(node, types, held.value, false),
        }
    }

    /// What a type says of a text or number. Most are right, which is soon seen.
    #[inline(never)]
    fn simple(&mut self, node: Node<'_>, types: &Types, id: TypeId) {
        let type_ = types.get(id);
        let surely_holds = if let Some(text) = node.plain_text() {
            type_.text.as_ref().is_none_or(|rules| surely_holds(rules, text))
        } else if let Some(whole) = node.plain_whole() {
            let is_within = |(min, max)| min <= whole && whole <= max;
            type_.number.as_ref().is_none_or(|rules| rules.whole.is_some_and(is_within))
        } else {
            false
        };
        if !surely_holds {
            self.value(node, types, id);
        }
    }

    /// What a type says of a value that has parts, or in further types; `is_alone` of a type with nothing but members
    /// or elements.
    fn parts(&mut self, node: Node<'_>, types: &Types, id: TypeId, is_alone: bool) {
        if self.in_product || self.asks_only() {
            return self.parts_of(node, types, id, is_alone);
        }
        let (start, end) = node.span();
        if self.options.accepted.is_some_and(|accepted| accepted.has(node, id)) {
            return;
        }
        let before = (self.troubles, self.unknown.len());
        self.parts_of(node, types, id, is_alone);
        let has_passed = (self.troubles, self.unknown.len()) == before;
        if has_passed && end - start >= Passed::BYTES_MIN && self.passed.len() < Passed::COUNT_MAX {
            self.passed.push(Passed { node: node.id(), bytes: end - start, ty: id });
        }
    }

    #[inline]
    fn parts_of(&mut self, node: Node<'_>, types: &Types, id: TypeId, is_alone: bool) {
        if !is_alone {
            return self.value(node, types, id);
        }
        let type_ = types.get(id);
        if let Some(rules) = &type_.object {
            self.members(node, types, type_, rules, &Around::NOTHING);
        } else if let Some(rules) = &type_.array {
            self.array(node, types, rules);
        }
    }

    fn value_around(&mut self, node: Node<'_>, types: &Types, id: TypeId, around: &Around<'_>) {
        let type_ = types.get(id);
        if self.aim == Aim::AskedFailed || !self.kind(node, type_) {
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
    fn all_of(&mut self, node: Node<'_>, types: &Types, others: &[TypeId], around: &Around<'_>) {
        match others {
            [] => return,
            [only] => return self.value_around(node, types, *only, around),
            _ => {}
        }
        let mut unknown: Option<Vec<NodeId>> = None;
        for other in others {
            let mut walk = self.another();
            walk.value_around(node, types, *other, around);
            if walk.aim == Aim::AskedFailed {
                self.aim = walk.aim;
            }
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
        self.troubles += findings.len() + usize::from(more);
        self.more |= more || findings.len() > room;
        self.findings.extend(findings.into_iter().take(room));
    }

    #[inline]
    fn kind(&mut self, node: Node<'_>, type_: &Type) -> bool {
        let holds = type_.kinds.fit(node)
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
            self.held(element, types, rules.held);
        }
    }

    fn object(
        &mut self,
        node: Node<'_>,
        types: &Types,
        type_: &Type,
        rules: &ObjectRules,
        around: &Around<'_>,
    ) {
        let chosen = rules.choice.as_ref().is_some_and(|choice| self.choose(node, types, rules, choice));
        if chosen {
            return;
        }
        self.members(node, types, type_, rules, around);
    }

    /// Checks the members that are there, and which are missing.
    #[inline(never)]
    fn members(
        &mut self,
        node: Node<'_>,
        types: &Types,
        type_: &Type,
        rules: &ObjectRules,
        around: &Around<'_>,
    ) {
        let mut required = 0;
        for value in node.values() {
            let place = match value.plain_name() {
                Some(name) => rules.place(name),
                None => rules.place(value.name().unwrap_or_default().as_bytes()),
            };
            let Some(place) = place else {
                self.strange(value, types, type_, around);
                continue;
            };
            required += u32::from(place.required);
            self.held(value, types, place.held);
        }
        if required < rules.required_count {
            self.missing(node, rules);
        }
        if rules.members_min as usize > node.len() {
            self.find(node, FaultCode::MissingProperty, || {
                format!("{} must have at least {} members", label(node), rules.members_min)
            });
        }
    }

    /// A member that the type's own rules do not have.
    #[cold]
    #[inline(never)]
    fn strange(&mut self, value: Node<'_>, types: &Types, type_: &Type, around: &Around<'_>) {
        if !is_known(&value.name().unwrap_or_default(), types, type_, around) {
            self.unknown.push(value.id());
        }
    }

    #[cold]
    #[inline(never)]
    fn missing(&mut self, node: Node<'_>, rules: &ObjectRules) {
        for member in rules.members.iter().filter(|member| member.required) {
            if node.get(&member.name).is_none() {
                let name = &member.name;
                self.add(node, Some(name), FaultCode::MissingProperty, || format!("{name} is required"));
            }
        }
    }

    /// Follows a choice; false if there is none to follow, so that the base alone holds.
    fn choose(&mut self, node: Node<'_>, types: &Types, base: &ObjectRules, choice: &Choice) -> bool {
        let member = choice.member();
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
            Choice::Cases(cases) => {
                if let Some(derived) = cases.of(&text) {
                    let around = Around { choice_member: Some(member), base: Some(base) };
                    self.value_around(node, types, derived, &around);
                    return true;
                }
                self.find(chosen, FaultCode::InvalidValue, || {
                    let known = cases.types.iter().map(|(value, _)| value.as_ref());
                    format!("{member} is {}, not one of {}", excerpt(&text), some_of(known))
                });
                // Members of which type is not known are not unknown: only what the base says can be checked.
                self.base_only(node, types, base);
            }
            Choice::Product(_) => {
                self.base_only(node, types, base);
                match self.options.products.resolve(&text) {
                    Some(product) => self.chosen_product(node, &product, member, base),
                    None => self.find(chosen, FaultCode::InvalidValue, || {
                        format!("{member} is {}, which is no known product", excerpt(&text))
                    }),
                }
            }
        }
        true
    }

    /// Checks a configuration that a contract's type leaves to its product.
    fn chosen_product(&mut self, node: Node<'_>, product: &ProductSchema, member: &str, base: &ObjectRules) {
        if self.options.product_faults != ProductFaults::Tell {
            return self.named_product(node, product, member, Some(base));
        }
        let mut walk = Self::new(self.options);
        walk.named_product(node, product, member, Some(base));
        self.troubles += walk.findings.len();
        let room = self.options.faults_max.saturating_sub(self.told.len());
        self.told.extend(walk.findings.into_iter().take(room));
        self.unknown.extend(walk.unknown);
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
        let outside = std::mem::replace(&mut self.in_product, true);
        self.value_around(node, product.types(), product.root(), &around);
        self.in_product = outside;
    }
}

/// Whether what is said of texts holds of one without escapes; false also where only a longer look can tell.
#[inline]
fn surely_holds(rules: &TextRules, text: &[u8]) -> bool {
    // Between a byte and four bytes stand for a character.
    let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes <= rules.length.max.unwrap_or(u32::MAX)
        && bytes.div_ceil(4) >= rules.length.min.unwrap_or(0)
        && (rules.names.is_empty() || rules.names.find(text).is_some())
        && rules.pattern.as_ref().is_none_or(|pattern| pattern.is_surely_match(text))
        && rules.format.is_none_or(|format| format::surely_holds(format, text))
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
fn is_known(name: &str, types: &Types, type_: &Type, around: &Around<'_>) -> bool {
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
