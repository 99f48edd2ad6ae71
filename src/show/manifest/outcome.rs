//! How a migration of documents ended, and its way back.

use serde_json::{Map, Value, json};

use super::{Failures, Ledger, Row, count};
use crate::show::text::{Tone, visible};

/// Failures that the result file of `migrate` names; it is for gates, which count, and the record names all.
pub const IN_RESULT: usize = 100;

/// How `migrate` ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Migration {
    /// Where it looked.
    pub place: String,
    /// The version that was wanted.
    pub target: String,
    /// How many were migrated, by the version they had, lowest first.
    pub from: Vec<(String, u64)>,
    /// How many were at the target before.
    pub current: u64,
    /// How many are left for another time: beyond `--limit`, or after an interruption.
    pub remaining: u64,
    /// What should have been migrated and was not.
    pub failures: Failures,
    /// Nothing was written.
    pub dry_run: bool,
    /// It was stopped by a signal.
    pub interrupted: bool,
    /// Why it stopped before its end, if the disk or its record made it.
    pub stopped: Option<String>,
    /// Whether that is an error of the system rather than a lack of room.
    pub broken: bool,
    /// How many of those that were migrated were so before this process went on with the migration.
    pub before: u64,
    /// Temporary files of processes that were killed, which were removed.
    pub swept: u64,
    /// In a dry run: changes that are not shown as a diff.
    pub not_shown: u64,
    /// Backups were kept.
    pub backup: bool,
    /// The id of the migration, if anything was recorded.
    pub id: Option<String>,
    /// The command that goes on.
    pub again: String,
    /// The command that takes it back.
    pub restore: Option<String>,
    /// The command that verifies it.
    pub verify: String,
}

impl Migration {
    /// How many were migrated, or would have been.
    #[must_use]
    pub fn migrated(&self) -> u64 {
        self.from.iter().map(|(_, n)| n).sum()
    }

    /// SPEC section 10, as far as the documents decide it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let incomplete = self.failures.count() > 0 || self.stopped.is_some();
        match (incomplete, self.migrated()) {
            _ if self.interrupted => 130,
            _ if self.broken => 1,
            (false, _) => 0,
            // Some failed, and this migration has changed nothing.
            (true, 0) => 4,
            (true, _) => 5,
        }
    }

    /// The table for people.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let failed = self.failures.count();
        let word = match (self.interrupted, self.dry_run, failed) {
            (true, _, _) => "INTERRUPTED",
            (_, true, _) => "DRY RUN",
            _ if self.stopped.is_some() => "STOPPED",
            (_, _, 0) => "MIGRATED",
            (_, _, _) if self.migrated() == 0 => "NOT MIGRATED",
            _ => "MIGRATED IN PART",
        };
        let total = self.migrated() + self.current + failed + self.remaining;
        let found = count(total, "manifest", "manifests");
        let subject = format!("{found} {}, to {}", visible(&self.place), self.target);
        let mut ledger = Ledger::new(word, subject, self.exit_code());
        let from: Vec<String> = self
            .from
            .iter()
            .map(|(version, n)| format!("{n} from {}", visible(version)))
            .collect();
        let migrated = if self.dry_run {
            "would be migrated"
        } else {
            "migrated"
        };
        ledger.rows = vec![
            Row::new(migrated, self.migrated(), from.join(" + ")).toned(Tone::Good),
            Row::new(
                "already current",
                self.current,
                format!("at {}, left as they are", self.target),
            ),
            Row::new("failed", failed, self.failures.sum()).toned(Tone::Bad),
        ];
        if self.remaining > 0 {
            let note = "the same command takes them";
            ledger
                .rows
                .push(Row::new("not yet looked at", self.remaining, note).toned(Tone::Asks));
        }
        ledger.failures = self.failures.clone();
        self.tell(total, &mut ledger);
        ledger
    }

    fn tell(&self, total: u64, ledger: &mut Ledger) {
        if total == 0 {
            ledger.rows.clear();
            ledger.facts.push((
                "so",
                "no file has such a path: look at ROOT and --pattern".to_owned(),
            ));
            return;
        }
        if self.dry_run {
            if self.not_shown > 0 {
                let n = self.not_shown;
                let text = format!("{n} of the changes are not shown; --output json shows all");
                ledger.facts.push(("diffs", text));
            }
            ledger.facts.push(("so", "nothing was written".to_owned()));
            if self.migrated() > 0 {
                ledger.commands.push(("next", self.again.clone()));
            }
            return;
        }
        if let Some(why) = &self.stopped {
            ledger.facts.push(("stopped", why.clone()));
        }
        if let Some(id) = &self.id {
            let id = visible(id);
            let text = match self.before {
                0 => id,
                n => format!("{id}, continued: {n} were migrated before"),
            };
            ledger.facts.push(("migration", text));
        }
        if self.swept > 0 {
            let files = count(self.swept, "temporary file", "temporary files");
            let text = format!("{files} of a killed process removed");
            ledger.facts.push(("tidied", text));
        }
        if self.migrated() > 0 {
            let backups = if self.backup {
                "each beside its manifest, as manifest.json.backup; where other bytes have that name, \
                 as manifest.json.backup.VERSION"
            } else {
                "none were kept (--no-backup)"
            };
            ledger.facts.push(("backups", backups.to_owned()));
        }
        if self.interrupted || self.stopped.is_some() || self.remaining > 0 {
            ledger.commands.push(("go on", self.again.clone()));
        }
        if self.migrated() > 0 {
            ledger.commands.push(("verify", self.verify.clone()));
            if let Some(restore) = &self.restore {
                ledger.commands.push(("go back", restore.clone()));
            }
        }
    }

    /// What programs get beside the result's own fields.
    #[must_use]
    pub fn json(&self) -> Value {
        let from: Map<String, Value> = self
            .from
            .iter()
            .map(|(version, n)| (version.clone(), json!(n)))
            .collect();
        let failed = self.failures.count();
        json!({
            "total": self.migrated() + self.current + failed + self.remaining,
            "migrated": self.migrated(),
            "current": self.current,
            "failed": failed,
            "corrupted": self.failures.of("corrupted"),
            "unknown": self.failures.of("unknown_version") + self.failures.of("no_version"),
            "unreadable": self.failures.unreadable(),
            "remaining": self.remaining,
            "from_versions": from,
            "target_version": self.target,
            "dry_run": self.dry_run,
        })
    }
}

