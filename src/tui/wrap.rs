//! Where a line breaks into rows.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Splits a line into rows: after a blank or punctuation where one stands beyond the row's first quarter, or between
/// two wide characters, else in mid-word.
pub(super) fn wrap(text: &str, width: u16, indent: u16, row: &mut dyn FnMut(Range<usize>, u16)) {
    let width = usize::from(width);
    let (mut start, mut columns, mut set_in) = (0, 0, 0);
    let mut opportunity: Option<(usize, usize)> = None;
    let (mut before, mut second_before) = (None, None);
    for (at, char) in text.char_indices() {
        let own = char.width().unwrap_or(0);
        if before.is_some_and(|before| may_break(second_before, before, char)) {
            opportunity = Some((at, columns));
        }
        if columns + own > width && at > start {
            let (end, used) = opportunity
                .filter(|(end, used)| *end > start && *used > width / 4 && *used <= width)
                .unwrap_or((at, columns));
            row(start..end, set_in);
            start = end;
            columns = usize::from(indent) + columns - used;
            set_in = indent;
            opportunity = None;
        }
        columns += own;
        (second_before, before) = (before, Some(char));
    }
    row(start..text.len(), set_in);
}

fn may_break(second_before: Option<char>, before: char, after: char) -> bool {
    match before {
        ' ' | ',' | ';' | '&' | '|' => after != ' ',
        // Not in the middle of `https://`.
        '/' => after != '/' && second_before != Some('/'),
        _ if after.width() == Some(2) => {
            !"、。，．）」』】〉》？！：；ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ".contains(after)
                && !"（「『【〈《".contains(before)
        }
        _ => {
            before.width() == Some(2)
                && after != ' '
                && !"（「『【〈《".contains(before)
                && !after.is_ascii_punctuation()
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn rows(text: &str, width: u16) -> Vec<&str> {
        let mut rows = Vec::new();
        wrap(text, width, 2, &mut |range, _| rows.push(&text[range]));
        rows
    }

    #[test]
    fn breaks_after_blanks_and_punctuation() {
        assert_eq!(rows("one two three", 8), ["one two ", "three"]);
        assert_eq!(rows("a=1&b=2&c=3", 8), ["a=1&b=2&", "c=3"]);
    }

    #[test]
    fn a_scheme_stays_with_its_host() {
        assert_eq!(rows("look at https://mail.contoso.com", 26), ["look at ", "https://mail.contoso.com"]);
    }

    #[test]
    fn japanese_rows_do_not_begin_with_a_full_stop() {
        assert_eq!(rows("通信は続きます。記録", 14), ["通信は続きま", "す。記録"]);
    }

    #[test]
    fn nothing_is_lost_and_no_row_is_too_wide() {
        let text =
            "Bearer 負荷分散装置が https://mail.contoso.com/ への要求を、http で転送しています。\u{301}e\u{301} x"
                .repeat(3);
        for width in 2..60 {
            let rows = rows(&text, width);
            assert_eq!(rows.concat(), text);
            let indents = |at: usize| if at == 0 { 0 } else { 2.min(usize::from(width) / 2) };
            for (at, row) in rows.iter().enumerate().filter(|_| width > 4) {
                assert!(row.width() + indents(at) <= usize::from(width), "{width}: {row}");
            }
        }
    }
}
