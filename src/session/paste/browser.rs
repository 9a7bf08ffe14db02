//! What browsers show of a request beside its raw text: a summary (`Request URL`, `Status Code`), then names and values
//! under headings, on one line each or on two.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text as raw messages, where it is such a view.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !is_view(text) {
        return Cow::Borrowed(text);
    }
    let View { method, url, status, request, response, provisional, body } = View::read(text);
    if status.or(url).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let lines = |plain: &mut String, fields: &[(&str, &str)]| {
        for (name, value) in fields {
            let _ = writeln!(plain, "{name}: {value}");
        }
    };
    if let Some(url) = url {
        let _ = writeln!(plain, "{} {url} HTTP/1.1", method.unwrap_or("GET"));
        if request.is_empty() || provisional {
            let _ = writeln!(plain, "{EXCERPT}");
        }
        lines(&mut plain, &request);
        plain.push('\n');
    }
    if let Some(status) = status {
        let _ = writeln!(plain, "HTTP/1.1 {status}");
        if response.is_empty() {
            let _ = writeln!(plain, "{EXCERPT}");
        }
    }
    lines(&mut plain, &response);
    if !body.is_empty() {
        let _ = writeln!(plain, "\n{body}");
    }
    Cow::Owned(plain)
}

/// A line that says of the head it stands in that it is not all there.
pub(super) const EXCERPT: &str = "\u{2702}";

#[derive(Default)]
struct View<'t> {
    method: Option<&'t str>,
    url: Option<&'t str>,
    /// `401 Unauthorized`.
    status: Option<&'t str>,
    request: Vec<(&'t str, &'t str)>,
    response: Vec<(&'t str, &'t str)>,
    provisional: bool,
    /// What was pasted below the fields: the text of the answer.
    body: &'t str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    General,
    Request,
    Response,
}

fn is_view(text: &str) -> bool {
    let named = |name: &str| {
        text.lines().any(|line| {
            let line = line.trim();
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
                && line[name.len()..]
                    .trim_start()
                    .trim_start_matches(':')
                    .trim_start()
                    .get(..1)
                    .is_none_or(|first| first.starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_alphabetic()))
        })
    };
    named("Request URL") || (named("Status Code") && (named("Request Method") || named("Response Headers")))
}

impl<'t> View<'t> {
    fn read(text: &'t str) -> Self {
        let (mut view, mut section) = (Self::default(), Section::General);
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
        while let Some(line) = lines.next() {
            if let Some(heading) = heading(line) {
                section = heading;
                continue;
            }
            if ["view source", "view parsed", "view decoded", "raw"].iter().any(|link| line.eq_ignore_ascii_case(link))
            {
                continue;
            }
            if line.starts_with("Provisional headers are shown") {
                view.provisional = true;
                continue;
            }
            if line.starts_with(['{', '<']) {
                view.body = text[line.as_ptr().addr() - text.as_ptr().addr()..].trim_end();
                break;
            }
            let Some((name, value)) = pair(line, &mut lines) else { continue };
            view.take(section, name, value);
        }
        view
    }

    fn take(&mut self, section: Section, name: &'t str, value: &'t str) {
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        match () {
            () if is(&["Request URL"]) => self.url = Some(value),
            () if is(&["Request Method"]) => self.method = Some(value),
            () if is(&["Status Code"]) => self.status = Some(value.trim_start_matches(|c: char| !c.is_ascii_digit())),
            () if is(&["Remote Address", "Referrer Policy", "Request Version", "Source Address"]) => {}
            () if name.starts_with(':') => {}
            () if section == Section::Request
                || (section == Section::General && super::excerpt::is_of_request(name)) =>
            {
                self.request.push((name, value));
            }
            () => self.response.push((name, value)),
        }
    }
}

/// A heading, with what may stand beside it: a number, `view source`.
fn heading(line: &str) -> Option<Section> {
    let word = |name: &str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let alone = |name: &str| word(name) && !line[name.len()..].contains(':') && line.len() < name.len() + 24;
    match () {
        () if alone("Response Headers") => Some(Section::Response),
        () if alone("Request Headers") => Some(Section::Request),
        () if alone("General") => Some(Section::General),
        () => None,
    }
}

/// A name and its value: on one line, or the value on the next.
fn pair<'t>(line: &'t str, lines: &mut impl Iterator<Item = &'t str>) -> Option<(&'t str, &'t str)> {
    let summary = ["Request URL", "Request Method", "Status Code", "Remote Address", "Referrer Policy"];
    let is_name = |name: &str| {
        let token = name.trim_start_matches(':');
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            || summary.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let from = usize::from(line.starts_with(':'));
    match line[from..].find(':').map(|at| (&line[..at + from], line[at + from + 1..].trim())) {
        Some((name, value)) if is_name(name) && !value.is_empty() => Some((name, value)),
        Some((name, _)) if is_name(name) => Some((name, lines.next()?)),
        _ if is_name(line) => Some((line, lines.next()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    const RAW: &str = "POST https://a.contoso.com/x HTTP/1.1\nuser-agent: x\n\nHTTP/1.1 401 Unauthorized\nserver: y\nwww-authenticate: NTLM\n";

    #[test]
    fn summaries_with_headings_and_names_beside_their_values() {
        let text = "General\nRequest URL: https://a.contoso.com/x\nRequest Method: POST\nStatus Code: 401 Unauthorized\n\
                    Remote Address: 192.0.2.1:443\nResponse Headers (2)\nview source\nserver: y\nwww-authenticate: NTLM\nRequest Headers\n\
                    :authority: a.contoso.com\nuser-agent: x\n";
        assert_eq!(plain(text), RAW);
    }

    #[test]
    fn names_above_their_values() {
        for colon in ["", ":"] {
            let text = format!(
                "Request URL{colon}\nhttps://a.contoso.com/x\nRequest Method{colon}\nPOST\nStatus Code{colon}\n401 Unauthorized\n\
                 server{colon}\ny\nwww-authenticate{colon}\nNTLM\n:authority{colon}\na.contoso.com\nuser-agent{colon}\nx\n"
            );
            assert_eq!(plain(&text), RAW, "{text}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in ["HTTP/1.1 401 U\nServer: x\n", "The Request URL is wrong", "Status Code", ""] {
            assert!(matches!(plain(text), std::borrow::Cow::Borrowed(_)), "{text}");
        }
    }
}
