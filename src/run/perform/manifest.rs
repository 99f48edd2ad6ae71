//! Manifest steps: the files that a run of the built-in engine reads and leaves, and what its counts mean.
//!
//! The engine runs in a process of its own, of this same program, under the run's supervisor. What it migrated is
//! recorded in a folder of the run that belongs to the step ([`Files::state`]), so that the undo finds it whatever
//! happened; what it counted is in a result file beside the step's evidence, and goes from there into the journal.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Place, Purpose, work};
use crate::base::durable::{DurableError, create_dir_private};
use crate::base::id::file_stem;
use crate::plan::program::{Manifest, ManifestWork, SOME_FAILED, Work};
use crate::run::engine::{ManifestCounts, Outcome, Proof};
use crate::run::supervise::{JobEnd, ProcessExit};

/// Longer files are not the engine's, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// So many failed manifests are named in the record; the result file has more, the log all of them.
const NAMED: usize = 3;

/// The files of one run of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// What the step's runs migrated, for all its attempts.
    pub state: PathBuf,
    /// What this run counted.
    pub result: PathBuf,
    /// How far it is.
    pub progress: PathBuf,
}

impl Files {
    /// The files of an attempt.
    #[must_use]
    pub fn of(place: &Place, manifest: &Manifest, attempt: u32) -> Self {
        let step = file_stem(manifest.step.as_str());
        let own = place.run_dir.join("manifest");
        let verb = match manifest.does {
            ManifestWork::Migrate(_) => "migrate",
            ManifestWork::Restore => "restore",
        };
        Self {
            result: place
                .run_dir
                .join("evidence")
                .join(&step)
                .join(format!("manifest-{verb}-{attempt}.json")),
            progress: own.join(format!("{step}.progress.json")),
            state: own.join(step),
        }
    }
}

/// The argument list of a run of the engine.
#[must_use]
pub fn argv(place: &Place, purpose: &Purpose, manifest: &Manifest) -> Vec<String> {
    let files = Files::of(place, manifest, purpose.attempt);
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut all = vec![text(&place.binary)];
    all.extend(manifest.arguments());
    all.extend(["--state-dir".to_owned(), text(&files.state)]);
    all.extend(["--result".to_owned(), text(&files.result)]);
    if shows_progress(manifest) {
        all.extend(["--progress-file".to_owned(), text(&files.progress)]);
    }
    all.push("--yes".to_owned());
    all
}

/// Whether the engine says how far it is.
fn shows_progress(manifest: &Manifest) -> bool {
    matches!(&manifest.does, ManifestWork::Migrate(settings) if !settings.dry_run)
}

