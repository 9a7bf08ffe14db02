//! The fields that both ends know by number (RFC 7541 appendix A), and those that were sent before.

use std::collections::VecDeque;

use zeroize::Zeroizing;

/// Entry 1 is the first.
#[rustfmt::skip]
const FIXED: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// What each entry costs beyond its letters (RFC 7541 section 4.1).
const OVERHEAD: usize = 32;

/// The fields that one direction can refer to by number.
pub(super) struct Table {
    /// The newest first. Credentials stand here.
    sent: VecDeque<Entry>,
    size: usize,
    limit: usize,
}

struct Entry {
    text: Zeroizing<Vec<u8>>,
    name: usize,
}

impl Table {
    pub(super) const fn new(limit: usize) -> Self {
        Self { sent: VecDeque::new(), size: 0, limit }
    }

    /// Name and value of entry `index`, from 1.
    pub(super) fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let index = index.checked_sub(1)?;
        match FIXED.get(index) {
            Some((name, value)) => Some((name.as_bytes(), value.as_bytes())),
            None => self.sent.get(index - FIXED.len()).map(|entry| entry.text.split_at(entry.name)),
        }
    }

    /// Changes how much may be kept; the oldest go first.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.make_room(0);
    }

    /// Takes a field in. One that is larger than the table empties it (RFC 7541 section 4.4).
    pub(super) fn add(&mut self, name: &[u8], value: &[u8]) {
        let cost = name.len() + value.len() + OVERHEAD;
        self.make_room(cost);
        if cost <= self.limit {
            self.size += cost;
            self.sent.push_front(Entry { text: Zeroizing::new([name, value].concat()), name: name.len() });
        }
    }

    fn make_room(&mut self, cost: usize) {
        while self.size + cost > self.limit {
            let Some(oldest) = self.sent.pop_back() else { return };
            self.size -= oldest.text.len() + OVERHEAD;
        }
    }
}
