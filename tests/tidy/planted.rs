//! The checker held against small trees with one breach each, because a checker that reports
//! nothing is only worth something if it is known to report.

use std::path::Path;

use crate::{Exception, LAW, Law, Measure, Neighbours, inspect, packages, report};

/// Stands above every planted text, so that its first line is line 2.
const TITLE: &str = "//! A planted file with words enough for a title.\n";

/// What a crate's root needs beside its modules.
const BANS: &str = "#![cfg_attr(not(test), warn(clippy::disallowed_methods))]\n";

/// The real tables; the real exceptions name files that no planted tree has.
const PLAIN: Law = Law { exceptions: &[], ..LAW };

fn check(files: &[(&str, &str)], expected: &[&str]) {
    check_by(&PLAIN, files, expected);
}

fn check_by(law: &Law, files: &[(&str, &str)], expected: &[&str]) {
    let root = tempfile::tempdir().expect("the system has a folder for temporary files");
    for (path, text) in files {
        plant(root.path(), path, &format!("{TITLE}{text}"));
    }
    assert_eq!(inspect(root.path(), law), expected);
}

fn plant(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    let folder = path.parent().expect("a planted file lies in a folder");
    std::fs::create_dir_all(folder).expect("the planted tree can be written");
    std::fs::write(path, text).expect("the planted tree can be written");
}

#[test]
fn a_clean_tree_has_no_faults() {
    let lib = format!("{BANS}pub mod admin;\npub mod red;\nmod series;\n");
    let admin = "use crate::red::{self, Book as Ledger};\n\
                 use redora_wire::{Fault, span::Span};\n\
                 mod pages;\n\
                 pub use pages::Page;\n\
                 pub struct Word;\n\
                 fn f(_: Ledger, _: Fault, _: Span) { red::count(hyper::Method::GET) }\n";
    let red = "mod book;\n\
               pub use book::Book;\n\
               #[cfg(test)]\n\
               mod tests;\n\
               #[cfg(test)]\n\
               mod more { use crate::admin::Word; }\n";
    let tests = "use crate::admin::Word;\nuse std::time::Instant;\nfn f() { Instant::now(); }\n";
    let book = "use std::time::Instant;\npub struct Book(Instant);\nuse crate::series::Row;\n";
    check(
        &[
            ("src/lib.rs", &lib),
            ("src/main.rs", &format!("{BANS}fn main() {{ redora::admin::Word; }}\n")),
            ("src/admin/mod.rs", admin),
            ("src/admin/pages.rs", "use super::Word;\npub struct Page(Word);\n"),
            ("src/red/mod.rs", red),
            ("src/red/book.rs", book),
            ("src/red/tests.rs", tests),
            ("src/red/tests/cases.rs", "use crate::admin::Word;\n"),
            ("src/series.rs", "pub struct Row;\n"),
            ("crates/wire/src/lib.rs", &format!("{BANS}pub mod span;\npub struct Fault;\n")),
            ("crates/wire/src/span.rs", "use crate::Fault;\npub struct Span(Fault);\n"),
            ("tests/whole.rs", "use redora::admin::Word;\n"),
            ("benches/walk.rs", "fn main() {}\n"),
        ],
        &[],
    );
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    let admin = ("src/admin/mod.rs", "pub mod pages;\npub struct Page;\npub fn page() {}\n");
    let pages = ("src/admin/pages.rs", "pub struct Index;\n");
    let lib = format!("{BANS}pub use admin::pages::Index;\nmod admin;\nmod red;\n");
    for red in [
        "\nuse crate::admin::Page;\n",
        "\nuse crate::admin;\n",
        "\nuse crate::admin::*;\n",
        "\nuse super::admin::Page;\n",
        "\nfn f() { crate::admin::page() }\n",
        "\nfn f() -> Option<crate::admin::Page> { None }\n",
        "\nfn f() { println!(\"{:?}\", crate::admin::page()) }\n",
        "use std::fmt;\nuse crate::{series, admin::{pages::{Index as Start}}};\n",
        "use crate as root;\nfn f() { root::admin::page() }\n",
        "\nuse crate::Index;\n",
        "mod inner {\nuse super::super::admin::Page; }\n",
        "\nuse redora::admin::Page;\n",
    ] {
        let series = ("src/series.rs", "");
        check(
            &[("src/lib.rs", &lib), admin, pages, series, ("src/red/mod.rs", red)],
            &["src/red/mod.rs:3: upward import: `red` imports `admin`"],
        );
    }
}

