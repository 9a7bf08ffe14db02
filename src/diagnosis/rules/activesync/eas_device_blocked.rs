//! Exchange knows who is asking, and does not let this device, or ActiveSync at all, in.
//!
//! Not to be confused with an old protocol version in Exchange Online (`eas-version-blocked`), a policy that the device
//! has yet to take (`eas-449-provision`), a wipe (`eas-remote-wipe`), a request without credentials, or a web filter on
//! the way.

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::decode::activesync::Status;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "eas-device-blocked",
    title: Text {
        en: "ActiveSync: this device or user is not allowed in",
        ja: "ActiveSync: デバイスまたはユーザーが許可されていない",
    },
    explanation: Text {
        en: "The credentials were accepted, and Exchange still refuses: {reason}. Behind it stands one of these: \
             the device is blocked or in quarantine by an access rule or for this user, ActiveSync is switched off \
             for the mailbox, the user has too many devices, or the device cannot fulfil the mailbox policy \
             (status 139, 141, 145). A new password changes none of them.",
        ja: "資格情報は受け入れられましたが、Exchange が拒否しています: {reason}。原因として、アクセス規則またはユー\
             ザー単位の設定によるデバイスのブロックや検疫、メールボックスでの ActiveSync の無効化、デバイス数の上限超\
             過、メールボックス ポリシーを満たせないデバイス (ステータス 139、141、145) が考えられます。パスワードを\
             変えても解決しません。",
    },
    remedy: Text {
        en: "See which of them it is:\n\
             Get-CASMailbox -Identity '{user}' | fl ActiveSync*\n\
             Get-MobileDevice -Mailbox '{user}' | ft DeviceType,DeviceId,DeviceAccessState,DeviceAccessStateReason\n\
             Get-ActiveSyncOrganizationSettings | fl DefaultAccessLevel\n\
             Get-ActiveSyncDeviceAccessRule | ft Name,QueryString,AccessLevel\n\
             Then allow the device, switch ActiveSync on, or remove devices no longer used:\n\
             Set-CASMailbox -Identity '{user}' -ActiveSyncEnabled $true\n\
             Set-CASMailbox -Identity '{user}' -ActiveSyncAllowedDeviceIDs @{Add='<DeviceId>'}\n\
             For a policy that the device cannot fulfil: Get-MobileDeviceMailboxPolicy | fl \
             Name,AllowNonProvisionableDevices",
        ja: "次のコマンドで原因を確認します。\n\
             Get-CASMailbox -Identity '{user}' | fl ActiveSync*\n\
             Get-MobileDevice -Mailbox '{user}' | ft DeviceType,DeviceId,DeviceAccessState,DeviceAccessStateReason\n\
             Get-ActiveSyncOrganizationSettings | fl DefaultAccessLevel\n\
             Get-ActiveSyncDeviceAccessRule | ft Name,QueryString,AccessLevel\n\
             そのうえで、デバイスを許可する、ActiveSync を有効にする、使っていないデバイスを削除する、のいずれかを行い\
             ます。\n\
             Set-CASMailbox -Identity '{user}' -ActiveSyncEnabled $true\n\
             Set-CASMailbox -Identity '{user}' -ActiveSyncAllowedDeviceIDs @{Add='<DeviceId>'}\n\
             デバイスがポリシーを満たせない場合: Get-MobileDeviceMailboxPolicy | fl \
             Name,AllowNonProvisionableDevices",
    },
    sources: &[
        "MS-ASCMD section 2.2.2",
        "https://learn.microsoft.com/en-us/exchange/clients/exchange-activesync/exchange-activesync",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 403]).showing(Signs::ACTIVE_SYNC.or(Signs::NO_HOST)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Disabled for the user, blocked, denied, account disabled, policy not fulfilled, too many devices.
const REFUSALS: [u16; 9] = [112, 126, 129, 130, 131, 139, 141, 145, 177];

fn find(case: &Case<'_>) -> Option<Hit> {
    let (certainty, reason, evidence) = match Status::refusal(case) {
        Some(status) if REFUSALS.contains(&status.code) => {
            (Certainty::Certain, status.words(), case.evidence_body(status.text))
        }
        Some(_) => return None,
        None => {
            let asked = case.signs().has_any(Signs::ACTIVE_SYNC) && !matches!(case.authorization(), Sent::Absent);
            let nameless = case.lacks_response_header("server") && case.response_body().is_empty();
            let written = by_exchange(case) || case.is_exchange() || nameless;
            if case.status() != Some(403) || !asked || !written {
                return None;
            }
            (Certainty::Likely, Clean::from("HTTP 403"), case.evidence_status())
        }
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_user()).because(evidence);
    let hit = hit.naming("reason", reason).naming("user", case.user().cloned());
    Some(match case.response_header("x-ms-aserror") {
        Some(_) => hit.because(case.evidence_header("x-ms-aserror")),
        None => hit,
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const SYNC: &str = "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Sync&User=avery@contoso.com\
                        &DeviceId=EXAMPLE01&DeviceType=iPhone\nMS-ASProtocolVersion: 16.1\n\
                        Authorization: Basic {basic CONTOSO\\avery:secret}";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the answer says that the device is blocked for this user",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                SYNC,
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x00\x45\x4e\x03129\x00\x01\x01",
            )],
        ),
        Example::fires(
            "the device cannot fulfil the policy",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                SYNC,
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x0e\x45\x4b\x03139\x00\x01\x01",
            )],
        ),
        Example::fires(
            "an older protocol says it by HTTP",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                SYNC,
                "403 Forbidden\nServer: Microsoft-IIS/10.0\nX-FEServer: EX01\nMS-Server-ActiveSync: 15.2",
            )],
        ),
        Example::silent(
            "the server only wants to know more of the device",
            &[Raw::new(
                SYNC,
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x00\x45\x4e\x03165\x00\x01\x01",
            )],
        ),
        Example::silent(
            "a web filter refuses",
            &[Raw::new(SYNC, "403 Forbidden\nServer: squid\nContent-Type: text/html\n\n<html>Access Denied</html>")],
        ),
        Example::silent(
            "nobody had signed in yet",
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync",
                "403 Forbidden\nServer: Microsoft-IIS/10.0\nX-FEServer: EX01",
            )],
        ),
    ];
}
