//! The certificate that the client shows in TLS did not reach Entra: somebody on the way ended TLS.
//!
//! Not to be confused with an assertion signed with a certificate (`aad-client-assertion-invalid`), which survives
//! decryption.

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Capture, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-client-certificate-lost",
    title: Text {
        en: "The client's TLS certificate did not reach Entra ID",
        ja: "クライアントの TLS 証明書が Entra ID に届いていない",
    },
    explanation: Text {
        en: "This sign-in is proved by a certificate in the TLS handshake (device, smart card, certificate-based \
             authentication). A proxy that decrypts TLS cannot pass it on, so {host} sees no certificate and refuses. \
             Without decryption the sign-in works.",
        ja: "このサインインは、TLS ハンドシェイク中の証明書 (デバイス、スマート カード、証明書ベースの認証) で証明され\
             ます。TLS を復号するプロキシは証明書を引き渡せないため、{host} には証明書が届かず、拒否されます。復号しな\
             ければ成功します。",
    },
    remedy: Text {
        en: "Pass the host through without decrypting it, together with the hosts that certificates are asked for at:\n\
             authtap --skip-decrypt {host} --skip-decrypt \"certauth.*\" --skip-decrypt \
             device.login.microsoftonline.com\n\
             In a capture of another tool switch its decryption off for these hosts; a firewall that inspects TLS \
             must leave them alone. AD FS asks for certificates on port 49443, too.",
        ja: "このホストと、証明書を要求するホストを復号せずに通します。\n\
             authtap --skip-decrypt {host} --skip-decrypt \"certauth.*\" --skip-decrypt \
             device.login.microsoftonline.com\n\
             ほかのツールでキャプチャした場合は、そのツールでこれらのホストの復号を無効にします。TLS を検査するファイ\
             アウォールでも除外が必要です。AD FS はポート 49443 でも証明書を要求します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/authentication/concept-certificate-based-authentication-tech\
         nical-deep-dive",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ThisProxy, Actor::CaptureTool, Actor::Network],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 1] = [50192];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    let (certainty, actor) = match case.capture() {
        Capture::Live { .. } | Capture::Replayed => (Certainty::Certain, Actor::ThisProxy),
        // Somebody copied the words alone; who decrypts cannot be seen.
        Capture::Imported if case.exchange.request.seen().is_none() => (Certainty::Likely, Actor::Network),
        Capture::Imported | Capture::Intercepted => (Certainty::Certain, Actor::CaptureTool),
    };
    Some(refused.failure(certainty, actor))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "in a trace of another tool",
            (Kind::Failure, Certainty::Certain, Actor::CaptureTool),
            &[token_error!(50192: "Invalid request - the client certificate was not found in the request.")],
        ),
        Example::fires(
            "in a live capture",
            (Kind::Failure, Certainty::Certain, Actor::ThisProxy),
            &[token_error!(50192: "Invalid request - the client certificate was not found in the request.")],
        )
        .live(),
        Example::fires(
            "only the answer was copied",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new("", "400\nContent-Type: text/plain\n\nAADSTS50192: Invalid Request")],
        ),
        Example::silent(
            "an assertion is not accepted",
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_assertion=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                700_027: "The certificate with identifier used to sign the client assertion is not registered on \
                          application."
            )],
        ),
    ];
}
