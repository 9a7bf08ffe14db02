//! What is stated of a file that was written to be given away: that it says the same as its source, and that nothing that
//! was met as a secret stands in it.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::Fault;
use super::input::Folds;
use crate::diagnosis::{Finding, Judgement};
use crate::redact::{Class, Met, Redactor};
use crate::session::{self, Opening, Progress, Reader, Recorded, SessionError};
use crate::text::{Language, Text};

/// What is said of a session in the end, in so far as it can be compared: how often each finding, and a digest of what
/// is said of which exchange.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) findings: BTreeMap<&'static str, u64>,
    digest: u64,
}

impl Said {
    pub(super) fn count(&self) -> u64 {
        self.findings.values().sum()
    }

    fn note(&mut self, judgement: &Judgement) {
        let ids: Vec<_> = judgement.findings.iter().map(Finding::id).collect();
        for id in &ids {
            *self.findings.entry(id).or_default() += 1;
        }
        // Labels and numbers differ from file to file; verdicts and findings must not.
        let mut digest = DefaultHasher::new();
        (self.digest, judgement.verdict.code(), ids).hash(&mut digest);
        self.digest = digest.finish();
    }
}

/// Judges exchanges as they come.
#[derive(Default)]
pub(super) struct Judge {
    folds: Folds,
    said: Said,
}

impl Judge {
    pub(super) fn observe(&mut self, recorded: &Recorded) {
        let observed = self.folds.observe(&recorded.origin, &recorded.exchange);
        self.said.note(&observed.judgement);
        observed.revised.iter().for_each(|judgement| self.said.note(judgement));
    }

    pub(super) fn finish(mut self) -> Said {
        self.folds.finish().revised.iter().for_each(|judgement| self.said.note(judgement));
        self.said
    }
}

/// What is said of the file at `path`, which was just written.
pub(super) fn read_again(
    path: &Path,
    password: Option<&Zeroizing<String>>,
    progress: &Progress,
) -> Result<Said, Fault> {
    let redactor = Redactor::new();
    let opening = Opening { password: &|_| password.cloned(), ..Opening::quietly(&redactor) };
    let reader = Reader::open(path, &opening)?;
    let mut judge = Judge::default();
    for recorded in reader.exchanges() {
        if progress.is_cancelled() {
            return Err(SessionError::Cancelled.into());
        }
        judge.observe(&recorded?);
    }
    Ok(judge.finish())
}

/// Secrets that stood where none should.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    secrets: HashSet<(Class, u32)>,
    /// The first places, one for each secret and exchange.
    pub(super) places: Vec<Spot>,
}

/// Where one stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) class: Class,
    /// Its place in the order of the file, from 1; its number once that is known.
    pub(super) exchange: Option<u64>,
    pub(super) part: String,
}

/// So many places are named.
const NAMED: usize = 20;

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    pub(super) fn count(&self) -> u64 {
        self.secrets.len() as u64
    }

    /// How many different ones, by their class.
    pub(super) fn by_class(&self) -> BTreeMap<&'static str, u64> {
        let mut classes = BTreeMap::new();
        self.secrets.iter().for_each(|(class, _)| *classes.entry(class.code()).or_default() += 1);
        classes
    }

    /// Names exchanges by their numbers, which are given in the order of the file.
    pub(super) fn number(&mut self, ids: &[u64]) {
        for spot in &mut self.places {
            let place = spot.exchange.and_then(|place| usize::try_from(place).ok()?.checked_sub(1));
            spot.exchange = place.and_then(|place| ids.get(place).copied());
        }
    }

    /// Looks through a text.
    pub(super) fn look(&mut self, net: &Redactor, place: session::Place<'_>, text: &[u8]) {
        for hit in net.find(text) {
            self.secrets.insert((hit.class, hit.secret));
            let spot = Spot { class: hit.class, exchange: place.exchange, part: place.part.to_owned() };
            if self.places.len() < NAMED && !self.places.contains(&spot) {
                self.places.push(spot);
            }
        }
    }

    /// Where they stood, for whoever reports it: never what.
    fn told(&self, language: Language) -> String {
        let mut told = String::new();
        for (at, spot) in self.places.iter().enumerate() {
            told.push_str(if at > 0 { "; " } else { "" });
            let (class, part) = (words(spot.class).to(language), spot.part.as_str());
            let place = match spot.exchange {
                Some(_) => Text {
                    en: "{class} in exchange {number} ({part})",
                    ja: "エクスチェンジ {number} ({part}) の{class}",
                },
                None => Text { en: "{class} in {part}", ja: "{part} の{class}" },
            };
            let number = spot.exchange.unwrap_or_default().to_string();
            told.push_str(&place.fill(language, &[("class", class), ("number", &number), ("part", part)]));
        }
        told
    }
}

