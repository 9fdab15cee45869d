//! What the checker asks about messages, of the standard and of legacy systems.
//!
//! The language knows no contract and no interface file: the plan answers these questions from the catalogue of one
//! release and from the interface file of each backend, and a bridge will answer them from two releases. An answer is about
//! types, never about a document.

use std::fmt::Debug;

/// A type of a contract or of a product schema; only the [`Schema`] that gave it knows what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u64);

/// The JSON kind of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An object with known members.
    Object,
    /// An array.
    Array,
    /// A string, whatever its format.
    Text,
    /// A number.
    Number,
    /// A number without fraction.
    Integer,
    /// A boolean.
    Boolean,
    /// Anything: not checked.
    Any,
}

impl Kind {
    /// The kind in words, for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::Any => "anything",
        }
    }
}

/// A member of an object type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its type.
    pub ty: TypeId,
    /// Whether the contract requires it.
    pub required: bool,
}

/// What is known about a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// The type has it.
    Found(Member),
    /// The type does not have it.
    Missing,
    /// The members of this type are not known: nothing can be said.
    Open,
}

/// The messages of one operation.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and none follows from another")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperationFacts {
    /// Name of the type of the request body.
    pub request: Option<String>,
    /// Name of the type of the success body; of its elements where it is a list.
    pub answer: Option<String>,
    /// Whether several entities are answered, one message for each. The contract may still have them in an array or not.
    pub list: bool,
    /// Whether the success body is an array of them.
    pub is_array: bool,
    /// Names of the query parameters.
    pub query: Vec<String>,
    /// Types of the values of the query parameters, in the same order; none: not checked.
    pub query_types: Vec<Option<TypeId>>,
    /// The query parameters that filter a list.
    pub filters: Vec<FilterFacts>,
    /// Whether each answered entity is kept whole on the side that answers, so that any of its attributes can be
    /// looked at.
    pub kept: bool,
    /// Whether it makes an entity.
    pub makes: bool,
    /// Names of the path parameters.
    pub path: Vec<String>,
    /// Type of the create message whose attributes the answer repeats, on the side that keeps it.
    pub echo: Option<String>,
    /// Member names that custody provides at any depth of the answer: ids, `href`, dates, history.
    pub custody: Vec<String>,
}

/// A kind of entities, as the standard has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindFacts {
    /// Its name.
    pub kind: String,
    /// The function whose messages carry it.
    pub function: String,
    /// The operation that answers one of them by its id.
    pub retrieve: String,
    /// The array of its items, where these were named.
    pub items: Option<String>,
    /// The array of its items, where it has some.
    pub has_items: Option<String>,
    /// Whether it is nobody's, as what a public catalogue has, and its ids are the legacy system's own.
    pub is_public: bool,
}

/// A query parameter that filters a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterFacts {
    /// Its name.
    pub name: String,
    /// The places of the answered entity that it reads, any of them: member names joined by dots.
    pub places: Vec<String>,
}

/// How long a value of a type may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The most characters of a text.
    pub length_max: Option<u32>,
    /// The fewest elements of an array.
    pub items_min: u32,
    /// The most elements.
    pub items_max: Option<u32>,
}

/// Types of one side, whatever describes them.
pub trait Types {
    /// What describes them, as messages name it: `the contract`.
    fn title(&self) -> &str;

    /// The JSON kind of a type.
    fn kind(&self, ty: TypeId) -> Kind;

    /// The type of an array's elements.
    fn element(&self, ty: TypeId) -> Option<TypeId>;

    /// A member of an object type. `discriminator` is the literal `@type` that is known to stand there; where it
    /// is not known, a member of any derived type is found.
    fn member(&self, ty: TypeId, name: &str, discriminator: Option<&str>) -> Lookup;

    /// All members of an object type, derived ones as in [`Types::member`].
    fn members(&self, ty: TypeId, discriminator: Option<&str>) -> Vec<(String, Member)>;

    /// Values of an enumeration; empty where any value of the kind is allowed.
    fn values(&self, ty: TypeId) -> Vec<String>;

    /// Values of `@type` that pick a derived type; empty where nothing is derived.
    fn variants(&self, ty: TypeId) -> Vec<String> {
        let _ = ty;
        Vec::new()
    }

    /// The derived type that a value of `@type` picks.
    fn variant(&self, ty: TypeId, value: &str) -> Option<TypeId> {
        let _ = (ty, value);
        None
    }

