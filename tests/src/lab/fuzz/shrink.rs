//! Makes a difference small: takes operations away as long as the last one is still answered differently.
//!
//! What is asked of a kernel is asked for many candidates at once, since starting one takes longer than playing a script:
//! so this is a state that proposes and learns, and many of them go side by side.

/// Something that is being made smaller.
///
/// ```
/// use standin_tests::lab::fuzz::Shrinking;
///
/// // 9 differs wherever a 3 stands before it.
/// let mut shrinking = Shrinking::new(vec![1, 2, 3, 4, 5], 9);
/// while !shrinking.is_done() {
///     let verdicts: Vec<bool> = shrinking.candidates().iter().map(|all| all.contains(&3)).collect();
///     shrinking.learn(&verdicts);
/// }
/// assert_eq!(shrinking.smallest(), [3, 9]);
/// ```
#[derive(Debug, Clone)]
pub struct Shrinking<T> {
    before: Vec<T>,
    last: T,
    /// How many are taken away at once; 0 when nothing more can be.
    size: usize,
    /// Pieces that can go one by one, by where they begin: which of them together?
    removable: Vec<usize>,
}

impl<T: Clone> Shrinking<T> {
    /// What stands before the last one, which alone is kept in any case.
    #[must_use]
    pub const fn new(before: Vec<T>, last: T) -> Self {
        let size = before.len().div_ceil(2);
        Self { before, last, size, removable: Vec::new() }
    }

    /// Whether nothing can be taken away any more.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.size == 0
    }

    /// The smallest that is known to differ.
    #[must_use]
    pub fn smallest(&self) -> Vec<T> {
        self.closed(self.before.clone())
    }

    /// What to try next.
    #[must_use]
    pub fn candidates(&self) -> Vec<Vec<T>> {
        let open: Vec<Vec<T>> = match self.removable.len() {
            0 => self.begins().map(|begin| self.without(&[begin])).collect(),
            all => (1..=all)
                .filter_map(|some| Some(self.without(self.removable.get(..some)?)))
                .collect(),
        };
        open.into_iter().map(|before| self.closed(before)).collect()
    }

    /// Which of the candidates still differ, in their order.
    pub fn learn(&mut self, still: &[bool]) {
        if self.removable.is_empty() {
            let can_go = self.begins().zip(still).filter(|(_, still)| **still);
            self.removable = can_go.map(|(begin, _)| begin).collect();
            if self.removable.is_empty() {
                self.size = if self.size > 1 { self.size.div_ceil(2) } else { 0 };
            }
        } else {
            // One by one each could go, so the first can, whatever a second look says.
            let most = still.iter().rposition(|still| *still).unwrap_or_default();
            self.before = self.without(self.removable.get(..=most).unwrap_or_default());
            self.removable.clear();
            self.size = self.size.min(self.before.len());
        }
    }

    fn begins(&self) -> impl Iterator<Item = usize> {
        (0..self.before.len()).step_by(self.size.max(1))
    }

    fn without(&self, begins: &[usize]) -> Vec<T> {
        let goes = |at: usize| begins.iter().any(|begin| (*begin..begin + self.size).contains(&at));
        let stays = self.before.iter().enumerate().filter(|(at, _)| !goes(*at));
        stays.map(|(_, one)| one.clone()).collect()
    }

    fn closed(&self, mut before: Vec<T>) -> Vec<T> {
        before.push(self.last.clone());
        before
    }
}
