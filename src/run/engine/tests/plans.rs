//! Small plans as YAML, so that a test reads like what an author writes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::plan::load::load_text;
use crate::plan::program::{Files, Program, lower};

/// Files beside a plan that are nowhere but here.
#[derive(Default)]
pub(super) struct InMemory(BTreeMap<String, String>);

impl Files for InMemory {
    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn read(&self, path: &str) -> std::io::Result<String> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// A step in flow style. It runs a command and is undone by one, unless `more` says otherwise.
pub(super) fn step(id: &str, order: u32, more: &str) -> String {
    let mut text = format!("{{step_id: {id}, name: {id}, order: {order}");
    if !more.contains("type:") {
        text.push_str(", type: configuration");
    }
    if !more.contains("execution_details") {
        text.push_str(", execution_details: {commands: ['do it']}");
    }
    if !more.contains("rollback_procedure") && !more.contains("effect: none") {
        text.push_str(", rollback_procedure: {rollback_steps: [{run: 'take it back'}]}");
    }
    if !more.is_empty() {
        text.push_str(", ");
        text.push_str(more);
    }
    text.push('}');
    text
}

/// A phase `P<order>`.
pub(super) fn phase(order: u32, more: &str, steps: &[String]) -> String {
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(", {more}")
    };
    format!(
        "  - {{phase_id: P{order}, name: phase {order}, order: {order}{more}, steps: [{}]}}\n",
        steps.join(", ")
    )
}

/// A plan of these phases, and whatever else `more` has at the top level.
pub(super) fn text(phases: &[String], more: &str) -> String {
    let overview = if more.contains("migration_overview") {
        ""
    } else {
        "migration_overview: {name: n}\n"
    };
    format!(
        "metadata: {{version: '1', migration_name: m}}\n{overview}{more}\nmigration_phases:\n{}",
        phases.concat()
    )
}

pub(super) fn plan(phases: &[String], more: &str) -> Program {
    let text = text(phases, more);
    let loaded = load_text(Path::new("plan.yaml"), &text).unwrap_or_else(|refused| {
        let all: Vec<String> = refused
            .findings
            .iter()
            .map(|f| format!("{}: {}", f.primary.pointer, f.message))
            .collect();
        panic!("{}\n{text}", all.join("\n"))
    });
    lower(&loaded.plan, &InMemory::default()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

/// One phase of these steps.
pub(super) fn one(steps: &[String]) -> Program {
    plan(&[phase(1, "", steps)], "")
}

/// A check that a machine evaluates.
pub(super) fn check(name: &str) -> String {
    format!("{{check: {name}, command: test}}")
}
