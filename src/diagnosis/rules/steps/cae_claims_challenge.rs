//! Continuous access evaluation: the resource wants a new token, with claims that it names.
//!
//! A step the first time; a failure when the client sends the token again that was just refused. Not to be confused with
//! tenant restrictions, which say insufficient_claims in x-ms-diagnostics.

use crate::diagnosis::past::sent_label;
use crate::diagnosis::{
    Actor, Case, Certainty, Evidence, Gate, GraphFault, Hit, Kind, Next, Place, Rule, Signs, TokenFault,
};
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
    gate: Gate::status(&[401, 403]).showing(Signs::CHALLENGED.or(Signs::GRAPH).or(Signs::NO_HOST)),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let evidence = in_challenge(case).or_else(|| in_body(case))?;
    if case.token_fault().is_some_and(|(fault, _)| fault == TokenFault::Claims) {
        return None;
    }
    let label = sent_label(case);
    let repeated = label.is_some_and(|label| case.past().record(case.host(), label).challenged > 0);
    let hit = if repeated { Hit::failure(Certainty::Likely, Actor::Client) } else { Hit::step() };
    let hit = hit.on(case.on_server()).because(evidence);
    Some(if repeated { hit } else { hit.until(label.map_or(Next::SignIn, Next::NewToken)) })
}

fn in_challenge(case: &Case<'_>) -> Option<Evidence> {
    let bearer = case.challenges().iter().find(|challenge| {
        let insufficient =
            challenge.param("error").is_some_and(|error| error.eq_ignore_ascii_case("insufficient_claims"));
        challenge.is("bearer") && (insufficient || challenge.param("claims").is_some())
    })?;
    Some(case.evidence(Place::ResponseHeader("www-authenticate"), bearer.text()))
}

/// Graph says in its error why the token is no longer enough.
fn in_body(case: &Case<'_>) -> Option<Evidence> {
    let error = case.graph_error().filter(|error| error.fault == Some(GraphFault::Claims))?;
    let words = if error.message.as_str().is_empty() { &error.code } else { &error.message };
    Some(case.evidence_body(words.as_str()))
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
        Example::fires(
            "only the body was kept",
            STEP,
            &[Raw::new(
                TOKEN,
                "401\nContent-Type: application/json\n\n{\"error\":{\"code\":\"InvalidAuthenticationToken\",\
                 \"message\":\"Continuous access evaluation resulted in challenge with result: InteractionRequired and \
                 code: TokenIssuedBeforeRevocationTimestamp\"}}",
            )],
        ),
        Example::silent(
            "tenant restrictions say something of claims too",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=x}",
                "401\nx-ms-diagnostics: 2000020;reason=\"xms_trpid claim was not present but \
                 sec-tenant-restriction-access-policy header was in requres\";error_category=\"insufficiant_claims\"\n\
                 WWW-Authenticate: Bearer error=\"insufficient_claims\"",
            )],
        ),
        Example::silent(
            "the token is refused for another reason",
            &[Raw::new(TOKEN, "401\nWWW-Authenticate: Bearer realm=\"\", error=\"invalid_token\"")],
        ),
    ];
}
