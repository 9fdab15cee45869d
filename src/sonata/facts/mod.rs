//! Facts: what the interface files of the standard require, in a line-based form of our own.
//!
//! A facts file holds names, types, cardinalities, enumerations, formats, bounds, polymorphism, operations with
//! their parameters, statuses and bodies, and product schemas; no sentence of the SDK. It is written by
//! [`super::import`] and embedded. Lines are short and in the order of the source, so that a new release shows as
//! a readable difference. This module is the file as data ([`File`]) with its reader and writer; what the
//! program works with is compiled from it ([`super::Types`]).
//!
//! ```text
//! facts 1
//! api quote 8.0.1 quoteManagement
//!
//! operation GET /quote listQuote
//!   query state QuoteStateType
//!   query offset integer
//!   200 [Quote_Find] paged
//!   400 Error400
//!
//! object Error400 : Error                        members of `Error` and these; several bases are allowed
//!   code! Error400Code                           `!` is required
//! object RelatedPlaceRefOrValue
//!   @type! string
//!   + when @type FieldedAddress FieldedAddress   polymorphic: the member, its value, the type then
//! object MEFProductConfiguration
//!   @type! string
//!   + product @type                              the value names a product schema
//! partial Duration/1                             as `object`, but only holds where there is an object
//!   + require amount units                       required without being described
//! enum Error400Code
//!   missingQueryParameter
//! value Note string length ..255
//! value Address string
//!   + oneof Address/1 Address/2
//! product urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all AccessElineOvc
//! ```
//! Expressions: a type's name; `any`, `string`, `number`, `integer`, `boolean`, `object` with `format X`,
//! `length A..B`, `min N`, `max N`, `pattern "R"`; `[E]` with `A..B` and `unique`. Members may end with
//! `default V` and `readonly`. Words with blanks stand in double quotes.

mod read;
mod token;
mod write;

pub use read::{FactsError, read};

/// One facts file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// The API it describes; none in a file of products.
    pub api: Option<Api>,
    /// Operations, in the order of the interface file.
    pub operations: Vec<Operation>,
    /// Products by `@type`.
    pub products: Vec<Product>,
    /// Types, in the order of the interface file.
    pub types: Vec<Type>,
}

/// Which API a file describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// [`super::Function::name`].
    pub function: String,
    /// Version as the interface file states it, such as `8.0.1`.
    pub version: String,
    /// Path segment after `/mefApi/sonata/`.
    pub segment: String,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path template below the version, such as `/quote/{id}`.
    pub path: String,
    /// The standard's operationId; unique only within an API, and some contain blanks.
    pub id: String,
    /// Query parameters.
    pub query: Vec<Member>,
    /// Type of the request body.
    pub request: Option<Expression>,
    /// Responses in ascending order of status.
    pub responses: Vec<Response>,
}

/// One status of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Type of the body; none if there is no body.
    pub body: Option<Expression>,
    /// Whether the paging headers are declared.
    pub paged: bool,
}

/// One product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The `@type` of its configurations.
    pub urn: String,
    /// The type that they conform to.
    pub type_name: String,
}

/// A named type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Type {
    /// Name, unique within the file.
    pub name: String,
    /// What it is.
    pub form: Form,
    /// Groups of alternatives: of each group exactly one holds.
    pub one_of: Vec<Vec<String>>,
}

/// What a named type is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// An object.
    Object(Object),
    /// One of these texts.
    Enum(Vec<String>),
    /// Another name for an expression.
    Value(Expression),
}

impl Default for Form {
    fn default() -> Self {
        Form::Value(Expression::Scalar(Scalar::default()))
    }
}

/// Members of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// Whether it says only what holds where there is an object, and allows other values.
    pub partial: bool,
    /// Types whose members it has too.
    pub bases: Vec<String>,
    /// Members.
    pub members: Vec<Member>,
    /// Required members that are not described here.
    pub require: Vec<String>,
    /// Least number of members.
    pub members_min: Option<u32>,
    /// The member that tells the derived type.
    pub discriminator: Option<Discriminator>,
}

/// Polymorphism by the value of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discriminator {
    /// A fixed list: member, then value and type.
    Cases(String, Vec<(String, String)>),
    /// The value of this member names a product schema.
    Product(String),
}

/// A member of an object, or a query parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// Its type.
    pub value: Expression,
    /// What holds if it is absent, as text.
    pub default: Option<String>,
    /// Whether only the answering party sends it.
    pub read_only: bool,
}

/// A type where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A named type.
    Named(String),
    /// A single value.
    Scalar(Scalar),
    /// A list.
    Array(Box<Array>),
}

/// Kinds of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Whatever JSON allows.
    #[default]
    Any,
    /// A string.
    String,
    /// A number.
    Number,
    /// A number without fraction.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// An object of which nothing is said.
    Object,
}

impl Kind {
    /// All kinds.
    pub(crate) const ALL: [Kind; 6] =
        [Kind::Any, Kind::String, Kind::Number, Kind::Integer, Kind::Boolean, Kind::Object];

    /// The word in facts files.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Any => "any",
            Kind::String => "string",
            Kind::Number => "number",
            Kind::Integer => "integer",
            Kind::Boolean => "boolean",
            Kind::Object => "object",
        }
    }
}

/// A single value and its bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scalar {
    /// Its kind.
    pub kind: Kind,
    /// Its format, by the standard's name.
    pub format: Option<String>,
    /// Shortest and longest length in characters.
    pub length: Range,
    /// Least value, as the text of a number.
    pub min: Option<String>,
    /// Greatest value, as the text of a number.
    pub max: Option<String>,
    /// Regular expression that occurs in the text.
    pub pattern: Option<String>,
}

/// A list and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// Type of the elements.
    pub item: Expression,
    /// Least and greatest number of elements.
    pub size: Range,
    /// Whether no two elements are equal.
    pub unique: bool,
}

/// Bounds, both inclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// Least.
    pub min: Option<u32>,
    /// Greatest.
    pub max: Option<u32>,
}

impl Range {
    /// Whether nothing is bounded.
    pub fn is_open(self) -> bool {
        self.min.is_none() && self.max.is_none()
    }
}

#[cfg(test)]
mod tests;
