//! What stands for which name: numbers in the order in which the names appear, in bounded room.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;

use super::{known, words};
use crate::redact::memory::Generations;

/// So many names of a kind are told apart. Those that come later share a stand-in.
const NAMES: usize = 1 << 16;
/// So many ids are remembered at a time. An id is of a request: after many others it does not come again.
const IDS: usize = 1 << 16;

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// A domain, a tenant, a NetBIOS domain.
    Organisation,
    /// A server, or a part of its name.
    Server,
    /// Words that somebody calls something by: a certificate's subject, a realm.
    Title,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Organisation, Self::Server, Self::Title];

    /// What stand-ins begin with.
    const fn word(self) -> &'static str {
        match self {
            Self::Organisation => "org",
            Self::Server => "srv",
            Self::Title => "name",
        }
    }
}

/// What a GUID names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Guid {
    Tenant,
    Application,
    /// A request, or anything else.
    Other,
}

impl Guid {
    const ALL: [Self; 3] = [Self::Tenant, Self::Application, Self::Other];

    /// What stand-ins begin with: valid GUIDs of version 4 that nobody would draw.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Tenant => "aaaaaaaa-0000-4000-8000-",
            Self::Application => "bbbbbbbb-0000-4000-8000-",
            Self::Other => "cccccccc-0000-4000-8000-",
        }
    }
}

/// Numbers for names.
struct Numbers<K> {
    given: HashMap<K, u32>,
    /// Stand-ins up to this one stood in the source already.
    taken: u32,
    beyond: u64,
}

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Self { given: HashMap::new(), taken: 0, beyond: 0 }
    }
}

impl<K: Eq + Hash> Numbers<K> {
    /// The number of `key`; 0 where there is no room for another.
    fn of(&mut self, key: K) -> u32 {
        let next = u32::try_from(self.given.len()).unwrap_or(u32::MAX) + 1;
        if let Some(number) = self.given.get(&key) {
            return number + self.taken;
        }
        if self.given.len() >= NAMES {
            self.beyond += 1;
            return 0;
        }
        self.given.insert(key, next);
        next + self.taken
    }

    fn take(&mut self, number: u32) {
        self.taken = self.taken.max(number);
    }
}

/// Ids: those not met for long are forgotten and get another number.
struct Ids {
    key: RandomState,
    known: Generations<u128, u32>,
    last: u32,
    taken: u32,
}

impl Default for Ids {
    fn default() -> Self {
        Self { key: RandomState::new(), known: Generations::default(), last: 0, taken: 0 }
    }
}

impl Ids {
    fn of(&mut self, key: u128) -> u32 {
        if let Some(number) = self.known.get(&key, IDS) {
            return number;
        }
        self.last = self.last.max(self.taken).saturating_add(1);
        self.known.put(key, self.last, IDS);
        self.last
    }
}

/// All names that were met.
#[derive(Default)]
pub(super) struct Book {
    labels: HashMap<Box<str>, Kind>,
    numbers: BTreeMap<Kind, Numbers<Box<str>>>,
    /// The top levels that a label of an organisation was met under, in order.
    tops: HashMap<Box<str>, Vec<Box<str>>>,
    /// Domains that were met where nothing but a host stands.
    domains: HashSet<Box<str>>,
    guids: HashMap<u128, Guid>,
    guid_numbers: BTreeMap<Guid, Numbers<u128>>,
    ids: Ids,
    private: Numbers<IpAddr>,
    public: Numbers<IpAddr>,
    certificates: Numbers<[u8; 32]>,
}

impl Book {
    /// What stands for a label, in the same letter case.
    pub(super) fn label(&mut self, label: &str, kind: Kind) -> String {
        let lower: Box<str> = label.to_ascii_lowercase().into();
        if let Some((kind, number)) = stand_in(&lower) {
            self.numbers.entry(kind).or_default().take(number);
            return label.to_owned();
        }
        let kind = *self.labels.get(&lower).unwrap_or(&kind);
        let number = self.numbers.entry(kind).or_default().of(lower.clone());
        if number > 0 {
            self.labels.entry(lower).or_insert(kind);
        }
        like(label, &format!("{}{number}", kind.word()))
    }

