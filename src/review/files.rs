//! Files around the plan: linked files, folders, test datasets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::Context;
use super::checks::each_probe;
use super::ids;
use crate::base::diagnostic::codes;
use crate::plan::model::{Plan, Probe, Script};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    linked(cx);
    enhancement(cx);
    catalogue_scripts(cx);
    outside(cx);
    datasets(cx);
    mentioned(cx);
}

/// The plan and the enhancement that it delivers name the same enhancement.
fn enhancement(cx: &mut Context<'_>) {
    // Whatever is larger is no description of an enhancement.
    const LONGEST: u64 = 256 * 1024;
    let plan = cx.plan();
    let (Some(id), Some(file)) = (
        &plan.metadata.enhancement_id,
        plan.linkage
            .as_ref()
            .and_then(|linkage| linkage.enhancement_truth_file.as_ref()),
    ) else {
        return;
    };
    let path = cx.folder().join(file);
    let short =
        std::fs::metadata(&path).is_ok_and(|about| about.is_file() && about.len() <= LONGEST);
    let Some(text) = short.then(|| std::fs::read_to_string(&path).ok()).flatten() else {
        return;
    };
    let Ok(document) = serde_yaml::from_str::<serde_yaml::Value>(&text) else {
        return;
    };
    let places = [
        document.get("enhancement_id"),
        document
            .get("metadata")
            .and_then(|m| m.get("enhancement_id")),
        document
            .get("enhancement")
            .and_then(|e| e.get("enhancement_id")),
        document.get("enhancement").and_then(|e| e.get("id")),
    ];
    let mut theirs = places.into_iter().flatten().filter_map(|id| id.as_str());
    let Some(other) = theirs.next() else {
        return;
    };
    if other.trim() != id.trim() && !theirs.any(|other| other.trim() == id.trim()) {
        cx.find_with(
            codes::ENHANCEMENT_DISAGREES,
            "/metadata/enhancement_id",
            format!("the plan delivers `{id}`, and `{file}` describes `{other}`"),
            ("/linkage/enhancement_truth_file", "the file is linked here"),
            "correct the id, or link the right file",
        );
    }
}

/// Whether a text is a path: one word with a slash or an extension, not a sentence and not an address.
fn is_path(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && !text.contains("://")
        && (text.contains('/') || Path::new(text).extension().is_some())
}

/// Scripts of the catalogues and suites, which nothing runs yet and everybody believes to be there.
fn catalogue_scripts(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut named: Vec<(String, &Script)> = Vec::new();
    let data = plan
        .data_migration
        .iter()
        .flat_map(|s| s.migrations.iter().enumerate());
    for (i, entry) in data {
        let at = format!("/data_migration/migrations/{i}");
        let forward = entry
            .execution_plan
            .as_ref()
            .and_then(|e| e.execution_script.as_ref());
        let back = entry
            .rollback
            .as_ref()
            .and_then(|r| r.rollback_script.as_ref());
        named.extend(
            forward.map(|script| (format!("{at}/execution_plan/execution_script"), script)),
        );
        named.extend(back.map(|script| (format!("{at}/rollback/rollback_script"), script)));
    }
    let configuration = plan.configuration_migration.iter();
    for (i, entry) in configuration.flat_map(|s| s.configuration_changes.iter().enumerate()) {
        let at = format!("/configuration_migration/configuration_changes/{i}");
        let forward = entry
            .deployment_method
            .as_ref()
            .and_then(|d| d.automation_script.as_ref());
        let back = entry
            .rollback
            .as_ref()
            .and_then(|r| r.rollback_script.as_ref());
        named.extend(
            forward.map(|script| (format!("{at}/deployment_method/automation_script"), script)),
        );
        named.extend(back.map(|script| (format!("{at}/rollback/rollback_script"), script)));
    }
    let strategy = plan.validation_strategy.iter();
    for (i, suite) in strategy.flat_map(|s| s.regression_validation.iter().enumerate()) {
        let at = format!("/validation_strategy/regression_validation/{i}/location");
        named.extend(suite.location.as_ref().map(|script| (at, script)));
    }
    for (pointer, script) in named {
        let path = script.path();
        if is_path(path) && !cx.folder().join(path).exists() {
            cx.find(
                codes::LINKED_FILE_MISSING,
                &pointer,
                format!("`{path}` is missing"),
                "add it, or correct the path; paths resolve against the plan file's folder",
            );
        }
    }
}

