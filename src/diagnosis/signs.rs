//! What an exchange shows at a glance. It decides which rules are asked at all, so one pass over the fields finds it.

use super::sharepoint::SHARE_POINT;
use super::{Case, Directory, Family, Sent};
use crate::redact::{Content, Credential, Field, Syntax, Token};

/// A set of signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs(u32);

macro_rules! signs {
    ($($(#[$doc:meta])* $name:ident = $bit:literal),* $(,)?) => {
        impl Signs {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
        }
    };
}

signs! {
    /// The server named its schemes (`WWW-Authenticate`).
    CHALLENGED = 0,
    /// `x-ms-diagnostics`.
    DIAGNOSTICS = 1,
    /// An error of a token issuer: [`Case::aadsts`] has it.
    ISSUER_ERROR = 2,
    /// The response has a body that can be read.
    BODY = 3,
    /// The request was captured and has no credentials.
    ANONYMOUS = 4,
    /// `Bearer` without a token.
    EMPTY_BEARER = 5,
    /// `Bearer` with a token.
    TOKEN = 6,
    /// `Basic`.
    BASIC = 7,
    /// `NTLM` or `Negotiate`.
    WINDOWS = 8,
    /// Another scheme.
    OTHER_SCHEME = 9,
    /// Credentials that were not captured.
    UNSEEN_CREDENTIALS = 10,
    /// Something shows that Exchange answered: [`Case::is_exchange`].
    EXCHANGE = 11,
    /// An issuer of tokens was asked: [`Case::is_sign_in`].
    SIGN_IN = 12,
    /// SharePoint or OneDrive, by its host or headers.
    SHARE_POINT = 13,
    /// Microsoft Graph, by its host.
    GRAPH = 14,
    /// `/ews`.
    EWS = 15,
    /// `/mapi`.
    MAPI = 16,
    /// `/rpc`.
    RPC = 17,
    /// `/microsoft-server-activesync`.
    ACTIVE_SYNC = 18,
    /// `/autodiscover`.
    AUTODISCOVER = 19,
    /// `/oab`.
    OAB = 30,
    /// The host asked is not known: somebody pasted a response, or less.
    NO_HOST = 20,
    /// `Restrict-Access-Confirm`: tenant restrictions were applied.
    RESTRICTED = 21,
    /// A message of it is read differently by different servers: [`crate::exchange::Oddity`].
    ODD = 22,
    /// The response's body is XML: [`Case::soap`] may have it.
    XML = 31,
}

/// Whether `host` is Microsoft Graph, in any of the clouds.
fn is_graph(host: &str) -> bool {
    let host = host.strip_prefix("canary.").or_else(|| host.strip_prefix("dod-")).unwrap_or(host);
    host.starts_with("graph.microsoft.") || host == "microsoftgraph.chinacloudapi.cn"
}

impl Signs {
    /// No sign.
    pub const NONE: Self = Self(0);

    /// Both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is none.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether at least one of `wanted` is in it.
    pub const fn has_any(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    fn set(&mut self, sign: Self, shown: bool) {
        if shown {
            *self = self.or(sign);
        }
    }

    /// The signs of `case`.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let mut signs = Self::of_fields(case.exchange.response_fields());
        signs.set(Self::of_credentials(case.authorization()), true);
        let body = case.exchange.response.seen().map(|response| &response.message.body.content);
        signs.set(Self::BODY, matches!(body, Some(Content::Text { .. })));
        signs.set(Self::XML, matches!(body, Some(Content::Text { syntax: Syntax::Xml, .. })));
        signs.set(Self::EXCHANGE, case.is_exchange());
        signs.set(Self::SIGN_IN, case.is_sign_in());
        signs.set(Self::ISSUER_ERROR, case.aadsts().is_some());
        let host = case.host();
        signs.set(Self::SHARE_POINT, host.contains(".sharepoint") || says_share_point(case, signs));
        signs.set(Self::GRAPH, is_graph(host));
        signs.set(Self::NO_HOST, host.is_empty());
        let response = case.exchange.response.seen().map(|response| &response.message);
        let odd = [case.exchange.request.seen(), response].into_iter().flatten().any(|message| !message.odd.is_empty());
        signs.set(Self::ODD, odd);
        signs.set(case.directory().map_or(Self::NONE, Self::of_directory), true);
        signs
    }

    fn of_fields(fields: &[Field]) -> Self {
        let mut signs = Self::NONE;
        for field in fields {
            let name = field.name.as_str();
            let sign = match name.len() {
                13 if name.eq_ignore_ascii_case("sprequestguid") => Self::SHARE_POINT,
                16 if name.eq_ignore_ascii_case("www-authenticate") => Self::CHALLENGED,
                16 if name.eq_ignore_ascii_case("x-ms-diagnostics") => Self::DIAGNOSTICS,
                16 if name.eq_ignore_ascii_case("x-msdavext_error") => Self::SHARE_POINT,
                23 if name.eq_ignore_ascii_case("restrict-access-confirm") => Self::RESTRICTED,
                27 if name.eq_ignore_ascii_case("x-forms_based_auth_required") => Self::SHARE_POINT,
                31 if name.eq_ignore_ascii_case("microsoftsharepointteamservices") => Self::SHARE_POINT,
                _ => continue,
            };
            signs = signs.or(sign);
        }
        signs
    }

    fn of_credentials(sent: Sent<'_>) -> Self {
        match sent {
            Sent::Unseen => Self::UNSEEN_CREDENTIALS,
            Sent::Absent => Self::ANONYMOUS,
            Sent::Credential(Credential::Empty | Credential::Bearer(Token::Empty)) => Self::EMPTY_BEARER,
            Sent::Credential(Credential::Bearer(_)) => Self::TOKEN,
            Sent::Credential(Credential::Basic { .. }) => Self::BASIC,
            Sent::Credential(Credential::Ntlm(_) | Credential::Negotiate(_)) => Self::WINDOWS,
            Sent::Credential(Credential::Digest { .. } | Credential::Other { .. }) => Self::OTHER_SCHEME,
        }
    }

    const fn of_directory(directory: Directory) -> Self {
        match directory {
            Directory::Ews => Self::EWS,
            Directory::Mapi => Self::MAPI,
            Directory::Oab => Self::OAB,
            Directory::Rpc => Self::RPC,
            Directory::ActiveSync => Self::ACTIVE_SYNC,
            Directory::Autodiscover => Self::AUTODISCOVER,
            _ => Self::NONE,
        }
    }
}

/// Whether the dialect of the diagnostics or the challenge is that of SharePoint, whatever the host is called.
fn says_share_point(case: &Case<'_>, signs: Signs) -> bool {
    let diagnosed = signs.has_any(Signs::DIAGNOSTICS);
    let named = || case.challenge("bearer").and_then(|bearer| bearer.param("client_id"));
    diagnosed && case.diagnostics().is_some_and(|said| said.family == Family::SharePoint)
        || signs.has_any(Signs::CHALLENGED) && named().is_some_and(|id| id == SHARE_POINT)
}
