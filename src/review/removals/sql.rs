//! What SQL removes, needs and makes.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;

use super::acts::{Act, Deed};
use super::scripts::Scripts;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name or a keyword; in lower case unless it is quoted.
    Word {
        text: String,
        quoted: bool,
    },
    Sign(char),
    /// A string or a number.
    Value,
}

type Tokens = [(Token, Range<usize>)];

/// Functions whose brackets hold a `FROM` that names no table.
const FROM_INSIDE: [&str; 5] = ["extract", "substring", "trim", "overlay", "position"];

/// What the statements of a text do, in their order. `tag` tells databases apart.
pub(super) fn acts(text: &str, tag: &str, scripts: &Scripts<'_>) -> Vec<Act> {
    let tokens = scan(text);
    let mut reader = Reader {
        tag,
        scripts,
        acts: Vec::new(),
    };
    for statement in tokens.split(|(token, _)| *token == Token::Sign(';')) {
        if is(statement, 0, "rollback") && !is(statement, 1, "to") && !is(statement, 1, "prepared")
        {
            // What of it is kept, nobody can tell from here.
            return Vec::new();
        }
        reader.statement(statement);
    }
    reader.acts
}

fn scan(text: &str) -> Vec<(Token, Range<usize>)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let start = at;
        let past = |from: usize, end: &str| {
            text[from..]
                .find(end)
                .map_or(text.len(), |length| from + length + end.len())
        };
        if rest.starts_with("--") || c == '\\' {
            // What the client is told (`\i`, `\copy`, `\gexec`) may do anything.
            if c == '\\' {
                let word = Token::Word {
                    text: "do".to_owned(),
                    quoted: false,
                };
                tokens.push((Token::Sign(';'), at..at));
                tokens.push((word, at..at));
                tokens.push((Token::Sign(';'), at..at));
            }
            at = past(at, "\n");
        } else if rest.starts_with("/*") {
            at = past(at + 2, "*/");
        } else if c == '\'' {
            at = past(at + 1, "'");
            tokens.push((Token::Value, start..at));
        } else if c == '"' {
            at = past(at + 1, "\"");
            let inner = text[start + 1..at].trim_end_matches('"').to_owned();
            tokens.push((
                Token::Word {
                    text: inner,
                    quoted: true,
                },
                start..at,
            ));
        } else if c == '$' {
            // A body between dollar signs; `$1` is no such thing.
            let tag = rest[1..].find('$').map(|length| &rest[..length + 2]);
            let tag = tag.filter(|tag| {
                tag[1..tag.len() - 1]
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_')
            });
            at = tag.map_or(at + 1, |tag| past(at + tag.len(), tag));
            tokens.push((Token::Value, start..at));
        } else if c.is_alphabetic() || c == '_' {
            let length = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                .unwrap_or(rest.len());
            at += length;
            tokens.push((
                Token::Word {
                    text: rest[..length].to_lowercase(),
                    quoted: false,
                },
                start..at,
            ));
        } else {
            at += c.len_utf8();
            if c.is_ascii_digit() {
                tokens.push((Token::Value, start..at));
            } else if !c.is_whitespace() {
                tokens.push((Token::Sign(c), start..at));
            }
        }
    }
    tokens
}

fn is(tokens: &Tokens, at: usize, word: &str) -> bool {
    matches!(tokens.get(at), Some((Token::Word { text, quoted: false }, _)) if text == word)
}

fn is_sign(tokens: &Tokens, at: usize, sign: char) -> bool {
    matches!(tokens.get(at), Some((Token::Sign(c), _)) if *c == sign)
}

fn word(tokens: &Tokens, at: usize) -> Option<&str> {
    match tokens.get(at) {
        Some((Token::Word { text, .. }, _)) => Some(text),
        _ => None,
    }
}

/// Past the words that may be there.
fn past(tokens: &Tokens, mut at: usize, words: &[&str]) -> usize {
    while words.iter().any(|word| is(tokens, at, word)) {
        at += 1;
    }
    at
}

struct Name {
    schema: String,
    name: String,
    range: Range<usize>,
    next: usize,
}

