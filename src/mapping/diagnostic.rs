//! Numbers of what is said about mappings, and what each means in one line.
//!
//! `M1` structure, `M2` paths and schemas, `M3` values, codes and converters, `M4` overlays, `M5` operations,
//! `M6` the interface of a backend, `S1` scripts. Unknown, missing and mistyped keys have the numbers of `text::code`, as in any other file.

use crate::text::{Code, Meaning};

/// A part of the file is not of the form that the language has there.
pub const FORM: Code = Code("M101");
/// A word of the language that this version does not run yet.
pub const NOT_YET: Code = Code("M102");
/// Another version of the language.
pub const LANGUAGE: Code = Code("M103");
/// Operations without a function.
pub const NO_FUNCTION: Code = Code("M104");
/// A rule without a side.
pub const NO_SIDE: Code = Code("M105");
/// A rule that writes a place but has no source for it.
pub const NO_SOURCE: Code = Code("M106");
/// Keys of a rule that exclude each other.
pub const KEYS_CLASH: Code = Code("M107");
/// A key that has no effect on this form of rule.
pub const KEY_IDLE: Code = Code("M108");
/// A condition of a two-way rule that is tested on one side only.
pub const ONE_SIDED_IF: Code = Code("M109");
/// Something that works one way only, in a rule that is used both ways.
pub const ONE_WAY: Code = Code("M110");
/// A name that is given twice.
pub const TWICE: Code = Code("M111");
/// A shape that is not there.
pub const UNKNOWN_SHAPE: Code = Code("M112");
/// A shape that contains itself.
pub const RECURSION: Code = Code("M113");
/// A shape that nothing uses.
pub const UNUSED_SHAPE: Code = Code("M114");
/// A rule that no use of its shape runs.
pub const NEVER_RUNS: Code = Code("M115");
/// A file that a mapping set needs.
pub const NO_FILE: Code = Code("M116");
/// A rule that drops a place without effect.
pub const ELEMENTS: Code = Code("M117");
/// Two groups on one array with different keys.
pub const KEYS_DIFFER: Code = Code("M118");

/// A rule or row that stands twice.
pub const STANDS_TWICE: Code = Code("M119");
/// A branch or entry that can never be reached.
pub const UNREACHED: Code = Code("M120");

/// A text that is no path.
pub const PATH: Code = Code("M201");
/// A path that the contract does not have.
pub const NO_SUCH_PLACE: Code = Code("M202");
/// A query that does not compile.
pub const QUERY: Code = Code("M203");
/// A condition that does not compile.
pub const CONDITION: Code = Code("M204");
/// Two rules that write one place.
pub const TWO_WRITERS: Code = Code("M205");
/// A message type that the contract does not have.
pub const UNKNOWN_TYPE: Code = Code("M206");
/// A product without schema.
pub const UNKNOWN_PRODUCT: Code = Code("M207");
/// A required attribute of the answer that nothing provides.
pub const NOT_PROVIDED: Code = Code("M208");
/// A product name that set.yaml does not have.
pub const PRODUCT_NAME: Code = Code("M209");
/// A product condition at a place that has no product.
pub const NO_PRODUCT_HERE: Code = Code("M210");
/// An object or element made by rules that lacks what its type requires.
pub const LACKS: Code = Code("M211");
/// A required attribute of the answer that is written under a condition only.
pub const PROVIDED_SOMETIMES: Code = Code("M212");

/// Types that cannot meet.
pub const TYPES: Code = Code("M301");
/// A value outside an enumeration.
pub const NOT_IN_ENUM: Code = Code("M302");
/// A code table that is not there.
pub const UNKNOWN_TABLE: Code = Code("M303");
/// A row that says nothing.
pub const CODE_ROW: Code = Code("M304");
/// A code table that cannot be read in a direction that is used.
pub const NOT_READABLE: Code = Code("M305");
/// A text that is no converter call.
pub const CONVERTER: Code = Code("M306");
/// A canonical converter whose loss is not accepted.
pub const LOSS: Code = Code("M307");
/// `key(group)` of a group that is not there.
pub const UNKNOWN_KEY_GROUP: Code = Code("M308");
/// An argument of a converter that is no path.
pub const ARGUMENT: Code = Code("M309");
/// A code table that nothing uses.
pub const UNUSED_TABLE: Code = Code("M310");
/// A constant that cannot be written.
pub const CONSTANT: Code = Code("M311");
/// A problem code that the standard does not have.
pub const PROBLEM_CODE: Code = Code("M312");

