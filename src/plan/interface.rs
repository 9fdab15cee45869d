//! The interface files of the backends, and the mapping checker's questions about them.

use std::{collections::BTreeMap, sync::Arc};

use super::load::{NO_INTERFACE, NOT_CHECKED, hash_of};
use crate::{
    config::{OPENAPI_FOLDER, Settings},
    format::Format,
    ids::BackendId,
    mapping::schema::{
        AnswerFacts, CallFacts, Interface, Kind, Lookup, Member, NoCall, ParameterFacts, TypeId, Types,
    },
    openapi::{self, Api, ParameterPlace, Rest, TypeIndex},
    text::{Diagnostic, Diagnostics, FileSet, Hint, Sources, Spanned, suggest},
};

/// Interfaces that were read, each file once however many backends name it.
#[derive(Debug, Clone, Default)]
pub(super) struct Interfaces {
    /// Of all files of the folder; the same texts need no second reading.
    hash: Option<blake3::Hash>,
    read: BTreeMap<String, (Option<Arc<Api>>, Diagnostics)>,
    by_backend: BTreeMap<BackendId, Arc<BackendInterface>>,
}

impl Interfaces {
    /// Reads the files that backends name; what `previous` read from the same texts is taken over.
    pub fn load(
        files: &FileSet,
        settings: &Settings,
        previous: Option<&Self>,
        sources: &mut Sources,
        out: &mut Diagnostics,
    ) -> Self {
        let mut own = FileSet::new(files.root());
        for (path, file) in files.below(OPENAPI_FOLDER) {
            own.share(Arc::clone(path), file);
        }
        let hash = hash_of(&[&own]);
        let read =
            previous.filter(|previous| previous.hash == Some(hash)).map(|previous| previous.read.clone());
        if read.is_some() {
            // What was told of them speaks of their texts.
            for (path, text) in own.iter() {
                sources.add(&own.shown(path), Arc::clone(text));
            }
        }
        let mut all = Self { hash: Some(hash), read: read.unwrap_or_default(), by_backend: BTreeMap::new() };
        let mut unchecked = Vec::new();
        for (id, backend) in &settings.backends {
            let Some(path) = &backend.openapi else {
                // Of a partner it is the standard, and its contracts are checked where they are used.
                if !matches!(backend.format, Format::Soap(_)) && !backend.is_seller {
                    unchecked.push(format!("`{id}`"));
                }
                continue;
            };
            if own.get(&path.value).is_none() {
                out.push(no_file(path, &own));
                continue;
            }
            let (read, told) = all.read.entry(path.value.clone()).or_insert_with(|| {
                let mut told = Diagnostics::new();
                let api = Api::read(&own, &path.value, sources, &mut told).map(Arc::new);
                (api, told)
            });
            out.append(told.clone());
            if let Some(api) = read {
                let title = format!("the interface of `{id}`");
                let interface = BackendInterface { title, api: Arc::clone(api) };
                all.by_backend.insert(id.clone(), Arc::new(interface));
            }
        }
        if !unchecked.is_empty() {
            out.push(not_checked(&unchecked));
        }
        all
    }

    /// The interfaces by the names of their backends.
    pub fn of_backends(&self) -> BTreeMap<String, Arc<dyn Interface>> {
        let all = self.by_backend.iter();
        all.map(|(id, interface)| (id.to_string(), Arc::clone(interface) as Arc<dyn Interface>)).collect()
    }

    /// What a compilation of mappings depends on.
    pub fn hash_into(&self, hasher: &mut blake3::Hasher) {
        if let (Some(hash), false) = (&self.hash, self.by_backend.is_empty()) {
            hasher.update(hash.as_bytes());
        }
        for id in self.by_backend.keys() {
            hasher.update(format!("\0{id}").as_bytes());
        }
    }
}

/// What is told of a file that is not there.
fn no_file(path: &Spanned<String>, files: &FileSet) -> Diagnostic {
    let near = suggest(&path.value, files.iter().map(|(path, _)| path));
    let hint = match near {
        Some(near) => Hint::meant(near),
        None => format!("interface files stand below `{}`", files.shown(OPENAPI_FOLDER)).into(),
    };
    let message = format!("there is no interface file `{}`", path.value);
    Diagnostic::error(NO_INTERFACE, message).at(path.span).hint(hint)
}

fn not_checked(backends: &[String]) -> Diagnostic {
    let message = format!("mappings are not checked against {}: no `openapi:`", backends.join(", "));
    let hint = format!("put its OpenAPI file below `{OPENAPI_FOLDER}` and name it in the backend's file");
    Diagnostic::note(NOT_CHECKED, message).hint(hint)
}

