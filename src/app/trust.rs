//! `authtap ca install` and `uninstall`: has the system's own tools put the root into the stores of trust, or take it
//! out, and says of each store what came of it and how to do it by hand.
//!
//! Linux: the system's store (as root) and the NSS databases of browsers. macOS: the login keychain. Windows: the
//! user's store. Nothing is written here; each tool keeps its own store.

mod linux;
mod other;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::proxy::AuthorityError;
use crate::text::{Language, Text};

/// A root certificate, as the stores know it.
pub(super) struct Root {
    path: PathBuf,
    /// Its common name.
    name: String,
    /// The first bytes of its SHA-256: a part of names of files, so that several roots can stand side by side.
    short: String,
    /// Its serial number in hexadecimal.
    serial: String,
}

impl Root {
    /// Reads the certificate at `path`; its key is not looked at.
    pub(super) fn read(path: &Path) -> Result<Self, AuthorityError> {
        let bytes = std::fs::read(path).map_err(|error| AuthorityError::Read { path: path.into(), error })?;
        let not_one = || AuthorityError::NotACertificate { path: path.into() };
        let (_, pem) = x509_parser::pem::parse_x509_pem(&bytes).map_err(|_| not_one())?;
        let certificate = pem.parse_x509().map_err(|_| not_one())?;
        let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Ok(Self {
            path: path.into(),
            name: name.ok_or_else(not_one)?.to_owned(),
            short: hex(&Sha256::digest(&pem.contents)[..4]),
            serial: hex(certificate.raw_serial()),
        })
    }
}

/// Puts `root` into every store that there is.
pub(super) fn install(root: &Root) -> Vec<Attempt> {
    stores(root).into_iter().map(|store| store.attempt(root, Deed::Install)).collect()
}

/// Takes `root` out of every store that has it.
pub(super) fn uninstall(root: &Root) -> Vec<Attempt> {
    stores(root).into_iter().map(|store| store.attempt(root, Deed::Uninstall)).collect()
}

/// What was tried, a paragraph a store.
pub(super) fn page(attempts: &[Attempt], language: Language) -> String {
    let mut page = String::new();
    for attempt in attempts {
        let text = match &attempt.outcome {
            Outcome::Done(Deed::Install) => Text { en: "trusted now", ja: "信頼済みにしました" },
            Outcome::Done(Deed::Uninstall) => Text { en: "no longer trusted", ja: "信頼を取り消しました" },
            Outcome::Absent => Text { en: "was not trusted", ja: "信頼されていませんでした" },
            Outcome::Skipped(why) | Outcome::Stays(why) => *why,
            Outcome::Failed(_) => Text { en: "failed", ja: "失敗しました" },
        };
        let _ = writeln!(
            page,
            "{} ({}): {}: {}",
            attempt.place.to(language),
            attempt.name,
            attempt.root,
            text.to(language)
        );
        if let Outcome::Failed(said) = &attempt.outcome {
            let _ = writeln!(page, "  {said}");
        }
        if !matches!(attempt.outcome, Outcome::Done(_) | Outcome::Absent) {
            let by_hand = Text { en: "by hand", ja: "手動で行うには" }.to(language);
            let _ = writeln!(page, "  {by_hand}: {}", attempt.by_hand);
        }
    }
    if attempts.is_empty() {
        let none = Text {
            en: "there is no root certificate here, and so nothing to take out\n",
            ja: "ここにはルート証明書がないため、取り除くものはありません\n",
        };
        page.push_str(none.to(language));
    }
    let more = Text {
        en: "Other programs and devices, and how to undo it: certs/README.md, or the page that the proxy itself shows \
             in a browser.\n",
        ja: "ほかのプログラムや端末での手順と取り消し方は、certs/README.md か、プロキシのアドレスをブラウザーで開いたページにあります。\n",
    };
    page.push_str(more.to(language));
    page
}

/// What came of one store.
pub(super) struct Attempt {
    place: Text,
    /// The store's path, or its own name.
    name: String,
    /// The root's name.
    root: String,
    outcome: Outcome,
    by_hand: String,
}

impl Attempt {
    pub(super) const fn done(&self) -> bool {
        matches!(self.outcome, Outcome::Done(_))
    }

    /// Whether it should have been done and was not.
    pub(super) const fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::Stays(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Install,
    Uninstall,
}

enum Outcome {
    Done(Deed),
    /// It was not in there.
    Absent,
    /// This user cannot put it there.
    Skipped(Text),
    /// It is in there, and this user cannot take it out.
    Stays(Text),
    /// What the tool said.
    Failed(String),
}

/// A store of trust, and what is to be run for it.
struct Store {
    place: Text,
    name: String,
    /// Whether it can be written to.
    ready: Result<(), Text>,
    /// Whether the root is in it.
    has: Has,
    install: Vec<Line>,
    uninstall: Vec<Line>,
    /// What this user would type.
    by_hand: fn(&[Line]) -> String,
}

/// How to find out whether the root is in a store.
enum Has {
    /// It is where this file is.
    File(PathBuf),
    /// It is where this succeeds.
    Says(Line),
}

/// A program and its arguments.
type Line = Vec<OsString>;

impl Store {
    fn attempt(self, root: &Root, deed: Deed) -> Attempt {
        let lines = if deed == Deed::Install { &self.install } else { &self.uninstall };
        let by_hand = (self.by_hand)(lines);
        let absent = deed == Deed::Uninstall && !self.has_it();
        let outcome = match self.ready {
            _ if absent => Outcome::Absent,
            Err(why) if deed == Deed::Install => Outcome::Skipped(why),
            Err(why) => Outcome::Stays(why),
            Ok(()) => lines.iter().try_for_each(run).map_or_else(Outcome::Failed, |()| Outcome::Done(deed)),
        };
        Attempt { place: self.place, name: self.name, root: root.name.clone(), outcome, by_hand }
    }

    fn has_it(&self) -> bool {
        match &self.has {
            Has::File(path) => path.exists(),
            Has::Says(line) => run(line).is_ok(),
        }
    }
}

fn stores(root: &Root) -> Vec<Store> {
    if cfg!(target_os = "macos") {
        vec![other::keychain(root)]
    } else if cfg!(windows) {
        vec![other::windows(root)]
    } else {
        linux::stores(root)
    }
}

/// Runs one line; else what it said last.
fn run(line: &Line) -> Result<(), String> {
    let Some((program, arguments)) = line.split_first() else { return Ok(()) };
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let last = said.iter().find_map(|text| text.lines().last()).unwrap_or_default();
    Err(format!("{} ended with {}: {last}", program.display(), output.status))
}

/// A line of words, from what can be displayed.
fn line<const N: usize>(words: [&std::ffi::OsStr; N]) -> Line {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Lines as a shell takes them.
fn typed(lines: &[Line]) -> String {
    let quoted = |word: &OsString| {
        let text = word.to_string_lossy().into_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,~".contains(c);
        if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    let lines: Vec<_> = lines.iter().map(|line| line.iter().map(quoted).collect::<Vec<_>>().join(" ")).collect();
    lines.join(" && ")
}
