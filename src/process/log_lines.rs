//! The log's way out: a bounded queue and a thread of its own, because a write to a pipe whose
//! reader stands still blocks, and would take one thread of the agent after another with it.
//!
//! At most [`LINES_MAX`] lines wait. What does not fit is lost and counted, and the count is
//! written as soon as there is room again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::sync::oneshot;
use tracing_subscriber::fmt::MakeWriter;

/// The entrance to the queue; copies share it.
#[derive(Clone, Debug)]
pub(super) struct LogLines {
    queue: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

impl LogLines {
    /// Starts the thread that writes to `out`; `note` makes the line which says how many were lost.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        out: impl Write + Send + 'static,
        note: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, entries) = sync_channel(LINES_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let log = std::thread::Builder::new().name("redora-log".to_owned());
        let lost_too = lost.clone();
        log.spawn(move || write_all(&entries, &lost_too, out, note))?;
        Ok(Self { queue, lost })
    }

    /// Ends when everything that was logged before is written, which may be never.
    pub(super) async fn flush(&self) {
        let (written, all_written) = oneshot::channel();
        let queue = self.queue.clone();
        // Sending waits for room. It has a thread for it, since a full queue must not hold up what
        // else ends.
        let sending = tokio::task::spawn_blocking(move || queue.send(Entry::Flush(written)));
        if matches!(sending.await, Ok(Ok(()))) {
            let _ = all_written.await;
        }
    }
}

/// What waits in the queue.
#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    Flush(oneshot::Sender<()>),
}

impl MakeWriter<'_> for LogLines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Takes whole lines: the formatter writes each event at once.
impl Write for LogLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Entry::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes until the last entrance is gone. A line that cannot be written has nobody to be told to.
fn write_all(
    entries: &Receiver<Entry>,
    lost: &AtomicU64,
    mut out: impl Write,
    note: impl Fn(u64) -> String,
) {
    for entry in entries {
        match entry {
            Entry::Line(line) => {
                let _ = out.write_all(&line);
            }
            Entry::Flush(written) => {
                let _ = out.flush();
                // Whoever asked may have stopped waiting.
                let _ = written.send(());
            }
        }
        let lines = lost.swap(0, Ordering::Relaxed);
        if lines > 0 {
            let _ = out.write_all(note(lines).as_bytes());
        }
    }
}

/// Lines that wait while the reader of the log stands still: some hundred kilobytes.
const LINES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Takes a write when it is allowed to, as a pipe does whose reader stands still.
    struct Stalling {
        allowed: mpsc::Receiver<()>,
        written: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Stalling {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.allowed.recv();
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn note(lines: u64) -> String {
        format!("lost {lines} of them\n")
    }

    #[tokio::test]
    async fn a_reader_that_stands_still_loses_lines_and_is_told_how_many() {
        let (allow, allowed) = mpsc::channel();
        let (written, lines) = mpsc::channel();
        let mut log = LogLines::start(Stalling { allowed, written }, note).unwrap();
        // One line is with the writer or still waits, a queue of them waits, the rest is lost.
        let logged = LINES_MAX as u64 + 100;
        for _ in 0..logged {
            log.write_all(b"line\n").unwrap();
        }
        let lost = log.lost.load(Ordering::Relaxed);
        assert!((99..=100).contains(&lost), "{lost}");
        // From here on the reader reads.
        drop(allow);
        log.flush().await;
        drop(log);
        let text: Vec<u8> = lines.iter().flatten().collect();
        let text = String::from_utf8(text).unwrap();
        let note = note(lost);
        assert_eq!(text.matches(&note).count(), 1, "{text}");
        assert_eq!(text.matches("line\n").count() as u64, logged - lost);
    }

    #[tokio::test]
    async fn a_flush_waits_for_what_was_logged_before() {
        let (allow, allowed) = mpsc::channel();
        let (written, lines) = mpsc::channel();
        drop(allow);
        let mut log = LogLines::start(Stalling { allowed, written }, note).unwrap();
        log.write_all(b"last words\n").unwrap();
        log.flush().await;
        assert_eq!(lines.try_recv().unwrap(), b"last words\n");
    }
}
