//! Fields as `Name: value` lines, as they stand in a session file.
//!
//! Order, spelling and duplicates are kept. A line break inside a value (a folded field) is written as `\x0D\x0A`, in
//! the way in which [`Clean`] writes bytes that are no text, so that one line is one field. Nothing else is written so:
//! in a clean text a backslash of the wire before an `x` is `\x5C`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::exchange::Interim;
use crate::redact::{Clean, Door, Field, Fields};

/// How many heads are remembered.
const REMEMBERED: usize = 256;

/// The lines of heads that exchanges share, written out once.
#[derive(Default)]
pub(super) struct Heads {
    /// By where the fields lie: they are kept, so that nothing else comes to lie there.
    known: HashMap<usize, (Fields, Arc<str>)>,
}

impl Heads {
    /// The lines of `fields`.
    pub(super) fn lines(&mut self, fields: &Fields) -> Arc<str> {
        if !fields.is_shared() {
            return write_fields(fields).into();
        }
        let place = fields.as_ptr() as usize;
        if let Some((_, lines)) = self.known.get(&place) {
            return Arc::clone(lines);
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let lines: Arc<str> = write_fields(fields).into();
        self.known.insert(place, (fields.clone(), Arc::clone(&lines)));
        lines
    }
}

/// The lines of `fields`.
pub(super) fn write_fields(fields: &[Field]) -> String {
    let room = fields.iter().map(|field| field.name.as_str().len() + field.value.as_str().len() + 3).sum();
    let mut lines = String::with_capacity(room);
    write_into(&mut lines, fields);
    lines
}

/// The fields of `lines`.
pub(super) fn read_fields(lines: &str, door: Door<'_>) -> Fields {
    lines.split_terminator('\n').map(|line| read_field(line, door)).collect()
}

/// The fields of `lines` that are called one of `names`, in any letter case.
pub(super) fn read_named(lines: &str, names: &[&str], door: Door<'_>) -> Fields {
    let wanted = |line: &&str| names.iter().any(|name| split(line).0.eq_ignore_ascii_case(name));
    lines.split_terminator('\n').filter(wanted).map(|line| read_field(line, door)).collect()
}

/// Interim responses as a status line, their fields and an empty line each.
pub(super) fn write_interim(interim: &[Interim]) -> String {
    let mut lines = String::new();
    for response in interim {
        lines.push_str(&response.status.to_string());
        lines.push(' ');
        lines.push_str(&one_line(&response.reason));
        lines.push('\n');
        write_into(&mut lines, &response.fields);
        lines.push('\n');
    }
    lines
}

/// Reads [`write_interim`] back; nothing where a status line is none.
pub(super) fn read_interim(text: &str, door: Door<'_>) -> Option<Vec<Interim>> {
    let mut lines = text.split_terminator('\n');
    let mut interim = Vec::new();
    while let Some(first) = lines.next() {
        let (status, reason) = first.split_once(' ')?;
        interim.push(Interim {
            status: status.parse().ok()?,
            reason: door.prose(unescaped(reason).as_bytes()),
            fields: lines.by_ref().take_while(|line| !line.is_empty()).map(|line| read_field(line, door)).collect(),
        });
    }
    Some(interim)
}

/// Reads [`write_lines`] back.
pub(super) fn read_hosts(lines: &str, door: Door<'_>) -> Vec<Clean> {
    lines.split_terminator('\n').map(|line| read_host(&unescaped(line), door)).collect()
}

/// A name of a certificate may stand for all names below it.
fn read_host(text: &str, door: Door<'_>) -> Clean {
    match text.strip_prefix("*.") {
        Some(domain) => Clean::concat(["*.".into(), door.host(domain.as_bytes())]),
        None => door.host(text.as_bytes()),
    }
}

/// Several texts, one a line.
pub(super) fn write_lines(texts: &[Clean]) -> String {
    texts.iter().flat_map(|text| [one_line(text), Cow::Borrowed("\n")]).collect()
}

fn write_into(lines: &mut String, fields: &[Field]) {
    for field in fields {
        let name = one_line(&field.name);
        // A colon in the name would end it; HTTP/2 has such names.
        lines.push_str(&if name.contains(':') { Cow::Owned(name.replace(':', "\\x3A")) } else { name });
        lines.push_str(": ");
        lines.push_str(&one_line(&field.value));
        lines.push('\n');
    }
}

fn read_field(line: &str, door: Door<'_>) -> Field {
    let (name, value) = split(line);
    door.field(unescaped(name).as_bytes(), unescaped(value).as_bytes())
}

fn split(line: &str) -> (&str, &str) {
    line.split_once(": ").unwrap_or((line, ""))
}

fn one_line(text: &Clean) -> Cow<'_, str> {
    let text = text.as_str();
    if text.contains(['\r', '\n']) {
        Cow::Owned(text.replace('\r', "\\x0D").replace('\n', "\\x0A"))
    } else {
        Cow::Borrowed(text)
    }
}

fn unescaped(line: &str) -> Cow<'_, str> {
    if line.contains("\\x") {
        Cow::Owned(line.replace("\\x0D", "\r").replace("\\x0A", "\n").replace("\\x3A", ":"))
    } else {
        Cow::Borrowed(line)
    }
}
