//! Manifest migration as a step (SPEC section 8): lowered to a process of this same program, which outlives the
//! orchestrator like any other, and undone by another one that restores exactly what this step migrated.

use super::lower::Lowering;
use super::types::{
    Action, Check, GateAt, How, InputKind, Process, Program, Run, Undo, UndoPiece, UndoWay, Work,
};
use crate::base::id::StepId;
use crate::plan::condition::counts;
use crate::plan::model;

/// The exit codes after which single manifests failed and the rest were gone through: 5, or 4 where nothing was left to
/// change.
pub const SOME_FAILED: [i32; 2] = [4, 5];

/// A run of the built-in manifest engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The step that it belongs to: its undo finds by this what it migrated.
    pub step: StepId,
    /// The folder that is walked, relative to the plan's folder.
    pub root: String,
    /// Forward or back.
    pub does: ManifestWork,
}

/// What the engine is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestWork {
    /// `manifest migrate`.
    Migrate(ManifestSettings),
    /// `manifest restore`: what this step's runs migrated.
    Restore,
}

/// The settings of a `manifest_migration` step; what the author left out is the engine's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestSettings {
    /// Which files are manifests.
    pub pattern: Option<String>,
    /// The version to reach.
    pub target_version: Option<String>,
    /// The folder of migrations, relative to the plan's folder.
    pub migrations: Option<String>,
    /// How many files at a time.
    pub workers: Option<u32>,
    /// At most so many files.
    pub limit: Option<u64>,
    /// Nothing is written.
    pub dry_run: bool,
    /// Whether a backup is kept beside each file.
    pub backup: bool,
    /// A check or gate of the phase looks at how many failed, so single failures do not fail the step: the evidence
    /// decides.
    pub judged: bool,
}

impl Manifest {
    /// The arguments after the program's name, without the files that only a run knows.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        // A folder whose name begins with a dash is a folder all the same.
        let folder = |path: &str| {
            if path.starts_with('-') {
                format!("./{path}")
            } else {
                path.to_owned()
            }
        };
        let mut all = vec!["manifest".to_owned()];
        let ManifestWork::Migrate(settings) = &self.does else {
            all.extend(["restore".to_owned(), folder(&self.root)]);
            return all;
        };
        all.extend(["migrate".to_owned(), folder(&self.root)]);
        let mut value = |flag: &str, value: Option<String>| {
            // In one piece: a value may begin with a dash.
            all.extend(value.map(|value| format!("{flag}={value}")));
        };
        value("--pattern", settings.pattern.clone());
        value("--target-version", settings.target_version.clone());
        value("--migrations", settings.migrations.as_deref().map(folder));
        value("--workers", settings.workers.map(|n| n.to_string()));
        value("--limit", settings.limit.map(|n| n.to_string()));
        if settings.dry_run {
            all.push("--dry-run".to_owned());
        }
        if !settings.backup {
            all.push("--no-backup".to_owned());
        }
        all
    }
}

impl Process {
    /// The manifest run that it is.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.run {
            Run::Manifest(manifest) => Some(manifest),
            Run::Shell { .. } | Run::Script { .. } => None,
        }
    }

    /// The folder of migrations that it reads.
    #[must_use]
    pub fn migrations(&self) -> Option<&str> {
        match &self.manifest()?.does {
            ManifestWork::Migrate(settings) => settings.migrations.as_deref(),
            ManifestWork::Restore => None,
        }
    }
}

impl super::types::Step {
    /// The manifest run that is its action.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.action {
            Action::Run(work) => work.processes.iter().find_map(Process::manifest),
            Action::Nothing | Action::Person(_) => None,
        }
    }
}

fn process(manifest: Manifest, name: String) -> Process {
    Process {
        name,
        run: Run::Manifest(Box::new(manifest)),
        env: Vec::new(),
        timeout_ms: None,
    }
}

