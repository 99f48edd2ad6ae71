//! What people and programs see of a migration of documents: ledgers whose rows add up, failures by class with what to
//! do, a line of progress, diffs.
//!
//! A [`Ledger`] is the end of every verb: rows of counts, their sum, what failed, what is where, what to type next. The
//! sum is never given but computed, so a row that is missing shows.

mod diff;
mod failures;
mod outcome;
mod progress;
#[cfg(test)]
mod tests;
mod upkeep;
mod versions;

pub use diff::{Change, LONGEST_DIFF, diff};
pub use failures::{Failed, Failures, NAMED};
pub use outcome::{IN_RESULT, Migration, Restoration};
pub use progress::{Bar, Progress, line};
pub use upkeep::{Indexing, Pruning, Verification};
pub use versions::{OfVersion, Versions, Way};

use crate::show::text::{Look, Page, Tone, columns, cut, visible, wrap};

/// Widest label of a row (columns).
const LABEL: usize = 24;

/// Least room for a note beside its row; with less it stands below (columns).
const NOTE: usize = 16;

/// Some of the documents, as a row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What they have in common: a version, or what became of them.
    pub label: String,
    /// How many they are.
    pub count: u64,
    /// What that means; may be empty.
    pub note: String,
    /// Its colour.
    pub tone: Option<Tone>,
}

impl Row {
    /// A row without a colour.
    #[must_use]
    pub fn new(label: impl Into<String>, count: u64, note: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            count,
            note: note.into(),
            tone: None,
        }
    }

    /// The same in a colour, unless nothing is in it.
    #[must_use]
    pub fn toned(mut self, tone: Tone) -> Self {
        self.tone = (self.count > 0).then_some(tone);
        self
    }
}

/// How a verb ended, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The words that say it all, in capitals.
    pub word: &'static str,
    /// What was looked at, as a clause.
    pub subject: String,
    /// SPEC section 10.
    pub exit_code: u8,
    /// Each document is in exactly one.
    pub rows: Vec<Row>,
    /// What failed.
    pub failures: Failures,
    /// What else is to be known: a label and a sentence each.
    pub facts: Vec<(&'static str, String)>,
    /// What to type next: a label and a command each.
    pub commands: Vec<(&'static str, String)>,
}

impl Ledger {
    /// A ledger that says what was looked at, and nothing yet of what was found.
    #[must_use]
    pub fn new(word: &'static str, subject: impl Into<String>, exit_code: u8) -> Self {
        Self {
            word,
            subject: subject.into(),
            exit_code,
            rows: Vec::new(),
            failures: Failures::default(),
            facts: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// The sum of all rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.iter().map(|row| row.count).sum()
    }

    /// The ledger as text that ends in a line break.
    #[must_use]
    pub fn draw(&self, look: Look) -> String {
        let mut page = Page::new(look);
        let tone = match self.exit_code {
            0 => Tone::Good,
            130 => Tone::Asks,
            _ => Tone::Bad,
        };
        let head = match self.exit_code {
            0 => format!("{}: {}", self.word, self.subject),
            code => format!(
                "{}: {} (exit code {code}: {})",
                self.word,
                self.subject,
                ended(code)
            ),
        };
        page.line(0, Some(tone), &head);
        self.table(&mut page);
        self.failures.draw(&mut page);
        if !self.facts.is_empty() || !self.commands.is_empty() {
            page.blank();
        }
        for (label, text) in &self.facts {
            page.field(0, &format!("{label}:"), text);
        }
        for (label, command) in &self.commands {
            page.command(0, &format!("{label}:"), command);
        }
        page.finish()
    }

    fn table(&self, page: &mut Page) {
        if self.rows.is_empty() {
            return;
        }
        page.blank();
        let total = self.total();
        let sum = Row::new("total", total, "");
        let all = || self.rows.iter().chain([&sum]);
        let labels = all().map(|row| columns(&row.label)).max().unwrap_or(0);
        let labels = labels.min(LABEL);
        let counts = total.to_string().len();
        let shares = all().map(|row| share(row.count, total).len()).max();
        let shares = shares.unwrap_or(0);
        for row in all() {
            let label = cut(&visible(&row.label), labels);
            let pad = labels - columns(&label);
            let share = share(row.count, total);
            let head = format!(
                "  {label}{:pad$}  {:>counts$}  {share:>shares$}",
                "", row.count
            );
            let note = if row.count > 0 { row.note.as_str() } else { "" };
            entry(page, row.tone, &head, note);
        }
        if rounded(&self.rows, total) {
            page.line(
                2,
                Some(Tone::Dim),
                "(shares are rounded one by one; the counts are exact)",
            );
        }
    }
}

/// A row of the table and its note: beside it where there is room, else below.
fn entry(page: &mut Page, tone: Option<Tone>, head: &str, note: &str) {
    let beside = columns(head) + 3;
    if note.is_empty() {
        page.row_of(tone, head);
    } else if page.room(beside) >= NOTE {
        let mut lines = wrap(&visible(note), page.room(beside)).into_iter();
        let first = lines.next().unwrap_or_default();
        page.row_of(tone, &format!("{head}   {first}"));
        for line in lines {
            page.row_of(tone, &format!("{:beside$}{line}", ""));
        }
    } else {
        page.row_of(tone, head);
        page.line(4, tone, note);
    }
}

/// What an exit code means here.
fn ended(exit_code: u8) -> &'static str {
    match exit_code {
        4 => "failed, nothing was changed",
        5 => "some failed, the others are done",
        8 => "a claim was disproven",
        9 => "refused, nothing started",
        130 => "interrupted and saved",
        _ => "internal or I/O error",
    }
}

/// Tenths of a percent, rounded half up; `total` is not zero.
fn tenths(count: u64, total: u64) -> u64 {
    let (count, total) = (u128::from(count), u128::from(total));
    u64::try_from((count * 2000 + total) / (total * 2)).unwrap_or(1000)
}

/// `count` of `total` in percent: nothing is 0%, a little is never 0%, and all but a little never 100%.
#[must_use]
pub fn share(count: u64, total: u64) -> String {
    if total == 0 || count == 0 {
        return "0%".to_owned();
    }
    if count == total {
        return "100%".to_owned();
    }
    match tenths(count, total) {
        0 => "<0.1%".to_owned(),
        1000.. => ">99.9%".to_owned(),
        tenths => format!("{}.{}%", tenths / 10, tenths % 10),
    }
}

/// Whether the shares, as they are shown, do not add up to 100%.
fn rounded(rows: &[Row], total: u64) -> bool {
    total > 0 && rows.iter().map(|row| tenths(row.count, total)).sum::<u64>() != 1000
}

/// "1 manifest", "3 manifests".
#[must_use]
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A number of bytes as people say it.
#[must_use]
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if n < 1024 {
        return format!("{n} bytes");
    }
    let mut tenths = u128::from(n) * 10;
    let mut unit = "";
    for name in UNITS {
        tenths /= 1024;
        unit = name;
        if tenths < 10_240 {
            break;
        }
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}
