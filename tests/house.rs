//! The direction of imports: every wing and room knows only those before it.

use std::fs;
use std::path::{Path, PathBuf};

/// The wings in the order in which a plan meets them.
const WINGS: [&str; 7] = ["base", "manifest", "plan", "run", "review", "show", "cli"];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source folder is readable") {
        let path = entry.expect("its entries are readable").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Every `crate::a::b` that a file names, with its line, comments apart.
fn names(text: &str) -> Vec<(usize, String, Option<String>)> {
    let mut all = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        for part in line.split("crate::").skip(1) {
            let mut words = part.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let mut path = words.next().unwrap_or_default().split("::");
            let first = path.next().unwrap_or_default().to_owned();
            let second = path.next().filter(|s| !s.is_empty()).map(str::to_owned);
            all.push((i + 1, first, second));
        }
    }
    all
}

#[test]
fn imports_go_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files {
        let relative = file
            .strip_prefix(&root)
            .expect("below src")
            .to_string_lossy()
            .into_owned();
        let mut parts = relative.split('/');
        let wing = parts.next().unwrap_or_default();
        let room = parts.next().unwrap_or_default().trim_end_matches(".rs");
        let Some(place) = WINGS.iter().position(|w| *w == wing) else {
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source is readable");
        for (line, first, second) in names(&text) {
            seen += 1;
            let Some(target) = WINGS.iter().position(|w| *w == first) else {
                continue;
            };
            let inner = second.as_deref().unwrap_or_default();
            let forbidden = target > place
                || (wing == "run" && room == "engine" && first == "run" && inner != "engine")
                || (wing == "review" && first == "run" && inner != "engine")
                || (wing == "show" && first == "review")
                || (wing == "run"
                    && ["journal", "supervise"].contains(&room)
                    && first == "run"
                    && {
                        // The record holds the engine's events; nobody else's.
                        inner != room && inner != "engine"
                    });
            if forbidden {
                wrong.push(format!(
                    "src/{relative}:{line} names crate::{first}::{inner}"
                ));
            }
        }
    }
    assert!(
        seen > 100,
        "the scan found only {seen} names: it no longer sees the sources"
    );
    assert!(
        wrong.is_empty(),
        "imports against the direction of the house:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_engine_is_pure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/run/engine");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("a source is readable");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        if file
            .components()
            .any(|c| c.as_os_str() == "tests" || c.as_os_str() == "tests.rs")
        {
            continue;
        }
        for word in [
            "std::fs",
            "std::process",
            "std::env",
            "std::net",
            "tokio",
            "Timestamp::now",
            "Instant::now",
            "SystemTime",
        ] {
            assert!(!text.contains(word), "{} uses {word}", file.display());
        }
    }
}
