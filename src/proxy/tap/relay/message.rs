//! One message on its way, where no byte beyond it may pass.

use crate::wire::Event;
use crate::wire::http1::Reader;

/// Tells how much of what a source has at hand belongs to the message.
pub(crate) struct Message<'r> {
    reader: &'r mut Reader,
    /// How many bytes at the front of the source are known to belong to it.
    known: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// More of it may come.
    Open,
    Complete,
    /// It is a response after which the connection carries another protocol.
    Upgraded,
    /// Where it ends nobody can tell.
    Lost,
}

impl<'r> Message<'r> {
    /// The next one that `reader` is to follow.
    pub(crate) const fn new(reader: &'r mut Reader) -> Self {
        Self { reader, known: 0, state: State::Open }
    }

    /// One whose `head` passes on another way.
    pub(crate) fn after(head: &[u8], reader: &'r mut Reader) -> Self {
        let mut message = Self::new(reader);
        message.measure(head);
        Self { known: 0, ..message }
    }

    /// How many of the `bytes` at hand may pass; none once it is over.
    pub(super) fn measure(&mut self, bytes: &[u8]) -> usize {
        let Self { reader, known, state } = self;
        if *known == 0 && *state == State::Open {
            *known = reader.read_message(bytes, &mut |event| match event {
                Event::End => *state = State::Complete,
                Event::Upgraded => *state = State::Upgraded,
                Event::Lost(_) => *state = State::Lost,
                _ => {}
            });
        }
        *known
    }

    /// So many of them have passed.
    pub(super) const fn passed(&mut self, amount: usize) {
        self.known -= amount;
    }

    /// Whether all of it has passed.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete && self.known == 0
    }

    /// Whether what follows is another protocol, and this has passed.
    pub(super) fn is_upgraded(&self) -> bool {
        self.state == State::Upgraded && self.known == 0
    }

    /// Whether its end cannot be told, and what was at hand has passed.
    pub(crate) fn is_lost(&self) -> bool {
        self.state == State::Lost && self.known == 0
    }
}
