//! Leaves of XML: the texts that stand between a tag and its end. What they mean is for the decoders of each protocol.

/// The texts of the elements called `name`, whatever their namespace prefix, that hold nothing but text; in order.
pub(in crate::diagnosis) fn leaves<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(name).filter_map(move |(at, _)| {
        let before = &text[..at];
        let opens = before.ends_with('<') || prefixed(before);
        let after = text[at + name.len()..].chars().next()?;
        if !opens || !(after == '>' || after.is_ascii_whitespace()) {
            return None;
        }
        let rest = &text[at + name.len()..];
        let (attributes, inside) = rest.split_once('>')?;
        let (leaf, end) = inside.split_once('<')?;
        (!attributes.ends_with('/') && end.starts_with('/')).then(|| leaf.trim())
    })
}

/// The first of them that is not empty.
pub(in crate::diagnosis) fn leaf<'t>(text: &'t str, name: &'t str) -> Option<&'t str> {
    leaves(text, name).find(|leaf| !leaf.is_empty())
}

/// Whether `before` ends with `<prefix:`.
fn prefixed(before: &str) -> bool {
    let Some(name) = before.strip_suffix(':') else { return false };
    let start = name.rfind(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.')));
    start.is_some_and(|start| name[start..].starts_with('<') && start + 1 < name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_found_by_their_local_name() {
        let text = "<a:Status x=\"1\"> 142 </a:Status><Status>1</Status><Statuses>2</Statuses><Status/>\
                    <Status><b>3</b></Status>Status>4</Status>";
        assert_eq!(leaves(text, "Status").collect::<Vec<_>>(), ["142", "1"]);
        assert_eq!(leaf(text, "Status"), Some("142"));
        assert_eq!(leaf("<Status></Status><Status>7</Status>", "Status"), Some("7"));
        assert_eq!(leaf("<Status>cut", "Status"), None);
    }
}
