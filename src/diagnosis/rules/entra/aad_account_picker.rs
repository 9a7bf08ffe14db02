//! Entra wants an account to be chosen, or a sign-in that was not there, and nobody is there who could.
//!
//! Not to be confused with the same numbers on a sign-in page with a person before it (`aad-interrupt`).

use crate::diagnosis::refusal::{GATE, Refused};
use crate::diagnosis::{Actor, Case, Certainty, Form, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-account-picker",
    title: Text {
        en: "Several accounts to choose from, and nobody chooses", ja: "複数のアカウントから選択できない"
    },
    explanation: Text {
        en: "Entra ID found no session, or more than one account that it could use, and wanted the user to choose. A \
             migration tool or service cannot: it shows no page. Cookies of several signed-in accounts, of a guest or \
             of a personal account beside the one meant lead there.",
        ja: "セッションがないか、使用できるアカウントが複数あるため、ユーザーによる選択が求められました。移行ツールや\
             サービスは画面を表示しないため、応答できません。複数のアカウントのサインイン、ゲスト アカウント、同名の個\
             人アカウントが原因になります。",
    },
    remedy: Text {
        en: "Give the tool an account of its own that is used nowhere else and exists in this tenant alone, let it \
             ask with login_hint=<UPN> and the tenant in the path instead of /common, and clear the cookies and \
             cached accounts of the profile it runs in. Best is app-only access, where there is no account to choose.",
        ja: "ツールには、ほかで使わず、このテナントにだけ存在する専用のアカウントを用意します。/common ではなくテナン\
             トを指定し、login_hint=<UPN> を付けて要求し、実行プロファイルの Cookie とキャッシュされたアカウントを消去\
             します。アカウント選択のないアプリ専用アクセスが最も確実です。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/msal-js-prompt-behavior",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client, Actor::MigrationTool],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Never a step of a healthy sign-in.
const CODES: [u32; 3] = [16002, 160_021, 50136];

/// Steps, where a person sits before the page.
const STEPS: [u32; 3] = [50058, 16000, 16001];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = Refused::of(case)?;
    let told = refused.said.is_any(&CODES);
    let asked = refused.said.is_any(&STEPS) && !refused.is_interactive();
    if !told && !asked {
        return None;
    }
    // Copied without its exchange, it may as well be a step of a sign-in page.
    let certainty = if refused.said.form == Form::Line { Certainty::Likely } else { Certainty::Certain };
    let hit = refused.failure(certainty, refused.caller());
    Some(if told || certainty == Certainty::Certain { hit } else { hit.or("aad-interrupt") })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a tool asks the sign-in page without showing it",
            (Kind::Failure, Certainty::Certain, Actor::MigrationTool),
            &[Raw::new(
                "GET https://login.microsoftonline.com/common/oauth2/v2.0/authorize?prompt=none\nUser-Agent: \
                 MigTool/4.2",
                "302 Found\nLocation: https://mig.contoso.com/cb?error=interaction_required&\
                 error_description=AADSTS16000%3A+Either+multiple+user+identities+are+available",
            )],
        ),
        Example::fires(
            "at the token endpoint",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                50058: "A silent sign-in request was sent but no user is signed in."
            )],
        ),
        Example::fires(
            "a page, of a number that is never a step",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[page_error!(160_021: "Application requested a user session which does not exist.")],
        ),
        Example::fires(
            "only the line was copied",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "",
                "400\nContent-Type: text/plain\n\nAADSTS16000: Either multiple user identities are available",
            )],
        ),
        Example::silent(
            "a person chooses on the page",
            &[page_error!(16000: "Either multiple user identities are available for the current request.")],
        ),
        Example::silent(
            "a browser asks silently",
            &[redirect_error!(50058: "A+silent+sign-in+request+was+sent+but+no+user+is+signed+in.")],
        ),
    ];
}
