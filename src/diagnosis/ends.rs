//! The two ends of a migration: which host a tool reads from, and which it writes to.
//!
//! A program that talks to mailboxes, or to files, of two organisations or platforms has a source and a destination. What
//! it asks for tells them apart; where nothing was written yet, the platforms do: from a server of one's own to the cloud.

use super::decode::migration_line::End;
use super::key::{ByKey, key};
use super::sharepoint::{is_online, is_share_point};
use super::{Case, Directory, Signs};
use crate::redact::{Clean, organisation};

/// Programs whose conversations are followed; further ones are left out.
const PROGRAMS: usize = 64;
/// Hosts of one program that are followed; further ones are left out.
const HOSTS: usize = 16;

/// What a host is, for somebody who moves mailboxes and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Exchange in Microsoft's cloud, by itself or through Graph.
    ExchangeOnline,
    /// An Exchange server of one's own.
    ExchangeServer,
    /// SharePoint or OneDrive in Microsoft's cloud, by itself or through Graph.
    SharePointOnline,
    /// A SharePoint farm of one's own.
    SharePointServer,
}

impl Platform {
    /// What was asked. Nothing where it is none of these.
    pub fn of(case: &Case<'_>) -> Option<Self> {
        if case.signs().has_any(Signs::GRAPH) {
            let path = case.path().to_ascii_lowercase();
            let files = ["/drive", "/sites/", "/shares/"].iter().any(|part| path.contains(part));
            return Some(if files { Self::SharePointOnline } else { Self::ExchangeOnline });
        }
        if is_share_point(case) {
            return Some(if is_online(case.host()) { Self::SharePointOnline } else { Self::SharePointServer });
        }
        if case.is_exchange_online() {
            return Some(Self::ExchangeOnline);
        }
        case.is_exchange().then_some(Self::ExchangeServer)
    }

    const fn is_online(self) -> bool {
        matches!(self, Self::ExchangeOnline | Self::SharePointOnline)
    }

    /// Whether both hold the same sort of things.
    const fn is_alike(self, other: Self) -> bool {
        matches!(self, Self::ExchangeOnline | Self::ExchangeServer)
            == matches!(other, Self::ExchangeOnline | Self::ExchangeServer)
    }
}

/// Which program talked to which hosts.
#[derive(Debug, Default)]
pub(super) struct Ends {
    programs: ByKey<Vec<Talk>>,
}

/// A program's conversation with one host.
#[derive(Debug)]
struct Talk {
    host: Clean,
    platform: Platform,
    wrote: bool,
}

impl Ends {
    /// Takes an exchange. Gives the hosts whose ends are known by it and were not before, or are others now.
    pub(super) fn add(&mut self, case: &Case<'_>) -> Vec<(Clean, End)> {
        let Some((platform, agent)) = asked_by_program(case) else { return Vec::new() };
        let program = key(agent);
        if self.programs.len() == PROGRAMS && !self.programs.contains_key(&program) {
            return Vec::new();
        }
        let talks = self.programs.entry(program).or_default();
        let wrote = writes(case, platform);
        let known = talks.iter().position(|talk| talk.host == *case.host() && talk.platform == platform);
        match known {
            Some(at) if talks[at].wrote || !wrote => return Vec::new(),
            Some(at) => talks[at].wrote = true,
            None if talks.len() == HOSTS => return Vec::new(),
            None => {
                let Some(host) = case.host_name() else { return Vec::new() };
                talks.push(Talk { host, platform, wrote });
            }
        }
        talks.iter().filter_map(|talk| Some((talk.host.clone(), talk.end(talks)?))).collect()
    }
}

impl Talk {
    /// Which end this is, beside the others of the same program.
    fn end(&self, talks: &[Self]) -> Option<End> {
        let mut others = talks.iter().filter(|other| {
            let apart = organisation(other.host.as_str()) != organisation(self.host.as_str());
            let alike = other.platform.is_alike(self.platform);
            alike && (apart || other.platform.is_online() != self.platform.is_online())
        });
        let other = others.next()?;
        match (self.wrote, other.wrote || others.any(|other| other.wrote)) {
            (true, false) => Some(End::Destination),
            (false, true) => Some(End::Source),
            _ if self.platform.is_online() != other.platform.is_online() => {
                Some(if self.platform.is_online() { End::Destination } else { End::Source })
            }
            _ => None,
        }
    }
}

