//! A capture from its start to its end: the one loop.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::convert::AtTheEnd;
use super::ledger::Ledger;
use super::lines::LineShow;
use super::reach::Reach;
use super::save::{Begun, Save, is_same_file};
use super::screen::ScreenShow;
use super::signals::Signals;
use super::watch::{Closed, Show, Watch};
use super::{Capture, Exit, Fault, Feed, View, ca, convert, input, warn};
use crate::diagnosis;
use crate::proxy::{self, Authority, Options, Outbox, Proxy, Tally};
use crate::redact::Redactor;
use crate::report::json::Event;
use crate::session::{Mode, Writer, autosave};
use crate::text::{Language, Text};
use crate::tui::{self, Banner, Command, Identities, Screen};

/// How long exchanges that go on may take after the run was asked to end.
const DRAIN: Duration = Duration::from_secs(3);
/// How often lines are written.
const LINES_TICK: Duration = Duration::from_millis(50);
/// How often the screen is drawn.
const SCREEN_TICK: Duration = Duration::from_millis(33);
/// How many events may wait for the loop.
const OUTBOX: usize = 16 * 1024;

/// What is said of a session that knows who is who.
const IDENTITIES_KEPT: Text = Text {
    en: "the session in {session} knows who is who (--keep-identities): do not give that file away; what authtap convert \
         makes of it has pseudonyms only",
    ja: "{session} のセッションには利用者名も保存されます (--keep-identities)。このファイルは共有しないでください。authtap convert で\
         変換したファイルには仮名だけが残ります",
};

/// All that a capture needs.
pub(super) struct Plan {
    pub(super) view: View,
    pub(super) language: Language,
    pub(super) mode: Mode,
    pub(super) listen: Vec<std::net::SocketAddr>,
    pub(super) authority: Arc<Authority>,
    pub(super) save: Save,
    /// Whether the session gets to know who is who.
    pub(super) keep_identities: bool,
    pub(super) body_limit: usize,
    pub(super) redactor: Redactor,
    pub(super) reach: Reach,
    pub(super) at_the_end: Option<AtTheEnd>,
}

/// Who uses the proxy of its own accord, and is waited for: the demonstration.
pub(super) type Performance = JoinHandle<()>;

/// A capture as ordered on the command line.
pub(super) fn capture(order: Capture, language: Language) -> Result<Exit, Fault> {
    let authority = Arc::new(ca::authority(order.ca_folder)?);
    if let Some(address) = order.listen.iter().find(|address| !address.ip().is_loopback()) {
        beyond_loopback(*address, &order.feed, language);
    }
    let at_the_end = AtTheEnd::of(order.save.as_deref())?;
    // What is to be given away is searched for the secrets that were met.
    let redactor = if at_the_end.is_some() { Redactor::with_net() } else { Redactor::new() };
    // What is written at the end is recorded as any capture until then.
    let into = order.save.clone().filter(|_| at_the_end.is_none());
    let automatically = || Save::Automatically(autosave::data_folder());
    let (mode, reach, save) = match order.feed {
        Feed::Upstream(upstream) => {
            let save = into.map_or_else(automatically, Save::Into);
            let mode = match (&upstream.reverse, upstream.transparent) {
                (Some(_), _) => Mode::Reverse,
                (None, true) => Mode::Transparent,
                (None, false) => Mode::Forward,
            };
            (mode, Reach::servers(*upstream, &order.listen, language)?, save)
        }
        Feed::Session(replayed) => {
            if order.save.as_deref().is_some_and(|save| is_same_file(save, &replayed.file)) {
                return Err(Fault::SaveIntoReplayed { path: replayed.file });
            }
            let save = match (into, order.save) {
                (Some(path), _) => Save::Into(path),
                (None, Some(_)) => automatically(),
                (None, None) => Save::Nowhere,
            };
            (Mode::Replay, Reach::session(replayed, language)?, save)
        }
    };
    let plan = Plan {
        view: order.view,
        language,
        mode,
        listen: order.listen,
        authority,
        save,
        keep_identities: order.keep_identities,
        body_limit: order.body_limit,
        redactor,
        reach,
        at_the_end,
    };
    Ok(run(plan, &runtime()?, |_| None)?.1)
}

