//! Manifest steps: what they say, where they look, and who asks for what they count.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Context;
use super::expressions::near;
use crate::base::diagnostic::{Finding, Sources, codes};
use crate::manifest::Version;
use crate::plan::condition::{BlockEvidence, COUNTS, Index, Understanding, counts, understand};
use crate::plan::load::Loaded;
use crate::plan::migrations;
use crate::plan::model::{
    Check, CheckMapping, ManifestMigration, Measurement, Phase, Place, Plan, Probe, Step, StepType,
};
use crate::plan::source::join;

/// What the format means where the author leaves it out.
const PATTERN: &str = "**/manifest.json";

/// The newest version that the migrations lead to.
const LATEST: &str = "latest";

/// Folders that no manifest migration enters.
const NEVER_ENTERED: [&str; 2] = ["inputs", ".orchestrate"];

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut any = false;
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        for (s, step) in phase.steps.iter().enumerate() {
            let typed = step.r#type == StepType::ManifestMigration;
            if !typed && step.manifest_migration.is_none() {
                continue;
            }
            let pointer = format!("/migration_phases/{p}/steps/{s}");
            match &step.manifest_migration {
                None => without_settings(cx, &pointer, step),
                Some(manifest) => {
                    any = true;
                    settings(cx, &pointer, (phase, step), manifest);
                }
            }
        }
    }
    if any {
        together(cx);
    }
    asked(cx);
}

/// What is wrong with the migration files that the plan's steps name, each at its own place, and the texts of these
/// files.
#[must_use]
pub fn migration_files(loaded: &Loaded) -> (Vec<Finding>, Sources) {
    let folders: BTreeSet<&str> = manifest_steps(&loaded.plan)
        .filter_map(|step| step.manifest_migration.as_ref()?.migrations.as_deref())
        .collect();
    let (mut findings, mut sources) = (Vec::new(), Sources::default());
    for folder in folders {
        let full = loaded.folder().join(folder);
        if !full.is_dir() {
            // The plan's own finding.
            continue;
        }
        let (found, texts) = match migrations::load(Some(&full), None) {
            Ok(read) => (read.findings, read.sources),
            Err(refused) => (refused.findings, refused.sources),
        };
        findings.extend(found);
        for text in texts.all() {
            sources.add(Arc::clone(text));
        }
    }
    (findings, sources)
}

fn acts(step: &Step) -> bool {
    step.execution_details.as_ref().is_some_and(|details| {
        details.automation_script.is_some()
            || !details.commands.is_empty()
            || !details.manual_steps.is_empty()
    })
}

fn without_settings(cx: &mut Context<'_>, pointer: &str, step: &Step) {
    let (id, at) = (&step.step_id, join(pointer, "type"));
    if acts(step) {
        cx.find(
            codes::MANIFEST_TYPE,
            &at,
            format!("`{id}` is of type `manifest_migration`, and it has no `manifest_migration`: its own script or commands run"),
            "give it `manifest_migration: {root: ...}` in their place, or call it `data_migration`",
        );
    } else {
        cx.find(
            codes::MANIFEST_UNSAID,
            &at,
            format!("`{id}` is of type `manifest_migration`, and nothing says what it migrates"),
            "add `manifest_migration: {root: ., pattern: \"**/manifest.json\", target_version: latest}`",
        );
    }
}