/// An overlay of another mapping set.
pub const EXTENDS: Code = Code("M401");
/// A change that hits nothing.
pub const MISSES: Code = Code("M402");
/// An address that several rules have.
pub const AMBIGUOUS: Code = Code("M403");
/// A change that says none or several of add, change and remove.
pub const CHANGE: Code = Code("M404");
/// Overlays that extend each other in a circle.
pub const OVERLAY_CIRCLE: Code = Code("M405");
/// More overlays on each other than allowed.
pub const OVERLAYS: Code = Code("M406");

/// An operation that the contract does not have.
pub const UNKNOWN_OPERATION: Code = Code("M501");
/// A function that the release does not have.
pub const UNKNOWN_FUNCTION: Code = Code("M502");
/// A text that is no call.
pub const CALL: Code = Code("M503");
/// A placeholder that is not known.
pub const PLACEHOLDER: Code = Code("M504");
/// A call that is named and not there, or not before.
pub const CALL_NAME: Code = Code("M505");
/// An entry of `on` that cannot work.
pub const ON_ENTRY: Code = Code("M506");
/// Paging that cannot work.
pub const PAGING: Code = Code("M507");
/// An answer that the operation does not have, or lacks.
pub const ANSWER: Code = Code("M508");
/// A shape used for a message type that it is not for.
pub const SHAPE_TYPE: Code = Code("M509");
/// A duration that cannot be read.
pub const DURATION: Code = Code("M510");
/// A name that XML does not have.
pub const XML_NAME: Code = Code("M511");
/// An element of `namespaces` or `lists` that no rule has.
pub const UNUSED_NAME: Code = Code("M512");

/// A filter of a list that is none, or is not sent.
pub const FILTER: Code = Code("M513");

/// A message of the legacy system that does not say of what it speaks.
pub const NEWS: Code = Code("M514");

/// A call of which it cannot be found out whether it was made.
pub const RECOVER: Code = Code("M515");

/// Something that is asked for again and again, and does not say by what.
pub const WATCH: Code = Code("M516");

/// What our procurement system is offered, and does not fit the operation.
pub const EXPOSES: Code = Code("M517");

/// Something is made, and nothing says under which id the legacy system has it.
pub const NO_LEGACY_ID: Code = Code("M518");

/// A message of XML that would have several roots, or an element that is a list only where it occurs twice.
pub const XML_FORM: Code = Code("M519");

/// A call that the backend's interface does not have.
pub const NO_SUCH_CALL: Code = Code("M601");
/// A parameter that a call of the interface does not have.
pub const NO_SUCH_PARAMETER: Code = Code("M602");
/// A path that the interface does not have.
pub const NO_LEGACY_PLACE: Code = Code("M603");
/// A value that can never be of the type that the interface has.
pub const LEGACY_TYPES: Code = Code("M604");
/// A value outside an enumeration of the interface.
pub const LEGACY_VALUE: Code = Code("M605");
/// A schema that the interface does not have.
pub const LEGACY_SCHEMA: Code = Code("M606");
/// A shape whose schema is that of none of its calls.
pub const LEGACY_SHAPE: Code = Code("M607");
/// Something that the interface requires and nothing writes.
pub const LEGACY_REQUIRED: Code = Code("M608");
/// A date or time in another format than that of the interface.
pub const LEGACY_FORMAT: Code = Code("M609");
/// A legacy word that stands once and is near one that stands often.
pub const STANDS_ONCE: Code = Code("M610");
/// Something that the interface requires and that is written under a condition only.
pub const LEGACY_SOMETIMES: Code = Code("M611");

/// A member that one release has and the other has not, and no rule of the bridge speaks of.
pub const BRIDGE_LOST: Code = Code("M701");
/// A member that a release requires, and nothing of the bridge writes.
pub const BRIDGE_LACKS: Code = Code("M702");
/// An operation that one release has and the other has not, and the bridge does not say so.
pub const BRIDGE_OPERATION: Code = Code("M703");
/// A product of a bridge without a schema.
pub const BRIDGE_PRODUCT: Code = Code("M704");

/// A script that does not compile.
pub const SCRIPT: Code = Code("S101");
/// functions.rhai does not compile.
pub const FUNCTIONS: Code = Code("S102");
/// An input of a script that is no path.
pub const SCRIPT_INPUT: Code = Code("S103");

/// A fact that there is not.
pub const NO_FACT: Code = Code("S104");

