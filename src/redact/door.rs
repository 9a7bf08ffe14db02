//! The redactor and its two doors: bytes of the wire, and texts that were redacted before.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use super::memory::{Kind, Memory};
use super::names::{self, Treatment};
use super::pseudonym::{pseudonyms, written};
use super::recall::Recall;
use super::{
    Bindings, Body, Class, Clean, Field, Fields, Hit, Label, Met, RawBody, Syntax, Url, body, header, marker, shape,
};
use crate::wire;

/// How often a text of our own is read again before it is hidden. Nearly all come to rest at once.
const ROUNDS: usize = 3;

/// What the second net leaves of a secret.
const MASK: &str = "[hidden]";

/// One run's redactor. Clones share their labels and pseudonyms.
///
/// It is cheap to clone and may be used from many connections at once.
#[derive(Clone, Default)]
pub struct Redactor {
    memory: Arc<Memory>,
}

impl Redactor {
    /// A redactor with a fresh random key, no labels and no pseudonyms.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that reads everything anew, to compare with.
    #[cfg(test)]
    pub(super) fn without_recall() -> Self {
        Self { memory: Arc::new(Memory::without_recall()) }
    }

    /// One that can also look for the secrets that it met, in what is about to be given away.
    pub fn with_net() -> Self {
        Self { memory: Arc::new(Memory::with_net()) }
    }

    /// What it met of secrets; nothing where it does not look for them.
    pub fn met(&self) -> Met {
        self.memory.met()
    }

    /// Where secrets that it met stand in `text`, in any form in which secrets are written. There should be none: this is
    /// the second net below the first.
    pub fn find(&self, text: &[u8]) -> Vec<Hit> {
        self.memory.find(text)
    }

    /// `text` with a mark in the place of each of them; nothing where there are none.
    pub fn masked(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut ranges: Vec<_> = self.find(text).into_iter().map(|hit| hit.range).collect();
        ranges.sort_by_key(|range| (range.start, range.end));
        let (mut out, mut done) = (Vec::with_capacity(text.len()), 0);
        for range in &ranges {
            if range.start >= done {
                out.extend_from_slice(&text[done..range.start]);
                out.extend_from_slice(MASK.as_bytes());
            }
            done = done.max(range.end);
        }
        out.extend_from_slice(&text[done..]);
        (!ranges.is_empty()).then_some(out)
    }

    /// The door for bytes of the wire. Nothing in them is taken for a marker.
    pub const fn wire(&self) -> Door<'_> {
        Door::of(self, false)
    }

    /// The door for our own files and for pasted text: markers read back to the facts they were written from.
    pub const fn own(&self) -> Door<'_> {
        Door::of(self, true)
    }

    /// `text` with the people behind its pseudonyms, from memory, for the live screen alone.
    pub fn reveal(&self, text: &Clean) -> String {
        self.memory.reveal(text.as_str())
    }

    /// Whether any pseudonym was given that can be revealed.
    pub fn knows_people(&self) -> bool {
        self.memory.knows_people()
    }

    /// Tells `each` the pseudonyms in a clean text with what they stand for, as far as it is remembered. For the session
    /// file of somebody who asked for that, and for nothing else.
    pub fn people(&self, text: &str, mut each: impl FnMut(String, Box<str>)) {
        for (_, kind, number) in pseudonyms(text) {
            if let Some(name) = self.memory.name(kind, number) {
                each(written(kind, number), name);
            }
        }
    }
}

/// A door from raw bytes to clean values.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    redactor: &'a Redactor,
    own: bool,
    /// It reads a file of ours, or what somebody pasted: marks there tell of secrets that were taken out before.
    rereads: bool,
    /// What is read stands in JSON or XML that stands in a sentence. There is no third level.
    in_prose: bool,
    /// In how many queries, one in a value of another, it stands.
    in_queries: u8,
    /// What is read was written by us a moment ago, and is read to see whether it comes out as it is.
    settling: bool,
    bindings: Bindings,
}

impl<'a> Door<'a> {
    const fn of(redactor: &'a Redactor, own: bool) -> Self {
        Self {
            redactor,
            own,
            rereads: own,
            in_prose: false,
            in_queries: 0,
            settling: false,
            bindings: Bindings::UNKNOWN,
        }
    }

