//! The marker grammar, both ways: what stands in a text in the place of a secret.
//!
//! A marker is ASCII in square brackets. It holds words of closed sets, numbers, labels, pseudonyms and values checked
//! by the same tests when they are written and when they are read, so a forged one carries no text of its own:
//!
//! ```text
//! [hidden #2]   [guid #3]
//! Basic [user=upn:user#1@contoso.com password=set #2]
//! Bearer [jwt #3 alg=RS256 aud=https://mail.contoso.com/ exp=1510868268]
//! NTLM [type3 v2 flags=0xe2888215 cbt=zero user=down-level:CONTOSO\user#1 domain=CONTOSO time=1795338000 mic #4]
//! ```

mod negotiate;

use std::fmt::{self, Display, Write};
use std::str::FromStr;

use super::memory::Kind;
use super::{
    Binding, Clean, Credential, Jwt, Label, Ntlm, NtlmBuild, NtlmMessage, OpaqueForm, Password, Token, User, shape, url,
};

/// No marker is longer.
const LONGEST: usize = 4096;

/// What a value that cannot be shown reads as inside a marker.
pub(super) const HIDDEN: &str = "hidden";

impl Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {}
            Self::Basic { .. } => f.write_str("Basic ")?,
            Self::Bearer(_) => f.write_str("Bearer ")?,
            Self::Ntlm(_) => f.write_str("NTLM ")?,
            Self::Negotiate(_) => f.write_str("Negotiate ")?,
            Self::Digest { .. } => f.write_str("Digest ")?,
            Self::Other { scheme, .. } => write!(f, "{scheme} ")?,
        }
        f.write_str(&self.bracket())
    }
}

impl Credential {
    /// The marker without the scheme; empty for [`Credential::Empty`].
    pub(super) fn bracket(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Basic { user, password } => format!("[user={} password={}]", Form(user), Known(*password)),
            Self::Bearer(token) => token.to_string(),
            Self::Ntlm(Ntlm::Empty) | Self::Other { label: None, .. } => "[empty]".to_owned(),
            Self::Ntlm(Ntlm::Message(message)) => format!("[{message}]"),
            Self::Ntlm(Ntlm::Unreadable { label }) => format!("[unreadable {label}]"),
            Self::Negotiate(negotiate) => negotiate.to_string(),
            Self::Digest { user, label } => format!("[user={} {label}]", Form(user)),
            Self::Other { label: Some(label), .. } => format!("[hidden {label}]"),
        }
    }

    /// Reads a marker back to the facts it was written from. `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Empty);
        }
        let (scheme, marker) = text.split_once(' ')?;
        let mut words = Words::of(marker)?;
        let known = |name: &str| scheme.eq_ignore_ascii_case(name);
        let credential = if known("basic") {
            let user = words.value("user").and_then(read_user)?;
            Self::Basic { user, password: words.password()? }
        } else if known("bearer") {
            return Token::read(marker).map(Self::Bearer);
        } else if known("ntlm") {
            Self::Ntlm(match words.first() {
                "empty" => words.then(Ntlm::Empty),
                "unreadable" => Ntlm::Unreadable { label: words.skip().label()? },
                _ => Ntlm::Message(Box::new(words.ntlm()?)),
            })
        } else if known("negotiate") {
            Self::Negotiate(words.negotiate()?)
        } else if known("digest") && words.first() != "empty" {
            Self::Digest { user: words.value("user").and_then(read_user)?, label: words.label()? }
        } else if is_scheme(scheme) {
            let label = match words.first() {
                "empty" if is_known_scheme(scheme) => words.then(None),
                _ => Some(words.skip_word("hidden")?.label()?),
            };
            Self::Other { scheme: Clean::vouch(scheme), label }
        } else {
            return None;
        };
        words.end()?;
        Some(credential)
    }
}

/// Schemes that are told from a secret sent without one.
const SCHEMES: [&str; 32] = [
    "Basic",
    "Bearer",
    "Digest",
    "NTLM",
    "Negotiate",
    "Kerberos",
    "AWS",
    "AWS4-HMAC-SHA256",
    "BPOSIDCRL",
    "Concealed",
    "DPoP",
    "GNAP",
    "GoogleLogin",
    "Hawk",
    "HOBA",
    "IDCRL",
    "MAC",
    "MSAuth1.0",
    "Mutual",
    "OAuth",
    "Passport1.4",
    "PoP",
    "PrivateToken",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SharedKey",
    "SharedKeyLite",
    "Signature",
    "Token",
    "vapid",
    "WLID1.0",
    "WRAP",
];

