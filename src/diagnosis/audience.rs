//! What Exchange found wrong with the audience of a token: the scheme, the host name, or the resource altogether.
//!
//! The words decide, by comparing the names in them, because one number stands for all three and the order of
//! "Expected" and "Actual" is not the same in all builds.

use super::token::is_unexplained;
use super::{Case, TokenFault};
use crate::redact::Clean;

/// Why an audience was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The same host, once with https and once with http.
    Scheme {
        /// What the token is for.
        audience: Clean,
        /// What Exchange saw itself called.
        endpoint: Clean,
    },
    /// Another host name of the organisation.
    Host {
        /// What the token is for.
        audience: Clean,
        /// Exchange names the address itself; else it is read out of the token.
        named: bool,
    },
}

impl Refusal {
    /// Reads it from the diagnostics of a refused token, or, where Exchange gave none, from the token itself. Nothing
    /// where the token is for another kind of resource (an API of Microsoft's, an application's id), and where nothing
    /// can be compared.
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
        match case.token_fault() {
            Some((TokenFault::Audience, _)) => Self::told(case),
            None if is_unexplained(case) => Self::by_token(case),
            _ => None,
        }
    }

    /// What the token itself says, beside the request.
    fn by_token(case: &Case<'_>) -> Option<Self> {
        let (text, audience) = in_token(case)?;
        let requested = requested(case)?;
        let other = !audience.same_host(&requested) && !audience.is_microsoft() && !requested.is_microsoft();
        other.then(|| Self::Host { audience: text.clone(), named: false })
    }

    fn told(case: &Case<'_>) -> Option<Self> {
        let (requested, token, url) = (requested(case), in_token(case), case.exchange.url.as_ref());
        let reason = case.diagnostics()?.clean_reason();
        let mut named = reason.as_str().split(['\'', '"', '\u{2018}', '\u{2019}']).filter_map(Address::read);
        match (named.next(), named.next()) {
            (Some(one), Some(two)) => {
                // Which of the two the token is for: the token says it, else the https one, else the first.
                let is_audience = |address: &Address<'_>| match &token {
                    Some((_, audience)) => audience.same_host(address) && audience.same_scheme(address),
                    None => !one.same_scheme(&two) && address.scheme == Some("https"),
                };
                let (audience, endpoint) =
                    if is_audience(&two) && !is_audience(&one) { (two, one) } else { (one, two) };
                let (audience_text, endpoint_text) = (reason.part(audience.text), reason.part(endpoint.text));
                if audience.same_host(&endpoint) {
                    (!audience.same_scheme(&endpoint))
                        .then_some(Self::Scheme { audience: audience_text, endpoint: endpoint_text })
                } else if audience.is_microsoft() || endpoint.is_microsoft() {
                    None
                } else {
                    Some(Self::Host { audience: audience_text, named: true })
                }
            }
            (Some(audience), None) => {
                let text = reason.part(audience.text);
                let endpoint = url.map(|url| url.text().part(url.origin()));
                match requested {
                    _ if audience.is_microsoft() => None,
                    Some(requested) if requested.is_microsoft() => None,
                    Some(requested) if audience.same_host(&requested) && !audience.same_scheme(&requested) => {
                        Some(Self::Scheme { audience: text, endpoint: endpoint? })
                    }
                    // Where the client used the very name of the token, it was changed on the way.
                    _ => Some(Self::Host { audience: text, named: true }),
                }
            }
            (None, _) => Self::by_token(case),
        }
    }
}

/// The address that the request went to.
fn requested<'a>(case: &Case<'a>) -> Option<Address<'a>> {
    Address::read(case.exchange.url.as_ref()?.origin())
}

/// What the token is for, where that is an address.
fn in_token<'a>(case: &Case<'a>) -> Option<(&'a Clean, Address<'a>)> {
    let audience = case.jwt()?.aud.as_ref()?;
    Some((audience, Address::read(audience.as_str())?))
}

