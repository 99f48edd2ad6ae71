//! `history`: every run, or everything that happened in one.

use serde_json::json;

use super::alive::{Alive, alive};
use crate::base::id::RunId;
use crate::cli::arguments::HistoryArgs;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::run::drive::View;
use crate::run::engine::{RunState, Standing, State, standing};
use crate::run::journal::{FindError, RunFolder, StateDir};
use crate::show::plain;
use crate::show::progress::json_line;
use crate::show::text::{columns, instant, visible};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 64 * 1024;

/// The verb.
pub(in crate::cli) fn history(context: &Context, arguments: &HistoryArgs) -> Result<u8, Failure> {
    match arguments.run.as_deref() {
        Some(run) => one(context, run),
        None => all(context),
    }
}

/// Every record of a run, a line each.
fn one(context: &Context, wanted: &str) -> Result<u8, Failure> {
    let (_, run, folder) = context.pick(Some(wanted))?;
    let view = context.view(run, folder)?;
    let mut state = State::new(&view.program);
    let mut text = String::new();
    for record in &view.contents.records {
        if context.json() {
            text.push_str(&json_line(record).map_err(Failure::io)?);
            text.push('\n');
        } else {
            state
                .apply(&view.program, record)
                .map_err(|illegal| Failure::io(format!("follow the journal: {illegal}")))?;
            for line in plain::line(&view.program, &state, record) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        if text.len() > PIECE {
            context.print(&text);
            text.clear();
        }
    }
    context.print(&text);
    let now = standing(&view.program, &view.state, jiff::Timestamp::now());
    let state = now.state.to_string();
    context.result("history", 0, Some(view.run.as_str()), Some(&state));
    Ok(0)
}

/// What a line about a run says.
struct Seen {
    view: View,
    standing: Standing,
    living: Alive,
}

fn see(state_dir: &StateDir, run: &RunId, folder: RunFolder) -> Result<Seen, String> {
    let view = View::open(run.clone(), folder).map_err(|e| format!("failed to {e}"))?;
    let living = alive(state_dir, run, &view.folder, &view.contents.records)
        .map_err(|e| format!("failed to {e}"))?;
    let standing = standing(&view.program, &view.state, jiff::Timestamp::now());
    Ok(Seen {
        view,
        standing,
        living,
    })
}

/// Every run, oldest first, so that the latest stands nearest to the next prompt.
fn all(context: &Context) -> Result<u8, Failure> {
    let state_dir = context.state_dir()?;
    let runs = state_dir.runs().map_err(|error| match error {
        FindError::Io(..) => Failure::io(error),
        _ => Failure::usage(error),
    })?;
    let mut rows = Vec::new();
    for (run, folder) in runs {
        let seen = see(&state_dir, &run, folder);
        if context.json() {
            context.print_json(&as_json(&run, &seen));
        } else {
            rows.push(row(&run, &seen));
        }
    }
    if rows.is_empty() && !context.json() {
        context.say(&format!(
            "there is no run in {}",
            state_dir.path().display()
        ));
    }
    if !rows.is_empty() {
        rows.insert(
            0,
            ["run", "state", "started", "environment", "by", "migration"].map(str::to_owned),
        );
        context.print(&table(&rows));
    }
    context.result("history", 0, None, None);
    Ok(0)
}

fn as_json(run: &RunId, seen: &Result<Seen, String>) -> serde_json::Value {
    match seen {
        Err(why) => json!({
            "format_version": 1,
            "type": "run",
            "run": run,
            "state": null,
            "problem": why,
        }),
        Ok(seen) => {
            let start = seen.view.state.started.as_ref();
            json!({
                "format_version": 1,
                "type": "run",
                "run": run,
                "migration": seen.view.program.name,
                "environment": start.and_then(|s| s.environment.as_deref()),
                "production": start.map(|s| s.production),
                "started_at": seen.view.state.started_at,
                "changed_at": seen.view.state.last.map(|(_, at)| at),
                "state": seen.standing.state,
                "exit_code": seen.standing.exit_code,
                "driven": seen.living.driver,
                "by": start.map(|s| &s.by),
                "records": seen.view.contents.records.len(),
                "head": seen.view.contents.head,
                "problem": null,
            })
        }
    }
}

fn row(run: &RunId, seen: &Result<Seen, String>) -> [String; 6] {
    match seen {
        // The last column has room for a sentence.
        Err(why) => {
            let none = || "-".to_owned();
            let unreadable = "unreadable".to_owned();
            [
                run.to_string(),
                unreadable,
                none(),
                none(),
                none(),
                visible(why),
            ]
        }
        Ok(seen) => {
            let start = seen.view.state.started.as_ref();
            let state = match seen.standing.state {
                RunState::Running if !seen.living.driver => "running, not driven".to_owned(),
                state => state.to_string().replace('_', " "),
            };
            let started = seen.view.state.started_at;
            [
                run.to_string(),
                state,
                started.map_or_else(|| "-".to_owned(), instant),
                visible(start.and_then(|s| s.environment.as_deref()).unwrap_or("-")),
                visible(start.map_or("-", |s| &s.by.name)),
                visible(&seen.view.program.name),
            ]
        }
    }
}

/// Columns under one another; the last is as long as it is.
fn table(rows: &[[String; 6]]) -> String {
    let mut widths = [0; 6];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = columns(cell).max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if i + 1 < row.len() {
                line.push_str(&" ".repeat(widths[i].saturating_sub(columns(cell)) + 2));
            }
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}
