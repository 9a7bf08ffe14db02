//! A token that was refused: what the rules about refusals have in common, who asked for what.
//!
//! Which number means what is the rules' own.

use super::person::upn_of;
use super::{Aadsts, Actor, Case, Certainty, Gate, Hit, Signs, Subject};
use crate::redact::{Clean, Content, Url};

/// The answers that can tell an error of an issuer: JSON, redirects, pages with 200, faults with 500.
pub(super) const GATE: Gate = Gate::status(ANSWERS).showing(Signs::ISSUER_ERROR);

/// The same, of any sign.
pub(super) const ANSWERS: &[u16] = &[200, 302, 303, 307, 400, 401, 403, 404, 429, 500, 502, 503, 504];

/// A refusal with one of the numbers that a rule is about.
pub(super) struct Refused<'c, 'x> {
    case: &'c Case<'x>,
    /// What the issuer said.
    pub(super) said: &'c Aadsts,
}

/// Whether Entra refuses with one of these numbers.
pub(super) fn refused<'c, 'x>(case: &'c Case<'x>, codes: &[u32]) -> Option<Refused<'c, 'x>> {
    Refused::of(case).filter(|refused| refused.said.is_any(codes))
}

/// Whether AD FS refuses with one of these numbers.
pub(super) fn refused_by_adfs<'c, 'x>(case: &'c Case<'x>, codes: &[u32]) -> Option<Refused<'c, 'x>> {
    Refused::of(case).filter(|refused| refused.said.is_any_of_adfs(codes))
}

impl<'c, 'x> Refused<'c, 'x> {
    /// Whatever an issuer refuses with.
    pub(super) fn of(case: &'c Case<'x>) -> Option<Self> {
        Some(Self { case, said: case.aadsts()? })
    }

    /// A failure with what the issuer said for evidence, and with the names that stand in it and in the request.
    pub(super) fn failure(&self, certainty: Certainty, actor: Actor) -> Hit {
        let user = self.user();
        Hit::failure(certainty, actor)
            .on(Subject { user: user.clone(), ..self.case.on_server() })
            .because(self.case.evidence_aadsts())
            .naming("host", self.case.host_name())
            .naming("code", self.said.named().or_else(|| named_error(self.said)))
            .naming("number", self.said.number().map(Clean::from))
            .naming("app", self.app())
            .naming("tenant", self.tenant())
            .naming("resource", self.resource())
            .naming("scope", self.asked("scope"))
            .naming("redirect", self.asked("redirect_uri"))
            .naming("user", user.as_ref().map(upn_of))
            .naming("correlation", self.said.correlation.clone())
    }

    /// A parameter of the request, in its URL or its form.
    pub(super) fn asked(&self, name: &str) -> Option<Clean> {
        asked(self.case, name)
    }

    /// Whether the request asked with this grant.
    pub(super) fn grant_is(&self, grant: &str) -> bool {
        self.asked("grant_type").is_some_and(|asked| asked.as_str().eq_ignore_ascii_case(grant))
    }

    /// Whether a user's password was sent, and it is not the application that is refused.
    pub(super) fn is_about_password(&self) -> bool {
        self.grant_is("password") && self.said.error != "invalid_client"
    }

    /// Whether a person sits before it who can answer.
    pub(super) fn is_interactive(&self) -> bool {
        self.said.is_interactive(self.case.request_header("user-agent").map(Clean::as_str))
    }

    /// The thumbprint of the certificate that signed an assertion, as the issuer names it.
    pub(super) fn thumbprint(&self) -> Option<Clean> {
        let words = self.said.words.as_str();
        let (_, after) = words.split_once("humbprint of key used by client:")?;
        let value = after.trim_start_matches([' ', '\'']);
        let end = value.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(value.len());
        (end > 0).then(|| self.said.words.part(&value[..end]))
    }

    /// Who runs the program that asked.
    pub(super) fn caller(&self) -> Actor {
        caller(self.case)
    }

    /// The user it is about: a password grant names them, and so does the hint of a sign-in page.
    fn user(&self) -> Option<Clean> {
        self.asked("username").or_else(|| self.asked("login_hint"))
    }

    /// The application: as the issuer names it, else as it called itself.
    fn app(&self) -> Option<Clean> {
        guid_after(&self.said.words, &["app"]).or_else(|| {
            let client = self.asked("client_id")?;
            let id = client.as_str().split('@').next().unwrap_or_default();
            (!id.is_empty()).then(|| client.part(id))
        })
    }

