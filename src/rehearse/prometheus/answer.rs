//! The JSON of Prometheus's HTTP API, as far as range queries answer with it: series of points with
//! values as text, and refusals with a reason.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// One series of an answer.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) labels: BTreeMap<String, String>,
    /// Minutes since the Unix epoch, with values.
    pub(super) points: Vec<(u64, f64)>,
}

/// Why there are no series.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no answer of Prometheus.
    Foreign,
    /// The question asks for more than the server loads at once.
    TooMuch,
    /// Another reason, in the server's words.
    Said(String),
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    data: Option<Data>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, Number)>,
}

/// The series of an answer.
pub(super) fn read(body: &[u8]) -> Result<Vec<Series>, Refusal> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Refusal::Foreign)?;
    match (answer.status.as_str(), answer.data, answer.error) {
        ("success", Some(data), _) => Ok(data.result.into_iter().map(Row::series).collect()),
        ("error", _, Some(said)) if TOO_MUCH.iter().any(|words| said.contains(words)) => {
            Err(Refusal::TooMuch)
        }
        ("error", _, Some(said)) => {
            let shown: String = said.chars().take(SAID_CHARS_MAX).collect();
            Err(Refusal::Said(shown.escape_debug().to_string()))
        }
        _ => Err(Refusal::Foreign),
    }
}

impl Row {
    fn series(self) -> Series {
        let points = self.values.into_iter().filter_map(|(at_s, Number(value))| {
            // A cast saturates; what was before 1970 nobody asked for.
            let at_min = (at_s / 60.0).round() as u64;
            value.is_finite().then_some((at_min, value))
        });
        Series { labels: self.metric, points: points.collect() }
    }
}

/// A number that is written as text, as JSON has no infinities.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number as text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// What Prometheus says of a question that needs more samples than it may load, or that gives more
/// points than it may return; and what Mimir says of its limits.
const TOO_MUCH: [&str; 3] =
    ["too many samples", "exceeded maximum resolution", "exceeded the maximum"];
/// A line of words.
const SAID_CHARS_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_read_with_their_minutes() {
        let body = br#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"service":"shop"},"values":[[60,"1"],[120.0,"2.5"],[180,"NaN"],[-1,"+Inf"]]},
            {"metric":{}}]},"warnings":["w"]}"#;
        let series = read(body).unwrap();
        assert_eq!(series[0].labels["service"], "shop");
        assert_eq!(series[0].points, [(1, 1.0), (2, 2.5)]);
        assert!(series.len() == 2 && series[1].points.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_strange(
            body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            at_s in proptest::prelude::any::<f64>(),
            value in ".{0,20}",
        ) {
            let _refused = read(&body);
            let points = serde_json::json!([[at_s, value]]);
            let row = serde_json::json!({"metric": {}, "values": points});
            let data = serde_json::json!({"result": [row]});
            let body = serde_json::json!({"status": "success", "data": data}).to_string();
            let _refused = read(body.as_bytes());
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        for (body, refusal) in [
            ("<html>", Refusal::Foreign),
            ("{}", Refusal::Foreign),
            (r#"{"status":"success"}"#, Refusal::Foreign),
            (
                r#"{"status":"success","data":{"result":[{"metric":{},"values":[[1,2]]}]}}"#,
                Refusal::Foreign,
            ),
            (
                r#"{"status":"error","errorType":"bad_data","error":"parse \u001b[2J"}"#,
                Refusal::Said("parse \\u{1b}[2J".to_owned()),
            ),
            (
                r#"{"status":"error","error":"query would load too many samples into memory"}"#,
                Refusal::TooMuch,
            ),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap_err(), refusal, "{body}");
        }
    }
}
