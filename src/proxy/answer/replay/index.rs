//! Which recorded exchange answers a request: by method, URL and what the request carries to authenticate with, then
//! by who asks and what the body asks for, then in the order of the recording.
//!
//! Labels and pseudonyms are numbered anew in every run, so their numbers do not count. Where nothing fits exactly, a
//! query value that is masked on one side stands for any.

use std::collections::{HashMap, HashSet};

use super::carried::Carried;
use super::said::{Said, normal};
use crate::redact::{Clean, Url};
use crate::session::Outline;

/// Among more candidates than these, bodies are not compared: each has to be read from the file.
const COMPARED: usize = 256;
/// So many clients are told apart.
const CLIENTS: usize = 256;

/// The exchanges of a session by what they answer.
#[derive(Default)]
pub(crate) struct Index {
    places: HashMap<Endpoint, Place>,
    /// The endpoints of a method and path, whatever their query.
    paths: HashMap<Endpoint, Vec<Endpoint>>,
    /// As they first appear.
    origins: Vec<Clean>,
    /// While it is built: recorded connections that are authenticated themselves.
    authenticated: HashMap<u32, bool>,
    /// Numbers of the clients that have asked so far.
    clients: HashMap<String, usize>,
    /// What each client got already.
    served: HashSet<(usize, u64)>,
}

/// Method and URL, without what differs from run to run.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Endpoint {
    method: String,
    url: String,
}

/// What was recorded at an endpoint.
struct Place {
    /// As it may be shown.
    method: Clean,
    url: Clean,
    entries: Vec<Entry>,
}