/// Whether a scheme that stands alone is one: only a known one is, for it may be a secret without a scheme.
pub(super) fn is_known_scheme(text: &str) -> bool {
    SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(text))
}

/// A scheme's name with something behind it: a known one, or at most 32 letters and dashes.
pub(super) fn is_scheme(text: &str) -> bool {
    is_known_scheme(text)
        || ((1..=32).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
            && !shape::is_opaque(text, 8))
}

impl Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("[empty]"),
            Self::Jwt(jwt) => write!(f, "[jwt{jwt}]"),
            Self::Jwe { label, alg, enc } => {
                write!(f, "[jwe {label}")?;
                for (name, value) in [("alg", alg), ("enc", enc)] {
                    if let Some(value) = value {
                        write!(f, " {name}={value}")?;
                    }
                }
                f.write_str("]")
            }
            Self::Opaque { label, form: OpaqueForm::Plain } => write!(f, "[opaque {label}]"),
            Self::Opaque { label, form } => write!(f, "[opaque {label} form={}]", form.word()),
        }
    }
}

impl Token {
    /// The token that a marker in clean text stands for, as in the JSON of a token endpoint.
    pub fn of_marker(text: &str) -> Option<Self> {
        let hidden = || hidden_label(text).map(|label| Self::Opaque { label, form: OpaqueForm::Plain });
        Self::read(text).or_else(hidden)
    }

    /// The whole token's label.
    pub fn label(&self) -> Option<Label> {
        match self {
            Self::Empty => None,
            Self::Jwt(jwt) => jwt.label,
            Self::Jwe { label, .. } | Self::Opaque { label, .. } => Some(*label),
        }
    }

    /// Reads a token's marker back; see [`Credential::read`].
    pub(super) fn read(marker: &str) -> Option<Self> {
        let mut words = Words::of(marker)?;
        let token = match words.first() {
            "empty" => words.then(Self::Empty),
            "jwt" => Self::Jwt(Box::new(words.skip().jwt()?)),
            "jwe" => Self::Jwe {
                label: words.skip().label()?,
                alg: words.checked("alg", word)?,
                enc: words.checked("enc", word)?,
            },
            "opaque" => {
                let label = words.skip().label()?;
                let form = words.value("form").map_or(Some(OpaqueForm::Plain), OpaqueForm::of)?;
                Self::Opaque { label, form }
            }
            _ => return None,
        };
        words.end()?;
        Some(token)
    }
}

impl OpaqueForm {
    const ALL: [Self; 6] =
        [Self::Plain, Self::MicrosoftAccount, Self::DoubleBearer, Self::Quoted, Self::Broken, Self::DamagedJwt];

    const fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::MicrosoftAccount => "microsoft-account",
            Self::DoubleBearer => "double-bearer",
            Self::Quoted => "quoted",
            Self::Broken => "broken",
            Self::DamagedJwt => "damaged-jwt",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.word() == word && *form != Self::Plain)
    }
}

impl Display for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = self.label {
            write!(f, " {label}")?;
        }
        let text = |f: &mut fmt::Formatter<'_>, name: &str, value: &Option<Clean>| match value {
            Some(value) => write!(f, " {name}={}", value.as_str().replace(' ', ",")),
            None => Ok(()),
        };
        text(f, "alg", &self.alg)?;
        text(f, "typ", &self.typ)?;
        if let Some(kid) = self.kid {
            write!(f, " kid={kid}")?;
        }
        text(f, "aud", &self.aud)?;
        text(f, "iss", &self.iss)?;
        text(f, "tid", &self.tid)?;
        text(f, "appid", &self.appid)?;
        if let Some(user) = &self.user {
            write!(f, " user={}", Form(user))?;
        }
        text(f, "scp", &self.scp)?;
        text(f, "roles", &self.roles)?;
        text(f, "amr", &self.amr)?;
        text(f, "appidacr", &self.appidacr)?;
        text(f, "acr", &self.acr)?;
        text(f, "xms_cc", &self.xms_cc)?;
        text(f, "ver", &self.ver)?;
        text(f, "idtyp", &self.idtyp)?;
        for (name, value) in [("iat", self.iat), ("nbf", self.nbf), ("exp", self.exp)] {
            if let Some(value) = value {
                write!(f, " {name}={value}")?;
            }
        }
        if self.onprem_sid {
            f.write_str(" onprem_sid")?;
        }
        if self.nonce {
            f.write_str(" nonce")?;
        }
        Ok(())
    }
}

