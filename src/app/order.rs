//! What can be ordered: the command line after reading, with nothing left to check in it.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::proxy::{Domain, HostFile, HostPattern, Network, Resolve, ReverseUrl, Staging, UpstreamProxy};
use crate::session::Form;
use crate::text::Language;

/// One run of the program.
#[derive(Debug)]
pub struct Order {
    /// What to do.
    pub task: Task,
    /// The language of texts.
    pub language: Language,
    /// Where the log goes; nothing is logged without.
    pub log: Option<PathBuf>,
}

/// What to do.
#[derive(Debug)]
pub enum Task {
    /// Stand between clients and servers, or answer from a session in their place.
    Capture(Box<Capture>),
    /// Look at saved sessions.
    Open {
        /// At least one.
        files: Vec<PathBuf>,
    },
    /// Say what is wrong in session files and pasted text.
    Diagnose {
        /// At least one; `-` is standard input.
        sources: Vec<PathBuf>,
        /// How to say it.
        page: Page,
    },
    /// Say where one session leaves the way of another.
    Compare {
        /// In which it works.
        good: PathBuf,
        /// In which it does not.
        bad: PathBuf,
        /// How to say it; nothing is on the terminal where there is one, else as text.
        lines: Option<Lines>,
    },
    /// Write a session file again in another format.
    Convert(Convert),
    /// One finding's page, or the list of all.
    Explain {
        /// The finding.
        id: Option<String>,
    },
    /// Something about the root certificate.
    Ca {
        /// What.
        deed: CaDeed,
        /// Where it lives; nothing is the user's data folder.
        folder: Option<PathBuf>,
    },
    /// Show every kind of finding on a made-up stage.
    Demo {
        /// How to show it.
        view: View,
    },
}

/// One session file made of another.
#[derive(Debug)]
pub struct Convert {
    /// The file that is read.
    pub from: PathBuf,
    /// The file that is written.
    pub to: PathBuf,
    /// Its format.
    pub form: Form,
    /// Whether a password protects it.
    pub encrypt: bool,
    /// For whom.
    pub share: Share,
}

/// For whom a file is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Support: hosts, tenants and request ids stay.
    Support,
    /// Strangers: they have stand-ins.
    Public,
}

impl Share {
    /// Its word on the command line and in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Public => "public",
        }
    }
}

/// A capture, live or replayed.
#[derive(Debug)]
pub struct Capture {
    /// How it is shown.
    pub view: View,
    /// At least one; loopback addresses.
    pub listen: Vec<SocketAddr>,
    /// The session's file, if one was named.
    pub save: Option<PathBuf>,
    /// Whether the session's file gets to know who is who.
    pub keep_identities: bool,
    /// Where the root certificate lives; nothing is the user's data folder.
    pub ca_folder: Option<PathBuf>,
    /// How many bytes of each body are kept for reading.
    pub body_limit: usize,
    /// Who answers.
    pub feed: Feed,
}

impl Capture {
    /// How many bytes of each body are kept where nobody says otherwise.
    pub const BODY_LIMIT: usize = 256 * 1024;
}

/// Who answers the clients of a capture.
#[derive(Debug)]
pub enum Feed {
    /// The servers they ask for.
    Upstream(Box<Upstream>),
    /// A saved session; nobody else is asked.
    Session(Replayed),
}

/// A session that answers in the place of servers.
#[derive(Debug)]
pub struct Replayed {
    /// Its file.
    pub file: PathBuf,
    /// The one server that clients find here.
    pub reverse: Option<ReverseUrl>,
    /// How it is replayed.
    pub staging: Staging,
}

/// How servers are reached, and which of them are looked into.
#[derive(Debug, Default)]
pub struct Upstream {
    /// The one server that clients find here.
    pub reverse: Option<ReverseUrl>,
    /// Whether redirected connections are taken.
    pub transparent: bool,
    /// Which servers are reached through another proxy.
    pub proxied: Proxied,
    /// From where clients may come, besides this machine.
    pub allow: Vec<Network>,
    /// Whether clients must give the user name and password of `AUTHTAP_PROXY_AUTH`.
    pub proxy_auth: bool,
    /// Patterns; when there are any, other hosts pass undecrypted and are only counted.
    pub only: Vec<HostPattern>,
    /// Patterns of hosts that pass undecrypted.
    pub skip_decrypt: Vec<HostPattern>,
    /// Patterns of hosts with which no HTTP/2 is agreed on.
    pub http1: Vec<HostPattern>,
    /// Certificates to show to clients instead of minted ones.
    pub server_certs: Vec<HostFile>,
    /// Certificates to show to servers that ask for one.
    pub client_certs: Vec<HostFile>,
    /// PEM files with further trust anchors.
    pub trust: Vec<PathBuf>,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// Where to connect instead of asking DNS.
    pub resolve: Vec<Resolve>,
}

/// Which servers are reached through another proxy.
#[derive(Debug, Default)]
pub enum Proxied {
    /// Those that the environment says.
    #[default]
    ByEnvironment,
    /// None.
    Never,
    /// All but those that the environment excepts.
    Through(Box<UpstreamProxy>),
}

/// How a run is shown while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// On the terminal screen.
    Terminal,
    /// As lines on standard output.
    Lines(Lines),
}

/// The form of lines on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The form of a diagnosis on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For the ticket.
    Markdown,
    /// For a browser, as one file.
    Html,
}

/// What to do about the root certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaDeed {
    /// Its facts and itself.
    Show,
    /// Its file's path.
    Path,
    /// Have this system trust it.
    Install,
    /// Have this system trust it, and those before it, no more.
    Uninstall,
    /// A new one in its place.
    Renew {
        /// The domains that it may sign for; all where there are none.
        only: Vec<Domain>,
    },
}
