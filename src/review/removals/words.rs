//! Simple commands of a shell text with their words, quotes and variables understood.
//!
//! Not a shell: what stands inside loops, conditions, functions, groups and subshells is marked as
//! nested, and what only a running shell can know is [`Part::Unknown`].

use std::ops::Range;

/// What joins a command with its neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// A new line, `;` or `&`.
    End,
    And,
    Or,
    Pipe,
}

/// A simple command.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<Redirect>,
    pub(super) before: Joint,
    pub(super) after: Joint,
    /// Inside a loop, a condition, a function, a group or a subshell.
    pub(super) nested: bool,
}

/// A word: its pieces, and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) parts: Vec<Part>,
    pub(super) range: Range<usize>,
    quoted: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String),
    /// `$X`, `${X}`, `${X:?...}`.
    Variable(String),
    /// What only a running shell knows.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Redirect {
    pub(super) kind: Direction,
    pub(super) word: Word,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
    Append,
    /// The text that follows, and where it begins.
    Here(Range<usize>),
    /// Of no interest.
    Other,
}

impl Word {
    /// The text of a word without anything to expand.
    pub(super) fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            [] => Some(""),
            _ => None,
        }
    }

    fn keyword(&self) -> Option<&str> {
        self.plain().filter(|_| !self.quoted)
    }

    /// The name and the rest of `NAME=value`.
    pub(super) fn assignment(&self) -> Option<(&str, Vec<Part>)> {
        let Some(Part::Text(first)) = self.parts.first() else {
            return None;
        };
        let (name, rest) = first.split_once('=')?;
        let mut letters = name.chars();
        let named = letters
            .next()
            .is_some_and(|c| c.is_alphabetic() || c == '_')
            && letters.all(|c| c.is_alphanumeric() || c == '_');
        if !named {
            return None;
        }
        let mut parts = vec![Part::Text(rest.to_owned())];
        parts.extend_from_slice(&self.parts[1..]);
        Some((name, parts))
    }
}

