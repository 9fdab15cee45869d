//! From the files to [`Settings`]: which file is what, and what only all of them together can show.

use super::{
    Backend, Gateway, Identify, Kept, KeptPartner, OPENAPI_FOLDER, PRODUCTS_FOLDER, Partner, Partners,
    Settings, Side, code, credentials, secret::Lookup,
};
use crate::{
    ids::{BackendId, PartnerId},
    text::{
        Diagnostic, Diagnostics, FileSet, Hint, Sources, Span, suggest,
        yaml::{self, Fields, Node},
    },
};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// Longest name of a backend, partner or mapping set, in bytes: it stands in paths, labels and log lines.
const NAME_BYTES_MAX: usize = 64;

/// What reading needs beside the text.
pub(super) struct Context<'a> {
    pub(super) lookup: &'a Lookup<'a>,
    files: &'a FileSet,
}

impl Context<'_> {
    /// A path of the configuration: relative ones start at the configuration folder, wherever the process runs.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        normal(&self.lookup.folder().join(text))
    }

    /// Whether there is a file for a backend. What came of it does not count: its faults are told there.
    pub(super) fn is_backend(&self, name: &str, span: Span, out: &mut Diagnostics) -> bool {
        // A partner may be one; whether it sells is known when all of them are read.
        if is_in(self.files, "backends", name) || is_in(self.files, "partners", name) {
            return true;
        }
        let known = self.files.below("backends/").filter_map(|(path, _)| stem(path, "backends"));
        let hint = match suggest(name, known) {
            Some(near) => Hint::meant(near),
            None => format!("describe it in {}", self.files.shown(&format!("backends/{name}.yaml"))).into(),
        };
        out.push(
            Diagnostic::error(code::UNKNOWN_NAME, format!("there is no backend `{name}`"))
                .at(span)
                .hint(hint),
        );
        false
    }
}

/// The path without `.` and, where what is left out is plain, without `..`: diagnostics show it.
fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.last(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() { PathBuf::from(".") } else { parts.into_iter().collect() }
}

