//! The plan lowered to what the engine walks: nodes, order, undo links, gates, digest.
//!
//! A [`Program`] holds nothing that only a reader of the document needs, and everything that a run needs: it is
//! computed once per plan (see [`lower`]) and never changes while a run goes on. Every list keeps the order in which
//! things happen. What a check or an action *does* is data here; performing it is left to `run::perform`.

mod checks;
mod datasets;
mod digest;
mod lower;
mod manifest;
mod names;
#[cfg(test)]
mod tests;
mod types;
mod undo;
mod work;

pub use digest::plan_digest;
pub use lower::{Files, LowerError, lower};
pub use manifest::{Manifest, ManifestSettings, ManifestWork, SOME_FAILED, is_restore};
pub use names::names;
pub use types::*;
