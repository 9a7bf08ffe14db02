//! ActiveSync for real: pyactivesync, and SOGo, which tells how it reads and writes every message. What we read in the
//! same bytes must be the same.

use std::process::Command;

use authtap::redact::Content;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::kit::{Apache, BothWays, Site, Sogo, Way, Workshop, need_apache, need_python, partner, saved};

const HOST: &str = "localhost";
const WORD: &str = "Right-Pa55";
const COMMANDS: [&str; 6] = ["Provision", "FolderSync", "Sync", "Sync", "GetItemEstimate", "ItemOperations"];

#[test]
fn a_phone_reads_its_inbox_and_both_read_its_messages_alike() {
    let (Some(python), true) = (need_python(), Sogo::needed() && need_apache(&["proxy_http"])) else { return };
    let workshop = Workshop::new();
    let sogo = Sogo::start(&workshop, "avery", WORD);
    let path = "/Microsoft-Server-ActiveSync";
    let site = Site {
        modules: &["proxy", "proxy_http"],
        // Where SOGo has closed a connection that is used again, Apache would close the phone's.
        server: &format!(
            "ProxyPass {path} http://{}/SOGo{path} disablereuse=On\nRequestHeader set x-webobjects-server-url https://{HOST}",
            sogo.address
        ),
        pages: "",
        environment: &[],
    };
    let apache = Apache::start(&workshop, &[HOST], &site);
    let ways = BothWays::to(&workshop, apache.tls, workshop.proxy(&[]), |count| apache.served(count));
    let phone = |way: &Way, word| {
        let server = format!("{HOST}:{}", apache.tls.port());
        way.run(Command::new(&python).arg(partner("activesync_client.py")).args([&server, "avery", word]))
    };
    let served: Vec<_> = (0..COMMANDS.len()).map(|before| format!("{before} 200 - POST {path}")).collect();
    let served: Vec<_> = served.iter().map(String::as_str).collect();
    let said = ways.alike(|way| phone(way, WORD), &served);
    assert!(said.iter().any(|line| line == "inbox 1 ['Budget']"), "{said:?}");
    let said = ways.alike(|way| phone(way, "Wrong-Pa55"), &[&format!("0 401 - POST {path}")]);
    assert_eq!(said, ["refused 401"]);
    let session = ways.proxy.session.clone();
    ways.judged(&["200 ok", "200 ok", "200 ok", "200 ok", "200 ok", "200 ok", "401 failure generic-bad-credentials"]);

    // It told of the same conversation twice, the last message a request and an answer; the second one is ours.
    let told = sogo.messages("</ItemOperations>", 4);
    let told = &told[told.len() - 2 * COMMANDS.len()..];
    let exchanges = saved(&session);
    for ((exchange, command), told) in exchanges.iter().zip(COMMANDS).zip(told.chunks(2)) {
        let bodies = [&exchange.request.seen().unwrap().body, &exchange.response.seen().unwrap().message.body];
        for (body, told) in bodies.into_iter().zip(told) {
            let Content::Text { text, complete: true, .. } = &body.content else { panic!("{command}: {body:?}") };
            same(command, &elements(text.as_str()), &elements(told));
        }
    }
}

/// Elements must be the same; what we show of values must be so, too.
fn same(command: &str, ours: &[Element], told: &[Element]) {
    let names =
        |elements: &[Element]| elements.iter().map(|(depth, name, _)| format!("{depth} {name}")).collect::<Vec<_>>();
    assert_eq!(names(ours), names(told), "{command}");
    for (ours, told) in ours.iter().zip(told) {
        let hidden = ours.2.starts_with('[') || ours.2.contains("user#") || ours.2.contains("device#");
        assert!(ours.2 == told.2 || hidden, "{command}: {ours:?} was {told:?}");
    }
}

/// How deep it stands, its name, and the text in it.
type Element = (usize, String, String);

fn elements(xml: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(xml);
    let (mut elements, mut depth) = (Vec::<Element>::new(), 0);
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}"));
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            let name = match tag.name().as_ref() {
                // SOGo's spelling; MS-ASWBXML has these names.
                "Reply-To" => "ReplyTo".to_owned(),
                "FlagStatus" => "Status".to_owned(),
                name => name.to_owned(),
            };
            elements.push((depth, name, String::new()));
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Text(text) => {
                if let Some(last) = elements.last_mut() {
                    last.2.push_str(text.trim());
                }
            }
            Event::Eof => return elements,
            _ => {}
        }
    }
}
