//! The command line: what was typed, and what is meant by it.
//!
//! The words and exit codes here are a contract. Options and commands of the contract that this version does not have
//! are known by name, so that they are answered with a sentence and not with "unexpected argument".

mod arguments;
mod meaning;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use crate::app::{self, Exit};
use crate::text::Language;

/// Does what the command line asks for. Standard output carries what was asked for and nothing else.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let typed = match arguments::Arguments::try_parse_from(with_command(arguments)) {
        Ok(typed) => typed,
        Err(answer) => {
            // Help and version are no errors: clap writes them to standard output and their exit code is 0.
            let _ = answer.print();
            return if answer.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let language = typed.lang.unwrap_or_else(|| environment_language(|name| std::env::var(name).ok()));
    let done = typed.meaning(language).and_then(app::run);
    match done {
        Ok(exit) => exit.into(),
        Err(fault) => {
            app::warn(&fault.message(language));
            fault.exit().into()
        }
    }
}

/// `authtap -l …` means `authtap proxy -l …`: `proxy` goes in where the first word is an option and no command follows
/// the options that every command takes.
fn with_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    if arguments.is_empty() {
        arguments.push("authtap".into());
    }
    let mut at = 1;
    while let Some(word) = arguments.get(at).and_then(|word| word.to_str()) {
        match word {
            "--lang" | "--log" => at += 2,
            _ if word.starts_with("--lang=") || word.starts_with("--log=") => at += 1,
            "-h" | "--help" | "-V" | "--version" => return arguments,
            _ => break,
        }
    }
    let at = at.min(arguments.len());
    let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    if arguments.get(at).is_none_or(is_option) {
        arguments.insert(at, "proxy".into());
    }
    arguments
}

/// The language of the first variable that says one, in the order of POSIX.
fn environment_language(variable: impl Fn(&str) -> Option<String>) -> Language {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
    locale.map_or_else(Language::default, |locale| Language::of_locale(&locale))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn completed(line: &str) -> String {
        let words = with_command(line.split(' ').map(OsString::from));
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn proxy_is_the_command_where_none_is_named() {
        for (typed, meant) in [
            ("authtap", "authtap proxy"),
            ("authtap -l [::1]:0", "authtap proxy -l [::1]:0"),
            ("authtap --lang ja", "authtap --lang ja proxy"),
            ("authtap --lang ja --headless", "authtap --lang ja proxy --headless"),
            ("authtap --lang=ja --log=a --only *.contoso.com", "authtap --lang=ja --log=a proxy --only *.contoso.com"),
        ] {
            assert_eq!(completed(typed), meant);
        }
    }

    #[test]
    fn a_named_command_and_requests_for_help_stay_as_they_are() {
        for typed in [
            "authtap proxy -l 127.0.0.1:0",
            "authtap --lang ja explain",
            "authtap diagnose -",
            "authtap --help",
            "authtap --lang ja -V",
            "authtap expalin",
        ] {
            assert_eq!(completed(typed), typed);
        }
    }

    #[test]
    fn the_language_comes_from_the_first_variable_that_is_set() {
        let from = |pairs: &'static [(&str, &str)]| {
            environment_language(|name| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(from(&[]), Language::En);
        assert_eq!(from(&[("LANG", "ja_JP.UTF-8")]), Language::Ja);
        assert_eq!(from(&[("LANG", "ja_JP.UTF-8"), ("LC_MESSAGES", "en_US.UTF-8")]), Language::En);
        assert_eq!(from(&[("LC_ALL", ""), ("LC_MESSAGES", "ja"), ("LANG", "C")]), Language::Ja);
        assert_eq!(from(&[("LC_ALL", "C.UTF-8"), ("LANG", "ja_JP.UTF-8")]), Language::En);
    }
}
