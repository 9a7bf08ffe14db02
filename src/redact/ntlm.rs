//! MS-NLMP messages, version 1 and 2: who, from which domain, against which server, bound to which certificate.

use base64::Engine;

use super::basic::LENIENT;
use super::door::Door;
use super::net::Class;
use super::{Binding, Bindings, Clean, Ntlm, NtlmBuild, NtlmMessage, User, marker};

/// What every message begins with.
pub(super) const SIGNATURE: &[u8] = b"NTLMSSP\0";

/// The flag that says whether texts are UTF-16.
const UNICODE: u32 = 1;

/// The flag that says whether the version of the system is told.
const VERSION: u32 = 0x0200_0000;

/// What follows `NTLM`.
pub(super) fn read(door: &Door<'_>, rest: &str) -> Ntlm {
    if rest.is_empty() {
        return Ntlm::Empty;
    }
    let message = LENIENT.decode(rest).ok().and_then(|bytes| message(door, &bytes));
    match message {
        Some(message) => Ntlm::Message(Box::new(message)),
        None => {
            door.memory().meet(Class::Ntlm, rest.as_bytes());
            Ntlm::Unreadable { label: door.memory().label(rest.as_bytes()) }
        }
    }
}

/// One message, from its signature on.
pub(super) fn message(door: &Door<'_>, bytes: &[u8]) -> Option<NtlmMessage> {
    let message = Message { bytes: bytes.starts_with(SIGNATURE).then_some(bytes)? };
    match message.u32(8)? {
        1 => Some(NtlmMessage::Negotiate { flags: message.u32(12)? }),
        2 => message.challenge(door),
        3 => message.authenticate(door),
        _ => None,
    }
}

struct Message<'a> {
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    fn challenge(&self, door: &Door<'_>) -> Option<NtlmMessage> {
        let flags = self.u32(20)?;
        // With it a response can be tried against passwords.
        door.memory().meet(Class::Ntlm, self.bytes.get(24..32)?);
        let shown = |text: String| (!text.is_empty()).then(|| marker::server(&text));
        let pairs = Pairs { rest: self.payload(40).unwrap_or_default() };
        let pair = |id: u16| pairs.value(id).map(utf16).and_then(shown);
        Some(NtlmMessage::Challenge {
            flags,
            target: self.payload(12).map(|bytes| text(bytes, flags)).and_then(shown),
            computer: pair(1),
            domain: pair(2),
            dns_computer: pair(3),
            dns_domain: pair(4),
            time: pairs.value(7).and_then(seconds),
            build: self.build(flags, 48),
        })
    }

    fn authenticate(&self, door: &Door<'_>) -> Option<NtlmMessage> {
        let response = self.payload(20)?;
        let flags = self.u32(60).unwrap_or(UNICODE);
        let domain = text(self.payload(28)?, flags);
        let user = text(self.payload(36)?, flags);
        let version = match response.len() {
            0 => 0,
            24 => 1,
            _ => 2,
        };
        // Of version 2 the proof: what follows it names servers and times.
        door.memory().meet(Class::Ntlm, response.get(..16).filter(|_| version == 2).unwrap_or(response));
        let older = self.payload(12).unwrap_or_default();
        if older.iter().any(|byte| *byte != 0) {
            door.memory().meet(Class::Ntlm, older);
        }
        // The version 2 response: a proof of 16 bytes, a fixed part of 28, then the AV pairs.
        let pairs = Pairs { rest: response.get(44..).filter(|_| version == 2).unwrap_or_default() };
        Some(NtlmMessage::Authenticate {
            flags,
            version,
            user: if user.is_empty() { User::Empty } else { door.user(&user, &domain) },
            domain: if domain.is_empty() { Clean::from("") } else { marker::server(&domain) },
            binding: binding(door.bindings(), pairs.value(10)),
            time: pairs.value(7).or_else(|| response.get(24..32).filter(|_| version == 2)).and_then(seconds),
            mic: matches!(pairs.value(6), Some([flags, _, _, _]) if flags & 2 != 0),
            target: pairs.value(9).map(utf16).filter(|target| !target.is_empty()).map(|target| marker::server(&target)),
            label: door.memory().label(response),
        })
    }

    fn build(&self, flags: u32, at: usize) -> Option<NtlmBuild> {
        let version = self.bytes.get(at..at + 4).filter(|version| flags & VERSION != 0 && **version != [0; 4])?;
        Some(NtlmBuild { major: version[0], minor: version[1], build: u16::from_le_bytes([version[2], version[3]]) })
    }

    fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes.get(at..at + 2)?.try_into().ok()?))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
    }

    /// The payload that the field at `at` points to: its length, its room, its offset.
    fn payload(&self, at: usize) -> Option<&'a [u8]> {
        let length = usize::from(self.u16(at)?);
        let offset = usize::try_from(self.u32(at + 4)?).ok()?;
        if length == 0 {
            return Some(&[]);
        }
        self.bytes.get(offset..offset.checked_add(length)?)
    }
}

