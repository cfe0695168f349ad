//! Where progress is shown: lines that redraw on a terminal, a line now and then elsewhere. Three
//! codes that every terminal has, so no package has to know terminals for this.

use std::collections::BTreeMap;

use super::rows::time;
use crate::app::delivery::{Left, Progress, text};

/// What is shown, and when it was.
pub(super) struct Screen {
    is_terminal: bool,
    sources: BTreeMap<String, Shown>,
    /// How many lines the last page had.
    lines: usize,
    began_ms: u64,
}

struct Shown {
    progress: Progress,
    /// When it had a line, where lines stay.
    at_ms: u64,
}

impl Screen {
    pub(super) fn new(is_terminal: bool, now_ms: u64) -> Self {
        Self { is_terminal, sources: BTreeMap::new(), lines: 0, began_ms: now_ms }
    }

    /// What is to be written for a step of a source.
    pub(super) fn show(&mut self, progress: &Progress, now_ms: u64) -> String {
        let (name, began_ms) = (progress.source.clone(), self.began_ms);
        let shown = self.sources.entry(name);
        let shown = shown.or_insert(Shown { progress: Progress::default(), at_ms: began_ms });
        let is_new_wait = progress.waits.is_some() && progress.waits != shown.progress.waits;
        shown.progress.clone_from(progress);
        if self.is_terminal {
            return self.redrawn();
        }
        let is_due = now_ms.saturating_sub(shown.at_ms) >= BETWEEN_MS && !progress.is_over;
        if !is_new_wait && !is_due {
            return String::new();
        }
        shown.at_ms = now_ms;
        line(progress) + "\n"
    }

    fn redrawn(&mut self) -> String {
        // Back to the first line of the last page, and nothing below it; lines that are too long
        // are cut, for a line that wraps would be two on the way back.
        let mut page = match self.lines {
            0 => "\x1b[?7l".to_owned(),
            lines => format!("\x1b[?7l\x1b[{lines}A\r\x1b[J"),
        };
        let all = self.sources.values().map(|shown| &shown.progress);
        let (over, read): (Vec<_>, Vec<_>) = all.partition(|progress| progress.is_over);
        self.lines = 0;
        let mut put = |line: String| {
            page.push_str(&line);
            page.push('\n');
            self.lines += 1;
        };
        for progress in read.iter().take(LINES_MAX) {
            put(line(progress));
        }
        if read.len() > LINES_MAX {
            put(format!("and {} sources more", read.len() - LINES_MAX));
        }
        if !over.is_empty() && !read.is_empty() {
            put(format!("done: {}", over.len()));
        }
        page + "\x1b[?7h"
    }
}

fn line(progress: &Progress) -> String {
    let Progress { source, fresh, requests, waits, read, left, .. } = progress;
    let come = match left {
        Some(Left { objects, at_most, percent, eta_ms }) => {
            let of = if *at_most { "of at most" } else { "of" };
            let rest = time((*eta_ms).div_ceil(1_000) as f64);
            format!("{read} {of} {} read, {percent} %, {rest} left", read + objects)
        }
        None => format!("{fresh} facts, {requests} requests"),
    };
    match waits {
        Some((why, until_ms)) => {
            format!("{source}: {come}; waits until {}: {why}", text(*until_ms))
        }
        None => format!("{source}: {come}"),
    }
}

/// A log of an hour has some hundred lines, and one that is watched moves.
const BETWEEN_MS: u64 = 10_000;
/// What a terminal shows without scrolling, where lines could not be drawn again.
const LINES_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(source: &str, read: u64) -> Progress {
        let left = Left { objects: 1_000 - read, at_most: false, percent: 7, eta_ms: 90_000 };
        Progress { source: source.to_owned(), read, left: Some(left), ..Progress::default() }
    }

    #[test]
    fn elsewhere_a_source_has_a_line_in_ten_seconds_and_one_for_each_wait() {
        let mut screen = Screen::new(false, 1_000);
        assert_eq!(screen.show(&progress("a", 1), 2_000), "");
        let expected = "a: 2 of 1000 read, 7 %, 90 s left\n";
        assert_eq!(screen.show(&progress("a", 2), 11_000), expected);
        assert_eq!(screen.show(&progress("a", 3), 20_999), "");
        assert!(screen.show(&progress("b", 4), 21_000).starts_with("b: 4 of 1000"));
        let waits = Some(("used up".to_owned(), 3_600_000));
        let waiting = Progress { waits, ..progress("a", 3) };
        let said = screen.show(&waiting, 21_000);
        let expected =
            "a: 3 of 1000 read, 7 %, 90 s left; waits until 1970-01-01T01:00:00Z: used up\n";
        assert_eq!(said, expected);
        assert_eq!(screen.show(&waiting, 22_000), "", "the same wait");
        let over = Progress { is_over: true, ..progress("a", 9) };
        assert_eq!(screen.show(&over, 99_000), "", "its end is told on stdout");
    }

    #[test]
    fn a_source_that_tells_no_size_shows_what_came() {
        let mut screen = Screen::new(false, 0);
        let unsized_ = Progress { left: None, fresh: 5, requests: 2, ..progress("a", 1) };
        assert_eq!(screen.show(&unsized_, 10_000), "a: 5 facts, 2 requests\n");
        let left = Left { at_most: true, ..unsized_.left.unwrap_or_default() };
        let bound = Progress { left: Some(left), ..unsized_ };
        assert_eq!(screen.show(&bound, 20_000), "a: 1 of at most 1 read, 0 %, 0 s left\n");
    }

    #[test]
    fn a_terminal_shows_what_is_being_read_on_lines_that_stay() {
        let mut screen = Screen::new(true, 0);
        let first = screen.show(&progress("a", 1), 0);
        assert_eq!(first, "\x1b[?7la: 1 of 1000 read, 7 %, 90 s left\n\x1b[?7h");
        let second = screen.show(&progress("b", 2), 0);
        assert!(second.starts_with("\x1b[?7l\x1b[1A\r\x1b[J"), "{second:?}");
        assert_eq!(second.lines().count(), 3);
        let over = Progress { is_over: true, ..progress("a", 9) };
        let third = screen.show(&over, 0);
        assert!(third.starts_with("\x1b[?7l\x1b[2A"), "{third:?}");
        assert!(third.contains("b: 2 of 1000") && third.contains("done: 1"));
        for number in 0..99 {
            screen.show(&progress(&format!("c{number}"), 1), 0);
        }
        assert_eq!(screen.lines, LINES_MAX + 2, "no more than can be drawn again");
    }
}
