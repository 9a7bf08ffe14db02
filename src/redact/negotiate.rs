//! RFC 4559: SPNEGO (RFC 4178, MS-SPNG) with Kerberos or NTLM inside, and both without it.

use base64::Engine;

use super::basic::LENIENT;
use super::door::Door;
use super::net::Class;
use super::{Kerberos, Label, Mechanism, NegState, Negotiate, NtlmMessage, Spnego, der, kerberos, ntlm};

/// 1.3.6.1.5.5.2
const SPNEGO: &[u8] = &[0x2b, 6, 1, 5, 5, 2];
/// 1.3.6.1.4.1.311.2.2.10
const NTLM: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10];
/// 1.3.6.1.4.1.311.2.2.30
const NEGOEX: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 30];

const INIT: u8 = 0xa0;
const RESPONSE: u8 = 0xa1;

/// What follows `Negotiate`.
pub(super) fn read(door: &Door<'_>, rest: &str) -> Negotiate {
    if rest.is_empty() {
        return Negotiate::Empty;
    }
    let label = door.memory().label(rest.as_bytes());
    let Some(bytes) = decoded(rest) else {
        door.memory().meet(Class::Kerberos, rest.as_bytes());
        return Negotiate::Unreadable { label };
    };
    if let Some(message) = ntlm::message(door, &bytes) {
        return Negotiate::Ntlm(Box::new(message));
    }
    let negotiate = other(door, &bytes, label);
    if !matches!(negotiate, Negotiate::SpnegoNtlm(..)) {
        door.memory().meet(Class::Kerberos, &bytes);
    }
    negotiate
}

fn other(door: &Door<'_>, bytes: &[u8], label: Label) -> Negotiate {
    match frame(bytes) {
        Some((spnego, token)) => match token.and_then(|token| inside(door, token)) {
            Some(Inside::Ntlm(message)) => Negotiate::SpnegoNtlm(message, spnego),
            Some(Inside::Kerberos(message)) => Negotiate::Kerberos { message, spnego: Some(spnego), label },
            None => Negotiate::Spnego { spnego, label },
        },
        None => match kerberos::read(bytes) {
            Some(message) => Negotiate::Kerberos { message: Box::new(message), spnego: None, label },
            None => Negotiate::Unreadable { label },
        },
    }
}

/// The bytes of a value that may have been cut off anywhere.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let whole = text.len() - text.len() % 4;
    LENIENT.decode(text).or_else(|_| LENIENT.decode(text.get(..whole).unwrap_or_default())).ok()
}

enum Inside {
    Ntlm(Box<NtlmMessage>),
    Kerberos(Box<Kerberos>),
}

fn inside(door: &Door<'_>, token: &[u8]) -> Option<Inside> {
    let ntlm = ntlm::message(door, token).map(|message| Inside::Ntlm(Box::new(message)));
    ntlm.or_else(|| kerberos::read(token).map(|message| Inside::Kerberos(Box::new(message))))
}

/// What SPNEGO says itself, and the mechanism's own token in it.
fn frame(bytes: &[u8]) -> Option<(Spnego, Option<&[u8]>)> {
    let (tag, content, _) = der::value(bytes)?;
    let (tag, content) = match tag {
        kerberos::GSS => match der::value(content)? {
            (der::OID, SPNEGO, rest) => der::value(rest).map_or((INIT, &[][..]), |(tag, content, _)| (tag, content)),
            _ => return None,
        },
        INIT | RESPONSE => (tag, content),
        _ => return None,
    };
    let fields = der::content(content, der::SEQUENCE)?;
    let mut spnego = Spnego::default();
    if tag == INIT {
        let offered = der::field(fields, 0).and_then(|field| der::content(field, der::SEQUENCE)).unwrap_or_default();
        spnego.offered =
            der::values(offered).filter(|(tag, _)| *tag == der::OID).map(|(_, oid)| mechanism(oid)).collect();
        spnego.offered.truncate(Spnego::MOST);
    } else {
        spnego.state = der::field(fields, 0).and_then(|field| match der::content(field, der::ENUMERATED)? {
            [0] => Some(NegState::AcceptCompleted),
            [1] => Some(NegState::AcceptIncomplete),
            [2] => Some(NegState::Reject),
            [3] => Some(NegState::RequestMic),
            _ => None,
        });
        spnego.chosen = der::field(fields, 1).and_then(|field| der::content(field, der::OID)).map(mechanism);
    }
    Some((spnego, der::field(fields, 2).and_then(|field| der::content(field, der::OCTETS))))
}

