//! What `scripts/bench` measures with: an origin, a load generator, and the floor: a proxy that takes requests apart
//! and puts them together again with hyper, one server connection for a client connection, and does nothing else.

mod certificates;
mod filler;
mod load;
mod origin;
mod proxy;
mod tls;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What may go wrong; it ends the program with its words.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "floor certificates|origin|proxy|load --NAME VALUE…; scripts/bench knows how";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let mut words = std::env::args().skip(1);
    let task = words.next().ok_or(USAGE)?;
    let options = Options::read(words)?;
    // As many threads as authtap gives to its connections.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match task.as_str() {
        "certificates" => certificates::make(&options.folder()?),
        "origin" => runtime.block_on(origin::serve(&options)),
        "proxy" => runtime.block_on(proxy::serve(&options)),
        "load" => runtime.block_on(load::run(options)),
        _ => Err(USAGE.into()),
    }
}

/// The options after the task's name.
struct Options(HashMap<String, String>);

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options = HashMap::new();
        while let Some(name) = words.next() {
            let name = name.strip_prefix("--").ok_or(USAGE)?.to_owned();
            options.insert(name, words.next().ok_or(USAGE)?);
        }
        Ok(Self(options))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn text(&self, name: &str) -> Outcome<&str> {
        self.get(name).ok_or_else(|| format!("--{name} is missing").into())
    }

    fn number(&self, name: &str, otherwise: u64) -> Outcome<u64> {
        self.get(name).map_or(Ok(otherwise), |text| Ok(text.parse()?))
    }

    fn seconds(&self, name: &str) -> Outcome<f64> {
        Ok(self.text(name)?.parse()?)
    }

    /// Where the certificates are.
    fn folder(&self) -> Outcome<PathBuf> {
        Ok(Path::new(self.text("certificates")?).to_owned())
    }
}