struct Entry {
    step: Step,
    carried: Carried,
    /// It came over a connection that was authenticated itself.
    authenticated: bool,
    /// The `User-Agent` of who asked.
    client: Option<Clean>,
    /// Read when it matters.
    said: Option<Said>,
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
    /// The origin that the client believes to be talking to, where that is not the one of the URL.
    pub(crate) front: Option<&'a str>,
    pub(crate) carried: Carried,
    /// NTLM or Negotiate has authenticated the client's connection.
    pub(crate) authenticated: bool,
    /// The exchange that the client's connection reached last.
    pub(crate) after: Option<Step>,
    /// The `User-Agent`.
    pub(crate) client: Option<&'a Clean>,
    /// What the body asks for.
    pub(crate) said: Said,
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

/// What comes nearest to a request that was never recorded.
pub(crate) enum Nearest<'i> {
    /// This was asked of the same server, with these.
    Request { method: &'i Clean, url: &'i Clean, carried: Vec<Carried> },
    /// Nothing was asked of this server, but something of these.
    Origins(&'i [Clean]),
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
            client: outline.client,
            said: None,
            carried,
        };
        if entry.carried.authenticates(outline.status) {
            *authenticated = true;
        }
        let origin = url.text().part(url.origin()).lower();
        let endpoint = Endpoint::of(&method, &url, origin.as_str());
        if !self.origins.contains(&origin) {
            self.origins.push(origin);
        }
        let place = self.places.entry(endpoint.clone()).or_insert_with(|| {
            self.paths.entry(endpoint.without_query()).or_default().push(endpoint);
            Place { method, url: url.text().clone(), entries: Vec::new() }
        });
        place.entries.push(entry);
    }

    /// Everything was added.
    pub(crate) fn finish(&mut self) {
        self.authenticated = HashMap::new();
        for place in self.places.values_mut() {
            place.entries.sort_by_key(|entry| entry.step.id);
        }
    }

    /// The exchange that answers `asked`; it counts as served to this client from now on. `read` gives what a recorded
    /// request asked for.
    pub(crate) fn find(&mut self, asked: &Asked<'_>, read: impl Fn(Step) -> Said) -> Found {
        let client = self.client(asked.client);
        let Some(endpoint) = self.endpoint(asked) else { return Found::Nothing };
        let Some(place) = self.places.get_mut(&endpoint) else { return Found::Nothing };
        let served = &self.served;
        let found = pick(&mut place.entries, asked, &|step| served.contains(&(client, step.id)), read);
        if let Some(step) = found {
            self.served.insert((client, step.id));
            return Found::Answer(step);
        }
        Found::OtherCredentials(place.carried())
    }

    /// What comes nearest to `asked`.
    pub(crate) fn nearest(&self, asked: &Asked<'_>) -> Nearest<'_> {
        let origins = self.origins_of(asked);
        let wanted = origins.iter().find(|origin| self.knows(origin));
        let Some(wanted) = wanted.map(|origin| Endpoint::of(asked.method, asked.url, origin)) else {
            return Nearest::Origins(&self.origins);
        };
        let (origin, path) = (wanted.origin(), wanted.without_query());
        let near = |endpoint: &Endpoint| {
            let found = endpoint.without_query();
            let common = endpoint.url.bytes().zip(wanted.url.bytes()).take_while(|(one, other)| one == other).count();
            (found.url == path.url, endpoint.method == wanted.method, common)
        };
        let here = self.places.iter().filter(|(endpoint, _)| endpoint.origin() == origin);
        // Of those equally near the first one that was recorded.
        let nearest = here.max_by_key(|(endpoint, place)| {
            (near(endpoint), std::cmp::Reverse(place.entries.first().map(|entry| entry.step.id)))
        });
        match nearest {
            Some((_, place)) => Nearest::Request { method: &place.method, url: &place.url, carried: place.carried() },
            None => Nearest::Origins(&self.origins),
        }
    }

    /// A recorded tunnel to the origin of `asked` that nobody looked into, or that failed.
    pub(crate) fn tunnel(&self, asked: &Asked<'_>) -> Option<Step> {
        self.origins_of(asked).iter().find_map(|origin| self.tunnel_to(origin))
    }

    /// The same by the origin.
    pub(crate) fn tunnel_to(&self, origin: &str) -> Option<Step> {
        let endpoint = Endpoint { method: "CONNECT".to_owned(), url: format!("{}/", origin.to_ascii_lowercase()) };
        self.places.get(&endpoint)?.entries.first().map(|entry| entry.step)
    }

    /// The first exchange with the server at `origin`.
    pub(crate) fn first_with(&self, origin: &str) -> Option<Step> {
        let origin = origin.to_ascii_lowercase();
        let places = self.places.iter();
        let here = places.filter(|(endpoint, _)| endpoint.method != "CONNECT" && endpoint.origin() == origin);
        here.filter_map(|(_, place)| place.entries.first()).map(|entry| entry.step).min_by_key(|step| step.id)
    }

    fn client(&mut self, name: Option<&Clean>) -> usize {
        let name = name.map_or("", Clean::as_str);
        if let Some(known) = self.clients.get(name) {
            return *known;
        }
        let number = self.clients.len().min(CLIENTS);
        if number < CLIENTS {
            self.clients.insert(name.to_owned(), number);
        }
        number
    }

    fn knows(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| *known == *origin)
    }

    /// The origins that a request may mean, the likeliest first. Where we stand in the place of a server that was
    /// recorded under another name, such as that of a proxy in front of it, any of the recorded names will do.
    fn origins_of(&self, asked: &Asked<'_>) -> Vec<String> {
        let mut origins = vec![asked.url.origin().to_ascii_lowercase()];
        if let Some(front) = asked.front.map(str::to_ascii_lowercase) {
            if !self.knows(&front) {
                origins.extend(self.origins.iter().map(|origin| origin.as_str().to_owned()));
            }
            origins.push(front);
        }
        origins
    }

    /// The recorded endpoint that a request means.
    fn endpoint(&self, asked: &Asked<'_>) -> Option<Endpoint> {
        let origins = self.origins_of(asked);
        let wanted = || origins.iter().map(|origin| Endpoint::of(asked.method, asked.url, origin));
        wanted().find(|endpoint| self.places.contains_key(endpoint)).or_else(|| {
            let mut all = wanted().filter_map(|endpoint| {
                let similar = self.paths.get(&endpoint.without_query())?;
                similar.iter().find(|similar| alike(similar.query(), endpoint.query())).cloned()
            });
            all.next()
        })
    }
}

impl Place {
    /// What its requests carried, each form once.
    fn carried(&self) -> Vec<Carried> {
        let mut carried = Vec::new();
        for entry in &self.entries {
            if !carried.contains(&entry.carried) {
                carried.push(entry.carried.clone());
            }
        }
        carried
    }
}

