//! What a foreign format has no place for: the facts of an exchange that our own HAR and SAZ files carry beside what
//! every reader understands, so that they read back to the same exchange.
//!
//! The heads and the texts of bodies stand where the format has them; the facts tell the rest, connection and
//! certificates with every exchange, so that each can be read alone. What reads them is as strict as the reader of a
//! session file: all texts go through the door again, and what no version of ours writes makes the facts unreadable.

mod connection;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::exchange::{
    Connection, Exchange, Failure, FailureKind, Head, Interim, Message, Oddities, Response, Seen, Side, Step,
    Timestamp, Timings, Unseen,
};
use crate::redact::{Body, Clean, Content, Door, Field, Url};
use crate::session::native::{body_kind, read_content, socket};

/// The facts of `exchange`, which was recorded in `run`. Fields are among them where `fields` says so: where the format
/// does not keep them as they are.
pub(super) fn of(exchange: &Exchange, run: u64, fields: bool) -> Value {
    let mut facts = Map::new();
    let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    put("id", exchange.id.into());
    put("run", run.into());
    put("started_us", exchange.started.0.into());
    for (name, time) in [
        ("sent_us", exchange.timings.sent),
        ("first_byte_us", exchange.timings.first_byte),
        ("done_us", exchange.timings.done),
    ] {
        if let Some(time) = time {
            put(name, u64::try_from(time.as_micros()).unwrap_or(u64::MAX).into());
        }
    }
    if exchange.running {
        put("running", true.into());
    }
    // The format has a place for both, in which something has to stand.
    if exchange.method.is_none() {
        put("method", Value::Null);
    }
    if exchange.url.is_none() {
        put("url", Value::Null);
    }
    put("connection", connection::of(&exchange.connection));
    put("request", seen(&exchange.request, |message| of_message(message, fields)));
    put("response", seen(&exchange.response, |response| of_response(response, fields)));
    if let Some(Failure { side, step, kind, text }) = &exchange.error {
        let (side, step, kind) = (side.code(), step.code(), kind.code());
        put("error", json!({"side": side, "step": step, "kind": kind, "text": text}));
    }
    Value::Object(facts)
}

fn seen<T>(seen: &Seen<T>, of: impl Fn(&T) -> Value) -> Value {
    match seen {
        Seen::Seen(value) => of(value),
        Seen::Unseen(reason) => json!({"unseen": reason.code()}),
    }
}

fn of_response(response: &Response, fields: bool) -> Value {
    let mut facts = of_message(&response.message, fields);
    if response.status.is_none() {
        facts["status"] = Value::Null;
    }
    facts["reason"] = json!(response.reason);
    if response.early {
        facts["early"] = true.into();
    }
    if let Some(messages) = response.socket.as_deref().map(socket::write) {
        facts["socket"] = serde_json::from_str(&messages).unwrap_or_default();
    }
    if !response.interim.is_empty() {
        let interim = response.interim.iter().map(
            |interim| json!({"status": interim.status, "reason": interim.reason, "fields": of_fields(&interim.fields)}),
        );
        facts["interim"] = interim.collect();
    }
    facts
}

fn of_message(message: &Message, fields: bool) -> Value {
    let mut facts = json!({"version": message.version, "head": message.head.code(),
                           "body": body_kind(&message.body.content), "length": message.body.length});
    if let Content::Text { complete: false, .. } = message.body.content {
        facts["complete"] = false.into();
    }
    if !message.odd.is_empty() {
        facts["odd"] = message.odd.codes().into();
    }
    if !message.trailers.is_empty() {
        facts["trailers"] = of_fields(&message.trailers);
    }
    if fields {
        facts["fields"] = of_fields(&message.fields);
    }
    facts
}

fn of_fields(fields: &[Field]) -> Value {
    fields.iter().map(|field| json!([field.name, field.value])).collect()
}

/// What stands in the format's own places.
#[derive(Default)]
pub(super) struct Outside<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) status: Option<u16>,
    /// Of the request; those among the facts count for more.
    pub(super) request_fields: Vec<(&'a str, &'a str)>,
    pub(super) request_body: &'a str,
    pub(super) response_fields: Vec<(&'a str, &'a str)>,
    pub(super) response_body: &'a str,
}

/// An exchange with the number of its run.
pub(super) struct Told {
    pub(super) run: u64,
    pub(super) exchange: Exchange,
}

