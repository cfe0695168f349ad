//! Facts as JSON lines, the form of `redora dora export` and `import`: the way out of a ledger and
//! into another, and for sources that nobody has written yet.
//!
//! Format: one [`Fact`] a line in UTF-8, at most [`LINE_BYTES_MAX`] bytes; blank lines are passed
//! over. Lines are numbered from 1, the blank ones too.

use std::io::{self, BufRead, Read};

use redora_model::fact::Fact;

/// What stands on a line.
#[derive(Debug)]
pub enum Line {
    /// A fact.
    Fact(Box<Fact>),
    /// Something else, which is set aside.
    Bad(BadLine),
}

/// A line that is no fact.
#[derive(Debug, thiserror::Error)]
#[error("line {number}: {fault}")]
pub struct BadLine {
    /// Its number, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub fault: LineFault,
}

/// Why a line is no fact.
#[derive(Debug, thiserror::Error)]
pub enum LineFault {
    /// It is longer than any fact.
    #[error("longer than {LINE_BYTES_MAX} bytes; is this a file of one fact a line?")]
    TooLong,
    /// It is no JSON, or not the JSON of a fact.
    #[error("no fact: {0}; `redora dora export` shows the form")]
    Json(#[from] serde_json::Error),
    /// It names no source or no id, by which versions of a fact are told.
    #[error("a fact needs a source and an id that are not empty")]
    Nameless,
}

/// Reads lines to the end and hands each to `on_line`, in order.
///
/// # Errors
/// The input cannot be read any further; what came before was handed over.
pub fn read(mut input: impl BufRead, mut on_line: impl FnMut(Line)) -> io::Result<()> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        input.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        let whole = bytes.len() as u64 <= LINE_BYTES_MAX;
        if !whole && bytes.last() != Some(&b'\n') {
            input.skip_until(b'\n')?;
        }
        let line = if whole { parse(&bytes) } else { Err(LineFault::TooLong) };
        match line {
            Ok(None) => {}
            Ok(Some(fact)) => on_line(Line::Fact(fact)),
            Err(fault) => on_line(Line::Bad(BadLine { number, fault })),
        }
    }
    Ok(())
}

fn parse(line: &[u8]) -> Result<Option<Box<Fact>>, LineFault> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let fact: Box<Fact> = serde_json::from_slice(line)?;
    if fact.source.is_empty() || fact.id.is_empty() {
        return Err(LineFault::Nameless);
    }
    Ok(Some(fact))
}

/// A pull request of some thousand commits; a longer line is another kind of file.
pub const LINE_BYTES_MAX: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"source":"s","id":"1","as_of_ms":0,"sighting":{"service":"a","environment":"b","first_ms":1,"last_ms":2}}"#;

    fn check(input: &[u8], facts: usize, bad: &[(u64, &str)]) {
        let (mut seen, mut faults) = (0, Vec::new());
        read(input, |line| match line {
            Line::Fact(_) => seen += 1,
            Line::Bad(bad) => faults.push((bad.number, bad.fault.to_string())),
        })
        .expect("a slice is readable");
        assert_eq!((seen, faults.len()), (facts, bad.len()), "{faults:?}");
        for ((number, fault), (expected, words)) in faults.iter().zip(bad) {
            assert_eq!(number, expected, "{fault}");
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn every_form_of_a_file_is_read() {
        check(b"", 0, &[]);
        check(GOOD.as_bytes(), 1, &[]);
        check(format!("{GOOD}\r\n\n  \n{GOOD}\n").as_bytes(), 2, &[]);
    }

    #[test]
    fn a_bad_line_is_set_aside_by_its_number_and_the_rest_goes_on() {
        let long = "x".repeat(LINE_BYTES_MAX as usize + 5);
        let nameless = GOOD.replace(r#""id":"1""#, r#""id":"""#);
        let text = format!("{GOOD}\nno fact\n{long}\n\n{nameless}\n{GOOD}\n{{}}");
        let bad = [(2, "no fact"), (3, "longer than"), (5, "not empty"), (7, "missing field")];
        check(text.as_bytes(), 2, &bad);
        check(b"\xff\xfe\n", 0, &[(1, "no fact")]);
        check(format!("{}\n{GOOD}", "y".repeat(1 << 20)).as_bytes(), 1, &[(1, "longer than")]);
    }
}
