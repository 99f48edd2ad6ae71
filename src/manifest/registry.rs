//! All migrations of a kind, and the shortest way from one version to another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::kind::Kind;
use super::migration::{Migration, MigrationFile};
use super::version::Version;

/// The migrations of one kind, and the versions that are known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Registry {
    migrations: BTreeMap<(Version, Version), Migration>,
    versions: BTreeSet<Version>,
}

/// A migration for a hop that another one makes already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two migrations lead from {from} to {to}")]
pub struct SameHop {
    /// From here.
    pub from: Version,
    /// To here.
    pub to: Version,
}

/// Why the built-in migrations cannot be used; a test holds that they can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the built-in migration {name} cannot be used: {reason}")]
pub struct BadBuiltIn {
    /// The file.
    pub name: &'static str,
    /// What is wrong.
    pub reason: String,
}

/// A migration and the direction in which it is walked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hop<'r> {
    /// The migration.
    pub migration: &'r Migration,
    /// Whether it is walked from its `to_version` to its `from_version`.
    pub back: bool,
}

impl Hop<'_> {
    /// The version before.
    #[must_use]
    pub const fn from(&self) -> Version {
        if self.back {
            self.migration.to_version
        } else {
            self.migration.from_version
        }
    }

    /// The version afterwards.
    #[must_use]
    pub const fn to(&self) -> Version {
        if self.back {
            self.migration.from_version
        } else {
            self.migration.to_version
        }
    }
}

/// The built-in migration files: kind, name, text.
pub const BUILT_IN: [(&str, &str, &str); 3] = [
    (
        "run_manifest",
        "run_manifest-1.0.0-1.1.0.yaml",
        include_str!("builtin/migrations/run_manifest-1.0.0-1.1.0.yaml"),
    ),
    (
        "run_manifest",
        "run_manifest-1.1.0-1.2.0.yaml",
        include_str!("builtin/migrations/run_manifest-1.1.0-1.2.0.yaml"),
    ),
    (
        "run_manifest",
        "run_manifest-1.0.0-1.2.0.yaml",
        include_str!("builtin/migrations/run_manifest-1.0.0-1.2.0.yaml"),
    ),
];

impl Registry {
    /// A registry that knows the versions of a kind, and no migration yet.
    #[must_use]
    pub fn of(kind: &Kind) -> Self {
        let versions = kind.versions.iter().chain(kind.schemas.keys());
        Self {
            migrations: BTreeMap::new(),
            versions: versions.copied().collect(),
        }
    }

    /// The built-in migrations of a kind; none for a kind that has none.
    ///
    /// # Errors
    /// A built-in file is broken, which a test excludes.
    pub fn built_in(kind: &Kind) -> Result<Self, BadBuiltIn> {
        let mut registry = Self::of(kind);
        for (of, name, text) in BUILT_IN {
            if of != kind.name {
                continue;
            }
            let bad = |reason: String| BadBuiltIn { name, reason };
            let file: MigrationFile =
                serde_yaml::from_str(text).map_err(|error| bad(error.to_string()))?;
            let checked = file.check(kind);
            let told = || {
                let all: Vec<_> = checked
                    .problems
                    .iter()
                    .map(|one| one.message.as_str())
                    .collect();
                bad(all.join("; "))
            };
            let migration = checked.migration.clone().ok_or_else(told)?;
            registry
                .add(migration)
                .map_err(|error| bad(error.to_string()))?;
        }
        Ok(registry)
    }

    /// Takes in a migration.
    ///
    /// # Errors
    /// Another one leads from the same version to the same version; the registry is as it was.
    pub fn add(&mut self, migration: Migration) -> Result<(), SameHop> {
        let (from, to) = (migration.from_version, migration.to_version);
        if self.migrations.contains_key(&(from, to)) {
            return Err(SameHop { from, to });
        }
        self.versions.extend([from, to]);
        self.migrations.insert((from, to), migration);
        Ok(())
    }

    /// The highest version that is known; `None` where none is.
    #[must_use]
    pub fn latest(&self) -> Option<Version> {
        self.versions.last().copied()
    }

    /// Whether a version is known: a migration names it, or the kind does.
    #[must_use]
    pub fn knows(&self, version: Version) -> bool {
        self.versions.contains(&version)
    }

