//! Where a rule stands on one side, and what the contract or the backend's interface says about places from there.

use crate::json::query::{self, Read, ReadStep};
use crate::mapping::path::{Anchor, FieldPath, Literal, Part, Step};
use crate::mapping::schema::{Kind, Lookup, Member, TypeId, Types};
use crate::text::{Hint, suggest};
use std::sync::Arc;

/// The member that names a derived type or a product.
const TYPE: &str = "@type";

/// A place of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Its type; none: unchecked.
    pub ty: Option<TypeId>,
    /// Literals that are known to stand below it, by member names: from keyed elements and conditions.
    known: Vec<(Vec<String>, String)>,
}

/// What messages one side of a rule may speak of.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// Where the rule stands.
    pub here: Place,
    /// The root of the message.
    pub root: Place,
    /// Whether there is a body at all.
    pub body: bool,
    /// Query parameters that may be spoken of; none: this message has no query.
    pub query: Option<Arc<[Parameter]>>,
    /// Path parameters likewise.
    pub path: Option<Arc<[Parameter]>>,
}

/// A parameter by its name, with the type of its value where that is known.
pub(super) type Parameter = (String, Option<TypeId>);

/// Parameters of the query, and of the path.
pub(super) type Parameters = (Arc<[Parameter]>, Arc<[Parameter]>);

/// What a path leads to.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// A place that is described, or that is unchecked.
    Place(Place, Required),
    /// A place that it does not have.
    Missing(Missing),
}

/// Whether the contract requires a place wherever its scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    /// Every member on the way is required.
    Yes,
    /// At least one may be left out.
    No,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone)]
pub(super) struct Missing {
    /// Index of the step that fails.
    pub step: usize,
    /// The word inside of the step that is to blame, of a step with several.
    pub word: Option<String>,
    /// What is wrong, one short sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<Hint>,
}

/// What is noticed on the way: products whose schema is not known.
pub(super) type Unchecked = Vec<String>;

impl Place {
    /// A place of a type.
    pub fn of(ty: Option<TypeId>) -> Self {
        Self { ty, known: Vec::new() }
    }

    /// The literal that is known to stand in `@type`.
    pub fn discriminator(&self) -> Option<&str> {
        self.literal(&[TYPE])
    }

    fn literal(&self, members: &[&str]) -> Option<&str> {
        let known = self.known.iter().find(|(names, _)| names.iter().eq(members.iter()))?;
        Some(&known.1)
    }

    /// The same place, with one more literal known below it.
    pub fn knowing(mut self, members: Vec<String>, literal: String) -> Self {
        self.known.retain(|(names, _)| *names != members);
        self.known.push((members, literal));
        self
    }

    fn below(&self, name: &str, ty: Option<TypeId>) -> Self {
        let inner = |(names, literal): &(Vec<String>, String)| match names.split_first() {
            Some((first, rest)) if first == name && !rest.is_empty() => {
                Some((rest.to_vec(), literal.clone()))
            }
            _ => None,
        };
        Self { ty, known: self.known.iter().filter_map(inner).collect() }
    }

    /// The place of a member, or why there is none.
    pub fn member(
        &self,
        schema: &dyn Types,
        name: &str,
        unchecked: &mut Unchecked,
    ) -> Result<(Place, bool), Lost> {
        let Some(ty) = self.ty else { return Ok((self.below(name, None), false)) };
        match schema.kind(ty) {
            Kind::Any => return Ok((self.below(name, None), false)),
            Kind::Object => {}
            kind => return Err(Lost::Kind(kind, name.to_owned())),
        }
        if schema.is_configuration(ty) && name != TYPE {
            return self.product_member(schema, name, unchecked);
        }
        match schema.member(ty, name, self.discriminator()) {
            Lookup::Found(member) => Ok((self.below(name, Some(member.ty)), member.required)),
            Lookup::Open => Ok((self.below(name, None), false)),
            Lookup::Missing => {
                Err(Lost::Member(ty, name.to_owned(), self.discriminator().map(str::to_owned)))
            }
        }
    }

