//! One of several Autodiscover addresses refuses, and another one answers.
//!
//! Said only when the other one has answered, before or later. Not to be confused with a refusal by every candidate
//! (`autodiscover-misconfigured`, `autodiscover-foreign-host`), nor with the legs of a handshake with Exchange.

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Next, Rule, Sent, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "autodiscover-probe-401",
    title: Text {
        en: "One Autodiscover address refuses, another one answers",
        ja: "自動検出の候補の 1 つが拒否し、別の候補が応答",
    },
    explanation: Text {
        en: "Clients try several addresses for Autodiscover. This one refused or has nothing, {other} of the same \
             organisation answered. A single refusal in this search is no failure; the client may still show a \
             prompt for an address that answers 401.",
        ja: "クライアントは自動検出のために複数のアドレスを試します。この候補は拒否したか設定を持っていませんが、同じ\
             組織の {other} が応答しました。探索の途中の拒否は失敗ではありません。ただし、401 を返すアドレスについて\
             資格情報の入力を求められることがあります。",
    },
    remedy: Text {
        en: "Nothing to do. If users are prompted for this address, let the web server at {host} answer \
             /autodiscover with 404.",
        ja: "対処は不要です。このアドレスのために入力を求められる場合は、{host} の Web サーバーが /autodiscover に \
             404 を返すようにしてください。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/client-developer/exchange-web-services/handling-autodiscover-error-messages",
    ],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[401, 403, 404, 405, 500, 501, 502, 503, 504]).showing(Signs::AUTODISCOVER),
    supersedes: &[
        "hs-anonymous-probe",
        "basic-bad-credentials",
        "ntlm-rejected",
        "generic-bad-credentials",
        "autodiscover-foreign-host",
        "autodiscover-misconfigured",
    ],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.directory() != Some(Directory::Autodiscover) {
        return None;
    }
    let good = case.past().autodiscover(case.host());
    // What Exchange asks for on the way to an answer is a step of its own.
    if good.is_some() && by_exchange(case) && is_leg(case) {
        return None;
    }
    let hit = Hit::step().on(case.on_server()).because(case.evidence_url()).because(case.evidence_status());
    let hit = hit.naming("host", case.host_name());
    Some(match good {
        Some((other, _)) => hit.naming("other", other.clone()),
        None => hit.once(Next::Candidate),
    })
}

/// Whether the client has yet to send what decides: a probe, a question for OAuth, the first message of NTLM.
fn is_leg(case: &Case<'_>) -> bool {
    let goes_on = case.goes_on();
    case.status() == Some(401) && (goes_on || case.asks_for_oauth() || matches!(case.authorization(), Sent::Absent))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    const ROOT: &str = "POST https://contoso.com/autodiscover/autodiscover.xml";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the other address answered before",
            STEP,
            &[
                Raw::new("POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml", "200 OK").on(2),
                Raw::new(ROOT, "401\nWWW-Authenticate: Basic realm=\"web\""),
            ],
        ),
        Example::fires(
            "the company's web site has no Autodiscover, and Exchange Online answered for the domain",
            STEP,
            &[
                Raw::new(
                    "GET http://autodiscover.contoso.com/autodiscover/autodiscover.xml",
                    "302 Found\nLocation: https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml",
                ),
                Raw::new("POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", "200 OK").on(2),
                Raw::new("POST https://contoso.com/autodiscover/autodiscover.xml", "404 Not Found\nServer: nginx")
                    .on(3),
            ],
        ),
        Example::silent(
            "Exchange asks for credentials under a second address",
            &[
                Raw::new("POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml", "200 OK").on(2),
                Raw::new(
                    "POST https://mail.contoso.com/autodiscover/autodiscover.xml\nAuthorization: Bearer",
                    "401\nX-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
            ],
        ),
        Example::silent(
            "the other address only shows a page",
            &[
                Raw::new(
                    "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml",
                    "200 OK\nContent-Type: text/html\n\n<html><body>Welcome</body></html>",
                )
                .on(2),
                Raw::new("POST https://contoso.com/EWS/Exchange.asmx", "401\nWWW-Authenticate: Basic realm=\"web\""),
            ],
        ),
        Example::withheld(
            "no other address has answered yet",
            &[Raw::new(ROOT, "401\nWWW-Authenticate: Basic realm=\"web\"")],
        ),
        Example::silent(
            "it is another directory",
            &[
                Raw::new("POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml", "200 OK").on(2),
                Raw::new("POST https://contoso.com/EWS/Exchange.asmx", "401\nWWW-Authenticate: Basic realm=\"web\""),
            ],
        ),
    ];
}