/// Reads [`of`] back; nothing where they are not facts of ours.
pub(super) fn read(facts: &Value, outside: &Outside<'_>, door: Door<'_>, known: &mut Connections) -> Option<Told> {
    let url = member(facts, "url", |text| door.url(text.unwrap_or(outside.url).as_bytes()));
    let connection = known.connection(facts.get("connection")?, door)?;
    let error = match facts.get("error") {
        Some(error) => Some(failure(error, url.as_ref(), &connection, door)?),
        None => None,
    };
    let (request, response) = (facts.get("request")?, facts.get("response")?);
    let exchange = Exchange {
        id: facts.get("id")?.as_u64().filter(|id| (1..=u64::from(u32::MAX)).contains(id))?,
        started: Timestamp(facts.get("started_us")?.as_i64()?),
        connection,
        method: member(facts, "method", |text| door.token(text.unwrap_or(outside.method).as_bytes())),
        url,
        request: read_seen(request, || message(request, &outside.request_fields, outside.request_body, door))?,
        response: read_seen(response, || {
            Some(Response {
                status: match response.get("status") {
                    None => outside.status,
                    Some(status) => status.as_u64().and_then(|status| u16::try_from(status).ok()),
                },
                reason: door.prose(response.get("reason")?.as_str()?.as_bytes()),
                message: message(response, &outside.response_fields, outside.response_body, door)?,
                interim: response.get("interim").map_or(Some(Vec::new()), |list| interim(list, door))?,
                early: is_set(response, "early"),
                socket: match response.get("socket") {
                    Some(messages) => Some(Box::new(socket::read(&messages.to_string(), door)?)),
                    None => None,
                },
            })
        })?,
        error,
        timings: Timings {
            sent: micros(facts, "sent_us"),
            first_byte: micros(facts, "first_byte_us"),
            done: micros(facts, "done_us"),
        },
        running: is_set(facts, "running"),
    };
    Some(Told { run: facts.get("run")?.as_u64()?, exchange })
}

/// What the facts say of it themselves, or else what stands in the format's own place; nothing where the facts say that
/// there is none.
fn member<T>(facts: &Value, name: &str, read: impl FnOnce(Option<&str>) -> T) -> Option<T> {
    match facts.get(name) {
        Some(Value::Null) => None,
        told => Some(read(told.and_then(Value::as_str))),
    }
}

/// What was seen, or why it was not; nothing where neither can be read.
fn read_seen<T>(facts: &Value, read: impl FnOnce() -> Option<T>) -> Option<Seen<T>> {
    match facts.get("unseen") {
        None => read().map(Seen::Seen),
        Some(code) => of_code(&Unseen::ALL, code, Unseen::code).map(Seen::Unseen),
    }
}

fn of_code<T: Copy>(all: &[T], code: &Value, code_of: fn(T) -> &'static str) -> Option<T> {
    let code = code.as_str()?;
    all.iter().copied().find(|item| code_of(*item) == code)
}

fn message(facts: &Value, outside: &[(&str, &str)], text: &str, door: Door<'_>) -> Option<Message> {
    let fields = match facts.get("fields") {
        Some(fields) => read_fields(fields, door)?,
        None => outside.iter().map(|(name, value)| door.field(name.as_bytes(), value.as_bytes())).collect(),
    };
    let length = facts.get("length")?.as_u64()?;
    let complete = facts.get("complete").and_then(Value::as_bool).unwrap_or(true);
    let content = read_content(facts.get("body")?.as_str()?, Some(complete), Some(text), door)?;
    Some(Message {
        version: door.token(facts.get("version")?.as_str()?.as_bytes()),
        head: of_code(&Head::ALL, facts.get("head")?, Head::code)?,
        fields: fields.into(),
        body: Body { length, content },
        odd: match facts.get("odd") {
            Some(codes) => Oddities::of_codes(codes.as_str()?)?,
            None => Oddities::NONE,
        },
        trailers: facts.get("trailers").map_or(Some(Vec::new()), |fields| read_fields(fields, door))?.into(),
    })
}

fn read_fields(fields: &Value, door: Door<'_>) -> Option<Vec<Field>> {
    let field = |pair: &Value| {
        let (name, value) = (pair.get(0)?.as_str()?, pair.get(1)?.as_str()?);
        Some(door.field(name.as_bytes(), value.as_bytes()))
    };
    fields.as_array()?.iter().map(field).collect()
}

