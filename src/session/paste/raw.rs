//! Raw messages inside a text: where each begins, its fields, its body.
//!
//! Line ends may be CRLF, LF or mixed. A message begins with a request line or a status line, wherever one stands. What
//! stands outside of messages is for [`super::excerpt`].

use std::borrow::Cow;

use super::{browser, excerpt};
use crate::exchange::Head;

/// A message found.
pub(super) enum Message<'t> {
    /// A request.
    Request(RequestLine<'t>, Part<'t>),
    /// A response, interim or final.
    Response(StatusLine<'t>, Part<'t>),
}

/// The first line of a request; all of it empty where only fields were copied.
#[derive(Clone, Copy, Default)]
pub(super) struct RequestLine<'t> {
    pub(super) method: &'t str,
    /// In any form; may hold blanks where a marker stands in it.
    pub(super) target: &'t str,
    pub(super) version: &'t str,
}

/// The first line of a response.
#[derive(Clone, Copy, Default)]
pub(super) struct StatusLine<'t> {
    pub(super) version: &'t str,
    /// Nothing where it was not copied.
    pub(super) status: Option<u16>,
    pub(super) reason: &'t str,
}

/// What follows the first line.
pub(super) struct Part<'t> {
    pub(super) fields: Vec<Field<'t>>,
    /// Up to the next message, empty lines around it left out.
    pub(super) text: &'t str,
    /// How much of the head is there.
    pub(super) head: Head,
    /// Whether `text` is no body, but what somebody or some tool says of the answer.
    pub(super) prose: bool,
}

/// One field. A value that ran on over further lines is joined by blanks.
pub(super) struct Field<'t> {
    pub(super) name: &'t str,
    pub(super) value: Cow<'t, str>,
}

impl Part<'_> {
    /// The value of the first field called `name`.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| &*field.value)
    }

    /// The body; chunk sizes, which raw views show, are taken out.
    pub(super) fn body(&self) -> Cow<'_, str> {
        let chunked =
            self.value("transfer-encoding").is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"));
        match chunked.then(|| dechunked(self.text)).flatten() {
            Some(text) => Cow::Owned(text),
            None => Cow::Borrowed(self.text),
        }
    }
}

impl Part<'_> {
    /// Where the body ends and what somebody wrote below it begins.
    fn end_of_body(&self) -> usize {
        let text = self.text;
        let stated = self.value("content-length").and_then(|length| length.trim().parse::<usize>().ok());
        match (stated, text.as_bytes().first()) {
            (Some(0), _) => 0,
            (_, Some(b'{')) => {
                let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
                if values.next().is_some_and(|value| value.is_ok()) { values.byte_offset() } else { text.len() }
            }
            (_, Some(b'<')) => text.rfind('>').map_or(text.len(), |end| end + 1),
            (Some(stated), _) if text.get(stated..).is_some_and(|rest| rest.starts_with(['\r', '\n'])) => stated,
            _ => text.len(),
        }
    }
}

/// The messages in `text`, in order.
pub(super) fn parts(text: &str) -> Vec<Message<'_>> {
    let starts: Vec<(usize, usize)> = lines(text).filter(|(from, to)| is_start(&text[*from..*to])).collect();
    let first = starts.first().map_or(text.len(), |(from, _)| *from);
    let alone = starts.is_empty();
    let mut messages = excerpt::messages(&text[..first], alone);
    let ends = starts.iter().skip(1).map(|(from, _)| *from).chain([text.len()]);
    for ((from, to), end) in starts.iter().zip(ends) {
        let line = &text[*from..*to];
        let mut part = part(&text[*to..end], line.len() - line.trim_start().len());
        let (body, after) = part.text.split_at(part.end_of_body());
        part.text = body.trim_end();
        match (request_line(line.trim()), status_line(line.trim())) {
            (Some(line), _) => messages.push(Message::Request(line, part)),
            (None, Some(line)) => messages.push(Message::Response(line, part)),
            (None, None) => {}
        }
        messages.extend(excerpt::messages(after, false));
    }
    messages
}

fn is_start(line: &str) -> bool {
    let line = line.trim();
    request_line(line).is_some() || status_line(line).is_some()
}

/// `GET /path HTTP/1.1`.
fn request_line(line: &str) -> Option<RequestLine<'_>> {
    let (method, rest) = line.split_once(' ')?;
    let (target, version) = rest.rsplit_once(' ')?;
    let target = target.trim();
    let is_method = (2..=20).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-'));
    (is_method && !target.is_empty() && is_version(version)).then_some(RequestLine { method, target, version })
}

/// `HTTP/1.1 401 Unauthorized`; HTTP/2 has no reason.
fn status_line(line: &str) -> Option<StatusLine<'_>> {
    let (version, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = if status.len() == 3 {
        status.parse().ok().filter(|status| (100..1000).contains(status))?
    } else {
        return None;
    };
    is_version(version).then_some(StatusLine { version, status: Some(status), reason: reason.trim() })
}