/// Codes of the mapping language.
pub const CODES: &[Meaning] = &[
    Meaning::new(FORM, "This part of the file does not have the form that the language has at this place."),
    Meaning::new(NOT_YET, "The word is part of the language, but this version does not run it."),
    Meaning::new(LANGUAGE, "The mapping set is written in a version of the language that is not known."),
    Meaning::new(
        NO_FUNCTION,
        "Operations are keyed by operationId within a function; name it by `function:`.",
    ),
    Meaning::new(NO_SIDE, "A rule names a place on the Sonata side, on the legacy side, or on both."),
    Meaning::new(NO_SOURCE, "A rule with one side needs a source: value, from or script."),
    Meaning::new(KEYS_CLASH, "Two keys of one rule exclude each other; make it two rules."),
    Meaning::new(KEY_IDLE, "The key has no effect on a rule of this form; take it out or complete the form."),
    Meaning::new(
        ONE_SIDED_IF,
        "A rule used both ways is tested on the side that is read: give a condition for each side, or `only:`.",
    ),
    Meaning::new(ONE_WAY, "What the rule does has no way back; restrict it by `only:` or give the way back."),
    Meaning::new(TWICE, "The name is given twice; one of the two would never be used."),
    Meaning::new(UNKNOWN_SHAPE, "No file of the mapping set has a shape of this name."),
    Meaning::new(RECURSION, "A shape may not contain itself, directly or through others."),
    Meaning::new(UNUSED_SHAPE, "No operation and no other shape uses this shape."),
    Meaning::new(NEVER_RUNS, "The rule is in none of the messages that its shape is used for."),
    Meaning::new(NO_FILE, "A mapping set needs this file, or does not read one of this name."),
    Meaning::new(ELEMENTS, "`[*]` stands on one side only: nothing says which element meets the other side."),
    Meaning::new(
        KEYS_DIFFER,
        "Two groups that write one array must have equal keys, so that elements merge.",
    ),
    Meaning::new(STANDS_TWICE, "A rule or row stands a second time: probably it was copied to be changed."),
    Meaning::new(UNREACHED, "Something before it takes all that this branch or entry could take."),
    Meaning::new(PATH, "The text is not a field path."),
    Meaning::new(NO_SUCH_PLACE, "The contract of this release has no such attribute at this place."),
    Meaning::new(QUERY, "The text is not a query of RFC 9535, or uses what is refused here."),
    Meaning::new(CONDITION, "The text is not what RFC 9535 allows behind `?`, or uses what is refused here."),
    Meaning::new(TWO_WRITERS, "Two rules write one place; only branches of one `one_of` may."),
    Meaning::new(UNKNOWN_TYPE, "The contract of this function has no message type of this name."),
    Meaning::new(UNKNOWN_PRODUCT, "No schema of this product is known: its attributes are not checked."),
    Meaning::new(
        NOT_PROVIDED,
        "The contract requires the attribute, and no rule, echo or custody provides it.",
    ),
    Meaning::new(PRODUCT_NAME, "set.yaml has no product of this short name."),
    Meaning::new(NO_PRODUCT_HERE, "At this place there is no product whose type could be tested."),
    Meaning::new(LACKS, "Rules make an object or element that lacks an attribute which its type requires."),
    Meaning::new(
        PROVIDED_SOMETIMES,
        "The contract requires the attribute, and only rules with a condition write it.",
    ),
    Meaning::new(TYPES, "What the rule writes can never be of the type that the contract has there."),
    Meaning::new(NOT_IN_ENUM, "The contract lists the values of this attribute, and this is none of them."),
    Meaning::new(UNKNOWN_TABLE, "codes.yaml has no table of this name."),
    Meaning::new(CODE_ROW, "A row of a code table has at least one value on at least one side."),
    Meaning::new(NOT_READABLE, "The table gives a value two meanings in a direction that a rule uses."),
    Meaning::new(CONVERTER, "The converter is not known, or its arguments do not fit."),
    Meaning::new(LOSS, "The converter gives up information there and back; the rule must accept that."),
    Meaning::new(UNKNOWN_KEY_GROUP, "`key(...)` names a group with `key:` of the same message."),
    Meaning::new(ARGUMENT, "The argument of the converter is not a field path."),
    Meaning::new(UNUSED_TABLE, "No rule uses this code table."),
    Meaning::new(CONSTANT, "The value cannot be written as JSON at this place."),
    Meaning::new(PROBLEM_CODE, "The standard has no problem code of this name for 422."),
    Meaning::new(EXTENDS, "The overlay extends another mapping set than the one that it is used with."),
    Meaning::new(MISSES, "The change hits nothing; perhaps the mapping set has changed since."),
    Meaning::new(AMBIGUOUS, "Several rules have this address; give the one that is meant a `name:`."),
    Meaning::new(CHANGE, "An entry is one of `add`, `change` and `remove`, with the keys that belong to it."),
    Meaning::new(OVERLAY_CIRCLE, "An overlay extends others that extend it."),
    Meaning::new(OVERLAYS, "More overlays lie on each other than are read."),
    Meaning::new(UNKNOWN_OPERATION, "The contract of this function has no operation of this operationId."),
    Meaning::new(UNKNOWN_FUNCTION, "The release has no function of this name."),
    Meaning::new(CALL, "A call is a method and an address: `POST /v2/offers`."),
    Meaning::new(PLACEHOLDER, "The placeholder is not known at this place."),
    Meaning::new(CALL_NAME, "The call named here is not there, or does not stand before this one."),
    Meaning::new(ON_ENTRY, "An entry of `on` says which replies it takes, and what they become."),
    Meaning::new(
        PAGING,
        "Paging says how the next page is asked for, in one way, of a list that one call reads.",
    ),
    Meaning::new(ANSWER, "What `answer` says and what the operation answers do not fit."),
    Meaning::new(SHAPE_TYPE, "The shape says which message types it is for, and this is none of them."),
    Meaning::new(DURATION, "A duration is a number and a unit: 30s, 10m, 12h, 90d."),
    Meaning::new(
        XML_NAME,
        "XML has no element or attribute of this name: `a.b`, `@name` and `#text` are its paths.",
    ),
    Meaning::new(UNUSED_NAME, "No rule has an element of this name; perhaps it is misspelt."),
    Meaning::new(FILTER, "A filter that the legacy system settles is one of the list, and is sent."),
    Meaning::new(
        NEWS,
        "What the legacy system tells is of one kind of entity, or of items, that it names by its id.",
    ),
    Meaning::new(
        RECOVER,
        "A look-up says what was made and when nothing was, for all calls of the operation that change something.",
    ),
    Meaning::new(
        WATCH,
        "What is watched is asked for by a GET, in which nothing is put but the cursor that the reply before has named.",
    ),
    Meaning::new(EXPOSES, "What is exposed and the Seller's operation behind it do not fit."),
    Meaning::new(NO_LEGACY_ID, "Nothing says under which id the legacy system has what an operation makes."),
    Meaning::new(
        XML_FORM,
        "A message of XML has one root element, and `lists:` names what may occur in it several times.",
    ),
    Meaning::new(NO_SUCH_CALL, "The backend's interface file has no such path, or not this method of it."),
    Meaning::new(NO_SUCH_PARAMETER, "The call has no such parameter in the backend's interface file."),
    Meaning::new(
        NO_LEGACY_PLACE,
        "The body of this call has no such member in the backend's interface file.",
    ),
    Meaning::new(
        LEGACY_TYPES,
        "What is written or read here can never be of the type that the backend's interface has.",
    ),
    Meaning::new(
        LEGACY_VALUE,
        "The backend's interface lists the values of this member, and this is none of them.",
    ),
    Meaning::new(LEGACY_SCHEMA, "The backend's interface file has no schema of this name."),
    Meaning::new(
        LEGACY_SHAPE,
        "The calls that use the shape have another schema than the one that it names.",
    ),
    Meaning::new(
        LEGACY_REQUIRED,
        "The backend's interface requires this in a message, and nothing writes it.",
    ),
    Meaning::new(
        LEGACY_FORMAT,
        "The backend's interface names a format here, and the converter writes another.",
    ),
    Meaning::new(
        STANDS_ONCE,
        "A legacy name or word stands once, and another with nearly its letters several times.",
    ),
    Meaning::new(
        LEGACY_SOMETIMES,
        "The backend's interface requires this in a message, and only rules with a condition write it.",
    ),
    Meaning::new(
        BRIDGE_LOST,
        "Of what only one release has, a bridge says what becomes: a rule carries it or drops it.",
    ),
    Meaning::new(BRIDGE_LACKS, "The release requires the attribute, and nothing of the bridge writes it."),
    Meaning::new(
        BRIDGE_OPERATION,
        "Of an operation that only one release has, a bridge says its other name or why there is none.",
    ),
    Meaning::new(BRIDGE_PRODUCT, "A bridge carries the attributes of products whose schemas are known."),
    Meaning::new(SCRIPT, "The script does not compile."),
    Meaning::new(FUNCTIONS, "functions.rhai does not compile; no script can use it."),
    Meaning::new(SCRIPT_INPUT, "An input of a script is a name and a path of the side that is read."),
    Meaning::new(NO_FACT, "`facts` has no member of this name, or the partner no such setting."),
];

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn codes_are_in_order_and_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(CODES.iter().all(|meaning| meaning.text.ends_with('.') && meaning.text.len() <= 110));
    }
}
