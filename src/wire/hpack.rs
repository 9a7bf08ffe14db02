//! HPACK (RFC 7541): header blocks of HTTP/2 as fields.
//!
//! A block that cannot be decoded takes the whole direction with it, because every later block builds upon it. A list of
//! fields that is too long does not: it is decoded to its end, and only the fields are left out.

mod huffman;
mod table;

use zeroize::Zeroize;

use self::table::Table;

/// Both ends begin with a table of this size (RFC 9113 section 6.5.2).
const TABLE: usize = 4096;
/// A larger table is not followed: Chromium asks for 64 KiB, and either side of each connection can fill one.
const TABLE_LIMIT: usize = 1 << 20;
/// A longer list of fields is left out: as much as the reader of HTTP/1 takes.
pub(super) const LIST_LIMIT: usize = 256 * 1024;

/// Decodes the header blocks of one direction.
pub(super) struct Decoder {
    table: Table,
    /// The largest table that the receiver has allowed.
    allowed: usize,
}

/// The block is malformed: from here on nothing in this direction can be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The fields of one block. Wiped when dropped: credentials stand in it.
#[derive(Default)]
pub(super) struct List {
    text: Vec<u8>,
    fields: Vec<Bounds>,
    too_long: bool,
}

/// Where a field stands in its list's text.
#[derive(Clone, Copy)]
pub(in crate::wire) struct Bounds {
    start: usize,
    value: usize,
    end: usize,
}

impl List {
    pub(super) const fn new() -> Self {
        Self { text: Vec::new(), fields: Vec::new(), too_long: false }
    }

    /// The text and the fields in it, in order.
    pub(super) fn parts(&self) -> (&[u8], &[Bounds]) {
        (&self.text, &self.fields)
    }

    /// The value of the first field called `name`.
    pub(super) fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.fields.iter().map(|at| at.of(&self.text)).find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// Whether there were more than are kept.
    pub(super) const fn is_too_long(&self) -> bool {
        self.too_long
    }

    /// Forgets the fields and keeps the room.
    pub(super) fn clear(&mut self) {
        self.text.zeroize();
        self.fields.clear();
        self.too_long = false;
    }

    fn push(&mut self, name: &[u8], value: &[u8]) {
        if self.text.len() + name.len() + value.len() > LIST_LIMIT {
            self.too_long = true;
            return;
        }
        let start = self.text.len();
        append(name, &mut self.text);
        let after = self.text.len();
        append(value, &mut self.text);
        self.fields.push(Bounds { start, value: after, end: self.text.len() });
    }

