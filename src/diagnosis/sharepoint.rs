//! SharePoint and OneDrive: whether one of them answered, and what it says of a refused token.

use super::{Case, Evidence, Family, Signs};
use crate::redact::{Jwt, Token};

/// The application id of SharePoint.
pub(super) const SHARE_POINT: &str = "00000003-0000-0ff1-ce00-000000000000";

/// Whether SharePoint or OneDrive was asked or answered.
pub(super) fn is_share_point(case: &Case<'_>) -> bool {
    case.signs().has_any(Signs::SHARE_POINT)
        || case.diagnostics().is_some_and(|said| said.family == Family::SharePoint)
        || case.challenge("bearer").and_then(|bearer| bearer.param("client_id")).is_some_and(|id| id == SHARE_POINT)
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
    /// Nothing where SharePoint says nothing, or where no token was sent: then it only asks for one.
    pub(super) fn of(case: &'c Case<'x>) -> Option<Self> {
        let code = case.diagnostics().filter(|said| said.family == Family::SharePoint).map(|said| said.code);
        let asked = case.asks_for_oauth() || case.signs().has_any(Signs::ANONYMOUS);
        let speaks = code.is_some() || case.rest_error().is_some_and(|error| !error.message.is_empty());
        let known = is_share_point(case) || case.signs().has_any(Signs::NO_HOST);
        (speaks && known && !asked).then_some(Self { case, code: code.flatten() })
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

/// The claims of the token that was sent.
pub(super) fn claims<'a>(case: &Case<'a>) -> Option<&'a Jwt> {
    match case.bearer()? {
        Token::Jwt(jwt) => Some(jwt),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
