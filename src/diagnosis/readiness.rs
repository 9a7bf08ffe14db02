//! What each endpoint of each server offers: the matrix that tells at a glance which one differs.

use super::{Case, Directory, Verdict};
use crate::redact::Clean;

/// Rows kept; further endpoints are left out.
const ROWS: usize = 512;

/// One endpoint on one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// `ews`, `mapi`, `autodiscover`…
    pub endpoint: &'static str,
    /// The host as asked.
    pub host: Clean,
    /// The server behind it, from `X-FEServer`.
    pub server: Option<Clean>,
    /// The schemes of its last challenge, in lower case, each once.
    pub schemes: Vec<Clean>,
    /// Where its Bearer challenge sends clients.
    pub authorization_uri: Option<Clean>,
    /// The realm of its Basic or Bearer challenge.
    pub realm: Option<Clean>,
    /// The last exchange there, with its status.
    pub last: (u64, u16),
    /// What was last said of it.
    pub verdict: Verdict,
}

impl Readiness {
    /// Host and server in one: `mail.contoso.com (EX01)`.
    pub fn name(&self) -> Clean {
        match &self.server {
            Some(server) => Clean::concat([self.host.clone(), " (".into(), server.clone(), ")".into()]),
            None => self.host.clone(),
        }
    }
}

/// The matrix, a row an endpoint and server, in the order in which they were first met.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    rows: Vec<Readiness>,
}

impl Matrix {
    pub(super) fn add(&mut self, case: &Case<'_>, verdict: Verdict) {
        let (Some(endpoint), Some(status), Some(host)) = (endpoint(case), case.status(), case.host_name()) else {
            return;
        };
        let server = case.server_name();
        let found =
            self.rows.iter().position(|row| row.endpoint == endpoint && row.host == host && row.server == server);
        let last = (case.exchange.id, status);
        let at = match found {
            Some(at) => at,
            None if self.rows.len() == ROWS => return,
            None => {
                let (schemes, authorization_uri, realm) = (Vec::new(), None, None);
                self.rows.push(Readiness { endpoint, host, server, schemes, authorization_uri, realm, last, verdict });
                self.rows.len() - 1
            }
        };
        let row = &mut self.rows[at];
        (row.last, row.verdict) = (last, verdict);
        // The second leg of a handshake offers nothing but its own scheme.
        let fresh = case.challenges().iter().filter(|challenge| challenge.token.is_none()).count() > 0;
        if status == 401 && fresh {
            row.schemes.clear();
            for challenge in case.challenges() {
                let scheme = challenge.scheme_name().lower();
                if !row.schemes.contains(&scheme) {
                    row.schemes.push(scheme);
                }
            }
            let param = |name: &str| case.challenges().iter().find_map(|challenge| challenge.clean_param(name));
            row.authorization_uri = param("authorization_uri");
            row.realm = param("realm").filter(|realm| !realm.as_str().is_empty());
        }
    }

    pub(super) fn rows(&self) -> &[Readiness] {
        &self.rows
    }
}

fn endpoint(case: &Case<'_>) -> Option<&'static str> {
    let host = case.host();
    if host.ends_with(".sharepoint.com") {
        return Some(if host.ends_with("-my.sharepoint.com") { "onedrive" } else { "sharepoint" });
    }
    if host == "graph.microsoft.com" {
        return Some("graph");
    }
    Some(match case.directory()? {
        Directory::Mapi => "mapi",
        Directory::Ews => "ews",
        Directory::Oab => "oab",
        Directory::Autodiscover if case.path().to_ascii_lowercase().ends_with(".json") => "autodiscover-v2",
        Directory::Autodiscover => "autodiscover",
        Directory::ActiveSync => "activesync",
        Directory::Owa => "owa",
        Directory::Ecp => "ecp",
        Directory::Rpc => "rpc",
        Directory::PowerShell => "powershell",
        // Any web server may have an `/api`.
        Directory::Api if case.is_exchange() => "api",
        Directory::Api => return None,
    })
}
