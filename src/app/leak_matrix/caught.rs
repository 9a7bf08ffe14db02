//! With a sanitizer switched off, the second net catches what it lets through.

use std::path::Path;

use super::places::{At, PLACES};
use super::planted::{Form, Planted, Search};
use super::sources::Source;
use super::{Log, Sum, written};
use crate::app::output::Output;
use crate::app::proof::Found;
use crate::app::{Convert, Exit, Page, Share, convert};
use crate::redact;
use crate::session::{self, Opening, Progress, Reader};
use crate::text::Language;

/// Places whose value is a credential by where it stands, and which the switch lays open.
fn laid_open() -> Vec<Planted> {
    let by_name = |at: At, text: &str| match at {
        At::Request("Cookie" | "X-OWA-CANARY" | "X-BackEndCookie" | "Ocp-Apim-Subscription-Key") => true,
        At::Target => text.contains("sig={}"),
        At::Sent(_) => text.contains("password={}"),
        _ => false,
    };
    let places = PLACES.iter().filter(|place| by_name(place.at, place.text));
    (0..).zip(places).map(|(seed, place)| Planted::new(*place, Form::Raw, seed)).collect()
}

fn converted(from: &Path, folder: &Path, form: session::Form) -> (Exit, Found, Vec<u8>, session::Stated) {
    let to = folder.join(format!("caught-{form:?}"));
    let order = Convert { from: from.to_owned(), to: to.clone(), form, encrypt: false, share: Share::Support };
    let copied = convert::copy(&order, None, &Progress::default(), Language::En).unwrap();
    let redactor = redact::Redactor::new();
    let stated = Reader::open(&to, &Opening::quietly(&redactor)).unwrap().stated().cloned().unwrap();
    (copied.exit(), copied.found, written(&to, form), stated)
}

#[test]
fn a_sanitizer_that_is_switched_off_is_caught_by_the_second_net_in_every_file() {
    let planted = laid_open();
    assert_eq!(planted.len(), 7);
    let folder = tempfile::tempdir().unwrap();
    let from = Source::Har.write(&planted, folder.path());
    let search = Search::of(&planted);
    for form in [session::Form::Authtap, session::Form::Har, session::Form::Saz] {
        let (exit, found, bytes, stated) = converted(&from, folder.path(), form);
        assert_eq!((exit, found, stated.found.len()), (Exit::Done, Found::default(), 0), "{form:?}");
        assert!(search.found(&bytes).is_empty(), "{form:?}");
        assert!(stated.met.count() >= planted.len() as u64 && stated.same, "{stated:?}");

        let (exit, found, bytes, stated) = redact::with_values_shown(|| converted(&from, folder.path(), form));
        assert_eq!(exit, Exit::Refused, "{form:?}");
        assert!(found.count() >= planted.len() as u64, "{form:?}: {found:?}");
        assert_eq!(found.by_class(), stated.found, "the file states it");
        let exchanges: Vec<_> =
            (1..=7).filter(|id| found.places.iter().any(|spot| spot.exchange == Some(*id))).collect();
        assert_eq!(exchanges, [1, 2, 3, 4, 5, 6, 7], "{form:?}: {:?}", found.places);
        assert!(search.found(&bytes).is_empty(), "{form:?}: {:?}", search.found(&bytes));
        assert!(memchr::memmem::find(&bytes, b"[hidden]").is_some(), "{form:?}");
    }
}

#[test]
fn and_in_every_report() {
    let planted = laid_open();
    let folder = tempfile::tempdir().unwrap();
    let from = Source::Har.write(&planted, folder.path());
    let search = Search::of(&planted);
    for page in [Page::Text, Page::Markdown, Page::Html, Page::Json] {
        let report = || {
            let (mut sum, out) = (Sum::default(), Log::default());
            sum.read(std::slice::from_ref(&from), &Progress::default(), Language::En).unwrap();
            let found = sum.write(page, Language::En, Output::over(Box::new(out.clone()))).unwrap();
            let page = out.0.lock().unwrap().clone();
            (found, page)
        };
        let (found, clean) = report();
        assert!(found.is_empty() && memchr::memmem::find(&clean, b"Taken out before").is_none(), "{page:?}");
        let (found, bytes) = redact::with_values_shown(report);
        assert!(found.by_class().contains_key("code"), "{found:?}");
        assert!(search.found(&bytes).is_empty(), "{}", String::from_utf8_lossy(&bytes));
        let shown = String::from_utf8(bytes).unwrap();
        assert!(shown.contains("sig=[hidden]") || shown.contains("sig=\\[hidden\\]"), "{shown}");
        if matches!(page, Page::Markdown | Page::Html) {
            assert!(shown.contains(&format!("secrets, {} found", found.count())), "{shown}");
        }
    }
}
