//! Alerts on redora itself: what it refused, could not keep or could not read, and whether it is
//! there at all. No alert names a job, because sidecars are scraped under the jobs of their
//! services: an agent is what showed `redora_build_info`.

use super::{Alert, Board, Group, Rule, RuleFile, Severity};

/// Rules over the agent's own counters.
#[must_use]
pub fn file() -> RuleFile {
    let rules = [watchdog(), absent(), down(), reload()]
        .into_iter()
        .chain(telemetry())
        .chain(sources())
        .map(Rule::Alert)
        .collect();
    RuleFile {
        name: "agent.yaml",
        comment: COMMENT,
        groups: vec![Group { name: "redora-agent".to_owned(), interval: "30s", rules }],
    }
}

fn watchdog() -> Alert {
    Alert {
        name: "RedoraWatchdog",
        expr: "vector(1)".to_owned(),
        wait: "0s",
        severity: Severity::None,
        summary: "Alerts are delivered",
        description: "Always firing. Whoever stops hearing it knows that Prometheus, Alertmanager \
                      or the way between them is broken.",
        board: FLEET,
        ..ticket()
    }
}

fn absent() -> Alert {
    Alert {
        name: "RedoraAbsent",
        expr: "absent(redora_build_info)".to_owned(),
        wait: "10m",
        severity: Severity::Page,
        summary: "No redora is scraped",
        description: "Prometheus sees no redora at all, so no objective is watched.",
        board: FLEET,
        ..ticket()
    }
}

fn down() -> Alert {
    Alert {
        name: "RedoraDown",
        expr: "up == 0\nand on (job, instance)\n  max_over_time(redora_build_info[1d])".to_owned(),
        wait: "5m",
        summary: "{{ $labels.instance }} does not answer scrapes",
        description: "The redora at {{ $labels.instance }} of {{ $labels.job }} was scraped within \
                      the last day and is not now. What its services do is not seen.",
        ..ticket()
    }
}

fn reload() -> Alert {
    Alert {
        name: "RedoraReloadFailed",
        expr: "redora_config_last_reload_successful == 0".to_owned(),
        wait: "5m",
        summary: "{{ $labels.instance }} runs with an old configuration",
        description: "The last reload at {{ $labels.instance }} failed. The configuration before \
                      it is in force, and a restart would fail.",
        ..ticket()
    }
}

fn telemetry() -> [Alert; 3] {
    let refused = Alert {
        name: "RedoraRefused",
        expr: "sum by (job, instance, signal, reason) \
               (increase(redora_refused_requests_total[10m])) >= 5"
            .to_owned(),
        wait: "5m",
        summary: "{{ $labels.instance }} refuses {{ $labels.signal }}: {{ $labels.reason }}",
        description: "{{ $value | humanize }} requests of {{ $labels.signal }} were refused at \
                      {{ $labels.instance }} in ten minutes, because: {{ $labels.reason }}.",
        ..ticket()
    };
    let dropped = Alert {
        name: "RedoraDurationsDropped",
        expr: "round(increase(redora_dropped_durations_total[1h])) >= 10\n\
               and on (job, instance)\n  \
               increase(redora_dropped_durations_total[1h])\n    \
               > on (job, instance) 0.01 * sum by (job, instance) (\n      \
               increase(redora_accepted_items_total{signal=\"traces\"}[1h])\n    )"
            .to_owned(),
        wait: "10m",
        summary: "{{ $labels.instance }} drops durations",
        description: "{{ $value | humanize }} spans at {{ $labels.instance }} ended before they \
                      began in the last hour, over 1 % of all. They count as requests and are \
                      missing from durations.",
        ..ticket()
    };
    let overflow = Alert {
        name: "RedoraSeriesOverflow",
        expr: "round(increase(redora_series_overflow_total[15m])) >= 1".to_owned(),
        wait: "5m",
        keep: Some("15m"),
        summary: "The book {{ $labels.book }} of {{ $labels.instance }} is full",
        description: "{{ $value | humanize }} items at {{ $labels.instance }} were counted as \
                      `other` in fifteen minutes, because the book {{ $labels.book }} holds no \
                      more label sets.",
        ..ticket()
    };
    [refused, dropped, overflow]
}

fn sources() -> [Alert; 2] {
    let rejects = Alert {
        name: "RedoraSourceRejects",
        expr: "round(increase(redora_source_rejects_total[1h])) >= 1".to_owned(),
        wait: "0s",
        keep: Some("1h"),
        summary: "{{ $labels.source }} says what cannot be read",
        description: "{{ $value | humanize }} records of {{ $labels.source }} were set aside in \
                      the last hour. Delivery numbers are computed without them.",
        ..ticket()
    };
    let gaps = Alert {
        name: "RedoraSourceGaps",
        expr: "redora_source_gaps > 0".to_owned(),
        wait: "10m",
        summary: "{{ $labels.source }} may be missing a stretch",
        description: "{{ $value }} stretches of {{ $labels.source }} may be missing since redora \
                      was started. Numbers over them are lower than the truth.",
        ..ticket()
    };
    [rejects, gaps]
}

/// What most alerts here have in common.
fn ticket() -> Alert {
    Alert {
        name: "",
        expr: String::new(),
        wait: "0s",
        keep: None,
        severity: Severity::Ticket,
        labels: Vec::new(),
        summary: "",
        description: "",
        board: Board { uid: "redora-agent", variables: &["job", "instance"] },
        runbook_label: None,
    }
}

const FLEET: Board = Board { uid: "redora-agent", variables: &[] };

const COMMENT: &str = "\
redora itself, and a watchdog for the way of the alerts. Written by `redora render`; do not edit.";