/// The simple commands of a text, in the order in which they are written.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let mut lexer = Lexer {
        text,
        at: 0,
        found: Vec::new(),
        words: Vec::new(),
        redirects: Vec::new(),
        before: Joint::End,
        open: Vec::new(),
        here: Vec::new(),
        closed: false,
        negated: false,
    };
    lexer.run();
    lexer.found
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    found: Vec<Command>,
    words: Vec<Word>,
    redirects: Vec<Redirect>,
    before: Joint,
    /// What is open: the keyword or bracket that closes it.
    open: Vec<&'static str>,
    /// Delimiters of here-documents whose text begins on the next line, with the command and its redirection.
    here: Vec<(String, bool, usize)>,
    /// A compound command was closed: redirections that follow are of its output.
    closed: bool,
    /// Behind `!`: a failure is expected.
    negated: bool,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn starts(&self, what: &str) -> bool {
        self.text[self.at..].starts_with(what)
    }

    fn run(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                '\n' => {
                    self.at += 1;
                    self.end(Joint::End, true);
                    self.skip_here();
                }
                '\\' if self.starts("\\\n") => self.at += 2,
                c if c.is_whitespace() => self.at += c.len_utf8(),
                '#' => {
                    self.at += self.text[self.at..]
                        .find('\n')
                        .unwrap_or(self.text.len() - self.at)
                }
                '&' if self.starts("&>") => self.redirect(),
                '&' if self.starts("&&") => self.operator(2, Joint::And),
                '|' if self.starts("||") => self.operator(2, Joint::Or),
                '|' => self.operator(if self.starts("|&") { 2 } else { 1 }, Joint::Pipe),
                ';' | '&' => self.operator(1, Joint::End),
                '(' => self.bracket(),
                ')' => {
                    self.operator(1, Joint::End);
                    if self.open.last() == Some(&")") {
                        self.open.pop();
                        self.closed = true;
                    }
                }
                '<' | '>' if !self.starts("<(") && !self.starts(">(") => self.redirect(),
                _ => self.next_word(),
            }
        }
        self.end(Joint::End, false);
    }

    fn operator(&mut self, length: usize, joint: Joint) {
        self.at += length;
        self.end(joint, false);
    }

    /// A subshell, or the brackets behind a function's name.
    fn bracket(&mut self) {
        self.at += 1;
        if self.words.is_empty() {
            self.end(Joint::End, false);
            self.open.push(")");
            return;
        }
        let rest = self.text[self.at..].trim_start();
        if rest.starts_with(')') {
            self.at = self.text.len() - rest.len() + 1;
        }
        self.words.clear();
    }

    fn end(&mut self, after: Joint, newline: bool) {
        if self.words.is_empty() && self.redirects.is_empty() {
            self.closed = false;
            // A line may end behind an operator.
            if !(newline && self.before != Joint::End) {
                self.before = after;
            }
            return;
        }
        let mut redirects = std::mem::take(&mut self.redirects);
        if std::mem::take(&mut self.closed) && self.words.is_empty() {
            for redirect in &mut redirects {
                if redirect.kind == Direction::Write {
                    redirect.kind = Direction::Append;
                }
            }
        }
        let command = Command {
            words: std::mem::take(&mut self.words),
            redirects,
            before: self.before,
            after: match std::mem::take(&mut self.negated) {
                true => Joint::Or,
                false => after,
            },
            nested: !self.open.is_empty(),
        };
        self.found.push(command);
        self.before = after;
    }

    fn skip_here(&mut self) {
        for (delimiter, tabs, at) in std::mem::take(&mut self.here) {
            let start = self.at;
            let mut end = self.at;
            while self.at < self.text.len() {
                let line = self.text[self.at..].lines().next().unwrap_or_default();
                let whole = self.text[self.at..]
                    .split_inclusive('\n')
                    .next()
                    .map_or(0, str::len);
                self.at += whole;
                let line = if tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if line == delimiter {
                    break;
                }
                end = self.at;
            }
            let last = self
                .found
                .iter_mut()
                .rev()
                .flat_map(|command| command.redirects.iter_mut().rev());
            for redirect in last {
                if redirect.word.range.start == at {
                    redirect.kind = Direction::Here(start..end);
                    break;
                }
            }
        }
    }

    fn redirect(&mut self) {
        let all = |lexer: &Self, what: &str| lexer.starts(what);
        let (length, kind) = if all(self, "<<<") {
            (3, Direction::Other)
        } else if all(self, "<<-") {
            (3, Direction::Here(0..0))
        } else if all(self, "<<") {
            (2, Direction::Here(0..0))
        } else if all(self, "&>>") {
            (3, Direction::Append)
        } else if all(self, ">>") {
            (2, Direction::Append)
        } else if all(self, "&>") {
            (2, Direction::Write)
        } else if all(self, ">&") || all(self, "<&") {
            (2, Direction::Other)
        } else if all(self, "<>") {
            (2, Direction::Append)
        } else if all(self, ">|") {
            (2, Direction::Write)
        } else if all(self, ">") {
            (1, Direction::Write)
        } else {
            (1, Direction::Read)
        };
        let tabs = self.starts("<<-");
        self.at += length;
        while self.peek().is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
        let word = self.word();
        if matches!(kind, Direction::Here(_)) {
            self.here.push((
                word.plain().unwrap_or_default().to_owned(),
                tabs,
                word.range.start,
            ));
        }
        self.redirects.push(Redirect { kind, word });
    }

    fn next_word(&mut self) {
        let before = self.at;
        let word = self.word();
        if self.at == before {
            // Nothing that a word begins with.
            self.at += self.peek().map_or(1, char::len_utf8);
            return;
        }
        // A number in front of a redirection says which stream.
        let is_number = word
            .keyword()
            .is_some_and(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit()));
        if is_number
            && matches!(self.peek(), Some('<' | '>'))
            && !self.starts("<(")
            && !self.starts(">(")
        {
            self.redirect();
            // Messages, not results.
            if word.plain() != Some("0")
                && word.plain() != Some("1")
                && let Some(last) = self.redirects.last_mut()
                && last.kind == Direction::Write
            {
                last.kind = Direction::Append;
            }
            return;
        }
        if !self.words.is_empty() {
            let is_function = self.words[0].keyword() == Some("function");
            if is_function && word.keyword() == Some("{") {
                self.words.clear();
                self.open.push("}");
                return;
            }
            self.words.push(word);
            return;
        }
        let closes = match word.keyword() {
            Some("if") => Some("fi"),
            Some("while" | "until") => Some("done"),
            Some("{") => Some("}"),
            Some("for" | "select") => {
                self.open.push("done");
                None
            }
            Some("case") => {
                self.open.push("esac");
                None
            }
            Some(end @ ("fi" | "done" | "esac" | "}")) => {
                if self.open.last() == Some(&end) {
                    self.open.pop();
                }
                self.closed = true;
                return;
            }
            Some("!") => {
                self.negated = true;
                return;
            }
            Some("then" | "do" | "else" | "elif" | "time") => return,
            _ => None,
        };
        match closes {
            Some(end) => self.open.push(end),
            None => self.words.push(word),
        }
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        let mut parts: Vec<Part> = Vec::new();
        let mut quoted = false;
        let add = |parts: &mut Vec<Part>, c: char| match parts.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => parts.push(Part::Text(c.to_string())),
        };
        while let Some(c) = self.peek() {
            match c {
                '\\' if self.starts("\\\n") => self.at += 2,
                '\\' => {
                    self.at += 1;
                    quoted = true;
                    if let Some(next) = self.peek() {
                        self.at += next.len_utf8();
                        add(&mut parts, next);
                    }
                }
                '\'' => {
                    quoted = true;
                    self.at += 1;
                    let length = self.text[self.at..]
                        .find('\'')
                        .unwrap_or(self.text.len() - self.at);
                    for c in self.text[self.at..self.at + length].chars() {
                        add(&mut parts, c);
                    }
                    self.at = (self.at + length + 1).min(self.text.len());
                }
                '"' => {
                    quoted = true;
                    self.at += 1;
                    while let Some(c) = self.peek() {
                        match c {
                            '"' => break,
                            '\\' => {
                                self.at += 1;
                                if let Some(next) = self.peek() {
                                    self.at += next.len_utf8();
                                    if !matches!(next, '"' | '\\' | '$' | '`' | '\n') {
                                        add(&mut parts, '\\');
                                    }
                                    add(&mut parts, next);
                                }
                            }
                            '$' => parts.push(self.dollar()),
                            '`' => parts.push(self.backtick()),
                            c => {
                                self.at += c.len_utf8();
                                add(&mut parts, c);
                            }
                        }
                    }
                    self.at = (self.at + 1).min(self.text.len());
                }
                '$' => parts.push(self.dollar()),
                '`' => parts.push(self.backtick()),
                '<' | '>' if self.starts("<(") || self.starts(">(") => {
                    self.at += 1;
                    self.balanced('(', ')');
                    parts.push(Part::Unknown);
                }
                '(' if matches!(parts.last(), Some(Part::Text(text)) if text.ends_with('=')) => {
                    self.balanced('(', ')');
                    parts.push(Part::Unknown);
                }
                c if c.is_whitespace() || "|&;()<>".contains(c) => break,
                '{' if !parts.is_empty()
                    || !self.text[self.at + 1..].starts_with([' ', '\n', '\t']) =>
                {
                    // A list in braces is several words.
                    self.at += 1;
                    parts.push(Part::Unknown);
                }
                c => {
                    self.at += c.len_utf8();
                    add(&mut parts, c);
                }
            }
        }
        Word {
            parts,
            range: start..self.at,
            quoted,
        }
    }

    /// Something that begins with a dollar sign.
    fn dollar(&mut self) -> Part {
        self.at += 1;
        match self.peek() {
            Some('(') => {
                self.balanced('(', ')');
                Part::Unknown
            }
            Some('{') => {
                let start = self.at + 1;
                self.balanced('{', '}');
                let inside = self.text[start..self.at].trim_end_matches('}');
                let length = inside
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(inside.len());
                let (name, rest) = inside.split_at(length);
                let same = rest.is_empty() || rest.starts_with(":?") || rest.starts_with('?');
                match same && !name.is_empty() {
                    true => Part::Variable(name.to_owned()),
                    false => Part::Unknown,
                }
            }
            Some(c) if c.is_ascii_digit() => {
                self.at += 1;
                Part::Variable(c.to_string())
            }
            Some(c) if c.is_alphabetic() || c == '_' => {
                let rest = &self.text[self.at..];
                let length = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len());
                self.at += length;
                Part::Variable(rest[..length].to_owned())
            }
            Some('\'') => {
                self.at += 1;
                let length = self.text[self.at..]
                    .find('\'')
                    .map_or(self.text.len() - self.at, |l| l + 1);
                self.at += length;
                Part::Unknown
            }
            Some(c @ ('?' | '$' | '#' | '@' | '*' | '!' | '-')) => {
                self.at += c.len_utf8();
                Part::Unknown
            }
            _ => Part::Text("$".to_owned()),
        }
    }

    fn backtick(&mut self) -> Part {
        self.at += 1;
        let length = self.text[self.at..]
            .find('`')
            .map_or(self.text.len() - self.at, |l| l + 1);
        self.at += length;
        Part::Unknown
    }

    /// Past the bracket that closes the one here; quotes inside are respected.
    fn balanced(&mut self, open: char, close: char) {
        let mut depth = 0_usize;
        let mut quote = None;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match (quote, c) {
                (None | Some('"'), '\\') => {
                    self.at += self.peek().map_or(0, char::len_utf8);
                }
                (Some(q), c) if q == c => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, c) if c == open => depth += 1,
                (None, c) if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        commands(text)
            .iter()
            .map(|command| {
                let words: Vec<String> = command
                    .words
                    .iter()
                    .map(|word| {
                        word.parts
                            .iter()
                            .map(|part| match part {
                                Part::Text(text) => text.clone(),
                                Part::Variable(name) => format!("${name}"),
                                Part::Unknown => "…".to_owned(),
                            })
                            .collect()
                    })
                    .collect();
                let nested = if command.nested { "  " } else { "" };
                format!("{nested}{}", words.join("|"))
            })
            .collect()
    }

    #[test]
    fn words_lose_their_quotes() {
        assert_eq!(
            shown("rm -f \"$A\"/x '${b}' c\\ d"),
            ["rm|-f|$A/x|${b}|c d"]
        );
        assert_eq!(
            shown("rm \"$(cat x)\" ${A:-b} ${C:?no} x{a,b}"),
            ["rm|…|…|$C|x…a,b}"]
        );
        assert_eq!(
            shown("a; b && c | d # e\nf \\\n  g"),
            ["a", "b", "c", "d", "f|g"]
        );
        assert_eq!(shown("cp a b 2>/dev/null >c"), ["cp|a|b"]);
        assert_eq!(shown("x=(a b) y=1 z"), ["x=…|y=1|z"]);
    }

    #[test]
    fn what_is_nested_is_said() {
        assert_eq!(
            shown("if test a; then rm b; fi; rm c"),
            ["  test|a", "  rm|b", "rm|c"]
        );
        assert_eq!(shown("f() { rm a; }\nf"), ["  rm|a", "f"]);
        assert_eq!(shown("function f {\n rm a\n}\nf"), ["  rm|a", "f"]);
        assert_eq!(shown("(cd a; rm b)\nrm c"), ["  cd|a", "  rm|b", "rm|c"]);
        assert_eq!(
            shown("case $x in\n a) rm b;;\nesac\nrm c")
                .last()
                .map(String::as_str),
            Some("rm|c")
        );
        assert_eq!(
            shown("for f in a b; do rm $f; done; rm c")
                .last()
                .map(String::as_str),
            Some("rm|c")
        );
    }

    #[test]
    fn here_documents_are_no_commands() {
        let text = "psql x <<'SQL'\nDROP TABLE a;\nSQL\nrm b";
        let found = commands(text);
        assert_eq!(found.len(), 2);
        let Direction::Here(range) = &found[0].redirects[0].kind else {
            panic!("a here-document");
        };
        assert_eq!(&text[range.clone()], "DROP TABLE a;\n");
    }

    #[test]
    fn odd_texts_end() {
        for text in [
            "'", "\"", "$(", "${", "`", "<<", "a <<E", "((", "}", ")", "$", "\\", "x{", "é'ü",
            "\"\\", "a=(", "<(", "2>",
        ] {
            commands(text);
        }
    }
}
