//! Why a message cannot be read or written. For the operator, never for a partner.

/// Why a body is no message of its format, or a document cannot be said in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The bytes are no text in the character set that they claim.
    #[error("no text in {0}")]
    Charset(String),
    /// A character set that is not read.
    #[error("the character set {0:?} is not known")]
    UnknownCharset(String),
    /// Not well-formed.
    #[error("no well-formed XML at byte {offset}: {detail}")]
    Syntax {
        /// Where.
        offset: u64,
        /// What.
        detail: String,
    },
    /// `<!DOCTYPE`: not read, whatever it says.
    #[error("XML with a document type")]
    Doctype,
    /// An entity beside the five that XML has.
    #[error("XML with an entity of its own")]
    Entity,
    /// Text beside elements.
    #[error("XML with text beside the elements of `{0}`")]
    Mixed(String),
    /// Two elements or attributes of one name and different namespaces in one element.
    #[error("XML with `{0}` of two namespaces in one element")]
    Ambiguous(String),
    /// More than allowed.
    #[error("XML with more than {max} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// No SOAP envelope of the backend's version.
    #[error("no SOAP envelope: {0}")]
    Envelope(&'static str),
    /// `multipart/…`: SOAP with attachments, MTOM.
    #[error("a multipart body, which is not read")]
    Multipart,
    /// Another media type than the format has.
    #[error("media type {found:?}, not {wanted}")]
    MediaType {
        /// What came.
        found: String,
        /// What the format has.
        wanted: &'static str,
    },
    /// JSON that is none.
    #[error("no JSON document: {0}")]
    Json(String),
    /// A document that the format cannot say.
    #[error("at {pointer:?}: {what}")]
    Unsayable {
        /// JSON Pointer into the document.
        pointer: String,
        /// Why.
        what: &'static str,
        /// Whether another value would do: it is the sender's, not the mapping's fault.
        value: bool,
    },
}
