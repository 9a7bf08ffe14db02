//! Sessions: exchanges kept in files, and the files and texts they are read from.
//!
//! [`native`] is the store of every capture, [`autosave`] decides where it lies when nobody names a file, [`kind`] tells
//! what a file is by its content, [`paste`] reads HTTP that somebody copied as text, [`har`] other tools' traces. Each
//! further format gets a file of its own. Nothing here judges what it reads; all of it comes in through the redactor's own door, so a file that
//! somebody tampered with cannot bring in more than the wire could.

pub mod autosave;
mod error;
pub mod har;
pub mod kind;
mod native;
pub mod paste;

pub use error::SessionError;
pub use native::{Exchanges, Mode, Outline, Outlines, Run, Session, Walk, Writer, WriterStatus};