    /// The versions that are known, in order.
    pub fn versions(&self) -> impl Iterator<Item = Version> + '_ {
        self.versions.iter().copied()
    }

    /// All migrations, in the order of their versions.
    pub fn migrations(&self) -> impl Iterator<Item = &Migration> {
        self.migrations.values()
    }

    /// The shortest way from one version to another: upwards along the migrations, or downwards against them. Of ways
    /// of equal length the one that gets farthest with its first hop is taken, so that the answer never depends on the
    /// order of files. `None` where no way leads there; empty for the version itself.
    #[must_use]
    pub fn path(&self, from: Version, to: Version) -> Option<Vec<Hop<'_>>> {
        let back = to < from;
        let mut reached: BTreeMap<Version, Hop<'_>> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(here) = queue.pop_front() {
            if here == to {
                return Some(trace(&reached, from, to));
            }
            for hop in self.hops(here, back) {
                let next = hop.to();
                let beyond = if back { next < to } else { next > to };
                if !beyond && next != from && !reached.contains_key(&next) {
                    reached.insert(next, hop);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// The hops that leave a version, the longest first.
    fn hops(&self, here: Version, back: bool) -> Vec<Hop<'_>> {
        let mut hops: Vec<Hop<'_>> = self
            .migrations
            .values()
            .map(|migration| Hop { migration, back })
            .filter(|hop| hop.from() == here)
            .collect();
        if !back {
            hops.reverse();
        }
        hops
    }
}

fn trace<'r>(reached: &BTreeMap<Version, Hop<'r>>, from: Version, to: Version) -> Vec<Hop<'r>> {
    let mut path = Vec::new();
    let mut here = to;
    while here != from {
        let Some(hop) = reached.get(&here) else { break };
        path.push(*hop);
        here = hop.from();
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn registry(hops: &[(u32, u32)]) -> Registry {
        let mut registry = Registry::default();
        for (from, to) in hops {
            registry
                .add(Migration {
                    from_version: Version::new(1, *from, 0),
                    to_version: Version::new(1, *to, 0),
                    kind: "run_manifest".to_owned(),
                    changes: Vec::new(),
                    loses: None,
                    operations: Vec::new(),
                })
                .unwrap();
        }
        registry
    }

    fn path(registry: &Registry, from: u32, to: u32) -> Option<Vec<u32>> {
        let path = registry.path(Version::new(1, from, 0), Version::new(1, to, 0))?;
        Some(path.iter().map(|hop| hop.to().minor).collect())
    }

    #[test]
    fn the_built_in_migrations_keep_the_rules() {
        let registry = Registry::built_in(&Kind::run_manifest()).unwrap();
        assert_eq!(registry.migrations().count(), 3);
        assert_eq!(registry.latest(), Some(Version::new(1, 2, 0)));
        assert_eq!(
            path(&registry, 0, 2),
            Some(vec![2]),
            "direct beats two hops"
        );
        assert_eq!(path(&registry, 2, 0), Some(vec![0]));
        for name in Kind::BUILT_IN {
            let kind = Kind::built_in(name).unwrap();
            assert_eq!(kind.name, name);
            assert!(Registry::built_in(&kind).unwrap().latest().is_some());
        }
    }

    #[test]
    fn the_shortest_way_is_found_and_ties_are_settled() {
        let long = registry(&[(0, 1), (1, 2), (2, 3), (3, 4), (0, 2)]);
        assert_eq!(path(&long, 0, 4), Some(vec![2, 3, 4]));
        assert_eq!(path(&long, 4, 0), Some(vec![3, 2, 0]));
        assert_eq!(path(&long, 2, 2), Some(vec![]));
        let tie = registry(&[(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(path(&tie, 0, 3), Some(vec![2, 3]));
        assert_eq!(path(&tie, 3, 0), Some(vec![1, 0]));
        let gap = registry(&[(0, 1), (2, 3)]);
        assert_eq!(path(&gap, 0, 3), None);
        assert_eq!(path(&gap, 9, 3), None);
    }

    #[test]
    fn a_hop_is_made_once() {
        let mut twice = registry(&[(0, 1)]);
        let before = twice.clone();
        let again = twice.migrations().next().unwrap().clone();
        assert!(twice.add(again).is_err());
        assert_eq!(twice, before);
    }
}