/// A request of a program, not of somebody at a screen, for mailboxes or files.
fn asked_by_program<'x>(case: &Case<'x>) -> Option<(Platform, &'x str)> {
    const PEOPLE: [&str; 7] =
        ["Microsoft Office", "Outlook", "Mozilla/", "MiniRedir", "Apple-", "Microsoft SkyDriveSync", "ASProxy"];
    let data = case.signs().has_any(Signs::EWS.or(Signs::SHARE_POINT).or(Signs::GRAPH));
    let agent = case.request_header("user-agent").filter(|_| data)?.as_str();
    if PEOPLE.iter().any(|people| agent.contains(people)) || case.is_sign_in() {
        return None;
    }
    let services = matches!(case.directory(), Some(Directory::Ews) | None);
    Some((Platform::of(case).filter(|_| services || case.signs().has_any(Signs::SHARE_POINT.or(Signs::GRAPH)))?, agent))
}

/// Whether the request puts something there.
fn writes(case: &Case<'_>, platform: Platform) -> bool {
    const OPERATIONS: [&str; 6] =
        ["CreateItem", "CreateFolder", "UploadItems", "CreateAttachment", "UpdateItem", "CreateFolderPath"];
    match platform {
        Platform::ExchangeOnline | Platform::ExchangeServer if case.directory() == Some(Directory::Ews) => {
            let body = case.request_body();
            // Reading a message through costs more than most requests need.
            OPERATIONS.iter().any(|operation| body.contains(operation))
                && case.request_soap().is_some_and(|soap| OPERATIONS.contains(&soap.operation))
        }
        _ => matches!(case.method(), "PUT" | "PATCH" | "DELETE" | "MKCOL"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnosis::rules::kit::{Raw, exchanges};
    use crate::diagnosis::{Capture, Past};

    const OWN: Raw = Raw::new(
        "POST https://mail.fabrikam.com/EWS/Exchange.asmx\nUser-Agent: ExchangeServicesClient/15.00.0913.015",
        "401\nX-FEServer: EX1",
    );
    const ONLINE: Raw = Raw::new(
        "POST https://outlook.office365.com/EWS/Exchange.asmx\nUser-Agent: ExchangeServicesClient/15.00.0913.015",
        "200",
    );
    const WRITES_OWN: Raw = Raw::new(
        "POST https://mail.fabrikam.com/EWS/Exchange.asmx\nUser-Agent: ExchangeServicesClient/15.00.0913.015\n\
         Content-Type: text/xml\n\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <m:CreateItem/></s:Body></s:Envelope>",
        "200\nX-FEServer: EX1",
    );
    const OUTLOOK: Raw = Raw::new(
        "POST https://mail.fabrikam.com/EWS/Exchange.asmx\nUser-Agent: Microsoft Office/16.0 (Microsoft Outlook 16.0)",
        "200\nX-FEServer: EX1",
    );

    /// What is known after all of them, the last word on each host.
    fn ends(raw: &[Raw]) -> Vec<(String, End)> {
        let (mut ends, past) = (Ends::default(), Past::default());
        let mut known: Vec<(String, End)> = Vec::new();
        for exchange in exchanges(raw) {
            for (host, end) in ends.add(&Case::new(&exchange, &past, Capture::Imported)) {
                known.retain(|(other, _)| *other != *host.as_str());
                known.push((host.as_str().to_owned(), end));
            }
        }
        known
    }

    fn known(own: End, online: End) -> Vec<(String, End)> {
        vec![("mail.fabrikam.com".to_owned(), own), ("outlook.office365.com".to_owned(), online)]
    }

    #[test]
    fn from_a_server_of_one_s_own_to_the_cloud_unless_the_tool_writes_the_other_way() {
        assert_eq!(ends(&[OWN, ONLINE]), known(End::Source, End::Destination));
        assert_eq!(ends(&[OWN, ONLINE, WRITES_OWN]), known(End::Destination, End::Source));
    }

    #[test]
    fn one_host_has_no_ends_and_outlook_does_not_migrate() {
        assert_eq!(ends(&[OWN, OWN]), []);
        assert_eq!(ends(&[OUTLOOK, ONLINE]), []);
    }
}
