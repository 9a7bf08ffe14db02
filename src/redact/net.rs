//! The second net: the secrets that a run met, to be looked for in what is about to be given away.
//!
//! A secret is *met* where its place or its form says that it is a credential: a password of Basic, a token, the value of
//! a cookie, `client_secret` in a form. What is merely hidden because nobody knows its name is not: that may be a word, a
//! host or an id, which other places show by right, and a net that cries at those is soon switched off.
//!
//! No secret is kept. Of each, in every form that it might be written in, there is a keyed hash; whoever looks hashes
//! what is there. The key is random and ends with the run. A text is looked through as it stands and once more with all
//! escapes of URLs, markup and JSON resolved and without NULs, so that of these forms none has to be kept; base64 (at its
//! three shifts, also of UTF-16) and hexadecimal digits have hashes of their own. Everything is bounded, and how many
//! secrets did not fit is counted.

mod form;
mod view;

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::ops::Range;

use serde::Serialize;

use self::view::View;
use crate::text::Text;

/// What a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A password of a person or of an application.
    Password,
    /// A token: access, refresh and identity tokens, signed, encrypted or opaque.
    Token,
    /// The value of a cookie, or another name of a session.
    Cookie,
    /// An NTLM response, or the challenge that it answers.
    Ntlm,
    /// A Kerberos ticket, or another token of Negotiate.
    Kerberos,
    /// The response to a Digest challenge.
    Digest,
    /// An assertion of SAML or WS-Trust.
    Assertion,
    /// A code that is exchanged for a token, or typed in.
    Code,
    /// A key of an API, a canary, another credential without a scheme.
    Key,
    /// A signature that grants access: `sig=`, SigV4.
    Signature,
}

impl Class {
    /// All.
    pub const ALL: [Self; 10] = [
        Self::Password,
        Self::Token,
        Self::Cookie,
        Self::Ntlm,
        Self::Kerberos,
        Self::Digest,
        Self::Assertion,
        Self::Code,
        Self::Key,
        Self::Signature,
    ];

    /// What it is called.
    pub const fn words(self) -> Text {
        match self {
            Self::Password => Text { en: "password", ja: "パスワード" },
            Self::Token => Text { en: "token", ja: "トークン" },
            Self::Cookie => Text { en: "cookie", ja: "Cookie" },
            Self::Ntlm => Text { en: "NTLM", ja: "NTLM" },
            Self::Kerberos => Text { en: "Kerberos", ja: "Kerberos" },
            Self::Digest => Text { en: "Digest", ja: "Digest" },
            Self::Assertion => Text { en: "assertion", ja: "アサーション" },
            Self::Code => Text { en: "code", ja: "コード" },
            Self::Key => Text { en: "key", ja: "キー" },
            Self::Signature => Text { en: "signature", ja: "署名" },
        }
    }

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Token => "token",
            Self::Cookie => "cookie",
            Self::Ntlm => "ntlm",
            Self::Kerberos => "kerberos",
            Self::Digest => "digest",
            Self::Assertion => "assertion",
            Self::Code => "code",
            Self::Key => "key",
            Self::Signature => "signature",
        }
    }
}

/// What a run met, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Met {
    /// How many different secrets, by [`Class::code`].
    pub secrets: BTreeMap<&'static str, u64>,
    /// How many of them are not looked for: too short, or no different from an ordinary word.
    pub plain: u64,
    /// How often a secret came that was not remembered for want of room; not in the numbers above.
    pub beyond: u64,
    /// Secrets that were taken out before: those whose mark stood in the source, by [`Class::code`].
    pub marked: BTreeMap<&'static str, u64>,
}

impl Met {
    /// Takes in what another run met.
    pub fn add(&mut self, other: &Self) {
        for (sum, counts) in [(&mut self.secrets, &other.secrets), (&mut self.marked, &other.marked)] {
            for (class, count) in counts {
                *sum.entry(class).or_default() += count;
            }
        }
        self.plain += other.plain;
        self.beyond += other.beyond;
    }

    /// How many different secrets there were.
    pub fn count(&self) -> u64 {
        self.secrets.values().sum()
    }
}

/// A secret in a text that should have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub class: Class,
    /// The same number for the same secret.
    pub secret: u32,
    /// Where it stands in the text, with all of the word that it is a part of.
    pub range: Range<usize>,
}

