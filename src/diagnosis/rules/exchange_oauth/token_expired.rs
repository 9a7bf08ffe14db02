//! Exchange refuses a token whose time is over: by its diagnostics, or by the token beside the Date of the answer.
//!
//! Not to be confused with a token whose time has not begun (`clock-skew`), with Graph's refusal (`graph-token-expired`), or
//! with a refresh token that no longer works (`aad-refresh-expired`, `aad-grant-revoked`).

use crate::diagnosis::sharepoint::{self, Fault};
use crate::diagnosis::token::{Lifetime, evidence_times, is_unexplained, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "token-expired",
    title: Text { en: "The token has expired", ja: "トークンの有効期限切れ" },
    explanation: Text {
        en: "The client sent a token after its end, and {host} refused it. Access tokens last about an hour, and a \
             client is to fetch the next one by itself before that. Where it goes on sending the old one, its \
             refresh failed (look for the request to the sign-in host), it keeps the token in a place of its own, \
             or the clock of the client or of the server is wrong.",
        ja: "クライアントが有効期限を過ぎたトークンを送り、{host} が拒否しました。アクセス トークンの有効期間は約 1 \
             時間で、クライアントは期限前に自動で次のトークンを取得します。古いトークンを送り続ける場合は、更新に失\
             敗している (サインイン先への要求を確認)、クライアントがトークンを独自に保持している、またはクライアン\
             トかサーバーの時計がずれていることが考えられます。",
    },
    remedy: Text {
        en: "Look for the client's next request to the sign-in host: if it fails there, that is the cause. A tool \
             that fetches one token for a long run must fetch a new one for each hour. Compare the clocks with the \
             Date of the answer:\n\
             w32tm /query /status\n\
             w32tm /stripchart /computer:time.windows.com /samples:3 /dataonly\n\
             Outlook: close it and sign in again; if it keeps the old token, delete its entries under Credential \
             Manager > Windows Credentials (MicrosoftOffice16_Data:...).",
        ja: "クライアントからサインイン先への次の要求を確認します。そこで失敗していれば、それが原因です。1 つのトー\
             クンで長時間実行するツールは、1 時間ごとに取得し直す必要があります。応答の Date と時計を比べます。\n\
             w32tm /query /status\n\
             w32tm /stripchart /computer:time.windows.com /samples:3 /dataonly\n\
             Outlook の場合はいったん終了してサインインし直します。古いトークンを使い続けるときは、資格情報マネージ\
             ャーの Windows 資格情報にある MicrosoftOffice16_Data:... を削除します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/instrumenting-client-requests-for-ews-and-rest-in-exchange",
        "https://learn.microsoft.com/en-us/entra/identity-platform/configurable-token-lifetimes",
        "RFC 7519 section 4.1.4",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS.or(Signs::TOKEN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let lifetime = || Lifetime::of(case);
    if let Some(hit) = refused(case, TokenFault::Expired, Actor::Client) {
        let hit = evidence_times(case).into_iter().fold(hit, Hit::because);
        return match lifetime() {
            Lifetime::Over(_) => Some(hit),
            Lifetime::NotYet(_) => None,
            // What was seen does not show it.
            Lifetime::Good => Some(hit.or("clock-skew")),
        };
    }
    let unknown = case.status() == Some(401) && case.is_exchange() && case.token_fault().is_none();
    let over = if unknown { lifetime() } else { Lifetime::Good };
    let certainty = match over {
        _ if sharepoint::Refusal::of(case).is_some_and(|refusal| refusal.says("expired")) => Certainty::Certain,
        _ if matches!(Fault::of(case), Some(Fault::Lifetime(Lifetime::Over(_)))) => Certainty::Likely,
        Lifetime::Over(_) if is_unexplained(case) => over.certainty()?,
        // Exchange says something that is not known; the token says this.
        Lifetime::Over(_) if case.diagnostics().is_some() => Certainty::Likely,
        _ => return None,
    };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_user()).naming("host", case.host_name());
    let hit = sharepoint::Refusal::of(case).iter().flat_map(sharepoint::Refusal::evidence).fold(hit, Hit::because);
    let hit = if case.bearer().is_some() { hit.because(case.evidence_request("authorization")) } else { hit };
    Some(evidence_times(case).into_iter().fold(hit, Hit::because))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange says so",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795158900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 x-ms-diagnostics: 2000002;reason=\"The token has expired.\";error_category=\"token_expired\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "SharePoint says so",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\n\
                 Authorization: Bearer {jwt aud=https://contoso.sharepoint.com exp=1795158900}",
                "401\n\
                 SPRequestGuid: 5fd0a1a1-0000-4000-8000-000000000031\n\
                 Content-Type: application/json\n\n\
                 {\"error_description\":\"Invalid JWT token. The token is expired.\"}",
            )],
        ),
        Example::fires(
            "SharePoint gives no reason, and the token's time is over",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\n\
                 Authorization: Bearer {jwt aud=https://contoso.sharepoint.com exp=1795158900}",
                "401\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 x-ms-diagnostics: 3001000;reason=\"There has been an error authenticating the \
                 request.\";category=\"invalid_client\"",
            )],
        ),
        Example::fires(
            "only the answer was pasted",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "",
                "401\n\
                 X-MS-Diagnostics: 2000002; reason=\"The token has EXPIRED\"; error_category=\"token_expired\"",
            )],
        ),
        Example::fires(
            "only the number is there",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 2000002",
            )],
        ),
        Example::fires(
            "no reason is given, and the token's end is past",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795158900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "the token ended a minute ago",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795165904}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "the reason is a new one, and the token's end is past",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795158900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 x-ms-diagnostics: 2999999;reason=\"Not any more.\";error_category=\"gone\"",
            )],
        ),
        Example::silent(
            "the token lasts",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "Exchange gives another reason",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795158900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token does not \
                 exist.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "its time has not begun",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ nbf=1795167600 exp=1795171200}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 x-ms-diagnostics: 2000002;reason=\"The token has expired.\";error_category=\"token_expired\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the resource wants other claims",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795158900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
            )],
        ),
        Example::silent(
            "another service refuses an old token",
            &[Raw::new(
                "GET https://api.fabrikam.com/v1\n\
                 Authorization: Bearer {jwt aud=items exp=1795158900}",
                "401\n\
                 Server: Kestrel\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: Bearer error=\"invalid_token\"",
            )],
        ),
    ];
}