fn interim(list: &Value, door: Door<'_>) -> Option<Vec<Interim>> {
    let one = |facts: &Value| {
        Some(Interim {
            status: u16::try_from(facts.get("status")?.as_u64()?).ok()?,
            reason: door.prose(facts.get("reason")?.as_str()?.as_bytes()),
            fields: read_fields(facts.get("fields")?, door)?.into(),
        })
    };
    list.as_array()?.iter().map(one).collect()
}

fn failure(facts: &Value, url: Option<&Url>, connection: &Connection, door: Door<'_>) -> Option<Failure> {
    let target = connection.target.as_ref().map(Clean::as_str);
    let servers: Vec<&str> = url.map(Url::authority).into_iter().chain(target).collect();
    Some(Failure {
        side: of_code(&Side::ALL, facts.get("side")?, Side::code)?,
        step: of_code(&Step::ALL, facts.get("step")?, Step::code)?,
        kind: of_code(&FailureKind::ALL, facts.get("kind")?, FailureKind::code)?,
        text: door.failure(facts.get("text")?.as_str()?.as_bytes(), &servers),
    })
}

fn is_set(facts: &Value, name: &str) -> bool {
    facts.get(name).and_then(Value::as_bool).unwrap_or_default()
}

fn micros(facts: &Value, name: &str) -> Option<Duration> {
    facts.get(name)?.as_u64().map(Duration::from_micros)
}

/// The connections of a file, each once in memory however often the file tells of it.
#[derive(Default)]
pub(super) struct Connections(HashMap<u64, (Value, Arc<Connection>)>);

/// Connections remembered.
const REMEMBERED: usize = 4096;

impl Connections {
    fn connection(&mut self, facts: &Value, door: Door<'_>) -> Option<Arc<Connection>> {
        let id = facts.get("id")?.as_u64()?;
        if let Some((told, connection)) = self.0.get(&id)
            && told == facts
        {
            return Some(Arc::clone(connection));
        }
        let connection = Arc::new(connection::read(facts, door)?);
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(id, (facts.clone(), Arc::clone(&connection)));
        Some(connection)
    }
}

/// The numbers of a file's exchanges: each is given to one exchange alone.
#[derive(Default)]
pub(super) struct Numbers {
    /// All up to this one are given.
    up_to: u64,
    beyond: BTreeSet<u64>,
}

impl Numbers {
    /// `wanted` if it is free, else the number behind the highest.
    pub(super) fn give(&mut self, wanted: Option<u64>) -> u64 {
        let free = |id: &u64| *id > self.up_to && !self.beyond.contains(id);
        let id = wanted.filter(free).unwrap_or_else(|| self.beyond.last().copied().unwrap_or(self.up_to) + 1);
        self.beyond.insert(id);
        while self.beyond.remove(&(self.up_to + 1)) {
            self.up_to += 1;
        }
        id
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redact::Redactor;
    use crate::session::made;

    #[test]
    fn a_number_is_given_once() {
        let mut numbers = Numbers::default();
        assert_eq!(
            [Some(2), Some(1), Some(2), None, Some(9), None, Some(3)].map(|id| numbers.give(id)),
            [2, 1, 3, 4, 9, 10, 11]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_exchange_reads_back_as_it_was(exchange in made::any_exchange(Redactor::new())) {
            let facts = of(&exchange, 3, true);
            let text = |message: Option<&Message>| match message.map(|message| &message.body.content) {
                Some(Content::Text { text, .. }) => text.as_str().to_owned(),
                _ => String::new(),
            };
            let method = exchange.method.as_ref().map_or("", Clean::as_str);
            let url = exchange.url.as_ref().map_or("", |url| url.text().as_str());
            let request_body = text(exchange.request.seen());
            let response_body = text(exchange.response.seen().map(|response| &response.message));
            let outside = Outside {
                method, url, status: exchange.status(), request_body: &request_body, response_body: &response_body,
                ..Outside::default()
            };
            let redactor = Redactor::new();
            let told = read(&facts, &outside, redactor.own(), &mut Connections::default()).unwrap();
            prop_assert_eq!((told.run, told.exchange), (3, exchange));
        }
    }
}
