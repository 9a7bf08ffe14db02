//! The RPC proxy answers, and does not get through to the server and port behind it.
//!
//! Not to be confused with an RPC proxy that is not there (`outlook-anywhere-not-enabled`), nor with a web site that is
//! down as a whole.

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::decode::rpc::{Target, is_outlook_anywhere};
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Place, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "rpc-target-denied",
    title: Text {
        en: "The RPC proxy does not reach {target}", ja: "RPC プロキシが {target} に到達できない"
    },
    explanation: Text {
        en: "The RPC proxy on {host} took the request and could not, or may not, open the way to {target} \
             ({service}). The server is down, a firewall stands between, the service does not listen on that port, \
             or the list of servers and ports that the proxy may reach (ValidPorts) lacks it.",
        ja: "{host} の RPC プロキシは要求を受け取りましたが、{target} ({service}) に接続できないか、接続を許可されて\
             いません。サーバーの停止、途中のファイアウォール、サービスがそのポートで待ち受けていない、またはプロキシ\
             が接続してよいサーバーとポートの一覧 (ValidPorts) に含まれていないことが原因です。",
    },
    remedy: Text {
        en: "On the server with the RPC proxy:\n\
             Test-NetConnection -ComputerName <mailbox server> -Port {port}\n\
             Get-ItemProperty -Path HKLM:\\Software\\Microsoft\\Rpc\\RpcProxy | fl ValidPorts*,Enabled\n\
             Get-Service MSExchangeRPC,MSExchangeIS | ft MachineName,Name,Status\n\
             Exchange writes ValidPorts_AutoConfig_Exchange itself every 15 minutes; names that only stand in \
             ValidPorts are those of somebody else. In a migration check the name of the Exchange server too: it \
             is the internal name of the mailbox server.",
        ja: "RPC プロキシのあるサーバーで確認します。\n\
             Test-NetConnection -ComputerName <メールボックス サーバー> -Port {port}\n\
             Get-ItemProperty -Path HKLM:\\Software\\Microsoft\\Rpc\\RpcProxy | fl ValidPorts*,Enabled\n\
             Get-Service MSExchangeRPC,MSExchangeIS | ft MachineName,Name,Status\n\
             ValidPorts_AutoConfig_Exchange は Exchange が 15 分ごとに書き込みます。ValidPorts だけにある名前は手動で\
             設定されたものです。移行の場合は、Exchange サーバーの名前 (メールボックス サーバーの内部名) も確認してく\
             ださい。",
    },
    sources: &[
        "MS-RPCH section 3.2.3",
        "https://learn.microsoft.com/en-us/windows/win32/rpc/rpc-over-http-deployment-recommendations",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::ANY.showing(Signs::RPC),
    supersedes: &["outlook-anywhere-not-enabled"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.is_exchange_online() || !is_outlook_anywhere(case) {
        return None;
    }
    let target = Target::of(case)?;
    let (certainty, evidence) = match rpc_error(case) {
        Some(error) => (Certainty::Likely, error),
        None if case.status() == Some(503) => {
            let handled = case.response_header("x-feserver").is_some();
            let certainty = if handled { Certainty::Likely } else { Certainty::Possible };
            (by_exchange(case) || case.is_exchange()).then(|| (certainty, case.evidence_status()))?
        }
        None => return None,
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_directory());
    let hit = hit.naming("host", case.host_name()).naming("target", target.text());
    let hit = hit.naming("port", Clean::from(target.port)).naming("service", target.role().map(Clean::from));
    Some(hit.because(evidence).because(case.evidence_url()))
}

/// `RPC Error: 6ba`: what the proxy writes into the status line, or into the page, when its own call fails.
fn rpc_error(case: &Case<'_>) -> Option<Evidence> {
    const WORDS: &[u8] = b"rpc error";
    let response =
        case.exchange.response.seen().filter(|response| response.status.is_none_or(|status| status >= 400))?;
    let begins = response.reason.as_str().as_bytes().get(..WORDS.len());
    if begins.is_some_and(|begins| begins.eq_ignore_ascii_case(WORDS)) {
        return Some(case.evidence(Place::ResponseStatus, response.reason.clone()));
    }
    let body = case.response_body();
    let from = body.find("RPC Error: ")?;
    let words = body[from..].split(['<', '\n', '\r']).next()?;
    Some(case.evidence_body(words))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const OUT_DATA: &str = "RPC_OUT_DATA https://mail.contoso.com/rpc/rpcproxy.dll?dc01.contoso.com:6004\n\
                            User-Agent: MSRPC\nAuthorization: Basic {basic CONTOSO\\mig:secret}";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the proxy names the error of its call",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(OUT_DATA, "503 RPC Error: 6ba\nServer: Microsoft-IIS/8.5")],
        ),
        Example::fires(
            "the proxy may not go there, for a mailbox of Exchange 2013 and later",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?\
                 4f2a0000-0000-4000-8000-000000000001@contoso.com:6001",
                "403 RPC Error: 5\nX-FEServer: EX01",
            )],
        ),
        Example::fires(
            "the front end gets no answer",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(OUT_DATA, "503 Service Unavailable\nX-FEServer: EX01")],
        ),
        Example::silent(
            "the site in front is down",
            &[Raw::new(OUT_DATA, "503 Service Unavailable\nServer: Microsoft-HTTPAPI/2.0")],
        ),
        Example::silent("the password is wrong", &[Raw::new(OUT_DATA, "401\nWWW-Authenticate: Basic realm=\"x\"")]),
        Example::silent(
            "a Remote Desktop gateway does not reach its target",
            &[Raw::new(
                "RPC_IN_DATA https://rdg.contoso.com/rpc/rpcproxy.dll?localhost:3388",
                "503 RPC Error: 6ba\nServer: Microsoft-IIS/8.5",
            )],
        ),
    ];
}
