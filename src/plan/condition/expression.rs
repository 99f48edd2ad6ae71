//! `when:` expressions: minijinja over facts that the caller passes.
//!
//! minijinja is lenient where a gate must not be. Here an expression must come out as a bool; undefined, none and
//! errors are inconclusive, and so is comparing things of different kinds, which minijinja answers with a silent
//! `false` (or, for `p99 > None`, a silent `true`).

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::Judgement;
use super::split::{Split, split};

/// The names at the root of what an expression can see.
pub const FACT_ROOTS: &[&str] = &["steps", "phases", "gates", "vars", "manifest"];

/// Instructions that one evaluation may take. Conditions take dozens.
const FUEL: u64 = 50_000;

/// No condition that people review is longer, in bytes.
const LONGEST: usize = 8 * 1024;

/// An expression that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse the expression at line {line}, column {column}: {message}{}", hint.map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct SyntaxError {
    /// The line in the expression, from 1.
    pub line: usize,
    /// The column in that line in characters, from 1.
    pub column: usize,
    /// The byte offset in the expression.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it, where the slip is a known one.
    pub hint: Option<&'static str>,
}

/// A `when:` expression that minijinja accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    text: String,
}

impl Expression {
    /// Checks the syntax of an expression and keeps it.
    ///
    /// # Errors
    ///
    /// The expression is empty, longer than 8 KiB, or no minijinja expression; with the position.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let refuse = |message: &str| SyntaxError {
            line: 1,
            column: 1,
            offset: 0,
            message: message.to_owned(),
            hint: None,
        };
        if text.trim().is_empty() {
            return Err(refuse("it is empty"));
        }
        if text.len() > LONGEST {
            return Err(refuse("it is longer than 8 KiB"));
        }
        let environment = environment();
        if let Err(error) = environment.compile_expression(text) {
            return Err(located(text, &error));
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The expression as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names it uses that are neither facts nor functions, sorted: slips that would stay inconclusive for ever.
    #[must_use]
    pub fn unknown_names(&self) -> Vec<String> {
        let environment = environment();
        let functions: BTreeSet<&str> = environment.globals().map(|(name, _)| name).collect();
        let Ok(expression) = environment.compile_expression(&self.text) else {
            return Vec::new();
        };
        let used: BTreeSet<String> = expression
            .undeclared_variables(false)
            .into_iter()
            .filter(|name| {
                !FACT_ROOTS.contains(&name.as_str()) && !functions.contains(name.as_str())
            })
            .collect();
        used.into_iter().collect()
    }

    /// Whether `name` is the only name at the root of what it looks at.
    #[must_use]
    pub(super) fn mentions_only(&self, name: &str) -> bool {
        let environment = environment();
        environment
            .compile_expression(&self.text)
            .is_ok_and(|expression| {
                expression
                    .undeclared_variables(false)
                    .iter()
                    .all(|used| used == name)
            })
    }

    /// Evaluates it over facts: an object with the keys of [`FACT_ROOTS`].
    #[must_use]
    pub fn judge(&self, facts: &serde_json::Value) -> Judgement {
        let environment = environment();
        let facts = Value::from(minijinja::value::Serde(facts));
        match truth(&environment, &self.text, &facts) {
            Ok(holds) => Judgement::of(holds),
            Err(why) => Judgement::inconclusive(why),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// Evaluates an expression that may not even parse; that, too, is inconclusive.
#[must_use]
pub fn judge(expression: &str, facts: &serde_json::Value) -> Judgement {
    match Expression::parse(expression) {
        Ok(expression) => expression.judge(facts),
        Err(error) => Judgement::inconclusive(format!("failed to {error}")),
    }
}

/// Checks the syntax of an expression.
///
/// # Errors
///
/// As for [`Expression::parse`].
pub fn check_syntax(expression: &str) -> Result<(), SyntaxError> {
    Expression::parse(expression).map(|_| ())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    // `x is lt 10` would slip past the comparison below.
    for (names, sign) in [
        (["lt", "lessthan"], "<"),
        (["le", "<="], "<="),
        (["gt", "greaterthan"], ">"),
        (["ge", ">="], ">="),
        (["eq", "equalto"], "=="),
        (["ne", "!="], "!="),
    ] {
        for name in names {
            environment.add_test(name, move |left: Value, right: Value| {
                compare(&left, sign, &right)
                    .map_err(|why| minijinja::Error::new(ErrorKind::InvalidOperation, why))
            });
        }
    }
    environment
}

fn located(text: &str, error: &minijinja::Error) -> SyntaxError {
    let offset = error.range().map_or(0, |range| range.start.min(text.len()));
    let before = text.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let message = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let hint = if text.contains('%') {
        Some("in an expression % means remainder: write the number alone, or a metric: probe")
    } else if text.contains("&&") || text.contains("||") || text.contains('!') {
        Some("write and, or, not")
    } else if text.contains("{{") || text.contains("{%") {
        Some("write the expression without {{ }}")
    } else {
        None
    };
    SyntaxError {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        offset,
        message,
        hint,
    }
}

/// The truth of an expression, or why it has none. Both operands of a comparison are looked at before it is made.
fn truth(environment: &Environment<'_>, text: &str, facts: &Value) -> Result<bool, String> {
    match split(text) {
        Split::Or(parts) => {
            for part in parts {
                if truth(environment, part, facts)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Split::And(parts) => {
            for part in parts {
                if !truth(environment, part, facts)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Split::Not(part) => truth(environment, part, facts).map(|holds| !holds),
        Split::Compare(operands, signs) => {
            for (pair, sign) in operands.windows(2).zip(signs) {
                let [left, right] = pair else { continue };
                let holds = compare(
                    &value(environment, left, facts)?,
                    sign,
                    &value(environment, right, facts)?,
                )
                .map_err(|why| format!("in {left} {sign} {right}: {why}"))?;
                if !holds {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Split::Leaf(leaf) => {
            let value = value(environment, leaf, facts)?;
            bool::try_from(value.clone())
                .ok()
                .filter(|_| value.kind() == ValueKind::Bool)
                .ok_or_else(|| format!("{leaf} is {}, not true or false", described(&value)))
        }
    }
}

fn value(environment: &Environment<'_>, text: &str, facts: &Value) -> Result<Value, String> {
    let expression = environment
        .compile_expression(text)
        .map_err(|error| format!("{text} cannot be read: {}", detail(&error)))?;
    match expression.eval(facts.clone()) {
        Ok(value) => Ok(value),
        Err(error) if error.kind() == ErrorKind::OutOfFuel => {
            Err(format!("{text} takes too long to evaluate"))
        }
        Err(error) => Err(format!("{text} has no value: {}", detail(&error))),
    }
}

/// The message without minijinja's listing of the source.
fn detail(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

fn described(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => "undefined".to_owned(),
        ValueKind::None => "none".to_owned(),
        ValueKind::String => format!("the text {value:?}"),
        ValueKind::Number => format!("the number {value}"),
        ValueKind::Bool => format!("the truth value {value}"),
        other => format!("a {other}"),
    }
}

fn compare(left: &Value, sign: &str, right: &Value) -> Result<bool, String> {
    let both = || format!("{} and {}", described(left), described(right));
    let equality = matches!(sign, "==" | "!=");
    let order = match (left.kind(), right.kind()) {
        (ValueKind::Number, ValueKind::Number) => numbers(left, right)
            .ok_or_else(|| format!("{} cannot be compared as numbers", both()))?,
        (ValueKind::String, ValueKind::String) => {
            if !equality && is_numeric(left) && is_numeric(right) {
                return Err(format!(
                    "{} are texts, and texts compare letter by letter; write |float after each",
                    both()
                ));
            }
            left.cmp(right)
        }
        (ValueKind::Bool, ValueKind::Bool) if equality => left.cmp(right),
        (ValueKind::Seq, ValueKind::Seq) | (ValueKind::Map, ValueKind::Map) if equality => {
            return Ok((left == right) == (sign == "=="));
        }
        _ => return Err(format!("{} cannot be compared", both())),
    };
    Ok(match sign {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "==" => order.is_eq(),
        _ => order.is_ne(),
    })
}

/// The order of two numbers; none if one is NaN. Whole numbers compare exactly.
fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    if left.is_integer() && right.is_integer() {
        return Some(left.cmp(right));
    }
    let left = f64::try_from(left.clone()).ok()?;
    let right = f64::try_from(right.clone()).ok()?;
    left.partial_cmp(&right)
}

fn is_numeric(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.trim().parse::<f64>().is_ok())
}