fn is_version(word: &str) -> bool {
    word.strip_prefix("HTTP/").is_some_and(|number| {
        (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

/// Fields up to an empty line, or to what can be none: an empty line is easily lost in copying. All lines may be
/// indented as the first one was.
fn part(text: &str, indent: usize) -> Part<'_> {
    let mut part = Part { fields: Vec::new(), text: "", head: Head::Whole, prose: false };
    for (from, to) in lines(text) {
        let line = &text[from..to];
        // The rest of the first line comes first, and it is empty.
        if from == 0 {
            continue;
        }
        if line.trim().is_empty() {
            part.text = body_text(&text[to..]);
            return part;
        }
        if line == browser::EXCERPT {
            part.head = Head::Excerpt;
            continue;
        }
        let blanks = line.len() - line.trim_start().len();
        let line = &line[blanks.min(indent)..];
        if line.starts_with(['{', '<']) {
            part.text = body_text(&text[from..]);
            return part;
        }
        // Inside quotes, what looks like a name may be a word of a sentence.
        let is_inside = part.fields.last().is_some_and(|last| is_quote_open(&last.value));
        match field(line).filter(|field| !is_inside || excerpt::is_header(field)) {
            Some(field) => part.fields.push(field),
            None if part.fields.last().is_none_or(|last| carries_on(&last.value, line)) => {
                run_on(&mut part.fields, line.trim());
            }
            None => {
                part.text = body_text(&text[from..]);
                return part;
            }
        }
    }
    part
}

/// Whether `line` carries on a field's value: it is folded, or the value is open, or a long word was broken.
pub(super) fn carries_on(value: &str, line: &str) -> bool {
    let trimmed = line.trim();
    let is_parameter = trimmed.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    line.starts_with([' ', '\t'])
        || value.is_empty()
        || value.ends_with([';', ',', '=', '+', '%', '&'])
        || is_quote_open(value)
        || is_parameter
        || (!trimmed.contains(' ') && is_long_word(last_word(value)))
}

/// Adds a line to the last value: with a blank, unless the line end broke a word.
pub(super) fn run_on(fields: &mut [Field<'_>], line: &str) {
    if let Some(last) = fields.last_mut() {
        let broken = is_broken_word(&last.value);
        let value = last.value.to_mut();
        if !value.is_empty() && !broken {
            value.push(' ');
        }
        value.push_str(line);
    }
}

/// Whether the end of `value` is the middle of a word: of a URL inside quotes, of a token.
fn is_broken_word(value: &str) -> bool {
    let word = last_word(value);
    let in_url = is_quote_open(value)
        && value.rsplit('"').next().is_some_and(|open| open.contains("://") && !open.contains(' '));
    in_url || is_long_word(word)
}

/// Whether a line end may have broken this word: a token, a URL.
fn is_long_word(word: &str) -> bool {
    word.len() >= 40 && !word.ends_with([';', ',', '"'])
}

pub(super) fn is_quote_open(value: &str) -> bool {
    value.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

fn last_word(value: &str) -> &str {
    value.rsplit(char::is_whitespace).next().unwrap_or_default()
}

/// A field in the forms it is copied in: `Name: value`, `Name →value`, `Name : value`, `'name': 'value',`.
pub(super) fn field(line: &str) -> Option<Field<'_>> {
    let at = line.find([':', '\u{2192}', '\t'])?;
    let (name, value) = line.split_at(at);
    let value = value.trim_start_matches([':', '\u{2192}', '\t', ' ']);
    if value.starts_with("//") {
        return None;
    }
    let is_quoted =
        |quote: char| name.trim().len() > 2 && name.trim().starts_with(quote) && name.trim().ends_with(quote);
    let quote = ['\'', '"'].into_iter().find(|quote| is_quoted(*quote));
    let (name, value) = match quote {
        Some(quote) => {
            let value = value.trim().trim_end_matches(',');
            let inside = value.strip_prefix(['\'', '"']).and_then(|value| value.strip_suffix(['\'', '"']));
            (name.trim().trim_matches(quote), inside.unwrap_or(value))
        }
        None => (name.trim_end_matches(' '), value),
    };
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    is_name.then(|| Field { name, value: Cow::Borrowed(value.trim()) })
}

fn body_text(text: &str) -> &str {
    text.trim_start_matches(['\r', '\n']).trim_end()
}

/// Removes chunk sizes where they fit the text as it stands, or where there is only one chunk; nothing where they do
/// not.
fn dechunked(text: &str) -> Option<String> {
    let mut rest = text;
    let mut joined = String::with_capacity(text.len());
    loop {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(joined);
        }
        let end_of_chunk = |at: usize| after.get(at..).is_some_and(|rest| rest.starts_with(['\r', '\n']));
        match after.get(..size) {
            Some(chunk) if end_of_chunk(size) => {
                joined.push_str(chunk);
                rest = after[size..].trim_start_matches(['\r', '\n']);
            }
            // Cut short.
            None if after.lines().all(|line| usize::from_str_radix(line.trim(), 16) != Ok(0)) => {
                joined.push_str(after);
                return Some(joined);
            }
            // Converted line ends make sizes wrong; a single chunk stands between the first line and the last.
            _ if joined.is_empty() => {
                return after.trim_end().strip_suffix("\n0").map(|chunk| chunk.trim_end().to_owned());
            }
            _ => return None,
        }
    }
}

/// Where the lines of `text` begin and end, line ends left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = from;
        from += line.len();
        (start, start + line.trim_end_matches(['\r', '\n']).len())
    })
}
