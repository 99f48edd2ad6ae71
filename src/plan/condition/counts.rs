//! What expressions and sentences ask of a manifest migration: `manifest.failed`, `manifest['STEP-2-1'].migrated`.

use super::expression::Expression;

/// The members that a manifest migration provides once it has run. `from_versions` is a mapping from a version to how
/// many manifests had it before; the others are whole numbers.
pub const COUNTS: &[&str] = &[
    "total",
    "migrated",
    "current",
    "failed",
    "corrupted",
    "unknown",
    "unreadable",
    "remaining",
    "from_versions",
];

/// One mention of `manifest` in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<'t> {
    /// The step in `manifest['STEP']`; none for the step that is meant by the place.
    pub step: Option<&'t str>,
    /// The member that is asked for; none where the expression takes the whole.
    pub member: Option<&'t str>,
}

/// Every mention of `manifest` in an expression, in order. Texts in quotes are looked at only as subscripts.
#[must_use]
pub fn counts(text: &str) -> Vec<Count<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        if matches!(first, '\'' | '"') {
            rest = rest[1..].split_once(first).map_or("", |(_, after)| after);
            before = first;
        } else if first.is_alphanumeric() || first == '_' {
            let (word, after) = word(rest);
            rest = after;
            if word == "manifest" && before != '.' {
                let (count, after) = count(rest);
                found.push(count);
                rest = after;
            }
            before = ' ';
        } else {
            rest = &rest[first.len_utf8()..];
            if !first.is_whitespace() {
                before = first;
            }
        }
    }
    found
}

/// What follows the word `manifest`, and the rest of the text.
fn count(text: &str) -> (Count<'_>, &str) {
    let (mut step, mut member) = (None, None);
    let mut rest = text;
    if let Some((name, after)) = subscript(rest) {
        rest = after;
        // `manifest['failed']` is the same as `manifest.failed`.
        if COUNTS.contains(&name) {
            member = Some(name);
        } else {
            step = Some(name);
        }
    }
    if member.is_none()
        && let Some((name, after)) = attribute(rest).or_else(|| subscript(rest))
    {
        member = Some(name);
        rest = after;
    }
    (Count { step, member }, rest)
}

/// The name at the start of an expression (letters, digits, `_`; it may be empty), and what follows.
#[must_use]
pub fn word(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    text.split_at(end)
}

fn attribute(text: &str) -> Option<(&str, &str)> {
    let (name, after) = word(text.strip_prefix('.')?);
    (!name.is_empty()).then_some((name, after))
}

fn subscript(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix('[')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (name, after) = rest[1..].split_once(quote)?;
    Some((name, after.trim_start().strip_prefix(']')?))
}

/// The expression that a sentence is, if it begins with a count of a manifest migration, compares it, and mentions
/// nothing else: `manifest.failed == 0`, `manifest['STEP-2-1'].migrated > 0`. One `=` is taken for two.
pub(super) fn sentence(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    let after = text.strip_prefix("manifest")?;
    if !after.starts_with(['.', '[']) {
        return None;
    }
    let (first, rest) = count(after);
    first.member?;
    let rest = rest.trim_start();
    let sign = ["==", "!=", "<=", ">=", "<", ">", "="]
        .into_iter()
        .find(|sign| rest.starts_with(sign))?;
    let expression = if sign == "=" {
        let begun = text.len() - rest.len();
        format!("{}=={}", &text[..begun], &rest[1..])
    } else {
        text.to_owned()
    };
    let parsed = Expression::parse(&expression).ok()?;
    parsed.mentions_only("manifest").then_some(expression)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        counts(text)
            .iter()
            .map(|c| format!("{}:{}", c.step.unwrap_or("-"), c.member.unwrap_or("-")))
            .collect()
    }

    #[test]
    fn mentions_are_found_whole() {
        assert_eq!(said("manifest.failed == 0"), ["-:failed"]);
        assert_eq!(
            said("manifest['S-1'].migrated > 0 and manifest[\"S-2\"]['failed'] == 0"),
            ["S-1:migrated", "S-2:failed"]
        );
        assert_eq!(said("manifest['failed'] == 0"), ["-:failed"]);
        assert_eq!(
            said("manifest.from_versions['1.0.0'] > 3 or vars.manifest == 'manifest.failed'"),
            ["-:from_versions"]
        );
        assert_eq!(said("manifest is defined and manifests.x"), ["-:-"]);
        assert_eq!(said("steps['manifest'].succeeded"), [""; 0]);
    }

    #[test]
    fn sentences_that_compare_a_count_are_expressions() {
        assert_eq!(
            sentence("manifest.failed == 0").as_deref(),
            Some("manifest.failed == 0")
        );
        assert_eq!(
            sentence(" manifest.failed = 0.").as_deref(),
            Some("manifest.failed == 0")
        );
        assert!(sentence("manifest['STEP-2-1'].migrated > 0").is_some());
        assert!(sentence("manifest.migrated == manifest.total - manifest.current").is_some());
        for prose in [
            "manifest.json is valid",
            "manifest.json == reviewed",
            "manifest has no failures",
            "manifests.failed == 0",
            "manifest.failed is looked at",
            "manifest.failed == 0 and the owner agrees",
        ] {
            assert_eq!(sentence(prose), None, "{prose}");
        }
    }
}
