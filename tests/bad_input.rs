//! Plans that are none, steps that misbehave, and people who do two things at once: each has one outcome.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::cli::{Cli, Ended, has_state, wait_until};
use crate::support::tree::Tree;

const PLAN: &str = "plan.yaml";

/// A plan that cannot be read is refused within this time.
const AT_ONCE: Duration = Duration::from_secs(2);

fn folder() -> (TempDir, Cli) {
    let folder = tempfile::tempdir().expect("failed to create a folder");
    let cli = Cli::new(folder.path());
    (folder, cli)
}

/// A plan of steps that run one after the other; each is given as `execution_details` and what follows it.
fn plan(steps: &[&str]) -> String {
    let mut text = String::from(
        "metadata: {version: \"1.0.0\", migration_name: Misbehaviour}\n\
         migration_overview: {name: Misbehaviour}\n\
         environments: {local: {production: false}}\n\
         migration_phases:\n\
         - phase_id: PHASE-1\n  name: Only\n  order: 1\n  steps:\n",
    );
    for (i, step) in steps.iter().enumerate() {
        let n = i + 1;
        text.push_str(&format!(
            "  - step_id: STEP-{n}\n    name: Step {n}\n    order: {n}\n    type: configuration\n"
        ));
        for line in step.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text
}

/// A step of one command, which must not hold a double quote.
fn command(text: &str) -> String {
    format!("execution_details: {{method: m, commands: [\"{text}\"]}}")
}

fn write(folder: &TempDir, steps: &[&str]) {
    fs::write(folder.path().join(PLAN), plan(steps)).expect("failed to write the plan");
}

fn run(cli: &Cli) -> Ended {
    cli.run(&["run", PLAN, "--env", "local", "--yes"])
}

fn has(folder: &TempDir, name: &str) -> bool {
    folder.path().join(name).exists()
}

fn script(folder: &TempDir, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.path().join(name);
    fs::write(&path, text).expect("failed to write a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("failed to set a run bit");
}

/// A process id that a step wrote.
fn pid(folder: &TempDir, name: &str) -> Pid {
    let text = fs::read_to_string(folder.path().join(name)).expect("the step wrote its id");
    let id = text.trim().parse().expect("it is a number");
    Pid::from_raw(id).expect("it is not zero")
}

/// Whether a process is there and has not ended.
fn lives(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .starts_with('Z')
    })
}

/// What is no plan is refused by `run` and `validate` alike, at once, by name, and nothing is written.
#[track_caller]
fn refused(name: &str, make: impl FnOnce(&Path)) {
    let (folder, cli) = folder();
    make(&folder.path().join(name));
    let before = Tree::of(folder.path(), &[]);
    for verb in ["run", "validate"] {
        let ended = cli.run(&[verb, name]).with_code(3).says(name);
        assert!(ended.took < AT_ONCE, "{verb} {name} took {:?}", ended.took);
        let ended = cli.run(&[verb, name, "--output", "json"]).with_code(3);
        let lines = ended.json();
        assert!(lines.iter().any(|line| line["type"] == "finding"));
        assert_eq!(lines.last().expect("there is a last line")["exit_code"], 3);
    }
    before.assert_equals(&Tree::of(folder.path(), &[]));
    assert!(!has_state(folder.path()));
}

fn text(text: impl AsRef<[u8]>) -> impl FnOnce(&Path) {
    move |path| fs::write(path, text).expect("failed to write a file")
}

#[test]
fn a_plan_that_is_not_there() {
    refused("missing.yaml", |_| {});
}

#[test]
fn a_plan_that_is_empty() {
    refused("empty.yaml", text(""));
}

#[test]
fn a_plan_that_is_a_folder() {
    refused("folder.yaml", |path| {
        fs::create_dir(path).expect("failed to create a folder");
    });
}

#[test]
fn a_plan_that_is_a_pipe() {
    refused_without_reading("pipe.yaml");
}

/// A pipe cannot be compared before and after by reading it: that would wait for ever.
fn refused_without_reading(name: &str) {
    let (folder, cli) = folder();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join(name))
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let ended = cli.run(&["run", name]).with_code(3).says(name);
    assert!(ended.took < AT_ONCE);
    assert!(!has_state(folder.path()));
}

#[test]
fn a_plan_that_is_not_utf_8() {
    refused("bytes.yaml", text(b"metadata: {version: \"\xff\xfe\"}\n"));
}

#[test]
fn a_plan_that_is_too_large() {
    refused("large.yaml", |path| {
        let file = fs::File::create(path).expect("failed to create a file");
        file.set_len(65 * 1024 * 1024)
            .expect("failed to make it large");
    });
}

