//! The JSON of the delivery half, for `redora dora report --format json` and for `/api/v1/dora/…`
//! alike, so that the two cannot tell different stories.

use std::sync::Arc;

use redora_collector::collect::Clock;
use serde::{Deserialize as _, Serialize};

use super::{
    Ask, DeliveryError, Metric, Scales, Zone, compared, explain, moment, report, rules, years,
};
use crate::admin::{Query, Question, Unanswered};
use crate::config::Config;

/// The page of a report or an explanation, as pretty JSON with a newline.
pub fn page(places: &[impl Serialize], at_ms: i64) -> String {
    #[derive(Serialize)]
    struct Page<'a, T> {
        at_ms: i64,
        places: &'a [T],
    }
    let page = Page { at_ms, places };
    serde_json::to_string_pretty(&page).expect("an answer has no key that is not text") + "\n"
}

/// Answers what is asked of the admin port.
pub(super) fn query(config: Arc<Config>, clock: Clock) -> Query {
    Arc::new(move |question| {
        let (config, now_ms) = (config.clone(), clock());
        Box::pin(async move {
            let answering = move || answer(&config, &question, now_ms);
            let answered = tokio::task::spawn_blocking(answering).await;
            answered.unwrap_or_else(|panicked| Err(Unanswered::Failed(panicked.to_string())))
        })
    })
}

fn answer(config: &Config, question: &Question, now_ms: i64) -> Result<String, Unanswered> {
    match question.path.as_str() {
        "dora/report" => {
            let mut question = question.clone();
            let form = form(&mut question.pairs)?;
            let ask = ask(config, &question, now_ms)?;
            let failed = |error: DeliveryError| Unanswered::Failed(error.to_string());
            Ok(match form {
                Form::DevLake => page(&compared(config, &ask).map_err(failed)?, ask.at_ms),
                Form::Own(scales) => {
                    page(&report(config, &ask, scales).map_err(failed)?, ask.at_ms)
                }
            })
        }
        path => match path.strip_prefix("dora/explain/").and_then(metric) {
            Some(metric) => {
                let ask = ask(config, question, now_ms)?;
                let explained = explain(config, &ask, metric);
                let failed = |error: DeliveryError| Unanswered::Failed(error.to_string());
                Ok(page(&explained.map_err(failed)?, ask.at_ms))
            }
            None => Err(Unanswered::Unknown(format!(
                "/api/v1/{path} is not known; there are /api/v1/dora/report and \
                 /api/v1/dora/explain/ with deployments, lead_time, change_failure_ratio, \
                 recovery_time or rework_ratio"
            ))),
        },
    }
}

/// A number by the word that the command line has for it.
fn metric(word: &str) -> Option<Metric> {
    Metric::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word))
        .ok()
}

/// Whose numbers are asked for, and what they are held against.
enum Form {
    Own(Scales),
    DevLake,
}

/// Takes what only a report can be asked for out of a question.
fn form(pairs: &mut Vec<(String, String)>) -> Result<Form, Unanswered> {
    let mut take = |wanted: &str| {
        let at = pairs.iter().position(|(key, _)| key == wanted)?;
        Some(pairs.remove(at).1)
    };
    let malformed = |said: String| Err(Unanswered::Malformed(said));
    let (compat, year, quick_check) = (take("compat"), take("bands"), take("quick_check"));
    let mut scales = Scales::default();
    if let Some(text) = &year {
        scales.bands = text.parse().ok().filter(|year| years().any(|known| known == *year));
        if scales.bands.is_none() {
            let known: Vec<String> = years().map(|year| year.to_string()).collect();
            return malformed(format!("`bands` is one of {}, not `{text}`", known.join(", ")));
        }
    }
    match quick_check.as_deref() {
        None | Some("false") => {}
        Some("" | "true") => scales.quick_check = true,
        Some(other) => return malformed(format!("`quick_check` is true or false, not `{other}`")),
    }
    match compat.as_deref() {
        None => Ok(Form::Own(scales)),
        Some("devlake") if scales == Scales::default() => Ok(Form::DevLake),
        Some("devlake") => malformed("`compat` goes without `bands` and `quick_check`".to_owned()),
        Some(other) => malformed(format!("`compat` is devlake, not `{other}`")),
    }
}

fn ask(config: &Config, question: &Question, now_ms: i64) -> Result<Ask, Unanswered> {
    let zone = Zone::named(&config.delivery.time_zone).expect("the zone was checked");
    let (service, environment) = (None, None);
    let rules = rules(config);
    let mut ask = Ask { service, environment, window_ms: 30 * DAY_MS, at_ms: now_ms, zone, rules };
    for (key, value) in &question.pairs {
        let malformed = |form| Unanswered::Malformed(format!("`{key}` is {form}, not `{value}`"));
        match key.as_str() {
            "service" => ask.service = Some(value.clone()),
            "environment" => ask.environment = Some(value.clone()),
            "window" => {
                let days = value.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
                let days = days.filter(|days| (1..=DAYS_MAX).contains(days));
                ask.window_ms = days.ok_or_else(|| malformed("days such as 30d"))? * DAY_MS;
            }
            "at" => {
                let at_ms = moment(value);
                ask.at_ms =
                    at_ms.ok_or_else(|| malformed("a time such as 2026-11-01T00:00:00Z"))?;
            }
            "time_zone" => {
                let zone = Zone::named(value);
                ask.zone = zone.ok_or_else(|| malformed("a time zone such as Europe/Berlin"))?;
            }
            _ => {
                return Err(Unanswered::Malformed(format!(
                    "`{key}` is not known; there are service, environment, window, at, time_zone, \
                     and for a report compat, bands, quick_check"
                )));
            }
        }
    }
    Ok(ask)
}

const DAY_MS: i64 = 24 * 3_600_000;
/// A hundred years.
const DAYS_MAX: i64 = 36_525;

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_report_takes_its_own_words_and_leaves_the_others() {
        let mut asked = pairs(&[("service", "shop"), ("bands", "2024"), ("quick_check", "")]);
        let Ok(Form::Own(scales)) = form(&mut asked) else { panic!("{asked:?}") };
        assert_eq!(scales, Scales { bands: Some(2024), quick_check: true });
        assert_eq!(asked, pairs(&[("service", "shop")]));
        let mut asked = pairs(&[("compat", "devlake"), ("quick_check", "false")]);
        assert!(matches!(form(&mut asked), Ok(Form::DevLake)), "{asked:?}");
    }

    #[test]
    fn a_form_that_does_not_exist_is_refused_with_those_that_do() {
        for (asked, said) in [
            (pairs(&[("bands", "2020")]), "2018, 2019, 2021, 2022, 2023, 2024, not `2020`"),
            (pairs(&[("compat", "fourkeys")]), "`compat` is devlake"),
            (pairs(&[("quick_check", "2025")]), "true or false"),
            (pairs(&[("compat", "devlake"), ("bands", "2024")]), "goes without `bands`"),
        ] {
            let Err(Unanswered::Malformed(reason)) = form(&mut asked.clone()) else {
                panic!("{asked:?}")
            };
            assert!(reason.contains(said), "{reason}");
        }
    }
}
