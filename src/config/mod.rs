//! The configuration file: YAML text to a checked [`Config`], with every fault named at its line,
//! instead of a serde derive, which stops at the first fault and knows neither columns nor secrets.
//!
//! The way is one direction: text → `node` (a tree with places) → `walk` (typed values, faults
//! collected, with `interpolate` and `scalar`) → `sections`, `red`, `logs`, `delivery` (what each
//! key means) →
//! [`Config`]. Limits: 1 MiB of text, 64 KiB of any value that comes from outside the file.

mod checked;
mod delivery;
mod fault;
mod interpolate;
mod logs;
mod node;
mod red;
mod scalar;
mod schema;
mod secret;
mod sections;
pub mod sources;
mod walk;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

pub use checked::{Admin, Config};
pub use fault::{Conflict, Fault, Faults, Problem, SyntaxCure};
pub use interpolate::{Broken, Read};
pub use scalar::{Form, Shown, size_text};
pub use schema::{KEYS, Key, LATER};
pub use secret::Secret;

use interpolate::Sources;
use node::Position;
use walk::Walk;

/// Reads and checks a file; relative `${file:PATH}` start from the file's directory.
///
/// `env` gives an environment variable's value, `read` at most so many first bytes of a file
/// ([`read_file`] in production).
pub fn load(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    read: Read<'_>,
) -> Result<Config, Faults> {
    let file = path.to_string_lossy();
    let bytes = read(path, FILE_BYTES_MAX + 1)
        .map_err(|fault| whole_file(&file, Problem::Unreadable(fault.kind())))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole_file(&file, Problem::TooLarge { bytes_max: FILE_BYTES_MAX }));
    }
    let text = std::str::from_utf8(&bytes).map_err(|fault| {
        let good = String::from_utf8_lossy(&bytes[..fault.valid_up_to()]);
        one(&file, node::end(&good), Problem::Encoding)
    })?;
    parse(text, &file, env, read)
}

/// Checks a text; `file_name` stands in faults, and its directory is what relative `${file:PATH}`
/// start from.
///
/// Asks nobody but the two closures for anything, so the same text, variables and files give the
/// same answer.
pub fn parse(
    text: &str,
    file_name: &str,
    env: &dyn Fn(&str) -> Option<String>,
    read: Read<'_>,
) -> Result<Config, Faults> {
    if text.len() > FILE_BYTES_MAX {
        return Err(whole_file(file_name, Problem::TooLarge { bytes_max: FILE_BYTES_MAX }));
    }
    let tree = node::read(text).map_err(|(at, problem)| one(file_name, at, problem))?;
    let directory = Path::new(file_name).parent().unwrap_or(Path::new(""));
    let mut walk = Walk::new(file_name, Sources { env, read, directory });
    for (at, key, problem) in tree.faults {
        walk.fault(at, &key, problem);
    }
    let mut config = Config::defaults();
    if let Some(root) = &tree.root
        && let Some(top) = walk.top(root)
    {
        if let Some(section) = top.field("listen").and_then(|field| walk.section(field, "listen")) {
            sections::listen(&mut walk, &section, &mut config);
        }
        config.admin.token = sections::admin_token(&mut walk, &top);
        if let Some(path) = sections::data_dir(&mut walk, &top) {
            config.data_dir = path;
        }
        if let Some(section) = top.field("limits").and_then(|field| walk.section(field, "limits")) {
            let limits = &mut config.receive.limits;
            sections::limits(&mut walk, &section, limits, &mut config.series);
        }
        if let Some(section) = top.field("red").and_then(|field| walk.section(field, "red")) {
            red::red(&mut walk, &section, &mut config.red);
        }
        if let Some(field) = top.field("log_metrics") {
            config.log_metrics = logs::log_metrics(&mut walk, &field);
        }
        if let Some(section) =
            top.field("delivery").and_then(|field| walk.section(field, "delivery"))
        {
            delivery::delivery(&mut walk, &section, &mut config.delivery);
        }
    }
    walk.finish(config)
}

/// The first bytes of a file, at most `bytes_max`: the reader that production passes to [`load`].
pub fn read_file(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::copy(&mut File::open(path)?.take(bytes_max as u64), &mut bytes)?;
    Ok(bytes)
}

fn whole_file(file: &str, problem: Problem) -> Faults {
    one(file, Position { line: 0, column: 0 }, problem)
}

fn one(file: &str, at: Position, problem: Problem) -> Faults {
    let Position { line, column } = at;
    Faults(vec![Fault { file: file.to_owned(), line, column, key: String::new(), problem }])
}

/// A hundred times a long configuration.
const FILE_BYTES_MAX: usize = 1 << 20;
