//! What a step does: one action, and commands that are commands.

use super::Context;
use super::checks::At;
use crate::base::diagnostic::codes;
use crate::plan::model::{
    CommandItem, CommandMapping, Instruction, Plan, PointProcedure, Step, StepType,
};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    for (pointer, step) in cx.steps() {
        action(cx, &pointer, step);
        retry(cx, &pointer, step);
    }
    each_command(plan, &mut |pointer, text, bare| {
        text_that_runs(cx, pointer, text, bare);
    });
}

/// Each text of the plan's steps and ways back that bash would run, with its pointer, and whether it stands in a list of
/// commands without `run:`.
pub(super) fn each_command<'a>(plan: &'a Plan, see: &mut dyn FnMut(At<'_>, &'a str, bool)) {
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        for (s, step) in phase.steps.iter().enumerate() {
            let at = |below: &str| format!("/migration_phases/{p}/steps/{s}/{below}");
            if let Some(details) = &step.execution_details
                && details.automation_script.is_none()
            {
                for (i, command) in details.commands.iter().enumerate() {
                    let at = || join(&at("execution_details/commands"), i);
                    match command {
                        CommandItem::Text(text) => see(&at, text, true),
                        CommandItem::Mapping(mapping) => mapping_that_runs(&at, mapping, see),
                    }
                }
            }
            if let Some(undo) = &step.rollback_procedure {
                let at = || at("rollback_procedure/rollback_steps");
                instructions(&at, &undo.rollback_steps, see);
            }
        }
        if let Some(point) = &phase.rollback_point
            && let Some(PointProcedure::Mapping(procedure)) = &point.rollback_procedure
        {
            let at = || format!("/migration_phases/{p}/rollback_point/rollback_procedure/steps");
            instructions(&at, &procedure.steps, see);
        }
    }
    let levels = plan
        .rollback_strategy
        .iter()
        .flat_map(|strategy| &strategy.rollback_levels);
    for (l, level) in levels.enumerate() {
        if let Some(procedure) = &level.rollback_procedure {
            let at = || format!("/rollback_strategy/rollback_levels/{l}/rollback_procedure/steps");
            instructions(&at, &procedure.steps, see);
        }
    }
}

fn action(cx: &mut Context<'_>, pointer: &str, step: &Step) {
    let catalogue = step.manifest_migration.is_some()
        || step.r#type == StepType::ManifestMigration
        || !step.applies.is_empty();
    let Some(details) = &step.execution_details else {
        if !catalogue {
            nothing(cx, pointer, step);
        }
        return;
    };
    if details.automation_script.is_some() {
        if !details.commands.is_empty() {
            cx.find(
                codes::SCRIPT_AND_COMMANDS,
                &format!("{pointer}/execution_details/commands"),
                format!(
                    "`{}` has a script and commands: the script runs, the commands document it",
                    step.step_id
                ),
                "remove one of them if that is not what you want",
            );
        }
        return;
    }
    if details.commands.is_empty() && details.manual_steps.is_empty() && !catalogue {
        nothing(cx, pointer, step);
    }
}

fn nothing(cx: &mut Context<'_>, pointer: &str, step: &Step) {
    if step.r#type == StepType::Validation || step.observe.is_some() {
        return;
    }
    cx.find(
        codes::NOTHING_TO_DO,
        &format!("{pointer}/step_id"),
        format!("the step `{}` does nothing", step.step_id),
        "give it `automation_script`, `commands` or `manual_steps`, or make it `type: validation`",
    );
}

fn instructions<'a>(
    at: At<'_>,
    items: &'a [Instruction],
    see: &mut dyn FnMut(At<'_>, &'a str, bool),
) {
    for (i, item) in items.iter().enumerate() {
        if let Instruction::Run(mapping) = item {
            mapping_that_runs(&|| join(&at(), i), mapping, see);
        }
    }
}

fn mapping_that_runs<'a>(
    at: At<'_>,
    mapping: &'a CommandMapping,
    see: &mut dyn FnMut(At<'_>, &'a str, bool),
) {
    // Another shell has another language.
    if mapping.shell.is_none() {
        see(&|| join(&at(), "run"), &mapping.run, false);
    }
}

fn text_that_runs(cx: &mut Context<'_>, pointer: At<'_>, text: &str, bare: bool) {
    if looks_like_sql(text) {
        let short = shorten(text);
        cx.find(
            codes::SQL_AS_COMMAND,
            &pointer(),
            "bash would run this, and it looks like SQL",
            format!(
                "write `{{run: \"{short}\", shell: sql}}`, or name a .sql file as `automation_script`"
            ),
        );
    } else if looks_like_prose(text) {
        let help = if bare {
            "move it to `manual_steps`, where a person does it and confirms it"
        } else {
            "without `run:` it is prose, which a person does and confirms"
        };
        cx.find(
            codes::PROSE_AS_COMMAND,
            &pointer(),
            "bash would run this, and it looks like a sentence",
            help,
        );
    }
}

fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= 40 {
        return line.to_owned();
    }
    line.chars().take(37).chain("...".chars()).collect()
}

/// A statement's first words; `select` alone is a word of bash too.
fn looks_like_sql(text: &str) -> bool {
    let words: Vec<String> = text
        .split_whitespace()
        .take(12)
        .map(|word| word.trim_end_matches([';', ',', '(']).to_lowercase())
        .collect();
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let object = |word: &str| {
        matches!(
            word,
            "table"
                | "column"
                | "index"
                | "unique"
                | "view"
                | "materialized"
                | "schema"
                | "database"
                | "sequence"
                | "type"
                | "function"
                | "procedure"
                | "trigger"
                | "constraint"
                | "extension"
                | "role"
                | "user"
                | "policy"
                | "temporary"
                | "temp"
                | "or"
                | "domain"
        )
    };
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    match word(0) {
        "alter" | "create" | "drop" => object(word(1)),
        "truncate" => word(1) == "table" || text.starts_with("TRUNCATE "),
        "insert" => word(1) == "into",
        "delete" => word(1) == "from",
        "update" => word(2) == "set",
        "select" => has("from") || (text.starts_with("SELECT ") && word(2) != "in"),
        "grant" => has("to") && has("on"),
        "revoke" => has("from") && has("on"),
        "begin" | "commit" | "rollback" => words.len() == 1,
        _ => false,
    }
}

/// A capital, plain words, and one of the small words that sentences have and commands have not.
fn looks_like_prose(text: &str) -> bool {
    const SMALL: [&str; 17] = [
        "the", "a", "an", "to", "in", "of", "and", "for", "with", "from", "on", "is", "are", "all",
        "that", "if", "until",
    ];
    let text = text.trim();
    if !text.starts_with(|c: char| c.is_uppercase()) || text.contains('\n') {
        return false;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain = words.iter().all(|word| {
        let word = word.trim_end_matches(['.', ',', ':', '!', '?', ')']);
        let word = word.trim_start_matches('(');
        !word.starts_with('-')
            && word
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '\''))
    });
    let small = words
        .iter()
        .skip(1)
        .any(|word| SMALL.contains(&word.to_lowercase().as_str()));
    plain && words.len() >= 3 && (small || text.ends_with('.'))
}

fn retry(cx: &mut Context<'_>, pointer: &str, step: &Step) {
    let Some(retry) = &step.retry else {
        return;
    };
    if retry.attempts.get() <= 1
        || step.idempotent.unwrap_or(step.manifest_migration.is_some())
        || super::undo::can_run(step)
    {
        return;
    }
    cx.find(
        codes::RETRY_UNSAFE,
        &format!("{pointer}/retry"),
        format!(
            "`{}` is retried, but it is neither idempotent nor undone by a script",
            step.step_id
        ),
        "write `idempotent: true` if running it twice does no harm, or give it a `rollback_script`",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_is_told_from_commands() {
        for sql in [
            "ALTER TABLE cart ADD COLUMN x INT",
            "drop table cart;",
            "insert into t values (1)",
            "UPDATE cart SET x = 1",
            "select count(*) from cart",
            "SELECT 1",
            "DELETE FROM cart",
            "CREATE UNIQUE INDEX i ON t (x)",
            "COMMIT;",
        ] {
            assert!(looks_like_sql(sql), "{sql}");
        }
        for command in [
            "psql -c 'ALTER TABLE cart ADD COLUMN x INT'",
            "select x in a b; do echo $x; done",
            "update-alternatives --set x",
            "create-release v2",
            "make update set",
            "drop_caches",
            "truncate -s 0 file",
        ] {
            assert!(!looks_like_sql(command), "{command}");
        }
    }

    #[test]
    fn prose_is_told_from_commands() {
        for prose in [
            "Restart the service",
            "Wait until the queue is empty.",
            "Verify error rate returns to normal",
        ] {
            assert!(looks_like_prose(prose), "{prose}");
        }
        for command in [
            "Rscript analyse.R",
            "make the-release",
            "A=1 ./run the thing",
            "MyTool --all to here",
            "R CMD BATCH",
        ] {
            assert!(!looks_like_prose(command), "{command}");
        }
    }
}
