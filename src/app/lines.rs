//! A capture as lines on standard output.

use super::output::Output;
use super::printer::{Printer, Rest};
use super::watch::Show;
use super::{Fault, Lines, warn};
use crate::diagnosis::{Judgement, Observed};
use crate::exchange::Exchange;
use crate::report::json::{Entry, Event};
use crate::report::text;
use crate::text::{Language, Text};

/// Writes one line an exchange, and one for whatever is said anew.
pub(super) struct LineShow {
    printer: Printer,
    form: Lines,
    language: Language,
}

impl LineShow {
    pub(super) fn start(form: Lines, language: Language) -> Result<Self, Fault> {
        Ok(Self { printer: Printer::start(Output::standard())?, form, language })
    }

    pub(super) fn say(&mut self, event: &Event<'_>) {
        self.printer.line(&line(self.form, event, self.language));
    }

    /// Prints what has gathered.
    pub(super) fn flush(&mut self) {
        let (form, language) = (self.form, self.language);
        self.printer.flush(|lines| line(form, &Event::Skipped { lines }, language));
    }

    /// Whether nobody reads the lines any more.
    pub(super) fn is_over(&self) -> bool {
        self.printer.is_over()
    }

    pub(super) fn close(self) -> Result<(), Fault> {
        if self.printer.close()? == Rest::Unread {
            let unread = Text {
                en: "standard output was not read to its end; the session has what was not printed",
                ja: "標準出力は最後まで読み取られませんでした。出力されなかった内容はセッションにあります",
            };
            warn(unread.to(self.language));
        }
        Ok(())
    }
}

impl Show for LineShow {
    fn running(&mut self, _: &Exchange) {}

    fn ended(&mut self, exchange: &Exchange, observed: Observed) {
        let entry = Entry::new(exchange, &observed.judgement);
        self.say(&Event::exchange(&entry, &observed.judgement, self.language));
        self.revised(observed.revised);
    }

    fn revised(&mut self, judgements: Vec<Judgement>) {
        for judgement in &judgements {
            self.say(&Event::revised(judgement, self.language));
        }
    }
}

fn line(form: Lines, event: &Event<'_>, language: Language) -> String {
    match form {
        Lines::Json => event.line(),
        Lines::Text => text::event(event, language),
    }
}
