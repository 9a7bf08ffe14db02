//! Sources of saved exchanges, told by content, and their diagnosis run by run.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Fault;
use crate::diagnosis::{Capture, Diagnosis, Handshake, Judgement, Observed, Readiness};
use crate::exchange::{Exchange, Ids, Timestamp};
use crate::redact::Redactor;
use crate::session::kind::Kind;
use crate::session::{Mode, Opening, Origin, Provenance, Reader, Recorded, Session, SessionError, Stated, paste};
use crate::text::{Language, Text as Sentence};

/// A source of saved exchanges.
pub(super) enum Input {
    /// A session file of any kind.
    File(Reader),
    /// The exchanges of a pasted text.
    Pasted(Vec<Exchange>),
}

/// What standard input is called.
pub(super) const STANDARD: &str = "-";
/// The longest text that is read.
const LONGEST_TEXT: u64 = 64 << 20;
/// The longest archive that is taken from standard input; from a file it may be of any length.
const LONGEST_ARCHIVE: u64 = 1 << 30;

impl Input {
    /// The source called `path`.
    pub(super) fn open(path: &Path, opening: &Opening<'_>) -> Result<Self, Fault> {
        if path == Path::new(STANDARD) {
            return Self::standard(opening);
        }
        if !is_text(path)? {
            return Ok(Self::File(Reader::open(path, opening)?));
        }
        let unreadable = |error: io::Error| {
            Fault::from(SessionError::Unreadable { path: path.to_owned(), reason: error.to_string() })
        };
        let text = Text::read(&mut File::open(path).map_err(unreadable)?).map_err(unreadable)?;
        Ok(text.pasted(opening.redactor))
    }

    /// What can be read of it, in its order; what cannot goes to `gaps`. A pasted text is read once.
    pub(super) fn exchanges<'a>(
        &'a mut self,
        gaps: &'a mut Vec<SessionError>,
    ) -> Box<dyn Iterator<Item = Recorded> + 'a> {
        match self {
            Self::File(reader) => Box::new(readable(reader.exchanges(), gaps)),
            Self::Pasted(exchanges) => {
                let origin = Origin::of(Provenance::Imported);
                let recorded = move |exchange| Recorded { origin: Arc::clone(&origin), exchange };
                Box::new(std::mem::take(exchanges).into_iter().map(recorded))
            }
        }
    }

    /// What kind of file it is; nothing for a pasted text.
    pub(super) const fn kind(&self) -> Option<Kind> {
        match self {
            Self::File(reader) => Some(reader.kind()),
            Self::Pasted(_) => None,
        }
    }

    /// What the file says of itself.
    pub(super) fn stated(&self) -> Option<&Stated> {
        match self {
            Self::File(reader) => reader.stated(),
            Self::Pasted(_) => None,
        }
    }

    /// Whether it is a pasted text in which nothing was recognised.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Pasted(exchanges) if is_nothing(exchanges))
    }

    fn standard(opening: &Opening<'_>) -> Result<Self, Fault> {
        let mut input = io::stdin().lock();
        let mut text = Text::read(&mut input).map_err(Fault::Input)?;
        let start = text.0.get(..4096).unwrap_or(&text.0);
        match Kind::of(start) {
            Kind::Har => {
                // It is read twice, which standard input cannot be.
                text.read_on(&mut input, LONGEST_ARCHIVE).map_err(Fault::Input)?;
                Ok(Self::File(Reader::of_har(text.0, Path::new(STANDARD), opening)?))
            }
            kind @ (Kind::Authtap | Kind::Saz | Kind::Mitm | Kind::OtherDatabase) => Err(Fault::NotPasted { kind }),
            // Whatever a clipboard gives.
            Kind::Text | Kind::Binary | Kind::Empty => Ok(text.pasted(opening.redactor)),
        }
    }
}

/// Whether the source called `path` is text that somebody may have pasted.
pub(super) fn is_text(path: &Path) -> Result<bool, Fault> {
    Ok(path != Path::new(STANDARD) && Kind::of_file(path)? == Kind::Text)
}

/// The password of the archive at `path`: from the environment, else from whoever sits at the terminal.
pub(super) fn password(path: &Path, language: Language) -> Option<Zeroizing<String>> {
    if let Ok(password) = std::env::var("AUTHTAP_SAZ_PASSWORD") {
        return Some(Zeroizing::new(password));
    }
    let prompt = Sentence { en: "Password of {path}: ", ja: "{path} のパスワード: " };
    let asked = rpassword::prompt_password(prompt.fill(language, &[("path", &path.display().to_string())]));
    asked.ok().map(Zeroizing::new)
}

/// Whether nothing was recognised in a pasted text.
fn is_nothing(pasted: &[Exchange]) -> bool {
    pasted.iter().all(|exchange| exchange.request.seen().is_none() && exchange.response.seen().is_none())
}