impl Display for NtlmMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |f: &mut fmt::Formatter<'_>, name: &str, value: &Option<Clean>| match value {
            Some(value) => write!(f, " {name}={value}"),
            None => Ok(()),
        };
        match self {
            Self::Negotiate { flags } => write!(f, "type1 flags={flags:#010x}"),
            Self::Challenge { flags, target, computer, domain, dns_computer, dns_domain, time, build } => {
                write!(f, "type2 flags={flags:#010x}")?;
                text(f, "target", target)?;
                text(f, "computer", computer)?;
                text(f, "domain", domain)?;
                text(f, "dns-computer", dns_computer)?;
                text(f, "dns-domain", dns_domain)?;
                if let Some(time) = time {
                    write!(f, " time={time}")?;
                }
                match build {
                    Some(build) => write!(f, " build={build}"),
                    None => Ok(()),
                }
            }
            Self::Authenticate { flags, version, user, domain, binding, target, time, mic, label } => {
                write!(f, "type3 v{version} flags={flags:#010x} cbt={} user={}", binding.word(), Form(user))?;
                write!(f, " domain={domain}")?;
                text(f, "target", target)?;
                if let Some(time) = time {
                    write!(f, " time={time}")?;
                }
                write!(f, "{} {label}", if *mic { " mic" } else { "" })
            }
        }
    }
}

impl Display for NtlmBuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.build)
    }
}

impl NtlmBuild {
    fn of(text: &str) -> Option<Self> {
        let (major, rest) = text.split_once('.')?;
        let (minor, build) = rest.split_once('.')?;
        let build = Self { major: major.parse().ok()?, minor: minor.parse().ok()?, build: build.parse().ok()? };
        (build.to_string() == text).then_some(build)
    }
}

impl Binding {
    const ALL: [Self; 5] = [Self::None, Self::Zero, Self::Ours, Self::Server, Self::Other];

    const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zero => "zero",
            Self::Ours => "ours",
            Self::Server => "server",
            Self::Other => "other",
        }
    }
}

/// A user's name with its form before it.
struct Form<'a>(&'a User);

impl Display for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            User::Empty => f.write_str("empty"),
            User::Upn(name) => write!(f, "upn:{name}"),
            User::DownLevel(name) => write!(f, "down-level:{name}"),
            User::Bare(name) => write!(f, "bare:{name}"),
        }
    }
}

fn read_user(text: &str) -> Option<User> {
    if text == "empty" {
        return Some(User::Empty);
    }
    let (form, name) = text.split_once(':')?;
    let clean = || Clean::vouch(name);
    match form {
        "upn" => {
            let (person, domain) = name.split_once('@')?;
            (pseudonym(person).is_some() && is_domain(domain)).then(|| User::Upn(clean()))
        }
        "down-level" => {
            let (domain, person) = name.split_once('\\')?;
            (pseudonym(person).is_some() && is_domain(domain)).then(|| User::DownLevel(clean()))
        }
        "bare" => pseudonym(name).map(|_| User::Bare(clean())),
        _ => None,
    }
}

/// What is shown of the domain that a user's name is given with.
fn is_domain(text: &str) -> bool {
    shape::is_host(text) || text == "*"
}

/// A password's facts.
struct Known(Password);

impl Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Password::Missing => f.write_str("missing"),
            Password::Empty => f.write_str("empty"),
            Password::Set { label, padded, non_ascii } => {
                write!(f, "set {label}")?;
                f.write_str(if padded { " padded" } else { "" })?;
                f.write_str(if non_ascii { " non-ascii" } else { "" })
            }
        }
    }
}

/// The kind and number of a pseudonym such as `user#1`.
pub(super) fn pseudonym(text: &str) -> Option<(Kind, u32)> {
    const KINDS: [Kind; 6] = [Kind::User, Kind::Name, Kind::Mailbox, Kind::Device, Kind::Id, Kind::Address];
    let (word, number) = text.split_once('#')?;
    Some((KINDS.into_iter().find(|kind| kind.word() == word)?, number_of(number)?))
}

/// A label such as `#2`.
pub(super) fn label(text: &str) -> Option<Label> {
    number_of(text.strip_prefix('#')?).map(Label)
}