fn mechanism(oid: &[u8]) -> Mechanism {
    match oid {
        NTLM => Mechanism::Ntlm,
        NEGOEX => Mechanism::NegoEx,
        oid if oid == kerberos::OIDS[0] => Mechanism::Kerberos,
        oid if oid == kerberos::OIDS[1] => Mechanism::MsKerberos,
        _ => Mechanism::Other,
    }
}

/// SPNEGO with the same facts around `token`; `filler` is the checksum of a reply that carries none.
pub(super) fn stand_in(spnego: &Spnego, token: Option<&[u8]>, filler: &[u8]) -> Vec<u8> {
    let field = |number: u8, tag: u8, content: &[u8]| der::wrap(0xa0 | number, &der::wrap(tag, content));
    let oid = |mechanism: Mechanism| match mechanism {
        Mechanism::Kerberos => kerberos::OIDS[0],
        Mechanism::MsKerberos => kerberos::OIDS[1],
        Mechanism::Ntlm => NTLM,
        Mechanism::NegoEx => NEGOEX,
        Mechanism::Other => &[0x2a, 3, 4],
    };
    let mut fields = Vec::new();
    if !spnego.offered.is_empty() {
        let offered: Vec<u8> =
            spnego.offered.iter().flat_map(|mechanism| der::wrap(der::OID, oid(*mechanism))).collect();
        fields.extend(field(0, der::SEQUENCE, &offered));
    }
    if let Some(state) = spnego.state {
        let number = match state {
            NegState::AcceptCompleted => 0,
            NegState::AcceptIncomplete => 1,
            NegState::Reject => 2,
            NegState::RequestMic => 3,
        };
        fields.extend(field(0, der::ENUMERATED, &[number]));
    }
    if let Some(chosen) = spnego.chosen {
        fields.extend(field(1, der::OID, oid(chosen)));
    }
    match token {
        Some(token) => fields.extend(field(2, der::OCTETS, token)),
        None => fields.extend(field(3, der::OCTETS, filler)),
    }
    let fields = der::wrap(der::SEQUENCE, &fields);
    if spnego.offered.is_empty() {
        return der::wrap(RESPONSE, &fields);
    }
    der::wrap(kerberos::GSS, &[der::wrap(der::OID, SPNEGO), der::wrap(INIT, &fields)].concat())
}

#[cfg(test)]
mod tests {
    use super::super::{Credential, Redactor};
    use super::*;

    fn marker(raw: &str) -> String {
        let redactor = Redactor::new();
        for name in ["Authorization", "WWW-Authenticate"] {
            let field = redactor.wire().field(name.as_bytes(), format!("Negotiate {raw}").trim_end().as_bytes());
            assert_eq!(redactor.own().field(name.as_bytes(), field.value.as_str().as_bytes()), field);
        }
        let credential = Credential::Negotiate(read(&Redactor::new().wire(), raw));
        let marker = credential.to_string();
        assert_eq!(Credential::read(&marker), Some(credential), "{marker}");
        marker
    }

    fn shown(bytes: &[u8]) -> String {
        marker(&LENIENT.encode(bytes))
    }

    fn type1() -> Vec<u8> {
        LENIENT.decode("TlRMTVNTUAABAAAAl4II4gAAAAAoAAAAAAAAACgAAAAKAHxPAAAADw==").unwrap_or_default()
    }

    fn ticket() -> Vec<u8> {
        let (realm, service) = (Some("CONTOSO.COM".into()), Some("HTTP/mail.contoso.com".into()));
        kerberos::stand_in(&Kerberos::Request { realm, service, etype: Some(18), kvno: Some(3) }, &[7; 300])
    }

