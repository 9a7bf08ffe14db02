//! A web server that is no Exchange asks for a password under an Autodiscover address: the prompt is not Exchange's.
//!
//! Not to be confused with Exchange's own challenge, with a gateway in front of Exchange (`preauth-device`), or with one
//! bad address beside a good one (`autodiscover-probe-401`).

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::{Clean, Credential, organisation};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "autodiscover-foreign-host",
    title: Text {
        en: "A web server that is no Exchange asks for the password",
        ja: "Exchange ではない Web サーバーが自動検出でパスワードを求めている",
    },
    explanation: Text {
        en: "Clients also try https://{host}/autodiscover. There answers a web server of its own (realm {realm}), \
             which knows none of the mailbox passwords: the prompt that users see is its, not Exchange's, and \
             whatever they enter goes to whoever runs it.",
        ja: "クライアントは https://{host}/autodiscover も試します。ここで応答しているのは Exchange とは無関係の Web \
             サーバー (レルム {realm}) で、メールボックスのパスワードを知りません。ユーザーに表示される入力画面はこの\
             サーバーのもので、入力した資格情報はその運用者に送られます。",
    },
    remedy: Text {
        en: "Let the web server answer 404 under /autodiscover, without asking for a password. Until then keep \
             Outlook from asking there:\n\
             reg add HKCU\\Software\\Microsoft\\Office\\16.0\\Outlook\\AutoDiscover /v ExcludeHttpsRootDomain /t \
             REG_DWORD /d 1 /f\n\
             Whoever entered a password there should change it if the web server is not trusted.",
        ja: "Web サーバーが /autodiscover にパスワードを求めずに 404 を返すようにします。それまでの間、Outlook が問い\
             合わせないようにするには次を実行します。\n\
             reg add HKCU\\Software\\Microsoft\\Office\\16.0\\Outlook\\AutoDiscover /v ExcludeHttpsRootDomain /t \
             REG_DWORD /d 1 /f\n\
             その Web サーバーが信頼できない場合、パスワードを入力したユーザーはパスワードを変更してください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/outlook/troubleshoot/profiles-and-accounts/unexpected-autodiscover-behavior",
        "public capture",
    ],
    kinds: &[Kind::Failure, Kind::Note],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Network],
    gate: Gate::status(&[401]).showing(Signs::AUTODISCOVER),
    supersedes: &["basic-bad-credentials", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let own = ["basic", "digest"].iter().find_map(|scheme| case.challenge(scheme))?;
    let exchange = ["bearer", "ntlm", "negotiate"].iter().any(|scheme| case.challenge(scheme).is_some());
    if exchange || case.is_exchange() || by_exchange(case) || case.past().autodiscover(case.host()).is_some() {
        return None;
    }
    let server = case.response_header("server").filter(|server| !server.as_str().starts_with("Microsoft-HTTPAPI"));
    // Of an answer that names no server only the bare domain tells: Exchange does not live there.
    if server.is_none() && !is_bare_domain(case.host()) {
        return None;
    }
    let prompted = matches!(
        case.authorization(),
        Sent::Credential(Credential::Basic { .. } | Credential::Digest { .. } | Credential::Ntlm(_))
    );
    let hit = if prompted {
        let hit = Hit::failure(Certainty::Likely, Actor::Network);
        hit.because(case.evidence_request("authorization"))
    } else {
        Hit::note(Certainty::Likely, Actor::Network)
    };
    let realm = own.clean_param("realm").unwrap_or_else(|| Clean::from("\"\""));
    let hit = hit.on(case.on_server()).naming("host", case.host_name()).naming("realm", realm);
    let hit = hit.because(case.evidence_challenge(own.scheme)).because(case.evidence_header("x-feserver"));
    Some(if server.is_some() { hit.because(case.evidence_header("server")) } else { hit })
}

/// Whether the host is a domain as it stands behind the `@`: two labels, or three under a country's second level.
fn is_bare_domain(host: &str) -> bool {
    organisation(host) == host && host.contains('.') && Directory::of(host).is_none()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const SENT: &str = "POST https://contoso.com/autodiscover/autodiscover.xml\n\
                        Authorization: Basic {basic avery@contoso.com:secret}";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the password went to the company's web host",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(SENT, "401\nServer: Apache\nWWW-Authenticate: Basic realm=\"webspace\"")],
        ),
        Example::fires(
            "the web host only asks for a password so far",
            (Kind::Note, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "GET https://contoso.co.jp/AutoDiscover/AutoDiscover.xml",
                "401\nwww-authenticate: basic realm=\"members\"",
            )],
        ),
        Example::fires(
            "a hosting provider answers under the Autodiscover name",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                 Authorization: Basic {basic avery@contoso.com:secret}",
                "401\nServer: nginx\nWWW-Authenticate: Basic realm=\"autodiscover\"",
            )],
        ),
        Example::silent(
            "another address of the organisation answered well",
            &[
                Raw::new("POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml", "200 OK"),
                Raw::new(SENT, "401\nServer: Apache\nWWW-Authenticate: Basic realm=\"webspace\""),
            ],
        ),
        Example::silent(
            "Exchange refuses the password",
            &[Raw::new(
                "POST https://mail.contoso.com/autodiscover/autodiscover.xml\n\
                 Authorization: Basic {basic avery@contoso.com:secret}",
                "401\nServer: Microsoft-IIS/10.0\nX-FEServer: EX01\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"",
            )],
        ),
        Example::silent(
            "a balancer hands on what Exchange offers",
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml",
                "401\nServer: nginx\nWWW-Authenticate: Negotiate\nWWW-Authenticate: Basic realm=\"x\"",
            )],
        ),
        Example::silent(
            "another program of the company asks for a password",
            &[Raw::new(
                "GET https://contoso.com/wiki/",
                "401\nServer: Apache\nWWW-Authenticate: Basic realm=\"webspace\"",
            )],
        ),
    ];
}
