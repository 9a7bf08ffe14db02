//! The client's ClientHello is one that the usual engine cannot serve, while the server would have spoken newer TLS:
//! the engine for old TLS took it, or the connection passed undecrypted.
//!
//! Not to be confused with `tls-server-legacy`, where the server is what is old, and with `tls-trust-failure`, where
//! the client speaks the same TLS and refuses the certificate.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule};
use crate::exchange::Unseen;
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "tls-client-legacy",
    title: Text {
        en: "The client speaks old TLS, or breaks its rules",
        ja: "クライアントの TLS が古い、または規則に合っていない",
    },
    explanation: Text {
        en: "The client's opening message to {host} offers nothing that the usual TLS engine here can serve: only TLS \
             1.0 or 1.1, only CBC ciphers, no ECDSA, or a server name that is not a host name. Where its requests and \
             answers are shown, the engine for old TLS (OpenSSL) has taken the connection. Where only a tunnel is \
             shown, the message was passed on untouched: the connection works as it does without the proxy, but what \
             went on inside cannot be seen.",
        ja: "{host} への最初のメッセージでクライアントが提示した TLS には、ここで通常使う TLS エンジンが対応できるもの\
             がありません (TLS 1.0/1.1 のみ、CBC 暗号のみ、ECDSA 非対応、ホスト名ではないサーバー名など)。要求と応答が\
             表示されている接続は、旧 TLS 用のエンジン (OpenSSL) が処理したものです。トンネルだけが表示されている場合は、\
             メッセージをそのまま転送しています。接続はプロキシがないときと同じように機能しますが、その内容は見えません。",
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
    gate: Gate::ANY,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let taken = case.exchange.connection.client_tls.as_ref().and_then(|tls| tls.legacy.as_ref());
    let text = match taken {
        Some(why) => Clean::concat(["taken by the engine for old TLS: ".into(), why.clone()]),
        None if case.exchange.request.unseen() == Some(Unseen::ClientTlsUnreadable) => {
            "passed through: the ClientHello offers no TLS version, cipher or server name that this proxy can serve"
                .into()
        }
        None => return None,
    };
    let hit = Hit::note(Certainty::Certain, Actor::Client).on(case.on_server()).naming("host", case.host_name());
    Some(hit.because(case.evidence(Place::ConnectionClient, text)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::RULE;
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Kind, Past};
    use crate::exchange::{ClientTls, Connection, SniForm, Unseen};

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

    #[test]
    fn what_the_other_engine_took_is_a_note_that_says_why() {
        let mut exchange = exchanges(&[Raw::new("GET https://mail.contoso.com/", "HTTP/1.1 200 OK")]).remove(0);
        let tls = ClientTls {
            version: "TLS 1.0".into(),
            cipher: "TLS_RSA_WITH_AES_128_CBC_SHA".into(),
            alpn: None,
            sni: None,
            sni_form: SniForm::Absent,
            legacy: Some("the client speaks nothing newer than TLS 1.0".into()),
        };
        exchange.connection = Arc::new(Connection { client_tls: Some(tls), ..Connection::default() });
        let past = Past::default();
        let hit = (RULE.find)(&Case::new(&exchange, &past, Capture::Imported)).unwrap();
        assert_eq!(
            hit.evidence[0].text,
            "taken by the engine for old TLS: the client speaks nothing newer than TLS 1.0"
        );
    }
}
