//! Entra interrupts an interactive sign-in to ask the user something.
//!
//! Not to be confused with the same numbers at the token endpoint or for an unattended tool, where nobody can answer.

use crate::diagnosis::refusal::GATE;
use crate::diagnosis::{Actor, Case, Certainty, Form, Hit, Kind, Rule};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-interrupt",
    title: Text {
        en: "Sign-in page: Entra ID asks the user something",
        ja: "サインイン ページ: Entra ID がユーザーに確認",
    },
    explanation: Text {
        en: "The number {code} is no error but an interruption of the sign-in page: choosing an account, staying \
             signed in, showing the device, single sign-on that was not possible. The browser goes on by itself or \
             after an answer.",
        ja: "番号 {code} はエラーではなく、サインイン ページの途中での確認です。アカウントの選択、サインイン状態の維\
             持、デバイスの提示、シングル サインオンができなかった場合などがあります。ブラウザーは自動的に、またはユ\
             ーザーの応答後に続行します。",
    },
    remedy: Text {
        en: "Nothing to do in a browser. A tool that runs without a user needs an account or app for which no such \
             question comes up.",
        ja: "ブラウザーでは対処は不要です。ユーザーなしで動くツールでは、このような確認が発生しないアカウントまたは\
             アプリを使ってください。",
    },
    sources: &["https://learn.microsoft.com/entra/identity-platform/reference-error-codes"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Nobody],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// No session with prompt=none, device, account pickers: where nobody sits before the page, these are failures.
const OF_PAGES: [u32; 4] = [50058, 50097, 16000, 16001];

/// Broker, keep me signed in, consent to the app's sign-in, seamless single sign-on: these are asked of persons alone.
const OF_PERSONS: [u32; 5] = [50127, 50140, 50199, 81006, 81012];

fn find(case: &Case<'_>) -> Option<Hit> {
    let said = case.aadsts().filter(|_| case.is_sign_in() || case.host().is_empty())?;
    let shown = said.is_interactive(case.request_header("user-agent").map(Clean::as_str));
    let hit = if shown && (said.is_any(&OF_PAGES) || said.is_any(&OF_PERSONS)) {
        Hit::step()
    } else if said.form == Form::Line && said.is_any(&OF_PERSONS) {
        Hit::likely_step()
    } else {
        return None;
    };
    let hit = hit.on(case.on_server()).because(case.evidence_aadsts());
    Some(hit.naming("code", said.number().map(Clean::from)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, LIKELY_STEP, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a page asks whether to stay signed in",
            STEP,
            &[Raw::new(
                "GET https://login.microsoftonline.com/common/oauth2/v2.0/authorize\nUser-Agent: Mozilla/5.0",
                "200 OK\nContent-Type: text/html\n\n<html><p>AADSTS50140: This error occurred due to 'Keep me \
                 signed in' interrupt.</p></html>",
            )],
        ),
        Example::silent(
            "an unattended tool meets the account picker",
            &[Raw::new(
                "GET https://login.microsoftonline.com/common/oauth2/v2.0/authorize\nUser-Agent: MigTool/4.2",
                "302 Found\nLocation: \
                 https://mig.contoso.com/cb?error=interaction_required&error_description=AADSTS16000%3A+Either",
            )],
        ),
        Example::fires(
            "a silent sign-in finds no session",
            STEP,
            &[Raw::new(
                "GET https://login.microsoftonline.com/common/oauth2/authorize?prompt=none\nUser-Agent: Mozilla/5.0",
                "302 Found\nLocation: \
                 https://portal.contoso.com/#error=login_required&error_description=AADSTS50058%3a+A+silent",
            )],
        ),
        Example::fires(
            "the line alone was copied",
            LIKELY_STEP,
            &[Raw::new("", "400\nContent-Type: text/plain\n\nAADSTS50140: Keep me signed in")],
        ),
        Example::silent(
            "at the token endpoint nobody can answer",
            &[Raw::new(
                "POST https://login.microsoftonline.com/common/oauth2/v2.0/token",
                "400\nContent-Type: application/json\n\n\
                 {\"error\":\"interaction_required\",\"error_description\":\"AADSTS50058: x\"}",
            )],
        ),
        Example::silent(
            "a blog quotes the number",
            &[Raw::new(
                "GET https://blog.fabrikam.com/\nUser-Agent: Mozilla/5.0",
                "200 OK\nContent-Type: text/html\n\n<p>AADSTS50140: explained</p>",
            )],
        ),
    ];
}
