//! The pages in `docs/findings/`, made from the rules. With `AUTHTAP_BLESS=1` this writes them; without, it compares.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that writes documentation")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use super::RULES;
use super::none::NONE;
use crate::diagnosis::{Kind, Rule};
use crate::text::{Language, Text};

#[test]
fn the_pages_of_the_findings_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings");
    let mut pages: BTreeMap<String, String> =
        RULES.iter().map(|rule| (format!("{}.md", rule.id), page(rule))).collect();
    pages.insert("README.md".to_owned(), index());
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
    let mut page = format!("<!-- Made from src/diagnosis/rules/{}.rs; do not edit. -->\n\n", rule.id.replace('-', "_"));
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

fn index() -> String {
    let mut index = "<!-- Made from src/diagnosis/rules; do not edit. -->\n\n# Findings\n\n\
                     Everything that authtap can say of an exchange. `authtap explain <id>` shows the same page.\n"
        .to_owned();
    let mut rules = RULES.to_vec();
    rules.sort_by_key(|rule| rule.id);
    let (steps, failures): (Vec<&Rule>, Vec<&Rule>) = rules.into_iter().partition(|rule| rule.kinds == [Kind::Step]);
    for (title, rules) in [("Failures and notes", failures), ("Steps of healthy handshakes", steps)] {
        writeln!(index, "\n## {title}\n\n| id | | |\n|---|---|---|").unwrap();
        for rule in rules {
            writeln!(index, "| [{0}]({0}.md) | {1} | {2} |", rule.id, prose(rule.title.en), prose(rule.title.ja))
                .unwrap();
        }
    }
    writeln!(index, "\n[Causes without a finding of their own](no-finding.md)").unwrap();
    index
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
