//! What follows Bearer is no token that Microsoft Graph can read.
//!
//! Not to be confused with an expired token (`graph-token-expired`) or one for another resource (`graph-wrong-audience`):
//! they have the same code, and the words tell them apart. A code without known words counts as this, likely.

use crate::diagnosis::token::Lifetime;
use crate::diagnosis::{Actor, Case, Certainty, Gate, GraphFault, Hit, Kind, Rule, Signs};
use crate::redact::{OpaqueForm, Token};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "graph-token-malformed",
    title: Text { en: "Graph cannot read the token", ja: "Graph がトークンを解釈できない" },
    explanation: Text {
        en: "Microsoft Graph found no valid access token after Bearer: there is none, it was damaged on the way \
             into the header, or it is a token of another sort.",
        ja: "Microsoft Graph は Bearer の後に有効なアクセス トークンを見つけられませんでした。トークンがない、ヘッ\
             ダーに入れる過程で壊れた、または別の種類のトークンであることが考えられます。",
    },
    remedy: Text {
        en: "Send the value of access_token as it came, after one word Bearer and one blank. The evidence shows the \
             form of what was sent: form=double-bearer (Bearer twice), form=quoted (with quotation marks), \
             form=broken (blanks or line breaks inside), form=damaged-jwt (cut off or decoded), opaque (an \
             authorization code, a refresh token or a secret in the place of the token), empty (a variable that was \
             never set). See that the token is for https://graph.microsoft.com and comes from \
             https://login.microsoftonline.com/<tenant id>/.",
        ja: "access_token の値をそのまま、Bearer 1 つと空白 1 つに続けて送ります。送られた値の形式は根拠に示されて\
             います。form=double-bearer (Bearer が二重)、form=quoted (引用符付き)、form=broken (途中に空白や改行)、\
             form=damaged-jwt (途中で切れたかデコード済み)、opaque (認証コード、更新トークン、シークレットなどを誤\
             って送信)、empty (変数が未設定)。トークンが https://graph.microsoft.com 向けで、\
             https://login.microsoftonline.com/<tenant id>/ から取得したものか確認してください。",
    },
    sources: &["https://learn.microsoft.com/en-us/graph/resolve-auth-errors", "RFC 6750 section 2.1"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[400, 401]).showing(Signs::GRAPH.or(Signs::NO_HOST)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let error = case.graph_error();
    let certainty = match error.and_then(|error| error.fault) {
        Some(GraphFault::Malformed) => Certainty::Certain,
        Some(GraphFault::Token) if !explained_by_claims(case) => Certainty::Likely,
        None if error.is_none() && has_bad_form(case) => Certainty::Likely,
        _ => return None,
    };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_server());
    let hit = match error {
        Some(error) if error.message.as_str().is_empty() => hit.because(case.evidence_body(error.code.as_str())),
        Some(error) => hit.because(case.evidence_body(error.message.as_str())),
        None => hit.because(case.evidence_status()),
    };
    Some(if case.exchange.request.seen().is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

/// The token itself says what is wrong with it: other rules say that.
fn explained_by_claims(case: &Case<'_>) -> bool {
    let elsewhere = |audience: &str| audience.starts_with("https://") && !audience.contains("graph");
    let audience = case.jwt().and_then(|jwt| jwt.aud.as_ref());
    Lifetime::of(case) != Lifetime::Good || audience.is_some_and(|audience| elsewhere(audience.as_str()))
}

/// Graph refuses without a body what is none by its form.
fn has_bad_form(case: &Case<'_>) -> bool {
    use OpaqueForm::{Broken, DamagedJwt, DoubleBearer, Quoted};
    let bad = |form: &OpaqueForm| matches!(form, Broken | DamagedJwt | DoubleBearer | Quoted);
    case.signs().has_any(Signs::GRAPH) && matches!(case.bearer(), Some(Token::Opaque { form, .. }) if bad(form))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the parser fails",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer not-a-jwt",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"CompactToken parsing failed with \
                 error code: 80049217\"}}",
            )],
        ),
        Example::fires(
            "there is no token at all",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: Bearer realm=\"\"\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token is empty.\"}}",
            )],
        ),
        Example::fires(
            "another library words it",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"IDX14100: JWT is not well \
                 formed, there are no dots (.).\"}}",
            )],
        ),
        Example::fires(
            "no more is said than that it is wrong",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795194000}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Something new.\"}}",
            )],
        ),
        Example::fires(
            "the body was not captured and the word Bearer stands twice",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer Bearer {jwt aud=https://graph.microsoft.com exp=1795194000}",
                "401 Unauthorized",
            )],
        ),
        Example::silent(
            "the token has expired",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795161600}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Lifetime validation failed, the \
                 token is expired.\"}}",
            )],
        ),
        Example::silent(
            "a permission is missing",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795194000}",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"Insufficient privileges to \
                 complete the operation.\"}}",
            )],
        ),
        Example::silent(
            "a service elsewhere borrows the words",
            &[Raw::new(
                "GET https://api.fabrikam.com/v1\n\
                 Authorization: Bearer x",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token is empty.\"}}",
            )],
        ),
    ];
}
