//! Extended Protection refuses Windows authentication because it is bound to the certificate of an interceptor.
//!
//! NTLM shows what it is bound to. In a Kerberos ticket the binding is encrypted; there the certificates, the directory and
//! the server's build speak. Not to be confused with a wrong password (`ntlm-rejected`), which looks the same the first
//! time, with a binding to the server's own certificate (`ep-channel-binding-network`) or without one
//! (`ep-binding-missing`), and with AD FS (`adfs-extended-protection-mitm`).

use crate::diagnosis::decode::exchange_build::Build;
use crate::diagnosis::interception::{binder, interceptor};
use crate::diagnosis::{
    Actor, Bound, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Logon, Place, Rule, Signs, Then,
};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ep-channel-binding",
    title: Text {
        en: "Extended Protection refuses logons through this interception",
        ja: "拡張保護が TLS 傍受経由の Windows 認証を拒否",
    },
    explanation: Text {
        en: "With Extended Protection, Windows authentication carries a channel binding: a hash of the certificate \
             that the client saw. Through a decrypting proxy that is the proxy's certificate, not the server's, so \
             {host} refuses right credentials too. The binding is signed by the client; no proxy can mend it. \
             Exchange 2019 CU14 (15.2.1544.4) and later, and Exchange SE, have it on by default; earlier versions \
             since the August 2022 security update where it was switched on. It covers /mapi, /rpc, /owa, /ecp and \
             /api (Require), /EWS, /OAB and ActiveSync (Allow, which still refuses a wrong binding), not Autodiscover. \
             Bearer and Basic are not affected. A first wrong password looks the same.",
        ja: "拡張保護では、Windows 認証にチャネル バインド (クライアントから見えた証明書のハッシュ) が含まれます。復\
             号するプロキシを経由すると、それはサーバーではなくプロキシの証明書になるため、正しい資格情報でも {host} \
             は拒否します。バインドはクライアントが署名しており、プロキシでは直せません。Exchange 2019 CU14 \
             (15.2.1544.4) 以降と Exchange SE では既定で有効、それ以前は 2022 年 8 月のセキュリティ更新以降で有効化し\
             た場合に働きます。対象は /mapi、/rpc、/owa、/ecp、/api (Require) と /EWS、/OAB、ActiveSync (Allow。誤っ\
             たバインドは拒否) で、Autodiscover は対象外です。Bearer と基本認証には影響しません。最初のパスワードの誤\
             りも同じように見えます。",
    },
    remedy: Text {
        en: "Pass the host through without decrypting it; the logon then works:\n\
             authtap --skip-decrypt {host}\n\
             To read its traffic all the same, give this proxy the server's own certificate with its key:\n\
             authtap --server-cert {host}=<certificate and key>\n\
             Or test with Bearer. On Exchange, in a laboratory only: read the value of the directory, set None, and put \
             back the value read:\n\
             Get-{cmdlet} | Format-Table Server,Name,ExtendedProtectionTokenChecking",
        ja: "そのホストを復号せずに通せばログオンできます。\n\
             authtap --skip-decrypt {host}\n\
             それでも通信を読む必要がある場合は、サーバー自身の証明書と秘密キーをこのプロキシに渡します。\n\
             authtap --server-cert {host}=<証明書と秘密キー>\n\
             または Bearer で試してください。Exchange では検証環境に限り、ディレクトリの現在の値を控えて None にし、\
             終わったら控えた値に戻します。\n\
             Get-{cmdlet} | Format-Table Server,Name,ExtendedProtectionTokenChecking",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/plan-and-deploy/post-installation-tasks/security-best-practices/exchange-extended-protection",
        "https://microsoft.github.io/CSS-Exchange/Security/Extended-Protection/",
        "RFC 5929 section 4",
        "MS-NLMP section 2.2.2.1",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely, Certainty::Possible],
    actors: &[Actor::ThisProxy, Actor::CaptureTool, Actor::Network],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS),
    supersedes: &["mrsproxy-unauthorized", "ntlm-rejected", "ntlm-loop", "kerberos-failure", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.status() != Some(401) || case.goes_on() || case.is_adfs() {
        return None;
    }
    let hit = match Bound::of(case)? {
        Bound::Foreign => of_ntlm(case)?,
        Bound::Hidden => of_ticket(case)?,
        _ => return None,
    };
    let hit = hit.on(case.on_user()).because(case.evidence_request("authorization"));
    let hit = hit.because(case.evidence_schemes()).naming("host", case.host_name());
    let directory = case.directory().unwrap_or(Directory::Mapi);
    Some(hit.naming("cmdlet", Some(directory.cmdlet().into())))
}

