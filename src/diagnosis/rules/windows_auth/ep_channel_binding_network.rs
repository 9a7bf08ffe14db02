//! The client is bound to the very certificate that the server showed here, and is refused all the same: behind it TLS
//! ends once more, with another certificate.
//!
//! Not to be confused with a binding to an interceptor's certificate (`ep-channel-binding`), and with a wrong password
//! where a binding is known to be accepted (`ntlm-rejected`).

use crate::diagnosis::{Actor, Bound, Case, Certainty, Gate, Hit, Kind, Logon, Place, Rule, Signs, Then};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ep-channel-binding-network",
    title: Text {
        en: "Extended Protection: TLS ends again between this point and the server",
        ja: "拡張保護: ここからサーバーまでの間で TLS が再び終端されている",
    },
    explanation: Text {
        en: "The client's channel binding is of the certificate that {host} showed here, so this capture did not \
             disturb it, and still the server refused. Where a load balancer or reverse proxy opens TLS with a \
             certificate of its own and Exchange has another, Extended Protection refuses every Windows logon. With SSL \
             offloading it cannot work at all. A wrong password looks the same.",
        ja: "クライアントのチャネル バインドは、ここで {host} が提示した証明書のものです。つまりこのキャプチャの影響\
             はありませんが、サーバーは拒否しました。ロード バランサーやリバース プロキシが独自の証明書で TLS を終端\
             し、Exchange の証明書がそれと異なる場合、拡張保護はすべての Windows ログオンを拒否します。SSL オフロー\
             ドでは成り立ちません。パスワードの誤りでも同じように見えます。",
    },
    remedy: Text {
        en: "Put the same certificate on the balancer and on every Exchange server (Microsoft requires that for SSL \
             bridging), and end SSL offloading. Compare what each shows:\n\
             Get-ExchangeCertificate | Format-List Thumbprint,Services,Subject\n\
             Or switch Extended Protection off on the directories behind the balancer. On the server event 4625 with \
             0xC000035B confirms it; 0xC000006A is a wrong password.",
        ja: "ロード バランサーとすべての Exchange サーバーに同じ証明書を設定し (SSL ブリッジでは Microsoft が必須とし\
             ています)、SSL オフロードをやめます。それぞれの証明書を比べてください。\n\
             Get-ExchangeCertificate | Format-List Thumbprint,Services,Subject\n\
             または、ロード バランサー配下のディレクトリで拡張保護を無効にします。サーバーのイベント 4625 が \
             0xC000035B ならこの原因、0xC000006A ならパスワードの誤りです。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/plan-and-deploy/post-installation-tasks/security-best-practices/exchange-extended-protection",
        "RFC 5929 section 4",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Network],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS),
    supersedes: &["mrsproxy-unauthorized", "ntlm-rejected", "ntlm-loop", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.status() != Some(401) || case.goes_on() || Bound::of(case)? != Bound::Right {
        return None;
    }
    let known = case.past().windows(case.host());
    if known.is_some_and(|known| known.took_bound(case).is_some()) {
        return None;
    }
    let hit = Hit::failure(Certainty::Likely, Actor::Network).on(case.on_user()).naming("host", case.host_name());
    let hit = hit.because(case.evidence_request("authorization")).because(case.evidence_schemes());
    let certificate = case.exchange.connection.server.as_ref().and_then(|server| server.tls.as_ref());
    let subject = certificate.map(|tls| tls.certificate.subject.clone()).filter(|subject| !subject.as_str().is_empty());
    let hit = subject.into_iter().fold(hit, |hit, text| hit.because(case.evidence(Place::ConnectionServer, text)));
    Some(hit.or("ntlm-rejected").later(Logon::bound(case), Then::Retracted))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const REFUSED: Raw = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3server avery}",
        "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
    );

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the server's own binding is refused",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[REFUSED],
        ),
        Example::silent(
            "a binding was accepted in another directory",
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3server blake}",
                    "200 OK",
                ),
                REFUSED,
            ],
        ),
        Example::silent(
            "the client is bound to an interceptor",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3ours avery}",
                "401\nWWW-Authenticate: NTLM",
            )
            .decrypted()],
        ),
        Example::silent(
            "the client sends no binding",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3zero avery}",
                "401\nWWW-Authenticate: NTLM",
            )],
        ),
    ];
}
