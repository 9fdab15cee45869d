//! Waiting for what a Seller decides later (`wait` in an entry of `exposes:`), as long as the exchange may last.
//!
//! What was made is on disk by then, so whatever happens meanwhile loses nothing; what is not there in time is answered as it
//! stands, and told later (`notifies:`).

use super::{
    super::{instant::Turns, story::Story},
    ask::{Asked, ask},
    keep::id_of,
    message::{self, Way},
};
use crate::json::Document;

/// Time until the Seller is asked again first, in milliseconds; twice as long after each time.
const PAUSE_MS_MIN: u64 = 200;

/// What the Seller says of what it made once that is what is waited for, or what it said last; none where its first answer
/// is all there is.
pub async fn last(story: &mut Story<'_>, way: &Way<'_>, first: &Asked) -> Option<Asked> {
    let until = way.exposer.expose.wait.as_ref()?;
    let holds = |asked: &Asked| {
        let root = asked.document.as_ref().map(Document::root);
        root.is_some_and(|root| until.holds(root, root))
    };
    let again = way.again()?;
    if holds(first) {
        return None;
    }
    let made = message::look_up(&again, &id_of(first)?, &first.parties).ok()?;
    let (mut turns, mut found) = (Turns::of(story, PAUSE_MS_MIN), None);
    while turns.next().await {
        match ask(story, &again, &made).await {
            Ok(mut asked) => {
                let is_last = holds(&asked);
                // What is answered is what was made.
                asked.reply.status = first.reply.status;
                found = Some(asked);
                if is_last {
                    return found;
                }
            }
            Err(error) => tracing::debug!(%error, "what is waited for could not be asked for"),
        }
    }
    found
}
