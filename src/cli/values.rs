//! The values that words of the command line may have, parsed once into types that need no second
//! look.

use std::time::Duration;

use http::Uri;
use redora_model::slo::Goal;

use crate::app::delivery::{self, Zone};
use crate::config;

/// Why a URL was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlFault {
    #[error("write it as http://HOST:PORT")]
    Form,
    #[error("only http is built in; the admin port of redora does not speak https")]
    Scheme,
}

/// A URL that can be asked; without a path it asks for readiness.
pub(super) fn url(text: &str) -> Result<Uri, UrlFault> {
    let url: Uri = text.parse().map_err(|_| UrlFault::Form)?;
    match url.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(UrlFault::Scheme),
        _ => return Err(UrlFault::Form),
    }
    if url.host().is_none_or(str::is_empty) {
        return Err(UrlFault::Form);
    }
    if url.path() != "/" || url.query().is_some() {
        return Ok(url);
    }
    let mut parts = url.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/readyz"));
    Uri::from_parts(parts).map_err(|_| UrlFault::Form)
}

/// A Prometheus that can be asked, by the address that its API is below.
pub(super) fn prometheus(text: &str) -> Result<Uri, PrometheusFault> {
    let url: Uri = text.parse().map_err(|_| PrometheusFault::Form)?;
    match url.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err(PrometheusFault::Form),
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(PrometheusFault::User);
    }
    let is_base = url.host().is_some_and(|host| !host.is_empty()) && url.query().is_none();
    is_base.then_some(url).ok_or(PrometheusFault::Form)
}

/// Why an address of a Prometheus was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PrometheusFault {
    #[error("write it as http://HOST:PORT, with the path that /api/v1 is below if there is one")]
    Form,
    #[error("other users of this machine see the command line; give --user and --password")]
    User,
}

/// The share of events that must be good.
pub(super) fn goal(text: &str) -> Result<Goal, GoalFault> {
    Goal::parse(text).ok_or(GoalFault)
}

/// Why a goal was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a share from 1% to below 100%, such as 99.9% or 0.999")]
pub(super) struct GoalFault;

/// The window of an objective in seconds, as long as a configuration may have it.
pub(super) fn budget_window(text: &str) -> Result<u64, BudgetWindowFault> {
    let seconds = days(text).ok().map(|days| u64::from(days) * 86_400);
    let is_kept = |seconds: &u64| {
        (config::WINDOW_MIN.as_secs()..=config::WINDOW_MAX.as_secs()).contains(seconds)
    };
    seconds.filter(is_kept).ok_or(BudgetWindowFault)
}

/// Why a window was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write 7d to 92d, such as 28d or 4w")]
pub(super) struct BudgetWindowFault;

/// A time of at least a millisecond and at most an hour, in ms, s or m; a bare number counts
/// seconds.
pub(super) fn time(text: &str) -> Result<Duration, TimeFault> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| TimeFault::Form)?;
    let unit_ms = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        _ => return Err(TimeFault::Form),
    };
    match number.checked_mul(unit_ms) {
        Some(ms @ 1..=3_600_000) => Ok(Duration::from_millis(ms)),
        _ => Err(TimeFault::Range),
    }
}

/// A year whose levels are known.
pub(super) fn year(text: &str) -> Result<u16, YearFault> {
    let year = text.parse().ok().filter(|year| delivery::years().any(|known| known == *year));
    year.ok_or(YearFault)
}

/// Why a year was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the levels of this year are not known; there are {}",
    delivery::years().map(|year| year.to_string()).collect::<Vec<_>>().join(", ")
)]
pub(super) struct YearFault;

/// Why a time was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TimeFault {
    #[error("write a whole number with its unit, such as 500ms, 3s or 1m")]
    Form,
    #[error("use a time between 1ms and 1h")]
    Range,
}

/// A number of days, 1 to ten years of them: 30d, 4w.
pub(super) fn days(text: &str) -> Result<u32, DaysFault> {
    let (number, unit) = match text.as_bytes().last() {
        Some(b'd') => (&text[..text.len() - 1], 1),
        Some(b'w') => (&text[..text.len() - 1], 7),
        _ => return Err(DaysFault::Form),
    };
    let number: u32 = number.parse().map_err(|_| DaysFault::Form)?;
    match number.checked_mul(unit) {
        Some(days @ 1..=DAYS_MAX) => Ok(days),
        _ => Err(DaysFault::Range),
    }
}

