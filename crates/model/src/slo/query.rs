//! A question in PromQL as a file of objectives asks it, checked as far as that takes no parser of
//! the whole language: one that is embedded in a rule must neither end the rule's own expression
//! nor comment out its rest, and a file of rules with one fault is refused as a whole.
//!
//! What is checked: brackets, quotes and escapes, the place of the window, and the whole of a
//! selector. Comments are dropped. Whether the metric exists and the types fit, only Prometheus
//! knows.

use super::lex::{Lexed, Mark, Token, lex};
use super::query_fault::{QUERY_BYTES_MAX, QueryFault};

/// How events are told in metrics of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queries {
    /// All events and those that broke the promise.
    Bad {
        /// All events.
        total: Query,
        /// Those that broke it.
        bad: Query,
    },
    /// All events and those that kept the promise.
    Good {
        /// All events.
        total: Query,
        /// Those that kept it.
        good: Query,
    },
    /// The share of bad events alone, from 0 to 1. How many there were, nobody knows.
    BadRatio(Template),
}

/// A question for a number of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The counters that a selector finds.
    Selector(String),
    /// An expression for events per second.
    PerSecond(Template),
    /// An expression for events.
    Count(Template),
}

/// An expression with at least one place for the length of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What stands around the places.
    parts: Vec<String>,
}

impl Query {
    /// The question that a text asks. `sum(rate(SELECTOR[{{.window}}]))` and its like are the
    /// selector in other words.
    ///
    /// # Errors
    /// The text is no question that a rule can ask.
    pub fn parse(text: &str) -> Result<Self, QueryFault> {
        let lexed = checked(text)?;
        if !lexed.tokens.iter().any(|token| token.mark == Mark::Window) {
            return match is_selector(&lexed.tokens) {
                None => Err(QueryFault::NoWindow),
                Some(false) => Err(QueryFault::Everything),
                Some(true) => Ok(Self::Selector(lexed.text)),
            };
        }
        let called = |function: &str| {
            let pairs = lexed.tokens.windows(2);
            let mut calls = pairs.filter(|pair| pair[1].mark == Mark::Open('('));
            calls.any(|pair| pair[0].mark == Mark::Word && lexed.of(&pair[0]) == function)
        };
        let template = Template::of(&lexed);
        match (called("rate"), called("increase")) {
            (false, false) => Err(QueryFault::NoUnit),
            (true, true) => Err(QueryFault::TwoUnits),
            (is_rate, _) => Ok(match summed_selector(&lexed) {
                Some(selector) => Self::Selector(selector),
                None if is_rate => Self::PerSecond(template),
                None => Self::Count(template),
            }),
        }
    }
}

impl Template {
    /// The expression that a text is.
    ///
    /// # Errors
    /// The text cannot stand in a rule, or no window in it.
    pub fn parse(text: &str) -> Result<Self, QueryFault> {
        let lexed = checked(text)?;
        let template = Self::of(&lexed);
        if template.parts.len() < 2 { Err(QueryFault::NoWindow) } else { Ok(template) }
    }

    /// The expression over a window such as `5m`, fit to stand in parentheses.
    #[must_use]
    pub fn over(&self, window: &str) -> String {
        self.parts.join(window)
    }

    fn of(lexed: &Lexed) -> Self {
        let (mut parts, mut from) = (Vec::new(), 0);
        for token in lexed.tokens.iter().filter(|token| token.mark == Mark::Window) {
            parts.push(lexed.text[from..token.from].to_owned());
            from = token.to;
        }
        parts.push(lexed.text[from..].to_owned());
        Self { parts }
    }
}

