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
mod tests;
