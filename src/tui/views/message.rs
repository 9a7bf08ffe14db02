//! Request and response as texts: the head as on the wire, the body, then the connection's end of that side.

use std::time::Duration;

use crate::diagnosis::Place;
use crate::diagnosis::decode::{Decoded, decoded};
use crate::exchange::{
    Certificate, ClientCertificate, Exchange, Failure, Head, Message, Response, Seen, Side, SniForm, Socket,
    SocketMessage,
};
use crate::redact::{Body, Clean, Content, Field, Url};
use crate::text::{Language, Text};
use crate::tui::document::{Direction, Document, Line, Spot};
use crate::tui::focus::{Pane, pane_of};
use crate::tui::looked::{Names, Shown};
use crate::tui::theme::Tone;
use crate::tui::words::{self, text};

use super::body;

struct Writer<'a> {
    page: Document,
    language: Language,
    names: &'a Names<'a>,
    /// What decoders make of the message.
    decoded: Vec<Decoded>,
    /// The exchange goes on.
    running: bool,
}

/// The request's text.
pub(in crate::tui) fn request(exchange: &Exchange, language: Language, names: &Names<'_>) -> Document {
    let mut writer = Writer::new(exchange, Pane::Request, language, names);
    writer.request_line(exchange);
    match &exchange.request {
        Seen::Seen(message) => writer.message(message, Direction::Request, &Place::RequestBody),
        Seen::Unseen(reason) => writer.note(words::unseen(*reason), Tone::Warning),
    }
    writer.failure(exchange, &[Side::Client, Side::Proxy]);
    writer.client(exchange);
    writer.page
}

/// The response's text.
pub(in crate::tui) fn response(exchange: &Exchange, language: Language, names: &Names<'_>) -> Document {
    let mut writer = Writer::new(exchange, Pane::Response, language, names);
    writer.failure(exchange, &[Side::Server]);
    match &exchange.response {
        Seen::Seen(response) => writer.response(response),
        Seen::Unseen(_) if exchange.running => {
            writer.note(text("Still going on: no answer yet.", "継続中: まだ応答がありません。"), Tone::Quiet);
        }
        Seen::Unseen(reason) => {
            writer
                .page
                .push(Line::of(Tone::Warning, words::unseen(*reason).to(language)).at(Place::ResponseStatus.into()));
        }
    }
    writer.server(exchange);
    writer.page
}

/// The decoded parts that stand in one of the two messages.
fn parts(exchange: &Exchange, pane: Pane) -> Vec<Decoded> {
    // What is known of the connections has sections of its own.
    let of_message = |place: &Place| !matches!(place, Place::ConnectionClient | Place::ConnectionServer);
    decoded(exchange).into_iter().filter(|part| of_message(&part.place) && pane_of(&part.place) == pane).collect()
}

impl<'a> Writer<'a> {
    fn new(exchange: &Exchange, pane: Pane, language: Language, names: &'a Names<'a>) -> Self {
        let decoded = parts(exchange, pane);
        Self { page: Document::default(), language, names, decoded, running: exchange.running }
    }

    fn request_line(&mut self, exchange: &Exchange) {
        let mut line = Line::new().at(Place::RequestUrl.into());
        if let Some(method) = &exchange.method {
            line = line.put(Tone::Strong, method.as_str()).put(Tone::Plain, " ");
        }
        line = match &exchange.url {
            Some(url) => self.url(line, url),
            None => line.put(Tone::Quiet, text("(no host given)", "(ホスト不明)").to(self.language)),
        };
        if let Some(message) = exchange.request.seen() {
            line = line.put(Tone::Quiet, " ").put(Tone::Quiet, message.version.as_str());
        }
        self.page.push(line);
    }

    /// Scheme and host are quiet: within a tunnel they are not part of the request line.
    fn url(&self, line: Line, url: &Url) -> Line {
        let shown = self.names.show(url.text());
        if shown.is_identity() {
            return line.put_shown(Tone::Plain, &shown);
        }
        let (origin, rest) = shown.text.split_at(url.origin().len());
        line.put(Tone::Quiet, origin).put(Tone::Plain, rest)
    }

