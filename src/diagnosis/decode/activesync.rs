//! ActiveSync: what was asked, in which protocol version, and the status inside the answer (MS-ASHTTP, MS-ASCMD).
//!
//! From protocol 14.0 on a refusal is a `Status` above 100 inside an answer of HTTP 200. Which cause it is, the rules
//! say.

use super::view::Decoded;
use super::xml;
use crate::diagnosis::{Case, Directory, Place, Sent};
use crate::redact::{Clean, Credential, User};

/// A status inside an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::diagnosis) struct Status<'a> {
    /// Its number.
    pub(in crate::diagnosis) code: u16,
    /// The same as it stands in the body.
    pub(in crate::diagnosis) text: &'a str,
}

impl<'a> Status<'a> {
    /// The first status of an ActiveSync answer that is common to all commands, so above 100. They are all refusals.
    pub(in crate::diagnosis) fn refusal(case: &Case<'a>) -> Option<Self> {
        all(case).find(|status| status.code > 100)
    }

    /// Its name in MS-ASCMD section 2.2.2.
    pub(in crate::diagnosis) fn name(self) -> Option<&'static str> {
        COMMON.iter().find(|(code, _)| *code == self.code).map(|(_, name)| *name)
    }

    /// Number and name, as both are searched for: `129 DeviceIsBlockedForThisUser`.
    pub(in crate::diagnosis) fn words(self) -> Clean {
        let name = self.name().map_or_else(|| "".into(), |name| Clean::concat([" ".into(), name.into()]));
        Clean::concat([Clean::from(self.code), name])
    }
}

/// All statuses of an ActiveSync answer.
fn all<'a>(case: &Case<'a>) -> impl Iterator<Item = Status<'a>> {
    let body = if is_answer(case) { case.response_body() } else { "" };
    xml::leaves(body, "Status").filter_map(|text| Some(Status { code: text.parse().ok()?, text }))
}

/// Whether the answer is one of ActiveSync: by its path, or, where only the answer was copied, by its type.
pub(in crate::diagnosis) fn is_answer(case: &Case<'_>) -> bool {
    let typed = || case.response_header("content-type").is_some_and(|kind| kind.as_str().contains("ms-sync"));
    case.directory() == Some(Directory::ActiveSync) || (case.path().is_empty() && typed())
}

/// The command, as spelled; `Options` for a request with that method.
pub(in crate::diagnosis) fn command<'a>(case: &Case<'a>) -> Option<std::borrow::Cow<'a, str>> {
    let asked = case.exchange.url.as_ref().and_then(|url| url.query_value("Cmd"));
    asked.or_else(|| case.method().eq_ignore_ascii_case("OPTIONS").then_some("Options".into()))
}

/// The protocol version that the device speaks, as a header or, in the short form of the query, inside it.
pub(in crate::diagnosis) fn version(case: &Case<'_>) -> Option<Clean> {
    let header = case.request_header("ms-asprotocolversion").cloned();
    header.or_else(|| {
        let query = case.query()?;
        let names = ["MS-ASProtocolVersion=", "ProtocolVersion="];
        let value = query.split('&').find_map(|pair| names.iter().find_map(|name| pair.strip_prefix(name)))?;
        case.exchange.url.as_ref().map(|url| url.text().part(value))
    })
}

/// Whether `version` is one that Exchange Online still takes: 16.1 or newer.
pub(in crate::diagnosis) fn is_current(version: &str) -> Option<bool> {
    let (major, minor) = version.trim().split_once('.')?;
    Some((major.parse::<u16>().ok()?, minor.parse::<u16>().ok()?) >= (16, 1))
}

/// Whether the server said of the element called `name` that the device must do it, as `RemoteWipe`.
pub(in crate::diagnosis) fn answers_with(case: &Case<'_>, name: &str) -> bool {
    let holds = |body: &str| {
        body.match_indices(name).any(|(at, _)| {
            let after = body[at + name.len()..].chars().next();
            body[..at].ends_with(['<', ':']) && matches!(after, Some('/' | '>' | ' '))
        })
    };
    is_answer(case) && holds(case.response_body())
}

/// What was asked.
pub(super) fn asked(case: &Case<'_>) -> Option<Decoded> {
    if case.directory() != Some(Directory::ActiveSync) {
        return None;
    }
    let url = case.exchange.url.as_ref()?;
    let value = |name: &str| {
        let pair = url
            .query()?
            .split('&')
            .find(|pair| pair.split_once('=').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name)))?;
        Some(url.text().part(pair.split_once('=')?.1).percent_decoded())
    };
    let command = value("Cmd").or_else(|| command(case).map(|_| "Options".into()));
    let part = Decoded::new("ActiveSync", Place::RequestUrl).row_if("command", command);
    let part = part.row_if("MS-ASProtocolVersion", version(case)).row_if("User", value("User"));
    let part = part.row_if("form of the user name", form(case)).row_if("DeviceType", value("DeviceType"));
    Some(part.row_if("X-MS-PolicyKey", case.request_header("x-ms-policykey").cloned()))
}

