//! What may be known of a credential without knowing it, and the marker that stands for it in text.
//!
//! A marker is a grammar: `Basic [user=upn:user#1@contoso.com password=set #2]`. It is written by [`Credential`]'s
//! `Display` and read back by [`Credential::read`] to the same facts. Fields are typed and bounded, so a forged marker
//! cannot carry text of its own.

use super::door::Door;
use super::{Clean, Label, basic, bearer, digest, marker, negotiate, ntlm};

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
    /// An encrypted JWT (RFC 7516): five parts, nothing inside is readable.
    Jwe {
        /// The whole token's label.
        label: Label,
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
    /// Stands in quotation marks.
    Quoted,
    /// Holds blanks or line breaks.
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
        /// The NT response's label: a fresh one on each connection.
        label: Label,
    },
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
    /// SPNEGO NegTokenInit or NegTokenResp holding an NTLM message.
    SpnegoNtlm(Box<NtlmMessage>),
    /// A Kerberos ticket, with or without SPNEGO around it.
    Kerberos {
        /// The token's label.
        label: Label,
    },
    /// Another SPNEGO token: a reply without mechanism token, or a mechanism not known here.
    Spnego {
        /// The token's label.
        label: Label,
    },
    /// Not a token of any known form.
    Unreadable {
        /// The value's label.
        label: Label,
    },
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
        let label = (!rest.is_empty()).then(|| door.memory().label(rest.as_bytes()));
        Credential::Other { scheme: Clean::vouch(scheme), label }
    } else {
        // A secret that was sent without a scheme must not be taken for one.
        let label = door.memory().label([scheme, rest].concat().as_bytes());
        Credential::Other { scheme: Clean::from("unnamed"), label: Some(label) }
    }
}
