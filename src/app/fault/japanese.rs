//! The errors of the rooms below, said in Japanese. Their own words are English.

#![allow(clippy::trivially_copy_pass_by_ref, reason = "each is a function of a reference, as `said` wants it")]

use crate::demo::StageError;
use crate::proxy::{
    AuthorityError, KeyFileDoubt, KeyFileError, KeyFileOption, KeyFileProblem, ProxyLoginError, StartError,
    UpstreamCaError, UpstreamLoginError, UpstreamProxyError,
};
use crate::session::SessionError;
use crate::session::kind::Kind;
use crate::tui::ScreenError;

pub(super) fn session(error: &SessionError) -> String {
    match error {
        SessionError::Missing { path } => {
            format!("{} がありません。名前を確認してください", path.display())
        }
        SessionError::Folder { path } => {
            format!("{} はフォルダーです。その中のセッション ファイルを指定してください", path.display())
        }
        SessionError::Unreadable { path, reason } => {
            format!("{} を読めません: {reason}。アクセス許可を確認してください", path.display())
        }
        SessionError::Empty { path } => {
            format!("{} は空です。何も記録されていません。別のファイルを指定してください", path.display())
        }
        SessionError::NotASession { path, kind } => format!(
            "{} は authtap のセッションではなく{}です。authtap が記録したファイルを指定してください",
            path.display(),
            self::kind(*kind)
        ),
        SessionError::Newer { path, found, known } => format!(
            "{} はより新しい authtap が書いたものです (形式 {found}、このバージョンは {known} まで)。authtap を更新してください",
            path.display()
        ),
        SessionError::Damaged { path, reason } => format!(
            "{} は壊れています (途中で切れたか、書き換えられています): {reason}。記録したマシンから、同じ名前で末尾が -wal の\
             ファイルがあればそれも一緒に、もう一度コピーしてください",
            path.display()
        ),
        SessionError::Gap { path, from, count } => format!(
            "{}: {from} 番目から {count} 件のエクスチェンジを読めません。ファイルがそこで壊れています。他は読みました",
            path.display()
        ),
        SessionError::Rest { path, from } => format!(
            "{}: {from} 番目のエクスチェンジから先を読めません。ファイルがそこで壊れているか途切れています。欠けた件数は不明です",
            path.display()
        ),
        SessionError::BadEntry { path, number } => format!(
            "{}: {number} 番目のエントリを読めません (形式に合わないか、長すぎます)。他は読みました",
            path.display()
        ),
        SessionError::NoEntries { path } => format!(
            "{} には読み取れる log.entries がなく、読むものがありません。コンテンツ付きの HAR として書き出し直してください",
            path.display()
        ),
        SessionError::NoSessions { path } => format!(
            "{} は ZIP ファイルですが、Fiddler のセッション (raw/1_c.txt など) がありません。セッション アーカイブ (SAZ) を指定してください",
            path.display()
        ),
        SessionError::Protected { path } => format!(
            "{} はパスワードで保護されています。AUTHTAP_SAZ_PASSWORD を設定するか、端末から実行して入力してください",
            path.display()
        ),
        SessionError::WrongPassword { path } => {
            format!("{} のパスワードが違います。AUTHTAP_SAZ_PASSWORD を確認してください", path.display())
        }
        SessionError::Cancelled => "すべてを読み終える前に中止しました".to_owned(),
        SessionError::InUse { path } => format!(
            "{} には別の authtap が記録中です。そちらを終えるか、別のファイルを指定してください",
            path.display()
        ),
        SessionError::Unwritable { path, reason } => {
            format!("{} に書き込めません: {reason}。書き込める場所を指定してください", path.display())
        }
        SessionError::Full { path } => {
            format!("{} を書く空き容量がありません。ディスクを空けてください", path.display())
        }
        SessionError::TooSlow { path } => format!(
            "{} のディスクがこの通信量に追いつきません。記録されなかったエクスチェンジがあります",
            path.display()
        ),
        SessionError::NoDataFolder => {
            "このアカウントにはデータ フォルダーがありません。セッション ファイルを指定するか、\
             AUTHTAP_DATA_DIR にフォルダーを設定してください"
                .to_owned()
        }
    }
}

pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Authtap => " authtap のセッション",
        Kind::Har => " HTTP アーカイブ (HAR) ",
        Kind::Saz => " ZIP または Fiddler のアーカイブ (SAZ) ",
        Kind::Mitm => " mitmproxy のフロー ファイル",
        Kind::OtherDatabase => "別のプログラムの SQLite ファイル",
        Kind::Text => "テキスト",
        Kind::Binary => "不明な形式のファイル",
        Kind::Empty => "空のファイル",
    }
}

