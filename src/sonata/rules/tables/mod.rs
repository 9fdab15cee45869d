//! The rules themselves, a table for each group of functions, in the order of the guides' paragraphs.
//!
//! A request is refused where a rule says so, unless a published example breaks it: then it is a warning, and the rule
//! says why. What is about our own answer is told to the operator and changes nothing: the legacy system has acted.

mod address;
mod common;
mod order;
mod poq;
mod quote;
mod service;
mod ticket;

use super::{Kept, Level, Rule, Side, test::Test};
use crate::sonata::Function;

/// All rules, by function.
pub(super) fn all() -> Vec<Rule> {
    let tables = [address::RULES, poq::RULES, quote::RULES, order::RULES, service::RULES, ticket::RULES];
    let mut all: Vec<Rule> = common::rules();
    all.extend(tables.into_iter().flatten());
    all.sort_by_key(place);
    all
}

/// The first function, and the number in the paragraph's name.
fn place(rule: &Rule) -> (Option<Function>, Option<u32>) {
    let paragraph = rule.id.rsplit(':').next().unwrap_or_default();
    let digits =
        paragraph.split('.').next().unwrap_or_default().trim_start_matches(|one: char| !one.is_ascii_digit());
    (rule.functions.first().copied(), digits.parse().ok())
}

/// A rule on the Buyer's message: a request that breaks it is refused.
const fn buyer(
    id: &'static str,
    functions: &'static [Function],
    asks: &'static str,
    tests: &'static [Test],
) -> Rule {
    row(id, functions, (Side::Buyer, Level::Reject), asks, Kept::Here(tests))
}

/// A rule on our own message: an answer that breaks it goes out and is told to the operator.
const fn seller(
    id: &'static str,
    functions: &'static [Function],
    asks: &'static str,
    tests: &'static [Test],
) -> Rule {
    row(id, functions, (Side::Seller, Level::Warn), asks, Kept::Here(tests))
}

/// A rule on a message beside what else is known.
const fn state(
    id: &'static str,
    functions: &'static [Function],
    default: Level,
    asks: &'static str,
    tests: &'static [Test],
) -> Rule {
    row(id, functions, (Side::State, default), asks, Kept::Here(tests))
}

/// A rule that another part keeps, or nobody.
const fn kept(
    id: &'static str,
    functions: &'static [Function],
    side: Side,
    asks: &'static str,
    kept: Kept,
) -> Rule {
    let level = match kept {
        Kept::Not(_) => Level::Off,
        Kept::Here(_) | Kept::By(..) => Level::Reject,
    };
    row(id, functions, (side, level), asks, kept)
}

const fn row(
    id: &'static str,
    functions: &'static [Function],
    (side, default): (Side, Level),
    asks: &'static str,
    kept: Kept,
) -> Rule {
    Rule { id, functions, side, default, asks, why: None, kept }
}

impl Rule {
    /// A warning only, unless set: why.
    const fn warns(self, why: &'static str) -> Self {
        Self { default: Level::Warn, why: Some(why), ..self }
    }

    /// Off unless set: why.
    const fn off(self, why: &'static str) -> Self {
        Self { default: Level::Off, why: Some(why), ..self }
    }
}

/// The published example of the guide breaks it.
const PUBLISHED: &str = "A published example breaks it.";

/// Parts that keep a rule whatever is set, and the test that holds it.
mod by {
    use super::Kept;

    pub(super) const CONTRACT: Kept =
        Kept::By("contract", "src/sonata/check/tests.rs all_faults_at_once_in_document_order");
    pub(super) const PRODUCT: Kept =
        Kept::By("contract", "src/sonata/check/tests.rs products_are_checked_by_their_schema");
    pub(super) const TYPES: Kept = Kept::By("contract", "src/sonata/check/tests.rs polymorphism_by_type");
    pub(super) const QUERY: Kept =
        Kept::By("exchange", "tests/table.rs paths_methods_and_queries_are_those_of_the_standard");
    pub(super) const NOT_FOUND: Kept =
        Kept::By("exchange", "tests/table.rs ids_that_are_unknown_or_foreign_are_not_found");
    pub(super) const PAGES: Kept =
        Kept::By("exchange", "tests/lists.rs every_way_of_paging_answers_the_buyers_window");
    pub(super) const CASES: Kept = Kept::By("mapping", "tests/cases.rs every_shipped_case_is_what_it_says");
    pub(super) const ECHO: Kept = Kept::By(
        "custody",
        "src/custody/tests/complete.rs the_buyers_attributes_stay_and_the_sellers_are_added",
    );
    pub(super) const IDS: Kept =
        Kept::By("custody", "src/custody/tests/keep.rs ids_that_the_legacy_system_names_are_adopted_once");
    pub(super) const ITEMS: Kept =
        Kept::By("custody", "src/custody/tests/complete.rs items_answer_one_to_one");
    pub(super) const HISTORY: Kept =
        Kept::By("custody", "src/custody/tests/complete.rs a_later_answer_renews_and_history_only_grows");
    pub(super) const MOVES: Kept =
        Kept::By("custody", "src/custody/tests/complete.rs a_buyer_may_only_ask_for_what_may_follow");
    pub(super) const PRODUCT_OF_ITEM: Kept =
        Kept::By("custody", "src/custody/repeat.rs what_the_guides_forbid_is_told_at_its_place");
    pub(super) const INVENTORY: Kept = Kept::By(
        "custody",
        "src/custody/repeat.rs what_differs_from_the_inventory_is_told_and_what_it_does_not_tell_is_not",
    );
    /// Said twice by its guide: another rule asks the same.
    const fn same(id: &'static str) -> Kept {
        Kept::By(id, "tests/rules.rs every_rule_finds_what_breaks_it_and_nothing_else")
    }
    pub(super) const R18: Kept = same("115:grace:R18");
    pub(super) const R27: Kept = same("123:grace:R27");
    pub(super) const R53: Kept = same("123:grace:R53");
    pub(super) const R91: Kept = same("123:grace:R91");
    pub(super) const R95: Kept = same("123:grace:R95");
    pub(super) const T18: Kept = same("124:grace:R18");
    pub(super) const EVENT: Kept = Kept::By(
        "notifications",
        "src/notify/task.rs every_event_is_as_the_contract_has_it_and_is_read_back",
    );
    pub(super) const CHANGES: Kept =
        Kept::By("notifications", "src/notify/change.rs every_change_makes_its_events");
    pub(super) const REGISTERED: Kept =
        Kept::By("notifications", "tests/notifications.rs a_change_is_told_once_to_who_asked_for_it");
    pub(super) const EVENT_TYPES: Kept = Kept::By("notifications", "src/notify/query.rs every_form_is_read");
    pub(super) const IF_SET: Kept = Kept::Not("What a legacy list leaves out is not known to be set.");
}
