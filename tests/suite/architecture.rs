//! Keeps the house in order: which room may use which, which crates live where, where files may be written, and what
//! the types of the one door must never do.
//!
//! Rust does not forbid an upward `use` inside one crate, so this reads the sources and does.

mod source;

use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;

use authtap::redact::{Clean, Secret};

use source::{Module, parse};

/// The column, from the ground up. Rooms on one floor never see each other.
const FLOORS: [&[&str]; 10] = [
    &["text"],
    &["wire"],
    &["redact"],
    &["exchange"],
    &["session"],
    &["diagnosis"],
    &["proxy", "tui", "report", "demo"],
    &["app"],
    &["cli"],
    &["main"],
];

/// What is forbidden although it lies below: the tap carries bytes and says nothing of them.
const FORBIDDEN: [(&str, &str); 1] = [("proxy", "diagnosis")];

/// Crates with the rooms that they live in.
const LODGERS: [(&str, &[&str]); 9] = [
    ("hyper", &["proxy", "demo"]),
    ("hyper_util", &["proxy", "demo"]),
    ("http_body_util", &["proxy", "demo"]),
    ("rustls", &["proxy", "demo"]),
    ("tokio_rustls", &["proxy", "demo"]),
    ("rcgen", &["proxy", "demo"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("rusqlite", &["session"]),
];

/// Rooms that may step around a ban of `clippy.toml`, with their reasons beside it. The pure rooms never may.
const MAY_WRITE: [&str; 7] = ["session", "proxy", "tui", "demo", "app", "cli", "main"];

const VAGUE_NAMES: [&str; 6] = ["utils", "util", "helpers", "common", "types", "misc"];

#[test]
fn every_room_uses_only_what_lies_below_it() {
    let wrong: Vec<String> = modules().iter().flat_map(upward_uses).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_crate_stays_in_its_rooms() {
    let wrong: Vec<String> = modules().iter().flat_map(strayed_crates).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn bans_are_lifted_only_where_something_must_be_written() {
    let modules = modules();
    let wrong: Vec<String> = modules
        .iter()
        .filter(|module| !MAY_WRITE.contains(&module.room()) && !is_for_tests(module, &modules))
        .filter(|module| module.lifts_a_ban())
        .map(|module| format!("{}: lifts a ban of clippy.toml", module.path))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_answers_for_and_is_named_after_it() {
    let mut wrong = Vec::new();
    let modules = modules();
    for module in &modules {
        if !module.text.starts_with("//! ") && !is_for_tests(module, &modules) {
            wrong.push(format!("{}: does not begin with //!", module.path));
        }
        let stem = Path::new(&module.path).file_stem().unwrap().to_string_lossy().into_owned();
        if VAGUE_NAMES.contains(&stem.as_str()) {
            wrong.push(format!("{}: the name says nothing", module.path));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_module_list_of_the_library_is_the_column() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let listed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let floors: Vec<usize> = listed.iter().map(|room| floor(room).expect("a room of the column")).collect();
    assert!(floors.is_sorted(), "lib.rs lists the rooms out of order: {listed:?}");
    let rooms = FLOORS.iter().map(|rooms| rooms.len()).sum::<usize>() - 1;
    assert_eq!(listed.len(), rooms, "lib.rs lists every room but main: {listed:?}");
}

#[test]
fn a_broken_rule_is_caught() {
    let upward = [
        ("src/wire/mod.rs", "use crate::redact::Clean;", "redact"),
        ("src/wire/http1.rs", "use crate::{text::Text, exchange::Exchange};", "exchange"),
        ("src/wire/http1.rs", "use crate::{\n    text::{self, Text},\n    app,\n};", "app"),
        ("src/wire/http1.rs", "fn f() { crate::session::open(); }", "session"),
        ("src/wire/http1.rs", "use super::super::diagnosis::Case;", "diagnosis"),
        ("src/wire/mod.rs", "mod tests { use super::super::cli::run; }", "cli"),
        ("src/text.rs", "use super::wire;", "wire"),
        ("src/text.rs", "pub(in crate::app) fn f() {}", "app"),
        ("src/proxy/tap/relay.rs", "use crate::diagnosis::Diagnosis;", "diagnosis"),
        ("src/proxy/tap/relay.rs", "use crate::tui;", "tui"),
        ("src/tui/mod.rs", "use crate::report::json;", "report"),
        ("src/cli.rs", "use authtap::main;", "main"),
        ("src/wire/mod.rs", "use crate::*;", "*"),
        ("src/wire/mod.rs", "use crate as house;", "as"),
    ];
    for (path, text, used) in upward {
        let found = upward_uses(&parse(path, text));
        assert_eq!(found.len(), 1, "{path}: {text}: {found:?}");
        assert!(found[0].contains(&format!("uses {used}")), "{found:?}");
    }
    let strayed = [
        ("src/session/mod.rs", "use hyper::Request;"),
        ("src/session/mod.rs", "fn f(c: &rustls::ServerConfig) {}"),
        ("src/proxy/mod.rs", "use {crossterm::event, std::io};"),
        ("src/app.rs", "use ratatui;"),
    ];
    for (path, text) in strayed {
        assert_eq!(strayed_crates(&parse(path, text)).len(), 1, "{path}: {text}");
    }
    assert!(parse("src/wire/mod.rs", "#[allow(clippy::disallowed_methods)] fn f() {}").lifts_a_ban());
    let parent = parse("src/wire/mod.rs", "mod http1; #[cfg(test)] #[allow(unused)] mod tests; mod http2;");
    assert_eq!(parent.test_modules, ["tests"]);
}

#[test]
fn what_is_in_order_is_left_alone() {
    let fine = [
        ("src/exchange/recorder.rs", "use super::Exchange; use crate::{redact::Clean, text, wire::{self, Event}};"),
        ("src/redact/door.rs", "mod tests { use super::super::Clean; }"),
        ("src/redact/door.rs", "//! See crate::app.\n/* crate::cli */ const S: &str = \"crate::tui\"; // crate::demo"),
        ("src/redact/door.rs", "const R: &str = r#\"use crate::app;\"#; const C: char = '\"'; fn f<'a>() {}"),
        ("src/redact/door.rs", "pub(in crate::redact) fn f() {}"),
        ("src/redact/door.rs", "pub(crate) fn f() {} mod tests { use crate::redact::door; }"),
        ("src/proxy/mod.rs", "use hyper::Request; use tokio_rustls::rustls;"),
        ("src/main.rs", "use authtap::cli;"),
        ("src/session/mod.rs", "#[cfg(test)] mod tests { #![allow(clippy::disallowed_methods)] }"),
        ("src/redact/mod.rs", "fn f() {} #[cfg(test)] mod tests { #![allow(clippy::disallowed_methods)] }"),
    ];
    for (path, text) in fine {
        let module = parse(path, text);
        assert_eq!(upward_uses(&module), [""; 0], "{path}: {text}");
        assert_eq!(strayed_crates(&module), [""; 0], "{path}: {text}");
        assert!(!module.lifts_a_ban(), "{path}: {text}");
    }
}

/// Compiles only while a `Secret` can neither be shown, copied, stored nor read, and while `Clean` cannot be made of
/// text that did not pass the redactor.
#[test]
fn the_types_of_the_door_give_nothing_away() {
    /// Has one implementation for every type, and a second one for those with the forbidden trait: then `_` below is
    /// ambiguous and the test does not compile.
    macro_rules! must_not {
        ($kind:ty: $($forbidden:path),+) => {$({
            trait Either<Which> { const FINE: bool = true; }
            impl<T: ?Sized> Either<()> for T {}
            impl<T: ?Sized + $forbidden> Either<u8> for T {}
            assert!(<$kind as Either<_>>::FINE);
        })+};
    }
    must_not!(Secret: Debug, Display, Clone, serde::Serialize, AsRef<[u8]>, std::ops::Deref, std::borrow::Borrow<[u8]>);
    must_not!(Clean: From<String>, From<Vec<u8>>, From<Box<str>>, std::str::FromStr, std::ops::DerefMut, AsMut<str>);
    must_not!(Clean: serde::de::DeserializeOwned);
}

fn modules() -> Vec<Module> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(parse(&name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 20, "the sources were found");
    found
}

/// Whether the module's parent declares it for tests alone.
fn is_for_tests(module: &Module, all: &[Module]) -> bool {
    let Some((folder, file)) = module.path.rsplit_once('/') else { return false };
    let name = file.trim_end_matches(".rs");
    let parents = [format!("{folder}/mod.rs"), format!("{folder}.rs")];
    all.iter().any(|other| parents.contains(&other.path) && other.test_modules.iter().any(|test| test == name))
}

fn upward_uses(module: &Module) -> Vec<String> {
    let room = module.room();
    // The library's root declares the rooms and uses none.
    if room == "lib" {
        return Vec::new();
    }
    let own = floor(room).unwrap_or_else(|| panic!("{}: no room of the column", module.path));
    let may_use =
        |used: &str| used == room || floor(used).is_some_and(|floor| floor < own) && !FORBIDDEN.contains(&(room, used));
    module
        .rooms_used
        .iter()
        .filter(|used| !may_use(&used.name))
        .map(|used| format!("{}:{}: {room} uses {}", module.path, used.line, used.name))
        .collect()
}

fn strayed_crates(module: &Module) -> Vec<String> {
    module
        .crates_used
        .iter()
        .filter(|used| LODGERS.iter().any(|(name, rooms)| *name == used.name && !rooms.contains(&module.room())))
        .map(|used| format!("{}:{}: {} has no business here", module.path, used.line, used.name))
        .collect()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}
