//! The old schemes are refused to a person whose tokens are taken: an authentication policy may block them.
//!
//! Exchange 2019 CU2 and later, and Exchange SE, have such policies; nothing in the answer says so. Not to be confused with
//! Exchange Online (`basic-retired-exo`), with credentials of an old scheme that were accepted at other times, and with
//! Extended Protection.

use crate::diagnosis::decode::exchange_build::Build;
use crate::diagnosis::person::upn_of;
use crate::diagnosis::{Actor, Bound, Case, Certainty, Evidence, Gate, Hit, Kind, Logon, Place, Rule, Sent, Signs};
use crate::redact::Credential;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "legacy-auth-blocked-policy",
    title: Text {
        en: "An authentication policy may block the old schemes for this user",
        ja: "認証ポリシーがこのユーザーの従来の方式をブロックしている可能性",
    },
    explanation: Text {
        en: "The server takes tokens of {user}, but refuses the same person by {scheme}, which the directory offers. \
             Since Exchange 2019 CU2 an authentication policy can block Basic, Digest, NTLM and Kerberos for each \
             protocol; the answer is then the same 401 as for a wrong password.",
        ja: "サーバーは {user} のトークンを受け付けますが、同じ人の {scheme} は、ディレクトリが提示しているにもかかわら\
             ず拒否します。Exchange 2019 CU2 以降では、認証ポリシーで基本認証、ダイジェスト、NTLM、Kerberos をプロトコ\
             ルごとにブロックでき、その応答はパスワードの誤りと同じ 401 です。",
    },
    remedy: Text {
        en: "Use modern authentication for this user. To see whether a policy is the reason:\n\
             Get-User '{upn}' | Format-List AuthenticationPolicy\n\
             Get-OrganizationConfig | Format-List DefaultAuthenticationPolicy\n\
             Get-AuthenticationPolicy | Format-List Name,BlockLegacyAuth*\n\
             If none applies, the password in the old scheme is wrong.",
        ja: "このユーザーには先進認証を使ってください。ポリシーが原因かどうかは次で確認します。\n\
             Get-User '{upn}' | Format-List AuthenticationPolicy\n\
             Get-OrganizationConfig | Format-List DefaultAuthenticationPolicy\n\
             Get-AuthenticationPolicy | Format-List Name,BlockLegacyAuth*\n\
             該当するポリシーがなければ、従来の方式で送ったパスワードの誤りです。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/plan-and-deploy/post-installation-tasks/security-best-practices/disable-legacy-authentication-methods",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS.or(Signs::BASIC).or(Signs::OTHER_SCHEME)),
    supersedes: &["ntlm-loop"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let Sent::Credential(credential) = case.authorization() else { return None };
    let (scheme, general) = match credential {
        Credential::Basic { .. } => ("Basic", "basic-bad-credentials"),
        Credential::Digest { .. } => ("Digest", "generic-bad-credentials"),
        Credential::Ntlm(_) => ("NTLM", "ntlm-rejected"),
        Credential::Negotiate(_) => ("Negotiate", "ntlm-rejected"),
        _ => return None,
    };
    // A binding to an interceptor explains more.
    let proof = Bound::of(case).is_some_and(|bound| !matches!(bound, Bound::Foreign | Bound::Hidden));
    let offered = case.challenges().is_empty() || case.challenge(scheme).is_some();
    if case.status() != Some(401) || !proof || !offered || case.goes_on() || !case.is_exchange() {
        return None;
    }
    let build = Build::of(case);
    let too_old = build.as_ref().is_some_and(|(build, _)| !build.has_authentication_policies());
    let person = case.past().windows(case.host()).map(|known| known.person(case.user())).unwrap_or_default();
    if too_old || case.is_exchange_online() || person.legacy {
        return None;
    }
    let sure = if build.is_some() { Certainty::Likely } else { Certainty::Possible };
    let hit = Hit::failure(sure, Actor::ExchangeAdmin).because(case.evidence_request("authorization"));
    let hit = build.map(|(_, evidence)| evidence).into_iter().fold(hit, Hit::because);
    let hit = hit.on(case.on_user()).or(general).naming("user", case.user().cloned());
    let hit = hit.naming("scheme", Some(scheme.into())).naming("upn", case.user().map(upn_of));
    match person.token {
        Some(exchange) => Some(hit.because(Evidence {
            exchange,
            place: Place::RequestHeader("authorization"),
            text: case.user().cloned()?,
        })),
        // The token may come later.
        None => Some(hit.once(Logon::token(case)?)),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const TOKEN: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=https://mail.contoso.com/ \
         upn=avery@contoso.com}",
        "200 OK\nX-FEServer: EX01",
    );
    const BASIC: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\avery:secret}",
        "401\nX-FEServer: EX01\nX-OWA-Version: 15.2.1748.39\nWWW-Authenticate: Basic realm=\"x\"",
    );

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a token was taken of the person whose password is refused",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[TOKEN, BASIC],
        ),
        Example::fires(
            "the same by NTLM, on a build that is not known",
            (Kind::Failure, Certainty::Possible, Actor::ExchangeAdmin),
            &[
                TOKEN,
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3bound avery}",
                    "401\nX-FEServer: EX01\nWWW-Authenticate: NTLM",
                ),
            ],
        ),
        Example::fires(
            "a token may be taken later",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[BASIC],
        )
        .withheld_so(),
        Example::silent(
            "the same person was let in with a password before",
            &[
                TOKEN,
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic \
                     CONTOSO\\avery:right}",
                    "200 OK",
                ),
                BASIC,
            ],
        ),
        Example::silent(
            "the build knows no such policies",
            &[
                TOKEN,
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\avery:x1}",
                    "401\nX-FEServer: EX01\nX-OWA-Version: 15.1.2507.55\nWWW-Authenticate: Basic realm=\"x\"",
                ),
            ],
        ),
    ];
}
