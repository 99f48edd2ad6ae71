//! What the verbs that read a run's record say and exit with: on a whole run, and on one that was tampered with.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use jiff::Timestamp;
use orchestrate::base::durable::{Holder, Lock};
use orchestrate::base::id::{Digest, ItemId, RunId, StepId};
use orchestrate::plan::load::load;
use orchestrate::plan::program::{BlockId, lower};
use orchestrate::run::drive::{PlanFolder, Session};
use orchestrate::run::engine::{
    Action, Actor, Event, Input, Outcome, Proof, RunStarted, Verdict, next,
};
use orchestrate::run::journal::{Inputs, RunFolder, StateDir};
use serde_json::Value;

const PLAN: &str = r#"
metadata: {version: "1.0", migration_name: Move the carts}
migration_overview: {name: Move the carts}
migration_phases:
  - phase_id: PHASE-1
    name: Only
    order: 1
    steps:
      - step_id: STEP-1
        name: First
        type: configuration
        order: 1
        execution_details: {automation_script: scripts/first.sh}
        validation:
          validation_checks:
            - {check: it is there, command: "true"}
      - step_id: STEP-2
        name: Second
        type: configuration
        order: 2
        execution_details: {commands: [{run: "true"}]}
"#;

struct Bench {
    dir: tempfile::TempDir,
    run: RunId,
    folder: RunFolder,
    session: Session,
}

fn ada() -> Actor {
    Actor {
        name: "Ada".to_owned(),
        user: "ada".to_owned(),
        host: Holder::this_process("").host,
    }
}

impl Bench {
    /// A run whose first step succeeded and was validated, with a log of each; nobody drives it.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("scripts")).unwrap();
        fs::write(dir.path().join("scripts/first.sh"), "#!/bin/sh\ntrue\n").unwrap();
        let path = dir.path().join("plan.yaml");
        fs::write(&path, PLAN).unwrap();
        let loaded = load(&path).unwrap_or_else(|refused| panic!("{:?}", refused.findings));
        let program = lower(&loaded.plan, &PlanFolder(dir.path().to_owned())).unwrap();
        let mut files = vec![(
            "plan.yaml".to_owned(),
            orchestrate::plan::program::InputKind::Plan,
        )];
        files.extend(program.files.iter().cloned());
        let digest = program.digest.clone();
        let inputs = Inputs::gather(dir.path(), digest.clone(), files).unwrap();
        let hash = inputs.hash();
        let state_dir = StateDir::new(dir.path().join(".orchestrate"));
        state_dir.prepare().unwrap();
        let start = |run: &RunId| RunStarted {
            run: run.clone(),
            migration: "Move the carts".to_owned(),
            plan: "plan.yaml".to_owned(),
            plan_path: "plan.yaml".to_owned(),
            plan_digest: digest.clone(),
            inputs_hash: hash.clone(),
            environment: Some("staging".to_owned()),
            production: false,
            by: ada(),
            variables: Default::default(),
            secrets: Default::default(),
            left_out: Vec::new(),
            left_out_because: None,
            on_failure: None,
            unattested: false,
            tool: "test".to_owned(),
        };
        let session = Session::begin(&state_dir, inputs, &loaded.plan, program, start).unwrap();
        let mut bench = Self {
            run: session.run.clone(),
            folder: session.folder.clone(),
            dir,
            session,
        };
        bench.input(Input::Attach {
            by: ada(),
            // No process has this id: it is above every limit.
            pid: 0x3fff_ffff,
            jobs: 1,
        });
        bench.settle();
        bench.record(Event::StepStarted {
            step: StepId::parse("STEP-1").unwrap(),
            attempt: 1,
        });
        let proof = bench.log(
            "logs/000005-STEP-1.log",
            "2026-11-21T04:05:06.123Z",
            "one\n",
        );
        bench.input(Input::ActionEnded {
            step: StepId::parse("STEP-1").unwrap(),
            attempt: 1,
            outcome: Outcome::Succeeded,
            proof,
        });
        bench.settle();
        let check = bench.session.program.steps[0].validation[0].id.clone();
        let proof = bench.log(
            "logs/c1_1-check.log",
            "2026-11-21T04:05:07.123Z",
            "two\u{1b}[2J\n",
        );
        bench.judge(check, proof);
        bench.session.sync().unwrap();
        bench
    }

    fn judge(&mut self, item: ItemId, proof: Proof) {
        self.record(Event::CheckJudged {
            item,
            block: BlockId::Validation(StepId::parse("STEP-1").unwrap()),
            index: 0,
            verdict: Verdict::Pass,
            proof,
        });
    }

    fn log(&self, path: &str, stamp: &str, text: &str) -> Proof {
        let text = format!("{stamp} out| {text}");
        fs::write(self.folder.path().join(path), &text).unwrap();
        Proof {
            detail: "exit 0".to_owned(),
            log: Some(path.to_owned()),
            log_sha256: Some(Digest::of(text.as_bytes()).to_string()),
            ..Proof::default()
        }
    }

    fn record(&mut self, event: Event) {
        self.session.record(Timestamp::now(), event).unwrap();
    }

    fn input(&mut self, input: Input) {
        self.session.decide(input).unwrap().unwrap();
    }

    /// Records what is due.
    fn settle(&mut self) {
        loop {
            let now = Timestamp::now();
            let due = next(&self.session.program, &self.session.state, now);
            let Some(event) = due.into_iter().find_map(|action| match action {
                Action::Record(event) => Some(event),
                _ => None,
            }) else {
                return;
            };
            self.record(event);
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("orchestrate").unwrap();
        command
            .current_dir(self.dir.path())
            .env_remove("ORCHESTRATE_STATE_DIR")
            .env_remove("ORCHESTRATE_OUTPUT")
            .args(arguments);
        command
    }

    /// Exit code, standard output.
    fn say(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.command(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), text)
    }

    /// Exit code, the objects before the result, the result.
    fn json(&self, arguments: &[&str]) -> (i32, Vec<Value>, Value) {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        let (code, text) = self.say(&all);
        let mut lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let result = lines.pop().unwrap();
        assert_eq!(result["type"], "result");
        assert_eq!(result["verb"], arguments[0]);
        assert_eq!(result["exit_code"], code);
        assert!(lines.iter().all(|line| line["format_version"] == 1));
        (code, lines, result)
    }

    fn audit(&self, more: &[&str]) -> (i32, Value) {
        let mut arguments = vec!["audit", self.run.as_str()];
        arguments.extend(more);
        let (code, mut lines, result) = self.json(&arguments);
        assert_eq!(lines.len(), 1);
        assert_eq!(result["run"], self.run.as_str());
        let audit = lines.remove(0);
        assert_eq!(audit["type"], "audit");
        assert_eq!(audit["ok"], code == 0);
        (code, audit)
    }

    /// The file and record of everything that is broken.
    fn broken(&self, more: &[&str]) -> Vec<(String, Value)> {
        let (code, audit) = self.audit(more);
        let broken = audit["broken"].as_array().unwrap();
        assert_eq!(code, if broken.is_empty() { 0 } else { 8 });
        broken
            .iter()
            .map(|b| (b["file"].as_str().unwrap().to_owned(), b["record"].clone()))
            .collect()
    }

    fn head(&self) -> String {
        self.session.head().to_string()
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|l| format!("{l}\n")).collect()
}

