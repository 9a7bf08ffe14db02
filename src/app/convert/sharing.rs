//! For whom a file is made. Strangers get stand-ins in the place of private names: those are learned before anything is
//! written, and looked for in what was written before it gets its name.

use std::collections::BTreeMap;
use std::path::Path;

use zeroize::Zeroizing;

use crate::app::{Fault, Share};
use crate::redact::Redactor;
use crate::session::{Opening, Public, Reader, Recorded, SessionError, texts};

pub(super) enum Sharing {
    /// With those who see all that is in a session.
    AsItIs,
    /// With anybody.
    Public(Box<Public>),
}

impl Sharing {
    /// Reads all of `from` where that has to be known before. What is made comes from `opening`'s redactor.
    pub(super) fn learned(share: Share, from: &Path, opening: &Opening<'_>) -> Result<Self, Fault> {
        if share == Share::Support {
            return Ok(Self::AsItIs);
        }
        let mut public = Public::new(opening.redactor);
        // Its labels and pseudonyms are not those of what is written.
        let redactor = Redactor::new();
        let learning = Opening { redactor: &redactor, password: opening.password, progress: opening.progress.clone() };
        for recorded in Reader::open(from, &learning)?.exchanges() {
            match recorded {
                Ok(recorded) => public.learn(&recorded),
                Err(SessionError::Cancelled) => return Err(SessionError::Cancelled.into()),
                // It is said when it is met again.
                Err(_) => {}
            }
        }
        Ok(Self::Public(Box::new(public)))
    }

    /// What may be given to those whom the file is for.
    pub(super) fn shared(&mut self, recorded: Recorded) -> Recorded {
        match self {
            Self::AsItIs => recorded,
            Self::Public(public) => public.of(recorded),
        }
    }

    /// Looks for private names in the finished draft of `path`.
    pub(super) fn check(&self, draft: &Path, password: Option<&Zeroizing<String>>, path: &Path) -> Result<(), Fault> {
        let Self::Public(public) = self else { return Ok(()) };
        let search = public.search();
        let (mut count, mut first) = (0, None);
        texts(draft, password, &mut |place, text| {
            let found = search.count(text);
            if found > 0 && first.is_none() {
                first = Some((place.exchange, place.part.to_owned()));
            }
            count += found;
            Ok(())
        })?;
        match first {
            None => Ok(()),
            Some((exchange, part)) => Err(Fault::NamesLeft { path: path.to_owned(), count, exchange, part }),
        }
    }

    /// How many names of each kind have stand-ins.
    pub(super) fn replaced(&self) -> BTreeMap<&'static str, u64> {
        match self {
            Self::AsItIs => BTreeMap::new(),
            Self::Public(public) => public.counts(),
        }
    }

    /// How many names there was no room to tell apart.
    pub(super) fn beyond(&self) -> u64 {
        match self {
            Self::AsItIs => 0,
            Self::Public(public) => public.beyond(),
        }
    }
}
