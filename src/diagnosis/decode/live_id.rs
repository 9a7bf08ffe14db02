//! `X-AutoDiscovery-Error`: what Exchange Online's sign-in for Basic said, `LiveIdBasicAuth:<result>:<details>`.

use super::view::Decoded;
use crate::diagnosis::{Case, Place};
use crate::redact::Clean;

/// The header, where it is of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveId<'a> {
    line: &'a Clean,
    result: &'a str,
    details: &'a str,
}

/// The results that are known, with what each means.
const RESULTS: [(&str, &str); 20] = [
    ("UserNotFoundInAD", "no such user in the directory"),
    ("LiveServerUnreachable", "the sign-in service did not answer"),
    ("FederatedStsUnreachable", "the organisation's federation server did not answer"),
    ("OperationTimedOut", "the sign-in took too long"),
    ("CommunicationFailure", "the sign-in service could not be talked to"),
    ("AuthFailure", "refused without a reason"),
    ("ExpiredCreds", "the password has expired"),
    ("InvalidCreds", "wrong user name or password"),
    ("RecoverableAuthFailure", "refused for now; it may work when repeated"),
    ("HRDFailure", "the home realm of the user was not found"),
    ("AmbigiousMailboxFoundFailure", "several mailboxes match the user"),
    ("InvalidUsername", "the user name has no valid form"),
    ("LowPasswordConfidence", "the password was not verified beyond doubt"),
    ("AppPasswordRequired", "the account has multi-factor authentication: Basic does not work"),
    ("FederatedStsUrlNotEncrypted", "the address of the federation server is not https"),
    ("FederatedStsADFSRulesDenied", "claim rules of AD FS denied the logon"),
    ("AccountNotProvisioned", "the account is not set up yet"),
    ("Forbidden", "signing in is forbidden for this user"),
    ("UnfamiliarLocation", "the location of the client is unfamiliar"),
    ("BasicAuthBlocked", "Basic authentication is blocked"),
];

impl<'a> LiveId<'a> {
    /// Reads it from a response.
    pub fn of(case: &Case<'a>) -> Option<Self> {
        Self::read(case.response_header("x-autodiscovery-error")?)
    }

    fn read(line: &'a Clean) -> Option<Self> {
        let mut parts = line.as_str().trim().splitn(3, ':');
        let kind = parts.next()?.trim();
        let result = parts.next()?.trim().trim_end_matches(';');
        let word = !result.is_empty() && result.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (kind.eq_ignore_ascii_case("LiveIdBasicAuth") && word).then_some(Self {
            line,
            result,
            details: parts.next().unwrap_or_default(),
        })
    }

    /// Whether the result is this one, in any letter case.
    pub fn is(&self, result: &str) -> bool {
        self.result.eq_ignore_ascii_case(result)
    }

    /// What the result means; nothing for a word that is not known.
    pub fn meaning(&self) -> Option<&'static str> {
        RESULTS.iter().find(|(word, _)| self.is(word)).map(|(_, meaning)| *meaning)
    }

    /// Whether the details have this element: `<LogonFailed-AppPasswordRequired>`.
    pub fn has(&self, element: &str) -> bool {
        self.details.split(['<', '>']).any(|part| part.eq_ignore_ascii_case(element))
    }
}

/// For the decoded view.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let said = LiveId::of(case)?;
    let details = said.details.trim_matches([';', ' ']);
    Some(
        Decoded::new("X-AutoDiscovery-Error", Place::ResponseHeader("x-autodiscovery-error"))
            .row("LiveIdAuthResult", said.line.part(said.result))
            .row_if("meaning", said.meaning())
            .row_if("details", (!details.is_empty()).then(|| said.line.part(details))),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_read_in_any_letter_case_and_an_unknown_one_stays() {
        let line = Clean::from("liveidbasicauth: apppasswordrequired:<UNH:x><LogonFailed-AppPasswordRequired>;");
        let said = LiveId::read(&line).unwrap();
        assert!(
            said.is("AppPasswordRequired") && said.meaning().is_some() && said.has("logonfailed-apppasswordrequired")
        );
        let line = Clean::from("LiveIdBasicAuth:SomethingNew;");
        let said = LiveId::read(&line).unwrap();
        assert_eq!((said.result, said.meaning(), said.details), ("SomethingNew", None, ""));
    }

    #[test]
    fn what_is_not_of_this_kind_is_left_alone() {
        for line in ["", "LiveIdBasicAuth", "LiveIdBasicAuth:", "Other:InvalidCreds:x", "LiveIdBasicAuth:a b:c"] {
            assert_eq!(LiveId::read(&Clean::from(line)), None, "{line}");
        }
    }
}
