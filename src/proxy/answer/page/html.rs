//! How the page looks: one document without a script, an image or anything else to load.

use std::fmt::Write as _;
use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::super::escaped;
use super::steps::{SYSTEMS, Step, System};
use super::{NAME, Way};
use crate::proxy::certificates::Authority;
use crate::proxy::tls::crypto;
use crate::text::{Language, Text};

const STYLE: &str = include_str!("style.css");

/// What the page tells this client.
pub(super) struct Facts<'a> {
    pub(super) authority: &'a Authority,
    /// `host:port` of the proxy as the client reached it.
    pub(super) address: &'a str,
    pub(super) way: Way,
    /// The client's `User-Agent`: its system's steps stand open.
    pub(super) agent: &'a str,
}

/// What a browser may do with the page: apply its one style sheet, and nothing else.
pub(super) fn policy() -> String {
    let style = BASE64_STANDARD.encode(crypto::sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

pub(super) fn page(facts: &Facts<'_>, language: Language) -> String {
    let own = facts.authority;
    let say = |en: &'static str, ja: &'static str| Text { en, ja }.to(language);
    let (code, other, other_name) = match language {
        Language::En => ("en", "ja", "日本語"),
        Language::Ja => ("ja", "en", "English"),
    };
    let (host, port) = facts.address.rsplit_once(':').unwrap_or((facts.address, ""));
    let pac = format!("http://{}/proxy.pac", facts.address);
    let until = own.validity().1.date().to_string();
    let names = [("address", facts.address), ("host", host), ("port", port), ("pac", &pac), ("name", own.name())];
    let mut page = String::with_capacity(32 * 1024);
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>authtap</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>authtap</h1><a href=\"/{other}\" lang=\"{other}\" hreflang=\"{other}\">{other_name}</a></header>\n<main>\n"
    );
    let _ = writeln!(
        page,
        "<p>{}</p>",
        say(
            "This is a debugging proxy. It shows whoever runs it why a sign-in fails; to do so, it looks into the traffic of \
             the devices that are set up for it. Set one up only if it is yours, or if its owner agrees.",
            "これはデバッグ用プロキシです。設定した端末の通信を復号し、サインインが失敗する理由を authtap の利用者に示します。\
             自分の端末か、所有者の同意がある端末だけに設定してください。"
        )
    );
    standing(&mut page, facts.way, language);
    let _ = write!(
        page,
        "<section class=\"card\">\n<h2>{}</h2>\n<div class=\"get\">\n\
         <a href=\"/authtap-ca.cer\">.cer<small>Windows, Android, macOS, Java</small></a>\n\
         <a href=\"/authtap-ca.pem\">.pem<small>Linux, Firefox, curl, Python, Node</small></a>\n\
         <a href=\"/authtap.mobileconfig\">{}<small>iPhone, iPad</small></a>\n</div>\n<dl>\n",
        say("1. Trust the root certificate", "1. ルート証明書を信頼する"),
        say("Profile", "プロファイル"),
    );
    let mut row = |label: &str, value: &str| {
        let _ = writeln!(page, "<dt>{label}</dt><dd>{}</dd>", escaped(value));
    };
    row(say("Name", "名前"), own.name());
    row(say("Valid until", "有効期間の終了"), &until);
    if !own.domains().is_empty() {
        let domains: Vec<_> = own.domains().iter().map(ToString::to_string).collect();
        row(say("Signs for these and hosts below only", "署名の対象 (配下のホストを含む)"), &domains.join(", "));
    }
    let digest = own.fingerprint().replace(':', ":<wbr>");
    let _ = writeln!(page, "<dt>SHA-256</dt><dd><code>{digest}</code></dd>\n</dl>");
    if facts.way != Way::Trusting {
        let _ = writeln!(
            page,
            "<p class=\"soft\">{}</p>",
            say(
                "This page came without encryption. Before you trust the certificate, compare its SHA-256 with what \
                 <code>authtap ca show</code> prints on the machine where authtap runs.",
                "このページは暗号化されずに届きました。信頼する前に、authtap が動作しているマシンの <code>authtap ca show</code> が示す \
                 SHA-256 と一致することを確認してください。"
            )
        );
    }
    page.push_str("</section>\n");
    let _ = write!(
        page,
        "<section class=\"card\">\n<h2>{}</h2>\n<dl>\n<dt>{}</dt><dd><code>{address}</code></dd>\n\
         <dt>{}</dt><dd><a href=\"/proxy.pac\"><code>{}</code></a></dd>\n</dl>\n<p class=\"soft\">{}</p>\n",
        say("2. Use the proxy", "2. プロキシを使う"),
        say("HTTP and HTTPS proxy", "HTTP と HTTPS のプロキシ"),
        say("Automatic (PAC)", "自動設定 (PAC)"),
        escaped(&pac),
        say(
            "While a device is set to it, it reaches nothing once authtap has ended: set it back when you are done.",
            "設定したままの端末は、authtap が終了すると通信できなくなります。終わったら元に戻してください。"
        ),
        address = escaped(facts.address),
    );
    if host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|host| host.is_loopback()) {
        let _ = writeln!(
            page,
            "<p class=\"soft\">{}</p>",
            say(
                "This address is for programs on this machine. For phones and other machines, start \
                 <code>authtap --listen 0.0.0.0:8080 --allow 192.168.1.0/24</code> with their network, and open this page at \
                 the address that this machine has there.",
                "このアドレスを使えるのは、このマシンのプログラムだけです。スマートフォンやほかのマシンでは、そのネットワークを指定して \
                 <code>authtap --listen 0.0.0.0:8080 --allow 192.168.1.0/24</code> を起動し、そのネットワークでのこのマシンのアドレスで\
                 このページを開いてください。"
            )
        );
    }
    let _ = writeln!(page, "</section>\n<h2>{}</h2>", say("How to do it", "手順"));
    let open = system_of(facts.agent);
    for system in &SYSTEMS {
        details(&mut page, system, system.id == open, &names, language);
    }
    let _ = write!(
        page,
        "</main>\n<footer class=\"soft\"><p>{}</p></footer>\n</body>\n</html>\n",
        say(
            "Whoever has the root's key can impersonate any server to the devices that trust it. The key stays on the machine \
             where authtap runs; it is never handed out here. Remove the certificate when you are done.",
            "ルートのキーを持つ人は、それを信頼する端末に対してどのサーバーにもなりすませます。キーは authtap が動作しているマシンにあり、\
             ここから配布されることはありません。終わったら証明書を削除してください。"
        )
    );
    page
}