/// Says what it means that other machines can call.
fn beyond_loopback(address: std::net::SocketAddr, feed: &Feed, language: Language) {
    let asks = matches!(feed, Feed::Upstream(upstream) if upstream.proxy_auth);
    let named = matches!(feed, Feed::Upstream(upstream) if !upstream.allow.is_empty());
    let open = match (named, asks) {
        (true, true) => Text {
            en: "{address} can be reached from other machines: those that --allow names may use this proxy with its user \
                 name and password, and what they send is recorded here",
            ja: "{address} にはほかのマシンから接続できます。--allow に指定した接続元は、ユーザー名とパスワードを使ってこのプロキシを\
                 使用でき、その通信はここに記録されます",
        },
        (false, true) => Text {
            en: "{address} can be reached from other machines: whoever has the user name and password may use this proxy, \
                 and what they send is recorded here; both travel unencrypted, so add --allow where you can",
            ja: "{address} にはほかのマシンから接続できます。ユーザー名とパスワードを知る人は誰でもこのプロキシを使用でき、その通信は\
                 ここに記録されます。どちらも暗号化されずに送られるため、できるだけ --allow も指定してください",
        },
        _ => Text {
            en: "{address} can be reached from other machines: those that --allow names may use this proxy, and what they \
                 send is recorded here",
            ja: "{address} にはほかのマシンから接続できます。--allow に指定した接続元はこのプロキシを使用でき、その通信はここに記録されます",
        },
    };
    warn(&open.fill(language, &[("address", &address.to_string())]));
    if let Feed::Upstream(upstream) = feed
        && upstream.reverse.is_some()
        && upstream.server_certs.is_empty()
    {
        let minted = Text {
            en: "--reverse without --server-cert: callers from outside do not trust the root of authtap and will refuse \
                 its certificate; give the server's own with --server-cert HOST=FILE",
            ja: "--server-cert なしの --reverse です。外部の呼び出し元は authtap のルートを信頼していないため証明書を拒否します。\
                 サーバー自身の証明書を --server-cert HOST=FILE で指定してください",
        };
        warn(minted.to(language));
    }
}

/// Runs until somebody ends it, or until the performance that `perform` starts at the proxy is over.
pub(super) fn run(
    plan: Plan,
    runtime: &Runtime,
    perform: impl FnOnce(&Proxy) -> Option<Performance>,
) -> Result<(Closed, Exit), Fault> {
    let signals = Signals::listen(runtime)?;
    // Before anything else is begun: where there is no terminal, nothing shall be.
    let screen = match plan.view {
        View::Terminal => Some(Screen::open()?),
        View::Lines(_) => None,
    };
    let begun = plan.save.begin(plan.mode, &plan.redactor, plan.keep_identities, plan.language)?;
    let writer = begun.as_ref().map(|begun| &begun.writer);
    let outbox = Outbox::new(OUTBOX);
    let upstream_proxy = plan.reach.way_out.shown();
    let proxy = runtime.block_on(proxy::start(Options {
        listen: plan.listen,
        reverse: plan.reach.reverse,
        transparent: plan.reach.transparent,
        allow: plan.reach.allow,
        login: plan.reach.login,
        authority: Arc::clone(&plan.authority),
        upstream_ca: plan.reach.upstream_ca,
        insecure_upstream: plan.reach.insecure_upstream,
        resolve: plan.reach.resolve,
        way_out: plan.reach.way_out,
        skip_decrypt: plan.reach.skip_decrypt,
        http1: plan.reach.http1,
        server_certs: plan.reach.server_certs,
        client_certs: plan.reach.client_certs,
        only: plan.reach.only,
        body_limit: plan.body_limit,
        redactor: plan.redactor.clone(),
        ids: writer.map(Writer::ids).unwrap_or_default(),
        outbox: outbox.clone(),
        responder: plan.reach.responder,
    }));
    let proxy = match proxy {
        Ok(proxy) => proxy,
        Err(error) => {
            begun.into_iter().for_each(Begun::discard);
            return Err(error.into());
        }
    };
    let written = |writer: &&Writer| writer.status().problem.is_none();
    let recording = writer.filter(written).map(|writer| writer.path().to_owned());
    let session = recording.as_ref().map(|path| path.display().to_string());
    if let Some(session) = session.as_ref().filter(|_| plan.keep_identities && matches!(plan.view, View::Lines(_))) {
        warn(&IDENTITIES_KEPT.fill(plan.language, &[("session", session)]));
    }
    let ca = plan.authority.certificate_path().display().to_string();
    for address in proxy.addresses() {
        tracing::info!(%address, mode = plan.mode.code(), ca, session, "listening");
    }
    let judged = if plan.mode == Mode::Replay { diagnosis::Capture::Replayed } else { input::RECORDED };
    let watch = Watch::new(outbox, plan.redactor.clone(), Ledger::new(judged), begun.map(|begun| begun.writer));
    let mut performance = perform(&proxy);
    let run = Run { runtime, signals, proxy, watch };
    let closed = match (plan.view, screen) {
        (View::Lines(form), _) => {
            let mut show = LineShow::start(form, plan.language)?;
            for address in run.proxy.addresses() {
                let (address, mode) = (address.to_string(), plan.mode.code());
                let (ca, session, upstream_proxy) = (ca.clone(), session.clone(), upstream_proxy.clone());
                show.say(&Event::Listening { address, mode, ca, session, upstream_proxy });
            }
            run.on_lines(show, &mut performance)?
        }
        (View::Terminal, screen) => {
            let banner = Banner {
                mode: match plan.mode {
                    Mode::Forward | Mode::Transparent => tui::Mode::Capture,
                    Mode::Reverse => tui::Mode::Reverse,
                    Mode::Replay => tui::Mode::Replay,
                    Mode::Demo => tui::Mode::Demo,
                },
                addresses: run.proxy.addresses().iter().map(ToString::to_string).collect(),
                ca: Some(ca),
                session: session.clone(),
                identities: if plan.keep_identities { Identities::InFile } else { Identities::InMemory },
                upstream_proxy,
            };
            let screen = screen.map_or_else(Screen::open, Ok)?;
            run.on_screen(ScreenShow::new(screen, plan.language, banner))?
        }
    };
    if let Some(performance) = performance {
        performance.abort();
    }
    closed.report(plan.language);
    let exit = match (&plan.at_the_end, &recording) {
        (Some(AtTheEnd { path, form }), Some(recording)) => {
            convert::export(recording, &plan.redactor, path, *form, plan.language)?
        }
        _ => Exit::Done,
    };
    if let (View::Terminal, Mode::Forward | Mode::Transparent | Mode::Reverse | Mode::Replay, Some(session)) =
        (plan.view, plan.mode, session)
    {
        let kept = Text { en: "the session is kept in {session}", ja: "セッションは {session} にあります" };
        let kept = if plan.keep_identities { IDENTITIES_KEPT } else { kept };
        warn(&kept.fill(plan.language, &[("session", &session)]));
    }
    Ok((closed, exit))
}

