//! The page with the selected exchange as something to paste, and its way to the clipboard.

use super::Source;
use super::document::{Document, Line};
use super::theme::Tone;
use super::words::text;
use crate::text::{Language, Text};

/// What an exchange is copied as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyForm {
    /// A curl command.
    #[default]
    Curl,
    /// A `PowerShell` command.
    PowerShell,
    /// Request and response as text.
    Raw,
}

impl CopyForm {
    pub(super) const ALL: [Self; 3] = [Self::Curl, Self::PowerShell, Self::Raw];

    pub(super) const fn title(self) -> Text {
        match self {
            Self::Curl => text("curl", "curl"),
            Self::PowerShell => text("PowerShell", "PowerShell"),
            Self::Raw => text("raw", "生テキスト"),
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Curl => Self::PowerShell,
            Self::PowerShell => Self::Raw,
            Self::Raw => Self::Curl,
        }
    }
}

/// What is being copied.
#[derive(Debug, Default)]
pub(super) struct Copying {
    pub(super) form: CopyForm,
    exchange: Option<u64>,
    snippet: Option<String>,
    /// It has yet to be read, and handed to the terminal.
    wanted: bool,
    pub(super) scroll: usize,
}

impl Copying {
    /// Asks for the exchange in the form that was wanted last.
    pub(super) fn begin(&mut self, exchange: u64) {
        *self = Self { form: self.form, exchange: Some(exchange), wanted: true, ..Self::default() };
    }

    /// The same exchange in the next form.
    pub(super) fn turn(&mut self) {
        *self = Self { form: self.form.next(), exchange: self.exchange, wanted: true, ..Self::default() };
    }

    /// Reads what is wanted; gives what is to be put on the clipboard.
    pub(super) fn read(&mut self, source: &dyn Source) -> Option<String> {
        if !std::mem::take(&mut self.wanted) {
            return None;
        }
        self.snippet = self.exchange.and_then(|id| source.snippet(id, self.form));
        self.snippet.clone()
    }

    pub(super) fn lay_out(&self, language: Language) -> Document {
        let mut page = Document::default();
        let Some(snippet) = &self.snippet else {
            let words = text(
                "The request was not captured: there is nothing to copy.",
                "要求が取得されていないため、コピーできるものがありません。",
            );
            page.push(Line::of(Tone::Warning, words.to(language)));
            return page;
        };
        let words = text(
            "Copied. Where the terminal does not take it, select it here. Credentials are left out: fill in what stands in < >.",
            "コピーしました。端末が対応していない場合は、ここで選択してください。資格情報は含まれません。< > の部分を置き換えてください。",
        );
        page.push(Line::of(Tone::Quiet, words.to(language)));
        page.blank();
        snippet.lines().for_each(|line| page.push(Line::of(Tone::Plain, line)));
        page
    }
}
