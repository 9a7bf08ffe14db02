//! One exchange as a row, and back.
//!
//! Writing and reading stand side by side and go through the columns in the same order, that of [`COLUMNS`].

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::FromSql;
use rusqlite::{Row, Statement, ToSql};

use super::head::{self, Heads};
use super::people::People;
use super::socket;
use crate::exchange::{
    Connection, Exchange, Failure, FailureKind, Head, Message, Oddities, Response, Seen, Side, Step, Timestamp,
    Timings, Unseen,
};
use crate::redact::{Body, Clean, Content, Door, Syntax, Url, Withheld};

/// The columns of `exchanges` that [`write()`] fills and [`read`] expects, in their order.
pub(super) const COLUMNS: &str = "id, run, connection, started_us, method, url, status, error_side, error_step, \
     error_kind, error_text, sent_us, first_byte_us, done_us, running, request_unseen, response_unseen, \
     request_version, request_head, request_trailers, request_body_kind, request_body_length, request_body_complete, \
     request_body, response_version, response_reason, response_early, response_interim, response_head, \
     response_trailers, response_body_kind, response_body_length, response_body_complete, response_body, \
     request_head_seen, response_head_seen, request_odd, response_odd, response_socket";

/// How many [`COLUMNS`] there are.
pub(super) const COLUMN_COUNT: usize = 39;

/// [`COLUMNS`] of a file of format `version`: what older ones do not have is nothing.
pub(super) fn columns(version: i64) -> String {
    const SINCE_3: &str = ", request_odd, response_odd, response_socket";
    if version < 3 { COLUMNS.replace(SINCE_3, ", NULL, NULL, NULL") } else { COLUMNS.to_owned() }
}

/// Where an exchange belongs.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The run's number.
    pub(super) run: i64,
    /// The row of its connection.
    pub(super) connection: i64,
}

