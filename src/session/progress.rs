//! How far a long reading has come, and how to end it early. Shared between who reads and who looks on.

use std::fmt;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How far a reading has come. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    done: AtomicU64,
    total: AtomicU64,
    turn: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// What has been read, in units of [`Progress::total`].
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed).min(self.total())
    }

    /// How much there is to read; 0 until that is known.
    pub fn total(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }

    /// What follows is told of for itself.
    pub fn begin_anew(&self) {
        self.0.done.store(0, Ordering::Relaxed);
        self.0.total.store(0, Ordering::Relaxed);
        self.0.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was begun anew.
    pub fn turn(&self) -> u64 {
        self.0.turn.load(Ordering::Relaxed)
    }

    /// Ends the reading: what is asked for next is answered with [`SessionError::Cancelled`](super::SessionError).
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// There is so much more to read.
    pub fn expect(&self, total: u64) {
        self.0.total.fetch_add(total, Ordering::Relaxed);
    }

    /// So much more was read.
    pub fn advance(&self, by: u64) {
        self.0.done.fetch_add(by, Ordering::Relaxed);
    }
}

/// Why a counted reading gives no more.
#[derive(Debug)]
pub(super) struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// A reading that counts what goes through it, and fails once it is cancelled.
pub(super) struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R, progress: &Progress) -> Self {
        Self { inner, progress: progress.clone() }
    }

    fn check(&self) -> io::Result<()> {
        if self.progress.is_cancelled() { Err(io::Error::other(Cancelled)) } else { Ok(()) }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let read = self.inner.read(into)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, used: usize) {
        self.progress.advance(used as u64);
        self.inner.consume(used);
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_through_is_counted_until_it_is_cancelled() {
        let progress = Progress::default();
        progress.expect(10);
        let mut counted = Counted::new(&b"0123456789"[..], &progress);
        let mut four = [0; 4];
        counted.read_exact(&mut four).unwrap();
        assert_eq!((progress.done(), progress.total()), (4, 10));
        progress.begin_anew();
        assert_eq!((progress.done(), progress.total(), progress.turn()), (0, 0, 1));
        progress.cancel();
        assert!(counted.read(&mut four).is_err() && counted.fill_buf().is_err());
    }
}
