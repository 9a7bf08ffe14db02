//! Which recorded exchange answers a request: by method, URL and what the request carries to authenticate with.
//!
//! Labels and pseudonyms are numbered anew in every run, so their numbers do not count in a URL.

use std::collections::HashMap;

use super::carried::Carried;
use crate::redact::{Clean, Url};
use crate::session::Outline;

/// The exchanges of a session by what they answer.
#[derive(Default)]
pub(crate) struct Index {
    endpoints: HashMap<Endpoint, Vec<Entry>>,
    /// While it is built: recorded connections that are authenticated themselves.
    authenticated: HashMap<u32, bool>,
}

#[derive(PartialEq, Eq, Hash)]
struct Endpoint {
    method: String,
    url: String,
}

struct Entry {
    step: Step,
    carried: Carried,
    /// It came over a connection that was authenticated itself.
    authenticated: bool,
    served: bool,
}

/// One exchange of a recorded connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) connection: u32,
    pub(crate) id: u64,
}

/// What a request looks like to the index.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Clean,
    pub(crate) url: &'a Url,
    pub(crate) carried: Carried,
    /// NTLM or Negotiate has authenticated the client's connection.
    pub(crate) authenticated: bool,
    /// The exchange that the client's connection reached last.
    pub(crate) after: Option<Step>,
}

/// What the index has for a request.
pub(crate) enum Found {
    /// This exchange answers it.
    Answer(Step),
    /// The endpoint was asked, but only with these.
    OtherCredentials(Vec<Carried>),
    /// The endpoint was never asked.
    Nothing,
}

impl Index {
    /// Adds an exchange. Exchanges of one connection come in their order.
    pub(crate) fn add(&mut self, outline: Outline) {
        let (Some(method), Some(url)) = (outline.method, outline.url) else { return };
        let carried = Carried::of(outline.authorization.as_ref(), outline.proxy_authorization.as_ref());
        let authenticated = self.authenticated.entry(outline.connection).or_default();
        let entry = Entry {
            step: Step { connection: outline.connection, id: outline.id },
            authenticated: *authenticated,
            served: false,
            carried,
        };
        if entry.carried.authenticates(outline.status) {
            *authenticated = true;
        }
        self.endpoints.entry(Endpoint::of(&method, &url)).or_default().push(entry);
    }

    /// Everything was added.
    pub(crate) fn finish(&mut self) {
        self.authenticated = HashMap::new();
        for entries in self.endpoints.values_mut() {
            entries.sort_by_key(|entry| entry.step.id);
        }
    }

    /// The exchange that answers `asked`; it counts as served from now on.
    pub(crate) fn find(&mut self, asked: &Asked<'_>) -> Found {
        let Some(entries) = self.endpoints.get_mut(&Endpoint::of(asked.method, asked.url)) else {
            return Found::Nothing;
        };
        if let Some(place) = pick(entries, asked) {
            entries[place].served = true;
            return Found::Answer(entries[place].step);
        }
        let mut others = Vec::new();
        for entry in entries {
            if !others.contains(&entry.carried) {
                others.push(entry.carried.clone());
            }
        }
        Found::OtherCredentials(others)
    }

    /// A recorded tunnel to the origin of `url` that nobody looked into.
    pub(crate) fn tunnel(&self, url: &Url) -> Option<Step> {
        let url = format!("{}/", url.origin()).to_ascii_lowercase();
        let entries = self.endpoints.get(&Endpoint { method: "CONNECT".to_owned(), url })?;
        entries.first().map(|entry| entry.step)
    }
}

/// The next one along the recorded connection that is followed; else the first that nobody got yet; else, because an
/// endpoint that is asked more often than it was recorded goes on as it ended, the last.
fn pick(entries: &[Entry], asked: &Asked<'_>) -> Option<usize> {
    let fits = |entry: &Entry| entry.carried == asked.carried;
    let exactly = |entry: &Entry| fits(entry) && entry.authenticated == asked.authenticated;
    let any_exactly = entries.iter().any(exactly);
    let fitting = || {
        let candidates = entries.iter().enumerate();
        candidates.filter(|(_, entry)| if any_exactly { exactly(entry) } else { fits(entry) })
    };
    let along = asked.after.and_then(|after| {
        fitting().find(|(_, entry)| entry.step.connection == after.connection && entry.step.id > after.id)
    });
    let found = along.or_else(|| fitting().find(|(_, entry)| !entry.served)).or_else(|| fitting().next_back());
    found.map(|(place, _)| place)
}

