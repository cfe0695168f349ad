//! A small reader of PromQL that refuses to guess: it knows a selector, a rate or increase of it, a
//! sum, and the difference of two of these. What is not wholly one of them is no shape, and stays
//! the query that somebody wrote.

/// A query that was understood to its last character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape<'q> {
    /// Events of one counter.
    One(Counter<'q>),
    /// Events of one counter without those of another.
    Less(Counter<'q>, Counter<'q>),
}

/// What is asked of one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counter<'q> {
    pub(super) selector: Selector<'q>,
    /// Over which time; `None` for the counter itself.
    pub(super) over: Option<(Function, Range<'q>)>,
    /// Whether its series are summed.
    pub(super) summed: bool,
}

/// The functions of a counter that give events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Rate,
    Increase,
}

/// The time that a function looks back over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range<'q> {
    /// Whatever the rule needs.
    Window,
    /// A duration of the query's own.
    Fixed(&'q str),
}

/// Series of one metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector<'q> {
    /// As it was written.
    pub(super) text: &'q str,
    pub(super) metric: &'q str,
    pub(super) matchers: Vec<Matcher<'q>>,
}

impl Selector<'_> {
    /// Whether both find the same series.
    pub(super) fn is(&self, other: &Self) -> bool {
        let sorted = |selector: &Self| {
            let mut matchers = selector.matchers.clone();
            matchers.sort();
            matchers
        };
        self.metric == other.metric && sorted(self) == sorted(other)
    }
}

/// What a label has to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Matcher<'q> {
    pub(super) label: &'q str,
    pub(super) test: Test,
    pub(super) value: String,
}

/// How a label's value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Test {
    Is,
    IsNot,
    Like,
    Unlike,
}

/// The shape of a query; `None` where it is more than one of the known shapes.
pub(super) fn shape(query: &str) -> Option<Shape<'_>> {
    let mut reader = Reader { rest: query.trim() };
    let shape = reader.shape(DEPTH_MAX)?;
    reader.rest.is_empty().then_some(shape)
}

/// The selector that a query is.
pub(super) fn selector(query: &str) -> Option<Selector<'_>> {
    match shape(query)? {
        Shape::One(Counter { selector, over: None, summed: false }) => Some(selector),
        _ => None,
    }
}

/// Reads from the front; what stands first is never white.
struct Reader<'q> {
    rest: &'q str,
}

impl<'q> Reader<'q> {
    fn shape(&mut self, depth: usize) -> Option<Shape<'q>> {
        let left = self.term(depth)?;
        if !self.eat("-") {
            return Some(left);
        }
        match (left, self.term(depth)?) {
            (Shape::One(left), Shape::One(right)) => Some(Shape::Less(left, right)),
            _ => None,
        }
    }

    fn term(&mut self, depth: usize) -> Option<Shape<'q>> {
        let depth = depth.checked_sub(1)?;
        if self.eat("(") {
            let inner = self.shape(depth)?;
            return self.eat(")").then_some(inner);
        }
        let from = self.rest;
        let word = self.word()?;
        match word {
            "sum" if self.eat("(") => match self.shape(depth)? {
                Shape::One(counter) if !counter.summed && self.eat(")") => {
                    Some(Shape::One(Counter { summed: true, ..counter }))
                }
                _ => None,
            },
            "rate" if self.eat("(") => self.over(Function::Rate),
            "increase" if self.eat("(") => self.over(Function::Increase),
            metric => {
                let selector = self.matchers(from, metric)?;
                Some(Shape::One(Counter { selector, over: None, summed: false }))
            }
        }
    }

    /// What follows the opening parenthesis of a function.
    fn over(&mut self, function: Function) -> Option<Shape<'q>> {
        let from = self.rest;
        let metric = self.word()?;
        let selector = self.matchers(from, metric)?;
        if !self.eat("[") {
            return None;
        }
        let (range, rest) = self.rest.split_once(']')?;
        self.rest = rest.trim_start();
        let range = match range.trim() {
            WINDOW => Range::Window,
            fixed if is_duration(fixed) => Range::Fixed(fixed),
            _ => return None,
        };
        let over = Some((function, range));
        self.eat(")").then_some(Shape::One(Counter { selector, over, summed: false }))
    }

    /// The matchers behind a metric's name, which stands first in `from`.
    fn matchers(&mut self, from: &'q str, metric: &'q str) -> Option<Selector<'q>> {
        let mut matchers = Vec::new();
        if self.eat("{") {
            while !self.eat("}") {
                matchers.push(self.matcher()?);
                if !self.eat(",") && !self.rest.starts_with('}') {
                    return None;
                }
            }
        }
        // The reader stands behind the white space that follows the selector.
        let text = from[..from.len() - self.rest.len()].trim_end();
        Some(Selector { text, metric, matchers })
    }

    fn matcher(&mut self) -> Option<Matcher<'q>> {
        // `__name__` would choose another metric than the one that stands before the braces.
        let label = self.word().filter(|label| !label.contains(':') && *label != "__name__")?;
        let tests =
            [("=~", Test::Like), ("!~", Test::Unlike), ("!=", Test::IsNot), ("=", Test::Is)];
        let (_, test) = tests.into_iter().find(|(sign, _)| self.eat(sign))?;
        Some(Matcher { label, test, value: self.string()? })
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
        let mut value = String::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, next)) = chars.next() {
            match next {
                end if end == quote => {
                    self.rest = self.rest[1 + at + 1..].trim_start();
                    return Some(value);
                }
                // Codes of characters are no part of a label that anybody types.
                '\\' if quote != '`' => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    plain @ ('\\' | '"' | '\'') => plain,
                    _ => return None,
                }),
                '\n' if quote != '`' => return None,
                other => value.push(other),
            }
        }
        None
    }

    /// The name of a metric, a label or a function.
    fn word(&mut self) -> Option<&'q str> {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        let end = self.rest.find(|c| !is_inner(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.rest = rest.trim_start();
        Some(word)
    }

    fn eat(&mut self, sign: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        self.rest = rest.trim_start();
        true
    }
}

