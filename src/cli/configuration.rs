//! The configuration that `run` and `check` agree on: one way to find it and one way to complain
//! about it, so that what `check` accepts is what `run` starts.

use std::fmt;
use std::path::PathBuf;

use crate::config::{self, Config, Faults};
use crate::process;

/// Names the file for whoever cannot change the command, as in a container image.
const FILE_VARIABLE: &str = "REDORA_CONFIG";

/// A file that cannot be used, with all that is wrong with it.
#[derive(Debug)]
pub(super) struct Unusable {
    file: PathBuf,
    faults: Faults,
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.iter().count();
        let noun = if count == 1 { "fault" } else { "faults" };
        write!(out, "{count} {noun} in {}", self.file.display())?;
        for fault in self.faults.iter() {
            // At the start of a line, where editors look for FILE:LINE:COLUMN.
            write!(out, "\n{fault}")?;
        }
        Ok(())
    }
}

/// Loads the file that the flag names, else the one of `REDORA_CONFIG`, else the built-in defaults.
pub(super) fn load(flag: Option<PathBuf>) -> Result<(Option<PathBuf>, Config), Unusable> {
    let variable = || process::env(FILE_VARIABLE).filter(|name| !name.is_empty());
    let Some(file) = flag.or_else(|| variable().map(PathBuf::from)) else {
        return Ok((None, Config::defaults()));
    };
    match config::load(&file, &process::env, &config::read_file, &config::list_folder) {
        Ok(config) => Ok((Some(file), config)),
        Err(faults) => Err(Unusable { file, faults }),
    }
}
