//! Equal secrets get equal labels.

use std::fmt;

/// The name of one secret within one run: `#1`, `#2`…
///
/// Equal secrets have equal labels within a run, so that "the same password again" can be said without knowing it.
/// Labels of different runs say nothing about each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Label(pub u32);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
