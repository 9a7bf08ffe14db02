//! Exchange Online refuses an ActiveSync version below 16.1.
//!
//! Not to be confused with a device that is blocked (`eas-device-blocked`) although it speaks 16.1, nor with servers of
//! one's own, which take the old versions.

use crate::diagnosis::decode::activesync::{Status, is_current, version};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule, Sent, Signs};
use crate::exchange::Timestamp;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "eas-version-blocked",
    title: Text {
        en: "Exchange Online refuses the old ActiveSync version {version}",
        ja: "Exchange Online が古い ActiveSync のバージョン {version} を拒否",
    },
    explanation: Text {
        en: "The device speaks ActiveSync {version}. Since 1 March 2026 Exchange Online takes 16.1 alone. The mail \
             program on the device is too old, or is one that was never brought up to 16.1. Outlook for iOS and \
             Android do not depend on it. Exchange servers of one's own are not affected.",
        ja: "デバイスは ActiveSync {version} を使っています。2026 年 3 月 1 日以降、Exchange Online は 16.1 以外を受\
             け付けません。デバイスのメール アプリが古いか、16.1 に対応していません。Outlook for iOS と Outlook for \
             Android には影響しません。オンプレミスの Exchange Server も対象外です。",
    },
    remedy: Text {
        en: "Update the device or its mail program, or use Outlook. To see who else is affected:\n\
             Get-MobileDevice -ResultSize Unlimited | Where-Object { $_.ClientType -eq 'EAS' -and \
             [version]$_.ClientVersion -lt [version]'16.1' } | ft UserDisplayName,DeviceModel,ClientVersion",
        ja: "デバイスまたはメール アプリを更新するか、Outlook を使います。ほかに影響を受けるユーザーは次のコマンドで\
             確認できます。\n\
             Get-MobileDevice -ResultSize Unlimited | Where-Object { $_.ClientType -eq 'EAS' -and \
             [version]$_.ClientVersion -lt [version]'16.1' } | ft UserDisplayName,DeviceModel,ClientVersion",
    },
    sources: &["Microsoft 365 message center MC1197103", "MS-ASCMD section 2.2.2"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[200, 400, 403, 405, 410, 426, 500, 501, 505]).showing(Signs::ACTIVE_SYNC),
    supersedes: &["eas-device-blocked"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// 1 March 2026, 00:00 UTC.
const SINCE: Timestamp = Timestamp::from_seconds(1_772_323_200);

fn find(case: &Case<'_>) -> Option<Hit> {
    let version = version(case)?;
    if !case.is_exchange_online() || is_current(version.as_str())? {
        return None;
    }
    let (certainty, evidence) = match Status::refusal(case) {
        Some(status) if status.code == 138 => (Certainty::Certain, case.evidence_body(status.text)),
        // AccessDenied and CommandNotSupported name no device: the version is what is known to be wrong.
        Some(status) if matches!(status.code, 130 | 137) && case.exchange.started >= SINCE => {
            (Certainty::Likely, case.evidence_body(status.text))
        }
        Some(_) => return None,
        None => {
            let refused = case.status().is_some_and(|status| status >= 400);
            let other_reason = case.response_header("x-caserrorcode").is_some() || case.diagnostics().is_some();
            let anonymous = matches!(case.authorization(), Sent::Absent);
            if !refused || other_reason || anonymous || case.exchange.started < SINCE {
                return None;
            }
            (Certainty::Likely, case.evidence_status())
        }
    };
    let asked = case.request_header("ms-asprotocolversion").is_some();
    let spoken = if asked {
        case.evidence_request("ms-asprotocolversion")
    } else {
        case.evidence(Place::RequestUrl, version.clone())
    };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_user()).because(spoken).because(evidence);
    Some(hit.naming("version", version))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Kind, Past};
    use crate::exchange::Timestamp;

    const OLD: &str = "POST https://outlook.office365.com/Microsoft-Server-ActiveSync?Cmd=FolderSync\
                       &User=avery@contoso.com&DeviceId=EXAMPLE01&DeviceType=PPC\nMS-ASProtocolVersion: 14.1\n\
                       Authorization: Bearer {jwt aud=https://outlook.office365.com/ upn=avery@contoso.com}";
    const REFUSED: &str = "403 Forbidden\nMS-Server-ActiveSync: 15.20\nX-FEServer: AM9P195CA0011";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "14.1 is refused by HTTP",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(OLD, REFUSED)],
        ),
        Example::fires(
            "the answer says so inside",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                OLD,
                "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                 \x03\x01\x6a\x00\x00\x07\x56\x4c\x03138\x00\x01\x01",
            )],
        ),
        Example::silent(
            "a device with 16.1 is refused",
            &[Raw::new(
                "POST https://outlook.office365.com/Microsoft-Server-ActiveSync?Cmd=FolderSync\n\
                 MS-ASProtocolVersion: 16.1\nAuthorization: Bearer {jwt aud=https://outlook.office365.com/}",
                REFUSED,
            )],
        ),
        Example::silent(
            "the server is one of the organisation",
            &[Raw::new(
                "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=FolderSync\n\
                 MS-ASProtocolVersion: 14.1\nAuthorization: Basic {basic avery:secret}",
                "403 Forbidden\nX-FEServer: EX01",
            )],
        ),
        Example::silent("an old device is let in", &[Raw::new(OLD, "200 OK\nX-FEServer: AM9P195CA0011")]),
    ];

    #[test]
    fn before_the_day_it_was_no_reason() {
        let mut exchange = exchanges(&[Raw::new(OLD, REFUSED)]).remove(0);
        exchange.started = Timestamp::parse("2026-02-28T23:59:59.000Z").unwrap();
        let find =
            |exchange: &_| (super::RULE.find)(&Case::new(exchange, &Past::default(), Capture::Imported)).is_some();
        assert!(!find(&exchange));
        exchange.started = Timestamp::parse("2026-03-01T00:00:00.000Z").unwrap();
        assert!(find(&exchange));
    }
}
