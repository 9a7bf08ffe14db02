//! Sentences for people, in English and in Japanese.
//!
//! Both languages are fields, so a sentence without its translation does not compile. Nothing here knows
//! where a sentence is shown.

use std::fmt;
use std::str::FromStr;

/// One sentence or title in both languages.
///
/// A `{name}` inside it is a place to fill with a name found in the traffic; see [`Text::fill`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Japanese.
    pub ja: &'static str,
}

impl Text {
    /// The sentence in `language`, places left open.
    pub const fn to(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Ja => self.ja,
        }
    }

    /// The sentence in `language` with every `{name}` replaced by its value in `names`.
    ///
    /// A place that has no value becomes `<name>`, so that a command stays readable and is visibly incomplete.
    /// Braces that do not enclose a lower-case word (PowerShell script blocks, JSON) stay as they are.
    pub fn fill(self, language: Language, names: &[(&str, &str)]) -> String {
        let mut rest = self.to(language);
        let mut filled = String::with_capacity(rest.len() + 64);
        while let Some(open) = rest.find('{') {
            let (before, from_open) = rest.split_at(open);
            filled.push_str(before);
            let name = from_open[1..].split_once('}').map(|(name, _)| name);
            match name.filter(|name| is_place(name)) {
                Some(name) => {
                    match names.iter().find(|(known, _)| known == &name) {
                        Some((_, value)) => filled.push_str(value),
                        None => {
                            filled.push('<');
                            filled.push_str(name);
                            filled.push('>');
                        }
                    }
                    rest = &from_open[name.len() + 2..];
                }
                None => {
                    filled.push('{');
                    rest = &from_open[1..];
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

fn is_place(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The language that sentences are shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// The language of a POSIX locale name such as `ja_JP.UTF-8`; anything but Japanese is English.
    pub fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("ja") { Self::Ja } else { Self::En }
    }

    /// The other language, for a key that switches.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::En => Self::Ja,
            Self::Ja => Self::En,
        }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "en" => Ok(Self::En),
            "ja" => Ok(Self::Ja),
            _ => Err(UnknownLanguage),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::En => "en",
            Self::Ja => "ja",
        })
    }
}

/// A language name that is neither `en` nor `ja`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown language; use en or ja")]
pub struct UnknownLanguage;

#[cfg(test)]
mod tests {
    use super::*;

    const REMEDY: Text = Text { en: "Register {url} where {$_.Name} is set", ja: "{url} を登録する" };

    #[test]
    fn fills_places_and_leaves_script_blocks() {
        assert_eq!(
            REMEDY.fill(Language::En, &[("url", "https://mail.contoso.com/")]),
            "Register https://mail.contoso.com/ where {$_.Name} is set"
        );
    }

    #[test]
    fn shows_a_place_without_a_value() {
        assert_eq!(REMEDY.fill(Language::Ja, &[]), "<url> を登録する");
    }
}
