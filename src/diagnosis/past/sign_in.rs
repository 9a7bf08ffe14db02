//! Who was asked to sign in, and whether anybody went there.

use super::super::bounded::Bounded;
use super::super::case::Case;
use crate::redact::Clean;

/// Hosts remembered; the oldest goes first.
const ROOM: usize = 256;
/// Paths of one host.
const FEW: usize = 8;

/// Challenges that wait for a sign-in.
#[derive(Debug, Default)]
pub(super) struct SignIns {
    /// The last exchange with an issuer of tokens, answered or not.
    contacted: Option<u64>,
    asked: Bounded<String, Vec<(String, u64)>, ROOM>,
}

/// What one exchange teaches of it.
pub(super) enum Lesson {
    /// A client tried to reach an issuer of tokens.
    Contact,
    /// A client asked for OAuth, and was told where to sign in. The path.
    Challenged(String),
    /// A client has a token.
    Token,
}

impl Lesson {
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
        if case.is_sign_in() || is_named_issuer(case) {
            return Some(Self::Contact);
        }
        if case.bearer().is_some() {
            return Some(Self::Token);
        }
        let uri = || case.challenge("bearer").is_some_and(|bearer| bearer.param("authorization_uri").is_some());
        let challenged = case.asks_for_oauth() && case.status() == Some(401) && uri();
        challenged.then(|| Self::Challenged(case.path().to_ascii_lowercase()))
    }
}

impl SignIns {
    pub(super) fn remember(&mut self, host: &Clean, exchange: u64, lesson: Lesson) {
        match lesson {
            Lesson::Contact => self.contacted = Some(exchange),
            Lesson::Token => {
                if let Some(asked) = self.asked.get_mut(host.as_str()) {
                    asked.clear();
                }
            }
            Lesson::Challenged(path) => {
                let asked = self.asked.entry(host.as_str());
                let known = asked.iter().any(|(old, _)| *old == path);
                if !known && asked.len() < FEW {
                    asked.push((path, exchange));
                }
            }
        }
    }

    /// The exchange in which `host` told a client where to sign in for `path`, if nobody has tried to since.
    pub(super) fn awaited(&self, host: &str, path: &str) -> Option<u64> {
        let asked = self.asked.get(host)?;
        let (_, exchange) = asked.iter().find(|(known, _)| known.eq_ignore_ascii_case(path))?;
        self.contacted.is_none_or(|contacted| contacted < *exchange).then_some(*exchange)
    }
}

/// Whether the host is the one that the last challenge named as the issuer.
fn is_named_issuer(case: &Case<'_>) -> bool {
    let seen = case.past().last_challenge().and_then(|seen| seen.authorization_uri.as_ref());
    let after = seen.and_then(|uri| uri.as_str().split_once("://")).map(|(_, after)| after);
    let host = after.and_then(|after| after.split(['/', ':', '?']).next());
    host.is_some_and(|host| host.eq_ignore_ascii_case(case.host()))
}
