//! Error lines of migration tools, wizards and analyzers, in English and Japanese: which end failed, on which host, and
//! what the tool makes of it.
//!
//! Such a line is all that its reader has; it names no cause.

use super::{Decoded, Row};
use crate::diagnosis::{Case, Place};
use crate::exchange::Head;
use crate::redact::Clean;

/// What an error line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationLine<'a> {
    /// Who says it.
    pub teller: Teller,
    /// Which end of the migration failed, where words say so.
    pub end: Option<End>,
    /// The host that was asked.
    pub host: Option<&'a str>,
    /// The status that came back.
    pub status: Option<u16>,
    /// What the tool makes of it.
    pub reason: Reason,
    /// The line itself.
    pub line: &'a str,
}

/// Who says an error line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// MigrationWiz, or a tool that speaks like it.
    Migration,
    /// The migration wizard of Exchange Online (Outlook Anywhere).
    Wizard,
    /// The Remote Connectivity Analyzer, on ActiveSync.
    Analyzer,
}

/// One end of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where mailboxes come from.
    Source,
    /// Where they go.
    Destination,
}

impl End {
    /// The word of the JSON contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

/// What a tool makes of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing.
    Plain,
    /// No mailbox database (`DatabaseNotFoundException`).
    NoDatabase,
    /// Basic authentication is off.
    BasicDisabled,
}

impl<'a> MigrationLine<'a> {
    /// Reads the text of an error.
    pub fn read(text: &'a str) -> Option<Self> {
        let lower = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let teller = teller(&lower)?;
        let end = match () {
            // A tool that tells of both ends names the one that failed first.
            () if says(&["destination", "移行先", "ターゲット"]) => Some(End::Destination),
            () if says(&["source", "移行元", "ソース"]) => Some(End::Source),
            () => None,
        };
        let both = says(&["destination", "移行先"]) && says(&["source", "移行元"]);
        let first = |words: &[&str]| words.iter().filter_map(|word| lower.find(word)).min();
        let source_first = both && first(&["source", "移行元"]) < first(&["destination", "移行先"]);
        let reason = match () {
            () if says(&["databasenotfound", "mail database", "メールデータベース", "メール データベース"]) => {
                Reason::NoDatabase
            }
            () if says(&["basic auth disabled", "basic authentication is not enabled", "basic auth is disabled"])
                || (says(&["基本認証"]) && says(&["無効", "有効になっていない"])) =>
            {
                Reason::BasicDisabled
            }
            () => Reason::Plain,
        };
        Some(Self {
            teller,
            end: if source_first { Some(End::Source) } else { end },
            host: host(text),
            status: status(&lower),
            reason,
            line: text.trim().lines().find(|line| teller_line(line)).unwrap_or_else(|| text.trim()),
        })
    }

    /// Whether the host is one of Exchange Online's.
    pub fn is_online(&self) -> bool {
        self.is_at(&[
            "outlook.com",
            "office365.com",
            "office.com",
            "office365.us",
            "outlook.cn",
            "microsoftonline.com",
            "partner.outlook.cn",
        ])
    }

    /// Whether the host is one of SharePoint Online's or OneDrive's.
    pub fn is_share_point(&self) -> bool {
        self.is_at(&["sharepoint.com", "sharepoint.us", "sharepoint.cn", "sharepoint-mil.us"])
    }

    /// Whether the host is Microsoft Graph.
    pub fn is_graph(&self) -> bool {
        self.is_at(&["graph.microsoft.com", "graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"])
    }

    fn is_at(&self, domains: &[&str]) -> bool {
        self.host.is_some_and(|host| {
            let host = host.to_ascii_lowercase();
            domains
                .iter()
                .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
        })
    }
}

