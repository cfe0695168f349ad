//! Everything that happens to a log, done to real files; what was read is compared with what was
//! written.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A log and a reader that follows it.
struct Followed {
    folder: TempDir,
    cursor: Option<Cursor>,
    bytes_max: u64,
}

impl Followed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, cursor: None, bytes_max: 1 << 20 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, bytes: impl AsRef<[u8]>) {
        let mut file =
            OpenOptions::new().append(true).create(true).open(self.path("log")).expect("opens");
        file.write_all(bytes.as_ref()).expect("written");
    }

    fn rename(&self, to: &str) {
        fs::rename(self.path("log"), self.path(to)).expect("renamed");
    }

    fn copy_and_empty(&self, to: &str) {
        fs::copy(self.path("log"), self.path(to)).expect("copied");
        File::create(self.path("log")).expect("emptied");
    }

    /// One step, as words: the number and bytes of each line, `…` before an unended one.
    fn step(&mut self) -> (Vec<String>, Step) {
        let mut lines = Vec::new();
        let path = self.path("log");
        let step = step(&path, self.cursor.as_ref(), self.bytes_max, |number, line| {
            lines.push(match line {
                Line::Whole(bytes) => format!("{number} {}", String::from_utf8_lossy(bytes)),
                Line::Unended(bytes) => format!("{number} …{}", String::from_utf8_lossy(bytes)),
                Line::TooLong => format!("{number} too long"),
            });
        })
        .expect("readable");
        self.cursor = Some(step.cursor.clone());
        (lines, step)
    }

    /// Steps until there is no more, and checks the lines and whether there was a gap.
    #[track_caller]
    fn check(&mut self, expected: &[&str], gap: bool) {
        let (mut lines, mut gaps) = (Vec::new(), false);
        for _ in 0..1000 {
            let (some, step) = self.step();
            lines.extend(some);
            gaps |= step.gap;
            if !step.more {
                assert_eq!(
                    (lines, gaps),
                    (expected.iter().map(ToString::to_string).collect(), gap)
                );
                return;
            }
        }
        panic!("no end: {lines:?}");
    }
}

#[test]
fn a_growing_file_is_read_on_where_it_was_left() {
    let mut log = Followed::new();
    log.append("a\nb\n");
    log.check(&["1 a", "2 b"], false);
    log.check(&[], false);
    log.append("c");
    log.check(&["3 …c"], false);
    log.append("d");
    log.check(&["3 …cd"], false);
    log.append("\r\n\ne\n");
    log.check(&["3 cd\r", "4 ", "5 e"], false);
}

#[test]
fn a_step_is_bounded_by_bytes_and_lines_and_still_gets_on() {
    let mut log = Followed::new();
    log.bytes_max = 1;
    log.append("aaaa\nbbbb\n");
    let (lines, step) = log.step();
    assert_eq!((lines, step.more), (vec!["1 aaaa".to_owned()], true));
    log.check(&["2 bbbb"], false);

    log.bytes_max = u64::MAX;
    log.append("\n".repeat(LINES_MAX as usize + 3));
    let (lines, step) = log.step();
    assert_eq!((lines.len() as u64, step.more), (LINES_MAX, true));
    assert_eq!(log.step().0.len(), 3);
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
    let mut log = Followed::new();
    log.append("a\nb\n");
    log.check(&["1 a", "2 b"], false);
    log.append("c\nno newline");
    log.rename("log.1");
    log.check(&["3 c", "4 …no newline"], false);
    log.append("d\n");
    log.check(&["4 no newline", "1 d"], false);
    log.check(&[], false);
}

#[test]
fn several_rotations_between_two_steps_are_all_read() {
    for names in [["log-20240301", "log-20240302", "log-20240303"], ["log.3", "log.2", "log.1"]] {
        let mut log = Followed::new();
        log.append("a\n");
        log.check(&["1 a"], false);
        for (name, text) in names.iter().zip(["b\n", "c\n", "d\n"]) {
            log.append(text);
            log.rename(name);
        }
        log.append("e\n");
        fs::write(log.path("log.bak"), "no rotation\n").expect("written");
        log.check(&["2 b", "1 c", "1 d", "1 e"], false);
    }
}

#[test]
fn a_file_that_was_rotated_before_its_first_line_was_read_is_read() {
    let mut log = Followed::new();
    log.append("");
    log.check(&[], false);
    log.append("a\n");
    log.rename("log.1");
    log.append("b\n");
    log.check(&["1 a", "1 b"], false);
}

#[test]
fn a_copy_of_an_emptied_file_is_read_to_its_end_first() {
    let mut log = Followed::new();
    log.append("a\nb\n");
    log.check(&["1 a", "2 b"], false);
    log.append("c\n");
    log.copy_and_empty("log.1");
    log.check(&["3 c"], false);
    log.append("d\n");
    log.check(&["1 d"], false);
}

