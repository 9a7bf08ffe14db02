//! What names say of the values that stand under them: in queries, forms, JSON, XML, HTML and prose.
//!
//! One table for all of them, so that a parameter is treated alike wherever it stands. What is not in it is shown by
//! its shape or not at all.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::memory::Kind;
use super::net::Class;

/// What is done with a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Shown as prose: words stay, identities and opaque words are masked.
    Words,
    /// Shown as prose with names of servers in it, which mix letters and digits.
    Diagnostics,
    /// Shown as names and versions of products.
    Product,
    /// Shown as an identifier.
    Id,
    /// A URL.
    Url,
    /// Someone, or something that names someone.
    Identity(Kind),
    /// A token: its facts stay.
    Token,
    /// A credential: hidden, whatever its shape, and met by the second net.
    Credential(Class),
    /// Hidden, whatever its shape.
    Secret,
    /// A claims request: JSON, maybe in base64.
    Claims,
    /// Shown where the shape cannot hold a secret, else hidden.
    Shape,
}

impl Treatment {
    /// Whether the value is hidden, whatever its shape.
    pub(super) const fn hides(self) -> bool {
        matches!(self, Self::Credential(_) | Self::Secret)
    }
}

use Treatment::{Claims, Credential, Id, Identity, Product, Secret, Token, Url, Words};