fn number_of(digits: &str) -> Option<u32> {
    let canonical = (1..=9).contains(&digits.len()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| canonical && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The length of the marker that `text` begins with, with its brackets: one that stands for a hidden value or a token.
pub(super) fn length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes().get(..LONGEST).unwrap_or(text.as_bytes());
    // No marker stands in another: a search for the end stops where the next one may begin, or many beginnings would
    // cost their number squared.
    let end = memchr::memchr2(b'[', b']', bytes.get(1..)?)? + 2;
    is_marker(&text[..end]).then_some(end)
}

/// Whether the whole of `text` is a marker of a hidden value or of a token.
pub(super) fn is_marker(text: &str) -> bool {
    hidden_label(text).is_some() || Token::read(text).is_some()
}

/// The label in the marker of a hidden value.
pub(super) fn hidden_label(text: &str) -> Option<Label> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    label(inner.strip_prefix("hidden ").or_else(|| inner.strip_prefix("guid "))?)
}

/// The label in the marker of a hidden value or of a token.
pub(super) fn label_of(text: &str) -> Option<Label> {
    let is_marker = text.starts_with('[') && text.ends_with(']');
    hidden_label(text).or_else(|| Token::read(text).filter(|_| is_marker)?.label())
}

/// Writes the marker of a hidden value.
pub(super) fn hide(label: Label, out: &mut String) {
    let _ = write!(out, "[hidden {label}]");
}

/// A name that a token gives for a service, an issuer, an application: what it is if it may be shown.
pub(super) fn identifier(text: &str) -> Clean {
    let shown = is_safe(text)
        && (text == "*"
            || shape::is_guid(text)
            || shape::is_principal(text)
            || spn(text)
            || url::is_plain(text)
            || (shape::is_full_host(text) && !shape::is_opaque(text, 15))
            || (shape::is_host(text) && shape::is_plain_segment(text)));
    Clean::vouch(if shown { text } else { HIDDEN })
}

/// A name that an NTLM message gives for a server or a domain: what it is if it may be shown. NetBIOS names are at most
/// 15 characters long.
pub(super) fn server(text: &str) -> Clean {
    let shown = is_safe(text) && (spn(text) || shape::is_host(text)) && !shape::is_opaque(text, 15);
    Clean::vouch(if shown { text } else { HIDDEN })
}

/// Signs that mean nothing in the marker grammar and in the syntaxes that markers stand in.
fn is_safe(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && !b"[]\"'<>&,\\=#".contains(&b))
}

/// A service principal's name: `HTTP/mail.contoso.com`.
fn spn(text: &str) -> bool {
    text.split_once('/').is_some_and(|(service, host)| {
        (1..=16).contains(&service.len())
            && service.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && shape::is_authority(host)
    })
}

/// Words of a token that say what it allows, separated by blanks; at most 64 of them.
pub(super) fn permissions(text: &str) -> Clean {
    let words: Vec<&str> = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .take(64)
        .map(|word| {
            let plain = word.len() <= 100
                && word.bytes().all(|byte| byte.is_ascii_graphic() && !b"[]\"'<>&,\\=@%".contains(&byte))
                && !word.contains('#');
            if plain && (url::is_plain(word) || !shape::is_opaque(word, 8)) { word } else { HIDDEN }
        })
        .collect();
    Clean::vouch(&words.join(" "))
}

/// A short word or number of a token: `RS256`, `1.0`, `app`.
pub(super) fn word(text: &str) -> Clean {
    let plain = (1..=20).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+'))
        && !shape::is_opaque(text, 8);
    Clean::vouch(if plain { text } else { HIDDEN })
}

