//! The names of WBXML tokens, by the code pages of MS-ASWBXML: the first name of a page has token 5. A dash is a token
//! without a name; page 3 has none in use.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The token of a page's first name.
const FIRST: u8 = 5;

/// The name of a token in a code page.
pub(super) fn name(page: u8, token: u8) -> Option<&'static str> {
    let names = NAMES.get(usize::from(page))?;
    names.get(usize::from(token.checked_sub(FIRST)?)).copied().filter(|name| *name != "-")
}

/// Whether any page has this name.
pub(super) fn is_name(text: &str) -> bool {
    static ALL: LazyLock<HashSet<&str>> =
        LazyLock::new(|| NAMES.iter().flatten().copied().filter(|name| *name != "-").collect());
    ALL.contains(text)
}

static NAMES: LazyLock<Vec<Vec<&str>>> =
    LazyLock::new(|| PAGES.iter().map(|names| names.split_whitespace().collect()).collect());

static PAGES: [&str; 26] = [
    // AirSync
    "Sync Responses Add Change Delete Fetch SyncKey ClientId ServerId Status Collection Class Version CollectionId \
     GetChanges MoreAvailable WindowSize Commands Options FilterType Truncation RTFTruncation Conflict Collections \
     ApplicationData DeletesAsMoves NotifyGUID Supported SoftDelete MIMESupport MIMETruncation Wait Limit Partial \
     ConversationMode MaxItems HeartbeatInterval",
    // Contacts
    "Anniversary AssistantName AssistantPhoneNumber Birthday Body BodySize BodyTruncated Business2PhoneNumber \
     BusinessAddressCity BusinessAddressCountry BusinessAddressPostalCode BusinessAddressState BusinessAddressStreet \
     BusinessFaxNumber BusinessPhoneNumber CarPhoneNumber Categories Category Children Child CompanyName Department \
     Email1Address Email2Address Email3Address FileAs FirstName Home2PhoneNumber HomeAddressCity HomeAddressCountry \
     HomeAddressPostalCode HomeAddressState HomeAddressStreet HomeFaxNumber HomePhoneNumber JobTitle LastName \
     MiddleName MobilePhoneNumber OfficeLocation OtherAddressCity OtherAddressCountry OtherAddressPostalCode \
     OtherAddressState OtherAddressStreet PagerNumber RadioPhoneNumber Spouse Suffix Title WebPage YomiCompanyName \
     YomiFirstName YomiLastName CompressedRTF Picture Alias WeightedRank",
    // Email
    "Attachment Attachments AttName AttSize Att0Id AttMethod AttRemoved Body BodySize BodyTruncated DateReceived \
     DisplayName DisplayTo Importance MessageClass Subject Read To Cc From ReplyTo AllDayEvent Categories Category \
     DtStamp EndTime InstanceType BusyStatus Location MeetingRequest Organizer RecurrenceId Reminder \
     ResponseRequested Recurrences Recurrence Type Until Occurrences Interval DayOfWeek DayOfMonth WeekOfMonth \
     MonthOfYear StartTime Sensitivity TimeZone GlobalObjId ThreadTopic MIMEData MIMETruncated MIMESize InternetCPID \
     Flag Status ContentClass FlagType CompleteTime DisallowNewTimeProposal",
    // AirNotify, out of use
    "",
    // Calendar
    "Timezone AllDayEvent Attendees Attendee Email Name Body BodyTruncated BusyStatus Categories Category \
     CompressedRTF DtStamp EndTime Exception Exceptions Deleted ExceptionStartTime Location MeetingStatus \
     OrganizerEmail OrganizerName Recurrence Type Until Occurrences Interval DayOfWeek DayOfMonth WeekOfMonth \
     MonthOfYear Reminder Sensitivity Subject StartTime UID AttendeeStatus AttendeeType - - - - - - - - \
     DisallowNewTimeProposal ResponseRequested AppointmentReplyTime ResponseType CalendarType IsLeapMonth \
     FirstDayOfWeek OnlineMeetingConfLink OnlineMeetingExternalLink ClientUid",
    // Move
    "MoveItems Move SrcMsgId SrcFldId DstFldId Response Status DstMsgId",
    // GetItemEstimate
    "GetItemEstimate Version Collections Collection Class CollectionId DateTime Estimate Response Status",
    // FolderHierarchy
    "Folders Folder DisplayName ServerId ParentId Type Response Status ContentClass Changes Add Delete Update SyncKey \
     FolderCreate FolderDelete FolderUpdate FolderSync Count",
    // MeetingResponse
    "CalendarId CollectionId MeetingResponse RequestId Request Result Status UserResponse Version InstanceId - \
     ProposedStartTime ProposedEndTime SendResponse",
    // Tasks
    "Body BodySize BodyTruncated Categories Category Complete DateCompleted DueDate UtcDueDate Importance Recurrence \
     Type Start Until Occurrences Interval DayOfMonth DayOfWeek WeekOfMonth MonthOfYear Regenerate DeadOccur \
     ReminderSet ReminderTime Sensitivity StartDate UtcStartDate Subject CompressedRTF OrdinalDate SubOrdinalDate \
     CalendarType IsLeapMonth FirstDayOfWeek",
    // ResolveRecipients
    "ResolveRecipients Response Status Type Recipient DisplayName EmailAddress Certificates Certificate \
     MiniCertificate Options To CertificateRetrieval RecipientCount MaxCertificates MaxAmbiguousRecipients \
     CertificateCount Availability StartTime EndTime MergedFreeBusy Picture MaxSize Data MaxPictures",
    // ValidateCert
    "ValidateCert Certificates Certificate CertificateChain CheckCRL Status",
    // Contacts2
    "CustomerId GovernmentId IMAddress IMAddress2 IMAddress3 ManagerName CompanyMainPhone AccountName NickName MMS",
    // Ping
    "Ping AutdState Status HeartbeatInterval Folders Folder Id Class MaxFolders",
    // Provision
    "Provision Policies Policy PolicyType PolicyKey Data Status RemoteWipe EASProvisionDoc DevicePasswordEnabled \
     AlphanumericDevicePasswordRequired RequireStorageCardEncryption PasswordRecoveryEnabled - AttachmentsEnabled \
     MinDevicePasswordLength MaxInactivityTimeDeviceLock MaxDevicePasswordFailedAttempts MaxAttachmentSize \
     AllowSimpleDevicePassword DevicePasswordExpiration DevicePasswordHistory AllowStorageCard AllowCamera \
     RequireDeviceEncryption AllowUnsignedApplications AllowUnsignedInstallationPackages \
     MinDevicePasswordComplexCharacters AllowWiFi AllowTextMessaging AllowPOPIMAPEmail AllowBluetooth AllowIrDA \
     RequireManualSyncWhenRoaming AllowDesktopSync MaxCalendarAgeFilter AllowHTMLEmail MaxEmailAgeFilter \
     MaxEmailBodyTruncationSize MaxEmailHTMLBodyTruncationSize RequireSignedSMIMEMessages \
     RequireEncryptedSMIMEMessages RequireSignedSMIMEAlgorithm RequireEncryptionSMIMEAlgorithm \
     AllowSMIMEEncryptionAlgorithmNegotiation AllowSMIMESoftCerts AllowBrowser AllowConsumerEmail AllowRemoteDesktop \
     AllowInternetSharing UnapprovedInROMApplicationList ApplicationName ApprovedApplicationList Hash \
     AccountOnlyRemoteWipe",
    // Search
    "Search Stores Store Name Query Options Range Status Response Result Properties Total EqualTo Value And Or \
     FreeText SubstringOp DeepTraversal LongId RebuildResults LessThan GreaterThan Schema Supported UserName Password \
     ConversationId Picture MaxSize MaxPictures",
    // GAL
    "DisplayName Phone Office Title Company Alias FirstName LastName HomePhone MobilePhone EmailAddress Picture Status \
     Data",
    // AirSyncBase
    "BodyPreference Type TruncationSize AllOrNone - Body Data EstimatedDataSize Truncated Attachments Attachment \
     DisplayName FileReference Method ContentId ContentLocation IsInline NativeBodyType ContentType Preview \
     BodyPartPreference BodyPart Status Add Delete ClientId Content Location Annotation Street City State Country \
     PostalCode Latitude Longitude Accuracy Altitude AltitudeAccuracy LocationUri InstanceId",
    // Settings
    "Settings Status Get Set Oof OofState StartTime EndTime OofMessage AppliesToInternal AppliesToExternalKnown \
     AppliesToExternalUnknown Enabled ReplyMessage BodyType DevicePassword Password DeviceInformation Model IMEI \
     FriendlyName OS OSLanguage PhoneNumber UserInformation EmailAddresses SMTPAddress UserAgent EnableOutboundSMS \
     MobileOperator PrimarySmtpAddress Accounts Account AccountId AccountName UserDisplayName SendDisabled - \
     RightsManagementInformation",
    // DocumentLibrary
    "LinkId DisplayName IsFolder CreationDate LastModifiedDate IsHidden ContentLength ContentType",
    // ItemOperations
    "ItemOperations Fetch Store Options Range Total Properties Data Status Response Version Schema Part \
     EmptyFolderContents DeleteSubFolders UserName Password Move DstFldId ConversationId MoveAlways",
    // ComposeMail
    "SendMail SmartForward SmartReply SaveInSentItems ReplaceMime - Source FolderId ItemId LongId InstanceId Mime \
     ClientId Status AccountId - Forwardees Forwardee Name Email",
    // Email2
    "UmCallerID UmUserNotes UmAttDuration UmAttOrder ConversationId ConversationIndex LastVerbExecuted \
     LastVerbExecutionTime ReceivedAsBcc Sender CalendarType IsLeapMonth AccountId FirstDayOfWeek MeetingMessageType - \
     IsDraft Bcc Send",
    // Notes
    "Subject MessageClass LastModifiedDate Categories Category",
    // RightsManagement
    "RightsManagementSupport RightsManagementTemplates RightsManagementTemplate RightsManagementLicense EditAllowed \
     ReplyAllowed ReplyAllAllowed ForwardAllowed ModifyRecipientsAllowed ExtractAllowed PrintAllowed ExportAllowed \
     ProgrammaticAccessAllowed Owner ContentExpiryDate TemplateID TemplateName TemplateDescription ContentOwner \
     RemoveRightsManagementProtection",
    // Find
    "Find SearchId ExecuteSearch MailBoxSearchCriterion Query Status FreeText Options Range DeepTraversal - - Response \
     Result Properties Preview HasAttachments Total DisplayCc DisplayBcc GalSearchCriterion - - - - - - MaxPictures \
     MaxSize Picture",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_of_each_page_has_its_token() {
        for (page, token, expected) in [
            (0, 0x29, "HeartbeatInterval"),
            (1, 0x3e, "WeightedRank"),
            (2, 0x3f, "DisallowNewTimeProposal"),
            (4, 0x33, "DisallowNewTimeProposal"),
            (4, 0x3c, "ClientUid"),
            (5, 0x0c, "DstMsgId"),
            (6, 0x0e, "Status"),
            (7, 0x17, "Count"),
            (8, 0x12, "SendResponse"),
            (9, 0x26, "FirstDayOfWeek"),
            (10, 0x1d, "MaxPictures"),
            (11, 0x0a, "Status"),
            (12, 0x0e, "MMS"),
            (13, 0x0d, "MaxFolders"),
            (14, 0x3b, "AccountOnlyRemoteWipe"),
            (15, 0x23, "MaxPictures"),
            (16, 0x12, "Data"),
            (17, 0x2d, "InstanceId"),
            (18, 0x2b, "RightsManagementInformation"),
            (19, 0x0c, "ContentType"),
            (20, 0x19, "MoveAlways"),
            (21, 0x18, "Email"),
            (22, 0x17, "Send"),
            (23, 0x09, "Category"),
            (24, 0x18, "RemoveRightsManagementProtection"),
            (25, 0x22, "Picture"),
        ] {
            assert_eq!(name(page, token), Some(expected), "page {page}");
            assert_eq!(name(page, token + 1).filter(|_| (page, token) != (4, 0x33)), None, "page {page}");
        }
        assert_eq!((name(3, 5), name(0, 4), name(26, 5)), (None, None, None));
    }
}