    /// The same door, which also tells whose certificate an NTLM response is bound to.
    #[must_use]
    pub const fn with_bindings(self, bindings: Bindings) -> Self {
        Self { bindings, ..self }
    }

    /// One header field.
    pub fn field(&self, name: &[u8], value: &[u8]) -> Field {
        self.recalled(&self.memory().fields, name.len() + value.len(), [name, value], || {
            let name = self.text(name);
            let value = self.text(value);
            header::field(self, &name, &value)
        })
    }

    /// All fields of a head or of trailers, in order.
    pub fn fields(&self, fields: wire::Fields<'_>) -> Fields {
        self.first_fields(fields, usize::MAX)
    }

    /// The same, but no more than `most`.
    pub fn first_fields(&self, fields: wire::Fields<'_>, most: usize) -> Fields {
        let bound = most.to_le_bytes();
        let pieces = std::iter::once(&bound[..]).chain(fields.pieces());
        self.recalled(&self.memory().heads, fields.length(), pieces, || {
            fields.take(most).map(|field| self.field(field.name, field.value)).collect()
        })
    }

    /// An absolute URL. Userinfo is left out.
    pub fn url(&self, raw: &[u8]) -> Url {
        self.recalled(&self.memory().urls, raw.len(), [raw], || {
            let text = self.text(raw);
            let mut out = String::with_capacity(text.len() + 16);
            self.absolute_url(&text, &mut out);
            Url::vouch(Clean::vouch(&out))
        })
    }

    /// A host name or address, with or without a port. Userinfo before it is masked.
    pub fn host(&self, raw: &[u8]) -> Clean {
        let text = self.text(raw);
        let mut out = String::with_capacity(text.len());
        self.authority(&text, &mut out);
        Clean::vouch(&out)
    }

    /// A method, a version: a token of at most 32 characters, else a marker.
    pub fn token(&self, raw: &[u8]) -> Clean {
        if let Some(usual) = usual(raw) {
            return usual.into();
        }
        let text = self.text(raw);
        let plain = text.len() <= 32
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
            && !shape::is_opaque(&text, 16);
        if plain {
            return Clean::vouch(&text);
        }
        let mut out = String::new();
        self.hide(&text, &mut out);
        Clean::vouch(&out)
    }

    /// Prose: a reason phrase, an error text. Words stay; identities and opaque words are masked.
    pub fn prose(&self, raw: &[u8]) -> Clean {
        if let Some(usual) = usual(raw) {
            return usual.into();
        }
        let text = self.text(raw);
        let mut out = String::with_capacity(text.len());
        self.words(&text, &mut out);
        Clean::vouch(&out)
    }

    /// A client's address: loopback is shown, any other is a pseudonym.
    pub fn client_address(&self, address: SocketAddr) -> Clean {
        if address.ip().is_loopback() {
            return address.into();
        }
        let mut out = String::new();
        self.identity(Kind::Address, &address.ip().to_string(), &mut out);
        Clean::vouch(&out)
    }

    /// A body. Takes time in proportion to its length; call it off the connection's task for long ones.
    pub fn body(&self, raw: RawBody) -> Body {
        body::body(self, &raw)
    }

    /// The text of a body whose syntax is known, as it stands in [`body::Content::Text`]: for our own files.
    pub fn body_text(&self, syntax: Syntax, raw: &[u8]) -> Clean {
        body::text_of(self, syntax, &self.text(raw)).0
    }

    pub(super) const fn is_own(&self) -> bool {
        self.own
    }

    /// The same door for texts of our own.
    pub(super) const fn as_own(&self) -> Self {
        Self { own: true, ..*self }
    }

