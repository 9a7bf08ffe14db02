//! Kerberos messages (RFC 4120) as HTTP carries them (RFC 4121): for which service of which realm a ticket is, how it
//! is encrypted, and the error of a server that refuses it. Never the ticket.

use super::{Clean, Kerberos, der, marker};

/// 1.2.840.113554.1.2.2, and the same with Microsoft's slip of 1.2.840.48018.1.2.2.
pub(super) const OIDS: [&[u8]; 2] =
    [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2], &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2]];

/// The tag of a GSS-API token (RFC 2743 section 3.1).
pub(super) const GSS: u8 = 0x60;
const TICKET: u8 = 0x61;
const REQUEST: u8 = 0x6e;
const REPLY: u8 = 0x6f;
const ERROR: u8 = 0x7e;

/// A token of the mechanism, with or without the frame of GSS-API. Nothing where it is none.
pub(super) fn read(token: &[u8]) -> Option<Kerberos> {
    match der::value(token)? {
        (GSS, framed, _) => {
            let (_, _, rest) = der::value(framed).filter(|(tag, oid, _)| *tag == der::OID && OIDS.contains(oid))?;
            // Two bytes tell the kind of message, which its own tag tells again.
            Some(rest.get(2..).and_then(message).unwrap_or(Kerberos::Other))
        }
        _ => message(token),
    }
}

fn message(bytes: &[u8]) -> Option<Kerberos> {
    let (tag, content, _) = der::value(bytes)?;
    let fields = || der::content(content, der::SEQUENCE).unwrap_or_default();
    match tag {
        REQUEST => Some(request(fields())),
        REPLY => Some(Kerberos::Reply { etype: der::field(fields(), 2).and_then(etype) }),
        ERROR => Some(error(fields())),
        _ => None,
    }
}

fn request(fields: &[u8]) -> Kerberos {
    let ticket = der::field(fields, 3).and_then(|ticket| der::content(ticket, TICKET));
    let ticket = ticket.and_then(|ticket| der::content(ticket, der::SEQUENCE)).unwrap_or_default();
    let encrypted = der::field(ticket, 3);
    Kerberos::Request {
        realm: der::field(ticket, 1).and_then(realm),
        service: der::field(ticket, 2).and_then(service),
        etype: encrypted.and_then(etype),
        kvno: encrypted.and_then(|data| der::number(der::content(data, der::SEQUENCE)?, 1)),
    }
}

fn error(fields: &[u8]) -> Kerberos {
    Kerberos::Error {
        code: der::number(fields, 6),
        realm: der::field(fields, 9).and_then(realm),
        service: der::field(fields, 10).and_then(service),
        time: der::field(fields, 4).and_then(|time| seconds(der::content(time, der::TIME)?)),
    }
}

/// The encryption type of an EncryptedData.
fn etype(data: &[u8]) -> Option<i32> {
    der::number(der::content(data, der::SEQUENCE)?, 0)
}

fn realm(value: &[u8]) -> Option<Clean> {
    let name = std::str::from_utf8(der::content(value, der::STRING)?).ok()?;
    (!name.is_empty()).then(|| marker::server(name))
}

/// The parts of a PrincipalName with slashes between them: `HTTP/mail.contoso.com`.
fn service(value: &[u8]) -> Option<Clean> {
    let parts = der::content(der::field(der::content(value, der::SEQUENCE)?, 1)?, der::SEQUENCE)?;
    let parts: Vec<_> = der::values(parts)
        .filter(|(tag, _)| *tag == der::STRING)
        .map(|(_, part)| String::from_utf8_lossy(part))
        .take(4)
        .collect();
    (!parts.is_empty()).then(|| marker::server(&parts.join("/")))
}

