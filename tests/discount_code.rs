//! `plans/discount-code` on a real PostgreSQL: forwards with approvals, failing, and every way back.

use std::fs;

use crate::support::cli::{Cli, Ended, answer};
use crate::support::plans::Shop;

const PLAN: &str = "migration-strategy.yaml";
const OLD_COLUMNS: &str = "id,user_id,user_group,created_at";
const NEW_COLUMNS: &str = "id,user_id,user_group,created_at,discount_code,discount_amount";

fn start(cli: &Cli, variables: &[&str]) -> Ended {
    let mut arguments = vec!["run", PLAN, "--env", "local", "--yes", "--output", "json"];
    for variable in variables {
        arguments.extend(["--var", variable]);
    }
    cli.run(&arguments)
}

/// Answers and resumes until the run waits for `item`, or is over.
fn go_on(cli: &Cli, mut ended: Ended, until: Option<&str>) -> Ended {
    while ended.code == 6 {
        let waiting = ended.waiting();
        if until.is_some_and(|item| waiting.iter().any(|wait| wait["id"] == item)) {
            break;
        }
        answer(cli, &waiting);
        ended = cli.run(&["resume", "--output", "json"]);
    }
    ended
}

fn items(ended: &Ended) -> Vec<String> {
    let waiting = ended.waiting();
    let names = waiting.iter().map(|wait| wait["id"].as_str());
    names
        .map(|name| name.expect("it has an id").to_owned())
        .collect()
}

/// Panics with the lines that differ.
#[track_caller]
fn assert_same(before: &[String], after: &[String]) {
    let gone: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(before == after, "gone: {gone:#?}\nnew: {new:#?}");
}

fn flag(shop: &Shop) -> Option<i64> {
    let path = shop
        .plan()
        .folder()
        .join("work/flags/discount-enabled.json");
    let text = fs::read_to_string(path).ok()?;
    let flag: serde_json::Value = serde_json::from_str(&text).expect("the flag is JSON");
    flag["percentage"].as_i64()
}

#[test]
fn approvals_take_it_to_done_and_a_rollback_takes_all_of_it_back() {
    let shop = Shop::open();
    let cli = shop.cli();
    let before = shop.database().dump();

    let mut ended = start(&cli, &[]).with_code(6);
    for (item, who) in [
        ("GATE-1", vec!["DBA Lead", "Engineering Manager"]),
        ("GATE-2", vec!["Engineering Manager"]),
        ("STEP-3-3.preconditions.1", vec!["Product Team"]),
        ("GATE-3", vec!["Product Manager", "Engineering Manager"]),
    ] {
        assert_eq!(items(&ended), [item]);
        let waiting = ended.waiting();
        assert_eq!(waiting[0]["who"], serde_json::json!(who));
        answer(&cli, &waiting);
        ended = cli.run(&["resume", "--output", "json"]);
    }
    ended.with_code(0);
    assert_eq!(shop.columns(), NEW_COLUMNS);
    assert_eq!(shop.live(), "green");
    assert_eq!(flag(&shop), Some(100));

    cli.run(&["rollback", "--level", "full", "--yes"])
        .with_code(4)
        .says("ROLLED BACK");
    assert_same(&before, &shop.database().dump());
    assert_eq!(shop.live(), "blue");
}

#[test]
fn a_run_that_stays_takes_answers_the_moment_they_come() {
    let shop = Shop::open();
    let cli = shop.cli();
    let mut running = cli.start(&["run", PLAN, "--env", "local", "--yes", "--wait"]);
    for (item, verb, names) in [
        (
            "GATE-1",
            "approve",
            &["DBA Lead", "Engineering Manager"][..],
        ),
        ("GATE-2", "approve", &["Engineering Manager"]),
        ("STEP-3-3.preconditions.1", "attest", &["Product Team"]),
        (
            "GATE-3",
            "approve",
            &["Product Manager", "Engineering Manager"],
        ),
    ] {
        running.wait_for(&format!("{item} --as \"<name>\""));
        for name in names {
            cli.run(&[verb, "latest", item, "--as", name])
                .with_code(0)
                .says("goes on by itself");
        }
    }
    running.wait().with_code(0).says("COMPLETED");
    assert_eq!(flag(&shop), Some(100));
}

#[test]
fn a_failing_first_gate_takes_the_columns_back() {
    let shop = Shop::open();
    let before = shop.database().dump();
    start(&shop.cli(), &["FAIL_GATE=GATE-1"]).with_code(4);
    assert_eq!(shop.columns(), OLD_COLUMNS);
    assert_same(&before, &shop.database().dump());
    assert!(!shop.plan().folder().join("work/backup/cart.sql").exists());
}

