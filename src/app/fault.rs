//! What can keep an order from being done, each with what was wrong, where, and what to do about it.

mod japanese;

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::Exit;
use crate::demo::StageError;
use crate::proxy::{
    AuthorityError, KeyFileDoubt, KeyFileError, ProxyLoginError, StartError, UpstreamLoginError, UpstreamProxyError,
};
use crate::session::SessionError;
use crate::session::kind::Kind;
use crate::text::{Language, Text};
use crate::tui::ScreenError;

/// Why an order was not done.
#[derive(Debug)]
pub enum Fault {
    /// Whom to serve beyond this machine was not said.
    BeyondLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// `--proxy-auth` together with `--reverse`, whose callers take the proxy for the server.
    LoginInReverse,
    /// What clients should say to be let in is not said.
    ProxyLogin(ProxyLoginError),
    /// `--upstream-proxy` names no proxy that can be gone through.
    UpstreamProxy(UpstreamProxyError),
    /// What the upstream proxy is to be told is not said.
    UpstreamLogin(UpstreamLoginError),
    /// `--save` with an extension that names no kind of session.
    UnknownSessionKind {
        /// The file asked for.
        path: PathBuf,
    },
    /// `--save` into a file that is there already and cannot be continued.
    SaveExists {
        /// The file asked for.
        path: PathBuf,
    },
    /// A file that would be made of itself.
    OntoItself {
        /// The file.
        path: PathBuf,
    },
    /// A file in which secrets stood that could not be masked.
    Leak {
        /// The file asked for.
        path: PathBuf,
    },
    /// A file of a kind that has no encryption.
    NotEncrypted {
        /// The file asked for.
        path: PathBuf,
    },
    /// A file for strangers in which private names were found when it was finished.
    NamesLeft {
        /// The file asked for.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The exchange that the first one stands in, where it stands in one.
        exchange: Option<u64>,
        /// The part of the file that the first one stands in.
        part: String,
    },
    /// A replay that would record into the very session it answers from.
    SaveIntoReplayed {
        /// The file.
        path: PathBuf,
    },
    /// `explain` of something else.
    NoSuchFinding {
        /// As typed.
        id: String,
        /// Findings with similar ids.
        near: Vec<&'static str>,
    },
    /// The log cannot be written.
    Log {
        /// The file asked for.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// Standard output cannot be written.
    Output(io::Error),
    /// Standard input cannot be read.
    Input(io::Error),
    /// Standard input is no text.
    NotPasted {
        /// What it is.
        kind: Kind,
    },
    /// The system gives no threads or no event queue.
    Threads(io::Error),
    /// A session file cannot be read or written.
    Session(SessionError),
    /// The root certificate cannot be used.
    Authority(AuthorityError),
    /// A store of trust did not take the root, or there is none that could; each was said with the way to do it by hand.
    NotInstalled,
    /// A store of trust still has the root.
    NotUninstalled,
    /// A certificate that clients should be shown cannot be.
    KeyFile(KeyFileError),
    /// The terminal cannot be used.
    Screen(ScreenError),
    /// There is no terminal to look at sessions with.
    NoTerminalToOpen,
    /// The proxy cannot start.
    Start(StartError),
    /// The demonstration cannot be set up.
    Stage(StageError),
    /// A panic; its place is said elsewhere.
    Ours,
}

impl From<StartError> for Fault {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<StageError> for Fault {
    fn from(error: StageError) -> Self {
        Self::Stage(error)
    }
}

impl From<SessionError> for Fault {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<AuthorityError> for Fault {
    fn from(error: AuthorityError) -> Self {
        Self::Authority(error)
    }
}

impl From<ProxyLoginError> for Fault {
    fn from(error: ProxyLoginError) -> Self {
        Self::ProxyLogin(error)
    }
}

impl From<UpstreamProxyError> for Fault {
    fn from(error: UpstreamProxyError) -> Self {
        Self::UpstreamProxy(error)
    }
}

impl From<UpstreamLoginError> for Fault {
    fn from(error: UpstreamLoginError) -> Self {
        Self::UpstreamLogin(error)
    }
}

impl From<KeyFileError> for Fault {
    fn from(error: KeyFileError) -> Self {
        Self::KeyFile(error)
    }
}

impl From<ScreenError> for Fault {
    fn from(error: ScreenError) -> Self {
        Self::Screen(error)
    }
}

impl Fault {
    /// The exit code that says it.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::BeyondLoopback { .. }
            | Self::LoginInReverse
            | Self::ProxyLogin(_)
            | Self::UpstreamProxy(_)
            | Self::UpstreamLogin(_)
            | Self::UnknownSessionKind { .. }
            | Self::SaveIntoReplayed { .. }
            | Self::SaveExists { .. }
            | Self::OntoItself { .. }
            | Self::NotEncrypted { .. }
            | Self::NoSuchFinding { .. }
            | Self::Input(_)
            | Self::NotPasted { .. }
            | Self::KeyFile(_)
            | Self::Start(StartError::UpstreamCa(_) | StartError::NotTransparent) => Exit::Usage,
            Self::Session(error) if is_input(error) => Exit::Usage,
            Self::Session(_)
            | Self::Log { .. }
            | Self::Output(_)
            | Self::Threads(_)
            | Self::Authority(_)
            | Self::Leak { .. }
            | Self::NotInstalled
            | Self::NotUninstalled
            | Self::Screen(_)
            | Self::NoTerminalToOpen
            | Self::Start(_)
            | Self::Stage(_)
            | Self::NamesLeft { .. }
            | Self::Ours => Exit::Refused,
        }
    }

