//! The sanitizing manifest of a report: what kind of source it was, what was taken out of it, what was looked for in the
//! report itself, and what the source states of its own making.

use std::collections::BTreeMap;

use super::text;
use crate::redact::{Class, Met};
use crate::session::Stated;
use crate::session::kind::Kind;
use crate::text::{Language, Text};

/// What is known of it.
#[derive(Clone, Debug, Default)]
pub struct Sanitizing {
    /// In the order in which they were named.
    pub sources: Vec<Source>,
    /// What was met of secrets in all of them.
    pub met: Met,
    /// How many different ones stood in the report and were masked, by class.
    pub found: BTreeMap<&'static str, u64>,
    /// How many messages came without their credentials.
    pub stripped: u64,
}

/// A source of a report.
#[derive(Clone, Debug)]
pub struct Source {
    /// Without its folder; `-` is standard input.
    pub name: String,
    /// Nothing where it was pasted.
    pub kind: Option<Kind>,
    /// What the file states of itself.
    pub stated: Option<Stated>,
}

/// The manifest, a title and a sentence a line.
pub(super) fn lines(sanitizing: &Sanitizing, language: Language) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut line = |title: Text, words: String| lines.push((title.to(language), words));
    for source in &sanitizing.sources {
        let kind = source.kind.map_or(Text { en: "pasted text", ja: "貼り付けたテキスト" }, kind);
        line(SOURCE, format!("{}: {}", text::source_name(&source.name, language), kind.to(language)));
        if let Some(stated) = &source.stated {
            line(STATED, statement(stated, language));
        }
    }
    let met = &sanitizing.met;
    if met.count() > 0 || met.marked.is_empty() {
        let none = Text { en: "no credentials came", ja: "資格情報はありませんでした" };
        let taken = if met.count() > 0 { classes(&met.secrets, language) } else { none.to(language).to_owned() };
        line(Text { en: "Taken out", ja: "取り除いたもの" }, taken);
    }
    if !met.marked.is_empty() {
        let title = Text { en: "Taken out before", ja: "以前に取り除かれたもの" };
        let text = Text {
            en: "{classes}: only their marks are in the source",
            ja: "{classes} (元のファイルには印だけがあります)",
        };
        line(title, text.fill(language, &[("classes", &classes(&met.marked, language))]));
    }
    if sanitizing.stripped > 0 {
        let text = Text {
            en: "messages without their credentials, which the exporting tool had removed: {number}. They count as unseen, not \
                 as absent",
            ja: "エクスポートしたツールが資格情報を取り除いたメッセージ: {number} 件。「なかった」ではなく「見えない」として扱います",
        };
        let title = Text { en: "Missing in the source", ja: "元から欠けているもの" };
        line(title, text.fill(language, &[("number", &sanitizing.stripped.to_string())]));
    }
    if met.count() > 0 {
        let text = Text {
            en: "{number} secrets, {found} found", ja: "秘密 {number} 件、見つかったもの {found} 件"
        };
        let number = met.count().saturating_sub(met.plain).to_string();
        let found = sanitizing.found.values().sum::<u64>().to_string();
        let mut said = text.fill(language, &[("number", &number), ("found", &found)]);
        said.push_str(&left_out(met, language));
        line(Text { en: "Looked for in this report", ja: "このレポート内の検索" }, said);
    }
    let public = sanitizing.sources.iter().all(|source| source.stated.as_ref().is_some_and(|it| it.share == "public"));
    let names = if public && !sanitizing.sources.is_empty() {
        Text {
            en: "people are pseudonyms, and host names, domains and tenants are replaced",
            ja: "人名は仮名で、ホスト名、ドメイン、テナントも置き換えられています",
        }
    } else {
        Text {
            en: "people are pseudonyms; host names, domains, tenants and request ids are real",
            ja: "人名は仮名です。ホスト名、ドメイン、テナント、要求 ID は実際のものです",
        }
    };
    line(Text { en: "Names", ja: "名前" }, names.to(language).to_owned());
    lines
}

const SOURCE: Text = Text { en: "Source", ja: "元データ" };
const STATED: Text = Text { en: "What the file states", ja: "ファイルの記載" };

/// What each of the sources states of itself, for a report that says nothing else of this.
pub(super) fn statements(sanitizing: &Sanitizing, language: Language) -> impl Iterator<Item = String> + '_ {
    sanitizing.sources.iter().filter_map(move |source| {
        let statement = statement(source.stated.as_ref()?, language);
        Some(format!("{}: {statement}", text::source_name(&source.name, language)))
    })
}

