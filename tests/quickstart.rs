//! `plans/quickstart` as a newcomer runs it: to done, failing, half way, and again.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::support::cli::{Cli, Ended, has_state};
use crate::support::plans::PlanCopy;
use crate::support::tree::Tree;

const PLAN: &str = "migration-strategy.yaml";
const CUSTOMERS: &str = "work/shop/data/customers.csv";

fn folder() -> (PlanCopy, Cli) {
    let plan = PlanCopy::of("quickstart");
    let cli = Cli::new(plan.folder());
    (plan, cli)
}

/// Everything but the record of runs.
fn tree(plan: &PlanCopy) -> Tree {
    Tree::of(plan.folder(), &[".orchestrate"])
}

fn start(cli: &Cli, variables: &[&str]) -> Ended {
    let mut arguments = vec!["run", PLAN, "--env", "local", "--yes"];
    for variable in variables {
        arguments.extend(["--var", variable]);
    }
    cli.run(&arguments)
}

fn release(plan: &PlanCopy) -> String {
    let link = fs::read_link(plan.folder().join("work/shop/current"));
    link.expect("there is a release")
        .to_string_lossy()
        .into_owned()
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn runs_to_done() {
    let (plan, cli) = folder();
    start(&cli, &[]).with_code(0).says("COMPLETED");
    assert_eq!(release(&plan), "releases/v2");
    let customers = read(plan.folder(), CUSTOMERS);
    assert!(customers.starts_with("id,first_name,last_name,email,country_code\n"));
    let original = read(plan.folder(), "shop/data/customers.csv");
    assert_eq!(customers.lines().count(), original.lines().count());
}

#[test]
fn a_run_that_names_no_environment_counts_as_production() {
    let (_plan, cli) = folder();
    cli.run(&["run", PLAN, "--yes"])
        .with_code(0)
        .says("production: no environment named");
}

#[test]
fn works_from_any_folder() {
    let (plan, _) = folder();
    let elsewhere = tempfile::tempdir().expect("failed to create a folder");
    let file = plan.file();
    let file = file.to_str().expect("the path is text");
    Cli::new(elsewhere.path())
        .run(&["run", file, "--env", "local", "--yes"])
        .with_code(0);
    assert!(has_state(plan.folder()));
    assert_eq!(release(&plan), "releases/v2");
    let left = fs::read_dir(elsewhere.path()).expect("the folder is there");
    assert_eq!(left.count(), 0, "nothing belongs where it was typed");
}

#[test]
fn a_step_that_fails_takes_everything_back() {
    for fault in ["FAIL=smoke", "FAIL=convert"] {
        let (plan, cli) = folder();
        let before = tree(&plan);
        start(&cli, &[fault]).with_code(4).says("ROLLED BACK");
        before.assert_equals(&tree(&plan));
    }
}

#[test]
fn a_failing_run_leaves_the_shop_of_an_earlier_run_alone() {
    let (plan, cli) = folder();
    start(&cli, &[]).with_code(0);
    let before = tree(&plan);
    for fault in ["FAIL=smoke", "FAIL=convert"] {
        start(&cli, &[fault]).with_code(4);
        before.assert_equals(&tree(&plan));
    }
}

#[test]
fn a_gate_that_fails_takes_its_phase_back_and_the_rest_goes_by_hand() {
    let (plan, cli) = folder();
    let before = tree(&plan);
    let stopped = start(&cli, &["FAIL=gate"]).with_code(5);
    assert_eq!(release(&plan), "releases/v1");
    assert_eq!(
        read(plan.folder(), CUSTOMERS),
        read(plan.folder(), "shop/data/customers.csv")
    );

    // An unfinished run is in the way of a new one, and what is printed leads out.
    let refused = start(&cli, &[]).with_code(9).says("is not finished");
    assert!(refused.stderr.contains("orchestrate resume "));
    let back = refused
        .stderr
        .split('`')
        .find(|words| words.starts_with("orchestrate rollback "))
        .expect("the way back is printed");
    assert!(stopped.stderr.contains(back), "both name the same command");
    cli.paste(back).with_code(4);
    before.assert_equals(&tree(&plan));
    start(&cli, &[]).with_code(0);
}

#[test]
fn a_dry_run_changes_nothing_and_shows_everything() {
    let (plan, cli) = folder();
    let before = Tree::of(plan.folder(), &[]);
    let mut shown = cli.run(&["run", PLAN, "--dry-run"]).with_code(0);
    for id in [
        "STEP-1-1", "STEP-1-2", "STEP-1-3", "GATE-1", "STEP-2-1", "STEP-2-2", "GATE-2",
    ] {
        shown = shown.says(id);
    }
    let lines = cli
        .run(&["run", PLAN, "--dry-run", "--output", "json"])
        .with_code(0)
        .json();
    assert_eq!(
        lines.last().expect("there is a last line")["state"],
        "dry_run"
    );
    before.assert_equals(&Tree::of(plan.folder(), &[]));
    assert!(!has_state(plan.folder()));
}

#[test]
fn can_be_run_again() {
    let (plan, cli) = folder();
    start(&cli, &[]).with_code(0);
    let first = read(plan.folder(), CUSTOMERS);
    start(&cli, &[]).with_code(0);
    assert_eq!(read(plan.folder(), CUSTOMERS), first);
    assert_eq!(release(&plan), "releases/v2");
}

#[test]
fn a_run_that_is_interrupted_goes_on_or_back() {
    let (plan, cli) = folder();
    let before = tree(&plan);
    for go_back in [true, false] {
        let arguments = ["run", PLAN, "--env", "local", "--yes", "--var", "PACE=0.3"];
        let mut running = cli.start(&arguments);
        running.wait_for("STEP-1-2  started");
        running.signal(Signal::TERM);
        running.wait().with_code(130);
        // The steps that were running went on to their end; nothing after them began.
        assert!(
            plan.folder()
                .join("work/shop/backup/customers.csv")
                .exists()
        );
        assert_eq!(release(&plan), "releases/v1");
        if go_back {
            cli.run(&["rollback", "--yes"]).with_code(4);
            before.assert_equals(&tree(&plan));
        } else {
            cli.run(&["resume"]).with_code(0);
            assert_eq!(release(&plan), "releases/v2");
        }
    }
}

#[test]
fn a_completed_run_can_be_taken_back() {
    let (plan, cli) = folder();
    let before = tree(&plan);
    start(&cli, &[]).with_code(0);
    cli.run(&["rollback", "latest", "--level", "full", "--yes"])
        .with_code(4);
    before.assert_equals(&tree(&plan));
}

#[test]
fn validates_without_an_error_or_a_warning() {
    let (plan, cli) = folder();
    cli.run(&["validate", PLAN, "--strict"]).with_code(0);
    assert!(!has_state(plan.folder()));
}