    fn response(&mut self, response: &Response) {
        for interim in &response.interim {
            let first = format!("{} {}", interim.status, interim.reason);
            self.page.push(Line::of(Tone::Quiet, &first));
            self.fields(&interim.fields, Direction::Response);
            self.page.blank();
        }
        self.page.push(
            Line::new()
                .put(Tone::Quiet, response.message.version.as_str())
                .put(response.status.map_or(Tone::Quiet, Tone::of_status), &format!(" {}", status(response)))
                .put(Tone::Strong, &format!(" {}", response.reason))
                .at(Place::ResponseStatus.into()),
        );
        self.message(&response.message, Direction::Response, &Place::ResponseBody);
        if let Some(socket) = &response.socket {
            self.socket(socket);
        }
        if response.early {
            self.note(
                text("The response ended before the request did.", "リクエストが終わる前にレスポンスが完了しました。"),
                Tone::Warning,
            );
        }
    }

    fn message(&mut self, message: &Message, direction: Direction, body: &Place) {
        self.fields(&message.fields, direction);
        self.oddities(message);
        self.decoded();
        self.body(&message.body, body);
        if !message.trailers.is_empty() {
            self.page.blank();
            self.page.push(Line::of(Tone::Quiet, text("Trailers", "トレーラー").to(self.language)));
            self.fields(&message.trailers, direction);
        }
    }

    /// What makes different servers read the message differently.
    fn oddities(&mut self, message: &Message) {
        if message.head == Head::Excerpt {
            self.note(text("Not all of its fields are here.", "フィールドの一部だけです。"), Tone::Quiet);
        }
        if message.odd.is_empty() {
            return;
        }
        let what = message.odd.iter().map(|oddity| oddity.text().to(self.language)).collect::<Vec<_>>().join("; ");
        let said = text(
            "Different servers read this message differently: {what}.",
            "このメッセージの解釈はサーバーによって異なります: {what}。",
        );
        let said = said.fill(self.language, &[("what", &what)]);
        self.page.blank();
        self.page.push(Line::of(Tone::Warning, &said));
    }

    /// The messages of a WebSocket, a line each, with what is kept of them below.
    fn socket(&mut self, socket: &Socket) {
        self.page.blank();
        self.page.push(Line::of(Tone::Heading, text("WebSocket messages", "WebSocket メッセージ").to(self.language)));
        for SocketMessage { side, kind, at, code, body } in &socket.messages {
            let size = text("{length} bytes", "{length} バイト");
            let arrow = if *side == Side::Client { "→" } else { "←" };
            let code = code.map(|code| format!(" {code}")).unwrap_or_default();
            let line = Line::new()
                .put(Tone::Quiet, &format!("{:>8} ms ", at.as_millis()))
                .put(Tone::Strong, &format!("{arrow} {}{code}", kind.code()))
                .put(Tone::Quiet, &format!("  {}", size.fill(self.language, &[("length", &body.length.to_string())])));
            self.page.push(line.indent(4).at(Place::ResponseBody.into()));
            if let Content::Text { .. } = body.content {
                self.text_of(body, &Place::ResponseBody);
            }
        }
        if socket.missing() > 0 {
            let said = text("{count} more messages were not kept", "ほか {count} 件のメッセージは保存していません");
            let said = said.fill(self.language, &[("count", &socket.missing().to_string())]);
            self.page.push(Line::of(Tone::Quiet, &format!("[{said}]")));
        }
        if let Some(side) = socket.lost {
            let said = text("not understood from here: {side}", "ここから解釈できません: {side}");
            let said = said.fill(self.language, &[("side", words::side(side).to(self.language))]);
            self.page.push(Line::of(Tone::Warning, &said));
        }
    }

    fn fields(&mut self, fields: &[Field], direction: Direction) {
        for field in fields {
            let line = Line::new().put(Tone::Name, field.name.as_str()).put(Tone::Quiet, ": ");
            let shown = self.names.show(&field.value);
            let line =
                if shown.is_identity() { line.put_shown(Tone::Plain, &shown) } else { with_markers(line, &shown.text) };
            self.page.push(line.indent(4).at(Spot::Header(direction, field.name.as_str().to_owned())));
        }
    }

    /// Below the head, before a body that may be long.
    fn decoded(&mut self) {
        for part in std::mem::take(&mut self.decoded) {
            self.page.blank();
            self.page.push(
                Line::new()
                    .put(Tone::Quiet, text("Decoded: ", "デコード: ").to(self.language))
                    .put(Tone::Heading, part.title),
            );
            for row in &part.rows {
                let shown = self.names.show(&row.value);
                let line = Line::new().put(Tone::Quiet, &format!("  {}: ", row.name)).put_shown(Tone::Plain, &shown);
                self.page.push(line.indent(6));
            }
        }
    }

