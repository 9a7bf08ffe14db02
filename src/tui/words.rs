//! The words of the screen for what others name by codes.

use crate::diagnosis::{Scheme, StepState};
use crate::exchange::{Side, SniForm, Step, Unseen};
use crate::redact::Withheld;
use crate::text::Text;

/// Both languages side by side.
pub(super) const fn text(en: &'static str, ja: &'static str) -> Text {
    Text { en, ja }
}

pub(super) const fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::OAuth => "OAuth",
        Scheme::Ntlm => "NTLM",
        Scheme::Negotiate => "Negotiate",
        Scheme::Basic => "Basic",
        Scheme::Digest => "Digest",
        Scheme::Proxy => "Proxy",
        Scheme::ActiveSync => "ActiveSync",
    }
}

pub(super) const fn step_state(state: StepState) -> Text {
    match state {
        StepState::Done => text("done", "完了"),
        StepState::Failed => text("failed", "失敗"),
        StepState::Missing => text("missing", "来ていない"),
        StepState::Unseen => text("not captured", "未取得"),
    }
}

pub(super) fn step_name(name: &'static str) -> Text {
    match name {
        "empty-bearer" => text("empty Bearer", "空の Bearer"),
        "challenge" => text("challenge", "チャレンジ"),
        "sign-in" => text("sign-in", "サインイン"),
        "token" => text("token", "トークン"),
        "retry" => text("retry", "再試行"),
        "probe" => text("probe", "プローブ"),
        "negotiate" => text("negotiate", "ネゴシエート"),
        "authenticate" => text("authenticate", "認証"),
        other => text(other, other),
    }
}

/// How a client named the server in its TLS handshake.
pub(super) const fn sni_form(form: SniForm) -> Text {
    match form {
        SniForm::Absent => text("none was sent (no SNI)", "送られていない (SNI なし)"),
        SniForm::Name => text("a host name", "ホスト名"),
        SniForm::TrailingDot => text("with a dot at its end", "末尾にドットあり"),
        SniForm::Port => text("with a port, against RFC 6066", "ポート付き (RFC 6066 違反)"),
        SniForm::Address => text("an IP address, against RFC 6066", "IP アドレス (RFC 6066 違反)"),
        SniForm::Odd => text("not a host name", "ホスト名ではない"),
    }
}

/// Why something is not there to be seen.
pub(super) const fn unseen(reason: Unseen) -> Text {
    match reason {
        Unseen::SkippedHost => text(
            "Passed through undecrypted: this host is on the list of those not to look into.",
            "復号せずに通しました。このホストは復号しない一覧にあります。",
        ),
        Unseen::OutsideRoot => text(
            "Passed through undecrypted: the root certificate may sign for other domains only (authtap ca show).",
            "復号せずに通しました。ルート証明書が署名できるのは別のドメインだけです (authtap ca show)。",
        ),
        Unseen::TooManyNames => text(
            "Passed through undecrypted: too many new host names came in a short time.",
            "復号せずに通しました。短時間に新しいホスト名が多すぎました。",
        ),
        Unseen::NotTls => text(
            "Passed through unread: the tunnel carries neither TLS nor HTTP/1.",
            "読み取らずに通しました。トンネルの中身は TLS でも HTTP/1 でもありません。",
        ),
        Unseen::UnreadProtocol => text(
            "Passed through undecrypted: the client offers only a protocol that is not read yet.",
            "復号せずに通しました。クライアントが、まだ読み取れないプロトコルだけを提示しました。",
        ),
        Unseen::ServerTlsTooOld => text(
            "Passed through undecrypted: the server speaks only a TLS too old to be intercepted.",
            "復号せずに通しました。サーバーの TLS が古く、傍受できません。",
        ),
        Unseen::ClientTlsUnreadable => text(
            "Passed through undecrypted: the client's TLS cannot be served.",
            "復号せずに通しました。クライアントの TLS に応答できません。",
        ),
        Unseen::ServerWantsCertificate => text(
            "Passed through undecrypted: the server insists on a client certificate (--client-cert HOST=FILE).",
            "復号せずに通しました。サーバーがクライアント証明書を要求しています (--client-cert HOST=FILE)。",
        ),
        Unseen::NotUnderstood => text(
            "Passed on, but not understood: what was sent is not valid HTTP.",
            "そのまま通しましたが、有効な HTTP として読み取れませんでした。",
        ),
        Unseen::NotRecorded => text(
            "Not recorded: recording was paused, or there was no room.",
            "記録していません。記録が一時停止中か、空きがありませんでした。",
        ),
        Unseen::NotInSource => text(
            "Not in the file or the pasted text. Nothing can be concluded from that.",
            "ファイルまたは貼り付けたテキストに含まれていません。ここからは何も判断できません。",
        ),
        Unseen::NotDecrypted => text(
            "Not decrypted: the tool that made the file passed the tunnel on as it was.",
            "復号されていません。ファイルを作成したツールがトンネルをそのまま通しました。",
        ),
        Unseen::NeverCame => text("It never came.", "届きませんでした。"),
    }
}

/// Why nothing but the length of a body is kept.
pub(super) const fn withheld(reason: Withheld) -> Text {
    match reason {
        Withheld::Binary => text("binary, not kept", "バイナリのため保存しません"),
        Withheld::Undecodable => text("could not be decoded, not kept", "デコードできないため保存しません"),
        Withheld::NotRecorded => text("not recorded", "記録していません"),
    }
}

pub(super) const fn side(side: Side) -> Text {
    match side {
        Side::Client => text("client", "クライアント"),
        Side::Server => text("server", "サーバー"),
        Side::Proxy => text("this proxy", "このプロキシ"),
    }
}

/// What was being done when traffic failed.
pub(super) const fn failed_step(step: Step) -> Text {
    match step {
        Step::Resolve => text("looking up the name", "名前解決"),
        Step::Connect => text("connecting", "接続"),
        Step::Tls => text("TLS handshake", "TLS ハンドシェイク"),
        Step::Send => text("sending", "送信"),
        Step::Receive => text("receiving", "受信"),
    }
}