/// What a file states of itself, in a sentence.
pub fn statement(stated: &Stated, language: Language) -> String {
    let made = Text {
        en: "made for {share} from {source}, {exchanges} exchanges; {before} findings before, {after} after{same}; ",
        ja: "{source}から{share}向けに作成、エクスチェンジ {exchanges} 件。検出は変換前 {before} 件、変換後 {after} 件{same}。",
    };
    let same = if stated.same {
        Text { en: " (the same)", ja: " (同じ内容)" }
    } else {
        Text { en: " (NOT the same)", ja: " (一致しません)" }
    };
    let share = match stated.share {
        "public" => Text { en: "the public", ja: "公開" },
        _ => Text { en: "support", ja: "サポート" },
    };
    let source = stated.source.map_or(Text { en: "another file", ja: "別のファイル" }, kind);
    let names = [
        ("share", share.to(language)),
        ("source", source.to(language)),
        ("exchanges", &stated.exchanges.to_string()),
        ("before", &stated.before.to_string()),
        ("after", &stated.after.to_string()),
        ("same", same.to(language)),
    ];
    let mut said = made.fill(language, &names);
    said.push_str(&secrets(&stated.met, stated.found.values().sum(), language));
    if stated.replaced > 0 {
        let replaced = Text {
            en: "; {number} names have stand-ins", ja: "。代わりの名前に置き換えた名前 {number} 件"
        };
        said.push_str(&replaced.fill(language, &[("number", &stated.replaced.to_string())]));
    }
    if stated.unread > 0 {
        let unread =
            Text { en: "; {number} parts could not be read", ja: "。読み取れなかった部分 {number} 件" };
        said.push_str(&unread.fill(language, &[("number", &stated.unread.to_string())]));
    }
    said
}

/// How many secrets were met, how many of them were found, and what was not looked for.
pub fn secrets(met: &Met, found: u64, language: Language) -> String {
    let text = Text {
        en: "{met} secrets met, {found} found", ja: "検知した秘密 {met} 件、見つかったもの {found} 件"
    };
    let mut said = text.fill(language, &[("met", &met.count().to_string()), ("found", &found.to_string())]);
    if met.count() > 0 {
        said.push_str(" (");
        said.push_str(&classes(&met.secrets, language));
        said.push(')');
    }
    if met.count() == 0 && !met.marked.is_empty() {
        let before =
            Text { en: "; taken out before: {classes}", ja: "。以前に取り除かれたもの: {classes}" };
        said.push_str(&before.fill(language, &[("classes", &classes(&met.marked, language))]));
    }
    said.push_str(&left_out(met, language));
    said
}

/// Which of the secrets were not looked for.
fn left_out(met: &Met, language: Language) -> String {
    let plain = Text {
        en: "; not looked for, as too short or no different from a word: {number}",
        ja: "。短すぎるか普通の語と区別できず検索していないもの: {number} 件",
    };
    let beyond = Text {
        en: "; not looked for, as there was no room to remember them: {number}",
        ja: "。記憶しきれず検索していないもの: {number} 件",
    };
    let said = [(met.plain, plain), (met.beyond, beyond)].into_iter().filter(|(number, _)| *number > 0);
    said.map(|(number, text)| text.fill(language, &[("number", &number.to_string())])).collect()
}

/// `password 3, token 12`.
fn classes(counts: &BTreeMap<&'static str, u64>, language: Language) -> String {
    let known = Class::ALL.into_iter().filter_map(|class| Some((class, counts.get(class.code())?)));
    known.map(|(class, count)| format!("{} {count}", class.words().to(language))).collect::<Vec<_>>().join(", ")
}

const fn kind(kind: Kind) -> Text {
    match kind {
        Kind::Authtap => Text { en: "an authtap session", ja: "authtap セッション" },
        Kind::Har => Text { en: "an HTTP archive (HAR)", ja: "HTTP アーカイブ (HAR)" },
        Kind::Saz => Text { en: "a Fiddler archive (SAZ)", ja: "Fiddler アーカイブ (SAZ)" },
        Kind::Mitm => Text { en: "a mitmproxy flow file", ja: "mitmproxy フロー ファイル" },
        Kind::OtherDatabase | Kind::Text | Kind::Binary | Kind::Empty => {
            Text { en: "another file", ja: "別のファイル" }
        }
    }
}
