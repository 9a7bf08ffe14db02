//! What is wrong with what was typed, in both languages, without repeating what may be a password.
//!
//! clap repeats values as they came. A URL with user name and password is not to stand on a screen or in a log because
//! something else was wrong with it: here a value is repeated only where it is a plain word.

#![allow(clippy::trivially_copy_pass_by_ref, reason = "each is a function of a reference, as `why` wants it")]

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::values::ValueError;
use crate::proxy::{DomainError, HostFileError, HostPatternError, NetworkError, ResolveError, ReverseUrlError};
use crate::text::{Language, Text, UnknownLanguage};

/// The longest word that is repeated.
const LONGEST: usize = 40;

/// The sentence for `error`, with how it is meant to be typed.
pub(super) fn said(error: &Error, language: Language) -> String {
    let mut said = what(error, language);
    let proposed =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand].map(|kind| words(error, kind)).concat();
    if !proposed.is_empty() {
        let text = Text { en: "; did you mean {it}?", ja: "。{it} ではありませんか" };
        said += &text.fill(language, &[("it", &proposed.join(", "))]);
    }
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
        said += &Text { en: "\nUsage: {usage}", ja: "\n使い方: {usage}" }.fill(language, &[("usage", usage)]);
    }
    said + Text { en: "\n--help says more.", ja: "\n詳しくは --help を付けて実行してください。" }.to(language)
}

fn what(error: &Error, language: Language) -> String {
    let argument = words(error, ContextKind::InvalidArg).join(", ");
    let given = words(error, ContextKind::InvalidValue).join(" ");
    let fill = |text: Text| text.fill(language, &[("argument", &argument), ("given", &given)]);
    match error.kind() {
        ErrorKind::InvalidValue if given.is_empty() => {
            fill(Text { en: "{argument} needs a value", ja: "{argument} には値が必要です" })
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let valid = words(error, ContextKind::ValidValue).join(", ");
            let why = why(error, language).unwrap_or_else(|| {
                Text { en: "use one of {valid}", ja: "{valid} のいずれかを指定してください" }
                    .fill(language, &[("valid", &valid)])
            });
            let repeated = if is_plain(&given) {
                fill(Text { en: " (given: {given})", ja: " (指定: {given})" })
            } else {
                String::new()
            };
            format!("{argument}: {why}{repeated}")
        }
        ErrorKind::UnknownArgument => match option(&argument) {
            Some(option) => Text {
                en: "there is no option {option} here",
                ja: "ここに {option} というオプションはありません",
            }
            .fill(language, &[("option", option)]),
            None => fill(Text { en: "there is a word too many", ja: "余分な語があります" }),
        },
        ErrorKind::InvalidSubcommand => {
            let command = words(error, ContextKind::InvalidSubcommand).join(" ");
            let text = if is_plain(&command) {
                Text { en: "there is no command {command}", ja: "{command} というコマンドはありません" }
            } else {
                Text { en: "the first word is no command", ja: "最初の語はコマンドではありません" }
            };
            text.fill(language, &[("command", &command)])
        }
        ErrorKind::MissingRequiredArgument => {
            fill(Text { en: "{argument} is missing", ja: "{argument} がありません" })
        }
        ErrorKind::ArgumentConflict => {
            let other = words(error, ContextKind::PriorArg).join(", ");
            let text = Text {
                en: "{argument} cannot be used with {other}",
                ja: "{argument} は {other} と同時に指定できません",
            };
            text.fill(language, &[("argument", &argument), ("other", &other)])
        }
        ErrorKind::TooManyValues => {
            fill(Text { en: "{argument} takes no value", ja: "{argument} に値は指定できません" })
        }
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            fill(Text { en: "{argument} needs a value", ja: "{argument} には値が必要です" })
        }
        ErrorKind::MissingSubcommand => {
            Text { en: "a command is missing", ja: "コマンドがありません" }.to(language).to_owned()
        }
        ErrorKind::InvalidUtf8 => {
            Text { en: "an argument is not UTF-8", ja: "UTF-8 ではない引数があります" }.to(language).to_owned()
        }
        _ => Text { en: "the arguments cannot be understood", ja: "引数を解釈できません" }.to(language).to_owned(),
    }
}

