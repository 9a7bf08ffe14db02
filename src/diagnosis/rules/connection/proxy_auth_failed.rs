//! A forward proxy refuses the credentials it was given, or is asked again and again without any.
//!
//! Not to be confused with its first question (`proxy-407-challenge`), or with the legs of a handshake with it.

use crate::diagnosis::decode::Challenge;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Load, Place, Rule, Sent};
use crate::redact::{Credential, Negotiate, Ntlm, NtlmMessage};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "proxy-auth-failed",
    title: Text {
        en: "The forward proxy refuses the client", ja: "フォワード プロキシがクライアントの認証を拒否"
    },
    explanation: Text {
        en: "The 407 comes from a forward proxy on the way to {host}, not from the server. The client sent it \
             credentials and was asked again, or keeps asking without any. The sign-in to the service itself has not \
             begun. Programs that run as a service have the account of the machine at hand, and many cannot answer a \
             proxy at all.",
        ja: "407 はサーバーではなく、{host} への経路上のフォワード プロキシから来ています。クライアントは資格情報を送りま\
             したが再度要求されたか、資格情報なしで要求を繰り返しています。サービス自体へのサインインはまだ始まっていま\
             せん。サービスとして動くプログラムはコンピューターのアカウントしか使えず、プロキシにまったく応答できないも\
             のも多くあります。",
    },
    remedy: Text {
        en: "Best let the endpoints of Microsoft 365 and the sign-in hosts pass the proxy without authentication \
             (https://aka.ms/o365endpoints). Otherwise check account and password that the client has for the proxy, \
             and that it can do one of the schemes it offers. Look at the proxy that programs without a user get:\n\
             netsh winhttp show proxy",
        ja: "Microsoft 365 のエンドポイントとサインイン先は、プロキシを認証なしで通過させるのが最善です \
             (https://aka.ms/o365endpoints)。そうしない場合は、クライアントが持つプロキシ用のアカウントとパスワード、およ\
             び提示された方式への対応を確認します。ユーザーのないプログラムが使うプロキシは次で確認できます。\n\
             netsh winhttp show proxy",
    },
    sources: &[
        "RFC 9110 section 15.5.8",
        "https://learn.microsoft.com/microsoft-365/enterprise/managing-office-365-endpoints",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Network],
    gate: Gate::status(&[407]),
    supersedes: &["proxy-407-challenge"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// So many first questions to one host without an answer ever given: the client has none.
const UNANSWERED: u32 = 4;

fn find(case: &Case<'_>) -> Option<Hit> {
    let challenges = case.proxy_challenges();
    // A token in the challenge answers a message of the client's: the handshake goes on.
    if challenges.iter().any(Challenge::goes_on) {
        return None;
    }
    let hit = match case.proxy_authorization() {
        Sent::Credential(credential) if is_final(credential) => {
            Hit::failure(Certainty::Certain, Actor::Network).because(case.evidence_request("proxy-authorization"))
        }
        Sent::Absent if questions(case) + 1 >= UNANSWERED => {
            Hit::failure(Certainty::Likely, Actor::Network).because(case.evidence_status())
        }
        _ => return None,
    };
    let offered =
        challenges.first().map(|first| case.evidence(Place::ResponseHeader("proxy-authenticate"), first.text()));
    let hit = offered.into_iter().fold(hit, Hit::because);
    Some(hit.on(case.on_server()).naming("host", case.host_name()))
}

/// How often the proxy asked before, on the way to this host, and nobody answered.
fn questions(case: &Case<'_>) -> u32 {
    case.past().load(case.host()).map_or(0, Load::proxy_questions)
}

/// Nothing more can follow: the proxy has all that the client can send.
fn is_final(credential: &Credential) -> bool {
    match credential {
        Credential::Empty | Credential::Ntlm(Ntlm::Empty) | Credential::Negotiate(Negotiate::Empty) => false,
        Credential::Ntlm(Ntlm::Message(message))
        | Credential::Negotiate(Negotiate::Ntlm(message) | Negotiate::SpnegoNtlm(message, ..)) => {
            matches!(**message, NtlmMessage::Authenticate { .. })
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::Network)
    }

    const ASKED: Raw = Raw::new("GET http://www.contoso.com/", "407\nProxy-Authenticate: NTLM");

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a password is refused",
            found(Certainty::Certain),
            &[Raw::new(
                "GET http://www.contoso.com/\nproxy-authorization: Basic {basic avery:secret}",
                "407\nproxy-authenticate: Basic realm=\"wgw01\"",
            )],
        ),
        Example::fires(
            "NTLM is refused at its end",
            found(Certainty::Certain),
            &[Raw::new(
                "GET http://www.contoso.com/\nProxy-Authorization: NTLM {ntlm3 avery}",
                "407\nProxy-Authenticate: NTLM\nProxy-Authenticate: Basic realm=\"x\"",
            )],
        ),
        Example::fires(
            "the client asks again and again without any",
            found(Certainty::Likely),
            &[ASKED, ASKED, ASKED, ASKED],
        ),
        Example::silent("the proxy asks for the first time", &[ASKED]),
        Example::silent(
            "the client has answered in between",
            &[
                ASKED,
                ASKED,
                Raw::new("GET http://www.contoso.com/\nProxy-Authorization: NTLM {ntlm3 avery}", "200"),
                ASKED,
                ASKED,
            ],
        ),
        Example::silent(
            "NTLM to the proxy is under way",
            &[Raw::new(
                "GET http://www.contoso.com/\nProxy-Authorization: NTLM {ntlm1}",
                "407\nProxy-Authenticate: NTLM {ntlm2}",
            )],
        ),
    ];
}