/// A runtime for the proxy's connections.
pub(super) fn runtime() -> Result<Runtime, Fault> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("connections")
        .enable_all()
        .build()
        .map_err(Fault::Threads)
}

struct Run<'a> {
    runtime: &'a Runtime,
    signals: Signals,
    proxy: Proxy,
    watch: Watch,
}

impl Run<'_> {
    fn on_lines(mut self, mut show: LineShow, performance: &mut Option<Performance>) -> Result<Closed, Fault> {
        let performing =
            |performance: &Option<Performance>| performance.as_ref().is_none_or(|task| !task.is_finished());
        show.flush();
        while performing(performance) && !self.signals.wait(LINES_TICK) && !show.is_over() {
            self.watch.take(&mut show);
            show.flush();
        }
        let counted = self.proxy.tally();
        let mut ending = self.runtime.spawn(self.proxy.shutdown(DRAIN));
        while !is_over_within(self.runtime, &mut ending, LINES_TICK) {
            self.watch.take(&mut show);
            show.flush();
        }
        let closed = self.watch.close(counted, &mut show);
        show.say(&Event::Closed { exchanges: closed.ledger.exchanges(), failures: closed.ledger.failures() });
        show.close()?;
        Ok(closed)
    }

    fn on_screen(mut self, mut show: ScreenShow) -> Result<Closed, Fault> {
        let mut quit = false;
        while !quit && !self.signals.wait(Duration::ZERO) {
            self.watch.take(&mut show);
            for command in show.turn(&self.watch, self.proxy.tally(), SCREEN_TICK)? {
                match command {
                    Command::Quit => quit = true,
                    Command::Pause(paused) => self.proxy.pause(paused),
                    Command::SetLanguage(_) | Command::Reveal(_) | Command::Look(..) | Command::Compare => {}
                }
            }
        }
        // The terminal is given back first: a second signal then finds nothing to mend.
        let mut rest = Silence;
        drop(show);
        let counted = self.proxy.tally();
        let mut ending = self.runtime.spawn(self.proxy.shutdown(DRAIN));
        while !is_over_within(self.runtime, &mut ending, LINES_TICK) {
            self.watch.take(&mut rest);
        }
        Ok(self.watch.close(counted, &mut rest))
    }
}

fn is_over_within(runtime: &Runtime, task: &mut JoinHandle<()>, patience: Duration) -> bool {
    runtime.block_on(async { tokio::time::timeout(patience, task).await.is_ok() })
}

/// Nobody looks any more; what comes is recorded and judged all the same.
struct Silence;

impl Show for Silence {
    fn running(&mut self, _: &crate::exchange::Exchange) {}

    fn ended(&mut self, _: &crate::exchange::Exchange, _: crate::diagnosis::Observed) {}

    fn revised(&mut self, _: Vec<crate::diagnosis::Judgement>) {}
}

