//! A child process that ends with the test, and whose output is read line by line as it comes.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::DEADLINE;

/// A running program. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl Process {
    /// Starts `command` with both outputs read in the background.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let stdout = Output::of(child.stdout.take().unwrap());
        let stderr = Output::of(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the process's standard input is connected to, where it is a pipe.
    pub(crate) fn stdin(&mut self) -> &mut std::process::ChildStdin {
        self.child.stdin.as_mut().unwrap()
    }

    /// Sends `signal`, by its name without SIG.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Waits for the end of the process, which shows as the end of its outputs.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let before = Instant::now() + DEADLINE;
        while self.stdout.next_before(before).is_some() {}
        while self.stderr.next_before(before).is_some() {}
        self.child.wait().unwrap()
    }

    /// Ends the process at once, without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One output of a process.
pub(crate) struct Output {
    lines: Receiver<Vec<u8>>,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Output {
    fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let copy = Arc::clone(&seen);
        thread::spawn(move || read_lines(source, &sender, &copy));
        Self { lines, seen }
    }

    /// The next line without its line break; nothing at the end of the output.
    pub(crate) fn next(&self) -> Option<String> {
        self.next_before(Instant::now() + DEADLINE)
    }

    /// The first of the coming lines that `wanted` makes something of.
    pub(crate) fn find<T>(&self, what: &str, mut wanted: impl FnMut(&str) -> Option<T>) -> T {
        let before = Instant::now() + DEADLINE;
        while let Some(line) = self.next_before(before) {
            if let Some(found) = wanted(&line) {
                return found;
            }
        }
        panic!("the output ended before {what}:\n{}", String::from_utf8_lossy(&self.bytes()));
    }

    /// Everything so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen.lock().unwrap().clone()
    }

    fn next_before(&self, before: Instant) -> Option<String> {
        match self.lines.recv_timeout(before.saturating_duration_since(Instant::now())) {
            Ok(line) => Some(String::from_utf8_lossy(&line).into_owned()),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("nothing more came in time after:\n{}", String::from_utf8_lossy(&self.bytes()))
            }
        }
    }
}

fn read_lines(source: impl Read, lines: &Sender<Vec<u8>>, seen: &Mutex<Vec<u8>>) {
    let mut source = BufReader::new(source);
    loop {
        let mut line = Vec::new();
        match source.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => seen.lock().unwrap().extend_from_slice(&line),
        }
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        let _ = lines.send(line);
    }
}
