//! Trouble tickets and incidents (MEF 124).

use super::{
    super::{
        special,
        test::{Must, When, answer, change, request},
    },
    Level, Rule, Side, buyer, by, kept, seller, state,
};
use crate::sonata::Function;

const TICKET: &[Function] = &[Function::TROUBLE_TICKET];
const CREATE: &[&str] = &["createTroubleTicket"];
const PATCH: &[&str] = &["patchTroubleTicket"];
const TOLD: &[&str] = &["createTroubleTicket", "retrieveTroubleTicket", "patchTroubleTicket"];
const AGAIN: &[&str] = &["retrieveTroubleTicket", "patchTroubleTicket"];
const INCIDENT: &[&str] = &["retrieveIncident"];
const CONTENT: &str = "An attachment is there, with its type, or says where it is.";
const OF_BUYER: &str = "Notes, attachments and related issues that the Buyer adds have the source buyer.";
const OF_SELLER: &str = "Notes, attachments and related issues that the Seller adds have the source seller.";

pub(super) const RULES: &[Rule] = &[
    buyer(
        "124:grace:R9",
        TICKET,
        "A ticket has a contact in the role reporterContact.",
        &[request(CREATE, "", &[], Must::Role("reporterContact"))],
    ),
    buyer(
        "124:grace:R10",
        TICKET,
        CONTENT,
        &[request(CREATE, "attachment.*", &[], Must::Hold(special::attachment_is_there))],
    ),
    seller(
        "124:grace:R12",
        TICKET,
        "A ticket has a contact in the role sellerTicketContact.",
        &[answer(CREATE, "", &[], Must::Role("sellerTicketContact"))],
    ),
    seller(
        "124:grace:R13",
        TICKET,
        "A ticket that was made is acknowledged.",
        &[answer(CREATE, "", &[], Must::Be("status", &["acknowledged"]))],
    ),
    kept(
        "124:grace:R14",
        TICKET,
        Side::Seller,
        "A ticket goes from state to state as the guide has it.",
        by::MOVES,
    ),
    buyer(
        "124:grace:R16",
        TICKET,
        OF_BUYER,
        &[
            request(CREATE, "note.*", &[], Must::Be("source", &["buyer"])),
            request(CREATE, "attachment.*", &[], Must::Be("source", &["buyer"])),
            request(CREATE, "relatedIssue.*", &[], Must::Be("source", &["buyer"])),
        ],
    ),
    state(
        "124:grace:R17",
        TICKET,
        Level::Reject,
        OF_BUYER,
        &[change(PATCH, "", &[], Must::Hold(special::additions_of_buyer))],
    ),
    seller(
        "124:grace:R18",
        TICKET,
        OF_SELLER,
        &[answer(TOLD, "", &[], Must::Hold(special::additions_of_seller))],
    ),
    kept("124:grace:R19", TICKET, Side::Seller, OF_SELLER, by::T18),
    state(
        "124:grace:R20",
        TICKET,
        Level::Warn,
        "Notes and attachments that were told once stay as they are.",
        &[answer(AGAIN, "", &[], Must::Hold(special::additions_stay))],
    ),
    kept("124:grace:R21", TICKET, Side::State, "What the Buyer put into a list stays in it.", by::ECHO),
    state(
        "124:grace:R22",
        TICKET,
        Level::Warn,
        "A new date of resolution comes with a note.",
        &[answer(AGAIN, "", &[], Must::Hold(special::new_resolution_has_note))],
    ),
    kept("124:grace:R23", TICKET, Side::Seller, "A list tells of each ticket what is set.", by::IF_SET),
    kept("124:grace:R26", TICKET, Side::Seller, "A ticket is told whole.", by::CONTRACT),
    seller(
        "124:grace:R28",
        TICKET,
        "A ticket that is resolved says since when, and a note of the Seller says how.",
        &[
            answer(
                &["retrieveTroubleTicket"],
                "",
                &[When::Is("status", &["resolved", "closed"])],
                Must::Have("resolutionDate"),
            ),
            answer(
                &["retrieveTroubleTicket"],
                "",
                &[When::Is("status", &["resolved", "closed"])],
                Must::Hold(special::seller_wrote_a_note),
            ),
        ],
    ),
    buyer(
        "124:grace:R29",
        TICKET,
        "A change of a ticket changes something.",
        &[request(
            PATCH,
            "",
            &[],
            Must::Any(&[
                "note",
                "externalId",
                "priority",
                "severity",
                "issueStartDate",
                "observedImpact",
                "attachment",
                "relatedContactInformation",
                "relatedIssue",
            ]),
        )],
    ),
    buyer(
        "124:grace:R30",
        TICKET,
        "Who changes priority, severity, start or related issues of a ticket says why in a note.",
        &[request(
            PATCH,
            "",
            &[When::HasAny(&["priority", "severity", "issueStartDate", "relatedIssue"])],
            Must::Have("note"),
        )],
    ),
    buyer(
        "124:grace:R31",
        TICKET,
        CONTENT,
        &[request(PATCH, "attachment.*", &[], Must::Hold(special::attachment_is_there))],
    ),
    state(
        "124:grace:R32",
        TICKET,
        Level::Reject,
        "Lists of a ticket repeat what the Seller put into them.",
        &[change(PATCH, "", &[], Must::Hold(special::lists_of_seller_stay))],
    )
    .warns("Who repeats a list may not have heard of the latest contact of the Seller."),
    state(
        "124:grace:R35",
        TICKET,
        Level::Reject,
        "A ticket that is closed, cancelled or about to be is not changed.",
        &[change(PATCH, "", &[], Must::Hold(special::ticket_is_open))],
    ),
    kept("124:grace:R40", TICKET, Side::State, "A ticket is cancelled while it is worked on.", by::MOVES),
    kept("124:grace:R43", TICKET, Side::Buyer, "Who opens a ticket again says why.", by::CONTRACT),
    kept("124:grace:R51", TICKET, Side::Seller, "An incident is told whole.", by::CONTRACT),
    seller(
        "124:grace:R53",
        TICKET,
        "An incident that is closed says since when.",
        &[answer(INCIDENT, "", &[When::Is("status", &["closed"])], Must::Have("closedDate"))],
    ),
    kept("124:grace:R58", TICKET, Side::Seller, "Events are chosen by their eventType.", by::EVENT_TYPES),
    kept(
        "124:grace:R59",
        TICKET,
        Side::Seller,
        "Events go to those that registered for them.",
        by::REGISTERED,
    ),
    kept("124:grace:R60", TICKET, Side::Seller, "Events go to nobody else.", by::REGISTERED),
    seller(
        "124:grace:R70",
        TICKET,
        "An incident that is worked on says when it is expected to be over.",
        &[answer(INCIDENT, "", &[When::Is("status", &["inProgress"])], Must::Have("expectedClosedDate"))],
    ),
];
