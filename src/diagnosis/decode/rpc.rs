//! RPC over HTTP, which Outlook Anywhere speaks: the direction of a channel, and the server and port it asks for.

use super::view::Decoded;
use crate::diagnosis::{Case, Directory, Place};
use crate::redact::Clean;

/// The server behind the RPC proxy that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::diagnosis) struct Target {
    /// Its name; since Exchange 2013 that of the mailbox.
    pub(in crate::diagnosis) server: Clean,
    /// Its port.
    pub(in crate::diagnosis) port: u16,
}

impl Target {
    /// Reads it off the query: `rpcproxy.dll?ex01.contoso.com:6001`.
    pub(in crate::diagnosis) fn of(case: &Case<'_>) -> Option<Self> {
        let url = case.exchange.url.as_ref()?;
        let first = url.query()?.split('&').next()?;
        let (server, port) = first.rsplit_once(':')?;
        Some(Self { server: url.text().part(server).percent_decoded(), port: port.parse().ok()? })
    }

    /// What listens on the port in an Exchange organisation.
    pub(in crate::diagnosis) const fn role(&self) -> Option<&'static str> {
        match self.port {
            6001 => Some("information store"),
            6002 => Some("directory referral"),
            6004 => Some("directory service proxy"),
            _ => None,
        }
    }

    /// `ex01.contoso.com:6001`.
    pub(in crate::diagnosis) fn text(&self) -> Clean {
        Clean::concat([self.server.clone(), ":".into(), Clean::from(self.port)])
    }
}

/// Whether the request is one of Outlook Anywhere. Remote Desktop Gateway has the same path, and asks for other ports;
/// where no port is named, only an answer of Exchange tells.
pub(in crate::diagnosis) fn is_outlook_anywhere(case: &Case<'_>) -> bool {
    let path = case.path().to_ascii_lowercase();
    let rpc = matches!(case.method(), "RPC_IN_DATA" | "RPC_OUT_DATA")
        || (case.directory() == Some(Directory::Rpc) && path.starts_with("/rpc/rpcproxy"));
    rpc && Target::of(case).map_or_else(|| case.is_exchange(), |target| target.role().is_some())
}

/// The channel.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let direction = match case.method() {
        "RPC_IN_DATA" => Some("from the client"),
        "RPC_OUT_DATA" => Some("to the client"),
        _ => None,
    };
    if direction.is_none() && case.directory() != Some(Directory::Rpc) {
        return None;
    }
    let target = Target::of(case);
    let part = Decoded::new("RPC over HTTP", Place::RequestUrl).row_if("channel", direction);
    let part = part.row_if("server", target.as_ref().map(|target| target.server.clone()));
    let part = part.row_if("port", target.as_ref().map(|target| target.port));
    Some(part.row_if("service", target.as_ref().and_then(Target::role)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnosis::rules::kit::{Raw, exchanges};
    use crate::diagnosis::{Capture, Past};

    fn rows(request: &'static str) -> Vec<String> {
        let exchange = exchanges(&[Raw::new(request, "")]).remove(0);
        let past = Past::default();
        let part = decoded(&Case::new(&exchange, &past, Capture::Imported)).unwrap();
        part.rows.iter().map(|row| row.value.to_string()).collect()
    }

    #[test]
    fn the_target_is_read_off_the_query() {
        assert_eq!(
            rows("RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6001"),
            ["from the client", "ex01.contoso.com", "6001", "information store"]
        );
        assert_eq!(
            rows(
                "RPC_OUT_DATA https://mail.contoso.com/rpc/rpcproxy.dll?\
                 4f2a0000-0000-4000-8000-000000000001@contoso.com:6004"
            ),
            ["to the client", "mailbox#1@contoso.com", "6004", "directory service proxy"]
        );
        assert_eq!(rows("RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll"), ["from the client"]);
    }

    #[test]
    fn a_remote_desktop_gateway_is_not_outlook_anywhere() {
        let is = |request| {
            let exchange = exchanges(&[Raw::new(request, "")]).remove(0);
            is_outlook_anywhere(&Case::new(&exchange, &Past::default(), Capture::Imported))
        };
        assert!(is("RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01:6002"));
        assert!(is("RPC_OUT_DATA https://mail.contoso.com/RpcWithCert/RpcProxy.dll?ex01:6001"));
        assert!(!is("RPC_IN_DATA https://rdg.contoso.com/rpc/rpcproxy.dll?localhost:3388"));
        assert!(!is("GET https://mail.contoso.com/rpc/"));
        assert!(!is("RPC_IN_DATA https://rdg.contoso.com/rpc/rpcproxy.dll"));
    }
}
