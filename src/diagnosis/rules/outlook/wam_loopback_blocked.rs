//! Outlook was told where to sign in, nothing reached a sign-in host, and Outlook asks the server again without a token:
//! Windows keeps its sign-in component off a proxy on this machine.
//!
//! Likely only, and only for a capture of our own on Windows that listens on loopback. Not to be confused with a sign-in
//! host that was asked and could not be reached (`aad-unreachable`).

use crate::diagnosis::{Actor, Capture, Case, Certainty, Evidence, Gate, Hit, Kind, Next, Place, Rule, Sent, Signs};
use crate::redact::{Credential, NtlmMessage};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "wam-loopback-blocked",
    title: Text {
        en: "Windows keeps the sign-in of Outlook off this proxy",
        ja: "Windows が Outlook のサインインをこのプロキシに接続させていない",
    },
    explanation: Text {
        en: "{host} told the client where to sign in, and no request to any sign-in host came through this proxy; \
             the client asks again without a token. Outlook signs in through the Web Account Manager of Windows. \
             That component runs in an AppContainer, and Windows does not let it connect to a proxy on the loopback \
             address unless it is exempted. Without this capture the sign-in probably works.",
        ja: "{host} はサインイン先を示しましたが、サインイン用ホストへの要求がこのプロキシに届かないまま、クライアント\
             はトークンなしで再び要求しています。Outlook は Windows の Web アカウント マネージャー (WAM) でサインインし\
             ます。WAM は AppContainer で動作し、除外設定をしない限り、Windows はループバック アドレスのプロキシへの接続\
             を許可しません。このキャプチャをしていなければ、サインインは成功すると考えられます。",
    },
    remedy: Text {
        en: "Exempt the component, in an elevated prompt, and sign in again:\n\
             CheckNetIsolation LoopbackExempt -a -n=Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy\n\
             For a personal account also Microsoft.Windows.CloudExperienceHost_cw5n1h2txyewy. Afterwards:\n\
             CheckNetIsolation LoopbackExempt -d -n=Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy",
        ja: "管理者のコマンド プロンプトで除外を設定し、もう一度サインインします。\n\
             CheckNetIsolation LoopbackExempt -a -n=Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy\n\
             個人アカウントの場合は Microsoft.Windows.CloudExperienceHost_cw5n1h2txyewy も設定します。調査が終わったら\
             元に戻します。\n\
             CheckNetIsolation LoopbackExempt -d -n=Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/windows/win32/secauthz/appcontainer-isolation",
        "https://techcommunity.microsoft.com/t5/core-infrastructure-and-security/diagnosing-network-isolation-issues/ba-p/2511562",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::EXCHANGE),
    supersedes: &["aad-unreachable", "hma-empty-bearer", "hs-anonymous-probe", "client-no-bearer"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.capture() != (Capture::Live { loopback: true, windows: true }) {
        return None;
    }
    let asked = case.past().awaited_sign_in(case.host(), case.path())?;
    let goes_on = matches!(case.ntlm(), Some(NtlmMessage::Negotiate { .. })) || case.goes_on();
    let without_token = match case.authorization() {
        Sent::Absent => true,
        Sent::Credential(Credential::Basic { .. } | Credential::Ntlm(_) | Credential::Negotiate(_)) => !goes_on,
        _ => case.asks_for_oauth(),
    };
    without_token.then(|| {
        let uri = case.past().authorization_uri(case.host()).cloned().unwrap_or_else(|| "".into());
        let told = Evidence { exchange: asked, place: Place::ResponseHeader("www-authenticate"), text: uri };
        let hit = Hit::failure(Certainty::Likely, Actor::Client).on(case.on_server()).because(told);
        let hit = hit.because(case.evidence_request("authorization")).naming("host", case.host_name());
        hit.until(Next::Issuer).unless(Next::Issuer)
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};
    use crate::exchange::{FailureKind, Side, Step};

    const ASKED: Raw = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Bearer",
        "401\nX-FEServer: EX01\nWWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
         WWW-Authenticate: Negotiate",
    );
    const AGAIN: Raw = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/",
        "401\nX-FEServer: EX01\nWWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
         WWW-Authenticate: Negotiate",
    );

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Outlook asks for OAuth again, and nobody went to sign in",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[ASKED, ASKED],
        )
        .live(),
        Example::fires(
            "Outlook asks again without anything",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[ASKED, AGAIN],
        )
        .live(),
        Example::silent("it is the first challenge", &[ASKED]).live(),
        Example::silent("the capture is another tool's, or on another system", &[ASKED, ASKED]),
        Example::silent(
            "the sign-in host was asked and could not be reached",
            &[
                ASKED,
                Raw::failed(
                    "CONNECT https://login.microsoftonline.com/",
                    Side::Server,
                    Step::Connect,
                    FailureKind::TimedOut,
                    "no answer",
                )
                .on(2),
                AGAIN,
            ],
        )
        .live(),
        Example::silent(
            "the client has a token",
            &[
                ASKED,
                Raw::new(
                    "POST https://mail.contoso.com/mapi/emsmdb/\n\
                     Authorization: Bearer {jwt aud=https://mail.contoso.com/}",
                    "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate",
                ),
            ],
        )
        .live(),
    ];
}
