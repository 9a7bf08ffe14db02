//! AD FS refuses Windows authentication because it is bound to the certificate of a decrypting proxy.
//!
//! Not to be confused with a wrong password (`ntlm-rejected`), which looks the same when the binding is that of the
//! server's own certificate or absent, with the legs of a handshake that goes on, or with Exchange's own virtual
//! directories (`ep-channel-binding`).

use crate::diagnosis::{Actor, Capture, Case, Certainty, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::{Binding, Credential, Negotiate, NtlmMessage};
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
    supersedes: &["ntlm-rejected"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let goes_on = case.challenges().iter().any(|challenge| challenge.token.is_some());
    if !case.is_adfs() || goes_on {
        return None;
    }
    let decrypted_by_us = case.exchange.connection.presented.is_some();
    let by_whom = match case.capture() {
        Capture::Imported if !decrypted_by_us => Actor::CaptureTool,
        Capture::Imported | Capture::Live { .. } => Actor::ThisProxy,
    };
    let hit = match case.ntlm() {
        Some(NtlmMessage::Authenticate { binding, .. }) => match binding {
            Binding::Ours => Hit::failure(Certainty::Likely, Actor::ThisProxy),
            // Neither ours nor the server's, though both are known: somebody else decrypts between the client and us.
            Binding::Other if decrypted_by_us => Hit::failure(Certainty::Likely, Actor::Network),
            Binding::Other => Hit::failure(Certainty::Likely, by_whom),
            Binding::None | Binding::Zero | Binding::Server => return None,
        }
        .or("ntlm-rejected"),
        Some(_) => return None,
        None => match case.authorization() {
            // The binding of a ticket is encrypted.
            Sent::Credential(Credential::Negotiate(Negotiate::Kerberos { .. })) => {
                Hit::failure(Certainty::Possible, by_whom)
            }
            _ => return None,
        },
    };
    Some(
        hit.on(case.on_server())
            .naming("host", case.host_name())
            .because(case.evidence_request("authorization"))
            .because(case.evidence_schemes()),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::RULE;
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Kind, Past};
    use crate::exchange::Seen;
    use crate::redact::{Binding, Credential, Ntlm, NtlmMessage};

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

    #[test]
    fn the_binding_tells_whose_certificate_the_client_saw() {
        let raw = [Raw::new(
            "GET https://sts.fabrikam.com/adfs/ls/wia\nAuthorization: NTLM {ntlm3 avery}",
            "401\nWWW-Authenticate: NTLM",
        )];
        for (bound, actor) in [
            (Binding::Ours, Some(Actor::ThisProxy)),
            (Binding::Other, Some(Actor::CaptureTool)),
            (Binding::Server, None),
            (Binding::Zero, None),
        ] {
            let mut exchange = exchanges(&raw).remove(0);
            let Seen::Seen(request) = &mut exchange.request else { unreachable!() };
            for field in &mut request.fields {
                if let Some(Credential::Ntlm(Ntlm::Message(message))) = &mut field.credential
                    && let NtlmMessage::Authenticate { binding, .. } = &mut **message
                {
                    *binding = bound;
                }
            }
            let past = Past::default();
            let hit = (RULE.find)(&Case::new(&exchange, &past, Capture::Imported));
            assert_eq!(hit.map(|hit| hit.actor), actor, "{bound:?}");
        }
    }
}
