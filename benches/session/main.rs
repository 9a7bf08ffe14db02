//! Makes a session as long as one wants it: what the figures on long sessions in docs/performance.md are measured on.
//!
//! `cargo bench --profile release --bench session -- FILE [COUNT]` writes COUNT exchanges (a million, unless said
//! otherwise) into FILE, in the form that its extension names.

#![allow(clippy::unwrap_used, reason = "a tool of the developers may stop")]

mod traffic;

fn main() {
    // Cargo adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let Some(file) = arguments.first() else { return };
    let count = arguments.get(1).map_or(1_000_000, |count| count.parse().unwrap());
    traffic::write(file.as_ref(), count);
}