#[test]
fn a_plan_that_is_nested_too_deep() {
    refused("deep.yaml", text("[".repeat(10_000)));
    refused("deeper.yaml", text(format!("a: {}", "{b: ".repeat(10_000))));
    let mut blocks = String::new();
    for _ in 0..10_000 {
        blocks.push_str("- ");
    }
    refused("blocks.yaml", text(blocks));
}

#[test]
fn a_plan_that_explodes() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    refused("bomb.yaml", text(bomb));
}

#[test]
fn a_plan_of_two_documents() {
    let two = format!("---\n{}---\nb: 2\n", plan(&[&command("true")]));
    refused("two.yaml", text(two));
}

#[test]
fn a_plan_that_cannot_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    if rustix::process::getuid().is_root() {
        eprintln!("SKIPPED: root may read everything");
        return;
    }
    refused("closed.yaml", |path| {
        fs::write(path, "a: 1\n").expect("failed to write a file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("failed to close it");
    });
}

#[test]
fn a_script_that_disappears_before_its_step() {
    let (folder, cli) = folder();
    script(&folder, "second.sh", "#!/bin/bash\ntouch done-2\n");
    let remove = command("rm second.sh; touch done-1");
    let second = "execution_details: {method: m, automation_script: second.sh}";
    write(&folder, &[&remove, second]);
    run(&cli).with_code(9).says("second.sh");
    assert!(has(&folder, "done-1") && !has(&folder, "done-2"));

    // Put back as it was, the run goes on. The first step is not run again: it would fail.
    script(&folder, "second.sh", "#!/bin/bash\ntouch done-2\n");
    cli.run(&["resume"]).with_code(0);
    assert!(has(&folder, "done-2"));
}

#[test]
fn a_script_that_changes_before_its_step() {
    let (folder, cli) = folder();
    script(&folder, "second.sh", "#!/bin/bash\ntouch done-2\n");
    let change = command("echo touch changed >> second.sh");
    let second = "execution_details: {method: m, automation_script: second.sh}";
    write(&folder, &[&change, second]);
    run(&cli).with_code(9).says("second.sh");
    assert!(!has(&folder, "done-2"));
    cli.run(&["resume"]).with_code(9).says("+touch changed");
    assert!(!has(&folder, "done-2"));
    cli.run(&["resume", "--accept-drift", "it was meant so"])
        .with_code(0);
    assert!(has(&folder, "done-2") && has(&folder, "changed"));
}

#[test]
fn a_plan_that_is_edited_under_its_run() {
    let (folder, cli) = folder();
    write(
        &folder,
        &[&command("touch began; sleep 0.5"), &command("touch old")],
    );
    let mut running = cli.start(&["run", PLAN, "--env", "local", "--yes"]);
    running.wait_for("STEP-1  started");
    running.signal(Signal::TERM);
    running.wait().with_code(130);
    write(
        &folder,
        &[&command("touch began; sleep 0.5"), &command("touch new")],
    );
    cli.run(&["resume"])
        .with_code(9)
        .says("touch new")
        .says("touch old")
        .says("--accept-drift");
    assert!(!has(&folder, "old") && !has(&folder, "new"));
    cli.run(&["resume", "--accept-drift", "a better second step"])
        .with_code(0);
    assert!(!has(&folder, "old") && has(&folder, "new"));
}

#[test]
fn a_command_that_is_not_found() {
    let (folder, cli) = folder();
    let undo =
        "rollback_procedure: {can_rollback: true, rollback_steps: [{run: \"touch undone\"}]}";
    write(
        &folder,
        &[&format!("{}\n{undo}", command("no-such-program-anywhere"))],
    );
    // Bash looks for it when the step runs: the step fails, and is undone.
    run(&cli).with_code(4).says("exited with 127");
    assert!(has(&folder, "undone"));
}

#[test]
fn a_program_that_is_not_installed() {
    let (folder, cli) = folder();
    let step = "execution_details: {method: m, commands: [{run: x, shell: [no-such-program-anywhere, -c]}]}";
    write(&folder, &[step]);
    // A program that the plan itself names is looked for before anything starts.
    run(&cli).with_code(9).says("no-such-program-anywhere");
    assert!(!has_state(folder.path()));
}

#[test]
fn a_step_that_reads_what_is_typed() {
    let (folder, cli) = folder();
    write(&folder, &[&command("cat > typed; test ! -s typed")]);
    let ended = run(&cli).with_code(0);
    assert!(
        ended.took < Duration::from_secs(20),
        "it waited for somebody"
    );
}

#[test]
fn a_step_that_prints_bytes_that_are_not_text() {
    let (folder, cli) = folder();
    write(
        &folder,
        &[&command(
            "head -c 100000 /dev/urandom; printf '\\\\033[2J\\\\377\\\\000end'; exit 3",
        )],
    );
    let ended = run(&cli).with_code(5);
    // Nothing of it may steer the terminal.
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stderr.contains('\0'));
}

