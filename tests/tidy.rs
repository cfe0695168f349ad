//! The house rules as tables and one test that holds the whole tree against them, because a rule
//! that only stands in a document is kept until the first hurry.

#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/homes.rs"]
mod homes;
#[path = "tidy/limits.rs"]
mod limits;
#[path = "tidy/packages.rs"]
mod packages;
#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/resolve.rs"]
mod resolve;
#[path = "tidy/scan.rs"]
mod scan;
#[path = "tidy/tree.rs"]
mod tree;

use std::fmt;
use std::path::Path;

/// The floors, from the top: a room imports rooms of lower floors only.
const FLOORS: &[Floor] = &[
    Floor { level: "4", name: "door", rooms: &["main", "cli"] },
    Floor { level: "3", name: "wiring", rooms: &["app", "config"] },
    Floor { level: "2'", name: "rounds", rooms: &["collector/collect"] },
    Floor {
        level: "2",
        name: "organs",
        rooms: &[
            "receive",
            "digest",
            "forward",
            "expose",
            "admin",
            "rehearse",
            "collector/sources",
            "collector/schedule",
            "collector/api",
            "collector/pages",
        ],
    },
    Floor {
        level: "1",
        name: "books",
        rooms: &[
            "red",
            "log_metrics",
            "sightings",
            "slo",
            "spool",
            "collector/ledger",
            "collector/link",
            "collector/keys",
        ],
    },
    Floor { level: "0'", name: "means", rooms: &["process", "listen", "series", "record"] },
    Floor {
        level: "0",
        name: "words",
        rooms: &["crates/model", "crates/wire", "crates/exposition", "crates/ascode"],
    },
];

/// Imports between rooms of one floor.
const NEIGHBOURS: &[Neighbours] = &[
    Neighbours { from: "main", to: "cli", reason: "the binary only hands over" },
    Neighbours { from: "app", to: "config", reason: "the wiring builds what the file configures" },
    Neighbours { from: "expose", to: "digest", reason: "the books are read as they are filled" },
    Neighbours { from: "slo", to: "red", reason: "a request is judged once, for all books" },
    Neighbours { from: "record", to: "series", reason: "an attribute spells what a label would" },
    Neighbours {
        from: "crates/ascode",
        to: "crates/model",
        reason: "rules alert on the burns that the arithmetic has",
    },
    Neighbours {
        from: "collector/keys",
        to: "collector/link",
        reason: "numbers are counted over what was linked",
    },
];

/// Where each foreign package that shapes the code around it may be named.
const HOMES: &[Home] = &[
    Home { package: "clap*", rooms: &[("src/cli", "the command line")] },
    Home { package: "chrono", rooms: &[("collector/src/schedule", "what cron reckons in")] },
    Home { package: "cron", rooms: &[("collector/src/schedule", "when sources are asked")] },
    Home {
        package: "flate2",
        rooms: &[
            ("src/receive", "undoes a body's encoding"),
            ("src/expose", "compresses a scrape"),
            ("src/slo", "the checksum of its file"),
        ],
    },
    Home { package: "git2", rooms: &[("collector/src/sources/git", "a clone's objects")] },
    Home {
        package: "jiff",
        rooms: &[
            ("collector/src/keys", "days and weeks in a time zone"),
            ("src/slo", "weeks and months of a budget"),
            ("collector/src/api", "moments and zones by their names"),
            ("collector/src/schedule", "the wall clock of a time zone"),
            ("collector/src/sources/github", "times as GitHub and HTTP write them"),
            ("collector/src/sources/incidents", "times as incident tools write them"),
        ],
    },
    Home {
        package: "hyper*",
        rooms: &[
            ("src/listen", "accept loops, time-outs and drain, for both doors"),
            ("src/receive", "bodies and trailers of requests as hyper hands them over"),
            ("src/admin", "bodies of requests as hyper hands them over"),
            ("src/cli", "`redora health` asks the admin port"),
            ("collector/src/sources/github", "octocrab's transport, with bounds"),
        ],
    },
    Home { package: "octocrab", rooms: &[("collector/src/sources/github", "GitHub's tongue")] },
    Home { package: "opentelemetry*", rooms: &[("src/process", "the agent's own telemetry")] },
    Home { package: "prometheus", rooms: &[("src/expose", "the agent's own counters")] },
    Home {
        package: "regex",
        rooms: &[
            ("src/record", "bodies are searched"),
            ("src/config", "a rule is compiled where its fault has a line number"),
        ],
    },
    Home { package: "rusqlite", rooms: &[("collector/src/ledger", "the only room with SQL")] },
    Home { package: "rustls", rooms: &[("collector/src/sources/github", "whom TLS trusts")] },
    Home { package: "rustls_native_certs", rooms: &[("src/listen", "whom the system trusts")] },
    Home { package: "saphyr_parser", rooms: &[("src/config", "YAML with its positions")] },
    Home { package: "socket2", rooms: &[("src/listen", "options a socket needs before it binds")] },
    Home { package: "tokio_rustls", rooms: &[("src/listen", "questions in TLS")] },
    Home { package: "tracing_opentelemetry", rooms: &[("src/process", "own spans onward")] },
    Home { package: "tracing_subscriber", rooms: &[("src/process", "own logs out")] },
    Home {
        package: "zstd",
        rooms: &[
            ("src/receive", "undoes a body's encoding"),
            ("src/expose", "compresses a scrape"),
            ("src/slo", "the checksum of its file"),
        ],
    },
];