/// The error line of a pasted text; the words of a server's answer are none.
pub fn told<'c>(case: &'c Case<'_>) -> Option<MigrationLine<'c>> {
    let response = case.exchange.response.seen()?;
    let pasted = response.status.is_none() && response.message.head == Head::Excerpt;
    let line = pasted.then(|| MigrationLine::read(case.response_body()))??;
    // The analyzer lists the fields of the answer below its words.
    let is_alone = response.message.fields.is_empty() || line.teller == Teller::Analyzer;
    is_alone.then_some(line)
}

/// The same for people.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let line = told(case)?;
    let teller = match line.teller {
        Teller::Migration => "migration tool",
        Teller::Wizard => "migration wizard",
        Teller::Analyzer => "connectivity analyzer",
    };
    let end = line.end.map(|end| match end {
        End::Source => "source",
        End::Destination => "destination",
    });
    let reason = match line.reason {
        Reason::Plain => None,
        Reason::NoDatabase => Some("no mailbox database"),
        Reason::BasicDisabled => Some("Basic authentication is off"),
    };
    let host = line.host.map(|host| case.evidence_body(host).text);
    let rows: [(&'static str, Option<Clean>); 5] = [
        ("said by", Some(teller.into())),
        ("end", end.map(Clean::from)),
        ("host", host),
        ("status", line.status.map(Clean::from)),
        ("reason", reason.map(Clean::from)),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some(Row { name, value: value? })).collect();
    Some(Decoded { title: "error line", place: Place::ResponseBody, rows })
}

fn teller_line(line: &str) -> bool {
    teller(&line.to_lowercase()).is_some()
}

fn teller(lower: &str) -> Option<Teller> {
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let request = lower.contains("http")
        && says(&["post", "get "])
        && says(&["request", "リクエスト", "要求"])
        && says(&["fail", "失敗"]);
    let credentials = (says(&["移行先", "移行元"]) && says(&["資格情報", "認証情報"]) && says(&["できません", "失敗"]))
        || (says(&["checking", "verifying", "validating"])
            && says(&["source", "destination"])
            && says(&["credential"]));
    let wizard = (says(&["unable to connect to the server", "connect to the server"])
        && says(&["connection settings"]))
        || (says(&["サーバーに接続できません"]) && says(&["接続設定", "接続の設定"]));
    let analyzer =
        says(&["unauthorized response was received from the remote", "testing of the options command failed"])
            || (says(&["options コマンド"]) && says(&["失敗", "401"]))
            || (says(&["リモート"]) && says(&["401 unauthorized 応答", "401 の応答", "401 応答"]));
    match () {
        () if analyzer => Some(Teller::Analyzer),
        () if wizard => Some(Teller::Wizard),
        () if request
            || credentials
            || says(&[
                "your migration failed",
                "migrationwiz was not able to",
                "migrationwiz has detected",
                "credentials used to access the configured mailbox are invalid",
                "databasenotfoundexception",
                "basic auth disabled",
            ]) =>
        {
            Some(Teller::Migration)
        }
        () => None,
    }
}