    fn body(&mut self, body: &Body, place: &Place) {
        match &body.content {
            Content::Empty => {}
            Content::Withheld(_) if self.running => {
                let said = text("{length} bytes of body so far", "本文はここまで {length} バイト");
                let said = said.fill(self.language, &[("length", &body.length.to_string())]);
                self.page.blank();
                self.page.push(Line::of(Tone::Quiet, &format!("[{said}]")).at(place.clone().into()));
            }
            Content::Withheld(reason) => {
                let why = words::withheld(*reason).to(self.language);
                let said = text("body of {length} bytes: {why}", "本文 {length} バイト: {why}");
                let said = said.fill(self.language, &[("length", &body.length.to_string()), ("why", why)]);
                self.page.blank();
                self.page.push(Line::of(Tone::Quiet, &format!("[{said}]")).at(place.clone().into()));
            }
            Content::Text { .. } => {
                self.page.blank();
                self.text_of(body, place);
            }
        }
    }

    /// The lines of a body of which text is kept.
    fn text_of(&mut self, body: &Body, place: &Place) {
        let Content::Text { syntax, text: kept, complete } = &body.content else { return };
        let shown = self.names.show(kept);
        let clean = shown.is_identity().then(|| body::lines(*syntax, kept.as_str()));
        for (at, line) in body::lines(*syntax, &shown.text).into_iter().enumerate() {
            let depth = (line.len() - line.trim_start().len()).min(20) as u16;
            let line = match clean.as_ref().and_then(|clean| clean.get(at)).filter(|clean| **clean != line) {
                Some(clean) => Line::new().put_shown(Tone::Plain, &Shown::revealed(clean, line)),
                None => body::toned(*syntax, &line),
            };
            self.page.push(line.indent(depth + 2).at(place.clone().into()));
        }
        if !complete {
            let said = text("the rest of {length} bytes was not kept", "全 {length} バイトの残りは保存していません");
            let said = said.fill(self.language, &[("length", &body.length.to_string())]);
            self.page.push(Line::of(Tone::Quiet, &format!("[{said}]")));
        }
    }

    fn failure(&mut self, exchange: &Exchange, sides: &[Side]) {
        let Some(failure) = exchange.error.as_ref().filter(|failure| sides.contains(&failure.side)) else { return };
        let Failure { side, step, text: words, .. } = failure;
        let place = if *side == Side::Server { Place::ConnectionServer } else { Place::ConnectionClient };
        if *side != Side::Server {
            self.page.blank();
        }
        let head =
            format!("✗ {}: {}: ", words::side(*side).to(self.language), words::failed_step(*step).to(self.language));
        let shown = self.names.show(words);
        self.page.push(Line::new().put(Tone::Bad, &head).put_shown(Tone::Plain, &shown).indent(2).at(place.into()));
        if *side == Side::Server {
            self.page.blank();
        }
    }

    fn client(&mut self, exchange: &Exchange) {
        let connection = &exchange.connection;
        let place = Place::ConnectionClient;
        self.heading(text("Client connection", "クライアント側の接続"), connection.id);
        self.fact(text("from", "接続元"), connection.client.as_ref(), &place);
        self.fact(text("asked for", "要求先"), connection.target.as_ref(), &place);
        self.said(text("began", "開始"), &exchange.started.to_string(), Tone::Plain, &place);
        self.took(text("request sent after", "リクエスト完了まで"), exchange.timings.sent, &place);
        if let Some(tls) = &connection.client_tls {
            self.tls(&tls.version, &tls.cipher, tls.alpn.as_ref(), &place);
            self.fact(text("taken by the engine for old TLS", "旧 TLS 用エンジンで処理"), tls.legacy.as_ref(), &place);
            match &tls.sni {
                Some(name) if tls.sni_form == SniForm::Name => {
                    self.fact(text("server name", "サーバー名 (SNI)"), Some(name), &place);
                }
                Some(name) => {
                    let label = words::sni_form(tls.sni_form).to(self.language);
                    self.said(
                        text("server name", "サーバー名 (SNI)"),
                        &format!("{name}  ({label})"),
                        Tone::Warning,
                        &place,
                    );
                }
                None => self.said(
                    text("server name", "サーバー名 (SNI)"),
                    words::sni_form(tls.sni_form).to(self.language),
                    Tone::Quiet,
                    &place,
                ),
            }
        }
        if let Some(certificate) = &connection.presented {
            self.certificate(text("was shown", "提示した証明書"), certificate, &place);
        }
    }

