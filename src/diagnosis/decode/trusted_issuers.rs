//! `trusted_issuers` of a Bearer challenge: whose tokens a server takes. Whether a token is among them is for the rules.

use super::view::Decoded;
use crate::diagnosis::{Case, Place};
use crate::redact::Clean;

/// Applications by the ids that Microsoft gave them, as issuers of tokens.
const KNOWN: [(&str, &str); 5] = [
    ("00000001-0000-0000-c000-000000000000", "Entra ID (ACS) of tenant"),
    ("00000002-0000-0ff1-ce00-000000000000", "Exchange of realm"),
    ("00000003-0000-0ff1-ce00-000000000000", "SharePoint of realm"),
    ("00000004-0000-0ff1-ce00-000000000000", "Skype for Business of realm"),
    ("00000003-0000-0000-c000-000000000000", "Graph of tenant"),
];

/// The issuers one by one.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let issuers = case.challenges().iter().find_map(|challenge| challenge.clean_param("trusted_issuers"))?;
    let first = Decoded::new("trusted_issuers", Place::ResponseHeader("www-authenticate"));
    let all = issuers.as_str().split(',').map(str::trim).filter(|issuer| !issuer.is_empty());
    Some(all.fold(first, |part, issuer| {
        let (id, realm) = issuer.rsplit_once('@').unwrap_or((issuer, ""));
        let known = KNOWN.iter().find(|(known, _)| id.eq_ignore_ascii_case(known));
        match known {
            Some((_, name)) if realm == "*" => part.row(name, "any"),
            Some((_, name)) => part.row(name, issuers.part(realm)),
            None => part.row("issuer", issuers.part(issuer)),
        }
    }))
}

/// Whether Entra ID of `tenant` is among these issuers; nothing where they name no tenant of Entra at all.
pub(in crate::diagnosis) fn trusts_tenant(issuers: &Clean, tenant: &str) -> Option<bool> {
    let entra = KNOWN[0].0;
    let pairs = issuers.as_str().split(',').filter_map(|issuer| issuer.trim().rsplit_once('@'));
    let mut tenants = pairs.filter(|(id, _)| id.eq_ignore_ascii_case(entra)).map(|(_, tenant)| tenant).peekable();
    tenants.peek()?;
    Some(tenants.any(|trusted| trusted == "*" || trusted.eq_ignore_ascii_case(tenant)))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::super::decoded;
    use super::*;
    use crate::diagnosis::rules::kit::{Raw, exchanges};

    #[test]
    fn issuers_the_clock_and_graphs_error_are_shown() {
        let raw = Raw::new(
            "GET https://graph.microsoft.com/v1.0/me\nAuthorization: Bearer {jwt nbf=1795162000 exp=1795165600}",
            "401\nDate: Fri, 20 Nov 2026 09:12:44 GMT\n\
             WWW-Authenticate: Bearer trusted_issuers=\"00000001-0000-0000-c000-000000000000@*,a@b\"\n\
             Content-Type: application/json\n\n{\"error\":{\"code\":\"Bad\",\"message\":\"No.\"}}",
        );
        let parts = decoded(&exchanges(&[raw])[0]);
        let rows: Vec<_> = parts.iter().flat_map(|part| &part.rows).map(|row| (row.name, row.value.as_str())).collect();
        for row in [
            ("server's clock", "2026-11-20T09:12:44Z"),
            ("began", "66 min before"),
            ("ends", "6 min before: expired"),
            ("Entra ID (ACS) of tenant", "any"),
            ("code", "Bad"),
            ("message", "No."),
        ] {
            assert!(rows.contains(&row), "{row:?} in {rows:?}");
        }
    }

    #[test]
    fn a_tenant_is_trusted_by_its_id_or_as_any() {
        let issuers =
            Clean::from("00000004-0000-0ff1-ce00-000000000000@contoso.com, 00000001-0000-0000-C000-000000000000@AB");
        assert_eq!(trusts_tenant(&issuers, "ab"), Some(true));
        assert_eq!(trusts_tenant(&issuers, "cd"), Some(false));
        assert_eq!(trusts_tenant(&Clean::from("00000001-0000-0000-c000-000000000000@*"), "cd"), Some(true));
        assert_eq!(trusts_tenant(&Clean::from("https://sts.windows.net/*/"), "cd"), None);
    }
}
