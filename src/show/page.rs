//! Pages of plain Markdown, drawn for a terminal: headings, paragraphs, lists, code blocks.
//!
//! Only what this program's own pages use is understood; it never sees anybody else's text.

/// How to draw.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether to use colour.
    pub colour: bool,
    /// Columns to wrap at.
    pub width: usize,
}

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// The second-level headings of a page with what stands below each, in order.
#[must_use]
pub fn sections(markdown: &str) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let (mut at, mut fenced) = (0, false);
    for line in markdown.split_inclusive('\n') {
        fenced ^= line.starts_with("```");
        if let Some(title) = line.strip_prefix("## ").filter(|_| !fenced) {
            if let Some((title, from)) = open {
                all.push((title, markdown[from..at].trim()));
            }
            open = Some((title.trim(), at + line.len()));
        }
        at += line.len();
    }
    if let Some((title, from)) = open {
        all.push((title, markdown[from..].trim()));
    }
    all
}

/// The page below its title, ending in a line break.
#[must_use]
pub fn draw(title: &str, markdown: &str, style: Style) -> String {
    let (bold, dim, plain) = match style.colour {
        true => (BOLD, DIM, PLAIN),
        false => ("", "", ""),
    };
    let mut drawn = format!("{bold}{title}{plain}\n");
    for (heading, text) in sections(markdown) {
        drawn.push_str(&format!("\n{bold}{heading}{plain}\n"));
        let mut paragraph = String::new();
        let mut fenced = false;
        for line in text.lines() {
            if line.starts_with("```") {
                flush(&mut drawn, &mut paragraph, style.width);
                fenced = !fenced;
            } else if fenced {
                let line = format!("      {line}");
                drawn.push_str(&format!("{dim}{}{plain}\n", line.trim_end()));
            } else if line.trim().is_empty() {
                flush(&mut drawn, &mut paragraph, style.width);
                drawn.push('\n');
            } else {
                if line.starts_with("* ") {
                    flush(&mut drawn, &mut paragraph, style.width);
                }
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line.trim());
            }
        }
        flush(&mut drawn, &mut paragraph, style.width);
    }
    drawn
}

/// Writes the paragraph, wrapped and indented; an item of a list hangs below its star.
fn flush(drawn: &mut String, paragraph: &mut String, width: usize) {
    let hang = if paragraph.starts_with("* ") { 4 } else { 2 };
    let mut column = 0;
    for word in words(paragraph) {
        let wide = unicode_width::UnicodeWidthStr::width(word);
        if column > 0 && column + 1 + wide > width {
            drawn.push('\n');
            column = 0;
        }
        if column == 0 {
            let first = drawn.ends_with("\n") && word == "*";
            let indent = if first { 2 } else { hang };
            drawn.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            drawn.push(' ');
            column += 1;
        }
        drawn.push_str(word);
        column += wide;
    }
    if column > 0 {
        drawn.push('\n');
    }
    paragraph.clear();
}

/// Words at which a line may break: what stands between backquotes stays together.
fn words(paragraph: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let (mut from, mut quoted) = (0, false);
    for (at, character) in paragraph.char_indices() {
        if character == '`' {
            quoted = !quoted;
        } else if character == ' ' && !quoted {
            all.push(&paragraph[from..at]);
            from = at + 1;
        }
    }
    all.push(&paragraph[from..]);
    all.retain(|word| !word.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "## What\n\nOne `two words` three four\nfive.\n\n* first item that is long\n* second\n\n## Example\n\n```yaml\na:\n  ## not a heading\n```\n\nMended:\n";

    #[test]
    fn a_page_is_drawn_for_people() {
        let style = Style {
            colour: false,
            width: 20,
        };
        assert_eq!(
            draw("error X: t", PAGE, style),
            "error X: t\n\nWhat\n  One `two words`\n  three four five.\n\n  * first item that\n    is long\n  * second\n\n\
             Example\n      a:\n        ## not a heading\n\n  Mended:\n"
        );
    }

    #[test]
    fn sections_come_in_order() {
        let titles: Vec<_> = sections(PAGE).into_iter().map(|(title, _)| title).collect();
        assert_eq!(titles, ["What", "Example"]);
        assert!(sections("no heading").is_empty());
    }
}
