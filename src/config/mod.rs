//! The configuration folder as typed settings.
//!
//! `segue.yaml` (the gateway), `backends/*.yaml` (legacy systems) and `partners/*.yaml` (trading relationships) are
//! read as [`crate::text::yaml`] trees; the tree is the raw form, the structs here are the form that cannot be
//! wrong, and one `read` function per struct stands between them. A `read` goes on after a fault with the default,
//! so that everything wrong is told at once; the settings are handed out only when nothing was.
//!
//! Every limit has a bound, a default and its unit in its name ([`Number`]); unknown keys are errors. A secret is
//! only ever a reference and is resolved in [`secret`], the only place that reads the environment. What a
//! mapping says is no business of this room; the `plan` brings the two together.

mod backend;
pub mod code;
mod credentials;
mod custody;
mod effective;
pub mod files;
pub mod forms;
mod gateway;
mod headers;
mod idempotency;
mod identify;
mod limits;
mod listeners;
mod notifications;
mod number;
mod oauth;
mod partner;
mod policy;
mod polling;
mod read;
mod retention;
mod route;
mod rules;
pub mod secret;
mod stamp;
mod tls;
mod tree;
mod wire;
mod words;

pub use backend::{Backend, BackendLimits, HttpVersion, Timeouts};
pub use credentials::Credentials;
pub use custody::Custody;
pub use effective::{Effective, effective};
pub use files::{OPENAPI_FOLDER, PRODUCTS_FOLDER};
pub use gateway::{
    Demonstration, Gateway, LogFormat, LogLevel, Postgres, Recording, Reload, Store, Telemetry,
};
pub use headers::{HeaderCase, Headers};
pub use idempotency::Idempotency;
pub use identify::Identify;
pub use limits::Limits;
pub use listeners::{Listener, Listeners};
pub use notifications::{Allowed, Notifications};
pub use number::{Number, numbers};
pub use oauth::{ClientProof, OAuth2};
pub use partner::{Partner, Releases, Represented, Represents, Side};
pub use policy::{AnswerFindings, Operations, Policy, Switch};
pub use polling::Polling;
pub use retention::Retention;
pub use route::{OperationName, Route};
pub use rules::Rules;
pub use stamp::{Changed, ReadBefore};
pub use tls::{ClientCertificate, Tls};

use crate::{
    ids::{BackendId, PartnerId},
    text::{Diagnostic, Diagnostics, FileSet, SourceId, Sources, Span},
};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// All settings of one gateway; nothing in them can be wrong by itself or refer to what is not there.
///
/// Whether mapping sets, operations and product types exist is for the `plan` to say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `segue.yaml`.
    pub gateway: Gateway,
    /// `backends/*.yaml` by name.
    pub backends: BTreeMap<BackendId, Backend>,
    /// `partners/*.yaml` by name.
    pub partners: Partners,
}

/// Partners by name; the same in memory as long as none of them changes.
pub type Partners = Arc<BTreeMap<PartnerId, Arc<Partner>>>;

/// What came of reading a configuration folder.
#[derive(Debug)]
pub struct Loaded {
    /// The texts that were read, for diagnostics; more may be added.
    pub sources: Sources,
    /// Exactly what was read, for hashing.
    pub files: FileSet,
    /// The settings; `None` if any diagnostic is an error.
    pub settings: Option<Settings>,
    /// All that is to be said, in order.
    pub diagnostics: Diagnostics,
    /// What need not be read again while its text is the same.
    pub kept: Kept,
}

/// The partners of an earlier reading, by their files.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub(crate) files: Arc<BTreeMap<Arc<str>, KeptPartner>>,
    /// What was made of them.
    pub(crate) partners: Partners,
    /// Names of the backends there were: what a partner's file may name.
    pub(crate) backends: Vec<String>,
    /// The folder.
    pub(crate) folder: ReadBefore,
}

impl Kept {
    /// Whether the folder still has what was read. Secrets and variables are not looked at.
    #[must_use]
    pub fn is_current(&self, folder: &Path) -> bool {
        let mut faults = Diagnostics::new();
        let (_, read) = files::read_config_again(folder, &self.folder, &Changed::Anywhere, &mut faults);
        faults.is_empty() && read.is_same(&self.folder)
    }
}

impl Kept {
    /// How the folder was read.
    #[must_use]
    pub fn reading(&self) -> &ReadBefore {
        &self.folder
    }
}

/// A partner's file as it was read.
#[derive(Debug, Clone)]
pub(crate) struct KeptPartner {
    source: SourceId,
    text: Arc<str>,
    partner: Option<Arc<Partner>>,
    told: Diagnostics,
}

impl KeptPartner {
    /// Whether the same text may mean something else: secrets may have changed behind their references, and whom a route
    /// names may be there by now.
    fn may_differ(&self) -> bool {
        let names_secrets = |partner: &Arc<Partner>| {
            let is_by_token = matches!(partner.identify.value, Identify::Token(_));
            is_by_token || partner.notifications.is_some() || partner.endpoint.is_some()
        };
        self.told.has_errors() || self.partner.as_ref().is_none_or(names_secrets)
    }
}

/// Reads the folder with the secrets of this process's environment.
pub fn load(folder: &Path) -> Loaded {
    load_again(folder, Sources::new(), &Kept::default(), &Changed::Anywhere)
}

/// The same, where the folder was read before and changed there since; `sources` are those of that reading, renewed.
pub fn load_again(folder: &Path, sources: Sources, kept: &Kept, changed: &Changed) -> Loaded {
    let mut faults = Diagnostics::new();
    let (files, read) = files::read_config_again(folder, &kept.folder, changed, &mut faults);
    let mut loaded = load_set_again(files, &secret::Lookup::of_process(folder), sources, kept);
    loaded.kept.folder = read;
    if !faults.is_empty() {
        loaded.settings = loaded.settings.filter(|_| !faults.has_errors());
        faults.append(loaded.diagnostics);
        loaded.diagnostics = faults.sorted(&loaded.sources);
    }
    loaded
}

/// Makes settings of texts that were read already; paths are relative to the configuration folder.
pub fn load_set(files: FileSet, lookup: &secret::Lookup<'_>) -> Loaded {
    load_set_again(files, lookup, Sources::new(), &Kept::default())
}

/// The same, where the folder was read before; `sources` are those of that reading, renewed.
pub fn load_set_again(
    files: FileSet,
    lookup: &secret::Lookup<'_>,
    mut sources: Sources,
    before: &Kept,
) -> Loaded {
    let (mut out, mut kept) = (Diagnostics::new(), Kept::default());
    let settings = read::settings(&files, lookup, before, &mut kept, &mut sources, &mut out);
    out.sort(&sources);
    Loaded { settings: settings.filter(|_| !out.has_errors()), sources, files, diagnostics: out, kept }
}

/// A setting that is known but that this version does not obey.
fn later(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(code::LATER, format!("{what} is not supported by this version"))
        .at(span)
        .hint("remove it; a setting that has no effect is refused rather than ignored")
}

#[cfg(test)]
mod tests;
