//! Names that tell whose traffic it was, and what stands for them in a file for strangers.
//!
//! Hosts, domains, tenants, servers, addresses, certificates and ids become stand-ins: `mail.contoso.com` becomes
//! `mail.org1.example`, `CONTOSO\user#1` becomes `ORG1\user#1`. The same name is the same stand-in wherever it stands, a
//! name below another stays below it, and what is public stays as it is: Microsoft's services, words such as `mail` and
//! `autodiscover`. So the relations that a diagnosis reads are the same.
//!
//! It works on clean texts alone, in two passes. The first learns: names are met in places that hold nothing else (a URL,
//! a challenge, a certificate). The second replaces, also where such a name stands alone in a sentence. What has the shape
//! of a private name is replaced without having been learned.

mod address;
mod book;
mod host;
mod known;
mod place;
mod scan;
mod search;
mod subject;
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;

use self::book::{Book, Kind};
use self::scan::Ground;
use self::search::Search;

pub use self::search::NameSearch;

/// The private names of a session, with their stand-ins.
pub struct Aliases {
    book: Book,
    learning: bool,
    /// Finds names that stand alone.
    search: Option<Search>,
}

impl Default for Aliases {
    fn default() -> Self {
        Self { book: Book::default(), learning: true, search: None }
    }
}

/// Texts with stand-ins. They are no clean texts until a door for our own texts has read them.
impl Aliases {
    /// Ends the learning. From here on names are found where they stand alone as well.
    pub fn settle(&mut self) {
        self.learning = false;
        self.search = Search::of(self.book.lone());
    }

    /// What looks for the names in a finished file: nothing of them may be left there.
    pub fn search(&self) -> NameSearch {
        NameSearch(Search::of(self.book.all()))
    }

    /// A URL, or an authority that stands in the place of one.
    pub fn url<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        if text.contains("://") { self.text(text, Ground::default()) } else { self.host(text) }
    }

    /// A host or an address, with a port or without.
    pub fn host<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let shown = self.authority(text);
        if shown == text { Cow::Borrowed(text) } else { Cow::Owned(shown) }
    }

    /// The name of a header field.
    pub fn field_name<'t>(&mut self, name: &'t str) -> Cow<'t, str> {
        if known::is_header(name) { Cow::Borrowed(name) } else { self.text(name, Ground::default()) }
    }

    /// The value of the header field `name`.
    pub fn field<'t>(&mut self, name: &str, value: &'t str) -> Cow<'t, str> {
        match known::header(name) {
            known::Header::Host => self.list(value, Self::authority),
            known::Header::Via => self.list(value, Self::hop),
            known::Header::Server => self.text(value, Ground { lone: Some(Kind::Server), ..Ground::default() }),
            known::Header::Version => self.text(value, Ground { versions: true, ..Ground::default() }),
            known::Header::Other => self.text(value, Ground::default()),
        }
    }

    /// Any other text: a body, a reason, a sentence about a failure.
    pub fn prose<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        self.text(text, Ground::default())
    }

    /// The subject or the issuer of a certificate.
    pub fn subject<'t>(&mut self, name: &'t str) -> Cow<'t, str> {
        self.distinguished(name)
    }

    /// The fingerprint of a certificate, by which public logs find it.
    pub fn fingerprint(&mut self, sha256: [u8; 32]) -> [u8; 32] {
        self.book.fingerprint(sha256)
    }

    /// How many names of each kind were replaced.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.book.counts()
    }

    /// How many names there was no room to tell apart: they share one stand-in a kind.
    pub fn beyond(&self) -> u64 {
        self.book.beyond()
    }

    /// Each of the parts between commas.
    fn list<'t>(&mut self, text: &'t str, each: fn(&mut Self, &str) -> String) -> Cow<'t, str> {
        let mut out = String::with_capacity(text.len() + 16);
        for (at, part) in text.split(',').enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            let bare = part.trim_start();
            out.push_str(&part[..part.len() - bare.len()]);
            out.push_str(&each(self, bare));
        }
        if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
    }
}
