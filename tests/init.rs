//! `init`: every template validates as it is written, and those that need nothing but a shell run and come back.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::cli::{BINARY, Cli};
use crate::support::postgres::Postgres;

const TEMPLATES: [&str; 5] = ["minimal", "database", "deployment", "manifest", "full"];

/// Codes of warnings that a template cannot avoid: the full one shows catalogues, which no step of this version can apply.
const UNAVOIDABLE: [&str; 1] = ["OR0906"];

fn init(folder: &Path, template: &str) -> Cli {
    let cli = Cli::new(folder);
    cli.run(&["init", "--template", template, "--owner", "Ada \"L\""])
        .with_code(0);
    cli
}

#[test]
fn every_template_validates_without_a_warning() {
    for template in TEMPLATES {
        let dir = tempfile::tempdir().unwrap();
        let cli = init(dir.path(), template);
        let checked = cli
            .run(&["validate", "migration-strategy.yaml", "--output", "json"])
            .with_code(0);
        let objections: Vec<_> = checked
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|line| line["type"] == "finding" && line["level"] != "note")
            .filter(|line| !UNAVOIDABLE.contains(&line["code"].as_str().unwrap()))
            .collect();
        assert!(objections.is_empty(), "{template}: {objections:#?}");
        let plan = fs::read_to_string(dir.path().join("migration-strategy.yaml")).unwrap();
        for place in ["@name@", "@owner@", "@date@"] {
            assert!(!plan.contains(place), "{template} keeps {place}");
        }
        let schema = plan
            .lines()
            .next()
            .unwrap()
            .split_once("$schema=")
            .unwrap()
            .1;
        let schema = fs::read_to_string(dir.path().join(schema)).unwrap();
        assert_eq!(schema, orchestrate::plan::schema::schema_text());
        assert!(plan.contains("\"Ada \\\"L\\\"\""), "{template}");
        for place in ["@name@", "@owner@", "@date@"] {
            assert!(!plan.contains(place), "{template} keeps {place}");
        }
    }
}

#[test]
fn scripts_can_be_run() {
    for template in TEMPLATES {
        let dir = tempfile::tempdir().unwrap();
        init(dir.path(), template);
        let Ok(scripts) = fs::read_dir(dir.path().join("scripts")) else {
            assert_eq!(template, "minimal");
            continue;
        };
        for script in scripts {
            let mode = script.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755);
        }
    }
}

/// What is in the folder, state and locks apart.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    fn walk(folder: &Path, root: &Path, into: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() == ".orchestrate" {
            } else if path.is_dir() {
                walk(&path, root, into);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                into.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    let mut all = Vec::new();
    walk(folder, folder, &mut all);
    all.sort();
    all
}

#[test]
fn templates_run_and_come_back() {
    for template in ["minimal", "deployment", "manifest", "full"] {
        let dir = tempfile::tempdir().unwrap();
        let cli = init(dir.path(), template);
        let before = files(dir.path());
        let run = ["run", "migration-strategy.yaml", "--env", "practice"];
        cli.run(&[&run[..], &["--dry-run"]].concat()).with_code(0);
        assert_eq!(
            before,
            files(dir.path()),
            "{template}: a dry run changes nothing"
        );
        if template == "full" {
            cli.run(&run).with_code(6);
            cli.run(&["approve", "latest", "GATE-2", "--as", "Ada \"L\""])
                .with_code(0);
            cli.run(&["resume"]).with_code(0);
        } else {
            cli.run(&run).with_code(0);
        }
        assert_ne!(before, files(dir.path()), "{template}: it does something");
        cli.run(&["rollback", "latest", "--level", "full", "--yes"])
            .with_code(4);
        assert_eq!(before, files(dir.path()), "{template}: everything is back");
    }
}

#[test]
fn the_database_template_runs_and_comes_back() {
    let database = Postgres::shared().create_database();
    database.psql("CREATE TABLE orders (id integer PRIMARY KEY); INSERT INTO orders VALUES (1)");
    let before = database.dump();
    let dir = tempfile::tempdir().unwrap();
    let cli = init(dir.path(), "database").env("DATABASE_URL", &database.url());
    cli.run(&["run", "migration-strategy.yaml", "--env", "staging"])
        .with_code(0);
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders'";
    assert_eq!(database.psql(columns).trim(), "3");
    cli.run(&["rollback", "latest", "--level", "full", "--yes"])
        .with_code(4);
    assert_eq!(before, database.dump());
    assert!(!dir.path().join("backup/orders.dump").exists());
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    let plan = dir.path().join("migration-strategy.yaml");
    fs::write(&plan, "mine").unwrap();
    cli.run(&["init"])
        .with_code(9)
        .says("migration-strategy.yaml");
    assert_eq!(fs::read_to_string(&plan).unwrap(), "mine");
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing is written"
    );

    cli.run(&["init", "--force"]).with_code(0);
    let old = dir.path().join("migration-strategy.yaml.old");
    assert_eq!(fs::read_to_string(&old).unwrap(), "mine");
    cli.run(&["validate", "migration-strategy.yaml"])
        .with_code(0);

    // The same again: everything is there, so nothing is in the way.
    cli.run(&["init"]).with_code(0);
    cli.run(&["init", "--template", "full"]).with_code(9);
    cli.run(&["init", "--name", " "]).with_code(2);
}