pub(super) fn authority(error: &AuthorityError) -> String {
    const ANEW: &str = "authtap ca renew で新しいルートを作れます";
    match error {
        AuthorityError::Folder { path, error } => format!(
            "ルート証明書のフォルダー {} を作れません: {error}。--ca-dir で別のフォルダーを指定してください",
            path.display()
        ),
        AuthorityError::Read { path, error } => format!(
            "{} を読めません: {error}。読めるようにするか、--ca-dir で別のフォルダーを指定してください",
            path.display()
        ),
        AuthorityError::Write { path, error } => {
            format!("{} に書き込めません: {error}。--ca-dir で書き込めるフォルダーを指定してください", path.display())
        }
        AuthorityError::FolderExposed { path } => format!(
            "{} にはこのマシンのほかのユーザーが書き込めるため、別のルートに差し替えられるおそれがあります。chmod 700 '{}' を\
             実行するか、--ca-dir で別のフォルダーを指定してください",
            path.display(),
            path.display()
        ),
        AuthorityError::KeyExposed { path } => format!(
            "ルートのキー {} をこのマシンのほかのユーザーが読めます。コピーされた可能性があれば、ルートを信頼済みのストアから取り除き \
             (authtap ca uninstall)、作り直してください (authtap ca renew)。可能性がなければ chmod 600 '{}' を実行してください",
            path.display(),
            path.display()
        ),
        AuthorityError::KeyMissing { certificate, key } => format!(
            "ルート証明書 {} はありますが、そのキー {} がありません。キーを戻すか、authtap ca renew で新しいルートを作ってください",
            certificate.display(),
            key.display()
        ),
        AuthorityError::CertificateMissing { certificate, key } => format!(
            "ルートのキー {} はありますが、その証明書 {} がありません。証明書を戻すか、authtap ca renew で新しいルートを作ってください",
            key.display(),
            certificate.display()
        ),
        AuthorityError::NotACertificate { path } => {
            format!("{} は PEM 形式の証明書ではありません。正しいファイルを戻してください。{ANEW}", path.display())
        }
        AuthorityError::NotARoot { path } => {
            format!("{} の証明書はルートではなく、ほかの証明書に署名できません。{ANEW}", path.display())
        }
        AuthorityError::NotAKey { path } => format!(
            "{} は PKCS#8 PEM 形式の秘密キーではありません。正しいファイルを戻してください。{ANEW}",
            path.display()
        ),
        AuthorityError::Mismatch { certificate, key } => format!(
            "証明書 {} とキー {} が対応していません。正しいファイルを戻してください。{ANEW}",
            certificate.display(),
            key.display()
        ),
        AuthorityError::Expired { certificate, at } => format!(
            "ルート証明書 {} は {at} に期限が切れました。{ANEW}。新しいものを信頼済みにしてください",
            certificate.display()
        ),
        AuthorityError::Generate => {
            "キーを作れません: システムから乱数を得られませんでした。もう一度試してください".to_owned()
        }
    }
}

pub(super) fn login(error: &ProxyLoginError) -> String {
    let what = match error {
        ProxyLoginError::Unset => "が設定されていません (--proxy-auth に必要です)",
        ProxyLoginError::NotText => "が UTF-8 ではありません",
        ProxyLoginError::NoColon => "にコロンがありません",
        ProxyLoginError::Empty => "のユーザー名かパスワードが空です",
        ProxyLoginError::Control => "に制御文字 (末尾の改行など) が含まれています",
    };
    format!("AUTHTAP_PROXY_AUTH {what}。user:password の形で設定してください")
}

pub(super) fn upstream_proxy(error: &UpstreamProxyError) -> String {
    match error {
        UpstreamProxyError::Form => {
            "プロキシのスキーム、ホスト、ポートを http://proxy.contoso.com:8080 のように指定してください"
        }
        UpstreamProxyError::Scheme => "経由できるのは http://、https://、socks5:// のプロキシだけです",
        UpstreamProxyError::Login => {
            "URL にユーザー名とパスワードを含めないでください。引数はこのマシンのすべてのユーザーから見え、シェルの履歴にも残ります。\
             環境変数 AUTHTAP_UPSTREAM_PROXY_AUTH に user:password を設定してください"
        }
    }
    .to_owned()
}

pub(super) fn upstream_login(error: &UpstreamLoginError) -> String {
    let what = match error {
        UpstreamLoginError::NoColon => "にコロンがありません",
        UpstreamLoginError::Control => "に制御文字 (末尾の改行など) が含まれています",
    };
    format!("AUTHTAP_UPSTREAM_PROXY_AUTH {what}。user:password の形で設定してください")
}

