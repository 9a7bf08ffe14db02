//! Names of certificates: who one is for, and who made it.

use std::borrow::Cow;

use super::Aliases;
use super::book::Kind;

/// What stands in the names of public authorities, and of programs that make certificates of their own.
const PUBLIC: [&str; 40] = [
    "microsoft",
    "digicert",
    "let's encrypt",
    "isrg",
    "globalsign",
    "sectigo",
    "comodo",
    "usertrust",
    "verisign",
    "symantec",
    "entrust",
    "godaddy",
    "starfield",
    "geotrust",
    "thawte",
    "amazon",
    "google trust",
    "baltimore",
    "buypass",
    "quovadis",
    "swisssign",
    "d-trust",
    "telesec",
    "certum",
    "actalis",
    "harica",
    "zerossl",
    "ssl.com",
    "identrust",
    "cybertrust",
    "fiddler",
    "mitmproxy",
    "charles proxy",
    "portswigger",
    "authtap",
    "zscaler",
    "fortinet",
    "netskope",
    "kaspersky",
    "palo alto",
];

impl Aliases {
    pub(super) fn distinguished<'t>(&mut self, name: &'t str) -> Cow<'t, str> {
        let parts = parts(name);
        let public = parts.iter().filter_map(|part| part.split_once('=')).any(|(kind, value)| {
            let value = value.to_ascii_lowercase();
            matches!(kind.trim(), "O" | "CN")
                && !value.contains('.')
                && PUBLIC.iter().any(|known| value.contains(known))
        });
        let mut out = String::with_capacity(name.len() + 8);
        for (at, part) in parts.iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            let Some((kind, value)) = part.split_once('=') else {
                out.push_str(&self.prose(part));
                continue;
            };
            out.extend([kind, "="]);
            let shown = match kind.trim() {
                "C" => value.to_owned(),
                "CN" | "DC" if is_label(value) || value.contains('.') && !value.contains(' ') => {
                    let kind = if kind.trim() == "DC" { Kind::Organisation } else { Kind::Server };
                    if public && !value.contains('.') { value.to_owned() } else { self.certified(value, kind) }
                }
                _ if public => self.prose(value).into_owned(),
                _ => self.title(value),
            };
            out.push_str(&shown);
        }
        if out == name { Cow::Borrowed(name) } else { Cow::Owned(out) }
    }

    fn certified(&mut self, value: &str, kind: Kind) -> String {
        if kind == Kind::Organisation && super::known::is_private_top(&value.to_ascii_lowercase()) {
            return value.to_owned();
        }
        self.named_host(value, kind).unwrap_or_else(|| value.to_owned())
    }

    /// Words by which somebody is called: a pseudonym, or what the door has hidden, tells nothing as it is.
    pub(super) fn title(&mut self, text: &str) -> String {
        if text.is_empty() || text.contains(['#', '[']) || text.split(' ').all(super::words::is_known) {
            return self.prose(text).into_owned();
        }
        self.book.label(text, Kind::Title)
    }
}

fn is_label(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The parts between commas that are not escaped.
fn parts(name: &str) -> Vec<&str> {
    let (mut parts, mut from, mut escaped) = (Vec::new(), 0, false);
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => {
                parts.push(&name[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&name[from..]);
    parts
}