fn settings(
    cx: &mut Context<'_>,
    pointer: &str,
    (phase, step): (&Phase, &Step),
    manifest: &ManifestMigration,
) {
    let id = &step.step_id;
    let own = join(pointer, "manifest_migration");
    let at = |key: &str| join(&own, key);
    if step.r#type != StepType::ManifestMigration {
        cx.find_with(
            codes::MANIFEST_TYPE,
            &join(pointer, "type"),
            format!("`{id}` migrates manifests, and its type says something else"),
            (&own, "this is what it does"),
            "write `type: manifest_migration`",
        );
    }
    if let Some(details) = &step.execution_details {
        let other = [
            ("automation_script", details.automation_script.is_some()),
            ("commands", !details.commands.is_empty()),
        ];
        if let Some((key, _)) = other.into_iter().find(|(_, there)| *there) {
            cx.find_with(
                codes::MANIFEST_TWO_ACTIONS,
                &format!("{pointer}/execution_details/{key}"),
                format!(
                    "`{id}` migrates manifests, and it has `{key}` as well: a step has one action"
                ),
                (&own, "the other action"),
                "make a step of its own of one of them",
            );
        }
    }
    root(cx, &at("root"), &own, (phase, step), manifest);
    if let Some(folder) = &manifest.migrations {
        migrations_folder(cx, &at("migrations"), folder);
    }
    if let Some(target) = &manifest.target_version {
        target_version(cx, &at("target_version"), manifest, target);
    }
    if let Some(pattern) = &manifest.pattern
        && let Some(why) = matches_nothing(pattern)
    {
        cx.find(
            codes::MANIFEST_PATTERN,
            &at("pattern"),
            format!("`{pattern}` can match no manifest: {why}"),
            "write it as a path below `root`, such as \"**/manifest.json\"",
        );
    }
    for (key, zero) in [
        ("workers", manifest.workers == Some(0)),
        ("limit", manifest.limit == Some(0)),
    ] {
        if zero {
            cx.find(
                codes::MANIFEST_NUMBER,
                &at(key),
                format!("with `{key}: 0` nothing is migrated"),
                format!("leave `{key}` out, or give a number from 1"),
            );
        }
    }
    let way_back = step.rollback_procedure.as_ref().is_some_and(|undo| {
        undo.rollback_script.is_some()
            || !undo.rollback_steps.is_empty()
            || undo.can_rollback == Some(false)
    });
    if !manifest.keeps_backups() && !manifest.is_dry_run() && !way_back {
        cx.find(
            codes::MANIFEST_NO_BACKUP,
            &at("backup"),
            format!("`{id}` keeps no backups, so it cannot be undone by itself"),
            "leave `backup` out; or give the step a `rollback_procedure`; or write `can_rollback: false` there if \
             that is meant",
        );
    }
}

fn root(
    cx: &mut Context<'_>,
    at: &str,
    own: &str,
    (phase, step): (&Phase, &Step),
    manifest: &ManifestMigration,
) {
    let root = manifest.root();
    let at = if manifest.root.is_some() { at } else { own };
    let full = cx.folder().join(root);
    if full.is_dir() {
        if is_outside(cx.folder(), root) {
            cx.find(
                codes::MANIFEST_OUTSIDE,
                at,
                format!("`{root}` is outside the plan's folder"),
                "nothing is wrong with that; see that the machine that runs the plan has it there",
            );
        }
        return;
    }
    if full.exists() {
        cx.find(
            codes::MANIFEST_ROOT,
            at,
            format!("`{root}` is not a folder"),
            "name the folder that holds the manifests; `pattern` says which files in it are meant",
        );
    } else if !something_before(cx.plan(), phase, step) {
        cx.find(
            codes::MANIFEST_ROOT_MISSING,
            at,
            format!(
                "there is no folder `{root}`, and no step before `{}` could make it",
                step.step_id
            ),
            "paths start in the plan's folder: see that the name is right",
        );
    }
}

/// Whether a step that does something stands before this one: it may make the folder.
fn something_before(plan: &Plan, phase: &Phase, step: &Step) -> bool {
    plan.migration_phases.iter().any(|other| {
        let same = std::ptr::eq(other, phase);
        (same || other.order < phase.order)
            && other.steps.iter().any(|before| {
                acts(before) && (!same || before.order < step.order || names(step, &before.step_id))
            })
    })
}

fn names(step: &Step, id: &str) -> bool {
    step.depends_on
        .as_ref()
        .is_some_and(|all| all.iter().any(|one| one == id))
}

/// Whether a path leads out of a folder, by its words alone: the plan may be reviewed elsewhere.
fn is_outside(folder: &Path, path: &str) -> bool {
    // Without a working directory nothing is known, and nothing is said.
    let Ok(folder) = std::path::absolute(folder) else {
        return false;
    };
    !walked(&folder.join(path)).starts_with(walked(&folder))
}

