//! SharePoint wants a session cookie (FedAuth) that the request does not have.
//!
//! Not to be confused with the old sign-in IDCRL (`spo-legacy-auth-blocked`), which leaves marks in the request.

use crate::diagnosis::decode::sharepoint::dav_error;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-fba-cookie-missing",
    title: Text {
        en: "SharePoint wants a session cookie that the client does not have",
        ja: "SharePoint のセッション Cookie がない",
    },
    explanation: Text {
        en: "The request came without a valid FedAuth cookie, and SharePoint names the page where a person signs in \
             (X-Forms_Based_Auth_Required). Mapped drives and other WebDAV clients cannot sign in by themselves: \
             they use the cookie that a browser kept, and fail when it is missing or has expired.",
        ja: "有効な FedAuth Cookie なしで要求が届き、SharePoint は人がサインインするページを示しています \
             (X-Forms_Based_Auth_Required)。ネットワーク ドライブなどの WebDAV クライアントは自分ではサインインできず、\
             ブラウザーが保持する Cookie を使うため、Cookie がないか期限が切れていると失敗します。",
    },
    remedy: Text {
        en: "The user signs in to {host} in the browser and answers Yes to staying signed in, then opens the folder \
             again. The site must be a trusted site of Windows and the service WebClient must run. Better: replace \
             the mapped drive by OneDrive sync. Tools should use OAuth.",
        ja: "ユーザーがブラウザーで {host} にサインインし、「サインインの状態を維持しますか」に「はい」と答えてからフォ\
             ルダーを開き直します。サイトが Windows の信頼済みサイトであり、WebClient サービスが動いている必要がありま\
             す。できればネットワーク ドライブを OneDrive の同期に置き換えてください。ツールは OAuth を使うべきです。",
    },
    sources: &["MS-OFBA section 2.2.2", "MS-WDV section 2.2.3", "public capture"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::User],
    gate: Gate::status(&[401, 403]).showing(Signs::SHARE_POINT),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Access denied: sign in to the web site first.
const SIGN_IN_FIRST: u32 = 917_656;

fn find(case: &Case<'_>) -> Option<Hit> {
    let dav = case.response_header("x-msdavext_error").and_then(|value| dav_error(value.as_str()));
    let denied = dav.is_some_and(|(number, _)| number == SIGN_IN_FIRST);
    let page = case.response_header("x-forms_based_auth_required").is_some();
    if !denied && !page || case.bearer().is_some() || case.asks_for_oauth() {
        return None;
    }
    // Both stand beside the challenges of a client that says it can do more than cookies.
    if case.challenge("bearer").is_some() && !case.signs().has_any(Signs::UNSEEN_CREDENTIALS) && !denied {
        return None;
    }
    let certainty = if denied { Certainty::Certain } else { Certainty::Likely };
    let hit = Hit::failure(certainty, Actor::User).on(case.on_server());
    let hit = if denied { hit.because(case.evidence_header("x-msdavext_error")) } else { hit };
    let hit = if page { hit.because(case.evidence_header("x-forms_based_auth_required")) } else { hit };
    let hit = if case.lacks_request_header("cookie") { hit.because(case.evidence_request("cookie")) } else { hit };
    Some(hit.naming("host", case.host_name()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::User)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a mapped drive has no cookie",
            found(Certainty::Certain),
            &[Raw::new(
                "PROPFIND https://contoso.sharepoint.com/sites/x/Shared%20Documents\nUser-Agent: \
                 Microsoft-WebDAV-MiniRedir/10.0.22631",
                "403\nx-forms_based_auth_required: https://contoso.sharepoint.com/_forms/default.aspx?ReturnUrl=/_layouts/15/error.aspx\n\
                 x-msdavext_error: 917656; Access+denied.+Before+opening+files+in+this+location%2c+you+must+first+browse",
            )],
        ),
        Example::fires(
            "a farm of one's own asks for its form",
            found(Certainty::Likely),
            &[Raw::new(
                "GET https://portal.contoso.com/Docs/a.docx\nCookie: FedAuth=77u/PD94bWwg",
                "403\nX-Forms_Based_Auth_Required: https://portal.contoso.com/_login/default.aspx\n\
                 MicrosoftSharePointTeamServices: 16.0.0.10417",
            )],
        ),
        Example::fires(
            "the answer alone was pasted",
            found(Certainty::Certain),
            &[Raw::new("", "401\nX-MSDAVEXT_Error: 917656; Access denied. Before opening files in this location")],
        ),
        Example::silent(
            "another error of WebDAV",
            &[Raw::new(
                "PUT https://contoso.sharepoint.com/a.docx\nCookie: FedAuth=77u/PD94bWwg",
                "403\nX-MSDAVEXT_Error: 589838; The+file+is+locked",
            )],
        ),
        Example::silent(
            "Office asks for the realm with an empty Bearer",
            &[Raw::new(
                "OPTIONS https://contoso.sharepoint.com/\nAuthorization: Bearer\nX-FORMS_BASED_AUTH_ACCEPTED: t",
                "401\nX-Forms_Based_Auth_Required: https://contoso.sharepoint.com/_forms/default.aspx\n\
                 WWW-Authenticate: Bearer realm=\"1\",client_id=\"00000003-0000-0ff1-ce00-000000000000\"",
            )],
        ),
    ];
}
