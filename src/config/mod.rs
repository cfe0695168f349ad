//! The configuration file: YAML text to a checked [`Config`], with every fault named at its line,
//! instead of a serde derive, which stops at the first fault and knows neither columns nor secrets.
//!
//! The way is one direction: text → `node` (a tree with places) → `walk` (typed values, faults
//! collected, with `interpolate` and `scalar`) → `sections`, `red`, `logs`, `delivery` (what each
//! key means) →
//! [`Config`]. Limits: 1 MiB of text, 64 KiB of any value that comes from outside the file.

mod checked;
mod delivery;
mod events;
mod fault;
mod foreign;
mod interpolate;
mod logs;
mod node;
mod objectives;
mod promise;
mod queries;
mod red;
mod scalar;
mod schema;
mod secret;
mod sections;
mod slos;
pub mod sources;
mod walk;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub use checked::{Admin, Config};
pub use fault::{Conflict, Fault, Faults, Problem, SyntaxCure};
pub use foreign::{Imported, Inconvertible, Note, Uncarried};
pub use interpolate::{Broken, Read};
pub use promise::{DEFAULT_WINDOW_S, WINDOW_MAX, WINDOW_MIN};
pub use scalar::{Form, Shown, size_text};
pub use schema::{KEYS, Key, LATER, OBJECTIVE_KEYS};
pub use secret::Secret;
pub use slos::{List, list_folder};

use interpolate::Sources;
use node::Position;
use walk::{Section, Walk};

/// Reads and checks a file and those of the objectives that it names; relative `${file:PATH}` start
/// from the directory of the file that they stand in.
///
/// `env` gives an environment variable's value, `read` at most so many first bytes of a file
/// ([`read_file`] in production), `list` the names in a folder ([`list_folder`]).
pub fn load(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    read: Read<'_>,
    list: List<'_>,
) -> Result<Config, Faults> {
    let file = path.to_string_lossy();
    let text = whole_text(path, &file, read)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let (mut config, files, mut faults) =
        main_file(&text, &file, Sources { env, read, directory }, Some(list));
    let mut known = objectives::Known::default();
    for path in files {
        let file = path.to_string_lossy();
        match whole_text(&path, &file, read) {
            Ok(text) => {
                let directory = path.parent().unwrap_or(Path::new(""));
                let sources = Sources { env, read, directory };
                faults.extend(objectives::objectives(&text, &file, sources, &mut known));
            }
            Err(Faults(unread)) => faults.extend(unread),
        }
    }
    (config.slos, config.queried, config.notes) = known.into_objectives();
    sound(config, faults)
}

/// Converts files of Sloth, Pyrra and OpenSLO to one of redora's own objectives.
///
/// # Errors
/// A file cannot be read, or is in no format that is known here.
pub fn import(paths: &[PathBuf], read: Read<'_>) -> Result<Imported, Faults> {
    let mut texts = Vec::new();
    let mut faults = Vec::new();
    for path in paths {
        let file = path.to_string_lossy().into_owned();
        match whole_text(path, &file, read) {
            Ok(text) => texts.push((file, text)),
            Err(Faults(unread)) => faults.extend(unread),
        }
    }
    // Files of other tools are taken as they stand, so that nobody is asked for a variable.
    let sources = Sources { env: &|_| None, read, directory: Path::new("") };
    match foreign::import(&texts, sources) {
        Ok(imported) if faults.is_empty() => Ok(imported),
        Ok(_) => Err(Faults(faults)),
        Err(Faults(unknown)) => Err(Faults(faults.into_iter().chain(unknown).collect())),
    }
}

/// Checks a text; `file_name` stands in faults, and its directory is what relative `${file:PATH}`
/// start from. The files of objectives that it names are not looked for.
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
        let problem = Problem::TooLarge { bytes_max: FILE_BYTES_MAX };
        let whole = Position { line: 0, column: 0 };
        return Err(Faults(vec![one(file_name, whole, problem)]));
    }
    let directory = Path::new(file_name).parent().unwrap_or(Path::new(""));
    let (config, _, faults) = main_file(text, file_name, Sources { env, read, directory }, None);
    sound(config, faults)
}

