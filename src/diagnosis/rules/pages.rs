//! The pages in `docs/findings/`, made from the rules. With `AUTHTAP_BLESS=1` this writes them; without, it compares.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that writes documentation")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use super::RULES;
use super::claims::{ARTICLES, CLAIMS};
use super::none::NONE;
use crate::diagnosis::Rule;
use crate::text::{Language, Text};

#[test]
fn the_pages_of_the_findings_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings");
    let mut pages: BTreeMap<String, String> =
        RULES.iter().map(|rule| (format!("{}.md", rule.id), page(rule))).collect();
    pages.insert("README.md".to_owned(), index());
    pages.insert("what-the-articles-claim.md".to_owned(), claims());
    pages.insert("no-finding.md".to_owned(), no_finding());
    if env::var_os("AUTHTAP_BLESS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, page) in &pages {
            fs::write(folder.join(name), page).unwrap();
        }
    }
    let written: BTreeMap<String, String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    let stale: Vec<_> =
        pages.keys().chain(written.keys()).filter(|name| pages.get(*name) != written.get(*name)).collect();
    assert!(stale.is_empty(), "run `AUTHTAP_BLESS=1 cargo test --lib findings`; out of date: {stale:?}");
}

fn page(rule: &Rule) -> String {
    let (family, file) = (family(rule), rule.id.replace('-', "_"));
    let mut page = format!("<!-- Made from src/diagnosis/rules/{family}/{file}.rs; do not edit. -->\n\n");
    writeln!(page, "# {}\n\n`{}`", prose(rule.title.en), rule.id).unwrap();
    let kinds = words(rule.kinds.iter().map(|kind| kind.code()));
    let certainties = words(rule.certainties.iter().map(|certainty| certainty.code()));
    let actors = words(rule.actors.iter().map(|actor| actor.code()));
    writeln!(page, "\n| kind | certainty | who must act |\n|---|---|---|\n| {kinds} | {certainties} | {actors} |")
        .unwrap();
    section(&mut page, "What it means", rule.explanation, Language::En);
    section(&mut page, "What to do", rule.remedy, Language::En);
    writeln!(page, "\n---\n\n# {}", prose(rule.title.ja)).unwrap();
    section(&mut page, "説明", rule.explanation, Language::Ja);
    section(&mut page, "対処", rule.remedy, Language::Ja);
    page.push_str("\n---\n\nSources:\n\n");
    for source in rule.sources_in(Language::En) {
        writeln!(page, "- {source}").unwrap();
    }
    page
}

/// What the families are called, in the order of the index.
const FAMILIES: [(&str, &str, &str); 15] = [
    ("connection", "Connections, TLS and what was captured", "接続、TLS、キャプチャの範囲"),
    ("entra", "Entra ID, AD FS and tokens from them", "Entra ID、AD FS とトークンの取得"),
    ("exchange_oauth", "OAuth at Exchange, hybrid modern authentication", "Exchange の OAuth、ハイブリッド先進認証"),
    ("autodiscover", "Autodiscover", "自動検出 (Autodiscover)"),
    ("outlook_anywhere", "Outlook Anywhere, RPC over HTTP", "Outlook Anywhere、RPC over HTTP"),
    ("outlook", "Outlook and its sign-in", "Outlook とそのサインイン"),
    ("windows_auth", "NTLM, Kerberos and Extended Protection", "NTLM、Kerberos、拡張保護"),
    ("basic", "Passwords and Basic authentication", "パスワードと基本認証"),
    ("ews", "EWS, permissions and migrations", "EWS、権限、移行"),
    ("activesync", "ActiveSync", "ActiveSync"),
    ("sharepoint", "SharePoint and OneDrive", "SharePoint と OneDrive"),
    ("graph", "Microsoft Graph", "Microsoft Graph"),
    ("told", "Messages of tools and wizards", "ツールやウィザードのメッセージ"),
    ("steps", "Steps of healthy handshakes", "正常なハンドシェイクの手順"),
    ("generic", "Where no cause is known", "原因を特定できない場合"),
];

fn index() -> String {
    let mut index = "<!-- Made from src/diagnosis/rules; do not edit. -->\n\n# Findings\n\n".to_owned();
    let families: BTreeMap<&str, String> = RULES.iter().map(|rule| (rule.id, family(rule))).collect();
    writeln!(
        index,
        "Everything that authtap can say of an exchange: {} findings, by family. `authtap explain <id>` shows the same \
         page. [Causes that no traffic shows](no-finding.md) have none of their own.\n\
         [What the articles this tool grew from claim](what-the-articles-claim.md), and which finding answers it.",
        RULES.len()
    )
    .unwrap();
    let unknown = families.values().map(String::as_str).filter(|name| FAMILIES.iter().all(|(known, ..)| known != name));
    let unknown: BTreeMap<&str, (&str, &str)> = unknown.map(|name| (name, (name, name))).collect();
    let known = FAMILIES.iter().map(|(name, en, ja)| (*name, (*en, *ja)));
    for (name, (en, ja)) in known.chain(unknown) {
        let mut rules: Vec<&Rule> =
            RULES.iter().copied().filter(|rule| families.get(rule.id).is_some_and(|family| family == name)).collect();
        if rules.is_empty() {
            continue;
        }
        rules.sort_by_key(|rule| rule.id);
        let heading = if en == ja { en.to_owned() } else { format!("{en} / {ja}") };
        writeln!(index, "\n## {heading}\n\n| id | | |\n|---|---|---|").unwrap();
        for rule in rules {
            writeln!(index, "| [{0}]({0}.md) | {1} | {2} |", rule.id, prose(rule.title.en), prose(rule.title.ja))
                .unwrap();
        }
    }
    writeln!(index, "\n[Causes without a finding of their own](no-finding.md)").unwrap();
    index
}

