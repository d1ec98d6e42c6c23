//! A template whose `{slots}` are filled.

/// The template with a word for each slot; none if there is no word for one.
pub(super) fn fill(template: &str, mut word: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut line = String::new();
    let mut rest = template;
    while let Some((before, slot)) = rest.split_once('{') {
        let (slot, behind) = slot.split_once('}')?;
        line.push_str(before);
        line.push_str(&word(slot)?);
        rest = behind;
    }
    line.push_str(rest);
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn slots_are_filled_from_the_left_and_one_without_a_word_leaves_no_line() {
        let mut number = 0;
        let filled = fill("{a}> x {b}y", |slot| {
            number += 1;
            Some(format!("{slot}{number}"))
        });
        assert_eq!(filled.as_deref(), Some("a1> x b2y"));
        assert_eq!(fill("x {a}", |_| None), None);
        assert_eq!(fill("x {a", |_| Some(String::new())), None);
    }
}
