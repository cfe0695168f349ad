//! What is asked of a log record, as it was read from a configuration: parts that must all hold,
//! instead of a language of expressions that somebody would have to learn.

use regex::Regex;

/// What a record must have; an absent part asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Severity numbers that fit.
    pub severity: Option<SeverityRange>,
    /// What the body must say.
    pub body: Option<Body>,
    /// Attributes of the record that must be present with exactly this value, as text.
    pub attributes: Vec<(String, String)>,
}

/// A closed range of OTLP severity numbers, 0 (unspecified) to 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeverityRange {
    /// The lowest number that fits.
    pub min: u8,
    /// The highest number that fits.
    pub max: u8,
}

/// What a record's text body must say.
#[derive(Clone, Debug)]
pub enum Body {
    /// This text somewhere in it, as written.
    Contains(String),
    /// This expression somewhere in it.
    Matches(Regex),
}

impl Match {
    /// All that it asks for as text: two that ask the same have the same, in every version.
    #[must_use]
    pub fn identity(&self) -> String {
        let severity = self.severity.map(|range| format!("severity {}..{}", range.min, range.max));
        let body = self.body.as_ref().map(|body| match body {
            Body::Contains(text) => format!("body {text:?}"),
            Body::Matches(expression) => format!("body_regex {:?}", expression.as_str()),
        });
        let attributes = self.attributes.iter().map(|(key, value)| format!("{key:?}={value:?}"));
        severity.into_iter().chain(body).chain(attributes).collect::<Vec<_>>().join(" ")
    }
}

impl SeverityRange {
    /// Whether it holds this number.
    #[must_use]
    pub fn contains(self, severity: u8) -> bool {
        (self.min..=self.max).contains(&severity)
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Body::Contains(text), Body::Contains(other)) => text == other,
            (Body::Matches(expression), Body::Matches(other)) => {
                expression.as_str() == other.as_str()
            }
            _ => false,
        }
    }
}

impl Eq for Body {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_differently_is_told_apart_by_its_text() {
        let regex = |text: &str| Some(Body::Matches(Regex::new(text).expect("an expression")));
        let text = |text: &str| Some(Body::Contains(text.to_owned()));
        let warn = Some(SeverityRange { min: 13, max: 16 });
        let pair = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
        let all = [
            Match::default(),
            Match { severity: warn, ..Match::default() },
            Match { body: text("severity 13..16"), ..Match::default() },
            Match { body: regex("severity 13..16"), ..Match::default() },
            Match { attributes: pair("a", "b"), ..Match::default() },
            Match { attributes: pair("a\"=\"b\" \"c", "d"), ..Match::default() },
            Match { severity: warn, body: text("x"), attributes: pair("a", "b") },
        ];
        let texts = all.each_ref().map(Match::identity);
        for (i, text) in texts.iter().enumerate() {
            assert!(!texts[..i].contains(text), "{text}");
        }
        // Written into files that outlive the process.
        assert_eq!(texts[6], r#"severity 13..16 body "x" "a"="b""#);
        assert_eq!(texts[3], r#"body_regex "severity 13..16""#);
    }
}