/// A path with its `.` and `..` carried out.
fn walked(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

fn migrations_folder(cx: &mut Context<'_>, at: &str, folder: &str) {
    let full = cx.folder().join(folder);
    let what = if full.is_dir() {
        return;
    } else if full.exists() {
        "is a file, and a folder is wanted"
    } else {
        "is not there"
    };
    cx.find(
        codes::MANIFEST_MIGRATIONS,
        at,
        format!("the folder of migrations `{folder}` {what}"),
        "paths start in the plan's folder; without `migrations` the built-in ones are used",
    );
}

fn target_version(cx: &mut Context<'_>, at: &str, manifest: &ManifestMigration, target: &str) {
    if target == LATEST {
        return;
    }
    let Ok(version) = target.parse::<Version>() else {
        cx.find(
            codes::MANIFEST_TARGET,
            at,
            format!("`{target}` is not a version"),
            "write three whole numbers in quotes, such as \"1.2.0\", or `latest`",
        );
        return;
    };
    let folder = manifest.migrations.as_ref().map(|at| cx.folder().join(at));
    // What is wrong with the migrations has findings of its own, in their files; of the way nothing is known then.
    let Ok(read) = migrations::load(folder.as_deref(), None) else {
        return;
    };
    let registry = read.engine.registry();
    if !registry.knows(version) {
        let known: Vec<String> = registry.versions().map(|one| one.to_string()).collect();
        cx.find(
            codes::MANIFEST_TARGET,
            at,
            format!("no migration leads to {target}"),
            format!(
                "the versions {} are known; for another one put its migration into a folder and name that in `migrations`",
                known.join(", ")
            ),
        );
    }
}

/// Why a pattern can match nothing, whatever files there are.
fn matches_nothing(pattern: &str) -> Option<String> {
    if pattern.trim().is_empty() {
        return Some("it is empty".to_owned());
    }
    if pattern.starts_with('/') {
        return Some("it begins with `/`, and paths below `root` do not".to_owned());
    }
    if pattern.ends_with('/') {
        return Some("it ends with `/`, and manifests are files".to_owned());
    }
    for part in pattern.split('/') {
        if part == ".." {
            return Some("no path below `root` has a part `..`".to_owned());
        }
        if NEVER_ENTERED.contains(&part) {
            return Some(format!("folders named `{part}` are never entered"));
        }
    }
    None
}

/// A path as a list of its parts, so that `a`, `./a` and `a/` are the same.
fn plain(path: &str) -> PathBuf {
    Path::new(path)
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .collect()
}

/// Steps of one phase and one order, none of which waits for another, may run at the same time.
fn together(cx: &mut Context<'_>) {
    for (pointer, phase) in cx.phases() {
        let writers: Vec<(usize, &Step, &ManifestMigration)> = phase
            .steps
            .iter()
            .enumerate()
            .filter_map(|(s, step)| Some((s, step, step.manifest_migration.as_ref()?)))
            .filter(|(_, _, manifest)| !manifest.is_dry_run())
            .collect();
        for (n, (s, step, manifest)) in writers.iter().enumerate() {
            let at = |s: usize| format!("{pointer}/steps/{s}/manifest_migration");
            let other = writers[..n].iter().find(|(_, other, theirs)| {
                step.order == other.order
                    && step.depends_on.is_none()
                    && other.depends_on.is_none()
                    && overlap(manifest, theirs)
            });
            if let Some((o, other, _)) = other {
                cx.find_with(
                    codes::MANIFEST_TOGETHER,
                    &at(*s),
                    format!(
                        "`{}` and `{}` have the same `order`, so they migrate the same manifests at the same time",
                        other.step_id, step.step_id
                    ),
                    (&at(*o), "the other one"),
                    "give one of them a higher `order`",
                );
            }
        }
    }
}

fn overlap(one: &ManifestMigration, other: &ManifestMigration) -> bool {
    let pattern = |of: &ManifestMigration| of.pattern.clone().unwrap_or_else(|| PATTERN.to_owned());
    let shared = pattern(one);
    if shared != pattern(other) {
        // Briefs and manifests of one tree are no quarrel.
        return false;
    }
    let (one, other) = (plain(one.root()), plain(other.root()));
    one == other
        || (shared.starts_with("**") && (one.starts_with(&other) || other.starts_with(&one)))
}

/// Where a check stands.
#[derive(Clone, Copy)]
enum Where {
    /// Before the first phase.
    First,
    /// Before the steps of a phase.
    Start,
    /// Before a step.
    Before(usize, usize),
    /// After a step.
    After(usize, usize),
    /// At the end of a phase.
    End(usize),
    /// At the end of the run, or after an undo.
    Last,
}

struct Asked<'a> {
    at: String,
    text: &'a str,
    place: Where,
}

/// Checks that ask for counts where nothing has counted, or for what is never counted.
fn asked(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut all = Vec::new();
    collect(plan, &mut all);
    if all.is_empty() {
        return;
    }
    let index = cx.index();
    for asked in all {
        judge(cx, plan, &index, &asked);
    }
}

