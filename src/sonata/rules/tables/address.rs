//! Addresses (MEF 121) and sites (MEF 122).

use super::{
    super::{
        special,
        test::{Must, Stage, When, answer, request, test},
    },
    Rule, Side, buyer, by, kept, seller,
};
use crate::sonata::Function;

const ADDRESS: &[Function] = &[Function::ADDRESS];
const SITE: &[Function] = &[Function::SITE];
const VALIDATE: &[&str] = &["createGeographicAddressValidation"];
const SITES: &[&str] = &["listGeographicSite", "retrieveGeographicSite"];
const SUBMITTED: &str = "submittedGeographicAddress";
const BEST: &str = "bestMatchGeographicAddress";
const ALTERNATE: &str = "alternateGeographicAddress";
const RESULT: &str = "validationResult";
const COORDINATES: &str = "Coordinates are written in a way that was agreed on (spatialRef).";

pub(super) const RULES: &[Rule] = &[
    buyer(
        "121:grace:R9",
        ADDRESS,
        COORDINATES,
        &[request(VALIDATE, SUBMITTED, &[When::Has("spatialRef")], Must::Hold(special::spatial_reference))],
    ),
    buyer(
        "121:grace:R11",
        ADDRESS,
        "An address that is to be validated has no id.",
        &[request(VALIDATE, SUBMITTED, &[], Must::Lack("id"))],
    ),
    buyer(
        "121:grace:R12",
        ADDRESS,
        "Alternatives are always asked for: provideAlternative is true.",
        &[request(VALIDATE, "", &[], Must::Be("provideAlternative", &["true"]))],
    )
    .warns("Published examples send false, and an answer without alternatives can be given."),
    buyer(
        "121:grace:R13",
        ADDRESS,
        "An address of a country with postcodes has one.",
        &[request(
            VALIDATE,
            SUBMITTED,
            &[When::Is("@type", &["FieldedAddress", "FormattedAddress"])],
            Must::Hold(special::postcode),
        )],
    ),
    buyer(
        "121:grace:R14",
        ADDRESS,
        "A fielded address has its street number.",
        &[request(VALIDATE, SUBMITTED, &[When::Is("@type", &["FieldedAddress"])], Must::Have("streetNr"))],
    )
    .off("Only the Seller knows whether it can work with street numbers."),
    Rule {
        side: Side::State,
        ..seller(
            "121:grace:R16",
            ADDRESS,
            "An address is answered in the form in which it was asked.",
            &[
                answer(VALIDATE, BEST, &[], Must::Hold(special::type_as_submitted)),
                answer(VALIDATE, "alternateGeographicAddress.*", &[], Must::Hold(special::type_as_submitted)),
            ],
        )
    },
    seller(
        "121:grace:R17",
        ADDRESS,
        "A point or a label is one address: no alternatives are answered.",
        &[answer(
            VALIDATE,
            "",
            &[When::Is(
                "/submittedGeographicAddress.@type",
                &["MEFGeographicPoint", "GeographicAddressLabel"],
            )],
            Must::Lack(ALTERNATE),
        )],
    ),
    seller(
        "121:grace:R18",
        ADDRESS,
        "Where nothing matches, no addresses are answered.",
        &[
            answer(VALIDATE, "", &[When::Is(RESULT, &["fail"])], Must::Lack(BEST)),
            answer(VALIDATE, "", &[When::Is(RESULT, &["fail"])], Must::Lack(ALTERNATE)),
        ],
    ),
    kept(
        "121:grace:R19",
        ADDRESS,
        Side::Seller,
        "Too many matches are answered 422 tooManyRecords.",
        by::CASES,
    ),
    kept(
        "121:grace:R21",
        ADDRESS,
        Side::State,
        "No two addresses have one id, whatever their form.",
        by::IDS,
    ),
    seller(
        "121:grace:D5",
        ADDRESS,
        "Where nothing matches, the result is fail.",
        &[answer(VALIDATE, "", &[When::Lacks(BEST), When::Lacks(ALTERNATE)], Must::Be(RESULT, &["fail"]))],
    ),
    seller(
        "121:grace:D6",
        ADDRESS,
        "Where a best match is answered, the result is success.",
        &[answer(VALIDATE, "", &[When::Has(BEST)], Must::Be(RESULT, &["success"]))],
    ),
    seller(
        "121:grace:D7",
        ADDRESS,
        "Where only alternatives are answered, the result is partial.",
        &[answer(VALIDATE, "", &[When::Lacks(BEST), When::Has(ALTERNATE)], Must::Be(RESULT, &["partial"]))],
    ),
    buyer(
        "122:grace:R10",
        SITE,
        "Sites are asked for by the id of an address, or by members of one.",
        &[test(
            Stage::Query,
            &["listGeographicSite"],
            "",
            &[],
            Must::Any(&[
                "geographicAddress.id",
                "streetNr",
                "streetName",
                "streetType",
                "city",
                "postcode",
                "country",
            ]),
        )],
    )
    .warns("The interface file requires no filter, and a site can be asked for by its name."),
    kept("122:grace:R12", SITE, Side::Seller, "Too many matches are answered 422 tooManyRecords.", by::CASES),
    kept("122:grace:R13", SITE, Side::Seller, "Every site has its id.", by::CONTRACT),
    seller(
        "122:grace:R14",
        SITE,
        "Every site says where it is.",
        &[answer(SITES, "", &[], Must::Have("place"))],
    ),
    seller(
        "122:grace:R17",
        SITE,
        COORDINATES,
        &[answer(SITES, "place.*", &[When::Has("spatialRef")], Must::Hold(special::spatial_reference))],
    ),
];
