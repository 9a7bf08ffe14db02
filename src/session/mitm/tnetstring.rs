//! tnetstrings as mitmproxy writes them: a length, a colon, that many bytes, and a letter for their type.
//!
//! Values borrow from the bytes that they stand in. Lengths are checked against what is there, and nesting is bounded.

/// A value.
#[derive(Clone)]
pub(super) enum Value<'t> {
    /// `,` or `;`: bytes, or text in UTF-8.
    Bytes(&'t [u8]),
    /// `#`.
    Integer(i64),
    /// `^`.
    Float(f64),
    /// `!`.
    Bool(bool),
    /// `~`.
    Null,
    /// `]`.
    List(Vec<Value<'t>>),
    /// `}`.
    Dictionary(Vec<(&'t [u8], Value<'t>)>),
}

/// A flow is not nested deeper than this.
const DEPTH: usize = 16;
/// Lengths have at most this many digits.
pub(super) const DIGITS: usize = 12;

/// The one value that `bytes` are.
pub(super) fn parse(bytes: &[u8]) -> Option<Value<'_>> {
    let (value, rest) = value(bytes, DEPTH)?;
    rest.is_empty().then_some(value)
}

fn value(bytes: &[u8], depth: usize) -> Option<(Value<'_>, &[u8])> {
    let depth = depth.checked_sub(1)?;
    let colon = bytes.iter().take(DIGITS + 1).position(|byte| *byte == b':')?;
    let length: usize = digits(&bytes[..colon])?;
    let payload = bytes.get(colon + 1..(colon + 1).checked_add(length)?)?;
    let (kind, rest) = bytes[colon + 1 + length..].split_first()?;
    let value = match kind {
        b',' | b';' => Value::Bytes(payload),
        b'#' => Value::Integer(text(payload)?.parse().ok()?),
        b'^' => Value::Float(text(payload)?.parse().ok()?),
        b'!' => Value::Bool(payload == b"true"),
        b'~' => Value::Null,
        b']' => Value::List(list(payload, depth)?),
        b'}' => {
            let flat = list(payload, depth)?;
            if flat.len() % 2 != 0 {
                return None;
            }
            let mut members = Vec::with_capacity(flat.len() / 2);
            let mut flat = flat.into_iter();
            while let (Some(key), Some(value)) = (flat.next(), flat.next()) {
                let Value::Bytes(key) = key else { return None };
                members.push((key, value));
            }
            Value::Dictionary(members)
        }
        _ => return None,
    };
    Some((value, rest))
}

fn list(mut payload: &[u8], depth: usize) -> Option<Vec<Value<'_>>> {
    let mut items = Vec::new();
    while !payload.is_empty() {
        let (item, rest) = value(payload, depth)?;
        items.push(item);
        payload = rest;
    }
    Some(items)
}

fn digits(bytes: &[u8]) -> Option<usize> {
    (!bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)).then(|| text(bytes)?.parse().ok())?
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

impl<'t> Value<'t> {
    /// The member of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Dictionary(members) => {
                members.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The member of this name where it is text or bytes.
    pub(super) fn bytes(&self, name: &str) -> Option<&'t [u8]> {
        match self.get(name)? {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The member of this name where it is text.
    pub(super) fn text(&self, name: &str) -> Option<&'t str> {
        text(self.bytes(name)?)
    }

    /// The items, where it is a list.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The member of this name where it is a number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_number()
    }

    /// The number that it is.
    #[allow(clippy::cast_precision_loss)] // Seconds and codes are far below 2^52.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read() {
        let text = b"68:4:list;29:4:true!1:7#3:1.5^0:~2:\xff\xfe,]4:dict;13:1:a;5:1:b;0:~}}}";
        assert!(parse(text).is_none(), "a wrong length is not believed");
        let all = b"12:3:key;3:val;}";
        assert_eq!(parse(all).unwrap().text("key"), Some("val"));
        let list = parse(b"20:4:true!1:7#3:1.5^0:~]").unwrap();
        assert!(matches!(list.items(), [Value::Bool(true), Value::Integer(7), Value::Float(_), Value::Null]));
        assert!(matches!(parse(b"5:hello,"), Some(Value::Bytes(b"hello"))));
    }

    #[test]
    fn lengths_and_depths_that_lie_are_refused() {
        for wrong in [
            &b"9:hello,"[..],
            b"4:hello,",
            b":hello,",
            b"99999999999999999999:a,",
            b"-1:a,",
            b"5:hello",
            b"5:hello?",
            b"4:1:a;}",
            b"1:x#",
            b"",
        ] {
            assert!(parse(wrong).is_none(), "{wrong:?}");
        }
        let mut deep = b"0:~".to_vec();
        for _ in 0..DEPTH {
            deep = [deep.len().to_string().as_bytes(), b":", &deep, b"]"].concat();
        }
        assert!(parse(&deep).is_none());
    }
}
