//! `redora check`: the same loading as `run` and nothing more, with a summary, because a file
//! without faults may still not say what its writer meant.

use std::fmt::{self, Display};
use std::time::Duration;

use redora_model::identity::Service;
use redora_model::slo::Goal;

use super::args::CheckOptions;
use super::configuration;
use super::outcome::{self, Outcome};
use crate::config::sources::{Delivery, Teller};
use crate::config::{Config, size_text};
use crate::log_metrics::Rule;
use crate::red::Compat;
use crate::slo::Watched;

/// Loads the configuration and says what it would run, or everything that is wrong with it.
pub(super) fn check(options: CheckOptions) -> Outcome {
    match configuration::load(options.config) {
        Ok((file, config)) => {
            for note in &config.notes {
                outcome::tell(note);
            }
            let name = file.map_or("built-in defaults".into(), |file| file.display().to_string());
            outcome::print(format!("{name}: ok\n{}", Summary(&config)).as_bytes())
        }
        Err(unusable) => {
            outcome::complain(&unusable);
            Outcome::Wrong
        }
    }
}

/// What would run, one line a subject.
struct Summary<'a>(&'a Config);

impl Display for Summary<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { receive, admin, data_dir, series, red, log_metrics, delivery, .. } = self.0;
        let limits = &receive.limits;
        writeln!(out, "  otlp grpc    {}", list(&receive.grpc))?;
        writeln!(out, "  otlp http    {}", list(&receive.http))?;
        writeln!(out, "  admin        {}", list(&admin.listen))?;
        let reload = match admin.token {
            Some(_) => "SIGHUP, this machine, and others with the admin_token",
            None => "SIGHUP and this machine; others would need an admin_token",
        };
        writeln!(out, "  reload       {reload}")?;
        writeln!(out, "  data_dir     {}", data_dir.display())?;
        writeln!(
            out,
            "  limits       memory {}, request {}, {} items a request",
            size_text(limits.memory_bytes as u64),
            size_text(limits.request_bytes as u64),
            limits.items_per_request
        )?;
        writeln!(
            out,
            "  series       {}, kept {} idle",
            series.rows,
            Time(Duration::from_millis(series.expire_ms))
        )?;
        let dimensions: Vec<_> = red.dimensions.iter().map(|one| one.attribute.as_str()).collect();
        writeln!(out, "  dimensions   {}", list(&dimensions))?;
        writeln!(
            out,
            "  histograms   {} classic buckets, native {}, exemplars {}",
            red.buckets.seconds().len(),
            switch(red.native_histograms),
            switch(red.exemplars)
        )?;
        writeln!(out, "  compat       {}", compat(red.compat))?;
        let names: Vec<_> = log_metrics.iter().map(Rule::metric).collect();
        writeln!(out, "  log metrics  {}", list(&names))?;
        writeln!(out, "  slos         {}", objectives(self.0))?;
        writeln!(out, "  delivery     {}", sources(delivery))
    }
}

/// How many objectives the agent counts for and how many are in rules only, by their names where a
/// line can hold them.
fn objectives(config: &Config) -> String {
    let shown = |service: &Service, name: &str, goal: Goal| format!("{service}/{name} {goal}");
    let counted = config
        .slos
        .iter()
        .map(|Watched { objective: of, .. }| shown(&of.service, &of.name, of.goal));
    let queried = config.queried.iter().map(|of| shown(&of.service, &of.name, of.goal));
    let sorts = [("counted", counted.collect()), ("in rules only", queried.collect())];
    let told = |(how, objectives): (_, Vec<String>)| match objectives.len() {
        0 => None,
        many if many > OBJECTIVES_SHOWN_MAX => Some(format!("{many} {how}")),
        few => Some(format!("{few} {how}: {}", list(&objectives))),
    };
    let told: Vec<_> = sorts.into_iter().filter_map(told).collect();
    if told.is_empty() { "none".to_owned() } else { told.join("; ") }
}

/// Every source of the delivery half, by what it is read from.
fn sources(delivery: &Delivery) -> String {
    let repositories = delivery.repositories.iter().map(|of| format!("github:{}", of.repo));
    let clones = delivery.git.iter().map(|of| format!("git:{}", of.path.display()));
    let incidents = delivery.incidents.iter().map(|of| match &of.teller {
        Teller::Jsonl(path) => format!("jsonl:{}", path.display()),
        Teller::Statuspage(path) => format!("statuspage:{}", path.display()),
        Teller::GitHubLabels(labels) => format!("issues labelled {}", labels.join(" or ")),
        Teller::Alertmanager => "webhook of Alertmanager".to_owned(),
        Teller::PagerDuty(_) => "webhook of PagerDuty".to_owned(),
        Teller::Webhook => "webhook of incidents".to_owned(),
    });
    list(&repositories.chain(clones).chain(incidents).collect::<Vec<_>>())
}

fn list<T: Display>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn compat(compat: Compat) -> String {
    let families = [("tempo", compat.tempo), ("spanmetrics", compat.spanmetrics)];
    let kept: Vec<_> = families.iter().filter(|(_, kept)| *kept).map(|(name, _)| name).collect();
    list(&kept)
}

/// A time in the largest unit that shows it exactly, as the file would say it.
struct Time(Duration);

impl Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
            if ms >= unit && ms.is_multiple_of(unit) {
                return write!(out, "{}{name}", ms / unit);
            }
        }
        write!(out, "{ms}ms")
    }
}

/// Objectives that a line can name.
const OBJECTIVES_SHOWN_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_the_defaults_says_what_would_run() {
        assert_eq!(
            Summary(&Config::defaults()).to_string(),
            "  otlp grpc    127.0.0.1:4317, [::1]:4317
  otlp http    127.0.0.1:4318, [::1]:4318
  admin        127.0.0.1:9464, [::1]:9464
  reload       SIGHUP and this machine; others would need an admin_token
  data_dir     ./redora-data
  limits       memory 64MiB, request 20MiB, 100000 items a request
  series       20000, kept 1h idle
  dimensions   none
  histograms   14 classic buckets, native on, exemplars on
  compat       tempo
  log metrics  none
  slos         none
  delivery     none
"
        );
    }

    #[test]
    fn sizes_and_times_are_shown_as_a_file_would_say_them() {
        let sizes = [0, 1023, 1024, 1536, 1 << 20, 3 << 30].map(size_text);
        assert_eq!(sizes, ["0B", "1023B", "1KiB", "1536B", "1MiB", "3GiB"]);
        let times = [1, 1_000, 90_000, 120_000, 7_200_000, 86_400_000]
            .map(|ms| Time(Duration::from_millis(ms)).to_string());
        assert_eq!(times, ["1ms", "1s", "90s", "2m", "2h", "1d"]);
    }
}