    /// What stands for the label of an organisation with what it stands under: one stand-in for each of both.
    pub(super) fn domain(&mut self, label: &str, top: &str) -> String {
        let stand_in = self.label(label, Kind::Organisation);
        if stand_in == label {
            return stand_in;
        }
        let (label, top) = (label.to_ascii_lowercase(), top.to_ascii_lowercase());
        if self.tops.len() >= NAMES && !self.tops.contains_key(label.as_str()) {
            return stand_in;
        }
        let tops = self.tops.entry(label.into()).or_default();
        let at = tops.iter().position(|known| **known == *top).unwrap_or_else(|| {
            tops.push(top.into());
            tops.len() - 1
        });
        if at == 0 { stand_in } else { format!("{stand_in}-{}", at + 1) }
    }

    /// Remembers that this is a domain, whatever its top level.
    pub(super) fn learn_domain(&mut self, domain: &str) {
        if self.domains.len() < NAMES {
            self.domains.insert(domain.to_ascii_lowercase().into());
        }
    }

    pub(super) fn knows_domain(&self, lower: &str) -> bool {
        self.domains.contains(lower)
    }

    /// What stands for a GUID, in the same letter case. Ids are numbered in the second pass alone.
    pub(super) fn guid(&mut self, text: &str, kind: Guid, learning: bool) -> Option<String> {
        let lower = text.to_ascii_lowercase();
        if known::is_public_guid(&lower) {
            return None;
        }
        let taken = Guid::ALL.into_iter().find_map(|kind| Some((kind, number_of(lower.strip_prefix(kind.prefix())?)?)));
        if let Some((kind, number)) = taken {
            match kind {
                Guid::Other => self.ids.taken = self.ids.taken.max(number),
                kind => self.guid_numbers.entry(kind).or_default().take(number),
            }
            return None;
        }
        let key = u128::from_str_radix(&lower.replace('-', ""), 16).ok()?;
        let kind = match self.guids.get(&key) {
            Some(known) => *known,
            None if kind == Guid::Other || self.guids.len() >= NAMES => Guid::Other,
            None => {
                self.guids.insert(key, kind);
                kind
            }
        };
        let number = match kind {
            Guid::Other if learning => 0,
            Guid::Other => self.ids.of(key),
            kind => self.guid_numbers.entry(kind).or_default().of(key),
        };
        let guid = format!("{}{number:012}", kind.prefix());
        Some(if text.bytes().any(|byte| byte.is_ascii_uppercase()) { guid.to_ascii_uppercase() } else { guid })
    }

    /// What stands for an id of another form: hexadecimal digits, as many where it has such alone.
    pub(super) fn id(&mut self, text: &str, learning: bool) -> Option<String> {
        const PREFIX: &str = "cccccccc";
        let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let Some(number) = text.to_ascii_lowercase().strip_prefix(PREFIX).and_then(number_of) {
            self.ids.taken = self.ids.taken.max(number);
            return None;
        }
        let key = u128::from(self.ids.key.hash_one(text)) << 64 | u128::from(self.ids.key.hash_one((text, text)));
        let number = if learning { 0 } else { self.ids.of(key) };
        let width = if hex { text.len().clamp(20, 128) } else { 32 } - PREFIX.len();
        let id = format!("{PREFIX}{number:0width$}");
        Some(if hex && text.bytes().any(|byte| byte.is_ascii_uppercase()) { id.to_ascii_uppercase() } else { id })
    }

    /// The number of an address, among the private ones or among those of the internet.
    pub(super) fn address(&mut self, address: IpAddr, private: bool) -> u32 {
        if private { self.private.of(address) } else { self.public.of(address) }
    }

    /// Remembers that an address stood in the source that also stands for others.
    pub(super) fn take_address(&mut self, number: u32) {
        self.public.take(number);
    }

    pub(super) fn knows_address(&self, address: IpAddr) -> bool {
        self.private.given.contains_key(&address) || self.public.given.contains_key(&address)
    }

    pub(super) fn fingerprint(&mut self, sha256: [u8; 32]) -> [u8; 32] {
        // Nothing is known of it: then there is nothing to hide.
        if sha256 == [0; 32] {
            return sha256;
        }
        if sha256[..28] == [0xcc; 28] {
            self.certificates.take(u32::from_be_bytes([sha256[28], sha256[29], sha256[30], sha256[31]]));
            return sha256;
        }
        let number = self.certificates.of(sha256);
        let mut stand_in = [0xcc; 32];
        stand_in[28..].copy_from_slice(&number.to_be_bytes());
        stand_in
    }

