//! What an answer of GitHub means for the next request: use it, wait, or give up with a cure. One
//! pure function from status, headers and body, because GitHub says the same thing in several ways
//! (a limit is 403 or 429, and 403 is also a missing permission), and each way needs a test.

use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::app::AppRefusal;

/// Not before then, and why: a value for whoever keeps the schedule, never a sleeping call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The earliest time for the next request, in milliseconds since 1970.
    pub until_ms: i64,
    /// What is being waited out.
    pub why: Trouble,
}

/// What passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The requests of this hour are used up.
    PrimaryLimit,
    /// Too many requests in too short a time.
    SecondaryLimit,
    /// The server failed, or something between answered in its stead.
    Server,
    /// The body ended early, or is no JSON.
    Body,
    /// No connection, or no answer in time.
    Connection,
}

/// What passes only when someone does something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 401.
    #[error("GitHub refuses the token (401): it is mistyped, expired or revoked; issue a new one")]
    Token,
    /// 403 without a limit.
    #[error(
        "GitHub refuses {path} (403: {message}): give the token {needs}, and where the \
         organisation uses SSO authorise it there"
    )]
    Permission {
        /// What was asked for.
        path: String,
        /// GitHub's words.
        message: String,
        /// What the answer says is needed.
        needs: String,
    },
    /// 404: GitHub does not tell absent from hidden.
    #[error(
        "GitHub knows no {path} (404): check the spelling of owner/name, and that the token may \
         read this repository, for a private one is hidden from a token without access"
    )]
    Unknown {
        /// What was asked for.
        path: String,
    },
    /// What is refused an App instead of a token.
    #[error(transparent)]
    App(#[from] AppRefusal),
    /// 410: the repository has this turned off.
    #[error("{path} is turned off in this repository (410)")]
    TurnedOff {
        /// What was asked for.
        path: String,
    },
    /// A link or redirect to another host, where the token must not go.
    #[error(
        "GitHub points to {authority}, not to the configured API: set the API's address to the \
         one that the server calls its own"
    )]
    Elsewhere {
        /// Where it points.
        authority: String,
    },
    /// The server's certificate is none that we trust.
    #[error(
        "the certificate of {authority} is not trusted ({reason}): set the CA file to the \
         authority that issued it"
    )]
    Certificate {
        /// Who presented it.
        authority: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A body past the bound.
    #[error("the answer to {path} is over {bytes_max} bytes")]
    TooLarge {
        /// What was asked for.
        path: String,
        /// The bound.
        bytes_max: usize,
    },
    /// Anything else that will be the same next time.
    #[error("GitHub answers {path} with {status}: {message}")]
    Other {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
        /// GitHub's words.
        message: String,
    },
}

impl Refusal {
    /// Whether everything else would be refused in the same words.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        match self {
            Refusal::App(refusal) => !matches!(refusal, AppRefusal::Permission { .. }),
            Refusal::Token | Refusal::Certificate { .. } | Refusal::Elsewhere { .. } => true,
            _ => false,
        }
    }

    /// Whether only another configuration cures it, whatever is changed at GitHub.
    #[must_use]
    pub fn is_of_configuration(&self) -> bool {
        matches!(self, Refusal::App(refusal) if refusal.is_of_configuration())
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The body is JSON to be read.
    Use,
    /// Ask at this place instead; renamed repositories answer so.
    Moved(String),
    /// Later.
    Later(Wait),
    /// Not until someone acts.
    Never(Refusal),
}

impl Verdict {
    /// What it says of the hour's requests: that none is left, or nothing.
    pub(crate) fn remaining(&self) -> Option<u64> {
        let is_used_up = |wait: &Wait| wait.why == Trouble::PrimaryLimit;
        matches!(self, Verdict::Later(wait) if is_used_up(wait)).then_some(0)
    }
}

/// When it is, and what is known of the attempts before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now_ms: i64,
    /// Troubles in a row before this request.
    pub(crate) troubles: u32,
    /// A number that no two clients share, so that they do not return together.
    pub(crate) random: u64,
    begun: Instant,
}

