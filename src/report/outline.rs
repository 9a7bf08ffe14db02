//! What a report says, in its order and in its words: the verdict first, then who must act, why, what to do, what is
//! still open and what would disprove it. How that looks is for [`super::markdown`] and [`super::html`].

use super::json::Entry;
use super::json::Known;
use super::layout::{self, fill};
use super::text;
use crate::diagnosis::decode::Decoded;
use crate::diagnosis::{self, Certainty, Kind, Verdict};
use crate::text::{Language, Text};

/// How many exchanges are listed; those of a long session are in its file.
const LISTED: usize = 300;

/// A report in one language.
pub(super) struct Outline<'a> {
    /// The whole in one sentence.
    pub(super) headline: String,
    /// The worst that is said of any exchange.
    pub(super) verdict: Verdict,
    /// Failures and notes, the gravest first.
    pub(super) topics: Vec<Topic<'a>>,
    /// Steps of healthy handshakes.
    pub(super) steps: Vec<Topic<'a>>,
    /// Exchanges of which something is to be said, at most [`LISTED`].
    pub(super) telling: Vec<&'a Entry>,
    /// How many exchanges are not listed.
    pub(super) unlisted: usize,
    /// Questions that the capture leaves open.
    pub(super) open: Vec<String>,
}

impl<'a> Outline<'a> {
    pub(super) fn new(known: &'a Known<'a>, language: Language) -> Self {
        let topics = |wanted: fn(Kind) -> bool| {
            known.findings.iter().filter(|entry| wanted(entry.kind)).map(|entry| Topic::new(entry, language)).collect()
        };
        let telling: Vec<_> =
            known.exchanges.iter().filter(|entry| entry.verdict != Verdict::Ok).take(LISTED).collect();
        Self {
            headline: text::summary(known, language),
            verdict: worst(known.exchanges),
            topics: topics(|kind| kind != Kind::Step),
            steps: topics(|kind| kind == Kind::Step),
            unlisted: known.exchanges.len() - telling.len(),
            open: open(known, &telling, language),
            telling,
        }
    }
}

/// One finding with its words filled in.
pub(super) struct Topic<'a> {
    pub(super) entry: &'a diagnosis::Entry,
    pub(super) title: String,
    pub(super) explanation: String,
    pub(super) remedy: Vec<Passage>,
    pub(super) disproof: &'static str,
    /// The number of one of its exchanges, and what was decoded there.
    pub(super) decoded: Option<(u64, &'a [Decoded])>,
}

impl<'a> Topic<'a> {
    fn new(entry: &'a diagnosis::Entry, language: Language) -> Self {
        Self {
            entry,
            title: fill(entry.rule.title, &entry.names, language),
            explanation: fill(entry.rule.explanation, &entry.names, language),
            remedy: passages(&fill(entry.rule.remedy, &entry.names, language)),
            disproof: disproof(entry).to(language),
            decoded: entry.decoded().filter(|(_, parts)| !parts.is_empty()),
        }
    }
}

/// A piece of a remedy: words, or lines to be copied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passage {
    Words(String),
    Commands(String),
}

/// Takes a remedy apart: lines of commands that follow each other are copied together.
fn passages(remedy: &str) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    for line in remedy.lines().filter(|line| !line.trim().is_empty()) {
        match (is_command(line), passages.last_mut()) {
            (true, Some(Passage::Commands(commands))) => {
                commands.push('\n');
                commands.push_str(line);
            }
            (true, _) => passages.push(Passage::Commands(line.to_owned())),
            (false, _) => passages.push(Passage::Words(line.to_owned())),
        }
    }
    passages
}

/// Whether a line of a remedy is typed rather than read: a cmdlet, a variable, a script block, a program's name in lower
/// case, or what goes on such a line. Sentences begin with a capital letter, or are Japanese.
fn is_command(line: &str) -> bool {
    let line = line.trim_start();
    let first = line.split([' ', '\t']).next().unwrap_or_default();
    let cmdlet = first.trim_start_matches('(').split_once('-').is_some_and(|(verb, noun)| {
        let name = |part: &str| {
            part.starts_with(|letter: char| letter.is_ascii_uppercase())
                && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == ')' || letter == '.')
        };
        name(verb) && name(noun) && verb.len() > 1 && noun.len() > 2
    });
    cmdlet || line.starts_with(|letter: char| letter.is_ascii_lowercase() || "$@{}|[&%".contains(letter))
}

/// The worst verdict: what the reader must know first.
fn worst(exchanges: &[Entry]) -> Verdict {
    let any = |verdict| exchanges.iter().any(|entry| entry.verdict == verdict);
    [Verdict::Failure, Verdict::Unknown, Verdict::Step].into_iter().find(|verdict| any(*verdict)).unwrap_or(Verdict::Ok)
}

