//! A typo in any key or any enum gets the right suggestion, or none.

use std::collections::BTreeSet;

use serde_json::Value;

use super::guide::{choices_of, keys_of};
use super::words::closest;
use crate::plan::schema::shapes;

/// Every mapping's keys and every enum's choices, as the schema has them.
fn vocabularies() -> BTreeSet<Vec<&'static str>> {
    fn walk(value: &'static Value, all: &mut BTreeSet<Vec<&'static str>>) {
        match value {
            Value::Object(object) => {
                all.insert(keys_of(value));
                all.insert(choices_of(value));
                object.values().for_each(|inner| walk(inner, all));
            }
            Value::Array(items) => items.iter().for_each(|inner| walk(inner, all)),
            _ => {}
        }
    }
    let mut all = BTreeSet::new();
    walk(shapes(), &mut all);
    all.retain(|words| !words.is_empty());
    all
}

/// What people type instead of a word.
fn typos(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let mut typos = vec![
        word.to_uppercase(),
        word.replace('_', "-"),
        word.replace('_', " "),
        word.replace('_', ""),
        format!("{word}s"),
        format!("\u{a0}{word}"),
        format!("\u{201c}{word}\u{201d}"),
    ];
    typos.extend(word.strip_suffix('s').map(str::to_owned));
    for at in 0..chars.len() {
        let mut dropped = chars.clone();
        dropped.remove(at);
        typos.push(dropped.into_iter().collect());
        let mut doubled = chars.clone();
        doubled.insert(at, chars[at]);
        typos.push(doubled.into_iter().collect());
        if at > 0 {
            let mut swapped = chars.clone();
            swapped.swap(at - 1, at);
            typos.push(swapped.into_iter().collect());
        }
    }
    typos.retain(|typo| typo != word && !typo.is_empty());
    typos
}

/// How far apart two words are, without case and separators.
fn distance(a: &str, b: &str) -> usize {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    strsim::damerau_levenshtein(&plain(a), &plain(b))
}

#[test]
fn every_typo_gets_the_right_suggestion_or_none() {
    let mut asked = 0;
    for words in vocabularies() {
        for word in &words {
            for typo in typos(word) {
                if words.contains(&&*typo) {
                    continue;
                }
                asked += 1;
                let near = closest(&typo, &words);
                let own = distance(&typo, word);
                let nearer = words
                    .iter()
                    .any(|other| other != word && distance(&typo, other) < own);
                let as_near = words
                    .iter()
                    .any(|other| other != word && distance(&typo, other) == own);
                // Of two letters nothing much is left after a slip.
                let short = word.len() <= 2 && own > 0;
                if !nearer && !as_near && !short {
                    assert_eq!(near, [*word], "{typo} among {words:?}");
                } else if !nearer && !short {
                    assert!(near.contains(word), "{typo} among {words:?}: {near:?}");
                }
            }
        }
    }
    assert!(asked > 10_000, "{asked} typos");
}

#[test]
fn nonsense_gets_no_suggestion() {
    for words in vocabularies() {
        for nonsense in [
            "qqq",
            "zzzzzzzzzzzz",
            "xylophone",
            "ticket",
            "banana",
            "",
            "1",
            "--",
        ] {
            assert!(
                closest(nonsense, &words).is_empty(),
                "{nonsense} is not {:?}",
                closest(nonsense, &words)
            );
        }
    }
}
