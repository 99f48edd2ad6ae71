//! The record of runs: `history`, `logs`, `audit`.

mod alive;
mod audit;

mod history;
mod logs;
mod stream;

pub(super) use alive::{Alive, alive};
pub(super) use audit::audit;
pub(super) use history::history;
pub(super) use logs::logs;

/// Bytes as text that does nothing to a terminal: control characters and characters that reorder text are shown as
/// pictures, or as the replacement character. Line breaks and tabs stay.
fn harmless(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\x7f' => '\u{2421}',
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => '\u{fffd}',
            other => other,
        })
        .collect()
}
