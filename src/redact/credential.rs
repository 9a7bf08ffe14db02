//! What may be known of a credential without knowing it, and the marker that stands for it in text.
//!
//! A marker is a grammar: `Basic [user=upn:user#1@contoso.com password=set #2]`. It is written by [`Credential`]'s
//! `Display` and read back by [`Credential::read`] to the same facts. Fields are typed and bounded, so a forged marker
//! cannot carry text of its own.

use super::door::Door;
use super::net::Class;
use super::{Clean, Label, basic, bearer, challenge, digest, marker, negotiate, ntlm};

/// What an `Authorization`, `Proxy-Authorization`, `WWW-Authenticate` token or token-endpoint value was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The header is there, its value is empty (iOS Mail sends this as its empty Bearer).
    Empty,
    /// RFC 7617.
    Basic {
        /// Who.
        user: User,
        /// What may be known of the password.
        password: Password,
    },
    /// RFC 6750.
    Bearer(Token),
    /// MS-NLMP inside the `NTLM` scheme.
    Ntlm(Ntlm),
    /// RFC 4559 and MS-SPNG inside the `Negotiate` scheme.
    Negotiate(Negotiate),
    /// RFC 7616.
    Digest {
        /// Who.
        user: User,
        /// The whole value's label.
        label: Label,
    },
    /// Any other scheme: its name, when it is a plausible token of at most 32 letters, and the value's label.
    Other {
        /// As spelled.
        scheme: Clean,
        /// Nothing where the scheme stood alone.
        label: Option<Label>,
    },
}

/// What may be known of a password: never its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// There was no colon in the credentials.
    Missing,
    /// Empty after the colon.
    Empty,
    /// There is one.
    Set {
        /// Equal passwords have equal labels.
        label: Label,
        /// Blanks at its start or end, a usual slip of copying.
        padded: bool,
        /// It holds characters beyond ASCII, whose encoding client and server may disagree on (RFC 7617 section 2.1).
        non_ascii: bool,
    },
}

/// A user's name in the form it was given, with the person replaced by a pseudonym.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// No name was given.
    Empty,
    /// `user#1@contoso.com`: a UPN or mail address.
    Upn(Clean),
    /// `CONTOSO\user#1`.
    DownLevel(Clean),
    /// `user#1`, without any domain.
    Bare(Clean),
}

impl User {
    /// The pseudonym in its form; nothing for an empty name.
    pub const fn name(&self) -> Option<&Clean> {
        match self {
            Self::Empty => None,
            Self::Upn(name) | Self::DownLevel(name) | Self::Bare(name) => Some(name),
        }
    }
}

/// What followed `Bearer`, or stood as a token in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Nothing: the client asks for OAuth discovery.
    Empty,
    /// A signed JWT (RFC 7519).
    Jwt(Box<Jwt>),
    /// An encrypted JWT (RFC 7516): five parts, nothing but the header is readable.
    Jwe {
        /// The whole token's label.
        label: Label,
        /// `alg` of the header: how the key is encrypted.
        alg: Option<Clean>,
        /// `enc` of the header: how the content is encrypted.
        enc: Option<Clean>,
    },
    /// Neither: a consumer token (`Ew…`), a random string, or a damaged JWT.
    Opaque {
        /// The whole token's label.
        label: Label,
        /// What its form says, from a closed set.
        form: OpaqueForm,
    },
}

/// What the form of an opaque token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpaqueForm {
    /// Nothing in particular.
    Plain,
    /// Begins with `Ew`: an encrypted Microsoft-account token.
    MicrosoftAccount,
    /// The word `Bearer` again.
    DoubleBearer,
    /// A quotation mark stands before or behind it.
    Quoted,
    /// Holds blanks or line breaks, or the `\\n` that stands for one.
    Broken,
    /// Begins like a JWT but does not decode.
    DamagedJwt,
}