/// Text that may hold credentials until it has passed the redactor; wiped when done with.
struct Text(Zeroizing<Vec<u8>>);

impl Text {
    fn read(from: &mut dyn Read) -> io::Result<Self> {
        let mut text = Zeroizing::new(Vec::new());
        from.take(LONGEST_TEXT).read_to_end(&mut text)?;
        Ok(Self(text))
    }

    fn read_on(&mut self, from: &mut dyn Read, limit: u64) -> io::Result<()> {
        from.take(limit.saturating_sub(LONGEST_TEXT)).read_to_end(&mut self.0).map(drop)
    }

    fn pasted(&self, redactor: &Redactor) -> Input {
        Input::Pasted(paste::read(&self.0, redactor, &Ids::default(), Timestamp::now()))
    }
}

/// The session file at `path`, of any kind, as one that can be asked for single exchanges; and what of it could not
/// be read so far.
pub(super) fn session(path: &Path, opening: &Opening<'_>) -> Result<(Session, Vec<SessionError>), Fault> {
    Ok(Session::of_any(path, opening)?)
}

/// The folds over one source: one a run, because labels of different runs say nothing about each other, and because
/// that is how the runs were diagnosed while they went on.
#[derive(Default)]
pub(super) struct Folds {
    run: Option<u64>,
    diagnosis: Option<Diagnosis>,
    handshakes: Vec<Handshake>,
    readiness: Vec<Readiness>,
}

/// What the folds over one source came to.
pub(super) struct Folded {
    /// What the end of the last run changed.
    pub(super) revised: Vec<Judgement>,
    pub(super) handshakes: Vec<Handshake>,
    pub(super) readiness: Vec<Readiness>,
}

impl Folds {
    /// Takes the next exchange, of the run `origin`. What is revised may belong to the run before.
    pub(super) fn observe(&mut self, origin: &Origin, exchange: &Exchange) -> Observed {
        let is_next = self.run.replace(origin.run).is_some_and(|before| before != origin.run);
        let before = if is_next { self.end_run() } else { Vec::new() };
        let diagnosis = self.diagnosis.get_or_insert_with(|| Diagnosis::new(captured(origin)));
        let mut observed = diagnosis.observe(exchange);
        observed.revised.splice(..0, before);
        observed
    }

    /// The handshakes so far that an exchange is a step of.
    pub(super) fn handshakes_of(&self, exchange: u64) -> Vec<Handshake> {
        let going_on = self.diagnosis.as_ref().map(|diagnosis| diagnosis.handshakes_of(exchange));
        let ended = self.handshakes.iter().filter(|handshake| handshake.has_step(exchange)).cloned();
        ended.chain(going_on.into_iter().flatten()).collect()
    }

    /// What each endpoint of each server offered so far.
    pub(super) fn readiness(&self) -> Vec<Readiness> {
        let mut readiness = self.readiness.clone();
        if let Some(diagnosis) = &self.diagnosis {
            Readiness::merge(&mut readiness, diagnosis.readiness().to_vec());
        }
        readiness
    }

    pub(super) fn finish(mut self) -> Folded {
        let revised = self.end_run();
        Folded { revised, handshakes: self.handshakes, readiness: self.readiness }
    }

    fn end_run(&mut self) -> Vec<Judgement> {
        let Some(mut ended) = self.diagnosis.take() else { return Vec::new() };
        let revised = ended.finish();
        self.handshakes.extend(ended.handshakes());
        Readiness::merge(&mut self.readiness, ended.readiness().to_vec());
        revised
    }
}

/// How a capture of ours is judged while it goes on.
pub(super) const RECORDED: Capture = Capture::Live { loopback: true, windows: cfg!(windows) };

/// How the exchanges of a file are judged: as the capture that they come from was.
const fn captured(origin: &Origin) -> Capture {
    if matches!(origin.mode, Some(Mode::Replay)) {
        return Capture::Replayed;
    }
    match origin.provenance {
        Provenance::Live { loopback, windows } => Capture::Live {
            loopback,
            windows: match windows {
                Some(windows) => windows,
                None => cfg!(windows),
            },
        },
        Provenance::Imported => Capture::Imported,
        Provenance::Intercepted => Capture::Intercepted,
    }
}

