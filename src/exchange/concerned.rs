//! Whom of all partners something concerns that a legacy system says by itself: it names none of them.
//!
//! A thousand partners may speak one mapping set, and a list may have a thousand rows. So the store is asked once, for all
//! partners and all rows, and only who is concerned is told.

use std::collections::HashSet;

use super::{
    error::ExchangeError,
    news::{Element, Message},
    receive::elements,
};
use crate::{
    ids::{BackendId, LegacyId},
    sonata::entity::EntityKind,
    store::{Holding, Kind, Store},
};

/// Who has what was spoken of, as the store had it at one moment.
#[derive(Debug, Default)]
pub struct Concerned {
    holdings: HashSet<(BackendId, Holding)>,
}

impl Concerned {
    /// Asks the store who has what these messages speak of: one look-up for each backend.
    ///
    /// # Errors
    /// The store's.
    pub async fn by(store: &Store, messages: &[Message<'_>]) -> Result<Self, ExchangeError> {
        let mut wanted = HashSet::<(&BackendId, Kind, LegacyId)>::new();
        for message in messages {
            let backend = &message.telling.backend.id;
            for element in elements(message) {
                wanted.extend(named(message, element).map(|(kind, id)| (backend, kind, id)));
            }
        }
        let backends: HashSet<&BackendId> = wanted.iter().map(|(backend, ..)| *backend).collect();
        let mut holdings = HashSet::new();
        for backend in backends {
            let own = wanted.iter().filter(|(of, ..)| *of == backend);
            let own = own.map(|(_, kind, id)| (kind.clone(), id.clone())).collect();
            let found = store.holders(backend, own).await?;
            holdings.extend(found.into_iter().map(|one| (backend.clone(), one)));
        }
        Ok(Self { holdings })
    }

    /// Whether an element may concern the message's partner: it has what is named, or might from now on.
    pub fn concerns(&self, message: &Message<'_>, element: Element<'_>) -> bool {
        let (news, telling) = (&message.news, &message.telling);
        // What names nothing is told as a fault; of what the legacy system's own ids are used for the store knows little.
        let is_for_all = message.legacy_id(element).is_none()
            || asked(spoken_of(message)).is_none()
            || news.of.as_ref().is_some_and(|(word, _)| news.creates && asked(word).is_none());
        is_for_all
            || named(message, element).any(|(kind, id)| {
                let holding = (telling.partner.id().clone(), kind, id);
                self.holdings.contains(&(telling.backend.id.clone(), holding))
            })
            || (news.creates && message.is_theirs(element))
    }
}

/// What an element names for which the store can be asked: the thing itself, and what it belongs to where it may be new.
fn named<'m>(message: &'m Message<'_>, element: Element<'m>) -> impl Iterator<Item = (Kind, LegacyId)> {
    let own = asked(spoken_of(message)).zip(message.legacy_id(element));
    let of = message.news.of.as_ref().filter(|_| message.news.creates);
    let of = of.and_then(|(word, path)| asked(word).zip(message.named(path, element)));
    own.into_iter().chain(of)
}

/// The word of what a message speaks of.
fn spoken_of<'m>(message: &Message<'m>) -> &'m str {
    message.news.items.as_deref().unwrap_or(&message.news.kind)
}

/// The kind under which the store has references; none where Sonata ids are the legacy system's own.
fn asked(word: &str) -> Option<Kind> {
    let has_own = EntityKind::parse(word).is_some_and(EntityKind::has_legacy_ids);
    (!has_own).then(|| Kind::new(word.to_owned()))
}
