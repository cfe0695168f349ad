//! The words of PromQL, as far as telling quotes, comments and brackets apart takes them: a `#` in
//! quotes is no comment, and a bracket in a comment opens nothing.

use std::iter::Peekable;
use std::str::CharIndices;

use super::query_fault::QueryFault;

/// A text without its comments, and its words.
pub(super) struct Lexed {
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
}

/// A word and where it stands in the text.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) mark: Mark,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A name: of a metric, a label, a function or an operator.
    Word,
    /// What starts with a digit: a number or a duration.
    Number,
    /// A text in quotes of any kind.
    Quoted,
    /// `{{.window}}`.
    Window,
    Open(char),
    Close(char),
    /// A character of an operator.
    Sign(char),
}

impl Lexed {
    /// The word itself.
    pub(super) fn of(&self, token: &Token) -> &str {
        &self.text[token.from..token.to]
    }
}

/// The words of a text.
pub(super) fn lex(text: &str) -> Result<Lexed, QueryFault> {
    let mut lexed = Lexed { text: String::with_capacity(text.len()), tokens: Vec::new() };
    let mut rest = text;
    let mut is_range = false;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_whitespace() {
            if !lexed.text.is_empty() {
                lexed.text.push(first);
            }
            rest = &rest[1..];
            continue;
        }
        if first == '#' {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
            continue;
        }
        let (mark, bytes) = token(rest, first, is_range)?;
        match mark {
            Mark::Open('[') => is_range = true,
            Mark::Close(']') => is_range = false,
            _ => {}
        }
        let from = lexed.text.len();
        lexed.text.push_str(&rest[..bytes]);
        lexed.tokens.push(Token { mark, from, to: from + bytes });
        rest = &rest[bytes..];
    }
    lexed.text.truncate(lexed.text.trim_end().len());
    Ok(lexed)
}

/// The word that a text starts with, and its length.
fn token(text: &str, first: char, is_range: bool) -> Result<(Mark, usize), QueryFault> {
    let run = |goes_on: fn(char) -> bool| text.find(|one| !goes_on(one)).unwrap_or(text.len());
    Ok(match first {
        '{' if text.starts_with("{{") => (Mark::Window, window(text).ok_or(QueryFault::Variable)?),
        '(' | '[' | '{' => (Mark::Open(first), 1),
        ')' | ']' | '}' => (Mark::Close(first), 1),
        '"' | '\'' | '`' => (Mark::Quoted, quoted(text, first)?),
        '0'..='9' | '.' => (Mark::Number, run(|one| one.is_ascii_alphanumeric() || one == '.')),
        // A name may start with a colon, but not between brackets, where it parts two durations.
        'a'..='z' | 'A'..='Z' | '_' => (Mark::Word, run(is_of_name)),
        ':' if !is_range => (Mark::Word, run(is_of_name)),
        '+' | '-' | '*' | '/' | '%' | '^' | '=' | '!' | '<' | '>' | '~' | ',' | ':' | '@' => {
            (Mark::Sign(first), 1)
        }
        other => return Err(QueryFault::Character(other)),
    })
}

fn is_of_name(one: char) -> bool {
    one.is_ascii_alphanumeric() || one == '_' || one == ':'
}

/// The length of `{{.window}}` with any blanks within the braces.
fn window(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("{{")?.trim_start_matches(' ').strip_prefix(".window")?;
    let rest = rest.trim_start_matches(' ').strip_prefix("}}")?;
    Some(text.len() - rest.len())
}

/// The length of a text in quotes, with them.
fn quoted(text: &str, quote: char) -> Result<usize, QueryFault> {
    let mut chars = text.char_indices().peekable();
    chars.next();
    while let Some((at, one)) = chars.next() {
        match one {
            _ if one == quote => return Ok(at + 1),
            '\t' => {}
            '\n' if quote == '`' => {}
            '\n' => break,
            '\\' if quote != '`' => escape(&mut chars, quote)?,
            _ if one.is_control() => return Err(QueryFault::Character(one)),
            _ => {}
        }
    }
    Err(QueryFault::Quote(quote))
}

/// Goes past what follows a backslash.
fn escape(chars: &mut Peekable<CharIndices<'_>>, quote: char) -> Result<(), QueryFault> {
    let Some((_, first)) = chars.next() else { return Err(QueryFault::Escape('\0')) };
    let (digits, radix) = match first {
        'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' => (0, 16),
        '0'..='7' => (2, 8),
        'x' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        _ if first == quote => (0, 16),
        other => return Err(QueryFault::Escape(other)),
    };
    for _ in 0..digits {
        if chars.next_if(|(_, digit)| digit.is_digit(radix)).is_none() {
            return Err(QueryFault::Escape(first));
        }
    }
    Ok(())
}
