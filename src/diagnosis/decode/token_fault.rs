//! What Exchange finds wrong with a token, read from `x-ms-diagnostics`.
//!
//! The words of the reason decide, then its category, and the number last: numbers were reused (2000009 stood for a
//! certificate and stands for an issuer), and one reason comes under several of them. What stands in quotation marks is
//! somebody's name and decides nothing.

use super::{Diagnostics, Family};
use crate::diagnosis::Certainty;

/// One thing that can be wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// The signature does not verify.
    Signature,
    /// It is no token that Exchange can read, or one that lacks what every token has.
    Malformed,
    /// Its time is over.
    Expired,
    /// Nobody whom Exchange trusts issued it.
    Issuer,
    /// It is for another resource: which, only comparing the names tells.
    Audience,
    /// Its tenant is not known here.
    Tenant,
    /// Its user is not known here.
    User,
    /// Its user is known more than once.
    AmbiguousUser,
    /// The mailbox lies on a version without OAuth.
    MailboxVersion,
    /// Its application is not known here.
    Application,
    /// Its application is known and stands for no account with rights.
    LinkedAccount,
    /// It does not reach far enough.
    Scope,
    /// Its application proved itself too weakly.
    Strength,
    /// It lacks a claim that a policy on the way asks for.
    Claims,
    /// Nothing that is known: the server could not look it up.
    Lookup,
    /// OAuth is not available to this user or client.
    Unavailable,
}

use TokenFault::{
    AmbiguousUser, Application, Audience, Claims, Expired, Issuer, LinkedAccount, Lookup, MailboxVersion, Malformed,
    Scope, Signature, Strength, Tenant, Unavailable, User,
};

impl TokenFault {
    /// What the diagnostics say. Certain by their reason, likely by category or number alone; nothing where neither is
    /// known.
    pub fn of(said: &Diagnostics<'_>) -> Option<(Self, Certainty)> {
        if said.family != Family::Exchange {
            return None;
        }
        let category = by_category(said.category);
        let mut room = [0; LONGEST];
        if let Some(fault) = by_reason(plain(said.reason, &mut room), category) {
            return Some((fault, Certainty::Certain));
        }
        category.or_else(|| by_number(said.code?)).map(|fault| (fault, Certainty::Likely))
    }
}

/// Longer reasons are read to here.
const LONGEST: usize = 512;

/// `reason` in lower case, without what stands in quotation marks.
fn plain<'r>(reason: &str, room: &'r mut [u8; LONGEST]) -> &'r str {
    let mut length = 0;
    let mut quoted = false;
    let mut before = b' ';
    let bytes = reason.as_bytes();
    for (at, byte) in bytes.iter().enumerate().take(LONGEST) {
        let inside = |neighbour: Option<&u8>| neighbour.is_some_and(u8::is_ascii_alphanumeric);
        // "user's" is no quotation.
        let mark = *byte == b'"' || (*byte == b'\'' && !(before.is_ascii_alphanumeric() && inside(bytes.get(at + 1))));
        quoted ^= mark;
        if !quoted && !mark && byte.is_ascii() {
            room[length] = byte.to_ascii_lowercase();
            length += 1;
        }
        before = *byte;
    }
    std::str::from_utf8(&room[..length]).unwrap_or_default()
}

/// By words that mean one thing alone, the particular first.
fn by_reason(reason: &str, category: Option<TokenFault>) -> Option<TokenFault> {
    const WORDS: [(&str, TokenFault); 26] = [
        ("flighting", Unavailable),
        ("trpid", Claims),
        ("tenant-restriction", Claims),
        ("tenant restriction", Claims),
        ("auth strength", Strength),
        ("too weak", Strength),
        ("linked account", LinkedAccount),
        ("mailbox version", MailboxVersion),
        ("ambiguous", AmbiguousUser),
        ("active directory operation", Lookup),
        ("unexpected error", Lookup),
        ("application identifier", Application),
        ("nameid claim", Application),
        ("issuer of the token is unknown", Issuer),
        ("issuer is unknown", Issuer),
        ("issuer is not trusted", Issuer),
        ("audience", Audience),
        ("signature", Signature),
        ("expired", Expired),
        ("tid claim", Tenant),
        ("masteraccountsid", User),
        ("scope", Scope),
        ("requires the following permission", Scope),
        ("not supported with oauth", Scope),
        ("specified in the oauth token", Scope),
        ("can not be parsed", Malformed),
    ];
    /// Said of every sort of claim: a category that is more particular says which.
    const VAGUE: [&str; 9] = [
        "cannot be parsed",
        "unable to read",
        "missing the issuer",
        "missing the claim",
        "must be signed",
        "must be unsigned",
        "for the claim type",
        "issuer claim value is invalid",
        "not well formed",
    ];
    let has = |words: &str| reason.contains(words);
    if let Some((_, fault)) = WORDS.iter().find(|(words, _)| has(words)) {
        return Some(*fault);
    }
    if has("does not exist") || has("not found") {
        let whose = [("tenant", Tenant), ("realm", Tenant), ("user", User), ("application", Application)];
        if let Some((_, fault)) = whose.iter().find(|(words, _)| has(words)) {
            return Some(*fault);
        }
    }
    VAGUE.iter().any(|words| has(words)).then(|| category.unwrap_or(Malformed))
}

