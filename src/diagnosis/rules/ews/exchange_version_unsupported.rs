//! The server is too old for what is asked of it.
//!
//! Not to be confused with a replication proxy that is merely off (`mrsproxy-disabled`).

use crate::diagnosis::decode::exchange_build::Build;
use crate::diagnosis::ews::{code_of, error, soap};
use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Place, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "exchange-version-unsupported",
    title: Text {
        en: "This version of Exchange does not have what is asked for",
        ja: "この Exchange のバージョンは要求された機能に非対応",
    },
    explanation: Text {
        en: "The server says it is {version}. The mailbox replication proxy (/EWS/mrsproxy.svc) came with Exchange \
             2010, Exchange Web Services with 2007; remote moves from 2003 and 2007 are not possible, and the new \
             migration wizard no longer takes 2003 at all. A client can also ask Exchange Web Services for a newer \
             schema than the server has (ErrorInvalidServerVersion).",
        ja: "サーバーのバージョンは {version} です。メールボックス レプリケーション プロキシ (/EWS/mrsproxy.svc) は \
             Exchange 2010 以降、Exchange Web Services は 2007 以降の機能です。2003 と 2007 からのリモート移動はできず、\
             新しい移行ウィザードは 2003 に対応していません。クライアントがサーバーより新しいスキーマを要求した場合 \
             (ErrorInvalidServerVersion) もあります。",
    },
    remedy: Text {
        en: "For 2007 use a cutover or staged migration by Outlook Anywhere, a tool that reads by EWS, or a server of \
             2010 or 2013 in the same organization as a stepping stone. For 2003 only tools that read by MAPI or IMAP \
             remain. Where the tool asks for a newer schema, set the version of the source in it (for example \
             Exchange2007_SP1).",
        ja: "2007 の場合は、Outlook Anywhere による一括移行または段階的な移行、EWS で読み取るツール、または同じ組織に置い\
             た 2010 か 2013 のサーバーを経由する方法を使います。2003 では MAPI または IMAP で読み取るツールしかありませ\
             ん。ツールが新しいスキーマを要求している場合は、移行元のバージョンをツールに設定します (例: \
             Exchange2007_SP1)。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/mailbox-migration/office-365-migration-best-practices",
        "https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::MigrationTool],
    gate: Gate::status(&[200, 400, 403, 404, 405, 500, 501, 503]).showing(Signs::EWS.or(Signs::XML).or(Signs::RPC)),
    supersedes: &["mrsproxy-disabled"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let (certainty, evidence, version) = by_schema(case).or_else(|| by_version(case))?;
    Some(
        Hit::failure(certainty, Actor::MigrationTool)
            .on(case.on_server())
            .because(evidence)
            .because(case.evidence_status())
            .naming("version", version),
    )
}

/// Exchange Web Services does not know the schema that the request names.
fn by_schema(case: &Case<'_>) -> Option<(Certainty, Evidence, Option<Clean>)> {
    let error = error(case, &["ErrorInvalidServerVersion", "ErrorInvalidSchemaVersionForMailboxVersion"])?;
    let version = Build::of(case).map(|(build, _)| Clean::from(build.product().unwrap_or("an older Exchange")));
    Some((Certainty::Likely, case.evidence(Place::ResponseBody, code_of(case, error)), version))
}

/// The server is older than the endpoint that was asked for.
fn by_version(case: &Case<'_>) -> Option<(Certainty, Evidence, Option<Clean>)> {
    let failed = case.status().is_some_and(|status| status >= 400);
    let directory = case.directory().filter(|_| failed && !case.is_exchange_online())?;
    let replication = is_replication(case);
    let too_old = |build: Build| match directory {
        Directory::Ews => build.is_2003_or_older() || (replication && build.is_2007_or_older()),
        Directory::Rpc => build.is_2003_or_older() && replication,
        _ => false,
    };
    if let Some((build, evidence)) = Build::of(case) {
        let version = evidence.text.clone();
        return too_old(build).then_some((Certainty::Certain, evidence, Some(version)));
    }
    if let Some([major, ..]) = soap(case).and_then(|soap| soap.server) {
        let build = Build::read(&format!("{major}.0.0"))?;
        return too_old(build).then(|| (Certainty::Certain, case.evidence_body(major), None));
    }
    // Windows Server 2003 carries nothing newer than Exchange 2007.
    let server = case.response_header("server")?;
    let of_2003 = server.as_str().contains("Microsoft-IIS/6.0") && replication && directory == Directory::Ews;
    of_2003.then(|| (Certainty::Likely, case.evidence_header("server"), Some("Exchange Server 2007 or older".into())))
}

/// The mailbox replication service calls, or its proxy is asked for.
fn is_replication(case: &Case<'_>) -> bool {
    let path = case.path().to_ascii_lowercase();
    path.contains("/mrsproxy.svc")
        || case.request_header("user-agent").is_some_and(|agent| agent.as_str().ends_with(" MRS"))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::MigrationTool)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange 2007 has no replication proxy",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://mail.contoso.com/ews/MRSProxy.svc\nUser-Agent: Exchange/15.20 MRS",
                "404\nServer: Microsoft-IIS/7.0\nx-owa-version: 8.3.485.1",
            )],
        ),
        Example::fires(
            "Windows Server 2003 answers",
            found(Certainty::Likely),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/mrsproxy.svc",
                "404\nServer: Microsoft-IIS/6.0\nX-Powered-By: ASP.NET",
            )],
        ),
        Example::fires(
            "the tool asks for a newer schema",
            found(Certainty::Likely),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "500\nX-OWA-Version: 8.3.485.1\nContent-Type: text/xml\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>\
                 a:ErrorInvalidServerVersion</faultcode><faultstring>The specified server version is invalid.\
                 </faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "a new server has its proxy switched off",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/mrsproxy.svc",
                "404\nServer: Microsoft-IIS/10.0\nX-OWA-Version: 15.2.1748.39",
            )],
        ),
        Example::silent(
            "Exchange 2007 answers Exchange Web Services, which it has",
            &[Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx", "500\nX-OWA-Version: 8.3.485.1")],
        ),
        Example::silent(
            "Exchange 2007 only asks who is there",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/mrsproxy.svc",
                "401\nX-OWA-Version: 8.3.485.1\nWWW-Authenticate: NTLM",
            )],
        ),
    ];
}
