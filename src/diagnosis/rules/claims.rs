//! What the five articles that this program grew from claim, and which finding answers each claim; with the rules it
//! makes the page `docs/findings/what-the-articles-claim.md`.

/// One claim of the articles.
pub(super) struct Claim {
    /// The articles that make it.
    pub(super) articles: &'static [usize],
    /// In our words.
    pub(super) words: &'static str,
    /// The rules that say so when traffic shows it, the closest first.
    pub(super) ids: &'static [&'static str],
    /// What holds today, where that differs or traffic cannot show it.
    pub(super) today: &'static str,
}

/// The articles, in the order in which the claims name them.
pub(super) const ARTICLES: [&str; 5] = [
    "MigrationWiz, 401 error suite (Japanese)",
    "MigrationWiz, 401 error suite (English)",
    "Microsoft KB2389390, the wizard cannot connect to the server",
    "Microsoft, HTTP 401 to the ActiveSync OPTIONS command",
    "Exchange team blog, hybrid modern authentication for Exchange on-premises",
];

const WIZ: &[usize] = &[0, 1];
const KB: &[usize] = &[2];
const EAS: &[usize] = &[3];
const HMA: &[usize] = &[4];

const fn claim(articles: &'static [usize], words: &'static str, ids: &'static [&'static str]) -> Claim {
    Claim { articles, words, ids, today: "" }
}

impl Claim {
    const fn today(self, today: &'static str) -> Self {
        Self { today, ..self }
    }
}

