//! What a migration file says: from which version to which, by which operations.

use super::version::Version;

/// A migration from one version to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The version that it starts from.
    pub from_version: Version,
    /// The version that it leads to.
    pub to_version: Version,
}
