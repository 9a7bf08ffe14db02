//! The token is for `https://host`, and Exchange was reached as `http://host`: a load balancer ended TLS.
//!
//! Not to be confused with another host name (`audience-host-mismatch`) or another API (`audience-wrong-resource`).
//! The two names in the reason are compared: same host, other scheme, in whichever order they stand.

use crate::diagnosis::audience::Refusal;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ssl-offload-audience-scheme",
    title: Text {
        en: "A load balancer passes the request on without TLS",
        ja: "ロード バランサーが TLS を終端し、平文で転送している (SSL オフロード)",
    },
    explanation: Text {
        en: "The token is for {audience}, but Exchange received the request as {endpoint}: the load balancer takes \
             TLS off and forwards plain HTTP. The scheme belongs to the audience, so every token is refused. SSL \
             offloading cannot be used with OAuth, nor with Extended Protection.",
        ja: "トークンは {audience} 向けですが、Exchange には {endpoint} として要求が届いています。ロード バランサー\
             が TLS を終端し、平文の HTTP で転送しているためです。スキームもオーディエンス クレームの一部なので、ト\
             ークンはすべて拒否されます。SSL オフロードは OAuth とも拡張保護とも併用できません。",
    },
    remedy: Text {
        en: "On the load balancer turn SSL offloading off for {host}: pass TLS through, or re-encrypt to Exchange \
             (SSL bridging) with the same certificate on both. On each server see that Outlook Anywhere no longer \
             expects it:\n\
             Get-OutlookAnywhere | Format-List Server,SSLOffloading\n\
             Get-OutlookAnywhere | Set-OutlookAnywhere -SSLOffloading $false",
        ja: "ロード バランサーで {host} の SSL オフロードを無効にします。TLS をそのまま通すか、Exchange との間を再暗\
             号化します (SSL ブリッジング。双方に同じ証明書を使います)。各サーバーで、Outlook Anywhere の設定も確認\
             します。\n\
             Get-OutlookAnywhere | Format-List Server,SSLOffloading\n\
             Get-OutlookAnywhere | Set-OutlookAnywhere -SSLOffloading $false",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/hybrid-modern-auth-overview",
        "https://learn.microsoft.com/en-us/exchange/plan-and-deploy/post-installation-tasks/security-best-practices/exchange-extended-protection",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Network],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let Refusal::Scheme { audience, endpoint } = Refusal::of(case)? else { return None };
    let host = case.host_name().unwrap_or_else(|| host_of(&endpoint));
    let hit = Hit::failure(Certainty::Certain, Actor::Network)
        .on(case.on_server())
        .naming("audience", audience)
        .naming("endpoint", endpoint)
        .naming("host", host)
        .because(case.evidence_header("x-ms-diagnostics"));
    Some(if case.exchange.url.is_some() { hit.because(case.evidence_url()) } else { hit })
}

/// The host with its port, of an address that Exchange named.
fn host_of(address: &Clean) -> Clean {
    let rest = address.as_str().split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    address.part(rest.split(['/', '?']).next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "https is expected and http arrives",
            (Kind::Failure, Certainty::Certain, Actor::Network),
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
        Example::fires(
            "the order is swapped, letters and ports differ",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "POST https://Mail.Fabrikam.com:8443/mapi/emsmdb/",
                "401\n\
                 server: Microsoft-IIS/8.5\n\
                 X-Ms-Diagnostics: 2000001; reason=\"The hostname component of the audience claim value is \
                 invalid. Expected 'http://mail.fabrikam.com:81'. Actual 'HTTPS://MAIL.fabrikam.com/'.\"; \
                 error_category=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "only the answer was pasted",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value is \
                 invalid. Expected 'https://[fd00::25]'. Actual 'http://[fd00::25]'.\";\
                 error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "one name is told, with http",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value \
                 'http://mail.contoso.com' is invalid\";error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the hosts differ",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://autodiscover.contoso.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value is \
                 invalid. Expected 'https://mail.contoso.com'. Actual 'http://autodiscover.contoso.com'.\";\
                 error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the token is for another API",
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
    ];
}