#[test]
fn an_upward_import_is_found_across_crates() {
    check(
        &[
            ("src/red/mod.rs", "use redora_collector::sources::Source;\n"),
            ("collector/src/sources/mod.rs", "pub struct Source;\n"),
        ],
        &["src/red/mod.rs:2: upward import: `red` imports `collector/sources`"],
    );
    check(
        &[
            ("crates/wire/src/span.rs", "use redora_model::Tenant;\n"),
            ("crates/model/src/lib.rs", &format!("{BANS}pub struct Tenant;\n")),
        ],
        &["crates/wire/src/span.rs:2: same-floor import: `crates/wire` imports `crates/model`"],
    );
}

#[test]
fn a_same_floor_import_needs_its_entry() {
    let files =
        [("src/red/mod.rs", "use crate::sightings::Seen;\n"), ("src/sightings.rs", "struct Seen;")];
    check(&files, &["src/red/mod.rs:2: same-floor import: `red` imports `sightings`"]);
    const LISTED: Law = Law {
        neighbours: &[Neighbours { from: "red", to: "sightings", reason: "planted" }],
        ..PLAIN
    };
    check_by(&LISTED, &files, &[]);
    check_by(
        &LISTED,
        &[("src/red/mod.rs", ""), ("src/sightings.rs", "")],
        &["tests/tidy.rs:0: `red` no longer imports `sightings`: unlist it"],
    );
}

#[test]
fn modules_in_a_circle_are_found() {
    check(
        &[
            ("src/red/mod.rs", "mod a;\nmod b;\nmod c;\npub use c::C;\n"),
            ("src/red/a.rs", "use super::b::B;\npub struct A;\n"),
            ("src/red/b.rs", "pub struct B;\nfn f() { super::C::new() }\n"),
            ("src/red/c.rs", "use crate::red::a::A;\npub struct C;\n"),
        ],
        &["src/red/a.rs:2: module cycle: src/red/a.rs -> src/red/b.rs -> src/red/c.rs \
             -> src/red/a.rs"],
    );
}

#[test]
fn rooms_in_a_circle_are_found_where_no_modules_are() {
    const BOTH_WAYS: Law = Law {
        neighbours: &[
            Neighbours { from: "red", to: "slo", reason: "planted" },
            Neighbours { from: "slo", to: "red", reason: "planted" },
        ],
        ..PLAIN
    };
    check_by(
        &BOTH_WAYS,
        &[
            ("src/red/a.rs", "use crate::slo::Y;\n"),
            ("src/red/b.rs", "pub struct B;\n"),
            ("src/slo/x.rs", "use crate::red::b::B;\n"),
            ("src/slo/mod.rs", "pub struct Y;\n"),
        ],
        &["src/red/a.rs:2: room cycle: red -> slo -> red"],
    );
}

#[test]
fn a_file_opens_with_a_sentence() {
    for text in [
        "",
        "// A comment is no title of a file.\n",
        "//! Too short.\n",
        "//! No full stop in so\n//! many words\n",
        "\n//! A title one line too late is none.\n",
    ] {
        for path in ["src/red.rs", "tests/story.rs", "benches/walk.rs", "crates/wire/tests/a.rs"] {
            let root = tempfile::tempdir().expect("the system has a folder for temporary files");
            plant(root.path(), path, text);
            let fault = "no title: open with `//!` and a sentence of 6 words";
            assert_eq!(inspect(root.path(), &PLAIN), [format!("{path}:1: {fault}")]);
        }
    }
}