pub(super) fn key_file(error: &KeyFileError) -> String {
    let (option, file) = (error.option.name(), error.path.display());
    match &error.problem {
        KeyFileProblem::Read(error) => format!("{option} の {file} を読めません: {error}"),
        KeyFileProblem::NoCertificate => {
            format!("{option} の {file} に証明書がありません。証明書とキーを含む PEM か、PFX を指定してください")
        }
        KeyFileProblem::NoKey => format!(
            "{option} の {file} に秘密キーがありません。同じファイルに入れるか、キー付きで PFX をエクスポートしてください"
        ),
        KeyFileProblem::KeyEncrypted => format!(
            "{option} の {file} の秘密キーは暗号化されています。復号するか (openssl pkey)、PFX を指定してください"
        ),
        KeyFileProblem::Mismatch => format!("{option} の {file} には、その秘密キーに対応する証明書がありません"),
        KeyFileProblem::Unusable => {
            format!("{option} の {file} の秘密キーは使えません。使えるのは RSA と ECDSA (P-256、P-384) です")
        }
        KeyFileProblem::NoPassword => format!(
            "{option} の {file} にはパスワードがあります。AUTHTAP_PFX_PASSWORD を設定するか、端末で起動して入力してください"
        ),
        KeyFileProblem::NotOpened => {
            format!("{option} の {file} を開けません。パスワードが違うか、PFX ファイルではありません")
        }
    }
}

pub(super) fn doubt(doubt: &KeyFileDoubt) -> String {
    match doubt {
        KeyFileDoubt::KeyExposed { path } => format!(
            "{} の秘密キーをこのマシンのほかのユーザーが読めます。chmod 600 '{}' を実行してください",
            path.display(),
            path.display()
        ),
        KeyFileDoubt::Expired { option: KeyFileOption::ServerCert, path, at } => {
            format!("{} の証明書は {at} に期限が切れています。クライアントは拒否します", path.display())
        }
        KeyFileDoubt::Expired { option: KeyFileOption::ClientCert, path, at } => {
            format!("{} の証明書は {at} に期限が切れています。サーバーは拒否します", path.display())
        }
        KeyFileDoubt::OtherName { path, host } => {
            format!(
                "--server-cert の {} の証明書には {host} の名前がありません。クライアントは拒否します",
                path.display()
            )
        }
    }
}

pub(super) fn screen(error: &ScreenError) -> String {
    match error {
        ScreenError::NoTerminal => {
            "標準入力と標準出力が端末ではありません。端末なしでキャプチャするには --headless を付けてください"
                .to_owned()
        }
        ScreenError::Take(reason) => {
            format!("端末を切り替えられません ({reason})。端末なしでキャプチャするには --headless を付けてください")
        }
        ScreenError::Read(reason) => format!("端末からキーを読めません: {reason}"),
        ScreenError::Draw(reason) => format!("端末に描画できません: {reason}"),
    }
}

pub(super) fn start(error: &StartError) -> String {
    match error {
        StartError::InUse { address } => format!(
            "{address} は別のプログラムが使用中です。--listen で別のポートを指定してください (ポート 0 は空いているポート)"
        ),
        StartError::Forbidden { address } => {
            format!("このユーザーは {address} で待ち受けできません。--listen で 1024 以上のポートを指定してください")
        }
        StartError::NotOurs { address } => {
            format!("{address} はこのマシンのアドレスではありません。--listen で 127.0.0.1:8080 などを指定してください")
        }
        StartError::NotTransparent => {
            "--transparent は Linux でのみ使えます。このシステムではクライアントにプロキシを設定するか、\
             --reverse を使ってください"
                .to_owned()
        }
        StartError::Listen { address, error } => {
            format!("{address} で待ち受けできません: {error}。--listen で別のアドレスを指定してください")
        }
        StartError::UpstreamCa(error) => match error {
            UpstreamCaError::Read { path, error } => {
                format!("--upstream-ca の {} を読めません: {error}", path.display())
            }
            UpstreamCaError::Parse { path } => {
                format!("--upstream-ca の {} に証明書ではないものが含まれています", path.display())
            }
            UpstreamCaError::Empty { path } => format!(
                "--upstream-ca の {} に証明書がありません。PEM 形式 (-----BEGIN CERTIFICATE-----) のファイルを指定してください",
                path.display()
            ),
        },
    }
}

pub(super) fn stage(error: &StageError) -> String {
    match error {
        StageError::Listen(error) => format!("デモのサーバーが 127.0.0.1 で待ち受けできません: {error}"),
        StageError::Folder(path, error) => {
            format!("デモのフォルダー {} に書き込めません: {error}", path.display())
        }
        StageError::Certificate(error) => format!("デモの証明書を作れないか、読めません: {error}"),
    }
}