fn binding(known: Bindings, value: Option<&[u8]>) -> Binding {
    match value {
        None => Binding::None,
        Some(value) if value.iter().all(|byte| *byte == 0) => Binding::Zero,
        Some(value) if known.server.is_some_and(|server| server == value) => Binding::Server,
        Some(value) if known.ours.is_some_and(|ours| ours == value) => Binding::Ours,
        Some(_) => Binding::Other,
    }
}

/// A list of AV pairs: id, length, value.
#[derive(Clone, Copy)]
struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    fn value(mut self, wanted: u16) -> Option<&'a [u8]> {
        while let [a, b, c, d, rest @ ..] = self.rest {
            let id = u16::from_le_bytes([*a, *b]);
            let length = usize::from(u16::from_le_bytes([*c, *d]));
            if id == 0 || length > rest.len() {
                return None;
            }
            if id == wanted {
                return Some(&rest[..length]);
            }
            self.rest = &rest[length..];
        }
        None
    }
}

/// Seconds since 1970 of a FILETIME, which counts tenths of microseconds since 1601. Nothing for what is no moment of
/// our time.
fn seconds(bytes: &[u8]) -> Option<i64> {
    const BEFORE_1970: u64 = 11_644_473_600;
    const YEAR_10000: i64 = 253_402_300_800;
    let ticks = u64::from_le_bytes(bytes.try_into().ok()?);
    let seconds = i64::try_from((ticks / 10_000_000).checked_sub(BEFORE_1970)?).ok()?;
    (seconds < YEAR_10000).then_some(seconds)
}

