//! What each endpoint of each server offers: the matrix that tells at a glance which one differs.

use std::collections::BTreeMap;

use super::key::{ByKey, key};
use super::{Case, Directory, End, Sent, Signs, Verdict};
use crate::redact::{Clean, Credential, organisation};

/// Rows kept; further endpoints are left out.
const ROWS: usize = 512;

/// One endpoint on one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// `ews`, `mapi`, `autodiscover`…
    pub endpoint: &'static str,
    /// The host as asked.
    pub host: Clean,
    /// The server behind it, as it names itself.
    pub server: Option<Clean>,
    /// The schemes of its last challenge, in lower case, each once.
    pub schemes: Vec<Clean>,
    /// Whether a client asked it for OAuth: Exchange may leave Bearer out where nobody does.
    pub bearer_asked: bool,
    /// Where its Bearer challenge sends clients.
    pub authorization_uri: Option<Clean>,
    /// The realm of its Basic or Bearer challenge.
    pub realm: Option<Clean>,
    /// The last exchange there, with its status.
    pub last: (u64, u16),
    /// What was last said of it.
    pub verdict: Verdict,
    /// Which end of a migration the host is, where a tool talked to both.
    pub end: Option<End>,
}

/// How a row differs from its siblings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Schemes that siblings offer and it does not.
    pub lacks: Vec<Clean>,
    /// It sends clients to another authority than its siblings do, or to none.
    pub authorization_uri: bool,
}

impl Readiness {
    /// Host and server in one: `mail.contoso.com (EX01)`.
    pub fn name(&self) -> Clean {
        match &self.server {
            Some(server) => Clean::concat([self.host.clone(), " (".into(), server.clone(), ")".into()]),
            None => self.host.clone(),
        }
    }

    /// Whether it offers `scheme` (in lower case).
    pub fn offers(&self, scheme: &str) -> bool {
        self.schemes.iter().any(|offered| offered == scheme)
    }

    /// Adds the rows of a later run to those of earlier ones.
    pub fn merge(rows: &mut Vec<Self>, later: Vec<Self>) {
        for row in later {
            let known = rows.iter_mut().find(|known| known.is(row.endpoint, row.host.as_str(), row.server.as_ref()));
            match known {
                Some(known) if row.schemes.is_empty() => (known.last, known.verdict) = (row.last, row.verdict),
                Some(known) => *known = row,
                None => rows.push(row),
            }
        }
    }

    /// How each of `rows` differs from its siblings.
    ///
    /// Siblings are the servers of one organisation at the same endpoint, and for Bearer also the other endpoints of the
    /// same server that Outlook uses with it. That Bearer is missing says nothing where no client asked for it.
    pub fn differences(rows: &[Self]) -> Vec<Difference> {
        let mut siblings: BTreeMap<(&str, &str), Vec<&Self>> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.schemes.is_empty()) {
            siblings.entry((row.endpoint, organisation(row.host.as_str()))).or_default().push(row);
            if row.speaks_oauth() {
                siblings.entry(("", organisation(row.host.as_str()))).or_default().push(row);
            }
        }
        let different = |row: &Self| {
            let of = |endpoint| siblings.get(&(endpoint, organisation(row.host.as_str())));
            row.difference(of(row.endpoint), of(""))
        };
        rows.iter().map(different).collect()
    }

    fn difference(&self, endpoint: Option<&Vec<&Self>>, oauth: Option<&Vec<&Self>>) -> Difference {
        let mut different = Difference::default();
        if self.schemes.is_empty() {
            return different;
        }
        let peers = endpoint.into_iter().flatten().flat_map(|row| &row.schemes);
        let same_server = |row: &&&Self| self.speaks_oauth() && row.host == self.host && row.server == self.server;
        let elsewhere = oauth.into_iter().flatten().filter(same_server).flat_map(|row| &row.schemes);
        for scheme in peers.chain(elsewhere.filter(|scheme| *scheme == "bearer")) {
            let meaningful = scheme != "bearer" || self.bearer_asked;
            if meaningful && !self.schemes.contains(scheme) && !different.lacks.contains(scheme) {
                different.lacks.push(scheme.clone());
            }
        }
        if self.speaks_oauth() && self.offers("bearer") {
            let offering = oauth.into_iter().flatten().filter(|row| row.offers("bearer"));
            let mut authorities: BTreeMap<Option<&Clean>, usize> = BTreeMap::new();
            offering.for_each(|row| *authorities.entry(row.authorization_uri.as_ref()).or_default() += 1);
            let own = authorities.get(&self.authorization_uri.as_ref()).copied().unwrap_or_default();
            // Of two authorities nobody can say which one is right; having none is wrong beside any.
            different.authorization_uri = authorities.iter().any(|(other, count)| {
                let another = other.is_some() && *other != self.authorization_uri.as_ref();
                another && (self.authorization_uri.is_none() || *count >= own)
            });
        }
        different
    }

    /// Whether Outlook uses the endpoint with OAuth.
    fn speaks_oauth(&self) -> bool {
        matches!(self.endpoint, "mapi" | "ews" | "oab" | "autodiscover" | "activesync")
    }

    fn is(&self, endpoint: &str, host: &str, server: Option<&Clean>) -> bool {
        self.endpoint == endpoint && self.host == *host && self.server.as_ref() == server
    }
}

