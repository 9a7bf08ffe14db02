//! People and things that name people: pseudonyms that keep the form of what they stand for.
//!
//! A pseudonym is `user#1`, with the domain and the prefix that stood around the name. They are no credentials; they
//! are replaced so that a session can be handed on, and shown on request from memory.

use std::net::{IpAddr, SocketAddr};

use super::door::Door;
use super::memory::Kind;
use super::{Clean, User, marker, shape};

/// What may stand before an identity.
const PREFIXES: [&str; 9] = ["smtp", "sip", "app", "oid", "upn", "mailto", "x500", "eum", "puid"];

/// Whether `text` is what may stand before an identity.
pub(super) fn is_prefix(text: &str) -> bool {
    PREFIXES.iter().any(|known| known.eq_ignore_ascii_case(text))
}

impl Door<'_> {
    /// An identity in any form: address, UPN, `DOMAIN\user`, bare name, GUID, with or without a prefix.
    pub(super) fn identity(&self, kind: Kind, text: &str, out: &mut String) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if kind == Kind::Address {
            return self.ip(text, out);
        }
        if let Some((prefix, rest)) = text.split_once(':')
            && is_prefix(prefix)
        {
            out.push_str(prefix);
            out.push(':');
            let kind =
                if prefix.eq_ignore_ascii_case("oid") || prefix.eq_ignore_ascii_case("puid") { Kind::Id } else { kind };
            return self.identity(kind, rest, out);
        }
        if let Some((local, domain)) = text.rsplit_once('@') {
            let kind = match kind {
                Kind::User if shape::is_guid(local) => Kind::Mailbox,
                Kind::Name | Kind::Device => Kind::User,
                kind => kind,
            };
            self.person(kind, local, domain, out);
            out.push('@');
            out.push_str(domain_of(domain));
        } else if let Some((domain, name)) = text.split_once('\\').filter(|_| kind == Kind::User) {
            out.push_str(domain_of(domain));
            out.push('\\');
            self.person(kind, name, domain, out);
        } else {
            let kind = if kind == Kind::User && shape::is_guid(text) { Kind::Id } else { kind };
            self.person(kind, text, "", out);
        }
    }

    /// A user's name by its form. `domain` is what a protocol sends beside it.
    pub(super) fn user(&self, name: &str, domain: &str) -> User {
        let mut out = String::new();
        if name.is_empty() {
            User::Empty
        } else if domain.is_empty() && name.contains('@') && !name.contains('\\') {
            self.identity(Kind::User, name, &mut out);
            match out.split_once('@') {
                Some((person, _)) if marker::pseudonym(person).is_some() => User::Upn(Clean::vouch(&out)),
                _ => self.bare(name),
            }
        } else {
            let (domain, name) = match name.split_once('\\') {
                Some((inner, name)) if domain.is_empty() => (inner, name),
                _ => (domain, name),
            };
            if domain.is_empty() {
                // `\user` and `user@contoso.com` sent without a domain are told apart by their form alone.
                return self.bare(name);
            }
            out.push_str(domain_of(domain));
            out.push('\\');
            self.person(Kind::User, name, domain, &mut out);
            User::DownLevel(Clean::vouch(&out))
        }
    }

    /// A user of whom nothing is known but that `text`, which may be a secret, stood in the place of the name.
    pub(super) fn unnamed(&self, text: &str) -> User {
        let number = self.memory().number(Kind::User, [text, ""], marker::HIDDEN);
        User::Bare(Clean::vouch(&format!("{}#{number}", Kind::User.word())))
    }

    fn bare(&self, name: &str) -> User {
        let mut out = String::new();
        self.person(Kind::User, name, "", &mut out);
        User::Bare(Clean::vouch(&out))
    }

    /// An address of a client, maybe with a port, maybe several separated by commas.
    fn ip(&self, text: &str, out: &mut String) {
        for (at, address) in text.split(',').enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            let address = address.trim();
            let loopback = address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
            if loopback || address.is_empty() {
                out.push_str(address);
            } else {
                self.person(Kind::Address, address, "", out);
            }
        }
    }

    /// Writes the pseudonym of one person or thing. The same name in `contoso.com` and in `CONTOSO` is taken to be the
    /// same person's.
    pub(super) fn person(&self, kind: Kind, name: &str, domain: &str, out: &mut String) {
        if let Some((known, number)) = marker::pseudonym(name).filter(|_| self.is_own()) {
            self.memory().seen_number(known, number);
            out.push_str(name);
            return;
        }
        let house = domain.split('.').next().unwrap_or_default();
        // What is no name may be a secret in its place: it is not even remembered.
        let spelled = if may_be_called(kind, name) { name } else { marker::HIDDEN };
        let number = self.memory().number(kind, [&name.to_lowercase(), &house.to_lowercase()], spelled);
        out.push_str(kind.word());
        out.push('#');
        out.push_str(&number.to_string());
    }
}

