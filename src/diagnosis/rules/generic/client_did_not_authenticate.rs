//! A server listed its schemes, and the client never came back with credentials.
//!
//! A weak hint, said only when the capture is over or the step was given up: a capture that ends early looks the same. Not to
//! be confused with a client that comes back on another connection or with another scheme.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule, Sent, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "client-did-not-authenticate",
    title: Text {
        en: "The client did not go on after the challenge",
        ja: "チャレンジの後、クライアントが認証に進んでいない",
    },
    explanation: Text {
        en: "The server named the schemes {schemes}, and nothing with credentials followed there in this capture. \
             The capture may merely end here. Else the client supports none of these schemes, has no credentials \
             for this name, was not allowed to send them (a zone of Windows, a policy), or somebody closed the \
             prompt.",
        ja: "サーバーは認証方式 {schemes} を提示しましたが、このキャプチャには資格情報を含む要求が続いていません。\
             単にキャプチャがここで終わっている可能性もあります。そうでない場合は、クライアントがどの方式にも対応し\
             ていない、この名前の資格情報を持っていない、送信を許可されていない (Windows のゾーンやポリシー)、また\
             は入力画面が閉じられたことが考えられます。",
    },
    remedy: Text {
        en: "Capture again until the user sees the error. If the client still sends nothing: compare the schemes \
             with those that the program supports; for Negotiate and NTLM put {host} into the intranet zone \
             (inetcpl.cpl, Security, Local intranet, Sites) or into the policy AuthServerAllowlist of the browser.",
        ja: "ユーザーにエラーが表示されるまでキャプチャし直します。それでも何も送られない場合は、提示された方式とプ\
             ログラムが対応する方式を比べます。Negotiate と NTLM では、{host} をイントラネット ゾーン (inetcpl.cpl \
             の [セキュリティ] > [ローカル イントラネット] > [サイト]) またはブラウザーのポリシー \
             AuthServerAllowlist に追加します。",
    },
    sources: &["RFC 9110 section 11.6.1"],
    kinds: &[Kind::Note],
    certainties: &[Certainty::Possible],
    actors: &[Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::ANONYMOUS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let challenges = case.challenges();
    let offers = !challenges.is_empty()
        && challenges.iter().all(|challenge| challenge.token.is_none() && challenge.param("error").is_none());
    let probe = case.authorization() == Sent::Absent && offers && case.diagnostics().is_none();
    probe.then(|| {
        let schemes = case.evidence_schemes();
        Hit::note(Certainty::Possible, Actor::Client)
            .on(case.on_server())
            .naming("host", case.host_name())
            .naming("schemes", schemes.text.clone())
            .because(schemes)
            .once(Next::Nothing)
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a probe",
            (Kind::Note, Certainty::Possible, Actor::Client),
            &[Raw::new(
                "GET https://erp.fabrikam.com/",
                "401\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        )
        .withheld_so(),
        Example::silent(
            "credentials were sent",
            &[Raw::new(
                "GET https://erp.fabrikam.com/\n\
                 Authorization: Basic {basic avery:x1}",
                "401\n\
                 WWW-Authenticate: Basic realm=\"x\"",
            )],
        ),
        Example::silent(
            "the request was not captured",
            &[Raw::new(
                "",
                "401\n\
                 WWW-Authenticate: Basic realm=\"x\"",
            )],
        ),
        Example::silent("nothing was offered", &[Raw::new("GET https://api.github.com/user", "401")]),
    ];
}
