//! From the files to [`Settings`]: which file is what, and what only all of them together can show.

use super::{
    Backend, Gateway, Identify, Kept, KeptPartner, OPENAPI_FOLDER, PRODUCTS_FOLDER, Partner, Settings, Side,
    code, credentials, secret::Lookup,
};
use crate::{
    ids::PartnerId,
    text::{
        Diagnostic, Diagnostics, FileSet, Hint, Sources, Span,
        code::MISSING_KEY,
        suggest,
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
        let known = || self.files.iter().filter_map(|(path, _)| stem(path, "backends"));
        if known().any(|known| known == name) {
            return true;
        }
        let hint = match suggest(name, known()) {
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
    let mut partners: BTreeMap<PartnerId, Arc<Partner>> = BTreeMap::new();
    kept.backends = files.iter().filter_map(|(path, _)| stem(path, "backends")).map(str::to_owned).collect();
    let before = (before.backends == kept.backends).then_some(&before.partners);
    for (path, _) in files.iter() {
        // Product schemas are the standard's business and interfaces the mappings', not settings; the plan reads them.
        if path.starts_with(PRODUCTS_FOLDER) || path.starts_with(OPENAPI_FOLDER) {
            continue;
        }
        if let Some(stem) = stem(path, "partners") {
            let known = before.and_then(|before| before.get(path));
            let Some(read) = partner(files, path, stem, &context, known, sources) else { continue };
            out.append(read.told.clone());
            partners.extend(read.partner.iter().map(|partner| (partner.id.clone(), Arc::clone(partner))));
            kept.partners.insert(path.to_owned(), read);
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
    partners_differ(&partners, out);
    loopback_is_closed(&gateway, &partners, out);
    Some(Settings { gateway, backends, partners })
}

/// A partner's file, read or taken over.
fn partner(
    files: &FileSet,
    path: &str,
    stem: &str,
    context: &Context<'_>,
    known: Option<&KeptPartner>,
    sources: &mut Sources,
) -> Option<KeptPartner> {
    let text = files.get(path)?;
    // Secrets may have changed behind their references.
    let has_secrets =
        |known: &KeptPartner| known.partner.as_ref().is_none_or(|partner| partner.notifications.is_some());
    if let Some(known) = known.filter(|known| known.text == *text && !has_secrets(known))
        && files.open(path, sources) == Some(known.source)
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
        let span = fields.span()?;
        let begin = Span { end: span.start, ..span };
        let hint = format!("write `{key}: {stem}`, as the file is named");
        let hint = Hint::from(hint).putting_at(begin, format!("{key}: {stem}\n"));
        let fault = Diagnostic::error(MISSING_KEY, format!("the key `{key}` is missing"));
        out.push(fault.at(Span { end: (span.start + 1).min(span.end), ..span }).hint(hint));
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

/// Partners that come without credentials differ in their base path.
fn partners_differ(partners: &BTreeMap<PartnerId, Arc<Partner>>, out: &mut Diagnostics) {
    // Those that buy call other resources than those that sell.
    let mut by_path: BTreeMap<(bool, &str), &PartnerId> = BTreeMap::new();
    for partner in partners.values() {
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
fn loopback_is_closed(
    gateway: &Gateway,
    partners: &BTreeMap<PartnerId, Arc<Partner>>,
    out: &mut Diagnostics,
) {
    let sonata = &gateway.listeners.sonata;
    if sonata.is_loopback() {
        return;
    }
    for partner in partners.values() {
        match partner.identify.value {
            Identify::Loopback => {
                let message = format!(
                    "`{}` is let in without credentials, but the Sonata listener is on {}",
                    partner.id, sonata.address
                );
                let hint = "listen on 127.0.0.1, or identify the partner by a credential";
                out.push(
                    Diagnostic::error(code::OPEN_LOOPBACK_PARTNER, message)
                        .at(partner.identify.span)
                        .hint(hint),
                );
            }
        }
    }
}
