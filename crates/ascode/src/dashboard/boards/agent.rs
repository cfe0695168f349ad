//! The agents themselves: a board of everyone else's numbers is worth what those who count are.

use crate::dashboard::board::{Board, Row};
use crate::dashboard::frame::AGENTS;
use crate::dashboard::kind::Lines;
use crate::dashboard::panel::Panel;
use crate::dashboard::query::{Over, Query, requests};
use crate::dashboard::style::{Bands, Unit};
use crate::dashboard::table::Table;

const ACCEPTED: &str = "redora_accepted_items_total";
const REFUSED: &str = "redora_refused_items_total";
const NOTHING: &str = "Nothing received";

pub(super) fn board() -> Board {
    Board {
        uid: "redora-agent",
        title: "redora itself",
        question: "Do the agents take everything in, and are their sources up to date?",
        since: "now-6h",
        refresh: "30s",
        variables: AGENTS.to_vec(),
        markers: Vec::new(),
        rows: vec![headline(), intake(), means(), sources()],
    }
}

fn headline() -> Row {
    let up =
        Panel::stat("Agents up", "Agents that answered the last scrape, and those that did not.")
            .query(Query::now("up", "sum(up{SCOPE})"))
            .query(Query::now("down", "count(up{SCOPE}) - sum(up{SCOPE})"))
            .last_in(Unit::Count, Bands::Low(1.0, 1.0))
            .empty("No agent is scraped");
    let rate = Panel::course("Taken in", "Spans, log records and data points taken by second.")
        .query(Query::over_time("items", requests(ACCEPTED, "", "", Over::Step)))
        .unit(Unit::PerSecond)
        .empty(NOTHING);
    let refused = Panel::stat(
        "Refused",
        "Share of items that were refused in the shown time. Their senders were told so; what they \
         did not send again is in no number.",
    )
    .query(Query::now(
        "refused",
        format!(
            "{0} / (({0} + {1}) > 0)",
            requests(REFUSED, "", "", Over::Shown),
            requests(ACCEPTED, "", "", Over::Shown),
        ),
    ))
    .unit(Unit::Ratio)
    .bands(Bands::Low(0.000_001, 0.01))
    .empty(NOTHING);
    let other = Panel::stat(
        "Counted as other",
        "Items of the shown time that found their book full: their totals hold, their names are \
         lost. Raise limits.series or send fewer names.",
    )
    .query(Query::now("items", requests("redora_series_overflow_total", "", "", Over::Shown)))
    .bands(Bands::Low(1.0, 1_000.0))
    .empty(NOTHING);
    let reload = Panel::stat(
        "Stale configurations",
        "Agents whose last reload failed: they run on with the configuration before it.",
    )
    .query(Query::now("agents", "sum(redora_config_last_reload_successful{SCOPE} == bool 0)"))
    .bands(Bands::Low(1.0, 1.0))
    .empty("No agent is scraped");
    Row::first(4).panel(up).panel(rate).panel(refused).panel(other).panel(reload)
}

fn intake() -> Row {
    let taken = Panel::lines(Lines::Stacked, "Taken in", "Items taken by second, by signal.")
        .query(Query::over_time("{{signal}}", requests(ACCEPTED, "", "signal", Over::Step)))
        .unit(Unit::PerSecond)
        .zero_based()
        .empty(NOTHING);
    let refused = Panel::lines(
        Lines::Bars,
        "Refused requests",
        "Requests refused by second, by reason: busy is load, the others are senders to put right.",
    )
    .query(Query::over_time(
        "{{signal}} {{reason}}",
        format!(
            "{} > 0",
            requests("redora_refused_requests_total", "", "signal, reason", Over::Step)
        ),
    ))
    .unit(Unit::PerSecond)
    .zero_based()
    .empty("Nothing refused");
    let connections = Panel::lines(
        Lines::Bars,
        "Connections in trouble",
        "Connections by second that could not be accepted, had to wait at the limit, or were cut.",
    )
    .query(Query::over_time(
        "{{port}} {{event}}",
        format!(
            "{} > 0",
            requests("redora_connection_events_total", "", "port, event", Over::Step)
        ),
    ))
    .unit(Unit::PerSecond)
    .zero_based()
    .empty("None");
    Row::titled("Intake", 8).panel(taken).panel(refused).panel(connections)
}

fn means() -> Row {
    let memory = Panel::lines(Lines::Beside, "Memory", "Resident memory of each agent.")
        .query(Query::over_time(
            "{{instance}}",
            "max by (instance) (process_resident_memory_bytes{SCOPE})",
        ))
        .unit(Unit::Bytes)
        .zero_based()
        .empty("No agent is scraped");
    let cpu = Panel::lines(Lines::Beside, "CPU", "Cores that each agent keeps busy.")
        .query(Query::over_time(
            "{{instance}}",
            requests("process_cpu_seconds_total", "", "instance", Over::Step),
        ))
        .unit(Unit::Number)
        .zero_based()
        .empty("No agent is scraped");
    let series = Panel::lines(
        Lines::Stacked,
        "Series held",
        "Label sets in each book, over all agents: what a scrape costs and limits.series bounds.",
    )
    .query(Query::over_time("{{book}}", "sum by (book) (redora_series{SCOPE})"))
    .zero_based()
    .empty("No agent is scraped");
    Row::titled("Means", 8).panel(memory).panel(cpu).panel(series)
}

fn sources() -> Row {
    let by = "source";
    let last = |metric: &str| format!("max by ({by}) ({metric}{{SCOPE}})");
    let table = Table::default()
        .label("source", "Source")
        .banded(
            "Complete up to, ago",
            Unit::Seconds,
            Bands::Low(3_600.0, 86_400.0),
            last("redora_source_watermark_age_seconds"),
        )
        .banded("Gaps", Unit::Count, Bands::Low(1.0, 1.0), last("redora_source_gaps"))
        .banded(
            "Set aside",
            Unit::Count,
            Bands::Low(1.0, 100.0),
            requests("redora_source_rejects_total", "", by, Over::Shown),
        )
        .banded(
            "GitHub requests left",
            Unit::Count,
            Bands::High(100.0, 1_000.0),
            last("redora_github_ratelimit_remaining"),
        )
        .sorted_by("Complete up to, ago");
    let sources = Panel::table(
        "Sources of delivery",
        "How far each source is read, what may be missing from it, and what it gave in the shown \
         time that could not be read. Numbers of delivery are as fresh as their oldest source.",
        table,
    )
    .wide(16)
    .empty("No sources configured");
    let age = Panel::lines(
        Lines::Beside,
        "Age of sources",
        "How long ago the moment is up to which each source is read.",
    )
    .query(Query::over_time("{{source}}", last("redora_source_watermark_age_seconds")))
    .unit(Unit::Seconds)
    .zero_based()
    .empty("No sources configured");
    Row::titled("Sources", 8).panel(sources).panel(age)
}
