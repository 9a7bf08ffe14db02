//! HTTP that somebody copied as text: requests and responses as they stand in a raw view, alone or joined, as tools print
//! them, or some lines of them; and what an error says of itself.
//!
//! Such text is damaged in every way: line ends changed, empty lines lost or added, bodies cut, charsets converted.
//! So nothing is refused; what is missing is unseen, never absent. The text may be a copy of our own screen, so markers
//! in it are read back.

mod browser;
mod charset;
mod curl;
mod excerpt;
mod raw;
mod told;

use std::sync::Arc;

use self::raw::{Part, RequestLine, StatusLine};
use crate::exchange::{
    Connection, Exchange, Ids, Interim, Message, Oddities, Response, Seen, Timestamp, Timings, Unseen,
};
use crate::redact::{Body, Content, Door, Fields, RawBody, Redactor, Syntax, Url};

/// The exchanges in pasted `text`, in its order: one for each request with its response, or for either alone.
///
/// Where nothing is recognised it is a single one of which nothing was seen.
pub fn read(text: &[u8], redactor: &Redactor, ids: &Ids, now: Timestamp) -> Vec<Exchange> {
    let mut text = charset::decoded(text);
    let is_lone = |(at, _): (usize, &str)| !text[at + 1..].starts_with('\n');
    if text.match_indices('\r').any(is_lone) {
        text = text.replace("\r\n", "\n").replace('\r', "\n").into();
    }
    let mut reading = Reading {
        door: redactor.own(),
        ids,
        now,
        connection: Arc::new(Connection { id: ids.connection(), ..Connection::default() }),
        exchanges: Vec::new(),
    };
    let text = curl::plain(&text);
    let text = browser::plain(&text);
    reading.pair(raw::parts(&text));
    if reading.exchanges.is_empty() {
        reading.add(None, None);
    }
    reading.exchanges
}

struct Reading<'a> {
    door: Door<'a>,
    ids: &'a Ids,
    now: Timestamp,
    connection: Arc<Connection>,
    exchanges: Vec<Exchange>,
}

/// A request that may still get its response.
struct Asked<'t> {
    line: RequestLine<'t>,
    part: Part<'t>,
}