/// The folder that a rule's file lies in.
fn family(rule: &Rule) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnosis/rules");
    let file = format!("{}.rs", rule.id.replace('-', "_"));
    let families = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let family = families.into_iter().find(|family| family.join(&file).exists()).unwrap();
    family.file_name().unwrap().to_string_lossy().into_owned()
}

/// The causes that are no rule.
fn no_finding() -> String {
    let mut page = "<!-- Made from src/diagnosis/rules/none.rs; do not edit. -->\n\n\
                    # Causes without a finding of their own / 専用の検出結果がない原因\n"
        .to_owned();
    for cause in NONE {
        writeln!(page, "\n## `{}`", cause.id).unwrap();
        for (language, instead) in [(Language::En, "Read instead"), (Language::Ja, "代わりに参照")] {
            writeln!(page, "\n**{}**", prose(cause.title.to(language))).unwrap();
            writeln!(page, "\n{}", prose(cause.reason.to(language))).unwrap();
            let links: Vec<_> = cause.instead.iter().map(|id| format!("[{id}]({id}.md)")).collect();
            writeln!(page, "\n{instead}: {}", links.join(", ")).unwrap();
        }
    }
    page
}

fn claims() -> String {
    let mut page = "<!-- Made from src/diagnosis/rules/claims.rs; do not edit. -->\n\n\
                    # What the articles this tool grew from claim, and the finding that answers it\n\n\
                    Five articles on HTTP 401 name 58 causes and rules of conduct. authtap checks them against the \
                    traffic: for each claim this is the finding that says so, and what holds as of November 2026.\n\n"
        .to_owned();
    for (number, article) in ('A'..).zip(ARTICLES) {
        writeln!(page, "- **{number}** {article}").unwrap();
    }
    page.push_str("\n| | article | claim | finding | today |\n|---|---|---|---|---|\n");
    for (number, claim) in (1..).zip(&CLAIMS) {
        let articles = words(claim.articles.iter().map(|article| ["A", "B", "C", "D", "E"][*article]));
        let findings: Vec<String> = claim.ids.iter().map(|id| linked(id)).collect();
        let findings = findings.join(", ");
        writeln!(page, "| {number} | {articles} | {} | {findings} | {} |", prose(claim.words), prose(claim.today))
            .unwrap();
    }
    page
}

/// A link, where there is a page to link to.
fn linked(id: &str) -> String {
    let rule = RULES.iter().any(|rule| rule.id == id);
    let none = NONE.iter().any(|cause| cause.id == id);
    match (rule, none) {
        (true, _) => format!("[{id}]({id}.md)"),
        (false, true) => format!("[{id}](no-finding.md#{id})"),
        (false, false) => format!("`{id}`"),
    }
}

#[test]
fn every_claim_is_answered_by_a_finding_or_a_note() {
    for (number, claim) in (1..).zip(&CLAIMS) {
        assert!(!claim.ids.is_empty() || !claim.today.is_empty(), "claim {number} is left alone");
        assert!(!claim.articles.is_empty() && claim.words.ends_with('.'), "claim {number}");
    }
    let named: BTreeSet<&str> = CLAIMS.iter().flat_map(|claim| claim.ids).copied().collect();
    let known = |id: &str| RULES.iter().any(|rule| rule.id == id) || NONE.iter().any(|cause| cause.id == id);
    let missing: Vec<_> = named.into_iter().filter(|id| !known(id)).collect();
    assert!(missing.is_empty(), "no rule answers to {missing:?}");
}

fn section(page: &mut String, title: &str, text: Text, language: Language) {
    writeln!(page, "\n## {title}").unwrap();
    let filled = text.fill(language, &[]);
    let mut in_commands = false;
    for line in filled.lines() {
        match (in_commands, is_command(line)) {
            (false, true) => page.push_str("\n```powershell\n"),
            (true, false) => page.push_str("```\n"),
            _ => {}
        }
        in_commands = is_command(line);
        if in_commands {
            writeln!(page, "{line}").unwrap();
        } else {
            writeln!(page, "\n{}", prose(line)).unwrap();
        }
    }
    if in_commands {
        page.push_str("```\n");
    }
}

/// A cmdlet, a variable, or a program that is called by name at the start of a line.
fn is_command(line: &str) -> bool {
    let first = line.split([' ', '|']).next().unwrap_or_default();
    let cmdlet = first.split_once('-').is_some_and(|(verb, noun)| {
        verb.starts_with(|letter: char| letter.is_ascii_uppercase())
            && verb.bytes().all(|byte| byte.is_ascii_alphabetic())
            && noun.starts_with(|letter: char| letter.is_ascii_uppercase())
            && noun.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let program = [
        "authtap",
        "reg",
        "iisreset",
        "setspn",
        "nslookup",
        "openssl",
        "netsh",
        "certutil",
        "defaults",
        "CheckNetIsolation",
        "dsregcmd",
    ];
    cmdlet || first.starts_with('$') || first.starts_with("(Get-") || program.contains(&first)
}

/// With the letters escaped that Markdown would take for its own.
fn prose(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '<' | '>' | '*' | '_' | '`' | '|' | '\\' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
