//! URLs whose userinfo, query values, fragments and opaque path segments are masked.

use std::borrow::Cow;
use std::fmt::Write;

use super::door::Door;
use super::memory::Kind;
use super::net::Class;
use super::{Clean, eas, marker, names, shape};

/// An absolute URL after redaction.
///
/// Its spelling is that of the wire. Userinfo and default ports are left out; a path is always there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    text: Clean,
    /// Where host and port begin, where the path does, and where it ends: asked for many times an exchange.
    authority: u32,
    path: u32,
    query: u32,
}

impl Url {
    /// For `redact`: a URL whose every part is clean.
    pub(in crate::redact) fn vouch(text: Clean) -> Self {
        let whole = text.as_str();
        let find = |from: usize, ends: &[char]| whole[from..].find(ends).map_or(whole.len(), |at| from + at);
        let authority = whole.find("://").map_or(0, |at| at + 3);
        let path = find(authority, &['/', '?', '#']);
        let query = find(path, &['?', '#']);
        let [authority, path, query] = [authority, path, query].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        Self { text, authority, path, query }
    }

    /// The whole, as it may be shown.
    pub const fn text(&self) -> &Clean {
        &self.text
    }

    /// `https` or `http`, in lower case; empty where there is none.
    pub fn scheme(&self) -> &str {
        self.part(0, self.authority.saturating_sub(3))
    }

    /// Host without port, in the letters of the wire. An IPv6 address keeps its brackets.
    pub fn host(&self) -> &str {
        let authority = self.authority();
        match authority.rfind(':') {
            Some(at) if !authority[at..].contains(']') => &authority[..at],
            _ => authority,
        }
    }

    /// The port, given or by default.
    pub fn port(&self) -> u16 {
        let authority = self.authority();
        let given = authority.rfind(':').and_then(|at| authority[at + 1..].parse().ok());
        given.unwrap_or(if self.scheme() == "http" { 80 } else { 443 })
    }

    /// Host and port as they stand.
    pub fn authority(&self) -> &str {
        self.part(self.authority, self.path)
    }

    /// Scheme, host and port: `https://mail.contoso.com`.
    pub fn origin(&self) -> &str {
        self.part(0, self.path)
    }

    /// From the first slash to the query.
    pub fn path(&self) -> &str {
        self.part(self.path, self.query)
    }

    /// The query without its question mark.
    pub fn query(&self) -> Option<&str> {
        let rest = self.part(self.query, u32::MAX).strip_prefix('?')?;
        Some(rest.split_once('#').map_or(rest, |(query, _)| query))
    }

    fn part(&self, from: u32, to: u32) -> &str {
        let text = self.text.as_str();
        text.get(from as usize..text.len().min(to as usize)).unwrap_or_default()
    }

    /// The first value of `name` (any letter case), percent-decoded. A masked value is its marker.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(self.query()?, name)
    }
}

/// The first value of `name` (any letter case) in a query or form, percent-decoded with `+` as blank.
pub fn query_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        percent_decoded(key).eq_ignore_ascii_case(name).then(|| percent_decoded(value))
    })
}

/// Percent-decoded with `+` as blank; what does not decode stays as it is.
pub fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) => decoded.push(b' '),
            (byte, ..) => decoded.push(byte),
        }
        at += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

