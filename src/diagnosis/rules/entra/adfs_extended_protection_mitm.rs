//! AD FS refuses Windows authentication because it is bound to the certificate of a decrypting proxy.
//!
//! Not to be confused with a wrong password (`ntlm-rejected`), which looks the same when the binding is that of the
//! server's own certificate or absent, with the legs of a handshake that goes on, or with Exchange's own virtual
//! directories (`ep-channel-binding`).

use crate::diagnosis::interception::{binder, interceptor};
use crate::diagnosis::{Actor, Bound, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "adfs-extended-protection-mitm",
    title: Text {
        en: "AD FS refuses Windows authentication through a decrypting proxy",
        ja: "復号するプロキシを経由した Windows 認証を AD FS が拒否している",
    },
    explanation: Text {
        en: "Extended Protection of AD FS binds Windows authentication to the TLS certificate that the client sees. \
             Through a decrypting proxy the client sees the proxy's certificate, so {host} refuses even right \
             credentials and the prompt comes back. Without the proxy this does not happen. A wrong password looks \
             alike.",
        ja: "AD FS の拡張保護は、クライアントから見える TLS 証明書に Windows 認証を結び付けます。復号するプロキシを\
             経由すると、クライアントにはプロキシの証明書が見えるため、資格情報が正しくても {host} は認証を拒否し、\
             入力が繰り返し求められます。プロキシがなければ起こりません。パスワードの誤りでも同じように見えます。",
    },
    remedy: Text {
        en: "Pass AD FS through without decrypting it:\n\
             authtap --skip-decrypt {host}\n\
             Only where its traffic must be read: on the primary AD FS server note the present value, set None for \
             the test, and restore the very value noted (not simply Allow):\n\
             $before = (Get-AdfsProperties).ExtendedProtectionTokenCheck\n\
             Set-AdfsProperties -ExtendedProtectionTokenCheck None\n\
             Set-AdfsProperties -ExtendedProtectionTokenCheck $before",
        ja: "AD FS を復号せずに通します。\n\
             authtap --skip-decrypt {host}\n\
             AD FS との通信を読む必要がある場合に限り、プライマリ AD FS サーバーで現在の値を控え、テストの間だけ \
             None にし、終わったら控えた値に戻します (一律に Allow にしないでください)。\n\
             $before = (Get-AdfsProperties).ExtendedProtectionTokenCheck\n\
             Set-AdfsProperties -ExtendedProtectionTokenCheck None\n\
             Set-AdfsProperties -ExtendedProtectionTokenCheck $before",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/powershell/module/adfs/set-adfsproperties",
        "RFC 5929 section 4",
        "MS-NLMP section 2.2.2.1",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::ThisProxy, Actor::CaptureTool, Actor::Network],
    gate: Gate::status(&[401]).showing(Signs::SIGN_IN),
    supersedes: &[
        "ep-channel-binding",
        "ep-binding-missing",
        "ntlm-loop",
        "ntlm-rejected",
        "kerberos-failure",
        "generic-bad-credentials",
    ],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let goes_on = case.goes_on();
    if !case.is_adfs() || goes_on {
        return None;
    }
    let took = case.past().windows(case.host());
    let by_whom = binder(case);
    let hit = match Bound::of(case)? {
        // A binding that was accepted there before is not what is wrong now.
        Bound::Foreign if took.is_some_and(|took| took.took_foreign(case).is_some()) => return None,
        Bound::Somehow if took.is_some_and(|took| took.took_bound(case).is_some()) => return None,
        Bound::Foreign | Bound::Somehow => Hit::failure(Certainty::Likely, by_whom).or("ntlm-rejected"),
        // The binding of a ticket is encrypted.
        Bound::Hidden if took.is_some_and(|took| took.took_ticket(case).is_some()) => return None,
        Bound::Hidden => match interceptor(case) {
            Some(actor) => Hit::failure(Certainty::Likely, actor),
            None if case.exchange.connection.presented.is_some() => return None,
            None => Hit::failure(Certainty::Possible, by_whom),
        }
        .or("kerberos-failure"),
        Bound::Right | Bound::Nothing | Bound::Version1 | Bound::Free => return None,
    };
    Some(
        hit.on(case.on_server())
            .naming("host", case.host_name())
            .because(case.evidence_request("authorization"))
            .because(case.evidence_schemes()),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the binding is that of a certificate unknown here",
            (Kind::Failure, Certainty::Likely, Actor::CaptureTool),
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/wia?\
                 client-request-id=77777777-0000-4000-8000-000000000001\n\
                 Authorization: NTLM {ntlm3bound avery}",
                "401\n\
                 Server: Microsoft-HTTPAPI/2.0\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::fires(
            "the same in a live capture, other letters",
            (Kind::Failure, Certainty::Likely, Actor::ThisProxy),
            &[Raw::new(
                "POST https://sts.fabrikam.com:443/ADFS/oauth2/authorize/WIA\n\
                 authorization: NTLM {ntlm3bound avery}",
                "401\nwww-authenticate: Negotiate, NTLM",
            )],
        )
        .live(),
        Example::fires(
            "a ticket is refused, whose binding nobody can read",
            (Kind::Failure, Certainty::Possible, Actor::CaptureTool),
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/wia?\
                 client-request-id=77777777-0000-4000-8000-000000000001\n\
                 Authorization: Negotiate {kerberos}",
                "401\n\
                 Server: Microsoft-HTTPAPI/2.0\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::fires(
            "bound to the certificate of this proxy",
            (Kind::Failure, Certainty::Likely, Actor::ThisProxy),
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/wia\nAuthorization: NTLM {ntlm3ours avery}",
                "401\nWWW-Authenticate: NTLM",
            )
            .decrypted()],
        )
        .live(),
        Example::fires(
            "a third one stands between the client and this proxy",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/wia\nAuthorization: NTLM {ntlm3bound avery}",
                "401\nWWW-Authenticate: NTLM",
            )
            .decrypted()],
        )
        .live(),
        Example::fires(
            "a ticket is refused where this proxy opened TLS",
            (Kind::Failure, Certainty::Likely, Actor::ThisProxy),
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/wia\nAuthorization: Negotiate {kerberos 18}",
                "401\nWWW-Authenticate: Negotiate",
            )
            .decrypted()],
        )
        .live(),
        Example::silent(
            "the same binding was let in before",
            &[
                Raw::new(
                    "GET https://sts.fabrikam.com/adfs/ls/wia\nAuthorization: NTLM {ntlm3ours blake}",
                    "302 Found\nLocation: https://login.microsoftonline.com/login.srf",
                )
                .decrypted(),
                Raw::new(
                    "GET https://sts.fabrikam.com/adfs/ls/wia\nAuthorization: NTLM {ntlm3ours avery}",
                    "401\nWWW-Authenticate: NTLM",
                )
                .decrypted(),
            ],
        ),
        Example::silent(
            "bound to the server's own certificate",
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/wia\nAuthorization: NTLM {ntlm3server avery}",
                "401\nWWW-Authenticate: NTLM",
            )
            .decrypted()],
        ),
        Example::silent(
            "the message carries no binding",
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/wia?\
                 client-request-id=77777777-0000-4000-8000-000000000001\n\
                 Authorization: NTLM {ntlm3 avery}",
                "401\n\
                 Server: Microsoft-HTTPAPI/2.0\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "the handshake goes on",
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/wia?\
                 client-request-id=77777777-0000-4000-8000-000000000001\n\
                 Authorization: NTLM {ntlm1}",
                "401\nServer: Microsoft-HTTPAPI/2.0\nWWW-Authenticate: NTLM {ntlm2}",
            )],
        ),
        Example::silent(
            "Exchange refuses, not AD FS",
            &[Raw::new(
                "POST https://mail.fabrikam.com/EWS/Exchange.asmx\n\
                 Authorization: NTLM {ntlm3bound avery}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
    ];
}
