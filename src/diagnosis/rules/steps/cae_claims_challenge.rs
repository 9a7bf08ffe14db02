//! Continuous access evaluation: the resource wants a new token, with claims that it names.
//!
//! A step the first time; a failure when the client sends the token again that was just refused. Not to be confused with
//! tenant restrictions, which say insufficient_claims in x-ms-diagnostics.

use crate::diagnosis::past::sent_label;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Place, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "cae-claims-challenge",
    title: Text {
        en: "The resource asks for a new token with further claims",
        ja: "リソースが追加のクレームを含む新しいトークンを要求",
    },
    explanation: Text {
        en: "The token is in order but no longer enough: the sign-in was revoked, the network changed, or a policy \
             asks for more. The challenge carries claims that the client must pass on to the sign-in host to get \
             another token. A client that repeats the same token does not understand this and loops.",
        ja: "トークンそのものは正しいものの、サインインの取り消し、ネットワークの変更、ポリシーの要求などにより、も\
             う十分ではありません。クライアントはチャレンジの claims をサインイン先に渡して、別のトークンを取得する\
             必要があります。同じトークンを繰り返すクライアントはこの仕組みに対応しておらず、ループします。",
    },
    remedy: Text {
        en: "Nothing to do while the client goes on. If it repeats the token: update it, or declare no cp1 client \
             capability in the app; the user signs in again; check Conditional Access policies for location and \
             risk.",
        ja: "クライアントが続行していれば対処は不要です。同じトークンを繰り返す場合は、クライアントを更新するか、ア\
             プリで cp1 クライアント機能を宣言しないようにします。ユーザーはサインインし直し、管理者は条件付きアクセ\
             スの場所とリスクのポリシーを確認してください。",
    },
    sources: &[
        "https://learn.microsoft.com/entra/identity-platform/claims-challenge",
        "https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation",
    ],
    kinds: &[Kind::Step, Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Nobody, Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::CHALLENGED),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let bearer = case.challenges().iter().find(|challenge| {
        let insufficient = challenge.param("error").is_some_and(|error| error == "insufficient_claims");
        challenge.is("bearer") && (insufficient || challenge.param("claims").is_some())
    })?;
    if case.diagnostics().is_some_and(|said| said.category_is("insufficient_claims")) {
        return None;
    }
    let label = sent_label(case);
    let repeated = label.is_some_and(|label| case.past().record(case.host(), label).challenged > 0);
    let hit = if repeated { Hit::failure(Certainty::Likely, Actor::Client) } else { Hit::step() };
    let hit = hit.on(case.on_server()).because(case.evidence(Place::ResponseHeader("www-authenticate"), bearer.text()));
    Some(if repeated { hit } else { hit.until(label.map_or(Next::SignIn, Next::NewToken)) })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const TOKEN: &str = "GET https://graph.microsoft.com/v1.0/me\nAuthorization: Bearer {jwt \
         aud=https://graph.microsoft.com upn=avery@contoso.com}";
    const CHALLENGE: &str = "401\nWWW-Authenticate: Bearer realm=\"\", error=\"insufficient_claims\", \
         claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires("the first time", STEP, &[Raw::new(TOKEN, CHALLENGE)]),
        Example::fires(
            "the same token comes again",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(TOKEN, CHALLENGE), Raw::new(TOKEN, CHALLENGE)],
        ),
        Example::silent(
            "the token is refused for another reason",
            &[Raw::new(TOKEN, "401\nWWW-Authenticate: Bearer realm=\"\", error=\"invalid_token\"")],
        ),
    ];
}
