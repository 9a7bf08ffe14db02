//! A real terminal: tmux, driven through its control mode, which says when something was drawn.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Output, Process, Workshop};

/// A terminal of a fixed size with one program in it. Dropping it ends both.
pub(crate) struct Terminal {
    control: Process,
    socket: String,
}

impl Terminal {
    /// Runs authtap with `arguments` in a terminal of `columns` by `rows`.
    pub(crate) fn start(workshop: &Workshop, columns: u16, rows: u16, arguments: &[&str]) -> Self {
        // A server of its own for each: one that is about to end takes no new session.
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let socket = workshop.path(&format!("tmux{number}")).to_string_lossy().into_owned();
        let program = workshop.authtap(arguments);
        let mut words = vec![quoted(&program.get_program().to_string_lossy())];
        words.extend(program.get_args().map(|argument| quoted(&argument.to_string_lossy())));
        let mut start = Command::new("tmux");
        start.args(["-S", &socket, "-f", "/dev/null", "new-session", "-d", "-P"]);
        start.args(["-x", &columns.to_string(), "-y", &rows.to_string()]);
        for (name, value) in workshop.environment() {
            start.env(name, &value).arg("-e").arg(format!("{name}={}", value.display()));
        }
        // The program's exit code is shown and the terminal kept, so that what it left behind can be looked at.
        start.arg(format!("{}; echo \"ended with $?\"; read -r _", words.join(" ")));
        start.args([";", "set-option", "-g", "window-size", "manual"]);
        let started = start.env_remove("TMUX").output().unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        let mut attach = Command::new("tmux");
        attach.args(["-S", &socket, "-u", "-C", "attach"]).stdin(Stdio::piped()).env_remove("TMUX");
        Self { control: Process::start(&mut attach), socket }
    }

    /// Sends keys by tmux's names for them: `Down`, `F12`, `q`.
    pub(crate) fn press(&mut self, key: &str) {
        self.command(&format!("send-keys {key}"));
    }

    /// Types text as it is.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.command(&format!("send-keys -l {}", quoted(text)));
    }

    /// Waits until the screen is as `wanted`, and gives it.
    pub(crate) fn screen(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let screen = self.command("capture-pane -p");
            if wanted(&screen) {
                return screen;
            }
            // Something new is drawn before the screen can be any different.
            match next_drawing(&self.control.stdout) {
                Some(()) => {}
                None => panic!("the terminal ended before it showed {what}:\n{screen}"),
            }
        }
    }

    /// Runs one tmux command and gives its output.
    fn command(&mut self, command: &str) -> String {
        // The marker tells our answer from that to an earlier command.
        writeln!(self.control.stdin(), "display-message -p answer-follows ; {command}").unwrap();
        let output = &self.control.stdout;
        output.find("an answer", |line| (line == "answer-follows").then_some(()));
        let begin = output.find("an answer", |line| line.strip_prefix("%begin ").map(str::to_owned));
        let mut answer = String::new();
        let end = output.find("an answer", |line| match line.strip_prefix("%end ") {
            Some(number) if number == begin => Some(true),
            _ if line.strip_prefix("%error ") == Some(&begin) => Some(false),
            _ => {
                answer.push_str(line);
                answer.push('\n');
                None
            }
        });
        assert!(end, "tmux refused `{command}`: {answer}");
        answer
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-S", &self.socket, "kill-server"]).output();
    }
}

fn next_drawing(output: &Output) -> Option<()> {
    while let Some(line) = output.next() {
        if line.starts_with("%output") {
            return Some(());
        }
        if line.starts_with("%exit") {
            return None;
        }
    }
    None
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
