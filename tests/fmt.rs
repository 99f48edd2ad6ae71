//! `fmt`: what it writes, what it leaves alone, and how it ends.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::cli::Cli;

const PLAIN: &str = "migration_overview: {name: m}\nmetadata:\n    version: '1' # why\n";
const FORMATTED: &str = "metadata:\n  version: '1' # why\n\nmigration_overview: {name: m}\n";

#[test]
fn a_file_is_formatted_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    let plan = dir.path().join("plan.yaml");
    fs::write(&plan, PLAIN).unwrap();
    fs::set_permissions(&plan, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("plan.yaml", dir.path().join("link.yaml")).unwrap();

    cli.run(&["fmt", "--check", "plan.yaml"])
        .with_code(8)
        .says("would be formatted");
    let diff = cli.run(&["fmt", "--diff", "plan.yaml"]).with_code(0);
    assert!(
        diff.stdout.contains("-    version: '1' # why\n"),
        "{}",
        diff.stdout
    );
    assert_eq!(
        fs::read_to_string(&plan).unwrap(),
        PLAIN,
        "nothing is written"
    );

    cli.run(&["fmt", "link.yaml"])
        .with_code(0)
        .says("formatted");
    assert_eq!(fs::read_to_string(&plan).unwrap(), FORMATTED);
    assert_eq!(plan.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(
        fs::symlink_metadata(dir.path().join("link.yaml"))
            .unwrap()
            .is_symlink()
    );
    cli.run(&["fmt", "--check", "plan.yaml"]).with_code(0);
}

#[test]
fn a_file_that_is_no_yaml_is_left_alone_and_the_others_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    fs::write(dir.path().join("bad.yaml"), "a: [\n").unwrap();
    fs::write(dir.path().join("good.yaml"), PLAIN).unwrap();
    cli.run(&["fmt", "bad.yaml", "good.yaml"])
        .with_code(3)
        .says("OR0006");
    assert_eq!(
        fs::read_to_string(dir.path().join("bad.yaml")).unwrap(),
        "a: [\n"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("good.yaml")).unwrap(),
        FORMATTED
    );
    cli.run(&["fmt", "missing.yaml", "good.yaml"])
        .with_code(1)
        .says("missing.yaml");
    cli.run(&["fmt"]).with_code(2);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    fs::write(dir.path().join("plan.yaml"), PLAIN).unwrap();
    let piped = cli.paste("orchestrate fmt - < plan.yaml").with_code(0);
    assert_eq!(piped.stdout, FORMATTED);
    cli.paste("orchestrate fmt --check - < plan.yaml")
        .with_code(8);
    let json = cli
        .paste("orchestrate fmt --output json - < plan.yaml")
        .with_code(0)
        .stdout;
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first["text"], FORMATTED);
}

#[test]
fn what_init_writes_is_formatted() {
    for template in ["minimal", "database", "deployment", "manifest", "full"] {
        let dir = tempfile::tempdir().unwrap();
        let cli = Cli::new(dir.path());
        cli.run(&["init", "--template", template]).with_code(0);
        cli.run(&["fmt", "--check", "migration-strategy.yaml"])
            .with_code(0);
    }
}

#[test]
fn shipped_plans_are_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut plans = Vec::new();
    for folder in ["plans", "examples"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let plan = entry.unwrap().path().join("migration-strategy.yaml");
            if plan.is_file() {
                plans.push(plan.display().to_string());
            }
        }
    }
    assert!(plans.len() >= 3, "{plans:?}");
    let arguments = ["fmt", "--check"].into_iter();
    let typed: Vec<&str> = arguments.chain(plans.iter().map(String::as_str)).collect();
    Cli::new(root).run(&typed).with_code(0);
}

#[test]
fn what_is_not_laid_out_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    for (text, said) in [("? a\n: b\nc:   d\n", true), ("a: b\n", false)] {
        fs::write(dir.path().join("f.yaml"), text).unwrap();
        let ended = cli.run(&["fmt", "f.yaml"]).with_code(0);
        assert_eq!(
            ended.stderr.contains("left as it is: f.yaml"),
            said,
            "{text}"
        );
        assert_eq!(fs::read_to_string(dir.path().join("f.yaml")).unwrap(), text);
    }
}
