//! The client sends no channel binding, to a server that may want one.
//!
//! Only possible, since a wrong password looks the same; likely once clients with bindings are let in there. Not to be
//! confused with a wrong binding (`ep-channel-binding`) or version 1, which has no place for one (`ntlmv1-refused`).

use crate::diagnosis::{
    Actor, Bound, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Logon, Place, Rule, Signs, Then,
};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ep-binding-missing",
    title: Text {
        en: "The client sends no channel binding", ja: "クライアントがチャネル バインドを送っていない"
    },
    explanation: Text {
        en: "The NTLM response of {user} has no channel binding, or sixteen zero bytes in its place. Where Extended \
             Protection is set to Require (/mapi, /rpc, /owa, /ecp and /api by Microsoft's recommendation) such a \
             logon is refused, whatever the password. Older Java and Apache HttpClient stacks, curl and some \
             appliances send none. Directories set to Allow accept it.",
        ja: "{user} の NTLM 応答にはチャネル バインドがないか、その位置が 16 バイトのゼロです。拡張保護が Require のデ\
             ィレクトリ (Microsoft の推奨では /mapi、/rpc、/owa、/ecp、/api) では、パスワードにかかわらず拒否されます。\
             古い Java や Apache HttpClient、curl、一部のアプライアンスは送りません。Allow のディレクトリでは受け付け\
             られます。",
    },
    remedy: Text {
        en: "Update the client, or use Bearer or Basic over TLS with it. Compare with a client that sends bindings \
             (Outlook, a browser, requests-ntlm). Show what the directory asks for:\n\
             Get-{cmdlet} | Format-Table Server,Name,ExtendedProtectionTokenChecking\n\
             As an exception, for this directory alone: Allow in the place of Require.",
        ja: "クライアントを更新するか、TLS 上の Bearer または基本認証を使います。バインドを送るクライアント (Outlook、\
             ブラウザー、requests-ntlm) と比べてください。ディレクトリの設定を確認します。\n\
             Get-{cmdlet} | Format-Table Server,Name,ExtendedProtectionTokenChecking\n\
             例外として、このディレクトリだけ Require の代わりに Allow にできます。",
    },
    sources: &["https://microsoft.github.io/CSS-Exchange/Security/Extended-Protection/", "MS-NLMP section 2.2.2.1"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS),
    supersedes: &["ntlm-rejected", "ntlm-loop", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.status() != Some(401) || case.goes_on() || Bound::of(case)? != Bound::Nothing || !is_tls(case) {
        return None;
    }
    let known = case.past().windows(case.host());
    if known.is_some_and(|known| known.took_unbound(case).is_some()) {
        return None;
    }
    let hit = match known.and_then(|known| known.took_bound(case)) {
        Some(exchange) => {
            let place = Place::RequestHeader("authorization");
            let evidence = Evidence { exchange, place, text: "accepted with a channel binding".into() };
            Hit::failure(Certainty::Likely, Actor::Client).because(evidence).or("ntlm-rejected")
        }
        None => Hit::failure(Certainty::Possible, Actor::Client)
            .or("ntlm-rejected")
            .later(Logon::bound(case), Then::AsSure(Certainty::Likely)),
    };
    let hit = hit.on(case.on_user()).because(case.evidence_request("authorization")).because(case.evidence_schemes());
    let directory = case.directory().unwrap_or(Directory::Mapi);
    Some(hit.naming("user", case.user().cloned()).naming("cmdlet", Some(directory.cmdlet().into())))
}

/// Without TLS there is nothing to bind to.
fn is_tls(case: &Case<'_>) -> bool {
    case.exchange.url.as_ref().is_some_and(|url| url.scheme().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const ZERO: Raw = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3zero avery}",
        "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
    );
    const POSSIBLE: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Possible, Actor::Client);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires("sixteen zero bytes", POSSIBLE, &[ZERO]),
        Example::fires(
            "no binding at all, inside Negotiate",
            POSSIBLE,
            &[Raw::new(
                "GET https://erp.fabrikam.com/\nAuthorization: Negotiate {ntlm3 avery}",
                "401\nWWW-Authenticate: Negotiate",
            )],
        ),
        Example::fires(
            "another client with a binding was let in",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[
                Raw::new("POST https://mail.contoso.com/mapi/nspi/\nAuthorization: NTLM {ntlm3bound blake}", "200 OK"),
                ZERO,
            ],
        ),
        Example::silent(
            "the directory let somebody in without a binding",
            &[Raw::new("POST https://mail.contoso.com/mapi/nspi/\nAuthorization: NTLM {ntlm3 blake}", "200 OK"), ZERO],
        ),
        Example::silent(
            "there is no TLS to bind to",
            &[Raw::new(
                "GET http://intranet.contoso.com/\nAuthorization: NTLM {ntlm3 avery}",
                "401\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "the client sends one",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3bound avery}",
                "401\nWWW-Authenticate: NTLM",
            )],
        ),
    ];
}
