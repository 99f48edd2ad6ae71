//! A script as `psql` reads it: statements, its own commands, variables, data of `COPY`.
//!
//! What is not SQL is blanked out in place, so that every byte of a statement stays where it is.

use std::ops::Range;

/// What a script consists of.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) statements: Vec<Statement>,
    /// Files that `\i` and `\ir` read.
    pub(super) includes: Vec<Include>,
    /// A quote, comment or parenthesis that is never closed, and what it is.
    pub(super) open: Option<(usize, &'static str)>,
    /// It has commands that decide what is read: what follows may not follow.
    pub(super) branches: bool,
}

/// One statement.
#[derive(Debug)]
pub(super) struct Statement {
    /// Its bytes in the script, without white space and comments around it and without `;`.
    pub(super) range: Range<usize>,
    /// The same number of bytes, of which only SQL is left.
    pub(super) sql: String,
}

/// A file that the script reads.
#[derive(Debug)]
pub(super) struct Include {
    pub(super) path: String,
    pub(super) range: Range<usize>,
    /// Relative to the script, not to the folder that it runs in.
    pub(super) beside: bool,
}

/// Reads a script.
pub(super) fn split(text: &str) -> Script {
    let mut reader = Reader {
        text,
        clean: text.as_bytes().to_vec(),
        at: 0,
        start: 0,
        depth: 0,
        opened: 0,
        script: Script::default(),
    };
    reader.run();
    reader.script
}