impl Endpoint {
    fn of(method: &Clean, url: &Url) -> Self {
        let text = url.text().as_str();
        let (origin, rest) = text.split_at(url.origin().len());
        let mut normal = origin.to_ascii_lowercase();
        let mut rest = rest;
        while let Some(at) = rest.find(['#', '%']) {
            let sign = if rest[at..].starts_with("%23") { 3 } else { 1 };
            let (before, after) = rest.split_at(at + sign);
            normal.push_str(before);
            rest = if sign == 3 || before.ends_with('#') {
                after.trim_start_matches(|c: char| c.is_ascii_digit())
            } else {
                after
            };
        }
        normal.push_str(rest);
        Self { method: method.as_str().to_owned(), url: normal }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;
    use crate::exchange::Timestamp;
    use crate::redact::{Credential, Label, Ntlm, NtlmMessage, OpaqueForm, Redactor, Token};

    fn token() -> Credential {
        Credential::Bearer(Token::Opaque { label: Label(1), form: OpaqueForm::Plain })
    }

    fn ntlm(last: bool) -> Credential {
        let message = if last {
            NtlmMessage::Authenticate {
                flags: 0,
                version: 2,
                user: crate::redact::User::Empty,
                domain: "".into(),
                binding: crate::redact::Binding::None,
                target: None,
                time: None,
                mic: false,
                label: Label(1),
            }
        } else {
            NtlmMessage::Negotiate { flags: 0 }
        };
        Credential::Ntlm(Ntlm::Message(Box::new(message)))
    }

    fn outline(id: u64, connection: u32, url: &str, authorization: Option<Credential>, status: u16) -> Outline {
        Outline {
            id,
            connection,
            started: Timestamp(0),
            method: Some("GET".into()),
            url: Some(Redactor::new().wire().url(url.as_bytes())),
            authorization,
            proxy_authorization: None,
            status: Some(status),
            running: false,
            broken: false,
            request_seen: true,
            response_seen: true,
        }
    }

    /// What a client that keeps its connection gets.
    struct Client {
        authenticated: bool,
        after: Option<Step>,
    }

    impl Client {
        const fn new() -> Self {
            Self { authenticated: false, after: None }
        }

        fn ask(&mut self, index: &mut Index, url: &str, authorization: Option<&Credential>) -> Option<u64> {
            let redactor = Redactor::new();
            // Numbers other than those of the recording.
            redactor.wire().url(b"https://x.contoso.com/?code=aaaaaaaaaaaaaaaaaaaaaaaa1");
            let found = index.find(&Asked {
                method: &"GET".into(),
                url: &redactor.wire().url(url.as_bytes()),
                carried: Carried::of(authorization, None),
                authenticated: self.authenticated,
                after: self.after,
            });
            let Found::Answer(step) = found else { return None };
            self.after = Some(step);
            Some(step.id)
        }
    }

    const EWS: &str = "https://mail.contoso.com/EWS/Exchange.asmx";

    #[test]
    fn the_same_dance_happens_again_and_goes_on_as_it_ended() {
        let mut index = Index::default();
        for (id, authorization, status) in
            [(1, Some(Credential::Bearer(Token::Empty)), 401), (2, Some(token()), 401), (3, Some(token()), 200)]
        {
            // Every request on its own connection, as curl makes them.
            index.add(outline(id, id as u32, EWS, authorization, status));
        }
        index.finish();
        let mut ask = |authorization: &Credential| Client::new().ask(&mut index, EWS, Some(authorization));
        let empty = Credential::Bearer(Token::Empty);
        assert_eq!(
            [ask(&empty), ask(&token()), ask(&token()), ask(&token()), ask(&empty), ask(&Credential::Empty)],
            [Some(1), Some(2), Some(3), Some(3), Some(1), Some(1)]
        );
    }

    #[test]
    fn ntlm_is_a_matter_of_the_connection() {
        let mut index = Index::default();
        for connection in [1, 2] {
            let id = u64::from(connection) * 10;
            for (step, authorization, status) in
                [(0, None, 401), (1, Some(ntlm(false)), 401), (2, Some(ntlm(true)), 200), (3, None, 200)]
            {
                index.add(outline(id + step, connection, EWS, authorization, status));
            }
        }
        index.finish();
        let (mut one, mut two) = (Client::new(), Client::new());
        let mut got = Vec::new();
        for authorization in [None, Some(ntlm(false)), Some(ntlm(true)), None] {
            let last = authorization == Some(ntlm(true));
            for client in [&mut one, &mut two] {
                got.push(client.ask(&mut index, EWS, authorization.as_ref()));
                client.authenticated |= last;
            }
        }
        assert_eq!(got, [10, 20, 11, 21, 12, 22, 13, 23].map(Some));
        let mut anonymous = Client::new();
        assert_eq!(anonymous.ask(&mut index, EWS, None), Some(20), "never the answer of an authenticated connection");
    }

    #[test]
    fn numbers_of_labels_do_not_count_in_a_url_but_what_is_shown_does() {
        let mut index = Index::default();
        index.add(outline(1, 1, "https://Mail.contoso.com/a?code=bbbbbbbbbbbbbbbbbbbbbbbb2&Cmd=Ping", None, 200));
        index.finish();
        let mut ask = |url: &str| Client::new().ask(&mut index, url, None);
        assert_eq!(ask("https://mail.contoso.com/a?code=cccccccccccccccccccccccc3&Cmd=Ping"), Some(1));
        assert_eq!(ask("https://mail.contoso.com/a?code=cccccccccccccccccccccccc3&Cmd=Sync"), None);
        assert_eq!(ask("https://mail.contoso.com/A?code=cccccccccccccccccccccccc3&Cmd=Ping"), None);
    }

    #[test]
    fn says_with_what_an_endpoint_was_asked() {
        let mut index = Index::default();
        index.add(outline(1, 1, EWS, Some(token()), 200));
        index.add(outline(2, 1, EWS, None, 401));
        index.finish();
        let url = Redactor::new().wire().url(EWS.as_bytes());
        let asked = Asked {
            method: &"GET".into(),
            url: &url,
            carried: Carried::of(Some(&ntlm(false)), None),
            authenticated: false,
            after: None,
        };
        let Found::OtherCredentials(others) = index.find(&asked) else { panic!("found") };
        let words: Vec<_> = others.iter().map(|carried| carried.words().to_string()).collect();
        assert_eq!(words, ["a Bearer token", "no credentials"]);
    }
}
