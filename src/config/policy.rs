//! What a partner may and what becomes of what does not fit.

use super::OperationName;
use crate::{
    sonata::{Function, ProductFaults, UnknownMembers},
    text::{
        Diagnostics, Spanned,
        yaml::{Entry, Fields, Node, choice_of},
    },
};

/// How strict the gateway is with one partner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Members of a request that the standard does not know. The contracts never forbid additional members, and
    /// most published order examples carry some; so they are ignored unless said.
    pub unknown_members: UnknownMembers,
    /// Faults of a request inside product configurations: refused unless said, because the legacy system gets what
    /// is in them.
    pub product_payload: ProductFaults,
    /// Faults of our own answer against the standard.
    pub answer_findings: AnswerFindings,
    /// Whether the partner trades on demand: quotes are firm and subject to no feasibility check.
    pub on_demand: bool,
    /// Whether all that the partner does is a test, and marked so.
    pub is_test: bool,
}

/// Faults of our own answer against the standard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnswerFindings {
    /// The answer goes out, the faults are findings: the legacy system has acted, and the Buyer should know.
    #[default]
    Send,
    /// 500 `internalError`.
    Fail,
}

impl Policy {
    pub(super) fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let Some(mut fields) =
            node.filter(|node| !node.is_absent()).and_then(|node| Fields::of(node, "`policy`", out))
        else {
            return Self::default();
        };
        let members = [
            ("ignore", UnknownMembers::Ignore),
            ("strip", UnknownMembers::Strip),
            ("reject", UnknownMembers::Reject),
        ];
        let payload = [("reject", ProductFaults::Refuse), ("warn", ProductFaults::Tell)];
        let findings = [("send", AnswerFindings::Send), ("fail", AnswerFindings::Fail)];
        let policy = Self {
            unknown_members: fields.choice("unknown_members", &members, out).unwrap_or_default(),
            product_payload: fields.choice("product_payload", &payload, out).unwrap_or_default(),
            answer_findings: fields.choice("answer_findings", &findings, out).unwrap_or_default(),
            on_demand: fields.boolean("on_demand", out).unwrap_or_default(),
            is_test: fields.boolean("test", out).unwrap_or_default(),
        };
        fields.finish(out);
        policy
    }
}

/// What becomes of an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Switch {
    /// Mediated, if a mapping has it.
    #[default]
    On,
    /// 501 `notImplemented`.
    Off,
    /// A person answers it, by the list of work; 501 with a finding where the answer cannot wait.
    Manual,
}

/// Switches of one partner, by function and by operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operations(Vec<(Function, Option<Spanned<String>>, Switch)>);

impl Operations {
    /// What becomes of an operation: its own switch, else its function's, else `on`.
    pub fn switch(&self, function: Function, operation_id: &str) -> Switch {
        let of = |wanted: Option<&str>| {
            let mut rows = self.0.iter();
            rows.find(|(name, id, _)| *name == function && id.as_ref().map(|id| id.value.as_str()) == wanted)
        };
        of(Some(operation_id)).or_else(|| of(None)).map(|row| row.2).unwrap_or_default()
    }

    /// All switches as written, the operationIds with their place: whether they exist is for the `plan` to say.
    pub fn iter(&self) -> impl Iterator<Item = (Function, Option<&Spanned<String>>, Switch)> {
        self.0.iter().map(|(function, id, switch)| (*function, id.as_ref(), *switch))
    }

    pub(super) fn read(entries: &[Entry], out: &mut Diagnostics) -> Self {
        let switches = [("on", Switch::On), ("off", Switch::Off), ("manual", Switch::Manual)];
        let mut rows = Vec::new();
        for entry in entries {
            let span = entry.key_span;
            let switch = choice_of(&entry.value, &entry.key, &switches, out);
            let name = OperationName::read(&entry.key, span, out);
            if let (Some(name), Some(switch)) = (name, switch) {
                rows.push((name.function, name.operation_id, switch));
            }
        }
        Self(rows)
    }
}
