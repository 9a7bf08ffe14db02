//! The mailbox replication proxy of a server is switched off, or its address is blocked.
//!
//! Not to be confused with credentials that it refuses (`mrsproxy-unauthorized`), with a server too old to have one
//! (`exchange-version-unsupported`), or with the page of a web filter (`http-proxy-blocked`).

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::ews::refused_by_replication;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "mrsproxy-disabled",
    title: Text {
        en: "The mailbox replication proxy is switched off",
        ja: "メールボックス レプリケーション プロキシが無効",
    },
    explanation: Text {
        en: "A migration asks /EWS/mrsproxy.svc of {host}. While the proxy is off on the EWS virtual directory, \
             Exchange answers 404 there. A bare 403 means mostly the same; but firewalls that let only listed URLs or \
             addresses of Exchange Online pass answer 403 as well. The wizard words it: the connection to the server \
             could not be completed.",
        ja: "移行処理が {host} の /EWS/mrsproxy.svc を要求しています。EWS 仮想ディレクトリでプロキシが無効な間、Exchange \
             はここで 404 を返します。本文のない 403 も多くは同じ意味ですが、許可した URL や Exchange Online のアドレスだ\
             けを通すファイアウォールも 403 を返します。ウィザードでは「サーバーへの接続を完了できませんでした」と表示さ\
             れます。",
    },
    remedy: Text {
        en: "On every Mailbox server that the endpoint's name can reach:\n\
             Get-WebServicesVirtualDirectory | Format-Table Server,MRSProxyEnabled,ExternalUrl\n\
             Get-WebServicesVirtualDirectory | Set-WebServicesVirtualDirectory -MRSProxyEnabled $true\n\
             iisreset /noforce\n\
             Then test from Exchange Online:\n\
             Test-MigrationServerAvailability -ExchangeRemoteMove -RemoteServer {host} -Credentials (Get-Credential)\n\
             If the proxy is on: let /EWS/mrsproxy.svc pass the firewall without pre-authentication, check the IIS \
             handler for *.svc, and with a Hybrid Agent its registration.",
        ja: "エンドポイント名の接続先となるすべてのメールボックス サーバーで実行します。\n\
             Get-WebServicesVirtualDirectory | Format-Table Server,MRSProxyEnabled,ExternalUrl\n\
             Get-WebServicesVirtualDirectory | Set-WebServicesVirtualDirectory -MRSProxyEnabled $true\n\
             iisreset /noforce\n\
             続いて Exchange Online から確認します。\n\
             Test-MigrationServerAvailability -ExchangeRemoteMove -RemoteServer {host} -Credentials (Get-Credential)\n\
             すでに有効な場合は、/EWS/mrsproxy.svc を事前認証なしでファイアウォールを通過させ、IIS の *.svc ハンドラー、\
             Hybrid Agent を使う場合はその登録を確認します。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/architecture/mailbox-servers/mrs-proxy-endpoint",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 403, 404, 500]).showing(Signs::EWS.or(Signs::XML).or(Signs::NO_HOST)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let (certainty, evidence) = if let Some((refused, evidence)) = refused_by_replication(case) {
        refused.forbidden.then_some((Certainty::Likely, evidence))?
    } else {
        let path = case.path().to_ascii_lowercase();
        let asked = case.directory() == Some(Directory::Ews) && path.contains("/mrsproxy.svc");
        if !asked || case.is_exchange_online() || is_foreign(case) {
            return None;
        }
        match case.status()? {
            404 => (Certainty::Certain, case.evidence_status()),
            // Who says why means something else.
            403 if says_nothing(case) => (Certainty::Likely, case.evidence_status()),
            _ => return None,
        }
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_directory());
    let hit = hit.because(case.evidence_url()).because(evidence);
    Some(hit.naming("host", case.host_name()))
}

/// Another web server than that of Exchange answered, and said so.
fn is_foreign(case: &Case<'_>) -> bool {
    case.response_header("server").is_some() && !by_exchange(case) && !case.is_exchange()
}

fn says_nothing(case: &Case<'_>) -> bool {
    let page = case.response_body().to_ascii_lowercase();
    let blocked = ["blocked", "policy", "firewall", "support id", "incident id"].iter().any(|word| page.contains(word));
    !blocked && case.diagnostics().is_none() && case.response_header("x-ews-policy-reason").is_none()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::ExchangeAdmin)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the proxy is not found",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://hybrid.contoso.com/EWS/MRSProxy.svc\nAuthorization: NTLM {ntlm3 mig}",
                "404\nServer: Microsoft-IIS/10.0\nX-FEServer: EX01",
            )],
        ),
        Example::fires(
            "a bare 403",
            found(Certainty::Likely),
            &[Raw::new("POST https://hybrid.contoso.com/ews/mrsproxy.svc", "403 Forbidden\nServer: Microsoft-IIS/8.5")],
        ),
        Example::fires(
            "a fault hands on what the other end answered",
            found(Certainty::Likely),
            &[Raw::new(
                "POST https://outlook.office365.com/powershell-liveid/",
                "500\nContent-Type: application/soap+xml\n\n<s:Envelope \
                 xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Code><s:Value>s:Receiver\
                 </s:Value></s:Code><s:Reason><s:Text>The call to 'https://hybrid.contoso.com/EWS/mrsproxy.svc' failed. \
                 Error details: The HTTP request was forbidden with client authentication scheme 'Negotiate'.</s:Text>\
                 </s:Reason></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "the proxy asks for credentials",
            &[Raw::new(
                "POST https://hybrid.contoso.com/EWS/mrsproxy.svc",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate",
            )],
        ),
        Example::silent(
            "another web server does not know the path",
            &[Raw::new("POST https://www.contoso.com/EWS/mrsproxy.svc", "404\nServer: nginx")],
        ),
        Example::silent(
            "another path is missing",
            &[Raw::new("POST https://hybrid.contoso.com/EWS/x.svc", "404\nX-FEServer: EX01")],
        ),
        Example::silent(
            "a firewall says so itself",
            &[Raw::new(
                "POST https://hybrid.contoso.com/EWS/mrsproxy.svc",
                "403\nX-FEServer: EX01\nContent-Type: text/html\n\n<html><p>The requested URL was blocked. Support ID: \
                 1</p></html>",
            )],
        ),
    ];
}
