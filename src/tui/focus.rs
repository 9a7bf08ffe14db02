//! The parts of the screen, and what the keys are for at the moment.

use super::words;
use crate::diagnosis::Place;
use crate::text::Text;

/// The parts of the screen that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    Flows,
    Handshake,
    Findings,
    Request,
    Response,
}

impl Pane {
    pub(super) const ALL: [Self; 5] = [Self::Flows, Self::Findings, Self::Request, Self::Response, Self::Handshake];

    pub(super) const fn title(self) -> Text {
        match self {
            Self::Flows => words::text("Flows", "フロー"),
            Self::Handshake => words::text("Handshake", "ハンドシェイク"),
            Self::Findings => words::text("Findings", "所見"),
            Self::Request => words::text("Request", "リクエスト"),
            Self::Response => words::text("Response", "レスポンス"),
        }
    }

    pub(super) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    pub(super) fn previous(self) -> Self {
        let at = Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0);
        Self::ALL[(at + Self::ALL.len() - 1) % Self::ALL.len()]
    }
}

/// What the keys are for at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Browse,
    Filter,
    Help,
    Readiness,
    Copy,
    Compare,
    Quit,
}

/// The pane that shows a place.
pub(super) const fn pane_of(place: &Place) -> Pane {
    match place {
        Place::RequestUrl | Place::RequestHeader(_) | Place::RequestBody | Place::ConnectionClient => Pane::Request,
        Place::ResponseStatus | Place::ResponseHeader(_) | Place::ResponseBody | Place::ConnectionServer => {
            Pane::Response
        }
    }
}
