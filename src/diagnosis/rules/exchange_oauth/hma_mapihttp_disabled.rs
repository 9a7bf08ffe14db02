//! Outlook speaks RPC over HTTP (Outlook Anywhere) although modern authentication is on, which needs MAPI over HTTP.
//!
//! Not to be confused with OAuth switched off on a virtual directory (`vdir-oauth-disabled`): `/rpc` has no such
//! switch.

use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Place, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hma-mapihttp-disabled",
    title: Text {
        en: "Outlook uses RPC over HTTP, which cannot do modern authentication",
        ja: "Outlook が先進認証に対応しない RPC over HTTP を使っている",
    },
    explanation: Text {
        en: "The client talks to {host} by Outlook Anywhere (RPC over HTTP). Tokens are taken only by MAPI over \
             HTTP, so here the client is left with Negotiate, NTLM or Basic. MAPI over HTTP is off for the \
             organisation, for the mailbox or for this client.",
        ja: "クライアントは Outlook Anywhere (RPC over HTTP) で {host} に接続しています。トークンを使えるのは MAPI \
             over HTTP だけなので、Negotiate、NTLM、基本認証しか選べません。MAPI over HTTP が、組織、メールボックス、\
             またはこのクライアントで無効になっています。",
    },
    remedy: Text {
        en: "Turn MAPI over HTTP on:\n\
             Get-OrganizationConfig | Format-List MapiHttpEnabled\n\
             Set-OrganizationConfig -MapiHttpEnabled $true\n\
             Get-CASMailbox -Identity '<UPN>' | Format-List MapiHttpEnabled\n\
             Set-CASMailbox -Identity '<UPN>' -MapiHttpEnabled $null\n\
             See that /mapi has its URLs (Get-MapiVirtualDirectory | Format-List Server,*url*), and on the client \
             remove the value MapiHttpDisabled:\n\
             Remove-ItemProperty -Path HKCU:\\Software\\Microsoft\\Exchange -Name MapiHttpDisabled -ErrorAction \
             SilentlyContinue\n\
             Then restart Outlook.",
        ja: "MAPI over HTTP を有効にします。\n\
             Get-OrganizationConfig | Format-List MapiHttpEnabled\n\
             Set-OrganizationConfig -MapiHttpEnabled $true\n\
             Get-CASMailbox -Identity '<UPN>' | Format-List MapiHttpEnabled\n\
             Set-CASMailbox -Identity '<UPN>' -MapiHttpEnabled $null\n\
             /mapi に URL が設定されていること (Get-MapiVirtualDirectory | Format-List Server,*url*) を確認し、クラ\
             イアントでは MapiHttpDisabled の値を削除します。\n\
             Remove-ItemProperty -Path HKCU:\\Software\\Microsoft\\Exchange -Name MapiHttpDisabled -ErrorAction \
             SilentlyContinue\n\
             その後 Outlook を再起動します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/hybrid-modern-auth-overview",
        "https://learn.microsoft.com/en-us/exchange/clients/mapi-over-http/configure-mapi-over-http",
    ],
    kinds: &[Kind::Failure, Kind::Note],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401]).showing(Signs::RPC),
    supersedes: &["hma-no-authorization-uri", "vdir-oauth-disabled"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let by_method = matches!(case.method(), "RPC_IN_DATA" | "RPC_OUT_DATA");
    if !(by_method || case.directory() == Some(Directory::Rpc)) || case.is_exchange_online() {
        return None;
    }
    let switched_on = case.past().bearer_seen(case.host()).find(|seen| seen.authorization_uri.is_some());
    let hit = match (case.asks_for_oauth(), &switched_on) {
        (true, Some(_)) => Hit::failure(Certainty::Certain, Actor::ExchangeAdmin),
        (true, None) => Hit::failure(Certainty::Likely, Actor::ExchangeAdmin),
        // Older schemes still work there: no failure by itself, but the reason why Outlook shows no Bearer.
        (false, Some(_)) => Hit::note(Certainty::Likely, Actor::ExchangeAdmin),
        (false, None) => return None,
    };
    let hit = hit.on(case.on_server()).naming("host", case.host_name()).because(case.evidence_url());
    let hit = if case.asks_for_oauth() { hit.because(case.evidence_request("authorization")) } else { hit };
    let elsewhere = switched_on.and_then(|seen| {
        let place = Place::ResponseHeader("www-authenticate");
        Some(Evidence { exchange: seen.exchange, place, text: seen.authorization_uri.clone()? })
    });
    Some(elsewhere.into_iter().fold(hit, Hit::because))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Outlook asks for OAuth on RPC over HTTP",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6001\n\
                 User-Agent: MSRPC\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::fires(
            "the organisation was seen to offer modern authentication",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::new(
                    "RPC_OUT_DATA https://mail.contoso.com/RPC/RpcProxy.dll?ex01:6001\n\
                     authorization: BEARER ",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     www-authenticate: Negotiate, NTLM",
                ),
            ],
        ),
        Example::fires(
            "older schemes go on there beside modern authentication",
            (Kind::Note, Certainty::Likely, Actor::ExchangeAdmin),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::new(
                    "RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6001\n\
                     User-Agent: MSRPC\n\
                     Authorization: NTLM {ntlm1}",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: NTLM {ntlm2}",
                ),
            ],
        ),
        Example::silent(
            "an organisation without modern authentication",
            &[Raw::new(
                "RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6001\n\
                 User-Agent: MSRPC\n\
                 Authorization: Basic {basic CONTOSO\\avery:x}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "MAPI over HTTP",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
    ];
}
