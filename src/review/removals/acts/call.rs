//! A command as the programs' readers see it: its words expanded, its options found.

use std::ops::Range;

use crate::review::words::Command;

/// A simple command with its words expanded.
pub(super) struct Call<'c> {
    pub(super) words: Vec<(Option<String>, Range<usize>)>,
    pub(super) certain: bool,
    pub(super) command: &'c Command,
    pub(super) range: Range<usize>,
}

impl Call<'_> {
    /// Words that are no options, `--` ending them. `with_value` are options whose value is the next word.
    pub(super) fn plain(
        &self,
        from: usize,
        with_value: &[&str],
    ) -> Vec<(Option<&str>, Range<usize>)> {
        let mut found = Vec::new();
        let mut options = true;
        let mut words = self.words.iter().skip(from);
        while let Some((text, range)) = words.next() {
            match text.as_deref() {
                Some("--") if options => options = false,
                Some(word) if options && word.len() > 1 && word.starts_with('-') => {
                    if with_value.contains(&word) {
                        words.next();
                    }
                }
                text => found.push((text, range.clone())),
            }
        }
        found
    }

    pub(super) fn texts(&self) -> Vec<&str> {
        self.words
            .iter()
            .map(|(text, _)| text.as_deref().unwrap_or_default())
            .collect()
    }

    pub(super) fn has(&self, options: &[&str]) -> bool {
        self.texts().iter().any(|word| options.contains(word))
    }

    /// Whether a letter is among the short options.
    pub(super) fn letter(&self, letter: char) -> bool {
        self.texts()
            .iter()
            .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letter))
    }

    /// The word after an option, or behind its `=`.
    pub(super) fn value(&self, options: &[&str]) -> Option<(&str, Range<usize>)> {
        for (at, (word, range)) in self.words.iter().enumerate() {
            let word = word.as_deref().unwrap_or_default();
            for option in options {
                if word == *option {
                    let (next, range) = self.words.get(at + 1)?;
                    return Some((next.as_deref()?, range.clone()));
                }
                if option.starts_with("--")
                    && let Some(value) = word
                        .strip_prefix(option)
                        .and_then(|rest| rest.strip_prefix('='))
                {
                    return Some((value, range.clone()));
                }
            }
        }
        None
    }
}