fn judge(cx: &mut Context<'_>, plan: &Plan, index: &Index, asked: &Asked<'_>) {
    let text = asked.text;
    let probe = asked.at.ends_with("/when");
    let counted = probe
        || matches!(
            understand(text, &BlockEvidence::default(), index),
            Understanding::Counts(_)
        );
    if !counted || text.contains("is defined") || text.contains("is not defined") {
        return;
    }
    for count in counts(text) {
        let Some(member) = count.member else { continue };
        if let Some(id) = count.step
            && !is_manifest_step(plan, id)
        {
            let ids = manifest_steps(plan).map(|step| step.step_id.as_str());
            let help = match near(id, ids.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if ids.clone().next().is_none() => {
                    "no step of this plan has a `manifest_migration`".to_owned()
                }
                None => format!("there are {}", ids.collect::<Vec<_>>().join(", ")),
            };
            let message = format!("`{id}` is no manifest step, so it counts nothing");
            cx.find(codes::MANIFEST_NOT_COUNTED, &asked.at, message, help);
            continue;
        }
        if !COUNTS.contains(&member) {
            let help = match near(member, COUNTS.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", COUNTS.join(", ")),
            };
            let message =
                format!("a manifest step does not count `{member}`, so this is never known");
            cx.find(codes::MANIFEST_NOT_COUNTED, &asked.at, message, help);
            continue;
        }
        if count.step.is_none()
            && let Some(why) = nothing_counted(plan, asked.place)
        {
            cx.find(
                codes::MANIFEST_NOT_COUNTED,
                &asked.at,
                format!("`manifest.{member}` is not known here: {why}"),
                ask_by_name(plan, member),
            );
        }
    }
}

/// How to ask elsewhere: by the plan's own step, where there is one.
fn ask_by_name(plan: &Plan, member: &str) -> String {
    let id = manifest_steps(plan).next().map(|step| &step.step_id);
    match id {
        Some(id) => format!(
            "name the step that counts, as in `manifest['{id}'].{member}`, and ask after it"
        ),
        None => "no step of this plan has a `manifest_migration`".to_owned(),
    }
}

fn manifest_steps(plan: &Plan) -> impl Iterator<Item = &Step> + Clone {
    plan.migration_phases
        .iter()
        .flat_map(|phase| &phase.steps)
        .filter(|step| step.manifest_migration.is_some())
}

fn is_manifest_step(plan: &Plan, id: &str) -> bool {
    manifest_steps(plan).any(|step| step.step_id == id)
}

/// Why a bare `manifest.failed` is not known at a place.
fn nothing_counted(plan: &Plan, place: Where) -> Option<&'static str> {
    let in_phase = |p: usize, wanted: &dyn Fn(usize, &Step) -> bool| {
        plan.migration_phases[p]
            .steps
            .iter()
            .enumerate()
            .any(|(s, step)| step.manifest_migration.is_some() && wanted(s, step))
    };
    match place {
        Where::First | Where::Start => Some("no manifest step of the phase has run yet"),
        Where::Before(p, s) => {
            let own = &plan.migration_phases[p].steps[s];
            let before = in_phase(p, &|other, step| {
                other != s && (step.order < own.order || names(own, &step.step_id))
            });
            (!before).then_some("no manifest step of the phase has run yet")
        }
        Where::After(p, s) => {
            let own = &plan.migration_phases[p].steps[s];
            let before = in_phase(p, &|other, step| {
                other == s || step.order < own.order || names(own, &step.step_id)
            });
            (!before).then_some("no manifest step of the phase has run by then")
        }
        Where::End(p) => (!in_phase(p, &|_, _| true)).then_some("the phase has no manifest step"),
        Where::Last => {
            (manifest_steps(plan).next().is_none()).then_some("the plan has no manifest step")
        }
    }
}

/// Every check that mentions manifests, with its pointer and its place.
fn collect<'a>(plan: &'a Plan, all: &mut Vec<Asked<'a>>) {
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        let own = || format!("/migration_phases/{p}");
        list(all, &phase.start_condition, Where::Start, &|| {
            join(&own(), "start_condition")
        });
        for (s, step) in phase.steps.iter().enumerate() {
            let at = |key: &str| format!("/migration_phases/{p}/steps/{s}/{key}");
            let (before, after) = (Where::Before(p, s), Where::After(p, s));
            list(all, &step.preconditions, before, &|| at("preconditions"));
            if let Some(validation) = &step.validation {
                list(all, &validation.validation_checks, after, &|| {
                    at("validation/validation_checks")
                });
                list(all, &validation.success_criteria, after, &|| {
                    at("validation/success_criteria")
                });
            }
            if let Some(probe) = &step.done_if {
                when(all, probe, after, &|| at("done_if"));
            }
            if let Some(probe) = step
                .rollback_procedure
                .as_ref()
                .and_then(|undo| undo.only_if.as_ref())
            {
                when(all, probe, after, &|| at("rollback_procedure/only_if"));
            }
        }
        if let Some(gate) = &phase.validation_gate {
            list(all, &gate.criteria, Where::End(p), &|| {
                format!("{}/validation_gate/criteria", own())
            });
        }
    }
    collect_around(plan, all);
}

