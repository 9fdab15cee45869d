//! What is there once it was delivered: inventory (MEF 116), appointments and work orders (MEF 137), bills (MEF 141).

use super::{
    super::{
        special,
        test::{Must, answer, change, request},
    },
    Kept, Level, Rule, Side, buyer, by, kept, seller, state,
};
use crate::sonata::Function;

const INVENTORY: &[Function] = &[Function::INVENTORY];
const APPOINTMENT: &[Function] = &[Function::APPOINTMENT];
const BILLING: &[Function] = &[Function::BILLING];
const PRODUCT: &[&str] = &["retrieveProduct"];
const MEET: &[&str] = &["createAppointment"];
const MEETING: &[&str] = &["createAppointment", "retrieveAppointment", "patchAppointment"];

pub(super) const RULES: &[Rule] = &[
    kept("116:grace:R13", INVENTORY, Side::Seller, "A list tells of each product what is set.", by::IF_SET),
    seller(
        "116:grace:R14",
        INVENTORY,
        "A product has contacts of both sides for faults, for contracts and for service levels.",
        &[
            answer(PRODUCT, "", &[], Must::Role("buyerAssuranceTechnicalContact")),
            answer(PRODUCT, "", &[], Must::Role("sellerAssuranceTechnicalContact")),
            answer(PRODUCT, "", &[], Must::Role("buyerCommercialContact")),
            answer(PRODUCT, "", &[], Must::Role("sellerCommercialContact")),
            answer(PRODUCT, "", &[], Must::Role("buyerSlaManagementContact")),
            answer(PRODUCT, "", &[], Must::Role("sellerSlaManagementContact")),
        ],
    ),
    kept("137:grace:R11", APPOINTMENT, Side::Buyer, "A search names work order and times.", by::CONTRACT),
    buyer(
        "137:grace:R15",
        APPOINTMENT,
        "An appointment has contacts in the roles buyerAppointmentContact and appointmentPlaceContact.",
        &[
            request(MEET, "", &[], Must::Role("buyerAppointmentContact")),
            request(MEET, "", &[], Must::Role("appointmentPlaceContact")),
        ],
    ),
    seller(
        "137:grace:R18",
        APPOINTMENT,
        "An appointment has contacts of the Buyer, of the place and of the Seller.",
        &[
            answer(MEETING, "", &[], Must::Role("buyerAppointmentContact")),
            answer(MEETING, "", &[], Must::Role("appointmentPlaceContact")),
            answer(MEETING, "", &[], Must::Role("sellerAppointmentContact")),
        ],
    ),
    seller(
        "137:grace:R19",
        APPOINTMENT,
        "An appointment that was made is confirmed.",
        &[answer(MEET, "", &[], Must::Be("status", &["confirmed"]))],
    ),
    kept(
        "137:grace:R20",
        APPOINTMENT,
        Side::State,
        "A work order has one appointment that is still to come.",
        Kept::Not("A work order names appointments without their status."),
    ),
    state(
        "137:grace:R21",
        APPOINTMENT,
        Level::Warn,
        "An appointment is made for a work order that is open.",
        &[change(MEET, "", &[], Must::Hold(special::work_order_is_open))],
    ),
    buyer(
        "137:grace:R36",
        APPOINTMENT,
        "A change of an appointment changes something.",
        &[request(
            &["patchAppointment"],
            "",
            &[],
            Must::Any(&["validFor", "note", "attachment", "relatedContactInformation"]),
        )],
    ),
    state(
        "137:grace:R40",
        APPOINTMENT,
        Level::Reject,
        "An appointment is changed while it is confirmed.",
        &[change(&["patchAppointment"], "", &[], Must::Hold(special::appointment_is_confirmed))],
    ),
    kept(
        "137:grace:R46",
        APPOINTMENT,
        Side::State,
        "An appointment is cancelled while it is confirmed.",
        by::MOVES,
    ),
    kept(
        "137:grace:R47",
        APPOINTMENT,
        Side::State,
        "An appointment is cancelled while its work order is planned.",
        Kept::Not("The state of the work order is not looked up for it."),
    ),
    kept("141:grace:R9", BILLING, Side::Buyer, "Who registers for events says where they go.", by::CONTRACT),
    kept("141:grace:R12", BILLING, Side::Seller, "An event has its members.", by::EVENT),
    kept(
        "141:grace:R16",
        BILLING,
        Side::Buyer,
        "Bills are asked for by the filters that there are.",
        by::QUERY,
    ),
    kept("141:grace:R17", BILLING, Side::Seller, "A list tells of each bill what it must.", by::CONTRACT),
    kept("141:grace:R19", BILLING, Side::Seller, "A bill is told whole.", by::CONTRACT),
    kept("141:grace:R21", BILLING, Side::Seller, "A position is told whole.", by::CONTRACT),
    kept("141:grace:R22", BILLING, Side::Seller, "A position of a product names it.", by::CONTRACT),
    kept("141:grace:R23", BILLING, Side::Seller, "A position of an order's item names it.", by::CONTRACT),
];
