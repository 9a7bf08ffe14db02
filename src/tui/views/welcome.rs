//! What stands on the screen before the first exchange: what to do next.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Widget};

use super::inside;
use crate::text::{Language, Text};
use crate::tui::banner::{Banner, Mode};
use crate::tui::document::{Document, Line};
use crate::tui::state::State;
use crate::tui::theme::{self, Tone};
use crate::tui::words::text;

const WAITING: Text = text("Waiting for the first exchange", "最初の通信を待っています");
const EMPTY: Text = text("There is no exchange in this session.", "このセッションには通信がありません。");
const DEMO: Text = text("The demonstration begins in a moment.", "デモはまもなく始まります。");
const TRUST: Text = text("Let the client trust this certificate:", "クライアントに次の証明書を信頼させます:");
const POINT: Text = text("Point the client at this proxy:", "クライアントのプロキシを次に向けます:");
const TRY: Text = text("Or try it with curl first:", "まず curl で試すこともできます:");
const REPEAT: Text = text(
    "Restart the client (Outlook, migration tool) and repeat what failed. Its exchanges appear here, and why each 401 came.",
    "クライアント (Outlook、移行ツールなど) を再起動し、失敗した操作を繰り返します。通信とその 401 の理由がここに現れます。",
);
const WINDOWS: Text = text(
    "Windows: Settings > Network & internet > Proxy > Manual; services: netsh winhttp set proxy",
    "Windows: 設定 > ネットワークとインターネット > プロキシ > 手動。サービスは netsh winhttp set proxy",
);
const HIDDEN: Text =
    text("Passwords and tokens are never shown or stored.", "パスワードやトークンは表示も保存もされません。");

const CALL: Text = text(
    "Let clients call this address as if it were the server (DNS, hosts file or port forwarding), with or without TLS:",
    "クライアントがこのアドレスをサーバーとして呼び出すようにしてください (DNS、hosts ファイル、ポート転送)。TLS の有無は問いません:",
);

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State) {
    Block::bordered().border_style(theme::UNFOCUSED).render(area, frame.buffer_mut());
    let inner = inside(area);
    let inner = Rect { x: inner.x + 2.min(inner.width), width: inner.width.saturating_sub(4), ..inner };
    let mut page = lay_out(&state.banner, state.language);
    let top = inner.height.saturating_sub(page.height(inner.width) as u16) / 3;
    let inner = Rect { y: inner.y + top, height: inner.height - top, ..inner };
    page.draw(frame.buffer_mut(), inner, 0, None, None);
}

fn lay_out(banner: &Banner, language: Language) -> Document {
    let mut page = Document::default();
    let headline = match banner.mode {
        Mode::Capture | Mode::Reverse | Mode::Replay => WAITING,
        Mode::Open | Mode::Compare | Mode::Side(_) => EMPTY,
        Mode::Demo => DEMO,
    };
    page.push(Line::of(Tone::Strong, headline.to(language)));
    if banner.mode == Mode::Reverse {
        page.blank();
        page.push(Line::of(Tone::Plain, CALL.to(language)));
        for address in &banner.addresses {
            page.push(Line::of(Tone::Good, &format!("   {address}")));
        }
        return page;
    }
    let Some(address) = banner.addresses.first().filter(|_| matches!(banner.mode, Mode::Capture | Mode::Replay)) else {
        return page;
    };
    page.blank();
    let mut number = 0;
    let mut step = |page: &mut Document, words: Text| {
        number += 1;
        page.push(
            Line::new().put(Tone::Heading, &format!("{number}  ")).put(Tone::Plain, words.to(language)).indent(3),
        );
    };
    if let Some(ca) = &banner.ca {
        step(&mut page, TRUST);
        page.push(Line::of(Tone::Good, &format!("   {ca}")).indent(3));
        page.blank();
    }
    step(&mut page, POINT);
    for address in &banner.addresses {
        page.push(Line::of(Tone::Good, &format!("   http://{address}")));
    }
    page.push(Line::of(Tone::Quiet, &format!("   {} {address}", WINDOWS.to(language))).indent(3));
    page.blank();
    step(&mut page, REPEAT);
    page.blank();
    page.push(Line::of(Tone::Plain, &format!("   {}", TRY.to(language))));
    let ca = banner.ca.as_deref().map(|ca| format!("--cacert {} ", quoted(ca))).unwrap_or_default();
    let command = format!("   curl --proxy http://{address} {ca}https://mail.contoso.com/EWS/Exchange.asmx");
    page.push(Line::of(Tone::Good, &command).indent(3));
    page.blank();
    page.push(Line::of(Tone::Quiet, &format!("   {}", HIDDEN.to(language))).indent(3));
    page
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    if path.contains([' ', '\'', '(', ')', '&']) { format!("\"{path}\"") } else { path.to_owned() }
}