/// So many secrets are remembered, and so many marks of others.
const SECRETS: usize = 1 << 17;
/// So many hashes of forms: with their map 20 MiB at most.
const FORMS: usize = 900_000;
/// A secret that is shorter stands in harmless words by chance. So many bytes tell at a glance that nothing begins here.
const SHORTEST: usize = 8;
/// Of a longer form so much is hashed.
const LONGEST: usize = 32;
/// Bits of the glance.
const GLANCE: u32 = 23;

/// What a run met.
pub(super) struct Net {
    key: RandomState,
    /// Odd and random: where a begin stands in the glance.
    factors: [u64; 2],
    /// Bits of begins that occur; empty while there are none.
    glance: Vec<u64>,
    /// The lengths that occur, from [`SHORTEST`] on, a bit each.
    lengths: u64,
    /// The secrets' numbers, by the hashes of their forms.
    forms: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    /// Hashes of the secrets themselves.
    seen: HashSet<u64, BuildHasherDefault<Hashed>>,
    /// The secrets by number.
    classes: Vec<Class>,
    marks: HashSet<(Class, u32)>,
    plain: u64,
    beyond: u64,
}

impl Net {
    pub(super) fn new() -> Self {
        let key = RandomState::new();
        let factors = [key.hash_one("one") | 1, key.hash_one("other") | 1];
        Self {
            key,
            factors,
            glance: Vec::new(),
            lengths: 0,
            forms: HashMap::default(),
            seen: HashSet::default(),
            classes: Vec::new(),
            marks: HashSet::new(),
            plain: 0,
            beyond: 0,
        }
    }

    /// Remembers a secret, and how it was packed where it is not looked for by itself.
    pub(super) fn add(&mut self, class: Class, secret: &[u8], packed: Option<&[u8]>) {
        let hash = self.key.hash_one(secret);
        if secret.is_empty() || self.seen.contains(&hash) {
            return;
        }
        if self.seen.len() >= SECRETS || self.forms.len() >= FORMS {
            self.beyond += 1;
            return;
        }
        self.seen.insert(hash);
        let number = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.classes.push(class);
        let mut told = false;
        form::of(class, secret, &mut |form| {
            told = true;
            self.put(form, number);
        });
        if let Some(packed) = packed {
            form::of(Class::Key, packed, &mut |form| {
                told = true;
                self.put(form, number);
            });
        }
        self.plain += u64::from(!told);
    }

    /// Remembers that the mark of a secret of this class stood in a text of our own.
    pub(super) fn mark(&mut self, class: Class, label: u32) {
        if self.marks.len() < SECRETS {
            self.marks.insert((class, label));
        }
    }

    fn put(&mut self, form: &[u8], number: u32) {
        let Some(begin) = form.first_chunk() else { return };
        let form = &form[..form.len().min(LONGEST)];
        if self.glance.is_empty() {
            self.glance = vec![0; 1 << (GLANCE - 6)];
        }
        for place in self.places(*begin) {
            self.glance[place >> 6] |= 1 << (place & 63);
        }
        self.lengths |= 1 << (form.len() - SHORTEST);
        // The first of two secrets that share a form counts for both.
        self.forms.entry(self.key.hash_one(form)).or_insert(number);
    }

    /// Where the bits of a begin are.
    fn places(&self, begin: [u8; SHORTEST]) -> [usize; 2] {
        let begin = u64::from_le_bytes(begin);
        self.factors.map(|factor| (begin.wrapping_mul(factor) >> (64 - GLANCE)) as usize)
    }

    pub(super) fn met(&self) -> Met {
        let mut met = Met { plain: self.plain, beyond: self.beyond, ..Met::default() };
        for class in &self.classes {
            *met.secrets.entry(class.code()).or_default() += 1;
        }
        for (class, _) in &self.marks {
            *met.marked.entry(class.code()).or_default() += 1;
        }
        met
    }

