//! What makes different servers read one message differently: the shapes that request smuggling is made of.
//!
//! The reader follows such a message as most servers do, where that is one way, and names what is odd about it.

use crate::text::Text;

/// One oddity of a message, from a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Content-Length and Transfer-Encoding in one message. Transfer-Encoding counts.
    LengthAndCoding,
    /// Several Content-Lengths that differ. None of them can be relied on.
    LengthsDiffer,
    /// The same Content-Length several times.
    LengthRepeated,
    /// A Content-Length that is no number.
    LengthMalformed,
    /// A Transfer-Encoding whose last coding is not `chunked`.
    ChunkedNotLast,
    /// Transfer-Encoding several times, or `chunked` twice in it.
    CodingRepeated,
    /// A Transfer-Encoding in a message of HTTP/1.0, or of HTTP/2, which know none.
    CodingUnknownToVersion,
    /// A length or a coding where no body can follow: 1xx, 204, 2xx to CONNECT.
    FramingWithoutBody,
    /// Several Host fields, or a Host and an `:authority` that differ.
    HostsDiffer,
    /// Blanks between a field's name and its colon.
    SpaceBeforeColon,
    /// A field name that is none, or a line without a colon.
    FieldName,
    /// A field that goes on in the next line.
    FoldedField,
    /// A line that ends with a line feed alone.
    BareLineFeed,
    /// A carriage return outside of a line end, a NUL, or another control byte.
    ControlByte,
    /// Blanks in a first line where none belong.
    FirstLine,
    /// A chunk whose size line or end is not written as the grammar has it.
    ChunkLine,
    /// Bytes beside a response that belong to no message: a body where none can be, or more of one than was announced.
    Surplus,
}

impl Oddity {
    /// All.
    pub const ALL: [Self; 17] = [
        Self::LengthAndCoding,
        Self::LengthsDiffer,
        Self::LengthRepeated,
        Self::LengthMalformed,
        Self::ChunkedNotLast,
        Self::CodingRepeated,
        Self::CodingUnknownToVersion,
        Self::FramingWithoutBody,
        Self::HostsDiffer,
        Self::SpaceBeforeColon,
        Self::FieldName,
        Self::FoldedField,
        Self::BareLineFeed,
        Self::ControlByte,
        Self::FirstLine,
        Self::ChunkLine,
        Self::Surplus,
    ];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::LengthAndCoding => "length-and-coding",
            Self::LengthsDiffer => "lengths-differ",
            Self::LengthRepeated => "length-repeated",
            Self::LengthMalformed => "length-malformed",
            Self::ChunkedNotLast => "chunked-not-last",
            Self::CodingRepeated => "coding-repeated",
            Self::CodingUnknownToVersion => "coding-unknown-to-version",
            Self::FramingWithoutBody => "framing-without-body",
            Self::HostsDiffer => "hosts-differ",
            Self::SpaceBeforeColon => "space-before-colon",
            Self::FieldName => "field-name",
            Self::FoldedField => "folded-field",
            Self::BareLineFeed => "bare-line-feed",
            Self::ControlByte => "control-byte",
            Self::FirstLine => "first-line",
            Self::ChunkLine => "chunk-line",
            Self::Surplus => "surplus",
        }
    }

    /// Whether it leaves open where the message ends or whom it is for, and is not merely odd.
    pub const fn is_grave(self) -> bool {
        matches!(
            self,
            Self::LengthAndCoding
                | Self::LengthsDiffer
                | Self::LengthMalformed
                | Self::ChunkedNotLast
                | Self::CodingRepeated
                | Self::CodingUnknownToVersion
                | Self::HostsDiffer
                | Self::SpaceBeforeColon
                | Self::ControlByte
                | Self::Surplus
        )
    }

    /// The same in a phrase, without a full stop.
    pub const fn text(self) -> Text {
        match self {
            Self::LengthAndCoding => Text {
                en: "it has both Content-Length and Transfer-Encoding",
                ja: "Content-Length と Transfer-Encoding の両方がある",
            },
            Self::LengthsDiffer => {
                Text { en: "its Content-Lengths differ", ja: "値の異なる Content-Length が複数ある" }
            }
            Self::LengthRepeated => {
                Text { en: "it has the same Content-Length several times", ja: "同じ Content-Length が複数ある" }
            }
            Self::LengthMalformed => {
                Text { en: "its Content-Length is no number", ja: "Content-Length が数値ではない" }
            }
            Self::ChunkedNotLast => Text {
                en: "the last coding of its Transfer-Encoding is not chunked",
                ja: "Transfer-Encoding の最後が chunked ではない",
            },
            Self::CodingRepeated => Text {
                en: "its Transfer-Encoding is given several times",
                ja: "Transfer-Encoding が重複している",
            },
            Self::CodingUnknownToVersion => Text {
                en: "it has a Transfer-Encoding, which its HTTP version does not know",
                ja: "この HTTP バージョンにない Transfer-Encoding がある",
            },
            Self::FramingWithoutBody => Text {
                en: "it announces a body where none can follow",
                ja: "本文を持てないメッセージが本文を予告している",
            },
            Self::HostsDiffer => {
                Text { en: "it names its host more than once", ja: "ホストの指定が複数ある" }
            }
            Self::SpaceBeforeColon => Text {
                en: "blanks stand between a field's name and its colon",
                ja: "フィールド名とコロンの間に空白がある",
            },
            Self::FieldName => Text {
                en: "a line of its head is no field",
                ja: "ヘッダーにフィールドではない行がある",
            },
            Self::FoldedField => Text {
                en: "a field goes on in the next line (obs-fold)",
                ja: "折り返されたフィールド (obs-fold) がある",
            },
            Self::BareLineFeed => Text {
                en: "a line ends with LF instead of CR LF",
                ja: "CR LF ではなく LF だけの改行がある",
            },
            Self::ControlByte => Text {
                en: "a control byte (NUL, a bare CR) stands in its head",
                ja: "ヘッダーに制御文字 (NUL、単独の CR) がある",
            },
            Self::FirstLine => {
                Text { en: "its first line has blanks where none belong", ja: "先頭行に余分な空白がある" }
            }
            Self::ChunkLine => Text {
                en: "a chunk is not written as the grammar has it",
                ja: "チャンクの書式が規定どおりではない",
            },
            Self::Surplus => Text {
                en: "bytes that belong to no message stand beside it",
                ja: "どのメッセージにも属さないバイトが前後にある",
            },
        }
    }
}