/// The file itself: what it says, the files of objectives that it names, if `list` can look for
/// them, and its faults.
fn main_file(
    text: &str,
    file_name: &str,
    sources: Sources<'_>,
    list: Option<List<'_>>,
) -> (Config, Vec<PathBuf>, Vec<Fault>) {
    let mut config = Config::defaults();
    let tree = match node::read(text) {
        Ok(tree) => tree,
        Err((at, problem)) => return (config, Vec::new(), vec![one(file_name, at, problem)]),
    };
    let directory = sources.directory;
    let mut walk = Walk::new(file_name, sources);
    let mut files = Vec::new();
    for (at, key, problem) in tree.faults {
        walk.fault(at, &key, problem);
    }
    if let Some(root) = &tree.root
        && let Some(top) = walk.top(root)
    {
        top_sections(&mut walk, &top, &mut config);
        if let Some(field) = top.field("slos") {
            files = slos::slos(&mut walk, &field, directory, list);
        }
    }
    (config, files, walk.finish())
}

fn top_sections(walk: &mut Walk<'_>, top: &Section<'_>, config: &mut Config) {
    if let Some(section) = top.field("listen").and_then(|field| walk.section(field, "listen")) {
        sections::listen(walk, &section, config);
    }
    config.admin.token = sections::admin_token(walk, top);
    if let Some(path) = sections::data_dir(walk, top) {
        config.data_dir = path;
    }
    if let Some(section) = top.field("limits").and_then(|field| walk.section(field, "limits")) {
        let limits = &mut config.receive.limits;
        sections::limits(walk, &section, limits, &mut config.series);
    }
    if let Some(section) = top.field("red").and_then(|field| walk.section(field, "red")) {
        red::red(walk, &section, &mut config.red);
    }
    if let Some(field) = top.field("log_metrics") {
        config.log_metrics = logs::log_metrics(walk, &field);
    }
    if let Some(section) = top.field("delivery").and_then(|field| walk.section(field, "delivery")) {
        delivery::delivery(walk, &section, &mut config.delivery);
    }
}

fn sound(config: Config, faults: Vec<Fault>) -> Result<Config, Faults> {
    if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
}

/// The text of a file, within its bound.
fn whole_text(path: &Path, file: &str, read: Read<'_>) -> Result<String, Faults> {
    let refuse = |at, problem| Faults(vec![one(file, at, problem)]);
    let whole = Position { line: 0, column: 0 };
    let bytes = read(path, FILE_BYTES_MAX + 1)
        .map_err(|fault| refuse(whole, Problem::Unreadable(fault.kind())))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(refuse(whole, Problem::TooLarge { bytes_max: FILE_BYTES_MAX }));
    }
    String::from_utf8(bytes).map_err(|fault| {
        let good = &fault.as_bytes()[..fault.utf8_error().valid_up_to()];
        refuse(node::end(&String::from_utf8_lossy(good)), Problem::Encoding)
    })
}

/// A value of the command line, with `${…}` replaced as in a file; relative paths start from the
/// working directory.
///
/// # Errors
/// Something in it cannot be replaced.
pub fn expanded(
    raw: &str,
    env: &dyn Fn(&str) -> Option<String>,
    read: Read<'_>,
) -> Result<String, Broken> {
    let directory = Path::new("");
    Ok(interpolate::interpolate(raw, Sources { env, read, directory })?.value)
}

/// The first bytes of a file, at most `bytes_max`: the reader that production passes to [`load`].
pub fn read_file(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::copy(&mut File::open(path)?.take(bytes_max as u64), &mut bytes)?;
    Ok(bytes)
}

fn one(file: &str, at: Position, problem: Problem) -> Fault {
    let Position { line, column } = at;
    Fault { file: file.to_owned(), line, column, key: String::new(), problem }
}

/// A hundred times a long configuration.
const FILE_BYTES_MAX: usize = 1 << 20;