    /// Where secrets stand in `text`, each with what belongs to it.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Hit> {
        if self.forms.is_empty() {
            return Vec::new();
        }
        let mut hits = Vec::new();
        for view in std::iter::successors(Some(View::plain(text)), View::next) {
            let mut known = 0..0;
            self.scan(view.bytes(), |range, secret| {
                let class = self.classes.get(secret as usize).copied().unwrap_or(Class::Key);
                known = view.origin(range, &known);
                hits.push(Hit { class, secret, range: known.clone() });
            });
        }
        hits
    }

    /// Calls `each` with every place where a form of a secret begins in `bytes`.
    fn scan(&self, bytes: &[u8], mut each: impl FnMut(Range<usize>, u32)) {
        for (at, begin) in bytes.windows(SHORTEST).enumerate() {
            let Some(begin) = begin.first_chunk() else { return };
            let is_set = |place: usize| self.glance[place >> 6] & 1 << (place & 63) != 0;
            let [one, other] = self.places(*begin);
            if !is_set(one) || !is_set(other) {
                continue;
            }
            let mut lengths = self.lengths;
            while lengths != 0 {
                let length = SHORTEST + lengths.trailing_zeros() as usize;
                lengths &= lengths - 1;
                let Some(piece) = bytes.get(at..at + length) else { break };
                if let Some(secret) = self.forms.get(&self.key.hash_one(piece)) {
                    each(at..at + length, *secret);
                }
            }
        }
    }
}