/// The next exchange that can be read; what cannot be read goes to `gaps`.
pub(super) fn readable<T>(
    read: impl Iterator<Item = Result<T, SessionError>>,
    gaps: &mut Vec<SessionError>,
) -> impl Iterator<Item = T> {
    read.filter_map(|item| item.map_err(|gap| gaps.push(gap)).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::app::ledger::Ledger;
    use crate::diagnosis::Verdict;
    use crate::session::Writer;

    /// A healthy start, a refusal that its successor explains, and a request whose client never came back.
    const CONVERSATION: &str = "\
POST /EWS/Exchange.asmx HTTP/1.1
Host: mail.contoso.com
Authorization: Bearer

HTTP/1.1 401 Unauthorized
WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\", token_types=\"app_asserted_user_v1 service_asserted_app_v1\", authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"

POST /EWS/Exchange.asmx HTTP/1.1
Host: mail.contoso.com
Authorization: Bearer [opaque #1]

HTTP/1.1 200 OK

GET /oab/oab.xml HTTP/1.1
Host: mail.contoso.com

HTTP/1.1 401 Unauthorized
WWW-Authenticate: Negotiate
WWW-Authenticate: NTLM

";

    type Said = BTreeMap<u64, (Verdict, Vec<&'static str>)>;

    fn note(said: &mut Said, judgements: &[Judgement]) {
        for judgement in judgements {
            let ids = judgement.findings.iter().map(crate::diagnosis::Finding::id).collect();
            said.insert(judgement.exchange, (judgement.verdict, ids));
        }
    }

    /// Records a run as a capture does and gives what was last said of each exchange.
    fn record(path: &Path, exchanges: &[Exchange]) -> Said {
        let writer = Writer::begin(path, Mode::Forward, &Redactor::new()).unwrap();
        let mut ledger = Ledger::new(RECORDED);
        let mut said = Said::new();
        for exchange in exchanges {
            writer.append(Arc::new(exchange.clone()));
            let observed = ledger.observe(exchange);
            note(&mut said, std::slice::from_ref(&observed.judgement));
            note(&mut said, &observed.revised);
        }
        note(&mut said, &ledger.finish());
        assert_eq!(ledger.exchanges(), exchanges.len() as u64);
        said
    }

    #[test]
    fn a_recording_is_judged_afterwards_as_it_was_in_the_end_run_by_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.authtap");
        let ids = Ids::default();
        let mut live = Said::new();
        for _ in 0..2 {
            let exchanges = paste::read(CONVERSATION.as_bytes(), &Redactor::new(), &ids, Timestamp(0));
            live.extend(record(&path, &exchanges));
        }
        let redactor = Redactor::new();
        let mut input = Input::open(&path, &Opening::quietly(&redactor)).unwrap();
        let mut folds = Folds::default();
        let mut saved = Said::new();
        for recorded in input.exchanges(&mut Vec::new()) {
            let observed = folds.observe(&recorded.origin, &recorded.exchange);
            note(&mut saved, std::slice::from_ref(&observed.judgement));
            note(&mut saved, &observed.revised);
        }
        let folded = folds.finish();
        note(&mut saved, &folded.revised);
        assert_eq!(live, saved);
        assert_eq!(saved.len(), 6);
        assert_eq!(saved[&1].0, Verdict::Step);
        assert_eq!(saved[&3].0, Verdict::Unknown);
        assert_eq!(folded.handshakes.iter().filter(|handshake| handshake.steps[0].exchange == Some(4)).count(), 1);
    }

    #[test]
    fn text_without_an_http_message_is_told_from_text_with_one() {
        let nothing =
            |text: &str| is_nothing(&paste::read(text.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp(0)));
        for lone in ["Dear all, the migration begins on Monday.\n", "HTTP/1.1 is old\n", "\0\u{1}PK", ""] {
            assert!(nothing(lone), "{lone}");
        }
        for told in ["AADSTS50034: The user account does not exist.\n", "WWW-Authenticate: NTLM\n"] {
            assert!(!nothing(told), "{told}");
        }
        assert!(!nothing("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: NTLM\n\n"));
        assert!(!nothing("GET / HTTP/1.1\nHost: mail.contoso.com\n\n"));
    }

    #[test]
    fn sources_are_told_by_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            Input::open(&path, &Opening::quietly(&Redactor::new()))
        };
        assert!(matches!(file("a.har", CONVERSATION.as_bytes()), Ok(Input::Pasted(found)) if found.len() == 3));
        assert!(matches!(file("b.authtap", b"nothing of the kind"), Ok(Input::Pasted(found)) if found.len() == 1));
        assert!(matches!(file("c.txt", br#"{"log": {"version": "1.2", "entries": []}}"#), Ok(Input::File(_))));
        assert!(matches!(
            file("c.har", br#"{"log": {"version": "1.2"}}"#),
            Err(Fault::Session(SessionError::NoEntries { .. }))
        ));
        assert!(matches!(file("e.txt", b"\0\x01\x02"), Err(Fault::Session(SessionError::NotASession { .. }))));
        assert!(matches!(file("f.txt", b""), Err(Fault::Session(SessionError::Empty { .. }))));
    }
}
