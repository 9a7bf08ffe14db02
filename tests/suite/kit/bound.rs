//! A login that binds an identity to its connection, as IIS binds NTLM: three messages, and then whoever speaks on that
//! connection is taken for that user. The messages have the form of NTLM; the proof in them is our own.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The side that is logged in to, for one connection.
#[derive(Default)]
pub(crate) struct Bound {
    challenge: Option<u64>,
    user: Option<String>,
}

/// What the acceptor says to a request.
pub(crate) enum Verdict {
    /// It comes from this user.
    Known(String),
    /// The value of the challenge field to refuse it with.
    Refused(String),
}

impl Bound {
    /// Looks at what a request says, if it says anything. `accounts` are names and passwords.
    pub(crate) fn judge(&mut self, credential: Option<&str>, accounts: &[(&str, &str)]) -> Verdict {
        let message = credential
            .and_then(|value| value.strip_prefix("NTLM "))
            .and_then(|word| STANDARD.decode(word).ok())
            .filter(|message| message.len() >= 32 && message.starts_with(b"NTLMSSP\0"));
        match message.as_ref().map(|message| message[8]) {
            Some(1) => {
                static NEXT: AtomicU64 = AtomicU64::new(1);
                let challenge = mixed(&("challenge", NEXT.fetch_add(1, Ordering::Relaxed)));
                (self.challenge, self.user) = (Some(challenge), None);
                return Verdict::Refused(format!("NTLM {}", STANDARD.encode(challenge_message(challenge))));
            }
            Some(3) => {
                let known = |(name, password): &&(&str, &str)| {
                    self.challenge.is_some_and(|challenge| {
                        message == STANDARD.decode(&response(name, password, challenge)["NTLM ".len()..]).ok()
                    })
                };
                self.user = accounts.iter().find(known).map(|(name, _)| (*name).to_owned());
                self.challenge = None;
            }
            _ => {}
        }
        match &self.user {
            Some(user) => Verdict::Known(user.clone()),
            None => Verdict::Refused("NTLM".to_owned()),
        }
    }
}

/// What a client begins with.
pub(crate) fn hello() -> String {
    let message = [&b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2"[..], &[0; 16]].concat();
    format!("NTLM {}", STANDARD.encode(message))
}

/// How a client answers a challenge.
pub(crate) fn response(user: &str, password: &str, challenge: u64) -> String {
    let name: Vec<u8> = user.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let proof: Vec<u8> = (0..3).flat_map(|part: u8| mixed(&(part, password, challenge)).to_le_bytes()).collect();
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut at = 64_usize;
    for length in [0, proof.len(), 0, name.len(), 0, 0] {
        for number in [length, length] {
            message.extend(u16::try_from(number).unwrap().to_le_bytes());
        }
        message.extend(u32::try_from(at).unwrap().to_le_bytes());
        at += length;
    }
    message.extend(1_u32.to_le_bytes());
    message.extend([proof, name].concat());
    format!("NTLM {}", STANDARD.encode(message))
}

/// The challenge in the value of a challenge field.
pub(crate) fn challenge_of(value: &str) -> u64 {
    let message = STANDARD.decode(value.strip_prefix("NTLM ").expect("a challenge")).unwrap();
    u64::from_le_bytes(message[24..32].try_into().unwrap())
}

fn challenge_message(challenge: u64) -> Vec<u8> {
    [&b"NTLMSSP\0\x02\0\0\0"[..], &[0; 8], b"\x01\x82\x88\xa2", &challenge.to_le_bytes(), &[0; 16]].concat()
}

fn mixed(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
