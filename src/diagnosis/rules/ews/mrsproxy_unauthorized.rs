//! The mailbox replication proxy refuses the credentials of the migration endpoint.
//!
//! Not to be confused with the legs of a handshake, with a scheme that the server does not offer
//! (`auth-scheme-mismatch`), or with a client that is bound to the certificate of an interceptor.

use crate::diagnosis::ews::refused_by_replication;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::{Binding, Credential, Negotiate, Ntlm, NtlmMessage};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "mrsproxy-unauthorized",
    title: Text {
        en: "The mailbox replication proxy refuses the credentials",
        ja: "レプリケーション プロキシが資格情報を拒否",
    },
    explanation: Text {
        en: "The proxy of {host} is on and offers Windows authentication, and what the migration endpoint sent was \
             refused. Mostly the account or password stored in the endpoint is wrong or has expired, or its name is \
             not in the form DOMAIN\\user. Else Extended Protection stands in the way where a load balancer or the \
             Hybrid Agent ends TLS, or a server calls itself by a name that Windows does not allow (loopback check).",
        ja: "{host} のプロキシは有効で Windows 認証を提示していますが、移行エンドポイントの資格情報が拒否されました。多く\
             は、エンドポイントに保存されたアカウントやパスワードの誤りまたは期限切れ、DOMAIN\\user 形式でない名前が原因\
             です。ほかに、ロード バランサーや Hybrid Agent が TLS を終端する構成での拡張保護、サーバーが自身を別名で呼び\
             出す場合のループバック チェックもあります。",
    },
    remedy: Text {
        en: "Test the account from Exchange Online, then store it anew:\n\
             Get-MigrationEndpoint | Format-List Identity,RemoteServer,Username\n\
             Test-MigrationServerAvailability -ExchangeRemoteMove -RemoteServer {host} -Credentials (Get-Credential)\n\
             Set-MigrationEndpoint -Identity '<endpoint>' -Credentials (Get-Credential)\n\
             Write the name as DOMAIN\\user. On the server look for event 4625: 0xC000006A is a wrong password, \
             0xC0000071 an expired one, 0xC000035B Extended Protection. With TLS ended in between use the same \
             certificate on both sides, or turn Extended Protection off for the front-end EWS directory:\n\
             Get-WebServicesVirtualDirectory | Format-Table Server,ExtendedProtectionTokenChecking,MRSProxyEnabled",
        ja: "Exchange Online からアカウントを確認し、資格情報を登録し直します。\n\
             Get-MigrationEndpoint | Format-List Identity,RemoteServer,Username\n\
             Test-MigrationServerAvailability -ExchangeRemoteMove -RemoteServer {host} -Credentials (Get-Credential)\n\
             Set-MigrationEndpoint -Identity '<endpoint>' -Credentials (Get-Credential)\n\
             名前は DOMAIN\\user 形式で入力します。サーバーではイベント 4625 を確認します。0xC000006A はパスワードの誤り、\
             0xC0000071 は期限切れ、0xC000035B は拡張保護です。途中で TLS を終端する場合は両側で同じ証明書を使うか、フロン\
             トエンドの EWS ディレクトリの拡張保護を無効にします。\n\
             Get-WebServicesVirtualDirectory | Format-Table Server,ExtendedProtectionTokenChecking,MRSProxyEnabled",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/architecture/mailbox-servers/mrs-proxy-endpoint",
        "https://learn.microsoft.com/powershell/module/exchangepowershell/set-migrationendpoint",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::MigrationTool],
    gate: Gate::status(&[200, 401, 500]).showing(Signs::EWS.or(Signs::XML).or(Signs::NO_HOST)),
    supersedes: &["ntlm-rejected", "basic-bad-credentials", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let evidence = if let Some((refused, evidence)) = refused_by_replication(case) {
        let windows = refused.offers("negotiate") || refused.offers("ntlm") || refused.offered.is_none();
        (!refused.forbidden && windows).then(|| vec![evidence])?
    } else {
        let path = case.path().to_ascii_lowercase();
        let refused = case.status() == Some(401) && path.starts_with("/ews/") && path.contains("/mrsproxy.svc");
        let goes_on = case.goes_on();
        let offered = ["negotiate", "ntlm", "basic"].iter().any(|scheme| case.challenge(scheme).is_some());
        if !refused || goes_on || !offered || case.is_exchange_online() || !is_final(case) {
            return None;
        }
        vec![case.evidence_request("authorization"), case.evidence_schemes()]
    };
    let hit = Hit::failure(Certainty::Likely, Actor::MigrationTool).on(case.on_user());
    Some(evidence.into_iter().fold(hit, Hit::because).naming("host", case.host_name()))
}

/// Nothing more of this handshake can follow: the server has all that the client can send.
fn is_final(case: &Case<'_>) -> bool {
    let Sent::Credential(credential) = case.authorization() else { return false };
    match credential {
        Credential::Basic { .. } => case.challenge("basic").is_some(),
        Credential::Negotiate(Negotiate::Kerberos { .. }) => true,
        Credential::Ntlm(Ntlm::Message(_)) | Credential::Negotiate(Negotiate::Ntlm(_) | Negotiate::SpnegoNtlm(..)) => {
            matches!(case.ntlm(), Some(NtlmMessage::Authenticate { binding, .. }) if *binding != Binding::Ours)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const FOUND: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Likely, Actor::MigrationTool);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "NTLM is refused at its end",
            FOUND,
            &[Raw::new(
                "POST https://hybrid.contoso.com/EWS/mrsproxy.svc\nAuthorization: NTLM {ntlm3 mig}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate, NTLM",
            )],
        ),
        Example::fires(
            "a ticket is refused",
            FOUND,
            &[Raw::new(
                "POST https://hybrid.contoso.com/ews/MRSProxy.svc\nauthorization: Negotiate {kerberos}",
                "401\nServer: Microsoft-IIS/10.0\nwww-authenticate: Negotiate\nwww-authenticate: NTLM",
            )],
        ),
        Example::fires(
            "a fault hands on what the other end answered",
            FOUND,
            &[Raw::new(
                "POST https://outlook.office365.com/powershell-liveid/",
                "500\nContent-Type: application/soap+xml\n\n<s:Envelope \
                 xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Reason><s:Text>The call to \
                 'https://hybrid.contoso.com/EWS/mrsproxy.svc' failed. Error details: The HTTP request is unauthorized \
                 with client authentication scheme 'Negotiate'. The authentication header received from the server was \
                 'Negotiate,NTLM'.</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "the handshake begins",
            &[Raw::new(
                "POST https://hybrid.contoso.com/EWS/mrsproxy.svc\nAuthorization: Negotiate {ntlm1}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate {ntlm2}",
            )],
        ),
        Example::silent(
            "the server offers another scheme",
            &[Raw::new(
                "POST https://hybrid.contoso.com/EWS/mrsproxy.svc\nAuthorization: Negotiate {ntlm1}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Basic realm=\"hybrid.contoso.com\"",
            )],
        ),
        Example::silent(
            "Exchange Web Services refuse the same",
            &[Raw::new(
                "POST https://hybrid.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 mig}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate, NTLM",
            )],
        ),
    ];
}
