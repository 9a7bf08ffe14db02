//! The server could not be reached: its name has no address, nobody answers there, or the connection ends before TLS.
//!
//! Not to be confused with sign-in hosts (`aad-unreachable`), with a server that answers and hangs up in the middle
//! of a message, with a refused certificate (`certificate-invalid`) or with TLS that is too old
//! (`tls-server-legacy`).

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule};
use crate::exchange::{FailureKind, Side, Step};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "server-unreachable",
    title: Text { en: "The server cannot be reached", ja: "サーバーに到達できない" },
    explanation: Text {
        en: "The connection to {host} failed before any HTTP was spoken. Step: {step}; {reason}. A wrong or missing \
             DNS record, a wrong port, a firewall, or a server that is down: credentials play no part yet.",
        ja: "{host} への接続は、HTTP のやり取りが始まる前に失敗しました。段階は {step}、エラーは「{reason}」です。DNS レコードの誤り\
             や欠落、ポートの誤り、ファイアウォール、サーバーの停止が考えられます。資格情報はまだ関係していません。",
    },
    remedy: Text {
        en: "From the machine this proxy runs on:\n\
             Resolve-DnsName {host}\n\
             Test-NetConnection -ComputerName {host} -Port {port}\n\
             Compare the address with the one published (inside and outside may differ), and the name with the one \
             Exchange gives out:\n\
             Get-OutlookAnywhere | Format-List Server,*HostName\n\
             Get-WebServicesVirtualDirectory | Format-List Server,*url*\n\
             To try one server of several: authtap --resolve {host}=<address>",
        ja: "このプロキシを実行しているコンピューターで確認します。\n\
             Resolve-DnsName {host}\n\
             Test-NetConnection -ComputerName {host} -Port {port}\n\
             アドレスを公開されているものと比べ (社内と社外で異なることがあります)、名前を Exchange の設定と比べます。\n\
             Get-OutlookAnywhere | Format-List Server,*HostName\n\
             Get-WebServicesVirtualDirectory | Format-List Server,*url*\n\
             複数あるうちの 1 台を試す場合: authtap --resolve {host}=<アドレス>",
    },
    sources: &["https://learn.microsoft.com/en-us/exchange/architecture/client-access/load-balancing", "RFC 9293"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Network],
    gate: Gate::FAILED,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    use FailureKind::{ClosedEarly, NameNotFound, Other, Refused, Reset, TimedOut, Unreachable};
    let failure = case.exchange.error.as_ref()?;
    let before_tls = match failure.step {
        Step::Resolve | Step::Connect => {
            matches!(failure.kind, ClosedEarly | NameNotFound | Other | Refused | Reset | TimedOut | Unreachable)
        }
        Step::Tls => matches!(failure.kind, ClosedEarly | Reset | TimedOut),
        Step::Send | Step::Receive => false,
    };
    if failure.side != Side::Server || !before_tls || case.status().is_some() {
        return None;
    }
    let port = case.exchange.url.as_ref().map(|url| Clean::from(url.port()));
    Some(
        Hit::failure(Certainty::Certain, Actor::Network)
            .on(case.on_server())
            .naming("host", case.host_name())
            .naming("port", port)
            .naming("step", Clean::from(failure.step.code()))
            .naming("reason", failure.text.clone())
            .because(case.evidence(Place::ConnectionServer, failure.text.clone())),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};
    use crate::exchange::{FailureKind, Side, Step};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the name has no address",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::failed(
                "CONNECT https://rpc.fabrikam.com/",
                Side::Server,
                Step::Resolve,
                FailureKind::NameNotFound,
                "rpc.fabrikam.com has no address",
            )],
        ),
        Example::fires(
            "nobody listens",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::failed(
                "GET http://[fd00::25]:8080/autodiscover/autodiscover.xml",
                Side::Server,
                Step::Connect,
                FailureKind::Refused,
                "[fd00::25]:8080 refused the connection",
            )],
        )
        .live(),
        Example::fires(
            "the connection is reset before TLS stands",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Server,
                Step::Tls,
                FailureKind::Reset,
                "connection reset by peer",
            )],
        ),
        Example::silent(
            "the server hangs up in the middle of an answer",
            &[Raw::failed(
                "GET https://mail.contoso.com/owa/",
                Side::Server,
                Step::Receive,
                FailureKind::ClosedEarly,
                "the server closed the connection",
            )],
        ),
        Example::silent(
            "the certificate is refused",
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Server,
                Step::Tls,
                FailureKind::CertificateExpired,
                "expired",
            )],
        ),
        Example::silent(
            "the client goes away",
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Client,
                Step::Tls,
                FailureKind::Reset,
                "connection reset by peer",
            )],
        ),
    ];
}
