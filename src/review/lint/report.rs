//! Many findings of one kind in one file: the first few and a count.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Linted;
use super::collect::{Content, Text};
use crate::base::diagnostic::Finding;

/// As many places of one kind in one file are shown.
const SHOWN: usize = 3;

/// A finding before it is known how many of its kind there are.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) finding: Finding,
    /// What counts as one kind, such as `SC2086`.
    pub(super) kind: String,
}

/// The place of a text's findings needs its source, if that is a file.
pub(super) fn source(linted: &mut Linted, text: &Text) {
    if let Content::File { text: file, .. } = &text.content
        && !linted.sources.iter().any(|known| Arc::ptr_eq(known, file))
    {
        linted.sources.push(Arc::clone(file));
    }
}

/// Keeps the first places of each kind in each file; the last of them tells how many more.
pub(super) fn first_of_each(raw: Vec<Raw>) -> Vec<Finding> {
    let mut kinds: BTreeMap<(Arc<str>, String), Vec<Finding>> = BTreeMap::new();
    for Raw { finding, kind } in raw {
        let key = (Arc::clone(&finding.primary.file), kind);
        kinds.entry(key).or_default().push(finding);
    }
    let mut kept = Vec::new();
    for ((_, kind), mut found) in kinds {
        found.sort_by_key(|finding| (finding.primary.line, finding.primary.column));
        let more = found.len().saturating_sub(SHOWN);
        found.truncate(SHOWN);
        if more > 0
            && let Some(last) = found.last_mut()
        {
            let places = if more == 1 { "place" } else { "places" };
            let help = last.help.take().unwrap_or_default();
            last.help = Some(format!(
                "{help}; {kind} is at {more} more {places} of this file"
            ));
        }
        kept.extend(found);
    }
    kept
}

/// What the help says when the same text runs elsewhere too.
pub(super) fn elsewhere(text: &Text) -> String {
    match text.more {
        0 => String::new(),
        1 => "; the same text runs in 1 more place".to_owned(),
        more => format!("; the same text runs in {more} more places"),
    }
}
