//! The token is for one host name of Exchange and arrived under another.
//!
//! Not to be confused with TLS offloading, where only the scheme differs (`ssl-offload-audience-scheme`), or with a
//! token for another API altogether (`audience-wrong-resource`). The names in the reason are compared; its number,
//! and the order of "Expected" and "Actual", say nothing.

use crate::diagnosis::audience::Refusal;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "audience-host-mismatch",
    title: Text {
        en: "The token is for another host name", ja: "トークンが別のホスト名に対して発行されている"
    },
    explanation: Text {
        en: "Exchange compares the audience of a token ({audience}) with the name under which the request reaches \
             it, and they differ. Usually something between client and server changes the name: a reverse proxy or \
             Web Application Proxy publishes one name and forwards to another.",
        ja: "Exchange は、トークンのオーディエンス クレーム ({audience}) と要求が届いたときの名前を比較しますが、両\
             者が一致していません。多くの場合、クライアントとサーバーの間で名前が変わっています。リバース プロキシや \
             Web アプリケーション プロキシが、公開名とは別の名前に転送している場合が典型です。",
    },
    remedy: Text {
        en: "Use the same name outside and inside: let the reverse proxy pass {host} through without rewriting the \
             host, and let its internal URL be the external one. On WAP:\n\
             Get-WebApplicationProxyApplication | Format-List \
             Name,ExternalUrl,BackendServerUrl,ExternalPreauthentication\n\
             Compare with the URLs of Exchange:\n\
             Get-MapiVirtualDirectory | Format-List Server,*url*\n\
             Get-WebServicesVirtualDirectory | Format-List Server,*url*\n\
             Get-ClientAccessService | Format-List Name,AutoDiscoverServiceInternalUri\n\
             Registering both names as SPN is no cure: Exchange still compares.",
        ja: "社外と社内で同じ名前を使います。リバース プロキシでは {host} をホスト名を書き換えずにパススルーし、内部 \
             URL を外部 URL と同じにします。WAP の場合:\n\
             Get-WebApplicationProxyApplication | Format-List \
             Name,ExternalUrl,BackendServerUrl,ExternalPreauthentication\n\
             Exchange の URL と比べます。\n\
             Get-MapiVirtualDirectory | Format-List Server,*url*\n\
             Get-WebServicesVirtualDirectory | Format-List Server,*url*\n\
             Get-ClientAccessService | Format-List Name,AutoDiscoverServiceInternalUri\n\
             両方の名前を SPN に登録しても解決しません。Exchange 側の比較は変わらないためです。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/outlook/troubleshoot/calendaring/resolve-free-busy-errors",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Network],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS.or(Signs::TOKEN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let Refusal::Host { audience, named } = Refusal::of(case)? else { return None };
    let certainty = if named { Certainty::Certain } else { Certainty::Likely };
    let hit = Hit::failure(certainty, Actor::Network)
        .on(case.on_server())
        .naming("audience", audience)
        .naming("host", case.host_name());
    let told = case.diagnostics().is_some();
    let hit = if told { hit.because(case.evidence_header("x-ms-diagnostics")) } else { hit };
    let hit = if case.exchange.url.is_some() { hit.because(case.evidence_url()) } else { hit };
    Some(if case.bearer().is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the token of Autodiscover is used on the mail host",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\n\
                 Authorization: Bearer {jwt aud=https://autodiscover.contoso.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value \
                 'https://autodiscover.contoso.com' is invalid\";error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "a device in between changed the name that the client used",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                 Authorization: Bearer {jwt aud=https://autodiscover.contoso.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value \
                 'https://autodiscover.contoso.com' is invalid\";error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "both names are told, under another number",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "POST https://mail.fabrikam.com:8443/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.fabrikam.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000001;reason=\"The hostname component of the audience claim value is \
                 invalid. Expected 'https://owa.fabrikam.com'. Actual 'https://mail.fabrikam.com'.\";\
                 error_category=\"invalid_token\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "the words of the endpoint check",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "POST https://[fd00::25]/EWS/Exchange.asmx\n\
                 AUTHORIZATION: Bearer {jwt aud=https://mail.contoso.com/}",
                "403\n\
                 X-MS-Diagnostics: 2000003;reason=\"The audience of the token 'https://mail.contoso.com/' \
                 doesn't match the endpoint 'https://[fd00::25]/EWS/Exchange.asmx'.\";\
                 error_category=\"invalid_resource\"",
            )],
        ),
        Example::fires(
            "a token between servers names the host in another form",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value \
                 '00000002-0000-0ff1-ce00-000000000000/ex.corp.contoso.com@contoso.com' is invalid\";\
                 error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "only the token tells the names apart",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/nspi/\n\
                 Authorization: Bearer {jwt aud=https://owa.contoso.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The audience claim value is invalid 'aud'.\";\
                 error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "only the answer was pasted",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value \
                 'https://autodiscover.contoso.com' is invalid\";error_category=\"invalid_resource\"",
            )],
        ),
        Example::fires(
            "no reason is given, and the token names another host",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/nspi/\nAuthorization: Bearer {jwt aud=https://owa.contoso.com/}",
                "401\nServer: Microsoft-IIS/10.0\nX-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "SharePoint refuses an audience",
            &[Raw::new(
                "GET https://fabrikam.sharepoint.com/_api/web\n\
                 Authorization: Bearer {jwt aud=https://contoso.sharepoint.com}",
                "401\n\
                 x-ms-diagnostics: 3000003;reason=\"Invalid audience Uri \
                 'https://contoso.sharepoint.com'.\";category=\"invalid_client\"",
            )],
        ),
        Example::silent(
            "only the scheme differs",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value is \
                 invalid. Expected 'https://mail.contoso.com'. Actual 'http://mail.contoso.com'.\";\
                 error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the token is for Graph",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value \
                 'https://graph.microsoft.com' is invalid\";error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the token is for an application id",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=00000002-0000-0000-c000-000000000000 exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The audience claim value is invalid 'aud'.\";\
                 error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the reason speaks of no audience",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://autodiscover.contoso.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000000;reason=\"The token has an invalid signature.\";\
                 error_category=\"invalid_signature\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
    ];
}
