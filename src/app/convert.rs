//! `authtap convert`: from one session file to another, through the door.

mod sharing;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use self::sharing::Sharing;
use super::onlooker::{Onlooker, Then};
use super::proof::{self, Found, Judge, Said};
use super::save::is_same_file;
use super::{Convert, Exit, Fault, Share, input, warn};
use crate::redact::{Met, Redactor};
use crate::report::sanitizing;
use crate::session::{Export, Form, Manifest, Opening, Progress, Reader, SessionError};
use crate::text::{Language, Text};

pub(super) fn convert(order: &Convert, language: Language) -> Result<Exit, Fault> {
    if is_same_file(&order.from, &order.to) {
        return Err(Fault::OntoItself { path: order.to.clone() });
    }
    let progress = Progress::default();
    let onlooker = Onlooker::new(&progress, Then::Check, false, language)?;
    let copied = copy(order, None, &progress, language);
    let _heard = onlooker.leave();
    match copied {
        Ok(copied) => {
            copied.say(&order.to, language);
            Ok(copied.exit())
        }
        Err(Fault::Session(SessionError::Cancelled)) => {
            let ended = Text {
                en: "ended on request; {path} was not written",
                ja: "中止しました。{path} は書き込んでいません",
            };
            warn(&ended.fill(language, &[("path", &order.to.display().to_string())]));
            Ok(Exit::AtOnce)
        }
        Err(fault) => Err(fault),
    }
}

/// Writes a finished recording, which went through `redactor`, again as `into`, in the form that its name asks for. What
/// came of it is how the run exits.
pub(super) fn export(
    recording: &Path,
    redactor: &Redactor,
    into: &Path,
    form: Form,
    language: Language,
) -> Result<Exit, Fault> {
    let order =
        Convert { from: recording.to_owned(), to: into.to_owned(), form, encrypt: false, share: Share::Support };
    let copied = copy(&order, Some(redactor), &Progress::default(), language)?;
    copied.say(into, language);
    Ok(copied.exit())
}

/// What became of a copy.
pub(super) struct Copied {
    exchanges: u64,
    /// What could not be read.
    gaps: Vec<SessionError>,
    before: Said,
    /// What is said of the copy.
    after: Said,
    /// How many private names have stand-ins.
    replaced: u64,
    /// How many of them there was no room to tell apart.
    beyond: u64,
    met: Met,
    /// What stood in the copy, and is masked there.
    pub(super) found: Found,
}

impl Copied {
    fn say(&self, path: &Path, language: Language) {
        for gap in &self.gaps {
            warn(&Fault::from(gap.clone()).message(language));
        }
        let written = Text {
            en: "{count} exchanges are in {path}, sanitized",
            ja: "{count} 件のエクスチェンジを秘匿処理して {path} に書き込みました",
        };
        let names = [("count", &*self.exchanges.to_string()), ("path", &*path.display().to_string())];
        warn(&written.fill(language, &names));
        if self.replaced > 0 {
            let replaced = Text {
                en: "{count} names of hosts, domains, tenants, servers, certificates, addresses and ids have stand-ins, and \
                     none of them was found in the file. Sentences may tell more than names: look through it",
                ja: "ホスト、ドメイン、テナント、サーバー、証明書、アドレス、ID の {count} 件の名前を代わりの名前に置き換え、ファイルに残って\
                     いないことを確認しました。文章から分かることもあるため、内容を確認してください",
            };
            warn(&replaced.fill(language, &[("count", &self.replaced.to_string())]));
        }
        if self.beyond > 0 {
            let beyond = Text {
                en: "{count} times a name was one too many to tell apart: such names share a stand-in",
                ja: "{count} 回、区別できる数を超える名前がありました。それらは共通の名前に置き換えました",
            };
            warn(&beyond.fill(language, &[("count", &self.beyond.to_string())]));
        }
        let (before, after) = (self.before.count().to_string(), self.after.count().to_string());
        let proof = if self.before == self.after {
            Text {
                en: "read again: {before} findings before, the same {after} after; {secrets}",
                ja: "読み直して確認しました: 検出は変換前 {before} 件、変換後も同じ {after} 件です。{secrets}",
            }
        } else {
            Text {
                en: "read again: {before} findings before, {after} after, and they are not the same; {secrets}. This is a \
                     fault of this program: diagnose the source itself, and please report it",
                ja: "読み直した結果が一致しません: 検出は変換前 {before} 件、変換後 {after} 件です。{secrets}。このプログラムの\
                     不具合です。元のファイルを診断し、報告してください",
            }
        };
        let secrets = sanitizing::secrets(&self.met, self.found.count(), language);
        warn(&proof.fill(language, &[("before", &before), ("after", &after), ("secrets", &secrets)]));
        if let Some(alarm) = proof::alarm(&self.found, language) {
            warn(&alarm);
        }
    }

