//! The manifest wing: JSON documents that carry a version, brought from one version to another.
//!
//! A [`Kind`] says which documents belong together and which of their fields may never change. A
//! [`Migration`](migration::Migration) is a file of operations that leads from one version to the next. The
//! [`Registry`] knows all migrations of a kind and finds the shortest way; the [`Engine`] walks it: bytes in, bytes
//! out. Nothing here reads a clock, a file or a setting except the rooms that say so in their names.

pub mod files;
pub mod index;
pub mod json;
pub mod kind;
pub mod migration;
pub mod registry;
pub mod sketch;
pub mod transform;
pub mod version;

pub use kind::Kind;
pub use registry::Registry;
pub use transform::{Engine, Failure, Migrated, Outcome, Target, Verified};
pub use version::Version;
