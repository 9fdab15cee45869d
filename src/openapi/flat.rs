//! What a schema says, put together from its parts: `allOf` adds, `anyOf` and `oneOf` widen.

use super::types::{Kind, Member, Rest, Type, TypeIndex};

/// What is said so far; what is not said is not restricted.
#[derive(Debug, Clone, Default)]
pub(super) struct Flat {
    /// Kinds that are allowed; empty: not said.
    pub kinds: Vec<Kind>,
    /// Members, whether required or not.
    pub members: Vec<(Box<str>, TypeIndex, bool)>,
    /// Names of members that are required, whether listed or not.
    pub required: Vec<Box<str>>,
    /// What is said of other members.
    pub rest: Option<Rest>,
    /// Type of elements.
    pub element: Option<TypeIndex>,
    /// Values of an enumeration.
    pub values: Option<Vec<Box<str>>>,
    /// Format of a scalar.
    pub format: Option<Box<str>>,
    /// Whether nothing but `null` is allowed.
    pub null_only: bool,
}

impl Flat {
    /// Whether nothing is said: everything is allowed.
    pub fn says_nothing(&self) -> bool {
        self.kinds.is_empty()
            && self.members.is_empty()
            && self.rest.is_none()
            && self.element.is_none()
            && self.values.is_none()
    }

    fn is_open(&self) -> bool {
        self.rest == Some(Rest::Open) || (self.members.is_empty() && self.rest.is_none())
    }

    /// Both hold.
    pub fn and(&mut self, other: Self) {
        if self.kinds.is_empty() {
            self.kinds = other.kinds;
        } else if !other.kinds.is_empty() {
            self.kinds.retain(|kind| other.kinds.contains(kind));
        }
        for (name, ty, read_only) in other.members {
            match self.members.iter_mut().find(|(known, ..)| *known == name) {
                // The later one is the narrower one, as a rule.
                Some(known) if ty != TypeIndex::ANY => *known = (name, ty, read_only),
                Some(_) => {}
                None => self.members.push((name, ty, read_only)),
            }
        }
        self.required.extend(other.required);
        self.rest = match (self.rest, other.rest) {
            (Some(Rest::Open), _) | (_, Some(Rest::Open)) => Some(Rest::Open),
            (Some(Rest::Of(ty)), _) | (_, Some(Rest::Of(ty))) => Some(Rest::Of(ty)),
            (rest, other) => rest.or(other),
        };
        self.element = other.element.or(self.element);
        self.values = match (self.values.take(), other.values) {
            (Some(mut own), Some(other)) => {
                own.retain(|value| other.contains(value));
                Some(own)
            }
            (own, other) => own.or(other),
        };
        self.format = self.format.take().or(other.format);
        self.null_only |= other.null_only;
    }

    /// Any of them holds; none where one of them allows everything.
    pub fn any_of(alternatives: Vec<Self>) -> Option<Self> {
        let mut list = alternatives.into_iter().filter(|one| !one.null_only);
        let mut all = list.next()?;
        if all.says_nothing() {
            return None;
        }
        for other in list {
            if other.says_nothing() {
                return None;
            }
            all.or(other);
        }
        Some(all)
    }

    fn or(&mut self, other: Self) {
        let objects = self.kind() == Kind::Object && other.kind() == Kind::Object;
        if objects && (self.is_open() || other.is_open()) {
            self.rest = Some(Rest::Open);
        }
        self.kinds = match (self.kind(), other.kind()) {
            (Kind::Any, _) | (_, Kind::Any) => vec![Kind::Any],
            (own, other) if own == other => vec![own],
            (own, other) => vec![own, other],
        };
        for (name, ty, read_only) in other.members {
            match self.members.iter_mut().find(|(known, ..)| *known == name) {
                Some(known) if known.1 != ty => known.1 = TypeIndex::ANY,
                Some(_) => {}
                None => self.members.push((name, ty, read_only)),
            }
        }
        self.required.retain(|name| other.required.contains(name));
        self.rest = match (self.rest, other.rest) {
            (Some(own), Some(other)) if own == other => Some(own),
            (None | Some(Rest::Closed), None | Some(Rest::Closed)) => self.rest.or(other.rest),
            _ => Some(Rest::Open),
        };
        if self.element != other.element {
            self.element = None;
        }
        self.values = match (self.values.take(), other.values) {
            (Some(mut own), Some(other)) => {
                own.extend(other);
                Some(own)
            }
            _ => None,
        };
        if self.format != other.format {
            self.format = None;
        }
    }

    fn kind(&self) -> Kind {
        match self.kinds.as_slice() {
            [] if !self.members.is_empty() || matches!(self.rest, Some(Rest::Of(_))) => Kind::Object,
            [] if self.element.is_some() => Kind::Array,
            [kind] => *kind,
            [Kind::Integer, Kind::Number] | [Kind::Number, Kind::Integer] => Kind::Number,
            _ => Kind::Any,
        }
    }

    /// What was put together, as a type.
    pub fn into_type(self) -> Type {
        let kind = self.kind();
        let rest = match self.rest {
            Some(rest) => rest,
            None if self.members.is_empty() => Rest::Open,
            None => Rest::Closed,
        };
        let required = self.required;
        let members = self.members.into_iter().map(|(name, ty, read_only)| {
            let required = required.contains(&name);
            Member { name, ty, required, read_only }
        });
        Type {
            kind,
            members: members.collect(),
            rest,
            element: self.element,
            values: self.values.unwrap_or_default(),
            format: self.format,
        }
    }
}
