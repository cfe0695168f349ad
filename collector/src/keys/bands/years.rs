//! The levels of software delivery performance that DORA's yearly reports describe, as a table and
//! not as thresholds: they differ from year to year, overlap, and leave gaps.
//!
//! 2018, 2019 and 2021 are taken from the reports. 2022, 2023 and 2024 are taken from the tables of
//! a sponsor of these reports, Octopus Deploy, and for 2023 compared with DORA's infographic. There
//! was no report in 2020, and that of 2025 describes no such levels.

/// A level in the report's words, and what they mean.
pub(super) type Band = (&'static str, Bounds);

/// Which values a level has; both ends belong to it. A month is a twelfth of 365.25 days.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bounds {
    /// Less than so many seconds.
    Below(u32),
    /// Seconds.
    Between(u32, u32),
    /// More than so many seconds.
    Above(u32),
    /// Whole percents.
    Percent(u32, u32),
    /// The one figure, in percent, that stands for the level.
    About(u32),
}

use Bounds::{About, Above, Below, Between, Percent};

/// The levels of a year, the best one first.
pub(super) struct Year {
    pub(super) year: u16,
    pub(super) source: &'static str,
    /// Whether failed deployments are recovered from, as since 2023, or any incident.
    pub(super) is_recovery: bool,
    /// As time between deployments.
    pub(super) frequency: &'static [(&'static str, Band)],
    pub(super) lead_time: &'static [(&'static str, Band)],
    pub(super) failure: &'static [(&'static str, Band)],
    pub(super) recovery: &'static [(&'static str, Band)],
}

