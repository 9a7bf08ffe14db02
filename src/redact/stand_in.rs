//! Stand-ins for replay: what was masked comes back as something of the same form that never was a secret.
//!
//! One replay run has one set of stand-ins: the same label or pseudonym becomes the same stand-in. What is handed out is
//! as fresh as it was when it was recorded: its times are moved by as much as has passed since.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{
    Binding, Clean, Credential, Field, Jwt, Label, Negotiate, Ntlm, NtlmMessage, Password, Token, User, kerberos,
    marker, negotiate, percent_decoded,
};

/// The stand-ins of one replay run.
#[derive(Clone, Default)]
pub struct StandIns {
    key: RandomState,
    /// How many challenges were made: each is fresh.
    challenges: Arc<AtomicU64>,
    /// By how many seconds times are moved.
    later: i64,
}

impl StandIns {
    /// A fresh set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same ones, with the times of tokens and NTLM messages so many seconds later.
    #[must_use]
    pub fn later(&self, seconds: i64) -> Self {
        Self { later: seconds, ..self.clone() }
    }

    /// A field's value as bytes for the wire.
    pub fn field(&self, field: &Field) -> Vec<u8> {
        match &field.credential {
            Some(credential) if Credential::read(field.value.as_str()).as_ref() == Some(credential) => {
                let scheme = field.value.as_str().split(' ').next().unwrap_or_default();
                self.credential(scheme, credential).into_bytes()
            }
            _ => self.text(&field.value),
        }
    }

    /// A text as bytes for the wire: of a body, a URL, a header.
    pub fn text(&self, text: &Clean) -> Vec<u8> {
        let filled = self.filled(text.as_str());
        Clean::vouch(&filled).to_wire()
    }

