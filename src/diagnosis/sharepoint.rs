//! SharePoint and OneDrive: whether one of them answered, and what it says of a refused token.

use super::token::Lifetime;
use super::{Case, Evidence, Family, Signs};
use crate::redact::Clean;

/// The application id of SharePoint.
pub(super) const SHARE_POINT: &str = "00000003-0000-0ff1-ce00-000000000000";

/// Whether SharePoint or OneDrive was asked or answered.
pub(super) fn is_share_point(case: &Case<'_>) -> bool {
    case.signs().has_any(Signs::SHARE_POINT)
}

/// Whether `host` (in lower case) is one of SharePoint Online, in any of its clouds.
pub(super) fn is_online(host: &str) -> bool {
    const DOMAINS: [&str; 5] =
        [".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".sharepoint.cn", ".sharepoint.de"];
    DOMAINS.iter().any(|domain| host.ends_with(domain))
}

/// What SharePoint says of a token that it refuses: in `x-ms-diagnostics`, in the body, or in both.
///
/// The words decide, the number only where there are none that are known: 3001000 stands for anything.
pub(super) struct Refusal<'c, 'x> {
    case: &'c Case<'x>,
    /// The number of `x-ms-diagnostics`.
    pub(super) code: Option<u32>,
}

impl<'c, 'x> Refusal<'c, 'x> {
    /// Nothing where SharePoint says nothing, or where no token was sent: then it only asks for one. What can be said of
    /// a token alone proves that one was sent, though the tool left it out.
    pub(super) fn of(case: &'c Case<'x>) -> Option<Self> {
        if !case.signs().has_any(Signs::SHARE_POINT.or(Signs::NO_HOST)) {
            return None;
        }
        let code = case.diagnostics().filter(|said| said.family == Family::SharePoint).map(|said| said.code);
        let speaks = code.is_some() || case.rest_error().is_some_and(|error| !error.message.is_empty());
        let refusal = speaks.then_some(Self { case, code: code.flatten() })?;
        let asked = case.asks_for_oauth() || case.signs().has_any(Signs::ANONYMOUS) && !refusal.is_telling();
        (!asked).then_some(refusal)
    }

    /// Whether it holds these words, in any letter case.
    pub(super) fn says(&self, words: &str) -> bool {
        self.case.diagnostics().is_some_and(|said| said.reason_has(words))
            || self.case.rest_error().is_some_and(|error| error.says(words))
    }

    /// Whether one of the sentences that name a cause stands in it.
    pub(super) fn is_telling(&self) -> bool {
        const TELLING: [&str; 8] = [
            "invalid signature",
            "issuer or signature",
            "app only token",
            "unsupported security token",
            "invalid audience",
            "audienceuri",
            "valid algorithm",
            "expired",
        ];
        TELLING.iter().any(|words| self.says(words))
    }

    /// Where it stands: the header, and the body's message.
    pub(super) fn evidence(&self) -> impl Iterator<Item = Evidence> + use<'c, 'x> {
        let case = self.case;
        let header = case.diagnostics().map(|_| case.evidence_header("x-ms-diagnostics"));
        let message = case.rest_error().map(|error| error.message.as_str()).filter(|message| !message.is_empty());
        let body = message.and_then(|message| {
            let text = case.response_body();
            let at = text.find(message)?;
            Some(case.evidence_body(&text[at..at + message.len()]))
        });
        header.into_iter().chain(body)
    }
}

/// What a token that SharePoint refuses without a telling reason says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its time is over, or has not begun.
    Lifetime(Lifetime),
    /// It is for Microsoft Graph, and nobody else can verify it.
    ForGraph,
    /// It is for another host of SharePoint, or for another service.
    ForAnother,
    /// Nothing is wrong with it, as far as it can be read.
    None,
}

impl Fault {
    /// Nothing where no token was refused by SharePoint, or where its answer says why.
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
        let refused =
            case.status().is_none_or(|status| status == 401) && case.bearer().is_some() && is_share_point(case);
        let demands = || case.challenges().iter().any(|challenge| challenge.param("claims").is_some());
        let explained = || {
            Refusal::of(case)
                .is_some_and(|refusal| refusal.is_telling() || refusal.code.is_some_and(|code| code != GENERAL))
        };
        if !refused || demands() || explained() {
            return None;
        }
        let Some(jwt) = case.jwt() else { return Some(Self::None) };
        let lifetime = Lifetime::of(case);
        Some(match jwt.aud.as_ref().map(Clean::as_str) {
            _ if lifetime != Lifetime::Good => Self::Lifetime(lifetime),
            Some(audience) if is_graph(audience) => Self::ForGraph,
            Some(audience) if !is_for(audience, case.host()) => Self::ForAnother,
            _ => Self::None,
        })
    }
}

/// Stands for anything.
pub(super) const GENERAL: u32 = 3_001_000;

fn is_graph(audience: &str) -> bool {
    audience.starts_with("00000003-0000-0000-c000-000000000000") || audience.starts_with("https://graph.microsoft.")
}

/// Whether a token for `audience` is for `host`, as far as that can be told: SharePoint's own id stands for all hosts,
/// and the names of a farm of one's own need not be those that clients use.
fn is_for(audience: &str, host: &str) -> bool {
    let named = match audience.split_once("://") {
        Some((_, rest)) => rest,
        None => match audience.split_once('/') {
            Some((id, rest)) if id.eq_ignore_ascii_case(SHARE_POINT) => rest,
            _ => return audience.eq_ignore_ascii_case(SHARE_POINT) || !is_online(host),
        },
    };
    let named = &named[..named.find(['/', '@', ':']).unwrap_or(named.len())];
    named.eq_ignore_ascii_case(host) || !is_online(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_are_compared_in_all_their_forms() {
        let host = "contoso.sharepoint.com";
        for audience in [
            "https://contoso.sharepoint.com",
            "https://Contoso.SharePoint.com/",
            "00000003-0000-0ff1-ce00-000000000000",
            "00000003-0000-0ff1-ce00-000000000000/contoso.sharepoint.com@c93d7be1-2f48-47a0-b1c6-84e5a2079f23",
        ] {
            assert!(is_for(audience, host), "{audience}");
        }
        for audience in [
            "https://contoso-my.sharepoint.com",
            "00000003-0000-0ff1-ce00-000000000000/fabrikam.sharepoint.com@x",
            "https://outlook.office365.com",
            "api://tool",
        ] {
            assert!(!is_for(audience, host), "{audience}");
        }
        assert!(is_for("https://portal", "portal.contoso.com"), "a farm of one's own");
    }

    #[test]
    fn every_cloud_is_online_and_a_farm_of_one_s_own_is_not() {
        for host in ["contoso.sharepoint.com", "contoso-my.sharepoint-mil.us", "contoso.sharepoint.cn"] {
            assert!(is_online(host), "{host}");
        }
        for host in ["sharepoint.contoso.com", "contoso.sharepoint.com.example", "notsharepoint.com"] {
            assert!(!is_online(host), "{host}");
        }
    }
}