fn text(bytes: &[u8], flags: u32) -> String {
    if flags & UNICODE == 0 { bytes.iter().map(|byte| char::from(*byte)).collect() } else { utf16(bytes) }
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Credential, Redactor};
    use super::*;

    const TYPE2: &str = "TlRMTVNTUAACAAAADgAOADgAAAAFgoniASNFZ4mrze8AAAAAAAAAAGwAbABGAAAACgBhSgAAAA9DAE8ATgBUAE8AUwBPAAIADgBDAE8ATgBUAE8AUwBPAAEACABFAFgAMAAxAAQAFgBjAG8AbgB0AG8AcwBvAC4AYwBvAG0AAwAgAGUAeAAwADEALgBjAG8AbgB0AG8AcwBvAC4AYwBvAG0ABwAIAACA8h5kWtsBAAAAAA==";

    /// A type 3 message with a version 2 response that holds `pairs`.
    fn type3(user: &str, domain: &str, response: &[u8]) -> String {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let (user, domain) = (wide(user), wide(domain));
        let mut bytes = [SIGNATURE, &[3, 0, 0, 0]].concat();
        let mut at = 64;
        for length in [0, response.len(), domain.len(), user.len(), 0, 0] {
            bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
            bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
            bytes.extend(u32::try_from(at).unwrap().to_le_bytes());
            at += length;
        }
        bytes.extend(1_u32.to_le_bytes());
        for part in [response, &domain, &user] {
            bytes.extend(part);
        }
        LENIENT.encode(bytes)
    }

    fn response(pairs: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = [[7; 24].as_slice(), &[0; 20]].concat();
        for (id, value) in pairs {
            bytes.extend(id.to_le_bytes());
            bytes.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
            bytes.extend(*value);
        }
        bytes.extend([0; 4]);
        bytes
    }

    fn marker(raw: &str, bindings: Bindings) -> String {
        let redactor = Redactor::new();
        let credential = Credential::Ntlm(read(&redactor.wire().with_bindings(bindings), raw));
        let marker = credential.to_string();
        assert_eq!(Credential::read(&marker), Some(credential));
        marker
    }

    #[test]
    fn reads_the_three_messages() {
        let unknown = Bindings::UNKNOWN;
        assert_eq!(
            marker("TlRMTVNTUAABAAAAl4II4gAAAAAoAAAAAAAAACgAAAAKAHxPAAAADw==", unknown),
            "NTLM [type1 flags=0xe2088297]"
        );
        assert_eq!(
            marker(TYPE2, unknown),
            "NTLM [type2 flags=0xe2898205 target=CONTOSO computer=EX01 domain=CONTOSO dns-computer=ex01.contoso.com \
             dns-domain=contoso.com time=1735526400 build=10.0.19041]"
        );
        assert_eq!(
            marker(&type3("avery", "CONTOSO", &response(&[])), unknown),
            r"NTLM [type3 v2 flags=0x00000001 cbt=none user=down-level:CONTOSO\user#1 domain=CONTOSO #1]"
        );
        assert_eq!(
            marker(&type3("avery@contoso.com", "", &[9; 24]), unknown),
            "NTLM [type3 v1 flags=0x00000001 cbt=none user=upn:user#1@contoso.com domain= #1]"
        );
        assert_eq!(
            marker(&type3("", "", &[]), unknown),
            "NTLM [type3 v0 flags=0x00000001 cbt=none user=empty domain= #1]"
        );
    }

    #[test]
    fn tells_whose_certificate_the_response_is_bound_to() {
        let bindings = Bindings { ours: Some([1; 16]), server: Some([2; 16]) };
        for (value, word) in [([0; 16], "zero"), ([1; 16], "ours"), ([2; 16], "server"), ([3; 16], "other")] {
            let raw = type3("avery", "CONTOSO", &response(&[(9, b"H\0T\0"), (10, &value)]));
            assert!(marker(&raw, bindings).contains(&format!(" cbt={word} ")), "{word}");
        }
    }

    #[test]
    fn tells_when_the_response_was_made_and_whether_it_has_a_mic() {
        let unknown = Bindings::UNKNOWN;
        let time = 133_799_999_990_000_000_u64.to_le_bytes();
        let raw = type3("avery", "", &response(&[(6, &[2, 0, 0, 0]), (7, &time)]));
        assert_eq!(
            marker(&raw, unknown),
            "NTLM [type3 v2 flags=0x00000001 cbt=none user=bare:user#1 domain= time=1735526399 mic #1]"
        );
        // Without AvId 7 it is the client's own clock, at the response's 24th byte.
        let mut own = response(&[(6, &[1, 0, 0, 0])]);
        own[24..32].copy_from_slice(&time);
        assert!(marker(&type3("avery", "", &own), unknown).contains(" domain= time=1735526399 #1]"));
    }

    #[test]
    fn an_anonymous_message_says_so() {
        let redactor = Redactor::new();
        for (user, response, expected) in [("", vec![], true), ("avery", vec![9; 24], false)] {
            let Ntlm::Message(message) = read(&redactor.wire(), &type3(user, "", &response)) else { unreachable!() };
            assert_eq!(message.is_anonymous(), expected);
        }
    }

    #[test]
    fn what_points_outside_of_the_message_is_unreadable() {
        let mut bytes = LENIENT.decode(type3("avery", "CONTOSO", &response(&[]))).unwrap();
        bytes.truncate(70);
        assert_eq!(marker(&LENIENT.encode(bytes), Bindings::UNKNOWN), "NTLM [unreadable #1]");
        assert_eq!(marker("hunter2!", Bindings::UNKNOWN), "NTLM [unreadable #1]");
        assert_eq!(marker("", Bindings::UNKNOWN), "NTLM [empty]");
    }
}
