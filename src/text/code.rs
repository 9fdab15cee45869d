//! Numbers of diagnostics, and what each means in one line.
//!
//! A number is never given twice and never changes its meaning: people write it into tickets and search for it.
//! Each room that reports keeps a table `CODES` of its own beside the checks; a test reads them all and holds
//! that none repeats. The letter is the area: `Y` YAML, `C` configuration, `M` mapping, `S` script, `P` plan.

use std::fmt;

/// Stable number of one kind of diagnostic, such as `Y104`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One row of a room's table of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The number.
    pub code: Code,
    /// What is wrong and what to do, in one line.
    pub text: &'static str,
}

impl Meaning {
    /// A row of a table.
    pub const fn new(code: Code, text: &'static str) -> Self {
        Self { code, text }
    }
}

/// The file is not YAML.
pub const SYNTAX: Code = Code("Y100");
/// Beyond the byte limit of a file.
pub const TOO_LARGE: Code = Code("Y101");
/// Beyond the depth limit.
pub const TOO_DEEP: Code = Code("Y102");
/// Beyond the limit of nodes.
pub const TOO_MANY_NODES: Code = Code("Y103");
/// A key stands twice in one mapping.
pub const DUPLICATE_KEY: Code = Code("Y104");
/// A key that is no scalar.
pub const KEY_NOT_TEXT: Code = Code("Y105");
/// An anchor or alias.
pub const ANCHOR: Code = Code("Y106");
/// A tag.
pub const TAG: Code = Code("Y107");
/// The merge key `<<`.
pub const MERGE_KEY: Code = Code("Y108");
/// More than one document in a file.
pub const SEVERAL_DOCUMENTS: Code = Code("Y109");
/// A tab.
pub const TAB: Code = Code("Y110");
/// Nothing in the file.
pub const EMPTY_FILE: Code = Code("Y111");
/// Unquoted text inside `{ }` or `[ ]` that YAML reads otherwise than it looks.
pub const UNQUOTED: Code = Code("Y112");
/// A colon without a blank after it inside `{ }`.
pub const COLON: Code = Code("Y113");
/// A key without a value inside `{ }`.
pub const NO_VALUE: Code = Code("Y114");
/// A key that is not known here.
pub const UNKNOWN_KEY: Code = Code("Y120");
/// A key that is required here.
pub const MISSING_KEY: Code = Code("Y121");
/// Another kind of node was expected.
pub const WRONG_KIND: Code = Code("Y122");
/// Neither `true` nor `false`.
pub const NOT_BOOLEAN: Code = Code("Y123");
/// Not a whole number.
pub const NOT_INTEGER: Code = Code("Y124");
/// A number outside its bounds.
pub const OUT_OF_RANGE: Code = Code("Y125");
/// None of the listed words.
pub const NOT_A_CHOICE: Code = Code("Y126");
/// Nothing, or an empty text, where a text is needed.
pub const EMPTY_TEXT: Code = Code("Y127");

/// Codes of reading YAML.
pub const CODES: &[Meaning] = &[
    Meaning::new(SYNTAX, "The file is not valid YAML; the parser stopped at the place shown."),
    Meaning::new(TOO_LARGE, "The file is larger than a source file may be; split it."),
    Meaning::new(TOO_DEEP, "The file nests deeper than allowed; name a part and refer to it."),
    Meaning::new(TOO_MANY_NODES, "The file has more values than allowed; split it."),
    Meaning::new(DUPLICATE_KEY, "A key stands twice in one mapping; YAML would drop one of them silently."),
    Meaning::new(KEY_NOT_TEXT, "A key is a mapping or a sequence; keys are plain text."),
    Meaning::new(ANCHOR, "Anchors (&) and aliases (*) are refused; write the value out, or quote the text."),
    Meaning::new(TAG, "Tags (!) are refused; the type of a value follows from where it stands."),
    Meaning::new(MERGE_KEY, "The merge key << is refused; write the members out."),
    Meaning::new(SEVERAL_DOCUMENTS, "A file holds one document; move what follows --- to a file of its own."),
    Meaning::new(TAB, "Tabs are refused; indent with spaces, and write \\t inside double quotes."),
    Meaning::new(EMPTY_FILE, "The file holds nothing but blanks and comments."),
    Meaning::new(UNQUOTED, "Inside { } and [ ], text with brackets, braces, commas or ': ' must be quoted."),
    Meaning::new(COLON, "A colon needs a blank after it, otherwise it is part of the key."),
    Meaning::new(NO_VALUE, "A key inside { } has no value; often the value before it needs quotes."),
    Meaning::new(UNKNOWN_KEY, "The key is not known at this place; nothing is ever ignored."),
    Meaning::new(MISSING_KEY, "A key that is required at this place is missing."),
    Meaning::new(
        WRONG_KIND,
        "A mapping, a sequence or a single value stands where another of these is expected.",
    ),
    Meaning::new(NOT_BOOLEAN, "Only true and false, unquoted, are accepted here."),
    Meaning::new(NOT_INTEGER, "Only a whole number, unquoted and without sign, is accepted here."),
    Meaning::new(OUT_OF_RANGE, "The number is outside the bounds of this setting."),
    Meaning::new(NOT_A_CHOICE, "The value is none of the words that this key accepts."),
    Meaning::new(EMPTY_TEXT, "The value is empty where a text is needed."),
];
