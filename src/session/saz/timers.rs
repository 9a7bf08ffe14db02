//! Times and flags of a session: `raw/NN_m.xml`.
//!
//! Of the flags only those are read that are asked for; comments and what extensions put there stay out.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::exchange::Timestamp;

/// What is read of the XML.
#[derive(Default)]
pub(super) struct Timers {
    /// Nothing where the XML does not have them.
    bits: Option<u32>,
    pub(super) aborted: bool,
    times: HashMap<&'static str, Timestamp>,
    pipes: HashMap<&'static str, bool>,
    flags: HashMap<&'static str, String>,
}

/// What [`Timers::is`] asks for.
#[derive(Clone, Copy)]
pub(super) enum Bit {
    Https = 0x1,
    ClientPipeReused = 0x8,
    ServerPipeReused = 0x10,
    ResponseGenerated = 0x100,
    BlindTunnel = 0x1000,
    DecryptingTunnel = 0x2000,
    ResponseBodyDropped = 0x2_0000,
}

const TIMES: [&str; 4] = ["ClientBeginRequest", "ClientDoneRequest", "ServerBeginResponse", "ClientDoneResponse"];
const FURTHER_TIMES: [&str; 3] = ["ClientConnected", "GotResponseHeaders", "ServerDoneResponse"];
const PIPES: [&str; 2] = ["CltReuse", "Reused"];
const FLAGS: [&str; 7] = [
    "x-clientip",
    "x-clientport",
    "x-hostip",
    "x-egressport",
    "x-responsebodytransferlength",
    "log-drop-request-body",
    "log-drop-response-body",
];

impl Timers {
    /// What can be read of `xml`; where it is broken, what stands before that.
    pub(super) fn read(xml: &[u8]) -> Self {
        let text = String::from_utf8_lossy(xml);
        let (mut timers, mut reader) = (Self::default(), Reader::from_str(text.trim_start_matches('\u{feff}')));
        loop {
            match reader.read_event() {
                Ok(Event::Start(element) | Event::Empty(element)) => timers.element(&element),
                Ok(Event::Eof) | Err(_) => return timers,
                Ok(_) => {}
            }
        }
    }

    fn element(&mut self, element: &BytesStart<'_>) {
        let name = element.local_name();
        let attributes = element.attributes().flatten().filter_map(|attribute| {
            let key = attribute.key.local_name().into_inner().to_owned();
            Some((key, quick_xml::escape::unescape(&attribute.value).ok()?.into_owned()))
        });
        let known =
            |names: &[&'static str], key: &str| names.iter().copied().find(|name| name.eq_ignore_ascii_case(key));
        if name.as_ref().eq_ignore_ascii_case("Session") {
            for (key, value) in attributes {
                match key.to_ascii_lowercase().as_str() {
                    "bitflags" => self.bits = u32::from_str_radix(value.trim(), 16).ok(),
                    "aborted" => self.aborted = true,
                    _ => {}
                }
            }
        } else if name.as_ref().eq_ignore_ascii_case("SessionTimers") {
            for (key, value) in attributes {
                let name = known(&TIMES, &key).or_else(|| known(&FURTHER_TIMES, &key));
                if let (Some(name), Some(time)) = (name, time(&value)) {
                    self.times.insert(name, time);
                }
            }
        } else if name.as_ref().eq_ignore_ascii_case("PipeInfo") {
            for (key, value) in attributes {
                if let Some(name) = known(&PIPES, &key) {
                    self.pipes.insert(name, value.eq_ignore_ascii_case("true"));
                }
            }
        } else if name.as_ref().eq_ignore_ascii_case("SessionFlag") {
            let (mut name, mut content) = (None, String::new());
            for (key, value) in attributes {
                if key.eq_ignore_ascii_case("n") {
                    name = known(&FLAGS, value.trim());
                } else if key.eq_ignore_ascii_case("v") {
                    content = value;
                }
            }
            if let Some(name) = name {
                self.flags.insert(name, content);
            }
        }
    }

    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        self.times.get(name).copied()
    }

    /// Whether the bit is set; nothing where the XML has no bits.
    pub(super) fn is(&self, bit: Bit) -> Option<bool> {
        let named = match bit {
            Bit::ClientPipeReused => self.pipes.get("CltReuse").copied(),
            Bit::ServerPipeReused => self.pipes.get("Reused").copied(),
            _ => None,
        };
        self.bits.map(|bits| bits & bit as u32 != 0).or(named)
    }

    pub(super) fn flag(&self, name: &str) -> Option<&str> {
        self.flags.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

/// A time as .NET writes it; the year 1 is none.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.starts_with("0001-") {
        return None;
    }
    Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}Z")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_bits_pipes_and_known_flags_are_read() {
        let timers = Timers::read(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Session SID=\"7\" BitFlags=\"2059\" Aborted=\"true\">\
             <SessionTimers ClientBeginRequest=\"2026-11-22T10:00:00.1234567+01:00\" \
             ServerBeginResponse=\"0001-01-01T00:00:00\" ClientDoneResponse=\"2026-11-22T09:00:01\" DNSTime=\"5\"/>\
             <PipeInfo CltReuse=\"true\" /><SessionFlags><SessionFlag N=\"X-ClientPort\" V=\"50123\" />\
             <SessionFlag N=\"ui-comments\" V=\"a &amp; b\" /></SessionFlags></Session>"
                .as_bytes(),
        );
        assert_eq!(timers.time("ClientBeginRequest").unwrap().to_string(), "2026-11-22T09:00:00.123Z");
        assert_eq!(timers.time("ServerBeginResponse"), None);
        assert_eq!(timers.time("ClientDoneResponse").unwrap().to_string(), "2026-11-22T09:00:01.000Z");
        assert_eq!((timers.is(Bit::Https), timers.is(Bit::ClientPipeReused)), (Some(true), Some(true)));
        assert_eq!((timers.is(Bit::DecryptingTunnel), timers.is(Bit::BlindTunnel)), (Some(true), Some(false)));
        assert_eq!((timers.flag("x-clientport"), timers.flag("ui-comments")), (Some("50123"), None));
        assert!(timers.aborted);
    }

    #[test]
    fn without_bits_the_pipes_tell_and_broken_xml_gives_what_stands_before() {
        let timers = Timers::read(b"<Session><PipeInfo CltReuse=\"true\" Reused=\"false\"/><SessionFlags><");
        assert_eq!((timers.is(Bit::ClientPipeReused), timers.is(Bit::ServerPipeReused)), (Some(true), Some(false)));
        assert_eq!(timers.is(Bit::Https), None);
        assert_eq!(Timers::read(b"\xff\xfe nonsense").is(Bit::Https), None);
    }
}