/// How the user is named in the credentials.
fn form(case: &Case<'_>) -> Option<&'static str> {
    let Sent::Credential(Credential::Basic { user, .. }) = case.authorization() else { return None };
    Some(match user {
        User::Upn(_) => "user@domain (UPN)",
        User::DownLevel(_) => r"DOMAIN\user",
        User::Bare(_) => "user alone",
        User::Empty => "empty",
    })
}

/// What was answered.
pub(super) fn answered(case: &Case<'_>) -> Option<Decoded> {
    const HEADERS: [(&str, &str); 8] = [
        ("MS-Server-ActiveSync", "ms-server-activesync"),
        ("MS-ASProtocolVersions", "ms-asprotocolversions"),
        ("MS-ASProtocolCommands", "ms-asprotocolcommands"),
        ("X-MS-Location", "x-ms-location"),
        ("X-MS-RP", "x-ms-rp"),
        ("X-MS-ASError", "x-ms-aserror"),
        ("X-MS-ASThrottle", "x-ms-asthrottle"),
        ("Retry-After", "retry-after"),
    ];
    if !is_answer(case) {
        return None;
    }
    let part = Decoded::new("ActiveSync answer", Place::ResponseBody);
    let part = all(case).take(8).fold(part, |part, status| part.row("Status", meaning(case, status)));
    let part = HEADERS.iter().fold(part, |part, (name, key)| part.row_if(name, case.response_header(key).cloned()));
    Some(part)
}

/// A status in words; below 101 it depends on the command.
fn meaning(case: &Case<'_>, status: Status<'_>) -> Clean {
    let command = command(case).unwrap_or_default();
    let own = || {
        let table = OF_COMMANDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&command))?.1;
        table.iter().find(|(code, _)| *code == status.code).map(|(_, name)| *name)
    };
    match own().filter(|_| status.code <= 100) {
        Some(name) => Clean::concat([Clean::from(status.code), " ".into(), name.into()]),
        None if status.code == 1 => "1 Success".into(),
        None => status.words(),
    }
}

type Names = &'static [(u16, &'static str)];

/// MS-ASCMD, the status of each command (section 2.2.3.177), for those that say how the device stands.
const OF_COMMANDS: [(&str, Names); 4] = [
    (
        "Sync",
        &[
            (3, "invalid synchronization key"),
            (4, "protocol error"),
            (5, "server error"),
            (6, "conversion error"),
            (8, "object not found"),
            (9, "mailbox cannot be synchronized"),
            (12, "folder hierarchy has changed"),
            (13, "incomplete Sync command"),
            (14, "wait interval out of range"),
            (15, "too many folders"),
            (16, "retry"),
        ],
    ),
    (
        "FolderSync",
        &[
            (6, "server error"),
            (9, "invalid synchronization key"),
            (10, "malformed request"),
            (11, "unknown error"),
            (12, "unknown code"),
        ],
    ),
    (
        "Provision",
        &[
            (2, "protocol error, or no policy for this client"),
            (3, "server error, or unknown policy type"),
            (4, "policy data is corrupted"),
            (5, "policy key mismatch"),
        ],
    ),
    (
        "Ping",
        &[
            (1, "nothing new within the interval"),
            (2, "changes in folders"),
            (3, "parameters are missing"),
            (4, "syntax error"),
            (5, "interval out of range"),
            (6, "too many folders"),
            (7, "folder hierarchy has changed"),
            (8, "server error"),
        ],
    ),
];