/// `name` or `schema.name`.
fn name(tokens: &Tokens, at: usize) -> Option<Name> {
    let first = word(tokens, at)?;
    let start = tokens[at].1.start;
    if is_sign(tokens, at + 1, '.') {
        let second = word(tokens, at + 2)?;
        let schema = if first == "public" { "" } else { first };
        return Some(Name {
            schema: schema.to_owned(),
            name: second.to_owned(),
            range: start..tokens[at + 2].1.end,
            next: at + 3,
        });
    }
    Some(Name {
        schema: String::new(),
        name: first.to_owned(),
        range: tokens[at].1.clone(),
        next: at + 1,
    })
}

struct Reader<'t> {
    tag: &'t str,
    scripts: &'t Scripts<'t>,
    acts: Vec<Act>,
}

impl Reader<'_> {
    fn relation(&self, name: &Name) -> String {
        format!("q/{}/{}/{}", self.tag, name.schema, name.name)
    }

    fn add(&mut self, deed: Deed, key: String, range: Range<usize>) {
        let act = self.scripts.act(deed, &key);
        self.acts
            .extend(act.map(|(deed, key)| Act { deed, key, range }));
    }

    /// What follows may be anything.
    fn anything(&mut self, tokens: &Tokens) {
        let range = tokens.first().map_or(0..0, |(_, range)| range.clone());
        self.add(Deed::Make { below: true }, "q".to_owned(), range);
    }

    fn statement(&mut self, tokens: &Tokens) {
        match word(tokens, 0) {
            Some("drop") => self.drop(tokens),
            Some("truncate") => {
                let at = past(tokens, 1, &["table", "only"]);
                self.names(tokens, at, Deed::Remove { emptied: true });
            }
            Some("alter") if is(tokens, 1, "table") => self.alter(tokens),
            Some("alter") if is(tokens, 1, "index") && !is(tokens, 2, "if") => {
                if let Some(name) = name(tokens, 2) {
                    self.add(
                        Deed::Need { exists: true },
                        self.relation(&name),
                        name.range,
                    );
                }
            }
            Some("create") => self.create(tokens),
            Some("insert") => {
                self.sources(tokens, &[]);
                let target = if is(tokens, 1, "into") {
                    name(tokens, 2)
                } else {
                    None
                };
                if let Some(target) = target {
                    self.add(
                        Deed::Make { below: false },
                        self.relation(&target),
                        target.range,
                    );
                }
            }
            Some("copy") => {
                if let Some(name) = name(tokens, 1) {
                    let reads = tokens.iter().enumerate().any(|(i, _)| is(tokens, i, "to"));
                    let deed = match reads {
                        true => Deed::Need { exists: false },
                        false => Deed::Make { below: false },
                    };
                    self.add(deed, self.relation(&name), name.range);
                }
            }
            Some("update") => {
                let target = name(tokens, past(tokens, 1, &["only"]));
                if let Some(target) = &target {
                    self.add(
                        Deed::Need { exists: true },
                        self.relation(target),
                        target.range.clone(),
                    );
                }
                self.sources(tokens, target.as_slice());
            }
            Some("delete") => {
                let target = name(tokens, past(tokens, 1, &["from", "only"]));
                let Some(target) = target else { return };
                let whole = target.next == tokens.len();
                if whole {
                    self.add(
                        Deed::Remove { emptied: true },
                        self.relation(&target),
                        target.range,
                    );
                } else {
                    self.sources(&tokens[target.next..], &[]);
                }
            }
            Some("select" | "with" | "merge" | "table" | "values") => self.sources(tokens, &[]),
            Some("refresh") if is(tokens, 1, "materialized") => {
                let at = past(tokens, 3, &["concurrently"]);
                if let Some(name) = name(tokens, at) {
                    self.add(
                        Deed::Need { exists: true },
                        self.relation(&name),
                        name.range,
                    );
                }
            }
            Some("do" | "call" | "execute" | "import" | "use" | "attach") => self.anything(tokens),
            _ => {}
        }
    }

    /// A list of relations to the end of the statement.
    fn names(&mut self, tokens: &Tokens, mut at: usize, deed: Deed) {
        while let Some(name) = name(tokens, at) {
            self.add(deed, self.relation(&name), name.range);
            if !is_sign(tokens, name.next, ',') {
                return;
            }
            at = past(tokens, name.next + 1, &["only"]);
        }
    }

    fn drop(&mut self, tokens: &Tokens) {
        let gone = Deed::Remove { emptied: false };
        let at = past(tokens, 1, &["materialized"]);
        let kind = word(tokens, at).unwrap_or_default();
        let from = past(tokens, at + 1, &["concurrently", "if", "exists"]);
        match kind {
            "table" | "view" | "index" | "sequence" => self.names(tokens, from, gone),
            "schema" => {
                if let Some(name) = name(tokens, from) {
                    self.add(gone, format!("q/{}/{}", self.tag, name.name), name.range);
                }
            }
            "database" => {
                if let Some(name) = name(tokens, from) {
                    self.add(gone, format!("d/{}", name.name), name.range);
                }
            }
            _ => {}
        }
    }

    fn alter(&mut self, tokens: &Tokens) {
        let lenient = is(tokens, 2, "if");
        let Some(table) = name(tokens, past(tokens, 2, &["if", "exists", "only"])) else {
            return;
        };
        let relation = self.relation(&table);
        if !lenient {
            self.add(
                Deed::Need { exists: true },
                relation.clone(),
                table.range.clone(),
            );
        }
        let gone = Deed::Remove { emptied: false };
        let made = Deed::Make { below: true };
        let mut at = table.next;
        loop {
            let column = |at: usize| past(tokens, at, &["column", "if", "not", "exists"]);
            if is(tokens, at, "drop") && !is(tokens, at + 1, "constraint") {
                if let Some(column) = name(tokens, column(at + 1)) {
                    self.add(gone, format!("{relation}/{}", column.name), column.range);
                }
            } else if is(tokens, at, "add") && !is(tokens, at + 1, "constraint") {
                if let Some(column) = name(tokens, column(at + 1)) {
                    self.add(made, format!("{relation}/{}", column.name), column.range);
                }
            } else if is(tokens, at, "rename") && is(tokens, at + 1, "to") {
                self.add(gone, relation.clone(), table.range.clone());
                if let Some(new) = name(tokens, at + 2) {
                    let new_key = format!("q/{}/{}/{}", self.tag, table.schema, new.name);
                    self.add(made, new_key, new.range);
                }
            } else if is(tokens, at, "rename") && !is(tokens, at + 1, "constraint") {
                if let Some(old) = name(tokens, column(at + 1)) {
                    self.add(gone, format!("{relation}/{}", old.name), old.range);
                    if let Some(new) = name(tokens, old.next + 1) {
                        self.add(made, format!("{relation}/{}", new.name), new.range);
                    }
                }
            } else if is(tokens, at, "set") && is(tokens, at + 1, "schema") {
                self.anything(tokens);
            }
            // The next action of the list, outside brackets.
            let mut depth = 0_usize;
            loop {
                match tokens.get(at) {
                    None => return,
                    Some((Token::Sign('('), _)) => depth += 1,
                    Some((Token::Sign(')'), _)) => depth = depth.saturating_sub(1),
                    Some((Token::Sign(','), _)) if depth == 0 => break,
                    _ => {}
                }
                at += 1;
            }
            at += 1;
        }
    }

    fn create(&mut self, tokens: &Tokens) {
        let at = past(
            tokens,
            1,
            &[
                "or",
                "replace",
                "temp",
                "temporary",
                "unlogged",
                "unique",
                "materialized",
                "recursive",
            ],
        );
        let kind = word(tokens, at).unwrap_or_default().to_owned();
        let from = past(tokens, at + 1, &["concurrently", "if", "not", "exists"]);
        let Some(new) = name(tokens, from) else {
            return;
        };
        let made = Deed::Make { below: true };
        match kind.as_str() {
            "table" | "view" => {
                self.sources(&tokens[new.next..], &[]);
                self.add(made, self.relation(&new), new.range);
            }
            "index" | "sequence" => self.add(made, self.relation(&new), new.range),
            "schema" => self.add(
                Deed::Make { below: false },
                format!("q/{}/{}", self.tag, new.name),
                new.range,
            ),
            "database" => self.add(made, format!("d/{}", new.name), new.range),
            _ => {}
        }
    }

    /// Tables that are read, and columns of the only table that there is.
    fn sources(&mut self, tokens: &Tokens, targets: &[Name]) {
        let mut own: HashSet<&str> = HashSet::new();
        for i in 0..tokens.len() {
            if is(tokens, i, "as") && i > 0 {
                let body = past(tokens, i + 1, &["not", "materialized"]);
                if is_sign(tokens, body, '(') {
                    own.extend(word(tokens, i - 1));
                }
            }
        }
        // `WITH x (a, b) AS (...)`: the name is before the brackets, so nothing is certain.
        if is(tokens, 0, "with") && own.is_empty() {
            return;
        }
        let mut brackets: Vec<bool> = Vec::new();
        let mut read: Vec<Name> = Vec::new();
        let mut i = 0;
        while i < tokens.len() {
            match &tokens[i].0 {
                Token::Sign('(') => {
                    let named = i.checked_sub(1).and_then(|before| word(tokens, before));
                    brackets.push(named.is_some_and(|name| FROM_INSIDE.contains(&name)));
                }
                Token::Sign(')') => {
                    brackets.pop();
                }
                Token::Word {
                    text,
                    quoted: false,
                } => {
                    let names_table = match text.as_str() {
                        "into" if !is(tokens, 0, "insert") && !is(tokens, 0, "merge") => {
                            if let Some(new) = name(
                                tokens,
                                past(tokens, i + 1, &["temp", "temporary", "unlogged", "table"]),
                            ) {
                                self.add(
                                    Deed::Make { below: true },
                                    self.relation(&new),
                                    new.range,
                                );
                            }
                            false
                        }
                        "from" => {
                            !(brackets.last().copied().unwrap_or(false)
                                || i > 0 && is(tokens, i - 1, "distinct"))
                        }
                        "join" => true,
                        "using" => is(tokens, 0, "merge") || is(tokens, 0, "where"),
                        _ => false,
                    };
                    if names_table {
                        let list = text == "from";
                        let mut at = past(tokens, i + 1, &["only", "lateral"]);
                        while let Some(found) = name(tokens, at) {
                            if is_sign(tokens, found.next, '(') {
                                break;
                            }
                            let mut next = past(tokens, found.next, &["as"]);
                            let known = own.contains(found.name.as_str());
                            let plain = found.schema.is_empty();
                            if !(plain && (known || found.name == "select")) {
                                read.push(found);
                            }
                            if word(tokens, next).is_some() && is_sign(tokens, next + 1, ',') {
                                next += 1;
                            }
                            if !(list && is_sign(tokens, next, ',')) {
                                break;
                            }
                            at = next + 1;
                        }
                    }
                }
                _ => {}
            }
            i += 1;
        }
        let mut tables = targets.iter().chain(&read);
        let only = tables.next().filter(|first| {
            tables.all(|other| other.name == first.name && other.schema == first.schema)
        });
        if let Some(table) =
            only.filter(|_| own.is_empty() && !is(tokens, 0, "insert") && !is(tokens, 0, "with"))
        {
            let relation = self.relation(table);
            for (i, (token, range)) in tokens.iter().enumerate() {
                let Token::Word { text, .. } = token else {
                    continue;
                };
                let other = is_sign(tokens, i + 1, '(')
                    || (i > 0 && (is(tokens, i - 1, "as") || is_sign(tokens, i - 1, ':')));
                if !other {
                    self.add(
                        Deed::Need { exists: true },
                        format!("{relation}/{text}"),
                        range.clone(),
                    );
                }
            }
        }
        for name in read {
            self.add(
                Deed::Need { exists: false },
                self.relation(&name),
                name.range,
            );
        }
    }
}