/// Writing URLs that may be shown.
impl Door<'_> {
    /// An absolute URL for [`Url`]: without userinfo, with a path.
    pub(super) fn absolute_url(&self, text: &str, out: &mut String) {
        self.settled_url(text, out, Self::write_absolute);
    }

    /// A URL reference of any kind: absolute, relative, `urn:…`.
    pub(super) fn any_url(&self, text: &str, out: &mut String) {
        self.settled_url(text, out, Self::write_any);
    }

    /// Host and port, with what stands before an `@` masked.
    pub(super) fn authority(&self, text: &str, out: &mut String) {
        self.settled_url(text, out, Self::write_authority);
    }

    fn settled_url(&self, text: &str, out: &mut String, write: fn(&Self, &str, &mut String)) {
        if self.settled(text, out, write).is_none() {
            self.hide_encoded(text, out);
        }
    }

    fn write_absolute(&self, text: &str, out: &mut String) {
        let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_url_scheme(scheme)) else {
            if shape::is_authority(text) {
                return out.push_str(text);
            }
            return self.write_any(text, out);
        };
        let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(length);
        let host = match authority.rsplit_once('@') {
            Some((userinfo, host)) => {
                self.meet_userinfo(userinfo);
                host
            }
            None => authority,
        };
        let scheme = scheme.to_ascii_lowercase();
        let default = if scheme == "http" { ":80" } else { ":443" };
        out.extend([scheme.as_str(), "://"]);
        self.host_port(host.strip_suffix(default).unwrap_or(host), out);
        if !after.starts_with('/') {
            out.push('/');
        }
        self.after_authority(host, after, out);
    }

    fn write_any(&self, text: &str, out: &mut String) {
        if let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_url_scheme(scheme)) {
            out.extend([scheme, "://"]);
            let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, after) = rest.split_at(length);
            self.write_authority(authority, out);
            return self.after_authority(authority, after, out);
        }
        let path = text.find(['?', '#']).unwrap_or(text.len());
        let (head, after) = text.split_at(path);
        match head.split_once(':') {
            Some((scheme, name)) if is_url_scheme(scheme) && !name.starts_with("//") => {
                out.extend([scheme, ":"]);
                for (at, part) in name.split(':').enumerate() {
                    out.push_str(if at > 0 { ":" } else { "" });
                    self.path(part, false, out);
                }
            }
            _ => self.path(head, false, out),
        }
        self.query_and_fragment(head, after, out);
    }

    fn write_authority(&self, text: &str, out: &mut String) {
        if let Some((userinfo, host)) = text.rsplit_once('@') {
            self.meet_userinfo(userinfo);
            self.hide_encoded(userinfo, out);
            out.push('@');
            return self.host_port(host, out);
        }
        self.host_port(text, out);
    }

    fn meet_userinfo(&self, userinfo: &str) {
        if let Some((_, password)) = userinfo.split_once(':') {
            self.memory().meet(Class::Password, decoded(password, false).as_bytes());
        }
    }

    fn host_port(&self, text: &str, out: &mut String) {
        if text == "*" || shape::is_authority(text) {
            out.push_str(text);
        } else {
            self.hide_encoded(text, out);
        }
    }

    /// Hides a part of a URL that has no blanks: the marker's own are encoded.
    fn hide_encoded(&self, text: &str, out: &mut String) {
        let mut hidden = String::new();
        self.hide(&decoded(text, false), &mut hidden);
        encode(&hidden, false, out);
    }

    fn after_authority(&self, authority: &str, after: &str, out: &mut String) {
        let path = after.find(['?', '#']).unwrap_or(after.len());
        let sign_in = is_sign_in(authority);
        self.path(&after[..path], sign_in, out);
        // The page that explains an error by its number: there `code` is no secret.
        let number = after.strip_prefix("/error?code=").filter(|_| sign_in);
        if number.is_some_and(|number| number.len() <= 8 && number.bytes().all(|byte| byte.is_ascii_digit())) {
            return out.push_str(&after[path..]);
        }
        self.query_and_fragment(&after[..path], &after[path..], out);
    }

    fn query_and_fragment(&self, path: &str, text: &str, out: &mut String) {
        let (query, fragment) = text.split_once('#').map_or((text, None), |(query, rest)| (query, Some(rest)));
        if let Some(query) = query.strip_prefix('?') {
            out.push('?');
            match eas::long_form(path, query) {
                Some(form) => self.query(&form, out),
                None => self.query(query, out),
            }
        }
        if let Some(fragment) = fragment {
            out.push('#');
            self.query(fragment, out);
        }
    }

    /// A path. On a sign-in host a GUID is the tenant and stays.
    fn path(&self, path: &str, tenants: bool, out: &mut String) {
        let mut personal = false;
        for (at, segment) in path.split('/').enumerate() {
            out.push_str(if at > 0 { "/" } else { "" });
            let decoded = decoded(segment, false);
            let mut shown = String::new();
            self.segment(&decoded, tenants, personal, &mut shown);
            if shown == *decoded {
                out.push_str(segment);
            } else {
                encode(&shown, false, out);
            }
            personal = !personal && decoded.eq_ignore_ascii_case("personal");
        }
    }

    fn segment(&self, text: &str, tenants: bool, personal: bool, out: &mut String) {
        if text.is_empty() || self.keep(text, out) {
            return;
        }
        if personal {
            return self.identity(Kind::User, text, out);
        }
        if shape::is_guid(text) {
            if tenants {
                return out.push_str(text);
            }
            let label = self.memory().label(text.as_bytes());
            let _ = write!(out, "[guid {label}]");
        } else if shape::is_principal(text) && tenants {
            out.push_str(text);
        } else if text.contains('@') && !text.starts_with('@') {
            self.identity(Kind::User, text, out);
        } else if let Some((kind, _)) = marker::pseudonym(text) {
            self.identity(kind, text, out);
        } else if shape::is_plain_segment(text) || is_known_segment(text) || (tenants && shape::is_full_host(text)) {
            out.push_str(text);
        } else {
            self.hide(text, out);
        }
    }

    /// A query or a form: names stay where they are names, values by their names.
    pub(super) fn query(&self, query: &str, out: &mut String) {
        for (at, pair) in query.split('&').enumerate() {
            out.push_str(if at > 0 { "&" } else { "" });
            // `YWJj==` is base64 and no name without a value.
            let named = pair.split_once('=').filter(|(name, value)| {
                value.bytes().any(|byte| byte != b'=') || names::known(&decoded(name, true)).is_some()
            });
            match named {
                Some((name, value)) => self.pair(name, value, out),
                None => self.lone(pair, out),
            }
        }
    }

    fn pair(&self, raw_name: &str, raw_value: &str, out: &mut String) {
        let name = decoded(raw_name, true);
        let named = shape::is_name(&name);
        if named {
            out.push_str(raw_name);
        } else {
            let mut hidden = String::new();
            self.hide(&name, &mut hidden);
            encode(&hidden, true, out);
        }
        out.push('=');
        let value = decoded(raw_value, true);
        let mut shown = String::with_capacity(value.len());
        // What stands under a name that is not shown is hidden as well, and is so when it is read again.
        match self.in_query().filter(|_| named) {
            Some(door) => door.value(&name, &value, &mut shown),
            None => self.hide(&value, &mut shown),
        }
        if shown == *value { out.push_str(raw_value) } else { encode(&shown, true, out) }
    }

    /// What stands in a query without a value: `wsdl`, the server of an RPC request.
    fn lone(&self, pair: &str, out: &mut String) {
        let (text, tail) =
            pair.strip_suffix('=').filter(|text| !text.contains('=')).map_or((pair, ""), |text| (text, "="));
        let value = decoded(text, true);
        let server = value.contains(':') && shape::is_authority(&value) && !shape::is_opaque(&value, 15);
        if server || shape::is_harmless(&value) {
            out.push_str(text);
        } else if let Some((mailbox, port)) = value.rsplit_once(':').filter(|(name, port)| is_mailbox(name, port)) {
            // Since Exchange 2013 the server of an RPC request is the mailbox.
            let mut shown = String::new();
            self.identity(Kind::Mailbox, mailbox, &mut shown);
            encode(&shown, true, out);
            let _ = write!(out, ":{port}");
        } else {
            let mut hidden = String::new();
            self.hide(&value, &mut hidden);
            encode(&hidden, true, out);
        }
        out.push_str(tail);
    }
}

