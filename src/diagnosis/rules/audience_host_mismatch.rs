//! The token is for one host name of Exchange and arrived under another.
//!
//! Not to be confused with TLS offloading, where only the scheme differs (`ssl-offload-audience-scheme`), or with a
//! token for another API altogether (`audience-wrong-resource`). The names in the reason are compared; its number, and
//! the order of "Expected" and "Actual", say nothing.

use crate::diagnosis::audience::Refusal;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "audience-host-mismatch",
    title: Text {
        en: "The token is for another host name",
        ja: "トークンが別のホスト名に対して発行されている",
    },
    explanation: Text {
        en: "Exchange compares the audience of a token ({audience}) with the name under which the request reaches it, and \
             they differ (the other name: {endpoint}). Usually something between client and server changes the name: a \
             reverse proxy or Web Application Proxy publishes one name and forwards to another.",
        ja: "Exchange は、トークンのオーディエンス クレーム ({audience}) と要求が届いたときの名前を比較しますが、両者が一致していません\
             (もう一方の名前: {endpoint})。多くの場合、クライアントとサーバーの間で名前が変わっています。リバース プロキシや \
             Web アプリケーション プロキシが、公開名とは別の名前に転送している場合が典型です。",
    },
    remedy: Text {
        en: "Use the same name outside and inside: let the reverse proxy pass {host} through without rewriting the host, and \
             let its internal URL be the external one. On WAP:\n\
             Get-WebApplicationProxyApplication | Format-List Name,ExternalUrl,BackendServerUrl,ExternalPreauthentication\n\
             Compare with the URLs of Exchange:\n\
             Get-MapiVirtualDirectory | Format-List Server,*url*\n\
             Get-WebServicesVirtualDirectory | Format-List Server,*url*\n\
             Get-ClientAccessService | Format-List Name,AutoDiscoverServiceInternalUri\n\
             Registering both names as SPN is no cure: Exchange still compares.",
        ja: "社外と社内で同じ名前を使います。リバース プロキシでは {host} をホスト名を書き換えずにパススルーし、内部 URL を外部 URL と\
             同じにします。WAP の場合:\n\
             Get-WebApplicationProxyApplication | Format-List Name,ExternalUrl,BackendServerUrl,ExternalPreauthentication\n\
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
    gate: Gate::Status(&[401, 403]),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let Refusal::Host { audience, endpoint, named } = Refusal::of(case)? else { return None };
    let certainty = if named { Certainty::Certain } else { Certainty::Likely };
    let hit = Hit::failure(certainty, Actor::Network)
        .on(case.on_server())
        .naming("audience", audience)
        .naming("endpoint", endpoint)
        .naming("host", case.host_name())
        .because(case.evidence_header("x-ms-diagnostics"))
        .because(case.evidence_url());
    Some(if case.bearer().is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}
