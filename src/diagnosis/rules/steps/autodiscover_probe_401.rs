//! One of several Autodiscover addresses refuses, and another one answers.
//!
//! Said only when the other one has answered. Not to be confused with a refusal by every candidate.

use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Next, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "autodiscover-probe-401",
    title: Text {
        en: "One Autodiscover address refuses, another one answers",
        ja: "自動検出の候補の 1 つが拒否し、別の候補が応答",
    },
    explanation: Text {
        en: "Clients try several addresses for Autodiscover. This one refused, {other} of the same organisation \
             answered. A single 401 in this search is no failure; the client may still show a prompt for the \
             address that refused.",
        ja: "クライアントは自動検出のために複数のアドレスを試します。この候補は拒否しましたが、同じ組織の {other} が\
             応答しました。この探索の中の 401 が 1 つあっても失敗ではありません。ただし、拒否したアドレスについて資\
             格情報の入力を求められることがあります。",
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
    gate: Gate::status(&[401]).showing(Signs::AUTODISCOVER),
    supersedes: &["hs-anonymous-probe", "basic-bad-credentials", "ntlm-rejected", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.directory() != Some(Directory::Autodiscover) {
        return None;
    }
    let hit = Hit::step().on(case.on_server()).because(case.evidence_url()).naming("host", case.host_name());
    Some(match case.past().autodiscover(case.host()) {
        Some((other, _)) => hit.naming("other", other.clone()),
        None => hit.once(Next::Candidate),
    })
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
