//! Exchange builds: which product a version number is, and what it can do. Not where rules draw conclusions from it.

use std::fmt;

use crate::diagnosis::{Case, Evidence};

/// An Exchange version as `X-OWA-Version` and `X-ServerApplication` give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::diagnosis) struct Build {
    major: u16,
    minor: u16,
    update: u16,
    revision: u16,
}

impl Build {
    /// 2013 CU19: the first of its product with hybrid modern authentication.
    const HYBRID_2013: Self = Self::new(15, 0, 1365);
    /// 2016 CU8: likewise.
    const HYBRID_2016: Self = Self::new(15, 1, 1415);
    /// 2019 CU13: the first with modern authentication by AD FS.
    const ADFS: Self = Self::new(15, 2, 1258);

    /// 2019 CU2: the first of one's own whose authentication policies can block the old schemes.
    const POLICIES: Self = Self::new(15, 2, 397);
    /// 2019 CU14: Extended Protection is on unless somebody chose otherwise.
    const PROTECTED: Self = Self::new(15, 2, 1544);

    const fn new(major: u16, minor: u16, update: u16) -> Self {
        Self { major, minor, update, revision: 0 }
    }

    /// The build that answered, with the header that says so.
    pub(in crate::diagnosis) fn of(case: &Case<'_>) -> Option<(Self, Evidence)> {
        ["x-owa-version", "x-serverapplication"].into_iter().find_map(|name| {
            let build = Self::read(case.response_header(name)?.as_str())?;
            Some((build, case.evidence_header(name)))
        })
    }

    /// Reads `15.1.2507.55`, `15.01.2507.055` and `Exchange/15.01.2507.055`.
    pub(in crate::diagnosis) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let numbers = text.rsplit_once('/').map_or(text, |(_, numbers)| numbers);
        let mut numbers = numbers.split('.').map(|number| number.trim().parse::<u16>().ok());
        let (major, minor, update) = (numbers.next()??, numbers.next()??, numbers.next()??);
        Some(Self { major, minor, update, revision: numbers.next().flatten().unwrap_or(0) })
    }

    /// Whether hybrid modern authentication came only with a later update of this product.
    pub(in crate::diagnosis) fn before_hybrid_modern_authentication(self) -> bool {
        self.major == 15
            && match self.minor {
                0 => self < Self::HYBRID_2013,
                1 => self < Self::HYBRID_2016,
                _ => false,
            }
    }

    /// Whether AD FS can be the authority of modern authentication here.
    pub(in crate::diagnosis) fn takes_adfs_tokens(self) -> bool {
        self >= Self::ADFS
    }

    /// Whether authentication policies can block the old schemes here.
    pub(in crate::diagnosis) fn has_authentication_policies(self) -> bool {
        self >= Self::POLICIES
    }

    /// Whether Extended Protection is on by default.
    pub(in crate::diagnosis) fn has_extended_protection(self) -> bool {
        self >= Self::PROTECTED
    }

    /// Exchange 2007 or older: no mailbox replication proxy.
    pub(in crate::diagnosis) const fn is_2007_or_older(self) -> bool {
        self.major < 14
    }

    /// Exchange 2003 or older: no Exchange Web Services.
    pub(in crate::diagnosis) const fn is_2003_or_older(self) -> bool {
        self.major < 8
    }

    /// What Microsoft sells it as.
    pub(in crate::diagnosis) const fn product(self) -> Option<&'static str> {
        Some(match (self.major, self.minor, self.update) {
            (6, 5, _) => "Exchange Server 2003",
            (8, ..) => "Exchange Server 2007",
            (14, ..) => "Exchange Server 2010",
            (15, 0, _) => "Exchange Server 2013",
            (15, 1, _) => "Exchange Server 2016",
            (15, 2, 2562..) => "Exchange Server SE",
            (15, 2, _) => "Exchange Server 2019",
            (15, 20.., _) => "Exchange Online",
            _ => return None,
        })
    }

    /// The update of the product that it belongs to, for those that matter to authentication.
    pub(in crate::diagnosis) const fn release(self) -> Option<&'static str> {
        Some(match (self.major, self.minor, self.update, self.revision) {
            (15, 0, 1365, _) => "CU19",
            (15, 0, 1497, _) | (15, 1, 2507, _) => "CU23",
            (15, 1, 1415, _) => "CU8",
            (15, 2, 221, _) | (15, 2, 2562, 17..=19) => "RTM",
            (15, 2, 1118, _) => "CU12",
            (15, 2, 1258, _) => "CU13",
            (15, 2, 1544, _) => "CU14",
            (15, 2, 1748, _) => "CU15",
            (15, 2, 2562, 20..=28) => "August 2025 update",
            (15, 2, 2562, 29..=34) => "October 2025 update",
            (15, 2, 2562, 35..=36) => "December 2025 update",
            (15, 2, 2562, 37..=40) => "February 2026 update",
            (15, 2, 2562, 41..) => "May 2026 hotfix update or later",
            _ => return None,
        })
    }

    /// Exchange 2010 or older: no OAuth at all.
    pub(in crate::diagnosis) const fn is_2010_or_older(self) -> bool {
        self.major < 15
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.update)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings() {
        assert_eq!(Build::read("15.1.2507.55"), Build::read(" Exchange/15.01.2507.055"));
        assert_eq!(Build::read("15.1.2507.55").unwrap().to_string(), "15.1.2507");
        assert_eq!(Build::read("15"), None);
        assert_eq!(Build::read("[hidden]"), None);
    }

    #[test]
    fn builds_are_known_by_the_name_they_are_sold_under() {
        let product = |text| Build::read(text).unwrap().product();
        assert_eq!(product("14.3.513.0"), Some("Exchange Server 2010"));
        assert_eq!(product("15.1.2507.55"), Some("Exchange Server 2016"));
        assert_eq!(product("15.2.1748.10"), Some("Exchange Server 2019"));
        assert_eq!(product("15.2.2562.17"), Some("Exchange Server SE"));
        assert_eq!(product("15.20.8000.1"), Some("Exchange Online"));
        assert_eq!(product("16.0.1.2"), None);
        let release = |text| Build::read(text).unwrap().release();
        assert_eq!(release("15.02.1544.004"), Some("CU14"));
        assert_eq!(release("15.2.2562.37"), Some("February 2026 update"));
        assert_eq!((release("15.2.2562.3"), release("15.20.8000.1")), (None, None));
    }

    #[test]
    fn the_first_builds_count_as_able() {
        let before = |text| Build::read(text).unwrap().before_hybrid_modern_authentication();
        assert!(before("15.0.1320.4") && before("15.1.1261.35"));
        assert!(!before("15.0.1365.1") && !before("15.1.1415.2") && !before("15.2.196.0") && !before("15.20.8000.1"));
        let adfs = |text| Build::read(text).unwrap().takes_adfs_tokens();
        assert!(adfs("15.2.1258.12") && adfs("15.2.2562.17") && !adfs("15.2.1118.7") && !adfs("15.1.2507.55"));
    }
}