#[test]
fn a_failing_schema_change_takes_the_columns_back() {
    let shop = Shop::open();
    let before = shop.database().dump();
    start(&shop.cli(), &["FAIL_STEP=STEP-1-2"]).with_code(4);
    assert_eq!(shop.columns(), OLD_COLUMNS);
    assert_same(&before, &shop.database().dump());
}

#[test]
fn a_failing_deployment_takes_its_phase_back_and_keeps_the_columns() {
    let shop = Shop::open();
    let cli = shop.cli();
    let ended = go_on(&cli, start(&cli, &["FAIL_STEP=STEP-2-2"]), None);
    ended.with_code(5);
    assert_eq!(shop.columns(), NEW_COLUMNS);
    assert_eq!(shop.live(), "blue");
    assert!(!shop.plan().folder().join("work/discount/pid").exists());
    // What is left goes by hand.
    cli.run(&["rollback", "--yes"]).with_code(4);
    assert_eq!(shop.columns(), OLD_COLUMNS);
}

#[test]
fn each_fault_of_the_readme_does_what_is_said_of_it() {
    let shop = Shop::open();
    let cli = shop.cli();
    // The second gate: phase 2 comes back.
    go_on(&cli, start(&cli, &["FAIL_GATE=GATE-2"]), None).with_code(5);
    assert_eq!(
        (shop.columns().as_str(), shop.live().as_str()),
        (NEW_COLUMNS, "blue")
    );
    cli.run(&["rollback", "--yes"]).with_code(4);
    // The check at 25 %: phase 3 comes back.
    go_on(&cli, start(&cli, &["FAIL_STEP=STEP-3-2"]), None).with_code(5);
    assert_eq!((flag(&shop), shop.live().as_str()), (Some(0), "green"));
    cli.run(&["rollback", "--yes"]).with_code(4);
    // The last gate: a person decides.
    let asked = go_on(&cli, start(&cli, &["FAIL_GATE=GATE-3"]), Some("GATE-3")).with_code(6);
    assert_eq!(items(&asked), ["GATE-3"]);
    assert_eq!(flag(&shop), Some(100));
    let decision = ["resolve", "latest", "GATE-3", "--as", "rollback"];
    cli.run(&decision).with_code(0);
    cli.run(&["resume"]).with_code(5);
    assert_eq!((flag(&shop), shop.live().as_str()), (Some(0), "green"));
}

#[test]
fn half_way_it_goes_back_by_step_by_phase_and_altogether() {
    let shop = Shop::open();
    let cli = shop.cli();
    let before = shop.database().dump();
    let half_way = go_on(&cli, start(&cli, &[]), Some("STEP-3-3.preconditions.1"));
    half_way.with_code(6);
    assert_eq!(flag(&shop), Some(25));

    let by_step = ["rollback", "--level", "step", "--step", "STEP-3-2", "--yes"];
    cli.run(&by_step).with_code(5);
    assert_eq!(flag(&shop), Some(5));
    let by_phase = [
        "rollback", "--level", "phase", "--phase", "PHASE-3", "--yes",
    ];
    cli.run(&by_phase).with_code(5);
    assert_eq!(flag(&shop), Some(0));
    assert_eq!(shop.live(), "green");
    cli.run(&["rollback", "--level", "full", "--yes"])
        .with_code(4);
    assert_eq!(shop.live(), "blue");
    assert_same(&before, &shop.database().dump());
}

#[test]
fn a_refusal_is_not_a_failure() {
    let shop = Shop::open();
    let cli = shop.cli();
    start(&cli, &[]).with_code(6);
    cli.run(&["approve", "latest", "GATE-1", "--as", "Somebody Else"])
        .with_code(9)
        .says("it is for DBA Lead, Engineering Manager");
    let refusal = [
        "approve",
        "latest",
        "GATE-1",
        "--as",
        "DBA Lead",
        "--reject",
        "--reason",
        "wrong type",
    ];
    cli.run(&refusal).with_code(0);
    let ended = cli.run(&["resume", "--output", "json"]).with_code(6);
    assert_eq!(
        items(&ended),
        ["GATE-1"],
        "somebody decides what the refusal means"
    );
    assert_eq!(
        shop.columns(),
        NEW_COLUMNS,
        "a refusal undoes nothing by itself"
    );
    cli.run(&[
        "resolve",
        "latest",
        "GATE-1",
        "--as",
        "rollback",
        "--reason",
        "as refused",
    ])
    .with_code(0);
    cli.run(&["resume"]).with_code(4);
    assert_eq!(shop.columns(), OLD_COLUMNS);
}

#[test]
fn no_connection_stops_it_before_the_first_step() {
    let shop = Shop::open();
    let cli = shop.cli().env("DATABASE_URL", "");
    cli.run(&["run", PLAN, "--env", "local", "--yes"])
        .with_code(9)
        .says("DATABASE_URL");
    assert!(!shop.plan().folder().join(".orchestrate").exists());
}
