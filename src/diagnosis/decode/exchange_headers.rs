//! What Exchange says of itself in its headers: which servers took part, which build answered. Drawing conclusions from
//! it is for the rules.

use super::exchange_build::Build;
use super::view::Decoded;
use crate::diagnosis::{Case, Place};

/// The headers, as Exchange spells them, with the place they stand in.
const HEADERS: [(&str, &str); 18] = [
    ("X-FEServer", "x-feserver"),
    ("X-CalculatedFETarget", "x-calculatedfetarget"),
    ("X-CalculatedBETarget", "x-calculatedbetarget"),
    ("X-TargetBEServer", "x-targetbeserver"),
    ("X-BEServer", "x-beserver"),
    ("X-DiagInfo", "x-diaginfo"),
    ("X-FEProxyInfo", "x-feproxyinfo"),
    ("X-FEEFZInfo", "x-feefzinfo"),
    ("X-BackEndHttpStatus", "x-backendhttpstatus"),
    ("X-CasErrorCode", "x-caserrorcode"),
    ("X-Proxy-BackendServerStatus", "x-proxy-backendserverstatus"),
    ("X-Proxy-RoutingCorrectness", "x-proxy-routingcorrectness"),
    ("X-OWA-Version", "x-owa-version"),
    ("X-ServerApplication", "x-serverapplication"),
    ("MS-Server-ActiveSync", "ms-server-activesync"),
    ("X-EwsPolicyReason", "x-ews-policy-reason"),
    ("request-id", "request-id"),
    ("X-FailureContext", "x-failurecontext"),
];

/// The headers that are there, and the product of the build they name.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    if !case.is_exchange() {
        return None;
    }
    let mut found = HEADERS.iter().filter_map(|(name, place)| Some((*name, *place, case.response_header(place)?)));
    let (name, place, value) = found.next()?;
    let first = Decoded::new("Exchange", Place::ResponseHeader(place)).row(name, value.clone());
    let all = found.fold(first, |part, (name, _, value)| part.row(name, value.clone()));
    let build = Build::of(case).map(|(build, _)| build);
    Some(all.row_if("product", build.and_then(Build::product)).row_if("update", build.and_then(Build::release)))
}
