//! The exchange that is looked at: read once from the app, laid out once as text.

use std::ops::Range;
use std::sync::Arc;

use super::Source;
use super::document::{Document, Mark};
use super::views::{findings, message};
use crate::diagnosis::{Handshake, HandshakeStep, Judgement};
use crate::exchange::Exchange;
use crate::redact::Clean;
use crate::text::Language;

/// What was read of the selected exchange, and the texts made from it.
#[derive(Debug, Default)]
pub(super) struct Looked {
    id: Option<u64>,
    language: Language,
    revealed: bool,
    exchange: Option<Arc<Exchange>>,
    pub(super) judgement: Option<Judgement>,
    pub(super) handshakes: Vec<Handshake>,
    pub(super) request: Document,
    pub(super) response: Document,
    pub(super) findings: Document,
    /// Where each piece of evidence points, counted over all findings.
    pub(super) marks: Vec<Mark>,
    exchange_fresh: bool,
    judgement_fresh: bool,
}

impl Looked {
    /// The exchange whose texts these are.
    pub(super) fn id(&self) -> Option<u64> {
        self.id
    }

    /// The exchange was replaced; read it again if it is this one.
    pub(super) fn forget_exchange(&mut self, id: u64) {
        self.exchange_fresh &= self.id != Some(id);
    }

    /// Something new was said; it may change findings and handshakes.
    pub(super) fn forget_judgement(&mut self) {
        self.judgement_fresh = false;
    }

    /// All steps of all handshakes.
    pub(super) fn steps(&self) -> impl Iterator<Item = &HandshakeStep> {
        self.handshakes.iter().flat_map(|handshake| &handshake.steps)
    }

    /// Reads what is out of date.
    pub(super) fn read(&mut self, id: Option<u64>, source: &dyn Source, language: Language, revealed: bool) {
        if (self.id, self.language, self.revealed) != (id, language, revealed) {
            *self = Self { id, language, revealed, ..Self::default() };
        }
        let Some(id) = id else { return };
        let names = Names { source, id, revealed };
        if !self.exchange_fresh {
            self.exchange_fresh = true;
            self.exchange = source.exchange(id);
            (self.request, self.response) = match &self.exchange {
                Some(exchange) => {
                    (message::request(exchange, language, &names), message::response(exchange, language, &names))
                }
                None => <(Document, Document)>::default(),
            };
        }
        if !self.judgement_fresh {
            self.judgement_fresh = true;
            self.judgement = source.judgement(id);
            self.handshakes = source.handshakes(id);
            (self.findings, self.marks) = findings::lay_out(self.judgement.as_ref(), id, language, &names);
        }
    }
}

/// Clean text as it is shown: with pseudonyms, or with the people behind them.
pub(super) struct Names<'a> {
    pub(super) source: &'a dyn Source,
    /// The exchange that the text is of.
    pub(super) id: u64,
    pub(super) revealed: bool,
}

impl Names<'_> {
    pub(super) fn show(&self, text: &Clean) -> Shown {
        if self.revealed {
            Shown::revealed(text.as_str(), self.source.reveal(self.id, text))
        } else {
            Shown { text: text.as_str().to_owned(), name: 0..0 }
        }
    }
}

/// Text for the screen, and the part of it that comes from memory because it names a person.
pub(super) struct Shown {
    pub(super) text: String,
    name: Range<usize>,
}

impl Shown {
    /// The name is where `text` differs from the `clean` text it was made of.
    pub(super) fn revealed(clean: &str, text: String) -> Self {
        let start = clean.chars().zip(text.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
        let same = clean[start..].chars().rev().zip(text[start..].chars().rev()).take_while(|(a, b)| a == b);
        let end = text.len() - same.map(|(a, _)| a.len_utf8()).sum::<usize>();
        Self { text, name: start..end }
    }

    /// Whether it names a person.
    pub(super) fn is_identity(&self) -> bool {
        !self.name.is_empty()
    }

    /// What stands before the name, the name, and what follows it.
    pub(super) fn parts(&self) -> (&str, &str, &str) {
        (&self.text[..self.name.start], &self.text[self.name.clone()], &self.text[self.name.end..])
    }
}
