//! The agent's log on stderr: what is shown, and in which form. Its settings are checked before the
//! first line is written, because a mistyped level that silently shows nothing is found only when
//! the log is needed.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, fmt as lines};

use super::log_lines::LogLines;

/// Where the level stands in the environment.
const LEVEL_VARIABLE: &str = "REDORA_LOG";
/// Where the format stands in the environment.
const FORMAT_VARIABLE: &str = "REDORA_LOG_FORMAT";

/// The level without a setting.
const LEVEL_DEFAULT: &str = "info,h2=error";

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for log pipelines.
    Json,
}

impl Format {
    /// The line that stands for lines which nobody was there to read.
    pub(super) fn lines_lost(self, lines: u64) -> String {
        match self {
            Self::Text => format!(" WARN redora: event=\"log_lines_lost\" lines={lines}\n"),
            Self::Json => {
                let line = r#"{"level":"WARN","target":"redora","event":"log_lines_lost","lines":"#;
                format!("{line}{lines}}}\n")
            }
        }
    }
}

impl FromStr for Format {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// The log as it was asked for.
#[derive(Debug)]
pub struct Settings {
    filter: EnvFilter,
    format: Format,
    ansi: bool,
}

/// A setting of the log that cannot be followed; a fault of the user.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The level is neither a level nor a list of `target=level`.
    #[error(
        "{source_name}: `{value}` is no log level ({reason}); use off, error, warn, info, debug or \
         trace, or a list of target=level such as `info,redora::receive=debug`"
    )]
    Level {
        /// The flag or variable that holds the value.
        source_name: &'static str,
        /// The value as given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The format is unknown.
    #[error("{source_name}: `{value}` is no log format; use text or json")]
    Format {
        /// The flag or variable that holds the value.
        source_name: &'static str,
        /// The value as given.
        value: String,
    },
}

impl Settings {
    /// Reads the settings: a flag wins over its variable (`REDORA_LOG`, `REDORA_LOG_FORMAT`), an
    /// empty variable counts as unset, and the default is `info` as text, without the warnings of
    /// the HTTP/2 library, of which a hostile peer could ask for one a connection. Colours are used
    /// only on a terminal and without `NO_COLOR`.
    ///
    /// # Errors
    /// [`Fault`] for a value that cannot be followed.
    pub fn read(
        level_flag: Option<&str>,
        format_flag: Option<Format>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Fault> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let filter = match (level_flag, set(LEVEL_VARIABLE)) {
            (Some(value), _) => filter("--log-level", value)?,
            (None, Some(value)) => filter(LEVEL_VARIABLE, &value)?,
            (None, None) => EnvFilter::new(LEVEL_DEFAULT),
        };
        let format = match (format_flag, set(FORMAT_VARIABLE)) {
            (Some(format), _) => format,
            (None, Some(value)) => {
                value.parse().map_err(|()| Fault::Format { source_name: FORMAT_VARIABLE, value })?
            }
            (None, None) => Format::default(),
        };
        let ansi = std::io::stderr().is_terminal() && set("NO_COLOR").is_none();
        Ok(Self { filter, format, ansi })
    }

    /// The form of its lines.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// The layer that writes the log lines. The filter is its own, so that a quiet log leaves the
    /// own traces alone.
    pub(super) fn layer<S>(self, lines: LogLines) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let lines = lines::layer().with_writer(lines);
        match self.format {
            Format::Text => lines.with_ansi(self.ansi).with_filter(self.filter).boxed(),
            Format::Json => lines
                .json()
                .flatten_event(true)
                .with_span_list(false)
                .with_filter(self.filter)
                .boxed(),
        }
    }
}

/// Stricter than the filter's own parser in one point: that takes any bare word for the name of a
/// target, so that `verbose` would show nothing at all.
fn filter(source_name: &'static str, value: &str) -> Result<EnvFilter, Fault> {
    let fault = |reason: String| Fault::Level { source_name, value: value.to_owned(), reason };
    for directive in value.split(',').map(str::trim) {
        let bare = !directive.contains(['=', '[']);
        if bare && directive.parse::<LevelFilter>().is_err() {
            return Err(fault(format!("`{directive}` is neither a level nor target=level")));
        }
    }
    EnvFilter::builder().parse(value).map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        level_flag: Option<&str>,
        format_flag: Option<Format>,
        variables: &[(&str, &str)],
    ) -> Result<(String, Format), Fault> {
        let env = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        };
        Settings::read(level_flag, format_flag, &env)
            .map(|settings| (settings.filter.to_string(), settings.format))
    }

    #[test]
    fn the_default_is_info_as_text() {
        assert_eq!(read(None, None, &[]), Ok(("h2=error,info".into(), Format::Text)));
        let empty = [(LEVEL_VARIABLE, ""), (FORMAT_VARIABLE, "")];
        assert_eq!(read(None, None, &empty), Ok(("h2=error,info".into(), Format::Text)));
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let variables = [(LEVEL_VARIABLE, "warn"), (FORMAT_VARIABLE, "json")];
        assert_eq!(read(None, None, &variables), Ok(("warn".into(), Format::Json)));
        assert_eq!(
            read(Some("debug"), Some(Format::Text), &variables),
            Ok(("debug".into(), Format::Text))
        );
    }

    #[test]
    fn lists_of_targets_are_followed() {
        let (filter, _) = read(Some("info,redora::receive=debug"), None, &[]).unwrap();
        assert_eq!(filter, "redora::receive=debug,info");
    }

    #[test]
    fn every_bad_value_names_its_source_and_the_cure() {
        for value in ["verbose", "info,loud", "redora=loud", "=", "[{"] {
            let fault = read(None, None, &[(LEVEL_VARIABLE, value)]).unwrap_err();
            let text = fault.to_string();
            assert!(text.starts_with("REDORA_LOG: ") && text.contains(value), "{text}");
            assert!(text.contains("use off, error, warn, info, debug or trace"), "{text}");
        }
        let fault = read(Some("loud"), None, &[]).unwrap_err();
        assert!(fault.to_string().starts_with("--log-level: `loud`"), "{fault}");
        let fault = read(None, None, &[(FORMAT_VARIABLE, "xml")]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "REDORA_LOG_FORMAT: `xml` is no log format; use text or json"
        );
    }
}
