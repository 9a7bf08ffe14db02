//! The first reading of a file: what concerns all of its entries, wherever in the file it stands.

use std::collections::HashSet;
use std::io::BufRead;

use serde_json::Value;

use super::entry::{self, Entry, text};
use super::scan::{Broken, Scanner};
use super::{ENTRY, message, walk_log};
use crate::session::provenance::{Certificates, Provenance};
use crate::session::{Stated, stripped};

/// What concerns all entries.
#[derive(Default)]
pub(super) struct Survey {
    pub(super) provenance: Provenance,
    pub(super) certificates: Certificates,
    /// Whether the writer takes credentials out, and none is left in any entry.
    pub(super) stripped: bool,
    /// Whether the developer tools of Chrome or Edge wrote it.
    pub(super) by_browser: bool,
    /// Whether a logon that the browser makes by itself is one entry: the first request with the last answer.
    pub(super) folds_logons: bool,
    /// What a file of ours states of itself.
    pub(super) stated: Option<Stated>,
    /// The runs that a file of ours lists.
    pub(super) runs: Vec<Value>,
    looked_into: HashSet<String>,
}

/// Members of `log` that are read whole.
const MEMBER: usize = 1 << 16;
/// Hosts remembered; a file with more of them has no host that matters.
const HOSTS: usize = 1 << 16;

impl Survey {
    /// Reads all of `reader`. A file that is cut short gives what stands before the cut.
    pub(super) fn of<R: BufRead>(reader: R) -> Result<Self, Broken> {
        let (mut survey, mut entries, mut credentials, mut legs) = (Self::default(), false, false, false);
        let (mut tool, mut told) = (Provenance::Imported, None);
        let mut raw = zeroize::Zeroizing::new(Vec::new());
        let mut scanner = Scanner::new(reader)?;
        let walked = walk_log(&mut scanner, |scanner, key| {
            match key {
                b"\"entries\"" if !entries && scanner.enter(b'[')? => {
                    entries = true;
                    let mut first = true;
                    while scanner.item(&mut first, b']')? {
                        if scanner.value(&mut raw, ENTRY)?
                            && let Some(entry) = Entry::read(&raw)
                        {
                            survey.look_at(&entry);
                            credentials |= shows_credentials(&entry);
                            legs |= entry.request().is_some_and(|request| shows_leg(&entry::fields(request)));
                        }
                    }
                }
                b"\"creator\"" if scanner.value(&mut raw, MEMBER)? => {
                    let creator = serde_json::from_slice::<Value>(&raw).unwrap_or_default();
                    let name = text(&creator, "name").unwrap_or_default();
                    survey.by_browser = name.eq_ignore_ascii_case("WebInspector");
                    tool = Provenance::of_tool(name);
                }
                b"\"_authtap\"" if scanner.value(&mut raw, MEMBER)? => {
                    if let Ok(facts) = serde_json::from_slice::<Value>(&raw) {
                        told = Some(Provenance::read(&facts));
                        survey.stated = facts.get("manifest").and_then(Stated::read);
                        survey.runs = facts.get("runs").and_then(Value::as_array).cloned().unwrap_or_default();
                        survey.certificates = Certificates::read(&facts);
                    }
                }
                b"\"creator\"" | b"\"_authtap\"" => {}
                _ => scanner.skip()?,
            }
            Ok(true)
        });
        // They leave credentials out unless they are told otherwise.
        survey.stripped = survey.by_browser && !credentials;
        survey.folds_logons = survey.by_browser && !legs;
        // What the file says of its capture counts for more than who wrote the file.
        survey.provenance = told.filter(|told| *told != Provenance::Imported).unwrap_or(tool);
        match walked {
            Ok(_) | Err(Broken::Cut | Broken::Syntax) if entries => Ok(survey),
            Ok(_) => Err(Broken::Syntax),
            Err(error) => Err(error),
        }
    }

    /// Whether a request to this host was seen inside of TLS.
    pub(super) fn looked_into(&self, host: &str) -> bool {
        self.looked_into.contains(&host.to_ascii_lowercase())
    }

    fn look_at(&mut self, entry: &Entry) {
        let inside = entry.method() != Some("CONNECT") && entry.url().is_some_and(is_https);
        if inside && self.looked_into.len() < HOSTS {
            self.looked_into.extend(message::host(entry).map(str::to_ascii_lowercase));
        }
    }
}

fn is_https(url: &str) -> bool {
    ["https://", "wss://"].iter().any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}

/// Whether these fields of a request are of a leg that a browser adds by itself.
fn shows_leg(fields: &[(&str, &str)]) -> bool {
    let is_leg = |value: &str| stripped::names_scheme(value, &["ntlm", "negotiate"]);
    fields.iter().any(|(name, value)| name.to_ascii_lowercase().ends_with("authorization") && is_leg(value))
}

fn shows_credentials(entry: &Entry) -> bool {
    let messages = [entry.request(), entry.response()].into_iter().flatten();
    messages.flat_map(entry::fields).any(|(name, _)| stripped::carries_credentials(name))
}