/// Why a row could not be read.
pub(super) enum RowError {
    /// SQLite could not give it.
    Sqlite(rusqlite::Error),
    /// A column holds what no version of ours writes.
    Foreign(&'static str),
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Writes `exchange` through an `INSERT` of [`COLUMNS`]; `people` get to know who stands in it.
pub(super) fn write(
    statement: &mut Statement<'_>,
    place: Place,
    exchange: &Exchange,
    heads: &mut Heads,
    people: Option<&mut People>,
) -> rusqlite::Result<()> {
    let mut columns = Writing { statement, people, at: 0 };
    columns.put(signed(exchange.id))?;
    columns.put(place.run)?;
    columns.put(place.connection)?;
    columns.put(exchange.started.0)?;
    columns.put(exchange.method.as_ref().map(Clean::as_str))?;
    columns.put(exchange.url.as_ref().map(|url| url.text().as_str()))?;
    columns.put(exchange.status())?;
    let error = exchange.error.as_ref();
    columns.put(error.map(|error| error.side.code()))?;
    columns.put(error.map(|error| error.step.code()))?;
    columns.put(error.map(|error| error.kind.code()))?;
    columns.put(error.map(|error| error.text.as_str()))?;
    for time in [exchange.timings.sent, exchange.timings.first_byte, exchange.timings.done] {
        columns.put(time.map(|time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX)))?;
    }
    columns.put(exchange.running)?;
    columns.put(exchange.request.unseen().map(Unseen::code))?;
    columns.put(exchange.response.unseen().map(Unseen::code))?;

    let request = exchange.request.seen();
    columns.put(request.map(|message| message.version.as_str()))?;
    columns.put(request.map(|message| heads.lines(&message.fields)).as_deref())?;
    columns.put_trailers(request)?;
    columns.put_body(request)?;

    let response = exchange.response.seen();
    let message = response.map(|response| &response.message);
    columns.put(message.map(|message| message.version.as_str()))?;
    columns.put(response.map(|response| response.reason.as_str()))?;
    columns.put(response.map(|response| response.early))?;
    let interim = response.filter(|response| !response.interim.is_empty());
    columns.put(interim.map(|response| head::write_interim(&response.interim)))?;
    columns.put(message.map(|message| heads.lines(&message.fields)).as_deref())?;
    columns.put_trailers(message)?;
    columns.put_body(message)?;
    for message in [request, message] {
        columns.put(message.map(|message| message.head.code()))?;
    }
    for message in [request, message] {
        columns.put(message.filter(|message| !message.odd.is_empty()).map(|message| message.odd.codes()))?;
    }
    columns.put(response.and_then(|response| response.socket.as_deref()).map(socket::write))?;
    debug_assert_eq!(columns.at, COLUMN_COUNT, "COLUMNS and its writer name the same columns");
    statement.raw_execute().map(drop)
}

/// Reads the exchange of a `SELECT` of [`COLUMNS`]; `connection` gives the connection of a row number.
pub(super) fn read(
    row: &Row<'_>,
    door: Door<'_>,
    connection: impl FnOnce(i64) -> Result<Arc<Connection>, RowError>,
) -> Result<Exchange, RowError> {
    let mut columns = Reading { row, door, at: 0 };
    let id = columns.unsigned("id")?;
    let _run: i64 = columns.take()?;
    let connection = connection(columns.take()?)?;
    let started = Timestamp(columns.take()?);
    let method = columns.text()?.map(|text| door.token(text.as_bytes()));
    let url = columns.text()?.map(|text| door.url(text.as_bytes()));
    let status: Option<u16> = columns.take()?;
    let error = columns.failure(&servers(url.as_ref(), &connection))?;
    let timings = Timings { sent: columns.duration()?, first_byte: columns.duration()?, done: columns.duration()? };
    let running = columns.take()?;
    let request_unseen = columns.unseen("request_unseen")?;
    let response_unseen = columns.unseen("response_unseen")?;

    let version = columns.text()?;
    let fields = columns.text()?;
    let trailers = columns.text()?;
    let body = columns.body()?;
    let request = (version, fields, trailers, body);

    let version = columns.text()?;
    let reason = columns.text()?;
    let early: Option<bool> = columns.take()?;
    let interim = columns.text()?;
    let fields = columns.text()?;
    let trailers = columns.text()?;
    let body = columns.body()?;
    let request_head = columns.head("request_head_seen")?;
    let response_head = columns.head("response_head_seen")?;
    let request_odd = columns.odd("request_odd")?;
    let response_odd = columns.odd("response_odd")?;
    let socket = columns.text()?.map(|text| socket::read(text, door).ok_or(RowError::Foreign("response_socket")));
    let socket = socket.transpose()?.map(Box::new);
    let request = match request_unseen {
        Some(reason) => Seen::Unseen(reason),
        None => {
            let (version, fields, trailers, body) = request;
            Seen::Seen(Message { odd: request_odd, ..message(door, version, request_head, fields, trailers, body) })
        }
    };
    let response = match response_unseen {
        Some(reason) => Seen::Unseen(reason),
        None => Seen::Seen(Response {
            status,
            reason: door.prose(reason.unwrap_or_default().as_bytes()),
            interim: head::read_interim(interim.unwrap_or_default(), door)
                .ok_or(RowError::Foreign("response_interim"))?,
            early: early.unwrap_or_default(),
            message: Message { odd: response_odd, ..message(door, version, response_head, fields, trailers, body) },
            socket,
        }),
    };
    Ok(Exchange { id, started, connection, method, url, request, response, error, timings, running })
}

/// A number as SQLite holds it; one beyond its range is not reached by counting.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The member of `all` whose code is `code`.
pub(super) fn of_code<T: Copy>(all: &[T], code: &str, code_of: fn(T) -> &'static str) -> Option<T> {
    all.iter().copied().find(|item| code_of(*item) == code)
}

fn message(
    door: Door<'_>,
    version: Option<&str>,
    head: Head,
    fields: Option<&str>,
    trailers: Option<&str>,
    body: Body,
) -> Message {
    Message {
        version: door.token(version.unwrap_or_default().as_bytes()),
        head,
        fields: head::read_fields(fields.unwrap_or_default(), door),
        body,
        trailers: head::read_fields(trailers.unwrap_or_default(), door),
        odd: Oddities::NONE,
    }
}

/// The names that the server of an exchange goes by in its row.
fn servers<'a>(url: Option<&'a Url>, connection: &'a Connection) -> Vec<&'a str> {
    let target = connection.target.as_ref().map(Clean::as_str);
    url.map(Url::authority).into_iter().chain(target).collect()
}

struct Writing<'a, 'b> {
    statement: &'a mut Statement<'b>,
    people: Option<&'a mut People>,
    at: usize,
}

impl Writing<'_, '_> {
    fn put(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.at += 1;
        if let Some(people) = &mut self.people {
            people.meet_value(&value.to_sql()?);
        }
        self.statement.raw_bind_parameter(self.at, value)
    }

    fn put_trailers(&mut self, message: Option<&Message>) -> rusqlite::Result<()> {
        let message = message.filter(|message| !message.trailers.is_empty());
        self.put(message.map(|message| head::write_fields(&message.trailers)))
    }

