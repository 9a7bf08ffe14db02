//! The device cannot prove itself: its key, its registration or its state in the tenant.
//!
//! Not to be confused with a policy that asks for a better device (`aad-conditional-access`), or a certificate that a
//! proxy lost (`aad-client-certificate-lost`).

use crate::diagnosis::refusal::{GATE, Refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-device-state",
    title: Text { en: "The device's registration is broken", ja: "デバイスの登録に問題がある" },
    explanation: Text {
        en: "The sign-in rests on the device (primary refresh token, Windows Hello, work account in Windows), and \
             Entra ID does not accept its proof: the device was deleted or disabled in the tenant, its key in the TPM \
             was lost (new board, reset, restored image), or its registration is half done. Outlook and Office then \
             prompt again and again.",
        ja: "サインインがデバイス (プライマリ更新トークン、Windows Hello、Windows の職場アカウント) に基づいていますが\
             、その証明が受け入れられませんでした。テナントでデバイスが削除または無効化された、TPM の鍵が失われた (基\
             板交換、リセット、イメージの復元)、または登録が不完全なことが原因です。Outlook や Office で繰り返しサイン\
             インを求められます。",
    },
    remedy: Text {
        en: "On the device:\n\
             dsregcmd /status\n\
             Look at AzureAdJoined, DeviceAuthStatus, TpmProtected and AzureAdPrt. Is it in the tenant, and enabled?\n\
             Connect-MgGraph -Scopes Device.Read.All\n\
             Get-MgDevice -Filter \"displayName eq '<computer>'\" | Format-List \
             DeviceId,AccountEnabled,TrustType,ApproximateLastSignInDateTime\n\
             If not, register it anew: hybrid joined with dsregcmd /leave and a restart; else disconnect and connect \
             the work account in Settings > Accounts. Device authentication does not survive decryption: \
             enterpriseregistration.windows.net and device.login.microsoftonline.com must pass untouched.",
        ja: "デバイスで次を実行します。\n\
             dsregcmd /status\n\
             AzureAdJoined、DeviceAuthStatus、TpmProtected、AzureAdPrt を確認します。テナントに存在し、有効かも確認し\
             ます。\n\
             Connect-MgGraph -Scopes Device.Read.All\n\
             Get-MgDevice -Filter \"displayName eq '<computer>'\" | Format-List \
             DeviceId,AccountEnabled,TrustType,ApproximateLastSignInDateTime\n\
             問題があれば登録し直します。ハイブリッド参加の場合は dsregcmd /leave の後に再起動し、それ以外は [設定] > \
             [アカウント] で職場アカウントを切断して接続し直します。デバイス認証は復号すると失敗するため、\
             enterpriseregistration.windows.net と device.login.microsoftonline.com は復号せずに通します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/devices/troubleshoot-device-dsregcmd",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Failed, key, disabled; not joined, failed in the browser, not found.
const CODES: [u32; 6] = [50187, 135_010, 135_011, 50129, 50155, 700_003];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = Refused::of(case)?;
    // On a sign-in page the question for the device is a step; nobody answers it at the token endpoint.
    let asked = refused.said.is_any(&[50097]) && !refused.is_interactive();
    (asked || refused.said.is_any(&CODES)).then(|| refused.failure(Certainty::Certain, Actor::Client))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "device authentication failed",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                50187: "The service failed to perform device authentication."
            )],
        ),
        Example::fires(
            "the key was lost",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                135_011: "Device used during the authentication is disabled."
            )],
        ),
        Example::fires(
            "the device is asked for where nobody can show it",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                50097: "Device authentication is required."
            )],
        ),
        Example::silent(
            "a sign-in page asks for the device",
            &[page_error!(50097: "Device authentication is required.")],
        ),
        Example::silent(
            "a policy wants another device",
            &[token_error!(53000: "Your device is required to be managed to access this resource.")],
        ),
    ];
}
