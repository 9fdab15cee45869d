//! What Sonata owes and a legacy system does not know.
//!
//! A mapping says what the legacy system knows. Everything else the standard asks of a Seller's answer is done
//! here: ids and `href`, the Buyer's own attributes unchanged (MEF 115 R26, MEF 123 R16, MEF 121 R15), the history
//! of states and only legal steps in it, dates, the Seller's contact, one item for each item asked for. What is
//! decided is a pure function of documents; what is kept goes through `store`, always for one partner.

mod attention;
mod complete;
mod finding;
mod idempotency;
mod merge;
mod owner;
mod patch;
mod project;
mod references;
mod repeat;
mod sent;
mod state;

pub use attention::{
    Effect, Kept, NotSettled, OF_EXCHANGE, Open, OpenCall, intent_note, open, settle, taken_from_list,
    unfinished,
};
pub use complete::{Completed, Completing, SellerContact, complete, echo, href, move_to};
pub use finding::{Finding, FindingCode};
pub use idempotency::{Begun, begin, look};
pub use owner::{Owner, TEST_MARK, as_test, kind_of};
pub use patch::patched;
pub use project::project;
pub use references::{Adopted, adopt};
pub use repeat::{Repeating, repeating};
pub use sent::{change_sent, keep_sent, sent, sent_kind};
pub use state::{Illegal, Machines, ended, may_move};

#[cfg(test)]
mod tests;
