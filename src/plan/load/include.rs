//! `includes`: other files whose sections become part of the plan.
//!
//! Lists append, mappings merge key by key, and two different values for one thing are an error.
//! `with` gives values to variables. Spans keep pointing into the file that says the value.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{folder_of, read};
use crate::base::diagnostic::{Finding, codes};
use crate::plan::source::{Arena, Entry, Kind, Node, NodeId, join, parse};

/// Merges what the document includes, and what that includes in turn.
pub(super) fn merge(
    arena: &mut Arena,
    path: &Path,
    files: &mut Vec<PathBuf>,
    findings: &mut Vec<Finding>,
) {
    let root = arena.root();
    let mut chain = vec![identity(path)];
    merge_into(arena, root, root, path, &mut chain, files, findings);
}

fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

struct Wanted {
    file: Box<str>,
    with: Option<NodeId>,
    at: NodeId,
}

/// What a document's `includes` asks for. Wrong shapes are left to the shape check.
fn wanted(arena: &Arena, document: NodeId) -> Vec<Wanted> {
    let Some(list) = arena.get(document, "includes") else {
        return Vec::new();
    };
    let Kind::List(items) = &arena.node(list.value).kind else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| {
            let file = arena.get(*item, "file")?;
            let Kind::Text(name) = &arena.node(file.value).kind else {
                return None;
            };
            Some(Wanted {
                file: name.clone(),
                with: arena.get(*item, "with").map(|entry| entry.value),
                at: file.value,
            })
        })
        .collect()
}

fn merge_into(
    arena: &mut Arena,
    root: NodeId,
    document: NodeId,
    path: &Path,
    chain: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
    findings: &mut Vec<Finding>,
) {
    for want in wanted(arena, document) {
        let place = arena.location(arena.node(want.at).span, "/includes");
        let file = folder_of(path).join(&*want.file);
        let id = identity(&file);
        if chain.contains(&id) {
            findings.push(
                Finding::new(
                    codes::INCLUDE_CYCLE,
                    place,
                    format!("`{}` is being included already", want.file),
                )
                .help("remove one of the includes"),
            );
            continue;
        }
        if files.iter().any(|known| identity(known) == id) {
            findings.push(
                Finding::new(
                    codes::INCLUDE_CONFLICT,
                    place,
                    format!("`{}` is included twice", want.file),
                )
                .help("include it once: its ids would be there twice"),
            );
            continue;
        }
        let text = match read(&file, &file.display().to_string()) {
            Ok(text) => text,
            Err(mut finding) => {
                finding.primary = place;
                findings.push(*finding);
                continue;
            }
        };
        files.push(file.clone());
        let (included, found) = parse(&text);
        findings.extend(found);
        let Some(included) = included else {
            // Its text is needed to show where parsing stopped.
            arena.add_source(text);
            continue;
        };
        let other = arena.absorb(included);
        chain.push(id);
        merge_into(arena, root, other, &file, chain, files, findings);
        chain.pop();
        combine(arena, root, other, "", findings);
        if let Some(with) = want.with {
            give(arena, root, with, findings);
        }
    }
}

/// Adds the included mapping's entries to the plan's.
fn combine(
    arena: &mut Arena,
    into: NodeId,
    from: NodeId,
    pointer: &str,
    findings: &mut Vec<Finding>,
) {
    let entries = match &arena.node(from).kind {
        Kind::Map(entries) => entries.clone(),
        _ => {
            findings.push(Finding::new(
                codes::NOT_A_MAPPING,
                arena.location(arena.node(from).span, pointer),
                "an included file is a mapping of sections",
            ));
            return;
        }
    };
    for entry in entries {
        // What a file includes is merged already; its own list of includes is not the plan's.
        if pointer.is_empty() && &*entry.key == "includes" {
            continue;
        }
        let below = join(pointer, &entry.key);
        let Some(own) = arena.get(into, &entry.key).map(|own| own.value) else {
            if let Kind::Map(have) = &mut arena.node_mut(into).kind {
                have.retain(|old| old.key != entry.key);
                have.push(entry);
            }
            continue;
        };
        match (&arena.node(own).kind, &arena.node(entry.value).kind) {
            (_, Kind::Null) => {}
            (Kind::Map(_), Kind::Map(_)) => combine(arena, own, entry.value, &below, findings),
            (Kind::List(_), Kind::List(more)) => {
                let more = more.clone();
                if let Kind::List(items) = &mut arena.node_mut(own).kind {
                    items.extend(more);
                }
            }
            (a, b) if a == b => {}
            _ => {
                let finding = Finding::new(
                    codes::INCLUDE_CONFLICT,
                    arena.location(entry.key_span, &below),
                    format!("the included file gives another value for `{}`", entry.key),
                )
                .label(
                    arena.location(arena.node(own).span, &below),
                    "the plan says this",
                )
                .help("say it in one place");
                findings.push(finding);
            }
        }
    }
}

/// Gives the values of `with` to the plan's variables, as their defaults.
fn give(arena: &mut Arena, root: NodeId, with: NodeId, findings: &mut Vec<Finding>) {
    let Kind::Map(values) = &arena.node(with).kind else {
        return;
    };
    let values = values.clone();
    let variables = child(arena, root, "variables", with);
    let mut done = HashSet::new();
    for value in values {
        if !done.insert(value.key.clone()) {
            continue;
        }
        let variable = child(arena, variables, &value.key, value.value);
        let clash = arena
            .get(variable, "default")
            .map(|entry| entry.value)
            .filter(|old| {
                // A default in the included file is there to be replaced; one that another
                // `with` or the plan itself gave is not.
                arena.node(*old).span.file == 0
                    && arena.node(*old).kind != arena.node(value.value).kind
            });
        if let Some(old) = clash {
            let finding = Finding::new(
                codes::INCLUDE_CONFLICT,
                arena.location(value.key_span, "/includes"),
                format!("the variable `{}` gets two different values", value.key),
            )
            .label(arena.location(arena.node(old).span, ""), "the other value")
            .help("a variable has one value in a run: rename one of them");
            findings.push(finding);
            continue;
        }
        if let Kind::Map(entries) = &mut arena.node_mut(variable).kind {
            entries.retain(|entry| &*entry.key != "default");
            entries.push(Entry {
                key: "default".into(),
                key_span: value.key_span,
                value: value.value,
            });
        }
    }
}

/// The mapping below a key, made where it is missing.
fn child(arena: &mut Arena, of: NodeId, key: &str, like: NodeId) -> NodeId {
    if let Some(entry) = arena.get(of, key) {
        return entry.value;
    }
    let span = arena.node(like).span;
    let made = arena.push(Node {
        kind: Kind::Map(Vec::new()),
        span,
    });
    if let Kind::Map(entries) = &mut arena.node_mut(of).kind {
        entries.retain(|entry| &*entry.key != key);
        entries.push(Entry {
            key: key.into(),
            key_span: span,
            value: made,
        });
    }
    made
}