/// Why a value was refused.
fn why(error: &Error, language: Language) -> Option<String> {
    let source = error.source()?;
    if language == Language::En {
        return Some(source.to_string());
    }
    let said = source
        .downcast_ref()
        .map(host)
        .or_else(|| source.downcast_ref().map(network))
        .or_else(|| source.downcast_ref().map(domain))
        .or_else(|| source.downcast_ref().map(resolve))
        .or_else(|| source.downcast_ref().map(host_file))
        .or_else(|| source.downcast_ref().map(value))
        .or_else(|| {
            source.downcast_ref().map(|ReverseUrlError| {
            "スキーム、ホスト、ポートだけを指定してください (例: https://mail.contoso.com、http://10.1.2.3:8080)"
        })
        })
        .or_else(|| source.downcast_ref().map(|UnknownLanguage| "en または ja を指定してください"));
    Some(said.map_or_else(|| source.to_string(), str::to_owned))
}

const fn host(error: &HostPatternError) -> &'static str {
    match error {
        HostPatternError::Url => "URL ではなく、mail.contoso.com や *.contoso.com のようなホスト名を指定してください",
        HostPatternError::Empty => "mail.contoso.com や *.contoso.com のような名前が必要です",
        HostPatternError::Stars => "アスタリスクは *.contoso.com のように 1 つだけ使えます",
        HostPatternError::Port => "ホスト名の後のポートは 1 から 65535 の数値です",
    }
}

const fn network(error: &NetworkError) -> &'static str {
    match error {
        NetworkError::Form => {
            "10.1.0.0/16、192.168.1.20、fd00::/8 のように、ネットワークまたはアドレスを指定してください"
        }
        NetworkError::HostBits => {
            "プレフィックスより後のビットが 0 ではありません。10.1.0.0/16 のようにネットワーク自体のアドレスを指定してください"
        }
    }
}

const fn domain(error: &DomainError) -> &'static str {
    match error {
        DomainError::Address => "ルート証明書はアドレスではなくドメインで制限します (例: contoso.com)",
        DomainError::NotAscii => "ドメインは DNS での表記 (xn--…) で指定してください (例: xn--bcher-kva.example)",
        DomainError::Form => {
            "スキーム、ポート、パスを付けずにドメインを指定してください (例: contoso.com。その下のホストも含まれます)"
        }
    }
}

const fn resolve(error: &ResolveError) -> &'static str {
    match error {
        ResolveError::Form => "mail.contoso.com=10.1.2.3 のように HOST[:PORT]=ADDR[:PORT] の形で指定してください",
        ResolveError::Host(error) => host(error),
        ResolveError::Address => "等号の後は 10.1.2.3:8443 のような IP アドレスです (ポートは省略可)",
    }
}

const fn host_file(error: &HostFileError) -> &'static str {
    match error {
        HostFileError::Form => "mail.contoso.com=mail.pfx のように HOST=FILE の形で指定してください",
        HostFileError::Host(error) => host(error),
    }
}

const fn value(error: &ValueError) -> &'static str {
    match error {
        ValueError::Address => "127.0.0.1:8080 や [::1]:0 のように ADDRESS:PORT の形で指定してください",
        ValueError::Bytes => "262144 のようにバイト数を整数で指定してください",
    }
}

/// The name of an option that was typed, without what was attached to it.
fn option(typed: &str) -> Option<&str> {
    let name = match typed.strip_prefix("--") {
        Some(_) => typed.split('=').next().unwrap_or_default(),
        None => typed.get(..2)?,
    };
    (name.starts_with('-') && name.len() > 1 && is_plain(name)).then_some(name)
}

