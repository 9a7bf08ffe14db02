//! The program under test, in a folder of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{Authority, Process};

/// A folder for everything one test leaves behind: authtap's data, sessions, and the CA of the test's servers.
pub(crate) struct Workshop {
    folder: TempDir,
    pub(crate) authority: Authority,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        Self { folder, authority }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a certificate for `names` and its key into the folder, both PEM, and says where they are.
    pub(crate) fn certificate(&self, names: &[&str]) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.authority.leaf(names);
        let files = (self.path("leaf.pem"), self.path("leaf.key"));
        fs::write(&files.0, certificate).unwrap();
        fs::write(&files.1, key).unwrap();
        files
    }

    /// The built program, which finds its user's folders inside this one.
    pub(crate) fn authtap(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_authtap"));
        command.args(arguments).stdin(Stdio::null());
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command
    }

    /// What makes the program keep to this folder, and speak English.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 10] {
        let home = self.path("home");
        [
            ("HOME", home.clone()),
            ("XDG_DATA_HOME", home.join("data")),
            ("XDG_STATE_HOME", home.join("state")),
            ("XDG_CONFIG_HOME", home.join("config")),
            ("XDG_CACHE_HOME", home.join("cache")),
            ("LANG", PathBuf::from("C.UTF-8")),
            ("LC_ALL", PathBuf::from("C.UTF-8")),
            ("AUTHTAP_LOG", self.path("authtap.log")),
            ("RUST_BACKTRACE", PathBuf::from("1")),
            ("AUTHTAP_PFX_PASSWORD", PathBuf::from("Pfx-Pa55")),
        ]
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of_command(&mut self.authtap(arguments))
    }

    /// `diagnose --format json` of a session file.
    pub(crate) fn diagnose(&self, session: &Path) -> Value {
        let finished = self.run(&["diagnose", "--format", "json", &session.to_string_lossy()]);
        assert!(matches!(finished.code, Some(0 | 1)), "diagnose failed: {}", finished.error());
        serde_json::from_slice(&finished.stdout).unwrap()
    }

    /// A capturing proxy that trusts this workshop's servers and saves into `session.authtap`.
    pub(crate) fn proxy(&self, options: &[&str]) -> Proxy {
        self.proxy_beside("session.authtap", options)
    }

    /// The same, saving into another file of the folder.
    pub(crate) fn proxy_beside(&self, session: &str, options: &[&str]) -> Proxy {
        let ca = self.path("ca");
        let session = self.path(session);
        let fixed: [&OsStr; 7] = [
            "--ca-dir".as_ref(),
            ca.as_os_str(),
            "--upstream-ca".as_ref(),
            self.authority.pem.as_os_str(),
            "--save".as_ref(),
            session.as_os_str(),
            "--headless".as_ref(),
        ];
        let mut command = self.authtap(&["proxy"]);
        command.args(fixed).args(["--format", "json", "--listen", "127.0.0.1:0"]).args(options);
        Proxy::start(&mut command)
    }

    /// The same proxy, answering from a session instead of the network.
    pub(crate) fn replay(&self, session: &Path) -> Proxy {
        self.replay_with(session, &[])
    }

    /// The same with further options.
    pub(crate) fn replay_with(&self, session: &Path, options: &[&str]) -> Proxy {
        let mut command = self.authtap(&["replay", "--headless", "--format", "json", "--listen", "127.0.0.1:0"]);
        command.arg("--ca-dir").arg(self.path("ca")).arg(session).args(options);
        Proxy::start(&mut command)
    }
}

/// A running proxy. Dropping it kills it.
pub(crate) struct Proxy {
    process: Process,
    pub(crate) address: SocketAddr,
    /// The root that its certificates lead to.
    pub(crate) ca: PathBuf,
    /// The session file it writes.
    pub(crate) session: PathBuf,
    events: Vec<Value>,
}

