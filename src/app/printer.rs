//! Lines for standard output, printed by a thread of their own: whoever reads them may be slow, or stop reading.
//!
//! Lines wait in memory up to a bound. Past it they are left out, counted, and the count is printed as soon as there is
//! room again; the session keeps what was left out.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Fault;
use super::output::Output;

/// How many bytes of lines may wait.
const LIMIT: usize = 16 << 20;
/// How many bytes are written at once: after each it is known that the reader still reads.
const PIECE: usize = 16 << 10;
/// At the end, a reader that takes nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the end looks whether the reader still reads.
const LOOK: Duration = Duration::from_millis(20);

/// Where lines are handed over.
pub(super) struct Printer {
    waiting: String,
    limit: usize,
    skipped: u64,
    batches: SyncSender<String>,
    end: Arc<End>,
    /// Gives word when the thread is done.
    done: Receiver<()>,
    patience: Duration,
}

/// How far the printing has come, and how it ended before its time.
#[derive(Default)]
struct End {
    pieces: AtomicU64,
    over: AtomicBool,
    fault: Mutex<Option<Fault>>,
}

impl Printer {
    /// Prints on `output`.
    pub(super) fn start(output: Output) -> Result<Self, Fault> {
        let (batches, to_print) = mpsc::sync_channel(1);
        let (finished, done) = mpsc::sync_channel(1);
        let end = Arc::new(End::default());
        let work = {
            let end = Arc::clone(&end);
            move || {
                print(output, &to_print, &end);
                drop(finished);
            }
        };
        thread::Builder::new().name("lines".to_owned()).spawn(work).map_err(Fault::Threads)?;
        Ok(Self { waiting: String::new(), limit: LIMIT, skipped: 0, batches, end, done, patience: PATIENCE })
    }

    /// Takes a line, with its line break.
    pub(super) fn line(&mut self, line: &str) {
        if self.waiting.len() + line.len() > self.limit {
            self.skipped += 1;
        } else {
            self.waiting.push_str(line);
        }
    }

    /// Hands over what waits, unless the batch before is still being printed. `skipped` words the lines that were left
    /// out.
    pub(super) fn flush(&mut self, skipped: impl FnOnce(u64) -> String) {
        if self.waiting.is_empty() {
            return;
        }
        let mut batch = std::mem::take(&mut self.waiting);
        let lines = batch.len();
        if self.skipped > 0 {
            batch.push_str(&skipped(self.skipped));
        }
        match self.batches.try_send(batch) {
            Ok(()) => self.skipped = 0,
            Err(TrySendError::Full(mut batch)) => {
                batch.truncate(lines);
                self.waiting = batch;
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    /// Whether nothing more can be printed: the reader has left, or the system refuses.
    pub(super) fn is_over(&self) -> bool {
        self.end.over.load(Ordering::Relaxed)
    }

    /// Prints the rest for as long as somebody reads, and says what went wrong, if anything did. A reader that left is
    /// nothing wrong.
    pub(super) fn close(self) -> Result<Rest, Fault> {
        let mut waiting = Some((self.batches, self.waiting));
        let mut seen = (self.end.pieces.load(Ordering::Relaxed), Instant::now());
        loop {
            waiting = waiting.take().and_then(|(batches, rest)| match batches.try_send(rest) {
                Err(TrySendError::Full(rest)) => Some((batches, rest)),
                Ok(()) | Err(TrySendError::Disconnected(_)) => None,
            });
            if self.done.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
            let pieces = self.end.pieces.load(Ordering::Relaxed);
            if pieces != seen.0 {
                seen = (pieces, Instant::now());
            } else if seen.1.elapsed() > self.patience {
                return Ok(Rest::Unread);
            }
        }
        let fault = self.end.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(Rest::Printed), Err)
    }
}

/// What became of the last lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// They were printed, or their reader has left.
    Printed,
    /// Their reader stands still; they were given up.
    Unread,
}

fn print(mut output: Output, batches: &Receiver<String>, end: &End) {
    for batch in batches {
        let mut pieces = batch.as_bytes().chunks(PIECE);
        let printed = pieces.try_for_each(|piece| {
            output.write_all(piece)?;
            end.pieces.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        if let Err(error) = printed.and_then(|()| output.flush()) {
            *end.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(Fault::Output(error));
            end.over.store(true, Ordering::Relaxed);
            return;
        }
        if output.is_left() {
            end.over.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc::Sender;

    use super::*;

    /// A reader that takes one batch for each permission.
    struct Reader {
        permissions: Receiver<()>,
        read: Sender<String>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.permissions.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.read.send(String::from_utf8(bytes.to_vec()).unwrap()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[allow(clippy::disallowed_methods)] // a handful of test messages
    fn printer() -> (Printer, Sender<()>, Receiver<String>) {
        let ((permit, permissions), (read, batches)) = (mpsc::channel(), mpsc::channel());
        let printer = Printer::start(Output::over(Box::new(Reader { permissions, read }))).unwrap();
        (printer, permit, batches)
    }

    fn skipped(lines: u64) -> String {
        format!("{lines} skipped\n")
    }

    #[test]
    fn lines_that_wait_are_printed_in_order_and_at_the_end() {
        let (mut printer, permit, read) = printer();
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            printer.line(line);
            printer.flush(skipped);
        }
        for _ in 0..4 {
            permit.send(()).unwrap();
        }
        printer.close().unwrap();
        assert_eq!(read.iter().collect::<String>(), "one\ntwo\nthree\nfour\n");
    }

    #[test]
    fn a_reader_that_stands_still_does_not_hold_up_the_end() {
        let (mut printer, _permit, _read) = printer();
        printer.patience = Duration::from_millis(50);
        printer.line("one\n");
        printer.flush(skipped);
        printer.line("two\n");
        assert_eq!(printer.close().unwrap(), Rest::Unread);
    }

    #[test]
    fn lines_for_a_reader_that_stands_still_are_counted_and_the_count_is_printed() {
        let (mut printer, permit, read) = printer();
        printer.limit = 8;
        // The first batch is being printed, the second lies in the channel, the third waits until it is too long.
        let mut handed_over = 0;
        while handed_over < 2 {
            if printer.waiting.is_empty() {
                printer.line("line\n");
            }
            printer.flush(skipped);
            handed_over += u32::from(printer.waiting.is_empty());
            thread::yield_now();
        }
        for line in ["wait\n", "lost\n", "lost\n"] {
            printer.line(line);
            printer.flush(skipped);
        }
        assert_eq!((printer.waiting.as_str(), printer.skipped), ("wait\n", 2));
        permit.send(()).unwrap();
        assert_eq!(read.recv().unwrap(), "line\n");
        while printer.skipped > 0 {
            printer.flush(skipped);
            thread::yield_now();
        }
        permit.send(()).unwrap();
        permit.send(()).unwrap();
        printer.close().unwrap();
        assert_eq!(read.iter().collect::<String>(), "line\nwait\n2 skipped\n");
    }

    #[test]
    fn a_reader_that_left_ends_the_printing_without_a_fault() {
        let (mut printer, permit, _read) = printer();
        drop(permit);
        printer.line("line\n");
        printer.flush(skipped);
        while !printer.is_over() {
            thread::yield_now();
        }
        printer.close().unwrap();
    }
}
