//! The organisations of the demo: each has one thing wrong, the first has none.

/// A company with an Exchange server and a user who starts Outlook.
pub(super) struct Organisation {
    /// The mail domain.
    pub(super) domain: &'static str,
    /// Its tenant at the identity provider.
    pub(super) tenant: &'static str,
    /// The front-end server's name, as in X-FEServer.
    pub(super) server: &'static str,
    /// What is wrong there.
    pub(super) fault: Fault,
}

/// What is wrong in an organisation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing: modern authentication works.
    None,
    /// Outlook is so old, or so configured, that it never offers Bearer; its stored password is wrong.
    OldOutlook,
    /// No AuthServer is the default authorization endpoint.
    NoDefaultEndpoint,
    /// OAuth is off on the /OAB virtual directory.
    OabWithoutOAuth,
    /// OAuth2ClientProfileEnabled is False.
    ClientProfileOff,
    /// The URL is no service principal name in the tenant.
    SpnMissing,
    /// A publishing device sends autodiscover's requests to the mail host's rule.
    NameRewritten,
    /// The load balancer ends TLS and forwards plain HTTP.
    SslOffload,
    /// The user is not synchronised.
    UnknownUser,
    /// The user changed the password; the refresh token is revoked.
    PasswordChanged,
    /// The identity provider behaves as in a famous joke.
    Unicorns,
    /// The firewall lets nobody reach the sign-in host.
    SignInBlocked,
    /// The user's mailbox is still on Exchange 2010.
    Exchange2010,
    /// MAPI over HTTP is off: Outlook falls back to RPC over HTTP.
    MapiHttpOff,
    /// The client machine does not trust the proxy's root certificate.
    ProxyNotTrusted,
}

impl Organisation {
    /// The names its Exchange answers to.
    pub(super) fn hosts(&self) -> [String; 2] {
        [self.mail(), format!("autodiscover.{}", self.domain)]
    }

    pub(super) fn mail(&self) -> String {
        format!("mail.{}", self.domain)
    }

    /// The user who starts Outlook.
    pub(super) fn user(&self) -> String {
        format!("avery@{}", self.domain)
    }

    /// Where its MAPI over HTTP has the user's mailbox.
    pub(super) fn mapi(&self) -> String {
        format!("/mapi/emsmdb/?MailboxId=4f2a0000-0000-4000-8000-000000000001@{}", self.domain)
    }

    /// Where its RPC over HTTP leads to the server of the mailbox.
    pub(super) fn rpc(&self) -> String {
        format!("/rpc/rpcproxy.dll?{}.{}:6001", self.server.to_ascii_lowercase(), self.domain)
    }

    /// The organisation that `host` belongs to.
    pub(super) fn of_host(host: &str) -> Option<&'static Self> {
        ORGANISATIONS.iter().find(|organisation| organisation.hosts().iter().any(|name| name == host))
    }

    /// The organisation that the URL of a requested resource belongs to.
    pub(super) fn of_resource(resource: &str) -> Option<&'static Self> {
        Self::of_host(resource.strip_prefix("https://")?.trim_end_matches('/'))
    }
}

macro_rules! organisations {
    ($($fault:ident $domain:literal $server:literal $tenant:literal)*) => {
        &[$(Organisation { domain: $domain, tenant: $tenant, server: $server, fault: Fault::$fault }),*]
    };
}

/// All organisations, in the order in which the demo visits them.
pub(super) static ORGANISATIONS: &[Organisation] = organisations! {
    None              "contoso.com"          "EX01"     "5b1c2a90-6f3e-4d27-9a55-0c7e1f4b8d01"
    OldOutlook        "fabrikam.com"         "FABEX1"   "6e0d1b7a-3c52-4b8e-8f10-2a94c3d75e02"
    NoDefaultEndpoint "adatum.com"           "ADAMBX01" "71f2c48b-0a6d-4e93-b7c5-5d18e2f69a03"
    OabWithoutOAuth   "litwareinc.com"       "LITEX02"  "82a3d59c-1b7e-4fa4-88d6-6e29f3a70b04"
    ClientProfileOff  "northwindtraders.com" "NWEX16"   "93b4e6ad-2c8f-40b5-99e7-7f3a04b81c05"
    SpnMissing        "wingtiptoys.com"      "WTEX01"   "a4c5f7be-3d90-41c6-8af8-804b15c92d06"
    NameRewritten     "proseware.com"        "PWEX02"   "b5d608cf-4ea1-42d7-9b09-915c26da3e07"
    SslOffload        "tailspintoys.com"     "TSMB02"   "c6e719d0-5fb2-43e8-8c1a-a26d37eb4f08"
    UnknownUser       "woodgrovebank.com"    "WGEX15"   "d7f82ae1-60c3-44f9-9d2b-b37e48fc5009"
    PasswordChanged   "alpineskihouse.com"   "ASEX01"   "e8093bf2-71d4-450a-8e3c-c48f590d610a"
    Unicorns          "fourthcoffee.com"     "FCEX01"   "f91a4c03-82e5-461b-9f4d-d5906a1e720b"
    SignInBlocked     "margiestravel.com"    "MTEX01"   "0a2b5d14-93f6-472c-805e-e6a17b2f830c"
    Exchange2010      "cohovineyard.com"     "CVEX13"   "1b3c6e25-a407-483d-916f-f7b28c30940d"
    MapiHttpOff       "lucernepublishing.com" "LPEX01"  "2c4d7f36-b518-494e-8270-08c39d41a50e"
    ProxyNotTrusted   "treyresearch.net"     "TREX01"   "3d5e8047-c629-4a5f-9381-19d4ae52b60f"
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_an_organisation_is_its_own() {
        for one in ORGANISATIONS {
            let domain = |text: &str| ORGANISATIONS.iter().filter(|other| text.contains(other.domain)).count();
            for text in [one.mapi(), one.rpc(), one.user(), one.mail()] {
                assert!(text.contains(one.domain) && domain(&text) == 1, "{text} of {}", one.domain);
            }
        }
    }
}