/// The next one along the recorded connection that is followed; else the first that this client did not get yet; else,
/// because an endpoint that is asked more often than it was recorded goes on as it ended, the last.
fn pick(
    entries: &mut [Entry],
    asked: &Asked<'_>,
    served: &dyn Fn(Step) -> bool,
    read: impl Fn(Step) -> Said,
) -> Option<Step> {
    let mut fitting: Vec<&mut Entry> = entries.iter_mut().filter(|entry| entry.carried == asked.carried).collect();
    prefer(&mut fitting, |entry| entry.authenticated == asked.authenticated);
    prefer(&mut fitting, |entry| asked.client.is_some() && entry.client.as_ref() == asked.client);
    if (2..=COMPARED).contains(&fitting.len()) {
        for entry in &mut fitting {
            let step = entry.step;
            entry.said.get_or_insert_with(|| read(step));
        }
        prefer(&mut fitting, |entry| entry.said.as_ref().is_some_and(|said| said.operation == asked.said.operation));
        prefer(&mut fitting, |entry| entry.said.as_ref().is_some_and(|said| said.whole == asked.said.whole));
    }
    let steps = || fitting.iter().map(|entry| entry.step);
    let along =
        asked.after.and_then(|after| steps().find(|step| step.connection == after.connection && step.id > after.id));
    along.or_else(|| steps().find(|step| !served(*step))).or_else(|| steps().next_back())
}

/// Keeps those of `candidates` that are `better`, if there are any.
fn prefer(candidates: &mut Vec<&mut Entry>, better: impl Fn(&Entry) -> bool) {
    if candidates.iter().any(|entry| better(entry)) {
        candidates.retain(|entry| better(entry));
    }
}

impl Endpoint {
    fn of(method: &Clean, url: &Url, origin: &str) -> Self {
        let rest = &url.text().as_str()[url.origin().len()..];
        Self { method: method.as_str().to_owned(), url: format!("{origin}{}", normal(rest)) }
    }

    fn origin(&self) -> &str {
        let host = self.url.find("://").map_or(0, |at| at + 3);
        let end = self.url[host..].find('/').map_or(self.url.len(), |at| host + at);
        &self.url[..end]
    }

    fn query(&self) -> &str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }

    fn without_query(&self) -> Self {
        let url = self.url.split_once('?').map_or(self.url.as_str(), |(path, _)| path);
        Self { method: self.method.clone(), url: url.to_owned() }
    }
}

