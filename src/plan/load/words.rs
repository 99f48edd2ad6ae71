//! How findings about the shape name things, and what a misspelt word was meant to be.

use jsonschema::JsonType;

use crate::plan::source::Kind;

/// The words that were probably meant: one, or a few that are equally near. Empty when nothing is
/// near enough to be more than a guess.
pub(in crate::plan) fn closest<'c>(given: &str, candidates: &[&'c str]) -> Vec<&'c str> {
    let given = plain(given);
    if given.is_empty() {
        return Vec::new();
    }
    let mut best = usize::MAX;
    let mut near: Vec<&'c str> = Vec::new();
    for candidate in candidates {
        let wanted = plain(candidate);
        let far = if wanted == given {
            0
        } else {
            1 + strsim::damerau_levenshtein(&given, &wanted)
        };
        if far > 1 + limit(given.chars().count().max(wanted.len())) {
            continue;
        }
        if far < best {
            best = far;
            near.clear();
        }
        if far == best && !near.contains(candidate) {
            near.push(candidate);
        }
    }
    if near.is_empty() {
        // A part of the word: `script` for `automation_script`.
        near = candidates
            .iter()
            .copied()
            .filter(|candidate| {
                let wanted = plain(candidate);
                given.len() >= 4 && (wanted.starts_with(&given) || wanted.ends_with(&given))
            })
            .collect();
    }
    if near.len() > 3 {
        near.clear();
    }
    near
}

/// How many slips a word of this length may have.
fn limit(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        9..=14 => 3,
        _ => 4,
    }
}

/// The letters of a word: case, separators, quotes and what cannot be seen do not count.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The help for a word that has near ones.
pub(in crate::plan) fn did_you_mean(near: &[&str]) -> Option<String> {
    match near {
        [] => None,
        [one] => Some(format!("did you mean `{one}`?")),
        [first, rest @ ..] => {
            let rest: Vec<_> = rest.iter().map(|word| format!("`{word}`")).collect();
            Some(format!("did you mean `{first}` or {}?", rest.join(" or ")))
        }
    }
}

pub(in crate::plan) fn list(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a pointer leads to, in words: `migration_phases[0].steps[1].name`.
pub(in crate::plan) fn owner(pointer: &str) -> String {
    if pointer.is_empty() {
        return "the plan".to_owned();
    }
    let mut words = String::with_capacity(pointer.len() + 2);
    words.push('`');
    for (at, token) in pointer.split('/').skip(1).enumerate() {
        if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
            words.push('[');
            words.push_str(token);
            words.push(']');
            continue;
        }
        if at > 0 {
            words.push('.');
        }
        words.push_str(&token.replace("~1", "/").replace("~0", "~"));
    }
    words.push('`');
    words
}

pub(super) fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "nothing",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "text",
        JsonType::Array => "a list",
        JsonType::Object => "a mapping",
    }
}

pub(in crate::plan) fn name_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null => "nothing",
        Kind::Bool(_) => "a truth value",
        Kind::Number(..) => "a number",
        Kind::Text(_) => "text",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a mapping",
    }
}

/// Characters that look like a space or like nothing, and are neither for YAML.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{ad}' | '\u{2000}'
            ..='\u{200f}' | '\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{3000}' | '\u{feff}'
    )
}

/// Quotation marks of typography: YAML and shells take them for letters.
pub(super) fn is_smart_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}' | '«' | '»')
}