/// The host in quotes of any kind, bare or in a URL.
fn host(text: &str) -> Option<&str> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_host = |name: &&str| {
        name.contains('.')
            && name.split('.').all(|label| !label.is_empty())
            && name.bytes().any(|byte| byte.is_ascii_alphabetic())
            && name.rsplit('.').next().is_some_and(|last| last.len() >= 2 && !last.bytes().all(|b| b.is_ascii_digit()))
    };
    let quoted = text.split(['\'', '"', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{300c}', '\u{300d}']);
    let named = quoted.skip(1).step_by(2).map(|inside| {
        let rest = inside.split_once("://").map_or(inside, |(_, rest)| rest);
        &rest[..rest.find(['/', ':']).unwrap_or(rest.len())]
    });
    let mut in_url = text.match_indices("://").map(|(at, _)| {
        let rest = &text[at + 3..];
        &rest[..rest.find(|c| !word(c)).unwrap_or(rest.len())]
    });
    named.filter(|name| name.chars().all(word)).find(is_host).or_else(|| in_url.find(is_host))
}

/// The status: three digits before their reason, or in brackets.
fn status(lower: &str) -> Option<u16> {
    const KNOWN: [&str; 6] = ["401", "403", "404", "429", "500", "503"];
    let stands_alone = |at: usize| {
        let before = lower[..at].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric());
        before && lower[at + 3..].chars().next().is_none_or(|c| !c.is_ascii_alphanumeric())
    };
    let found = KNOWN.iter().find(|digits| lower.match_indices(*digits).any(|(at, _)| stands_alone(at)));
    found.and_then(|digits| digits.parse().ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_end_that_failed_is_told_in_both_languages() {
        for (text, end) in [
            ("Your migration failed while checking destination credentials.", Some(End::Destination)),
            ("Your migration failed checking source credentials. The remote server", Some(End::Source)),
            ("移行先の資格情報を確認できませんでした。", Some(End::Destination)),
            ("移行元の資格情報を確認できませんでした。", Some(End::Source)),
            ("MigrationWiz: HTTP POST request to 'mail.fabrikam.com' failed", None),
            ("Your migration failed: the source server refused the copy to the destination", Some(End::Source)),
        ] {
            assert_eq!(MigrationLine::read(text).unwrap().end, end, "{text}");
        }
    }

    #[test]
    fn hosts_are_found_in_quotes_and_urls() {
        for (text, host, online) in [
            (
                "Http POST request to 'autodiscover-s.outlook.com' failed - 401 Unauthorized",
                "autodiscover-s.outlook.com",
                true,
            ),
            ("「autodiscover-s.outlook.com」へのHttp POSTリクエストが失敗しました", "autodiscover-s.outlook.com", true),
            (
                "HTTP POST request to \u{201c}https://mail.fabrikam.com:443/EWS/x\u{201d} failed",
                "mail.fabrikam.com",
                false,
            ),
            (
                "Http GET request to https://outlook.office365.com/EWS/Exchange.asmx failed",
                "outlook.office365.com",
                true,
            ),
            ("Your migration failed: no answer from 'notoutlook.com'", "notoutlook.com", false),
        ] {
            let line = MigrationLine::read(text).unwrap();
            assert_eq!((line.host, line.is_online()), (Some(host), online), "{text}");
        }
        assert_eq!(MigrationLine::read("Your migration failed - 401 Unauthorized").unwrap().host, None);
    }

    #[test]
    fn reasons_and_statuses_are_read() {
        let read = |text: &str| MigrationLine::read(text).map(|line| (line.reason, line.status));
        assert_eq!(read("DatabaseNotFoundException - 401 Unauthorized - x"), Some((Reason::NoDatabase, Some(401))));
        assert_eq!(
            read("MigrationWiz (403) Forbidden - Basic Auth Disabled"),
            Some((Reason::BasicDisabled, Some(403)))
        );
        assert_eq!(
            read("「a.outlook.com」へのHttp POSTリクエストが失敗しました - 基本認証が無効です"),
            Some((Reason::BasicDisabled, None))
        );
    }

    #[test]
    fn tellers_are_told_apart_and_other_words_are_none_of_theirs() {
        let teller = |text: &str| MigrationLine::read(text).map(|line| line.teller);
        let wizard =
            "Unable to connect to the server. Please check the connection settings you supplied and try again.";
        assert_eq!(teller(wizard), Some(Teller::Wizard));
        assert_eq!(teller("サーバーに接続できませんでした。指定した接続設定を確認してもう一度"), Some(Teller::Wizard));
        let analyzer = "An HTTP 401 Unauthorized response was received from the remote IIS server.";
        assert_eq!(teller(analyzer), Some(Teller::Analyzer));
        for text in ["Unable to connect to the server", "AADSTS50105", "The database migration is done", ""] {
            assert_eq!(teller(text), None, "{text}");
        }
    }
}
