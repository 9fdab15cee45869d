//! How messages look on a legacy wire: documents to bytes and bytes to documents, for JSON, XML, SOAP, forms and text.
//!
//! A mapping only knows documents. This room writes them in the form that a backend speaks, and reads its answers
//! under limits. XML has no entities of its own here, no document type and nothing external; what XML cannot say
//! (a control character, an array in an array) is a failure, never broken XML.
//!
//! | XML | document |
//! |---|---|
//! | `<a>x</a>`, `<a/>` | `"a": "x"`, `"a": ""` |
//! | `<a b="1">x</a>` | `"a": { "@b": "1", "#text": "x" }` |
//! | `<a><c>1</c><c>2</c></a>` | `"a": { "c": [ "1", "2" ] }`; one `c` is no array, unless it is in `lists` |
//! | `<a xsi:nil="true"/>` | `"a": null` |
//!
//! Everything else is text: numbers stay as they are written. Text beside elements is refused.

mod charset;
mod error;
mod form;
mod meaning;
mod name;
mod names;
mod read;
mod soap;
mod tree;
mod wire;
mod write;

pub use error::FormatError;
pub use meaning::lines;
pub use name::{is_name, is_text};
pub use names::{Names, Namespace};
pub use read::read_xml;
pub use soap::{Action, Soap, SoapVersion};
pub use wire::{Fault, Format, Incoming, Outgoing, decode, encode, media_type, text};
pub use write::write_xml;

#[cfg(test)]
mod tests;
