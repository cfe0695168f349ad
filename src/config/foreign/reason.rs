//! Why a part of another tool's file does not come over, as data with the cure: a conversion that
//! loses something in silence would be trusted once.

use redora_model::slo::QueryFault;
use thiserror::Error;

use super::super::scalar::Shown;

/// What of an objective stays behind, or is taken in a way that somebody may not have meant; the
/// objective itself comes over.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Uncarried {
    /// A key that the format does not have.
    #[error(
        "is no known key and stays behind; remove it, or correct it if it is a slip of the pen"
    )]
    UnknownKey,
    /// The name of an alert.
    #[error(
        "stays behind: the same rules alert for every objective; route by the labels service and \
         slo"
    )]
    AlertName,
    /// Labels of series or alerts.
    #[error("stays behind: alerts have service, slo, team, severity and burn_tier; route by those")]
    Labels,
    /// Texts of alerts.
    #[error(
        "stays behind: alerts say the same for every objective; write the rest into the runbook"
    )]
    Annotations,
    /// Code that makes or changes rules.
    #[error("stays behind: redora runs no plugins; write what it adds as rules of your own")]
    Plugins,
    /// How the other tool writes its rules.
    #[error(
        "stays behind: it is about the rules that the other tool writes; nothing is to be done"
    )]
    RuleForm,
    /// A namespace.
    #[error("stays behind: objectives are told apart by service and name; keep those unique")]
    Namespace,
    /// One objective for each value of a label.
    #[error(
        "stays behind: the objective is held over all groups at once; write one for each group \
         that is promised something by itself"
    )]
    Grouping,
    /// An alert on a missing metric.
    #[error("stays behind: no rule alerts on a missing metric; write one with absent() if need be")]
    Absent,
    /// Burn rates of one's own.
    #[error(
        "stays behind: burn rates and their windows follow from the window of the objective; \
         compare docs/slo.md, and choose tiers"
    )]
    BurnRate,
    /// A severity without a tier of the same name.
    #[error(
        "{0} is no tier, so that both alert; write tiers: [page] or tiers: [ticket] if need be"
    )]
    Severity(Shown),
    /// Who hears of an alert.
    #[error("stays behind: who is told is Alertmanager's to decide; route by team and severity")]
    NotificationTarget,
    /// An alert for missing data or for the end of a burn.
    #[error("stays behind: alerts are for burns alone; let Alertmanager send what is resolved")]
    AlertMoment,
    /// A reference to what another file may hold.
    #[error("{0} stands in no document of this file and stays behind; put it into the same file")]
    Reference(Shown),
    /// Weights and sums over several objectives.
    #[error(
        "stays behind: each objective has a budget of its own; watch the one that matters most"
    )]
    Composite,
    /// An address that is none.
    #[error("{0} is no address and stays behind; write it like https://example.org/runbook")]
    Address(Shown),
    /// Several values where one is taken, or one that is no name.
    #[error("is not one name and stays behind; keep one of 1 to 256 characters")]
    Several,
    /// A service that the file does not name.
    #[error("no service is named; {0} was taken; correct it if another is meant")]
    Service(Shown),
    /// A service that is not the one of the query.
    #[error("the requests are those of the service {query}, not of {file}; correct one of them")]
    OtherService {
        /// The one that the query asks for.
        query: Shown,
        /// The one that the file names.
        file: Shown,
    },
    /// A query over requests of every kind.
    #[error(
        "asks for requests of every kind, and the agent counts those that the service serves \
         (server and consumer); name a kind if another is meant"
    )]
    EveryKind,
    /// A latency without a word on failures.
    #[error(
        "counts a failed request as good when it was fast, and the agent as bad; nothing else is"
    )]
    FailedFast,
    /// A status of spans, which is not all that makes a request fail.
    #[error(
        "asks for the span's status alone, and where that is unset the agent looks at the answer \
         as well, so that an HTTP 5xx is bad too; set the status in the service if it is not"
    )]
    SpanStatus,
    /// One of redora's own metrics by a label that the agent does not choose events by.
    #[error(
        "asks for redora's own metric in a way that the agent does not count by; the objective \
         stays with rules in Prometheus"
    )]
    OwnMetric,
    /// Events that are neither counted nor per second.
    #[error(
        "is kept as a ratio without numbers of events; write good or bad and all events with \
         rate() or with increase() where they are counters"
    )]
    Ratio,
    /// A value that is looked at again and again.
    #[error(
        "is looked at once a minute; write a counter of good and bad events if that is too rare"
    )]
    Samples,
    /// A range of one's own.
    #[error("the range {0} gives way to the windows of the rules; nothing is to be done")]
    FixedRange(Shown),
    /// An average over slices of time.
    #[error(
        "averages slices of time, and events are counted instead, so that a busy slice weighs \
         more than a quiet one; write Timeslices if a slice is what is promised"
    )]
    AveragedSlices,
    /// A month or quarter that rolls.
    #[error("rolls, and so is taken as {0} days; write a calendar if a period is meant")]
    RollingPeriod(u64),
    /// A calendar that starts in the middle.
    #[error(
        "stays behind: a period starts at midnight, on Monday or on the first; nothing else does"
    )]
    StartTime,
    /// A window that is not named.
    #[error("is missing, so that 30 rolling days are taken; write the window that is promised")]
    NoWindow,
    /// An exclusive bound.
    #[error("{0} itself is good here; lower the value by what can be measured if it must not be")]
    Inclusive(Shown),
    /// Slices where events are counted.
    #[error("stays behind: budgetingMethod is Occurrences; remove it, or write Timeslices")]
    SliceKey,
}

