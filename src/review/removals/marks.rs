//! What is gone, and what was made, by when.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::keys::{By, Key, Keys};

/// Where something is done: which unit and piece, and by which range of the text.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) unit: usize,
    /// Of the forward texts, or of those of the way back.
    pub(super) forward: bool,
    pub(super) piece: usize,
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Gone {
    pub(super) at: usize,
    pub(super) emptied: bool,
    pub(super) spot: Spot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) at: usize,
    pub(super) unit: usize,
}

/// What was last made, by when.
#[derive(Debug, Default)]
pub(super) struct Made {
    exactly: By<Mark>,
    with_all_below: By<Mark>,
    /// Something below it.
    below: By<Mark>,
}

impl Made {
    pub(super) fn add(&mut self, keys: &Keys, key: Key, with_all: bool, mark: Mark) {
        let by = match with_all {
            true => &mut self.with_all_below,
            false => &mut self.exactly,
        };
        by.set(key, mark);
        for above in keys.above(key).skip(1) {
            self.below.set(above, mark);
        }
    }

    /// When it, or what it is part of, or a part of it, was last made after a moment.
    pub(super) fn last(&self, keys: &Keys, key: Key, since: usize) -> Option<Mark> {
        let whole = keys
            .above(key)
            .filter_map(|above| self.with_all_below.get(above));
        whole
            .chain(self.exactly.get(key))
            .chain(self.below.get(key))
            .max()
            .copied()
            .filter(|mark| mark.at > since)
    }
}

/// What was last removed of a thing and all that it is part of.
fn last_gone<'g>(
    gone: &'g By<Gone>,
    keys: &Keys,
    key: Key,
    exists: bool,
    since: usize,
) -> Option<&'g Gone> {
    keys.above(key)
        .filter_map(|above| gone.get(above))
        .filter(|gone| gone.at > since && !(gone.emptied && exists))
        .max_by_key(|gone| gone.at)
}

/// What going forward removed and made.
#[derive(Debug, Default)]
pub(super) struct Forward {
    pub(super) gone: By<Gone>,
    pub(super) made: Made,
}

impl Forward {
    pub(super) fn last_gone(&self, keys: &Keys, key: Key, exists: bool) -> Option<&Gone> {
        last_gone(&self.gone, keys, key, exists, 0)
    }
}

/// What a way back has come through.
#[derive(Debug, Default)]
pub(super) struct Way {
    stretch: Option<usize>,
    /// What was before is of another stretch.
    since: usize,
    pub(super) gone: By<Gone>,
    pub(super) made: Made,
    /// What only words tell about; each text once, with when it was last.
    pub(super) words: Vec<(Mark, Arc<str>)>,
    /// The place of a text among them, by where it lies.
    heard: HashMap<*const u8, usize>,
}

impl Way {
    /// Comes to a unit; a way back of another stretch begins with nothing.
    pub(super) fn enter(&mut self, stretch: usize, now: usize) {
        if self.stretch != Some(stretch) {
            self.stretch = Some(stretch);
            self.since = now;
            self.words.clear();
            self.heard.clear();
        }
    }

    pub(super) fn hear(&mut self, mark: Mark, words: Arc<str>) {
        // Nothing is said by an empty text, which may lie anywhere.
        if words.is_empty() {
            return;
        }
        match self.heard.get(&words.as_ptr()) {
            Some(&at) => self.words[at].0 = mark,
            None => {
                self.heard.insert(words.as_ptr(), self.words.len());
                self.words.push((mark, words));
            }
        }
    }

    pub(super) fn last_gone(&self, keys: &Keys, key: Key, exists: bool) -> Option<&Gone> {
        last_gone(&self.gone, keys, key, exists, self.since)
    }

    pub(super) fn last_made(&self, keys: &Keys, key: Key) -> Option<Mark> {
        self.made.last(keys, key, self.since)
    }
}
