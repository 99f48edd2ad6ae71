//! All migrations of a kind, and the shortest way from one version to another.

use super::migration::Migration;
use super::version::Version;

/// The migrations of one kind.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    migrations: Vec<Migration>,
}

impl Registry {
    /// The highest version that a migration leads to; `None` where there is no migration.
    #[must_use]
    pub fn latest(&self) -> Option<Version> {
        self.migrations.iter().map(|one| one.to_version).max()
    }
}
