//! A step's difference in one sentence: what it is, in which session, at which server.

use super::{Difference, Pair, Place};
use crate::redact::Clean;
use crate::text::{Language, Text};

/// How many facts are named in one sentence.
const NAMED: usize = 3;

impl Pair {
    /// What sets the two apart here: `step 4 (ews empty-bearer): bad.har's challenge lacks authorization_uri; server EX02`.
    pub fn sentence(&self, good: &str, bad: &str, language: Language) -> String {
        let number = self.number.to_string();
        let step = self.title();
        let what = self.what(good, bad, language);
        let text = match self.server() {
            Some(_) => Text {
                en: "step {number} ({step}): {what}; server {server}",
                ja: "手順 {number} ({step}): {what} (サーバー {server})",
            },
            None => Text { en: "step {number} ({step}): {what}", ja: "手順 {number} ({step}): {what}" },
        };
        let server = self.server().map_or("", Clean::as_str);
        text.fill(language, &[("number", &number), ("step", &step), ("what", &what), ("server", server)])
    }

    /// Where it was, and what the client did: `ews empty-bearer`.
    pub fn title(&self) -> String {
        match self.moment() {
            Some(moment) if moment.endpoint.as_str() == moment.step => moment.step.to_owned(),
            Some(moment) => format!("{} {}", moment.endpoint, moment.step),
            None => String::new(),
        }
    }

    fn server(&self) -> Option<&Clean> {
        self.moment()?.server.as_ref()
    }

    fn what(&self, good: &str, bad: &str, language: Language) -> String {
        let (Some(of_good), Some(of_bad)) = (&self.good, &self.bad) else {
            let text = if self.bad.is_some() {
                Text { en: "only {bad} has it", ja: "{bad} だけにあります" }
            } else {
                Text { en: "{bad} does not have it", ja: "{bad} にはありません" }
            };
            return text.fill(language, &[("bad", bad)]);
        };
        match self.differences.iter().find(|difference| difference.telling && !is_answer(difference)) {
            Some(first) => self.fact(first, good, bad, language),
            None if of_good.status == of_bad.status => {
                let text = match of_bad.answer {
                    Some(_) => Text { en: "{bad} ends in {answer}", ja: "{bad} は {answer} になります" },
                    None => Text { en: "{bad} ends otherwise", ja: "{bad} の結果が異なります" },
                };
                text.fill(language, &[("bad", bad), ("answer", of_bad.answer.unwrap_or_default())])
            }
            None => {
                let status =
                    |status: Option<u16>| status.map_or_else(|| "\u{2014}".to_owned(), |status| status.to_string());
                let text = Text {
                    en: "{bad} is answered with {one}, {good} with {other}",
                    ja: "応答は {bad} が {one}、{good} が {other} です",
                };
                let (one, other) = (status(of_bad.status), status(of_good.status));
                text.fill(language, &[("bad", bad), ("one", &one), ("good", good), ("other", &other)])
            }
        }
    }

    /// The first fact, with those that differ in the same way at the same place.
    fn fact(&self, first: &Difference, good: &str, bad: &str, language: Language) -> String {
        let part = part(&first.place).to(language);
        let alike = |difference: &&Difference| {
            difference.place == first.place
                && (difference.good.is_none(), difference.bad.is_none()) == (first.good.is_none(), first.bad.is_none())
        };
        let mut names: Vec<&str> = Vec::new();
        for difference in self.differences.iter().filter(|difference| difference.telling).filter(alike) {
            if names.len() < NAMED && !names.contains(&difference.name) {
                names.push(difference.name);
            }
        }
        let text = match (&first.good, &first.bad) {
            (_, None) => {
                Text { en: "{bad}'s {part} lacks {names}", ja: "{bad} の{part}に {names} がありません" }
            }
            (None, Some(_)) => Text {
                en: "{bad}'s {part} has {names}, {good}'s has not",
                ja: "{bad} の{part}にだけ {names} があります",
            },
            (Some(_), Some(_)) => {
                Text { en: "{bad}'s {part} differs in {names}", ja: "{bad} の{part}は {names} が異なります" }
            }
        };
        text.fill(language, &[("bad", bad), ("good", good), ("part", part), ("names", &names.join(", "))])
    }
}

