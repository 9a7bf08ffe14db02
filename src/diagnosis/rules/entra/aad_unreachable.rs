//! The client cannot reach the sign-in hosts, so it never gets a token.
//!
//! Not to be confused with a sign-in that is refused (an answer with an AADSTS code), with a client that refuses our
//! certificate (`tls-trust-failure`), or with a proxy that asks for credentials once (`proxy-407-challenge`).

use crate::diagnosis::case::is_sign_in_host;
use crate::diagnosis::decode::Challenge;
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Place, Rule, Sent, Signs};
use crate::exchange::{FailureKind, Side};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-unreachable",
    title: Text {
        en: "The sign-in service cannot be reached", ja: "サインイン サービスに到達できない"
    },
    explanation: Text {
        en: "The client tried to reach {host} to sign in, and the connection failed on the way. Modern \
             authentication sends every client there, those beside the server too: without that way there is no \
             token, and the prompt comes back.",
        ja: "クライアントはサインインのために {host} への接続を試みましたが、途中で失敗しました。先進認証では、サー\
             バーのすぐ隣にあるクライアントも含めて、すべてのクライアントがここに接続します。到達できなければトーク\
             ンを取得できず、資格情報の入力が繰り返し求められます。",
    },
    remedy: Text {
        en: "Open the sign-in hosts for every network with users, the internal ones too (service area \"Common\", \
             ids 56 and 59), on TCP 443 without a proxy's authentication and without TLS inspection. From an \
             affected client:\n\
             Test-NetConnection -ComputerName {host} -Port 443\n\
             Resolve-DnsName {host}\n\
             netsh winhttp show proxy",
        ja: "ユーザーのいるすべてのネットワーク (社内も含む) から、サインイン用のホスト (サービス領域 Common の ID \
             56 と 59) への TCP 443 を許可します。プロキシの認証と TLS 検査の対象からも外します。影響を受けるクライ\
             アントで次を確認します。\n\
             Test-NetConnection -ComputerName {host} -Port 443\n\
             Resolve-DnsName {host}\n\
             netsh winhttp show proxy",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/urls-and-ip-address-ranges",
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/hybrid-modern-auth-overview",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Network],
    gate: Gate::ANY.showing(Signs::SIGN_IN),
    supersedes: &["server-unreachable"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if !is_sign_in_host(case.host()) {
        return None;
    }
    let evidence = match &case.exchange.error {
        Some(failure) => {
            let on_the_way = matches!(
                failure.kind,
                FailureKind::NameNotFound
                    | FailureKind::Refused
                    | FailureKind::TimedOut
                    | FailureKind::Unreachable
                    | FailureKind::Reset
                    | FailureKind::ClosedEarly
                    | FailureKind::Other
            );
            let none_answered = case.status().is_none() && failure.side == Side::Server && on_the_way;
            none_answered.then(|| case.evidence(Place::ConnectionServer, failure.text.clone()))?
        }
        None => refused_by_proxy(case)?,
    };
    let challenge = case.past().last_challenge();
    let certainty = if challenge.is_some() { Certainty::Certain } else { Certainty::Likely };
    let hit =
        Hit::failure(certainty, Actor::Network).on(case.on_server()).naming("host", case.host_name()).because(evidence);
    let asked = challenge.and_then(|seen| {
        let place = Place::ResponseHeader("www-authenticate");
        Some(Evidence { exchange: seen.exchange, place, text: seen.authorization_uri.clone()? })
    });
    Some(asked.into_iter().fold(hit, Hit::because))
}

/// A proxy on the way that does not open the tunnel.
fn refused_by_proxy(case: &Case<'_>) -> Option<Evidence> {
    let refused = match case.status()? {
        // The first 407 asks for credentials, one with a token goes on with them; only a bare second one refuses.
        407 => {
            let goes_on = case.proxy_challenges().iter().any(Challenge::goes_on);
            !goes_on && matches!(case.proxy_authorization(), Sent::Credential(_))
        }
        status => status >= 400,
    };
    (case.method() == "CONNECT" && refused).then(|| case.evidence_status())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::RULE;
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Kind, Past};
    use crate::exchange::{FailureKind, Side, Step};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the sign-in host is blocked after the challenge",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::failed(
                    "CONNECT https://login.microsoftonline.com/",
                    Side::Server,
                    Step::Connect,
                    FailureKind::TimedOut,
                    "no answer from 20.190.160.1:443 in 30 s",
                ),
            ],
        )
        .live(),
        Example::fires(
            "the name does not resolve",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::failed(
                "CONNECT https://LOGIN.windows.net/",
                Side::Server,
                Step::Resolve,
                FailureKind::NameNotFound,
                "login.windows.net has no address",
            )],
        ),
        Example::fires(
            "a filter resets the handshake",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::failed(
                "POST https://login.microsoftonline.us/common/oauth2/token",
                Side::Server,
                Step::Tls,
                FailureKind::Reset,
                "connection reset by peer",
            )],
        ),
        Example::silent(
            "another host is blocked",
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::failed(
                    "CONNECT https://mail.contoso.com/",
                    Side::Server,
                    Step::Connect,
                    FailureKind::TimedOut,
                    "no answer",
                ),
            ],
        ),
        Example::silent(
            "the client refuses our certificate for it",
            &[Raw::failed(
                "CONNECT https://login.microsoftonline.com/",
                Side::Client,
                Step::Tls,
                FailureKind::CertificateRefusedByClient,
                "unknown CA",
            )],
        )
        .live(),
        Example::silent(
            "the sign-in itself is refused",
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=refresh_token",
                "400 Bad Request\n\
                 Content-Type: application/json; charset=utf-8\n\n\
                 {\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource \
                 principal named x was not found in the tenant named Contoso.\\r\\nTrace ID: \
                 3e1b7f60-0000-4000-8000-000000500011\",\"error_codes\":[500011]}",
            )],
        ),
        Example::silent(
            "a host that only sounds like it",
            &[Raw::failed(
                "CONNECT https://login.microsoftonline.com.contoso.com/",
                Side::Server,
                Step::Connect,
                FailureKind::Refused,
                "refused",
            )],
        ),
    ];

    #[test]
    fn a_proxy_that_does_not_open_the_tunnel_counts() {
        let asked = "GET https://login.microsoftonline.com/";
        let credentials = "GET https://login.microsoftonline.com/\nProxy-Authorization: Basic {basic avery:x}";
        let answers = [(asked, "403 Forbidden", true), (asked, "407", false), (credentials, "407", true)];
        for (request, response, refused) in answers {
            let mut exchange = exchanges(&[Raw::new(request, response)]).remove(0);
            exchange.method = Some("CONNECT".into());
            let past = Past::default();
            let hit = (RULE.find)(&Case::new(&exchange, &past, Capture::Imported));
            assert_eq!(hit.is_some(), refused, "{request} {response}");
        }
    }
}
