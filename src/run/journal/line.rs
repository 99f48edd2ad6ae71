//! One line of a journal: a JSON object whose last member is the checksum of everything before it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::FORMAT;
use crate::base::id::{Digest, RunId};
use crate::run::engine::Record;

const SEAL: &str = ",\"sum\":\"";
const SEAL_LENGTH: usize = SEAL.len() + 64 + "\"}".len();

#[derive(Serialize, Deserialize)]
struct Header {
    journal: String,
    format: u32,
    run: RunId,
    created_at: Timestamp,
}

#[derive(Serialize)]
struct Chained<'a> {
    prev: &'a Digest,
    #[serde(flatten)]
    record: &'a Record,
}

#[derive(Deserialize)]
struct Prev {
    prev: Digest,
}

/// Puts the checksum in front of the closing brace.
fn seal(mut json: String) -> String {
    json.pop();
    let sum = Digest::of(json.as_bytes());
    json.push_str(SEAL);
    json.push_str(sum.as_str());
    json.push_str("\"}");
    json
}

/// The first line.
pub(super) fn header(run: &RunId, at: Timestamp) -> String {
    let header = Header {
        journal: "orchestrate".to_owned(),
        format: FORMAT,
        run: run.clone(),
        created_at: at,
    };
    seal(to_json(&header))
}

/// A record's line, chained to the line with digest `prev`.
pub(super) fn encode(prev: &Digest, record: &Record) -> String {
    seal(to_json(&Chained { prev, record }))
}

#[expect(
    clippy::expect_used,
    reason = "plain data with string keys: serialising it cannot fail"
)]
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}

/// Whether the line is as it was sealed.
pub(super) fn verify(text: &str) -> Result<(), String> {
    let split = text
        .len()
        .checked_sub(SEAL_LENGTH)
        .filter(|&i| text.is_char_boundary(i));
    let Some((body, seal)) = split.map(|i| text.split_at(i)) else {
        return Err("it has no checksum".to_owned());
    };
    let sum = seal.strip_prefix(SEAL).and_then(|s| s.strip_suffix("\"}"));
    match sum {
        None => Err("it has no checksum".to_owned()),
        Some(sum) if sum == Digest::of(body.as_bytes()).as_str() => Ok(()),
        Some(_) => Err("its checksum does not fit its content".to_owned()),
    }
}

/// Format and run of a header.
pub(super) fn decode_header(text: &str) -> Result<(u32, RunId), String> {
    let header: Header =
        serde_json::from_str(text).map_err(|e| format!("it is not a journal's header: {e}"))?;
    if header.journal == "orchestrate" {
        Ok((header.format, header.run))
    } else {
        Err("it is not a journal's header".to_owned())
    }
}

/// The digest of the line before, and the record.
pub(super) fn decode(text: &str) -> Result<(Digest, Record), String> {
    let not_a_record = |e: serde_json::Error| format!("it is not a record: {e}");
    let prev: Prev = serde_json::from_str(text).map_err(not_a_record)?;
    let record: Record = serde_json::from_str(text).map_err(not_a_record)?;
    Ok((prev.prev, record))
}
