//! Scripts played on this host, which runs one of the kernels itself.
//!
//! The stage undoes each of them, and refuses what it could not undo.

use standin_linux::Tenancy;

use super::frame::Kind;
use super::guest::answer;
use super::record::{Answer, Place, Script};

/// Plays all scripts once; the answers are in their order. `done` is called with each name that has been settled.
#[must_use]
pub fn play(place: Place, scripts: &[Script], done: &mut dyn FnMut(&str)) -> Vec<Answer> {
    let played = scripts.iter().map(|script| {
        let played = answer(script.text(place).as_bytes(), Tenancy::Shared);
        done(&script.name);
        match played.kind {
            Kind::Transcript => Answer::Transcript(played.content),
            Kind::Refused => Answer::Refused(played.content),
            Kind::Begin | Kind::Broken | Kind::End => Answer::Lost(played.content),
        }
    });
    played.collect()
}
