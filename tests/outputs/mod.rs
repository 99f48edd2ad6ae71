//! What `validate` says in each form, read by the readers that the forms are for.

mod allowed;
mod github;
mod hooks;
mod junit;
mod many;
mod sarif;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::cli::Cli;

/// The plan in [`repository`], from its root: letters that every form has to escape.
const PLAN: &str = "my plans, 100%/a:b/plän.yaml";
/// What it includes, from the root.
const INCLUDED: &str = "my plans, 100%/common & more.yaml";
/// A name with everything in it that some form cannot hold.
const NASTY: &str = "STEP]]>&<x>\u{1b}[31m{0} [a](b) 50%\u{7}::error::";

/// A repository with a plan in a subfolder that includes a file above itself.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join(".git")).expect("a folder");
    write(
        folder.path(),
        PLAN,
        &format!(
            "metadata: {{version: \"1.0.0\", migration_name: outputs}}
migration_overview: {{name: outputs}}
includes: [{{file: \"../common & more.yaml\"}}]
migration_phases:
  - phase_id: P1
    name: first
    order: 1
    steps:
      # orchestrate: allow OR0501 because the cache fills itself ]]> again, 100%
      - step_id: S1
        name: one
        order: 1
        type: configuration
        depends_on: [{NASTY:?}]
        execution_details: {{commands: [\"true\"]}}
"
        )
        .replace("\\u{1b}", "\\e")
        .replace("\\u{7}", "\\a"),
    );
    write(
        folder.path(),
        INCLUDED,
        "# é\r
migration_phases:\r
  - phase_id: P2\r
    name: second\r
    order: 2\r
    steps:\r
      - {step_id: S2, name: zwei é, order: 1, type: configuration,\r
         execution_details: {commands: [\"true\"]}} # orchestrate: allow OR0501 because it is in the file\r
      - {name: \"é 🦀\", step_id: S3, order: 2, type: configuration, execution_details: {commands: [\"true\"]}}\r
    validation_gate: {gate_id: G2, name: gate, criteria: [all is well]}\r
",
    );
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

/// Commands typed in the folder of the plan.
fn beside_the_plan(root: &Path) -> Cli {
    Cli::new(root.join(PLAN).parent().expect("a folder"))
}