/// Whether two queries differ in nothing but values that are masked in one of them.
fn alike(one: &str, other: &str) -> bool {
    let is_masked = |value: &str| value.starts_with('[') || value.contains('#') || value.contains("%23");
    let (one, other): (Vec<_>, Vec<_>) = (one.split('&').collect(), other.split('&').collect());
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| match (one.split_once('='), other.split_once('=')) {
            (Some((name, value)), Some((other, compared))) => {
                name == other && (value == compared || is_masked(value) || is_masked(compared))
            }
            _ => *one == other,
        })
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
            client: None,
        }
    }

    /// What a client that keeps its connection gets.
    struct Client {
        authenticated: bool,
        after: Option<Step>,
        name: Option<Clean>,
    }

    impl Client {
        const fn new() -> Self {
            Self { authenticated: false, after: None, name: None }
        }

        fn ask(&mut self, index: &mut Index, url: &str, authorization: Option<&Credential>) -> Option<u64> {
            let redactor = Redactor::new();
            // Numbers other than those of the recording.
            redactor.wire().url(b"https://x.contoso.com/?code=aaaaaaaaaaaaaaaaaaaaaaaa1");
            let asked = Asked {
                method: &"GET".into(),
                url: &redactor.wire().url(url.as_bytes()),
                front: None,
                carried: Carried::of(authorization, None),
                authenticated: self.authenticated,
                after: self.after,
                client: self.name.as_ref(),
                said: Said::default(),
            };
            let found = index.find(&asked, |_| Said::default());
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
            front: None,
            carried: Carried::of(Some(&ntlm(false)), None),
            authenticated: false,
            after: None,
            client: None,
            said: Said::default(),
        };
        let Found::OtherCredentials(others) = index.find(&asked, |_| Said::default()) else { panic!("found") };
        let words: Vec<_> = others.iter().map(|carried| carried.words().to_string()).collect();
        assert_eq!(words, ["a Bearer token", "no credentials"]);
    }

    #[test]
    fn every_client_gets_what_it_got_from_the_beginning() {
        let mut index = Index::default();
        let (outlook, migration) = (Clean::from("Outlook"), Clean::from("MigrationWiz"));
        for (id, client, status) in [(1, &outlook, 401), (2, &migration, 503), (3, &outlook, 200), (4, &migration, 200)]
        {
            index.add(Outline { client: Some(client.clone()), ..outline(id, id as u32, EWS, Some(token()), status) });
        }
        index.finish();
        let mut ask =
            |name: &Clean| Client { name: Some(name.clone()), ..Client::new() }.ask(&mut index, EWS, Some(&token()));
        let stranger = Clean::from("curl");
        let got = [&outlook, &stranger, &outlook, &migration, &outlook, &stranger].map(&mut ask);
        assert_eq!(got, [1, 1, 3, 2, 3, 2].map(Some));
    }

    #[test]
    fn a_value_that_is_masked_on_one_side_stands_for_any() {
        let mut index = Index::default();
        index.add(outline(1, 1, "https://mail.contoso.com/a?code=bbbbbbbbbbbbbbbbbbbbbbbb2&Cmd=Ping", None, 200));
        index.finish();
        let mut ask = |url: &str| Client::new().ask(&mut index, url, None);
        assert_eq!(ask("https://mail.contoso.com/a?code=1&Cmd=Ping"), Some(1));
        assert_eq!(ask("https://mail.contoso.com/a?code=1&Cmd=Sync"), None);
        assert_eq!(ask("https://mail.contoso.com/a?state=1&Cmd=Ping"), None);
    }

    #[test]
    fn in_the_place_of_a_server_its_name_is_what_the_recording_calls_it() {
        let url = Redactor::new().wire().url(b"https://localhost:9443/EWS/Exchange.asmx");
        for (recorded, front, other) in [
            (EWS, "https://mail.contoso.com", None),
            ("https://localhost:8080/EWS/Exchange.asmx", "https://mail.contoso.com", None),
            (EWS, "https://mail.contoso.com", Some("https://localhost:9443/EWS/Exchange.asmx")),
        ] {
            let mut index = Index::default();
            index.add(outline(1, 1, recorded, None, 401));
            if let Some(other) = other {
                index.add(outline(2, 2, other, None, 200));
            }
            index.finish();
            let asked = Asked {
                method: &"GET".into(),
                url: &url,
                front: Some(front),
                carried: Carried::of(None, None),
                authenticated: false,
                after: None,
                client: None,
                said: Said::default(),
            };
            let Found::Answer(step) = index.find(&asked, |_| Said::default()) else { panic!("{recorded}") };
            assert_eq!(step.id, if other.is_some() { 2 } else { 1 });
            assert!(
                matches!(index.find(&Asked { front: None, ..asked }, |_| Said::default()), Found::Answer(_))
                    == other.is_some()
            );
        }
    }

    #[test]
    fn what_the_body_asks_for_tells_requests_of_one_endpoint_apart() {
        let mut index = Index::default();
        for id in [1, 2, 3] {
            index.add(outline(id, id as u32, EWS, Some(token()), 200));
        }
        index.finish();
        let said = |operation: &str, whole| Said { operation: Some(operation.to_owned()), whole };
        let recorded = [said("GetFolder", 10), said("FindItem", 11), said("FindItem", 12)];
        let redactor = Redactor::new();
        let mut ask = |said: &Said| {
            let asked = Asked {
                method: &"GET".into(),
                url: &redactor.wire().url(EWS.as_bytes()),
                front: None,
                carried: Carried::of(Some(&token()), None),
                authenticated: false,
                after: None,
                client: None,
                said: said.clone(),
            };
            match index.find(&asked, |step| recorded[step.id as usize - 1].clone()) {
                Found::Answer(step) => step.id,
                _ => 0,
            }
        };
        let asked = [said("FindItem", 12), said("FindItem", 99), said("GetFolder", 99), said("FindItem", 99)];
        assert_eq!(asked.each_ref().map(&mut ask), [3, 2, 1, 3]);
    }
}
