//! ActiveSync is told to slow down.
//!
//! Not to be confused with a web server that is simply down (503 without a word of ActiveSync), nor with throttling of
//! other protocols (`throttled`).

use crate::diagnosis::decode::activesync::{Status, is_answer};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "eas-throttled",
    title: Text {
        en: "ActiveSync: the server asks the device to slow down",
        ja: "ActiveSync: サーバーがデバイスに要求を減らすよう求めている",
    },
    explanation: Text {
        en: "The device or its user sends more than the server's throttling policy allows, or the server is too \
             busy: it answers 503 with Retry-After or X-MS-ASThrottle, or status 111 inside a 200. The device has to \
             wait ({wait}). A device that does not wait is throttled longer, and shows old mail or an error \
             meanwhile.",
        ja: "デバイスまたはユーザーの要求がサーバーの調整ポリシーの上限を超えたか、サーバーが混み合っています。サーバ\
             ーは Retry-After や X-MS-ASThrottle 付きの 503、または 200 の中のステータス 111 で応答します。デバイスは\
             待つ必要があります ({wait})。待たずに続けると調整が長引き、その間は古いメールやエラーが表示されます。",
    },
    remedy: Text {
        en: "Wait. If it comes again and again, look for a device that loops (a corrupt item, a folder that never \
             finishes) and for the policy:\n\
             Get-MobileDevice -Mailbox '{user}' | Get-MobileDeviceStatistics | ft \
             DeviceType,LastSyncAttemptTime,LastSuccessSync\n\
             Get-ThrottlingPolicy | fl Name,Eas*\n\
             Remove the account from the device and set it up again. Exchange Online's limits cannot be changed.",
        ja: "待ちます。繰り返す場合は、同期を繰り返し失敗しているデバイス (破損したアイテム、完了しないフォルダー) と\
             ポリシーを確認します。\n\
             Get-MobileDevice -Mailbox '{user}' | Get-MobileDeviceStatistics | ft \
             DeviceType,LastSyncAttemptTime,LastSuccessSync\n\
             Get-ThrottlingPolicy | fl Name,Eas*\n\
             デバイスからアカウントを削除して設定し直します。Exchange Online の上限は変更できません。",
    },
    sources: &[
        "MS-ASHTTP section 2.2.2",
        "MS-ASCMD section 2.2.2",
        "https://learn.microsoft.com/en-us/powershell/module/exchange/get-throttlingpolicy",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client, Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 429, 503]).showing(Signs::ACTIVE_SYNC.or(Signs::NO_HOST)),
    supersedes: &["throttled"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let throttle = case.response_header("x-ms-asthrottle").filter(|said| !said.as_str().is_empty());
    let hit = if throttle.is_some() {
        let hit = Hit::failure(Certainty::Certain, Actor::Client);
        hit.because(case.evidence_header("x-ms-asthrottle"))
    } else if let Some(status) = Status::refusal(case).filter(|status| status.code == 111) {
        Hit::failure(Certainty::Certain, Actor::ExchangeAdmin).because(case.evidence_body(status.text))
    } else {
        let busy = matches!(case.status(), Some(429 | 503)) && is_answer(case);
        let other_reason = case.response_header("x-autodiscovery-error").is_some();
        let spoken = case.is_exchange() && !other_reason && case.response_header("retry-after").is_some();
        (busy && spoken).then(|| Hit::failure(Certainty::Likely, Actor::Client).because(case.evidence_status()))?
    };
    let hit = hit.on(case.on_user()).naming("user", case.user().cloned());
    Some(match case.response_header("retry-after") {
        Some(wait) => hit.because(case.evidence_header("retry-after")).naming("wait", wait.clone()),
        None => hit,
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const SYNC: &str = "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Sync&User=avery@contoso.com\
                        &DeviceId=EXAMPLE01&DeviceType=iPhone\nMS-ASProtocolVersion: 14.1";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a header says which budget is used up",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(SYNC, "503 Service Unavailable\nx-ms-asthrottle: SyncCommands\nRetry-After: 300")],
        ),
        Example::fires(
            "the answer says inside that the device shall come later",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                SYNC,
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x00\x45\x4e\x03111\x00\x01\x01",
            )],
        ),
        Example::fires(
            "Exchange asks to wait without giving a reason",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(SYNC, "503 Service Unavailable\nX-FEServer: EX01\nRetry-After: 60")],
        ),
        Example::silent(
            "the site is down",
            &[Raw::new(SYNC, "503 Service Unavailable\nServer: Microsoft-HTTPAPI/2.0\nContent-Type: text/html")],
        ),
        Example::silent(
            "another service asks to wait",
            &[Raw::new("GET https://api.fabrikam.com/orders", "503 Service Unavailable\nRetry-After: 60")],
        ),
    ];
}
