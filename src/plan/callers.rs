//! Who calls on the Sonata listener: partners that buy, and those that sell to us and tell of events, each on its own.

use std::collections::{BTreeMap, HashMap};

use super::{PartnerPlan, longest_prefix};
use crate::{
    config::{Identify, Side},
    ids::PartnerId,
};
use std::sync::Arc;

/// What a caller shows of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'s> {
    /// Whether both ends of its connection are on this machine.
    pub is_local: bool,
    /// What stands behind `Authorization: Bearer`.
    pub token: Option<&'s str>,
}

/// The partners of one side, by what they are known by.
#[derive(Debug, Clone, Default)]
pub(super) struct Callers {
    /// Those that loopback is enough for, by base path.
    local: BTreeMap<String, PartnerId>,
    /// By the hashes of their tokens: that two are found to differ tells nothing of where.
    tokens: HashMap<blake3::Hash, PartnerId>,
    /// All of them, by base path; of several at one the last.
    all: BTreeMap<String, PartnerId>,
}

/// Those of both sides.
#[derive(Debug, Default)]
pub(super) struct Both {
    /// The partners that buy.
    pub buyers: Callers,
    /// Those that sell to us, and tell us of events.
    pub sellers: Callers,
}

impl Both {
    pub fn of(partners: &BTreeMap<PartnerId, Arc<PartnerPlan>>) -> Self {
        Self { buyers: Callers::of(partners, Side::Seller), sellers: Callers::of(partners, Side::Buyer) }
    }
}

impl Callers {
    fn of(partners: &BTreeMap<PartnerId, Arc<PartnerPlan>>, side: Side) -> Self {
        let mut callers = Self::default();
        for (id, partner) in partners.iter().filter(|(_, partner)| partner.settings().side == side) {
            let settings = partner.settings();
            match &settings.identify.value {
                Identify::Loopback => {
                    callers.local.insert(settings.base_path.clone(), id.clone());
                }
                Identify::Token(token) => {
                    callers.tokens.insert(blake3::hash(token.reveal().as_bytes()), id.clone());
                }
            }
            callers.all.insert(settings.base_path.clone(), id.clone());
        }
        callers
    }

    /// Who shows this and calls a path; of several from this machine it is the one whose base path says most. Where some
    /// are known by tokens, one that is nobody's is not made good by the machine: it is somebody's who errs, or, behind
    /// a proxy on this machine, anybody's.
    pub fn find(&self, path: &str, shown: Shown<'_>) -> Option<&PartnerId> {
        match shown.token {
            Some(token) if !self.tokens.is_empty() => self.tokens.get(&blake3::hash(token.as_bytes())),
            _ => longest_prefix(&self.local, path).filter(|_| shown.is_local),
        }
    }

    /// Whether a path is below the base path of one of them.
    pub fn reach(&self, path: &str) -> bool {
        longest_prefix(&self.all, path).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_or_loopback_says_who_calls() {
        let id = |name: &str| PartnerId::parse(name).unwrap();
        let callers = Callers {
            local: BTreeMap::from([(String::new(), id("near")), ("/b".to_owned(), id("below"))]),
            tokens: HashMap::from([(blake3::hash(b"of-far"), id("far"))]),
            all: BTreeMap::from([(String::new(), id("near")), ("/b".to_owned(), id("below"))]),
        };
        let find = |path, is_local, token| {
            callers.find(path, Shown { is_local, token }).map(|id| id.as_str().to_owned())
        };
        let rows = [
            ("/mefApi/x", true, None, Some("near")),
            ("/b/mefApi/x", true, None, Some("below")),
            ("/b/mefApi/x", false, None, None),
            ("/mefApi/x", false, Some("of-far"), Some("far")),
            ("/mefApi/x", true, Some("of-far"), Some("far")),
            ("/mefApi/x", false, Some("of-fa"), None),
            ("/mefApi/x", false, Some(""), None),
            ("/mefApi/x", true, Some("of-fa"), None),
        ];
        for (path, is_local, token, expected) in rows {
            assert_eq!(find(path, is_local, token).as_deref(), expected, "{path} {is_local} {token:?}");
        }
        // Where nobody is known by a token, one says nothing.
        let local = Callers { tokens: HashMap::new(), ..callers };
        let shown = Shown { is_local: true, token: Some("any") };
        assert_eq!(local.find("/b/x", shown).map(PartnerId::as_str), Some("below"));
    }
}