/// What would show that a finding is wrong.
fn disproof(entry: &diagnosis::Entry) -> Text {
    match (entry.kind, entry.certainty) {
        (Kind::Failure, Certainty::Certain) => Text {
            en: "The messages themselves say it. It is disproved only if this is not the exchange that the user complains \
                 about: capture the complaint itself, and compare with a good run (authtap compare).",
            ja: "メッセージ自体がこれを示しています。これが覆るのは、これがユーザーの訴える操作のエクスチェンジではない場合だけです。\
                 訴えのあった操作そのものをキャプチャし、正常時のものと比べてください (authtap compare)。",
        },
        (Kind::Failure, Certainty::Likely) => Text {
            en: "It follows from what was seen, but nothing says it in so many words. It is disproved if the same request \
                 succeeds with nothing changed, or still fails once the remedy has taken effect.",
            ja: "観測された事実から導かれますが、明言しているメッセージはありません。何も変えずに同じ要求が成功するか、対処の反映後も\
                 同じように失敗するなら、この判断は誤りです。",
        },
        (Kind::Failure, Certainty::Possible) => Text {
            en: "It is one of several explanations, and alone decides nothing. A capture that has what is missing here \
                 decides between them.",
            ja: "考えられる説明のひとつにすぎず、これだけでは判断できません。ここに欠けている部分を含むキャプチャがあれば決着します。",
        },
        _ => Text {
            en: "It is an observation, and blames nobody for the failure.",
            ja: "観測された事実であり、失敗の原因とするものではありません。",
        },
    }
}

/// What the capture leaves open, a sentence each.
fn open(known: &Known<'_>, telling: &[&Entry], language: Language) -> Vec<String> {
    const NAMED: usize = 12;
    let mut open = Vec::new();
    let unknown: Vec<_> =
        telling.iter().filter(|entry| entry.verdict == Verdict::Unknown).map(|entry| entry.id).collect();
    if !unknown.is_empty() {
        let text = Text {
            en: "Whether these exchanges failed or were answered later is not in the capture: {numbers}",
            ja: "次のエクスチェンジが失敗だったのか、その後に応答されたのかは、このキャプチャからは分かりません: {numbers}",
        };
        open.push(text.fill(language, &[("numbers", &layout::numbers(unknown.into_iter()))]));
    }
    for handshake in known.handshakes.iter().filter(|handshake| handshake.verdict != Verdict::Ok) {
        let unseen: Vec<_> = handshake
            .steps
            .iter()
            .filter(|step| step.state == diagnosis::StepState::Unseen)
            .map(|step| step.name)
            .collect();
        if unseen.is_empty() || open.len() >= NAMED {
            continue;
        }
        let text = Text {
            en: "Of the handshake {scheme} with {server} these steps were not captured: {steps}",
            ja: "{server} との {scheme} ハンドシェイクのうち、次の手順はキャプチャされていません: {steps}",
        };
        let names =
            [("scheme", handshake.scheme.code()), ("server", handshake.server.as_str()), ("steps", &unseen.join(", "))];
        let sentence = text.fill(language, &names);
        if !open.contains(&sentence) {
            open.push(sentence);
        }
    }
    open
}

/// What is said in every report of what was taken out of it.
pub(super) const REDACTED: Text = Text {
    en: "Nothing in this report can hold a credential: passwords, tokens, cookies and messages were turned into facts \
         before anything was stored. Equal secrets carry equal numbers (#2). Look at the report before you pass it on.",
    ja: "このレポートに資格情報は含まれません。パスワード、トークン、Cookie、本文は、保存される前に事実だけに置き換えられています。\
         同じ秘密には同じ番号 (#2) が付きます。渡す前に内容を確認してください。",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_remedy_are_told_from_its_words() {
        let remedy = "Read the switch, then turn it on:\n(Get-OrganizationConfig).OAuth2ClientProfileEnabled\n\
                      Set-OrganizationConfig -OAuth2ClientProfileEnabled $true\nThen run iisreset on each server.\n\
                      iisreset /restart\n待ってから確認します:\nGet-AuthServer | Format-List Name";
        let words = |text: &str| Passage::Words(text.to_owned());
        let commands = |text: &str| Passage::Commands(text.to_owned());
        assert_eq!(
            passages(remedy),
            [
                words("Read the switch, then turn it on:"),
                commands(
                    "(Get-OrganizationConfig).OAuth2ClientProfileEnabled\nSet-OrganizationConfig -OAuth2ClientProfileEnabled $true"
                ),
                words("Then run iisreset on each server."),
                commands("iisreset /restart"),
                words("待ってから確認します:"),
                commands("Get-AuthServer | Format-List Name"),
            ]
        );
        for sentence in ["Sign-in logs show it.", "On-premises servers need it.", "A person: sign in."] {
            assert!(!is_command(sentence), "{sentence}");
        }
    }

    #[test]
    fn every_remedy_of_every_rule_ends_its_sentences_as_sentences() {
        for rule in diagnosis::rules::RULES.iter() {
            for line in rule.remedy.en.lines().filter(|line| is_command(line)) {
                let sentence =
                    line.ends_with('.') && line.split(' ').count() > 6 && !line.contains(['$', '-', '/', '\\']);
                assert!(!sentence, "{}: {line}", rule.id);
            }
        }
    }
}