fn of_ntlm(case: &Case<'_>) -> Option<Hit> {
    let known = case.past().windows(case.host());
    if known.is_some_and(|known| known.took_foreign(case).is_some()) {
        return None;
    }
    let actor = binder(case);
    let let_in = known.and_then(|known| known.person(case.user()).let_in);
    let hit = match (let_in, actor) {
        // Neither certificate known here: whose it is, is a guess.
        (_, Actor::Network) => Hit::failure(Certainty::Possible, actor),
        (Some(exchange), _) => Hit::failure(Certainty::Certain, actor).because(Evidence {
            exchange,
            place: Place::RequestHeader("authorization"),
            text: case.user().cloned().unwrap_or_else(|| "".into()),
        }),
        (None, _) => Hit::failure(Certainty::Likely, actor)
            .later(Logon::unhindered(case), Then::AsSure(Certainty::Certain))
            .or("ntlm-rejected"),
    };
    Some(hit.later(Logon::foreign(case), Then::Retracted))
}

/// Exchange asks for the right binding on nearly all of its directories where its build has that as the default.
fn of_ticket(case: &Case<'_>) -> Option<Hit> {
    let actor = interceptor(case)?;
    let known = case.past().windows(case.host());
    let directory =
        case.directory().filter(|found| !matches!(found, Directory::Autodiscover | Directory::PowerShell))?;
    if !case.is_exchange() || known.is_some_and(|known| known.took_ticket(case).is_some()) {
        return None;
    }
    let build = Build::of(case);
    let by_default = build.as_ref().is_some_and(|(build, _)| build.has_extended_protection());
    let certainty = if by_default { Certainty::Likely } else { Certainty::Possible };
    let hit = Hit::failure(certainty, actor).or("kerberos-failure").later(Logon::ticket(case), Then::Retracted);
    let hit = build.map(|(_, evidence)| evidence).into_iter().fold(hit, Hit::because);
    Some(hit.because(case.evidence(Place::RequestUrl, directory.path())))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const OURS: Raw = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3ours avery}",
        "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
    )
    .decrypted();
    const TICKET: Raw = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Negotiate {kerberos 18}",
        "401\nX-FEServer: EX01\nX-OWA-Version: 15.2.1544.11\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
    );
    const LIKELY: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Likely, Actor::ThisProxy);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires("the client is bound to our certificate", LIKELY, &[OURS]).live(),
        Example::fires(
            "the same inside Negotiate, in the capture of another tool, on a server that is no Exchange",
            (Kind::Failure, Certainty::Likely, Actor::CaptureTool),
            &[Raw::new(
                "GET https://erp.fabrikam.com/\nauthorization: negotiate {ntlm3ours avery}",
                "401\nwww-authenticate: Negotiate, NTLM",
            )],
        ),
        Example::fires(
            "a tool opened TLS whose certificate is not in its file",
            (Kind::Failure, Certainty::Likely, Actor::CaptureTool),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3bound avery}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: NTLM",
            )],
        )
        .intercepted(),
        Example::fires(
            "the same person was let in with a password",
            (Kind::Failure, Certainty::Certain, Actor::ThisProxy),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic \
                     avery@contoso.com:right}",
                    "200 OK",
                ),
                OURS,
            ],
        )
        .live(),
        Example::fires(
            "Autodiscover, which has no Extended Protection, took the same binding",
            LIKELY,
            &[
                Raw::new(
                    "POST https://mail.contoso.com/autodiscover/autodiscover.xml\nAuthorization: NTLM {ntlm3ours \
                     avery}",
                    "200 OK",
                )
                .decrypted(),
                OURS,
            ],
        )
        .live(),
        Example::fires("a ticket on a build that has it on by default", LIKELY, &[TICKET.decrypted()]).live(),
        Example::fires(
            "the binding is of a third certificate",
            (Kind::Failure, Certainty::Possible, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3bound avery}",
                "401\nWWW-Authenticate: NTLM",
            )
            .decrypted()],
        )
        .live(),
        Example::silent("a ticket, and nobody opened TLS", &[TICKET]).live(),
        Example::silent(
            "a ticket, and Autodiscover has no Extended Protection",
            &[Raw::new(
                "POST https://mail.contoso.com/Autodiscover/Autodiscover.xml\nAuthorization: Negotiate {kerberos 18}",
                "401\nX-FEServer: EX01\nX-OWA-Version: 15.2.1544.11\nWWW-Authenticate: Negotiate",
            )
            .decrypted()],
        )
        .live(),
        Example::silent(
            "a foreign binding was accepted before",
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3ours blake}",
                    "200 OK",
                )
                .decrypted(),
                OURS,
            ],
        )
        .live(),
        Example::silent(
            "the binding is of a certificate of which nothing is known",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3bound avery}",
                "401\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "the binding is the server's own",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3server avery}",
                "401\nWWW-Authenticate: NTLM",
            )
            .decrypted()],
        )
        .live(),
    ];
}
