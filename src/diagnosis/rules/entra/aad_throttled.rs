//! Entra has too much to do with this tenant or client, and says so.
//!
//! Not to be confused with a single client in a loop (`aad-loop`), or with Exchange, SharePoint or Graph being asked
//! too much (`throttled`).

use crate::diagnosis::refusal::{ANSWERS, caller, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-throttled",
    title: Text {
        en: "The sign-in service asks for fewer requests",
        ja: "サインイン サービスが要求の抑制を求めている",
    },
    explanation: Text {
        en: "Entra ID refuses because of the number of requests, not because of what was asked. A migration that asks \
             for a token for each mailbox or item, or tries wrong credentials again at once, brings that about.",
        ja: "要求の内容ではなく、要求数が多いために拒否されました。メールボックスやアイテムごとにトークンを要求する移\
             行や、誤った資格情報をすぐに再試行する処理が原因になります。",
    },
    remedy: Text {
        en: "Wait as long as Retry-After says (else a minute, doubling), keep tokens until they expire, and run fewer \
             mailboxes at a time. If it goes on for hours: the service health of the tenant.",
        ja: "Retry-After の時間 (なければ 1 分から倍々に) 待ち、トークンは期限まで使い回し、同時に処理するメールボック\
             スを減らします。何時間も続く場合は、テナントのサービス正常性を確認します。",
    },
    sources: &["https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes", "RFC 6585 section 4"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client, Actor::MigrationTool],
    gate: Gate::status(ANSWERS).showing(Signs::ISSUER_ERROR.or(Signs::SIGN_IN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 3] = [90055, 90024, 50166];

fn find(case: &Case<'_>) -> Option<Hit> {
    if let Some(refused) = refused(case, &CODES) {
        return Some(refused.failure(Certainty::Certain, refused.caller()));
    }
    let unexplained =
        case.status() == Some(429) && case.is_sign_in() && case.aadsts().is_none_or(|said| said.codes.is_empty());
    unexplained
        .then(|| Hit::failure(Certainty::Certain, caller(case)).on(case.on_server()).because(case.evidence_status()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "too many requests",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                90055: "The server is terminating the request because there are too many requests."
            )],
        ),
        Example::fires(
            "the status alone says so",
            (Kind::Failure, Certainty::Certain, Actor::MigrationTool),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\nUser-Agent: MigrationWiz",
                "429 Too Many Requests\nRetry-After: 30",
            )],
        ),
        Example::silent(
            "one client in a loop",
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                50196: "The server terminated an operation because it encountered a client request loop."
            )],
        ),
        Example::silent(
            "Graph is asked too much",
            &[Raw::new("GET https://graph.microsoft.com/v1.0/me", "429 Too Many Requests\nRetry-After: 30")],
        ),
    ];
}
