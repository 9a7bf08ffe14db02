//! An app asks ACS for a SharePoint token, or comes to SharePoint Online with one: ACS is retired there.
//!
//! Not to be confused with the token requests that Exchange servers make at the same host (`auth-cert-missing`): their
//! resource is Exchange.

use crate::diagnosis::sharepoint::{SHARE_POINT, is_online};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule, Signs};
use crate::exchange::Timestamp;
use crate::redact::{Clean, query_value};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-acs-retired",
    title: Text {
        en: "SharePoint app-only access by ACS is retired",
        ja: "ACS による SharePoint アプリ専用アクセスは廃止済み",
    },
    explanation: Text {
        en: "The client uses the old app-only access of SharePoint: a client id and secret of AppRegNew.aspx and a \
             token of Azure ACS (accounts.accesscontrol.windows.net). New tenants have not had it since 1 November \
             2024, and it ended for all on 2 April 2026. The words of the answer may speak of an unknown app or a \
             wrong secret; no new secret cures it.",
        ja: "クライアントは SharePoint の旧式のアプリ専用アクセス (AppRegNew.aspx のクライアント ID とシークレット、\
             Azure ACS (accounts.accesscontrol.windows.net) のトークン) を使っています。新しいテナントでは 2024 年 11 月 \
             1 日から使えず、2026 年 4 月 2 日に全テナントで終了しました。応答には不明なアプリやシークレットの誤りと書か\
             れていることがありますが、新しいシークレットでは直りません。",
    },
    remedy: Text {
        en: "Register an app in Entra ID with a certificate, give it the application permission Sites.Selected of the \
             API SharePoint with admin consent, and grant it the sites it needs:\n\
             Grant-PnPAzureADAppSitePermission -AppId <app id> -DisplayName <name> -Site https://{host}/sites/<site> \
             -Permissions Write\n\
             The client then asks https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token for the scope \
             https://{host}/.default. A migration tool needs a version that can do this.",
        ja: "Entra ID に証明書付きのアプリを登録し、API「SharePoint」のアプリケーションの許可 Sites.Selected と管理者の\
             同意を与え、必要なサイトを許可します。\n\
             Grant-PnPAzureADAppSitePermission -AppId <app id> -DisplayName <name> -Site https://{host}/sites/<site> \
             -Permissions Write\n\
             クライアントは https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token にスコープ \
             https://{host}/.default を要求します。移行ツールはこれに対応した版が必要です。",
    },
    sources: &[
        "https://learn.microsoft.com/sharepoint/dev/sp-add-ins/retirement-announcement-for-azure-acs",
        "https://learn.microsoft.com/sharepoint/dev/sp-add-ins-modernize/understanding-rsc-for-msgraph-and-sharepoint-online",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely, Certainty::Possible],
    actors: &[Actor::MigrationTool],
    gate: Gate::status(&[400, 401, 403, 404, 410, 503]).showing(Signs::SIGN_IN.or(Signs::SHARE_POINT)),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// When ACS ended for SharePoint Online in all tenants: 2 April 2026.
const RETIRED: Timestamp = Timestamp::from_seconds(1_775_088_000);

/// The issuer of tokens that ACS makes, before its tenant.
const ACS: &str = "00000001-0000-0000-c000-000000000000";

fn find(case: &Case<'_>) -> Option<Hit> {
    let retired = case.exchange.started >= RETIRED;
    let (hit, host) = if case.host().starts_with("accounts.accesscontrol.") {
        let resource = query_value(case.request_body(), "resource")?;
        let host = resource.strip_prefix(SHARE_POINT)?.strip_prefix('/')?.split('@').next()?.to_owned();
        // Before that day the words of the answer tell what is wrong.
        let certainty = if retired { Certainty::Certain } else { Certainty::Possible };
        let hit = Hit::failure(certainty, Actor::MigrationTool).because(evidence_of_resource(case));
        let host = clean_part(case, &host);
        (
            if case.aadsts().is_some() {
                hit.because(case.evidence_aadsts())
            } else {
                hit.because(case.evidence_status())
            },
            host,
        )
    } else {
        let issuer = case.jwt()?.iss.as_ref()?;
        let refused = retired && matches!(case.status(), Some(401 | 403)) && is_online(case.host());
        if !refused || !issuer.as_str().starts_with(ACS) {
            return None;
        }
        let hit = Hit::failure(Certainty::Likely, Actor::MigrationTool);
        (hit.because(case.evidence_request("authorization")).because(case.evidence_status()), case.host_name())
    };
    Some(hit.on(case.on_server()).naming("host", host).naming("tenant", tenant(case)))
}

/// The parameter `resource` of the request.
fn evidence_of_resource(case: &Case<'_>) -> crate::diagnosis::Evidence {
    let body = case.request_body();
    let pair = body.split('&').find(|pair| pair.starts_with("resource=")).unwrap_or_default();
    let text = clean_part(case, pair).unwrap_or_else(|| "".into());
    case.evidence(Place::RequestBody, text)
}

/// `part` as clean text, where it stands in the request's body as it is.
fn clean_part(case: &Case<'_>, part: &str) -> Option<Clean> {
    let message = case.exchange.request.seen()?;
    let crate::redact::Content::Text { text, .. } = &message.body.content else { return None };
    let at = text.as_str().find(part)?;
    Some(text.slice(at..at + part.len()))
}

/// The tenant in the path: `/<tenant>/tokens/OAuth/2`.
fn tenant(case: &Case<'_>) -> Option<Clean> {
    let first = case.path().split('/').nth(1).filter(|first| !first.is_empty())?;
    let acs = case.host().starts_with("accounts.accesscontrol.");
    let url = case.exchange.url.as_ref().filter(|_| acs)?;
    Some(url.text().part(first))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::MigrationTool)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "an app asks ACS for a SharePoint token",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://accounts.accesscontrol.windows.net/c93d7be1-2f48-47a0-b1c6-84e5a2079f23/tokens/OAuth/2\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a23&\
                 resource=00000003-0000-0ff1-ce00-000000000000%2Fcontoso.sharepoint.com%40c93d7be1-2f48-47a0-b1c6-84e5a2079f23",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\"error_description\":\
                 \"AADSTS7000215: Invalid client secret provided.\",\"error_codes\":[7000215]}",
            )],
        ),
        Example::fires(
            "SharePoint refuses a token of ACS",
            found(Certainty::Likely),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt \
                 iss=00000001-0000-0000-c000-000000000000@c93d7be1-2f48-47a0-b1c6-84e5a2079f23}",
                "401\nSPRequestGuid: 1",
            )],
        ),
        Example::silent(
            "an Exchange server asks ACS for a token",
            &[Raw::new(
                "POST https://accounts.accesscontrol.windows.net/c93d7be1-2f48-47a0-b1c6-84e5a2079f23/tokens/OAuth/2\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=http%3A%2F%2Foauth.net%2Fgrant_type%2Fjwt%2F1.0%2Fbearer&\
                 resource=00000002-0000-0ff1-ce00-000000000000%2Foutlook.office365.com%40c93d7be1-2f48-47a0-b1c6-84e5a2079f23",
                "400\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\"error_description\":\
                 \"AADSTS50012: x\",\"error_codes\":[50012]}",
            )],
        ),
        Example::silent(
            "SharePoint refuses a token of Entra ID",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt \
                 iss=https://sts.windows.net/c93d7be1-2f48-47a0-b1c6-84e5a2079f23/}",
                "401\nSPRequestGuid: 1",
            )],
        ),
    ];
}
