//! The virtual directories that Exchange puts into IIS.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Directory {
    /// MAPI over HTTP.
    Mapi,
    /// Exchange Web Services.
    Ews,
    /// The offline address book.
    Oab,
    /// Autodiscover.
    Autodiscover,
    /// Exchange ActiveSync.
    ActiveSync,
    /// Outlook on the web.
    Owa,
    /// The admin center.
    Ecp,
    /// Outlook Anywhere.
    Rpc,
    /// Remote PowerShell.
    PowerShell,
    /// REST.
    Api,
}

impl Directory {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Mapi,
        Self::Ews,
        Self::Oab,
        Self::Autodiscover,
        Self::ActiveSync,
        Self::Owa,
        Self::Ecp,
        Self::Rpc,
        Self::PowerShell,
        Self::Api,
    ];

    /// The one that `path` lies in, in any letter case.
    pub fn of(path: &str) -> Option<Self> {
        let inside = path.strip_prefix('/')?;
        let first = &inside[..inside.find('/').unwrap_or(inside.len())];
        Self::ALL.into_iter().find(|directory| directory.path()[1..].eq_ignore_ascii_case(first))
    }

    /// `/mapi`, in lower case.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Mapi => "/mapi",
            Self::Ews => "/ews",
            Self::Oab => "/oab",
            Self::Autodiscover => "/autodiscover",
            Self::ActiveSync => "/microsoft-server-activesync",
            Self::Owa => "/owa",
            Self::Ecp => "/ecp",
            Self::Rpc => "/rpc",
            Self::PowerShell => "/powershell",
            Self::Api => "/api",
        }
    }

    /// The noun of its cmdlets, as in `Get-MapiVirtualDirectory`. `/api` has none of its own: its settings follow EWS.
    pub const fn cmdlet(self) -> &'static str {
        match self {
            Self::Mapi => "MapiVirtualDirectory",
            Self::Ews | Self::Api => "WebServicesVirtualDirectory",
            Self::Oab => "OabVirtualDirectory",
            Self::Autodiscover => "AutodiscoverVirtualDirectory",
            Self::ActiveSync => "ActiveSyncVirtualDirectory",
            Self::Owa => "OwaVirtualDirectory",
            Self::Ecp => "EcpVirtualDirectory",
            Self::Rpc => "OutlookAnywhere",
            Self::PowerShell => "PowerShellVirtualDirectory",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_decides_in_any_letter_case() {
        assert_eq!(Directory::of("/EWS/Exchange.asmx"), Some(Directory::Ews));
        assert_eq!(Directory::of("/Microsoft-Server-ActiveSync"), Some(Directory::ActiveSync));
        assert_eq!(Directory::of("/mapi2/x"), None);
        assert_eq!(Directory::of(""), None);
    }
}