/// Whether it is a plain word, which can hold no user name with a password.
fn is_plain(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

/// What clap noted of that kind.
fn words(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::arguments::Arguments;

    fn mistake(line: &str, language: Language) -> String {
        said(&Arguments::try_parse_from(line.split(' ')).err().unwrap_or_else(|| panic!("{line}")), language)
    }

    #[test]
    fn no_password_of_a_url_or_host_is_repeated() {
        for option in [
            "--reverse",
            "--only",
            "--skip-decrypt",
            "--http1",
            "--allow",
            "--resolve",
            "--server-cert",
            "--client-cert",
            "--listen",
            "--body-limit",
        ] {
            for value in
                ["https://avery:hunter2@mail.contoso.com/", "avery:hunter2@mail.contoso.com", "https://avery:hunter2"]
            {
                for line in [format!("authtap proxy {option} {value}"), format!("authtap proxy {option}={value}")] {
                    for language in [Language::En, Language::Ja] {
                        let said = mistake(&line, language);
                        assert!(said.starts_with(option) && !said.contains("hunter2"), "{line}: {said}");
                    }
                }
            }
        }
        for line in [
            "authtap https://avery:hunter2@mail.contoso.com/",
            "authtap proxy https://avery:hunter2@mail.contoso.com/",
            "authtap proxy hunter2",
            "authtap proxy --headless=avery:hunter2@p",
            "authtap proxy --password=hunter2",
            "authtap proxy -phunter2",
            "authtap --lang avery:hunter2@p explain",
            "authtap proxy --headless --format avery:hunter2@p",
            "authtap replay a.har --reverse https://avery:hunter2@p/",
            "authtap ca renew --only avery:hunter2@p",
        ] {
            let said = mistake(line, Language::En);
            assert!(!said.contains("hunter2"), "{line}: {said}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_both_languages() {
        for (line, en, ja) in [
            (
                "authtap proxy --listen nonsense",
                "--listen <ADDR>: write ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:0 (given: nonsense)",
                "--listen <ADDR>: 127.0.0.1:8080 や [::1]:0 のように ADDRESS:PORT の形で指定してください (指定: nonsense)",
            ),
            (
                "authtap proxy --headless --format xml",
                "--format <FORMAT>: use one of text, json (given: xml)",
                "--format <FORMAT>: text, json のいずれかを指定してください (指定: xml)",
            ),
            (
                "authtap expalin",
                "there is no command expalin; did you mean explain?",
                "expalin というコマンドはありません。explain ではありませんか",
            ),
            (
                "authtap proxy --headles",
                "there is no option --headles here; did you mean --headless?",
                "ここに --headles というオプションはありません。--headless ではありませんか",
            ),
            ("authtap proxy --listen", "--listen <ADDR> needs a value", "--listen <ADDR> には値が必要です"),
            ("authtap diagnose", "<FILE|->... is missing", "<FILE|->... がありません"),
            ("authtap proxy --format json", "--headless is missing", "--headless がありません"),
            (
                "authtap proxy --transparent --reverse https://mail.contoso.com",
                "--transparent cannot be used with --reverse <URL>",
                "--transparent は --reverse <URL> と同時に指定できません",
            ),
        ] {
            for (language, wanted) in [(Language::En, en), (Language::Ja, ja)] {
                let said = mistake(line, language);
                assert_eq!(said.lines().next(), Some(wanted), "{said}");
            }
        }
        assert!(mistake("authtap diagnose", Language::Ja).contains("\n使い方: authtap diagnose"));
    }

    #[test]
    fn every_reason_has_its_own_words_in_japanese() {
        for line in [
            "--reverse mail.contoso.com",
            "--only https://mail.contoso.com/",
            "--only *.*.com",
            "--only mail.contoso.com:x",
            "--only :443",
            "--allow office",
            "--allow 10.1.2.3/8",
            "--resolve mail.contoso.com",
            "--resolve m=x",
            "--server-cert mail.pfx",
            "--listen x",
            "--body-limit x",
        ] {
            let said = mistake(&format!("authtap proxy {line}"), Language::Ja);
            let first = said.lines().next().unwrap_or_default();
            assert!(!first.is_ascii(), "{line}: {first}");
        }
        for line in [
            "authtap ca renew --only 10.1.2.3",
            "authtap ca renew --only https://contoso.com",
            "authtap --lang de explain",
        ] {
            assert!(!mistake(line, Language::Ja).lines().next().unwrap_or_default().is_ascii(), "{line}");
        }
    }
}