/// What the status says is said by it.
fn is_answer(difference: &Difference) -> bool {
    difference.place == Place::ResponseStatus
}

/// The part of an exchange that a place is in, as people call it.
fn part(place: &Place) -> Text {
    match place {
        Place::ResponseHeader(name) if is_challenge(name) => Text { en: "challenge", ja: "チャレンジ" },
        Place::ResponseHeader(_) | Place::ResponseBody | Place::ResponseStatus => Text { en: "answer", ja: "応答" },
        Place::RequestHeader(name) if is_credential(name) => Text { en: "credential", ja: "資格情報" },
        Place::RequestHeader(_) | Place::RequestUrl | Place::RequestBody => Text { en: "request", ja: "要求" },
        Place::ConnectionClient | Place::ConnectionServer => Text { en: "connection", ja: "接続" },
    }
}

fn is_challenge(header: &str) -> bool {
    matches!(header, "www-authenticate" | "proxy-authenticate")
}

fn is_credential(header: &str) -> bool {
    matches!(header, "authorization" | "proxy-authorization")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::moment;
    use super::super::{Comparison, Course, Moment};
    use super::*;
    use crate::diagnosis::Verdict;

    fn sentences(good: Option<Moment>, bad: Option<Moment>) -> [String; 2] {
        let course = |moment: Option<Moment>| Course { moments: moment.into_iter().collect(), ..Course::default() };
        let comparison = Comparison::new(&course(good), &course(bad));
        let first = comparison.first().unwrap();
        [Language::En, Language::Ja].map(|language| first.sentence("good.har", "bad.har", language))
    }

    #[test]
    fn the_sentence_says_what_is_missing_where_and_at_which_server() {
        let whole = &[("authorization_uri", "https://login.windows.net/common"), ("trusted_issuers", "x@*")];
        let mut bad = moment("ews", "empty-bearer", &[]);
        bad.server = Some("EX02".into());
        let good = moment("ews", "empty-bearer", whole);
        assert_eq!(
            sentences(Some(good.clone()), Some(bad.clone())),
            [
                "step 1 (ews empty-bearer): bad.har's challenge lacks authorization_uri, trusted_issuers; server EX02",
                "手順 1 (ews empty-bearer): bad.har のチャレンジに authorization_uri, trusted_issuers がありません \
                 (サーバー EX02)"
            ]
        );
        assert_eq!(
            sentences(Some(bad), Some(good))[0],
            "step 1 (ews empty-bearer): bad.har's challenge has authorization_uri, trusted_issuers, good.har's has not"
        );
    }

    #[test]
    fn the_sentence_says_what_differs_and_what_did_not_come() {
        let one = moment("sign-in", "sign-in", &[("scheme", "NTLM")]);
        let other = moment("sign-in", "sign-in", &[("scheme", "Negotiate")]);
        assert_eq!(
            sentences(Some(one.clone()), Some(other))[0],
            "step 1 (sign-in): bad.har's challenge differs in scheme"
        );
        assert_eq!(sentences(Some(one.clone()), None)[0], "step 1 (sign-in): bad.har does not have it");
        assert_eq!(sentences(None, Some(one.clone()))[1], "手順 1 (sign-in): bad.har だけにあります");
        let mut failed = one.clone();
        failed.verdict = Verdict::Failure;
        failed.answer = Some("token-expired");
        assert_eq!(
            sentences(Some(one.clone()), Some(failed.clone()))[0],
            "step 1 (sign-in): bad.har ends in token-expired"
        );
        failed.status = Some(500);
        assert_eq!(
            sentences(Some(one), Some(failed))[0],
            "step 1 (sign-in): bad.har is answered with 500, good.har with 401"
        );
    }
}
