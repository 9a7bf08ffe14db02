use super::super::Aliases;

#[test]
fn names_in_every_place_become_stand_ins() {
    let _ = Aliases::default();
}
