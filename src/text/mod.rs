//! Source files, places in them, and what is said about them.
//!
//! Everything an integrator writes is read through this room, so that whatever is wrong with it is told with
//! file, line, column, the exact word and a way out, all at once. Configuration and mappings differ in what they
//! mean; here nothing is known of either. Messages between partners are `json`'s, which keeps bytes, not places.

pub mod code;
mod diagnostic;
mod files;
pub mod form;
mod hint;
mod render;
mod repair;
mod sarif;
mod source;
mod suggest;
pub mod yaml;

pub use code::{Code, Meaning};
pub use diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics, Severity};
pub use files::{FileSet, FileText};
pub use hint::{Fix, Hint};
pub use repair::{Slips, repair};
pub use source::offset as source_offset;
pub use source::{SourceId, Sources, Span, Spanned};
pub use suggest::suggest;
