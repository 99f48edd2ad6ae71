//! Commands that run another text: a sourced file, an interpreter with a script, a script by its path.

use super::call::Call;
use super::{DEEPEST, NEEDED, Reader, is_shell};

impl Reader<'_> {
    /// A sourced file runs here: what it sets is set.
    pub(super) fn source(&mut self, call: &Call<'_>) {
        let file = call.words.get(1).and_then(|(word, _)| word.clone());
        if let Some(file) = &file {
            self.file(NEEDED, Some(file), &call.words[1].1);
        }
        let text = file
            .filter(|_| !self.moved && call.certain)
            .and_then(|file| self.scripts.text(&file))
            .filter(|text| self.scripts.may_read(text.len()));
        match text {
            Some(text) if self.depth < DEEPEST => {
                self.depth += 1;
                let before = self.acts.len();
                self.run(&text);
                self.depth -= 1;
                for act in &mut self.acts[before..] {
                    act.range = call.range.clone();
                }
            }
            _ => {
                self.sourced = true;
                self.anything(&call.range);
            }
        }
    }

    pub(super) fn interpreter(&mut self, program: &str, call: &Call<'_>) {
        let at = call
            .words
            .iter()
            .skip(1)
            .position(|(word, _)| !word.as_deref().is_some_and(|word| word.starts_with('-')));
        let has_text = call.has(&["-c", "-ec", "-m"]) || call.letter('c');
        let Some(at) = at.filter(|_| !has_text) else {
            self.touched(&call.words[1..]);
            self.anything(&call.range);
            return;
        };
        let (file, range) = call.words[at + 1].clone();
        self.file(NEEDED, file.as_deref(), &range);
        let args: Vec<Option<String>> = call.words[at + 2..]
            .iter()
            .map(|(word, _)| word.clone())
            .collect();
        match file {
            Some(file) if !program.starts_with("python") => self.script(&file, args, call),
            _ => {
                self.touched(&call.words[at + 2..]);
                self.anything(&call.range);
            }
        }
    }

    /// A script is read with its arguments, if it is a shell's.
    pub(super) fn script(&mut self, file: &str, args: Vec<Option<String>>, call: &Call<'_>) {
        let known: Vec<String> = args.iter().map_while(Clone::clone).collect();
        let text = self
            .scripts
            .text(file)
            .filter(|text| is_shell(file, text) && !self.moved && self.depth < DEEPEST)
            .filter(|text| self.scripts.may_read(text.len() + 16 * self.values.len()));
        let Some(text) = text else {
            self.touched(&call.words[1..]);
            self.anything(&call.range);
            return;
        };
        let inner = Reader {
            scripts: self.scripts,
            // What is not exported is not seen there: neither is believed.
            values: self
                .values
                .keys()
                .map(|name| (name.clone(), None))
                .collect(),
            args: known,
            positions: true,
            sourced: self.sourced,
            moved: false,
            depth: self.depth + 1,
            acts: Vec::new(),
        };
        for act in inner.read(&text) {
            self.add(act.deed, act.key, &call.range);
        }
    }
}
