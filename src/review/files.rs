//! Files around the plan: linked files, folders, test datasets.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Context;
use super::checks::each_probe;
use super::ids;
use crate::base::diagnostic::codes;
use crate::plan::model::{Plan, Probe};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    linked(cx);
    datasets(cx);
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
            see(join(pointer, "dataset"), id);
        }
    });
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
        let there = dataset_file(&folder, id).is_some();
        known.insert(id, there);
        if !there {
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
