//! ActiveSync sends the device to the server that holds the mailbox.
//!
//! Not to be confused with 451 of RFC 7725 (unavailable for legal reasons), which has no X-MS-Location.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "eas-451-redirect",
    title: Text {
        en: "ActiveSync: the mailbox is elsewhere", ja: "ActiveSync: メールボックスは別のサーバーにある"
    },
    explanation: Text {
        en: "Status 451 with X-MS-Location tells the device to use another address from now on: {target}. This \
             happens after a mailbox has been moved, for instance to Exchange Online.",
        ja: "X-MS-Location 付きのステータス 451 は、今後は別のアドレス {target} を使うようデバイスに求めるものです。\
             Exchange Online などへメールボックスを移動した後に起こります。",
    },
    remedy: Text {
        en: "Nothing to do. A device that does not follow needs its profile removed and set up again.",
        ja: "対処は不要です。転送に従わないデバイスでは、プロファイルを削除して設定し直してください。",
    },
    sources: &["MS-ASHTTP section 3.1.5.2.2"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[451]),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let target = case.response_header("x-ms-location")?;
    let (_, after) = target.as_str().split_once("://")?;
    let host = target.part(after.split(['/', ':']).next().unwrap_or(after)).lower();
    let hit = Hit::step().on(case.on_server()).because(case.evidence_header("x-ms-location"));
    Some(hit.naming("target", target.clone()).until(Next::Host(host)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the mailbox was moved to Exchange Online",
            STEP,
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync",
                "451\nX-MS-Location: https://outlook.office365.com/Microsoft-Server-ActiveSync",
            )],
        ),
        Example::silent(
            "a page is withheld for legal reasons",
            &[Raw::new("GET https://news.fabrikam.com/a", "451 Unavailable For Legal Reasons")],
        ),
    ];
}
