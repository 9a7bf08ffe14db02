//! A trace of another tool holds nothing of a host but tunnels that were not decrypted.
//!
//! Not to be confused with a tunnel whose insides stand in the same trace, with one that failed (`server-unreachable`,
//! `tls-trust-failure`), or with what this proxy passes on by its own list.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule};
use crate::exchange::Unseen;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "capture-not-decrypted",
    title: Text {
        en: "The trace does not look inside TLS for this host",
        ja: "トレースではこのホストの TLS が復号されていない",
    },
    explanation: Text {
        en: "Of {host} the trace holds nothing but tunnels (CONNECT): the tool that recorded it did not decrypt HTTPS, or \
             had the host on its list of exceptions. A tunnel that opens says only that the host was reached. What was \
             answered in it, a 401 too, cannot be known.",
        ja: "トレースにある {host} の記録はトンネル (CONNECT) だけです。記録したツールが HTTPS を復号していないか、このホストを\
             除外していました。トンネルが開いたことからわかるのは、ホストに到達したことだけです。その中の応答は、401 を含めて\
             わかりません。",
    },
    remedy: Text {
        en: "Record it again with decryption on, and have the client trust the tool's root certificate:\n\
             Fiddler Classic: Tools > Options > HTTPS > Decrypt HTTPS traffic; empty the list of skipped hosts.\n\
             Fiddler Everywhere: Settings > HTTPS > Trust root certificate, Capture HTTPS traffic.\n\
             mitmproxy: leave the host out of --ignore-hosts.\n\
             Or record with this program: authtap --only {host}",
        ja: "復号を有効にし、ツールのルート証明書をクライアントに信頼させて、記録し直してください。\n\
             Fiddler Classic: Tools > Options > HTTPS > Decrypt HTTPS traffic を有効にし、除外するホストの一覧を空にする\n\
             Fiddler Everywhere: Settings > HTTPS > Trust root certificate、Capture HTTPS traffic\n\
             mitmproxy: --ignore-hosts からホストを外す\n\
             または、このプログラムで記録する: authtap --only {host}",
    },
    sources: &[
        "RFC 9110 section 9.3.6",
        "https://docs.telerik.com/fiddler/configure-fiddler/tasks/decrypthttps",
        "https://docs.mitmproxy.org/stable/howto-ignoredomains/",
    ],
    kinds: &[Kind::Note],
    certainties: &[Certainty::Certain],
    actors: &[Actor::CaptureTool],
    gate: Gate::TUNNEL,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    (case.exchange.request.unseen() == Some(Unseen::NotDecrypted)).then(|| {
        Hit::note(Certainty::Certain, Actor::CaptureTool)
            .on(case.on_server())
            .naming("host", case.host_name())
            .because(case.evidence_url())
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};
    use crate::exchange::{FailureKind, Side, Step, Unseen};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "another tool recorded the tunnel alone",
            (Kind::Note, Certainty::Certain, Actor::CaptureTool),
            &[Raw::tunnel("CONNECT https://mail.contoso.com/", Unseen::NotDecrypted)],
        ),
        Example::silent(
            "this proxy has the host on its own list",
            &[Raw::tunnel("CONNECT https://enterpriseregistration.windows.net/", Unseen::SkippedHost)],
        )
        .live(),
        Example::silent(
            "the tunnel failed",
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Server,
                Step::Connect,
                FailureKind::Refused,
                "connection refused",
            )],
        ),
    ];
}
