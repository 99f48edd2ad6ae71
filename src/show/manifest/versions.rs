//! How many documents have which version, and what that means for a migration.

use serde_json::{Value, json};

use super::{Failures, Ledger, Row, count};
use crate::show::text::{Tone, visible};

/// What a version means for the migration that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Nothing is to be done.
    There,
    /// Migrations lead forward from it.
    Forward,
    /// Migrations lead back from it.
    Back,
    /// It is known, but nothing leads from it.
    Nowhere,
    /// No migration knows it.
    Unknown,
}

impl Way {
    /// For programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::There => "there",
            Self::Forward => "forward",
            Self::Back => "back",
            Self::Nowhere => "no_path",
            Self::Unknown => "unknown_version",
        }
    }

    const fn needs(self) -> bool {
        matches!(self, Self::Forward | Self::Back)
    }
}

/// The documents of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfVersion {
    /// The version, as the documents spell it.
    pub version: String,
    /// How many have it.
    pub count: u64,
    /// What that means.
    pub way: Way,
}

/// What `list-versions` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// Where it looked: `below shop, pattern **/manifest.json`.
    pub place: String,
    /// By version, lowest first.
    pub versions: Vec<OfVersion>,
    /// The version that is wanted.
    pub target: String,
    /// The newest version that there is a migration to.
    pub latest: String,
    /// Documents whose version could not be told; those of an unknown version are in `versions`.
    pub failures: Failures,
    /// The command that shows what a migration would do.
    pub preview: String,
}

impl Versions {
    /// All documents.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.versions.iter().map(|v| v.count).sum::<u64>() + self.failures.count()
    }

    fn needing(&self) -> impl Iterator<Item = &OfVersion> {
        self.versions.iter().filter(|v| v.way.needs())
    }

    /// How many are to be migrated.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.needing().map(|v| v.count).sum()
    }

    /// The table for people.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let total = self.total();
        let found = count(total, "manifest", "manifests");
        let mut ledger = Ledger::new("FOUND", format!("{found} {}", visible(&self.place)), 0);
        for v in &self.versions {
            let target = &self.target;
            let (note, tone) = match v.way {
                Way::There if *target == self.latest => {
                    ("the latest version".to_owned(), Tone::Good)
                }
                Way::There => ("the version that is wanted".to_owned(), Tone::Good),
                Way::Forward => (format!("can be migrated to {target}"), Tone::Asks),
                Way::Back => (format!("can be migrated back to {target}"), Tone::Asks),
                Way::Nowhere => (format!("no migration leads to {target}"), Tone::Bad),
                Way::Unknown => ("no migration knows this version".to_owned(), Tone::Bad),
            };
            ledger
                .rows
                .push(Row::new(v.version.clone(), v.count, note).toned(tone));
        }
        for (class, n) in self.failures.classes() {
            let row = Row::new(class.replace('_', " "), n, "named below");
            ledger.rows.push(row.toned(Tone::Bad));
        }
        ledger.failures = self.failures.clone();
        ledger.facts.push(("latest version", self.latest.clone()));
        if total == 0 {
            ledger.rows.clear();
            ledger.facts.push((
                "so",
                "no file has such a path: look at ROOT and --pattern".to_owned(),
            ));
            return ledger;
        }
        let parts: Vec<String> = self
            .needing()
            .map(|v| format!("{} at {}", v.count, visible(&v.version)))
            .collect();
        let pending = self.pending();
        if pending == 0 {
            let text = format!("nothing is to be migrated to {}", self.target);
            ledger.facts.push(("so", text));
        } else {
            let verb = if pending == 1 { "needs" } else { "need" };
            let text = format!(
                "{pending} of {total} {verb} a migration to {}: {}",
                self.target,
                parts.join(" + ")
            );
            ledger.facts.push(("so", text));
            ledger.commands.push(("next", self.preview.clone()));
        }
        ledger
    }

    /// What programs get beside the result's own fields.
    #[must_use]
    pub fn json(&self) -> Value {
        let versions: Vec<Value> = self
            .versions
            .iter()
            .map(|v| json!({"version": v.version, "count": v.count, "way": v.way.as_str()}))
            .collect();
        let unknown: u64 = self
            .versions
            .iter()
            .filter(|v| v.way == Way::Unknown)
            .map(|v| v.count)
            .sum();
        json!({
            "total": self.total(),
            "versions": versions,
            "target_version": self.target,
            "latest_version": self.latest,
            "needs_migration": self.pending(),
            "corrupted": self.failures.of("corrupted"),
            "unknown": unknown + self.failures.of("no_version"),
            "unreadable": self.failures.unreadable(),
        })
    }
}