/// Whether a path leads out of the folder that it is resolved against.
fn leaves(path: &str) -> bool {
    let mut depth = 0_i32;
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return true,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Paths that leave the plan's folder: another machine, and the record of the run, have only what is inside.
fn outside(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut wrong: Vec<(String, &str, &str)> = Vec::new();
    for (pointer, phase) in cx.phases() {
        for (i, path) in phase.deliverables.iter().enumerate() {
            // "/healthz answers" is prose, `/srv/report.html` is a path; `/healthz` alone may be either.
            let named =
                is_path(path) && (path.contains("..") || Path::new(path).extension().is_some());
            if named && leaves(path) {
                let at = format!("{pointer}/deliverables/{i}");
                wrong.push((at, path, "it cannot be kept as evidence"));
            }
        }
    }
    each_probe(plan, &mut |pointer, probe| {
        // An absolute path may well be what is asked about: a backup, a mount.
        if let Some(Probe::File(file)) = probe.probe()
            && !Path::new(&file.path).is_absolute()
            && leaves(&file.path)
        {
            let at = join(&join(&pointer(), "file"), "path");
            wrong.push((
                at,
                &file.path,
                "what lies there differs from machine to machine",
            ));
        }
    });
    for (pointer, path, why) in wrong {
        cx.find(
            codes::PATH_OUTSIDE,
            &pointer,
            format!("`{path}` leaves the plan's folder, and {why}"),
            "keep it beside the plan, or write the whole path from the root if a machine's own file is meant",
        );
    }
}

fn linked(cx: &mut Context<'_>) {
    let Some(linkage) = &cx.plan().linkage else {
        return;
    };
    for (key, file) in [
        (
            "existing_system_truth_file",
            &linkage.existing_system_truth_file,
        ),
        ("enhancement_truth_file", &linkage.enhancement_truth_file),
        (
            "compatibility_analysis_file",
            &linkage.compatibility_analysis_file,
        ),
    ] {
        if let Some(file) = file
            && !cx.folder().join(file).exists()
        {
            cx.find(
                codes::LINKED_FILE_MISSING,
                &join("/linkage", key),
                format!("the linked file `{file}` is missing"),
                "add the file, or remove the link",
            );
        }
    }
    if let Some(folder) = &linkage.automation_scripts_dir
        && !cx.folder().join(folder).is_dir()
    {
        cx.find(
            codes::FOLDER_MISSING,
            "/linkage/automation_scripts_dir",
            format!("the scripts folder `{folder}` is missing"),
            "create it, or correct the path; paths of scripts resolve against the plan file's folder",
        );
    }
}

/// Calls back with each dataset that a run evaluates, and its pointer.
fn each_dataset<'a>(plan: &'a Plan, see: &mut dyn FnMut(String, &'a str)) {
    for (p, prerequisite) in plan.prerequisites.iter().enumerate() {
        if let Some(validation) = &prerequisite.validation
            && let Some(id) = &validation.verification_test_id
        {
            see(
                format!("/prerequisites/{p}/validation/verification_test_id"),
                id,
            );
        }
    }
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        let pointer = join("/migration_phases", p);
        for (s, step) in phase.steps.iter().enumerate() {
            let pointer = format!("{pointer}/steps/{s}");
            if let Some(validation) = &step.validation {
                for (i, id) in validation.test_dataset_ids.iter().enumerate() {
                    see(format!("{pointer}/validation/test_dataset_ids/{i}"), id);
                }
            }
            if let Some(id) = step
                .rollback_procedure
                .as_ref()
                .and_then(|undo| undo.rollback_test_id.as_ref())
            {
                see(format!("{pointer}/rollback_procedure/rollback_test_id"), id);
            }
        }
        if let Some(gate) = &phase.validation_gate {
            for (i, id) in gate.test_dataset_ids.iter().enumerate() {
                see(
                    format!("{pointer}/validation_gate/test_dataset_ids/{i}"),
                    id,
                );
            }
        }
        if let Some(id) = phase
            .rollback_point
            .as_ref()
            .and_then(|point| point.rollback_test_id.as_ref())
        {
            see(format!("{pointer}/rollback_point/rollback_test_id"), id);
        }
    }
    if let Some(strategy) = &plan.validation_strategy {
        for (g, gate) in strategy.validation_gates.iter().enumerate() {
            for (c, criterion) in gate.criteria.iter().enumerate() {
                if let Some(id) = &criterion.test_dataset_id {
                    let at = format!(
                        "/validation_strategy/validation_gates/{g}/criteria/{c}/test_dataset_id"
                    );
                    see(at, id);
                }
            }
        }
    }
    if let Some(strategy) = &plan.rollback_strategy {
        for (l, level) in strategy.rollback_levels.iter().enumerate() {
            let ids = level
                .validation
                .iter()
                .flat_map(|v| v.test_dataset_ids.iter());
            for (i, id) in ids.enumerate() {
                let at = format!(
                    "/rollback_strategy/rollback_levels/{l}/validation/test_dataset_ids/{i}"
                );
                see(at, id);
            }
        }
    }
    if let Some(success) = &plan.success_criteria {
        for (c, criterion) in success.technical_success.iter().enumerate() {
            if let Some(id) = &criterion.test_dataset_id {
                see(
                    format!("/success_criteria/technical_success/{c}/test_dataset_id"),
                    id,
                );
            }
        }
        let complete = success.migration_complete_definition.iter();
        for (i, id) in complete
            .flat_map(|c| c.validation_required.iter())
            .enumerate()
        {
            let at =
                format!("/success_criteria/migration_complete_definition/validation_required/{i}");
            see(at, id);
        }
    }
    each_probe(plan, &mut |pointer, probe| {
        if let Some(Probe::Dataset(id)) = probe.probe() {
            see(join(&pointer(), "dataset"), id);
        }
    });
}

