//! Codes of reading the configuration folder.

use crate::text::{Code, Meaning};

/// A file or folder cannot be read.
pub const UNREADABLE: Code = Code("C100");
/// More files, or larger ones, than allowed.
pub const TOO_MUCH: Code = Code("C101");
/// `segue.yaml` is missing.
pub const NO_GATEWAY: Code = Code("C102");
/// A file that has no job in the folder.
pub const STRAY_FILE: Code = Code("C103");
/// The name in the file is not the file's name.
pub const NAME_DIFFERS: Code = Code("C104");
/// A name with other characters than names have.
pub const BAD_NAME: Code = Code("C105");
/// A setting that this version does not obey.
pub const LATER: Code = Code("C106");
/// Not an address with port.
pub const BAD_ADDRESS: Code = Code("C110");
/// Two listeners on one address.
pub const SAME_ADDRESS: Code = Code("C111");
/// A listener that must be on loopback.
pub const NOT_LOOPBACK: Code = Code("C112");
/// A partner accepted without credentials on an open listener.
pub const OPEN_LOOPBACK_PARTNER: Code = Code("C113");
/// Not an http or https URL that can be a base.
pub const BAD_URL: Code = Code("C120");
/// Not a header name, or one that must not be forwarded.
pub const BAD_HEADER: Code = Code("C121");
/// Credentials go over an unencrypted connection.
pub const UNENCRYPTED: Code = Code("C122");
/// More or less than one of several keys.
pub const ONE_OF: Code = Code("C123");
/// Not a base path.
pub const BAD_BASE_PATH: Code = Code("C124");
/// `tls` where nothing is encrypted.
pub const TLS_UNUSED: Code = Code("C125");
/// Two partners that cannot be told apart.
pub const SAME_PARTNER: Code = Code("C130");
/// A name that does not exist.
pub const UNKNOWN_NAME: Code = Code("C131");
/// A route that can never be taken, or no route.
pub const ROUTES: Code = Code("C132");
/// Something stands twice in a list.
pub const TWICE: Code = Code("C133");
/// Not a product type.
pub const BAD_TYPE: Code = Code("C134");
/// Not a condition.
pub const BAD_CONDITION: Code = Code("C135");
/// A rule that the settings do not decide over.
pub const BAD_RULE: Code = Code("C136");
/// Not the name of a listener.
pub const BAD_LISTENER: Code = Code("C140");
/// A secret that stands in the file.
pub const LITERAL_SECRET: Code = Code("C200");
/// A reference to a secret that is not there.
pub const SECRET_MISSING: Code = Code("C201");
/// A secret that everybody knows.
pub const SECRET_WELL_KNOWN: Code = Code("C202");
/// A secret that cannot be sent.
pub const SECRET_UNUSABLE: Code = Code("C203");

/// What each code means.
pub const CODES: &[Meaning] = &[
    Meaning::new(UNREADABLE, "A file or folder of the configuration cannot be read, or is not UTF-8."),
    Meaning::new(TOO_MUCH, "The folder holds more or larger files than are read."),
    Meaning::new(NO_GATEWAY, "The configuration folder has no segue.yaml."),
    Meaning::new(
        STRAY_FILE,
        "A file is neither segue.yaml nor in backends/ or partners/; nothing is ignored.",
    ),
    Meaning::new(NAME_DIFFERS, "The name in a file must be the name of the file."),
    Meaning::new(BAD_NAME, "A name has 1 to 64 small letters, digits and dashes."),
    Meaning::new(LATER, "The setting is known, but this version does not obey it."),
    Meaning::new(BAD_ADDRESS, "An address is an IP address and a port, such as 127.0.0.1:8080."),
    Meaning::new(SAME_ADDRESS, "Two listeners must not share an address."),
    Meaning::new(NOT_LOOPBACK, "A listener without credentials must be on a loopback address."),
    Meaning::new(OPEN_LOOPBACK_PARTNER, "Identification by loopback needs a Sonata listener on loopback."),
    Meaning::new(BAD_URL, "A base URL is http or https with a host, without user, query and fragment."),
    Meaning::new(BAD_HEADER, "The header name is none, or this header is never forwarded."),
    Meaning::new(UNENCRYPTED, "Credentials would be sent over plain http to another machine."),
    Meaning::new(ONE_OF, "Exactly one of several keys is needed."),
    Meaning::new(BAD_BASE_PATH, "A base path is empty or begins with / and has plain segments."),
    Meaning::new(TLS_UNUSED, "Trust and certificates have no effect where everything goes over plain http."),
    Meaning::new(SAME_PARTNER, "Two partners cannot be told apart by how they are identified."),
    Meaning::new(UNKNOWN_NAME, "The name does not exist in this configuration or in the standard."),
    Meaning::new(ROUTES, "A partner needs a route that can be taken; the one without condition is last."),
    Meaning::new(TWICE, "The same thing stands twice."),
    Meaning::new(BAD_TYPE, "A product type is a urn: name or the short name of a product."),
    Meaning::new(BAD_CONDITION, "The condition is not what RFC 9535 allows after `?`."),
    Meaning::new(BAD_RULE, "The rule always holds, is not checked, or is of a release that is not spoken."),
    Meaning::new(BAD_LISTENER, "What is allowed is a host name, an address, a network or http://host:port."),
    Meaning::new(LITERAL_SECRET, "A secret is a reference, env or file, and never stands in a file itself."),
    Meaning::new(SECRET_MISSING, "The environment variable or file of a secret is not there or empty."),
    Meaning::new(SECRET_WELL_KNOWN, "The secret is a well-known default."),
    Meaning::new(SECRET_UNUSABLE, "The secret has characters that cannot be sent, or is too long."),
];