/// Whether this may be what somebody or something of that kind is called, and no token that stands in its place.
fn may_be_called(kind: Kind, text: &str) -> bool {
    let escaped = ["%", "&#", "\\"].iter().any(|sign| text.contains(sign));
    let readable = !escaped && !text.contains(char::is_control) && !shape::is_opaque(text, 16);
    match kind {
        Kind::User => readable && !text.contains([':', '=']),
        Kind::Name => readable,
        Kind::Mailbox | Kind::Device | Kind::Id => readable || is_short_hex(text),
        Kind::Address => text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok(),
    }
}

/// As devices and PUIDs are numbered.
fn is_short_hex(text: &str) -> bool {
    text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A domain as it may be shown: not one that looks like a token.
fn domain_of(text: &str) -> &str {
    if (shape::is_host(text) && !shape::is_opaque(text, 15)) || text == "*" { text } else { marker::HIDDEN }
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    fn identity(text: &str) -> String {
        let redactor = Redactor::new();
        let mut out = String::new();
        redactor.wire().identity(Kind::User, text, &mut out);
        let mut again = String::new();
        redactor.own().identity(Kind::User, &out, &mut again);
        assert_eq!(out, again, "own door on our own output");
        out
    }

    #[test]
    fn keeps_form_prefix_and_domain() {
        for (raw, shown) in [
            ("", ""),
            ("avery", "user#1"),
            ("avery@contoso.com", "user#1@contoso.com"),
            ("SMTP:avery@contoso.com", "SMTP:user#1@contoso.com"),
            (r"CONTOSO\avery", r"CONTOSO\user#1"),
            ("OID:00000000-0000-0000-0000-00000000000a@contoso.com", "OID:id#1@contoso.com"),
            ("00000000-0000-0000-0000-00000000000a@contoso.com", "mailbox#1@contoso.com"),
            ("avery@se cret", "user#1@hidden"),
        ] {
            assert_eq!(identity(raw), shown, "{raw}");
        }
    }

    #[test]
    fn one_person_has_one_number_in_every_form() {
        let redactor = Redactor::new();
        let mut out = String::new();
        for name in ["avery@contoso.com", r"CONTOSO\Avery", "AVERY@CONTOSO.COM", "avery@fabrikam.com"] {
            redactor.wire().identity(Kind::User, name, &mut out);
            out.push(' ');
        }
        assert_eq!(out, r"user#1@contoso.com CONTOSO\user#1 user#1@CONTOSO.COM user#2@fabrikam.com ");
    }

    #[test]
    fn what_is_no_name_is_not_revealed() {
        let redactor = Redactor::new();
        let door = redactor.wire();
        for value in ["Basic YXZlcnk6aHVudGVyMg%3D%3D", "Basic Z2hwX2FCY0QxMjM0NTY3ODkwYUJjRDEyMzQ6"] {
            let shown = redactor.reveal(&door.field(b"Authorization", value.as_bytes()).value);
            assert!(shown.contains("user=bare:hidden"), "{shown}");
        }
        let location = door.field(b"Location", b"//avery:hunter2@contoso.com/").value;
        assert!(!redactor.reveal(&location).contains("hunter2"));
    }
}