impl Proxy {
    /// Starts the proxy and waits until it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::try_start(command).unwrap_or_else(|finished| {
            panic!("authtap ended with {:?} before it listened: {}", finished.code, finished.error())
        })
    }

    /// Starts the proxy; where it ends instead of listening, what it left.
    pub(crate) fn try_start(command: &mut Command) -> Result<Self, Finished> {
        let process = Process::start(command);
        let Some(first) = process.stdout.next() else {
            return Err(Finished::of(process, Vec::new()));
        };
        let event: Value = serde_json::from_str(&first).unwrap_or_else(|error| panic!("{error}: {first}"));
        assert_eq!(event["event"], "listening", "the first line says where it listens: {first}");
        let path = |name: &str| PathBuf::from(event[name].as_str().unwrap_or_default());
        let address = event["address"].as_str().unwrap().parse().unwrap();
        Ok(Self { process, address, ca: path("ca"), session: path("session"), events: vec![event.clone()] })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// `http://127.0.0.1:PORT`, as clients want it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until `count` exchanges have ended and gives them with the last word said of each, in order of their ids.
    pub(crate) fn exchanges(&mut self, count: usize) -> Vec<Value> {
        while judged(&self.events).len() < count {
            self.event();
        }
        judged(&self.events)
    }

    /// The next line, where it is of this kind. It is not kept.
    pub(crate) fn next(&mut self, kind: &str) -> Option<Value> {
        let word = self.event();
        let event = self.events.pop().filter(|_| word == kind);
        self.events.truncate(1);
        event
    }

    /// Waits for the next line and gives the word for what it says.
    pub(crate) fn event(&mut self) -> String {
        let line = self.process.stdout.next().unwrap_or_else(|| {
            let error = String::from_utf8_lossy(&self.process.stderr.bytes()).into_owned();
            panic!("authtap ended after {} events: {error}", self.events.len())
        });
        let event: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let word = event["event"].as_str().unwrap_or_default().to_owned();
        self.events.push(event);
        word
    }

    /// Asks the proxy to stop, as a service manager would, and waits until it has.
    pub(crate) fn stop(self) -> Finished {
        self.signal("TERM");
        self.finished()
    }

    /// Sends `signal`, by its name without SIG.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// Waits until the proxy has ended.
    pub(crate) fn finished(self) -> Finished {
        Finished::of(self.process, self.events)
    }

    /// Ends the proxy without a chance to tidy up, and waits until it is gone.
    pub(crate) fn kill(mut self) -> PathBuf {
        self.process.kill();
        self.session
    }
}

/// What a program left when it ended.
pub(crate) struct Finished {
    /// The exit code; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// The JSON lines of a proxy.
    pub(crate) events: Vec<Value>,
}

impl Finished {
    /// Runs `command` to its end.
    pub(crate) fn of_command(command: &mut Command) -> Self {
        Self::of(Process::start(command), Vec::new())
    }

    pub(crate) fn of(mut process: Process, mut events: Vec<Value>) -> Self {
        if !events.is_empty() {
            while let Some(line) = process.stdout.next() {
                events.push(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")));
            }
        }
        let code = process.wait().code();
        Self { code, stdout: process.stdout.bytes(), stderr: process.stderr.bytes(), events }
    }

    /// Standard error as text.
    pub(crate) fn error(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as text.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The exchanges with the last word said of each, in order of their ids.
    pub(crate) fn exchanges(&self) -> Vec<Value> {
        judged(&self.events)
    }
}

/// Exchange events, with what later `revised` events say in place of what was said first.
fn judged(events: &[Value]) -> Vec<Value> {
    let mut exchanges = BTreeMap::new();
    for event in events {
        let id = event["id"].as_u64().unwrap_or_default();
        match event["event"].as_str() {
            Some("exchange") => {
                exchanges.insert(id, event.clone());
            }
            Some("revised") => {
                let said = exchanges.get_mut(&id).expect("a revision follows its exchange");
                for part in ["verdict", "findings", "details"] {
                    said[part] = event[part].clone();
                }
            }
            _ => {}
        }
    }
    exchanges.into_values().collect()
}
