//! Raw messages inside a text: where each begins, its fields, its body.
//!
//! Line ends may be CRLF, LF or mixed. A message begins with a request line or a status line, wherever one stands; what
//! stands before the first is left out.

use std::borrow::Cow;

/// A message found.
pub(super) enum Message<'t> {
    /// A request.
    Request(RequestLine<'t>, Part<'t>),
    /// A response, interim or final.
    Response(StatusLine<'t>, Part<'t>),
}

/// The first line of a request.
#[derive(Clone, Copy)]
pub(super) struct RequestLine<'t> {
    pub(super) method: &'t str,
    /// In any form; may hold blanks where a marker stands in it.
    pub(super) target: &'t str,
    pub(super) version: &'t str,
}

/// The first line of a response.
#[derive(Clone, Copy)]
pub(super) struct StatusLine<'t> {
    pub(super) version: &'t str,
    pub(super) status: u16,
    pub(super) reason: &'t str,
}

/// What follows the first line.
pub(super) struct Part<'t> {
    pub(super) fields: Vec<Field<'t>>,
    /// Up to the next message, empty lines around it left out.
    text: &'t str,
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

/// The messages in `text`, in order.
pub(super) fn parts(text: &str) -> Vec<Message<'_>> {
    let starts: Vec<(usize, usize)> = lines(text).filter(|(from, to)| is_start(&text[*from..*to])).collect();
    let ends = starts.iter().skip(1).map(|(from, _)| *from).chain([text.len()]);
    let message = |((from, to), end): (&(usize, usize), usize)| {
        let first = text[*from..*to].trim();
        let part = part(&text[*to..end]);
        match (request_line(first), status_line(first)) {
            (Some(line), _) => Some(Message::Request(line, part)),
            (None, Some(line)) => Some(Message::Response(line, part)),
            (None, None) => None,
        }
    };
    starts.iter().zip(ends).filter_map(message).collect()
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
    is_version(version).then_some(StatusLine { version, status, reason: reason.trim() })
}

fn is_version(word: &str) -> bool {
    word.strip_prefix("HTTP/").is_some_and(|number| {
        (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

/// Fields up to an empty line, or to what can be none: an empty line is easily lost in copying.
fn part(text: &str) -> Part<'_> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    for (from, to) in lines(text) {
        let line = &text[from..to];
        // The rest of the first line comes first, and it is empty.
        if from == 0 {
            continue;
        }
        if line.trim().is_empty() {
            return Part { fields, text: body_text(&text[to..]) };
        }
        if line.starts_with(['{', '<']) {
            return Part { fields, text: body_text(&text[from..]) };
        }
        match field(line) {
            Some(field) => fields.push(field),
            None => run_on(&mut fields, line.trim()),
        }
    }
    Part { fields, text: "" }
}

/// A line that begins with blanks, or is no field, carries on the value before it.
fn run_on(fields: &mut [Field<'_>], line: &str) {
    if let Some(last) = fields.last_mut() {
        let value = last.value.to_mut();
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(line);
    }
}

fn field(line: &str) -> Option<Field<'_>> {
    let (name, value) = line.split_once(':')?;
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
fn lines(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = from;
        from += line.len();
        (start, start + line.trim_end_matches(['\r', '\n']).len())
    })
}
