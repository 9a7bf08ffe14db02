//! Sessions: exchanges kept in files, and the files and texts they are read from.
//!
//! [`Reader`] reads a session file of any kind as a stream of exchanges, [`Export`] writes one of any kind; behind them
//! each format has a file of its own. [`native`] is the store of every capture, [`autosave`] decides where it lies when
//! nobody names a file, [`kind`] tells what a file is by its content, [`paste`] reads HTTP that somebody copied as text.
//! Nothing here judges what it reads. All of it comes in through the door, so a file that somebody tampered with cannot
//! bring in more than the wire could.

pub mod autosave;
mod error;
mod export;
mod facts;
mod failure;
mod foreign;
pub mod har;
pub mod kind;
mod manifest;
mod mitm;
mod native;
mod order;
mod origins;
pub mod paste;
mod progress;
mod provenance;
mod public;
mod reader;
mod recorded;
mod saz;
mod spool;
mod stripped;
mod texts;

pub use error::SessionError;
pub use export::{Export, Form};
pub use manifest::{Manifest, Stated};
#[cfg(test)]
use native::made;
pub use native::{Exchanges, Mode, Outline, Outlines, Run, Session, Walk, Writer, WriterStatus};
pub use progress::Progress;
pub use provenance::Provenance;
pub use public::Public;
pub use reader::{Opening, Reader, Stream};
pub use recorded::{Origin, Recorded};
pub use texts::{Each, Place, texts};