impl Lowering<'_> {
    /// The action of a step with a `manifest_migration`.
    pub(super) fn manifest(
        &mut self,
        written: &model::ManifestMigration,
        step: &StepId,
        timeout_ms: Option<u64>,
        at: &str,
    ) -> Work {
        for (key, zero) in [
            ("workers", written.workers == Some(0)),
            ("limit", written.limit == Some(0)),
        ] {
            if zero {
                self.error(
                    &format!("{at}/{key}"),
                    format!("`{key}: 0` migrates nothing: leave it out, or give a number from 1"),
                );
            }
        }
        for file in written.migrations.iter().flat_map(|at| self.files.list(at)) {
            self.input(&file, InputKind::Migration);
        }
        let root = written.root().to_owned();
        let target = written.target_version.clone();
        let verb = if written.is_dry_run() {
            "manifest migrate --dry-run"
        } else {
            "manifest migrate"
        };
        let name = format!("{verb} {root} to {}", target.as_deref().unwrap_or("latest"));
        let settings = ManifestSettings {
            pattern: written.pattern.clone(),
            target_version: target,
            migrations: written.migrations.clone(),
            workers: written.workers,
            limit: written.limit,
            dry_run: written.is_dry_run(),
            backup: written.keeps_backups(),
            judged: false,
        };
        let manifest = Manifest {
            step: step.clone(),
            root,
            does: ManifestWork::Migrate(settings),
        };
        Self::one(process(manifest, name), timeout_ms)
    }

    /// The way back that a manifest step has without a word of its author: its own backups go back.
    pub(super) fn manifest_undo(
        written: &model::ManifestMigration,
        step: &model::Step,
        timeout_ms: Option<u64>,
    ) -> UndoWay {
        if !written.keeps_backups() {
            return UndoWay::Wall(
                "it keeps no backups (`backup: false`), and it has no rollback of its own"
                    .to_owned(),
            );
        }
        let Ok(id) = StepId::parse(&step.step_id) else {
            return UndoWay::Wall("its id is not an id".to_owned());
        };
        let root = written.root().to_owned();
        let name = format!("manifest restore {root}");
        let manifest = Manifest {
            step: id,
            root,
            does: ManifestWork::Restore,
        };
        UndoWay::Pieces(vec![UndoPiece::Run(Self::one(
            process(manifest, name),
            timeout_ms,
        ))])
    }
}

/// Whether the undo of a step is the built-in one.
#[must_use]
pub fn is_restore(undo: &Undo) -> bool {
    let UndoWay::Pieces(pieces) = &undo.way else {
        return false;
    };
    pieces.iter().any(|piece| match piece {
        UndoPiece::Run(work) => work.processes.iter().any(|p| p.manifest().is_some()),
        UndoPiece::Person(_) => false,
    })
}

/// Says of each manifest step whether its phase looks at how many failed: in its own validation, in a gate that stands
/// at it, or, by the bare name where it is the only one of its phase and by its id otherwise, in a check after any step
/// or in a gate of the phase.
pub(super) fn mark_judged(program: &mut Program) {
    let manifests: Vec<usize> = (0..program.steps.len())
        .filter(|&i| program.steps[i].manifest().is_some())
        .collect();
    for &index in &manifests {
        let step = &program.steps[index];
        let phase = step.phase;
        let alone = manifests
            .iter()
            .filter(|&&other| program.steps[other].phase == phase)
            .count()
            == 1;
        let id = step.id.as_str();
        let asks = |checks: &[Check], bare: bool| {
            checks.iter().any(|check| match &check.how {
                How::When(text) => counts(text).iter().any(|count| {
                    count.member == Some("failed") && count.step.map_or(bare, |named| named == id)
                }),
                _ => false,
            })
        };
        let in_steps = program.phases[phase]
            .steps
            .iter()
            .any(|&s| asks(&program.steps[s].validation, alone || s == index));
        let in_gates = program.gates.iter().any(|gate| match gate.at {
            GateAt::Phase(p) => p == phase && asks(&gate.criteria, alone),
            GateAt::Step(s) => {
                program.steps[s].phase == phase && asks(&gate.criteria, alone || s == index)
            }
            GateAt::Completion => false,
        });
        if !(in_steps || in_gates) {
            continue;
        }
        if let Action::Run(work) = &mut program.steps[index].action {
            for process in &mut work.processes {
                if let Run::Manifest(manifest) = &mut process.run
                    && let ManifestWork::Migrate(settings) = &mut manifest.does
                {
                    settings.judged = true;
                }
            }
        }
    }
}