/// What else than an Exchange server of the organisation the token is for, by its own claim or by what Exchange says:
/// another API, another application.
pub(super) fn other_resource(case: &Case<'_>) -> Option<Clean> {
    const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
    let is_other = |text: &str| match Address::read(text) {
        Some(address) => address.is_microsoft() && !(case.is_exchange_online() && is_exchange_online(address.host)),
        // An application's own identifier: its id, or the URI made of it.
        // What could not be shown is not known.
        None => !matches!(text, "" | "hidden") && !text.starts_with(EXCHANGE) && !text.contains(char::is_whitespace),
    };
    let token = case.jwt().and_then(|jwt| jwt.aud.clone()).filter(|audience| is_other(audience.as_str()));
    let named = || {
        let reason = case.diagnostics()?.clean_reason();
        let mut others = reason.as_str().split(['\'', '"']).filter(|text| text.len() > 5 && is_other(text));
        others.next().map(|text| reason.part(text))
    };
    token.or_else(named)
}

/// An address as audiences give it: a URL, `application id/host@realm`, or a bare host name.
#[derive(Clone, Copy, Debug)]
struct Address<'a> {
    text: &'a str,
    scheme: Option<&'a str>,
    host: &'a str,
}

impl<'a> Address<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text.contains(char::is_whitespace) {
            return None;
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Some("https"), rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Some("http"), rest),
            Some(_) => return None,
            None => (None, text.split_once('/').map_or(text, |(_, rest)| rest)),
        };
        let authority = &rest[..rest.find(['/', '?', '#', '@']).unwrap_or(rest.len())];
        let host = match authority.rfind(':') {
            Some(at) if !authority[at..].contains(']') => &authority[..at],
            _ => authority,
        };
        let host = host.trim_end_matches('.');
        let named = host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        let plausible = named || host.starts_with('[') && host.ends_with(']') || scheme.is_some() && !host.is_empty();
        plausible.then_some(Self { text, scheme, host })
    }

    fn same_host(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
    }

    /// Whether no difference of schemes is known.
    fn same_scheme(&self, other: &Self) -> bool {
        self.scheme.is_none() || other.scheme.is_none() || self.scheme == other.scheme
    }

    /// Whether it is an address of Microsoft's own services.
    fn is_microsoft(&self) -> bool {
        is_microsoft(self.host)
    }
}

/// Whether `host` is one that tokens for Exchange Online name.
fn is_exchange_online(host: &str) -> bool {
    ["outlook.office365.com", "outlook.office.com", "ps.outlook.com", "office365.us", "partner.outlook.cn"]
        .iter()
        .any(|domain| host.to_ascii_lowercase().ends_with(domain))
}

/// Whether `host` belongs to Microsoft's online services, in any of their clouds.
pub(super) fn is_microsoft(host: &str) -> bool {
    const DOMAINS: [&str; 18] = [
        "microsoft.com",
        "microsoftonline.com",
        "microsoftonline.us",
        "microsoftonline.cn",
        "microsoft.us",
        "office.com",
        "office.net",
        "office365.com",
        "office365.us",
        "outlook.com",
        "outlook.cn",
        "windows.net",
        "azure.com",
        "azure.us",
        "azure.cn",
        "chinacloudapi.cn",
        "sharepoint.com",
        "live.com",
    ];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    DOMAINS.iter().any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn host(text: &str) -> Option<(Option<&str>, &str)> {
        Address::read(text).map(|address| (address.scheme, address.host))
    }

    #[test]
    fn addresses_are_read_in_all_their_forms() {
        assert_eq!(host("HTTPS://Mail.contoso.com:444/EWS/"), Some((Some("https"), "Mail.contoso.com")));
        assert_eq!(host("http://[fd00::5]:81/"), Some((Some("http"), "[fd00::5]")));
        assert_eq!(
            host("00000002-0000-0ff1-ce00-000000000000/mail.contoso.com@contoso.com"),
            Some((None, "mail.contoso.com"))
        );
        assert_eq!(host("mail.contoso.com."), Some((None, "mail.contoso.com")));
        for nothing in
            ["aud", ". Actual ", "t match the endpoint ", "api://tool", "00000003-0000-0000-c000-000000000000", ""]
        {
            assert_eq!(host(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn hosts_that_only_look_like_microsofts_are_not() {
        assert!(is_microsoft("graph.microsoft.com") && is_microsoft("OUTLOOK.office365.com."));
        assert!(!is_microsoft("mail.notoutlook.com") && !is_microsoft("outlook.com.contoso.com"));
    }
}
