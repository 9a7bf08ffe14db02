//! RPC over HTTP was asked of a web server that is no Exchange.
//!
//! Not to be confused with an Exchange that has no Outlook Anywhere (`outlook-anywhere-not-enabled`), a gateway that
//! asks for credentials itself (`preauth-device`), or a name that does not resolve (`server-unreachable`).

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::decode::rpc::is_outlook_anywhere;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "rpc-proxy-address-wrong",
    title: Text {
        en: "The RPC proxy address leads to another web server",
        ja: "RPC プロキシのアドレスが別の Web サーバーを指している",
    },
    explanation: Text {
        en: "The client asked {host} for Outlook Anywhere, and a web server answered that is no Exchange. The name \
             of the RPC proxy in the migration endpoint or in the Outlook profile is wrong, or DNS leads it to \
             another machine than it should.",
        ja: "クライアントは {host} に Outlook Anywhere を要求しましたが、応答したのは Exchange ではない Web サーバーで\
             す。移行エンドポイントまたは Outlook プロファイルの RPC プロキシ名が誤っているか、DNS が別のマシンを指し\
             ています。",
    },
    remedy: Text {
        en: "Compare the name with what the organisation publishes, inside and outside:\n\
             Get-OutlookAnywhere | fl Server,ExternalHostname,InternalHostname\n\
             Resolve-DnsName {host}\n\
             In a migration endpoint the Exchange server and the RPC proxy are two names: the server's internal \
             name, and the public name of Outlook Anywhere:\n\
             Get-MigrationEndpoint | fl Identity,EndpointType,ExchangeServer,RpcProxyServer",
        ja: "組織が社内外に公開している名前と比べます。\n\
             Get-OutlookAnywhere | fl Server,ExternalHostname,InternalHostname\n\
             Resolve-DnsName {host}\n\
             移行エンドポイントでは、Exchange サーバー (内部名) と RPC プロキシ (Outlook Anywhere の公開名) は別の名\
             前です。\n\
             Get-MigrationEndpoint | fl Identity,EndpointType,ExchangeServer,RpcProxyServer",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/powershell/module/exchange/new-migrationendpoint",
        "https://learn.microsoft.com/en-us/powershell/module/exchange/set-outlookanywhere",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Network, Actor::MigrationTool],
    gate: Gate::status(&[200, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 500, 501]).showing(Signs::RPC),
    supersedes: &["generic-bad-credentials", "hs-anonymous-probe"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    // A path that fits, and ports that nothing but Exchange asks for: that is what makes it an Exchange matter.
    if !is_outlook_anywhere(case) || !case.method().starts_with("RPC_") || case.query().is_none() {
        return None;
    }
    if case.is_exchange_online() || by_exchange(case) || case.past().is_exchange(case.host()) {
        return None;
    }
    let foreign = case.response_header("server").is_some();
    let windows = ["ntlm", "negotiate"].iter().any(|scheme| case.challenge(scheme).is_some());
    let nameless = case.lacks_response_header("server") && matches!(case.status(), Some(404 | 405 | 501));
    let page = case.response_header("content-type").is_some_and(|kind| kind.as_str().contains("text/html"));
    // What goes well is either the channel itself or a page that a web server has for everybody.
    let answered = case.status() == Some(200) && !page;
    if windows || answered || !(foreign || nameless) {
        return None;
    }
    let actor = if case.user().is_some() { Actor::MigrationTool } else { Actor::Network };
    let hit = Hit::failure(Certainty::Likely, actor).on(case.on_server()).naming("host", case.host_name());
    Some(hit.because(case.evidence_header("server")).because(case.evidence_status()).because(case.evidence_url()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const OUT_DATA: &str = "RPC_OUT_DATA https://www.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6001\n\
                            User-Agent: MSRPC\nAuthorization: Basic {basic CONTOSO\\mig:secret}";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the company's web site answers",
            (Kind::Failure, Certainty::Likely, Actor::MigrationTool),
            &[Raw::new(OUT_DATA, "404 Not Found\nServer: Apache/2.4.62 (Debian)\nContent-Type: text/html")],
        ),
        Example::fires(
            "a web server does not know the method",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "RPC_IN_DATA https://contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6002",
                "405 Not Allowed\nServer: nginx",
            )],
        ),
        Example::fires(
            "a web server has a password of its own",
            (Kind::Failure, Certainty::Likely, Actor::MigrationTool),
            &[Raw::new(OUT_DATA, "401\nServer: nginx\nWWW-Authenticate: Basic realm=\"webspace\"")],
        ),
        Example::silent(
            "Exchange refuses the password",
            &[Raw::new(OUT_DATA, "401\nServer: Microsoft-IIS/7.5\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"")],
        ),
        Example::silent(
            "the channel opens through a balancer",
            &[Raw::new(OUT_DATA, "200 Success\nServer: nginx\nContent-Type: application/rpc")],
        ),
        Example::silent(
            "a balancer hands on what Exchange offers",
            &[Raw::new(OUT_DATA, "401\nServer: nginx\nWWW-Authenticate: NTLM")],
        ),
        Example::silent(
            "the client wants a Remote Desktop gateway",
            &[Raw::new(
                "RPC_IN_DATA https://rdg.contoso.com/rpc/rpcproxy.dll?localhost:3388",
                "404 Not Found\nServer: nginx",
            )],
        ),
    ];
}
