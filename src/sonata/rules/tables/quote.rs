//! Quotes (MEF 115).

use super::{
    super::{
        special,
        test::{Must, Test, When, answer, request},
    },
    PUBLISHED, Rule, Side, buyer, by, kept, seller,
};
use crate::sonata::Function;

const QUOTE: &[Function] = &[Function::QUOTE];
const CREATE: &[&str] = &["createQuote"];
const TOLD: &[&str] = &["createQuote", "retrieveQuote"];
const BY_ID: &[&str] = &["retrieveQuote"];
const ITEMS: &str = "quoteItem.*";
const DEFERRED: When = When::Is("/instantSyncQuote", &["false"]);
const ADDED: When = When::Is("action", &["add"]);
const FIRM: When = When::Is("/buyerRequestedQuoteLevel", &["firm"]);
const BUDGETARY: When = When::Is("/buyerRequestedQuoteLevel", &["budgetary"]);
const ORDERABLE: &[&str] = &["approved.orderable", "approved.orderableAlternate"];
const PRICED: &[&str] = &["approved.orderable", "approved.orderableAlternate", "answered"];
/// States of a firm quote that a price was told in.
const OFFERED: &[&str] = &[
    "accepted",
    "declined",
    "expired",
    "inProgress.draft",
    "approved.orderable",
    "approved.orderableAlternate",
];
const UNDER_WAY: &[&str] = &["accepted", "declined", "expired", "inProgress", "inProgress.draft"];
const WORKED_ON: &[&str] = &["inProgress", "inProgress.draft"];
const ENDED: &[&str] = &["cancelled", "approved.orderable", "approved.orderableAlternate", "unableToProvide"];
const ANSWERED: &[&str] = &["answered", "expired"];

/// A member of a firm quote in these states, by the table of the guide.
const fn firm(states: &'static [When], member: &'static str) -> Test {
    answer(BY_ID, "", states, Must::Have(member))
}

/// A member of each item, by the table of the guide.
const fn item(states: &'static [When], member: &'static str) -> Test {
    answer(BY_ID, ITEMS, states, Must::Have(member))
}

