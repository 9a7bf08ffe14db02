//! By what people are known again, and how commands name them. Not how people become pseudonyms: that is `redact`'s.

use crate::redact::Clean;

/// `user#1` of `user#1@contoso.com`, `CONTOSO\user#1` and `user#1`: the same for one person in every form.
pub(super) fn number_of(user: &Clean) -> Option<&str> {
    let text = user.as_str();
    let start = text.find("user#")?;
    let digits = text[start + 5..].bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| &text[start..start + 5 + digits])
}

/// `<UPN of user#1>` for `user#1@contoso.com`, `CONTOSO\user#1` and `user#1`.
pub(super) fn upn_of(user: &Clean) -> Clean {
    let text = user.as_str();
    let name = text.rsplit_once('\\').map_or(text, |(_, name)| name);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    Clean::concat(["<UPN of ".into(), user.part(name), ">".into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_left_out_in_every_form() {
        for form in ["user#1@contoso.com", "CONTOSO\\user#1", "user#1"] {
            assert_eq!(upn_of(&Clean::from(form)), "<UPN of user#1>");
            assert_eq!(number_of(&Clean::from(form)), Some("user#1"));
        }
    }
}
