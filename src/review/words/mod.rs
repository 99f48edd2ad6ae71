//! Simple commands of a shell text with their words, quotes and variables understood.
//!
//! Not a shell: what stands inside loops, conditions, functions, groups and subshells is marked as
//! nested, and what only a running shell can know is [`Part::Unknown`].

mod pieces;
#[cfg(test)]
mod tests;

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
    /// A word, or what another stream reads.
    Feed,
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
        pattern: false,
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
    /// Here-documents whose text begins on the next line.
    here: Vec<Announced>,
    /// A compound command was closed: redirections that follow are of its output.
    closed: bool,
    /// Behind `!`: a failure is expected.
    negated: bool,
    /// What follows is a pattern of a `case`.
    pattern: bool,
}

/// A here-document that is still to come.
struct Announced {
    delimiter: String,
    /// Tabs in front of its lines do not count.
    tabs: bool,
    /// The command that it is for, and which of its redirections.
    command: usize,
    redirect: usize,
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
            if std::mem::take(&mut self.pattern) {
                self.skip_pattern();
                continue;
            }
            match c {
                '\n' => {
                    self.at += 1;
                    self.end(Joint::End, true);
                    self.skip_here();
                }
                '\\' if self.starts("\\\n") => self.at += 2,
                c if c.is_whitespace() => self.at += c.len_utf8(),
                '#' => self.skip_line(),
                '&' if self.starts("&>") => self.redirect(),
                '&' if self.starts("&&") => self.operator(2, Joint::And),
                '|' if self.starts("||") => self.operator(2, Joint::Or),
                '|' => self.operator(if self.starts("|&") { 2 } else { 1 }, Joint::Pipe),
                ';' if self.starts(";;") || self.starts(";&") => {
                    self.operator(if self.starts(";;&") { 3 } else { 2 }, Joint::End);
                    self.pattern = self.open.last() == Some(&"esac");
                }
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

    /// Past a pattern of a `case` and its bracket; to the `esac` where there is none.
    fn skip_pattern(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                '#' => self.skip_line(),
                c if c.is_whitespace() => self.at += c.len_utf8(),
                _ => break,
            }
        }
        if self.starts("esac") {
            return;
        }
        while let Some(c) = self.peek() {
            let before = self.at;
            if !(c.is_whitespace() || "()|".contains(c)) {
                self.word();
            }
            if self.at == before {
                self.at += c.len_utf8();
            }
            if c == ')' {
                return;
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find('\n').unwrap_or(rest.len());
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
        for announced in std::mem::take(&mut self.here) {
            let start = self.at;
            let mut end = self.at;
            while self.at < self.text.len() {
                let line = self.text[self.at..].lines().next().unwrap_or_default();
                let whole = self.text[self.at..]
                    .split_inclusive('\n')
                    .next()
                    .map_or(0, str::len);
                self.at += whole;
                let line = if announced.tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if line == announced.delimiter {
                    break;
                }
                end = self.at;
            }
            let redirect = self
                .found
                .get_mut(announced.command)
                .and_then(|command| command.redirects.get_mut(announced.redirect));
            if let Some(redirect) = redirect {
                redirect.kind = Direction::Here(start..end);
            }
        }
    }

    fn redirect(&mut self) {
        let all = |lexer: &Self, what: &str| lexer.starts(what);
        let (length, kind) = if all(self, "<<<") {
            (3, Direction::Feed)
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
        } else if all(self, "<&") {
            (2, Direction::Feed)
        } else if all(self, ">&") {
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
            self.here.push(Announced {
                delimiter: word.plain().unwrap_or_default().to_owned(),
                tabs,
                command: self.found.len(),
                redirect: self.redirects.len(),
            });
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
            let is_case = self.words.len() == 2 && self.words[0].keyword() == Some("case");
            self.pattern = is_case && word.keyword() == Some("in");
            self.words.push(word);
            if self.pattern {
                self.end(Joint::End, false);
            }
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
}