/// All of them, numbered from 1.
pub(super) static CLAIMS: [Claim; 58] = [
    claim(WIZ, "The user name or the password is wrong.", &["basic-bad-credentials", "aad-bad-password"]),
    claim(WIZ, "The account may not open the mailbox.", &["migration-account-permission", "ews-impersonation-denied"]),
    claim(WIZ, "The server had no resources left for the account.", &["server-overloaded", "throttled"]),
    claim(WIZ, "DatabaseNotFoundException: the mailbox has no database yet.", &["mailbox-not-provisioned"]),
    claim(WIZ, "Basic authentication is switched off.", &["basic-retired-exo"])
        .today("Exchange Online has none since 2022; nothing switches it on again. Use OAuth."),
    claim(WIZ, "The host in the message tells whether source or destination refused.", &["migrationwiz-error-line"]),
    claim(WIZ, "A new account may take a day until it can be used.", &["mailbox-not-provisioned"]),
    claim(
        WIZ,
        "User name or password were mistyped, or changed since.",
        &["basic-bad-credentials", "aad-bad-password", "aad-grant-revoked"],
    ),
    claim(
        WIZ,
        "The account has to pass multi-factor authentication.",
        &["aad-mfa-required", "basic-app-password-required"],
    ),
    claim(WIZ, "The password has expired or must be changed at the next sign-in.", &["aad-password-expired"]),
    claim(
        WIZ,
        "The browser offers several accounts, and another than the intended one was taken.",
        &["aad-account-picker"],
    ),
    claim(WIZ, "Security defaults demand multi-factor registration within 14 days.", &["aad-security-defaults"])
        .today("The 14 days are gone: registration is demanded at once."),
    claim(WIZ, "The administrator's account lacks rights.", &["migration-account-permission"]),
    claim(WIZ, "Impersonation is not allowed to the account.", &["ews-impersonation-denied"]),
    claim(WIZ, "A test of EWS in the browser or the connectivity analyzer tells the ends apart.", &[])
        .today("A way to find out, not a cause: send one EWS request through authtap, and read its finding."),
    claim(&[1], "Modern authentication is not set up in the project.", &["modern-auth-not-configured"]),
    claim(&[0], "Modern authentication works for mailboxes alone.", &["modern-auth-not-configured"])
        .today("No longer so: it is the only way, for every kind of item. The remedy of this finding says how."),
    claim(&[0], "An authentication policy with AllowBasicAuth brings Basic back.", &["basic-retired-exo"])
        .today("Without effect in Exchange Online today; the finding says so and gives what works."),
    claim(WIZ, "Entra Connect created the user, but no mailbox exists yet.", &["mailbox-not-provisioned"]),
    claim(WIZ, "The mailbox is damaged.", &["mailbox-not-provisioned"]),
    claim(WIZ, "The user's OneDrive was never set up.", &["onedrive-not-provisioned"]),
    claim(
        WIZ,
        "The user of the source OneDrive is blocked or has no licence.",
        &["onedrive-not-provisioned", "aad-account-disabled"],
    ),
    claim(WIZ, "An old server answers 401 when it is overloaded.", &["server-overloaded"]),
    claim(
        KB,
        "Exchange does not accept connections from outside.",
        &["outlook-anywhere-not-enabled", "mrsproxy-disabled"],
    ),
    claim(KB, "The account for the migration lacks rights on the mailboxes.", &["migration-account-permission"]),
    claim(KB, "Autodiscover is not set up rightly.", &["autodiscover-misconfigured"]),
    claim(KB, "The name of the server or of the RPC proxy is wrong.", &["rpc-proxy-address-wrong"]),
    claim(KB, "The wizard does not support this version of Exchange.", &["exchange-version-unsupported"]),
    claim(KB, "Outlook Anywhere has to offer Basic.", &["outlook-anywhere-basic-required"])
        .today("On your own servers only, and only for the virtual directory that the migration uses."),
    claim(KB, "TLS is missing on the RPC directory.", &["outlook-anywhere-not-enabled"]),
    claim(KB, "The certificate is out of date, untrusted, or for another name.", &["certificate-invalid"]),
    claim(KB, "The MRS proxy is off.", &["mrsproxy-disabled"]),
    claim(KB, "The test cmdlet has to be told which scheme to use: NTLM instead of Basic.", &["auth-scheme-mismatch"]),
    claim(EAS, "OPTIONS is refused because user name or password are wrong.", &["basic-bad-credentials"]),
    claim(EAS, "The user name has to be given as a UPN.", &["eas-upn-required"]),
    claim(
        EAS,
        "The mailbox is on Exchange 2003, whose directory lacks Windows authentication.",
        &["eas-2003-backend-iwa"],
    )
    .today("Of historic interest: Exchange 2003 has had no support since 2014."),
    claim(EAS, "Change it with Exchange's own tools: what IIS Manager sets is written over.", &["vdir-setting-lost"])
        .today("A rule of conduct. The finding gives it as its remedy."),
    claim(HMA, "The handshake begins with a Bearer that holds no token.", &["hma-empty-bearer"]),
    claim(
        HMA,
        "The client sends no Bearer: too old, switched off in the registry, or Outlook for Mac.",
        &["client-no-bearer"],
    ),
    claim(HMA, "The challenge names no authorization_uri.", &["hma-no-authorization-uri"]),
    claim(HMA, "The challenge names the wrong authorization_uri.", &["hma-wrong-authorization-uri"]),
    claim(HMA, "OAuth is off on a virtual directory, or on one server.", &["vdir-oauth-disabled"]),
    claim(HMA, "OAuth is not enabled for the domain or client.", &["oauth-not-enabled-for-client"]),
    claim(HMA, "The URL is not among the service principal names in Entra ID.", &["spn-missing"]),
    claim(
        HMA,
        "The name in the token is not the name that Exchange sees, as with a publishing proxy.",
        &["audience-host-mismatch"],
    ),
    claim(HMA, "A load balancer ends TLS and goes on over http.", &["ssl-offload-audience-scheme"]),
    claim(HMA, "Exchange does not know the user of the token.", &["user-not-in-directory"]),
    claim(HMA, "The password was changed, so that the refresh token is worth nothing.", &["aad-grant-revoked"]),
    claim(HMA, "\"Unicorn rampage\": a token endpoint that has lost all tokens.", &["aad-grant-revoked"])
        .today("The article's joke. What it shows is read like any revoked grant."),
    claim(
        HMA,
        "Certificates, names in them, and prompts about them break the sign-in.",
        &["tls-trust-failure", "certificate-invalid"],
    ),
    claim(HMA, "AD FS with Extended Protection refuses a proxy that decrypts.", &["adfs-extended-protection-mitm"]),
    claim(HMA, "An Exchange 2010 in the organisation stands in the way.", &["hma-exchange2010-coexist"]),
    claim(HMA, "Outlook has to use MAPI over HTTP.", &["hma-mapihttp-disabled"]),
    claim(HMA, "The server needs a certain cumulative update.", &["hma-server-version"])
        .today("The updates named then are old; Exchange SE is what is supported."),
    claim(HMA, "Client and server have to reach Entra ID.", &["aad-unreachable"]),
    claim(HMA, "All users have to be synchronised.", &["user-not-in-directory"]),
    claim(HMA, "Entra Connect has to write back for an Exchange hybrid deployment.", &["user-not-in-directory"])
        .today("No traffic shows the setting; the remedy of this finding names it."),
    claim(HMA, "The claims of a token tell much about a refusal.", &[])
        .today("Not a cause but a view: authtap shows the claims of every token, never its signature."),
];