    fn server(&mut self, exchange: &Exchange) {
        let Some(server) = &exchange.connection.server else { return };
        let place = Place::ConnectionServer;
        self.heading(text("Server connection", "サーバー側の接続"), exchange.connection.id);
        self.fact(text("address", "アドレス"), Some(&server.address), &place);
        self.took(text("answered after", "応答開始まで"), exchange.timings.first_byte, &place);
        let over = if exchange.running { text("going on for", "経過") } else { text("over after", "終了まで") };
        self.took(over, exchange.timings.done, &place);
        let Some(tls) = &server.tls else { return };
        self.tls(&tls.version, &tls.cipher, tls.alpn.as_ref(), &place);
        self.fact(text("taken by the engine for old TLS", "旧 TLS 用エンジンで処理"), tls.legacy.as_ref(), &place);
        if tls.resumed {
            let words = text("resumed: certificates as of an earlier connection", "再開 (証明書は以前の接続のもの)");
            self.said(text("session", "セッション"), words.to(self.language), Tone::Quiet, &place);
        }
        if tls.renegotiated {
            let words = text("by the server, later on this connection", "サーバーが接続の途中で実施");
            self.said(text("renegotiation", "再ネゴシエーション"), words.to(self.language), Tone::Warning, &place);
        }
        let label = text("client certificate", "クライアント証明書");
        match &tls.client_certificate {
            ClientCertificate::NotAsked => {}
            ClientCertificate::Asked => {
                let words = text("asked for; none was given", "要求されたが提示しなかった");
                self.said(label, words.to(self.language), Tone::Warning, &place);
            }
            ClientCertificate::Given(subject) => self.fact(label, Some(subject), &place),
        }
        self.certificate(text("certificate", "証明書"), &tls.certificate, &place);
        for above in &tls.chain {
            self.fact(text("sent with it", "併せて送られた証明書"), Some(&above.subject), &place);
        }
        if let Some(despite) = &tls.accepted_despite {
            self.said(text("accepted despite", "警告を無視"), despite.as_str(), Tone::Warning, &place);
        }
    }

    fn tls(&mut self, version: &Clean, cipher: &Clean, alpn: Option<&Clean>, place: &Place) {
        let alpn = alpn.map(|alpn| format!("  ALPN {alpn}")).unwrap_or_default();
        self.said(text("TLS", "TLS"), &format!("{version}  {cipher}{alpn}"), Tone::Plain, place);
    }

    fn took(&mut self, label: Text, time: Option<Duration>, place: &Place) {
        if let Some(time) = time {
            self.said(label, &format!("{} ms", time.as_millis()), Tone::Plain, place);
        }
    }

    fn certificate(&mut self, label: Text, certificate: &Certificate, place: &Place) {
        self.fact(label, Some(&certificate.subject), place);
        self.fact(text("issued by", "発行者"), Some(&certificate.issuer), place);
        let names = certificate.names.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        self.said(text("names", "名前"), &names, Tone::Plain, place);
        let validity =
            format!("{} — {}", day(&certificate.not_before.to_string()), day(&certificate.not_after.to_string()));
        self.said(text("valid", "有効期間"), &validity, Tone::Plain, place);
    }

    fn heading(&mut self, words: Text, connection: u32) {
        self.page.blank();
        self.page.push(Line::of(Tone::Heading, &format!("{} {connection}", words.to(self.language))));
    }

    fn fact(&mut self, label: Text, value: Option<&Clean>, place: &Place) {
        if let Some(value) = value {
            let shown = self.names.show(value);
            let label = format!("{}: ", label.to(self.language));
            let line = Line::new().put(Tone::Quiet, &label).put_shown(Tone::Plain, &shown);
            self.page.push(line.indent(4).at(place.clone().into()));
        }
    }

    fn said(&mut self, label: Text, value: &str, tone: Tone, place: &Place) {
        let label = format!("{}: ", label.to(self.language));
        self.page.push(Line::new().put(Tone::Quiet, &label).put(tone, value).indent(4).at(place.clone().into()));
    }

    fn note(&mut self, words: Text, tone: Tone) {
        self.page.push(Line::of(tone, words.to(self.language)));
    }
}

/// Markers (`[jwt #3 …]`) stand out from what was on the wire.
fn with_markers(mut line: Line, value: &str) -> Line {
    let mut rest = value;
    while let Some(open) = rest.find('[') {
        let close = rest[open..].find(']').map_or(rest.len(), |length| open + length + 1);
        line = line.put(Tone::Plain, &rest[..open]).put(Tone::Marker, &rest[open..close]);
        rest = &rest[close..];
    }
    line.put(Tone::Plain, rest)
}

fn day(timestamp: &str) -> &str {
    timestamp.get(..10).unwrap_or(timestamp)
}
/// What stands for a status that was not captured.
fn status(response: &Response) -> String {
    response.status.map_or_else(|| "\u{2026}".to_owned(), |status| status.to_string())
}