    /// What `make` makes of `pieces`, or made of them before at a door like this.
    /// `length` is how long they are.
    pub(super) fn recalled<'p, V: Clone>(
        &self,
        recall: &Recall<V>,
        length: usize,
        pieces: impl IntoIterator<Item = &'p [u8]>,
        make: impl FnOnce() -> V,
    ) -> V {
        if self.in_prose || self.in_queries > 0 || !recall.takes(length) {
            return make();
        }
        let door = (self.own, self.bindings);
        self.memory().recalled(recall, door, pieces, make)
    }

    /// The same door for JSON or XML in a sentence, where the sentence is not itself in such.
    pub(super) fn in_prose(&self) -> Option<Self> {
        (!self.in_prose).then_some(Self { in_prose: true, ..*self })
    }

    /// The same door for a value in a query; `None` where it stands in more of them than anybody writes.
    pub(super) fn in_query(&self) -> Option<Self> {
        (self.in_queries < 8).then_some(Self { in_queries: self.in_queries + 1, ..*self })
    }

    /// Writes `text` with `write`, and again what that gave, until it comes out as it is, with the same facts: marks that
    /// run into each other, or into the signs around them, may read otherwise than what they stand for. `None`, and
    /// nothing written, where it does not come to rest; then it is to be hidden whole.
    pub(super) fn settled<T: PartialEq>(
        &self,
        text: &str,
        out: &mut String,
        write: impl Fn(&Self, &str, &mut String) -> T,
    ) -> Option<T> {
        let from = out.len();
        let mut facts = write(self, text, out);
        if self.settling || out[from..] == *text {
            return Some(facts);
        }
        let door = Self { own: true, settling: true, ..*self };
        let mut shown = out.split_off(from);
        for _ in 0..ROUNDS {
            let mut again = String::with_capacity(shown.len());
            let same = write(&door, &shown, &mut again);
            if again == shown && same == facts {
                out.push_str(&shown);
                return Some(facts);
            }
            (shown, facts) = (again, same);
        }
        None
    }

    pub(super) fn memory(&self) -> &'a Memory {
        &self.redactor.memory
    }

    pub(super) const fn bindings(&self) -> Bindings {
        self.bindings
    }

    /// Bytes as text. Bytes of the wire that are not UTF-8 become `\xNN` here; texts of our own have that behind them.
    pub(super) fn text<'t>(&self, raw: &'t [u8]) -> Cow<'t, str> {
        match std::str::from_utf8(raw) {
            Ok(text) if self.own || !text.contains("\\x") => Cow::Borrowed(text),
            _ if self.own => String::from_utf8_lossy(raw),
            _ => Cow::Owned(Clean::vouch_bytes(raw).as_str().to_owned()),
        }
    }

    /// Writes the marker of a hidden value. Nothing is written for nothing: that it is empty is often the answer.
    pub(super) fn hide(&self, text: &str, out: &mut String) {
        if text.is_empty() || self.keep(text, out) {
            return;
        }
        // Of what is hidden because nobody knows its name, only that which is a credential wherever it stands.
        if text.starts_with("eyJ") && (2..=4).contains(&text.matches('.').count()) {
            self.memory().meet(Class::Token, text.as_bytes());
        } else if text.starts_with("TlRMTVNTUAAD") {
            self.memory().meet(Class::Ntlm, text.as_bytes());
        }
        #[cfg(test)]
        if VALUES_SHOWN.get() {
            return out.push_str(text);
        }
        marker::hide(self.memory().label(text.as_bytes()), out);
    }

    /// Hides what is a credential by the place where it stands.
    pub(super) fn hide_credential(&self, class: Class, text: &str, out: &mut String) {
        match marker::label_of(text).filter(|_| self.own) {
            Some(label) => self.meet_mark(class, Some(label)),
            None => self.memory().meet(class, text.as_bytes()),
        }
        self.hide(text, out);
    }

    /// Remembers the mark of a secret that was taken out of what is read.
    pub(super) fn meet_mark(&self, class: Class, label: Option<Label>) {
        if let Some(label) = label.filter(|_| self.rereads) {
            self.memory().meet_mark(class, label);
        }
    }

    /// Writes `text` as it is where it is a marker of our own.
    pub(super) fn keep(&self, text: &str, out: &mut String) -> bool {
        let kept = self.own && text.starts_with('[') && marker::is_marker(text);
        if kept {
            if let Some(label) = marker::hidden_label(text) {
                self.memory().seen_label(label);
            }
            out.push_str(text);
        }
        kept
    }

    /// A value by the name it stands under.
    pub(super) fn value(&self, name: &str, text: &str, out: &mut String) {
        self.treat(names::treatment(name), text, out);
    }

    /// A value that is to be treated so.
    pub(super) fn treat(&self, treatment: Treatment, text: &str, out: &mut String) {
        if text.is_empty() {
            return;
        }
        if self.keep(text, out) {
            let class = match treatment {
                Treatment::Credential(class) => class,
                Treatment::Token => Class::Token,
                _ => return,
            };
            return self.meet_mark(class, marker::label_of(text));
        }
        match treatment {
            Treatment::Product => self.product(text, out),
            Treatment::Diagnostics => self.diagnostics(text, out),
            Treatment::Id if is_id(text) => out.push_str(text),
            Treatment::Id | Treatment::Words => self.words(text, out),
            Treatment::Url => self.any_url(text, out),
            Treatment::Identity(kind) => self.identity(kind, text, out),
            Treatment::Token => self.body_token(text, out),
            Treatment::Claims => self.claims(text, out),
            Treatment::Shape if shape::is_harmless(text) => out.push_str(text),
            Treatment::Shape if is_url(text) => self.any_url(text, out),
            Treatment::Credential(class) => self.hide_credential(class, text, out),
            Treatment::Shape | Treatment::Secret => self.hide(text, out),
        }
    }
}

