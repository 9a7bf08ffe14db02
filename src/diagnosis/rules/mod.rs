//! The causes, one a file.

use super::Rule;

/// All rules. All of them run; their order ranks the findings of one exchange, the particular before the general.
pub static RULES: &[&Rule] = &[];
