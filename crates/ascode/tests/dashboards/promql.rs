//! What the lints ask of an expression: its selectors, each with the function around it and the
//! range behind it. promtool parses the whole; this only has to find the parts, because a parser of
//! PromQL in Rust would be one more opinion of what Prometheus accepts.

/// `function(metric{matchers}[range])`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    /// Label, operator and value, the value without its quotes.
    pub(crate) matchers: Vec<(String, String, String)>,
    /// Between the brackets, if there are any.
    pub(crate) range: Option<String>,
    /// The call that the selector stands first in, if it does.
    pub(crate) function: Option<String>,
}

/// Every selector of an expression, in order. A metric without braces is found as well.
pub(crate) fn selectors(expr: &str) -> Vec<Selector> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = expr[at..].find(is_name).map(|from| at + from) {
        let end = expr[start..].find(|c| !is_name(c)).map_or(expr.len(), |to| start + to);
        let (name, rest) = (&expr[start..end], &expr[end..]);
        at = end;
        if GROUPING.contains(&name) {
            // What follows in parentheses are labels.
            at += rest.find(')').map_or(0, |close| close + 1);
        } else if rest.starts_with('{') {
            let close = closing(rest);
            let before = &expr[..start];
            let range = rest[close + 1..].strip_prefix('[').and_then(|range| range.split_once(']'));
            found.push(Selector {
                metric: name.to_owned(),
                matchers: matchers(&rest[1..close]),
                range: range.map(|(range, _)| range.to_owned()),
                function: function(before),
            });
            at += close + 1 + range.map_or(0, |(range, _)| range.len() + 2);
        } else if !is_call(rest) && !is_word(name) {
            found.push(Selector {
                metric: name.to_owned(),
                matchers: Vec::new(),
                range: None,
                function: function(&expr[..start]),
            });
        }
    }
    found
}

const GROUPING: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];
const WORDS: &[&str] = &["and", "or", "unless", "bool", "offset"];

/// Whether what follows a name makes it a function or an aggregation.
fn is_call(rest: &str) -> bool {
    let rest = rest.trim_start();
    ["(", "by (", "without ("].iter().any(|call| rest.starts_with(call))
}

/// Words, numbers, durations and Grafana's own variables.
fn is_word(name: &str) -> bool {
    WORDS.contains(&name) || name.starts_with(|c: char| c.is_ascii_digit() || c == '$' || c == '.')
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_:$.".contains(c)
}

/// Where the braces that open a text close, past those in quotes.
fn closing(text: &str) -> usize {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '}' if !quoted => return at,
            _ => {}
        }
    }
    panic!("{text} opens braces that it does not close");
}

fn matchers(text: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('"') {
        let (value, behind) = after.split_once('"').expect("a quote has its end");
        let before = before.trim_start_matches([',', ' ']);
        let split = before.find(['=', '!']).expect("a label has an operator");
        let (label, operator) = before.split_at(split);
        found.push((label.trim().to_owned(), operator.trim().to_owned(), value.to_owned()));
        rest = behind;
    }
    found
}

fn function(before: &str) -> Option<String> {
    let call = before.trim_end().strip_suffix('(')?;
    let start = call.rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
    Some(call[start..].to_owned()).filter(|name| !name.is_empty())
}

#[test]
fn selectors_are_found_with_what_is_around_them() {
    let expr = r#"sum by (le, service) (rate(a_total{job=~"$job", x="}"}[$__rate_interval]))
        / on (service) group_left () (2 * b{} offset 1h > bool $__from / 1000)
        or min(plain) unless ALERTS{}"#;
    let found = selectors(expr);
    let shown: Vec<_> = found
        .iter()
        .map(|one| (one.metric.as_str(), one.range.as_deref(), one.function.as_deref()))
        .collect();
    let expected = [
        ("a_total", Some("$__rate_interval"), Some("rate")),
        ("b", None, None),
        ("plain", None, Some("min")),
        ("ALERTS", None, None),
    ];
    assert_eq!(shown, expected);
    let matcher = |label: &str, operator: &str, value: &str| {
        (label.to_owned(), operator.to_owned(), value.to_owned())
    };
    assert_eq!(found[0].matchers, [matcher("job", "=~", "$job"), matcher("x", "=", "}")]);
}
