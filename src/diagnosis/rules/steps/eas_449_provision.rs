//! ActiveSync wants the device to take its policy first.
//!
//! Not to be confused with a block of the device (`eas-device-blocked`: a 403, or 129 and others inside the answer), nor
//! with an order to erase it (`eas-remote-wipe`: 140).

use crate::diagnosis::decode::activesync::Status;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Next, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "eas-449-provision",
    title: Text {
        en: "ActiveSync: the device must take the policy first", ja: "ActiveSync: 先にポリシーの適用が必要"
    },
    explanation: Text {
        en: "Status 449 tells the device to send the Provision command, because it has no policy key or an old one. \
             It does so twice, and repeats the request with the new X-MS-PolicyKey. From protocol 14.0 on the same \
             is said inside a 200 answer, by status 142 (no policy yet), 143 (the policy has changed) or 144 (the \
             key is wrong).",
        ja: "ステータス 449 は、ポリシー キーがない、または古いため、Provision コマンドを送るようデバイスに求めるも\
             のです。デバイスはこれを 2 回送り、新しい X-MS-PolicyKey を付けて要求を繰り返します。プロトコル 14.0 以\
             降では、同じことが 200 の応答の中のステータス 142 (ポリシーが未適用)、143 (ポリシーが変更された)、144 (キー\
             が正しくない) で伝えられます。",
    },
    remedy: Text {
        en: "Nothing to do. If 449 comes again after Provision, look at the mobile device mailbox policy: \
             Get-MobileDeviceMailboxPolicy | fl Name,AllowNonProvisionableDevices",
        ja: "対処は不要です。Provision の後も 449 が続く場合は、モバイル デバイス メールボックス ポリシーを確認して\
             ください: Get-MobileDeviceMailboxPolicy | fl Name,AllowNonProvisionableDevices",
    },
    sources: &["MS-ASHTTP section 2.2.2", "MS-ASPROV section 3.1.5", "MS-ASCMD section 2.2.2"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[200, 449]).showing(Signs::ACTIVE_SYNC.or(Signs::NO_HOST)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let evidence = if case.status() == Some(449) {
        // Outlook on the web has a 449 of its own.
        let unknown = case.path().is_empty() && case.response_header("x-owa-error").is_none();
        let active_sync = case.directory() == Some(Directory::ActiveSync) || unknown;
        active_sync.then(|| case.evidence_status())?
    } else {
        let status = Status::refusal(case).filter(|status| matches!(status.code, 142..=144))?;
        case.evidence_body(status.text)
    };
    let hit = Hit::step().on(case.on_server()).because(evidence).until(Next::Provision);
    let seen = case.exchange.request.seen().is_some();
    Some(if seen { hit.because(case.evidence_request("x-ms-policykey")) } else { hit })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the first FolderSync has no policy key",
            STEP,
            &[Raw::new(
                "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=FolderSync\nX-MS-PolicyKey: 0",
                "449 Retry after sending a PROVISION command\nMS-Server-ActiveSync: 15.2",
            )],
        ),
        Example::fires(
            "a newer protocol says it inside the answer",
            STEP,
            &[Raw::new(
                "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Sync\nX-MS-PolicyKey: 1307199584",
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x00\x45\x4e\x03144\x00\x01\x01",
            )],
        ),
        Example::silent(
            "the device is blocked",
            &[Raw::new(
                "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Sync",
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x00\x45\x4e\x03129\x00\x01\x01",
            )],
        ),
        Example::silent(
            "Outlook on the web wants another canary",
            &[Raw::new("", "449\nX-FEServer: EX01\nX-OWA-Error: Microsoft.Exchange.Clients.Owa2.CanaryException")],
        ),
        Example::silent(
            "another program uses the number",
            &[Raw::new("GET https://api.fabrikam.com/orders", "449 Retry With")],
        ),
    ];
}
