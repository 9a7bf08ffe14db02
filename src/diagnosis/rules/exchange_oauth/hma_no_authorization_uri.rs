//! Exchange answers the empty Bearer with a Bearer challenge that names no authorization_uri.
//!
//! Not to be confused with a challenge that follows a real token (the diagnostics say why that was refused), with the
//! Bearer challenge an anonymous probe gets in an organisation that never switched modern authentication on (nobody
//! asked for it), or with a build too old for it (`hma-server-version`).

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hma-no-authorization-uri",
    title: Text {
        en: "The Bearer challenge names no authorization_uri",
        ja: "Bearer チャレンジに authorization_uri がない",
    },
    explanation: Text {
        en: "{host} speaks OAuth, but does not tell the client where to get a token: no AuthServer object is marked \
             as the default authorization endpoint. Outlook then falls back to Negotiate, NTLM or Basic, or prompts \
             without end.",
        ja: "{host} は OAuth に対応していますが、トークンの取得先をクライアントに伝えていません。既定の承認エンドポ\
             イントとして設定された AuthServer オブジェクトがないためです。Outlook は Negotiate、NTLM、基本認証に切\
             り替えるか、資格情報の入力を求め続けます。",
    },
    remedy: Text {
        en: "Look at the AuthServer objects, and mark the one of Entra ID:\n\
             Get-AuthServer | Format-Table Name,Type,DomainName,Enabled,IsDefaultAuthorizationEndpoint\n\
             $evo = Get-AuthServer | Where-Object { $_.Type -eq 'AzureAD' }\n\
             Set-AuthServer -Identity $evo.Name -IsDefaultAuthorizationEndpoint $true\n\
             With several tenants there are several such objects: take the one whose DomainName holds the users' \
             domain. If there is none, run the Hybrid Configuration Wizard, which creates it once no Exchange 2010 \
             server is left. Servers cache the setting: wait 30 minutes, or run iisreset on each.",
        ja: "AuthServer オブジェクトを確認し、Entra ID のものを既定に設定します。\n\
             Get-AuthServer | Format-Table Name,Type,DomainName,Enabled,IsDefaultAuthorizationEndpoint\n\
             $evo = Get-AuthServer | Where-Object { $_.Type -eq 'AzureAD' }\n\
             Set-AuthServer -Identity $evo.Name -IsDefaultAuthorizationEndpoint $true\n\
             テナントが複数ある場合はオブジェクトも複数あります。DomainName にユーザーのドメインが含まれるものを選ん\
             でください。1 つもない場合はハイブリッド構成ウィザードを実行します (Exchange 2010 が残っていると作成さ\
             れません)。設定はサーバーにキャッシュされるため、30 分待つか、各サーバーで iisreset を実行します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authentication",
        "https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/set-authserver",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 456]).showing(Signs::EMPTY_BEARER.or(Signs::DIAGNOSTICS)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let unavailable =
        case.diagnostics().is_some_and(|diagnostics| diagnostics.is_exchange(4_000_000, "oauth_not_available"));
    let certainty = match case.authorization() {
        _ if case.asks_for_oauth() => Certainty::Certain,
        // Nobody but a client that asked for OAuth is told that it is not available.
        Sent::Unseen | Sent::Absent if unavailable => Certainty::Likely,
        _ => return None,
    };
    // Of some lines that somebody copied, a challenge that is not among them says nothing.
    if case.challenges().is_empty() && !case.lacks_response_header("www-authenticate") {
        return None;
    }
    let named = case.challenges().iter().filter_map(|challenge| challenge.param("authorization_uri"));
    let offered = case.challenge("bearer").is_some_and(|bearer| {
        bearer.param("client_id").is_none_or(|id| id.eq_ignore_ascii_case("00000002-0000-0ff1-ce00-000000000000"))
    });
    let silent = !(offered || unavailable) || !case.is_exchange() || case.is_exchange_online();
    if silent || named.into_iter().any(|uri| !uri.trim().is_empty()) {
        return None;
    }
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_server()).naming("host", case.host_name());
    let hit = hit.because(case.evidence_challenge("bearer"));
    Some(if unavailable { hit.because(case.evidence_header("x-ms-diagnostics")) } else { hit })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the challenge to an empty Bearer lacks it",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401 Unauthorized\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer}\n\
                 WWW-Authenticate: Negotiate",
            )],
        ),
        Example::fires(
            "the challenges are folded into one line, in other letters, and the value is empty",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://[fd00::25]:8443/ews/exchange.asmx\nAUTHORIZATION: bearer ",
                "401\n\
                 server: Microsoft-IIS/8.5\n\
                 x-feserver: EX7\n\
                 WWW-AUTHENTICATE: Negotiate, NTLM, BEARER \
                 CLIENT_ID=\"00000002-0000-0FF1-CE00-000000000000\", trusted_issuers=\"a@b,c@d\", \
                 authorization_uri=\"\", Basic realm=\"x\"",
            )],
        ),
        Example::fires(
            "a phone is told 4000000 and no address",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync\n\
                 Authorization:\n\
                 X-User-Identity: avery@contoso.com",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer}",
            )],
        ),
        Example::fires(
            "only the answer was pasted, with 4000000 in it",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "401 Unauthorized\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer}",
            )],
        ),
        Example::silent(
            "the address is there",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "a token was sent, and the diagnostics say why it was refused",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token \
                 does not exist.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer}",
            )],
        ),
        Example::silent(
            "an anonymous probe in an organisation without modern authentication",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer}\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "SharePoint answers with its realm",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_vti_bin/client.svc\n\
                 Authorization: Bearer",
                "401\n\
                 WWW-Authenticate: Bearer realm=\"03d0c210-38e8-47d7-9bc9-9ff2cd5ea7bc\",\
                 client_id=\"00000003-0000-0ff1-ce00-000000000000\"",
            )],
        ),
    ];
}