/// The blank-separated words inside a marker, taken in order.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn of(marker: &'a str) -> Option<Self> {
        let rest = marker.strip_prefix('[')?.strip_suffix(']')?;
        (marker.len() <= LONGEST && rest.is_ascii()).then_some(Self { rest })
    }

    fn first(&self) -> &'a str {
        self.rest.split(' ').next().unwrap_or_default()
    }

    fn skip(&mut self) -> &mut Self {
        self.rest = self.rest.split_once(' ').map_or("", |(_, rest)| rest);
        self
    }

    fn skip_word(&mut self, word: &str) -> Option<&mut Self> {
        (self.first() == word).then(|| self.skip())
    }

    fn then<T>(&mut self, value: T) -> T {
        self.skip();
        value
    }

    fn value(&mut self, name: &str) -> Option<&'a str> {
        let value = self.first().strip_prefix(name)?.strip_prefix('=')?;
        Some(self.then(value))
    }

    fn flag(&mut self, name: &str) -> bool {
        self.skip_word(name).is_some()
    }

    fn label(&mut self) -> Option<Label> {
        let label = label(self.first())?;
        Some(self.then(label))
    }

    fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }

    fn password(&mut self) -> Option<Password> {
        Some(match self.value("password")? {
            "missing" => Password::Missing,
            "empty" => Password::Empty,
            "set" => {
                Password::Set { label: self.label()?, padded: self.flag("padded"), non_ascii: self.flag("non-ascii") }
            }
            _ => return None,
        })
    }

    /// A value that `check` leaves as it is; `Some(None)` where it is not there, `None` where it is forged.
    #[allow(clippy::option_option)]
    fn checked(&mut self, name: &str, check: fn(&str) -> Clean) -> Option<Option<Clean>> {
        let Some(value) = self.value(name) else { return Some(None) };
        let clean = check(value);
        (clean == value).then_some(Some(clean))
    }

    #[allow(clippy::option_option)]
    fn permissions(&mut self, name: &str) -> Option<Option<Clean>> {
        let Some(value) = self.value(name) else { return Some(None) };
        let spaced = value.replace(',', " ");
        let clean = permissions(&spaced);
        (clean == spaced.as_str()).then_some(Some(clean))
    }

    /// A number as it is written; see [`Words::checked`].
    #[allow(clippy::option_option)]
    fn number<N: FromStr + Display>(&mut self, name: &str) -> Option<Option<N>> {
        let Some(text) = self.value(name) else { return Some(None) };
        let number: N = text.parse().ok()?;
        (number.to_string() == text).then_some(Some(number))
    }

    fn jwt(&mut self) -> Option<Jwt> {
        Some(Jwt {
            label: if self.first().starts_with('#') { Some(self.label()?) } else { None },
            alg: self.checked("alg", word)?,
            typ: self.checked("typ", word)?,
            kid: match self.value("kid") {
                Some(kid) => Some(label(kid)?),
                None => None,
            },
            aud: self.checked("aud", identifier)?,
            iss: self.checked("iss", identifier)?,
            tid: self.checked("tid", identifier)?,
            appid: self.checked("appid", identifier)?,
            user: match self.value("user") {
                Some(user) => Some(read_user(user)?),
                None => None,
            },
            scp: self.permissions("scp")?,
            roles: self.permissions("roles")?,
            amr: self.permissions("amr")?,
            appidacr: self.checked("appidacr", word)?,
            acr: self.checked("acr", identifier)?,
            xms_cc: self.permissions("xms_cc")?,
            ver: self.checked("ver", word)?,
            idtyp: self.checked("idtyp", word)?,
            iat: self.number("iat")?,
            nbf: self.number("nbf")?,
            exp: self.number("exp")?,
            onprem_sid: self.flag("onprem_sid"),
            nonce: self.flag("nonce"),
        })
    }

    fn flags(&mut self) -> Option<u32> {
        let text = self.value("flags")?;
        let flags = u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
        (format!("{flags:#010x}") == text).then_some(flags)
    }

    fn ntlm(&mut self) -> Option<NtlmMessage> {
        let message = match self.first() {
            "type1" => NtlmMessage::Negotiate { flags: self.skip().flags()? },
            "type2" => NtlmMessage::Challenge {
                flags: self.skip().flags()?,
                target: self.checked("target", server)?,
                computer: self.checked("computer", server)?,
                domain: self.checked("domain", server)?,
                dns_computer: self.checked("dns-computer", server)?,
                dns_domain: self.checked("dns-domain", server)?,
                time: self.number("time")?,
                build: match self.value("build") {
                    Some(build) => Some(NtlmBuild::of(build)?),
                    None => None,
                },
            },
            "type3" => {
                let version = match self.skip().first() {
                    "v0" => 0,
                    "v1" => 1,
                    "v2" => 2,
                    _ => return None,
                };
                let flags = self.skip().flags()?;
                let binding = self.value("cbt")?;
                NtlmMessage::Authenticate {
                    flags,
                    version,
                    binding: Binding::ALL.into_iter().find(|known| known.word() == binding)?,
                    user: self.value("user").and_then(read_user)?,
                    domain: match self.value("domain")? {
                        "" => Clean::from(""),
                        domain => Some(server(domain)).filter(|clean| *clean == domain)?,
                    },
                    target: self.checked("target", server)?,
                    time: self.number("time")?,
                    mic: self.flag("mic"),
                    label: self.label()?,
                }
            }
            _ => return None,
        };
        Some(message)
    }
}
