//! The errors of the rooms below, said in Japanese. Their own words are English.

use crate::proxy::AuthorityError;
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

const fn kind(kind: Kind) -> &'static str {
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
    const ANEW: &str = "新しいルートを作るには、証明書とキーの両方をほかへ移してください";
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
        AuthorityError::KeyExposed { path } => format!(
            "ルートのキー {} をこのマシンのほかのユーザーが読めます。コピーされた可能性があれば、証明書とともに削除し、信頼済みの\
             ストアからも取り除いて作り直してください。可能性がなければ chmod 600 '{}' を実行してください",
            path.display(),
            path.display()
        ),
        AuthorityError::KeyMissing { certificate, key } => format!(
            "ルート証明書 {} はありますが、そのキー {} がありません。キーを戻すか、証明書をほかへ移してください (新しいルートが作られます)",
            certificate.display(),
            key.display()
        ),
        AuthorityError::CertificateMissing { certificate, key } => format!(
            "ルートのキー {} はありますが、その証明書 {} がありません。証明書を戻すか、キーをほかへ移してください (新しいルートが作られます)",
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
        AuthorityError::Expired { certificate, at, .. } => format!(
            "ルート証明書 {} は {at} に期限が切れました。{ANEW}。新しいものを信頼済みにしてください",
            certificate.display()
        ),
        AuthorityError::Generate => {
            "キーを作れません: システムから乱数を得られませんでした。もう一度試してください".to_owned()
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