impl Closed {
    /// Says on standard error what the session does not have.
    fn report(&self, language: Language) {
        if self.standing.lost > 0 {
            tracing::warn!(lost = self.standing.lost, "the session is incomplete");
        }
        self.gaps(language).iter().for_each(|gap| warn(gap));
    }

    fn gaps(&self, language: Language) -> Vec<String> {
        let mut gaps = Vec::new();
        let Tally { passed, refused, asked, dismissed, turned_away } = self.tally;
        let mut count = |count: u64, one: &'static str, more: &'static str, ja: &'static str| {
            if count > 0 {
                let text = Text { en: if count == 1 { one } else { more }, ja };
                gaps.push(text.fill(language, &[("count", &count.to_string())]));
            }
        };
        count(
            passed,
            "1 connection passed undecrypted and unrecorded: --only does not name its host",
            "{count} connections passed undecrypted and unrecorded: --only does not name their hosts",
            "{count} 件の接続は復号も記録もせずに通しました: --only に指定のないホストです",
        );
        count(
            refused,
            "1 connection was refused: --allow does not name where it came from",
            "{count} connections were refused: --allow does not name where they came from",
            "{count} 件の接続を拒否しました: --allow に指定のない接続元です",
        );
        count(
            asked,
            "1 request came without user name and password and was asked for them (--proxy-auth)",
            "{count} requests came without user name and password and were asked for them (--proxy-auth)",
            "{count} 件の要求にはユーザー名とパスワードがなく、認証を求めました (--proxy-auth)",
        );
        count(
            dismissed,
            "1 connection was closed because the client did not say what it wants",
            "{count} connections were closed because the clients did not say what they want; the first of them are recorded",
            "{count} 件の接続は、クライアントが要求を示さないため閉じました (最初の分だけ記録しています)",
        );
        count(
            turned_away,
            "1 connection was turned away because there were too many; a higher file limit (ulimit -n) allows more",
            "{count} connections were turned away because there were too many; a higher file limit (ulimit -n) allows more",
            "{count} 件の接続は、数が多すぎるため受け付けませんでした。ファイル数の上限 (ulimit -n) を上げると増やせます",
        );
        if let Some(command) = self.ledger.pinned().proposal() {
            let text = Text {
                en: "some clients refused the certificate of authtap for these hosts and took it for others, as programs do \
                     that pin; to pass the hosts through: {command}",
                ja: "次のホストでは authtap の証明書がクライアントに拒否され、ほかのホストでは受け入れられました (ピンニングの可能\
                     性)。復号せずに通すには: {command}",
            };
            gaps.push(text.fill(language, &[("command", &command)]));
        }
        if self.standing.lost > 0 {
            let en = if self.standing.lost == 1 {
                "1 exchange is missing in the session"
            } else {
                "{lost} exchanges are missing in the session"
            };
            let text = Text { en, ja: "セッションには {lost} 件のエクスチェンジがありません" };
            let mut said = text.fill(language, &[("lost", &self.standing.lost.to_string())]);
            if let Some(problem) = &self.standing.problem {
                said = format!("{said}: {}", Fault::from(problem.clone()).message(language));
            }
            gaps.push(said);
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::super::watch::Standing;
    use super::*;

    #[test]
    fn whatever_was_counted_is_said() {
        let tally = Tally { passed: 1, refused: 2, asked: 3, dismissed: 4, turned_away: 5 };
        let (ledger, standing) = (Ledger::new(input::RECORDED), Standing { lost: 0, problem: None });
        let closed = Closed { ledger, standing, tally };
        for language in [Language::En, Language::Ja] {
            let gaps = closed.gaps(language);
            let numbers: Vec<_> = gaps.iter().map(|gap| gap.split(' ').next().unwrap_or_default().to_owned()).collect();
            assert_eq!(numbers, ["1", "2", "3", "4", "5"], "{gaps:?}");
        }
    }

    #[test]
    fn what_the_session_lacks_is_counted_in_singular_and_plural() {
        let gaps = |passed, lost| {
            let (ledger, standing) = (Ledger::new(input::RECORDED), Standing { lost, problem: None });
            Closed { ledger, standing, tally: Tally { passed, ..Tally::default() } }.gaps(Language::En)
        };
        assert!(gaps(0, 0).is_empty());
        let one = gaps(1, 1);
        assert!(one[0].starts_with("1 connection passed") && one[0].ends_with("its host"), "{one:?}");
        assert_eq!(one[1], "1 exchange is missing in the session");
        let two = gaps(2, 2);
        assert!(two[0].starts_with("2 connections passed") && two[0].ends_with("their hosts"), "{two:?}");
        assert_eq!(two[1], "2 exchanges are missing in the session");
    }
}
