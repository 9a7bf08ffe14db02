//! The OneDrive of a user is not there, or nobody but its owner may open it.
//!
//! Not to be confused with a file that is missing in a OneDrive that is there, with a token that SharePoint refuses for a
//! reason of its own, or with a sign-in that has not begun.

use crate::diagnosis::sharepoint::{Fault, Refusal, is_share_point};
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Place, Rule, Sent, Signs};
use crate::redact::Credential;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "onedrive-not-provisioned",
    title: Text {
        en: "The user's OneDrive is not there or not open to this account",
        ja: "ユーザーの OneDrive が未作成、またはアクセス権がない",
    },
    explanation: Text {
        en: "The request went to a personal site. A site that was never made answers 404: the user has no licence \
             with OneDrive, or never opened it. One that is there answers 401 or 403 to an account that is neither \
             its owner nor a site collection administrator, and to everybody while the user is blocked. Migration \
             tools meet both, at the source and at the destination.",
        ja: "要求先は個人用サイトです。まだ作成されていないサイトは 404 を返します (ユーザーに OneDrive のライセンスがな\
             い、または一度も開いていない)。作成済みのサイトは、所有者でもサイト コレクション管理者でもないアカウント\
             に、またユーザーがブロックされている間はすべてのアカウントに 401 または 403 を返します。移行ツールでは移行\
             元・移行先のどちらでも起こります。",
    },
    remedy: Text {
        en: "Check that the user is not blocked and has a licence that includes OneDrive, then have the site made, \
             and give the migration account its rights (24 hours may pass):\n\
             Connect-SPOService -Url https://<tenant>-admin.sharepoint.com\n\
             Request-SPOPersonalSite -UserEmails '<UPN of the user>'\n\
             Get-SPOSite -IncludePersonalSite $true -Filter \"Url -like '-my.sharepoint.com/personal/'\"\n\
             Set-SPOUser -Site https://{host}/personal/<site> -LoginName '<migration account>' -IsSiteCollectionAdmin \
             $true",
        ja: "ユーザーがブロックされておらず OneDrive を含むライセンスを持つことを確認し、サイトを作成させ、移行アカウン\
             トに権限を与えます (反映に 24 時間かかることがあります)。\n\
             Connect-SPOService -Url https://<tenant>-admin.sharepoint.com\n\
             Request-SPOPersonalSite -UserEmails '<UPN of the user>'\n\
             Get-SPOSite -IncludePersonalSite $true -Filter \"Url -like '-my.sharepoint.com/personal/'\"\n\
             Set-SPOUser -Site https://{host}/personal/<site> -LoginName '<migration account>' -IsSiteCollectionAdmin \
             $true",
    },
    sources: &[
        "https://learn.microsoft.com/sharepoint/pre-provision-accounts",
        "https://learn.microsoft.com/powershell/module/sharepoint-online/request-spopersonalsite",
        "https://learn.microsoft.com/powershell/module/sharepoint-online/set-spouser",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 403, 404]).showing(Signs::SHARE_POINT.or(Signs::GRAPH)),
    supersedes: &["generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let (certainty, evidence) = if case.signs().has_any(Signs::GRAPH) { of_graph(case) } else { of_site(case) }?;
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_server());
    Some(hit.because(evidence).because(case.evidence_url()).naming("host", case.host_name()))
}

/// A personal site itself, by its address.
fn of_site(case: &Case<'_>) -> Option<(Certainty, Evidence)> {
    let inside = inside_personal_site(case.path())?;
    let personal = case.host().split('.').next().is_some_and(|first| first.ends_with("-my"));
    if !personal || !is_share_point(case) {
        return None;
    }
    match case.status()? {
        404 => {
            let of_site = is_about_the_site(inside);
            let missing = case.response_body().to_ascii_uppercase().contains("404 FILE NOT FOUND");
            let evidence = if missing { case.evidence_body(case.response_body()) } else { case.evidence_status() };
            // Within a site that is there an item can be missing; that it says so itself.
            let item = case.rest_error().is_some();
            match (of_site && !item, missing) {
                (true, true) => Some((Certainty::Certain, evidence)),
                (true, false) | (false, true) => Some((Certainty::Likely, evidence)),
                (false, false) => None,
            }
        }
        401 | 403 => {
            let session = case.request_header("cookie").is_some_and(|cookie| cookie.as_str().contains("FedAuth="));
            let sent = session || matches!(case.authorization(), Sent::Credential(sent) if *sent != Credential::Empty);
            let says_more = Refusal::of(case).is_some_and(|refusal| refusal.is_telling() || refusal.code.is_some())
                || Fault::of(case).is_some_and(|fault| fault != Fault::None);
            let demands = case.challenges().iter().any(|challenge| challenge.param("claims").is_some());
            let cookie = case.response_header("x-forms_based_auth_required").is_some();
            let plain = sent && !case.asks_for_oauth() && !says_more && !demands && !cookie;
            plain.then(|| (Certainty::Likely, case.evidence_status()))
        }
        _ => None,
    }
}

