//! What a run came to.

use crate::transcript::answer::{Answer, Difference};
use crate::transcript::script::{Operation, Transcript};
use crate::transcript::stage::Trouble;

/// What a run came to: the transcript of this kernel, and where it is not what the script expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The script with the answers of this run.
    pub transcript: Transcript,
    /// Where an answer was expected and another came, in the order of the script.
    pub mismatches: Vec<Mismatch>,
    /// How many operations the script has.
    pub operations: usize,
    /// How many of them the kernel does not model.
    pub not_modelled: usize,
    answers: Vec<Answer>,
}

/// An operation that was answered otherwise than expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {operation}: {difference}")]
pub struct Mismatch {
    /// The operation's line, from 1; 0 if the script was not read from text.
    pub line: usize,
    /// The operation line.
    pub operation: String,
    /// What was expected.
    pub expected: Answer,
    /// What came.
    pub got: Answer,
    /// Where they first differ.
    pub difference: Difference,
}

/// A run that did not come to its end, so that it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// At an operation.
    #[error("line {line}: {operation}: {trouble}")]
    Step {
        /// The operation's line, from 1.
        line: usize,
        /// The operation line.
        operation: String,
        /// What happened.
        trouble: Trouble,
    },
    /// Behind the last one, when everything is undone.
    #[error("at the end: {0}")]
    Finish(Trouble),
}

impl Report {
    /// A report on no operation yet.
    pub(super) const fn new(transcript: Transcript) -> Self {
        Self {
            transcript,
            mismatches: Vec::new(),
            operations: 0,
            not_modelled: 0,
            answers: Vec::new(),
        }
    }

    /// The next operation has been answered.
    pub(super) fn add(&mut self, operation: &Operation, answer: Answer) {
        self.operations += 1;
        self.not_modelled += usize::from(
            answer.as_status().is_some_and(|status| status.starts_with("NotModelled ")),
        );
        if let Some(expected) = &operation.answer
            && let Some(difference) = expected.difference(&answer)
        {
            self.mismatches.push(Mismatch {
                line: operation.line(),
                operation: operation.source().to_owned(),
                expected: expected.clone(),
                got: answer.clone(),
                difference,
            });
        }
        self.answers.push(answer);
    }

    /// All operations have been answered: the transcript gets the answers.
    pub(super) fn complete(mut self) -> Self {
        let answers = std::mem::take(&mut self.answers);
        for (operation, answer) in self.transcript.operations_mut().zip(answers) {
            operation.answer = Some(answer);
        }
        self
    }

    /// Whether every answer was as expected.
    #[must_use]
    pub const fn is_as_expected(&self) -> bool {
        self.mismatches.is_empty()
    }
}
