//! What is said on standard output: diagnoses, headless event lines and the pages of findings, as text and as JSON.
//!
//! Every writer takes clean values only, so nothing here has to hide anything.

pub mod explain;
pub mod json;
pub mod text;

mod layout;
#[cfg(test)]
mod sample;
