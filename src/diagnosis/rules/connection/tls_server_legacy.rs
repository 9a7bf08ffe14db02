//! The server speaks only TLS versions or ciphers that this proxy does not, so its traffic passed undecrypted, or
//! failed.
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
        en: "{host} offers only TLS 1.0 or 1.1, or only CBC ciphers or RSA key exchange, as Windows Server 2012 R2 \
             and older do with an RSA certificate. Where it could be, the client's own handshake was passed on \
             untouched: the connection then works as it does without the proxy, but its requests and answers cannot \
             be seen.",
        ja: "{host} は TLS 1.0/1.1、CBC 暗号、RSA 鍵交換のいずれかにしか対応していません。Windows Server 2012 R2 以\
             前で RSA 証明書を使う場合によく見られます。可能な場合はクライアントのハンドシェイクをそのまま転送するの\
             で、接続はプロキシがないときと同じように機能しますが、要求と応答の内容は見えません。",
    },
    remedy: Text {
        en: "On Windows Server 2016 and later enable TLS 1.2 and put a suite of ECDHE, RSA and AES-GCM first in the \
             order:\n\
             Get-TlsCipherSuite | Format-Table Name,Exchange,Certificate\n\
             Enable-TlsCipherSuite -Name TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 -Position 0\n\
             Older Windows has no such suite for RSA certificates. Leave the server of a migration as it is, and let \
             a load balancer with newer TLS stand before it while you capture.",
        ja: "Windows Server 2016 以降では、TLS 1.2 を有効にし、ECDHE・RSA・AES-GCM の暗号スイートを先頭に置きます。\n\
             Get-TlsCipherSuite | Format-Table Name,Exchange,Certificate\n\
             Enable-TlsCipherSuite -Name TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 -Position 0\n\
             それより古い Windows には、RSA 証明書で使えるこの種の暗号スイートがありません。移行元のサーバーは変更せ\
             ず、キャプチャの間だけ、新しい TLS に対応したロード バランサーを手前に置きます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/plan-and-deploy/post-installation-tasks/security-best-practices/exchange-tls-configuration",
        "RFC 8996",
    ],
    kinds: &[Kind::Note, Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ThisProxy],
    gate: Gate::ANY,
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
