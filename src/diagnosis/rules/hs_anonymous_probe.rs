//! The first request without credentials: the server answers with the list of its schemes.
//!
//! Not to be confused with a refusal of credentials that were sent, with an empty Bearer (`hma-empty-bearer`), or with a
//! challenge that carries a token of a handshake under way.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule, Sent};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hs-anonymous-probe",
    title: Text {
        en: "Anonymous request: the server lists its schemes", ja: "匿名要求: サーバーが認証方式を提示"
    },
    explanation: Text {
        en: "The request carried no credentials, and the 401 names the schemes that the server accepts. HTTP \
             clients ask this way first and repeat the request with credentials. It is a failure only if nothing \
             follows: then the client supports none of the schemes, has no credentials, or somebody cancelled the \
             prompt.",
        ja: "要求に資格情報がなく、401 がサーバーの受け付ける認証方式を示しています。HTTP クライアントはまずこの形で\
             問い合わせ、次に資格情報を付けて要求を繰り返します。後に何も続かない場合だけが失敗で、クライアントがど\
             の方式にも対応していない、資格情報を持っていない、または入力画面が取り消されたことを意味します。",
    },
    remedy: Text {
        en: "Nothing to do while the client goes on. If it does not, compare the schemes offered with those that \
             the client supports.",
        ja: "クライアントが続行していれば対処は不要です。続行しない場合は、提示された認証方式とクライアントが対応す\
             る方式を比べてください。",
    },
    sources: &["RFC 9110 section 11.6.1", "RFC 9110 section 11.4"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::Status(&[401]),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let offers = !case.challenges().is_empty() && case.challenges().iter().all(|challenge| challenge.token.is_none());
    let says_more = case.challenges().iter().any(|challenge| challenge.param("error").is_some());
    let anonymous = match case.authorization() {
        Sent::Absent => true,
        // Of a challenge alone it is all that can be said.
        Sent::Unseen => !says_more && case.diagnostics().is_none(),
        Sent::Credential(_) => false,
    };
    let claims = case.challenges().iter().any(|challenge| challenge.param("claims").is_some());
    let hit = || Hit::step().on(case.on_server()).because(case.evidence_schemes()).until(Next::Credentials);
    (offers && anonymous && !claims).then(hit)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

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
            STEP,
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