#[test]
fn sizes_past_their_limits_are_found() {
    let long = "\n".repeat(400);
    let tests = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", "\n".repeat(399));
    check(
        &[("src/red.rs", &long), ("src/spool.rs", &tests), ("tests/story.rs", &long)],
        &["src/red.rs:1: file of 401 lines before its tests, not 400"],
    );
    let body = "\n".repeat(59);
    let code =
        format!("impl X {{\n/// Words.\n#[inline]\nfn f() {{{body}\n}}\nfn g() {{{body}}}\n}}");
    check(&[("src/red.rs", &code)], &["src/red.rs:5: function `f` of 61 lines, not 60"]);
    let fields: String = (0..13).map(|n| format!("f{n}: u8, ")).collect();
    check(
        &[("src/red.rs", &format!("\nstruct Wide {{ {} }}\nstruct Fits {{ a: u8 }}", &fields))],
        &[
            "src/red.rs:3: line of 123 columns, not 100",
            "src/red.rs:3: struct `Wide` of 13 fields, not 12",
        ],
    );
    let wide = format!("// {}\n// {}\n", "ü".repeat(97), "ü".repeat(98));
    check(&[("tests/a.rs", &wide)], &["tests/a.rs:3: line of 101 columns, not 100"]);
    let data = format!("const X: &str = r#\"\n{}\"#;\n", "x".repeat(101));
    let in_module = format!("#[cfg(test)]\nmod tests {{\n{data}}}\n");
    check(&[("tests/a.rs", &data), ("src/slo.rs", &in_module)], &[]);
    check(&[("src/red.rs", &data)], &["src/red.rs:3: line of 104 columns, not 100"]);
}

#[test]
fn an_exception_holds_for_its_size_and_no_longer_than_its_need() {
    const LISTED: Law = Law {
        exceptions: &[Exception {
            path: "src/red.rs",
            measure: Measure::FunctionLines("f"),
            max: 70,
            reason: "planted",
        }],
        ..LAW
    };
    let name = "exception for FunctionLines(\"f\") of src/red.rs";
    for (lines, fault) in [
        (70, None),
        (71, Some("src/red.rs:2: function `f` of 71 lines, not 70".to_owned())),
        (69, Some(format!("tests/tidy.rs:0: {name} says 70 and today is 69: lower it"))),
        (60, Some(format!("tests/tidy.rs:0: {name} is needed no longer: delete it"))),
    ] {
        let code = format!("fn f() {{{}}}", "\n".repeat(lines - 1));
        check_by(&LISTED, &[("src/red.rs", &code)], fault.as_deref().as_slice());
    }
    let gone = format!("tests/tidy.rs:0: {name} is needed no longer: delete it");
    check_by(&LISTED, &[("src/slo.rs", "")], &[&gone]);
}

#[test]
fn a_foreign_package_stays_in_its_home() {
    for text in [
        "\nuse hyper_util::rt::TokioIo;\n",
        "\nuse hyper_util as wires;\n",
        "\nextern crate hyper_util;\n",
        "\nfn f(_: hyper_util::rt::TokioIo) {}\n",
        "\nfn f(_: ::hyper_util::rt::TokioIo) {}\n",
        "\nfn f() { vec![hyper_util::rt::TokioIo::new()]; }\n",
    ] {
        let homes = "src/listen, src/receive, src/admin, src/cli, collector/src/sources/github";
        let fault = format!("src/process.rs:3: `hyper_util` outside its home ({homes})");
        check(&[("src/process.rs", text)], &[&fault]);
        check(&[("src/listen/accept.rs", text), ("src/admin.rs", text)], &[]);
        let test = format!("#[cfg(all(test, unix))]\nmod tests {{{text}}}\n");
        check(&[("src/process.rs", &test)], &[]);
    }
    check(
        &[("src/process/mod.rs", "use opentelemetry_sdk::X;\nuse prometheus::X;\n")],
        &["src/process/mod.rs:3: `prometheus` outside its home (src/expose)"],
    );
    let own = [("src/red/mod.rs", "mod clap;\nuse clap::X;\n"), ("src/red/clap.rs", "struct X;\n")];
    check(&own, &[]);
}

#[test]
fn names_and_rooms_that_say_nothing_are_found() {
    check(
        &[("src/red/utils.rs", ""), ("tests/common/mod.rs", "")],
        &[
            "src/red/utils.rs:1: `utils` names nothing that is in it",
            "tests/common/mod.rs:1: `common` names nothing that is in it",
        ],
    );
    check(
        &[("src/attic/mod.rs", ""), ("src/attic/box.rs", ""), ("crates/lofts/src/a.rs", "")],
        &[
            "crates/lofts/src/a.rs:1: room `crates/lofts` stands on no floor of tests/tidy.rs",
            "src/attic/box.rs:1: room `attic` stands on no floor of tests/tidy.rs",
        ],
    );
}

