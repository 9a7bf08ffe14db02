//! Tests over all rules: what each of them promises, it keeps.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::RULES;
use crate::text::Text;

#[test]
fn every_rule_does_what_its_examples_say() {
    let wrong: Vec<String> =
        RULES.iter().flat_map(|rule| rule.examples.iter().filter_map(|example| example.wrong(rule))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_an_example_that_fires_and_a_near_miss() {
    for rule in RULES.iter() {
        assert!(rule.examples.iter().any(|example| example.expected.is_some()), "{}: nothing fires", rule.id);
        assert!(rule.examples.iter().any(|example| example.expected.is_none()), "{}: no near miss", rule.id);
    }
}

#[test]
fn ids_are_unique_and_name_the_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnosis/rules");
    let names = |folder: &Path| -> Vec<_> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let families = names(&folder).into_iter().filter(|name| !name.contains('.'));
    let files: BTreeSet<_> =
        families.flat_map(|family| names(&folder.join(family))).filter(|name| name != "mod.rs").collect();
    let named: BTreeSet<_> = RULES.iter().map(|rule| format!("{}.rs", rule.id.replace('-', "_"))).collect();
    assert_eq!(files, named);
    assert_eq!(named.len(), RULES.len(), "an id stands twice");
}

#[test]
fn every_rule_has_words_in_both_languages_and_sources() {
    for rule in RULES.iter() {
        for Text { en, ja } in [rule.title, rule.explanation, rule.remedy] {
            assert!(en.len() > 5 && ja.len() > 5, "{}: words are missing", rule.id);
            assert!(!ja.is_ascii(), "{}: not Japanese: {ja}", rule.id);
            assert!(en.is_ascii() && !en.contains("  ") && !ja.contains("  "), "{}: odd letters in {en} {ja}", rule.id);
        }
        assert!(!rule.title.en.ends_with('.') && rule.title.en.len() <= 80, "{}: a title is one line", rule.id);
        assert!(!rule.sources.is_empty(), "{}: no sources", rule.id);
        assert!(!rule.kinds.is_empty() && !rule.certainties.is_empty() && !rule.actors.is_empty(), "{}", rule.id);
    }
}

#[test]
fn what_a_rule_supersedes_is_another_rule() {
    for rule in RULES.iter() {
        for id in rule.supersedes {
            assert!(*id != rule.id && RULES.iter().any(|other| other.id == *id), "{} supersedes {id}", rule.id);
        }
    }
}
