//! A client sends a password on RPC over HTTP, and the directory offers Windows authentication alone.
//!
//! Not to be confused with a wrong password, where Basic is among the schemes (`basic-bad-credentials`), nor with the
//! legs of NTLM.

use crate::diagnosis::decode::rpc::is_outlook_anywhere;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "outlook-anywhere-basic-required",
    title: Text {
        en: "Outlook Anywhere does not offer Basic, which the client uses",
        ja: "Outlook Anywhere が、クライアントの使う基本認証に対応していない",
    },
    explanation: Text {
        en: "The client sent a password in the Basic scheme to {host}, and the RPC directory offers {schemes} only. \
             The password was not even looked at. Cutover and staged migrations ask for Basic here unless their \
             endpoint is set to NTLM.",
        ja: "クライアントは基本認証のパスワードを {host} に送りましたが、RPC ディレクトリが提示しているのは {schemes} \
             だけです。パスワードの正誤は確認されていません。カットオーバー移行と段階的移行は、エンドポイントを NTLM \
             に設定していない限り、ここで基本認証を使います。",
    },
    remedy: Text {
        en: "Either let the migration use NTLM:\n\
             Test-MigrationServerAvailability -ExchangeOutlookAnywhere -Autodiscover -EmailAddress <address> \
             -Credentials (Get-Credential) -Authentication NTLM\n\
             or add Basic to the directory, and to nothing else:\n\
             Get-OutlookAnywhere | fl Server,IISAuthenticationMethods,ExternalClientAuthenticationMethod\n\
             Set-OutlookAnywhere -Identity '<server>\\Rpc (Default Web Site)' -IISAuthenticationMethods \
             Basic,NTLM,Negotiate\n\
             Leave ExternalClientAuthenticationMethod (on Exchange 2010 ClientAuthenticationMethod) as it is: with \
             Basic there every Outlook outside prompts.",
        ja: "移行で NTLM を使うようにします。\n\
             Test-MigrationServerAvailability -ExchangeOutlookAnywhere -Autodiscover -EmailAddress <アドレス> \
             -Credentials (Get-Credential) -Authentication NTLM\n\
             または、ディレクトリだけに基本認証を追加します。\n\
             Get-OutlookAnywhere | fl Server,IISAuthenticationMethods,ExternalClientAuthenticationMethod\n\
             Set-OutlookAnywhere -Identity '<サーバー>\\Rpc (Default Web Site)' -IISAuthenticationMethods \
             Basic,NTLM,Negotiate\n\
             ExternalClientAuthenticationMethod (Exchange 2010 では ClientAuthenticationMethod) は変更しないでくださ\
             い。Basic にすると、社外のすべての Outlook で資格情報の入力が求められます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/powershell/module/exchange/set-outlookanywhere",
        "https://learn.microsoft.com/en-us/powershell/module/exchange/test-migrationserveravailability",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401]).showing(Signs::BASIC),
    supersedes: &["auth-scheme-mismatch", "basic-bad-credentials", "generic-bad-credentials", "hs-anonymous-probe"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let windows = case.challenge("ntlm").is_some() || case.challenge("negotiate").is_some();
    if !is_outlook_anywhere(case) || !windows || case.challenge("basic").is_some() {
        return None;
    }
    let schemes = case.evidence_schemes();
    let hit = Hit::failure(Certainty::Certain, Actor::ExchangeAdmin).on(case.on_directory());
    let hit = hit.naming("host", case.host_name()).naming("schemes", schemes.text.clone());
    Some(hit.because(schemes).because(case.evidence_request("authorization")))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const IN_DATA: &str = "RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6002\n\
                           User-Agent: MSRPC\nAuthorization: Basic {basic CONTOSO\\mig:secret}";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the directory offers Windows authentication alone",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(IN_DATA, "401\nServer: Microsoft-IIS/7.5\nWWW-Authenticate: NTLM, Negotiate")],
        ),
        Example::silent(
            "Basic is offered, so it is the password",
            &[Raw::new(
                IN_DATA,
                "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: Basic realm=\"x\"",
            )],
        ),
        Example::silent(
            "it is a leg of NTLM",
            &[Raw::new(
                "RPC_OUT_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6001\n\
                 Authorization: NTLM {ntlm1}",
                "401\nServer: Microsoft-IIS/7.5\nWWW-Authenticate: NTLM {ntlm2}",
            )],
        ),
        Example::silent(
            "a Remote Desktop gateway refuses",
            &[Raw::new(
                "RPC_IN_DATA https://rdg.contoso.com/rpc/rpcproxy.dll?localhost:3388\n\
                 Authorization: Basic {basic CONTOSO\\avery:secret}",
                "401\nServer: Microsoft-IIS/10.0\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
            )],
        ),
    ];
}
