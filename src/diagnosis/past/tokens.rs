//! Tokens that issuers gave, and whether anybody used them: what one answer of a token endpoint teaches.

use std::collections::VecDeque;

use serde_json::Value;

use super::{Case, audience_host};
use crate::diagnosis::key::key;
use crate::redact::{Clean, Content, Label, Token, organisation};

/// Tokens remembered; the oldest goes first.
const TOKENS: usize = 64;

/// An access token that an issuer gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// The exchange.
    pub exchange: u64,
    /// The resource that was asked for, or the token's `aud`.
    pub audience: Clean,
    /// The token's label.
    pub label: Option<Label>,
}

/// The tokens that were given last.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    given: VecDeque<Given>,
}

/// A token with the host that it is for, and the owner of the host, as numbers.
#[derive(Debug)]
struct Given {
    token: Obtained,
    host: u64,
    owner: u64,
}

impl Tokens {
    pub(super) fn remember(&mut self, token: Obtained) {
        if self.given.len() == TOKENS {
            self.given.pop_front();
        }
        let named = audience_host(token.audience.as_str()).to_ascii_lowercase();
        let (host, owner) = (key(named.as_str()), key(organisation(&named)));
        self.given.push_back(Given { token, host, owner });
    }

    /// The last one for `host` (in lower case), or for another host of the same organisation.
    pub(super) fn for_host(&self, host: &str) -> Option<&Obtained> {
        let (named, owner) = (key(host), key(organisation(host)));
        let exact = self.given.iter().rev().find(|given| given.host == named);
        exact.or_else(|| self.given.iter().rev().find(|given| given.owner == owner)).map(|given| &given.token)
    }
}

/// A token in the answer of a token endpoint, with what was asked for.
pub(super) fn obtained(case: &Case<'_>) -> Option<Obtained> {
    if case.status() != Some(200) || !case.response_body().contains("\"access_token\"") {
        return None;
    }
    let answer: Value = serde_json::from_str(case.response_body()).ok()?;
    let token = answer["access_token"].as_str().and_then(Token::of_marker);
    let label = token.as_ref().and_then(Token::label);
    let claimed = match token {
        Some(Token::Jwt(jwt)) => jwt.aud,
        _ => None,
    };
    let audience = asked(case).or_else(|| answered(case)).or(claimed)?;
    Some(Obtained { exchange: case.exchange.id, audience, label })
}

/// `resource` or `scope` of the request: of several scopes the one that names a resource.
fn asked(case: &Case<'_>) -> Option<Clean> {
    let Content::Text { text, .. } = &case.exchange.request.seen()?.body.content else { return None };
    let value = |wanted: &str| {
        let pairs = text.as_str().split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == wanted).map(|(_, value)| text.part(value).percent_decoded()).next()
    };
    value("resource").or_else(|| address(&value("scope")?))
}

/// The same in the answer.
fn answered(case: &Case<'_>) -> Option<Clean> {
    let Content::Text { text, .. } = &case.exchange.response.seen()?.message.body.content else { return None };
    ["\"resource\"", "\"scope\""].iter().find_map(|name| {
        let (_, after) = text.as_str().split_once(name)?;
        let value = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        address(&text.part(value.split('"').next()?))
    })
}

/// The first address of a resource in `text`: `https://mail.contoso.com/.default`.
fn address(text: &Clean) -> Option<Clean> {
    let whole = text.as_str();
    let at = whole.find("https://").or_else(|| whole.find("http://"))?;
    let rest = &whole[at..];
    Some(text.part(&rest[..rest.find(' ').unwrap_or(rest.len())]))
}
