//! `redora slo import`: files of other tools into one of redora's, with a word on stderr for
//! whatever did not come along.

use std::path::Path;

use super::super::args::SloImportOptions;
use super::super::outcome::{self, Outcome};
use crate::config::{self, Faults};
use crate::process;

/// Converts the files and writes what came of them.
pub(super) fn import(options: &SloImportOptions) -> Outcome {
    let imported = match config::import(&options.files, &config::read_file) {
        Ok(imported) => imported,
        Err(faults) => {
            outcome::complain(&format_args!("nothing was converted\n{faults}"));
            return Outcome::Wrong;
        }
    };
    for note in &imported.notes {
        outcome::tell(note);
    }
    if !imported.faults.is_empty() {
        // At the start of a line, where editors look for FILE:LINE:COLUMN.
        let faults = Faults(imported.faults.clone());
        outcome::complain(&format_args!("not everything was converted\n{faults}"));
    }
    let written = if options.out == Path::new("-") {
        outcome::print(imported.text.as_bytes())
    } else {
        match process::save_whole(&options.out, imported.text.as_bytes()) {
            Ok(()) => Outcome::Done,
            Err(error) => {
                outcome::complain(&format_args!("{}: {error}", options.out.display()));
                Outcome::Failed
            }
        }
    };
    if imported.faults.is_empty() { written } else { written.max(Outcome::Failed) }
}
