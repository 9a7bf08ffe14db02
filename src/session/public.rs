//! Exchanges for strangers: every text of one with stand-ins in the place of private names.
//!
//! All that an exchange is made of is taken apart here and put together again, so that what is added to it has to be
//! added here. A text in which something was replaced comes in through the door for our own texts again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Recorded;
use crate::exchange::{
    Certificate, ClientCertificate, ClientTls, Connection, Exchange, Failure, Interim, Message, Response, Seen, Server,
    Socket, SocketMessage, Tls,
};
use crate::redact::{Aliases, Body, Clean, Content, Door, Field, Fields, NameSearch, Redactor, Url};

/// How many connections, and how many fields, are remembered.
const REMEMBERED: usize = 4096;

/// Makes exchanges fit for strangers, in two passes: [`Public::learn`] is told of all of them before the first one is
/// made by [`Public::of`].
pub struct Public {
    aliases: Aliases,
    redactor: Redactor,
    learning: bool,
    /// By where the original lies, which is kept, so that nothing else comes to lie there.
    connections: HashMap<usize, [Arc<Connection>; 2]>,
    /// The same of fields: those that come again share their texts.
    fields: HashMap<[usize; 2], [Field; 2]>,
}

impl Public {
    /// What is made goes through `redactor` again, the one that the originals came from: its labels stay apart.
    pub fn new(redactor: &Redactor) -> Self {
        Self {
            aliases: Aliases::default(),
            redactor: redactor.clone(),
            learning: true,
            connections: HashMap::new(),
            fields: HashMap::new(),
        }
    }

    /// Learns the names in an exchange.
    pub fn learn(&mut self, recorded: &Recorded) {
        self.exchange(&recorded.exchange);
    }

    /// The same exchange for strangers. Nothing is learned from then on but what a name's shape says.
    pub fn of(&mut self, recorded: Recorded) -> Recorded {
        if self.learning {
            self.learning = false;
            self.connections.clear();
            self.fields.clear();
            self.aliases.settle();
        }
        let Recorded { origin, exchange } = recorded;
        Recorded { origin, exchange: self.exchange(&exchange) }
    }

    /// What looks for the names in a finished file.
    pub fn search(&self) -> NameSearch {
        self.aliases.search()
    }

