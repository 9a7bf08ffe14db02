//! A capture on the terminal screen.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::Fault;
use super::judgements::Judgements;
use super::watch::{Show, Standing, Watch};
use crate::diagnosis::{Handshake, Judgement, Observed, Readiness};
use crate::exchange::Exchange;
use crate::proxy::Tally;
use crate::redact::Clean;
use crate::report::snippet::{self, snippet};
use crate::session::SessionError;
use crate::text::{Language, Text};
use crate::tui::{Banner, Command, CopyForm, Counts, Problem, Row, Screen, Source, State};

/// Shows a capture on the terminal.
pub(super) struct ScreenShow {
    screen: Screen,
    state: State,
    judgements: Judgements,
}

impl ScreenShow {
    pub(super) fn new(screen: Screen, language: Language, banner: Banner) -> Self {
        Self { screen, state: State::new(language, banner), judgements: Judgements::default() }
    }

    /// Draws what is new and waits for keys no longer than `patience`; gives what they ask for.
    pub(super) fn turn(&mut self, watch: &Watch, tally: Tally, patience: Duration) -> Result<Vec<Command>, Fault> {
        let standing = watch.standing();
        self.state.counts(Counts {
            lost: standing.lost,
            passed: tally.passed,
            refused: tally.refused + tally.dismissed + tally.turned_away,
        });
        self.state.problems(problem(&standing).into_iter().collect());
        self.screen.draw(&mut self.state, &Look { watch, judgements: &self.judgements })?;
        let inputs = self.screen.poll(patience)?;
        Ok(inputs.into_iter().filter_map(|input| self.state.input(input)).collect())
    }
}

impl Show for ScreenShow {
    fn running(&mut self, exchange: &Exchange) {
        self.state.add(Row::of(exchange));
    }

    fn ended(&mut self, exchange: &Exchange, observed: Observed) {
        self.state.add(Row::of(exchange));
        self.state.judge(&observed.judgement);
        self.judgements.keep(observed.judgement);
        self.revised(observed.revised);
    }

    fn revised(&mut self, judgements: Vec<Judgement>) {
        for judgement in judgements {
            self.state.judge(&judgement);
            self.judgements.keep(judgement);
        }
    }
}

struct Look<'a> {
    watch: &'a Watch,
    judgements: &'a Judgements,
}

impl Source for Look<'_> {
    fn exchange(&self, id: u64) -> Option<Arc<Exchange>> {
        self.watch.exchange(id)
    }

    fn judgement(&self, id: u64) -> Option<Judgement> {
        self.judgements.of(id)
    }

    fn handshakes(&self, id: u64) -> Vec<Handshake> {
        self.watch.ledger.diagnosis().handshakes_of(id)
    }

    fn readiness(&self) -> Vec<Readiness> {
        self.watch.ledger.diagnosis().readiness().to_vec()
    }

    fn snippet(&self, id: u64, form: CopyForm) -> Option<String> {
        copied(&*self.exchange(id)?, form)
    }

    fn holding(&self, ids: &[u64], part: &str) -> HashSet<u64> {
        self.watch.holding(ids, part)
    }

    fn reveal(&self, _: u64, text: &Clean) -> String {
        self.watch.redactor.reveal(text)
    }
}

/// An exchange as something to paste.
pub(super) fn copied(exchange: &Exchange, form: CopyForm) -> Option<String> {
    snippet(
        exchange,
        match form {
            CopyForm::Curl => snippet::Form::Curl,
            CopyForm::PowerShell => snippet::Form::PowerShell,
            CopyForm::Raw => snippet::Form::Raw,
        },
    )
}

/// What is wrong with the recording, for the screen.
fn problem(standing: &Standing) -> Option<Problem> {
    let words = match (&standing.problem, standing.lost) {
        (None, 0) => return None,
        (None, _) => Text {
            en: "{lost} exchanges could not be recorded; traffic passes all the same",
            ja: "{lost} 件のエクスチェンジを記録できませんでした。通信はそのまま通っています",
        },
        (Some(SessionError::Full { .. }), _) => Text {
            en: "The disk of the session file is full: {lost} exchanges not recorded. Free some space; traffic passes all \
                 the same",
            ja: "セッション ファイルのディスクに空きがありません: {lost} 件が未記録です。空きを作ってください。通信はそのまま通っています",
        },
        (Some(SessionError::TooSlow { .. }), _) => Text {
            en: "The disk of the session file is too slow: {lost} exchanges not recorded; traffic passes all the same",
            ja: "セッション ファイルのディスクが追いつきません: {lost} 件が未記録です。通信はそのまま通っています",
        },
        (Some(SessionError::NoDataFolder), _) => Text {
            en: "This account has no data folder: {lost} exchanges not recorded. Name a file with --save",
            ja: "このアカウントにはデータ フォルダーがありません: {lost} 件が未記録です。--save でファイルを指定してください",
        },
        (Some(_), _) => Text {
            en: "The session file cannot be written: {lost} exchanges not recorded. Name another one with --save; traffic \
                 passes all the same",
            ja: "セッション ファイルに書き込めません: {lost} 件が未記録です。--save で別のファイルを指定してください。通信はそのまま通っています",
        },
    };
    Some(Problem { words, names: vec![("lost", standing.lost.into())] })
}