/// Seconds since 1970 of `20261122090000Z`.
fn seconds(text: &[u8]) -> Option<i64> {
    let digits = text.strip_suffix(b"Z").filter(|digits| digits.len() == 14)?;
    let number = |from: usize, to: usize| std::str::from_utf8(&digits[from..to]).ok()?.parse::<u8>().ok();
    let year = i32::from(number(0, 2)?) * 100 + i32::from(number(2, 4)?);
    let month = time::Month::try_from(number(4, 6)?).ok()?;
    let date = time::Date::from_calendar_date(year, month, number(6, 8)?).ok()?;
    let time = time::Time::from_hms(number(8, 10)?, number(10, 12)?, number(12, 14)?).ok()?;
    Some(time::PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
}

/// A message of nobody with the same facts; its ticket is `filler`.
pub(super) fn stand_in(message: &Kerberos, filler: &[u8]) -> Vec<u8> {
    let field = |number: u8, content: Vec<u8>| der::wrap(0xa0 | number, &content);
    let sequence = |fields: Vec<Vec<u8>>| der::wrap(der::SEQUENCE, &fields.concat());
    let integer = |number: i32| der::wrap(der::INTEGER, &number.to_be_bytes());
    let string = |text: &str| der::wrap(der::STRING, text.as_bytes());
    let name = |number: u8, name: &Option<Clean>| {
        name.as_ref().map(|name| {
            let parts = sequence(name.as_str().split('/').map(string).collect());
            field(number, sequence(vec![field(0, integer(2)), field(1, parts)]))
        })
    };
    let realm = |number: u8, name: &Option<Clean>| name.as_ref().map(|name| field(number, string(name.as_str())));
    let encrypted = |etype: Option<i32>, kvno: Option<i32>| {
        let known = [etype.map(|etype| field(0, integer(etype))), kvno.map(|kvno| field(1, integer(kvno)))];
        let data = field(2, der::wrap(der::OCTETS, filler));
        sequence(known.into_iter().flatten().chain([data]).collect())
    };
    let (id, tag, fields) = match message {
        Kerberos::Request { realm: of, service, etype, kvno } => {
            let facts = [Some(field(0, integer(5))), realm(1, of), name(2, service)];
            let facts = facts.into_iter().flatten().chain([field(3, encrypted(*etype, *kvno))]).collect();
            let ticket = der::wrap(TICKET, &sequence(facts));
            (1, REQUEST, vec![field(0, integer(5)), field(1, integer(14)), field(3, ticket)])
        }
        Kerberos::Reply { etype } => {
            let fields = vec![field(0, integer(5)), field(1, integer(15)), field(2, encrypted(*etype, None))];
            (2, REPLY, fields)
        }
        Kerberos::Error { code, realm: of, service, time } => {
            let time = time.and_then(generalized).map(|time| field(4, der::wrap(der::TIME, time.as_bytes())));
            let code = code.map(|code| field(6, integer(code)));
            let facts = [time, code, realm(9, of), name(10, service)];
            (
                3,
                ERROR,
                [field(0, integer(5)), field(1, integer(30))].into_iter().chain(facts.into_iter().flatten()).collect(),
            )
        }
        Kerberos::Other => (1, der::OCTETS, vec![der::wrap(der::OCTETS, filler)]),
    };
    let inner = der::wrap(tag, &sequence(fields));
    der::wrap(GSS, &[der::wrap(der::OID, OIDS[0]), vec![id, 0], inner].concat())
}

fn generalized(seconds: i64) -> Option<String> {
    let time = time::OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let [month, day, hour, minute, second] =
        [u8::from(time.month()), time.day(), time.hour(), time.minute(), time.second()];
    Some(format!("{:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z", time.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Kerberos {
        Kerberos::Request {
            realm: Some("CONTOSO.COM".into()),
            service: Some("HTTP/mail.contoso.com".into()),
            etype: Some(18),
            kvno: Some(3),
        }
    }

    #[test]
    fn reads_each_message_in_and_without_its_frame() {
        for message in [
            request(),
            Kerberos::Request { realm: None, service: None, etype: Some(-133), kvno: None },
            Kerberos::Reply { etype: Some(23) },
            Kerberos::Error {
                code: Some(37),
                realm: Some("CONTOSO.COM".into()),
                service: Some("HTTP/mail".into()),
                time: Some(1_795_338_000),
            },
            Kerberos::Other,
        ] {
            let token = stand_in(&message, b"ticket");
            assert_eq!(read(&token), Some(message.clone()));
            let bare = der::content(&token, GSS).and_then(|framed| framed.get(13..)).unwrap_or_default();
            assert_eq!(read(bare), Some(message).filter(|message| *message != Kerberos::Other));
        }
    }

    #[test]
    fn what_was_cut_off_still_gives_what_stands_before() {
        let token = stand_in(&request(), &[7; 400]);
        assert_eq!(read(&token[..token.len() - 200]), Some(request()));
        let short = (15..token.len()).map(|length| read(&token[..length]));
        assert!(short.clone().all(|message| message.is_some()));
        assert!(
            short.clone().any(|message| matches!(message, Some(Kerberos::Request { realm: Some(_), etype: None, .. })))
        );
    }

    #[test]
    fn a_name_that_is_none_is_not_shown() {
        let token = |realm: &'static str, service: &'static str| {
            let (realm, service) = (Some(realm.into()), Some(service.into()));
            read(&stand_in(&Kerberos::Request { realm, service, etype: None, kvno: None }, b""))
        };
        let hidden = || Some(Clean::from("hidden"));
        let expected = Kerberos::Request { realm: hidden(), service: hidden(), etype: None, kvno: None };
        assert_eq!(token("not a realm", "HTTP/a b"), Some(expected));
    }

    #[test]
    fn a_moment_that_is_none_is_left_out() {
        assert_eq!(seconds(b"19700101000001Z"), Some(1));
        for text in [&b""[..], b"2026Z", b"20261322090000Z", b"20261122090000", b"2026112209000\xffZ"] {
            assert_eq!(seconds(text), None);
        }
    }
}
