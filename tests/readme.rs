//! What the READMEs tell people to type exists, and the first commands do what is said of them.

use std::fs;
use std::path::Path;

use crate::support::cli::Cli;
use crate::support::plans::PlanCopy;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of indented blocks that begin with these words.
fn commands<'a>(text: &'a str, words: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .filter_map(move |line| line.strip_prefix("    ")?.strip_prefix(words))
}

#[test]
fn the_first_commands_work_as_written() {
    let root = tempfile::tempdir().expect("failed to create a folder");
    fs::create_dir(root.path().join("plans")).expect("failed to create a folder");
    let plan = PlanCopy::of("quickstart");
    let there = root.path().join("plans/quickstart");
    fs::rename(plan.folder(), &there).expect("failed to move the plan");
    let cli = Cli::new(root.path());
    let readme = read("README.md");
    let mut codes = Vec::new();
    for line in commands(&readme, "cargo run --release -- ") {
        codes.push(cli.paste(&format!("orchestrate {line}")).code);
    }
    assert_eq!(codes, [0, 4]);
    // So that the copy's own clean-up finds what it looks for.
    fs::rename(&there, plan.folder()).expect("failed to move the plan back");
}

#[test]
fn every_command_that_is_named_exists_with_its_options() {
    let folder = tempfile::tempdir().expect("failed to create a folder");
    let cli = Cli::new(folder.path());
    let mut seen = 0;
    for file in [
        "README.md",
        "plans/discount-code/README.md",
        "plans/manifest-upgrade/README.md",
    ] {
        let text = read(file);
        for line in commands(&text, "orchestrate ") {
            let typed = line.split(" #").next().unwrap_or_default();
            let typed = typed.split(" > ").next().unwrap_or_default();
            let mut words = typed.split_whitespace();
            let verb = words.next().unwrap_or_default();
            let help = match verb {
                "manifest" => cli.run(&[verb, words.next().unwrap_or_default(), "--help"]),
                _ => cli.run(&[verb, "--help"]),
            };
            let help = help.with_code(0);
            for word in typed.split_whitespace() {
                assert!(
                    !word.starts_with("--") || help.stdout.contains(word),
                    "{file}: {line}: {verb} has no {word}"
                );
            }
            seen += 1;
        }
    }
    assert!(seen > 15, "only {seen} commands were found");
}

#[test]
fn the_plan_at_a_glance_is_one() {
    let readme = read("README.md");
    let yaml = readme
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("the README shows a plan");
    // Its files are those of the discount-code plan.
    let plan = PlanCopy::of("discount-code");
    let name = "at-a-glance.yaml";
    fs::write(plan.folder().join(name), yaml).expect("failed to write the plan");
    Cli::new(plan.folder())
        .run(&["validate", name])
        .with_code(0);
}