    fn filled(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some(at) = rest.find(['[', '#', '%']) {
            let (before, found) = rest.split_at(at);
            if found.starts_with('[') {
                out.push_str(before);
                let length = self.marker(found, before, &mut out);
                rest = &found[length..];
            } else {
                let sign = if found.starts_with("%23") { 3 } else { 1 };
                let digits = found[sign..].bytes().take_while(u8::is_ascii_digit).count();
                let word = before.len() - before.bytes().rev().take_while(u8::is_ascii_lowercase).count();
                let pseudonym = format!("{}#{}", &before[word..], &found[sign..sign + digits]);
                // `user#1` becomes `user1`: as much a name as the one it stands for.
                if (sign == 3 || found.starts_with('#')) && marker::pseudonym(&pseudonym).is_some() {
                    out.push_str(before);
                    rest = &found[sign..];
                } else {
                    out.push_str(&rest[..=at]);
                    rest = &rest[at + 1..];
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// Replaces what begins with a bracket, a marker as it is or in the encoding of URLs. Gives its length.
    fn marker(&self, text: &str, before: &str, out: &mut String) -> usize {
        let Some(end) = text.find(']').map(|end| end + 1) else {
            out.push('[');
            return 1;
        };
        let inside = &text[..end];
        let encoded = inside.contains(['%', '+']);
        // JSON doubles the backslash of a name.
        let plain = if encoded { percent_decoded(inside).into_owned() } else { inside.replace("\\\\", "\\") };
        if let Some(label) = marker::hidden_label(&plain) {
            out.push_str(&if plain.starts_with("[guid") { self.guid(label) } else { self.word(label, 24) });
            return end;
        }
        if let Some(token) = Token::read(&plain) {
            out.push_str(&self.token(&token));
            return end;
        }
        // A marker of a challenge that stands among others: its scheme is the word before it.
        let scheme = before.trim_end().rsplit([' ', ',']).next().unwrap_or_default();
        let whole = format!("{scheme} {plain}");
        if let Some(credential) = Credential::read(&whole) {
            let value = self.credential(scheme, &credential);
            out.push_str(value.strip_prefix(scheme).unwrap_or(&value).trim_start());
            return end;
        }
        out.push('[');
        1
    }

    fn credential(&self, scheme: &str, credential: &Credential) -> String {
        let value = match credential {
            Credential::Empty => return String::new(),
            Credential::Basic { user, password } => {
                let password = match password {
                    Password::Missing => String::new(),
                    Password::Empty => ":".to_owned(),
                    Password::Set { label, padded, non_ascii } => {
                        let ends = if *padded { " " } else { "" };
                        let beyond = if *non_ascii { "\u{e9}" } else { "" };
                        format!(":{ends}{}{beyond}", self.word(*label, 12))
                    }
                };
                STANDARD.encode(format!("{}{password}", plain(user)))
            }
            Credential::Bearer(token) => self.token(token),
            Credential::Ntlm(Ntlm::Empty) | Credential::Negotiate(Negotiate::Empty) => String::new(),
            Credential::Ntlm(Ntlm::Message(message)) | Credential::Negotiate(Negotiate::Ntlm(message)) => {
                STANDARD.encode(self.message(message))
            }
            Credential::Negotiate(Negotiate::SpnegoNtlm(message, spnego)) => {
                STANDARD.encode(negotiate::stand_in(spnego, Some(&self.message(message)), &[]))
            }
            Credential::Negotiate(Negotiate::Kerberos { message, spnego, label }) => {
                let token = kerberos::stand_in(message, &self.bytes((label.0, "ticket"), 96));
                let framed = spnego.as_ref().map(|spnego| negotiate::stand_in(spnego, Some(&token), &[]));
                STANDARD.encode(framed.unwrap_or(token))
            }
            Credential::Negotiate(Negotiate::Spnego { spnego, label }) => {
                STANDARD.encode(negotiate::stand_in(spnego, None, &self.bytes((label.0, "mic"), 16)))
            }
            Credential::Ntlm(Ntlm::Unreadable { label }) | Credential::Negotiate(Negotiate::Unreadable { label }) => {
                self.word(*label, 32)
            }
            Credential::Digest { user, label } => {
                format!("username=\"{}\", response=\"{}\"", plain(user), hex(&self.bytes((label.0, "digest"), 16)))
            }
            Credential::Other { label, .. } => label.map_or_else(String::new, |label| self.word(label, 32)),
        };
        if value.is_empty() { scheme.to_owned() } else { format!("{scheme} {value}") }
    }

    fn token(&self, token: &Token) -> String {
        match token {
            Token::Empty => String::new(),
            Token::Jwt(jwt) => self.jwt(jwt),
            Token::Jwe { label, alg, enc } => {
                let part = |name, length| URL_SAFE_NO_PAD.encode(self.bytes((label.0, name), length));
                let mut header = Map::new();
                for (name, value) in [("alg", alg), ("enc", enc)] {
                    if let Some(value) = value {
                        header.insert(name.into(), value.as_str().into());
                    }
                }
                let header = URL_SAFE_NO_PAD.encode(Value::Object(header).to_string());
                [header, part("key", 64), part("iv", 12), part("text", 96), part("tag", 16)].join(".")
            }
            Token::Opaque { label, form } => match form {
                super::OpaqueForm::Plain => self.word(*label, 40),
                super::OpaqueForm::MicrosoftAccount => format!("EwA4{}", self.word(*label, 40)),
                super::OpaqueForm::DoubleBearer => format!("Bearer {}", self.word(*label, 40)),
                super::OpaqueForm::Quoted => format!("\"{}\"", self.word(*label, 40)),
                super::OpaqueForm::Broken => format!("{} {}", self.word(*label, 20), self.word(*label, 16)),
                super::OpaqueForm::DamagedJwt => format!("eyJ{}", self.word(*label, 40)),
            },
        }
    }

    /// A token with the same claims and a signature of nobody.
    fn jwt(&self, jwt: &Jwt) -> String {
        let mut header = Map::new();
        let mut claims = Map::new();
        let text = |into: &mut Map<String, Value>, name: &str, value: &Option<Clean>| {
            if let Some(value) = value {
                into.insert(name.into(), value.as_str().into());
            }
        };
        text(&mut header, "alg", &jwt.alg);
        text(&mut header, "typ", &jwt.typ);
        if let Some(kid) = jwt.kid {
            header.insert("kid".into(), self.word(kid, 24).into());
        }
        if jwt.nonce {
            header.insert("nonce".into(), "replay".into());
        }
        for (name, value) in [
            ("aud", &jwt.aud),
            ("iss", &jwt.iss),
            ("tid", &jwt.tid),
            ("appid", &jwt.appid),
            ("scp", &jwt.scp),
            ("appidacr", &jwt.appidacr),
            ("acr", &jwt.acr),
            ("ver", &jwt.ver),
            ("idtyp", &jwt.idtyp),
        ] {
            text(&mut claims, name, value);
        }
        for (name, list) in [("roles", &jwt.roles), ("amr", &jwt.amr), ("xms_cc", &jwt.xms_cc)] {
            if let Some(list) = list {
                let words: Vec<&str> = list.as_str().split(' ').collect();
                claims.insert(name.into(), json!(words));
            }
        }
        if let Some(user) = &jwt.user {
            claims.insert("upn".into(), plain(user).into());
        }
        for (name, seconds) in [("iat", jwt.iat), ("nbf", jwt.nbf), ("exp", jwt.exp)] {
            if let Some(seconds) = seconds {
                claims.insert(name.into(), seconds.saturating_add(self.later).into());
            }
        }
        if jwt.onprem_sid {
            claims.insert("onprem_sid".into(), "S-1-5-21-1-2-3-1000".into());
        }
        let part = |object: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(object).to_string());
        let signature = URL_SAFE_NO_PAD.encode(self.bytes((jwt.label.map_or(0, |label| label.0), "signature"), 64));
        format!("{}.{}.{signature}", part(header), part(claims))
    }

    fn message(&self, message: &NtlmMessage) -> Vec<u8> {
        match message {
            NtlmMessage::Negotiate { flags } => {
                let mut bytes = start(1);
                bytes.extend(flags.to_le_bytes());
                bytes.extend([0; 16]);
                bytes
            }
            NtlmMessage::Challenge { flags, target, computer, domain, dns_computer, dns_domain, time, build } => {
                let mut pairs = Vec::new();
                for (id, name) in [(2, domain), (1, computer), (4, dns_domain), (3, dns_computer)] {
                    if let Some(name) = name {
                        pair(id, &utf16(name.as_str()), &mut pairs);
                    }
                }
                if let Some(time) = time {
                    pair(7, &filetime(time.saturating_add(self.later)), &mut pairs);
                }
                pairs.extend([0; 4]);
                let target = utf16(target.as_ref().map_or("", Clean::as_str));
                let mut bytes = start(2);
                pointer(target.len(), 56, &mut bytes);
                bytes.extend(flags.to_le_bytes());
                bytes.extend(self.challenge());
                bytes.extend([0; 8]);
                pointer(pairs.len(), 56 + target.len(), &mut bytes);
                let build = build.map_or([0; 4], |known| {
                    let [low, high] = known.build.to_le_bytes();
                    [known.major, known.minor, low, high]
                });
                bytes.extend(build);
                bytes.extend([0, 0, 0, 15]);
                bytes.extend(target);
                bytes.extend(pairs);
                bytes
            }
            NtlmMessage::Authenticate { flags, version, user, domain, binding, target, time, mic, label } => {
                let mut pairs = Vec::new();
                if let Some(time) = time {
                    pair(7, &filetime(time.saturating_add(self.later)), &mut pairs);
                }
                if *mic {
                    pair(6, &[2, 0, 0, 0], &mut pairs);
                }
                let response = self.response(*version, *binding, target.as_ref(), pairs, *label);
                let name = plain(user);
                let name = utf16(name.split_once('\\').map_or(name.as_str(), |(_, name)| name));
                let domain = utf16(domain.as_str());
                let mut bytes = start(3);
                let mut at = 64;
                let mut field = |length: usize, bytes: &mut Vec<u8>| {
                    pointer(length, at, bytes);
                    at += length;
                };
                field(0, &mut bytes);
                field(response.len(), &mut bytes);
                field(domain.len(), &mut bytes);
                field(name.len(), &mut bytes);
                field(0, &mut bytes);
                field(0, &mut bytes);
                bytes.extend((flags | 1).to_le_bytes());
                bytes.extend(response);
                bytes.extend(domain);
                bytes.extend(name);
                bytes
            }
        }
    }

    fn response(&self, version: u8, binding: Binding, target: Option<&Clean>, pairs: Vec<u8>, label: Label) -> Vec<u8> {
        match version {
            0 => Vec::new(),
            1 => self.bytes((label.0, "response"), 24),
            _ => {
                let mut bytes = self.bytes((label.0, "response"), 16);
                bytes.extend([1, 1, 0, 0, 0, 0, 0, 0]);
                bytes.extend([0; 20]);
                bytes.extend(pairs);
                match binding {
                    Binding::None => {}
                    Binding::Zero => pair(10, &[0; 16], &mut bytes),
                    Binding::Ours | Binding::Server | Binding::Other => {
                        pair(10, &self.bytes((label.0, "binding"), 16), &mut bytes);
                    }
                }
                if let Some(target) = target {
                    pair(9, &utf16(target.as_str()), &mut bytes);
                }
                bytes.extend([0; 8]);
                bytes
            }
        }
    }

    fn challenge(&self) -> [u8; 8] {
        let made = self.challenges.fetch_add(1, Ordering::Relaxed);
        self.key.hash_one(("challenge", made)).to_le_bytes()
    }

    fn guid(&self, label: Label) -> String {
        let hex = hex(&self.bytes((label.0, "guid"), 16));
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    /// A word for a label, of signs that no syntax minds.
    fn word(&self, label: Label, length: usize) -> String {
        hex(&self.bytes((label.0, "word"), length.div_ceil(2)))
    }

    fn bytes(&self, seed: impl Hash + Copy, length: usize) -> Vec<u8> {
        let blocks = (0..length.div_ceil(8)).flat_map(|block| self.key.hash_one((seed, block)).to_le_bytes());
        blocks.take(length).collect()
    }
}

fn plain(user: &User) -> String {
    user.name().map_or_else(String::new, |name| name.as_str().replacen('#', "", 1))
}

fn start(kind: u8) -> Vec<u8> {
    let mut bytes = super::ntlm::SIGNATURE.to_vec();
    bytes.extend([kind, 0, 0, 0]);
    bytes
}

/// Length, room and offset of a payload. Names are bounded where they are read, so both fit.
fn pointer(length: usize, offset: usize, bytes: &mut Vec<u8>) {
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();
    bytes.extend(length);
    bytes.extend(length);
    bytes.extend(u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes());
}

fn pair(id: u16, value: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend(id.to_le_bytes());
    bytes.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(value);
}

/// A FILETIME.
fn filetime(seconds: i64) -> [u8; 8] {
    u64::try_from(seconds.saturating_add(11_644_473_600)).unwrap_or_default().saturating_mul(10_000_000).to_le_bytes()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Redactor;
    use super::*;

    /// The facts of a credential without its labels, which are of another run.
    fn facts(marker: &str) -> String {
        marker
            .split(' ')
            .filter(|word| marker::label(word.trim_end_matches(']')).is_none())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_stand_in_has_the_facts_of_what_it_stands_for() {
        let stand_ins = StandIns::new();
        for marker in [
            "",
            "Bearer [empty]",
            r"Basic [user=down-level:CONTOSO\user#1 password=set #1 padded non-ascii]",
            "Basic [user=upn:user#1@contoso.com password=empty]",
            "Bearer [jwt #1 alg=RS256 aud=https://mail.contoso.com/ user=upn:user#1@contoso.com scp=a,b roles=c,d exp=1510868268 onprem_sid nonce]",
            "Bearer [jwt #1 typ=at+jwt kid=#2 acr=1 xms_cc=cp1]",
            "Bearer [jwe #1]",
            "Bearer [jwe #1 alg=RSA-OAEP enc=A256GCM]",
            "Bearer [opaque #1 form=microsoft-account]",
            "Bearer [opaque #1 form=double-bearer]",
            "Bearer [opaque #1 form=broken]",
            "Bearer [opaque #1 form=quoted]",
            "NTLM [type1 flags=0xe2088297]",
            "NTLM [type2 flags=0xe2898215 target=CONTOSO computer=EX01 domain=CONTOSO dns-computer=ex01.contoso.com dns-domain=contoso.com time=1735526400 build=10.0.20348]",
            "NTLM [type2 flags=0xe2898215]",
            r"NTLM [type3 v2 flags=0xe2888215 cbt=other user=down-level:CONTOSO\user#1 domain=CONTOSO target=HTTP/mail.contoso.com time=1735526400 mic #1]",
            r"NTLM [type3 v1 flags=0xe2888215 cbt=none user=bare:user#1 domain= #1]",
            "Negotiate [kerberos #1]",
            "Negotiate [kerberos ap-req realm=CONTOSO.COM service=HTTP/mail.contoso.com etype=18 kvno=3 #1]",
            "Negotiate [spnego offered=ms-kerberos/ntlm kerberos ap-req realm=CONTOSO.COM service=HTTP/mail etype=-133 #1]",
            "Negotiate [spnego chosen=kerberos state=reject kerberos error=37 realm=CONTOSO.COM time=1735526400 #1]",
            "Negotiate [spnego chosen=kerberos state=accept-completed kerberos ap-rep etype=18 #1]",
            "Negotiate [spnego offered=ntlm type1 flags=0xe2088297]",
            "Negotiate [spnego #1]",
            r"Digest [user=down-level:CONTOSO\user#1 #1]",
        ] {
            let clean = Redactor::new().own().field(b"authorization", marker.as_bytes());
            assert_eq!(clean.value, *marker);
            let wire = stand_ins.field(&clean);
            let again = Redactor::new().wire().field(b"authorization", &wire);
            assert_eq!(facts(again.value.as_str()), facts(marker), "{}", String::from_utf8_lossy(&wire));
        }
    }

    #[test]
    fn one_label_is_one_stand_in_and_pseudonyms_become_names() {
        let stand_ins = StandIns::new();
        let own = |text: &str| Clean::vouch(text);
        let cookie = stand_ins.text(&own("a=[hidden #1]; b=[hidden #2]"));
        let query = stand_ins.text(&own("https://mail.contoso.com/?User=user%231@contoso.com&code=[hidden+%231]"));
        let cookie = String::from_utf8(cookie).unwrap();
        let query = String::from_utf8(query).unwrap();
        let (first, second) = cookie.split_once("; ").unwrap();
        let first = first.strip_prefix("a=").unwrap();
        assert_ne!(first, second.strip_prefix("b=").unwrap());
        assert_eq!(query, format!("https://mail.contoso.com/?User=user1@contoso.com&code={first}"));
        assert_eq!(stand_ins.text(&own("100% [x] #1 a%20b")), b"100% [x] #1 a%20b");
    }

    #[test]
    fn times_are_as_far_from_now_as_they_were() {
        let stand_ins = StandIns::new().later(3600);
        for (marker, moved) in [
            (
                "Bearer [jwt #1 alg=RS256 iat=1510860000 nbf=1510860000 exp=1510868268]",
                "iat=1510863600 nbf=1510863600 exp=1510871868",
            ),
            ("NTLM [type2 flags=0xe2898215 target=CONTOSO time=1735526400]", "time=1735530000"),
        ] {
            let clean = Redactor::new().own().field(b"authorization", marker.as_bytes());
            let again = Redactor::new().wire().field(b"authorization", &stand_ins.field(&clean));
            let shown = again.value.as_str();
            assert!(moved.split(' ').all(|fact| shown.contains(fact)), "{shown}");
        }
    }

    #[test]
    fn each_challenge_is_fresh() {
        let stand_ins = StandIns::new();
        let challenge =
            Redactor::new().own().field(b"WWW-Authenticate", b"NTLM [type2 flags=0x00000001 target=CONTOSO]");
        assert!(challenge.credential.is_some());
        assert_ne!(stand_ins.field(&challenge), stand_ins.field(&challenge));
    }
}