/// Reads all files; `None` if there is no usable `segue.yaml`.
pub(super) fn settings(
    files: &FileSet,
    lookup: &Lookup<'_>,
    before: &Kept,
    kept: &mut Kept,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<Settings> {
    let context = Context { lookup, files };
    let mut gateway = None;
    let mut backends = BTreeMap::new();
    let backend_names = files.below("backends/").filter_map(|(path, _)| stem(path, "backends"));
    kept.backends = backend_names.map(str::to_owned).collect();
    let is_taken = before.is_taken_over(files, sources, kept, out);
    if !is_taken {
        partners(&context, before, kept, sources, out);
    }
    let partners = Arc::clone(&kept.partners);
    for (path, _) in files.iter() {
        // Product schemas are the standard's business and interfaces the mappings', not settings; the plan reads them.
        if path.starts_with(PRODUCTS_FOLDER) || path.starts_with(OPENAPI_FOLDER) {
            continue;
        }
        // Those were read already.
        if stem(path, "partners").is_some() {
            continue;
        }
        let Some(node) = open(files, path, sources, out) else { continue };
        if path == "segue.yaml" {
            gateway = Gateway::read(&node, &context, out);
        } else if let Some(stem) = stem(path, "backends") {
            if let Some(backend) = Backend::read(&node, stem, &context, out) {
                backends.insert(backend.id.clone(), backend);
            }
        } else {
            let message = format!("`{}` has no job in the configuration folder", files.shown(path));
            let hint =
                "the folder holds segue.yaml, backends/NAME.yaml, partners/NAME.yaml, products/ and openapi/";
            out.push(Diagnostic::error(code::STRAY_FILE, message).hint(hint));
        }
    }
    if files.get("segue.yaml").is_none() {
        let message = format!("`{}` is not there", files.shown("segue.yaml"));
        let hint = "give the configuration folder with --config DIR";
        out.push(Diagnostic::error(code::NO_GATEWAY, message).hint(hint));
    }
    let gateway = gateway?;
    resold(files, &mut backends, &partners, out);
    if !is_taken {
        partners_differ(&partners, out);
    }
    loopback_is_closed(&gateway, &partners, out);
    Some(Settings { gateway, backends, partners })
}

/// Partners that sell to us and that routes of others name in the place of a legacy system: what we sell is theirs.
fn resold(
    files: &FileSet,
    backends: &mut BTreeMap<BackendId, Backend>,
    partners: &Partners,
    out: &mut Diagnostics,
) {
    for route in partners.values().flat_map(|partner| &partner.routes) {
        let name = route.backend.value.as_str();
        if backends.contains_key(&route.backend.value) || is_in(files, "backends", name) {
            continue;
        }
        let seller = PartnerId::parse(name).ok().and_then(|id| partners.get(&id));
        match seller.and_then(|seller| seller.endpoint.as_ref()) {
            Some(endpoint) => {
                let id = route.backend.value.clone();
                backends.insert(id.clone(), Backend { id, is_seller: true, ..endpoint.clone() });
            }
            None if seller.is_some() => {
                let message = format!("the partner `{name}` does not sell to us");
                let fault = Diagnostic::error(code::UNKNOWN_NAME, message).at(route.backend.span);
                out.push(fault.hint("name a backend, or a partner with `side: buyer`"));
            }
            // What is wrong with its file was told there.
            None if is_in(files, "partners", name) => {}
            // It was there when the route was read.
            None => {
                let message = format!("there is no backend `{name}`");
                out.push(Diagnostic::error(code::UNKNOWN_NAME, message).at(route.backend.span));
            }
        }
    }
}

impl Kept {
    /// Takes over all partners where the files are those that were read, and none of them means something else by now.
    fn is_taken_over(
        &self,
        files: &FileSet,
        sources: &mut Sources,
        kept: &mut Self,
        out: &mut Diagnostics,
    ) -> bool {
        let mut all = self.files.values();
        let is_kept = files.is(self.folder.texts())
            && all.all(|known| !known.may_differ() && sources.keep(known.source, &known.text));
        if is_kept {
            (kept.files, kept.partners) = (Arc::clone(&self.files), Arc::clone(&self.partners));
            self.files
                .values()
                .filter(|known| !known.told.is_empty())
                .for_each(|known| out.append(known.told.clone()));
        }
        is_kept
    }
}

/// Reads the partners' files, or takes over what was made of each.
fn partners(
    context: &Context<'_>,
    before: &Kept,
    kept: &mut Kept,
    sources: &mut Sources,
    out: &mut Diagnostics,
) {
    let known = (before.backends == kept.backends).then_some(&before.files);
    let (mut files, mut all) = (BTreeMap::new(), BTreeMap::new());
    for (path, file) in context.files.below("partners/") {
        let Some(stem) = stem(path, "partners") else { continue };
        let known = known.and_then(|known| known.get(path));
        let Some(read) = partner((path, file.text()), stem, context, known, sources) else { continue };
        out.append(read.told.clone());
        all.extend(read.partner.iter().map(|partner| (partner.id.clone(), Arc::clone(partner))));
        files.insert(Arc::clone(path), read);
    }
    (kept.files, kept.partners) = (Arc::new(files), Arc::new(all));
}

/// A partner's file, read or taken over.
fn partner(
    (path, text): (&str, &Arc<str>),
    stem: &str,
    context: &Context<'_>,
    known: Option<&KeptPartner>,
    sources: &mut Sources,
) -> Option<KeptPartner> {
    let files = context.files;
    if let Some(known) = known.filter(|known| known.text == *text && !known.may_differ())
        && (sources.keep(known.source, text) || files.open(path, sources) == Some(known.source))
    {
        return Some(known.clone());
    }
    let mut told = Diagnostics::new();
    let node = open(files, path, sources, &mut told);
    let partner = node.and_then(|node| Partner::read(&node, stem, context, &mut told));
    let source = files.open(path, sources)?;
    Some(KeptPartner { source, text: Arc::clone(text), partner: partner.map(Arc::new), told })
}

fn open(files: &FileSet, path: &str, sources: &mut Sources, out: &mut Diagnostics) -> Option<Node> {
    let id = files.open(path, sources)?;
    // Before anything can be printed of it.
    for span in credentials::suspicious(sources.text(id), id) {
        sources.hide(span);
    }
    let node = yaml::load(sources, id, out)?;
    for span in credentials::literals(&node) {
        sources.hide(span);
    }
    Some(node)
}

/// Whether a folder has a file of this name.
fn is_in(files: &FileSet, folder: &str, name: &str) -> bool {
    files.get(&format!("{folder}/{name}.yaml")).is_some()
}

fn stem<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let stem = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".yaml")?;
    (!stem.contains('/')).then_some(stem)
}