/// Calls back with each dataset that the plan mentions and a run does not evaluate, and its pointer.
fn each_mentioned<'a>(plan: &'a Plan, see: &mut dyn FnMut(String, &'a str)) {
    let mut list = |at: String, ids: &'a [String]| {
        for (i, id) in ids.iter().enumerate() {
            see(join(&at, i), id);
        }
    };
    if let Some(strategy) = &plan.validation_strategy {
        let at = "/validation_strategy";
        for (i, entry) in strategy.continuous_validation.iter().enumerate() {
            let at = format!("{at}/continuous_validation/{i}/test_dataset_ids");
            list(at, &entry.test_dataset_ids);
        }
        for (i, entry) in strategy.regression_validation.iter().enumerate() {
            let at = format!("{at}/regression_validation/{i}/test_dataset_ids");
            list(at, &entry.test_dataset_ids);
        }
    }
    if let Some(section) = &plan.data_migration {
        for (i, entry) in section.migrations.iter().enumerate() {
            if let Some(validation) = &entry.validation {
                let at = format!("/data_migration/migrations/{i}/validation/test_dataset_ids");
                list(at, &validation.test_dataset_ids);
            }
        }
    }
    if let Some(section) = &plan.risk_mitigation {
        for (r, risk) in section.migration_risks.iter().enumerate() {
            let validation = risk.mitigation.as_ref().and_then(|m| m.validation.as_ref());
            if let Some(id) = validation.and_then(|v| v.test_dataset_id.as_ref()) {
                let at = format!(
                    "/risk_mitigation/migration_risks/{r}/mitigation/validation/test_dataset_id"
                );
                see(at, id);
            }
        }
    }
    if let Some(strategy) = &plan.rollback_strategy {
        for (t, test) in strategy.rollback_testing.iter().enumerate() {
            if let Some(id) = &test.test_dataset_id {
                see(
                    format!("/rollback_strategy/rollback_testing/{t}/test_dataset_id"),
                    id,
                );
            }
        }
    }
}

