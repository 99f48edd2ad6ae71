//! The tokens of a YAML text with their bytes, flow collections folded into one token each.

use granit_parser::{ScalarStyle, Scanner, StrInput, TokenType};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    /// A block mapping begins.
    Map,
    /// A block list begins; one that stands in the columns of its key has no such token.
    List,
    /// A block collection ends.
    End,
    /// The dash of an item.
    Dash,
    /// A key follows.
    Key,
    /// The colon after a key.
    Colon,
    /// A plain or quoted scalar, an alias, or a whole flow collection.
    Inline,
    /// The content of a literal or folded scalar.
    Block,
    /// An anchor or a tag.
    Property,
    /// `---`
    Start,
    /// `...`
    Stop,
    /// The end of the text.
    Eof,
}

/// A token and its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) is: Is,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// An anchor, or an alias of one.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) alias: bool,
}

/// What a text consists of.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) all: Vec<Token>,
    pub(super) marks: Vec<Mark>,
}

/// `None` where the text cannot be scanned, or has forms that are left alone.
pub(super) fn scan(text: &str) -> Option<Tokens> {
    let (mut all, mut marks): (Vec<Token>, Vec<Mark>) = (Vec::new(), Vec::new());
    // How many flow collections are open, and where the outermost began.
    let (mut open, mut from) = (0_usize, 0);
    for token in Scanner::new(StrInput::new(text)) {
        let (span, kind) = token.ok()?.into_parts();
        let bytes = span.byte_range()?;
        let is = match kind {
            TokenType::StreamStart | TokenType::Comment(_) => continue,
            TokenType::StreamEnd => Is::Eof,
            TokenType::BlockMappingStart => Is::Map,
            TokenType::BlockSequenceStart => Is::List,
            TokenType::BlockEnd => Is::End,
            TokenType::BlockEntry => Is::Dash,
            // An explicit key has its question mark; the key of a pair in a list in brackets may too.
            TokenType::Key if open == 0 && !bytes.is_empty() => return None,
            TokenType::Key => Is::Key,
            TokenType::Value => Is::Colon,
            TokenType::FlowEntry => continue,
            TokenType::Alias(name) => {
                marks.push(Mark {
                    at: bytes.start,
                    name: name.into_owned(),
                    alias: true,
                });
                Is::Inline
            }
            TokenType::Anchor(name) => {
                marks.push(Mark {
                    at: bytes.start,
                    name: name.into_owned(),
                    alias: false,
                });
                Is::Property
            }
            TokenType::Tag(..) => Is::Property,
            TokenType::Scalar(ScalarStyle::Literal | ScalarStyle::Folded, _) => Is::Block,
            TokenType::Scalar(..) => Is::Inline,
            TokenType::DocumentStart => Is::Start,
            TokenType::DocumentEnd => Is::Stop,
            TokenType::FlowSequenceStart | TokenType::FlowMappingStart => {
                if open == 0 {
                    from = bytes.start;
                }
                open += 1;
                continue;
            }
            TokenType::FlowSequenceEnd | TokenType::FlowMappingEnd => {
                open = open.checked_sub(1)?;
                if open == 0 {
                    all.push(Token {
                        is: Is::Inline,
                        start: from,
                        end: bytes.end,
                    });
                }
                continue;
            }
            // Directives.
            _ => return None,
        };
        if open == 0 {
            all.push(Token {
                is,
                start: bytes.start,
                end: bytes.end,
            });
        }
    }
    all.last().filter(|token| token.is == Is::Eof)?;
    Some(Tokens { all, marks })
}

/// Every comment of a text without white space at its end.
pub(super) fn comments(text: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    for token in Scanner::new(StrInput::new(text)) {
        let token = token.ok()?;
        if let TokenType::Comment(_) = token.token_type() {
            found.push(token.span().slice(text)?.trim_end());
        }
    }
    Some(found)
}
