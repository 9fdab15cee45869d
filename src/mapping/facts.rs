//! What scripts see as `facts`: what is known besides the message.

use std::fmt;

use super::value::Value;

/// An object whose members are made when a script asks for them: most scripts ask for none.
pub trait Facts: fmt::Debug + Sync {
    /// The member of this name; absent where there is none.
    fn member(&self, name: &str) -> Value<'_>;

    /// All members together, for a script that looks at `facts` as a whole.
    fn all(&self) -> Value<'_>;
}

impl Facts for Value<'_> {
    fn member(&self, name: &str) -> Value<'_> {
        match self {
            // The last of a name counts, as it does where the members become a map of a script.
            Self::Object(members) => {
                let found = members.iter().rev().find(|(own, _)| own == name);
                found.map_or(Value::Absent, |(_, value)| value.clone())
            }
            other => other.member(name),
        }
    }

    fn all(&self) -> Value<'_> {
        self.clone()
    }
}
