//! Product orders, their cancellation, charges and delivery dates (MEF 123).

use super::{
    super::{
        special,
        test::{Must, When, answer, change, request},
    },
    Kept, Level, PUBLISHED, Rule, Side, buyer, by, kept, seller, state,
};
use crate::sonata::Function;

const ORDER: &[Function] = &[Function::ORDER];
const CREATE: &[&str] = &["createProductOrder"];
const PATCH: &[&str] = &["patchProductOrder"];
const TOLD: &[&str] = &["createProductOrder", "retrieveProductOrder", "patchProductOrder"];
const AGAIN: &[&str] = &["retrieveProductOrder", "patchProductOrder"];
const CHARGES: &[&str] = &["retrieveCharge", "patchCharge"];
const DATES: &[&str] = &["createModifyProductOrderItemRequestedDeliveryDate"];
const CANCEL: &[&str] = &["createCancelProductOrder"];
const ITEMS: &str = "productOrderItem.*";
const CHARGE_ITEMS: &str = "chargeItem.*";
const ADDED: When = When::Is("action", &["add"]);
const CHANGED: When = When::Is("action", &["modify"]);
const NOT_OPEN: Kept = Kept::Not(
    "What other charges an order has, and its state when one was made, is the legacy system's to know.",
);

pub(super) const RULES: &[Rule] = &[
    kept("123:grace:R12", ORDER, Side::Buyer, "An order has an item.", by::CONTRACT),
    buyer(
        "123:grace:R13",
        ORDER,
        "An order has a contact in the role productOrderContact.",
        &[request(CREATE, "", &[], Must::Role("productOrderContact"))],
    ),
    buyer(
        "123:grace:R14",
        ORDER,
        "An item says when it is wanted, and has contacts in the roles buyerProductOrderItemContact, \
         buyerImplementationContact and buyerTechnicalContact.",
        &[
            request(CREATE, ITEMS, &[], Must::Have("requestedCompletionDate")),
            request(CREATE, ITEMS, &[], Must::Role("buyerProductOrderItemContact")),
            request(CREATE, ITEMS, &[], Must::Role("buyerImplementationContact")),
            request(CREATE, ITEMS, &[], Must::Role("buyerTechnicalContact")),
        ],
    )
    .warns(PUBLISHED),
    buyer(
        "123:grace:CR5",
        ORDER,
        "An item names the qualification that it follows.",
        &[request(CREATE, ITEMS, &[ADDED], Must::Have("productOfferingQualificationItem"))],
    )
    .off("It is the Seller who may ask for a qualification before an order."),
    buyer(
        "123:grace:CR6",
        ORDER,
        "An item names the quote that it follows.",
        &[request(CREATE, ITEMS, &[ADDED], Must::Have("quoteItem"))],
    )
    .off("It is the Seller who may ask for a quote before an order."),
    kept(
        "123:grace:R17",
        ORDER,
        Side::Seller,
        "An order has id, state and a contact in the role sellerContact.",
        by::ECHO,
    ),
    kept("123:grace:R18", ORDER, Side::State, "An order keeps its id.", by::HISTORY),
    kept(
        "123:grace:R19",
        ORDER,
        Side::State,
        "The history of the order's states is told whole.",
        by::HISTORY,
    ),
    seller(
        "123:grace:R20",
        ORDER,
        "A note that the Buyer did not write has the source seller.",
        &[
            answer(TOLD, "", &[], Must::Hold(special::notes_of_seller)),
            answer(TOLD, ITEMS, &[], Must::Hold(special::notes_of_seller)),
        ],
    ),
    state(
        "123:grace:R21",
        ORDER,
        Level::Warn,
        "A note that was told once stays as it is.",
        &[answer(AGAIN, "", &[], Must::Hold(special::notes_stay))],
    ),
    kept("123:grace:R22", ORDER, Side::Seller, "An order has its state.", by::CONTRACT),
    kept("123:grace:R23", ORDER, Side::State, "The history of an item's states is told whole.", by::HISTORY),
    seller(
        "123:grace:R24",
        ORDER,
        "What was not asked to be hurried is not told to be.",
        &[answer(
            TOLD,
            ITEMS,
            &[When::Not("expediteIndicator", &["true"])],
            Must::Be("expediteAcceptedIndicator", &["false"]),
        )],
    ),
    seller(
        "123:grace:R25",
        ORDER,
        "Hurry is not accepted while a charge for it is open.",
        &[answer(
            TOLD,
            ITEMS,
            &[When::Is("state", &["held"])],
            Must::Be("expediteAcceptedIndicator", &["false"]),
        )],
    ),
    seller(
        "123:grace:R26",
        ORDER,
        "An item that is held for a charge names the charge.",
        &[answer(TOLD, ITEMS, &[When::Is("state", &["held"])], Must::Have("charge"))],
    ),
    seller(
        "123:grace:R27",
        ORDER,
        "An item that was cancelled or failed is not expected to be completed.",
        &[answer(
            TOLD,
            ITEMS,
            &[When::Is("state", &["cancelled", "failed"])],
            Must::Lack("expectedCompletionDate"),
        )],
    ),
    seller(
        "123:grace:R28",
        ORDER,
        "An item that is in progress says when it is expected to be completed.",
        &[answer(CREATE, ITEMS, &[When::Is("state", &["inProgress"])], Must::Have("expectedCompletionDate"))],
    ),
    seller(
        "123:grace:R29",
        ORDER,
        "An item that is not completed has no date of completion.",
        &[answer(CREATE, ITEMS, &[When::Not("state", &["completed"])], Must::Lack("completionDate"))],
    ),
    buyer(
        "123:grace:R30",
        ORDER,
        "What is added is described: productConfiguration is there.",
        &[request(CREATE, ITEMS, &[ADDED], Must::Have("product.productConfiguration"))],
    ),
    kept(
        "123:grace:R31",
        ORDER,
        Side::Buyer,
        "An item that depends on another one says so.",
        Kept::Not("Which items belong together is said by this member alone."),
    ),
    buyer(
        "123:grace:R32",
        ORDER,
        "What is added is named by its offering.",
        &[request(CREATE, ITEMS, &[ADDED], Must::Have("product.productOffering"))],
    ),
    buyer(
        "123:grace:R33",
        ORDER,
        "What is added says who is billed, even where nothing is.",
        &[request(CREATE, ITEMS, &[ADDED], Must::Have("billingAccount"))],
    ),
    buyer(
        "123:grace:R34",
        ORDER,
        "What is added says for which term.",
        &[request(CREATE, ITEMS, &[ADDED], Must::Have("requestedItemTerm"))],
    )
    .warns(PUBLISHED),
    buyer(
        "123:grace:R35",
        ORDER,
        "A term that rolls says by which interval.",
        &[request(
            CREATE,
            "productOrderItem.*.requestedItemTerm",
            &[When::Is("endOfTermAction", &["roll"])],
            Must::Have("rollInterval"),
        )],
    ),
    kept("123:grace:R36", ORDER, Side::Buyer, "What is added has no id yet.", by::PRODUCT_OF_ITEM),
    kept(
        "123:grace:R39",
        ORDER,
        Side::Buyer,
        "A change names its product and what is wanted.",
        by::PRODUCT_OF_ITEM,
    ),
    kept("123:grace:R40", ORDER, Side::State, "A change repeats what the inventory has.", by::INVENTORY),
    kept(
        "123:grace:R41",
        ORDER,
        Side::Buyer,
        "An item that depends on another one says so.",
        Kept::Not("Which items belong together is said by this member alone."),
    ),
    buyer(
        "123:grace:R42",
        ORDER,
        "A change says for which term.",
        &[request(CREATE, ITEMS, &[CHANGED], Must::Have("requestedItemTerm"))],
    )
    .warns(PUBLISHED),
    kept("123:grace:R43", ORDER, Side::Buyer, "An end names its product.", by::PRODUCT_OF_ITEM),
    kept("123:grace:R44", ORDER, Side::Buyer, "What ends has its id and nothing else.", by::PRODUCT_OF_ITEM),
    seller(
        "123:grace:R45",
        ORDER,
        "An order that is completed says since when.",
        &[answer(TOLD, "", &[When::Is("state", &["completed"])], Must::Have("completionDate"))],
    ),
    seller(
        "123:grace:R46",
        ORDER,
        "An item that is in progress says when it is expected to be completed.",
        &[answer(AGAIN, ITEMS, &[When::Is("state", &["inProgress"])], Must::Have("expectedCompletionDate"))],
    ),
    kept(
        "123:grace:R47",
        ORDER,
        Side::Seller,
        "An item that was cancelled is not expected to be completed.",
        by::R27,
    ),
    seller(
        "123:grace:R48",
        ORDER,
        "An item that is completed says since when.",
        &[answer(TOLD, ITEMS, &[When::Is("state", &["completed"])], Must::Have("completionDate"))],
    ),
    seller(
        "123:grace:R49",
        ORDER,
        "An item that is not completed has no date of completion.",
        &[answer(AGAIN, ITEMS, &[When::Not("state", &["completed"])], Must::Lack("completionDate"))],
    ),
    state(
        "123:grace:R50",
        ORDER,
        Level::Warn,
        "A new date of an item comes with a note that says why.",
        &[answer(AGAIN, ITEMS, &[], Must::Hold(special::new_date_has_note))],
    ),
    buyer(
        "123:grace:R51",
        ORDER,
        "Coordinates are written in a way that was agreed on (spatialRef).",
        &[request(
            CREATE,
            "productOrderItem.*.product.place.*",
            &[When::Has("spatialRef")],
            Must::Hold(special::spatial_reference),
        )],
    ),
    buyer(
        "123:grace:R52",
        ORDER,
        "A change of an order changes something.",
        &[request(
            PATCH,
            "",
            &[],
            Must::Any(&["productOrderItem", "externalId", "note", "projectId", "relatedContactInformation"]),
        )],
    ),
    buyer(
        "123:grace:R53",
        ORDER,
        "An item that is to be changed says what is to be changed.",
        &[request(
            PATCH,
            ITEMS,
            &[],
            Must::Any(&["endCustomerName", "note", "relatedBuyerPON", "relatedContactInformation"]),
        )],
    )
    .warns(PUBLISHED),
    kept(
        "123:grace:R54",
        ORDER,
        Side::Buyer,
        "An item that is to be changed is named by its id.",
        by::CONTRACT,
    ),
    kept(
        "123:grace:R55",
        ORDER,
        Side::Buyer,
        "An item that is to be changed says what is to be changed.",
        by::R53,
    ),
    state(
        "123:grace:R56",
        ORDER,
        Level::Reject,
        "The Buyer changes its own contacts, not the Seller's.",
        &[
            change(PATCH, "", &[], Must::Hold(special::contacts_of_seller_stay)),
            change(PATCH, ITEMS, &[], Must::Hold(special::contacts_of_seller_stay)),
        ],
    )
    .warns("Who repeats a list may not have heard of the latest contact of the Seller."),
    state(
        "123:grace:R57",
        ORDER,
        Level::Reject,
        "A note that the Buyer adds has the source buyer.",
        &[
            change(PATCH, "", &[], Must::Hold(special::notes_of_buyer)),
            change(PATCH, ITEMS, &[], Must::Hold(special::notes_of_buyer)),
        ],
    ),
    state(
        "123:grace:R58",
        ORDER,
        Level::Reject,
        "A list of notes repeats those that are there.",
        &[change(PATCH, "", &[], Must::Hold(special::notes_are_appended))],
    ),
    kept("123:grace:R59", ORDER, Side::Seller, "A list tells of each order what is set.", by::IF_SET),
    state(
        "123:grace:R61",
        ORDER,
        Level::Warn,
        "A product that was told once is told again.",
        &[answer(AGAIN, ITEMS, &[], Must::Hold(special::product_stays))],
    ),
    seller(
        "123:grace:R62",
        ORDER,
        "An order tells what its state demands.",
        &[
            answer(AGAIN, "", &[When::Is("state", &["cancelled"])], Must::Have("cancellationDate")),
            answer(AGAIN, ITEMS, &[], Must::Have("stateChange")),
            answer(
                AGAIN,
                ITEMS,
                &[When::Is("state", &["failed", "rejected"])],
                Must::Have("terminationError"),
            ),
            answer(
                AGAIN,
                ITEMS,
                &[When::Is("state", &["held", "pending"])],
                Must::Have("expectedCompletionDate"),
            ),
        ],
    ),
    buyer(
        "123:grace:R63",
        ORDER,
        "A change of a date says what is wanted: hurry, or another date.",
        &[request(DATES, "", &[], Must::Any(&["expediteIndicator", "requestedCompletionDate"]))],
    ),
    kept("123:grace:R64", ORDER, Side::Seller, "A change of a date has id, state and date.", by::CONTRACT),
    buyer(
        "123:grace:R66",
        ORDER,
        "A date that is to be put off is said.",
        &[request(
            DATES,
            "",
            &[When::Is("expediteIndicator", &["false"])],
            Must::Have("requestedCompletionDate"),
        )],
    ),
    kept("123:grace:R67", ORDER, Side::Seller, "A change of a date has id, state and date.", by::CONTRACT),
    buyer(
        "123:grace:R74",
        ORDER,
        "Who cancels an order can be reached in the role cancelProductOrderContact.",
        &[request(CANCEL, "", &[], Must::Role("cancelProductOrderContact"))],
    ),
    seller(
        "123:grace:R76",
        ORDER,
        "A cancellation has a contact in the role cancelProductOrderSellerContact.",
        &[answer(CANCEL, "", &[], Must::Role("cancelProductOrderSellerContact"))],
    ),
    kept("123:grace:R80", ORDER, Side::Seller, "A charge is about one item, or about the order.", NOT_OPEN),
    kept("123:grace:R81", ORDER, Side::State, "An order waits for the answer to one charge only.", NOT_OPEN),
    kept("123:grace:R82", ORDER, Side::State, "An item waits for the answer to one charge only.", NOT_OPEN),
    kept("123:grace:R83", ORDER, Side::State, "An order and its items do not wait at once.", NOT_OPEN),
    kept("123:grace:R84", ORDER, Side::State, "An order is charged in some states only.", NOT_OPEN),
    kept("123:grace:R85", ORDER, Side::State, "An item is charged in some states only.", NOT_OPEN),
    seller(
        "123:grace:R88",
        ORDER,
        "A charge is of an order or of an item, not of both.",
        &[answer(CHARGES, "", &[], Must::One(&["productOrder", "productOrderItem"]))],
    ),
    kept("123:grace:R89", ORDER, Side::Seller, "A charge of a cancellation names the order.", by::R91),
    seller(
        "123:grace:R90",
        ORDER,
        "A charge of a change of a date names the item.",
        &[answer(
            CHARGES,
            "",
            &[When::Has("modifyProductOrderItemRequestedDeliveryDate")],
            Must::Have("productOrderItem"),
        )],
    ),
    seller(
        "123:grace:R91",
        ORDER,
        "A charge of a cancellation names the order.",
        &[answer(CHARGES, "", &[When::Has("cancelProductOrder")], Must::Have("productOrder"))],
    ),
    kept("123:grace:R92", ORDER, Side::Seller, "A charge's item says what is charged for.", by::CONTRACT),
    seller(
        "123:grace:R93",
        ORDER,
        "What recurs says how often, what is counted says in which unit.",
        &[
            answer(
                CHARGES,
                CHARGE_ITEMS,
                &[When::Is("priceType", &["recurring"])],
                Must::Have("recurringChargePeriod"),
            ),
            answer(
                CHARGES,
                CHARGE_ITEMS,
                &[When::Is("priceType", &["usageBased"])],
                Must::Have("unitOfMeasure"),
            ),
            answer(CHARGES, CHARGE_ITEMS, &[], Must::Have("price.dutyFreeAmount")),
        ],
    ),
    kept(
        "123:grace:R94",
        ORDER,
        Side::Buyer,
        "Every item of a charge is answered with acceptanceIndicator.",
        by::R95,
    ),
    state(
        "123:grace:R95",
        ORDER,
        Level::Reject,
        "All items of a charge are answered at once.",
        &[change(&["patchCharge"], "", &[], Must::Hold(special::every_item_is_answered))],
    ),
    kept(
        "123:grace:R96",
        ORDER,
        Side::Seller,
        "A charge that nobody answers in time counts as declined.",
        Kept::Not("This version keeps no deadlines of charges."),
    ),
    kept("123:grace:R106", ORDER, Side::Seller, "An event of an item names the item.", by::CHANGES),
    kept("123:grace:CR7", ORDER, Side::Seller, "An event of a milestone names it.", by::EVENT),
];
