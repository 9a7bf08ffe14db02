//! What a request carries to authenticate with: the form of its credentials, not whose they are.

use crate::redact::{Clean, Credential, Negotiate, Ntlm, NtlmMessage, Token};

/// What a request carries to authenticate with: the form of the credentials, not who they are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    server: Form,
    proxy: Form,
}

/// The form of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Nothing,
    /// An empty Bearer, or a header without a value.
    Empty,
    Basic,
    Token,
    Digest,
    Ntlm(Leg),
    Negotiate(Leg),
    Other(String),
}

/// Which message of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg {
    First,
    Last,
    Unreadable,
}

impl Carried {
    /// By the credentials of a request.
    pub(crate) fn of(server: Option<&Credential>, proxy: Option<&Credential>) -> Self {
        Self { server: Form::of(server), proxy: Form::of(proxy) }
    }

    /// Whether an answer of `status` to it means that the connection is authenticated from then on.
    pub(crate) fn authenticates(&self, status: Option<u16>) -> bool {
        matches!(self.server, Form::Ntlm(Leg::Last) | Form::Negotiate(Leg::Last))
            && status.is_some_and(|status| status != 401)
    }

    /// In words, for the answer that says what is missing.
    pub(crate) fn words(&self) -> Clean {
        match (&self.server, &self.proxy) {
            (Form::Nothing, Form::Nothing) => "no credentials".into(),
            (server, Form::Nothing) => server.words(),
            (Form::Nothing, proxy) => Clean::concat([proxy.words(), " for a proxy".into()]),
            (server, proxy) => Clean::concat([server.words(), " and ".into(), proxy.words(), " for a proxy".into()]),
        }
    }
}

impl Form {
    fn of(credential: Option<&Credential>) -> Self {
        match credential {
            None => Self::Nothing,
            Some(Credential::Empty | Credential::Bearer(Token::Empty)) => Self::Empty,
            Some(Credential::Bearer(_)) => Self::Token,
            Some(Credential::Basic { .. }) => Self::Basic,
            Some(Credential::Digest { .. }) => Self::Digest,
            Some(Credential::Ntlm(Ntlm::Message(message))) => Self::Ntlm(Leg::of(message)),
            Some(Credential::Ntlm(_)) => Self::Ntlm(Leg::Unreadable),
            Some(Credential::Negotiate(Negotiate::Ntlm(message) | Negotiate::SpnegoNtlm(message, _))) => {
                Self::Negotiate(Leg::of(message))
            }
            Some(Credential::Negotiate(Negotiate::Kerberos { .. })) => Self::Negotiate(Leg::Last),
            Some(Credential::Negotiate(_)) => Self::Negotiate(Leg::Unreadable),
            Some(Credential::Other { scheme, .. }) => Self::Other(scheme.as_str().to_ascii_lowercase()),
        }
    }

    fn words(&self) -> Clean {
        match self {
            Self::Nothing => "nothing",
            Self::Empty => "an empty Bearer",
            Self::Basic => "Basic credentials",
            Self::Token => "a Bearer token",
            Self::Digest => "Digest credentials",
            Self::Ntlm(Leg::First) => "the first NTLM message",
            Self::Ntlm(Leg::Last) => "the last NTLM message",
            Self::Ntlm(Leg::Unreadable) => "an NTLM value that cannot be read",
            Self::Negotiate(Leg::First) => "the first Negotiate message",
            Self::Negotiate(Leg::Last) => "the last Negotiate message",
            Self::Negotiate(Leg::Unreadable) => "another Negotiate message",
            Self::Other(_) => "credentials of another scheme",
        }
        .into()
    }
}

impl Leg {
    fn of(message: &NtlmMessage) -> Self {
        match message {
            NtlmMessage::Negotiate { .. } => Self::First,
            NtlmMessage::Authenticate { .. } => Self::Last,
            NtlmMessage::Challenge { .. } => Self::Unreadable,
        }
    }
}
