//! The leak matrix: every place where a secret sits, from every source, in every form, looked for in all that leaves.
//!
//! Everything goes the way that the commands go. A cell has a secret of its own, so that a leak names its place.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    clippy::ptr_arg,
    reason = "a test that writes files of its own and tells what it tried"
)]

mod caught;
mod places;
mod planted;
mod sources;

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use self::places::PLACES;
use self::planted::{Form, Planted, Search};
use self::sources::Source;
use super::diagnose::Sum;
use super::input::{Folds, Input};
use super::open::look;
use super::output::Output;
use super::{Convert, Fault, Page, Share, convert, watch};
use crate::redact::{self, Redactor};
use crate::report::json::{Entry, Event};
use crate::report::text;
use crate::session::{self, Opening, Progress, Recorded, Session, Writer};
use crate::text::Language;
use crate::tui::{self, Banner, State};

/// Everything that leaves, by name: bytes that a stranger may get to see.
type Sinks = Vec<(&'static str, Vec<u8>)>;

/// What a part of the matrix came to.
#[derive(Default)]
struct Tried {
    cells: usize,
    leaks: Vec<String>,
    /// The sinks in which one was found.
    leaky: Vec<&'static str>,
}

#[test]
fn no_secret_leaves_from_any_place_source_and_form_by_any_way_out() {
    let mut tried = Tried::default();
    for source in Source::ALL {
        for form in Form::ALL {
            tried.part(source, form);
        }
    }
    println!("{} cells tried, {} leaks", tried.cells, tried.leaks.len());
    assert!(tried.cells > 20_000, "{}", tried.cells);
    assert!(tried.leaks.is_empty(), "{} of {} leak:\n{}", tried.leaks.len(), tried.cells, tried.leaks.join("\n"));
}

/// With the masking of values switched off, every way out shows secrets, and the matrix sees them there.
#[test]
fn a_sanitizer_that_is_switched_off_is_noticed_at_every_way_out() {
    let mut tried = Tried::default();
    redact::with_values_shown(|| Source::ALL.into_iter().for_each(|source| tried.part(source, Form::Raw)));
    for sink in ["exchanges", ".authtap", ".har", ".saz", "text", "json", "markdown", "html", "lines", "screen", "log"]
    {
        assert!(tried.leaky.contains(&sink), "a leak into {sink} goes unnoticed; {:?}", tried.leaky);
    }
}

/// A session that knows who is who knows no secret for it, wherever one stands.
#[test]
fn no_secret_is_kept_as_a_name_of_somebody() {
    let folder = tempfile::tempdir().unwrap();
    for form in Form::ALL {
        let planted = (0..).zip(PLACES).filter(|(_, place)| place.takes(form));
        let planted: Vec<_> = planted.map(|(seed, place)| Planted::new(*place, form, seed)).collect();
        let planted: Vec<_> = planted.into_iter().filter(|planted| Source::Live.has(planted)).collect();
        let path = folder.path().join(format!("{form:?}.authtap"));
        sources::record(&planted, &path, Writer::begin_with_identities);
        let session = Session::open(&path, &Redactor::new()).unwrap();
        assert!(session.has_identities());
        assert_eq!(session.reveal(1, &"ip#1".into()), "192.0.2.1");
        let found = Search::of(&planted).found(&std::fs::read(&path).unwrap());
        let at = |secret: &&str| planted.iter().find(|planted| planted.secret == **secret).map(|planted| planted.place);
        assert!(found.is_empty(), "{form:?}: {:?}", found.iter().map(at).collect::<Vec<_>>());
    }
}

/// The search itself finds a secret in every form, and nothing where there is none.
#[test]
fn the_search_finds_every_form() {
    let planted: Vec<_> = (0..).zip(PLACES).map(|(seed, place)| Planted::new(*place, Form::Raw, seed)).collect();
    let search = Search::of(&planted);
    for planted in &planted {
        for form in Form::ALL {
            let sent = form.of(&planted.secret);
            assert_eq!(search.found(format!("before {sent} after").as_bytes()), [&planted.secret], "{form:?}");
        }
        assert_eq!(search.found(&planted.secret.as_bytes()[5..19]), [&planted.secret], "a good part is a leak");
    }
    assert!(search.found(b"Basic [user=upn:user#1@contoso.com password=set #2]").is_empty());
}

impl Tried {
    /// All places that `source` has, with secrets in `form`, in all that leaves.
    fn part(&mut self, source: Source, form: Form) {
        let seeds = (source as u64 * 8 + form as u64) * 1000..;
        let planted = seeds.zip(PLACES).filter(|(_, place)| place.takes(form));
        let planted: Vec<_> = planted.map(|(seed, place)| Planted::new(*place, form, seed)).collect();
        let planted: Vec<_> = planted.into_iter().filter(|planted| source.has(planted)).collect();
        if planted.is_empty() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = source.write(&planted, folder.path());
        let search = Search::of(&planted);
        for (name, bytes) in sinks(source, &path, folder.path()) {
            assert!(!bytes.is_empty() || name == "messages", "{source:?} {form:?}: nothing came out as {name}");
            self.cells += planted.len();
            for secret in search.found(&bytes) {
                let at = planted.iter().find(|planted| planted.secret == secret).unwrap();
                self.leaks.push(format!("{source:?} {form:?} {name}: {:?} {}", at.place.at, at.place.text));
                self.leaky.push(name);
            }
        }
    }
}

/// All that leaves of what `path` holds.
fn sinks(source: Source, path: &Path, folder: &Path) -> Sinks {
    let mut sinks = Sinks::new();
    let log = Log::default();
    let subscriber = {
        let log = log.clone();
        tracing_subscriber::fmt()
            .with_writer(move || log.clone())
            .with_ansi(false)
            .with_max_level(tracing::Level::TRACE)
    };
    tracing::subscriber::with_default(subscriber.finish(), || {
        let redactor = Redactor::new();
        let mut gaps = Vec::new();
        let mut input = Input::open(path, &Opening::quietly(&redactor)).unwrap();
        let read: Vec<Recorded> = input.exchanges(&mut gaps).collect();
        sinks.push(("exchanges", format!("{read:?}").into_bytes()));
        sinks.push(("lines", lines(&read)));
        for (name, form) in
            [(".authtap", session::Form::Authtap), (".har", session::Form::Har), (".saz", session::Form::Saz)]
        {
            sinks.push((name, exported(source, path, &folder.join(format!("out{name}")), form, &read)));
        }
        let messages = gaps
            .iter()
            .flat_map(|gap| [Language::En, Language::Ja].map(|language| Fault::from(gap.clone()).message(language)));
        sinks.push(("messages", messages.collect::<String>().into_bytes()));
        for (name, page) in
            [("text", Page::Text), ("json", Page::Json), ("markdown", Page::Markdown), ("html", Page::Html)]
        {
            sinks.push((name, page_of(path, page)));
        }
        if source != Source::Pasted {
            sinks.push(("screen", screens(path, read.len())));
        }
    });
    sinks.push(("log", log.0.lock().unwrap().clone()));
    sinks
}

/// What `--headless` prints, in both forms.
fn lines(read: &[Recorded]) -> Vec<u8> {
    let (mut folds, mut lines) = (Folds::default(), String::new());
    for Recorded { origin, exchange } in read {
        let observed = folds.observe(origin, exchange);
        watch::log_exchange(exchange, &observed.judgement);
        let entry = Entry::new(exchange, &observed.judgement);
        let event = Event::exchange(&entry, &observed.judgement, Language::En);
        lines.push_str(&event.line());
        lines.push_str(&text::event(&event, Language::Ja));
    }
    lines.into_bytes()
}

/// The file that `convert` writes, an archive unpacked. Pasted text is no file that it reads, but has exchanges that can
/// be written.
fn exported(source: Source, from: &Path, to: &Path, form: session::Form, read: &[Recorded]) -> Vec<u8> {
    if source == Source::Pasted {
        let mut export = session::Export::begin(to, form, None).unwrap();
        for recorded in read {
            export.add(recorded.clone()).unwrap();
        }
        export.finish(&session::Manifest::default()).unwrap();
    } else {
        let order = Convert { from: from.to_owned(), to: to.to_owned(), form, encrypt: false, share: Share::Support };
        convert::copy(&order, None, &Progress::default(), Language::En).unwrap();
    }
    written(to, form)
}

/// The bytes of a file, an archive unpacked.
fn written(to: &Path, form: session::Form) -> Vec<u8> {
    if form != session::Form::Saz {
        return std::fs::read(to).unwrap();
    }
    let mut archive = zip::ZipArchive::new(File::open(to).unwrap()).unwrap();
    let mut all = Vec::new();
    for number in 0..archive.len() {
        let mut member = archive.by_index(number).unwrap();
        all.extend(member.name().unwrap().as_bytes());
        member.read_to_end(&mut all).unwrap();
    }
    all
}

/// What `diagnose` prints.
fn page_of(path: &Path, page: Page) -> Vec<u8> {
    let (mut sum, out) = (Sum::default(), Log::default());
    sum.read(&[path.to_owned()], &Progress::default(), Language::En).unwrap();
    sum.write(page, Language::En, Output::over(Box::new(out.clone()))).unwrap();
    out.0.lock().unwrap().clone()
}

/// What `open` shows, an exchange after the other, on a screen that has room for all of it.
fn screens(path: &Path, exchanges: usize) -> Vec<u8> {
    let banner = Banner::of_saved(String::new());
    let mut state = State::new(Language::En, banner);
    let mut shown = String::new();
    look(&[path.to_owned()], &mut state, |state, shelf| {
        for _ in 0..exchanges {
            let screen = tui::drawn(state, shelf, (200, 60));
            // A long value is broken over lines; without line breaks, frames and blanks it is whole again.
            shown.extend(screen.chars().filter(|c| !c.is_whitespace() && !('\u{2500}'..'\u{2580}').contains(c)));
            shown.push_str(&screen);
            tui::press_down(state);
        }
    })
    .unwrap();
    shown.into_bytes()
}

/// Bytes that were written, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
