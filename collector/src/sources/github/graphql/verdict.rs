//! What GraphQL says inside a 200: limits, refusals and time-outs arrive there beside the data, as
//! errors told apart by a type, a path or their words. A function from headers and body, because
//! every one of them needs a test.

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::reply::{self, Moment, Refusal, Trouble, Verdict};

/// Data to be used, and what is missing in it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) data: Box<RawValue>,
    pub(crate) faults: Vec<Fault>,
    /// In points of the hourly allowance.
    pub(crate) cost: u64,
    /// Points that are left of it; `None` on an Enterprise Server without limits.
    pub(crate) remaining: Option<u64>,
}

/// Why a place in the data is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// `repository.deployments.nodes.3`.
    pub(crate) path: String,
    pub(crate) message: String,
    /// Whether the same query may get it another time.
    pub(crate) is_passing: bool,
}

impl Reply {
    /// What is wrong at a place or below it.
    pub(crate) fn fault(&self, path: &str) -> Option<&Fault> {
        self.faults.iter().find(|fault| {
            let below = fault.path.strip_prefix(path);
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// Reads the body of an answer to a query about `subject`.
pub(crate) fn judge(
    subject: &str,
    headers: &HeaderMap,
    body: &[u8],
    moment: Moment,
) -> Result<Reply, Verdict> {
    let broken = || Verdict::Later(moment.retry(Trouble::Body));
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| broken())?;
    let mut faults = Vec::new();
    for error in envelope.errors.unwrap_or_default() {
        match error.meaning() {
            Meaning::Limit => {
                let limit = reply::limit(StatusCode::FORBIDDEN, headers, &error.message, moment);
                let guess = || moment.retry(Trouble::PrimaryLimit);
                return Err(Verdict::Later(limit.unwrap_or_else(guess)));
            }
            meaning if error.is_about_a_part() => faults.push(Fault {
                path: error.path(),
                message: error.words(),
                is_passing: meaning == Meaning::Passing,
            }),
            Meaning::Passing => return Err(Verdict::Later(moment.retry(Trouble::Server))),
            meaning => return Err(Verdict::Never(error.refusal(meaning, subject))),
        }
    }
    let data = envelope.data.ok_or_else(broken)?;
    let priced: Priced = serde_json::from_str(data.get()).map_err(|_| broken())?;
    let RateLimit { cost, remaining } = priced.rate_limit.unwrap_or_default();
    Ok(Reply { data, faults, cost: cost.unwrap_or(0), remaining })
}

#[derive(Deserialize)]
struct Envelope {
    data: Option<Box<RawValue>>,
    errors: Option<Vec<GraphqlError>>,
}

#[derive(Deserialize)]
struct Priced {
    #[serde(rename = "rateLimit")]
    rate_limit: Option<RateLimit>,
}

#[derive(Default, Deserialize)]
struct RateLimit {
    cost: Option<u64>,
    remaining: Option<u64>,
}

#[derive(Deserialize)]
struct GraphqlError {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    message: String,
    path: Option<Vec<Segment>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segment {
    At(u64),
    Field(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Limit,
    /// Out of time or of resources: a smaller query may pass.
    Passing,
    Unknown,
    Forbidden,
    Scopes,
    Other,
}

impl GraphqlError {
    fn meaning(&self) -> Meaning {
        let message = self.message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        match self.kind.as_deref() {
            Some("RATE_LIMITED" | "RATE_LIMIT") => Meaning::Limit,
            Some("NOT_FOUND") => Meaning::Unknown,
            Some("INSUFFICIENT_SCOPES") => Meaning::Scopes,
            Some("FORBIDDEN") => Meaning::Forbidden,
            Some(
                "MAX_NODE_LIMIT_EXCEEDED"
                | "RESOURCE_LIMITS_EXCEEDED"
                | "SERVICE_UNAVAILABLE"
                | "INTERNAL",
            ) => Meaning::Passing,
            _ if says(&["rate limit"]) => Meaning::Limit,
            _ if says(&["something went wrong", "timeout", "timed out", "in time"]) => {
                Meaning::Passing
            }
            _ => Meaning::Other,
        }
    }

    /// Whether it concerns one element of a page, or the one object that was asked for.
    fn is_about_a_part(&self) -> bool {
        let path = self.path.as_deref().unwrap_or_default();
        let is_node = matches!(path.first(), Some(Segment::Field(field)) if field == "node");
        is_node || path.iter().any(|segment| matches!(segment, Segment::At(_)))
    }

    fn path(&self) -> String {
        let segments = self.path.iter().flatten().map(|segment| match segment {
            Segment::At(at) => at.to_string(),
            Segment::Field(field) => field.clone(),
        });
        segments.collect::<Vec<_>>().join(".")
    }

    fn refusal(&self, meaning: Meaning, subject: &str) -> Refusal {
        let (path, message) = (subject.to_owned(), self.words());
        let read = "read access to this repository's contents, deployments, issues and pull \
                    requests";
        match meaning {
            Meaning::Unknown => Refusal::Unknown { path },
            Meaning::Scopes => {
                let scopes = between(&self.message, "following scopes: [", "]");
                let needs = scopes.map_or_else(|| read.to_owned(), |s| format!("the scope {s}"));
                Refusal::Permission { path, message, needs }
            }
            Meaning::Forbidden => reply::forbidden(path, message, read.to_owned()),
            Meaning::Limit | Meaning::Passing | Meaning::Other => {
                Refusal::Other { path, status: 200, message }
            }
        }
    }

    fn words(&self) -> String {
        self.message.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX).collect()
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// GitHub names the scope that is needed behind some hundred characters.
const MESSAGE_CHARS_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::super::super::reply::Wait;
    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    fn judged(
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<(String, Vec<Fault>), Verdict> {
        let map = headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        let moment = Moment::new(NOW_MS, 0, 0);
        let reply = judge("/repos/o/r", &map, body.as_bytes(), moment)?;
        Ok((reply.data.get().to_owned(), reply.faults))
    }

    fn error(rest: &str) -> String {
        format!(r#"{{"data":null,"errors":[{{{rest}}}]}}"#)
    }

    fn later(seconds: i64, why: Trouble) -> Result<(String, Vec<Fault>), Verdict> {
        Err(Verdict::Later(Wait { until_ms: NOW_MS + seconds * 1_000, why }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_in_a_200_waits_until_its_reset_or_as_told() {
        let used_up = error(r#""type":"RATE_LIMITED","message":"API rate limit exceeded""#);
        let reset = (NOW_MS / 1_000 + 900).to_string();
        let headers = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", reset.as_str()),
        ];
        assert_eq!(judged(&headers, &used_up), later(901, Trouble::PrimaryLimit));
        let bare = error(r#""type":"RATE_LIMITED","message":"used up""#);
        assert_eq!(judged(&[], &bare), later(60, Trouble::PrimaryLimit));
        let secondary = error(r#""message":"You have exceeded a secondary rate limit""#);
        assert_eq!(
            judged(&[("retry-after", "37")], &secondary),
            later(37, Trouble::SecondaryLimit)
        );
        assert_eq!(judged(&[], &secondary), later(60, Trouble::SecondaryLimit));
    }

    #[tokio::test(start_paused = true)]
    async fn what_ran_out_of_time_or_resources_comes_again() {
        for rest in [
            r#""message":"Something went wrong while executing your query. This may be a timeout""#,
            r#""type":"MAX_NODE_LIMIT_EXCEEDED","message":"too many nodes""#,
            r#""type":"RESOURCE_LIMITS_EXCEEDED","message":"","path":["repository","issues"]"#,
        ] {
            assert_eq!(judged(&[], &error(rest)), later(1, Trouble::Server), "{rest}");
        }
        assert_eq!(judged(&[], r#"{"data":null}"#), later(1, Trouble::Body));
        assert_eq!(judged(&[], r#"{"data":{"repo"#), later(1, Trouble::Body));
    }

    #[test]
    fn a_refusal_names_its_cure() {
        let told = |rest: &str| match judged(&[], &error(rest)) {
            Err(Verdict::Never(refusal)) => refusal.to_string(),
            other => panic!("{other:?}"),
        };
        let unknown = told(
            r#""type":"NOT_FOUND","path":["repository"],"message":"Could not resolve to a Repository""#,
        );
        assert!(unknown.starts_with("GitHub knows no /repos/o/r (404): check the spelling"));
        let scopes = told(
            r#""type":"INSUFFICIENT_SCOPES","message":"Your token has not been granted the required scopes. The 'deployments' field requires one of the following scopes: ['repo_deployment'], but your token has only been granted the: [''] scopes.""#,
        );
        assert!(scopes.contains("give the token the scope 'repo_deployment'"), "{scopes}");
        let forbidden = told(
            r#""type":"FORBIDDEN","path":["repository","deployments"],"message":"Resource not accessible by integration""#,
        );
        assert!(forbidden.contains("give the App read access to"), "{forbidden}");
        let old = told(r#""message":"Field 'statuses' doesn't exist on type 'Deployment'""#);
        assert!(old.contains("doesn't exist"), "{old}");
    }

    #[test]
    fn what_is_missing_in_data_has_its_path_and_the_rest_is_used() {
        let body = r#"{"data":{"repository":{},"rateLimit":null},"errors":[
            {"type":"FORBIDDEN","path":["repository","issues","nodes",3],"message":"SAML"},
            {"path":["node","commits"],"message":"Something went wrong"}]}"#;
        let (data, faults) = judged(&[], body).unwrap();
        assert_eq!(data, r#"{"repository":{},"rateLimit":null}"#);
        let told: Vec<_> = faults.iter().map(|f| (f.path.as_str(), f.is_passing)).collect();
        assert_eq!(told, [("repository.issues.nodes.3", false), ("node.commits", true)]);
    }
}
