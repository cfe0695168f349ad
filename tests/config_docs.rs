//! The pages that show configuration against the loader: every YAML block loads, and the tables of
//! `docs/configuration.md` hold exactly the keys, forms and defaults of the code.

use std::fs;
use std::path::Path;

use redora::config::{Config, Faults, KEYS, Key, LATER, parse};

/// The YAML blocks of a page, each with the line that it starts in.
fn yaml_blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (i, line) in page.lines().enumerate() {
        if line.trim_end() == "```yaml" && !inside {
            inside = true;
            blocks.push((i + 2, String::new()));
        } else if line.starts_with("```") {
            inside = false;
        } else if inside && let Some((_, block)) = blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks
}

fn load(text: &str) -> Result<Config, Faults> {
    // The examples read secrets from variables and files that stand for themselves.
    let read = |path: &Path, _| match path.ends_with("app.pem") {
        true => Ok(include_bytes!("../collector/tests/data/github-app/app.pem").to_vec()),
        false => Ok(b"secret\n".to_vec()),
    };
    parse(text, "example.yaml", &|_| None, &read)
}

fn page(name: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).ok()
}

/// A row as the page writes it, without its reason.
fn row(key: &Key) -> String {
    let default = key.default.map_or("none".to_owned(), |default| format!("`{default}`"));
    format!("`{}` | {} | {default}", key.path, key.takes)
}

#[test]
fn every_example_loads() {
    let docs = page("docs/configuration.md").expect("the page exists");
    assert!(yaml_blocks(&docs).len() >= 3, "the page shows examples");
    for page in [Some(docs), page("README.md")].into_iter().flatten() {
        for (line, block) in yaml_blocks(&page) {
            load(&block).unwrap_or_else(|faults| panic!("the block at line {line}:\n{faults}"));
        }
    }
}

#[test]
fn the_faults_that_the_page_shows_are_real() {
    let docs = page("docs/configuration.md").expect("the page exists");
    let text = "# The shop's sidecar.\nlimits:\n  memory: 64Mib\n  serie_expire: 1h\n";
    let faults = parse(text, "redora.yaml", &|_| None, &|_, _| Ok(Vec::new())).expect_err("two");
    assert!(docs.contains(&format!("```text\n{faults}\n```\n")), "{faults}");
}

#[test]
fn the_full_example_names_every_key() {
    let docs = page("docs/configuration.md").expect("the page exists");
    let (_, example) = yaml_blocks(&docs).swap_remove(0);
    for key in KEYS {
        let name = key.path.rsplit('.').next().expect("a path has a last part");
        assert!(example.contains(&format!("{name}:")), "{} is not in the full example", key.path);
    }
}

#[test]
fn the_page_and_the_table_of_keys_agree() {
    let docs = page("docs/configuration.md").expect("the page exists");
    let (_, keys) = docs.split_once("\n## Keys\n").expect("the page has a part on keys");
    let mut written: Vec<String> = keys
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
        .map(|row| {
            let (row, reason) = row.rsplit_once(" | ").expect("a row has four columns");
            assert!(reason.len() > 10, "{row} has no reason");
            format!("`{row}")
        })
        .collect();
    let mut known: Vec<String> =
        KEYS.iter().filter(|key| key.takes != "section").map(row).collect();
    written.sort();
    known.sort();
    assert_eq!(written, known);

    for key in KEYS.iter().filter(|key| key.takes == "section") {
        let heading = format!("\n### `{}`\n", key.path);
        assert!(keys.contains(&heading), "{} has no heading", key.path);
    }
    for section in LATER {
        assert!(keys.contains(&format!("`{section}`")), "{section} is not said to come later");
    }
}

#[test]
fn the_defaults_of_the_table_are_the_defaults() {
    let defaults = format!("{:?}", Config::defaults());
    let mut checked = 0;
    for key in KEYS {
        let Some(default) = key.default else { continue };
        if key.path.contains("[]") {
            continue;
        }
        let open: String = key.path.split('.').map(|name| format!("{{ {name}: ")).collect();
        let text = format!("{open}{default}{}", " }".repeat(key.path.split('.').count()));
        let config = load(&text).unwrap_or_else(|faults| panic!("{text}: {faults}"));
        assert_eq!(format!("{config:?}"), defaults, "{text}");
        checked += 1;
    }
    assert_eq!(checked, 29, "every key with a default outside lists");
}