/// Takes what was hashed before as its hash.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::format_collect)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;
    use crate::redact::Redactor;

    fn percent(text: &str, keep: fn(u8) -> bool, hex: fn(u8) -> String) -> String {
        text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { hex(byte) }).collect()
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn entities(text: &str) -> String {
        text.chars()
            .map(|c| match c {
                '&' => "&amp;".to_owned(),
                '<' => "&lt;".to_owned(),
                '"' => "&quot;".to_owned(),
                '\'' => "&#39;".to_owned(),
                'a' => "&#x61;".to_owned(),
                c => c.to_string(),
            })
            .collect()
    }

    /// Everything that somebody may make of a secret on the way to a file.
    fn written(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let upper = |byte: u8| format!("%{byte:02X}");
        let lower = |byte: u8| format!("%{byte:02x}");
        let hex = |digits: fn(u8) -> String| secret.bytes().map(digits).collect::<String>();
        let json = serde_json::to_string(secret).unwrap();
        let form = percent(secret, unreserved, upper);
        vec![
            ("raw", secret.into()),
            ("url", form.clone().into()),
            ("url in lower case", percent(secret, unreserved, lower).into()),
            ("form", form.replace("%20", "+").into()),
            ("every byte in a url", percent(secret, |_| false, upper).into()),
            ("url in a url", percent(&form, unreserved, upper).into()),
            ("html", entities(secret).into()),
            ("json", json.clone().into()),
            ("json in json", serde_json::to_string(&json).unwrap().into()),
            ("html in json", serde_json::to_string(&entities(secret)).unwrap().into()),
            ("json as numbers", secret.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>().into()),
            ("utf-16", wide(secret)),
            ("hex", hex(|byte| format!("{byte:02x}")).into()),
            ("HEX", hex(|byte| format!("{byte:02X}")).into()),
            ("base64", STANDARD.encode(secret).into()),
            ("base64 behind one", STANDARD.encode(format!("u{secret}:x")).into()),
            ("base64 behind two", URL_SAFE_NO_PAD.encode(format!("u:{secret}x")).into()),
            ("base64 of utf-16", STANDARD.encode(wide(secret)).into()),
            ("base64 in a url", percent(&STANDARD.encode(secret), unreserved, lower).into()),
        ]
    }

    fn is_found(net: &Net, name: &str, sent: &[u8]) -> bool {
        let redacted = [b"{\"before\":\"x\", ".as_slice(), sent, b" <after>"].concat();
        assert!(net.find(b"before after").is_empty(), "{name}");
        !net.find(&redacted).is_empty()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_secret_is_found_in_every_form(secret in "[A-Za-z0-9+/=_.~-]{4}[ -~\u{e9}\u{3042}]{8,60}7x[!-~]{3}") {
            let mut net = Net::new();
            net.add(Class::Password, secret.as_bytes(), None);
            prop_assume!(net.plain == 0);
            for (name, sent) in written(&secret) {
                prop_assert!(is_found(&net, name, &sent), "{name}: {}", String::from_utf8_lossy(&sent));
            }
        }

        #[test]
        fn bytes_are_found_in_the_forms_that_bytes_have(secret in prop::collection::vec(any::<u8>(), 8..80), shift in 0_usize..3) {
            let mut net = Net::new();
            net.add(Class::Ntlm, &secret, None);
            prop_assume!(net.plain == 0 && std::str::from_utf8(&secret).is_err());
            let around = [&[7; 3][..shift], &secret, &[9; 2]].concat();
            prop_assert!(is_found(&net, "base64", STANDARD.encode(&around).as_bytes()));
            prop_assert!(is_found(&net, "base64 for urls", URL_SAFE_NO_PAD.encode(&around).as_bytes()));
            let digits: String = around.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert!(is_found(&net, "hex", digits.as_bytes()));
        }
    }

    #[test]
    fn only_what_is_a_credential_by_its_place_is_met() {
        let redactor = Redactor::with_net();
        let door = redactor.wire();
        let basic = format!("Basic {}", STANDARD.encode("avery@contoso.com:Kv7!basic&Pa55"));
        for (name, value) in [
            ("Authorization", basic.as_str()),
            ("Authorization", "Bearer Ew0a1b2c3d4e5f6g7h8i9j0"),
            ("Cookie", "ClientId=E9459F787DAA4B0C; lang=en-US"),
            ("X-OWA-CANARY", "q1w2e3r4t5y6u7i8o9p0"),
            ("X-Never-Heard-Of", "a1b2c3d4e5f6g7h8i9j0"),
            ("X-Upstream-Name", "contoso-ex01"),
        ] {
            door.field(name.as_bytes(), value.as_bytes());
        }
        door.url(b"https://u:Zx9y8w7v6u5@contoso.com/a?sig=m1n2b3v4c5x6z7l8k9&state=f1g2h3j4k5l6m7n8");
        let met = redactor.met();
        let counts: Vec<_> = met.secrets.iter().map(|(class, count)| (*class, *count)).collect();
        assert_eq!(counts, [("cookie", 2), ("key", 1), ("password", 2), ("signature", 1), ("token", 1)]);
        assert_eq!(met.plain, 1, "en-US is looked for nowhere");
        for free in ["a1b2c3d4e5f6g7h8i9j0", "f1g2h3j4k5l6m7n8", "contoso-ex01 en-US lang avery@contoso.com"] {
            assert!(redactor.find(free.as_bytes()).is_empty(), "{free}");
        }
        let masked = redactor.masked(b"the password Kv7!basic&amp;Pa55, sig=m1n2b3v4c5x6z7l8k9&x=1").unwrap();
        assert_eq!(String::from_utf8_lossy(&masked), "the password [hidden], sig=[hidden]&x=1");
        assert_eq!(redactor.masked(b"nothing"), None);
        assert_eq!(Redactor::new().met(), Met::default());
    }

    #[test]
    fn a_password_that_is_a_word_is_looked_for_as_it_was_sent() {
        let redactor = Redactor::with_net();
        let sent = STANDARD.encode("CONTOSO\\avery:hunter2");
        redactor.wire().field(b"Proxy-Authorization", format!("Basic {sent}").as_bytes());
        assert!(redactor.find(b"hunter2 hunter2").is_empty());
        assert_eq!(redactor.find(format!("x {sent} y").as_bytes())[0].class, Class::Password);
        let met = redactor.met();
        assert_eq!((met.count(), met.plain), (1, 0));
    }

    #[test]
    fn a_text_full_of_secrets_costs_no_more_than_its_length() {
        let mut net = Net::new();
        net.add(Class::Password, b"Winterzeit2026", None);
        let began = std::time::Instant::now();
        for text in ["Winterzeit2026".repeat(20_000), "Winterzeit%32026 ".repeat(20_000)] {
            assert_eq!(net.find(text.as_bytes()).len(), 20_000);
        }
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut net = Net::new();
        for number in 0..SECRETS + 10 {
            net.add(Class::Cookie, format!("a{number}").as_bytes(), None);
        }
        let met = net.met();
        assert_eq!((met.count(), met.plain, met.beyond), (SECRETS as u64, SECRETS as u64, 10));
    }

    #[test]
    fn marks_of_our_own_file_tell_what_was_taken_out_before() {
        let written = Redactor::new();
        let fields: Vec<_> =
            [("Authorization", "Basic YXZlcnk6aHVudGVyMjI="), ("Cookie", "a=E9459F787DAA4B0C; b=E9459F787DAA4B0C")]
                .map(|(name, value)| written.wire().field(name.as_bytes(), value.as_bytes()))
                .into();
        let read = Redactor::with_net();
        for field in &fields {
            read.own().field(field.name.as_str().as_bytes(), field.value.as_str().as_bytes());
        }
        let met = read.met();
        assert_eq!(met.count(), 0);
        assert_eq!(met.marked.into_iter().collect::<Vec<_>>(), [("cookie", 1), ("password", 1)]);
    }
}