/// What one backend's interface says, for the checker of mappings.
#[derive(Debug)]
pub struct BackendInterface {
    title: String,
    api: Arc<Api>,
}

impl BackendInterface {
    /// The interface at a path of `files`; `title` is how messages name it.
    #[must_use]
    pub fn read(
        title: &str,
        files: &FileSet,
        path: &str,
        sources: &mut Sources,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let api = Api::read(files, path, sources, out)?;
        Some(Self { title: title.to_owned(), api: Arc::new(api) })
    }

    fn ty(&self, ty: TypeId) -> Option<&openapi::Type> {
        self.api.ty(TypeIndex(u32::try_from(ty.0).ok()?))
    }
}

fn id(ty: TypeIndex) -> TypeId {
    TypeId(u64::from(ty.0))
}

fn member(member: &openapi::Member) -> Member {
    Member { ty: id(member.ty), required: member.required && !member.read_only }
}

impl Types for BackendInterface {
    fn title(&self) -> &str {
        &self.title
    }

    fn kind(&self, ty: TypeId) -> Kind {
        match self.ty(ty).map(|ty| ty.kind) {
            None | Some(openapi::Kind::Any) => Kind::Any,
            Some(openapi::Kind::Object) => Kind::Object,
            Some(openapi::Kind::Array) => Kind::Array,
            Some(openapi::Kind::Text) => Kind::Text,
            Some(openapi::Kind::Number) => Kind::Number,
            Some(openapi::Kind::Integer) => Kind::Integer,
            Some(openapi::Kind::Boolean) => Kind::Boolean,
        }
    }

    fn element(&self, ty: TypeId) -> Option<TypeId> {
        self.ty(ty)?.element.map(id)
    }

    fn member(&self, ty: TypeId, name: &str, _discriminator: Option<&str>) -> Lookup {
        let Some(ty) = self.ty(ty) else { return Lookup::Open };
        match (ty.member(name), ty.rest) {
            (Some(found), _) => Lookup::Found(member(found)),
            (None, Rest::Open) => Lookup::Open,
            (None, Rest::Of(rest)) => Lookup::Found(Member { ty: id(rest), required: false }),
            (None, Rest::Closed) => Lookup::Missing,
        }
    }

    fn members(&self, ty: TypeId, _discriminator: Option<&str>) -> Vec<(String, Member)> {
        let members = self.ty(ty).map(|ty| ty.members.as_slice()).unwrap_or_default();
        members.iter().map(|one| (one.name.to_string(), member(one))).collect()
    }

    fn values(&self, ty: TypeId) -> Vec<String> {
        let values = self.ty(ty).map(|ty| ty.values.as_slice()).unwrap_or_default();
        values.iter().map(ToString::to_string).collect()
    }

    fn format(&self, ty: TypeId) -> Option<String> {
        self.ty(ty)?.format.as_deref().map(str::to_owned)
    }
}

impl Interface for BackendInterface {
    fn call(&self, method: &str, path: &str) -> Result<CallFacts, NoCall> {
        let found = self.api.find(method, path).map_err(no_call)?;
        Ok(facts(found))
    }

    fn sent(&self, method: &str, path: &str) -> Option<Result<CallFacts, NoCall>> {
        Some(self.api.find_sent(method, path)?.map(facts).map_err(no_call))
    }

    fn schema(&self, reference: &str) -> Option<TypeId> {
        let name = reference.strip_prefix(SCHEMAS)?;
        self.api.schemas().find(|(known, _)| *known == name).map(|(_, ty)| id(ty))
    }

    fn references(&self) -> Vec<String> {
        self.api.schemas().map(|(name, _)| format!("{SCHEMAS}{name}")).collect()
    }
}

fn no_call(missing: openapi::NoCall) -> NoCall {
    match missing {
        openapi::NoCall::Path { near } => NoCall::Path { near },
        openapi::NoCall::Method { path, methods } => NoCall::Method { path, methods },
    }
}

fn facts(found: &openapi::Operation) -> CallFacts {
    let parameters = |place: ParameterPlace| {
        let those = found.parameters.iter().filter(|one| one.place == place);
        let facts = those.map(|one| ParameterFacts {
            name: one.name.to_string(),
            ty: id(one.ty),
            required: one.required,
        });
        facts.collect()
    };
    let answers = found.answers.iter();
    let answers =
        answers.map(|one| AnswerFacts { status: (one.from, one.to), body: one.body.map(id) }).collect();
    CallFacts {
        request: found.body.map(id),
        query: parameters(ParameterPlace::Query),
        headers: parameters(ParameterPlace::Header),
        answers,
    }
}

/// Where an interface has its named schemas.
const SCHEMAS: &str = "#/components/schemas/";