/// Why an objective does not come over.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Inconvertible {
    /// A document that says of itself what nobody knows.
    #[error(
        "{0} is no format that is read here; use version: prometheus/v1 or sloth.slok.dev/v1 of \
         Sloth, pyrra.dev/v1alpha1 of Pyrra, or openslo/v1"
    )]
    Format(Shown),
    /// A document that does not say what it is.
    #[error(
        "says neither version: prometheus/v1 nor an apiVersion; files of Sloth, Pyrra and OpenSLO \
         have one of them, and a list of redora's own objectives needs no conversion"
    )]
    NoFormat,
    /// A known format, another kind.
    #[error("{shown} is no kind of {format} that is read here; remove the document")]
    Kind {
        /// The kind.
        shown: Shown,
        /// The format.
        format: &'static str,
    },
    /// A file that has to be converted.
    #[error(
        "{0} is not read directly; convert the file with redora slo import, and name its output \
         under slos"
    )]
    Indirect(Shown),
    /// A key that has to be there.
    #[error("is missing; write {0}")]
    Missing(&'static str),
    /// None or several of what excludes each other.
    #[error("has {found} of {choices}; give exactly one")]
    Indicators {
        /// How many there are.
        found: usize,
        /// What there is to choose from.
        choices: &'static str,
    },
    /// An indicator that is code.
    #[error("is an indicator that a plugin makes; write out the queries that it makes")]
    Plugin,
    /// A system of metrics that is not read.
    #[error("{0} is no source that is read; use Prometheus, or redora for what the agent counts")]
    Source(Shown),
    /// A name that nothing has.
    #[error("{shown} is no {kind} of this file; put it into the same file, or correct the name")]
    Reference {
        /// The name.
        shown: Shown,
        /// What it should be.
        kind: &'static str,
    },
    /// A query that no rule can ask.
    #[error(transparent)]
    Query(#[from] QueryFault),
    /// A query where nothing but a selector makes sense.
    #[error("is no plain selector; write it like requests_total{{job=\"api\"}}")]
    Selector,
    /// Slices of time over what the agent does not count.
    #[error(
        "budgets of slices of time are for what the agent counts; use Occurrences, or a source of \
         type redora"
    )]
    SlicesOfQueries,
    /// A calendar over what the agent does not count.
    #[error(
        "windows of a calendar are for what the agent counts; use a rolling window, or a source \
         of type redora"
    )]
    CalendarOfQueries,
    /// Two selections of requests in one ratio.
    #[error("does not select the requests that total selects; give both the same spec")]
    Selections,
    /// A window in which no budget is kept.
    #[error("{0} is out of bounds; use 7d to 92d")]
    Window(Shown),
    /// A period that no calendar here has.
    #[error("{0} is no period of a calendar that budgets are kept for; write 1w, 1M or 1Q")]
    Period(Shown),
    /// A slice that is too short or too long.
    #[error("{0} is out of bounds for a slice of time; use 1m to 1h")]
    SliceLength(Shown),
    /// A comparison over the window of a rule.
    #[error("is compared, and so needs a range of its own such as [5m] instead of {{{{.window}}}}")]
    ComparedWindow,
    /// A comparison that no latency has.
    #[error("{0} is no bound of a latency; write lte with a value in seconds")]
    Bound(Shown),
    /// A word that is none of a few.
    #[error("{shown} is not known here; write {choices}")]
    Word {
        /// The word.
        shown: Shown,
        /// The known ones.
        choices: &'static str,
    },
    /// A share that is none.
    #[error("{shown} is no share of good events; write {cure}")]
    Share {
        /// The number.
        shown: Shown,
        /// What the format takes.
        cure: &'static str,
    },
    /// A duration that is none.
    #[error("{0} is no duration here; write a number with a unit, such as 4w or 30d")]
    Duration(Shown),
}
