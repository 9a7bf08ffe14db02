//! One entry of `log.entries`, asked leniently: every writer has its own idea of HAR 1.2.
//!
//! The values are bytes of the wire and may hold credentials: they are lent to the redactor alone, and wiped.

use serde_json::Value;
use zeroize::Zeroize;

use crate::exchange::Timestamp;

/// One entry.
pub(super) struct Entry(Value);

impl Drop for Entry {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl Entry {
    /// Reads an entry; `None` where it is no JSON, or no entry at all.
    pub(super) fn read(raw: &[u8]) -> Option<Self> {
        // Some writers copy header values byte by byte.
        let parsed = match std::str::from_utf8(raw) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_str(&zeroize::Zeroizing::new(String::from_utf8_lossy(raw).into_owned())),
        };
        let entry = Self(parsed.ok()?);
        (entry.request().is_some() || entry.response().is_some()).then_some(entry)
    }

    /// What we told of it ourselves, where we wrote it.
    pub(super) fn facts(&self) -> Option<&Value> {
        self.0.get("_authtap").filter(|facts| facts.get("request").is_some())
    }

    /// The messages of a WebSocket, as Chrome writes them.
    pub(super) fn socket(&self) -> Option<&[Value]> {
        self.0.get("_webSocketMessages")?.as_array().map(Vec::as_slice)
    }

    /// When the request began.
    pub(super) fn started(&self) -> Option<Timestamp> {
        let text = text(&self.0, "startedDateTime")?.trim();
        let without_colon = text.len().checked_sub(5).filter(|at| {
            let offset = text.as_bytes().get(*at..).unwrap_or_default();
            matches!(offset.first(), Some(b'+' | b'-')) && offset[1..].iter().all(u8::is_ascii_digit)
        });
        match without_colon {
            Some(at) => Timestamp::parse(&format!("{}:{}", &text[..at + 3], &text[at + 3..])),
            None => Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}Z"))),
        }
    }

    /// The connection's identity as the writer knows it. The developer tools of Chrome have one of their own; what they
    /// call `connection`, and Firefox, too, is the port that it goes to.
    pub(super) fn connection(&self) -> Option<String> {
        let known = |name: &str| word(self.0.get(name)?);
        let said = ["_connectionId", "connection"].into_iter().filter_map(known);
        said.into_iter().find(|word| !word.is_empty() && word != "0" && word.len() <= 64)
    }

    /// The server's address, without brackets.
    pub(super) fn server(&self) -> Option<std::net::IpAddr> {
        text(&self.0, "serverIPAddress")?.trim().trim_matches(['[', ']']).parse().ok()
    }

    /// Milliseconds of `log.entries[].time`.
    pub(super) fn time(&self) -> Option<f64> {
        self.0.get("time")?.as_f64()
    }

    /// Milliseconds of one of the timings; nothing where it does not apply.
    pub(super) fn timing(&self, name: &str) -> Option<f64> {
        self.0.get("timings")?.get(name)?.as_f64().filter(|time| *time >= 0.0)
    }

    /// What the writer says went wrong, wherever it says it.
    pub(super) fn error(&self) -> Option<&str> {
        let places = [Some(&self.0), self.response(), self.request()];
        let said = places.into_iter().flatten().flat_map(|place| [place.get("_error"), place.get("_errorText")]);
        said.flatten().filter_map(Value::as_str).map(str::trim).find(|text| !text.is_empty())
    }

    /// The method.
    pub(super) fn method(&self) -> Option<&str> {
        text(self.request()?, "method").filter(|method| !method.is_empty())
    }

    /// The request's URL.
    pub(super) fn url(&self) -> Option<&str> {
        text(self.request()?, "url").filter(|url| !url.is_empty())
    }

    /// The request, as far as it is there.
    pub(super) fn request(&self) -> Option<&Value> {
        self.0.get("request").filter(|value| value.is_object())
    }

    /// The response, as far as it is there.
    pub(super) fn response(&self) -> Option<&Value> {
        self.0.get("response").filter(|value| value.is_object())
    }

    /// The final status; nothing for 0 and below, which stand for "none came".
    pub(super) fn status(&self) -> Option<u16> {
        let status = word(self.response()?.get("status")?)?;
        status.parse().ok().filter(|status| (100..1000).contains(status))
    }
}

/// A member that is a string.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

/// The fields of a message: objects with `name` and `value`, pairs, or one object. HTTP/2's own (`:authority`) are left
/// out. Chrome joins fields of one name by line ends; those that are lists are taken apart again.
pub(super) fn fields(message: &Value) -> Vec<(&str, &str)> {
    let mut fields = Vec::new();
    match message.get("headers") {
        Some(Value::Array(list)) => {
            for field in list {
                let (name, value) = match field {
                    Value::Array(pair) => (pair.first(), pair.get(1)),
                    _ => (field.get("name"), field.get("value")),
                };
                push(&mut fields, name.and_then(Value::as_str), value);
            }
        }
        Some(Value::Object(map)) => map.iter().for_each(|(name, value)| match value {
            Value::Array(values) => values.iter().for_each(|value| push(&mut fields, Some(name), Some(value))),
            _ => push(&mut fields, Some(name), Some(value)),
        }),
        _ => {}
    }
    // Some exporters leave the field out and keep what it says.
    let redirect = text(message, "redirectURL").filter(|url| url.contains(':'));
    if let Some(url) = redirect.filter(|_| !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("location"))) {
        fields.push(("Location", url));
    }
    fields
}

fn push<'v>(fields: &mut Vec<(&'v str, &'v str)>, name: Option<&'v str>, value: Option<&'v Value>) {
    let Some(name) = name.filter(|name| !name.is_empty() && !name.starts_with(':')) else { return };
    let value = value.and_then(Value::as_str).unwrap_or_default();
    if ["set-cookie", "www-authenticate", "proxy-authenticate"].iter().any(|list| name.eq_ignore_ascii_case(list)) {
        fields.extend(value.split('\n').map(|line| (name, line.trim())));
    } else {
        fields.push((name, value.trim()));
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