#[test]
fn a_file_that_is_emptied_while_it_is_read_is_read_again_from_its_copy() {
    let mut log = Followed::new();
    let emptied_in_a_step = |log: &mut Followed, text: &str| {
        log.append(text);
        let mut lines = 0;
        let read = step(&log.path("log"), log.cursor.as_ref(), 1, |_, _| {
            log.copy_and_empty("log.1");
            lines += 1;
        })
        .expect("readable");
        log.cursor = Some(read.cursor);
        (lines, read.gap)
    };
    log.append("a\n");
    log.check(&["1 a"], false);
    assert_eq!(emptied_in_a_step(&mut log, "b\nc\n"), (1, false));
    log.check(&["2 b", "3 c"], false);

    let mut log = Followed::new();
    assert_eq!(emptied_in_a_step(&mut log, "a\nb\n"), (1, true), "nothing tells the copy");
}

#[test]
fn a_file_that_was_emptied_or_replaced_without_a_trace_is_a_gap() {
    let mut log = Followed::new();
    log.append("a\nb\n");
    log.check(&["1 a", "2 b"], false);
    fs::write(log.path("log"), "c\n").expect("replaced");
    log.check(&["1 c"], true);
    fs::write(log.path("log"), "x\ny\nz\n").expect("replaced by a longer one");
    log.check(&["1 x", "2 y", "3 z"], true);
    File::create(log.path("log")).expect("emptied");
    log.check(&[], true);
    log.check(&[], false);
}

#[test]
fn a_compressed_part_between_is_a_gap() {
    let mut log = Followed::new();
    log.append("a\n");
    log.check(&["1 a"], false);
    log.rename("log-1");
    fs::write(log.path("log-2.gz"), "lines that nobody undoes").expect("written");
    log.append("c\n");
    log.check(&["1 c"], true);
}

#[test]
fn what_is_left_after_a_lost_file_is_read_from_the_oldest() {
    let mut log = Followed::new();
    log.append("a\n");
    log.check(&["1 a"], false);
    fs::remove_file(log.path("log")).expect("own file");
    fs::write(log.path("log-20240301.gz"), "the lost one").expect("written");
    fs::write(log.path("log-20240302"), "b\n").expect("written");
    fs::write(log.path("log-20240303"), "").expect("written");
    fs::write(log.path("log-20240304"), "c\n").expect("written");
    log.append("d\n");
    log.check(&["1 b", "1 c", "1 d"], true);
    log.check(&[], false);
}

#[test]
fn a_line_that_is_too_long_is_passed_over_wherever_a_step_ends_in_it() {
    let mut log = Followed::new();
    let long = "x".repeat(LINE_BYTES_MAX as usize + 1);
    log.append(format!("a\n{long}"));
    log.check(&["1 a", "2 too long"], false);
    log.append(long.repeat(2));
    log.check(&[], false);
    log.append(format!("\nb\n{}\nc\n", &long[1..]));
    log.bytes_max = u64::MAX;
    let (lines, _) = log.step();
    assert_eq!((lines.len(), lines[0].as_str(), lines[2].as_str()), (3, "3 b", "5 c"));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let mut log = Followed::new();
    log.append("\u{feff}a");
    log.check(&["1 …a"], false);
    log.append("\n\u{feff}b\n");
    log.check(&["1 a", "2 \u{feff}b"], false);
}

#[test]
fn what_cannot_be_followed_says_what_to_do() {
    let mut log = Followed::new();
    let fault = |log: &Followed, name: &str| {
        let read = step(&log.path(name), log.cursor.as_ref(), 1, |_, _| {});
        read.expect_err("not readable").to_string()
    };
    assert!(fault(&log, "log").contains("does not exist; it is read as soon as it does"));
    assert!(fault(&log, ".").contains("no regular file"));
    log.append("a\n");
    log.check(&["1 a"], false);
    fs::set_permissions(log.path("log"), fs::Permissions::from_mode(0o0)).expect("own file");
    if File::open(log.path("log")).is_err() {
        assert!(fault(&log, "log").contains("may this user read it"));
    }
    fs::remove_file(log.path("log")).expect("own file");
    assert!(fault(&log, "log").contains("does not exist"));
    log.append("b\n");
    log.check(&["1 b"], true);
}

#[test]
fn a_place_survives_being_stored() {
    let mut log = Followed::new();
    log.append("a\n");
    log.check(&["1 a"], false);
    let text = serde_json::to_string(&log.cursor).expect("JSON");
    log.cursor = serde_json::from_str(&text).expect("a cursor");
    log.check(&[], false);
}