pub(super) const RULES: &[Rule] = &[
    kept("115:grace:R12", QUOTE, Side::Buyer, "A quote has an item.", by::CONTRACT),
    kept("115:grace:R15", QUOTE, Side::Buyer, "The level that is wanted is said.", by::CONTRACT),
    kept("115:grace:R16", QUOTE, Side::Buyer, "The Buyer says whether it waits for the answer.", by::CONTRACT),
    kept("115:grace:R17", QUOTE, Side::Buyer, "A quote has an item.", by::CONTRACT),
    buyer(
        "115:grace:R18",
        QUOTE,
        "A quote that may be answered later has a contact in the role buyerContactInformation.",
        &[request(CREATE, "", &[DEFERRED], Must::Role("buyerContactInformation"))],
    ),
    buyer(
        "115:grace:R19",
        QUOTE,
        "A quote that may be answered later says until when: requestedQuoteCompletionDate.",
        &[request(CREATE, "", &[DEFERRED], Must::Have("requestedQuoteCompletionDate"))],
    ),
    buyer(
        "115:grace:R20",
        QUOTE,
        "Items are told apart by their ids.",
        &[request(CREATE, "quoteItem", &[], Must::Hold(special::ids_differ))],
    ),
    kept("115:grace:R21", QUOTE, Side::Buyer, "An item says what is to be done with its product.", by::CONTRACT),
    buyer(
        "115:grace:R22",
        QUOTE,
        "An item has a product.",
        &[request(CREATE, ITEMS, &[], Must::Have("product"))],
    ),
    buyer(
        "115:grace:R23",
        QUOTE,
        "An item of a quote that may be answered later has a contact in the role quoteItemTechnicalContact.",
        &[request(CREATE, ITEMS, &[DEFERRED], Must::Role("quoteItemTechnicalContact"))],
    ),
    buyer(
        "115:grace:R24",
        QUOTE,
        "An item at a place, of a quote that may be answered later, has a contact in the role quoteItemLocationContact.",
        &[request(
            CREATE,
            ITEMS,
            &[DEFERRED, When::Has("product.place")],
            Must::Role("quoteItemLocationContact"),
        )],
    )
    .warns(PUBLISHED),
    kept("115:grace:R27", QUOTE, Side::Seller, "A quote has its id.", by::ECHO),
    kept("115:grace:R28", QUOTE, Side::Seller, "A quote has its state.", by::ECHO),
    kept("115:grace:R29", QUOTE, Side::Seller, "A quote says when it was made.", by::ECHO),
    kept("115:grace:R30", QUOTE, Side::Seller, "A contact has the role sellerContactInformation.", by::ECHO),
    kept("115:grace:R31", QUOTE, Side::Seller, "Every item has its state.", by::CONTRACT),
    seller(
        "115:grace:R32",
        QUOTE,
        "An item with a price says for which term.",
        &[answer(TOLD, ITEMS, &[When::Is("state", PRICED)], Must::Have("quoteItemTerm"))],
    ),
    seller(
        "115:grace:R33",
        QUOTE,
        "Who asked for a budgetary quote gets that.",
        &[answer(TOLD, "", &[BUDGETARY], Must::Be("quoteLevel", &["budgetary"]))],
    ),
    seller(
        "115:grace:R34",
        QUOTE,
        "Who asked for a firm quote gets a firm one, perhaps subject to a feasibility check.",
        &[answer(TOLD, "", &[FIRM], Must::Be("quoteLevel", &["firm", "firmSubjectToFeasibilityCheck"]))],
    ),
    seller(
        "115:grace:R35",
        QUOTE,
        "A quote that is subject to a feasibility check says of which item.",
        &[answer(
            TOLD,
            "",
            &[When::Is("quoteLevel", &["firmSubjectToFeasibilityCheck"])],
            Must::Hold(special::an_item_is_subject_to_a_check),
        )],
    ),
    kept("115:grace:R36", QUOTE, Side::Seller, "The history of states is told.", by::HISTORY),
    seller(
        "115:grace:R37",
        QUOTE,
        "A term that rolls says by which interval.",
        &[answer(
            TOLD,
            "quoteItem.*.quoteItemTerm",
            &[When::Is("endOfTermAction", &["roll"])],
            Must::Have("rollInterval"),
        )],
    ),
    seller(
        "115:grace:R38",
        QUOTE,
        "A term that does not roll has no interval for it.",
        &[answer(
            TOLD,
            "quoteItem.*.quoteItemTerm",
            &[When::Is("endOfTermAction", &["autoRenew", "autoDisconnect"])],
            Must::Lack("rollInterval"),
        )],
    ),
    seller(
        "115:grace:R41",
        QUOTE,
        "An item with a shorter term than was asked for is an alternate.",
        &[answer(
            TOLD,
            ITEMS,
            &[When::Is("/state", ORDERABLE), When::Not("state", &["approved.orderableAlternate"])],
            Must::Hold(special::term_is_not_shorter),
        )],
    ),
    buyer(
        "115:grace:R42",
        QUOTE,
        "What is added is described: productConfiguration is there.",
        &[request(CREATE, ITEMS, &[ADDED], Must::Have("product.productConfiguration"))],
    ),
    buyer(
        "115:grace:R43",
        QUOTE,
        "What is added is named by its offering.",
        &[request(CREATE, ITEMS, &[ADDED], Must::Have("product.productOffering"))],
    ),
    kept("115:grace:R44", QUOTE, Side::Buyer, "What is added has no id yet.", by::PRODUCT_OF_ITEM),
    kept("115:grace:R45", QUOTE, Side::Buyer, "A change names its product and what is wanted.", by::PRODUCT_OF_ITEM),
    kept("115:grace:R46", QUOTE, Side::State, "A change repeats what the inventory has.", by::INVENTORY),
    kept("115:grace:R47", QUOTE, Side::Buyer, "An end names its product.", by::PRODUCT_OF_ITEM),
    kept("115:grace:R48", QUOTE, Side::Buyer, "What ends is not described.", by::PRODUCT_OF_ITEM),
    kept("115:grace:R49", QUOTE, Side::Buyer, "What ends has its id and nothing else.", by::PRODUCT_OF_ITEM),
    kept("115:grace:R50", QUOTE, Side::Seller, "A list tells of each quote what is set.", by::IF_SET),
    seller(
        "115:grace:R51.firm",
        QUOTE,
        "A firm quote tells what its state demands.",
        &[
            firm(&[FIRM, When::Is("state", UNDER_WAY)], "stateChange"),
            firm(&[FIRM, When::Is("state", WORKED_ON)], "expectedQuoteCompletionDate"),
            firm(&[FIRM, When::Is("state", ORDERABLE)], "validFor"),
            firm(&[FIRM, When::Is("state", ENDED)], "effectiveQuoteCompletionDate"),
            firm(&[FIRM, When::Is("state", OFFERED)], "quoteLevel"),
            item(&[FIRM, When::Is("state", OFFERED)], "subjectToFeasibilityCheck"),
            item(&[FIRM, When::Is("state", OFFERED)], "quoteItemPrice"),
            item(&[FIRM, When::Is("state", OFFERED)], "quoteItemTerm"),
            item(&[FIRM, When::Is("state", OFFERED)], "quoteItemInstallationInterval"),
            item(&[FIRM, When::Is("state", &["unableToProvide"])], "terminationError"),
        ],
    ),
    seller(
        "115:grace:R51.budgetary",
        QUOTE,
        "A budgetary quote tells what its state demands.",
        &[
            firm(&[BUDGETARY, When::Is("state", &["expired", "inProgress"])], "stateChange"),
            firm(&[BUDGETARY, When::Is("state", &["inProgress"])], "expectedQuoteCompletionDate"),
            firm(&[BUDGETARY, When::Is("state", &["answered"])], "validFor"),
            firm(
                &[BUDGETARY, When::Is("state", &["answered", "cancelled", "expired", "unableToProvide"])],
                "effectiveQuoteCompletionDate",
            ),
            firm(&[BUDGETARY], "quoteLevel"),
            item(&[BUDGETARY, When::Is("state", ANSWERED)], "quoteItemPrice"),
            item(&[BUDGETARY, When::Is("state", ANSWERED)], "quoteItemTerm"),
            item(&[BUDGETARY, When::Is("state", ANSWERED)], "quoteItemInstallationInterval"),
        ],
    ),
    seller(
        "115:grace:R52",
        QUOTE,
        "A quote is orderable once all of its items are.",
        &[answer(
            TOLD,
            ITEMS,
            &[When::Is("/state", &["approved.orderable"])],
            Must::Be("state", &["approved.orderable"]),
        )],
    ),
    kept("115:grace:R53", QUOTE, Side::State, "A quote can be cancelled while it is in progress.", by::MOVES),
    kept("115:grace:R54", QUOTE, Side::State, "A quote can be declined once it is orderable.", by::MOVES),
    kept("115:grace:R55", QUOTE, Side::Seller, "Events are chosen by their eventType.", by::EVENT_TYPES),
    kept("115:grace:R57", QUOTE, Side::Seller, "An event of an item names the item.", by::CHANGES),
    kept(
        "115:grace:R59",
        QUOTE,
        Side::Buyer,
        "A quote that may be answered later has a contact in the role buyerContactInformation.",
        by::R18,
    ),
    kept("115:grace:R60", QUOTE, Side::State, "Items are answered one to one.", by::ITEMS),
    kept("115:grace:R61", QUOTE, Side::Seller, "A contact has the role sellerContactInformation.", by::ECHO),
    buyer(
        "115:grace:R64",
        QUOTE,
        "Coordinates are written in a way that was agreed on (spatialRef).",
        &[request(
            CREATE,
            "quoteItem.*.product.place.*",
            &[When::Has("spatialRef")],
            Must::Hold(special::spatial_reference),
        )],
    ),
    buyer(
        "115:grace:onDemand.level",
        QUOTE,
        "A quote on demand is firm.",
        &[request(CREATE, "", &[], Must::Be("buyerRequestedQuoteLevel", &["firm"]))],
    )
    .off("It is the policy on_demand that asks for it."),
    Rule {
        default: super::Level::Off,
        why: Some("It is the policy on_demand that asks for it."),
        ..seller(
            "115:grace:onDemand.feasibility",
            QUOTE,
            "A quote on demand is subject to no feasibility check.",
            &[answer(TOLD, "", &[], Must::Be("quoteLevel", &["firm", "budgetary"]))],
        )
    },
];
