//! Standard output: the one place that writes to it.

use std::io::{self, BufWriter, ErrorKind, Write};

use super::Fault;

/// Standard output. Whoever read it may leave (`authtap explain | head`): then what comes is swallowed, quietly.
pub(super) struct Output {
    stream: BufWriter<Box<dyn Write + Send>>,
    left: bool,
}

impl Output {
    #[allow(clippy::disallowed_methods)] // The one place that owns standard output.
    pub(super) fn standard() -> Self {
        Self::over(Box::new(io::stdout()))
    }

    /// Something that stands for standard output.
    pub(super) fn over(stream: Box<dyn Write + Send>) -> Self {
        Self { stream: BufWriter::with_capacity(64 * 1024, stream), left: false }
    }

    /// Writes a whole page.
    pub(super) fn page(&mut self, page: &str) -> Result<(), Fault> {
        self.write_all(page.as_bytes()).and_then(|()| self.flush()).map_err(Fault::Output)
    }

    /// Whether the reader has left.
    pub(super) const fn is_left(&self) -> bool {
        self.left
    }

    fn quietly<T>(&mut self, done: io::Result<T>, swallowed: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.left = true;
                Ok(swallowed)
            }
            other => other,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left {
            return Ok(bytes.len());
        }
        let done = self.stream.write(bytes);
        self.quietly(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.left {
            return Ok(());
        }
        let done = self.stream.flush();
        self.quietly(done, ())
    }
}