impl Moment {
    pub(crate) fn new(now_ms: i64, troubles: u32, random: u64) -> Self {
        Self { now_ms, troubles, random, begun: Instant::now() }
    }

    /// The time by now: a step of a hundred objects takes minutes, and neither a token that is
    /// signed or renewed in it nor a wait that it ends with may bear the time of its beginning.
    pub(crate) fn present_ms(self) -> i64 {
        let passed_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.now_ms.saturating_add(passed_ms)
    }

    /// Waits a while that doubles with each trouble in a row, plus up to half of it.
    pub(crate) fn retry(self, why: Trouble) -> Wait {
        let (first_ms, longest_ms) = match why {
            Trouble::PrimaryLimit | Trouble::SecondaryLimit => (MINUTE_MS, 30 * MINUTE_MS),
            Trouble::Server | Trouble::Body | Trouble::Connection => (1_000, 15 * MINUTE_MS),
        };
        let wait_ms = (first_ms << self.troubles.min(12)).min(longest_ms);
        let jitter_ms = self.random % (wait_ms / 2 + 1);
        self.after(wait_ms + jitter_ms, why)
    }

    /// Counted from now, for the answer that asks to wait may be the last of a long step.
    fn after(self, wait_ms: u64, why: Trouble) -> Wait {
        let wait_ms = i64::try_from(wait_ms).unwrap_or(i64::MAX);
        Wait { until_ms: self.present_ms().saturating_add(wait_ms), why }
    }
}

/// Judges an answer to the request for `path`.
pub(crate) fn judge(
    path: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    moment: Moment,
) -> Verdict {
    let message = message(body);
    if let Some(wait) = limit(status, headers, &message, moment) {
        return Verdict::Later(wait);
    }
    let path = || path.split('?').next().unwrap_or_default().to_owned();
    match status.as_u16() {
        200..=299 if is_html(headers) => Verdict::Later(moment.retry(Trouble::Server)),
        200..=299 => Verdict::Use,
        301 | 302 | 307 | 308 => match text(headers, header::LOCATION.as_str()) {
            Some(place) => Verdict::Moved(place.to_owned()),
            None => Verdict::Later(moment.retry(Trouble::Server)),
        },
        401 => Verdict::Never(Refusal::Token),
        403 => Verdict::Never(forbidden(path(), message, needs(headers))),
        404 => Verdict::Never(Refusal::Unknown { path: path() }),
        410 => Verdict::Never(Refusal::TurnedOff { path: path() }),
        408 | 500..=599 => Verdict::Later(moment.retry(Trouble::Server)),
        status => Verdict::Never(Refusal::Other { path: path(), status, message }),
    }
}

/// What a 403 without a limit refuses; an App is told from a token by GitHub's words.
pub(crate) fn forbidden(path: String, message: String, needs: String) -> Refusal {
    if message.contains("installation has been suspended") {
        Refusal::App(AppRefusal::Suspended)
    } else if message.contains("by integration") {
        Refusal::App(AppRefusal::Permission { path, message, needs })
    } else {
        Refusal::Permission { path, message, needs }
    }
}

/// The wait that a limit asks for. An Enterprise Server without limits says 0 of 0 remaining, which
/// is none; a `Retry-After` stands above the guess of a minute.
pub(crate) fn limit(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    moment: Moment,
) -> Option<Wait> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let secondary = Trouble::SecondaryLimit;
    if let Some(asked) = text(headers, header::RETRY_AFTER.as_str()) {
        return Some(match retry_after_ms(asked, moment.present_ms()) {
            Some(wait_ms) => moment.after(wait_ms.max(1_000), secondary),
            None => moment.retry(secondary),
        });
    }
    let is_used_up = number(headers, "x-ratelimit-remaining") == Some(0)
        && number(headers, "x-ratelimit-limit").is_some_and(|limit| limit > 0);
    if is_used_up {
        let reset = number(headers, "x-ratelimit-reset").map(|at_s| at_s.saturating_mul(1_000));
        return Some(match reset.filter(|at_ms| *at_ms > moment.present_ms()) {
            // A second more, for the server's clock is not ours.
            Some(at_ms) => {
                Wait { until_ms: at_ms.saturating_add(1_000), why: Trouble::PrimaryLimit }
            }
            None => moment.retry(Trouble::PrimaryLimit),
        });
    }
    let message = message.to_ascii_lowercase();
    let says_so = ["secondary rate limit", "abuse detection", "rate limit exceeded"]
        .iter()
        .any(|words| message.contains(words));
    (says_so || status == StatusCode::TOO_MANY_REQUESTS).then(|| moment.retry(secondary))
}

