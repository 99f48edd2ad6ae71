//! Clients of databases: what their statements do, and to which database.

use std::ops::Range;

use super::super::sql;
use super::call::Call;
use super::{Deed, MADE, Reader};
use crate::review::words::Joint;

impl Reader<'_> {
    pub(super) fn client(&mut self, call: &Call<'_>, needed: Deed) {
        let is_psql = call.texts()[0] == "psql";
        let file = call
            .value(&["-f", "--file", "-1f", "-Xf", "-X1f"])
            .filter(|_| is_psql);
        if let Some((file, range)) = file {
            let file = file.to_owned();
            self.file(needed, Some(&file), &range);
            self.statements_of(&file, call, &range);
        }
        for (at, (word, _)) in call.words.iter().enumerate().skip(1) {
            let word = word.as_deref().unwrap_or_default();
            let short = word.starts_with('-')
                && !word.starts_with("--")
                && word.ends_with(if is_psql { 'c' } else { 'e' });
            if let Some((statements, range)) = call
                .words
                .get(at + 1)
                .filter(|_| short || word == "--command" || word == "--execute")
            {
                match statements {
                    Some(statements) => self.statements(statements, call, range),
                    None => self.add(MADE, "q".to_owned(), range),
                }
            } else if let Some(statements) = word
                .strip_prefix("--command=")
                .or_else(|| word.strip_prefix("--execute="))
            {
                let statements = statements.to_owned();
                self.statements(&statements, call, &call.words[at].1);
            }
        }
        if call.command.before == Joint::Pipe {
            self.add(MADE, "q".to_owned(), &call.range);
        }
    }

    pub(super) fn is_client(call: &Call<'_>) -> bool {
        matches!(
            call.texts().first(),
            Some(&("psql" | "mysql" | "mariadb" | "sqlite3"))
        )
    }

    /// What tells the database of a client's call from another.
    fn tag(call: &Call<'_>) -> String {
        let own = [
            "-f",
            "--file",
            "-c",
            "--command",
            "-e",
            "--execute",
            "-v",
            "--set",
            "-o",
            "--variable",
        ];
        let mut tag = Vec::new();
        let mut words = call.words.iter().skip(1);
        while let Some((word, _)) = words.next() {
            let word = word.as_deref().unwrap_or("?");
            if own.contains(&word)
                || (word.starts_with('-')
                    && !word.starts_with("--")
                    && word.ends_with(['c', 'f', 'e', 'v']))
            {
                words.next();
            } else if ["-d", "-h", "-p", "--dbname", "--host", "--port"].contains(&word) {
                let value = words
                    .next()
                    .and_then(|(value, _)| value.as_deref())
                    .unwrap_or("?");
                if value != "$DATABASE_URL" {
                    tag.push(value.replace('/', ":"));
                }
            } else if (!word.starts_with('-') && word != "$DATABASE_URL")
                || word.starts_with("--dbname=")
                || word.starts_with("--host=")
            {
                tag.push(word.replace('/', ":"));
            }
        }
        tag.join(" ")
    }

    /// What a file of SQL does; anything where it cannot be read.
    fn statements_of(&mut self, file: &str, call: &Call<'_>, range: &Range<usize>) {
        let script = match self.moved {
            true => None,
            false => self.scripts.script(file),
        };
        let acts = script.and_then(|(path, text)| {
            let acts = self.scripts.statements(&path, &text, &Self::tag(call))?;
            self.scripts.may_act(&path, acts.len()).then_some(acts)
        });
        match acts {
            Some(acts) => {
                for act in &*acts {
                    self.push(act.deed, act.key, range);
                }
            }
            None => self.add(MADE, "q".to_owned(), range),
        }
    }

    pub(super) fn statements(&mut self, statements: &str, call: &Call<'_>, range: &Range<usize>) {
        for act in sql::acts(statements, &Self::tag(call), self.scripts) {
            self.push(act.deed, act.key, range);
        }
    }

    pub(super) fn database(&mut self, deed: Deed, call: &Call<'_>) {
        let words = call.plain(1, &["-h", "-p", "-U", "-O", "-T", "-E", "-l", "-D"]);
        if let Some((Some(name), range)) = words.first() {
            self.add(deed, format!("d/{}", name.replace('/', ":")), range);
        }
    }
}