/// Whether this is a duration as PromQL writes it.
fn is_duration(text: &str) -> bool {
    super::number::prometheus_ms(text).is_some()
}

/// What stands for the window of a rule.
pub(super) const WINDOW: &str = "{{.window}}";
/// Deeper than anybody nests a sum.
const DEPTH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn is<'q>(label: &'q str, test: Test, value: &str) -> Matcher<'q> {
        Matcher { label, test, value: value.to_owned() }
    }

    #[test]
    fn a_selector_is_read_with_every_matcher() {
        let text = "requests_total{ job = \"api\" ,code=~'5..', path!=`a\\b`, x!~\"\\\"\\n\" , }";
        let found = selector(text).unwrap();
        assert_eq!((found.metric, found.text), ("requests_total", text));
        let expected = [
            is("job", Test::Is, "api"),
            is("code", Test::Like, "5.."),
            is("path", Test::IsNot, "a\\b"),
            is("x", Test::Unlike, "\"\n"),
        ];
        assert_eq!(found.matchers, expected);
        assert_eq!(selector(" up ").unwrap().matchers, []);
        assert_eq!(selector("a:b{}").unwrap().text, "a:b{}");
    }

    #[test]
    fn sums_rates_and_differences_are_shapes() {
        let one = |query: &'static str| match shape(query) {
            Some(Shape::One(counter)) => (counter.selector.text, counter.over, counter.summed),
            other => panic!("{query}: {other:?}"),
        };
        let window = |function| Some((function, Range::Window));
        assert_eq!(one("sum(rate(a{b=\"c\"}[{{.window}}]))").0, "a{b=\"c\"}");
        assert_eq!(
            one("sum ( increase( a [{{.window}}] ) )"),
            ("a", window(Function::Increase), true)
        );
        assert_eq!(one("((rate(a[5m])))").1, Some((Function::Rate, Range::Fixed("5m"))));
        assert_eq!(one("sum(a)"), ("a", None, true));
        let query =
            "(\n  sum(rate(a_count[{{.window}}]))\n  -\n  sum(rate(a_bucket[{{.window}}]))\n)";
        assert!(matches!(shape(query), Some(Shape::Less(a, b))
            if (a.selector.metric, b.selector.metric) == ("a_count", "a_bucket")));
    }

    #[test]
    fn what_is_more_than_a_shape_is_none() {
        for query in [
            "",
            "sum",
            "(",
            "sum(",
            "1",
            "a b",
            "a{",
            "a{b}",
            "a{b=}",
            "a{b=c}",
            "a{b=\"c}",
            "a{b=\"c\" d=\"e\"}",
            "a{,}",
            "a{b=\"\\x41\"}",
            "a{__name__=\"b\"}",
            "{__name__=\"b\"}",
            "{\"a\"}",
            "a{\"b.c\"=\"d\"}",
            "a offset 5m",
            "a @ 5",
            "a # comment",
            "a[5m]",
            "rate(a)",
            "rate(a[5m:1m])",
            "rate(a[five])",
            "rate(a[5m] offset 1h)",
            "sum by (x) (rate(a[5m]))",
            "sum(rate(a[5m])) by (x)",
            "sum(sum(a))",
            "sum(a - b)",
            "a - b - c",
            "a + b",
            "a / b",
            "-a",
            "a > 0",
            "sum(rate(a[{{.windows}}]))",
            "irate(a[5m])",
        ] {
            // A metric may be called as a function is.
            assert!(query == "sum" || shape(query).is_none(), "{query}: {:?}", shape(query));
        }
        let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(shape(&deep), None);
    }
}