struct Reader<'a> {
    text: &'a str,
    clean: Vec<u8>,
    at: usize,
    /// Where the statement begins.
    start: usize,
    depth: usize,
    /// The outermost open parenthesis.
    opened: usize,
    script: Script,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn run(&mut self) {
        while self.at < self.text.len() {
            match self.byte(self.at) {
                b'-' if self.byte(self.at + 1) == b'-' => self.at = self.line_end(self.at),
                b'/' if self.byte(self.at + 1) == b'*' => self.comment(),
                b'\'' => self.quote(),
                b'"' => self.until(b'"', "quoted name"),
                b'$' => self.dollar(),
                b'\\' => self.command(),
                b':' => self.variable(),
                b'(' => {
                    if self.depth == 0 {
                        self.opened = self.at;
                    }
                    self.depth += 1;
                    self.at += 1;
                }
                b')' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.at += 1;
                }
                b';' if self.depth == 0 => {
                    self.end();
                    self.at += 1;
                    self.start = self.at;
                }
                _ => self.at += 1,
            }
        }
        if self.depth > 0 {
            self.script.open.get_or_insert((self.opened, "parenthesis"));
        }
        if self.script.open.is_none() {
            self.at = self.text.len();
            self.end();
        }
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..]
            .find('\n')
            .map_or(self.text.len(), |length| from + length)
    }

    fn blank(&mut self, range: Range<usize>) {
        for byte in &mut self.clean[range] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }

    fn never_closed(&mut self, from: usize, what: &'static str) {
        self.script.open.get_or_insert((from, what));
        self.at = self.text.len();
    }

    fn comment(&mut self) {
        let from = self.at;
        let mut depth = 0_usize;
        while self.at < self.text.len() {
            match (self.byte(self.at), self.byte(self.at + 1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.never_closed(from, "comment");
    }

    /// A string; after `E` a back slash escapes.
    fn quote(&mut self) {
        let before = self.at.checked_sub(1).map_or(0, |at| self.byte(at));
        let two_before = self.at.checked_sub(2).map_or(0, |at| self.byte(at));
        if !matches!(before, b'e' | b'E') || is_word(two_before) {
            return self.until(b'\'', "string");
        }
        let from = self.at;
        self.at += 1;
        while self.at < self.text.len() {
            match self.byte(self.at) {
                b'\\' => self.at += 2,
                b'\'' => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
        self.never_closed(from, "string");
    }

    /// To the closing quote; two of them in a row are read as two quoted pieces.
    fn until(&mut self, quote: u8, what: &'static str) {
        let from = self.at;
        match memchr::memchr(quote, &self.text.as_bytes()[from + 1..]) {
            Some(length) => self.at = from + length + 2,
            None => self.never_closed(from, what),
        }
    }

    /// `$tag$ ... $tag$`, or a parameter such as `$1`.
    fn dollar(&mut self) {
        let from = self.at;
        let rest = &self.text[from + 1..];
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let before = from.checked_sub(1).map_or(0, |at| self.byte(at));
        let is_tag = rest[length..].starts_with('$')
            && !rest.starts_with(|c: char| c.is_ascii_digit())
            && !is_word(before);
        if !is_tag {
            self.at += 1;
            return;
        }
        let tag = &self.text[from..from + length + 2];
        let body = from + tag.len();
        match self.text[body..].find(tag) {
            Some(length) => self.at = body + length + tag.len(),
            None => self.never_closed(from, "dollar-quoted text"),
        }
    }

    /// A command of psql itself: to the end of its line.
    fn command(&mut self) {
        let from = self.at;
        let end = self.line_end(from);
        let line = self.text[from + 1..end].trim_end();
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        match name {
            // These send what stands before them.
            "g" | "gx" | "gexec" | "gset" | "gdesc" | "watch" | "crosstabview" => {
                self.end();
                self.start = end;
            }
            "i" | "ir" | "include" | "include_relative" => {
                self.script.branches = true;
                let path = words.next().unwrap_or_default();
                let inner = path.trim_matches('\'');
                if !inner.is_empty() && !inner.contains([':', '`', '$']) {
                    let offset = line.find(path).unwrap_or(0);
                    let start = from + 1 + offset;
                    self.script.includes.push(Include {
                        path: inner.to_owned(),
                        range: start..start + path.len(),
                        beside: matches!(name, "ir" | "include_relative"),
                    });
                }
            }
            "if" | "elif" | "else" | "endif" | "q" | "quit" => self.script.branches = true,
            _ => {}
        }
        self.blank(from..end);
        self.at = end;
        if self.start <= from && skip_space(self.text, self.start, from) == from {
            // Nothing stands before it: the next statement begins after it.
            self.start = end;
        }
    }

    /// `:name`, `:'name'` and `:"name"` become something of the same length that SQL understands.
    fn variable(&mut self) {
        let from = self.at;
        let next = self.byte(from + 1);
        let before = from.checked_sub(1).map_or(0, |at| self.byte(at));
        if matches!(next, b':' | b'=') {
            self.at += 2;
            return;
        }
        if before == b':' || before == b']' || is_word(before) {
            // A slice of an array, such as `a[1:n]`.
            self.at += 1;
        } else if matches!(next, b'\'' | b'"') {
            // What is left is a string or a quoted name.
            self.clean[from] = b' ';
            self.at += 1;
        } else if next.is_ascii_alphabetic() || next == b'_' {
            self.clean[from] = b'_';
            self.at += 1;
        } else {
            self.at += 1;
        }
    }

    /// The statement that ends here.
    fn end(&mut self) {
        let start = skip_space(self.text, self.start.min(self.at), self.at);
        let end = start + self.text[start..self.at].trim_end().len();
        if start >= end {
            return;
        }
        // Only ASCII was replaced, by ASCII.
        let sql = String::from_utf8_lossy(&self.clean[start..end]).into_owned();
        if sql.trim().is_empty() {
            return;
        }
        let words = words(&sql, usize::MAX);
        let data = words.first().is_some_and(|word| word == "COPY")
            && words.windows(2).any(|pair| pair == ["FROM", "STDIN"])
            && self.byte(self.at) == b';';
        self.script.statements.push(Statement {
            range: start..end,
            sql,
        });
        if data {
            self.copied();
        }
    }

    /// Lines of data after `COPY ... FROM STDIN;`, to a line that is `\.`.
    fn copied(&mut self) {
        let mut line = self.line_end(self.at) + 1;
        while line < self.text.len() {
            let end = self.line_end(line);
            let last = self.text[line..end].trim_end() == "\\.";
            line = end + 1;
            if last {
                break;
            }
        }
        let end = line.min(self.text.len());
        self.at = end.saturating_sub(1).max(self.at);
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The first byte that is neither white space nor comment.
fn skip_space(text: &str, mut at: usize, end: usize) -> usize {
    loop {
        let rest = &text[at..end];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("--") {
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        } else if trimmed.starts_with("/*") {
            let mut depth = 0_usize;
            let bytes = trimmed.as_bytes();
            let mut i = 0;
            while i < bytes.len() {
                match (bytes[i], bytes.get(i + 1)) {
                    (b'/', Some(b'*')) => {
                        depth += 1;
                        i += 2;
                    }
                    (b'*', Some(b'/')) => {
                        depth -= 1;
                        i += 2;
                        if depth == 0 {
                            break;
                        }
                    }
                    _ => i += 1,
                }
            }
            at += i.min(bytes.len());
        } else {
            return at;
        }
    }
}

/// The first words of a statement in upper case, comments, strings and signs apart.
pub(super) fn words(sql: &str, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    let bytes = sql.as_bytes();
    let mut at = 0;
    while at < bytes.len() && found.len() < most {
        match bytes[at] {
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = sql[at..]
                    .find('\n')
                    .map_or(bytes.len(), |length| at + length);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = skip_space(sql, at, sql.len()).max(at + 2);
            }
            quote @ (b'\'' | b'"') => {
                at = memchr::memchr(quote, &bytes[at + 1..]).map_or(bytes.len(), |l| at + l + 2);
            }
            byte if is_word(byte) => {
                let start = at;
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
                found.push(sql[start..at].to_ascii_uppercase());
            }
            _ => at += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<String> {
        let script = split(text);
        assert_eq!(script.open, None, "{text}");
        for statement in &script.statements {
            assert_eq!(statement.sql.len(), statement.range.len());
        }
        script.statements.into_iter().map(|s| s.sql).collect()
    }

    #[test]
    fn statements_end_where_psql_ends_them() {
        assert_eq!(
            statements("-- a; b\nselect ';' ; /* ; /* ; */ */ select \"a;b\";\n\n;"),
            ["select ';'", "select \"a;b\""]
        );
        assert_eq!(
            statements("do $x$ begin; end $x$; select $1;select e'\\';';"),
            ["do $x$ begin; end $x$", "select $1", "select e'\\';'"]
        );
        assert_eq!(
            statements("select (1;2); select 3"),
            ["select (1;2)", "select 3"]
        );
    }

    #[test]
    fn what_is_not_sql_is_blanked_out() {
        assert_eq!(
            statements("\\set x 1\nselect :x, :'x', :\"x\", a::int, b[1:n];\n\\echo it's\n"),
            ["select _x,  'x',  \"x\", a::int, b[1:n]"]
        );
        assert_eq!(
            statements("select 1 \\gexec\nselect 2"),
            ["select 1", "select 2"]
        );
        assert_eq!(
            statements("copy t from stdin;\n1\tit's;\n\\.\nselect 1;"),
            ["copy t from stdin", "select 1"]
        );
        assert_eq!(statements("\\copy t from 'x.csv'\n"), Vec::<String>::new());
        let script = split("\\i a/b.sql\n\\ir 'c d.sql'\n\\i :dir/x.sql\n");
        let paths: Vec<&str> = script.includes.iter().map(|i| i.path.as_str()).collect();
        assert_eq!(paths[0], "a/b.sql");
        assert!(script.branches && script.statements.is_empty());
    }

    #[test]
    fn what_is_never_closed_is_told() {
        for (text, at, what) in [
            ("select 'a;\nselect 2;", 7, "string"),
            ("select 1; /* x", 10, "comment"),
            ("create table t (a int;", 15, "parenthesis"),
            ("do $$ begin", 3, "dollar-quoted text"),
        ] {
            assert_eq!(split(text).open, Some((at, what)), "{text}");
        }
    }

    proptest::proptest! {
        /// Nothing that anyone writes makes it panic, and every statement is where it is said to be.
        #[test]
        fn no_text_makes_it_panic(text in "[a-cE'\"$;:()/*\\\\ \n-é1]{0,60}") {
            for statement in split(&text).statements {
                proptest::prop_assert_eq!(statement.sql.len(), text[statement.range].len());
            }
            let _ = words(&text, 9);
        }
    }
}
