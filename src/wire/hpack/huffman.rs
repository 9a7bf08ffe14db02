//! The Huffman code of header values (RFC 7541 section 5.2 and appendix B).
//!
//! The code is canonical: the lengths of its words are all there is to know.

use std::sync::LazyLock;

/// How many bits each byte takes; the last is the end of a text, which never stands in one.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];
const LONGEST: usize = 30;
const END: u16 = 256;

/// How many bits are looked at together. What is written in header values has words of at most eight.
const GLANCE: usize = 12;

/// The words of one length follow each other.
struct Code {
    /// By length: the first word, and where its symbol stands.
    first: [u32; LONGEST + 1],
    from: [usize; LONGEST + 1],
    count: [u32; LONGEST + 1],
    /// By length, then by value.
    symbols: Vec<u16>,
    /// By the next bits: the words that are whole in them.
    glances: Vec<Glance>,
}

/// One word or two, or none where the first is longer than a glance.
#[derive(Clone, Copy, Default)]
struct Glance {
    bytes: [u8; 2],
    count: u8,
    bits: u8,
}

impl Code {
    /// The word that the first `known` bits of `bits` (from the left) begin with, and its length.
    fn word(&self, bits: u64, known: usize) -> Option<(u16, usize)> {
        (1..=known.min(LONGEST)).find_map(|length| {
            let offset = ((bits >> (64 - length)) as u32).wrapping_sub(self.first[length]);
            (offset < self.count[length]).then(|| (self.symbols[self.from[length] + offset as usize], length))
        })
    }

    fn glance(&self, bits: usize) -> Glance {
        let mut glance = Glance::default();
        let mut left = (bits as u64) << (64 - GLANCE);
        for place in 0..glance.bytes.len() {
            let known = GLANCE - usize::from(glance.bits);
            let Some((symbol, length)) = self.word(left, known) else { break };
            let Ok(byte) = u8::try_from(symbol) else { break };
            glance.bytes[place] = byte;
            glance.count += 1;
            glance.bits += length as u8;
            left <<= length;
        }
        glance
    }
}

static CODE: LazyLock<Code> = LazyLock::new(|| {
    let mut symbols: Vec<u16> = (0..=END).collect();
    symbols.sort_by_key(|symbol| LENGTHS[usize::from(*symbol)]);
    let (mut first, mut from, mut count) = ([0; LONGEST + 1], [0; LONGEST + 1], [0; LONGEST + 1]);
    for length in LENGTHS {
        count[usize::from(length)] += 1;
    }
    let (mut word, mut at) = (0_u32, 0);
    for length in 1..=LONGEST {
        word = (word + count[length - 1]) << 1;
        (first[length], from[length]) = (word, at);
        at += count[length] as usize;
    }
    let mut code = Code { first, from, count, symbols, glances: Vec::new() };
    code.glances = (0..1 << GLANCE).map(|bits| code.glance(bits)).collect();
    code
});

/// The text begins with a word that is none, holds the end of a text, or is padded with anything but its beginning.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotHuffman;

/// Appends what `coded` stands for.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), NotHuffman> {
    let code = &*CODE;
    // The bits to come, from the left, and how many of them are there.
    let (mut bits, mut known) = (0_u64, 0_usize);
    let mut coded = coded.iter();
    loop {
        while known <= 56
            && let Some(byte) = coded.next()
        {
            bits |= u64::from(*byte) << (56 - known);
            known += 8;
        }
        let glance = code.glances[(bits >> (64 - GLANCE)) as usize];
        let length = usize::from(glance.bits);
        if glance.count > 0 && length <= known {
            out.extend_from_slice(&glance.bytes[..usize::from(glance.count)]);
            bits <<= length;
            known -= length;
        } else if let Some((symbol, length)) = code.word(bits, known) {
            out.push(u8::try_from(symbol).map_err(|_| NotHuffman)?);
            bits <<= length;
            known -= length;
        } else {
            let is_padding = known < 8 && bits == !(u64::MAX >> known);
            return if is_padding { Ok(()) } else { Err(NotHuffman) };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_examples_of_the_rfc() {
        let cases: [(&[u8], &[u8]); 3] = [
            (b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff", b"www.example.com"),
            (b"\xa8\xeb\x10\x64\x9c\xbf", b"no-cache"),
            (b"\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf", b"custom-value"),
        ];
        for (coded, text) in cases {
            let mut out = Vec::new();
            assert_eq!(decode(coded, &mut out), Ok(()));
            assert_eq!(out, text);
        }
    }

    /// The words of `text`, each looked up in the table of lengths, with the padding behind them.
    fn coded(text: &[u8]) -> Vec<u8> {
        let mut bits = Vec::new();
        for byte in text {
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let place = CODE.symbols.iter().position(|symbol| *symbol == u16::from(*byte)).unwrap();
            let word = CODE.first[length] + (place - CODE.from[length]) as u32;
            bits.extend((0..length).rev().map(|bit| (word >> bit & 1) as u8));
        }
        bits.resize(bits.len().next_multiple_of(8), 1);
        bits.chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect()
    }

    #[test]
    fn every_byte_is_read_beside_every_other_wherever_the_text_ends() {
        for first in 0..=u8::MAX {
            let text: Vec<u8> = (0..=u8::MAX).flat_map(|second| [first, second]).collect();
            for text in [&text[..], &text[..usize::from(first)], &text[256..]] {
                let mut out = Vec::new();
                assert_eq!(decode(&coded(text), &mut out), Ok(()));
                assert_eq!(out, text);
            }
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        // Nothing but padding, and too much of it; the end of a text; padding of zeros.
        for coded in [&b"\xff\xff"[..], b"\xff\xff\xff\xff", b"\xf8\x00\x00\x00\x00"] {
            assert_eq!(decode(coded, &mut Vec::new()), Err(NotHuffman));
        }
    }
}