    #[test]
    fn tells_what_is_offered_and_what_is_inside() {
        let windows = [Mechanism::MsKerberos, Mechanism::Kerberos, Mechanism::NegoEx, Mechanism::Ntlm];
        let init = |offered: &[Mechanism], token: &[u8]| {
            stand_in(&Spnego { offered: offered.to_vec(), ..Spnego::default() }, Some(token), b"")
        };
        for (bytes, expected) in [
            (type1(), "Negotiate [ntlm type1 flags=0xe2088297]"),
            (init(&[Mechanism::Ntlm], &type1()), "Negotiate [spnego offered=ntlm type1 flags=0xe2088297]"),
            (
                init(&windows, &ticket()),
                "Negotiate [spnego offered=ms-kerberos/kerberos/negoex/ntlm kerberos ap-req realm=CONTOSO.COM \
                 service=HTTP/mail.contoso.com etype=18 kvno=3 #1]",
            ),
            (
                ticket(),
                "Negotiate [kerberos ap-req realm=CONTOSO.COM service=HTTP/mail.contoso.com etype=18 kvno=3 #1]",
            ),
            (init(&[Mechanism::Other], b"something else"), "Negotiate [spnego offered=other #1]"),
            (b"\x60\xff".to_vec(), "Negotiate [unreadable #1]"),
            (b"\x60\x84\xff\xff\xff\xff".to_vec(), "Negotiate [unreadable #1]"),
        ] {
            assert_eq!(shown(&bytes), expected);
        }
        assert_eq!(marker(""), "Negotiate [empty]");
        assert_eq!(marker("hunter2!"), "Negotiate [unreadable #1]");
    }

    #[test]
    fn tells_what_the_server_answers() {
        let reply = |chosen, state, token: Option<&[u8]>| {
            shown(&stand_in(&Spnego { offered: Vec::new(), chosen, state }, token, b"checksum"))
        };
        assert_eq!(reply(None, Some(NegState::AcceptCompleted), None), "Negotiate [spnego state=accept-completed #1]");
        assert_eq!(
            reply(Some(Mechanism::Ntlm), Some(NegState::AcceptIncomplete), None),
            "Negotiate [spnego chosen=ntlm state=accept-incomplete #1]"
        );
        let error = Kerberos::Error { code: Some(37), realm: None, service: None, time: Some(1_795_338_000) };
        let error = kerberos::stand_in(&error, b"");
        assert_eq!(
            reply(Some(Mechanism::Kerberos), Some(NegState::Reject), Some(&error)),
            "Negotiate [spnego chosen=kerberos state=reject kerberos error=37 time=1795338000 #1]"
        );
        let accepted = kerberos::stand_in(&Kerberos::Reply { etype: Some(18) }, b"");
        assert_eq!(
            reply(Some(Mechanism::MsKerberos), Some(NegState::RequestMic), Some(&accepted)),
            "Negotiate [spnego chosen=ms-kerberos state=request-mic kerberos ap-rep etype=18 #1]"
        );
    }

    #[test]
    fn a_value_that_was_cut_off_gives_what_is_readable() {
        let spnego = Spnego { offered: vec![Mechanism::Kerberos, Mechanism::Ntlm], ..Spnego::default() };
        let whole = LENIENT.encode(stand_in(&spnego, Some(&ticket()), b""));
        for length in (300..whole.len()).step_by(7) {
            assert_eq!(
                marker(&whole[..length]),
                "Negotiate [spnego offered=kerberos/ntlm kerberos ap-req realm=CONTOSO.COM \
                 service=HTTP/mail.contoso.com etype=18 kvno=3 #1]"
            );
        }
        assert_eq!(marker(&whole[..60]), "Negotiate [spnego offered=kerberos #1]");
    }

    #[test]
    fn tickets_of_public_captures_name_their_service() {
        let cases = include_str!("../../tests/data/corpus/cases.jsonl");
        let negotiate = |case: serde_json::Value| {
            let headers = case["request"]["headers"].as_array()?.clone();
            let value = headers.iter().find_map(|header| header[1].as_str()?.strip_prefix("Negotiate YII"))?;
            Some(marker(&format!("YII{value}")))
        };
        let shown: Vec<String> = cases.lines().filter_map(|line| negotiate(serde_json::from_str(line).ok()?)).collect();
        assert!(shown.len() > 1);
        for marker in shown {
            assert!(marker.contains(" offered=ms-kerberos/kerberos/ntlm kerberos ap-req realm="), "{marker}");
            assert!(marker.contains(" service=HTTP/") && marker.contains(" etype="), "{marker}");
        }
    }

    #[test]
    fn markers_of_earlier_versions_read_on() {
        for marker in ["Negotiate [kerberos #1]", "Negotiate [spnego #1]", "Negotiate [spnego type1 flags=0xe2088297]"]
        {
            assert_eq!(Credential::read(marker).map(|credential| credential.to_string()).as_deref(), Some(marker));
        }
    }
}