fn by_category(category: &str) -> Option<TokenFault> {
    const CATEGORIES: [(&str, TokenFault); 15] = [
        ("invalid_signature", Signature),
        // The certificate that the token is signed with.
        ("invalid_certificate", Signature),
        ("invalid_token", Malformed),
        ("token_expired", Expired),
        ("invalid_issuer", Issuer),
        ("invalid_resource", Audience),
        ("invalid_tenant", Tenant),
        ("invalid_user", User),
        ("invalid_client", Application),
        ("invalid_grant", Scope),
        ("internal_error", Lookup),
        ("insufficient_auth_strength", Strength),
        ("insufficient_claims", Claims),
        ("insufficiant_claims", Claims),
        ("oauth_not_available", Unavailable),
    ];
    CATEGORIES.iter().find(|(name, _)| category.eq_ignore_ascii_case(name)).map(|(_, fault)| *fault)
}

/// The numbers that were never reused.
const fn by_number(code: u32) -> Option<TokenFault> {
    Some(match code {
        2_000_000 => Signature,
        2_000_001 => Malformed,
        2_000_002 => Expired,
        2_000_003 => Audience,
        2_000_004 => Tenant,
        2_000_005 => User,
        2_000_006 => Application,
        2_000_007 => Lookup,
        2_000_008 => Scope,
        2_000_010 => Strength,
        2_000_020 => Claims,
        4_000_000 => Unavailable,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::redact::Clean;

    fn fault(line: &'static str) -> Option<(TokenFault, Certainty)> {
        TokenFault::of(&Diagnostics::read(&Clean::from(line)).unwrap())
    }

    fn by_words(reason: &str) -> Option<TokenFault> {
        by_reason(plain(reason, &mut [0; LONGEST]), None)
    }

    #[test]
    fn every_reason_that_is_known_is_told_by_its_words_alone() {
        for (reason, expected) in [
            ("The token has an invalid signature.", Signature),
            ("OAuth token submitted with the request can not be parsed.", Malformed),
            ("The token is missing the issuer.", Malformed),
            ("The token is missing the claim type 'aud'.", Malformed),
            ("The user context must be unsigned.", Malformed),
            ("The inner actor token must be signed.", Malformed),
            ("Unable to read or process token.", Malformed),
            ("The token has invalid value 'https://expired.contoso.com' for the claim type 'scope'.", Malformed),
            ("The issuer claim value is invalid 'https://sts.contoso.com'.", Malformed),
            ("The issuer of the token is unknown. Issuer was '00000001-0000-0000-c000-000000000000@x'.", Issuer),
            ("THE TOKEN HAS EXPIRED.", Expired),
            ("The audience of the token 'a' doesn't match the endpoint 'b'.", Audience),
            ("The audience in the token does not specify a realm.", Audience),
            ("The tenant for tenant guid 'x' does not exist.", Tenant),
            ("The tenant for realm/context-id 'x' does not exist.", Tenant),
            ("The tid claim is missing.", Tenant),
            ("The user specified by the user-context in the token does not exist.", User),
            ("The user specified by the user-context in the token is ambiguous.", AmbiguousUser),
            ("The user's mailbox version is not supported for access using OAuth.", MailboxVersion),
            ("The MasterAccountSid doesn't match the SID claim.", User),
            ("The Application Identifier 'user@scope' is unknown.", Application),
            ("The application identifier in the nameid claim value is invalid 'x'.", Application),
            ("The Active Directory operation failed.", Lookup),
            ("An unexpected error occurred.", Lookup),
            ("The token contains not enough scope to make this call.", Scope),
            ("The token contains no scope information, or scope can not be understood.", Scope),
            ("The call should access the mailbox specified in the oauth token.", Scope),
            ("The call you are trying to access is not supported with OAuth token.", Scope),
            ("Access to this API requires the following permissions: 'A.B'. However, …", Scope),
            ("The token should have valid permissions or linked account associated with partner application 'x'.", {
                LinkedAccount
            }),
            ("authentication method that is too weak to allow access for this application.", Strength),
            ("xms_trpid claim was not present but sec-tenant-restriction-access-policy header was in requres", Claims),
            ("Flighting is not enabled for domain 'x'.", Unavailable),
        ] {
            assert_eq!(by_words(reason), Some(expected), "{reason}");
        }
        assert_eq!(by_words("Something 'expired' and \"audience\" in quotation marks"), None);
    }

    #[test]
    fn the_category_outranks_the_number_and_the_words_outrank_both() {
        use Certainty::{Certain, Likely};
        let unknown = r#"2000009;reason="Something new.";error_category="invalid_issuer""#;
        assert_eq!(fault(unknown), Some((Issuer, Likely)));
        assert_eq!(fault(r#"2000009;reason="Bad.";error_type="Invalid_Certificate""#), Some((Signature, Likely)));
        assert_eq!(
            fault(r#"2000001;reason="The token has expired.";error_category="invalid_token""#),
            Some((Expired, Certain))
        );
        assert_eq!(
            fault(r#"2000004;reason="The token is missing the claim type 'tid'.";error_category="invalid_tenant""#),
            Some((Tenant, Certain))
        );
        assert_eq!(fault("2000002"), Some((Expired, Likely)));
        assert_eq!(fault("2000009"), None);
        assert_eq!(fault(r#"2999999;reason="New.";error_category="new""#), None);
        assert_eq!(fault(r#"3000006;reason="Token contains invalid signature.";category="invalid_client""#), None);
    }
}
