//! A Gantt chart as one self-contained SVG: light and dark, readable at 1,000 pixels, without a script.
//!
//! A [`Chart`] is plain data, bars on rows in groups, and knows nothing of plans; [`planned`] makes one of a program's
//! schedule. Whoever has measured times puts bars of its own beside these.

mod draw;
mod planned;
mod scale;
#[cfg(test)]
mod tests;

pub use draw::svg;
pub use planned::planned;

/// What is drawn. Times are milliseconds from the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// In large letters.
    pub title: String,
    /// Below it, a line each.
    pub facts: Vec<String>,
    /// From top to bottom.
    pub groups: Vec<Group>,
    /// Times in which work may go on, drawn behind everything.
    pub bands: Vec<Band>,
    /// Whether the figures on the axis are true; not where something without an estimate is drawn with a length.
    pub axis: bool,
    /// Below the chart, a line each.
    pub notes: Vec<String>,
}

/// A phase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub label: String,
    /// In small letters below the name: how long, and how to get back.
    pub note: String,
    /// From its beginning to its end.
    pub span: (u64, u64),
    /// A way back that begins at its end: until when it would last.
    pub back_until: Option<u64>,
    /// The last moment at which the way back still fits into the window in which the phase ends.
    pub back_by: Option<u64>,
    /// From top to bottom.
    pub rows: Vec<Row>,
}

/// A step or a gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub label: String,
    /// Beside its last bar.
    pub note: String,
    /// Shown when the pointer rests on it.
    pub tip: String,
    /// Its bars.
    pub bars: Vec<Bar>,
    /// A gate: when it is reached.
    pub gate: Option<u64>,
    /// Whether it lies on the critical path.
    pub critical: bool,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// From here.
    pub from: u64,
    /// To here.
    pub to: u64,
    /// What it means.
    pub kind: BarKind,
}

/// What a bar means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarKind {
    /// Work.
    Work,
    /// Work of which nobody knows how long it takes.
    Unknown,
    /// Watching.
    Watch,
    /// It may end so much later.
    Slack,
    /// Undoing it.
    Undo,
}

/// A time in which work may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// It opens.
    pub from: u64,
    /// It closes.
    pub to: u64,
    /// When it closes, in words.
    pub label: String,
}