/// The claims of a JWT that say what it is for. Signature and everything else are gone.
///
/// Claims are unverified: they are what the token says of itself. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jwt {
    /// The whole token's label.
    pub label: Option<Label>,
    /// `alg` of the header.
    pub alg: Option<Clean>,
    /// `typ` of the header, where it is another than `JWT`.
    pub typ: Option<Clean>,
    /// `kid` of the header: tokens signed with the same key have equal labels here.
    pub kid: Option<Label>,
    /// `aud`, the first where there are several.
    pub aud: Option<Clean>,
    /// `iss`.
    pub iss: Option<Clean>,
    /// `tid`: the tenant.
    pub tid: Option<Clean>,
    /// `appid` or `azp`: the client application.
    pub appid: Option<Clean>,
    /// `upn`, `unique_name` or `preferred_username`.
    pub user: Option<User>,
    /// `scp`: delegated permissions, separated by blanks.
    pub scp: Option<Clean>,
    /// `roles`: application permissions, separated by blanks.
    pub roles: Option<Clean>,
    /// `amr`, separated by blanks.
    pub amr: Option<Clean>,
    /// `appidacr` or `azpacr`.
    pub appidacr: Option<Clean>,
    /// `acr`: how strongly the user signed in.
    pub acr: Option<Clean>,
    /// `xms_cc`: what the client can handle, separated by blanks; `cp1` is continuous access evaluation.
    pub xms_cc: Option<Clean>,
    /// `ver`.
    pub ver: Option<Clean>,
    /// `idtyp`.
    pub idtyp: Option<Clean>,
    /// `iat`.
    pub iat: Option<i64>,
    /// `nbf`.
    pub nbf: Option<i64>,
    /// `exp`.
    pub exp: Option<i64>,
    /// Whether `onprem_sid` is there.
    pub onprem_sid: bool,
    /// Whether a `nonce` stands in the header, as in tokens for Microsoft Graph.
    pub nonce: bool,
}

/// An NTLM message, or a value that should have been one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ntlm {
    /// The scheme's name alone.
    Empty,
    /// A message that could be read.
    Message(Box<NtlmMessage>),
    /// Not an NTLM message.
    Unreadable {
        /// The value's label.
        label: Label,
    },
}

/// One of the three messages of MS-NLMP section 2.2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NtlmMessage {
    /// NEGOTIATE_MESSAGE, from the client.
    Negotiate {
        /// NegotiateFlags.
        flags: u32,
    },
    /// CHALLENGE_MESSAGE, from the server. The challenge itself is gone.
    Challenge {
        /// NegotiateFlags.
        flags: u32,
        /// TargetName.
        target: Option<Clean>,
        /// NetBIOS computer name (AvId 1).
        computer: Option<Clean>,
        /// NetBIOS domain name (AvId 2).
        domain: Option<Clean>,
        /// DNS computer name (AvId 3).
        dns_computer: Option<Clean>,
        /// DNS domain name (AvId 4).
        dns_domain: Option<Clean>,
        /// The server's clock (AvId 7), in seconds since 1970.
        time: Option<i64>,
        /// The server's Windows, where it tells.
        build: Option<NtlmBuild>,
    },
    /// AUTHENTICATE_MESSAGE, from the client. The responses themselves are gone.
    Authenticate {
        /// NegotiateFlags.
        flags: u32,
        /// 1 or 2, by the length of the NT response (24 bytes are version 1); 0 for an anonymous message.
        version: u8,
        /// Who; `Empty` for an anonymous message.
        user: User,
        /// DomainName as sent, may be empty.
        domain: Clean,
        /// Channel binding (AvId 10).
        binding: Binding,
        /// Target name, an SPN (AvId 9).
        target: Option<Clean>,
        /// When the response was made, in seconds since 1970: by the server's clock where its challenge told it, else
        /// by the client's.
        time: Option<i64>,
        /// Whether the message carries a MIC over all three (AvId 6, flag 2).
        mic: bool,
        /// The NT response's label: a fresh one on each connection.
        label: Label,
    },
}

impl NtlmMessage {
    /// The label of the response in it.
    const fn response(&self) -> Option<Label> {
        match self {
            Self::Authenticate { label, .. } => Some(*label),
            _ => None,
        }
    }

