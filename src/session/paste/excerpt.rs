//! What people copy when they do not copy messages: some header lines, a lone error, a body, a sentence of a tool.
//!
//! Lines that are fields of HTTP make a message of which some lines are known. Of prose only what tells of an error is
//! taken, paragraph by paragraph; letters and greetings around it are left out.

use std::borrow::Cow;

use serde_json::Value;

use super::raw::{self, Field, Message, Part, RequestLine, StatusLine};
use super::told;
use crate::exchange::Head;

/// The messages in a text outside of raw messages. `alone` says that there are none of those: then even words that
/// merely sound like an error are taken.
pub(super) fn messages(text: &str, alone: bool) -> Vec<Message<'_>> {
    let mut reading = Reading {
        text,
        messages: Vec::new(),
        run: Run::default(),
        paragraph: None,
        sentence_to: None,
        fields_to: None,
    };
    let mut skip_to = 0;
    for (from, to) in raw::lines(text) {
        if from < skip_to {
            continue;
        }
        if let Some(end) = reading.structured(from) {
            skip_to = end;
            continue;
        }
        reading.line(from, to);
    }
    reading.end_run();
    reading.end_paragraph();
    let mut messages = reading.messages;
    if messages.is_empty() && alone && told::sounds_like_an_error(text) {
        messages.push(response(Vec::new(), None, text.trim(), true));
    }
    messages
}

/// Whether a field of this name is a request's.
pub(super) fn is_of_request(name: &str) -> bool {
    const NAMES: [&str; 24] = [
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "client-request-id",
        "cookie",
        "dnt",
        "expect",
        "host",
        "if-none-match",
        "origin",
        "priority",
        "proxy-authorization",
        "referer",
        "soapaction",
        "upgrade-insecure-requests",
        "user-agent",
        "x-anchormailbox",
        "x-clientapplication",
        "x-clientinfo",
        "x-mapihttpcapability",
        "x-requesttype",
        "x-user-identity",
        "ms-asprotocolversion",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) || starts_with(name, "sec-")
}

/// Whether a line with this field is copied for its own sake, whatever stands around it.
fn is_telling(name: &str, value: &str) -> bool {
    const NAMES: [&str; 10] = [
        "authorization",
        "proxy-authorization",
        "www-authenticate",
        "proxy-authenticate",
        "diagnostics",
        "request-id",
        "set-cookie",
        "sprequestguid",
        "microsoftsharepointteamservices",
        "user-agent",
    ];
    let is_url = || ["http", "urn:", "/"].iter().any(|start| starts_with(value, start));
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
        || starts_with(name, "x-")
        || starts_with(name, "ms-")
        || (name.eq_ignore_ascii_case("location") && is_url())
}

/// Names that begin a list of fields, though on their own they may be words of a letter.
fn is_known(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "allow",
        "age",
        "alt-svc",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-security-policy",
        "content-type",
        "date",
        "expires",
        "keep-alive",
        "location",
        "p3p",
        "pragma",
        "proxy-support",
        "retry-after",
        "server",
        "strict-transport-security",
        "transfer-encoding",
        "vary",
        "via",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) || is_of_request(name)
}

/// Whether a field is one that HTTP knows, or that somebody copied for its own sake.
pub(super) fn is_header(field: &Field<'_>) -> bool {
    is_telling(field.name, &field.value) || is_known(field.name)
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

struct Reading<'t> {
    text: &'t str,
    messages: Vec<Message<'t>>,
    run: Run<'t>,
    /// Where the paragraph at hand begins and ends.
    paragraph: Option<(usize, usize)>,
    /// Where the next line after the last message begins, if that was a paragraph.
    sentence_to: Option<usize>,
    /// Where the last fields end, if they are of the last message.
    fields_to: Option<usize>,
}

/// Fields on lines after each other.
#[derive(Default)]
struct Run<'t> {
    status: Option<(u16, &'t str)>,
    fields: Vec<Field<'t>>,
    /// Lines of other words since the last field: a heading, an empty line.
    gap: usize,
    from: usize,
    to: usize,
}

