//! What is asked of every input of a fuzzer: that its review ends, with findings that can be shown.

use std::fs;
use std::path::Path;

use orchestrate::base::config::Config;
use orchestrate::base::diagnostic::{Style, render, to_json};
use orchestrate::cli::validate;
use orchestrate::review::Surroundings;

/// Reviews one input as `validate` does, and says what is wrong with the answer.
pub(crate) fn ask(path: &Path, input: &[u8]) -> Result<usize, String> {
    fs::write(path, input).map_err(|error| error.to_string())?;
    let surroundings = Surroundings {
        now: "2026-06-01T12:00:00Z".parse().expect("a time"),
        config: &Config::default(),
    };
    let validated = validate::check(path, surroundings);
    if validated.loaded.is_none() && !validated.refused(false) {
        return Err("refused without an error".to_owned());
    }
    for finding in validated.findings.iter().take(200) {
        let place = &finding.primary;
        let text = validated.sources.get(&place.file);
        if let Some(text) = text
            && (place.line > text.line_count() || place.end_line > text.line_count())
        {
            return Err(format!("a finding outside of the file: {finding:?}"));
        }
        if finding.message.contains("stand-in-") {
            return Err(format!("a finding about what nobody wrote: {finding:?}"));
        }
        let drawn = render(finding, &validated.sources, Style::default());
        if drawn.is_empty() || to_json(finding).is_null() {
            return Err("a finding that cannot be shown".to_owned());
        }
    }
    Ok(validated.findings.len())
}