#[test]
fn a_plan_may_have_a_name_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    let made = cli
        .run(&[
            "init",
            "plans/shop.yaml",
            "--template",
            "deployment",
            "--output",
            "json",
        ])
        .with_code(0);
    let first: serde_json::Value =
        serde_json::from_str(made.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["plan"], "plans/shop.yaml");
    assert!(first["written"].as_array().unwrap().len() > 8);
    let next = first["next"][0].as_str().unwrap();
    cli.paste(next).with_code(0);
}

#[test]
fn codes_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    let page = cli
        .run(&["explain", "or0301", "OR0405"])
        .with_code(0)
        .stdout;
    assert!(page.contains("OR0301: ") && page.contains("OR0405: "));
    assert!(page.lines().all(|line| line.chars().count() <= 100));
    let list = cli.run(&["explain", "--list"]).with_code(0).stdout;
    assert_eq!(
        list.lines().count(),
        orchestrate::base::diagnostic::codes::REGISTRY.len()
    );
    cli.run(&["explain", "OR9999"]).with_code(2).says("--list");
    cli.run(&["explain"]).with_code(2);
    let json = cli
        .run(&["explain", "OR0301", "--output", "json"])
        .with_code(0)
        .stdout;
    assert!(
        json.lines()
            .next()
            .unwrap()
            .contains("\"type\":\"explanation\"")
    );
}

/// Types at a pseudo-terminal of so many columns, and returns what it showed and the exit code.
fn typed(folder: &Path, columns: u8, keys: &str) -> (String, Option<i32>) {
    let command = format!("stty cols {columns} rows 40; exec {BINARY} init shop");
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(folder)
        .env("SHELL", "/bin/bash")
        .env_remove("ORCHESTRATE_NO_INPUT")
        .env_remove("ORCHESTRATE_OUTPUT")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = terminal.stdin.take().unwrap();
    keyboard.write_all(keys.as_bytes()).unwrap();
    drop(keyboard);
    let ended = terminal.wait_with_output().unwrap();
    let shown = String::from_utf8(ended.stdout).unwrap();
    (shown.replace('\r', ""), ended.status.code())
}

#[test]
fn questions_are_answered_at_a_terminal() {
    for columns in [40, 80] {
        let dir = tempfile::tempdir().unwrap();
        let keys = "no such\nDeployment\nit's \"a: b\" # ✓\n\n";
        let (shown, code) = typed(dir.path(), columns, keys);
        assert_eq!(code, Some(0), "{shown}");
        for said in [
            "Which plan to begin with:",
            "There is no template \"no such\".",
            "The migration's name [shop]:",
            "Who answers for its steps [",
            "wrote     shop/migration-strategy.yaml",
        ] {
            assert!(shown.contains(said), "{said}: {shown}");
        }
        let about = shown.split("Template [minimal]:").next().unwrap();
        let explained = about.split("Which plan").nth(1).unwrap();
        for line in explained.lines() {
            assert!(line.chars().count() <= usize::from(columns), "{line}");
        }
        let plan = fs::read_to_string(dir.path().join("shop/migration-strategy.yaml")).unwrap();
        assert!(plan.contains(r#""it's \"a: b\" # ✓""#), "{plan}");
        // What it says to type next works, all of it.
        let cli = Cli::new(dir.path());
        let next: Vec<&str> = shown
            .lines()
            .filter_map(|line| line.strip_prefix("  orchestrate "))
            .collect();
        assert_eq!(next.len(), 4, "{shown}");
        for command in next {
            let yes = if command.starts_with("run") {
                " --yes"
            } else {
                ""
            };
            let ended = cli.paste(&format!("orchestrate {command}{yes}"));
            ended.with_code(0);
        }
    }
}

#[test]
fn an_interrupted_question_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    // Ctrl-D at the second question; Ctrl-C is the signal that ends any program that asks.
    let (shown, code) = typed(dir.path(), 80, "database\n\u{4}");
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
    let (shown, code) = typed(dir.path(), 80, "database\n\u{3}");
    assert_ne!(code, Some(0), "{shown}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