impl Difference {
    /// Whether there is one.
    pub fn is_any(&self) -> bool {
        self.authorization_uri || !self.lacks.is_empty()
    }
}

/// The matrix, a row an endpoint and server, in the order in which they were first met.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    rows: Vec<Readiness>,
    places: ByKey<usize>,
}

impl Matrix {
    pub(super) fn add(&mut self, case: &Case<'_>, verdict: Verdict) {
        let (Some(endpoint), Some(status)) = (endpoint(case), case.status()) else { return };
        let server = server(case);
        let key = key((endpoint, case.host_key(), server));
        let last = (case.exchange.id, status);
        let at = match self.places.get(&key) {
            Some(at) => *at,
            None if self.rows.len() == ROWS => return,
            None => {
                let Some(host) = case.host_name() else { return };
                let server = server.zip(server_text(case)).map(|(name, text)| text.part(name));
                let end = self.rows.iter().find(|row| row.host == host).and_then(|row| row.end);
                self.places.insert(key, self.rows.len());
                self.rows.push(Readiness {
                    endpoint,
                    host,
                    server,
                    schemes: Vec::new(),
                    bearer_asked: false,
                    authorization_uri: None,
                    realm: None,
                    last,
                    verdict,
                    end,
                });
                self.rows.len() - 1
            }
        };
        let row = &mut self.rows[at];
        (row.last, row.verdict) = (last, verdict);
        // The second leg of a handshake offers nothing but its own scheme.
        if status == 401 && case.challenges().iter().any(|challenge| challenge.token.is_none()) {
            row.take_challenge(case);
        }
    }

    /// Notes which hosts are the ends of a migration.
    pub(super) fn tell_ends(&mut self, ends: &[(Clean, End)]) {
        for (host, end) in ends {
            self.rows.iter_mut().filter(|row| row.host == *host).for_each(|row| row.end = Some(*end));
        }
    }

    pub(super) fn rows(&self) -> &[Readiness] {
        &self.rows
    }
}

impl Readiness {
    fn take_challenge(&mut self, case: &Case<'_>) {
        let asked = case.asks_for_oauth() || matches!(case.authorization(), Sent::Credential(Credential::Bearer(_)));
        let bearer = case.challenge("bearer").is_some();
        let keeps_bearer = !asked && !bearer && self.offers("bearer");
        self.bearer_asked |= asked;
        // Mostly it offers what it did before.
        if !keeps_bearer && self.offered_just_this(case) {
            return;
        }
        self.schemes.retain(|scheme| keeps_bearer && scheme == "bearer");
        for challenge in case.challenges() {
            let scheme = challenge.scheme_name().lower();
            if !self.schemes.contains(&scheme) {
                self.schemes.push(scheme);
            }
        }
        let param = |name: &str| case.challenges().iter().find_map(|challenge| challenge.clean_param(name));
        if !keeps_bearer {
            self.authorization_uri = param("authorization_uri");
        }
        self.realm = param("realm").filter(|realm| !realm.as_str().is_empty());
    }

    /// Whether the challenges are those that it has from before.
    fn offered_just_this(&self, case: &Case<'_>) -> bool {
        let offered = case.challenges();
        let known = |scheme: &str| self.schemes.iter().any(|known| known.as_str().eq_ignore_ascii_case(scheme));
        let unchanged = |name: &str, known: Option<&Clean>| {
            let now = offered.iter().find_map(|challenge| challenge.param(name)).filter(|value| !value.is_empty());
            now.as_deref() == known.map(Clean::as_str).filter(|value| !value.is_empty())
        };
        offered.iter().all(|challenge| known(challenge.scheme))
            && self.schemes.iter().all(|scheme| offered.iter().any(|challenge| challenge.is(scheme.as_str())))
            && unchanged("authorization_uri", self.authorization_uri.as_ref())
            && unchanged("realm", self.realm.as_ref())
    }
}

/// The server behind the name: the one that took the request, else the one that it was passed on to. Of Exchange Online
/// nobody can choose or mend a single server.
fn server<'a>(case: &Case<'a>) -> Option<&'a str> {
    let text = server_text(case).filter(|_| !case.is_exchange_online())?.as_str();
    let first = text.split(',').next().unwrap_or_default().trim();
    let name = if case.response_header("x-feserver").is_some() { first } else { first.split('.').next()? };
    (!name.is_empty()).then_some(name)
}

