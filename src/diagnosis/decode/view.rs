//! Decoded parts of an exchange as a person reads them: in the detail pane, in `diagnose`, in reports.
//!
//! Made only of an exchange that somebody looks at, never while exchanges are judged.

use super::{
    aadsts, activesync, autodiscover, challenge, credential, diagnostics, exchange_headers, graph, live_id, mapi,
    migration_line, rpc, sharepoint, soap, tls, trusted_issuers, websocket,
};
use crate::diagnosis::{Capture, Case, Past, Place};
use crate::exchange::Exchange;
use crate::redact::Clean;

/// One decoded part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What it is, in the field's own term: `NTLM message 3`, `JWT`, `x-ms-diagnostics`.
    pub title: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub rows: Vec<Row>,
}

/// One fact of a decoded part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// In the field's own term, as in the specification: `aud`, `TargetName`, `error_category`.
    pub name: &'static str,
    /// As text.
    pub value: Clean,
}

/// What one decoder shows of an exchange; nothing where the exchange has nothing of its kind.
type View = fn(&Case<'_>) -> Option<Decoded>;

/// One line a decoder, in the order in which the parts are shown: the request's, then the response's.
static VIEWS: &[View] = &[
    tls::with_client,
    credential::sent,
    credential::sent_to_proxy,
    soap::sent,
    activesync::asked,
    autodiscover::asked,
    mapi::asked,
    rpc::decoded,
    tls::with_server,
    challenge::offered,
    trusted_issuers::decoded,
    challenge::offered_by_proxy,
    credential::replied,
    diagnostics::decoded,
    live_id::decoded,
    aadsts::decoded,
    activesync::answered,
    autodiscover::answered,
    mapi::answered,
    graph::decoded,
    sharepoint::decoded,
    soap::received,
    exchange_headers::decoded,
    websocket::decoded,
    migration_line::decoded,
];

/// Rows of one part that are kept.
const ROWS: usize = 40;
/// Bytes of one value that are kept.
const VALUE: usize = 600;

/// All decoded parts of `exchange`.
pub fn decoded(exchange: &Exchange) -> Vec<Decoded> {
    let past = Past::default();
    let case = Case::new(exchange, &past, Capture::Imported);
    let parts = VIEWS.iter().filter_map(|view| view(&case)).filter(|part| !part.rows.is_empty());
    parts.map(Decoded::bounded).collect()
}

impl Decoded {
    /// A part without facts yet.
    pub fn new(title: &'static str, place: Place) -> Self {
        Self { title, place, rows: Vec::new() }
    }

    /// With one more fact.
    #[must_use]
    pub fn row(mut self, name: &'static str, value: impl Into<Clean>) -> Self {
        self.rows.push(Row { name, value: value.into() });
        self
    }

    /// With one more fact, where it is known.
    #[must_use]
    pub fn row_if(self, name: &'static str, value: Option<impl Into<Clean>>) -> Self {
        match value {
            Some(value) => self.row(name, value),
            None => self,
        }
    }

    fn bounded(mut self) -> Self {
        self.rows.truncate(ROWS);
        for row in &mut self.rows {
            let value = row.value.as_str();
            if value.len() > VALUE {
                let kept = row.value.slice(0..value.floor_char_boundary(VALUE));
                row.value = Clean::concat([kept, "…".into()]);
            }
        }
        self
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::exchange::{Ids, Timestamp};
    use crate::redact::Redactor;
    use crate::session::paste;

    fn parts(text: &str) -> Vec<Decoded> {
        let read = paste::read(text.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp(0));
        decoded(&read[0])
    }

    fn shown(parts: &[Decoded]) -> String {
        let mut page = String::new();
        for part in parts {
            writeln!(page, "{} ({})", part.title, part.place).unwrap();
            for row in &part.rows {
                writeln!(page, "  {}: {}", row.name, row.value).unwrap();
            }
        }
        page
    }

    #[test]
    fn an_exchange_is_shown_part_by_part() {
        // {"typ":"JWT","alg":"RS256"} and {"aud":"https://mail.contoso.com","exp":1763802000,"scp":"EWS.AccessAsUser.All"}
        let parts = parts(
            "POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: mail.contoso.com\r\n\
             Authorization: Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21haWwuY29udG9zby5jb20iLCJl\
             eHAiOjE3NjM4MDIwMDAsInNjcCI6IkVXUy5BY2Nlc3NBc1VzZXIuQWxsIn0.c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl\r\n\r\n\
             HTTP/1.1 401 Unauthorized\r\n\
             WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", error=\"invalid_token\", \
             authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\r\n\
             WWW-Authenticate: NTLM\r\n\
             x-ms-diagnostics: 2000003;reason=\"The audience is wrong.\";error_category=\"invalid_resource\"\r\n\
             X-FEServer: EX01\r\nX-OWA-Version: 15.1.2507.55\r\n\r\n",
        );
        insta::assert_snapshot!(shown(&parts));
    }

    #[test]
    fn an_answer_without_anything_to_decode_has_no_parts() {
        assert_eq!(parts("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), []);
    }

    #[test]
    fn long_values_and_many_rows_are_cut() {
        let long = Redactor::new().wire().prose("é ".repeat(VALUE).as_bytes());
        let part = (0..ROWS + 5).fold(Decoded::new("x", Place::ResponseBody), |part, _| part.row("name", long.clone()));
        let part = part.bounded();
        assert_eq!(part.rows.len(), ROWS);
        assert!(part.rows[0].value.as_str().ends_with('…') && part.rows[0].value.as_str().len() < VALUE + 4);
    }
}