/// MS-ASCMD section 2.2.2.
const COMMON: &[(u16, &str)] = &[
    (101, "InvalidContent"),
    (102, "InvalidWBXML"),
    (103, "InvalidXML"),
    (104, "InvalidDateTime"),
    (105, "InvalidCombinationOfIDs"),
    (106, "InvalidIDs"),
    (107, "InvalidMIME"),
    (108, "DeviceIdMissingOrInvalid"),
    (109, "DeviceTypeMissingOrInvalid"),
    (110, "ServerError"),
    (111, "ServerErrorRetryLater"),
    (112, "ActiveDirectoryAccessDenied"),
    (113, "MailboxQuotaExceeded"),
    (114, "MailboxServerOffline"),
    (115, "SendQuotaExceeded"),
    (116, "MessageRecipientUnresolved"),
    (117, "MessageReplyNotAllowed"),
    (118, "MessagePreviouslySent"),
    (119, "MessageHasNoRecipient"),
    (120, "MailSubmissionFailed"),
    (121, "MessageReplyFailed"),
    (122, "AttachmentIsTooLarge"),
    (123, "UserHasNoMailbox"),
    (124, "UserCannotBeAnonymous"),
    (125, "UserPrincipalCouldNotBeFound"),
    (126, "UserDisabledForSync"),
    (127, "UserOnNewMailboxCannotSync"),
    (128, "UserOnLegacyMailboxCannotSync"),
    (129, "DeviceIsBlockedForThisUser"),
    (130, "AccessDenied"),
    (131, "AccountDisabled"),
    (132, "SyncStateNotFound"),
    (133, "SyncStateLocked"),
    (134, "SyncStateCorrupt"),
    (135, "SyncStateAlreadyExists"),
    (136, "SyncStateVersionInvalid"),
    (137, "CommandNotSupported"),
    (138, "VersionNotSupported"),
    (139, "DeviceNotFullyProvisionable"),
    (140, "RemoteWipeRequested"),
    (141, "LegacyDeviceOnStrictPolicy"),
    (142, "DeviceNotProvisioned"),
    (143, "PolicyRefresh"),
    (144, "InvalidPolicyKey"),
    (145, "ExternallyManagedDevicesNotAllowed"),
    (146, "NoRecurrenceInCalendar"),
    (147, "UnexpectedItemClass"),
    (148, "RemoteServerHasNoSSL"),
    (149, "InvalidStoredRequest"),
    (150, "ItemNotFound"),
    (151, "TooManyFolders"),
    (152, "NoFoldersFound"),
    (153, "ItemsLostAfterMove"),
    (154, "FailureInMoveOperation"),
    (155, "MoveCommandDisallowedForNonPersistentMoveAction"),
    (156, "MoveCommandInvalidDestinationFolder"),
    (160, "AvailabilityTooManyRecipients"),
    (161, "AvailabilityDLLimitReached"),
    (162, "AvailabilityTransientFailure"),
    (163, "AvailabilityFailure"),
    (164, "BodyPartPreferenceTypeNotSupported"),
    (165, "DeviceInformationRequired"),
    (166, "InvalidAccountId"),
    (167, "AccountSendDisabled"),
    (168, "IRM_FeatureDisabled"),
    (169, "IRM_TransientError"),
    (170, "IRM_PermanentError"),
    (171, "IRM_InvalidTemplateID"),
    (172, "IRM_OperationNotPermitted"),
    (173, "NoPicture"),
    (174, "PictureTooLarge"),
    (175, "PictureLimitReached"),
    (176, "BodyPart_ConversationTooLarge"),
    (177, "MaximumDevicesReached"),
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::diagnosis::rules::kit::{Raw, exchanges};
    use crate::diagnosis::{Capture, Past};

    const BLOCKED: Raw = Raw::new(
        "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=avery@contoso.com&DeviceType=PPC\n\
         MS-ASProtocolVersion: 14.1\nAuthorization: Basic {basic CONTOSO\\avery:secret}",
        "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\x03\x01\x6a\x00\x00\x07\x56\x4c\x03129\x00\x01\x01",
    );

    #[test]
    fn the_status_inside_an_answer_is_named() {
        let exchange = exchanges(&[BLOCKED]).remove(0);
        let past = Past::default();
        let case = Case::new(&exchange, &past, Capture::Imported);
        let status = Status::refusal(&case).unwrap();
        assert_eq!(status.words().as_str(), "129 DeviceIsBlockedForThisUser");
        assert_eq!(answered(&case).unwrap().rows[0].value.as_str(), "129 DeviceIsBlockedForThisUser");
    }

    #[test]
    fn a_status_below_101_is_named_by_its_command() {
        let mut raw = exchanges(&[Raw::new(
            "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Ping",
            "200 OK\nContent-Type: text/xml\n\n<Ping><Status>2</Status></Ping>",
        )]);
        let exchange = raw.remove(0);
        let past = Past::default();
        let case = Case::new(&exchange, &past, Capture::Imported);
        assert_eq!(Status::refusal(&case), None);
        assert_eq!(answered(&case).unwrap().rows[0].value.as_str(), "2 changes in folders");
    }

    #[test]
    fn a_request_is_shown_with_the_form_of_its_user() {
        let exchange = exchanges(&[BLOCKED]).remove(0);
        let past = Past::default();
        let part = asked(&Case::new(&exchange, &past, Capture::Imported)).unwrap();
        let rows: Vec<_> = part.rows.iter().map(|row| (row.name, row.value.as_str())).collect();
        assert_eq!(
            rows,
            [
                ("command", "FolderSync"),
                ("MS-ASProtocolVersion", "14.1"),
                ("User", "user#1@contoso.com"),
                ("form of the user name", r"DOMAIN\user"),
                ("DeviceType", "PPC")
            ]
        );
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(
            ["16.1", "16.0", "2.5", "100.2", "x"].map(is_current),
            [Some(true), Some(false), Some(false), Some(true), None]
        );
    }
}
