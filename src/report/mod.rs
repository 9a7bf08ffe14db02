//! What is said on standard output: diagnoses, headless event lines and the pages of findings, as text, JSON,
//! Markdown and HTML.
//!
//! Every writer takes clean values only, so nothing here has to hide anything.

pub mod comparison;
pub mod explain;
pub mod html;
pub mod json;
pub mod markdown;
pub mod sanitizing;
pub mod snippet;
pub mod text;

mod drawing;
mod layout;
mod outline;
#[cfg(test)]
mod sample;
mod words;