impl<'t> Reading<'t> {
    fn line(&mut self, from: usize, to: usize) {
        let line = &self.text[from..to];
        if let Some(status) = told::status_alone(line) {
            self.end_run();
            self.end_paragraph();
            self.run = Run { status: Some(status), from, to, ..Run::default() };
            return;
        }
        if let Some(field) = self.field(line) {
            if self.is_next_of_another(&field) {
                self.end_run();
            }
            self.end_paragraph();
            if self.run.is_empty() {
                self.run.from = from;
            }
            (self.run.gap, self.run.to) = (0, to);
            self.run.fields.push(field);
            return;
        }
        let carries_on = self.run.gap == 0
            && self.run.fields.last().is_some_and(|last| raw::carries_on(&last.value, line))
            && !line.trim().is_empty();
        if carries_on {
            raw::run_on(&mut self.run.fields, line.trim());
            self.run.to = to;
            return;
        }
        // Inspectors group fields under headings.
        let is_heading = line.split_whitespace().count() <= 3 && !told::tells(line);
        if !self.run.is_empty() && is_heading && self.run.gap < 2 {
            self.run.gap += 1;
            return;
        }
        self.end_run();
        self.prose(from, to);
    }

    /// A field that begins a run or goes on with one. Names of letters and of prose are none.
    fn field(&self, line: &'t str) -> Option<Field<'t>> {
        let bare = line.trim();
        if let Some(name) = told::nameless(bare) {
            return Some(Field { name, value: Cow::Borrowed(bare) });
        }
        let mut field = raw::field(bare)?;
        let is_inside = self.run.fields.last().is_some_and(|last| raw::is_quote_open(&last.value));
        let in_run = !self.run.is_empty() && self.run.gap == 0 && !is_inside;
        let known = is_header(&field);
        if !known && (!in_run || told::tells(&field.value) || field.name.len() < 3) {
            return None;
        }
        if field.name.eq_ignore_ascii_case("diagnostics") {
            if !told::is_diagnostics(&field.value) {
                return None;
            }
            field.name = "x-ms-diagnostics";
        }
        Some(field)
    }

    /// Whether a field cannot be of the run at hand: it has that one already.
    fn is_next_of_another(&self, field: &Field<'_>) -> bool {
        const ONCE: [&str; 6] = ["x-ms-diagnostics", "location", "date", "server", "content-length", "x-feserver"];
        let has = |name: &str| self.run.fields.iter().any(|known| known.name.eq_ignore_ascii_case(name));
        ONCE.iter().any(|once| field.name.eq_ignore_ascii_case(once)) && has(field.name)
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run.fields.is_empty() {
            if run.status.is_some() {
                self.prose(run.from, run.to);
            }
            return;
        }
        if !run.fields.iter().any(|field| is_telling(field.name, &field.value)) && run.status.is_none() {
            for (from, to) in raw::lines(&self.text[run.from..run.to]) {
                self.prose(run.from + from, run.from + to);
            }
            return;
        }
        let (mut request, mut answer): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        let mut of_request = false;
        for field in run.fields {
            // What either may have is that one's whose lines stand around it.
            let either = starts_with(field.name, "content-")
                || ["connection", "client-request-id"].iter().any(|name| field.name.eq_ignore_ascii_case(name));
            of_request = if either { of_request } else { is_of_request(field.name) };
            if of_request { request.push(field) } else { answer.push(field) }
        }
        if !request.is_empty() {
            let part = Part { fields: request, text: "", head: Head::Excerpt, prose: false };
            self.messages.push(Message::Request(RequestLine::default(), part));
        }
        if answer.is_empty() && run.status.is_none() {
            return;
        }
        let below_sentence = self.is_below_sentence(run.from);
        match self.messages.last_mut() {
            // The sentence right above says what the fields are of.
            Some(Message::Response(line, part)) if below_sentence => {
                part.fields.extend(answer);
                line.status = line.status.or(run.status.map(|(status, _)| status));
            }
            _ => self.messages.push(response(answer, run.status, "", false)),
        }
        self.fields_to = Some(run.to);
    }

    /// Whether fields that begin here follow the last sentence, with no more than a heading between.
    fn is_below_sentence(&self, from: usize) -> bool {
        let between = self.sentence_to.and_then(|end| self.text.get(end..from));
        between.is_some_and(|words| {
            words.is_empty() || (words.trim().lines().count() == 1 && words.to_ascii_lowercase().contains("header"))
        })
    }

    /// Adds a line of prose to the paragraph, which ends at an empty line and where another error is told of.
    fn prose(&mut self, from: usize, to: usize) {
        let line = &self.text[from..to];
        if line.trim().is_empty() || told::is_mail_heading(line) {
            return self.end_paragraph();
        }
        if let Some((start, end)) = self.paragraph {
            let in_brackets = line.trim_start().starts_with(['(', '\u{ff08}']);
            if told::begins(line) && told::tells(&self.text[start..end]) && !in_brackets {
                self.end_paragraph();
            }
        }
        let start = self.paragraph.map_or(from, |(start, _)| start);
        self.paragraph = Some((start, to));
    }

    fn end_paragraph(&mut self) {
        let Some((from, to)) = self.paragraph.take() else { return };
        let paragraph = &self.text[from..to];
        if !told::tells(paragraph) {
            return;
        }
        let line_end = self.text[to..].find('\n').map_or(0, |at| at + 1);
        self.sentence_to = Some(to + line_end);
        let fields = told::fields(paragraph);
        match self.messages.last_mut() {
            // Told once more: a page and its details, an exception and the exception inside.
            Some(Message::Response(_, part)) if part.prose && told::is_same(part.text, paragraph) => {}
            // Words below fields that the words hold too, or that say nothing of their own.
            Some(Message::Response(_, part))
                if self.fields_to.is_some_and(|end| self.text[end..from].split_whitespace().count() <= 3)
                    && part.text.is_empty()
                    && !paragraph.lines().any(told::begins)
                    && fields.iter().all(|field| part.value(field.name) == Some(&*field.value)) =>
            {
                (part.text, part.prose) = (paragraph.trim(), true);
            }
            _ => self.messages.push(response(fields, None, paragraph.trim(), true)),
        }
    }

    /// JSON or XML that begins here and tells of an error: the body of the response before it, or one of its own. Gives
    /// where it ends.
    fn structured(&mut self, from: usize) -> Option<usize> {
        let rest = &self.text[from..];
        let line = rest.lines().next()?;
        // Shells and exceptions name themselves before it.
        let inside = || ["{\"error\"", "{\"odata.error\"", "{ \"error\""].iter().find_map(|start| line.find(start));
        let start = rest.trim_start_matches([' ', '\t']);
        let start = if start.starts_with(['{', '<']) { start } else { &rest[inside()?..] };
        let length = match start.as_bytes().first()? {
            b'{' => {
                let mut values = serde_json::Deserializer::from_str(start).into_iter::<Value>();
                let tells = values.next()?.is_ok_and(|value| told::is_error(&value));
                tells.then(|| values.byte_offset())?
            }
            b'<' => {
                let length = start.rfind('>')? + 1;
                told::is_error_markup(&start[..length]).then_some(length)?
            }
            _ => return None,
        };
        let body = &start[..length];
        self.end_run();
        self.end_paragraph();
        let end = self.text.len() - start.len() + length;
        let next = end + self.text[end..].find('\n').map_or(self.text.len() - end, |at| at + 1);
        match self.messages.last_mut() {
            Some(Message::Response(_, part)) if part.text.is_empty() && !part.prose => part.text = body,
            Some(Message::Response(_, part)) if part.prose && told::is_same(part.text, body) => {
                self.sentence_to = Some(next);
            }
            _ => self.messages.push(response(Vec::new(), None, body, false)),
        }
        Some(next)
    }
}

impl Run<'_> {
    const fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.status.is_none()
    }
}

fn response<'t>(fields: Vec<Field<'t>>, status: Option<(u16, &'t str)>, text: &'t str, prose: bool) -> Message<'t> {
    let line =
        StatusLine { version: "", status: status.map(|(status, _)| status), reason: status.map_or("", |(_, r)| r) };
    Message::Response(line, Part { fields, text, head: Head::Excerpt, prose })
}
