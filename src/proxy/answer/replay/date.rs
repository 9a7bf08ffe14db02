//! Moving the dates of a recording.

use time::{Date, Duration, Month, PrimitiveDateTime, Time};

/// A date of HTTP so many seconds later, in the same form: that of RFC 9110, or with dashes as in old cookies. Nothing
/// where it is no such date.
pub(crate) fn later(text: &str, seconds: i64) -> Option<String> {
    let mut words = text.split([' ', ',', '-']).filter(|word| !word.is_empty());
    let mut word = || words.next();
    let (_, day, month, year, clock) = (word()?, word()?, word()?, word()?, word()?);
    let year: i32 = match year.parse().ok()? {
        short @ 0..70 => 2000 + short,
        short @ 70..100 => 1900 + short,
        year => year,
    };
    let number = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let month = Month::try_from(u8::try_from(number + 1).ok()?).ok()?;
    let mut clock = clock.split(':').map(|part| part.parse().ok());
    let time = Time::from_hms(clock.next()??, clock.next()??, clock.next()??).ok()?;
    let date = Date::from_calendar_date(year, month, day.parse().ok()?).ok()?;
    let moved = PrimitiveDateTime::new(date, time).checked_add(Duration::seconds(seconds))?;
    let dash = if text.contains('-') { '-' } else { ' ' };
    let (year, month, day) = moved.to_calendar_date();
    let month = MONTHS[usize::from(u8::from(month)) - 1];
    let weekday = moved.weekday().to_string();
    let (hour, minute, second) = moved.as_hms();
    let weekday = &weekday[..3];
    Some(format!("{weekday}, {day:02}{dash}{month}{dash}{year:04} {hour:02}:{minute:02}:{second:02} GMT"))
}

/// A cookie that expires so many seconds later: one that was good for an hour is again.
pub(crate) fn cookie_later(value: &str, seconds: i64) -> String {
    let parts = value.split(';').map(|part| {
        let Some((name, date)) = part.split_once('=') else { return part.to_owned() };
        let moved = if name.trim().eq_ignore_ascii_case("expires") { later(date.trim(), seconds) } else { None };
        moved.map_or_else(|| part.to_owned(), |moved| format!("{name}={moved}"))
    });
    parts.collect::<Vec<_>>().join(";")
}

/// The JSON of a token endpoint with its points in time so many seconds later. Spans (`expires_in`) stay.
pub(crate) fn json_later(text: &str, seconds: i64) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some((before, point)) = next_point(rest) {
        out.push_str(&rest[..before]);
        let length = rest[before..].bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&point.saturating_add(seconds).to_string());
        rest = &rest[before + length..];
    }
    out.push_str(rest);
    out
}

/// Where the digits of the next point in time begin, and what they say.
fn next_point(text: &str) -> Option<(usize, i64)> {
    let mut found = POINTS
        .iter()
        .filter_map(|name| {
            text.match_indices(name).find_map(|(at, _)| {
                let after = at + name.len();
                let digits = after + text[after..].find(|c: char| !matches!(c, ' ' | ':' | '"'))?;
                let length = text[digits..].bytes().take_while(u8::is_ascii_digit).count();
                Some((digits, text[digits..digits + length].parse().ok()?))
            })
        })
        .collect::<Vec<_>>();
    found.sort_unstable();
    found.into_iter().next()
}

const POINTS: [&str; 2] = ["\"expires_on\"", "\"not_before\""];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_their_form() {
        let hour = |text| later(text, 3600);
        assert_eq!(hour("Thu, 16 Nov 2017 23:37:48 GMT").as_deref(), Some("Fri, 17 Nov 2017 00:37:48 GMT"));
        assert_eq!(hour("Wed, 25-Oct-17 11:59:16 GMT").as_deref(), Some("Wed, 25-Oct-2017 12:59:16 GMT"));
        for none in ["", "0", "-1", "3600", "Thu, 99 Nov 2017 23:37:48 GMT", "Thu, 16 Nox 2017 23:37:48 GMT"] {
            assert_eq!(hour(none), None, "{none}");
        }
    }

    #[test]
    fn a_cookie_lives_as_long_as_it_did() {
        let value = "a=b=c; path=/; Expires=Thu, 16 Nov 2017 23:37:48 GMT; HttpOnly; expires=soon";
        let moved = "a=b=c; path=/; Expires=Fri, 17 Nov 2017 00:37:48 GMT; HttpOnly; expires=soon";
        assert_eq!(cookie_later(value, 3600), moved);
    }

    #[test]
    fn what_a_token_endpoint_says_of_time_moves_with_the_token() {
        let text = r#"{"expires_in":"3599","expires_on" : "1510868268","not_before":1510864368,"expires_on":null}"#;
        let moved = r#"{"expires_in":"3599","expires_on" : "1510868278","not_before":1510864378,"expires_on":null}"#;
        assert_eq!(json_later(text, 10), moved);
    }
}
