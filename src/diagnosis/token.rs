//! A token that was sent, set against the request and the server's clock.

use super::answered::by_exchange;
use super::{Actor, Case, Certainty, Evidence, Hit, Place, TokenFault};
use crate::redact::{Clean, Jwt};

/// What servers let pass when two clocks differ.
pub(super) const TOLERANCE: i64 = 300;

/// What the times of a token come to on the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// It ended so many seconds before.
    Over(i64),
    /// It begins so many seconds after.
    NotYet(i64),
    /// It lasts, or nothing is known.
    Good,
}

impl Lifetime {
    /// Of the token in `case`, where the server told its time.
    pub(super) fn of(case: &Case<'_>) -> Self {
        match (case.jwt(), case.server_time()) {
            (Some(jwt), Some(now)) => Self::at(jwt, now),
            _ => Self::Good,
        }
    }

    fn at(jwt: &Jwt, now: i64) -> Self {
        match (jwt.nbf.or(jwt.iat), jwt.exp) {
            (Some(begins), _) if begins.saturating_sub(now) > TOLERANCE => Self::NotYet(begins.saturating_sub(now)),
            (_, Some(ends)) if ends < now => Self::Over(now.saturating_sub(ends)),
            _ => Self::Good,
        }
    }

    /// How sure a refusal for this reason is: within the tolerance a server may have had another.
    pub(super) const fn certainty(self) -> Option<Certainty> {
        match self {
            Self::Over(seconds) | Self::NotYet(seconds) if seconds > TOLERANCE => Some(Certainty::Certain),
            Self::Over(_) | Self::NotYet(_) => Some(Certainty::Likely),
            Self::Good => None,
        }
    }
}

/// The beginning of a finding about a token that Exchange refuses for this reason.
pub(super) fn refused(case: &Case<'_>, fault: TokenFault, actor: Actor) -> Option<Hit> {
    let (_, certainty) = case.token_fault().filter(|(found, _)| *found == fault)?;
    let hit = Hit::failure(certainty, actor).on(case.on_user()).naming("host", case.host_name());
    let hit = hit.because(case.evidence_header("x-ms-diagnostics"));
    Some(if case.bearer().is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

/// Whether Exchange itself refused a token and gave no reason: then the token is all there is to read.
pub(super) fn is_unexplained(case: &Case<'_>) -> bool {
    case.status() == Some(401)
        && case.bearer().is_some()
        && case.lacks_response_header("x-ms-diagnostics")
        && by_exchange(case)
        && case.is_exchange()
        && !case.challenges().iter().any(|challenge| challenge.param("claims").is_some())
}

/// Whether the caller is a server of Exchange: it asks for free/busy and the like on behalf of its users.
pub(super) fn is_from_server(case: &Case<'_>) -> bool {
    const AGENTS: [&str; 7] = [
        "asproxy",
        "asautodiscover",
        "availabilityservice",
        "exchangeinternalewsclient",
        "msexchange",
        "exchangeserver",
        "mailtips",
    ];
    let begins = |word: &str, name: &str| {
        word.as_bytes().get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
    };
    case.request_header("user-agent")
        .is_some_and(|agent| agent.as_str().split(' ').any(|word| AGENTS.iter().any(|name| begins(word, name))))
}

/// The server's clock beside the times of the token.
pub(super) fn evidence_times(case: &Case<'_>) -> Option<Evidence> {
    let now = case.server_time()?;
    let jwt = case.jwt()?;
    let moment = |name: &'static str, at: Option<i64>| match at {
        Some(at) => Clean::concat([name.into(), Clean::moment(at)]),
        None => "".into(),
    };
    let text = [moment("server: ", Some(now)), moment(", token: nbf ", jwt.nbf), moment(", exp ", jwt.exp)];
    let place =
        if case.response_header("date").is_some() { Place::ResponseHeader("date") } else { Place::ResponseBody };
    Some(case.evidence(place, Clean::concat(text)))
}

/// The application id in a name such as `00000004-0000-0ff1-ce00-000000000000@contoso.com`.
pub(super) fn quoted_id(case: &Case<'_>) -> Option<Clean> {
    let reason = case.diagnostics()?.clean_reason();
    let mut quoted = reason.as_str().split(['\'', '"']).skip(1);
    let whole = quoted.next()?;
    let id = whole.split(['@', '/']).next()?;
    (id.len() == 36).then(|| reason.part(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_measured_by_the_servers_clock() {
        let token = |nbf, exp| Jwt { nbf: Some(nbf), exp: Some(exp), ..Jwt::default() };
        assert_eq!(Lifetime::at(&token(1000, 5000), 6000), Lifetime::Over(1000));
        assert_eq!(Lifetime::at(&token(1000, 5000), 5000), Lifetime::Good);
        assert_eq!(Lifetime::at(&token(1000, 5000), 700), Lifetime::Good);
        assert_eq!(Lifetime::at(&token(1000, 5000), 699), Lifetime::NotYet(301));
        assert_eq!(Lifetime::at(&token(i64::MIN, i64::MAX), i64::MIN), Lifetime::Good);
        assert_eq!(Lifetime::Over(10).certainty(), Some(Certainty::Likely));
        assert_eq!(Lifetime::Over(301).certainty(), Some(Certainty::Certain));
    }
}