/// The name of a file's subject, which is also the file's name: one of them alone could be mistaken in a copy.
pub(super) fn name_of<'n>(
    fields: &mut Fields<'n>,
    key: &'static str,
    stem: &str,
    out: &mut Diagnostics,
) -> Option<&'n str> {
    let Some(entry) = fields.entry(key) else {
        fields.missing_as(key, stem, ", as the file is named", out);
        return None;
    };
    let scalar = yaml::text_of(&entry.value, key, out)?;
    let span = scalar.span();
    if scalar.text != stem {
        let message = format!("`{}` stands in a file named `{stem}.yaml`", scalar.text);
        let hint = Hint::from(format!("write `{key}: {stem}`, or rename the file")).putting(stem);
        out.push(Diagnostic::error(code::NAME_DIFFERS, message).at(span).hint(hint));
    }
    is_name(&scalar.text, span, out).then_some(scalar.text.as_str())
}

/// Whether a text is a name: it becomes part of paths, labels and log lines.
pub(super) fn is_name(text: &str, span: Span, out: &mut Diagnostics) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good =
        text.len() <= NAME_BYTES_MAX && text.bytes().all(plain) && !text.starts_with('-') && !text.is_empty();
    if !good {
        let message = format!("`{text}` is no name");
        let hint = format!("a name has 1 to {NAME_BYTES_MAX} small letters, digits and dashes");
        let lower = text.to_ascii_lowercase();
        let hint = Hint::from(hint);
        let hint = if lower != text && lower.bytes().all(plain) { hint.putting(lower) } else { hint };
        out.push(Diagnostic::error(code::BAD_NAME, message).at(span).hint(hint));
    }
    good
}

/// Partners that come without credentials differ in their base path, others in their tokens.
fn partners_differ(partners: &Partners, out: &mut Diagnostics) {
    // Those that buy call other resources than those that sell.
    let mut by_path: BTreeMap<(bool, &str), &PartnerId> = BTreeMap::new();
    let mut by_token: BTreeMap<(bool, &str), &PartnerId> = BTreeMap::new();
    for partner in partners.values() {
        if let Identify::Token(token) = &partner.identify.value {
            let place = (partner.side == Side::Buyer, token.reveal());
            if let Some(first) = by_token.insert(place, &partner.id) {
                let message = format!("one token identifies `{first}` as well as `{}`", partner.id);
                let fault = Diagnostic::error(code::SAME_PARTNER, message).at(partner.identify.span);
                out.push(fault.hint("give each its own"));
            }
            continue;
        }
        let place = (partner.side == Side::Buyer, partner.base_path.as_str());
        if let Some(first) = by_path.insert(place, &partner.id) {
            let message =
                format!("loopback and this base path identify `{first}` as well as `{}`", partner.id);
            let fault = Diagnostic::error(code::SAME_PARTNER, message).at(partner.identify.span);
            out.push(fault.hint(format!("give one of them a `base_path`, such as `/{}`", partner.id)));
        }
    }
}

/// Nobody is let in without credentials from another machine.
fn loopback_is_closed(gateway: &Gateway, partners: &Partners, out: &mut Diagnostics) {
    let sonata = &gateway.listeners.sonata;
    if sonata.is_loopback() {
        return;
    }
    for partner in partners.values() {
        match &partner.identify.value {
            // It proves who it is.
            Identify::Token(_) => {}
            Identify::Loopback => {
                let message = format!(
                    "`{}` is let in without credentials, but the Sonata listener is on {}",
                    partner.id, sonata.address
                );
                let hint = "listen on 127.0.0.1, or identify the partner by a token";
                out.push(
                    Diagnostic::error(code::OPEN_LOOPBACK_PARTNER, message)
                        .at(partner.identify.span)
                        .hint(hint),
                );
            }
        }
    }
}
