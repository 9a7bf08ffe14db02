//! Microsoft Graph refuses a token that is for another resource.
//!
//! Not to be confused with a token for Graph that lacks a permission (`graph-permission-missing`).

use crate::diagnosis::{Actor, Case, Certainty, Gate, GraphFault, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "graph-wrong-audience",
    title: Text {
        en: "Graph: the token is for another service",
        ja: "Graph: トークンが別のサービス向けに発行されている",
    },
    explanation: Text {
        en: "Microsoft Graph takes only tokens whose audience is https://graph.microsoft.com (or \
             00000003-0000-0000-c000-000000000000). This one is for {audience}: the client asked for the scope or \
             resource of another API, or sent its id token.",
        ja: "Microsoft Graph が受け入れるのは、オーディエンスが https://graph.microsoft.com (または \
             00000003-0000-0000-c000-000000000000) のトークンだけです。このトークンは {audience} 向けです。クライア\
             ントが別の API のスコープまたはリソースを要求したか、ID トークンを送っています。",
    },
    remedy: Text {
        en: "Request a second token, for Graph: scope=https://graph.microsoft.com/.default (or its single \
             permissions, such as https://graph.microsoft.com/Mail.Read); on the v1 endpoint \
             resource=https://graph.microsoft.com. A refresh token serves for both resources; an access token for \
             one alone. A token for EWS has the audience https://outlook.office365.com.",
        ja: "Graph 用のトークンを別途要求します。scope=https://graph.microsoft.com/.default (または \
             https://graph.microsoft.com/Mail.Read などの個別のアクセス許可) を指定し、v1 エンドポイントでは \
             resource=https://graph.microsoft.com とします。更新トークンは両方のリソースに使えますが、アクセス トー\
             クンは 1 つのリソースにしか使えません。EWS 用のトークンのオーディエンスは \
             https://outlook.office365.com です。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/graph/resolve-auth-errors",
        "https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::GRAPH.or(Signs::NO_HOST)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let fault = case.graph_error().and_then(|error| error.fault);
    let audience = case.jwt().and_then(|jwt| jwt.aud.as_ref());
    let unexplained = matches!(fault, None | Some(GraphFault::Token)) && case.signs().has_any(Signs::GRAPH);
    let hit = match (fault, audience) {
        (Some(GraphFault::Audience), _) => {
            let words = &case.graph_error()?.message;
            Hit::failure(Certainty::Certain, Actor::Client).because(case.evidence_body(words.as_str()))
        }
        (_, Some(audience)) if unexplained && !is_graph(audience.as_str()) => {
            Hit::failure(Certainty::Likely, Actor::Client).because(case.evidence_status())
        }
        _ => return None,
    };
    let hit = hit.on(case.on_user()).naming("audience", audience.cloned());
    Some(if audience.is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

/// Whether an audience is Graph's own, in any of the clouds.
fn is_graph(audience: &str) -> bool {
    let audience = audience.to_ascii_lowercase();
    // What could not be shown is not known.
    if audience == "hidden" {
        return true;
    }
    audience.starts_with("00000003-0000-0000-c000-000000000000") || audience.contains("graph")
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Graph says so",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/drive\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token validation failure. \
                 Invalid audience.\"}}",
            )],
        ),
        Example::fires(
            "Graph only says that the token is wrong",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.us/v1.0/me\n\
                 Authorization: Bearer {jwt aud=https://management.azure.com/}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token validation \
                 failure.\"}}",
            )],
        ),
        Example::silent(
            "the token is for Graph by its id",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me\n\
                 Authorization: Bearer {jwt aud=00000003-0000-0000-c000-000000000000}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token validation \
                 failure.\"}}",
            )],
        ),
        Example::silent(
            "the end of the token is what is wrong",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Lifetime validation failed, the \
                 token is expired.\"}}",
            )],
        ),
        Example::silent(
            "another service has an audience",
            &[Raw::new(
                "GET https://api.fabrikam.com/v1\n\
                 Authorization: Bearer {jwt aud=x}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Invalid audience.\"}}",
            )],
        ),
    ];
}
