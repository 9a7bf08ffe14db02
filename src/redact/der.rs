//! DER, as much of it as the tokens of `Negotiate` need. Reading tolerates values that were cut off.

/// The tag of an INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// The tag of an OCTET STRING.
pub(super) const OCTETS: u8 = 0x04;
/// The tag of an OBJECT IDENTIFIER.
pub(super) const OID: u8 = 0x06;
/// The tag of an ENUMERATED.
pub(super) const ENUMERATED: u8 = 0x0a;
/// The tag of a GeneralizedTime.
pub(super) const TIME: u8 = 0x18;
/// The tag of a GeneralString.
pub(super) const STRING: u8 = 0x1b;
/// The tag of a SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;

/// More fields than any of these messages has.
const FIELDS: usize = 16;

/// The first value: its tag, its content, what follows. A content that was cut off counts as far as it goes where it
/// holds further values; half a name or number is none.
pub(super) fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    const CONSTRUCTED: u8 = 0x20;
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let size = usize::from(first & 0x7f);
        if !(1..=4).contains(&size) || rest.len() < size {
            return None;
        }
        let (length, rest) = rest.split_at(size);
        (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    if length > rest.len() && tag & CONSTRUCTED == 0 && tag != OCTETS {
        return None;
    }
    let (content, rest) = rest.split_at(length.min(rest.len()));
    Some((tag, content, rest))
}

/// The content of the first value, where its tag is `tag`.
pub(super) fn content(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    value(bytes).filter(|(found, ..)| *found == tag).map(|(_, content, _)| content)
}

/// The values that follow each other in `bytes`: tags and contents.
pub(super) fn values(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = value(bytes)?;
        bytes = rest;
        Some((tag, content))
    })
    .take(FIELDS)
}

/// The value inside the field number `number` of a sequence's content, with its tag.
pub(super) fn field(sequence: &[u8], number: u8) -> Option<&[u8]> {
    values(sequence).find(|(tag, _)| *tag == 0xa0 | number).map(|(_, content)| content)
}

/// The number in the field number `number`, of at most four bytes.
pub(super) fn number(sequence: &[u8], number: u8) -> Option<i32> {
    let bytes = content(field(sequence, number)?, INTEGER)?;
    let (first, _) = bytes.split_first().filter(|_| bytes.len() <= 4)?;
    let start = if first & 0x80 == 0 { 0 } else { -1 };
    Some(bytes.iter().fold(start, |sum, byte| sum << 8 | i32::from(*byte)))
}

/// A value of this tag around `content`.
pub(super) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut value = vec![tag];
    match content.len() {
        0..0x80 => value.push(length[3]),
        0x80..0x100 => value.extend([0x81, length[3]]),
        0x100..0x1_0000 => value.extend([0x82, length[2], length[3]]),
        _ => {
            value.push(0x84);
            value.extend(length);
        }
    }
    value.extend(content);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_what_was_cut_off() {
        for length in [0, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let content = vec![7; length];
            let bytes = [wrap(OCTETS, &content), vec![9]].concat();
            assert_eq!(value(&bytes), Some((OCTETS, &content[..], &[9][..])));
        }
        assert_eq!(value(&[OCTETS, 5, 1, 2]), Some((OCTETS, &[1, 2][..], &[][..])));
        assert_eq!(value(&[STRING, 5, 1, 2]), None);
        for broken in [&[][..], &[OCTETS], &[OCTETS, 0x80], &[OCTETS, 0x85, 0, 0, 0, 0, 1], &[OCTETS, 0x82, 1]] {
            assert_eq!(value(broken), None);
        }
    }

    #[test]
    fn reads_numbers_of_either_sign() {
        for (bytes, expected) in [
            (&[18][..], Some(18)),
            (&[0xff, 0x7b], Some(-133)),
            (&[0, 0x80], Some(128)),
            (&[0x7f, 0xff, 0xff, 0xff], Some(i32::MAX)),
            (&[], None),
            (&[1, 0, 0, 0, 0], None),
        ] {
            assert_eq!(number(&wrap(0xa2, &wrap(INTEGER, bytes)), 2), expected);
        }
    }
}