    /// Whether it is an AUTHENTICATE_MESSAGE of nobody.
    pub fn is_anonymous(&self) -> bool {
        const ANONYMOUS: u32 = 0x0000_0800;
        match self {
            Self::Authenticate { flags, version, user, .. } => {
                *user == User::Empty && (*version == 0 || flags & ANONYMOUS != 0)
            }
            _ => false,
        }
    }
}

/// The version of Windows in an NTLM message (MS-NLMP section 2.2.2.10): `10.0.20348`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtlmBuild {
    /// 10 since Windows 10 and Windows Server 2016.
    pub major: u8,
    /// Mostly 0.
    pub minor: u8,
    /// 14393 is Windows Server 2016, 17763 is 2019, 20348 is 2022, 26100 is 2025.
    pub build: u16,
}

/// The channel binding that the client put into its NTLM response (RFC 5929 `tls-server-end-point`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// There is no such AV pair, or the message is version 1.
    None,
    /// Sixteen zero bytes: the client knows of channel bindings and sent none.
    Zero,
    /// Bound to the certificate that this proxy presented.
    Ours,
    /// Bound to the certificate that the server presented.
    Server,
    /// Bound to some certificate; which one is not known here.
    Other,
}

/// What followed `Negotiate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Negotiate {
    /// The scheme's name alone.
    Empty,
    /// NTLM without SPNEGO around it.
    Ntlm(Box<NtlmMessage>),
    /// SPNEGO holding an NTLM message.
    SpnegoNtlm(Box<NtlmMessage>, Spnego),
    /// A Kerberos message.
    Kerberos {
        /// Its facts.
        message: Box<Kerberos>,
        /// Of SPNEGO around it, if there is any.
        spnego: Option<Spnego>,
        /// The whole value's label.
        label: Label,
    },
    /// SPNEGO that holds nothing, or the token of a mechanism not known here.
    Spnego {
        /// What it says itself.
        spnego: Spnego,
        /// The whole value's label.
        label: Label,
    },
    /// Not a token of any known form.
    Unreadable {
        /// The value's label.
        label: Label,
    },
}

impl Negotiate {
    /// The NTLM message in it.
    pub fn ntlm(&self) -> Option<&NtlmMessage> {
        match self {
            Self::Ntlm(message) | Self::SpnegoNtlm(message, _) => Some(message),
            _ => None,
        }
    }

    /// The Kerberos message in it.
    pub fn kerberos(&self) -> Option<&Kerberos> {
        match self {
            Self::Kerberos { message, .. } => Some(message),
            _ => None,
        }
    }

    /// What SPNEGO says itself, where it is SPNEGO.
    pub const fn spnego(&self) -> Option<&Spnego> {
        match self {
            Self::SpnegoNtlm(_, spnego) | Self::Kerberos { spnego: Some(spnego), .. } | Self::Spnego { spnego, .. } => {
                Some(spnego)
            }
            _ => None,
        }
    }
}

/// What a NegTokenInit or NegTokenResp of RFC 4178 says itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spnego {
    /// The mechanisms that the client offers, the one it prefers first; at most eight. Empty in a reply.
    pub offered: Vec<Mechanism>,
    /// The mechanism that the server chose.
    pub chosen: Option<Mechanism>,
    /// How far the negotiation is, in a reply.
    pub state: Option<NegState>,
}

impl Spnego {
    /// No more mechanisms are read.
    pub(super) const MOST: usize = 8;
}

/// A mechanism of SPNEGO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// 1.2.840.113554.1.2.2
    Kerberos,
    /// 1.2.840.48018.1.2.2, Kerberos under the number that Windows 2000 gave it.
    MsKerberos,
    /// 1.3.6.1.4.1.311.2.2.10
    Ntlm,
    /// 1.3.6.1.4.1.311.2.2.30
    NegoEx,
    /// Any other.
    Other,
}

/// The state of a negotiation (RFC 4178 section 4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegState {
    /// Done.
    AcceptCompleted,
    /// A further message is needed.
    AcceptIncomplete,
    /// Refused.
    Reject,
    /// Accepted if a checksum over the list of mechanisms follows.
    RequestMic,
}

