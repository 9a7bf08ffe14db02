//! The command line: what was typed, and what is meant by it.
//!
//! The words and exit codes here are a contract. Options and commands of the contract that this version does not have
//! are known by name, so that they are answered with a sentence and not with "unexpected argument".

mod arguments;
mod meaning;
mod mistake;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::app::{self, Exit};
use crate::text::Language;

/// Does what the command line asks for. Standard output carries what was asked for and nothing else.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = with_command(arguments);
    let by_environment = || environment_language(|name| std::env::var(name).ok());
    let typed = match arguments::Arguments::try_parse_from(&arguments) {
        Ok(typed) => typed,
        Err(answer) if is_help(answer.kind()) => {
            // clap writes what was asked for to standard output, and what is shown instead of an error to standard error.
            let _ = answer.print();
            return if answer.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
        Err(mistake) => {
            app::warn(&mistake::said(&mistake, typed_language(&arguments).unwrap_or_else(by_environment)));
            return Exit::Usage.into();
        }
    };
    let language = typed.lang.unwrap_or_else(by_environment);
    let done = typed.meaning(language).and_then(app::run);
    match done {
        Ok(exit) => exit.into(),
        Err(fault) => {
            app::warn(&fault.message(language));
            fault.exit().into()
        }
    }
}

fn is_help(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// The language that `--lang` names in arguments which cannot be understood as a whole.
fn typed_language(arguments: &[OsString]) -> Option<Language> {
    let words = || arguments.iter().map(|word| word.to_str().unwrap_or_default());
    let attached = words().find_map(|word| word.strip_prefix("--lang="));
    attached.or_else(|| words().skip_while(|word| *word != "--lang").nth(1))?.parse().ok()
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
    fn a_mistake_is_said_in_the_language_that_was_asked_for() {
        let typed = |line: &str| typed_language(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(typed("authtap proxy --listen x --lang ja"), Some(Language::Ja));
        assert_eq!(typed("authtap --lang=en expalin"), Some(Language::En));
        assert_eq!((typed("authtap --lang"), typed("authtap --lang de"), typed("authtap")), (None, None, None));
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
