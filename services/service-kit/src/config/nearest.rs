//! The name that was probably meant.

/// Longer words are no slip of the pen, and comparing them costs the product of their lengths.
const LONGEST: usize = 64;

/// So many letters show which word they begin.
const SHORTEST_BEGINNING: usize = 3;

/// So many names are suggested at most.
const FEW: usize = 4;

/// Below this likeness (0 to 1) a suggestion misleads more than it helps.
const ALIKE: f64 = 0.5;

/// The candidate most like `word`, if any is alike enough. Case and `-` for `_` do not count as differences.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let word = plain(word);
    let candidates: Vec<&str> =
        candidates.into_iter().filter(|candidate| candidate.len() <= LONGEST).collect();
    let alike = candidates
        .iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&word, &plain(candidate)), *candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate);
    let begun = || candidates.iter().copied().find(|candidate| plain(candidate).starts_with(&word));
    alike.or_else(|| begun().filter(|_| word.len() >= SHORTEST_BEGINNING))
}

/// The candidates that have `word` in them, otherwise the one most like it: of names that are made of parts, people know one.
pub(super) fn nearest_few<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Vec<&'c str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let has_it = |candidate: &&str| plain(candidate).contains(&plain(word));
    let having: Vec<&str> = match word.len() {
        SHORTEST_BEGINNING..=LONGEST => candidates.iter().copied().filter(has_it).take(FEW).collect(),
        _ => Vec::new(),
    };
    match having.is_empty() {
        true => nearest(word, candidates).into_iter().collect(),
        false => having,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_its_word() {
        let keys = ["port", "bit_rate", "protocol"];
        assert_eq!(nearest("prot", keys), Some("port"));
        assert_eq!(nearest("bitrate", keys), Some("bit_rate"));
        assert_eq!(nearest("Bit-Rate", keys), Some("bit_rate"));
        assert_eq!(nearest("protokol", keys), Some("protocol"));
    }

    #[test]
    fn a_beginning_finds_the_first_word_that_goes_on_so() {
        let names = ["auto", "pylontech_lv", "pytes", "pylontech_hv"];
        assert_eq!(nearest("pylon", names), Some("pylontech_lv"));
        assert_eq!(nearest("py", ["pylontech_lv"]), None);
        assert_eq!(nearest("", ["pylontech_lv"]), None);
    }

    #[test]
    fn a_part_of_a_name_finds_those_that_have_it_and_a_slip_of_the_pen_the_nearest() {
        let names = ["deye-one-phase", "deye-three-phase-hv", "solis-hybrid"];
        assert_eq!(nearest_few("Deye", names), ["deye-one-phase", "deye-three-phase-hv"]);
        assert_eq!(nearest_few("solis_hibrid", names), ["solis-hybrid"]);
        assert!(nearest_few("xyz", names).is_empty() && nearest_few("", names).is_empty());
    }

    #[test]
    fn a_strange_word_gets_no_suggestion() {
        assert_eq!(nearest("voltage", ["port", "bit_rate"]), None);
        assert_eq!(nearest(&"a".repeat(1000), ["aaaa"]), None);
        assert_eq!(nearest("port", []), None);
    }
}