    /// The sentence that says it.
    pub fn message(&self, language: Language) -> String {
        let fill = |text: Text, names: &[(&str, &str)]| text.fill(language, names);
        match self {
            Self::BeyondLoopback { address } => fill(
                Text {
                    en: "cannot listen on {address}: any machine could use this proxy, and what it sends would be recorded \
                         here; say who may with --allow, such as --allow 192.168.1.0/24, or ask for a password with \
                         --proxy-auth, or listen on 127.0.0.1",
                    ja: "{address} では待ち受けできません: ほかのマシンからこのプロキシを使えてしまいます。--allow 192.168.1.0/24 のように\
                         接続元を指定するか、--proxy-auth でパスワードを求めるか、127.0.0.1 で待ち受けてください",
                },
                &[("address", &address.to_string())],
            ),
            Self::LoginInReverse => fill(
                Text {
                    en: "--proxy-auth does not go with --reverse: callers take this address for the server and will not log in \
                         to a proxy; say who may call with --allow",
                    ja: "--proxy-auth は --reverse と併用できません: 呼び出し元はこのアドレスをサーバーとみなし、プロキシの認証には応じません。\
                         --allow で接続元を指定してください",
                },
                &[],
            ),
            Self::ProxyLogin(error) => said(error, japanese::login, language),
            Self::UpstreamProxy(error) => {
                format!("--upstream-proxy: {}", said(error, japanese::upstream_proxy, language))
            }
            Self::UpstreamLogin(error) => said(error, japanese::upstream_login, language),
            Self::UnknownSessionKind { path } => fill(
                Text {
                    en: "{path}: the kind of a session file follows its extension; use .authtap, .har or .saz",
                    ja: "{path}: セッション ファイルの形式は拡張子で決まります。.authtap、.har、.saz のいずれかを使ってください",
                },
                &[("path", &path.display().to_string())],
            ),
            Self::SaveExists { path } => fill(
                Text {
                    en: "--save {path}: there is such a file already, and only an .authtap session can be continued; \
                         name another file",
                    ja: "--save {path}: 同じ名前のファイルがあります。続きを記録できるのは .authtap セッションだけです。\
                         別のファイルを指定してください",
                },
                &[("path", &path.display().to_string())],
            ),
            Self::OntoItself { path } => fill(
                Text {
                    en: "{path} cannot be made of itself; name another file to write",
                    ja: "{path} をそれ自身から作ることはできません。書き込み先に別のファイルを指定してください",
                },
                &[("path", &path.display().to_string())],
            ),
            Self::Leak { path } => fill(
                Text {
                    en: "{path} was not written: secrets stood in it that could not be masked. This is a fault of this program: \
                         please report it, without the source",
                    ja: "{path} は書き込みませんでした。置き換えられない秘密が含まれていたためです。このプログラムの不具合です。\
                         元のファイルを添えずに報告してください",
                },
                &[("path", &path.display().to_string())],
            ),
            Self::NotEncrypted { path } => fill(
                Text {
                    en: "--encrypt: only a .saz can be encrypted, {path} cannot; name a .saz, or leave the option out",
                    ja: "--encrypt: 暗号化できるのは .saz だけです ({path} は不可)。.saz を指定するか、オプションを外してください",
                },
                &[("path", &path.display().to_string())],
            ),
            Self::NamesLeft { path, count, exchange, part } => fill(
                Text {
                    en: "{path} was not written: {count} private names were left in it, the first in {part} (exchange \
                         {exchange}). This is a fault of this program: please report it, and share with support instead",
                    ja: "{path} は書き込んでいません: 置き換えるべき名前が {count} 件残っていました (最初は {part}、エクスチェンジ {exchange})。\
                         このプログラムの不具合です。報告のうえ、--share support を使ってください",
                },
                &[
                    ("path", &path.display().to_string()),
                    ("count", &count.to_string()),
                    ("part", part),
                    ("exchange", &exchange.map_or_else(|| "-".to_owned(), |number| number.to_string())),
                ],
            ),
            Self::SaveIntoReplayed { path } => fill(
                Text {
                    en: "--save {path} is the session that is replayed; name another file",
                    ja: "--save {path} は再生するセッションそのものです。別のファイルを指定してください",
                },
                &[("path", &path.display().to_string())],
            ),
            Self::NoSuchFinding { id, near } if near.is_empty() => fill(
                Text {
                    en: "no finding is called {id}; `authtap explain` lists them all",
                    ja: "{id} という所見はありません。`authtap explain` で一覧が出ます",
                },
                &[("id", id)],
            ),
            Self::NoSuchFinding { id, near } => fill(
                Text {
                    en: "no finding is called {id}; did you mean {near}? `authtap explain` lists them all",
                    ja: "{id} という所見はありません。{near} のことですか。`authtap explain` で一覧が出ます",
                },
                &[("id", id), ("near", &near.join(", "))],
            ),
            Self::Log { path, reason } => fill(
                Text {
                    en: "cannot write the log {path}: {reason}; name another file with --log or AUTHTAP_LOG",
                    ja: "ログ {path} に書き込めません: {reason}。--log か AUTHTAP_LOG で別のファイルを指定してください",
                },
                &[("path", &path.display().to_string()), ("reason", &reason.to_string())],
            ),
            Self::Output(reason) => fill(
                Text {
                    en: "cannot write to standard output: {reason}; check where it is sent",
                    ja: "標準出力に書き込めません: {reason}。出力先を確認してください",
                },
                &[("reason", &reason.to_string())],
            ),
            Self::Input(reason) => fill(
                Text { en: "cannot read standard input: {reason}", ja: "標準入力を読めません: {reason}" },
                &[("reason", &reason.to_string())],
            ),
            Self::NotPasted { kind } => match language {
                Language::En => {
                    format!("standard input is no text, but {}; give the name of a file instead of -", kind.phrase())
                }
                Language::Ja => format!(
                    "標準入力はテキストではなく{}です。- の代わりにファイル名を指定してください",
                    japanese::kind(*kind)
                ),
            },
            Self::Threads(reason) => fill(
                Text {
                    en: "the system gives no threads or event queue: {reason}; check the limits of this account",
                    ja: "スレッドかイベント キューを確保できません: {reason}。このアカウントの上限を確認してください",
                },
                &[("reason", &reason.to_string())],
            ),
            Self::Session(error) => said(error, japanese::session, language),
            Self::Authority(error) => said(error, japanese::authority, language),
            Self::NotInstalled => fill(
                Text {
                    en: "the root certificate was not installed wherever it could be; what is left to do by hand is listed",
                    ja: "ルート証明書を登録できなかったストアがあります。手動で行う手順は一覧のとおりです",
                },
                &[],
            ),
            Self::NotUninstalled => fill(
                Text {
                    en: "the root certificate is still trusted somewhere; what is left to do by hand is listed",
                    ja: "ルート証明書がまだ信頼されているストアがあります。手動で行う手順は一覧のとおりです",
                },
                &[],
            ),
            Self::KeyFile(error) => said(error, japanese::key_file, language),
            Self::Screen(error) => said(error, japanese::screen, language),
            Self::NoTerminalToOpen => fill(
                Text {
                    en: "standard input and output are no terminal; `authtap diagnose` reads the same files without one",
                    ja: "標準入力と標準出力が端末ではありません。端末なしで読むには `authtap diagnose` を使ってください",
                },
                &[],
            ),
            Self::Start(error) => said(error, japanese::start, language),
            Self::Stage(error) => said(error, japanese::stage, language),
            Self::Ours => fill(
                Text {
                    en: "ended by a fault of this program", ja: "このプログラムの不具合により終了しました"
                },
                &[],
            ),
        }
    }
}

/// The sentence that says what somebody should know of a certificate that is shown all the same.
pub(super) fn doubt(doubt: &KeyFileDoubt, language: Language) -> String {
    said(doubt, japanese::doubt, language)
}

/// The sentence that says why a proxy that the environment names is not gone through.
pub(super) fn unusable_proxy(error: UpstreamProxyError, language: Language) -> String {
    said(&error, japanese::upstream_proxy, language)
}

/// Whether it is the file itself that is wrong; else the machine refuses to write it.
const fn is_input(error: &SessionError) -> bool {
    !matches!(
        error,
        SessionError::InUse { .. }
            | SessionError::Unwritable { .. }
            | SessionError::Full { .. }
            | SessionError::TooSlow { .. }
            | SessionError::NoDataFolder
    )
}

/// An error of a room below, whose own words are English.
fn said<E: Display>(error: &E, japanese: fn(&E) -> String, language: Language) -> String {
    match language {
        Language::En => error.to_string(),
        Language::Ja => japanese(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::{KeyFileOption, KeyFileProblem};

    fn faults() -> Vec<(Fault, Exit)> {
        let path = || PathBuf::from("a.authtap");
        let key_file = |problem| KeyFileError { option: KeyFileOption::ClientCert, path: path(), problem }.into();
        let error = || io::Error::other("the system's words");
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        vec![
            (Fault::BeyondLoopback { address }, Exit::Usage),
            (Fault::LoginInReverse, Exit::Usage),
            (ProxyLoginError::Unset.into(), Exit::Usage),
            (ProxyLoginError::NotText.into(), Exit::Usage),
            (ProxyLoginError::NoColon.into(), Exit::Usage),
            (ProxyLoginError::Empty.into(), Exit::Usage),
            (ProxyLoginError::Control.into(), Exit::Usage),
            (UpstreamProxyError::Form.into(), Exit::Usage),
            (UpstreamProxyError::Scheme.into(), Exit::Usage),
            (UpstreamProxyError::Login.into(), Exit::Usage),
            (UpstreamLoginError::NoColon.into(), Exit::Usage),
            (UpstreamLoginError::Control.into(), Exit::Usage),
            (StartError::NotTransparent.into(), Exit::Usage),
            (Fault::UnknownSessionKind { path: path() }, Exit::Usage),
            (Fault::SaveIntoReplayed { path: path() }, Exit::Usage),
            (Fault::SaveExists { path: path() }, Exit::Usage),
            (Fault::OntoItself { path: path() }, Exit::Usage),
            (Fault::NotEncrypted { path: path() }, Exit::Usage),
            (Fault::NamesLeft { path: path(), count: 1, exchange: None, part: "log".to_owned() }, Exit::Refused),
            (Fault::Leak { path: path() }, Exit::Refused),
            (Fault::NoSuchFinding { id: "x".to_owned(), near: Vec::new() }, Exit::Usage),
            (Fault::NoSuchFinding { id: "x".to_owned(), near: vec!["spn-missing"] }, Exit::Usage),
            (Fault::Input(error()), Exit::Usage),
            (Fault::NotPasted { kind: Kind::Saz }, Exit::Usage),
            (SessionError::Missing { path: path() }.into(), Exit::Usage),
            (SessionError::Damaged { path: path(), reason: "x".to_owned() }.into(), Exit::Usage),
            (SessionError::NotASession { path: path(), kind: Kind::Text }.into(), Exit::Usage),
            (SessionError::Cancelled.into(), Exit::Usage),
            (SessionError::InUse { path: path() }.into(), Exit::Refused),
            (SessionError::Full { path: path() }.into(), Exit::Refused),
            (Fault::Log { path: path(), reason: error() }, Exit::Refused),
            (Fault::Output(error()), Exit::Refused),
            (Fault::Threads(error()), Exit::Refused),
            (AuthorityError::Folder { path: path(), error: error() }.into(), Exit::Refused),
            (AuthorityError::KeyExposed { path: path() }.into(), Exit::Refused),
            (AuthorityError::FolderExposed { path: path() }.into(), Exit::Refused),
            (Fault::NotInstalled, Exit::Refused),
            (Fault::NotUninstalled, Exit::Refused),
            (StartError::InUse { address }.into(), Exit::Refused),
            (StartError::UpstreamCa(crate::proxy::UpstreamCaError::Empty { path: path() }).into(), Exit::Usage),
            (key_file(KeyFileProblem::Read(error())), Exit::Usage),
            (key_file(KeyFileProblem::NoCertificate), Exit::Usage),
            (key_file(KeyFileProblem::NoKey), Exit::Usage),
            (key_file(KeyFileProblem::KeyEncrypted), Exit::Usage),
            (key_file(KeyFileProblem::Mismatch), Exit::Usage),
            (key_file(KeyFileProblem::Unusable), Exit::Usage),
            (key_file(KeyFileProblem::NoPassword), Exit::Usage),
            (key_file(KeyFileProblem::NotOpened), Exit::Usage),
            (ScreenError::NoTerminal.into(), Exit::Refused),
            (Fault::NoTerminalToOpen, Exit::Refused),
            (StageError::Listen(error()).into(), Exit::Refused),
            (Fault::Ours, Exit::Refused),
        ]
    }

    #[test]
    fn wrong_input_and_refusals_of_the_machine_have_their_own_exit_codes() {
        for (fault, exit) in faults() {
            assert_eq!(fault.exit(), exit, "{fault:?}");
        }
        assert_eq!([Exit::Done, Exit::Failures, Exit::Usage, Exit::Refused].map(Exit::code), [0, 1, 2, 3]);
    }

    #[test]
    fn every_message_is_there_in_both_languages_with_its_places_filled() {
        for (fault, _) in faults() {
            let (english, japanese) = (fault.message(Language::En), fault.message(Language::Ja));
            assert!(english.is_ascii(), "{english}");
            assert!(!japanese.is_ascii() && !japanese.contains('<'), "{japanese}");
            assert!(!english.contains('<') && !english.contains("  "), "{english}");
            assert!(!japanese.contains("  "), "{japanese}");
        }
    }
}