/// Why a number of days was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DaysFault {
    #[error("write a whole number of days or weeks, such as 30d or 4w")]
    Form,
    #[error("use a time between 1d and {DAYS_MAX}d")]
    Range,
}

/// A moment in milliseconds since the Unix epoch.
pub(super) fn moment(text: &str) -> Result<i64, MomentFault> {
    delivery::moment(text).ok_or(MomentFault)
}

/// Why a moment was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write it as 2026-11-01T00:00:00Z")]
pub(super) struct MomentFault;

/// A time zone.
pub(super) fn zone(text: &str) -> Result<Zone, ZoneFault> {
    Zone::named(text).ok_or(ZoneFault)
}

/// Why a time zone was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such time zone; write an IANA name such as Europe/Berlin")]
pub(super) struct ZoneFault;

/// Ten years.
const DAYS_MAX: u32 = 3653;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_moments_and_zones_are_checked() {
        assert_eq!((days("30d"), days("4w"), days("3653d")), (Ok(30), Ok(28), Ok(3653)));
        for text in ["", "d", "30", "30h", "-1d", "1.5d", "ü"] {
            assert_eq!(days(text), Err(DaysFault::Form), "{text}");
        }
        for text in ["0d", "3654d", "700000000w"] {
            assert_eq!(days(text), Err(DaysFault::Range), "{text}");
        }
        assert_eq!(moment("1970-01-02T01:00:00+01:00"), Ok(86_400_000));
        assert_eq!(moment("yesterday"), Err(MomentFault));
        assert!(zone("Europe/Berlin").is_ok() && zone("Europe/Nowhere").is_err());
    }

    #[test]
    fn urls_are_checked_and_a_bare_one_asks_for_readiness() {
        let url = |text| self::url(text).map(|url| url.to_string());
        assert_eq!(url("http://10.0.0.7:9464").unwrap(), "http://10.0.0.7:9464/readyz");
        assert_eq!(url("http://[::1]:9464/").unwrap(), "http://[::1]:9464/readyz");
        assert_eq!(url("http://h/healthz").unwrap(), "http://h/healthz");
        assert_eq!(url("https://h"), Err(UrlFault::Scheme));
        for text in ["", "h:9464", "/readyz", "ftp://h", "http://", "http:// h"] {
            assert_eq!(url(text), Err(UrlFault::Form), "{text}");
        }
    }

    #[test]
    fn an_address_of_a_prometheus_shows_no_secret() {
        for text in ["http://h:9090", "http://[::1]/", "https://h/prometheus/"] {
            assert!(prometheus(text).is_ok(), "{text}");
        }
        assert_eq!(prometheus("http://a:b@h"), Err(PrometheusFault::User));
        for text in ["", "h:9090", "http://", "http://h/?a=b", "ftp://h"] {
            assert_eq!(prometheus(text), Err(PrometheusFault::Form), "{text}");
        }
    }

    #[test]
    fn goals_and_their_windows_are_those_of_a_configuration() {
        assert_eq!((budget_window("7d"), budget_window("4w")), (Ok(604_800), Ok(2_419_200)));
        assert_eq!(
            (budget_window("6d"), budget_window("93d")),
            (Err(BudgetWindowFault), Err(BudgetWindowFault))
        );
        assert!(goal("99.95%").is_ok() && goal("99.95").is_err());
    }

    #[test]
    fn times_are_read_with_their_unit() {
        let ms = |text| self::time(text).map(|time| time.as_millis());
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("3s"), Ok(3000));
        assert_eq!(ms("3"), Ok(3000));
        assert_eq!(ms("1m"), Ok(60_000));
        assert_eq!(ms("60m"), Ok(3_600_000));
        for text in ["", "s", "-1s", "1.5s", "3h", "3 s", "3µs"] {
            assert_eq!(ms(text), Err(TimeFault::Form), "{text}");
        }
        for text in ["0", "0ms", "61m", "99999999999999999m"] {
            assert_eq!(ms(text), Err(TimeFault::Range), "{text}");
        }
    }
}