    /// The names that are looked for where they stand alone, and whether they count inside of a longer word.
    pub(super) fn lone(&self) -> Vec<(String, bool)> {
        let labels = self.labels.iter().filter(|(label, _)| words::is_telling(label));
        let inside = |label: &str, kind: Kind| kind == Kind::Organisation && words::is_telling_inside(label);
        labels.map(|(label, kind)| (label.to_string(), inside(label, *kind))).collect()
    }

    /// All that must not be left in a file: those names, whole domains, tenants, applications, addresses, certificates.
    pub(super) fn all(&self) -> Vec<(String, bool)> {
        let domains = self.domains.iter().filter(|domain| !is_public(domain)).map(ToString::to_string);
        let guids = self.guids.keys().map(|guid| {
            let hex = format!("{guid:032x}");
            [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
        });
        let public = self.public.given.keys().map(ToString::to_string);
        let hexadecimal = |sha256: &[u8; 32]| {
            let [high, low] = [&sha256[..16], &sha256[16..]];
            let number = |half: &[u8]| half.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
            format!("{:032x}{:032x}", number(high), number(low))
        };
        let certificates = self.certificates.given.keys().map(hexadecimal);
        let others = domains.chain(guids).chain(public).chain(certificates).map(|name| (name, false));
        self.lone().into_iter().chain(others).collect()
    }

    pub(super) fn kind_of(&self, lower: &str) -> Kind {
        self.labels.get(lower).copied().unwrap_or(Kind::Server)
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let labels = |kind: Kind| self.numbers.get(&kind).map_or(0, |numbers| numbers.given.len());
        let guids = |kind: Guid| self.guid_numbers.get(&kind).map_or(0, |numbers| numbers.given.len());
        let counts = [
            ("organisations", labels(Kind::Organisation)),
            ("servers", labels(Kind::Server)),
            ("titles", labels(Kind::Title)),
            ("tenants", guids(Guid::Tenant)),
            ("applications", guids(Guid::Application)),
            ("ids", (self.ids.last - self.ids.taken.min(self.ids.last)) as usize),
            ("addresses", self.private.given.len() + self.public.given.len()),
            ("certificates", self.certificates.given.len()),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0).map(|(kind, count)| (kind, count as u64)).collect()
    }

    pub(super) fn beyond(&self) -> u64 {
        let labels: u64 = self.numbers.values().map(|numbers| numbers.beyond).sum();
        let guids: u64 = self.guid_numbers.values().map(|numbers| numbers.beyond).sum();
        labels + guids + self.private.beyond + self.public.beyond + self.certificates.beyond
    }
}

/// Whether a domain may be left in a file: it is a stand-in, or stays as it is.
fn is_public(domain: &str) -> bool {
    let (label, top) = domain.split_once('.').unwrap_or((domain, ""));
    stand_in(label).is_some()
        || matches!(top, "invalid" | "localhost" | "arpa")
        || (known::is_private_top(top) && words::is_everywhere(label))
}

/// What a stand-in says of itself: `org3`, `org3-2`, `srv12`.
pub(super) fn stand_in(lower: &str) -> Option<(Kind, u32)> {
    Kind::ALL.into_iter().find_map(|kind| {
        let digits = lower.strip_prefix(kind.word())?;
        let (digits, more) = digits.split_once('-').map_or((digits, None), |(digits, more)| (digits, Some(more)));
        let canonical =
            |text: &str| (1..=5).contains(&text.len()) && !text.starts_with('0') && number_of(text).is_some();
        let sound = more.is_none_or(|more| kind == Kind::Organisation && canonical(more));
        ((canonical(digits) || digits == "0") && sound).then(|| Some((kind, number_of(digits)?)))?
    })
}

fn number_of(digits: &str) -> Option<u32> {
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// `stand_in` in the letter case of `name`: all capitals, a capital first, or none.
pub(super) fn like(name: &str, stand_in: &str) -> String {
    let small = name.bytes().any(|byte| byte.is_ascii_lowercase());
    let capital = name.bytes().any(|byte| byte.is_ascii_uppercase());
    match (small, capital) {
        (false, true) => stand_in.to_ascii_uppercase(),
        (true, true) if name.starts_with(|first: char| first.is_ascii_uppercase()) => {
            let mut text = stand_in.to_owned();
            text[..1].make_ascii_uppercase();
            text
        }
        _ => stand_in.to_owned(),
    }
}
