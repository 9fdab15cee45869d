//! Paragraphs that every guide has, under numbers of its own.

use super::{Kept, Level, Rule, Side, by, row};
use crate::sonata::Function;

/// One requirement, and its id in each guide.
struct Family {
    side: Side,
    asks: &'static str,
    kept: Kept,
    ids: &'static [(&'static str, &'static [Function])],
}

const ADDRESS: &[Function] = &[Function::ADDRESS];
const SITE: &[Function] = &[Function::SITE];
const POQ: &[Function] = &[Function::POQ];
const QUOTE: &[Function] = &[Function::QUOTE];
const ORDER: &[Function] = &[Function::ORDER];
const INVENTORY: &[Function] = &[Function::INVENTORY];
const TICKET: &[Function] = &[Function::TROUBLE_TICKET];
const VISITS: &[Function] = &[Function::APPOINTMENT, Function::WORK_ORDER];
const BILLING: &[Function] = &[Function::BILLING];
const PRICING: &[Function] = &[Function::AVAILABILITY_PRICING];

static FAMILIES: &[Family] = &[
    Family {
        side: Side::Buyer,
        asks: "Who speaks for several Buyers says in buyerId for which one.",
        kept: by::QUERY,
        ids: &[
            ("121:grace:R2", ADDRESS),
            ("122:grace:R2", SITE),
            ("87:grace:R2", POQ),
            ("115:grace:R1", QUOTE),
            ("123:grace:R2", ORDER),
            ("116:grace:R2", INVENTORY),
            ("124:grace:R3", TICKET),
            ("137:grace:R5", VISITS),
            ("141:grace:R2", BILLING),
            ("160:grace:R2", PRICING),
        ],
    },
    Family {
        side: Side::Buyer,
        asks: "Who speaks for one Buyer only does not send buyerId.",
        kept: by::QUERY,
        ids: &[
            ("121:grace:R3", ADDRESS),
            ("122:grace:R3", SITE),
            ("87:grace:R3", POQ),
            ("115:grace:R2", QUOTE),
            ("123:grace:R3", ORDER),
            ("116:grace:R3", INVENTORY),
            ("124:grace:R4", TICKET),
            ("137:grace:R6", VISITS),
            ("141:grace:R3", BILLING),
            ("160:grace:R3", PRICING),
        ],
    },
    Family {
        side: Side::Buyer,
        asks: "Where the other side answers for several Sellers, sellerId says which one is meant.",
        kept: by::QUERY,
        ids: &[
            ("121:grace:R4", ADDRESS),
            ("122:grace:R4", SITE),
            ("87:grace:R4", POQ),
            ("115:grace:R3", QUOTE),
            ("123:grace:R4", ORDER),
            ("116:grace:R4", INVENTORY),
            ("124:grace:R5", TICKET),
            ("137:grace:R7", VISITS),
            ("141:grace:R4", BILLING),
            ("160:grace:R4", PRICING),
        ],
    },
    Family {
        side: Side::Buyer,
        asks: "Where the other side answers for one Seller only, sellerId is not sent.",
        kept: by::QUERY,
        ids: &[
            ("121:grace:R5", ADDRESS),
            ("122:grace:R5", SITE),
            ("87:grace:R5", POQ),
            ("115:grace:R4", QUOTE),
            ("123:grace:R5", ORDER),
            ("116:grace:R5", INVENTORY),
            ("124:grace:R6", TICKET),
            ("137:grace:R8", VISITS),
            ("141:grace:R5", BILLING),
            ("160:grace:R5", PRICING),
        ],
    },
    Family {
        side: Side::Seller,
        asks: "An event repeats the buyerId and sellerId that were given before.",
        kept: by::EVENT,
        ids: &[
            ("87:grace:R6", POQ),
            ("115:grace:R5", QUOTE),
            ("123:grace:R6", ORDER),
            ("124:grace:R7", TICKET),
            ("137:grace:R9", VISITS),
            ("141:grace:R6", BILLING),
        ],
    },
    Family {
        side: Side::Buyer,
        asks: "The @type of a product's configuration names the product's schema.",
        kept: by::TYPES,
        ids: &[
            ("87:grace:R12", POQ),
            ("115:grace:R7", QUOTE),
            ("123:grace:R8", ORDER),
            ("116:grace:R7", INVENTORY),
            ("160:grace:R7", PRICING),
        ],
    },
    Family {
        side: Side::Buyer,
        asks: "A product's configuration is what the schema named by its @type allows.",
        kept: by::PRODUCT,
        ids: &[
            ("87:grace:R13", POQ),
            ("115:grace:R8", QUOTE),
            ("123:grace:R9", ORDER),
            ("116:grace:R8", INVENTORY),
            ("160:grace:R8", PRICING),
        ],
    },
    Family {
        side: Side::Buyer,
        asks: "What is used of the interface comes with everything that it requires.",
        kept: by::CONTRACT,
        ids: &[
            ("121:grace:R6", ADDRESS),
            ("122:grace:R6", SITE),
            ("87:grace:R7", POQ),
            ("115:grace:R11", QUOTE),
        ],
    },
    Family {
        side: Side::State,
        asks: "The answer has everything that the Buyer sent, unchanged.",
        kept: by::ECHO,
        ids: &[
            ("121:grace:R15", ADDRESS),
            ("87:grace:R8", POQ),
            ("87:grace:R23", POQ),
            ("115:grace:R13", QUOTE),
            ("115:grace:R26", QUOTE),
            ("123:grace:R16", ORDER),
            ("123:grace:R65", ORDER),
            ("123:grace:R68", ORDER),
            ("123:grace:R75", ORDER),
            ("123:grace:R79", ORDER),
            ("124:grace:R11", TICKET),
            ("160:grace:R16", PRICING),
            ("160:grace:R30", PRICING),
        ],
    },
    Family {
        side: Side::Seller,
        asks: "A list that is not told whole says so: X-Total-Count or X-Pagination-Throttled.",
        kept: by::PAGES,
        ids: &[
            ("87:grace:R47", POQ),
            ("115:grace:R58", QUOTE),
            ("123:grace:R107", ORDER),
            ("116:grace:R15", INVENTORY),
            ("124:grace:R72", TICKET),
            ("137:grace:R64", VISITS),
            ("141:grace:R30", BILLING),
        ],
    },
    Family {
        side: Side::Seller,
        asks: "A list of nothing is a good answer with no elements.",
        kept: by::PAGES,
        ids: &[
            ("122:grace:R11", SITE),
            ("123:grace:R60", ORDER),
            ("123:grace:R70", ORDER),
            ("123:grace:R78", ORDER),
            ("123:grace:R99", ORDER),
            ("116:grace:R12", INVENTORY),
            ("124:grace:R24", TICKET),
            ("124:grace:R49", TICKET),
            ("141:grace:R18", BILLING),
        ],
    },
    Family {
        side: Side::Seller,
        asks: "An id that nothing has is answered 404.",
        kept: by::NOT_FOUND,
        ids: &[
            ("121:grace:R20", ADDRESS),
            ("122:grace:R15", SITE),
            ("123:grace:R72", ORDER),
            ("124:grace:R25", TICKET),
            ("124:grace:R33", TICKET),
            ("124:grace:R39", TICKET),
            ("124:grace:R44", TICKET),
            ("124:grace:R50", TICKET),
            ("137:grace:R33", VISITS),
            ("137:grace:R39", VISITS),
            ("137:grace:R45", VISITS),
            ("137:grace:R52", VISITS),
        ],
    },
];

pub(super) fn rules() -> Vec<Rule> {
    let rules = FAMILIES.iter().flat_map(|family| {
        let level = if matches!(family.kept, Kept::Not(_)) { Level::Off } else { Level::Reject };
        let ids = family.ids.iter();
        ids.map(move |(id, functions)| row(id, functions, (family.side, level), family.asks, family.kept))
    });
    rules.collect()
}