/// What is done with the value of `name`, by the table alone.
pub(super) fn known(name: &str) -> Option<Treatment> {
    let mut plain = [0_u8; 40];
    let mut length = 0;
    for byte in name.bytes().filter(|byte| !matches!(byte, b'-' | b'_')) {
        *plain.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    TABLE.get(std::str::from_utf8(&plain[..length]).ok()?).copied()
}

/// What is done with the value of `name`.
pub(super) fn treatment(name: &str) -> Treatment {
    known(name).or_else(|| secret(name)).unwrap_or(Treatment::Shape)
}

/// What is done with the value of a name, not in the table, that says itself that this is a secret.
pub(super) fn secret(name: &str) -> Option<Treatment> {
    const PARTS: [(&str, Treatment); 14] = [
        ("passw", Credential(Class::Password)),
        ("pwd", Credential(Class::Password)),
        ("assertion", Credential(Class::Assertion)),
        ("token", Credential(Class::Token)),
        ("secret", Credential(Class::Key)),
        ("canary", Credential(Class::Key)),
        ("key", Credential(Class::Key)),
        ("cookie", Credential(Class::Cookie)),
        ("session", Credential(Class::Cookie)),
        ("sig", Credential(Class::Signature)),
        ("cred", Credential(Class::Key)),
        ("ticket", Credential(Class::Token)),
        ("auth", Secret),
        ("nonce", Secret),
    ];
    PARTS.into_iter().find(|(part, _)| contains(name, part)).map(|(_, treatment)| treatment)
}

/// Whether `part`, in lower case, stands in `name` in any letter case.
fn contains(name: &str, part: &str) -> bool {
    name.as_bytes().windows(part.len()).any(|found| found.eq_ignore_ascii_case(part.as_bytes()))
}

/// Whether a name says that its value is a password, which may look like any word.
pub(super) fn is_password_name(name: &str) -> bool {
    const PARTS: [&str; 5] = ["passw", "passcode", "pwd", "secret", "canary"];
    PARTS.iter().any(|part| contains(name, part))
}

/// Whether prose announces the thumbprint of a certificate, which is no secret.
pub(super) fn ends_with_thumbprint(before: &str) -> bool {
    let mut from = before.len().saturating_sub(48);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    before[from..].to_ascii_lowercase().contains("thumbprint")
}

/// Whether `part`, in lower case, stands in a name of the table.
pub(super) fn is_part(part: &str) -> bool {
    TABLE.keys().any(|name| name.contains(part))
}

/// Groups of names, in lower case without `-` and `_`.
static GROUPS: &[(Treatment, &str)] = &[
    // Shown by name: support cannot work without them.
    (
        Id,
        "clientid appid roleinstance applicationid tid tenant tenantid requestid clientrequestid correlationid traceid \
         strtraceid activityid oautheventoperationid oautheventcv msrequestid xmsrequestid sprequestguid \
         timestamp date st feserver beserver targetbeserver server mserrorid errorid contextid \
         apiversion version xclientsku xclientver xclientos xclientcpu majorversion minorversion \
         majorbuildnumber minorbuildnumber ver hresult sessionserver",
    ),
    (
        Words,
        "resource scope scopes responsetype responsemode error errors errorcode errorcodes errordescription \
         errorsubcode errormessage suberror granttype cmd clientassertiontype requestedtokenuse wa protocol tokentype expiresin \
         extexpiresin expireson notbefore status statusmessage message msg detail details reason \
         errorcategory category source errorsummary faultcode faultstring responsecode messagetext \
         descriptivelinkkey action authpackage certprincipalname type culture redirectcount \
         strmainmessage strservicetitle strserviceexceptionmessage serrorcode ierrorcode strheadertext \
         serrtxt exceptiontype exceptionmessage errortype hint serverinfo datacenter slice ring \
         scaleunit service issuer issuerkind tokentypes trustedissuers charset algorithm qop \
         stale domain codechallengemethod prompt domainhint audience aud iss roles scp tenantregionscope \
         cloudinstancename usertype namespacetype federationbrandname domainname",
    ),
    (Product, "ua useragent devicetype realm servicerealm"),
    (
        Url,
        "authorizationuri redirecturi redirecturl url uri wreply wtrealm erroruri errorurl documentationurl \
         internalurl externalurl ewsurl oaburl asurl ecpurl returnurl resourceurl verificationuri \
         verificationurl tokenendpoint authorizationendpoint jwksuri endsessionendpoint \
         deviceauthorizationendpoint userinfoendpoint acceptableresponseschema href src authurl \
         postlogoutredirecturi activedirectoryendpoint",
    ),
    (Claims, "claims"),
    // Identities.
    (
        Identity(Kind::User),
        "user username loginhint login email emailaddress mail upn userprincipalname uniquename \
         preferredusername loginname loginfmt smtp smtpaddress primarysmtpaddress redirectaddr \
         autodiscoversmtpaddress mailbox principalname sid principal anchormailbox signinname address from \
         userid account pii.email actas routingaddress targetaddress sip",
    ),
    (Identity(Kind::Name), "displayname givenname familyname surname"),
    (Identity(Kind::Mailbox), "mailboxid mailboxguid exchangeguid"),
    (Identity(Kind::Device), "deviceid devicefriendlyname imei phonenumber"),
    (
        Identity(Kind::Id),
        "oid puid sub onpremsid objectid netid homeaccountid altsecid uti legacydn userlegacydn mailboxdn \
         serverdn",
    ),
    (Identity(Kind::Address), "xforwardedfor clientip ipaddr ipaddress xmsrpipaddr ip xmsrpipaddress callerip"),
    // Tokens, whose facts stay.
    (
        Token,
        "accesstoken idtoken refreshtoken clientassertion assertion bearertoken tempauth idtokenhint \
         subjecttoken actortoken securitytoken",
    ),
    // Credentials whose names do not say so, and numbers under names that do.
    (Credential(Class::Password), "pass passwd passphrase password wsse:password"),
    (
        Credential(Class::Code),
        "code otc pin totp devicecode usercode codeverifier otp totpcode otpcode mfacode passcode pincode \
         verificationcode securitycode smscode onetimecode accesscode",
    ),
    (Credential(Class::Assertion), "wresult samlresponse requestedrst binarysecuritytoken"),
    (Credential(Class::Key), "clientsecret secret flowtoken sft canary apicanary sctx"),
    // Secrets that let nobody in.
    (
        Secret,
        "state nonce p t ctx opaque cnonce response nc rspauth nextnonce codechallenge subject body content samlrequest filename \
         relaystate policykey digest",
    ),
    // Ends in a secret's part, is none.
    (Id, "keyid x5t kid authenticationtype authmethod oauthenabled keytype"),
];

static TABLE: LazyLock<HashMap<&'static str, Treatment>> = LazyLock::new(|| {
    GROUPS.iter().flat_map(|(treatment, names)| names.split_whitespace().map(|name| (name, *treatment))).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_typed_in_is_a_secret_though_it_is_a_number() {
        for name in ["otp", "passcode", "verification_code", "securityCode", "SMSCode", "mfaCode"] {
            assert!(treatment(name) == Credential(Class::Code), "{name}");
        }
        assert!(treatment("statusCode") == Treatment::Shape);
    }
}