    fn product_member(
        &self,
        schema: &dyn Types,
        name: &str,
        unchecked: &mut Unchecked,
    ) -> Result<(Place, bool), Lost> {
        let Some(product) = self.discriminator() else { return Ok((self.below(name, None), false)) };
        let Some(ty) = schema.product(product) else {
            if !unchecked.iter().any(|known| known == product) {
                unchecked.push(product.to_owned());
            }
            return Ok((self.below(name, None), false));
        };
        match schema.member(ty, name, None) {
            Lookup::Found(member) => Ok((self.below(name, Some(member.ty)), member.required)),
            Lookup::Open => Ok((self.below(name, None), false)),
            Lookup::Missing => Err(Lost::Product(ty, name.to_owned())),
        }
    }

    /// Whether a word may stand at a place below this one.
    ///
    /// # Errors
    /// It is none of those that are listed for it; with the near one, if there is one.
    pub fn allows(&self, schema: &dyn Types, names: &[&str], word: &str) -> Result<(), Option<Hint>> {
        let Some((last, way)) = names.split_last() else { return Ok(()) };
        let mut place = self.clone();
        for name in way {
            let Ok((next, _)) = place.member(schema, name, &mut Vec::new()) else { return Ok(()) };
            place = next;
        }
        let holder = place.ty;
        let Ok((place, _)) = place.member(schema, last, &mut Vec::new()) else { return Ok(()) };
        let mut values = place.ty.map(|ty| schema.values(ty)).unwrap_or_default();
        if values.is_empty() && *last == TYPE {
            values = holder.map(|ty| schema.variants(ty)).unwrap_or_default();
        }
        if values.is_empty() || values.iter().any(|value| value == word) {
            return Ok(());
        }
        Err(suggest(word, values.iter().map(String::as_str)).map(Hint::meant))
    }

    /// The place of the elements of an array.
    pub fn element(&self, schema: &dyn Types) -> Result<Place, String> {
        let Some(ty) = self.ty else { return Ok(Self::default()) };
        match schema.kind(ty) {
            Kind::Any => Ok(Self::default()),
            Kind::Array => Ok(Self::of(schema.element(ty))),
            kind => Err(format!("this is {}, not an array", kind.as_str())),
        }
    }
}

/// What a place does not have. Words for it, and what may be meant, are looked for only where somebody is told.
#[derive(Debug)]
pub(super) enum Lost {
    /// A member of something that is no object.
    Kind(Kind, String),
    /// A member of a type; with the derived type that stands there, where that is known.
    Member(TypeId, String, Option<String>),
    /// An attribute of a product.
    Product(TypeId, String),
    /// Something else, in words.
    Told(Box<(String, Option<Hint>)>),
}

impl Lost {
    fn told(message: String, hint: Option<Hint>) -> Self {
        Self::Told(Box::new((message, hint)))
    }

    /// One short sentence, and what to write instead.
    pub fn why(self, schema: &dyn Types) -> (String, Option<Hint>) {
        match self {
            Self::Kind(Kind::Array, name) => {
                let message = format!("this is an array, it has no attribute `{name}`");
                (message, Some("write `[*]` in a group, or `[0]`".into()))
            }
            Self::Kind(kind, name) => {
                (format!("this is {}, it has no attribute `{name}`", kind.as_str()), None)
            }
            Self::Member(ty, name, discriminator) => missing(schema, ty, &name, discriminator.as_deref()),
            Self::Product(ty, name) => {
                let members = schema.members(ty, None);
                let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
                let near = suggest(&name, names.iter().copied()).map(Hint::meant);
                let message = format!("this product has no attribute `{name}`");
                (message, near.or_else(|| inside(schema, &members, &name)).or_else(|| listed(&names)))
            }
            Self::Told(told) => *told,
        }
    }
}

