//! Device code sign-in: the tool asks whether the user has finished, and the user has not.
//!
//! Not to be confused with a code that has expired or was declined.

use crate::diagnosis::refusal::GATE;
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Next, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "oauth-device-code-pending",
    title: Text {
        en: "Device code: the user has not signed in yet",
        ja: "デバイス コード: ユーザーがまだサインインしていない",
    },
    explanation: Text {
        en: "The tool shows a code that the user enters on another device, and asks for the token every few \
             seconds. Until the user has finished, each of these requests is answered with 400 and \
             authorization_pending.",
        ja: "ツールが表示したコードをユーザーが別のデバイスで入力し、その間ツールは数秒ごとにトークンを要求します。\
             ユーザーが終えるまで、各要求には 400 と authorization_pending が返されます。",
    },
    remedy: Text {
        en: "Nothing to do but finish the sign-in in the browser.",
        ja: "ブラウザーでサインインを終えてください。ほかの対処は不要です。",
    },
    sources: &["RFC 8628 section 3.5", "https://learn.microsoft.com/entra/identity-platform/reference-error-codes"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let said = case.aadsts()?;
    let waits = matches!(said.error.as_str(), "authorization_pending" | "slow_down") || said.code() == Some(70016);
    waits.then(|| Hit::step().on(case.on_server()).because(case.evidence_aadsts()).until(Next::Poll))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the tool polls",
            STEP,
            &[Raw::new(
                "POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
                "400\nContent-Type: application/json\n\n\
                 {\"error\":\"authorization_pending\",\"error_description\":\"AADSTS70016: Authorization is \
                 pending.\",\"error_codes\":[70016]}",
            )],
        ),
        Example::silent(
            "the code has expired",
            &[Raw::new(
                "POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
                "400\nContent-Type: application/json\n\n\
                 {\"error\":\"expired_token\",\"error_description\":\"AADSTS70019: Verification code \
                 expired.\",\"error_codes\":[70019]}",
            )],
        ),
    ];
}
