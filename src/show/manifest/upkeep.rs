//! How the verbs end that look after documents: what is verified, which backups go, what the index holds.

use serde_json::{Map, Value, json};

use super::{Failures, Ledger, Row, bytes, count};
use crate::show::text::{Tone, visible};

/// How `verify` ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Where it looked.
    pub place: String,
    /// How many are as they should be, by version, lowest first.
    pub verified: Vec<(String, u64)>,
    /// What is not so.
    pub failures: Failures,
    /// The version that every document must have.
    pub required: Option<String>,
    /// Backups that were looked at and are whole; `None` if none were looked at.
    pub backups: Option<u64>,
}

impl Verification {
    /// Whether there was nothing to verify.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.verified.is_empty() && self.failures.count() == 0
    }

    /// SPEC section 10, as far as the documents decide it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.failures.count() == 0 { 0 } else { 8 }
    }

    /// The table for people.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let failed = self.failures.count();
        let word = if failed == 0 { "VERIFIED" } else { "DISPROVEN" };
        let verified: u64 = self.verified.iter().map(|(_, n)| n).sum();
        let found = count(verified + failed, "manifest", "manifests");
        let required = match &self.required {
            Some(version) => format!(", required version {version}"),
            None => String::new(),
        };
        let subject = format!("{found} {}{required}", visible(&self.place));
        let mut ledger = Ledger::new(word, subject, self.exit_code());
        let parts: Vec<String> = self
            .verified
            .iter()
            .map(|(version, n)| format!("{n} at {}", visible(version)))
            .collect();
        ledger.rows = vec![
            Row::new("verified", verified, parts.join(" + ")).toned(Tone::Good),
            Row::new("disproven", failed, self.failures.sum()).toned(Tone::Bad),
        ];
        if let Some(backups) = self.backups {
            let text = format!(
                "{} verified as well",
                count(backups, "backup was", "backups were")
            );
            ledger.facts.push(("backups", text));
        }
        ledger.failures = self.failures.clone();
        ledger
    }

    /// What programs get beside the result's own fields.
    #[must_use]
    pub fn json(&self) -> Value {
        let verified: u64 = self.verified.iter().map(|(_, n)| n).sum();
        let versions: Map<String, Value> = self
            .verified
            .iter()
            .map(|(version, n)| (version.clone(), json!(n)))
            .collect();
        let classes: Map<String, Value> = self
            .failures
            .classes()
            .map(|(class, n)| (class.to_owned(), json!(n)))
            .collect();
        json!({
            "total": verified + self.failures.count(),
            "verified": verified,
            "disproven": self.failures.count(),
            "versions": versions,
            "classes": classes,
            "required_version": self.required,
        })
    }
}

/// How `prune` ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruning {
    /// Where it looked.
    pub place: String,
    /// Backups that were deleted, or would have been.
    pub pruned: u64,
    /// Bytes that this freed on the disk, at most: backups that share their bytes with another file free none.
    pub freed: u64,
    /// Backups that are younger.
    pub young: u64,
    /// Backups that are kept because they do not verify, or are still needed.
    pub failures: Failures,
    /// Nothing was deleted.
    pub dry_run: bool,
    /// It was stopped by a signal.
    pub interrupted: bool,
    /// The age, as it was asked for.
    pub older_than: String,
    /// The command that goes on, or that deletes after a dry run.
    pub again: String,
}

impl Pruning {
    /// SPEC section 10, as far as the backups decide it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.failures.count() {
            _ if self.interrupted => 130,
            0 => 0,
            _ => 5,
        }
    }

    /// The table for people.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let kept = self.failures.count();
        let word = match self.dry_run {
            _ if self.interrupted => "INTERRUPTED",
            true => "DRY RUN",
            false => "PRUNED",
        };
        let found = count(self.pruned + self.young + kept, "backup", "backups");
        let subject = format!("{found} {}", visible(&self.place));
        let mut ledger = Ledger::new(word, subject, self.exit_code());
        let pruned = if self.dry_run {
            "would be deleted"
        } else {
            "deleted"
        };
        if self.pruned + self.young + kept > 0 {
            ledger.rows = vec![
                Row::new(pruned, self.pruned, bytes(self.freed)).toned(Tone::Good),
                Row::new(
                    "younger",
                    self.young,
                    format!("than {}, kept", visible(&self.older_than)),
                ),
                Row::new("kept", kept, self.failures.sum()).toned(Tone::Bad),
            ];
        }
        if self.dry_run {
            ledger.facts.push(("so", "nothing was deleted".to_owned()));
            if self.pruned > 0 {
                ledger.commands.push(("next", self.again.clone()));
            }
        } else if self.pruned > 0 {
            let text = "what was deleted cannot be put back by `manifest restore` any more";
            ledger.facts.push(("so", text.to_owned()));
        }
        ledger.failures = self.failures.clone();
        ledger
    }

    /// What programs get beside the result's own fields.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "total": self.pruned + self.young + self.failures.count(),
            "pruned": self.pruned,
            "freed_bytes": self.freed,
            "young": self.young,
            "kept": self.failures.count(),
            "dry_run": self.dry_run,
        })
    }
}

/// How `index` ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Indexing {
    /// Where it looked.
    pub place: String,
    /// Where the index is, without a password.
    pub database: String,
    /// Files that were as the index knew them, and were not read.
    pub unchanged: u64,
    /// Files that are new or changed, and were read.
    pub read: u64,
    /// Entries that were taken out, because their files are gone.
    pub removed: u64,
    /// Manifests that the index has now.
    pub manifests: u64,
    /// Files that it names as problems now, by class.
    pub problems: Vec<(String, u64)>,
    /// Why every file was read although nobody asked for that.
    pub because: Option<String>,
}

impl Indexing {
    /// The table for people.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let problems: u64 = self.problems.iter().map(|(_, n)| n).sum();
        let found = count(self.manifests + problems, "file", "files");
        let mut ledger = Ledger::new("INDEXED", format!("{found} {}", visible(&self.place)), 0);
        ledger
            .rows
            .push(Row::new("manifests", self.manifests, "").toned(Tone::Good));
        for (class, n) in &self.problems {
            let note = "named in the table manifest_problems";
            let row = Row::new(class.replace('_', " "), *n, note);
            ledger.rows.push(row.toned(Tone::Bad));
        }
        ledger.facts.push(("database", visible(&self.database)));
        let because = match &self.because {
            Some(because) => format!(" ({because})"),
            None => String::new(),
        };
        ledger.facts.push((
            "this time",
            format!(
                "{} read{because}, {} unchanged, {} no longer there",
                self.read, self.unchanged, self.removed
            ),
        ));
        ledger
    }

    /// What programs get beside the result's own fields.
    #[must_use]
    pub fn json(&self) -> Value {
        let problems: Map<String, Value> = self
            .problems
            .iter()
            .map(|(class, n)| (class.clone(), json!(n)))
            .collect();
        json!({
            "database": self.database,
            "manifests": self.manifests,
            "problems": problems,
            "read": self.read,
            "unchanged": self.unchanged,
            "removed": self.removed,
            "because": self.because,
        })
    }
}
