//! What can be typed, and its help.
//!
//! Hidden arguments belong to the contract and are not there yet; `meaning` answers them by name.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::values;
use crate::proxy::{Domain, HostFile, HostPattern, NEVER_DECRYPTED, Network, Resolve, ReverseUrl};
use crate::text::Language;

/// Tells why a client got its HTTP 401: a debugging proxy for Exchange and migration engineers.
#[derive(Debug, Parser)]
#[command(name = "authtap", version, subcommand_required = true)]
#[command(
    after_help = "Without a command it captures, as `authtap proxy` does; `authtap proxy --help` has those options.
Exit codes: 0 done; 1 failures found (diagnose, demo --headless); 2 usage or unreadable input; 3 refused by the machine; 130 ended at once by a second signal."
)]
pub(super) struct Arguments {
    /// Language of texts [default: from the environment]
    #[arg(long, global = true, value_name = "en|ja")]
    pub lang: Option<Language>,
    /// Write a log of the proxy's own doings; it holds no credential
    #[arg(long, global = true, value_name = "FILE", env = "AUTHTAP_LOG", hide_env_values = true)]
    pub log: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Capture: proxy and terminal UI (the default command)
    Proxy(Proxy),
    /// Look at saved sessions in the terminal UI
    Open(Open),
    /// Findings of session files and pasted text, on standard output
    Diagnose(Diagnose),
    /// The page of one finding, or the list of all
    Explain(Explain),
    /// From one session format to another (.authtap .har .saz; .mitm is read), sanitized on the way
    Convert(Convert),
    /// Serve a saved session offline: answers from the file, no network
    Replay(Replay),
    /// Where one session leaves the way of another: the first divergence first
    Compare(Compare),
    /// The root certificate
    Ca(Ca),
    /// A made-up Exchange, identity provider and Outlook, through the real proxy
    Demo(Demo),
}

#[derive(Args, Debug)]
#[allow(clippy::struct_field_names)] // The names are those of the options.
pub(super) struct Proxy {
    #[command(flatten)]
    pub front: Front,
    /// Clients that may use a listener beyond loopback; may be given several times
    #[arg(long, value_name = "CIDR")]
    pub allow: Vec<Network>,
    /// Ask clients for Basic proxy authentication, user:password from AUTHTAP_PROXY_AUTH
    #[arg(long)]
    pub proxy_auth: bool,
    /// Record these hosts alone; the rest passes undecrypted and is only counted; wildcards (*.contoso.com)
    #[arg(long, value_name = "HOST")]
    pub only: Vec<HostPattern>,
    /// Pass these hosts through undecrypted; wildcards; adds to the built-in list
    #[arg(long, value_name = "HOST", help = skip_decrypt_help())]
    pub skip_decrypt: Vec<HostPattern>,
    /// No HTTP/2 with HOST; wildcards
    #[arg(long, value_name = "HOST")]
    pub http1: Vec<HostPattern>,
    /// Show this certificate (PEM with key, or PFX) for HOST instead of a minted one; with the server's own,
    /// Extended Protection holds. A PFX's password comes from AUTHTAP_PFX_PASSWORD or is asked for
    #[arg(long, value_name = "HOST=FILE")]
    pub server_cert: Vec<HostFile>,
    /// Show this certificate (PEM with key, or PFX) to HOST if it asks for a client certificate; wildcards
    #[arg(long, value_name = "HOST=FILE")]
    pub client_cert: Vec<HostFile>,
    /// Further trust anchors for servers
    #[arg(long, value_name = "PEM")]
    pub upstream_ca: Vec<PathBuf>,
    /// Accept any server certificate; each one accepted so is annotated
    #[arg(long)]
    pub insecure_upstream: bool,
    /// Connect there instead of asking DNS; the name stays in SNI, Host and certificate checks
    #[arg(long, value_name = "HOST[:PORT]=ADDR[:PORT]")]
    pub resolve: Vec<Resolve>,
    /// How much of each body is kept for reading
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024, value_parser = values::bytes)]
    pub body_limit: usize,
    /// Reach servers through another proxy: http://, https:// or socks5:// [default: what HTTPS_PROXY, HTTP_PROXY or
    /// ALL_PROXY name; none turns that off]. Its user:password comes from AUTHTAP_UPSTREAM_PROXY_AUTH. Servers that
    /// NO_PROXY names are reached directly
    #[arg(long, value_name = "URL|none")]
    pub upstream_proxy: Option<OsString>,
    /// Take connections that the system redirects here on their way to others (Linux: REDIRECT, DNAT, TPROXY)
    #[arg(long, conflicts_with = "reverse")]
    pub transparent: bool,
    /// Keep who stands behind the pseudonyms in the session file (.authtap): people and devices, never credentials. The
    /// key i then shows them in `authtap open`, too. Do not give that file away: what `convert`, `diagnose` and --save
    /// .har/.saz make of it has pseudonyms only
    #[arg(long)]
    pub keep_identities: bool,
}