/// What is left of the hour's requests. A search has a limit of its own, and an Enterprise Server
/// without limits says 0 of 0, which is none.
pub(crate) fn remaining(headers: &HeaderMap) -> Option<u64> {
    let is_core = text(headers, "x-ratelimit-resource").is_none_or(|resource| resource == "core");
    let is_limited = number(headers, "x-ratelimit-limit") != Some(0);
    let remaining = number(headers, "x-ratelimit-remaining").filter(|_| is_core && is_limited);
    remaining.and_then(|remaining| u64::try_from(remaining).ok())
}

/// Seconds or a date, as milliseconds from now and at most a day, which no limit exceeds.
fn retry_after_ms(asked: &str, now_ms: i64) -> Option<u64> {
    let wait_ms = match asked.trim().parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1_000),
        Err(_) => {
            let until_ms = http_ms(asked)?;
            u64::try_from(until_ms.saturating_sub(now_ms)).unwrap_or(0)
        }
    };
    Some(wait_ms.min(DAY_MS))
}

fn is_html(headers: &HeaderMap) -> bool {
    text(headers, header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html"))
}

/// What would suffice: classic tokens hear of scopes, fine-grained ones and Apps of permissions.
fn needs(headers: &HeaderMap) -> String {
    for (header, noun) in
        [("x-accepted-github-permissions", "permission"), ("x-accepted-oauth-scopes", "scope")]
    {
        if let Some(needs) = text(headers, header).filter(|needs| !needs.is_empty()) {
            return format!("the {noun} `{needs}`");
        }
    }
    "read access to this repository's contents, deployments, actions, issues and pull requests"
        .to_owned()
}

/// What an answer says in words, without what could reshape a line of a log.
pub(crate) fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Said {
        message: String,
    }
    let said = serde_json::from_slice::<Said>(body).map(|said| said.message).unwrap_or_default();
    said.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX).collect()
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    text(headers, name)?.trim().parse().ok()
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A time as a header bears it, in milliseconds since 1970.
pub(crate) fn http_ms(date: &str) -> Option<i64> {
    Some(jiff::fmt::rfc2822::parse(date.trim()).ok()?.timestamp().as_millisecond())
}