    /// The tenant: as it stands in the path, else as the issuer names it.
    fn tenant(&self) -> Option<Clean> {
        let url = self.case.exchange.url.as_ref().filter(|_| self.case.is_sign_in() && !self.case.is_adfs());
        let segment = url.map(Url::path).unwrap_or_default().split('/').nth(1).unwrap_or_default();
        let tenant = segment.contains('.') || is_guid(segment);
        match url.filter(|_| tenant) {
            Some(url) => Some(url.text().part(segment)),
            None => guid_after(&self.said.words, &["directory", "tenant"]),
        }
    }

    /// The resource that a token was asked for, without what is asked of it.
    pub(super) fn resource(&self) -> Option<Clean> {
        self.asked("resource").or_else(|| {
            let scope = self.asked("scope")?;
            let first = scope.as_str().split_whitespace().find(|scope| scope.contains('/'))?;
            let (resource, _) = first.rsplit_once('/').filter(|(resource, _)| !resource.ends_with([':', '/']))?;
            Some(scope.part(resource))
        })
    }
}

/// A parameter of the request, in its URL or its form.
pub(super) fn asked(case: &Case<'_>, name: &str) -> Option<Clean> {
    let within = |whole: &Clean, pairs: &str| {
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=')?;
            let value = (key.eq_ignore_ascii_case(name) && !value.is_empty()).then(|| whole.part(value))?;
            Some(value.percent_decoded())
        };
        pairs.split('&').find_map(pair)
    };
    let url = case.exchange.url.as_ref();
    let in_url = url.and_then(|url| within(url.text(), url.query()?));
    in_url.or_else(|| match &case.exchange.request.seen()?.body.content {
        Content::Text { text, .. } => within(text, text.as_str()),
        Content::Empty | Content::Withheld(_) => None,
    })
}

/// Who runs the program that asked: whoever migrates, where it calls itself a migration tool.
pub(super) fn caller(case: &Case<'_>) -> Actor {
    if is_migration_tool(case) { Actor::MigrationTool } else { Actor::Client }
}

/// Whether the request comes from a migration tool, by what it calls itself.
pub(super) fn is_migration_tool(case: &Case<'_>) -> bool {
    const NAMES: [&str; 9] =
        ["migrat", "migtool", "bittitan", "avepoint", "cloudiway", "codetwo", "skykick", "sharegate", "imapsync"];
    case.request_header("user-agent").is_some_and(|agent| {
        let agent = agent.as_str().to_ascii_lowercase();
        NAMES.iter().any(|name| agent.contains(name))
    })
}

/// What an issuer that gives no numbers calls the error.
fn named_error(said: &Aadsts) -> Option<Clean> {
    (!said.error.as_str().is_empty()).then(|| said.error.clone())
}

/// The first GUID that follows one of these words (in lower case) closely.
fn guid_after(text: &Clean, words: &[&str]) -> Option<Clean> {
    const CLOSELY: usize = 48;
    let all = text.as_str();
    let mut parts =
        all.split(|letter: char| !(letter.is_ascii_hexdigit() || letter == '-')).filter(|part| is_guid(part));
    let guid = parts.find(|guid| {
        let before = &all.as_bytes()[..guid.as_ptr() as usize - all.as_ptr() as usize];
        let near = before[before.len().saturating_sub(CLOSELY)..].to_ascii_lowercase();
        words.iter().any(|word| near.windows(word.len()).any(|part| part == word.as_bytes()))
    })?;
    Some(text.part(guid))
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4 && !text.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_and_directories_are_found_in_the_words() {
        let words = Clean::from(
            "AADSTS700016: Application with identifier '689412fa-4b24-475a-ab39-32eca848b6f2' was not found in the \
             directory '85ee0691-54d7-49f1-b879-3ce53c2a8549'.",
        );
        assert_eq!(guid_after(&words, &["app"]).map(|guid| guid.as_str().len()), Some(36));
        assert!(guid_after(&words, &["app"]).is_some_and(|guid| guid.as_str().starts_with("689412fa")));
        assert!(guid_after(&words, &["directory"]).is_some_and(|guid| guid.as_str().starts_with("85ee0691")));
        assert_eq!(guid_after(&Clean::from("app '***'"), &["app"]), None);
    }
}