/// Rooms that do no I/O and ask nobody the time: whatever they need is an argument.
const PURE: &[&str] = &[
    "crates/model/src",
    "crates/wire/src",
    "crates/exposition/src",
    "crates/ascode/src",
    "src/red",
    "src/log_metrics",
    "src/record",
    "src/sightings",
    "src/series",
    "src/slo",
    "src/digest",
    "collector/src/link",
    "collector/src/keys",
];

/// What a pure room may not name.
const IMPURE: &[&str] = &[
    "hyper",
    "hyper_util",
    "socket2",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "tokio",
];

/// Files past a limit. The maximum is today's size: it must be lowered with the file, and the entry
/// deleted with its need.
const EXCEPTIONS: &[Exception] = &[];

/// The tables that a tree is held against.
struct Law {
    floors: &'static [Floor],
    neighbours: &'static [Neighbours],
    homes: &'static [Home],
    pure: &'static [&'static str],
    impure: &'static [&'static str],
    exceptions: &'static [Exception],
}

const LAW: Law = Law {
    floors: FLOORS,
    neighbours: NEIGHBOURS,
    homes: HOMES,
    pure: PURE,
    impure: IMPURE,
    exceptions: EXCEPTIONS,
};

struct Floor {
    level: &'static str,
    name: &'static str,
    /// `red` is `src/red`, `collector/link` is `collector/src/link`, `crates/wire` is the crate.
    rooms: &'static [&'static str],
}

struct Neighbours {
    from: &'static str,
    to: &'static str,
    reason: &'static str,
}

struct Home {
    /// The package's name in paths; a `*` at the end stands for any rest.
    package: &'static str,
    /// Rooms as paths without `.rs`, each with what the package does there.
    rooms: &'static [(&'static str, &'static str)],
}

struct Exception {
    path: &'static str,
    measure: Measure<'static>,
    max: usize,
    reason: &'static str,
}

/// What is limited: lines of a file before its tests, lines of a function, fields of a struct,
/// columns of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Measure<'a> {
    FileLines,
    FunctionLines(&'a str),
    StructFields(&'a str),
    Columns,
}

/// One breach of one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fault {
    path: String,
    line: usize,
    text: String,
}

impl Fault {
    fn new(path: &str, line: usize, text: String) -> Self {
        Self { path: path.to_owned(), line, text }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Every breach of the law in the Rust files below `root`, in the order of files and lines.
fn inspect(root: &Path, law: &Law) -> Vec<String> {
    let tree = tree::Tree::read(root);
    let mut faults = Vec::new();
    floors::check(&tree, law, &mut faults);
    homes::check(&tree, law, &mut faults);
    limits::check(&tree, law, &mut faults);
    for (_, file, place, scan) in tree.sources() {
        if !scan.bans && (place.module.is_empty() || place.module == ["main"]) {
            let text = "this root does not turn the bans of clippy.toml on".to_owned();
            faults.push(Fault::new(&file.path, 1, text));
        }
    }
    report(faults)
}

fn report(mut faults: Vec<Fault>) -> Vec<String> {
    faults.sort();
    faults.dedup();
    faults.iter().map(Fault::to_string).collect()
}

/// The workspace that this test belongs to.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_tree_keeps_the_house_rules() {
    let faults = inspect(workspace(), &LAW);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_foreign_package_has_a_reason() {
    let mut faults = Vec::new();
    packages::check(workspace(), &LAW, &mut faults);
    let faults = report(faults);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_entry_of_the_tables_has_a_reason() {
    for pair in NEIGHBOURS {
        assert!(!pair.reason.is_empty(), "{} imports {} for no reason", pair.from, pair.to);
    }
    for home in HOMES {
        assert!(!home.rooms.is_empty(), "{} has no home", home.package);
        for (room, reason) in home.rooms {
            assert!(!reason.is_empty(), "{} lives in {room} for no reason", home.package);
        }
    }
    for exception in EXCEPTIONS {
        assert!(!exception.reason.is_empty(), "{} is long for no reason", exception.path);
    }
}

#[test]
fn the_architecture_page_shows_these_floors_and_every_room() {
    let page = std::fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("it is there");
    let table = floors::as_markdown(FLOORS);
    assert!(page.contains(&table), "ARCHITECTURE.md should hold this table:\n{table}");
    let tree = tree::Tree::read(workspace());
    for (_, file, place, _) in tree.sources() {
        let room = place.room();
        let is_root = room == "lib" || room == "collector/lib";
        assert!(
            is_root || page.contains(&format!("\n| `{room}` | ")),
            "{} is in room `{room}`, which has no row in ARCHITECTURE.md",
            file.path
        );
    }
}
