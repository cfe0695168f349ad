//! The workspace's manifests as cargo reads them, against the decisions that name each foreign
//! package; a scan of the manifests' text would miss renames, targets and inherited entries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::{Fault, Law};

/// Where every foreign package has a row with its reason.
pub(crate) const DECISIONS: &str = "docs/decisions/dependencies.md";

/// Foreign packages without a row and rows without a package, for the binary and for tests apart;
/// and foreign packages that a bottom crate's manifest may not name.
pub(crate) fn check(root: &Path, law: &Law, faults: &mut Vec<Fault>) {
    let declared = declared(root);
    let page = std::fs::read_to_string(root.join(DECISIONS)).unwrap_or_default();
    let rows = rows(&page);
    for (kind, manifests) in [("binary", &declared.normal), ("tests", &declared.tests)] {
        for (package, manifest) in manifests.iter() {
            let line = line_of(root, manifest, package);
            match rows.iter().find(|row| row.kind == kind && row.package == *package) {
                None => {
                    let text = format!("`{package}` has no row for the {kind} in {DECISIONS}");
                    faults.push(Fault::new(manifest, line, text));
                }
                Some(row) if row.reason.is_empty() => {
                    let text = format!("`{package}` has a row without a reason");
                    faults.push(Fault::new(DECISIONS, row.line, text));
                }
                Some(_) => {}
            }
        }
        for row in rows.iter().filter(|row| row.kind == kind) {
            if !manifests.contains_key(&row.package) {
                let text = format!("`{}` is no package of the {kind}: delete its row", row.package);
                faults.push(Fault::new(DECISIONS, row.line, text));
            }
        }
    }
    for (manifest, package) in &declared.bottom {
        if law.impure.contains(&package.replace('-', "_").as_str()) {
            let text = format!("`{package}` below a crate without I/O and async");
            faults.push(Fault::new(manifest, line_of(root, manifest, package), text));
        }
    }
}

#[derive(Default)]
struct Declared {
    /// Foreign packages of the binary, with the first manifest that names each.
    normal: BTreeMap<String, String>,
    /// Foreign packages that only tests and benches use.
    tests: BTreeMap<String, String>,
    /// Manifests of `crates/` with each foreign package they name.
    bottom: BTreeSet<(String, String)>,
}

fn declared(root: &Path) -> Declared {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .expect("the cargo that runs this test runs");
    let errors = String::from_utf8_lossy(&cargo.stderr);
    assert!(cargo.status.success(), "cargo cannot read the manifests: {errors}");
    let metadata: serde_json::Value =
        serde_json::from_slice(&cargo.stdout).expect("cargo metadata is JSON");
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let base = text(&metadata["workspace_root"]) + "/";
    let mut declared = Declared::default();
    let mut tests = BTreeMap::new();
    for package in list(&metadata["packages"]) {
        let manifest = text(&package["manifest_path"]).replacen(&base, "", 1);
        for dependency in list(&package["dependencies"]) {
            if dependency["path"].is_string() {
                continue;
            }
            let name = text(&dependency["name"]);
            if dependency["kind"] == "dev" {
                tests.entry(name).or_insert_with(|| manifest.clone());
                continue;
            }
            if manifest.starts_with("crates/") {
                declared.bottom.insert((manifest.clone(), name.clone()));
            }
            declared.normal.entry(name).or_insert_with(|| manifest.clone());
        }
    }
    tests.retain(|name, _| !declared.normal.contains_key(name));
    declared.tests = tests;
    declared
}

struct Row {
    /// `binary` or `tests`, from the heading above the table.
    kind: &'static str,
    package: String,
    reason: String,
    line: usize,
}

/// The rows of the tables below `## In the binary` and `## In tests and benches`: a package in
/// backticks, then why it is here.
fn rows(page: &str) -> Vec<Row> {
    let mut kind = None;
    let mut rows = Vec::new();
    for (number, line) in page.lines().enumerate() {
        if let Some(heading) = line.strip_prefix("## ") {
            kind = match heading {
                "In the binary" => Some("binary"),
                "In tests and benches" => Some("tests"),
                _ => None,
            };
        }
        let Some((kind, row)) = kind.zip(line.strip_prefix("| `")) else { continue };
        let Some((package, rest)) = row.split_once("` |") else { continue };
        let reason = rest.split('|').next().unwrap_or_default().trim().to_owned();
        rows.push(Row { kind, package: package.to_owned(), reason, line: number + 1 });
    }
    rows
}

/// The line of a manifest that names a package; the first where it stands under another name.
fn line_of(root: &Path, manifest: &str, package: &str) -> usize {
    let text = std::fs::read_to_string(root.join(manifest)).unwrap_or_default();
    let named = |line: &str| {
        line.strip_prefix(package).is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    text.lines().position(named).map_or(1, |position| position + 1)
}
