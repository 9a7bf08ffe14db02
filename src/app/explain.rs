//! `authtap explain`: the page of one finding, and the list of all.

use super::output::Output;
use super::{Exit, Fault};
use crate::diagnosis::rules::RULES;
use crate::report::explain;
use crate::text::Language;

pub(super) fn explain(id: Option<&str>, language: Language) -> Result<Exit, Fault> {
    let page = match id {
        None => explain::list(&RULES, language),
        Some(id) => {
            let rule = RULES.iter().find(|rule| rule.id == id);
            let rule =
                rule.ok_or_else(|| Fault::NoSuchFinding { id: id.to_owned(), near: explain::meant(&RULES, id) })?;
            explain::page(rule, language)
        }
    };
    Output::standard().page(&page)?;
    Ok(Exit::Done)
}