impl Reading<'_> {
    /// A response belongs to the request right before it, together with the interim ones between them.
    fn pair(&mut self, messages: Vec<raw::Message<'_>>) {
        let mut asked: Option<Asked<'_>> = None;
        let mut interim = Vec::new();
        let mut messages = messages.into_iter().peekable();
        while let Some(message) = messages.next() {
            match message {
                raw::Message::Request(line, part) => {
                    let before = asked.replace(Asked { line, part });
                    self.add_unanswered(before, &mut interim);
                }
                raw::Message::Response(StatusLine { status: Some(status @ (100 | 102..200)), reason, .. }, part) => {
                    interim.push(Interim {
                        status,
                        reason: self.door.prose(reason.as_bytes()),
                        fields: self.fields(&part),
                    });
                }
                raw::Message::Response(line, part) => {
                    let asked = asked.take();
                    // A tunnel whose inside stands below is no exchange of its own.
                    let is_tunnel = asked.as_ref().is_some_and(|asked| asked.line.method == "CONNECT");
                    if is_tunnel && matches!(line.status, Some(200..=299)) && messages.peek().is_some() {
                        continue;
                    }
                    let response = self.response(asked.as_ref(), &line, &part, std::mem::take(&mut interim));
                    self.add(asked.as_ref(), Some(response));
                }
            }
        }
        self.add_unanswered(asked, &mut interim);
    }

    fn add_unanswered(&mut self, asked: Option<Asked<'_>>, interim: &mut Vec<Interim>) {
        let interim = std::mem::take(interim);
        if asked.is_some() || !interim.is_empty() {
            self.add(asked.as_ref(), None);
        }
    }

    fn add(&mut self, asked: Option<&Asked<'_>>, response: Option<Response>) {
        let request = asked.map(|asked| self.message(asked.line.version, &asked.part, false));
        self.exchanges.push(Exchange {
            id: self.ids.exchange(),
            started: self.now,
            connection: Arc::clone(&self.connection),
            method: asked
                .filter(|asked| !asked.line.method.is_empty())
                .map(|asked| self.door.token(asked.line.method.as_bytes())),
            url: asked.and_then(|asked| self.url(asked)),
            request: request.map_or(Seen::Unseen(Unseen::NotInSource), Seen::Seen),
            response: response.map_or(Seen::Unseen(Unseen::NotInSource), Seen::Seen),
            error: None,
            timings: Timings::default(),
            running: false,
        });
    }

    /// Absolute as it stands; else on the host that the Host field names, by https.
    fn url(&self, asked: &Asked<'_>) -> Option<Url> {
        let target = asked.line.target;
        if target.contains("://") {
            return Some(self.door.url(target.as_bytes()));
        }
        let (host, path) = match target {
            _ if asked.line.method.eq_ignore_ascii_case("CONNECT") => (target, "/"),
            "*" | "" => (asked.part.value("host")?, "/"),
            path => (asked.part.value("host")?, path),
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        (!host.is_empty()).then(|| self.door.url(format!("https://{host}{slash}{path}").as_bytes()))
    }

    fn response(
        &self,
        asked: Option<&Asked<'_>>,
        line: &StatusLine<'_>,
        part: &Part<'_>,
        interim: Vec<Interim>,
    ) -> Response {
        let bodiless =
            matches!(line.status, Some(101 | 204 | 304)) || asked.is_some_and(|asked| asked.line.method == "HEAD");
        Response {
            status: line.status,
            reason: self.door.prose(line.reason.as_bytes()),
            message: self.message(line.version, part, bodiless),
            interim,
            early: false,
            socket: None,
        }
    }

    fn message(&self, version: &str, part: &Part<'_>, bodiless: bool) -> Message {
        Message {
            version: self.door.token(version.as_bytes()),
            head: part.head,
            fields: self.fields(part),
            body: if bodiless { Body { length: 0, content: Content::Empty } } else { self.body(part) },
            trailers: Fields::default(),
            odd: Oddities::NONE,
        }
    }

    fn fields(&self, part: &Part<'_>) -> Fields {
        part.fields.iter().map(|field| self.door.field(field.name.as_bytes(), field.value.as_bytes())).collect()
    }

    /// The text is what somebody saw, so it is decoded already; what Content-Length says may be of other bytes.
    fn body(&self, part: &Part<'_>) -> Body {
        if part.prose {
            let text = self.door.body_text(Syntax::Text, part.text.as_bytes());
            let length = part.text.len() as u64;
            return Body { length, content: Content::Text { syntax: Syntax::Text, text, complete: true } };
        }
        let text = part.body();
        let stated: Option<u64> = part.value("content-length").and_then(|length| length.trim().parse().ok());
        let seen = text.len() as u64;
        // Line ends may have lost a byte each on the way.
        let line_ends = text.bytes().filter(|byte| *byte == b'\n').count() as u64;
        let decoded = part.value("content-encoding").is_some();
        let length = stated.filter(|stated| *stated > seen + line_ends && !decoded).unwrap_or(seen);
        if text.is_empty() && length == 0 {
            return Body { length, content: Content::Empty };
        }
        let binary = text.contains(|c: char| c == '\u{FFFD}' || (c.is_control() && !c.is_whitespace()));
        let media_type = part.value("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let content_type = if media_type.is_empty() { String::new() } else { format!("{media_type}; charset=utf-8") };
        let content_encoding = if binary { part.value("content-encoding").unwrap_or_default() } else { "" };
        let body = self.door.body(RawBody {
            bytes: text.as_bytes().to_vec().into(),
            length,
            recorded: !text.is_empty(),
            // What a person pastes is before their eyes already.
            refusal: true,
            content_type: content_type.into_bytes(),
            content_encoding: content_encoding.as_bytes().to_vec(),
        });
        Body { length: stated.unwrap_or(seen), content: body.content }
    }
}

#[cfg(test)]
mod tests;
