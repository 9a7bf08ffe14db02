//! The moment in a `Date` header (RFC 9110 section 5.6.7), in all three forms that servers ever wrote.

/// Seconds since 1970: of `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`.
pub(in crate::diagnosis) fn seconds(text: &str) -> Option<i64> {
    let (mut day, mut month, mut year, mut clock) = (None, None, None, None);
    for word in text.split([' ', ',', '-', '\t']).filter(|word| !word.is_empty()) {
        if word.contains(':') {
            clock = clock.or_else(|| of_day(word));
        } else if let Ok(number) = word.parse::<i32>() {
            let place = if day.is_none() { &mut day } else { &mut year };
            *place = place.or(Some(number));
        } else if let Some(found) = MONTHS.iter().position(|name| starts_with(word, name)) {
            month = month.or(u8::try_from(found + 1).ok());
        }
    }
    let year = match year? {
        year @ 0..70 => 2000 + year,
        year @ 70..100 => 1900 + year,
        year => year,
    };
    let month = time::Month::try_from(month?).ok()?;
    let date = time::Date::from_calendar_date(year, month, u8::try_from(day?).ok()?).ok()?;
    let midnight = date.midnight().assume_utc().unix_timestamp();
    Some(midnight + clock?)
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

fn starts_with(word: &str, start: &str) -> bool {
    word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

fn of_day(clock: &str) -> Option<i64> {
    let mut parts = clock.split(':').map(|part| part.parse::<u8>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    (hours < 24 && minutes < 60 && seconds <= 60 && parts.next().is_none())
        .then(|| (i64::from(hours) * 60 + i64::from(minutes)) * 60 + i64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_the_same_moment() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(seconds(text), Some(784_111_777), "{text}");
        }
        assert_eq!(seconds("Fri, 20 Nov 2026 09:12:44 GMT"), Some(1_795_165_964));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "yesterday", "Sun, 31 Feb 2026 08:49:37 GMT", "Sun, 06 Nov 1994", "[hidden #1]", "-1", "0"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