/// Microsoft Graph says it of a user's drive.
fn of_graph(case: &Case<'_>) -> Option<(Certainty, Evidence)> {
    let error = case.rest_error().filter(|error| error.says("mysite"))?;
    let known = ["not found", "unable to retrieve"].iter().any(|words| error.says(words));
    let text = case.response_body();
    let at = text.find(&error.message).filter(|_| known)?;
    let place = case.evidence_body(&text[at..at + error.message.len()]);
    Some((Certainty::Certain, Evidence { place: Place::ResponseBody, ..place }))
}

/// What follows `/personal/<user>/`, without its first slash.
fn inside_personal_site(path: &str) -> Option<&str> {
    let start = path.get(..10).filter(|start| start.eq_ignore_ascii_case("/personal/"))?;
    let rest = &path[start.len()..];
    let (user, inside) = rest.split_once('/').unwrap_or((rest, ""));
    (!user.is_empty()).then_some(inside)
}

/// The site, or an interface that every site has: that is missing only where the site is.
fn is_about_the_site(inside: &str) -> bool {
    let inside = inside.trim_end_matches('/').to_ascii_lowercase();
    let interface = [
        "_api/web",
        "_api/site",
        "_api/contextinfo",
        "_vti_bin/client.svc",
        "_vti_bin/sites.asmx",
        "_vti_bin/webs.asmx",
    ];
    inside.is_empty()
        || interface.contains(&inside.as_str())
        || inside.starts_with("_vti_bin/client.svc/")
        || inside.starts_with("_layouts/")
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::ExchangeAdmin)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the site was never made",
            found(Certainty::Certain),
            &[Raw::new(
                "GET https://contoso-my.sharepoint.com/personal/avery_contoso_com/_api/web\nAuthorization: Bearer {jwt \
                 aud=x}",
                "404 Not Found\nMicrosoftSharePointTeamServices: 16.0.0.25101\nContent-Type: text/plain; \
                 charset=utf-8\n\n404 FILE NOT FOUND",
            )],
        ),
        Example::fires(
            "a site in another cloud says nothing but 404",
            found(Certainty::Likely),
            &[Raw::new(
                "GET https://contoso-my.sharepoint.us/Personal/avery_contoso_us\nAuthorization: Bearer {jwt aud=x}",
                "404\nSPRequestGuid: 1",
            )],
        ),
        Example::fires(
            "the migration account has no rights there",
            found(Certainty::Likely),
            &[Raw::new(
                "GET https://contoso-my.sharepoint.com/personal/avery_contoso_com/_api/web\nAuthorization: Bearer {jwt \
                 aud=https://contoso-my.sharepoint.com}",
                "403\nContent-Type: application/json\n\n{\"odata.error\":{\"code\":\"-2147024891, \
                 System.UnauthorizedAccessException\",\"message\":{\"lang\":\"en-US\",\"value\":\"Access denied. You \
                 do not have permission to perform this action or access this resource.\"}}}",
            )],
        ),
        Example::fires(
            "Microsoft Graph finds no site of the user",
            found(Certainty::Certain),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/users/avery@contoso.com/drive\nAuthorization: Bearer {jwt aud=x}",
                "404\nContent-Type: application/json\n\n{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"User's \
                 mysite not found.\"}}",
            )],
        ),
        Example::silent(
            "a file is missing in a site that is there",
            &[Raw::new(
                "GET https://contoso-my.sharepoint.com/personal/avery_contoso_com/Documents/a.docx\nAuthorization: \
                 Bearer {jwt aud=x}",
                "404\nSPRequestGuid: 1",
            )],
        ),
        Example::silent(
            "the client only asks for the realm",
            &[Raw::new(
                "GET https://contoso-my.sharepoint.com/personal/avery_contoso_com/_vti_bin/client.svc\nAuthorization: \
                 Bearer",
                "401\nWWW-Authenticate: Bearer realm=\"1\",client_id=\"00000003-0000-0ff1-ce00-000000000000\"",
            )],
        ),
        Example::silent(
            "the token is refused for a reason of its own",
            &[Raw::new(
                "GET https://contoso-my.sharepoint.com/personal/avery_contoso_com/_api/web\nAuthorization: Bearer {jwt \
                 aud=x}",
                "401\nx-ms-diagnostics: 3000006;reason=\"Token contains invalid signature.\"",
            )],
        ),
        Example::silent(
            "a team site is missing",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/sites/x/_api/web\nAuthorization: Bearer {jwt aud=x}",
                "404\nContent-Type: text/plain\n\n404 FILE NOT FOUND",
            )],
        ),
    ];
}
