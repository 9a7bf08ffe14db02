//! Nobody entered the device code in time, or it is not the one that was given.
//!
//! Not to be confused with a code that still waits for its user (`oauth-device-code-pending`).

use crate::diagnosis::refusal::{GATE, Refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-device-code-expired",
    title: Text { en: "The device code has expired", ja: "デバイス コードの有効期限が切れている" },
    explanation: Text {
        en: "The program showed a code that a person had to enter in a browser within 15 minutes. That did not \
             happen, was declined, or the program sent another code.",
        ja: "プログラムが表示したコードを 15 分以内にブラウザーで入力する必要がありましたが、入力されなかったか、拒否\
             されたか、別のコードが送られました。",
    },
    remedy: Text {
        en: "Start the sign-in again and enter the new code at https://microsoft.com/devicelogin at once, with the \
             account meant. If the page refuses there, a policy may block the device code flow (Conditional Access, \
             condition Authentication flows).",
        ja: "サインインをやり直し、新しいコードをすぐに https://microsoft.com/devicelogin で、意図したアカウントを使っ\
             て入力します。ページで拒否される場合は、条件付きアクセスの [認証フロー] の条件でデバイス コード フローが\
             ブロックされている可能性があります。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "RFC 8628 section 3.5",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::User],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 3] = [70019, 70018, 70020];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = Refused::of(case)?;
    let named = ["expired_token", "bad_verification_code", "authorization_declined"];
    let told = case.is_sign_in() && !case.is_adfs() && named.iter().any(|error| refused.said.error == *error);
    (told || refused.said.is_any(&CODES)).then(|| refused.failure(Certainty::Certain, Actor::User))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "nobody came in time",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[token_error!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&\
                 client_id=14d82eec-204b-4c2f-b7e8-296a70dab67e&device_code=x" =>
                70019: "Verification code expired. Have the user retry the sign-in."
            )],
        ),
        Example::fires(
            "the error is named without a number",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
                "400\nContent-Type: application/json\n\n{\"error\":\"expired_token\",\"error_description\":\"The code \
                 has expired.\"}",
            )],
        ),
        Example::silent(
            "another identity provider's code",
            &[Raw::new(
                "POST https://github.com/login/oauth/access_token",
                "400\nContent-Type: application/json\n\n{\"error\":\"expired_token\",\"error_description\":\"The \
                 device code has expired.\"}",
            )],
        ),
        Example::silent(
            "the code waits for its user",
            &[token_error!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&\
                 client_id=14d82eec-204b-4c2f-b7e8-296a70dab67e&device_code=x" =>
                70016: "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
            )],
        ),
    ];
}
