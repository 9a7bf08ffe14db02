//! Exchange answers, and has no Outlook Anywhere under this address; Exchange Online has none at all.
//!
//! Not to be confused with another web server under the address (`rpc-proxy-address-wrong`), nor with a mailbox server
//! that the RPC proxy cannot reach (`rpc-target-denied`).

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::decode::rpc::is_outlook_anywhere;
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "outlook-anywhere-not-enabled",
    title: Text { en: "Outlook Anywhere is not enabled here", ja: "Outlook Anywhere が有効になっていない" },
    explanation: Text {
        en: "A client asked {host} for RPC over HTTP, and the server answered {status}: the RPC proxy is not \
             installed or not published there (404), or the directory is closed to this caller: no TLS, an address \
             restriction, Outlook Anywhere switched off for the mailbox (403). Exchange Online has had no RPC over \
             HTTP since 31 October 2017.",
        ja: "クライアントは {host} に RPC over HTTP を要求し、サーバーは {status} を返しました。RPC プロキシがインスト\
             ールまたは公開されていない (404)、もしくは TLS ではない、アドレス制限がある、メールボックスで Outlook \
             Anywhere が無効などの理由でディレクトリが閉じられています (403)。Exchange Online は 2017 年 10 月 31 日以\
             降、RPC over HTTP に対応していません。",
    },
    remedy: Text {
        en: "On the server:\n\
             Get-OutlookAnywhere | fl Server,ExternalHostname,ExternalClientsRequireSsl,IISAuthenticationMethods\n\
             Get-CASMailbox -Identity '<user>' | fl MAPIBlockOutlookRpcHttp\n\
             On Exchange 2007 and 2010 switch it on (RPC over HTTP Proxy is a feature of Windows):\n\
             Enable-OutlookAnywhere -Server <server> -ExternalHostname {host} -ClientAuthenticationMethod NTLM \
             -SSLOffloading $false\n\
             On 2013 and later it is there; give it its names:\n\
             Set-OutlookAnywhere -Identity '<server>\\Rpc (Default Web Site)' -ExternalHostname {host} \
             -ExternalClientsRequireSsl $true -ExternalClientAuthenticationMethod Negotiate\n\
             See that the firewall or balancer publishes /rpc. In front of Exchange Online update the client, which \
             then uses MAPI over HTTP.",
        ja: "サーバーで確認します。\n\
             Get-OutlookAnywhere | fl Server,ExternalHostname,ExternalClientsRequireSsl,IISAuthenticationMethods\n\
             Get-CASMailbox -Identity '<ユーザー>' | fl MAPIBlockOutlookRpcHttp\n\
             Exchange 2007 と 2010 では有効化します (RPC over HTTP プロキシは Windows の機能です)。\n\
             Enable-OutlookAnywhere -Server <サーバー> -ExternalHostname {host} -ClientAuthenticationMethod NTLM \
             -SSLOffloading $false\n\
             2013 以降は既定で有効なので、名前を設定します。\n\
             Set-OutlookAnywhere -Identity '<サーバー>\\Rpc (Default Web Site)' -ExternalHostname {host} \
             -ExternalClientsRequireSsl $true -ExternalClientAuthenticationMethod Negotiate\n\
             ファイアウォールやロード バランサーが /rpc を公開していることも確認します。接続先が Exchange Online の場\
             合は、MAPI over HTTP を使えるようクライアントを更新します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/powershell/module/exchange/set-outlookanywhere",
        "https://learn.microsoft.com/en-us/outlook/troubleshoot/connectivity/rpc-over-http-end-of-support",
        "MS-RPCH section 3.1",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin, Actor::Client],
    gate: Gate::status(&[400, 403, 404, 405, 410, 500, 501]).showing(Signs::RPC),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if !is_outlook_anywhere(case) {
        return None;
    }
    let (certainty, actor, by): (_, _, Option<Evidence>) = if case.is_exchange_online() {
        (Certainty::Certain, Actor::Client, None)
    } else {
        let named = ["x-feserver", "x-owa-version", "x-diaginfo"];
        let named = named.into_iter().find(|name| case.response_header(name).is_some());
        let certain = named.is_some() && case.status() == Some(404);
        let ours = named.is_some() || by_exchange(case) || case.past().is_exchange(case.host());
        if !ours || !matches!(case.status(), Some(403 | 404)) {
            return None;
        }
        let by = named.map_or("server", |name| name);
        let certainty = if certain { Certainty::Certain } else { Certainty::Likely };
        (certainty, Actor::ExchangeAdmin, Some(case.evidence_header(by)))
    };
    let status = case.evidence_status();
    let hit = Hit::failure(certainty, actor).on(case.on_directory()).naming("host", case.host_name());
    let hit = hit.naming("status", status.text.clone()).because(status).because(case.evidence_url());
    Some(by.into_iter().fold(hit, Hit::because))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const IN_DATA: &str = "RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6001\n\
                           User-Agent: MSRPC\nAuthorization: Basic {basic CONTOSO\\mig:secret}";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange has nothing under the path",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(IN_DATA, "404 Not Found\nServer: Microsoft-IIS/8.5\nX-FEServer: EX01")],
        ),
        Example::fires(
            "an IIS of the age of Exchange 2007 has nothing under the path",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(IN_DATA, "404 Not Found\nServer: Microsoft-IIS/7.0")],
        ),
        Example::fires(
            "the directory is closed",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "RPC_OUT_DATA http://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6004",
                "403 Forbidden\nServer: Microsoft-IIS/8.5\nX-FEServer: EX01",
            )],
        ),
        Example::fires(
            "Exchange Online is asked for it",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "RPC_IN_DATA https://outlook.office365.com/rpc/rpcproxy.dll?\
                 4f2a0000-0000-4000-8000-000000000001@contoso.com:6001",
                "404 Not Found",
            )],
        ),
        Example::silent(
            "another web server answers",
            &[Raw::new(IN_DATA, "404 Not Found\nServer: Apache/2.4.62 (Debian)")],
        ),
        Example::silent(
            "a Remote Desktop gateway has nothing there",
            &[Raw::new(
                "RPC_IN_DATA https://rdg.contoso.com/rpc/rpcproxy.dll?localhost:3388",
                "404 Not Found\nServer: Microsoft-IIS/10.0",
            )],
        ),
    ];
}