/// Makes the folders that the engine writes into, and takes the files of an earlier run of the same attempt away: what
/// is there afterwards is this run's.
///
/// # Errors
/// What the system said.
pub fn prepare(place: &Place, purpose: &Purpose, work: &Work) -> Result<(), DurableError> {
    for manifest in work.processes.iter().filter_map(|p| p.manifest()) {
        let files = Files::of(place, manifest, purpose.attempt);
        create_dir_private(&files.state)?;
        if let Some(folder) = files.result.parent() {
            create_dir_private(folder)?;
        }
        for path in [&files.result, &files.progress] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(DurableError::Io {
                        doing: "remove the old",
                        path: path.clone(),
                        source: error,
                    });
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

/// How far a run of the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Progress {
    /// Manifests that are done with, whatever became of them.
    pub done: u64,
    /// All of them; none while they are still being counted.
    #[serde(default)]
    pub total: Option<u64>,
    /// Those among `done` that failed.
    #[serde(default)]
    pub failed: u64,
}

/// How far the engine is with a step's attempt; none before it says so.
#[must_use]
pub fn progress(place: &Place, manifest: &Manifest, attempt: u32) -> Option<Progress> {
    if !shows_progress(manifest) {
        return None;
    }
    // It is replaced as a whole; one that is not there yet, or not understood, says nothing, and the display goes without.
    read(&Files::of(place, manifest, attempt).progress).ok()
}

/// What the engine says of a run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Report {
    #[serde(flatten)]
    counts: ManifestCounts,
    failures: Vec<Failure>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Failure {
    path: String,
    class: String,
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(io::Error::from)
}

/// What the end of a manifest step's action means. Where single manifests failed, the step succeeds only if a check or a
/// gate of its phase looks at how many: then the evidence decides.
#[must_use]
pub fn outcome(end: &JobEnd, place: &Place, manifest: &Manifest, attempt: u32) -> (Outcome, Proof) {
    let (outcome, mut proof) = work::outcome(end);
    let ManifestWork::Migrate(settings) = &manifest.does else {
        return (outcome, proof);
    };
    let code = match end.processes.last().map(|process| &process.exit) {
        Some(ProcessExit::Exited { code }) => *code,
        _ => return (outcome, proof),
    };
    let files = Files::of(place, manifest, attempt);
    let report: Report = match read(&files.result) {
        Ok(report) => report,
        Err(error) if code == 0 || SOME_FAILED.contains(&code) => {
            // Nothing is hidden: without figures nobody can say that nothing failed, and nothing judges it.
            proof.detail = format!(
                "`{}` exited with {code}, and its result cannot be read from {}: {error}",
                end.processes.last().map_or("", |p| p.name.as_str()),
                files.result.display()
            );
            let outcome = if code == 0 {
                Outcome::Succeeded
            } else {
                Outcome::Failed
            };
            return (outcome, proof);
        }
        // It was refused before it began, and says why.
        Err(_) => {
            let said = end
                .tail
                .lines()
                .find_map(|line| line.strip_prefix("error: "));
            if let Some(said) = said {
                proof.detail = format!("{}: {said}", proof.detail);
            }
            return (outcome, proof);
        }
    };
    let failed = report.counts.failed > 0 || SOME_FAILED.contains(&code);
    if code != 0 && !SOME_FAILED.contains(&code) {
        proof.manifest = Some(Box::new(report.counts));
        return (outcome, proof);
    }
    let judged = settings.judged && report.counts.failed > 0;
    proof.detail = sentence(&report, settings.dry_run, failed, judged);
    proof.manifest = Some(Box::new(report.counts));
    let outcome = if failed && !judged {
        Outcome::Failed
    } else {
        Outcome::Succeeded
    };
    (outcome, proof)
}

fn manifests(n: u64) -> String {
    if n == 1 {
        "1 manifest".to_owned()
    } else {
        format!("{n} manifests")
    }
}

fn sentence(report: &Report, dry_run: bool, failed: bool, judged: bool) -> String {
    let counts = &report.counts;
    let would = if dry_run { "would migrate" } else { "migrated" };
    let mut parts = vec![format!(
        "{would} {} of {}",
        counts.migrated,
        manifests(counts.total)
    )];
    if counts.current > 0 {
        parts.push(format!("{} had the version already", counts.current));
    }
    if counts.remaining > 0 {
        parts.push(format!("{} left for later by the limit", counts.remaining));
    }
    let mut text = parts.join(", ");
    if !failed {
        return text;
    }
    let named: Vec<String> = report
        .failures
        .iter()
        .take(NAMED)
        .map(|failure| format!("{} ({})", failure.path, failure.class))
        .collect();
    let more = counts
        .failed
        .saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
    text = format!("{} failed: {}", manifests(counts.failed), named.join(", "));
    if more > 0 && !named.is_empty() {
        text.push_str(&format!(" and {more} more"));
    }
    text.push_str(&format!("; {}", parts.join(", ")));
    text.push_str(if judged {
        "; the plan's checks of `manifest.failed` decide"
    } else {
        "; no check or gate of the phase looks at `manifest.failed`"
    });
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::id::{RunId, StepId};
    use crate::plan::program::ManifestSettings;
    use crate::run::perform::Direction;
    use crate::run::supervise::{LogInfo, ProcessEnd};

    struct World {
        dir: tempfile::TempDir,
        manifest: Manifest,
    }

    impl World {
        fn new(judged: bool) -> Self {
            let settings = ManifestSettings {
                pattern: Some("-x/**".to_owned()),
                target_version: Some("1.2.0".to_owned()),
                workers: Some(2),
                backup: true,
                judged,
                ..ManifestSettings::default()
            };
            Self {
                dir: tempfile::tempdir().unwrap(),
                manifest: Manifest {
                    step: StepId::parse("S-1").unwrap(),
                    root: "-tree".to_owned(),
                    does: ManifestWork::Migrate(settings),
                },
            }
        }

        fn place(&self) -> Place {
            Place {
                run: RunId::parse("000000000000-1").unwrap(),
                environment: None,
                plan_dir: "/plan".into(),
                run_dir: self.dir.path().to_owned(),
                binary: "/bin/orchestrate".into(),
                postgres: Vec::new(),
                instead: BTreeMap::new(),
            }
        }

        fn purpose() -> Purpose {
            Purpose {
                phase: None,
                step: None,
                attempt: 2,
                direction: Direction::Forward,
                evidence: "S-1".to_owned(),
            }
        }

        /// How it ends with this code, and this result file if any.
        fn ends(&self, code: i32, result: Option<&str>) -> (Outcome, Proof) {
            let place = self.place();
            let work = Work::default();
            prepare(&place, &Self::purpose(), &work).unwrap();
            let files = Files::of(&place, &self.manifest, 2);
            if let Some(result) = result {
                std::fs::create_dir_all(files.result.parent().unwrap()).unwrap();
                std::fs::write(&files.result, result).unwrap();
            }
            outcome(
                &end(ProcessExit::Exited { code }),
                &place,
                &self.manifest,
                2,
            )
        }
    }

    fn end(exit: ProcessExit) -> JobEnd {
        let accepted = matches!(exit, ProcessExit::Exited { code: 0 });
        JobEnd {
            job: "000001-S-1".to_owned(),
            epoch: 1,
            accepted,
            processes: vec![ProcessEnd {
                index: 0,
                name: "manifest migrate . to latest".to_owned(),
                exit,
                started_at: jiff::Timestamp::UNIX_EPOCH,
                ended_at: jiff::Timestamp::UNIX_EPOCH,
                duration_ms: 5,
            }],
            duration_ms: 5,
            log: LogInfo {
                path: "logs/x.log".into(),
                bytes: 0,
                lines: 0,
                sha256: String::new(),
                error: None,
            },
            tail: String::new(),
            captured: None,
            left_behind: 0,
            not_recorded: None,
        }
    }

    const SOME: &str = r#"{"format_version":1,"total":100,"migrated":90,"current":6,"failed":4,"corrupted":3,"unknown":1,
        "unreadable":0,"remaining":0,"failures":[{"path":"a/manifest.json","class":"corrupted","message":"m"},
        {"path":"b/manifest.json","class":"unknown_version","message":"m"}],"from_versions":{"1.0.0":90}}"#;

    #[test]
    fn the_command_line_is_the_documented_one() {
        let world = World::new(false);
        let place = world.place();
        let state = world.dir.path().join("manifest/S-1");
        let result = world
            .dir
            .path()
            .join("evidence/S-1/manifest-migrate-2.json");
        let progress = world.dir.path().join("manifest/S-1.progress.json");
        assert_eq!(
            argv(&place, &World::purpose(), &world.manifest),
            [
                "/bin/orchestrate",
                "manifest",
                "migrate",
                "./-tree",
                "--pattern=-x/**",
                "--target-version=1.2.0",
                "--workers=2",
                "--state-dir",
                state.to_str().unwrap(),
                "--result",
                result.to_str().unwrap(),
                "--progress-file",
                progress.to_str().unwrap(),
                "--yes"
            ]
        );
        let back = Manifest {
            does: ManifestWork::Restore,
            ..world.manifest.clone()
        };
        let result = world
            .dir
            .path()
            .join("evidence/S-1/manifest-restore-2.json");
        assert_eq!(
            argv(&place, &World::purpose(), &back)[1..],
            [
                "manifest",
                "restore",
                "./-tree",
                "--state-dir",
                state.to_str().unwrap(),
                "--result",
                result.to_str().unwrap(),
                "--yes"
            ]
        );
    }

    #[test]
    fn failures_fail_the_step_unless_the_phase_looks_at_them() {
        let (alone, proof) = World::new(false).ends(5, Some(SOME));
        assert_eq!(alone, Outcome::Failed);
        assert_eq!(
            proof.detail,
            "4 manifests failed: a/manifest.json (corrupted), b/manifest.json (unknown_version) and 2 more; migrated 90 \
             of 100 manifests, 6 had the version already; no check or gate of the phase looks at `manifest.failed`"
        );
        let (judged, proof) = World::new(true).ends(5, Some(SOME));
        assert_eq!(judged, Outcome::Succeeded);
        assert!(
            proof
                .detail
                .ends_with("the plan's checks of `manifest.failed` decide")
        );
        let counts = proof.manifest.unwrap();
        assert_eq!((counts.failed, counts.from_versions["1.0.0"]), (4, 90));
        // Nothing was left to change and some failed.
        assert_eq!(World::new(true).ends(4, Some(SOME)).0, Outcome::Succeeded);
        // An exit that contradicts the figures hides nothing.
        assert_eq!(World::new(false).ends(0, Some(SOME)).0, Outcome::Failed);
    }

    #[test]
    fn without_a_result_nothing_is_claimed() {
        let world = World::new(true);
        let (outcome, proof) = world.ends(5, None);
        assert_eq!((outcome, proof.manifest), (Outcome::Failed, None));
        let (outcome, proof) = world.ends(0, Some("{\"total\": "));
        assert_eq!((outcome, proof.manifest), (Outcome::Succeeded, None));
        assert_eq!(world.ends(9, None).0, Outcome::Failed);
    }

    #[test]
    fn success_says_how_many() {
        let all = r#"{"total":3,"migrated":1,"current":1,"failed":0,"corrupted":0,"unknown":0,"unreadable":0,"remaining":1}"#;
        let (outcome, proof) = World::new(false).ends(0, Some(all));
        assert_eq!(outcome, Outcome::Succeeded);
        assert_eq!(
            proof.detail,
            "migrated 1 of 3 manifests, 1 had the version already, 1 left for later by the limit"
        );
    }

    #[test]
    fn what_was_killed_is_unknown() {
        let world = World::new(true);
        let place = world.place();
        let end = end(ProcessExit::Killed);
        assert_eq!(
            outcome(&end, &place, &world.manifest, 2).0,
            Outcome::Unknown
        );
    }
}
