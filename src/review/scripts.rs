//! Scripts that would run: there, readable, and of a kind that can be run.

use std::collections::HashMap;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::{CommandItem, Instruction, Plan, PointProcedure, Script, Shell};
use crate::plan::source::join;

/// Calls back with each script that a run may start, and its pointer.
fn each_script<'a>(plan: &'a Plan, see: &mut dyn FnMut(String, &'a Script)) {
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        let pointer = join("/migration_phases", p);
        for (s, step) in phase.steps.iter().enumerate() {
            let pointer = format!("{pointer}/steps/{s}");
            if let Some(script) = step
                .execution_details
                .as_ref()
                .and_then(|details| details.automation_script.as_ref())
            {
                see(
                    format!("{pointer}/execution_details/automation_script"),
                    script,
                );
            }
            if let Some(script) = step
                .validation
                .as_ref()
                .and_then(|validation| validation.validation_script.as_ref())
            {
                see(format!("{pointer}/validation/validation_script"), script);
            }
            if let Some(script) = step
                .rollback_procedure
                .as_ref()
                .and_then(|undo| undo.rollback_script.as_ref())
            {
                see(
                    format!("{pointer}/rollback_procedure/rollback_script"),
                    script,
                );
            }
        }
        if let Some(point) = &phase.rollback_point
            && let Some(PointProcedure::Mapping(procedure)) = &point.rollback_procedure
            && let Some(script) = &procedure.script
        {
            see(
                format!("{pointer}/rollback_point/rollback_procedure/script"),
                script,
            );
        }
    }
    if let Some(strategy) = &plan.rollback_strategy {
        for (l, level) in strategy.rollback_levels.iter().enumerate() {
            if let Some(script) = level
                .rollback_procedure
                .as_ref()
                .and_then(|procedure| procedure.automation_script.as_ref())
            {
                let at = format!(
                    "/rollback_strategy/rollback_levels/{l}/rollback_procedure/automation_script"
                );
                see(at, script);
            }
        }
    }
}

pub(super) fn check(cx: &mut Context<'_>) {
    let mut scripts = Vec::new();
    each_script(cx.plan(), &mut |pointer, script| {
        scripts.push((pointer, script))
    });
    let mut known: HashMap<&str, Option<Problem>> = HashMap::new();
    let mut sql: Option<String> = None;
    for (pointer, script) in scripts {
        let path = script.path();
        let at = if script.settings().is_some() {
            join(&pointer, "path")
        } else {
            pointer.clone()
        };
        let shell = script
            .settings()
            .and_then(|settings| settings.shell.as_ref());
        if is_sql(shell) || (shell.is_none() && path.ends_with(".sql")) {
            sql.get_or_insert_with(|| at.clone());
        }
        let full = cx.folder().join(path);
        let problem = known
            .entry(path)
            .or_insert_with(|| inspect(&full))
            .as_ref()
            .filter(|problem| shell.is_none() || !matches!(problem, Problem::NoInterpreter));
        match problem {
            None => {}
            Some(Problem::Missing) => {
                let folder = cx.folder().display().to_string();
                cx.find(
                    codes::SCRIPT_MISSING,
                    &at,
                    format!("the script `{path}` is missing"),
                    format!("paths resolve against the plan file's folder: {folder}"),
                );
            }
            Some(Problem::Unreadable(why)) => {
                let message = format!("the script `{path}` cannot be read: {why}");
                cx.find(
                    codes::SCRIPT_CANNOT_RUN,
                    &at,
                    message,
                    "check its permissions",
                );
            }
            Some(Problem::NoInterpreter) => {
                cx.find(
                    codes::SCRIPT_CANNOT_RUN,
                    &at,
                    format!("nothing says how `{path}` is run"),
                    "give it a first line such as `#!/usr/bin/env bash` and `chmod +x`, or the extension .sh, .py or .sql",
                );
            }
        }
    }
    connection(cx, sql);
    same_script(cx);
}

/// One script in several steps, without arguments, beside commands that differ.
fn same_script(cx: &mut Context<'_>) {
    let mut first: HashMap<&str, (String, Vec<&str>)> = HashMap::new();
    for (pointer, step) in cx.steps() {
        let Some(details) = &step.execution_details else {
            continue;
        };
        let Some(script) = &details.automation_script else {
            continue;
        };
        let told = script
            .settings()
            .is_some_and(|settings| !settings.args.is_empty() || !settings.env.is_empty());
        if told || details.commands.is_empty() {
            continue;
        }
        let at = format!("{pointer}/execution_details/automation_script");
        let commands: Vec<&str> = details.commands.iter().map(CommandItem::run).collect();
        match first.get(script.path()) {
            None => {
                first.insert(script.path(), (at, commands));
            }
            Some((other, others)) if *others != commands => {
                let other = other.clone();
                cx.find_with(
                    codes::SAME_SCRIPT,
                    &at,
                    format!(
                        "`{}` runs here without arguments, as in another step whose commands differ",
                        script.path()
                    ),
                    (&other, "the other step"),
                    "give it arguments: `{path: ..., args: [...]}`; or let it read ORCHESTRATE_STEP_ID",
                );
            }
            Some(_) => {}
        }
    }
}

enum Problem {
    Missing,
    Unreadable(String),
    NoInterpreter,
}

fn inspect(path: &Path) -> Option<Problem> {
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Some(Problem::Missing);
        }
        Err(error) => return Some(Problem::Unreadable(error.to_string())),
    };
    if !about.is_file() {
        return Some(Problem::Unreadable("it is not a file".to_owned()));
    }
    let mut start = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start));
    let read = match read {
        Ok(read) => read,
        Err(error) => return Some(Problem::Unreadable(error.to_string())),
    };
    let start = &start[..read];
    let run_bit = about.permissions().mode() & 0o111 != 0;
    if run_bit && (start.starts_with(b"#!") || start == b"\x7fELF") {
        return None;
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    if matches!(extension, Some("sh" | "py" | "sql")) {
        return None;
    }
    Some(Problem::NoInterpreter)
}

fn is_sql(shell: Option<&Shell>) -> bool {
    matches!(shell, Some(Shell::Name(name)) if name == "sql")
}

/// SQL goes somewhere: said once, at the first place that needs it.
fn connection(cx: &mut Context<'_>, mut first: Option<String>) {
    let plan = cx.plan();
    if plan.connections.contains_key("default") {
        return;
    }
    for (pointer, step) in cx.steps() {
        if first.is_some() {
            break;
        }
        let details = step.execution_details.iter();
        let runs = details
            .filter(|details| details.automation_script.is_none())
            .flat_map(|details| details.commands.iter().enumerate());
        for (i, command) in runs {
            if is_sql(
                command
                    .settings()
                    .and_then(|settings| settings.shell.as_ref()),
            ) {
                first.get_or_insert(format!("{pointer}/execution_details/commands/{i}"));
            }
        }
        let undo = step.rollback_procedure.iter();
        for (i, item) in undo.flat_map(|undo| undo.rollback_steps.iter().enumerate()) {
            if is_sql(Instruction::command(item).and_then(|command| command.shell.as_ref())) {
                first.get_or_insert(format!("{pointer}/rollback_procedure/rollback_steps/{i}"));
            }
        }
    }
    if let Some(pointer) = first {
        cx.find(
            codes::SQL_WITHOUT_CONNECTION,
            &pointer,
            "SQL is run here, and the plan defines no connection",
            "DATABASE_URL must hold the URL when the run starts; or write `connections: {default: {url_env: NAME}}`",
        );
    }
}
