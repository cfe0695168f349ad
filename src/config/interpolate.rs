//! `${VAR}`, `${VAR:-default}` and `${file:PATH}` inside a scalar, replaced after the YAML is
//! parsed, so that a secret with a colon or a line break in it can never change the shape of the
//! configuration.

use std::io::{self, ErrorKind};
use std::path::Path;

use thiserror::Error;

use super::scalar::Shown;

/// Where interpolated values come from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    /// The value of an environment variable; `None` where it is unset.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    /// The first bytes of a file, at most as many as asked for.
    pub(super) read: Read<'a>,
    /// What relative paths start from.
    pub(super) directory: &'a Path,
}

/// Reads the first bytes of a file, at most as many as the second argument says.
pub type Read<'a> = &'a dyn Fn(&Path, usize) -> io::Result<Vec<u8>>;

/// A scalar after interpolation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The value.
    pub(super) value: String,
    /// The value as a fault may show it.
    pub(super) shown: Shown,
    /// Whether anything in it came from outside the file.
    pub(super) foreign: bool,
    /// Whether it is empty because of an empty default: the key then counts as not given.
    pub(super) absent: bool,
}

/// Why a `${…}` cannot be replaced. Holds what stands in the file, never what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// No closing brace.
    #[error(
        "has a ${{ without its closing brace; close it, or write $${{ for the characters themselves"
    )]
    Unclosed,
    /// None of the three forms.
    #[error(
        "{0} is none of ${{NAME}}, ${{NAME:-default}} and ${{file:PATH}}; \
         use one of them, or write $${{ for the characters themselves"
    )]
    Form(Shown),
    /// An unset variable without a default.
    #[error(
        "the environment variable {0} is not set; set it, or give a default with ${{{0}:-default}}"
    )]
    Unset(String),
    /// A file that cannot be read.
    #[error("the file {path} cannot be read: {kind}; create it, or let redora's user read it")]
    File {
        /// The path as it stands in the configuration.
        path: String,
        /// The system's reason.
        kind: ErrorKind,
    },
    /// A file that holds no UTF-8 text.
    #[error("the file {0} holds no UTF-8 text; save it as text")]
    Encoding(String),
    /// More text than a value needs.
    #[error("grows beyond {bytes_max} bytes; point it at a smaller file")]
    TooLarge {
        /// The bound.
        bytes_max: usize,
    },
}

/// Replaces every `${…}` of a scalar.
pub(super) fn interpolate(raw: &str, sources: Sources<'_>) -> Result<Text, Broken> {
    let mut value = String::with_capacity(raw.len());
    let mut origins: Vec<String> = Vec::new();
    let mut only_defaults = true;
    let mut rest = raw;
    while let Some(at) = rest.find('$') {
        value.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            value.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = after.find('}').ok_or(Broken::Unclosed)?;
            let part = replace(&after[..end], sources)?;
            value.push_str(&part.value);
            only_defaults &= part.default;
            if !origins.contains(&part.origin) {
                origins.push(part.origin);
            }
            rest = &after[end + 1..];
        } else {
            value.push('$');
        }
        if value.len() > VALUE_BYTES_MAX {
            return Err(Broken::TooLarge { bytes_max: VALUE_BYTES_MAX });
        }
    }
    value.push_str(rest);
    let foreign = !origins.is_empty();
    let shown = if foreign {
        Shown::origin(&format!("from {}", origins.join(" and ")))
    } else {
        Shown::quoted(raw)
    };
    let absent = foreign && only_defaults && value.is_empty();
    Ok(Text { value, shown, foreign, absent })
}

struct Part {
    value: String,
    /// `${NAME}` or `${file:PATH}`.
    origin: String,
    /// Whether the value is the default that stands in the file.
    default: bool,
}

fn replace(inner: &str, sources: Sources<'_>) -> Result<Part, Broken> {
    if let Some(path) = inner.strip_prefix("file:") {
        let value = file(path, sources)?;
        return Ok(Part { value, origin: format!("${{{inner}}}"), default: false });
    }
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    if !is_variable(name) || default.is_some_and(|default| default.contains("${")) {
        return Err(malformed(inner));
    }
    let origin = format!("${{{name}}}");
    match ((sources.env)(name), default) {
        // As in a shell, `:-` replaces an empty variable as well as an unset one.
        (Some(value), None) => Ok(Part { value, origin, default: false }),
        (Some(value), Some(_)) if !value.is_empty() => Ok(Part { value, origin, default: false }),
        (_, Some(default)) => Ok(Part { value: default.replace("$$", "$"), origin, default: true }),
        (None, None) => Err(Broken::Unset(name.to_owned())),
    }
}

fn file(path: &str, sources: Sources<'_>) -> Result<String, Broken> {
    if path.is_empty() {
        return Err(malformed("file:"));
    }
    let broken = |kind| Broken::File { path: path.to_owned(), kind };
    let bytes = (sources.read)(&sources.directory.join(path), VALUE_BYTES_MAX + 1)
        .map_err(|fault| broken(fault.kind()))?;
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(Broken::TooLarge { bytes_max: VALUE_BYTES_MAX });
    }
    let mut text = String::from_utf8(bytes).map_err(|_| Broken::Encoding(path.to_owned()))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn malformed(inner: &str) -> Broken {
    Broken::Form(Shown::quoted(&format!("${{{inner}}}")))
}

fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Bytes of a file that is read for a value, and of a value in all: the largest secrets are
/// certificates of some KiB.
const VALUE_BYTES_MAX: usize = 64 << 10;
