//! The pages that `explain` shows: each says the same four things, its examples are YAML, and nothing names a code that
//! does not exist.

use std::fs;
use std::path::{Path, PathBuf};

use orchestrate::base::diagnostic::Code;
use orchestrate::base::diagnostic::codes::REGISTRY;
use orchestrate::show::page::sections;

const SECTIONS: [&str; 4] = ["What", "Why it hurts in a window", "How to mend", "Example"];

/// The YAML blocks of a page's text.
fn blocks(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line) {
            (None, "```yaml") => open = Some(String::new()),
            (Some(_), "```") => all.extend(open.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    all
}

#[test]
fn every_page_says_the_same_four_things() {
    for info in REGISTRY {
        let found = sections(info.page);
        let titles: Vec<_> = found.iter().map(|(title, _)| *title).collect();
        assert_eq!(titles, SECTIONS, "{}", info.code);
        for (title, text) in found {
            assert!(
                text.split_whitespace().count() >= 3,
                "{}: {title} says little",
                info.code
            );
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/base/diagnostic/pages");
        assert!(folder.join(format!("{}.md", info.code)).is_file());
    }
}

#[test]
fn every_example_is_yaml_with_its_mending() {
    for info in REGISTRY {
        let blocks = blocks(info.page);
        assert!(
            blocks.len() >= 2,
            "{}: the mistake and the mended one",
            info.code
        );
        // The mistakes of the first family are that the text is no YAML, or YAML that other readers take.
        let syntax = info.code.as_str().starts_with("OR00");
        for block in blocks.iter().skip(usize::from(syntax)) {
            let parsed = serde_yaml::from_str::<serde_yaml::Value>(block);
            assert!(parsed.is_ok(), "{}: {parsed:?}\n{block}", info.code);
        }
    }
}

/// Every word of the shape OR0000 in a text.
fn codes(text: &str) -> Vec<&str> {
    text.match_indices("OR")
        .filter_map(|(at, _)| text.get(at..at + 6))
        .filter(|word| word[2..].bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("its entries are readable").path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

#[test]
fn nothing_names_a_code_that_does_not_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vec![root.join("README.md")];
    files(&root.join("src"), &mut all);
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in all {
        // Tests make codes up; a file of tests has no other text.
        if path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs") {
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            for code in codes(line) {
                seen += 1;
                if Code::find(code).is_none() {
                    wrong.push(format!("{}: {code}", path.display()));
                }
            }
        }
    }
    assert!(seen > REGISTRY.len(), "only {seen} codes were seen");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