/// The tokens of a text whose brackets fit and whose windows are ranges.
fn checked(text: &str) -> Result<Lexed, QueryFault> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(QueryFault::TooLong);
    }
    let lexed = lex(text)?;
    if lexed.tokens.is_empty() {
        return Err(QueryFault::Empty);
    }
    let mut open = Vec::new();
    for (place, token) in lexed.tokens.iter().enumerate() {
        match token.mark {
            Mark::Open(bracket) => open.push(bracket),
            Mark::Close(bracket) => match open.pop() {
                Some(opened) if closes(opened, bracket) => {}
                _ => return Err(QueryFault::Close(bracket)),
            },
            Mark::Window => {
                let before = place.checked_sub(1).map(|before| lexed.tokens[before].mark);
                let after = lexed.tokens.get(place + 1).map(|after| after.mark);
                let is_range = before == Some(Mark::Open('['))
                    && matches!(after, Some(Mark::Close(']') | Mark::Sign(':')));
                if !is_range {
                    return Err(QueryFault::Place);
                }
            }
            Mark::Word | Mark::Number | Mark::Quoted | Mark::Sign(_) => {}
        }
    }
    open.pop().map_or(Ok(lexed), |bracket| Err(QueryFault::Open(bracket)))
}

fn closes(opened: char, bracket: char) -> bool {
    matches!((opened, bracket), ('(', ')') | ('[', ']') | ('{', '}'))
}

/// Whether tokens are one selector of series, and if so, whether it picks by anything.
fn is_selector(tokens: &[Token]) -> Option<bool> {
    let (is_named, braces) = match tokens.split_first()? {
        (first, rest) if first.mark == Mark::Word => (true, rest),
        _ => (false, tokens),
    };
    let [open, matchers @ .., close] = braces else { return is_named.then_some(true) };
    if open.mark != Mark::Open('{') || close.mark != Mark::Close('}') {
        return None;
    }
    let mut rest = matchers;
    while !rest.is_empty() {
        let end = rest.iter().position(|token| token.mark == Mark::Sign(','));
        let (matcher, after) = rest.split_at(end.unwrap_or(rest.len()));
        if !is_matcher(matcher) {
            return None;
        }
        rest = after.get(1..).unwrap_or_default();
    }
    Some(is_named || !matchers.is_empty())
}

/// `label="value"` and its like, or a name in quotes as Prometheus 3 takes it.
fn is_matcher(tokens: &[Token]) -> bool {
    let [name, signs @ ..] = tokens else { return false };
    let Some((value, signs)) = signs.split_last() else { return name.mark == Mark::Quoted };
    let is_sign = |signs: &[Token], text: &[char]| {
        signs.len() == text.len()
            && signs.iter().zip(text).all(|(token, sign)| token.mark == Mark::Sign(*sign))
            && signs.windows(2).all(|pair| pair[0].to == pair[1].from)
    };
    let operators: [&[char]; 4] = [&['='], &['!', '='], &['=', '~'], &['!', '~']];
    matches!(name.mark, Mark::Word | Mark::Quoted)
        && value.mark == Mark::Quoted
        && operators.iter().any(|operator| is_sign(signs, operator))
}

/// The selector of `sum(rate(SELECTOR[{{.window}}]))`, or of the same without the sum or with
/// `increase`. Each of them means the events of these counters, and a selector says so without
/// losing the first value of a counter that is born.
fn summed_selector(lexed: &Lexed) -> Option<String> {
    let inner = |tokens| call(lexed, tokens, &["rate", "increase"]);
    let range = inner(&lexed.tokens).or_else(|| inner(call(lexed, &lexed.tokens, &["sum"])?))?;
    let [selector @ .., open, window, close] = range else { return None };
    let is_range = open.mark == Mark::Open('[')
        && window.mark == Mark::Window
        && close.mark == Mark::Close(']');
    let picks = is_range && is_selector(selector) == Some(true);
    let (first, last) = (selector.first()?, selector.last()?);
    picks.then(|| lexed.text[first.from..last.to].to_owned())
}

/// What stands in the parentheses where tokens are one call of one of these functions.
fn call<'t>(lexed: &Lexed, tokens: &'t [Token], functions: &[&str]) -> Option<&'t [Token]> {
    let [function, open, inner @ .., close] = tokens else { return None };
    let mut depth = 0_usize;
    for token in inner {
        match token.mark {
            Mark::Open(_) => depth += 1,
            // The parenthesis that was opened first ends before the last one.
            Mark::Close(_) => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    let fits = function.mark == Mark::Word
        && functions.contains(&lexed.of(function))
        && open.mark == Mark::Open('(')
        && close.mark == Mark::Close(')');
    fits.then_some(inner)
}

#[cfg(test)]
mod tests;