/// How `restore` ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restoration {
    /// Where it looked.
    pub place: String,
    /// How many were put back.
    pub restored: u64,
    /// How many were as before already.
    pub current: u64,
    /// What should have been put back and was not.
    pub failures: Failures,
    /// It was stopped by a signal.
    pub interrupted: bool,
    /// Why it stopped before its end, if the disk made it.
    pub broken: Option<String>,
    /// The command that goes on.
    pub again: String,
}

impl Restoration {
    /// SPEC section 10, as far as the documents decide it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match (self.failures.count(), self.restored + self.current) {
            _ if self.interrupted => 130,
            _ if self.broken.is_some() => 1,
            (0, _) => 0,
            (_, 0) => 4,
            _ => 5,
        }
    }

    /// The table for people.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let failed = self.failures.count();
        let word = match failed {
            _ if self.interrupted => "INTERRUPTED",
            _ if self.broken.is_some() => "STOPPED",
            0 => "RESTORED",
            _ if self.restored == 0 => "NOT RESTORED",
            _ => "RESTORED IN PART",
        };
        let total = self.restored + self.current + failed;
        let found = count(total, "manifest", "manifests");
        let subject = format!("{found} {}", visible(&self.place));
        let mut ledger = Ledger::new(word, subject, self.exit_code());
        if total == 0 && !self.interrupted {
            let text = "no migration of these manifests is recorded that is not taken back already; --by-history goes \
                        by what each manifest says of itself";
            ledger.facts.push(("so", text.to_owned()));
            return ledger;
        }
        ledger.rows = vec![
            Row::new("put back", self.restored, "the bytes before the migration").toned(Tone::Good),
            Row::new("already as before", self.current, "left as they are"),
            Row::new("failed", failed, self.failures.sum()).toned(Tone::Bad),
        ];
        if let Some(why) = &self.broken {
            ledger.facts.push(("stopped", why.clone()));
        }
        if self.interrupted || self.broken.is_some() {
            ledger.commands.push(("go on", self.again.clone()));
        }
        ledger.failures = self.failures.clone();
        ledger
    }

    /// What programs get beside the result's own fields.
    #[must_use]
    pub fn json(&self) -> Value {
        let failed = self.failures.count();
        json!({
            "total": self.restored + self.current + failed,
            "restored": self.restored,
            "current": self.current,
            "failed": failed,
        })
    }
}