pub(super) const YEARS: &[Year] = &[
    Year {
        year: 2018,
        source: "Accelerate: State of DevOps 2018, page 14",
        is_recovery: false,
        frequency: &[
            (ELITE, ON_DEMAND),
            (HIGH, ("between once per hour and once per day", Between(HOUR, DAY))),
            (MEDIUM, WEEKLY),
            (LOW, WEEKLY),
        ],
        lead_time: &[
            (ELITE, LESS_THAN_AN_HOUR),
            (HIGH, A_DAY_TO_A_WEEK),
            (MEDIUM, A_WEEK_TO_A_MONTH),
            (LOW, A_MONTH_TO_SIX),
        ],
        failure: &[(ELITE, UP_TO_15), (HIGH, UP_TO_15), (MEDIUM, UP_TO_15), (LOW, UP_TO_60)],
        recovery: &[
            (ELITE, LESS_THAN_AN_HOUR),
            (HIGH, LESS_THAN_A_DAY),
            (MEDIUM, LESS_THAN_A_DAY),
            (LOW, A_WEEK_TO_A_MONTH),
        ],
    },
    Year {
        year: 2019,
        source: "Accelerate State of DevOps 2019, page 18",
        is_recovery: false,
        frequency: &[(ELITE, ON_DEMAND), (HIGH, DAILY), (MEDIUM, WEEKLY), (LOW, MONTHLY)],
        lead_time: &[
            (ELITE, LESS_THAN_A_DAY),
            (HIGH, A_DAY_TO_A_WEEK),
            (MEDIUM, A_WEEK_TO_A_MONTH),
            (LOW, A_MONTH_TO_SIX),
        ],
        failure: &[(ELITE, UP_TO_15), (HIGH, UP_TO_15), (MEDIUM, UP_TO_15), (LOW, UP_TO_60)],
        recovery: &[
            (ELITE, LESS_THAN_AN_HOUR),
            (HIGH, LESS_THAN_A_DAY),
            (MEDIUM, LESS_THAN_A_DAY),
            (LOW, A_WEEK_TO_A_MONTH),
        ],
    },
    Year {
        year: 2021,
        source: "Accelerate State of DevOps 2021, page 9",
        is_recovery: false,
        frequency: &[
            (ELITE, ON_DEMAND),
            (HIGH, WEEKLY),
            (MEDIUM, MONTHLY),
            (LOW, ("fewer than once per six months", Above(SIX_MONTHS))),
        ],
        lead_time: &[
            (ELITE, LESS_THAN_AN_HOUR),
            (HIGH, A_DAY_TO_A_WEEK),
            (MEDIUM, A_MONTH_TO_SIX),
            (LOW, MORE_THAN_SIX_MONTHS),
        ],
        failure: &[(ELITE, UP_TO_15), (HIGH, UP_TO_30), (MEDIUM, UP_TO_30), (LOW, UP_TO_30)],
        recovery: &[
            (ELITE, LESS_THAN_AN_HOUR),
            (HIGH, LESS_THAN_A_DAY),
            (MEDIUM, A_DAY_TO_A_WEEK),
            (LOW, MORE_THAN_SIX_MONTHS),
        ],
    },
    Year {
        year: 2022,
        source: "Accelerate State of DevOps 2022, as tabled by Octopus Deploy in `The 2023 DevOps \
                 performance clusters`",
        is_recovery: false,
        frequency: &[(HIGH, ON_DEMAND), (MEDIUM, WEEKLY), (LOW, MONTHLY)],
        lead_time: &[(HIGH, A_DAY_TO_A_WEEK), (MEDIUM, A_WEEK_TO_A_MONTH), (LOW, A_MONTH_TO_SIX)],
        failure: &[(HIGH, UP_TO_15), (MEDIUM, UP_TO_30), (LOW, UP_TO_60)],
        recovery: &[(HIGH, LESS_THAN_A_DAY), (MEDIUM, A_DAY_TO_A_WEEK), (LOW, A_WEEK_TO_A_MONTH)],
    },
    Year {
        year: 2023,
        source: "Accelerate State of DevOps 2023, as tabled by Octopus Deploy in `The 2023 DevOps \
                 performance clusters`; elite also in DORA's infographic of the report",
        is_recovery: true,
        frequency: &[(ELITE, ON_DEMAND), (HIGH, DAILY), (MEDIUM, WEEKLY), (LOW, WEEKLY)],
        lead_time: &[
            (ELITE, LESS_THAN_A_DAY),
            (HIGH, A_DAY_TO_A_WEEK),
            (MEDIUM, A_WEEK_TO_A_MONTH),
            (LOW, A_WEEK_TO_A_MONTH),
        ],
        failure: &[
            (ELITE, ("5%", About(5))),
            (HIGH, ("10%", About(10))),
            (MEDIUM, ("15%", About(15))),
            (LOW, ("64%", About(64))),
        ],
        recovery: &[
            (ELITE, LESS_THAN_AN_HOUR),
            (HIGH, LESS_THAN_A_DAY),
            (MEDIUM, A_DAY_TO_A_WEEK),
            (LOW, A_MONTH_TO_SIX),
        ],
    },
    Year {
        year: 2024,
        source: "Accelerate State of DevOps 2024, page 13, as tabled by Octopus Deploy in `The \
                 2024 DevOps performance clusters`",
        is_recovery: true,
        frequency: &[(ELITE, ON_DEMAND), (HIGH, DAILY), (MEDIUM, WEEKLY), (LOW, MONTHLY)],
        lead_time: &[
            (ELITE, LESS_THAN_A_DAY),
            (HIGH, A_DAY_TO_A_WEEK),
            (MEDIUM, A_WEEK_TO_A_MONTH),
            (LOW, A_MONTH_TO_SIX),
        ],
        // Not a slip: in 2024 the high cluster failed more often than the medium one.
        failure: &[
            (ELITE, ("5%", About(5))),
            (HIGH, ("20%", About(20))),
            (MEDIUM, ("10%", About(10))),
            (LOW, ("40%", About(40))),
        ],
        recovery: &[
            (ELITE, LESS_THAN_AN_HOUR),
            (HIGH, LESS_THAN_A_DAY),
            (MEDIUM, LESS_THAN_A_DAY),
            (LOW, A_WEEK_TO_A_MONTH),
        ],
    },
];

const ELITE: &str = "elite";
const HIGH: &str = "high";
const MEDIUM: &str = "medium";
const LOW: &str = "low";

const ON_DEMAND: Band = ("on demand (multiple deploys per day)", Below(DAY));
const DAILY: Band = ("between once per day and once per week", Between(DAY, WEEK));
const WEEKLY: Band = ("between once per week and once per month", Between(WEEK, MONTH));
const MONTHLY: Band =
    ("between once per month and once every six months", Between(MONTH, SIX_MONTHS));

const LESS_THAN_AN_HOUR: Band = ("less than one hour", Below(HOUR));
const LESS_THAN_A_DAY: Band = ("less than one day", Below(DAY));
const A_DAY_TO_A_WEEK: Band = ("between one day and one week", Between(DAY, WEEK));
const A_WEEK_TO_A_MONTH: Band = ("between one week and one month", Between(WEEK, MONTH));
const A_MONTH_TO_SIX: Band = ("between one month and six months", Between(MONTH, SIX_MONTHS));
const MORE_THAN_SIX_MONTHS: Band = ("more than six months", Above(SIX_MONTHS));

const UP_TO_15: Band = ("0-15%", Percent(0, 15));
const UP_TO_30: Band = ("16-30%", Percent(16, 30));
const UP_TO_60: Band = ("46-60%", Percent(46, 60));

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;
const MONTH: u32 = 2_629_800;
const SIX_MONTHS: u32 = 6 * MONTH;