/// A Kerberos message of RFC 4120. The ticket itself is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kerberos {
    /// KRB_AP_REQ, from the client. What a cut value does not have is not there.
    Request {
        /// The realm of the service.
        realm: Option<Clean>,
        /// The service that the ticket is for: `HTTP/mail.contoso.com`.
        service: Option<Clean>,
        /// The encryption type of the ticket: 17 and 18 are AES, 23 is RC4.
        etype: Option<i32>,
        /// The version of the key that the ticket is encrypted with.
        kvno: Option<i32>,
    },
    /// KRB_AP_REP, from the server.
    Reply {
        /// Its encryption type.
        etype: Option<i32>,
    },
    /// KRB_ERROR, from the server.
    Error {
        /// 37 is clock skew, 41 a ticket that does not decrypt, 7 an unknown service (RFC 4120 section 7.5.9).
        code: Option<i32>,
        /// The realm of the service.
        realm: Option<Clean>,
        /// The service.
        service: Option<Clean>,
        /// The server's clock, in seconds since 1970.
        time: Option<i64>,
    },
    /// Another message, or one that cannot be read.
    Other,
}

impl Credential {
    /// The secret that was taken out of it: what it was, and its label.
    pub(super) fn mark(&self) -> Option<(Class, Label)> {
        match self {
            Self::Basic { password: Password::Set { label, .. }, .. } => Some((Class::Password, *label)),
            Self::Bearer(token) => token.label().map(|label| (Class::Token, label)),
            Self::Ntlm(Ntlm::Message(message)) => message.response().map(|label| (Class::Ntlm, label)),
            Self::Ntlm(Ntlm::Unreadable { label }) => Some((Class::Ntlm, *label)),
            Self::Negotiate(negotiate) => match (negotiate.ntlm(), negotiate) {
                (Some(message), _) => message.response().map(|label| (Class::Ntlm, label)),
                (
                    None,
                    Negotiate::Kerberos { label, .. }
                    | Negotiate::Spnego { label, .. }
                    | Negotiate::Unreadable { label },
                ) => Some((Class::Kerberos, *label)),
                _ => None,
            },
            Self::Digest { label, .. } => Some((Class::Digest, *label)),
            Self::Other { label, .. } => label.map(|label| (Class::Key, label)),
            Self::Basic { .. } | Self::Ntlm(Ntlm::Empty) | Self::Empty => None,
        }
    }
}

/// The facts of the credentials that follow a scheme's name.
pub(super) fn of(door: &Door<'_>, scheme: &str, rest: &str) -> Credential {
    let known = |name: &str| scheme.eq_ignore_ascii_case(name);
    if scheme.is_empty() {
        Credential::Empty
    } else if known("basic") {
        basic::read(door, rest)
    } else if known("bearer") {
        Credential::Bearer(bearer::read(door, rest))
    } else if known("ntlm") {
        Credential::Ntlm(ntlm::read(door, rest))
    } else if known("negotiate") {
        Credential::Negotiate(negotiate::read(door, rest))
    } else if known("digest") && !rest.is_empty() {
        digest::read(door, rest)
    } else if marker::is_known_scheme(scheme) || (!rest.is_empty() && marker::is_scheme(scheme)) {
        match challenge::parameter(rest, "signature") {
            Some(signature) => door.memory().meet(Class::Signature, signature.as_bytes()),
            None => door.memory().meet(Class::Key, rest.as_bytes()),
        }
        let label = (!rest.is_empty()).then(|| door.memory().label(rest.as_bytes()));
        Credential::Other { scheme: Clean::vouch(scheme), label }
    } else {
        // A secret that was sent without a scheme must not be taken for one.
        let whole = [scheme, rest].concat();
        door.memory().meet(Class::Key, whole.as_bytes());
        let label = door.memory().label(whole.as_bytes());
        Credential::Other { scheme: Clean::from("unnamed"), label: Some(label) }
    }
}