#[test]
fn a_step_that_leaves_a_daemon() {
    let (folder, cli) = folder();
    write(
        &folder,
        &[
            &command("setsid sleep 600 & echo $! > daemon"),
            &command("touch done"),
        ],
    );
    let ended = run(&cli).with_code(0);
    assert!(
        ended.took < Duration::from_secs(30),
        "it waited for the daemon"
    );
    assert!(has(&folder, "done"));
    // A step that starts a service is what deployments are made of: it stays.
    let daemon = pid(&folder, "daemon");
    assert!(lives(daemon));
    kill_process(daemon, Signal::KILL).expect("failed to end the daemon");
}

#[test]
fn a_step_that_ignores_its_end() {
    let (folder, cli) = folder();
    let stubborn = command("trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done");
    write(
        &folder,
        &[&format!("{stubborn}\ntimeout: 1s"), &command("touch done")],
    );
    run(&cli).with_code(7).says("STEP-1");
    assert!(!lives(pid(&folder, "pid")), "it was ended all the same");
    assert!(!has(&folder, "done"), "nobody knows whether to go on");
    cli.run(&[
        "resolve",
        "latest",
        "STEP-1",
        "--as",
        "done",
        "--reason",
        "seen to be so",
    ])
    .with_code(0);
    cli.run(&["resume"]).with_code(0);
    assert!(has(&folder, "done"));
}

#[test]
fn a_step_that_is_killed() {
    let (folder, cli) = folder();
    write(&folder, &[&command("kill -9 $$"), &command("touch done")]);
    run(&cli).with_code(7).says("STEP-1");
    assert!(!has(&folder, "done"));
}

#[test]
fn a_state_folder_that_cannot_be_written() {
    let (folder, cli) = folder();
    write(&folder, &[&command("touch done")]);
    // A file where the folder would be: root may write everywhere, but not here.
    fs::write(folder.path().join(".orchestrate"), "").expect("failed to write a file");
    run(&cli)
        .with_code(1)
        .says(".orchestrate")
        .says("--state-dir");
    assert!(!has(&folder, "done"));
}

#[test]
fn two_runs_at_once() {
    let (folder, cli) = folder();
    let wait = command("until test -e go; do sleep 0.05; done");
    write(&folder, &[&wait]);
    let mut first = cli.start(&["run", PLAN, "--env", "local", "--yes"]);
    first.wait_for("STEP-1  started");
    let holder = format!("{}", first.pid().as_raw_nonzero());
    run(&cli).with_code(9).says(&holder);
    cli.run(&["resume"]).with_code(9);
    fs::write(folder.path().join("go"), "").expect("failed to write a file");
    first.wait().with_code(0);
}

#[test]
fn an_unfinished_run_is_in_the_way_of_a_new_one() {
    let (folder, cli) = folder();
    write(
        &folder,
        &[&command("test -e mended"), &command("touch done")],
    );
    run(&cli).with_code(5);
    let refused = run(&cli).with_code(9).says("is not finished");
    let printed: Vec<&str> = refused
        .stderr
        .split('`')
        .filter(|words| words.starts_with("orchestrate "))
        .collect();
    assert_eq!(printed.len(), 2, "{}", refused.stderr);
    assert!(printed[0].starts_with("orchestrate resume "));
    assert!(printed[1].starts_with("orchestrate rollback "));
    fs::write(folder.path().join("mended"), "").expect("failed to write a file");
    // It has no way back, so a person says what its failure left behind.
    let asked = cli
        .paste(&format!("{} --output json", printed[0]))
        .with_code(6);
    let waiting = asked.waiting();
    let answer = waiting[0]["answer"].as_str().expect("there is an answer");
    assert!(answer.contains(" --as retry "), "{answer}");
    cli.paste(&answer.replace("<reason>", "it touched nothing"))
        .with_code(0);
    cli.paste(printed[0]).with_code(0);
    assert!(has(&folder, "done"));
    run(&cli).with_code(0);
}

#[test]
fn a_run_that_is_killed_goes_on() {
    let (folder, cli) = folder();
    write(
        &folder,
        &[
            &command("sleep 0.5; echo x >> once"),
            &command("touch done"),
        ],
    );
    let mut running = cli.start(&["run", PLAN, "--env", "local", "--yes"]);
    running.wait_for("STEP-1  started");
    running.signal(Signal::KILL);
    running.wait().with_code(137);
    // The supervisor carries the step to its end.
    wait_until("the step has ended", || has(&folder, "once"));
    cli.run(&["resume"]).with_code(0);
    let once = fs::read_to_string(folder.path().join("once")).expect("the step wrote it");
    assert_eq!(once, "x\n");
    assert!(has(&folder, "done"));
}