fn missing(
    schema: &dyn Types,
    ty: TypeId,
    name: &str,
    discriminator: Option<&str>,
) -> (String, Option<Hint>) {
    let mut members = schema.members(ty, discriminator);
    if discriminator.is_none() {
        // Where it is not known which derived type stands there, all of them may be meant.
        for variant in schema.variants(ty) {
            for member in schema.members(ty, Some(&variant)) {
                if !members.iter().any(|(own, _)| *own == member.0) {
                    members.push(member);
                }
            }
        }
    }
    let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    let near = suggest(name, names.iter().copied());
    let message = match discriminator {
        Some(derived) => format!("`{derived}` has no attribute `{name}`"),
        None => format!("{} has no attribute `{name}` here", schema.title()),
    };
    let other = discriminator
        .is_some_and(|_| matches!(schema.member(ty, name, None), Lookup::Found(_)))
        .then(|| "another `@type` has it: check the type that is written here".into());
    let hint = near.map(Hint::meant).or(other);
    (message, hint.or_else(|| inside(schema, &members, name)).or_else(|| listed(&names)))
}

/// The attribute of this name one object further in, if only one has it.
fn inside(schema: &dyn Types, members: &[(String, Member)], name: &str) -> Option<Hint> {
    let mut found = members.iter().filter(|(_, member)| {
        schema.kind(member.ty) == Kind::Object
            && !schema.is_configuration(member.ty)
            && matches!(schema.member(member.ty, name, None), Lookup::Found(_))
    });
    match (found.next(), found.next()) {
        (Some((holder, _)), None) => Some(Hint::meant(format!("{holder}.{name}"))),
        _ => None,
    }
}

/// What there is, where nothing like the word is.
fn listed(names: &[&str]) -> Option<Hint> {
    /// More do not help the reader.
    const NAMES_MAX: usize = 24;
    let (shown, rest) = names.split_at(names.len().min(NAMES_MAX));
    let more = if rest.is_empty() { "" } else { ", …" };
    (!shown.is_empty()).then(|| format!("there are: {}{more}", shown.join(", ")).into())
}

impl Scope {
    /// A message with a body of this type.
    pub fn message(ty: Option<TypeId>) -> Self {
        let place = Place::of(ty);
        Self { here: place.clone(), root: place, body: true, query: None, path: None }
    }

    /// The scope of a group at a place.
    pub fn at(&self, place: Place) -> Self {
        Self { here: place, ..self.clone() }
    }

    /// Follows a path.
    pub fn resolve(&self, schema: &dyn Types, path: &FieldPath, unchecked: &mut Unchecked) -> Found {
        match self.follow(schema, path, unchecked) {
            Ok((place, required)) => Found::Place(place, required),
            Err((step, word, lost)) => {
                let (message, hint) = lost.why(schema);
                Found::Missing(Missing { step, word, message, hint })
            }
        }
    }

    /// The place that a path leads to, where nobody is told why there is none.
    pub fn find(&self, schema: &dyn Types, path: &FieldPath) -> Option<(Place, Required)> {
        self.follow(schema, path, &mut Vec::new()).ok()
    }

    fn follow(
        &self,
        schema: &dyn Types,
        path: &FieldPath,
        unchecked: &mut Unchecked,
    ) -> Result<(Place, Required), (usize, Option<String>, Lost)> {
        let told = |step: usize, message: String| (step, None, Lost::told(message, None));
        match path.part {
            Part::Body => {}
            Part::Query => return parameter(path, self.query.as_deref(), "query"),
            Part::Path => return parameter(path, self.path.as_deref(), "path"),
            Part::Header => return Ok((Place::default(), Required::No)),
        }
        if !self.body {
            return Err(told(0, "this message has no body".to_owned()));
        }
        let start = if path.anchor == Anchor::Root { &self.root } else { &self.here };
        let mut place = start.clone();
        let mut required = true;
        for (index, step) in path.steps.iter().enumerate() {
            let next = match step {
                Step::Member(name) => {
                    place.member(schema, name, unchecked).map_err(|lost| (index, None, lost))
                }
                Step::Index(_) => {
                    place.element(schema).map(|place| (place, false)).map_err(|message| told(index, message))
                }
                Step::Keyed(terms) => keyed(schema, &place, terms, unchecked)
                    .map(|place| (place, false))
                    .map_err(|(word, lost)| (index, word, lost)),
            };
            let (next, always) = next?;
            place = next;
            required &= always;
        }
        if path.every {
            place = place.element(schema).map_err(|message| told(path.steps.len(), message))?;
        }
        Ok((place, if required { Required::Yes } else { Required::No }))
    }