    /// Whether the members of this type are those of the product that its `@type` names.
    fn is_configuration(&self, ty: TypeId) -> bool {
        let _ = ty;
        false
    }

    /// `format:` of a type: `date`, `date-time` and the like.
    fn format(&self, ty: TypeId) -> Option<String> {
        let _ = ty;
        None
    }

    /// How long a value of a type may be.
    fn limits(&self, ty: TypeId) -> Limits {
        let _ = ty;
        Limits::default()
    }

    /// Its name in the contract; of what has none, one of our making or nothing.
    fn name(&self, ty: TypeId) -> Option<String> {
        let _ = ty;
        None
    }

    /// Types of which exactly one holds besides; their members are not among [`Types::members`].
    fn alternatives(&self, ty: TypeId) -> Vec<TypeId> {
        let _ = ty;
        Vec::new()
    }

    /// The schema of a product by the text of its `@type`.
    fn product(&self, type_urn: &str) -> Option<TypeId> {
        let _ = type_urn;
        None
    }
}

/// The contracts and product schemas that one mapping set is checked against.
pub trait Schema: Types {
    /// Names of the functions, as `function:` has them.
    fn functions(&self) -> Vec<String>;

    /// operationIds of a function.
    fn operations(&self, function: &str) -> Vec<String>;

    /// The messages of an operation; `None` where the contract does not have it.
    fn operation(&self, function: &str, operation_id: &str) -> Option<OperationFacts>;

    /// Names of the message types of a function, for suggestions.
    fn type_names(&self, function: &str) -> Vec<String>;

    /// Texts of `@type` of all products with a schema, for suggestions.
    fn product_types(&self) -> Vec<String> {
        Vec::new()
    }

    /// Names of the types of all products.
    fn product_type_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Events of a function; none: not checked.
    fn events(&self, function: &str) -> Vec<String> {
        let _ = function;
        Vec::new()
    }

    /// Kinds of entities that `ref(…)` knows; none: not checked.
    fn entities(&self) -> Vec<String> {
        Vec::new()
    }

    /// A kind of entities by its name, or by that of its items; none: not known.
    fn entity(&self, name: &str) -> Option<KindFacts> {
        let _ = name;
        None
    }

    /// A message type of a function by name.
    fn root(&self, function: &str, name: &str) -> Option<TypeId>;
}

/// The interface of one backend, as its file describes it.
pub trait Interface: Types + Debug + Send + Sync {
    /// A call by method and path; `{}` in the path stands for what is filled in when the call is made.
    ///
    /// # Errors
    /// [`NoCall`] says what there is instead.
    fn call(&self, method: &str, path: &str) -> Result<CallFacts, NoCall>;

    /// What the backend calls by itself, by method and path; none where nothing is said of that.
    ///
    /// # Errors
    /// [`NoCall`] says what there is instead.
    fn sent(&self, method: &str, path: &str) -> Option<Result<CallFacts, NoCall>> {
        let _ = (method, path);
        None
    }

    /// A schema by the reference that a shape names it by: `#/components/schemas/Offer`.
    fn schema(&self, reference: &str) -> Option<TypeId>;

    /// References of all named schemas, for suggestions.
    fn references(&self) -> Vec<String>;

    /// The type of every single value of which nothing else is known, where the format of the messages has but one.
    fn single(&self) -> Option<TypeId> {
        None
    }
}

/// What is known of a call of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallFacts {
    /// Type of the request body; none: it takes none.
    pub request: Option<TypeId>,
    /// Query parameters.
    pub query: Vec<ParameterFacts>,
    /// Headers.
    pub headers: Vec<ParameterFacts>,
    /// Replies.
    pub answers: Vec<AnswerFacts>,
}

/// A parameter of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterFacts {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Whether it must be sent.
    pub required: bool,
}

/// A reply of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerFacts {
    /// First and last status, inclusive; both 0 for what no other reply is for.
    pub status: (u16, u16),
    /// Type of its body; none: it has none.
    pub body: Option<TypeId>,
}

/// Why an interface has no such call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCall {
    /// No such path.
    Path {
        /// One that looks like it, as the interface writes it.
        near: Option<String>,
    },
    /// The path has other methods.
    Method {
        /// The path, as the interface writes it.
        path: String,
        /// Its methods.
        methods: Vec<String>,
    },
}