/// Datasets that are named as evidence and are not there: said once for each.
fn mentioned(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    each_mentioned(plan, &mut |at, id| places.entry(id).or_default().push(at));
    if places.is_empty() {
        return;
    }
    let mut evaluated: HashSet<&str> = HashSet::new();
    each_dataset(plan, &mut |_, id| {
        evaluated.insert(id);
    });
    let named = plan
        .linkage
        .as_ref()
        .and_then(|linkage| linkage.test_datasets_dir.as_deref());
    let folder = cx.folder().join(named.unwrap_or("test-datasets"));
    for (id, places) in places {
        // What a run evaluates is an error of its own.
        let there = evaluated.contains(id)
            || ids::problem(id).is_none() && dataset_file(&folder, id).is_some();
        if !there {
            cx.find_all(
                codes::EVIDENCE_MISSING,
                &places,
                "and here",
                format!("there is no test dataset `{id}`, which is named as evidence"),
                format!(
                    "add {id}.yaml, .json, .sh, .sql or .py to {}, or name one that is there",
                    named.unwrap_or("test-datasets")
                ),
            );
        }
    }
}

fn datasets(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut used = Vec::new();
    each_dataset(plan, &mut |pointer, id| used.push((pointer, id)));
    let Some((first, _)) = used.first() else {
        return;
    };
    let named = plan
        .linkage
        .as_ref()
        .and_then(|linkage| linkage.test_datasets_dir.as_deref());
    let folder = named.map(|folder| cx.folder().join(folder));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        let (pointer, message) = match named {
            Some(name) => (
                "/linkage/test_datasets_dir",
                format!("the folder for test datasets `{name}` is missing"),
            ),
            None => (
                first.as_str(),
                "a test dataset is named, and `linkage.test_datasets_dir` is not given".to_owned(),
            ),
        };
        let pointer = pointer.to_owned();
        cx.find(
            codes::DATASETS_DIR,
            &pointer,
            message,
            "write `linkage: {test_datasets_dir: test-datasets/}` and put the datasets there",
        );
        return;
    };
    let mut known: HashMap<&str, bool> = HashMap::new();
    for (pointer, id) in used {
        if let Some(problem) = ids::problem(id) {
            cx.find(
                codes::BAD_ID,
                &pointer,
                format!("the dataset id {id:?} {problem}"),
                "a dataset's id is the name of its file",
            );
            continue;
        }
        if known.contains_key(id) {
            continue;
        }
        let file = dataset_file(&folder, id);
        known.insert(id, file.is_some());
        if let Some(file) = &file {
            super::datasets::look_into(cx, &pointer, id, file);
        } else {
            cx.find(
                codes::DATASET_MISSING,
                &pointer,
                format!("there is no test dataset `{id}`"),
                format!(
                    "add {id}.yaml, .json, .sh, .sql or .py, or an executable {id}, to {}",
                    named.unwrap_or_default()
                ),
            );
        }
    }
}

/// The file of a dataset, by the extensions that datasets may have.
fn dataset_file(folder: &Path, id: &str) -> Option<PathBuf> {
    for extension in ["yaml", "json", "sh", "sql", "py"] {
        let file = folder.join(format!("{id}.{extension}"));
        if file.is_file() {
            return Some(file);
        }
    }
    let bare = folder.join(id);
    let about = std::fs::metadata(&bare).ok()?;
    (about.is_file() && about.permissions().mode() & 0o111 != 0).then_some(bare)
}
