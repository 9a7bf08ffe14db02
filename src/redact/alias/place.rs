//! What stands around a word says what it is: a host behind `://`, a domain behind a pseudonym, a value by its name.

use super::book::{Guid, Kind};
use crate::redact::shape;
use crate::redact::url::SIGN_IN;

/// What the place of a word says of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A host or a domain of this kind, whatever it looks like.
    Name(Kind),
    /// The same, where a word of the protocols may stand, too: `server: busy`.
    Called(Kind),
    /// Words that somebody calls something by.
    Title,
    /// The same, in a sentence that they end.
    TitleLast,
    /// A version.
    Version,
    /// A claims request.
    Claims,
    /// A segment behind a host of sign-ins: a tenant, or a word.
    Tenant,
    /// A site of `SharePoint`.
    Site,
}

/// What stands around a word says what it is.
pub(super) fn of(before: &str, word: &str, after: &str, in_marker: bool) -> Option<Place> {
    let opens = in_marker && after.starts_with(['/', ':']) && !is_port(after) && !before.ends_with('/');
    if opens || after.starts_with("://") {
        // `https://`, `HTTP/`, `spn:`.
        return None;
    }
    match before.as_bytes().last()? {
        b'/' => {
            if before.ends_with("://") {
                return Some(Place::Name(Kind::Server));
            }
            let left = &before[..before.len() - 1];
            if is_tenants(left) {
                return Some(Place::Tenant);
            }
            if before.contains(".sharepoint") && (left.ends_with("/sites") || left.ends_with("/teams")) {
                return Some(Place::Site);
            }
            let class = left.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
            let service = ["http", "host", "exchangemdb", "exchangerfr", "exchangeab", "wsman", "termsrv", "smtpsvc"];
            let named = shape::is_guid(class) || service.iter().any(|known| known.eq_ignore_ascii_case(class));
            if named && word.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return Some(Place::Name(Kind::Server));
            }
        }
        b'@' if is_person(before.trim_end_matches('@')) => return Some(Place::Name(Kind::Organisation)),
        b'?' if is_port(after) => return Some(Place::Name(Kind::Server)),
        _ => {}
    }
    let lower_end = |text: &str| {
        before.len() >= text.len()
            && before.is_char_boundary(before.len() - text.len())
            && before[before.len() - text.len()..].eq_ignore_ascii_case(text)
    };
    if lower_end("%3A%2F%2F") {
        return Some(Place::Name(Kind::Server));
    }
    if lower_end("%40") && is_person(&before[..before.len() - 3]) || is_before_person(after) {
        return Some(Place::Name(Kind::Organisation));
    }
    if let Some(place) = told(before) {
        return Some(place);
    }
    let product = after.strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    named(before)
        .and_then(|name| place_of(name, in_marker))
        .filter(|place| !product || !matches!(place, Place::Name(_) | Place::Called(_)))
}

/// What a GUID names behind `before`.
pub(super) fn of_guid(before: &str) -> Guid {
    if before.ends_with('@') || is_tenants(before.trim_end_matches(['/', '{'])) {
        return Guid::Tenant;
    }
    match named(before).map(|name| name.to_ascii_lowercase().replace(['-', '_'], "")).as_deref() {
        Some("tid" | "tenant" | "tenantid" | "realm" | "iss" | "xtenantid") => Guid::Tenant,
        Some("appid" | "clientid" | "azp" | "applicationid" | "aud" | "audience") => Guid::Application,
        _ => Guid::Other,
    }
}

/// The name that a value stands under, where one stands before it: `name=`, `"name":"`, `<name>`.
fn named(before: &str) -> Option<&str> {
    let bare = before.trim_end_matches(['"', '\'', '\\', '.', '*']);
    let direct = bare.strip_suffix(['=', ':', '>']).or_else(|| bare.strip_suffix("%3D"));
    // A blank may stand behind a colon; behind an equals sign it ends the value.
    let bare = direct.or_else(|| bare.trim_end_matches(' ').strip_suffix(':'))?;
    let bare = bare.trim_end_matches(['"', '\'', '\\', ' ']);
    let from = bare.rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')).map_or(0, |at| at + 1);
    bare.get(from..).filter(|name| !name.is_empty())
}