/// How far this device has come.
fn standing(page: &mut String, way: Way, language: Language) {
    let proxied = Text {
        en: "✓ This device uses the proxy.", ja: "✓ この端末はプロキシを使用しています。"
    };
    let trusting = Text {
        en: "✓ It trusts the root certificate, too: all is set up.",
        ja: "✓ ルート証明書も信頼されています。準備は完了です。",
    };
    let test = Text {
        en: "Does it trust the root certificate? This page opens without a warning then:",
        ja: "ルート証明書が信頼されていれば、次のページが警告なしで開きます:",
    };
    match way {
        Way::Directly => {}
        Way::Proxied => {
            let _ = write!(
                page,
                "<section class=\"card\"><p class=\"good\">{}</p>\n<p>{} <a href=\"https://{NAME}/\">https://{NAME}/</a></p></section>\n",
                proxied.to(language),
                test.to(language)
            );
        }
        Way::Trusting => {
            let _ = write!(
                page,
                "<section class=\"card\"><p class=\"good\">{}</p>\n<p class=\"good\">{}</p></section>\n",
                proxied.to(language),
                trusting.to(language)
            );
        }
    }
}

fn details(page: &mut String, system: &System, open: bool, names: &[(&str, &str)], language: Language) {
    let _ = write!(
        page,
        "<details id=\"{}\"{}>\n<summary>{}</summary>\n<div>\n",
        system.id,
        if open { " open" } else { "" },
        system.name.to(language)
    );
    steps(page, system.steps, names, language);
    let _ = writeln!(page, "<h3>{}</h3>", Text { en: "To undo it", ja: "元に戻すには" }.to(language));
    steps(page, system.undo, names, language);
    page.push_str("</div>\n</details>\n");
}

fn steps(page: &mut String, steps: &[Step], names: &[(&str, &str)], language: Language) {
    for step in steps {
        let _ = match step {
            Step::Do(text) => writeln!(page, "<p>{}</p>", escaped(&text.fill(language, names))),
            Step::Note(text) => writeln!(page, "<p class=\"note\">{}</p>", escaped(&text.fill(language, names))),
            Step::Run(line) => {
                let line = Text { en: line, ja: line }.fill(language, names);
                writeln!(page, "<pre><code>{}</code></pre>", escaped(&line))
            }
        };
    }
}

/// The system that a browser says it runs on. Android says it is Linux, and iOS that it is like a Mac.
fn system_of(agent: &str) -> &'static str {
    const SIGNS: [(&str, &str); 7] = [
        ("iPhone", "ios"),
        ("iPad", "ios"),
        ("Android", "android"),
        ("Firefox", "firefox"),
        ("Windows", "windows"),
        ("Macintosh", "macos"),
        ("Linux", "linux"),
    ];
    SIGNS.iter().find(|(sign, _)| agent.contains(sign)).map_or("", |(_, system)| system)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_filled_and_nothing_is_loaded_from_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(folder.path()).unwrap();
        for language in [Language::En, Language::Ja] {
            for way in [Way::Directly, Way::Proxied, Way::Trusting] {
                let page =
                    page(&Facts { authority: &authority, address: "192.168.1.5:8080", way, agent: "" }, language);
                assert!(
                    page.contains("192.168.1.5:8080") && page.replace("<wbr>", "").contains(&authority.fingerprint())
                );
                for place in ["{address}", "{host}", "{port}", "{pac}", "{name}", "&lt;host", "&lt;name", "&lt;pac"] {
                    assert!(!page.contains(place), "{place}");
                }
                for loaded in ["src=", "@import", "url(", "<script", "<link", "style=\"", "onclick"] {
                    assert!(!page.contains(loaded), "{loaded}");
                }
                for system in &SYSTEMS {
                    assert!(page.contains(&format!("id=\"{}\"", system.id)));
                }
            }
        }
    }

    #[test]
    fn the_steps_of_the_own_system_stand_open() {
        for (agent, system) in [
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15", "ios"),
            ("Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36", "android"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", "windows"),
            ("Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0", "firefox"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15", "macos"),
            ("curl/8.17.0", ""),
        ] {
            assert_eq!(system_of(agent), system, "{agent}");
        }
    }
}
