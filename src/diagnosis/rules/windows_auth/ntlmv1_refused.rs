//! The client answered with NTLM version 1 (or LM alone), and the server refused.
//!
//! Not to be confused with version 2 (`ntlm-rejected`), with an anonymous message, and with a server that is known to take
//! version 1.

use crate::diagnosis::{Actor, Bound, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ntlmv1-refused",
    title: Text { en: "The client uses NTLM version 1, which is refused", ja: "NTLMv1 の応答が拒否された" },
    explanation: Text {
        en: "The response of {user} has the 24 bytes of NTLM version 1 (or LM alone). Extended Protection always \
             refuses it, since it has no place for a channel binding, and so do domain controllers with \
             LmCompatibilityLevel 5 and Windows Server 2025, which no longer knows it. The password may be right.",
        ja: "{user} の応答は NTLM バージョン 1 の 24 バイト (または LM のみ) です。チャネル バインドを入れる場所がな\
             いため拡張保護では必ず拒否され、LmCompatibilityLevel が 5 のドメイン コントローラーや、NTLMv1 が廃止され\
             た Windows Server 2025 でも拒否されます。パスワードは正しい可能性があります。",
    },
    remedy: Text {
        en: "Make the client answer with version 2. Windows: LmCompatibilityLevel at least 3, better 5:\n\
             Get-ItemProperty HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Lsa -Name LmCompatibilityLevel\n\
             Set-ItemProperty HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Lsa -Name LmCompatibilityLevel -Value 5\n\
             Scanners, old Java programs and Samba have a setting of their own for NTLMv2, or need an update. Do not \
             lower the level on the server.",
        ja: "クライアントがバージョン 2 で応答するようにします。Windows では LmCompatibilityLevel を 3 以上 (推奨は 5) \
             にします。\n\
             Get-ItemProperty HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Lsa -Name LmCompatibilityLevel\n\
             Set-ItemProperty HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Lsa -Name LmCompatibilityLevel -Value 5\n\
             スキャナー、古い Java プログラム、Samba には NTLMv2 用の設定があるか、更新が必要です。サーバー側のレベル\
             を下げないでください。",
    },
    sources: &[
        "MS-NLMP section 3.3.1",
        "https://learn.microsoft.com/windows/security/threat-protection/security-policy-settings/network-security-lan-manager-authentication-level",
        "https://microsoft.github.io/CSS-Exchange/Security/Extended-Protection/",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS),
    supersedes: &["ntlm-rejected", "ntlm-loop", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.status() != Some(401) || case.goes_on() || Bound::of(case)? != Bound::Version1 {
        return None;
    }
    if case.past().windows(case.host()).is_some_and(|known| known.took_version1().is_some()) {
        return None;
    }
    let hit = Hit::failure(Certainty::Likely, Actor::Client).on(case.on_user()).naming("user", case.user().cloned());
    Some(hit.because(case.evidence_request("authorization")).because(case.evidence_schemes()).or("ntlm-rejected"))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const REFUSED: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3v1 scan}",
        "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
    );

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires("version 1 is refused", (Kind::Failure, Certainty::Likely, Actor::Client), &[REFUSED]),
        Example::silent(
            "the host took version 1 from somebody else",
            &[
                Raw::new("GET https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3v1 blake}", "200"),
                REFUSED,
            ],
        ),
        Example::silent(
            "version 2 is refused",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 scan}",
                "401\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "version 1 is let in",
            &[Raw::new("GET https://mail.contoso.com/EWS/\nAuthorization: NTLM {ntlm3v1 scan}", "200 OK")],
        ),
    ];
}
