//! The server speaks only TLS versions or ciphers that this proxy does not, so its traffic passed undecrypted, or failed.
//!
//! Not to be confused with a refused certificate (`certificate-invalid`, `tls-trust-failure`) or with a host that was
//! passed through because somebody asked for it. What went on inside the tunnel is unseen: nothing is said of it.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule};
use crate::exchange::{FailureKind, Side, Unseen};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "tls-server-legacy",
    title: Text {
        en: "The server's TLS is too old to be decrypted here",
        ja: "サーバーの TLS が古く、ここでは復号できない",
    },
    explanation: Text {
        en: "{host} offers only TLS 1.0 or 1.1, or only CBC ciphers or RSA key exchange, as Windows Server 2012 R2 and older \
             do with an RSA certificate. The client's own handshake was passed on untouched, so the connection works as it \
             does without the proxy; but its requests and answers cannot be seen.",
        ja: "{host} は TLS 1.0/1.1、CBC 暗号、RSA 鍵交換のいずれかにしか対応していません。Windows Server 2012 R2 以前で RSA 証明書を\
             使う場合によく見られます。クライアントのハンドシェイクをそのまま転送したため、接続はプロキシがない場合と同じように\
             機能しますが、要求と応答の内容は見えません。",
    },
    remedy: Text {
        en: "On the server enable TLS 1.2 with an ECDHE AES-GCM cipher suite (on 2012 R2 that takes an ECDSA certificate; \
             RSA with ECDHE and GCM comes with Windows Server 2016). See what it offers:\n\
             Get-TlsCipherSuite | Format-Table Name,Exchange,Certificate\n\
             If the server is only the source of a migration, leave it, and capture on a server with newer TLS in front of it.",
        ja: "サーバーで TLS 1.2 と ECDHE AES-GCM の暗号スイートを有効にします (2012 R2 では ECDSA 証明書が必要です。RSA 証明書での \
             ECDHE と GCM の組み合わせは Windows Server 2016 からです)。現在の設定は次のように確認できます。\n\
             Get-TlsCipherSuite | Format-Table Name,Exchange,Certificate\n\
             移行元としてだけ使うサーバーなら変更せず、手前に置いた TLS の新しいサーバーでキャプチャします。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/plan-and-deploy/post-installation-tasks/security-best-practices/exchange-tls-configuration",
        "RFC 8996",
    ],
    kinds: &[Kind::Note, Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ThisProxy],
    gate: Gate::Any,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let failure = case.exchange.error.as_ref();
    let incompatible =
        failure.filter(|failure| failure.side == Side::Server && failure.kind == FailureKind::TlsIncompatible);
    let unseen = [case.exchange.request.unseen(), case.exchange.response.unseen()];
    let (hit, text) = match incompatible {
        Some(failure) => (Hit::failure(Certainty::Certain, Actor::ThisProxy), failure.text.clone()),
        None if unseen.contains(&Some(Unseen::ServerTlsTooOld)) => (
            Hit::note(Certainty::Certain, Actor::ThisProxy),
            "no TLS version or cipher in common with this proxy".into(),
        ),
        None => return None,
    };
    let hit = hit.on(case.on_server()).naming("host", case.host_name());
    Some(hit.because(case.evidence(Place::ConnectionServer, text)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};
    use crate::exchange::{FailureKind, Side, Step, Unseen};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the tunnel passed undecrypted",
            (Kind::Note, Certainty::Certain, Actor::ThisProxy),
            &[Raw::tunnel("CONNECT https://old.contoso.com/", Unseen::ServerTlsTooOld)],
        )
        .live(),
        Example::fires(
            "no common protocol was found",
            (Kind::Failure, Certainty::Certain, Actor::ThisProxy),
            &[Raw::failed(
                "CONNECT https://old.contoso.com/",
                Side::Server,
                Step::Tls,
                FailureKind::TlsIncompatible,
                "the server offers TLS 1.0 only",
            )],
        )
        .live(),
        Example::silent(
            "the host is on the list of those passed through",
            &[Raw::tunnel("CONNECT https://old.contoso.com/", Unseen::SkippedHost)],
        )
        .live(),
        Example::silent(
            "the client is too old",
            &[Raw::tunnel("CONNECT https://old.contoso.com/", Unseen::ClientTlsUnreadable)],
        )
        .live(),
    ];
}