/// A set of oddities; empty for nearly every message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities(u32);

impl Oddities {
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds one.
    pub const fn add(&mut self, oddity: Oddity) {
        self.0 |= 1 << oddity as u16;
    }

    /// Whether it is among them.
    pub const fn has(self, oddity: Oddity) -> bool {
        self.0 & 1 << oddity as u16 != 0
    }

    /// One by one, those that concern the framing most first.
    pub fn iter(self) -> impl Iterator<Item = Oddity> {
        Oddity::ALL.into_iter().filter(move |oddity| self.has(*oddity))
    }

    /// Their codes, separated by blanks.
    pub fn codes(self) -> String {
        self.iter().map(Oddity::code).collect::<Vec<_>>().join(" ")
    }

    /// Reads [`Oddities::codes`] back; nothing where a word is none of them.
    pub fn of_codes(codes: &str) -> Option<Self> {
        let mut oddities = Self::NONE;
        for code in codes.split_ascii_whitespace() {
            oddities.add(Oddity::ALL.into_iter().find(|oddity| oddity.code() == code)?);
        }
        Some(oddities)
    }
}

impl FromIterator<Oddity> for Oddities {
    fn from_iter<T: IntoIterator<Item = Oddity>>(oddities: T) -> Self {
        let mut all = Self::NONE;
        oddities.into_iter().for_each(|oddity| all.add(oddity));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_reads_back_from_its_codes() {
        let all: Oddities = Oddity::ALL.into_iter().collect();
        assert_eq!(Oddities::of_codes(&all.codes()), Some(all));
        assert_eq!(Oddities::of_codes(""), Some(Oddities::NONE));
        assert_eq!(Oddities::of_codes("what is this"), None);
        assert_eq!(all.iter().count(), Oddity::ALL.len(), "each has a bit of its own");
    }
}