/// What sentences of an issuer of tokens say of the words behind them.
fn told(before: &str) -> Option<Place> {
    const QUOTED: [&str; 4] = ["tenant ", "directory ", "organization ", "company "];
    let quote = ["'", "\"", "\\u0027", "&#39;", "\\\""].iter().find_map(|quote| before.strip_suffix(quote));
    let ends = |text: &str, words: &[&str]| words.iter().any(|word| text.len() >= word.len() && text.ends_with(word));
    if quote.is_some_and(|before| ends(before, &QUOTED)) {
        return Some(Place::Title);
    }
    ends(before, &["tenant named ", "directory named "]).then_some(Place::TitleLast)
}

fn place_of(name: &str, in_marker: bool) -> Option<Place> {
    let mut plain = name.to_ascii_lowercase();
    plain.retain(|c| !matches!(c, '-' | '_'));
    Some(match &*plain {
        "feserver" | "beserver" | "targetbeserver" | "servername" | "serverfqdn" | "fqdn" | "computer"
        | "computername" | "machinename" | "hostname" | "dnscomputer" | "sessionserver" => Place::Name(Kind::Server),
        "server" | "host" | "machine" if !in_marker => Place::Called(Kind::Server),
        "service" | "aud" if in_marker => Place::Name(Kind::Server),
        "target" | "iss" | "tid" | "realm" if in_marker => Place::Name(Kind::Organisation),
        "domain" | "domainname" | "dnsdomain" | "netbiosname" | "domainhint" | "whr" => Place::Name(Kind::Organisation),
        "realm"
        | "servicerealm"
        | "federationbrandname"
        | "organizationname"
        | "tenantdisplayname"
        | "tenantname"
        | "companyname" => Place::Title,
        "version" | "ver" | "serverversion" | "build" | "xclientver" | "apiversion" => Place::Version,
        "claims" => Place::Claims,
        _ => return None,
    })
}

/// Whether a URL's host whose paths begin with a tenant ends here.
fn is_tenants(left: &str) -> bool {
    let left = left.to_ascii_lowercase();
    let left = left.strip_suffix(":443").unwrap_or(&left);
    SIGN_IN.iter().chain(&["graph.windows.net"]).any(|host| left.ends_with(host))
}

/// Whether a pseudonym, an application or a marker ends here, behind which a domain may stand.
fn is_person(before: &str) -> bool {
    let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    let left = &before[..before.len() - digits];
    let numbered = digits > 0 && (left.ends_with('#') || left.ends_with("%23"));
    let last = before.len().checked_sub(36).and_then(|at| before.get(at..));
    // `application/host@realm`.
    let principal = || {
        let from = before.rfind(|c: char| c.is_whitespace() || "\"',;=".contains(c)).map_or(0, |at| at + 1);
        before[from..].split_once('/').is_some_and(|(id, _)| shape::is_guid(id))
    };
    numbered || before.ends_with(']') || last.is_some_and(shape::is_guid) || principal()
}

/// Whether `\user#1` follows, in any of the ways to write it.
fn is_before_person(after: &str) -> bool {
    let rest = after.strip_prefix("\\\\").or_else(|| after.strip_prefix('\\')).or_else(|| after.strip_prefix("%5C"));
    rest.is_some_and(is_kind)
}

/// Whether a pseudonym begins here.
pub(super) fn is_kind(rest: &str) -> bool {
    ["user", "name", "mailbox", "device", "id", "ip"]
        .iter()
        .any(|kind| rest.strip_prefix(kind).is_some_and(|rest| rest.starts_with('#') || rest.starts_with("%23")))
}

fn is_port(after: &str) -> bool {
    after.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}
