//! Types of an interface, as a checker asks about them.

/// Index of a [`Type`] of one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeIndex(pub u32);

impl TypeIndex {
    /// The type of which nothing is known.
    pub const ANY: Self = Self(0);
}

/// The JSON kind of a type; `null` is allowed or not, which is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Not known, or several.
    Any,
    /// An object.
    Object,
    /// An array.
    Array,
    /// A string.
    Text,
    /// A number.
    Number,
    /// A number without fraction.
    Integer,
    /// A boolean.
    Boolean,
}

/// What is known of a schema, combinations and references resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Its kind.
    pub kind: Kind,
    /// Members, in the order written; of alternatives, those of all.
    pub members: Vec<Member>,
    /// Members that are not listed.
    pub rest: Rest,
    /// Type of the elements of an array.
    pub element: Option<TypeIndex>,
    /// Values of an enumeration; empty: any.
    pub values: Vec<Box<str>>,
    /// `format:` of a scalar: `date`, `date-time` and the like.
    pub format: Option<Box<str>>,
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: Box<str>,
    /// Its type.
    pub ty: TypeIndex,
    /// Whether every alternative requires it.
    pub required: bool,
    /// Whether only answers have it.
    pub read_only: bool,
}

/// Members that are not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// There are none. A schema that lists members and does not speak of others is meant so.
    Closed,
    /// Any, not known.
    Open,
    /// Any name, of this type.
    Of(TypeIndex),
}

impl Type {
    /// A type of which nothing is known.
    pub(super) fn any() -> Self {
        Self {
            kind: Kind::Any,
            members: Vec::new(),
            rest: Rest::Open,
            element: None,
            values: Vec::new(),
            format: None,
        }
    }

    /// A member by name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| *member.name == *name)
    }
}
