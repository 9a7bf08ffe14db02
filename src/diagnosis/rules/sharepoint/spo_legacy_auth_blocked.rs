//! A client signs in to SharePoint Online in the old way (IDCRL), which is blocked.
//!
//! Not to be confused with a WebDAV client without a session cookie (`spo-fba-cookie-missing`), or with Office, which
//! says beside its empty Bearer that it could also use IDCRL (`spo-empty-bearer`).

use crate::diagnosis::sharepoint::{is_online, is_share_point};
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::Credential;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-legacy-auth-blocked",
    title: Text {
        en: "SharePoint Online blocks this old way to sign in (IDCRL)",
        ja: "SharePoint Online が旧式のサインイン (IDCRL) を拒否",
    },
    explanation: Text {
        en: "The client uses IDCRL, the sign-in of old Office programs, scripts and tools that work with a user name \
             and password (SharePointOnlineCredentials, SPOIDCRL cookies). SharePoint Online has blocked it by \
             default since 16 February 2026 and for good since 1 May 2026; no setting brings it back.",
        ja: "クライアントは IDCRL を使っています。これは古い Office プログラムや、ユーザー名とパスワードで動くスクリプ\
             トやツール (SharePointOnlineCredentials、SPOIDCRL Cookie) のサインイン方式です。SharePoint Online では \
             2026 年 2 月 16 日から既定で、2026 年 5 月 1 日からは完全に拒否され、戻す設定はありません。",
    },
    remedy: Text {
        en: "Move the client to OAuth: a current version of the program or migration tool, or in scripts an app \
             registration with a certificate:\n\
             Connect-PnPOnline -Url https://{host} -ClientId <app id> -Tenant <tenant> -Thumbprint <thumbprint>\n\
             The scope is https://{host}/.default; grant the app Sites.Selected or what it needs.",
        ja: "クライアントを OAuth に移行します。プログラムや移行ツールを最新版にするか、スクリプトでは証明書付きのアプ\
             リ登録を使います。\n\
             Connect-PnPOnline -Url https://{host} -ClientId <app id> -Tenant <tenant> -Thumbprint <thumbprint>\n\
             スコープは https://{host}/.default です。アプリには Sites.Selected など必要な許可を与えます。",
    },
    sources: &["MC1184649", "public capture"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[400, 401, 403, 404, 410]).showing(Signs::SHARE_POINT),
    supersedes: &["spo-fba-cookie-missing", "hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    // A farm of one's own may use what it likes; where the host is unseen, its headers stand for it.
    let online = is_online(case.host()) || case.host().is_empty();
    if !online || !is_share_point(case) || case.asks_for_oauth() || case.bearer().is_some() {
        return None;
    }
    let refused = matches!(case.status(), Some(401 | 403) | None);
    let (certainty, evidence) = if let Some(sent) = sent(case).filter(|_| refused) {
        (Certainty::Certain, sent)
    } else if asks_for_ticket(case) {
        (Certainty::Certain, case.evidence_url())
    } else if refused && offers(case) {
        (Certainty::Likely, case.evidence_request("x-idcrl_accepted"))
    } else {
        return None;
    };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_server()).because(evidence);
    Some(hit.because(case.evidence_status()).naming("host", case.host_name()))
}

/// The ticket of an old sign-in, in a header or a cookie.
fn sent(case: &Case<'_>) -> Option<Evidence> {
    if let Sent::Credential(Credential::Other { scheme, .. }) = case.authorization()
        && ["BPOSIDCRL", "IDCRL"].iter().any(|old| scheme.as_str().eq_ignore_ascii_case(old))
    {
        return Some(case.evidence_request("authorization"));
    }
    let cookie = case.request_header("cookie")?.as_str().to_ascii_uppercase();
    cookie.contains("SPOIDCRL=").then(|| case.evidence_request("cookie"))
}

/// The service that makes a cookie out of a ticket.
fn asks_for_ticket(case: &Case<'_>) -> bool {
    case.path().to_ascii_lowercase().contains("/_vti_bin/idcrl.svc")
}

/// Says of itself that it would sign in so, and has nothing newer to offer.
fn offers(case: &Case<'_>) -> bool {
    case.request_header("x-idcrl_accepted").is_some_and(|value| value.as_str().trim().eq_ignore_ascii_case("t"))
        && !case.challenges().iter().any(|challenge| challenge.is("bearer"))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::Client)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a script comes with a ticket",
            found(Certainty::Certain),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_vti_bin/idcrl.svc/\nAuthorization: BPOSIDCRL t=abcdefgh&p=\n\
                 X-IDCRL_ACCEPTED: t",
                "401\nMicrosoftSharePointTeamServices: 16.0.0.25101",
            )],
        ),
        Example::fires(
            "the cookie of an old sign-in is refused",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://contoso.sharepoint.us/_vti_bin/client.svc/ProcessQuery\ncookie: a=b; SPOIDCRL=77u/PD94bWwg",
                "403\nX-MSDAVEXT_Error: 917656; Access+denied.",
            )],
        ),
        Example::fires(
            "the old service is gone",
            found(Certainty::Certain),
            &[Raw::new("GET https://contoso.sharepoint.com/_VTI_BIN/IDCRL.svc", "404\nSPRequestGuid: 1")],
        ),
        Example::fires(
            "a client offers nothing newer",
            found(Certainty::Likely),
            &[Raw::new(
                "OPTIONS https://contoso.sharepoint.com/sites/x/\nX-IDCRL_ACCEPTED: t",
                "401\nX-IDCRL_AUTH_PARAMS_V1: IDCRL Type=\"BPOSIDCRL\"\nSPRequestGuid: 1",
            )],
        ),
        Example::silent(
            "Office asks for the realm and could also do it the old way",
            &[Raw::new(
                "OPTIONS https://contoso.sharepoint.com/sites/x/\nX-IDCRL_ACCEPTED: t\nAuthorization: Bearer",
                "401\nWWW-Authenticate: Bearer realm=\"1\",client_id=\"00000003-0000-0ff1-ce00-000000000000\"",
            )],
        ),
        Example::silent(
            "a WebDAV client has no cookie",
            &[Raw::new(
                "PROPFIND https://contoso.sharepoint.com/sites/x",
                "403\nX-MSDAVEXT_Error: 917656; Access+denied.\nX-Forms_Based_Auth_Required: \
                 https://contoso.sharepoint.com/_forms/default.aspx",
            )],
        ),
        Example::silent(
            "a farm of one's own refuses",
            &[Raw::new(
                "GET https://sharepoint.contoso.com/sites/x\nX-IDCRL_ACCEPTED: t",
                "401\nMicrosoftSharePointTeamServices: 15.0.0.4569\nWWW-Authenticate: NTLM",
            )],
        ),
    ];
}