fn server_text<'a>(case: &Case<'a>) -> Option<&'a Clean> {
    case.response_header("x-feserver").or_else(|| case.response_header("x-calculatedbetarget"))
}

pub(super) fn endpoint(case: &Case<'_>) -> Option<&'static str> {
    if case.signs().has_any(Signs::SHARE_POINT) {
        let personal = case.host().split('.').next().is_some_and(|tenant| tenant.ends_with("-my"));
        return Some(if personal { "onedrive" } else { "sharepoint" });
    }
    if case.signs().has_any(Signs::GRAPH) {
        return Some("graph");
    }
    Some(match case.directory()? {
        Directory::Mapi => "mapi",
        Directory::Ews => "ews",
        Directory::Oab => "oab",
        Directory::Autodiscover if ends_in_json(case.path()) => "autodiscover-v2",
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

fn ends_in_json(path: &str) -> bool {
    let path = path.as_bytes();
    path.len() >= 5 && path[path.len() - 5..].eq_ignore_ascii_case(b".json")
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn row(endpoint: &'static str, server: &'static str, schemes: &[&'static str]) -> Readiness {
        Readiness {
            endpoint,
            host: "mail.contoso.com".into(),
            server: Some(server.into()),
            schemes: schemes.iter().map(|scheme| (*scheme).into()).collect(),
            bearer_asked: true,
            authorization_uri: schemes.contains(&"bearer").then(|| "https://login.windows.net/common".into()),
            realm: None,
            last: (1, 401),
            verdict: Verdict::Step,
            end: None,
        }
    }

    fn lacks(rows: &[Readiness]) -> Vec<Vec<String>> {
        let words = |lacks: Vec<Clean>| lacks.iter().map(ToString::to_string).collect();
        Readiness::differences(rows).into_iter().map(|different| words(different.lacks)).collect()
    }

    #[test]
    fn one_server_of_three_without_bearer_stands_out() {
        let full = ["bearer", "negotiate", "ntlm"];
        let rows = [row("mapi", "EX01", &full), row("mapi", "EX02", &full[1..]), row("mapi", "EX03", &full)];
        assert_eq!(lacks(&rows), [vec![], vec!["bearer".to_owned()], vec![]]);
    }

    #[test]
    fn a_directory_without_bearer_stands_out_among_those_of_its_server() {
        let rows = [row("ews", "EX01", &["bearer"]), row("mapi", "EX01", &["ntlm"]), row("owa", "EX01", &["basic"])];
        assert_eq!(lacks(&rows), [vec![], vec!["bearer".to_owned()], vec![]]);
    }

    #[test]
    fn bearer_is_not_missed_where_nobody_asked_for_it_or_nothing_was_offered() {
        let mut rows = [row("mapi", "EX01", &["bearer"]), row("mapi", "EX02", &["ntlm"]), row("mapi", "EX03", &[])];
        rows[0].schemes.push("ntlm".into());
        rows[1].bearer_asked = false;
        assert_eq!(lacks(&rows), [vec![], vec![], Vec::<String>::new()]);
    }

    #[test]
    fn another_authority_than_that_of_the_siblings_stands_out() {
        let mut rows =
            [row("mapi", "EX01", &["bearer"]), row("mapi", "EX02", &["bearer"]), row("ews", "EX02", &["bearer"])];
        let odd = |rows: &[Readiness]| -> Vec<bool> {
            Readiness::differences(rows).iter().map(|different| different.authorization_uri).collect()
        };
        assert_eq!(odd(&rows), [false, false, false]);
        rows[1].authorization_uri = None;
        assert_eq!(odd(&rows), [false, true, false]);
        assert_eq!(odd(&rows[..2]), [false, true], "one with an authority is right");
        rows[1].authorization_uri = Some("https://adfs.contoso.com".into());
        assert_eq!(odd(&rows[..2]), [true, true], "nobody can say which");
    }

    #[test]
    fn a_later_run_replaces_what_an_earlier_one_saw() {
        let mut rows = vec![row("mapi", "EX01", &["ntlm"])];
        let mut silent = row("mapi", "EX01", &[]);
        silent.last = (7, 200);
        Readiness::merge(&mut rows, vec![silent, row("ews", "EX01", &["bearer"])]);
        assert_eq!((rows.len(), rows[0].last, rows[0].schemes.len()), (2, (7, 200), 1));
        Readiness::merge(&mut rows, vec![row("mapi", "EX01", &["bearer"])]);
        assert!(rows[0].offers("bearer") && !rows[0].offers("ntlm"));
    }
}
