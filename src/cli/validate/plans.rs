//! Which plans were named: paths as they are, patterns filled in.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};

use super::super::Failure;

/// A pattern does not look into hidden folders: runs keep copies of their plans in `.orchestrate`.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Every plan that was named, once, in the order of the arguments.
///
/// An argument that exists is a path, whatever its letters. What only looks like a pattern and matches no file is wrong
/// usage: a check that looked at nothing must not pass.
pub(super) fn named(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut plans = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |plan: PathBuf| {
        let id = plan.canonicalize().unwrap_or_else(|_| plan.clone());
        if seen.insert(id) {
            plans.push(plan);
        }
    };
    for argument in arguments {
        match pattern(argument) {
            None => add(argument.clone()),
            Some(pattern) => matches(pattern)?.into_iter().for_each(&mut add),
        }
    }
    Ok(plans)
}

/// The argument as a pattern, if it is one.
fn pattern(argument: &Path) -> Option<&str> {
    let text = argument.to_str()?;
    (text.contains(['*', '?', '[']) && argument.symlink_metadata().is_err()).then_some(text)
}

/// The files that a pattern matches, in the order of their names.
fn matches(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let found = glob_with(pattern, OPTIONS).map_err(|error| {
        Failure::usage(format!("`{pattern}` is no pattern: {error}"))
            .next("use * within a name, ** for folders of any depth, ? for one character, [ab] for one of several")
    })?;
    let mut files = Vec::new();
    for path in found {
        let path = path.map_err(|error| {
            Failure::io(format!(
                "{} cannot be searched: {}",
                error.path().display(),
                error.error()
            ))
            .means("plans below it were not reviewed")
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Failure::usage(format!("`{pattern}` matches no file"))
            .means("no plan was reviewed")
            .next("check the pattern and the folder that it is typed in; hidden folders are not searched"));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn patterns_are_filled_in_and_paths_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in [
            "a/plan.yaml",
            "a/b/plan.yaml",
            ".orchestrate/runs/1/plan.yaml",
            "[x].yaml",
        ] {
            fs::create_dir_all(at(name).parent().expect("a folder")).expect("a folder");
            fs::write(at(name), "").expect("a file");
        }
        let names = |arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(|name| at(name)).collect();
            named(&arguments).map(|plans| {
                let relative = |plan: &PathBuf| {
                    let below = plan.strip_prefix(folder.path()).expect("below");
                    below.to_string_lossy().into_owned()
                };
                plans.iter().map(relative).collect::<Vec<_>>()
            })
        };
        let found = |arguments: &[&str]| names(arguments).expect("plans");
        assert_eq!(found(&["**/plan.yaml"]), ["a/b/plan.yaml", "a/plan.yaml"]);
        assert_eq!(
            found(&["a/plan.yaml", "*/*.yaml", "a/../a/plan.yaml"]),
            ["a/plan.yaml"]
        );
        assert_eq!(found(&["[x].yaml"]), ["[x].yaml"]);
        assert_eq!(found(&["missing.yaml", "a"]), ["missing.yaml", "a"]);
        for nothing in ["*.yml", "a*", "**/none.yaml"] {
            assert_eq!(
                names(&[nothing]).expect_err("nothing").exit_code,
                2,
                "{nothing}"
            );
        }
        assert_eq!(names(&["***"]).expect_err("no pattern").exit_code, 2);
    }
}
