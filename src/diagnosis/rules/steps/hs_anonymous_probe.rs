//! The first request without credentials: the server answers with the list of its schemes.
//!
//! Not to be confused with a refusal of credentials that were sent, with an empty Bearer (`hma-empty-bearer`), or with a
//! challenge that carries a token of a handshake under way.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule, Sent, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hs-anonymous-probe",
    title: Text {
        en: "Anonymous request: the server lists its schemes", ja: "匿名要求: サーバーが認証方式を提示"
    },
    explanation: Text {
        en: "The 401 names the schemes that the server accepts: the answer to a request without credentials. HTTP \
             clients ask this way first and repeat the request with credentials. It is a failure only if nothing \
             follows: then the client supports none of the schemes, has no credentials, or somebody cancelled the \
             prompt. Where the request itself was not captured, this is only likely: refused credentials can be \
             answered in the same words.",
        ja: "401 がサーバーの受け付ける認証方式を示しています。これは資格情報のない要求に対する応答です。HTTP クライ\
             アントはまずこの形で問い合わせ、次に資格情報を付けて要求を繰り返します。後に何も続かない場合だけが失敗\
             で、クライアントがどの方式にも対応していない、資格情報を持っていない、または入力画面が取り消されたこと\
             を意味します。要求そのものがキャプチャにない場合は可能性にとどまります。資格情報が拒否されたときの応答\
             も同じ形になり得るためです。",
    },
    remedy: Text {
        en: "Nothing to do while the client goes on. If it does not, compare the schemes offered with those that \
             the client supports.",
        ja: "クライアントが続行していれば対処は不要です。続行しない場合は、提示された認証方式とクライアントが対応す\
             る方式を比べてください。",
    },
    sources: &["RFC 9110 section 11.6.1", "RFC 9110 section 11.4"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[401]).showing(Signs::ANONYMOUS.or(Signs::UNSEEN_CREDENTIALS)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let offers = !case.challenges().is_empty() && case.challenges().iter().all(|challenge| challenge.token.is_none());
    let says_more = case.challenges().iter().any(|challenge| challenge.param("error").is_some());
    let hit = match case.authorization() {
        Sent::Absent => Hit::step(),
        // Of a challenge alone it is all that can be said.
        Sent::Unseen if !says_more && case.diagnostics().is_none() => Hit::likely_step(),
        Sent::Unseen | Sent::Credential(_) => return None,
    };
    let claims = case.challenges().iter().any(|challenge| challenge.param("claims").is_some());
    let hit = || hit.on(case.on_server()).because(case.evidence_schemes()).until(Next::Credentials);
    (offers && !claims).then(hit)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, LIKELY_STEP, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "IIS lists its schemes",
            STEP,
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/",
                "401 Unauthorized\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::fires(
            "the challenge alone was pasted",
            LIKELY_STEP,
            &[Raw::new("", "401\nwww-authenticate: Basic realm=\"x\"")],
        ),
        Example::silent(
            "a password was sent",
            &[Raw::new(
                "GET https://www.fabrikam.com/\nAuthorization: Basic {basic avery:secret}",
                "401\nWWW-Authenticate: Basic realm=\"x\"",
            )],
        ),
        Example::silent("there is no challenge", &[Raw::new("GET https://api.fabrikam.com/v1", "401 Unauthorized")]),
    ];
}