/// The checks that stand outside the phases.
fn collect_around<'a>(plan: &'a Plan, all: &mut Vec<Asked<'a>>) {
    for (g, gate) in plan
        .validation_strategy
        .iter()
        .flat_map(|strategy| strategy.validation_gates.iter().enumerate())
    {
        let place = match plan.place(&gate.location) {
            Some(Place::Phase(p)) => Where::End(p),
            Some(Place::Step(p, s)) => Where::After(p, s),
            None => continue,
        };
        for (c, criterion) in gate.criteria.iter().enumerate() {
            let at = || format!("/validation_strategy/validation_gates/{g}/criteria/{c}/criterion");
            measured(
                all,
                &criterion.criterion,
                criterion.measurement.as_ref(),
                place,
                &at,
            );
        }
    }
    if let Some(success) = &plan.success_criteria {
        for (c, criterion) in success.technical_success.iter().enumerate() {
            let at = || format!("/success_criteria/technical_success/{c}/criterion");
            measured(
                all,
                &criterion.criterion,
                criterion.measurement.as_ref(),
                Where::Last,
                &at,
            );
        }
        if let Some(complete) = &success.migration_complete_definition {
            list(all, &complete.criteria, Where::Last, &|| {
                "/success_criteria/migration_complete_definition/criteria".to_owned()
            });
        }
    }
    for (l, level) in plan
        .rollback_strategy
        .iter()
        .flat_map(|strategy| strategy.rollback_levels.iter().enumerate())
    {
        if let Some(validation) = &level.validation {
            list(all, &validation.post_rollback_checks, Where::Last, &|| {
                format!("/rollback_strategy/rollback_levels/{l}/validation/post_rollback_checks")
            });
        }
    }
    for (i, prerequisite) in plan.prerequisites.iter().enumerate() {
        let method = prerequisite
            .validation
            .as_ref()
            .and_then(|validation| validation.verification_method.as_ref());
        if let Some(Check::Probe(probe)) = method {
            when(all, probe, Where::First, &|| {
                format!("/prerequisites/{i}/validation/verification_method")
            });
        }
    }
}

fn list<'a>(all: &mut Vec<Asked<'a>>, checks: &'a [Check], place: Where, at: &dyn Fn() -> String) {
    for (i, check) in checks.iter().enumerate() {
        match check {
            Check::Text(text) => sentence(all, text, place, &|| join(&at(), i)),
            Check::Probe(probe) => when(all, probe, place, &|| join(&at(), i)),
        }
    }
}

fn measured<'a>(
    all: &mut Vec<Asked<'a>>,
    text: &'a str,
    measurement: Option<&Measurement>,
    place: Where,
    at: &dyn Fn() -> String,
) {
    if !matches!(measurement, Some(Measurement::Mapping(_))) {
        sentence(all, text, place, at);
    }
}

fn sentence<'a>(all: &mut Vec<Asked<'a>>, text: &'a str, place: Where, at: &dyn Fn() -> String) {
    if text.trim_start().starts_with("manifest") {
        all.push(Asked {
            at: at(),
            text,
            place,
        });
    }
}

fn when<'a>(
    all: &mut Vec<Asked<'a>>,
    probe: &'a CheckMapping,
    place: Where,
    at: &dyn Fn() -> String,
) {
    if let Some(Probe::When(text)) = probe.probe()
        && text.contains("manifest")
    {
        all.push(Asked {
            at: join(&at(), "when"),
            text,
            place,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_match_nothing_are_told() {
        for wrong in [
            "",
            " ",
            "/x/manifest.json",
            "../**/manifest.json",
            "runs/",
            "**/inputs/*.json",
        ] {
            assert!(matches_nothing(wrong).is_some(), "{wrong}");
        }
        for right in [
            "**/manifest.json",
            "manifest.json",
            "inputs*/m.json",
            "a..b/*.json",
            "{a,b}/*.json",
        ] {
            assert_eq!(matches_nothing(right), None, "{right}");
        }
    }

    #[test]
    fn paths_lead_out_or_do_not() {
        let folder = Path::new("/plans/x");
        for out in ["..", "../y", "a/../../y", "/data"] {
            assert!(is_outside(folder, out), "{out}");
        }
        for within in [".", "a", "a/../b", "/plans/x/runs", "../x"] {
            assert!(!is_outside(folder, within), "{within}");
        }
    }
}