/// What capture and replay share: the end that clients and people see.
#[derive(Args, Debug)]
pub(super) struct Front {
    /// Address to listen on; may be given several times; port 0 is any free port
    #[arg(short, long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = values::listen)]
    pub listen: Vec<SocketAddr>,
    /// Stand in front of URL instead of acting as a forward proxy
    #[arg(long, value_name = "URL")]
    pub reverse: Option<ReverseUrl>,
    /// Session file; its extension says which kind. An existing .authtap is continued; .har and .saz are written at the
    /// end
    #[arg(short, long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// No terminal UI: one line an exchange on standard output, with its finding ids
    #[arg(long)]
    pub headless: bool,
    /// Format of --headless; json is one object a line
    #[arg(long, value_enum, default_value_t = LineFormat::Text, requires = "headless")]
    pub format: LineFormat,
    /// Where the root certificate and its key live [default: the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Open {
    /// Session files; several are one merged view
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Diagnose {
    /// Session files and pasted text, told by content; - is standard input
    #[arg(value_name = "FILE|-", required = true)]
    pub sources: Vec<PathBuf>,
    /// Format of the findings
    #[arg(long, value_enum, default_value_t = PageFormat::Text)]
    pub format: PageFormat,
}

#[derive(Args, Debug)]
pub(super) struct Convert {
    /// The session file to read, of any kind; told by content
    #[arg(value_name = "IN")]
    pub from: PathBuf,
    /// The session file to write; its extension says which kind: .authtap .har .saz. One that is there already is
    /// replaced when the new one is complete
    #[arg(value_name = "OUT")]
    pub to: PathBuf,
    /// Encrypt OUT (.saz, AES-256) with the password in AUTHTAP_SAZ_PASSWORD, or one that is asked for
    #[arg(long)]
    pub encrypt: bool,
    /// For whom: support sees hosts, tenants and request ids; in a public file they have stand-ins
    #[arg(long, value_enum, default_value_t = ShareWith::Support)]
    pub share: ShareWith,
}

#[derive(Args, Debug)]
pub(super) struct Explain {
    /// A finding's id
    pub id: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Replay {
    /// A saved session
    pub file: PathBuf,
    #[command(flatten)]
    pub front: Front,
    /// How fast answers come: recorded takes as long as the servers took, to the first byte and to the last
    #[arg(long, value_enum, default_value_t = ReplayPace::AtOnce)]
    pub pace: ReplayPace,
    /// The dates in heads (Date, Expires, Last-Modified, Retry-After): as recorded, or moved to now. Cookies, tokens and
    /// challenges are always handed out anew
    #[arg(long, value_enum, default_value_t = ReplayDates::Recorded)]
    pub dates: ReplayDates,
}

#[derive(Args, Debug)]
pub(super) struct Ca {
    #[command(subcommand)]
    pub action: CaAction,
    /// Where the root certificate and its key live [default: the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum CaAction {
    /// Name, dates and fingerprint of the root certificate, and the certificate itself
    Show,
    /// The certificate's file, for `curl --cacert "$(authtap ca path)"`
    Path,
    /// Have this system trust the root certificate, with the system's own tools; says what was done
    Install,
    /// Take the root certificate, and those before it, out of this system's stores of trust
    Uninstall,
    /// Make a new root certificate; the one before it is kept aside
    Renew {
        /// Limit the root to these domains and the hosts below them: stolen, it signs for them alone. Other hosts then
        /// pass undecrypted
        #[arg(long, value_name = "DOMAIN", num_args = 1..)]
        only: Vec<Domain>,
    },
}

#[derive(Args, Debug)]
pub(super) struct Demo {
    /// No terminal UI and no pauses: print the finding ids and end
    #[arg(long)]
    pub headless: bool,
    /// Format of --headless; json is one object a line
    #[arg(long, value_enum, default_value_t = LineFormat::Text, requires = "headless")]
    pub format: LineFormat,
}

#[derive(Args, Debug)]
pub(super) struct Compare {
    /// The session in which it works, of any kind; told by content
    #[arg(value_name = "GOOD")]
    pub good: PathBuf,
    /// The session in which it does not
    #[arg(value_name = "BAD")]
    pub bad: PathBuf,
    /// Print the comparison, in this format [default: the terminal UI; text where standard input or output is no terminal]
    #[arg(long, value_enum)]
    pub format: Option<LineFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LineFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReplayPace {
    AtOnce,
    Recorded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReplayDates {
    Recorded,
    Now,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShareWith {
    Support,
    Public,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PageFormat {
    Text,
    Json,
    #[value(hide = true)]
    Markdown,
    #[value(hide = true)]
    Html,
}

/// The built-in list is shown where one would add to it.
fn skip_decrypt_help() -> String {
    format!(
        "Pass these hosts through undecrypted; wildcards; adds to the built-in list: {}",
        NEVER_DECRYPTED.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }
}