/// A time as GitHub writes it, in milliseconds since 1970.
pub(crate) fn parse_ms(time: &str) -> Option<i64> {
    time.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
const MESSAGE_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    fn judged(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
        judged_after(0, status, headers, body)
    }

    fn judged_after(
        troubles: u32,
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Verdict {
        let map = headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        let moment = Moment::new(NOW_MS, troubles, 0);
        judge("/repos/o/r?x", StatusCode::from_u16(status).unwrap(), &map, body.as_bytes(), moment)
    }

    fn later(seconds: i64, why: Trouble) -> Verdict {
        Verdict::Later(Wait { until_ms: NOW_MS + seconds * 1_000, why })
    }

    #[tokio::test(start_paused = true)]
    async fn a_primary_limit_waits_until_its_reset_and_not_longer() {
        let reset = (NOW_MS / 1_000 + 900).to_string();
        let headers = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", reset.as_str()),
        ];
        for status in [403, 429] {
            assert_eq!(judged(status, &headers, "{}"), later(901, Trouble::PrimaryLimit));
        }
        assert_eq!(judged(200, &headers, "[]"), Verdict::Use, "the last one that is allowed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_secondary_limit_waits_as_told_or_a_minute_and_growing() {
        let why = Trouble::SecondaryLimit;
        assert_eq!(judged(403, &[("retry-after", "37")], "{}"), later(37, why));
        let date = [("retry-after", "Tue, 14 Nov 2023 22:15:20 GMT")];
        assert_eq!(judged(429, &date, "{}"), later(120, why));
        assert_eq!(judged(429, &[("retry-after", "soon")], "{}"), later(60, why));
        let body = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        assert_eq!(judged(403, &[], body), later(60, why));
        assert_eq!(judged_after(2, 403, &[], body), later(240, why));
        assert_eq!(judged_after(90, 403, &[], body), later(1_800, why));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_counted_from_the_answer_and_not_from_the_beginning_of_its_step() {
        let moment = Moment::new(NOW_MS, 0, 0);
        let judged = |status: u16, header: (&'static str, &str)| {
            let headers = [(header.0.parse().unwrap(), header.1.parse().unwrap())];
            let headers = headers.into_iter().collect();
            judge("/", StatusCode::from_u16(status).unwrap(), &headers, b"{}", moment)
        };
        // A page of a hundred objects is read one after another meanwhile.
        tokio::time::advance(std::time::Duration::from_secs(90)).await;
        let why = Trouble::SecondaryLimit;
        assert_eq!(judged(429, ("retry-after", "37")), later(90 + 37, why));
        let date = ("retry-after", "Tue, 14 Nov 2023 22:15:20 GMT");
        assert_eq!(judged(429, date), later(120, why), "a moment is one whenever it is read");
        let passed = ("retry-after", "Tue, 14 Nov 2023 22:14:00 GMT");
        assert_eq!(judged(429, passed), later(91, why), "it has passed by now");
        assert_eq!(judged(502, ("x-none", "")), later(91, Trouble::Server));
    }

    #[test]
    fn zero_of_zero_is_no_limit_but_a_missing_permission() {
        let headers = [
            ("x-ratelimit-limit", "0"),
            ("x-ratelimit-remaining", "0"),
            ("x-accepted-github-permissions", "deployments=read"),
        ];
        let body = r#"{"message":"Resource not accessible by personal access token"}"#;
        let Verdict::Never(refusal @ Refusal::Permission { .. }) = judged(403, &headers, body)
        else {
            panic!("a refusal")
        };
        assert_eq!(
            refusal.to_string(),
            "GitHub refuses /repos/o/r (403: Resource not accessible by personal access token): \
             give the token the permission `deployments=read`, and where the organisation uses SSO \
             authorise it there"
        );
    }

    #[test]
    fn what_remains_is_told_where_there_is_a_limit() {
        let told = |headers: &[(&'static str, &str)]| {
            remaining(
                &headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect(),
            )
        };
        let (limit, left) = ("x-ratelimit-limit", "x-ratelimit-remaining");
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[(limit, "5000"), (left, "4999")]), Some(4_999));
        let resource = "x-ratelimit-resource";
        assert_eq!(told(&[(limit, "5000"), (left, "0"), (resource, "core")]), Some(0));
        assert_eq!(told(&[(limit, "30"), (left, "29"), (resource, "search")]), None);
        assert_eq!(told(&[(limit, "0"), (left, "0")]), None, "an Enterprise Server without limits");
        assert_eq!(told(&[(limit, "5000"), (left, "-1")]), None);
    }

    #[tokio::test(start_paused = true)]
    async fn pages_of_something_between_are_the_servers_trouble() {
        let html = [("content-type", "text/html; charset=utf-8")];
        assert_eq!(judged(502, &html, "<html>"), later(1, Trouble::Server));
        assert_eq!(judged(200, &html, "<html>"), later(1, Trouble::Server));
        assert_eq!(judged_after(3, 503, &[], ""), later(8, Trouble::Server));
    }

    #[test]
    fn what_will_not_pass_is_refused() {
        assert_eq!(judged(401, &[], ""), Verdict::Never(Refusal::Token));
        let unknown = Refusal::Unknown { path: "/repos/o/r".into() };
        assert_eq!(judged(404, &[], ""), Verdict::Never(unknown));
        let moved = [("location", "https://api.github.com/repositories/7")];
        let place = Verdict::Moved("https://api.github.com/repositories/7".into());
        assert_eq!(judged(301, &moved, ""), place);
    }
}