#[test]
fn a_whole_run_passes_the_audit() {
    let bench = Bench::new();
    let (code, text) = bench.say(&["audit"]);
    assert_eq!(code, 0);
    let wanted = format!("head {}, 2 inputs, 2 logs\n", bench.head());
    assert!(
        text.starts_with("ok: ") && text.ends_with(&wanted),
        "{text}"
    );
    let (_, audit) = bench.audit(&["--head", &bench.head()]);
    assert_eq!(audit["head"], bench.head());
    assert_eq!(audit["logs"], 2);
}

#[test]
fn every_damaged_line_of_the_journal_is_named() {
    let bench = Bench::new();
    let path = bench.folder.journal();
    let whole = fs::read(&path).unwrap();
    let mut from = 0;
    for (n, line) in lines(&path).iter().enumerate() {
        flip(&path, from + line.len() / 2);
        let broken = bench.broken(&[]);
        assert_eq!(
            broken[0],
            ("journal.jsonl".to_owned(), Value::from(n)),
            "{broken:?}"
        );
        fs::write(&path, &whole).unwrap();
        from += line.len();
    }
}

#[test]
fn damaged_and_missing_files_are_named_with_their_record() {
    let bench = Bench::new();
    let inputs = Inputs::load(&bench.folder.inputs()).unwrap();
    let snapshot = format!("inputs/{}", inputs.file("scripts/first.sh").unwrap().stored);
    let root = bench.folder.path().to_owned();
    let log = "logs/000005-STEP-1.log";
    let acted = bench
        .folder
        .read()
        .unwrap()
        .records
        .iter()
        .find_map(|r| matches!(r.event, Event::ActionEnded { .. }).then_some(r.n));
    for (file, record) in [
        (snapshot.as_str(), Value::Null),
        (log, Value::from(acted.unwrap())),
        ("inputs/inputs.json", Value::Null),
        ("inputs/plan.json", Value::Null),
        ("journal.jsonl", Value::Null),
    ] {
        let path = root.join(file);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let broken = bench.broken(&[]);
        assert!(
            broken.contains(&(file.to_owned(), record.clone())),
            "missing {file}: {broken:?}"
        );
        fs::write(&path, b"").unwrap();
        assert_eq!(bench.broken(&[])[0].0, file, "empty {file}");
        fs::write(&path, &whole).unwrap();
        flip(&path, whole.len() / 2);
        assert!(
            bench.broken(&[]).iter().any(|b| b.0 == file),
            "changed {file}"
        );
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(bench.broken(&[]), []);
}

#[test]
fn the_supervisors_records_are_verified() {
    let bench = Bench::new();
    fs::write(
        bench.folder.path().join("supervisor.jsonl"),
        "{}\tx\n{}\tx\n",
    )
    .unwrap();
    assert_eq!(bench.broken(&[])[0].0, "supervisor.jsonl");
}

#[test]
fn a_list_of_inputs_that_was_written_anew_does_not_fit_the_journal() {
    let bench = Bench::new();
    let folder = bench.folder.inputs();
    let mut inputs = Inputs::load(&folder).unwrap();
    inputs.files.retain(|f| f.path == "plan.yaml");
    fs::write(
        folder.join("inputs.json"),
        serde_json::to_vec(&inputs).unwrap(),
    )
    .unwrap();
    let broken = bench.broken(&[]);
    assert_eq!(broken[0], ("inputs/inputs.json".to_owned(), Value::from(1)));
}

#[test]
fn records_that_were_cut_off_are_found_by_the_head() {
    let bench = Bench::new();
    let (path, head) = (bench.folder.journal(), bench.head());
    let all = lines(&path);
    fs::write(&path, all[..all.len() - 1].concat()).unwrap();
    assert_eq!(bench.broken(&[]), [], "the chain alone cannot tell");
    assert_eq!(bench.broken(&["--head", &head])[0].0, "journal.jsonl");
    // An earlier head is fine, and what came after it is counted.
    let earlier = Digest::of(all[2].trim_end().as_bytes());
    let (code, audit) = bench.audit(&["--head", earlier.as_str()]);
    assert_eq!(code, 0);
    let note = audit["notes"][0].as_str().unwrap();
    assert!(
        note.contains(&format!("record 2's; {} records", all.len() - 4)),
        "{note}"
    );
    assert_eq!(bench.say(&["audit", "--head", "xyz"]).0, 2);
}

#[test]
fn a_torn_end_is_a_note() {
    let bench = Bench::new();
    let path = bench.folder.journal();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let (code, audit) = bench.audit(&[]);
    assert_eq!(code, 0);
    assert!(audit["notes"][0].as_str().unwrap().contains("cut off"));
    // While a driver is alive it is being written.
    let state_dir = StateDir::new(bench.dir.path().join(".orchestrate"));
    let lock = state_dir.lock_path("Move the carts", Some("staging"));
    let _lock = Lock::try_acquire(&lock, &Holder::this_process(bench.run.as_str())).unwrap();
    let (_, audit) = bench.audit(&[]);
    assert!(
        audit["notes"][0]
            .as_str()
            .unwrap()
            .contains("being written now")
    );
}

#[test]
fn no_cut_and_no_byte_makes_the_reading_verbs_panic() {
    let bench = Bench::new();
    let root = bench.folder.path().to_owned();
    for file in ["journal.jsonl", "inputs/inputs.json", "inputs/plan.json"] {
        let path = root.join(file);
        let whole = fs::read(&path).unwrap();
        for part in [1, 3, 7] {
            fs::write(&path, &whole[..whole.len() * part / 8]).unwrap();
            for verb in ["audit", "status", "history", "logs"] {
                let code = bench.say(&[verb, bench.run.as_str()]).0;
                assert!([0, 1, 8].contains(&code), "{verb} {file} {part}/8: {code}");
            }
        }
        fs::write(&path, b"\xff\x00[[[[").unwrap();
        assert_eq!(bench.say(&["audit"]).0, 8);
        assert_eq!(bench.say(&["status", bench.run.as_str()]).0, 8);
        let (code, runs, _) = bench.json(&["history"]);
        assert_eq!(code, 0);
        assert!(runs[0]["problem"].is_string(), "{runs:?}");
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn logs_are_printed_in_order_with_a_header() {
    let bench = Bench::new();
    let (code, text) = bench.say(&["logs"]);
    assert_eq!(code, 0);
    let check = &bench.session.program.steps[0].validation[0].id;
    assert_eq!(
        text,
        format!(
            "==> STEP-1: logs/000005-STEP-1.log <==\n2026-11-21T04:05:06.123Z out| one\n\n\
             ==> {check}: logs/c1_1-check.log <==\n2026-11-21T04:05:07.123Z out| two\u{1b}[2J\n"
        )
    );
    let (_, text) = bench.say(&["logs", "--step", check.as_str(), "--follow"]);
    assert!(!text.contains("one") && text.contains("two"));
    assert_eq!(bench.say(&["logs", "--step", "STEP-9"]).0, 2);
    let (code, logs, _) = bench.json(&["logs"]);
    assert_eq!((code, logs.len()), (0, 2));
    assert_eq!(logs[0]["type"], "log");
    assert_eq!(logs[0]["item"], "STEP-1");
    assert_eq!(logs[0]["bytes"], 34);
    assert!(
        logs[0]["record"].is_number() && PathBuf::from(logs[0]["path"].as_str().unwrap()).is_file()
    );
}

#[test]
fn the_last_lines_of_a_long_log() {
    let bench = Bench::new();
    let path = bench.folder.path().join("logs/000005-STEP-1.log");
    let text: String = (0..50_000)
        .map(|n| format!("2026-11-21T04:05:06.123Z out| {n}\n"))
        .collect();
    fs::write(&path, text).unwrap();
    let (_, text) = bench.say(&["logs", "--step", "STEP-1", "-n", "1"]);
    assert!(
        text.contains("==> STEP-1") && text.contains("out| 49999\n") && !text.contains("49998")
    );
}

#[test]
fn history_lists_runs_and_records() {
    let bench = Bench::new();
    let (code, text) = bench.say(&["history"]);
    assert_eq!(code, 0);
    for word in [
        bench.run.as_str(),
        "Move the carts",
        "staging",
        "Ada",
        "not driven",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let (_, runs, _) = bench.json(&["history"]);
    assert_eq!(runs[0]["type"], "run");
    assert_eq!(runs[0]["run"], bench.run.as_str());
    let (_, text) = bench.say(&["history", bench.run.as_str()]);
    let records = bench.folder.read().unwrap().records.len();
    assert_eq!(text.lines().count(), records, "{text}");
    let (_, events, result) = bench.json(&["history", "latest"]);
    assert_eq!(events.len(), records);
    assert_eq!(
        (&events[0]["type"], &events[0]["n"]),
        (&"event".into(), &1.into())
    );
    assert_eq!(events[0]["event"]["type"], "run_started");
    assert_eq!(result["run"], bench.run.as_str());
}

#[test]
fn status_says_what_to_type_where_it_is_typed() {
    let bench = Bench::new();
    let (code, text) = bench.say(&["status"]);
    assert_eq!(code, 0);
    let next = format!("orchestrate resume {}", bench.run);
    assert!(
        text.contains(&next) && !text.contains("--state-dir"),
        "{text}"
    );
    let state = bench.dir.path().join(".orchestrate").display().to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    let output = bench
        .command(&["--state-dir", &state, "status"])
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains(&format!("{next} --state-dir {state}")),
        "{text}"
    );
    let (code, status, result) = bench.json(&["status", "--watch"]);
    assert_eq!(code, 0);
    assert_eq!(status[0]["type"], "status");
    assert_eq!(status[0]["driven"], false);
    assert_eq!(status[0]["phases"][0]["steps"][0]["id"], "STEP-1");
    assert_eq!(result["state"], status[0]["state"]);
}

#[test]
fn completions_and_pages_name_every_verb_but_not_the_hidden_one() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, text) = bench.say(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(text.contains("rollback") && !text.contains("__supervise"));
    }
    let (code, page) = bench.say(&["man"]);
    assert!(code == 0 && page.contains(".TH orchestrate") && !page.contains("__supervise"));
    assert_eq!(bench.say(&["man", "--dir", "pages"]).0, 0);
    for page in ["orchestrate.1", "orchestrate-run.1", "orchestrate-audit.1"] {
        assert!(
            bench.dir.path().join("pages").join(page).is_file(),
            "{page}"
        );
    }
    let (_, lines, _) = bench.json(&["completions", "bash"]);
    assert_eq!(lines[0]["type"], "completions");
    let (_, lines, _) = bench.json(&["schema"]);
    assert_eq!(lines[0]["type"], "schema");
}