    pub(super) fn exit(&self) -> Exit {
        if self.before != self.after || !self.found.is_empty() {
            Exit::Refused
        } else if self.gaps.is_empty() {
            Exit::Done
        } else {
            Exit::Usage
        }
    }
}

/// Copies as ordered. What `capture` met is looked for in the copy as well: the secrets of a recording are gone from its
/// file.
pub(super) fn copy(
    order: &Convert,
    capture: Option<&Redactor>,
    progress: &Progress,
    language: Language,
) -> Result<Copied, Fault> {
    // Asked for before the long part, not behind it.
    let password = order.encrypt.then(|| input::password(&order.to, language)).flatten();
    if order.encrypt && password.as_ref().is_none_or(|password| password.is_empty()) {
        return Err(SessionError::Protected { path: order.to.clone() }.into());
    }
    let redactor = Redactor::with_net();
    // The source may be read twice.
    let asked = OnceCell::new();
    let password_of = |path: &Path| asked.get_or_init(|| input::password(path, language)).clone();
    let opening = Opening { redactor: &redactor, password: &password_of, progress: progress.clone() };
    let reader = Reader::open(&order.from, &opening)?;
    let net = capture.unwrap_or(&redactor);

    let mut sharing = Sharing::learned(order.share, &order.from, &opening)?;
    let mut copy = write(order, &reader, password.as_ref(), None, &mut sharing)?;
    let (mut found, mut after) = proof::of(copy.export.seal()?, password.as_ref(), net, progress)?;
    if !found.is_empty() {
        // A secret may be met after the text that shows it: only now all are known.
        drop(copy);
        copy = write(order, &reader, password.as_ref(), Some(net), &mut sharing)?;
        found.number(&copy.ids);
        let left;
        (left, after) = proof::of(copy.export.seal()?, password.as_ref(), net, progress)?;
        if !left.is_empty() {
            return Err(Fault::Leak { path: order.to.clone() });
        }
    }
    sharing.check(copy.export.seal()?, password.as_ref(), &order.to)?;
    let Copy { export, exchanges, gaps, before, .. } = copy;
    let manifest = Manifest {
        share: order.share.code(),
        source: reader.kind().code(),
        exchanges,
        unread: gaps.len() as u64,
        findings_before: before.findings.clone(),
        findings_after: after.findings.clone(),
        same: before == after,
        replaced: sharing.replaced(),
        met: net.met(),
        found: found.by_class(),
    };
    let replaced = manifest.replaced.values().sum();
    export.finish(&manifest)?;
    Ok(Copied { exchanges, gaps, before, after, met: manifest.met, found, replaced, beyond: sharing.beyond() })
}

/// A copy that has no name yet.
struct Copy {
    export: Export,
    exchanges: u64,
    gaps: Vec<SessionError>,
    /// What is said of the source.
    before: Said,
    /// The numbers of the exchanges in their order, where those are asked for: in a copy that is masked.
    ids: Vec<u64>,
}

/// Writes all that can be read; with a net what that met is masked.
fn write(
    order: &Convert,
    reader: &Reader,
    password: Option<&Zeroizing<String>>,
    net: Option<&Redactor>,
    sharing: &mut Sharing,
) -> Result<Copy, Fault> {
    let mut export = Export::begin(&order.to, order.form, password.cloned())?;
    if let Some(net) = net {
        export = export.masking(net);
    }
    let (mut exchanges, mut gaps, mut judge, mut ids) = (0, Vec::new(), Judge::default(), Vec::new());
    for recorded in reader.exchanges() {
        match recorded {
            Ok(recorded) => {
                judge.observe(&recorded);
                ids.extend(net.map(|_| recorded.exchange.id));
                export.add(sharing.shared(recorded))?;
                exchanges += 1;
            }
            Err(SessionError::Cancelled) => return Err(SessionError::Cancelled.into()),
            Err(gap) => gaps.push(gap),
        }
    }
    Ok(Copy { export, exchanges, gaps, before: judge.finish(), ids })
}

/// Where a capture is written when it is over.
#[derive(Debug)]
pub(super) struct AtTheEnd {
    pub(super) path: PathBuf,
    pub(super) form: Form,
}

impl AtTheEnd {
    /// What `--save` asks for, where that is not a session of ours.
    pub(super) fn of(save: Option<&Path>) -> Result<Option<Self>, Fault> {
        let Some((path, form)) = save.and_then(|path| Some((path, Form::of_name(path)?))) else { return Ok(None) };
        if form == Form::Authtap {
            return Ok(None);
        }
        if path.exists() {
            return Err(Fault::SaveExists { path: path.to_owned() });
        }
        Ok(Some(Self { path: path.to_owned(), form }))
    }
}
