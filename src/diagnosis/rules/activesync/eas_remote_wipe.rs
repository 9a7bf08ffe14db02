//! The server orders the device to erase itself.
//!
//! Not to be confused with a device that must take its policy first (`eas-449-provision`: 142, 143, 144), nor with one
//! that is blocked (`eas-device-blocked`).

use crate::diagnosis::decode::activesync::{Status, answers_with};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "eas-remote-wipe",
    title: Text {
        en: "REMOTE WIPE: the server orders this device to be erased",
        ja: "リモート ワイプ: サーバーがこのデバイスの消去を命じている",
    },
    explanation: Text {
        en: "The answer asks {device} to wipe itself. On its next Provision command the device receives the order \
             and deletes its data: the mail account, or everything on it, depending on the order and on the \
             program. Whoever uses the device may not know of it. An administrator, or the owner in Outlook on \
             the web, gave that order for this device, and it stands until it is cancelled.",
        ja: "この応答は {device} にワイプを求めています。デバイスは次の Provision コマンドで命令を受け取り、データを\
             削除します。削除されるのはメール アカウントだけの場合と、デバイス全体の場合があり、命令とアプリによって\
             異なります。利用者が知らないこともあります。命令は管理者、または Outlook on the web の所有者が出したも\
             ので、取り消すまで有効です。",
    },
    remedy: Text {
        en: "If the wipe is not wanted: switch the device off the network now, then cancel the order and see that \
             it is gone:\n\
             Get-MobileDevice -Mailbox '{user}' | Get-MobileDeviceStatistics | fl \
             DeviceType,DeviceId,Status,DeviceWipeSentTime,DeviceWipeAckTime\n\
             Clear-MobileDevice -Identity '<identity of the device>' -Cancel\n\
             Once DeviceWipeAckTime is set it is too late. If the wipe is wanted, there is nothing to do.",
        ja: "意図しないワイプの場合は、すぐにデバイスをネットワークから切り離し、命令を取り消して、消えたことを確認し\
             ます。\n\
             Get-MobileDevice -Mailbox '{user}' | Get-MobileDeviceStatistics | fl \
             DeviceType,DeviceId,Status,DeviceWipeSentTime,DeviceWipeAckTime\n\
             Clear-MobileDevice -Identity '<デバイスの Identity>' -Cancel\n\
             DeviceWipeAckTime に値がある場合はすでに手遅れです。意図したワイプであれば対処は不要です。",
    },
    sources: &[
        "MS-ASCMD section 2.2.2",
        "MS-ASPROV section 3.1.5.1.2",
        "https://learn.microsoft.com/en-us/powershell/module/exchange/clear-mobiledevice",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 449]).showing(Signs::ACTIVE_SYNC.or(Signs::NO_HOST)),
    supersedes: &["eas-449-provision", "eas-device-blocked"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const WIPES: [&str; 2] = ["RemoteWipe", "AccountOnlyRemoteWipe"];

fn find(case: &Case<'_>) -> Option<Hit> {
    let evidence = match Status::refusal(case).filter(|status| status.code == 140) {
        Some(status) => case.evidence_body(status.text),
        None => {
            let order = WIPES.iter().find(|name| answers_with(case, name))?;
            let body = case.response_body();
            case.evidence_body(&body[body.find(order)?..][..order.len()])
        }
    };
    let url = case.exchange.url.as_ref();
    let device = url.and_then(|url| {
        let pair = url.query()?.split('&').find_map(|pair| pair.strip_prefix("DeviceId="))?;
        Some(url.text().part(pair).percent_decoded())
    });
    let hit = Hit::failure(Certainty::Certain, Actor::ExchangeAdmin).on(case.on_user()).because(evidence);
    Some(hit.naming("device", device).naming("user", case.user().cloned()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const SYNC: &str = "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=avery@contoso.com\
                        &DeviceId=EXAMPLE01&DeviceType=iPhone\nMS-ASProtocolVersion: 16.1";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "FolderSync is answered with status 140",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                SYNC,
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x07\x56\x4c\x03140\x00\x01\x01",
            )],
        ),
        Example::fires(
            "Provision is answered with the order itself",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Provision&User=avery@contoso.com\
                 &DeviceId=EXAMPLE01&DeviceType=iPhone",
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x0e\x45\x4b\x031\x00\x01\x0c\x01",
            )],
        ),
        Example::silent(
            "the device must take its policy",
            &[Raw::new(
                SYNC,
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x07\x56\x4c\x03142\x00\x01\x01",
            )],
        ),
        Example::silent(
            "the number stands in another web service",
            &[Raw::new(
                "GET https://api.fabrikam.com/orders",
                "200 OK\nContent-Type: text/xml\n\n<Order><Status>140</Status></Order>",
            )],
        ),
    ];
}
