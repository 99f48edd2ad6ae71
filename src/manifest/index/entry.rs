//! A row of the index, made of what a file holds.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::odd::{self, Odd};
use super::{Judged, Objection, Stamp};

/// Documents larger than this, in bytes, are indexed without their text: no database holds a gigabyte in a field.
pub(super) const LARGEST: usize = 64 << 20;

/// Fields longer than this, in bytes, have no column: a key of a PostgreSQL index has at most 2,704 bytes.
const LONGEST_FIELD: usize = 1_000;

/// The fields that get a column of their own, in the order of the tables.
pub(super) const FIELDS: [&str; 6] = [
    "job_id",
    "run_id",
    "job_ref",
    "job_type",
    "status",
    "inputs_hash",
];

/// What the index keeps of a file, either way.
#[derive(Debug)]
pub(super) struct File {
    /// The path from the tree's root, as text.
    pub(super) path: String,
    pub(super) stamp: Stamp,
    /// The SHA-256 of its bytes, in hexadecimal; none if they could not be read.
    pub(super) sha256: Option<String>,
    /// When it was read.
    pub(super) indexed_at_ns: i64,
}

/// A row of one of the tables.
#[derive(Debug)]
pub(super) enum Row {
    Manifest(Manifest),
    Problem {
        file: File,
        objection: Objection,
    },
    /// The file is gone since the walk; its rows go.
    Gone(String),
}

/// A manifest as the index keeps it.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) file: File,
    pub(super) judged: Judged,
    /// In the order of [`FIELDS`].
    pub(super) fields: [Option<String>; 6],
    /// The whole text, unless it is too large.
    pub(super) text: Option<String>,
    pub(super) odd: Odd,
    /// What is to be said about the row, whatever the database.
    pub(super) notes: Vec<String>,
}

impl Manifest {
    /// The text without a byte order mark, which no database takes as JSON.
    pub(super) fn json(&self) -> Option<&str> {
        self.text
            .as_deref()
            .map(|text| text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// True if the text begins with a byte order mark.
    pub(super) fn has_mark(&self) -> bool {
        self.text
            .as_deref()
            .is_some_and(|text| text.starts_with('\u{feff}'))
    }
}

#[derive(Deserialize)]
struct Columns<'a> {
    #[serde(borrow)]
    job_id: Option<&'a RawValue>,
    #[serde(borrow)]
    run_id: Option<&'a RawValue>,
    #[serde(borrow)]
    job_ref: Option<&'a RawValue>,
    #[serde(borrow)]
    job_type: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    inputs_hash: Option<&'a RawValue>,
}

/// The row of a file with these bytes.
pub(super) fn row(
    path: String,
    stamp: Stamp,
    bytes: Vec<u8>,
    judged: Result<Judged, Objection>,
    indexed_at_ns: i64,
) -> Row {
    let file = File {
        path,
        stamp,
        sha256: Some(hexadecimal(&Sha256::digest(&bytes))),
        indexed_at_ns,
    };
    let judged = match judged {
        Ok(judged) => judged,
        Err(objection) => return Row::Problem { file, objection },
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            return Row::Problem {
                file,
                objection: Objection {
                    class: "corrupted".to_owned(),
                    message: "it is not UTF-8".to_owned(),
                    place: None,
                },
            };
        }
    };
    let mut notes = Vec::new();
    let fields = fields(text.strip_prefix('\u{feff}').unwrap_or(&text), &mut notes);
    let odd = odd::scan(&text);
    let text = if text.len() > LARGEST {
        notes.push(format!(
            "the document has {} bytes, more than the index keeps; only its file has it",
            text.len()
        ));
        None
    } else {
        Some(text)
    };
    Row::Manifest(Manifest {
        file,
        judged,
        fields,
        text,
        odd,
        notes,
    })
}

/// The fields with columns of their own, if they are strings, numbers or booleans of the document's top level.
fn fields(json: &str, notes: &mut Vec<String>) -> [Option<String>; 6] {
    // Serde would take an array for the fields in their order.
    if !json.trim_start().starts_with('{') {
        return Default::default();
    }
    let columns: Columns<'_> = match serde_json::from_str(json) {
        Ok(columns) => columns,
        Err(error) => {
            notes.push(format!("its fields have no columns: {error}"));
            return Default::default();
        }
    };
    let raw = [
        columns.job_id,
        columns.run_id,
        columns.job_ref,
        columns.job_type,
        columns.status,
        columns.inputs_hash,
    ];
    let mut fields: [Option<String>; 6] = Default::default();
    for ((field, raw), name) in fields.iter_mut().zip(raw).zip(FIELDS) {
        let Some(raw) = raw.map(RawValue::get) else {
            continue;
        };
        *field = match raw.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<String>(raw) {
                Ok(value) if value.contains('\0') => {
                    notes.push(format!(
                        "`{name}` holds the character U+0000 and has no column; see the document"
                    ));
                    None
                }
                Ok(value) => Some(value),
                Err(error) => {
                    notes.push(format!("`{name}` has no column: {error}"));
                    None
                }
            },
            Some(b'{' | b'[') | None => None,
            Some(_) => Some(raw.to_owned()),
        };
        if field
            .as_ref()
            .is_some_and(|value| value.len() > LONGEST_FIELD)
        {
            notes.push(format!(
                "`{name}` is longer than {LONGEST_FIELD} bytes and has no column; see the document"
            ));
            *field = None;
        }
    }
    fields
}

/// The bytes in hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, b| {
        for digit in [b >> 4, b & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('?'));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> Manifest {
        let judged = Judged {
            kind: "run_manifest".to_owned(),
            version: "1.0.0".to_owned(),
        };
        match row(
            "a".to_owned(),
            Stamp::default(),
            text.as_bytes().to_vec(),
            Ok(judged),
            0,
        ) {
            Row::Manifest(manifest) => manifest,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn columns_hold_scalars_as_they_are_written() {
        let m = made(
            r#"{"job_id": "a\u00e4", "run_id": 1e400, "status": ["x"], "job_type": null, "job_ref": true}"#,
        );
        let fields: Vec<_> = m.fields.iter().map(Option::as_deref).collect();
        assert_eq!(
            fields,
            [Some("aä"), Some("1e400"), Some("true"), None, None, None]
        );
        assert!(m.notes.is_empty(), "{:?}", m.notes);
    }

    #[test]
    fn what_has_no_column_is_told() {
        let m = made(r#"{"job_id": "a\u0000b"}"#);
        assert_eq!(m.fields[0], None);
        assert_eq!(m.notes.len(), 1);
        let m = made(&format!(r#"{{"status": "{}"}}"#, "x".repeat(1_001)));
        assert_eq!((m.fields[4].as_deref(), m.notes.len()), (None, 1));
        let m = made("[1,2,3,4,5,6]");
        assert_eq!(m.fields, <[Option<String>; 6]>::default());
    }

    #[test]
    fn a_byte_order_mark_is_no_json() {
        let m = made("\u{feff}{\"job_id\":\"a\"}");
        assert!(m.has_mark());
        assert_eq!(m.json(), Some("{\"job_id\":\"a\"}"));
        assert_eq!(m.fields[0].as_deref(), Some("a"));
    }

    #[test]
    fn deep_documents_are_no_trouble() {
        let deep = format!(
            "{{\"x\": {}{}, \"job_id\": \"a\"}}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        assert_eq!(made(&deep).fields[0].as_deref(), Some("a"));
    }
}
