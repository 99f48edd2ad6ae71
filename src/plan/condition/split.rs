//! Splitting an expression at the operators whose operands must be looked at one by one.
//!
//! minijinja compares any two values without complaint: `'5' < 10` is false. To say "inconclusive" instead, the
//! operands must be evaluated and seen. minijinja's own syntax tree is not a stable interface, so the text is split
//! here, at `or`, `and`, `not` and the comparators and nowhere else: what is left between them goes to minijinja as
//! it is.

/// The outermost operator of an expression and its operands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Split<'e> {
    Or(Vec<&'e str>),
    And(Vec<&'e str>),
    Not(&'e str),
    /// `a < b <= c`: operands, and the comparators between them.
    Compare(Vec<&'e str>, Vec<&'e str>),
    /// Anything else, for minijinja.
    Leaf(&'e str),
}

#[derive(Debug, Clone, Copy)]
struct Token<'e> {
    text: &'e str,
    at: usize,
    depth: usize,
}

/// Words, comparators, and single other characters; strings are one token.
fn tokens(expression: &str) -> Vec<Token<'_>> {
    let bytes = expression.as_bytes();
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut own_depth = depth;
        match bytes[at] {
            quote @ (b'\'' | b'"') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
            }
            b'(' | b'[' | b'{' => {
                depth += 1;
                at += 1;
            }
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                own_depth = depth;
                at += 1;
            }
            b'<' | b'>' | b'=' | b'!' if bytes.get(at + 1) == Some(&b'=') => at += 2,
            first if first.is_ascii_alphanumeric() || first == b'_' || first >= 0x80 => {
                while at < bytes.len()
                    && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_' || bytes[at] >= 0x80)
                {
                    at += 1;
                }
            }
            first if first.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => at += 1,
        }
        if let Some(text) = expression.get(start..at) {
            found.push(Token {
                text,
                at: start,
                depth: own_depth,
            });
        }
    }
    found
}

/// Splits an expression that minijinja has already accepted.
pub(super) fn split(expression: &str) -> Split<'_> {
    let expression = expression.trim();
    let all = tokens(expression);
    let outer = || all.iter().enumerate().filter(|(_, token)| token.depth == 0);
    // A name after a dot is an attribute, whatever it is called.
    let is_word = |index: usize, word: &str| {
        all[index].text == word && (index == 0 || all[index - 1].text != ".")
    };
    if outer().any(|(index, _)| is_word(index, "if")) {
        return Split::Leaf(expression);
    }
    for word in ["or", "and"] {
        let cuts: Vec<_> = outer()
            .filter(|(index, _)| is_word(*index, word))
            .map(|(_, token)| (token.at, token.at + token.text.len()))
            .collect();
        if !cuts.is_empty() {
            let parts = pieces(expression, &cuts);
            return if word == "or" {
                Split::Or(parts)
            } else {
                Split::And(parts)
            };
        }
    }
    if let Some(first) = all.first().filter(|first| first.text == "not") {
        return Split::Not(expression[first.at + first.text.len()..].trim());
    }
    if let Some(inner) = unwrapped(expression, &all) {
        return split(inner);
    }
    // `in` shares its rank with the comparators; a chain that mixes them is left to minijinja.
    if outer().any(|(index, _)| is_word(index, "in")) {
        return Split::Leaf(expression);
    }
    let compares: Vec<_> = outer()
        .filter(|(_, token)| matches!(token.text, "<" | "<=" | ">" | ">=" | "==" | "!="))
        .map(|(_, token)| *token)
        .collect();
    if compares.is_empty() {
        return Split::Leaf(expression);
    }
    let cuts: Vec<_> = compares
        .iter()
        .map(|token| (token.at, token.at + token.text.len()))
        .collect();
    Split::Compare(
        pieces(expression, &cuts),
        compares.iter().map(|token| token.text).collect(),
    )
}

fn pieces<'e>(expression: &'e str, cuts: &[(usize, usize)]) -> Vec<&'e str> {
    let mut start = 0;
    let mut found = Vec::with_capacity(cuts.len() + 1);
    for (cut, next) in cuts {
        found.push(expression[start..*cut].trim());
        start = *next;
    }
    found.push(expression[start..].trim());
    found
}

/// What is inside, if one pair of round brackets holds the whole expression and no comma makes it a list.
fn unwrapped<'e>(expression: &'e str, all: &[Token<'_>]) -> Option<&'e str> {
    let (first, last) = (all.first()?, all.last()?);
    let whole = first.text == "("
        && last.text == ")"
        && all.len() > 2
        && all[1..all.len() - 1].iter().all(|token| token.depth > 0)
        && !all
            .iter()
            .any(|token| token.depth == 1 && token.text == ",");
    whole.then(|| expression[first.at + 1..last.at].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_loosest_operator() {
        assert_eq!(split("a or b and c"), Split::Or(vec!["a", "b and c"]));
        assert_eq!(split("a and (b or c)"), Split::And(vec!["a", "(b or c)"]));
        assert_eq!(split("((a or b))"), Split::Or(vec!["a", "b"]));
        assert_eq!(split("not a < b"), Split::Not("a < b"));
        assert_eq!(
            split("1 < x <= 3"),
            Split::Compare(vec!["1", "x", "3"], vec!["<", "<="])
        );
        assert_eq!(
            split("(a) == (b)"),
            Split::Compare(vec!["(a)", "(b)"], vec!["==",])
        );
        assert_eq!(
            split("'a or b' == x.or"),
            Split::Compare(vec!["'a or b'", "x.or"], vec!["=="])
        );
        assert_eq!(split("a if b else c"), Split::Leaf("a if b else c"));
        assert_eq!(split("x is not defined"), Split::Leaf("x is not defined"));
        assert_eq!(split("a not in b"), Split::Leaf("a not in b"));
        assert_eq!(split("f(a < b)"), Split::Leaf("f(a < b)"));
        assert_eq!(split("f(a=1)"), Split::Leaf("f(a=1)"));
        assert_eq!(split("(a, b)"), Split::Leaf("(a, b)"));
        assert_eq!(split("order"), Split::Leaf("order"));
        assert_eq!(
            split(r"'it\'s < 5' == x"),
            Split::Compare(vec![r"'it\'s < 5'", "x"], vec!["=="])
        );
    }
}