/// The secrets that `net` met and that stand in the file at `path`, which is still a draft.
pub(super) fn search(
    path: &Path,
    password: Option<&Zeroizing<String>>,
    net: &Redactor,
    progress: &Progress,
) -> Result<Found, Fault> {
    let mut found = Found::default();
    // Nothing was met in a source that was sanitized before.
    if net.met().count() == 0 {
        return Ok(found);
    }
    session::texts(path, password, &mut |place, text| {
        if progress.is_cancelled() {
            return Err(SessionError::Cancelled);
        }
        found.look(net, place, text);
        Ok(())
    })?;
    Ok(found)
}

/// How many secrets were met and found, in a sentence or two.
pub(super) fn sentence(met: &Met, found: &Found, language: Language) -> String {
    let count = met.count();
    let mut said = if count == 0 && !met.marked.is_empty() {
        let before = Text {
            en: "no secrets met: they had been taken out before ({classes})",
            ja: "秘密は検知していません。すでに取り除かれていました ({classes})",
        };
        before.fill(language, &[("classes", &classes(&met.marked, language))])
    } else {
        let text = Text {
            en: "{met} secrets met, {found} found",
            ja: "秘密 {met} 件を検知、書き込んだ内容には {found} 件",
        };
        let mut said = text.fill(language, &[("met", &count.to_string()), ("found", &found.count().to_string())]);
        if count > 0 {
            let _ = write!(said, " ({})", classes(&met.secrets, language));
        }
        said
    };
    for (number, text) in [
        (
            met.plain,
            Text {
                en: "; {number} of them are too short or too ordinary to be looked for",
                ja: "。うち {number} 件は短すぎるか普通の語と区別できないため、検索していません",
            },
        ),
        (
            met.beyond,
            Text {
                en: "; {number} more did not fit and were not looked for",
                ja: "。ほかに {number} 件は記憶しきれず、検索していません",
            },
        ),
    ] {
        if number > 0 {
            said.push_str(&text.fill(language, &[("number", &number.to_string())]));
        }
    }
    said
}

/// What is said of secrets that were found; nothing where there are none.
pub(super) fn alarm(found: &Found, language: Language) -> Option<String> {
    let text = Text {
        en: "{count} secrets stood in what was to be written, and [hidden] stands there now: {places}. This is a fault of this \
             program: please report it, without the file",
        ja: "書き込む内容に秘密が {count} 件あったため、[hidden] に置き換えました: {places}。このプログラムの不具合です。\
             ファイルを添えずに報告してください",
    };
    let names = [("count", &*found.count().to_string()), ("places", &found.told(language))];
    (!found.is_empty()).then(|| text.fill(language, &names))
}

/// `password 3, token 12`.
fn classes(counts: &BTreeMap<&'static str, u64>, language: Language) -> String {
    let known = Class::ALL.into_iter().filter_map(|class| Some((class, counts.get(class.code())?)));
    known.map(|(class, count)| format!("{} {count}", words(class).to(language))).collect::<Vec<_>>().join(", ")
}

/// What a class is called.
const fn words(class: Class) -> Text {
    match class {
        Class::Password => Text { en: "password", ja: "パスワード" },
        Class::Token => Text { en: "token", ja: "トークン" },
        Class::Cookie => Text { en: "cookie", ja: "Cookie" },
        Class::Ntlm => Text { en: "NTLM response", ja: "NTLM 応答" },
        Class::Kerberos => Text { en: "Kerberos ticket", ja: "Kerberos チケット" },
        Class::Digest => Text { en: "Digest response", ja: "Digest 応答" },
        Class::Assertion => Text { en: "assertion", ja: "アサーション" },
        Class::Code => Text { en: "code", ja: "コード" },
        Class::Key => Text { en: "key", ja: "キー" },
        Class::Signature => Text { en: "signature", ja: "署名" },
    }
}