#[test]
fn a_pure_room_asks_nobody() {
    let (env, now) = ("std::env", "std::time::Instant::now");
    for (path, text, ban) in [
        ("crates/model/src/a.rs", "\nuse std::env;\n", env),
        ("crates/model/src/a.rs", "\nuse std::{fmt, env as outside};\n", env),
        ("crates/model/src/a.rs", "\nfn f() { std::env::var(\"HOME\"); }\n", env),
        ("crates/model/src/a.rs", "use std as s;\nfn f() { s::env::var(\"HOME\"); }\n", env),
        ("crates/model/src/a.rs", "\nfn f() { dbg!(std::env::args()); }\n", env),
        ("src/red.rs", "use std::time::Instant;\nfn f() { Instant::now(); }\n", now),
        ("src/red.rs", "use std::time;\nfn f() { time::Instant::now(); }\n", now),
        ("src/digest/mod.rs", "\nuse tokio::sync::Mutex;\n", "tokio"),
    ] {
        let fault =
            format!("{path}:3: `{ban}` in a room that does no I/O and asks nobody the time");
        check(&[(path, text)], &[&fault]);
    }
    check(
        &[
            ("src/process.rs", "use std::env;\nuse std::time::*;\n"),
            ("src/red.rs", "use std::time::{Duration, Instant};\nfn f(_: Instant) {}\n"),
        ],
        &[],
    );
}

#[test]
fn what_would_hide_from_the_checks_is_found() {
    check(
        &[("tests/a.rs", "#[test]\n#[ignore]\nfn f() {}\n")],
        &["tests/a.rs:3: an ignored test tests nothing"],
    );
    check(
        &[("src/red.rs", "fn {")],
        &["src/red.rs:2: does not parse: cannot parse string into token stream"],
    );
    let fault = "this root does not turn the bans of clippy.toml on";
    check(
        &[("src/lib.rs", ""), ("crates/wire/src/lib.rs", ""), ("src/main.rs", "")],
        &[
            &format!("crates/wire/src/lib.rs:1: {fault}"),
            &format!("src/lib.rs:1: {fault}"),
            &format!("src/main.rs:1: {fault}"),
        ],
    );
}

#[test]
fn a_foreign_package_has_one_row_and_a_row_its_package() {
    let root = tempfile::tempdir().expect("the system has a folder for temporary files");
    let package = "[package]\nname = \"planted\"\n[workspace]\nmembers = [\"crates/*\"]\n";
    let needs = "[dependencies]\nbytes = \"1\"\nbottom = { path = \"crates/bottom\" }\n\
                 renamed = { package = \"http\", version = \"1\" }\n\
                 [dev-dependencies]\ntempfile = \"3\"\nbytes = \"1\"\n";
    plant(root.path(), "Cargo.toml", &format!("{package}{needs}"));
    plant(root.path(), "src/lib.rs", "");
    let bottom = "[package]\nname = \"bottom\"\n[dependencies]\ntokio = \"1\"\n";
    plant(root.path(), "crates/bottom/Cargo.toml", bottom);
    plant(root.path(), "crates/bottom/src/lib.rs", "");
    let page = "# Dependencies\n\n## In the binary\n\n| package | why |\n| --- | --- |\n\
                | `bytes` | |\n| `tokio` | runs |\n| `tempfile` | wrong table |\n\n\
                ## In tests and benches\n\n| `gone` | was here |\n";
    plant(root.path(), packages::DECISIONS, page);
    let mut faults = Vec::new();
    packages::check(root.path(), &PLAIN, &mut faults);
    assert_eq!(
        report(faults),
        [
            "Cargo.toml:1: `http` has no row for the binary in docs/decisions/dependencies.md",
            "Cargo.toml:10: `tempfile` has no row for the tests in docs/decisions/dependencies.md",
            "crates/bottom/Cargo.toml:4: `tokio` below a crate without I/O and async",
            "docs/decisions/dependencies.md:7: `bytes` has a row without a reason",
            "docs/decisions/dependencies.md:9: `tempfile` is no package of the binary: \
             delete its row",
            "docs/decisions/dependencies.md:13: `gone` is no package of the tests: delete its row",
        ]
    );
}
