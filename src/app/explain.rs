//! `authtap explain`: the page of one finding, and the list of all.

use super::output::Output;
use super::{Exit, Fault};
use crate::diagnosis::rules::none::{NONE, none};
use crate::diagnosis::rules::{RULES, rule};
use crate::report::explain;
use crate::text::Language;

pub(super) fn explain(id: Option<&str>, language: Language) -> Result<Exit, Fault> {
    let page = match id {
        None => explain::list(&RULES, language) + &explain::list_none(NONE, language),
        Some(id) => match (rule(id), none(id)) {
            (Some(rule), _) => explain::page(rule, language),
            (None, Some(cause)) => explain::none(cause, language),
            (None, None) => {
                return Err(Fault::NoSuchFinding { id: id.to_owned(), near: explain::meant(&RULES, id) });
            }
        },
    };
    Output::standard().page(&page)?;
    Ok(Exit::Done)
}
