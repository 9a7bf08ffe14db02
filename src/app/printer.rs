//! Lines for standard output, printed by a thread of their own: whoever reads them may be slow, or stop reading.
//!
//! Lines wait in memory up to a bound. Past it they are left out, counted, and the count is printed as soon as there is
//! room again; the session keeps what was left out.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::Fault;
use super::output::Output;

/// How many bytes of lines may wait.
const LIMIT: usize = 16 << 20;

/// Where lines are handed over.
pub(super) struct Printer {
    waiting: String,
    limit: usize,
    skipped: u64,
    batches: SyncSender<String>,
    end: Arc<End>,
    thread: JoinHandle<()>,
}

/// How the printing ended before its time.
#[derive(Default)]
struct End {
    over: AtomicBool,
    fault: Mutex<Option<Fault>>,
}

impl Printer {
    /// Prints on `output`.
    pub(super) fn start(output: Output) -> Result<Self, Fault> {
        let (batches, to_print) = mpsc::sync_channel(1);
        let end = Arc::new(End::default());
        let thread = {
            let end = Arc::clone(&end);
            let work = move || print(output, &to_print, &end);
            thread::Builder::new().name("lines".to_owned()).spawn(work).map_err(Fault::Threads)?
        };
        Ok(Self { waiting: String::new(), limit: LIMIT, skipped: 0, batches, end, thread })
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

    /// Prints the rest and says what went wrong, if anything did. A reader that left is nothing wrong.
    pub(super) fn close(self) -> Result<(), Fault> {
        let _ = self.batches.send(self.waiting);
        drop(self.batches);
        let _ = self.thread.join();
        self.end.fault.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

fn print(mut output: Output, batches: &Receiver<String>, end: &End) {
    for batch in batches {
        let printed = output.write_all(batch.as_bytes()).and_then(|()| output.flush());
        if let Err(error) = printed {
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