    /// Follows what a query or condition reads; the name of the member that is not there.
    pub fn read(&self, schema: &dyn Types, read: &Read) -> Result<Place, (String, String, Option<Hint>)> {
        let mut place = match read.origin {
            query::Origin::Scope => self.here.clone(),
            query::Origin::Root => self.root.clone(),
        };
        for step in &read.steps {
            let mut unchecked = Vec::new();
            place = match step {
                ReadStep::One(query::Step::Name(name)) => {
                    place.member(schema, name, &mut unchecked).map(|(place, _)| place).map_err(|lost| {
                        let (message, hint) = lost.why(schema);
                        (name.to_string(), message, hint)
                    })?
                }
                ReadStep::One(query::Step::Index(_)) | ReadStep::Any => {
                    place.element(schema).unwrap_or_default()
                }
            };
        }
        Ok(place)
    }
}

fn parameter(
    path: &FieldPath,
    known: Option<&[Parameter]>,
    part: &str,
) -> Result<(Place, Required), (usize, Option<String>, Lost)> {
    let Some(Step::Member(name)) = path.steps.first() else {
        return Ok((Place::default(), Required::No));
    };
    let lost = |message: String, hint: Option<Hint>| Err((0, None, Lost::told(message, hint)));
    match known {
        None => lost(format!("this message has no `{part}:` parameters"), None),
        Some(known) => {
            if let Some((_, ty)) = known.iter().find(|(known, _)| **known == **name) {
                return Ok((Place::of(*ty), Required::No));
            }
            let near = suggest(name, known.iter().map(|(known, _)| known.as_str()));
            lost(format!("the operation has no {part} parameter `{name}`"), near.map(Hint::meant))
        }
    }
}

/// A word that is to blame, where it is a single one, and why.
type Blame = (Option<String>, Lost);

/// The element that a keyed step names, its terms known; else the word that is to blame, and why.
fn keyed(
    schema: &dyn Types,
    array: &Place,
    terms: &[crate::mapping::path::Term],
    unchecked: &mut Unchecked,
) -> Result<Place, Blame> {
    let mut element = array.element(schema).map_err(|message| (None, Lost::told(message, None)))?;
    for term in terms {
        if let Literal::Text(text) = &term.value {
            let members = term.members.iter().map(ToString::to_string).collect();
            element = element.knowing(members, text.to_string());
        }
    }
    for term in terms {
        let mut place = element.clone();
        for name in &term.members {
            let next = place.member(schema, name, unchecked);
            place = next.map_err(|why| (Some(name.to_string()), why))?.0;
        }
        let mut values = place.ty.map(|ty| schema.values(ty)).unwrap_or_default();
        if values.is_empty() && term.members.len() == 1 && &*term.members[0] == TYPE {
            values = element.ty.map(|ty| schema.variants(ty)).unwrap_or_default();
        }
        if let Literal::Text(text) = &term.value
            && !values.is_empty()
            && !values.iter().any(|value| **value == **text)
        {
            let near = suggest(text, values.iter().map(String::as_str));
            let hint = near.map(Hint::meant);
            let message = format!("{} does not allow `{text}` here", schema.title());
            return Err((Some(text.to_string()), Lost::told(message, hint)));
        }
    }
    Ok(element)
}
