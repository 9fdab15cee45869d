//! Product offering qualification (MEF 87).

use super::{
    super::{
        special,
        test::{Must, When, answer, request},
    },
    PUBLISHED, Rule, Side, buyer, by, kept, seller,
};
use crate::sonata::Function;

const POQ: &[Function] = &[Function::POQ];
const CREATE: &[&str] = &["createProductOfferingQualification"];
const TOLD: &[&str] = &["createProductOfferingQualification", "retrieveProductOfferingQualification"];
const ITEMS: &str = "productOfferingQualificationItem.*";
const PRODUCTS: &str = "productOfferingQualificationItem.*.product";
const DEFERRED: When = When::Is("/instantSyncQualification", &["false"]);
const DONE: &[&str] = &["done.ready"];
const NOTHING_FOUND: &[&str] = &["terminatedWithError", "done.abandoned"];

pub(super) const RULES: &[Rule] = &[
    seller(
        "87:grace:R10",
        POQ,
        "A qualification that is ready and green or yellow says how long installation takes.",
        &[answer(
            TOLD,
            ITEMS,
            &[When::Is("state", DONE), When::Is("serviceabilityConfidence", &["green", "yellow"])],
            Must::Have("installationInterval"),
        )],
    ),
    kept("87:grace:R17", POQ, Side::Buyer, "A qualification has an item.", by::CONTRACT),
    buyer(
        "87:grace:R18",
        POQ,
        "The Buyer says whether it waits for the answer: instantSyncQualification.",
        &[request(CREATE, "", &[], Must::Have("instantSyncQualification"))],
    ),
    buyer(
        "87:grace:R19",
        POQ,
        "A qualification that may be answered later says until when.",
        &[request(CREATE, "", &[DEFERRED], Must::Have("requestedPOQCompletionDate"))],
    )
    .warns(PUBLISHED),
    kept(
        "87:grace:R20",
        POQ,
        Side::Buyer,
        "The Buyer can be reached: relatedContactInformation is there.",
        by::CONTRACT,
    ),
    buyer(
        "87:grace:R21",
        POQ,
        "A contact has the role buyerContactInformation.",
        &[request(CREATE, "", &[], Must::Role("buyerContactInformation"))],
    ),
    seller(
        "87:grace:R24",
        POQ,
        "What was to be answered at once is ready or ended with an error.",
        &[answer(
            CREATE,
            "",
            &[When::Is("/instantSyncQualification", &["true"])],
            Must::Be("state", &["done.ready", "terminatedWithError"]),
        )],
    ),
    kept("87:grace:R25", POQ, Side::Seller, "The Seller can be reached.", by::ECHO),
    kept("87:grace:R26", POQ, Side::Seller, "A contact has the role sellerContactInformation.", by::ECHO),
    kept("87:grace:R27", POQ, Side::State, "Items are answered one to one.", by::ITEMS),
    seller(
        "87:grace:R28",
        POQ,
        "An item that is ready says how sure that is: serviceabilityConfidence.",
        &[answer(TOLD, ITEMS, &[When::Is("state", DONE)], Must::Have("serviceabilityConfidence"))],
    ),
    seller(
        "87:grace:R29",
        POQ,
        "Green and yellow come with an installation interval.",
        &[answer(
            TOLD,
            ITEMS,
            &[When::Is("serviceabilityConfidence", &["green", "yellow"]), When::Not("state", DONE)],
            Must::Have("installationInterval"),
        )],
    ),
    seller(
        "87:grace:R30",
        POQ,
        "An item of which nothing was found out promises nothing.",
        &[
            answer(TOLD, ITEMS, &[When::Is("state", NOTHING_FOUND)], Must::Lack("serviceabilityConfidence")),
            answer(TOLD, ITEMS, &[When::Is("state", NOTHING_FOUND)], Must::Lack("installationInterval")),
            answer(TOLD, ITEMS, &[When::Is("state", NOTHING_FOUND)], Must::Lack("guaranteedUntilDate")),
            answer(
                TOLD,
                ITEMS,
                &[When::Is("state", NOTHING_FOUND)],
                Must::Lack("alternateProductOfferingProposal"),
            ),
        ],
    ),
    seller(
        "87:grace:R31",
        POQ,
        "An item that ended with an error says which: terminationError.",
        &[answer(
            TOLD,
            ITEMS,
            &[When::Is("state", &["terminatedWithError"])],
            Must::Have("terminationError"),
        )],
    ),
    kept("87:grace:R32", POQ, Side::Buyer, "An item has id, action and product.", by::CONTRACT),
    buyer(
        "87:grace:R33",
        POQ,
        "What is added is named by an offering or by a specification, not by both.",
        &[request(CREATE, PRODUCTS, &[], Must::Hold(special::offering_or_specification))],
    ),
    buyer(
        "87:grace:R34",
        POQ,
        "What is added is described: productConfiguration is there.",
        &[request(
            CREATE,
            ITEMS,
            &[When::Is("action", &["add"])],
            Must::Have("product.productConfiguration"),
        )],
    ),
    buyer(
        "87:grace:R35",
        POQ,
        "The type of the configuration is one of the offering or specification.",
        &[request(CREATE, PRODUCTS, &[], Must::Hold(special::type_of_offering))],
    ),
    kept("87:grace:R36", POQ, Side::Buyer, "What is added has no id yet.", by::PRODUCT_OF_ITEM),
    kept(
        "87:grace:R37",
        POQ,
        Side::Buyer,
        "A change names its product and what is wanted.",
        by::PRODUCT_OF_ITEM,
    ),
    kept("87:grace:R38", POQ, Side::State, "A change repeats what the inventory has.", by::INVENTORY),
    kept("87:grace:R39", POQ, Side::Buyer, "What ends is not described.", by::PRODUCT_OF_ITEM),
    kept("87:grace:R40", POQ, Side::Buyer, "A change and an end name their product.", by::PRODUCT_OF_ITEM),
    kept("87:grace:R41", POQ, Side::Buyer, "What ends has its id and nothing else.", by::PRODUCT_OF_ITEM),
    kept(
        "87:grace:R44",
        POQ,
        Side::Seller,
        "Events go to those only that registered for them.",
        by::REGISTERED,
    ),
    kept("87:grace:R45", POQ, Side::Seller, "A qualification that is made is an event.", by::CHANGES),
    kept(
        "87:grace:R46",
        POQ,
        Side::Seller,
        "States are events where the answer comes later, and only there.",
        by::CHANGES,
    ),
    seller(
        "87:grace:R48",
        POQ,
        "A qualification is ready once all of its items are.",
        &[answer(TOLD, ITEMS, &[When::Is("/state", DONE)], Must::Be("state", DONE))],
    ),
    seller(
        "87:grace:R49",
        POQ,
        "A qualification ends with an error where one of its items did.",
        &[answer(
            TOLD,
            "",
            &[When::Is("state", &["terminatedWithError"])],
            Must::Hold(special::an_item_is_terminated),
        )],
    ),
    seller(
        "87:grace:R50",
        POQ,
        "A qualification is in progress while an item is, and none ended with an error.",
        &[
            answer(
                TOLD,
                "",
                &[When::Is("state", &["inProgress"])],
                Must::Hold(special::an_item_is_in_progress),
            ),
            answer(
                TOLD,
                ITEMS,
                &[When::Is("/state", &["inProgress"]), When::Is("state", &["terminatedWithError"])],
                Must::Lack("state"),
            ),
        ],
    ),
    buyer(
        "87:grace:R52",
        POQ,
        "Coordinates are written in a way that was agreed on (spatialRef).",
        &[request(
            CREATE,
            "productOfferingQualificationItem.*.product.place.*",
            &[When::Has("spatialRef")],
            Must::Hold(special::spatial_reference),
        )],
    ),
    kept("87:grace:R53", POQ, Side::Seller, "Events are chosen by their eventType.", by::EVENT_TYPES),
];
