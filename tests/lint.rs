//! Linters: what they are given, what becomes of their answers, and that nothing they look at runs.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use orchestrate::base::config::Config;
use orchestrate::base::diagnostic::{Finding, Level};
use orchestrate::cli::validate::{Validated, check_with};
use orchestrate::review::Surroundings;
use orchestrate::review::lint::{Answer, Call, Programs, Tools, Trouble};

/// A plan in a folder of its own.
struct Plan {
    folder: tempfile::TempDir,
}

impl Plan {
    /// With a step of these commands, each written as YAML.
    fn with_commands(commands: &[&str]) -> Self {
        let commands: String = commands
            .iter()
            .map(|command| format!("            - {command}\n"))
            .collect();
        Self::with_details(&format!("          commands:\n{commands}"))
    }

    fn with_details(details: &str) -> Self {
        let text = format!(
            "metadata: {{version: \"1\", migration_name: lint}}\n\
             migration_overview: {{name: lint}}\n\
             migration_phases:\n\
             \x20 - phase_id: P1\n\
             \x20   name: first\n\
             \x20   order: 1\n\
             \x20   steps:\n\
             \x20     - step_id: S1\n\
             \x20       name: one\n\
             \x20       order: 1\n\
             \x20       type: configuration\n\
             \x20       execution_details:\n{details}"
        );
        let plan = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        plan.write("plan.yaml", text.as_bytes(), 0o644);
        plan
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    fn check(&self, tools: &dyn Tools) -> Validated {
        let surroundings = Surroundings {
            now: "2026-06-01T12:00:00Z".parse().expect("a time"),
            config: &Config::default(),
        };
        check_with(&self.path("plan.yaml"), surroundings, Some(tools))
    }

    /// What is in the folder, by name.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

fn programs() -> Programs {
    Programs::new(std::env::var_os("PATH"), std::env::var_os("HOME"))
}

fn linted(validated: &Validated) -> Vec<&Finding> {
    validated
        .findings
        .iter()
        .filter(|finding| finding.code.as_str().starts_with("OR12"))
        .collect()
}

fn said(validated: &Validated) -> Vec<String> {
    validated.skipped.iter().map(ToString::to_string).collect()
}

/// Answers every call in the same way.
struct Fake<F>(F, Mutex<Vec<Vec<OsString>>>);

impl<F: Fn(&Call<'_>) -> Result<Answer, Trouble> + Sync> Tools for Fake<F> {
    fn run(&self, call: &Call<'_>) -> Result<Answer, Trouble> {
        let mut words = vec![OsString::from(call.program)];
        words.extend(call.arguments.iter().cloned());
        self.1.lock().expect("no panic").push(words);
        (self.0)(call)
    }
}

fn fake<F: Fn(&Call<'_>) -> Result<Answer, Trouble> + Sync>(answer: F) -> Fake<F> {
    Fake(answer, Mutex::new(Vec::new()))
}

#[test]
fn nothing_that_is_looked_at_runs() {
    let plan = Plan::with_commands(&[
        "'touch ran-1; $(touch ran-2); `touch ran-3`; : ${x:=$(touch ran-4)}'",
        "|\n              cat <<END\n              $(touch ran-5)\n              END",
        "{run: \"open('ran-6', 'w')\", shell: python}",
        "{run: 'touch ran-7; `touch ran-8`', shell: sh}",
        "{run: 'touch ran-9', shell: [bash, -ec]}",
    ]);
    let validated = plan.check(&programs());
    assert_eq!(said(&validated), Vec::<String>::new());
    assert_eq!(
        plan.names(),
        ["plan.yaml"],
        "nothing ran, nothing was written"
    );
}

#[test]
fn a_start_up_file_of_the_caller_does_not_run() {
    let plan = Plan::with_commands(&["'true'"]);
    plan.write("startup.sh", b"touch ran\n", 0o644);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_orchestrate"))
        .args(["validate", "plan.yaml"])
        .current_dir(plan.folder.path())
        .env("BASH_ENV", "./startup.sh")
        .env("ENV", "./startup.sh")
        .env("SHELLOPTS", "xtrace")
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(plan.names(), ["plan.yaml", "startup.sh"]);
}

#[test]
fn a_linter_that_is_not_there_is_said_in_one_line() {
    let plan = Plan::with_commands(&[
        "echo $HOME",
        "echo one",
        "echo one",
        "{run: 'x', shell: python}",
    ]);
    let tools = fake(|_| Err(Trouble::NotInstalled));
    let validated = plan.check(&tools);
    assert!(linted(&validated).is_empty());
    assert_eq!(
        said(&validated),
        [
            "bash is not installed: 2 texts were not linted",
            "python3 is not installed: 1 text was not linted",
            "shellcheck is not installed: 2 texts were not linted",
        ]
    );
    let calls = tools.1.lock().expect("no panic").len();
    assert_eq!(calls, 3, "one of each for all texts");
}

#[test]
fn a_linter_that_fails_or_hangs_is_said() {
    let plan = Plan::with_commands(&["echo $HOME"]);
    let tools = fake(|call| match call.program {
        "shellcheck" => Err(Trouble::OutOfTime),
        _ => Err(Trouble::Failed("no memory".to_owned())),
    });
    assert_eq!(
        said(&plan.check(&tools)),
        [
            "bash failed (no memory): 1 text was not linted",
            "shellcheck ran out of time after 10 s: 1 text was not linted",
        ]
    );
    let tools = fake(|_| {
        Ok(Answer {
            code: Some(0),
            stdout: b"no JSON".to_vec(),
            stderr: b"unknown option".to_vec(),
        })
    });
    assert_eq!(
        said(&plan.check(&tools)),
        [
            "bash failed (unknown option): 1 text was not linted",
            "shellcheck failed (unknown option): 1 text was not linted",
        ]
    );
}

#[test]
fn a_program_is_stopped_at_its_deadline() {
    let started = Instant::now();
    let call = Call {
        program: "sleep",
        arguments: vec!["30".into()],
        folder: Path::new("."),
        until: started + Duration::from_millis(200),
    };
    assert_eq!(programs().run(&call).err(), Some(Trouble::OutOfTime));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn odd_scripts_neither_stop_nor_hide_the_review() {
    let plan = Plan::with_details(
        "          automation_script: scripts/latin.sh\n        \
         validation: {validation_script: 'a folder/two words.sh'}\n        \
         rollback_procedure:\n          rollback_script: loop.sh\n      \
         - step_id: S2\n        name: two\n        order: 2\n        type: configuration\n        \
         execution_details: {automation_script: large.sh}\n        \
         rollback_procedure: {rollback_script: pipe.sh}\n      \
         - step_id: S3\n        name: three\n        order: 3\n        type: configuration\n        \
         execution_details: {automation_script: -dash.sh}\n        \
         rollback_procedure: {rollback_script: zero.py}\n",
    );
    plan.write(
        "scripts/latin.sh",
        b"#!/bin/bash\necho caf\xe9 $HOME\n",
        0o755,
    );
    plan.write("a folder/two words.sh", b"if true; then\n", 0o644);
    symlink("loop.sh", plan.path("loop.sh")).expect("a link");
    plan.write(
        "large.sh",
        "echo some line of a long script\n"
            .repeat(170_000)
            .as_bytes(),
        0o644,
    );
    plan.write("-dash.sh", b"for x in a; do\n  echo \"$x\"\n", 0o644);
    plan.write("zero.py", b"x = 1\x00\n", 0o644);
    let made = std::process::Command::new("mkfifo")
        .arg(plan.path("pipe.sh"))
        .status();
    assert!(made.expect("mkfifo is there").success());
    let started = Instant::now();
    let validated = plan.check(&programs());
    assert!(started.elapsed() < Duration::from_secs(20), "it ends");
    assert_eq!(
        said(&validated),
        ["shellcheck takes too long for scripts of more than 128 KiB: 1 text was not linted"]
    );
    let found: Vec<(&str, String)> = linted(&validated)
        .iter()
        .map(|finding| {
            let file = Path::new(&*finding.primary.file);
            let name = file.file_name().expect("a name").to_string_lossy();
            (
                finding.code.as_str(),
                format!("{name}:{}:{}", finding.primary.line, finding.primary.column),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("OR1201", "-dash.sh:2:3".to_owned()),
            ("OR1201", "two words.sh:1:1".to_owned()),
            ("OR1204", "latin.sh:2:11".to_owned()),
            ("OR1202", "zero.py:1:1".to_owned()),
        ]
    );
    let unreadable = validated
        .findings
        .iter()
        .filter(|finding| finding.code.as_str() == "OR0302");
    assert_eq!(
        unreadable.count(),
        2,
        "the loop and the pipe are findings of their own"
    );
}

#[test]
fn a_command_of_an_included_file_is_found_there() {
    let plan = Plan::with_commands(&["'true'"]);
    let text = fs::read_to_string(plan.path("plan.yaml")).expect("the plan");
    plan.write(
        "plan.yaml",
        format!("{text}includes: [{{file: more.yaml, with: {{X: 'it''s'}}}}]\n").as_bytes(),
        0o644,
    );
    plan.write(
        "more.yaml",
        b"rollback_strategy:\n  rollback_levels:\n    - level: full\n      rollback_procedure:\n        steps:\n          - run: >\n              if true;\n              then echo \"$X\"\n",
        0o644,
    );
    let validated = plan.check(&programs());
    let found = linted(&validated);
    let [finding] = found.as_slice() else {
        panic!("{found:#?}");
    };
    assert!(finding.primary.file.ends_with("more.yaml"));
    assert_eq!((finding.code.as_str(), finding.primary.line), ("OR1201", 7));
    assert_eq!(finding.level, Level::Error);
    assert!(validated.sources.get(&finding.primary.file).is_some());
}

#[test]
fn a_thousand_commands_are_linted_in_time() {
    let commands: Vec<String> = (0..1_000)
        .map(|n| format!("'cp a{n} \"$HOME/b{n}\"'"))
        .collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let plan = Plan::with_commands(&commands);
    let started = Instant::now();
    let validated = plan.check(&programs());
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(linted(&validated).is_empty());
}
