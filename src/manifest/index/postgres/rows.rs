//! Rows turned into columns: a whole batch is one statement with an array for each column.

use tokio_postgres::types::ToSql;

use super::super::Stamp;
use super::super::entry::{File, Manifest, Row};

/// The path of a row.
pub(super) fn path(row: &Row) -> &str {
    match row {
        Row::Manifest(m) => &m.file.path,
        Row::Problem { file, .. } => &file.path,
        Row::Gone(path) => path,
    }
}

/// What both tables have.
#[derive(Default)]
struct FileColumns<'a> {
    path: Vec<&'a str>,
    /// Size, time of writing, time of change, inode.
    stamp: [Vec<i64>; 4],
    sha256: Vec<Option<&'a str>>,
    at: Vec<i64>,
}

impl<'a> FileColumns<'a> {
    fn push(&mut self, file: &'a File) {
        let Stamp {
            size,
            mtime_ns,
            ctime_ns,
            inode,
        } = file.stamp;
        self.path.push(&file.path);
        let numbers = [size.cast_signed(), mtime_ns, ctime_ns, inode.cast_signed()];
        for (column, number) in self.stamp.iter_mut().zip(numbers) {
            column.push(number);
        }
        self.sha256.push(file.sha256.as_deref());
        self.at.push(file.indexed_at_ns);
    }
}

/// The manifests of a batch.
#[derive(Default)]
pub(super) struct ManifestColumns<'a> {
    file: FileColumns<'a>,
    kind: Vec<&'a str>,
    version: Vec<&'a str>,
    fields: [Vec<Option<&'a str>>; 6],
    document: Vec<Option<&'a str>>,
    text: Vec<Option<&'a str>>,
    note: Vec<Option<String>>,
}

impl<'a> ManifestColumns<'a> {
    /// `refused` is why the database does not take the documents as JSON, if it has said so.
    pub(super) fn of(rows: &'a [Row], refused: Option<&str>) -> Self {
        let mut columns = Self::default();
        for row in rows {
            if let Row::Manifest(manifest) = row {
                columns.push(manifest, refused);
            }
        }
        columns
    }

    fn push(&mut self, m: &'a Manifest, refused: Option<&str>) {
        self.file.push(&m.file);
        self.kind.push(&m.judged.kind);
        self.version.push(&m.judged.version);
        for (column, field) in self.fields.iter_mut().zip(&m.fields) {
            column.push(field.as_deref());
        }
        let mut notes = m.notes.clone();
        let mut taken = m.text.is_some();
        let mut exact = true;
        if taken {
            if m.odd.nul {
                taken = false;
                notes.push(
                    "it holds the character U+0000, which JSONB refuses; see `text`".to_owned(),
                );
            } else if let Some(why) = refused {
                taken = false;
                notes.push(format!("JSONB refuses it ({why}); see `text`"));
            } else {
                if m.odd.respelled {
                    exact = false;
                    notes.push("JSONB writes some of its numbers otherwise; see `text`".to_owned());
                }
                if m.has_mark() {
                    exact = false;
                    notes.push("it begins with a byte order mark; see `text`".to_owned());
                }
            }
        }
        self.document.push(m.json().filter(|_| taken));
        self.text
            .push(m.text.as_deref().filter(|_| !taken || !exact));
        self.note
            .push((!notes.is_empty()).then(|| notes.join("; ")));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kind.is_empty()
    }

    /// In the order of the statement.
    pub(super) fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&self.file.path, &self.kind, &self.version];
        all.extend(self.fields.iter().map(|f| f as &(dyn ToSql + Sync)));
        all.extend(self.file.stamp.iter().map(|s| s as &(dyn ToSql + Sync)));
        all.extend([
            &self.file.sha256 as &(dyn ToSql + Sync),
            &self.document,
            &self.text,
            &self.note,
            &self.file.at,
        ]);
        all
    }
}

/// The problems of a batch.
#[derive(Default)]
pub(super) struct ProblemColumns<'a> {
    file: FileColumns<'a>,
    class: Vec<&'a str>,
    message: Vec<&'a str>,
    line: Vec<Option<i64>>,
    column: Vec<Option<i64>>,
}

impl<'a> ProblemColumns<'a> {
    pub(super) fn of(rows: &'a [Row]) -> Self {
        let mut columns = Self::default();
        for row in rows {
            if let Row::Problem { file, objection } = row {
                columns.file.push(file);
                columns.class.push(&objection.class);
                columns.message.push(&objection.message);
                let place = objection.place;
                columns.line.push(place.map(|(line, _)| line.cast_signed()));
                columns.column.push(place.map(|(_, c)| c.cast_signed()));
            }
        }
        columns
    }

    pub(super) fn is_empty(&self) -> bool {
        self.class.is_empty()
    }

    /// In the order of the statement.
    pub(super) fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![
            &self.file.path,
            &self.class,
            &self.message,
            &self.line,
            &self.column,
        ];
        all.extend(self.file.stamp.iter().map(|s| s as &(dyn ToSql + Sync)));
        all.extend([&self.file.sha256 as &(dyn ToSql + Sync), &self.file.at]);
        all
    }
}
