//! Why a document is left alone: a class for counts, a sentence for people, a place where there is one.

use super::super::json::Refusal;
use super::super::version::Version;

/// Why a document is left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It is no JSON document that can be read in one way only.
    #[error("the document is corrupted: {0}")]
    Corrupted(Refusal),
    /// It has no version.
    #[error("the document has no version at `{pointer}`")]
    NoVersion {
        /// Where the version should be.
        pointer: String,
    },
    /// No migration knows its version.
    #[error("the version {version} is unknown: {reason}")]
    UnknownVersion {
        /// What the document says: the text, or the JSON value if it is no text.
        version: String,
        /// Why that is not known.
        reason: String,
    },
    /// No way leads to the wanted version.
    #[error("no migration leads from {from} to {to}: {reason}")]
    NoPath {
        /// The document's version.
        from: Version,
        /// The wanted one.
        to: Version,
        /// Why not.
        reason: String,
    },
    /// The way back needs what nobody kept.
    #[error("there is no way back from {from} to {to}: {reason}")]
    NoWayBack {
        /// The document's version.
        from: Version,
        /// The wanted one.
        to: Version,
        /// What is missing.
        reason: String,
    },
    /// The side data that was given cannot be read.
    #[error("what was kept beside the document cannot be read: {reason}")]
    SideData {
        /// What is wrong with it.
        reason: String,
    },
    /// It is not fit to be migrated.
    #[error("the document is not fit to be migrated: {reason}")]
    Before {
        /// What is missing or wrong.
        reason: String,
    },
    /// What the migration made of it is not right.
    #[error("the migrated document would not be right, so it was not written: {reason}")]
    After {
        /// What is wrong.
        reason: String,
    },
    /// It does not fit the schema of its version.
    #[error("the document does not fit the schema of version {version}: {reason}")]
    Schema {
        /// Which version's schema.
        version: Version,
        /// The first misfit, with its place.
        reason: String,
    },
    /// It is not as its last migration left it.
    #[error(
        "the document was changed after its last migration: its bytes give {found}, and its history says {recorded}"
    )]
    Checksum {
        /// What the history entry says.
        recorded: String,
        /// What the bytes say.
        found: String,
    },
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Corrupted(refusal)
    }
}

impl Failure {
    /// The name of the class of failure, for counts and machines.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Corrupted(_) => "corrupted",
            Self::NoVersion { .. } => "no_version",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::NoPath { .. } => "no_path",
            Self::NoWayBack { .. } => "no_way_back",
            Self::SideData { .. } => "side_data",
            Self::Before { .. } => "not_fit",
            Self::After { .. } => "not_right",
            Self::Schema { .. } => "schema",
            Self::Checksum { .. } => "checksum",
        }
    }

    /// Line and column from 1, where there is one place.
    #[must_use]
    pub const fn place(&self) -> Option<(usize, usize)> {
        match self {
            Self::Corrupted(refusal) => Some((refusal.line, refusal.column)),
            _ => None,
        }
    }
}