    fn put_body(&mut self, message: Option<&Message>) -> rusqlite::Result<()> {
        let body = message.map(|message| &message.body);
        self.put(body.map(|body| body_kind(&body.content)))?;
        self.put(body.map(|body| signed(body.length)))?;
        let (complete, text) = match body.map(|body| &body.content) {
            Some(Content::Text { text, complete, .. }) => (Some(*complete), Some(text.as_str())),
            _ => (None, None),
        };
        self.put(complete)?;
        self.put(text)
    }
}

struct Reading<'a> {
    row: &'a Row<'a>,
    door: Door<'a>,
    at: usize,
}

impl<'a> Reading<'a> {
    fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.at += 1;
        self.row.get(self.at - 1)
    }

    fn unsigned(&mut self, column: &'static str) -> Result<u64, RowError> {
        u64::try_from(self.take::<i64>()?).map_err(|_| RowError::Foreign(column))
    }

    /// A text where it lies in the row: most go straight through the door.
    fn text(&mut self) -> rusqlite::Result<Option<&'a str>> {
        self.at += 1;
        Ok(self.row.get_ref(self.at - 1)?.as_str_or_null()?)
    }

    fn duration(&mut self) -> rusqlite::Result<Option<Duration>> {
        let micros: Option<i64> = self.take()?;
        Ok(micros.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or_default())))
    }

    fn code<T: Copy>(
        &mut self,
        column: &'static str,
        all: &[T],
        code_of: fn(T) -> &'static str,
    ) -> Result<Option<T>, RowError> {
        let code = self.text()?;
        code.map(|code| of_code(all, code, code_of).ok_or(RowError::Foreign(column))).transpose()
    }

    fn unseen(&mut self, column: &'static str) -> Result<Option<Unseen>, RowError> {
        self.code(column, &Unseen::ALL, Unseen::code)
    }

    fn odd(&mut self, column: &'static str) -> Result<Oddities, RowError> {
        let codes = self.text()?;
        codes.map_or(Ok(Oddities::NONE), |codes| Oddities::of_codes(codes).ok_or(RowError::Foreign(column)))
    }

    fn head(&mut self, column: &'static str) -> Result<Head, RowError> {
        Ok(self.code(column, &Head::ALL, Head::code)?.unwrap_or_default())
    }

    fn failure(&mut self, servers: &[&str]) -> Result<Option<Failure>, RowError> {
        let side = self.code("error_side", &Side::ALL, Side::code)?;
        let step = self.code("error_step", &Step::ALL, Step::code)?;
        let kind = self.code("error_kind", &FailureKind::ALL, FailureKind::code)?;
        let text = self.text()?.unwrap_or_default();
        match (side, step, kind) {
            (Some(side), Some(step), Some(kind)) => {
                Ok(Some(Failure { side, step, kind, text: self.door.failure(text.as_bytes(), servers) }))
            }
            (None, None, None) => Ok(None),
            _ => Err(RowError::Foreign("error_kind")),
        }
    }

    fn body(&mut self) -> Result<Body, RowError> {
        let kind = self.text()?;
        let length = u64::try_from(self.take::<Option<i64>>()?.unwrap_or_default()).unwrap_or_default();
        let complete: Option<bool> = self.take()?;
        let text = self.text()?;
        let content = read_content(kind.unwrap_or("empty"), complete, text, self.door);
        content.map(|content| Body { length, content }).ok_or(RowError::Foreign("body_kind"))
    }
}

/// The content of a body of this `kind`; nothing where no version of ours writes such.
pub(in crate::session) fn read_content(
    kind: &str,
    complete: Option<bool>,
    text: Option<&str>,
    door: Door<'_>,
) -> Option<Content> {
    Some(match kind {
        "empty" => Content::Empty,
        "binary" => Content::Withheld(Withheld::Binary),
        "undecodable" => Content::Withheld(Withheld::Undecodable),
        "not-recorded" => Content::Withheld(Withheld::NotRecorded),
        kind => {
            let syntax = Syntax::ALL.into_iter().find(|syntax| syntax.code() == kind)?;
            let text = door.body_text(syntax, text.unwrap_or_default().as_bytes());
            Content::Text { syntax, text, complete: complete.unwrap_or_default() }
        }
    })
}

/// A stable word for what is kept of a body.
pub(in crate::session) fn body_kind(content: &Content) -> &'static str {
    match content {
        Content::Empty => "empty",
        Content::Text { syntax, .. } => syntax.code(),
        Content::Withheld(Withheld::Binary) => "binary",
        Content::Withheld(Withheld::Undecodable) => "undecodable",
        Content::Withheld(Withheld::NotRecorded) => "not-recorded",
    }
}