    /// How many names of each kind were replaced.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.aliases.counts()
    }

    /// How many names there was no room to tell apart.
    pub fn beyond(&self) -> u64 {
        self.aliases.beyond()
    }

    fn exchange(&mut self, exchange: &Exchange) -> Exchange {
        let Exchange { id, started, connection, method, url, request, response, error, timings, running } = exchange;
        let connection = self.shared_connection(connection);
        let url = url.as_ref().map(|url| self.url(url));
        let target = connection.target.as_ref().map(Clean::as_str);
        let servers: Vec<&str> = url.as_ref().map(Url::authority).into_iter().chain(target).collect();
        let error = error.as_ref().map(|error| self.failure(error, &servers));
        Exchange {
            id: *id,
            started: *started,
            method: method.as_ref().map(|method| self.token(method)),
            request: self.seen(request, Self::message),
            response: self.seen(response, Self::response),
            connection,
            url,
            error,
            timings: *timings,
            running: *running,
        }
    }

    fn seen<T>(&mut self, seen: &Seen<T>, of: fn(&mut Self, &T) -> T) -> Seen<T> {
        match seen {
            Seen::Seen(value) => Seen::Seen(of(self, value)),
            Seen::Unseen(reason) => Seen::Unseen(*reason),
        }
    }

    fn response(&mut self, response: &Response) -> Response {
        let Response { status, reason, message, interim, early, socket } = response;
        Response {
            status: *status,
            reason: self.prose(reason),
            message: self.message(message),
            interim: interim.iter().map(|interim| self.interim(interim)).collect(),
            early: *early,
            socket: socket.as_deref().map(|socket| Box::new(self.socket(socket))),
        }
    }

    fn interim(&mut self, interim: &Interim) -> Interim {
        let Interim { status, reason, fields } = interim;
        Interim { status: *status, reason: self.prose(reason), fields: self.fields(fields) }
    }

    fn message(&mut self, message: &Message) -> Message {
        let Message { version, head, fields, body, trailers, odd } = message;
        Message {
            version: self.token(version),
            head: *head,
            fields: self.fields(fields),
            body: self.body(body),
            trailers: self.fields(trailers),
            odd: *odd,
        }
    }

    fn fields(&mut self, fields: &Fields) -> Fields {
        let renamed: Vec<Field> = fields.iter().map(|field| self.field(field)).collect();
        if renamed[..] == fields[..] { fields.clone() } else { renamed.into() }
    }

    fn field(&mut self, field: &Field) -> Field {
        let place = [&field.name, &field.value].map(|text| text.as_str().as_ptr() as usize);
        if let Some([original, renamed]) = self.fields.get(&place)
            && original == field
        {
            return renamed.clone();
        }
        let renamed = self.new_field(field);
        if self.fields.len() >= REMEMBERED {
            self.fields.clear();
        }
        self.fields.insert(place, [field.clone(), renamed.clone()]);
        renamed
    }

    fn new_field(&mut self, field: &Field) -> Field {
        // The credential is read out of the value again.
        let Field { name, value, credential: _ } = field;
        let shown_name = self.aliases.field_name(name.as_str());
        let shown = self.aliases.field(name.as_str(), value.as_str());
        let changed = matches!(shown_name, Cow::Owned(_)) || matches!(shown, Cow::Owned(_));
        if self.learning || !changed {
            return field.clone();
        }
        self.redactor.own().field(shown_name.as_bytes(), shown.as_bytes())
    }

    fn body(&mut self, body: &Body) -> Body {
        let Body { length, content } = body;
        let content = match content {
            Content::Text { syntax, text, complete } => {
                let shown = self.aliases.prose(text.as_str());
                let read = |door: Door<'_>, shown: &[u8]| door.body_text(*syntax, shown);
                let text = again(self.learning, &self.redactor, text, shown, read);
                Content::Text { syntax: *syntax, text, complete: *complete }
            }
            Content::Empty => Content::Empty,
            Content::Withheld(reason) => Content::Withheld(*reason),
        };
        Body { length: *length, content }
    }

    fn socket(&mut self, socket: &Socket) -> Socket {
        let Socket { messages, client, server, lost } = socket;
        let mut message = |message: &SocketMessage| {
            let SocketMessage { side, kind, at, code, body } = message;
            SocketMessage { side: *side, kind: *kind, at: *at, code: *code, body: self.body(body) }
        };
        let messages = messages.iter().map(&mut message).collect();
        Socket { messages, client: *client, server: *server, lost: *lost }
    }

    fn shared_connection(&mut self, connection: &Arc<Connection>) -> Arc<Connection> {
        let place = Arc::as_ptr(connection) as usize;
        if let Some([_, renamed]) = self.connections.get(&place) {
            return Arc::clone(renamed);
        }
        let renamed = Arc::new(self.connection(connection));
        if self.connections.len() >= REMEMBERED {
            self.connections.clear();
        }
        self.connections.insert(place, [Arc::clone(connection), Arc::clone(&renamed)]);
        renamed
    }

    fn connection(&mut self, connection: &Connection) -> Connection {
        let Connection { id, client, target, client_tls, server, presented } = connection;
        let target = target.as_ref().map(|target| self.host(target));
        let servers: Vec<&str> = target.iter().map(Clean::as_str).collect();
        Connection {
            id: *id,
            // A pseudonym, or an address of the loopback network.
            client: client.clone(),
            client_tls: client_tls.as_ref().map(|tls| self.client_tls(tls)),
            server: server.as_ref().map(|server| {
                let Server { address, tls } = server;
                Server { address: self.host(address), tls: tls.as_ref().map(|tls| self.tls(tls, &servers)) }
            }),
            presented: presented.as_ref().map(|shown| self.certificate(shown)),
            target,
        }
    }

    fn client_tls(&mut self, tls: &ClientTls) -> ClientTls {
        let ClientTls { version, cipher, alpn, sni, sni_form, legacy } = tls;
        ClientTls {
            version: self.prose(version),
            cipher: self.prose(cipher),
            alpn: alpn.as_ref().map(|alpn| self.token(alpn)),
            sni: sni.as_ref().map(|sni| self.host(sni)),
            sni_form: *sni_form,
            legacy: legacy.as_ref().map(|why| self.prose(why)),
        }
    }

    fn tls(&mut self, tls: &Tls, servers: &[&str]) -> Tls {
        let Tls {
            version,
            cipher,
            alpn,
            certificate,
            chain,
            accepted_despite,
            legacy,
            client_certificate,
            resumed,
            renegotiated,
        } = tls;
        Tls {
            version: self.prose(version),
            cipher: self.prose(cipher),
            alpn: alpn.as_ref().map(|alpn| self.token(alpn)),
            certificate: self.certificate(certificate),
            chain: chain.iter().map(|certificate| self.certificate(certificate)).collect(),
            accepted_despite: accepted_despite.as_ref().map(|why| self.told(why, servers)),
            legacy: legacy.as_ref().map(|why| self.prose(why)),
            client_certificate: match client_certificate {
                ClientCertificate::NotAsked => ClientCertificate::NotAsked,
                ClientCertificate::Asked => ClientCertificate::Asked,
                ClientCertificate::Given(subject) => ClientCertificate::Given(self.subject(subject)),
            },
            resumed: *resumed,
            renegotiated: *renegotiated,
        }
    }

    fn certificate(&mut self, certificate: &Certificate) -> Certificate {
        let Certificate { subject, issuer, names, not_before, not_after, sha256 } = certificate;
        Certificate {
            subject: self.subject(subject),
            issuer: self.subject(issuer),
            names: names.iter().map(|name| self.host(name)).collect(),
            not_before: *not_before,
            not_after: *not_after,
            sha256: self.aliases.fingerprint(*sha256),
        }
    }

    fn failure(&mut self, failure: &Failure, servers: &[&str]) -> Failure {
        let Failure { side, step, kind, text } = failure;
        Failure { side: *side, step: *step, kind: *kind, text: self.told(text, servers) }
    }

    fn url(&mut self, url: &Url) -> Url {
        let shown = self.aliases.url(url.text().as_str());
        again(self.learning, &self.redactor, url, shown, |door, shown| door.url(shown))
    }

    fn host(&mut self, host: &Clean) -> Clean {
        let shown = self.aliases.host(host.as_str());
        // A name of a certificate may stand for all names below it.
        again(self.learning, &self.redactor, host, shown, |door, shown| match shown.strip_prefix(b"*.") {
            Some(domain) => Clean::concat(["*.".into(), door.host(domain)]),
            None => door.host(shown),
        })
    }

    fn subject(&mut self, subject: &Clean) -> Clean {
        let shown = self.aliases.subject(subject.as_str());
        again(self.learning, &self.redactor, subject, shown, |door, shown| door.prose(shown))
    }

    fn told(&mut self, text: &Clean, servers: &[&str]) -> Clean {
        let shown = self.aliases.prose(text.as_str());
        again(self.learning, &self.redactor, text, shown, |door, shown| door.failure(shown, servers))
    }

    fn prose(&mut self, text: &Clean) -> Clean {
        let shown = self.aliases.prose(text.as_str());
        again(self.learning, &self.redactor, text, shown, |door, shown| door.prose(shown))
    }

    fn token(&mut self, text: &Clean) -> Clean {
        let shown = self.aliases.prose(text.as_str());
        again(self.learning, &self.redactor, text, shown, |door, shown| door.token(shown))
    }
}

/// What `read` makes of `shown` at the door for our own texts; the original where nothing was replaced in it.
fn again<T: Clone>(
    learning: bool,
    redactor: &Redactor,
    original: &T,
    shown: Cow<'_, str>,
    read: impl FnOnce(Door<'_>, &[u8]) -> T,
) -> T {
    match shown {
        Cow::Owned(shown) if !learning => read(redactor.own(), shown.as_bytes()),
        _ => original.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::session::{Origin, Provenance, facts, made};

    /// Of two passes.
    fn public(exchange: &Exchange) -> (Exchange, Public) {
        let recorded = Recorded { origin: Origin::of(Provenance::Imported), exchange: exchange.clone() };
        let mut public = Public::new(&Redactor::new());
        public.learn(&recorded);
        let made = public.of(recorded).exchange;
        (made, public)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_for_strangers_names_nobody_and_stays_as_it_is(exchange in made::any_exchange(Redactor::new())) {
            let (once, aliases) = public(&exchange);
            let shown = facts::of(&once, 1, true).to_string();
            prop_assert_eq!(aliases.search().count(shown.as_bytes()), 0, "{}", shown);
            let (twice, _) = public(&once);
            prop_assert_eq!(&once, &twice);
        }
    }
}