    /// Takes in the field that was written to the end of the text from `start`, its value from `value` on.
    fn take_in(&mut self, start: usize, value: usize) {
        if self.text.len() > LIST_LIMIT {
            self.text[start..].zeroize();
            self.text.truncate(start);
            self.too_long = true;
        } else {
            self.fields.push(Bounds { start, value, end: self.text.len() });
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl Bounds {
    /// Name and value in the list's text.
    pub(in crate::wire) fn of(self, text: &[u8]) -> (&[u8], &[u8]) {
        (text.get(self.start..self.value).unwrap_or_default(), text.get(self.value..self.end).unwrap_or_default())
    }
}

impl Decoder {
    pub(super) const fn new() -> Self {
        Self { table: Table::new(TABLE), allowed: TABLE }
    }

    /// The receiver allows a table of this size (`SETTINGS_HEADER_TABLE_SIZE`). It is not known when the sender hears of
    /// it, so an older and larger allowance stays good.
    pub(super) fn allow(&mut self, size: usize) {
        self.allowed = self.allowed.max(size.min(TABLE_LIMIT));
    }

    /// Appends the fields of a whole block to `list`.
    pub(super) fn decode(&mut self, block: &[u8], list: &mut List) -> Result<(), Malformed> {
        let mut rest = Bytes { rest: block };
        while let Some(first) = rest.peek() {
            if first & 0x80 != 0 {
                let (name, value) = self.table.get(rest.number(7)?).ok_or(Malformed)?;
                list.push(name, value);
            } else if first & 0x40 != 0 {
                let start = list.text.len();
                let value = self.literal(&mut rest, 6, &mut list.text)?;
                self.table.add(&list.text[start..value], &list.text[value..]);
                list.take_in(start, value);
            } else if first & 0x20 != 0 {
                let limit = rest.number(5)?;
                if limit > self.allowed {
                    return Err(Malformed);
                }
                self.table.set_limit(limit);
            } else {
                let start = list.text.len();
                let value = self.literal(&mut rest, 4, &mut list.text)?;
                list.take_in(start, value);
            }
        }
        Ok(())
    }

    /// Appends a name and a value to `text`, and gives where the value begins.
    fn literal(&self, rest: &mut Bytes<'_>, prefix: u32, text: &mut Vec<u8>) -> Result<usize, Malformed> {
        match rest.number(prefix)? {
            0 => rest.text(text)?,
            index => append(self.table.get(index).ok_or(Malformed)?.0, text),
        }
        let value = text.len();
        rest.text(text)?;
        Ok(value)
    }
}

/// Appends `more`.
fn append(more: &[u8], text: &mut Vec<u8>) {
    make_room(more.len(), text);
    text.extend_from_slice(more);
}

/// Makes room for `more` bytes. Where the text has to move, nothing of it is left behind unwiped.
fn make_room(more: usize, text: &mut Vec<u8>) {
    let needed = text.len() + more;
    if needed > text.capacity() {
        let mut grown = Vec::with_capacity(needed.next_power_of_two());
        grown.extend_from_slice(text);
        text.zeroize();
        *text = grown;
    }
}

struct Bytes<'b> {
    rest: &'b [u8],
}

impl<'b> Bytes<'b> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    /// RFC 7541 section 5.1; no number that has a use needs more than five bytes.
    fn number(&mut self, prefix: u32) -> Result<usize, Malformed> {
        let full = (1 << prefix) - 1;
        let [first] = *self.take(1)? else { return Err(Malformed) };
        let mut number = usize::from(first) & full;
        if number < full {
            return Ok(number);
        }
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = *self.take(1)? else { return Err(Malformed) };
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    /// Appends a text to `out`.
    fn text(&mut self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let coded = self.peek().is_some_and(|first| first & 0x80 != 0);
        let length = self.number(7)?;
        let bytes = self.take(length)?;
        if !coded {
            append(bytes, out);
            return Ok(());
        }
        // The shortest word has five bits: no room has to be found twice.
        make_room(bytes.len() * 8 / 5 + 1, out);
        huffman::decode(bytes, out).map_err(|_| Malformed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fields(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
        let mut list = List::default();
        decoder.decode(block, &mut list)?;
        let (text, bounds) = list.parts();
        let word = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok(bounds.iter().map(|at| at.of(text)).map(|(name, value)| (word(name), word(value))).collect())
    }

    fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// RFC 7541 appendix C.4: three requests on one connection.
    #[test]
    fn reads_the_examples_of_the_rfc() {
        let mut decoder = Decoder::new();
        let common = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
        let first = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        assert_eq!(fields(&mut decoder, first).unwrap(), pairs(&common));
        let second = b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf";
        let with_cache = [&common[..], &[("cache-control", "no-cache")]].concat();
        assert_eq!(fields(&mut decoder, second).unwrap(), pairs(&with_cache));
        let third = b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";
        let custom = [
            (":method", "GET"),
            (":scheme", "https"),
            (":path", "/index.html"),
            (":authority", "www.example.com"),
            ("custom-key", "custom-value"),
        ];
        assert_eq!(fields(&mut decoder, third).unwrap(), pairs(&custom));
    }

    #[test]
    fn the_table_shrinks_and_forgets() {
        let mut decoder = Decoder::new();
        assert_eq!(fields(&mut decoder, b"\x40\x01a\x01b").unwrap(), pairs(&[("a", "b")]));
        assert_eq!(fields(&mut decoder, b"\xbe").unwrap(), pairs(&[("a", "b")]));
        // To nothing and back to all.
        assert_eq!(fields(&mut decoder, b"\x20\x3f\xe1\x1f").unwrap(), []);
        assert_eq!(fields(&mut decoder, b"\xbe"), Err(Malformed));
    }

    #[test]
    fn a_larger_table_needs_leave() {
        assert_eq!(fields(&mut Decoder::new(), b"\x3f\xe1\x3f"), Err(Malformed));
        let mut decoder = Decoder::new();
        decoder.allow(8192);
        assert_eq!(fields(&mut decoder, b"\x3f\xe1\x3f").unwrap(), []);
    }

    /// A field of 4 KiB, and then its number over and over.
    #[test]
    fn a_bomb_is_left_out_and_the_table_stays_right() {
        let mut decoder = Decoder::new();
        let mut block = b"\x40\x01a\x7f\xa1\x1e".to_vec();
        block.extend([b'x'; 4000]);
        block.extend(vec![0xbe; 100_000]);
        let mut list = List::default();
        decoder.decode(&block, &mut list).unwrap();
        assert!(list.is_too_long() && list.parts().0.len() <= LIST_LIMIT);
        assert_eq!(fields(&mut decoder, b"\xbe").unwrap()[0].1.len(), 4000);
    }

    #[test]
    fn what_is_cut_off_or_has_no_meaning_is_malformed() {
        for block in
            [&b"\x80"[..], b"\xff", b"\xff\xff\xff\xff\xff\xff\xff", b"\x40\x05ab", b"\xbe", b"\x00\x81\x00\x00"]
        {
            assert_eq!(fields(&mut Decoder::new(), block), Err(Malformed), "{block:?}");
        }
    }
}