#[cfg(test)]
thread_local! {
    static VALUES_SHOWN: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Does `work` with the masking of values switched off on this thread, so that a test can show that a leak is noticed.
#[cfg(test)]
pub(crate) fn with_values_shown<T>(work: impl FnOnce() -> T) -> T {
    VALUES_SHOWN.set(true);
    let done = work();
    VALUES_SHOWN.set(false);
    done
}

/// What stands in nearly all first lines: a constant needs no room of its own.
fn usual(raw: &[u8]) -> Option<&'static str> {
    Some(match raw {
        b"" => "",
        b"HTTP/1.1" => "HTTP/1.1",
        b"HTTP/2" => "HTTP/2",
        b"GET" => "GET",
        b"POST" => "POST",
        b"HEAD" => "HEAD",
        b"OPTIONS" => "OPTIONS",
        b"RPC_IN_DATA" => "RPC_IN_DATA",
        b"RPC_OUT_DATA" => "RPC_OUT_DATA",
        b"OK" => "OK",
        b"Found" => "Found",
        b"Unauthorized" => "Unauthorized",
        _ => return None,
    })
}

/// An identifier that is shown by name: ids, server names, numbers.
fn is_id(text: &str) -> bool {
    // A credential in the wrong header is no identifier.
    let scheme = text.split_once(' ').is_some_and(|(scheme, _)| marker::is_known_scheme(scheme));
    text.len() <= 80
        && !scheme
        && !text.starts_with("eyJ")
        && text.trim_end_matches('=').bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:/+, {}|".contains(&b))
}

/// Whether a value is a URL by its beginning.
fn is_url(text: &str) -> bool {
    let lower = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    lower("https://") || lower("http://") || lower("urn:")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Halves its text, down to a length that `rest` gives.
    fn halved(rest: usize) -> impl Fn(&Door<'_>, &str, &mut String) -> bool {
        move |_, text, out| {
            out.push_str(if text.len() > rest { &text[text.len() / 2..] } else { text });
            text.len() <= rest
        }
    }

    #[test]
    fn what_is_written_is_read_again_until_it_comes_out_as_it_is() {
        let redactor = Redactor::new();
        let mut out = "x ".to_owned();
        assert_eq!(redactor.wire().settled("abcdefgh", &mut out, halved(2)), Some(true));
        assert_eq!(out, "x gh");
        assert_eq!(redactor.wire().settled("ab", &mut out, halved(2)), Some(true));
        assert_eq!(out, "x ghab");
        assert_eq!(redactor.wire().settled(&"a".repeat(64), &mut out, halved(1)), None);
        assert_eq!(out, "x ghab", "nothing is left of what does not come to rest");
    }

    #[test]
    fn what_is_in_a_value_is_not_read_again_for_each_value_around_it() {
        let redactor = Redactor::new();
        let reads = std::cell::Cell::new(0);
        let inner = |_: &Door<'_>, _: &str, out: &mut String| {
            reads.set(reads.get() + 1);
            out.push('a');
        };
        let mut out = String::new();
        redactor.wire().settled("b", &mut out, |door, text, out| door.settled(text, out, inner));
        assert_eq!(
            (out.as_str(), reads.get()),
            ("a", 3),
            "once, once to see that it stays, once more with all around it"
        );
    }
}