/// Whether the server of an RPC request is given as a mailbox: `guid@contoso.com:6001`.
fn is_mailbox(name: &str, port: &str) -> bool {
    let local = name.rsplit_once('@').map(|(local, _)| local);
    let named = local.is_some_and(|local| shape::is_guid(local) || marker::pseudonym(local).is_some());
    named && (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// A text in the encoding of queries; signs that do no harm there stay readable.
pub(super) fn encode_query(text: &str, out: &mut String) {
    encode(text, true, out);
}

fn encode(text: &str, plus: bool, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' if plus => out.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'[' | b']' | b'=' | b':' | b'@' | b'/' | b'*' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

fn decoded(text: &str, plus: bool) -> Cow<'_, str> {
    if plus || !text.contains('+') {
        return percent_decoded(text);
    }
    Cow::Owned(percent_decoded(&text.replace('+', "%2B")).into_owned())
}

/// The scheme of a URL: a name, not the beginning of something else.
fn is_url_scheme(text: &str) -> bool {
    (1..=16).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Sign-in hosts, whose paths begin with a tenant.
pub(super) const SIGN_IN: [&str; 9] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "login.microsoftonline.us",
    "login.microsoftonline.de",
    "sts.windows.net",
    "accounts.accesscontrol.windows.net",
];

fn is_sign_in(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    SIGN_IN.iter().any(|known| known.eq_ignore_ascii_case(host))
}

/// Longer segments of this field's protocols that the rule for segments would mask.
fn is_known_segment(text: &str) -> bool {
    const SEGMENTS: [&str; 3] = ["openid-configuration", "secureBroker", "deviceauthorization"];
    SEGMENTS.iter().any(|known| known.eq_ignore_ascii_case(text)) || text.starts_with("oasis-200401-wss-")
}

/// Whether a URL is plain enough to stand inside a marker: no userinfo, query or fragment, and no segment that a person
/// or a secret could hide in. A GUID is a tenant or an application there.
pub(super) fn is_plain(text: &str) -> bool {
    let plain_path = |path: &str| {
        path.split('/').all(|segment| segment == "*" || shape::is_guid(segment) || shape::is_plain_segment(segment))
    };
    let safe = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/*[]".contains(&byte));
    if !safe || text.len() > 200 {
        return false;
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        return is_url_scheme(scheme) && (shape::is_authority(host) || shape::is_guid(host)) && plain_path(path);
    }
    text.split_once(':').is_some_and(|(scheme, rest)| {
        matches!(scheme, "urn" | "spn" | "api") && rest.split(':').all(|part| !part.is_empty() && plain_path(part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_url_apart() {
        let url = Url::vouch(Clean::vouch("https://[::1]:8443/EWS/Exchange.asmx?a=1&Error=x%20y+z#f"));
        assert_eq!((url.scheme(), url.host(), url.port()), ("https", "[::1]", 8443));
        assert_eq!((url.origin(), url.path()), ("https://[::1]:8443", "/EWS/Exchange.asmx"));
        assert_eq!(url.query_value("error").as_deref(), Some("x y z"));
        let plain = Url::vouch(Clean::vouch("http://mail.contoso.com/"));
        assert_eq!((plain.host(), plain.port(), plain.query()), ("mail.contoso.com", 80, None));
    }
}
