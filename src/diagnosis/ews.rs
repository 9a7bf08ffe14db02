//! What rules about Exchange Web Services have in common: errors that stand in SOAP, and whose mailbox it is about.

use super::decode::Refused;
use super::person::upn_of;
use super::{Case, Evidence, Soap, SoapError};
use crate::redact::{Clean, Content};

/// The SOAP message of an Exchange server. SOAP alone is spoken by many.
pub(super) fn soap<'c, 'x>(case: &'c Case<'x>) -> Option<&'c Soap<'x>> {
    case.soap().filter(|soap| soap.exchange || case.is_exchange())
}

/// The first error of an Exchange server with one of these codes.
pub(super) fn error<'c, 'x>(case: &'c Case<'x>, codes: &[&str]) -> Option<&'c SoapError<'x>> {
    soap(case)?.error(codes)
}

/// A line with these words in a text that somebody pasted: what a program prints of an error.
pub(super) fn printed(case: &Case<'_>, words: &str) -> Option<Evidence> {
    let pasted = case.host().is_empty() && case.status().is_none();
    let mut lines = pasted.then(|| case.response_body().lines())?;
    let line = lines.find(|line| line.to_ascii_lowercase().contains(words))?;
    Some(case.evidence_body(line.trim()))
}

/// The code of an error, and its words where there are any.
pub(super) fn evidence_of(case: &Case<'_>, error: &SoapError<'_>) -> Vec<Evidence> {
    let told = [error.code, error.text].into_iter().filter(|words| !words.is_empty());
    told.map(|words| case.evidence_body(words)).collect()
}

/// The code of an error as clean text.
pub(super) fn code_of(case: &Case<'_>, error: &SoapError<'_>) -> Clean {
    case.evidence_body(error.code).text
}

/// Whose mailbox the request is about, as commands name people: whom it acts as, the address in `X-AnchorMailbox`, or
/// who signed in.
pub(super) fn mailbox(case: &Case<'_>) -> Option<Clean> {
    let message = case.exchange.request.seen();
    let named = message.and_then(|message| match &message.body.content {
        Content::Text { text, .. } => {
            let soap = Soap::read(text.as_str()).filter(|soap| !soap.mailbox.is_empty())?;
            Some(text.part(soap.mailbox))
        }
        Content::Empty | Content::Withheld(_) => None,
    });
    let anchor = || {
        let header = case.request_header("x-anchormailbox")?;
        let at = header.as_str().split_once(':').map_or(header.as_str(), |(_, address)| address);
        at.contains('@').then(|| header.part(at))
    };
    named.or_else(anchor).or_else(|| case.user().cloned()).as_ref().map(upn_of)
}

/// What the mailbox replication service hands on of the other end's refusal: in a fault, or in a line that somebody
/// pasted.
pub(super) fn refused_by_replication<'x>(case: &Case<'x>) -> Option<(Refused<'x>, Evidence)> {
    let read = |text: &'x str| {
        let speaks_of_it = text.to_ascii_lowercase().contains("mrsproxy");
        Some((Refused::read(text).filter(|_| speaks_of_it)?, case.evidence_body(text)))
    };
    match case.soap() {
        Some(soap) => soap.errors.iter().find_map(|error| read(error.text)),
        None if case.host().is_empty() && case.status().is_none() => read(case.response_body()),
        None => None,
    }
}
