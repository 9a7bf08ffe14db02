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

/// The words of one length follow each other.
struct Code {
    /// By length: the first word, and where its symbol stands.
    first: [u32; LONGEST + 1],
    from: [usize; LONGEST + 1],
    count: [u32; LONGEST + 1],
    /// By length, then by value.
    symbols: Vec<u16>,
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
    Code { first, from, count, symbols }
});

/// The text begins with a word that is none, holds the end of a text, or is padded with anything but its beginning.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotHuffman;

/// Appends what `coded` stands for.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), NotHuffman> {
    let code = &*CODE;
    let (mut word, mut length) = (0_u32, 0);
    for byte in coded {
        for bit in (0..8).rev() {
            word = word << 1 | u32::from(byte >> bit & 1);
            length += 1;
            if length > LONGEST {
                return Err(NotHuffman);
            }
            let offset = word.wrapping_sub(code.first[length]);
            if offset < code.count[length] {
                let symbol = code.symbols[code.from[length] + offset as usize];
                out.push(u8::try_from(symbol).map_err(|_| NotHuffman)?);
                (word, length) = (0, 0);
            }
        }
    }
    let is_padding = length < 8 && word == (1 << length) - 1;
    if is_padding { Ok(()) } else { Err(NotHuffman) }
}

#[cfg(test)]
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

    #[test]
    fn what_is_no_text_is_refused() {
        // Nothing but padding, and too much of it; the end of a text; padding of zeros.
        for coded in [&b"\xff\xff"[..], b"\xff\xff\xff\xff", b"\xf8\x00\x00\x00\x00"] {
            assert_eq!(decode(coded, &mut Vec::new()), Err(NotHuffman));
        }
    }
}
