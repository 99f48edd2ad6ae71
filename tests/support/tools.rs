//! Programs for Node that tests drive. `tests/tools/package.json` names them with their exact versions, `tests/run`
//! installs them into `target/tools`. A test that needs one fails when it is not there: it never passes unseen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Where an npm package is, such as `yaml-language-server`.
///
/// # Panics
///
/// If `tests/tools/package.json` does not list it, or another version than that is installed, or none.
#[track_caller]
pub(crate) fn node_module(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wanted = json(&root.join("tests/tools/package.json"));
    let wanted = wanted
        .as_ref()
        .and_then(|list| list["dependencies"][name].as_str())
        .unwrap_or_else(|| panic!("tests/tools/package.json does not list {name}"));
    let folder = root.join("target/tools/node_modules").join(name);
    let there = json(&folder.join("package.json"));
    let there = there.as_ref().and_then(|own| own["version"].as_str());
    assert!(
        there == Some(wanted),
        "this test needs {name} {wanted} in {}, where {}. Run `tests/run` once: it installs what \
         tests/tools/package.json lists",
        folder.display(),
        there.map_or_else(|| "there is none".to_owned(), |there| format!("{there} is")),
    );
    folder
}

/// `node` with the script of a package, such as `bin/yaml-language-server`, as its first argument.
///
/// # Panics
///
/// As [`node_module`] does.
#[track_caller]
pub(crate) fn node(module: &str, script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(node_module(module).join(script));
    command
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
