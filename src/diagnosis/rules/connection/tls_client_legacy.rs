//! The client's ClientHello is one that this proxy cannot serve, while the server would have spoken newer TLS; the
//! connection passed undecrypted.
//!
//! Not to be confused with `tls-server-legacy`, where the server is what is old, and with `tls-trust-failure`, where
//! the client speaks the same TLS and refuses the certificate.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule};
use crate::exchange::Unseen;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "tls-client-legacy",
    title: Text {
        en: "The client's TLS cannot be served here, so nothing was decrypted",
        ja: "クライアントの TLS にここでは対応できず、復号されていない",
    },
    explanation: Text {
        en: "The client's opening message to {host} offers nothing that this proxy can serve: only TLS 1.0 or 1.1, \
             only CBC ciphers, no ECDSA, or a server name that is not a host name. It was passed on untouched: the \
             connection works as it does without the proxy, but its requests and answers cannot be seen.",
        ja: "{host} への最初のメッセージでクライアントが提示した TLS には、このプロキシが対応できるものがありません \
             (TLS 1.0/1.1 のみ、CBC 暗号のみ、ECDSA 非対応、ホスト名ではないサーバー名など)。メッセージはそのまま転\
             送されるので、接続はプロキシがないときと同じように機能しますが、要求と応答の内容は見えません。",
    },
    remedy: Text {
        en: "Let the client offer TLS 1.2 or newer. Windows programs on .NET Framework follow the system with:\n\
             New-ItemProperty -Path 'HKLM:\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319' -Name \
             SchUseStrongCrypto -Value 1 -PropertyType DWord -Force\n\
             New-ItemProperty -Path 'HKLM:\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319' -Name \
             SystemDefaultTlsVersions -Value 1 -PropertyType DWord -Force\n\
             Java needs version 8 or newer; Windows 7 and Server 2008 R2 need update KB3140245.",
        ja: "クライアントで TLS 1.2 以降を使えるようにします。.NET Framework の Windows プログラムは、次の設定でシス\
             テムの既定に従います。\n\
             New-ItemProperty -Path 'HKLM:\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319' -Name \
             SchUseStrongCrypto -Value 1 -PropertyType DWord -Force\n\
             New-ItemProperty -Path 'HKLM:\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319' -Name \
             SystemDefaultTlsVersions -Value 1 -PropertyType DWord -Force\n\
             Java は 8 以降が必要です。Windows 7 と Server 2008 R2 には更新プログラム KB3140245 が必要です。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/dotnet/framework/network-programming/tls",
        "https://support.microsoft.com/en-us/topic/update-to-enable-tls-1-1-and-tls-1-2-as-default-secure-protocols-in-winhttp-in-windows-c4bd73d2-31d7-761e-0178-11268bb10392",
        "RFC 8996",
    ],
    kinds: &[Kind::Note],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client],
    gate: Gate::TUNNEL,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.exchange.request.unseen() != Some(Unseen::ClientTlsUnreadable) {
        return None;
    }
    let text = "the ClientHello offers no TLS version, cipher or server name that this proxy can serve";
    let hit = Hit::note(Certainty::Certain, Actor::Client).on(case.on_server()).naming("host", case.host_name());
    Some(hit.because(case.evidence(Place::ConnectionClient, text)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};
    use crate::exchange::Unseen;

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the tunnel passed undecrypted",
            (Kind::Note, Certainty::Certain, Actor::Client),
            &[Raw::tunnel("CONNECT https://mail.contoso.com/", Unseen::ClientTlsUnreadable)],
        )
        .live(),
        Example::silent(
            "the server is what is old",
            &[Raw::tunnel("CONNECT https://mail.contoso.com/", Unseen::ServerTlsTooOld)],
        )
        .live(),
    ];
}
